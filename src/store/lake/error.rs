//! Why the store cannot do what it is asked.

use crate::bucket::BucketError;
use std::path::PathBuf;
use thiserror::Error;

/// Why the store cannot do what it is asked.
#[derive(Debug, Error)]
pub enum StoreError {
    /// There is no store there.
    #[error("{folder} holds no store")]
    NoStore {
        /// The folder.
        folder: PathBuf,
    },
    /// An address that is no object store's.
    #[error("{folder} is an address, but no folder and no object store")]
    NotAFolder {
        /// The address.
        folder: PathBuf,
    },
    /// A prefix that other programs would read as another one.
    #[error("{folder} cannot hold a store: a prefix is made of letters, digits and - _ . / =")]
    OddPrefix {
        /// The address.
        folder: PathBuf,
    },
    /// The object store refused.
    #[error(transparent)]
    Bucket(#[from] BucketError),
    /// The object store cannot hold a store.
    #[error(
        "the object store of {folder} writes over what is there though asked not to (If-None-Match), so two \
             writers cannot be told apart"
    )]
    NoConditionalPut {
        /// The address.
        folder: PathBuf,
    },
    /// Another writer of a bucket was faster.
    #[error("another process wrote to {folder} at the same time, and was faster")]
    Overtaken {
        /// The address.
        folder: PathBuf,
    },
    /// The folder holds something else.
    #[error("{folder} holds `{entry}`, which no store has; nothing was written")]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// The first such entry.
        entry: String,
    },
    /// The disk or the operating system refused.
    #[error("cannot {doing} {path}: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// The file or folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file system cannot hold a store.
    #[error("the file system of {folder} has no hard links, without which two writers cannot be told apart: {source}")]
    NoHardLinks {
        /// The folder.
        folder: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Written by a newer program.
    #[error("{folder} was written by a newer stipple (its tables have version {found}, this program knows {known})")]
    Newer {
        /// The folder.
        folder: PathBuf,
        /// Version of its tables.
        found: u32,
        /// Version that this program writes.
        known: u32,
    },
    /// Written by an older program.
    #[error("{folder} was written by an older stipple (its tables have version {found}, this program writes {known})")]
    Older {
        /// The folder.
        folder: PathBuf,
        /// Version of its tables.
        found: u32,
        /// Version that this program writes.
        known: u32,
    },
    /// The key is not the one with which the store's pseudonyms were made.
    #[error("this is not the key with which the pseudonyms of {folder} were made")]
    OtherKey {
        /// The folder.
        folder: PathBuf,
    },
    /// The key file cannot be read as keys.
    #[error("the key is unreadable: {reason}")]
    BadKey {
        /// What is wrong.
        reason: &'static str,
    },
    /// There is no such version.
    #[error("{folder} has no version {asked}; it has 1 to {newest}")]
    NoVersion {
        /// The folder.
        folder: PathBuf,
        /// The version asked for.
        asked: u64,
        /// The newest version.
        newest: u64,
    },
    /// Nothing was in the store on that day.
    #[error("on {asked} there was nothing in {folder} yet; it begins on {begins}")]
    NothingYet {
        /// The folder.
        folder: PathBuf,
        /// The day asked for.
        asked: String,
        /// The day of its first version.
        begins: String,
    },
    /// The files of that version were removed.
    #[error("version {asked} of {folder} was vacuumed; what is kept begins with version {oldest}")]
    Vacuumed {
        /// The folder.
        folder: PathBuf,
        /// The version asked for.
        asked: u64,
        /// The oldest version that is whole.
        oldest: u64,
    },
    /// A table is not as it should be.
    #[error("the table {table} of the store is damaged: {reason}")]
    Damaged {
        /// The table.
        table: &'static str,
        /// What is wrong.
        reason: String,
    },
    /// The table's log refused.
    #[error("the log of the table {table} refused: {reason}")]
    Log {
        /// The table.
        table: &'static str,
        /// What it said.
        reason: String,
    },
    /// The same files came in at the same time.
    #[error("the same files were ingested by another process at the same time")]
    AlreadyThere,
    /// The batch is in, but not yet in the tables that other programs read.
    #[error("version {version} is in the store, but its tables could not be brought up to date: {source}")]
    NotYetApplied {
        /// The version.
        version: u64,
        /// Why.
        source: Box<StoreError>,
    },
    /// Too much for the memory allowed.
    #[error("{what} needs about {needed_mib} MiB, more than --memory allows")]
    TooLarge {
        /// What.
        what: &'static str,
        /// About how much it needs.
        needed_mib: u64,
    },
}

impl StoreError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            StoreError::NoStore { .. } => "`stipple ingest --store STORE LOG` makes one".to_owned(),
            StoreError::NotAFolder { .. } => "name a folder, or s3://, gs:// or az:// and a prefix".to_owned(),
            StoreError::OddPrefix { .. } => "name another prefix, such as s3://bucket/warehouse".to_owned(),
            StoreError::Bucket(problem) => problem.remedy().to_owned(),
            StoreError::NoConditionalPut { .. } => {
                "use a newer version of that server, or another one, or a folder; no session was written".to_owned()
            }
            StoreError::Overtaken { .. } => {
                "give the command again; writers that never rest are better started one after the other".to_owned()
            }
            StoreError::ForeignFolder { .. } => "name a new or empty folder with --store".to_owned(),
            StoreError::Io { doing: "read" | "list", .. } => {
                "see that it is there and that you may read it; nothing was changed".to_owned()
            }
            StoreError::Io { .. } => {
                "check space and permissions; what was in the store is as it was, and the same command may be given again"
                    .to_owned()
            }
            StoreError::NoHardLinks { .. } => "put the store on another disk (ext4, xfs, APFS, NTFS have them)".to_owned(),
            StoreError::Newer { .. } => "use the newer program".to_owned(),
            StoreError::Older { .. } => "`stipple store upgrade STORE` brings it up to date".to_owned(),
            StoreError::OtherKey { .. } => {
                "give the right key with --key FILE; with another one every patient would be counted twice".to_owned()
            }
            StoreError::BadKey { .. } => {
                "a key file holds lines of 64 hexadecimal digits; restore it from where it is kept".to_owned()
            }
            StoreError::NoVersion { .. } | StoreError::NothingYet { .. } | StoreError::Vacuumed { .. } => {
                "`stipple store history STORE` lists the versions".to_owned()
            }
            StoreError::Damaged { .. } => {
                "`stipple store verify STORE` tells what is damaged; restore the folder from a backup".to_owned()
            }
            StoreError::Log { .. } => "give the command again; `stipple store verify STORE` tells the state".to_owned(),
            StoreError::AlreadyThere => "nothing more to do".to_owned(),
            StoreError::NotYetApplied { .. } => {
                "nothing is lost: the next command that writes to the store finishes the work".to_owned()
            }
            StoreError::TooLarge { .. } => "allow more with --memory, or ingest the files in several runs".to_owned(),
        }
    }

    pub(super) fn io(doing: &'static str, path: &std::path::Path) -> impl FnOnce(std::io::Error) -> StoreError {
        let path = path.to_owned();
        move |source| StoreError::Io { doing, path, source }
    }
}
