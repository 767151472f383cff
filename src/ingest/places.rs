//! How the places of a file's records are told: by line, by cell of a sheet, or by row.

use std::sync::Arc;

/// What `Place::line` counts, and how a field of a record is found again.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Places {
    /// Lines of a text.
    #[default]
    Lines,
    /// Rows of this sheet of a workbook; the first field of a record is column A.
    Sheet(Arc<str>),
    /// Rows of a table that has no lines: the first record is row 1.
    Rows,
}

impl Places {
    /// The cell of a field, or the row; nothing for text, where file and line tell it all.
    ///
    /// ```
    /// use stipple::ingest::Places;
    /// let sheet = Places::Sheet("Sessions".into());
    /// assert_eq!(sheet.address(17, Some(6)).as_deref(), Some("cell G17"));
    /// assert_eq!(sheet.address(17, None).as_deref(), Some("row 17"));
    /// assert_eq!(Places::Lines.address(17, Some(6)), None);
    /// ```
    #[must_use]
    pub fn address(&self, line: u64, field: Option<usize>) -> Option<String> {
        match (self, field) {
            (Places::Lines, _) => None,
            (Places::Sheet(_), Some(field)) => Some(format!("cell {}{line}", column_letters(field))),
            (Places::Sheet(_), None) | (Places::Rows, _) => Some(format!("row {line}")),
        }
    }

    /// Name of the sheet, where there is one.
    #[must_use]
    pub fn sheet(&self) -> Option<&str> {
        match self {
            Places::Sheet(name) => Some(name),
            Places::Lines | Places::Rows => None,
        }
    }
}

/// The letters of a column, counted from 0: A … Z, AA …
fn column_letters(column: usize) -> String {
    let letter = char::from(b'A' + u8::try_from(column % 26).unwrap_or(0));
    let before = if column < 26 { String::new() } else { column_letters(column / 26 - 1) };
    format!("{before}{letter}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_lettered_as_in_a_spreadsheet() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (51, "AZ"), (52, "BA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(column_letters(column), letters);
        }
        assert_eq!(column_letters(16_383), "XFD");
    }
}
