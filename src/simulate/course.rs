//! A patient's course: the sessions with their days, settings, aftercare and follow-up.

use super::draws::{Draws, whole_between};
use super::effects;
use super::influence::{Factor, Levels};
use super::model::Model;
use super::patient::Patient;
use super::treatment::Treatment;
use super::world::DEVICES;
use crate::domain::Day;
use crate::domain::codes::{CodeSet, Condition, Credential, Modality, NumbingAgent, Side, SkinThickness, Topical};

/// A patient with all of their sessions, in order of time.
#[derive(Debug, Clone)]
pub struct Course {
    /// The patient.
    pub patient: Patient,
    /// The sessions.
    pub treatments: Vec<Treatment>,
}

/// Positions in `Treatment::aftercare`.
pub(super) const SUN: usize = 0;
pub(super) const PICKING: usize = 1;
pub(super) const EXFOLIANT: usize = 2;
pub(super) const GENTLE: usize = 3;
pub(super) const MOISTURISER: usize = 4;
pub(super) const SUNSCREEN: usize = 5;

/// Draws the course of patient `number`, whose first session gets the number `first_session`.
pub(super) fn draw(model: &Model<'_>, number: u64, first_session: u64, draws: &mut Draws) -> Course {
    let patient = Patient::draw(model, number, draws);
    let days = days(model, draws);
    let seen = Seen::draw(model, &days, draws);
    let sides: &[Side] = if patient.split_face { &[Side::Left, Side::Right] } else { &[Side::Both] };
    let mut treatments = Vec::with_capacity(days.len() * sides.len());
    for (visit, date) in days.iter().enumerate() {
        let asked_until = seen.after(*date).filter(|_| draws.chance(model.clinics[patient.clinic].asks));
        for side in sides {
            let session = first_session + treatments.len() as u64;
            let mut treatment = settings(model, &patient, (visit, *date), draws);
            treatment.session = session;
            treatment.side = *side;
            if *side == Side::Right {
                treatment.depth_um += model.plan.truth.course.split_face_deeper_um;
            }
            treatment.asked = asked_until.is_some();
            treatment.last_follow_up = asked_until;
            let levels = levels(model, &patient, &treatment);
            effects::draw(model, (&patient, levels), &mut treatment, draws);
            effects::hear(model, &mut treatment, days.get(visit + 1).copied(), draws);
            treatment.left_out = left_out(model, draws);
            treatments.push(treatment);
        }
    }
    Course { patient, treatments }
}

/// Days of the sessions; at least one. Courses lie within the plan's days, so that none is cut off by its end.
fn days(model: &Model<'_>, draws: &mut Draws) -> Vec<Day> {
    let plan = model.plan;
    let course = &plan.truth.course;
    let gaps: Vec<i32> = (0..draws.weighted(&course.sessions))
        .map(|_| whole_between(draws.normal(course.days_between_mean, course.days_between_sd), 10, 90))
        .map(|gap| i32::try_from(gap).unwrap_or(28))
        .collect();
    let room = plan.last_day.since(plan.first_day) - gaps.iter().sum::<i32>();
    let offset = draws.below(u32::try_from(room + 1).unwrap_or(1));
    let mut day = plan.first_day.plus(i32::try_from(offset).unwrap_or(0));
    let mut days = vec![day];
    for gap in gaps {
        day = day.plus(gap);
        days.push(day);
    }
    days.retain(|day| *day <= plan.last_day || *day == plan.first_day);
    days
}

/// When a patient was seen for the last time.
struct Seen {
    last_contact: Day,
}

impl Seen {
    fn draw(model: &Model<'_>, days: &[Day], draws: &mut Draws) -> Seen {
        let follow_up = &model.plan.truth.follow_up;
        let last = days.last().copied().unwrap_or(model.plan.last_day);
        let lost = draws.chance(follow_up.lost);
        let never = draws.chance(follow_up.never_seen);
        let late = draws.chance(follow_up.seen_late);
        let [low, high] = match (lost, never, late) {
            (true, true, _) => [0, 0],
            (true, false, _) => [3, 60],
            (false, _, true) => follow_up.late_contact_days,
            (false, _, false) => follow_up.last_contact_days,
        };
        let after = i32::try_from(draws.between(low, high)).unwrap_or(0);
        Seen { last_contact: last.plus(after).min(model.plan.data_cut) }
    }

    /// The last contact after a session of this day, if there was one.
    fn after(&self, date: Day) -> Option<Day> {
        (self.last_contact > date).then_some(self.last_contact)
    }
}

fn settings(model: &Model<'_>, patient: &Patient, (visit, date): (usize, Day), draws: &mut Draws) -> Treatment {
    let truth = &model.plan.truth;
    let device = &DEVICES[patient.device];
    let depth_um = depth_um(model, patient, visit, draws);
    let passes = passes(model, patient, draws);
    let sterile = !draws.chance(truth.treatment.not_sterile[usize::from(patient.home)]);
    let numbing_agent = numbing_agent(model, patient, draws);
    let years_in = f64::from(date.since(model.plan.first_day)) / 365.25;
    let practitioner = (!patient.home).then_some(patient.practitioner);
    let base_years = practitioner.map_or(0.0, |at| model.clinics[patient.clinic].practitioners[at].experience_years);
    let bad = &truth.bad_lot;
    let in_use = patient.device == bad.device && bad.used[0] <= date && date <= bad.used[1];
    let rf = patient.modality == Modality::Rf;
    let pain = pain_points(patient, [depth_um, passes], numbing_agent) + draws.normal(0.0, 0.8);
    Treatment {
        session: 0,
        patient: patient.number,
        clinic: patient.clinic,
        practitioner,
        experience_tenths: whole_between((base_years + years_in) * 10.0, 0, 600),
        date,
        course_session: u32::try_from(visit + 1).unwrap_or(1),
        home: patient.home,
        modality: patient.modality,
        device: patient.device,
        lot: u8::from(draws.chance(0.5)),
        bad_lot: in_use && draws.chance(bad.share),
        firmware: firmware(model, device.firmware.len(), date),
        depth_um,
        needle_count: patient.needle_count,
        passes,
        rf_energy_mj: rf.then(|| whole_between(draws.normal(30.0, 9.0), 8, 80)),
        rf_pulse_ms: rf.then(|| draws.between(8, 40) * 10),
        body_area: patient.body_area,
        side: Side::Both,
        indication: patient.indication,
        age_years: patient.age_years,
        sex: patient.sex,
        fitzpatrick: patient.fitzpatrick,
        monk: patient.monk,
        ita_tenths: patient.ita_tenths,
        sensitive_skin: patient.sensitive_skin,
        skin_thickness: patient.skin_thickness,
        conditions: conditions(model, patient, draws),
        numbing_agent,
        topicals: topicals(draws),
        retinoid_stop_days: draws.chance(0.2).then(|| draws.between(0, 28)),
        sterile,
        aftercare: aftercare(model, patient, draws),
        pain_tenths: whole_between(pain * 10.0, 0, 100),
        return_days: u32::try_from(draws.weighted(&[0.45, 0.36, 0.11, 0.04, 0.02, 0.01, 0.005, 0.005])).unwrap_or(0),
        asked: false,
        last_follow_up: None,
        occurred: Vec::new(),
        pih_risk: 0.0,
        left_out: 0,
    }
}

fn depth_um(model: &Model<'_>, patient: &Patient, visit: usize, draws: &mut Draws) -> u32 {
    if patient.home {
        return 100 + 50 * draws.below(5);
    }
    // Devices are set in steps, and treat a little deeper as a course goes on.
    let (step, low, high) = match patient.modality {
        Modality::Roller => (250, 500, 3_000),
        Modality::Rf => (100, 500, 3_500),
        Modality::Pen | Modality::Stamp | Modality::Other => (100, 300, 2_500),
    };
    let deeper = 0.04 * f64::from(u32::try_from(visit.min(6)).unwrap_or(0));
    let drawn = patient.depth_mm + deeper + draws.normal(0.0, 0.5 * model.plan.truth.treatment.depth_sd_mm);
    step * whole_between(drawn * 1_000.0 / f64::from(step), low / step, high / step)
}

fn passes(model: &Model<'_>, patient: &Patient, draws: &mut Draws) -> u32 {
    let treatment = &model.plan.truth.treatment;
    let more = f64::from(u8::from(patient.skin_thickness == SkinThickness::Thick));
    let drawn = draws.normal(treatment.passes_mean + more, treatment.passes_sd);
    match patient.modality {
        Modality::Rf => whole_between(drawn / 2.0, 1, 4),
        _ => whole_between(drawn, 1, 10),
    }
}

fn numbing_agent(model: &Model<'_>, patient: &Patient, draws: &mut Draws) -> NumbingAgent {
    let share = if patient.home { 0.1 } else { model.plan.truth.treatment.numbing_agent };
    match (draws.chance(share), draws.chance(0.92)) {
        (false, _) => NumbingAgent::None,
        (true, true) => NumbingAgent::Lidocaine,
        (true, false) => NumbingAgent::Other,
    }
}

fn firmware(model: &Model<'_>, versions: usize, date: Day) -> Option<usize> {
    // Versions follow each other at equal distances over the time of the log.
    let of = |count: usize| f64::from(u32::try_from(count).unwrap_or(0));
    let total = model.plan.last_day.since(model.plan.first_day).max(1);
    let passed = date.since(model.plan.first_day).clamp(0, total);
    let share = f64::from(passed) / (f64::from(total) + 1.0);
    (0..versions).rev().find(|at| share * of(versions) >= of(*at))
}

fn conditions(model: &Model<'_>, patient: &Patient, draws: &mut Draws) -> CodeSet {
    let at = Condition::SkinInfection as usize;
    if draws.chance(model.plan.truth.people.conditions[at]) { patient.conditions.with(at) } else { patient.conditions }
}

fn topicals(draws: &mut Draws) -> CodeSet {
    const SHARES: [(Topical, f64); 6] = [
        (Topical::Tretinoin, 0.05),
        (Topical::VitaminC, 0.15),
        (Topical::HyaluronicAcid, 0.35),
        (Topical::Prp, 0.10),
        (Topical::TranexamicAcid, 0.06),
        (Topical::Other, 0.04),
    ];
    let chosen = |set: CodeSet, (topical, share): &(Topical, f64)| {
        if draws.chance(*share) { set.with(*topical as usize) } else { set }
    };
    SHARES.iter().fold(CodeSet::default(), chosen)
}

/// Mostly what the patient usually does; else as everybody does, so that the shares stay what the truth says.
fn aftercare(model: &Model<'_>, patient: &Patient, draws: &mut Draws) -> [bool; 6] {
    let mut today = patient.habits;
    for (habit, share) in today.iter_mut().zip(model.plan.truth.treatment.aftercare) {
        if draws.chance(0.3) {
            *habit = draws.chance(share);
        }
    }
    today
}

fn pain_points(patient: &Patient, [depth_um, passes]: [u32; 2], numbing: NumbingAgent) -> f64 {
    let depth = (f64::from(depth_um) - 1_500.0) / 1_000.0;
    let numbed = if numbing == NumbingAgent::None { 0.0 } else { -1.8 };
    let device = match patient.modality {
        Modality::Rf => 0.9,
        _ if patient.home => -1.5,
        _ => 0.0,
    };
    4.6 + depth + 0.2 * (f64::from(passes) - 3.0) + numbed + device + patient.pain_points
}

fn levels(model: &Model<'_>, patient: &Patient, treatment: &Treatment) -> Levels {
    let truth = &model.plan.truth;
    let mut levels = Levels::default();
    let tone = [Factor::TypeI, Factor::TypeII, Factor::TypeIV, Factor::TypeV, Factor::TypeVI];
    for (factor, fitzpatrick) in tone.into_iter().zip([1, 2, 4, 5, 6]) {
        levels.set(factor, treatment.fitzpatrick == fitzpatrick);
    }
    let has = |condition: Condition| treatment.conditions.has(condition as usize);
    let topical = |topical: Topical| treatment.topicals.has(topical as usize);
    let credential = treatment.practitioner.map(|at| model.clinics[treatment.clinic].practitioners[at].credential);
    let rising = truth.rising_clinic.clinic == Some(treatment.clinic) && treatment.date >= truth.rising_clinic.from;
    levels.set(Factor::SunExposure, treatment.aftercare[SUN]);
    levels.set(Factor::Picking, treatment.aftercare[PICKING]);
    levels.set(Factor::Exfoliant, treatment.aftercare[EXFOLIANT]);
    levels.set(Factor::GentleProducts, treatment.aftercare[GENTLE]);
    levels.set(Factor::Moisturiser, treatment.aftercare[MOISTURISER]);
    levels.set(Factor::ActiveAcne, has(Condition::ActiveAcne));
    levels.set(Factor::EczemaOrRosacea, has(Condition::Eczema) || has(Condition::Rosacea));
    levels.set(Factor::SkinInfection, has(Condition::SkinInfection));
    let scars = has(Condition::KeloidHistory) || has(Condition::HypertrophicScarHistory);
    levels.set(Factor::KeloidOrHypertrophicHistory, scars);
    levels.set(Factor::BleedingDisorder, has(Condition::BleedingDisorder));
    levels.set(Factor::SensitiveSkin, patient.sensitive_skin);
    levels.set(Factor::Home, treatment.home);
    levels.set(Factor::NotSterile, !treatment.sterile);
    let physician = |who| matches!(who, Credential::Dermatologist | Credential::Physician);
    levels.set(Factor::NonPhysician, credential.is_some_and(|who| !physician(who)));
    levels.set(Factor::NumbingAgent, treatment.numbing_agent != NumbingAgent::None);
    levels.set(Factor::TretinoinOrVitaminC, topical(Topical::Tretinoin) || topical(Topical::VitaminC));
    levels.set(Factor::RetinoidStopped, treatment.retinoid_stop_days.is_some_and(|days| days >= 7));
    levels.set(Factor::DeepWithManyPasses, treatment.depth_um > 2_000 && treatment.passes > 5);
    levels.set(Factor::Rf, treatment.modality == Modality::Rf);
    levels.set(Factor::BadLot, treatment.bad_lot);
    levels.set(Factor::RisingClinic, rising);
    levels.amounts(treatment.depth_um, treatment.passes, f64::from(treatment.experience_tenths) / 10.0);
    levels
}

fn left_out(model: &Model<'_>, draws: &mut Draws) -> u64 {
    let mut mask = 0;
    for (column, share) in model.missing.iter().enumerate() {
        if *share > 0.0 {
            mask |= u64::from(draws.chance(*share)) << column;
        }
    }
    mask
}
