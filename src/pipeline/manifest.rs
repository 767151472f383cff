//! `manifest.json`: what the report was made from. No clock in anything that is compared; timings stand in `run`.

use super::produce::OutputFile;
use super::settle::Pipeline;
use super::tally::{InputTally, Totals};
use crate::domain::Day;
use serde_json::{Map, Value, json};

/// The manifest without its `run` section.
#[must_use]
pub fn of(pipeline: &Pipeline, inputs: &[InputTally], (data_cut, files): (Day, &[OutputFile])) -> Map<String, Value> {
    let totals = Totals::of(inputs.iter());
    let listed: Vec<Value> = inputs.iter().map(input).collect();
    let outputs: Map<String, Value> =
        files.iter().map(|file| (file.path.clone(), json!(blake3::hash(&file.bytes).to_hex().to_string()))).collect();
    let manifest = json!({
        "program": "stipple",
        "version": env!("CARGO_PKG_VERSION"),
        "pipeline": {
            "id": pipeline.id,
            "blake3": blake3::hash(pipeline.text.as_bytes()).to_hex().to_string(),
            "text": pipeline.text,
        },
        "data_cut": data_cut.to_string(),
        "store_version": null,
        "seed": null,
        "release_profile": pipeline.policy.profile.name(),
        "read_rows": totals.read,
        "accepted_rows": totals.accepted,
        "rejected_rows": totals.rejected,
        "superseded_rows": totals.superseded,
        "filtered_rows": totals.filtered,
        "inputs": listed,
        "input_blake3": input_hash(inputs),
        "outputs": outputs,
    });
    match manifest {
        Value::Object(manifest) => manifest,
        _ => Map::new(),
    }
}

fn input(input: &InputTally) -> Value {
    let mut told = json!({
        "path": input.name,
        "role": input.role.name(),
        "bytes": input.bytes,
        "blake3": input.blake3,
        "read_rows": input.read,
        "accepted_rows": input.accepted,
        "rejected_rows": input.rejected,
        "superseded_rows": input.superseded,
        "filtered_rows": input.filtered,
        "ignored_columns": input.ignored,
    });
    if !input.unread_sheets.is_empty() {
        told["unread_sheets"] = json!(input.unread_sheets);
    }
    told
}

/// One hash over the hashes of all inputs, in the order of reading.
#[must_use]
pub fn input_hash(inputs: &[InputTally]) -> String {
    let mut hasher = blake3::Hasher::new();
    for input in inputs {
        hasher.update(input.blake3.as_bytes());
    }
    hasher.finalize().to_hex().to_string()
}
