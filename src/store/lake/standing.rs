//! Which incoming sessions stand: the same session again in the batch, and the same session already in the store.

use super::asked::Asked;
use super::columns::TableName;
use super::data_file::DataFile;
use super::entries::{Entries, Entry, Round};
use super::error::StoreError;
use super::keys::SessionKey;
use super::lookup::KeyMap;
use super::store::Store;
use crate::domain::Day;
use arrow::array::{Array, AsArray, BooleanBufferBuilder, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, UInt8Type};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

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

/// What becomes of the incoming sessions.
pub(super) struct Standing {
    /// By the number of the row: whether it stands.
    stands: BooleanBufferBuilder,
    /// Sessions that were not there before.
    pub(super) new: u64,
    /// The entries of those that stand and that amend a session or are asked for by an event, in the order of their keys.
    pub(super) winners: Vec<Entry>,
    /// Sessions of the store that the batch amends, or its events name, in the order of their keys.
    pub(super) existing: Vec<Existing>,
    /// Sessions of the store that are amended, and the number of the row that stands for them now.
    pub(super) amended: HashMap<SessionKey, u32>,
    /// Follow-up days that stay as they were, since the newer row's is earlier: by the number of the row.
    pub(super) kept_follow_ups: HashMap<u32, Day>,
    /// Rows that stand for a session of which an earlier row was of another patient.
    pub(super) other_patients: HashSet<u32>,
    /// Rows that say otherwise than the last of their session in the batch, and the row that stands for them.
    pub(super) replaced: HashMap<u32, u32>,
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
    /// Settles which incoming sessions stand, a range of their keys at a time.
    pub(super) fn settle(
        (store, files): (&Store, &[DataFile]),
        entries: Entries,
        asked: &Asked,
        forward: bool,
    ) -> Result<Standing, StoreError> {
        let mut stands = BooleanBufferBuilder::new(entries.len());
        stands.append_n(entries.len(), false);
        let mut standing = Standing {
            stands,
            new: 0,
            winners: Vec::new(),
            existing: Vec::new(),
            amended: HashMap::new(),
            kept_follow_ups: HashMap::new(),
            other_patients: HashSet::new(),
            replaced: HashMap::new(),
        };
        for round in entries.rounds()? {
            standing.round((store, files), &round?, asked, forward)?;
        }
        Ok(standing)
    }

    fn round(
        &mut self,
        (store, files): (&Store, &[DataFile]),
        round: &Round,
        asked: &Asked,
        forward: bool,
    ) -> Result<(), StoreError> {
        let mut before = Vec::new();
        if !files.is_empty() {
            let mut wanted: Vec<(u128, ())> = round.entries.iter().map(|entry| (entry.identity.key.0, ())).collect();
            wanted.extend(asked.named().filter(|key| round.covers(*key)).map(|key| (key.0, ())));
            wanted.sort_unstable();
            wanted.dedup();
            before = find(store, files, &KeyMap::new(wanted))?;
        }
        for same in round.entries.chunk_by(|one, other| one.identity.key == other.identity.key) {
            let before = of_key(&before, same[0].identity.key, |existing| existing.key);
            let Some(winner) = self.session(same, before, forward) else { continue };
            self.stands.set_bit(winner.number as usize, true);
            self.new += u64::from(before.is_none());
            if before.is_some() || asked.concerns(&winner) {
                self.winners.push(winner);
            }
        }
        before.retain(|existing| self.amended.contains_key(&existing.key) || asked.names(existing.key));
        self.existing.extend(before);
        Ok(())
    }

    /// Whether the incoming row of a number stands: it is neither a repeat nor followed by a newer one.
    pub(super) fn stands(&self, number: u32) -> bool {
        self.stands.get_bit(number as usize)
    }

    /// Whether every incoming row stands, as it came, for a session that was not there.
    pub(super) fn is_plain(&self) -> bool {
        self.new == self.stands.len() as u64 && self.kept_follow_ups.is_empty()
    }

    /// Whether no incoming row stands.
    pub(super) fn is_empty(&self) -> bool {
        self.new == 0 && self.amended.is_empty()
    }

    /// The session of the store with a key, of those that are amended or named.
    pub(super) fn existing(&self, key: SessionKey) -> Option<&Existing> {
        of_key(&self.existing, key, |existing| existing.key)
    }

    /// The incoming session that stands for a key, of those that amend or are asked for.
    pub(super) fn winner(&self, key: SessionKey) -> Option<&Entry> {
        of_key(&self.winners, key, |entry| entry.identity.key)
    }

    /// Settles the rows of one session, in the order in which they came; the one that stands, if one does.
    fn session(&mut self, same: &[Entry], before: Option<&Existing>, forward: bool) -> Option<Entry> {
        let content = |entry: &Entry| (entry.identity.row_hash, entry.identity.patient);
        let known = before.map(|existing| (existing.row_hash, existing.patient));
        let last = same.last()?;
        // The first of those that say the same as the last stands: the others repeat it.
        let repeats = same.iter().rev().take_while(|entry| content(entry) == content(last)).count();
        let mut winner = same[same.len() - repeats];
        let otherwise = same.iter().filter(|entry| content(entry) != content(last));
        self.replaced.extend(otherwise.map(|entry| (entry.number, winner.number)));
        // What was said otherwise in between, and is now as it was, changes nothing.
        if Some(content(last)) == known {
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

fn of_key<T>(sorted: &[T], key: SessionKey, of: impl Fn(&T) -> SessionKey) -> Option<&T> {
    let at = sorted.binary_search_by_key(&key, of).ok()?;
    Some(&sorted[at])
}

/// File number, line and record of a row of any table.
pub(super) fn place(batch: &RecordBatch, row: usize) -> Option<(i32, i64, i64)> {
    let file = batch.column_by_name("file_number")?.as_primitive_opt::<Int32Type>()?.value(row);
    let long = |name: &str| Some(batch.column_by_name(name)?.as_primitive_opt::<Int64Type>()?.value(row));
    Some((file, long("line")?, long("record")?))
}
