//! Bytes → raw records with their exact places. Reads, never judges: what a valid value is, only `validate` knows.
//!
//! A file that cannot be read as a table is an [`IngestError`]; a row that cannot be told apart into fields is a
//! record with a [`Fault`]. Memory is bounded by the window (1 MiB and a bit), whatever the file holds.
//!
//! [`open`] and [`open_object`] count, hash and unpack the bytes, so that a format sees neither disk nor archive.

mod archive;
mod array_text;
mod arrow_file;
mod batch;
mod delimited;
mod error;
mod feed;
mod fhir;
mod json;
mod meter;
mod open;
mod options;
mod parquet_file;
mod places;
mod postgres;
mod record_batches;
mod redcap;
mod seekable;
mod sniff;
mod split;
mod unread;
mod window;
mod workbook;
mod xpt;

pub use batch::{Fault, RawBatch, RawRecord};
pub use delimited::{Reader, Tally};
pub use error::IngestError;
pub use open::{is_known, open, open_object};
pub use options::{ReadOptions, TextEncoding};
pub use places::Places;
pub use postgres::{AddressError, Database, DatabaseProblem, is_url, open_database, without_passwords};
pub use redcap::{Dictionary, Field, RedcapOptions};
pub use unread::{NO_TEXT, NOT_CALCULATED, is_cell_error};

use crate::domain::FileId;
use std::io::Read;
use std::path::PathBuf;

/// Longest record that is kept: a row beyond it is refused by its first line.
pub const LARGEST_RECORD_BYTES: usize = 1 << 20;

/// An opened input: where it came from, and its bytes.
pub struct Source {
    /// Path of the file, for messages.
    pub path: PathBuf,
    /// Index of the file in the run's list of inputs.
    pub file: FileId,
    /// The bytes, unpacked.
    pub bytes: Box<dyn Read + Send>,
}

/// Opens a source as one format.
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

    /// What was read so far. `bytes` is filled in by [`open`], unless the format has opened the file by itself.
    fn tally(&self) -> Tally;

    /// BLAKE3 of the file's bytes in hexadecimal, once the last batch was read. Filled in by [`open`], unless the
    /// format has opened the file by itself.
    fn content_hash(&self) -> Option<String> {
        None
    }

    /// The separator of fields, where the format is a text that has one.
    fn separator(&self) -> Option<char> {
        None
    }

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
/// Each may be packed: `log.csv.gz`, `log.csv.zst`.
pub const FORMATS: &[Format] = &[
    Format {
        id: "delimited",
        extensions: &["csv", "tsv", "tab", "txt"],
        about: "delimited text: comma, semicolon, tab or bar; quoted fields may span lines",
        open: |source, options| Ok(Box::new(Reader::new(source, options)?)),
    },
    Format {
        id: "fhir",
        extensions: &[],
        about: "FHIR R4 resources, one on each line: Procedure, AdverseEvent, Observation; known by their first line",
        open: |source, options| Ok(Box::new(fhir::Resources::new(source, options)?)),
    },
    Format {
        id: "json",
        extensions: &["json", "ndjson", "jsonl"],
        about: "JSON: one object a line, a list of objects, or CDISC Dataset-JSON 1.1",
        open: |source, options| Ok(Box::new(json::Reader::new(source, options)?)),
    },
    Format {
        id: "xpt",
        extensions: &["xpt"],
        about: "SAS transport files of version 5 (XPT)",
        open: |source, options| Ok(Box::new(xpt::Reader::new(source, options)?)),
    },
    Format {
        id: "workbook",
        extensions: workbook::EXTENSIONS,
        about: "a sheet of an Excel or OpenDocument workbook; places are cells",
        open: workbook::open,
    },
    Format {
        id: "parquet",
        extensions: parquet_file::EXTENSIONS,
        about: "Parquet, row group by row group",
        open: parquet_file::open,
    },
    Format {
        id: "arrow",
        extensions: arrow_file::EXTENSIONS,
        about: "Arrow IPC, as a file (Feather) or as a stream",
        open: arrow_file::open,
    },
];

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
}
