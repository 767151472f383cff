//! Separation: a combination of terms that never points against the data (no row without the event lies on its side
//! of the events, and no row with it on the other) can grow without end, so that maximum likelihood has no finite
//! answer (Albert & Anderson 1984). Newton's steps turn into that direction; here it is recognised and named, instead
//! of being reported as a huge coefficient with a huge error.

use super::rows::{Sparse, fold};
use super::{FitProblem, Observations};

/// A row may point against the direction by this share of the largest movement: Newton's step nears the direction,
/// and reaches it only to rounding.
const AGAINST: f64 = 1e-7;
/// Terms that carry less than this share of the movement are not named.
const CARRIED: f64 = 1e-3;

/// How far rows move along a direction, and how far the worst moves against its own events.
#[derive(Clone, Default)]
struct Reach {
    largest: f64,
    against: f64,
}

impl Reach {
    fn take(&mut self, moved: f64, events: f64, trials: f64) {
        self.largest = self.largest.max(moved.abs());
        let against = if events >= trials {
            -moved
        } else if events <= 0.0 {
            moved
        } else {
            moved.abs()
        };
        self.against = self.against.max(against);
    }

    fn merge(&mut self, part: &Reach) {
        self.largest = self.largest.max(part.largest);
        self.against = self.against.max(part.against);
    }

    fn separates(&self) -> bool {
        self.largest > 0.0 && self.against <= AGAINST * self.largest
    }
}

/// Says so when the step (any separation) or the coefficients so far (complete separation) separate the data.
pub(super) fn look(rows: &Sparse<'_>, step: &[f64], coefficients: &[f64]) -> Result<(), FitProblem> {
    let reaches = fold(
        rows.observations.rows(),
        || [Reach::default(), Reach::default()],
        |reaches, row| {
            if let Some((nonzero, events, trials)) = rows.read(row) {
                reaches[0].take(nonzero.dot(step), events, trials);
                reaches[1].take(nonzero.dot(coefficients), events, trials);
            }
        },
        |total, part| total.iter_mut().zip(&part).for_each(|(t, p)| t.merge(p)),
    );
    for (reach, direction) in reaches.iter().zip([step, coefficients]) {
        if reach.separates() {
            return Err(FitProblem::Separated { terms: carriers(rows.observations, direction) });
        }
    }
    Ok(())
}

/// The terms that carry the movement: those whose share of some row's movement is not negligible.
fn carriers(observations: &Observations, direction: &[f64]) -> Vec<usize> {
    let size = observations.terms;
    let shares = fold(
        observations.rows(),
        || vec![0.0_f64; size],
        |shares, row| {
            for (term, value) in observations.row(row).iter().enumerate() {
                shares[term] = shares[term].max((value * direction[term]).abs());
            }
        },
        |total, part| total.iter_mut().zip(part).for_each(|(t, p)| *t = t.max(p)),
    );
    let largest = shares.iter().copied().fold(0.0, f64::max);
    (0..size).filter(|&term| shares[term] > CARRIED * largest).collect()
}
