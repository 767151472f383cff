//! The plan of all cubes that a run needs: collected from every analysis, equal ones made once, filled by one scan.

use super::cell::{Cell, MeasureSums};
use super::dimension::{Dimension, DimensionError};
use super::fields::Fields;
use super::filled::{Counting, Filled, FilledKey};
use super::kernel::{self, Counted, Filling, Gathered};
use super::kinds::Kind;
use super::patterns::{PatternKey, Patterns, Reading};
use super::records::Width;
use super::rollup::{self, RollUp};
use super::tally::{Settled, Tally};
use crate::domain::EffectId;
use crate::store::{Block, BlockError, Blocks, Domain, FilterError, Want};
use std::sync::Arc;
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
    /// The sessions cannot be read.
    #[error(transparent)]
    Block(#[from] BlockError),
    /// A temporary file cannot be used.
    #[error("a temporary file cannot be used: {0}")]
    Temporary(#[from] std::io::Error),
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
    filled: Vec<FilledKey>,
    patterns: Vec<PatternKey>,
    grades: bool,
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

    /// Asks for a count of values; one that was asked for before is not made twice.
    pub fn need_filled(&mut self, key: FilledKey) {
        if !self.filled.contains(&key) {
            self.filled.push(key);
        }
    }

    /// Asks for patterns; those that were asked for before are not made twice.
    pub fn need_patterns(&mut self, key: PatternKey) {
        if !self.patterns.contains(&key) {
            self.patterns.push(key);
        }
    }

    /// Asks that the cubes tell the worst grades too.
    pub fn need_grades(&mut self) {
        self.grades = true;
    }

    /// The cubes that are asked for.
    #[must_use]
    pub fn keys(&self) -> &[CubeKey] {
        &self.keys
    }

    /// For each of [`Plan::keys`] the cube that it is rolled up from, if it is.
    #[must_use]
    pub fn bases(&self) -> Vec<Option<&CubeKey>> {
        rollup::bases(&self.keys).into_iter().map(|base| base.map(|base| &self.keys[base])).collect()
    }

    /// The patterns that are asked for.
    #[must_use]
    pub fn patterns(&self) -> &[PatternKey] {
        &self.patterns
    }

    /// What must be read of every session.
    ///
    /// # Errors
    /// When sessions cannot be chosen or divided as asked.
    pub fn want(&self) -> Result<Want, PlanError> {
        Ok(self.fields()?.want)
    }

    /// Bytes that are kept of every session between the two passes, over so many side effects.
    ///
    /// # Errors
    /// When sessions cannot be chosen or divided as asked.
    pub fn bytes_a_session(&self, effects: usize) -> Result<usize, PlanError> {
        Ok(Width::of(&self.fields()?, effects).bytes())
    }

    fn fields(&self) -> Result<Fields, PlanError> {
        let of_filled = self.filled.iter().map(FilledKey::as_cube);
        let counted: Vec<CubeKey> = of_filled.chain(self.patterns.iter().map(PatternKey::as_cube)).collect();
        let mut fields = Fields::of(self.keys.iter().chain(&counted))?;
        for key in &self.filled {
            let new = key.columns.iter().filter(|column| !fields.want.filled.contains(column)).cloned();
            let new: Vec<String> = new.collect();
            fields.want.filled.extend(new);
        }
        fields.want.grades = self.grades;
        let counted = self.keys.iter().chain(&counted).map(|key| fields.filters(&key.wheres)).collect();
        fields.want.counted = counted;
        Ok(fields)
    }

    /// The pass over the sessions: each is read once. About `memory` bytes are used for what is kept of them, more goes
    /// to temporary files.
    ///
    /// # Errors
    /// When sessions cannot be read, chosen or divided as asked.
    pub fn scan(&self, blocks: &dyn Blocks, memory: usize) -> Result<Scanned<'_>, PlanError> {
        let fields = self.fields()?;
        let counting: Vec<Counting<'_>> =
            self.filled.iter().map(|key| Counting::new(key, &fields)).collect::<Result<_, _>>()?;
        let each = |block: &Block| counting.iter().for_each(|counting| counting.take(block));
        let width = Width::of(&fields, blocks.effects());
        let gathered = kernel::gather(blocks, &fields, (width, memory, &each))?;
        let filled = counting.into_iter().map(Counting::finish).collect();
        Ok(Scanned { plan: self, fields, width, gathered, filled })
    }

    /// Both passes.
    ///
    /// # Errors
    /// When sessions cannot be read, chosen or divided as asked.
    pub fn fill(&self, blocks: &dyn Blocks, memory: usize) -> Result<Cubes, PlanError> {
        self.scan(blocks, memory)?.by_patient()
    }
}

/// What the pass over the sessions leaves for the pass over their patients.
pub struct Scanned<'a> {
    plan: &'a Plan,
    fields: Fields,
    width: Width,
    gathered: Gathered,
    filled: Vec<Filled>,
}

impl Scanned<'_> {
    /// The pass over the patients, which fills every cube.
    ///
    /// # Errors
    /// When a cube would have too many cells, or temporary files cannot be read.
    pub fn by_patient(self) -> Result<Cubes, PlanError> {
        let Scanned { plan, fields, width, gathered, filled } = self;
        let Gathered { divided, domains, sessions, uncoded } = gathered;
        let shapes: Vec<Shape> =
            plan.keys.iter().map(|key| Shape::of(key, &fields, &domains)).collect::<Result<_, _>>()?;
        let bases = rollup::bases(&plan.keys);
        let fillings: Vec<Filling> = shapes
            .iter()
            .zip(bases)
            .map(|(shape, base)| Filling {
                rolled_up: base.map(|base| RollUp { base, cells: shape.cells_in(&shapes[base]) }),
                ..shape.filling(&fields)
            })
            .collect();
        let readings = plan.patterns.iter().map(|key| Reading::of(key, &fields, &domains)).collect();
        let spilled_bytes = divided.spilled_bytes();
        let Counted { tallies, kinds, patterns } = kernel::fill(divided, (&fillings, readings), width)?;
        let cubes = shapes.into_iter().zip(tallies).map(|(shape, tally)| Cube::of(shape, tally, &kinds)).collect();
        Ok(Cubes { cubes, filled, patterns, sessions, uncoded, spilled_bytes })
    }
}

/// Most cells of a cube.
const MOST_CELLS: u64 = 1_000_000;

/// A cube's dimensions once their values are known.
struct Shape {
    key: CubeKey,
    texts: Vec<Vec<String>>,
    /// For each dimension its number of texts and one more for missing.
    sizes: Vec<usize>,
    /// For each dimension, the place of each value among its texts.
    places: Vec<Vec<u32>>,
}

impl Shape {
    fn of(key: &CubeKey, fields: &Fields, domains: &[Domain]) -> Result<Shape, PlanError> {
        let (mut texts, mut places) = (Vec::new(), Vec::new());
        for dimension in &key.dimensions {
            let Some((at, _)) = fields.dimension(dimension) else { continue };
            let (of_dimension, place) = fields.texts(at, &domains[at]);
            texts.push(of_dimension);
            places.push(place);
        }
        let sizes: Vec<usize> = texts.iter().map(|texts| texts.len() + 1).collect();
        let cells = sizes.iter().try_fold(1u64, |cells, size| cells.checked_mul(*size as u64)).unwrap_or(u64::MAX);
        if cells > MOST_CELLS {
            let names: Vec<&str> = key.dimensions.iter().map(|dimension| dimension.column.as_str()).collect();
            return Err(PlanError::TooManyCells { dimensions: names.join(", "), cells, most: MOST_CELLS });
        }
        Ok(Shape { key: key.clone(), texts, sizes, places })
    }

    fn filling(&self, fields: &Fields) -> Filling {
        let mut step = 1;
        let mut dimensions = Vec::with_capacity(self.sizes.len());
        for ((dimension, size), places) in self.key.dimensions.iter().zip(&self.sizes).zip(&self.places).rev() {
            let Some((_, field)) = fields.dimension(dimension) else { continue };
            let number = |place: usize| u32::try_from(place * step).unwrap_or(u32::MAX);
            // The field's value 0 stands for missing, which comes last.
            let missing = number(size - 1);
            let steps = std::iter::once(missing).chain(places.iter().map(|place| number(*place as usize))).collect();
            dimensions.push((field, steps));
            step *= size;
        }
        dimensions.reverse();
        Filling {
            cells: step,
            conditions: self.key.wheres.iter().filter_map(|text| fields.condition(text)).collect(),
            dimensions,
            measures: self.key.measures.iter().filter_map(|name| fields.measure(name)).collect(),
            rolled_up: None,
        }
    }

    /// For each cell of a finer cube the cell here.
    fn cells_in(&self, finer: &Shape) -> Vec<u32> {
        let place = |dimension: &Dimension| finer.key.dimensions.iter().position(|other| other == dimension);
        let kept: Vec<usize> = self.key.dimensions.iter().filter_map(place).collect();
        rollup::cells(&finer.sizes, &kept)
    }
}

/// The filled cubes of a run.
#[derive(Debug, Clone, Default)]
pub struct Cubes {
    cubes: Vec<Cube>,
    filled: Vec<Filled>,
    patterns: Vec<Patterns>,
    sessions: u64,
    uncoded: u64,
    spilled_bytes: u64,
}

impl Cubes {
    /// The cube of a key that the plan held.
    #[must_use]
    pub fn get(&self, key: &CubeKey) -> Option<&Cube> {
        self.cubes.iter().find(|cube| cube.key == *key)
    }

    /// The count of values of a key that the plan held.
    #[must_use]
    pub fn filled(&self, key: &FilledKey) -> Option<&Filled> {
        self.filled.iter().find(|filled| filled.key == *key)
    }

    /// The patterns of a key that the plan held.
    #[must_use]
    pub fn patterns(&self, key: &PatternKey) -> Option<&Patterns> {
        self.patterns.iter().find(|patterns| patterns.key == *key)
    }

    /// Number of all sessions that were read, whether any cube counts them or not.
    #[must_use]
    pub fn all_sessions(&self) -> u64 {
        self.sessions
    }

    /// Those of [`Cubes::all_sessions`] with a side effect that nobody has coded.
    #[must_use]
    pub fn all_uncoded(&self) -> u64 {
        self.uncoded
    }

    /// Bytes that did not fit the memory and went to temporary files.
    #[must_use]
    pub fn spilled_bytes(&self) -> u64 {
        self.spilled_bytes
    }
}

/// A filled cube.
#[derive(Debug, Clone)]
pub struct Cube {
    key: CubeKey,
    texts: Vec<Vec<String>>,
    sizes: Vec<usize>,
    /// Cells that hold sessions, in order.
    cells: Vec<(usize, Settled)>,
    nothing: Settled,
    patients_in_several: u64,
}

/// A cell with its group: the `(column, text)` pairs, `None` = missing.
#[derive(Debug, Clone, Copy)]
pub struct CellView<'a> {
    cube: &'a Cube,
    index: usize,
    counts: &'a Settled,
}

impl Cube {
    fn of(shape: Shape, tally: Tally, kinds: &Arc<[Kind]>) -> Cube {
        let Shape { key, texts, sizes, .. } = shape;
        let patients_in_several = tally.patients_in_several;
        let cells = tally.settle(kinds);
        Cube { key, texts, sizes, cells, nothing: Settled::default(), patients_in_several }
    }

    /// Cells that hold sessions, in the order of the dimensions' texts, missing last.
    pub fn cells(&self) -> impl Iterator<Item = CellView<'_>> {
        self.cells.iter().map(|(index, counts)| CellView { cube: self, index: *index, counts })
    }

    /// Cells in order, with the empty ones: for grids that show where there is no data.
    pub fn all_cells(&self) -> impl Iterator<Item = CellView<'_>> {
        let mut held = self.cells.iter().peekable();
        (0..self.sizes.iter().product()).map(move |index| {
            let counts = held.next_if(|(cell, _)| *cell == index).map_or(&self.nothing, |(_, counts)| counts);
            CellView { cube: self, index, counts }
        })
    }

    /// Texts of the first dimension, in order.
    #[must_use]
    pub fn levels(&self) -> &[String] {
        self.texts.first().map_or(&[], Vec::as_slice)
    }

    /// Sessions of all cells.
    #[must_use]
    pub fn sessions(&self) -> u64 {
        self.cells.iter().map(|(_, counts)| counts.sessions).sum()
    }

    /// Patients with sessions in more than one value of the first dimension (missing not counted).
    #[must_use]
    pub fn patients_in_several(&self) -> u64 {
        self.patients_in_several
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
        self.counts.sessions
    }

    /// Counts of a side effect.
    #[must_use]
    pub fn cell(&self, effect: EffectId) -> Cell {
        self.counts.cell(effect)
    }

    /// Counts of a side effect at grade 3 or worse, where the plan asked for grades.
    #[must_use]
    pub fn severe_cell(&self, effect: EffectId) -> Cell {
        self.counts.severe_cell(effect)
    }

    /// Sessions with a side effect by its worst grade there, 0 = none stated, where the plan asked for grades.
    #[must_use]
    pub fn sessions_by_grade(&self, effect: EffectId) -> [u64; 6] {
        self.counts.sessions_by_grade(effect)
    }

    /// Patients with a side effect by its worst grade, 0 = none stated, where the plan asked for grades.
    #[must_use]
    pub fn patients_by_grade(&self, effect: EffectId) -> [u64; 6] {
        self.counts.patients_by_grade(effect)
    }

    /// Sums of a measure, in the order of the key.
    #[must_use]
    pub fn measure(&self, at: usize) -> MeasureSums {
        self.counts.measure(at)
    }
}
