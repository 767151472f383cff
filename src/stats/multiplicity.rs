//! p-values of a family of tests, adjusted for their number.
//!
//! Only p-values that exist belong in: a test that could not be done is no member of the family. Nothing is printed
//! here about the family; whoever names it says how large it is.

use super::methods::Method;

/// Benjamini and Hochberg's adjusted p-values, in the order given: the share of false findings among all tests that
/// come out at or under each of them, at most. For screening.
///
/// ```
/// use stipple::stats::multiplicity::benjamini_hochberg;
///
/// // 0.01 · 3/1, 0.02 · 3/2 and 0.5 · 3/3, never above a later one.
/// let adjusted = benjamini_hochberg(&[0.5, 0.01, 0.02]);
/// assert!((adjusted[0] - 0.5).abs() < 1e-12 && (adjusted[1] - 0.03).abs() < 1e-12);
/// ```
#[must_use]
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let size = p_values.len() as f64;
    let mut adjusted = vec![1.0; p_values.len()];
    let mut smallest = 1.0_f64;
    for (rank, index) in ranks(p_values).into_iter().enumerate().rev() {
        smallest = smallest.min(p_values[index] * size / (rank + 1) as f64);
        adjusted[index] = smallest;
    }
    adjusted
}

/// Holm's adjusted p-values, in the order given: the chance of even one false finding stays under the level. For
/// confirmation.
///
/// ```
/// use stipple::stats::multiplicity::holm;
///
/// // 0.01 · 3, 0.02 · 2 and 0.5 · 1, never under an earlier one.
/// let adjusted = holm(&[0.5, 0.01, 0.02]);
/// assert!((adjusted[1] - 0.03).abs() < 1e-12 && (adjusted[2] - 0.04).abs() < 1e-12);
/// ```
#[must_use]
pub fn holm(p_values: &[f64]) -> Vec<f64> {
    let mut adjusted = vec![1.0; p_values.len()];
    let mut largest = 0.0_f64;
    for (rank, index) in ranks(p_values).into_iter().enumerate() {
        largest = largest.max(p_values[index] * (p_values.len() - rank) as f64).min(1.0);
        adjusted[index] = largest;
    }
    adjusted
}

/// Indices from the smallest p-value to the largest; equal ones as they came.
fn ranks(p_values: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&left, &right| p_values[left].total_cmp(&p_values[right]));
    order
}

/// The methods of this file.
pub const METHODS: &[Method] = &[
    Method {
        id: "benjamini_hochberg",
        title: "Benjamini–Hochberg adjustment",
        estimates: "Among the tests called positive at this value, the expected share of false ones.",
        formula: "min over j ≥ i of (m/j)·p₍ⱼ₎, at most 1, p sorted upwards, m = size of the family",
        source: "Benjamini & Hochberg 1995, J R Stat Soc B 57:289",
        edges: "One test: unchanged. Tests that could not be done are not part of the family.",
        not_for: "Confirming a claim: use holm.",
    },
    Method {
        id: "holm",
        title: "Holm adjustment",
        estimates: "The chance of one or more false findings in the family, when everything at or under this value is called positive.",
        formula: "max over j ≤ i of (m − j + 1)·p₍ⱼ₎, at most 1, p sorted upwards, m = size of the family",
        source: "Holm 1979, Scand J Stat 6:65",
        edges: "One test: unchanged. Tests that could not be done are not part of the family.",
        not_for: "Screening many outcomes: use benjamini_hochberg.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn close(ours: &[f64], truth: &[f64]) {
        assert_eq!(ours.len(), truth.len());
        ours.iter().zip(truth).for_each(|(ours, truth)| assert!((ours - truth).abs() < 1e-12, "{ours} {truth}"));
    }

    #[test]
    fn by_hand() {
        let p = [0.04, 0.01, 0.03, 0.9];
        // Sorted 0.01, 0.03, 0.04, 0.9: ·4, ·2, ·4/3, ·1 = 0.04, 0.06, 0.0533, 0.9; from the end the smallest.
        close(&benjamini_hochberg(&p), &[0.16 / 3.0, 0.04, 0.16 / 3.0, 0.9]);
        // ·4, ·3, ·2, ·1 = 0.04, 0.09, 0.08, 0.9; from the start the largest.
        close(&holm(&p), &[0.09, 0.04, 0.09, 0.9]);
    }

    #[test]
    fn none_one_and_equal_ones() {
        assert!(benjamini_hochberg(&[]).is_empty() && holm(&[]).is_empty());
        close(&benjamini_hochberg(&[0.2]), &[0.2]);
        close(&holm(&[0.2]), &[0.2]);
        close(&benjamini_hochberg(&[0.2, 0.2]), &[0.2, 0.2]);
        close(&holm(&[0.8, 0.8]), &[1.0, 1.0]);
    }
}
