//! The plain slow counter: one cell, one side effect, one look at every session. It judges the fast scan in the tests
//! and is written to be read, not to be quick.

use super::cell::Cell;
use crate::domain::EffectId;
use crate::store::{SessionTable, Settled, State};
use std::collections::BTreeMap;

/// Counts a side effect over the sessions for which `counts` holds.
#[must_use]
pub fn count(table: &SessionTable, settled: &Settled, effect: EffectId, counts: &dyn Fn(usize) -> bool) -> Cell {
    let mut by_patient: BTreeMap<u32, Vec<State>> = BTreeMap::new();
    for row in (0..table.len()).filter(|row| counts(*row)) {
        by_patient.entry(table.patients()[row]).or_default().push(settled.state(row, effect));
    }
    let mut cell = Cell::default();
    for states in by_patient.values() {
        let how_many =
            |wanted: State| u32::try_from(states.iter().filter(|state| **state == wanted).count()).unwrap_or(u32::MAX);
        let sessions = u32::try_from(states.len()).unwrap_or(u32::MAX);
        cell.add_patients(1, (sessions, how_many(State::Present), how_many(State::ConfirmedAbsent)));
    }
    cell
}
