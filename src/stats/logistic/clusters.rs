//! Which rows of a regression belong together.

use super::Observations;
use std::fmt::Debug;

/// Some trials of a cluster that have the terms of one row.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    /// The row.
    pub row: u32,
    /// Events of these trials.
    pub events: f64,
    /// Trials.
    pub trials: f64,
}

/// The clusters of a regression: whose trials may be alike. A row may stand for trials of many clusters.
///
/// The simplest are numbers, the cluster of each row, in any order.
pub trait Clusters: Debug + Sync {
    /// Whether they are clusters of so many rows.
    fn fit(&self, rows: usize) -> bool;

    /// Parts that can be visited at the same time.
    fn parts(&self) -> usize;

    /// Hands over the clusters of a part one after another, those without trials left out, always in the same order.
    fn visit(&self, part: usize, observations: &Observations<'_>, take: &mut dyn FnMut(&[Member]));
}

impl<T: AsRef<[u32]> + Debug + Sync> Clusters for T {
    fn fit(&self, rows: usize) -> bool {
        self.as_ref().len() == rows
    }

    fn parts(&self) -> usize {
        1
    }

    fn visit(&self, _part: usize, observations: &Observations<'_>, take: &mut dyn FnMut(&[Member])) {
        let (clusters, trials) = (self.as_ref(), observations.trials);
        let mut order: Vec<(u32, u32)> = (0u32..).zip(clusters).map(|(row, cluster)| (*cluster, row)).collect();
        order.retain(|(_, row)| trials[*row as usize] > 0.0);
        order.sort_unstable();
        let member = |(_, row): &(u32, u32)| Member {
            row: *row,
            events: observations.events[*row as usize],
            trials: trials[*row as usize],
        };
        for cluster in order.chunk_by(|a, b| a.0 == b.0) {
            take(&cluster.iter().map(member).collect::<Vec<Member>>());
        }
    }
}
