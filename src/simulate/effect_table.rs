//! The side effects of the simulated world, one entry each. Risks are for one session when no factor is there; those
//! without a published source are assumed.

use super::influence::Factor::{self, *};
use super::influence::Influence;
use super::truth::EffectTruth;

/// Base risk of PIH (Fitzpatrick III, 1.5 mm, 3 passes, no other factor), found with
/// [`base_risk_for`](super::base_risk_for): with the odds ratios below, a tenth of the patients of types IV–V have PIH
/// after at least one of their sessions, the lower end of what is published (10–17 %). The published 2 % at type III
/// cannot hold at the same time with these odds ratios: it comes out at 4 %.
pub(super) const PIH_BASE_RISK: f64 = 0.006_36;

struct Entry {
    code: &'static str,
    base_risk: f64,
    influences: &'static [(Factor, f64)],
    onset_days: [u32; 2],
    lasts_days: [u32; 2],
    grades: [f64; 3],
    late: f64,
}

const MILD: [f64; 3] = [0.80, 0.17, 0.03];
const MIXED: [f64; 3] = [0.45, 0.40, 0.15];
const TWO_GRADES: [f64; 3] = [0.70, 0.30, 0.0];

#[rustfmt::skip]
const ENTRIES: &[Entry] = &[
    Entry { code: "erythema", base_risk: 0.99, influences: &[], onset_days: [0, 0], lasts_days: [1, 8], grades: MILD, late: 0.0 },
    Entry { code: "swelling", base_risk: 0.20, influences: &[(Rf, 1.714), (SensitiveSkin, 1.5)], onset_days: [0, 1], lasts_days: [1, 7], grades: MILD, late: 0.0 },
    Entry { code: "bruising", base_risk: 0.06, influences: &[(BleedingDisorder, 4.0), (SensitiveSkin, 1.5), (DepthPerMm, 1.3)], onset_days: [0, 1], lasts_days: [2, 12], grades: MILD, late: 0.02 },
    Entry { code: "pain", base_risk: 0.30, influences: &[(NumbingAgent, 0.5), (DepthPerMm, 1.5), (Home, 0.5)], onset_days: [0, 0], lasts_days: [0, 2], grades: MILD, late: 0.0 },
    Entry { code: "bleeding", base_risk: 0.35, influences: &[(BleedingDisorder, 3.0), (DepthPerMm, 2.0)], onset_days: [0, 0], lasts_days: [0, 1], grades: MILD, late: 0.0 },
    Entry { code: "dryness", base_risk: 0.30, influences: &[(GentleProducts, 0.7), (Moisturiser, 0.6)], onset_days: [1, 3], lasts_days: [2, 9], grades: MILD, late: 0.0 },
    Entry { code: "flaking", base_risk: 0.22, influences: &[(GentleProducts, 0.7), (Moisturiser, 0.6)], onset_days: [2, 5], lasts_days: [2, 8], grades: MILD, late: 0.0 },
    Entry { code: "crusting", base_risk: 0.04, influences: &[(Rf, 1.5), (DepthPerMm, 1.3)], onset_days: [1, 4], lasts_days: [2, 9], grades: MILD, late: 0.05 },
    Entry { code: "burning", base_risk: 0.12, influences: &[(SensitiveSkin, 1.5), (Rf, 1.4)], onset_days: [0, 1], lasts_days: [0, 4], grades: MILD, late: 0.0 },
    Entry { code: "itching", base_risk: 0.09, influences: &[(SensitiveSkin, 1.4)], onset_days: [0, 4], lasts_days: [1, 8], grades: MILD, late: 0.0 },
    Entry { code: "irritation", base_risk: 0.05, influences: &[(SensitiveSkin, 1.6), (RetinoidStopped, 0.6), (Exfoliant, 1.8)], onset_days: [0, 5], lasts_days: [1, 9], grades: MILD, late: 0.05 },
    Entry { code: "pih", base_risk: PIH_BASE_RISK, influences: &[(TypeI, 0.3), (TypeII, 0.6), (TypeIV, 2.5), (TypeV, 4.0), (TypeVI, 4.5), (DepthPerMm, 1.6), (PassesEach, 1.2), (SunExposure, 3.0), (Picking, 2.0), (ActiveAcne, 2.5), (RisingClinic, 3.0)], onset_days: [7, 45], lasts_days: [45, 300], grades: TWO_GRADES, late: 0.35 },
    Entry { code: "hypopigmentation", base_risk: 0.001, influences: &[(DepthPerMm, 1.5)], onset_days: [21, 90], lasts_days: [60, 300], grades: TWO_GRADES, late: 0.5 },
    Entry { code: "infection", base_risk: 0.001, influences: &[(Home, 5.0), (SkinInfection, 10.0), (NotSterile, 5.0), (Picking, 2.0), (NonPhysician, 1.5), (ExperiencePerYear, 0.93), (BadLot, 12.0)], onset_days: [1, 10], lasts_days: [5, 18], grades: MIXED, late: 0.30 },
    Entry { code: "herpes_reactivation", base_risk: 0.002, influences: &[], onset_days: [1, 7], lasts_days: [5, 12], grades: MIXED, late: 0.20 },
    Entry { code: "allergic_reaction", base_risk: 0.002, influences: &[(NumbingAgent, 2.0), (TretinoinOrVitaminC, 2.0)], onset_days: [0, 5], lasts_days: [2, 14], grades: MIXED, late: 0.15 },
    Entry { code: "acne_flare", base_risk: 0.010, influences: &[(ActiveAcne, 3.0)], onset_days: [2, 20], lasts_days: [5, 40], grades: MILD, late: 0.20 },
    Entry { code: "milia", base_risk: 0.004, influences: &[], onset_days: [10, 45], lasts_days: [14, 90], grades: TWO_GRADES, late: 0.40 },
    Entry { code: "condition_worsening", base_risk: 0.002, influences: &[(EczemaOrRosacea, 5.0)], onset_days: [2, 30], lasts_days: [7, 60], grades: MIXED, late: 0.25 },
    Entry { code: "prolonged_inflammation", base_risk: 0.002, influences: &[(NonPhysician, 1.5), (ExperiencePerYear, 0.93), (BadLot, 8.0)], onset_days: [28, 28], lasts_days: [5, 60], grades: MIXED, late: 0.35 },
    Entry { code: "scarring", base_risk: 0.0006, influences: &[(DeepWithManyPasses, 4.0), (KeloidOrHypertrophicHistory, 4.0), (ActiveAcne, 2.0), (Picking, 2.0), (NonPhysician, 1.5), (ExperiencePerYear, 0.93)], onset_days: [30, 85], lasts_days: [180, 720], grades: MIXED, late: 0.60 },
    Entry { code: "hypertrophic_or_keloid_scar", base_risk: 0.0003, influences: &[(KeloidOrHypertrophicHistory, 6.0)], onset_days: [45, 85], lasts_days: [180, 720], grades: MIXED, late: 0.60 },
    Entry { code: "granuloma", base_risk: 0.0, influences: &[], onset_days: [30, 300], lasts_days: [90, 720], grades: MIXED, late: 0.60 },
    Entry { code: "injury", base_risk: 0.0005, influences: &[(NonPhysician, 1.5), (ExperiencePerYear, 0.93)], onset_days: [0, 1], lasts_days: [3, 14], grades: MIXED, late: 0.10 },
    Entry { code: "burn", base_risk: 0.002, influences: &[(NonPhysician, 1.5), (ExperiencePerYear, 0.93)], onset_days: [0, 3], lasts_days: [7, 30], grades: MIXED, late: 0.10 },
    Entry { code: "fat_loss", base_risk: 0.0, influences: &[], onset_days: [60, 150], lasts_days: [180, 720], grades: MIXED, late: 0.60 },
    Entry { code: "nerve_injury", base_risk: 0.0, influences: &[], onset_days: [0, 10], lasts_days: [30, 300], grades: MIXED, late: 0.30 },
];

/// Codes that only radiofrequency devices cause.
const RF_ONLY: [&str; 3] = ["burn", "fat_loss", "nerve_injury"];

/// The default entries.
pub(super) fn defaults() -> Vec<EffectTruth> {
    ENTRIES.iter().map(effect).collect()
}

fn effect(entry: &Entry) -> EffectTruth {
    let influences =
        entry.influences.iter().map(|(factor, odds_ratio)| Influence { factor: *factor, odds_ratio: *odds_ratio });
    EffectTruth {
        code: entry.code,
        base_risk: entry.base_risk,
        rf_only: RF_ONLY.contains(&entry.code),
        influences: influences.collect(),
        onset_days: entry.onset_days,
        lasts_days: entry.lasts_days,
        grades: entry.grades,
        late: entry.late,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Catalogue;
    use crate::domain::catalogue::Scope;

    #[test]
    fn every_side_effect_of_the_catalogue_is_here_and_keeps_its_window_and_grades() {
        let catalogue = Catalogue::built_in();
        assert_eq!(ENTRIES.len() + 1, catalogue.len());
        for entry in defaults() {
            let id = catalogue.find(entry.code).expect(entry.code);
            let known = catalogue.get(id);
            assert!(entry.onset_days[1] <= known.window_days, "{}", entry.code);
            assert!(known.grades >= 3 || entry.grades[2] <= 0.0, "{}", entry.code);
            assert_eq!(entry.rf_only, known.scope == Scope::Rf, "{}", entry.code);
        }
    }
}
