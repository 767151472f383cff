//! The pass over the sessions: patient by patient, every cube at once.
//!
//! Sessions are visited in the order of their patients, so that what a patient adds to a cell is complete when it is
//! added and only sums are kept. Patients are divided into a fixed number of parts, counted in parallel and merged in
//! order: the result does not depend on the number of threads.

use super::cell::{Cell, MeasureSums};
use super::plan::{Filled, Prepared};
use crate::store::{SessionTable, Settled};
use rayon::prelude::*;

/// Parts that the patients are divided into.
const PARTS: usize = 16;
/// Below this many sessions one part is enough.
const SMALL: usize = 20_000;

/// Fills every cube.
pub(super) fn fill(cubes: &[Prepared], table: &SessionTable, settled: &Settled, effects: usize) -> Vec<Filled> {
    let order = by_patient(table.patients());
    let parts = divide(&order, table.patients());
    let counted: Vec<Vec<Filled>> = parts
        .into_par_iter()
        .map(|rows| {
            let scan = Scan { settled, patients: table.patients(), effects };
            cubes.iter().map(|cube| scan.part(cube, rows)).collect()
        })
        .collect();
    let mut counted = counted.into_iter();
    let Some(mut total) = counted.next() else { return Vec::new() };
    for part in counted {
        for (total, part) in total.iter_mut().zip(part) {
            merge(total, &part);
        }
    }
    total
}

/// Rows in the order of their patients (within a patient in row order), by counting.
fn by_patient(patients: &[u32]) -> Vec<u32> {
    let count = patients.iter().max().map_or(0, |last| *last as usize + 1);
    let mut next = vec![0usize; count + 1];
    for patient in patients {
        next[*patient as usize + 1] += 1;
    }
    for at in 1..next.len() {
        next[at] += next[at - 1];
    }
    let mut order = vec![0u32; patients.len()];
    for (row, patient) in (0u32..).zip(patients) {
        let place = &mut next[*patient as usize];
        order[*place] = row;
        *place += 1;
    }
    order
}

/// Parts of the ordered rows; no patient is in two of them.
fn divide<'a>(order: &'a [u32], patients: &[u32]) -> Vec<&'a [u32]> {
    let parts = if order.len() < SMALL { 1 } else { PARTS };
    let mut divided = Vec::with_capacity(parts);
    let mut from = 0;
    for part in 1..=parts {
        let mut to = (order.len() * part / parts).max(from);
        while to > from && to < order.len() && patients[order[to] as usize] == patients[order[to - 1] as usize] {
            to += 1;
        }
        divided.push(&order[from..to]);
        from = to;
    }
    divided
}

struct Scan<'a> {
    settled: &'a Settled,
    patients: &'a [u32],
    effects: usize,
}

impl Scan<'_> {
    fn part(&self, cube: &Prepared, rows: &[u32]) -> Filled {
        let mut filled = Filled {
            sessions: vec![0; cube.cells()],
            cells: vec![Cell::default(); cube.cells() * self.effects],
            measures: vec![MeasureSums::default(); cube.cells() * cube.measures.len()],
        };
        let mut of_patient: Vec<(u32, u32)> = Vec::new();
        for patient in rows.chunk_by(|a, b| self.patients[*a as usize] == self.patients[*b as usize]) {
            of_patient.clear();
            of_patient.extend(patient.iter().filter_map(|row| Some((cube.cell_of[*row as usize]?, *row))));
            of_patient.sort_unstable();
            for in_cell in of_patient.chunk_by(|a, b| a.0 == b.0) {
                self.add(cube, &mut filled, in_cell);
            }
        }
        filled
    }

    /// Adds one patient's sessions in one cell.
    fn add(&self, cube: &Prepared, filled: &mut Filled, in_cell: &[(u32, u32)]) {
        let Some((cell, _)) = in_cell.first() else { return };
        let cell = *cell as usize;
        let sessions = u32::try_from(in_cell.len()).unwrap_or(u32::MAX);
        filled.sessions[cell] += u64::from(sessions);
        let cells = &mut filled.cells[cell * self.effects..(cell + 1) * self.effects];
        for (effect, cell) in cells.iter_mut().enumerate() {
            let (mut present, mut absent) = (0, 0);
            for (_, row) in in_cell {
                present += u32::from(self.settled.present()[*row as usize] >> effect & 1 == 1);
                absent += u32::from(self.settled.absent()[*row as usize] >> effect & 1 == 1);
            }
            cell.add_patient(sessions, present, absent);
        }
        for (measure, values) in cube.measures.iter().enumerate() {
            let known = || in_cell.iter().filter_map(|(_, row)| values[*row as usize]);
            let count = u32::try_from(known().count()).unwrap_or(u32::MAX);
            filled.measures[cell * cube.measures.len() + measure].add_patient(count, known().sum());
        }
    }
}

fn merge(total: &mut Filled, part: &Filled) {
    total.sessions.iter_mut().zip(&part.sessions).for_each(|(total, part)| *total += part);
    total.cells.iter_mut().zip(&part.cells).for_each(|(total, part)| total.merge(part));
    total.measures.iter_mut().zip(&part.measures).for_each(|(total, part)| total.merge(part));
}
