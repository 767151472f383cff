//! Events to their sessions: kept, listed, or refused.

use crate::domain::{Catalogue, Event, Link};
use crate::store::attribution::{self, Attribution, Onset, PatientSessions};
use crate::store::{Occurrence, SessionTable};
use crate::validate::{Duplicates, Rejection, Sourced, Warning, rules};
use std::collections::HashMap;

/// How events found their sessions.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Links {
    /// They named their session.
    pub by_session: u64,
    /// They named a patient, and one session fitted.
    pub by_patient: u64,
    /// They named a patient, several sessions fitted, and the latest was taken.
    pub overlapping: u64,
    /// They named a patient, and no session fitted.
    pub unattributed: u64,
    /// They named a session that has not come yet: a store keeps them, files have none to wait for.
    pub waiting: Option<u64>,
}

/// What became of an event.
pub(super) enum Joined {
    /// Its session has it.
    Kept,
    /// Accepted, and listed.
    Listed(Warning),
    /// Refused.
    Refused(Rejection),
}

/// The sessions of a source, and the row at which they begin among all rows pushed.
pub(super) struct Ledger {
    pub(super) sessions: Duplicates,
    pub(super) first_row: usize,
}

impl Ledger {
    fn row_of(&self, session_id: &str) -> Option<usize> {
        Some(self.first_row + self.sessions.index_of_session(session_id)? as usize)
    }
}

/// Joins events to the sessions of their source.
pub(super) struct Joining<'a> {
    pub(super) catalogue: &'a Catalogue,
    /// The sessions of each source.
    pub(super) ledgers: &'a [Ledger],
    /// Row in the table of each row pushed.
    pub(super) rows: &'a [Option<u32>],
    pub(super) patients: Option<(PatientSessions, HashMap<String, u32>)>,
    pub(super) links: Links,
}

impl Joining<'_> {
    /// Joins one event.
    pub(super) fn join(&mut self, table: &mut SessionTable, source: usize, event: &Sourced<Event>) -> Joined {
        let attribution = match &event.value.link {
            Link::Session { session_id, patient_id } => {
                let row = self.ledgers.get(source).and_then(|ledger| ledger.row_of(session_id));
                let row = row.and_then(|row| self.rows.get(row).copied().flatten());
                if let (Some(row), Some(patient_id)) = (row, patient_id)
                    && self.patient(table, source, patient_id) != Some(table.patients()[row as usize])
                {
                    return self.other_patient(event);
                }
                attribution::by_session(table, row, &event.value)
            }
            Link::Patient { patient_id, .. } => self.by_patient(table, (source, patient_id), &event.value),
        };
        self.settle(table, event, attribution)
    }

    fn other_patient(&self, event: &Sourced<Event>) -> Joined {
        Joined::Refused(Rejection {
            place: event.place,
            column: Some("patient_id".to_owned()),
            rule: rules::EVENT_OF_OTHER_PATIENT,
            hint: "the session that it names is of another patient; correct session_id or patient_id".to_owned(),
            text: summary(self.catalogue, &event.value),
        })
    }

    /// Sessions by patient, and the numbers of the patients: made once, when the first event names a patient.
    fn patients(&mut self, table: &SessionTable) -> &(PatientSessions, HashMap<String, u32>) {
        self.patients.get_or_insert_with(|| {
            let numbers = table.patient_numbers().into_iter().map(|(key, number)| (key.to_owned(), number));
            (PatientSessions::of(table), numbers.collect())
        })
    }

    fn patient(&mut self, table: &SessionTable, source: usize, patient_id: &str) -> Option<u32> {
        self.patients(table).1.get(&format!("{source}/{patient_id}")).copied()
    }

    fn by_patient(&mut self, table: &SessionTable, (source, patient_id): (usize, &str), event: &Event) -> Attribution {
        let (Some(onset), Some(patient)) = (event.onset, self.patient(table, source, patient_id)) else {
            return Attribution::Unattributed;
        };
        let Link::Patient { body_area, .. } = event.link else { return Attribution::Unattributed };
        let window = self.catalogue.get(event.effect).window_days;
        let onset = Onset { onset, window_days: i32::try_from(window).unwrap_or(i32::MAX), body_area };
        self.patients(table).0.attribute(table, patient, &onset)
    }

    /// How many days after its window an event began.
    fn days_late(&self, table: &SessionTable, session: u32, event: &Event) -> Option<i32> {
        let window = i32::try_from(self.catalogue.get(event.effect).window_days).unwrap_or(i32::MAX);
        let after = event.onset?.since(table.session_day(session as usize));
        (after > window).then(|| after - window)
    }

    fn settle(&mut self, table: &mut SessionTable, event: &Sourced<Event>, attribution: Attribution) -> Joined {
        let warning = |rule, hint: String| Joined::Listed(Warning { place: event.place, column: None, rule, hint });
        let refusal = |rule, column: &str, hint: String| {
            let text = summary(self.catalogue, &event.value);
            Joined::Refused(Rejection { place: event.place, column: Some(column.to_owned()), rule, hint, text })
        };
        match attribution {
            Attribution::Session(session) => {
                keep(table, session, &event.value);
                let late = self.days_late(table, session, &event.value);
                match event.value.link {
                    Link::Session { .. } => self.links.by_session += 1,
                    Link::Patient { .. } => self.links.by_patient += 1,
                }
                match late {
                    Some(days) => {
                        warning(rules::LATE_ONSET, format!("it began {days} days after the end of its window"))
                    }
                    None => Joined::Kept,
                }
            }
            Attribution::LatestOf { session, candidates } => {
                keep(table, session, &event.value);
                self.links.overlapping += 1;
                warning(rules::SEVERAL_SESSIONS_FIT, format!("{candidates} sessions fit; the latest was taken"))
            }
            Attribution::Unattributed => {
                self.links.unattributed += 1;
                warning(rules::UNATTRIBUTED_EVENT, "no session of the patient fits its onset and window".to_owned())
            }
            Attribution::UnknownSession => {
                let hint = "no accepted session has this session_id; send the session's row, or correct the id";
                refusal(rules::UNKNOWN_SESSION, "session_id", hint.to_owned())
            }
            Attribution::BeforeSession { session_day } => {
                let hint = format!("it begins before its session of {session_day}; correct one of the two dates");
                refusal(rules::EVENT_BEFORE_SESSION, "onset_date", hint)
            }
        }
    }
}

/// What the event says, without the ids that may tell who it speaks of.
fn summary(catalogue: &Catalogue, event: &Event) -> String {
    let mut text = format!("side_effect={}", catalogue.get(event.effect).code);
    if let Some(grade) = event.grade {
        text.push_str(&format!("; grade={}", grade.number()));
    }
    for (name, day) in [("onset_date", event.onset), ("reported_date", event.reported)] {
        if let Some(day) = day {
            text.push_str(&format!("; {name}={day}"));
        }
    }
    text
}

fn keep(table: &mut SessionTable, session: u32, event: &Event) {
    table.occurrences.push(Occurrence {
        session,
        effect: event.effect,
        grade: event.grade,
        onset: event.onset,
        reported: event.reported,
        resolution: event.resolution,
    });
}
