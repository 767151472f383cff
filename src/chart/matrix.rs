//! A table of shaded cells with a number in each: the picture of two columns crossed. Columns that do not fit side by
//! side go on in a next strip below; nothing is left out.

use super::canvas::{At, Canvas, Label, Pen};
use super::font::{self, Weight};
use super::forest::many;
use super::theme::{EDGE, LABEL, LINE, Rgb, SMALL, shade, text_on};

/// One cell: what is written in it, and how dark it is (0 to 1). Without a shade it is hatched: no data.
#[derive(Debug, Clone, Default)]
pub(super) struct Cell {
    /// Its texts, top down.
    pub(super) lines: Vec<String>,
    /// How dark, 0 to 1.
    pub(super) shade: Option<f64>,
    /// Row whose numbers are written.
    pub(super) row_id: Option<String>,
}

/// The table.
#[derive(Debug, Clone)]
pub(super) struct Matrix {
    /// What the rows are.
    pub(super) row_title: String,
    /// What the columns are.
    pub(super) column_title: String,
    /// Names of the rows.
    pub(super) row_names: Vec<String>,
    /// Names of the columns.
    pub(super) column_names: Vec<String>,
    /// The cells, row by row.
    pub(super) cells: Vec<Vec<Cell>>,
}

impl Matrix {
    /// Rows as columns.
    pub(super) fn turned(self) -> Matrix {
        let cells = (0..self.column_names.len())
            .map(|column| self.cells.iter().map(|row| row[column].clone()).collect())
            .collect();
        Matrix {
            row_title: self.column_title,
            column_title: self.row_title,
            row_names: self.column_names,
            column_names: self.row_names,
            cells,
        }
    }
}

/// Sizes that all strips share.
struct Grid {
    names: f64,
    wide: f64,
    high: f64,
    heads: usize,
    upright: bool,
}

/// Longest upright heading.
const UPRIGHT: f64 = 150.0;
const CELL_GAP: f64 = 2.0;

/// Paints the table from `top` down; returns where it ends.
pub(super) fn paint(canvas: &mut Canvas, matrix: &Matrix, top: f64) -> f64 {
    let (across, grid) = grid(matrix, canvas.width);
    let mut y = top;
    for first in (0..matrix.column_names.len()).step_by(across) {
        let last = (first + across).min(matrix.column_names.len());
        y = strip(canvas, matrix, &grid, (first, last, y)) + 14.0;
    }
    canvas.reach(y);
    y
}

/// How many columns stand side by side, and how large the cells are.
fn grid(matrix: &Matrix, width: f64) -> (usize, Grid) {
    let texts = matrix.cells.iter().flatten().flat_map(|cell| &cell.lines);
    let least = texts.map(|text| font::width(text, SMALL, Weight::Regular)).fold(24.0, f64::max) + 6.0;
    let names = matrix.row_names.iter().map(|name| font::width(name, SMALL, Weight::Regular));
    let apart = if width > 500.0 { '\n' } else { ' ' };
    let title = matrix.row_title.split(apart).map(|part| font::width(part, SMALL, Weight::Bold));
    let names = names.chain(title).fold(30.0, f64::max);
    let names = names.min((width * 0.22).max(100.0)) + 8.0;
    let room = width - 2.0 * EDGE - names;
    let fit = floor(room / (least + CELL_GAP)).max(1);
    let strips = matrix.column_names.len().div_ceil(fit).max(1);
    let across = matrix.column_names.len().div_ceil(strips).max(1);
    let wide = (room / many(across) - CELL_GAP).min(130.0);
    let rows = matrix.cells.iter().flatten().map(|cell| cell.lines.len()).max().unwrap_or(1);
    let high = if rows > 1 { many(rows) * 15.0 + 8.0 } else { 20.0 };
    let heads = matrix.column_names.iter().map(|name| font::wrap(name, SMALL, wide, 3));
    let upright = wide < 70.0 && heads.clone().flatten().any(|line| font::is_cut(&line));
    let heads = heads.map(|lines| lines.len()).max().unwrap_or(1);
    (across, Grid { names, wide, high, heads, upright })
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small positive number of columns")]
fn floor(number: f64) -> usize {
    number.max(0.0).floor() as usize
}

fn strip(canvas: &mut Canvas, matrix: &Matrix, grid: &Grid, (first, last, top): (usize, usize, f64)) -> f64 {
    let x = |column: usize| EDGE + grid.names + many(column - first) * (grid.wide + CELL_GAP);
    let mut y = headings(canvas, matrix, grid, (first, last, top));
    for (name, cells) in matrix.row_names.iter().zip(&matrix.cells) {
        let lines = font::wrap(name, SMALL, grid.names - 8.0, 2);
        let high = grid.high.max(many(lines.len()) * 14.0 + 4.0);
        let first_line = y + high / 2.0 + 4.0 - 7.0 * (many(lines.len()) - 1.0);
        for (at, line) in lines.into_iter().enumerate() {
            canvas.text(Label::new(line, (EDGE + grid.names - 8.0, first_line + 14.0 * many(at))).end().whole(name));
        }
        for (column, cell) in cells.iter().enumerate().take(last).skip(first) {
            paint_cell(canvas, cell, (x(column), y), (grid.wide, high));
        }
        y += high + CELL_GAP;
    }
    y
}

/// The title of the columns over their names; the title of the rows at the height of the names.
fn headings(canvas: &mut Canvas, matrix: &Matrix, grid: &Grid, (first, last, top): (usize, usize, f64)) -> f64 {
    let left = EDGE + grid.names;
    let title_y = top + LINE;
    let title = font::fit(&matrix.column_title, SMALL, Weight::Bold, canvas.width - left - EDGE);
    canvas.text(Label::new(title, (left, title_y)).bold().whole(&matrix.column_title));
    let names = matrix.column_names[first..last].iter().map(|name| font::fit(name, SMALL, Weight::Regular, UPRIGHT));
    let longest = names.map(|name| font::width(&name, SMALL, Weight::Regular)).fold(0.0, f64::max);
    let foot = title_y + if grid.upright { longest + 10.0 } else { many(grid.heads) * LINE + 2.0 };
    let row_title = font::wrap_bold(&matrix.row_title, SMALL, grid.names - 8.0, 2);
    let count = row_title.len();
    for (at, line) in row_title.into_iter().enumerate() {
        let label = Label::new(line, (left - 8.0, foot - LINE * many(count - 1 - at)));
        canvas.text(label.end().bold().whole(&matrix.row_title));
    }
    for (at, name) in matrix.column_names[first..last].iter().enumerate() {
        let middle = left + many(at) * (grid.wide + CELL_GAP) + grid.wide / 2.0;
        if grid.upright {
            let shown = font::fit(name, SMALL, Weight::Regular, UPRIGHT);
            canvas.text(Label::new(shown, (middle + 4.0, foot)).upright().whole(name));
            continue;
        }
        let lines = font::wrap(name, SMALL, grid.wide, 3);
        let count = lines.len();
        for (line, text) in lines.into_iter().enumerate() {
            canvas.text(Label::new(text, (middle, foot - LINE * many(count - 1 - line))).middle().whole(name));
        }
    }
    foot + 6.0
}

fn paint_cell(canvas: &mut Canvas, cell: &Cell, (left, top): At, (wide, high): (f64, f64)) {
    let (right, bottom) = (left + wide, top + high);
    let ground = cell.shade.map(shade);
    match ground {
        Some(colour) => canvas.block((left, top), (right, bottom), colour),
        None if cell.lines.is_empty() => canvas.hatch((left, top), (right, bottom), Pen::ink(0.7, 0.35)),
        None => {}
    }
    if ground.is_none() {
        canvas.frame((left, top), (right, bottom), Pen::ink(0.6, 0.35));
    }
    let first = f64::midpoint(top, bottom) + 4.2 - 15.0 * (many(cell.lines.len().max(1)) - 1.0) / 2.0;
    for (at, text) in cell.lines.iter().enumerate() {
        let mut label = Label::new(text.clone(), (left + wide / 2.0, first + 15.0 * many(at))).middle().loose();
        if let Some(colour) = ground {
            label = label.painted(text_on(colour));
        }
        canvas.text(match &cell.row_id {
            Some(row_id) => label.of(row_id.clone()),
            None => label.muted(),
        });
    }
}

/// The scale of the shades: the lowest and the highest value with the shades between them.
pub(super) fn paint_scale(canvas: &mut Canvas, (low, high): (&str, &str), top: f64) -> f64 {
    let left = Label::new(low, (EDGE, top + LINE)).tick();
    let mut x = EDGE + left.width() + 6.0;
    canvas.text(left);
    for step in 0..7_u8 {
        let colour: Rgb = shade(f64::from(step) / 6.0);
        canvas.block((x, top + 4.0), (x + 18.0, top + 18.0), colour);
        canvas.frame((x, top + 4.0), (x + 18.0, top + 18.0), Pen::ink(0.6, 0.35));
        x += 18.0;
    }
    let right = Label::new(high, (x + 6.0, top + LINE)).tick();
    x += 6.0 + right.width() + 20.0;
    canvas.text(right);
    canvas.hatch((x, top + 4.0), (x + 18.0, top + 18.0), Pen::ink(0.7, 0.35));
    canvas.frame((x, top + 4.0), (x + 18.0, top + 18.0), Pen::ink(0.6, 0.35));
    canvas.text(Label::new("no data", (x + 24.0, top + LINE)));
    top + 24.0
}

/// A heading over a table, across the whole width.
pub(super) fn paint_heading(canvas: &mut Canvas, heading: &str, top: f64) -> f64 {
    let room = canvas.width - 2.0 * EDGE;
    paint_heading_at(canvas, heading, ((EDGE, top), room))
}

/// A heading at a place, within a width.
pub(super) fn paint_heading_at(canvas: &mut Canvas, heading: &str, ((left, top), room): (At, f64)) -> f64 {
    let shown = font::fit(heading, LABEL, Weight::Bold, room);
    canvas.text(Label::new(shown, (left, top + LINE)).size(LABEL).bold().whole(heading));
    top + LINE + 4.0
}
