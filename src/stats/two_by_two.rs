//! Tests of a two-by-two table: Fisher's exact test, its mid-p form, and Pearson's chi-square.

use super::clustered::{ClusterSums, effective_counts};
use super::distributions::{chi_square_sf, ln_binomial_kernel};
use super::estimate::Test;
use super::methods::Method;

/// Events in two groups: the exposed and the reference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TwoByTwo {
    /// Observations with the event in the exposed group.
    pub events_exposed: u64,
    /// All observations of the exposed group.
    pub n_exposed: u64,
    /// Observations with the event in the reference group.
    pub events_reference: u64,
    /// All observations of the reference group.
    pub n_reference: u64,
}

impl TwoByTwo {
    /// Why nothing can be computed from these counts.
    pub(super) fn problem(&self) -> Option<&'static str> {
        if self.n_exposed == 0 || self.n_reference == 0 {
            return Some("a group has no observations");
        }
        let too_many = self.events_exposed > self.n_exposed || self.events_reference > self.n_reference;
        too_many.then_some("more events than observations")
    }
}

/// All tables with the margins of the one seen, by the number of events in the exposed group.
#[derive(Debug, Clone, Copy)]
pub(super) struct SameMargins {
    exposed: u64,
    reference: u64,
    events: u64,
    /// Fewest events that the exposed group can have.
    pub(super) fewest: u64,
    /// Most events that the exposed group can have.
    pub(super) most: u64,
}

impl SameMargins {
    pub(super) fn of(table: &TwoByTwo) -> SameMargins {
        let events = table.events_exposed + table.events_reference;
        SameMargins {
            exposed: table.n_exposed,
            reference: table.n_reference,
            events,
            fewest: events.saturating_sub(table.n_reference),
            most: events.min(table.n_exposed),
        }
    }

    /// How many times likelier `k + 1` exposed events are than `k`, at an odds ratio of 1.
    pub(super) fn step(&self, k: u64) -> f64 {
        let missing = (self.reference + k + 1 - self.events) as f64;
        (self.exposed - k) as f64 * (self.events - k) as f64 / ((k + 1) as f64 * missing)
    }

    /// The hypergeometric chance of `k` exposed events, as a quotient of three binomial chances (Loader 2000).
    fn chance(&self, k: u64) -> f64 {
        let (n, all) = (self.events as f64, (self.exposed + self.reference) as f64);
        if self.fewest == self.most {
            return 1.0;
        }
        let p = n / all;
        let part = |events: u64, group: u64| ln_binomial_kernel(events as f64, (group - events) as f64, p);
        let ln = part(k, self.exposed) + part(self.events - k, self.reference) - ln_binomial_kernel(n, all - n, p);
        ln.exp()
    }

    /// Σ of the chances from `k` upwards.
    fn upper(&self, k: u64) -> f64 {
        let mut term = self.chance(k);
        let mut sum = term;
        for at in k..self.most {
            let ratio = self.step(at);
            term *= ratio;
            sum += term;
            // Ratios fall as k rises: what is left is at most a geometric series.
            if ratio < 1.0 && term / (1.0 - ratio) <= sum * 1e-17 {
                break;
            }
        }
        sum
    }

    /// Σ of the chances from `k` downwards.
    fn lower(&self, k: u64) -> f64 {
        let mut term = self.chance(k);
        let mut sum = term;
        for at in (self.fewest..k).rev() {
            let ratio = 1.0 / self.step(at);
            term *= ratio;
            sum += term;
            if ratio < 1.0 && term / (1.0 - ratio) <= sum * 1e-17 {
                break;
            }
        }
        sum
    }

    /// The likeliest number of exposed events when the odds ratio is exp(`log_odds_ratio`).
    pub(super) fn mode(&self, log_odds_ratio: f64) -> u64 {
        // The first k whose next table is not likelier.
        first_from(self.fewest, self.most, |k| self.step(k).ln() + log_odds_ratio <= 0.0)
    }

    /// Σ of the chances of the tables on the other side of the mode that are no likelier than `k`.
    fn other_side(&self, k: u64) -> f64 {
        let mode = self.mode(0.0);
        // R's tolerance, so that tables equal but for rounding count as equal.
        let limit = self.chance(k) * (1.0 + 1e-7);
        if k <= mode {
            let beyond = first_from(mode.max(k + 1), self.most + 1, |other| self.chance(other) <= limit);
            return if beyond > self.most { 0.0 } else { self.upper(beyond) };
        }
        let within = first_from(self.fewest, mode + 1, |other| self.chance(other) > limit);
        if within == self.fewest { 0.0 } else { self.lower(within - 1) }
    }
}

/// The first number from `low` up to `high` where `holds`; it must keep holding. `high` where it never does.
fn first_from(low: u64, high: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (low, high.max(low));
    while low < high {
        let middle = low + (high - low) / 2;
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

/// Fisher's exact test, two-sided: the chance, with these margins and no difference, of a table no likelier than the
/// one seen. Tables equal within R's tolerance of 1e-7 count as equal. The test has no statistic.
///
/// ```
/// use stipple::stats::two_by_two::{TwoByTwo, fisher_exact};
///
/// // The lady tasting tea, 3 of 4 right: (16 + 1 + 16 + 1)/70.
/// let tea = TwoByTwo { events_exposed: 3, n_exposed: 4, events_reference: 1, n_reference: 4 };
/// assert!((fisher_exact(&tea).p_value.unwrap() - 34.0 / 70.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn fisher_exact(table: &TwoByTwo) -> Test {
    if let Some(reason) = table.problem() {
        return Test::not_estimable("fisher_exact", reason);
    }
    let margins = SameMargins::of(table);
    let seen = table.events_exposed;
    let own_side = if seen <= margins.mode(0.0) { margins.lower(seen) } else { margins.upper(seen) };
    exact("fisher_exact", own_side + margins.other_side(seen))
}

/// Fisher's test with half the chance of the table seen: twice the smaller one-sided mid-p-value. Less conservative
/// than [`fisher_exact`].
///
/// ```
/// use stipple::stats::two_by_two::{TwoByTwo, fisher_mid_p};
///
/// // 2 · (1/70 + ½ · 16/70).
/// let tea = TwoByTwo { events_exposed: 3, n_exposed: 4, events_reference: 1, n_reference: 4 };
/// assert!((fisher_mid_p(&tea).p_value.unwrap() - 18.0 / 70.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn fisher_mid_p(table: &TwoByTwo) -> Test {
    if let Some(reason) = table.problem() {
        return Test::not_estimable("fisher_mid_p", reason);
    }
    let margins = SameMargins::of(table);
    let seen = table.events_exposed;
    let half = margins.chance(seen) / 2.0;
    let smaller = (margins.lower(seen) - half).min(margins.upper(seen) - half);
    exact("fisher_mid_p", 2.0 * smaller)
}

fn exact(method: &'static str, p_value: f64) -> Test {
    Test { statistic: None, p_value: Some(p_value.clamp(0.0, 1.0)), method, warning: None }
}

/// Pearson's chi-square with one degree of freedom; `yates` asks for the continuity correction.
///
/// ```
/// use stipple::stats::two_by_two::{TwoByTwo, chi_square};
///
/// // 9 of 10 against 3 of 10: 20 · (9·7 − 1·3)² / (10 · 10 · 12 · 8) = 7.5.
/// let table = TwoByTwo { events_exposed: 9, n_exposed: 10, events_reference: 3, n_reference: 10 };
/// assert!((chi_square(&table, false).statistic.unwrap() - 7.5).abs() < 1e-12);
/// ```
#[must_use]
pub fn chi_square(table: &TwoByTwo, yates: bool) -> Test {
    let method = if yates { "chi_square_yates" } else { "chi_square" };
    if let Some(reason) = table.problem() {
        return Test::not_estimable(method, reason);
    }
    let events = table.events_exposed + table.events_reference;
    let total = table.n_exposed + table.n_reference;
    if events == 0 {
        return Test::not_estimable(method, "no observation has the event");
    }
    if events == total {
        return Test::not_estimable(method, "every observation has the event");
    }
    let [a, m, b, n] =
        [table.events_exposed, table.n_exposed, table.events_reference, table.n_reference].map(|count| count as f64);
    let (events, others) = (events as f64, (total - events) as f64);
    // a(n − b) − b(m − a) = an − bm, over the total: how far a is from its expected count.
    let apart = (a * n - b * m).abs() / (m + n);
    let apart = if yates { (apart - 0.5).max(0.0) } else { apart };
    let statistic = apart * apart * (m + n).powi(3) / (m * n * events * others);
    let smallest = m.min(n) * events.min(others) / (m + n);
    Test {
        statistic: Some(statistic),
        p_value: Some(chi_square_sf(statistic, 1.0)),
        method,
        warning: (smallest < 5.0).then(|| {
            format!("small_expected: the smallest expected count is {smallest:.1}, under 5; prefer an exact test")
        }),
    }
}

/// χ² of two groups of clusters, on counts divided by each group's design effect.
#[must_use]
pub fn chi_square_clustered([exposed, reference]: [&ClusterSums; 2]) -> Test {
    const ID: &str = "chi_square_rao_scott";
    if exposed.n == 0 || reference.n == 0 {
        return Test::not_estimable(ID, "a group has no observation");
    }
    let ((a, m), (b, n)) = (effective_counts(exposed), effective_counts(reference));
    let (events, total) = (a + b, m + n);
    if events <= 0.0 || events >= total {
        return Test::not_estimable(ID, "every observation is alike");
    }
    let apart = (a * n - b * m).abs() / total;
    let statistic = apart * apart * total.powi(3) / (m * n * events * (total - events));
    let with_event = exposed.clusters_with_event + reference.clusters_with_event;
    Test {
        statistic: Some(statistic),
        p_value: Some(chi_square_sf(statistic, 1.0)),
        method: ID,
        warning: (with_event < FEW_CLUSTERS_WITH_EVENT)
            .then(|| format!("few_clusters: only {with_event} clusters have the event")),
    }
}

/// Fewer clusters with the event, and the design effects are hardly known.
const FEW_CLUSTERS_WITH_EVENT: u64 = 10;

/// The methods of this file.
pub const METHODS: &[Method] = &[
    Method {
        id: "chi_square_rao_scott",
        title: "χ² test of two groups of clusters",
        estimates: "How often risks at least so far apart would arise if the groups did not differ, when observations of one cluster are alike.",
        formula: "χ² without correction on x/deff and n/deff of each group, deff ≥ 1",
        source: "Rao & Scott 1992, Biometrics 48:577",
        edges: "No event in either group, or nothing but events: not estimable. A group without events counts its clusters.",
        not_for: "Clusters with observations in both groups.",
    },
    Method {
        id: "fisher_exact",
        title: "Fisher's exact test",
        estimates: "How often a table at least as unlikely would arise if the two groups did not differ.",
        formula: "Σ of the hypergeometric chances that are at most (1 + 1e-7) times that of the table seen",
        source: "Fisher 1935, The Design of Experiments; two-sided as in R's fisher.test",
        edges: "No event, or nothing but events: p = 1. A group without observations: not estimable.",
        not_for: "Repeated observations of one cluster.",
    },
    Method {
        id: "fisher_mid_p",
        title: "Fisher's test, mid-p",
        estimates: "How often a table further off would arise if the two groups did not differ, the table seen counted half.",
        formula: "min(1, 2·min(P(X < x) + ½P(X = x), P(X > x) + ½P(X = x))), X hypergeometric",
        source: "Lancaster 1961, J Am Stat Assoc 56:223; Rothman & Greenland 1998",
        edges: "No event, or nothing but events: p = 1. A group without observations: not estimable.",
        not_for: "Repeated observations of one cluster.",
    },
    Method {
        id: "chi_square",
        title: "Pearson's chi-square test",
        estimates: "Whether the share with the event differs between two groups.",
        formula: "N(ad − bc)²/(product of the four margins), one degree of freedom, no correction",
        source: "Pearson 1900, Phil Mag 50:157",
        edges: "A margin of 0: not estimable. A warning when an expected count is under 5.",
        not_for: "Expected counts under 5; repeated observations of one cluster.",
    },
    Method {
        id: "chi_square_yates",
        title: "Chi-square test with Yates' correction",
        estimates: "Whether the share with the event differs between two groups, nearer to Fisher's test.",
        formula: "N(max(0, |ad − bc| − N/2))²/(product of the four margins), one degree of freedom",
        source: "Yates 1934, J R Stat Soc Suppl 1:217",
        edges: "A margin of 0: not estimable. A warning when an expected count is under 5.",
        not_for: "Repeated observations of one cluster.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn table(events_exposed: u64, n_exposed: u64, events_reference: u64, n_reference: u64) -> TwoByTwo {
        TwoByTwo { events_exposed, n_exposed, events_reference, n_reference }
    }

    #[track_caller]
    fn close(ours: Option<f64>, truth: f64) {
        let ours = ours.unwrap();
        assert!((ours - truth).abs() <= 1e-11 * truth, "ours {ours:e}, truth {truth:e}");
    }

    #[test]
    fn all_against_none_by_hand() {
        // One table of C(30, 10) = 30045015.
        close(fisher_exact(&table(10, 10, 0, 20)).p_value, 1.0 / 30_045_015.0);
        close(fisher_mid_p(&table(10, 10, 0, 20)).p_value, 1.0 / 30_045_015.0);
    }

    #[test]
    fn both_sides_of_a_skew_table_by_hand() {
        // Two exposed, three reference, two events: chances 3/10, 6/10, 1/10 for 0, 1, 2 exposed events.
        close(fisher_exact(&table(0, 2, 2, 3)).p_value, 0.4);
        close(fisher_exact(&table(1, 2, 1, 3)).p_value, 1.0);
        close(fisher_exact(&table(2, 2, 0, 3)).p_value, 0.1);
        close(fisher_mid_p(&table(0, 2, 2, 3)).p_value, 0.3);
        close(fisher_mid_p(&table(2, 2, 0, 3)).p_value, 0.1);
    }

    #[test]
    fn the_groups_may_be_exchanged() {
        for (one, other) in
            [(table(12, 150, 4, 300), table(4, 300, 12, 150)), (table(0, 10, 5, 20), table(5, 20, 0, 10))]
        {
            close(fisher_exact(&one).p_value, fisher_exact(&other).p_value.unwrap());
            close(fisher_mid_p(&one).p_value, fisher_mid_p(&other).p_value.unwrap());
            close(chi_square(&one, true).p_value, chi_square(&other, true).p_value.unwrap());
        }
    }

    #[test]
    fn yates_by_hand() {
        // 20 · (60 − 10)² / 9600 = 5.208333…
        close(chi_square(&table(9, 10, 3, 10), true).statistic, 20.0 * 2500.0 / 9600.0);
        // A difference under half a count is none.
        let none = chi_square(&table(1, 2, 1, 3), true);
        assert_eq!((none.statistic, none.p_value), (Some(0.0), Some(1.0)));
        assert!(none.warning.unwrap().contains("0.8"));
    }

    #[test]
    fn tables_without_events_or_observations() {
        for none in [table(0, 10, 0, 20), table(10, 10, 20, 20), table(0, 1, 0, 1)] {
            assert_eq!(fisher_exact(&none).p_value, Some(1.0));
            assert_eq!(fisher_mid_p(&none).p_value, Some(1.0));
            assert!(chi_square(&none, false).warning.unwrap().starts_with("not_estimable: "));
        }
        for empty in [table(0, 0, 0, 0), table(0, 0, 3, 5), table(3, 5, 0, 0), table(6, 5, 1, 2)] {
            for test in [fisher_exact(&empty), fisher_mid_p(&empty), chi_square(&empty, true)] {
                assert_eq!(test.p_value, None);
                assert!(test.warning.unwrap().starts_with("not_estimable: "));
            }
        }
    }

    #[test]
    fn tiny_chances_are_not_zero() {
        // 2 · 1/C(200, 100) = 2 / 9.054851465610328e58.
        close(fisher_exact(&table(100, 100, 0, 100)).p_value, 2.0 / 9.054_851_465_610_328e58);
    }

    #[test]
    fn counts_of_a_million_come_near_the_normal() {
        let large = table(500_500, 1_000_000, 499_500, 1_000_000);
        // z = 0.001/√(2 · ¼/10⁶) = √2. The exact p lies beside that of Yates' correction.
        close(chi_square(&large, false).statistic, 2.0);
        let (exact, yates) = (fisher_exact(&large).p_value.unwrap(), chi_square(&large, true).p_value.unwrap());
        assert!((exact - yates).abs() < 1e-6, "{exact} {yates}");
    }
}
