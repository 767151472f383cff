//! Rows with the same terms as one row of many trials: the likelihood is the same, and a climb over them costs as much
//! as there are different rows. Only the errors by cluster need every row.

use super::Observations;
use rustc_hash::{FxBuildHasher, FxHasher};
use std::collections::HashMap;
use std::hash::Hasher;

/// Below this many rows nothing is won.
const WORTH_IT: usize = 4096;
const NO_CLUSTERS: [u32; 0] = [];

/// Rows that are all different.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::stats) struct Merged {
    design: Vec<f64>,
    events: Vec<f64>,
    trials: Vec<f64>,
    terms: usize,
}

impl Merged {
    /// The different rows, in the order in which they are met; nothing where that does not make them half as many.
    pub(in crate::stats) fn of(observations: &Observations<'_>) -> Option<Merged> {
        if observations.rows() < WORTH_IT {
            return None;
        }
        let mut merged = Merged { terms: observations.terms, ..Merged::default() };
        let mut known: HashMap<u64, Vec<u32>, FxBuildHasher> = HashMap::default();
        for row in 0..observations.rows() {
            if merged.trials.len() * 2 > observations.rows() {
                return None;
            }
            let terms = observations.row(row);
            let alike = known.entry(hash(terms)).or_default();
            let at = alike.iter().map(|at| *at as usize).find(|at| same(merged.row(*at), terms)).unwrap_or_else(|| {
                let next = merged.trials.len();
                alike.push(u32::try_from(next).unwrap_or(u32::MAX));
                merged.design.extend_from_slice(terms);
                merged.events.push(0.0);
                merged.trials.push(0.0);
                next
            });
            merged.events[at] += observations.events[row];
            merged.trials[at] += observations.trials[row];
        }
        Some(merged)
    }

    fn row(&self, row: usize) -> &[f64] {
        &self.design[row * self.terms..(row + 1) * self.terms]
    }

    /// As rows of a regression, of no cluster.
    pub(in crate::stats) fn observations(&self) -> Observations<'_> {
        Observations {
            design: &self.design,
            terms: self.terms,
            events: &self.events,
            trials: &self.trials,
            clusters: &NO_CLUSTERS,
        }
    }
}

fn hash(terms: &[f64]) -> u64 {
    let mut hasher = FxHasher::default();
    terms.iter().for_each(|term| hasher.write_u64(term.to_bits()));
    hasher.finish()
}

fn same(one: &[f64], other: &[f64]) -> bool {
    one.iter().zip(other).all(|(one, other)| one.to_bits() == other.to_bits())
}

#[cfg(test)]
mod tests {
    use super::super::rows::Sparse;
    use super::*;

    #[test]
    fn rows_alike_become_one() {
        let rows = 3 * WORTH_IT;
        let design: Vec<f64> = (0..rows).flat_map(|row| [1.0, (row % 3) as f64]).collect();
        let events: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(row % 6 == 0))).collect();
        let (trials, clusters) = (vec![1.0; rows], vec![0; rows]);
        let all = Observations { design: &design, terms: 2, events: &events, trials: &trials, clusters: &clusters };
        let merged = Merged::of(&all).unwrap();
        assert_eq!(merged.design, [1.0, 0.0, 1.0, 1.0, 1.0, 2.0]);
        assert_eq!(merged.trials, [WORTH_IT as f64; 3]);
        assert_eq!(merged.events, [WORTH_IT as f64 / 2.0, 0.0, 0.0]);
        let coefficients = [-1.5, 0.25];
        let (one, other) =
            (Sparse::of(&all).moments(&coefficients), Sparse::of(&merged.observations()).moments(&coefficients));
        assert!((one.log_likelihood / other.log_likelihood - 1.0).abs() < 1e-12);
        // Rows that all differ stay as they are.
        let different: Vec<f64> = (0..2 * rows).map(|at| at as f64).collect();
        assert_eq!(Merged::of(&Observations { design: &different, ..all }), None);
        let few =
            Observations { design: &[1.0, 1.0], terms: 1, events: &[0.0, 1.0], trials: &[1.0; 2], clusters: &[0; 2] };
        assert_eq!(Merged::of(&few), None);
    }
}
