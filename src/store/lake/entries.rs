//! What is known of every incoming session, to find repeated and replaced rows: in memory, and in a temporary file once
//! it fills what it may take. It is given back by ranges of keys, each few enough to be settled in memory.

use super::error::StoreError;
use super::incoming::spill_error;
use super::keys::SessionKey;
use super::rows::Identity;
use crate::domain::Day;
use rayon::prelude::*;
use std::fs::File;
use std::io::{BufWriter, Read, Seek, SeekFrom, Write};
use std::ops::Range;

/// What is known of an incoming session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// Number of the row within the batch, in the order of files and lines.
    pub(super) number: u32,
    pub(super) day: Day,
    pub(super) body_area: u8,
    /// Last follow-up as the days of a [`Day`], or [`NO_FOLLOW_UP`]: this is kept for millions of rows.
    pub(super) follow_up: i32,
}

/// Stands for no follow-up day.
pub(super) const NO_FOLLOW_UP: i32 = i32::MIN;
/// Bytes of an entry in the file.
const BYTES: usize = 45;
/// Ranges of keys that the file is read by: those with the same first byte. Keys are hashes, so all have as many.
const RANGES: usize = 256;

impl Entry {
    /// Last follow-up, for sessions that say one.
    pub(super) fn follow_up(&self) -> Option<Day> {
        (self.follow_up != NO_FOLLOW_UP).then_some(Day(self.follow_up))
    }

    fn order(&self) -> (SessionKey, u32) {
        (self.identity.key, self.number)
    }

    fn write(&self, to: &mut impl Write) -> std::io::Result<()> {
        let Identity { key, row_hash, patient } = self.identity;
        to.write_all(&key.0.to_le_bytes())?;
        to.write_all(&row_hash.to_le_bytes())?;
        to.write_all(&patient.to_le_bytes())?;
        to.write_all(&self.number.to_le_bytes())?;
        to.write_all(&self.day.0.to_le_bytes())?;
        to.write_all(&self.follow_up.to_le_bytes())?;
        to.write_all(&[self.body_area])
    }

    fn read(bytes: &[u8; BYTES]) -> Entry {
        fn part<const N: usize>(bytes: &[u8; BYTES], from: usize) -> [u8; N] {
            std::array::from_fn(|at| bytes[from + at])
        }
        Entry {
            identity: Identity {
                key: SessionKey(u128::from_le_bytes(part(bytes, 0))),
                row_hash: i64::from_le_bytes(part(bytes, 16)),
                patient: u64::from_le_bytes(part(bytes, 24)),
            },
            number: u32::from_le_bytes(part(bytes, 32)),
            day: Day(i32::from_le_bytes(part(bytes, 36))),
            follow_up: i32::from_le_bytes(part(bytes, 40)),
            body_area: bytes[44],
        }
    }
}

fn range_of(key: SessionKey) -> usize {
    usize::from(key.0.to_be_bytes()[0])
}

/// The entries of a batch.
pub(super) struct Entries {
    rows: Vec<Entry>,
    /// Entries in memory, at most.
    limit: usize,
    count: usize,
    spilled: Option<Spilled>,
}

/// Entries in a temporary file: runs, each in order.
struct Spilled {
    file: File,
    /// Of each run, where the entries of each range begin, and where the last ends.
    runs: Vec<Vec<u64>>,
}

impl Entries {
    /// None yet; they may take about `memory` bytes before they go to a temporary file.
    pub(super) fn new(memory: usize) -> Entries {
        let limit = (memory / size_of::<Entry>()).max(1);
        Entries { rows: Vec::new(), limit, count: 0, spilled: None }
    }

    pub(super) fn len(&self) -> usize {
        self.count
    }

    /// Whether some of them are in a temporary file.
    pub(super) fn are_spilled(&self) -> bool {
        self.spilled.is_some()
    }

    pub(super) fn push(&mut self, entry: Entry) -> Result<(), StoreError> {
        if self.rows.len() >= self.limit {
            self.spill().map_err(spill_error)?;
        }
        self.rows.push(entry);
        self.count += 1;
        Ok(())
    }

    /// Moves what is in memory to the file, as one more run.
    fn spill(&mut self) -> std::io::Result<()> {
        self.rows.par_sort_unstable_by_key(Entry::order);
        let spilled = match &mut self.spilled {
            Some(spilled) => spilled,
            none => none.insert(Spilled { file: tempfile::tempfile()?, runs: Vec::new() }),
        };
        let begin = spilled.runs.last().and_then(|bounds| bounds.last()).copied().unwrap_or(0);
        let before = |range: usize| self.rows.partition_point(|entry| range_of(entry.identity.key) < range) as u64;
        spilled.runs.push((0..=RANGES).map(|range| begin + before(range)).collect());
        let mut writer = BufWriter::with_capacity(1 << 16, &spilled.file);
        self.rows.drain(..).try_for_each(|entry| entry.write(&mut writer))?;
        writer.flush()
    }

    /// All of them, in rounds.
    pub(super) fn rounds(mut self) -> Result<Rounds, StoreError> {
        if self.spilled.is_some() {
            self.spill().map_err(spill_error)?;
            self.rows = Vec::new();
        } else {
            self.rows.par_sort_unstable_by_key(Entry::order);
        }
        Ok(Rounds { entries: self, next: 0 })
    }
}

/// Entries a few ranges of keys at a time: no more than may be in memory, but for a single range.
pub(super) struct Rounds {
    entries: Entries,
    next: usize,
}

/// The entries of some ranges of keys, in the order of key and number.
pub(super) struct Round {
    pub(super) entries: Vec<Entry>,
    ranges: Range<usize>,
}

impl Round {
    /// Whether a session's entries, if there are any, are among these.
    pub(super) fn covers(&self, key: SessionKey) -> bool {
        self.ranges.contains(&range_of(key))
    }
}

impl Iterator for Rounds {
    type Item = Result<Round, StoreError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.next == RANGES {
            return None;
        }
        let from = self.next;
        let Some(spilled) = &mut self.entries.spilled else {
            self.next = RANGES;
            return Some(Ok(Round { entries: std::mem::take(&mut self.entries.rows), ranges: 0..RANGES }));
        };
        let fits = |to: &usize| spilled.count(from..*to) <= self.entries.limit as u64;
        self.next = (from + 2..=RANGES).take_while(fits).last().unwrap_or(from + 1);
        let ranges = from..self.next;
        Some(spilled.read(&ranges).map(|entries| Round { entries, ranges }).map_err(spill_error))
    }
}

impl Spilled {
    fn count(&self, ranges: Range<usize>) -> u64 {
        self.runs.iter().map(|bounds| bounds[ranges.end] - bounds[ranges.start]).sum()
    }

    fn read(&mut self, ranges: &Range<usize>) -> std::io::Result<Vec<Entry>> {
        let mut entries = Vec::with_capacity(usize::try_from(self.count(ranges.clone())).unwrap_or(0));
        let mut bytes = Vec::new();
        for bounds in &self.runs {
            let (from, to) = (bounds[ranges.start], bounds[ranges.end]);
            self.file.seek(SeekFrom::Start(from * BYTES as u64))?;
            bytes.clear();
            (&self.file).take((to - from) * BYTES as u64).read_to_end(&mut bytes)?;
            entries.extend(bytes.as_chunks().0.iter().map(Entry::read));
        }
        if entries.len() as u64 != self.count(ranges.clone()) {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        entries.par_sort_unstable_by_key(Entry::order);
        Ok(entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn entry(key: u64, number: u32) -> Entry {
        let key = xxhash_rust::xxh3::xxh3_128(&key.to_le_bytes());
        let identity = Identity { key: SessionKey(key), row_hash: -7 - i64::from(number), patient: u64::MAX };
        let follow_up = if number.is_multiple_of(2) { NO_FOLLOW_UP } else { 20_000 };
        Entry { identity, number, day: Day(-3), body_area: 9, follow_up }
    }

    proptest! {
        #[test]
        fn rounds_give_every_entry_once_in_order_however_little_stays_in_memory(
            keys in prop::collection::vec(0u64..400, 0..900),
            limit in 1usize..1000,
        ) {
            let pushed: Vec<Entry> = keys.iter().zip(0..).map(|(key, number)| entry(*key, number)).collect();
            let mut entries = Entries::new(limit * size_of::<Entry>());
            for entry in &pushed {
                entries.push(*entry).unwrap();
            }
            prop_assert_eq!(entries.len(), pushed.len());
            let mut found = Vec::new();
            let mut ranges = 0;
            for round in entries.rounds().unwrap() {
                let round = round.unwrap();
                prop_assert!(round.entries.iter().all(|entry| round.covers(entry.identity.key)));
                prop_assert_eq!(round.ranges.start, ranges);
                prop_assert!(round.entries.len() <= limit || round.ranges.len() == 1);
                ranges = round.ranges.end;
                found.extend(round.entries);
            }
            prop_assert_eq!(ranges, RANGES);
            let mut expected = pushed;
            expected.sort_by_key(Entry::order);
            prop_assert_eq!(found, expected);
        }
    }
}
