//! Who comes: what stays the same in all sessions of one patient.

use super::draws::{Draws, whole_between};
use super::model::Model;
use super::world::DEVICES;
use crate::domain::codes::{BodyArea, CodeSet, Condition, Indication, Modality, Sex, SkinThickness};

/// A patient of the simulated world.
#[derive(Debug, Clone)]
pub struct Patient {
    /// Number, from 1.
    pub number: u64,
    /// Index of the clinic.
    pub clinic: usize,
    /// Index of the usual practitioner.
    pub practitioner: usize,
    /// Treated at home.
    pub home: bool,
    /// Both sides on one day, the right one deeper.
    pub split_face: bool,
    /// Kind of device.
    pub modality: Modality,
    /// Index of the device model.
    pub device: usize,
    /// Needles on the head.
    pub needle_count: u32,
    /// Why they come.
    pub indication: Indication,
    /// Treated area.
    pub body_area: BodyArea,
    /// Age in years.
    pub age_years: u32,
    /// Sex.
    pub sex: Sex,
    /// Fitzpatrick type 1…6.
    pub fitzpatrick: u8,
    /// Monk tone 1…10.
    pub monk: u8,
    /// ITA in tenths of degrees.
    pub ita_tenths: i32,
    /// Sensitive skin.
    pub sensitive_skin: bool,
    /// Thickness of the skin.
    pub skin_thickness: SkinThickness,
    /// Conditions.
    pub conditions: CodeSet,
    /// Sun, picking, exfoliant, gentle products, moisturiser, daily sunscreen: what they usually do.
    pub habits: [bool; 6],
    /// How much more than others they feel pain, in points of ten.
    pub pain_points: f64,
    /// Their usual depth in mm, before the session's own variation.
    pub depth_mm: f64,
    /// For each side effect their own uniform number (see `Truth::patient_copy_probability`).
    pub own_draws: Vec<f64>,
}

/// Mean ITA of Fitzpatrick types I…VI, in tenths of degrees (assumed).
const ITA_TENTHS: [f64; 6] = [580.0, 480.0, 350.0, 200.0, -50.0, -400.0];

const INDICATIONS: [(Indication, f64); 10] = [
    (Indication::AcneScars, 0.34),
    (Indication::Scars, 0.06),
    (Indication::Wrinkles, 0.14),
    (Indication::FineLines, 0.10),
    (Indication::Pores, 0.08),
    (Indication::Pigmentation, 0.06),
    (Indication::StretchMarks, 0.06),
    (Indication::Alopecia, 0.04),
    (Indication::Laxity, 0.04),
    (Indication::Rejuvenation, 0.08),
];

impl Patient {
    /// Draws a patient.
    pub(super) fn draw(model: &Model<'_>, number: u64, draws: &mut Draws) -> Patient {
        let truth = &model.plan.truth;
        let clinic = draws.weighted(&model.clinic_weights);
        let home = draws.chance(truth.course.home);
        let (indication, _) = INDICATIONS[draws.weighted(&INDICATIONS.map(|(_, weight)| weight))];
        let modality = modality(model, home, draws);
        let device = device(modality, home, draws);
        let tone = draws.weighted(&truth.people.fitzpatrick);
        let sex = if draws.chance(truth.people.women) { Sex::Female } else { Sex::Male };
        let age = draws.normal(truth.people.age_mean_years, truth.people.age_sd_years);
        let age_years = whole_between(age, 16, 88);
        let thickness = draws.weighted(&truth.people.skin_thickness);
        let body_area = body_area(indication, draws);
        Patient {
            number,
            clinic,
            practitioner: draws.index_below(model.clinics[clinic].practitioners.len()),
            home,
            split_face: !home && draws.chance(truth.course.split_face),
            modality,
            device,
            needle_count: draws.one_of(DEVICES[device].needles).copied().unwrap_or(1),
            indication,
            body_area,
            age_years,
            sex,
            fitzpatrick: FITZPATRICK[tone],
            monk: monk(tone, draws),
            ita_tenths: ita_tenths(tone, draws),
            sensitive_skin: draws.chance(truth.people.sensitive_skin),
            skin_thickness: SkinThickness::ALL[thickness],
            conditions: conditions(model, indication, sex == Sex::Female && age_years < 48, draws),
            habits: truth.treatment.aftercare.map(|share| draws.chance(share)),
            pain_points: draws.normal(0.0, 1.0),
            depth_mm: depth_mm(model, modality, [tone, thickness], body_area, draws),
            own_draws: truth.side_effects.iter().map(|_| draws.uniform()).collect(),
        }
    }

    /// Whether the patient has a condition.
    #[must_use]
    pub fn has(&self, condition: Condition) -> bool {
        self.conditions.has(condition as usize)
    }
}

const FITZPATRICK: [u8; 6] = [1, 2, 3, 4, 5, 6];

fn modality(model: &Model<'_>, home: bool, draws: &mut Draws) -> Modality {
    const ORDER: [Modality; 4] = [Modality::Roller, Modality::Pen, Modality::Stamp, Modality::Rf];
    let at_home = [0.75, 0.0, 0.25, 0.0];
    let weights = if home { &at_home } else { &model.plan.truth.treatment.modality };
    ORDER[draws.weighted(weights)]
}

fn device(modality: Modality, home: bool, draws: &mut Draws) -> usize {
    let fits = |at: &usize| DEVICES[*at].modality == modality && DEVICES[*at].home == home;
    let fitting = (0..DEVICES.len()).filter(fits).count();
    let chosen = draws.index_below(fitting);
    (0..DEVICES.len()).filter(fits).nth(chosen).unwrap_or(0)
}

fn body_area(indication: Indication, draws: &mut Draws) -> BodyArea {
    const FACE: [(BodyArea, f64); 7] = [
        (BodyArea::Face, 0.60),
        (BodyArea::Cheeks, 0.16),
        (BodyArea::Forehead, 0.07),
        (BodyArea::Periorbital, 0.06),
        (BodyArea::Perioral, 0.04),
        (BodyArea::Neck, 0.05),
        (BodyArea::Chest, 0.02),
    ];
    const BODY: [BodyArea; 4] = [BodyArea::Abdomen, BodyArea::Thighs, BodyArea::Arms, BodyArea::Back];
    match indication {
        Indication::Alopecia => BodyArea::Scalp,
        Indication::StretchMarks => draws.one_of(&BODY).copied().unwrap_or(BodyArea::Abdomen),
        Indication::Scars if draws.chance(0.4) => draws.one_of(&BODY).copied().unwrap_or(BodyArea::Arms),
        _ => FACE[draws.weighted(&FACE.map(|(_, weight)| weight))].0,
    }
}

fn monk(tone: usize, draws: &mut Draws) -> u8 {
    let middle = 1.6 * f64::from(FITZPATRICK[tone]) - 0.3;
    u8::try_from(whole_between(draws.normal(middle, 0.8), 1, 10)).unwrap_or(10)
}

fn ita_tenths(tone: usize, draws: &mut Draws) -> i32 {
    // Moved by 90° while it is rounded, because `whole_between` knows no negative numbers.
    let moved = whole_between(draws.normal(ITA_TENTHS[tone], 70.0) + 900.0, 0, 1_800);
    i32::try_from(moved).unwrap_or(900) - 900
}

fn conditions(model: &Model<'_>, indication: Indication, may_be_pregnant: bool, draws: &mut Draws) -> CodeSet {
    let mut set = CodeSet::default();
    for (at, share) in model.plan.truth.people.conditions.iter().enumerate() {
        let condition = Condition::ALL[at];
        let share = match condition {
            Condition::ActiveAcne if indication == Indication::AcneScars => share * 2.0,
            Condition::Pregnant | Condition::Nursing if !may_be_pregnant => 0.0,
            Condition::SkinInfection => 0.0,
            _ => *share,
        };
        if draws.chance(share) {
            set = set.with(at);
        }
    }
    set
}

fn depth_mm(
    model: &Model<'_>,
    modality: Modality,
    [tone, thickness]: [usize; 2],
    area: BodyArea,
    draws: &mut Draws,
) -> f64 {
    let treatment = &model.plan.truth.treatment;
    let middle = match modality {
        Modality::Roller => treatment.depth_mean_mm[0],
        Modality::Stamp => treatment.depth_mean_mm[2],
        Modality::Rf => treatment.depth_mean_mm[3],
        Modality::Pen | Modality::Other => treatment.depth_mean_mm[1],
    };
    let from_area = match area {
        BodyArea::Periorbital | BodyArea::Forehead | BodyArea::Neck => -0.4,
        BodyArea::Abdomen | BodyArea::Thighs | BodyArea::Back => 0.3,
        _ => 0.0,
    };
    let from_tone = treatment.depth_change_per_type_mm * (f64::from(FITZPATRICK[tone]) - 3.0);
    let from_thickness = [-0.1, 0.0, 0.15][thickness];
    middle + from_area + from_tone + from_thickness + draws.normal(0.0, 0.8 * treatment.depth_sd_mm)
}
