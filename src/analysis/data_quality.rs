//! `data_quality`: what came in, what was refused and why, what is missing, and who was assessed.

use super::rates::as_number;
use super::{Analysis, Evidence, Kind, Needs, Outcomes, group_of};
use crate::cube::{Cube, CubeKey, Dimension, FilledKey};
use crate::domain::COLUMNS;
use crate::results::{ResultRow, Statistic};

/// The kind.
pub const KIND: Kind = Kind {
    name: "data_quality",
    about: "What came in, what was refused and why, what is missing by column and clinic, and the share assessed.",
    keys: &["outcomes"],
    required: &[],
    needs,
    rows,
};

fn clinics() -> Dimension {
    Dimension::column("clinic_id")
}

fn cubes(analysis: &Analysis) -> Vec<CubeKey> {
    vec![analysis.cube(Vec::new(), &[]), analysis.cube(vec![clinics()], &[])]
}

/// Values of every optional column by clinic.
fn filled(analysis: &Analysis) -> FilledKey {
    let optional = COLUMNS.iter().filter(|column| !column.required).map(|column| column.name.to_owned());
    FilledKey { wheres: analysis.wheres.clone(), by: clinics(), columns: optional.collect() }
}

fn needs(analysis: &Analysis) -> Needs {
    Needs { filled: vec![filled(analysis)], ..Needs::cubes(cubes(analysis)) }
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let mut rows: Vec<ResultRow> = evidence
        .intake
        .counts
        .iter()
        .map(|count| ResultRow {
            group: count.file.iter().map(|file| ("file".to_owned(), file.clone())).collect(),
            ..count_row(analysis, &count.term, count.count, "rows")
        })
        .collect();
    let analysed = evidence.cubes.get(&analysis.cube(Vec::new(), &[])).map_or(0, Cube::sessions);
    let outside = evidence.cubes.all_sessions() - analysed;
    rows.push(count_row(analysis, "outside_cohort", outside, "sessions"));
    rows.push(count_row(analysis, "analysed_sessions", analysed, "sessions"));
    for key in cubes(analysis) {
        if let Some(cube) = evidence.cubes.get(&key) {
            rows.extend(assessed_rows(analysis, evidence, cube));
        }
    }
    rows.extend(missing_rows(analysis, evidence));
    rows
}

fn count_row(analysis: &Analysis, term: &str, count: u64, counted: &'static str) -> ResultRow {
    ResultRow {
        term: term.to_owned(),
        value: Some(as_number(count)),
        unit: "count",
        counted,
        ..analysis.row(Statistic::Count)
    }
}

/// Share of sessions assessed, for each side effect and cell.
fn assessed_rows(analysis: &Analysis, evidence: &Evidence<'_>, cube: &Cube) -> Vec<ResultRow> {
    let outcomes = if analysis.outcomes == Outcomes::These(Vec::new()) { &Outcomes::All } else { &analysis.outcomes };
    let mut rows = Vec::new();
    for effect in evidence.effects(outcomes) {
        for cell in cube.cells() {
            let counts = cell.cell(effect);
            let group = group_of(&cell.group());
            let not_assessed = as_number(counts.sessions_not_assessed());
            rows.push(ResultRow {
                outcome: evidence.code(effect),
                group: group.clone(),
                ..share(analysis.row(Statistic::AssessedShare), counts.assessed.sessions, counts.all.sessions)
            });
            rows.push(ResultRow {
                outcome: evidence.code(effect),
                group,
                value: Some(not_assessed),
                numerator: Some(not_assessed),
                denominator: Some(as_number(counts.all.sessions)),
                unit: "count",
                counted: "sessions",
                ..analysis.row(Statistic::NotAssessed)
            });
        }
    }
    rows
}

fn share(row: ResultRow, part: u64, whole: u64) -> ResultRow {
    let (part, whole) = (as_number(part), as_number(whole));
    ResultRow {
        value: (whole > 0.0).then(|| part / whole),
        numerator: Some(part),
        denominator: Some(whole),
        unit: "proportion",
        counted: "sessions",
        warning: if whole > 0.0 { String::new() } else { "not_estimable: there is no session".to_owned() },
        ..row
    }
}

/// Share missing of every optional column, over all and by clinic. A session in which nobody asked has no
/// `side_effects`.
fn missing_rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let Some(filled) = evidence.cubes.filled(&filled(analysis)) else { return Vec::new() };
    let mut rows = Vec::new();
    let optional = COLUMNS.iter().filter(|column| !column.required);
    for (column, lacking) in optional.zip(&filled.lacking) {
        let template = ResultRow { term: column.name.to_owned(), ..analysis.row(Statistic::MissingShare) };
        rows.push(share(template.clone(), lacking.iter().sum(), filled.sessions.iter().sum()));
        let by_clinic = filled.texts.iter().zip(lacking.iter().zip(&filled.sessions));
        for (clinic, (lacking, all)) in by_clinic.filter(|(_, (_, all))| **all > 0) {
            let group = vec![("clinic_id".to_owned(), clinic.clone())];
            rows.push(ResultRow { group, ..share(template.clone(), *lacking, *all) });
        }
    }
    rows
}
