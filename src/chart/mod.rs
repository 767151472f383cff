//! Released rows → SVG. One file per chart, one line in [`CHARTS`]; one theme. Computes no statistic: a number that
//! is not in a row is not in a picture.

mod assessed;
mod axis;
mod canvas;
mod contrast;
mod finish;
mod flow;
pub mod font;
mod forest;
mod heatmap;
mod levels;
mod matrix;
mod severity;
mod side_effect_rates;
mod theme;
mod trend;
mod trend_context;
mod words;

use crate::domain::Catalogue;
use crate::results::Released;
use canvas::Canvas;
use theme::Width;

/// A picture in two layouts of the same rows, with the words that stand beside it.
#[derive(Debug, Clone, PartialEq)]
pub struct Chart {
    /// Stem of its files: `<analysis>` or `<analysis>_<name>`.
    pub id: String,
    /// Id of the analysis whose rows it shows.
    pub analysis: String,
    /// What it shows, as a heading.
    pub title: String,
    /// How to read it.
    pub caption: String,
    /// The main numbers in words, made from the rows, for those who do not see it.
    pub alt: String,
    /// The picture for screens and paper: 720 units wide.
    pub svg: String,
    /// The picture for phones: 360 units wide, laid out anew.
    pub svg_narrow: String,
}

/// What a chart needs beside the rows.
#[derive(Debug, Clone, Copy)]
pub struct ChartRequest<'a> {
    /// Id of the analysis to draw.
    pub analysis: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Names of the side effects.
    pub catalogue: &'a Catalogue,
}

/// Why a chart could not be drawn.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChartError {
    /// The drawing library refused.
    #[error("chart {chart} could not be drawn: {reason}")]
    Drawing {
        /// Id of the chart.
        chart: String,
        /// What the library said.
        reason: String,
    },
}

/// Draws the charts of one analysis; none when its rows hold nothing to draw.
pub type Draw = fn(&Released, &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError>;

/// A chart and the analysis kind it belongs to.
#[derive(Debug, Clone, Copy)]
pub struct ChartKind {
    /// Analysis kind.
    pub kind: &'static str,
    /// What the chart is called here.
    pub name: &'static str,
    /// Draws it.
    pub draw: Draw,
}

/// Every chart, in the order in which a page shows them.
pub const CHARTS: &[ChartKind] = &[
    ChartKind { kind: "side_effect_rates", name: "rates", draw: side_effect_rates::draw },
    ChartKind { kind: "side_effect_rates", name: "heatmap", draw: heatmap::draw },
    ChartKind { kind: "trend", name: "trend", draw: trend::draw },
    ChartKind { kind: "trend", name: "context", draw: trend_context::draw },
    ChartKind { kind: "severity", name: "severity", draw: severity::draw },
    ChartKind { kind: "contrast", name: "contrast", draw: contrast::draw },
    ChartKind { kind: "data_quality", name: "flow", draw: flow::draw },
    ChartKind { kind: "data_quality", name: "assessed", draw: assessed::draw },
];

/// Draws every chart that belongs to an analysis of this kind; a kind without charts has none.
///
/// # Errors
/// When the drawing library refuses, which it does only without memory.
pub fn draw(released: &Released, kind: &str, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let mut charts = Vec::new();
    for chart in CHARTS.iter().filter(|chart| chart.kind == kind) {
        charts.extend((chart.draw)(released, request)?);
    }
    Ok(charts)
}

/// The words of a chart, before it is drawn.
struct Words {
    id: String,
    title: String,
    caption: String,
    alt: String,
}

impl Words {
    /// Draws the chart in both widths.
    fn drawn(self, analysis: &str, paint: impl Fn(Width) -> Canvas) -> Result<Chart, ChartError> {
        let svg = paint(Width::Wide).finish(&self, Width::Wide)?;
        let svg_narrow = paint(Width::Narrow).finish(&self, Width::Narrow)?;
        let Words { id, title, caption, alt } = self;
        Ok(Chart { id, analysis: analysis.to_owned(), title, caption, alt, svg, svg_narrow })
    }
}
