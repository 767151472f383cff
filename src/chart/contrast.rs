//! Two groups compared: differences around 0, ratios around 1 on a logarithmic axis.

use super::axis::Axis;
use super::forest::{self, Block, Forest, Line};
use super::side_effect_rates::parts;
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// What may be drawn, with its heading and the value of no difference.
const MEASURES: [(Statistic, &str, f64); 3] = [
    (Statistic::RiskDifference, "Risk difference, percentage points", 0.0),
    (Statistic::RiskRatio, "Risk ratio", 1.0),
    (Statistic::OddsRatio, "Odds ratio", 1.0),
];

/// A measure, its heading and its rows.
type Measured<'a> = (Statistic, &'static str, Vec<&'a ReleasedRow>);

/// Draws the contrasts, one block for each measure.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let measured: Vec<Measured<'_>> = MEASURES
        .into_iter()
        .map(|(statistic, heading, _)| (statistic, heading, words::rows(&all, statistic)))
        .filter(|(_, _, rows)| rows.iter().any(|row| row.value.is_some()))
        .collect();
    let several = measured
        .iter()
        .any(|(_, _, rows)| words::distinct(rows.iter().map(|row| (&row.group, &row.comparator))).len() > 1);
    let blocks = measured.iter().map(|(_, heading, rows)| {
        let versus = if several { String::new() } else { rows.first().map_or_else(String::new, |row| versus(row)) };
        let lines = rows.iter().map(|row| line(row, several, request)).collect();
        (Some(format!("{heading}{versus}")), lines)
    });
    let parts = parts(blocks.collect());
    let count = parts.len();
    let drawn = parts.into_iter().filter(|blocks| !blocks.is_empty()).enumerate().map(|(at, blocks)| {
        let rows: Vec<&ReleasedRow> = blocks.iter().flat_map(|(_, lines)| lines.iter().map(|line| line.row)).collect();
        let blocks = blocks.into_iter().map(|(heading, lines)| Block {
            axis: axis(&lines, &measured),
            reference: none_of(&lines),
            heading,
            lines,
        });
        let forest = Forest {
            blocks: blocks.collect(),
            axis_title: String::new(),
            estimate_title: format!("estimate ({})", words::interval(&rows)),
            own_axes: true,
        };
        words_of(&rows, (at, count), request).drawn(request.analysis, |width| forest::paint(&forest, width))
    });
    drawn.collect()
}

fn line<'a>(row: &'a ReleasedRow, several: bool, request: &ChartRequest<'_>) -> Line<'a> {
    let outcome = words::outcome(&row.outcome, request);
    let name = if several { format!("{outcome}{}", versus(row)) } else { outcome };
    Line { name, row, beside: None, fitted: None, hollow: false }
}

/// `: RF against Pen`.
fn versus(row: &ReleasedRow) -> String {
    let against = match row.comparator.split_once('=') {
        Some((column, value)) => words::group_value(column, value),
        None => row.comparator.clone(),
    };
    match (row.group.is_empty(), against.is_empty()) {
        (true, true) => String::new(),
        (true, false) => format!(": against {against}"),
        (false, true) => format!(": {}", words::group(row)),
        (false, false) => format!(": {} against {against}", words::group(row)),
    }
}

fn none_of(lines: &[Line<'_>]) -> Option<f64> {
    let statistic = lines.first().map(|line| line.row.statistic);
    MEASURES.iter().find(|(known, ..)| Some(*known) == statistic).map(|(_, _, none)| *none)
}

/// The axis of a measure is the same in every picture of the analysis.
fn axis(lines: &[Line<'_>], measured: &[Measured<'_>]) -> Axis {
    let statistic = lines.first().map(|line| line.row.statistic);
    let rows = measured.iter().filter(|(known, ..)| Some(*known) == statistic).flat_map(|(_, _, rows)| rows);
    let values: Vec<f64> = rows.flat_map(|row| [row.value, row.low, row.high]).flatten().collect();
    if statistic == Some(Statistic::RiskDifference) { Axis::differences(&values) } else { Axis::ratios(&values) }
}

fn words_of(rows: &[&ReleasedRow], (at, count): (usize, usize), request: &ChartRequest<'_>) -> Words {
    let (ending, part) = if count > 1 {
        (format!("_{}", at + 1), format!(" ({} of {count})", at + 1))
    } else {
        (String::new(), String::new())
    };
    let spoken = |row: &&ReleasedRow| {
        let measure = row.statistic.id().replace('_', " ");
        words::spoken(
            &format!("{}, {measure}{}:", words::outcome(&row.outcome, request), versus(row).trim_start_matches(':')),
            row,
        )
    };
    let shown: Vec<String> = rows.iter().take(8).map(spoken).collect();
    let more = if rows.len() > 8 { format!(" The first 8 of {}.", rows.len()) } else { String::new() };
    let counted = rows.iter().any(|row| row.numerator.is_some() && row.denominator.is_some());
    let counts = if counted { " n/N: events and denominator of the group named first." } else { "" };
    Words {
        id: format!("{}{ending}", request.analysis),
        title: format!("{}{part}", request.title),
        caption: format!(
            "Dot: estimate; whisker: its {}; vertical line: no difference. Ratios stand on a logarithmic axis. An arrow: \
             the interval goes on beyond the axis. {}: not estimable.{counts}",
            words::interval(rows),
            format::NOT_ESTIMABLE,
        ),
        alt: format!("Contrasts with whiskers. {}.{more}", shown.join("; ")),
    }
}
