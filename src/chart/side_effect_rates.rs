//! Rates with their intervals: a dot and a whisker for each side effect, or for each group within it.

use super::axis::Axis;
use super::forest::{self, Block, Forest, Line};
use super::{Chart, ChartError, ChartRequest, Words, words};
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};

/// Lines that one picture holds; more go to a next one.
pub(super) const MOST_LINES: usize = 60;

/// Draws the rates unless they are crossed by two columns, which is the heatmap's part.
pub(super) fn draw(released: &Released, request: &ChartRequest<'_>) -> Result<Vec<Chart>, ChartError> {
    let all: Vec<&ReleasedRow> = released.of(request.analysis).collect();
    let rates = words::rows(&all, Statistic::Rate);
    let columns = rates.iter().map(|row| row.group.len()).max();
    if columns.is_none() || columns == Some(2) {
        return Ok(Vec::new());
    }
    let blocks = if columns == Some(0) { vec![sorted(&rates, &all, request)] } else { grouped(&rates, &all, request) };
    let parts = parts(blocks);
    let count = parts.len();
    let drawn = parts.into_iter().enumerate().map(|(at, blocks)| {
        let forest = forest_of(blocks, &rates, &all);
        words_of(&forest, (&rates, at, count), request).drawn(request.analysis, |width| forest::paint(&forest, width))
    });
    drawn.collect()
}

/// One line a side effect, the most frequent first; equal ones in the order of the catalogue, not estimable ones last.
fn sorted<'a>(
    rates: &[&'a ReleasedRow],
    all: &[&'a ReleasedRow],
    request: &ChartRequest<'_>,
) -> (Option<String>, Vec<Line<'a>>) {
    let mut rates = rates.to_vec();
    rates.sort_by(|one, other| {
        let rate = |row: &ReleasedRow| row.value.unwrap_or(-1.0);
        let place = |row: &ReleasedRow| words::order(&row.outcome, request);
        rate(other).total_cmp(&rate(one)).then(place(one).cmp(&place(other)))
    });
    (None, rates.into_iter().map(|row| line(words::outcome(&row.outcome, request), row, all)).collect())
}

/// One block a side effect, the groups within it as the rows give them.
fn grouped<'a>(
    rates: &[&'a ReleasedRow],
    all: &[&'a ReleasedRow],
    request: &ChartRequest<'_>,
) -> Vec<(Option<String>, Vec<Line<'a>>)> {
    let outcomes = words::distinct(rates.iter().map(|row| row.outcome.as_str()));
    let block = |code: &str| {
        let rows = rates.iter().filter(|row| row.outcome == code);
        (Some(words::outcome(code, request)), rows.map(|row| line(words::group(row), row, all)).collect())
    };
    outcomes.into_iter().map(block).collect()
}

fn line<'a>(name: String, row: &'a ReleasedRow, all: &[&'a ReleasedRow]) -> Line<'a> {
    let beside = words::beside(all, row, Statistic::NotAssessed);
    Line { name, row, beside, fitted: None, hollow: words::is_missing(row) }
}

type Named<'a> = (Option<String>, Vec<Line<'a>>);

/// Fills pictures with at most [`MOST_LINES`] lines each; a block that is cut keeps its heading.
pub(super) fn parts(blocks: Vec<Named<'_>>) -> Vec<Vec<Named<'_>>> {
    let mut parts: Vec<Vec<Named<'_>>> = vec![Vec::new()];
    let mut free = MOST_LINES;
    for (heading, lines) in blocks {
        let whole = lines.len() <= MOST_LINES;
        let mut rest = lines;
        while !rest.is_empty() {
            if free == 0 || (whole && rest.len() > free) {
                parts.push(Vec::new());
                free = MOST_LINES;
            }
            let taken: Vec<Line<'_>> = rest.drain(..rest.len().min(free)).collect();
            free -= taken.len();
            if let Some(part) = parts.last_mut() {
                part.push((heading.clone(), taken));
            }
        }
    }
    parts
}

fn forest_of<'a>(blocks: Vec<Named<'a>>, rates: &[&'a ReleasedRow], all: &[&'a ReleasedRow]) -> Forest<'a> {
    let axis = axis_of(rates);
    let population = words::population(rates, !words::rows(all, Statistic::NotAssessed).is_empty());
    let spread = if axis.is_square_root() { ", square-root scale" } else { "" };
    Forest {
        axis_title: format!("share of {population}{spread}"),
        estimate_title: format!("rate ({})", words::interval(rates)),
        own_axes: false,
        blocks: blocks
            .into_iter()
            .map(|(heading, lines)| Block { heading, lines, axis: axis.clone(), reference: None })
            .collect(),
    }
}

/// One axis for all rates of the analysis, so that its pictures can be compared.
pub(super) fn axis_of(rates: &[&ReleasedRow]) -> Axis {
    let middles: Vec<f64> = rates.iter().filter_map(|row| row.value).collect();
    let highest = rates.iter().filter_map(|row| row.high.or(row.value)).fold(0.0, f64::max);
    Axis::proportions(&middles, highest)
}

fn words_of(
    forest: &Forest<'_>,
    (rates, at, count): (&[&ReleasedRow], usize, usize),
    request: &ChartRequest<'_>,
) -> Words {
    let (id, part) = match count {
        1 => (request.analysis.to_owned(), String::new()),
        _ => (format!("{}_{}", request.analysis, at + 1), format!(" ({} of {count})", at + 1)),
    };
    let beside = forest.blocks.iter().flat_map(|block| &block.lines).any(|line| line.beside.is_some());
    let aside = if beside { ", and how many were not assessed" } else { "" };
    let hollow = forest.blocks.iter().flat_map(|block| &block.lines).any(|line| line.hollow);
    let hollow = if hollow { " Hollow dot: the group was not recorded." } else { "" };
    let spread = match forest.blocks.first() {
        Some(block) if block.axis.is_square_root() => {
            " The scale is that of the square root, so that small rates are told apart."
        }
        _ => "",
    };
    let caption = format!(
        "Dot: {}; whisker: its {}. At the right: events and denominator (n/N), the rate with its \
         interval{aside}.{hollow}{spread}",
        forest.axis_title.split(", ").next().unwrap_or_default(),
        words::interval(rates),
    );
    Words { id, title: format!("{}{part}", request.title), caption, alt: alt(forest) }
}

/// The first lines in words, the last one, and how many have no event.
fn alt(forest: &Forest<'_>) -> String {
    let lines: Vec<(String, &Line<'_>)> = forest
        .blocks
        .iter()
        .flat_map(|block| block.lines.iter().map(move |line| (block.heading.clone(), line)))
        .map(|(heading, line)| {
            (heading.map_or_else(|| line.name.clone(), |heading| format!("{heading}, {}:", line.name)), line)
        })
        .collect();
    let spoken = |(name, line): &(String, &Line<'_>)| words::spoken(name, line.row);
    let shown = if lines.len() <= 8 { lines.len() } else { 5 };
    let mut text = format!(
        "Dot-and-whisker chart of {} {}. {}.",
        lines.len(),
        if lines.len() == 1 { "rate" } else { "rates" },
        lines.iter().take(shown).map(spoken).collect::<Vec<_>>().join("; "),
    );
    if let Some(last) = lines.last().filter(|_| shown < lines.len()) {
        text.push_str(&format!(" Last: {}.", spoken(last)));
    }
    let none = lines.iter().filter(|(_, line)| line.row.numerator.is_some_and(|events| events < 0.5)).count();
    if none > 0 {
        text.push_str(&format!(" Without any event: {}.", format::count(forest::many(none))));
    }
    text
}
