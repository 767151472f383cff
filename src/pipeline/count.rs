//! From sessions to filled cubes: what all analyses need is planned together and counted at once, from files in memory
//! or straight from a store.

use super::Observer;
use super::intake;
use super::load::Loaded;
use super::produce::ProduceError;
use super::settle::{Pipeline, StoreAt};
use crate::analysis::{Needs, Sessions};
use crate::cube::{Cubes, Plan};
use crate::domain::Day;
use crate::store::lake::{Snapshot, Store, StoreError, StoredSessions};
use crate::store::{Blocks, Filter, InMemory, SessionTable, Settled, Want};
use std::collections::BTreeSet;

/// Share of the memory allowed that is kept of the sessions for the pass over their patients.
pub(super) const RECORDS_SHARE: usize = 3;

/// What was counted.
pub(super) struct Counted {
    pub(super) cubes: Cubes,
    /// The sessions themselves, where an analysis needs them.
    pub(super) sessions: Option<(SessionTable, Settled)>,
    pub(super) figures: intake::Counted,
}

impl Counted {
    pub(super) fn sessions(&self) -> Option<Sessions<'_>> {
        self.sessions.as_ref().map(|(table, settled)| Sessions { table, settled })
    }
}

/// All that the analyses of a pipeline need, together.
pub(super) struct Needed {
    pub(super) plan: Plan,
    /// Columns of the sessions themselves, where an analysis needs them.
    pub(super) sessions: Option<BTreeSet<String>>,
}

impl Needed {
    /// Of a pipeline.
    pub(super) fn by(pipeline: &Pipeline) -> Needed {
        let mut plan = Plan::default();
        plan.need(pipeline.cohort());
        let mut sessions: Option<BTreeSet<String>> = None;
        for analysis in &pipeline.analyses {
            let Needs { cubes, filled, grades, sessions: own } = (analysis.kind.needs)(analysis);
            cubes.into_iter().for_each(|key| plan.need(key));
            filled.into_iter().for_each(|key| plan.need_filled(key));
            if grades {
                plan.need_grades();
            }
            if let Some(own) = own {
                let conditions = analysis.wheres.iter().filter_map(|text| Filter::parse(text).ok());
                let of_conditions: Vec<String> = conditions.flat_map(|filter| filter.columns().to_vec()).collect();
                sessions.get_or_insert_default().extend(own.columns.into_iter().chain(of_conditions));
            }
        }
        Needed { plan, sessions }
    }

    /// Every column that is read.
    pub(super) fn columns(&self, want: &Want) -> BTreeSet<String> {
        let filters = want.filters.iter().flat_map(|filter| filter.columns().iter());
        let filled = want.filled.iter().map(|name| crate::store::block::filled_by(name).to_owned());
        let counted = want.coded.iter().chain(&want.numbers).chain(filters).cloned().chain(filled);
        counted.chain(self.sessions.iter().flatten().cloned()).collect()
    }
}

/// Counts what the analyses need.
pub(super) fn count(
    pipeline: &Pipeline,
    loaded: &mut Loaded,
    (data_cut, observer): (Day, &dyn Observer),
) -> Result<Counted, ProduceError> {
    let needed = Needed::by(pipeline);
    let counting = Counting { pipeline, needed: &needed, data_cut, observer };
    match &pipeline.store {
        Some(at) => counting.of_store(at),
        None => counting.of_table(std::mem::take(&mut loaded.table)),
    }
}

struct Counting<'a> {
    pipeline: &'a Pipeline,
    needed: &'a Needed,
    data_cut: Day,
    observer: &'a dyn Observer,
}

impl Counting<'_> {
    fn of_store(&self, at: &StoreAt) -> Result<Counted, ProduceError> {
        let refused = |source: StoreError| super::load::LoadError::Store { source };
        let store = Store::open(&at.home).map_err(refused)?;
        let catalogue = &self.pipeline.catalogue;
        let stored = StoredSessions::settled(&store, &at.batch, (catalogue, self.data_cut)).map_err(refused)?;
        let Some(stored) = stored else {
            let columns = self.needed.columns(&self.needed.plan.want()?);
            let snapshot = Snapshot::read(&store, &at.batch, (catalogue, Some(&columns))).map_err(refused)?;
            return self.of_table(snapshot.table);
        };
        let read = stored.rows();
        if read == 0 {
            return Err(nothing(read, self.data_cut));
        }
        let cubes = self.fill(&stored)?;
        let sessions = match &self.needed.sessions {
            None => None,
            Some(columns) => {
                let snapshot = Snapshot::read(&store, &at.batch, (catalogue, Some(columns))).map_err(refused)?;
                let settled = Settled::of(&snapshot.table, catalogue, self.data_cut);
                Some((snapshot.table, settled))
            }
        };
        let figures = intake::Counted { sessions: read, uncoded: cubes.all_uncoded(), ..Default::default() };
        Ok(Counted { cubes, sessions, figures })
    }

    fn of_table(&self, table: SessionTable) -> Result<Counted, ProduceError> {
        let read = table.len() as u64;
        let (table, after_cut) = table.cut(self.data_cut);
        if table.is_empty() {
            return Err(nothing(read, self.data_cut));
        }
        let settled = Settled::of(&table, &self.pipeline.catalogue, self.data_cut);
        let cubes = self.fill(&InMemory::new(&table, &settled))?;
        let figures = intake::Counted {
            sessions: read,
            after_cut,
            events_after_cut: settled.events_after_cut(),
            uncoded: cubes.all_uncoded(),
        };
        Ok(Counted { cubes, sessions: Some((table, settled)), figures })
    }

    fn fill(&self, blocks: &dyn Blocks) -> Result<Cubes, ProduceError> {
        self.observer.stage("scan");
        let scanned = self.needed.plan.scan(blocks, self.pipeline.memory / RECORDS_SHARE)?;
        self.observer.stage("patients");
        Ok(scanned.by_patient()?)
    }
}

fn nothing(read: u64, data_cut: Day) -> ProduceError {
    let reason = if read == 0 {
        "no row of the session logs was accepted; `stipple check` lists why".to_owned()
    } else {
        format!("all {read} sessions are after the data cut {data_cut}")
    };
    ProduceError::NoSessions { reason }
}
