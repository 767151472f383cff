//! What an analysis may look at.

use super::Outcomes;
use crate::cube::Cubes;
use crate::domain::{Catalogue, EffectId};
use crate::store::{Filter, SessionTable, Settled};

/// The filled cubes and, for what cannot be made from cells, the sessions themselves.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The sessions themselves, where an analysis needs them.
    pub sessions: Option<Sessions<'a>>,
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

/// The sessions themselves.
#[derive(Debug, Clone, Copy)]
pub struct Sessions<'a> {
    /// The sessions up to the data cut, with the columns that the analyses need.
    pub table: &'a SessionTable,
    /// Their states.
    pub settled: &'a Settled,
}

impl Sessions<'_> {
    /// For each session whether every expression holds. The expressions were tried when the pipeline was read.
    #[must_use]
    pub fn fits(&self, wheres: &[String]) -> Vec<bool> {
        let mut fits = vec![true; self.table.len()];
        for text in wheres {
            let rows = Filter::parse(text).and_then(|filter| filter.rows(self.table)).unwrap_or_default();
            fits.iter_mut().enumerate().for_each(|(row, fits)| *fits &= rows.get(row).copied().unwrap_or(false));
        }
        fits
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
