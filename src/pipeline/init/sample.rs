//! Opens a file as nobody has said how: finds the line of its header and its encoding, and looks at its first records.

use super::{InitError, Named};
use crate::domain::FileId;
use crate::ingest::{Fault, IngestError, ReadOptions, Records, TextEncoding};
use crate::pipeline::load::LoadError;
use crate::validate::propose::Survey;

/// Titles above a header, at most.
const MOST_TITLES: u64 = 15;
/// From so many known columns on, a line is the header.
const TELLING_COLUMNS: usize = 3;

/// A file that was opened, and what had to be said for it.
struct Opened {
    records: Box<dyn Records>,
    options: ReadOptions,
    /// The first line that is not UTF-8, when the encoding had to be chosen.
    not_utf8: Option<u64>,
}

pub(super) fn survey(named: &Named<'_>) -> Result<Survey, InitError> {
    let failed = |source| LoadError::Ingest { file: named.path.to_owned(), source };
    let opened = find_header(named).map_err(failed)?;
    let (options, not_utf8) = (opened.options.clone(), opened.not_utf8);
    let mut survey = look(named, opened).map_err(failed)?;
    if let (Some(line), None) = (survey.first_bad_encoding(), not_utf8) {
        let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..options };
        let records = named.at.open(FileId(0), &options).map_err(failed)?;
        survey = look(named, Opened { records, options, not_utf8: Some(line) }).map_err(failed)?;
    }
    if survey.header_looks_like_data() {
        return Err(InitError::NoHeader { file: named.path.to_owned() });
    }
    Ok(survey)
}

fn look(named: &Named<'_>, mut opened: Opened) -> Result<Survey, IngestError> {
    let mut survey = Survey::new(named.table, named.path, opened.records.header());
    survey.opening.delimiter = opened.records.separator();
    survey.opening.header_row = opened.options.header_row;
    survey.opening.encoding = opened.options.encoding.zip(opened.not_utf8);
    while let Some(batch) = opened.records.next_batch()? {
        survey.add(&batch);
        if survey.is_full() {
            break;
        }
    }
    Ok(survey)
}

/// Opens with the first line as the header, unless a line below holds more names of columns.
fn find_header(named: &Named<'_>) -> Result<Opened, IngestError> {
    let table = named.table;
    let first = open(named, ReadOptions { table, ..ReadOptions::default() });
    let known = |opened: &Opened| Survey::recognised(opened.records.header(), table);
    let mut best = first.as_ref().map_or(0, known);
    let missing =
        matches!(first, Err(IngestError::NotFound { .. } | IngestError::Io { .. } | IngestError::Empty { .. }));
    if missing || best >= TELLING_COLUMNS {
        return first;
    }
    let mut found = first;
    for row in 2..=MOST_TITLES {
        let options = ReadOptions { table, header_row: Some(row), ..ReadOptions::default() };
        if let Ok(opened) = open(named, options) {
            let names = known(&opened);
            if names > best && names >= 2 {
                best = names;
                found = Ok(opened);
            }
        }
    }
    found
}

/// Opens as UTF-8, else as Windows-1252 when the header is not UTF-8.
fn open(named: &Named<'_>, options: ReadOptions) -> Result<Opened, IngestError> {
    match named.at.open(FileId(0), &options) {
        Ok(records) => Ok(Opened { records, options, not_utf8: None }),
        Err(IngestError::HeaderUnreadable { fault: Fault::BadEncoding { .. }, line, .. }) => {
            let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..options };
            let records = named.at.open(FileId(0), &options)?;
            Ok(Opened { records, options, not_utf8: Some(line) })
        }
        Err(error) => Err(error),
    }
}
