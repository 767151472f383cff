//! Data files of a table: Parquet, written whole under the hash of their content, and safe before any log names them.

use super::columns::{self, DiskColumn, Holds, TableName};
use super::encoding::properties;
use super::error::StoreError;
use super::home::{Home, Opened};
use super::rows;
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReaderBuilder, RowSelection};
use parquet::arrow::{ArrowWriter, ProjectionMask};
use std::collections::BTreeMap;

/// A data file of a table.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct DataFile {
    /// Path within the table's folder.
    pub path: String,
    /// Value of the partition column.
    pub partition: Option<String>,
    /// Number of rows.
    pub rows: u64,
    /// Size.
    pub bytes: u64,
    /// What the log says of it.
    pub stats: Option<String>,
}

/// Writes rows as one file of a table and makes sure that it is on the disk.
///
/// # Errors
/// When the disk refuses.
pub(super) fn write(
    home: &Home,
    table: TableName,
    (partition, batch): (Option<&str>, &RecordBatch),
) -> Result<DataFile, StoreError> {
    let columns = columns::of_file(table, batch.schema_ref());
    let bytes = encode(&columns, batch).map_err(|error| damaged(table, &error))?;
    let stats = stats(batch, &nulls_of(batch));
    put(home, table, partition, Content { bytes, rows: batch.num_rows(), stats })
}

/// What goes into a file.
pub(super) struct Content {
    pub(super) bytes: Vec<u8>,
    pub(super) rows: usize,
    pub(super) stats: String,
}

/// Puts bytes into a file of a table and makes sure that it is on the disk.
pub(super) fn put(
    home: &Home,
    table: TableName,
    partition: Option<&str>,
    content: Content,
) -> Result<DataFile, StoreError> {
    let Content { bytes, rows, stats } = content;
    let name = format!("part-{}.parquet", &blake3::hash(&bytes).to_hex()[..32]);
    let path = match (table.partition(), partition) {
        (Some(column), Some(value)) => format!("{column}={value}/{name}"),
        _ => name,
    };
    let length = bytes.len() as u64;
    home.put(&name_of(table, &path), bytes)?;
    Ok(DataFile { path, partition: partition.map(str::to_owned), rows: rows as u64, bytes: length, stats: Some(stats) })
}

/// Name of a table's file, relative to the store.
pub(super) fn name_of(table: TableName, path: &str) -> String {
    format!("{}/{path}", table.folder())
}

pub(super) fn damaged(table: TableName, error: &dyn std::error::Error) -> StoreError {
    StoreError::Damaged { table: table.folder(), reason: error.to_string() }
}

fn encode(columns: &[DiskColumn], batch: &RecordBatch) -> Result<Vec<u8>, parquet::errors::ParquetError> {
    let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties(columns)?))?;
    writer.write(batch)?;
    writer.into_inner()
}

/// Rows of a file in which each column has no value.
pub(super) type NullCounts = BTreeMap<String, usize>;

fn nulls_of(batch: &RecordBatch) -> NullCounts {
    let columns = batch.schema_ref().fields().iter().zip(batch.columns());
    columns.map(|(field, column)| (field.name().clone(), column.logical_null_count())).collect()
}

/// What files and columns are chosen by: the number of rows, first and last day where there is one, and the columns that
/// have a value in every row or in none (such a column need not be read to know where it has one).
pub(super) fn stats(batch: &RecordBatch, nulls: &NullCounts) -> String {
    let rows = batch.num_rows();
    let whole: BTreeMap<&str, usize> =
        nulls.iter().map(|(name, nulls)| (name.as_str(), *nulls)).filter(|(_, nulls)| is_whole(*nulls, rows)).collect();
    let mut stats = serde_json::json!({ "numRecords": rows, "nullCount": whole });
    for name in ["session_date", "assessment_date"] {
        if let Some((first, last)) = days_in(batch, name) {
            stats["minValues"] = serde_json::json!({ name: first.to_string() });
            stats["maxValues"] = serde_json::json!({ name: last.to_string() });
        }
    }
    stats.to_string()
}

/// What the log says of a file of which only some columns have changed, their nulls as they are now; `None` where it says
/// too little.
pub(super) fn stats_after(file: &DataFile, changed: &NullCounts) -> Option<String> {
    let mut stats: serde_json::Value = serde_json::from_str(file.stats.as_deref()?).ok()?;
    let nulls = stats.get_mut("nullCount")?.as_object_mut()?;
    for (name, count) in changed {
        if is_whole(*count, usize::try_from(file.rows).ok()?) {
            nulls.insert(name.clone(), (*count).into());
        } else {
            nulls.remove(name);
        }
    }
    Some(stats.to_string())
}

fn is_whole(nulls: usize, rows: usize) -> bool {
    nulls == 0 || nulls == rows
}

fn days_in(batch: &RecordBatch, name: &str) -> Option<(Day, Day)> {
    let days = batch.column_by_name(name)?.as_primitive_opt::<Date32Type>()?;
    Some((Day(arrow::compute::min(days)?), Day(arrow::compute::max(days)?)))
}

/// What [`stats`] wrote.
#[derive(Default, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Stats {
    null_count: NullCounts,
    min_values: Days,
    max_values: Days,
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Days {
    session_date: Option<String>,
}

impl Stats {
    fn of(file: &DataFile) -> Stats {
        file.stats.as_deref().and_then(|stats| serde_json::from_str(stats).ok()).unwrap_or_default()
    }
}

/// The rows of a file in which each column has no value, for the columns of which the log says so.
pub(super) fn null_counts(file: &DataFile) -> NullCounts {
    Stats::of(file).null_count
}

/// First and last day of a file's sessions, if the log says so.
pub(super) fn session_days(file: &DataFile) -> Option<(Day, Day)> {
    let Stats { min_values, max_values, .. } = Stats::of(file);
    let day = |days: Days| Day::from_iso(&days.session_date?);
    Some((day(min_values)?, day(max_values)?))
}

/// Where the log says something of a file's days or columns that is not so.
pub(super) fn contradiction(table: TableName, file: &DataFile, rows: &RecordBatch) -> Option<String> {
    let nulls = nulls_of(rows);
    let said = null_counts(file);
    let mut wrong: Vec<&str> =
        said.iter().filter(|(name, count)| nulls.get(*name) != Some(count)).map(|(name, _)| name.as_str()).collect();
    if session_days(file).is_some_and(|days| Some(days) != days_in(rows, "session_date")) {
        wrong.push("session_date");
    }
    let name = name_of(table, &file.path);
    (!wrong.is_empty()).then(|| format!("{name}: the log is wrong about {}", wrong.join(", ")))
}

/// Opens a data file to read columns of it (`None` = all).
///
/// # Errors
/// When it is not there.
pub(super) fn open(
    home: &Home,
    table: TableName,
    (file, wanted): (&DataFile, Option<&[&str]>),
) -> Result<Opened, StoreError> {
    home.open((&name_of(table, &file.path), file.bytes), wanted)
}

/// Reads columns of a data file (`None` = all), each as the schema has it.
///
/// # Errors
/// When the file is not there or is damaged.
pub(super) fn read(
    home: &Home,
    table: TableName,
    (file, wanted): (&DataFile, Option<&[&str]>),
) -> Result<RecordBatch, StoreError> {
    let batch = read_some(home, table, (file, wanted), None)?;
    if batch.num_rows() as u64 != file.rows {
        let reason = format!("{} has {} rows where the log says {}", file.path, batch.num_rows(), file.rows);
        return Err(StoreError::Damaged { table: table.folder(), reason });
    }
    Ok(batch)
}

/// Reads some rows of a data file, in order.
///
/// # Errors
/// When the file is not there or is damaged.
pub(super) fn read_rows(
    home: &Home,
    table: TableName,
    file: &DataFile,
    rows: &[u32],
) -> Result<RecordBatch, StoreError> {
    let ranges = rows.iter().map(|row| *row as usize..*row as usize + 1);
    let all = usize::try_from(file.rows).unwrap_or(usize::MAX);
    let batch = read_some(home, table, (file, None), Some(RowSelection::from_consecutive_ranges(ranges, all)))?;
    if batch.num_rows() != rows.len() {
        let reason = format!("{} lacks rows that its keys name", file.path);
        return Err(StoreError::Damaged { table: table.folder(), reason });
    }
    Ok(batch)
}

fn read_some(
    home: &Home,
    table: TableName,
    (file, wanted): (&DataFile, Option<&[&str]>),
    rows: Option<RowSelection>,
) -> Result<RecordBatch, StoreError> {
    let opened = open(home, table, (file, wanted))?;
    let of_file = |error: &dyn std::error::Error| StoreError::Damaged {
        table: table.folder(),
        reason: format!("{}: {error}", file.path),
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| of_file(&error))?;
    let columns: Vec<DiskColumn> = columns::of_file(table, builder.schema())
        .into_iter()
        .filter(|column| wanted.is_none_or(|wanted| wanted.contains(&column.name.as_str())))
        .collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let at_once = usize::try_from(file.rows).unwrap_or(usize::MAX).max(1);
    let mut builder = builder.with_projection(mask).with_batch_size(at_once);
    if let Some(rows) = rows {
        builder = builder.with_row_selection(rows);
    }
    let reader = builder.build().map_err(|error| of_file(&error))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|error| of_file(&error))?;
    let schema = columns::schema(&columns);
    let found: Result<Vec<RecordBatch>, ArrowError> =
        batches.iter().map(|batch| as_schema(batch, &columns, &schema)).collect();
    let batch = found.and_then(|batches| arrow::compute::concat_batches(&schema, &batches));
    batch.map_err(|error| of_file(&error))
}

/// Columns in the order of the schema; a column that the file lacks (an older one) is missing throughout.
pub(super) fn as_schema(
    batch: &RecordBatch,
    columns: &[DiskColumn],
    schema: &arrow::datatypes::SchemaRef,
) -> Result<RecordBatch, ArrowError> {
    let column = |column: &DiskColumn| -> Result<ArrayRef, ArrowError> {
        match (batch.column_by_name(&column.name), column.holds) {
            (None, holds) => Ok(arrow::array::new_null_array(&holds.arrow(), batch.num_rows())),
            (Some(found), Holds::Code(codes)) => rows::in_catalogue_order(found, codes),
            (Some(found), holds) if *found.data_type() == holds.arrow() => Ok(found.clone()),
            (Some(found), holds) => arrow::compute::cast(found, &holds.arrow()),
        }
    };
    RecordBatch::try_new(schema.clone(), columns.iter().map(column).collect::<Result<_, _>>()?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{Date32Array, Int32Array};
    use std::sync::Arc;

    fn rows(days: Vec<i32>, partly: Vec<Option<i32>>) -> RecordBatch {
        let nothing = Arc::new(Int32Array::new_null(days.len())) as ArrayRef;
        let partly = Arc::new(Int32Array::from(partly)) as ArrayRef;
        let days = Arc::new(Date32Array::from(days)) as ArrayRef;
        RecordBatch::try_from_iter([("session_date", days), ("passes", partly), ("lot", nothing)]).unwrap()
    }

    fn described(rows: &RecordBatch) -> DataFile {
        let stats = Some(stats(rows, &nulls_of(rows)));
        DataFile { path: "part-0.parquet".to_owned(), partition: None, rows: rows.num_rows() as u64, bytes: 0, stats }
    }

    #[test]
    fn the_log_tells_days_and_columns_that_are_full_or_empty() {
        let file = described(&rows(vec![20_000, 19_990, 20_003], vec![Some(1), None, Some(2)]));
        let full_or_empty = [("session_date".to_owned(), 0), ("lot".to_owned(), 3)];
        assert_eq!(null_counts(&file), NullCounts::from(full_or_empty));
        assert_eq!(session_days(&file), Some((Day(19_990), Day(20_003))));
        let none = described(&rows(vec![], vec![]));
        assert_eq!(session_days(&none), None);
    }

    #[test]
    fn a_log_that_is_wrong_about_its_file_is_told() {
        let before = rows(vec![20_000, 20_001], vec![None, Some(1)]);
        let file = described(&before);
        assert_eq!(contradiction(TableName::Sessions, &file, &before), None);
        let told = contradiction(TableName::Sessions, &file, &rows(vec![20_000, 20_002], vec![None, Some(1)]));
        assert_eq!(told.as_deref(), Some("sessions/part-0.parquet: the log is wrong about session_date"));
        let full = described(&rows(vec![20_000, 20_001], vec![Some(2), Some(1)]));
        let told = contradiction(TableName::Sessions, &full, &before);
        assert_eq!(told.as_deref(), Some("sessions/part-0.parquet: the log is wrong about passes"));
    }
}
