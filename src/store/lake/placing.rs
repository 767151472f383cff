//! Events to their sessions, those of earlier batches too: an event that waited finds the session that came, and one
//! that names only its patient moves when a session comes that fits it better.

use super::asked::Narrow;
use super::columns::TableName;
use super::data_file::DataFile;
use super::entries::Entry;
use super::error::StoreError;
use super::events::{self, EventRow, Status};
use super::keys::SessionKey;
use super::month::{Month, PENDING};
use super::standing::{self, Existing, Standing};
use super::store::Store;
use crate::domain::{Catalogue, Day};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// What an event needs to know of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Facts {
    key: SessionKey,
    day: Day,
    patient: u64,
    body_area: u8,
}

impl From<&Existing> for Facts {
    fn from(existing: &Existing) -> Facts {
        let Existing { key, day, patient, body_area, .. } = *existing;
        Facts { key, day, patient, body_area }
    }
}

/// An incoming event that cannot be kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedEvent {
    /// The event.
    pub event: EventRow,
    /// Why.
    pub reason: Status,
    /// Day of the session that it names.
    pub session_day: Day,
}

/// Sessions of each patient (by the hash of the pseudonym), earliest first.
type ByPatient = BTreeMap<u64, Vec<Facts>>;

/// Where every event belongs.
pub(super) struct Placed {
    /// Events to write, by the month of their session; `None` = they wait.
    pub(super) by_month: BTreeMap<Option<Month>, Vec<EventRow>>,
    /// Rows that leave their file, by the index of the file.
    pub(super) leaving: BTreeMap<usize, BTreeSet<usize>>,
    /// Sessions whose side effects have changed.
    pub(super) touched: HashSet<SessionKey>,
    /// Where sessions of the store lie that were found on the way.
    pub(super) found: Vec<Existing>,
    /// Incoming events that cannot be kept.
    pub(super) refused: Vec<RefusedEvent>,
    /// Incoming events that repeat one already there.
    pub(super) repeats: Vec<EventRow>,
    /// Incoming events of which several sessions fit.
    pub(super) overlapping: Vec<EventRow>,
    /// Incoming events that wait.
    pub(super) waiting: Vec<EventRow>,
    /// Incoming events that began after their window, with the days.
    pub(super) late: Vec<(EventRow, i32)>,
    /// Events that waited and found their session.
    pub(super) joined_late: u64,
}

/// Places the incoming events and looks again at those of the store that the batch concerns.
pub(super) struct Placing<'a> {
    pub(super) store: &'a Store,
    pub(super) catalogue: &'a Catalogue,
    pub(super) standing: &'a Standing,
    pub(super) session_files: &'a [DataFile],
    pub(super) event_files: &'a [DataFile],
}

/// An event under consideration: an incoming one, or one of the store with its file and row.
struct Candidate {
    event: EventRow,
    from: Option<(usize, usize)>,
}

impl Placing<'_> {
    pub(super) fn place(&self, incoming: Vec<EventRow>) -> Result<Placed, StoreError> {
        let (fresh, repeats_within) = first_of_each(incoming);
        let (again, known) = self.look_again(&fresh)?;
        let (fresh, mut repeats): (Vec<EventRow>, Vec<EventRow>) =
            fresh.into_iter().partition(|event| !known.contains(&event.identity()));
        repeats.extend(repeats_within);
        let mut candidates: Vec<Candidate> = again;
        candidates.extend(fresh.into_iter().map(|event| Candidate { event, from: None }));
        let (of_patients, found) = self.sessions_of_patients(&candidates)?;
        let mut placed = Placed {
            by_month: BTreeMap::new(),
            leaving: BTreeMap::new(),
            touched: HashSet::new(),
            found,
            refused: Vec::new(),
            repeats,
            overlapping: Vec::new(),
            waiting: Vec::new(),
            late: Vec::new(),
            joined_late: 0,
        };
        for candidate in candidates {
            self.decide(candidate, &of_patients, &mut placed);
        }
        Ok(placed)
    }

    /// Events of the store that the batch concerns, and the identities of incoming events that are there already.
    fn look_again(&self, fresh: &[EventRow]) -> Result<(Vec<Candidate>, HashSet<u128>), StoreError> {
        let mut known = HashSet::new();
        let mut again = Vec::new();
        if self.event_files.is_empty() || (fresh.is_empty() && self.standing.winners.is_empty()) {
            return Ok((again, known));
        }
        let asked: HashSet<u128> = fresh.iter().map(EventRow::identity).collect();
        let patients: HashSet<u64> = self.standing.winners.iter().map(|entry| entry.identity.patient).collect();
        for (number, file) in self.event_files.iter().enumerate() {
            let narrow = Narrow::of(self.store, file)?;
            known.extend(narrow.identities().filter(|identity| asked.contains(identity)));
            let rows: Vec<usize> = (0..narrow.len()).filter(|row| self.concerns(&narrow, *row, &patients)).collect();
            if rows.is_empty() {
                continue;
            }
            let events = events::read(&self.store.read(TableName::Events, file, None)?, self.catalogue);
            let mut events: Vec<Option<EventRow>> = events.into_iter().map(Some).collect();
            again.extend(rows.into_iter().filter_map(|row| {
                let event = events.get_mut(row)?.take()?;
                Some(Candidate { event, from: Some((number, row)) })
            }));
        }
        Ok((again, known))
    }

    /// Whether the batch may change where an event belongs.
    fn concerns(&self, narrow: &Narrow, row: usize, patients: &HashSet<u64>) -> bool {
        let comes = |key: Option<SessionKey>| key.is_some_and(|key| self.standing.winner(key).is_some());
        comes(narrow.named(row))
            || comes(narrow.joined(row))
            || (narrow.named(row).is_none() && narrow.patient(row).is_some_and(|patient| patients.contains(&patient)))
    }

    /// The sessions of every patient of whom an event names no session, earliest first.
    fn sessions_of_patients(&self, candidates: &[Candidate]) -> Result<(ByPatient, Vec<Existing>), StoreError> {
        let by_patient = || candidates.iter().filter(|candidate| candidate.event.named.is_none());
        let patients: HashSet<u64> = by_patient().filter_map(|candidate| candidate.event.patient()).collect();
        if patients.is_empty() {
            return Ok((ByPatient::new(), Vec::new()));
        }
        let onsets: Vec<Day> = by_patient().filter_map(|candidate| candidate.event.onset).collect();
        let longest = self.catalogue.ids().map(|id| self.catalogue.get(id).window_days).max().unwrap_or(0);
        let longest = i32::try_from(longest).unwrap_or(i32::MAX);
        let first = onsets.iter().min().map(|day| Month::of(day.plus(-longest)));
        let last = onsets.iter().max().map(|day| Month::of(*day));
        let files: Vec<(u32, &DataFile)> = (0u32..)
            .zip(self.session_files)
            .filter(|(_, file)| {
                let month = file.partition.as_deref().and_then(Month::parse);
                first <= month && month <= last
            })
            .collect();
        let found = standing::of_patients(self.store, &files, &patients)?;
        let stays = found.iter().filter(|existing| !self.standing.amended.contains_key(&existing.key));
        let comes = self.standing.winners.iter().filter(|entry| patients.contains(&entry.identity.patient));
        let mut of_patients = ByPatient::new();
        for facts in stays.map(Facts::from).chain(comes.map(facts_of_entry)) {
            of_patients.entry(facts.patient).or_default().push(facts);
        }
        for sessions in of_patients.values_mut() {
            sessions.sort_by_key(|facts| (facts.day, facts.key));
        }
        Ok((of_patients, found))
    }

    /// The session that a key stands for now.
    fn session(&self, key: SessionKey) -> Option<Facts> {
        match self.standing.winner(key) {
            Some(entry) => Some(facts_of_entry(entry)),
            None => self.standing.existing(key).map(Facts::from),
        }
    }

    /// Where an event belongs now: its status, its session and how many fitted.
    fn belongs(&self, event: &EventRow, of_patients: &ByPatient) -> (Status, Option<Facts>, i32) {
        if let Some(named) = event.named {
            let Some(facts) = self.session(named) else { return (Status::UnknownSession, None, 0) };
            let status = if event.patient().is_some_and(|patient| patient != facts.patient) {
                Status::OtherPatient
            } else if event.onset.is_some_and(|onset| onset < facts.day) {
                Status::BeforeSession
            } else {
                Status::Joined
            };
            return (status, Some(facts), 1);
        }
        let window = i32::try_from(self.catalogue.get(event.effect).window_days).unwrap_or(i32::MAX);
        let sessions = event.patient().and_then(|patient| of_patients.get(&patient)).map_or(&[][..], Vec::as_slice);
        let Some(onset) = event.onset else { return (Status::NoSessionFits, None, 0) };
        let fits: Vec<&Facts> = sessions
            .iter()
            .filter(|facts| facts.day <= onset && onset.since(facts.day) <= window)
            .filter(|facts| event.body_area.is_none_or(|area| area == facts.body_area))
            .collect();
        match fits.last() {
            Some(latest) => (Status::Joined, Some(**latest), i32::try_from(fits.len()).unwrap_or(i32::MAX)),
            None => (Status::NoSessionFits, None, 0),
        }
    }

    fn decide(&self, candidate: Candidate, of_patients: &ByPatient, placed: &mut Placed) {
        let Candidate { mut event, from } = candidate;
        let (status, facts, candidates) = self.belongs(&event, of_patients);
        let refusal = matches!(status, Status::BeforeSession | Status::OtherPatient);
        if from.is_none() && refusal {
            let session_day = facts.map_or(Day(0), |facts| facts.day);
            placed.refused.push(RefusedEvent { event, reason: status, session_day });
            return;
        }
        let joined = facts.filter(|_| status == Status::Joined);
        let month = joined.map(|facts| Month::of(facts.day));
        let mut stays = false;
        if let Some((file, row)) = from {
            let there = self.event_files[file].partition.as_deref().and_then(Month::parse);
            stays = (event.status, event.joined, there) == (status, joined.map(|facts| facts.key), month);
            if stays && event.candidates == candidates {
                return;
            }
            placed.leaving.entry(file).or_default().insert(row);
            placed.touched.extend(event.joined.filter(|_| !stays));
            placed.joined_late += u64::from(event.status != Status::Joined && status == Status::Joined);
        }
        event.status = status;
        event.joined = joined.map(|facts| facts.key);
        event.candidates = candidates;
        placed.touched.extend(event.joined.filter(|_| !stays));
        if from.is_none() {
            self.note(&event, joined, placed);
        }
        placed.by_month.entry(month).or_default().push(event);
    }

    /// What a person should know of an incoming event.
    fn note(&self, event: &EventRow, joined: Option<Facts>, placed: &mut Placed) {
        if event.candidates > 1 {
            placed.overlapping.push(event.clone());
        }
        let Some(facts) = joined else {
            placed.waiting.push(event.clone());
            return;
        };
        let window = i32::try_from(self.catalogue.get(event.effect).window_days).unwrap_or(i32::MAX);
        let days = event.onset.map_or(0, |onset| onset.since(facts.day)) - window;
        if days > 0 && event.named.is_some() {
            placed.late.push((event.clone(), days));
        }
    }
}

fn facts_of_entry(entry: &Entry) -> Facts {
    Facts { key: entry.identity.key, day: entry.day, patient: entry.identity.patient, body_area: entry.body_area }
}

/// Rows of the batch that repeat an earlier one of it.
fn first_of_each(incoming: Vec<EventRow>) -> (Vec<EventRow>, Vec<EventRow>) {
    let mut seen = HashSet::new();
    incoming.into_iter().partition(|event| seen.insert(event.identity()))
}

/// Name of the partition of a month.
pub(super) fn partition(month: Option<Month>) -> String {
    month.map_or_else(|| PENDING.to_owned(), |month| month.to_string())
}
