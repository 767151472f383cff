//! Sessions as the bytes of a Parquet file, column after column: a column is made, encoded and dropped before the next,
//! so that a file of a million rows and two hundred columns never stands in memory as rows.

use super::columns::{self, DiskColumn, Holds};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

/// Rows of a row group.
pub(super) const GROUP_ROWS: usize = 1 << 20;
/// Rows of a page.
const PAGE_ROWS: usize = 128 << 10;

/// The columns of a file of one row group, in their order. Each array may be narrower than its column, as long as
/// Parquet keeps both alike: keys of a dictionary for text, 32 bits for a short measure.
pub(super) fn encode(
    columns: &[DiskColumn],
    arrays: impl Iterator<Item = Result<ArrayRef, ArrowError>>,
) -> Result<Vec<u8>, ParquetError> {
    let writer = ArrowWriter::try_new(Vec::new(), columns::schema(columns), Some(properties(columns)?))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let writers = factory.create_column_writers(0)?;
    let mut chunks = Vec::with_capacity(columns.len());
    for ((column, array), writer) in columns.iter().zip(arrays).zip(writers) {
        chunks.push(chunk(column, &array?, writer)?);
    }
    let mut group = file.next_row_group()?;
    for chunk in chunks {
        chunk.append_to_row_group(&mut group)?;
    }
    group.close()?;
    file.into_inner()
}

fn chunk(
    column: &DiskColumn,
    array: &ArrayRef,
    mut writer: ArrowColumnWriter,
) -> Result<ArrowColumnChunk, ParquetError> {
    let field = Field::new(&column.name, array.data_type().clone(), !column.required);
    for leaf in compute_leaves(&field, array)? {
        writer.write(&leaf)?;
    }
    writer.close()
}

pub(super) fn properties(columns: &[DiskColumn]) -> Result<WriterProperties, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_max_row_group_row_count(Some(GROUP_ROWS))
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_write_batch_size(8192)
        .set_statistics_enabled(EnabledStatistics::Chunk)
        .set_compression(Compression::UNCOMPRESSED)
        .set_created_by(concat!("stipple ", env!("CARGO_PKG_VERSION")).to_owned());
    let zstd = Compression::ZSTD(ZstdLevel::try_new(3)?);
    for column in columns {
        properties = column_properties(properties, column, zstd);
    }
    Ok(properties.build())
}

fn column_properties(
    properties: WriterPropertiesBuilder,
    column: &DiskColumn,
    zstd: Compression,
) -> WriterPropertiesBuilder {
    let path = || ColumnPath::from(column.name.as_str());
    // Every file holds nearly every code and word, and hashes are spread: their bounds choose no file, and comparing
    // texts takes longer than encoding them.
    let properties = match column.holds {
        Holds::Measure(_) | Holds::Whole | Holds::Date => properties,
        Holds::Long if !is_hash(column) => properties,
        _ => properties.set_column_statistics_enabled(path(), EnabledStatistics::None),
    };
    match column.holds {
        Holds::Text => {
            let searched = matches!(column.name.as_str(), "session_id" | "patient_id");
            properties
                .set_column_compression(path(), zstd)
                .set_column_dictionary_enabled(path(), column.name == "patient_id")
                .set_column_bloom_filter_enabled(path(), searched)
        }
        // Hashes do not shrink, and are read whole to find a session.
        Holds::Long if is_hash(column) => {
            properties.set_column_dictionary_enabled(path(), false).set_column_encoding(path(), Encoding::PLAIN)
        }
        Holds::Long | Holds::Date => properties
            .set_column_dictionary_enabled(path(), false)
            .set_column_encoding(path(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(path(), zstd),
        Holds::Flag => properties.set_column_dictionary_enabled(path(), false),
        Holds::Label | Holds::Code(_) | Holds::Measure(_) | Holds::Whole => properties,
    }
}

fn is_hash(column: &DiskColumn) -> bool {
    column.name.contains("_key_") || column.name == "row_hash"
}
