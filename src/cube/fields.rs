//! What each session is divided by, packed into few words: a field for every dimension, one bit for every condition.

use super::dimension::{Dimension, DimensionError};
use super::plan::{CubeKey, PlanError};
use crate::store::{Block, Coded, Domain, Filter, SessionTable, Want};
use arrow::datatypes::DataType;

/// Bits of a field whose values are met on the way: as many as a cube may have cells.
const OPEN_BITS: u32 = 20;
/// Bits of a word.
const WORD: u32 = u64::BITS;

/// Where a field stands in the words of a session.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Field {
    word: usize,
    shift: u32,
    bits: u32,
}

impl Field {
    /// The field's value: 0 = missing (or no), else one more than its code.
    pub(super) fn of(self, words: &[u64]) -> usize {
        let value = words[self.word] >> self.shift & (u64::MAX >> (WORD - self.bits));
        usize::try_from(value).unwrap_or(usize::MAX)
    }
}

/// Where a dimension's codes come from.
#[derive(Debug, Clone)]
enum Source {
    /// A coded column, by its place among those wanted.
    Coded(usize),
    /// Bands of a number, by its place among those wanted.
    Bands(usize),
}

/// The fields of a plan and what must be read for them.
#[derive(Debug, Clone, Default)]
pub(super) struct Fields {
    dimensions: Vec<(Dimension, Source, Field)>,
    conditions: Vec<(String, Field)>,
    measures: Vec<(String, usize)>,
    /// What must be read.
    pub(super) want: Want,
    /// Words of a session.
    pub(super) words: usize,
    used_bits: u32,
}

impl Fields {
    /// The fields of some cubes.
    ///
    /// # Errors
    /// When there is no such column, or sessions cannot be divided or chosen so.
    pub(super) fn of<'k>(keys: impl Iterator<Item = &'k CubeKey>) -> Result<Fields, PlanError> {
        let empty = SessionTable::default();
        let mut fields = Fields { words: 1, ..Fields::default() };
        for key in keys {
            for dimension in &key.dimensions {
                fields.add_dimension(dimension, &empty)?;
            }
            for text in &key.wheres {
                fields.add_condition(text)?;
            }
            for name in &key.measures {
                if !fields.measures.iter().any(|(known, _)| known == name) {
                    let number = place(&mut fields.want.numbers, name);
                    fields.measures.push((name.clone(), number));
                }
            }
        }
        Ok(fields)
    }

    fn add_dimension(&mut self, dimension: &Dimension, empty: &SessionTable) -> Result<(), DimensionError> {
        if self.dimensions.iter().any(|(known, ..)| known == dimension) {
            return Ok(());
        }
        dimension.check(empty)?;
        let (source, bits) = if dimension.edges.is_empty() {
            let closed = matches!(empty.column(&dimension.column).map(|column| column.data_type()),
                Some(DataType::Dictionary(key, _)) if **key == DataType::UInt8);
            let bits = if closed { u8::BITS + 1 } else { OPEN_BITS };
            (Source::Coded(place(&mut self.want.coded, &dimension.column)), bits)
        } else {
            let values = dimension.edges.len() as u64 + 2;
            (Source::Bands(place(&mut self.want.numbers, &dimension.column)), WORD - values.leading_zeros())
        };
        let field = self.field(bits);
        self.dimensions.push((dimension.clone(), source, field));
        Ok(())
    }

    fn add_condition(&mut self, text: &str) -> Result<(), PlanError> {
        if !self.conditions.iter().any(|(known, _)| known == text) {
            self.want.filters.push(Filter::parse(text)?);
            let field = self.field(1);
            self.conditions.push((text.to_owned(), field));
        }
        Ok(())
    }

    fn field(&mut self, bits: u32) -> Field {
        if self.used_bits + bits > WORD {
            self.words += 1;
            self.used_bits = 0;
        }
        let field = Field { word: self.words - 1, shift: self.used_bits, bits };
        self.used_bits += bits;
        field
    }

    /// Number of measures.
    pub(super) fn measures(&self) -> usize {
        self.measures.len()
    }

    /// Place of a measure.
    pub(super) fn measure(&self, name: &str) -> Option<usize> {
        self.measures.iter().position(|(known, _)| known == name)
    }

    /// Place of a dimension, and its field.
    pub(super) fn dimension(&self, dimension: &Dimension) -> Option<(usize, Field)> {
        let at = self.dimensions.iter().position(|(known, ..)| known == dimension)?;
        Some((at, self.dimensions[at].2))
    }

    /// Field of a condition.
    pub(super) fn condition(&self, text: &str) -> Option<Field> {
        self.conditions.iter().find(|(known, _)| known == text).map(|(_, field)| *field)
    }

    /// Places of conditions among the filters.
    pub(super) fn filters(&self, texts: &[String]) -> Vec<usize> {
        let place = |text: &String| self.want.filters.iter().position(|filter| filter.text() == text);
        texts.iter().filter_map(place).collect()
    }

    /// A domain for each dimension that is met on the way.
    pub(super) fn domains(&self) -> Vec<Domain> {
        vec![Domain::default(); self.dimensions.len()]
    }

    /// Takes the values of a block into the domains, and gives for each dimension the number of each code.
    ///
    /// # Errors
    /// When a dimension has more values than a cube may have cells.
    pub(super) fn renumber(&self, block: &Block, domains: &mut [Domain]) -> Result<Vec<Vec<u32>>, PlanError> {
        let most = (1u64 << OPEN_BITS) - 1;
        let mut numbers = Vec::with_capacity(self.dimensions.len());
        for ((dimension, source, _), domain) in self.dimensions.iter().zip(domains) {
            numbers.push(match source {
                Source::Coded(at) => domain.take(&block.coded[*at].values, &block.coded[*at].codes),
                Source::Bands(_) => Vec::new(),
            });
            if domain.len() as u64 >= most {
                return Err(PlanError::TooManyCells {
                    dimensions: dimension.column.clone(),
                    cells: domain.len() as u64,
                    most,
                });
            }
        }
        Ok(numbers)
    }

    /// The words of a block's sessions.
    pub(super) fn pack(&self, block: &Block, numbers: &[Vec<u32>]) -> Vec<u64> {
        let mut words = vec![0u64; block.len() * self.words];
        for ((dimension, source, field), numbers) in self.dimensions.iter().zip(numbers) {
            let slots = words[field.word..].iter_mut().step_by(self.words);
            match source {
                Source::Coded(at) => {
                    for (slot, code) in slots.zip(&block.coded[*at].codes) {
                        let value = if *code == Coded::MISSING { 0 } else { u64::from(numbers[*code as usize]) + 1 };
                        *slot |= value << field.shift;
                    }
                }
                Source::Bands(at) => {
                    for (slot, number) in slots.zip(&block.numbers[*at]) {
                        let value = number.map_or(0, |number| dimension.band(number) as u64 + 1);
                        *slot |= value << field.shift;
                    }
                }
            }
        }
        for ((_, field), fits) in self.conditions.iter().zip(&block.fits) {
            for (slot, fits) in words[field.word..].iter_mut().step_by(self.words).zip(fits) {
                *slot |= u64::from(*fits) << field.shift;
            }
        }
        words
    }

    /// The measures of a block's sessions, as whole numbers.
    pub(super) fn measured(&self, block: &Block) -> Vec<i64> {
        let mut values = vec![super::tally::NO_MEASURE; block.len() * self.measures.len()];
        for (at, (_, number)) in self.measures.iter().enumerate() {
            let slots = values[at..].iter_mut().step_by(self.measures.len());
            for (slot, value) in slots.zip(&block.numbers[*number]) {
                if let Some(value) = value {
                    #[expect(
                        clippy::cast_possible_truncation,
                        reason = "values are within the limits of their columns"
                    )]
                    let fixed = (value * super::tally::MEASURE_SCALE).round() as i64;
                    *slot = fixed;
                }
            }
        }
        values
    }

    /// Texts of a dimension in order, and the place of each value among them.
    pub(super) fn texts(&self, at: usize, domain: &Domain) -> (Vec<String>, Vec<u32>) {
        let (dimension, source, _) = &self.dimensions[at];
        match source {
            Source::Bands(_) => {
                let texts = dimension.band_texts();
                let places = (0u32..).take(texts.len()).collect();
                (texts, places)
            }
            // A closed list belongs to the result whole, also where there was no block.
            Source::Coded(_) if domain.is_empty() => {
                let labels = SessionTable::default().labels(&dimension.column);
                let texts = labels.map(|labels| labels.texts).unwrap_or_default();
                let places = (0u32..).take(texts.len()).collect();
                (texts, places)
            }
            Source::Coded(_) => domain.in_order(),
        }
    }
}

/// Place of a name in a list, into which it comes if it is not there.
fn place(names: &mut Vec<String>, name: &str) -> usize {
    names.iter().position(|known| known == name).unwrap_or_else(|| {
        names.push(name.to_owned());
        names.len() - 1
    })
}
