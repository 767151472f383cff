//! Work on a store that changes no row: joining small files, giving up old versions, renewing pseudonyms.

use super::columns::{self, TableName};
use super::data_file::{self, DataFile, damaged};
use super::delta::{BATCHES, Change};
use super::error::StoreError;
use super::events::{self, EventRow};
use super::home::WriteLock;
use super::keys::{Keys, SessionKey};
use super::ledger::{Batch, BatchKind};
use super::standing::keys_in_order;
use super::store::{Author, Store};
use super::upsert::{FILE_ROWS, Settled};
use super::verify;
use crate::domain::Catalogue;
use arrow::array::{ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::compute::concat_batches;
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// What was done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Done {
    /// Files before.
    pub files_before: u64,
    /// Files now.
    pub files_now: u64,
    /// Bytes before.
    pub bytes_before: u64,
    /// Bytes now.
    pub bytes_now: u64,
}

/// Joins the files of each partition of each table into as few as there may be. The rows are the same.
///
/// # Errors
/// When files are damaged or the disk refuses.
pub fn compact(store: &mut Store, author: &Author, lock: &WriteLock) -> Result<Done, StoreError> {
    store.finish(lock)?;
    let mut batch = store.next(BatchKind::Compact, author);
    let mut done = Done::default();
    for table in TableName::ALL {
        let files = store.files(table, store.latest())?;
        let mut partitions: BTreeMap<Option<String>, Vec<DataFile>> = BTreeMap::new();
        for file in &files {
            partitions.entry(file.partition.clone()).or_default().push(file.clone());
        }
        let small: Vec<(Option<String>, Vec<DataFile>)> = partitions
            .into_iter()
            .map(|(name, files)| (name, to_join(files)))
            .filter(|(_, files)| files.len() > 1)
            .collect();
        let joined: Vec<Vec<DataFile>> = small
            .par_iter()
            .map(|(name, files)| join(store, table, (name.as_deref(), files)))
            .collect::<Result<_, _>>()?;
        let change = Change {
            add: joined.into_iter().flatten().collect(),
            remove: small.into_iter().flat_map(|(_, files)| files).collect(),
        };
        let bytes = |files: &[DataFile]| files.iter().map(|file| file.bytes).sum::<u64>();
        done.files_before += files.len() as u64;
        done.files_now += (files.len() + change.add.len() - change.remove.len()) as u64;
        done.bytes_before += bytes(&files);
        done.bytes_now += bytes(&files) + bytes(&change.add) - bytes(&change.remove);
        batch.changes.insert(table.folder().to_owned(), change);
    }
    if batch.changes.values().any(|change| !change.is_empty()) {
        store.commit(batch, &[], lock)?;
    }
    Ok(done)
}

/// The files of a partition that are worth joining: those that do not fill a file of their own.
fn to_join(files: Vec<DataFile>) -> Vec<DataFile> {
    files.into_iter().filter(|file| file.rows < FILE_ROWS as u64 / 2).collect()
}

fn join(
    store: &Store,
    table: TableName,
    (partition, files): (Option<&str>, &[DataFile]),
) -> Result<Vec<DataFile>, StoreError> {
    let parts: Vec<RecordBatch> = files.iter().map(|file| store.read(table, file, None)).collect::<Result<_, _>>()?;
    let broken = |error: ArrowError| damaged(table, &error);
    // Files of one version have the same columns; an older program may have left some without a site's.
    let columns = parts.iter().map(|part| columns::of_file(table, part.schema_ref())).max_by_key(Vec::len);
    let columns = columns.unwrap_or_default();
    let schema = columns::schema(&columns);
    let parts: Result<Vec<RecordBatch>, ArrowError> =
        parts.iter().map(|part| data_file::as_schema(part, &columns, &schema)).collect();
    let rows = concat_batches(&schema, &parts.map_err(broken)?).map_err(broken)?;
    let rows = if table == TableName::Sessions { super::upsert::sorted(&rows).map_err(broken)? } else { rows };
    write_parts(store, table, (partition, &rows))
}

fn write_parts(
    store: &Store,
    table: TableName,
    (partition, rows): (Option<&str>, &RecordBatch),
) -> Result<Vec<DataFile>, StoreError> {
    (0..rows.num_rows())
        .step_by(FILE_ROWS)
        .map(|from| {
            let part = rows.slice(from, FILE_ROWS.min(rows.num_rows() - from));
            data_file::write(store.home(), table, (partition, &part))
        })
        .collect()
}

/// A writer of a bucket may be at work for as long as this: what is younger and named by nobody may be his.
pub const HORIZON_MS: i64 = 86_400_000;

/// What a vacuum removes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Removed {
    /// The oldest version that stays whole.
    pub oldest: u64,
    /// The files, named relative to the store.
    pub files: Vec<String>,
    /// Their size.
    pub bytes: u64,
    /// Files of a bucket that nobody needs, but that are younger than [`HORIZON_MS`].
    pub young: u64,
}

/// Removes what commands that failed or were interrupted have left in a folder. In a bucket it stays: another writer may
/// be at work on it.
///
/// # Errors
/// When files cannot be listed or removed.
pub fn tidy(store: &Store, _: &WriteLock) -> Result<Removed, StoreError> {
    let mut removed = Removed { oldest: store.latest().oldest_whole, ..Removed::default() };
    if store.home().folder().is_some() {
        for file in verify::left_over(store)? {
            store.home().remove(&file.name)?;
            removed.bytes += file.bytes;
            removed.files.push(file.name);
        }
    }
    Ok(removed)
}

/// Removes every file that no version from `oldest` on needs, and what interrupted writers have left. With `dry`
/// only tells.
///
/// # Errors
/// When files cannot be listed or removed.
pub fn vacuum(
    store: &mut Store,
    (oldest, dry): (u64, bool),
    author: &Author,
    lock: &WriteLock,
) -> Result<Removed, StoreError> {
    store.finish(lock)?;
    let first = store.at(oldest)?;
    let mut keep: BTreeSet<String> = BTreeSet::new();
    for table in TableName::ALL {
        keep.extend(store.files(table, &first)?.iter().map(|file| data_file::name_of(table, &file.path)));
    }
    for version in oldest + 1..=store.latest().version {
        for (table, change) in store.at(version)?.changes {
            keep.extend(change.add.iter().map(|file| format!("{table}/{}", file.path)));
        }
    }
    // Writers of a bucket that were overtaken have left the rows of their batches.
    let rows = if store.home().folder().is_none() { Some(BATCHES) } else { None };
    keep.extend(store.batch_files()?);
    let is_young = |written_ms: Option<i64>| written_ms.is_some_and(|written| written > author.at_ms - HORIZON_MS);
    // What nobody knows of goes first: on a full disk there is then room for the rest.
    let tidied = if dry { Removed::default() } else { tidy(store, lock)? };
    let mut removed = Removed { oldest, ..tidied };
    let already = removed.files.len();
    for folder in TableName::ALL.map(TableName::folder).into_iter().chain(rows) {
        for file in store.home().data_files(folder)? {
            if keep.contains(&file.name) {
                continue;
            }
            if is_young(file.written_ms) {
                removed.young += 1;
            } else {
                removed.bytes += file.bytes;
                removed.files.push(file.name);
            }
        }
    }
    if dry || (removed.files.len() == already && oldest == store.latest().oldest_whole) {
        return Ok(removed);
    }
    // The older versions are given up before the first of their files goes: whoever asks for one is told so.
    let mut batch = store.next(BatchKind::Vacuum, author);
    batch.oldest_whole = oldest;
    store.commit(batch, &[], lock)?;
    for name in &removed.files[already..] {
        // A writer that began after that step may have written the same file again.
        if !is_young(store.home().written_ms(name)?) {
            store.home().remove(name)?;
        }
    }
    Ok(removed)
}

/// Renews every pseudonym with a new key. Versions before it hold the old ones; `vacuum` gives them up.
///
/// # Errors
/// When files are damaged or the disk refuses.
pub fn rotate(
    store: &mut Store,
    (keys, catalogue): (&Keys, &Catalogue),
    author: &Author,
    lock: &WriteLock,
) -> Result<(), StoreError> {
    store.finish(lock)?;
    let mut batch = store.next(BatchKind::Rotate, author);
    batch.key_check = keys.check();
    for table in [TableName::Sessions, TableName::Events, TableName::Assessments, TableName::Superseded] {
        let files = store.files(table, store.latest())?;
        let renewed: Vec<DataFile> = files
            .par_iter()
            .map(|file| {
                let rows = store.read(table, file, None)?;
                let rows = renew(table, &rows, (keys, catalogue))?;
                data_file::write(store.home(), table, (file.partition.as_deref(), &rows))
            })
            .collect::<Result<_, StoreError>>()?;
        batch.changes.insert(table.folder().to_owned(), Change { add: renewed, remove: files });
    }
    store.commit(batch, &[], lock)
}

fn renew(
    table: TableName,
    rows: &RecordBatch,
    (keys, catalogue): (&Keys, &Catalogue),
) -> Result<RecordBatch, StoreError> {
    let broken = |error: ArrowError| damaged(table, &error);
    if table == TableName::Events {
        let events: Vec<EventRow> =
            events::read(rows, catalogue).into_iter().map(|event| event.renewed(keys)).collect();
        return events::write(&events, catalogue).map_err(broken);
    }
    let mut arrays: Vec<ArrayRef> = rows.columns().to_vec();
    let mut put = |name: &str, array: ArrayRef| {
        if let Some((at, _)) = rows.schema().column_with_name(name) {
            arrays[at] = array;
        }
    };
    let mut old_ids = None;
    if let Some(ids) = rows.column_by_name("patient_id").and_then(|column| column.as_string_opt::<i32>()) {
        let renewed: StringArray = ids.iter().map(|id| id.map(|id| keys.renewed(id))).collect();
        old_ids = Some((ids.clone(), renewed.clone()));
        put("patient_id", Arc::new(renewed));
    }
    if rows.column_by_name("session_key_high").is_some() {
        let renewed: Vec<SessionKey> = keys_in_order(rows)?.into_iter().map(|key| keys.renewed_session(key)).collect();
        put("session_key_high", super::rows::longs(renewed.iter().map(|key| key.halves().0)));
        put("session_key_low", super::rows::longs(renewed.iter().map(|key| key.halves().1)));
    }
    // An id of a session may hold its patient's pseudonym.
    if let (Some((old, new)), Some(ids)) =
        (old_ids, rows.column_by_name("session_id").and_then(|column| column.as_string_opt::<i32>()))
    {
        let renewed: StringArray =
            ids.iter().enumerate().map(|(row, id)| id.map(|id| id.replace(old.value(row), new.value(row)))).collect();
        put("session_id", Arc::new(renewed));
    }
    let rows = RecordBatch::try_new(rows.schema(), arrays).map_err(broken)?;
    if table == TableName::Sessions { super::upsert::sorted(&rows).map_err(broken) } else { Ok(rows) }
}

/// Gives the sessions of an older program the columns that they lack. `false` where they lack none.
///
/// # Errors
/// When files are damaged or the disk refuses.
pub fn upgrade(store: &mut Store, author: &Author, (memory, lock): (usize, &WriteLock)) -> Result<bool, StoreError> {
    store.finish(lock)?;
    if store.latest().counts.sessions == 0 || !store.lacks_columns(store.latest())? {
        return Ok(false);
    }
    let mut batch = store.next(BatchKind::Upgrade, author);
    Settled::anew(store, &store.latest().catalogue(), memory)?.write(&mut batch)?;
    store.commit(batch, &[], lock)?;
    Ok(true)
}

/// The version that stood at the beginning of a day, for a vacuum that gives up what was before: the oldest one where
/// nothing is as old as that.
///
/// # Errors
/// When the list cannot be read.
pub fn version_before(store: &Store, day: crate::domain::Day) -> Result<Batch, StoreError> {
    match store.on(day.plus(-1)) {
        Err(StoreError::NothingYet { .. } | StoreError::Vacuumed { .. }) => store.at(store.latest().oldest_whole),
        found => found,
    }
}
