//! The session table: Arrow columns by name, patients as dense numbers, and where each row came from.

use super::build::{Occurrence, SessionsBuilder};
use super::coded::{Coded, Domain, Values};
use crate::domain::{Day, Place};
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, DictionaryArray, Int32Array, StringArray, UInt32Array,
};
use arrow::compute::filter;
use arrow::datatypes::{DataType, Float64Type, Int32Type, UInt8Type, UInt32Type};
use std::sync::Arc;

/// What the builder hands over: columns of every row pushed, and which of them stand.
pub(super) struct Raw {
    pub(super) columns: Vec<(String, ArrayRef)>,
    pub(super) patients: DictionaryArray<UInt32Type>,
    pub(super) asked: Vec<bool>,
    pub(super) places: Vec<Place>,
    pub(super) keep: Vec<bool>,
}

/// Sessions as columns.
#[derive(Debug, Clone)]
pub struct SessionTable {
    columns: Vec<(String, ArrayRef)>,
    patient: Vec<u32>,
    patient_keys: StringArray,
    asked: Vec<bool>,
    places: Vec<Place>,
    /// Side effects of the sessions, from their own rows and, once joined, from events.
    pub occurrences: Vec<Occurrence>,
}

/// A column as small numbers with a text for each: what counting works on.
#[derive(Debug, Clone)]
pub struct Labels {
    /// For each session the index of its text; `None` = missing.
    pub codes: Vec<Option<u32>>,
    /// The texts.
    pub texts: Vec<String>,
}

impl Default for SessionTable {
    /// A table of no sessions, with every column.
    fn default() -> SessionTable {
        SessionsBuilder::new().finish().0
    }
}

impl SessionTable {
    pub(super) fn new(raw: Raw, occurrences: Vec<Occurrence>) -> SessionTable {
        let keep = BooleanArray::from(raw.keep.clone());
        let stands = |column: &ArrayRef| filter(column, &keep).unwrap_or_else(|_| column.clone());
        let all_stand = raw.keep.iter().all(|keep| *keep);
        let columns = raw
            .columns
            .into_iter()
            .map(|(name, column)| (name, if all_stand { column } else { stands(&column) }))
            .collect();
        let kept = |row: &usize| raw.keep[*row];
        let keys: &UInt32Array = raw.patients.keys();
        let rows: Vec<usize> = (0..raw.keep.len()).filter(kept).collect();
        SessionTable {
            columns,
            patient: rows.iter().map(|row| keys.value(*row)).collect(),
            patient_keys: raw.patients.values().as_string::<i32>().clone(),
            asked: rows.iter().map(|row| raw.asked[*row]).collect(),
            places: rows.iter().map(|row| raw.places[*row]).collect(),
            occurrences,
        }
    }

    /// Sessions of which nothing is known but some columns and whether side effects were asked about.
    pub(super) fn of_columns(columns: Vec<(String, ArrayRef)>, asked: Vec<bool>) -> SessionTable {
        SessionTable {
            columns,
            patient: vec![0; asked.len()],
            patient_keys: StringArray::from(Vec::<&str>::new()),
            asked,
            places: Vec::new(),
            occurrences: Vec::new(),
        }
    }

    /// Number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.patient.len()
    }

    /// Whether there is no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patient.is_empty()
    }

    /// Patient of each session, as a dense number (patients without a standing session have numbers too).
    #[must_use]
    pub fn patients(&self) -> &[u32] {
        &self.patient
    }

    /// Dense number of a patient of a source.
    #[must_use]
    pub fn patient_numbers(&self) -> std::collections::HashMap<&str, u32> {
        (0..self.patient_keys.len())
            .filter_map(|at| Some((self.patient_keys.value(at), u32::try_from(at).ok()?)))
            .collect()
    }

    /// Whether side effects were asked about, for each session.
    #[must_use]
    pub fn asked(&self) -> &[bool] {
        &self.asked
    }

    /// Where each session came from.
    #[must_use]
    pub fn places(&self) -> &[Place] {
        &self.places
    }

    /// Names of the columns that grouping, adjusting and `where` may use.
    pub fn column_names(&self) -> impl Iterator<Item = &str> {
        self.columns.iter().map(|(name, _)| name.as_str())
    }

    /// A column by name.
    #[must_use]
    pub fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.columns.iter().find(|(known, _)| known == name).map(|(_, column)| column)
    }

    /// A date column by name.
    #[must_use]
    pub fn dates(&self, name: &str) -> Option<&Date32Array> {
        self.column(name)?.as_any().downcast_ref()
    }

    /// Day of each session.
    #[must_use]
    pub fn session_day(&self, row: usize) -> Day {
        Day(self.dates("session_date").map_or(0, |dates| dates.value(row)))
    }

    /// Last follow-up day of a session.
    #[must_use]
    pub fn follow_up(&self, row: usize) -> Option<Day> {
        let dates = self.dates("last_follow_up_date")?;
        dates.is_valid(row).then(|| Day(dates.value(row)))
    }

    /// A numeric column (number or integer) as numbers; `None` where it is not one.
    #[must_use]
    pub fn numbers(&self, name: &str) -> Option<Vec<Option<f64>>> {
        let column = self.column(name)?;
        match column.data_type() {
            DataType::Float64 => Some(column.as_primitive::<Float64Type>().iter().collect()),
            DataType::Int32 => {
                Some(column.as_primitive::<Int32Type>().iter().map(|value| value.map(f64::from)).collect())
            }
            _ => None,
        }
    }

    /// A column as texts with codes: coded columns in catalogue order, text in the order of the alphabet, integers
    /// and dates in ascending order. Numbers with fractions have no labels.
    #[must_use]
    pub fn labels(&self, name: &str) -> Option<Labels> {
        let Coded { codes, values } = self.coded(name)?;
        let mut domain = Domain::default();
        let place = domain.take(&values, &codes);
        let (texts, order) = domain.in_order();
        let code = |code: u32| order[place[code as usize] as usize];
        let codes = codes.into_iter().map(|own| (own != Coded::MISSING).then(|| code(own))).collect();
        Some(Labels { codes, texts })
    }

    /// A column as codes with the value of each. Numbers with fractions have none.
    #[must_use]
    pub fn coded(&self, name: &str) -> Option<Coded> {
        let column = self.column(name)?;
        match column.data_type() {
            DataType::Dictionary(key, _) if **key == DataType::UInt8 => {
                let dictionary = column.as_dictionary::<UInt8Type>();
                let codes = dictionary.keys().iter().map(|key| key.map_or(Coded::MISSING, u32::from)).collect();
                Some(Coded { codes, values: Values::List(strings(dictionary.values())) })
            }
            DataType::Dictionary(..) => {
                let dictionary = column.as_dictionary::<UInt32Type>();
                let codes: Vec<u32> = dictionary.keys().iter().map(|key| key.unwrap_or(Coded::MISSING)).collect();
                let values = Values::Texts(occurring(dictionary.values(), &codes));
                Some(Coded { codes, values })
            }
            DataType::Int32 => {
                Some(Coded::of_integers(column.as_primitive::<Int32Type>().iter().collect(), Values::Wholes))
            }
            DataType::Date32 => Some(Coded::of_integers(self.dates(name)?.iter().collect(), Values::Days)),
            _ => None,
        }
    }

    /// Some of the sessions, with every column and without their side effects.
    #[must_use]
    pub fn slice(&self, from: usize, rows: usize) -> SessionTable {
        SessionTable {
            columns: self.columns.iter().map(|(name, column)| (name.clone(), column.slice(from, rows))).collect(),
            patient: self.patient[from..from + rows].to_vec(),
            patient_keys: self.patient_keys.clone(),
            asked: self.asked[from..from + rows].to_vec(),
            places: self.places[from..from + rows].to_vec(),
            occurrences: Vec::new(),
        }
    }

    /// The same table with follow-up dates moved back to the data cut, and without sessions after it. Returns how
    /// many sessions were left out and, for each row, its new row.
    #[must_use]
    pub fn cut(self, data_cut: Day) -> (SessionTable, u64) {
        let keep: Vec<bool> = (0..self.len()).map(|row| self.session_day(row) <= data_cut).collect();
        let left_out = keep.iter().filter(|keep| !**keep).count() as u64;
        let mut next = 0u32;
        let rows: Vec<Option<u32>> = keep
            .iter()
            .map(|keep| {
                keep.then(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let occurrences = self
            .occurrences
            .into_iter()
            .filter_map(|occurrence| Some(Occurrence { session: rows[occurrence.session as usize]?, ..occurrence }))
            .collect();
        let patients = DictionaryArray::new(UInt32Array::from(self.patient), Arc::new(self.patient_keys));
        let mut columns = self.columns;
        move_back_follow_up(&mut columns, data_cut);
        let raw = Raw { columns, patients, asked: self.asked, places: self.places, keep };
        (SessionTable::new(raw, occurrences), left_out)
    }
}

fn move_back_follow_up(columns: &mut [(String, ArrayRef)], data_cut: Day) {
    let session_days: Option<Date32Array> = columns
        .iter()
        .find(|(name, _)| name == "session_date")
        .and_then(|(_, column)| column.as_any().downcast_ref::<Date32Array>().cloned());
    let mut moved: Option<Date32Array> = None;
    for (name, column) in columns.iter_mut() {
        if name == "last_follow_up_date"
            && let Some(dates) = column.as_any().downcast_ref::<Date32Array>()
        {
            let dates: Date32Array = dates.iter().map(|day| day.map(|day| day.min(data_cut.0))).collect();
            *column = Arc::new(dates.clone());
            moved = Some(dates);
        }
    }
    let (Some(days), Some(follow_up)) = (session_days, moved) else { return };
    let between: Int32Array = days.iter().zip(follow_up.iter()).map(|(from, to)| Some(to? - from?)).collect();
    if let Some((_, column)) = columns.iter_mut().find(|(name, _)| name == "follow_up_days") {
        *column = Arc::new(between);
    }
}

/// The values that occur; the others, of which there may be many, stay empty.
fn occurring(values: &ArrayRef, codes: &[u32]) -> Vec<String> {
    let values = values.as_string::<i32>();
    let mut texts = vec![String::new(); values.len()];
    for code in codes.iter().filter(|code| **code != Coded::MISSING) {
        let text = &mut texts[*code as usize];
        if text.is_empty() {
            values.value(*code as usize).clone_into(text);
        }
    }
    texts
}

fn strings(values: &ArrayRef) -> Vec<String> {
    values.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}
