//! `stipple schema`.

use super::answer;
use super::arguments::{Common, Schema, SchemaOf};
use super::failure::Failure;
use crate::domain::{Column, Kind};
use crate::pipeline::reference::{self, Key};
use serde_json::{Value, json};

pub(super) fn schema(command: &Schema, common: &Common) -> Result<(), Failure> {
    let text = match (command.of, common.json) {
        (SchemaOf::Pipeline, false) => pipeline_text(),
        (SchemaOf::Mapping, false) => mapping_text(),
        (SchemaOf::Results, false) => results_text(),
        (SchemaOf::Pipeline, true) => {
            let kinds: Vec<Value> = reference::kinds()
                .iter()
                .map(|kind| json!({ "kind": kind.name, "about": kind.about, "keys": kind.keys, "required": kind.required }))
                .collect();
            json!({
                "keys": keys_json(reference::PIPELINE_KEYS), "analysis": keys_json(reference::ANALYSIS_KEYS),
                "kinds": kinds, "columns": reference::columns(), "intervals": reference::intervals(),
                "profiles": reference::profiles(),
            })
            .to_string()
        }
        (SchemaOf::Mapping, true) => {
            let files: Vec<Value> =
                reference::canonical().iter().map(|(file, columns)| columns_json(file, columns)).collect();
            let keys: Vec<Value> =
                reference::mapping_keys().map(|(key, about)| json!({ "key": key, "about": about })).collect();
            json!({ "keys": keys, "files": files }).to_string()
        }
        (SchemaOf::Results, true) => {
            let pairs = |pairs: &mut dyn Iterator<Item = (&'static str, &'static str)>| -> Vec<Value> {
                pairs.map(|(name, about)| json!({ "name": name, "about": about })).collect()
            };
            json!({
                "columns": pairs(&mut reference::result_columns()), "statistics": pairs(&mut reference::statistics()),
            })
            .to_string()
        }
    };
    answer(&text)
}

fn keys_json(keys: &[Key]) -> Vec<Value> {
    keys.iter().map(|key| json!({ "key": key.name, "holds": key.holds, "about": key.about })).collect()
}

fn columns_json(file: &str, columns: &[Column]) -> Value {
    let columns: Vec<Value> = columns
        .iter()
        .map(|column| {
            json!({ "name": column.name, "holds": holds(&column.kind), "required": column.required, "about": column.about })
        })
        .collect();
    json!({ "file": file, "columns": columns })
}

fn keys_text(keys: &[Key]) -> String {
    keys.iter().map(|key| format!("  {:<34} {}\n  {:<34}   {}\n", key.name, key.holds, "", key.about)).collect()
}

fn pipeline_text() -> String {
    let mut text = format!("Pipeline file (TOML)\n{}\n", keys_text(reference::PIPELINE_KEYS));
    text.push_str(&keys_text(reference::ANALYSIS_KEYS));
    text.push_str("\nAnalysis kinds\n");
    for kind in reference::kinds() {
        text.push_str(&format!("  {:<20} {}\n  {:<20}   keys: {}\n", kind.name, kind.about, "", kind.keys.join(", ")));
    }
    text.push_str(&format!("\nIntervals\n  {}\n", reference::intervals().join(", ")));
    text.push_str(&format!("\nColumns for where, by, over and adjust\n  {}\n", reference::columns().join(", ")));
    text
}

fn mapping_text() -> String {
    let mut text = "Mapping file (TOML)\n".to_owned();
    for (key, about) in reference::mapping_keys() {
        text.push_str(&format!("  {key:<34} {about}\n"));
    }
    for (file, columns) in reference::canonical() {
        text.push_str(&format!("\nColumns of a {file} (* = required)\n"));
        for column in columns {
            let required = if column.required { "*" } else { " " };
            text.push_str(&format!(
                "  {required} {:<30} {}\n      {}\n",
                column.name,
                column.about,
                holds(&column.kind)
            ));
        }
    }
    text
}

fn results_text() -> String {
    let mut text = "Columns of results.csv\n".to_owned();
    for (name, about) in reference::result_columns() {
        text.push_str(&format!("  {name:<24} {about}\n"));
    }
    text.push_str("\nStatistics\n");
    for (name, about) in reference::statistics() {
        text.push_str(&format!("  {name:<24} {about}\n"));
    }
    text
}

fn holds(kind: &Kind) -> String {
    match kind {
        Kind::Text => "text".to_owned(),
        Kind::Patient => "text; a pseudonym, never shown".to_owned(),
        Kind::Code(codes, _) => codes.join(" | "),
        Kind::CodeList(codes, _) => format!("list, separated by ;: none | {}", codes.join(" | ")),
        Kind::Number { unit, lowest, highest } => format!("number {lowest}–{highest} {unit}"),
        Kind::Integer { unit, lowest, highest } => format!("whole number {lowest}–{highest} {unit}"),
        Kind::Date => "date, 2026-03-02".to_owned(),
        Kind::Fitzpatrick => "I … VI, also 1 … 6 or «type III»".to_owned(),
        Kind::Monk => "1 … 10".to_owned(),
        Kind::SideEffects => "erythema:1:2026-03-02/2026-03-04;pih:2:2026-03-30/".to_owned(),
        Kind::SideEffect => "code or synonym".to_owned(),
        Kind::Grade => "1–5, or mild, moderate, severe, life-threatening, death".to_owned(),
        Kind::Scale => "scale id".to_owned(),
    }
}
