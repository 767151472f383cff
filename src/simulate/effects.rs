//! Which side effects occur, how long they last, and how the log learns of them.

use super::draws::{Draws, whole_between};
use super::influence::Levels;
use super::model::Model;
use super::patient::Patient;
use super::treatment::{Heard, Occurred, Treatment};
use super::truth::EffectTruth;
use crate::domain::Day;
use crate::domain::codes::{Modality, Side};

/// Draws what truly occurs after a session.
pub(super) fn draw(
    model: &Model<'_>,
    (patient, levels): (&Patient, Levels),
    treatment: &mut Treatment,
    draws: &mut Draws,
) {
    let truth = &model.plan.truth;
    for (at, effect) in truth.side_effects.iter().enumerate() {
        if effect.rf_only && treatment.modality != Modality::Rf {
            continue;
        }
        let risk = levels.risk(effect.base_risk, &effect.influences);
        if model.effects[at].is_pih {
            treatment.pih_risk = risk;
        }
        // The patient's own number or a new one: either is uniform, so the risk stays exactly what the model says.
        let own = draws.chance(truth.patient_copy_probability);
        let new = draws.uniform();
        let uniform = if own { patient.own_draws[at] } else { new };
        if uniform < risk {
            treatment.occurred.push(occurrence(at, effect, treatment.date, draws));
        }
    }
}

fn occurrence(at: usize, effect: &EffectTruth, date: Day, draws: &mut Draws) -> Occurred {
    let days = |count: u32| i32::try_from(count).unwrap_or(0);
    let [first, last] = effect.onset_days;
    let onset = date.plus(days(draws.between(first, last)));
    let [short, long] = effect.lasts_days;
    let u = draws.uniform();
    let lasts = whole_between(f64::from(short) + f64::from(long - short) * u * u * u, short, long);
    Occurred {
        effect: at,
        grade: [1, 2, 3][draws.weighted(&effect.grades)],
        onset,
        resolved: onset.plus(days(lasts)),
        heard: Heard::Never,
        grade_given: true,
        dates_given: true,
    }
}

/// Decides how the log learns of what occurred: only when somebody asks, only what has begun by then, and only what
/// the clinic writes down.
pub(super) fn hear(model: &Model<'_>, treatment: &mut Treatment, next_session: Option<Day>, draws: &mut Draws) {
    let follow_up = &model.plan.truth.follow_up;
    let writes_down = model.clinics[treatment.clinic].writes_down;
    let Some(last_follow_up) = treatment.last_follow_up else { return };
    for occurred in &mut treatment.occurred {
        let effect = &model.plan.truth.side_effects[occurred.effect];
        let written = draws.chance(writes_down[model.effects[occurred.effect].group]);
        let late = draws.chance(effect.late);
        let by_patient = draws.chance(follow_up.by_patient);
        let [no_grade, no_dates] = follow_up.without_grade_or_dates;
        occurred.grade_given = !draws.chance(no_grade);
        occurred.dates_given = !draws.chance(no_dates);
        if !written || occurred.onset > last_follow_up {
            continue;
        }
        // An event without session goes to the patient's latest session before its onset: that must be this one.
        let finds_home = treatment.side == Side::Both && next_session.is_none_or(|next| occurred.onset < next);
        occurred.heard = match (late, by_patient && finds_home) {
            (false, _) => Heard::InRow,
            (true, false) => Heard::LateBySession,
            (true, true) => Heard::LateByPatient,
        };
        occurred.dates_given |= occurred.heard == Heard::LateByPatient;
    }
}
