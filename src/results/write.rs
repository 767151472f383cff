//! `results.csv` and `results.parquet`: every released row, in the columns that outside programs rely on.

use super::release::{Released, ReleasedRow};
use arrow::array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::properties::WriterProperties;
use std::io;
use std::sync::Arc;

/// How a column of the results is read from a row.
pub enum Read {
    /// A text.
    Text(fn(&ReleasedRow) -> String),
    /// A number; `None` = not applicable.
    Number(fn(&ReleasedRow) -> Option<f64>),
}

/// A column of `results.csv`: name, meaning, and how it is read.
pub struct ResultColumn {
    /// Name in the header.
    pub name: &'static str,
    /// What it means.
    pub about: &'static str,
    /// How it is read from a row.
    pub read: Read,
}

const fn text(name: &'static str, about: &'static str, read: fn(&ReleasedRow) -> String) -> ResultColumn {
    ResultColumn { name, about, read: Read::Text(read) }
}

const fn number(name: &'static str, about: &'static str, read: fn(&ReleasedRow) -> Option<f64>) -> ResultColumn {
    ResultColumn { name, about, read: Read::Number(read) }
}

/// The columns, in order.
pub const RESULT_COLUMNS: &[ResultColumn] = &[
    text("row_id", "stable over runs: analysis/outcome/group/statistic, and /term where there is one", |r| r.row_id()),
    text("analysis", "id from the pipeline", |r| r.analysis.clone()),
    text("kind", "kind from the pipeline", |r| r.kind.to_owned()),
    text("outcome", "side-effect code, scale id, or empty", |r| r.outcome.clone()),
    text("group", "column=value pairs joined by ;, (missing) for a missing value; empty = everybody", |r| {
        r.group_text()
    }),
    text("statistic", "what the value is", |r| r.statistic.id().to_owned()),
    text("term", "model term, level, grade or test that the value speaks of", |r| r.term.clone()),
    number("value", "the number", |r| r.value),
    number("low", "lower end of its interval", |r| r.low),
    number("high", "upper end of its interval", |r| r.high),
    number("level", "level of the interval", |r| r.level),
    text("unit", "proportion, ratio, count, …", |r| r.unit.to_owned()),
    text("counted", "sessions, patients, rows, …", |r| r.counted.to_owned()),
    number("numerator", "what the value was made of, above the line", |r| r.numerator),
    number("denominator", "what the value was made of, below the line", |r| r.denominator),
    text("method", "id as `stipple methods` lists it", |r| r.method.to_owned()),
    text("comparator", "reference group of a contrast or of a model term", |r| r.comparator.clone()),
    text("warning", "why a value is missing (not_estimable: …) or fragile", |r| r.warning.clone()),
    text("released", "yes, or the rule that redacted or rounded it", |r| r.released.to_owned()),
];

/// A number in full precision: the shortest text that reads back as the same number; infinite ends as `inf`, `-inf`.
#[must_use]
pub fn full_precision(number: f64) -> String {
    format!("{number}")
}

/// The rows as CSV: UTF-8, comma, LF, one header row.
///
/// # Errors
/// Never for a buffer in memory; the writer's error is handed on.
pub fn csv(released: &Released) -> io::Result<Vec<u8>> {
    let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
    writer.write_record(RESULT_COLUMNS.iter().map(|column| column.name))?;
    for row in released.rows() {
        writer.write_record(RESULT_COLUMNS.iter().map(|column| match column.read {
            Read::Text(read) => read(row),
            Read::Number(read) => read(row).map(full_precision).unwrap_or_default(),
        }))?;
    }
    writer.into_inner().map_err(|error| error.into_error())
}

/// The rows as Parquet: texts as UTF-8, numbers as doubles, absent numbers as nulls.
///
/// # Errors
/// When the columns cannot be encoded.
pub fn parquet(released: &Released) -> parquet::errors::Result<Vec<u8>> {
    let mut fields = Vec::new();
    let mut arrays: Vec<ArrayRef> = Vec::new();
    for column in RESULT_COLUMNS {
        let rows = released.rows().iter();
        let (kind, array): (DataType, ArrayRef) = match column.read {
            Read::Text(read) => (DataType::Utf8, Arc::new(StringArray::from_iter_values(rows.map(read)))),
            Read::Number(read) => (DataType::Float64, Arc::new(rows.map(read).collect::<Float64Array>())),
        };
        fields.push(Field::new(column.name, kind, matches!(column.read, Read::Number(_))));
        arrays.push(array);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let properties = WriterProperties::builder().set_compression(Compression::ZSTD(ZstdLevel::default())).build();
    let mut writer = ArrowWriter::try_new(Vec::new(), schema, Some(properties))?;
    writer.write(&batch)?;
    writer.into_inner()
}
