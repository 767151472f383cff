//! Outcome scores of a course.

use super::course::Course;
use super::draws::Draws;
use super::model::Model;
use crate::domain::Day;
use crate::domain::codes::Indication;

/// One score of a patient.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Score {
    /// The session it follows or belongs to.
    pub session: Option<u64>,
    /// Day of the assessment.
    pub date: Day,
    /// Id of the scale.
    pub scale: &'static str,
    /// The score.
    pub score: u32,
    /// Scored by the patient, not by the clinic.
    pub by_patient: bool,
}

/// Streams of scores have numbers of their own, beside those of the patients.
const SCORE_STREAMS: u64 = 1 << 62;

/// Draws the scores of a course: for scars Goodman–Baron before each session and at the end, for everybody GAIS and
/// satisfaction at the end. A patient is one grade better after k sessions when their own uniform number is below the
/// truth's probability for k, and two grades when it is below a third of it: who is better once stays better.
#[must_use]
pub fn scores(model: &Model<'_>, course: &Course) -> Vec<Score> {
    let mut draws = model.streams.stream(SCORE_STREAMS + course.patient.number);
    let better = draws.uniform();
    let mut scores = Vec::new();
    if matches!(course.patient.indication, Indication::AcneScars | Indication::Scars) {
        goodman_baron(model, course, better, &mut scores, &mut draws);
    }
    at_the_end(model, course, better, &mut scores, &mut draws);
    scores
}

/// Grades better after so many sessions.
fn grades_better(model: &Model<'_>, course: &Course, sessions: u32, better: f64) -> u32 {
    let truth = &model.plan.truth.scores;
    let Some(at) = (sessions as usize).checked_sub(1) else { return 0 };
    let probability = truth.better_after.get(at).or(truth.better_after.last()).copied().unwrap_or(0.0);
    let multiple = if course.patient.home { truth.home_multiple } else { 1.0 };
    let probability = probability * multiple;
    u32::from(better < probability) + u32::from(better < probability / 3.0)
}

fn goodman_baron(model: &Model<'_>, course: &Course, better: f64, scores: &mut Vec<Score>, draws: &mut Draws) {
    let start = [2, 3, 4][draws.weighted(&[0.25, 0.45, 0.30])];
    let mut put = |session: Option<u64>, date: Day, done: u32, draws: &mut Draws| {
        if draws.chance(model.plan.truth.scores.taken) {
            let score = (start - grades_better(model, course, done, better).min(start - 1)).clamp(1, 4);
            scores.push(Score { session, date, scale: "goodman_baron", score, by_patient: false });
        }
    };
    let mut last_date = None;
    for treatment in &course.treatments {
        if last_date.replace(treatment.date) != Some(treatment.date) {
            put(Some(treatment.session), treatment.date, treatment.course_session - 1, draws);
        }
    }
    if let Some((last, date)) = end(course) {
        put(None, date, last, draws);
    }
}

fn at_the_end(model: &Model<'_>, course: &Course, better: f64, scores: &mut Vec<Score>, draws: &mut Draws) {
    let Some((sessions, date)) = end(course) else { return };
    let truth = &model.plan.truth.scores;
    let grades = grades_better(model, course, sessions, better);
    if draws.chance(truth.taken) {
        let score = match grades {
            0 => 4 + u32::from(draws.chance(0.07)),
            1 => 2 + u32::from(draws.chance(0.6)),
            _ => 1 + u32::from(draws.chance(0.5)),
        };
        scores.push(Score { session: None, date, scale: "gais", score, by_patient: false });
    }
    if draws.chance(truth.taken) {
        let satisfied = draws.chance(truth.satisfied[usize::from(grades == 0)]);
        let score = if satisfied { 4 + u32::from(draws.chance(0.45)) } else { 1 + draws.below(3) };
        scores.push(Score { session: None, date, scale: "satisfaction", score, by_patient: true });
    }
}

/// Sessions done and day of the last contact, where the patient was seen after the last session.
fn end(course: &Course) -> Option<(u32, Day)> {
    let last = course.treatments.last()?;
    Some((last.course_session, last.last_follow_up?))
}
