//! Proportions, contrasts of two groups and adjustments against reference values from other software. Every case of
//! every file is read when the test runs, so that a file replaced by another of the same form is tested as it stands.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value;
use stipple::stats::clustered::{self, ClusterSums, ClusteredMethod};
use stipple::stats::multiplicity::{benjamini_hochberg, holm};
use stipple::stats::odds_ratio::{self, OddsRatioMethod};
use stipple::stats::proportion::{self, Proportion, ProportionMethod};
use stipple::stats::risk_difference::{self, Pair, RiskDifferenceMethod};
use stipple::stats::risk_ratio::{self, RiskRatioMethod};
use stipple::stats::two_by_two::{TwoByTwo, chi_square, fisher_exact, fisher_mid_p};
use stipple::stats::{Estimate, Level};

const CLOSED_FORM: f64 = 1e-8;
const ITERATED: f64 = 1e-6;

/// The cases of a file, and how many numbers were compared.
struct Oracle {
    stem: &'static str,
    case: usize,
    compared: usize,
}

/// Reads a file and hands every case's input and expected numbers to `check`.
fn each_case(stem: &'static str, mut check: impl FnMut(&mut Oracle, &Value, &Value)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/oracle").join(format!("{stem}.json"));
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let file: Value = serde_json::from_str(&text).unwrap();
    let mut oracle = Oracle { stem, case: 0, compared: 0 };
    for (number, case) in file["cases"].as_array().unwrap().iter().enumerate() {
        oracle.case = number;
        check(&mut oracle, &case["input"], &case["expected"]);
    }
    assert!(oracle.compared > 0, "{stem}: nothing was compared");
}

impl Oracle {
    /// A number that is there must be ours; `null` and infinities must be missing or infinite in ours.
    #[track_caller]
    fn same(&mut self, what: &str, ours: Option<f64>, truth: &Value, tolerance: f64) {
        self.near(what, ours, truth, (tolerance, 1e-14));
    }

    #[track_caller]
    fn near(&mut self, what: &str, ours: Option<f64>, truth: &Value, (relative, absolute): (f64, f64)) {
        self.compared += 1;
        let place = format!("{} case {} {what}: ours {ours:?}, reference {truth}", self.stem, self.case);
        match truth.as_f64() {
            Some(truth) => {
                let ours = ours.unwrap_or_else(|| panic!("{place}"));
                assert!((ours - truth).abs() <= relative * truth.abs() + absolute, "{place}");
            }
            None => assert!(ours.is_none_or(f64::is_infinite), "{place}"),
        }
    }

    #[track_caller]
    fn ends(&mut self, what: &str, ours: &Estimate, truth: &Value, tolerance: f64) {
        self.same(&format!("{what} low"), ours.low, &truth[0], tolerance);
        self.same(&format!("{what} high"), ours.high, &truth[1], tolerance);
    }

    #[track_caller]
    fn unknown(&self, key: &str) -> ! {
        panic!("{} case {}: nothing of ours is compared with `{key}`", self.stem, self.case)
    }
}

fn keys(expected: &Value) -> impl Iterator<Item = (&str, &Value)> {
    expected.as_object().unwrap().iter().map(|(key, value)| (key.as_str(), value))
}

fn count(value: &Value) -> u64 {
    value.as_u64().unwrap()
}

fn level(input: &Value) -> Level {
    input["level"].as_f64().map_or(Level::P95, |level| Level::new(level).unwrap())
}

fn table(input: &Value) -> TwoByTwo {
    TwoByTwo {
        events_exposed: count(&input["events1"]),
        n_exposed: count(&input["n1"]),
        events_reference: count(&input["events0"]),
        n_reference: count(&input["n0"]),
    }
}

#[test]
fn oracle_proportion_ci() {
    each_case("proportion_ci", |oracle, input, expected| {
        let counts = Proportion { events: count(&input["events"]), n: count(&input["n"]) };
        for (key, truth) in keys(expected) {
            if key == "estimate" {
                let ours = proportion::estimate(counts, ProportionMethod::Wilson, level(input));
                oracle.same(key, ours.value, truth, CLOSED_FORM);
                continue;
            }
            let method = ProportionMethod::from_id(key).unwrap_or_else(|| oracle.unknown(key));
            let ours = proportion::estimate(counts, method, level(input));
            // Ours keeps the ends of Agresti and Coull between 0 and 1, the reference does not.
            let clipped: Vec<Value> =
                [0, 1].into_iter().map(|end| truth[end].as_f64().map(|end| end.clamp(0.0, 1.0)).into()).collect();
            oracle.ends(key, &ours, &Value::from(clipped), CLOSED_FORM);
        }
    });
}

/// The sums of the clusters behind parallel columns of cluster and event.
fn cluster_sums(data: &Value) -> ClusterSums {
    let mut clusters = BTreeMap::<String, (u64, u64)>::new();
    let events = data["event"].as_array().unwrap();
    for (cluster, event) in data["patient"].as_array().unwrap().iter().zip(events) {
        let counts = clusters.entry(cluster.to_string()).or_default();
        counts.0 += 1;
        counts.1 += count(event);
    }
    let mut sums = ClusterSums::default();
    clusters.values().for_each(|&(n, events)| sums.add_cluster(n, events));
    sums
}

#[test]
fn oracle_clustered_proportion() {
    each_case("clustered_proportion", |oracle, input, expected| {
        let sums = cluster_sums(&input["data"]);
        let ours = |method| clustered::estimate(&sums, method, level(input));
        for (key, truth) in keys(expected) {
            match key {
                "estimate" => oracle.same(key, ours(ClusteredMethod::WilsonRaoScott).value, truth, CLOSED_FORM),
                "linearized_se" => oracle.same(key, sums.variance().map(f64::sqrt), truth, CLOSED_FORM),
                "degf" => oracle.same(key, Some(sums.clusters as f64 - 1.0), truth, CLOSED_FORM),
                "design_effect_vs_srs" => oracle.same(key, sums.design_effect(), truth, CLOSED_FORM),
                "wilson_rao_scott" => oracle.ends(key, &ours(ClusteredMethod::WilsonRaoScott), truth, CLOSED_FORM),
                "ci_beta_korn_graubard" => oracle.ends(key, &ours(ClusteredMethod::KornGraubard), truth, ITERATED),
                // An interval that is not offered here.
                "ci_logit" => {}
                _ => oracle.unknown(key),
            }
        }
    });
}

#[test]
fn oracle_two_by_two() {
    each_case("two_by_two", |oracle, input, expected| {
        let table = table(input);
        let (pair, level) = (Pair::from(&table), level(input));
        for (key, truth) in keys(expected) {
            match key {
                "risk_difference" => {
                    let ours = risk_difference::estimate(&pair, RiskDifferenceMethod::Newcombe, level);
                    oracle.same(key, ours.value, &truth["estimate"], CLOSED_FORM);
                    oracle.ends(key, &ours, &truth["newcombe"], CLOSED_FORM);
                }
                "risk_ratio_katz" | "odds_ratio_woolf" => {
                    let ours = if key == "risk_ratio_katz" {
                        risk_ratio::estimate(&pair, RiskRatioMethod::Katz, level)
                    } else {
                        odds_ratio::estimate(&pair, OddsRatioMethod::Woolf, level)
                    };
                    oracle.same(key, ours.value, &truth["estimate"], CLOSED_FORM);
                    oracle.ends(key, &ours, &truth["ci"], CLOSED_FORM);
                }
                "fisher" => {
                    oracle.near("fisher p", fisher_exact(&table).p_value, &truth["p_value"], (CLOSED_FORM, 0.0));
                    fisher_odds_ratio(oracle, &table, level, truth);
                }
                // The reference subtracts from 1, so that 1e-26 is printed as 0: it holds to about 1e-15, not to eight
                // digits of a tiny p-value.
                "fisher_mid_p" => oracle.near(key, fisher_mid_p(&table).p_value, truth, (CLOSED_FORM, 1e-12)),
                "chi_square" => {
                    let ours = chi_square(&table, false);
                    oracle.same("chi-square", ours.statistic, &truth["statistic"], CLOSED_FORM);
                    oracle.near("chi-square p", ours.p_value, &truth["p_value"], (CLOSED_FORM, 0.0));
                }
                _ => oracle.unknown(key),
            }
        }
    });
}

/// R's `fisher.test` finds the conditional odds ratio and its ends with `uniroot`, whose tolerance is 1.22e-4 on the
/// odds ratio or, above 1, on its reciprocal. For 9/10 against 3/10 it stops at 1039.29 where P(X ≤ 9) is still
/// 0.025202; the upper end, with 0.025000, is 1047.84. So the reference is held to its own tolerance, and our numbers
/// to the equations that define them, summed here over all tables.
fn fisher_odds_ratio(oracle: &mut Oracle, table: &TwoByTwo, level: Level, truth: &Value) {
    let ours = odds_ratio::fisher(table, level);
    let events = table.events_exposed + table.events_reference;
    let one_table_only = events == 0 || events == table.n_exposed + table.n_reference;
    if !one_table_only {
        // With one possible table the likelihood is 1 at every odds ratio; R prints 0, ours has no value.
        within_uniroot(oracle, "conditional odds ratio", ours.value, &truth["conditional_odds_ratio"]);
    }
    within_uniroot(oracle, "conditional low", ours.low, &truth["ci"][0]);
    within_uniroot(oracle, "conditional high", ours.high, &truth["ci"][1]);

    let tail = level.alpha() / 2.0;
    let proper = |number: Option<f64>| number.filter(|number| *number > 0.0 && number.is_finite());
    let defining = [
        (proper(ours.value).map(|ratio| conditional(table, ratio).mean), table.events_exposed as f64),
        (proper(ours.low).map(|ratio| conditional(table, ratio).seen_or_more), tail),
        (proper(ours.high).map(|ratio| conditional(table, ratio).seen_or_fewer), tail),
    ];
    for (found, wanted) in defining {
        if found.is_some() {
            oracle.same("defining equation", found, &Value::from(wanted), CLOSED_FORM);
        }
    }
}

fn within_uniroot(oracle: &mut Oracle, what: &str, ours: Option<f64>, truth: &Value) {
    let folded = |ratio: f64| if ratio > 1.0 { 1.0 / ratio } else { ratio };
    match truth.as_f64() {
        Some(number) if number > 0.0 => {
            let same_side = ours.is_some_and(|ours| (ours > 1.0) == (number > 1.0) || (ours - 1.0).abs() < 1e-3);
            assert!(same_side, "{what}: ours {ours:?}, reference {number}");
            oracle.near(what, ours.map(folded), &Value::from(folded(number)), (0.0, 1.3e-4));
        }
        _ => oracle.same(what, ours, truth, CLOSED_FORM),
    }
}

struct Conditional {
    mean: f64,
    seen_or_more: f64,
    seen_or_fewer: f64,
}

/// All tables with these margins, weighed by C(n₁, k)·C(n₀, t − k)·ψ^k.
fn conditional(table: &TwoByTwo, odds_ratio: f64) -> Conditional {
    let total = table.events_exposed + table.events_reference;
    let ln_factorial = |n: u64| (1..=n).map(|k| (k as f64).ln()).sum::<f64>();
    let ln_choose = |n: u64, k: u64| ln_factorial(n) - ln_factorial(k) - ln_factorial(n - k);
    let (fewest, most) = (total.saturating_sub(table.n_reference), total.min(table.n_exposed));
    let logs: Vec<(u64, f64)> = (fewest..=most)
        .map(|k| {
            let ways = ln_choose(table.n_exposed, k) + ln_choose(table.n_reference, total - k);
            (k, ways + k as f64 * odds_ratio.ln())
        })
        .collect();
    let largest = logs.iter().fold(f64::NEG_INFINITY, |largest, (_, log)| largest.max(*log));
    let share = |keep: &dyn Fn(u64) -> f64| logs.iter().map(|(k, log)| keep(*k) * (log - largest).exp()).sum::<f64>();
    let all = share(&|_| 1.0);
    let seen = table.events_exposed;
    Conditional {
        mean: share(&|k| k as f64) / all,
        seen_or_more: share(&|k| f64::from(u8::from(k >= seen))) / all,
        seen_or_fewer: share(&|k| f64::from(u8::from(k <= seen))) / all,
    }
}

#[test]
fn oracle_score_intervals() {
    each_case("score_intervals", |oracle, input, expected| {
        let (pair, level) = (Pair::from(&table(input)), level(input));
        let difference = |method| risk_difference::estimate(&pair, method, level);
        let ratio = |method| risk_ratio::estimate(&pair, method, level);
        for (key, truth) in keys(expected) {
            let ours = match key {
                "risk_difference_miettinen_nurminen" => difference(RiskDifferenceMethod::MiettinenNurminen),
                "risk_difference_mee" => difference(RiskDifferenceMethod::Mee),
                "risk_ratio_koopman" => ratio(RiskRatioMethod::Koopman),
                "risk_ratio_miettinen_nurminen" => ratio(RiskRatioMethod::MiettinenNurminen),
                "odds_ratio_score_miettinen_nurminen" => {
                    odds_ratio::estimate(&pair, OddsRatioMethod::MiettinenNurminen, level)
                }
                _ => oracle.unknown(key),
            };
            oracle.ends(key, &ours, truth, ITERATED);
        }
    });
}

#[test]
fn oracle_multiplicity() {
    each_case("multiplicity", |oracle, input, expected| {
        let p_values: Vec<f64> = input["p"].as_array().unwrap().iter().map(|p| p.as_f64().unwrap()).collect();
        for (key, truth) in keys(expected) {
            let ours = match key {
                "benjamini_hochberg" => benjamini_hochberg(&p_values),
                "holm" => holm(&p_values),
                _ => oracle.unknown(key),
            };
            let truth = truth.as_array().unwrap();
            assert_eq!(ours.len(), truth.len());
            for (ours, truth) in ours.iter().zip(truth) {
                oracle.same(key, Some(*ours), truth, CLOSED_FORM);
            }
        }
    });
}
