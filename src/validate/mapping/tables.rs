//! `[columns]`, `[values]` and `[rows]`.

use super::document::{Located, Node};
use super::error::MappingProblem;
use super::{ColumnSource, Mapping, RowFilter, TableMapping, Values};
use crate::domain::{Catalogue, Column, Kind};
use crate::validate::Table;
use crate::validate::number::{Unit, find_unit, units};
use crate::validate::spelling::{fold, nearest};
use crate::validate::{dates, skin_tone};
use std::collections::BTreeMap;

const HEADER: &str = "their header, or { from = …, unit = … }, { from = [ … ], join = … } or { const = … }";

pub(super) fn columns(
    node: Node<'_>,
    table: Table,
    mapping: &Mapping,
) -> Result<BTreeMap<&'static str, ColumnSource>, Located> {
    let mut columns = BTreeMap::new();
    for entry in node.entries()? {
        let column = entry.column(table)?;
        let source = if entry.is_table() {
            detailed(entry, column, mapping)?
        } else {
            ColumnSource::Header(entry.text(HEADER)?, None)
        };
        columns.insert(column.name, source);
    }
    Ok(columns)
}

fn detailed(node: Node<'_>, column: &'static Column, mapping: &Mapping) -> Result<ColumnSource, Located> {
    let entries = node.known_entries("columns.<column>")?;
    let find = |key: &str| entries.iter().find(|entry| entry.key == key).copied();
    match (find("const"), find("from")) {
        (Some(constant), None) if entries.len() == 1 => {
            let value = constant.text("a text or a number")?;
            check_value(constant, column, &value, mapping)?;
            Ok(ColumnSource::Const(value))
        }
        (None, Some(from)) => {
            let headers = from.texts("a header or a list of headers")?;
            let join = find("join").map_or(Ok(" ".to_owned()), |join| join.text("a text"))?;
            let unit = find("unit").map_or(Ok(None), |unit| unit_of(unit, column).map(Some))?;
            match headers.as_slice() {
                [header] => Ok(ColumnSource::Header(header.clone(), unit)),
                [_, ..] if unit.is_none() => Ok(ColumnSource::Join(headers, join)),
                _ => Err(node.wrong(HEADER)),
            }
        }
        _ => Err(node.wrong(HEADER)),
    }
}

fn unit_of(node: Node<'_>, column: &'static Column) -> Result<&'static Unit, Located> {
    let own = match column.kind {
        Kind::Number { unit, .. } | Kind::Integer { unit, .. } => unit,
        _ => "",
    };
    let name = node.text("a unit")?;
    find_unit(units(own), &name).ok_or_else(|| {
        let known: Vec<&str> = units(own).iter().filter_map(|unit| unit.names.first().copied()).collect();
        let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
        node.fault(MappingProblem::UnknownUnit { unit: name, column: column.name, known })
    })
}

pub(super) fn values(node: Node<'_>, table: Table, mapping: &Mapping) -> Result<Values, Located> {
    let mut values = Values::new();
    for entry in node.entries()? {
        let column = entry.column(table)?;
        let mut pairs = Vec::new();
        for pair in entry.entries()? {
            let meaning = pair.text("a text")?;
            check_value(pair, column, &meaning, mapping)?;
            pairs.push((pair.key.to_owned(), meaning));
        }
        values.insert(column.name, pairs);
    }
    Ok(values)
}

/// Refuses a value that its column could never hold. The empty text means «missing».
fn check_value(node: Node<'_>, column: &Column, value: &str, mapping: &Mapping) -> Result<(), Located> {
    let unknown = |codes: &mut dyn Iterator<Item = &str>| {
        let nearest = nearest(value, codes).map(str::to_owned);
        Err(node.fault(MappingProblem::UnknownCode {
            value: value.to_owned(),
            column: column.name.to_owned(),
            nearest,
        }))
    };
    let is_code = |codes: &[&str], synonyms: &[(&str, &str)], item: &str| {
        codes.iter().chain(synonyms.iter().map(|(word, _)| word)).any(|known| fold(known) == fold(item))
    };
    let are_codes = |codes: &[&str], synonyms: &[(&str, &str)]| {
        value == "none" || value.split([';', '|', ',']).all(|item| is_code(codes, synonyms, item))
    };
    match column.kind {
        _ if value.is_empty() => Ok(()),
        Kind::Code(codes, synonyms) if !is_code(codes, synonyms, value) => unknown(&mut codes.iter().copied()),
        Kind::CodeList(codes, synonyms) if !are_codes(codes, synonyms) => unknown(&mut codes.iter().copied()),
        Kind::Fitzpatrick if skin_tone::fitzpatrick(value).is_err() => Err(node.wrong("one of I…VI")),
        Kind::Monk if skin_tone::monk(value).is_err() => Err(node.wrong("one of 1…10")),
        Kind::Grade if skin_tone::grade(value).is_err() => Err(node.wrong("a grade 1…5")),
        Kind::Date if dates::date(value, None).is_err() && value != "ongoing" => {
            Err(node.wrong("a date such as 2026-03-02"))
        }
        Kind::SideEffect | Kind::SideEffects if !is_effect(value, mapping) => {
            let catalogue = Catalogue::built_in();
            unknown(&mut catalogue.ids().map(|id| catalogue.get(id).code.as_str()))
        }
        _ => Ok(()),
    }
}

fn is_effect(value: &str, mapping: &Mapping) -> bool {
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    // In the compact form a whole entry may be mapped: only its code is looked at.
    let code = value.split(':').next().unwrap_or(value);
    code == "none" || catalogue.find(code).is_some()
}

pub(super) fn rows(node: Node<'_>) -> Result<RowFilter, Located> {
    let mut filter = RowFilter::default();
    for entry in node.known_entries("rows")? {
        let mut conditions = Vec::new();
        for condition in entry.entries()? {
            conditions.push((condition.key.to_owned(), condition.texts("a list of values")?));
        }
        if entry.key == "keep" { filter.keep = conditions } else { filter.drop = conditions }
    }
    Ok(filter)
}

/// Takes over what holds for the same column of the session log: its header and its values, but no constants.
pub(super) fn inherit(table: &mut TableMapping, kind: Table, sessions: &TableMapping) {
    for column in kind.columns() {
        if let Some(ColumnSource::Header(header, unit)) = sessions.columns.get(column.name) {
            table.fallback.insert(column.name, (header.clone(), *unit));
        }
        if let Some(values) = sessions.values.get(column.name) {
            let own = table.values.remove(column.name).unwrap_or_default();
            table.values.insert(column.name, values.iter().cloned().chain(own).collect());
        }
    }
}
