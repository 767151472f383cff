//! The tally of every file: nothing is dropped silently.

use crate::domain::Place;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// Sessions.
    Log,
    /// Side effects reported apart.
    Events,
    /// Scores.
    Assessments,
}

impl Role {
    /// Name in the manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Role::Log => "log",
            Role::Events => "events",
            Role::Assessments => "assessments",
        }
    }
}

/// What became of the rows of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputTally {
    /// Name of the file, relative to the pipeline.
    pub name: String,
    /// What it holds.
    pub role: Role,
    /// Number of its source in the pipeline, from 0.
    pub source: usize,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub blake3: String,
    /// Headers that nothing maps: their columns were not read.
    pub ignored: Vec<String>,
    /// Sheets of the workbook that hold something and were not read, where the mapping does not name one.
    pub unread_sheets: Vec<String>,
    /// Rows read: every record below the header that the mapping's row filter keeps.
    pub read: u64,
    /// Rows that the mapping's row filter leaves out.
    pub filtered: u64,
    /// Rows that stand.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows repeated or replaced.
    pub superseded: u64,
}

/// A row that another one stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Superseded {
    /// The row that does not count.
    pub place: Place,
    /// The row that counts.
    pub by: Place,
    /// Whether both say the same.
    pub identical: bool,
}

impl InputTally {
    pub(super) fn new(name: String, role: Role, source: usize) -> InputTally {
        InputTally {
            name,
            role,
            source,
            bytes: 0,
            blake3: String::new(),
            ignored: Vec::new(),
            unread_sheets: Vec::new(),
            read: 0,
            filtered: 0,
            accepted: 0,
            rejected: 0,
            superseded: 0,
        }
    }

    /// Whether every row read is accepted, rejected or superseded.
    pub(super) fn is_balanced(&self) -> bool {
        self.read == self.accepted + self.rejected + self.superseded
    }
}

/// Totals over files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Rows read.
    pub read: u64,
    /// Rows that stand.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows repeated or replaced.
    pub superseded: u64,
    /// Rows left out by a row filter.
    pub filtered: u64,
}

impl Totals {
    /// Sums up tallies.
    #[must_use]
    pub fn of<'a>(inputs: impl Iterator<Item = &'a InputTally>) -> Totals {
        inputs.fold(Totals::default(), |sum, input| Totals {
            read: sum.read + input.read,
            accepted: sum.accepted + input.accepted,
            rejected: sum.rejected + input.rejected,
            superseded: sum.superseded + input.superseded,
            filtered: sum.filtered + input.filtered,
        })
    }
}
