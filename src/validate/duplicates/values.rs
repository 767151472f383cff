//! The values of a row as bytes, always the same: texts with their length before them, codes as their number in the
//! code list, numbers as their bits with the lowest byte first, and a mark where a value is missing.
//!
//! Fingerprints are made of these bytes and may be kept in a store: codes may be added at the end of their list only. A
//! test pins the lists.

use crate::domain::codes::{CodeSet, YesNo};
use crate::domain::{Asked, Assessment, Day, EffectId, Event, Link, ReportedEffect, Resolution, Session};

/// Tells the code of a side effect: its index in the run's catalogue depends on the mappings.
pub(in crate::validate) trait EffectCodes {
    /// The code.
    fn code(&self, id: EffectId) -> &str;
}

/// The values of one row; kept from row to row for its room.
#[derive(Debug, Default)]
pub(in crate::validate) struct Values {
    pub(super) bytes: Vec<u8>,
}

/// Stands for a missing text: none is as long.
const MISSING_TEXT: u32 = u32::MAX;
/// Stands for a missing whole number: every column has a lower limit.
const MISSING_WHOLE: u32 = u32::MAX;
/// Stands for a missing day: no calendar reaches as far.
const MISSING_DAY: i32 = i32::MIN;
/// Stands for a missing number: the bits of something that is none.
const MISSING_NUMBER: u64 = u64::MAX;
/// Stands for a missing set: it would hold every code of a list that is as long as a list may be.
const MISSING_SET: u16 = u16::MAX;

impl Values {
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
    }

    pub(super) fn text(&mut self, text: &str) {
        let length = u32::try_from(text.len()).unwrap_or(MISSING_TEXT - 1);
        self.bytes.extend_from_slice(&length.to_le_bytes());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    fn some_text(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.text(text),
            None => self.bytes.extend_from_slice(&MISSING_TEXT.to_le_bytes()),
        }
    }

    fn texts<const N: usize>(&mut self, texts: [Option<&str>; N]) {
        texts.into_iter().for_each(|text| self.some_text(text));
    }

    /// A zero is written without its sign.
    fn numbers<const N: usize>(&mut self, numbers: [Option<f64>; N]) {
        let bits = numbers.map(|number| number.map_or(MISSING_NUMBER, |number| (number + 0.0).to_bits()));
        self.bytes.extend_from_slice(bits.map(u64::to_le_bytes).as_flattened());
    }

    fn wholes<const N: usize>(&mut self, wholes: [Option<u32>; N]) {
        let wholes = wholes.map(|whole| whole.unwrap_or(MISSING_WHOLE));
        self.bytes.extend_from_slice(wholes.map(u32::to_le_bytes).as_flattened());
    }

    fn days<const N: usize>(&mut self, days: [Option<Day>; N]) {
        let days = days.map(|day| day.map_or(MISSING_DAY, |day| day.0));
        self.bytes.extend_from_slice(days.map(i32::to_le_bytes).as_flattened());
    }

    fn sets<const N: usize>(&mut self, sets: [Option<CodeSet>; N]) {
        let sets = sets.map(|set| set.map_or(MISSING_SET, |set| set.0));
        self.bytes.extend_from_slice(sets.map(u16::to_le_bytes).as_flattened());
    }

    fn resolution(&mut self, resolution: Resolution) {
        match resolution {
            Resolution::NotStated => self.bytes.push(0),
            Resolution::Ongoing => self.bytes.push(1),
            Resolution::On(day) => {
                self.bytes.push(2);
                self.days([Some(day)]);
            }
        }
    }

    /// Every value but the session's own id: a new field that is forgotten here does not compile.
    #[rustfmt::skip]
    pub(super) fn session(&mut self, session: &Session, codes: &impl EffectCodes) {
        let Session {
            session_id: _, patient_id, clinic_id, practitioner_id, state, practitioner_credential,
            practitioner_experience_years, session_date, course_session, setting, modality, device_model, device_lot,
            firmware, needle_depth_mm, needle_count, passes, rf_energy_mj, rf_pulse_ms, body_area, side, indication,
            age_years, sex, fitzpatrick, monk, ita_degrees, skin_sensitivity, skin_thickness, conditions, numbing_agent,
            topicals, retinoid_stop_days, sterile_single_use, sunscreen_daily, sun_exposure, gentle_products, moisturiser,
            picking, exfoliant, pain_vas, return_to_activity_days, last_follow_up_date, side_effects,
        } = session;
        let number = |code: Option<u8>| code.map_or(0, |code| code + 1);
        let answer = |answer: &Option<YesNo>| number(answer.map(|answer| answer as u8));
        self.bytes.extend_from_slice(&[
            *setting as u8, *modality as u8, *body_area as u8, *indication as u8,
            number(practitioner_credential.map(|code| code as u8)), number(side.map(|code| code as u8)),
            number(sex.map(|code| code as u8)), number(skin_thickness.map(|code| code as u8)),
            number(numbing_agent.map(|code| code as u8)), number(fitzpatrick.map(|skin| skin.number())),
            number(monk.map(|monk| monk.number())), answer(skin_sensitivity), answer(sterile_single_use),
            answer(sunscreen_daily), answer(sun_exposure), answer(gentle_products), answer(moisturiser), answer(picking),
            answer(exfoliant),
        ]);
        self.sets([*conditions, *topicals]);
        self.days([Some(*session_date), *last_follow_up_date]);
        self.wholes([
            *course_session, *needle_count, *passes, *age_years, *retinoid_stop_days, *return_to_activity_days,
        ]);
        self.numbers([
            *practitioner_experience_years, *needle_depth_mm, *rf_energy_mj, *rf_pulse_ms, *ita_degrees, *pain_vas,
        ]);
        self.text(patient_id);
        self.text(clinic_id);
        self.texts([practitioner_id, state, device_model, device_lot, firmware].map(Option::as_deref));
        match side_effects {
            Asked::No => self.wholes([None]),
            Asked::Yes(effects) => {
                self.wholes([u32::try_from(effects.len()).ok()]);
                effects.iter().for_each(|effect| self.effect(effect, codes));
            }
        }
    }

    fn effect(&mut self, reported: &ReportedEffect, codes: &impl EffectCodes) {
        let ReportedEffect { effect, verbatim, grade, onset, resolution } = reported;
        self.text(codes.code(*effect));
        self.some_text(verbatim.as_deref());
        self.wholes([grade.map(|grade| u32::from(grade.number()))]);
        self.days([*onset]);
        self.resolution(*resolution);
    }

    pub(super) fn event(&mut self, event: &Event, codes: &impl EffectCodes) {
        let Event { link, effect, grade, onset, resolution, serious, verbatim, imdrf_code, reported } = event;
        match link {
            Link::Session { session_id, patient_id } => {
                self.texts([Some(session_id.as_str()), patient_id.as_deref(), None])
            }
            Link::Patient { patient_id, body_area } => {
                self.texts([None, Some(patient_id.as_str()), body_area.map(|area| area.code())]);
            }
        }
        self.text(codes.code(*effect));
        self.wholes([grade.map(|grade| u32::from(grade.number()))]);
        self.days([*onset]);
        self.resolution(*resolution);
        self.wholes([serious.map(u32::from)]);
        self.texts([verbatim.as_deref(), imdrf_code.as_deref()]);
        self.days([*reported]);
    }

    pub(super) fn assessment(&mut self, assessment: &Assessment) {
        let Assessment { patient_id, session_id, side, assessment_date, scale, score, rater } = assessment;
        self.texts([
            Some(patient_id.as_str()),
            session_id.as_deref(),
            side.map(|side| side.code()),
            Some(scale.as_str()),
        ]);
        self.days([Some(*assessment_date)]);
        self.numbers([Some(*score)]);
        self.some_text(rater.as_deref());
    }
}
