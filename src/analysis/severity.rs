//! `severity`: the worst grade of each side effect, where it was present.

use super::counting::Counted;
use super::rates::{as_number, rate_rows};
use super::{Analysis, Evidence, Kind};
use crate::cube::{Cell, CubeKey};
use crate::domain::EffectId;
use crate::results::{ResultRow, Statistic};
use crate::store::State;
use std::collections::BTreeMap;

/// The kind.
pub const KIND: Kind = Kind {
    name: "severity",
    about: "How severe each side effect was: counts by worst grade, and the rate of grade 3 or worse.",
    keys: &["outcomes", "by"],
    required: &["outcomes"],
    cubes,
    rows,
};

/// Grade from which a side effect is called severe (CTCAE).
const SEVERE: u8 = 3;

fn cubes(_: &Analysis) -> Vec<CubeKey> {
    Vec::new()
}

type Group = Vec<(String, String)>;

/// The grades of one side effect in one group: by patient, so that a patient can count once, at the worst grade.
#[derive(Default)]
struct Grades {
    /// Worst grade of each counted unit that has the side effect (0 = not stated).
    units: Vec<u8>,
    severe: Cell,
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let groups = groups(analysis, evidence);
    let mut rows = Vec::new();
    for effect in evidence.effects(&analysis.outcomes) {
        for (group, sessions) in &groups {
            let grades = grades(analysis, evidence, (effect, sessions));
            let template = ResultRow {
                outcome: evidence.code(effect),
                group: group.clone(),
                counted: analysis.counting.counted.text(),
                ..analysis.row(Statistic::Count)
            };
            rows.extend(grade_rows(&template, &grades.units));
            let severe = ResultRow { term: format!("grade >= {SEVERE}"), ..template };
            rows.extend(rate_rows(analysis, &severe, &grades.severe));
        }
    }
    rows
}

/// Sessions of each group, in the order of the columns' texts, missing last.
fn groups(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<(Group, Vec<u32>)> {
    let labels: Vec<_> = analysis.by.iter().filter_map(|by| by.labels(evidence.table).ok()).collect();
    let mut groups: BTreeMap<Vec<usize>, (Group, Vec<u32>)> = BTreeMap::new();
    for (row, fits) in (0u32..).zip(evidence.fits(&analysis.wheres)) {
        if !fits {
            continue;
        }
        let codes = labels.iter().map(|labels| labels.codes[row as usize].map_or(usize::MAX, |code| code as usize));
        let entry = groups.entry(codes.clone().collect()).or_insert_with(|| {
            let texts = codes.zip(&labels).map(|(code, labels)| labels.texts.get(code));
            let texts = texts.map(|text| text.map_or(ResultRow::MISSING, String::as_str).to_owned());
            (analysis.by.iter().map(|by| by.column.clone()).zip(texts).collect(), Vec::new())
        });
        entry.1.push(row);
    }
    groups.into_values().collect()
}

fn grades(analysis: &Analysis, evidence: &Evidence<'_>, (effect, sessions): (EffectId, &[u32])) -> Grades {
    let mut by_patient: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for row in sessions {
        by_patient.entry(evidence.table.patients()[*row as usize]).or_default().push(*row);
    }
    let mut grades = Grades::default();
    for rows in by_patient.values() {
        let worst = |row: &u32| evidence.settled.worst_grade(*row, effect).unwrap_or(0);
        let state = |row: &u32| evidence.settled.state(*row as usize, effect);
        let present: Vec<u8> = rows.iter().filter(|row| state(row) == State::Present).map(worst).collect();
        let severe = present.iter().filter(|grade| **grade >= SEVERE).count();
        let absent = rows.iter().filter(|row| state(row) == State::ConfirmedAbsent).count();
        let number = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
        // Present at a lower grade is assessed, and not severe; present without a grade is not assessed for severity.
        let milder = present.iter().filter(|grade| (1..SEVERE).contains(*grade)).count();
        grades.severe.add_patient(number(rows.len()), number(severe), number(absent + milder));
        match analysis.counting.counted {
            Counted::Sessions => grades.units.extend(&present),
            Counted::Patients => grades.units.extend(present.iter().max()),
        }
    }
    grades
}

fn grade_rows(template: &ResultRow, units: &[u8]) -> Vec<ResultRow> {
    let all = as_number(units.len() as u64);
    (1..=5)
        .chain([0])
        .map(|grade: u8| {
            let count = as_number(units.iter().filter(|unit| **unit == grade).count() as u64);
            ResultRow {
                term: if grade == 0 { "grade not stated".to_owned() } else { format!("grade {grade}") },
                value: Some(count),
                numerator: Some(count),
                denominator: Some(all),
                unit: "count",
                ..template.clone()
            }
        })
        .collect()
}
