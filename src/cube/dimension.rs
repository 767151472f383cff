//! A way to divide sessions: a column, or bands of a numeric column.

use crate::store::{Labels, SessionTable};
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

    /// Codes and texts of every session.
    ///
    /// # Errors
    /// When the column does not exist or cannot be divided so.
    pub fn labels(&self, table: &SessionTable) -> Result<Labels, DimensionError> {
        let column = || self.column.clone();
        if table.column(&self.column).is_none() {
            return Err(DimensionError::UnknownColumn { column: column() });
        }
        if self.edges.is_empty() {
            return table.labels(&self.column).ok_or_else(|| DimensionError::NeedsBands { column: column() });
        }
        if !self.edges.windows(2).all(|pair| pair[0] < pair[1]) {
            return Err(DimensionError::EdgesNotRising { column: column() });
        }
        let numbers = table.numbers(&self.column).ok_or_else(|| DimensionError::NoNumber { column: column() })?;
        let band = |value: f64| u32::try_from(self.edges.partition_point(|edge| *edge <= value)).unwrap_or(u32::MAX);
        Ok(Labels { codes: numbers.into_iter().map(|value| value.map(band)).collect(), texts: self.band_texts() })
    }

    /// `<0.5`, `0.5 to <1`, …, `>=2.5`.
    fn band_texts(&self) -> Vec<String> {
        let mut texts = Vec::with_capacity(self.edges.len() + 1);
        if let (Some(first), Some(last)) = (self.edges.first(), self.edges.last()) {
            texts.push(format!("<{first}"));
            texts.extend(self.edges.windows(2).map(|pair| format!("{} to <{}", pair[0], pair[1])));
            texts.push(format!(">={last}"));
        }
        texts
    }
}
