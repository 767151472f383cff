//! Sessions as the bytes of a Parquet file, column after column: a column is made, encoded and dropped before the next
//! (as many at once as there are threads), so that a file of a million rows and two hundred columns never stands in
//! memory as rows.

use super::columns::{self, DiskColumn, Holds};
use arrow::array::{Array, ArrayRef};
use arrow::datatypes::Field;
use arrow::error::ArrowError;
use bytes::Bytes;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowColumnChunk, ArrowColumnWriter, compute_leaves};
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::properties::ReaderProperties;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::file::reader::FileReader;
use parquet::file::serialized_reader::{ReadOptionsBuilder, SerializedFileReader};
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Rows of a row group.
pub(super) const GROUP_ROWS: usize = 1 << 20;
/// Rows of a page.
const PAGE_ROWS: usize = 128 << 10;

/// Some columns of a file, one after another, which are made when they are encoded.
pub(super) struct Piece<'a> {
    columns: usize,
    arrays: Box<dyn Fn() -> Result<Vec<ArrayRef>, ArrowError> + Send + Sync + 'a>,
}

impl<'a> Piece<'a> {
    /// So many columns.
    pub(super) fn new(
        columns: usize,
        arrays: impl Fn() -> Result<Vec<ArrayRef>, ArrowError> + Send + Sync + 'a,
    ) -> Piece<'a> {
        Piece { columns, arrays: Box::new(arrays) }
    }
}

/// The columns of pieces, one piece after another.
pub(super) fn arrays<'a>(
    pieces: impl IntoIterator<Item = Piece<'a>>,
) -> impl Iterator<Item = Result<ArrayRef, ArrowError>> {
    pieces.into_iter().flat_map(|piece| match (piece.arrays)() {
        Ok(arrays) => arrays.into_iter().map(Ok).collect(),
        Err(error) => vec![Err(error)],
    })
}

/// A file's bytes, and how many rows of each column have no value.
pub(super) struct Encoded {
    pub(super) bytes: Vec<u8>,
    pub(super) nulls: Vec<usize>,
}

/// The columns of a file of one row group, in their order, several at a time. Each array may be narrower than its
/// column, as long as Parquet keeps both alike: keys of a dictionary for text, 32 bits for a short measure.
pub(super) fn encode(columns: &[DiskColumn], pieces: &[Piece<'_>]) -> Result<Encoded, ParquetError> {
    let writer = ArrowWriter::try_new(Vec::new(), columns::schema(columns), Some(properties(columns)?))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let mut of_columns = columns.iter().zip(factory.create_column_writers(0)?);
    let with_writers = pieces.iter().map(|piece| (piece, of_columns.by_ref().take(piece.columns).collect()));
    let with_writers: Vec<(&Piece<'_>, Vec<(&DiskColumn, ArrowColumnWriter)>)> = with_writers.collect();
    let encoded = with_writers.into_par_iter().map(|(piece, writers)| {
        let encoded = writers.into_iter().zip((piece.arrays)()?).map(|((column, writer), array)| {
            let nulls = array.logical_null_count();
            Ok((chunk(column, &array, writer)?, nulls))
        });
        encoded.collect::<Result<Vec<_>, ParquetError>>()
    });
    let encoded: Vec<Vec<(ArrowColumnChunk, usize)>> = encoded.collect::<Result<_, _>>()?;
    let mut group = file.next_row_group()?;
    let mut nulls = Vec::with_capacity(columns.len());
    for (chunk, of_column) in encoded.into_iter().flatten() {
        chunk.append_to_row_group(&mut group)?;
        nulls.push(of_column);
    }
    group.close()?;
    Ok(Encoded { bytes: file.into_inner()?, nulls })
}

/// The bytes of a file with some columns in place of its own, the others copied as they lie. `None` where the file does
/// not have the columns that files have now.
pub(super) fn with_columns(
    columns: &[DiskColumn],
    before: Bytes,
    anew: &BTreeMap<&str, ArrayRef>,
) -> Result<Option<Vec<u8>>, ParquetError> {
    let blooms = ReaderProperties::builder().set_read_bloom_filter(true).build();
    let options = ReadOptionsBuilder::new().with_reader_properties(blooms).with_encoding_stats_as_mask(false).build();
    let reader = SerializedFileReader::new_with_options(before.clone(), options)?;
    let writer = ArrowWriter::try_new(Vec::new(), columns::schema(columns), Some(properties(columns)?))?;
    let (mut file, factory) = writer.into_serialized_writer()?;
    let known = reader.metadata().file_metadata().schema_descr().columns();
    if reader.num_row_groups() != 1 || known != file.schema_descr().columns() {
        return Ok(None);
    }
    let old = reader.get_row_group(0)?;
    let writers = factory.create_column_writers(0)?;
    let mut group = file.next_row_group()?;
    for (at, (column, writer)) in columns.iter().zip(writers).enumerate() {
        if let Some(array) = anew.get(column.name.as_str()) {
            chunk(column, array, writer)?.append_to_row_group(&mut group)?;
            continue;
        }
        let metadata = old.metadata().column(at).clone();
        let close = ColumnCloseResult {
            bytes_written: u64::try_from(metadata.compressed_size()).unwrap_or_default(),
            rows_written: u64::try_from(old.metadata().num_rows()).unwrap_or_default(),
            metadata,
            bloom_filter: old.get_column_bloom_filter(at).cloned(),
            column_index: None,
            offset_index: None,
        };
        group.append_column(&before, close)?;
    }
    group.close()?;
    file.into_inner().map(Some)
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
        // Nobody looks a page up: a column is read whole. So a copied column is the same as one that is written.
        .set_offset_index_disabled(true)
        .set_compression(Compression::UNCOMPRESSED)
        .set_created_by(concat!("stipple ", env!("CARGO_PKG_VERSION")).to_owned());
    let zstd = Compression::ZSTD(ZstdLevel::try_new(1)?);
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

#[cfg(test)]
mod tests {
    use super::super::rows::coded;
    use super::*;
    use arrow::array::{BooleanArray, Date32Array, Decimal128Array, Int32Array, Int64Array, StringArray, UInt8Array};
    use std::sync::Arc;

    const CODES: &[&str] = &["pen", "rf"];

    fn columns() -> Vec<DiskColumn> {
        vec![
            DiskColumn::new("session_id", Holds::Text),
            DiskColumn::new("clinic_id", Holds::Label),
            DiskColumn::new("modality", Holds::Code(CODES)),
            DiskColumn::new("pih_present", Holds::Flag),
            DiskColumn::new("needle_depth_mm", Holds::Measure(9)),
            DiskColumn::new("rf_energy_mj", Holds::Measure(12)),
            DiskColumn::new("passes", Holds::Whole),
            DiskColumn::new("line", Holds::Long),
            DiskColumn::new("row_hash", Holds::Long),
            DiskColumn::new("session_date", Holds::Date),
        ]
    }

    /// Rows of which each value follows from the number of the row and `of`.
    fn arrays(of: i64) -> Vec<ArrayRef> {
        let rows = 0..5000i64;
        let measure = |digits: u8| {
            let values = rows.clone().map(|row| (row % 7 != 0).then(|| i128::from((row + of) % 90) * 50_000));
            let measure: Decimal128Array = values.collect();
            Arc::new(measure.with_precision_and_scale(digits, 6).unwrap()) as ArrayRef
        };
        let longs = || Arc::new(rows.clone().map(|row| row * 31 + of).collect::<Int64Array>()) as ArrayRef;
        let codes: UInt8Array = rows.clone().map(|row| Some(u8::from((row + of) % 3 == 0))).collect();
        let whole = |row: i64| i32::try_from((row + of) % 11).unwrap();
        vec![
            Arc::new(rows.clone().map(|row| Some(format!("s{}", row + of))).collect::<StringArray>()),
            Arc::new(rows.clone().map(|row| Some(format!("clinic {}", (row + of) % 9))).collect::<StringArray>()),
            Arc::new(coded(codes, CODES).unwrap()),
            Arc::new(rows.clone().map(|row| (row % 5 > 0).then_some((row + of) % 2 == 0)).collect::<BooleanArray>()),
            measure(9),
            measure(12),
            Arc::new(rows.clone().map(|row| (row % 4 > 0).then(|| whole(row))).collect::<Int32Array>()),
            longs(),
            longs(),
            Arc::new(rows.clone().map(|row| Some(20_000 + whole(row))).collect::<Date32Array>()),
        ]
    }

    fn whole(arrays: &[ArrayRef]) -> Vec<u8> {
        let piece = |few: &'_ [ArrayRef]| {
            let few = few.to_vec();
            Piece::new(few.len(), move || Ok(few.clone()))
        };
        encode(&columns(), &arrays.chunks(3).map(piece).collect::<Vec<_>>()).unwrap().bytes
    }

    /// The bytes before the footer, and what the footer says. (It says bounds twice, as older readers know them too,
    /// but only of columns that are encoded anew.)
    fn footer(file: &[u8]) -> (&[u8], String) {
        let file_length = file.len();
        let length = u32::from_le_bytes(std::array::from_fn(|at| file[file_length - 8 + at])) as usize;
        let options = ReadOptionsBuilder::new().with_encoding_stats_as_mask(false).build();
        let reader = SerializedFileReader::new_with_options(Bytes::copy_from_slice(file), options).unwrap();
        (&file[..file_length - 8 - length], format!("{:#?}", reader.metadata()))
    }

    #[test]
    fn a_file_with_some_columns_anew_is_the_file_that_would_be_written_whole() {
        let (columns, before, after) = (columns(), arrays(0), arrays(1));
        let old = Bytes::from(whole(&before));
        for changed in [&[][..], &[0], &[1, 2, 4], &[3, 9], &[5, 6, 7, 8], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]] {
            let anew = changed.iter().map(|at| (columns[*at].name.as_str(), after[*at].clone())).collect();
            let at = |at: usize| if changed.contains(&at) { after[at].clone() } else { before[at].clone() };
            let expected = whole(&(0..columns.len()).map(at).collect::<Vec<_>>());
            let found = with_columns(&columns, old.clone(), &anew).unwrap().unwrap();
            let (found, expected) = (footer(&found), footer(&expected));
            assert_eq!(found.1, expected.1, "columns {changed:?}");
            assert!(found.0 == expected.0, "columns {changed:?}");
        }
    }

    #[test]
    fn a_file_of_other_columns_is_not_patched() {
        let old = Bytes::from(whole(&arrays(0)));
        let mut wider = columns();
        wider.push(DiskColumn::new("lot", Holds::Label));
        assert!(with_columns(&wider, old, &BTreeMap::new()).unwrap().is_none());
        assert!(with_columns(&wider, Bytes::from_static(b"no file"), &BTreeMap::new()).is_err());
    }
}
