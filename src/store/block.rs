//! Sessions as a count takes them: in blocks, each with only the columns that are wanted, as small numbers.

use super::coded::Coded;
use super::filter::{Filter, FilterError};
use super::lake::StoreError;
use super::states::Settled;
use super::table::SessionTable;
use crate::domain::EffectId;
use arrow::array::Array;
use arrow::buffer::BooleanBuffer;
use thiserror::Error;

/// What a count wants of every session, beside its patient and its states.
#[derive(Debug, Clone, Default)]
pub struct Want {
    /// Columns as codes.
    pub coded: Vec<String>,
    /// Columns as numbers.
    pub numbers: Vec<String>,
    /// Conditions.
    pub filters: Vec<Filter>,
    /// Columns of which it wants to know where they have a value.
    pub filled: Vec<String>,
    /// Whether it wants the worst grade of each side effect.
    pub grades: bool,
    /// For each of the things that are counted, the conditions that its sessions must all fit, by their place among
    /// the filters: sessions that nothing counts need not be read in full.
    pub counted: Vec<Vec<usize>>,
}

/// The states of a session over all side effects. For each side effect a number below 8, of which each plane holds a bit:
/// 0 = not assessed, 1 = confirmed absent, from 2 on present, with the worst grade behind it (0 = none stated).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct StateSet([u128; StateSet::PLANES]);

impl StateSet {
    /// Planes of a session.
    pub const PLANES: usize = 3;
    /// Number of a side effect that is present without a grade.
    const PRESENT: u8 = 2;

    /// Side effects that are present, without grades, and those that are confirmed absent (what is in both is present).
    #[must_use]
    pub fn new(present: u128, absent: u128) -> StateSet {
        StateSet([absent & !present, present, 0])
    }

    /// States of planes as [`StateSet::planes`] gives them.
    #[must_use]
    pub fn of_planes(planes: [u128; StateSet::PLANES]) -> StateSet {
        StateSet(planes)
    }

    /// The planes; the last is empty where no grade was entered.
    #[must_use]
    pub fn planes(&self) -> &[u128; StateSet::PLANES] {
        &self.0
    }

    /// Side effects that are present.
    #[must_use]
    pub fn present(&self) -> u128 {
        self.0[1] | self.0[2]
    }

    /// Side effects that are confirmed absent.
    #[must_use]
    pub fn absent(&self) -> u128 {
        self.0[0] & !self.present()
    }

    /// Side effects that are one or the other.
    #[must_use]
    pub fn assessed(&self) -> u128 {
        self.0[0] | self.present()
    }

    /// Enters the worst grade (at most 5) of a side effect that is present.
    pub fn set_grade(&mut self, effect: EffectId, grade: u8) {
        let number = StateSet::PRESENT + grade;
        for (at, plane) in self.0.iter_mut().enumerate() {
            let set = u128::from(number >> at & 1);
            *plane = *plane & !(1 << effect.index()) | set << effect.index();
        }
    }

    /// Worst grade of a side effect that is present; 0 = none stated.
    #[must_use]
    pub fn grade(&self, effect: EffectId) -> u8 {
        if self.0[2] == 0 && self.0[0] & self.0[1] == 0 {
            return 0;
        }
        let set = |plane: &u128| u8::from(plane >> effect.index() & 1 != 0);
        self.0.iter().rev().fold(0, |number, plane| number << 1 | set(plane)).saturating_sub(StateSet::PRESENT)
    }
}

/// In which sessions of a block a column has a value.
#[derive(Debug, Clone, PartialEq)]
pub enum Held {
    /// In all.
    Everywhere,
    /// In none.
    Nowhere,
    /// In these.
    In(BooleanBuffer),
}

impl Held {
    /// Where a column's values are.
    #[must_use]
    pub fn of(column: &dyn Array) -> Held {
        match column.logical_nulls() {
            None => Held::Everywhere,
            Some(nulls) if nulls.null_count() == 0 => Held::Everywhere,
            Some(nulls) if nulls.null_count() == nulls.len() => Held::Nowhere,
            Some(nulls) => Held::In(nulls.into_inner()),
        }
    }
}

/// Some sessions.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Whether none of its sessions fits what is counted: only states and coded columns are given then.
    pub outside: bool,
    /// Patient of each: the same number in every block.
    pub patients: Vec<u64>,
    /// States of each.
    pub states: Vec<StateSet>,
    /// The coded columns, as they were wanted.
    pub coded: Vec<Coded>,
    /// The columns as numbers, as they were wanted.
    pub numbers: Vec<Vec<Option<f64>>>,
    /// For each condition whether each session fits.
    pub fits: Vec<Vec<bool>>,
    /// Where each column of [`Want::filled`] has a value.
    pub filled: Vec<Held>,
}

impl Block {
    /// Number of sessions.
    #[must_use]
    pub fn len(&self) -> usize {
        self.states.len()
    }

    /// Whether it holds no session.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.states.is_empty()
    }
}

/// Why sessions cannot be read.
#[derive(Debug, Error)]
pub enum BlockError {
    /// A column that a session does not have, or that cannot be used so.
    #[error("the column `{column}` cannot be counted by")]
    Column {
        /// The column.
        column: String,
    },
    /// A condition cannot be answered.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The store cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sessions that can be read block by block, in any order and on many threads at once.
pub trait Blocks: Sync {
    /// Number of parts that can be read at the same time.
    fn parts(&self) -> usize;

    /// Number of sessions over all parts, at most.
    fn rows(&self) -> u64;

    /// Number of side effects that sessions have states of.
    fn effects(&self) -> usize;

    /// Reads a part, and hands over its blocks one after another.
    ///
    /// # Errors
    /// When it cannot be read; nothing that was handed over counts then.
    fn read(&self, part: usize, want: &Want, take: &mut dyn FnMut(Block)) -> Result<(), BlockError>;
}

/// Sessions in memory with their states.
#[derive(Debug, Clone, Copy)]
pub struct InMemory<'a> {
    table: &'a SessionTable,
    settled: &'a Settled,
}

/// Sessions of a part of a table in memory.
const PART_ROWS: usize = 1 << 17;

impl<'a> InMemory<'a> {
    /// A table and its states.
    #[must_use]
    pub fn new(table: &'a SessionTable, settled: &'a Settled) -> InMemory<'a> {
        InMemory { table, settled }
    }
}

impl Blocks for InMemory<'_> {
    fn parts(&self) -> usize {
        self.table.len().div_ceil(PART_ROWS)
    }

    fn rows(&self) -> u64 {
        self.table.len() as u64
    }

    fn effects(&self) -> usize {
        self.settled.effects()
    }

    fn read(&self, part: usize, want: &Want, take: &mut dyn FnMut(Block)) -> Result<(), BlockError> {
        let from = part * PART_ROWS;
        let rows = PART_ROWS.min(self.table.len() - from);
        let table = self.table.slice(from, rows);
        let states = self.settled.sets(from..from + rows, want.grades);
        let patients = table.patients().iter().copied().map(u64::from).collect();
        let filled = want.filled.iter().map(|name| held(&table, name)).collect::<Result<_, _>>()?;
        take(Block { filled, ..block(&table, want, (patients, states))? });
        Ok(())
    }
}

/// A block of a table's sessions, but for where its columns have values.
pub(super) fn block(
    table: &SessionTable,
    want: &Want,
    (patients, states): (Vec<u64>, Vec<StateSet>),
) -> Result<Block, BlockError> {
    let unknown = |column: &String| BlockError::Column { column: column.clone() };
    let coded =
        want.coded.iter().map(|name| table.coded(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    let numbers =
        want.numbers.iter().map(|name| table.numbers(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    let fits = want.filters.iter().map(|filter| filter.rows(table)).collect::<Result<_, _>>()?;
    Ok(Block { outside: false, patients, states, coded, numbers, fits, filled: Vec::new() })
}

/// Where a canonical column has a value. A session in which nobody asked has no `side_effects`.
fn held(table: &SessionTable, name: &str) -> Result<Held, BlockError> {
    if name == "side_effects" {
        return Ok(Held::In(BooleanBuffer::from(table.asked().to_vec())));
    }
    let column = table.column(filled_by(name)).ok_or_else(|| BlockError::Column { column: name.to_owned() })?;
    Ok(Held::of(column))
}

/// The column of the table that tells whether a canonical column was filled in: the lists of codes stand there as one
/// column for each code.
#[must_use]
pub fn filled_by(column: &str) -> &str {
    match column {
        "conditions" => "active_acne",
        "topicals" => "topical_tretinoin",
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn states_and_grades_of_every_side_effect_stand_apart() {
        let mut set = StateSet::new(1 | 1 << 127 | 1 << 5, 1 << 2 | 1 << 127);
        assert_eq!((set.present(), set.absent()), (1 | 1 << 127 | 1 << 5, 1 << 2));
        set.set_grade(EffectId(127), 5);
        set.set_grade(EffectId(0), 3);
        set.set_grade(EffectId(0), 1);
        set.set_grade(EffectId(5), 0);
        let again = StateSet::of_planes(*set.planes());
        assert_eq!((again.present(), again.absent()), (1 | 1 << 127 | 1 << 5, 1 << 2));
        assert_eq!(again.assessed(), again.present() | again.absent());
        assert_eq!([127, 0, 5, 2, 3].map(|effect| again.grade(EffectId(effect))), [5, 1, 0, 0, 0]);
    }
}
