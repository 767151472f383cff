//! A batch into the store: first settled (what stands, what repeats, what is refused), then written. Only files with
//! a row that changes are written anew.

use super::columns::{self, TableName};
use super::data_file::{self, Content, DataFile, damaged};
use super::delta::Change;
use super::error::StoreError;
use super::events::{self, EventRow};
use super::gather::{self, Gathered, Shared};
use super::incoming::{Incoming, Taken};
use super::keys::SessionKey;
use super::ledger::{Batch, Counts};
use super::month::{Month, PENDING};
use super::placing::{Placed, Placing, RefusedEvent, partition};
use super::rows::long;
use super::scores::{self, ScoreRow};
use super::standing::{self, Existing, Standing, Verdict};
use super::store::Store;
use super::superseded::Superseded;
use super::states::{self, States};
use super::{encoding, remarks};
use crate::domain::Catalogue;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{lexsort_to_indices, take_record_batch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;

/// Sessions of a file, at most.
pub(super) const FILE_ROWS: usize = 1 << 20;

/// How a batch is taken in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Follow-up days only move forward: an amended row with an earlier one keeps the later.
    pub follow_up_forward: bool,
}

/// Place of an incoming row: number of its file, line, record.
pub type Spot = (i32, i64, i64);

/// A batch, settled and not yet written.
pub struct Settled<'a> {
    store: &'a Store,
    catalogue: &'a Catalogue,
    /// Name of the source of every row of the batch.
    source: String,
    standing: Standing,
    placed: Placed,
    session_files: Vec<DataFile>,
    event_files: Vec<DataFile>,
    new_scores: Vec<ScoreRow>,
    score_files: Vec<DataFile>,
    months: BTreeMap<Month, Taken>,
    repeated_sessions: Vec<Spot>,
    moved_back: Vec<Spot>,
    amending: HashMap<u32, Spot>,
    repeated_scores: u64,
    repeated_scores_by_file: BTreeMap<i32, u64>,
}

impl<'a> Settled<'a> {
    /// Settles a batch against the newest version of the store.
    ///
    /// # Errors
    /// When files of the store cannot be read.
    pub fn of(
        store: &'a Store,
        catalogue: &'a Catalogue,
        (source, mut incoming): (&str, Incoming),
        rules: Rules,
    ) -> Result<Settled<'a>, StoreError> {
        let months = incoming.take_months()?;
        let at = store.latest();
        let session_files = store.files(TableName::Sessions, at)?;
        let event_files = store.files(TableName::Events, at)?;
        let score_files = store.files(TableName::Assessments, at)?;
        let named: Vec<SessionKey> = incoming.events.iter().filter_map(|event| event.named).collect();
        let standing = Standing::settle(store, &session_files, (&mut incoming, &named), rules.follow_up_forward)?;
        let placing =
            Placing { store, catalogue, standing: &standing, session_files: &session_files, event_files: &event_files };
        let placed = placing.place(std::mem::take(&mut incoming.events))?;
        let (new_scores, repeated) = new_scores(store, &score_files, std::mem::take(&mut incoming.scores))?;
        let mut repeated_scores_by_file = BTreeMap::new();
        for score in &repeated {
            *repeated_scores_by_file.entry(score.file_number).or_default() += 1;
        }
        let mut settled = Settled {
            store,
            catalogue,
            source: source.to_owned(),
            standing,
            placed,
            session_files,
            event_files,
            new_scores,
            score_files,
            months,
            repeated_sessions: Vec::new(),
            moved_back: Vec::new(),
            amending: HashMap::new(),
            repeated_scores: repeated.len() as u64,
            repeated_scores_by_file,
        };
        settled.find_spots()?;
        Ok(settled)
    }

    /// Events that cannot be kept.
    #[must_use]
    pub fn refused(&self) -> &[RefusedEvent] {
        &self.placed.refused
    }

    /// Events that wait for their session.
    #[must_use]
    pub fn waiting(&self) -> &[EventRow] {
        &self.placed.waiting
    }

    /// Events of which several sessions fit.
    #[must_use]
    pub fn overlapping(&self) -> &[EventRow] {
        &self.placed.overlapping
    }

    /// Events that began after their window, and by how many days.
    #[must_use]
    pub fn late(&self) -> &[(EventRow, i32)] {
        &self.placed.late
    }

    /// Sessions whose newer row has an earlier follow-up than is known.
    #[must_use]
    pub fn moved_back(&self) -> &[Spot] {
        &self.moved_back
    }

    /// Rows of each file that repeat one already there, or that a later row of the batch replaces.
    #[must_use]
    pub fn superseded_by_file(&self) -> BTreeMap<i32, u64> {
        let mut by_file = self.repeated_scores_by_file.clone();
        for (file, ..) in &self.repeated_sessions {
            *by_file.entry(*file).or_default() += 1;
        }
        for event in &self.placed.repeats {
            *by_file.entry(event.file_number).or_default() += 1;
        }
        by_file
    }

    /// Whether the batch changes anything.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.standing.winners.is_empty() && self.placed.by_month.is_empty() && self.new_scores.is_empty()
    }

    /// Where the rows that do not stand, and those whose follow-up stays as it was, came from.
    fn find_spots(&mut self) -> Result<(), StoreError> {
        let standing = &self.standing;
        let stands = |number: u32| !matches!(standing.verdicts[number as usize], Verdict::Repeats | Verdict::Overtaken);
        let all_new = standing.verdicts.len() == standing.winners.len() && standing.amended.is_empty();
        if all_new && standing.kept_follow_ups.is_empty() {
            return Ok(());
        }
        let amending: HashSet<u32> = standing.amended.values().copied().collect();
        let mut note = |rows: &RecordBatch, row: usize| {
            let (Some(number), Some(spot)) = (number_of(rows, row), standing::place(rows, row)) else { return };
            if amending.contains(&number) {
                self.amending.insert(number, spot);
            }
            if !stands(number) {
                self.repeated_sessions.push(spot);
            } else if standing.kept_follow_ups.contains_key(&number) {
                self.moved_back.push(spot);
            }
        };
        for taken in self.months.values() {
            for rows in taken.read_back(Some(&["file_number", "line", "record", columns::NUMBER]))? {
                (0..rows.num_rows()).for_each(|row| note(&rows, row));
            }
            taken.places.iter().for_each(|(batch, row)| note(&taken.resident[*batch], *row));
        }
        Ok(())
    }

    /// Writes the files of the batch and enters them, with the counts, into `batch`. Nothing is visible before the
    /// batch is committed.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn write(mut self, batch: &mut Batch) -> Result<(), StoreError> {
        let plan = self.plan();
        let months: Vec<(Month, Option<Taken>)> = {
            let mut taken = std::mem::take(&mut self.months);
            plan.months.iter().map(|month| (*month, taken.remove(month))).collect()
        };
        let written: Vec<Written> = months
            .into_par_iter()
            .map(|(month, taken)| self.write_month(month, taken, &plan, batch.version))
            .collect::<Result<_, _>>()?;
        let mut sessions = Change::default();
        let mut events_change = self.waiting_events()?;
        let mut superseded = Vec::new();
        for month in written {
            sessions.add.extend(month.sessions);
            events_change.add.extend(month.events);
            superseded.extend(month.superseded);
        }
        sessions.remove = plan.files.keys().map(|file| self.session_files[*file as usize].clone()).collect();
        events_change.remove = self.placed.leaving.keys().map(|file| self.event_files[*file].clone()).collect();
        let assessments = self.write_scores()?;
        batch.counts = self.counts(&sessions, &events_change, &assessments);
        for (table, change) in
            [(TableName::Sessions, sessions), (TableName::Events, events_change), (TableName::Assessments, assessments)]
        {
            batch.changes.insert(table.folder().to_owned(), change);
        }
        remarks::add_superseded(self.store.root(), batch, &superseded)
    }

    fn counts(&self, sessions: &Change, events: &Change, scores: &Change) -> Counts {
        let rows = |files: &[DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
        let after = |before: &[DataFile], change: &Change| rows(before) + rows(&change.add) - rows(&change.remove);
        let pending = |files: &[DataFile]| -> u64 {
            files.iter().filter(|file| file.partition.as_deref() == Some(PENDING)).map(|file| file.rows).sum()
        };
        Counts {
            new_sessions: (self.standing.winners.len() - self.standing.amended.len()) as u64,
            amended_sessions: self.standing.amended.len() as u64,
            sessions: after(&self.session_files, sessions),
            events: after(&self.event_files, events),
            pending: pending(&self.event_files) + pending(&events.add) - pending(&events.remove),
            joined_late: self.placed.joined_late,
            assessments: after(&self.score_files, scores),
        }
    }

    /// Which files are written anew, which of their rows leave, and which months there are to write.
    fn plan(&self) -> Plan {
        let mut plan = Plan::default();
        for existing in self.standing.existing.iter().chain(&self.placed.found) {
            let leaves = self.standing.amended.contains_key(&existing.key);
            if leaves || self.placed.touched.contains(&existing.key) {
                let rows = plan.files.entry(existing.file).or_default();
                if leaves {
                    rows.insert(existing.row, *existing);
                }
            }
        }
        plan.months.extend(self.months.keys());
        plan.months.extend(self.placed.by_month.keys().flatten());
        let partition = |file: &DataFile| file.partition.as_deref().and_then(Month::parse);
        plan.months.extend(plan.files.keys().filter_map(|file| partition(&self.session_files[*file as usize])));
        plan.months.extend(self.placed.leaving.keys().filter_map(|file| partition(&self.event_files[*file])));
        plan
    }

    fn write_month(
        &self,
        month: Month,
        taken: Option<Taken>,
        plan: &Plan,
        version: u64,
    ) -> Result<Written, StoreError> {
        let name = month.to_string();
        let mut written = Written::default();
        let mut old: Vec<(RecordBatch, &BTreeMap<u32, Existing>)> = Vec::new();
        for (number, leaving) in plan.files_of(&self.session_files, &name) {
            let rows = self.old_rows(&self.session_files[number as usize])?;
            written.superseded.extend(self.superseded(&rows, leaving, (&name, version))?);
            old.push((rows, leaving));
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
        (old, taken): (Vec<(RecordBatch, &BTreeMap<u32, Existing>)>, Option<Taken>),
        events: &[&EventRow],
    ) -> Result<Vec<DataFile>, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let spilled = taken.as_ref().map_or(Ok(Vec::new()), |taken| taken.read_back(None))?;
        let (resident, places) = taken.as_ref().map_or((&[][..], &[][..]), |taken| (&taken.resident, &taken.places));
        let kept = &self.standing.kept_follow_ups;
        let patch = |rows: &RecordBatch| match kept.is_empty() {
            true => Ok(rows.clone()),
            false => gather::with_follow_ups(rows, kept),
        };
        let incoming: Vec<RecordBatch> =
            spilled.iter().chain(resident).map(patch).collect::<Result<_, _>>().map_err(broken)?;
        let parts: Vec<&RecordBatch> = old.iter().map(|(rows, _)| rows).chain(&incoming).collect();
        let stays = old.iter().enumerate().flat_map(|(part, (rows, leaving))| {
            (0..rows.num_rows())
                .filter(|row| !u32::try_from(*row).is_ok_and(|row| leaving.contains_key(&row)))
                .map(move |row| (part, row))
        });
        let first = old.len();
        let of_disk = spilled.iter().enumerate().flat_map(|(at, rows)| {
            (0..rows.num_rows()).map(move |row| (first + at, row))
        });
        let first = old.len() + spilled.len();
        let of_memory = places.iter().map(|(batch, row)| (first + batch, *row));
        let comes = of_disk.chain(of_memory).filter(|(part, row)| self.stands(number_of(parts[*part], *row)));
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
        let stats = data_file::stats(&from);
        let states = States::of(&from, events.iter().copied(), self.catalogue).map_err(broken)?;
        drop(from);
        let own = columns::session_rows();
        let arrays = own.iter().map(|column| rows.column(column, range.clone())).chain(states.columns().map(Ok));
        let bytes = encoding::encode(&TableName::Sessions.columns(), arrays)
            .map_err(|error| damaged(TableName::Sessions, &error))?;
        let content = Content { bytes, rows: range.len(), stats };
        data_file::put(self.store.root(), TableName::Sessions, Some(month), content)
    }

    fn write_events(&self, partition: &str, mut events: Vec<EventRow>) -> Result<Vec<DataFile>, StoreError> {
        if events.is_empty() {
            return Ok(Vec::new());
        }
        events.sort_by_key(|event| (event.store_version, event.file_number, event.line, event.record));
        let batch = events::write(&events, self.catalogue).map_err(|error| damaged(TableName::Events, &error))?;
        Ok(vec![data_file::write(self.store.root(), TableName::Events, (Some(partition), &batch))?])
    }

    /// The events that wait, where their number changes.
    fn waiting_events(&self) -> Result<Change, StoreError> {
        let (stays, leaves) = self.events_of(PENDING, false)?;
        let mut events: Vec<EventRow> =
            stays.into_iter().filter(|(_, file)| leaves.contains(file)).map(|(event, _)| event).collect();
        events.extend(self.placed.by_month.get(&None).into_iter().flatten().cloned());
        Ok(Change { add: self.write_events(&partition(None), events)?, remove: Vec::new() })
    }

    fn write_scores(&self) -> Result<Change, StoreError> {
        let mut by_month: BTreeMap<Month, Vec<ScoreRow>> = BTreeMap::new();
        for score in &self.new_scores {
            by_month.entry(Month::of(score.date)).or_default().push(score.clone());
        }
        let mut change = Change::default();
        for (month, scores) in by_month {
            let batch = scores::write(&scores).map_err(|error| damaged(TableName::Assessments, &error))?;
            let name = month.to_string();
            change.add.push(data_file::write(self.store.root(), TableName::Assessments, (Some(&name), &batch))?);
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

    /// Number of scores that were there already.
    #[must_use]
    pub fn repeated_scores(&self) -> u64 {
        self.repeated_scores
    }
}

/// Events that stay, each with the number of its file; and the files that lose some.
type EventsOf = (Vec<(EventRow, usize)>, BTreeSet<usize>);

/// What is written of a month.
#[derive(Default)]
struct Written {
    sessions: Vec<DataFile>,
    events: Vec<DataFile>,
    superseded: Vec<Superseded>,
}

/// Files to write anew with the rows that leave them, and months to write.
#[derive(Default)]
struct Plan {
    files: BTreeMap<u32, BTreeMap<u32, Existing>>,
    months: BTreeSet<Month>,
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

fn number_of(rows: &RecordBatch, row: usize) -> Option<u32> {
    gather::numbers(rows).map(|numbers| numbers.value(row))
}

/// Rows by source, patient, day and session: those of a patient stand together, and the order never depends on the
/// order in which files came.
pub(super) fn sorted(rows: &RecordBatch) -> Result<RecordBatch, ArrowError> {
    let by = ["source", "patient_id", "session_date", "session_key_high", "session_key_low"];
    let columns: Vec<arrow::compute::SortColumn> = by
        .iter()
        .filter_map(|name| rows.column_by_name(name))
        .map(|column| arrow::compute::SortColumn { values: column.clone(), options: None })
        .collect();
    take_record_batch(rows, &lexsort_to_indices(&columns, None)?)
}

/// Scores that are not there yet, and those that are.
fn new_scores(
    store: &Store,
    files: &[DataFile],
    incoming: Vec<ScoreRow>,
) -> Result<(Vec<ScoreRow>, Vec<ScoreRow>), StoreError> {
    let months: HashSet<String> = incoming.iter().map(|score| Month::of(score.date).to_string()).collect();
    let mut seen: HashSet<u128> = HashSet::new();
    for file in files.iter().filter(|file| file.partition.as_ref().is_some_and(|month| months.contains(month))) {
        let batch = store.read(TableName::Assessments, file, Some(&["source", "patient_id", "row_hash"]))?;
        let text = |name: &str| batch.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
        let hashes = batch.column_by_name("row_hash").and_then(|column| column.as_primitive_opt::<Int64Type>());
        let (Some(sources), Some(patients), Some(hashes)) = (text("source"), text("patient_id"), hashes) else {
            continue;
        };
        seen.extend(
            (0..batch.num_rows())
                .map(|row| scores::identity(sources.value(row), patients.value(row), hashes.value(row))),
        );
    }
    Ok(incoming.into_iter().partition(|score| seen.insert(score.identity())))
}
