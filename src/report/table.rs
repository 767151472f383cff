//! A table for people: made once from released rows, written as HTML, CSV and in a workbook.

use crate::results::format;
use crate::results::release::ReleasedRow;

/// What a cell holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Cell {
    /// Text as it is read.
    pub text: String,
    /// Row of the results that the number comes from.
    pub row_id: Option<String>,
    /// The number in full precision, where the text is one plain number.
    pub number: Option<f64>,
    /// A warning that belongs to the number.
    pub note: Option<String>,
}

impl Cell {
    /// A text that is no result.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Cell {
        Cell { text: text.into(), row_id: None, number: None, note: None }
    }

    /// Nothing.
    #[must_use]
    pub fn empty() -> Cell {
        Cell::text("")
    }

    /// A row's number in words made by `text`; nothing when there is no row.
    #[must_use]
    pub fn of(row: Option<&ReleasedRow>, text: impl FnOnce(&ReleasedRow) -> String) -> Cell {
        let Some(row) = row else { return Cell::empty() };
        Cell {
            text: text(row),
            row_id: Some(row.row_id()),
            number: row.value,
            note: (!row.warning.is_empty()).then(|| row.warning.clone()),
        }
    }

    /// A row's value and interval.
    #[must_use]
    pub fn estimate(row: Option<&ReleasedRow>) -> Cell {
        Cell::of(row, |row| format::value_and_interval(row))
    }

    /// A row's numerator over its denominator.
    #[must_use]
    pub fn n_of(row: Option<&ReleasedRow>) -> Cell {
        let mut cell = Cell::of(row, |row| format::n_of_row(row).unwrap_or_default());
        cell.number = None;
        cell.note = None;
        cell
    }

    /// A row's value.
    #[must_use]
    pub fn value(row: Option<&ReleasedRow>) -> Cell {
        Cell::of(row, |row| format::value(row))
    }
}

/// A table: title, columns, rows and footnotes.
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    /// Stem of its file and name of its sheet.
    pub id: String,
    /// Title.
    pub title: String,
    /// Headers.
    pub columns: Vec<String>,
    /// How many of the first columns name the row rather than hold numbers.
    pub stub: usize,
    /// Rows, each as long as `columns`.
    pub rows: Vec<Vec<Cell>>,
    /// Footnotes.
    pub footnotes: Vec<String>,
}

impl Table {
    /// A table without rows.
    #[must_use]
    pub fn new(id: &str, title: &str, columns: &[&str]) -> Table {
        Table {
            id: id.to_owned(),
            title: title.to_owned(),
            columns: columns.iter().map(|column| (*column).to_owned()).collect(),
            stub: 1,
            rows: Vec::new(),
            footnotes: Vec::new(),
        }
    }

    /// Whether a column behind the stub holds words rather than numbers.
    #[must_use]
    pub fn is_words(&self, at: usize) -> bool {
        let mut cells = self.rows.iter().filter_map(|row| row.get(at)).filter(|cell| !cell.text.is_empty()).peekable();
        cells.peek().is_some() && cells.all(|cell| cell.row_id.is_none())
    }

    /// The table without columns that are empty in every row.
    #[must_use]
    pub fn without_empty_columns(mut self) -> Table {
        let holds = |at: usize| {
            at < self.stub || self.rows.iter().any(|row| row.get(at).is_some_and(|cell| !cell.text.is_empty()))
        };
        let kept: Vec<usize> = (0..self.columns.len()).filter(|at| holds(*at)).collect();
        self.columns = kept.iter().map(|at| std::mem::take(&mut self.columns[*at])).collect();
        for row in &mut self.rows {
            *row = kept.iter().filter_map(|at| row.get(*at).cloned()).collect();
        }
        self
    }

    /// The table as CSV. A text that a spreadsheet would run as a formula gets an apostrophe in front.
    ///
    /// # Errors
    /// Never for a buffer in memory; the writer's error is handed on.
    pub fn csv(&self) -> std::io::Result<Vec<u8>> {
        let mut writer = csv::WriterBuilder::new().from_writer(Vec::new());
        writer.write_record(&self.columns)?;
        for row in &self.rows {
            writer.write_record(row.iter().map(defused))?;
        }
        writer.into_inner().map_err(|error| error.into_error())
    }
}

fn defused(cell: &Cell) -> String {
    let runs = cell.row_id.is_none() && cell.text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if runs { format!("'{}", cell.text) } else { cell.text.clone() }
}
