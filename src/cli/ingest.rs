//! `stipple ingest`.

use super::arguments::{Common, Ingest};
use super::failure::{Failure, UNUSABLE_DATA};
use super::watch::Watch;
use super::{access, answer, check, key, plain_table, since_1970, tell_of_interrupts, tell_of_the_future};
use crate::pipeline::listing::RuleTally;
use crate::pipeline::settle::Named;
use crate::pipeline::take_in::{TakeIn, TakenIn, take_in};
use crate::store::lake::{Author, Home, IngestedFile, Store};
use comfy_table::CellAlignment;
use serde_json::json;
use std::collections::BTreeMap;
use std::path::Path;

pub(super) fn ingest(command: &Ingest, common: &Common) -> Result<(), Failure> {
    let access = access();
    let home = Home::at(&command.store, &access)?;
    let watch = Watch::new(common);
    let named = Named { logs: &command.logs, events: &command.events, assessments: &command.assessments };
    let source = check::source((command.mapping.as_deref(), named), &access)?;
    let mapping_hash = match &command.mapping {
        Some(path) => blake3::hash(&std::fs::read(path).unwrap_or_default()).to_hex().to_string(),
        None => String::new(),
    };
    if !common.quiet {
        source.skipped.iter().for_each(|skipped| eprintln!("skipped: {} ({})", skipped.name, skipped.why));
    }
    let found = key::find(&home, command.key.as_deref(), common.quiet)?;
    let author = author(command.by.as_deref());
    tell_of_interrupts();
    if !common.quiet && Store::is_locked(&home) {
        eprintln!("waiting for another process that writes to {}", command.store.display());
    }
    let request = TakeIn {
        store: &home,
        source: &source,
        source_name: command.source.as_deref(),
        mapping_hash: &mapping_hash,
        keys: &found.keys,
        again: command.again,
        memory: common.memory,
        author: &author,
    };
    let taken = take_in(&request, &watch)?;
    watch.done();
    if !common.quiet {
        tell_of_the_future(taken.newest_day);
    }
    answer(&if common.json { as_json(&taken, &command.store) } else { as_text(&taken, &command.store) })?;
    let refused = |file: &IngestedFile| file.rejected == file.read && file.read > 0;
    if !taken.files.is_empty() && taken.files.iter().all(refused) {
        let message = "every row was refused; the store keeps the list of them in its table rejects";
        return Err(Failure::new(UNUSABLE_DATA, message, "`stipple check` with the same files says where and why"));
    }
    Ok(())
}

/// Who writes, and when: the one place where the store's clock is read.
pub(super) fn author(told: Option<&str>) -> Author {
    let variable = |names: &[&str]| names.iter().find_map(|name| std::env::var(name).ok());
    let by = told.map(str::to_owned).unwrap_or_else(|| {
        let user = variable(&["USER", "LOGNAME", "USERNAME"]).unwrap_or_else(|| "somebody".to_owned());
        let machine = variable(&["HOSTNAME", "COMPUTERNAME"])
            .or_else(|| std::fs::read_to_string("/etc/hostname").ok().map(|name| name.trim().to_owned()));
        machine.map_or_else(|| user.clone(), |machine| format!("{user}@{machine}"))
    });
    let at_ms = i64::try_from(since_1970().as_millis()).unwrap_or(0);
    Author { by, at_ms }
}

type Rules = BTreeMap<String, RuleTally>;

/// Rules with what became of the rows that they spoke of.
fn rules<'a>(consequence: &'a str, rules: &'a Rules) -> impl Iterator<Item = (&'a str, &'a str, &'a RuleTally)> {
    rules.iter().map(move |(rule, tally)| (consequence, rule.as_str(), tally))
}

fn as_json(taken: &TakenIn, store: &Path) -> String {
    let files = taken.files.iter().map(|file| {
        let left_out = file.left_out.iter().map(|(what, records)| json!({ "what": what, "records": records }));
        json!({
            "path": file.name, "role": file.role, "source": file.source, "bytes": file.bytes, "blake3": file.blake3,
            "read_rows": file.read, "accepted_rows": file.accepted, "rejected_rows": file.rejected,
            "superseded_rows": file.superseded, "filtered_rows": file.filtered, "ignored_columns": file.ignored,
            "left_out": left_out.collect::<Vec<_>>(),
        })
    });
    let known = taken.known.iter().map(|(path, version)| json!({ "path": path, "version": version }));
    let counts = taken.counts;
    let by_rule = |rules: &Rules| -> serde_json::Map<String, serde_json::Value> {
        rules.iter().map(|(rule, tally)| (rule.clone(), json!(tally.count))).collect()
    };
    json!({
        "store": store.display().to_string(),
        "version": taken.version,
        "files": files.collect::<Vec<_>>(),
        "already_there": known.collect::<Vec<_>>(),
        "new_sessions": counts.new_sessions, "amended_sessions": counts.amended_sessions,
        "sessions": counts.sessions, "events": counts.events, "pending_events": counts.pending,
        "assessments": counts.assessments,
        "rejected": by_rule(&taken.refusals), "warnings": by_rule(&taken.warnings),
        "rules": check::rules_json(rules("rejected", &taken.refusals).chain(rules("warning", &taken.warnings))),
    })
    .to_string()
}

fn as_text(taken: &TakenIn, store: &Path) -> String {
    let mut text = String::new();
    for (file, version) in &taken.known {
        text.push_str(&format!("{file} is in the store already, since version {version}\n"));
    }
    if !taken.known.is_empty() {
        text.push_str("What came later stands; to read such a file as the newest, give --again\n");
    }
    let Some(version) = taken.version else {
        text.push_str("nothing new; the store is as it was");
        return text;
    };
    let mut files = plain_table(&["File", "Read", "Accepted", "Rejected", "Superseded"]);
    for file in &taken.files {
        let counts = [file.read, file.accepted, file.rejected, file.superseded].map(|count| count.to_string());
        files.add_row([std::slice::from_ref(&file.name), &counts].concat());
    }
    for column in 1..5 {
        if let Some(column) = files.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    let counts = taken.counts;
    text.push_str(&format!(
        "{files}\n\n{} is at version {version}: {} sessions ({} new, {} amended), {} events ({} pending), {} assessments\n",
        store.display(),
        counts.sessions,
        counts.new_sessions,
        counts.amended_sessions,
        counts.events,
        counts.pending,
        counts.assessments,
    ));
    if taken.every_event_waits() {
        text.push_str(
            "Every event waits for its session. If the sessions have come: --source must name the system they came from\n",
        );
    }
    for (what, rules) in [("rejected", &taken.refusals), ("warning", &taken.warnings)] {
        rules.iter().for_each(|(rule, tally)| text.push_str(&check::rule_text(what, rule, tally)));
    }
    for file in &taken.files {
        let left_out = file.left_out.iter().map(|(what, records)| (what.as_str(), *records));
        text.push_str(&check::left_out_text((&file.name, &file.role), file.filtered, left_out));
    }
    for file in taken.files.iter().filter(|file| !file.ignored.is_empty()) {
        text.push_str(&format!("Columns of {} that nothing maps, not kept: {}\n", file.name, file.ignored.join(", ")));
    }
    text
}
