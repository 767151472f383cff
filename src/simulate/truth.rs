//! The known truth of a simulated log: every parameter, with its size. Defaults follow published figures where there
//! are any; what is assumed is said to be.

use super::effect_table;
use super::influence::{Factor, Influence};
use crate::domain::Day;
use serde::{Serialize, Serializer};
use std::collections::BTreeMap;

/// Everything that decides what is in a log, beside its size and its clinics.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Truth {
    /// Who comes.
    pub people: People,
    /// How many sessions, and how far apart.
    pub course: Course,
    /// How they are treated.
    pub treatment: Treating,
    /// Each side effect: its risk, what moves it, when it starts and how long it lasts.
    pub side_effects: Vec<EffectTruth>,
    /// How alike the sessions of one patient are. A side effect occurs when a uniform number is below the session's
    /// risk; with this probability the number is the patient's own (the same in all of their sessions), otherwise it
    /// is a new one. Each session's risk is then exactly the logistic model's, so that conditional and
    /// population-averaged odds ratios are the same numbers (a random effect on the logit would pull them apart),
    /// and two sessions of equal risk have a correlation of exactly the square of this probability.
    pub patient_copy_probability: f64,
    /// Who is asked about side effects, for how long, and what is written down.
    pub follow_up: FollowUp,
    /// Share of values that are missing, by column.
    pub missing: BTreeMap<&'static str, f64>,
    /// Scores.
    pub scores: Scores,
    /// One bad lot of a device, from a known day.
    pub bad_lot: BadLot,
    /// One clinic whose PIH rate rises, from a known day.
    pub rising_clinic: RisingClinic,
}

/// Who comes.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct People {
    /// Share of women.
    pub women: f64,
    /// Mean age.
    pub age_mean_years: f64,
    /// Standard deviation of the age.
    pub age_sd_years: f64,
    /// Shares of Fitzpatrick I…VI (assumed).
    pub fitzpatrick: [f64; 6],
    /// Share with sensitive skin (assumed).
    pub sensitive_skin: f64,
    /// Shares of thin, normal and thick skin (assumed).
    pub skin_thickness: [f64; 3],
    /// Share with each condition (assumed), in the order of the catalogue of conditions. Skin infection is drawn for
    /// each session, the others for each patient; active acne is twice as frequent where acne scars are treated.
    pub conditions: [f64; 11],
}

/// How many sessions, and how far apart.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Course {
    /// Weights of 1, 2, 3 … sessions.
    pub sessions: Vec<f64>,
    /// Mean number of days from one session to the next.
    pub days_between_mean: f64,
    /// Its standard deviation.
    pub days_between_sd: f64,
    /// Share of patients treated at home.
    pub home: f64,
    /// Share of patients whose two sides are treated on the same day, the right one deeper.
    pub split_face: f64,
    /// How much deeper the right side is, in µm.
    pub split_face_deeper_um: u32,
}

/// How they are treated.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Treating {
    /// Weights of roller, pen, stamp and rf in clinics.
    pub modality: [f64; 4],
    /// Mean needle depth in clinics of roller, pen, stamp and rf at Fitzpatrick type III.
    pub depth_mean_mm: [f64; 4],
    /// Standard deviation of the depth.
    pub depth_sd_mm: f64,
    /// Confounding: by how much deeper (negative: shallower) each further Fitzpatrick type is treated.
    pub depth_change_per_type_mm: f64,
    /// Mean number of passes (rf: half of it).
    pub passes_mean: f64,
    /// Its standard deviation.
    pub passes_sd: f64,
    /// Share treated with needles that are not sterile and single-use, in clinics and at home.
    pub not_sterile: [f64; 2],
    /// Share with a numbing agent in clinics.
    pub numbing_agent: f64,
    /// Share of patients exposed to the sun afterwards, who pick, who exfoliate, who use gentle products, moisturiser,
    /// daily sunscreen.
    pub aftercare: [f64; 6],
}

/// A side effect of the simulated world.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct EffectTruth {
    /// Code in the catalogue.
    pub code: &'static str,
    /// Risk of one session when no factor is there (for PIH: type III, 1.5 mm, 3 passes).
    pub base_risk: f64,
    /// Only radiofrequency devices cause it.
    pub rf_only: bool,
    /// What moves the risk.
    pub influences: Vec<Influence>,
    /// First and last possible day of onset after the session.
    pub onset_days: [u32; 2],
    /// Shortest and longest duration in days; the short ones are likelier (shortest + range × u³, u
    /// uniform).
    pub lasts_days: [u32; 2],
    /// Weights of grades 1, 2 and 3.
    pub grades: [f64; 3],
    /// Share that arrives in the events file instead of the session's row.
    pub late: f64,
}

/// Who is asked about side effects, for how long, and what is written down.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct FollowUp {
    /// Days after the last session of the course at which patients are seen for the last time: from, to.
    pub last_contact_days: [u32; 2],
    /// Share of patients seen much later once more.
    pub seen_late: f64,
    /// Days after the last session at which they are: from, to.
    pub late_contact_days: [u32; 2],
    /// Share of patients lost to follow-up.
    pub lost: f64,
    /// Share of the lost who are not seen after their last session (the others are seen within 60 days).
    pub never_seen: f64,
    /// Share of sessions after which the usual clinic asks: lowest and highest clinic.
    pub asks: [f64; 2],
    /// A clinic that asks less: index, and share of its sessions after which it asks.
    pub quiet_clinic: Option<(usize, f64)>,
    /// A clinic that asks but writes down only part of what is there: index, and share written down of what is
    /// expected, of pigment changes and of complications.
    pub spontaneous_clinic: Option<(usize, [f64; 3])>,
    /// Share of late events that name the patient and the onset only.
    pub by_patient: f64,
    /// Share of listed side effects without grade, and without dates.
    pub without_grade_or_dates: [f64; 2],
}

/// Scores.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// Probability of at least one grade better after 1, 2, 3 … sessions; the last holds for all further ones.
    pub better_after: Vec<f64>,
    /// The same at home, as a multiple.
    pub home_multiple: f64,
    /// Probability of a satisfied answer (4 or 5 of 5) when better, and when not.
    pub satisfied: [f64; 2],
    /// Share of scores that are taken at all.
    pub taken: f64,
}

/// One bad lot of a device.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct BadLot {
    /// Its name in `device_lot`.
    pub lot: &'static str,
    /// Index of the device model in the list of devices.
    pub device: usize,
    /// First and last day of its use.
    #[serde(serialize_with = "days")]
    pub used: [Day; 2],
    /// Share of the model's sessions that use it meanwhile.
    pub share: f64,
}

/// One clinic whose PIH rate rises.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct RisingClinic {
    /// Index of the clinic; `None` where no clinic's rate rises.
    pub clinic: Option<usize>,
    /// First day of the higher rate.
    #[serde(serialize_with = "day")]
    pub from: Day,
}

fn day<S: Serializer>(day: &Day, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(day)
}

fn days<S: Serializer>(days: &[Day; 2], serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(days.iter().map(Day::to_string))
}

impl Default for Truth {
    fn default() -> Truth {
        Truth {
            people: People::default(),
            course: Course::default(),
            treatment: Treating::default(),
            side_effects: effect_table::defaults(),
            patient_copy_probability: 0.5,
            follow_up: FollowUp::default(),
            missing: MISSING.iter().copied().collect(),
            scores: Scores::default(),
            // 2025-04-01 to 2025-09-30 and 2025-09-01.
            bad_lot: BadLot { lot: "DPX-25Q2-7", device: 0, used: [Day(20_179), Day(20_361)], share: 0.35 },
            rising_clinic: RisingClinic { clinic: Some(0), from: Day(20_332) },
        }
    }
}

impl Truth {
    /// A plain truth for coverage tests: every patient is asked and followed past the windows of 90 days, no value is
    /// missing, no clinic and no lot is special, and PIH depends on skin type, depth and passes alone. Sessions of one
    /// patient stay alike, and darker skin stays treated more shallowly.
    #[must_use]
    pub fn plain() -> Truth {
        let mut truth = Truth::default();
        truth.follow_up.lost = 0.0;
        truth.follow_up.asks = [1.0, 1.0];
        truth.follow_up.quiet_clinic = None;
        truth.follow_up.spontaneous_clinic = None;
        truth.missing.clear();
        truth.bad_lot.share = 0.0;
        truth.rising_clinic.clinic = None;
        truth.course.split_face = 0.0;
        if let Some(pih) = truth.side_effect_mut("pih") {
            pih.influences.retain(|influence| {
                !matches!(
                    influence.factor,
                    Factor::SunExposure | Factor::Picking | Factor::ActiveAcne | Factor::RisingClinic
                )
            });
        }
        truth
    }

    /// The side effect with this code.
    #[must_use]
    pub fn side_effect(&self, code: &str) -> Option<&EffectTruth> {
        self.side_effects.iter().find(|effect| effect.code == code)
    }

    /// The side effect with this code, to be changed.
    pub fn side_effect_mut(&mut self, code: &str) -> Option<&mut EffectTruth> {
        self.side_effects.iter_mut().find(|effect| effect.code == code)
    }
}

impl Default for People {
    fn default() -> People {
        People {
            women: 0.70,
            age_mean_years: 44.0,
            age_sd_years: 12.0,
            fitzpatrick: [0.05, 0.20, 0.30, 0.25, 0.12, 0.08],
            sensitive_skin: 0.25,
            skin_thickness: [0.2, 0.6, 0.2],
            conditions: [0.10, 0.04, 0.05, 0.02, 0.004, 0.02, 0.015, 0.01, 0.002, 0.006, 0.01],
        }
    }
}

impl Default for Course {
    fn default() -> Course {
        Course {
            sessions: vec![0.14, 0.17, 0.26, 0.19, 0.11, 0.07, 0.04, 0.02],
            days_between_mean: 28.0,
            days_between_sd: 7.0,
            home: 0.06,
            split_face: 0.03,
            split_face_deeper_um: 500,
        }
    }
}

impl Default for Treating {
    fn default() -> Treating {
        Treating {
            modality: [0.20, 0.52, 0.06, 0.22],
            depth_mean_mm: [1.4, 1.5, 1.3, 1.8],
            depth_sd_mm: 0.4,
            depth_change_per_type_mm: -0.12,
            passes_mean: 4.0,
            passes_sd: 1.4,
            not_sterile: [0.02, 0.35],
            numbing_agent: 0.65,
            aftercare: [0.20, 0.10, 0.12, 0.70, 0.75, 0.65],
        }
    }
}

impl Default for FollowUp {
    fn default() -> FollowUp {
        FollowUp {
            last_contact_days: [90, 120],
            seen_late: 0.25,
            late_contact_days: [180, 420],
            lost: 0.13,
            never_seen: 0.6,
            asks: [0.93, 0.99],
            quiet_clinic: Some((1, 0.45)),
            spontaneous_clinic: Some((5, [0.068, 0.55, 0.85])),
            by_patient: 0.25,
            without_grade_or_dates: [0.06, 0.08],
        }
    }
}

impl Default for Scores {
    fn default() -> Scores {
        Scores {
            better_after: vec![0.35, 0.62, 0.78, 0.86, 0.89, 0.91],
            home_multiple: 0.5,
            satisfied: [0.95, 0.52],
            taken: 0.75,
        }
    }
}

/// Share of values missing in a log as clinics keep it (assumed), by column.
const MISSING: &[(&str, f64)] = &[
    ("practitioner_id", 0.03),
    ("practitioner_credential", 0.08),
    ("practitioner_experience_years", 0.15),
    ("course_session", 0.03),
    ("device_model", 0.02),
    ("device_lot", 0.12),
    ("firmware", 0.35),
    ("needle_depth_mm", 0.03),
    ("needle_count", 0.25),
    ("passes", 0.05),
    ("rf_energy_mj", 0.05),
    ("rf_pulse_ms", 0.10),
    ("side", 0.20),
    ("age_years", 0.02),
    ("sex", 0.01),
    ("fitzpatrick", 0.06),
    ("monk", 0.70),
    ("ita_degrees", 0.75),
    ("skin_sensitivity", 0.25),
    ("skin_thickness", 0.40),
    ("conditions", 0.06),
    ("numbing_agent", 0.05),
    ("topicals", 0.08),
    ("sterile_single_use", 0.05),
    ("sunscreen_daily", 0.10),
    ("sun_exposure", 0.10),
    ("gentle_products", 0.12),
    ("moisturiser", 0.12),
    ("picking", 0.12),
    ("exfoliant", 0.15),
    ("pain_vas", 0.12),
    ("return_to_activity_days", 0.20),
    ("last_follow_up_date", 0.01),
];
