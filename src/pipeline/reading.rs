//! One file through its judge: batches are judged in parallel, what they hold is taken in the order of the file.

use super::Observer;
use super::files::InputFile;
use super::load::LoadError;
use super::tally::Role;
use crate::domain::{FileId, Table};
use crate::ingest::{IngestError, LeftOut, RawBatch, Records};
use crate::validate::{HeaderError, Ignored, Mapping};
use rayon::prelude::*;

/// Batches judged at once: enough that no thread waits long for the last of them, few enough to hold.
const BATCHES: usize = 64;
/// Batches of which one thing is made: what is kept of them lies in larger pieces.
const TOGETHER: usize = 8;

/// A file as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct FileRead {
    /// Size.
    pub(super) bytes: u64,
    /// BLAKE3 of its bytes, in hexadecimal.
    pub(super) blake3: String,
    /// Headers that nothing maps.
    pub(super) ignored: Vec<String>,
    /// Records of another kind, and other remarks.
    pub(super) left_out: Vec<LeftOut>,
}

/// How a kind of file is read: its judge, made from the header, and what is made of a few batches.
pub(super) struct Reading<J, M, W> {
    pub(super) role: Role,
    pub(super) make: M,
    pub(super) ignored: fn(&J) -> &[Ignored],
    pub(super) work: W,
}

/// How far all files are read.
pub(super) struct Progress<'a> {
    pub(super) observer: &'a dyn Observer,
    pub(super) total_bytes: u64,
    pub(super) read_bytes: u64,
}

/// Reads one file.
pub(super) fn read<J, T, M, W>(
    (file, id): (&InputFile, FileId),
    mapping: &Mapping,
    reading: Reading<J, M, W>,
    progress: &mut Progress<'_>,
    mut take: impl FnMut(T) -> Result<(), LoadError> + Send,
) -> Result<FileRead, LoadError>
where
    J: Sync,
    T: Send,
    M: FnOnce(&[String], &Mapping) -> Result<J, HeaderError>,
    W: Fn(&J, &[RawBatch]) -> T + Sync,
{
    let Reading { role, make, ignored, work } = reading;
    let name = || file.name.clone();
    let broken = |source| LoadError::Ingest { file: name(), source };
    let options = mapping.read_options(table_of(role));
    let mut reader = file.at.open(id, &options).map_err(broken)?;
    let judge = make(reader.header(), mapping).map_err(|source| LoadError::Header { file: name(), source })?;
    let ignored = ignored(&judge).iter().map(ignored_text).collect();
    let mut batches = next_batches(reader.as_mut()).map_err(broken)?;
    let mut made: Vec<T> = Vec::new();
    while !batches.is_empty() {
        // While these are judged, what those before them gave is taken, and the next are read.
        let before = std::mem::take(&mut made);
        let (judged, (taken, next)) = rayon::join(
            || batches.par_chunks(TOGETHER).map(|few| work(&judge, few)).collect::<Vec<T>>(),
            || (before.into_iter().try_for_each(&mut take), next_batches(reader.as_mut())),
        );
        taken?;
        (batches, made) = (next.map_err(broken)?, judged);
        progress.observer.bytes(progress.read_bytes + reader.tally().bytes, progress.total_bytes);
    }
    made.into_iter().try_for_each(&mut take)?;
    let bytes = reader.tally().bytes;
    progress.read_bytes += bytes;
    let blake3 = reader.content_hash().unwrap_or_default();
    Ok(FileRead { bytes, blake3, ignored, left_out: reader.left_out() })
}

fn ignored_text(ignored: &Ignored) -> String {
    match &ignored.nearest {
        Some(near) => format!("{} (did you mean {near}?)", ignored.header),
        None => ignored.header.clone(),
    }
}

fn next_batches(reader: &mut dyn Records) -> Result<Vec<RawBatch>, IngestError> {
    let mut batches = Vec::with_capacity(BATCHES);
    while batches.len() < BATCHES {
        match reader.next_batch()? {
            Some(batch) => batches.push(batch),
            None => break,
        }
    }
    Ok(batches)
}

fn table_of(role: Role) -> Table {
    match role {
        Role::Log => Table::Sessions,
        Role::Events => Table::Events,
        Role::Assessments => Table::Assessments,
    }
}
