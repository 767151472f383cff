//! The ratio of two risks, with its interval.

use super::clustered::ClusterSums;
use super::estimate::{Estimate, Interval, Level};
use super::methods::Method;
use super::risk_difference::{Pair, of_clusters, without_value};
use super::roots::turning_point;

/// How the interval of a risk ratio is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskRatioMethod {
    /// The score interval of Miettinen and Nurminen, variance × N/(N − 1).
    MiettinenNurminen,
    /// The score interval of Koopman, without that factor.
    Koopman,
    /// The normal interval of the logarithm; only without zeros.
    Katz,
}

impl RiskRatioMethod {
    /// Every method.
    pub const ALL: [RiskRatioMethod; 3] =
        [RiskRatioMethod::MiettinenNurminen, RiskRatioMethod::Koopman, RiskRatioMethod::Katz];

    /// Id, as in the `method` column of results.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            RiskRatioMethod::MiettinenNurminen => "miettinen_nurminen",
            RiskRatioMethod::Koopman => "koopman",
            RiskRatioMethod::Katz => "katz",
        }
    }

    /// Id of the same method on counts divided by the design effects.
    #[must_use]
    pub fn clustered_id(self) -> &'static str {
        match self {
            RiskRatioMethod::MiettinenNurminen => "miettinen_nurminen_rao_scott",
            RiskRatioMethod::Koopman => "koopman_rao_scott",
            RiskRatioMethod::Katz => "katz_rao_scott",
        }
    }

    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<RiskRatioMethod> {
        RiskRatioMethod::ALL.into_iter().find(|method| method.id() == id)
    }
}

/// Risk in the exposed group divided by risk in the reference group. Without events in the reference group the ratio has
/// no value and no upper bound, but the score methods still give its lower end.
///
/// ```
/// use stipple::stats::risk_difference::Pair;
/// use stipple::stats::risk_ratio::{RiskRatioMethod, estimate};
/// use stipple::stats::Level;
///
/// // Koopman 1984: 36/40 against 16/80 is 4.5 (2.94 to 7.15).
/// let pair = Pair { events_exposed: 36.0, n_exposed: 40.0, events_reference: 16.0, n_reference: 80.0 };
/// let found = estimate(&pair, RiskRatioMethod::Koopman, Level::P95);
/// assert!((found.low.unwrap() - 2.94).abs() < 0.005 && (found.high.unwrap() - 7.15).abs() < 0.005);
/// ```
#[must_use]
pub fn estimate(pair: &Pair, method: RiskRatioMethod, level: Level) -> Estimate {
    if let Some(reason) = pair.problem() {
        return Estimate::not_estimable(method.id(), level, reason);
    }
    if pair.events_exposed <= 0.0 && pair.events_reference <= 0.0 {
        return Estimate::not_estimable(method.id(), level, "no event in either group, so there is no ratio");
    }
    match method {
        RiskRatioMethod::MiettinenNurminen => score_estimate(pair, method, level, pair.variance_factor()),
        RiskRatioMethod::Koopman => score_estimate(pair, method, level, 1.0),
        RiskRatioMethod::Katz => katz(pair, level),
    }
}

/// The same for groups of clusters, on counts divided by each group's design effect.
#[must_use]
pub fn estimate_clustered(groups: [&ClusterSums; 2], method: RiskRatioMethod, level: Level) -> Estimate {
    let [exposed, reference] = groups;
    let plain = estimate(&Pair::from_clusters(exposed, reference), method, level);
    of_clusters(plain, method.clustered_id(), groups)
}

fn score_estimate(pair: &Pair, method: RiskRatioMethod, level: Level, variance_factor: f64) -> Estimate {
    let interval = score_interval(pair, variance_factor, level);
    let bounded = pair.events_reference > 0.0;
    Estimate {
        value: bounded.then(|| pair.exposed() / pair.reference()),
        low: Some(interval.low),
        high: Some(interval.high),
        warning: (!bounded).then(|| {
            "not_estimable: no event in the reference group, so the ratio has no upper bound; only its lower end exists"
                .to_owned()
        }),
        ..without_value(method.id(), level)
    }
}

/// Logarithms of ratios are looked for between these.
const WIDEST_LOG: f64 = 300.0;

/// The ratios that the score test does not reject.
fn score_interval(pair: &Pair, variance_factor: f64, level: Level) -> Interval {
    let z = level.z();
    let score = |log_ratio: f64| score(pair, log_ratio.exp(), variance_factor);
    let end = |limit: f64| turning_point(-WIDEST_LOG, WIDEST_LOG, |log_ratio| score(log_ratio) > limit).exp();
    Interval {
        low: if pair.events_exposed <= 0.0 { 0.0 } else { end(z) },
        high: if pair.events_reference <= 0.0 { f64::INFINITY } else { end(-z) },
    }
}

/// (p̂₁ − φ p̂₀)/√variance, with the risks that fit best under the ratio φ.
fn score(pair: &Pair, ratio: f64, variance_factor: f64) -> f64 {
    let (m, n) = (pair.n_exposed, pair.n_reference);
    // N φ q² − b q + c = 0, its smaller root in the form that does not cancel.
    let b = m * ratio + pair.events_exposed + n + pair.events_reference * ratio;
    let c = pair.events_exposed + pair.events_reference;
    let root = (b * b - 4.0 * (m + n) * ratio * c).max(0.0).sqrt();
    let q = (2.0 * c / (b + root)).clamp(0.0, 1.0);
    let p = (ratio * q).clamp(0.0, 1.0);
    let variance = p * (1.0 - p) / m + ratio * ratio * q * (1.0 - q) / n;
    let score = (pair.exposed() - ratio * pair.reference()) / (variance * variance_factor).sqrt();
    if score.is_nan() { 0.0 } else { score }
}

fn katz(pair: &Pair, level: Level) -> Estimate {
    let id = RiskRatioMethod::Katz.id();
    if pair.events_exposed <= 0.0 || pair.events_reference <= 0.0 {
        return Estimate::not_estimable(id, level, "a group has no event; koopman is defined there");
    }
    let ratio = pair.exposed() / pair.reference();
    let variance =
        pair.events_exposed.recip() - pair.n_exposed.recip() + pair.events_reference.recip() - pair.n_reference.recip();
    if variance <= 0.0 {
        let warning = "no_variance: every observation has the event, so this method gives no interval; koopman does";
        return Estimate { value: Some(ratio), warning: Some(warning.to_owned()), ..without_value(id, level) };
    }
    let reach = level.z() * variance.sqrt();
    Estimate {
        value: Some(ratio),
        low: Some(ratio * (-reach).exp()),
        high: Some(ratio * reach.exp()),
        ..without_value(id, level)
    }
}

/// The methods of this file; `miettinen_nurminen` stands with the risk difference.
pub const METHODS: &[Method] = &[
    Method {
        id: "koopman",
        title: "Koopman's score interval of a risk ratio",
        estimates: "How many times likelier the event is in one group than in the other.",
        formula: "(p̂₁ − φp̂₀)²/(p̃₁q̃₁/n₁ + φ²p̃₀q̃₀/n₀) ≤ z², p̃ = the risks that fit best under φ",
        source: "Koopman 1984, Biometrics 40:513",
        edges: "No exposed event: from 0. No reference event: no value, a lower end, no upper bound. No event at all: not estimable.",
        not_for: "Paired sides of one cluster; repeated observations: use koopman_rao_scott.",
    },
    Method {
        id: "katz",
        title: "Katz's log interval of a risk ratio",
        estimates: "How many times likelier the event is in one group than in the other.",
        formula: "φ̂·exp(± z√(1/x₁ − 1/n₁ + 1/x₀ − 1/n₀))",
        source: "Katz, Baptista, Azen & Pike 1978, Biometrics 34:469",
        edges: "A group without events: not estimable. Nothing but events: the value without interval.",
        not_for: "Small or zero counts: use koopman.",
    },
    Method {
        id: "koopman_rao_scott",
        title: "Koopman's interval with Rao–Scott design effects",
        estimates: "The risk ratio between two groups of clusters that were observed repeatedly.",
        formula: "koopman on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Koopman 1984; Rao & Scott 1992, Biometrics 48:577",
        edges: "A group without variance between clusters counts its clusters as the units (no_variance).",
        not_for: "The same clusters in both groups: a regression with cluster-robust errors uses the pairing.",
    },
    Method {
        id: "katz_rao_scott",
        title: "Katz's interval with Rao–Scott design effects",
        estimates: "The risk ratio between two groups of clusters that were observed repeatedly.",
        formula: "katz on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Katz et al. 1978; Rao & Scott 1992",
        edges: "A group without events: not estimable.",
        not_for: "Small or zero counts: use koopman_rao_scott.",
    },
];

#[cfg(test)]
mod tests {
    use super::super::risk_difference;
    use super::*;

    fn of(counts: [f64; 4], method: RiskRatioMethod) -> Estimate {
        let [events_exposed, n_exposed, events_reference, n_reference] = counts;
        estimate(&Pair { events_exposed, n_exposed, events_reference, n_reference }, method, Level::P95)
    }

    #[test]
    fn katz_by_hand() {
        // 9/10 against 3/10: 3·exp(±1.959964·√(1/9 − 1/10 + 1/3 − 1/10)) = 3·exp(±0.969032).
        let found = of([9.0, 10.0, 3.0, 10.0], RiskRatioMethod::Katz);
        assert!((found.low.unwrap() - 3.0 * (-0.969_032_f64).exp()).abs() < 1e-5);
        assert!((found.high.unwrap() - 3.0 * 0.969_032_f64.exp()).abs() < 1e-4);
    }

    #[test]
    fn exchanged_groups_give_the_reciprocal() {
        for method in RiskRatioMethod::ALL {
            let (one, other) = (of([9.0, 10.0, 3.0, 12.0], method), of([3.0, 12.0, 9.0, 10.0], method));
            assert!((one.low.unwrap() * other.high.unwrap() - 1.0).abs() < 1e-12);
            assert!((one.value.unwrap() * other.value.unwrap() - 1.0).abs() < 1e-12);
        }
    }

    #[test]
    fn zeros_leave_one_end() {
        for method in [RiskRatioMethod::Koopman, RiskRatioMethod::MiettinenNurminen] {
            let none_exposed = of([0.0, 10.0, 5.0, 20.0], method);
            assert_eq!((none_exposed.value, none_exposed.low), (Some(0.0), Some(0.0)));
            let high = none_exposed.high.unwrap();
            assert!(high.is_finite() && high > 0.5, "{high}");
            let none_reference = of([5.0, 20.0, 0.0, 10.0], method);
            assert_eq!((none_reference.value, none_reference.high), (None, Some(f64::INFINITY)));
            assert!((none_reference.low.unwrap() * high - 1.0).abs() < 1e-12);
            assert!(none_reference.warning.unwrap().starts_with("not_estimable: "));
        }
        assert!(of([0.0, 10.0, 5.0, 20.0], RiskRatioMethod::Katz).warning.unwrap().starts_with("not_estimable: "));
    }

    #[test]
    fn nothing_but_events_is_a_ratio_of_one_with_an_interval() {
        for method in [RiskRatioMethod::Koopman, RiskRatioMethod::MiettinenNurminen] {
            let all = of([10.0, 10.0, 20.0, 20.0], method);
            assert_eq!(all.value, Some(1.0));
            assert!(all.low.unwrap() < 0.9 && all.high.unwrap() > 1.1);
        }
        let katz = of([10.0, 10.0, 20.0, 20.0], RiskRatioMethod::Katz);
        assert_eq!((katz.value, katz.low, katz.high), (Some(1.0), None, None));
        assert!(katz.warning.unwrap().starts_with("no_variance: "));
    }

    #[test]
    fn nothing_at_all_is_not_estimable() {
        for counts in [[0.0, 10.0, 0.0, 20.0], [0.0, 0.0, 0.0, 0.0], [1.0, 1.0, 0.0, 0.0], [f64::NAN, 1.0, 0.0, 1.0]] {
            for method in RiskRatioMethod::ALL {
                let found = of(counts, method);
                assert!(found.value.is_none() && found.low.is_none() && found.high.is_none());
                assert!(found.warning.unwrap().starts_with("not_estimable: "));
            }
        }
    }

    #[test]
    fn counts_of_a_million_come_near_the_log_interval() {
        let counts = [40_000.0, 1e6, 39_000.0, 1e6];
        let (score, log) = (of(counts, RiskRatioMethod::Koopman), of(counts, RiskRatioMethod::Katz));
        assert!((score.low.unwrap() - log.low.unwrap()).abs() < 1e-6);
    }

    #[test]
    fn every_id_is_described_once() {
        for method in RiskRatioMethod::ALL {
            assert_eq!(RiskRatioMethod::from_id(method.id()), Some(method));
            for id in [method.id(), method.clustered_id()] {
                let described = METHODS.iter().chain(risk_difference::METHODS).filter(|described| described.id == id);
                assert_eq!(described.count(), 1);
            }
        }
    }
}
