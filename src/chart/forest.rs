//! Dots with whiskers, one line for each row: the picture of rates and of contrasts. Wide: name, whisker and numbers
//! stand side by side. Narrow: the name stands above its whisker.

use super::axis::Axis;
use super::canvas::{Canvas, Label, Pen};
use super::font::{self, Weight};
use super::theme::{EDGE, FITTED, GRID, LABEL, LINE, OBSERVED, Paint, SMALL, Width};
use crate::results::format;
use crate::results::release::ReleasedRow;

/// One line of the picture.
#[derive(Debug, Clone)]
pub(super) struct Line<'a> {
    /// Its name.
    pub(super) name: String,
    /// The estimate.
    pub(super) row: &'a ReleasedRow,
    /// The number that stands aside: how many were not assessed.
    pub(super) beside: Option<&'a ReleasedRow>,
    /// What a model says for the same group.
    pub(super) fitted: Option<&'a ReleasedRow>,
    /// Drawn hollow: the group is «not recorded».
    pub(super) hollow: bool,
}

/// Lines under a heading.
#[derive(Debug, Clone)]
pub(super) struct Block<'a> {
    /// Heading, where there is more than one block.
    pub(super) heading: Option<String>,
    /// The lines, top down.
    pub(super) lines: Vec<Line<'a>>,
    /// Axis of its whiskers.
    pub(super) axis: Axis,
    /// Value of no difference, drawn as a line.
    pub(super) reference: Option<f64>,
}

/// The whole picture.
#[derive(Debug, Clone)]
pub(super) struct Forest<'a> {
    /// The blocks, top down.
    pub(super) blocks: Vec<Block<'a>>,
    /// What the axis shows.
    pub(super) axis_title: String,
    /// Heading of the estimates.
    pub(super) estimate_title: String,
    /// Each block has an axis of its own; otherwise all share that of the first.
    pub(super) own_axes: bool,
}

/// Right edges of the columns of numbers, and the edges of the plot.
struct Columns {
    name_room: f64,
    plot: (f64, f64),
    counts: Option<f64>,
    estimate: f64,
    beside: Option<f64>,
}

const GAP: f64 = 14.0;
const COUNTS: &str = "n/N";
const BESIDE: &str = "not assessed";

/// Draws the picture.
pub(super) fn paint(forest: &Forest<'_>, width: Width) -> Canvas {
    let mut canvas = Canvas::new(width);
    let columns = columns(forest, width);
    let mut y = headings(&mut canvas, forest, &columns, width);
    for (at, block) in forest.blocks.iter().enumerate() {
        y = paint_block(&mut canvas, block, &columns, (y, width));
        if forest.own_axes {
            y = paint_axis(&mut canvas, &block.axis, &columns, y) + 14.0;
        } else if at + 1 == forest.blocks.len() {
            y = paint_axis(&mut canvas, &block.axis, &columns, y);
        }
    }
    if !forest.axis_title.is_empty() {
        y = axis_title(&mut canvas, &forest.axis_title, (&columns, width), y);
    }
    canvas.reach(y + EDGE);
    canvas
}

/// The axis title under the plot, in as many lines as it needs.
fn axis_title(canvas: &mut Canvas, title: &str, (columns, width): (&Columns, Width), y: f64) -> f64 {
    let (left, right) = columns.plot;
    let middle = f64::midpoint(left, right);
    let room = match width {
        Width::Wide => 2.0 * (middle - EDGE).min(canvas.width - EDGE - middle),
        Width::Narrow => canvas.width - left - EDGE,
    };
    let mut y = y;
    for line in font::wrap(title, SMALL, room, 3) {
        y += LINE;
        canvas.text(match width {
            Width::Wide => Label::new(line, (middle, y)).middle(),
            Width::Narrow => Label::new(line, (left, y)),
        });
    }
    y
}

fn lines<'f, 'a>(forest: &'f Forest<'a>) -> impl Iterator<Item = &'f Line<'a>> {
    forest.blocks.iter().flat_map(|block| block.lines.iter())
}

/// Width of the widest text, its heading included.
fn widest(heading: &str, texts: impl Iterator<Item = String>) -> Option<f64> {
    let own = texts.map(|text| font::width(&text, SMALL, Weight::Regular)).reduce(f64::max)?;
    Some(own.max(font::width(heading, SMALL, Weight::Regular)))
}

fn columns(forest: &Forest<'_>, width: Width) -> Columns {
    let counts = widest(COUNTS, lines(forest).filter_map(|line| format::n_of_row(line.row)));
    let beside = widest(BESIDE, lines(forest).filter_map(|line| line.beside.map(|row| format::value(row))));
    let estimate =
        widest(&forest.estimate_title, lines(forest).map(|line| format::value_and_interval(line.row))).unwrap_or(0.0);
    let right = width.units() - EDGE;
    let beside_left = right - beside.map_or(0.0, |wide| wide + GAP);
    match width {
        Width::Wide => {
            let estimate_left = beside_left - estimate - GAP;
            let counts_left = estimate_left - counts.map_or(0.0, |wide| wide + GAP);
            let indent = if forest.blocks.iter().any(|block| block.heading.is_some()) { 12.0 } else { 0.0 };
            let name =
                lines(forest).map(|line| font::width(&line.name, LABEL, Weight::Regular)).fold(60.0, f64::max) + indent;
            let name = name.min((counts_left - EDGE - GAP) * 0.5).min(220.0);
            Columns {
                name_room: name,
                plot: (EDGE + name + GAP, counts_left - 10.0),
                counts: counts.map(|_| estimate_left),
                estimate: beside_left,
                beside: beside.map(|_| right),
            }
        }
        Width::Narrow => Columns {
            name_room: right - EDGE - estimate - GAP,
            plot: (EDGE + 10.0, beside_left - counts.map_or(10.0, |wide| wide + GAP)),
            counts: counts.map(|_| beside_left),
            estimate: right,
            beside: beside.map(|_| right),
        },
    }
}

fn headings(canvas: &mut Canvas, forest: &Forest<'_>, columns: &Columns, width: Width) -> f64 {
    let mut y = EDGE + SMALL;
    canvas.text(Label::new(forest.estimate_title.clone(), (columns.estimate, y)).end().muted());
    if width == Width::Narrow && (columns.counts.is_some() || columns.beside.is_some()) {
        y += LINE;
    }
    if let Some(right) = columns.counts {
        canvas.text(Label::new(COUNTS, (right, y)).end().muted());
    }
    if let Some(right) = columns.beside {
        canvas.text(Label::new(BESIDE, (right, y)).end().muted());
    }
    canvas.line((EDGE, y + 6.0), (canvas.width - EDGE, y + 6.0), Pen::ink(0.8, 0.5));
    y + 8.0
}

fn paint_block(canvas: &mut Canvas, block: &Block<'_>, columns: &Columns, (top, width): (f64, Width)) -> f64 {
    let mut y = top;
    if let Some(heading) = &block.heading {
        let shown = font::fit(heading, LABEL, Weight::Bold, canvas.width - 2.0 * EDGE);
        canvas.text(Label::new(shown, (EDGE, y + LINE)).size(LABEL).bold().whole(heading));
        y += LINE + 4.0;
    }
    let indent = if block.heading.is_some() { 12.0 } else { 0.0 };
    for line in &block.lines {
        y = match width {
            Width::Wide => wide_line(canvas, line, (block, columns), (y, indent)),
            Width::Narrow => narrow_line(canvas, line, (block, columns), y),
        };
    }
    y
}

/// Name at the left, whisker, numbers at the right; a long name takes two lines.
fn wide_line(
    canvas: &mut Canvas,
    line: &Line<'_>,
    (block, columns): (&Block<'_>, &Columns),
    (top, indent): (f64, f64),
) -> f64 {
    let names = font::wrap(&line.name, LABEL, columns.name_room - indent, 2);
    let height = 22.0 + LINE * (many(names.len()) - 1.0);
    let middle = top + height / 2.0;
    name(canvas, &names, line, (EDGE + indent, middle - LINE * (many(names.len()) - 1.0) / 2.0 + 4.5));
    grid(canvas, (block, columns), (top, top + height));
    whisker(canvas, line, (block, columns), middle);
    numbers(canvas, line, columns, (middle + 4.5, middle + 4.5));
    top + height
}

/// Name and estimate on the first line, whisker and counts below.
fn narrow_line(canvas: &mut Canvas, line: &Line<'_>, (block, columns): (&Block<'_>, &Columns), top: f64) -> f64 {
    let names = font::wrap(&line.name, LABEL, columns.name_room, 2);
    let first = top + 15.0;
    name(canvas, &names, line, (EDGE, first));
    let middle = first + LINE * (many(names.len()) - 1.0) + 13.0;
    grid(canvas, (block, columns), (middle - 8.0, middle + 8.0));
    whisker(canvas, line, (block, columns), middle);
    numbers(canvas, line, columns, (first, middle + 4.5));
    middle + 13.0
}

fn name(canvas: &mut Canvas, names: &[String], line: &Line<'_>, (x, first): (f64, f64)) {
    for (at, text) in names.iter().enumerate() {
        canvas.text(Label::new(text.clone(), (x, first + LINE * many(at))).size(LABEL).whole(&line.name));
    }
}

fn numbers(canvas: &mut Canvas, line: &Line<'_>, columns: &Columns, (first, second): (f64, f64)) {
    let estimate = Label::new(format::value_and_interval(line.row), (columns.estimate, first));
    canvas.text(estimate.end().of(line.row.row_id()));
    if let (Some(right), Some(counts)) = (columns.counts, format::n_of_row(line.row)) {
        canvas.text(Label::new(counts, (right, second)).end().of(line.row.row_id()));
    }
    if let (Some(right), Some(beside)) = (columns.beside, line.beside) {
        canvas.text(Label::new(format::value(beside), (right, second)).end().muted().of(beside.row_id()));
    }
}

fn whisker(canvas: &mut Canvas, line: &Line<'_>, (block, columns): (&Block<'_>, &Columns), y: f64) {
    let (left, right) = columns.plot;
    let axis = &block.axis;
    let x = |value: f64| left + axis.share(value) * (right - left);
    if let Some(fitted) = line.fitted.and_then(|row| row.value) {
        canvas.diamond((x(fitted), y), 6.0, Paint::Colour(FITTED));
    }
    let middle = line.row.value.filter(|value| !axis.above(*value) && !axis.below(*value)).map(x);
    if let (Some(low), Some(high)) = (line.row.low, line.row.high) {
        let clear = if line.hollow { 4.5 } else { 0.0 };
        match middle {
            Some(middle) => {
                stretch(canvas, (x(low), middle - clear), y);
                stretch(canvas, (middle + clear, x(high)), y);
            }
            None => stretch(canvas, (x(low), x(high)), y),
        }
        for (end, beyond, length) in [(high, axis.above(high), 7.0), (low, axis.below(low), -7.0)] {
            if beyond {
                arrow(canvas, (x(end), y), length);
            } else {
                canvas.line((x(end), y - 5.0), (x(end), y + 5.0), Pen::observed(1.4));
            }
        }
    }
    match middle {
        Some(middle) if line.hollow => canvas.ring((middle, y), 4.0, Pen::observed(1.6)),
        Some(middle) => canvas.disc((middle, y), 3.8, Paint::Colour(OBSERVED)),
        None => {}
    }
}

fn stretch(canvas: &mut Canvas, (from, to): (f64, f64), y: f64) {
    if to > from {
        canvas.line((from, y), (to, y), Pen::observed(2.0));
    }
}

/// The interval goes on beyond the axis.
fn arrow(canvas: &mut Canvas, (x, y): (f64, f64), length: f64) {
    canvas.area(vec![(x + length, y), (x, y - 4.0), (x, y + 4.0)], Paint::Colour(OBSERVED), 1.0);
}

/// The grid behind one line, and the line of no difference.
fn grid(canvas: &mut Canvas, (block, columns): (&Block<'_>, &Columns), (top, bottom): (f64, f64)) {
    let (left, right) = columns.plot;
    let x = |value: f64| left + block.axis.share(value) * (right - left);
    for tick in block.axis.ticks_across(right - left) {
        canvas.line((x(tick.value), top), (x(tick.value), bottom), Pen::ink(0.8, GRID));
    }
    if let Some(reference) = block.reference {
        canvas.line((x(reference), top), (x(reference), bottom), Pen::ink(1.0, 0.6));
    }
}

/// The axis below its lines; returns the lower end of its texts.
fn paint_axis(canvas: &mut Canvas, axis: &Axis, columns: &Columns, y: f64) -> f64 {
    let (left, right) = columns.plot;
    let base = y + 3.0;
    for tick in axis.ticks_across(right - left) {
        let x = left + axis.share(tick.value) * (right - left);
        canvas.line((x, base), (x, base + 4.0), Pen::ink(0.8, 0.6));
        let half = font::width(&tick.text, SMALL, Weight::Regular) / 2.0;
        let middle = x.clamp(EDGE + half, canvas.width - EDGE - half);
        canvas.text(Label::new(tick.text.clone(), (middle, base + 16.0)).middle().tick());
    }
    canvas.line((left, base), (right, base), Pen::ink(0.8, 0.6));
    base + 19.0
}

/// A small count as a number.
pub(super) fn many(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
