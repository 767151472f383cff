//! Validated sessions into rows as they stand on disk, but for the states.

use super::columns::{self, LISTS, SCALE};
use super::compact;
use super::keys::{Keys, SessionKey};
use crate::domain::{Asked, Catalogue, Place, Session};
use crate::store::build::{CANONICAL, Reading};
use arrow::array::{
    ArrayRef, AsArray, BooleanBuilder, Date32Builder, Decimal128Array, DictionaryArray, Int32Builder, Int64Builder,
    RecordBatch, StringArray, StringBuilder, UInt8Array, UInt8Builder,
};
use arrow::datatypes::{DataType, UInt8Type};
use arrow::error::ArrowError;
use std::collections::BTreeMap;
use std::hash::Hasher;
use std::sync::{Arc, Mutex};
use xxhash_rust::xxh3::Xxh3Default;

/// A column under construction.
enum Building {
    Text(StringBuilder, fn(&Session) -> Option<&str>),
    Code(UInt8Builder, &'static [&'static str], fn(&Session) -> Option<u8>),
    Measure(Vec<Option<i128>>, u8, fn(&Session) -> Option<f64>),
    Whole(Int32Builder, fn(&Session) -> Option<i32>),
    Date(Date32Builder, fn(&Session) -> Option<crate::domain::Day>),
}

/// Where the rows come from.
#[derive(Debug, Clone, Copy)]
pub struct Origin<'a> {
    /// Version of the store in which they will stand.
    pub store_version: u64,
    /// Number of the file over all batches.
    pub file_number: i32,
    /// Name of the source system.
    pub source: &'a str,
    /// The keys of the pseudonyms.
    pub keys: &'a Keys,
    /// The side effects, the site's own among them.
    pub catalogue: &'a Catalogue,
}

/// What is known of a row before the rows are written: enough to find the same session again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Identity {
    /// The session.
    pub key: SessionKey,
    /// Hash of everything that the row says but for its ids.
    pub row_hash: i64,
    /// Hash of the pseudonym.
    pub patient: u64,
}

/// Collects the rows of a batch.
pub struct RowsBuilder<'a> {
    origin: Origin<'a>,
    session_id: StringBuilder,
    patient_id: StringBuilder,
    columns: Vec<Building>,
    lists: [StringBuilder; 2],
    asked: BooleanBuilder,
    side_effects: StringBuilder,
    line: Int64Builder,
    record: Int64Builder,
    identities: Vec<Identity>,
}

impl Building {
    fn of(name: &str, reading: Reading) -> Building {
        match reading {
            Reading::Text(read) => Building::Text(StringBuilder::new(), read),
            Reading::Code(codes, read) => Building::Code(UInt8Builder::new(), codes, read),
            Reading::Number(read) => Building::Measure(Vec::new(), columns::digits(name), read),
            Reading::Integer(read) => Building::Whole(Int32Builder::new(), read),
            Reading::Date(read) => Building::Date(Date32Builder::new(), read),
        }
    }

    fn push(&mut self, session: &Session, hasher: &mut Xxh3Default) {
        // A missing value is told from every value, and each value from its neighbour's.
        match self {
            Building::Text(builder, read) => {
                let text = read(session);
                builder.append_option(text);
                hasher.write(text.unwrap_or_default().as_bytes());
                hasher.write_u8(if text.is_some() { 0xff } else { 0xfe });
            }
            Building::Code(builder, _, read) => {
                let code = read(session);
                builder.append_option(code);
                hasher.write_u8(code.unwrap_or(u8::MAX));
            }
            Building::Measure(values, _, read) => {
                let value = read(session).map(fixed);
                values.push(value);
                hasher.write_i64(value.map_or(i64::MIN, |value| i64::try_from(value).unwrap_or(i64::MAX)));
            }
            Building::Whole(builder, read) => {
                let value = read(session);
                builder.append_option(value);
                hasher.write_i32(value.unwrap_or(i32::MIN));
            }
            Building::Date(builder, read) => {
                let day = read(session).map(|day| day.0);
                builder.append_option(day);
                hasher.write_i32(day.unwrap_or(i32::MIN));
            }
        }
    }

    fn finish(self) -> Result<ArrayRef, ArrowError> {
        Ok(match self {
            Building::Text(mut builder, _) => Arc::new(builder.finish()),
            Building::Code(mut builder, codes, _) => Arc::new(coded(builder.finish(), codes)?),
            Building::Measure(values, digits, _) => Arc::new(measures(values, digits)?),
            Building::Whole(mut builder, _) => Arc::new(builder.finish()),
            Building::Date(mut builder, _) => Arc::new(builder.finish()),
        })
    }
}

/// A measure as a whole number of millionths.
pub(super) fn fixed(value: f64) -> i128 {
    #[expect(clippy::cast_possible_truncation, reason = "values are within the limits of their columns")]
    let fixed = (value * SCALE).round() as i128;
    fixed
}

pub(super) fn measures(values: Vec<Option<i128>>, digits: u8) -> Result<Decimal128Array, ArrowError> {
    Decimal128Array::from(values).with_precision_and_scale(digits, 6)
}

/// Codes of a closed list, by their index. The same list is always the same dictionary, so that rows of many batches
/// and files are joined without touching a text.
pub(super) fn coded(
    keys: UInt8Array,
    codes: &'static [&'static str],
) -> Result<DictionaryArray<UInt8Type>, ArrowError> {
    DictionaryArray::try_new(keys, dictionary(codes))
}

fn dictionary(codes: &'static [&'static str]) -> ArrayRef {
    static KNOWN: Mutex<BTreeMap<usize, ArrayRef>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    known.entry(codes.as_ptr().addr()).or_insert_with(|| Arc::new(StringArray::from(codes.to_vec()))).clone()
}

impl<'a> RowsBuilder<'a> {
    /// No rows yet.
    #[must_use]
    pub fn new(origin: Origin<'a>) -> RowsBuilder<'a> {
        RowsBuilder {
            origin,
            session_id: StringBuilder::new(),
            patient_id: StringBuilder::new(),
            columns: CANONICAL.iter().map(|(name, reading)| Building::of(name, *reading)).collect(),
            lists: [StringBuilder::new(), StringBuilder::new()],
            asked: BooleanBuilder::new(),
            side_effects: StringBuilder::new(),
            line: Int64Builder::new(),
            record: Int64Builder::new(),
            identities: Vec::new(),
        }
    }

    /// Adds a session.
    pub fn push(&mut self, place: Place, session: &Session) {
        let mut hasher = Xxh3Default::new();
        for column in &mut self.columns {
            column.push(session, &mut hasher);
        }
        for ((list, builder), (_, codes)) in
            [session.conditions, session.topicals].into_iter().zip(&mut self.lists).zip(LISTS)
        {
            builder.append_option(list.map(|set| set.text(codes)));
            hasher.write_u32(list.map_or(u32::MAX, |set| set.0.into()));
        }
        self.push_effects(session, &mut hasher);
        let pseudonym = self.origin.keys.pseudonym(self.origin.source, &session.patient_id);
        self.session_id.append_value(without(&session.session_id, &session.patient_id, &pseudonym));
        self.line.append_value(long(place.line));
        self.record.append_value(long(place.record));
        self.identities.push(Identity {
            key: self.origin.keys.session(self.origin.source, &session.session_id),
            row_hash: hasher.finish().cast_signed(),
            patient: xxhash_rust::xxh3::xxh3_64(pseudonym.as_bytes()),
        });
        self.patient_id.append_value(pseudonym);
    }

    fn push_effects(&mut self, session: &Session, hasher: &mut Xxh3Default) {
        let (asked, text) = match &session.side_effects {
            Asked::No => (false, None),
            Asked::Yes(effects) => (true, Some(compact::write(effects, self.origin.catalogue))),
        };
        self.asked.append_value(asked);
        hasher.write(text.as_deref().unwrap_or("(nobody asked)").as_bytes());
        self.side_effects.append_option(text);
    }

    /// The rows, and what is known of each.
    ///
    /// # Errors
    /// Never for rows of the schema; Arrow's error is handed on.
    pub fn finish(mut self) -> Result<(RecordBatch, Vec<Identity>), ArrowError> {
        let rows = self.identities.len();
        let mut arrays: Vec<ArrayRef> = vec![
            same(self.origin.source, rows),
            Arc::new(self.session_id.finish()),
            Arc::new(self.patient_id.finish()),
        ];
        for column in self.columns {
            arrays.push(column.finish()?);
        }
        arrays.extend(self.lists.iter_mut().map(|list| Arc::new(list.finish()) as ArrayRef));
        arrays.push(Arc::new(self.asked.finish()));
        arrays.push(Arc::new(self.side_effects.finish()));
        arrays.push(longs(std::iter::repeat_n(long(self.origin.store_version), rows)));
        arrays.push(Arc::new(arrow::array::Int32Array::from(vec![self.origin.file_number; rows])));
        arrays.push(Arc::new(self.line.finish()));
        arrays.push(Arc::new(self.record.finish()));
        arrays.push(longs(self.identities.iter().map(|row| row.key.halves().0)));
        arrays.push(longs(self.identities.iter().map(|row| row.key.halves().1)));
        arrays.push(longs(self.identities.iter().map(|row| row.row_hash)));
        let batch = RecordBatch::try_new(columns::schema(&columns::session_rows()), arrays)?;
        Ok((batch, self.identities))
    }
}

pub(super) fn same(text: &str, rows: usize) -> ArrayRef {
    Arc::new(StringArray::from(vec![text; rows]))
}

pub(super) fn longs(values: impl Iterator<Item = i64>) -> ArrayRef {
    Arc::new(arrow::array::Int64Array::from_iter_values(values))
}

/// A count or a number of a line as the tables hold it.
pub(super) fn long(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// A text in which the patient's id, where it stands as a word of its own, gives way to the pseudonym.
pub(super) fn without(text: &str, patient_id: &str, pseudonym: &str) -> String {
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = if patient_id.is_empty() { None } else { rest.find(patient_id) } {
        let (before, after) = (&rest[..at], &rest[at + patient_id.len()..]);
        let inside = is_word(before.chars().next_back()) || is_word(after.chars().next());
        kept.push_str(before);
        kept.push_str(if inside { patient_id } else { pseudonym });
        rest = after;
    }
    kept.push_str(rest);
    kept
}

/// Codes read from disk, whose dictionaries hold them in any order, as the catalogue has them.
pub(super) fn in_catalogue_order(column: &ArrayRef, codes: &'static [&'static str]) -> Result<ArrayRef, ArrowError> {
    let unknown = |code: &str| ArrowError::SchemaError(format!("`{code}` is not a code of its column"));
    let no_codes = || ArrowError::SchemaError("a column of codes is none".to_owned());
    let place = |code: &str| {
        let at = codes.iter().position(|known| *known == code);
        at.and_then(|at| u8::try_from(at).ok()).ok_or_else(|| unknown(code))
    };
    let Some(found) = column.as_dictionary_opt::<UInt8Type>() else {
        let text = arrow::compute::cast(column, &DataType::Utf8)?;
        let text = text.as_string_opt::<i32>().ok_or_else(no_codes)?;
        let keys: UInt8Array = text.iter().map(|code| code.map(place).transpose()).collect::<Result<_, _>>()?;
        return Ok(Arc::new(coded(keys, codes)?));
    };
    let values = found.values().as_string_opt::<i32>().ok_or_else(no_codes)?;
    let places: Vec<u8> = values.iter().map(|code| place(code.unwrap_or_default())).collect::<Result<_, _>>()?;
    let keys: UInt8Array = found.keys().iter().map(|key| key.map(|key| places[usize::from(key)])).collect();
    Ok(Arc::new(coded(keys, codes)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patients_id_inside_another_id_gives_way_to_the_pseudonym() {
        assert_eq!(without("P-17/2", "P-17", "x"), "x/2");
        assert_eq!(without("P-17", "P-17", "x"), "x");
        assert_eq!(without("P-171", "P-17", "x"), "P-171");
        assert_eq!(without("S9", "9", "x"), "S9");
        assert_eq!(without("9-9-19", "9", "x"), "x-x-19");
        assert_eq!(without("S9", "", "x"), "S9");
    }

    #[test]
    fn a_measure_of_at_most_six_decimals_is_the_same_number_again() {
        for value in [0.05, 0.1, 0.25, 1.5, 2.345_678, 5.999_999, -12.34, 9_999.123_456] {
            #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
            let again = fixed(value) as f64 / SCALE;
            assert_eq!(again.to_bits(), f64::to_bits(value));
        }
    }
}
