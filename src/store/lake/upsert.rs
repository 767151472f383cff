//! A batch into the store: first settled (what stands, what repeats, what is refused), then written. Only files with
//! a row that changes are written anew, and of these only the columns that change.

use super::asked::Asked;
use super::columns::{self, TableName};
use super::data_file::DataFile;
use super::delta::Change;
use super::error::StoreError;
use super::events::EventRow;
use super::in_place::Changing;
use super::incoming::{Incoming, Taken};
use super::ledger::{Batch, Counts};
use super::month::{Month, PENDING};
use super::placing::{Placed, Placing, RefusedEvent};
use super::remarks;
use super::scores::{self, ScoreRow};
use super::standing::{self, Standing};
use super::store::Store;
use super::writing::{Plan, Written, number_of};
use crate::domain::Catalogue;
use arrow::array::{AsArray, RecordBatch};
use arrow::compute::{lexsort_to_indices, take_record_batch};
use arrow::datatypes::Int64Type;
use arrow::error::ArrowError;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Sessions of a file, at most.
pub(super) const FILE_ROWS: usize = 1 << 20;

/// Bytes that a session takes in memory on its way to a file, about.
const ROW_BYTES: usize = 400;
/// As many as so many others takes one that is there already and changes: it is held as it was and as it will be.
const CHANGED_ROWS: usize = 5;

/// A month to be written, with the rows that come.
type MonthTaken = (Month, Option<Taken>);

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
    pub(super) store: &'a Store,
    pub(super) catalogue: &'a Catalogue,
    /// Name of the source of every row of the batch.
    pub(super) source: String,
    pub(super) standing: Standing,
    pub(super) placed: Placed,
    pub(super) session_files: Vec<DataFile>,
    pub(super) event_files: Vec<DataFile>,
    pub(super) new_scores: Vec<ScoreRow>,
    pub(super) score_files: Vec<DataFile>,
    pub(super) months: BTreeMap<Month, Taken>,
    /// Incoming sessions of each file that do not stand.
    pub(super) repeated_sessions: BTreeMap<i32, u64>,
    pub(super) moved_back: Vec<Spot>,
    pub(super) other_patients: Vec<Spot>,
    pub(super) amending: HashMap<u32, Spot>,
    pub(super) repeated_scores: u64,
    pub(super) repeated_scores_by_file: BTreeMap<i32, u64>,
    /// Whether every file of sessions is written anew: the side effects that have columns, or their windows, change.
    pub(super) anew: bool,
    /// Bytes that may be used, about.
    memory: usize,
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
        let asked = Asked::by(&incoming.events, !incoming.entries.are_spilled(), (store, &event_files))?;
        let standing = Standing::settle((store, &session_files), incoming.entries, &asked, rules.follow_up_forward)?;
        drop(asked);
        let placing =
            Placing { store, catalogue, standing: &standing, session_files: &session_files, event_files: &event_files };
        let placed = placing.place(incoming.events)?;
        let (new_scores, repeated) = new_scores(store, &score_files, incoming.scores)?;
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
            repeated_sessions: BTreeMap::new(),
            moved_back: Vec::new(),
            other_patients: Vec::new(),
            amending: HashMap::new(),
            repeated_scores: repeated.len() as u64,
            repeated_scores_by_file,
            anew: !catalogue.settles_as(&at.catalogue()),
            memory: incoming.memory,
        };
        settled.find_spots()?;
        Ok(settled)
    }

    /// A batch that brings nothing, but writes every session anew with the columns of a catalogue, in about `memory` bytes.
    ///
    /// # Errors
    /// When files of the store cannot be read.
    pub fn anew(store: &'a Store, catalogue: &'a Catalogue, memory: usize) -> Result<Settled<'a>, StoreError> {
        let settled = Settled::of(store, catalogue, ("", Incoming::new(memory)), Rules { follow_up_forward: true })?;
        Ok(Settled { anew: true, ..settled })
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

    /// Rows of which an earlier one with the same session id is of another patient.
    #[must_use]
    pub fn other_patients(&self) -> &[Spot] {
        &self.other_patients
    }

    /// Rows of each file that repeat one already there, or that a later row of the batch replaces.
    #[must_use]
    pub fn superseded_by_file(&self) -> BTreeMap<i32, u64> {
        let mut by_file = self.repeated_scores_by_file.clone();
        for (file, rows) in &self.repeated_sessions {
            *by_file.entry(*file).or_default() += rows;
        }
        for event in &self.placed.repeats {
            *by_file.entry(event.file_number).or_default() += 1;
        }
        by_file
    }

    /// Whether the batch changes anything.
    #[must_use]
    pub fn changes_nothing(&self) -> bool {
        self.standing.is_empty() && self.placed.by_month.is_empty() && self.new_scores.is_empty()
    }

    /// Where the rows that do not stand, and those whose follow-up stays as it was, came from.
    fn find_spots(&mut self) -> Result<(), StoreError> {
        let standing = &self.standing;
        if standing.is_plain() {
            return Ok(());
        }
        let amending: HashSet<u32> = standing.amended.values().copied().collect();
        let mut note = |rows: &RecordBatch, row: usize| {
            let (Some(number), Some(spot)) = (number_of(rows, row), standing::place(rows, row)) else { return };
            if amending.contains(&number) {
                self.amending.insert(number, spot);
            }
            if !standing.stands(number) {
                *self.repeated_sessions.entry(spot.0).or_default() += 1;
                return;
            }
            if standing.kept_follow_ups.contains_key(&number) {
                self.moved_back.push(spot);
            }
            if standing.other_patients.contains(&number) {
                self.other_patients.push(spot);
            }
        };
        for taken in self.months.values() {
            for rows in taken.rows(Some(&["file_number", "line", "record", columns::NUMBER]))? {
                let rows = rows?;
                (0..rows.num_rows()).for_each(|row| note(&rows, row));
            }
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
        let mut superseded = self.replaced_within(batch.version)?;
        let months: Vec<MonthTaken> = {
            let mut taken = std::mem::take(&mut self.months);
            plan.months.iter().map(|month| (*month, taken.remove(month))).collect()
        };
        let mut written: Vec<Written> = Vec::with_capacity(months.len());
        for group in self.groups(months, &plan) {
            let group =
                group.into_par_iter().map(|(month, taken)| self.write_month(month, taken, &plan, batch.version));
            written.extend(group.collect::<Result<Vec<_>, _>>()?);
        }
        let mut sessions = Change::default();
        let mut events_change = self.waiting_events()?;
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
        remarks::add_superseded(self.store.home(), batch, &superseded)
    }

    /// Months that are written at the same time: as many as fit into half of the memory, or one.
    fn groups(&self, months: Vec<MonthTaken>, plan: &Plan) -> Vec<Vec<MonthTaken>> {
        let rows_at_once = self.memory / 2 / ROW_BYTES;
        let mut groups: Vec<Vec<MonthTaken>> = Vec::new();
        let mut rows_of_group = 0;
        for (month, taken) in months {
            let in_file = |(number, changing): (u32, &Changing)| {
                let rows = usize::try_from(self.session_files[number as usize].rows).unwrap_or(usize::MAX);
                rows + changing.len() * CHANGED_ROWS
            };
            let before: usize = plan.files_of(&self.session_files, &month.to_string()).map(in_file).sum();
            let rows = taken.as_ref().map_or(0, Taken::len) + before;
            match groups.last_mut() {
                Some(group) if rows_of_group + rows <= rows_at_once => group.push((month, taken)),
                _ => {
                    groups.push(vec![(month, taken)]);
                    rows_of_group = 0;
                }
            }
            rows_of_group += rows;
        }
        groups
    }

    fn counts(&self, sessions: &Change, events: &Change, scores: &Change) -> Counts {
        let rows = |files: &[DataFile]| files.iter().map(|file| file.rows).sum::<u64>();
        let after = |before: &[DataFile], change: &Change| rows(before) + rows(&change.add) - rows(&change.remove);
        let pending = |files: &[DataFile]| -> u64 {
            files.iter().filter(|file| file.partition.as_deref() == Some(PENDING)).map(|file| file.rows).sum()
        };
        Counts {
            new_sessions: self.standing.new,
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
            if self.standing.amended.contains_key(&existing.key) {
                plan.files.entry(existing.file).or_default().leaving.insert(existing.row, *existing);
            } else if self.placed.touched.contains(&existing.key) {
                plan.files.entry(existing.file).or_default().touched.insert(existing.row);
            }
        }
        if self.anew {
            let files = u32::try_from(self.session_files.len()).unwrap_or(u32::MAX);
            (0..files).for_each(|file| {
                plan.files.entry(file).or_default();
            });
        }
        plan.months.extend(self.months.keys());
        plan.months.extend(self.placed.by_month.keys().flatten());
        let partition = |file: &DataFile| file.partition.as_deref().and_then(Month::parse);
        plan.months.extend(plan.files.keys().filter_map(|file| partition(&self.session_files[*file as usize])));
        plan.months.extend(self.placed.leaving.keys().filter_map(|file| partition(&self.event_files[*file])));
        plan
    }

    /// Number of scores that were there already.
    #[must_use]
    pub fn repeated_scores(&self) -> u64 {
        self.repeated_scores
    }
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
