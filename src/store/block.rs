//! Sessions as a count takes them: in blocks, each with only the columns that are wanted, as small numbers.

use super::coded::Coded;
use super::filter::{Filter, FilterError};
use super::lake::StoreError;
use super::states::Settled;
use super::table::SessionTable;
use crate::domain::EffectId;
use arrow::array::Array;
use arrow::buffer::BooleanBuffer;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;
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

/// The worst grades of a session over all side effects: plane `i` holds bit `i` of every grade.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Grades([u128; 3]);

impl Grades {
    /// Enters the grade of a side effect that has none yet.
    pub fn set(&mut self, effect: EffectId, grade: u8) {
        for (at, plane) in self.0.iter_mut().enumerate() {
            *plane |= u128::from(grade >> at & 1) << effect.index();
        }
    }

    /// Grade of a side effect; 0 = none stated.
    #[must_use]
    pub fn of(&self, effect: EffectId) -> u8 {
        let set = |plane: &u128| u8::from(plane >> effect.index() & 1 != 0);
        self.0.iter().rev().fold(0, |grade, plane| grade << 1 | set(plane))
    }
}

/// The states of a session over all side effects, one bit each.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StateSet {
    /// Present.
    pub present: u128,
    /// Confirmed absent.
    pub absent: u128,
    /// Worst grade of those present of which one is stated, where grades were wanted.
    pub grades: Grades,
}

/// Different states, each with a number.
#[derive(Debug, Clone, Default)]
pub struct NumberedStates {
    numbers: HashMap<StateSet, u32, FxBuildHasher>,
    sets: Vec<StateSet>,
}

impl NumberedStates {
    /// The states of some sessions as numbers, and the different ones.
    pub(super) fn of(sessions: &[StateSet]) -> (Vec<u32>, Vec<StateSet>) {
        let mut numbered = NumberedStates::default();
        let mut numbers: Vec<u32> = Vec::with_capacity(sessions.len());
        for (at, set) in sessions.iter().enumerate() {
            // Sessions without a side effect are often alike, one after another.
            let before = at.checked_sub(1).filter(|before| sessions[*before] == *set);
            numbers.push(before.map_or_else(|| numbered.number(set), |before| numbers[before]));
        }
        (numbers, numbered.sets)
    }

    /// The number of some states: the next one where they are met for the first time.
    pub fn number(&mut self, set: &StateSet) -> u32 {
        if let Some(number) = self.numbers.get(set) {
            return *number;
        }
        let next = u32::try_from(self.sets.len()).unwrap_or(u32::MAX);
        self.numbers.insert(*set, next);
        self.sets.push(*set);
        next
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.sets.len()
    }

    /// Whether none was met.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.sets.is_empty()
    }

    /// The states, by their numbers.
    #[must_use]
    pub fn into_sets(self) -> Vec<StateSet> {
        self.sets
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
    /// Index of each session's states in `sets`.
    pub states: Vec<u32>,
    /// The different states of the block.
    pub sets: Vec<StateSet>,
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

    fn read(&self, part: usize, want: &Want, take: &mut dyn FnMut(Block)) -> Result<(), BlockError> {
        let from = part * PART_ROWS;
        let rows = PART_ROWS.min(self.table.len() - from);
        let table = self.table.slice(from, rows);
        let (states, sets) = self.settled.sets(from..from + rows, want.grades);
        let patients = table.patients().iter().copied().map(u64::from).collect();
        let filled = want.filled.iter().map(|name| held(&table, name)).collect::<Result<_, _>>()?;
        take(Block { filled, ..block(&table, want, (patients, states, sets))? });
        Ok(())
    }
}

/// A block of a table's sessions, but for where its columns have values.
pub(super) fn block(
    table: &SessionTable,
    want: &Want,
    (patients, states, sets): (Vec<u64>, Vec<u32>, Vec<StateSet>),
) -> Result<Block, BlockError> {
    let unknown = |column: &String| BlockError::Column { column: column.clone() };
    let coded =
        want.coded.iter().map(|name| table.coded(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    let numbers =
        want.numbers.iter().map(|name| table.numbers(name).ok_or_else(|| unknown(name))).collect::<Result<_, _>>()?;
    let fits = want.filters.iter().map(|filter| filter.rows(table)).collect::<Result<_, _>>()?;
    Ok(Block { outside: false, patients, states, sets, coded, numbers, fits, filled: Vec::new() })
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
