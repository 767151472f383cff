//! A version of the store as the session table that analyses work on: the same rows in the same order, whatever files
//! they lie in.

use super::columns::{DiskColumn, LISTS, SCALE, TableName, code_set};
use super::data_file::{self, DataFile, damaged};
use super::error::StoreError;
use super::events::{self, EventRow};
use super::ledger::Batch;
use super::month::PENDING;
use super::standing::keys_in_order;
use super::store::Store;
use super::{states, upsert};
use crate::domain::codes::{CodeSet, YesNo};
use crate::domain::{Catalogue, Day, FileId, Fitzpatrick, ItaClass, Place};
use crate::store::build::{CANONICAL, Occurrence, Reading};
use crate::store::table::{Raw, SessionTable};
use arrow::array::{
    ArrayRef, AsArray, Date32Array, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray,
    StringDictionaryBuilder, UInt8Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{DataType, Date32Type, Decimal128Type, Int32Type, Int64Type, UInt8Type, UInt32Type};
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

/// What a version of the store holds.
pub struct Snapshot {
    /// The sessions with their side effects.
    pub table: SessionTable,
}

impl Snapshot {
    /// Reads a version. `catalogue` holds the store's own side effects too; of the columns that sessions can be divided
    /// and chosen by, those in `wanted` and the two dates are read (`None` = all).
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn read(
        store: &Store,
        at: &Batch,
        (catalogue, wanted): (&Catalogue, Option<&BTreeSet<String>>),
    ) -> Result<Snapshot, StoreError> {
        let dates = ["session_date", "last_follow_up_date", "follow_up_days"].map(str::to_owned);
        let wanted: Option<BTreeSet<String>> = wanted.map(|names| names.iter().cloned().chain(dates).collect());
        let wanted = Wanted(wanted.as_ref());
        let columns = wanted.on_disk(ALWAYS);
        let events: Vec<EventRow> = store
            .files(TableName::Events, at)?
            .par_iter()
            .map(|file| Ok(events::read(&store.read(TableName::Events, file, None)?, catalogue)))
            .collect::<Result<Vec<_>, StoreError>>()?
            .into_iter()
            .flatten()
            .collect();
        let mut months: BTreeMap<String, Vec<DataFile>> = BTreeMap::new();
        for file in store.files(TableName::Sessions, at)? {
            months.entry(file.partition.clone().unwrap_or_default()).or_default().push(file);
        }
        let rows: Vec<RecordBatch> = months
            .into_values()
            .collect::<Vec<_>>()
            .par_iter()
            .map(|files| month(store, files, &columns))
            .collect::<Result<_, _>>()?;
        let schema = rows.first().map_or_else(|| super::columns::schema(&columns), RecordBatch::schema);
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let rows = concat_batches(&schema, &rows).map_err(broken)?;
        let mut occurrences = states::in_rows(&rows, catalogue).map_err(broken)?;
        join(&rows, &events, &mut occurrences)?;
        let raw = raw(&rows, wanted).map_err(broken)?;
        Ok(Snapshot { table: SessionTable::new(raw, occurrences) })
    }
}

/// Name of the partition of events that wait, for those who ask for it by name.
pub const PENDING_PARTITION: &str = PENDING;

/// The sessions of a month in the order that does not depend on files.
fn month(store: &Store, files: &[DataFile], columns: &[DiskColumn]) -> Result<RecordBatch, StoreError> {
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let parts: Vec<RecordBatch> =
        files.iter().map(|file| store.read(TableName::Sessions, file, Some(&names))).collect::<Result<_, _>>()?;
    let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
    let rows = concat_batches(&super::columns::schema(columns), &parts).map_err(broken)?;
    if parts.len() == 1 { Ok(rows) } else { upsert::sorted(&rows).map_err(broken) }
}

/// Adds the side effects that events tell, in the order in which they came.
fn join(rows: &RecordBatch, events: &[EventRow], occurrences: &mut Vec<Occurrence>) -> Result<(), StoreError> {
    if events.is_empty() {
        return Ok(());
    }
    let keys = keys_in_order(rows)?;
    let of_key: HashMap<u128, u32> = keys.into_iter().map(|key| key.0).zip(0..).collect();
    let mut joined: Vec<&EventRow> = events.iter().filter(|event| event.joined.is_some()).collect();
    joined.sort_by_key(|event| (event.store_version, event.file_number, event.line, event.record));
    occurrences.extend(joined.into_iter().filter_map(|event| Some(event.occurrence(*of_key.get(&event.joined?.0)?))));
    Ok(())
}

fn raw(rows: &RecordBatch, wanted: Wanted<'_>) -> Result<Raw, ArrowError> {
    let columns = table_columns(rows, wanted)?;
    let places = (0..rows.num_rows()).map(|row| place(rows, row)).collect::<Option<Vec<Place>>>();
    let asked = column(rows, "asked")?.as_boolean_opt().ok_or_else(|| wrong("asked"))?;
    Ok(Raw {
        columns,
        patients: patients(rows)?,
        asked: asked.iter().map(|asked| asked.unwrap_or(false)).collect(),
        places: places.ok_or_else(|| wrong("file_number"))?,
        keep: vec![true; rows.num_rows()],
    })
}

fn column<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a ArrayRef, ArrowError> {
    rows.column_by_name(name).ok_or_else(|| wrong(name))
}

fn wrong(name: &str) -> ArrowError {
    ArrowError::SchemaError(format!("the column {name} is not as it should be"))
}

fn place(rows: &RecordBatch, row: usize) -> Option<Place> {
    let file = rows.column_by_name("file_number")?.as_primitive_opt::<Int32Type>()?.value(row);
    let long = |name: &str| {
        let number = rows.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(row);
        u64::try_from(number).ok()
    };
    Some(Place { file: FileId(u32::try_from(file).ok()?), line: long("line")?, record: long("record")? })
}

/// A column of the disk as the session table has it.
fn canonical(found: &ArrayRef, reading: Reading) -> Result<ArrayRef, ArrowError> {
    match reading {
        Reading::Text(_) if matches!(found.data_type(), DataType::Dictionary(..)) => {
            let narrow = DataType::Dictionary(Box::new(DataType::UInt32), Box::new(DataType::Utf8));
            arrow::compute::cast(found, &narrow)
        }
        Reading::Text(_) => {
            let text = found.as_string_opt::<i32>().ok_or_else(|| wrong("text"))?;
            let mut builder: StringDictionaryBuilder<UInt32Type> = StringDictionaryBuilder::new();
            text.iter().for_each(|text| builder.append_option(text));
            Ok(Arc::new(builder.finish()))
        }
        Reading::Number(_) => {
            let fixed = found.as_primitive_opt::<Decimal128Type>().ok_or_else(|| wrong("measure"))?;
            #[expect(clippy::cast_precision_loss, reason = "millionths within the limits of a column are below 2^53")]
            let numbers: Float64Array = fixed.iter().map(|value| value.map(|value| value as f64 / SCALE)).collect();
            Ok(Arc::new(numbers))
        }
        Reading::Code(..) | Reading::Integer(_) | Reading::Date(_) => Ok(found.clone()),
    }
}

/// Patients as dense numbers; those of different sources are different.
fn patients(rows: &RecordBatch) -> Result<DictionaryArray<UInt32Type>, ArrowError> {
    let sources = column(rows, "source")?.as_string_opt::<i32>().ok_or_else(|| wrong("source"))?;
    let patients = column(rows, "patient_id")?.as_string_opt::<i32>().ok_or_else(|| wrong("patient_id"))?;
    let mut builder: StringDictionaryBuilder<UInt32Type> = StringDictionaryBuilder::new();
    let mut key = String::new();
    for (source, patient) in sources.iter().zip(patients.iter()) {
        key.clear();
        key.push_str(source.unwrap_or_default());
        key.push('/');
        key.push_str(patient.unwrap_or_default());
        builder.append_value(&key);
    }
    Ok(builder.finish())
}

/// What makes a column from others.
type Maker = fn(&RecordBatch) -> Result<ArrayRef, ArrowError>;

/// The columns that are made from others, as [`crate::store::SessionsBuilder`] makes them.
fn derived(rows: &RecordBatch, wanted: Wanted<'_>) -> Result<Vec<(String, ArrayRef)>, ArrowError> {
    let makers: [(&str, Maker); 4] = [
        ("fitzpatrick_number", fitzpatrick_number),
        ("ita_class", ita_class),
        ("session_month", session_month),
        ("follow_up_days", follow_up_days),
    ];
    let mut derived = Vec::new();
    for (name, make) in makers.into_iter().filter(|(name, _)| wanted.has(name)) {
        derived.push((name.to_owned(), make(rows)?));
    }
    for ((list, codes), prefix) in LISTS.into_iter().zip(LIST_PREFIXES) {
        let of_list = codes.iter().enumerate().map(|(index, name)| (index, format!("{prefix}{name}")));
        let of_list: Vec<(usize, String)> = of_list.filter(|(_, name)| wanted.has(name)).collect();
        if of_list.is_empty() {
            continue;
        }
        let sets = sets(rows, list, codes)?;
        for (index, name) in of_list {
            let members: UInt8Array = sets.iter().map(|set| set.map(|set| u8::from(set.has(index)))).collect();
            derived.push((name, Arc::new(super::rows::coded(members, YesNo::CODES)?) as ArrayRef));
        }
    }
    Ok(derived)
}

/// What stands before the name of each member of the lists.
const LIST_PREFIXES: [&str; 2] = ["", "topical_"];

/// The columns on disk that a column of the session table is made of.
pub(super) fn made_of(name: &str) -> Vec<&str> {
    match name {
        "fitzpatrick_number" => vec!["fitzpatrick"],
        "ita_class" => vec!["ita_degrees"],
        "session_month" => vec!["session_date"],
        "follow_up_days" => vec!["session_date", "last_follow_up_date"],
        "side_effects" => vec!["asked"],
        _ => {
            let lists = LISTS.into_iter().zip(LIST_PREFIXES);
            let holds =
                |codes: &[&str], prefix: &str| name.strip_prefix(prefix).is_some_and(|member| codes.contains(&member));
            let list = lists.into_iter().find(|((_, codes), prefix)| holds(codes, prefix));
            vec![list.map_or(name, |((list, _), _)| list)]
        }
    }
}

fn fitzpatrick_number(rows: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let skin = column(rows, "fitzpatrick")?.as_dictionary_opt::<UInt8Type>().ok_or_else(|| wrong("fitzpatrick"))?;
    let number = |key: u8| Fitzpatrick::new(key + 1).map(|skin| i32::from(skin.number()));
    let numbers: Int32Array = skin.keys().iter().map(|key| key.and_then(number)).collect();
    Ok(Arc::new(numbers))
}

fn ita_class(rows: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let ita = canonical(column(rows, "ita_degrees")?, Reading::Number(|_| None))?;
    let ita = ita.as_primitive_opt::<arrow::datatypes::Float64Type>().ok_or_else(|| wrong("ita_degrees"))?;
    let classes: UInt8Array = ita.iter().map(|degrees| degrees.map(|degrees| ItaClass::of(degrees) as u8)).collect();
    Ok(Arc::new(super::rows::coded(classes, ItaClass::CODES)?))
}

fn session_month(rows: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let mut months: StringDictionaryBuilder<UInt32Type> = StringDictionaryBuilder::new();
    // Rows of one day mostly stand together within a month's patients: the last text is often the next one too.
    let mut last: Option<(i32, String)> = None;
    for day in days(rows, "session_date")?.iter() {
        let Some(day) = day else {
            months.append_null();
            continue;
        };
        if last.as_ref().is_none_or(|(known, _)| *known != day) {
            last = Some((day, Day(day).month_text()));
        }
        months.append_option(last.as_ref().map(|(_, text)| text));
    }
    Ok(Arc::new(months.finish()))
}

/// The columns of the session table that follow from the day alone, over the days of a file, if the log knows them.
pub(super) fn days_of(file: &DataFile) -> Option<SessionTable> {
    let (first, last) = data_file::session_days(file)?;
    let days: ArrayRef = Arc::new(Date32Array::from_iter_values(first.0..=last.0));
    let rows = RecordBatch::try_from_iter([("session_date", days.clone())]).ok()?;
    let columns = vec![("session_date".to_owned(), days), ("session_month".to_owned(), session_month(&rows).ok()?)];
    Some(SessionTable::of_columns(columns, vec![false; rows.num_rows()]))
}

fn follow_up_days(rows: &RecordBatch) -> Result<ArrayRef, ArrowError> {
    let (sessions, follow_ups) = (days(rows, "session_date")?, days(rows, "last_follow_up_date")?);
    let between: Int32Array = sessions.iter().zip(follow_ups.iter()).map(|(from, to)| Some(to? - from?)).collect();
    Ok(Arc::new(between))
}

fn days<'a>(rows: &'a RecordBatch, name: &str) -> Result<&'a Date32Array, ArrowError> {
    column(rows, name)?.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong(name))
}

/// Which columns of the session table are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a>(pub(super) Option<&'a BTreeSet<String>>);

impl Wanted<'_> {
    fn has(self, name: &str) -> bool {
        self.0.is_none_or(|names| names.contains(name))
    }

    /// The columns on disk that they are made of, and those that every session needs.
    fn on_disk(self, always: &[&str]) -> Vec<DiskColumn> {
        let made_of: Option<BTreeSet<&str>> =
            self.0.map(|names| names.iter().flat_map(|name| made_of(name)).chain(always.iter().copied()).collect());
        let mut columns = super::columns::session_rows();
        columns.retain(|column| made_of.as_ref().is_none_or(|names| names.contains(column.name.as_str())));
        columns
    }
}

/// Columns that every session of a table in memory needs.
const ALWAYS: &[&str] = &[
    "source",
    "patient_id",
    "session_date",
    "last_follow_up_date",
    "asked",
    "side_effects",
    "file_number",
    "line",
    "record",
    "session_key_high",
    "session_key_low",
];

/// The columns of the session table that are wanted, made of those on disk.
pub(super) fn table_columns(rows: &RecordBatch, wanted: Wanted<'_>) -> Result<Vec<(String, ArrayRef)>, ArrowError> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (name, reading) in CANONICAL.iter().filter(|(name, _)| wanted.has(name)) {
        columns.push(((*name).to_owned(), canonical(column(rows, name)?, *reading)?));
    }
    columns.extend(derived(rows, wanted)?);
    Ok(columns)
}

fn sets(rows: &RecordBatch, list: &str, codes: &[&str]) -> Result<Vec<Option<CodeSet>>, ArrowError> {
    let found = column(rows, list)?;
    if let Some(coded) = found.as_dictionary_opt::<Int32Type>() {
        let texts = coded.values().as_string_opt::<i32>().ok_or_else(|| wrong(list))?;
        let of_text: Vec<CodeSet> = texts.iter().map(|text| code_set(text.unwrap_or_default(), codes)).collect();
        let set = |key: i32| usize::try_from(key).ok().map(|key| of_text[key]);
        return Ok(coded.keys().iter().map(|key| key.and_then(set)).collect());
    }
    let texts: &StringArray = found.as_string_opt().ok_or_else(|| wrong(list))?;
    let mut known: HashMap<&str, CodeSet> = HashMap::new();
    Ok(texts.iter().map(|text| text.map(|text| *known.entry(text).or_insert_with(|| code_set(text, codes)))).collect())
}
