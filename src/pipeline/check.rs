//! `stipple check`: the same work up to validation, and what it found.

use super::Observer;
use super::files::InputFile;
use super::load::{self, LoadError, Loaded};
use super::settle::{Pipeline, Source};
use super::tally::Totals;
use crate::domain::{Catalogue, Place};
use std::collections::BTreeMap;

/// How many examples of each rule are kept.
const EXAMPLES: usize = 3;

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
    /// How many.
    pub count: u64,
    /// Place (`file`, line, record), column and hint of the first ones.
    pub examples: Vec<Example>,
}

/// One row that a rule concerned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Name of the file.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// Which column.
    pub column: String,
    /// What is wrong and what to do.
    pub hint: String,
}

/// What a check found.
pub struct Checked {
    /// Everything that came in.
    pub loaded: Loaded,
    /// Totals over files.
    pub totals: Totals,
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

/// A file of the command line, called as it was typed.
#[must_use]
pub fn typed(path: &str) -> InputFile {
    InputFile { path: path.into(), name: path.to_owned() }
}

fn sources(sources: &[Source], catalogue: &Catalogue, observer: &dyn Observer) -> Result<Checked, LoadError> {
    observer.stage("read");
    let loaded = load::load(sources, catalogue, observer)?;
    let totals = Totals::of(loaded.inputs.iter());
    let mut rules: BTreeMap<(Consequence, &'static str), RuleCount> = BTreeMap::new();
    let mut note = |consequence, rule, example: &dyn Fn() -> Example| {
        let entry = rules.entry((consequence, rule)).or_insert_with(|| RuleCount {
            consequence,
            rule,
            count: 0,
            examples: Vec::new(),
        });
        entry.count += 1;
        if entry.examples.len() < EXAMPLES {
            entry.examples.push(example());
        }
    };
    let file =
        |place: Place| loaded.inputs.get(place.file.0 as usize).map(|input| input.name.clone()).unwrap_or_default();
    let example = |place: Place, column: &Option<String>, hint: &str| Example {
        file: file(place),
        place,
        column: column.clone().unwrap_or_default(),
        hint: hint.to_owned(),
    };
    for row in &loaded.rejections {
        note(Consequence::Rejected, row.rule, &|| example(row.place, &row.column, &row.hint));
    }
    for row in &loaded.warnings {
        note(Consequence::Warned, row.rule, &|| example(row.place, &row.column, &row.hint));
    }
    let mut rules: Vec<RuleCount> = rules.into_values().collect();
    rules.sort_by_key(|rule| (rule.consequence, std::cmp::Reverse(rule.count)));
    Ok(Checked { loaded, totals, rules })
}
