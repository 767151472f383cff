//! Rates crossed by two columns, such as skin tone and depth band: one table of shades for each side effect.

use super::canvas::Canvas;
use super::matrix::{self, Cell, Matrix};
use super::theme::EDGE;
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// Side effects that are drawn; the tables of the report hold all.
const MOST_PANELS: usize = 6;

struct Panel<'a> {
    heading: String,
    matrix: Matrix,
    top: Option<&'a ReleasedRow>,
    rows: Vec<&'a ReleasedRow>,
}

/// Draws the heatmap of an analysis by exactly two columns.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let rates: Vec<&ReleasedRow> =
        words::rows(&all, Statistic::Rate).into_iter().filter(|row| row.group.len() == 2).collect();
    let widest = words::rows(&all, Statistic::Rate).iter().map(|row| row.group.len()).max();
    if rates.is_empty() || widest != Some(2) {
        return Ok(Vec::new());
    }
    let outcomes = words::distinct(rates.iter().map(|row| row.outcome.as_str()));
    let panels: Vec<Panel<'_>> = outcomes.iter().take(MOST_PANELS).map(|code| panel(code, &rates, request)).collect();
    let chart = words_of(&panels, outcomes.len(), request).drawn(request.analysis, |width| {
        let mut canvas = Canvas::new(width);
        let mut y = EDGE;
        for panel in &panels {
            y = matrix::paint_heading(&mut canvas, &panel.heading, y);
            let high = panel.top.map_or_else(|| format::percent(0.0), |row| format::value(row));
            y = matrix::paint_scale(&mut canvas, (&format::percent(0.0), &high), y);
            y = matrix::paint(&mut canvas, &panel.matrix, y);
        }
        canvas
    })?;
    Ok(vec![chart])
}

fn panel<'a>(code: &str, rates: &[&'a ReleasedRow], request: &ChartRequest<'_>) -> Panel<'a> {
    let rows: Vec<&ReleasedRow> = rates.iter().copied().filter(|row| row.outcome == code).collect();
    let values = |at: usize| words::distinct(rows.iter().map(|row| row.group[at].1.as_str()));
    let (down, across) = (values(0), values(1));
    let rate = |row: &&ReleasedRow| row.value.filter(|value| value.is_finite() && enough(row));
    let top = rows
        .iter()
        .copied()
        .filter(|row| rate(row).is_some())
        .max_by(|one, other| one.value.unwrap_or(0.0).total_cmp(&other.value.unwrap_or(0.0)));
    let darkest = top.and_then(|row| row.value).filter(|value| *value > 0.0).unwrap_or(1.0);
    let find = |first: &str, second: &str| {
        rows.iter().copied().find(|row| row.group[0].1 == first && row.group[1].1 == second)
    };
    let cells =
        down.iter().map(|first| across.iter().map(|second| cell(find(first, second), darkest)).collect()).collect();
    let column = |at: usize| rows.first().map_or("", |row| row.group[at].0.as_str());
    let names = |at: usize, values: &[&str]| {
        values.iter().map(|value| words::group_value(column(at), value)).collect::<Vec<_>>()
    };
    let matrix = Matrix {
        row_title: words::capital(&words::column(column(0))),
        column_title: words::capital(&words::column(column(1))),
        row_names: names(0, &down),
        column_names: names(1, &across),
        cells,
    };
    Panel { heading: words::outcome(code, request), matrix, top, rows }
}

/// Fewer than this many, and a cell has no shade: one event among them would outshine every other cell.
const ENOUGH: f64 = 10.0;

fn enough(row: &ReleasedRow) -> bool {
    row.denominator.is_none_or(|all| all >= ENOUGH)
}

/// Rate over `n/N`; hatched where nobody was counted.
fn cell(row: Option<&ReleasedRow>, darkest: f64) -> Cell {
    let Some(row) = row.filter(|row| row.denominator.is_none_or(|all| all > 0.0)) else { return Cell::default() };
    let mut lines = vec![format::value(row)];
    lines.extend(format::n_of_row(row));
    let shade = row.value.filter(|_| enough(row)).map(|value| value / darkest);
    Cell { lines, shade, row_id: Some(row.row_id()) }
}

fn words_of(panels: &[Panel<'_>], outcomes: usize, request: &ChartRequest<'_>) -> Words {
    let mut caption = "Each cell: the rate, and events and denominator (n/N). The darker, the higher the rate; each \
                       side effect has its own scale. No shade: fewer than 10 counted. Hatched: no data."
        .to_owned();
    if outcomes > panels.len() {
        caption.push_str(" The first side effects are drawn; the tables hold all of them.");
    }
    let mut alt = String::new();
    for panel in panels {
        let place = |row: &ReleasedRow| words::spoken(&format!("{} at {}:", panel.heading, words::group(row)), row);
        let lowest = panel.rows.iter().copied().filter(|row| row.value.is_some() && enough(row));
        let lowest = lowest.min_by(|one, other| one.value.unwrap_or(0.0).total_cmp(&other.value.unwrap_or(0.0)));
        match (panel.top, lowest) {
            (Some(top), Some(lowest)) => alt.push_str(&format!("Highest: {}. Lowest: {}. ", place(top), place(lowest))),
            _ => alt.push_str(&format!("{}: no data. ", panel.heading)),
        }
    }
    let alt = format!("Heatmap of rates. {}", alt.trim_end());
    Words { id: request.analysis.to_owned(), title: request.title.to_owned(), caption, alt }
}
