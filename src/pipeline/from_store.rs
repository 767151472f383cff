//! A version of a store in the place of files: the same sessions, side effects, tallies and lists.

use super::link::Links;
use super::listing::{Listed, Listing};
use super::load::{LoadError, Loaded};
use super::settle::StoreAt;
use super::take_in::why_it_waits;
use super::tally::{InputTally, LeftOut, Role, Superseded};
use crate::domain::{Day, FileId, Place};
use crate::store::SessionTable;
use crate::store::lake::{IngestedFile, Remark, Replaced, Status, Store, StoreError, TableName, Waiting};
use crate::validate::rules;

/// Reads the version.
pub(super) fn load(at: &StoreAt) -> Result<Loaded, LoadError> {
    let refused = |source: StoreError| LoadError::Store { source };
    let store = Store::open(&at.home).map_err(refused)?;
    let mut inputs = Vec::new();
    for version in 1..=at.batch.version {
        let batch =
            if version == at.batch.version { at.batch.clone() } else { store.batch(version).map_err(refused)? };
        inputs.extend(batch.files.into_iter().map(tally));
    }
    let replaced = store.replaced(&at.batch).map_err(refused)?;
    let superseded = superseded(&mut inputs, &replaced);
    let rejections = listing(true, store.remarks(TableName::Rejects, &at.batch).map_err(refused)?)?;
    let waiting = store.waiting_events(&at.batch).map_err(refused)?;
    let mut remarks = store.remarks(TableName::Warnings, &at.batch).map_err(refused)?;
    // What an ingest listed as waiting may have joined since, and what it joined may wait again.
    remarks.retain(|remark| ![rules::WAITING_EVENT, rules::UNATTRIBUTED_EVENT].contains(&remark.rule.as_str()));
    remarks.extend(waiting.iter().map(|event| waits(event, &inputs)));
    remarks.sort_by(|a, b| a.order().cmp(&b.order()));
    let warnings = listing(false, remarks)?;
    let overlapping = store.overlapping_events(&at.batch).map_err(refused)?;
    let nameless = waiting.iter().filter(|event| event.status == Status::UnknownSession).count() as u64;
    let unattributed = waiting.len() as u64 - nameless;
    let links = Links { overlapping, unattributed, waiting: Some(nameless), ..Links::default() };
    let newest = at.batch.newest_day.map(Day);
    Ok(Loaded { table: SessionTable::default(), inputs, rejections, superseded, warnings, links, newest })
}

fn tally(file: IngestedFile) -> InputTally {
    let role = match file.role.as_str() {
        "events" => Role::Events,
        "assessments" => Role::Assessments,
        _ => Role::Log,
    };
    InputTally {
        name: file.name,
        role,
        source: 0,
        bytes: file.bytes,
        blake3: file.blake3,
        ignored: file.ignored,
        left_out: file.left_out.into_iter().map(|(what, records)| LeftOut { what, records }).collect(),
        read: file.read,
        filtered: file.filtered,
        accepted: file.accepted,
        rejected: file.rejected,
        superseded: file.superseded,
    }
}

/// A row of an earlier batch that a later one replaced no longer stands: its file has one accepted row less. One that
/// its own batch replaced was never counted as accepted.
fn superseded(inputs: &mut [InputTally], replaced: &[Replaced]) -> Vec<Superseded> {
    let mut rows = Vec::new();
    for row in replaced {
        let (place, by) = (place(row.place), place(row.by));
        if row.store_version != row.by_version
            && let Some(input) = inputs.get_mut(place.file.0 as usize)
        {
            input.accepted = input.accepted.saturating_sub(1);
            input.superseded += 1;
        }
        rows.push(Superseded { place, by, identical: false });
    }
    rows.sort_by_key(|row| (row.place, row.by));
    rows
}

/// An event without a session, as the warning that it is at this version.
fn waits(event: &Waiting, inputs: &[InputTally]) -> Remark {
    let (rule, hint) = why_it_waits(event.status);
    let place = place(event.spot);
    let file = inputs.get(place.file.0 as usize).map(|input| input.name.clone()).unwrap_or_default();
    Remark {
        file_number: event.spot.0,
        file,
        place,
        column: None,
        rule: rule.to_owned(),
        hint: hint.to_owned(),
        text: None,
    }
}

fn place((file, line, record): (i32, i64, i64)) -> Place {
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    Place { file: FileId(u32::try_from(file).unwrap_or(0)), line: number(line), record: number(record) }
}

fn listing(with_texts: bool, rows: Vec<Remark>) -> Result<Listing, LoadError> {
    let mut listing = Listing::new(with_texts)?;
    for row in rows {
        let Remark { file_number, file, place, column, rule, hint, text } = row;
        let place = Place { file: FileId(u32::try_from(file_number).unwrap_or(0)), ..place };
        let rule = rules::rule(&rule).map_or(rules::UNKNOWN_TO_THIS_VERSION, |rule| rule.id);
        listing.add(&file, &Listed { place, column: column.as_deref(), rule, hint: &hint, text: text.as_deref() })?;
    }
    Ok(listing)
}
