//! `severity`: the worst grade of each side effect, where it was present.

use super::counting::Counted;
use super::rates::{as_number, rate_rows};
use super::{Analysis, Evidence, Kind, Needs, group_of};
use crate::cube::SEVERE;
use crate::results::{ResultRow, Statistic};

/// The kind.
pub const KIND: Kind = Kind {
    name: "severity",
    about: "How severe each side effect was: counts by worst grade, and the rate of grade 3 or worse.",
    keys: &["outcomes", "by"],
    required: &["outcomes"],
    needs,
    rows,
};

fn needs(analysis: &Analysis) -> Needs {
    Needs { grades: true, ..Needs::cubes(vec![analysis.cube(analysis.by.clone(), &[])]) }
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let Some(cube) = evidence.cubes.get(&analysis.cube(analysis.by.clone(), &[])) else { return Vec::new() };
    let mut rows = Vec::new();
    for effect in evidence.effects(&analysis.outcomes) {
        for cell in cube.cells() {
            let by_grade = match analysis.counting.counted {
                Counted::Sessions => cell.sessions_by_grade(effect),
                Counted::Patients => cell.patients_by_grade(effect),
            };
            let template = ResultRow {
                outcome: evidence.code(effect),
                group: group_of(&cell.group()),
                counted: analysis.counting.counted.text(),
                ..analysis.row(Statistic::Count)
            };
            rows.extend(grade_rows(&template, by_grade));
            let severe = ResultRow { term: format!("grade >= {SEVERE}"), ..template };
            rows.extend(rate_rows(analysis, &severe, &cell.severe_cell(effect)));
        }
    }
    rows
}

/// Counts by worst grade, 0 = none stated.
fn grade_rows(template: &ResultRow, by_grade: [u64; 6]) -> Vec<ResultRow> {
    let all = as_number(by_grade.iter().sum());
    (1..=5)
        .chain([0])
        .map(|grade: usize| {
            let count = as_number(by_grade[grade]);
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
