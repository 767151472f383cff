//! `stipple diff`.

use super::arguments::{Common, Diff};
use super::failure::Failure;
use super::{answer, plain_table};
use crate::domain::amount;
use crate::pipeline::diff::{RunDiff, diff};
use crate::results::diff::{Changed, Entry};
use serde_json::{Map, Value, json};

/// Rows of each kind that are listed, unless all are asked for.
const LISTED: usize = 50;

pub(super) fn diff_runs(command: &Diff, common: &Common) -> Result<(), Failure> {
    let found = diff(&command.run_a, &command.run_b, command.tolerance)?;
    answer(&if common.json { as_json(&found) } else { as_text(command, &found) })
}

fn as_json(found: &RunDiff) -> String {
    let aspects = found.aspects.iter().map(|aspect| {
        let said = |text: &str| if text.is_empty() { Value::Null } else { json!(text) };
        (aspect.name.to_owned(), json!({ "a": said(&aspect.before), "b": said(&aspect.after) }))
    });
    let entry = |entry: &Entry| json!({ "row_id": entry.row_id, "shown": entry.shown });
    let difference = &found.difference;
    json!({
        "runs": aspects.collect::<Map<String, Value>>(),
        "results_a": found.results[0], "results_b": found.results[1], "same": difference.same,
        "changed": difference.changed.iter().map(changed_json).collect::<Vec<_>>(),
        "appeared": difference.appeared.iter().map(entry).collect::<Vec<_>>(),
        "went": difference.went.iter().map(entry).collect::<Vec<_>>(),
    })
    .to_string()
}

fn changed_json(changed: &Changed) -> Value {
    let cells = changed.cells.iter().map(|cell| (cell.column.clone(), json!({ "a": cell.before, "b": cell.after })));
    json!({
        "row_id": changed.after.row_id, "a": changed.before.shown, "b": changed.after.shown,
        "difference": changed.difference, "columns": cells.collect::<Map<String, Value>>(),
    })
}

fn as_text(command: &Diff, found: &RunDiff) -> String {
    let difference = &found.difference;
    let mut text = format!("A  {}\nB  {}\n\n", command.run_a.display(), command.run_b.display());
    if !found.aspects.is_empty() {
        let mut runs = plain_table(&["Of the run", "A", "B"]);
        for aspect in &found.aspects {
            let said = |text: &str| if text.is_empty() { "–".to_owned() } else { short(text) };
            runs.add_row([aspect.name.to_owned(), said(&aspect.before), said(&aspect.after)]);
        }
        text.push_str(&format!("{runs}\n\n"));
    }
    let [before, after] = found.results.map(|results| amount::of(results as u64, "result"));
    text.push_str(&format!(
        "{before} in A, {after} in B: {} the same, {} changed, {} appeared, {} went\n",
        amount::whole(difference.same as u64),
        amount::whole(difference.changed.len() as u64),
        amount::whole(difference.appeared.len() as u64),
        amount::whole(difference.went.len() as u64),
    ));
    let listed = if command.all { usize::MAX } else { LISTED };
    let mut changed = plain_table(&["Changed", "A", "B", "By"]);
    for row in difference.changed.iter().take(listed) {
        let by = row.shown_difference.clone().unwrap_or_else(|| {
            let columns: Vec<&str> = row.cells.iter().map(|cell| cell.column.as_str()).collect();
            columns.join(", ")
        });
        changed.add_row([&row.after.row_id, &row.before.shown, &row.after.shown, &by]);
    }
    let entries = |title: &str, rows: &[Entry]| {
        let mut entries = plain_table(&[title, ""]);
        rows.iter().take(listed).for_each(|row| {
            entries.add_row([&row.row_id, &row.shown]);
        });
        entries
    };
    let tables = [
        (changed, difference.changed.len()),
        (entries("Appeared in B", &difference.appeared), difference.appeared.len()),
        (entries("Went: only in A", &difference.went), difference.went.len()),
    ];
    for (table, rows) in tables.iter().filter(|(_, rows)| *rows > 0) {
        text.push_str(&format!("\n{table}\n"));
        if *rows > listed {
            text.push_str(&format!(" … and {} more: --all lists them\n", amount::whole((rows - listed) as u64)));
        }
    }
    text
}

/// A hash by its beginning.
fn short(text: &str) -> String {
    let is_hash = text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    if is_hash { format!("{}…", &text[..12]) } else { text.to_owned() }
}
