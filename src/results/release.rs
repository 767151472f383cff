//! The release gate: the only way from computed rows to anything a person sees.

use super::row::ResultRow;

/// A small-number profile.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Profile {
    /// Nothing is redacted or rounded.
    None,
}

impl Profile {
    /// Names of the profiles that exist.
    pub const NAMES: &'static [&'static str] = &["none"];

    /// The profile of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Profile> {
        (name == "none").then_some(Profile::None)
    }

    /// Its name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Profile::None => "none",
        }
    }
}

/// What may be shown. Explicit even when it suppresses nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// The small-number profile.
    pub profile: Profile,
}

/// A row that passed the gate.
#[derive(Debug, Clone, PartialEq)]
pub struct ReleasedRow {
    /// The row as it may be shown.
    pub row: ResultRow,
    /// `yes`, or the rule that redacted or rounded it.
    pub released: &'static str,
}

impl std::ops::Deref for ReleasedRow {
    type Target = ResultRow;
    fn deref(&self) -> &ResultRow {
        &self.row
    }
}

/// Rows that passed the gate: the only input of charts, pages, tables and files.
#[derive(Debug, Clone, PartialEq)]
pub struct Released {
    rows: Vec<ReleasedRow>,
    policy: Policy,
}

impl Released {
    /// The rows, in order.
    #[must_use]
    pub fn rows(&self) -> &[ReleasedRow] {
        &self.rows
    }

    /// Rows of one analysis, in order.
    pub fn of<'a>(&'a self, analysis: &'a str) -> impl Iterator<Item = &'a ReleasedRow> {
        self.rows.iter().filter(move |row| row.analysis == analysis)
    }

    /// The policy that was applied.
    #[must_use]
    pub fn policy(&self) -> Policy {
        self.policy
    }
}

/// Applies the policy. Every profile must be answered for here; there is no other constructor of [`Released`].
#[must_use]
pub fn release(rows: Vec<ResultRow>, policy: Policy) -> Released {
    let rows = match policy.profile {
        Profile::None => rows.into_iter().map(|row| ReleasedRow { row, released: "yes" }).collect(),
    };
    Released { rows, policy }
}
