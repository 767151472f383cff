//! What events ask of the sessions that come: those of the batch, and those of the store, which may belong elsewhere
//! once it is in.

use super::columns::TableName;
use super::data_file::DataFile;
use super::entries::Entry;
use super::error::StoreError;
use super::events::{self, EventRow};
use super::keys::SessionKey;
use super::store::Store;
use arrow::array::{Array, AsArray, Int64Array, StringArray};
use arrow::datatypes::Int64Type;
use rustc_hash::FxBuildHasher;
use std::collections::HashSet;

/// The columns by which events are chosen for another look.
const NARROW: [&str; 7] =
    ["patient_id", "source", "named_key_high", "named_key_low", "joined_key_high", "joined_key_low", "row_hash"];

/// Typed columns of [`NARROW`], of one file.
pub(super) struct Narrow {
    longs: [Int64Array; 5],
    patients: StringArray,
    sources: StringArray,
}

impl Narrow {
    pub(super) fn of(store: &Store, file: &DataFile) -> Result<Narrow, StoreError> {
        let batch = store.read(TableName::Events, file, Some(&NARROW))?;
        let lacks = || StoreError::Damaged { table: "events", reason: "a file lacks a column".to_owned() };
        let column = |name: &str| batch.column_by_name(name).ok_or_else(lacks);
        let long = |name: &str| column(name)?.as_primitive_opt::<Int64Type>().cloned().ok_or_else(lacks);
        let text = |name: &str| column(name)?.as_string_opt().cloned().ok_or_else(lacks);
        Ok(Narrow {
            longs: [
                long("named_key_high")?,
                long("named_key_low")?,
                long("joined_key_high")?,
                long("joined_key_low")?,
                long("row_hash")?,
            ],
            patients: text("patient_id")?,
            sources: text("source")?,
        })
    }

    pub(super) fn len(&self) -> usize {
        self.patients.len()
    }

    fn key(&self, high: usize, row: usize) -> Option<SessionKey> {
        let [high, low] = [&self.longs[high], &self.longs[high + 1]];
        high.is_valid(row).then(|| SessionKey::of_halves(high.value(row), low.value(row)))
    }

    /// The session that an event names.
    pub(super) fn named(&self, row: usize) -> Option<SessionKey> {
        self.key(0, row)
    }

    /// The session that it belongs to.
    pub(super) fn joined(&self, row: usize) -> Option<SessionKey> {
        self.key(2, row)
    }

    /// Hash of its patient.
    pub(super) fn patient(&self, row: usize) -> Option<u64> {
        self.patients.is_valid(row).then(|| xxhash_rust::xxh3::xxh3_64(self.patients.value(row).as_bytes()))
    }

    pub(super) fn identities(&self) -> impl Iterator<Item = u128> + '_ {
        (0..self.len()).map(|row| {
            let patient = if self.patients.is_valid(row) { self.patients.value(row) } else { "" };
            events::identity((self.sources.value(row), patient), self.named(row), self.longs[4].value(row))
        })
    }
}

/// The incoming sessions that are to be kept for events.
pub(super) enum Asked {
    /// All: there are few.
    All { named: Keys },
    /// Those that events ask for.
    Some {
        named: Keys,
        /// Those that events of the store name or belong to.
        known: Keys,
        /// Those of the patients of whom an event names no session, by the hash of the pseudonym.
        patients: HashSet<u64, FxBuildHasher>,
    },
}

type Keys = HashSet<SessionKey, FxBuildHasher>;

impl Asked {
    /// What the events of a batch ask for, and those of a store, a file at a time; all incoming sessions where they are
    /// `few`.
    pub(super) fn by(
        incoming: &[EventRow],
        few: bool,
        (store, files): (&Store, &[DataFile]),
    ) -> Result<Asked, StoreError> {
        let named: Keys = incoming.iter().filter_map(|event| event.named).collect();
        // Where no event is stored, telling them apart costs nothing.
        if few && !files.is_empty() {
            return Ok(Asked::All { named });
        }
        let unnamed = incoming.iter().filter(|event| event.named.is_none());
        let mut patients: HashSet<u64, FxBuildHasher> = unnamed.filter_map(EventRow::patient).collect();
        let mut known = Keys::default();
        for file in files {
            let narrow = Narrow::of(store, file)?;
            for row in 0..narrow.len() {
                known.extend(narrow.joined(row));
                match narrow.named(row) {
                    Some(named) => _ = known.insert(named),
                    None => patients.extend(narrow.patient(row)),
                }
            }
        }
        Ok(Asked::Some { named, known, patients })
    }

    fn of_batch(&self) -> &Keys {
        match self {
            Asked::All { named } | Asked::Some { named, .. } => named,
        }
    }

    /// The sessions that events of the batch name, in no order.
    pub(super) fn named(&self) -> impl Iterator<Item = SessionKey> + '_ {
        self.of_batch().iter().copied()
    }

    /// Whether an event of the batch names a session.
    pub(super) fn names(&self, key: SessionKey) -> bool {
        self.of_batch().contains(&key)
    }

    /// Whether an event may belong to an incoming session.
    pub(super) fn concerns(&self, entry: &Entry) -> bool {
        let Asked::Some { named, known, patients } = self else { return true };
        let key = &entry.identity.key;
        named.contains(key) || known.contains(key) || patients.contains(&entry.identity.patient)
    }
}
