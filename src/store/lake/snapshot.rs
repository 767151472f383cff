//! A version of the store as the session table that analyses work on: the same rows in the same order, whatever files
//! they lie in.

use super::columns::{LISTS, SCALE, TableName, code_set};
use super::data_file::{DataFile, damaged};
use super::error::StoreError;
use super::events::{self, EventRow};
use super::ledger::Batch;
use super::month::PENDING;
use super::standing::keys_in_order;
use super::store::Store;
use super::{states, upsert};
use crate::domain::codes::{CodeSet, Condition, Topical, YesNo};
use crate::domain::{Catalogue, Day, FileId, Fitzpatrick, ItaClass, Place};
use crate::store::build::{CANONICAL, Occurrence, Reading};
use crate::store::table::{Raw, SessionTable};
use arrow::array::{
    ArrayRef, AsArray, DictionaryArray, Float64Array, Int32Array, RecordBatch, StringArray, StringDictionaryBuilder,
    UInt8Array,
};
use arrow::compute::concat_batches;
use arrow::datatypes::{Date32Type, Decimal128Type, Int32Type, Int64Type, UInt8Type, UInt32Type};
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// What a version of the store holds.
pub struct Snapshot {
    /// The sessions with their side effects.
    pub table: SessionTable,
    /// Events that wait for their session.
    pub pending: u64,
    /// Events of which several sessions fitted.
    pub overlapping: u64,
}

impl Snapshot {
    /// Reads a version. `catalogue` holds the store's own side effects too.
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn read(store: &Store, at: &Batch, catalogue: &Catalogue) -> Result<Snapshot, StoreError> {
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
            .map(|files| month(store, files))
            .collect::<Result<_, _>>()?;
        let schema = rows.first().map_or_else(empty_schema, RecordBatch::schema);
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let rows = concat_batches(&schema, &rows).map_err(broken)?;
        let mut occurrences = states::in_rows(&rows, catalogue).map_err(broken)?;
        join(&rows, &events, &mut occurrences)?;
        let raw = raw(&rows).map_err(broken)?;
        Ok(Snapshot {
            table: SessionTable::new(raw, occurrences),
            pending: at.counts.pending,
            overlapping: events.iter().filter(|event| event.candidates > 1).count() as u64,
        })
    }
}

/// Name of the partition of events that wait, for those who ask for it by name.
pub const PENDING_PARTITION: &str = PENDING;

fn empty_schema() -> arrow::datatypes::SchemaRef {
    super::columns::schema(&super::columns::session_rows())
}

/// The sessions of a month in the order that does not depend on files.
fn month(store: &Store, files: &[DataFile]) -> Result<RecordBatch, StoreError> {
    let columns = super::columns::session_rows();
    let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
    let parts: Vec<RecordBatch> =
        files.iter().map(|file| store.read(TableName::Sessions, file, Some(&names))).collect::<Result<_, _>>()?;
    let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
    let rows = concat_batches(&empty_schema(), &parts).map_err(broken)?;
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

fn raw(rows: &RecordBatch) -> Result<Raw, ArrowError> {
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for (name, reading) in CANONICAL {
        columns.push(((*name).to_owned(), canonical(column(rows, name)?, *reading)?));
    }
    columns.extend(derived(rows)?);
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

/// The columns that are made from others, as [`crate::store::SessionsBuilder`] makes them.
fn derived(rows: &RecordBatch) -> Result<Vec<(String, ArrayRef)>, ArrowError> {
    let days = column(rows, "session_date")?.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong("session_date"))?;
    let follow_ups = column(rows, "last_follow_up_date")?;
    let follow_ups = follow_ups.as_primitive_opt::<Date32Type>().ok_or_else(|| wrong("last_follow_up_date"))?;
    let skin = column(rows, "fitzpatrick")?.as_dictionary_opt::<UInt8Type>().ok_or_else(|| wrong("fitzpatrick"))?;
    let number = |key: u8| Fitzpatrick::new(key + 1).map(|skin| i32::from(skin.number()));
    let numbers: Int32Array = skin.keys().iter().map(|key| key.and_then(number)).collect();
    let ita = canonical(column(rows, "ita_degrees")?, Reading::Number(|_| None))?;
    let ita = ita.as_primitive_opt::<arrow::datatypes::Float64Type>().ok_or_else(|| wrong("ita_degrees"))?;
    let classes: UInt8Array = ita.iter().map(|degrees| degrees.map(|degrees| ItaClass::of(degrees) as u8)).collect();
    let mut months: StringDictionaryBuilder<UInt32Type> = StringDictionaryBuilder::new();
    for day in days.iter() {
        months.append_option(day.map(|day| Day(day).month_text()));
    }
    let between: Int32Array = days.iter().zip(follow_ups.iter()).map(|(from, to)| Some(to? - from?)).collect();
    let mut derived: Vec<(String, ArrayRef)> = vec![
        ("fitzpatrick_number".to_owned(), Arc::new(numbers)),
        ("ita_class".to_owned(), Arc::new(super::rows::coded(classes, ItaClass::CODES)?)),
        ("session_month".to_owned(), Arc::new(months.finish())),
        ("follow_up_days".to_owned(), Arc::new(between)),
    ];
    let prefixes = [("", Condition::CODES), ("topical_", Topical::CODES)];
    for ((list, codes), (prefix, names)) in LISTS.into_iter().zip(prefixes) {
        let sets = sets(rows, list, codes)?;
        for (index, name) in names.iter().enumerate() {
            let members: UInt8Array = sets.iter().map(|set| set.map(|set| u8::from(set.has(index)))).collect();
            derived.push((format!("{prefix}{name}"), Arc::new(super::rows::coded(members, YesNo::CODES)?)));
        }
    }
    Ok(derived)
}

fn sets(rows: &RecordBatch, list: &str, codes: &[&str]) -> Result<Vec<Option<CodeSet>>, ArrowError> {
    let texts: &StringArray = column(rows, list)?.as_string_opt().ok_or_else(|| wrong(list))?;
    let mut known: HashMap<&str, CodeSet> = HashMap::new();
    Ok(texts.iter().map(|text| text.map(|text| *known.entry(text).or_insert_with(|| code_set(text, codes)))).collect())
}
