//! Does a risk rise or fall over ordered levels? Cochran–Armitage: asymptotic, exact, and for clustered counts.

use super::Test;
use super::clustered::ClusterSums;
use super::distributions::normal_sf;
use super::methods::Method;

/// The reference of this family.
pub const METHODS: &[Method] = &[
    Method {
        id: "cochran_armitage",
        title: "Cochran–Armitage test for trend",
        estimates: "Whether the risk rises (z > 0) or falls (z < 0) with the score of a level, on a straight line.",
        formula: "z = Σ s·(x − n·p) / √(p(1−p)·(Σ n·s² − (Σ n·s)²/N)), p = Σx/N; two-sided p; no continuity correction",
        source: "Cochran 1954; Armitage 1955; R prop.trend.test",
        edges: "Levels without trials are left out. One level, equal scores, no events or only events: not estimable.",
        not_for: "Small expected counts (use the exact form); repeated counts of the same cluster (use the Rao–Scott \
                  form). It allows for nothing else that differs between the levels.",
    },
    Method {
        id: "cochran_armitage_exact",
        title: "Exact Cochran–Armitage test for trend, mid-p",
        estimates: "The same trend, exactly, given the number of events and the size of each level. The statistic is \
                    the sum of the scores of the events less its expectation; the p-value is the mid-p.",
        formula: "T = Σ s·x under the multivariate hypergeometric; p = P(|T − E| > |t − E|) + ½·P(|T − E| = |t − E|)",
        source: "Mehta, Patel & Senchaudhuri 1992; Lancaster 1961 (mid-p)",
        edges: "As cochran_armitage; a table too large to go through is refused with the limit.",
        not_for: "Repeated counts of the same cluster.",
    },
    Method {
        id: "cochran_armitage_clustered",
        title: "Score test for trend, clustered",
        estimates: "The same trend when the trials of one cluster are alike; the test that stands for the trend.",
        formula: "z = Σ (s_i − s̄)(x_i − n_i p)/√V, V = m/(m − 1)·Σ_i (s_i − s̄)² Σ_c (x_c − n_c p)², over clusters c",
        source: "Liang & Zeger 1986, Biometrika 73:13 (independence working correlation), as a score test; Boos 1992, Am Stat 46:327",
        edges: "One level, equal scores, no events or only events: not estimable. A level without events counts in full.",
        not_for: "Clusters whose trials are in several levels: fit the logistic model.",
    },
    Method {
        id: "cochran_armitage_rao_scott",
        title: "Cochran–Armitage test for trend with Rao and Scott's correction",
        estimates: "The same trend when the trials of one cluster are alike.",
        formula: "cochran_armitage on x/d and n/d, d the design effect of each level, at least 1",
        source: "Rao & Scott 1992",
        edges: "d = 1 where a level has one cluster, no events or only events.",
        not_for: "Few clusters in a level; a cluster that has trials in many levels (its levels are taken as \
                  independent).",
    },
];

const PLAIN: &str = "cochran_armitage";
const EXACT: &str = "cochran_armitage_exact";
const CLUSTERED: &str = "cochran_armitage_clustered";
const RAO_SCOTT: &str = "cochran_armitage_rao_scott";

/// One level of an ordered exposure.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct TrendLevel {
    /// Score: where the level stands on the line, such as 1 for type I.
    pub score: f64,
    /// Events.
    pub events: u64,
    /// Trials.
    pub n: u64,
}

/// One level of an ordered exposure, counted by clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClusteredLevel {
    /// Score: where the level stands on the line.
    pub score: f64,
    /// Sums over the clusters of the level.
    pub sums: ClusterSums,
}

/// Why there is no trend to test.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TrendProblem {
    /// Fewer than two levels with trials.
    #[error("a trend needs at least two levels that have trials")]
    OneLevel,
    /// All levels with trials have one score.
    #[error("all levels have the same score")]
    EqualScores,
    /// A score is not a finite number.
    #[error("a score is not a finite number")]
    Score,
    /// A level has more events than trials.
    #[error("a level has more events than trials")]
    MoreEventsThanTrials,
    /// No event in any level.
    #[error("there are no events")]
    NoEvents,
    /// An event in every trial.
    #[error("every trial has the event")]
    OnlyEvents,
    /// The exact distribution has too many steps.
    #[error("the exact distribution needs more than {limit} steps for a table of this size")]
    TooLarge {
        /// Steps that are allowed.
        limit: u64,
    },
}

/// A level with counts that may be fractions, its score measured from the mean score.
#[derive(Clone, Copy)]
struct Level {
    score: f64,
    events: f64,
    n: f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
impl From<&TrendLevel> for Level {
    fn from(level: &TrendLevel) -> Level {
        Level { score: level.score, events: level.events as f64, n: level.n as f64 }
    }
}

/// The levels with trials, once a trend can be tested over them.
fn usable(levels: impl Iterator<Item = Level>) -> Result<Vec<Level>, TrendProblem> {
    let kept: Vec<Level> = levels.filter(|level| level.n > 0.0).collect();
    let (events, n) = totals(&kept);
    let first = kept.first().map_or(0.0, |level| level.score);
    if kept.iter().any(|level| !level.score.is_finite()) {
        Err(TrendProblem::Score)
    } else if kept.iter().any(|level| level.events > level.n) {
        Err(TrendProblem::MoreEventsThanTrials)
    } else if kept.len() < 2 {
        Err(TrendProblem::OneLevel)
    } else if kept.iter().all(|level| (level.score - first).abs() <= 0.0) {
        Err(TrendProblem::EqualScores)
    } else if events <= 0.0 {
        Err(TrendProblem::NoEvents)
    } else if events >= n {
        Err(TrendProblem::OnlyEvents)
    } else {
        Ok(kept)
    }
}

fn totals(levels: &[Level]) -> (f64, f64) {
    (levels.iter().map(|level| level.events).sum(), levels.iter().map(|level| level.n).sum())
}

/// z of the trend.
fn trend_z(levels: &[Level]) -> f64 {
    let (events, n) = totals(levels);
    let risk = events / n;
    let mean = levels.iter().map(|level| level.n * level.score).sum::<f64>() / n;
    // Scores are measured from their mean, so that large scores (years) cancel nothing.
    let rise: f64 = levels.iter().map(|level| (level.score - mean) * (level.events - level.n * risk)).sum();
    let spread: f64 = levels.iter().map(|level| level.n * (level.score - mean).powi(2)).sum();
    rise / (risk * (1.0 - risk) * spread).sqrt()
}

fn asymptotic(levels: Result<Vec<Level>, TrendProblem>, method: &'static str) -> Test {
    match levels {
        Ok(levels) => {
            let z = trend_z(&levels);
            let p_value = (2.0 * normal_sf(z.abs())).min(1.0);
            Test { statistic: Some(z), p_value: Some(p_value), method, warning: None }
        }
        Err(problem) => Test::not_estimable(method, &problem.to_string()),
    }
}

/// Cochran–Armitage test: z (positive when the risk rises with the score) and its two-sided p-value.
///
/// ```
/// use stipple::stats::trend::{TrendLevel, cochran_armitage};
///
/// let level = |score, events| TrendLevel { score, events, n: 10 };
/// // 2, 5 and 8 of 10: p = ½; Σ s·(x − 5) = −1·(−3) + 0 + 1·3 = 6; p(1−p)·Σ n·s² = ¼·20 = 5; z = 6/√5.
/// let test = cochran_armitage(&[level(-1.0, 2), level(0.0, 5), level(1.0, 8)]);
/// assert!((test.statistic.unwrap() - 6.0 / 5.0_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn cochran_armitage(levels: &[TrendLevel]) -> Test {
    asymptotic(usable(levels.iter().map(Level::from)), PLAIN)
}

/// Cochran–Armitage test of clustered counts: each level's events and trials are divided by its design effect, which
/// is at least 1 (and 1 where the clusters cannot show it). The design effects are returned in the order of the
/// levels.
#[must_use]
pub fn cochran_armitage_rao_scott(levels: &[ClusteredLevel]) -> (Test, Vec<f64>) {
    let effects: Vec<f64> =
        levels.iter().map(|level| level.sums.design_effect().map_or(1.0, |effect| effect.max(1.0))).collect();
    let shrunk = levels.iter().zip(&effects).map(|(level, effect)| {
        let whole = Level::from(&TrendLevel { score: level.score, events: level.sums.events, n: level.sums.n });
        Level { score: whole.score, events: whole.events / effect, n: whole.n / effect }
    });
    (asymptotic(usable(shrunk), RAO_SCOTT), effects)
}

/// Score test of a trend that knows of the clusters: z and its two-sided p-value. The score of a level times what its
/// clusters have more than expected, over the spread of that number from cluster to cluster; a level without events
/// counts with its clusters like any other. A cluster in several levels is taken as several.
///
/// ```
/// use stipple::stats::clustered::ClusterSums;
/// use stipple::stats::trend::{ClusteredLevel, cochran_armitage_clustered};
///
/// // One cluster of one observation each: 0 of 2 at −1 and 2 of 2 at 1; p = ½, each cluster is ½ away, so
/// // U = −1·(−1) + 1·1 = 2, V = 4/3·4·¼ = 4/3, z = 2/√(4/3) = √3.
/// let level = |score: f64, events| {
///     let mut sums = ClusterSums::default();
///     (0..2).for_each(|_| sums.add_cluster(1, events));
///     ClusteredLevel { score, sums }
/// };
/// let test = cochran_armitage_clustered(&[level(-1.0, 0), level(1.0, 1)]);
/// assert!((test.statistic.unwrap() - 3.0_f64.sqrt()).abs() < 1e-12);
/// ```
#[must_use]
pub fn cochran_armitage_clustered(levels: &[ClusteredLevel]) -> Test {
    let plain =
        levels.iter().map(|level| TrendLevel { score: level.score, events: level.sums.events, n: level.sums.n });
    let plain: Vec<TrendLevel> = plain.collect();
    if let Err(problem) = usable(plain.iter().map(Level::from)) {
        return Test::not_estimable(CLUSTERED, &problem.to_string());
    }
    let total = |count: fn(&ClusterSums) -> u64| levels.iter().map(|level| count(&level.sums) as f64).sum::<f64>();
    let (n, events, clusters) = (total(|sums| sums.n), total(|sums| sums.events), total(|sums| sums.clusters));
    let with_event = total(|sums| sums.clusters_with_event);
    let p = events / n;
    let centre = levels.iter().map(|level| level.score * level.sums.n as f64).sum::<f64>() / n;
    let (mut score, mut variance) = (0.0, 0.0);
    for level in levels {
        let sums = &level.sums;
        let from_centre = level.score - centre;
        score += from_centre * (sums.events as f64 - p * sums.n as f64);
        // Σ (x − n p)² over the clusters of the level.
        let spread = sums.e_e as f64 - 2.0 * p * sums.n_e as f64 + p * p * sums.n_n as f64;
        variance += from_centre * from_centre * spread;
    }
    variance *= clusters / (clusters - 1.0);
    if clusters < 2.0 || variance <= 0.0 {
        return Test::not_estimable(CLUSTERED, "the clusters do not differ");
    }
    let z = score / variance.sqrt();
    Test {
        statistic: Some(z),
        p_value: Some((2.0 * normal_sf(z.abs())).min(1.0)),
        method: CLUSTERED,
        warning: (with_event < FEW_CLUSTERS_WITH_EVENT)
            .then(|| format!("few_clusters: only {with_event} clusters have the event")),
    }
}

/// Fewer clusters with the event, and the spread between clusters is hardly known.
const FEW_CLUSTERS_WITH_EVENT: f64 = 10.0;

/// The smallest count of events or non-events that a level would have if there were no trend; under 5 the exact test
/// is the one to use. 0 when no level has trials.
#[must_use]
pub fn smallest_expected(levels: &[TrendLevel]) -> f64 {
    let kept: Vec<Level> = levels.iter().map(Level::from).filter(|level| level.n > 0.0).collect();
    let (events, n) = totals(&kept);
    let rarer = events.min(n - events).max(0.0);
    kept.iter().map(|level| level.n * rarer / n).reduce(f64::min).unwrap_or(0.0)
}

/// The exact test of a trend, given the number of events and the size of each level.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ExactTrend {
    /// Sum of the scores of the events.
    pub t: f64,
    /// Its expectation when there is no trend.
    pub expected_t: f64,
    /// Probability of a sum at least as far from its expectation, on either side.
    pub p_exact: f64,
    /// The same, with half of the sums exactly as far.
    pub p_mid: f64,
    /// Probability of a sum at least as large.
    pub p_upper: f64,
    /// Probability of a sum at least as small.
    pub p_lower: f64,
}

/// Exact Cochran–Armitage test, for any scores.
///
/// ```
/// use stipple::stats::trend::{TrendLevel, cochran_armitage_exact};
///
/// // 0 of 2 and 2 of 2: of the 6 ways to place 2 events in 4 trials, one has both in the second level, and one, as
/// // far from the expected sum 1, has both in the first.
/// let exact = cochran_armitage_exact(&[
///     TrendLevel { score: 0.0, events: 0, n: 2 },
///     TrendLevel { score: 1.0, events: 2, n: 2 },
/// ])
/// .unwrap();
/// assert!((exact.p_upper - 1.0 / 6.0).abs() < 1e-12);
/// assert!((exact.p_exact - 2.0 / 6.0).abs() < 1e-12);
/// assert!((exact.p_mid - 1.0 / 6.0).abs() < 1e-12);
/// ```
///
/// # Errors
/// [`TrendProblem`]: there is nothing to test, or the table is too large to go through.
pub fn cochran_armitage_exact(levels: &[TrendLevel]) -> Result<ExactTrend, TrendProblem> {
    let kept = usable(levels.iter().map(Level::from))?;
    let (events, n) = totals(&kept);
    let t: f64 = kept.iter().map(|level| level.score * level.events).sum();
    let expected_t = kept.iter().map(|level| level.score * level.n).sum::<f64>() * events / n;
    // Sums of one value differ by rounding only.
    let reach = kept.iter().map(|level| level.score.abs() * events).fold(0.0, f64::max);
    let same = 1e-10 * reach;
    let outcomes = distribution::of_sums(levels, same)?;
    let total: f64 = outcomes.iter().map(|outcome| outcome.weight).sum();
    let share = |counts: &dyn Fn(f64) -> bool| {
        outcomes.iter().filter(|outcome| counts(outcome.sum)).map(|outcome| outcome.weight).sum::<f64>() / total
    };
    let seen = (t - expected_t).abs();
    let further = share(&|sum| (sum - expected_t).abs() > seen + same);
    let as_far = share(&|sum| ((sum - expected_t).abs() - seen).abs() <= same);
    Ok(ExactTrend {
        t,
        expected_t,
        p_exact: (further + as_far).min(1.0),
        p_mid: further + as_far / 2.0,
        p_upper: share(&|sum| sum >= t - same),
        p_lower: share(&|sum| sum <= t + same),
    })
}

/// The exact test with its mid-p as the p-value; the statistic is the sum of the scores of the events less its
/// expectation.
#[must_use]
pub fn cochran_armitage_exact_test(levels: &[TrendLevel]) -> Test {
    match cochran_armitage_exact(levels) {
        Ok(exact) => Test {
            statistic: Some(exact.t - exact.expected_t),
            p_value: Some(exact.p_mid),
            method: EXACT,
            warning: None,
        },
        Err(problem) => Test::not_estimable(EXACT, &problem.to_string()),
    }
}

/// The distribution of the sum of scores, level by level.
mod distribution {
    use super::{TrendLevel, TrendProblem};

    /// Steps that are gone through before a table is called too large: about a second.
    pub(super) const LIMIT: u64 = 200_000_000;
    /// Steps that a merge costs beyond the sums that it reads.
    const MERGE: u64 = 16;

    /// One value of the sum, and how often it comes up (to a common factor).
    #[derive(Clone, Copy)]
    pub(super) struct Outcome {
        pub(super) sum: f64,
        pub(super) weight: f64,
    }

    /// Every value of the sum, in order, given the margins. Events or non-events are placed, whichever are fewer.
    pub(super) fn of_sums(levels: &[TrendLevel], same: f64) -> Result<Vec<Outcome>, TrendProblem> {
        let events: u64 = levels.iter().map(|level| level.events).sum();
        let n: u64 = levels.iter().map(|level| level.n).sum();
        let placed = events.min(n - events);
        // The largest level comes last: what is left over goes there, without a choice.
        let mut order: Vec<&TrendLevel> = levels.iter().filter(|level| level.n > 0).collect();
        order.sort_by_key(|level| level.n);
        let Some((last, others)) = order.split_last() else { return Ok(Vec::new()) };
        let mut layers = Layers { by_count: vec![vec![Outcome { sum: 0.0, weight: 1.0 }]], steps: 0, same };
        let share = ratio(placed, n);
        let mut left: u64 = n;
        for level in others {
            left -= level.n;
            layers.add(level, &Room { placed, left, share })?;
        }
        let mut outcomes = layers.close(last, placed, share);
        if placed < events {
            // Non-events were placed: the sum over all trials less theirs.
            let whole: f64 = levels.iter().map(|level| level.score * ratio(level.n, 1)).sum();
            outcomes.iter_mut().for_each(|outcome| outcome.sum = whole - outcome.sum);
        }
        Ok(outcomes)
    }

    /// What bounds the count so far: what is placed in all, and the trials of the levels still to come.
    struct Room {
        placed: u64,
        left: u64,
        share: f64,
    }

    /// For each count placed so far, the sums it can have.
    struct Layers {
        by_count: Vec<Vec<Outcome>>,
        steps: u64,
        same: f64,
    }

    impl Layers {
        fn add(&mut self, level: &TrendLevel, room: &Room) -> Result<(), TrendProblem> {
            let weights = binomial_weights(level.n, room);
            let most = (index(room.placed) + 1).min(self.by_count.len() + weights.len() - 1);
            let fewest = index(room.placed.saturating_sub(room.left));
            let mut next = vec![Vec::new(); most];
            for count in fewest..most {
                let mut layer = Vec::new();
                let first = (count + 1).saturating_sub(weights.len());
                for (before, outcomes) in self.by_count.iter().enumerate().take(count + 1).skip(first) {
                    let weight = weights[count - before];
                    self.steps += MERGE + (layer.len() + outcomes.len()) as u64;
                    if self.steps > LIMIT {
                        return Err(TrendProblem::TooLarge { limit: LIMIT });
                    }
                    if outcomes.is_empty() || weight <= 0.0 {
                        continue;
                    }
                    let shift = level.score * ratio((count - before) as u64, 1);
                    layer = merge(&layer, outcomes, &Shift { shift, weight, same: self.same });
                }
                next[count] = layer;
            }
            self.by_count = next;
            Ok(())
        }

        fn close(self, last: &TrendLevel, placed: u64, share: f64) -> Vec<Outcome> {
            let weights = binomial_weights(last.n, &Room { placed, left: 0, share });
            let mut outcomes: Vec<Outcome> = Vec::new();
            for (before, layer) in self.by_count.iter().enumerate() {
                let rest = index(placed) - before;
                if let Some(&weight) = weights.get(rest) {
                    let shift = last.score * ratio(rest as u64, 1);
                    outcomes = merge(&outcomes, layer, &Shift { shift, weight, same: self.same });
                }
            }
            outcomes
        }
    }

    struct Shift {
        shift: f64,
        weight: f64,
        same: f64,
    }

    /// Two ordered lists of sums made one; equal sums are added up.
    fn merge(layer: &[Outcome], added: &[Outcome], by: &Shift) -> Vec<Outcome> {
        let mut merged: Vec<Outcome> = Vec::with_capacity(layer.len() + added.len());
        let (mut a, mut b) = (layer.iter().copied().peekable(), added.iter().peekable());
        loop {
            let moved = b.peek().map(|o| Outcome { sum: o.sum + by.shift, weight: o.weight * by.weight });
            let next = match (a.peek().copied(), moved) {
                (Some(x), Some(y)) if x.sum <= y.sum => a.next().unwrap_or(x),
                (_, Some(y)) => {
                    b.next();
                    y
                }
                (Some(x), None) => a.next().unwrap_or(x),
                (None, None) => return merged,
            };
            match merged.last_mut() {
                Some(top) if next.sum - top.sum <= by.same => top.weight += next.weight,
                _ => merged.push(next),
            }
        }
    }

    /// Binomial probabilities of 0, 1, … up to what is placed; any share of success would do, the overall one keeps
    /// the numbers near 1. Made from the most likely count outwards, so that nothing cancels.
    fn binomial_weights(n: u64, room: &Room) -> Vec<f64> {
        let most = index(n.min(room.placed));
        let odds = room.share / (1.0 - room.share);
        let step = |k: usize| (ratio(n, 1) - ratio(k as u64, 1)) / ratio(k as u64 + 1, 1) * odds;
        let mode = (0..most).find(|&k| step(k) < 1.0).unwrap_or(most);
        let mut weights = vec![0.0; most + 1];
        weights[mode] = 1.0;
        for k in mode..most {
            weights[k + 1] = weights[k] * step(k);
        }
        for k in (0..mode).rev() {
            weights[k] = weights[k + 1] / step(k);
        }
        weights
    }

    #[expect(clippy::cast_precision_loss, reason = "counts stay far under 2^53")]
    fn ratio(above: u64, below: u64) -> f64 {
        above as f64 / below as f64
    }

    /// A count as an index; one that no memory could hold becomes the largest, and is stopped by the limit.
    fn index(count: u64) -> usize {
        usize::try_from(count).unwrap_or(usize::MAX)
    }
}

#[cfg(test)]
mod tests;
