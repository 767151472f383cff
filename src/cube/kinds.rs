//! Kinds of patients: what the sessions of a patient in a cell are to a count, each kind with a number. Few kinds cover
//! many patients, so that a cell need only count how many are of each; everything that is counted over sessions, over
//! patients and over their clusters follows from that, in whole numbers and in any order.

use crate::domain::EffectId;
use crate::store::StateSet;
use crate::store::states::bit;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;

/// Grades of a side effect, 0 = none stated.
pub(super) const GRADES: usize = 6;

/// How often a patient was assessed for every side effect.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Assessed {
    /// Sessions of the patient in the cell.
    pub(super) sessions: u32,
    /// Word `i` holds bit `i` of the count of every side effect.
    planes: Vec<u128>,
}

impl Assessed {
    /// Sessions in which the patient was assessed for a side effect.
    pub(super) fn of(&self, effect: EffectId) -> u32 {
        let set = |plane: &u128| u32::from(plane & bit(effect) != 0);
        self.planes.iter().rev().fold(0, |count, plane| count << 1 | set(plane))
    }
}

/// A side effect that a patient has in a session of a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Loud {
    pub(super) effect: EffectId,
    /// Sessions of the patient in the cell.
    pub(super) sessions: u32,
    /// Those in which it is confirmed absent.
    pub(super) absent: u32,
    /// Those in which it is present, by its worst grade there.
    pub(super) by_grade: [u32; GRADES],
}

impl Loud {
    /// Sessions in which it is present.
    pub(super) fn present(&self) -> u32 {
        self.by_grade.iter().sum()
    }
}

/// One of the things that tell patients apart: each patient is of one kind of assessment, and of one kind for every side
/// effect that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    Assessed(Assessed),
    Loud(Loud),
}

/// The kinds that were met, each with a number.
#[derive(Debug, Default)]
pub(super) struct Kinds {
    /// The number of sessions, then the planes.
    assessed: HashMap<Box<[u128]>, u32, FxBuildHasher>,
    loud: HashMap<Loud, u32, FxBuildHasher>,
    met: u32,
}

impl Kinds {
    /// Number of kinds.
    pub(super) fn len(&self) -> usize {
        self.met as usize
    }

    fn assessed(&mut self, sessions_and_planes: &[u128]) -> u32 {
        if let Some(number) = self.assessed.get(sessions_and_planes) {
            return *number;
        }
        self.assessed.insert(sessions_and_planes.into(), self.met);
        self.met += 1;
        self.met - 1
    }

    fn loud(&mut self, loud: Loud) -> u32 {
        let number = *self.loud.entry(loud).or_insert(self.met);
        self.met = self.met.max(number + 1);
        number
    }

    /// Takes in the kinds of another count; gives for each of its numbers the number here.
    pub(super) fn merge(&mut self, other: &Kinds) -> Vec<u32> {
        let mut numbers = vec![0; other.len()];
        #[expect(clippy::iter_over_hash_type, reason = "what a kind is does not follow from its number")]
        for (assessed, number) in &other.assessed {
            numbers[*number as usize] = self.assessed(assessed);
        }
        #[expect(clippy::iter_over_hash_type, reason = "what a kind is does not follow from its number")]
        for (loud, number) in &other.loud {
            numbers[*number as usize] = self.loud(*loud);
        }
        numbers
    }

    /// The kinds, by their numbers.
    pub(super) fn into_list(self) -> Vec<Kind> {
        let assessed = self.assessed.into_iter().map(|(words, number)| {
            let sessions = u32::try_from(words[0]).unwrap_or(u32::MAX);
            (number, Kind::Assessed(Assessed { sessions, planes: words[1..].to_vec() }))
        });
        let loud = self.loud.into_iter().map(|(loud, number)| (number, Kind::Loud(loud)));
        let mut numbered: Vec<(u32, Kind)> = assessed.chain(loud).collect();
        numbered.sort_unstable_by_key(|(number, _)| *number);
        numbered.into_iter().map(|(_, kind)| kind).collect()
    }
}

/// Tells of which kinds a patient is.
#[derive(Default)]
pub(super) struct Telling {
    /// The kinds that were met.
    pub(super) kinds: Kinds,
    /// Kinds of patients with one session, by its states: where they stand in `of_one`.
    single: HashMap<StateSet, (u32, u32), FxBuildHasher>,
    of_one: Vec<u32>,
    words: Vec<u128>,
    /// What is present and what is confirmed absent in each session of the patient.
    told: Vec<(u128, u128)>,
}

/// Different states of which is kept what kinds they make.
const SINGLES: usize = 1 << 15;

impl Telling {
    /// The kinds of a patient with sessions of these states, in place of what `into` held.
    pub(super) fn of(&mut self, sessions: &[StateSet], into: &mut Vec<u32>) {
        into.clear();
        let [session] = sessions else {
            self.tell(sessions, into);
            return;
        };
        if let Some((from, to)) = self.single.get(session) {
            into.extend_from_slice(&self.of_one[*from as usize..*to as usize]);
            return;
        }
        self.tell(sessions, into);
        if self.single.len() < SINGLES {
            let from = count(self.of_one.len());
            self.of_one.extend_from_slice(into);
            self.single.insert(*session, (from, count(self.of_one.len())));
        }
    }

    fn tell(&mut self, sessions: &[StateSet], into: &mut Vec<u32>) {
        self.words.clear();
        self.words.push(sessions.len() as u128);
        self.told.clear();
        let mut any = 0;
        for session in sessions {
            let (present, absent) = (session.present(), session.absent());
            self.told.push((present, absent));
            any |= present;
            let mut carry = present | absent;
            for plane in &mut self.words[1..] {
                (*plane, carry) = (*plane ^ carry, *plane & carry);
            }
            if carry != 0 {
                self.words.push(carry);
            }
        }
        into.push(self.kinds.assessed(&self.words));
        while any != 0 {
            let effect = EffectId(u16::try_from(any.trailing_zeros()).unwrap_or(u16::MAX));
            any &= any - 1;
            let mut loud = Loud { effect, sessions: count(sessions.len()), absent: 0, by_grade: [0; GRADES] };
            for (session, (present, absent)) in sessions.iter().zip(&self.told) {
                if present & bit(effect) != 0 {
                    loud.by_grade[usize::from(session.grade(effect)).min(GRADES - 1)] += 1;
                } else if absent & bit(effect) != 0 {
                    loud.absent += 1;
                }
            }
            into.push(self.kinds.loud(loud));
        }
    }
}

fn count(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn state(present: &[u16], absent: &[u16], grades: &[(u16, u8)]) -> StateSet {
        let set = |effects: &[u16]| effects.iter().fold(0, |set, effect| set | bit(EffectId(*effect)));
        let mut set = StateSet::new(set(present), set(absent));
        grades.iter().for_each(|(effect, grade)| set.set_grade(EffectId(*effect), *grade));
        set
    }

    fn told(kinds: &[Kind], numbers: &[u32]) -> Vec<Kind> {
        numbers.iter().map(|number| kinds[*number as usize].clone()).collect()
    }

    #[test]
    fn a_patient_is_told_by_its_assessments_and_what_it_has() {
        let sets = [state(&[0], &[1, 127], &[(0, 2)]), state(&[], &[0, 1], &[]), state(&[0], &[], &[(0, 4)])];
        let mut telling = Telling::default();
        let mut numbers = Vec::new();
        telling.of(&[0, 1, 2].map(|at: usize| sets[at]), &mut numbers);
        let kinds = std::mem::take(&mut telling.kinds).into_list();
        let [Kind::Assessed(assessed), Kind::Loud(loud)] = &told(&kinds, &numbers)[..] else { panic!("{kinds:?}") };
        assert_eq!(assessed.sessions, 3);
        assert_eq!([0, 1, 2, 127].map(|effect| assessed.of(EffectId(effect))), [3, 2, 0, 1]);
        assert_eq!(*loud, Loud { effect: EffectId(0), sessions: 3, absent: 1, by_grade: [0, 0, 1, 0, 1, 0] });
    }

    #[test]
    fn patients_alike_are_of_the_same_kinds_in_any_order_of_their_sessions() {
        let sets = [state(&[3], &[4], &[]), state(&[4], &[3], &[])];
        let mut telling = Telling::default();
        let (mut one, mut other, mut single, mut again) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        telling.of(&[0, 1].map(|at: usize| sets[at]), &mut one);
        telling.of(&[1, 0].map(|at: usize| sets[at]), &mut other);
        telling.of(&[0].map(|at: usize| sets[at]), &mut single);
        telling.of(&[0].map(|at: usize| sets[at]), &mut again);
        assert_eq!(one, other);
        assert_eq!(single, again);
        assert_ne!(one, single);
        assert_eq!(telling.kinds.len(), 5);
    }

    #[test]
    fn kinds_of_two_counts_become_one_list() {
        let sets = [state(&[3], &[4], &[]), state(&[], &[], &[]), state(&[4], &[3], &[])];
        let (mut one, mut other) = (Telling::default(), Telling::default());
        let (mut first, mut second) = (Vec::new(), Vec::new());
        one.of(&[0].map(|at: usize| sets[at]), &mut first);
        other.of(&[1].map(|at: usize| sets[at]), &mut second);
        other.of(&[0].map(|at: usize| sets[at]), &mut second);
        let numbers = one.kinds.merge(&other.kinds);
        let moved: Vec<u32> = second.iter().map(|number| numbers[*number as usize]).collect();
        assert_eq!(moved, first);
        assert_eq!(one.kinds.into_list().len(), 3);
    }
}
