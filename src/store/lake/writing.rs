//! Files of a settled batch: those of sessions with a row that changes are written anew, a month at a time.

use super::columns::{self, TableName};
use super::coming::Coming;
use super::data_file::{self, Content, DataFile, NullCounts, damaged};
use super::delta::Change;
use super::encoding::{self, Encoded, Piece};
use super::error::StoreError;
use super::events::{self, EventRow};
use super::gather::{self, Gathered, Place, Shared};
use super::in_place::{Changed, Changing, Places};
use super::incoming::Taken;
use super::month::{Month, PENDING};
use super::placing::partition;
use super::rows::long;
use super::scores::{self, ScoreRow};
use super::standing::{self, Existing};
use super::states::{self, States};
use super::superseded::Superseded;
use super::upsert::{FILE_ROWS, Settled, Spot};
use arrow::array::RecordBatch;
use arrow::error::ArrowError;
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// Rows of a file that is better written with those that come than by itself.
const SMALL_ROWS: u64 = 1 << 16;

/// Rows of a file that is written anew, and those of them that leave.
struct Before<'p> {
    rows: RecordBatch,
    leaving: &'p BTreeMap<u32, Existing>,
}

/// What files are written of: old ones with their rows that stay, and incoming rows at `coming`, as `index` orders them.
struct Parts<'p> {
    old: Vec<Before<'p>>,
    incoming: &'p Coming<'p>,
    index: Vec<RecordBatch>,
    coming: Vec<Place>,
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
        let changing: Vec<(u32, &Changing)> = plan.files_of(&self.session_files, &name).collect();
        let incoming = Coming::of(taken, 2 * FILE_ROWS, &self.standing.kept_follow_ups)?;
        let index = incoming.index()?;
        let (stays, leaves_file) = self.events_of(&name, !changing.is_empty())?;
        let arrives = self.placed.by_month.get(&Some(month)).map_or(&[][..], Vec::as_slice);
        let events: Vec<&EventRow> = stays.iter().map(|(event, _)| event).chain(arrives).collect();
        let mut places = self.places(&index, changing.iter().map(|(_, changing)| *changing));
        let brings_new = !places.coming.is_empty();
        let mut old: Vec<Before<'_>> = Vec::new();
        for (number, changing) in changing {
            let file = &self.session_files[number as usize];
            // Where rows come, a small file is best written with them.
            let is_small = brings_new && file.rows < SMALL_ROWS;
            let changed = if self.anew || is_small || !self.keeps_its_places(changing) {
                None
            } else {
                self.change_in_place((file, changing), (&incoming, &places), (&events, version))?
            };
            if let Some(Changed { file, before, at }) = changed {
                let at = |row: u32| at[&row];
                written.superseded.extend(self.superseded((&before, &at), &changing.leaving, (&name, version))?);
                written.sessions.push(file);
            } else {
                let rows = self.old_rows(file)?;
                let at = |row: u32| row as usize;
                written.superseded.extend(self.superseded((&rows, &at), &changing.leaving, (&name, version))?);
                old.push(Before { rows, leaving: &changing.leaving });
                let amending =
                    changing.leaving.values().filter_map(|existing| self.standing.amended.get(&existing.key));
                places.coming.extend(amending.filter_map(|number| places.amending.get(number)));
            }
        }
        if !places.coming.is_empty() || !old.is_empty() {
            let parts = Parts { old, incoming: &incoming, index, coming: places.coming };
            written.sessions.extend(self.write_sessions((&name, version), parts, &events)?);
        }
        let mut of_file: Vec<EventRow> =
            stays.into_iter().filter(|(_, file)| leaves_file.contains(file)).map(|(event, _)| event).collect();
        of_file.extend(arrives.iter().cloned());
        written.events = self.write_events(&name, of_file)?;
        Ok(written)
    }

    /// Where the incoming rows of a month lie that stand.
    fn places<'c>(&self, index: &[RecordBatch], changing: impl Iterator<Item = &'c Changing>) -> Places {
        let leaving = changing.flat_map(|changing| changing.leaving.values());
        let amending: HashSet<u32> =
            leaving.filter_map(|existing| self.standing.amended.get(&existing.key)).copied().collect();
        let mut places = Places::default();
        for (part, rows) in index.iter().enumerate() {
            let numbers = gather::numbers(rows).into_iter().flat_map(|numbers| numbers.values());
            for (row, number) in numbers.enumerate().filter(|(_, number)| self.standing.stands(**number)) {
                if amending.contains(number) {
                    places.amending.insert(*number, (part, row));
                } else {
                    places.coming.push((part, row));
                }
            }
        }
        places
    }

    /// The rows of a file that is written anew, as incoming ones are.
    fn old_rows(&self, file: &DataFile) -> Result<RecordBatch, StoreError> {
        let columns = columns::session_rows();
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let rows = self.store.read(TableName::Sessions, file, Some(&names))?;
        gather::narrowed(&rows).map_err(|error| damaged(TableName::Sessions, &error))
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

    /// Writes the rows of a month.
    fn write_sessions(
        &self,
        (month, version): (&str, u64),
        Parts { old, incoming, index, coming }: Parts<'_>,
        events: &[&EventRow],
    ) -> Result<Vec<DataFile>, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let before = old.len();
        let ordering: Vec<&RecordBatch> = old.iter().map(|before| &before.rows).chain(&index).collect();
        let stays = old.iter().enumerate().flat_map(|(part, before)| before.stays().map(move |row| (part, row)));
        let comes = coming.iter().map(|(part, row)| (before + part, *row));
        let order = gather::in_order(&ordering, stays.chain(comes), &self.source).map_err(broken)?;
        drop((index, coming));
        let mut files = Vec::new();
        for of_file in order.chunks(FILE_ROWS) {
            let comes = of_file.iter().filter(|(part, _)| *part >= before).map(|(part, row)| (part - before, *row));
            let (incoming, lies) = incoming.at(&comes.collect::<Vec<_>>())?;
            let mut lies = lies.into_iter().map(|(part, row)| (before + part, row));
            let place = |place: &Place| if place.0 < before { Some(*place) } else { lies.next() };
            let order: Vec<Place> = of_file.iter().filter_map(place).collect();
            let parts = old.iter().map(|before| &before.rows).chain(&incoming).collect();
            let shared = Shared { source: &self.source, store_version: long(version) };
            files.push(self.write_file(month, &Gathered::new((parts, before), order, shared), events)?);
        }
        Ok(files)
    }

    fn write_file(&self, month: &str, rows: &Gathered<'_>, events: &[&EventRow]) -> Result<DataFile, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let from = rows.columns(&states::FROM).map_err(broken)?;
        let states = States::of(&from, events.iter().copied(), self.catalogue).map_err(broken)?;
        let all = columns::sessions(self.catalogue);
        let encoded = encoding::encode(&all, &pieces(rows, &states));
        let Encoded { bytes, nulls } = encoded.map_err(|error| damaged(TableName::Sessions, &error))?;
        let nulls: NullCounts = all.iter().map(|column| column.name.clone()).zip(nulls).collect();
        let content = Content { bytes, rows: rows.len(), stats: data_file::stats(&from, &nulls) };
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

    /// The incoming rows that a later one of the batch replaces, for the list of superseded rows.
    pub(super) fn replaced_within(&self, version: u64) -> Result<Vec<Superseded>, StoreError> {
        const COLUMNS: [&str; 7] =
            ["session_id", "session_key_high", "session_key_low", "file_number", "line", "record", columns::NUMBER];
        let replaced = &self.standing.replaced;
        if replaced.is_empty() {
            return Ok(Vec::new());
        }
        let stand: HashSet<u32> = replaced.values().copied().collect();
        let mut spots: HashMap<u32, Spot> = HashMap::new();
        let mut rows_of_batch: Vec<(u32, Superseded)> = Vec::new();
        for (month, taken) in &self.months {
            for rows in taken.rows(Some(&COLUMNS))? {
                let rows = rows?;
                for row in 0..rows.num_rows() {
                    let (Some(number), Some(spot)) = (number_of(&rows, row), standing::place(&rows, row)) else {
                        continue;
                    };
                    if stand.contains(&number) {
                        spots.insert(number, spot);
                    }
                    if let Some(by) = replaced.get(&number) {
                        let row = Superseded::within_batch(&rows, (row, spot), (&self.source, *month), version)?;
                        rows_of_batch.push((*by, row));
                    }
                }
            }
        }
        let by = |(by, row): (u32, Superseded)| row.by((version, spots.get(&by).copied().unwrap_or_default()));
        let mut superseded: Vec<Superseded> = rows_of_batch.into_iter().map(by).collect();
        superseded.sort_by_key(Superseded::place);
        Ok(superseded)
    }

    /// The rows that leave a file, for the list of superseded rows.
    fn superseded(
        &self,
        (rows, at): (&RecordBatch, &dyn Fn(u32) -> usize),
        leaving: &BTreeMap<u32, Existing>,
        (month, version): (&str, u64),
    ) -> Result<Vec<Superseded>, StoreError> {
        leaving
            .iter()
            .map(|(row, existing)| {
                let by = self.standing.amended.get(&existing.key).and_then(|number| self.amending.get(number));
                let by = by.copied().unwrap_or_default();
                Superseded::of(rows, (at(*row), existing.key), month, (version, by))
            })
            .collect()
    }
}

/// All columns of a file of sessions, in their order.
pub(super) fn pieces<'a>(rows: &'a Gathered<'_>, states: &'a States<'_>) -> Vec<Piece<'a>> {
    let own = columns::session_rows().into_iter();
    let own = own.map(|column| Piece::new(1, move || Ok(vec![rows.column(&column)?])));
    own.chain(states.pieces()).collect()
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

/// Files of which rows change, and months to write.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) files: BTreeMap<u32, Changing>,
    pub(super) months: BTreeSet<Month>,
}

impl Plan {
    pub(super) fn files_of<'p>(
        &'p self,
        files: &'p [DataFile],
        month: &'p str,
    ) -> impl Iterator<Item = (u32, &'p Changing)> {
        let of_month = move |number: &u32| files[*number as usize].partition.as_deref() == Some(month);
        self.files.iter().filter(move |(number, _)| of_month(number)).map(|(number, rows)| (*number, rows))
    }
}

pub(super) fn number_of(rows: &RecordBatch, row: usize) -> Option<u32> {
    gather::numbers(rows).map(|numbers| numbers.value(row))
}
