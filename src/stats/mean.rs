//! The mean of a measure over the observations of clusters.

use super::distributions::student_t_quantile;
use super::estimate::{Estimate, Level};
use super::methods::Method;

/// What the mean of a measure needs of the clusters: sums, which merge. One cluster must be added once, whole.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct MeasureSums {
    /// Clusters with at least one observation.
    pub clusters: u64,
    /// Observations, Σn.
    pub n: u64,
    /// Σt, t = the total of the measure over a cluster's observations.
    pub total: f64,
    /// Σn².
    pub n_n: f64,
    /// Σt².
    pub total_total: f64,
    /// Σnt.
    pub n_total: f64,
}

impl MeasureSums {
    /// Adds one cluster: its observations, and the measure added up over them. One without observations is not counted.
    pub fn add_cluster(&mut self, n: u64, total: f64) {
        if n == 0 {
            return;
        }
        self.clusters += 1;
        self.n += n;
        self.total += total;
        self.n_n += (n * n) as f64;
        self.total_total += total * total;
        self.n_total += n as f64 * total;
    }

    /// Adds the sums of other clusters; none may stand in both.
    pub fn merge(&mut self, other: &MeasureSums) {
        self.clusters += other.clusters;
        self.n += other.n;
        self.total += other.total;
        self.n_n += other.n_n;
        self.total_total += other.total_total;
        self.n_total += other.n_total;
    }

    /// Σ(t − nμ)², or nothing where it is no more than the rounding of the sums.
    fn squares(&self, mean: f64) -> Option<f64> {
        let large = self.total_total + mean * mean * self.n_n;
        let squares = large - 2.0 * mean * self.n_total;
        (squares > ROUNDING * large).then_some(squares)
    }
}

/// Sums of squares agree to about this, whatever the number of clusters.
const ROUNDING: f64 = 1e-12;

const ID: &str = "mean_ratio";

/// The mean over all observations, with an interval that knows of the clusters.
///
/// ```
/// use stipple::stats::{Level, mean::{MeasureSums, estimate}};
///
/// let mut depths = MeasureSums::default();
/// depths.add_cluster(2, 2.0);
/// depths.add_cluster(2, 4.0);
/// // μ = 6/4; v = 2/1 · (1² + 1²)/4² = ¼; one degree of freedom: 1.5 ± 12.706 · ½.
/// let found = estimate(&depths, Level::P95);
/// assert!((found.value.unwrap() - 1.5).abs() < 1e-12 && (found.high.unwrap() - 7.8531).abs() < 1e-4);
/// ```
#[must_use]
pub fn estimate(sums: &MeasureSums, level: Level) -> Estimate {
    let counts = |estimate: Estimate| Estimate {
        numerator: Some(sums.total).filter(|total| total.is_finite()),
        denominator: Some(sums.n as f64),
        ..estimate
    };
    if sums.n == 0 {
        return counts(Estimate::not_estimable(ID, level, "there are no observations"));
    }
    let n = sums.n as f64;
    let mean = sums.total / n;
    if !mean.is_finite() {
        return counts(Estimate::not_estimable(ID, level, "a measure is not a number"));
    }
    let alone = Estimate { value: Some(mean), ..Estimate::not_estimable(ID, level, "") };
    if sums.clusters < 2 {
        let warning = "no_variance: there is one cluster only, so the spread between clusters cannot be measured";
        return counts(Estimate { warning: Some(warning.to_owned()), ..alone });
    }
    let Some(squares) = sums.squares(mean) else {
        let warning =
            "no_variance: the mean is the same in every cluster, so there is no spread to make an interval of";
        return counts(Estimate { warning: Some(warning.to_owned()), ..alone });
    };
    let m = sums.clusters as f64;
    let error = (m / (m - 1.0) * squares).sqrt() / n;
    let reach = student_t_quantile(1.0 - level.alpha() / 2.0, m - 1.0) * error;
    counts(Estimate { low: Some(mean - reach), high: Some(mean + reach), warning: None, ..alone })
}

/// The methods of this file.
pub const METHODS: &[Method] = &[Method {
    id: ID,
    title: "Mean as a ratio of two sums over clusters",
    estimates: "The mean of a measure over all observations when clusters were observed repeatedly.",
    formula: "μ = Σt/Σn; v = m/(m − 1)·Σ(t_i − n_i μ)²/(Σn)²; μ ± t(m − 1)·√v",
    source: "Cochran 1977, Sampling Techniques, 3rd ed., section 6.3; Lumley 2010, Complex Surveys",
    edges: "No observations: not estimable. One cluster, or the same mean in every cluster: the value without interval (no_variance).",
    not_for: "Very skewed measures of few clusters.",
}];

#[cfg(test)]
mod tests {
    use super::*;

    fn sums(clusters: &[(u64, f64)]) -> MeasureSums {
        let mut sums = MeasureSums::default();
        clusters.iter().for_each(|&(n, total)| sums.add_cluster(n, total));
        sums
    }

    #[test]
    fn one_observation_each_is_the_t_interval_of_a_mean() {
        // 1, 2, 3, 4: mean 2.5, s² = 5/3, s/√4 = 0.645497; t(3) = 3.182446: ± 2.054260.
        let found = estimate(&sums(&[(1, 1.0), (1, 2.0), (1, 3.0), (1, 4.0)]), Level::P95);
        assert!((found.low.unwrap() - (2.5 - 2.054_260)).abs() < 1e-6);
        assert!((found.high.unwrap() - (2.5 + 2.054_260)).abs() < 1e-6);
        assert_eq!((found.numerator, found.denominator, found.warning), (Some(10.0), Some(4.0), None));
    }

    #[test]
    fn merging_is_adding() {
        let mut left = sums(&[(1, 1.0), (2, 5.0)]);
        left.merge(&sums(&[(3, 4.5), (0, 0.0)]));
        assert_eq!(left, sums(&[(1, 1.0), (2, 5.0), (3, 4.5)]));
    }

    #[test]
    fn without_spread_there_is_a_value_but_no_interval() {
        for flat in [sums(&[(3, 4.5)]), sums(&[(3, 4.5), (1, 1.5), (7, 10.5)]), sums(&[(2, 0.0), (1, 0.0)])] {
            let found = estimate(&flat, Level::P95);
            assert!(found.value.is_some() && found.low.is_none() && found.high.is_none());
            assert!(found.warning.unwrap().starts_with("no_variance: "));
        }
    }

    #[test]
    fn nothing_is_not_estimable() {
        for nothing in [sums(&[]), sums(&[(1, f64::NAN), (1, 1.0)])] {
            let found = estimate(&nothing, Level::P95);
            assert!(found.value.is_none() && found.warning.unwrap().starts_with("not_estimable: "));
        }
    }
}
