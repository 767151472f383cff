//! Which incoming sessions stand: the same session again in the batch, and the same session already in the store.

use super::columns::TableName;
use super::data_file::DataFile;
use super::error::StoreError;
use super::incoming::{Entry, Incoming};
use super::keys::SessionKey;
use super::lookup::KeyMap;
use super::store::Store;
use crate::domain::Day;
use arrow::array::{Array, AsArray, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, UInt8Type};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// What becomes of an incoming session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It says the same as what stands already.
    Repeats,
    /// A later row of the batch says something else.
    Overtaken,
    /// It is a session that was not there.
    New,
    /// It says something new of a session that was there.
    Amends,
}

/// A session of the store that the batch speaks of.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Existing {
    /// Index of its file.
    pub(super) file: u32,
    /// Row in it.
    pub(super) row: u32,
    pub(super) key: SessionKey,
    pub(super) row_hash: i64,
    pub(super) patient: u64,
    pub(super) day: Day,
    pub(super) body_area: u8,
    pub(super) follow_up: Option<Day>,
}

/// What becomes of every incoming session.
pub(super) struct Standing {
    /// By the number of the row.
    pub(super) verdicts: Vec<Verdict>,
    /// The entries of those that stand, in the order of their keys.
    pub(super) winners: Vec<Entry>,
    /// Sessions of the store that the batch names or amends, in the order of their keys.
    pub(super) existing: Vec<Existing>,
    /// Sessions of the store that are amended, and the number of the row that stands for them now.
    pub(super) amended: HashMap<SessionKey, u32>,
    /// Follow-up days that stay as they were, since the newer row's is earlier: by the number of the row.
    pub(super) kept_follow_ups: HashMap<u32, Day>,
    /// Rows that stand for a session of which an earlier row was of another patient.
    pub(super) other_patients: HashSet<u32>,
}

/// The columns that tell a session from others.
const KEYS: [&str; 2] = ["session_key_high", "session_key_low"];
/// The columns that tell whether it says something new.
const DETAIL: [&str; 5] = ["patient_id", "row_hash", "session_date", "last_follow_up_date", "body_area"];

/// Finds the sessions of `wanted` among the files.
pub(super) fn find(store: &Store, files: &[DataFile], wanted: &KeyMap<()>) -> Result<Vec<Existing>, StoreError> {
    if wanted.is_empty() {
        return Ok(Vec::new());
    }
    let numbered: Vec<(u32, &DataFile)> = (0u32..).zip(files).collect();
    let found: Vec<Vec<Existing>> =
        numbered.par_iter().map(|(number, file)| in_file(store, (*number, file), wanted)).collect::<Result<_, _>>()?;
    let mut found: Vec<Existing> = found.into_iter().flatten().collect();
    found.sort_unstable_by_key(|existing| existing.key);
    Ok(found)
}

fn in_file(store: &Store, (number, file): (u32, &DataFile), wanted: &KeyMap<()>) -> Result<Vec<Existing>, StoreError> {
    let keys = store.read(TableName::Sessions, file, Some(&KEYS))?;
    let rows: Vec<(u32, SessionKey)> = keys_in_order(&keys)?
        .into_iter()
        .zip(0u32..)
        .filter(|(key, _)| wanted.get(key.0).is_some())
        .map(|(key, row)| (row, key))
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let detail = Detail::of(&store.read(TableName::Sessions, file, Some(&DETAIL))?)?;
    Ok(rows.into_iter().map(|(row, key)| detail.existing((number, row), key)).collect())
}

/// The session keys of rows, in their order.
pub(super) fn keys_in_order(batch: &RecordBatch) -> Result<Vec<SessionKey>, StoreError> {
    let half = |name: &str| {
        let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Int64Type>());
        column.ok_or_else(|| lacks(name))
    };
    let (high, low) = (half(KEYS[0])?, half(KEYS[1])?);
    Ok(high.values().iter().zip(low.values()).map(|(high, low)| SessionKey::of_halves(*high, *low)).collect())
}

fn lacks(name: &str) -> StoreError {
    StoreError::Damaged { table: TableName::Sessions.folder(), reason: format!("a file lacks the column {name}") }
}

/// Typed columns of [`DETAIL`].
struct Detail {
    patients: StringArray,
    hashes: arrow::array::Int64Array,
    days: arrow::array::Date32Array,
    follow_ups: arrow::array::Date32Array,
    areas: arrow::array::UInt8Array,
}

impl Detail {
    fn of(batch: &RecordBatch) -> Result<Detail, StoreError> {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| lacks(name));
        let days = |name: &str| column(name)?.as_primitive_opt::<Date32Type>().cloned().ok_or_else(|| lacks(name));
        Ok(Detail {
            patients: column("patient_id")?.as_string_opt().cloned().ok_or_else(|| lacks("patient_id"))?,
            hashes: column("row_hash")?.as_primitive_opt().cloned().ok_or_else(|| lacks("row_hash"))?,
            days: days("session_date")?,
            follow_ups: days("last_follow_up_date")?,
            areas: column("body_area")?
                .as_dictionary_opt::<UInt8Type>()
                .map(|areas| areas.keys().clone())
                .ok_or_else(|| lacks("body_area"))?,
        })
    }

    fn existing(&self, (file, row): (u32, u32), key: SessionKey) -> Existing {
        let at = row as usize;
        Existing {
            file,
            row,
            key,
            row_hash: self.hashes.value(at),
            patient: xxhash_rust::xxh3::xxh3_64(self.patients.value(at).as_bytes()),
            day: Day(self.days.value(at)),
            body_area: self.areas.value(at),
            follow_up: self.follow_ups.is_valid(at).then(|| Day(self.follow_ups.value(at))),
        }
    }
}

/// Sessions of patients among the files of some months.
pub(super) fn of_patients(
    store: &Store,
    files: &[(u32, &DataFile)],
    patients: &std::collections::HashSet<u64>,
) -> Result<Vec<Existing>, StoreError> {
    let wanted: Vec<&str> = KEYS.into_iter().chain(DETAIL).collect();
    let in_file = |(number, file): &(u32, &DataFile)| -> Result<Vec<Existing>, StoreError> {
        let batch = store.read(TableName::Sessions, file, Some(&wanted))?;
        let (detail, keys) = (Detail::of(&batch)?, keys_in_order(&batch)?);
        let rows = (0u32..).zip(keys).map(|(row, key)| detail.existing((*number, row), key));
        Ok(rows.filter(|existing| patients.contains(&existing.patient)).collect())
    };
    let found: Vec<Vec<Existing>> = files.par_iter().map(in_file).collect::<Result<_, _>>()?;
    Ok(found.into_iter().flatten().collect())
}

impl Standing {
    /// Settles which incoming sessions stand. `named` are the other sessions that the batch speaks of.
    pub(super) fn settle(
        store: &Store,
        files: &[DataFile],
        (incoming, named): (&mut Incoming, &[SessionKey]),
        forward: bool,
    ) -> Result<Standing, StoreError> {
        let mut entries = std::mem::take(&mut incoming.entries);
        entries.par_sort_unstable_by_key(|entry| (entry.identity.key, entry.number));
        let existing = if files.is_empty() {
            Vec::new()
        } else {
            let mut wanted: Vec<(u128, ())> = entries.iter().map(|entry| (entry.identity.key.0, ())).collect();
            wanted.extend(named.iter().map(|key| (key.0, ())));
            wanted.sort_unstable();
            wanted.dedup();
            find(store, files, &KeyMap::new(wanted))?
        };
        let mut standing = Standing {
            verdicts: vec![Verdict::New; entries.len()],
            winners: Vec::new(),
            existing,
            amended: HashMap::new(),
            kept_follow_ups: HashMap::new(),
            other_patients: HashSet::new(),
        };
        // Those that stand move to the front of the list: a second list of millions is not held.
        let (mut kept, mut from) = (0, 0);
        while from < entries.len() {
            let key = entries[from].identity.key;
            let rows = entries[from..].iter().take_while(|entry| entry.identity.key == key).count();
            if let Some(winner) = standing.session(&entries[from..from + rows], forward) {
                entries[kept] = winner;
                kept += 1;
            }
            from += rows;
        }
        entries.truncate(kept);
        standing.winners = entries;
        Ok(standing)
    }

    /// The session of the store with a key.
    pub(super) fn existing(&self, key: SessionKey) -> Option<&Existing> {
        let at = self.existing.binary_search_by_key(&key, |existing| existing.key).ok()?;
        Some(&self.existing[at])
    }

    /// The incoming session that stands for a key.
    pub(super) fn winner(&self, key: SessionKey) -> Option<&Entry> {
        let at = self.winners.binary_search_by_key(&key, |entry| entry.identity.key).ok()?;
        Some(&self.winners[at])
    }

    /// Settles the rows of one session, in the order in which they came; the one that stands, if one does.
    fn session(&mut self, same: &[Entry], forward: bool) -> Option<Entry> {
        let before = self.existing(same[0].identity.key).copied();
        let content = |entry: &Entry| (entry.identity.row_hash, entry.identity.patient);
        let mut stands = before.map(|existing| (existing.row_hash, existing.patient));
        let mut latest: Option<&Entry> = None;
        for entry in same {
            let verdict = &mut self.verdicts[entry.number as usize];
            if stands == Some(content(entry)) {
                *verdict = Verdict::Repeats;
                continue;
            }
            *verdict = if before.is_some() { Verdict::Amends } else { Verdict::New };
            if let Some(overtaken) = latest.replace(entry) {
                self.verdicts[overtaken.number as usize] = Verdict::Overtaken;
            }
            stands = Some(content(entry));
        }
        let winner = latest?;
        if before.is_some_and(|existing| (existing.row_hash, existing.patient) == content(winner)) {
            // It was said otherwise in between, and is now as it was.
            self.verdicts[winner.number as usize] = Verdict::Repeats;
            return None;
        }
        if let Some(existing) = before {
            self.amended.insert(existing.key, winner.number);
        }
        let patients = same.iter().map(|entry| entry.identity.patient).chain(before.map(|existing| existing.patient));
        if patients.into_iter().any(|patient| patient != winner.identity.patient) {
            self.other_patients.insert(winner.number);
        }
        let furthest = same.iter().filter_map(Entry::follow_up).chain(before.and_then(|e| e.follow_up)).max();
        let mut winner = *winner;
        if let Some(day) = furthest.filter(|_| forward)
            && winner.follow_up().is_none_or(|own| own < day)
            && day >= winner.day
        {
            winner.follow_up = day.0;
            self.kept_follow_ups.insert(winner.number, day);
        }
        Some(winner)
    }
}

/// File number, line and record of a row of any table.
pub(super) fn place(batch: &RecordBatch, row: usize) -> Option<(i32, i64, i64)> {
    let file = batch.column_by_name("file_number")?.as_primitive_opt::<Int32Type>()?.value(row);
    let long = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(row));
    Some((file, long("line")?, long("record")?))
}
