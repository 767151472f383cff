//! Which row of a sheet holds the column names. Never guessed: where it is not certain, the mapping must say.

use super::cell::Cell;

/// Rows below a possible header that are looked at.
const ROWS_BELOW: usize = 20;

/// A row that holds something.
pub(super) struct Row {
    /// Its number in the sheet, from 1.
    pub(super) number: u64,
    /// Its filled cells, by column.
    pub(super) cells: Vec<Cell>,
}

/// Why no row is surely the header, and the row that comes nearest.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Unsure {
    pub(super) row: u64,
    pub(super) why: &'static str,
}

/// Whether these rows, the first that hold something, are enough to tell.
pub(super) fn is_enough(rows: &[Row]) -> bool {
    candidate(rows).is_some_and(|at| rows.len() > at + ROWS_BELOW)
}

/// Rows with a single filled cell are titles.
fn candidate(rows: &[Row]) -> Option<usize> {
    rows.iter().position(|row| row.cells.len() > 1)
}

/// Index of the header among the first rows that hold something.
pub(super) fn find(rows: &[Row]) -> Result<usize, Unsure> {
    let first = rows.first().map_or(1, |row| row.number);
    let at = candidate(rows).ok_or(Unsure { row: first, why: "no row has more than one filled cell" })?;
    let header = &rows[at];
    let unsure = |why| Err(Unsure { row: header.number, why });
    if !header.cells.iter().all(|cell| cell.is_words) {
        return unsure("a cell of it holds a number, a date or an error");
    }
    if rows[at + 1..].iter().any(|row| row.cells.len() > header.cells.len() + 1) {
        return unsure("a row below it has more filled cells");
    }
    Ok(at)
}

/// The column names, from column A to the last that is named; line breaks in a name are spaces.
pub(super) fn names(row: &Row) -> Vec<String> {
    let columns = row.cells.iter().map(|cell| cell.column + 1).max().unwrap_or(0);
    let mut names = vec![String::new(); columns];
    for cell in &row.cells {
        names[cell.column] = cell.text.split_whitespace().collect::<Vec<_>>().join(" ");
    }
    names
}
