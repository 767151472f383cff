//! A Parquet file of a bucket of which only what is wanted is fetched: its footer, and the columns that are read.

use crate::bucket::BucketError;
use bytes::{Buf, Bytes};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ParquetMetaData, ParquetMetaDataReader};
use parquet::file::reader::{ChunkReader, Length};
use std::ops::Range;

/// A file up to this size is fetched whole: one request.
const WHOLE_BYTES: u64 = 1 << 20;
/// What is fetched of a larger file first, from its end: nearly always more than its footer.
const END_BYTES: u64 = 256 << 10;
/// Length of the footer, and `PAR1`.
const TAIL_BYTES: usize = 8;

/// Fetches ranges of the file.
type Fetch<'a> = dyn Fn(&[Range<u64>]) -> Result<Vec<Bytes>, BucketError> + 'a;

/// Parts of a file, each with the place where it begins.
pub(super) struct Pieces {
    bytes: u64,
    pieces: Vec<(u64, Bytes)>,
}

impl Pieces {
    /// Of a file of so many bytes, what is needed to read the columns that are `wanted` (`None` = all). What is damaged
    /// is fetched whole: the reader tells what is wrong with it.
    pub(super) fn fetch(bytes: u64, wanted: Option<&[&str]>, fetch: &Fetch<'_>) -> Result<Pieces, BucketError> {
        let mut pieces = Pieces { bytes, pieces: Vec::new() };
        let Some(wanted) = wanted.filter(|_| bytes > WHOLE_BYTES) else {
            pieces.add(std::iter::once(0..bytes).collect(), fetch)?;
            return Ok(pieces);
        };
        pieces.add(std::iter::once(bytes - END_BYTES..bytes).collect(), fetch)?;
        let footer = pieces.footer_bytes().filter(|footer| *footer <= bytes);
        if let Some(footer) = footer.filter(|footer| *footer > END_BYTES) {
            pieces.pieces.clear();
            pieces.add(std::iter::once(bytes - footer..bytes).collect(), fetch)?;
        }
        let metadata = footer.and_then(|_| ParquetMetaDataReader::new().parse_and_finish(&pieces).ok());
        let ranges =
            metadata.map_or_else(|| std::iter::once(0..bytes).collect(), |metadata| columns(&metadata, wanted));
        pieces.add(ranges, fetch)?;
        Ok(pieces)
    }

    fn add(&mut self, ranges: Vec<Range<u64>>, fetch: &Fetch<'_>) -> Result<(), BucketError> {
        let got = fetch(&ranges)?;
        self.pieces.extend(ranges.into_iter().map(|range| range.start).zip(got));
        Ok(())
    }

    /// Bytes of the footer and what stands behind it.
    fn footer_bytes(&self) -> Option<u64> {
        let mut tail = self.get_bytes(self.bytes - TAIL_BYTES as u64, TAIL_BYTES).ok()?;
        Some(u64::from(tail.get_u32_le()) + TAIL_BYTES as u64)
    }

    fn from(&self, start: u64) -> Option<Bytes> {
        self.pieces.iter().find_map(|(begins, piece)| {
            let skipped = usize::try_from(start.checked_sub(*begins)?).ok()?;
            (skipped < piece.len()).then(|| piece.slice(skipped..))
        })
    }
}

/// Where the columns lie, neighbours as one range.
fn columns(metadata: &ParquetMetaData, wanted: &[&str]) -> Vec<Range<u64>> {
    let groups = metadata.row_groups().iter().flat_map(|group| group.columns());
    let is_wanted = |path: &str| wanted.contains(&path.split('.').next().unwrap_or_default());
    let mut ranges: Vec<Range<u64>> = groups
        .filter(|column| is_wanted(&column.column_path().string()))
        .map(|column| column.byte_range())
        .map(|(start, length)| start..start + length)
        .collect();
    ranges.sort_by_key(|range| range.start);
    ranges.dedup_by(|next, range| {
        let adjoins = next.start <= range.end;
        if adjoins {
            range.end = range.end.max(next.end);
        }
        adjoins
    });
    ranges
}

fn not_fetched(start: u64) -> ParquetError {
    ParquetError::EOF(format!("the bytes from {start} on are not there"))
}

impl Length for Pieces {
    fn len(&self) -> u64 {
        self.bytes
    }
}

impl ChunkReader for Pieces {
    type T = bytes::buf::Reader<Bytes>;

    fn get_read(&self, start: u64) -> Result<Self::T, ParquetError> {
        self.from(start).map(Buf::reader).ok_or_else(|| not_fetched(start))
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        let piece = self.from(start).filter(|piece| piece.len() >= length);
        piece.map(|piece| piece.slice(..length)).ok_or_else(|| not_fetched(start))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, Int64Array, RecordBatch, StringArray};
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    use parquet::arrow::{ArrowWriter, ProjectionMask};
    use std::sync::{Arc, Mutex};

    /// A file of several MiB whose columns are `a`, `b`, `c`.
    fn file() -> Bytes {
        let text = |n: usize| blake3::hash(&n.to_le_bytes()).to_hex().to_string();
        let columns: [(&str, ArrayRef); 3] = [
            ("a", Arc::new((0..40_000).map(|n| Some(text(n))).collect::<StringArray>())),
            ("b", Arc::new(Int64Array::from_iter_values(0..40_000))),
            ("c", Arc::new((0..40_000).map(|n| Some(text(n + 1))).collect::<StringArray>())),
        ];
        let batch = RecordBatch::try_from_iter(columns).unwrap();
        let mut writer = ArrowWriter::try_new(Vec::new(), batch.schema(), None).unwrap();
        writer.write(&batch).unwrap();
        writer.into_inner().unwrap().into()
    }

    #[test]
    fn only_the_columns_that_are_read_are_fetched() {
        let file = file();
        assert!(file.len() as u64 > 2 * WHOLE_BYTES);
        let fetched = Mutex::new(0);
        let fetch = |ranges: &[Range<u64>]| {
            *fetched.lock().unwrap() += ranges.iter().map(|range| range.end - range.start).sum::<u64>();
            let at = |range: &Range<u64>| usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap();
            Ok(ranges.iter().map(|range| file.slice(at(range))).collect())
        };
        let pieces = Pieces::fetch(file.len() as u64, Some(&["b"]), &fetch).unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.clone()).unwrap();
        let mask = ProjectionMask::columns(builder.parquet_schema(), ["b"]);
        let whole: Vec<RecordBatch> =
            builder.with_projection(mask.clone()).build().unwrap().collect::<Result<_, _>>().unwrap();
        let builder = ParquetRecordBatchReaderBuilder::try_new(Opened::Pieces(pieces)).unwrap();
        let parts: Vec<RecordBatch> = builder.with_projection(mask).build().unwrap().collect::<Result<_, _>>().unwrap();
        assert_eq!(parts, whole);
        assert!(*fetched.lock().unwrap() < file.len() as u64 / 2, "{fetched:?}");
        *fetched.lock().unwrap() = 0;
        Pieces::fetch(file.len() as u64, None, &fetch).unwrap();
        assert_eq!(*fetched.lock().unwrap(), file.len() as u64);
    }

    use super::super::home::Opened;
}
