//! The session table: Arrow columns by name, patients as dense numbers, and where each row came from.

use super::build::{Occurrence, SessionsBuilder};
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
        let column = self.column(name)?;
        match column.data_type() {
            DataType::Dictionary(key, _) if **key == DataType::UInt8 => {
                let dictionary = column.as_dictionary::<UInt8Type>();
                let codes = dictionary.keys().iter().map(|key| key.map(u32::from)).collect();
                Some(Labels { codes, texts: strings(dictionary.values()) })
            }
            DataType::Dictionary(..) => {
                let dictionary = column.as_dictionary::<UInt32Type>();
                let labels = Labels { codes: dictionary.keys().iter().collect(), texts: strings(dictionary.values()) };
                Some(labels.sorted())
            }
            DataType::Int32 => Some(Labels::of_integers(column.as_primitive::<Int32Type>().iter(), |n| n.to_string())),
            DataType::Date32 => Some(Labels::of_integers(self.dates(name)?.iter(), |days| Day(days).to_string())),
            _ => None,
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

fn strings(values: &ArrayRef) -> Vec<String> {
    values.as_string::<i32>().iter().map(|text| text.unwrap_or_default().to_owned()).collect()
}

impl Labels {
    /// The same labels with texts in the order of the alphabet, and only those that occur.
    fn sorted(self) -> Labels {
        let mut occurs = vec![false; self.texts.len()];
        for code in self.codes.iter().flatten() {
            occurs[*code as usize] = true;
        }
        let mut order: Vec<usize> = (0..self.texts.len()).filter(|at| occurs[*at]).collect();
        order.sort_by(|a, b| self.texts[*a].cmp(&self.texts[*b]));
        let mut place = vec![0u32; self.texts.len()];
        for (new, old) in (0u32..).zip(&order) {
            place[*old] = new;
        }
        Labels {
            codes: self.codes.into_iter().map(|code| code.map(|code| place[code as usize])).collect(),
            texts: order.into_iter().map(|at| self.texts[at].clone()).collect(),
        }
    }

    fn of_integers(values: impl Iterator<Item = Option<i32>>, text: fn(i32) -> String) -> Labels {
        let values: Vec<Option<i32>> = values.collect();
        let mut known: Vec<i32> = values.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        let code = |value: i32| known.binary_search(&value).ok().and_then(|at| u32::try_from(at).ok());
        Labels {
            codes: values.iter().map(|value| value.and_then(code)).collect(),
            texts: known.iter().map(|value| text(*value)).collect(),
        }
    }
}
