//! Parquet files.

use super::record_batches::{self, Batches};
use super::seekable::Seekable;
use super::{IngestError, ReadOptions, Records, Source};
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use arrow::datatypes::{DataType, Field, Schema};
use std::fs::File;
use std::sync::Arc;

pub(super) const EXTENSIONS: &[&str] = &["parquet", "pq"];
const WHAT: &str = "a Parquet file";
/// Rows that are decoded at once.
const BATCH_ROWS: usize = 1024;
const MAGIC: &[u8] = b"PAR1";
const MAGIC_ENCRYPTED: &[u8] = b"PARE";

pub(super) fn open(source: Source, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let file_id = source.file;
    let input = Seekable::new(source, EXTENSIONS)?;
    let (first, last) = input.ends(4)?;
    if first.is_empty() {
        return Err(IngestError::Empty { path: input.path });
    }
    if first == MAGIC_ENCRYPTED || last == MAGIC_ENCRYPTED {
        return Err(IngestError::Encrypted { path: input.path });
    }
    if first != MAGIC {
        return Err(IngestError::OtherFormat { path: input.path, expected: WHAT });
    }
    if last != MAGIC || input.bytes < 12 {
        let detail = "it ends before its footer".to_owned();
        return Err(IngestError::Broken { path: input.path, format: WHAT, detail });
    }
    let file = input.reader()?;
    let decode = move || -> Result<Batches, String> {
        let reader = reader(file).map_err(|error| error.to_string())?;
        Ok(Box::new(reader))
    };
    record_batches::start(input, WHAT, (file_id, options.decimal_comma), decode)
}

fn reader(file: File) -> Result<ParquetRecordBatchReader, ParquetError> {
    let metadata = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new())?;
    let viewed = ArrowReaderOptions::new().with_schema(Arc::new(viewed(metadata.schema())));
    // Where the hint does not fit, the text is copied as usual.
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), viewed).unwrap_or(metadata);
    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH_ROWS).build()
}

/// The schema with text as views into the decoded pages: a long text that a dictionary holds once and that every row
/// repeats is then in memory once.
fn viewed(schema: &Schema) -> Schema {
    let field = |field: &Arc<Field>| {
        let text = match field.data_type() {
            DataType::Dictionary(_, values) => matches!(**values, DataType::Utf8 | DataType::LargeUtf8),
            of => matches!(of, DataType::Utf8 | DataType::LargeUtf8),
        };
        if text { Arc::new(field.as_ref().clone().with_data_type(DataType::Utf8View)) } else { Arc::clone(field) }
    };
    Schema::new_with_metadata(schema.fields().iter().map(field).collect::<Vec<_>>(), schema.metadata().clone())
}
