//! The reference that the commands print, from the same tables as the code.

use crate::analysis::{IntervalMethod, KINDS, Kind};
use crate::domain::Column;
use crate::domain::columns::{ASSESSMENT_COLUMNS, COLUMNS, EVENT_COLUMNS};
use crate::results::write::RESULT_COLUMNS;
use crate::results::{Profile, Statistic};
use crate::stats::methods::{self, Method};
use crate::store::SessionTable;
use crate::validate::KEYS;
use crate::validate::rules::{RULES, Rule};

/// A key of a TOML file: its name, what it holds, and what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The key, with its table.
    pub name: &'static str,
    /// What it holds.
    pub holds: &'static str,
    /// What it means.
    pub about: &'static str,
}

const fn key(name: &'static str, holds: &'static str, about: &'static str) -> Key {
    Key { name, holds, about }
}

/// Keys of a pipeline file.
pub const PIPELINE_KEYS: &[Key] = &[
    key("version", "1", "version of the pipeline language"),
    key("id", "text", "names the report's folder: letters, digits, _ and -"),
    key("title", "text", "title for people"),
    key("question", "text", "the question that the report answers"),
    key("data_cut", "date", "nothing after this day is used; default: the newest date in the data"),
    key(
        "source.logs",
        "list of paths, folders, patterns or addresses",
        "session logs; relative to the pipeline file; a folder gives every log in it and below it, ** in a pattern \
         goes into folders; postgresql://user@host:5432/database reads the mapping's [read] query",
    ),
    key(
        "source.store",
        "path of a store",
        "in place of logs, events and assessments: what `stipple ingest` has put there; `run --as-of` reads it as it was",
    ),
    key("source.events", "as for logs", "side effects reported apart from the session's row"),
    key("source.assessments", "as for logs", "scores by scale"),
    key("source.mapping", "path", "names, values, units, date order; several sources: [[source]], each with its own"),
    key("cohort.where", "SQL expression", "which sessions; columns below"),
    key("cohort.denominator", "assessed | all_sessions", "default assessed: present and confirmed absent"),
    key("cohort.counted", "sessions | patients", "default sessions"),
    key("quality.max_rejected", "share 0–1", "exit code 3 when more rows are rejected"),
    key(
        "quality.min_assessed",
        "share 0–1",
        "exit code 3 when fewer sessions are assessed for a side effect that an analysis names",
    ),
    key("release.profile", "none", "small-number policy"),
];

/// Keys of an `[[analysis]]`.
pub const ANALYSIS_KEYS: &[Key] = &[
    key("analysis.id", "text", "unique; names the rows and the files"),
    key("analysis.kind", "kind", "kinds below"),
    key("analysis.title", "text", "title for people"),
    key("analysis.outcomes", "list of codes, or [\"all\"]", "side effects; `stipple vocabulary` lists them"),
    key("analysis.by", "list of columns or bands", "such as [\"modality\", { needle_depth_mm = [0.5, 1.0, 1.5] }]"),
    key("analysis.over", "column or bands", "trend: the ordered column, such as fitzpatrick"),
    key("analysis.adjust", "list of columns", "trend: what the adjusted model allows for"),
    key("analysis.between", "column or bands", "contrast: the column whose two values are compared"),
    key("analysis.exposed", "value", "contrast: the group in the numerator"),
    key("analysis.reference", "value", "contrast: the other group; trend: odds ratios of each level against this one"),
    key("analysis.multiplicity", "benjamini_hochberg | holm", "contrast: correction for the number of side effects"),
    key("analysis.where", "SQL expression", "which of the cohort's sessions"),
    key("analysis.denominator, .counted", "as in cohort", "overrides the cohort's"),
    key("analysis.interval", "method", "default wilson_rao_scott; methods below"),
    key("analysis.level", "0–1", "default 0.95"),
];

/// Keys of a mapping file: key with its table, and meaning.
pub fn mapping_keys() -> impl Iterator<Item = (String, &'static str)> {
    KEYS.iter().map(|key| {
        let name = if key.table.is_empty() { key.name.to_owned() } else { format!("{}.{}", key.table, key.name) };
        (name, key.about)
    })
}

/// Every method, family by family.
pub fn methods() -> impl Iterator<Item = &'static Method> {
    methods::all()
}

/// Every analysis kind.
#[must_use]
pub fn kinds() -> &'static [Kind] {
    KINDS
}

/// Ids of the interval methods.
#[must_use]
pub fn intervals() -> Vec<&'static str> {
    IntervalMethod::ids()
}

/// Names of the release profiles.
#[must_use]
pub fn profiles() -> &'static [&'static str] {
    Profile::NAMES
}

/// Columns that `where`, `by`, `over` and `adjust` may use.
#[must_use]
pub fn columns() -> Vec<String> {
    SessionTable::default().column_names().map(str::to_owned).collect()
}

/// Canonical columns of the three kinds of file.
#[must_use]
pub fn canonical() -> [(&'static str, &'static [Column]); 3] {
    [("session log", COLUMNS), ("events file", EVENT_COLUMNS), ("assessments file", ASSESSMENT_COLUMNS)]
}

/// Columns of `results.csv`: name and meaning.
pub fn result_columns() -> impl Iterator<Item = (&'static str, &'static str)> {
    RESULT_COLUMNS.iter().map(|column| (column.name, column.about))
}

/// Statistics: name and meaning.
pub fn statistics() -> impl Iterator<Item = (&'static str, &'static str)> {
    Statistic::ALL.iter().map(|statistic| (statistic.id(), statistic.about()))
}

/// Rules that rows are judged by.
#[must_use]
pub fn rules() -> &'static [Rule] {
    RULES
}
