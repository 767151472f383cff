//! `stipple store`.

use super::answer;
use super::arguments::{Common, StoreCommand};
use super::failure::Failure;
use crate::store::lake::{Batch, Store};
use comfy_table::{CellAlignment, ContentArrangement, Table, presets};
use serde_json::{Value, json};
use std::path::Path;

pub(super) fn store(command: &StoreCommand, common: &Common) -> Result<(), Failure> {
    match command {
        StoreCommand::History { store, .. } => history(store, common),
        _ => Ok(()),
    }
}

fn history(folder: &Path, common: &Common) -> Result<(), Failure> {
    let store = Store::open(folder)?;
    let batches = store.batches()?;
    if common.json {
        let versions: Vec<Value> = batches.iter().map(as_json).collect();
        return answer(&json!({ "store": folder.display().to_string(), "versions": versions }).to_string());
    }
    answer(&as_text(&batches))
}

fn moment(at_ms: i64) -> String {
    chrono::DateTime::from_timestamp_millis(at_ms).unwrap_or_default().format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn as_json(batch: &Batch) -> Value {
    let [read, accepted, rejected, superseded] = batch.rows();
    json!({
        "version": batch.version, "kind": batch.kind.name(), "at": moment(batch.at_ms), "by": batch.by,
        "program": batch.program, "read_rows": read, "accepted_rows": accepted, "rejected_rows": rejected,
        "superseded_rows": superseded, "new_sessions": batch.counts.new_sessions,
        "amended_sessions": batch.counts.amended_sessions, "sessions": batch.counts.sessions,
        "events": batch.counts.events, "pending_events": batch.counts.pending,
        "joined_late": batch.counts.joined_late, "assessments": batch.counts.assessments,
        "files": batch.files, "tables": batch.tables, "warnings": batch.warnings,
    })
}

fn as_text(batches: &[Batch]) -> String {
    let mut table = Table::new();
    *table.style_mut() = presets::NOTHING;
    table.set_content_arrangement(ContentArrangement::Dynamic);
    let header =
        ["Version", "When (UTC)", "Who", "What", "Read", "Accepted", "Rejected", "Superseded", "Sessions", "Pending"];
    table.set_header(header.to_vec());
    for batch in batches {
        let files: Vec<&str> = batch.files.iter().map(|file| file.name.as_str()).collect();
        let what = if files.is_empty() { batch.kind.name().to_owned() } else { files.join("\n") };
        let rows = batch.rows().map(|count| count.to_string());
        let mut cells = vec![batch.version.to_string(), moment(batch.at_ms), batch.by.clone(), what];
        cells.extend(rows);
        cells.extend([batch.counts.sessions.to_string(), batch.counts.pending.to_string()]);
        table.add_row(cells);
    }
    for column in [0, 4, 5, 6, 7, 8, 9] {
        if let Some(column) = table.column_mut(column) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
    table.to_string()
}
