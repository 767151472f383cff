//! The plan of all cubes that a run needs: collected from every analysis, equal ones made once, filled by one scan.

use super::cell::{Cell, MeasureSums};
use super::dimension::{Dimension, DimensionError};
use super::scan;
use crate::domain::EffectId;
use crate::store::{Filter, FilterError, Labels, SessionTable, Settled};
use thiserror::Error;

/// Which sessions, divided how.
#[derive(Debug, Clone, PartialEq)]
pub struct CubeKey {
    /// Which sessions: `where` expressions that all must hold (cohort and analysis).
    pub wheres: Vec<String>,
    /// Divided by.
    pub dimensions: Vec<Dimension>,
    /// Numeric columns to sum in each cell.
    pub measures: Vec<String>,
}

/// Why a plan cannot be carried out.
#[derive(Debug, Error)]
pub enum PlanError {
    /// The sessions cannot be divided so.
    #[error(transparent)]
    Dimension(#[from] DimensionError),
    /// The sessions cannot be chosen so.
    #[error(transparent)]
    Filter(#[from] FilterError),
    /// The division has more cells than a cube may hold.
    #[error("dividing by {dimensions} makes {cells} groups, more than {most}; divide by fewer columns or wider bands")]
    TooManyCells {
        /// The columns.
        dimensions: String,
        /// Cells that it would have.
        cells: u64,
        /// Cells that a cube may have.
        most: u64,
    },
}

/// All cubes that a run needs.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    keys: Vec<CubeKey>,
}

impl Plan {
    /// Asks for a cube; one that was asked for before is not made twice.
    pub fn need(&mut self, key: CubeKey) {
        if !self.keys.contains(&key) {
            self.keys.push(key);
        }
    }

    /// Number of different cubes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether no cube is needed.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// Fills every cube in one pass over the sessions.
    ///
    /// # Errors
    /// When sessions cannot be chosen or divided as asked.
    pub fn fill(&self, table: &SessionTable, settled: &Settled, effects: usize) -> Result<Cubes, PlanError> {
        let mut prepared = Vec::with_capacity(self.keys.len());
        for key in &self.keys {
            prepared.push(Prepared::of(key, table)?);
        }
        let filled = scan::fill(&prepared, table, settled, effects);
        let cubes = self
            .keys
            .iter()
            .zip(prepared)
            .zip(filled)
            .map(|((key, prepared), filled)| Cube {
                key: key.clone(),
                texts: prepared.dimensions.into_iter().map(|labels| labels.texts).collect(),
                sizes: prepared.sizes,
                effects,
                filled,
            })
            .collect();
        Ok(Cubes { cubes })
    }
}

/// A cube's way from session to cell: the code of each dimension, and which sessions count.
pub(super) struct Prepared {
    pub(super) dimensions: Vec<Labels>,
    pub(super) measures: Vec<Vec<Option<f64>>>,
    /// For each dimension its number of texts and one more for missing.
    pub(super) sizes: Vec<usize>,
    /// Cell of each session; `None` = the session does not count here.
    pub(super) cell_of: Vec<Option<u32>>,
}

/// Most cells of a cube.
const MOST_CELLS: u64 = 1_000_000;

impl Prepared {
    fn of(key: &CubeKey, table: &SessionTable) -> Result<Prepared, PlanError> {
        let mut counts = vec![true; table.len()];
        for text in &key.wheres {
            let fits = Filter::parse(text)?.rows(table)?;
            counts.iter_mut().zip(fits).for_each(|(counts, fits)| *counts &= fits);
        }
        let dimensions: Vec<Labels> =
            key.dimensions.iter().map(|dimension| dimension.labels(table)).collect::<Result<_, _>>()?;
        let sizes: Vec<usize> = dimensions.iter().map(|labels| labels.texts.len() + 1).collect();
        let cells = sizes.iter().try_fold(1u64, |cells, size| cells.checked_mul(*size as u64)).unwrap_or(u64::MAX);
        if cells > MOST_CELLS {
            let names: Vec<&str> = key.dimensions.iter().map(|dimension| dimension.column.as_str()).collect();
            return Err(PlanError::TooManyCells { dimensions: names.join(", "), cells, most: MOST_CELLS });
        }
        let mut cell_of: Vec<Option<u32>> = counts.into_iter().map(|counts| counts.then_some(0)).collect();
        for (labels, size) in dimensions.iter().zip(&sizes) {
            let size = u32::try_from(*size).unwrap_or(u32::MAX);
            for (cell, code) in cell_of.iter_mut().zip(&labels.codes) {
                if let Some(cell) = cell {
                    *cell = *cell * size + code.unwrap_or(size - 1);
                }
            }
        }
        let measures = key.measures.iter().map(|name| table.numbers(name).unwrap_or_default()).collect();
        Ok(Prepared { dimensions, measures, sizes, cell_of })
    }

    pub(super) fn cells(&self) -> usize {
        self.sizes.iter().product()
    }
}

/// The filled cubes of a run.
#[derive(Debug, Clone, Default)]
pub struct Cubes {
    cubes: Vec<Cube>,
}

impl Cubes {
    /// The cube of a key that the plan held.
    #[must_use]
    pub fn get(&self, key: &CubeKey) -> Option<&Cube> {
        self.cubes.iter().find(|cube| cube.key == *key)
    }
}

/// A filled cube.
#[derive(Debug, Clone)]
pub struct Cube {
    key: CubeKey,
    texts: Vec<Vec<String>>,
    sizes: Vec<usize>,
    effects: usize,
    filled: Filled,
}

/// Accumulators of a cube, by cell.
#[derive(Debug, Clone, Default)]
pub struct Filled {
    /// Sessions of each cell.
    pub sessions: Vec<u64>,
    /// `cells[cell * effects + effect]`.
    pub cells: Vec<Cell>,
    /// `measures[cell * measures + measure]`.
    pub measures: Vec<MeasureSums>,
}

/// A cell with its group: the `(column, text)` pairs, `None` = missing.
#[derive(Debug, Clone, Copy)]
pub struct CellView<'a> {
    cube: &'a Cube,
    index: usize,
}

impl Cube {
    /// Cells that hold sessions, in the order of the dimensions' texts, missing last.
    pub fn cells(&self) -> impl Iterator<Item = CellView<'_>> {
        (0..self.filled.sessions.len())
            .filter(|index| self.filled.sessions[*index] > 0)
            .map(move |index| CellView { cube: self, index })
    }

    /// Cells in order, with the empty ones: for grids that show where there is no data.
    pub fn all_cells(&self) -> impl Iterator<Item = CellView<'_>> {
        (0..self.filled.sessions.len()).map(move |index| CellView { cube: self, index })
    }
}

impl<'a> CellView<'a> {
    /// `(column, text)` of each dimension; `None` = missing.
    #[must_use]
    pub fn group(&self) -> Vec<(&'a str, Option<&'a str>)> {
        let mut rest = self.index;
        let mut codes = vec![0; self.cube.sizes.len()];
        for (code, size) in codes.iter_mut().zip(&self.cube.sizes).rev() {
            *code = rest % size;
            rest /= size;
        }
        let names = self.cube.key.dimensions.iter().map(|dimension| dimension.column.as_str());
        names
            .zip(codes.iter().zip(&self.cube.texts))
            .map(|(name, (code, texts))| (name, texts.get(*code).map(String::as_str)))
            .collect()
    }

    /// Place of the first dimension's value among its texts; `None` = missing.
    #[must_use]
    pub fn level(&self) -> Option<usize> {
        let inner: usize = self.cube.sizes.iter().skip(1).product();
        let code = self.index / inner.max(1);
        self.cube.texts.first().and_then(|texts| (code < texts.len()).then_some(code))
    }

    /// Sessions of the cell.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.cube.filled.sessions[self.index]
    }

    /// Counts of a side effect.
    #[must_use]
    pub fn cell(&self, effect: EffectId) -> &'a Cell {
        &self.cube.filled.cells[self.index * self.cube.effects + effect.index()]
    }

    /// Sums of a measure, in the order of the key.
    #[must_use]
    pub fn measure(&self, at: usize) -> &'a MeasureSums {
        &self.cube.filled.measures[self.index * self.cube.key.measures.len() + at]
    }
}
