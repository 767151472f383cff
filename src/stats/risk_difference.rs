//! The difference of two risks, with its interval, and the number needed to harm.

use super::clustered::{ClusterSums, effective_counts};
use super::estimate::{Estimate, Interval, Level};
use super::methods::Method;
use super::proportion::wilson;
use super::roots::turning_point;
use super::two_by_two::TwoByTwo;

/// Events in two groups as real numbers, so that counts divided by a design effect go in too.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pair {
    /// Events in the exposed group.
    pub events_exposed: f64,
    /// Observations of the exposed group.
    pub n_exposed: f64,
    /// Events in the reference group.
    pub events_reference: f64,
    /// Observations of the reference group.
    pub n_reference: f64,
}

impl From<&TwoByTwo> for Pair {
    fn from(table: &TwoByTwo) -> Pair {
        Pair {
            events_exposed: table.events_exposed as f64,
            n_exposed: table.n_exposed as f64,
            events_reference: table.events_reference as f64,
            n_reference: table.n_reference as f64,
        }
    }
}

impl Pair {
    /// Each group's counts divided by its own design effect (Rao & Scott 1992). For groups of different clusters; where
    /// the same clusters stand in both, the interval is too wide rather than too narrow as long as they are alike.
    #[must_use]
    pub fn from_clusters(exposed: &ClusterSums, reference: &ClusterSums) -> Pair {
        let (events_exposed, n_exposed) = effective_counts(exposed);
        let (events_reference, n_reference) = effective_counts(reference);
        Pair { events_exposed, n_exposed, events_reference, n_reference }
    }

    /// Why nothing can be computed from these counts.
    pub(super) fn problem(&self) -> Option<&'static str> {
        let counts = [self.events_exposed, self.n_exposed, self.events_reference, self.n_reference];
        if counts.iter().any(|count| !count.is_finite() || *count < 0.0) {
            return Some("a count is negative or not a number");
        }
        if self.n_exposed <= 0.0 || self.n_reference <= 0.0 {
            return Some("a group has no observations");
        }
        let too_many = self.events_exposed > self.n_exposed || self.events_reference > self.n_reference;
        too_many.then_some("more events than observations")
    }

    /// Share with the event in the exposed group.
    pub(super) fn exposed(&self) -> f64 {
        self.events_exposed / self.n_exposed
    }

    /// Share with the event in the reference group.
    pub(super) fn reference(&self) -> f64 {
        self.events_reference / self.n_reference
    }

    /// Miettinen and Nurminen's N/(N − 1).
    pub(super) fn variance_factor(&self) -> f64 {
        let total = self.n_exposed + self.n_reference;
        if total > 1.0 { total / (total - 1.0) } else { f64::INFINITY }
    }
}

/// What the estimates of two groups have in common before their value is known.
pub(super) fn without_value(method: &'static str, level: Level) -> Estimate {
    Estimate {
        value: None,
        low: None,
        high: None,
        level: level.value(),
        method,
        numerator: None,
        denominator: None,
        warning: None,
    }
}

/// The estimate of a clustered contrast: the id of its method, and what the clusters could not tell.
pub(super) fn of_clusters(estimate: Estimate, method: &'static str, groups: [&ClusterSums; 2]) -> Estimate {
    let said = estimate.warning.clone().into_iter();
    let missing = groups.iter().filter_map(|sums| sums.no_variance());
    let mut warnings: Vec<String> = said.chain(missing).collect();
    warnings.dedup();
    Estimate { method, warning: (!warnings.is_empty()).then(|| warnings.join("; ")), ..estimate }
}

/// How the interval of a risk difference is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RiskDifferenceMethod {
    /// Newcombe's method 10, from two Wilson intervals.
    Newcombe,
    /// The score interval of Miettinen and Nurminen, variance × N/(N − 1).
    MiettinenNurminen,
    /// The score interval of Mee, without that factor.
    Mee,
}

impl RiskDifferenceMethod {
    /// Every method.
    pub const ALL: [RiskDifferenceMethod; 3] =
        [RiskDifferenceMethod::Newcombe, RiskDifferenceMethod::MiettinenNurminen, RiskDifferenceMethod::Mee];

    /// Id, as in the `method` column of results.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            RiskDifferenceMethod::Newcombe => "newcombe",
            RiskDifferenceMethod::MiettinenNurminen => "miettinen_nurminen",
            RiskDifferenceMethod::Mee => "mee",
        }
    }

    /// Id of the same method on counts divided by the design effects.
    #[must_use]
    pub fn clustered_id(self) -> &'static str {
        match self {
            RiskDifferenceMethod::Newcombe => "newcombe_rao_scott",
            RiskDifferenceMethod::MiettinenNurminen => "miettinen_nurminen_rao_scott",
            RiskDifferenceMethod::Mee => "mee_rao_scott",
        }
    }

    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<RiskDifferenceMethod> {
        RiskDifferenceMethod::ALL.into_iter().find(|method| method.id() == id)
    }
}

/// Risk in the exposed group minus risk in the reference group.
///
/// ```
/// use stipple::stats::risk_difference::{Pair, RiskDifferenceMethod, estimate};
/// use stipple::stats::Level;
///
/// // Newcombe 1998, table II: 56/70 − 48/80 = 0.2000 (0.0524 to 0.3339).
/// let pair = Pair { events_exposed: 56.0, n_exposed: 70.0, events_reference: 48.0, n_reference: 80.0 };
/// let found = estimate(&pair, RiskDifferenceMethod::Newcombe, Level::P95);
/// assert!((found.low.unwrap() - 0.0524).abs() < 5e-5 && (found.high.unwrap() - 0.3339).abs() < 5e-5);
/// ```
#[must_use]
pub fn estimate(pair: &Pair, method: RiskDifferenceMethod, level: Level) -> Estimate {
    if let Some(reason) = pair.problem() {
        return Estimate::not_estimable(method.id(), level, reason);
    }
    let interval = match method {
        RiskDifferenceMethod::Newcombe => newcombe(pair, level),
        RiskDifferenceMethod::MiettinenNurminen => score_interval(pair, pair.variance_factor(), level),
        RiskDifferenceMethod::Mee => score_interval(pair, 1.0, level),
    };
    Estimate {
        value: Some(pair.exposed() - pair.reference()),
        low: Some(interval.low),
        high: Some(interval.high),
        ..without_value(method.id(), level)
    }
}

/// The same for groups of clusters, on counts divided by each group's design effect.
#[must_use]
pub fn estimate_clustered(groups: [&ClusterSums; 2], method: RiskDifferenceMethod, level: Level) -> Estimate {
    let [exposed, reference] = groups;
    let plain = estimate(&Pair::from_clusters(exposed, reference), method, level);
    of_clusters(plain, method.clustered_id(), groups)
}

/// Newcombe's method 10: distances to the ends of the two Wilson intervals, added as squares.
fn newcombe(pair: &Pair, level: Level) -> Interval {
    let exposed = wilson(pair.events_exposed, pair.n_exposed, level);
    let reference = wilson(pair.events_reference, pair.n_reference, level);
    let (p, q) = (pair.exposed(), pair.reference());
    Interval {
        low: (p - q - (p - exposed.low).hypot(reference.high - q)).max(-1.0),
        high: (p - q + (exposed.high - p).hypot(q - reference.low)).min(1.0),
    }
}

/// The differences that the score test does not reject.
fn score_interval(pair: &Pair, variance_factor: f64, level: Level) -> Interval {
    let seen = pair.exposed() - pair.reference();
    let z = level.z();
    let score = |difference: f64| score(pair, difference, variance_factor);
    Interval {
        low: turning_point(-1.0, seen, |difference| score(difference) > z),
        high: turning_point(seen, 1.0, |difference| score(difference) > -z),
    }
}

/// (seen − difference) / √variance, with the risks that fit best under that difference.
fn score(pair: &Pair, difference: f64, variance_factor: f64) -> f64 {
    let q = constrained_reference(pair, difference);
    let p = (q + difference).clamp(0.0, 1.0);
    let variance = p * (1.0 - p) / pair.n_exposed + q * (1.0 - q) / pair.n_reference;
    let apart = pair.exposed() - pair.reference() - difference;
    let score = apart / (variance * variance_factor).sqrt();
    if score.is_nan() { 0.0 } else { score }
}

/// The reference risk of highest likelihood when the exposed risk is `difference` more: where the slope of the
/// log-likelihood, which only falls, turns negative. Bisection has no cancellation where the cubic's closed form has.
fn constrained_reference(pair: &Pair, difference: f64) -> f64 {
    let (low, high) = ((-difference).max(0.0), (1.0 - difference).min(1.0));
    turning_point(low, high, |q| {
        let p = q + difference;
        let slope = slope_part(pair.events_exposed, p) - slope_part(pair.n_exposed - pair.events_exposed, 1.0 - p)
            + slope_part(pair.events_reference, q)
            - slope_part(pair.n_reference - pair.events_reference, 1.0 - q);
        slope > 0.0
    })
}

fn slope_part(count: f64, chance: f64) -> f64 {
    if count <= 0.0 { 0.0 } else { count / chance.max(f64::MIN_POSITIVE) }
}

/// How many must be exposed for one more to be harmed: 1/difference, with the reciprocals of the ends. Negative means
/// one fewer harmed.
///
/// When the interval of the difference holds 0, the interval of the number passes through infinity (Altman 1998): it
/// runs from `high` upwards through ±∞ to `low`, which is negative, and a warning says so.
///
/// ```
/// use stipple::stats::risk_difference::{Pair, RiskDifferenceMethod, estimate, number_needed_to_harm};
/// use stipple::stats::Level;
///
/// let pair = Pair { events_exposed: 56.0, n_exposed: 70.0, events_reference: 48.0, n_reference: 80.0 };
/// let number = number_needed_to_harm(&estimate(&pair, RiskDifferenceMethod::Newcombe, Level::P95));
/// // 1/0.2, from 1/0.3339 to 1/0.0524.
/// assert!((number.value.unwrap() - 5.0).abs() < 1e-12 && (number.high.unwrap() - 19.07).abs() < 0.01);
/// ```
#[must_use]
pub fn number_needed_to_harm(difference: &Estimate) -> Estimate {
    let bare = Estimate {
        value: None,
        low: None,
        high: None,
        method: "number_needed_altman",
        numerator: None,
        denominator: None,
        ..difference.clone()
    };
    let (Some(value), Some(low), Some(high)) = (difference.value, difference.low, difference.high) else {
        let reason = "not_estimable: there is no risk difference with an interval";
        return Estimate { warning: Some(bare.warning.unwrap_or_else(|| reason.to_owned())), ..bare };
    };
    let value = (value.abs() > 0.0).then(|| value.recip());
    let through_infinity = low <= 0.0 && high >= 0.0;
    let ends =
        if through_infinity { (reciprocal(low, -1.0), reciprocal(high, 1.0)) } else { (high.recip(), low.recip()) };
    let none =
        value.is_none().then(|| "not_estimable: the risks are equal, so no number of exposed makes one harmed".into());
    let warnings = [none, through_infinity.then(|| passes_infinity(ends)), bare.warning.clone()];
    let warnings: Vec<String> = warnings.into_iter().flatten().collect();
    Estimate {
        value,
        low: Some(ends.0),
        high: Some(ends.1),
        warning: (!warnings.is_empty()).then(|| warnings.join("; ")),
        ..bare
    }
}

fn reciprocal(end: f64, sign: f64) -> f64 {
    if end.abs() > 0.0 { end.recip() } else { sign * f64::INFINITY }
}

fn passes_infinity((benefit, harm): (f64, f64)) -> String {
    format!(
        "through_infinity: the interval of the difference holds 0, so the number runs from {harm:.1} exposed for one \
         more harmed, through infinity, to {:.1} exposed for one fewer harmed",
        -benefit
    )
}

/// The methods of this file.
pub const METHODS: &[Method] = &[
    Method {
        id: "newcombe",
        title: "Newcombe's interval of a risk difference (method 10)",
        estimates: "How many more per hundred have the event in one group than in the other.",
        formula: "d − √((p₁ − l₁)² + (u₀ − p₀)²) to d + √((u₁ − p₁)² + (p₀ − l₀)²), l and u = Wilson's ends of each group",
        source: "Newcombe 1998, Stat Med 17:873, method 10",
        edges: "Defined with no events and with nothing but events. A group without observations: not estimable.",
        not_for: "Paired sides of one cluster; repeated observations: use newcombe_rao_scott.",
    },
    Method {
        id: "miettinen_nurminen",
        title: "Score interval of Miettinen and Nurminen",
        estimates: "The difference, ratio or odds ratio of two risks: all values that the score test does not reject.",
        formula: "|p̂₁ − p̂₀ − δ|/√(Ṽ(δ)·N/(N − 1)) ≤ z, Ṽ at the risks that fit best under δ; likewise for ratio and odds ratio",
        source: "Miettinen & Nurminen 1985, Stat Med 4:213",
        edges: "The difference is defined with no events and with nothing but events; a ratio with no reference events has only a lower end; no events at all: no ratio. A group without observations: not estimable.",
        not_for: "Paired sides of one cluster; repeated observations: use miettinen_nurminen_rao_scott.",
    },
    Method {
        id: "mee",
        title: "Mee's score interval of a risk difference",
        estimates: "How many more per hundred have the event in one group than in the other.",
        formula: "As miettinen_nurminen, without the factor N/(N − 1)",
        source: "Mee 1984, Biometrics 40:1175",
        edges: "Defined with no events and with nothing but events. A group without observations: not estimable.",
        not_for: "Paired sides of one cluster; repeated observations: use mee_rao_scott.",
    },
    Method {
        id: "newcombe_rao_scott",
        title: "Newcombe's interval with Rao–Scott design effects",
        estimates: "The risk difference between two groups of clusters that were observed repeatedly.",
        formula: "newcombe on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Newcombe 1998; Rao & Scott 1992, Biometrics 48:577",
        edges: "A group without variance between clusters counts its clusters as the units (no_variance).",
        not_for: "The same clusters in both groups: a regression with cluster-robust errors uses the pairing.",
    },
    Method {
        id: "miettinen_nurminen_rao_scott",
        title: "Score interval of Miettinen and Nurminen with Rao–Scott design effects",
        estimates: "The difference, ratio or odds ratio of two risks in groups of clusters that were observed repeatedly.",
        formula: "miettinen_nurminen on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Miettinen & Nurminen 1985; Rao & Scott 1992",
        edges: "A group without variance between clusters counts its clusters as the units (no_variance).",
        not_for: "The same clusters in both groups: a regression with cluster-robust errors uses the pairing.",
    },
    Method {
        id: "mee_rao_scott",
        title: "Mee's interval with Rao–Scott design effects",
        estimates: "The risk difference between two groups of clusters that were observed repeatedly.",
        formula: "mee on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Mee 1984; Rao & Scott 1992",
        edges: "A group without variance between clusters counts its clusters as the units (no_variance).",
        not_for: "The same clusters in both groups: a regression with cluster-robust errors uses the pairing.",
    },
    Method {
        id: "number_needed_altman",
        title: "Number needed to harm",
        estimates: "How many must be exposed for one more of them to have the event; negative: for one fewer.",
        formula: "1/(risk difference), ends = 1/ends of the difference",
        source: "Altman 1998, BMJ 317:1309",
        edges: "When the interval of the difference holds 0, the number passes through infinity and a warning says from where to where. Equal risks: not estimable.",
        not_for: "Groups that differ in more than the exposure.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn pair(events_exposed: f64, n_exposed: f64, events_reference: f64, n_reference: f64) -> Pair {
        Pair { events_exposed, n_exposed, events_reference, n_reference }
    }

    #[test]
    fn no_events_as_published() {
        // Newcombe 1998, table II (h): 0/10 − 0/20, method 10 −0.1611 to 0.2775, Miettinen–Nurminen −0.1658 to 0.2844.
        let none = pair(0.0, 10.0, 0.0, 20.0);
        for (method, low, high) in [
            (RiskDifferenceMethod::Newcombe, -0.1611, 0.2775),
            (RiskDifferenceMethod::Mee, -0.1611, 0.2775),
            (RiskDifferenceMethod::MiettinenNurminen, -0.1658, 0.2844),
        ] {
            let found = estimate(&none, method, Level::P95);
            assert!((found.low.unwrap() - low).abs() < 5.1e-5 && (found.high.unwrap() - high).abs() < 5.1e-5);
        }
    }

    #[test]
    fn exchanged_groups_turn_the_sign() {
        for method in RiskDifferenceMethod::ALL {
            let one = estimate(&pair(5.0, 56.0, 0.0, 29.0), method, Level::P95);
            let other = estimate(&pair(0.0, 29.0, 5.0, 56.0), method, Level::P95);
            assert!((one.low.unwrap() + other.high.unwrap()).abs() < 1e-12);
            assert!((one.high.unwrap() + other.low.unwrap()).abs() < 1e-12);
        }
    }

    #[test]
    fn every_table_has_an_interval_around_its_value() {
        for level in [0.8, 0.95, 0.99] {
            for (m, n) in [(1, 1), (1, 3), (4, 2), (1_000_000, 7)] {
                for (x, y) in [(0, 0), (m, 0), (0, n), (m, n), (m / 2, n / 2)] {
                    let table = TwoByTwo { events_exposed: x, n_exposed: m, events_reference: y, n_reference: n };
                    for method in RiskDifferenceMethod::ALL {
                        let found = estimate(&Pair::from(&table), method, Level::new(level).unwrap());
                        let (value, low, high) = (found.value.unwrap(), found.low.unwrap(), found.high.unwrap());
                        let ordered = -1.0 <= low && low <= value && value <= high && high <= 1.0 && low < high;
                        assert!(ordered, "{method:?} {table:?}: {low} {value} {high}");
                    }
                }
            }
        }
    }

    #[test]
    fn an_empty_group_is_not_estimable() {
        for empty in [pair(0.0, 0.0, 0.0, 0.0), pair(1.0, 2.0, 0.0, 0.0), pair(3.0, 2.0, 1.0, 2.0)] {
            let found = estimate(&empty, RiskDifferenceMethod::MiettinenNurminen, Level::P95);
            assert!(found.value.is_none() && found.warning.as_ref().unwrap().starts_with("not_estimable: "));
            let number = number_needed_to_harm(&found);
            assert!(number.value.is_none() && number.warning.unwrap().starts_with("not_estimable: "));
        }
    }

    fn difference(value: f64, low: f64, high: f64) -> Estimate {
        Estimate { value: Some(value), low: Some(low), high: Some(high), ..without_value("newcombe", Level::P95) }
    }

    #[test]
    fn number_needed_through_infinity() {
        // Altman 1998: a difference of −5 to 20 per hundred is 5 for harm through infinity to 20 for benefit.
        let number = number_needed_to_harm(&difference(0.1, -0.05, 0.2));
        assert_eq!((number.value, number.low, number.high), (Some(10.0), Some(-20.0), Some(5.0)));
        let warning = number.warning.unwrap();
        assert!(warning.contains("from 5.0") && warning.contains("to 20.0"), "{warning}");
    }

    #[test]
    fn number_needed_with_an_end_at_zero() {
        let number = number_needed_to_harm(&difference(0.25, 0.0, 0.5));
        assert_eq!((number.low, number.high), (Some(f64::NEG_INFINITY), Some(2.0)));
        let equal = number_needed_to_harm(&difference(0.0, -0.5, 0.25));
        assert_eq!((equal.value, equal.low, equal.high), (None, Some(-2.0), Some(4.0)));
        assert!(equal.warning.unwrap().starts_with("not_estimable: the risks are equal"));
    }

    #[test]
    fn number_needed_to_benefit_is_negative() {
        let number = number_needed_to_harm(&difference(-0.25, -0.5, -0.125));
        assert_eq!((number.value, number.low, number.high), (Some(-4.0), Some(-8.0), Some(-2.0)));
        assert_eq!(number.warning, None);
    }

    #[test]
    fn clusters_widen_the_interval_and_say_what_they_lack() {
        let (mut exposed, mut reference) = (ClusterSums::default(), ClusterSums::default());
        [(4, 4), (4, 4), (4, 0), (4, 0), (4, 0)].iter().for_each(|&(n, x)| exposed.add_cluster(n, x));
        [(4, 0), (4, 0), (4, 0)].iter().for_each(|&(n, x)| reference.add_cluster(n, x));
        let found = estimate_clustered([&exposed, &reference], RiskDifferenceMethod::Newcombe, Level::P95);
        // Design effect 5 (8/20 tell as much as 1.6/4), and three clusters without event.
        let by_hand = estimate(&pair(1.6, 4.0, 0.0, 3.0), RiskDifferenceMethod::Newcombe, Level::P95);
        assert!((found.low.unwrap() - by_hand.low.unwrap()).abs() < 1e-12);
        assert_eq!(found.method, "newcombe_rao_scott");
        assert!(found.warning.unwrap().contains("no observation has the event"));
    }

    #[test]
    fn every_id_is_described_once() {
        for method in RiskDifferenceMethod::ALL {
            assert_eq!(RiskDifferenceMethod::from_id(method.id()), Some(method));
            for id in [method.id(), method.clustered_id()] {
                assert_eq!(METHODS.iter().filter(|described| described.id == id).count(), 1);
            }
        }
    }
}
