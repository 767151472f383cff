//! The rows of a month, from wherever they lie, in the order of its file, a column at a time.

use super::columns::{self, DiskColumn, Holds, NUMBER, SAME_IN_BATCH};
use super::rows::{coded, longs, places_in_catalogue, same};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int64Array, RecordBatch, StringArray};
use arrow::buffer::BooleanBuffer;
use arrow::compute::interleave;
use arrow::datatypes::{
    Date32Type, Decimal32Type, Decimal64Type, Decimal128Type, Field, Int32Type, Int64Type, Schema, UInt8Type,
    UInt32Type,
};
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// What all incoming rows of a batch share.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shared<'a> {
    pub(super) source: &'a str,
    pub(super) store_version: i64,
}

/// Part of a list of rows, and row in it.
pub(super) type Place = (usize, usize);

/// Rows in the order of their file.
pub(super) struct Gathered<'a> {
    /// Rows that were in the store before, then incoming ones; the latter lack [`SAME_IN_BATCH`].
    parts: Vec<&'a RecordBatch>,
    before: usize,
    shared: Shared<'a>,
    order: Vec<Place>,
}

/// The columns by which rows are put in order.
pub(super) const ORDERED_BY: [&str; 4] = ["patient_id", "session_date", "session_key_high", "session_key_low"];

/// Where a row stands among others: by source, patient, day and session, so that those of a patient stand together,
/// and the order never depends on the order in which files came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    source: u32,
    patient: [u64; 3],
    day: i32,
    session: (i64, i64),
}

/// The columns by which rows are ranked.
struct Ranking<'a> {
    patients: &'a StringArray,
    days: &'a Date32Array,
    sessions: [&'a Int64Array; 2],
    /// Of rows that were in the store before.
    sources: Option<&'a StringArray>,
}

impl<'a> Ranking<'a> {
    fn of(rows: &'a RecordBatch) -> Option<Ranking<'a>> {
        let long = |name: &str| rows.column_by_name(name)?.as_primitive_opt::<Int64Type>();
        Some(Ranking {
            patients: rows.column_by_name("patient_id")?.as_string_opt()?,
            days: rows.column_by_name("session_date")?.as_primitive_opt::<Date32Type>()?,
            sessions: [long("session_key_high")?, long("session_key_low")?],
            sources: rows.column_by_name("source").and_then(|column| column.as_string_opt()),
        })
    }

    fn rank(&self, row: usize, sources: &[&str], own: &str) -> Rank {
        let source = self.sources.map_or(own, |sources| sources.value(row));
        Rank {
            source: sources.binary_search(&source).ok().and_then(|at| u32::try_from(at).ok()).unwrap_or(0),
            patient: letters(self.patients.value(row)),
            day: self.days.value(row),
            session: (self.sessions[0].value(row), self.sessions[1].value(row)),
        }
    }
}

/// The 24 letters of a pseudonym as numbers that are in the order of the text.
fn letters(text: &str) -> [u64; 3] {
    let mut letters = [0; 24];
    let length = text.len().min(letters.len());
    letters[..length].copy_from_slice(&text.as_bytes()[..length]);
    std::array::from_fn(|part| u64::from_be_bytes(std::array::from_fn(|at| letters[part * 8 + at])))
}

/// The rows at `places` of `parts` in the order of their file; those of parts without a source are of `own`.
pub(super) fn in_order(
    parts: &[&RecordBatch],
    places: impl Iterator<Item = Place>,
    own: &str,
) -> Result<Vec<Place>, ArrowError> {
    let ranked_by: Option<Vec<Ranking<'_>>> = parts.iter().map(|part| Ranking::of(part)).collect();
    let ranked_by = ranked_by.ok_or_else(|| ArrowError::SchemaError("rows lack what orders them".to_owned()))?;
    let mut sources: BTreeSet<&str> = BTreeSet::from([own]);
    for known in ranked_by.iter().filter_map(|ranking| ranking.sources) {
        sources.extend(known.iter().flatten().collect::<BTreeSet<_>>());
    }
    let sources: Vec<&str> = sources.into_iter().collect();
    let rank = |place: Place| (ranked_by[place.0].rank(place.1, &sources, own), place);
    let mut ranked: Vec<(Rank, Place)> = places.map(rank).collect();
    ranked.par_sort_unstable();
    Ok(ranked.into_iter().map(|(_, place)| place).collect())
}

impl<'a> Gathered<'a> {
    /// The rows at `order`; of `parts`, the first `before` were in the store before.
    pub(super) fn new((parts, before): (Vec<&'a RecordBatch>, usize), order: Vec<Place>, shared: Shared<'a>) -> Self {
        Gathered { parts, before, shared, order }
    }

    /// Number of rows.
    pub(super) fn len(&self) -> usize {
        self.order.len()
    }

    /// A column, as [`super::encoding::encode`] takes it.
    pub(super) fn column(&self, column: &DiskColumn) -> Result<ArrayRef, ArrowError> {
        widened(&self.narrow(&column.name)?, column.holds)
    }

    /// Some columns.
    pub(super) fn columns(&self, names: &[&str]) -> Result<RecordBatch, ArrowError> {
        let all = columns::session_rows();
        let wanted = all.iter().filter(|column| names.contains(&column.name.as_str()));
        let arrays = wanted.map(|column| Ok((column.name.clone(), self.column(column)?)));
        RecordBatch::try_from_iter(arrays.collect::<Result<Vec<_>, ArrowError>>()?)
    }

    fn narrow(&self, name: &str) -> Result<ArrayRef, ArrowError> {
        if SAME_IN_BATCH.contains(&name) {
            return self.shared_column(name);
        }
        let index = |part: Option<&&RecordBatch>| part.map(|part| part.schema_ref().index_of(name)).transpose();
        let (old, new) = (index(self.parts[..self.before].first())?, index(self.parts[self.before..].first())?);
        let of = |(at, part): (usize, &&'a RecordBatch)| {
            let index = if at < self.before { old } else { new };
            part.column(index.unwrap_or(0)).as_ref()
        };
        let arrays: Vec<&dyn Array> = self.parts.iter().enumerate().map(of).collect();
        interleave(&arrays, &self.order)
    }

    /// One of [`SAME_IN_BATCH`].
    fn shared_column(&self, name: &str) -> Result<ArrayRef, ArrowError> {
        let shared = |rows: usize| match name {
            "source" => same(self.shared.source, rows),
            _ => longs(std::iter::repeat_n(self.shared.store_version, rows)),
        };
        if self.before == 0 {
            return Ok(shared(self.len()));
        }
        let mut arrays: Vec<ArrayRef> = Vec::with_capacity(self.before + 1);
        for part in &self.parts[..self.before] {
            arrays.push(part.column(part.schema_ref().index_of(name)?).clone());
        }
        arrays.push(shared(1));
        let arrays: Vec<&dyn Array> = arrays.iter().map(AsRef::as_ref).collect();
        let place = |(part, row): &Place| if *part < self.before { (*part, *row) } else { (self.before, 0) };
        interleave(&arrays, &self.order.iter().map(place).collect::<Vec<_>>())
    }
}

/// The numbers of incoming rows.
pub(super) fn numbers(rows: &RecordBatch) -> Option<&arrow::array::UInt32Array> {
    rows.column_by_name(NUMBER)?.as_primitive_opt::<UInt32Type>()
}

/// Rows on their way whose follow-up days are those of `kept`, where it has one, by the number of the row.
pub(super) fn with_follow_ups(
    rows: &RecordBatch,
    kept: &HashMap<u32, crate::domain::Day>,
) -> Result<RecordBatch, ArrowError> {
    let at = rows.schema_ref().index_of("last_follow_up_date")?;
    let (Some(days), Some(numbers)) = (rows.column(at).as_primitive_opt::<Date32Type>(), numbers(rows)) else {
        return Err(ArrowError::SchemaError("rows without numbers or days".to_owned()));
    };
    let day = |(number, own): (&u32, Option<i32>)| kept.get(number).map(|day| day.0).or(own);
    let days: Date32Array = numbers.values().iter().zip(days.iter()).map(day).collect();
    let mut arrays = rows.columns().to_vec();
    arrays[at] = Arc::new(days);
    RecordBatch::try_new(rows.schema(), arrays)
}

/// Rows of the store as narrow as incoming ones.
pub(super) fn narrowed(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let (mut fields, mut arrays) = (Vec::new(), Vec::new());
    for column in columns::session_rows() {
        let index = rows.schema_ref().index_of(&column.name)?;
        fields.push(Field::new(&column.name, column.holds.on_the_way(), !column.required));
        arrays.push(narrowed_column(rows.column(index), column.holds)?);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays)
}

#[expect(clippy::cast_possible_truncation, reason = "a measure has no more digits than its column says")]
fn narrowed_column(array: &ArrayRef, holds: Holds) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::SchemaError("a column of the store is not of its type".to_owned());
    Ok(match (holds, holds.on_the_way()) {
        (Holds::Code(codes), _) => Arc::new(places_in_catalogue(array, codes)?),
        (Holds::Flag, _) => {
            let flags = array.as_boolean_opt().ok_or_else(wrong)?;
            Arc::new(flags.iter().map(|flag| flag.map(u8::from)).collect::<arrow::array::UInt8Array>())
        }
        (Holds::Measure(_), way) => {
            let measures = array.as_primitive_opt::<Decimal128Type>().ok_or_else(wrong)?;
            match way {
                arrow::datatypes::DataType::Int32 => Arc::new(measures.unary::<_, Int32Type>(|value| value as i32)),
                _ => Arc::new(measures.unary::<_, Int64Type>(|value| value as i64)),
            }
        }
        _ => array.clone(),
    })
}

/// A column on its way as Parquet keeps it.
fn widened(array: &ArrayRef, holds: Holds) -> Result<ArrayRef, ArrowError> {
    let wrong = || ArrowError::SchemaError("a column on its way is not of its type".to_owned());
    Ok(match (holds, holds.on_the_way()) {
        (Holds::Code(codes), _) => {
            Arc::new(coded(array.as_primitive_opt::<UInt8Type>().ok_or_else(wrong)?.clone(), codes)?)
        }
        (Holds::Flag, _) => {
            let flags = array.as_primitive_opt::<UInt8Type>().ok_or_else(wrong)?;
            let values = flags.values();
            let set = BooleanBuffer::collect_bool(values.len(), |row| values[row] != 0);
            Arc::new(BooleanArray::new(set, flags.nulls().cloned()))
        }
        (Holds::Measure(digits), arrow::datatypes::DataType::Int32) => {
            let measures = array.as_primitive_opt::<Int32Type>().ok_or_else(wrong)?.clone();
            let measures = measures.reinterpret_cast::<Decimal32Type>();
            Arc::new(measures.with_precision_and_scale(digits, columns::DECIMALS)?)
        }
        (Holds::Measure(digits), _) => {
            let measures = array.as_primitive_opt::<Int64Type>().ok_or_else(wrong)?.clone();
            let measures = measures.reinterpret_cast::<Decimal64Type>();
            Arc::new(measures.with_precision_and_scale(digits, columns::DECIMALS)?)
        }
        _ => array.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_a_pseudonym_are_in_the_order_of_its_text() {
        let texts =
            ["", "0", "00000000000000000000000a", "0000000000000000a0000000", "a", "a0", "ffffffffffffffffffffffff"];
        assert!(texts.windows(2).all(|pair| letters(pair[0]) < letters(pair[1])));
    }
}
