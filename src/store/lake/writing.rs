//! Files of a settled batch: those of sessions with a row that changes are written anew, a month at a time.

use super::columns::{self, TableName};
use super::data_file::{self, Content, DataFile, NullCounts, damaged};
use super::delta::Change;
use super::encoding;
use super::error::StoreError;
use super::events::{self, EventRow};
use super::gather::{self, Gathered, Shared};
use super::incoming::Taken;
use super::month::{Month, PENDING};
use super::placing::partition;
use super::rows::long;
use super::scores::{self, ScoreRow};
use super::standing::{Existing, Verdict};
use super::states::{self, States};
use super::superseded::Superseded;
use super::upsert::{FILE_ROWS, Settled};
use arrow::array::{Array, RecordBatch};
use arrow::error::ArrowError;
use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

/// Rows of a file that is written anew, and those of them that leave.
struct Before<'p> {
    rows: RecordBatch,
    leaving: &'p BTreeMap<u32, Existing>,
}

impl Before<'_> {
    fn stays(&self) -> impl Iterator<Item = usize> {
        let leaves = |row: &usize| u32::try_from(*row).is_ok_and(|row| self.leaving.contains_key(&row));
        (0..self.rows.num_rows()).filter(move |row| !leaves(row))
    }
}

impl Settled<'_> {
    pub(super) fn write_month(
        &self,
        month: Month,
        taken: Option<Taken>,
        plan: &Plan,
        version: u64,
    ) -> Result<Written, StoreError> {
        let name = month.to_string();
        let mut written = Written::default();
        let mut old: Vec<Before<'_>> = Vec::new();
        for (number, leaving) in plan.files_of(&self.session_files, &name) {
            let rows = self.old_rows(&self.session_files[number as usize])?;
            written.superseded.extend(self.superseded(&rows, leaving, (&name, version))?);
            old.push(Before { rows, leaving });
        }
        let (stays, leaves_file) = self.events_of(&name, !old.is_empty())?;
        let arrives = self.placed.by_month.get(&Some(month)).map_or(&[][..], Vec::as_slice);
        if taken.is_some() || !old.is_empty() {
            let events: Vec<&EventRow> = stays.iter().map(|(event, _)| event).chain(arrives).collect();
            written.sessions = self.write_sessions((&name, version), (old, taken), &events)?;
        }
        let mut of_file: Vec<EventRow> =
            stays.into_iter().filter(|(_, file)| leaves_file.contains(file)).map(|(event, _)| event).collect();
        of_file.extend(arrives.iter().cloned());
        written.events = self.write_events(&name, of_file)?;
        Ok(written)
    }

    /// The rows of a file that is written anew, as incoming ones are.
    fn old_rows(&self, file: &DataFile) -> Result<RecordBatch, StoreError> {
        let columns = columns::session_rows();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let rows = self.store.read(TableName::Sessions, file, Some(&names))?;
        gather::narrowed(&rows).map_err(|error| damaged(TableName::Sessions, &error))
    }

    /// Whether an incoming row stands.
    fn stands(&self, number: Option<u32>) -> bool {
        let verdict = number.map(|number| self.standing.verdicts[number as usize]);
        !matches!(verdict, None | Some(Verdict::Repeats | Verdict::Overtaken))
    }

    /// The events of a month that stay, each with its file; and the files that lose some. Read only where sessions
    /// of the month are written anew or events leave it.
    fn events_of(&self, month: &str, rewrites: bool) -> Result<EventsOf, StoreError> {
        let mut stays = Vec::new();
        let mut leaves = BTreeSet::new();
        for (number, file) in self.event_files.iter().enumerate() {
            let leaving = self.placed.leaving.get(&number);
            if file.partition.as_deref() != Some(month) || (leaving.is_none() && !rewrites) {
                continue;
            }
            leaves.extend(leaving.map(|_| number));
            let events = events::read(&self.store.read(TableName::Events, file, None)?, self.catalogue);
            let kept = events.into_iter().enumerate().filter(|(row, _)| leaving.is_none_or(|rows| !rows.contains(row)));
            stays.extend(kept.map(|(_, event)| (event, number)));
        }
        Ok((stays, leaves))
    }

    /// Writes the rows of a month: those of its files that stay, and the incoming ones that stand.
    fn write_sessions(
        &self,
        (month, version): (&str, u64),
        (old, taken): (Vec<Before<'_>>, Option<Taken>),
        events: &[&EventRow],
    ) -> Result<Vec<DataFile>, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let mut incoming = taken.map_or(Ok(Vec::new()), |taken| taken.rows(None))?;
        if !self.standing.kept_follow_ups.is_empty() {
            let patched = |rows: &RecordBatch| gather::with_follow_ups(rows, &self.standing.kept_follow_ups);
            incoming = incoming.iter().map(patched).collect::<Result<_, _>>().map_err(broken)?;
        }
        let parts: Vec<&RecordBatch> = old.iter().map(|before| &before.rows).chain(&incoming).collect();
        let stays = old.iter().enumerate().flat_map(|(part, before)| before.stays().map(move |row| (part, row)));
        let all_new = self.standing.winners.len() == self.standing.verdicts.len();
        let comes = (old.len()..parts.len())
            .flat_map(|part| (0..parts[part].num_rows()).map(move |row| (part, row)))
            .filter(|(part, row)| all_new || self.stands(number_of(parts[*part], *row)));
        let shared = Shared { source: &self.source, store_version: long(version) };
        let rows = Gathered::new((parts.clone(), old.len()), stays.chain(comes), shared).map_err(broken)?;
        (0..rows.len())
            .step_by(FILE_ROWS)
            .map(|from| self.write_file(month, (&rows, from..rows.len().min(from + FILE_ROWS)), events))
            .collect()
    }

    fn write_file(
        &self,
        month: &str,
        (rows, range): (&Gathered<'_>, Range<usize>),
        events: &[&EventRow],
    ) -> Result<DataFile, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let from = rows.columns(&states::FROM, &range).map_err(broken)?;
        let states = States::of(&from, events.iter().copied(), self.catalogue).map_err(broken)?;
        let (all, own) = (TableName::Sessions.columns(), columns::session_rows());
        let arrays = own.iter().map(|column| rows.column(column, range.clone())).chain(states.columns().map(Ok));
        let mut nulls = NullCounts::new();
        let counted = all.iter().zip(arrays).map(|(column, array)| {
            let array = array?;
            nulls.insert(column.name.clone(), array.logical_null_count());
            Ok(array)
        });
        let bytes = encoding::encode(&all, counted).map_err(|error| damaged(TableName::Sessions, &error))?;
        let content = Content { bytes, rows: range.len(), stats: data_file::stats(&from, &nulls) };
        data_file::put(self.store.home(), TableName::Sessions, Some(month), content)
    }

    fn write_events(&self, partition: &str, mut events: Vec<EventRow>) -> Result<Vec<DataFile>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        events.sort_by_key(|event| (event.store_version, event.file_number, event.line, event.record));
        let batch = events::write(&events, self.catalogue).map_err(|error| damaged(TableName::Events, &error))?;
        Ok(vec![data_file::write(self.store.home(), TableName::Events, (Some(partition), &batch))?])
    }

    /// The events that wait, where their number changes.
    pub(super) fn waiting_events(&self) -> Result<Change, StoreError> {
        let (stays, leaves) = self.events_of(PENDING, false)?;
        let mut events: Vec<EventRow> =
            stays.into_iter().filter(|(_, file)| leaves.contains(file)).map(|(event, _)| event).collect();
        events.extend(self.placed.by_month.get(&None).into_iter().flatten().cloned());
        Ok(Change { add: self.write_events(&partition(None), events)?, remove: Vec::new() })
    }

    pub(super) fn write_scores(&self) -> Result<Change, StoreError> {
        let mut by_month: BTreeMap<Month, Vec<ScoreRow>> = BTreeMap::new();
        for score in &self.new_scores {
            by_month.entry(Month::of(score.date)).or_default().push(score.clone());
        }
        let mut change = Change::default();
        for (month, scores) in by_month {
            let batch = scores::write(&scores).map_err(|error| damaged(TableName::Assessments, &error))?;
            let name = month.to_string();
            change.add.push(data_file::write(self.store.home(), TableName::Assessments, (Some(&name), &batch))?);
        }
        Ok(change)
    }

    /// The rows that leave a file, for the list of superseded rows.
    fn superseded(
        &self,
        rows: &RecordBatch,
        leaving: &BTreeMap<u32, Existing>,
        (month, version): (&str, u64),
    ) -> Result<Vec<Superseded>, StoreError> {
        leaving
            .iter()
            .map(|(row, existing)| {
                let by = self.standing.amended.get(&existing.key).and_then(|number| self.amending.get(number));
                let by = by.copied().unwrap_or_default();
                Superseded::of(rows, (*row as usize, existing.key), month, (version, by))
            })
            .collect()
    }
}

/// Events that stay, each with the number of its file; and the files that lose some.
type EventsOf = (Vec<(EventRow, usize)>, BTreeSet<usize>);

/// What is written of a month.
#[derive(Default)]
pub(super) struct Written {
    pub(super) sessions: Vec<DataFile>,
    pub(super) events: Vec<DataFile>,
    pub(super) superseded: Vec<Superseded>,
}

/// Files to write anew with the rows that leave them, and months to write.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) files: BTreeMap<u32, BTreeMap<u32, Existing>>,
    pub(super) months: BTreeSet<Month>,
}

impl Plan {
    fn files_of<'p>(
        &'p self,
        files: &'p [DataFile],
        month: &'p str,
    ) -> impl Iterator<Item = (u32, &'p BTreeMap<u32, Existing>)> {
        let of_month = move |number: &u32| files[*number as usize].partition.as_deref() == Some(month);
        self.files.iter().filter(move |(number, _)| of_month(number)).map(|(number, rows)| (*number, rows))
    }
}

pub(super) fn number_of(rows: &RecordBatch, row: usize) -> Option<u32> {
    gather::numbers(rows).map(|numbers| numbers.value(row))
}
