//! The canonical session: one treatment of one body area on one day.

use super::catalogue::EffectId;
use super::codes::{
    BodyArea, CodeSet, Credential, Indication, Modality, NumbingAgent, Setting, Sex, Side, SkinThickness, YesNo,
};
use super::day::Day;
use super::event::{Grade, Resolution};
use super::skin_tone::{Fitzpatrick, Monk};

/// A text of a record: a short one, as most are, lies in the record itself.
pub type Text = compact_str::CompactString;

/// Whether the patient was asked about side effects, and what was said in the session's own row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Asked {
    /// The field is empty: nobody asked.
    No,
    /// Asked; the list is empty when there were none.
    Yes(Vec<ReportedEffect>),
}

/// A side effect listed in a session's own row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ReportedEffect {
    /// The side effect; `Catalogue::UNCODED` for a term nobody has coded.
    pub effect: EffectId,
    /// The term itself, where it is uncoded.
    pub verbatim: Option<String>,
    /// Severity, when given.
    pub grade: Option<Grade>,
    /// First day, when given.
    pub onset: Option<Day>,
    /// How it ended.
    pub resolution: Resolution,
}

/// One session, after validation. `None` is *missing*: never zero, never «no».
#[derive(Debug, Clone, PartialEq)]
#[expect(missing_docs, reason = "each field is described, with its unit, in `domain::COLUMNS`")]
pub struct Session {
    pub session_id: Text,
    pub patient_id: Text,
    pub clinic_id: Text,
    pub practitioner_id: Option<Text>,
    pub state: Option<Text>,
    pub practitioner_credential: Option<Credential>,
    pub practitioner_experience_years: Option<f64>,
    pub session_date: Day,
    pub course_session: Option<u32>,
    pub setting: Setting,
    pub modality: Modality,
    pub device_model: Option<Text>,
    pub device_lot: Option<Text>,
    pub firmware: Option<Text>,
    pub needle_depth_mm: Option<f64>,
    pub needle_count: Option<u32>,
    pub passes: Option<u32>,
    pub rf_energy_mj: Option<f64>,
    pub rf_pulse_ms: Option<f64>,
    pub body_area: BodyArea,
    pub side: Option<Side>,
    pub indication: Indication,
    pub age_years: Option<u32>,
    pub sex: Option<Sex>,
    pub fitzpatrick: Option<Fitzpatrick>,
    pub monk: Option<Monk>,
    pub ita_degrees: Option<f64>,
    pub skin_sensitivity: Option<YesNo>,
    pub skin_thickness: Option<SkinThickness>,
    pub conditions: Option<CodeSet>,
    pub numbing_agent: Option<NumbingAgent>,
    pub topicals: Option<CodeSet>,
    pub retinoid_stop_days: Option<u32>,
    pub sterile_single_use: Option<YesNo>,
    pub sunscreen_daily: Option<YesNo>,
    pub sun_exposure: Option<YesNo>,
    pub gentle_products: Option<YesNo>,
    pub moisturiser: Option<YesNo>,
    pub picking: Option<YesNo>,
    pub exfoliant: Option<YesNo>,
    pub pain_vas: Option<f64>,
    pub return_to_activity_days: Option<u32>,
    pub last_follow_up_date: Option<Day>,
    pub side_effects: Asked,
}
