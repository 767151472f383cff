//! How often each column has a value: counted in the pass over the sessions, without their patients.

use super::dimension::Dimension;
use super::fields::Fields;
use super::plan::{CubeKey, PlanError};
use crate::store::{Block, Coded, Domain, Held};
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
        Ok(Counting {
            key,
            coded: place(&want.coded, &key.by.column)?,
            conditions: fields.filters(&key.wheres),
            columns: key.columns.iter().map(|name| place(&want.filled, name)).collect::<Result<_, _>>()?,
            counts: Mutex::new(Counts::default()),
        })
    }

    /// Counts a block.
    pub(super) fn take(&self, block: &Block) {
        let Coded { codes, values } = &block.coded[self.coded];
        let most = codes.iter().filter(|code| **code != Coded::MISSING).max().map_or(0, |code| *code as usize + 1);
        // Where each session is counted; those that do not count have a place of their own behind the others.
        let counts = |row: usize| codes[row] != Coded::MISSING && self.conditions.iter().all(|at| block.fits[*at][row]);
        let slots: Vec<usize> =
            (0..block.len()).map(|row| if counts(row) { codes[row] as usize } else { most }).collect();
        let tally = |rows: &mut dyn Iterator<Item = usize>| {
            let mut tally = vec![0u64; most + 1];
            rows.for_each(|row| tally[slots[row]] += 1);
            tally
        };
        let all = tally(&mut (0..block.len()));
        let lacking = self.columns.iter().map(|column| match &block.filled[*column] {
            Held::Everywhere => vec![0; most],
            Held::Nowhere => all.clone(),
            // The fewer of both are gone through.
            Held::In(held) if 2 * held.count_set_bits() < held.len() => {
                let held = tally(&mut held.set_indices());
                all.iter().zip(held).map(|(all, held)| all - held).collect()
            }
            Held::In(held) => tally(&mut (!held).set_indices()),
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
