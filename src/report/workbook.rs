//! `report.xlsx`: the tables, one sheet each. Texts are written as texts, so that no cell can run as a formula.

use super::table::{Cell, Table};
use crate::domain::Day;
use crate::results::format;
use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, XlsxError};

/// Longest name of a sheet in Excel.
const LONGEST_SHEET_NAME: usize = 31;

/// The tables as a workbook, dated by the data cut so that the same rows give the same bytes.
///
/// # Errors
/// When a table is too large for a sheet.
pub fn workbook(tables: &[Table], data_cut: Day) -> Result<Vec<u8>, XlsxError> {
    let mut workbook = Workbook::new();
    let date = ExcelDateTime::parse_from_str(&data_cut.to_string())?;
    workbook.set_properties(&DocProperties::new().set_creation_datetime(&date));
    let bold = Format::new().set_bold();
    let header = Format::new().set_bold().set_text_wrap().set_border_bottom(rust_xlsxwriter::FormatBorder::Thin);
    let mut names: Vec<String> = Vec::new();
    for table in tables {
        let sheet = workbook.add_worksheet();
        sheet.set_name(sheet_name(&table.id, &mut names))?;
        sheet.write_string_with_format(0, 0, &table.title, &bold)?;
        for (at, column) in (0u16..).zip(&table.columns) {
            sheet.write_string_with_format(2, at, column, &header)?;
            sheet.set_column_width(at, if usize::from(at) < table.stub { 34.0 } else { 20.0 })?;
        }
        for (line, row) in (3u32..).zip(&table.rows) {
            for (at, cell) in (0u16..).zip(row) {
                match plain_count(cell) {
                    Some(number) => sheet.write_number(line, at, number)?,
                    None => sheet.write_string(line, at, &cell.text)?,
                };
            }
        }
        let below = u32::try_from(table.rows.len()).unwrap_or(u32::MAX).saturating_add(4);
        for (line, note) in (below..).zip(&table.footnotes) {
            sheet.write_string(line, 0, note)?;
        }
        sheet.set_freeze_panes(3, u16::try_from(table.stub).unwrap_or(1))?;
    }
    workbook.save_to_buffer()
}

/// The number of a cell that holds a plain count, so that Excel can add it up.
fn plain_count(cell: &Cell) -> Option<f64> {
    cell.number.filter(|number| format::count(*number) == cell.text)
}

/// A name that Excel takes and no other sheet has.
fn sheet_name(id: &str, names: &mut Vec<String>) -> String {
    let cut: String = id.chars().take(LONGEST_SHEET_NAME).collect();
    let mut name = cut.clone();
    let mut number = 2;
    while names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
        let tail = format!("~{number}");
        name = cut.chars().take(LONGEST_SHEET_NAME - tail.len()).chain(tail.chars()).collect();
        number += 1;
    }
    names.push(name.clone());
    name
}
