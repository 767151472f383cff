//! Cluster-robust covariance: information⁻¹ · (Σ over clusters of the square of the cluster's score) · information⁻¹.

use super::Observations;
use super::cholesky::product;
use super::climb::{Likelihood, Point};
use super::clusters::Member;
use super::rows::{Sparse, add, mirror, risk};
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
    /// Score of the cluster at hand, by term; which terms it has, and a list of them.
    score: Vec<f64>,
    has: Vec<bool>,
    terms: Vec<usize>,
}

impl Sums {
    fn new(size: usize) -> Sums {
        Sums {
            meat: vec![0.0; size * size],
            clusters: 0,
            clusters_with_term: vec![0; size],
            score: vec![0.0; size],
            has: vec![false; size],
            terms: Vec::new(),
        }
    }

    /// Adds a cluster; only the terms that it has are looked at, few of many where a column has many levels.
    fn take(&mut self, cluster: &[Member], rows: &Rows) {
        for member in cluster {
            let row = &rows.0[member.row as usize];
            let residual = row.residual(member);
            for (term, value) in &row.nonzero {
                self.score[*term] += residual * value;
                if !self.has[*term] {
                    self.has[*term] = true;
                    self.terms.push(*term);
                }
            }
        }
        self.clusters += 1;
        self.terms.sort_unstable();
        for (at, term) in self.terms.iter().enumerate() {
            self.clusters_with_term[*term] += 1;
            let line = &mut self.meat[*term * self.score.len()..];
            self.terms[..=at].iter().for_each(|other| line[*other] += self.score[*term] * self.score[*other]);
        }
        for term in self.terms.drain(..) {
            (self.score[term], self.has[term]) = (0.0, false);
        }
    }

    fn merge(&mut self, part: &Sums) {
        add(&mut self.meat, &part.meat);
        self.clusters += part.clusters;
        self.clusters_with_term.iter_mut().zip(&part.clusters_with_term).for_each(|(t, p)| *t += p);
    }
}

/// A row at the top of the climb.
struct Row {
    nonzero: Vec<(usize, f64)>,
    p: f64,
    q: f64,
    /// Its part of the penalty, for each trial: leverage · (½ − p), so that the scores of all clusters still add up to
    /// zero.
    penalty: f64,
}

impl Row {
    /// What trials of the row add to the score, for each unit of a term.
    fn residual(&self, member: &Member) -> f64 {
        member.events * self.q - (member.trials - member.events) * self.p + member.trials * self.penalty
    }
}

struct Rows(Vec<Row>);

impl Rows {
    fn at(observations: &Observations, likelihood: Likelihood, top: &Point) -> Rows {
        let sparse = Sparse::of(observations);
        let row = |row: usize| {
            let nonzero = sparse.row(row);
            let (p, q) = risk(nonzero.dot(&top.coefficients));
            let penalty = match likelihood {
                Likelihood::Plain => 0.0,
                Likelihood::Firth => p * q * nonzero.square(&top.inverse, observations.terms) * (q - p) / 2.0,
            };
            Row { nonzero: nonzero.entries().collect(), p, q, penalty }
        };
        Rows((0..observations.rows()).into_par_iter().map(row).collect())
    }
}

/// The sandwich at the top of a climb.
pub(super) fn sandwich(observations: &Observations, likelihood: Likelihood, top: &Point) -> Sandwich {
    let (size, clusters) = (observations.terms, observations.clusters);
    let rows = Rows::at(observations, likelihood, top);
    let of_part = |part| {
        let mut sums = Sums::new(size);
        clusters.visit(part, observations, &mut |cluster| sums.take(cluster, &rows));
        sums
    };
    let parts: Vec<Sums> = (0..clusters.parts()).into_par_iter().map(of_part).collect();
    let mut sums = Sums::new(size);
    parts.iter().for_each(|part| sums.merge(part));
    mirror(&mut sums.meat, size);
    let covariance = product(&product(&top.inverse, &sums.meat, size), &top.inverse, size);
    Sandwich { covariance, clusters: sums.clusters, clusters_with_term: sums.clusters_with_term }
}
