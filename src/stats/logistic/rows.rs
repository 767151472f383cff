//! Passes over the rows of a regression. A row's zeros are skipped (most columns are 0/1 flags of a category), and
//! rows are taken in chunks of a fixed size whose sums are merged in order, so that the answer is the same on any
//! number of cores.

use super::{FitProblem, Observations};
use rayon::prelude::*;

const ROWS_PER_CHUNK: usize = 4096;

/// Sums over all rows that one chunk after another is added to.
pub(in crate::stats) fn fold<T: Send>(
    count: usize,
    start: impl Fn() -> T + Sync,
    visit: impl Fn(&mut T, usize) + Sync,
    mut merge: impl FnMut(&mut T, T),
) -> T {
    let chunks = count.div_ceil(ROWS_PER_CHUNK);
    let parts: Vec<T> = (0..chunks)
        .into_par_iter()
        .map(|chunk| {
            let mut sums = start();
            let first = chunk * ROWS_PER_CHUNK;
            (first..count.min(first + ROWS_PER_CHUNK)).for_each(|row| visit(&mut sums, row));
            sums
        })
        .collect();
    let mut total = start();
    parts.into_iter().for_each(|part| merge(&mut total, part));
    total
}

pub(in crate::stats) fn add(total: &mut [f64], part: &[f64]) {
    total.iter_mut().zip(part).for_each(|(t, p)| *t += p);
}

/// The terms of one row that are not zero.
#[derive(Clone, Copy)]
pub(in crate::stats) struct Nonzero<'r> {
    terms: &'r [u32],
    values: &'r [f64],
}

impl Nonzero<'_> {
    pub(in crate::stats) fn entries(&self) -> impl Iterator<Item = (usize, f64)> {
        self.terms.iter().map(|term| *term as usize).zip(self.values.iter().copied())
    }

    pub(in crate::stats) fn dot(&self, vector: &[f64]) -> f64 {
        self.entries().map(|(term, value)| value * vector[term]).sum()
    }

    /// Adds `weight · x` to a vector.
    pub(in crate::stats) fn add_to(&self, vector: &mut [f64], weight: f64) {
        self.entries().for_each(|(term, value)| vector[term] += weight * value);
    }

    /// Adds `weight · x·xᵀ` to the lower triangle of a matrix.
    pub(in crate::stats) fn add_square_to(&self, matrix: &mut [f64], size: usize, weight: f64) {
        for (at, (term, value)) in self.entries().enumerate() {
            let weighted = weight * value;
            let line = &mut matrix[term * size..=term * size + term];
            self.entries().take(at + 1).for_each(|(other, value)| line[other] += weighted * value);
        }
    }

    /// `xᵀ·M·x` for a symmetric matrix.
    pub(in crate::stats) fn square(&self, matrix: &[f64], size: usize) -> f64 {
        let mut total = 0.0;
        for (at, (term, own)) in self.entries().enumerate() {
            let line = &matrix[term * size..=term * size + term];
            let off: f64 = self.entries().take(at).map(|(other, value)| line[other] * value).sum();
            total += own * (2.0 * off + line[term] * own);
        }
        total
    }
}

/// Copies the lower triangle onto the upper one.
pub(in crate::stats) fn mirror(matrix: &mut [f64], size: usize) {
    for row in 0..size {
        for column in 0..row {
            matrix[column * size + row] = matrix[row * size + column];
        }
    }
}

/// The risk and its complement at a linear predictor, each without cancellation.
pub(in crate::stats) fn risk(logit: f64) -> (f64, f64) {
    let small = (-logit.abs()).exp();
    let (less, more) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if logit < 0.0 { (less, more) } else { (more, less) }
}

/// `events·ln p + (trials − events)·ln(1 − p)`.
fn log_likelihood(events: f64, trials: f64, logit: f64) -> f64 {
    let tail = (-logit.abs()).exp().ln_1p();
    let against = if logit > 0.0 { trials - events } else { events };
    -trials * tail - against * logit.abs()
}

/// Log-likelihood, its slope and its curvature at some coefficients.
pub(in crate::stats) struct Moments {
    pub(in crate::stats) log_likelihood: f64,
    pub(in crate::stats) score: Vec<f64>,
    pub(in crate::stats) information: Vec<f64>,
}

impl Observations<'_> {
    pub(in crate::stats) fn rows(&self) -> usize {
        self.trials.len()
    }

    pub(in crate::stats) fn row(&self, row: usize) -> &[f64] {
        &self.design[row * self.terms..(row + 1) * self.terms]
    }

    /// Checks the shape and the values, and adds up what is there.
    pub(in crate::stats) fn check(&self) -> Result<Totals, FitProblem> {
        let rows = self.rows();
        let fit = self.events.len() == rows && self.clusters.fit(rows);
        if self.terms == 0 || !fit || self.design.len() != rows * self.terms {
            return Err(FitProblem::Shape);
        }
        let totals = fold(rows, Totals::default, |totals, row| totals.take(self, row), Totals::merge);
        match totals.first_unusable {
            Some(row) => Err(FitProblem::Unusable { row }),
            None if whole(totals.trials) < self.terms => {
                Err(FitProblem::TooFewRows { trials: whole(totals.trials), terms: self.terms })
            }
            None => Ok(totals),
        }
    }

    /// Where the climb starts: at the overall risk when a column is constant, else at a risk of a half.
    pub(in crate::stats) fn start(&self, totals: &Totals) -> Vec<f64> {
        let mut start = vec![0.0; self.terms];
        let first = self.row(0);
        let constant = |term: usize| {
            first[term].abs() > 0.0 && (0..self.rows()).all(|row| (self.row(row)[term] - first[term]).abs() <= 0.0)
        };
        if let Some(term) = (0..self.terms).find(|&term| constant(term)) {
            // ½ on both sides keeps it finite when there is no event, or nothing else.
            start[term] = ((totals.events + 0.5) / (totals.trials - totals.events + 0.5)).ln() / first[term];
        }
        start
    }
}

/// The rows of a regression without their zeros: a climb goes over them some hundred times, and looks for them once.
pub(in crate::stats) struct Sparse<'a> {
    pub(in crate::stats) observations: &'a Observations<'a>,
    /// Where the entries of each row begin, and where the last end.
    starts: Vec<usize>,
    terms: Vec<u32>,
    values: Vec<f64>,
}

impl<'a> Sparse<'a> {
    pub(in crate::stats) fn of(observations: &'a Observations<'a>) -> Sparse<'a> {
        let (mut starts, mut terms, mut values) = (vec![0], Vec::new(), Vec::new());
        for row in 0..observations.rows() {
            for (term, &value) in (0u32..).zip(observations.row(row)).filter(|(_, value)| value.abs() > 0.0) {
                terms.push(term);
                values.push(value);
            }
            starts.push(terms.len());
        }
        Sparse { observations, starts, terms, values }
    }

    pub(in crate::stats) fn row(&self, row: usize) -> Nonzero<'_> {
        let range = self.starts[row]..self.starts[row + 1];
        Nonzero { terms: &self.terms[range.clone()], values: &self.values[range] }
    }

    /// A row with its events and trials; nothing for a row without trials.
    pub(in crate::stats) fn read(&self, row: usize) -> Option<(Nonzero<'_>, f64, f64)> {
        let trials = self.observations.trials[row];
        (trials > 0.0).then(|| (self.row(row), self.observations.events[row], trials))
    }

    pub(in crate::stats) fn moments(&self, coefficients: &[f64]) -> Moments {
        let size = self.observations.terms;
        let empty = || Moments { log_likelihood: 0.0, score: vec![0.0; size], information: vec![0.0; size * size] };
        let mut total = fold(
            self.observations.rows(),
            empty,
            |sums, row| {
                let Some((nonzero, events, trials)) = self.read(row) else { return };
                let logit = nonzero.dot(coefficients);
                let (p, q) = risk(logit);
                sums.log_likelihood += log_likelihood(events, trials, logit);
                nonzero.add_to(&mut sums.score, events * q - (trials - events) * p);
                nonzero.add_square_to(&mut sums.information, size, trials * p * q);
            },
            |total, part| {
                total.log_likelihood += part.log_likelihood;
                add(&mut total.score, &part.score);
                add(&mut total.information, &part.information);
            },
        );
        mirror(&mut total.information, size);
        total
    }

    /// What Firth's penalty adds, where h is the leverage of a row: Σ h·(½ − p)·x to the score, and, as if each row
    /// had h more trials, Σ h·p(1 − p)·x·xᵀ to the information. The latter only sets the length of the steps.
    pub(in crate::stats) fn penalty(&self, coefficients: &[f64], inverse: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let size = self.observations.terms;
        let (score, mut information) = fold(
            self.observations.rows(),
            || (vec![0.0; size], vec![0.0; size * size]),
            |(score, information), row| {
                let Some((nonzero, _, trials)) = self.read(row) else { return };
                let (p, q) = risk(nonzero.dot(coefficients));
                let leverage = trials * p * q * nonzero.square(inverse, size);
                nonzero.add_to(score, leverage * (q - p) / 2.0);
                nonzero.add_square_to(information, size, leverage * p * q);
            },
            |total, part| {
                add(&mut total.0, &part.0);
                add(&mut total.1, &part.1);
            },
        );
        mirror(&mut information, size);
        (score, information)
    }

    /// Largest change of a linear predictor when the coefficients move along `direction`.
    pub(in crate::stats) fn largest_move(&self, direction: &[f64]) -> f64 {
        fold(
            self.observations.rows(),
            || 0.0_f64,
            |largest, row| {
                if let Some((nonzero, ..)) = self.read(row) {
                    *largest = largest.max(nonzero.dot(direction).abs());
                }
            },
            |total, part| *total = total.max(part),
        )
    }
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of trials are far below 2^53")]
fn whole(trials: f64) -> usize {
    trials as usize
}

/// What the rows add up to.
#[derive(Default)]
pub(in crate::stats) struct Totals {
    pub(in crate::stats) events: f64,
    pub(in crate::stats) trials: f64,
    first_unusable: Option<usize>,
}

impl Totals {
    fn take(&mut self, observations: &Observations, row: usize) {
        let (events, trials) = (observations.events[row], observations.trials[row]);
        let counts = trials.is_finite() && events >= 0.0 && events <= trials;
        if !counts || observations.row(row).iter().any(|value| !value.is_finite()) {
            self.first_unusable.get_or_insert(row);
            return;
        }
        self.events += events;
        self.trials += trials;
    }

    fn merge(&mut self, part: Totals) {
        self.events += part.events;
        self.trials += part.trials;
        self.first_unusable = self.first_unusable.or(part.first_unusable);
    }
}
