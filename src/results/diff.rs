//! Two results files side by side: which rows changed, appeared and went, and by how much. Rows are the same row where
//! their `row_id` is, whatever else they say.

use super::format;
use super::row::{ResultRow, Statistic};
use std::collections::HashMap;
use thiserror::Error;

/// Numbers that agree to nine digits are the same: the last digits of a sum depend on the order of its parts.
pub const TOLERANCE: f64 = 1e-9;

/// Why a file is no results file.
#[derive(Debug, Error)]
pub enum DiffError {
    /// It is no table.
    #[error("line {line}: {reason}")]
    Unreadable {
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        reason: String,
    },
    /// A column lacks.
    #[error("the column `{0}` is missing")]
    NoColumn(&'static str),
    /// A row stands there twice.
    #[error("the row {0} stands there twice")]
    Twice(String),
}

/// A results file as it was read.
#[derive(Debug)]
pub struct ResultsFile {
    columns: Vec<String>,
    rows: Vec<csv::StringRecord>,
    by_id: HashMap<String, usize>,
}

/// A row of either file.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its id.
    pub row_id: String,
    /// Value and interval as the report has them, and what they were made of.
    pub shown: String,
}

/// A cell that says otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CellChange {
    /// The column.
    pub column: String,
    /// What it said; empty = nothing.
    pub before: String,
    /// What it says.
    pub after: String,
}

/// A row of both files that says otherwise.
#[derive(Debug, Clone, PartialEq)]
pub struct Changed {
    /// As it was.
    pub before: Entry,
    /// As it is.
    pub after: Entry,
    /// The cells that differ, in the order of the columns.
    pub cells: Vec<CellChange>,
    /// The new value less the old, where there are both.
    pub difference: Option<f64>,
    /// The difference in the unit of the row; `None` where the values are the same, or one is missing.
    pub shown_difference: Option<String>,
}

/// What differs between two files.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Difference {
    /// Rows that say the same.
    pub same: usize,
    /// Rows that say otherwise, in the order of the second file.
    pub changed: Vec<Changed>,
    /// Rows of the second file alone.
    pub appeared: Vec<Entry>,
    /// Rows of the first file alone.
    pub went: Vec<Entry>,
}

impl ResultsFile {
    /// Reads `results.csv`.
    ///
    /// # Errors
    /// When it is no table, lacks `row_id`, `statistic`, `unit` or `value`, or has a row twice.
    pub fn read(bytes: &[u8]) -> Result<ResultsFile, DiffError> {
        let unreadable = |error: csv::Error| DiffError::Unreadable {
            line: error.position().map_or(1, csv::Position::line),
            reason: "it has another number of fields than the header, or is no UTF-8".to_owned(),
        };
        let mut reader = csv::Reader::from_reader(bytes);
        let columns: Vec<String> = reader.headers().map_err(unreadable)?.iter().map(str::to_owned).collect();
        for needed in ["row_id", "statistic", "unit", "value"] {
            if !columns.iter().any(|column| column == needed) {
                return Err(DiffError::NoColumn(needed));
            }
        }
        let rows: Vec<csv::StringRecord> = reader.records().collect::<Result<_, _>>().map_err(unreadable)?;
        let mut file = ResultsFile { columns, rows, by_id: HashMap::new() };
        for row in 0..file.rows.len() {
            let id = file.cell(row, "row_id").to_owned();
            if file.by_id.insert(id.clone(), row).is_some() {
                return Err(DiffError::Twice(id));
            }
        }
        Ok(file)
    }

    /// Number of rows.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    fn column(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|column| column == name)
    }

    /// A cell; empty where there is no such column.
    fn cell(&self, row: usize, column: &str) -> &str {
        self.column(column).and_then(|at| self.rows[row].get(at)).unwrap_or_default()
    }

    /// What the words of a row are made from.
    fn row(&self, row: usize) -> ResultRow {
        let number = |column: &str| self.cell(row, column).parse().ok();
        let statistic = Statistic::ALL.iter().find(|statistic| statistic.id() == self.cell(row, "statistic"));
        ResultRow {
            value: number("value"),
            low: number("low"),
            high: number("high"),
            unit: ["proportion", "count", "days", "ratio"]
                .into_iter()
                .find(|unit| *unit == self.cell(row, "unit"))
                .unwrap_or_default(),
            numerator: number("numerator"),
            denominator: number("denominator"),
            ..ResultRow::empty("", "", statistic.copied().unwrap_or(Statistic::Coefficient))
        }
    }

    fn entry(&self, at: usize) -> Entry {
        let row = self.row(at);
        let mut shown = format::value_and_interval(&row);
        if let (Some(numerator), Some(denominator)) = (row.numerator, row.denominator) {
            shown = format!("{shown}, {}", format::n_of(numerator, denominator));
        }
        Entry { row_id: self.cell(at, "row_id").to_owned(), shown }
    }
}

/// What differs; numbers that agree to one part in `1 / tolerance` are the same. Columns that only one of the files
/// has, as those of another version of the program may, are not compared.
#[must_use]
pub fn diff(before: &ResultsFile, after: &ResultsFile, tolerance: f64) -> Difference {
    let mut found = Difference::default();
    let shared: Vec<&String> = before.columns.iter().filter(|column| after.columns.contains(column)).collect();
    for row in 0..after.rows.len() {
        let Some(old) = before.by_id.get(after.cell(row, "row_id")).copied() else {
            found.appeared.push(after.entry(row));
            continue;
        };
        let pairs = shared.iter().map(|column| (*column, before.cell(old, column), after.cell(row, column)));
        let cells: Vec<CellChange> = pairs
            .filter(|(_, one, other)| !same(one, other, tolerance))
            .map(|(column, one, other)| CellChange {
                column: column.clone(),
                before: one.to_owned(),
                after: other.to_owned(),
            })
            .collect();
        if cells.is_empty() {
            found.same += 1;
        } else {
            found.changed.push(changed((before, old), (after, row), cells));
        }
    }
    let gone = (0..before.rows.len()).filter(|row| !after.by_id.contains_key(before.cell(*row, "row_id")));
    found.went = gone.map(|row| before.entry(row)).collect();
    found
}

fn changed(
    (before, old): (&ResultsFile, usize),
    (after, new): (&ResultsFile, usize),
    cells: Vec<CellChange>,
) -> Changed {
    let (was, is) = (before.row(old), after.row(new));
    let difference = was.value.zip(is.value).map(|(was, is)| is - was);
    let moved = cells.iter().any(|cell| cell.column == "value");
    let shown = |difference: f64| match (is.statistic, is.unit) {
        (Statistic::RiskDifference, _) | (_, "proportion") => format!("{} points", format::points(difference)),
        (_, "count") => signed(format::count(difference), difference),
        _ => signed(format::fixed(difference, 3), difference),
    };
    let shown_difference = difference.filter(|_| moved).map(shown);
    Changed { before: before.entry(old), after: after.entry(new), cells, difference, shown_difference }
}

fn signed(text: String, number: f64) -> String {
    if number > 0.0 { format!("+{text}") } else { text }
}

fn same(one: &str, other: &str, tolerance: f64) -> bool {
    if one == other {
        return true;
    }
    match (one.parse::<f64>(), other.parse::<f64>()) {
        (Ok(one), Ok(other)) if one.is_finite() && other.is_finite() => {
            (one - other).abs() <= tolerance * one.abs().max(other.abs())
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "row_id,statistic,value,low,high,unit,numerator,denominator,warning\n";

    fn file(rows: &str) -> ResultsFile {
        ResultsFile::read(format!("{HEAD}{rows}").as_bytes()).unwrap()
    }

    #[test]
    fn rows_change_appear_and_go() {
        let before = file(
            "a/pih//rate,rate,0.1,0.05,0.2,proportion,10,100,\n\
             a/pih//icc,icc,0.30000000000000004,,,,,,\n\
             a/burn//rate,rate,,,,proportion,0,0,not_estimable: nobody was assessed\n\
             a/old//count,count,7,,,count,,,\n",
        );
        let after = file(
            "a/pih//icc,icc,0.3,,,,,,\n\
             a/pih//rate,rate,0.125,0.07,0.21,proportion,15,120,\n\
             a/burn//rate,rate,0,0,0.6,proportion,0,4,\n\
             a/new//count,count,1234,,,count,,,\n",
        );
        let found = diff(&before, &after, TOLERANCE);
        assert_eq!(found.same, 1);
        let ids = |entries: &[Entry]| entries.iter().map(|entry| entry.row_id.clone()).collect::<Vec<_>>();
        assert_eq!(
            (ids(&found.appeared), ids(&found.went)),
            (vec!["a/new//count".into()], vec!["a/old//count".into()])
        );
        assert_eq!(found.appeared[0].shown, "1,234");
        let [rate, burn] = &found.changed[..] else { panic!("{:#?}", found.changed) };
        assert_eq!(rate.before.shown.replace('\u{a0}', " "), "10.0 % (5.0–20.0), 10/100");
        assert_eq!(rate.after.shown.replace('\u{a0}', " "), "12.5 % (7.0–21.0), 15/120");
        assert_eq!((rate.difference, rate.shown_difference.as_deref()), (Some(0.125 - 0.1), Some("+2.5 points")));
        let columns: Vec<&str> = rate.cells.iter().map(|cell| cell.column.as_str()).collect();
        assert_eq!(columns, ["value", "low", "high", "numerator", "denominator"]);
        assert_eq!((burn.difference, burn.shown_difference.as_deref()), (None, None));
        assert!(burn.before.shown.starts_with("NE"));
        assert_eq!(diff(&before, &after, 0.0).same, 0, "to the last digit");
        assert_eq!(diff(&before, &before, 0.0), Difference { same: 4, ..Difference::default() });
    }

    #[test]
    fn infinite_ends_and_unknown_columns_do_not_disturb() {
        let one = file("a///odds_ratio,odds_ratio,2,1,inf,ratio,,,\n");
        assert_eq!(diff(&one, &one, TOLERANCE).same, 1);
        let wider =
            format!("{}\n{}\n", HEAD.trim_end().to_owned() + ",later", "a///odds_ratio,odds_ratio,2,1,inf,ratio,,,,x");
        assert_eq!(diff(&one, &ResultsFile::read(wider.as_bytes()).unwrap(), TOLERANCE).same, 1);
        let finite = file("a///odds_ratio,odds_ratio,2,1,9,ratio,,,\n");
        assert_eq!(diff(&one, &finite, TOLERANCE).changed[0].cells[0].after, "9");
    }

    #[test]
    fn what_is_no_results_file_is_told() {
        assert!(matches!(ResultsFile::read(b"a,b\n1,2\n"), Err(DiffError::NoColumn("row_id"))));
        let twice = format!("{HEAD}a,rate,1,,,,,,\na,rate,2,,,,,,\n");
        assert!(matches!(ResultsFile::read(twice.as_bytes()), Err(DiffError::Twice(_))));
        let short = format!("{HEAD}a,rate\n");
        assert!(matches!(ResultsFile::read(short.as_bytes()), Err(DiffError::Unreadable { line: 2, .. })));
        assert!(ResultsFile::read(HEAD.as_bytes()).unwrap().is_empty());
    }
}
