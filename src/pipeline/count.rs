//! From sessions to filled cubes: what all analyses need is planned together and counted at once, from files in memory
//! or straight from a store.

use super::Observer;
use super::intake;
use super::load::Loaded;
use super::produce::ProduceError;
use super::settle::{Pipeline, StoreAt};
use crate::cube::{Cubes, Plan};
use crate::domain::{Day, amount};
use crate::store::lake::{Snapshot, Store, StoreError, StoredSessions};
use crate::store::{Blocks, InMemory, SessionTable, Settled, Want};
use std::collections::BTreeSet;

/// Share of the memory allowed that is kept of the sessions for the pass over their patients.
pub(super) const RECORDS_SHARE: usize = 3;

/// What was counted.
pub(super) struct Counted {
    pub(super) cubes: Cubes,
    pub(super) figures: intake::Counted,
}

/// The plan of all that the analyses of a pipeline need.
pub(super) fn plan(pipeline: &Pipeline) -> Plan {
    let mut plan = Plan::default();
    plan.need(pipeline.cohort());
    for analysis in &pipeline.analyses {
        (analysis.kind.needs)(analysis).plan(&mut plan);
    }
    plan
}

/// Every column that is read.
pub(super) fn columns(want: &Want) -> BTreeSet<String> {
    let filters = want.filters.iter().flat_map(|filter| filter.columns().iter());
    let filled = want.filled.iter().map(|name| crate::store::block::filled_by(name).to_owned());
    want.coded.iter().chain(&want.numbers).chain(filters).cloned().chain(filled).collect()
}

/// Counts what the analyses need.
pub(super) fn count(
    pipeline: &Pipeline,
    loaded: &mut Loaded,
    (data_cut, observer): (Day, &dyn Observer),
) -> Result<Counted, ProduceError> {
    let plan = plan(pipeline);
    let counting = Counting { pipeline, plan: &plan, data_cut, observer };
    match &pipeline.store {
        Some(at) => counting.of_store(at),
        None => counting.of_table(std::mem::take(&mut loaded.table)),
    }
}

struct Counting<'a> {
    pipeline: &'a Pipeline,
    plan: &'a Plan,
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
            let columns = columns(&self.plan.want()?);
            let snapshot = Snapshot::read(&store, &at.batch, (catalogue, Some(&columns))).map_err(refused)?;
            return self.of_table(snapshot.table);
        };
        let read = stored.rows();
        if read == 0 {
            return Err(nothing(read, self.data_cut));
        }
        let cubes = self.fill(&stored)?;
        let figures = intake::Counted { sessions: read, uncoded: cubes.all_uncoded(), ..Default::default() };
        Ok(Counted { cubes, figures })
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
        Ok(Counted { cubes, figures })
    }

    fn fill(&self, blocks: &dyn Blocks) -> Result<Cubes, ProduceError> {
        self.observer.stage("scan");
        let scanned = self.plan.scan(blocks, self.pipeline.memory / RECORDS_SHARE)?;
        self.observer.stage("patients");
        Ok(scanned.by_patient()?)
    }
}

fn nothing(read: u64, data_cut: Day) -> ProduceError {
    let reason = if read == 0 {
        "no row of the session logs was accepted; `stipple check` lists why".to_owned()
    } else {
        format!("all of {} are after the data cut {data_cut}", amount::of(read, "session"))
    };
    ProduceError::NoSessions { reason }
}
