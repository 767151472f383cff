//! Three states, not two: for each session and side effect *present*, *confirmed absent* or *not assessed*.

use super::block::StateSet;
use super::table::SessionTable;
use crate::domain::{Catalogue, Day, EffectId};
use std::ops::Range;

/// State of a side effect in a session or a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// Listed for the session.
    Present,
    /// Asked, and followed up to the end of the window.
    ConfirmedAbsent,
    /// Neither.
    NotAssessed,
}

/// States of every session, as bit sets over the catalogue (one bit a side effect).
#[derive(Debug, Clone)]
pub struct Settled {
    present: Vec<u128>,
    absent: Vec<u128>,
    /// `(side effect, session, worst grade; 0 = not stated)`, sorted.
    grades: Vec<(EffectId, u32, u8)>,
    effects: usize,
    events_after_cut: u64,
}

impl Settled {
    /// Most side effects that a catalogue may hold.
    pub const MOST_EFFECTS: usize = 128;

    /// Settles the states of a table's sessions. Side effects that began or were reported after the data cut are
    /// left out and counted.
    #[must_use]
    pub fn of(table: &SessionTable, catalogue: &Catalogue, data_cut: Day) -> Settled {
        let mut settled = Settled {
            present: vec![0; table.len()],
            absent: vec![0; table.len()],
            grades: Vec::with_capacity(table.occurrences.len()),
            effects: catalogue.ids().count(),
            events_after_cut: 0,
        };
        for occurrence in &table.occurrences {
            if occurrence.onset.max(occurrence.reported).is_some_and(|day| day > data_cut) {
                settled.events_after_cut += 1;
                continue;
            }
            settled.present[occurrence.session as usize] |= bit(occurrence.effect);
            let grade = occurrence.grade.map_or(0, |grade| grade.number());
            settled.grades.push((occurrence.effect, occurrence.session, grade));
        }
        keep_worst(&mut settled.grades);
        let windows: Vec<(u128, i32)> = catalogue
            .ids()
            .map(|id| (bit(id), i32::try_from(catalogue.get(id).window_days).unwrap_or(i32::MAX)))
            .collect();
        for row in 0..table.len() {
            if let (true, Some(follow_up)) = (table.asked()[row], table.follow_up(row)) {
                let followed_days = follow_up.min(data_cut).since(table.session_day(row));
                let covered = windows.iter().filter(|(_, window)| *window <= followed_days);
                let believed = covered.fold(0, |set, (bit, _)| set | bit);
                settled.absent[row] = believed & !settled.present[row];
            }
        }
        settled
    }

    /// State of a side effect in a session.
    #[must_use]
    pub fn state(&self, row: usize, effect: EffectId) -> State {
        if self.present[row] & bit(effect) != 0 {
            State::Present
        } else if self.absent[row] & bit(effect) != 0 {
            State::ConfirmedAbsent
        } else {
            State::NotAssessed
        }
    }

    /// Side effects present in each session, one bit each.
    #[must_use]
    pub fn present(&self) -> &[u128] {
        &self.present
    }

    /// Side effects confirmed absent in each session, one bit each.
    #[must_use]
    pub fn absent(&self) -> &[u128] {
        &self.absent
    }

    /// Worst grade of a side effect that is present in a session; `None` = no grade stated.
    #[must_use]
    pub fn worst_grade(&self, row: u32, effect: EffectId) -> Option<u8> {
        let at = self.grades.binary_search_by_key(&(effect, row), |(effect, row, _)| (*effect, *row)).ok()?;
        Some(self.grades[at].2).filter(|grade| *grade > 0)
    }

    /// Sessions in which a side effect is present, in order.
    pub fn sessions_with(&self, effect: EffectId) -> impl Iterator<Item = u32> {
        let from = self.grades.partition_point(|(known, ..)| *known < effect);
        self.grades[from..].iter().take_while(move |(known, ..)| *known == effect).map(|(_, row, _)| *row)
    }

    /// Number of side effects.
    #[must_use]
    pub fn effects(&self) -> usize {
        self.effects
    }

    /// The states of some sessions, with the worst grades where they are wanted.
    #[must_use]
    pub fn sets(&self, rows: Range<usize>, grades: bool) -> Vec<StateSet> {
        let mut sets: Vec<StateSet> =
            rows.clone().map(|row| StateSet::new(self.present[row], self.absent[row])).collect();
        if grades {
            for of_effect in self.grades.chunk_by(|a, b| a.0 == b.0) {
                let from = of_effect.partition_point(|(_, row, _)| (*row as usize) < rows.start);
                let within = of_effect[from..].iter().take_while(|(_, row, _)| (*row as usize) < rows.end);
                within.for_each(|(effect, row, grade)| sets[*row as usize - rows.start].set_grade(*effect, *grade));
            }
        }
        sets
    }

    /// Side effects left out because they began or were reported after the data cut.
    #[must_use]
    pub fn events_after_cut(&self) -> u64 {
        self.events_after_cut
    }
}

/// Puts graded side effects in order, each once with its worst grade.
pub(super) fn keep_worst<A: Ord, B: Ord>(graded: &mut Vec<(A, B, u8)>) {
    // Ascending by grade: of equal ones the last, the worst, stays.
    graded.sort_unstable();
    graded.dedup_by(|later, earlier| {
        let same = later.0 == earlier.0 && later.1 == earlier.1;
        if same {
            earlier.2 = later.2;
        }
        same
    });
}

/// The bit of a side effect.
#[must_use]
pub fn bit(effect: EffectId) -> u128 {
    1u128 << effect.index()
}
