//! Parquet files.

use super::record_batches::{self, Batches};
use super::seekable::Seekable;
use super::{IngestError, ReadOptions, Records, Source};
use ::parquet::arrow::ARROW_SCHEMA_META_KEY;
use ::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
};
use ::parquet::errors::ParquetError;
use ::parquet::file::metadata::KeyValue;
use arrow::datatypes::{DataType, Field, Schema};
use arrow::ipc::convert::try_schema_from_ipc_buffer;
use base64::prelude::{BASE64_STANDARD, Engine};
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
    let told = metadata.metadata().file_metadata().key_value_metadata().and_then(|pairs| written_schema(pairs));
    let schema = viewed(&in_zones(metadata.schema(), told.as_ref()));
    let viewed = ArrowReaderOptions::new().with_schema(Arc::new(schema));
    // Where the hint does not fit, the text is copied as usual.
    let metadata = ArrowReaderMetadata::try_new(Arc::clone(metadata.metadata()), viewed).unwrap_or(metadata);
    ParquetRecordBatchReaderBuilder::new_with_metadata(file, metadata).with_batch_size(BATCH_ROWS).build()
}

/// The Arrow schema of the program that wrote the file, where it left one.
fn written_schema(pairs: &[KeyValue]) -> Option<Schema> {
    let text = pairs.iter().find(|pair| pair.key == ARROW_SCHEMA_META_KEY)?.value.as_ref()?;
    try_schema_from_ipc_buffer(&BASE64_STANDARD.decode(text).ok()?).ok()
}

/// The schema with moments in the zones in which they were written. The reader takes these over only where the unit is
/// Parquet's own, and a moment of whole seconds, which Parquet does not have, would be told by UTC: another day.
fn in_zones(schema: &Schema, told: Option<&Schema>) -> Schema {
    let field = |field: &Arc<Field>| {
        let said = told.and_then(|told| told.field_with_name(field.name()).ok()).map(Field::data_type);
        match (field.data_type(), said) {
            (DataType::Timestamp(unit, Some(_)), Some(DataType::Timestamp(_, zone @ Some(_)))) => {
                Arc::new(field.as_ref().clone().with_data_type(DataType::Timestamp(*unit, zone.clone())))
            }
            _ => Arc::clone(field),
        }
    };
    Schema::new_with_metadata(schema.fields().iter().map(field).collect::<Vec<_>>(), schema.metadata().clone())
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

#[cfg(test)]
mod tests {
    use super::*;
    use ::parquet::arrow::arrow_writer::ArrowWriterOptions;
    use ::parquet::arrow::{ArrowWriter, encode_arrow_schema};
    use ::parquet::file::properties::WriterProperties;
    use arrow::array::{ArrayRef, AsArray, RecordBatch, TimestampMillisecondArray};
    use arrow::datatypes::{TimeUnit, TimestampMillisecondType};
    use std::io::Write;

    /// As a program writes days that it holds as midnights of a zone.
    #[test]
    fn moments_of_whole_seconds_keep_their_zone() {
        let midnight = TimestampMillisecondArray::from(vec![1_740_783_600_000]).with_timezone("UTC");
        let rows = RecordBatch::try_from_iter([("day", Arc::new(midnight) as ArrayRef)]).unwrap();
        let seconds = DataType::Timestamp(TimeUnit::Second, Some("Europe/Berlin".into()));
        let told = encode_arrow_schema(&Schema::new(vec![Field::new("day", seconds, true)]));
        let told = KeyValue::new(ARROW_SCHEMA_META_KEY.to_owned(), told);
        let properties = WriterProperties::builder().set_key_value_metadata(Some(vec![told])).build();
        let options = ArrowWriterOptions::new().with_skip_arrow_metadata(true).with_properties(properties);
        let mut writer = ArrowWriter::try_new_with_options(Vec::new(), rows.schema(), options).unwrap();
        writer.write(&rows).unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(&writer.into_inner().unwrap()).unwrap();
        let read = reader(file).unwrap().next().unwrap().unwrap();
        let days = read.column(0).as_primitive::<TimestampMillisecondType>();
        assert_eq!(days.timezone(), Some("Europe/Berlin"));
        let zone = days.timezone().unwrap().parse().unwrap();
        assert_eq!(days.value_as_datetime_with_tz(0, zone).unwrap().to_rfc3339(), "2025-03-01T00:00:00+01:00");
    }
}
