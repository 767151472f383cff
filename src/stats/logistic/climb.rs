//! The way up the (penalised) log-likelihood: Newton's steps, halved when they overshoot.

use super::cholesky::{COLLINEAR, Cholesky, SINGULAR};
use super::{FitProblem, Observations, separation};

/// What is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// The likelihood itself.
    Plain,
    /// The likelihood with Firth's penalty ½·ln|information|.
    Firth,
}

/// Newton ends in about six steps; where it has not after forty, there is nothing to arrive at. Firth's steps, which
/// leave the curvature of the penalty out, are more and smaller.
const PLAIN_STEPS: u32 = 40;
const FIRTH_STEPS: u32 = 500;
/// Arrived: no linear predictor moves by more than this.
const STILL: f64 = 1e-9;
/// Where weights are tiny (a term held far out), rounding keeps the steps above that; then this is near enough, once
/// they have stopped getting smaller.
const NEARLY_STILL: f64 = 1e-5;
/// No linear predictor moves further than this in one step.
const LARGEST_STRIDE: f64 = 10.0;

/// A place on the hill.
pub(in crate::stats) struct Point {
    pub(in crate::stats) coefficients: Vec<f64>,
    pub(in crate::stats) objective: f64,
    pub(in crate::stats) log_likelihood: f64,
    pub(in crate::stats) score: Vec<f64>,
    pub(in crate::stats) inverse: Vec<f64>,
    information: Vec<f64>,
}

/// One climb: over which rows, up which hill, and with which term held where it starts.
#[derive(Clone, Copy)]
pub(in crate::stats) struct Climb<'a> {
    pub(in crate::stats) observations: &'a Observations<'a>,
    pub(in crate::stats) likelihood: Likelihood,
    pub(in crate::stats) held: Option<usize>,
}

impl Climb<'_> {
    /// Climbs from `start`; returns the top and the number of steps.
    pub(in crate::stats) fn run(&self, start: Vec<f64>) -> Result<(Point, u32), FitProblem> {
        let limit = if self.likelihood == Likelihood::Plain { PLAIN_STEPS } else { FIRTH_STEPS };
        let stuck = FitProblem::NotConverged { iterations: limit };
        // Where a term is held far out, all weights are tiny: that is no collinearity.
        let tolerance = if self.held.is_none() { COLLINEAR } else { SINGULAR };
        let mut here = self.point(start, tolerance).map_err(|term| FitProblem::Collinear { term })?;
        let mut last_reach = f64::INFINITY;
        for iteration in 1..=limit {
            let direction = self.direction(&here).ok_or(stuck.clone())?;
            let reach = self.observations.largest_move(&direction);
            let stalled = reach <= NEARLY_STILL && reach >= 0.999 * last_reach;
            if reach <= STILL || stalled {
                return Ok((here, iteration));
            }
            last_reach = reach;
            if self.likelihood == Likelihood::Plain {
                separation::look(self.observations, &direction, &here.coefficients)?;
            }
            let stride = (LARGEST_STRIDE / reach).min(1.0);
            match self.step(&here, &direction, stride) {
                Some(next) => here = next,
                // Nowhere higher to go, to rounding: this is the top.
                None if reach <= NEARLY_STILL => return Ok((here, iteration)),
                None => return Err(stuck),
            }
        }
        Err(stuck)
    }

    fn point(&self, coefficients: Vec<f64>, tolerance: f64) -> Result<Point, usize> {
        let observations = self.observations;
        let moments = observations.moments(&coefficients);
        let factor = Cholesky::new(&moments.information, observations.terms, tolerance)?;
        let inverse = factor.inverse();
        let (mut objective, mut score) = (moments.log_likelihood, moments.score);
        if self.likelihood == Likelihood::Firth {
            objective += factor.ln_determinant() / 2.0;
            super::rows::add(&mut score, &observations.penalty_score(&coefficients, &inverse));
        }
        let (log_likelihood, information) = (moments.log_likelihood, moments.information);
        Ok(Point { coefficients, objective, log_likelihood, score, inverse, information })
    }

    /// Information⁻¹·score, over the terms that are free.
    fn direction(&self, here: &Point) -> Option<Vec<f64>> {
        let size = self.observations.terms;
        let free: Vec<usize> = (0..size).filter(|&term| Some(term) != self.held).collect();
        let score: Vec<f64> = free.iter().map(|&term| here.score[term]).collect();
        let information: Vec<f64> = free
            .iter()
            .flat_map(|&row| free.iter().map(move |&column| here.information[row * size + column]))
            .collect();
        let solved = Cholesky::new(&information, free.len(), SINGULAR).ok()?.solve(&score);
        let mut direction = vec![0.0; size];
        free.iter().zip(solved).for_each(|(&term, step)| direction[term] = step);
        Some(direction)
    }

    /// The next place, no lower than here: the stride is halved until it is.
    fn step(&self, here: &Point, direction: &[f64], mut stride: f64) -> Option<Point> {
        let floor = here.objective - 1e-12 * (1.0 + here.objective.abs());
        for _ in 0..40 {
            let next = here.coefficients.iter().zip(direction).map(|(c, d)| c + stride * d).collect();
            match self.point(next, SINGULAR) {
                Ok(point) if point.objective >= floor => return Some(point),
                _ => stride /= 2.0,
            }
        }
        None
    }
}
