//! A REDCap export: one file that holds the rows of every instrument.
//!
//! Of the rows, those of one instrument are given, each with what stands in the record's own row (the baseline). That
//! row may stand anywhere in the file, so the file is walked twice: first for the baselines, which are held in memory,
//! then for the rows. Check boxes become one list, codes become labels where a data dictionary is given.

mod dictionary;
mod layout;

pub use dictionary::{Dictionary, Field};

use super::delimited::Tally;
use super::error::IngestError;
use super::options::ReadOptions;
use super::{Fault, LeftOut, Open, RawBatch, RawRecord, Records, Source};
use crate::domain::{FileId, Table};
use layout::{Column, Layout, fold};
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::io::{self, Read, Seek, Write};
use std::sync::{Arc, Mutex, PoisonError};
use tempfile::SpooledTempFile;

/// An export up to this size is copied in memory, a larger one on disk.
const IN_MEMORY_BYTES: usize = 32 << 20;
/// What a row of the record itself is called among the rows left out.
const OWN_ROW: &str = "rows that hold nothing of the instrument";

/// How an export is to be taken apart.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RedcapOptions {
    /// The instrument whose rows are given.
    pub instrument: String,
    /// Every instrument that has rows of its own: their fields are not carried to others.
    pub tables: Vec<String>,
    /// The column that names the record; `None` = the first.
    pub record_id: Option<String>,
    /// The project's data dictionary.
    pub dictionary: Option<Arc<Dictionary>>,
    /// Whether rows get a `session_id` made of record, event and instance, unless the export has one.
    pub makes_session_id: bool,
}

/// The values of a record's own rows.
#[derive(Debug, Default)]
struct Baseline {
    /// Event, column, and what stands there.
    values: Vec<(String, u32, String)>,
}

/// What the first walk finds.
#[derive(Debug, Default)]
struct Survey {
    /// Labels were exported, not codes.
    labels: bool,
    /// Instruments that repeat.
    repeating: BTreeSet<String>,
    baselines: HashMap<String, Baseline>,
}

/// The rows of one instrument.
struct Instrument {
    inner: Box<dyn Records>,
    file: FileId,
    layout: Layout,
    survey: Survey,
    instrument: String,
    /// The instruments that the export has fields of.
    instruments: Vec<String>,
    /// Columns handed on, and whether each may come from the record's own row.
    given: Vec<(usize, bool)>,
    header: Vec<String>,
    adds_session_id: bool,
    left_out: BTreeMap<String, u64>,
    differing: BTreeMap<String, BTreeSet<String>>,
    without_own_row: BTreeSet<String>,
}

/// Reads an export twice: for the records' own rows, and up to and with the header for the rest.
///
/// # Errors
/// When the file cannot be read, or has nothing of the instrument.
pub(super) fn open(source: Source, options: &ReadOptions, beneath: Open) -> Result<Box<dyn Records>, IngestError> {
    let redcap = options.redcap.clone().unwrap_or_default();
    let options = ReadOptions { redcap: None, ..options.clone() };
    let Source { path, file, bytes } = source;
    let copy = Spool(Arc::new(Mutex::new(SpooledTempFile::new(IN_MEMORY_BYTES))));
    let both = Box::new(Both { from: bytes, to: copy.clone() });
    let mut first = beneath(Source { path: path.clone(), file, bytes: both }, &options)?;
    let layout = Layout::new(first.header(), &redcap);
    let instrument = fold(&redcap.instrument);
    let tables: Vec<String> = redcap.tables.iter().map(|table| fold(table)).collect();
    let survey = survey(first.as_mut(), &layout, &tables)?;
    drop(first);
    check(&path, &layout, &survey, &redcap.instrument)?;
    copy.rewind().map_err(|source| IngestError::Io { path: path.clone(), source })?;
    let inner = beneath(Source { path, file, bytes: Box::new(copy) }, &options)?;
    let given: Vec<(usize, bool)> = given(&layout, &survey, (&instrument, &tables));
    let mut header: Vec<String> = given.iter().map(|(at, _)| layout.columns[*at].name.clone()).collect();
    let has_session_id = header.iter().any(|name| fold(name) == "session_id");
    let adds_session_id = redcap.makes_session_id && options.table == Table::Sessions && !has_session_id;
    if adds_session_id {
        header.push("session_id".to_owned());
    }
    Ok(Box::new(Instrument {
        inner,
        file,
        instruments: layout.instruments(),
        layout,
        survey,
        instrument,
        given,
        header,
        adds_session_id,
        left_out: BTreeMap::new(),
        differing: BTreeMap::new(),
        without_own_row: BTreeSet::new(),
    }))
}

/// The first walk.
fn survey(records: &mut dyn Records, layout: &Layout, tables: &[String]) -> Result<Survey, IngestError> {
    let mut survey = Survey::default();
    while let Some(batch) = records.next_batch()? {
        for row in batch.records().filter(|row| row.fault.is_none_or(Fault::keeps_fields)) {
            survey.labels |= layout.tells_labels(&row);
            let repeat = layout.repeat(&row);
            if repeat.is_empty() {
                survey.keep(&row, layout, tables);
            } else {
                survey.repeating.insert(fold(repeat));
            }
        }
    }
    Ok(survey)
}

/// The instrument must be there, by its fields or by its rows.
fn check(path: &std::path::Path, layout: &Layout, survey: &Survey, wanted: &str) -> Result<(), IngestError> {
    let (known, wanted_folded) = (layout.instruments(), fold(wanted));
    if known.contains(&wanted_folded) || survey.repeating.contains(&wanted_folded) {
        return Ok(());
    }
    Err(IngestError::NoInstrument { path: path.to_owned(), instrument: wanted.to_owned(), known })
}

/// Columns to hand on: the instrument's own, REDCap's, and those of the record's own row.
fn given(layout: &Layout, survey: &Survey, (instrument, tables): (&String, &[String])) -> Vec<(usize, bool)> {
    let mut given = Vec::new();
    for (at, column) in layout.columns.iter().enumerate() {
        let carried = column.is_carried(tables);
        let of_another_repeating = column.instrument.as_ref().is_some_and(|of| survey.repeating.contains(of));
        let own = column.instrument.as_ref().is_none_or(|of| of == instrument);
        if own || (carried && !of_another_repeating) {
            given.push((at, carried && !own));
        }
    }
    given
}

impl Survey {
    /// Keeps what a record's own row says.
    fn keep(&mut self, row: &RawRecord<'_>, layout: &Layout, tables: &[String]) {
        let (record, event) = (layout.record(row), layout.event(row));
        // Rows that name no record are nobody's baseline: they may be of several patients.
        if record.is_empty() {
            return;
        }
        let baseline = self.baselines.entry(record.to_owned()).or_default();
        for (at, column) in layout.columns.iter().enumerate().filter(|(_, column)| column.is_carried(tables)) {
            let value = column.raw(row);
            if !value.trim().is_empty() {
                let at = u32::try_from(at).unwrap_or(u32::MAX);
                baseline.values.push((event.to_owned(), at, value.into_owned()));
            }
        }
    }

    /// What the record's own rows say in a column: of the same event if there is something, else what all say alike.
    fn carried(&self, record: &str, event: &str, column: usize) -> Carried<'_> {
        let Some(baseline) = self.baselines.get(record) else { return Carried::Nothing };
        let here = |(_, at, _): &&(String, u32, String)| usize::try_from(*at) == Ok(column);
        let values = || baseline.values.iter().filter(here);
        let of_event = one(values().filter(|(of, ..)| of == event).map(|(_, _, value)| value.as_str()));
        match of_event {
            Carried::Nothing => one(values().map(|(_, _, value)| value.as_str())),
            found => found,
        }
    }
}

/// What a record's own rows say.
enum Carried<'a> {
    Nothing,
    One(&'a str),
    /// They contradict each other: none of them is taken.
    Differing,
}

fn one<'a>(mut values: impl Iterator<Item = &'a str>) -> Carried<'a> {
    match values.next() {
        None => Carried::Nothing,
        Some(first) if values.all(|other| other == first) => Carried::One(first),
        Some(_) => Carried::Differing,
    }
}

impl Instrument {
    /// Whether a row belongs to the instrument; else under which name it is left out.
    fn belongs(&self, row: &RawRecord<'_>) -> Result<(), String> {
        let repeat = self.layout.repeat(row);
        if !repeat.is_empty() {
            let of = fold(repeat);
            // What is no instrument's name may be anything, an identifier too: it is not shown.
            return match self.instruments.contains(&of) {
                _ if of == self.instrument => Ok(()),
                true => Err(format!("rows of the instrument {of}")),
                false => Err("rows of an instrument of which the export has no field".to_owned()),
            };
        }
        let own = |column: &&Column| !column.is_status && column.instrument.as_ref() == Some(&self.instrument);
        let filled = self.layout.columns.iter().filter(own).any(|column| !column.raw(row).trim().is_empty());
        if filled { Ok(()) } else { Err(format!("{OWN_ROW} {}", self.instrument)) }
    }

    fn add(&mut self, batch: &mut RawBatch, row: &RawRecord<'_>) {
        if let Some(fault) = row.fault.filter(|fault| !fault.keeps_fields()) {
            batch.begin(row.place.line, row.place.record);
            batch.set_fault(fault);
            return;
        }
        if let Err(name) = self.belongs(row) {
            *self.left_out.entry(name).or_default() += 1;
            return;
        }
        batch.begin(row.place.line, row.place.record);
        let (record, event) = (self.layout.record(row), self.layout.event(row));
        let mut differing = Vec::new();
        for (at, carried) in &self.given {
            let column = &self.layout.columns[*at];
            let mut raw = column.raw(row);
            if *carried && raw.trim().is_empty() {
                match self.survey.carried(record, event, *at) {
                    Carried::One(value) => raw = Cow::Borrowed(value),
                    Carried::Differing => differing.push(column.name.clone()),
                    Carried::Nothing => {}
                }
            }
            batch.push_field(if self.survey.labels { &raw } else { column.translated(&raw) });
        }
        if self.adds_session_id {
            let parts = [record, event, self.layout.instance(row)];
            batch.push_field(&parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-"));
        }
        if let Some(fault) = row.fault {
            batch.set_fault(self.moved(fault));
        }
        if self.given.iter().any(|(_, carried)| *carried)
            && !record.is_empty()
            && !self.survey.baselines.contains_key(record)
        {
            self.without_own_row.insert(record.to_owned());
        }
        for name in differing {
            self.differing.entry(name).or_default().insert(record.to_owned());
        }
    }

    /// A fault of one field, told of the column that the field has become.
    fn moved(&self, fault: Fault) -> Fault {
        let Fault::BadEncoding { column } = fault else { return fault };
        let name = self.layout.column_of(column).map(|column| &column.name);
        let column = self.given.iter().position(|(at, _)| Some(&self.layout.columns[*at].name) == name);
        Fault::BadEncoding { column: column.unwrap_or(0) }
    }
}

impl Records for Instrument {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        // A batch of nothing but other rows is no end of the file.
        while let Some(batch) = self.inner.next_batch()? {
            let mut own = RawBatch::new(self.file);
            batch.records().for_each(|row| self.add(&mut own, &row));
            if !own.is_empty() {
                return Ok(Some(own));
            }
        }
        Ok(None)
    }

    fn tally(&self) -> Tally {
        self.inner.tally()
    }

    fn content_hash(&self) -> Option<String> {
        self.inner.content_hash()
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let rows = self.left_out.iter().map(|(what, records)| LeftOut { what: what.clone(), records: *records });
        let mut left_out: Vec<LeftOut> = rows.collect();
        let mut remark = |what: String| left_out.push(LeftOut { what, records: 0 });
        for name in &self.layout.unknown_boxes {
            remark(format!("the check box {name} has no choice in the dictionary: its code is kept"));
        }
        for (name, records) in &self.differing {
            let count = records.len();
            remark(format!(
                "{name} differs between the rows of a record ({count} of them), so it was not carried over"
            ));
        }
        if !self.without_own_row.is_empty() {
            let count = self.without_own_row.len();
            remark(format!("records without a row of their own, from which nothing could be carried over: {count}"));
        }
        left_out
    }
}

/// A copy of the bytes, shared by who writes it and who reads it later.
#[derive(Clone)]
struct Spool(Arc<Mutex<SpooledTempFile>>);

impl Spool {
    fn with<T>(&self, act: impl FnOnce(&mut SpooledTempFile) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    fn rewind(&self) -> io::Result<()> {
        self.with(Seek::rewind)
    }
}

impl Read for Spool {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.with(|file| file.read(buffer))
    }
}

/// Copies what is read.
struct Both {
    from: Box<dyn Read + Send>,
    to: Spool,
}

impl Read for Both {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.from.read(buffer)?;
        self.to.with(|file| file.write_all(&buffer[..count]))?;
        Ok(count)
    }
}

#[cfg(test)]
mod tests;
