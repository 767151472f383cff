//! The mapping file: a clinic's own headers, values, units and side effects, settled before any row is read.

mod document;
mod error;
mod keys;
mod read;
mod redcap;
mod site;
mod tables;

pub use error::{MappingError, MappingProblem};
pub use keys::{KEYS, Key};

use super::dates::DateOrder;
use super::number::{Decimal, Unit};
use crate::domain::scales::SCALES;
use crate::domain::{Catalogue, Scale, Table};
use crate::ingest::{ReadOptions, TextEncoding};
use std::collections::BTreeMap;

/// Where a column's values come from.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ColumnSource {
    /// A column of the file, perhaps in another unit.
    Header(String, Option<&'static Unit>),
    /// The same value in every row.
    Const(String),
    /// Several columns of the file, joined.
    Join(Vec<String>, String),
}

/// What `[read]` says beyond [`ReadOptions`].
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct ReadSettings {
    pub(super) delimiter: Option<u8>,
    pub(super) encoding: Option<TextEncoding>,
    pub(super) header_row: Option<u64>,
    pub(super) format: Option<&'static str>,
    pub(super) sheet: Option<String>,
    pub(super) query: Option<String>,
    pub(super) decimal: Option<Decimal>,
    pub(super) null: Option<Vec<String>>,
    pub(super) date_order: Option<DateOrder>,
}

/// Rows to keep and to drop, by the file's own headers.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct RowFilter {
    pub(super) keep: Vec<(String, Vec<String>)>,
    pub(super) drop: Vec<(String, Vec<String>)>,
}

/// Values by column: `(what stands there, what it means)`.
pub(super) type Values = BTreeMap<&'static str, Vec<(String, String)>>;

/// What the mapping says about one kind of file.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct TableMapping {
    pub(super) read: ReadSettings,
    pub(super) columns: BTreeMap<&'static str, ColumnSource>,
    /// Headers of the session log, for columns of another file that neither `columns` nor their own name finds.
    pub(super) fallback: BTreeMap<&'static str, (String, Option<&'static Unit>)>,
    pub(super) values: Values,
    pub(super) rows: RowFilter,
}

/// How rows go into a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct StoreSettings {
    /// Name of the source system; `None` = `default`.
    pub source: Option<String>,
    /// Whether an amended session takes the follow-up of the newer row even where it is earlier.
    pub follow_up_as_sent: bool,
}

/// A mapping file, checked and complete. The default maps nothing: canonical headers and codes.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mapping {
    pub(super) sessions: TableMapping,
    pub(super) events: TableMapping,
    pub(super) assessments: TableMapping,
    effects: Vec<site::SiteEffect>,
    /// Terms of the site and the code that each stands for; `none` = asked, none.
    pub(super) terms: Vec<(String, String)>,
    scales: Vec<Scale>,
    store: StoreSettings,
    redcap: Option<redcap::Redcap>,
}

impl Mapping {
    /// Reads a mapping file's text; `file_name` stands in messages.
    ///
    /// # Errors
    /// At the first key or value that cannot be understood, with its line.
    pub fn from_toml(text: &str, file_name: &str) -> Result<Mapping, MappingError> {
        document::read(text).map_err(|(line, problem)| MappingError { file: file_name.to_owned(), line, problem })
    }

    /// How a file of a kind is to be opened.
    #[must_use]
    pub fn read_options(&self, table: Table) -> ReadOptions {
        let read = &self.table(table).read;
        ReadOptions {
            table,
            delimiter: read.delimiter,
            encoding: read.encoding,
            decimal_comma: read.decimal == Some(Decimal::Comma),
            header_row: read.header_row,
            format: read.format,
            sheet: read.sheet.clone(),
            query: read.query.clone(),
            redcap: self.redcap_options(table),
        }
    }

    /// How rows go into a store.
    #[must_use]
    pub fn store(&self) -> &StoreSettings {
        &self.store
    }

    /// Adds the site's side effects to a catalogue.
    pub fn extend(&self, catalogue: &mut Catalogue) {
        for effect in &self.effects {
            catalogue.add(effect.settled(catalogue));
        }
    }

    /// The scales that exist: the built-in ones and the site's, which win.
    #[must_use]
    pub fn scales(&self) -> Vec<Scale> {
        let own = |id: &str| self.scales.iter().any(|scale| scale.id == id);
        let built_in = SCALES.iter().filter(|(id, ..)| !own(id));
        let built_in = built_in.map(|(id, lowest, highest, direction)| Scale {
            id: (*id).to_owned(),
            lowest: *lowest,
            highest: *highest,
            direction: *direction,
        });
        built_in.chain(self.scales.iter().cloned()).collect()
    }

    pub(super) fn table(&self, table: Table) -> &TableMapping {
        match table {
            Table::Sessions => &self.sessions,
            Table::Events => &self.events,
            Table::Assessments => &self.assessments,
        }
    }
}

#[cfg(test)]
mod tests;
