//! Data files of a table: Parquet, written whole under the hash of their content, and safe before any log names them.

use super::columns::{self, DiskColumn, Holds, TableName};
use super::encoding::properties;
use super::error::StoreError;
use super::home::{Home, Opened};
use super::rows;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use arrow::error::ArrowError;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::arrow::{ArrowWriter, ProjectionMask};

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
    let bytes = encode(&table.columns(), batch).map_err(|error| damaged(table, &error))?;
    put(home, table, partition, Content { bytes, rows: batch.num_rows(), stats: stats(batch) })
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

/// Number of rows and, where there is one, first and last day: what files are chosen by.
pub(super) fn stats(batch: &RecordBatch) -> String {
    let mut stats = serde_json::json!({ "numRecords": batch.num_rows() });
    for name in ["session_date", "assessment_date"] {
        let Some(days) = batch.column_by_name(name).and_then(|days| days.as_primitive_opt::<Date32Type>()) else {
            continue;
        };
        if let (Some(first), Some(last)) = (arrow::compute::min(days), arrow::compute::max(days)) {
            let day = |day: i32| crate::domain::Day(day).to_string();
            stats["minValues"] = serde_json::json!({ name: day(first) });
            stats["maxValues"] = serde_json::json!({ name: day(last) });
            stats["nullCount"] = serde_json::json!({ name: days.null_count() });
        }
    }
    stats.to_string()
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
    let opened = open(home, table, (file, wanted))?;
    let of_file = |error: &dyn std::error::Error| StoreError::Damaged {
        table: table.folder(),
        reason: format!("{}: {error}", file.path),
    };
    let builder = ParquetRecordBatchReaderBuilder::try_new(opened).map_err(|error| of_file(&error))?;
    let columns: Vec<DiskColumn> = table
        .columns()
        .into_iter()
        .filter(|column| wanted.is_none_or(|wanted| wanted.contains(&column.name.as_str())))
        .collect();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
    let rows = usize::try_from(file.rows).unwrap_or(usize::MAX).max(1);
    let reader = builder.with_projection(mask).with_batch_size(rows).build().map_err(|error| of_file(&error))?;
    let batches: Vec<RecordBatch> = reader.collect::<Result<_, _>>().map_err(|error| of_file(&error))?;
    let schema = columns::schema(&columns);
    let found: Result<Vec<RecordBatch>, ArrowError> =
        batches.iter().map(|batch| as_schema(batch, &columns, &schema)).collect();
    let batch = found.and_then(|batches| arrow::compute::concat_batches(&schema, &batches));
    let batch = batch.map_err(|error| of_file(&error))?;
    if batch.num_rows() as u64 != file.rows {
        let reason = format!("{} has {} rows where the log says {}", file.path, batch.num_rows(), file.rows);
        return Err(StoreError::Damaged { table: table.folder(), reason });
    }
    Ok(batch)
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
