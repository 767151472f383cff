//! Logistic regression by maximum likelihood, with errors that allow for rows of one cluster being alike. Firth's
//! penalised form is in [`super::firth`].

pub(super) mod cholesky;
pub(super) mod climb;
pub mod clusters;
pub(super) mod merged;
mod reference;
pub(super) mod rows;
mod sandwich;
mod separation;

use super::distributions::normal_sf;
use super::{Estimate, Level, Test};
pub use climb::Likelihood;
use climb::{Climb, Point};
use clusters::Clusters;
use merged::Merged;
pub use reference::METHODS;
use rows::{Sparse, Totals, risk};
use sandwich::Sandwich;

/// The rows of a regression. A row may be one trial (0 or 1 event) or many with the same terms.
#[derive(Debug, Clone, Copy)]
pub struct Observations<'a> {
    /// Terms of each row, row after row; the caller puts in the column of ones that makes the intercept.
    pub design: &'a [f64],
    /// Terms in a row.
    pub terms: usize,
    /// Events of each row.
    pub events: &'a [f64],
    /// Trials of each row; a row without trials is passed over.
    pub trials: &'a [f64],
    /// Whose trials may be alike; simplest, the number of each row's cluster.
    pub clusters: &'a dyn Clusters,
}

/// Where the errors come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Covariance {
    /// The model: right only when rows are independent.
    Model,
    /// Clusters (Liang & Zeger 1986), without a small-sample factor.
    Cr0,
    /// Clusters, × G/(G − 1) for G clusters: R's `vcovCL(type = "HC0", cadjust = TRUE)`.
    Cr1,
    /// Clusters, × G/(G − 1) · (N − 1)/(N − k) for N trials and k terms: Stata's `vce(cluster)`.
    Cr1Stata,
}

/// Why there is no fit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FitProblem {
    /// The lengths do not belong together.
    #[error("the columns of the regression have different lengths")]
    Shape,
    /// A value that is not a number, or more events than trials.
    #[error("row {row} of the regression has a value that is not a finite number, or more events than trials")]
    Unusable {
        /// The row, from 0.
        row: usize,
    },
    /// Fewer trials than terms.
    #[error("{trials} trials are too few for {terms} terms")]
    TooFewRows {
        /// Trials: a row of many stands for as many.
        trials: usize,
        /// Terms.
        terms: usize,
    },
    /// No event in any row.
    #[error("there are no events")]
    NoEvents,
    /// An event in every trial.
    #[error("every trial has the event")]
    OnlyEvents,
    /// A term is constant 0, or a sum of terms before it.
    #[error("term {term} says nothing that the terms before it do not say already")]
    Collinear {
        /// The term, from 0.
        term: usize,
    },
    /// Terms that tell events from non-events without error: maximum likelihood has no finite answer.
    #[error(
        "separation: some terms tell the events apart without error, so that their coefficients have no finite value"
    )]
    Separated {
        /// The terms whose coefficients run away, from 0.
        terms: Vec<usize>,
    },
    /// The steps did not settle.
    #[error("the fit had not settled after {iterations} steps")]
    NotConverged {
        /// Steps taken.
        iterations: u32,
    },
}

/// A fitted model.
#[derive(Debug, Clone)]
pub struct Fit {
    /// Log odds for one unit of each term.
    pub coefficients: Vec<f64>,
    /// Log-likelihood at the coefficients, each trial counted as a row of its own (no binomial coefficients).
    pub log_likelihood: f64,
    /// Log-likelihood with Firth's penalty, where that was maximised.
    pub penalised_log_likelihood: Option<f64>,
    /// −2 · log-likelihood.
    pub deviance: f64,
    /// Steps to the top.
    pub iterations: u32,
    /// Clusters among the rows with trials.
    pub clusters: u64,
    /// Events.
    pub events: f64,
    /// Trials.
    pub trials: f64,
    /// What was maximised.
    pub likelihood: Likelihood,
    model: Vec<f64>,
    sandwich: Sandwich,
}

/// Under so many clusters a robust interval tends to be too narrow.
const FEW_CLUSTERS: u64 = 40;
/// Under so many clusters that have a term, its robust error is not to be relied on.
const FEW_CLUSTERS_WITH_TERM: u64 = 5;
/// A robust variance under this share of the model's is a variance that the clusters cannot show.
const NO_VARIANCE: f64 = 1e-10;

/// Maximum likelihood by Newton's steps (IRLS).
///
/// Estimates the log odds of an event for one unit of each term. Separation is recognised and its terms are named,
/// never reported as a huge coefficient; so are collinear terms.
///
/// ```
/// use stipple::stats::Level;
/// use stipple::stats::logistic::{Covariance, Observations, fit};
///
/// // 10 events of 100 without the exposure, 20 of 100 with it.
/// let rows = Observations {
///     design: &[1.0, 0.0, 1.0, 1.0],
///     terms: 2,
///     events: &[10.0, 20.0],
///     trials: &[100.0, 100.0],
///     clusters: &[0, 1],
/// };
/// let fit = fit(&rows).unwrap();
/// // Odds ratio (20·90)/(80·10) = 2.25; standard error √(1/20 + 1/80 + 1/10 + 1/90) = 5/12.
/// assert!((fit.odds_ratio(1, Covariance::Model, Level::P95).value.unwrap() - 2.25).abs() < 1e-9);
/// assert!((fit.standard_error(1, Covariance::Model).unwrap() - 5.0 / 12.0).abs() < 1e-9);
/// ```
///
/// # Errors
/// [`FitProblem`]: the data cannot carry the model, and why.
pub fn fit(observations: &Observations) -> Result<Fit, FitProblem> {
    let totals = observations.check()?;
    if totals.events <= 0.0 {
        return Err(FitProblem::NoEvents);
    }
    if totals.events >= totals.trials {
        return Err(FitProblem::OnlyEvents);
    }
    climb_to_fit(observations, &totals, Likelihood::Plain)
}

pub(super) fn climb_to_fit(
    observations: &Observations,
    totals: &Totals,
    likelihood: Likelihood,
) -> Result<Fit, FitProblem> {
    let merged = Merged::of(observations);
    let different = merged.as_ref().map(Merged::observations);
    let rows = different.as_ref().unwrap_or(observations);
    let sparse = Sparse::of(rows);
    let climb = Climb { rows: &sparse, likelihood, held: None };
    let (top, iterations) = climb.run(rows.start(totals))?;
    let sandwich = sandwich::sandwich(observations, likelihood, &top);
    let Point { coefficients, objective, log_likelihood, inverse, .. } = top;
    Ok(Fit {
        coefficients,
        log_likelihood,
        penalised_log_likelihood: (likelihood == Likelihood::Firth).then_some(objective),
        deviance: -2.0 * log_likelihood,
        iterations,
        clusters: sandwich.clusters,
        events: totals.events,
        trials: totals.trials,
        likelihood,
        model: inverse,
        sandwich,
    })
}

impl Fit {
    /// Terms of the model.
    #[must_use]
    pub fn terms(&self) -> usize {
        self.coefficients.len()
    }

    /// Id of the method with these errors.
    #[must_use]
    pub fn method(&self, kind: Covariance) -> &'static str {
        match (self.likelihood, kind) {
            (Likelihood::Plain, Covariance::Model) => "logistic_ml",
            (Likelihood::Plain, Covariance::Cr0) => "logistic_ml_cr0",
            (Likelihood::Plain, Covariance::Cr1) => "logistic_ml_cr1",
            (Likelihood::Plain, Covariance::Cr1Stata) => "logistic_ml_cr1_stata",
            (Likelihood::Firth, Covariance::Model) => "logistic_firth",
            (Likelihood::Firth, Covariance::Cr0) => "logistic_firth_cr0",
            (Likelihood::Firth, Covariance::Cr1) => "logistic_firth_cr1",
            (Likelihood::Firth, Covariance::Cr1Stata) => "logistic_firth_cr1_stata",
        }
    }

    /// Covariance of the coefficients, row after row. A robust one needs two clusters.
    #[must_use]
    pub fn covariance(&self, kind: Covariance) -> Option<Vec<f64>> {
        if kind == Covariance::Model {
            return Some(self.model.clone());
        }
        let factor = self.small_sample_factor(kind)?;
        Some(self.sandwich.covariance.iter().map(|entry| entry * factor).collect())
    }

    /// Standard error of a coefficient; none where the clusters cannot show it (fewer than two clusters in all, or
    /// fewer than two that have the term).
    #[must_use]
    pub fn standard_error(&self, term: usize, kind: Covariance) -> Option<f64> {
        let mut contrast = vec![0.0; self.terms()];
        *contrast.get_mut(term)? = 1.0;
        self.error_along(&contrast, kind)
    }

    /// Odds ratio for one unit of a term, with its Wald interval.
    #[must_use]
    pub fn odds_ratio(&self, term: usize, kind: Covariance, level: Level) -> Estimate {
        let mut contrast = vec![0.0; self.terms()];
        match contrast.get_mut(term) {
            Some(entry) => *entry = 1.0,
            None => return Estimate::not_estimable(self.method(kind), level, "the model has no such term"),
        }
        self.estimate(&contrast, kind, level, f64::exp)
    }

    /// Wald's test that a coefficient is zero.
    #[must_use]
    pub fn p_value(&self, term: usize, kind: Covariance) -> Test {
        let method = self.method(kind);
        let Some(&coefficient) = self.coefficients.get(term) else {
            return Test::not_estimable(method, "the model has no such term");
        };
        let Some(error) = self.standard_error(term, kind) else {
            return Test::not_estimable(method, NO_ERROR);
        };
        let z = coefficient / error;
        let p_value = (2.0 * normal_sf(z.abs())).min(1.0);
        Test { statistic: Some(z), p_value: Some(p_value), method, warning: self.few_clusters(kind, |t| t == term) }
    }

    /// Risk of a row with these terms; its interval is made on the log odds, so that it stays between 0 and 1.
    #[must_use]
    pub fn predict(&self, row: &[f64], kind: Covariance, level: Level) -> Estimate {
        if row.len() != self.terms() || row.iter().any(|value| !value.is_finite()) {
            return Estimate::not_estimable(self.method(kind), level, "the row does not have the terms of the model");
        }
        self.estimate(row, kind, level, |logit| risk(logit).0)
    }

    /// A combination of the coefficients and its Wald interval, both brought to the scale that is read.
    fn estimate(&self, contrast: &[f64], kind: Covariance, level: Level, scale: fn(f64) -> f64) -> Estimate {
        let value: f64 = contrast.iter().zip(&self.coefficients).map(|(x, b)| x * b).sum();
        let error = self.error_along(contrast, kind);
        let end = |side: f64| error.map(|error| scale(value + side * level.z() * error));
        let warning = match error {
            Some(_) => self.few_clusters(kind, |term| contrast[term].abs() > 0.0),
            None => Some(format!("not_estimable: {NO_ERROR}")),
        };
        Estimate {
            value: Some(scale(value)),
            low: end(-1.0),
            high: end(1.0),
            level: level.value(),
            method: self.method(kind),
            numerator: Some(self.events),
            denominator: Some(self.trials),
            warning,
        }
    }

    fn error_along(&self, contrast: &[f64], kind: Covariance) -> Option<f64> {
        let model = along(&self.model, contrast);
        if kind == Covariance::Model {
            return Some(model.max(0.0).sqrt());
        }
        let lone = |term: usize| contrast[term].abs() > 0.0 && self.sandwich.clusters_with_term[term] < 2;
        if (0..self.terms()).any(lone) {
            return None;
        }
        let robust = along(&self.sandwich.covariance, contrast) * self.small_sample_factor(kind)?;
        (robust > NO_VARIANCE * model).then(|| robust.sqrt())
    }

    /// What the sandwich is multiplied by; nothing with fewer than two clusters.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
    fn small_sample_factor(&self, kind: Covariance) -> Option<f64> {
        let clusters = self.clusters as f64;
        if self.clusters < 2 {
            return None;
        }
        let cr1 = clusters / (clusters - 1.0);
        match kind {
            Covariance::Model | Covariance::Cr0 => Some(1.0),
            Covariance::Cr1 => Some(cr1),
            Covariance::Cr1Stata => {
                let left = self.trials - self.terms() as f64;
                (left > 0.0).then(|| cr1 * (self.trials - 1.0) / left)
            }
        }
    }

    fn few_clusters(&self, kind: Covariance, concerns: impl Fn(usize) -> bool) -> Option<String> {
        if kind == Covariance::Model {
            return None;
        }
        let with_term = &self.sandwich.clusters_with_term;
        let fewest = (0..self.terms()).filter(|&term| concerns(term)).map(|term| with_term[term]).min();
        match fewest {
            _ if self.clusters < FEW_CLUSTERS => Some(format!(
                "few_clusters: {} clusters; under {FEW_CLUSTERS} a robust interval tends to be too narrow",
                self.clusters
            )),
            Some(fewest) if fewest < FEW_CLUSTERS_WITH_TERM => Some(format!(
                "few_clusters: only {fewest} clusters have this term; its robust interval tends to be too narrow"
            )),
            _ => None,
        }
    }
}

const NO_ERROR: &str =
    "a cluster-robust error needs at least two clusters that have the term, and residuals that differ between them";

/// xᵀ·M·x.
fn along(matrix: &[f64], contrast: &[f64]) -> f64 {
    let size = contrast.len();
    contrast.iter().enumerate().fold(0.0, |total, (row, x)| {
        let line: f64 = matrix[row * size..(row + 1) * size].iter().zip(contrast).map(|(m, y)| m * y).sum();
        total + x * line
    })
}

#[cfg(test)]
mod tests;
