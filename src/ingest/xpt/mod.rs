//! SAS transport files of version 5 (XPT), as regulators ask for them: cards of 80 bytes, IBM numbers, one dataset or
//! several.
//!
//! The format has no lines: the place of a row is its number. It does not say how many rows it holds either; a file
//! that is cut off shows it by an incomplete card or row.

mod layout;
mod value;

use super::batch::{Fault, RawBatch};
use super::options::TextEncoding;
use super::window::Window;
use super::{IngestError, ReadOptions, Records, Source, Tally};
use crate::domain::FileId;
use layout::{CARD, Head, Layout, latin};
use std::path::{Path, PathBuf};

const OTHER: &str = "a SAS transport file (XPT, version 5) whose head can be read";

/// Reads one dataset of a transport file, batch by batch.
pub(super) struct Reader {
    path: PathBuf,
    file: FileId,
    cards: Cards,
    /// Name of the dataset that is read.
    name: String,
    /// Whether the mapping named it: then others beside it are passed by.
    was_named: bool,
    layout: Layout,
    header: Vec<String>,
    /// Bytes of observations that were not told yet.
    waiting: Vec<u8>,
    at_end: bool,
    encoding: TextEncoding,
    decimal_comma: bool,
    records: u64,
}

/// The cards of a file.
struct Cards {
    path: PathBuf,
    window: Window,
}

impl Cards {
    /// The next card; `None` at the end of the file.
    fn next(&mut self) -> Result<Option<[u8; CARD]>, IngestError> {
        let io = |source| IngestError::Io { path: self.path.clone(), source };
        self.window.fill_to(CARD).map_err(io)?;
        let bytes = self.window.bytes();
        if bytes.is_empty() {
            return Ok(None);
        }
        let card = bytes.first_chunk::<CARD>().copied();
        let card = card.ok_or_else(|| cut(&self.path, "its length is no multiple of 80 bytes"))?;
        self.window.consume(CARD);
        Ok(Some(card))
    }

    /// A card that must be there.
    fn need(&mut self) -> Result<[u8; CARD], IngestError> {
        self.next()?.ok_or_else(|| cut(&self.path, "it ends within the descriptions at its head"))
    }

    /// A card that must be the head of something.
    fn head(&mut self, wanted: Head) -> Result<(), IngestError> {
        let found = Head::of(&self.need()?);
        if found == wanted { Ok(()) } else { Err(other(&self.path)) }
    }

    /// Goes to the next dataset, passing observations by.
    fn next_member(&mut self) -> Result<Option<usize>, IngestError> {
        while let Some(card) = self.next()? {
            if let Head::Member(size) = Head::of(&card) {
                return Ok(Some(size));
            }
        }
        Ok(None)
    }

    /// Reads the descriptions behind a dataset's head, up to its observations.
    fn member(&mut self, size: usize) -> Result<(String, Layout), IngestError> {
        self.head(Head::Descriptor)?;
        let name = latin(&self.need()?[8..16]);
        self.need()?;
        let Head::Variables(count) = Head::of(&self.need()?) else { return Err(other(&self.path)) };
        if size < 88 || count == 0 {
            return Err(other(&self.path));
        }
        let mut descriptions = Vec::with_capacity(count * size);
        while descriptions.len() < count * size {
            descriptions.extend_from_slice(&self.need()?);
        }
        descriptions.truncate(count * size);
        self.head(Head::Observations)?;
        let layout = Layout::of(&descriptions, size).ok_or_else(|| other(&self.path))?;
        Ok((name, layout))
    }
}

impl Reader {
    /// Reads up to the observations of the dataset that is wanted.
    ///
    /// # Errors
    /// When the bytes cannot be read, are no transport file of version 5, or lack the dataset.
    pub(super) fn new(source: Source, options: &ReadOptions) -> Result<Reader, IngestError> {
        let path = source.path;
        let mut cards = Cards { path: path.clone(), window: Window::new(source.bytes) };
        check_library(&mut cards)?;
        let mut names = Vec::new();
        loop {
            let Some(size) = cards.next_member()? else { return Err(none_wanted(path, options, names)) };
            let (name, layout) = cards.member(size)?;
            if options.sheet.as_ref().is_some_and(|wanted| !wanted.eq_ignore_ascii_case(&name)) {
                names.push(name);
                continue;
            }
            return Ok(Reader {
                path,
                file: source.file,
                cards,
                name,
                was_named: options.sheet.is_some(),
                header: layout.variables.iter().map(|variable| variable.name.clone()).collect(),
                layout,
                waiting: Vec::new(),
                at_end: false,
                encoding: options.encoding.unwrap_or(TextEncoding::Utf8),
                decimal_comma: options.decimal_comma,
                records: 0,
            });
        }
    }

    /// Reads until an observation is sure to be whole and no padding, or the dataset ends.
    fn fill(&mut self) -> Result<(), IngestError> {
        while !self.at_end && self.waiting.len() < self.layout.row + CARD {
            match self.cards.next()? {
                None => self.at_end = true,
                Some(card) => match Head::of(&card) {
                    Head::Member(_) if self.was_named => self.at_end = true,
                    Head::Member(size) => {
                        let names = vec![self.name.clone(), self.cards.member(size)?.0];
                        return Err(IngestError::SeveralTables { path: self.path.clone(), names });
                    }
                    _ => self.waiting.extend_from_slice(&card),
                },
            }
        }
        Ok(())
    }

    /// Adds the observations that wait; `false` when there will be no more.
    fn append(&mut self, batch: &mut RawBatch) -> Result<bool, IngestError> {
        self.fill()?;
        let waiting = std::mem::take(&mut self.waiting);
        let mut rest = waiting.as_slice();
        while !self.is_padding(rest) && (!self.at_end || !rest.is_empty()) {
            let Some((row, behind)) = rest.split_at_checked(self.layout.row) else {
                return Err(cut(&self.path, "it ends within a row"));
            };
            self.append_row(row, batch);
            rest = behind;
        }
        let more = !self.at_end;
        self.waiting = if more { rest.to_vec() } else { Vec::new() };
        Ok(more)
    }

    /// Whether what is left cannot be told yet, or fills the last card with spaces. (A dataset of texts alone whose
    /// last row is blank looks the same: the format cannot tell.)
    fn is_padding(&self, rest: &[u8]) -> bool {
        if self.at_end {
            return rest.len() < CARD && rest.iter().all(|byte| *byte == b' ');
        }
        rest.len() < self.layout.row + CARD
    }

    fn append_row(&mut self, row: &[u8], batch: &mut RawBatch) {
        self.records += 1;
        batch.begin(self.records, self.records);
        let (mut nul, mut undecoded) = (false, None);
        for (column, variable) in self.layout.variables.iter().enumerate() {
            let bytes = &row[variable.start..variable.start + variable.length];
            if let Some(meaning) = variable.meaning {
                let number = value::number(bytes).map(|number| meaning.text(number, self.decimal_comma));
                batch.push_field(&number.unwrap_or_default());
            } else {
                let padding = bytes.iter().rev().take_while(|byte| matches!(byte, b' ' | 0)).count();
                let (text, bad) = self.encoding.utf8_or_own(&bytes[..bytes.len() - padding]);
                nul |= memchr::memchr(0, text.as_bytes()).is_some();
                undecoded = undecoded.or(bad.then_some(column));
                batch.push_field(&text);
            }
        }
        if nul {
            batch.set_fault(Fault::NulByte);
        }
        if let Some(column) = undecoded {
            batch.set_fault(Fault::BadEncoding { column });
        }
    }
}

impl Records for Reader {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let mut batch = RawBatch::new(self.file);
        if self.at_end {
            return Ok(None);
        }
        while !batch.is_full() && self.append(&mut batch)? {}
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn tally(&self) -> Tally {
        Tally { records: self.records, record_lines: self.records, ..Tally::default() }
    }
}

fn check_library(cards: &mut Cards) -> Result<(), IngestError> {
    let path = cards.path.clone();
    let not_read = |what, remedy| Err(IngestError::NotRead { path: path.clone(), what, remedy });
    cards.window.fill_to(CARD).map_err(|source| IngestError::Io { path: path.clone(), source })?;
    if cards.window.bytes().is_empty() {
        return Err(IngestError::Empty { path });
    }
    match Head::of(cards.window.bytes()) {
        Head::Library => {}
        Head::LibraryV8 => {
            return not_read(
                "a SAS transport file of version 8",
                "write it with LIBNAME … XPORT (version 5) or as Dataset-JSON 1.1 or CSV",
            );
        }
        Head::Cport => {
            return not_read(
                "a file of PROC CPORT, not of the XPORT engine",
                "write it with LIBNAME … XPORT (version 5) or as Dataset-JSON 1.1 or CSV",
            );
        }
        _ => return Err(other(&path)),
    }
    for _ in 0..3 {
        cards.need()?;
    }
    Ok(())
}

/// The file ended before a dataset was found that is wanted.
fn none_wanted(path: PathBuf, options: &ReadOptions, names: Vec<String>) -> IngestError {
    match &options.sheet {
        Some(wanted) if !names.is_empty() => IngestError::NoSuchTable { path, wanted: wanted.clone(), names },
        _ => IngestError::NoRecords { path, what: "the library holds no dataset" },
    }
}

fn other(path: &Path) -> IngestError {
    IngestError::OtherFormat { path: path.to_owned(), expected: OTHER }
}

fn cut(path: &Path, what: &'static str) -> IngestError {
    IngestError::Cut { path: path.to_owned(), what }
}

#[cfg(test)]
mod tests;
