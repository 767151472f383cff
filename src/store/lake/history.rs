//! The versions of one session.

use super::columns::TableName;
use super::error::StoreError;
use super::standing;
use super::store::Store;
use super::upsert::Spot;
use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use rayon::prelude::*;

/// A row of a session: one that was replaced, or the one that stands.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct SessionVersion {
    /// Source system.
    pub source: String,
    /// Version of the store in which it came.
    pub store_version: u64,
    /// Number of its file, line, record.
    pub place: Spot,
    /// Month of the session as it said.
    pub month: String,
    /// Version in which another took its place; `None` = it stands.
    pub replaced_in: Option<u64>,
}

/// Every row of the sessions with an id, in every source, oldest first.
///
/// # Errors
/// When files are not there or damaged.
pub fn of_session(store: &Store, session_id: &str) -> Result<Vec<SessionVersion>, StoreError> {
    let at = store.latest();
    let files = store.files(TableName::Superseded, at)?;
    let mut versions = Vec::new();
    for file in &files {
        let rows = store.read(TableName::Superseded, file, None)?;
        let months = rows.column_by_name("session_month").and_then(|column| column.as_string_opt::<i32>());
        for (row, replaced) in super::superseded::read(&rows).into_iter().enumerate() {
            if replaced.session.1 == session_id {
                versions.push(SessionVersion {
                    source: replaced.session.0,
                    store_version: replaced.store_version,
                    place: replaced.place,
                    month: months.map(|months| months.value(row).to_owned()).unwrap_or_default(),
                    replaced_in: Some(replaced.by_version),
                });
            }
        }
    }
    let files = store.files(TableName::Sessions, at)?;
    let standing: Vec<Vec<SessionVersion>> = files
        .par_iter()
        .map(|file| {
            let wanted = ["source", "session_id", "store_version", "file_number", "line", "record"];
            let rows = store.read(TableName::Sessions, file, Some(&wanted))?;
            let text = |name: &str| rows.column_by_name(name).and_then(|column| column.as_string_opt::<i32>());
            let long = rows.column_by_name("store_version").and_then(|column| column.as_primitive_opt::<Int64Type>());
            let (Some(sources), Some(ids), Some(long)) = (text("source"), text("session_id"), long) else {
                return Ok(Vec::new());
            };
            let found = (0..rows.num_rows()).filter(|row| ids.value(*row) == session_id).filter_map(|row| {
                Some(SessionVersion {
                    source: sources.value(row).to_owned(),
                    store_version: u64::try_from(long.value(row)).ok()?,
                    place: standing::place(&rows, row)?,
                    month: file.partition.clone().unwrap_or_default(),
                    replaced_in: None,
                })
            });
            Ok(found.collect())
        })
        .collect::<Result<_, StoreError>>()?;
    versions.extend(standing.into_iter().flatten());
    versions.sort();
    Ok(versions)
}
