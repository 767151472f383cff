//! `where`: an SQL expression over the columns of the session table, answered by Polars.

use super::table::SessionTable;
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType as ArrowType, Date32Type, Float64Type, Int32Type, UInt8Type, UInt32Type};
use polars::prelude::{Column, DataFrame, DataType, Expr, IntoColumn, IntoLazy, NamedFrom, Operator, Series, lit};
use std::sync::Arc;
use thiserror::Error;

/// Why a `where` expression cannot be used.
#[derive(Debug, Error)]
pub enum FilterError {
    /// It is not an SQL expression.
    #[error("`{expression}` is not an SQL expression: {reason}")]
    Syntax {
        /// The expression.
        expression: String,
        /// What the parser says.
        reason: String,
    },
    /// It names a column that does not exist.
    #[error("`{expression}` names the column `{column}`, which a session does not have")]
    UnknownColumn {
        /// The expression.
        expression: String,
        /// The column.
        column: String,
    },
    /// It cannot be answered, or does not say yes or no.
    #[error("`{expression}` cannot be answered: {reason}")]
    Unanswerable {
        /// The expression.
        expression: String,
        /// What went wrong.
        reason: String,
    },
}

/// A parsed `where` expression whose columns exist.
#[derive(Debug, Clone)]
pub struct Filter {
    text: String,
    expression: Expr,
    columns: Vec<String>,
}

impl Filter {
    /// Parses an expression and tries it on a table without rows, so that a mistake shows before any data is read.
    ///
    /// # Errors
    /// When it is no SQL expression, names an unknown column, compares what cannot be compared, or is not a condition.
    pub fn parse(text: &str) -> Result<Filter, FilterError> {
        let expression = polars::sql::sql_expr(text)
            .map_err(|error| FilterError::Syntax { expression: text.to_owned(), reason: first_line(&error) })?;
        if (&expression).into_iter().any(|part| matches!(part, Expr::Selector(_))) {
            return Err(FilterError::Syntax {
                expression: text.to_owned(),
                reason: "`*` is not a column; name the columns".to_owned(),
            });
        }
        let (columns, expression) = (names(&expression), with_days(expression));
        let filter = Filter { text: text.to_owned(), expression, columns };
        filter.rows(&SessionTable::default())?;
        Ok(filter)
    }

    /// The expression as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The columns that it names.
    #[must_use]
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// Whether no session can fit whose values in some columns are among those of a table: a part of the expression that
    /// must hold names no other column, and holds in no row. The table may lack columns.
    ///
    /// # Errors
    /// When the part cannot be answered on these columns.
    pub fn excludes(&self, values: &SessionTable) -> Result<bool, FilterError> {
        for part in conjuncts(&self.expression) {
            let columns = names(&part);
            if columns.iter().all(|name| values.column(name).is_some()) {
                let part = Filter { text: self.text.clone(), expression: part, columns };
                if part.rows(values)?.iter().all(|fits| !fits) {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// For each session whether it fits; an unknown answer (a missing value) does not fit.
    ///
    /// # Errors
    /// When the expression cannot be answered on these columns.
    pub fn rows(&self, table: &SessionTable) -> Result<Vec<bool>, FilterError> {
        let unanswerable = |reason: String| {
            let expression = self.text.clone();
            let reason = if reason.starts_with("cannot compare 'date") { NOT_A_DAY.to_owned() } else { reason };
            FilterError::Unanswerable { expression, reason }
        };
        let mut columns = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            let column = table
                .column(name)
                .ok_or_else(|| FilterError::UnknownColumn { expression: self.text.clone(), column: name.clone() })?;
            columns.push(to_polars(name, column).map_err(unanswerable)?);
        }
        if columns.is_empty() {
            // An expression without columns, such as `TRUE`, still answers once for each session.
            columns.push(Series::new("session".into(), vec![true; table.len()]).into_column());
        }
        let frame = DataFrame::new(table.len(), columns).map_err(|error| unanswerable(first_line(&error)))?;
        let answer = frame
            .lazy()
            .with_column(self.expression.clone().alias("fits"))
            .collect()
            .map_err(|error| unanswerable(first_line(&error)))?;
        let fits = answer.column("fits").map_err(|error| unanswerable(first_line(&error)))?;
        let fits = fits.bool().map_err(|_| {
            unanswerable(format!("it gives {}, not yes or no; compare it with something", fits.dtype()))
        })?;
        Ok(fits.iter().map(|fits| fits.unwrap_or(false)).collect())
    }
}

/// The columns that an expression names, each once.
fn names(expression: &Expr) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for part in expression {
        if let Expr::Column(name) = part
            && !names.iter().any(|known| known == name.as_str())
        {
            names.push(name.to_string());
        }
    }
    names
}

/// The parts of an expression that must all hold.
fn conjuncts(expression: &Expr) -> Vec<Expr> {
    match expression {
        Expr::BinaryExpr { left, op: Operator::And | Operator::LogicalAnd, right } => {
            [left, right].into_iter().flat_map(|side| conjuncts(side)).collect()
        }
        other => vec![other.clone()],
    }
}

/// Texts such as `'2026-03-02'` become days where they are compared with a date or stand behind `DATE`.
fn with_days(expression: Expr) -> Expr {
    expression.map_expr(|part| match part {
        Expr::Cast { expr, dtype, options } => match day_of(&expr) {
            Some(day) if dtype.as_literal() == Some(&DataType::Date) => day,
            _ => Expr::Cast { expr, dtype, options },
        },
        Expr::BinaryExpr { left, op, right } if is_date_column(&left) || is_date_column(&right) => {
            let day = |side: Arc<Expr>| day_of(&side).map_or(side, Arc::new);
            Expr::BinaryExpr { left: day(left), op, right: day(right) }
        }
        other => other,
    })
}

fn is_date_column(expression: &Expr) -> bool {
    matches!(expression, Expr::Column(name) if DATE_COLUMNS.contains(&name.as_str()))
}

fn day_of(expression: &Expr) -> Option<Expr> {
    let Expr::Literal(literal) = expression else { return None };
    Day::from_iso(literal.extract_str()?).map(|day| lit(day.0).cast(DataType::Date))
}

/// What is wrong where a day is compared with a text that [`day_of`] does not take for one.
const NOT_A_DAY: &str = "it compares a day with a text that is no day of the calendar; write days as '2026-01-31'";

/// Date columns of the session table.
const DATE_COLUMNS: [&str; 2] = ["session_date", "last_follow_up_date"];

fn first_line(error: &dyn std::error::Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// The few column types of the session table, as plain vectors: they are small and read once a filter.
fn to_polars(name: &str, column: &ArrayRef) -> Result<Column, String> {
    let series = match column.data_type() {
        ArrowType::Dictionary(key, _) if **key == ArrowType::UInt8 => {
            let dictionary = column.as_dictionary::<UInt8Type>();
            texts(name, dictionary.values(), dictionary.keys().iter().map(|key| key.map(usize::from)))
        }
        ArrowType::Dictionary(..) => {
            let dictionary = column.as_dictionary::<UInt32Type>();
            texts(name, dictionary.values(), dictionary.keys().iter().map(|key| key.map(|key| key as usize)))
        }
        ArrowType::Float64 => {
            Series::new(name.into(), column.as_primitive::<Float64Type>().iter().collect::<Vec<Option<f64>>>())
        }
        ArrowType::Int32 => {
            Series::new(name.into(), column.as_primitive::<Int32Type>().iter().collect::<Vec<Option<i32>>>())
        }
        ArrowType::Date32 => {
            let days: Vec<Option<i32>> = column.as_primitive::<Date32Type>().iter().collect();
            Series::new(name.into(), days).cast(&DataType::Date).map_err(|error| first_line(&error))?
        }
        other => return Err(format!("the column `{name}` has the type {other}, which cannot be compared")),
    };
    Ok(series.into_column())
}

fn texts(name: &str, values: &ArrayRef, keys: impl Iterator<Item = Option<usize>>) -> Series {
    let values = values.as_string::<i32>();
    Series::new(name.into(), keys.map(|key| key.map(|key| values.value(key))).collect::<Vec<Option<&str>>>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Date32Array;

    /// Whether sessions of these days are ruled out.
    fn excludes(text: &str, days: [&str; 2]) -> bool {
        let days = days.map(|day| Day::from_iso(day).unwrap().0);
        let column: ArrayRef = Arc::new(Date32Array::from(days.to_vec()));
        let values = SessionTable::of_columns(vec![("session_date".to_owned(), column)], vec![false; 2]);
        Filter::parse(text).unwrap().excludes(&values).unwrap()
    }

    #[test]
    fn a_text_that_is_no_day_is_told_as_such() {
        for wrong in ["session_date >= '2026-13-45'", "session_date = 'soon'", "'1/2/2026' < last_follow_up_date"] {
            let told = Filter::parse(wrong).unwrap_err().to_string();
            assert!(told.contains("no day of the calendar") && told.contains("'2026-01-31'"), "{told}");
        }
        assert!(Filter::parse("session_date >= '2026-12-31'").is_ok());
    }

    #[test]
    fn days_are_ruled_out_only_where_a_part_that_must_hold_rules_them_out() {
        let march = ["2026-03-01", "2026-03-31"];
        assert!(excludes("session_date >= '2026-04-01'", march));
        assert!(excludes("modality = 'rf' AND session_date < DATE '2026-03-01' AND passes > 2", march));
        assert!(excludes("session_date BETWEEN '2025-01-01' AND '2025-12-31'", march));
        assert!(excludes("session_date IS NULL", march));
        assert!(excludes("FALSE", march));
        for may_hold in [
            "session_date >= '2026-03-31'",
            "session_date < '2026-03-01' OR modality = 'rf'",
            "NOT (session_date < '2026-03-01' AND modality = 'rf')",
            "modality = 'rf' AND passes > 2",
            "last_follow_up_date < '2020-01-01'",
            "session_date < last_follow_up_date",
            "TRUE",
        ] {
            assert!(!excludes(may_hold, march), "{may_hold}");
        }
    }
}
