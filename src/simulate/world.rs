//! The clinics with their people, and the devices: drawn once from the seed.

use super::draws::{Draws, Streams, whole_between};
use super::plan::Plan;
use crate::domain::codes::{Credential, Modality};
use serde::{Serialize, Serializer};

/// A clinic of the simulated world.
#[derive(Debug, Clone, Serialize)]
pub struct Clinic {
    /// Id as it stands in the log.
    pub clinic_id: String,
    /// Region.
    pub state: String,
    /// Weight among the clinics.
    pub weight: f64,
    /// Share of sessions after which it asks about side effects.
    pub asks: f64,
    /// Share written down of expected side effects, pigment changes and complications.
    pub writes_down: [f64; 3],
    /// Who treats there.
    pub practitioners: Vec<Practitioner>,
}

/// Somebody who treats.
#[derive(Debug, Clone, Serialize)]
pub struct Practitioner {
    /// Id as it stands in the log.
    pub practitioner_id: String,
    /// Training.
    #[serde(serialize_with = "code")]
    pub credential: Credential,
    /// Experience on the first day of the log.
    pub experience_years: f64,
}

fn code<S: Serializer>(credential: &Credential, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(credential.code())
}

/// A device model. All names are invented.
#[derive(Debug, Clone, Copy)]
pub struct Device {
    /// Kind.
    pub modality: Modality,
    /// Made for use at home.
    pub home: bool,
    /// Name of the model.
    pub model: &'static str,
    /// Start of its lot numbers.
    pub lot: &'static str,
    /// Versions of its firmware, in order of time; none for devices without electronics.
    pub firmware: &'static [&'static str],
    /// Needles on the head.
    pub needles: &'static [u32],
}

/// The devices.
#[rustfmt::skip]
pub const DEVICES: &[Device] = &[
    Device { modality: Modality::Pen, home: false, model: "DermaPoint X2", lot: "DPX", firmware: &["2.1", "2.3", "3.0"], needles: &[12, 16, 36] },
    Device { modality: Modality::Pen, home: false, model: "NeedleArt Pro", lot: "NAP", firmware: &["1.8", "1.9"], needles: &[12, 24] },
    Device { modality: Modality::Pen, home: false, model: "Kolibri Pen", lot: "KOL", firmware: &["5.2"], needles: &[16, 36] },
    Device { modality: Modality::Roller, home: false, model: "RollaMed 192", lot: "RM1", firmware: &[], needles: &[192] },
    Device { modality: Modality::Roller, home: false, model: "Silkroll 540", lot: "SR5", firmware: &[], needles: &[540] },
    Device { modality: Modality::Stamp, home: false, model: "StampLine 35", lot: "STL", firmware: &[], needles: &[35, 42] },
    Device { modality: Modality::Rf, home: false, model: "ThermaNeedle 49", lot: "TN4", firmware: &["4.0", "4.1", "4.2"], needles: &[25, 49] },
    Device { modality: Modality::Rf, home: false, model: "Pulsara RF-64", lot: "PRF", firmware: &["1.0", "1.2"], needles: &[25, 64] },
    Device { modality: Modality::Roller, home: true, model: "HomeGlow Roller", lot: "HGR", firmware: &[], needles: &[540] },
    Device { modality: Modality::Stamp, home: true, model: "HomeGlow Stamp", lot: "HGS", firmware: &[], needles: &[140] },
];

/// Number of the stream that the world is drawn from; patients have the low numbers.
const WORLD_STREAM: u64 = u64::MAX;

/// The clinics of a plan.
pub(super) fn clinics(plan: &Plan, streams: &Streams) -> Vec<Clinic> {
    let mut draws = streams.stream(WORLD_STREAM);
    (0..plan.clinics.sites.len()).map(|at| clinic(plan, at, &mut draws)).collect()
}

fn clinic(plan: &Plan, at: usize, draws: &mut Draws) -> Clinic {
    let site = &plan.clinics.sites[at];
    let follow_up = &plan.truth.follow_up;
    let clinic_id = match plan.clinics.chain.as_str() {
        "" => site.name.clone(),
        chain => format!("{chain}-{}", site.name),
    };
    let [low, high] = follow_up.asks;
    let usual = low + (high - low) * draws.uniform();
    let weight = 0.6 + 0.9 * draws.uniform();
    let practitioners = (1..=draws.between(2, 5)).map(|number| practitioner(&clinic_id, number, draws)).collect();
    Clinic {
        state: site.state.clone(),
        weight,
        asks: follow_up.quiet_clinic.filter(|(quiet, _)| *quiet == at).map_or(usual, |(_, asks)| asks),
        writes_down: follow_up
            .spontaneous_clinic
            .filter(|(spontaneous, _)| *spontaneous == at)
            .map_or([1.0; 3], |(_, listed)| listed),
        practitioners,
        clinic_id,
    }
}

fn practitioner(clinic_id: &str, number: u32, draws: &mut Draws) -> Practitioner {
    const CREDENTIALS: [(Credential, f64); 4] = [
        (Credential::Dermatologist, 0.25),
        (Credential::Physician, 0.20),
        (Credential::Nurse, 0.30),
        (Credential::Aesthetician, 0.25),
    ];
    let drawn = draws.weighted(&CREDENTIALS.map(|(_, weight)| weight));
    let years = draws.uniform() * draws.uniform() * 22.0;
    Practitioner {
        practitioner_id: format!("{clinic_id}-P{number}"),
        credential: CREDENTIALS[drawn].0,
        experience_years: f64::from(whole_between(years * 2.0, 0, 50)) / 2.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_clinics_of_a_seed_stay_the_same() {
        let plan = Plan::new(1, 9);
        let text = |plan: &Plan| format!("{:?}", clinics(plan, &Streams::of(plan.seed)));
        assert_eq!(text(&plan), text(&plan));
        assert_ne!(text(&plan), text(&Plan::new(1, 10)));
    }
}
