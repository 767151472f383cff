//! What a batch brings, gathered before anything is written: sessions in memory as they come, by month on disk once
//! they fill the memory that they may take; and what is known of each, to find repeated and replaced rows.

use super::columns::{self, TableName};
use super::data_file::damaged;
use super::error::StoreError;
use super::events::EventRow;
use super::month::{Month, Months};
use super::rows::Identity;
use super::scores::ScoreRow;
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::interleave_record_batch;
use arrow::datatypes::{Date32Type, SchemaRef, UInt8Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::sync::Arc;

/// What is known of an incoming session.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// Number of the row within the batch, in the order of files and lines.
    pub(super) number: u32,
    pub(super) day: Day,
    pub(super) body_area: u8,
    /// Last follow-up as the days of a [`Day`], or [`NO_FOLLOW_UP`]: this is kept for millions of rows.
    pub(super) follow_up: i32,
}

/// Stands for no follow-up day.
const NO_FOLLOW_UP: i32 = i32::MIN;

impl Entry {
    /// Last follow-up, for sessions that say one.
    pub(super) fn follow_up(&self) -> Option<Day> {
        (self.follow_up != NO_FOLLOW_UP).then_some(Day(self.follow_up))
    }
}

/// Rows of a month that are in memory: batch and row in it.
type Places = Vec<(usize, usize)>;

type Spill = StreamWriter<BufWriter<File>>;

/// What a batch brings.
pub struct Incoming {
    /// Rows that are in memory, in the order in which they came.
    resident: Vec<RecordBatch>,
    /// Number of the first of them.
    first_resident: usize,
    /// Rows that are not, by month.
    spilled: BTreeMap<Month, Spill>,
    pub(super) entries: Vec<Entry>,
    /// Events, in the order of files and lines.
    pub events: Vec<EventRow>,
    /// Scores, in the order of files and lines.
    pub scores: Vec<ScoreRow>,
    in_memory: usize,
    memory: usize,
    schema: SchemaRef,
}

impl Incoming {
    /// Nothing yet; sessions may take about `memory` bytes before they go to temporary files.
    #[must_use]
    pub fn new(memory: usize) -> Incoming {
        Incoming {
            resident: Vec::new(),
            first_resident: 0,
            spilled: BTreeMap::new(),
            entries: Vec::new(),
            events: Vec::new(),
            scores: Vec::new(),
            in_memory: 0,
            memory,
            schema: columns::on_the_way(),
        }
    }

    /// Sessions so far.
    #[must_use]
    pub fn sessions(&self) -> usize {
        self.entries.len()
    }

    /// Adds rows as [`super::RowsBuilder`] gives them.
    ///
    /// # Errors
    /// When the disk that holds what does not fit into memory is full.
    pub fn add(&mut self, mut columns: Vec<ArrayRef>, identities: &[Identity]) -> Result<(), StoreError> {
        if identities.is_empty() {
            return Ok(());
        }
        let first = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        columns.push(Arc::new(UInt32Array::from_iter_values((first..).take(identities.len()))));
        let rows = RecordBatch::try_new(self.schema.clone(), columns);
        let rows = rows.map_err(|error| damaged(TableName::Sessions, &error))?;
        self.note(&rows, identities, first);
        self.in_memory += rows.get_array_memory_size();
        self.resident.push(rows);
        if self.in_memory > self.memory { self.spill() } else { Ok(()) }
    }

    fn note(&mut self, rows: &RecordBatch, identities: &[Identity], first: u32) {
        let days = |name: &str| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Date32Type>());
        let areas = rows.column_by_name("body_area").and_then(|column| column.as_primitive_opt::<UInt8Type>());
        let (Some(sessions), Some(follow_ups), Some(areas)) =
            (days("session_date"), days("last_follow_up_date"), areas)
        else {
            return;
        };
        for (row, (identity, number)) in identities.iter().zip(first..).enumerate() {
            self.entries.push(Entry {
                identity: *identity,
                number,
                day: Day(sessions.value(row)),
                body_area: areas.value(row),
                follow_up: if follow_ups.is_valid(row) { follow_ups.value(row) } else { NO_FOLLOW_UP },
            });
        }
    }

    /// The rows in memory by month, in the order in which they came.
    fn by_month(&self) -> BTreeMap<Month, Places> {
        let mut months = Months::default();
        let mut by_month: BTreeMap<Month, Places> = BTreeMap::new();
        let mut entries = self.entries[self.first_resident..].iter();
        for (batch, rows) in self.resident.iter().enumerate() {
            for (row, entry) in (0..rows.num_rows()).zip(&mut entries) {
                if let Some(month) = months.of(entry.day) {
                    by_month.entry(month).or_default().push((batch, row));
                }
            }
        }
        by_month
    }

    /// Moves everything that is in memory to temporary files, one a month.
    fn spill(&mut self) -> Result<(), StoreError> {
        let mut by_month = self.by_month();
        for month in by_month.keys().filter(|month| !self.spilled.contains_key(month)).copied().collect::<Vec<_>>() {
            let file = tempfile::tempfile().map_err(spill_error)?;
            let writer = StreamWriter::try_new(BufWriter::new(file), &self.schema);
            self.spilled.insert(month, writer.map_err(|error| spill_error(io_of(error)))?);
        }
        let resident: Vec<&RecordBatch> = self.resident.iter().collect();
        let work: Vec<(&mut Spill, Places)> =
            self.spilled.iter_mut().filter_map(|(month, writer)| Some((writer, by_month.remove(month)?))).collect();
        work.into_par_iter().try_for_each(|(writer, places)| {
            let rows = interleave_record_batch(&resident, &places);
            let rows = rows.map_err(|error| damaged(TableName::Sessions, &error))?;
            writer.write(&rows).map_err(|error| spill_error(io_of(error)))
        })?;
        self.resident.clear();
        self.first_resident = self.entries.len();
        self.in_memory = 0;
        Ok(())
    }

    /// Takes the sessions of each month out; no more come. What is known of them stays.
    ///
    /// # Errors
    /// When the disk that holds a part of them is full.
    pub(super) fn take_months(&mut self) -> Result<BTreeMap<Month, Taken>, StoreError> {
        let mut by_month = self.by_month();
        let resident = Arc::new(std::mem::take(&mut self.resident));
        let mut months = BTreeMap::new();
        for (month, writer) in std::mem::take(&mut self.spilled) {
            let writer = writer.into_inner().map_err(|error| spill_error(io_of(error)))?;
            let file = writer.into_inner().map_err(|error| spill_error(error.into_error()))?;
            let places = by_month.remove(&month).unwrap_or_default();
            months.insert(month, Taken { spilled: Some(file), resident: resident.clone(), places });
        }
        for (month, places) in by_month {
            months.insert(month, Taken { spilled: None, resident: resident.clone(), places });
        }
        Ok(months)
    }
}

/// The incoming rows of one month.
pub(super) struct Taken {
    spilled: Option<File>,
    /// Rows in memory, those of other months among them.
    pub(super) resident: Arc<Vec<RecordBatch>>,
    /// Which of them are of the month.
    pub(super) places: Places,
}

impl Taken {
    /// The rows that are on disk, or some of their columns.
    pub(super) fn read_back(&self, wanted: Option<&[&str]>) -> Result<Vec<RecordBatch>, StoreError> {
        let Some(file) = &self.spilled else { return Ok(Vec::new()) };
        let mut file = file.try_clone().map_err(spill_error)?;
        file.rewind().map_err(spill_error)?;
        let schema = columns::on_the_way();
        let wanted = wanted.map(|names| names.iter().filter_map(|name| schema.index_of(name).ok()).collect());
        let reader = StreamReader::try_new(BufReader::new(file), wanted).map_err(|error| spill_error(io_of(error)))?;
        reader.map(|batch| batch.map_err(|error| spill_error(io_of(error)))).collect()
    }
}

fn io_of(error: ArrowError) -> std::io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => std::io::Error::other(other),
    }
}

fn spill_error(source: std::io::Error) -> StoreError {
    StoreError::Io { doing: "keep rows in", path: std::path::PathBuf::from("the folder for temporary files"), source }
}
