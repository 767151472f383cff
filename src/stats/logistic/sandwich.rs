//! Cluster-robust covariance: information⁻¹ · (Σ over clusters of the square of the cluster's score) · information⁻¹.

use super::Observations;
use super::cholesky::product;
use super::climb::{Likelihood, Point};
use super::rows::{Nonzero, add, fold, mirror, risk};
use rayon::prelude::*;

/// The sandwich without any small-sample factor, and how many clusters it rests on.
#[derive(Debug, Clone)]
pub(super) struct Sandwich {
    pub(super) covariance: Vec<f64>,
    pub(super) clusters: u64,
    /// Clusters that have the term at all (a value other than 0), for each term.
    pub(super) clusters_with_term: Vec<u64>,
}

struct Sums {
    meat: Vec<f64>,
    clusters: u64,
    clusters_with_term: Vec<u64>,
    score: Vec<f64>,
    seen: Vec<bool>,
    nonzero: Nonzero,
}

impl Sums {
    fn new(size: usize) -> Sums {
        Sums {
            meat: vec![0.0; size * size],
            clusters: 0,
            clusters_with_term: vec![0; size],
            score: vec![0.0; size],
            seen: vec![false; size],
            nonzero: Nonzero::default(),
        }
    }

    fn take(&mut self, cluster: &[u32], rows: &Rows) {
        self.score.fill(0.0);
        self.seen.fill(false);
        for &row in cluster {
            let row = row as usize;
            self.nonzero.gather(rows.observations.row(row));
            let residual = rows.residual(row, &self.nonzero);
            self.nonzero.add_to(&mut self.score, residual);
            self.nonzero.entries().for_each(|(term, _)| self.seen[term] = true);
        }
        self.clusters += 1;
        self.clusters_with_term.iter_mut().zip(&self.seen).for_each(|(count, seen)| *count += u64::from(*seen));
        self.nonzero.gather(&self.score);
        self.nonzero.add_square_to(&mut self.meat, rows.observations.terms, 1.0);
    }

    fn merge(&mut self, part: &Sums) {
        add(&mut self.meat, &part.meat);
        self.clusters += part.clusters;
        self.clusters_with_term.iter_mut().zip(&part.clusters_with_term).for_each(|(t, p)| *t += p);
    }
}

/// The rows at the top of the climb.
struct Rows<'a> {
    observations: &'a Observations<'a>,
    likelihood: Likelihood,
    top: &'a Point,
}

impl Rows<'_> {
    /// What a row adds to the score, for each unit of a term. With Firth's penalty a row's part of the penalty
    /// (leverage · (½ − p)) belongs to it, so that the scores of all clusters still add up to zero.
    fn residual(&self, row: usize, nonzero: &Nonzero) -> f64 {
        let (events, trials) = (self.observations.events[row], self.observations.trials[row]);
        let (p, q) = risk(nonzero.dot(&self.top.coefficients));
        let plain = events * q - (trials - events) * p;
        match self.likelihood {
            Likelihood::Plain => plain,
            Likelihood::Firth => {
                let leverage = trials * p * q * nonzero.square(&self.top.inverse, self.observations.terms);
                plain + leverage * (q - p) / 2.0
            }
        }
    }
}

/// The sandwich at the top of a climb.
pub(super) fn sandwich(observations: &Observations, likelihood: Likelihood, top: &Point) -> Sandwich {
    let size = observations.terms;
    let order = by_cluster(observations);
    let clusters: Vec<&[u32]> =
        order.chunk_by(|&a, &b| observations.clusters[a as usize] == observations.clusters[b as usize]).collect();
    let rows = Rows { observations, likelihood, top };
    let mut sums = fold(
        clusters.len(),
        || Sums::new(size),
        |sums, cluster| sums.take(clusters[cluster], &rows),
        |total, part| total.merge(&part),
    );
    mirror(&mut sums.meat, size);
    let covariance = product(&product(&top.inverse, &sums.meat, size), &top.inverse, size);
    Sandwich { covariance, clusters: sums.clusters, clusters_with_term: sums.clusters_with_term }
}

/// Rows with trials, cluster by cluster, each in the order of the rows.
fn by_cluster(observations: &Observations) -> Vec<u32> {
    let rows = u32::try_from(observations.rows()).unwrap_or(u32::MAX);
    let mut order: Vec<u32> = (0..rows).filter(|&row| observations.trials[row as usize] > 0.0).collect();
    if !order.is_sorted_by_key(|&row| observations.clusters[row as usize]) {
        order.par_sort_by_key(|&row| observations.clusters[row as usize]);
    }
    order
}
