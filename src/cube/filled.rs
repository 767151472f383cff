//! How often each column has a value: counted in the pass over the sessions, without their patients.

use super::dimension::Dimension;
use super::fields::Fields;
use super::plan::{CubeKey, PlanError};
use crate::store::{Block, Coded, Domain};
use std::sync::{Mutex, PoisonError};

/// Which columns, over which sessions, divided how.
#[derive(Debug, Clone, PartialEq)]
pub struct FilledKey {
    /// Which sessions: every expression must hold.
    pub wheres: Vec<String>,
    /// Divided by the values of a column.
    pub by: Dimension,
    /// The columns.
    pub columns: Vec<String>,
}

impl FilledKey {
    /// The cube that needs the same of every session.
    pub(super) fn as_cube(&self) -> CubeKey {
        CubeKey { wheres: self.wheres.clone(), dimensions: vec![self.by.clone()], measures: Vec::new() }
    }
}

/// Counts of values.
#[derive(Debug, Clone)]
pub struct Filled {
    pub(super) key: FilledKey,
    /// Values of the dividing column, in order.
    pub texts: Vec<String>,
    /// Sessions of each.
    pub sessions: Vec<u64>,
    /// For each column, the sessions of each value that lack it.
    pub lacking: Vec<Vec<u64>>,
}

/// A count of values while blocks come in.
pub(super) struct Counting<'a> {
    key: &'a FilledKey,
    coded: usize,
    conditions: Vec<usize>,
    columns: Vec<usize>,
    counts: Mutex<Counts>,
}

#[derive(Default)]
struct Counts {
    domain: Domain,
    /// By number of the value: all sessions, then those that lack each column.
    by_value: Vec<Vec<u64>>,
}

impl<'a> Counting<'a> {
    /// Nothing counted yet.
    pub(super) fn new(key: &'a FilledKey, fields: &Fields) -> Result<Counting<'a>, PlanError> {
        let want = &fields.want;
        let place = |names: &[String], name: &str| {
            let unknown = || super::DimensionError::UnknownColumn { column: name.to_owned() };
            names.iter().position(|known| known == name).ok_or_else(unknown)
        };
        let of_filter = |text: &String| want.filters.iter().position(|filter| filter.text() == text);
        Ok(Counting {
            key,
            coded: place(&want.coded, &key.by.column)?,
            conditions: key.wheres.iter().filter_map(of_filter).collect(),
            columns: key.columns.iter().map(|name| place(&want.filled, name)).collect::<Result<_, _>>()?,
            counts: Mutex::new(Counts::default()),
        })
    }

    /// Counts a block.
    pub(super) fn take(&self, block: &Block) {
        let Coded { codes, values } = &block.coded[self.coded];
        let counts = |row: usize| codes[row] != Coded::MISSING && self.conditions.iter().all(|at| block.fits[*at][row]);
        let rows: Vec<usize> = (0..block.len()).filter(|row| counts(*row)).collect();
        let most = codes.iter().filter(|code| **code != Coded::MISSING).max().map_or(0, |code| *code as usize + 1);
        let mut all = vec![0u64; most];
        rows.iter().for_each(|row| all[codes[*row] as usize] += 1);
        let lacking = self.columns.iter().map(|column| {
            let mut lacking = vec![0u64; most];
            match &block.filled[*column] {
                Some(nulls) if nulls.null_count() == block.len() => lacking.clone_from(&all),
                Some(nulls) => {
                    let missing = rows.iter().filter(|row| nulls.is_null(**row));
                    missing.for_each(|row| lacking[codes[*row] as usize] += 1);
                }
                None => {}
            }
            lacking
        });
        let by_column: Vec<Vec<u64>> = std::iter::once(all.clone()).chain(lacking).collect();
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        let numbers = counts.domain.take(values, codes);
        let width = by_column.len();
        let values = counts.domain.len();
        counts.by_value.resize(values, vec![0; width]);
        for code in (0..most).filter(|code| all[*code] > 0) {
            let into = &mut counts.by_value[numbers[code] as usize];
            into.iter_mut().zip(&by_column).for_each(|(into, column)| *into += column[code]);
        }
    }

    /// The counts, values in order.
    pub(super) fn finish(self) -> Filled {
        let Counts { domain, by_value } = self.counts.into_inner().unwrap_or_else(PoisonError::into_inner);
        let (texts, places) = domain.in_order();
        let mut ordered = vec![vec![0; self.key.columns.len() + 1]; texts.len()];
        for (counts, place) in by_value.into_iter().zip(places) {
            ordered[place as usize] = counts;
        }
        let column = |at: usize| ordered.iter().map(|counts| counts[at]).collect();
        Filled {
            key: self.key.clone(),
            sessions: column(0),
            lacking: (1..=self.key.columns.len()).map(column).collect(),
            texts,
        }
    }
}
