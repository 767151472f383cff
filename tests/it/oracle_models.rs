//! Trend tests and regressions against numbers made by other programs. The files are read as they stand.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeMap;
use stipple::stats::clustered::ClusterSums;
use stipple::stats::firth;
use stipple::stats::logistic::{self, Covariance, Fit, FitProblem, Observations};
use stipple::stats::trend::{self, ClusteredLevel, TrendLevel};

const CLOSED: f64 = 1e-8;
const ITERATED: f64 = 1e-6;

/// The cases of one file, and how many numbers were compared.
struct Oracle {
    file: &'static str,
    cases: Vec<Value>,
    compared: usize,
}

impl Oracle {
    fn open(file: &'static str) -> Oracle {
        let path = format!("{}/tests/oracle/{file}.json", env!("CARGO_MANIFEST_DIR"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|problem| panic!("{path}: {problem}"));
        let whole: Value = serde_json::from_str(&text).unwrap();
        Oracle { file, cases: whole["cases"].as_array().unwrap().clone(), compared: 0 }
    }

    /// Compares one number; `null` means that there is none.
    fn compare(&mut self, name: &str, seen: Option<f64>, expected: &Value, tolerance: f64) {
        self.compared += 1;
        let Some(wanted) = number(expected) else {
            assert!(
                seen.is_none_or(|seen| !seen.is_finite()),
                "{} {name}: {seen:?} where there is no number",
                self.file
            );
            return;
        };
        let seen = seen.unwrap_or_else(|| panic!("{} {name}: nothing instead of {wanted}", self.file));
        // A p-value below 1e-12 may be rounding in the reference itself, where it was made as 1 − (nearly 1).
        let floor = if name.contains("p_") { 1e-12 } else { 1e-300 };
        let same = seen.total_cmp(&wanted).is_eq() || (seen - wanted).abs() <= tolerance * wanted.abs() + floor;
        assert!(same, "{} {name}: {seen:e} instead of {wanted:e}", self.file);
    }

    fn done(self) {
        assert!(self.compared > 0, "{}: nothing was compared", self.file);
    }
}

fn number(value: &Value) -> Option<f64> {
    match value.as_str() {
        Some("Inf") => Some(f64::INFINITY),
        Some("-Inf") => Some(f64::NEG_INFINITY),
        _ => value.as_f64(),
    }
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|entry| number(entry).unwrap()).collect()
}

fn counts(value: &Value) -> Vec<u64> {
    value.as_array().unwrap().iter().map(|entry| entry.as_u64().unwrap()).collect()
}

fn entries(value: &Value) -> Vec<(String, Value)> {
    value.as_object().unwrap().iter().map(|(key, value)| (key.clone(), value.clone())).collect()
}

fn levels(input: &Value) -> Vec<TrendLevel> {
    let (scores, events, n) = (numbers(&input["scores"]), counts(&input["events"]), counts(&input["n"]));
    assert!(scores.len() == events.len() && scores.len() == n.len());
    (0..n.len()).map(|at| TrendLevel { score: scores[at], events: events[at], n: n[at] }).collect()
}

#[test]
fn oracle_cochran_armitage() {
    let mut oracle = Oracle::open("cochran_armitage");
    for case in oracle.cases.clone() {
        let test = trend::cochran_armitage(&levels(&case["input"]));
        for (key, expected) in entries(&case["expected"]) {
            let seen = match key.as_str() {
                "z" => test.statistic,
                "chi_square" => test.statistic.map(|z| z * z),
                "p_value" => test.p_value,
                other => panic!("unknown number {other}"),
            };
            oracle.compare(&key, seen, &expected, CLOSED);
        }
    }
    oracle.done();
}

#[test]
fn oracle_cochran_armitage_exact() {
    let mut oracle = Oracle::open("cochran_armitage_exact");
    for case in oracle.cases.clone() {
        let levels = levels(&case["input"]);
        let exact = trend::cochran_armitage_exact(&levels).ok();
        for (key, expected) in entries(&case["expected"]) {
            let seen = exact.map(|exact| match key.as_str() {
                "t" => exact.t,
                "expected_t" => exact.expected_t,
                "p_exact" => exact.p_exact,
                "p_mid" => exact.p_mid,
                "p_upper" => exact.p_upper,
                "p_lower" => exact.p_lower,
                other => panic!("unknown number {other}"),
            });
            oracle.compare(&key, seen, &expected, CLOSED);
        }
        let test = trend::cochran_armitage_exact_test(&levels);
        oracle.compare("p_mid of the test", test.p_value, &case["expected"]["p_mid"], CLOSED);
    }
    oracle.done();
}

/// Trials and events of each cluster in each level; the score of a level is its number.
fn clustered_levels(input: &Value) -> Vec<ClusteredLevel> {
    let (clusters, places, events) = (counts(&input["patient"]), numbers(&input["level"]), counts(&input["event"]));
    let mut cells: BTreeMap<u64, BTreeMap<u64, (u64, u64)>> = BTreeMap::new();
    for at in 0..clusters.len() {
        // Levels are whole numbers above 0, whose bits stand in the order of the numbers.
        let cell = cells.entry(places[at].to_bits()).or_default().entry(clusters[at]).or_default();
        *cell = (cell.0 + 1, cell.1 + events[at]);
    }
    let level = |(place, clusters): (u64, BTreeMap<u64, (u64, u64)>)| {
        let mut sums = ClusterSums::default();
        clusters.into_values().for_each(|(n, events)| sums.add_cluster(n, events));
        ClusteredLevel { score: f64::from_bits(place), sums }
    };
    cells.into_iter().map(level).collect()
}

#[test]
fn oracle_cochran_armitage_clustered() {
    let mut oracle = Oracle::open("cochran_armitage_clustered");
    for case in oracle.cases.clone() {
        let (test, effects) = trend::cochran_armitage_rao_scott(&clustered_levels(&case["input"]));
        for (key, expected) in entries(&case["expected"]) {
            match key.as_str() {
                "z" => oracle.compare(&key, test.statistic, &expected, CLOSED),
                "p_value" => oracle.compare(&key, test.p_value, &expected, CLOSED),
                "design_effects" => {
                    let expected = expected.as_array().unwrap().clone();
                    assert_eq!(effects.len(), expected.len());
                    effects.iter().zip(&expected).for_each(|(&d, e)| oracle.compare(&key, Some(d), e, CLOSED));
                }
                other => panic!("unknown number {other}"),
            }
        }
    }
    oracle.done();
}

/// The model of a case: the intercept, then every column of the data but the cluster and the event.
struct Model {
    names: Vec<String>,
    design: Vec<f64>,
    events: Vec<f64>,
    trials: Vec<f64>,
    clusters: Vec<u32>,
}

impl Model {
    fn read(input: &Value) -> Model {
        let columns = entries(&input["data"]);
        let terms: Vec<(String, Vec<f64>)> = columns
            .iter()
            .filter(|(name, _)| name != "patient" && name != "event")
            .map(|(name, values)| (name.clone(), numbers(values)))
            .collect();
        let events = numbers(&input["data"]["event"]);
        let row = |row: usize| std::iter::once(1.0).chain(terms.iter().map(move |(_, values)| values[row]));
        let names = std::iter::once("(Intercept)".to_owned()).chain(terms.iter().map(|(name, _)| name.clone()));
        let clusters = counts(&input["data"]["patient"]).into_iter().map(|id| u32::try_from(id).unwrap());
        Model {
            names: names.collect(),
            design: (0..events.len()).flat_map(row).collect(),
            trials: vec![1.0; events.len()],
            clusters: clusters.collect(),
            events,
        }
    }

    fn observations(&self) -> Observations<'_> {
        Observations {
            design: &self.design,
            terms: self.names.len(),
            events: &self.events,
            trials: &self.trials,
            clusters: &self.clusters,
        }
    }

    fn term(&self, name: &str) -> usize {
        self.names.iter().position(|known| known == name).unwrap_or_else(|| panic!("no term {name}"))
    }
}

impl Oracle {
    fn compare_fit(&mut self, fit: &Fit, model: &Model, expected: &Value) {
        for (key, value) in entries(expected) {
            let errors = match key.as_str() {
                "deviance" => {
                    self.compare(&key, Some(fit.deviance), &value, ITERATED);
                    continue;
                }
                "log_likelihood" => {
                    self.compare(&key, Some(fit.log_likelihood), &value, ITERATED);
                    continue;
                }
                "null_deviance" => {
                    let null = Observations { design: &model.trials, terms: 1, ..model.observations() };
                    let null = logistic::fit(&null).unwrap();
                    self.compare(&key, Some(null.deviance), &value, ITERATED);
                    continue;
                }
                "coef" => None,
                "se" => Some(Covariance::Model),
                "cluster_cr0_se" => Some(Covariance::Cr0),
                "cluster_cr1_se" => Some(Covariance::Cr1),
                other => panic!("unknown number {other}"),
            };
            for (name, value) in entries(&value) {
                let term = model.term(&name);
                let seen = match errors {
                    None => Some(fit.coefficients[term]),
                    Some(kind) => fit.standard_error(term, kind),
                };
                self.compare(&format!("{key} of {name}"), seen, &value, ITERATED);
            }
        }
    }
}

#[test]
fn oracle_logistic() {
    let mut oracle = Oracle::open("logistic");
    for case in oracle.cases.clone() {
        let model = Model::read(&case["input"]);
        for (key, expected) in entries(&case["expected"]) {
            match (key.as_str(), expected.is_null()) {
                ("maximum_likelihood", false) => {
                    oracle.compare_fit(&logistic::fit(&model.observations()).unwrap(), &model, &expected);
                }
                // No finite answer: separation, and said so.
                ("maximum_likelihood", true) => {
                    let problem = logistic::fit(&model.observations()).unwrap_err();
                    assert!(matches!(problem, FitProblem::Separated { .. }), "{problem}");
                    oracle.compared += 1;
                }
                ("firth", false) => {
                    oracle.compare_fit(&firth::fit(&model.observations()).unwrap(), &model, &expected);
                }
                // Generalised estimating equations with an exchangeable correlation are another estimator, which is
                // not offered: the robust errors of the working-independence fit stand in `maximum_likelihood`.
                ("gee_exchangeable", _) => {}
                (other, _) => panic!("unknown fit {other}"),
            }
        }
    }
    oracle.done();
}
