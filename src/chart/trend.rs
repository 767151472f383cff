//! The rate of a side effect over ordered levels, such as PIH by skin tone: observed rates with intervals, the line of
//! the model with that column alone, and the trend's numbers.

use super::axis::Axis;
use super::canvas::{Canvas, Label};
use super::font;
use super::forest::{self, Block, Forest, Line};
use super::levels::{self, Level, Levels, NOT_RECORDED, Sign};
use super::side_effect_rates::axis_of;
use super::theme::{EDGE, LINE, SMALL, Width};
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// One side effect.
struct Trend<'a> {
    outcome: String,
    over: String,
    population: String,
    interval: String,
    levels: Levels<'a>,
    notes: Vec<(String, &'a ReleasedRow)>,
}

/// Draws one picture a side effect.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let rates: Vec<&ReleasedRow> =
        words::rows(&all, Statistic::Rate).into_iter().filter(|row| !row.group.is_empty()).collect();
    let outcomes = words::distinct(rates.iter().map(|row| row.outcome.as_str()));
    let drawn = outcomes.iter().map(|code| {
        let trend = trend_of(code, &all, request);
        let id = if outcomes.len() == 1 { request.analysis.to_owned() } else { format!("{}_{code}", request.analysis) };
        let title = if outcomes.len() == 1 {
            request.title.to_owned()
        } else {
            format!("{}: {}", request.title, trend.outcome)
        };
        let words = Words { id, title, caption: caption(&trend), alt: alt(&trend) };
        words.drawn(request.analysis, |width| paint(&trend, width))
    });
    drawn.collect()
}

fn trend_of<'a>(code: &str, all: &[&'a ReleasedRow], request: &ChartRequest<'_>) -> Trend<'a> {
    let of: Vec<&ReleasedRow> = all.iter().copied().filter(|row| row.outcome == code).collect();
    let rates: Vec<&ReleasedRow> =
        words::rows(&of, Statistic::Rate).into_iter().filter(|row| !row.group.is_empty()).collect();
    let mut levels: Vec<Level<'_>> = rates
        .iter()
        .map(|row| Level {
            name: words::group(row),
            row,
            fitted: words::beside(&of, row, Statistic::FittedRate),
            missing: words::is_missing(row),
        })
        .collect();
    levels.sort_by_key(|level| level.missing);
    let highest = levels.iter().flat_map(|level| [Some(level.row), level.fitted]).flatten();
    let highest = highest.filter_map(|row| row.high.or(row.value)).fold(0.0, f64::max);
    let over = rates.first().and_then(|row| row.group.first()).map_or_else(String::new, |(column, _)| column.clone());
    Trend {
        outcome: words::outcome(code, request),
        population: words::population(&rates, !words::rows(&of, Statistic::NotAssessed).is_empty()),
        interval: words::interval(&rates),
        notes: notes(&of, &over),
        over: words::column(&over),
        levels: Levels { levels, axis: Axis::proportions(&[], highest), height: 230.0 },
    }
}

/// The first trend test (the analysis puts the one that suits the data first) with its p-value, and the odds ratios of one step of the
/// column followed, crude and adjusted; what the model adjusts for is the table's part.
fn notes<'a>(of: &[&'a ReleasedRow], over: &str) -> Vec<(String, &'a ReleasedRow)> {
    let find = |statistic, term: &str| words::rows(of, statistic).into_iter().find(|row| row.term == term);
    let mut notes = Vec::new();
    let tests = words::rows(of, Statistic::PValue).into_iter().find(|row| !row.term.contains(':'));
    if let Some(test) = tests {
        let method = if test.term.is_empty() { test.method } else { &test.term };
        let method = words::capital(&words::test(method));
        notes.extend(find(Statistic::TrendZ, &test.term).map(|row| (format!("{method}, z:"), row)));
        notes.push((format!("{method}, p-value:"), test));
    }
    for model in ["crude", "adjusted"] {
        let name = format!("Odds ratio for one step of {}, {model}:", words::column(over));
        notes.extend(find(Statistic::OddsRatio, &format!("{over}:{model}")).map(|row| (name, row)));
    }
    notes
}

fn paint(trend: &Trend<'_>, width: Width) -> Canvas {
    let room = width.units() - 2.0 * EDGE;
    let mut canvas = if trend.levels.fits(room) {
        paint_levels(trend, width, room)
    } else {
        forest::paint(&as_forest(trend), width)
    };
    let mut y = canvas.bottom();
    for (name, row) in &trend.notes {
        y = note(&mut canvas, name, row, y);
    }
    canvas.reach(y + EDGE);
    canvas
}

fn paint_levels(trend: &Trend<'_>, width: Width, room: f64) -> Canvas {
    let mut canvas = Canvas::new(width);
    let mut y = EDGE;
    for line in font::wrap_bold(&axis_title(trend), SMALL, room, 2) {
        y += LINE;
        canvas.text(Label::new(line, (EDGE, y)).bold());
    }
    y = levels::paint_signs(&mut canvas, &signs(trend), y + 2.0);
    y = levels::paint(&mut canvas, &trend.levels, (EDGE, y + 10.0), room);
    let middle = trend.levels.centre(EDGE, room);
    canvas.text(Label::new(words::capital(&trend.over), (middle, y + LINE)).middle().bold());
    canvas.reach(y + LINE + 8.0);
    canvas
}

fn axis_title(trend: &Trend<'_>) -> String {
    format!("{}: share of {}", trend.outcome, trend.population)
}

fn signs(trend: &Trend<'_>) -> Vec<(Sign, String)> {
    let mut signs = vec![(Sign::Dot, format!("observed, {}", trend.interval))];
    if trend.levels.levels.iter().any(|level| level.fitted.is_some()) {
        signs.push((Sign::Line, format!("model with {} alone", trend.over)));
    }
    if trend.levels.levels.iter().any(|level| level.missing) {
        signs.push((Sign::Ring, format!("not recorded ({NOT_RECORDED})")));
    }
    signs
}

/// The name in as many lines as it needs, the number behind its last word or on a line of its own.
fn note(canvas: &mut Canvas, name: &str, row: &ReleasedRow, top: f64) -> f64 {
    let number = Label::new(format::value_and_interval(row), (0.0, 0.0)).of(row.row_id());
    let room = canvas.width - 2.0 * EDGE;
    let (mut x, mut y) = (EDGE, top);
    for line in font::wrap(name, SMALL, room, 3) {
        y += LINE;
        let label = Label::new(line, (EDGE, y)).whole(name);
        x = EDGE + label.width() + 6.0;
        canvas.text(label);
    }
    if x + number.width() > canvas.width - EDGE {
        (x, y) = (EDGE + 12.0, y + LINE);
    }
    canvas.text(Label { at: (x, y), ..number });
    y
}

/// Very many levels: one line each, the model's value as a diamond.
fn as_forest<'a>(trend: &Trend<'a>) -> Forest<'a> {
    let lines: Vec<Line<'_>> = trend
        .levels
        .levels
        .iter()
        .map(|level| Line {
            name: level.name.clone(),
            row: level.row,
            beside: None,
            fitted: level.fitted,
            hollow: level.missing,
        })
        .collect();
    let rows: Vec<&ReleasedRow> = lines.iter().map(|line| line.row).collect();
    let fitted = lines.iter().any(|line| line.fitted.is_some());
    let model = if fitted { format!("; diamond: model with {} alone", trend.over) } else { String::new() };
    Forest {
        axis_title: format!("{}{model}", axis_title(trend)),
        estimate_title: format!("rate ({})", trend.interval),
        own_axes: false,
        blocks: vec![Block { heading: None, lines, axis: axis_of(&rows), reference: None }],
    }
}

fn caption(trend: &Trend<'_>) -> String {
    let mut text = format!(
        "{} by {}. Dot: observed share of {}; whisker: its {}; below each level: the rate, events and denominator (n/N).",
        trend.outcome, trend.over, trend.population, trend.interval,
    );
    if trend.levels.levels.iter().any(|level| level.fitted.is_some()) {
        text.push_str(&format!(
            " Line and band: the model with {} alone, with its interval; what differs beside it between the levels is \
             not allowed for.",
            trend.over
        ));
    }
    if trend.levels.levels.iter().any(|level| level.missing) {
        text.push_str(" Hollow: not recorded; not part of the trend.");
    }
    text
}

fn alt(trend: &Trend<'_>) -> String {
    let level = |level: &Level<'_>| words::spoken(&format!("{}:", level.name), level.row);
    let levels: Vec<&Level<'_>> = trend.levels.levels.iter().collect();
    let mut spoken: Vec<String> = levels.iter().take(12).map(|one| level(one)).collect();
    if let Some(last) = levels.last().filter(|_| levels.len() > 12) {
        spoken.push(format!("… last of {}: {}", levels.len(), level(last)));
    }
    spoken.extend(trend.notes.iter().map(|(name, row)| format!("{name} {}", format::value_and_interval(row))));
    format!("{} by {}. {}.", axis_title(trend), trend.over, spoken.join("; "))
}
