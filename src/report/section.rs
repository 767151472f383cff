//! Pieces of the page: figures and tables.

use super::table::{Cell, Table};
use crate::chart::Chart;
use maud::{Markup, PreEscaped, html};

/// Rows of a table that stand open; more go behind a fold.
const OPEN_ROWS: usize = 40;

/// A picture with its caption; the wide or the narrow drawing is shown, as the screen is.
#[must_use]
pub fn figure(chart: &Chart) -> Markup {
    html! {
        figure id={ "chart-" (chart.id) } {
            div .wide { (PreEscaped(&chart.svg)) }
            div .narrow { (PreEscaped(&chart.svg_narrow)) }
            figcaption {
                @if !chart.caption.starts_with(&chart.title) { strong { (chart.title) } ". " }
                (chart.caption)
                " " a href={ "charts/" (chart.id) ".svg" } download { "Picture" } "."
            }
        }
    }
}

/// A table with its title, footnotes and a link to its file; long ones fold.
#[must_use]
pub fn table(table: &Table) -> Markup {
    let body = html! {
        div .scroll tabindex="0" role="region" aria-label=(table.title) {
            table {
                caption { (table.title) }
                thead { tr { @for (at, column) in table.columns.iter().enumerate() {
                    th scope="col" .num[at >= table.stub && !table.is_words(at)] { (column) }
                } } }
                tbody { @for row in &table.rows { tr {
                    @for (at, cell) in row.iter().enumerate() { (table_cell(cell, at, table.stub)) }
                } } }
            }
        }
        @if !table.footnotes.is_empty() { p .note { (table.footnotes.join(" ")) } }
        p .note { a href={ "tables/" (table.id) ".csv" } download { "This table as CSV" } }
    };
    html! {
        @if table.rows.len() > OPEN_ROWS {
            details { summary { (table.title) " (" (table.rows.len()) " lines)" } (body) }
        } @else {
            (body)
        }
    }
}

fn table_cell(cell: &Cell, at: usize, stub: usize) -> Markup {
    html! {
        @if at == 0 {
            th scope="row" { (cell.text) }
        } @else if let Some(row_id) = &cell.row_id {
            td .num[at >= stub] data-row=(row_id) title=[cell.note.as_ref()] { (cell.text) }
        } @else {
            td .words[at >= stub && !cell.text.is_empty()] { (cell.text) }
        }
    }
}
