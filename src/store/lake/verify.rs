//! Whether a store is as it should be: its files against their checksums, its rows against the list of batches, its
//! events against its sessions.

use super::columns::{self, TableName};
use super::data_file::{self, DataFile};
use super::encoding;
use super::error::StoreError;
use super::events::{self, EventRow, Status};
use super::home::Listed;
use super::keys::SessionKey;
use super::ledger::Batch;
use super::month::Month;
use super::standing::keys_in_order;
use super::states;
use super::store::Store;
use crate::domain::{Catalogue, amount};
use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Files looked at.
    pub files: u64,
    /// Rows of all of them.
    pub rows: u64,
    /// What is wrong, in words; empty = the store is whole.
    pub problems: Vec<String>,
    /// Files that no version names: what interrupted writers have left. They harm nobody; `vacuum` removes them.
    pub left_over: Vec<String>,
}

/// Looks at the newest version.
///
/// # Errors
/// When the store cannot be opened; what is damaged in it is no error but an answer.
pub fn verify(store: &Store, catalogue: &Catalogue) -> Result<Verified, StoreError> {
    let at = store.latest();
    let mut verified = Verified::default();
    let mut sessions = Vec::new();
    let mut all_events = Vec::new();
    for table in TableName::ALL {
        let files = match store.files(table, at) {
            Ok(files) => files,
            Err(error) => {
                verified.problems.push(error.to_string());
                continue;
            }
        };
        let read: Vec<Result<RecordBatch, String>> = files.par_iter().map(|file| whole(store, table, file)).collect();
        for (file, rows) in files.iter().zip(read) {
            verified.files += 1;
            match rows {
                Err(problem) => verified.problems.push(problem),
                Ok(rows) => {
                    verified.rows += rows.num_rows() as u64;
                    verified.problems.extend(data_file::contradiction(table, file, &rows));
                    match table {
                        TableName::Sessions => sessions.push((file.clone(), rows)),
                        TableName::Events => all_events.push((file.clone(), events::read(&rows, catalogue))),
                        _ => {}
                    }
                }
            }
        }
    }
    if verified.problems.is_empty() {
        verified.problems.extend(unique(&sessions)?);
        verified.problems.extend(partitions(&sessions));
        verified.problems.extend(joined(&sessions, &all_events)?);
        verified.problems.extend(settled(&sessions, &all_events, catalogue));
        verified.problems.extend(counts(at, &sessions, &all_events));
    }
    verified.left_over = left_over(store)?.into_iter().map(|file| file.name).collect();
    Ok(verified)
}

/// A file whose name is the hash of its bytes, and that can be read.
fn whole(store: &Store, table: TableName, file: &DataFile) -> Result<RecordBatch, String> {
    let name = data_file::name_of(table, &file.path);
    let bytes = store.home().get(&name).map_err(|error| format!("{name}: {error}"))?;
    let hash = &blake3::hash(&bytes).to_hex()[..32];
    if !file.path.ends_with(&format!("part-{hash}.parquet")) {
        return Err(format!("{name} is not what was written: its checksum is {hash}"));
    }
    store.read(table, file, None).map_err(|error| error.to_string())
}

type Files<T> = [(DataFile, T)];

fn unique(sessions: &Files<RecordBatch>) -> Result<Option<String>, StoreError> {
    let mut seen = HashSet::new();
    let mut twice = 0;
    for (_, rows) in sessions {
        twice += keys_in_order(rows)?.into_iter().filter(|key| !seen.insert(*key)).count();
    }
    Ok((twice > 0).then(|| format!("{} there more than once", amount::are(twice as u64, "session"))))
}

fn partitions(sessions: &Files<RecordBatch>) -> Vec<String> {
    let misplaced = |(file, rows): &(DataFile, RecordBatch)| {
        let days = rows.column_by_name("session_date")?.as_primitive_opt::<Date32Type>()?;
        let month = file.partition.as_deref().and_then(Month::parse);
        let wrong = days.values().iter().filter(|day| Some(Month::of(crate::domain::Day(**day))) != month).count();
        (wrong > 0)
            .then(|| format!("sessions/{}: {} of another month", file.path, amount::are(wrong as u64, "session")))
    };
    sessions.iter().filter_map(misplaced).collect()
}

/// Every joined event has its session, in the partition of its month.
fn joined(sessions: &Files<RecordBatch>, all: &Files<Vec<EventRow>>) -> Result<Vec<String>, StoreError> {
    let mut months: HashMap<SessionKey, &str> = HashMap::new();
    for (file, rows) in sessions {
        let month = file.partition.as_deref().unwrap_or_default();
        months.extend(keys_in_order(rows)?.into_iter().map(|key| (key, month)));
    }
    let mut problems = Vec::new();
    let mut seen = HashSet::new();
    for (file, events) in all {
        let partition = file.partition.as_deref().unwrap_or_default();
        let fits = |event: &&EventRow| match (event.status, event.joined) {
            (Status::Joined, Some(key)) => months.get(&key).copied() == Some(partition),
            (Status::Joined, None) => false,
            (_, joined) => joined.is_none() && partition == super::month::PENDING,
        };
        let orphans = events.iter().filter(|event| !fits(event)).count();
        if orphans > 0 {
            problems.push(format!(
                "events/{}: {} not where their session is",
                file.path,
                amount::are(orphans as u64, "event")
            ));
        }
        let twice = events.iter().filter(|event| !seen.insert(event.identity())).count();
        if twice > 0 {
            problems.push(format!("events/{}: {} there more than once", file.path, amount::are(twice as u64, "event")));
        }
    }
    Ok(problems)
}

/// The states that stand in the sessions are those that follow from their rows and events.
fn settled(sessions: &Files<RecordBatch>, all: &Files<Vec<EventRow>>, catalogue: &Catalogue) -> Vec<String> {
    let differs = |(file, rows): &(DataFile, RecordBatch)| {
        let events = all.iter().filter(|(of, _)| of.partition == file.partition).flat_map(|(_, events)| events);
        let states = states::States::of(rows, events, catalogue);
        let states = match states.and_then(|states| encoding::arrays(states.pieces()).collect::<Result<Vec<_>, _>>()) {
            Ok(states) => states,
            Err(error) => return Some(format!("sessions/{}: {error}", file.path)),
        };
        let names = columns::session_states(catalogue);
        let wrong: Vec<&str> = names
            .iter()
            .zip(&states)
            .filter(|(column, state)| {
                // A band may be a dictionary of the same texts.
                let state = arrow::compute::cast(state, &column.holds.arrow());
                // What a site has added has no column in a file that an older program has written.
                let Some(found) = rows.column_by_name(&column.name) else { return false };
                !state.is_ok_and(|state| *found == state)
            })
            .map(|(column, _)| column.name.as_str())
            .collect();
        (!wrong.is_empty()).then(|| format!("sessions/{}: {} do not follow from the rows", file.path, wrong.join(", ")))
    };
    sessions.par_iter().filter_map(differs).collect()
}

/// The rows that are there are those that the list of batches says.
fn counts(at: &Batch, sessions: &Files<RecordBatch>, all: &Files<Vec<EventRow>>) -> Vec<String> {
    let found = sessions.iter().map(|(_, rows)| rows.num_rows() as u64).sum::<u64>();
    let events = all.iter().map(|(_, events)| events.len() as u64).sum::<u64>();
    let compare = |what: &str, found: u64, said: u64| {
        (found != said).then(|| format!("there are {found} {what}, but the list of batches says {said}"))
    };
    [compare("sessions", found, at.counts.sessions), compare("events", events, at.counts.events)]
        .into_iter()
        .flatten()
        .collect()
}

/// Files that no version names.
pub(super) fn left_over(store: &Store) -> Result<Vec<Listed>, StoreError> {
    let mut named: HashSet<String> = HashSet::new();
    for version in store.latest().oldest_whole..=store.latest().version {
        for (table, change) in store.batch(version)?.changes {
            named.extend(change.add.iter().chain(&change.remove).map(|file| format!("{table}/{}", file.path)));
        }
    }
    let first = store.batch(store.latest().oldest_whole)?;
    let mut left = Vec::new();
    for table in TableName::ALL {
        named.extend(store.files(table, &first)?.into_iter().map(|file| format!("{}/{}", table.folder(), file.path)));
        left.extend(store.home().data_files(table.folder())?.into_iter().filter(|file| !named.contains(&file.name)));
    }
    Ok(left)
}
