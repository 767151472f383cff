//! Which session an event belongs to.

use super::table::SessionTable;
use crate::domain::codes::BodyArea;
use crate::domain::{Day, Event};
use arrow::array::AsArray;
use arrow::datatypes::UInt8Type;

/// Where an event went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attribution {
    /// To this session.
    Session(u32),
    /// To the latest of several sessions whose windows hold the onset.
    LatestOf {
        /// The session chosen.
        session: u32,
        /// How many fitted.
        candidates: u32,
    },
    /// It names a session that is not there.
    UnknownSession,
    /// Its onset is before the day of the session that it names.
    BeforeSession {
        /// Day of the session.
        session_day: Day,
    },
    /// It names no session, and none of the patient's fits.
    Unattributed,
}

/// Checks an event that names its session.
#[must_use]
pub fn by_session(table: &SessionTable, session: Option<u32>, event: &Event) -> Attribution {
    let Some(row) = session else { return Attribution::UnknownSession };
    let session_day = table.session_day(row as usize);
    match event.onset {
        Some(onset) if onset < session_day => Attribution::BeforeSession { session_day },
        _ => Attribution::Session(row),
    }
}

/// The sessions of each patient, in the order of their days.
#[derive(Debug, Clone)]
pub struct PatientSessions {
    starts: Vec<usize>,
    rows: Vec<u32>,
}

impl PatientSessions {
    /// Sorts the sessions of a table by patient and day.
    #[must_use]
    pub fn of(table: &SessionTable) -> PatientSessions {
        let patients = table.patients();
        let count = patients.iter().max().map_or(0, |last| *last as usize + 1);
        let mut rows: Vec<u32> = (0u32..).take(table.len()).collect();
        rows.sort_by_key(|row| (patients[*row as usize], table.session_day(*row as usize), *row));
        let mut starts = vec![0usize; count + 1];
        for patient in patients {
            starts[*patient as usize + 1] += 1;
        }
        for at in 1..starts.len() {
            starts[at] += starts[at - 1];
        }
        PatientSessions { starts, rows }
    }

    /// Sessions of a patient, earliest first.
    #[must_use]
    pub fn sessions(&self, patient: u32) -> &[u32] {
        let at = patient as usize;
        match (self.starts.get(at), self.starts.get(at + 1)) {
            (Some(from), Some(to)) => &self.rows[*from..*to],
            _ => &[],
        }
    }

    /// The session of `patient` that an event with this onset belongs to: the latest one (of the body area, when
    /// given) on or before the onset whose window of `window_days` holds it.
    #[must_use]
    pub fn attribute(&self, table: &SessionTable, patient: u32, event: &Onset) -> Attribution {
        let fits = |row: &&u32| {
            let day = table.session_day(**row as usize);
            day <= event.onset
                && event.onset.since(day) <= event.window_days
                && event.body_area.is_none_or(|area| body_area(table, **row as usize) == Some(area))
        };
        let candidates: Vec<u32> = self.sessions(patient).iter().filter(fits).copied().collect();
        match candidates.as_slice() {
            [] => Attribution::Unattributed,
            [only] => Attribution::Session(*only),
            [.., latest] => Attribution::LatestOf {
                session: *latest,
                candidates: u32::try_from(candidates.len()).unwrap_or(u32::MAX),
            },
        }
    }
}

/// What decides the session of an event that names none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Onset {
    /// First day of the side effect.
    pub onset: Day,
    /// Window of the side effect.
    pub window_days: i32,
    /// Treated area, when given.
    pub body_area: Option<BodyArea>,
}

fn body_area(table: &SessionTable, row: usize) -> Option<BodyArea> {
    let areas = table.column("body_area")?.as_dictionary_opt::<UInt8Type>()?;
    areas.key(row).and_then(|key| BodyArea::ALL.get(key).copied())
}
