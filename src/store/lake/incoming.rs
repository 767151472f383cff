//! What a batch brings, gathered before anything is written: sessions by month, on disk once they fill the memory
//! that they may take; and what is known of each, to find repeated and replaced rows.

use super::columns::{self, TableName};
use super::data_file::damaged;
use super::error::StoreError;
use super::events::EventRow;
use super::month::{Month, Months};
use super::rows::Identity;
use super::scores::ScoreRow;
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::datatypes::{DataType, Date32Type, Field, Schema, SchemaRef, UInt8Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
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

/// Rows of one month: in memory, and those before them on disk.
#[derive(Default)]
struct Bucket {
    batches: Vec<RecordBatch>,
    spilled: Option<StreamWriter<BufWriter<File>>>,
}

/// What a batch brings.
pub struct Incoming {
    /// Rows not yet divided by month: many small batches make few large ones.
    waiting: Vec<RecordBatch>,
    waiting_rows: usize,
    months: BTreeMap<Month, Bucket>,
    pub(super) entries: Vec<Entry>,
    /// Events, in the order of files and lines.
    pub events: Vec<EventRow>,
    /// Scores, in the order of files and lines.
    pub scores: Vec<ScoreRow>,
    in_memory: usize,
    memory: usize,
    schema: SchemaRef,
}

/// Rows that are divided by month at once.
const DIVIDED_ROWS: usize = 64 << 10;

/// Name of the column that numbers the rows of a batch, while they are on their way.
pub(super) const NUMBER: &str = "number_in_batch";

impl Incoming {
    /// Nothing yet; sessions may take about `memory` bytes before they go to temporary files.
    #[must_use]
    pub fn new(memory: usize) -> Incoming {
        let mut fields: Vec<Arc<Field>> = columns::schema(&columns::session_rows()).fields().iter().cloned().collect();
        fields.push(Arc::new(Field::new(NUMBER, DataType::UInt32, false)));
        Incoming {
            waiting: Vec::new(),
            waiting_rows: 0,
            months: BTreeMap::new(),
            entries: Vec::new(),
            events: Vec::new(),
            scores: Vec::new(),
            in_memory: 0,
            memory,
            schema: Arc::new(Schema::new(fields)),
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
    pub fn add(&mut self, rows: &RecordBatch, identities: &[Identity]) -> Result<(), StoreError> {
        let first = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        self.note(rows, identities, first);
        let numbers: ArrayRef = Arc::new(UInt32Array::from_iter_values((first..).take(rows.num_rows())));
        let arrays: Vec<ArrayRef> = rows.columns().iter().cloned().chain([numbers]).collect();
        let rows = RecordBatch::try_new(self.schema.clone(), arrays).map_err(broken)?;
        self.waiting_rows += rows.num_rows();
        self.waiting.push(rows);
        if self.waiting_rows < DIVIDED_ROWS { Ok(()) } else { self.divide() }
    }

    /// Divides the rows that wait by month.
    fn divide(&mut self) -> Result<(), StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let waiting = std::mem::take(&mut self.waiting);
        let rows = arrow::compute::concat_batches(&self.schema, &waiting).map_err(broken)?;
        drop(waiting);
        let first = self.entries.len() - std::mem::take(&mut self.waiting_rows);
        for (month, part) in by_month(&rows, &self.entries[first..]).map_err(broken)? {
            self.months.entry(month).or_default().batches.push(part);
        }
        self.in_memory += rows.get_array_memory_size();
        if self.in_memory > self.memory { self.spill() } else { Ok(()) }
    }

    fn note(&mut self, rows: &RecordBatch, identities: &[Identity], first: u32) {
        let days = |name: &str| rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Date32Type>());
        let areas = rows.column_by_name("body_area").and_then(|column| column.as_dictionary_opt::<UInt8Type>());
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
                body_area: areas.keys().value(row),
                follow_up: if follow_ups.is_valid(row) { follow_ups.value(row) } else { NO_FOLLOW_UP },
            });
        }
    }

    /// Moves everything that is in memory to temporary files, one a month.
    fn spill(&mut self) -> Result<(), StoreError> {
        let schema = &self.schema;
        for bucket in self.months.values_mut() {
            if bucket.spilled.is_none() {
                let file = tempfile::tempfile().map_err(spill_error)?;
                let writer = StreamWriter::try_new(BufWriter::new(file), schema);
                bucket.spilled = Some(writer.map_err(|error| spill_error(std::io::Error::other(error)))?);
            }
            for batch in bucket.batches.drain(..) {
                if let Some(writer) = &mut bucket.spilled {
                    writer.write(&batch).map_err(|error| spill_error(io_of(error)))?;
                }
            }
        }
        self.in_memory = 0;
        Ok(())
    }

    /// No more rows come.
    pub(super) fn close(&mut self) -> Result<(), StoreError> {
        if self.waiting_rows > 0 { self.divide() } else { Ok(()) }
    }

    /// Takes the sessions of each month out.
    ///
    /// # Errors
    /// When the disk that holds a part of them is full.
    pub(super) fn take_months(&mut self) -> Result<BTreeMap<Month, Taken>, StoreError> {
        let months = std::mem::take(&mut self.months);
        months.into_iter().map(|(month, bucket)| Ok((month, Taken::of(bucket, self.schema.clone())?))).collect()
    }
}

/// The incoming rows of one month.
pub(super) struct Taken {
    batches: Vec<RecordBatch>,
    spilled: Option<File>,
    schema: SchemaRef,
}

impl Taken {
    fn of(bucket: Bucket, schema: SchemaRef) -> Result<Taken, StoreError> {
        let spilled = match bucket.spilled {
            None => None,
            Some(writer) => {
                let writer = writer.into_inner().map_err(|error| spill_error(io_of(error)))?;
                Some(writer.into_inner().map_err(|error| spill_error(error.into_error()))?)
            }
        };
        Ok(Taken { batches: bucket.batches, spilled, schema })
    }

    /// A batch read back, with the dictionaries that the others have.
    fn as_before(&self, batch: &RecordBatch) -> Result<RecordBatch, StoreError> {
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(batch.num_columns());
        for (column, found) in columns::session_rows().iter().zip(batch.columns()) {
            arrays.push(match column.holds {
                columns::Holds::Code(codes) => super::rows::in_catalogue_order(found, codes)
                    .map_err(|error| damaged(TableName::Sessions, &error))?,
                _ => found.clone(),
            });
        }
        arrays.extend(batch.columns().last().cloned());
        RecordBatch::try_new(self.schema.clone(), arrays).map_err(|error| damaged(TableName::Sessions, &error))
    }

    /// All of them, in the order in which they came.
    pub(super) fn rows(&self) -> Result<RecordBatch, StoreError> {
        let mut batches = Vec::new();
        if let Some(file) = &self.spilled {
            let mut file = file.try_clone().map_err(spill_error)?;
            file.rewind().map_err(spill_error)?;
            let reader =
                StreamReader::try_new(BufReader::new(file), None).map_err(|error| spill_error(io_of(error)))?;
            for batch in reader {
                batches.push(self.as_before(&batch.map_err(|error| spill_error(io_of(error)))?)?);
            }
        }
        batches.extend(self.batches.iter().cloned());
        arrow::compute::concat_batches(&self.schema, &batches).map_err(|error| damaged(TableName::Sessions, &error))
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

/// Divides rows by the month of their sessions, keeping their order.
fn by_month(rows: &RecordBatch, entries: &[Entry]) -> Result<Vec<(Month, RecordBatch)>, ArrowError> {
    let mut months = Months::default();
    let of: Vec<Month> = entries.iter().filter_map(|entry| months.of(entry.day)).collect();
    if of.windows(2).all(|pair| pair[0] == pair[1]) {
        return Ok(of.first().map(|month| (*month, rows.clone())).into_iter().collect());
    }
    let mut order: Vec<u32> = (0..).take(of.len()).collect();
    order.sort_by_key(|row| of[*row as usize]);
    let sorted = take_record_batch(rows, &UInt32Array::from(order.clone()))?;
    let mut parts = Vec::new();
    let mut from = 0;
    while from < order.len() {
        let month = of[order[from] as usize];
        let length = order[from..].iter().take_while(|row| of[**row as usize] == month).count();
        parts.push((month, sorted.slice(from, length)));
        from += length;
    }
    Ok(parts)
}
