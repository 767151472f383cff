//! How severe: one stacked bar for each side effect and group, with the count of each grade beside or below it.

use super::canvas::{Canvas, Label, Pen};
use super::font::{self, Weight};
use super::forest::many;
use super::side_effect_rates::MOST_LINES;
use super::theme::{EDGE, LABEL, LINE, SMALL, Width, shade};
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// The parts of a bar: term of the row, its heading, its shade; without a shade it is hatched.
const PARTS: [(&str, &str, Option<f64>); 6] = [
    ("grade 1", "grade 1", Some(0.05)),
    ("grade 2", "grade 2", Some(0.3)),
    ("grade 3", "grade 3", Some(0.55)),
    ("grade 4", "grade 4", Some(0.78)),
    ("grade 5", "grade 5", Some(1.0)),
    ("grade not stated", "not stated", None),
];

struct Bar<'a> {
    name: String,
    parts: [Option<&'a ReleasedRow>; 6],
}

impl<'a> Bar<'a> {
    fn present(&self) -> impl Iterator<Item = (usize, &'a ReleasedRow)> + '_ {
        self.parts.iter().enumerate().filter_map(|(at, row)| row.map(|row| (at, row)))
    }
}

/// Draws the bars.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let counts: Vec<&ReleasedRow> = words::rows(&all, Statistic::Count)
        .into_iter()
        .filter(|row| PARTS.iter().any(|(term, ..)| *term == row.term))
        .collect();
    let keys = words::distinct(counts.iter().map(|row| (row.outcome.as_str(), &row.group)));
    let bars: Vec<Bar<'_>> = keys
        .iter()
        .map(|(outcome, group)| {
            let same = |term: &str| {
                counts.iter().copied().find(|row| row.outcome == *outcome && row.group == **group && row.term == term)
            };
            let code = words::outcome(outcome, request);
            let name = if group.is_empty() { code } else { format!("{code}: {}", same_group(&counts, outcome, group)) };
            Bar { name, parts: PARTS.map(|(term, ..)| same(term)) }
        })
        .collect();
    let pictures: Vec<&[Bar<'_>]> = bars.chunks(MOST_LINES).collect();
    let drawn = pictures.iter().enumerate().map(|(at, bars)| {
        words_of(bars, (at, pictures.len()), request).drawn(request.analysis, |width| paint(bars, width))
    });
    drawn.collect()
}

fn same_group(counts: &[&ReleasedRow], outcome: &str, group: &[(String, String)]) -> String {
    counts
        .iter()
        .find(|row| row.outcome == outcome && row.group == group)
        .map_or_else(String::new, |row| words::group(row))
}

fn paint(bars: &[Bar<'_>], width: Width) -> Canvas {
    let mut canvas = Canvas::new(width);
    let right = canvas.width - EDGE;
    let step = match width {
        Width::Wide => 52.0,
        Width::Narrow => (right - EDGE) / 6.0,
    };
    let ends: Vec<f64> = (0..6).map(|at| right - step * many(5 - at)).collect();
    let mut y = headings(&mut canvas, &ends);
    let longest = bars.iter().map(|bar| font::width(&bar.name, LABEL, Weight::Regular)).fold(60.0, f64::max).min(190.0);
    for bar in bars {
        y = match width {
            Width::Wide => {
                let names = font::wrap(&bar.name, LABEL, longest, 2);
                let height = 22.0 + LINE * (many(names.len()) - 1.0);
                let middle = y + height / 2.0;
                name(&mut canvas, &names, bar, middle + 4.5 - LINE * (many(names.len()) - 1.0) / 2.0);
                paint_bar(&mut canvas, bar, (EDGE + longest + 12.0, ends[0] - 50.0), middle);
                numbers(&mut canvas, bar, &ends, middle + 4.5);
                y + height + 2.0
            }
            Width::Narrow => {
                let names = font::wrap(&bar.name, LABEL, right - EDGE, 2);
                name(&mut canvas, &names, bar, y + 16.0);
                let middle = y + 16.0 + LINE * (many(names.len()) - 1.0) + 14.0;
                paint_bar(&mut canvas, bar, (EDGE, right), middle);
                numbers(&mut canvas, bar, &ends, middle + 23.0);
                middle + 32.0
            }
        };
    }
    canvas.reach(y + EDGE);
    canvas
}

/// A swatch for each part over its column of counts.
fn headings(canvas: &mut Canvas, ends: &[f64]) -> f64 {
    for ((_, heading, dark), end) in PARTS.iter().zip(ends) {
        swatch(canvas, *dark, ((end - 16.0, EDGE), (*end, EDGE + 12.0)));
        let (first, second) = heading.split_once(' ').unwrap_or((heading, ""));
        canvas.text(Label::new(first, (*end, EDGE + 26.0)).end());
        canvas.text(Label::new(second, (*end, EDGE + 40.0)).end());
    }
    canvas.line((EDGE, EDGE + 46.0), (canvas.width - EDGE, EDGE + 46.0), Pen::ink(0.8, 0.5));
    EDGE + 50.0
}

fn swatch(canvas: &mut Canvas, dark: Option<f64>, (from, to): ((f64, f64), (f64, f64))) {
    match dark {
        Some(dark) => canvas.block(from, to, shade(dark)),
        None => canvas.hatch(from, to, Pen::ink(0.8, 0.55)),
    }
    canvas.frame(from, to, Pen::ink(0.8, 0.6));
}

fn name(canvas: &mut Canvas, names: &[String], bar: &Bar<'_>, first: f64) {
    for (at, text) in names.iter().enumerate() {
        canvas.text(Label::new(text.clone(), (EDGE, first + LINE * many(at))).size(LABEL).whole(&bar.name));
    }
}

/// The whole bar is everybody with the side effect.
fn paint_bar(canvas: &mut Canvas, bar: &Bar<'_>, (left, right): (f64, f64), y: f64) {
    let Some(all) = bar.present().find_map(|(_, row)| row.denominator).filter(|all| *all > 0.0) else {
        canvas.text(Label::new("none", (left, y + 4.5)).muted());
        return;
    };
    let mut x = left;
    for (at, row) in bar.present() {
        let to = (x + row.value.unwrap_or(0.0) / all * (right - left)).min(right);
        if to > x {
            swatch(canvas, PARTS[at].2, ((x, y - 7.5), (to, y + 7.5)));
        }
        x = to;
    }
}

fn numbers(canvas: &mut Canvas, bar: &Bar<'_>, ends: &[f64], y: f64) {
    for (at, row) in bar.present() {
        let label = Label::new(format::value(row), (ends[at], y)).size(SMALL).end().of(row.row_id());
        let none = row.value.is_some_and(|count| count < 0.5);
        canvas.text(if none { label.muted() } else { label });
    }
}

fn words_of(bars: &[Bar<'_>], (at, count): (usize, usize), request: &ChartRequest<'_>) -> Words {
    let (ending, part) = if count > 1 {
        (format!("_{}", at + 1), format!(" ({} of {count})", at + 1))
    } else {
        (String::new(), String::new())
    };
    let spoken = |bar: &Bar<'_>| {
        let parts: Vec<String> = bar
            .present()
            .filter(|(_, row)| row.value.is_some_and(|count| count > 0.5))
            .map(|(at, row)| format!("{} {}", PARTS[at].1, format::value(row)))
            .collect();
        format!("{}: {}", bar.name, if parts.is_empty() { "none".to_owned() } else { parts.join(", ") })
    };
    let shown: Vec<String> = bars.iter().take(8).map(spoken).collect();
    let more = if bars.len() > 8 { format!(" The first 8 of {}.", bars.len()) } else { String::new() };
    Words {
        id: format!("{}{ending}", request.analysis),
        title: format!("{}{part}", request.title),
        caption:
            "Each bar is all with the side effect, divided by grade: the darker, the more severe; hatched: grade not \
                  stated. The numbers are counts."
                .to_owned(),
        alt: format!("Stacked bars of severity. {}.{more}", shown.join("; ")),
    }
}
