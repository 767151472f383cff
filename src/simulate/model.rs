//! The plan made ready for drawing: clinics drawn, columns and side effects looked up.

use super::calendar::Calendar;
use super::draws::Streams;
use super::field;
use super::plan::Plan;
use super::world::{self, Clinic};
use crate::domain::{Catalogue, EffectId, Group};

/// A plan ready for drawing.
#[derive(Debug, Clone)]
pub struct Model<'a> {
    pub(super) plan: &'a Plan,
    pub(super) streams: Streams,
    pub(super) clinics: Vec<Clinic>,
    pub(super) clinic_weights: Vec<f64>,
    pub(super) calendar: Calendar,
    pub(super) missing: [f64; field::COUNT],
    pub(super) effects: Vec<Coded>,
}

/// A simulated side effect in the words of the catalogue.
#[derive(Debug, Clone, Copy)]
pub(super) struct Coded {
    pub(super) id: EffectId,
    pub(super) window_days: i32,
    /// Row of `FollowUp::spontaneous_clinic`: expected, pigment, complication.
    pub(super) group: usize,
    pub(super) is_pih: bool,
}

impl<'a> Model<'a> {
    /// Makes a plan ready.
    #[must_use]
    pub fn new(plan: &'a Plan) -> Model<'a> {
        let streams = Streams::of(plan.seed);
        let clinics = world::clinics(plan, &streams);
        Model {
            clinic_weights: clinics.iter().map(|clinic| clinic.weight).collect(),
            clinics,
            streams,
            calendar: Calendar::new(plan.first_day.plus(-60), plan.data_cut.plus(120)),
            missing: missing(plan),
            effects: effects(plan),
            plan,
        }
    }

    /// The clinics, in the order of `Treatment::clinic`.
    #[must_use]
    pub fn clinics(&self) -> &[Clinic] {
        &self.clinics
    }

    /// Id of a simulated side effect (an index of `Truth::side_effects`) in the built-in catalogue.
    #[must_use]
    pub fn effect_id(&self, effect: usize) -> EffectId {
        self.effects[effect].id
    }
}

fn missing(plan: &Plan) -> [f64; field::COUNT] {
    let mut shares = [0.0; field::COUNT];
    for (name, share) in &plan.truth.missing {
        if let Some(at) = field::position(name) {
            shares[at] = *share;
        }
    }
    shares
}

fn effects(plan: &Plan) -> Vec<Coded> {
    let catalogue = Catalogue::built_in();
    let coded = |code: &str| {
        let id = catalogue.find(code).unwrap_or(Catalogue::UNCODED);
        let known = catalogue.get(id);
        let group = match known.group {
            Group::Expected => 0,
            Group::Pigment => 1,
            _ => 2,
        };
        let window_days = i32::try_from(known.window_days).unwrap_or(i32::MAX);
        Coded { id, window_days, group, is_pih: code == "pih" }
    };
    plan.truth.side_effects.iter().map(|effect| coded(effect.code)).collect()
}
