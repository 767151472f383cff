//! The truth that an estimator should find: population-averaged risks, from the model itself.
//!
//! The model gives every session an exact risk; what has to be averaged is only who comes and how they are treated.
//! That is done over reference patients of streams that no log uses, so the answer does not hang on a log's own draws.

use super::draws::whole_between;
use super::model::Model;
use super::plan::Plan;
use super::{Course, Courses};
use serde::Serialize;

/// True PIH risk of one Fitzpatrick type.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct TypeRisk {
    /// `I` … `VI`.
    pub fitzpatrick: &'static str,
    /// Reference sessions averaged over.
    pub reference_sessions: u64,
    /// Mean risk of a session.
    pub session_risk: f64,
    /// Standard error of that mean (patients are the independent units).
    pub session_risk_standard_error: f64,
    /// Mean risk of a patient over all of their sessions.
    pub patient_risk: f64,
}

/// True PIH risks.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Reference {
    /// Everybody: mean risk of a session.
    pub session_risk: f64,
    /// Everybody: mean risk of a patient.
    pub patient_risk: f64,
    /// Mean risk of a patient of type IV or V.
    pub patient_risk_iv_v: f64,
    /// By Fitzpatrick type.
    pub by_fitzpatrick: Vec<TypeRisk>,
    /// Correlation of two sessions of one patient with the same risk.
    pub intracluster_correlation: f64,
}

/// Reference patients have the streams from here on.
const REFERENCE_STREAMS: u64 = 1 << 63;

#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    patients: f64,
    sessions: f64,
    risk: f64,
    patient_risk: f64,
    /// Sums over patients of squares and products, for the variance of the ratio risk/sessions.
    risk_squared: f64,
    sessions_squared: f64,
    risk_times_sessions: f64,
}

impl Sums {
    fn add(&mut self, course: &Course, copy: f64) {
        let mut risks: Vec<f64> = course.treatments.iter().map(|treatment| treatment.pih_risk).collect();
        let (sessions, risk) = (count(risks.len()), risks.iter().sum::<f64>());
        self.patients += 1.0;
        self.sessions += sessions;
        self.risk += risk;
        self.risk_squared += risk * risk;
        self.sessions_squared += sessions * sessions;
        self.risk_times_sessions += risk * sessions;
        self.patient_risk += any(&mut risks, copy);
    }

    fn plus(self, other: Sums) -> Sums {
        Sums {
            patients: self.patients + other.patients,
            sessions: self.sessions + other.sessions,
            risk: self.risk + other.risk,
            patient_risk: self.patient_risk + other.patient_risk,
            risk_squared: self.risk_squared + other.risk_squared,
            sessions_squared: self.sessions_squared + other.sessions_squared,
            risk_times_sessions: self.risk_times_sessions + other.risk_times_sessions,
        }
    }

    fn session_risk(&self) -> f64 {
        self.risk / self.sessions.max(1.0)
    }

    fn patient_risk(&self) -> f64 {
        self.patient_risk / self.patients.max(1.0)
    }

    fn standard_error(&self) -> f64 {
        let p = self.session_risk();
        let squares = self.risk_squared - 2.0 * p * self.risk_times_sessions + p * p * self.sessions_squared;
        squares.max(0.0).sqrt() / self.sessions.max(1.0)
    }
}

/// The risk that a side effect occurs after at least one of the sessions. Each session compares a uniform number with
/// its risk; with probability `copy` that number is the patient's own. Given the patient's number V, the sessions are
/// independent, and a session stays free with probability 1 − copy·[V < p] − (1 − copy)·p: a step function of V.
fn any(risks: &mut [f64], copy: f64) -> f64 {
    risks.sort_by(f64::total_cmp);
    let free = |below: f64| -> f64 {
        risks.iter().map(|p| 1.0 - (1.0 - copy) * p - if below < *p { copy } else { 0.0 }).product()
    };
    let mut from = 0.0;
    let mut none = 0.0;
    for to in risks.iter().copied().chain([1.0]) {
        none += (to - from) * free(from);
        from = to;
    }
    1.0 - none
}

/// The true risks of a plan, averaged over `patients` reference patients (40,000 are a good number: standard errors
/// are under 2 % of the risk).
#[must_use]
pub fn reference(model: &Model<'_>, patients: usize) -> Reference {
    let copy = model.plan.truth.patient_copy_probability;
    let mut sums = [Sums::default(); 6];
    for course in Courses::of_streams(model, REFERENCE_STREAMS).take(patients) {
        sums[usize::from(course.patient.fitzpatrick - 1)].add(&course, copy);
    }
    let all = sums.iter().fold(Sums::default(), |all, sum| all.plus(*sum));
    let by_type = |(sum, name): (&Sums, &&'static str)| TypeRisk {
        fitzpatrick: name,
        reference_sessions: u64::from(whole_between(sum.sessions, 0, u32::MAX)),
        session_risk: nine_digits(sum.session_risk()),
        session_risk_standard_error: nine_digits(sum.standard_error()),
        patient_risk: nine_digits(sum.patient_risk()),
    };
    Reference {
        session_risk: nine_digits(all.session_risk()),
        patient_risk: nine_digits(all.patient_risk()),
        patient_risk_iv_v: nine_digits(sums[3].plus(sums[4]).patient_risk()),
        by_fitzpatrick: sums.iter().zip(crate::domain::Fitzpatrick::NUMERALS).map(by_type).collect(),
        intracluster_correlation: copy * copy,
    }
}

/// The base risk of PIH that makes the patient risk of types IV–V what is asked for, by bisection over
/// `patients` reference patients.
#[must_use]
pub fn base_risk_for(plan: &Plan, patient_risk_iv_v: f64, patients: usize) -> f64 {
    let mut plan = plan.clone();
    let (mut low, mut high) = (1e-5, 0.5);
    for _ in 0..24 {
        let middle = f64::midpoint(low, high);
        if let Some(pih) = plan.truth.side_effect_mut("pih") {
            pih.base_risk = middle;
        }
        let found = reference(&Model::new(&plan), patients).patient_risk_iv_v;
        if found < patient_risk_iv_v { low = middle } else { high = middle }
    }
    f64::midpoint(low, high)
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

/// Nine decimals: what a mathematics library does with the last bits is not written down.
pub(super) fn nine_digits(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_risk_of_a_patient_by_hand() {
        // Own number always: the highest risk decides. Never: sessions are independent.
        assert!((any(&mut [0.1, 0.3, 0.2], 1.0) - 0.3).abs() < 1e-12);
        assert!((any(&mut [0.1, 0.3], 0.0) - (1.0 - 0.9 * 0.7)).abs() < 1e-12);
        // Two sessions of risk p: both copy with ¼ (risk p), else independent (1 − (1 − p)²).
        let p: f64 = 0.2;
        let expected = 0.25 * p + 0.75 * (1.0 - (1.0 - p) * (1.0 - p));
        assert!((any(&mut [p, p], 0.5) - expected).abs() < 1e-12);
    }
}
