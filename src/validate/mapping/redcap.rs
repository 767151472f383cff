//! `[redcap]`: which instruments of a REDCap project hold what, and what its data dictionary says about columns.

use super::document::{Located, Node};
use super::{ColumnSource, Mapping, TableMapping};
use crate::domain::Table;
use crate::ingest::{Dictionary, Field, RedcapOptions};
use crate::validate::spelling::{fold, fold_header};
use std::sync::Arc;

const TABLES: [Table; 3] = [Table::Sessions, Table::Events, Table::Assessments];

/// What a mapping says about a REDCap project.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Redcap {
    dictionary_file: Option<String>,
    /// Instruments of sessions, events and assessments.
    instruments: [Option<String>; 3],
    record_id: Option<String>,
    dictionary: Option<Arc<Dictionary>>,
}

pub(super) fn settings(node: Node<'_>) -> Result<Redcap, Located> {
    let mut redcap = Redcap::default();
    for entry in node.known_entries("redcap")? {
        let text = entry.text("a text")?;
        match entry.key {
            "dictionary" => redcap.dictionary_file = Some(text),
            "sessions" => redcap.instruments[0] = Some(text),
            "events" => redcap.instruments[1] = Some(text),
            "assessments" => redcap.instruments[2] = Some(text),
            _ => redcap.record_id = Some(text),
        }
    }
    if redcap.instruments.iter().all(Option::is_none) {
        return Err(node.wrong("a table that names an instrument: sessions, events or assessments"));
    }
    Ok(redcap)
}

impl Redcap {
    fn instrument(&self, table: Table) -> Option<&str> {
        TABLES.iter().position(|known| *known == table).and_then(|at| self.instruments[at].as_deref())
    }

    /// The fields that rows of an instrument can have: its own, else those that are carried to it.
    fn fields<'d>(&self, dictionary: &'d Dictionary, table: Table) -> [Vec<&'d Field>; 2] {
        let is = |field: &Field, instrument: &str| fold_header(&field.instrument) == fold_header(instrument);
        let own = self.instrument(table);
        let of_table = |field: &Field| self.instruments.iter().flatten().any(|instrument| is(field, instrument));
        let fields = || dictionary.fields().iter();
        [
            fields().filter(|field| own.is_some_and(|own| is(field, own))).collect(),
            fields().filter(|field| !of_table(field)).collect(),
        ]
    }
}

impl Mapping {
    /// The data dictionary that the mapping names, as it is written there: relative to the mapping file.
    #[must_use]
    pub fn dictionary_file(&self) -> Option<&str> {
        self.redcap.as_ref().and_then(|redcap| redcap.dictionary_file.as_deref())
    }

    /// Finds columns by the labels of fields, and lets `[values]` name codes as well as labels. What the mapping says
    /// of a column stands.
    pub fn use_dictionary(&mut self, dictionary: Dictionary) {
        let Some(redcap) = &mut self.redcap else { return };
        if redcap.record_id.is_none() {
            redcap.record_id = dictionary.fields().first().map(|field| field.name.clone());
        }
        let redcap = redcap.clone();
        for table in TABLES.into_iter().filter(|table| redcap.instrument(*table).is_some()) {
            let mapping = match table {
                Table::Sessions => &mut self.sessions,
                Table::Events => &mut self.events,
                Table::Assessments => &mut self.assessments,
            };
            find_columns(mapping, table, &redcap.fields(&dictionary, table));
            add_labels(mapping, table, &dictionary);
        }
        self.redcap = Some(Redcap { dictionary: Some(Arc::new(dictionary)), ..redcap });
        self.name_patients();
    }

    /// The record is the patient.
    pub(super) fn name_patients(&mut self) {
        let Some(record_id) = self.redcap.as_ref().and_then(|redcap| redcap.record_id.clone()) else { return };
        for mapping in [&mut self.sessions, &mut self.events, &mut self.assessments] {
            mapping.fallback.entry("patient_id").or_insert_with(|| (record_id.clone(), None));
        }
    }

    /// How an export's rows of a kind are found; `None` = no instrument holds them, so the file is read as it is.
    pub(super) fn redcap_options(&self, table: Table) -> Option<RedcapOptions> {
        let redcap = self.redcap.as_ref()?;
        let mapping = self.table(table);
        let known = mapping.columns.contains_key("session_id") || mapping.fallback.contains_key("session_id");
        Some(RedcapOptions {
            instrument: redcap.instrument(table)?.to_owned(),
            tables: redcap.instruments.iter().flatten().cloned().collect(),
            record_id: redcap.record_id.clone(),
            dictionary: redcap.dictionary.clone(),
            makes_session_id: !known,
        })
    }
}

/// A column whose name is the label of one field is read from it. Where two fields have the label, nothing is guessed:
/// both are told as not read.
fn find_columns(mapping: &mut TableMapping, table: Table, fields: &[Vec<&Field>; 2]) {
    for column in table.columns() {
        for (at, fields) in fields.iter().enumerate() {
            let named = |field: &&&Field| fold_header(&field.label) == fold_header(column.name);
            let mut found = fields.iter().filter(named);
            if let (Some(field), None) = (found.next(), found.next()) {
                let source = (field.name.clone(), None);
                // A header taken over from the session log's mapping is weaker than the instrument's own field.
                if at == 0 {
                    mapping.fallback.insert(column.name, source);
                } else {
                    mapping.fallback.entry(column.name).or_insert(source);
                }
                break;
            }
        }
    }
}

/// The export's codes become labels before the mapping is asked: a value that it names by code is named by label too.
fn add_labels(mapping: &mut TableMapping, table: Table, dictionary: &Dictionary) {
    for column in table.columns() {
        let Some(values) = mapping.values.get_mut(column.name) else { continue };
        let field = match mapping.columns.get(column.name) {
            Some(ColumnSource::Header(header, _)) => dictionary.field(header),
            Some(_) => None,
            None => dictionary.field(mapping.fallback.get(column.name).map_or(column.name, |(header, _)| header)),
        };
        let choices = field.map(|field| field.choices.as_slice()).unwrap_or_default();
        let known =
            |values: &[(String, String)], text: &str| values.iter().any(|(theirs, _)| fold(theirs) == fold(text));
        for (code, label) in choices {
            let code_is_a_label = choices.iter().any(|(_, other)| fold(other) == fold(code));
            if code_is_a_label || known(values, label) {
                continue;
            }
            if let Some((_, meaning)) = values.iter().find(|(theirs, _)| theirs == code) {
                let meaning = meaning.clone();
                values.push((label.clone(), meaning));
            }
        }
    }
}
