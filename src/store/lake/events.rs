//! Rows of events files as the store keeps them.

use super::columns::{self, TableName};
use super::keys::{Keys, SessionKey};
use super::rows::{Origin, coded, long, without};
use super::upsert::Spot;
use crate::domain::codes::BodyArea;
use crate::domain::{Catalogue, Day, EffectId, Event, Grade, Link, Place, Resolution};
use crate::store::build::Occurrence;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt8Array,
};
use arrow::datatypes::{Date32Type, Int32Type, Int64Type, UInt8Type};
use arrow::error::ArrowError;
use std::hash::Hasher;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3Default;

/// What became of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Status {
    /// It belongs to a session.
    Joined,
    /// It waits: no session has the id that it names.
    UnknownSession,
    /// It waits: none of its patient's sessions fits its onset and window.
    NoSessionFits,
    /// It waits: its session was moved to a day after its onset.
    BeforeSession,
    /// It waits: the session that it names is another patient's now.
    OtherPatient,
}

impl Status {
    /// Codes in the table, in order.
    pub const CODES: &'static [&'static str] =
        &["joined", "unknown_session", "no_session_fits", "before_session", "other_patient"];
    const ALL: [Status; 5] =
        [Status::Joined, Status::UnknownSession, Status::NoSessionFits, Status::BeforeSession, Status::OtherPatient];
}

/// An event, pseudonymised, with the session that it belongs to.
#[derive(Debug, Clone, PartialEq)]
pub struct EventRow {
    pub(super) source: Arc<str>,
    pub(super) session_id: Option<String>,
    pub(super) patient_id: Option<String>,
    pub(super) body_area: Option<u8>,
    pub(super) effect: EffectId,
    pub(super) grade: Option<Grade>,
    pub(super) onset: Option<Day>,
    pub(super) resolution: Resolution,
    pub(super) serious: Option<bool>,
    pub(super) verbatim: Option<String>,
    pub(super) imdrf_code: Option<String>,
    pub(super) reported: Option<Day>,
    pub(super) status: Status,
    pub(super) candidates: i32,
    pub(super) store_version: i64,
    pub(super) file_number: i32,
    pub(super) line: i64,
    pub(super) record: i64,
    /// The session that it names.
    pub(super) named: Option<SessionKey>,
    /// The session that it belongs to.
    pub(super) joined: Option<SessionKey>,
    pub(super) row_hash: i64,
}

impl EventRow {
    /// The row of an event, not yet joined.
    #[must_use]
    pub fn of(origin: Origin<'_>, source: &Arc<str>, (place, event): (Place, &Event)) -> EventRow {
        let keys = origin.keys;
        let Event { link, effect, grade, onset, resolution, serious, verbatim, imdrf_code, reported } = event;
        let (patient, body_area, session) = match link {
            Link::Session { session_id, patient_id } => (patient_id.as_deref(), None, Some(session_id.as_str())),
            Link::Patient { patient_id, body_area } => {
                (Some(patient_id.as_str()), body_area.map(|area| area as u8), None)
            }
        };
        let pseudonym = patient.map(|patient| keys.pseudonym(origin.source, patient));
        let hide = |text: &str| match (patient, &pseudonym) {
            (Some(patient), Some(pseudonym)) => without(text, patient, pseudonym).into_owned(),
            _ => text.to_owned(),
        };
        let mut row = EventRow {
            source: source.clone(),
            session_id: session.map(hide),
            body_area,
            effect: *effect,
            grade: *grade,
            onset: *onset,
            resolution: *resolution,
            serious: *serious,
            verbatim: verbatim.as_deref().map(hide),
            imdrf_code: imdrf_code.as_deref().map(str::to_owned),
            reported: *reported,
            status: Status::UnknownSession,
            candidates: 0,
            store_version: long(origin.store_version),
            file_number: origin.file_number,
            line: long(place.line),
            record: long(place.record),
            named: session.map(|session| keys.session(origin.source, session)),
            joined: None,
            row_hash: 0,
            patient_id: pseudonym,
        };
        row.row_hash = row.content(origin.catalogue.get(*effect).code.as_str());
        row
    }

    /// Where it belongs, or why it waits.
    #[must_use]
    pub fn status(&self) -> Status {
        self.status
    }

    /// How many sessions fit it.
    #[must_use]
    pub fn candidates(&self) -> i32 {
        self.candidates
    }

    /// Number of its file, line and record.
    #[must_use]
    pub fn place(&self) -> Spot {
        (self.file_number, self.line, self.record)
    }

    /// What it says, without the ids that may tell who it speaks of.
    #[must_use]
    pub fn summary(&self, catalogue: &Catalogue) -> String {
        let mut text = format!("side_effect={}", catalogue.get(self.effect).code);
        if let Some(grade) = self.grade {
            text.push_str(&format!("; grade={}", grade.number()));
        }
        for (name, day) in [("onset_date", self.onset), ("reported_date", self.reported)] {
            if let Some(day) = day {
                text.push_str(&format!("; {name}={day}"));
            }
        }
        text
    }

    /// Hash of everything that it says but for its ids.
    fn content(&self, code: &str) -> i64 {
        let mut hasher = Xxh3Default::new();
        let day = |day: Option<Day>| day.map_or(i32::MIN, |day| day.0);
        for text in [Some(code), self.verbatim.as_deref(), self.imdrf_code.as_deref()] {
            hasher.write(text.unwrap_or_default().as_bytes());
            hasher.write_u8(if text.is_some() { 0xff } else { 0xfe });
        }
        hasher.write_u8(self.body_area.unwrap_or(u8::MAX));
        hasher.write_u8(self.grade.map_or(0, Grade::number));
        hasher.write_i32(day(self.onset));
        hasher.write_i32(match self.resolution {
            Resolution::NotStated => i32::MIN,
            Resolution::Ongoing => i32::MAX,
            Resolution::On(day) => day.0,
        });
        hasher.write_u8(self.serious.map_or(2, u8::from));
        hasher.write_i32(day(self.reported));
        hasher.finish().cast_signed()
    }

    /// The same for two rows that say the same of the same session or patient.
    pub(super) fn identity(&self) -> u128 {
        let patient = self.patient_id.as_deref().unwrap_or_default();
        identity((&self.source, patient), self.named, self.row_hash)
    }

    /// Hash of its patient.
    pub(super) fn patient(&self) -> Option<u64> {
        self.patient_id.as_ref().map(|patient| xxhash_rust::xxh3::xxh3_64(patient.as_bytes()))
    }

    /// The side effect as a session has it, for row number `session`.
    pub(super) fn occurrence(&self, session: u32) -> Occurrence {
        Occurrence {
            session,
            effect: self.effect,
            grade: self.grade,
            onset: self.onset,
            reported: self.reported,
            resolution: self.resolution,
        }
    }

    /// With the ids that the newest key gives.
    pub(super) fn renewed(mut self, keys: &Keys) -> EventRow {
        if let Some(old) = self.patient_id.take() {
            // An id of a session, or somebody's words, may hold the pseudonym too.
            let new = keys.renewed(&old);
            self.session_id = self.session_id.map(|id| id.replace(&old, &new));
            self.verbatim = self.verbatim.map(|words| words.replace(&old, &new));
            self.patient_id = Some(new);
        }
        self.named = self.named.map(|key| keys.renewed_session(key));
        self.joined = self.joined.map(|key| keys.renewed_session(key));
        self
    }
}

/// What makes two events the same: source and patient, session named, and everything else that they say.
pub(super) fn identity((source, patient): (&str, &str), named: Option<SessionKey>, row_hash: i64) -> u128 {
    let mut hasher = Xxh3Default::new();
    hasher.write(source.as_bytes());
    hasher.write_u8(0xff);
    hasher.write(patient.as_bytes());
    hasher.write_u128(named.map_or(0, |key| key.0));
    hasher.write_i64(row_hash);
    hasher.digest128()
}

/// Rows → columns.
pub(super) fn write(events: &[EventRow], catalogue: &Catalogue) -> Result<RecordBatch, ArrowError> {
    let text = |read: fn(&EventRow) -> Option<&str>| -> ArrayRef {
        Arc::new(events.iter().map(read).collect::<StringArray>())
    };
    let date = |read: fn(&EventRow) -> Option<Day>| -> ArrayRef {
        Arc::new(events.iter().map(|event| read(event).map(|day| day.0)).collect::<Date32Array>())
    };
    let whole =
        |read: fn(&EventRow) -> Option<i32>| -> ArrayRef { Arc::new(events.iter().map(read).collect::<Int32Array>()) };
    let long =
        |read: fn(&EventRow) -> Option<i64>| -> ArrayRef { Arc::new(events.iter().map(read).collect::<Int64Array>()) };
    let flag = |read: fn(&EventRow) -> Option<bool>| -> ArrayRef {
        Arc::new(events.iter().map(read).collect::<BooleanArray>())
    };
    let area: UInt8Array = events.iter().map(|event| event.body_area).collect();
    let status: UInt8Array = events.iter().map(|event| Some(event.status as u8)).collect();
    let arrays: Vec<ArrayRef> = vec![
        text(|event| Some(&event.source)),
        text(|event| event.session_id.as_deref()),
        text(|event| event.patient_id.as_deref()),
        Arc::new(coded(area, BodyArea::CODES)?),
        Arc::new(StringArray::from_iter_values(events.iter().map(|event| catalogue.get(event.effect).code.as_str()))),
        whole(|event| event.grade.map(|grade| grade.number().into())),
        date(|event| event.onset),
        date(|event| match event.resolution {
            Resolution::On(day) => Some(day),
            _ => None,
        }),
        flag(|event| match event.resolution {
            Resolution::NotStated => None,
            other => Some(other == Resolution::Ongoing),
        }),
        flag(|event| event.serious),
        text(|event| event.verbatim.as_deref()),
        text(|event| event.imdrf_code.as_deref()),
        date(|event| event.reported),
        Arc::new(coded(status, Status::CODES)?),
        whole(|event| Some(event.candidates)),
        long(|event| Some(event.store_version)),
        whole(|event| Some(event.file_number)),
        long(|event| Some(event.line)),
        long(|event| Some(event.record)),
        long(|event| event.named.map(|key| key.halves().0)),
        long(|event| event.named.map(|key| key.halves().1)),
        long(|event| event.joined.map(|key| key.halves().0)),
        long(|event| event.joined.map(|key| key.halves().1)),
        long(|event| Some(event.row_hash)),
    ];
    RecordBatch::try_new(columns::schema(&TableName::Events.columns()), arrays)
}

/// Columns → rows.
pub(super) fn read(batch: &RecordBatch, catalogue: &Catalogue) -> Vec<EventRow> {
    let columns = Columns { batch };
    let mut sources: Vec<Arc<str>> = Vec::new();
    (0..batch.num_rows()).map(|row| columns.event(row, catalogue, &mut sources)).collect()
}

/// An event that belongs to no session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waiting {
    /// Number of its file, line and record.
    pub spot: Spot,
    /// Why it waits.
    pub status: Status,
}

/// What [`waiting`] reads.
pub(super) const WAITING_COLUMNS: [&str; 4] = ["status", "file_number", "line", "record"];

/// Columns → events that wait.
pub(super) fn waiting(batch: &RecordBatch) -> Vec<Waiting> {
    let columns = Columns { batch };
    (0..batch.num_rows()).map(|row| Waiting { spot: columns.spot(row), status: columns.status(row) }).collect()
}

/// Typed reading of a batch that has the schema of its table.
struct Columns<'a> {
    batch: &'a RecordBatch,
}

impl Columns<'_> {
    fn column(&self, name: &str) -> Option<&ArrayRef> {
        self.batch.column_by_name(name)
    }

    fn text(&self, name: &str, row: usize) -> Option<String> {
        let column = self.column(name)?.as_string_opt::<i32>()?;
        column.is_valid(row).then(|| column.value(row).to_owned())
    }

    fn day(&self, name: &str, row: usize) -> Option<Day> {
        let column = self.column(name)?.as_primitive_opt::<Date32Type>()?;
        column.is_valid(row).then(|| Day(column.value(row)))
    }

    fn whole(&self, name: &str, row: usize) -> Option<i32> {
        let column = self.column(name)?.as_primitive_opt::<Int32Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn long(&self, name: &str, row: usize) -> Option<i64> {
        let column = self.column(name)?.as_primitive_opt::<Int64Type>()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn flag(&self, name: &str, row: usize) -> Option<bool> {
        let column = self.column(name)?.as_boolean_opt()?;
        column.is_valid(row).then(|| column.value(row))
    }

    fn code(&self, name: &str, row: usize) -> Option<u8> {
        let column = self.column(name)?.as_dictionary_opt::<UInt8Type>()?;
        column.keys().is_valid(row).then(|| column.keys().value(row))
    }

    fn key(&self, [high, low]: [&str; 2], row: usize) -> Option<SessionKey> {
        Some(SessionKey::of_halves(self.long(high, row)?, self.long(low, row)?))
    }

    fn status(&self, row: usize) -> Status {
        let known = |code| Status::ALL.get(usize::from(code)).copied();
        self.code("status", row).and_then(known).unwrap_or(Status::UnknownSession)
    }

    /// File, line and record.
    fn spot(&self, row: usize) -> Spot {
        let long = |name| self.long(name, row).unwrap_or(0);
        (self.whole("file_number", row).unwrap_or(0), long("line"), long("record"))
    }

    fn event(&self, row: usize, catalogue: &Catalogue, sources: &mut Vec<Arc<str>>) -> EventRow {
        let source = self.text("source", row).unwrap_or_default();
        let known = sources.iter().find(|known| ***known == *source).cloned();
        let source = known.unwrap_or_else(|| {
            sources.push(Arc::from(source.as_str()));
            sources[sources.len() - 1].clone()
        });
        let code = self.text("side_effect", row).unwrap_or_default();
        let (file_number, line, record) = self.spot(row);
        EventRow {
            source,
            session_id: self.text("session_id", row),
            patient_id: self.text("patient_id", row),
            body_area: self.code("body_area", row),
            effect: catalogue.find(&code).unwrap_or(Catalogue::UNCODED),
            grade: self.whole("grade", row).and_then(|grade| Grade::new(u8::try_from(grade).ok()?)),
            onset: self.day("onset_date", row),
            resolution: match (self.flag("ongoing", row), self.day("resolved_date", row)) {
                (_, Some(day)) => Resolution::On(day),
                (Some(true), None) => Resolution::Ongoing,
                _ => Resolution::NotStated,
            },
            serious: self.flag("serious", row),
            verbatim: self.text("verbatim", row),
            imdrf_code: self.text("imdrf_code", row),
            reported: self.day("reported_date", row),
            status: self.status(row),
            candidates: self.whole("candidates", row).unwrap_or(0),
            store_version: self.long("store_version", row).unwrap_or(0),
            file_number,
            line,
            record,
            named: self.key(["named_key_high", "named_key_low"], row),
            joined: self.key(["joined_key_high", "joined_key_low"], row),
            row_hash: self.long("row_hash", row).unwrap_or(0),
        }
    }
}
