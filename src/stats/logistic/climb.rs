//! The way up the (penalised) log-likelihood: Newton's steps, halved when they overshoot.

use super::cholesky::{COLLINEAR, Cholesky, SINGULAR};
use super::rows::{Moments, Sparse, add};
use super::{FitProblem, separation};

/// What is maximised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Likelihood {
    /// The likelihood itself.
    Plain,
    /// The likelihood with Firth's penalty ½·ln|information|.
    Firth,
}

/// Newton ends in about six steps; where it has not after forty, there is nothing to arrive at. Firth's steps, which
/// take the penalty for additional trials, need more.
const PLAIN_STEPS: u32 = 40;
const FIRTH_STEPS: u32 = 500;
/// Arrived: no linear predictor moves by more than this.
const STILL: f64 = 1e-9;
/// Where weights are tiny (a term held far out), rounding keeps the steps above that; then this is near enough, once
/// they have stopped getting smaller.
const NEARLY_STILL: f64 = 1e-5;
/// Steps of which each is this share of the last have stopped getting smaller.
const STALLED: f64 = 0.999;
/// Steps of which each is this share of the last get smaller slowly.
const SLOW: f64 = 0.5;
/// No linear predictor moves further than this in one step.
const LARGEST_STRIDE: f64 = 10.0;

/// A place on the hill.
pub(in crate::stats) struct Point {
    pub(in crate::stats) coefficients: Vec<f64>,
    pub(in crate::stats) objective: f64,
    pub(in crate::stats) log_likelihood: f64,
    pub(in crate::stats) score: Vec<f64>,
    pub(in crate::stats) inverse: Vec<f64>,
    curvature: Vec<f64>,
}

/// One climb: over which rows, up which hill, and with which term held where it starts.
#[derive(Clone, Copy)]
pub(in crate::stats) struct Climb<'a> {
    pub(in crate::stats) rows: &'a Sparse<'a>,
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
        let (mut last_reach, mut was_long) = (f64::INFINITY, true);
        for iteration in 1..=limit {
            let direction = self.direction(&here).ok_or(stuck.clone())?;
            let reach = self.rows.largest_move(&direction);
            let shrinks = reach / last_reach;
            if reach <= STILL || (reach <= NEARLY_STILL && shrinks >= STALLED && !was_long) {
                return Ok((here, iteration));
            }
            if self.likelihood == Likelihood::Plain {
                separation::look(self.rows, &direction, &here.coefficients)?;
            }
            // Steps that shrink slowly would add up to 1/(1 − ratio) of this one: it is taken that long, every other
            // time.
            let slow = self.likelihood == Likelihood::Firth && (SLOW..STALLED).contains(&shrinks);
            was_long = slow && !was_long;
            let stride = if was_long { (1.0 - shrinks).recip() } else { 1.0 };
            match self.step(&here, &direction, stride.min(LARGEST_STRIDE / reach)) {
                Some(next) => here = next,
                // Nowhere higher to go, to rounding: this is the top.
                None if reach <= NEARLY_STILL => return Ok((here, iteration)),
                None => return Err(stuck),
            }
            last_reach = reach;
        }
        Err(stuck)
    }

    fn point(&self, coefficients: Vec<f64>, tolerance: f64) -> Result<Point, usize> {
        let moments = self.rows.moments(&coefficients);
        let factor = Cholesky::new(&moments.information, self.rows.observations.terms, tolerance)?;
        let inverse = factor.inverse();
        let Moments { log_likelihood, mut score, information: mut curvature } = moments;
        let mut objective = log_likelihood;
        if self.likelihood == Likelihood::Firth {
            objective += factor.ln_determinant() / 2.0;
            let (penalty_score, penalty_curvature) = self.rows.penalty(&coefficients, &inverse);
            add(&mut score, &penalty_score);
            add(&mut curvature, &penalty_curvature);
        }
        Ok(Point { coefficients, objective, log_likelihood, score, inverse, curvature })
    }

    /// Curvature⁻¹·score, over the terms that are free.
    fn direction(&self, here: &Point) -> Option<Vec<f64>> {
        let size = self.rows.observations.terms;
        let free: Vec<usize> = (0..size).filter(|&term| Some(term) != self.held).collect();
        let score: Vec<f64> = free.iter().map(|&term| here.score[term]).collect();
        let curvature: Vec<f64> =
            free.iter().flat_map(|&row| free.iter().map(move |&column| here.curvature[row * size + column])).collect();
        let solved = Cholesky::new(&curvature, free.len(), SINGULAR).ok()?.solve(&score);
        let mut direction = vec![0.0; size];
        free.iter().zip(solved).for_each(|(&term, step)| direction[term] = step);
        Some(direction)
    }

    /// The next place, higher than here by some of what the slope promises: the stride is halved until it is.
    fn step(&self, here: &Point, direction: &[f64], mut stride: f64) -> Option<Point> {
        let promised: f64 = here.score.iter().zip(direction).map(|(s, d)| s * d).sum();
        let rounding = 1e-12 * (1.0 + here.objective.abs());
        for _ in 0..40 {
            let next = here.coefficients.iter().zip(direction).map(|(c, d)| c + stride * d).collect();
            let enough = here.objective + 0.1 * stride * promised - rounding;
            match self.point(next, SINGULAR) {
                Ok(point) if point.objective >= enough => return Some(point),
                _ => stride /= 2.0,
            }
        }
        None
    }
}
