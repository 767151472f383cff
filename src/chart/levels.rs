//! Values over ordered levels, side by side: dots with whiskers over the level names, the level that was not recorded
//! set apart and hollow, a model's line with its band behind them, and the counts below.

use super::axis::Axis;
use super::canvas::{At, Canvas, Label, Pen};
use super::font::{self, Weight};
use super::forest::many;
use super::theme::{EDGE, FITTED, GRID, LINE, OBSERVED, Paint, SMALL};
use crate::results::release::ReleasedRow;
use crate::results::{Statistic, format};

/// One level.
#[derive(Debug, Clone)]
pub(super) struct Level<'a> {
    /// Its name.
    pub(super) name: String,
    /// The estimate.
    pub(super) row: &'a ReleasedRow,
    /// What the model says.
    pub(super) fitted: Option<&'a ReleasedRow>,
    /// The level that was not recorded.
    pub(super) missing: bool,
}

/// The picture.
#[derive(Debug, Clone)]
pub(super) struct Levels<'a> {
    /// The levels in order, those not recorded last.
    pub(super) levels: Vec<Level<'a>>,
    /// The scale of the values.
    pub(super) axis: Axis,
    /// Height of the plot itself.
    pub(super) height: f64,
}

/// Stands under the hollow mark where its name is too wide.
pub(super) const NOT_RECORDED: &str = "n. r.";

/// A line of texts below the levels: what is at its left, and the text of each level.
struct Below {
    heading: &'static str,
    labels: Vec<(f64, Label)>,
}

/// Free space between two levels' texts.
const CLEAR: f64 = 4.0;
/// Longest upright text.
const UPRIGHT: f64 = 130.0;

impl Levels<'_> {
    /// Whether the levels fit into a width at all; otherwise they need a line each.
    pub(super) fn fits(&self, width: f64) -> bool {
        self.slot(width) >= LINE + 2.0
    }

    /// Whether all texts fit side by side.
    pub(super) fn fits_level(&self, width: f64) -> bool {
        let slot = self.slot(width);
        let value = |level: &Level<'_>| font::width(&format::value(level.row), SMALL, Weight::Regular);
        self.names(slot).is_some() && self.levels.iter().all(|level| value(level) + CLEAR <= slot)
    }

    /// The names in one or two lines each; `None` when they must stand upright.
    fn names(&self, slot: f64) -> Option<Vec<Vec<String>>> {
        let lines = |level: &Level<'_>| {
            let whole = level.name.split(' ').all(|word| font::width(word, SMALL, Weight::Regular) <= slot - CLEAR);
            let lines = font::wrap(&level.name, SMALL, slot - CLEAR, 2);
            match whole && !lines.iter().any(|line| font::is_cut(line)) {
                true => Some(lines),
                false => level.missing.then(|| vec![NOT_RECORDED.to_owned()]),
            }
        };
        self.levels.iter().map(lines).collect()
    }

    /// Middle of the plot.
    pub(super) fn centre(&self, left: f64, width: f64) -> f64 {
        left + self.gutter() + self.slot(width) * self.slots() / 2.0
    }

    fn gutter(&self) -> f64 {
        let ticks =
            self.axis.ticks_up(self.height).into_iter().map(|tick| font::width(&tick.text, SMALL, Weight::Regular));
        ticks.fold(font::width("n/N", SMALL, Weight::Regular), f64::max) + 10.0
    }

    fn slots(&self) -> f64 {
        let missing = self.levels.iter().any(|level| level.missing) && self.levels.iter().any(|level| !level.missing);
        many(self.levels.len()) + if missing { 0.4 } else { 0.0 }
    }

    fn slot(&self, width: f64) -> f64 {
        ((width - self.gutter()) / self.slots()).min(130.0)
    }

    /// Middle of each level.
    fn middles(&self, left: f64, width: f64) -> Vec<f64> {
        let slot = self.slot(width);
        let start = left + self.gutter();
        let known = self.levels.iter().any(|level| !level.missing);
        let apart = |level: &Level<'_>| if level.missing && known { 0.4 } else { 0.0 };
        self.levels.iter().enumerate().map(|(at, level)| start + slot * (many(at) + 0.5 + apart(level))).collect()
    }
}

/// Paints the levels at `(left, top)` in a width; returns where they end.
pub(super) fn paint(canvas: &mut Canvas, levels: &Levels<'_>, (left, top): At, width: f64) -> f64 {
    let middles = levels.middles(left, width);
    let foot = top + levels.height;
    let y = |value: f64| foot - levels.axis.share(value) * levels.height;
    let start = left + levels.gutter();
    let end = start + levels.slot(width) * levels.slots();
    for tick in levels.axis.ticks_up(levels.height) {
        canvas.line((start, y(tick.value)), (end, y(tick.value)), Pen::ink(0.8, GRID));
        canvas.text(Label::new(tick.text.clone(), (start - 6.0, y(tick.value) + 4.2)).end().tick());
    }
    canvas.line((start, foot), (end, foot), Pen::ink(0.8, 0.6));
    model(canvas, levels, &middles, y);
    for (level, x) in levels.levels.iter().zip(&middles) {
        mark(canvas, level, *x, y);
    }
    texts(canvas, levels, &middles, (foot, left, levels.slot(width)))
}

/// The model's band and line over the levels it speaks of.
fn model(canvas: &mut Canvas, levels: &Levels<'_>, middles: &[f64], y: impl Fn(f64) -> f64) {
    let fitted = || levels.levels.iter().zip(middles).filter_map(|(level, x)| level.fitted.map(|row| (row, *x)));
    let edge = |end: fn(&ReleasedRow) -> Option<f64>| -> Vec<At> {
        fitted().filter_map(|(row, x)| Some((x, y(end(row)?)))).collect()
    };
    let (mut band, high) = (edge(|row| row.low), edge(|row| row.high));
    band.extend(high.into_iter().rev());
    if band.len() > 2 {
        canvas.area(band, Paint::Colour(FITTED), 0.18);
    }
    let line = edge(|row| row.value);
    if line.len() > 1 {
        canvas.path(line, Pen::fitted(1.8));
    } else if let Some(at) = line.first() {
        canvas.diamond(*at, 6.0, Paint::Colour(FITTED));
    }
}

fn mark(canvas: &mut Canvas, level: &Level<'_>, x: f64, y: impl Fn(f64) -> f64) {
    let middle = level.row.value.map(&y);
    if let (Some(low), Some(high)) = (level.row.low.map(&y), level.row.high.map(&y)) {
        let clear = if level.missing { 4.5 } else { 0.0 };
        let (above, under) = middle.map_or((low, low), |middle| (middle - clear, middle + clear));
        for (from, to) in [(high, above), (under, low)] {
            if to > from {
                canvas.line((x, from), (x, to), Pen::observed(2.0));
            }
        }
        for end in [low, high] {
            canvas.line((x - 3.0, end), (x + 3.0, end), Pen::observed(1.6));
        }
    }
    match middle {
        Some(middle) if level.missing => canvas.ring((x, middle), 4.0, Pen::observed(1.6)),
        Some(middle) => canvas.disc((x, middle), 4.4, Paint::Colour(OBSERVED)),
        None => {}
    }
}

/// Names, values and counts below the plot.
fn texts(canvas: &mut Canvas, levels: &Levels<'_>, middles: &[f64], (foot, left, slot): (f64, f64, f64)) -> f64 {
    let mut y = names(canvas, levels, middles, (foot + 4.0, slot));
    let below = |heading, text: &dyn Fn(&ReleasedRow) -> Option<String>| Below {
        heading,
        labels: levels
            .levels
            .iter()
            .zip(middles)
            .filter_map(|(level, x)| Some((*x, Label::new(text(level.row)?, (*x, 0.0)).of(level.row.row_id()))))
            .collect(),
    };
    let fits = |line: &Below| line.labels.iter().all(|(_, label)| label.width() + CLEAR <= slot);
    y = paint_below(canvas, below("", &|row| Some(format::value(row))), (left, y, slot));
    if levels.levels.iter().all(|level| level.row.statistic == Statistic::Mean) {
        let sessions = below("N", &|row| row.denominator.map(format::count));
        return paint_below(canvas, sessions, (left, y, slot)) + 6.0;
    }
    let whole = below("n/N", &|row| format::n_of_row(row));
    let numerators = below("n", &|row| row.numerator.map(format::count));
    let denominators = below("N", &|row| row.denominator.map(format::count));
    if !fits(&whole) && fits(&numerators) && fits(&denominators) {
        y = paint_below(canvas, numerators, (left, y, slot));
        return paint_below(canvas, denominators, (left, y, slot)) + 6.0;
    }
    paint_below(canvas, whole, (left, y, slot)) + 6.0
}

/// One line of texts side by side, or upright where they are wider than their slots.
fn paint_below(canvas: &mut Canvas, line: Below, (left, top, slot): (f64, f64, f64)) -> f64 {
    let tall = line.labels.iter().map(|(_, label)| label.width()).fold(0.0, f64::max);
    if line.labels.is_empty() {
        return top;
    }
    canvas.text(Label::new(line.heading, (left, top + LINE)).muted());
    let upright = tall + CLEAR > slot;
    for (x, label) in line.labels {
        canvas.text(match upright {
            true => Label { at: (x + 4.2, top + 6.0), ..label }.upright().end(),
            false => Label { at: (x, top + LINE), ..label }.middle(),
        });
    }
    if upright { top + tall + 8.0 } else { top + LINE }
}

fn names(canvas: &mut Canvas, levels: &Levels<'_>, middles: &[f64], (top, slot): (f64, f64)) -> f64 {
    if let Some(names) = levels.names(slot) {
        for ((lines, x), level) in names.iter().zip(middles).zip(&levels.levels) {
            for (at, line) in lines.iter().enumerate() {
                let whole = (line == NOT_RECORDED).then(|| level.name.clone());
                canvas.text(Label { whole, ..Label::new(line.clone(), (*x, top + LINE * (many(at) + 1.0))).middle() });
            }
        }
        return top + LINE * many(names.iter().map(Vec::len).max().unwrap_or(1));
    }
    let mut tall = 0.0_f64;
    for (level, x) in levels.levels.iter().zip(middles) {
        let shown = font::fit(&level.name, SMALL, Weight::Regular, UPRIGHT);
        let label = Label::new(shown, (x + 4.2, top + 6.0)).upright().end().whole(&level.name);
        tall = tall.max(label.width());
        canvas.text(label);
    }
    top + tall + 10.0
}

/// The signs of the picture with their meaning, in as many lines as they need.
pub(super) fn paint_signs(canvas: &mut Canvas, signs: &[(Sign, String)], top: f64) -> f64 {
    let (mut x, mut y) = (EDGE, top + LINE);
    for (sign, text) in signs {
        let text = font::fit(text, SMALL, Weight::Regular, canvas.width - 2.0 * EDGE - 24.0);
        let label = Label::new(text, (0.0, 0.0));
        if x > EDGE && x + 24.0 + label.width() > canvas.width - EDGE {
            (x, y) = (EDGE, y + LINE);
        }
        let middle = (x + 9.0, y - 4.2);
        match sign {
            Sign::Dot => canvas.disc(middle, 4.4, Paint::Colour(OBSERVED)),
            Sign::Ring => canvas.ring(middle, 4.0, Pen::observed(1.6)),
            Sign::Line => {
                canvas.area(
                    vec![(x, y - 9.0), (x + 18.0, y - 9.0), (x + 18.0, y + 1.0), (x, y + 1.0)],
                    Paint::Colour(FITTED),
                    0.18,
                );
                canvas.line((x, middle.1), (x + 18.0, middle.1), Pen::fitted(1.8));
            }
        }
        let wide = label.width();
        canvas.text(Label { at: (x + 24.0, y), ..label });
        x += 24.0 + wide + 18.0;
    }
    y + 6.0
}

/// A sign that needs a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sign {
    /// Observed.
    Dot,
    /// Observed where the level was not recorded.
    Ring,
    /// A model's line and band.
    Line,
}
