//! The same row twice, and a later row in place of an earlier one.

use super::outcome::Sourced;
use crate::domain::{Assessment, Event, FileId, Place, Session};
use ahash::{AHasher, RandomState};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, BuildHasherDefault, Hash, Hasher};

/// What makes a row the same as another: its key (128 bits), and all its values (64 bits).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    key: [u64; 2],
    content: u64,
}

/// What the ledger says of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seen {
    /// The first of its key.
    New,
    /// The same key and the same values: counted once, this one is superseded.
    Repeats {
        /// Place of the row that stands.
        earlier: Place,
    },
    /// The same key and other values: this one stands, the earlier is superseded.
    Replaces {
        /// Place of the superseded row.
        earlier: Place,
        /// Its index among the rows that were `New` or `Replaces`, from 0.
        earlier_index: u32,
    },
}

/// The row that stands for a key, packed: this is kept for every row of a run.
#[derive(Debug, Clone, Copy)]
struct Standing {
    content: u64,
    index: u32,
    file: u32,
    line: u32,
    record: u32,
}

/// The rows seen so far in all files of one source; about 40 bytes each, and the table's free space.
///
/// Sessions are the same when their `session_id` is; events and assessments when all their values are.
#[derive(Debug, Clone, Default)]
pub struct Duplicates {
    standing: HashMap<[u64; 2], Standing, BuildHasherDefault<AHasher>>,
    kept: u32,
}

impl Duplicates {
    /// A ledger that has seen nothing.
    #[must_use]
    pub fn new() -> Duplicates {
        Duplicates::default()
    }

    /// Sees a row, in the order in which files and lines come.
    pub fn see<T>(&mut self, row: &Sourced<T>) -> Seen {
        let standing = Standing {
            content: row.fingerprint.content,
            index: self.kept,
            file: row.place.file.0,
            line: narrow(row.place.line),
            record: narrow(row.place.record),
        };
        let seen = match self.standing.entry(row.fingerprint.key) {
            Entry::Vacant(vacant) => {
                vacant.insert(standing);
                Seen::New
            }
            Entry::Occupied(same) if same.get().content == standing.content => {
                Seen::Repeats { earlier: same.get().place() }
            }
            Entry::Occupied(mut other) => {
                let earlier = other.insert(standing);
                Seen::Replaces { earlier: earlier.place(), earlier_index: earlier.index }
            }
        };
        if !matches!(seen, Seen::Repeats { .. }) {
            self.kept += 1;
        }
        seen
    }

    /// Index (as in [`Seen::Replaces`]) of the row that stands for a session.
    #[must_use]
    pub fn index_of_session(&self, session_id: &str) -> Option<u32> {
        let key = fingerprint(|hasher| session_id.hash(hasher), 0).key;
        self.standing.get(&key).map(|standing| standing.index)
    }
}

impl Standing {
    fn place(self) -> Place {
        Place { file: FileId(self.file), line: self.line.into(), record: self.record.into() }
    }
}

/// No file of logs has four billion lines; one that had would show its last number there.
fn narrow(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The same on every run: nothing that is written depends on it.
fn hash(seed: u64, feed: impl Fn(&mut AHasher)) -> u64 {
    let mut hasher = RandomState::with_seeds(seed, 0x9e37_79b9, 0x7f4a_7c15, 0xf39c_c060).build_hasher();
    feed(&mut hasher);
    hasher.finish()
}

fn fingerprint(key: impl Fn(&mut AHasher), content: u64) -> Fingerprint {
    Fingerprint { key: [hash(1, &key), hash(2, &key)], content }
}

impl Fingerprint {
    pub(super) fn of_session(session: &Session) -> Fingerprint {
        fingerprint(|hasher| session.session_id.hash(hasher), hash(0, |hasher| feed_session(session, hasher)))
    }

    pub(super) fn of_event(event: &Event) -> Fingerprint {
        fingerprint(
            |hasher| {
                let Event { link, effect, grade, onset, resolution, serious, verbatim, imdrf_code, reported } = event;
                (link, effect, grade, onset, resolution).hash(hasher);
                (serious, verbatim, imdrf_code, reported).hash(hasher);
            },
            0,
        )
    }

    pub(super) fn of_assessment(assessment: &Assessment) -> Fingerprint {
        fingerprint(
            |hasher| {
                let Assessment { patient_id, session_id, side, assessment_date, scale, score, rater } = assessment;
                (patient_id, session_id, side, assessment_date).hash(hasher);
                (scale, score.to_bits(), rater).hash(hasher);
            },
            0,
        )
    }
}

/// Feeds every field: a new one that is forgotten here does not compile.
#[rustfmt::skip]
fn feed_session(session: &Session, hasher: &mut AHasher) {
    let Session {
        session_id: _, patient_id, clinic_id, practitioner_id, state, practitioner_credential,
        practitioner_experience_years, session_date, course_session, setting, modality, device_model, device_lot,
        firmware, needle_depth_mm, needle_count, passes, rf_energy_mj, rf_pulse_ms, body_area, side, indication,
        age_years, sex, fitzpatrick, monk, ita_degrees, skin_sensitivity, skin_thickness, conditions, numbing_agent,
        topicals, retinoid_stop_days, sterile_single_use, sunscreen_daily, sun_exposure, gentle_products, moisturiser,
        picking, exfoliant, pain_vas, return_to_activity_days, last_follow_up_date, side_effects,
    } = session;
    let bits = |number: &Option<f64>| number.map(f64::to_bits);
    (patient_id, clinic_id, practitioner_id, state, practitioner_credential).hash(hasher);
    (bits(practitioner_experience_years), session_date, course_session, setting, modality).hash(hasher);
    (device_model, device_lot, firmware, bits(needle_depth_mm), needle_count, passes).hash(hasher);
    (bits(rf_energy_mj), bits(rf_pulse_ms), body_area, side, indication, age_years, sex).hash(hasher);
    (fitzpatrick, monk, bits(ita_degrees), skin_sensitivity, skin_thickness, conditions).hash(hasher);
    (numbing_agent, topicals, retinoid_stop_days, sterile_single_use, sunscreen_daily, sun_exposure).hash(hasher);
    (gentle_products, moisturiser, picking, exfoliant, bits(pain_vas)).hash(hasher);
    (return_to_activity_days, last_follow_up_date, side_effects).hash(hasher);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(key: u64, content: u64, line: u64) -> Sourced<()> {
        let place = Place { file: FileId(0), line, record: line - 1 };
        Sourced { place, value: (), fingerprint: Fingerprint { key: [key, key], content } }
    }

    #[test]
    fn repeats_are_told_from_amendments() {
        let mut ledger = Duplicates::new();
        assert_eq!(ledger.see(&row(1, 10, 2)), Seen::New);
        assert_eq!(ledger.see(&row(2, 20, 3)), Seen::New);
        assert_eq!(ledger.see(&row(1, 10, 4)), Seen::Repeats { earlier: row(1, 10, 2).place });
        assert_eq!(ledger.see(&row(1, 11, 5)), Seen::Replaces { earlier: row(1, 10, 2).place, earlier_index: 0 });
        assert_eq!(ledger.see(&row(1, 12, 6)), Seen::Replaces { earlier: row(1, 10, 5).place, earlier_index: 2 });
        assert_eq!(ledger.see(&row(2, 20, 7)), Seen::Repeats { earlier: row(2, 20, 3).place });
    }
}
