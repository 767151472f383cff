//! Where a store lies: a folder of this machine, or a prefix of a bucket. The rest of the lake names files relative to
//! it, with `/`, and does not know which of the two it is.
//!
//! In a folder a file is written beside its place, flushed and renamed, and writers are kept apart by a lock. A bucket
//! makes an object visible whole by itself, and has no lock: there the log of the list of batches decides between two
//! writers, by a request that fails where an object is.

use super::error::StoreError;
use super::pieces::Pieces;
use crate::bucket::{Access, Address, Bucket, is_address};
use bytes::Bytes;
use parquet::errors::ParquetError;
use parquet::file::reader::{ChunkReader, Length};
use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};

/// What keeps writers of a folder apart.
pub(super) const LOCK: &str = ".lock";

/// Where a store lies.
#[derive(Debug, Clone)]
pub struct Home(Kind);

#[derive(Debug, Clone)]
enum Kind {
    Folder(PathBuf),
    Bucket(Prefix),
}

/// A prefix of a bucket.
#[derive(Debug, Clone)]
pub(super) struct Prefix {
    pub(super) bucket: Bucket,
    /// Without a `/` at its end; empty = the whole bucket.
    pub(super) key: String,
}

/// The only process that may write to a folder, for as long as it lives; the system lets go of it when the process
/// ends, however it ends. Of a bucket nobody is the only writer.
#[derive(Debug)]
pub struct WriteLock(#[expect(dead_code, reason = "held, not used")] Option<File>);

/// A file, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name, relative to the store.
    pub(super) name: String,
    /// Its size.
    pub(super) bytes: u64,
    /// In a bucket, when it was written (milliseconds since 1970, UTC): its writer may still be at work.
    pub(super) written_ms: Option<i64>,
}

impl From<&Home> for Home {
    fn from(home: &Home) -> Home {
        home.clone()
    }
}

impl From<&Path> for Home {
    fn from(folder: &Path) -> Home {
        Home(Kind::Folder(folder.to_owned()))
    }
}

impl From<&PathBuf> for Home {
    fn from(folder: &PathBuf) -> Home {
        Home::from(folder.as_path())
    }
}

impl PartialEq for Home {
    fn eq(&self, other: &Home) -> bool {
        self.shown() == other.shown()
    }
}

impl Home {
    /// What a path or an address names.
    ///
    /// # Errors
    /// When it is an address that no store can have, or the bucket cannot be reached.
    pub fn at(named: &Path, access: &Access) -> Result<Home, StoreError> {
        let text = named.to_string_lossy();
        if !is_address(&text) {
            let home = Home::from(named);
            return home.check().map(|()| home);
        }
        let address = Address::parse(&text)?;
        let key = address.key().trim_end_matches('/');
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_./=".contains(letter);
        let whole = |part: &str| !part.is_empty() && part != "." && part != "..";
        let is_prefix = key.chars().all(plain) && key.split('/').all(whole);
        if !key.is_empty() && !is_prefix {
            return Err(StoreError::OddPrefix { folder: named.to_owned() });
        }
        Ok(Home(Kind::Bucket(Prefix { bucket: access.bucket(&address)?, key: key.to_owned() })))
    }

    /// Refuses what cannot be a store's place, before anything is made there.
    pub(super) fn check(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) if folder.to_string_lossy().contains("://") => {
                Err(StoreError::NotAFolder { folder: folder.clone() })
            }
            _ => Ok(()),
        }
    }

    /// How it is called in messages.
    #[must_use]
    pub fn shown(&self) -> PathBuf {
        match &self.0 {
            Kind::Folder(folder) => folder.clone(),
            Kind::Bucket(prefix) => prefix.bucket.name(&prefix.key).into(),
        }
    }

    /// The folder, where it is one.
    #[must_use]
    pub fn folder(&self) -> Option<&Path> {
        match &self.0 {
            Kind::Folder(folder) => Some(folder),
            Kind::Bucket(_) => None,
        }
    }

    /// The prefix, where it is one.
    pub(super) fn prefix(&self) -> Option<&Prefix> {
        match &self.0 {
            Kind::Folder(_) => None,
            Kind::Bucket(prefix) => Some(prefix),
        }
    }

    /// Makes it, and waits until no other process writes to a folder.
    pub(super) fn lock(&self) -> Result<WriteLock, StoreError> {
        let Kind::Folder(folder) = &self.0 else { return Ok(WriteLock(None)) };
        self.check()?;
        fs::create_dir_all(folder).map_err(StoreError::io("make the folder", folder))?;
        let path = folder.join(LOCK);
        let file = OpenOptions::new().create(true).truncate(false).write(true).open(&path);
        let file = file.map_err(StoreError::io("lock", &path))?;
        file.lock().map_err(StoreError::io("lock", &path))?;
        Ok(WriteLock(Some(file)))
    }

    /// Whether another process holds the lock right now.
    pub(super) fn is_locked(&self) -> bool {
        let Kind::Folder(folder) = &self.0 else { return false };
        let opened = OpenOptions::new().write(true).open(folder.join(LOCK));
        opened.is_ok_and(|file| matches!(file.try_lock(), Err(fs::TryLockError::WouldBlock)))
    }

    /// In a folder a log's entry is put in place by a hard link, which fails when another writer has put his.
    pub(super) fn probe_folder(&self) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => probe_hard_links(folder),
            Kind::Bucket(_) => Ok(()),
        }
    }

    /// In a bucket it is put by a request that fails where one is. A server that does not know this is told by trying
    /// it on an entry that is `there`: what it then writes is what was there.
    pub(super) fn probe_bucket(&self, there: &str) -> Result<(), StoreError> {
        let Kind::Bucket(prefix) = &self.0 else { return Ok(()) };
        let content = self.get(there)?;
        let overwritten = prefix.bucket.put_if_absent(&prefix.key_of(there), content)?;
        if overwritten { Err(StoreError::NoConditionalPut { folder: self.shown() }) } else { Ok(()) }
    }

    /// The names that stand directly in a folder of it (an empty name is itself), in order.
    pub(super) fn names(&self, within: &str) -> Result<Vec<String>, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let folder = folder.join(within);
                let entries = fs::read_dir(&folder).map_err(StoreError::io("list", &folder))?;
                let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
                let mut names: Vec<String> = entries.filter_map(Result::ok).map(name).collect();
                names.sort();
                Ok(names)
            }
            Kind::Bucket(prefix) => Ok(prefix.bucket.names(prefix.key_of(within).trim_end_matches('/'))?),
        }
    }

    /// Whether a file is there.
    pub(super) fn has(&self, name: &str) -> Result<bool, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => Ok(folder.join(name).exists()),
            Kind::Bucket(prefix) => Ok(prefix.bucket.look(&prefix.key_of(name))?.is_some()),
        }
    }

    /// A whole file.
    pub(super) fn get(&self, name: &str) -> Result<Bytes, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let path = folder.join(name);
                fs::read(&path).map(Bytes::from).map_err(StoreError::io("read", &path))
            }
            Kind::Bucket(prefix) => Ok(prefix.bucket.get(&prefix.key_of(name))?),
        }
    }

    /// A Parquet file of so many bytes, to read the columns that are `wanted` (`None` = all).
    pub(super) fn open(&self, (name, bytes): (&str, u64), wanted: Option<&[&str]>) -> Result<Opened, StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let path = folder.join(name);
                File::open(&path).map(Opened::File).map_err(StoreError::io("read", &path))
            }
            Kind::Bucket(prefix) => {
                let fetch = |ranges: &[std::ops::Range<u64>]| prefix.bucket.get_ranges(&prefix.key_of(name), ranges);
                Pieces::fetch(bytes, wanted, &fetch).map(Opened::Pieces).map_err(StoreError::from)
            }
        }
    }

    /// Writes a file: it is there whole or not at all, and stays there when the power fails.
    pub(super) fn put(&self, name: &str, content: Vec<u8>) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => save(&folder.join(name), &content),
            Kind::Bucket(prefix) => Ok(prefix.bucket.put(&prefix.key_of(name), content.into())?),
        }
    }

    /// Makes the folder of a table.
    pub(super) fn make_folder(&self, name: &str) -> Result<(), StoreError> {
        let Kind::Folder(folder) = &self.0 else { return Ok(()) };
        let folder = folder.join(name);
        fs::create_dir_all(&folder).map_err(StoreError::io("make the folder", &folder))
    }

    /// Makes sure that a file that somebody else has written, and its name, are on the disk.
    pub(super) fn flush(&self, name: &str) -> Result<(), StoreError> {
        let Kind::Folder(folder) = &self.0 else { return Ok(()) };
        let path = folder.join(name);
        let flushed = File::open(&path).and_then(|file| file.sync_all());
        flushed.map_err(StoreError::io("flush", &path))?;
        flush_folder(path.parent().unwrap_or(folder))
    }

    /// Removes a file.
    pub(super) fn remove(&self, name: &str) -> Result<(), StoreError> {
        match &self.0 {
            Kind::Folder(folder) => {
                let path = folder.join(name);
                fs::remove_file(&path).map_err(StoreError::io("remove", &path))
            }
            Kind::Bucket(prefix) => Ok(prefix.bucket.remove(&prefix.key_of(name))?),
        }
    }

    /// When a file of a bucket was written; `None` = it is gone, or lies in a folder.
    pub(super) fn written_ms(&self, name: &str) -> Result<Option<i64>, StoreError> {
        match &self.0 {
            Kind::Folder(_) => Ok(None),
            Kind::Bucket(prefix) => Ok(prefix.bucket.look(&prefix.key_of(name))?.map(|entry| entry.modified_ms)),
        }
    }

    /// Every Parquet file below a table's folder, and what interrupted writers have left there, in order.
    pub(super) fn data_files(&self, table: &str) -> Result<Vec<Listed>, StoreError> {
        let mut found = match &self.0 {
            Kind::Folder(root) => on_disk(root, table)?,
            Kind::Bucket(prefix) => prefix.data_files(table)?,
        };
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }
}

impl Prefix {
    /// Key of a name relative to the store.
    pub(super) fn key_of(&self, name: &str) -> String {
        if self.key.is_empty() { name.to_owned() } else { format!("{}/{name}", self.key) }
    }

    fn data_files(&self, table: &str) -> Result<Vec<Listed>, StoreError> {
        let folder = self.key_of(table);
        let begins = if self.key.is_empty() { 0 } else { self.key.len() + 1 };
        let is_data = |key: &str| key.ends_with(".parquet") && !key[folder.len()..].starts_with("/_delta_log/");
        let listed = self.bucket.list(&folder)?.into_iter().filter(|entry| is_data(&entry.key));
        Ok(listed
            .map(|entry| Listed {
                name: entry.key[begins..].to_owned(),
                bytes: entry.bytes,
                written_ms: Some(entry.modified_ms),
            })
            .collect())
    }
}

/// A Parquet file that is read.
pub(super) enum Opened {
    /// From the disk, as the reader asks.
    File(File),
    /// From a bucket, fetched before.
    Pieces(Pieces),
}

impl Length for Opened {
    fn len(&self) -> u64 {
        match self {
            Opened::File(file) => file.len(),
            Opened::Pieces(pieces) => pieces.len(),
        }
    }
}

impl ChunkReader for Opened {
    type T = Box<dyn Read>;

    fn get_read(&self, start: u64) -> Result<Box<dyn Read>, ParquetError> {
        match self {
            Opened::File(file) => Ok(Box::new(file.get_read(start)?)),
            Opened::Pieces(pieces) => Ok(Box::new(pieces.get_read(start)?)),
        }
    }

    fn get_bytes(&self, start: u64, length: usize) -> Result<Bytes, ParquetError> {
        match self {
            Opened::File(file) => file.get_bytes(start, length),
            Opened::Pieces(pieces) => pieces.get_bytes(start, length),
        }
    }
}

/// Writes a file beside its place, flushes it, and renames it.
fn save(path: &Path, bytes: &[u8]) -> Result<(), StoreError> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder).map_err(StoreError::io("make the folder", folder))?;
    let io = |source| StoreError::Io { doing: "write", path: path.to_owned(), source };
    let mut builder = tempfile::Builder::new();
    // Other programs read the store, too: who may, the system's mask says, as for any file.
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut beside = builder.prefix(".tmp-").tempfile_in(folder).map_err(io)?;
    beside.write_all(bytes).map_err(io)?;
    beside.as_file().sync_all().map_err(io)?;
    let file = beside.persist(path).map_err(|error| io(error.error))?;
    drop(file);
    flush_folder(folder)
}

/// Makes sure that the names in a folder are on the disk.
fn flush_folder(folder: &Path) -> Result<(), StoreError> {
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // Some systems cannot flush a folder; they order names by themselves.
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Ok(()),
        other => other.map_err(StoreError::io("flush", folder)),
    }
}

fn probe_hard_links(root: &Path) -> Result<(), StoreError> {
    let probe = tempfile::tempdir_in(root).map_err(StoreError::io("write to", root))?;
    let (one, two) = (probe.path().join("one"), probe.path().join("two"));
    fs::write(&one, b"stipple").map_err(StoreError::io("write to", root))?;
    fs::hard_link(&one, &two).map_err(|source| StoreError::NoHardLinks { folder: root.to_owned(), source })
}

fn on_disk(root: &Path, table: &str) -> Result<Vec<Listed>, StoreError> {
    let mut found = Vec::new();
    let mut folders = vec![root.join(table)];
    while let Some(inside) = folders.pop() {
        for entry in fs::read_dir(&inside).map_err(StoreError::io("list", &inside))? {
            let path = entry.map_err(StoreError::io("list", &inside))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            if path.is_dir() && name != "_delta_log" {
                folders.push(path);
            } else if name.ends_with(".parquet") || name.starts_with(".tmp-") {
                let bytes = fs::metadata(&path).map_or(0, |data| data.len());
                let within = path.strip_prefix(root).unwrap_or(&path);
                let name = within.to_string_lossy().replace('\\', "/");
                found.push(Listed { name, bytes, written_ms: None });
            }
        }
    }
    Ok(found)
}
