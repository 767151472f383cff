//! `stipple simulate`.

use super::arguments::{Common, Simulate};
use super::failure::{FAILED, Failure};
use super::{answer, watch::Watch};
use crate::simulate;
use serde_json::json;

pub(super) fn simulate(command: &Simulate, common: &Common) -> Result<(), Failure> {
    let watch = Watch::new(common);
    let failed = |error: std::io::Error| {
        let message = format!("cannot write into {}: {error}", command.out.display());
        Failure::new(FAILED, message, "check the path, the space and the permissions")
    };
    let (Some(sessions), Some(seed)) = (command.sessions, command.seed) else {
        simulate::write_sample_data(&command.out).map_err(failed)?;
        return answer(&command.out.display().to_string());
    };
    let mut plan = simulate::Plan::new(sessions, seed);
    plan.messy = command.messy;
    let summary = simulate::simulate_into(&plan, &command.out).map_err(failed)?;
    if common.json {
        return answer(&json!({ "out": command.out.display().to_string(), "session_rows": summary.session_rows, "event_rows": summary.event_rows, "assessment_rows": summary.assessment_rows }).to_string());
    }
    answer(&command.out.display().to_string())?;
    if !common.quiet {
        eprintln!("{sessions} sessions, seed {seed}, {:.2} s", watch.seconds());
    }
    Ok(())
}
