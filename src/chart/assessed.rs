//! How much was assessed, by clinic and side effect: a clinic that does not ask looks safe.

use super::canvas::Canvas;
use super::matrix::{self, Cell, Matrix};
use super::side_effect_rates::MOST_LINES;
use super::theme::EDGE;
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// Draws `<analysis>_assessed`: the share assessed in each clinic for each side effect.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let shares: Vec<&ReleasedRow> =
        words::rows(&all, Statistic::AssessedShare).into_iter().filter(|row| row.group.len() == 1).collect();
    let clinics = words::distinct(shares.iter().map(|row| row.group[0].1.as_str()));
    let parts: Vec<&[&str]> = clinics.chunks(MOST_LINES).collect();
    let drawn = parts.iter().enumerate().map(|(at, clinics)| {
        let matrix = table(clinics, &shares, request);
        let part = (parts.len() > 1).then_some((at + 1, parts.len()));
        words_of(&shares, part, request).drawn(request.analysis, |width| {
            let mut canvas = Canvas::new(width);
            let y = matrix::paint_scale(&mut canvas, (&format::percent(0.0), &format::percent(1.0)), EDGE);
            matrix::paint(&mut canvas, &matrix, y);
            canvas
        })
    });
    drawn.collect()
}

/// Whichever there are more of, clinics or side effects, goes down the page.
fn table(clinics: &[&str], shares: &[&ReleasedRow], request: &ChartRequest<'_>) -> Matrix {
    let outcomes = words::distinct(shares.iter().map(|row| row.outcome.as_str()));
    let find =
        |clinic: &str, code: &str| shares.iter().copied().find(|row| row.group[0].1 == clinic && row.outcome == code);
    let column = shares.first().map_or("", |row| row.group[0].0.as_str());
    let matrix = Matrix {
        row_title: words::capital(&words::column(column)),
        column_title: "Share assessed, %".to_owned(),
        row_names: clinics.iter().map(|clinic| words::group_value(column, clinic)).collect(),
        column_names: outcomes.iter().map(|code| words::outcome(code, request)).collect(),
        cells: clinics.iter().map(|clinic| outcomes.iter().map(|code| cell(find(clinic, code))).collect()).collect(),
    };
    if outcomes.len() <= clinics.len() {
        return matrix;
    }
    let clinic = matrix.row_title.clone();
    Matrix {
        row_title: "Side effect".to_owned(),
        column_title: format!("Share assessed, %, by {}", clinic.to_lowercase()),
        ..matrix.turned()
    }
}

/// The share without its sign, which the heading carries.
fn cell(row: Option<&ReleasedRow>) -> Cell {
    let Some((row, share)) = row.and_then(|row| Some((row, row.value?))) else { return Cell::default() };
    Cell { lines: vec![format::percent_number(share)], shade: Some(share), row_id: Some(row.row_id()) }
}

fn words_of(shares: &[&ReleasedRow], part: Option<(usize, usize)>, request: &ChartRequest<'_>) -> Words {
    let (ending, title) =
        part.map_or((String::new(), String::new()), |(at, count)| (format!("_{at}"), format!(" ({at} of {count})")));
    let by_value =
        |one: &&&ReleasedRow, other: &&&ReleasedRow| one.value.unwrap_or(0.0).total_cmp(&other.value.unwrap_or(0.0));
    let known = || shares.iter().filter(|row| row.value.is_some());
    let place = |row: &ReleasedRow| {
        words::spoken(&format!("{}, {}:", words::group(row), words::outcome(&row.outcome, request)), row)
    };
    let alt = match (known().min_by(by_value), known().max_by(by_value)) {
        (Some(least), Some(most)) => {
            format!("Heatmap of the share of sessions assessed. Least: {}. Most: {}.", place(least), place(most))
        }
        _ => "Heatmap of the share of sessions assessed; no data.".to_owned(),
    };
    Words {
        id: format!("{}_assessed{ending}", request.analysis),
        title: format!("Share assessed by clinic and side effect{title}"),
        caption: "Share of sessions, in percent, in which the side effect was assessed: asked for, and followed up to the \
                  end of its window. Pale cells are gaps: a low rate there may only mean that nobody asked. Hatched: no data."
            .to_owned(),
        alt,
    }
}
