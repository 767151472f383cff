//! Rows that a later one replaced: where they stood and what stands for them.

use super::columns::{self, TableName};
use super::error::StoreError;
use super::keys::SessionKey;
use super::month::Month;
use super::rows::{long, longs};
use super::standing;
use super::upsert::Spot;
use arrow::array::{ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use std::sync::Arc;

/// A row that another one stands for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Superseded {
    source: String,
    session_id: String,
    month: String,
    store_version: i64,
    place: Spot,
    /// Version of the store and place of the row that stands for it.
    by: (u64, Spot),
    key: SessionKey,
}

impl Superseded {
    pub(super) fn of(
        rows: &RecordBatch,
        (row, key): (usize, SessionKey),
        month: &str,
        by: (u64, Spot),
    ) -> Result<Superseded, StoreError> {
        let version = rows.column_by_name("store_version").and_then(|column| column.as_primitive_opt::<Int64Type>());
        Ok(Superseded {
            source: text(rows, "source", row)?,
            session_id: text(rows, "session_id", row)?,
            month: month.to_owned(),
            store_version: version.ok_or_else(lacks)?.value(row),
            place: standing::place(rows, row).ok_or_else(lacks)?,
            by,
            key,
        })
    }

    /// An incoming row of `source`, which a row of the same batch replaces: see [`Superseded::by`].
    pub(super) fn within_batch(
        rows: &RecordBatch,
        (row, place): (usize, Spot),
        (source, month): (&str, Month),
        version: u64,
    ) -> Result<Superseded, StoreError> {
        let half = |name: &str| {
            let column = rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
            column.map(|column| column.value(row)).ok_or_else(lacks)
        };
        let key = SessionKey::of_halves(half("session_key_high")?, half("session_key_low")?);
        Ok(Superseded {
            source: source.to_owned(),
            session_id: text(rows, "session_id", row)?,
            month: month.to_string(),
            store_version: long(version),
            place,
            by: (version, Spot::default()),
            key,
        })
    }

    /// The same, replaced by the row of a version of the store that came from a place.
    pub(super) fn by(self, by: (u64, Spot)) -> Superseded {
        Superseded { by, ..self }
    }

    /// Number of its file, line, record.
    pub(super) fn place(&self) -> Spot {
        self.place
    }
}

fn lacks() -> StoreError {
    StoreError::Damaged { table: "sessions", reason: "a file lacks where its rows came from".to_owned() }
}

fn text(rows: &RecordBatch, name: &str, row: usize) -> Result<String, StoreError> {
    let column = rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
    column.map(|column| column.value(row).to_owned()).ok_or_else(lacks)
}

/// What became of one row of a session, for its history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replaced {
    /// Source and id of the session, as they are shown.
    pub session: (String, String),
    /// The session.
    pub key: SessionKey,
    /// Version of the store in which the row came.
    pub store_version: u64,
    /// Number of its file, line, record.
    pub place: Spot,
    /// Version in which another took its place.
    pub by_version: u64,
    /// Where that one stood.
    pub by: Spot,
}

/// Columns → rows.
pub(super) fn read(batch: &RecordBatch) -> Vec<Replaced> {
    let long = |name: &str, row: usize| Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(row));
    let text = |name: &str, row: usize| Some(batch.column_by_name(name)?.as_string_opt::<i32>()?.value(row).to_owned());
    let version = |number: i64| u64::try_from(number).unwrap_or(0);
    let replaced = |row: usize| {
        let by_file = batch.column_by_name("by_file_number")?.as_primitive_opt::<arrow::datatypes::Int32Type>()?;
        Some(Replaced {
            session: (text("source", row)?, text("session_id", row)?),
            key: SessionKey::of_halves(long("session_key_high", row)?, long("session_key_low", row)?),
            store_version: version(long("store_version", row)?),
            place: standing::place(batch, row)?,
            by_version: version(long("by_version", row)?),
            by: (by_file.value(row), long("by_line", row)?, long("by_record", row)?),
        })
    };
    (0..batch.num_rows()).filter_map(replaced).collect()
}

/// Rows → columns.
pub(super) fn write(rows: &[Superseded]) -> Result<RecordBatch, ArrowError> {
    let text =
        |read: fn(&Superseded) -> &str| -> ArrayRef { Arc::new(StringArray::from_iter_values(rows.iter().map(read))) };
    let number = |read: fn(&Superseded) -> i64| longs(rows.iter().map(read));
    let file =
        |read: fn(&Superseded) -> i32| -> ArrayRef { Arc::new(Int32Array::from_iter_values(rows.iter().map(read))) };
    let arrays: Vec<ArrayRef> = vec![
        text(|row| &row.source),
        text(|row| &row.session_id),
        text(|row| &row.month),
        number(|row| row.store_version),
        file(|row| row.place.0),
        number(|row| row.place.1),
        number(|row| row.place.2),
        number(|row| long(row.by.0)),
        number(|row| row.by.1.1),
        number(|row| row.by.1.2),
        file(|row| row.by.1.0),
        number(|row| row.key.halves().0),
        number(|row| row.key.halves().1),
    ];
    RecordBatch::try_new(columns::schema(&TableName::Superseded.columns()), arrays)
}
