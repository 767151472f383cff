//! Files of which some rows change while none comes, goes or moves: an amended session that keeps its day and patient
//! keeps its place. Columns that say the same as before are copied as they lie, encoded; where a day's amendments touch a
//! few hundred of half a million rows that is most of two hundred.

use super::columns::{self, TableName};
use super::coming::Coming;
use super::data_file::{self, Content, DataFile, NullCounts, damaged};
use super::encoding;
use super::error::StoreError;
use super::events::EventRow;
use super::gather::{self, Gathered, Shared};
use super::rows::long;
use super::standing::{Existing, keys_in_order};
use super::states::{self, States};
use super::upsert::Settled;
use super::writing::pieces;
use arrow::array::{Array, ArrayRef, RecordBatch};
use arrow::compute::{cast, interleave};
use arrow::error::ArrowError;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Rows of a file that change.
#[derive(Debug, Default)]
pub(super) struct Changing {
    /// Those that an incoming row takes the place of.
    pub(super) leaving: BTreeMap<u32, Existing>,
    /// Those of which only the side effects change.
    pub(super) touched: BTreeSet<u32>,
}

impl Changing {
    /// How many.
    pub(super) fn len(&self) -> usize {
        self.leaving.len() + self.touched.len()
    }

    /// Their rows, in order.
    fn rows(&self) -> BTreeSet<u32> {
        self.leaving.keys().chain(&self.touched).copied().collect()
    }
}

/// Where the incoming rows of a month lie that stand: part and row in it.
#[derive(Debug, Default)]
pub(super) struct Places {
    /// Those that take the place of a row of the month, by their number.
    pub(super) amending: HashMap<u32, (usize, usize)>,
    /// The others, in the order in which they came.
    pub(super) coming: Vec<(usize, usize)>,
}

/// A file after its change.
pub(super) struct Changed {
    pub(super) file: DataFile,
    /// The rows that changed, as they were, and the place of each among them.
    pub(super) before: RecordBatch,
    pub(super) at: BTreeMap<u32, usize>,
}

impl Settled<'_> {
    /// Whether every row of a file that an incoming one takes the place of keeps its place.
    pub(super) fn keeps_its_places(&self, changing: &Changing) -> bool {
        changing.leaving.values().all(|existing| {
            let winner = self.standing.winner(existing.key);
            winner.is_some_and(|new| (new.day, new.identity.patient) == (existing.day, existing.patient))
        })
    }

    /// The file with its rows changed, if they keep their places; `None` where it must be written anew.
    pub(super) fn change_in_place(
        &self,
        (file, changing): (&DataFile, &Changing),
        (coming, places): (&Coming<'_>, &Places),
        (events, version): (&[&EventRow], u64),
    ) -> Result<Option<Changed>, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let rows: Vec<u32> = changing.rows().into_iter().collect();
        let at: BTreeMap<u32, usize> = rows.iter().copied().zip(0..).collect();
        let before = data_file::read_rows(self.store.home(), TableName::Sessions, file, &rows)?;
        let narrow = gather::narrowed(&before).map_err(broken)?;
        let mut amending = Vec::new();
        for existing in changing.leaving.values() {
            let place = self.standing.amended.get(&existing.key).and_then(|number| places.amending.get(number));
            let Some(place) = place else { return Ok(None) };
            amending.push(*place);
        }
        let (incoming, amending) = coming.at(&amending)?;
        let parts: Vec<&RecordBatch> = std::iter::once(&narrow).chain(&incoming).collect();
        let touched = changing.touched.iter().map(|row| (0, at[row]));
        let places = touched.chain(amending.into_iter().map(|(part, row)| (part + 1, row)));
        let order = gather::in_order(&parts, places, &self.source).map_err(broken)?;
        let shared = Shared { source: &self.source, store_version: long(version) };
        let after = Gathered::new((parts, 1), order, shared);
        let from = after.columns(&states::FROM).map_err(broken)?;
        if keys_in_order(&from)? != keys_in_order(&before)? {
            return Ok(None);
        }
        let states = States::of(&from, events.iter().copied(), self.catalogue).map_err(broken)?;
        let arrays = encoding::arrays(pieces(&after, &states));
        let mut anew: BTreeMap<String, ArrayRef> = BTreeMap::new();
        for (column, array) in columns::sessions(self.catalogue).iter().zip(arrays) {
            let array = cast(&array.map_err(broken)?, &column.holds.arrow()).map_err(broken)?;
            if before.column_by_name(&column.name) != Some(&array) {
                anew.insert(column.name.clone(), array);
            }
        }
        if anew.is_empty() {
            // An event that says what the session says already.
            return Ok(Some(Changed { file: file.clone(), before, at }));
        }
        let Some(file) = self.with_columns((file, &at), &anew)? else { return Ok(None) };
        Ok(Some(Changed { file, before, at }))
    }

    /// The file with some columns of the rows at `at` as `anew` has them.
    fn with_columns(
        &self,
        (file, at): (&DataFile, &BTreeMap<u32, usize>),
        anew: &BTreeMap<String, ArrayRef>,
    ) -> Result<Option<DataFile>, StoreError> {
        let broken = |error: ArrowError| damaged(TableName::Sessions, &error);
        let names: Vec<&str> = anew.keys().map(String::as_str).collect();
        let whole = self.store.read(TableName::Sessions, file, Some(&names))?;
        let of = |row: u32| at.get(&row).map_or((0, row as usize), |place| (1, *place));
        let order: Vec<(usize, usize)> = (0u32..).take(whole.num_rows()).map(of).collect();
        let mut nulls = NullCounts::new();
        let mut arrays: BTreeMap<&str, ArrayRef> = BTreeMap::new();
        for (name, changed) in anew {
            let Some(column) = whole.column_by_name(name) else { return Ok(None) };
            let array = interleave(&[column.as_ref(), changed.as_ref()], &order).map_err(broken)?;
            nulls.insert(name.clone(), array.logical_null_count());
            arrays.insert(name, array);
        }
        let Some(stats) = data_file::stats_after(file, &nulls) else { return Ok(None) };
        let bytes = self.store.home().get(&data_file::name_of(TableName::Sessions, &file.path))?;
        let bytes = encoding::with_columns(&columns::sessions(self.catalogue), bytes, &arrays)
            .map_err(|error| damaged(TableName::Sessions, &error))?;
        let Some(bytes) = bytes else { return Ok(None) };
        let content = Content { bytes, rows: whole.num_rows(), stats };
        data_file::put(self.store.home(), TableName::Sessions, file.partition.as_deref(), content).map(Some)
    }
}
