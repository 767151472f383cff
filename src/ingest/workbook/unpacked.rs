//! What a workbook's archive holds, and whether unpacking it is safe.
//!
//! An archive of some kilobytes may unpack to more than any machine holds. The sizes that it states are enforced when
//! it is unpacked, so they are what is looked at; an OpenDocument sheet may besides say «the same cell, a billion
//! times» in one line, so its cells are counted before anybody makes them.

use crate::ingest::IngestError;
use crate::ingest::seekable::Seekable;
use quick_xml::events::{BytesStart, Event};
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;
use zip::ZipArchive;

/// Which kind of workbook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Xlsx,
    Xlsb,
    Xls,
    Ods,
}

/// Parts of a workbook that are held in memory, with what they may unpack to.
const HELD_PARTS: &[(&str, u64)] = &[
    ("sharedstrings", 1 << 30),
    ("styles", 64 << 20),
    ("workbook", 64 << 20),
    (".rels", 64 << 20),
    ("content.xml", 1 << 30),
    ("manifest.xml", 64 << 20),
];
/// A sheet larger than this that was packed tighter than [`TIGHTEST`] holds one endless text, not a log.
const LARGE_SHEET: u64 = 256 << 20;
const TIGHTEST: u64 = 400;
/// Cells of an OpenDocument sheet: they are held in memory.
const MOST_CELLS: u64 = 10_000_000;

type Archive = ZipArchive<BufReader<File>>;

/// Which kind of workbook an archive is.
pub(super) fn inspect(input: &Seekable) -> Result<Kind, IngestError> {
    let broken = |detail: String| IngestError::Broken {
        path: input.path.clone(),
        format: "a zip archive (as workbooks are)",
        detail,
    };
    let mut archive = ZipArchive::new(BufReader::new(input.reader()?)).map_err(|error| broken(error.to_string()))?;
    let mut names = Vec::new();
    for at in 0..archive.len() {
        let part = archive.by_index_raw(at).map_err(|error| broken(error.to_string()))?;
        let name = part.name().map(|name| name.to_lowercase()).unwrap_or_default();
        check_size(&input.path, &name, part.size(), part.compressed_size())?;
        names.push(name);
    }
    let kind = kind(&names).ok_or_else(|| other(&names, &input.path))?;
    if kind == Kind::Ods {
        check_cells(&mut archive, &input.path)?;
    }
    Ok(kind)
}

fn kind(names: &[String]) -> Option<Kind> {
    let has = |end: &str| names.iter().any(|name| name.ends_with(end));
    if has("workbook.bin") {
        Some(Kind::Xlsb)
    } else if has("[content_types].xml")
        && (has("workbook.xml") || names.iter().any(|name| name.contains("/worksheets/")))
    {
        Some(Kind::Xlsx)
    } else if has("mimetype") && names.iter().any(|name| name == "content.xml") {
        Some(Kind::Ods)
    } else {
        None
    }
}

fn other(names: &[String], path: &Path) -> IngestError {
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    let (what, instead) = if has("word/document.xml") {
        ("a Word document", "copy the table into a workbook, or save it as CSV (UTF-8)")
    } else if has(".iwa") {
        ("a Numbers document", "export it as CSV or as an Excel workbook")
    } else {
        ("a zip archive without a workbook", "unpack it, and give the files in it")
    };
    IngestError::Unsupported { path: path.to_owned(), what, instead }
}

fn check_size(path: &Path, name: &str, size: u64, packed: u64) -> Result<(), IngestError> {
    let held = HELD_PARTS.iter().find(|(part, _)| name.contains(part) && !name.contains("worksheets/"));
    let limit = match held {
        Some((_, limit)) => *limit,
        None if size / TIGHTEST > packed => LARGE_SHEET,
        None => return Ok(()),
    };
    if size <= limit {
        return Ok(());
    }
    let limit = format!("{} MiB", limit >> 20);
    Err(IngestError::UnpacksTooLarge { path: path.to_owned(), part: format!("its part {name}"), limit })
}

/// Counts the cells of an OpenDocument workbook; a file that cannot be read so far is left to its reader.
fn check_cells(archive: &mut Archive, path: &Path) -> Result<(), IngestError> {
    let Ok(content) = archive.by_name("content.xml") else { return Ok(()) };
    match largest_table(BufReader::new(content)) {
        Some(cells) if cells > MOST_CELLS => Err(IngestError::UnpacksTooLarge {
            path: path.to_owned(),
            part: "a sheet".to_owned(),
            limit: format!("{MOST_CELLS} cells"),
        }),
        _ => Ok(()),
    }
}

/// Cells down to the last row that holds something and right to the last column that does, of the largest table.
fn largest_table(content: impl BufRead) -> Option<u64> {
    let mut xml = quick_xml::Reader::from_reader(content);
    let (mut buffer, mut largest, mut table) = (Vec::new(), 0, Extent::default());
    loop {
        buffer.clear();
        match xml.read_event_into(&mut buffer).ok()? {
            Event::Start(element) | Event::Empty(element) => table.take(&element),
            Event::End(element) if element.name().as_ref() == "table:table" => {
                table.end_row();
                largest = largest.max(std::mem::take(&mut table).cells());
            }
            Event::Eof => return Some(largest),
            _ => {}
        }
        if table.cells() > MOST_CELLS {
            return Some(table.cells());
        }
    }
}

/// How far the filled cells of a table reach.
#[derive(Default)]
struct Extent {
    rows: u64,
    columns: u64,
    last_row: u64,
    /// How often the present row is repeated, its columns so far, and the last of them that is filled.
    row: (u64, u64, u64),
}

impl Extent {
    fn take(&mut self, element: &BytesStart<'_>) {
        match element.name().as_ref() {
            "table:table-row" => {
                self.end_row();
                self.row = (repeats(element, "table:number-rows-repeated"), 0, 0);
            }
            "table:table-cell" | "table:covered-table-cell" => {
                self.row.1 = self.row.1.saturating_add(repeats(element, "table:number-columns-repeated"));
                if is_filled(element) {
                    self.row.2 = self.row.1;
                    self.columns = self.columns.max(self.row.2);
                    self.last_row = self.rows.saturating_add(self.row.0);
                }
            }
            _ => {}
        }
    }

    fn end_row(&mut self) {
        self.rows = self.rows.saturating_add(self.row.0);
        self.row = (0, 0, 0);
    }

    fn cells(&self) -> u64 {
        self.last_row.saturating_mul(self.columns)
    }
}

fn repeats(element: &BytesStart<'_>, name: &str) -> u64 {
    let value = element.try_get_attribute(name).ok().flatten();
    value.and_then(|attribute| attribute.value.parse().ok()).unwrap_or(1)
}

fn is_filled(element: &BytesStart<'_>) -> bool {
    let tells = |name: &str| name.starts_with("office:") || name == "table:formula";
    element.attributes().with_checks(false).flatten().any(|attribute| tells(attribute.key.as_ref()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(table: &str) -> u64 {
        largest_table(format!("<a><table:table>{table}</table:table></a>").as_bytes()).unwrap()
    }

    #[test]
    fn cells_are_counted_without_being_made() {
        let filled = |times: u64| {
            format!("<table:table-cell table:number-columns-repeated=\"{times}\" office:value-type=\"float\"/>")
        };
        let empty = "<table:table-cell table:number-columns-repeated=\"16000\"/>";
        let row = |times: u64, cells: &str| {
            format!("<table:table-row table:number-rows-repeated=\"{times}\">{cells}</table:table-row>")
        };
        assert_eq!(cells(&row(1, &(filled(2) + empty))), 2);
        assert_eq!(cells(&(row(1, &filled(2)) + &row(1_048_575, empty))), 2);
        assert_eq!(cells(&(row(1, &filled(2)) + &row(9, empty) + &row(1, &filled(1)))), 22);
        assert!(cells(&row(1_000_000, &filled(16_000))) > MOST_CELLS);
        assert!(cells(&row(u64::MAX, &filled(u64::MAX))) > MOST_CELLS);
    }
}
