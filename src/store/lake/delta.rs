//! The logs of the tables: the one file that speaks with Delta Lake's library.

use super::columns::{DiskColumn, Holds, SCHEMA_VERSION, TableName};
use super::data_file::DataFile;
use super::error::StoreError;
use super::home::Home;
use deltalake_core::kernel::transaction::{CommitBuilder, CommitProperties, TransactionError};
use deltalake_core::kernel::{
    Action, Add, DataType, MetadataExt, PrimitiveType, Remove, StructField, StructType, Transaction,
};
use deltalake_core::logstore::object_store::{self, prefix::PrefixStore};
use deltalake_core::logstore::{LogStoreRef, StorageConfig, default_logstore};
use deltalake_core::operations::create::CreateBuilder;
use deltalake_core::protocol::{DeltaOperation, SaveMode};
use deltalake_core::{DeltaTable, DeltaTableBuilder, DeltaTableError};
use std::collections::{BTreeSet, HashMap};
use std::path::Path;
use std::sync::Arc;

/// Name of the list of batches, for messages.
pub(super) const BATCHES: &str = "batches";

/// What runs the library's calls.
#[derive(Clone)]
pub(super) struct Runtime(Arc<tokio::runtime::Runtime>);

impl Runtime {
    /// A connection to a bucket brings its own.
    pub(super) fn of(home: &Home) -> Result<Runtime, StoreError> {
        if let Some(prefix) = home.prefix() {
            return Ok(Runtime(prefix.bucket.runtime()));
        }
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(StoreError::io("start the work on", Path::new("the store")))?;
        Ok(Runtime(Arc::new(runtime)))
    }

    fn run<F: Future>(&self, future: F) -> F::Output {
        self.0.block_on(future)
    }
}

/// What a batch does to one table.
#[derive(Debug, Clone, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// Files that the table gets.
    pub add: Vec<DataFile>,
    /// Files that it loses.
    pub remove: Vec<DataFile>,
}

impl Change {
    /// Whether nothing changes.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.add.is_empty() && self.remove.is_empty()
    }

    /// Leaves out files that were written anew as they were: they keep their name, which a table cannot get and lose in
    /// one step.
    pub(super) fn leave_out_same(&mut self) {
        let paths = |files: &[DataFile]| files.iter().map(|file| file.path.clone()).collect::<BTreeSet<String>>();
        let same: BTreeSet<String> = paths(&self.add).intersection(&paths(&self.remove)).cloned().collect();
        self.add.retain(|file| !same.contains(&file.path));
        self.remove.retain(|file| !same.contains(&file.path));
    }
}

/// The log of one table at one version.
pub(super) struct Log {
    runtime: Runtime,
    table: DeltaTable,
    home: Home,
    name: &'static str,
    partition: Option<&'static str>,
}

impl Log {
    /// Makes a table without rows, or opens the one that another writer has made just now.
    pub(super) fn create(runtime: &Runtime, home: &Home, shape: &Shape<'_>) -> Result<Log, StoreError> {
        home.make_folder(shape.name)?;
        let log_store = log_store(home, shape.name)?;
        let fields: Vec<StructField> = shape.columns.iter().map(field).chain(shape.partition.map(partition)).collect();
        // History is never thrown away by a log's own cleaning: an auditor may ask for any day.
        let keep = [
            ("delta.logRetentionDuration", "interval 36500 days"),
            ("delta.deletedFileRetentionDuration", "interval 36500 days"),
            ("delta.enableExpiredLogCleanup", "false"),
        ];
        let builder = CreateBuilder::new()
            .with_log_store(log_store)
            .with_table_name(shape.name)
            .with_columns(fields)
            .with_partition_columns(shape.partition)
            .with_raise_if_key_not_exists(false)
            // Where another writer was faster, the library would enter the making once more, as a version.
            .with_commit_properties(CommitProperties::default().with_max_retries(0))
            .with_configuration(keep.map(|(key, value)| (key, Some(value))))
            .with_configuration([("stipple.schemaVersion", Some(SCHEMA_VERSION.to_string()))]);
        match runtime.run(builder.into_future()) {
            Ok(table) => {
                let (runtime, home) = (runtime.clone(), home.clone());
                let log = Log { runtime, table, home, name: shape.name, partition: shape.partition };
                log.flush(0)?;
                Ok(log)
            }
            Err(_) if home.has(&entry(shape.name, 0))? => Log::open(runtime, home, shape, None),
            Err(error) => Err(log_error((home, shape.name), &error)),
        }
    }

    /// Opens a table, at a version or at its newest.
    pub(super) fn open(
        runtime: &Runtime,
        home: &Home,
        shape: &Shape<'_>,
        version: Option<u64>,
    ) -> Result<Log, StoreError> {
        let mut table = DeltaTable::new(log_store(home, shape.name)?);
        let loaded = runtime.run(async {
            match version {
                Some(version) => table.load_version(version).await,
                None => table.load().await,
            }
        });
        loaded.map_err(|error| log_error((home, shape.name), &error))?;
        let (runtime, home) = (runtime.clone(), home.clone());
        Ok(Log { runtime, table, home, name: shape.name, partition: shape.partition })
    }

    /// The version that is open.
    pub(super) fn version(&self) -> u64 {
        self.table.version().unwrap_or(0)
    }

    /// Version of the columns with which the table was made.
    pub(super) fn schema_version(&self) -> Option<u32> {
        let snapshot = self.table.snapshot().ok()?;
        snapshot.metadata().configuration().get("stipple.schemaVersion")?.parse().ok()
    }

    /// The files that hold the rows, in the order of their paths.
    pub(super) fn files(&self) -> Result<Vec<DataFile>, StoreError> {
        let snapshot = self.table.snapshot().map_err(|error| self.error(&error))?;
        let mut files = Vec::new();
        for view in snapshot.log_data().iter() {
            if view.deletion_vector_descriptor().is_some() {
                let reason = "another program has marked rows as deleted in it".to_owned();
                return Err(StoreError::Damaged { table: self.name, reason });
            }
            let partition = self.partition.and_then(|column| view.partition_values_map().remove(column).flatten());
            files.push(DataFile {
                path: view.path().into_owned(),
                partition,
                rows: view.num_records().unwrap_or(0) as u64,
                bytes: u64::try_from(view.size()).unwrap_or(0),
                stats: view.stats(),
            });
        }
        files.sort_by(|a, b| a.path.cmp(&b.path));
        Ok(files)
    }

    /// The file whose path begins with this, if the table has one.
    pub(super) fn path_of(&self, begin: &str) -> Result<Option<String>, StoreError> {
        let snapshot = self.table.snapshot().map_err(|error| self.error(&error))?;
        let path = snapshot.log_data().iter().map(|view| view.path().into_owned()).find(|path| path.starts_with(begin));
        Ok(path)
    }

    /// Goes to the newest version.
    pub(super) fn refresh(&mut self) -> Result<(), StoreError> {
        let loaded = self.runtime.run(self.table.load());
        loaded.map_err(|error| log_error((&self.home, self.name), &error))
    }

    /// Version last committed by an application, such as the ingest of a file.
    pub(super) fn transaction(&self, app_id: &str) -> Result<Option<i64>, StoreError> {
        let snapshot = self.table.snapshot().map_err(|error| self.error(&error))?;
        let log_store = self.table.log_store();
        let version = self.runtime.run(snapshot.transaction_version(log_store.as_ref(), app_id));
        version.map_err(|error| self.error(&error))
    }

    /// Whether the table lacks one of these columns.
    pub(super) fn lacks(&self, columns: &[DiskColumn]) -> Result<bool, StoreError> {
        let schema = self.table.snapshot().map_err(|error| self.error(&error))?.schema();
        Ok(columns.iter().any(|column| schema.field(&column.name).is_none()))
    }

    /// The table's description with columns that it lacks, if it lacks any.
    fn widened(&self, columns: &[DiskColumn]) -> Result<Option<Action>, StoreError> {
        if !self.lacks(columns)? {
            return Ok(None);
        }
        let snapshot = self.table.snapshot().map_err(|error| self.error(&error))?;
        let known = snapshot.schema();
        let (mut own, partition): (Vec<StructField>, Vec<StructField>) =
            known.fields().cloned().partition(|field| Some(field.name().as_str()) != self.partition);
        own.extend(columns.iter().filter(|column| known.field(&column.name).is_none()).map(field));
        let schema = StructType::try_new(own.into_iter().chain(partition));
        let schema = schema.map_err(|error| self.error(&error.into()))?;
        let metadata = snapshot.metadata().clone().with_schema(&schema).map_err(|error| self.error(&error.into()))?;
        Ok(Some(Action::Metadata(metadata)))
    }

    /// Changes the table in one step, if it still is at the version that is open; it gets those of `columns` that it
    /// lacks.
    pub(super) fn commit(
        &mut self,
        (change, columns): (&Change, &[DiskColumn]),
        transactions: Vec<Transaction>,
        now_ms: i64,
    ) -> Result<u64, StoreError> {
        let removes = change.remove.iter().map(|file| Action::Remove(self.remove(file, now_ms)));
        let adds = change.add.iter().map(|file| Action::Add(self.add(file, now_ms)));
        let actions: Vec<Action> = self.widened(columns)?.into_iter().chain(removes).chain(adds).collect();
        let properties = CommitProperties::default()
            .with_max_retries(0)
            .with_application_transactions(transactions)
            .with_cleanup_expired_logs(Some(false));
        let operation = DeltaOperation::Write {
            mode: SaveMode::Append,
            partition_by: self.partition.map(|column| vec![column.to_owned()]),
            predicate: None,
        };
        let snapshot = self.table.snapshot().map_err(|error| self.error(&error))?;
        let commit = CommitBuilder::from(properties).with_actions(actions).build(
            Some(snapshot),
            self.table.log_store(),
            operation,
        );
        let done = self.runtime.run(commit.into_future()).map_err(|error| self.error(&error))?;
        let version = done.version();
        self.table.state = Some(done.snapshot());
        self.flush(version)?;
        Ok(version)
    }

    fn add(&self, file: &DataFile, now_ms: i64) -> Add {
        Add {
            path: file.path.clone(),
            partition_values: self.values(file),
            size: i64::try_from(file.bytes).unwrap_or(i64::MAX),
            modification_time: now_ms,
            data_change: true,
            stats: file.stats.clone(),
            ..Add::default()
        }
    }

    fn remove(&self, file: &DataFile, now_ms: i64) -> Remove {
        Remove {
            path: file.path.clone(),
            data_change: true,
            deletion_timestamp: Some(now_ms),
            extended_file_metadata: Some(true),
            size: i64::try_from(file.bytes).ok(),
            partition_values: Some(self.values(file)),
            ..Remove::default()
        }
    }

    fn values(&self, file: &DataFile) -> HashMap<String, Option<String>> {
        self.partition.map(|column| (column.to_owned(), file.partition.clone())).into_iter().collect()
    }

    /// The library leaves flushing to the system; a power cut must not lose what was said to be done.
    fn flush(&self, version: u64) -> Result<(), StoreError> {
        self.home.flush(&entry(self.name, version))
    }

    fn error(&self, error: &DeltaTableError) -> StoreError {
        log_error((&self.home, self.name), error)
    }
}

/// Name, columns and partition of a table.
pub(super) struct Shape<'a> {
    pub(super) name: &'static str,
    pub(super) columns: &'a [DiskColumn],
    pub(super) partition: Option<&'static str>,
}

/// The shape of a table that a closure may use: its columns are made on the way.
pub(super) fn with_shape<T>(table: TableName, act: impl FnOnce(&Shape<'_>) -> T) -> T {
    let columns = table.columns();
    act(&Shape { name: table.folder(), columns: &columns, partition: table.partition() })
}

/// Name of a log's entry, relative to the store.
pub(super) fn entry(table: &str, version: u64) -> String {
    format!("{table}/_delta_log/{version:020}.json")
}

/// What the library reads and writes a table's log through. In a bucket its entries are put by a request that fails
/// where an entry is.
fn log_store(home: &Home, table: &'static str) -> Result<LogStoreRef, StoreError> {
    let refused = |error: DeltaTableError| log_error((home, table), &error);
    if let Some(folder) = home.folder() {
        let url = deltalake_core::ensure_table_uri(folder.join(table).to_string_lossy()).map_err(refused)?;
        return DeltaTableBuilder::from_url(url).and_then(|builder| builder.build_storage()).map_err(refused);
    }
    let Some(prefix) = home.prefix() else { return Err(StoreError::NotAFolder { folder: home.shown() }) };
    let (root, key) = (prefix.bucket.store(), prefix.key_of(table));
    let location = format!("{}/", prefix.bucket.name(&key));
    let location = location.parse().map_err(|_| StoreError::OddPrefix { folder: home.shown() })?;
    let within = Arc::new(PrefixStore::new(Arc::clone(&root), key));
    Ok(default_logstore(within, root, &location, &StorageConfig::default()))
}

fn log_error((home, table): (&Home, &'static str), error: &DeltaTableError) -> StoreError {
    if let DeltaTableError::Transaction {
        source: TransactionError::MaxCommitAttempts(_) | TransactionError::VersionAlreadyExists(_),
    } = error
    {
        return StoreError::Overtaken { folder: home.shown() };
    }
    if let Some(prefix) = home.prefix() {
        let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
        while let Some(error) = cause {
            if let Some(error) = error.downcast_ref::<object_store::Error>() {
                return prefix.bucket.error(&prefix.key_of(table), error).into();
            }
            cause = error.source();
        }
    }
    if let Some(missing) = gap(home, table) {
        return StoreError::Damaged { table, reason: format!("{missing} of its log is missing") };
    }
    // The library's message may end with the innards of its parts.
    let reason = error.to_string();
    let reason = reason.split(['{', '\n']).next().unwrap_or_default().trim_end();
    StoreError::Log { table, reason: reason.to_owned() }
}

/// The first entry that is missing between others of a table's log.
fn gap(home: &Home, table: &'static str) -> Option<String> {
    let names = home.names(&format!("{table}/_delta_log")).ok()?;
    let number = |name: &String| name.strip_suffix(".json")?.parse::<u64>().ok();
    let there: BTreeSet<u64> = names.iter().filter_map(number).collect();
    let (first, last) = (there.first()?, there.last()?);
    (*first..*last).find(|version| !there.contains(version)).map(|version| entry(table, version))
}

fn field(column: &DiskColumn) -> StructField {
    let primitive = match column.holds {
        Holds::Text | Holds::Label | Holds::Code(_) => PrimitiveType::String,
        Holds::Flag => PrimitiveType::Boolean,
        Holds::Measure(digits) => PrimitiveType::decimal(digits, 6).unwrap_or(PrimitiveType::Double),
        Holds::Whole => PrimitiveType::Integer,
        Holds::Long => PrimitiveType::Long,
        Holds::Date => PrimitiveType::Date,
    };
    StructField::new(column.name.clone(), DataType::Primitive(primitive), !column.required)
}

fn partition(name: &'static str) -> StructField {
    StructField::new(name, DataType::Primitive(PrimitiveType::String), true)
}
