//! One proportion and its interval, for observations that are independent of each other.
//!
//! Repeated observations of one cluster belong in [`super::clustered`].

use super::distributions::{
    Split, Tail, beta_kernel, beta_quantile, beta_upper_quantile, incomplete_beta, logit_where,
};
use super::estimate::{Estimate, Interval, Level};
use super::methods::Method;

/// Events among observations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Proportion {
    /// Observations with the event.
    pub events: u64,
    /// All observations.
    pub n: u64,
}

/// How the interval of a proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProportionMethod {
    /// Wilson's score interval.
    Wilson,
    /// The exact interval of Clopper and Pearson.
    ClopperPearson,
    /// The interval of Jeffreys' prior.
    Jeffreys,
    /// The interval of Agresti and Coull, kept between 0 and 1.
    AgrestiCoull,
    /// The exact interval with half the chance of what was seen.
    MidP,
}

impl ProportionMethod {
    /// Every method.
    pub const ALL: [ProportionMethod; 5] = [
        ProportionMethod::Wilson,
        ProportionMethod::ClopperPearson,
        ProportionMethod::Jeffreys,
        ProportionMethod::AgrestiCoull,
        ProportionMethod::MidP,
    ];

    /// Id, as in the `method` column of results.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            ProportionMethod::Wilson => "wilson",
            ProportionMethod::ClopperPearson => "clopper_pearson",
            ProportionMethod::Jeffreys => "jeffreys",
            ProportionMethod::AgrestiCoull => "agresti_coull",
            ProportionMethod::MidP => "mid_p",
        }
    }

    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<ProportionMethod> {
        ProportionMethod::ALL.into_iter().find(|method| method.id() == id)
    }
}

/// The proportion with its interval; nothing observed is not estimable.
///
/// ```
/// use stipple::stats::proportion::{Proportion, ProportionMethod, estimate};
/// use stipple::stats::Level;
///
/// // None of 10: Wilson's upper end is z²/(n + z²) = 3.8415 / 13.8415.
/// let none = estimate(Proportion { events: 0, n: 10 }, ProportionMethod::Wilson, Level::P95);
/// assert_eq!(none.value, Some(0.0));
/// assert!((none.high.unwrap() - 0.27753).abs() < 1e-5);
/// ```
#[must_use]
pub fn estimate(counts: Proportion, method: ProportionMethod, level: Level) -> Estimate {
    let (events, n) = (counts.events as f64, counts.n as f64);
    if let Some(reason) = problem(counts.events, counts.n) {
        return Estimate {
            numerator: Some(events),
            denominator: Some(n),
            ..Estimate::not_estimable(method.id(), level, reason)
        };
    }
    let interval = match method {
        ProportionMethod::Wilson => wilson(events, n, level),
        ProportionMethod::ClopperPearson => clopper_pearson(events, n, level),
        ProportionMethod::Jeffreys => jeffreys(events, n, level),
        ProportionMethod::AgrestiCoull => agresti_coull(events, n, level),
        ProportionMethod::MidP => mid_p(events, n, level),
    };
    Estimate {
        value: Some(events / n),
        low: Some(interval.low),
        high: Some(interval.high),
        level: level.value(),
        method: method.id(),
        numerator: Some(events),
        denominator: Some(n),
        warning: None,
    }
}

/// Why a proportion cannot be had from these counts.
pub(super) fn problem(events: u64, n: u64) -> Option<&'static str> {
    if n == 0 {
        return Some("the denominator is 0");
    }
    (events > n).then_some("more events than observations")
}

/// All of 0 to 1: what nothing observed tells.
const ANYTHING: Interval = Interval { low: 0.0, high: 1.0 };

/// Wilson's score interval; counts may be fractional. The ends at none and at all are exactly 0 and 1.
///
/// ```
/// use stipple::stats::{Level, proportion::wilson};
///
/// // 5 of 10: ½ ± ½·z/√(n + z²) = 0.5 ± 0.5 · 1.959964 / √13.841459.
/// assert!((wilson(5.0, 10.0, Level::P95).low - 0.236593).abs() < 1e-6);
/// ```
#[must_use]
pub fn wilson(events: f64, n: f64, level: Level) -> Interval {
    if n <= 0.0 {
        return ANYTHING;
    }
    let square = level.z() * level.z();
    let root = (events * (n - events).max(0.0) / n + square / 4.0).sqrt();
    let reach = events + square / 2.0 + level.z() * root;
    Interval {
        // The product of the two ends is x²/(n(n + z²)): no digits are lost when the lower end is tiny.
        low: if events <= 0.0 { 0.0 } else { events * events / n / reach },
        high: if events >= n { 1.0 } else { (reach / (n + square)).min(1.0) },
    }
}

/// The exact interval of Clopper and Pearson; counts may be fractional. With no events the upper end stays two-sided.
///
/// ```
/// use stipple::stats::{Level, proportion::clopper_pearson};
///
/// // None of 10: 1 − 0.025^(1/10).
/// let high = clopper_pearson(0.0, 10.0, Level::P95).high;
/// assert!((high - (1.0 - 0.025_f64.powf(0.1))).abs() < 1e-12);
/// ```
#[must_use]
pub fn clopper_pearson(events: f64, n: f64, level: Level) -> Interval {
    if n <= 0.0 {
        return ANYTHING;
    }
    let tail = level.alpha() / 2.0;
    Interval {
        low: if events <= 0.0 { 0.0 } else { beta_quantile(tail, events, n - events + 1.0) },
        high: if events >= n { 1.0 } else { beta_upper_quantile(tail, events + 1.0, n - events) },
    }
}

fn jeffreys(events: f64, n: f64, level: Level) -> Interval {
    let tail = level.alpha() / 2.0;
    let (a, b) = (events + 0.5, n - events + 0.5);
    Interval {
        low: if events <= 0.0 { 0.0 } else { beta_quantile(tail, a, b) },
        high: if events >= n { 1.0 } else { beta_upper_quantile(tail, a, b) },
    }
}

fn agresti_coull(events: f64, n: f64, level: Level) -> Interval {
    let square = level.z() * level.z();
    let larger = n + square;
    let centre = (events + square / 2.0) / larger;
    let half = level.z() * (centre * (1.0 - centre) / larger).sqrt();
    Interval { low: (centre - half).max(0.0), high: (centre + half).min(1.0) }
}

fn mid_p(events: f64, n: f64, level: Level) -> Interval {
    let tail = level.alpha() / 2.0;
    Interval {
        low: if events <= 0.0 { 0.0 } else { Split::at(mid_p_logit(events, n, tail)).x },
        high: if events >= n { 1.0 } else { Split::at(mid_p_logit(n - events, n, tail)).y },
    }
}

/// logit of the p at which P(X > x) + ½ P(X = x) reaches `tail`. It is the mean of P(X ≥ x) and P(X > x), and each of
/// those is an incomplete beta function of p.
fn mid_p_logit(events: f64, n: f64, tail: f64) -> f64 {
    let all = events >= n;
    logit_where(tail, (events / (n - events + 1.0)).ln(), |u| {
        let split = Split::at(u);
        let from = beta_tail(split, events, n - events + 1.0);
        let beyond = if all { Tail { chance: 0.0, slope: 0.0 } } else { beta_tail(split, events + 1.0, n - events) };
        Tail { chance: (from.chance + beyond.chance) / 2.0, slope: (from.slope + beyond.slope) / 2.0 }
    })
}

fn beta_tail(split: Split, a: f64, b: f64) -> Tail {
    Tail { chance: incomplete_beta(split, a, b), slope: beta_kernel(split, a, b) }
}

/// The methods of this file.
pub const METHODS: &[Method] = &[
    Method {
        id: "wilson",
        title: "Wilson's score interval",
        estimates: "The share of observations with the event, and the shares that the data do not contradict.",
        formula: "[x + z²/2 ± z√(x(n − x)/n + z²/4)] / (n + z²)",
        source: "Wilson 1927, J Am Stat Assoc 22:209; Newcombe 1998, Stat Med 17:857; Brown, Cai & DasGupta 2001",
        edges: "0/n: from 0 to z²/(n + z²). n/n: up to 1. 0/0: not estimable.",
        not_for: "Several observations of one cluster: use wilson_rao_scott.",
    },
    Method {
        id: "clopper_pearson",
        title: "Exact interval of Clopper and Pearson",
        estimates: "The share of observations with the event; the interval never covers less often than it says, and is wider for it.",
        formula: "[B(α/2; x, n − x + 1), B(1 − α/2; x + 1, n − x)], B = quantile of the beta distribution",
        source: "Clopper & Pearson 1934, Biometrika 26:404",
        edges: "0/n: from 0 to 1 − (α/2)^(1/n), two-sided. n/n: from (α/2)^(1/n) to 1. 0/0: not estimable.",
        not_for: "Several observations of one cluster: use korn_graubard.",
    },
    Method {
        id: "jeffreys",
        title: "Jeffreys interval",
        estimates: "The share of observations with the event, with the middle of the posterior under Jeffreys' prior.",
        formula: "[B(α/2; x + ½, n − x + ½), B(1 − α/2; x + ½, n − x + ½)]",
        source: "Brown, Cai & DasGupta 2001, Stat Sci 16:101",
        edges: "The lower end is 0 at 0/n, the upper end 1 at n/n. 0/0: not estimable.",
        not_for: "Several observations of one cluster.",
    },
    Method {
        id: "agresti_coull",
        title: "Agresti–Coull interval",
        estimates: "The share of observations with the event; the value is x/n, the interval is centred nearer to one half.",
        formula: "p̃ ± z√(p̃(1 − p̃)/ñ), ñ = n + z², p̃ = (x + z²/2)/ñ, kept between 0 and 1",
        source: "Agresti & Coull 1998, Am Stat 52:119",
        edges: "Ends beyond 0 and 1 are cut there. 0/0: not estimable.",
        not_for: "Several observations of one cluster; very rare events (wide).",
    },
    Method {
        id: "mid_p",
        title: "Mid-p interval",
        estimates: "The share of observations with the event; exact, with half the chance of what was seen, so less wide than Clopper–Pearson.",
        formula: "P(X > x | low) + ½P(X = x | low) = α/2, and P(X < x | high) + ½P(X = x | high) = α/2",
        source: "Lancaster 1961, J Am Stat Assoc 56:223; Berry & Armitage 1995, Statistician 44:417",
        edges: "0/n: from 0 to 1 − α^(1/n). n/n: from α^(1/n) to 1. 0/0: not estimable.",
        not_for: "Several observations of one cluster.",
    },
];

#[cfg(test)]
mod tests {
    use super::super::distributions::{binomial_cdf, binomial_pmf, binomial_sf};
    use super::*;

    #[track_caller]
    fn close(ours: Option<f64>, truth: f64) {
        let ours = ours.unwrap();
        assert!((ours - truth).abs() <= 1e-9 * truth.abs(), "ours {ours}, truth {truth}");
    }

    fn of(events: u64, n: u64, method: ProportionMethod) -> Estimate {
        estimate(Proportion { events, n }, method, Level::P95)
    }

    #[test]
    fn nothing_observed_is_not_estimable() {
        for method in ProportionMethod::ALL {
            let nothing = of(0, 0, method);
            assert_eq!((nothing.value, nothing.low, nothing.high), (None, None, None));
            assert_eq!(nothing.warning.as_deref(), Some("not_estimable: the denominator is 0"));
        }
    }

    #[test]
    fn none_of_ten_by_hand() {
        close(of(0, 10, ProportionMethod::ClopperPearson).high, 1.0 - 0.025_f64.powf(0.1));
        close(of(0, 10, ProportionMethod::MidP).high, 1.0 - 0.05_f64.powf(0.1));
        let square = Level::P95.z().powi(2);
        close(of(0, 10, ProportionMethod::Wilson).high, square / (10.0 + square));
    }

    #[test]
    fn all_of_one_by_hand() {
        close(of(1, 1, ProportionMethod::ClopperPearson).low, 0.025);
        close(of(1, 1, ProportionMethod::MidP).low, 0.05);
        close(of(0, 1, ProportionMethod::MidP).high, 0.95);
    }

    #[test]
    fn ends_hold_the_value_and_stay_between_0_and_1() {
        for level in [0.5, 0.8, 0.95, 0.99, 0.9999] {
            for (events, n) in [(0, 1), (1, 1), (0, 7), (7, 7), (3, 7), (1, 1_000_000), (999_999, 1_000_000)] {
                for method in ProportionMethod::ALL {
                    let found = estimate(Proportion { events, n }, method, Level::new(level).unwrap());
                    let (value, low, high) = (found.value.unwrap(), found.low.unwrap(), found.high.unwrap());
                    assert!(
                        0.0 <= low && low < high && high <= 1.0,
                        "{method:?} {events}/{n} at {level}: {low} {high}"
                    );
                    // At a low level Agresti and Coull's interval leaves 0 out at 0/n; that is the method.
                    let holds = low <= value && value <= high;
                    assert!(holds || method == ProportionMethod::AgrestiCoull, "{method:?} {events}/{n} at {level}");
                }
            }
        }
    }

    #[test]
    fn mid_p_ends_solve_their_equations() {
        for (events, n) in [(1, 9), (4, 9), (8, 9), (81, 263), (3, 1_000_000)] {
            let found = of(events, n, ProportionMethod::MidP);
            let (low, high) = (found.low.unwrap(), found.high.unwrap());
            close(Some(binomial_sf(events, n, low) + binomial_pmf(events, n, low) / 2.0), 0.025);
            close(Some(binomial_cdf(events - 1, n, high) + binomial_pmf(events, n, high) / 2.0), 0.025);
        }
    }

    #[test]
    fn one_in_five_is_the_mirror_of_four_in_five() {
        for method in ProportionMethod::ALL {
            let (one, four) = (of(1, 5, method), of(4, 5, method));
            assert!((one.low.unwrap() + four.high.unwrap() - 1.0).abs() < 1e-14);
            assert!((one.high.unwrap() + four.low.unwrap() - 1.0).abs() < 1e-14);
        }
    }

    #[test]
    fn fractional_counts_lie_between_whole_ones() {
        let (two, between, three) =
            (wilson(2.0, 10.0, Level::P95), wilson(2.5, 10.0, Level::P95), wilson(3.0, 10.0, Level::P95));
        assert!(two.low < between.low && between.low < three.low);
        let exact = clopper_pearson(0.3, 8.2, Level::P95);
        assert!(0.0 < exact.low && exact.low < 0.3 / 8.2 && 0.3 / 8.2 < exact.high);
    }

    #[test]
    fn every_id_is_described_once() {
        for method in ProportionMethod::ALL {
            assert_eq!(ProportionMethod::from_id(method.id()), Some(method));
            assert_eq!(METHODS.iter().filter(|described| described.id == method.id()).count(), 1);
        }
        assert_eq!(ProportionMethod::from_id("wald"), None);
    }
}
