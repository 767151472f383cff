//! A way to divide sessions: a column, or bands of a numeric column.

use crate::domain::codes::YesNo;
use crate::domain::columns;
use crate::store::{Labels, SessionTable};
use arrow::datatypes::DataType;
use thiserror::Error;

/// A column to divide by, with band edges where it is numeric.
#[derive(Debug, Clone, PartialEq)]
pub struct Dimension {
    /// Name of the column.
    pub column: String,
    /// Ascending edges of half-open bands: below the first, between two, from the last on. Empty = by value.
    pub edges: Vec<f64>,
}

/// Why sessions cannot be divided so.
#[derive(Debug, Error, PartialEq)]
pub enum DimensionError {
    /// There is no such column.
    #[error("a session has no column `{column}`")]
    UnknownColumn {
        /// The column.
        column: String,
    },
    /// A number with fractions has too many values to divide by.
    #[error("`{column}` is a number: give its bands, such as {{ {column} = [0.5, 1.0, 1.5] }}")]
    NeedsBands {
        /// The column.
        column: String,
    },
    /// Bands of something that is not a number.
    #[error("`{column}` is not a number, so it has no bands")]
    NoNumber {
        /// The column.
        column: String,
    },
    /// Edges that do not rise.
    #[error("the bands of `{column}` must rise from one edge to the next")]
    EdgesNotRising {
        /// The column.
        column: String,
    },
}

impl Dimension {
    /// The values of a column.
    #[must_use]
    pub fn column(name: &str) -> Dimension {
        Dimension { column: name.to_owned(), edges: Vec::new() }
    }

    /// Whether sessions can be divided so; any table has the columns.
    ///
    /// # Errors
    /// When the column does not exist or cannot be divided so.
    pub fn check(&self, table: &SessionTable) -> Result<(), DimensionError> {
        let column = || self.column.clone();
        let Some(values) = table.column(&self.column) else {
            return Err(DimensionError::UnknownColumn { column: column() });
        };
        let is_number = matches!(values.data_type(), DataType::Float64 | DataType::Int32);
        match self.edges.as_slice() {
            [] if *values.data_type() == DataType::Float64 => Err(DimensionError::NeedsBands { column: column() }),
            [] => Ok(()),
            edges if !edges.windows(2).all(|pair| pair[0] < pair[1]) => {
                Err(DimensionError::EdgesNotRising { column: column() })
            }
            _ if !is_number => Err(DimensionError::NoNumber { column: column() }),
            _ => Ok(()),
        }
    }

    /// Whether its values have an order of their own, so that one can ask whether something rises with them: bands,
    /// whole numbers, months, codes that are steps, and no and yes. Days are ordered, but every day would be a level.
    #[must_use]
    pub fn is_ordered(&self) -> bool {
        let empty = SessionTable::default();
        let whole = || empty.column(&self.column).is_some_and(|column| *column.data_type() == DataType::Int32);
        let no_and_yes = || empty.labels(&self.column).is_some_and(|labels| labels.texts == YesNo::CODES);
        !self.edges.is_empty() || whole() || columns::has_steps(&self.column) || no_and_yes()
    }

    /// Whether its values are days.
    #[must_use]
    pub fn is_days(&self) -> bool {
        SessionTable::default().dates(&self.column).is_some()
    }

    /// Whether two names are of one column: a skin type and its number say the same.
    #[must_use]
    pub fn are_one_column(one: &str, other: &str) -> bool {
        let stem = |name: &str| name.strip_suffix("_number").unwrap_or(name).to_owned();
        stem(one) == stem(other)
    }

    /// How many values it has, missing not among them, where that does not depend on the data.
    #[must_use]
    pub fn known_values(&self) -> Option<usize> {
        if !self.edges.is_empty() {
            return Some(self.edges.len() + 1);
        }
        let empty = SessionTable::default();
        match empty.column(&self.column)?.data_type() {
            DataType::Dictionary(key, _) if **key == DataType::UInt8 => {
                empty.labels(&self.column).map(|labels| labels.texts.len())
            }
            _ => None,
        }
    }

    /// Codes and texts of every session.
    ///
    /// # Errors
    /// When the column does not exist or cannot be divided so.
    pub fn labels(&self, table: &SessionTable) -> Result<Labels, DimensionError> {
        self.check(table)?;
        let column = || self.column.clone();
        if self.edges.is_empty() {
            return table.labels(&self.column).ok_or_else(|| DimensionError::NeedsBands { column: column() });
        }
        let numbers = table.numbers(&self.column).ok_or_else(|| DimensionError::NoNumber { column: column() })?;
        let band = |value: f64| u32::try_from(self.band(value)).unwrap_or(u32::MAX);
        Ok(Labels { codes: numbers.into_iter().map(|value| value.map(band)).collect(), texts: self.band_texts() })
    }

    /// Band of a number.
    pub(super) fn band(&self, value: f64) -> usize {
        self.edges.partition_point(|edge| *edge <= value)
    }

    /// `<0.5`, `0.5 to <1`, …, `>=2.5`.
    pub(super) fn band_texts(&self) -> Vec<String> {
        let mut texts = Vec::with_capacity(self.edges.len() + 1);
        if let (Some(first), Some(last)) = (self.edges.first(), self.edges.last()) {
            texts.push(format!("<{first}"));
            texts.extend(self.edges.windows(2).map(|pair| format!("{} to <{}", pair[0], pair[1])));
            texts.push(format!(">={last}"));
        }
        texts
    }
}
