//! One session as it truly was, and which of its values the log leaves out.

use crate::domain::Day;
use crate::domain::codes::{BodyArea, CodeSet, Indication, Modality, NumbingAgent, Sex, Side, SkinThickness};

/// A session with its hidden truth: numbers and indices only, so that millions of them are cheap.
#[derive(Debug, Clone, PartialEq)]
pub struct Treatment {
    /// Number of the session, from 1.
    pub session: u64,
    /// Number of the patient, from 1.
    pub patient: u64,
    /// Index of the clinic.
    pub clinic: usize,
    /// Index of the practitioner within the clinic; `None` at home.
    pub practitioner: Option<usize>,
    /// Experience of the practitioner on the day, in tenths of years.
    pub experience_tenths: u32,
    /// Day of the session.
    pub date: Day,
    /// 1 = first of the course.
    pub course_session: u32,
    /// Treated at home.
    pub home: bool,
    /// Kind of device.
    pub modality: Modality,
    /// Index of the device model.
    pub device: usize,
    /// Which of the quarter's lots: A (0) or B (1).
    pub lot: u8,
    /// Whether the lot is the bad one.
    pub bad_lot: bool,
    /// Index of the firmware, where the device has one.
    pub firmware: Option<usize>,
    /// Needle depth in µm.
    pub depth_um: u32,
    /// Needles on the head.
    pub needle_count: u32,
    /// Passes over the area.
    pub passes: u32,
    /// Energy in mJ, with rf only.
    pub rf_energy_mj: Option<u32>,
    /// Pulse in ms, with rf only.
    pub rf_pulse_ms: Option<u32>,
    /// Treated area.
    pub body_area: BodyArea,
    /// Side of the body.
    pub side: Side,
    /// Why it was done.
    pub indication: Indication,
    /// Age in years.
    pub age_years: u32,
    /// Sex.
    pub sex: Sex,
    /// True Fitzpatrick type 1…6.
    pub fitzpatrick: u8,
    /// True Monk tone 1…10.
    pub monk: u8,
    /// True ITA in tenths of degrees.
    pub ita_tenths: i32,
    /// Sensitive skin.
    pub sensitive_skin: bool,
    /// Thickness of the skin.
    pub skin_thickness: SkinThickness,
    /// Conditions at the session.
    pub conditions: CodeSet,
    /// Numbing agent.
    pub numbing_agent: NumbingAgent,
    /// What was put on the skin.
    pub topicals: CodeSet,
    /// Days since the last retinoid, among those who used one.
    pub retinoid_stop_days: Option<u32>,
    /// Sterile single-use needle.
    pub sterile: bool,
    /// Sun, picking, exfoliant, gentle products, moisturiser, daily sunscreen.
    pub aftercare: [bool; 6],
    /// Pain during the treatment in tenths.
    pub pain_tenths: u32,
    /// Days until back to normal activity.
    pub return_days: u32,
    /// Whether anybody asked about side effects afterwards.
    pub asked: bool,
    /// Last day on which the patient was asked; `None` when nobody did.
    pub last_follow_up: Option<Day>,
    /// What truly occurred, whether or not anybody heard of it.
    pub occurred: Vec<Occurred>,
    /// The exact risk of PIH that the model gave this session.
    pub pih_risk: f64,
    /// Columns that the log leaves empty, one bit each.
    pub left_out: u64,
}

/// A side effect that truly occurred.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Occurred {
    /// Index in `Truth::side_effects`.
    pub effect: usize,
    /// Grade 1–3.
    pub grade: u8,
    /// First day.
    pub onset: Day,
    /// Day it was gone.
    pub resolved: Day,
    /// How the log learns of it.
    pub heard: Heard,
    /// Grade written down.
    pub grade_given: bool,
    /// Dates written down.
    pub dates_given: bool,
}

/// How the log learns of a side effect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Heard {
    /// It never does.
    Never,
    /// From the session's own row.
    InRow,
    /// From the events file, which names the session.
    LateBySession,
    /// From the events file, which names the patient and the onset.
    LateByPatient,
}

impl Treatment {
    /// Whether the log leaves this column empty.
    #[must_use]
    pub fn leaves_out(&self, column: usize) -> bool {
        self.left_out >> column & 1 == 1
    }

    /// What is listed for the session, in its row or in the events file.
    pub fn listed(&self) -> impl Iterator<Item = &Occurred> {
        self.occurred.iter().filter(|occurred| occurred.heard != Heard::Never)
    }

    /// What arrives in the events file.
    pub fn late(&self) -> impl Iterator<Item = &Occurred> {
        self.occurred.iter().filter(|occurred| matches!(occurred.heard, Heard::LateBySession | Heard::LateByPatient))
    }

    /// Whether this side effect truly occurred.
    #[must_use]
    pub fn had(&self, effect: usize) -> bool {
        self.occurred.iter().any(|occurred| occurred.effect == effect)
    }

    /// The Fitzpatrick type as the log has it; `None` where it is missing.
    #[must_use]
    pub fn recorded_fitzpatrick(&self) -> Option<u8> {
        (!self.leaves_out(super::field::FITZPATRICK)).then_some(self.fitzpatrick)
    }

    /// The last follow-up as the log has it.
    #[must_use]
    pub fn recorded_follow_up(&self) -> Option<Day> {
        self.last_follow_up.filter(|_| !self.leaves_out(super::field::LAST_FOLLOW_UP_DATE))
    }
}
