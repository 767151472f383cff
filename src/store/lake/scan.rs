//! Sessions of a store for counting: file by file, only the columns that are wanted, the states as they were settled
//! when the rows were written. Nothing but a batch of each file that is being read is in memory.

use super::columns::{Holds, TableName, session_rows, with_states};
use super::data_file::{self, DataFile, NullCounts, damaged};
use super::error::StoreError;
use super::ledger::Batch;
use super::site_effects::{self, SiteEffects};
use super::snapshot::{self, Wanted};
use super::store::Store;
use crate::domain::{Catalogue, Day, EffectId};
use crate::store::block::{Block, BlockError, Blocks, Held, StateSet, Want, block};
use crate::store::filter::FilterError;
use crate::store::table::SessionTable;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, RecordBatch};
use arrow::datatypes::{DataType, Field, Int32Type, Schema};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;
use std::collections::BTreeSet;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_64_with_seed;

/// Rows that are read at once.
const BATCH_ROWS: usize = 1 << 14;
/// Side effects of which the states fit one word: present in its lower half, absent in its upper.
const LANES: usize = 32;

/// The sessions of a version.
pub struct StoredSessions<'a> {
    store: &'a Store,
    files: Vec<DataFile>,
    /// The side effects that are read from columns of their own, with their codes; the first ones of the catalogue.
    effects: Vec<(EffectId, String)>,
    /// The others.
    of_site: SiteEffects,
    /// Number of side effects, the site's own among them.
    of_catalogue: usize,
}

impl<'a> StoredSessions<'a> {
    /// The sessions of a version, if their states are the ones that a run of this catalogue and data cut would settle:
    /// nothing in the store is younger than the cut, and the windows of the built-in side effects are as they were.
    ///
    /// # Errors
    /// When the store's list of files cannot be read.
    pub fn settled(
        store: &'a Store,
        at: &Batch,
        (catalogue, data_cut): (&Catalogue, Day),
    ) -> Result<Option<StoredSessions<'a>>, StoreError> {
        let built_in = Catalogue::built_in();
        let changed = built_in.ids().any(|id| built_in.get(id).window_days != catalogue.get(id).window_days);
        if changed || at.newest_day.is_some_and(|newest| newest > data_cut.0) {
            return Ok(None);
        }
        let (read, of_site) = match has_columns(store, at, catalogue)? {
            true => (catalogue, SiteEffects::none(catalogue)),
            false => (&built_in, SiteEffects::of(store, at, catalogue)?),
        };
        let effects = read.ids().map(|id| (id, read.get(id).code.clone())).collect();
        let files = store.files(TableName::Sessions, at)?;
        Ok(Some(StoredSessions { store, files, effects, of_site, of_catalogue: catalogue.ids().count() }))
    }

    /// The files of which no session fits what is counted, as far as the days in them tell, and their sessions.
    ///
    /// # Errors
    /// When a condition cannot be answered.
    pub fn outside(&self, want: &Want) -> Result<(usize, u64), FilterError> {
        let (mut files, mut sessions) = (0, 0);
        for file in &self.files {
            if is_outside(file, want)? {
                files += 1;
                sessions += file.rows;
            }
        }
        Ok((files, sessions))
    }

    /// Bytes of the files that a count reads, and of the files.
    ///
    /// # Errors
    /// When a file is not there or damaged, or a condition cannot be answered.
    pub fn bytes(&self, want: &Want) -> Result<(u64, u64), BlockError> {
        let of_file = |file: &DataFile| -> Result<u64, BlockError> {
            let (want, plan) = planned(file, want)?;
            let names = self.columns(&plan, &want);
            let opened = data_file::open(self.store.home(), TableName::Sessions, (file, Some(&[])))?;
            let metadata = ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new());
            let metadata = metadata.map_err(|error| damaged(TableName::Sessions, &error))?;
            let chunks = metadata.metadata().row_groups().iter().flat_map(|group| group.columns());
            let wanted = chunks.filter(|chunk| names.iter().any(|name| name == chunk.column_path().string().as_str()));
            Ok(wanted.map(|chunk| u64::try_from(chunk.compressed_size()).unwrap_or_default()).sum())
        };
        let read = self.files.par_iter().map(of_file).sum::<Result<u64, BlockError>>()?;
        Ok((read, self.files.iter().map(|file| file.bytes).sum()))
    }

    fn read_file(&self, file: &DataFile, want: &Want, take: &mut dyn FnMut(Block)) -> Result<(), BlockError> {
        let (want, plan) = &planned(file, want)?;
        let of_file = |error: &dyn std::error::Error| StoreError::Damaged {
            table: TableName::Sessions.folder(),
            reason: format!("{}: {error}", file.path),
        };
        let names = self.columns(plan, want);
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let opened = data_file::open(self.store.home(), TableName::Sessions, (file, Some(&names)))?;
        let metadata =
            ArrowReaderMetadata::load(&opened, ArrowReaderOptions::new()).map_err(|error| of_file(&error))?;
        let options = ArrowReaderOptions::new().with_schema(Arc::new(hinted(metadata.schema())));
        let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(opened, options);
        let builder = builder.map_err(|error| of_file(&error))?;
        let mask = ProjectionMask::columns(builder.parquet_schema(), names.iter().copied());
        let reader = builder.with_projection(mask).with_batch_size(BATCH_ROWS).build();
        let mut rows = 0;
        for batch in reader.map_err(|error| of_file(&error))? {
            let batch = batch.map_err(|error| of_file(&error))?;
            rows += batch.num_rows() as u64;
            take(self.block(&batch, want, plan)?);
        }
        if rows == file.rows {
            return Ok(());
        }
        let reason = format!("{} has {rows} rows where the log says {}", file.path, file.rows);
        Err(StoreError::Damaged { table: TableName::Sessions.folder(), reason }.into())
    }

    /// The columns on disk that must be read.
    fn columns(&self, plan: &Reading, want: &Want) -> Vec<String> {
        let mut names = BTreeSet::from(["asked".to_owned()]);
        if !plan.outside {
            names.extend(PATIENT.map(str::to_owned));
        }
        names.extend(plan.wanted.iter().flat_map(|name| snapshot::made_of(name)).map(str::to_owned));
        names.extend(
            want.filled.iter().filter(|name| plan.whole(name).is_none()).map(|name| filled_by(name).to_owned()),
        );
        if !self.of_site.is_empty() {
            names.extend(site_effects::COLUMNS.iter().map(|name| (*name).to_owned()));
        }
        for (_, code) in &self.effects {
            names.insert(format!("{code}_present"));
            let grade = format!("{code}_grade");
            if want.grades && plan.whole(&grade) != Some(Held::Nowhere) {
                names.insert(grade);
            }
        }
        names.into_iter().collect()
    }

    fn block(&self, batch: &RecordBatch, want: &Want, plan: &Reading) -> Result<Block, BlockError> {
        let broken = |error: arrow::error::ArrowError| damaged(TableName::Sessions, &error);
        let wanted = Wanted(Some(&plan.wanted));
        let rows = in_schema(batch, &plan.wanted).map_err(broken)?;
        let columns = snapshot::table_columns(&rows, wanted).map_err(broken)?;
        let asked = flags(batch, "asked")?;
        let asked = asked.iter().map(|asked| asked.unwrap_or(false)).collect();
        let table = SessionTable::of_columns(columns, asked);
        let states = self.states(batch, want.grades.then_some(plan))?;
        let filled = want.filled.iter().map(|name| plan.held(batch, name)).collect();
        let patients = if plan.outside { Vec::new() } else { patients(batch)? };
        Ok(Block { outside: plan.outside, filled, ..block(&table, want, (patients, states))? })
    }

    /// The states of each row, with the worst grades where a plan to read them is given.
    fn states(&self, batch: &RecordBatch, grades: Option<&Reading>) -> Result<Vec<StateSet>, StoreError> {
        let mut sets = vec![(0u128, 0u128); batch.num_rows()];
        for (lane, effects) in self.effects.chunks(LANES).enumerate() {
            let flags: Vec<&BooleanArray> =
                effects.iter().map(|(_, code)| flags(batch, &format!("{code}_present"))).collect::<Result<_, _>>()?;
            add_states(&flags, LANES * lane, &mut sets);
        }
        let of_site = if self.of_site.is_empty() { Vec::new() } else { self.of_site.settle(batch, &mut sets)? };
        let mut states: Vec<StateSet> =
            sets.into_iter().map(|(present, absent)| StateSet::new(present, absent)).collect();
        if let Some(plan) = grades {
            self.add_grades(batch, plan, &mut states)?;
            of_site.iter().for_each(|(row, effect, grade)| states[*row].set_grade(*effect, *grade));
        }
        Ok(states)
    }

    /// Adds the worst grades of those side effects that state one.
    fn add_grades(&self, batch: &RecordBatch, plan: &Reading, states: &mut [StateSet]) -> Result<(), StoreError> {
        for (effect, code) in &self.effects {
            let name = format!("{code}_grade");
            if plan.whole(&name) == Some(Held::Nowhere) {
                continue;
            }
            let column = batch.column_by_name(&name).and_then(|column| column.as_primitive_opt::<Int32Type>());
            let column = column.ok_or_else(|| lacking(&name))?;
            let mut set =
                |row: usize| states[row].set_grade(*effect, u8::try_from(column.value(row)).unwrap_or_default());
            match column.nulls() {
                Some(nulls) => nulls.valid_indices().for_each(&mut set),
                None => (0..column.len()).for_each(&mut set),
            }
        }
        Ok(())
    }
}

impl Blocks for StoredSessions<'_> {
    fn parts(&self) -> usize {
        self.files.len()
    }

    fn rows(&self) -> u64 {
        self.files.iter().map(|file| file.rows).sum()
    }

    fn effects(&self) -> usize {
        self.of_catalogue
    }

    fn read(&self, part: usize, want: &Want, take: &mut dyn FnMut(Block)) -> Result<(), BlockError> {
        self.read_file(&self.files[part], want, take)
    }
}

/// Whether what sites have added stands in the files of a version as everything else does.
fn has_columns(store: &Store, at: &Batch, catalogue: &Catalogue) -> Result<bool, StoreError> {
    let as_written = catalogue.len() > Catalogue::built_in().len() && catalogue.settles_as(&at.catalogue());
    Ok(as_written && with_states(catalogue).len() == catalogue.ids().count() && !store.lacks_columns(at)?)
}

/// The columns that tell patients apart.
const PATIENT: [&str; 2] = ["source", "patient_id"];

/// Whether no session of a file fits what is counted, as far as its days tell.
fn is_outside(file: &DataFile, want: &Want) -> Result<bool, FilterError> {
    if want.filters.is_empty() || want.counted.is_empty() {
        return Ok(false);
    }
    let Some(days) = snapshot::days_of(file) else { return Ok(false) };
    let excludes = want.filters.iter().map(|filter| filter.excludes(&days)).collect::<Result<Vec<bool>, _>>()?;
    Ok(want.counted.iter().all(|conditions| conditions.iter().any(|at| excludes[*at])))
}

/// What is wanted of a file, and what must be read for it.
fn planned(file: &DataFile, want: &Want) -> Result<(Want, Reading), FilterError> {
    if is_outside(file, want)? {
        let little = Want { coded: want.coded.clone(), ..Want::default() };
        let plan = Reading { outside: true, ..Reading::of(&little, file) };
        return Ok((little, plan));
    }
    Ok((want.clone(), Reading::of(want, file)))
}

/// What must be read of a file for a count.
struct Reading {
    /// Whether nothing of it counts.
    outside: bool,
    /// Columns of the session table.
    wanted: BTreeSet<String>,
    rows: usize,
    nulls: NullCounts,
}

impl Reading {
    fn of(want: &Want, file: &DataFile) -> Reading {
        let filters = want.filters.iter().flat_map(|filter| filter.columns().iter().cloned());
        let wanted = want.coded.iter().chain(&want.numbers).cloned().chain(filters);
        Reading {
            outside: false,
            wanted: wanted.filter(|name| name != "side_effects").collect(),
            rows: usize::try_from(file.rows).unwrap_or(usize::MAX),
            nulls: data_file::null_counts(file),
        }
    }

    /// What the log says of a column that has a value in every row, or in none.
    fn whole(&self, name: &str) -> Option<Held> {
        match self.nulls.get(name)? {
            0 => Some(Held::Everywhere),
            nulls if *nulls == self.rows => Some(Held::Nowhere),
            _ => None,
        }
    }

    /// Where a column has a value. One that the file, an older one, does not have has none.
    fn held(&self, batch: &RecordBatch, name: &str) -> Held {
        let found = |column: &ArrayRef| match (filled_by(name) == name, column.as_boolean_opt()) {
            (false, Some(asked)) => Held::In(asked.values().clone()),
            _ => Held::of(column),
        };
        self.whole(name).unwrap_or_else(|| batch.column_by_name(filled_by(name)).map_or(Held::Nowhere, found))
    }
}

/// The column on disk that tells where a column has a value: a session in which nobody asked has no `side_effects`,
/// which is a long text.
fn filled_by(name: &str) -> &str {
    if name == "side_effects" { "asked" } else { name }
}

/// The file's types, but texts of few values as dictionaries, so that their codes are read and not the texts.
fn hinted(found: &Schema) -> Schema {
    let labels: BTreeSet<String> =
        session_rows().into_iter().filter(|column| column.holds == Holds::Label).map(|column| column.name).collect();
    let field = |field: &Arc<Field>| -> Field {
        let plain = *field.data_type() == DataType::Utf8;
        if plain && field.name() == "patient_id" {
            return field.as_ref().clone().with_data_type(DataType::Utf8View);
        }
        if plain && labels.contains(field.name()) {
            let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
            return field.as_ref().clone().with_data_type(coded);
        }
        field.as_ref().clone()
    };
    Schema::new_with_metadata(found.fields().iter().map(field).collect::<Vec<_>>(), found.metadata().clone())
}

/// Code columns in the order of their lists; everything else as it was read.
fn in_schema(batch: &RecordBatch, wanted: &BTreeSet<String>) -> Result<RecordBatch, arrow::error::ArrowError> {
    let names: BTreeSet<&str> = wanted.iter().flat_map(|name| snapshot::made_of(name)).collect();
    let mut columns: Vec<(String, ArrayRef)> = Vec::new();
    for column in session_rows().iter().filter(|column| names.contains(column.name.as_str())) {
        let array = match (batch.column_by_name(&column.name), column.holds) {
            (None, holds) => arrow::array::new_null_array(&holds.arrow(), batch.num_rows()),
            (Some(found), Holds::Code(codes)) => super::rows::in_catalogue_order(found, codes)?,
            (Some(found), _) => found.clone(),
        };
        columns.push((column.name.clone(), array));
    }
    if columns.is_empty() {
        return Ok(batch.clone());
    }
    RecordBatch::try_from_iter(columns)
}

pub(super) fn lacking(name: &str) -> StoreError {
    let reason = format!("the column {name} is not as it should be");
    StoreError::Damaged { table: TableName::Sessions.folder(), reason }
}

fn flags<'a>(batch: &'a RecordBatch, name: &str) -> Result<&'a BooleanArray, StoreError> {
    batch.column_by_name(name).and_then(|column| column.as_boolean_opt()).ok_or_else(|| lacking(name))
}

/// A number for each row's patient: patients are told apart by 64 bits of a hash of their pseudonym and source. That
/// two of 25 million patients have the same is less likely than 1 in 50,000.
fn patients(batch: &RecordBatch) -> Result<Vec<u64>, StoreError> {
    let texts = batch.column_by_name("patient_id").and_then(|column| column.as_string_view_opt());
    let texts = texts.ok_or_else(|| lacking("patient_id"))?;
    let sources = batch.column_by_name("source").and_then(|column| column.as_dictionary_opt::<Int32Type>());
    let sources = sources.ok_or_else(|| lacking("source"))?;
    let names = sources.values().as_string_opt::<i32>().ok_or_else(|| lacking("source"))?;
    let seeds: Vec<u64> = names.iter().map(|name| xxh3_64_with_seed(name.unwrap_or_default().as_bytes(), 0)).collect();
    let seed = |row: usize| sources.key(row).map_or(0, |key| seeds[key]);
    Ok((0..batch.num_rows()).map(|row| xxh3_64_with_seed(texts.value(row).as_bytes(), seed(row))).collect())
}

/// Adds the states of up to 32 side effects, the first of which has bit `from`.
fn add_states(flags: &[&BooleanArray], from: usize, sets: &mut [(u128, u128)]) {
    let chunks = |flags: &BooleanArray| -> (Vec<u64>, Option<Vec<u64>>) {
        let values = flags.values().bit_chunks().iter_padded().collect();
        (values, flags.nulls().map(|nulls| nulls.inner().bit_chunks().iter_padded().collect()))
    };
    let columns: Vec<(Vec<u64>, Option<Vec<u64>>)> = flags.iter().map(|flags| chunks(flags)).collect();
    for (at, rows) in sets.chunks_mut(64).enumerate() {
        let mut words = [0u64; 64];
        for (lane, (values, known)) in columns.iter().enumerate() {
            let known = known.as_ref().map_or(u64::MAX, |known| known[at]);
            words[lane] = values[at] & known;
            words[LANES + lane] = !values[at] & known;
        }
        transpose(&mut words);
        for (set, word) in rows.iter_mut().zip(words) {
            set.0 |= u128::from(word & u64::from(u32::MAX)) << from;
            set.1 |= u128::from(word >> LANES) << from;
        }
    }
}

/// Turns a square of 64 × 64 bits about its diagonal: bit `b` of word `w` becomes bit `w` of word `b`. Blocks of half
/// the size are swapped, then those within them (Warren, Hacker's Delight, 7-3).
fn transpose(words: &mut [u64; 64]) {
    let (mut width, mut mask) = (32, u64::from(u32::MAX));
    while width > 0 {
        let mut at = 0;
        while at < 64 {
            let swap = (words[at] >> width ^ words[at + width]) & mask;
            words[at] ^= swap << width;
            words[at + width] ^= swap;
            at = (at + width + 1) & !width;
        }
        width /= 2;
        mask ^= mask << width;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_square_of_bits_is_turned() {
        let mut words: [u64; 64] = std::array::from_fn(|at| (at as u64 + 7).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let before = words;
        transpose(&mut words);
        for (row, word) in words.iter().enumerate() {
            for (column, other) in before.iter().enumerate() {
                assert_eq!(word >> column & 1, other >> row & 1, "{row} {column}");
            }
        }
    }

    #[test]
    fn states_are_read_from_flags_and_their_nulls() {
        let one = BooleanArray::from(vec![Some(true), Some(false), None, Some(true)]);
        let other = BooleanArray::from(vec![false, true, false, true]);
        let mut sets = vec![(0, 0); 4];
        add_states(&[&one, &other], 0, &mut sets);
        add_states(&[&one], 32, &mut sets);
        let third = 1u128 << 32;
        assert_eq!(sets, [(1 | third, 2), (2, 1 | third), (0, 2), (3 | third, 0)]);
    }
}
