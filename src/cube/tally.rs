//! What a cell keeps while it is counted: how many patients have the same sessions, so that everything which is
//! counted over sessions, over patients and over their clusters follows from it, in whole numbers and in any order.

use super::cell::{Cell, MeasureSums};
use crate::domain::EffectId;
use crate::store::StateSet;
use crate::store::states::bit;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
use std::hash::Hash;

/// A map of counts.
type Counts<K> = HashMap<K, u64, FxBuildHasher>;

/// Grade from which a side effect is called severe (CTCAE).
pub const SEVERE: u8 = 3;
/// What a measure is multiplied by, so that its sums are whole numbers.
pub(super) const MEASURE_SCALE: f64 = 1e6;
/// Stands for a missing measure.
pub(super) const NO_MEASURE: i64 = i64::MIN;

/// Side effects that a patient has in none of the sessions of a cell, all confirmed absent equally often.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Quiet {
    sessions: u32,
    absent: u32,
    effects: u128,
}

/// A side effect that a patient has in a session of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
struct Loud {
    effect: EffectId,
    sessions: u32,
    present: u32,
    absent: u32,
    /// Sessions with grade 3 or worse.
    severe: u32,
    /// Sessions with a stated grade below.
    milder: u32,
    /// Worst grade of all; 0 = none stated.
    worst: u8,
}

/// One patient's sessions of a cell, taken apart by side effect.
#[derive(Debug, Default)]
pub(super) struct Patient {
    sessions: u32,
    quiet: Vec<Quiet>,
    loud: Vec<Loud>,
    /// `(side effect, worst grade or 0)` of every session and side effect that is present.
    grades: Vec<(EffectId, u8)>,
    planes: Vec<u128>,
}

impl Patient {
    /// Takes the sessions of a patient apart; `effects` are all side effects of the catalogue.
    pub(super) fn of(&mut self, sessions: &[&StateSet], effects: u128, grades: bool) {
        self.quiet.clear();
        self.loud.clear();
        self.grades.clear();
        self.sessions = count(sessions.len());
        let present = sessions.iter().fold(0, |set, session| set | session.present);
        self.take_quiet(sessions, effects & !present);
        let mut rest = present;
        while rest != 0 {
            let effect = lowest(rest);
            rest &= rest - 1;
            self.take_loud(sessions, effect, grades);
        }
    }

    /// Counts how often each side effect is confirmed absent, all at once: plane `i` holds bit `i` of every count.
    fn take_quiet(&mut self, sessions: &[&StateSet], effects: u128) {
        self.planes.clear();
        for session in sessions {
            let mut carry = session.absent & effects;
            for plane in &mut self.planes {
                (*plane, carry) = (*plane ^ carry, *plane & carry);
            }
            if carry != 0 {
                self.planes.push(carry);
            }
        }
        let mut rest = effects;
        while rest != 0 {
            let at = rest.trailing_zeros();
            let (mut absent, mut alike) = (0, rest);
            for (bit, plane) in self.planes.iter().enumerate() {
                let set = plane >> at & 1 == 1;
                absent |= u32::from(set) << bit;
                alike &= if set { *plane } else { !*plane };
            }
            self.quiet.push(Quiet { sessions: self.sessions, absent, effects: alike });
            rest &= !alike;
        }
    }

    fn take_loud(&mut self, sessions: &[&StateSet], effect: EffectId, grades: bool) {
        let bit = bit(effect);
        let mut loud = Loud { effect, sessions: self.sessions, present: 0, absent: 0, severe: 0, milder: 0, worst: 0 };
        for session in sessions {
            loud.absent += u32::from(session.absent & bit != 0);
            if session.present & bit == 0 {
                continue;
            }
            loud.present += 1;
            if grades {
                let grade = session.grades.iter().find(|(of, _)| *of == effect).map_or(0, |(_, grade)| *grade);
                loud.severe += u32::from(grade >= SEVERE);
                loud.milder += u32::from((1..SEVERE).contains(&grade));
                loud.worst = loud.worst.max(grade);
                self.grades.push((effect, grade));
            }
        }
        self.loud.push(loud);
    }
}

fn lowest(set: u128) -> EffectId {
    EffectId(u16::try_from(set.trailing_zeros()).unwrap_or(u16::MAX))
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

/// Exact sums of a measure over the patients of a cell.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Measure {
    patients: u64,
    sessions: u64,
    total: i128,
    sessions_squared: u128,
    total_squared: i128,
    sessions_times_total: i128,
}

impl Measure {
    fn sums(&self) -> MeasureSums {
        #[expect(clippy::cast_precision_loss, reason = "the sums are exact until here; the statistics need no more")]
        let (number, fixed) = (|number: u128| number as f64, |fixed: i128| fixed as f64 / MEASURE_SCALE);
        MeasureSums {
            patients: self.patients,
            sessions: self.sessions,
            total: fixed(self.total),
            sessions_squared: number(self.sessions_squared),
            total_squared: fixed(self.total_squared) / MEASURE_SCALE,
            sessions_times_total: fixed(self.sessions_times_total),
        }
    }
}

/// Counts of a cell.
#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    /// Sessions of the cell.
    pub(super) sessions: u64,
    quiet: Counts<Quiet>,
    loud: Counts<Loud>,
    grades: Counts<(EffectId, u8)>,
    measures: Vec<Measure>,
}

impl Tally {
    /// Adds a patient's sessions of the cell.
    pub(super) fn add(&mut self, patient: &Patient) {
        self.sessions += u64::from(patient.sessions);
        patient.quiet.iter().for_each(|quiet| *self.quiet.entry(*quiet).or_default() += 1);
        patient.loud.iter().for_each(|loud| *self.loud.entry(*loud).or_default() += 1);
        patient.grades.iter().for_each(|grade| *self.grades.entry(*grade).or_default() += 1);
    }

    /// Adds a patient's values of measure number `at`, missing ones among them.
    pub(super) fn add_measure(&mut self, at: usize, values: impl Iterator<Item = i64>) {
        let (mut sessions, mut total) = (0u64, 0i128);
        for value in values.filter(|value| *value != NO_MEASURE) {
            sessions += 1;
            total += i128::from(value);
        }
        if self.measures.len() <= at {
            self.measures.resize(at + 1, Measure::default());
        }
        if sessions > 0 {
            let measure = &mut self.measures[at];
            measure.patients += 1;
            measure.sessions += sessions;
            measure.total += total;
            measure.sessions_squared += u128::from(sessions) * u128::from(sessions);
            measure.total_squared += total * total;
            measure.sessions_times_total += i128::from(sessions) * total;
        }
    }

    /// Adds the counts of other patients.
    pub(super) fn merge(&mut self, other: Tally) {
        self.sessions += other.sessions;
        add_all(&mut self.quiet, other.quiet);
        add_all(&mut self.loud, other.loud);
        add_all(&mut self.grades, other.grades);
        if self.measures.len() < other.measures.len() {
            self.measures.resize(other.measures.len(), Measure::default());
        }
        for (measure, part) in self.measures.iter_mut().zip(other.measures) {
            measure.patients += part.patients;
            measure.sessions += part.sessions;
            measure.total += part.total;
            measure.sessions_squared += part.sessions_squared;
            measure.total_squared += part.total_squared;
            measure.sessions_times_total += part.sessions_times_total;
        }
    }
}

fn add_all<K: Eq + Hash>(into: &mut Counts<K>, from: Counts<K>) {
    #[expect(clippy::iter_over_hash_type, reason = "whole numbers add up to the same in any order")]
    for (key, count) in from {
        *into.entry(key).or_default() += count;
    }
}

/// Counts of a cell that is complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled {
    pub(super) sessions: u64,
    quiet: Vec<(Quiet, u64)>,
    loud: Vec<(Loud, u64)>,
    grades: Vec<((EffectId, u8), u64)>,
    measures: Vec<MeasureSums>,
}

impl From<Tally> for Settled {
    fn from(tally: Tally) -> Settled {
        Settled {
            sessions: tally.sessions,
            quiet: in_order(tally.quiet),
            loud: in_order(tally.loud),
            grades: in_order(tally.grades),
            measures: tally.measures.iter().map(Measure::sums).collect(),
        }
    }
}

fn in_order<K: Ord>(counts: Counts<K>) -> Vec<(K, u64)> {
    let mut counts: Vec<(K, u64)> = counts.into_iter().collect();
    counts.sort_unstable();
    counts
}

impl Settled {
    /// Counts of a side effect.
    pub(super) fn cell(&self, effect: EffectId) -> Cell {
        let mut cell = self.quiet_cell(effect);
        for (loud, patients) in self.loud_of(effect) {
            cell.add_patients(*patients, (loud.sessions, loud.present, loud.absent));
        }
        cell
    }

    /// Counts of grade 3 or worse: present at a lower grade is assessed and not severe; present without a grade is not
    /// assessed for severity.
    pub(super) fn severe_cell(&self, effect: EffectId) -> Cell {
        let mut cell = self.quiet_cell(effect);
        for (loud, patients) in self.loud_of(effect) {
            cell.add_patients(*patients, (loud.sessions, loud.severe, loud.absent + loud.milder));
        }
        cell
    }

    fn quiet_cell(&self, effect: EffectId) -> Cell {
        let mut cell = Cell::default();
        for (quiet, patients) in self.quiet.iter().filter(|(quiet, _)| quiet.effects & bit(effect) != 0) {
            cell.add_patients(*patients, (quiet.sessions, 0, quiet.absent));
        }
        cell
    }

    fn loud_of(&self, effect: EffectId) -> impl Iterator<Item = &(Loud, u64)> {
        let from = self.loud.partition_point(|(loud, _)| loud.effect < effect);
        self.loud[from..].iter().take_while(move |(loud, _)| loud.effect == effect)
    }

    /// Sessions with the side effect by worst grade, 0 = none stated.
    pub(super) fn sessions_by_grade(&self, effect: EffectId) -> [u64; 6] {
        let mut by_grade = [0; 6];
        for ((_, grade), sessions) in self.grades.iter().filter(|((of, _), _)| *of == effect) {
            by_grade[usize::from(*grade).min(5)] += sessions;
        }
        by_grade
    }

    /// Patients with the side effect by worst grade, 0 = none stated.
    pub(super) fn patients_by_grade(&self, effect: EffectId) -> [u64; 6] {
        let mut by_grade = [0; 6];
        for (loud, patients) in self.loud_of(effect) {
            by_grade[usize::from(loud.worst).min(5)] += patients;
        }
        by_grade
    }

    pub(super) fn measure(&self, at: usize) -> MeasureSums {
        self.measures.get(at).copied().unwrap_or_default()
    }
}
