//! Texts that stand for values that could not be read. They reach the judge like any other text: in a column that
//! nothing maps they harm nobody, and a mapping's `[read] null` may call one of them missing.

/// Stands where a formula has no saved result.
pub const NOT_CALCULATED: &str = "#NOT_CALCULATED!";
/// Stands where a value is of a kind that has no text, such as a picture or a nested table.
pub const NO_TEXT: &str = "#NO_TEXT!";
/// Stands for an error of which the file does not say which one it is.
pub(super) const SOME_ERROR: &str = "#ERROR!";

/// What a spreadsheet shows in a cell whose formula failed.
const CELL_ERRORS: &[&str] = &[
    "#N/A",
    "#DIV/0!",
    "#VALUE!",
    "#REF!",
    "#NAME?",
    "#NUM!",
    "#NULL!",
    "#GETTING_DATA",
    "#SPILL!",
    "#CALC!",
    "#FIELD!",
    "#BLOCKED!",
    "#CONNECT!",
    "#BUSY!",
    "#UNKNOWN!",
    SOME_ERROR,
];

/// Whether a text is what a spreadsheet shows where a formula failed: `#N/A`, `#REF!`, `Err:502`, …
///
/// ```
/// use stipple::ingest::is_cell_error;
/// assert!(is_cell_error("#DIV/0!") && is_cell_error("Err:502"));
/// assert!(!is_cell_error("N/A") && !is_cell_error("#12"));
/// ```
#[must_use]
pub fn is_cell_error(text: &str) -> bool {
    match text.strip_prefix("Err:") {
        Some(number) => number.len() == 3 && number.bytes().all(|byte| byte.is_ascii_digit()),
        None => text.starts_with('#') && CELL_ERRORS.contains(&text),
    }
}
