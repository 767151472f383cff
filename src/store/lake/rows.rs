//! Validated sessions into rows as they stand on disk, but for the states.

use super::columns::{self, Holds, LISTS, SCALE};
use super::compact;
use super::keys::{Keys, SessionKey};
use super::month::{Month, Months};
use crate::domain::{Asked, Catalogue, Place, Session};
use crate::store::build::{CANONICAL, Reading};
use arrow::array::{
    ArrayRef, AsArray, Date32Builder, Decimal128Array, DictionaryArray, Int32Builder, Int64Builder, StringArray,
    StringBuilder, UInt8Array, UInt8Builder,
};
use arrow::datatypes::{DataType, UInt8Type};
use arrow::error::ArrowError;
use rustc_hash::FxBuildHasher;
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};

/// Room for the text of a row's column, to begin with.
const TEXT_BYTES: usize = 12;

/// A column under construction, narrow as [`columns::Holds::on_the_way`] says.
enum Building {
    Text(StringBuilder, fn(&Session) -> Option<&str>),
    Code(UInt8Builder, fn(&Session) -> Option<u8>),
    Measure(Int32Builder, fn(&Session) -> Option<f64>),
    WideMeasure(Int64Builder, fn(&Session) -> Option<f64>),
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

/// Rows of sessions, those of a month together.
pub struct Rows {
    /// The columns as [`columns::on_the_way`] has them, but for the numbers of the rows.
    pub(super) columns: Vec<ArrayRef>,
    pub(super) identities: Vec<Identity>,
    /// Of each row, its place among the sessions in the order in which they came.
    pub(super) places: Vec<u32>,
    /// The months, and how many rows each has.
    pub(super) months: Vec<(Month, usize)>,
}

/// Rows under construction.
struct Columns<'a> {
    origin: Origin<'a>,
    session_id: StringBuilder,
    patient_id: StringBuilder,
    columns: Vec<Building>,
    lists: [StringBuilder; 2],
    /// Texts of the sets of [`LISTS`] that were said.
    list_texts: [HashMap<u16, String, FxBuildHasher>; 2],
    asked: UInt8Builder,
    side_effects: StringBuilder,
    line: Int64Builder,
    record: Int64Builder,
    identities: Vec<Identity>,
    content: Content,
    effects: String,
}

impl Building {
    fn of(name: &str, reading: Reading, rows: usize) -> Building {
        match reading {
            Reading::Text(read) => Building::Text(texts(rows), read),
            Reading::Code(_, read) => Building::Code(UInt8Builder::with_capacity(rows), read),
            Reading::Number(read) => match Holds::Measure(columns::digits(name)).on_the_way() {
                DataType::Int32 => Building::Measure(Int32Builder::with_capacity(rows), read),
                _ => Building::WideMeasure(Int64Builder::with_capacity(rows), read),
            },
            Reading::Integer(read) => Building::Whole(Int32Builder::with_capacity(rows), read),
            Reading::Date(read) => Building::Date(Date32Builder::with_capacity(rows), read),
        }
    }

    fn push(&mut self, session: &Session, content: &mut Content) {
        match self {
            Building::Text(builder, read) => {
                let text = read(session);
                builder.append_option(text);
                content.text(text);
            }
            Building::Code(builder, read) => {
                let code = read(session);
                builder.append_option(code);
                content.bytes(&[code.unwrap_or(u8::MAX)]);
            }
            Building::Measure(builder, read) => {
                let value = read(session).map(fixed);
                builder.append_option(value.map(|value| i32::try_from(value).unwrap_or(i32::MAX)));
                content.long(value);
            }
            Building::WideMeasure(builder, read) => {
                let value = read(session).map(fixed);
                builder.append_option(value);
                content.long(value);
            }
            Building::Whole(builder, read) => {
                let value = read(session);
                builder.append_option(value);
                content.whole(value);
            }
            Building::Date(builder, read) => {
                let day = read(session).map(|day| day.0);
                builder.append_option(day);
                content.whole(day);
            }
        }
    }

    fn finish(self) -> ArrayRef {
        match self {
            Building::Text(mut builder, _) => Arc::new(builder.finish()),
            Building::Code(mut builder, _) => Arc::new(builder.finish()),
            Building::WideMeasure(mut builder, _) => Arc::new(builder.finish()),
            Building::Measure(mut builder, _) => Arc::new(builder.finish()),
            Building::Whole(mut builder, _) => Arc::new(builder.finish()),
            Building::Date(mut builder, _) => Arc::new(builder.finish()),
        }
    }
}

fn texts(rows: usize) -> StringBuilder {
    StringBuilder::with_capacity(rows, rows * TEXT_BYTES)
}

/// Everything that a row says, one value after another, for its hash: one hash over all of it is several times as
/// fast as one step a value. A missing value is told from every value, and each value from its neighbour's.
#[derive(Default)]
struct Content(Vec<u8>);

impl Content {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn text(&mut self, text: Option<&str>) {
        self.bytes(text.unwrap_or_default().as_bytes());
        self.bytes(&[if text.is_some() { 0xff } else { 0xfe }]);
    }

    fn whole(&mut self, value: Option<i32>) {
        self.bytes(&value.unwrap_or(i32::MIN).to_le_bytes());
    }

    fn long(&mut self, value: Option<i64>) {
        self.bytes(&value.unwrap_or(i64::MIN).to_le_bytes());
    }

    fn hash(&self) -> i64 {
        xxhash_rust::xxh3::xxh3_64(&self.0).cast_signed()
    }
}

/// A measure as a whole number of millionths.
pub(super) fn fixed(value: f64) -> i64 {
    #[expect(clippy::cast_possible_truncation, reason = "values are within the limits of their columns")]
    let fixed = (value * SCALE).round() as i64;
    fixed
}

pub(super) fn measures(values: impl Iterator<Item = i64>, digits: u8) -> Result<Decimal128Array, ArrowError> {
    Decimal128Array::from_iter_values(values.map(i128::from)).with_precision_and_scale(digits, 6)
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

impl Rows {
    /// The rows of sessions, which are given in the order in which they came.
    #[must_use]
    pub fn of(origin: Origin<'_>, sessions: &[(Place, &Session)]) -> Rows {
        // A patient's sessions often stand together: his pseudonym is made once.
        let mut pseudonyms: Vec<String> = Vec::new();
        let mut of_session: Vec<usize> = Vec::with_capacity(sessions.len());
        for (at, (_, session)) in sessions.iter().enumerate() {
            if at == 0 || sessions[at - 1].1.patient_id != session.patient_id {
                pseudonyms.push(origin.keys.pseudonym(origin.source, &session.patient_id));
            }
            of_session.push(pseudonyms.len() - 1);
        }
        let mut months = Months::default();
        let mut order: Vec<(Month, u32)> =
            sessions.iter().zip(0..).map(|((_, session), place)| (months.of(session.session_date), place)).collect();
        order.sort_unstable();
        let mut columns = Columns::new(origin, sessions.len());
        for (_, place) in &order {
            let (at, session) = sessions[*place as usize];
            columns.push(at, session, &pseudonyms[of_session[*place as usize]]);
        }
        let (columns, identities) = columns.finish();
        let months = order.chunk_by(|one, other| one.0 == other.0).map(|rows| (rows[0].0, rows.len())).collect();
        Rows { columns, identities, places: order.into_iter().map(|(_, place)| place).collect(), months }
    }
}

impl<'a> Columns<'a> {
    /// No rows yet; room for `rows`.
    fn new(origin: Origin<'a>, rows: usize) -> Columns<'a> {
        Columns {
            origin,
            session_id: texts(rows),
            patient_id: texts(rows),
            columns: CANONICAL.iter().map(|(name, reading)| Building::of(name, *reading, rows)).collect(),
            lists: [texts(rows), texts(rows)],
            list_texts: LISTS.map(|_| HashMap::default()),
            asked: UInt8Builder::with_capacity(rows),
            side_effects: texts(rows),
            line: Int64Builder::with_capacity(rows),
            record: Int64Builder::with_capacity(rows),
            identities: Vec::with_capacity(rows),
            content: Content::default(),
            effects: String::new(),
        }
    }

    fn push(&mut self, place: Place, session: &Session, pseudonym: &str) {
        self.content.0.clear();
        for column in &mut self.columns {
            column.push(session, &mut self.content);
        }
        self.push_lists(session);
        self.push_effects(session);
        self.session_id.append_value(without(&session.session_id, &session.patient_id, pseudonym));
        self.line.append_value(long(place.line));
        self.record.append_value(long(place.record));
        self.identities.push(Identity {
            key: self.origin.keys.session(self.origin.source, &session.session_id),
            row_hash: self.content.hash(),
            patient: xxhash_rust::xxh3::xxh3_64(pseudonym.as_bytes()),
        });
        self.patient_id.append_value(pseudonym);
    }

    fn push_lists(&mut self, session: &Session) {
        let lists = [session.conditions, session.topicals].into_iter().zip(&mut self.lists);
        for ((list, builder), (texts, (_, codes))) in lists.zip(self.list_texts.iter_mut().zip(LISTS)) {
            // Few sets are ever said: the text of each is made once.
            builder.append_option(list.map(|set| texts.entry(set.0).or_insert_with(|| set.text(codes))));
            self.content.bytes(&list.map_or(u32::MAX, |set| set.0.into()).to_le_bytes());
        }
    }

    fn push_effects(&mut self, session: &Session) {
        self.effects.clear();
        let text = match &session.side_effects {
            Asked::No => None,
            Asked::Yes(effects) => {
                compact::write(effects, self.origin.catalogue, &mut self.effects);
                Some(self.effects.as_str())
            }
        };
        self.asked.append_value(u8::from(text.is_some()));
        self.content.bytes(text.unwrap_or("(nobody asked)").as_bytes());
        self.side_effects.append_option(text);
    }

    fn finish(mut self) -> (Vec<ArrayRef>, Vec<Identity>) {
        let rows = self.identities.len();
        let mut arrays: Vec<ArrayRef> = vec![Arc::new(self.session_id.finish()), Arc::new(self.patient_id.finish())];
        arrays.extend(self.columns.into_iter().map(Building::finish));
        arrays.extend(self.lists.iter_mut().map(|list| Arc::new(list.finish()) as ArrayRef));
        arrays.push(Arc::new(self.asked.finish()));
        arrays.push(Arc::new(self.side_effects.finish()));
        arrays.push(Arc::new(arrow::array::Int32Array::from(vec![self.origin.file_number; rows])));
        arrays.push(Arc::new(self.line.finish()));
        arrays.push(Arc::new(self.record.finish()));
        arrays.push(longs(self.identities.iter().map(|row| row.key.halves().0)));
        arrays.push(longs(self.identities.iter().map(|row| row.key.halves().1)));
        arrays.push(longs(self.identities.iter().map(|row| row.row_hash)));
        (arrays, self.identities)
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
pub(super) fn without<'t>(text: &'t str, patient_id: &str, pseudonym: &str) -> Cow<'t, str> {
    if patient_id.is_empty() || memchr::memmem::find(text.as_bytes(), patient_id.as_bytes()).is_none() {
        return Cow::Borrowed(text);
    }
    let is_word = |letter: Option<char>| letter.is_some_and(char::is_alphanumeric);
    let mut kept = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(patient_id) {
        let (before, after) = (&rest[..at], &rest[at + patient_id.len()..]);
        let inside = is_word(before.chars().next_back()) || is_word(after.chars().next());
        kept.push_str(before);
        kept.push_str(if inside { patient_id } else { pseudonym });
        rest = after;
    }
    kept.push_str(rest);
    Cow::Owned(kept)
}

/// Codes read from disk, whose dictionaries hold them in any order, as the catalogue has them.
pub(super) fn in_catalogue_order(column: &ArrayRef, codes: &'static [&'static str]) -> Result<ArrayRef, ArrowError> {
    Ok(Arc::new(coded(places_in_catalogue(column, codes)?, codes)?))
}

/// The place of each code in the catalogue's list.
pub(super) fn places_in_catalogue(column: &ArrayRef, codes: &[&str]) -> Result<UInt8Array, ArrowError> {
    let unknown = |code: &str| ArrowError::SchemaError(format!("`{code}` is not a code of its column"));
    let no_codes = || ArrowError::SchemaError("a column of codes is none".to_owned());
    let place = |code: &str| {
        let at = codes.iter().position(|known| *known == code);
        at.and_then(|at| u8::try_from(at).ok()).ok_or_else(|| unknown(code))
    };
    let Some(found) = column.as_dictionary_opt::<UInt8Type>() else {
        let text = arrow::compute::cast(column, &DataType::Utf8)?;
        let text = text.as_string_opt::<i32>().ok_or_else(no_codes)?;
        return text.iter().map(|code| code.map(place).transpose()).collect();
    };
    let values = found.values().as_string_opt::<i32>().ok_or_else(no_codes)?;
    let places: Vec<u8> = values.iter().map(|code| place(code.unwrap_or_default())).collect::<Result<_, _>>()?;
    // A missing code has a key too, which may be one that no dictionary has.
    Ok(found.keys().unary(|key| places.get(usize::from(key)).copied().unwrap_or_default()))
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
