//! The ratio of two odds, with its interval.

use super::clustered::ClusterSums;
use super::distributions::Split;
use super::estimate::{Estimate, Interval, Level};
use super::methods::Method;
use super::risk_difference::{Pair, of_clusters, without_value};
use super::roots::turning_point;
use super::two_by_two::{SameMargins, TwoByTwo};

/// How an odds ratio and its interval are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OddsRatioMethod {
    /// Conditional maximum likelihood with Fisher's exact interval; whole counts only.
    Fisher,
    /// The normal interval of the logarithm; only without zeros.
    Woolf,
    /// The score interval of Miettinen and Nurminen.
    MiettinenNurminen,
}

impl OddsRatioMethod {
    /// Every method.
    pub const ALL: [OddsRatioMethod; 3] =
        [OddsRatioMethod::Fisher, OddsRatioMethod::Woolf, OddsRatioMethod::MiettinenNurminen];

    /// Id, as in the `method` column of results.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            OddsRatioMethod::Fisher => "fisher_conditional",
            OddsRatioMethod::Woolf => "woolf",
            OddsRatioMethod::MiettinenNurminen => "miettinen_nurminen",
        }
    }

    /// Id of the same method on counts divided by the design effects; an exact method has none.
    #[must_use]
    pub fn clustered_id(self) -> Option<&'static str> {
        match self {
            OddsRatioMethod::Fisher => None,
            OddsRatioMethod::Woolf => Some("woolf_rao_scott"),
            OddsRatioMethod::MiettinenNurminen => Some("miettinen_nurminen_rao_scott"),
        }
    }

    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<OddsRatioMethod> {
        OddsRatioMethod::ALL.into_iter().find(|method| method.id() == id)
    }
}

/// Odds in the exposed group divided by odds in the reference group. Fisher's method needs whole counts.
///
/// ```
/// use stipple::stats::odds_ratio::{OddsRatioMethod, estimate};
/// use stipple::stats::risk_difference::Pair;
/// use stipple::stats::Level;
///
/// // 9 : 1 against 3 : 7 is 9 · 7 / (1 · 3) = 21.
/// let pair = Pair { events_exposed: 9.0, n_exposed: 10.0, events_reference: 3.0, n_reference: 10.0 };
/// let found = estimate(&pair, OddsRatioMethod::Woolf, Level::P95);
/// assert!((found.value.unwrap() - 21.0).abs() < 1e-9);
/// ```
#[must_use]
pub fn estimate(pair: &Pair, method: OddsRatioMethod, level: Level) -> Estimate {
    if let Some(reason) = pair.problem() {
        return Estimate::not_estimable(method.id(), level, reason);
    }
    match method {
        OddsRatioMethod::Fisher => match whole_table(pair) {
            Some(table) => fisher(&table, level),
            None => Estimate::not_estimable(method.id(), level, "an exact method needs whole counts"),
        },
        OddsRatioMethod::Woolf => woolf(pair, level),
        OddsRatioMethod::MiettinenNurminen => score_estimate(pair, level),
    }
}

/// The same for groups of clusters, on counts divided by each group's design effect.
#[must_use]
pub fn estimate_clustered(groups: [&ClusterSums; 2], method: OddsRatioMethod, level: Level) -> Estimate {
    let [exposed, reference] = groups;
    let Some(id) = method.clustered_id() else {
        let reason = "an exact method has no form for clusters; miettinen_nurminen_rao_scott has";
        return Estimate::not_estimable(method.id(), level, reason);
    };
    of_clusters(estimate(&Pair::from_clusters(exposed, reference), method, level), id, groups)
}

fn whole_table(pair: &Pair) -> Option<TwoByTwo> {
    Some(TwoByTwo {
        events_exposed: whole(pair.events_exposed)?,
        n_exposed: whole(pair.n_exposed)?,
        events_reference: whole(pair.events_reference)?,
        n_reference: whole(pair.n_reference)?,
    })
}

fn whole(count: f64) -> Option<u64> {
    let fits = (0.0..9e15).contains(&count) && count.fract() <= 0.0;
    #[expect(clippy::cast_possible_truncation, reason = "checked to be a whole number that fits")]
    fits.then_some(count as u64)
}

/// Which ends of an odds ratio the zeros of a table leave open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Zeros {
    down_to_zero: bool,
    without_bound: bool,
}

impl Zeros {
    fn of(pair: &Pair) -> Zeros {
        Zeros {
            down_to_zero: pair.events_exposed <= 0.0 || pair.events_reference >= pair.n_reference,
            without_bound: pair.events_reference <= 0.0 || pair.events_exposed >= pair.n_exposed,
        }
    }

    fn warning(self) -> Option<String> {
        let text = match (self.down_to_zero, self.without_bound) {
            (true, true) => NO_CONTRAST,
            (false, true) => {
                "not_estimable: the odds ratio has no upper bound (no event in the reference group, or nothing but \
                 events in the exposed group); only its lower end exists"
            }
            _ => return None,
        };
        Some(text.to_owned())
    }
}

const NO_CONTRAST: &str =
    "not_estimable: the groups have no event, or nothing but events, between them, so that any odds ratio fits";

/// The conditional maximum-likelihood odds ratio (Fisher's noncentral hypergeometric, margins fixed) with the exact
/// interval whose ends leave α/2 on either side.
///
/// ```
/// use stipple::stats::odds_ratio::fisher;
/// use stipple::stats::two_by_two::TwoByTwo;
/// use stipple::stats::Level;
///
/// // 1 of 2 against 1 of 3: the three tables weigh 3, 6ψ and ψ²; their mean is 1 where ψ² = 3.
/// let table = TwoByTwo { events_exposed: 1, n_exposed: 2, events_reference: 1, n_reference: 3 };
/// assert!((fisher(&table, Level::P95).value.unwrap() - 3.0_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn fisher(table: &TwoByTwo, level: Level) -> Estimate {
    let id = OddsRatioMethod::Fisher.id();
    if let Some(reason) = table.problem() {
        return Estimate::not_estimable(id, level, reason);
    }
    let margins = SameMargins::of(table);
    let seen = table.events_exposed;
    let tail = level.alpha() / 2.0;
    let zeros = Zeros { down_to_zero: seen == margins.fewest, without_bound: seen == margins.most };
    let solve = |below: &dyn Fn(Tilted) -> bool| {
        turning_point(-WIDEST_LOG, WIDEST_LOG, |log| below(Tilted::at(&margins, seen, log))).exp()
    };
    let value = match zeros {
        Zeros { without_bound: true, .. } => None,
        Zeros { down_to_zero: true, .. } => Some(0.0),
        _ => Some(solve(&|tables| tables.mean < seen as f64)),
    };
    Estimate {
        value,
        low: Some(if zeros.down_to_zero { 0.0 } else { solve(&|tables| tables.seen_or_more < tail) }),
        high: Some(if zeros.without_bound { f64::INFINITY } else { solve(&|tables| tables.seen_or_fewer > tail) }),
        warning: zeros.warning(),
        ..without_value(id, level)
    }
}

/// Logarithms of odds ratios are looked for between these.
const WIDEST_LOG: f64 = 300.0;

/// The tables of the same margins under an odds ratio other than 1.
#[derive(Debug, Clone, Copy)]
struct Tilted {
    mean: f64,
    seen_or_more: f64,
    seen_or_fewer: f64,
}

impl Tilted {
    /// Sums outwards from the likeliest table, until what is left no longer counts.
    fn at(margins: &SameMargins, seen: u64, log_odds_ratio: f64) -> Tilted {
        let mode = margins.mode(log_odds_ratio);
        let odds_ratio = log_odds_ratio.exp();
        let mut sums = Sums { seen, ..Sums::default() };
        sums.add(mode, 1.0);
        let mut weight = 1.0;
        for k in mode..margins.most {
            weight *= margins.step(k) * odds_ratio;
            sums.add(k + 1, weight);
            if weight < NEGLIGIBLE {
                break;
            }
        }
        weight = 1.0;
        for k in (margins.fewest..mode).rev() {
            weight /= margins.step(k) * odds_ratio;
            sums.add(k, weight);
            if weight < NEGLIGIBLE {
                break;
            }
        }
        Tilted {
            mean: sums.weighted / sums.all,
            seen_or_more: sums.seen_or_more / sums.all,
            seen_or_fewer: sums.seen_or_fewer / sums.all,
        }
    }
}

/// Weights under this, relative to the likeliest table, are beyond the digits of the sums.
const NEGLIGIBLE: f64 = 1e-30;

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    seen: u64,
    all: f64,
    weighted: f64,
    seen_or_more: f64,
    seen_or_fewer: f64,
}

impl Sums {
    fn add(&mut self, k: u64, weight: f64) {
        self.all += weight;
        self.weighted += weight * k as f64;
        if k >= self.seen {
            self.seen_or_more += weight;
        }
        if k <= self.seen {
            self.seen_or_fewer += weight;
        }
    }
}

/// The four cells: exposed with and without the event, reference with and without.
fn cells(pair: &Pair) -> [f64; 4] {
    [
        pair.events_exposed,
        pair.n_exposed - pair.events_exposed,
        pair.events_reference,
        pair.n_reference - pair.events_reference,
    ]
}

fn sample_odds_ratio(pair: &Pair) -> f64 {
    let [a, b, c, d] = cells(pair);
    a / b * (d / c)
}

fn woolf(pair: &Pair, level: Level) -> Estimate {
    let id = OddsRatioMethod::Woolf.id();
    let cells = cells(pair);
    if cells.iter().any(|count| *count <= 0.0) {
        let reason = "a cell of the table is 0; fisher_conditional and miettinen_nurminen are defined there";
        return Estimate::not_estimable(id, level, reason);
    }
    let ratio = sample_odds_ratio(pair);
    let reach = level.z() * cells.iter().map(|count| count.recip()).sum::<f64>().sqrt();
    Estimate {
        value: Some(ratio),
        low: Some(ratio * (-reach).exp()),
        high: Some(ratio * reach.exp()),
        ..without_value(id, level)
    }
}

fn score_estimate(pair: &Pair, level: Level) -> Estimate {
    let id = OddsRatioMethod::MiettinenNurminen.id();
    let zeros = Zeros::of(pair);
    let interval = score_interval(pair, zeros, level);
    Estimate {
        value: (!zeros.without_bound).then(|| sample_odds_ratio(pair)),
        low: Some(interval.low),
        high: Some(interval.high),
        warning: zeros.warning(),
        ..without_value(id, level)
    }
}

/// The odds ratios that the score test does not reject.
fn score_interval(pair: &Pair, zeros: Zeros, level: Level) -> Interval {
    let z = level.z();
    let end = |limit: f64| turning_point(-WIDEST_LOG, WIDEST_LOG, |log| score(pair, log) > limit).exp();
    Interval {
        low: if zeros.down_to_zero { 0.0 } else { end(z) },
        high: if zeros.without_bound { f64::INFINITY } else { end(-z) },
    }
}

/// (x₁ − n₁p̃₁)·√(1/(n₁p̃₁q̃₁) + 1/(n₀p̃₀q̃₀)) over √(N/(N − 1)), with the risks that fit best under the odds ratio.
/// They are found as logits, so that p and 1 − p both keep their digits.
fn score(pair: &Pair, log_odds_ratio: f64) -> f64 {
    let events = pair.events_exposed + pair.events_reference;
    let fitted = |logit: f64| (Split::at(logit + log_odds_ratio), Split::at(logit));
    let logit = turning_point(-2.0 * WIDEST_LOG, 2.0 * WIDEST_LOG, |logit| {
        let (p, q) = fitted(logit);
        pair.n_exposed * p.x + pair.n_reference * q.x < events
    });
    let (p, q) = fitted(logit);
    let spread = 1.0 / (pair.n_exposed * p.x * p.y) + 1.0 / (pair.n_reference * q.x * q.y);
    let score = excess(pair, &p, &q) * (spread / pair.variance_factor()).sqrt();
    if score.is_nan() { 0.0 } else { score }
}

/// x₁ − n₁p̃₁. The margins are kept, so it is also n₀p̃₀ − x₀, n₁q̃₁ − (n₁ − x₁) and (n₀ − x₀) − n₀q̃₀: four forms of one
/// number, of which the one with the smallest count loses no digits where that count is 0 and the fit is near it.
fn excess(pair: &Pair, p: &Split, q: &Split) -> f64 {
    let (exposed_free, reference_free) =
        (pair.n_exposed - pair.events_exposed, pair.n_reference - pair.events_reference);
    let forms = [
        (pair.events_exposed, pair.events_exposed - pair.n_exposed * p.x),
        (pair.events_reference, pair.n_reference * q.x - pair.events_reference),
        (exposed_free, pair.n_exposed * p.y - exposed_free),
        (reference_free, reference_free - pair.n_reference * q.y),
    ];
    forms.iter().min_by(|one, other| one.0.total_cmp(&other.0)).map_or(0.0, |form| form.1)
}

/// The methods of this file; `miettinen_nurminen` stands with the risk difference.
pub const METHODS: &[Method] = &[
    Method {
        id: "fisher_conditional",
        title: "Conditional odds ratio with Fisher's exact interval",
        estimates: "How many times higher the odds of the event are in one group than in the other.",
        formula: "ψ with E(X | ψ, margins) = x; ends with P(X ≥ x | low) = P(X ≤ x | high) = α/2, X noncentral hypergeometric",
        source: "Fisher 1935; Cornfield 1956; as R's fisher.test, iterated to the last digit",
        edges: "No exposed event: 0, from 0. No reference event: no value, a lower end, no upper bound. No event at all: any odds ratio fits.",
        not_for: "Repeated observations of one cluster.",
    },
    Method {
        id: "woolf",
        title: "Woolf's log interval of an odds ratio",
        estimates: "How many times higher the odds of the event are in one group than in the other.",
        formula: "(ad/bc)·exp(± z√(1/a + 1/b + 1/c + 1/d))",
        source: "Woolf 1955, Ann Hum Genet 19:251",
        edges: "A cell of 0: not estimable; nothing is added to the cells.",
        not_for: "Small or zero counts: use fisher_conditional.",
    },
    Method {
        id: "woolf_rao_scott",
        title: "Woolf's interval with Rao–Scott design effects",
        estimates: "The odds ratio between two groups of clusters that were observed repeatedly.",
        formula: "woolf on (x/deff, n/deff) of each group, deff ≥ 1 as for wilson_rao_scott",
        source: "Woolf 1955; Rao & Scott 1992, Biometrics 48:577",
        edges: "A cell of 0: not estimable.",
        not_for: "The same clusters in both groups: a regression with cluster-robust errors uses the pairing.",
    },
];

#[cfg(test)]
mod tests;
