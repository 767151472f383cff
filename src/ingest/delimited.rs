//! Delimited text: comma, semicolon, tab or bar, quoted fields, any line end.
//!
//! A record whose quotation mark runs away is refused by its *first* physical line, and reading goes on behind that
//! line, so that one stray mark costs one row.

use super::batch::{Fault, RawBatch};
use super::error::IngestError;
use super::options::{ReadOptions, TextEncoding};
use super::sniff::{self, Look};
use super::split::Splitter;
use super::window::{Line, Window};
use super::{LARGEST_RECORD_BYTES, Records, Source};
use crate::domain::FileId;
use encoding_rs::WINDOWS_1252;
use std::borrow::Cow;
use std::io;
use std::path::PathBuf;

/// Records of a batch, at most: what is judged of them stays in a core's own cache.
const BATCH_RECORDS: usize = 512;
/// Text of a batch, about.
const BATCH_BYTES: usize = 256 << 10;
/// Bytes that may be looked at twice before a quoted field may no longer span lines: keeps the work linear in a
/// file made of stray quotation marks.
const FREE_RESCAN_BYTES: u64 = 64 << 20;
/// From this width on, a whole row inside a quoted field shows a stray quotation mark rather than somebody's text.
const TELLING_COLUMNS: usize = 6;
const BOM: &[u8] = b"\xEF\xBB\xBF";

/// What was read: `lines = above_header + header + blank + record`, always.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Bytes of the file.
    pub bytes: u64,
    /// Titles above the header.
    pub above_header_lines: u64,
    /// Lines of the header.
    pub header_lines: u64,
    /// Blank lines: not records.
    pub blank_lines: u64,
    /// Lines of records.
    pub record_lines: u64,
    /// Records, faulty ones too.
    pub records: u64,
}

impl Tally {
    /// Physical lines of the file so far.
    #[must_use]
    pub fn lines(&self) -> u64 {
        self.above_header_lines + self.header_lines + self.blank_lines + self.record_lines
    }
}

/// Reads a delimited text, batch by batch.
pub struct Reader {
    path: PathBuf,
    file: FileId,
    window: Window,
    delimiter: u8,
    terminator: u8,
    encoding: TextEncoding,
    header: Vec<String>,
    header_line: u64,
    splitter: Splitter,
    tally: Tally,
    rescanned_bytes: u64,
}

/// How a record that holds quotation marks ended.
enum Quoted {
    Whole(usize),
    Fault(Fault),
}

impl Reader {
    /// Reads up to and with the header.
    ///
    /// # Errors
    /// When the bytes cannot be read, are no text, or have no header.
    pub fn new(source: Source, options: &ReadOptions) -> Result<Reader, IngestError> {
        let mut reader = Reader {
            path: source.path,
            file: source.file,
            window: Window::new(source.bytes),
            delimiter: b',',
            terminator: b'\n',
            encoding: options.encoding.unwrap_or(TextEncoding::Utf8),
            header: Vec::new(),
            header_line: 0,
            splitter: Splitter::new(b',', b'\n'),
            tally: Tally::default(),
            rescanned_bytes: 0,
        };
        reader.look().map_err(|error| reader.io(error)).and_then(|look| reader.refuse(look))?;
        reader.find_header(options)?;
        reader.read_header()?;
        Ok(reader)
    }

    /// Physical line on which the header starts.
    #[must_use]
    pub fn header_line(&self) -> u64 {
        self.header_line
    }

    /// The separator of fields, as found or told.
    #[must_use]
    pub fn delimiter(&self) -> char {
        char::from(self.delimiter)
    }

    fn io(&self, source: io::Error) -> IngestError {
        IngestError::Io { path: self.path.clone(), source }
    }

    fn look(&mut self) -> io::Result<Look> {
        self.window.fill_to(64 << 10)?;
        if memchr::memchr(b'\n', self.window.bytes()).is_none() {
            self.window.fill_to(LARGEST_RECORD_BYTES)?;
        }
        if self.window.bytes().starts_with(BOM) {
            self.window.consume(BOM.len());
            self.encoding = TextEncoding::Utf8;
        }
        self.terminator = sniff::terminator(self.window.bytes());
        let first = self.window.bytes();
        Ok(sniff::look(&first[..first.len().min(8 << 10)]))
    }

    fn refuse(&self, look: Look) -> Result<(), IngestError> {
        match look {
            Look::Text => Ok(()),
            Look::Utf16 => Err(IngestError::Utf16 { path: self.path.clone() }),
            Look::Other(looks_like) => Err(IngestError::Binary { path: self.path.clone(), looks_like }),
        }
    }

    /// Goes to the header's line and settles the separator.
    fn find_header(&mut self, options: &ReadOptions) -> Result<(), IngestError> {
        let mut named_separator = None;
        if let Some(row) = options.header_row {
            self.skip_titles(row).map_err(|error| self.io(error))?;
        }
        loop {
            let line = self.window.line(self.terminator, LARGEST_RECORD_BYTES).map_err(|error| self.io(error))?;
            let length = match line {
                Line::Whole(length) | Line::Last(length) => length,
                Line::TooLong => {
                    return Err(IngestError::HeaderUnreadable {
                        path: self.path.clone(),
                        line: self.tally.lines() + 1,
                        fault: Fault::TooLarge,
                    });
                }
                Line::None if options.header_row.is_none() => {
                    return Err(IngestError::Empty { path: self.path.clone() });
                }
                Line::None => return Err(self.no_header()),
            };
            let content = without_line_end(&self.window.bytes()[..length], self.terminator);
            let separator = sniff::separator_line(content);
            if options.header_row.is_none() && separator.is_some() {
                named_separator = separator;
                self.tally.above_header_lines += 1;
            } else if is_blank(content, None) {
                if options.header_row.is_some() {
                    return Err(self.no_header());
                }
                self.tally.blank_lines += 1;
            } else {
                self.delimiter = options.delimiter.or(named_separator).unwrap_or_else(|| sniff::delimiter(content));
                self.splitter = Splitter::new(self.delimiter, self.terminator);
                return Ok(());
            }
            self.window.consume(length);
        }
    }

    fn no_header(&self) -> IngestError {
        IngestError::HeaderMissing { path: self.path.clone(), line: self.tally.lines() + 1 }
    }

    fn skip_titles(&mut self, header_row: u64) -> io::Result<()> {
        for _ in 1..header_row {
            if self.window.bytes().is_empty() && !self.window.fill()? {
                break;
            }
            self.window.skip_line(self.terminator)?;
            self.tally.above_header_lines += 1;
        }
        Ok(())
    }

    fn read_header(&mut self) -> Result<(), IngestError> {
        let mut batch = RawBatch::new(self.file);
        self.append_record(&mut batch).map_err(|error| self.io(error))?;
        let Some(record) = batch.records().next() else { return Err(self.no_header()) };
        if let Some(fault) = record.fault {
            return Err(IngestError::HeaderUnreadable { path: self.path.clone(), line: record.place.line, fault });
        }
        self.header = record.fields().map(|name| name.trim().to_owned()).collect();
        self.header_line = record.place.line;
        self.tally.header_lines = std::mem::take(&mut self.tally.record_lines);
        self.tally.records = 0;
        Ok(())
    }

    /// Adds the next record; `false` at the end of the file.
    fn append_record(&mut self, batch: &mut RawBatch) -> io::Result<bool> {
        loop {
            let (length, ended) = match self.window.line(self.terminator, LARGEST_RECORD_BYTES)? {
                Line::None => return Ok(false),
                Line::TooLong => {
                    self.begin(batch);
                    batch.set_fault(Fault::TooLarge);
                    self.window.skip_line(self.terminator)?;
                    return Ok(true);
                }
                Line::Whole(length) => (length, true),
                Line::Last(length) => (length, false),
            };
            let line = without_line_end(&self.window.bytes()[..length], self.terminator);
            if is_blank(line, Some(self.delimiter)) {
                self.tally.blank_lines += 1;
                self.window.consume(length);
                continue;
            }
            let quoted = memchr::memchr(b'"', line).is_some();
            self.begin(batch);
            let consumed = if quoted {
                self.append_quoted(batch, length, ended)?
            } else {
                self.append_plain(batch, length, ended)
            };
            self.window.consume(consumed);
            return Ok(true);
        }
    }

    /// Starts a record on the next line and counts it.
    fn begin(&mut self, batch: &mut RawBatch) {
        batch.begin(self.tally.lines() + 1, self.tally.records + 1);
        self.tally.records += 1;
        self.tally.record_lines += 1;
    }

    fn append_plain(&mut self, batch: &mut RawBatch, length: usize, ended: bool) -> usize {
        let line = without_line_end(&self.window.bytes()[..length], self.terminator);
        let delimiters = |text: &str, batch: &mut RawBatch| {
            batch.push_line(text, self.delimiter);
        };
        match (self.encoding, str::from_utf8(line)) {
            (TextEncoding::Utf8, Ok(text)) => delimiters(text, batch),
            (TextEncoding::Utf8, Err(_)) => {
                push_fields(batch, line.split(|byte| *byte == self.delimiter), TextEncoding::Utf8);
            }
            (TextEncoding::Windows1252, _) => delimiters(&WINDOWS_1252.decode_without_bom_handling(line).0, batch),
        }
        if memchr::memchr(0, line).is_some() {
            batch.set_fault(Fault::NulByte);
        }
        if let Some(fault) = self.miscount(batch.last_fields()) {
            let cut = !ended && matches!(fault, Fault::TooFewFields { .. });
            batch.set_fault(if cut { Fault::TruncatedLastLine } else { fault });
        }
        length
    }

    /// Adds a record that holds quotation marks and starts with a line of `first` bytes.
    fn append_quoted(&mut self, batch: &mut RawBatch, first: usize, ended: bool) -> io::Result<usize> {
        let outcome = self.walk_quoted(first, ended)?;
        let lines_inside = self.splitter.line_ends.len() as u64;
        match outcome {
            Quoted::Fault(fault) => batch.set_fault(fault),
            Quoted::Whole(length) => {
                push_fields(batch, self.splitter.fields(), self.encoding);
                if memchr::memchr(0, &self.splitter.text).is_some() {
                    batch.set_fault(Fault::NulByte);
                }
                match self.miscount(self.splitter.ends.len()) {
                    None if !self.holds_a_whole_row() => {
                        self.tally.record_lines += lines_inside;
                        return Ok(length);
                    }
                    Some(fault) if lines_inside == 0 => {
                        let cut = !ended && matches!(fault, Fault::TooFewFields { .. });
                        batch.set_fault(if cut { Fault::TruncatedLastLine } else { fault });
                    }
                    _ => batch.set_fault(Fault::StrayQuote),
                }
                self.rescanned_bytes += (length - first) as u64;
            }
        }
        Ok(first)
    }

    fn walk_quoted(&mut self, first: usize, ended: bool) -> io::Result<Quoted> {
        self.splitter.reset();
        let spent = self.rescanned_bytes > FREE_RESCAN_BYTES + 4 * self.window.bytes_read;
        let limit = if spent { first } else { LARGEST_RECORD_BYTES };
        loop {
            let bytes = self.window.bytes();
            let seen = bytes.len().min(limit);
            if let Some(length) = self.splitter.walk(&bytes[..seen]) {
                if self.splitter.stray {
                    self.rescanned_bytes += length.saturating_sub(first) as u64;
                    return Ok(Quoted::Fault(Fault::StrayQuote));
                }
                return Ok(Quoted::Whole(length));
            }
            if seen == limit && !(self.window.at_end && seen == bytes.len()) {
                self.rescanned_bytes += (seen - first) as u64;
                return Ok(Quoted::Fault(Fault::StrayQuote));
            }
            if !self.window.fill()? {
                let length = self.window.bytes().len();
                if !self.splitter.finish() {
                    return Ok(Quoted::Whole(length));
                }
                self.rescanned_bytes += (length - first) as u64;
                return Ok(Quoted::Fault(if ended { Fault::UnclosedQuote } else { Fault::TruncatedLastLine }));
            }
        }
    }

    fn miscount(&self, found: usize) -> Option<Fault> {
        let expected = self.header.len();
        match found.cmp(&expected) {
            _ if expected == 0 => None,
            std::cmp::Ordering::Less => Some(Fault::TooFewFields { expected, found }),
            std::cmp::Ordering::Greater => Some(Fault::TooManyFields { expected, found }),
            std::cmp::Ordering::Equal => None,
        }
    }

    /// Whether a line that a quoted field has swallowed would be a row of its own.
    fn holds_a_whole_row(&self) -> bool {
        let columns = self.header.len();
        let bytes = self.window.bytes();
        let ends = &self.splitter.line_ends;
        let fields = |line: &[u8]| memchr::memchr_iter(self.delimiter, line).count() + 1;
        columns >= TELLING_COLUMNS && ends.windows(2).any(|pair| fields(&bytes[pair[0]..pair[1]]) == columns)
    }
}

impl Records for Reader {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let waiting = self.window.bytes().len();
        let room = if self.window.at_end { waiting } else { BATCH_BYTES + BATCH_BYTES / 4 };
        let fields = (self.header.len() * BATCH_RECORDS).min(room / 4);
        let mut batch = RawBatch::with_room(self.file, room, fields);
        while batch.len() < BATCH_RECORDS && batch.text_bytes() < BATCH_BYTES {
            let more = self.append_record(&mut batch).map_err(|error| self.io(error))?;
            if !more {
                break;
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn tally(&self) -> Tally {
        Tally { bytes: self.window.bytes_read, ..self.tally }
    }

    fn content_hash(&self) -> Option<String> {
        self.window.hash().map(|hash| hash.to_hex().to_string())
    }

    fn separator(&self) -> Option<char> {
        Some(self.delimiter())
    }
}

/// Adds fields one by one, decoding each; marks the first that the encoding cannot read.
fn push_fields<'a>(batch: &mut RawBatch, fields: impl Iterator<Item = &'a [u8]>, encoding: TextEncoding) {
    let mut bad = None;
    for (column, field) in fields.enumerate() {
        let text = match encoding {
            TextEncoding::Windows1252 => WINDOWS_1252.decode_without_bom_handling(field).0,
            TextEncoding::Utf8 => String::from_utf8_lossy(field),
        };
        if encoding == TextEncoding::Utf8 && matches!(text, Cow::Owned(_)) {
            bad = bad.or(Some(column));
        }
        batch.push_field(&text);
    }
    if let Some(column) = bad {
        batch.set_fault(Fault::BadEncoding { column });
    }
}

fn without_line_end(line: &[u8], terminator: u8) -> &[u8] {
    let line = line.strip_suffix(&[terminator]).unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line holds nothing but space; the separator is never space.
fn is_blank(line: &[u8], delimiter: Option<u8>) -> bool {
    line.iter().all(|byte| byte.is_ascii_whitespace() && Some(*byte) != delimiter)
}

#[cfg(test)]
mod tests;
