//! A simulated session in the words of the domain, without going through a file.

use super::canonical::gone;
use super::course::{EXFOLIANT, GENTLE, MOISTURISER, PICKING, SUN, SUNSCREEN};
use super::model::Model;
use super::row::Row;
use super::treatment::{Heard, Occurred, Treatment};
use super::world::DEVICES;
use super::{canonical, field};
use crate::domain::codes::{Credential, Setting, Side, YesNo};
use crate::domain::{Asked, Event, Fitzpatrick, Grade, Link, Monk, ReportedEffect, Resolution, Session, Text};

/// A session as a reader of the log would see it, with its late events, and with its hidden truth.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatedSession {
    /// The session as its row says it.
    pub session: Session,
    /// Its rows of the events file.
    pub late_events: Vec<Event>,
    /// What is true.
    pub truth: Treatment,
}

impl SimulatedSession {
    /// The session in the words of the domain.
    #[must_use]
    pub fn of(model: &Model<'_>, truth: Treatment) -> SimulatedSession {
        let session = session(model, &truth);
        let late_events = truth.late().map(|occurred| event(model, &truth, occurred)).collect();
        SimulatedSession { session, late_events, truth }
    }
}

fn text(push: impl Fn(&mut Row)) -> Text {
    let mut row = Row::default();
    push(&mut row);
    row.end();
    row.fields().next().map(Text::from_utf8_lossy).unwrap_or_default()
}

fn yes_no(yes: bool) -> YesNo {
    if yes { YesNo::Yes } else { YesNo::No }
}

fn session(model: &Model<'_>, t: &Treatment) -> Session {
    let clinic = &model.clinics[t.clinic];
    let who = t.practitioner.map(|at| &clinic.practitioners[at]);
    let device = &DEVICES[t.device];
    let known = |column: usize| !t.leaves_out(column);
    let told = |column: usize, habit: usize| (t.asked && known(column)).then(|| yes_no(t.aftercare[habit]));
    let thousandth = |number: u32| f64::from(number) / 1_000.0;
    let tenth = |number: u32| f64::from(number) / 10.0;
    Session {
        session_id: text(|row| canonical::push_session_id(model, t.session, row)),
        patient_id: text(|row| canonical::push_patient_id(model, t.patient, row)),
        clinic_id: Text::from(&clinic.clinic_id),
        practitioner_id: who.filter(|_| known(field::PRACTITIONER_ID)).map(|who| Text::from(&who.practitioner_id)),
        state: Some(Text::from(&clinic.state)),
        practitioner_credential: known(field::PRACTITIONER_CREDENTIAL)
            .then(|| who.map_or(Credential::Myself, |who| who.credential)),
        practitioner_experience_years: who
            .filter(|_| known(field::PRACTITIONER_EXPERIENCE_YEARS))
            .map(|_| tenth(t.experience_tenths)),
        session_date: t.date,
        course_session: known(field::COURSE_SESSION).then_some(t.course_session),
        setting: if t.home { Setting::Home } else { Setting::Professional },
        modality: t.modality,
        device_model: known(field::DEVICE_MODEL).then(|| Text::from(device.model)),
        device_lot: known(field::DEVICE_LOT).then(|| text(|row| canonical::push_lot(model, t, row))),
        firmware: t.firmware.filter(|_| known(field::FIRMWARE)).map(|at| Text::from(device.firmware[at])),
        needle_depth_mm: known(field::NEEDLE_DEPTH_MM).then(|| thousandth(t.depth_um)),
        needle_count: known(field::NEEDLE_COUNT).then_some(t.needle_count),
        passes: known(field::PASSES).then_some(t.passes),
        rf_energy_mj: t.rf_energy_mj.filter(|_| known(field::RF_ENERGY_MJ)).map(f64::from),
        rf_pulse_ms: t.rf_pulse_ms.filter(|_| known(field::RF_PULSE_MS)).map(f64::from),
        body_area: t.body_area,
        side: Some(t.side).filter(|side| *side != Side::Both || known(field::SIDE)),
        indication: t.indication,
        age_years: known(field::AGE_YEARS).then_some(t.age_years),
        sex: known(field::SEX).then_some(t.sex),
        fitzpatrick: t.recorded_fitzpatrick().and_then(Fitzpatrick::new),
        monk: Some(t.monk).filter(|_| known(field::MONK)).and_then(Monk::new),
        ita_degrees: known(field::ITA_DEGREES).then(|| f64::from(t.ita_tenths) / 10.0),
        skin_sensitivity: known(field::SKIN_SENSITIVITY).then(|| yes_no(t.sensitive_skin)),
        skin_thickness: known(field::SKIN_THICKNESS).then_some(t.skin_thickness),
        conditions: known(field::CONDITIONS).then_some(t.conditions),
        numbing_agent: known(field::NUMBING_AGENT).then_some(t.numbing_agent),
        topicals: known(field::TOPICALS).then_some(t.topicals),
        retinoid_stop_days: t.retinoid_stop_days.filter(|_| known(field::RETINOID_STOP_DAYS)),
        sterile_single_use: known(field::STERILE_SINGLE_USE).then(|| yes_no(t.sterile)),
        sunscreen_daily: told(field::SUNSCREEN_DAILY, SUNSCREEN),
        sun_exposure: told(field::SUN_EXPOSURE, SUN),
        gentle_products: told(field::GENTLE_PRODUCTS, GENTLE),
        moisturiser: told(field::MOISTURISER, MOISTURISER),
        picking: told(field::PICKING, PICKING),
        exfoliant: told(field::EXFOLIANT, EXFOLIANT),
        pain_vas: known(field::PAIN_VAS).then(|| tenth(t.pain_tenths)),
        return_to_activity_days: (t.asked && known(field::RETURN_TO_ACTIVITY_DAYS)).then_some(t.return_days),
        last_follow_up_date: t.recorded_follow_up(),
        side_effects: asked(model, t),
    }
}

fn asked(model: &Model<'_>, treatment: &Treatment) -> Asked {
    if !treatment.asked {
        return Asked::No;
    }
    let in_row = treatment.occurred.iter().filter(|occurred| occurred.heard == Heard::InRow);
    let reported = |occurred: &Occurred| {
        // The compact form has no place for dates without a grade.
        let dated = occurred.grade_given && occurred.dates_given;
        ReportedEffect {
            effect: model.effects[occurred.effect].id,
            verbatim: None,
            grade: Grade::new(occurred.grade).filter(|_| occurred.grade_given),
            onset: dated.then_some(occurred.onset),
            resolution: if dated { resolution(treatment, occurred) } else { Resolution::NotStated },
        }
    };
    Asked::Yes(in_row.map(reported).collect())
}

fn resolution(treatment: &Treatment, occurred: &Occurred) -> Resolution {
    gone(treatment, occurred).map_or(Resolution::Ongoing, Resolution::On)
}

fn event(model: &Model<'_>, treatment: &Treatment, occurred: &Occurred) -> Event {
    let link = if occurred.heard == Heard::LateByPatient {
        let patient_id = text(|row| canonical::push_patient_id(model, treatment.patient, row));
        Link::Patient { patient_id, body_area: Some(treatment.body_area) }
    } else {
        Link::Session {
            session_id: text(|row| canonical::push_session_id(model, treatment.session, row)),
            patient_id: None,
        }
    };
    let resolution = if occurred.dates_given { resolution(treatment, occurred) } else { Resolution::NotStated };
    Event {
        link,
        effect: model.effects[occurred.effect].id,
        grade: Grade::new(occurred.grade).filter(|_| occurred.grade_given),
        onset: occurred.dates_given.then_some(occurred.onset),
        resolution,
        serious: Some(occurred.grade == 3 && model.effects[occurred.effect].group == 2),
        verbatim: None,
        imdrf_code: None,
        reported: treatment.last_follow_up,
    }
}
