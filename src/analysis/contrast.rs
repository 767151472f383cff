//! `contrast`: two groups against each other: risk difference, risk ratio, odds ratio, number needed to harm.

use super::counting::{Multiplicity, Rate};
use super::rates::{as_number, rate_rows};
use super::{Analysis, Evidence, Kind, Needs, group_of};
use crate::cube::plan::CellView;
use crate::cube::{Cube, CubeKey, Dimension};
use crate::domain::{EffectId, amount};
use crate::results::{ResultRow, Statistic};
use crate::stats::odds_ratio::{self, OddsRatioMethod};
use crate::stats::risk_difference::{self, Pair, RiskDifferenceMethod};
use crate::stats::risk_ratio::{self, RiskRatioMethod};
use crate::stats::two_by_two::{self, TwoByTwo};
use crate::stats::{Estimate, multiplicity};

/// The kind.
pub const KIND: Kind = Kind {
    name: "contrast",
    about: "Two groups against each other: risk difference, risk ratio, odds ratio, number needed to harm, tests.",
    keys: &["outcomes", "between", "exposed", "reference", "by", "multiplicity"],
    required: &["outcomes", "between", "exposed", "reference"],
    needs,
    rows,
};

/// The strata first, the compared column last.
fn dimensions(analysis: &Analysis) -> Vec<Dimension> {
    analysis.by.iter().chain(&analysis.between).cloned().collect()
}

fn needs(analysis: &Analysis) -> Needs {
    Needs::cubes(vec![analysis.cube(dimensions(analysis), &[]), compared(analysis)])
}

/// The cube of the compared column alone.
fn compared(analysis: &Analysis) -> CubeKey {
    analysis.cube(analysis.between.iter().cloned().collect(), &[])
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let Some(cube) = evidence.cubes.get(&analysis.cube(dimensions(analysis), &[])) else { return Vec::new() };
    let (Some(exposed), Some(reference)) = (&analysis.exposed, &analysis.reference) else { return Vec::new() };
    let cells: Vec<CellView<'_>> = cube.cells().collect();
    let mut rows = Vec::new();
    let mut tests = Vec::new();
    for effect in evidence.effects(&analysis.outcomes) {
        for stratum in strata(&cells) {
            let side = |wanted: &str| {
                cells.iter().find(|cell| {
                    let group = cell.group();
                    group.split_last().is_some_and(|((_, text), rest)| *text == Some(wanted) && rest == stratum)
                })
            };
            let contrast = Contrast { analysis, evidence, effect };
            for cell in [side(exposed), side(reference)].into_iter().flatten() {
                let template = ResultRow {
                    outcome: evidence.code(effect),
                    group: group_of(&cell.group()),
                    ..analysis.row(Statistic::Rate)
                };
                rows.extend(rate_rows(analysis, &template, &cell.cell(effect)));
            }
            let made = contrast.rows(&group_of(&stratum), (side(exposed), side(reference)));
            tests.extend((rows.len()..rows.len() + made.len()).filter(|at| is_family_test(&made[*at - rows.len()])));
            rows.extend(made);
        }
    }
    let adjusted = adjusted_rows(analysis, &tests.iter().map(|at| &rows[*at]).collect::<Vec<_>>());
    rows.extend(adjusted);
    rows
}

fn strata<'a>(cells: &[CellView<'a>]) -> Vec<Vec<(&'a str, Option<&'a str>)>> {
    let mut strata = Vec::new();
    for cell in cells {
        let mut group = cell.group();
        group.pop();
        if !strata.contains(&group) {
            strata.push(group);
        }
    }
    strata
}

/// The test of each side effect that enters the family.
fn is_family_test(row: &ResultRow) -> bool {
    let family = row.method == "chi_square_rao_scott" || (row.method == "fisher_mid_p" && row.counted == "patients");
    row.statistic == Statistic::PValue && family && row.value.is_some()
}

fn adjusted_rows(analysis: &Analysis, tests: &[&ResultRow]) -> Vec<ResultRow> {
    let p_values: Vec<f64> = tests.iter().filter_map(|row| row.value).collect();
    let (method, adjusted) = match analysis.multiplicity {
        Multiplicity::BenjaminiHochberg => ("benjamini_hochberg", multiplicity::benjamini_hochberg(&p_values)),
        Multiplicity::Holm => ("holm", multiplicity::holm(&p_values)),
    };
    tests
        .iter()
        .zip(adjusted)
        .map(|(row, p)| ResultRow {
            statistic: Statistic::PAdjusted,
            value: Some(p),
            method,
            warning: join(&format!("family of {} tests", p_values.len()), &row.warning),
            ..(*row).clone()
        })
        .collect()
}

struct Contrast<'a> {
    analysis: &'a Analysis,
    evidence: &'a Evidence<'a>,
    effect: EffectId,
}

impl Contrast<'_> {
    fn rows(
        &self,
        stratum: &[(String, String)],
        (exposed, reference): (Option<&CellView<'_>>, Option<&CellView<'_>>),
    ) -> Vec<ResultRow> {
        let counting = &self.analysis.counting;
        let between = self.analysis.between.as_ref().map_or("", |between| &between.column);
        let name = |text: &Option<String>| text.clone().unwrap_or_default();
        let mut group = stratum.to_vec();
        group.push((between.to_owned(), name(&self.analysis.exposed)));
        let template = ResultRow {
            outcome: self.evidence.code(self.effect),
            group,
            counted: counting.counted.text(),
            comparator: format!("{between}={}", name(&self.analysis.reference)),
            ..self.analysis.row(Statistic::RiskDifference)
        };
        let (Some(exposed), Some(reference)) = (exposed, reference) else {
            let sides = [(exposed, &self.analysis.exposed), (reference, &self.analysis.reference)];
            let lacking = sides.into_iter().filter(|(side, _)| side.is_none());
            let lacking: Vec<String> = lacking.map(|(_, value)| format!("{between} {}", name(value))).collect();
            let warning = format!("not_estimable: no session has {}", lacking.join(" or "));
            return vec![ResultRow { warning, method: "newcombe", unit: "proportion", ..template }];
        };
        let exposed = counting.rate(&exposed.cell(self.effect));
        let reference = counting.rate(&reference.cell(self.effect));
        let mut rows = self.effect_rows(&template, &exposed, &reference);
        rows.extend(self.test_rows(&template, &exposed, &reference));
        rows
    }

    fn effect_rows(&self, template: &ResultRow, exposed: &Rate, reference: &Rate) -> Vec<ResultRow> {
        let level = self.analysis.counting.level;
        let (difference, ratio, odds) = match (&exposed.clusters, &reference.clusters) {
            // Fisher's interval takes counts as independent; the score interval works on effective counts.
            (Some(exposed), Some(reference)) => {
                let groups = [exposed, reference];
                (
                    risk_difference::estimate_clustered(groups, RiskDifferenceMethod::Newcombe, level),
                    risk_ratio::estimate_clustered(groups, RiskRatioMethod::Koopman, level),
                    odds_ratio::estimate_clustered(groups, OddsRatioMethod::MiettinenNurminen, level),
                )
            }
            _ => {
                let table = table(exposed, reference);
                let pair = Pair::from(&table);
                (
                    risk_difference::estimate(&pair, RiskDifferenceMethod::Newcombe, level),
                    risk_ratio::estimate(&pair, RiskRatioMethod::Koopman, level),
                    odds_ratio::fisher(&table, level),
                )
            }
        };
        let harm = risk_difference::number_needed_to_harm(&difference);
        let row = |statistic, unit, estimate: &Estimate| {
            let mut row = ResultRow { statistic, unit, ..template.clone() }.with_estimate(estimate);
            (row.numerator, row.denominator) = (Some(as_number(exposed.events)), Some(as_number(exposed.n)));
            row
        };
        vec![
            row(Statistic::RiskDifference, "proportion", &difference),
            row(Statistic::RiskRatio, "ratio", &ratio),
            row(Statistic::OddsRatio, "ratio", &odds),
            row(Statistic::NumberNeededToHarm, template.counted, &harm),
        ]
    }

    /// Of sessions the test that knows of patients comes first; the others take every count as independent.
    fn test_rows(&self, template: &ResultRow, exposed: &Rate, reference: &Rate) -> Vec<ResultRow> {
        let table = table(exposed, reference);
        let independent =
            [two_by_two::fisher_mid_p(&table), two_by_two::fisher_exact(&table), two_by_two::chi_square(&table, false)];
        let clustered = match (&exposed.clusters, &reference.clusters) {
            (Some(exposed), Some(reference)) => Some(two_by_two::chi_square_clustered([exposed, reference])),
            _ => None,
        };
        let sessions = clustered.is_some();
        let compared = self.evidence.cubes.get(&compared(self.analysis));
        let shared = compared.map_or(0, Cube::patients_in_several);
        let both = table.events_exposed + table.events_reference;
        let nothing = both == 0 || both == table.n_exposed + table.n_reference;
        clustered
            .into_iter()
            .map(|test| (test, false))
            .chain(independent.into_iter().map(|test| (test, sessions)))
            .map(|(test, as_if_independent)| {
                let mut notes: Vec<String> = test.warning.into_iter().collect();
                // A table in which nothing can differ is no test: it must not make a family larger.
                let p_value = test.p_value.filter(|_| !nothing);
                if nothing && notes.is_empty() {
                    notes.push("not_estimable: no side effect, or nothing else, in either group".to_owned());
                }
                if as_if_independent {
                    notes.push("takes repeated sessions of a patient as independent".to_owned());
                }
                if shared > 0 {
                    let patients = amount::are(shared, "patient");
                    notes.push(format!("{patients} in both groups or more, which are taken as independent"));
                }
                ResultRow {
                    statistic: Statistic::PValue,
                    term: test.method.to_owned(),
                    value: p_value,
                    unit: "probability",
                    method: test.method,
                    warning: notes.join("; "),
                    ..template.clone()
                }
            })
            .collect()
    }
}

fn join(note: &str, warning: &str) -> String {
    if warning.is_empty() { note.to_owned() } else { format!("{note}; {warning}") }
}

fn table(exposed: &Rate, reference: &Rate) -> TwoByTwo {
    TwoByTwo {
        events_exposed: exposed.events,
        n_exposed: exposed.n,
        events_reference: reference.events,
        n_reference: reference.n,
    }
}
