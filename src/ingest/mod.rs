//! Bytes → raw records with their exact places. Reads, never judges: what a valid value is, only `validate` knows.
//!
//! A file that cannot be read as a table is an [`IngestError`]; a row that cannot be told apart into fields is a
//! record with a [`Fault`]. Memory is bounded by the window (1 MiB and a bit), whatever the file holds.

mod batch;
mod delimited;
mod error;
mod options;
mod sniff;
mod split;
mod window;

pub use batch::{Fault, RawBatch, RawRecord};
pub use delimited::{Reader, Tally};
pub use error::IngestError;
pub use options::{ReadOptions, TextEncoding};

use crate::domain::FileId;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// Longest record that is kept: a row beyond it is refused by its first line.
pub const LARGEST_RECORD_BYTES: usize = 1 << 20;

/// An opened input: where it came from, and its bytes.
pub struct Source {
    /// Path of the file, for messages.
    pub path: PathBuf,
    /// Index of the file in the run's list of inputs.
    pub file: FileId,
    /// The bytes.
    pub bytes: Box<dyn Read + Send>,
}

/// An input format.
pub struct Format {
    /// Short name.
    pub id: &'static str,
    /// File extensions, lower case.
    pub extensions: &'static [&'static str],
    /// One line about it.
    pub about: &'static str,
    /// Reads up to and with the header.
    pub open: fn(Source, &ReadOptions) -> Result<Box<dyn Records>, IngestError>,
}

/// The records of one file, batch by batch: what every format gives.
pub trait Records: Send {
    /// The column names, without surrounding space.
    fn header(&self) -> &[String];

    /// The next records, or `None` at the end of the file.
    ///
    /// # Errors
    /// When the bytes cannot be read.
    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError>;

    /// What was read so far.
    fn tally(&self) -> Tally;

    /// BLAKE3 of the file's bytes in hexadecimal, once the last batch was read.
    fn content_hash(&self) -> Option<String>;

    /// The separator of fields, where the format is a text that has one.
    fn separator(&self) -> Option<char> {
        None
    }
}

/// The input formats: one file of this room, one line each. The first also reads unknown extensions that hold text.
pub const FORMATS: &[Format] = &[Format {
    id: "delimited",
    extensions: &["csv", "tsv", "tab", "txt"],
    about: "delimited text: comma, semicolon, tab or bar; quoted fields may span lines",
    open: |source, options| Ok(Box::new(Reader::new(source, options)?)),
}];

/// Opens a file and reads up to and with its header.
///
/// # Errors
/// When the file cannot be read, is empty, is not text, or has no header.
pub fn open(path: &Path, file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let bytes = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => IngestError::NotFound { path: path.to_owned() },
        _ => IngestError::Io { path: path.to_owned(), source },
    })?;
    let format = format_of(path);
    (format.open)(Source { path: path.to_owned(), file, bytes: Box::new(bytes) }, options)
}

fn format_of(path: &Path) -> &'static Format {
    let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default();
    FORMATS.iter().find(|format| format.extensions.contains(&extension.as_str())).unwrap_or(&FORMATS[0])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_extension_belongs_to_one_format() {
        let mut all: Vec<&str> = FORMATS.iter().flat_map(|format| format.extensions).copied().collect();
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = open(Path::new("no/such/log.csv"), FileId(0), &ReadOptions::default()).map(|_| ()).unwrap_err();
        assert!(matches!(error, IngestError::NotFound { .. }));
        assert!(error.to_string().contains("log.csv"));
    }
}
