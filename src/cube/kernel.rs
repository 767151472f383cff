//! The two passes of a count. The first reads every block once and keeps a few words of each session; the second goes
//! from patient to patient, so that what a patient adds to a cell is complete when it is added. Both run on all cores;
//! only whole numbers are added up, so that the result is the same in any order.

use super::fields::{Field, Fields};
use super::kinds::{Kind, Kinds, Telling};
use super::patterns::{self, Gathering, Patterns, Reading};
use super::plan::PlanError;
use super::records::{Divided, Records, Width, part_of, parts_for};
use super::rollup::RollUp;
use super::tally::Tally;
use crate::domain::Catalogue;
use crate::store::states::bit;
use crate::store::{Block, Blocks, Domain, StateSet};
use rayon::prelude::*;
use std::sync::{Arc, Mutex, PoisonError};

/// What the first pass leaves.
pub(super) struct Gathered {
    /// The sessions, by patient.
    pub(super) divided: Divided,
    /// The values of each dimension.
    pub(super) domains: Vec<Domain>,
    /// All sessions that were read, counted or not.
    pub(super) sessions: u64,
    /// Those of them with a side effect that nobody has coded.
    pub(super) uncoded: u64,
}

/// What sees the blocks that are counted, too.
type Watch<'w> = &'w (dyn Fn(&Block) + Sync);

/// Reads every block once. `each` sees every block too.
pub(super) fn gather(
    blocks: &dyn Blocks,
    fields: &Fields,
    (width, memory, each): (Width, usize, Watch<'_>),
) -> Result<Gathered, PlanError> {
    let parts = parts_for(blocks.rows());
    let gathered = Mutex::new(Gathered {
        divided: Divided::new(parts, width, memory),
        domains: fields.domains(),
        sessions: 0,
        uncoded: 0,
    });
    (0..blocks.parts()).into_par_iter().try_for_each(|part| {
        let mut failed = Ok(());
        let mut own: Vec<Records> = vec![Records::default(); parts];
        blocks.read(part, &fields.want, &mut |block| {
            if failed.is_ok() {
                if !block.outside {
                    each(&block);
                }
                failed = take(&block, fields, (&gathered, &mut own, width));
            }
        })?;
        failed
    })?;
    Ok(gathered.into_inner().unwrap_or_else(PoisonError::into_inner))
}

fn take(
    block: &Block,
    fields: &Fields,
    (gathered, own, width): (&Mutex<Gathered>, &mut [Records], Width),
) -> Result<(), PlanError> {
    let locked = || gathered.lock().unwrap_or_else(PoisonError::into_inner);
    let uncoded = block.states.iter().filter(|states| states.present() & bit(Catalogue::UNCODED) != 0).count();
    let numbers = {
        let mut gathered = locked();
        gathered.sessions += block.len() as u64;
        gathered.uncoded += uncoded as u64;
        fields.renumber(block, &mut gathered.domains)?
    };
    if block.outside {
        return Ok(());
    }
    let (words, measures) = (fields.pack(block, &numbers), fields.measured(block));
    let parts = own.len();
    for (row, (patient, states)) in block.patients.iter().zip(&block.states).enumerate() {
        let records = &mut own[part_of(*patient, parts)];
        records.patients.push(*patient);
        records.push_states(states, width);
        records.words.extend_from_slice(&words[row * width.words..(row + 1) * width.words]);
        records.measures.extend_from_slice(&measures[row * width.measures..(row + 1) * width.measures]);
    }
    Ok(locked().divided.add(own)?)
}

/// A cube as the second pass fills it.
#[derive(Debug)]
pub(super) struct Filling {
    /// Number of its cells.
    pub(super) cells: usize,
    /// Conditions that must hold.
    pub(super) conditions: Vec<Field>,
    /// For each dimension its field and, by the field's value, what it adds to the number of the cell.
    pub(super) dimensions: Vec<(Field, Vec<u32>)>,
    /// Measures, by their place in the records.
    pub(super) measures: Vec<usize>,
    /// The finer cube that it is rolled up from, if there is one.
    pub(super) rolled_up: Option<RollUp>,
}

impl Filling {
    /// Cell of a session; `None` = it does not count here.
    fn cell(&self, words: &[u64]) -> Option<u32> {
        if self.conditions.iter().any(|condition| condition.of(words) == 0) {
            return None;
        }
        let add = |cell, (field, steps): &(Field, Vec<u32>)| cell + steps[field.of(words)];
        Some(self.dimensions.iter().fold(0, add))
    }

    /// Value of the first dimension of a session that counts; `None` = missing, or there is no dimension.
    fn level(&self, words: &[u64]) -> Option<usize> {
        let (field, _) = self.dimensions.first()?;
        Some(field.of(words)).filter(|value| *value > 0)
    }
}

/// Counts that each thread keeps in plain arrays, over all cubes.
const IN_ARRAYS: usize = 1 << 21;
/// Kinds of patients that are counted in an array, at most.
const MOST_FREQUENT: usize = 1 << 12;

/// What the second pass makes.
pub(super) struct Counted {
    /// The cubes as they are counted.
    pub(super) tallies: Vec<Tally>,
    /// The kinds of patients that they count.
    pub(super) kinds: Arc<[Kind]>,
    /// Patterns, as they were to be read.
    pub(super) patterns: Vec<Patterns>,
}

/// Goes from patient to patient, fills every cube and gathers every list of patterns.
pub(super) fn fill(
    divided: Divided,
    (fillings, readings): (&[Filling], Vec<Reading>),
    width: Width,
) -> Result<Counted, PlanError> {
    let workers = rayon::current_num_threads().min(divided.parts()).max(1);
    let parts = Mutex::new(divided.into_parts().enumerate());
    let next = || parts.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = |_| -> Result<Pass<'_>, PlanError> {
        let mut pass = Pass::new(fillings, &readings, width);
        while let Some((number, part)) = next() {
            pass.run(number, &part.records()?);
        }
        Ok(pass)
    };
    let mut passes = (0..workers).into_par_iter().map(work).collect::<Result<Vec<_>, _>>()?;
    let mut gathered: Vec<Vec<Gathering>> = readings.iter().map(|_| Vec::new()).collect();
    for pass in &mut passes {
        gathered.iter_mut().zip(pass.gatherings.drain(..)).for_each(|(all, own)| all.push(own));
    }
    let mut passes = passes.into_iter();
    let mut all = passes.next().unwrap_or_else(|| Pass::new(fillings, &readings, width));
    passes.for_each(|pass| all.merge(&pass));
    let (tallies, kinds) = all.finish();
    let patterns = readings.into_iter().zip(gathered).map(|(reading, all)| patterns::settle(reading, all)).collect();
    Ok(Counted { tallies, kinds: kinds.into_list().into(), patterns })
}

/// A patient's or a cell's number, and a row that belongs to it.
type Placed<T = u64> = (T, u32);

/// The pass over the patients, as one thread makes it.
struct Pass<'a> {
    fillings: &'a [Filling],
    readings: &'a [Reading],
    /// For each of the readings what it has met.
    gatherings: Vec<Gathering>,
    tallies: Vec<Tally>,
    /// Of a cube that others are rolled up from, the patients in several of its cells: the others count these on
    /// their own.
    apart: Vec<Option<Tally>>,
    /// For each cube whether the patient is in several of its cells.
    several: Vec<bool>,
    width: Width,
    telling: Telling,
    /// Kinds of the patient over all its sessions.
    whole: Vec<u32>,
    /// Kinds of the patient in one cell, and the states of its sessions there.
    some: (Vec<u32>, Vec<StateSet>),
}

impl<'a> Pass<'a> {
    fn new(fillings: &'a [Filling], readings: &'a [Reading], width: Width) -> Pass<'a> {
        let cells: usize = fillings.iter().map(|filling| filling.cells).sum();
        let frequent = (IN_ARRAYS / cells.max(1)).min(MOST_FREQUENT);
        let tallies = fillings.iter().map(|filling| Tally::new(filling.cells, frequent)).collect();
        let is_base =
            |at: usize| fillings.iter().any(|filling| filling.rolled_up.as_ref().is_some_and(|from| from.base == at));
        Pass {
            fillings,
            readings,
            gatherings: readings.iter().map(|_| Gathering::default()).collect(),
            tallies,
            apart: (0..fillings.len()).map(|at| is_base(at).then(Tally::default)).collect(),
            several: vec![false; fillings.len()],
            width,
            telling: Telling::default(),
            whole: Vec::new(),
            some: (Vec::new(), Vec::new()),
        }
    }

    fn merge(&mut self, other: &Pass<'_>) {
        let kinds = self.telling.kinds.merge(&other.telling.kinds);
        self.tallies.iter_mut().zip(&other.tallies).for_each(|(tally, other)| tally.merge(other, &kinds));
        let apart = self.apart.iter_mut().flatten().zip(other.apart.iter().flatten());
        apart.for_each(|(tally, other)| tally.merge(other, &kinds));
    }

    /// The cubes, all patients counted in each.
    fn finish(mut self) -> (Vec<Tally>, Kinds) {
        for (at, filling) in self.fillings.iter().enumerate() {
            if let Some(RollUp { base, cells }) = &filling.rolled_up {
                let mut own = std::mem::take(&mut self.tallies[at]);
                own.roll_up(&self.tallies[*base], cells);
                self.tallies[at] = own;
            }
        }
        for (tally, apart) in self.tallies.iter_mut().zip(&self.apart) {
            apart.iter().for_each(|apart| tally.add_apart(apart));
        }
        (self.tallies, self.telling.kinds)
    }

    /// Counts the patients of a part.
    fn run(&mut self, part: usize, records: &Records) {
        self.gatherings.iter_mut().for_each(|gathering| gathering.begin(part, records.len()));
        let order = records.by_patient();
        let mut states: Vec<StateSet> = Vec::new();
        let mut cells: Vec<(u32, u32)> = Vec::new();
        for patient in order.chunk_by(|a, b| a.0 == b.0) {
            states.clear();
            states.extend(patient.iter().map(|(_, row)| records.states(*row, self.width)));
            self.telling.of(&states, &mut self.whole);
            for (gathering, reading) in self.gatherings.iter_mut().zip(self.readings) {
                gathering.take(reading, records, (patient, self.width));
            }
            // Finer cubes first: those that are rolled up from them ask where the patient is.
            for rolled_up in [false, true] {
                for at in (0..self.fillings.len()).filter(|at| self.fillings[*at].rolled_up.is_some() == rolled_up) {
                    self.count(at, records, (patient, &mut cells));
                }
            }
        }
    }

    /// Counts the sessions of a patient in a cube; `cells` is room for their cells.
    fn count(&mut self, at: usize, records: &Records, (patient, cells): (&[Placed], &mut Vec<Placed<u32>>)) {
        let filling = &self.fillings[at];
        // Who is in one cell of the finer cube is in one cell here, and comes with it.
        if filling.rolled_up.as_ref().is_some_and(|from| !self.several[from.base]) {
            return;
        }
        cells.clear();
        let cell = |row: u32| filling.cell(records.words(row, self.width));
        cells.extend(patient.iter().filter_map(|(_, row)| Some((cell(*row)?, *row))));
        let first = cells.first().map(|(cell, _)| *cell);
        self.several[at] = cells.iter().any(|(cell, _)| Some(*cell) != first);
        if cells.is_empty() {
            return;
        }
        if !self.several[at] {
            self.add_cell(at, records, (patient.len(), cells));
            return;
        }
        if self.levels_differ(at, records, cells) {
            self.tallies[at].patients_in_several += 1;
        }
        cells.sort_unstable();
        for in_cell in cells.chunk_by(|a, b| a.0 == b.0) {
            self.add_cell(at, records, (patient.len(), in_cell));
        }
    }

    /// Adds a patient's sessions in one cell.
    fn add_cell(&mut self, at: usize, records: &Records, (all, in_cell): (usize, &[(u32, u32)])) {
        let apart = if self.several[at] { self.apart[at].as_mut() } else { None };
        let (cell, tally) = (in_cell[0].0, apart.unwrap_or(&mut self.tallies[at]));
        if in_cell.len() == all {
            tally.add(cell, &self.whole);
        } else {
            let (kinds, states) = &mut self.some;
            states.clear();
            states.extend(in_cell.iter().map(|(_, row)| records.states(*row, self.width)));
            self.telling.of(states, kinds);
            tally.add(cell, kinds);
        }
        for (at, measure) in self.fillings[at].measures.iter().enumerate() {
            let value = |row: u32| records.measures[row as usize * self.width.measures + measure];
            tally.add_measure((cell, at), in_cell.iter().map(|(_, row)| value(*row)));
        }
    }

    fn levels_differ(&self, at: usize, records: &Records, cells: &[(u32, u32)]) -> bool {
        let level = |row: u32| self.fillings[at].level(records.words(row, self.width));
        let mut levels = cells.iter().filter_map(|(_, row)| level(*row));
        let first = levels.next();
        levels.any(|level| Some(level) != first)
    }
}
