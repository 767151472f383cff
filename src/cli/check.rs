//! `stipple check`.

use super::arguments::{Check, Common};
use super::failure::{FAILED, Failure, UNUSABLE_DATA, WRONG_USE};
use super::watch::Watch;
use super::{access, answer, database_password, plain_table, settled};
use crate::bucket::Access;
use crate::domain::amount;
use crate::pipeline::Source;
use crate::pipeline::check::{self, Checked, Consequence, RuleCount};
use crate::pipeline::listing::RuleTally;
use crate::pipeline::settle::{Choice, Named};
use comfy_table::CellAlignment;
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn check(command: &Check, common: &Common) -> Result<(), Failure> {
    let watch = Watch::new(common);
    let (checked, gate) = match command.inputs.as_slice() {
        [only] if only.ends_with(".toml") => {
            let pipeline = settled(Path::new(only), Choice::default())?;
            if let Some(store) = &pipeline.store {
                let message = format!("the pipeline reads the store {}", store.home.shown().display());
                let hint = "rows were checked when they were ingested: `stipple store history` counts them";
                return Err(Failure::new(WRONG_USE, message, hint));
            }
            (check::pipeline(&pipeline, &watch)?, pipeline.gates.max_rejected)
        }
        logs => {
            let named = Named { logs, events: &command.events, assessments: &command.assessments };
            (check::logs(source((command.mapping.as_deref(), named), &access())?, &watch)?, None)
        }
    };
    watch.done();
    answer(&if common.json { as_json(&checked) } else { as_text(&checked) })?;
    let judged = judged(&checked, gate);
    if let Some(file) = &command.rejects {
        let written = checked.loaded.rejections.csv().and_then(|bytes| std::fs::write(file, bytes));
        written.map_err(|error| {
            Failure::new(FAILED, format!("cannot write {}: {error}", file.display()), "check the path")
        })?;
    }
    judged
}

/// What the command line names, with its mapping.
pub(super) fn source((mapping, named): (Option<&Path>, Named<'_>), access: &Access) -> Result<Source, Failure> {
    let mapping = match mapping {
        Some(path) => crate::pipeline::settle::mapping(path)?,
        None => Default::default(),
    };
    let mut source = Source::find_with(Path::new(""), named, (mapping, access)).map_err(|(_, unfound)| unfound)?;
    if let Some(password) = database_password() {
        source.give_password(&password);
    }
    Ok(source)
}

/// Nothing accepted, or a gate not met, is an answer and a failure.
fn judged(checked: &Checked, max_rejected: Option<f64>) -> Result<(), Failure> {
    let totals = checked.totals;
    if checked.loaded.table.is_empty() {
        let message = format!("no session was accepted ({} read)", amount::of(totals.read, "row"));
        return Err(Failure::new(UNUSABLE_DATA, message, "correct the rows listed, or write a mapping file"));
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    let rejected = totals.rejected as f64 / (totals.read.max(1)) as f64;
    match max_rejected {
        Some(limit) if rejected > limit => Err(Failure::new(
            UNUSABLE_DATA,
            format!("the quality gate max_rejected = {limit} was not met: {:.1} % were rejected", rejected * 100.0),
            "correct the rows listed",
        )),
        _ => Ok(()),
    }
}

fn as_json(checked: &Checked) -> String {
    let totals = checked.totals;
    let inputs = checked.loaded.inputs.iter().map(|input| {
        let left_out = input.left_out.iter().map(|left| json!({ "what": left.what, "records": left.records }));
        json!({
            "path": input.name, "role": input.role.name(), "bytes": input.bytes, "blake3": input.blake3,
            "read_rows": input.read, "accepted_rows": input.accepted, "rejected_rows": input.rejected,
            "superseded_rows": input.superseded, "filtered_rows": input.filtered,
            "ignored_columns": input.ignored, "left_out": left_out.collect::<Vec<_>>(),
        })
    });
    let rules = checked.rules.iter().map(|rule| (consequence(rule), rule.rule, &rule.tally));
    let skipped = checked.skipped.iter().map(|skipped| json!({ "path": skipped.name, "why": skipped.why }));
    json!({
        "read_rows": totals.read, "accepted_rows": totals.accepted, "rejected_rows": totals.rejected,
        "superseded_rows": totals.superseded, "filtered_rows": totals.filtered,
        "sessions": checked.loaded.table.len(),
        "skipped_files": skipped.collect::<Vec<_>>(), "inputs": inputs.collect::<Vec<_>>(), "rules": rules_json(rules),
    })
    .to_string()
}

fn consequence(rule: &RuleCount) -> &'static str {
    match rule.consequence {
        Consequence::Rejected => "rejected",
        Consequence::Warned => "warning",
    }
}

/// Rules, each as (what became of the rows, its id, how many and the first of them).
pub(super) fn rules_json<'a>(rules: impl Iterator<Item = (&'a str, &'a str, &'a RuleTally)>) -> Value {
    let rule = |(consequence, rule, tally): (&str, &str, &RuleTally)| {
        let examples = tally.examples.iter().map(|example| {
            json!({
                "file": example.file, "line": example.place.line, "record": example.place.record,
                "column": example.column, "hint": example.hint,
            })
        });
        json!({
            "rule": rule, "consequence": consequence, "count": tally.count, "examples": examples.collect::<Vec<_>>(),
        })
    };
    rules.map(rule).collect()
}

/// A rule, how many rows it concerned, and the first of them with place and remedy.
pub(super) fn rule_text(consequence: &str, rule: &str, tally: &RuleTally) -> String {
    let mut text = format!("\n{:>8}  {consequence}: {rule}\n", tally.count);
    for example in &tally.examples {
        let column = if example.column.is_empty() { String::new() } else { format!(" {}", example.column) };
        text.push_str(&format!("          {}:{}{column}: {}\n", example.file, example.place.line, example.hint));
    }
    text
}

fn as_text(checked: &Checked) -> String {
    let mut files = plain_table(&["File", "Read", "Accepted", "Rejected", "Superseded"]);
    for input in &checked.loaded.inputs {
        let counts = [input.read, input.accepted, input.rejected, input.superseded].map(|count| count.to_string());
        files.add_row([std::slice::from_ref(&input.name), &counts].concat());
    }
    for column in 1..5 {
        if let Some(column) = files.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let totals = checked.totals;
    let mut text = format!(
        "{files}\n\n{} rows read = {} accepted + {} rejected + {} superseded\n",
        totals.read, totals.accepted, totals.rejected, totals.superseded
    );
    if totals.filtered > 0 {
        text.push_str(&format!("{} more rows were left out\n", totals.filtered));
    }
    for input in &checked.loaded.inputs {
        let left_out = input.left_out.iter().map(|left| (left.what.as_str(), left.records));
        text.push_str(&left_out_text((&input.name, input.role.name()), input.filtered, left_out));
    }
    if !checked.skipped.is_empty() {
        let names: Vec<String> =
            checked.skipped.iter().map(|skipped| format!("{} ({})", skipped.name, skipped.why)).collect();
        text.push_str(&format!("\nSkipped: {}\n", names.join(", ")));
    }
    for input in checked.loaded.inputs.iter().filter(|input| !input.ignored.is_empty()) {
        text.push_str(&format!(
            "\nColumns of {} that nothing maps, not read: {}\n",
            input.name,
            input.ignored.join(", ")
        ));
    }
    for rule in &checked.rules {
        text.push_str(&rule_text(consequence(rule), rule.rule, &rule.tally));
    }
    text
}

/// What a file, named with its role, holds besides its own kind of rows; `filtered` counts all of that.
pub(super) fn left_out_text<'a>(
    (name, role): (&str, &str),
    filtered: u64,
    left_out: impl Iterator<Item = (&'a str, u64)>,
) -> String {
    let mut told: Vec<(&str, u64)> = left_out.collect();
    let by_filter = filtered.saturating_sub(told.iter().map(|(_, records)| records).sum());
    if by_filter > 0 {
        told.push(("by the mapping's row filter", by_filter));
    }
    if told.is_empty() {
        return String::new();
    }
    let words = told.iter().map(|(what, records)| match records {
        0 => (*what).to_owned(),
        _ => format!("{} {what}", amount::whole(*records)),
    });
    format!("\nLeft out of {name} ({role}):\n  {}\n", words.collect::<Vec<_>>().join("\n  "))
}
