//! Bytes → raw records with their exact places. Reads, never judges: what a valid value is, only `validate` knows.
//!
//! A file that cannot be read as a table is an [`IngestError`]; a row that cannot be told apart into fields is a
//! record with a [`Fault`]. Memory is bounded by the window (1 MiB and a bit), whatever the file holds.

mod batch;
mod delimited;
mod error;
mod fhir;
mod options;
mod postgres;
mod redcap;
mod sniff;
mod split;
mod window;

pub use batch::{Fault, RawBatch, RawRecord};
pub use delimited::{Reader, Tally};
pub use error::IngestError;
pub use options::{ReadOptions, TextEncoding};
pub use postgres::{AddressError, Database, DatabaseProblem, is_url, open_database, without_passwords};
pub use redcap::{Dictionary, Field, RedcapOptions};

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

/// Opens the bytes of a format and reads up to and with the header.
pub type Open = fn(Source, &ReadOptions) -> Result<Box<dyn Records>, IngestError>;

/// An input format.
pub struct Format {
    /// Short name.
    pub id: &'static str,
    /// File extensions, lower case.
    pub extensions: &'static [&'static str],
    /// One line about it.
    pub about: &'static str,
    /// Reads up to and with the header.
    pub open: Open,
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

    /// Records that were read and not given, since they are of another kind, and what else is to be told. Complete once
    /// the last batch was read.
    fn left_out(&self) -> Vec<LeftOut> {
        Vec::new()
    }
}

/// Records that a file holds besides those of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOut {
    /// What they are; names no patient.
    pub what: String,
    /// How many; 0 = a remark on something else than whole records.
    pub records: u64,
}

/// The input formats: one file of this room, one line each. The first also reads unknown extensions that hold text.
pub const FORMATS: &[Format] = &[
    Format {
        id: "delimited",
        extensions: &["csv", "tsv", "tab", "txt"],
        about: "delimited text: comma, semicolon, tab or bar; quoted fields may span lines",
        open: |source, options| Ok(Box::new(Reader::new(source, options)?)),
    },
    Format {
        id: "fhir",
        extensions: &["ndjson"],
        about: "FHIR R4 resources, one on each line: Procedure, AdverseEvent, Observation; known by their first line",
        open: |source, options| Ok(Box::new(fhir::Resources::new(source, options)?)),
    },
];

/// Endings of compressed files: what counts is the ending in front of them.
const COMPRESSED: &[&str] = &["gz", "zst"];

/// Whether the extension is that of a format, compressed or not.
#[must_use]
pub fn is_known(path: &Path) -> bool {
    let compressed = COMPRESSED.contains(&extension(path).as_str());
    let inner = if compressed { path.with_extension("") } else { path.to_owned() };
    FORMATS.iter().any(|format| format.extensions.contains(&extension(&inner).as_str()))
}

/// Opens a file and reads up to and with its header.
///
/// # Errors
/// When the file cannot be read, is empty, is not text, or has no header.
pub fn open(path: &Path, file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let bytes = File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => IngestError::NotFound { path: path.to_owned() },
        _ => IngestError::Io { path: path.to_owned(), source },
    })?;
    let mut source = Source { path: path.to_owned(), file, bytes: Box::new(bytes) };
    let format = choose(&mut source, options).map_err(|source| IngestError::Io { path: path.to_owned(), source })?;
    match options.redcap {
        Some(_) => redcap::open(source, options, format.open),
        None => (format.open)(source, options),
    }
}

fn extension(path: &Path) -> String {
    path.extension().map(|extension| extension.to_string_lossy().to_lowercase()).unwrap_or_default()
}

/// The format that the mapping names, else that of the first bytes, else that of the extension.
fn choose(source: &mut Source, options: &ReadOptions) -> std::io::Result<&'static Format> {
    let named = |id: &str| FORMATS.iter().find(|format| format.id == id);
    if let Some(format) = options.format.and_then(named) {
        return Ok(format);
    }
    let fhir = if fhir::begins(source)? { named("fhir") } else { None };
    Ok(fhir.unwrap_or_else(|| format_of(&source.path)))
}

fn format_of(path: &Path) -> &'static Format {
    let extension = extension(path);
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
