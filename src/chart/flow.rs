//! What came in and what was left at each step: read → accepted → analysed → assessed, with what went on the way.

use super::canvas::{At, Canvas, Label, Pen};
use super::font;
use super::forest::many;
use super::theme::{EDGE, LABEL, LINE, Paint, SMALL, Width};
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// A row's term and its name in the picture.
type Term = (&'static str, &'static str);

/// The steps: what stays, and what left before it.
const STEPS: [(Term, &[Term]); 3] = [
    (("log_read_rows", "Session rows read"), &[]),
    (
        ("log_accepted_rows", "Sessions accepted"),
        &[
            ("log_rejected_rows", "Rejected: a rule was broken"),
            ("log_superseded_rows", "Superseded: repeated or amended"),
        ],
    ),
    (
        ("analysed_sessions", "Sessions analysed"),
        &[("after_data_cut", "After the data cut"), ("outside_cohort", "Outside the cohort")],
    ),
];

/// Side effects that are named one by one; of more, the least and the most assessed are.
const MOST_NAMED: usize = 3;

/// A name with the row of its number.
type Entry<'a> = (String, &'a ReleasedRow);

struct Step<'a> {
    name: String,
    /// The number, or the numbers by side effect.
    entries: Vec<Entry<'a>>,
    /// What left before this step.
    left: Vec<Entry<'a>>,
}

/// Draws `<analysis>_flow`.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let mut steps: Vec<Step<'_>> = STEPS.iter().filter_map(|(stays, left)| step(&all, *stays, left)).collect();
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    steps.extend(assessed(&all, request));
    let words = Words {
        id: format!("{}_flow", request.analysis),
        title: "From rows read to sessions assessed".to_owned(),
        caption: "Down the left: what was left at each step. At the right: what went on the way, and why.".to_owned(),
        alt: alt(&steps),
    };
    Ok(vec![words.drawn(request.analysis, |width| paint(&steps, width))?])
}

fn step<'a>(all: &[&'a ReleasedRow], (term, name): Term, left: &[Term]) -> Option<Step<'a>> {
    let entry = |term: &str, name: &str| {
        let row = all
            .iter()
            .copied()
            .find(|row| row.statistic == Statistic::Count && row.term == term && row.group.is_empty());
        row.map(|row| (name.to_owned(), row))
    };
    let (_, row) = entry(term, name)?;
    let left = left.iter().filter_map(|(term, name)| entry(term, name)).collect();
    Some(Step { name: name.to_owned(), entries: vec![(String::new(), row)], left })
}

/// The last step: how many were assessed, by side effect.
fn assessed<'a>(all: &[&'a ReleasedRow], request: &ChartRequest<'_>) -> Option<Step<'a>> {
    let shares = words::rows(all, Statistic::AssessedShare);
    let mut shares: Vec<&ReleasedRow> =
        shares.into_iter().filter(|row| row.group.is_empty() && row.value.is_some()).collect();
    if shares.is_empty() {
        return None;
    }
    let name = |row: &ReleasedRow| words::outcome(&row.outcome, request);
    let entries: Vec<Entry<'_>> = if shares.len() <= MOST_NAMED {
        shares.iter().map(|row| (format!("for {}", name(row)), *row)).collect()
    } else {
        shares.sort_by(|one, other| one.value.unwrap_or(0.0).total_cmp(&other.value.unwrap_or(0.0)));
        let (least, most) = (shares[0], shares[shares.len() - 1]);
        vec![(format!("least: {}", name(least)), least), (format!("most: {}", name(most)), most)]
    };
    let left =
        shares.iter().filter_map(|row| words::beside(all, row, Statistic::NotAssessed).map(|beside| (row, beside)));
    let left = left.filter(|_| shares.len() <= MOST_NAMED);
    let left = left.map(|(row, beside)| (format!("Not assessed for {}", name(row)), beside)).collect();
    Some(Step { name: "Sessions assessed".to_owned(), entries, left })
}

/// The number of an entry: `2,385`, or `2,385/2,900 (82.2 %)`.
fn number(row: &ReleasedRow) -> String {
    match format::n_of_row(row) {
        Some(counts) if row.statistic == Statistic::AssessedShare => format!("{counts} ({})", format::value(row)),
        _ => format::value(row),
    }
}

/// Lines of an entry within a box: its name, wrapped, and its number.
fn entry_lines(entry: &Entry<'_>, room: f64) -> Vec<String> {
    let mut lines = if entry.0.is_empty() { Vec::new() } else { font::wrap(&entry.0, SMALL, room, 3) };
    lines.push(number(entry.1));
    lines
}

fn paint(steps: &[Step<'_>], width: Width) -> Canvas {
    let mut canvas = Canvas::new(width);
    let (main, side) = match width {
        Width::Wide => ((EDGE + 60.0, 330.0), (390.0, 656.0)),
        Width::Narrow => ((EDGE, 182.0), (206.0, 360.0 - EDGE)),
    };
    let spine = main.0 + 30.0;
    let mut y = EDGE;
    for (at, step) in steps.iter().enumerate() {
        if at > 0 {
            let start = y;
            y += 10.0;
            for entry in &step.left {
                let end = side_box(&mut canvas, entry, (side, y));
                let middle = f64::midpoint(y, end);
                arrow(&mut canvas, (spine, middle), (side.0, middle));
                y = end + 8.0;
            }
            y += 14.0;
            arrow(&mut canvas, (spine, start), (spine, y));
        }
        y = main_box(&mut canvas, step, (main, y));
    }
    canvas.reach(y + EDGE);
    canvas
}

const PAD: f64 = 10.0;

fn main_box(canvas: &mut Canvas, step: &Step<'_>, ((left, right), top): ((f64, f64), f64)) -> f64 {
    let mut y = top + 6.0 + LINE;
    canvas.text(
        Label::new(font::fit(&step.name, LABEL, font::Weight::Regular, right - left - 2.0 * PAD), (left + PAD, y))
            .size(LABEL),
    );
    for entry in &step.entries {
        let lines = entry_lines(entry, right - left - 2.0 * PAD);
        let last = lines.len() - 1;
        for (at, line) in lines.into_iter().enumerate() {
            y += LINE + 1.0;
            let label = Label::new(line, (left + PAD, y));
            canvas.text(if at == last { label.size(LABEL).bold().of(entry.1.row_id()) } else { label.whole(&entry.0) });
        }
    }
    canvas.frame((left, top), (right, y + 10.0), Pen::ink(1.4, 0.85));
    y + 10.0
}

fn side_box(canvas: &mut Canvas, entry: &Entry<'_>, ((left, right), top): ((f64, f64), f64)) -> f64 {
    let lines = entry_lines(entry, right - left - 2.0 * PAD);
    let (last, bottom) = (lines.len() - 1, top + LINE * many(lines.len()) + 10.0);
    for (at, line) in lines.into_iter().enumerate() {
        let label = Label::new(line, (left + PAD, top + LINE * (many(at) + 1.0) + 2.0));
        canvas.text(if at == last { label.bold().of(entry.1.row_id()) } else { label.whole(&entry.0) });
    }
    canvas.frame((left, top), (right, bottom), Pen::ink(1.0, 0.45));
    bottom
}

/// An arrow to the right or downwards.
fn arrow(canvas: &mut Canvas, from: At, to: At) {
    canvas.line(from, to, Pen::ink(1.2, 0.7));
    let (x, y) = to;
    let down = (to.0 - from.0).abs() < 0.5;
    let head = if down {
        vec![(x, y), (x - 4.0, y - 7.0), (x + 4.0, y - 7.0)]
    } else {
        vec![(x, y), (x - 7.0, y - 4.0), (x - 7.0, y + 4.0)]
    };
    canvas.area(head, Paint::Ink, 0.85);
}

fn alt(steps: &[Step<'_>]) -> String {
    let entry = |(name, row): &Entry<'_>| format!("{name} {}", number(row)).trim().to_owned();
    let step = |step: &Step<'_>| {
        let entries: Vec<String> = step.entries.iter().map(entry).collect();
        let left: Vec<String> = step.left.iter().map(entry).collect();
        let left = if left.is_empty() { String::new() } else { format!(" (left: {})", left.join("; ")) };
        format!("{}: {}{left}", step.name, entries.join("; "))
    };
    format!("Flow. {}.", steps.iter().map(step).collect::<Vec<_>>().join(". "))
}
