//! The canonical columns of a session log, of an events file and of an assessments file: one table that the parser,
//! `stipple schema`, the store and the documentation all read.

use super::codes::{
    BodyArea, Condition, Credential, Indication, Modality, NumbingAgent, Setting, Sex, Side, SkinThickness, Topical,
    YesNo,
};

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// Free text, kept as it is but for surrounding space.
    Text,
    /// A pseudonymous patient identifier: never written to a log, a message or a report.
    Patient,
    /// One of a closed list of codes; the second list is `(what people write, code)`.
    Code(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// Several codes of a closed list, separated by `;`; `none` = asked, none.
    CodeList(&'static [&'static str], &'static [(&'static str, &'static str)]),
    /// A number within limits (both included).
    Number {
        /// Unit of the number.
        unit: &'static str,
        /// Lowest value accepted.
        lowest: f64,
        /// Highest value accepted.
        highest: f64,
    },
    /// A whole number within limits (both included).
    Integer {
        /// Unit of the number.
        unit: &'static str,
        /// Lowest value accepted.
        lowest: u32,
        /// Highest value accepted.
        highest: u32,
    },
    /// A calendar day.
    Date,
    /// Fitzpatrick type I…VI.
    Fitzpatrick,
    /// Monk Skin Tone 1…10.
    Monk,
    /// The compact list of side effects.
    SideEffects,
    /// A side-effect code or one of its synonyms.
    SideEffect,
    /// A severity grade 1…5 or mild, moderate, severe, life-threatening, death.
    Grade,
    /// A scale id.
    Scale,
}

/// A canonical column.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// Canonical name.
    pub name: &'static str,
    /// What it holds.
    pub kind: Kind,
    /// Whether a row without it is refused.
    pub required: bool,
    /// One line about it.
    pub about: &'static str,
}

/// Which file is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum Table {
    /// The session log.
    #[default]
    Sessions,
    /// The events file.
    Events,
    /// The assessments file.
    Assessments,
}

impl Table {
    /// The canonical columns of the file.
    #[must_use]
    pub fn columns(self) -> &'static [Column] {
        match self {
            Table::Sessions => COLUMNS,
            Table::Events => EVENT_COLUMNS,
            Table::Assessments => ASSESSMENT_COLUMNS,
        }
    }

    /// Its name for messages.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Table::Sessions => "session log",
            Table::Events => "events file",
            Table::Assessments => "assessments file",
        }
    }
}

const fn column(name: &'static str, kind: Kind, required: bool, about: &'static str) -> Column {
    Column { name, kind, required, about }
}

const YES_NO: Kind = Kind::Code(YesNo::CODES, YesNo::SYNONYMS);

macro_rules! code_kind {
    ($codes:ident) => {
        Kind::Code($codes::CODES, $codes::SYNONYMS)
    };
}

/// The session log: one row = one treatment of one body area on one day.
pub const COLUMNS: &[Column] = &[
    column("session_id", Kind::Text, true, "unique within one source"),
    column("patient_id", Kind::Patient, true, "pseudonym of the patient; never shown"),
    column("clinic_id", Kind::Text, true, "clinic or site"),
    column("practitioner_id", Kind::Text, false, "who treated"),
    column("state", Kind::Text, false, "region of the clinic"),
    column("practitioner_credential", code_kind!(Credential), false, "training of who treated"),
    column(
        "practitioner_experience_years",
        Kind::Number { unit: "years", lowest: 0.0, highest: 60.0 },
        false,
        "experience of who treated",
    ),
    column("session_date", Kind::Date, true, "day of the treatment"),
    column(
        "course_session",
        Kind::Integer { unit: "", lowest: 1, highest: 1000 },
        false,
        "1 = first session of a course",
    ),
    column("setting", code_kind!(Setting), true, "where it was done"),
    column("modality", code_kind!(Modality), true, "kind of device"),
    column("device_model", Kind::Text, false, "model of the device"),
    column("device_lot", Kind::Text, false, "lot of the device or needles"),
    column("firmware", Kind::Text, false, "firmware of the device"),
    column("needle_depth_mm", Kind::Number { unit: "mm", lowest: 0.05, highest: 6.0 }, false, "needle depth"),
    column("needle_count", Kind::Integer { unit: "needles", lowest: 1, highest: 600 }, false, "needles on the head"),
    column("passes", Kind::Integer { unit: "passes", lowest: 1, highest: 20 }, false, "passes over the area"),
    column(
        "rf_energy_mj",
        Kind::Number { unit: "mJ", lowest: 0.0, highest: 10_000.0 },
        false,
        "energy a needle; only with modality rf",
    ),
    column(
        "rf_pulse_ms",
        Kind::Number { unit: "ms", lowest: 0.0, highest: 10_000.0 },
        false,
        "pulse length; only with modality rf",
    ),
    column("body_area", code_kind!(BodyArea), true, "treated area"),
    column("side", code_kind!(Side), false, "left, right or both; two sides on one day make a split-face pair"),
    column("indication", code_kind!(Indication), true, "why it was done"),
    column("age_years", Kind::Integer { unit: "years", lowest: 0, highest: 110 }, false, "age at the session"),
    column("sex", code_kind!(Sex), false, "sex as recorded"),
    column("fitzpatrick", Kind::Fitzpatrick, false, "sun reaction of the skin, I…VI; not its colour"),
    column("monk", Kind::Monk, false, "Monk Skin Tone, light to dark"),
    column(
        "ita_degrees",
        Kind::Number { unit: "degrees", lowest: -90.0, highest: 90.0 },
        false,
        "individual typology angle; higher = lighter",
    ),
    column("skin_sensitivity", YES_NO, false, "sensitive skin"),
    column("skin_thickness", code_kind!(SkinThickness), false, "as judged at the session"),
    column(
        "conditions",
        Kind::CodeList(Condition::CODES, Condition::SYNONYMS),
        false,
        "conditions at the session; none = asked, none",
    ),
    column("numbing_agent", code_kind!(NumbingAgent), false, "numbing agent used"),
    column("topicals", Kind::CodeList(Topical::CODES, Topical::SYNONYMS), false, "what was put on the skin"),
    column(
        "retinoid_stop_days",
        Kind::Integer { unit: "days", lowest: 0, highest: 3650 },
        false,
        "days since the last retinoid or topical acne product",
    ),
    column("sterile_single_use", YES_NO, false, "sterile single-use needles"),
    column("sunscreen_daily", YES_NO, false, "aftercare, as reported at follow-up"),
    column("sun_exposure", YES_NO, false, "aftercare, as reported at follow-up"),
    column("gentle_products", YES_NO, false, "aftercare, as reported at follow-up"),
    column("moisturiser", YES_NO, false, "aftercare, as reported at follow-up"),
    column("picking", YES_NO, false, "aftercare, as reported at follow-up"),
    column("exfoliant", YES_NO, false, "aftercare, as reported at follow-up"),
    column("pain_vas", Kind::Number { unit: "0–10", lowest: 0.0, highest: 10.0 }, false, "pain during the treatment"),
    column("return_to_activity_days", Kind::Integer { unit: "days", lowest: 0, highest: 365 }, false, "0 = same day"),
    column("last_follow_up_date", Kind::Date, false, "last day on which the patient was asked about side effects"),
    column(
        "side_effects",
        Kind::SideEffects,
        false,
        "code[:grade[:onset[/resolved]]];… — empty = nobody asked, none = asked and none",
    ),
];

/// Whether the values of a session's column are steps from less to more, or from earlier to later.
#[must_use]
pub fn has_steps(name: &str) -> bool {
    ["skin_thickness", "ita_class", "session_month"].contains(&name)
        || COLUMNS.iter().any(|column| column.name == name && matches!(column.kind, Kind::Fitzpatrick | Kind::Monk))
}

/// The events file: side effects reported apart from the session's row.
pub const EVENT_COLUMNS: &[Column] = &[
    column("session_id", Kind::Text, false, "the session; or give patient_id and onset_date"),
    column("patient_id", Kind::Patient, false, "the patient, where the session is not named"),
    column("body_area", code_kind!(BodyArea), false, "treated area, to choose among the patient's sessions"),
    column("side_effect", Kind::SideEffect, true, "code or synonym; an unknown term is kept as `uncoded`"),
    column("grade", Kind::Grade, false, "1 mild … 5 death"),
    column("onset_date", Kind::Date, false, "first day"),
    column("resolved_date", Kind::Date, false, "day it was gone; `ongoing` = still there at the last follow-up"),
    column("serious", YES_NO, false, "serious in the regulatory sense"),
    column("verbatim", Kind::Text, false, "the reporter's own words"),
    column("imdrf_code", Kind::Text, false, "IMDRF annex code"),
    column("reported_date", Kind::Date, false, "day of the report"),
];

/// The assessments file: scores by scale.
pub const ASSESSMENT_COLUMNS: &[Column] = &[
    column("patient_id", Kind::Patient, true, "pseudonym of the patient; never shown"),
    column("session_id", Kind::Text, false, "the session that it follows"),
    column("side", code_kind!(Side), false, "side of the body"),
    column("assessment_date", Kind::Date, true, "day of the assessment"),
    column("scale", Kind::Scale, true, "scale id"),
    column(
        "score",
        Kind::Number { unit: "points", lowest: -1e6, highest: 1e6 },
        true,
        "score, within the ends of its scale",
    ),
    column("rater", Kind::Text, false, "who scored"),
];
