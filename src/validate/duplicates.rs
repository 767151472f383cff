//! The same row twice, and a later row in place of an earlier one.

mod values;

pub(super) use values::{EffectCodes, Values};

use super::outcome::Sourced;
use crate::domain::{Assessment, Event, FileId, Place, Session};
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasherDefault, Hasher};
use xxhash_rust::xxh3::{xxh3_64, xxh3_128};

/// What makes a row the same as another: its key (128 bits), and all its values (64 bits). XXH3 of the values as
/// [`Values`] writes them: the same in every file format, on every machine and in every release, so that it may be kept.
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
    standing: HashMap<[u64; 2], Standing, BuildHasherDefault<Ready>>,
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
        let mut values = Values::default();
        values.text(session_id);
        let key = Fingerprint::of_key(&values.bytes, 0).key;
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

impl Fingerprint {
    fn of_key(key: &[u8], content: u64) -> Fingerprint {
        let key = xxh3_128(key);
        #[expect(clippy::cast_possible_truncation, reason = "the two halves of the key")]
        let halves = [(key >> 64) as u64, key as u64];
        Fingerprint { key: halves, content }
    }

    pub(super) fn of_session(session: &Session, codes: &impl EffectCodes, values: &mut Values) -> Fingerprint {
        values.clear();
        values.text(&session.session_id);
        let key = values.bytes.len();
        values.session(session, codes);
        let (key, content) = values.bytes.split_at(key);
        Fingerprint::of_key(key, xxh3_64(content))
    }

    pub(super) fn of_event(event: &Event, codes: &impl EffectCodes, values: &mut Values) -> Fingerprint {
        values.clear();
        values.event(event, codes);
        Fingerprint::of_key(&values.bytes, 0)
    }

    pub(super) fn of_assessment(assessment: &Assessment, values: &mut Values) -> Fingerprint {
        values.clear();
        values.assessment(assessment);
        Fingerprint::of_key(&values.bytes, 0)
    }
}

/// Keys are hashes already.
#[derive(Debug, Clone, Copy, Default)]
struct Ready(u64);

impl Hasher for Ready {
    #[inline]
    fn write(&mut self, bytes: &[u8]) {
        for half in bytes.as_chunks::<8>().0 {
            self.0 ^= u64::from_ne_bytes(*half);
        }
    }

    #[inline]
    fn finish(&self) -> u64 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pinned: a fingerprint that is kept must mean the same in every release and on every machine. XXH3-128 of
    /// `02 00 00 00 53 31`, as the reference program computes it.
    #[test]
    fn fingerprints_stay_as_they_are() {
        let mut values = Values::default();
        values.text("S1");
        assert_eq!(values.bytes, [2, 0, 0, 0, b'S', b'1']);
        assert_eq!(Fingerprint::of_key(&values.bytes, 0).key, [0x4DAB_28C9_DD3D_EE99, 0x6D47_0A35_7E6B_A808]);
    }

    /// The number of a code is part of what fingerprints are made of.
    #[test]
    fn codes_are_added_at_the_end_only() {
        use crate::domain::codes;
        let lists = [
            codes::Setting::CODES,
            codes::Modality::CODES,
            codes::BodyArea::CODES,
            codes::Side::CODES,
            codes::Indication::CODES,
            codes::Sex::CODES,
            codes::Credential::CODES,
            codes::SkinThickness::CODES,
            codes::YesNo::CODES,
            codes::Condition::CODES,
            codes::NumbingAgent::CODES,
            codes::Topical::CODES,
        ];
        let begin = [
            "professional,home",
            "roller,pen,stamp,rf,other",
            "face,forehead,periorbital,cheeks,perioral,neck,chest,hands,arms,abdomen,thighs,back,scalp,other",
            "left,right,both",
            "acne_scars,scars,wrinkles,fine_lines,pores,texture,pigmentation,stretch_marks,alopecia,acne,rosacea,laxity,\
             rejuvenation,other",
            "female,male,other",
            "dermatologist,physician,nurse,aesthetician,self,other",
            "thin,normal,thick",
            "no,yes",
            "active_acne,eczema,rosacea,inflammatory_skin_disease,skin_infection,keloid_history,\
             hypertrophic_scar_history,bleeding_disorder,pregnant,nursing,recent_isotretinoin",
            "none,lidocaine,other",
            "tretinoin,vitamin_c,hyaluronic_acid,prp,tranexamic_acid,other",
        ];
        for (codes, begin) in lists.iter().zip(begin) {
            assert!(codes.join(",").starts_with(begin), "{begin}");
        }
    }

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
