//! `stipple check`: the same work up to validation, and what it found.

use super::Observer;
use super::files::Skipped;
use super::listing::{Listing, RuleTally};
use super::load::{self, LoadError, Loaded};
use super::settle::{Pipeline, Source};
use super::tally::Totals;
use crate::domain::Catalogue;
use crate::store::SessionsBuilder;

/// What became of the rows that a rule speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Consequence {
    /// Refused.
    Rejected,
    /// Counted, with a warning.
    Warned,
}

/// A rule, how many rows it concerned, and the first of them.
#[derive(Debug, Clone, PartialEq)]
pub struct RuleCount {
    /// What became of the rows.
    pub consequence: Consequence,
    /// Id of the rule.
    pub rule: &'static str,
    /// How many, and the first of them.
    pub tally: RuleTally,
}

/// What a check found.
pub struct Checked {
    /// Everything that came in.
    pub loaded: Loaded,
    /// Totals over files.
    pub totals: Totals,
    /// What the folders that were named hold besides.
    pub skipped: Vec<Skipped>,
    /// By rule: refusals first, the most frequent first.
    pub rules: Vec<RuleCount>,
}

/// Checks the files of a pipeline.
///
/// # Errors
/// When a file cannot be read or lacks columns.
pub fn pipeline(pipeline: &Pipeline, observer: &dyn Observer) -> Result<Checked, LoadError> {
    sources(&pipeline.sources, &pipeline.catalogue, observer)
}

/// Checks logs with a mapping.
///
/// # Errors
/// When a file cannot be read or lacks columns.
pub fn logs(source: Source, observer: &dyn Observer) -> Result<Checked, LoadError> {
    let mut catalogue = Catalogue::built_in();
    source.mapping.extend(&mut catalogue);
    sources(&[source], &catalogue, observer)
}

fn sources(sources: &[Source], catalogue: &Catalogue, observer: &dyn Observer) -> Result<Checked, LoadError> {
    observer.stage("read");
    let loaded = load::load(sources, (catalogue, SessionsBuilder::for_joining()), observer)?;
    let totals = Totals::of(loaded.inputs.iter());
    let of = |consequence, listing: &Listing| -> Vec<RuleCount> {
        let rules = listing.rules().iter();
        rules.map(|(rule, tally)| RuleCount { consequence, rule, tally: tally.clone() }).collect()
    };
    let mut rules = of(Consequence::Rejected, &loaded.rejections);
    rules.extend(of(Consequence::Warned, &loaded.warnings));
    rules.sort_by_key(|rule| (rule.consequence, std::cmp::Reverse(rule.tally.count)));
    let skipped = sources.iter().flat_map(|source| source.skipped.iter().cloned()).collect();
    Ok(Checked { loaded, totals, skipped, rules })
}
