//! One file per analysis kind: which numerator, denominator, strata and method; returns rows.
//!
//! A kind first says which cubes it needs, later makes its rows from the filled cubes. A new kind is one file and one
//! line in [`KINDS`].

pub mod contrast;
pub mod counting;
pub mod data_quality;
pub mod evidence;
pub mod rates;
pub mod regression;
pub mod severity;
pub mod trend;

pub use counting::{Counted, Counting, Denominator, IntervalMethod, Multiplicity};
pub use evidence::{Evidence, Intake, IntakeCount};

use crate::cube::{CubeKey, Dimension, FilledKey, PatternKey, Plan};
use crate::domain::EffectId;
use crate::results::ResultRow;

/// An analysis kind: its name, the pipeline keys that it takes beside the common ones, and its two steps.
#[derive(Debug)]
pub struct Kind {
    /// Name in a pipeline file.
    pub name: &'static str,
    /// What it answers.
    pub about: &'static str,
    /// Keys that it takes beside `id`, `kind`, `title`, `where`, `denominator`, `counted`, `interval`, `level`.
    pub keys: &'static [&'static str],
    /// Keys that it cannot do without.
    pub required: &'static [&'static str],
    /// What it needs to know of the sessions.
    pub needs: fn(&Analysis) -> Needs,
    /// Its rows.
    pub rows: fn(&Analysis, &Evidence<'_>) -> Vec<ResultRow>,
}

/// What an analysis needs to know of the sessions.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Needs {
    /// Cubes.
    pub cubes: Vec<CubeKey>,
    /// Counts of values.
    pub filled: Vec<FilledKey>,
    /// Whether the cubes must tell the worst grades.
    pub grades: bool,
    /// Covariate patterns, for what cannot be made from cells.
    pub patterns: Vec<PatternKey>,
}

impl Needs {
    /// Only cubes.
    #[must_use]
    pub fn cubes(cubes: Vec<CubeKey>) -> Needs {
        Needs { cubes, ..Needs::default() }
    }

    /// Asks a plan for all of it.
    pub fn plan(self, plan: &mut Plan) {
        self.cubes.into_iter().for_each(|key| plan.need(key));
        self.filled.into_iter().for_each(|key| plan.need_filled(key));
        self.patterns.into_iter().for_each(|key| plan.need_patterns(key));
        if self.grades {
            plan.need_grades();
        }
    }
}

/// Every analysis kind.
pub const KINDS: &[Kind] = &[rates::KIND, severity::KIND, trend::KIND, contrast::KIND, data_quality::KIND];

/// The kind of a name.
#[must_use]
pub fn kind(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name)
}

/// An analysis of a pipeline, settled: every default filled in, every name found.
#[derive(Debug, Clone)]
pub struct Analysis {
    /// Unique id: names its rows and files.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// Its kind.
    pub kind: &'static Kind,
    /// Side effects; empty where `all` were asked for.
    pub outcomes: Outcomes,
    /// Divided by.
    pub by: Vec<Dimension>,
    /// The ordered column of a trend.
    pub over: Option<Dimension>,
    /// Level that the others are compared with, where the kind compares.
    pub reference: Option<String>,
    /// Columns that the model allows for.
    pub adjust: Vec<String>,
    /// Column whose two values a contrast compares.
    pub between: Option<Dimension>,
    /// Value of `between` in the numerator of a contrast.
    pub exposed: Option<String>,
    /// What is counted, over what, with which interval.
    pub counting: Counting,
    /// Which sessions: every expression must hold.
    pub wheres: Vec<String>,
    /// Correction for the number of side effects tested.
    pub multiplicity: Multiplicity,
}

/// Which side effects an analysis speaks of.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcomes {
    /// Every term of the catalogue; `uncoded` only where there are uncoded terms.
    All,
    /// These, in this order.
    These(Vec<EffectId>),
}

impl Analysis {
    /// A row of this analysis.
    #[must_use]
    pub fn row(&self, statistic: crate::results::Statistic) -> ResultRow {
        ResultRow::empty(&self.id, self.kind.name, statistic)
    }

    /// The key of a cube of this analysis' sessions.
    #[must_use]
    pub fn cube(&self, dimensions: Vec<Dimension>, measures: &[&str]) -> CubeKey {
        CubeKey {
            wheres: self.wheres.clone(),
            dimensions,
            measures: measures.iter().map(|name| (*name).to_owned()).collect(),
        }
    }
}

/// Group of a row from a cell: a missing value reads `(missing)`.
#[must_use]
pub fn group_of(group: &[(&str, Option<&str>)]) -> Vec<(String, String)> {
    group.iter().map(|(column, text)| ((*column).to_owned(), text.unwrap_or(ResultRow::MISSING).to_owned())).collect()
}
