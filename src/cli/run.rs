//! `stipple run`.

use super::arguments::{Common, Run};
use super::failure::{FAILED, Failure, WRONG_USE};
use super::watch::Watch;
use super::{answer, settled, since_1970, tell_of_the_future};
use crate::pipeline::publish::check_folder;
use crate::pipeline::settle::{AsOf, Choice};
use crate::pipeline::{Staged, explain, produce, stage};
use serde_json::json;
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// The folder in which files are written before they are put in place; an interrupt removes it.
static STAGING: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Exit code of a program that was interrupted, by custom.
pub(super) const INTERRUPTED: i32 = 130;

pub(super) fn run(command: &Run, common: &Common) -> Result<(), Failure> {
    let watch = Watch::new(common);
    leave_nothing_half();
    let as_of = command.as_of.as_deref().map(as_of).transpose()?;
    let mut pipeline = settled(&command.pipeline, Choice { store: command.store.as_deref(), as_of, access: None })?;
    pipeline.memory = common.memory;
    if command.explain {
        let explanation = explain(&pipeline)?;
        return answer(&if common.json { json!(explanation).to_string() } else { explanation.text() });
    }
    let out = command.out.clone().unwrap_or_else(|| Path::new("reports").join(&pipeline.id));
    check_folder(&out)?;
    if !common.quiet {
        let skipped = pipeline.sources.iter().flat_map(|source| &source.skipped);
        skipped.for_each(|skipped| eprintln!("skipped: {} ({})", skipped.name, skipped.why));
    }
    let product = produce(&pipeline, &watch)?;
    let run = json!({
        "finished": since_1970().as_secs(),
        "seconds": watch.timings(),
        "peak_memory_bytes": watch.peaks(),
        "threads": rayon::current_num_threads(),
        "out": out.display().to_string(),
    });
    let staged = stage(&product, &out, run)?;
    if let Ok(mut staging) = STAGING.lock() {
        *staging = Some(staged.folder().to_owned());
    }
    put_in_place(staged)?;
    watch.done();
    if !common.quiet && pipeline.data_cut.is_none() {
        tell_of_the_future(Some(product.data_cut));
    }
    let totals = product.totals;
    if common.json {
        let text = json!({
            "report": out.join("index.html").display().to_string(),
            "out": out.display().to_string(),
            "read_rows": totals.read,
            "accepted_rows": totals.accepted,
            "rejected_rows": totals.rejected,
            "superseded_rows": totals.superseded,
            "analysed_sessions": product.analysed_sessions,
            "result_rows": product.result_rows,
            "seconds": watch.seconds(),
        });
        return answer(&text.to_string());
    }
    answer(&out.join("index.html").display().to_string())?;
    if !common.quiet {
        eprintln!(
            "{} rows read = {} accepted + {} rejected + {} superseded; {} sessions analysed; {} numbers; {:.2} s",
            totals.read,
            totals.accepted,
            totals.rejected,
            totals.superseded,
            product.analysed_sessions,
            product.result_rows,
            watch.seconds()
        );
    }
    Ok(())
}

fn as_of(text: &str) -> Result<AsOf, Failure> {
    AsOf::parse(text).ok_or_else(|| {
        let message = format!("--as-of {text} is neither a version nor a day");
        Failure::new(WRONG_USE, message, "write 17 or 2026-03-31; `stipple store history STORE` lists the versions")
    })
}

/// The swap of the earlier report for the new one is not interrupted: the handler waits for the lock.
fn put_in_place(staged: Staged) -> Result<(), Failure> {
    let mut staging = STAGING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    staged.put_in_place()?;
    *staging = None;
    Ok(())
}

/// On Ctrl-C the half-written folder goes; the earlier report is as it was.
fn leave_nothing_half() {
    let handler = ctrlc::set_handler(|| {
        let staging = STAGING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(folder) = staging.as_ref() {
            let _ = std::fs::remove_dir_all(folder);
        }
        eprintln!("interrupted; the earlier report, if there was one, is as it was");
        std::process::exit(INTERRUPTED);
    });
    if let Err(error) = handler {
        Failure::new(FAILED, format!("cannot watch for Ctrl-C: {error}"), "").tell();
    }
}
