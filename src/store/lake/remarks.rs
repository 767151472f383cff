//! Lists beside the sessions: refused rows, remarks, replaced rows. Long ones go to the disk in parts.

use super::columns::{self, TableName};
use super::data_file::{self, DataFile, damaged};
use super::error::StoreError;
use super::home::Home;
use super::ledger::Batch;
use super::rows::{long, longs};
use super::standing;
use super::superseded::{self, Superseded};
use crate::domain::Place;
use arrow::array::{Array, ArrayRef, AsArray, Int32Array, RecordBatch, StringArray};
use arrow::error::ArrowError;
use std::sync::Arc;

/// Rows of a part.
const PART_ROWS: usize = 200_000;

/// A refused row, or a remark on an accepted one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// Number of the file over all batches.
    pub file_number: i32,
    /// Its name.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// Which column.
    pub column: Option<String>,
    /// Id of the rule.
    pub rule: String,
    /// What is wrong and what to do.
    pub hint: String,
    /// The row's own text, identifiers masked.
    pub text: Option<String>,
}

impl Remark {
    /// What lists of remarks are ordered by: file, place, rule, and what is said.
    #[must_use]
    pub fn order(&self) -> (i32, Place, &str, &str) {
        (self.file_number, self.place, &self.rule, &self.hint)
    }
}

/// Writes a list in parts.
pub struct Remarks {
    home: Home,
    table: TableName,
    store_version: u64,
    rows: Vec<Remark>,
    files: Vec<DataFile>,
}

impl Remarks {
    /// An empty list for a version of the store; `table` is [`TableName::Rejects`] or [`TableName::Warnings`].
    #[must_use]
    pub fn new(home: &Home, table: TableName, store_version: u64) -> Remarks {
        Remarks { home: home.clone(), table, store_version, rows: Vec::new(), files: Vec::new() }
    }

    /// Adds a row.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn add(&mut self, row: Remark) -> Result<(), StoreError> {
        self.rows.push(row);
        if self.rows.len() < PART_ROWS { Ok(()) } else { self.part() }
    }

    fn part(&mut self) -> Result<(), StoreError> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let rows = std::mem::take(&mut self.rows);
        let batch = self.batch(&rows).map_err(|error| damaged(self.table, &error))?;
        self.files.push(data_file::write(&self.home, self.table, (None, &batch))?);
        Ok(())
    }

    fn batch(&self, rows: &[Remark]) -> Result<RecordBatch, ArrowError> {
        let text = |read: fn(&Remark) -> Option<&str>| -> ArrayRef {
            Arc::new(rows.iter().map(read).collect::<StringArray>())
        };
        let mut arrays: Vec<ArrayRef> = vec![
            longs(rows.iter().map(|_| long(self.store_version))),
            Arc::new(Int32Array::from_iter_values(rows.iter().map(|row| row.file_number))),
            longs(rows.iter().map(|row| long(row.place.line))),
            longs(rows.iter().map(|row| long(row.place.record))),
            text(|row| Some(&row.file)),
            text(|row| row.column.as_deref()),
            text(|row| Some(&row.rule)),
            text(|row| Some(&row.hint)),
        ];
        if self.table == TableName::Rejects {
            arrays.push(text(|row| row.text.as_deref()));
        }
        RecordBatch::try_new(columns::schema(&self.table.columns()), arrays)
    }

    /// Enters what was written into a batch.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(mut self, batch: &mut Batch) -> Result<(), StoreError> {
        self.part()?;
        batch.changes.entry(self.table.folder().to_owned()).or_default().add.extend(self.files);
        Ok(())
    }
}

/// Rows → remarks.
pub(super) fn read(batch: &RecordBatch) -> Vec<Remark> {
    let text = |name: &str, row: usize| {
        let column = batch.column_by_name(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    };
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    let remark = |row: usize| {
        let (file_number, line, record) = standing::place(batch, row)?;
        Some(Remark {
            file_number,
            file: text("file", row)?,
            place: Place { file: crate::domain::FileId(0), line: number(line), record: number(record) },
            column: text("column", row),
            rule: text("rule", row)?,
            hint: text("hint", row)?,
            text: text("text", row),
        })
    };
    (0..batch.num_rows()).filter_map(remark).collect()
}

/// Writes the rows that the batch replaces.
pub(super) fn add_superseded(home: &Home, batch: &mut Batch, rows: &[Superseded]) -> Result<(), StoreError> {
    if rows.is_empty() {
        return Ok(());
    }
    let written = superseded::write(rows).map_err(|error| damaged(TableName::Superseded, &error))?;
    let file = data_file::write(home, TableName::Superseded, (None, &written))?;
    batch.changes.entry(TableName::Superseded.folder().to_owned()).or_default().add.push(file);
    Ok(())
}
