//! What a batch brings, gathered before anything is written: sessions in memory as they come, by month on disk once
//! they fill the memory that they may take; and what is known of each, likewise.

use super::columns::{self, TableName};
use super::data_file::damaged;
use super::entries::{Entries, Entry, NO_FOLLOW_UP};
use super::error::StoreError;
use super::events::EventRow;
use super::gather;
use super::month::Month;
use super::rows::{Identity, Rows};
use super::scores::ScoreRow;
use crate::domain::Day;
use arrow::array::{Array, AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, interleave_record_batch};
use arrow::datatypes::{Date32Type, SchemaRef, UInt8Type};
use arrow::error::ArrowError;
use arrow::ipc::reader::StreamReader;
use arrow::ipc::writer::StreamWriter;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, BufWriter, Seek};
use std::sync::Arc;

type Spill = StreamWriter<BufWriter<File>>;

/// Rows of one month: in memory, and those before them on disk.
#[derive(Default)]
struct Bucket {
    batches: Vec<RecordBatch>,
    spilled: Option<Spill>,
    rows: usize,
}

/// What a batch brings.
pub struct Incoming {
    /// Rows not yet joined, by month. Later they are put in order within their month: rows that lie over all memory take
    /// several times as long to fetch as those of a month together.
    waiting: BTreeMap<Month, Vec<RecordBatch>>,
    waiting_rows: usize,
    months: BTreeMap<Month, Bucket>,
    pub(super) entries: Entries,
    /// Events, in the order of files and lines.
    pub events: Vec<EventRow>,
    /// Scores, in the order of files and lines.
    pub scores: Vec<ScoreRow>,
    in_memory: usize,
    /// Bytes that the whole work on the batch may use, about.
    pub(super) memory: usize,
    schema: SchemaRef,
}

/// Share of the memory that sessions may take before they go to temporary files …
const SESSIONS_SHARE: usize = 3;
/// … and that what is known of each may take.
const ENTRIES_SHARE: usize = 8;

/// Bytes that go to a temporary file, or come from it, at once.
const SPILL_BYTES: usize = 64 << 10;

/// Rows that are joined at once: few enough to stay in a processor's cache.
const JOINED_ROWS: usize = 64 << 10;

impl Incoming {
    /// Nothing yet, for work that may use about `memory` bytes: sessions beyond a share of it go to temporary files.
    #[must_use]
    pub fn new(memory: usize) -> Incoming {
        Incoming {
            waiting: BTreeMap::new(),
            waiting_rows: 0,
            months: BTreeMap::new(),
            entries: Entries::new(memory / ENTRIES_SHARE),
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

    /// Adds rows, which come after those before.
    ///
    /// # Errors
    /// When the disk that holds what does not fit into memory is full.
    pub fn add(&mut self, rows: Rows) -> Result<(), StoreError> {
        let Rows { mut columns, identities, places, months } = rows;
        if identities.is_empty() {
            return Ok(());
        }
        let first = u32::try_from(self.entries.len()).unwrap_or(u32::MAX);
        columns.push(Arc::new(UInt32Array::from_iter_values(places.iter().map(|place| first + place))));
        let rows = RecordBatch::try_new(self.schema.clone(), columns);
        let rows = rows.map_err(|error| damaged(TableName::Sessions, &error))?;
        self.note(&rows, &identities)?;
        let mut from = 0;
        for (month, length) in months {
            self.waiting.entry(month).or_default().push(rows.slice(from, length));
            from += length;
        }
        self.waiting_rows += rows.num_rows();
        if self.waiting_rows < JOINED_ROWS { Ok(()) } else { self.join() }
    }

    fn note(&mut self, rows: &RecordBatch, identities: &[Identity]) -> Result<(), StoreError> {
        let days = |name: &str| rows.column_by_name(name)?.as_primitive_opt::<Date32Type>();
        let areas = rows.column_by_name("body_area").and_then(|column| column.as_primitive_opt::<UInt8Type>());
        let (Some(sessions), Some(follow_ups), Some(areas), Some(numbers)) =
            (days("session_date"), days("last_follow_up_date"), areas, gather::numbers(rows))
        else {
            return Ok(());
        };
        for (row, identity) in identities.iter().enumerate() {
            self.entries.push(Entry {
                identity: *identity,
                number: numbers.value(row),
                day: Day(sessions.value(row)),
                body_area: areas.value(row),
                follow_up: if follow_ups.is_valid(row) { follow_ups.value(row) } else { NO_FOLLOW_UP },
            })?;
        }
        Ok(())
    }

    /// Joins the rows that wait, month by month.
    fn join(&mut self) -> Result<(), StoreError> {
        let waiting: Vec<(Month, Vec<RecordBatch>)> = std::mem::take(&mut self.waiting).into_iter().collect();
        let schema = &self.schema;
        let joined = waiting.into_par_iter().map(|(month, parts)| Ok((month, joined(schema, &parts)?)));
        let joined: Result<Vec<(Month, RecordBatch)>, ArrowError> = joined.collect();
        for (month, rows) in joined.map_err(|error| damaged(TableName::Sessions, &error))? {
            self.in_memory += rows.get_array_memory_size();
            let bucket = self.months.entry(month).or_default();
            bucket.rows += rows.num_rows();
            bucket.batches.push(rows);
        }
        self.waiting_rows = 0;
        if self.in_memory > self.memory / SESSIONS_SHARE { self.spill() } else { Ok(()) }
    }

    /// Moves everything that is in memory to temporary files, one a month.
    fn spill(&mut self) -> Result<(), StoreError> {
        let schema = &self.schema;
        self.months.par_iter_mut().try_for_each(|(_, bucket)| {
            if bucket.spilled.is_none() {
                let file = tempfile::tempfile().map_err(spill_error)?;
                let writer = StreamWriter::try_new(BufWriter::with_capacity(SPILL_BYTES, file), schema);
                bucket.spilled = Some(writer.map_err(|error| spill_error(io_of(error)))?);
            }
            for batch in bucket.batches.drain(..) {
                if let Some(writer) = &mut bucket.spilled {
                    writer.write(&batch).map_err(|error| spill_error(io_of(error)))?;
                }
            }
            Ok::<(), StoreError>(())
        })?;
        self.in_memory = 0;
        Ok(())
    }

    /// Takes the sessions of each month out; no more come. What is known of them stays.
    ///
    /// # Errors
    /// When the disk that holds a part of them is full.
    pub(super) fn take_months(&mut self) -> Result<BTreeMap<Month, Taken>, StoreError> {
        if self.waiting_rows > 0 {
            self.join()?;
        }
        if self.months.values().any(|bucket| bucket.spilled.is_some()) {
            // The memory is for putting months together now.
            self.spill()?;
        }
        let months = std::mem::take(&mut self.months);
        months.into_iter().map(|(month, bucket)| Ok((month, Taken::of(bucket)?))).collect()
    }
}

/// Rows in one piece that shares nothing with its parts: these are slices of rows of many months.
fn joined(schema: &SchemaRef, parts: &[RecordBatch]) -> Result<RecordBatch, ArrowError> {
    match parts {
        [only] => interleave_record_batch(&[only], &(0..only.num_rows()).map(|row| (0, row)).collect::<Vec<_>>()),
        _ => concat_batches(schema, parts),
    }
}

/// The incoming rows of one month.
pub(super) struct Taken {
    batches: Vec<RecordBatch>,
    spilled: Option<File>,
    rows: usize,
}

impl Taken {
    fn of(bucket: Bucket) -> Result<Taken, StoreError> {
        let spilled = match bucket.spilled {
            None => None,
            Some(writer) => {
                let writer = writer.into_inner().map_err(|error| spill_error(io_of(error)))?;
                Some(writer.into_inner().map_err(|error| spill_error(error.into_error()))?)
            }
        };
        Ok(Taken { batches: bucket.batches, spilled, rows: bucket.rows })
    }

    /// Rows that are all in memory.
    #[cfg(test)]
    pub(super) fn in_memory(batches: Vec<RecordBatch>) -> Taken {
        let rows = batches.iter().map(RecordBatch::num_rows).sum();
        Taken { batches, spilled: None, rows }
    }

    /// How many.
    pub(super) fn len(&self) -> usize {
        self.rows
    }

    /// Its rows, or at least some of their columns, in the order in which they came.
    pub(super) fn rows(
        &self,
        wanted: Option<&[&str]>,
    ) -> Result<impl Iterator<Item = Result<RecordBatch, StoreError>> + '_, StoreError> {
        let broken = |error| spill_error(io_of(error));
        let back = self.spilled.as_ref().map(|file| {
            let mut file = file.try_clone().map_err(spill_error)?;
            file.rewind().map_err(spill_error)?;
            let schema = columns::on_the_way();
            let wanted = wanted.map(|names| names.iter().filter_map(|name| schema.index_of(name).ok()).collect());
            StreamReader::try_new(BufReader::with_capacity(SPILL_BYTES, file), wanted).map_err(broken)
        });
        let back = back.transpose()?.into_iter().flatten().map(move |batch| batch.map_err(broken));
        Ok(back.chain(self.batches.iter().cloned().map(Ok)))
    }
}

fn io_of(error: ArrowError) -> std::io::Error {
    match error {
        ArrowError::IoError(_, error) => error,
        other => std::io::Error::other(other),
    }
}

pub(super) fn spill_error(source: std::io::Error) -> StoreError {
    StoreError::Io { doing: "keep rows in", path: std::path::PathBuf::from("the folder for temporary files"), source }
}
