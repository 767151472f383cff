//! What a cell keeps while it is counted: how many patients are of each kind, and sums of measures.

use super::cell::{Cell, MeasureSums};
use super::kinds::{Kind, Loud};
use crate::domain::EffectId;
use rustc_hash::FxBuildHasher;
use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

/// Grade from which a side effect is called severe (CTCAE).
pub const SEVERE: u8 = 3;
/// What a measure is multiplied by, so that its sums are whole numbers.
pub(super) const MEASURE_SCALE: f64 = 1e6;
/// Stands for a missing measure.
pub(super) const NO_MEASURE: i64 = i64::MIN;

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
    fn add(&mut self, other: &Measure) {
        self.patients += other.patients;
        self.sessions += other.sessions;
        self.total += other.total;
        self.sessions_squared += other.sessions_squared;
        self.total_squared += other.total_squared;
        self.sessions_times_total += other.sessions_times_total;
    }

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

/// Counts of a cube's patients by cell and kind. Kinds are numbered as they are met, so that the frequent ones have low
/// numbers: these are counted in a plain array, the others in a map.
#[derive(Debug, Default)]
pub(super) struct Tally {
    /// Kinds below this number are counted in the array.
    frequent: usize,
    array: Vec<u64>,
    others: HashMap<(u32, u32), u64, FxBuildHasher>,
    measures: HashMap<u32, Vec<Measure>, FxBuildHasher>,
    /// Patients with sessions in several values of the first dimension, missing not counted.
    pub(super) patients_in_several: u64,
}

impl Tally {
    /// Nothing counted, for so many cells.
    pub(super) fn new(cells: usize, frequent: usize) -> Tally {
        Tally { frequent, array: vec![0; cells * frequent], ..Tally::default() }
    }

    /// Adds a patient of these kinds.
    pub(super) fn add(&mut self, cell: u32, kinds: &[u32]) {
        for kind in kinds {
            *self.count(cell, *kind) += 1;
        }
    }

    fn count(&mut self, cell: u32, kind: u32) -> &mut u64 {
        if (kind as usize) < self.frequent {
            &mut self.array[cell as usize * self.frequent + kind as usize]
        } else {
            self.others.entry((cell, kind)).or_default()
        }
    }

    /// Adds a patient's values of measure number `at`, missing ones among them.
    pub(super) fn add_measure(&mut self, (cell, at): (u32, usize), values: impl Iterator<Item = i64>) {
        let (mut sessions, mut total) = (0u64, 0i128);
        for value in values.filter(|value| *value != NO_MEASURE) {
            sessions += 1;
            total += i128::from(value);
        }
        if sessions > 0 {
            self.measure(cell, at).add(&Measure {
                patients: 1,
                sessions,
                total,
                sessions_squared: u128::from(sessions) * u128::from(sessions),
                total_squared: total * total,
                sessions_times_total: i128::from(sessions) * total,
            });
        }
    }

    fn measure(&mut self, cell: u32, at: usize) -> &mut Measure {
        let measures = self.measures.entry(cell).or_default();
        if measures.len() <= at {
            measures.resize(at + 1, Measure::default());
        }
        &mut measures[at]
    }

    /// Adds the counts of other patients; their kinds have the numbers `kinds` here.
    pub(super) fn merge(&mut self, other: &Tally, kinds: &[u32]) {
        self.patients_in_several += other.patients_in_several;
        self.take_in(other, |cell| cell, |kind| kinds[kind as usize]);
    }

    /// Adds the counts of other patients, counted by the same kinds in the cells of another cube: for each of its cells
    /// the one here. Who is in several cells there must not be among them.
    pub(super) fn roll_up(&mut self, other: &Tally, cells: &[u32]) {
        self.take_in(other, |cell| cells[cell as usize], |kind| kind);
    }

    /// Adds the counts of other patients in the same cells, by the same kinds.
    pub(super) fn add_apart(&mut self, other: &Tally) {
        self.take_in(other, |cell| cell, |kind| kind);
    }

    fn take_in(&mut self, other: &Tally, cell_of: impl Fn(u32) -> u32, kind_of: impl Fn(u32) -> u32) {
        for (cell, kind, patients) in other.counts() {
            *self.count(cell_of(cell), kind_of(kind)) += patients;
        }
        #[expect(clippy::iter_over_hash_type, reason = "whole numbers add up to the same in any order")]
        for (cell, measures) in &other.measures {
            for (at, measure) in measures.iter().enumerate() {
                self.measure(cell_of(*cell), at).add(measure);
            }
        }
    }

    /// `(cell, kind, patients)` of all that are not zero, in any order.
    fn counts(&self) -> impl Iterator<Item = (u32, u32, u64)> {
        let rows = self.array.chunks_exact(self.frequent.max(1));
        let frequent = (0u32..).zip(rows).flat_map(|(cell, counts)| {
            let counted = (0u32..).zip(counts).filter(|(_, patients)| **patients > 0);
            counted.map(move |(kind, patients)| (cell, kind, *patients))
        });
        frequent.chain(self.others.iter().map(|((cell, kind), patients)| (*cell, *kind, *patients)))
    }

    /// The cells that hold patients, in order.
    pub(super) fn settle(mut self, kinds: &Arc<[Kind]>) -> Vec<(usize, Settled)> {
        let mut counts: Vec<(u32, u32, u64)> = self.counts().collect();
        counts.sort_unstable();
        let of_cell = |counts: &[(u32, u32, u64)]| {
            let cell = counts[0].0;
            let measures = self.measures.remove(&cell).unwrap_or_default();
            let settled = Settled::of(kinds, counts.iter().map(|(_, kind, patients)| (*kind, *patients)));
            (cell as usize, Settled { measures: measures.iter().map(Measure::sums).collect(), ..settled })
        };
        counts.chunk_by(|a, b| a.0 == b.0).map(of_cell).collect()
    }
}

/// Patients by their sessions and those in which they were assessed.
type Quiet = HashMap<(u32, u32), u64, FxBuildHasher>;

/// Kinds of assessment from which on a cell keeps what it has told of a side effect: several analyses ask the same.
const LARGE: usize = 1 << 12;

/// What a large cell has told.
#[derive(Debug, Default)]
struct Known(Mutex<BTreeMap<EffectId, Quiet>>);

impl Clone for Known {
    fn clone(&self) -> Known {
        Known::default()
    }
}

/// Counts of a cell that is complete.
#[derive(Debug, Clone, Default)]
pub(super) struct Settled {
    pub(super) sessions: u64,
    kinds: Option<Arc<[Kind]>>,
    /// `(kind, patients)` of kinds of assessment.
    assessed: Vec<(u32, u64)>,
    /// By side effect.
    loud: Vec<(Loud, u64)>,
    measures: Vec<MeasureSums>,
    known: Known,
}

/// How many patients have so many sessions, present in so many, confirmed absent in so many.
type Alike = BTreeMap<(u32, u32, u32), u64>;

impl Settled {
    fn of(kinds: &Arc<[Kind]>, counts: impl Iterator<Item = (u32, u64)>) -> Settled {
        let mut settled = Settled { kinds: Some(kinds.clone()), ..Settled::default() };
        for (number, patients) in counts {
            match &kinds[number as usize] {
                Kind::Assessed(assessed) => {
                    settled.sessions += patients * u64::from(assessed.sessions);
                    settled.assessed.push((number, patients));
                }
                Kind::Loud(loud) => settled.loud.push((*loud, patients)),
            }
        }
        settled.loud.sort_unstable();
        settled
    }

    /// Counts of a side effect.
    pub(super) fn cell(&self, effect: EffectId) -> Cell {
        self.cell_of(effect, |loud| (loud.sessions, loud.present(), loud.absent))
    }

    /// Counts of grade 3 or worse: present at a lower grade is assessed and not severe; present without a grade is not
    /// assessed for severity.
    pub(super) fn severe_cell(&self, effect: EffectId) -> Cell {
        let (milder, severe) = (1..usize::from(SEVERE), usize::from(SEVERE)..);
        self.cell_of(effect, |loud| {
            let sum = |grades: &[u32]| grades.iter().sum::<u32>();
            let milder = sum(&loud.by_grade[milder.clone()]);
            (loud.sessions, sum(&loud.by_grade[severe.clone()]), loud.absent + milder)
        })
    }

    fn cell_of(&self, effect: EffectId, counts: impl Fn(&Loud) -> (u32, u32, u32)) -> Cell {
        let mut quiet = self.quiet(effect);
        // Who has the side effect stands among those assessed so often, as if it had it in none of the sessions.
        let mut others = Alike::new();
        for (loud, patients) in self.loud_of(effect) {
            *quiet.entry((loud.sessions, loud.present() + loud.absent)).or_default() -= patients;
            *others.entry(counts(loud)).or_default() += patients;
        }
        let mut cell = Cell::default();
        #[expect(clippy::iter_over_hash_type, reason = "without events only whole numbers are added up")]
        for ((sessions, assessed), patients) in quiet {
            cell.add_patients(patients, (sessions, 0, assessed));
        }
        others.into_iter().for_each(|(counts, patients)| cell.add_patients(patients, counts));
        cell
    }

    /// All patients by how often they were assessed, as if none had the side effect.
    fn quiet(&self, effect: EffectId) -> Quiet {
        if self.assessed.len() < LARGE {
            return self.count_quiet(effect);
        }
        let mut known = self.known.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(effect).or_insert_with(|| self.count_quiet(effect)).clone()
    }

    fn count_quiet(&self, effect: EffectId) -> Quiet {
        let mut quiet = Quiet::default();
        let kinds = self.kinds.as_deref().unwrap_or_default();
        for (number, patients) in &self.assessed {
            if let Kind::Assessed(assessed) = &kinds[*number as usize] {
                *quiet.entry((assessed.sessions, assessed.of(effect))).or_default() += patients;
            }
        }
        quiet
    }

    fn loud_of(&self, effect: EffectId) -> impl Iterator<Item = &(Loud, u64)> {
        let from = self.loud.partition_point(|(loud, _)| loud.effect < effect);
        self.loud[from..].iter().take_while(move |(loud, _)| loud.effect == effect)
    }

    /// Sessions with the side effect by worst grade, 0 = none stated.
    pub(super) fn sessions_by_grade(&self, effect: EffectId) -> [u64; 6] {
        let mut by_grade = [0; 6];
        for (loud, patients) in self.loud_of(effect) {
            by_grade.iter_mut().zip(loud.by_grade).for_each(|(all, sessions)| *all += patients * u64::from(sessions));
        }
        by_grade
    }

    /// Patients with the side effect by worst grade, 0 = none stated.
    pub(super) fn patients_by_grade(&self, effect: EffectId) -> [u64; 6] {
        let mut by_grade = [0; 6];
        for (loud, patients) in self.loud_of(effect) {
            by_grade[loud.by_grade.iter().rposition(|sessions| *sessions > 0).unwrap_or(0)] += patients;
        }
        by_grade
    }

    pub(super) fn measure(&self, at: usize) -> MeasureSums {
        self.measures.get(at).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::super::kinds::Telling;
    use super::*;
    use crate::store::StateSet;

    fn state(present: u128, absent: u128, grade: u8) -> StateSet {
        let mut set = StateSet::new(present, absent);
        if present != 0 {
            set.set_grade(EffectId(0), grade);
        }
        set
    }

    /// Three patients of one cell, two of another, counted by two threads.
    fn counted(frequent: usize) -> Vec<(usize, Settled)> {
        let sets = [state(1, 0, 4), state(1, 0, 0), state(0, 1, 0), state(0, 0, 0)];
        let of = |states: &[usize]| states.iter().map(|at| sets[*at]).collect::<Vec<StateSet>>();
        let (mut one, mut other) = (Telling::default(), Telling::default());
        let (mut first, mut second) = (Tally::new(6, frequent), Tally::new(6, frequent));
        let mut kinds = Vec::new();
        for (cell, states) in [(5, &[0, 2][..]), (5, &[3]), (2, &[2])] {
            one.of(&of(states), &mut kinds);
            first.add(cell, &kinds);
        }
        for (cell, states) in [(5, &[1][..]), (2, &[2])] {
            other.of(&of(states), &mut kinds);
            second.add(cell, &kinds);
        }
        first.add_measure((5, 1), [2, NO_MEASURE, 3].into_iter());
        second.add_measure((5, 1), [4].into_iter());
        let numbers = one.kinds.merge(&other.kinds);
        first.merge(&second, &numbers);
        first.settle(&one.kinds.into_list().into())
    }

    #[test]
    fn cells_are_the_same_in_an_array_and_in_a_map() {
        for frequent in [0, 1, 3, 64] {
            let cells = counted(frequent);
            let [(2, quiet), (5, loud)] = &cells[..] else { panic!("{cells:?}") };
            assert_eq!((quiet.sessions, loud.sessions), (2, 4));
            let cell = quiet.cell(EffectId(0));
            assert_eq!((cell.assessed.patients, cell.assessed.events, cell.patients_absent), (2, 0, 2));
            let cell = loud.cell(EffectId(0));
            assert_eq!((cell.assessed.patients, cell.assessed.sessions, cell.assessed.events), (2, 3, 2));
            assert_eq!((cell.assessed.sessions_squared, cell.sessions_not_assessed()), (5, 1));
            let severe = loud.severe_cell(EffectId(0));
            assert_eq!((severe.assessed.patients, severe.assessed.sessions, severe.assessed.events), (1, 2, 1));
            assert_eq!(loud.sessions_by_grade(EffectId(0)), [1, 0, 0, 0, 1, 0]);
            assert_eq!(loud.patients_by_grade(EffectId(0)), [1, 0, 0, 0, 1, 0]);
            let measure = loud.measure(1);
            assert_eq!(
                (measure.patients, measure.sessions, measure.sessions_squared.to_bits()),
                (2, 3, 5f64.to_bits())
            );
            assert_eq!(loud.measure(0), MeasureSums::default());
        }
    }
}
