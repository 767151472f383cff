//! Firth's penalised logistic regression: for rare events, and where terms tell the events apart without error. Its
//! methods are listed with those of [`super::logistic`].

use super::distributions::chi_square_sf;
use super::logistic::climb::{Climb, Point};
use super::logistic::merged::Merged;
use super::logistic::rows::Sparse;
use super::logistic::{Fit, FitProblem, Likelihood, Observations, climb_to_fit};
use super::{Estimate, Level, Test};

const PROFILE: &str = "logistic_firth_profile";
/// A log odds beyond this is infinite.
const ENDLESS: f64 = 700.0;
/// A place that cannot be reached in one go is gone to by halves, until so many goes have failed.
const MOST_FAILURES: u32 = 12;
/// A place that is higher than the end by less than this (in twice the log-likelihood) is the end itself.
const HIGHER: f64 = 1e-5;
/// With more events (or non-events, where they are fewer) for each term no lower top was met in a thousand random tables.
const EVENTS_PER_TERM: f64 = 2.0;
/// How often an end may turn out to lie on the way to a lower top.
const MOST_ENDS: u32 = 20;
/// An end is found when it moves by less than this.
const SETTLED: f64 = 1e-9;

/// Firth's fit: maximises ln L + ½·ln|X'WX|, which takes out the small-sample bias of maximum likelihood and is finite
/// for every table, also without events, with events only, and with separation (Firth 1993; Kosmidis & Firth 2021).
///
/// Errors come from the information at the coefficients, as in R's brglm2; the cluster-robust ones are the sandwich of
/// the penalised score, in which each row carries its own part of the penalty. Near complete separation use
/// [`profile`].
///
/// ```
/// use stipple::stats::firth::fit;
/// use stipple::stats::logistic::Observations;
///
/// // 0 events of 10 and 5 of 10: as if ½ were added to each of the four cells: 5.5·10.5/(5.5·0.5) = 21.
/// let rows = Observations {
///     design: &[1.0, 0.0, 1.0, 1.0],
///     terms: 2,
///     events: &[0.0, 5.0],
///     trials: &[10.0, 10.0],
///     clusters: &[0, 1],
/// };
/// assert!((fit(&rows).unwrap().coefficients[1] - 21.0_f64.ln()).abs() < 1e-6);
/// ```
///
/// # Errors
/// [`FitProblem`]: the data cannot carry the model, and why.
pub fn fit(observations: &Observations) -> Result<Fit, FitProblem> {
    let totals = observations.check()?;
    climb_to_fit(observations, &totals, Likelihood::Firth)
}

/// What the profile of the penalised likelihood says about one term.
#[derive(Debug, Clone, PartialEq)]
pub struct Profile {
    /// Odds ratio for one unit of the term, with its profile interval.
    pub odds_ratio: Estimate,
    /// Test that the term does nothing; its statistic is the root of the likelihood ratio, with the sign of the
    /// coefficient.
    pub test: Test,
}

/// Profile penalised-likelihood interval and likelihood-ratio test of one term of a Firth fit of the same rows
/// (Heinze & Schemper 2002).
///
/// All other terms are fitted anew for each value that is tried, so that it costs some fifty passes over the different
/// rows.
/// The rows are taken as independent.
#[must_use]
pub fn profile(observations: &Observations, fit: &Fit, term: usize, level: Level) -> Profile {
    let refused = |reason: &str| Profile {
        odds_ratio: Estimate::not_estimable(PROFILE, level, reason),
        test: Test::not_estimable(PROFILE, reason),
    };
    let Some(top) = fit.penalised_log_likelihood else { return refused("the fit is not penalised") };
    if observations.check().is_err() || observations.terms != fit.terms() || term >= fit.terms() {
        return refused("the model has no such term");
    }
    let merged = Merged::of(observations);
    let different = merged.as_ref().map(Merged::observations);
    let rows = different.as_ref().unwrap_or(observations);
    let sparse = Sparse::of(rows);
    let climb = Climb { rows: &sparse, likelihood: Likelihood::Firth, held: Some(term) };
    let hill = Hill { climb, term, top, fit };
    Profile { odds_ratio: hill.interval(level), test: hill.test() }
}

/// The penalised log-likelihood along one term, the others fitted anew at each place.
struct Hill<'a> {
    climb: Climb<'a>,
    term: usize,
    top: f64,
    fit: &'a Fit,
}

/// A place on the profile: twice how far it lies below the top, and how steep that is.
struct Place {
    at: f64,
    drop: f64,
    slope: f64,
    coefficients: Vec<f64>,
}

impl Hill<'_> {
    /// The best place with the term at `at`, reached from one near by; from further away in stages.
    fn place(&self, at: f64, near: &[f64]) -> Result<Place, FitProblem> {
        let (mut from, mut next, mut failures) = (near.to_vec(), at, 0);
        loop {
            match self.place_directly(next, &from) {
                Ok(place) if (next - at).abs() <= 0.0 => return Ok(place),
                Ok(place) => {
                    from = place.coefficients;
                    next = at;
                }
                Err(problem) if failures >= MOST_FAILURES => return Err(problem),
                Err(_) => {
                    failures += 1;
                    next = f64::midpoint(from[self.term], next);
                }
            }
        }
    }

    fn place_directly(&self, at: f64, near: &[f64]) -> Result<Place, FitProblem> {
        let mut start = near.to_vec();
        start[self.term] = at;
        let (Point { coefficients, objective, score, .. }, _) = self.climb.run(start)?;
        let drop = (2.0 * (self.top - objective)).max(0.0);
        Ok(Place { at, drop, slope: -2.0 * score[self.term], coefficients })
    }

    /// The highest of the places with the term where `followed` has it. Where events are few the penalised likelihood
    /// has several tops, and the one that was followed from the fit is not always the highest: an interval would end
    /// too soon.
    fn highest(&self, followed: Place) -> Place {
        let fewer = self.fit.events.min(self.fit.trials - self.fit.events);
        if fewer > EVENTS_PER_TERM * f64::from(u32::try_from(self.fit.terms()).unwrap_or(u32::MAX)) {
            return followed;
        }
        let flat = vec![0.0; self.fit.terms()];
        let mirrored = self.fit.coefficients.iter().map(|coefficient| -coefficient).collect();
        let others = [&self.fit.coefficients, &flat, &mirrored].map(|start| self.place_directly(followed.at, start));
        let lower = |best: Place, other: Place| if other.drop < best.drop { other } else { best };
        others.into_iter().flatten().fold(followed, lower)
    }

    fn coefficient(&self) -> f64 {
        self.fit.coefficients[self.term]
    }

    fn test(&self) -> Test {
        match self.place(0.0, &self.fit.coefficients).map(|place| self.highest(place)) {
            Ok(place) => Test {
                statistic: Some(place.drop.sqrt().copysign(self.coefficient())),
                p_value: Some(chi_square_sf(place.drop, 1.0)),
                method: PROFILE,
                warning: None,
            },
            Err(problem) => Test::not_estimable(PROFILE, &problem.to_string()),
        }
    }

    fn interval(&self, level: Level) -> Estimate {
        let (low, high) = (self.end(level, -1.0), self.end(level, 1.0));
        let warning = match (&low, &high) {
            (Err(problem), _) | (_, Err(problem)) => Some(format!("not_estimable: an end of the interval: {problem}")),
            (Ok(low), Ok(high)) if low.is_infinite() || high.is_infinite() => {
                Some("no_end: the data do not bound the odds ratio on one side".to_owned())
            }
            _ => None,
        };
        Estimate {
            value: Some(self.coefficient().exp()),
            low: low.ok().map(f64::exp),
            high: high.ok().map(f64::exp),
            level: level.value(),
            method: PROFILE,
            numerator: Some(self.fit.events),
            denominator: Some(self.fit.trials),
            warning,
        }
    }

    /// Where the profile has dropped by χ²₁ of the level, on the side −1 or +1 of the top.
    fn end(&self, level: Level, side: f64) -> Result<f64, FitProblem> {
        let wanted = level.z() * level.z();
        let mut inner = self.coefficient();
        let error = self.fit.standard_error(self.term, super::logistic::Covariance::Model).unwrap_or(1.0);
        let mut outer = self.place(inner + side * level.z() * error.max(SETTLED), &self.fit.coefficients)?;
        for _ in 0..MOST_ENDS {
            while outer.drop < wanted {
                inner = outer.at;
                let distance = (inner - self.coefficient()).abs();
                let newton = (wanted - outer.drop) / outer.slope.abs();
                let stride = newton.clamp(0.1 * distance, distance);
                if (inner + side * stride).abs() > ENDLESS {
                    return Ok(side * f64::INFINITY);
                }
                outer = self.place(inner + side * stride, &outer.coefficients)?;
            }
            let followed = self.between(inner, outer, wanted)?;
            outer = self.highest(followed);
            if outer.drop > wanted - HIGHER {
                return Ok(outer.at);
            }
        }
        Err(FitProblem::NotConverged { iterations: MOST_ENDS })
    }

    /// Newton's steps between a place that is too near and one that is too far; halves where a step would leave them.
    fn between(&self, mut inner: f64, mut here: Place, wanted: f64) -> Result<Place, FitProblem> {
        let mut outer = here.at;
        for _ in 0..100 {
            if here.drop < wanted {
                inner = here.at;
            } else {
                outer = here.at;
            }
            let newton = here.at - (here.drop - wanted) / here.slope;
            let inside = (newton - inner) * (newton - outer) < 0.0;
            let next = if inside { newton } else { f64::midpoint(inner, outer) };
            if (next - here.at).abs() <= SETTLED * next.abs().max(1.0) {
                return Ok(Place { at: next, ..here });
            }
            here = self.place(next, &here.coefficients)?;
        }
        Err(FitProblem::NotConverged { iterations: 100 })
    }
}

#[cfg(test)]
mod tests {
    use super::super::logistic::Covariance;
    use super::*;

    /// Two groups of counts.
    fn groups<'a>(events: &'a [f64; 2], trials: &'a [f64; 2]) -> Observations<'a> {
        Observations { design: &[1.0, 0.0, 1.0, 1.0], terms: 2, events, trials, clusters: &[0, 1] }
    }

    fn close(seen: f64, expected: f64, tolerance: f64) {
        assert!((seen - expected).abs() <= tolerance * expected.abs().max(1.0), "{seen} is not {expected}");
    }

    /// The penalised log-likelihood of two groups, by hand: |X'WX| = w₀·w₁ with w = n·p(1−p), so that the penalty
    /// adds ½ to every cell. The best intercept for a given log odds ratio is found by halving.
    fn profile_by_hand(events: &[f64; 2], trials: &[f64; 2], log_odds_ratio: f64) -> f64 {
        let risk = |logit: f64| 1.0 / (1.0 + (-logit).exp());
        let cells = [0, 1].map(|group| (events[group] + 0.5, trials[group] - events[group] + 0.5));
        let slope = |intercept: f64| {
            let logits = [intercept, intercept + log_odds_ratio];
            (0..2).map(|g| cells[g].0 - (cells[g].0 + cells[g].1) * risk(logits[g])).sum::<f64>()
        };
        let (mut low, mut high) = (-60.0, 60.0);
        for _ in 0..200 {
            let middle = f64::midpoint(low, high);
            if slope(middle) > 0.0 { low = middle } else { high = middle }
        }
        let logits = [low, low + log_odds_ratio];
        (0..2).map(|g| cells[g].0 * risk(logits[g]).ln() + cells[g].1 * risk(-logits[g]).ln()).sum()
    }

    #[test]
    fn the_profile_of_a_two_by_two_is_that_of_its_cells_plus_a_half() {
        for (events, trials) in
            [([0.0, 5.0], [10.0, 10.0]), ([3.0, 1.0], [40.0, 9.0]), ([0.0, 0.0], [20.0, 5.0]), ([4.0, 4.0], [4.0, 4.0])]
        {
            let observations = groups(&events, &trials);
            let fit = fit(&observations).unwrap();
            let cell = |g: usize| (events[g] + 0.5) / (trials[g] - events[g] + 0.5);
            close(fit.coefficients[1], (cell(1) / cell(0)).ln(), 1e-7);
            let top = profile_by_hand(&events, &trials, (cell(1) / cell(0)).ln());
            for level in [Level::new(0.8).unwrap(), Level::P95, Level::new(0.99).unwrap()] {
                let found = profile(&observations, &fit, 1, level);
                assert_eq!(found.odds_ratio.warning, None);
                for end in [found.odds_ratio.low.unwrap(), found.odds_ratio.high.unwrap()] {
                    let drop = 2.0 * (top - profile_by_hand(&events, &trials, end.ln()));
                    close(drop, level.z() * level.z(), 1e-6);
                }
                assert!(
                    found.odds_ratio.low < found.odds_ratio.value && found.odds_ratio.value < found.odds_ratio.high
                );
                // Likelihood ratio against one common risk.
                let drop = 2.0 * (top - profile_by_hand(&events, &trials, 0.0));
                close(found.test.p_value.unwrap(), chi_square_sf(drop, 1.0), 1e-6);
            }
        }
    }

    #[test]
    fn an_intercept_adds_half_an_event_and_half_a_non_event() {
        // 0 of 9: p = 0.5/10.
        let rows = Observations { design: &[1.0], terms: 1, events: &[0.0], trials: &[9.0], clusters: &[0] };
        let fitted = fit(&rows).unwrap();
        close(fitted.predict(&[1.0], Covariance::Model, Level::P95).value.unwrap(), 0.05, 1e-8);
        // With one term there is none left to fit anew.
        let found = profile(&rows, &fitted, 0, Level::P95);
        // ½·ln p + 9½·ln(1 − p) lies z²/2 below its top at both ends.
        let height = |odds: f64| 0.5 * (odds / (1.0 + odds)).ln() - 9.5 * (1.0 + odds).ln();
        for end in [found.odds_ratio.low.unwrap(), found.odds_ratio.high.unwrap()] {
            close(2.0 * (height(0.05 / 0.95) - height(end)), Level::P95.z().powi(2), 1e-7);
        }
        // One trial, without the event: 0.5/2.
        let one = Observations { trials: &[1.0], ..rows };
        close(fit(&one).unwrap().predict(&[1.0], Covariance::Model, Level::P95).value.unwrap(), 0.25, 1e-8);
    }

    #[test]
    fn what_has_no_profile_says_why() {
        let (events, trials) = ([2.0, 5.0], [10.0, 10.0]);
        let observations = groups(&events, &trials);
        let plain = super::super::logistic::fit(&observations).unwrap();
        let penalised = fit(&observations).unwrap();
        let none = Observations { trials: &[], events: &[], clusters: &[], design: &[], terms: 2 };
        assert_eq!(fit(&none).unwrap_err(), FitProblem::TooFewRows { trials: 0, terms: 2 });
        for refused in [
            profile(&observations, &plain, 1, Level::P95),
            profile(&observations, &penalised, 2, Level::P95),
            profile(&none, &penalised, 1, Level::P95),
        ] {
            assert_eq!((refused.odds_ratio.value, refused.test.p_value), (None, None));
            assert!(refused.odds_ratio.warning.unwrap().starts_with("not_estimable: "));
        }
    }

    #[test]
    fn a_million_trials_leave_no_trace_of_the_penalty() {
        let (events, trials) = ([50_000.0, 100_000.0], [500_000.0, 500_000.0]);
        let observations = groups(&events, &trials);
        let (plain, penalised) = (super::super::logistic::fit(&observations).unwrap(), fit(&observations).unwrap());
        close(penalised.coefficients[1], plain.coefficients[1], 1e-4);
        let found = profile(&observations, &penalised, 1, Level::P95).odds_ratio;
        let wald = penalised.odds_ratio(1, Covariance::Model, Level::P95);
        close(found.low.unwrap(), wald.low.unwrap(), 1e-4);
        close(found.high.unwrap(), wald.high.unwrap(), 1e-4);
    }

    /// Where events are few the penalised likelihood has several tops: an interval that ends on the way to a lower one is
    /// too narrow. (With one event a term and fewer, in three of a hundred tables an end still is: they are marked.)
    #[test]
    fn no_place_beyond_an_end_is_as_high_as_the_end() {
        let mut state = 11_u64;
        let mut draw = |top: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from((state >> 33) % top).unwrap())
        };
        let mut tried = 0;
        for _ in 0..400 {
            let count = 8 + u32::from(draw(2) > 0.0) * 32;
            let design: Vec<f64> =
                (0..count).flat_map(|_| [1.0, draw(6), draw(2), draw(2), (draw(30) - 15.0) / 10.0]).collect();
            let events: Vec<f64> = (0..count).map(|_| f64::from(u8::from(draw(8) > 6.0))).collect();
            let (trials, clusters) = (vec![1.0; events.len()], (0..count).collect::<Vec<u32>>());
            let rows =
                Observations { design: &design, terms: 5, events: &events, trials: &trials, clusters: &clusters };
            let all: f64 = events.iter().sum();
            let Ok(fit) = fit(&rows) else { continue };
            if all.min(f64::from(count) - all) <= 4.0 {
                continue;
            }
            let Profile { odds_ratio, .. } = profile(&rows, &fit, 1, Level::P95);
            let sparse = Sparse::of(&rows);
            let climb = Climb { rows: &sparse, likelihood: Likelihood::Firth, held: Some(1) };
            for end in [odds_ratio.low, odds_ratio.high].into_iter().flatten().map(f64::ln) {
                for _ in 0..10 {
                    let start = vec![draw(9) - 4.0, end, draw(9) - 4.0, draw(9) - 4.0, draw(9) - 4.0];
                    let Ok((point, _)) = climb.run(start) else { continue };
                    let drop = 2.0 * (fit.penalised_log_likelihood.unwrap() - point.objective);
                    assert!(drop > Level::P95.z().powi(2) - 1e-4, "{drop} at {end}: {design:?} {events:?}");
                    tried += 1;
                }
            }
        }
        assert!(tried > 1000, "{tried}");
    }

    #[test]
    fn small_tables_of_every_kind_have_finite_answers() {
        let mut state = 3_u64;
        let mut draw = |top: u64| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            f64::from(u32::try_from((state >> 33) % top).unwrap())
        };
        let mut fitted = 0;
        for _ in 0..300 {
            let count = 4 + u32::from(draw(2) > 0.0) + u32::from(draw(2) > 0.0) * 8;
            let design: Vec<f64> = (0..count).flat_map(|_| [1.0, draw(7), draw(2)]).collect();
            let events: Vec<f64> = (0..count).map(|_| f64::from(u8::from(draw(5) > 3.0))).collect();
            let (trials, clusters) = (vec![1.0; events.len()], (0..count).collect::<Vec<u32>>());
            let rows =
                Observations { design: &design, terms: 3, events: &events, trials: &trials, clusters: &clusters };
            match fit(&rows) {
                Ok(fit) => {
                    fitted += 1;
                    for term in 0..3 {
                        let Profile { odds_ratio, test } = profile(&rows, &fit, term, Level::P95);
                        assert_eq!(odds_ratio.warning, None, "{design:?} {events:?}");
                        assert!(odds_ratio.low < odds_ratio.value && odds_ratio.value < odds_ratio.high);
                        // The interval holds 1 exactly when the test says more than 5 %.
                        let holds_one = odds_ratio.low.unwrap() < 1.0 && odds_ratio.high.unwrap() > 1.0;
                        assert_eq!(test.p_value.unwrap() > 0.05, holds_one);
                    }
                }
                Err(problem) => assert!(matches!(problem, FitProblem::Collinear { .. }), "{problem}: {design:?}"),
            }
        }
        assert!(fitted > 200, "{fitted}");
    }
}
