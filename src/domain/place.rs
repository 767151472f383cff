//! Where a row came from, so that every complaint and every number can be followed back.

/// Index of an input file in the run's list of inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct FileId(pub u32);

/// The place of a row: its file, physical line (from 1, where the record starts) and record (from 1, the header and
/// blank lines not counted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Place {
    /// The input file.
    pub file: FileId,
    /// Physical line on which the record starts, from 1.
    pub line: u64,
    /// Number of the record, from 1; the header is not a record.
    pub record: u64,
}
