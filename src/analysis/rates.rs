//! `side_effect_rates`: how often each side effect was found, divided by any columns.

use super::counting::Rate;
use super::{Analysis, Evidence, Kind, Needs, group_of};
use crate::cube::plan::CellView;
use crate::cube::{Cell, Cube};
use crate::results::{ResultRow, Statistic};
use std::collections::BTreeSet;

/// The kind.
pub const KIND: Kind = Kind {
    name: "side_effect_rates",
    about: "How often each side effect was found, by any columns: rate, interval, n/N and how many were not assessed.",
    keys: &["outcomes", "by"],
    required: &["outcomes"],
    needs,
    rows,
};

fn needs(analysis: &Analysis) -> Needs {
    Needs::cubes(vec![analysis.cube(analysis.by.clone(), &[])])
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let Some(cube) = evidence.cubes.get(&analysis.cube(analysis.by.clone(), &[])) else { return Vec::new() };
    let cells = cells(cube, analysis.by.len());
    let mut rows = Vec::new();
    for effect in evidence.effects(&analysis.outcomes) {
        for cell in &cells {
            let template = ResultRow {
                outcome: evidence.code(effect),
                group: group_of(&cell.group()),
                ..analysis.row(Statistic::Rate)
            };
            rows.extend(rate_rows(analysis, &template, &cell.cell(effect)));
        }
    }
    rows
}

/// The cells that hold sessions; of a table of two columns also the empty ones in lines and columns that hold some, so
/// that the table shows where there is no data.
fn cells(cube: &Cube, dimensions: usize) -> Vec<CellView<'_>> {
    if dimensions != 2 {
        return cube.cells().collect();
    }
    let held = |at: usize| cube.cells().map(|cell| cell.group()[at].1).collect::<BTreeSet<_>>();
    let (down, across) = (held(0), held(1));
    let in_table = |cell: &CellView<'_>| {
        let group = cell.group();
        down.contains(&group[0].1) && across.contains(&group[1].1)
    };
    cube.all_cells().filter(in_table).collect()
}

/// The rows of one rate: the rate, how many were not assessed and, where sessions are counted, the design effect and
/// the intraclass correlation.
pub(super) fn rate_rows(analysis: &Analysis, template: &ResultRow, cell: &Cell) -> Vec<ResultRow> {
    let rate = analysis.counting.rate(cell);
    let counted = analysis.counting.counted.text();
    let template = ResultRow { counted, ..template.clone() };
    let not_assessed = ResultRow {
        statistic: Statistic::NotAssessed,
        value: Some(as_number(rate.not_assessed)),
        numerator: Some(as_number(rate.not_assessed)),
        denominator: Some(as_number(rate.all)),
        unit: "count",
        ..template.clone()
    };
    let mut rows = vec![
        ResultRow { statistic: Statistic::Rate, unit: "proportion", ..template.clone() }.with_estimate(&rate.estimate),
        not_assessed,
    ];
    rows.extend(clustering_rows(&template, &rate));
    rows
}

fn clustering_rows(template: &ResultRow, rate: &Rate) -> Vec<ResultRow> {
    let Some(sums) = &rate.clusters else { return Vec::new() };
    let row = |statistic, value: Option<f64>, method| ResultRow {
        statistic,
        value,
        unit: "ratio",
        numerator: Some(as_number(sums.n)),
        denominator: Some(as_number(sums.clusters)),
        method,
        warning: if value.is_none() {
            "not_estimable: needs at least two patients, some sessions with and some without".to_owned()
        } else {
            String::new()
        },
        ..template.clone()
    };
    vec![
        row(Statistic::DesignEffect, sums.design_effect(), "design_effect"),
        row(Statistic::Icc, sums.icc(), "icc_anova"),
    ]
}

/// A count as a number: exact up to 2⁵³.
#[expect(clippy::cast_precision_loss, reason = "counts of sessions are far below 2^53")]
pub(super) fn as_number(count: u64) -> f64 {
    count as f64
}
