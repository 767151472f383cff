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
    Ods {
        /// Whether some formulas have no saved result, not even an empty text: whoever wrote the file did not calculate.
        bare_formulas: bool,
    },
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
    match kind(&names).ok_or_else(|| other(&names, &input.path))? {
        Kind::Ods { .. } => look_at_content(&mut archive, &input.path),
        kind => Ok(kind),
    }
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
        Some(Kind::Ods { bare_formulas: false })
    } else {
        None
    }
}

fn other(names: &[String], path: &Path) -> IngestError {
    let has = |part: &str| names.iter().any(|name| name.contains(part));
    let (what, remedy) = if has("word/document.xml") {
        ("a Word document", "copy the table into a workbook, or save it as CSV (UTF-8)")
    } else if has(".iwa") {
        ("a Numbers document", "export it as CSV or as an Excel workbook")
    } else {
        ("a zip archive without a workbook", "unpack it, and give the files in it")
    };
    IngestError::NotRead { path: path.to_owned(), what, remedy }
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
fn look_at_content(archive: &mut Archive, path: &Path) -> Result<Kind, IngestError> {
    let content = archive.by_name("content.xml").ok().and_then(|content| Content::of(BufReader::new(content)));
    let content = content.unwrap_or_default();
    if content.largest_table > MOST_CELLS {
        let (part, limit) = ("a sheet".to_owned(), format!("{MOST_CELLS} cells"));
        return Err(IngestError::UnpacksTooLarge { path: path.to_owned(), part, limit });
    }
    Ok(Kind::Ods { bare_formulas: content.bare_formulas })
}

/// What is seen in one pass over the sheets of an OpenDocument workbook.
#[derive(Debug, Default, PartialEq, Eq)]
struct Content {
    /// Cells down to the last row that holds something and right to the last column that does, of the largest table.
    largest_table: u64,
    bare_formulas: bool,
}

impl Content {
    fn of(content: impl BufRead) -> Option<Content> {
        let mut xml = quick_xml::Reader::from_reader(content);
        xml.config_mut().expand_empty_elements = true;
        let (mut buffer, mut seen, mut table) = (Vec::new(), Content::default(), Extent::default());
        // A formula of which neither value nor text was seen yet.
        let mut bare = false;
        while seen.largest_table <= MOST_CELLS {
            buffer.clear();
            match xml.read_event_into(&mut buffer).ok()? {
                Event::Start(element) => {
                    bare = element.name().as_ref() == "table:table-cell" && is_bare(&element);
                    table.take(&element);
                    seen.largest_table = seen.largest_table.max(table.cells());
                }
                Event::End(element) => match element.name().as_ref() {
                    "table:table" => table = Extent::default(),
                    "table:table-cell" => seen.bare_formulas |= std::mem::take(&mut bare),
                    _ => {}
                },
                Event::Eof => break,
                _ => {}
            }
        }
        Some(seen)
    }
}

/// Whether a cell has a formula and does not say what kind of value it has.
fn is_bare(cell: &BytesStart<'_>) -> bool {
    let has = |name| cell.try_get_attribute(name).is_ok_and(|found| found.is_some());
    has("table:formula") && !has("office:value-type")
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
        content(table).largest_table
    }

    fn content(table: &str) -> Content {
        Content::of(format!("<a><table:table>{table}</table:table></a>").as_bytes()).unwrap()
    }

    #[test]
    fn an_empty_result_is_a_result() {
        let row = |cell: &str| format!("<table:table-row>{cell}</table:table-row>");
        let empty = row("<table:table-cell table:formula=\"of:=&quot;&quot;\"><text:p/></table:table-cell>");
        let none = row("<table:table-cell table:formula=\"of:=1+1\"/>");
        assert!(!content(&empty).bare_formulas);
        assert!(content(&(empty + &none)).bare_formulas);
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
