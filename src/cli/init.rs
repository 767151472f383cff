//! `stipple init`.

use super::arguments::{Common, Init};
use super::failure::{Failure, WRONG_USE};
use super::{access, answer};
use crate::pipeline::init::{self, FileSummary, Found, Inputs, MAPPING_FILE, PIPELINE_FILE, Trial};
use serde_json::{Value, json};
use std::path::Path;

/// Rules that are told of each file.
const SHOWN_RULES: usize = 5;

pub(super) fn init(command: &Init, common: &Common) -> Result<(), Failure> {
    init::check_new(&command.dir)?;
    let Some(log) = &command.from else {
        init::write(&command.dir, &init::example())?;
        return answer(&if common.json { written_json(command, None) } else { written_text(command, None) });
    };
    for path in [Some(log), command.events.as_ref(), command.assessments.as_ref()].into_iter().flatten() {
        if Path::new(path).is_dir() {
            let hint = format!("name one of its files, such as {path}/january.csv");
            return Err(Failure::new(WRONG_USE, format!("{path} is a folder"), hint));
        }
    }
    let (events, assessments) = (command.events.as_deref(), command.assessments.as_deref());
    let access = access();
    let inputs = Inputs { log, events, assessments, access: &access };
    let (start, found) = init::from_files(&command.dir, inputs)?;
    init::write(&command.dir, &start)?;
    answer(&if common.json { written_json(command, Some(&found)) } else { written_text(command, Some(&found)) })
}

fn paths(command: &Init) -> [String; 2] {
    [PIPELINE_FILE, MAPPING_FILE].map(|name| command.dir.join(name).display().to_string())
}

fn written_json(command: &Init, found: Option<&Found>) -> String {
    let [pipeline, mapping] = paths(command);
    let files = found.iter().flat_map(|found| found.files.iter().zip(&found.trials));
    let files: Vec<Value> = files.map(|(file, trial)| file_json(file, trial)).collect();
    json!({ "pipeline": pipeline, "mapping": mapping, "files": files }).to_string()
}

fn file_json(file: &FileSummary, trial: &Trial) -> Value {
    let unsure: Vec<Value> = file.unsure.iter().map(|(column, why)| json!({ "column": column, "why": why })).collect();
    let refused: Vec<Value> = trial
        .refused
        .iter()
        .map(|(rule, column, count)| json!({ "rule": rule, "column": column, "count": count }))
        .collect();
    json!({
        "file": file.file, "kind": file.table.label(), "records": file.records, "sure": file.sure, "unsure": unsure,
        "missing": file.missing, "not_used": file.unused, "identifying": file.identifying, "to_say": file.open,
        "unknown_values": file.unknown_values,
        "check": {
            "read_rows": trial.read, "accepted_rows": trial.accepted, "once_missing_are_filled_in": trial.with_stand_ins,
            "refused": refused,
        },
    })
}

fn written_text(command: &Init, found: Option<&Found>) -> String {
    let [pipeline, mapping] = paths(command);
    let Some(found) = found else {
        return format!(
            "{pipeline}\n{mapping}\n\nPut the name of your log into {PIPELINE_FILE}; or propose a mapping from the log itself: stipple init DIR --from LOG\n"
        );
    };
    let mut text = format!("{pipeline}\n{mapping}\n");
    for (file, trial) in found.files.iter().zip(&found.trials) {
        text.push_str(&format!("\n{} ({}, {} records looked at)\n", file.file, file.table.label(), file.records));
        text.push_str(&file_text(file));
        text.push_str(&trial_text(trial));
    }
    text.push_str(&format!("\nNext: read {mapping}, then `stipple check {pipeline}`\n"));
    text
}

fn file_text(file: &FileSummary) -> String {
    let unsure: Vec<&str> = file.unsure.iter().map(|(column, _)| *column).collect();
    let mut text = format!("  sure      {:>3}\n", file.sure.len());
    text.push_str(&counted("unsure", &unsure));
    text.push_str(&counted("missing", &file.missing));
    text.push_str(&counted("not used", &file.unused));
    if !file.identifying.is_empty() {
        text.push_str(&format!(
            "  identify people, better leave them out of the file: {}\n",
            file.identifying.join(", ")
        ));
    }
    if file.unknown_values > 0 {
        text.push_str(&format!("  values or terms whose meaning is not known: {}\n", file.unknown_values));
    }
    file.open.iter().for_each(|open| text.push_str(&format!("  for you to say: {open}\n")));
    text
}

fn counted(what: &str, names: &[impl AsRef<str>]) -> String {
    let list: Vec<&str> = names.iter().map(AsRef::as_ref).collect();
    let line = format!("  {what:<9} {:>3}  {}", names.len(), list.join(", "));
    format!("{}\n", line.trim_end())
}

fn trial_text(trial: &Trial) -> String {
    let condition = if trial.with_stand_ins { ", once what is missing is filled in" } else { "" };
    let mut text = format!("  check: {} of {} rows would be accepted{condition}\n", trial.accepted, trial.read);
    for (rule, column, count) in trial.refused.iter().take(SHOWN_RULES) {
        let column = if column.is_empty() { String::new() } else { format!(" ({column})") };
        text.push_str(&format!("    {count} refused: {rule}{column}\n"));
    }
    text
}
