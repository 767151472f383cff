//! A real trial with skin reactions, in the place where developers keep it; skipped, with the reason printed, where it
//! is absent.

use std::fs;
use std::path::PathBuf;
use stipple::pipeline::{Unwatched, produce, settle};

fn trial() -> Option<PathBuf> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data/cdisc_pilot");
    if folder.join("adsl.csv").exists() && folder.join("adae.csv").exists() {
        return Some(folder);
    }
    println!("skipped: the trial is not at {}", folder.display());
    None
}

/// Subjects with a treatment-emergent dermatologic event: 29 of 86 on placebo, 61 of 84 on the high dose, 62 of 84 on
/// the low dose (counted in the trial's own data by its analysis flags).
#[test]
fn subjects_with_a_dermatologic_event_by_arm() {
    let Some(trial) = trial() else { return };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trial.toml");
    let mapping = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines/cdisc_pilot.mapping.toml");
    let text = format!(
        r#"
version = 1
id = "trial"
[source]
logs = ["{trial}/adsl.csv"]
events = ["{trial}/adae.csv"]
mapping = "{mapping}"
[cohort]
denominator = "all_sessions"
counted = "patients"
[[analysis]]
id = "dermatologic"
kind = "side_effect_rates"
outcomes = ["dermatologic_event"]
by = ["device_model"]
"#,
        trial = trial.display(),
        mapping = mapping.display()
    );
    fs::write(&file, text).unwrap();
    let product = produce(&settle(&file).unwrap(), &Unwatched).unwrap();
    let results = product.files.iter().find(|file| file.path == "results.csv").unwrap();
    let mut reader = csv::Reader::from_reader(results.bytes.as_slice());
    let header = reader.headers().unwrap().clone();
    let at = |name: &str| header.iter().position(|column| column == name).unwrap();
    let mut found: Vec<(String, String, String)> = reader
        .records()
        .map(Result::unwrap)
        .filter(|row| &row[at("analysis")] == "dermatologic" && &row[at("statistic")] == "rate")
        .map(|row| (row[at("group")].to_owned(), row[at("numerator")].to_owned(), row[at("denominator")].to_owned()))
        .collect();
    found.sort();
    let expected = [
        ("device_model=Placebo", "29", "86"),
        ("device_model=Xanomeline High Dose", "61", "84"),
        ("device_model=Xanomeline Low Dose", "62", "84"),
    ];
    let expected = expected.map(|(arm, n, all)| (arm.to_owned(), n.to_owned(), all.to_owned()));
    assert_eq!(found, expected);
}
