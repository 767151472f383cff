//! The list of batches: one row for each version of the store. A batch is in the store from the moment in which its
//! row is: what it changes in the tables stands in the row itself, so that whoever comes next can finish the work.

use super::columns::TableName;
use super::delta::Change;
use crate::domain::{Catalogue, SideEffect};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What made a version of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BatchKind {
    /// The store was made.
    Create,
    /// Files came in.
    Ingest,
    /// Small files were joined.
    Compact,
    /// Files that only old versions need were removed.
    Vacuum,
    /// Pseudonyms were renewed with a new key.
    Rotate,
    /// Tables of an older program got the columns of this one.
    Upgrade,
}

impl BatchKind {
    /// Name for people and in the table.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            BatchKind::Create => "create",
            BatchKind::Ingest => "ingest",
            BatchKind::Compact => "compact",
            BatchKind::Vacuum => "vacuum",
            BatchKind::Rotate => "rotate_key",
            BatchKind::Upgrade => "upgrade",
        }
    }
}

/// What a file held.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct IngestedFile {
    /// Number over all batches.
    pub number: i32,
    /// Name as given.
    pub name: String,
    /// `log`, `events` or `assessments`.
    pub role: String,
    /// Source system.
    pub source: String,
    /// Size.
    pub bytes: u64,
    /// BLAKE3 of its bytes.
    pub blake3: String,
    /// BLAKE3 of the mapping with which it was read.
    pub mapping: String,
    /// Rows read.
    pub read: u64,
    /// Rows that the mapping's row filter left out.
    pub filtered: u64,
    /// Rows accepted.
    pub accepted: u64,
    /// Rows refused.
    pub rejected: u64,
    /// Rows that repeat a row already there, or that a later row of the batch replaces.
    pub superseded: u64,
    /// Headers that nothing maps.
    pub ignored: Vec<String>,
    /// Records of another kind: what they are, and how many.
    #[serde(default)]
    pub left_out: Vec<(String, u64)>,
}

/// Counts of a batch beside those of its files.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Sessions that were not there before.
    pub new_sessions: u64,
    /// Sessions that say something new.
    pub amended_sessions: u64,
    /// Sessions in the store.
    pub sessions: u64,
    /// Events in the store, with the pending ones.
    pub events: u64,
    /// Events that wait for their session.
    pub pending: u64,
    /// Events that waited and found their session in this batch.
    pub joined_late: u64,
    /// Assessments in the store.
    pub assessments: u64,
}

/// A version of the store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Batch {
    /// Version, from 0.
    pub version: u64,
    /// What made it.
    pub kind: BatchKind,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
    /// Who, on which machine.
    pub by: String,
    /// Program and version.
    pub program: String,
    /// The files.
    pub files: Vec<IngestedFile>,
    /// The counts.
    pub counts: Counts,
    /// Version of each table's log.
    pub tables: BTreeMap<String, u64>,
    /// What changes in each table.
    pub changes: BTreeMap<String, Change>,
    /// Side effects that mappings have added so far.
    pub effects: Vec<SideEffect>,
    /// Tells the key of the pseudonyms from others.
    pub key_check: String,
    /// Number of files over all batches so far.
    pub file_count: i32,
    /// The oldest version whose files are all there.
    pub oldest_whole: u64,
    /// Newest date in the data, as days since 1970.
    pub newest_day: Option<i32>,
    /// Warnings by rule.
    pub warnings: BTreeMap<String, u64>,
}

impl Batch {
    /// The built-in side effects and those that mappings have added so far.
    #[must_use]
    pub fn catalogue(&self) -> Catalogue {
        let mut catalogue = Catalogue::built_in();
        self.effects.iter().for_each(|effect| {
            catalogue.add(effect.clone());
        });
        catalogue
    }

    /// Version of a table's log.
    #[must_use]
    pub fn table_version(&self, table: TableName) -> u64 {
        self.tables.get(table.folder()).copied().unwrap_or(0)
    }

    /// What changes in a table.
    #[must_use]
    pub fn change(&self, table: TableName) -> Option<&Change> {
        self.changes.get(table.folder())
    }

    /// Rows of its files: read, accepted, rejected, superseded.
    #[must_use]
    pub fn rows(&self) -> [u64; 4] {
        let sum = |count: fn(&IngestedFile) -> u64| self.files.iter().map(count).sum();
        [sum(|f| f.read), sum(|f| f.accepted), sum(|f| f.rejected), sum(|f| f.superseded)]
    }
}
