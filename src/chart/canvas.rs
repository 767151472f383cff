//! What a chart draws on: shapes and texts in units of about a pixel, held until the height is known, then painted
//! with plotters.

use super::finish::finish;
use super::font::{self, Weight};
use super::theme::{FITTED, MUTED, OBSERVED, Paint, Rgb, SMALL, Width};
use super::{ChartError, Words};
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, Pos, VPos};

/// plotters knows whole numbers only, so it draws this many times larger.
pub(super) const SCALE: f64 = 10.0;
/// Stands for the page's text colour until [`finish`] puts `currentColor` in its place.
pub(super) const INK: Rgb = Rgb(1, 2, 3);
/// Holds the number of a text between them in plotters' output.
pub(super) const MARKS: [char; 2] = ['\u{e000}', '\u{e001}'];

/// A place on the canvas: right and down, in units.
pub(super) type At = (f64, f64);

/// How a line is drawn.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Pen {
    pub(super) paint: Paint,
    pub(super) width: f64,
    pub(super) opacity: f64,
}

impl Pen {
    /// A line in the colour of the text.
    pub(super) fn ink(width: f64, opacity: f64) -> Pen {
        Pen { paint: Paint::Ink, width, opacity }
    }

    /// A line of what was observed.
    pub(super) fn observed(width: f64) -> Pen {
        Pen { paint: Paint::Colour(OBSERVED), width, opacity: 1.0 }
    }

    /// A line of what a model says.
    pub(super) fn fitted(width: f64) -> Pen {
        Pen { paint: Paint::Colour(FITTED), width, opacity: 1.0 }
    }
}

/// Which end of a text stands at its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Anchor {
    Start,
    Middle,
    End,
}

/// What a text is, told in its `class`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// A name, a heading or a note.
    Name,
    /// A number of an axis or a scale.
    Tick,
    /// A number of a row.
    Number,
}

/// A text; `y` is its baseline.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Label {
    pub(super) text: String,
    pub(super) at: At,
    pub(super) size: f64,
    pub(super) weight: Weight,
    pub(super) anchor: Anchor,
    pub(super) paint: Paint,
    pub(super) opacity: f64,
    pub(super) upright: bool,
    pub(super) role: Role,
    /// Held to its measured width in whatever font the viewer has.
    pub(super) held: bool,
    /// Id of the row whose number it shows.
    pub(super) row_id: Option<String>,
    /// The whole name, where the text is an abbreviation of it.
    pub(super) whole: Option<String>,
}

impl Label {
    /// A name or note at its left end.
    pub(super) fn new(text: impl Into<String>, at: At) -> Label {
        Label {
            text: text.into(),
            at,
            size: SMALL,
            weight: Weight::Regular,
            anchor: Anchor::Start,
            paint: Paint::Ink,
            opacity: 1.0,
            upright: false,
            role: Role::Name,
            held: true,
            row_id: None,
            whole: None,
        }
    }

    pub(super) fn size(self, size: f64) -> Label {
        Label { size, ..self }
    }

    pub(super) fn bold(self) -> Label {
        Label { weight: Weight::Bold, ..self }
    }

    pub(super) fn middle(self) -> Label {
        Label { anchor: Anchor::Middle, ..self }
    }

    pub(super) fn end(self) -> Label {
        Label { anchor: Anchor::End, ..self }
    }

    pub(super) fn muted(self) -> Label {
        Label { opacity: MUTED, ..self }
    }

    pub(super) fn painted(self, colour: Rgb) -> Label {
        Label { paint: Paint::Colour(colour), ..self }
    }

    /// Reads from below to above.
    pub(super) fn upright(self) -> Label {
        Label { upright: true, ..self }
    }

    pub(super) fn tick(self) -> Label {
        Label { role: Role::Tick, ..self }
    }

    /// Stands free enough to be as wide as the viewer's font makes it.
    pub(super) fn loose(self) -> Label {
        Label { held: false, ..self }
    }

    /// The text is a number of this row.
    pub(super) fn of(self, row_id: impl Into<String>) -> Label {
        Label { role: Role::Number, row_id: Some(row_id.into()), ..self }
    }

    /// Keeps the whole name when the text is not all of it.
    pub(super) fn whole(self, whole: &str) -> Label {
        let cut = font::is_cut(&self.text);
        Label { whole: cut.then(|| whole.to_owned()), ..self }
    }

    /// Width of the text in units.
    pub(super) fn width(&self) -> f64 {
        font::width(&self.text, self.size, self.weight)
    }
}

enum Shape {
    Path(Vec<At>, Pen),
    Area(Vec<At>, Paint, f64),
    Block(At, At, Rgb),
    Disc(At, f64, Paint),
    Ring(At, f64, Pen),
    Text(Label),
}

/// The drawing.
pub(super) struct Canvas {
    pub(super) width: f64,
    height: f64,
    shapes: Vec<Shape>,
}

impl Canvas {
    /// An empty drawing of a width; it grows downwards.
    pub(super) fn new(width: Width) -> Canvas {
        Canvas { width: width.units(), height: 0.0, shapes: Vec::new() }
    }

    /// Makes the drawing reach at least down to `y`.
    pub(super) fn reach(&mut self, y: f64) {
        self.height = self.height.max(y);
    }

    /// How far down the drawing reaches.
    pub(super) fn bottom(&self) -> f64 {
        self.height
    }

    pub(super) fn line(&mut self, from: At, to: At, pen: Pen) {
        self.path(vec![from, to], pen);
    }

    pub(super) fn path(&mut self, points: Vec<At>, pen: Pen) {
        self.shapes.push(Shape::Path(points, pen));
    }

    pub(super) fn area(&mut self, points: Vec<At>, paint: Paint, opacity: f64) {
        self.shapes.push(Shape::Area(points, paint, opacity));
    }

    /// A filled rectangle from its upper left to its lower right corner.
    pub(super) fn block(&mut self, from: At, to: At, colour: Rgb) {
        self.shapes.push(Shape::Block(from, to, colour));
    }

    /// The outline of a rectangle.
    pub(super) fn frame(&mut self, (left, top): At, (right, bottom): At, pen: Pen) {
        self.path(vec![(left, top), (right, top), (right, bottom), (left, bottom), (left, top)], pen);
    }

    /// Slanted lines within a rectangle, for what is not known.
    pub(super) fn hatch(&mut self, (left, top): At, (right, bottom): At, pen: Pen) {
        let (height, mut foot) = (bottom - top, left - (bottom - top) + 3.0);
        while foot < right {
            let low = (foot.max(left), bottom - (foot.max(left) - foot));
            let head = (foot + height).min(right);
            self.line(low, (head, bottom - (head - foot)), pen);
            foot += 6.0;
        }
    }

    pub(super) fn disc(&mut self, at: At, radius: f64, paint: Paint) {
        self.shapes.push(Shape::Disc(at, radius, paint));
    }

    pub(super) fn ring(&mut self, at: At, radius: f64, pen: Pen) {
        self.shapes.push(Shape::Ring(at, radius, pen));
    }

    /// A diamond: the mark of a model.
    pub(super) fn diamond(&mut self, (x, y): At, half: f64, paint: Paint) {
        self.area(vec![(x - half, y), (x, y - half), (x + half, y), (x, y + half)], paint, 1.0);
    }

    pub(super) fn text(&mut self, label: Label) {
        if !label.text.is_empty() {
            self.shapes.push(Shape::Text(label));
        }
    }

    /// Paints everything and dresses the SVG.
    pub(super) fn finish(self, words: &Words, width: Width) -> Result<String, ChartError> {
        let mut svg = String::new();
        let size = (pixels(self.width).unsigned_abs(), pixels(self.height).unsigned_abs());
        paint(&mut svg, size, &self.shapes)
            .map_err(|reason| ChartError::Drawing { chart: words.id.clone(), reason: reason.to_string() })?;
        let labels = self.shapes.iter().filter_map(|shape| match shape {
            Shape::Text(label) => Some(label),
            _ => None,
        });
        Ok(finish(&svg, &labels.collect::<Vec<_>>(), words, width))
    }
}

type Refused = DrawingAreaErrorKind<std::io::Error>;

fn paint(svg: &mut String, size: (u32, u32), shapes: &[Shape]) -> Result<(), Refused> {
    let area = SVGBackend::with_string(svg, size).into_drawing_area();
    let mut texts = 0_usize;
    for shape in shapes {
        match shape {
            Shape::Path(points, pen) => area.draw(&PathElement::new(places(points), style(*pen)))?,
            Shape::Area(points, paint, opacity) => {
                area.draw(&Polygon::new(places(points), colour(*paint, *opacity).filled()))?
            }
            Shape::Block(from, to, rgb) => {
                area.draw(&Rectangle::new([place(*from), place(*to)], colour(Paint::Colour(*rgb), 1.0).filled()))?;
            }
            Shape::Disc(at, radius, paint) => {
                area.draw(&Circle::new(place(*at), pixels(*radius), colour(*paint, 1.0).filled()))?;
            }
            Shape::Ring(at, radius, pen) => area.draw(&Circle::new(place(*at), pixels(*radius), style(*pen)))?,
            Shape::Text(label) => {
                area.draw(&Text::new(format!("{}{texts}{}", MARKS[0], MARKS[1]), place(label.at), text_style(label)))?;
                texts += 1;
            }
        }
    }
    area.present()
}

fn text_style(label: &Label) -> TextStyle<'static> {
    let end = match label.anchor {
        Anchor::Start => HPos::Left,
        Anchor::Middle => HPos::Center,
        Anchor::End => HPos::Right,
    };
    TextStyle::from(("sans-serif", pixels(label.size))).pos(Pos::new(end, VPos::Bottom))
}

fn style(pen: Pen) -> ShapeStyle {
    colour(pen.paint, pen.opacity).stroke_width(pixels(pen.width).unsigned_abs())
}

fn colour(paint: Paint, opacity: f64) -> RGBAColor {
    let Rgb(red, green, blue) = match paint {
        Paint::Ink => INK,
        Paint::Colour(colour) => colour,
    };
    RGBAColor(red, green, blue, opacity)
}

fn places(points: &[At]) -> Vec<(i32, i32)> {
    points.iter().map(|point| place(*point)).collect()
}

fn place((x, y): At) -> (i32, i32) {
    (pixels(x), pixels(y))
}

/// Units as whole tenths, which is what plotters counts in here.
#[expect(clippy::cast_possible_truncation, reason = "a canvas is a few thousand units; the cast saturates")]
pub(super) fn pixels(units: f64) -> i32 {
    (units * SCALE).round() as i32
}
