//! Arrow record batches → raw records: what Parquet and Arrow IPC share.
//!
//! The place of a record is its row. Fields of nested columns get headers such as `skin.fitzpatrick`.

use super::array_text::{self, Write};
use super::feed::{Fed, Feed, Head, Stop};
use super::seekable::Seekable;
use super::{Fault, IngestError, LARGEST_RECORD_BYTES, Places, RawBatch, Records, Tally};
use crate::domain::FileId;
use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Fields};
use arrow::record_batch::{RecordBatch, RecordBatchReader};

/// Decoded batches, in the order of the file.
pub(super) type Batches = Box<dyn RecordBatchReader>;

/// Starts to read what `decode` opens; `format` is how a message calls the file.
pub(super) fn start(
    input: Seekable,
    format: &'static str,
    (file, decimal_comma): (FileId, bool),
    decode: impl FnOnce() -> Result<Batches, String> + Send + 'static,
) -> Result<Box<dyn Records>, IngestError> {
    let path = input.path.clone();
    let broken = move |detail: String| match detail.contains("encrypt") {
        true => IngestError::Encrypted { path: path.clone() },
        false => IngestError::Broken { path: path.clone(), format, detail },
    };
    let read = move |feed: &Feed| {
        let batches = decode().map_err(&broken)?;
        let mut columns = Vec::new();
        add_columns(batches.schema().fields(), &Column::default(), &mut columns);
        feed.head(Head { header: columns.iter().map(|column| column.header.clone()).collect(), ..Head::default() })?;
        let mut rows = Rows { columns, file, decimal_comma, batch: new_batch(file), tally: Tally::default() };
        for batch in batches {
            rows.take(&batch.map_err(|error| broken(error.to_string()))?, feed)?;
        }
        rows.finish(feed)
    };
    Ok(Box::new(Fed::start(input, format, read)?))
}

fn new_batch(file: FileId) -> RawBatch {
    RawBatch::new(file).placed(Places::Rows)
}

/// A column of the file: a field, or a field within fields.
#[derive(Clone, Default)]
struct Column {
    header: String,
    path: Vec<usize>,
}

fn add_columns(fields: &Fields, within: &Column, columns: &mut Vec<Column>) {
    for (at, field) in fields.iter().enumerate() {
        let name = field.name().trim();
        let header = if within.path.is_empty() { name.to_owned() } else { format!("{}.{name}", within.header) };
        let column = Column { header, path: [&within.path[..], &[at]].concat() };
        match field.data_type() {
            DataType::Struct(inner) => add_columns(inner, &column, columns),
            _ => columns.push(column),
        }
    }
}

struct Rows {
    columns: Vec<Column>,
    file: FileId,
    decimal_comma: bool,
    batch: RawBatch,
    tally: Tally,
}

impl Rows {
    fn take(&mut self, decoded: &RecordBatch, feed: &Feed) -> Result<(), Stop> {
        let writers: Vec<Write<'_>> =
            self.columns.iter().map(|column| writer(decoded, &column.path, self.decimal_comma)).collect();
        let mut text = String::new();
        for row in 0..decoded.num_rows() {
            self.tally.records += 1;
            self.tally.record_lines += 1;
            self.batch.begin(self.tally.records, self.tally.records);
            let mut bytes = 0;
            for write in &writers {
                text.clear();
                write(row, &mut text);
                bytes += text.len();
                if bytes > LARGEST_RECORD_BYTES {
                    self.batch.set_fault(Fault::TooLarge);
                    break;
                }
                self.batch.push_field(&text);
            }
            if self.batch.is_full() {
                let full = std::mem::replace(&mut self.batch, new_batch(self.file));
                feed.batch(full, self.tally)?;
            }
        }
        Ok(())
    }

    fn finish(self, feed: &Feed) -> Result<Tally, Stop> {
        if !self.batch.is_empty() {
            feed.batch(self.batch, self.tally)?;
        }
        Ok(self.tally)
    }
}

/// Writes the field that a path leads to; nothing where a field on the way is missing.
fn writer<'b>(decoded: &'b RecordBatch, path: &[usize], decimal_comma: bool) -> Write<'b> {
    let Some((first, inner)) = path.split_first() else { return Box::new(|_, _| {}) };
    let mut array = decoded.column(*first).as_ref();
    let mut around: Vec<&'b dyn Array> = Vec::new();
    for at in inner {
        around.push(array);
        array = array.as_struct().column(*at).as_ref();
    }
    let mut write = array_text::writer(array);
    if decimal_comma && (array.data_type().is_floating() || array.data_type().is_decimal()) {
        // The mapping says how numbers are written; one that the file knows as a number is written so too.
        let with_point = write;
        write = Box::new(move |row, text| {
            with_point(row, text);
            *text = text.replace('.', ",");
        });
    }
    if around.is_empty() {
        return write;
    }
    Box::new(move |row, text| {
        if around.iter().all(|array| array.is_valid(row)) {
            write(row, text);
        }
    })
}
