//! What a batch brings, gathered before anything is written: sessions in memory as they come, by month on disk once
//! they fill the memory that they may take; and what is known of each, likewise.

use super::columns::{self, TableName};
use super::data_file::damaged;
use super::entries::{Entries, Entry, NO_FOLLOW_UP};
use super::error::StoreError;
use super::events::EventRow;
use super::month::{Month, Months};
use super::rows::Identity;
use super::scores::ScoreRow;
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray, Date32Array, RecordBatch, UInt32Array};
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
    /// Rows not yet divided by month. Later they are put in order within their month: rows that lie over all memory
    /// take several times as long to fetch as those of a month together.
    waiting: Vec<RecordBatch>,
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

/// Rows that are divided by month at once: few enough to stay in a processor's cache.
const DIVIDED_ROWS: usize = 64 << 10;

impl Incoming {
    /// Nothing yet, for work that may use about `memory` bytes: sessions beyond a share of it go to temporary files.
    #[must_use]
    pub fn new(memory: usize) -> Incoming {
        Incoming {
            waiting: Vec::new(),
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
        self.note(&rows, identities, first)?;
        self.waiting_rows += rows.num_rows();
        self.waiting.push(rows);
        if self.waiting_rows < DIVIDED_ROWS { Ok(()) } else { self.divide() }
    }

    fn note(&mut self, rows: &RecordBatch, identities: &[Identity], first: u32) -> Result<(), StoreError> {
        let areas = rows.column_by_name("body_area").and_then(|column| column.as_primitive_opt::<UInt8Type>());
        let (Some(sessions), Some(follow_ups), Some(areas)) =
            (days(rows, "session_date"), days(rows, "last_follow_up_date"), areas)
        else {
            return Ok(());
        };
        for (row, (identity, number)) in identities.iter().zip(first..).enumerate() {
            self.entries.push(Entry {
                identity: *identity,
                number,
                day: Day(sessions.value(row)),
                body_area: areas.value(row),
                follow_up: if follow_ups.is_valid(row) { follow_ups.value(row) } else { NO_FOLLOW_UP },
            })?;
        }
        Ok(())
    }

    /// Where the rows of each month lie among those that wait: batch and row in it, in the order in which they came.
    fn by_month(&self) -> BTreeMap<Month, Vec<(usize, usize)>> {
        let mut months = Months::default();
        let mut by_month: BTreeMap<Month, Vec<(usize, usize)>> = BTreeMap::new();
        for (batch, rows) in self.waiting.iter().enumerate() {
            let days = days(rows, "session_date").into_iter().flat_map(|days| days.values());
            for (row, day) in days.enumerate() {
                if let Some(month) = months.of(Day(*day)) {
                    by_month.entry(month).or_default().push((batch, row));
                }
            }
        }
        by_month
    }

    /// Divides the rows that wait by month.
    fn divide(&mut self) -> Result<(), StoreError> {
        let by_month: Vec<_> = self.by_month().into_iter().collect();
        let waiting: Vec<&RecordBatch> = self.waiting.iter().collect();
        let part =
            |(month, places): &(Month, Vec<(usize, usize)>)| Ok((*month, interleave_record_batch(&waiting, places)?));
        let parts: Result<Vec<(Month, RecordBatch)>, ArrowError> = by_month.par_iter().map(part).collect();
        for (month, part) in parts.map_err(|error| damaged(TableName::Sessions, &error))? {
            self.in_memory += part.get_array_memory_size();
            let bucket = self.months.entry(month).or_default();
            bucket.rows += part.num_rows();
            bucket.batches.push(part);
        }
        self.waiting.clear();
        self.waiting_rows = 0;
        if self.in_memory > self.memory / SESSIONS_SHARE { self.spill() } else { Ok(()) }
    }

    /// Moves everything that is in memory to temporary files, one a month.
    fn spill(&mut self) -> Result<(), StoreError> {
        let schema = &self.schema;
        self.months.par_iter_mut().try_for_each(|(_, bucket)| {
            if bucket.spilled.is_none() {
                let file = tempfile::tempfile().map_err(spill_error)?;
                let writer = StreamWriter::try_new(BufWriter::new(file), schema);
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
            self.divide()?;
        }
        let months = std::mem::take(&mut self.months);
        months.into_iter().map(|(month, bucket)| Ok((month, Taken::of(bucket)?))).collect()
    }
}

fn days<'a>(rows: &'a RecordBatch, name: &str) -> Option<&'a Date32Array> {
    rows.column_by_name(name)?.as_primitive_opt::<Date32Type>()
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
            StreamReader::try_new(BufReader::new(file), wanted).map_err(broken)
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
