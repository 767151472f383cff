//! `stipple store`.

use super::arguments::{Common, StoreCommand};
use super::failure::{FAILED, Failure, UNUSABLE_DATA, WRONG_USE};
use super::ingest::author;
use super::{access, answer, key, plain_table, tell_of_interrupts, today};
use crate::domain::{Day, amount};
use crate::store::lake::{Batch, Home, SCHEMA_VERSION, Store, StoreError, WriteLock, history, housekeeping, verify};
use comfy_table::CellAlignment;
use serde_json::{Value, json};
use std::collections::HashMap;
use std::path::Path;

/// How often work is done again when another writer was faster.
const ATTEMPTS: usize = 12;

pub(super) fn store(command: &StoreCommand, common: &Common) -> Result<(), Failure> {
    if !matches!(command, StoreCommand::History { .. } | StoreCommand::Verify { .. }) {
        tell_of_interrupts();
    }
    match command {
        StoreCommand::History { store, session: None } => history(store, common),
        StoreCommand::History { store, session: Some(session) } => of_session(store, session, common),
        StoreCommand::Verify { store } => verified(store, common),
        StoreCommand::Compact { store } => compacted(store, common),
        StoreCommand::Vacuum { store, before, dry_run } => vacuumed(store, (before.as_deref(), *dry_run), common),
        StoreCommand::RotateKey { store, key } => rotated(store, key.as_deref(), common),
        StoreCommand::Upgrade { store } => upgraded(store, common),
    }
}

/// A store that is there.
fn opened(named: &Path) -> Result<Store, Failure> {
    Ok(Store::open(&Home::at(named, &access())?)?)
}

/// Work that writes, done again where another writer of a bucket was faster.
fn written<T>(
    named: &Path,
    common: &Common,
    work: impl Fn(&mut Store, &WriteLock) -> Result<T, StoreError>,
) -> Result<(T, Store), Failure> {
    let home = Home::at(named, &access())?;
    let mut attempt = 1;
    loop {
        let (mut store, lock) = writable(&home, common)?;
        match work(&mut store, &lock) {
            Err(StoreError::Overtaken { .. }) if attempt < ATTEMPTS => attempt += 1,
            done => return Ok((done?, store)),
        }
    }
}

/// A store that is there, and the right to write to it.
fn writable(folder: &Home, common: &Common) -> Result<(Store, WriteLock), Failure> {
    if !Store::exists(folder) {
        return Err(Store::open(folder)
            .map(|_| ())
            .err()
            .map_or_else(|| Failure::new(FAILED, "the store came just now", "give the command again"), Failure::from));
    }
    if !common.quiet && Store::is_locked(folder) {
        eprintln!("waiting for another process that writes to {}", folder.shown().display());
    }
    let lock = Store::lock(folder)?;
    Ok((Store::open(folder)?, lock))
}

/// Every version of one session: rows that were replaced, and the one that stands.
fn of_session(folder: &Path, session_id: &str, common: &Common) -> Result<(), Failure> {
    let store = opened(folder)?;
    let batches = store.batches()?;
    let files: HashMap<i32, &str> =
        batches.iter().flat_map(|batch| &batch.files).map(|file| (file.number, file.name.as_str())).collect();
    let versions = history::of_session(&store, session_id)?;
    if versions.is_empty() {
        let message = format!("{} has no session {session_id}", folder.display());
        return Err(Failure::new(WRONG_USE, message, "ids are those of the log, letter for letter"));
    }
    let file = |number: i32| files.get(&number).copied().unwrap_or_default();
    if common.json {
        let rows: Vec<Value> = versions
            .iter()
            .map(|row| {
                json!({ "source": row.source, "version": row.store_version, "file": file(row.place.0),
                    "line": row.place.1, "record": row.place.2, "replaced_in_version": row.replaced_in,
                    "session_month": row.month })
            })
            .collect();
        return answer(&Value::Array(rows).to_string());
    }
    let mut table = plain_table(&["Source", "Came in version", "File", "Line", "Month", "Until version"]);
    for row in &versions {
        let until = row.replaced_in.map_or_else(|| "stands".to_owned(), |version| version.to_string());
        table.add_row([
            row.source.clone(),
            row.store_version.to_string(),
            file(row.place.0).to_owned(),
            row.place.1.to_string(),
            row.month.clone(),
            until,
        ]);
    }
    answer(&table.to_string())
}

fn verified(folder: &Path, common: &Common) -> Result<(), Failure> {
    let store = opened(folder)?;
    let found = verify::verify(&store, &store.latest().catalogue())?;
    if common.json {
        answer(
            &json!({ "store": folder.display().to_string(), "version": store.latest().version, "files": found.files,
            "rows": found.rows, "problems": found.problems, "left_over": found.left_over })
            .to_string(),
        )?;
    } else {
        let mut text = format!(
            "{} at version {}: {}, {}\n",
            folder.display(),
            store.latest().version,
            amount::of(found.files, "file"),
            amount::of(found.rows, "row")
        );
        found.problems.iter().for_each(|problem| text.push_str(&format!("  wrong: {problem}\n")));
        if !found.left_over.is_empty() {
            text.push_str(&format!(
                "  {} files belong to no version (an interrupted command has left them); they harm nobody, and \
                 `stipple store vacuum` removes them\n",
                found.left_over.len()
            ));
        }
        text.push_str(if found.problems.is_empty() { "whole" } else { "damaged" });
        answer(&text)?;
    }
    if found.problems.is_empty() {
        return Ok(());
    }
    let message = format!("{} is damaged in {}", folder.display(), amount::of(found.problems.len() as u64, "place"));
    Err(Failure::new(UNUSABLE_DATA, message, "restore it from a backup, or ingest the files into a new store"))
}

fn compacted(folder: &Path, common: &Common) -> Result<(), Failure> {
    let ((before, done), store) = written(folder, common, |store, lock| {
        let before = store.latest().version;
        Ok((before, housekeeping::compact(store, &author(None), lock)?))
    })?;
    let version = store.latest().version;
    if common.json {
        return answer(
            &json!({ "version": version, "files_before": done.files_before, "files": done.files_now,
            "bytes_before": done.bytes_before, "bytes": done.bytes_now })
            .to_string(),
        );
    }
    if version == before {
        return answer("nothing to join; the store is as it was");
    }
    answer(&format!(
        "version {version}: {} files ({} bytes) where there were {} ({} bytes); older versions still need those, until \
         `stipple store vacuum`",
        done.files_now, done.bytes_now, done.files_before, done.bytes_before
    ))
}

/// A day up to which versions may be given up. One that has not come is a slip of the pen that would cost every version.
fn horizon(before: &str) -> Result<Day, Failure> {
    let day = Day::from_iso(before)
        .ok_or_else(|| Failure::new(WRONG_USE, format!("--before {before} is not a day"), "write it as 2026-01-01"))?;
    if day > today().plus(1) {
        let message = format!("--before {before} has not come yet, so every version but the newest would go");
        return Err(Failure::new(WRONG_USE, message, "name a day up to tomorrow"));
    }
    Ok(day)
}

fn vacuumed(folder: &Path, (before, dry_run): (Option<&str>, bool), common: &Common) -> Result<(), Failure> {
    let day = before.map(horizon).transpose()?;
    let (removed, _) = written(folder, common, |store, lock| {
        let oldest = match day {
            Some(day) => housekeeping::version_before(store, day)?.version,
            None => store.latest().oldest_whole,
        };
        housekeeping::vacuum(store, (oldest, dry_run), &author(None), lock)
    })?;
    if common.json {
        return answer(
            &json!({ "oldest_version": removed.oldest, "files": removed.files.len(), "bytes": removed.bytes,
            "young_files_kept": removed.young, "dry_run": dry_run })
            .to_string(),
        );
    }
    let verb = if dry_run { "would be removed" } else { "removed" };
    let young = match removed.young {
        0 => String::new(),
        young => format!(
            "; {young} files that are not needed stay, since they were written within a day and a writer may be at work: \
             give the command again tomorrow"
        ),
    };
    answer(&format!(
        "{} files, {} bytes {verb}; the oldest version that can be read is {}{young}",
        removed.files.len(),
        removed.bytes,
        removed.oldest
    ))
}

fn rotated(folder: &Path, told: Option<&Path>, common: &Common) -> Result<(), Failure> {
    let home = Home::at(folder, &access())?;
    let (mut store, lock) = writable(&home, common)?;
    let found = key::find(&home, told, common.quiet)?;
    if found.keys.check() != store.latest().key_check {
        return Err(StoreError::OtherKey { folder: folder.to_owned() }.into());
    }
    let Some(file) = found.file else {
        let hint = "put its line into a file and name that with --key; the new key is added to it";
        return Err(Failure::new(WRONG_USE, "the key came from the environment, which cannot keep a new one", hint));
    };
    let keys = found.keys.rotated(key::random()?);
    // The new key is kept before it is used: a store whose key is lost is lost.
    let waiting = key::keep_beside(&file, &keys)?;
    let catalogue = store.latest().catalogue();
    housekeeping::rotate(&mut store, (&keys, &catalogue), &author(None), &lock)?;
    key::replace(&waiting, &file)?;
    answer(&format!(
        "version {}: every pseudonym is renewed; {} holds the new key beside the old (both are needed). Versions before \
         it hold the old pseudonyms, until `stipple store vacuum`",
        store.latest().version,
        file.display()
    ))
}

fn upgraded(folder: &Path, common: &Common) -> Result<(), Failure> {
    let (mut store, lock) = writable(&Home::at(folder, &access())?, common)?;
    if housekeeping::upgrade(&mut store, &author(None), (common.memory, &lock))? {
        return answer(&format!(
            "version {}: the sessions have the columns that this program gives them, and say the same as before",
            store.latest().version
        ));
    }
    answer(&format!(
        "{} is up to date (tables of version {SCHEMA_VERSION}, store at {})",
        folder.display(),
        store.latest().version
    ))
}

fn history(folder: &Path, common: &Common) -> Result<(), Failure> {
    let store = opened(folder)?;
    let batches = store.batches()?;
    if common.json {
        let versions: Vec<Value> = batches.iter().map(as_json).collect();
        return answer(&json!({ "store": folder.display().to_string(), "versions": versions }).to_string());
    }
    answer(&as_text(&batches))
}

fn moment(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn as_json(batch: &Batch) -> Value {
    let [read, accepted, rejected, superseded] = batch.rows();
    json!({
        "version": batch.version, "kind": batch.kind.name(), "at": moment(batch.at_ms), "by": batch.by,
        "program": batch.program, "read_rows": read, "accepted_rows": accepted, "rejected_rows": rejected,
        "superseded_rows": superseded, "new_sessions": batch.counts.new_sessions,
        "amended_sessions": batch.counts.amended_sessions, "sessions": batch.counts.sessions,
        "events": batch.counts.events, "pending_events": batch.counts.pending,
        "joined_late": batch.counts.joined_late, "assessments": batch.counts.assessments,
        "files": batch.files, "tables": batch.tables, "warnings": batch.warnings,
    })
}

fn as_text(batches: &[Batch]) -> String {
    let header =
        ["Version", "When (UTC)", "Who", "What", "Read", "Accepted", "Rejected", "Superseded", "Sessions", "Pending"];
    let mut table = plain_table(&header);
    for batch in batches {
        let files: Vec<&str> = batch.files.iter().map(|file| file.name.as_str()).collect();
        let what = if files.is_empty() { batch.kind.name().to_owned() } else { files.join("\n") };
        let rows = batch.rows().map(|count| count.to_string());
        let mut cells = vec![batch.version.to_string(), moment(batch.at_ms), batch.by.clone(), what];
        cells.extend(rows);
        cells.extend([batch.counts.sessions.to_string(), batch.counts.pending.to_string()]);
        table.add_row(cells);
    }
    for column in [0, 4, 5, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
