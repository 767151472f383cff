//! States of the side effects that a site has added, for a count: settled from the sessions' rows and the events while
//! they are read, where the files have no columns for them: an earlier program has written them, the pipeline knows of
//! side effects that the store does not, or a column would have the name of another.

use super::columns::TableName;
use super::compact;
use super::error::StoreError;
use super::events;
use super::ledger::Batch;
use super::scan::lacking;
use super::standing::keys_in_order;
use super::store::Store;
use crate::domain::{Catalogue, EffectId};
use crate::store::states::{bit, keep_worst};
use arrow::array::{Array, AsArray, RecordBatch};
use arrow::datatypes::Date32Type;
use std::collections::HashMap;

/// The columns on disk that they are settled from.
pub(super) const COLUMNS: &[&str] =
    &["side_effects", "session_date", "last_follow_up_date", "session_key_high", "session_key_low"];

/// A row with side effects that a site has added: row, side effect, worst grade (0 = not stated).
pub(super) type Found = (usize, EffectId, u8);

/// The side effects that a site has added.
#[derive(Debug)]
pub(super) struct SiteEffects {
    catalogue: Catalogue,
    /// Code and window of each.
    added: Vec<(EffectId, String, i32)>,
    /// What events say of them, by session.
    joined: HashMap<u128, Vec<(EffectId, u8)>>,
}

impl SiteEffects {
    /// None.
    pub(super) fn none(catalogue: &Catalogue) -> SiteEffects {
        SiteEffects { catalogue: catalogue.clone(), added: Vec::new(), joined: HashMap::new() }
    }

    /// Those of a catalogue that begins with the built-in side effects, unchanged.
    ///
    /// # Errors
    /// When the store's events cannot be read.
    pub(super) fn of(store: &Store, at: &Batch, catalogue: &Catalogue) -> Result<SiteEffects, StoreError> {
        let built_in = Catalogue::built_in();
        let window = |id| i32::try_from(catalogue.get(id).window_days).unwrap_or(i32::MAX);
        let of_site = |id: &EffectId| built_in.find(&catalogue.get(*id).code).is_none();
        let added: Vec<(EffectId, String, i32)> =
            catalogue.ids().filter(of_site).map(|id| (id, catalogue.get(id).code.clone(), window(id))).collect();
        let mut joined: HashMap<u128, Vec<(EffectId, u8)>> = HashMap::new();
        let files = if added.is_empty() { Vec::new() } else { store.files(TableName::Events, at)? };
        for file in files {
            for event in events::read(&store.read(TableName::Events, &file, None)?, catalogue) {
                let (Some(key), told) = (event.joined, event.occurrence(0)) else { continue };
                if added.iter().any(|(id, ..)| *id == told.effect) {
                    let grade = told.grade.map_or(0, |grade| grade.number());
                    joined.entry(key.0).or_default().push((told.effect, grade));
                }
            }
        }
        Ok(SiteEffects { catalogue: catalogue.clone(), added, joined })
    }

    pub(super) fn is_empty(&self) -> bool {
        self.added.is_empty()
    }

    /// Adds their states to those of the rows, and gives the rows that have one.
    pub(super) fn settle(&self, batch: &RecordBatch, sets: &mut [(u128, u128)]) -> Result<Vec<Found>, StoreError> {
        let found = self.found(batch)?;
        for (row, effect, _) in &found {
            sets[*row].0 |= bit(*effect);
        }
        let days = |name: &str| {
            let column = batch.column_by_name(name).and_then(|column| column.as_primitive_opt::<Date32Type>());
            column.ok_or_else(|| lacking(name))
        };
        let (sessions, follow_ups) = (days("session_date")?, days("last_follow_up_date")?);
        let asked = batch.column_by_name("asked").and_then(|column| column.as_boolean_opt());
        let asked = asked.ok_or_else(|| lacking("asked"))?;
        for (row, set) in sets.iter_mut().enumerate() {
            if asked.is_null(row) || !asked.value(row) || follow_ups.is_null(row) {
                continue;
            }
            let followed_days = follow_ups.value(row) - sessions.value(row);
            for (effect, ..) in self.added.iter().filter(|(.., window)| *window <= followed_days) {
                set.1 |= bit(*effect) & !set.0;
            }
        }
        Ok(found)
    }

    /// Rows that have one, in order, each side effect once with its worst grade.
    fn found(&self, batch: &RecordBatch) -> Result<Vec<Found>, StoreError> {
        let texts = batch.column_by_name("side_effects").and_then(|column| column.as_string_opt::<i32>());
        let texts = texts.ok_or_else(|| lacking("side_effects"))?;
        let codes = compact::Codes::of(&self.catalogue);
        let mut found: Vec<Found> = Vec::new();
        for (row, text) in texts.iter().enumerate() {
            let Some(text) = text.filter(|text| self.added.iter().any(|(_, code, _)| text.contains(code))) else {
                continue;
            };
            let own = compact::read(text, &codes);
            let own = own.filter(|told| self.added.iter().any(|(id, ..)| *id == told.effect));
            found.extend(own.map(|told| (row, told.effect, told.grade.map_or(0, |grade| grade.number()))));
        }
        if !self.joined.is_empty() {
            for (row, key) in keys_in_order(batch)?.into_iter().enumerate() {
                let of_events = self.joined.get(&key.0).into_iter().flatten();
                found.extend(of_events.map(|(effect, grade)| (row, *effect, *grade)));
            }
        }
        keep_worst(&mut found);
        Ok(found)
    }
}
