//! CDISC Dataset-JSON 1.1: columns once, then rows as lists of values.

use super::super::IngestError;
use super::super::batch::{Fault, RawBatch};
use super::walk::{Leaf, Mistake, Walker};
use serde::Deserialize;
use std::path::Path;

/// Members of the metadata that are needed; the rest is passed by.
pub(super) const NEEDED: &[&str] = &["datasetJSONVersion", "records", "columns"];

/// What the metadata say.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(super) struct Metadata {
    #[serde(rename = "datasetJSONVersion")]
    version: Option<String>,
    /// Records that the dataset holds.
    pub(super) records: Option<u64>,
    #[serde(default)]
    columns: Vec<Column>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
struct Column {
    name: String,
}

impl Metadata {
    /// Reads the metadata; `None` = the object is none of Dataset-JSON.
    ///
    /// # Errors
    /// When it is of a version whose columns stand elsewhere.
    pub(super) fn of(text: &str, path: &Path) -> Result<Option<Metadata>, IngestError> {
        let Ok(metadata) = serde_json::from_str::<Metadata>(text) else { return Ok(None) };
        let Some(version) = &metadata.version else { return Ok(None) };
        if metadata.columns.is_empty() || !(version == "1.1" || version.starts_with("1.1.")) {
            return Err(IngestError::NotRead {
                path: path.to_owned(),
                what: "Dataset-JSON of another version than 1.1",
                remedy: "export the dataset as Dataset-JSON 1.1, XPT version 5 or CSV",
            });
        }
        Ok(Some(metadata))
    }

    /// The names of the columns.
    pub(super) fn header(&self) -> Vec<String> {
        self.columns.iter().map(|column| column.name.trim().to_owned()).collect()
    }
}

/// Adds the values of a row to a batch in which it has begun.
pub(super) fn append(row: &str, (columns, decimal_comma): (usize, bool), batch: &mut RawBatch) -> Result<(), Mistake> {
    let (mut at, mut nul) = (0, false);
    Walker::new(row).list(&mut |leaf| {
        match leaf {
            Leaf::Missing => batch.push_field(""),
            Leaf::Number(number) if decimal_comma => batch.push_field(&number.replace('.', ",")),
            Leaf::Number(number) => batch.push_field(&number),
            Leaf::Text(text) => {
                nul |= memchr::memchr(0, text.as_bytes()).is_some();
                batch.push_field(&text);
            }
            Leaf::Nested(text) => {
                batch.push_field(text);
                batch.set_nested(at);
            }
        }
        at += 1;
    })?;
    if nul {
        batch.set_fault(Fault::NulByte);
    }
    if at < columns {
        batch.set_fault(Fault::TooFewFields { expected: columns, found: at });
    } else if at > columns {
        batch.set_fault(Fault::TooManyFields { expected: columns, found: at });
    }
    Ok(())
}
