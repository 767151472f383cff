//! Workbooks: XLSX, XLSM, XLSB, XLS and ODS. One sheet is read; the places of its records are cells.
//!
//! What kind of workbook a file is, its bytes tell, not its name. Hidden rows, columns and sheets are read like any
//! other. A formula gives the result that was saved with it.

mod book;
mod cell;
mod header;
mod sheet;
mod unpacked;

use super::feed::{Fed, Feed, Stop};
use super::seekable::Seekable;
use super::{IngestError, ReadOptions, Reader, Records, Source, Tally};
use crate::domain::FileId;
use book::Book;
use sheet::SheetRows;
use std::path::PathBuf;
use unpacked::Kind;

pub(super) const EXTENSIONS: &[&str] = &["xlsx", "xlsm", "xlsb", "xls", "ods"];
const WHAT: &str = "a workbook";
const ZIP: &[u8] = b"PK\x03\x04";
/// The envelope of old Excel workbooks, and of encrypted new ones.
const COMPOUND: &[u8] = b"\xD0\xCF\x11\xE0";

pub(super) fn open(source: Source, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let file_id = source.file;
    let input = Seekable::new(source, EXTENSIONS)?;
    let (first, _) = input.ends(4)?;
    let kind = match first.as_slice() {
        ZIP => unpacked::inspect(&input)?,
        COMPOUND => Kind::Xls,
        // Much software writes text and calls it a workbook.
        _ => {
            let source = Source { file: file_id, bytes: Box::new(input.reader()?), path: input.path };
            return Ok(Box::new(Reader::new(source, options)?));
        }
    };
    let file = input.reader()?;
    let options = options.clone();
    let path = input.path.clone();
    let read = move |feed: &Feed| {
        let book = Book::open(kind, file, path.clone())?;
        read(book, Reading { path, file: file_id, options }, feed)
    };
    Ok(Box::new(Fed::start(input, WHAT, read)?))
}

/// What is read, and how.
pub(super) struct Reading {
    path: PathBuf,
    file: FileId,
    options: ReadOptions,
}

fn read(mut book: Book, reading: Reading, feed: &Feed) -> Result<Tally, Stop> {
    let (name, unread_sheets) = choose_sheet(&mut book, &reading)?;
    let mut rows = SheetRows::new(&name, reading, unread_sheets, feed);
    book.each_cell(&name, &mut |row, column, value| rows.take(row, column, value))?;
    rows.finish()
}

/// The sheet to read, and those that hold something and are left out without having been asked for.
fn choose_sheet(book: &mut Book, reading: &Reading) -> Result<(String, Vec<String>), Stop> {
    let sheets = book.sheets();
    if let Some(wanted) = &reading.options.sheet {
        let same = |name: &&String| name.trim().to_lowercase() == wanted.trim().to_lowercase();
        let found = sheets.iter().find(|name| *name == wanted).or_else(|| sheets.iter().find(same));
        let missing = || {
            let (path, sheet, sheets) = (reading.path.clone(), wanted.clone(), sheets.clone());
            IngestError::SheetMissing { path, sheet, sheets }
        };
        return Ok((found.ok_or_else(missing)?.clone(), Vec::new()));
    }
    let mut filled = Vec::new();
    for name in sheets {
        if book.has_content(&name)? {
            filled.push(name);
        }
    }
    if filled.is_empty() {
        return Err(IngestError::Empty { path: reading.path.clone() }.into());
    }
    let first = filled.remove(0);
    Ok((first, filled))
}
