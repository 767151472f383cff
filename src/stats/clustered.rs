//! One proportion when clusters were observed repeatedly.
//!
//! Observations of one cluster resemble each other, so that ten observations of one cluster tell less than one of each
//! of ten. The design effect says how much less.

use super::distributions::student_t_quantile;
use super::estimate::{Estimate, Interval, Level};
use super::methods::Method;
use super::proportion::{clopper_pearson, problem, wilson};

/// What the ratio estimator needs of the clusters: sums, which merge. One cluster must be added once, whole.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ClusterSums {
    /// Clusters with at least one observation.
    pub clusters: u64,
    /// Observations, Σn.
    pub n: u64,
    /// Observations with the event, Σx.
    pub events: u64,
    /// Σn².
    pub n_n: u64,
    /// Σx².
    pub e_e: u64,
    /// Σnx.
    pub n_e: u64,
    /// Clusters with at least one event.
    pub clusters_with_event: u64,
    /// Σx²/n.
    pub e_e_over_n: f64,
}

/// Under so many clusters, or clusters with the event, the normal quantile makes `wilson_rao_scott` too narrow.
const FEW_CLUSTERS: u64 = 15;
const FEW_CLUSTERS_WITH_EVENT: u64 = 3;

impl ClusterSums {
    fn few_clusters(&self, method: ClusteredMethod) -> Option<String> {
        if method != ClusteredMethod::WilsonRaoScott {
            return None;
        }
        let few = if self.clusters < FEW_CLUSTERS {
            format!("{} clusters", self.clusters)
        } else if (1..FEW_CLUSTERS_WITH_EVENT).contains(&self.clusters_with_event) {
            format!("{} clusters with the event", self.clusters_with_event)
        } else {
            return None;
        };
        Some(format!("few_clusters: {few}, so the interval may be too narrow; korn_graubard is the cautious one"))
    }
}

impl ClusterSums {
    /// Adds one cluster with all of its observations. A cluster without observations is not counted.
    pub fn add_cluster(&mut self, n: u64, events: u64) {
        if n == 0 {
            return;
        }
        self.clusters += 1;
        self.n += n;
        self.events += events;
        self.n_n += n * n;
        self.e_e += events * events;
        self.n_e += n * events;
        self.clusters_with_event += u64::from(events > 0);
        self.e_e_over_n += (events * events) as f64 / n as f64;
    }

    /// Adds the sums of other clusters; none may stand in both.
    pub fn merge(&mut self, other: &ClusterSums) {
        self.clusters += other.clusters;
        self.n += other.n;
        self.events += other.events;
        self.n_n += other.n_n;
        self.e_e += other.e_e;
        self.n_e += other.n_e;
        self.clusters_with_event += other.clusters_with_event;
        self.e_e_over_n += other.e_e_over_n;
    }

    /// v = m/(m − 1) · Σ(x − np)² / (Σn)²: the variance of the proportion as a ratio of two sums over m clusters.
    /// `None` with fewer than two clusters. Zero is exactly zero: the squares are added as whole numbers.
    ///
    /// ```
    /// use stipple::stats::clustered::ClusterSums;
    ///
    /// let mut sums = ClusterSums::default();
    /// sums.add_cluster(2, 2);
    /// sums.add_cluster(2, 0);
    /// // p = ½; 2/1 · (1² + 1²) / 4² = ¼.
    /// assert_eq!(sums.variance(), Some(0.25));
    /// ```
    #[must_use]
    pub fn variance(&self) -> Option<f64> {
        if self.clusters < 2 || self.n == 0 {
            return None;
        }
        let (m, n) = (self.clusters as f64, self.n as f64);
        Some(m / (m - 1.0) * self.scaled_squares() / n.powi(4))
    }

    /// (Σn)² · Σ(x − np)² = N²Σx² − 2XNΣnx + X²Σn².
    fn scaled_squares(&self) -> f64 {
        let [n, x, n_n, e_e, n_e] = [self.n, self.events, self.n_n, self.e_e, self.n_e].map(i128::from);
        let whole = || {
            let positive = (n * n).checked_mul(e_e)?.checked_add((x * x).checked_mul(n_n)?)?;
            positive.checked_sub((2 * x * n).checked_mul(n_e)?)
        };
        let squares = whole().map_or_else(|| self.scaled_squares_rounded(), |exact| exact as f64);
        squares.max(0.0)
    }

    /// The same for sums too large for whole numbers.
    fn scaled_squares_rounded(&self) -> f64 {
        let [n, x, n_n, e_e, n_e] = [self.n, self.events, self.n_n, self.e_e, self.n_e].map(|sum| sum as f64);
        n * n * e_e - 2.0 * x * n * n_e + x * x * n_n
    }

    /// v / (p(1 − p)/N): how many times more the proportion varies than with independent observations. `None` when no
    /// or every observation has the event, and with fewer than two clusters.
    #[must_use]
    pub fn design_effect(&self) -> Option<f64> {
        if self.events == 0 || self.events >= self.n {
            return None;
        }
        let n = self.n as f64;
        let p = self.events as f64 / n;
        Some(self.variance()? * n / (p * (1.0 - p)))
    }

    /// How alike the observations of one cluster are: the intraclass correlation by analysis of variance,
    /// (MSB − MSW)/(MSB + (n₀ − 1)MSW). May be negative. `None` without repeats, or without any variation.
    #[must_use]
    pub fn icc(&self) -> Option<f64> {
        if self.clusters < 2 || self.n <= self.clusters {
            return None;
        }
        let [m, n, x, n_n] = [self.clusters, self.n, self.events, self.n_n].map(|sum| sum as f64);
        let between = (self.e_e_over_n - x * x / n) / (m - 1.0);
        let within = (x - self.e_e_over_n) / (n - m);
        let usual_size = (n - n_n / n) / (m - 1.0);
        let whole = between + (usual_size - 1.0) * within;
        let varies = self.events > 0 && self.events < self.n;
        (varies && whole > 0.0).then(|| (between - within) / whole)
    }

    /// The counts that independent observations would need to tell as much.
    #[must_use]
    pub fn effective(&self) -> Effective {
        let (x, n) = (self.events as f64, self.n as f64);
        match self.design_effect() {
            Some(effect) if effect > 0.0 => {
                let effect = effect.max(1.0);
                Effective { events: x / effect, n: n / effect, clusters_are_units: false }
            }
            _ => {
                let m = self.clusters as f64;
                let events = if self.events >= self.n { m } else { m * x / n };
                Effective { events, n: m, clusters_are_units: true }
            }
        }
    }

    /// What to say where clusters had to be taken as the units.
    pub(super) fn no_variance(&self) -> Option<String> {
        if self.n == 0 || !self.effective().clusters_are_units {
            return None;
        }
        let why = match (self.clusters, self.events) {
            (1, _) => "there is one cluster only",
            (_, 0) => "no observation has the event",
            (_, events) if events >= self.n => "every observation has the event",
            _ => "the share is the same in every cluster",
        };
        let m = self.clusters;
        Some(format!(
            "no_variance: {why}, so the spread between clusters cannot be measured; the interval takes the clusters \
             ({m}) as the units, not the observations ({})",
            self.n
        ))
    }
}

/// Counts of independent observations that would tell as much as the clustered ones.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Effective {
    /// Events, divided by the design effect.
    pub events: f64,
    /// Observations, divided by the design effect.
    pub n: f64,
    /// The variance between clusters is zero or unknown, and the clusters themselves were taken as the units.
    pub clusters_are_units: bool,
}

/// The counts that go into the intervals of two clustered groups: (x/deff, n/deff), with a design effect of 1 or more.
#[must_use]
pub fn effective_counts(sums: &ClusterSums) -> (f64, f64) {
    let effective = sums.effective();
    (effective.events, effective.n)
}

/// How the interval of a clustered proportion is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClusteredMethod {
    /// Wilson's interval on counts divided by the design effect.
    WilsonRaoScott,
    /// Clopper–Pearson on the effective number of observations, for few clusters.
    KornGraubard,
}

impl ClusteredMethod {
    /// Every method.
    pub const ALL: [ClusteredMethod; 2] = [ClusteredMethod::WilsonRaoScott, ClusteredMethod::KornGraubard];

    /// Id, as in the `method` column of results.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            ClusteredMethod::WilsonRaoScott => "wilson_rao_scott",
            ClusteredMethod::KornGraubard => "korn_graubard",
        }
    }

    /// The method of an id.
    #[must_use]
    pub fn from_id(id: &str) -> Option<ClusteredMethod> {
        ClusteredMethod::ALL.into_iter().find(|method| method.id() == id)
    }
}

/// The proportion over all observations, with an interval that knows of the clusters.
///
/// ```
/// use stipple::stats::clustered::{ClusterSums, ClusteredMethod, estimate};
/// use stipple::stats::Level;
///
/// // Ten clusters of three observations, no event: Wilson's 0 of 10, not 0 of 30.
/// let mut sums = ClusterSums::default();
/// (0..10).for_each(|_| sums.add_cluster(3, 0));
/// let found = estimate(&sums, ClusteredMethod::WilsonRaoScott, Level::P95);
/// assert!((found.high.unwrap() - 0.27753).abs() < 1e-5);
/// assert!(found.warning.unwrap().starts_with("no_variance"));
/// ```
#[must_use]
pub fn estimate(sums: &ClusterSums, method: ClusteredMethod, level: Level) -> Estimate {
    let (events, n) = (sums.events as f64, sums.n as f64);
    if let Some(reason) = problem(sums.events, sums.n) {
        return Estimate {
            numerator: Some(events),
            denominator: Some(n),
            ..Estimate::not_estimable(method.id(), level, reason)
        };
    }
    let interval = match method {
        ClusteredMethod::WilsonRaoScott => {
            let effective = sums.effective();
            wilson(effective.events, effective.n, level)
        }
        ClusteredMethod::KornGraubard => korn_graubard(sums, level),
    };
    Estimate {
        value: Some(events / n),
        low: Some(interval.low),
        high: Some(interval.high),
        level: level.value(),
        method: method.id(),
        numerator: Some(events),
        denominator: Some(n),
        warning: sums.no_variance().or_else(|| sums.few_clusters(method)),
    }
}

/// Clopper–Pearson on n* = p(1 − p)/v · (t with N − 1 / t with m − 1 degrees of freedom)². The design effect may be
/// under 1 here, as in the original: the t factor already pays for few clusters.
fn korn_graubard(sums: &ClusterSums, level: Level) -> Interval {
    let n = sums.n as f64;
    let p = sums.events as f64 / n;
    match sums.design_effect() {
        Some(effect) if effect > 0.0 => {
            let upper = 1.0 - level.alpha() / 2.0;
            let many = student_t_quantile(upper, n - 1.0);
            let few = student_t_quantile(upper, sums.clusters as f64 - 1.0);
            let effective = n / effect * (many / few).powi(2);
            clopper_pearson(p * effective, effective, level)
        }
        _ => {
            let effective = sums.effective();
            clopper_pearson(effective.events, effective.n, level)
        }
    }
}

/// The methods of this file.
pub const METHODS: &[Method] = &[
    Method {
        id: "design_effect",
        title: "Design effect",
        estimates: "How much wider the variance of a rate is because observations of one cluster are alike; 1 = not at all.",
        formula: "deff = v/(p(1 − p)/N); v = m/(m − 1)·Σ(x_i − n_i p)²/(Σn)²",
        source: "Rao & Scott 1992, Biometrics 48:577",
        edges: "Not estimable with one cluster, without events, or when every observation is an event.",
        not_for: "Comparing samples whose clusters differ in size: see the ICC.",
    },
    Method {
        id: "icc_anova",
        title: "Intraclass correlation, analysis-of-variance estimator",
        estimates: "How alike the observations of one cluster are: 0 = no more than those of different clusters, 1 = the same.",
        formula: "(MSB − MSW)/(MSB + (n₀ − 1)·MSW), n₀ = (N − Σn²/N)/(m − 1)",
        source: "Ridout, Demétrio & Firth 1999, Biometrics 55:137",
        edges: "Not estimable with one cluster, without repeated observations, or without both outcomes; may be negative.",
        not_for: "Fewer than about 15 clusters.",
    },
    Method {
        id: "wilson_rao_scott",
        title: "Wilson's interval with the Rao–Scott design effect",
        estimates: "The share of observations with the event when clusters were observed repeatedly; the interval is as wide as the likeness within clusters demands.",
        formula: "p = Σx/Σn; v = m/(m − 1)·Σ(x_i − n_i p)²/(Σn)²; deff = max(1, v/(p(1 − p)/N)); Wilson on (x/deff, n/deff)",
        source: "Rao & Scott 1992, Biometrics 48:577; Wilson 1927",
        edges: "No event, every observation an event, or one cluster: the variance cannot be measured and the clusters are taken as the units (no_variance). 0/0: not estimable.",
        not_for: "Fewer than about 15 clusters: use korn_graubard.",
    },
    Method {
        id: "korn_graubard",
        title: "Korn–Graubard interval",
        estimates: "The share of observations with the event when few clusters were observed repeatedly.",
        formula: "Clopper–Pearson on (p n*, n*), n* = p(1 − p)/v · (t(N − 1)/t(m − 1))², v as for wilson_rao_scott",
        source: "Korn & Graubard 1998, Survey Methodology 24:193",
        edges: "No event, every observation an event, or one cluster: Clopper–Pearson with the clusters as the units (no_variance). 0/0: not estimable.",
        not_for: "Independent observations: use clopper_pearson.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(clusters: &[(u64, u64)]) -> ClusterSums {
        let mut sums = ClusterSums::default();
        clusters.iter().for_each(|&(n, events)| sums.add_cluster(n, events));
        sums
    }

    #[track_caller]
    fn close(ours: Option<f64>, truth: f64) {
        let ours = ours.unwrap();
        assert!((ours - truth).abs() < 1e-12, "ours {ours}, truth {truth}");
    }

    #[test]
    fn three_clusters_by_hand() {
        // n = 4, 2, 2; x = 2, 1, 0. p = 3/8. x − np = ½, ¼, −¾; squares 4/16 + 1/16 + 9/16 = 7/8.
        let three = sums(&[(4, 2), (2, 1), (2, 0)]);
        // v = 3/2 · 7/8 / 64 = 21/1024.
        close(three.variance(), 21.0 / 1024.0);
        // p(1 − p)/N = 15/64/8 = 15/512; deff = 21/1024 · 512/15 = 0.7.
        close(three.design_effect(), 0.7);
        // Σx²/n = 1 + ½ = 3/2; MSB = (3/2 − 9/8)/2 = 3/16; MSW = (3 − 3/2)/5 = 3/10;
        // n₀ = (8 − 24/8)/2 = 5/2; icc = (3/16 − 3/10)/(3/16 + 3/2 · 3/10) = (−9/80)/(51/80) = −3/17.
        close(three.icc(), -3.0 / 17.0);
        // A design effect under 1 is taken as 1.
        assert_eq!(effective_counts(&three), (3.0, 8.0));
    }

    #[test]
    fn clusters_all_or_none_count_as_one_each() {
        // Five clusters of four, two with all and three with none: p = 2/5, v = 5/4 · (2·2.4² + 3·1.6²)/400 = 0.06,
        // deff = 0.06 · 20/0.24 = 5, so 20 observations tell as much as 4, and the icc is 1.
        let five = sums(&[(4, 4), (4, 4), (4, 0), (4, 0), (4, 0)]);
        close(five.design_effect(), 5.0);
        close(Some(effective_counts(&five).1), 4.0);
        close(five.icc(), 1.0);
        assert_eq!(five.clusters_with_event, 2);
    }

    #[test]
    fn merging_is_adding() {
        let mut left = sums(&[(4, 2), (2, 1)]);
        left.merge(&sums(&[(2, 0), (0, 0)]));
        assert_eq!(left, sums(&[(4, 2), (2, 1), (2, 0)]));
    }

    #[test]
    fn without_variance_the_clusters_are_the_units() {
        for (clusters, expected) in [
            (vec![(3, 0), (2, 0)], (0.0, 2.0)),
            (vec![(3, 3), (2, 2)], (2.0, 2.0)),
            (vec![(4, 1)], (0.25, 1.0)),
            (vec![(2, 1), (4, 2)], (1.0, 2.0)),
            (vec![(1, 1)], (1.0, 1.0)),
        ] {
            let these = sums(&clusters);
            assert_eq!(effective_counts(&these), expected, "{clusters:?}");
            for method in ClusteredMethod::ALL {
                let found = estimate(&these, method, Level::P95);
                assert!(found.warning.unwrap().starts_with("no_variance: "));
                assert!(found.low.unwrap() < found.high.unwrap());
                assert_eq!(found.denominator, Some(these.n as f64));
            }
        }
    }

    #[test]
    fn nothing_observed_is_not_estimable() {
        let nothing = estimate(&ClusterSums::default(), ClusteredMethod::WilsonRaoScott, Level::P95);
        assert_eq!(nothing.warning.as_deref(), Some("not_estimable: the denominator is 0"));
        let empty = ClusterSums::default();
        assert_eq!((empty.variance(), empty.design_effect(), empty.icc()), (None, None, None));
        assert_eq!(effective_counts(&empty), (0.0, 0.0));
    }

    #[test]
    fn counts_of_a_million_keep_their_digits() {
        let large = sums(&[(1_000_000, 3), (1_000_000, 1), (1, 0)]);
        // p = 4/2000001; Σ(x − np)² = 1 + 1 + a little.
        let p: f64 = 4.0 / 2_000_001.0;
        let squares = (3.0 - 1e6 * p).powi(2) + (1.0 - 1e6 * p).powi(2) + p * p;
        close(large.variance().map(|v| v * 1e12), 1.5 * squares / 2_000_001.0_f64.powi(2) * 1e12);
        let found = estimate(&large, ClusteredMethod::WilsonRaoScott, Level::new(0.99).unwrap());
        assert!(found.low.unwrap() > 0.0 && found.high.unwrap() < 1.0);
    }

    #[test]
    fn every_id_is_described_once() {
        for method in ClusteredMethod::ALL {
            assert_eq!(ClusteredMethod::from_id(method.id()), Some(method));
            assert_eq!(METHODS.iter().filter(|described| described.id == method.id()).count(), 1);
        }
    }
}
