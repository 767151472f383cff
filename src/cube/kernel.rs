//! The two passes of a count. The first reads every block once and keeps a few words of each session; the second goes
//! from patient to patient, so that what a patient adds to a cell is complete when it is added. Both run on all cores;
//! only whole numbers are added up, so that the result is the same in any order.

use super::fields::{Field, Fields};
use super::plan::PlanError;
use super::records::{Divided, Records, Waiting, Width, part_of, parts_for};
use super::tally::{Patient, Tally};
use crate::store::{Block, Blocks, Domain, NumberedStates, StateSet};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// What the first pass leaves.
pub(super) struct Gathered {
    /// The sessions, by patient.
    pub(super) divided: Divided,
    /// The different states.
    pub(super) sets: Vec<StateSet>,
    /// The values of each dimension.
    pub(super) domains: Vec<Domain>,
}

/// What all blocks share while they are read.
struct Shared {
    divided: Divided,
    states: NumberedStates,
    domains: Vec<Domain>,
}

/// Reads every block once. `each` sees every block too.
pub(super) fn gather(
    blocks: &dyn Blocks,
    fields: &Fields,
    (memory, each): (usize, &(dyn Fn(&Block) + Sync)),
) -> Result<Gathered, PlanError> {
    let parts = parts_for(blocks.rows());
    let width = Width { words: fields.words, measures: fields.measures() };
    let shared = Mutex::new(Shared {
        divided: Divided::new(parts, width, memory),
        states: NumberedStates::default(),
        domains: fields.domains(),
    });
    (0..blocks.parts()).into_par_iter().try_for_each(|part| {
        let mut failed = Ok(());
        let mut own: Vec<Records> = vec![Records::default(); parts];
        blocks.read(part, &fields.want, &mut |block| {
            if failed.is_ok() {
                each(&block);
                failed = take(&block, fields, (&shared, &mut own));
            }
        })?;
        failed
    })?;
    let Shared { divided, states, domains } = shared.into_inner().unwrap_or_else(PoisonError::into_inner);
    Ok(Gathered { divided, sets: states.into_sets(), domains })
}

fn take(block: &Block, fields: &Fields, (shared, own): (&Mutex<Shared>, &mut [Records])) -> Result<(), PlanError> {
    let locked = || shared.lock().unwrap_or_else(PoisonError::into_inner);
    let (states, numbers) = {
        let mut shared = locked();
        let Shared { states, domains, .. } = &mut *shared;
        let numbers: Vec<u32> = block.sets.iter().map(|set| states.number(set)).collect();
        (numbers, fields.renumber(block, domains)?)
    };
    let (words, measures) = (fields.pack(block, &numbers), fields.measured(block));
    let (parts, wide, measured) = (own.len(), fields.words, fields.measures());
    for (row, (patient, state)) in block.patients.iter().zip(&block.states).enumerate() {
        let records = &mut own[part_of(*patient, parts)];
        records.patients.push(*patient);
        records.states.push(states[*state as usize]);
        records.words.extend_from_slice(&words[row * wide..(row + 1) * wide]);
        records.measures.extend_from_slice(&measures[row * measured..(row + 1) * measured]);
    }
    Ok(locked().divided.add(own)?)
}

/// A cube as the second pass fills it.
#[derive(Debug)]
pub(super) struct Filling {
    /// Conditions that must hold.
    pub(super) conditions: Vec<Field>,
    /// For each dimension its field and, by the field's value, what it adds to the number of the cell.
    pub(super) dimensions: Vec<(Field, Vec<u32>)>,
    /// Measures, by their place in the records.
    pub(super) measures: Vec<usize>,
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

/// A cube that is filled, by the number of the cell.
#[derive(Debug, Default)]
pub(super) struct Filled {
    pub(super) cells: HashMap<u32, Tally, FxBuildHasher>,
    /// Patients with sessions in several values of the first dimension, missing not counted.
    pub(super) patients_in_several: u64,
}

impl Filled {
    fn merge(&mut self, other: Filled) {
        self.patients_in_several += other.patients_in_several;
        #[expect(clippy::iter_over_hash_type, reason = "whole numbers add up to the same in any order")]
        for (cell, tally) in other.cells {
            self.cells.entry(cell).or_default().merge(tally);
        }
    }
}

/// How a patient's sessions are told apart.
#[derive(Clone, Copy)]
pub(super) struct Telling<'a> {
    /// The different states.
    pub(super) sets: &'a [StateSet],
    /// Every side effect, one bit each.
    pub(super) effects: u128,
    /// Whether grades are counted.
    pub(super) grades: bool,
}

/// Goes from patient to patient and fills every cube.
pub(super) fn fill(
    gathered: Divided,
    fillings: &[Filling],
    (width, telling): (Width, Telling<'_>),
) -> Result<Vec<Filled>, PlanError> {
    let empty = || -> Vec<Filled> { fillings.iter().map(|_| Filled::default()).collect() };
    let parts: Vec<Waiting> = gathered.into_parts().collect();
    let total = Mutex::new(empty());
    parts.into_par_iter().try_for_each(|part| -> Result<(), PlanError> {
        let records = part.records()?;
        let mut pass = Pass { records: &records, width, telling, whole: Patient::default(), some: Patient::default() };
        let mut filled = empty();
        pass.run(fillings, &mut filled);
        let mut total = total.lock().unwrap_or_else(PoisonError::into_inner);
        total.iter_mut().zip(filled).for_each(|(total, part)| total.merge(part));
        Ok(())
    })?;
    Ok(total.into_inner().unwrap_or_else(PoisonError::into_inner))
}

/// The pass over the patients of one part.
struct Pass<'a> {
    records: &'a Records,
    width: Width,
    telling: Telling<'a>,
    /// All sessions of the patient.
    whole: Patient,
    /// Those of one cell.
    some: Patient,
}

impl Pass<'_> {
    fn run(&mut self, fillings: &[Filling], filled: &mut [Filled]) {
        let mut order: Vec<(u64, u32)> = self.records.patients.iter().copied().zip(0u32..).collect();
        order.sort_unstable();
        let mut rows: Vec<u32> = Vec::new();
        let mut cells: Vec<(u32, u32)> = Vec::new();
        let telling = self.telling;
        let mut sets: Vec<&StateSet> = Vec::new();
        for patient in order.chunk_by(|a, b| a.0 == b.0) {
            rows.clear();
            rows.extend(patient.iter().map(|(_, row)| *row));
            sets.clear();
            sets.extend(rows.iter().map(|row| &telling.sets[self.records.states[*row as usize] as usize]));
            self.whole.of(&sets, telling.effects, telling.grades);
            for (filling, filled) in fillings.iter().zip(filled.iter_mut()) {
                cells.clear();
                cells.extend(rows.iter().filter_map(|row| Some((filling.cell(self.words(*row))?, *row))));
                self.add(filling, filled, (rows.len(), &mut cells));
            }
        }
    }

    /// Adds the sessions of a patient that count in a cube.
    fn add(&mut self, filling: &Filling, filled: &mut Filled, (all, cells): (usize, &mut Vec<(u32, u32)>)) {
        let Some((first, _)) = cells.first().copied() else { return };
        if cells.iter().all(|(cell, _)| *cell == first) {
            self.add_cell(filling, filled, (all, cells));
            return;
        }
        if self.levels_differ(filling, cells) {
            filled.patients_in_several += 1;
        }
        cells.sort_unstable();
        for in_cell in cells.chunk_by(|a, b| a.0 == b.0) {
            self.add_cell(filling, filled, (all, in_cell));
        }
    }

    /// Adds a patient's sessions in one cell.
    fn add_cell(&mut self, filling: &Filling, filled: &mut Filled, (all, in_cell): (usize, &[(u32, u32)])) {
        let tally = filled.cells.entry(in_cell[0].0).or_default();
        if in_cell.len() == all {
            tally.add(&self.whole);
        } else {
            let Telling { sets, effects, grades } = self.telling;
            let states = &self.records.states;
            let of_cell: Vec<&StateSet> =
                in_cell.iter().map(|(_, row)| &sets[states[*row as usize] as usize]).collect();
            self.some.of(&of_cell, effects, grades);
            tally.add(&self.some);
        }
        for (at, measure) in filling.measures.iter().enumerate() {
            let value = |row: u32| self.records.measures[row as usize * self.width.measures + measure];
            tally.add_measure(at, in_cell.iter().map(|(_, row)| value(*row)));
        }
    }

    fn levels_differ(&self, filling: &Filling, cells: &[(u32, u32)]) -> bool {
        let mut levels = cells.iter().filter_map(|(_, row)| filling.level(self.words(*row)));
        let first = levels.next();
        levels.any(|level| Some(level) != first)
    }

    fn words(&self, row: u32) -> &[u64] {
        let at = row as usize * self.width.words;
        &self.records.words[at..at + self.width.words]
    }
}
