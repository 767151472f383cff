//! The store as a whole: its versions, and how one more is made.

use super::columns::{self, DiskColumn, Holds, SCHEMA_VERSION, TableName, schema};
use super::data_file::{self, DataFile};
use super::delta::{BATCHES, Change, Log, Runtime, Shape, entry, with_shape};
use super::error::StoreError;
use super::events::{self, Waiting};
use super::home::{Home, LOCK, WriteLock};
use super::ledger::{Batch, BatchKind, Counts};
use super::month::PENDING;
use super::remarks::{self, Remark};
use super::rows::{long, longs, same};
use super::superseded::{self, Replaced};
use crate::domain::Day;
use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, StringArray};
use arrow::datatypes::Int32Type;
use deltalake_core::kernel::Transaction;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;

/// Who writes, and when: told by whoever has a clock.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Author {
    /// Person and machine.
    pub by: String,
    /// Milliseconds since 1970, UTC.
    pub at_ms: i64,
}

/// An open store, at its newest version.
pub struct Store {
    home: Home,
    runtime: Runtime,
    ledger: Log,
    latest: Batch,
}

impl Store {
    /// Waits until no other process writes to the store, and keeps them out; in a bucket nobody is kept out.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub fn lock(at: impl Into<Home>) -> Result<WriteLock, StoreError> {
        let home = at.into();
        // Nothing is left in a folder that is refused.
        if home.folder().is_some_and(std::path::Path::is_dir) && !Store::exists(&home) {
            check_folder(&home)?;
        }
        home.lock()
    }

    /// Whether another process writes to the store right now and keeps others out.
    #[must_use]
    pub fn is_locked(at: impl Into<Home>) -> bool {
        at.into().is_locked()
    }

    /// Whether a store is there, as far as it can be seen; [`Store::open`] tells why not.
    #[must_use]
    pub fn exists(at: impl Into<Home>) -> bool {
        at.into().has(&entry(BATCHES, 0)).unwrap_or(false)
    }

    /// Makes a store without sessions.
    ///
    /// # Errors
    /// When the folder holds something else, or the disk refuses.
    pub fn create(at: impl Into<Home>, key_check: &str, author: &Author) -> Result<Store, StoreError> {
        let home = at.into();
        check_folder(&home)?;
        home.probe_folder()?;
        let runtime = Runtime::of(&home)?;
        for table in TableName::ALL {
            // A process that was killed here may have made some of them.
            if !home.has(&entry(table.folder(), 0))? {
                with_shape(table, |shape| Log::create(&runtime, &home, shape))?;
            }
        }
        let columns = batch_columns();
        let mut ledger = Log::create(&runtime, &home, &batches_shape(&columns))?;
        home.probe_bucket(&entry(BATCHES, 0))?;
        let first = Batch {
            version: 1,
            kind: BatchKind::Create,
            at_ms: author.at_ms,
            by: author.by.clone(),
            program: program(),
            files: Vec::new(),
            counts: Counts::default(),
            tables: TableName::ALL.iter().map(|table| (table.folder().to_owned(), 0)).collect(),
            changes: BTreeMap::new(),
            effects: Vec::new(),
            key_check: key_check.to_owned(),
            file_count: 0,
            oldest_whole: 1,
            newest_day: None,
            warnings: BTreeMap::new(),
        };
        record(&home, &mut ledger, &first, Vec::new())?;
        Ok(Store { home, runtime, ledger, latest: first })
    }

    /// Opens a store at its newest version.
    ///
    /// # Errors
    /// When there is none, it is damaged, or another version of the program has written it.
    pub fn open(at: impl Into<Home>) -> Result<Store, StoreError> {
        let home = at.into();
        home.check()?;
        if !home.has(&entry(BATCHES, 0))? {
            return Err(StoreError::NoStore { folder: home.shown() });
        }
        let runtime = Runtime::of(&home)?;
        let columns = batch_columns();
        let ledger = Log::open(&runtime, &home, &batches_shape(&columns), None)?;
        check_schema(&home, ledger.schema_version())?;
        if ledger.version() == 0 {
            return Err(StoreError::NoStore { folder: home.shown() });
        }
        let latest = read_batch(&home, &ledger, ledger.version())?;
        Ok(Store { home, runtime, ledger, latest })
    }

    /// Where it lies.
    #[must_use]
    pub fn home(&self) -> &Home {
        &self.home
    }

    /// Where it lies, for messages.
    #[must_use]
    pub fn shown(&self) -> std::path::PathBuf {
        self.home.shown()
    }

    /// The newest version.
    #[must_use]
    pub fn latest(&self) -> &Batch {
        &self.latest
    }

    /// Every version, oldest first.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn batches(&self) -> Result<Vec<Batch>, StoreError> {
        (1..=self.latest.version).into_par_iter().map(|version| self.batch(version)).collect()
    }

    /// A version.
    ///
    /// # Errors
    /// When there is none, or its files were removed.
    pub fn at(&self, version: u64) -> Result<Batch, StoreError> {
        let newest = self.latest.version;
        if version > newest || version == 0 {
            return Err(StoreError::NoVersion { folder: self.shown(), asked: version, newest });
        }
        let oldest = self.latest.oldest_whole;
        if version < oldest {
            return Err(StoreError::Vacuumed { folder: self.shown(), asked: version, oldest });
        }
        self.batch(version)
    }

    /// The version that stood at the end of a day (UTC).
    ///
    /// # Errors
    /// When there was none yet, or its files were removed.
    pub fn on(&self, day: Day) -> Result<Batch, StoreError> {
        let end = (i64::from(day.0) + 1) * DAY_MS;
        let mut begins = String::new();
        for version in (1..=self.latest.version).rev() {
            let batch = self.batch(version)?;
            if batch.at_ms < end {
                return self.at(version);
            }
            begins = day_of(batch.at_ms).to_string();
        }
        Err(StoreError::NothingYet { folder: self.shown(), asked: day.to_string(), begins })
    }

    /// The files of a table in a version, in the order of their paths.
    ///
    /// # Errors
    /// When the table's log cannot be read.
    pub fn files(&self, table: TableName, at: &Batch) -> Result<Vec<DataFile>, StoreError> {
        let wanted = at.table_version(table);
        let change = at.change(table).filter(|change| !change.is_empty());
        let opened = with_shape(table, |shape| Log::open(&self.runtime, &self.home, shape, Some(wanted)));
        match (opened, change) {
            (Ok(log), _) => log.files(),
            // The batch is in the list, but its writer ended before it came to this table.
            (Err(_), Some(change)) if wanted > 0 => {
                let before = with_shape(table, |shape| Log::open(&self.runtime, &self.home, shape, Some(wanted - 1)))?;
                let mut files = before.files()?;
                files.retain(|file| !change.remove.iter().any(|removed| removed.path == file.path));
                files.extend(change.add.iter().cloned());
                files.sort_by(|a, b| a.path.cmp(&b.path));
                Ok(files)
            }
            (Err(error), _) => Err(error),
        }
    }

    /// Reads columns of a data file (`None` = all).
    ///
    /// # Errors
    /// When it is not there or damaged.
    pub fn read(&self, table: TableName, file: &DataFile, columns: Option<&[&str]>) -> Result<RecordBatch, StoreError> {
        data_file::read(&self.home, table, (file, columns))
    }

    /// The files with the rows of the batches.
    pub(super) fn batch_files(&self) -> Result<Vec<String>, StoreError> {
        Ok(self.ledger.files()?.into_iter().map(|file| format!("{BATCHES}/{}", file.path)).collect())
    }

    /// A version, whether or not its files are still there: for the history.
    ///
    /// # Errors
    /// When the list cannot be read.
    pub fn batch(&self, version: u64) -> Result<Batch, StoreError> {
        read_batch(&self.home, &self.ledger, version)
    }

    /// The rows that later batches replaced, up to a version.
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn replaced(&self, at: &Batch) -> Result<Vec<Replaced>, StoreError> {
        let files = self.files(TableName::Superseded, at)?;
        let read = |file| Ok(superseded::read(&self.read(TableName::Superseded, file, None)?));
        let mut rows: Vec<Replaced> = files.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?.concat();
        rows.sort_by_key(|row| (row.by_version, row.by));
        Ok(rows)
    }

    /// Events of which several sessions fit, at a version.
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn overlapping_events(&self, at: &Batch) -> Result<u64, StoreError> {
        let several = |file: &DataFile| -> Result<u64, StoreError> {
            let batch = self.read(TableName::Events, file, Some(&["candidates"]))?;
            let candidates =
                batch.column_by_name("candidates").and_then(|column| column.as_primitive_opt::<Int32Type>());
            let count = candidates.map_or(0, |column| column.iter().flatten().filter(|count| *count > 1).count());
            Ok(count as u64)
        };
        self.files(TableName::Events, at)?.par_iter().map(several).sum()
    }

    /// Events that belong to no session at a version, in the order of files and lines.
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn waiting_events(&self, at: &Batch) -> Result<Vec<Waiting>, StoreError> {
        let files = self.files(TableName::Events, at)?;
        let pending = files.iter().filter(|file| file.partition.as_deref() == Some(PENDING));
        let read = |file| Ok(events::waiting(&self.read(TableName::Events, file, Some(&events::WAITING_COLUMNS))?));
        let mut waiting = pending.map(read).collect::<Result<Vec<_>, StoreError>>()?.concat();
        waiting.sort_unstable_by_key(|event| event.spot);
        Ok(waiting)
    }

    /// Refused rows or remarks, up to a version, in the order of files and lines.
    ///
    /// # Errors
    /// When files are not there or damaged.
    pub fn remarks(&self, table: TableName, at: &Batch) -> Result<Vec<Remark>, StoreError> {
        let files = self.files(table, at)?;
        let read = |file| Ok(remarks::read(&self.read(table, file, None)?));
        let mut rows: Vec<Remark> = files.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?.concat();
        rows.sort_by(|a, b| a.order().cmp(&b.order()));
        Ok(rows)
    }

    /// Version in which an application, such as the ingest of one file, was recorded.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub fn recorded(&self, app_id: &str) -> Result<Option<i64>, StoreError> {
        self.ledger.transaction(app_id)
    }

    /// Whether the sessions of a version lack columns that this program would give them: an older one has written them.
    ///
    /// # Errors
    /// When the table's log cannot be read.
    pub fn lacks_columns(&self, at: &Batch) -> Result<bool, StoreError> {
        let (columns, version) = (columns::sessions(&at.catalogue()), at.table_version(TableName::Sessions));
        match with_shape(TableName::Sessions, |shape| Log::open(&self.runtime, &self.home, shape, Some(version))) {
            Ok(log) => log.lacks(&columns),
            // A killed writer may have left its entry to whoever comes next.
            Err(_) if at.change(TableName::Sessions).is_some() => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Finishes what a writer that was killed has left undone: brings every table to the newest version.
    ///
    /// # Errors
    /// When the disk refuses.
    pub fn finish(&self, _lock: &WriteLock) -> Result<(), StoreError> {
        TableName::ALL.into_iter().try_for_each(|table| self.apply(table))
    }

    fn apply(&self, table: TableName) -> Result<(), StoreError> {
        let Some(change) = self.latest.change(table).filter(|change| !change.is_empty()) else { return Ok(()) };
        let wanted = self.latest.table_version(table);
        let mut log = with_shape(table, |shape| Log::open(&self.runtime, &self.home, shape, None))?;
        if log.version() >= wanted {
            return Ok(());
        }
        if log.version() + 1 != wanted {
            let reason = format!("its log is at version {} where {} is expected", log.version(), wanted - 1);
            return Err(StoreError::Damaged { table: table.folder(), reason });
        }
        let mark = Transaction::new("stipple", long(self.latest.version));
        let columns = match table {
            TableName::Sessions => columns::sessions(&self.latest.catalogue()),
            other => other.columns(),
        };
        match log.commit((change, &columns), vec![mark], self.latest.at_ms) {
            // Somebody else finishes the same batch, and was faster: his entry says the same.
            Err(StoreError::Overtaken { .. }) => {
                let log = with_shape(table, |shape| Log::open(&self.runtime, &self.home, shape, None))?;
                if log.version() >= wanted { Ok(()) } else { Err(StoreError::Overtaken { folder: self.shown() }) }
            }
            done => done.map(|_| ()),
        }
    }

    /// The batch that would come next: everything as it is now.
    #[must_use]
    pub fn next(&self, kind: BatchKind, author: &Author) -> Batch {
        Batch {
            version: self.latest.version + 1,
            kind,
            at_ms: author.at_ms,
            by: author.by.clone(),
            program: program(),
            files: Vec::new(),
            changes: BTreeMap::new(),
            warnings: BTreeMap::new(),
            ..self.latest.clone()
        }
    }

    /// Makes a batch the newest version: in one step it is there, whole, for everybody who reads through the list of
    /// batches; then each table's own log follows.
    ///
    /// # Errors
    /// When another writer was faster, or the disk refuses. Before the one step nothing has changed.
    pub fn commit(&mut self, mut batch: Batch, app_ids: &[String], lock: &WriteLock) -> Result<(), StoreError> {
        batch.changes.values_mut().for_each(Change::leave_out_same);
        batch.changes.retain(|_, change| !change.is_empty());
        for (table, version) in &mut batch.tables {
            *version += u64::from(batch.changes.contains_key(table));
        }
        let version = long(batch.version);
        let marks = app_ids.iter().map(|app_id| Transaction::new(app_id, version)).collect();
        record(&self.home, &mut self.ledger, &batch, marks)?;
        let version = batch.version;
        self.latest = batch;
        self.finish(lock).map_err(|source| StoreError::NotYetApplied { version, source: Box::new(source) })
    }
}

/// The day of a moment, UTC.
#[must_use]
pub fn day_of(at_ms: i64) -> Day {
    Day(i32::try_from(at_ms.div_euclid(DAY_MS)).unwrap_or(i32::MAX))
}

fn program() -> String {
    concat!("stipple ", env!("CARGO_PKG_VERSION")).to_owned()
}

fn check_schema(home: &Home, found: Option<u32>) -> Result<(), StoreError> {
    let folder = home.shown();
    match found.unwrap_or(0) {
        SCHEMA_VERSION => Ok(()),
        found if found > SCHEMA_VERSION => Err(StoreError::Newer { folder, found, known: SCHEMA_VERSION }),
        found => Err(StoreError::Older { folder, found, known: SCHEMA_VERSION }),
    }
}

/// A store is made only in a folder that is empty, or that holds what an interrupted making has left.
fn check_folder(home: &Home) -> Result<(), StoreError> {
    let ours =
        |name: &str| [LOCK, BATCHES].contains(&name) || TableName::ALL.iter().any(|table| table.folder() == name);
    match home.names("")?.into_iter().find(|name| !ours(name)) {
        Some(entry) => Err(StoreError::ForeignFolder { folder: home.shown(), entry }),
        None => Ok(()),
    }
}

fn batches_shape(columns: &[DiskColumn]) -> Shape<'_> {
    Shape { name: BATCHES, columns, partition: None }
}

/// Columns of the list of batches; `detail` holds the whole batch as JSON.
fn batch_columns() -> Vec<DiskColumn> {
    let long = |name: &str| DiskColumn::new(name, Holds::Long);
    let label = |name: &str| DiskColumn::new(name, Holds::Label);
    let mut columns = vec![long("version"), label("kind"), label("at"), long("at_ms"), label("by"), label("program")];
    columns.extend(NUMBERS.map(|(name, _)| long(name)));
    columns.extend(TableName::ALL.map(|table| long(&format!("{}_version", table.folder()))));
    columns.push(DiskColumn::new("detail", Holds::Text));
    columns
}

type Number = fn(&Batch) -> u64;

const NUMBERS: [(&str, Number); 11] = [
    ("files", |batch| batch.files.len() as u64),
    ("read_rows", |batch| batch.rows()[0]),
    ("accepted_rows", |batch| batch.rows()[1]),
    ("rejected_rows", |batch| batch.rows()[2]),
    ("superseded_rows", |batch| batch.rows()[3]),
    ("new_sessions", |batch| batch.counts.new_sessions),
    ("amended_sessions", |batch| batch.counts.amended_sessions),
    ("sessions", |batch| batch.counts.sessions),
    ("events", |batch| batch.counts.events),
    ("pending_events", |batch| batch.counts.pending),
    ("assessments", |batch| batch.counts.assessments),
];

/// Begins the name of the file with a batch's row.
fn batch_name(version: u64) -> String {
    format!("batch-{version:010}")
}

/// Writes a batch's row and puts it into the list, as the version that it says.
fn record(home: &Home, ledger: &mut Log, batch: &Batch, marks: Vec<Transaction>) -> Result<(), StoreError> {
    let damaged = |reason: String| StoreError::Damaged { table: BATCHES, reason };
    if ledger.version() + 1 != batch.version {
        // Only where there is no lock: another writer has made the next version between two looks.
        if home.prefix().is_some() {
            return Err(StoreError::Overtaken { folder: home.shown() });
        }
        return Err(damaged(format!("it is at version {} where {} is to come", ledger.version(), batch.version)));
    }
    let row = batch_row(batch).map_err(damaged)?;
    let mut writer =
        ArrowWriter::try_new(Vec::new(), row.schema(), None).map_err(|error| damaged(error.to_string()))?;
    writer.write(&row).map_err(|error| damaged(error.to_string()))?;
    let bytes = writer.into_inner().map_err(|error| damaged(error.to_string()))?;
    // Two writers of a bucket may write a row for the same version: each has a file of his own, and the log names one.
    let path = match home.prefix() {
        None => format!("{}.parquet", batch_name(batch.version)),
        Some(_) => format!("{}-{}.parquet", batch_name(batch.version), &blake3::hash(&bytes).to_hex()[..32]),
    };
    let file = DataFile {
        path: path.clone(),
        partition: None,
        rows: 1,
        bytes: bytes.len() as u64,
        stats: Some(r#"{"numRecords":1}"#.to_owned()),
    };
    home.put(&format!("{BATCHES}/{path}"), bytes)?;
    let change = Change { add: vec![file], remove: Vec::new() };
    match ledger.commit((&change, &[]), marks, batch.at_ms) {
        // A connection that broke may have hidden that the entry was put: it is ours if it names our file.
        Err(StoreError::Overtaken { .. })
            if home.get(&entry(BATCHES, batch.version)).is_ok_and(|said| names(&said, &path)) =>
        {
            ledger.refresh()
        }
        done => done.map(|_| ()),
    }
}

fn names(entry: &[u8], path: &str) -> bool {
    memchr::memmem::find(entry, path.as_bytes()).is_some()
}

fn batch_row(batch: &Batch) -> Result<RecordBatch, String> {
    let detail = serde_json::to_string(batch).map_err(|error| error.to_string())?;
    let one = |number: u64| longs(std::iter::once(long(number)));
    let moment = chrono::DateTime::from_timestamp_millis(batch.at_ms).unwrap_or_default();
    let mut arrays: Vec<ArrayRef> = vec![
        one(batch.version),
        same(batch.kind.name(), 1),
        same(&moment.format("%Y-%m-%dT%H:%M:%SZ").to_string(), 1),
        longs(std::iter::once(batch.at_ms)),
        same(&batch.by, 1),
        same(&batch.program, 1),
    ];
    arrays.extend(NUMBERS.iter().map(|(_, number)| one(number(batch))));
    arrays.extend(TableName::ALL.map(|table| one(batch.table_version(table))));
    arrays.push(Arc::new(StringArray::from(vec![detail])));
    RecordBatch::try_new(schema(&batch_columns()), arrays).map_err(|error| error.to_string())
}

fn read_batch(home: &Home, ledger: &Log, version: u64) -> Result<Batch, StoreError> {
    let damaged =
        |reason: String| StoreError::Damaged { table: BATCHES, reason: format!("version {version}: {reason}") };
    // In a folder the name follows from the version; in a bucket only the log knows it.
    let path = match home.prefix() {
        None => format!("{}.parquet", batch_name(version)),
        Some(_) => {
            ledger.path_of(&batch_name(version))?.ok_or_else(|| damaged("the log does not name it".to_owned()))?
        }
    };
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(home.get(&format!("{BATCHES}/{path}"))?)
        .and_then(|builder| builder.build())
        .map_err(|error| damaged(error.to_string()))?;
    let row = reader.next().ok_or_else(|| damaged("it is empty".to_owned()))?;
    let row = row.map_err(|error| damaged(error.to_string()))?;
    let detail = row.column_by_name("detail").and_then(|column| column.as_string_opt::<i32>());
    let detail = detail.filter(|detail| !detail.is_empty()).ok_or_else(|| damaged("it has no detail".to_owned()))?;
    serde_json::from_str(detail.value(0)).map_err(|error| damaged(error.to_string()))
}
