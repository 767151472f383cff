//! JSON: one object a line (NDJSON), a list of objects, perhaps wrapped in one object, and CDISC Dataset-JSON 1.1.
//!
//! Which keys the records have is known only at the end of the file, so it is read twice: first for the keys, then
//! for the records. Nested objects become columns `a.b`, lists of scalars one field joined by `;`, `null` and empty
//! lists a missing value. A line that is broken costs one record; a list that is broken costs the file, since behind
//! the first mistake no record can be told from the next.

mod columns;
mod dataset;
mod pieces;
mod shape;
mod stream;
mod walk;

use super::batch::{Fault, RawBatch};
use super::options::TextEncoding;
use super::seekable::Seekable;
use super::sniff::{self, Look};
use super::window::Window;
use super::{IngestError, ReadOptions, Records, Source, Tally, is_url, open};
use crate::domain::FileId;
use columns::{Columns, MOST_COLUMNS, Refused};
use pieces::{Piece, Pieces, Place};
use shape::Shape;
use std::path::{Path, PathBuf};
use stream::{Fail, Stream};
use walk::Mistake;

const BOM: &[u8] = b"\xEF\xBB\xBF";

/// Reads a JSON file, batch by batch.
pub(super) struct Reader {
    path: PathBuf,
    file: FileId,
    pieces: Pieces,
    rows: Rows,
    header: Vec<String>,
    encoding: TextEncoding,
    decimal_comma: bool,
    tally: Tally,
    at_end: bool,
}

/// What the records are.
enum Rows {
    Objects(Columns),
    /// Rows of values, and how many the file promises.
    Lists(Option<u64>),
}

impl Reader {
    /// Finds the records and reads their keys.
    ///
    /// # Errors
    /// When the bytes cannot be read, are no JSON, or hold no list of records.
    pub(super) fn new(source: Source, options: &ReadOptions) -> Result<Reader, IngestError> {
        let (path, file) = (source.path.clone(), source.file);
        // What an address names is fetched once; a file is opened anew for each walk.
        let (stream, copy) = match is_url(&path.to_string_lossy()) {
            true => (None, Some(Seekable::new(source, &[])?)),
            false => (Some(begin(&path, source.bytes)?), None),
        };
        let again = || match &copy {
            Some(copy) => copy.reader().and_then(|bytes| begin(&path, Box::new(bytes))),
            None => open::again(&path).and_then(|bytes| begin(&path, bytes)),
        };
        let Shape { place, metadata } = shape::shape(&path, options, again()?)?;
        let encoding = options.encoding.unwrap_or(TextEncoding::Utf8);
        let (header, rows) = match &metadata {
            Some(metadata) => (metadata.header(), Rows::Lists(metadata.records)),
            None => {
                let mut columns = Columns::new(options.decimal_comma);
                learn(&path, &mut columns, Pieces::enter(again()?, place.clone()), encoding)?;
                (columns.header(), Rows::Objects(columns))
            }
        };
        let header_lines = if let Place::Lines(before) = place { before } else { 0 };
        let stream = stream.map_or_else(again, Ok)?;
        let pieces = Pieces::enter(stream, place).map_err(|fail| failed(&path, fail))?;
        let tally = Tally { header_lines, ..Tally::default() };
        Ok(Reader {
            path,
            file,
            pieces,
            rows,
            header,
            encoding,
            decimal_comma: options.decimal_comma,
            tally,
            at_end: false,
        })
    }

    /// Adds the next record; `false` at the end of the file.
    fn append_record(&mut self, batch: &mut RawBatch) -> Result<bool, IngestError> {
        let piece = self.pieces.next().map_err(|fail| failed(&self.path, fail))?;
        self.tally.blank_lines = self.pieces.blank_lines;
        let Some(piece) = piece else { return self.check_count().map(|()| false) };
        let (Piece::Text { line, .. } | Piece::TooLong { line }) = piece;
        self.tally.records += 1;
        self.tally.record_lines += 1;
        batch.begin(line, self.tally.records);
        match piece {
            Piece::TooLong { .. } => batch.set_fault(Fault::TooLarge),
            Piece::Text { length, unended, .. } => {
                if let Some(fault) = self.append_text(batch, (line, length, unended))? {
                    batch.set_fault(fault);
                }
                self.pieces.consume(length);
            }
        }
        Ok(true)
    }

    /// Adds the fields of a record in a batch in which it has begun; what is wrong with it.
    fn append_text(
        &mut self,
        batch: &mut RawBatch,
        (line, length, unended): (u64, usize, bool),
    ) -> Result<Option<Fault>, IngestError> {
        let (text, undecoded) = self.encoding.utf8_or_own(self.pieces.bytes(length));
        let appended = match &mut self.rows {
            Rows::Objects(columns) => columns.append(&text, batch),
            Rows::Lists(_) => {
                dataset::append(&text, (self.header.len(), self.decimal_comma), batch).map_err(Refused::Mistake)
            }
        };
        match appended {
            Err(Refused::UnknownKey) => Err(IngestError::Changed { path: self.path.clone() }),
            Err(Refused::Mistake(Mistake::Cut)) if unended => Ok(Some(Fault::TruncatedLastLine)),
            Err(Refused::Mistake(mistake)) => match broken_list(&self.pieces, &text, mistake) {
                Some(what) => Err(failed(&self.path, Fail::Json(line, what))),
                None => Ok(Some(Fault::NotJson(mistake.words()))),
            },
            Ok(()) => Ok(batch.last_record().filter(|record| undecoded && record.fault.is_none()).map(|record| {
                let at = record.fields().position(|field| field.contains(char::REPLACEMENT_CHARACTER));
                Fault::BadEncoding { column: at.unwrap_or(0) }
            })),
        }
    }

    /// At the end: whether as many rows were there as the file promises.
    fn check_count(&mut self) -> Result<(), IngestError> {
        self.at_end = true;
        match self.rows {
            Rows::Lists(Some(declared)) if declared != self.tally.records => {
                Err(IngestError::Miscounted { path: self.path.clone(), declared, found: self.tally.records })
            }
            _ => Ok(()),
        }
    }
}

impl Records for Reader {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let mut batch = RawBatch::new(self.file);
        while !self.at_end && !batch.is_full() && self.append_record(&mut batch)? {}
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn tally(&self) -> Tally {
        self.tally
    }
}

/// The bytes as a stream, behind a byte-order mark; refuses what is no text.
fn begin(path: &Path, bytes: open::Bytes) -> Result<Stream, IngestError> {
    let mut window = Window::new(bytes);
    window.fill_to(8 << 10).map_err(|source| failed(path, Fail::Io(source)))?;
    if window.bytes().starts_with(BOM) {
        window.consume(BOM.len());
    }
    let first = window.bytes();
    match sniff::look(&first[..first.len().min(8 << 10)]) {
        Look::Utf16 => Err(IngestError::Utf16 { path: path.to_owned() }),
        Look::Other(what) if what != "JSON" => {
            Err(IngestError::OtherFormat { path: path.to_owned(), expected: "JSON, which begins with { or [" })
        }
        Look::Text | Look::Other(_) => Ok(Stream::new(window)),
    }
}

/// Reads every record for its keys.
fn learn(
    path: &Path,
    columns: &mut Columns,
    pieces: Result<Pieces, Fail>,
    encoding: TextEncoding,
) -> Result<(), IngestError> {
    let fail = |fail| failed(path, fail);
    let mut pieces = pieces.map_err(fail)?;
    let (mut any, mut objects) = (false, false);
    while let Some(piece) = pieces.next().map_err(fail)? {
        any = true;
        let Piece::Text { line, length, .. } = piece else { continue };
        let text = encoding.utf8_or_own(pieces.bytes(length)).0;
        match columns.learn(&text) {
            Ok(()) => objects = true,
            Err(mistake) => {
                if let Some(what) = broken_list(&pieces, &text, mistake) {
                    return Err(fail(Fail::Json(line, what)));
                }
            }
        }
        pieces.consume(length);
        if columns.are_too_many() {
            return Err(IngestError::TooManyColumns { path: path.to_owned(), most: MOST_COLUMNS });
        }
    }
    let what = match (any, objects) {
        (_, true) => return Ok(()),
        (true, false) => "none of its records is a JSON object",
        (false, false) => "the list of records is empty, so that its columns are not known",
    };
    Err(IngestError::NoRecords { path: path.to_owned(), what })
}

/// What is wrong with a list, where one of its records is begun well and goes on badly.
fn broken_list(pieces: &Pieces, record: &str, mistake: Mistake) -> Option<&'static str> {
    (pieces.is_list() && record.trim_start().starts_with(['{', '['])).then(|| mistake.words())
}

fn failed(path: &Path, fail: Fail) -> IngestError {
    match fail {
        Fail::Io(source) => IngestError::Io { path: path.to_owned(), source },
        Fail::Json(line, what) => IngestError::Json { path: path.to_owned(), line, what },
    }
}

#[cfg(test)]
mod tests;
