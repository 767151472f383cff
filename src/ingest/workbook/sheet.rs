//! The cells of a sheet → header and records.

use super::Reading;
use super::cell::Cell;
use super::header::{self, Row, Unsure};
use crate::ingest::feed::{Feed, Head, Stop};
use crate::ingest::{Fault, IngestError, LARGEST_RECORD_BYTES, Places, RawBatch, Tally};
use calamine::Data;
use std::sync::Arc;

/// Gathers cells into rows, finds the header, and hands the rows below it over as records.
///
/// A row without a filled cell under the header is blank: not a record. A filled cell right of the header's last
/// column belongs to no column, and the row is at fault: its cells may have been pushed to the right.
pub(super) struct SheetRows<'f> {
    feed: &'f Feed,
    reading: Reading,
    sheet: Arc<str>,
    unread_sheets: Vec<String>,
    row: Row,
    /// Rows that were read before the header was certain.
    waiting: Vec<Row>,
    /// Columns of the header, once it is known.
    columns: Option<usize>,
    batch: RawBatch,
    tally: Tally,
    last_row: u64,
}

impl<'f> SheetRows<'f> {
    pub(super) fn new(sheet: &str, reading: Reading, unread_sheets: Vec<String>, feed: &'f Feed) -> SheetRows<'f> {
        let sheet: Arc<str> = sheet.into();
        SheetRows {
            batch: RawBatch::new(reading.file).placed(Places::Sheet(Arc::clone(&sheet))),
            feed,
            reading,
            sheet,
            unread_sheets,
            row: Row { number: 0, cells: Vec::new() },
            waiting: Vec::new(),
            columns: None,
            tally: Tally::default(),
            last_row: 0,
        }
    }

    /// Takes the next cell; row and column from 0.
    pub(super) fn take(&mut self, row: u32, column: u32, value: Data) -> Result<(), Stop> {
        let number = u64::from(row) + 1;
        if number < self.row.number {
            let detail = format!("row {number} of sheet «{}» stands below row {}", self.sheet, self.row.number);
            return Err(IngestError::Broken { path: self.reading.path.clone(), format: super::WHAT, detail }.into());
        }
        if number > self.row.number {
            self.end_row(number)?;
        }
        // The mapping says how numbers are written; one that the sheet knows as a number is written so too.
        let as_comma = self.reading.options.decimal_comma && matches!(value, Data::Float(_));
        let mut cell = Cell::filled(column as usize, value);
        if let Some(cell) = cell.as_mut().filter(|_| as_comma) {
            cell.text = cell.text.replace('.', ",");
        }
        self.row.cells.extend(cell);
        Ok(())
    }

    /// Hands over what is left.
    pub(super) fn finish(mut self) -> Result<Tally, Stop> {
        self.end_row(0)?;
        if self.columns.is_none() {
            self.settle()?;
        }
        if !self.batch.is_empty() {
            self.feed.batch(self.batch, self.tally)?;
        }
        Ok(self.tally)
    }

    /// Ends the row that was gathered; the next one is row `next`.
    fn end_row(&mut self, next: u64) -> Result<(), Stop> {
        let row = std::mem::replace(&mut self.row, Row { number: next, cells: Vec::new() });
        if row.cells.is_empty() {
            return Ok(());
        }
        if self.columns.is_some() {
            return self.record(&row);
        }
        self.waiting.push(row);
        let is_certain = match self.reading.options.header_row {
            Some(wanted) => self.waiting.last().is_some_and(|row| row.number >= wanted),
            None => header::is_enough(&self.waiting),
        };
        if is_certain { self.settle() } else { Ok(()) }
    }

    /// Finds the header, and hands over the rows that waited for it.
    fn settle(&mut self) -> Result<(), Stop> {
        let rows = std::mem::take(&mut self.waiting);
        let found = match self.reading.options.header_row {
            Some(wanted) => {
                rows.iter().position(|row| row.number == wanted).ok_or(Unsure { row: wanted, why: "the row is empty" })
            }
            None if rows.is_empty() => {
                return Err(IngestError::Empty { path: self.reading.path.clone() }.into());
            }
            None => header::find(&rows),
        };
        let at = found.map_err(|Unsure { row, why }| {
            let (path, sheet) = (self.reading.path.clone(), self.sheet.to_string());
            IngestError::HeaderUnsure { path, sheet, row, why }
        })?;
        let names = header::names(&rows[at]);
        self.columns = Some(names.len());
        self.last_row = rows[at].number;
        self.tally.above_header_lines = self.last_row - 1;
        self.tally.header_lines = 1;
        let unread_sheets = std::mem::take(&mut self.unread_sheets);
        self.feed.head(Head { header: names, unread_sheets })?;
        rows[at + 1..].iter().try_for_each(|row| self.record(row))
    }

    fn record(&mut self, row: &Row) -> Result<(), Stop> {
        let columns = self.columns.unwrap_or(0);
        if row.cells.iter().all(|cell| cell.column >= columns) {
            return Ok(());
        }
        self.tally.blank_lines += row.number - self.last_row - 1;
        self.last_row = row.number;
        self.tally.records += 1;
        self.tally.record_lines += 1;
        self.batch.begin(row.number, self.tally.records);
        if row.cells.iter().map(|cell| cell.text.len()).sum::<usize>() > LARGEST_RECORD_BYTES {
            self.batch.set_fault(Fault::TooLarge);
        } else {
            self.push(row, columns);
        }
        if self.batch.is_full() {
            let empty = RawBatch::new(self.reading.file).placed(Places::Sheet(Arc::clone(&self.sheet)));
            self.feed.batch(std::mem::replace(&mut self.batch, empty), self.tally)?;
        }
        Ok(())
    }

    fn push(&mut self, row: &Row, columns: usize) {
        let mut fields = vec![""; columns];
        let mut outside = None;
        for cell in &row.cells {
            match fields.get_mut(cell.column) {
                Some(field) => *field = &cell.text,
                None => outside = outside.or(Some(cell.column)),
            }
        }
        fields.iter().for_each(|field| self.batch.push_field(field));
        if let Some(column) = outside {
            self.batch.set_fault(Fault::ValueWithoutHeader { column });
        }
    }
}
