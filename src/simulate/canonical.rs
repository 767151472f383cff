//! A simulated log in the canonical columns.

use super::course::Course;
use super::model::Model;
use super::row::Row;
use super::scores::Score;
use super::treatment::{Heard, Occurred, Treatment};
use super::world::DEVICES;
use super::{course, field};
use crate::domain::codes::{CodeSet, Condition, Topical};
use crate::domain::columns::{ASSESSMENT_COLUMNS, EVENT_COLUMNS};
use crate::domain::{COLUMNS, Column, Day, Fitzpatrick};

/// Header row of the session log.
pub(super) fn session_header(row: &mut Row) {
    header(COLUMNS, row);
}

/// Header row of the events file.
pub(super) fn event_header(row: &mut Row) {
    header(EVENT_COLUMNS, row);
}

/// Header row of the assessments file.
pub(super) fn score_header(row: &mut Row) {
    header(ASSESSMENT_COLUMNS, row);
}

fn header(columns: &[Column], row: &mut Row) {
    row.clear();
    for column in columns {
        row.text(column.name);
    }
}

/// Id of a session.
pub(super) fn push_session_id(model: &Model<'_>, session: u64, row: &mut Row) {
    row.push(model.plan.clinics.id_prefix.as_bytes());
    row.push(b"S");
    row.push_whole(session, 7);
}

/// Id of a patient.
pub(super) fn push_patient_id(model: &Model<'_>, patient: u64, row: &mut Row) {
    row.push(model.plan.clinics.id_prefix.as_bytes());
    row.push(b"P");
    row.push_whole(patient, 6);
}

/// The lot as it stands in the log, for example `DPX-25Q2-A`.
pub(super) fn push_lot(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    if treatment.bad_lot {
        row.push(model.plan.truth.bad_lot.lot.as_bytes());
        return;
    }
    let (year, quarter) = model.calendar.quarter(treatment.date);
    row.push(DEVICES[treatment.device].lot.as_bytes());
    row.push(&[b'-', year[0], year[1], b'Q', b'0' + quarter, b'-', b'A' + treatment.lot]);
}

/// The row of a session.
pub(super) fn session_row(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    row.clear();
    who_and_when(model, treatment, row);
    device(model, treatment, row);
    person(treatment, row);
    skin_and_preparation(treatment, row);
    afterwards(model, treatment, row);
}

/// Calls a method of `Row` with the value, or with nothing where the log leaves the column out.
macro_rules! put {
    ($row:ident, $treatment:ident, $column:ident, $method:ident, $value:expr $(, $more:expr)*) => {
        $row.$method(Some($value).filter(|_| !$treatment.leaves_out(field::$column)) $(, $more)*)
    };
}

fn who_and_when(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    let clinic = &model.clinics[treatment.clinic];
    let practitioner = treatment.practitioner.map(|at| &clinic.practitioners[at]);
    push_session_id(model, treatment.session, row);
    row.end();
    push_patient_id(model, treatment.patient, row);
    row.end();
    row.text(&clinic.clinic_id);
    put!(row, treatment, PRACTITIONER_ID, text_if, practitioner.map_or("", |who| &who.practitioner_id));
    row.text(&clinic.state);
    put!(row, treatment, PRACTITIONER_CREDENTIAL, text_if, practitioner.map_or("self", |who| who.credential.code()));
    let experience = practitioner.map(|_| scaled(treatment.experience_tenths));
    row.decimal_if(experience.filter(|_| !treatment.leaves_out(field::PRACTITIONER_EXPERIENCE_YEARS)), 1, b'.');
    row.day_if(Some(model.calendar.iso(treatment.date)));
    put!(row, treatment, COURSE_SESSION, whole_if, treatment.course_session);
    row.text(if treatment.home { "home" } else { "professional" });
}

fn device(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    let device = &DEVICES[treatment.device];
    let firmware = treatment.firmware.map_or("", |at| device.firmware[at]);
    row.text(treatment.modality.code());
    put!(row, treatment, DEVICE_MODEL, text_if, device.model);
    if !treatment.leaves_out(field::DEVICE_LOT) {
        push_lot(model, treatment, row);
    }
    row.end();
    put!(row, treatment, FIRMWARE, text_if, firmware);
    put!(row, treatment, NEEDLE_DEPTH_MM, decimal_if, scaled(treatment.depth_um), 3, b'.');
    put!(row, treatment, NEEDLE_COUNT, whole_if, treatment.needle_count);
    put!(row, treatment, PASSES, whole_if, treatment.passes);
    row.whole_if(treatment.rf_energy_mj.filter(|_| !treatment.leaves_out(field::RF_ENERGY_MJ)));
    row.whole_if(treatment.rf_pulse_ms.filter(|_| !treatment.leaves_out(field::RF_PULSE_MS)));
    row.text(treatment.body_area.code());
    // A side that is missing would break a split-face pair apart: only «both» may be.
    let whole_face = treatment.side == crate::domain::codes::Side::Both;
    row.text_if(Some(treatment.side.code()).filter(|_| !(whole_face && treatment.leaves_out(field::SIDE))));
    row.text(treatment.indication.code());
}

fn person(treatment: &Treatment, row: &mut Row) {
    put!(row, treatment, AGE_YEARS, whole_if, treatment.age_years);
    put!(row, treatment, SEX, text_if, treatment.sex.code());
    row.text_if(treatment.recorded_fitzpatrick().and_then(Fitzpatrick::new).map(Fitzpatrick::numeral));
    put!(row, treatment, MONK, whole_if, u32::from(treatment.monk));
    put!(row, treatment, ITA_DEGREES, decimal_if, treatment.ita_tenths, 1, b'.');
    put!(row, treatment, SKIN_SENSITIVITY, text_if, yes_no(treatment.sensitive_skin));
    put!(row, treatment, SKIN_THICKNESS, text_if, treatment.skin_thickness.code());
}

fn skin_and_preparation(treatment: &Treatment, row: &mut Row) {
    if !treatment.leaves_out(field::CONDITIONS) {
        push_codes(treatment.conditions, Condition::CODES, row);
    }
    row.end();
    put!(row, treatment, NUMBING_AGENT, text_if, treatment.numbing_agent.code());
    if !treatment.leaves_out(field::TOPICALS) {
        push_codes(treatment.topicals, Topical::CODES, row);
    }
    row.end();
    row.whole_if(treatment.retinoid_stop_days.filter(|_| !treatment.leaves_out(field::RETINOID_STOP_DAYS)));
    put!(row, treatment, STERILE_SINGLE_USE, text_if, yes_no(treatment.sterile));
}

fn afterwards(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    const REPORTED: [(usize, usize); 6] = [
        (field::SUNSCREEN_DAILY, course::SUNSCREEN),
        (field::SUN_EXPOSURE, course::SUN),
        (field::GENTLE_PRODUCTS, course::GENTLE),
        (field::MOISTURISER, course::MOISTURISER),
        (field::PICKING, course::PICKING),
        (field::EXFOLIANT, course::EXFOLIANT),
    ];
    for (column, habit) in REPORTED {
        let told = treatment.asked && !treatment.leaves_out(column);
        row.text_if(told.then(|| yes_no(treatment.aftercare[habit])));
    }
    put!(row, treatment, PAIN_VAS, decimal_if, scaled(treatment.pain_tenths), 1, b'.');
    row.whole_if(
        Some(treatment.return_days)
            .filter(|_| treatment.asked && !treatment.leaves_out(field::RETURN_TO_ACTIVITY_DAYS)),
    );
    row.day_if(treatment.recorded_follow_up().map(|day| model.calendar.iso(day)));
    side_effects(model, treatment, row);
}

fn side_effects(model: &Model<'_>, treatment: &Treatment, row: &mut Row) {
    let mut in_row = treatment.occurred.iter().filter(|occurred| occurred.heard == Heard::InRow).peekable();
    if treatment.asked && in_row.peek().is_none() {
        row.push(b"none");
    }
    for (at, occurred) in in_row.enumerate() {
        row.push(if at > 0 { b";" } else { b"" });
        row.push(model.plan.truth.side_effects[occurred.effect].code.as_bytes());
        if !occurred.grade_given {
            continue;
        }
        row.push(&[b':', b'0' + occurred.grade]);
        if occurred.dates_given {
            row.push(b":");
            row.push(model.calendar.iso(occurred.onset));
            row.push(b"/");
            row.push(gone(treatment, occurred).map_or(&[][..], |day| &model.calendar.iso(day)[..]));
        }
    }
    row.end();
}

/// The day a side effect was seen gone; `None` while it is still there at the last follow-up.
pub(super) fn gone(treatment: &Treatment, occurred: &Occurred) -> Option<Day> {
    Some(occurred.resolved).filter(|day| treatment.last_follow_up.is_some_and(|last| *day <= last))
}

/// The row of a late event.
pub(super) fn event_row(model: &Model<'_>, treatment: &Treatment, occurred: &Occurred, row: &mut Row) {
    row.clear();
    let by_patient = occurred.heard == Heard::LateByPatient;
    if !by_patient {
        push_session_id(model, treatment.session, row);
    }
    row.end();
    if by_patient {
        push_patient_id(model, treatment.patient, row);
    }
    row.end();
    row.text_if(by_patient.then(|| treatment.body_area.code()));
    row.text(model.plan.truth.side_effects[occurred.effect].code);
    row.whole_if(Some(u32::from(occurred.grade)).filter(|_| occurred.grade_given));
    row.day_if(Some(model.calendar.iso(occurred.onset)).filter(|_| occurred.dates_given));
    match gone(treatment, occurred).filter(|_| occurred.dates_given) {
        Some(day) => row.day_if(Some(model.calendar.iso(day))),
        None if occurred.dates_given => row.text("ongoing"),
        None => row.text(""),
    }
    row.text(yes_no(occurred.grade == 3 && model.effects[occurred.effect].group == 2));
    row.text("");
    row.text("");
    row.day_if(treatment.last_follow_up.map(|day| model.calendar.iso(day)));
}

/// The row of a score.
pub(super) fn score_row(model: &Model<'_>, course: &Course, score: &Score, row: &mut Row) {
    row.clear();
    push_patient_id(model, course.patient.number, row);
    row.end();
    if let Some(session) = score.session {
        push_session_id(model, session, row);
    }
    row.end();
    row.text("");
    row.day_if(Some(model.calendar.iso(score.date)));
    row.text(score.scale);
    row.whole_if(Some(score.score));
    let practitioner = course.treatments.first().and_then(|treatment| treatment.practitioner);
    let rater = practitioner.map(|at| model.clinics[course.patient.clinic].practitioners[at].practitioner_id.as_str());
    row.text_if(if score.by_patient { Some("patient") } else { rater });
}

fn push_codes(set: CodeSet, codes: &[&str], row: &mut Row) {
    let mut any = false;
    for (_, code) in codes.iter().enumerate().filter(|(at, _)| set.has(*at)) {
        row.push(if any { b";" } else { b"" });
        row.push(code.as_bytes());
        any = true;
    }
    if !any {
        row.push(b"none");
    }
}

fn yes_no(yes: bool) -> &'static str {
    if yes { "yes" } else { "no" }
}

/// A drawn number as a signed one; all of them are far below the limit.
pub(super) fn scaled(number: u32) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}
