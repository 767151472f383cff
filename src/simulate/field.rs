//! Positions of the canonical columns, so that a value can be left out or spoilt by its name.

use crate::domain::COLUMNS;

pub(super) const CLINIC_ID: usize = 2;
pub(super) const PRACTITIONER_ID: usize = 3;
pub(super) const PRACTITIONER_CREDENTIAL: usize = 5;
pub(super) const PRACTITIONER_EXPERIENCE_YEARS: usize = 6;
pub(super) const SESSION_DATE: usize = 7;
pub(super) const COURSE_SESSION: usize = 8;
pub(super) const MODALITY: usize = 10;
pub(super) const DEVICE_MODEL: usize = 11;
pub(super) const DEVICE_LOT: usize = 12;
pub(super) const FIRMWARE: usize = 13;
pub(super) const NEEDLE_DEPTH_MM: usize = 14;
pub(super) const NEEDLE_COUNT: usize = 15;
pub(super) const PASSES: usize = 16;
pub(super) const RF_ENERGY_MJ: usize = 17;
pub(super) const RF_PULSE_MS: usize = 18;
pub(super) const SIDE: usize = 20;
pub(super) const AGE_YEARS: usize = 22;
pub(super) const SEX: usize = 23;
pub(super) const FITZPATRICK: usize = 24;
pub(super) const MONK: usize = 25;
pub(super) const ITA_DEGREES: usize = 26;
pub(super) const SKIN_SENSITIVITY: usize = 27;
pub(super) const SKIN_THICKNESS: usize = 28;
pub(super) const CONDITIONS: usize = 29;
pub(super) const NUMBING_AGENT: usize = 30;
pub(super) const TOPICALS: usize = 31;
pub(super) const RETINOID_STOP_DAYS: usize = 32;
pub(super) const STERILE_SINGLE_USE: usize = 33;
pub(super) const SUNSCREEN_DAILY: usize = 34;
pub(super) const SUN_EXPOSURE: usize = 35;
pub(super) const GENTLE_PRODUCTS: usize = 36;
pub(super) const MOISTURISER: usize = 37;
pub(super) const PICKING: usize = 38;
pub(super) const EXFOLIANT: usize = 39;
pub(super) const PAIN_VAS: usize = 40;
pub(super) const RETURN_TO_ACTIVITY_DAYS: usize = 41;
pub(super) const LAST_FOLLOW_UP_DATE: usize = 42;
pub(super) const SIDE_EFFECTS: usize = 43;

/// Number of columns.
pub(super) const COUNT: usize = COLUMNS.len();

/// Position of the column with this name.
pub(super) fn position(name: &str) -> Option<usize> {
    COLUMNS.iter().position(|column| column.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_positions_are_those_of_the_canonical_columns() {
        let known = [
            ("clinic_id", CLINIC_ID),
            ("practitioner_id", PRACTITIONER_ID),
            ("practitioner_credential", PRACTITIONER_CREDENTIAL),
            ("practitioner_experience_years", PRACTITIONER_EXPERIENCE_YEARS),
            ("session_date", SESSION_DATE),
            ("course_session", COURSE_SESSION),
            ("modality", MODALITY),
            ("device_model", DEVICE_MODEL),
            ("device_lot", DEVICE_LOT),
            ("firmware", FIRMWARE),
            ("needle_depth_mm", NEEDLE_DEPTH_MM),
            ("needle_count", NEEDLE_COUNT),
            ("passes", PASSES),
            ("rf_energy_mj", RF_ENERGY_MJ),
            ("rf_pulse_ms", RF_PULSE_MS),
            ("side", SIDE),
            ("age_years", AGE_YEARS),
            ("sex", SEX),
            ("fitzpatrick", FITZPATRICK),
            ("monk", MONK),
            ("ita_degrees", ITA_DEGREES),
            ("skin_sensitivity", SKIN_SENSITIVITY),
            ("skin_thickness", SKIN_THICKNESS),
            ("conditions", CONDITIONS),
            ("numbing_agent", NUMBING_AGENT),
            ("topicals", TOPICALS),
            ("retinoid_stop_days", RETINOID_STOP_DAYS),
            ("sterile_single_use", STERILE_SINGLE_USE),
            ("sunscreen_daily", SUNSCREEN_DAILY),
            ("sun_exposure", SUN_EXPOSURE),
            ("gentle_products", GENTLE_PRODUCTS),
            ("moisturiser", MOISTURISER),
            ("picking", PICKING),
            ("exfoliant", EXFOLIANT),
            ("pain_vas", PAIN_VAS),
            ("return_to_activity_days", RETURN_TO_ACTIVITY_DAYS),
            ("last_follow_up_date", LAST_FOLLOW_UP_DATE),
            ("side_effects", SIDE_EFFECTS),
        ];
        for (name, at) in known {
            assert_eq!(position(name), Some(at), "{name}");
        }
    }
}
