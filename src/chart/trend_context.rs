//! What else differs between the levels of a trend: the mean depth and passes of each, so that confounding is seen.

use super::axis::Axis;
use super::canvas::Canvas;
use super::forest::{self, Block, Forest, Line};
use super::levels::{self, Level, Levels};
use super::theme::{EDGE, Width};
use super::{Chart, ChartError, ChartRequest, Words, matrix, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic};

struct Panel<'a> {
    heading: String,
    levels: Levels<'a>,
}

/// Draws `<analysis>_context`: one panel for each column whose mean is given.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let means: Vec<&ReleasedRow> =
        words::rows(&all, Statistic::Mean).into_iter().filter(|row| !row.group.is_empty()).collect();
    let Some(first) = means.first() else { return Ok(Vec::new()) };
    let over = first.group.first().map_or_else(String::new, |(column, _)| words::column(column));
    let one_outcome = means.iter().copied().filter(|row| row.outcome == first.outcome).collect::<Vec<_>>();
    let terms = words::distinct(one_outcome.iter().map(|row| row.term.as_str()));
    let panels: Vec<Panel<'_>> = terms.iter().map(|term| panel(term, &one_outcome)).collect();
    let words = Words {
        id: format!("{}_context", request.analysis),
        title: format!("What else differs by {over}"),
        caption: format!(
            "Dot: mean at each level of {over}; whisker: its {}. Where these differ, a trend over {over} is in part a \
             trend over them.",
            words::interval(&means),
        ),
        alt: alt(&panels, &over),
    };
    Ok(vec![words.drawn(request.analysis, |width| paint(&panels, width))?])
}

fn panel<'a>(term: &str, means: &[&'a ReleasedRow]) -> Panel<'a> {
    let rows = means.iter().copied().filter(|row| row.term == term);
    let mut levels: Vec<Level<'_>> =
        rows.map(|row| Level { name: words::group(row), row, fitted: None, missing: words::is_missing(row) }).collect();
    levels.sort_by_key(|level| level.missing);
    let values: Vec<f64> =
        levels.iter().flat_map(|level| [level.row.value, level.row.low, level.row.high]).flatten().collect();
    let heading = format!("Mean {}", words::column(term));
    Panel { heading, levels: Levels { levels, axis: Axis::numbers(&values), height: 120.0 } }
}

/// Side by side where there is room, else below each other; with very many levels one line each.
fn paint(panels: &[Panel<'_>], width: Width) -> Canvas {
    let mut canvas = Canvas::new(width);
    let room = width.units() - 2.0 * EDGE;
    let half = (room - 24.0) / 2.0;
    if panels.iter().any(|panel| !panel.levels.fits(room)) {
        return forest::paint(&as_forest(panels), width);
    }
    let two = width == Width::Wide && panels.iter().all(|panel| panel.levels.fits_level(half));
    let mut y = EDGE;
    for pair in panels.chunks(if two { 2 } else { 1 }) {
        let mut end = y;
        for (at, panel) in pair.iter().enumerate() {
            let left = EDGE + forest::many(at) * (half + 24.0);
            let below =
                matrix::paint_heading_at(&mut canvas, &panel.heading, ((left, y), if two { half } else { room }));
            end =
                levels::paint(&mut canvas, &panel.levels, (left, below + 8.0), if two { half } else { room }).max(end);
        }
        y = end + 10.0;
    }
    canvas.reach(y);
    canvas
}

fn as_forest<'a>(panels: &[Panel<'a>]) -> Forest<'a> {
    let line = |level: &Level<'a>| Line {
        name: level.name.clone(),
        row: level.row,
        beside: None,
        fitted: None,
        hollow: level.missing,
    };
    let block = |panel: &Panel<'a>| Block {
        heading: Some(panel.heading.clone()),
        lines: panel.levels.levels.iter().map(line).collect(),
        axis: panel.levels.axis.clone(),
        reference: None,
    };
    Forest {
        axis_title: String::new(),
        estimate_title: "mean (interval)".to_owned(),
        own_axes: true,
        blocks: panels.iter().map(block).collect(),
    }
}

fn alt(panels: &[Panel<'_>], over: &str) -> String {
    let panel = |panel: &Panel<'_>| {
        let levels = panel.levels.levels.iter().take(12);
        let levels: Vec<String> = levels.map(|level| words::spoken(&format!("{}:", level.name), level.row)).collect();
        format!("{}: {}", panel.heading, levels.join("; "))
    };
    format!("Means by {over}. {}.", panels.iter().map(panel).collect::<Vec<_>>().join(". "))
}
