//! Walks the TOML of a mapping file; every mistake is told with its line.

use super::error::MappingProblem;
use super::{Mapping, StoreSettings, TableMapping, keys, read, redcap, site, tables};
use crate::domain::Column;
use crate::validate::Table;
use crate::validate::spelling::nearest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A mistake and its line.
pub(super) type Located = (Option<u64>, MappingProblem);

/// A value of the file with its key and the file's text, from which lines are counted.
#[derive(Clone, Copy)]
pub(super) struct Node<'d> {
    text: &'d str,
    pub(super) key: &'d str,
    value: &'d Spanned<DeValue<'d>>,
}

/// Reads the text of a mapping file.
pub(super) fn read(text: &str) -> Result<Mapping, Located> {
    let syntax = |error: toml::de::Error| {
        let line = error.span().map(|span| line_of(text, span.start));
        (line, MappingProblem::Syntax { message: error.message().to_owned() })
    };
    let document = DeTable::parse(text).map_err(syntax)?;
    let mut mapping = Mapping::default();
    let top = entries(text, document.get_ref());
    for node in &top {
        node.known("", "the mapping file")?;
    }
    let find = |key: &str| top.iter().find(|node| node.key == key).copied();
    if let Some(node) = find("version").filter(|node| node.scalar().as_deref() != Some("1")) {
        return Err(node.fault(MappingProblem::Version { found: node.scalar().unwrap_or_default() }));
    }
    if let Some(node) = find("side_effects") {
        (mapping.effects, mapping.terms) = site::side_effects(node)?;
    }
    if let Some(node) = find("scales") {
        mapping.scales = site::scales(node)?;
    }
    if let Some(node) = find("store") {
        mapping.store = store(node)?;
    }
    mapping.sessions = table(&top, Table::Sessions, &mapping)?;
    mapping.events = sub_table(find("events"), Table::Events, &mapping)?;
    if let Some(node) = find("redcap") {
        mapping.redcap = Some(redcap::settings(node)?);
    }
    mapping.assessments = sub_table(find("assessments"), Table::Assessments, &mapping)?;
    mapping.name_patients();
    Ok(mapping)
}

fn table(nodes: &[Node<'_>], table: Table, mapping: &Mapping) -> Result<TableMapping, Located> {
    let mut settled = TableMapping::default();
    for node in nodes {
        match node.key {
            "read" => settled.read = read::settings(*node)?,
            "columns" => settled.columns = tables::columns(*node, table, mapping)?,
            "values" => settled.values = tables::values(*node, table, mapping)?,
            "rows" => settled.rows = tables::rows(*node)?,
            _ => {}
        }
    }
    Ok(settled)
}

fn store(node: Node<'_>) -> Result<StoreSettings, Located> {
    let mut settings = StoreSettings::default();
    for entry in node.known_entries("store")? {
        match entry.key {
            "source" => {
                let name = entry.text("a name")?;
                let fits = !name.is_empty() && !name.contains('/') && name.trim() == name;
                settings.source = Some(fits.then_some(name).ok_or_else(|| entry.wrong("a name without `/`"))?);
            }
            "follow_up" => match entry.text("forward or as_sent")?.as_str() {
                "forward" => settings.follow_up_as_sent = false,
                "as_sent" => settings.follow_up_as_sent = true,
                _ => return Err(entry.wrong("forward or as_sent")),
            },
            _ => {}
        }
    }
    Ok(settings)
}

/// A kind of file with its own tables; what they leave out comes from those of the session log.
fn sub_table(node: Option<Node<'_>>, kind: Table, mapping: &Mapping) -> Result<TableMapping, Located> {
    let nodes = node.map_or(Ok(Vec::new()), Node::entries)?;
    for entry in &nodes {
        entry.known(node.map_or("", |node| node.key), &format!("[{}]", node.map_or("", |node| node.key)))?;
    }
    let mut settled = table(&nodes, kind, mapping)?;
    settled.read.inherit(&mapping.sessions.read);
    tables::inherit(&mut settled, kind, &mapping.sessions);
    Ok(settled)
}

fn line_of(text: &str, at: usize) -> u64 {
    1 + text.as_bytes().iter().take(at).filter(|byte| **byte == b'\n').count() as u64
}

fn entries<'d>(text: &'d str, table: &'d DeTable<'d>) -> Vec<Node<'d>> {
    let mut placed: Vec<(usize, Node<'d>)> =
        table.iter().map(|(key, value)| (key.span().start, Node { text, key: key.get_ref(), value })).collect();
    placed.sort_by_key(|(start, _)| *start);
    placed.into_iter().map(|(_, node)| node).collect()
}

impl<'d> Node<'d> {
    /// The mistake `problem`, on this node's line.
    pub(super) fn fault(self, problem: MappingProblem) -> Located {
        (Some(line_of(self.text, self.value.span().start)), problem)
    }

    /// The mistake that the value is not `expected`.
    pub(super) fn wrong(self, expected: &str) -> Located {
        self.fault(MappingProblem::WrongValue { key: self.key.to_owned(), expected: expected.to_owned() })
    }

    /// The entries of a table, in the order of the file.
    pub(super) fn entries(self) -> Result<Vec<Node<'d>>, Located> {
        match self.value.get_ref() {
            DeValue::Table(table) => Ok(entries(self.text, table)),
            _ => Err(self.wrong("a table")),
        }
    }

    /// The entries of a table, whose keys must be those of `table`.
    pub(super) fn known_entries(self, table: &str) -> Result<Vec<Node<'d>>, Located> {
        let entries = self.entries()?;
        for entry in &entries {
            entry.known(
                table,
                &format!(
                    "[{}]",
                    table.replace("<column>", self.key).replace("<code>", self.key).replace("<id>", self.key)
                ),
            )?;
        }
        Ok(entries)
    }

    /// Refuses a key that `table` does not have.
    pub(super) fn known(self, table: &str, shown: &str) -> Result<(), Located> {
        if keys::names(table).any(|name| name == self.key) {
            return Ok(());
        }
        let nearest = nearest(self.key, keys::names(table)).map(str::to_owned);
        Err(self.fault(MappingProblem::UnknownKey { key: self.key.to_owned(), table: shown.to_owned(), nearest }))
    }

    /// The canonical column that the key names.
    pub(super) fn column(self, table: Table) -> Result<&'static Column, Located> {
        let columns = table.columns();
        columns.iter().find(|column| column.name == self.key).ok_or_else(|| {
            let nearest = nearest(self.key, columns.iter().map(|column| column.name)).map(str::to_owned);
            self.fault(MappingProblem::UnknownColumn { column: self.key.to_owned(), file: table.label(), nearest })
        })
    }

    /// Text, number or truth value, as text.
    pub(super) fn scalar(self) -> Option<String> {
        match self.value.get_ref() {
            DeValue::String(text) => Some(text.as_ref().to_owned()),
            DeValue::Integer(number) => Some(number.as_str().to_owned()),
            DeValue::Float(number) => Some(number.as_str().to_owned()),
            DeValue::Boolean(truth) => Some(truth.to_string()),
            DeValue::Datetime(time) => Some(time.to_string()),
            DeValue::Array(_) | DeValue::Table(_) => None,
        }
    }

    pub(super) fn text(self, expected: &str) -> Result<String, Located> {
        self.scalar().ok_or_else(|| self.wrong(expected))
    }

    /// A list of texts; one text is a list of one.
    pub(super) fn texts(self, expected: &str) -> Result<Vec<String>, Located> {
        let DeValue::Array(items) = self.value.get_ref() else { return Ok(vec![self.text(expected)?]) };
        items.iter().map(|value| Node { value, ..self }.text(expected)).collect()
    }

    /// A number that parses as `T`.
    pub(super) fn number<T: std::str::FromStr>(self, expected: &str) -> Result<T, Located> {
        self.scalar().and_then(|text| text.parse().ok()).ok_or_else(|| self.wrong(expected))
    }

    pub(super) fn is_table(self) -> bool {
        matches!(self.value.get_ref(), DeValue::Table(_))
    }
}
