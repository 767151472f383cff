//! Sessions made by hand, for tests that need a few.

use stipple::domain::codes::{BodyArea, Indication, Modality, Setting};
use stipple::domain::{Asked, Catalogue, Day, FileId, Fitzpatrick, Grade, Place, ReportedEffect, Resolution, Session};
use stipple::store::{SessionTable, SessionsBuilder};

/// Day number `days` after 2026-01-01.
pub(crate) fn day(days: i32) -> Day {
    Day::from_ymd(2026, 1, 1).unwrap().plus(days)
}

/// A session of a patient, with nothing optional filled in and nobody asked.
pub(crate) fn session(id: usize, patient: &str, session_day: i32) -> Session {
    Session {
        session_id: format!("s{id}").into(),
        patient_id: patient.into(),
        clinic_id: "north".into(),
        practitioner_id: None,
        state: None,
        practitioner_credential: None,
        practitioner_experience_years: None,
        session_date: day(session_day),
        course_session: None,
        setting: Setting::Professional,
        modality: Modality::Pen,
        device_model: None,
        device_lot: None,
        firmware: None,
        needle_depth_mm: None,
        needle_count: None,
        passes: None,
        rf_energy_mj: None,
        rf_pulse_ms: None,
        body_area: BodyArea::Face,
        side: None,
        indication: Indication::AcneScars,
        age_years: None,
        sex: None,
        fitzpatrick: None,
        monk: None,
        ita_degrees: None,
        skin_sensitivity: None,
        skin_thickness: None,
        conditions: None,
        numbing_agent: None,
        topicals: None,
        retinoid_stop_days: None,
        sterile_single_use: None,
        sunscreen_daily: None,
        sun_exposure: None,
        gentle_products: None,
        moisturiser: None,
        picking: None,
        exfoliant: None,
        pain_vas: None,
        return_to_activity_days: None,
        last_follow_up_date: None,
        side_effects: Asked::No,
    }
}

/// The session, asked and followed up for `days`, with these side effects.
pub(crate) fn followed(mut session: Session, days: i32, codes: &[&str]) -> Session {
    let catalogue = Catalogue::built_in();
    session.last_follow_up_date = Some(session.session_date.plus(days));
    session.side_effects = Asked::Yes(
        codes
            .iter()
            .map(|code| ReportedEffect {
                effect: catalogue.find(code).unwrap(),
                verbatim: None,
                grade: Grade::new(1),
                onset: Some(session.session_date.plus(1)),
                resolution: Resolution::NotStated,
            })
            .collect(),
    );
    session
}

/// The session, asked and followed up for `days`, with these side effects and their grades (0 = not stated).
pub(crate) fn graded(session: Session, days: i32, effects: &[(&str, u8)]) -> Session {
    let codes: Vec<&str> = effects.iter().map(|(code, _)| *code).collect();
    let mut made = followed(session, days, &codes);
    if let Asked::Yes(reported) = &mut made.side_effects {
        reported.iter_mut().zip(effects).for_each(|(reported, (_, grade))| reported.grade = Grade::new(*grade));
    }
    made
}

/// The session with a Fitzpatrick type and a depth.
pub(crate) fn skin(mut session: Session, fitzpatrick: Option<u8>, needle_depth_mm: Option<f64>) -> Session {
    session.fitzpatrick = fitzpatrick.and_then(Fitzpatrick::new);
    session.needle_depth_mm = needle_depth_mm;
    session
}

/// Sessions as a table.
pub(crate) fn table(sessions: &[Session]) -> SessionTable {
    let mut builder = SessionsBuilder::new();
    for (at, session) in (1u64..).zip(sessions) {
        builder.push(0, Place { file: FileId(0), line: at + 1, record: at }, session);
    }
    builder.finish().0
}
