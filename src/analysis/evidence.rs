//! What an analysis may look at.

use super::Outcomes;
use crate::cube::Cubes;
use crate::domain::{Catalogue, EffectId};

/// What was counted of the sessions, and what came in.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The cubes that the analyses asked for.
    pub cubes: &'a Cubes,
    /// The run's side effects.
    pub catalogue: &'a Catalogue,
    /// What came in.
    pub intake: &'a Intake,
}

impl Evidence<'_> {
    /// The side effects of an analysis, in order.
    #[must_use]
    pub fn effects(&self, outcomes: &Outcomes) -> Vec<EffectId> {
        match outcomes {
            Outcomes::These(effects) => effects.clone(),
            Outcomes::All => {
                let uncoded = self.cubes.all_uncoded() > 0;
                let coded = self.catalogue.ids().filter(|id| *id != Catalogue::UNCODED);
                coded.chain(uncoded.then_some(Catalogue::UNCODED)).collect()
            }
        }
    }

    /// Code of a side effect.
    #[must_use]
    pub fn code(&self, effect: EffectId) -> String {
        self.catalogue.get(effect).code.clone()
    }
}

/// What came in, as counts that become rows of `data_quality`.
#[derive(Debug, Clone, Default)]
pub struct Intake {
    /// Totals, in the order of the walk.
    pub counts: Vec<IntakeCount>,
}

/// One count of what came in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IntakeCount {
    /// File, where the count is of one file.
    pub file: Option<String>,
    /// What was counted, such as `read_rows` or `rejected:unknown_code`.
    pub term: String,
    /// How many.
    pub count: u64,
}
