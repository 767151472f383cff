//! What raises or lowers the risk of a side effect, and by how much.

use serde::Serialize;

/// Something about a session that changes the risk of a side effect. Yes/no factors count when they are there; the
/// last three are amounts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum Factor {
    /// Fitzpatrick type I (against III).
    TypeI,
    /// Fitzpatrick type II (against III).
    TypeII,
    /// Fitzpatrick type IV (against III).
    TypeIV,
    /// Fitzpatrick type V (against III).
    TypeV,
    /// Fitzpatrick type VI (against III).
    TypeVI,
    /// Sun exposure after the session.
    SunExposure,
    /// Picking at the skin after the session.
    Picking,
    /// Exfoliant used after the session.
    Exfoliant,
    /// Gentle products used after the session.
    GentleProducts,
    /// Moisturiser used after the session.
    Moisturiser,
    /// Active acne at the session.
    ActiveAcne,
    /// Eczema or rosacea at the session.
    EczemaOrRosacea,
    /// Skin infection at the session.
    SkinInfection,
    /// History of keloid or hypertrophic scars.
    KeloidOrHypertrophicHistory,
    /// Bleeding disorder.
    BleedingDisorder,
    /// Sensitive skin.
    SensitiveSkin,
    /// Treated at home.
    Home,
    /// No sterile single-use needle.
    NotSterile,
    /// In a clinic, by somebody who is neither dermatologist nor physician.
    NonPhysician,
    /// A numbing agent was used.
    NumbingAgent,
    /// Tretinoin or vitamin C was put on the skin.
    TretinoinOrVitaminC,
    /// The last retinoid was 7 days ago or more (among those who stopped one).
    RetinoidStopped,
    /// Deeper than 2 mm with more than 5 passes.
    DeepWithManyPasses,
    /// Radiofrequency device.
    Rf,
    /// The bad device lot.
    BadLot,
    /// The clinic whose rate rises, from its month on.
    RisingClinic,
    /// Each mm of needle depth beyond 1.5 mm (less where it is shallower).
    DepthPerMm,
    /// Each pass beyond 3 (less where there are fewer).
    PassesEach,
    /// Each year of experience beyond 5, up to 10 years in all (less where there are fewer).
    ExperiencePerYear,
}

/// Depth at which `DepthPerMm` has no influence, in µm.
pub const REFERENCE_DEPTH_UM: u32 = 1_500;
/// Passes at which `PassesEach` has no influence.
pub const REFERENCE_PASSES: u32 = 3;
/// Experience at which `ExperiencePerYear` has no influence, and beyond which it changes nothing any more, in years.
pub const REFERENCE_EXPERIENCE_YEARS: [f64; 2] = [5.0, 10.0];

/// A planted influence. The odds ratio is conditional on the other factors *and* population-averaged at once: see
/// [`Truth::patient_copy_probability`](super::truth::Truth::patient_copy_probability).
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Influence {
    /// What it is.
    pub factor: Factor,
    /// Odds ratio, for each unit where the factor is an amount.
    pub odds_ratio: f64,
}

/// What of the factors holds for one session.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Levels {
    present: u32,
    depth_mm: f64,
    passes: f64,
    experience_years: f64,
}

impl Levels {
    /// Notes that a yes/no factor is there.
    pub(super) fn set(&mut self, factor: Factor, there: bool) {
        self.present |= u32::from(there) << (factor as u8);
    }

    /// Notes the amounts: depth, passes and experience.
    pub(super) fn amounts(&mut self, depth_um: u32, passes: u32, experience_years: f64) {
        self.depth_mm = (f64::from(depth_um) - f64::from(REFERENCE_DEPTH_UM)) / 1_000.0;
        self.passes = f64::from(passes) - f64::from(REFERENCE_PASSES);
        let [reference, most] = REFERENCE_EXPERIENCE_YEARS;
        self.experience_years = experience_years.min(most) - reference;
    }

    /// What the influence multiplies the odds by.
    pub(super) fn multiplier(&self, influence: Influence) -> f64 {
        let amount = match influence.factor {
            Factor::DepthPerMm => self.depth_mm,
            Factor::PassesEach => self.passes,
            Factor::ExperiencePerYear => self.experience_years,
            factor if self.present >> (factor as u8) & 1 == 1 => return influence.odds_ratio,
            _ => return 1.0,
        };
        (amount * influence.odds_ratio.ln()).exp()
    }

    /// The risk that starts at `base` and is moved by the influences.
    pub(super) fn risk(&self, base: f64, influences: &[Influence]) -> f64 {
        if base <= 0.0 {
            return 0.0;
        }
        let odds = influences.iter().fold(base / (1.0 - base), |odds, influence| odds * self.multiplier(*influence));
        odds / (1.0 + odds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn odds_multiply() {
        let mut levels = Levels::default();
        levels.amounts(2_500, 5, 20.0);
        levels.set(Factor::TypeV, true);
        levels.set(Factor::Home, false);
        let influences = [
            Influence { factor: Factor::TypeV, odds_ratio: 4.0 },
            Influence { factor: Factor::Home, odds_ratio: 100.0 },
            Influence { factor: Factor::DepthPerMm, odds_ratio: 1.6 },
            Influence { factor: Factor::PassesEach, odds_ratio: 1.2 },
        ];
        // Odds 1/49 at a risk of 2 %; × 4 × 1.6 × 1.2².
        let odds = 4.0 * 1.6 * 1.44 / 49.0;
        assert!((levels.risk(0.02, &influences) - odds / (1.0 + odds)).abs() < 1e-12);
    }

    #[test]
    fn experience_counts_to_ten_years() {
        let influences = [Influence { factor: Factor::ExperiencePerYear, odds_ratio: 0.93 }];
        let risk = |years| {
            let mut levels = Levels::default();
            levels.amounts(REFERENCE_DEPTH_UM, REFERENCE_PASSES, years);
            levels.risk(0.01, &influences)
        };
        assert!((risk(10.0) - risk(30.0)).abs() < 1e-15);
        assert!((risk(5.0) - 0.01).abs() < 1e-15 && risk(0.0) > 0.01);
    }

    #[test]
    fn what_never_occurs_stays_impossible() {
        let mut levels = Levels::default();
        levels.set(Factor::Rf, true);
        assert!(levels.risk(0.0, &[Influence { factor: Factor::Rf, odds_ratio: 10.0 }]) <= 0.0);
    }
}
