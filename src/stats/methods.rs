//! The reference of every method: what `stipple methods` prints.

use super::{
    clustered, logistic, mean, multiplicity, odds_ratio, proportion, risk_difference, risk_ratio, trend, two_by_two,
};

/// A method, for its reader.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Method {
    /// Id, as in the `method` column of results.
    pub id: &'static str,
    /// Name.
    pub title: &'static str,
    /// What it estimates, in plain words.
    pub estimates: &'static str,
    /// The formula.
    pub formula: &'static str,
    /// Where it was published.
    pub source: &'static str,
    /// What happens at 0, at n and at nothing.
    pub edges: &'static str,
    /// When not to use it.
    pub not_for: &'static str,
}

/// Every method, family by family.
pub fn all() -> impl Iterator<Item = &'static Method> {
    [
        proportion::METHODS,
        clustered::METHODS,
        risk_difference::METHODS,
        risk_ratio::METHODS,
        odds_ratio::METHODS,
        two_by_two::METHODS,
        trend::METHODS,
        logistic::METHODS,
        mean::METHODS,
        multiplicity::METHODS,
    ]
    .into_iter()
    .flatten()
}

/// The method of an id.
#[must_use]
pub fn find(id: &str) -> Option<&'static Method> {
    all().find(|method| method.id == id)
}
