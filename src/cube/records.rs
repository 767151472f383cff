//! What is kept of each session between the pass over the data and the pass over the patients: its patient, its
//! states, and the packed codes of everything it is divided by. Divided by patient into parts that fit the memory;
//! what does not fit waits in temporary files.

use super::fields::Fields;
use crate::store::StateSet;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read, Seek, SeekFrom, Write};

/// Sessions of some patients, column by column.
#[derive(Debug, Default, Clone, PartialEq)]
pub(super) struct Records {
    /// Patient of each session.
    pub(super) patients: Vec<u64>,
    /// Its states: of each plane as many lanes of 32 side effects as there are.
    pub(super) states: Vec<u32>,
    /// Its packed codes, a fixed number of words a session.
    pub(super) words: Vec<u64>,
    /// Its measures, a fixed number a session.
    pub(super) measures: Vec<i64>,
}

impl Records {
    pub(super) fn len(&self) -> usize {
        self.patients.len()
    }

    /// The packed codes of a session.
    pub(super) fn words(&self, row: u32, width: Width) -> &[u64] {
        let at = row as usize * width.words;
        &self.words[at..at + width.words]
    }

    /// The sessions, those of a patient together: patient and row. Patients come in an order of their own that follows
    /// from their numbers alone. They are spread over buckets of a few first: that is quicker than sorting all.
    pub(super) fn by_patient(&self) -> Vec<(u64, u32)> {
        let buckets = (self.len() / BUCKET_ROWS).next_power_of_two();
        let bucket = |patient: u64| bucket_of(patient, buckets);
        let mut ends = vec![0usize; buckets + 1];
        self.patients.iter().for_each(|patient| ends[bucket(*patient) + 1] += 1);
        (1..=buckets).for_each(|at| ends[at] += ends[at - 1]);
        let mut order = vec![(0, 0); self.len()];
        let mut next = ends.clone();
        for (row, patient) in (0u32..).zip(&self.patients) {
            let place = &mut next[bucket(*patient)];
            order[*place] = (*patient, row);
            *place += 1;
        }
        ends.windows(2).for_each(|ends| order[ends[0]..ends[1]].sort_unstable());
        order
    }

    /// Adds the states of a session.
    pub(super) fn push_states(&mut self, states: &StateSet, width: Width) {
        #[expect(clippy::cast_possible_truncation, reason = "a lane is the lower half of what is left")]
        for plane in &states.planes()[..width.planes] {
            self.states.push(*plane as u32);
            (1..width.lanes).for_each(|at| self.states.push((plane >> (LANE * at)) as u32));
        }
    }

    /// The states of a session.
    pub(super) fn states(&self, row: u32, width: Width) -> StateSet {
        let at = row as usize * width.states();
        let lanes = &self.states[at..at + width.states()];
        let mut planes = [0; StateSet::PLANES];
        if width.lanes == 1 {
            planes.iter_mut().zip(lanes).for_each(|(plane, lane)| *plane = u128::from(*lane));
        } else {
            for (plane, lanes) in planes.iter_mut().zip(lanes.chunks_exact(width.lanes)) {
                *plane = lanes.iter().rev().fold(0, |plane, lane| plane << LANE | u128::from(*lane));
            }
        }
        StateSet::of_planes(planes)
    }

    fn bytes(&self) -> usize {
        8 * (self.patients.len() + self.words.len() + self.measures.len()) + 4 * self.states.len()
    }

    /// Empties it; its memory stays for what comes next, as giving it back in small pieces would scatter it.
    fn clear(&mut self) {
        self.patients.clear();
        self.states.clear();
        self.words.clear();
        self.measures.clear();
    }

    fn append(&mut self, other: &mut Records) {
        append(&mut self.patients, &mut other.patients);
        append(&mut self.states, &mut other.states);
        append(&mut self.words, &mut other.words);
        append(&mut self.measures, &mut other.measures);
    }

    fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&(self.len() as u64).to_le_bytes())?;
        for value in &self.patients {
            to.write_all(&value.to_le_bytes())?;
        }
        for value in &self.states {
            to.write_all(&value.to_le_bytes())?;
        }
        for value in &self.words {
            to.write_all(&value.to_le_bytes())?;
        }
        for value in &self.measures {
            to.write_all(&value.to_le_bytes())?;
        }
        Ok(())
    }

    /// Adds what [`Records::write`] wrote; false at the end of the file.
    fn read(&mut self, from: &mut impl Read, width: Width) -> io::Result<bool> {
        let mut length = [0; 8];
        match from.read_exact(&mut length) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(false),
            other => other?,
        }
        let rows = usize::try_from(u64::from_le_bytes(length)).map_err(io::Error::other)?;
        let mut bytes = Vec::new();
        let mut take = |length: usize| -> io::Result<Vec<u8>> {
            bytes.resize(length, 0);
            from.read_exact(&mut bytes)?;
            Ok(std::mem::take(&mut bytes))
        };
        let eight = |chunk: &[u8]| std::array::from_fn(|at| chunk[at]);
        self.patients.extend(take(8 * rows)?.chunks_exact(8).map(|chunk| u64::from_le_bytes(eight(chunk))));
        let four = |chunk: &[u8]| std::array::from_fn(|at| chunk[at]);
        self.states
            .extend(take(4 * rows * width.states())?.chunks_exact(4).map(|chunk| u32::from_le_bytes(four(chunk))));
        self.words.extend(take(8 * rows * width.words)?.chunks_exact(8).map(|chunk| u64::from_le_bytes(eight(chunk))));
        self.measures
            .extend(take(8 * rows * width.measures)?.chunks_exact(8).map(|chunk| i64::from_le_bytes(eight(chunk))));
        Ok(true)
    }
}

/// Appends with a quarter of room to spare: a vector that doubles would take up to twice the memory that is allowed.
fn append<T>(to: &mut Vec<T>, from: &mut Vec<T>) {
    if to.capacity() - to.len() < from.len() {
        to.reserve_exact(from.len().max(to.len() / 4));
    }
    to.append(from);
}

/// How wide the records of a count are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Width {
    /// Packed words of a session.
    pub(super) words: usize,
    /// Measures of a session.
    pub(super) measures: usize,
    /// Planes of its states: the last only where grades are wanted.
    pub(super) planes: usize,
    /// Lanes of a plane, of 32 side effects each.
    pub(super) lanes: usize,
}

/// Side effects of a lane.
const LANE: usize = 32;

impl Width {
    /// Of a count over so many side effects.
    pub(super) fn of(fields: &Fields, effects: usize) -> Width {
        let planes = if fields.want.grades { StateSet::PLANES } else { StateSet::PLANES - 1 };
        let lanes = effects.div_ceil(LANE).max(1);
        Width { words: fields.words, measures: fields.measures(), planes, lanes }
    }

    fn states(self) -> usize {
        self.planes * self.lanes
    }

    /// Bytes of a session.
    pub(super) fn bytes(self) -> usize {
        8 * (1 + self.words + self.measures) + 4 * self.states()
    }
}

/// One part: in memory, and what came before on disk.
#[derive(Debug, Default)]
struct Part {
    records: Records,
    spilled: Option<BufWriter<File>>,
}

/// All sessions, divided by patient.
#[derive(Debug)]
pub(super) struct Divided {
    parts: Vec<Part>,
    width: Width,
    in_memory: usize,
    memory: usize,
    spilled_bytes: u64,
}

/// Sessions below which one part is enough.
const SMALL: u64 = 20_000;
/// Sessions of a part, about: what a processor's second cache holds.
const PART_ROWS: u64 = 200_000;
/// Most parts; each may have a file.
const MOST_PARTS: u64 = 512;

/// Number of parts for so many sessions: a power of two.
pub(super) fn parts_for(rows: u64) -> usize {
    let parts = if rows < SMALL { 1 } else { (rows / PART_ROWS).clamp(8, MOST_PARTS).next_power_of_two() };
    usize::try_from(parts).unwrap_or(1)
}

/// Sessions of a bucket, about.
const BUCKET_ROWS: usize = 16;

/// Part of a patient.
pub(super) fn part_of(patient: u64, parts: usize) -> usize {
    mixed(patient) & (parts - 1)
}

/// Bucket of a patient within its part.
fn bucket_of(patient: u64, buckets: usize) -> usize {
    mixed(patient) >> MOST_PARTS.trailing_zeros() & (buckets - 1)
}

/// Patients are dense numbers or hashes: the multiplication brings what differs to the top.
fn mixed(patient: u64) -> usize {
    usize::try_from(patient.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 32).unwrap_or(usize::MAX)
}

impl Divided {
    pub(super) fn new(parts: usize, width: Width, memory: usize) -> Divided {
        let parts = (0..parts).map(|_| Part::default()).collect();
        Divided { parts, width, in_memory: 0, memory, spilled_bytes: 0 }
    }

    /// Takes in sessions that were divided into as many parts; leaves them empty.
    pub(super) fn add(&mut self, divided: &mut [Records]) -> io::Result<()> {
        for (part, records) in self.parts.iter_mut().zip(divided) {
            self.in_memory += records.bytes();
            part.records.append(records);
        }
        if self.in_memory > self.memory { self.spill() } else { Ok(()) }
    }

    fn spill(&mut self) -> io::Result<()> {
        for part in &mut self.parts {
            let file = match &mut part.spilled {
                Some(file) => file,
                none => none.insert(BufWriter::new(tempfile::tempfile()?)),
            };
            part.records.write(file)?;
            self.spilled_bytes += part.records.bytes() as u64;
            part.records.clear();
        }
        self.in_memory = 0;
        Ok(())
    }

    /// Number of parts.
    pub(super) fn parts(&self) -> usize {
        self.parts.len()
    }

    /// Bytes that went to temporary files.
    pub(super) fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }

    /// The parts; each is read back when its turn comes.
    pub(super) fn into_parts(self) -> impl Iterator<Item = Waiting> + Send {
        let width = self.width;
        self.parts.into_iter().map(move |part| Waiting { part, width })
    }
}

/// A part that may be on disk.
#[derive(Debug)]
pub(super) struct Waiting {
    part: Part,
    width: Width,
}

impl Waiting {
    /// All its sessions.
    pub(super) fn records(self) -> io::Result<Records> {
        let Some(spilled) = self.part.spilled else { return Ok(self.part.records) };
        let mut file = spilled.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        let mut file = BufReader::with_capacity(1 << 16, file);
        let mut records = self.part.records;
        while records.read(&mut file, self.width)? {}
        Ok(records)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn some(from: u64) -> Records {
        let rows = from..from + 3;
        Records {
            patients: rows.clone().collect(),
            states: vec![1, 2, 3, 4, 5, u32::MAX],
            words: rows.flat_map(|row| [row, row << 40]).collect(),
            measures: vec![i64::MIN, 0, i64::MAX],
        }
    }

    #[test]
    fn what_went_to_disk_comes_back() {
        let width = Width { words: 2, measures: 1, planes: 2, lanes: 1 };
        let mut divided = Divided::new(1, width, 100);
        let mut expected = Records::default();
        for from in [0, 10, 20] {
            expected.append(&mut some(from));
            divided.add(&mut [some(from)]).unwrap();
        }
        assert!(divided.spilled_bytes() > 0);
        let back = divided.into_parts().next().unwrap().records().unwrap();
        let sorted = |mut patients: Vec<u64>| {
            patients.sort_unstable();
            patients
        };
        assert_eq!(sorted(back.patients.clone()), sorted(expected.patients));
        let at = back.patients.iter().position(|patient| *patient == 11).unwrap();
        assert_eq!(
            (&back.states[2 * at..2 * at + 2], &back.words[2 * at..2 * at + 2]),
            (&[3, 4][..], &[11, 11 << 40][..])
        );
    }

    #[test]
    fn states_come_back_from_their_lanes() {
        let (first, last) = (crate::domain::EffectId(0), crate::domain::EffectId(69));
        let mut graded = StateSet::new(1 | 1 << 69, 2 | 1 << 40);
        let plain = graded;
        graded.set_grade(last, 4);
        for (planes, lanes, states) in [(3, 3, graded), (2, 3, plain), (2, 1, StateSet::new(1, 1 << 31))] {
            let width = Width { words: 0, measures: 0, planes, lanes };
            let mut records = Records::default();
            [StateSet::default(), states, plain].iter().for_each(|states| records.push_states(states, width));
            assert_eq!(records.states(1, width), states);
            assert_eq!(records.states(0, width).assessed(), 0);
            assert_eq!(records.states(1, width).grade(first), 0);
        }
    }

    #[test]
    fn the_sessions_of_a_patient_stand_together_in_the_order_in_which_they_came() {
        for rows in [0u64, 1, 2, 15, 1000] {
            let patients: Vec<u64> = (0..rows).map(|row| (row * 7919) % (1 + rows / 3)).collect();
            let records = Records { patients: patients.clone(), ..Records::default() };
            let order = records.by_patient();
            let mut expected: Vec<(u64, u32)> = patients.into_iter().zip(0u32..).collect();
            let mut found: Vec<(u64, u32)> = Vec::new();
            let runs: Vec<&[(u64, u32)]> = order.chunk_by(|a, b| a.0 == b.0).collect();
            let different: std::collections::BTreeSet<u64> = runs.iter().map(|run| run[0].0).collect();
            assert_eq!(runs.len(), different.len());
            assert!(runs.iter().all(|run| run.is_sorted()));
            runs.iter().for_each(|run| found.extend_from_slice(run));
            found.sort_unstable();
            expected.sort_unstable();
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_patient_is_always_in_the_same_part() {
        assert_eq!(parts_for(10), 1);
        assert_eq!(parts_for(100_000_000), 512);
        for patient in 0..1000u64 {
            assert!(part_of(patient, 8) < 8);
        }
    }
}
