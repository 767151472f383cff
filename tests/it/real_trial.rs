//! A real trial with skin reactions, in the place where developers keep it; skipped, with the reason printed, where it
//! is absent.

use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use stipple::domain::{Catalogue, Event, FileId, Session};
use stipple::ingest::{self, RawBatch};
use stipple::pipeline::{Unwatched, produce, settle};
use stipple::validate::{EventJudge, Judged, Mapping, SessionJudge, Table};

/// The same datasets, as the sponsor published them: CSV, Dataset-JSON of both kinds, SAS transport.
const FORMATS: [&str; 4] = ["csv", "json", "ndjson", "xpt"];

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
    let expected = [
        ("device_model=Placebo", "29", "86"),
        ("device_model=Xanomeline High Dose", "61", "84"),
        ("device_model=Xanomeline Low Dose", "62", "84"),
    ];
    let expected = expected.map(|(arm, n, all)| (arm.to_owned(), n.to_owned(), all.to_owned()));
    for format in FORMATS {
        assert_eq!(affected(&trial, format), expected, "{format}");
        println!("{format}: 29 of 86, 61 of 84, 62 of 84");
    }
}

/// Group, numerator and denominator of the rates.
fn affected(trial: &Path, format: &str) -> Vec<(String, String, String)> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trial.toml");
    let mapping = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines/cdisc_pilot.mapping.toml");
    let text = format!(
        r#"
version = 1
id = "trial"
[source]
logs = ["{trial}/adsl.{format}"]
events = ["{trial}/adae.{format}"]
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
    found
}

fn mapping() -> Mapping {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("pipelines/cdisc_pilot.mapping.toml");
    Mapping::from_toml(&fs::read_to_string(path).unwrap(), "cdisc_pilot.mapping.toml").unwrap()
}

/// A file judged whole: rows read and left out by the filter, and those that stand.
fn judged<T>(
    path: &Path,
    table: Table,
    judge: impl Fn(&[String], &Mapping, &Catalogue, &RawBatch) -> Judged<T>,
) -> (u64, u64, Vec<T>) {
    let mapping = mapping();
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    let mut reader = ingest::open(path, FileId(0), &mapping.read_options(table)).unwrap();
    let header = reader.header().to_vec();
    let (mut read, mut filtered, mut accepted) = (0, 0, Vec::new());
    while let Some(batch) = reader.next_batch().unwrap() {
        let judged = judge(&header, &mapping, &catalogue, &batch);
        assert_eq!(judged.rejected.len(), 0, "{}: {:?}", path.display(), judged.rejected.first());
        read += judged.read;
        filtered += judged.filtered;
        accepted.extend(judged.accepted.into_iter().map(|row| row.value));
    }
    (read, filtered, accepted)
}

fn same<T: Debug + PartialEq>(format: &str, got: &(u64, u64, Vec<T>), wanted: &(u64, u64, Vec<T>)) {
    assert_eq!((got.0, got.1, got.2.len()), (wanted.0, wanted.1, wanted.2.len()), "{format}");
    for (got, wanted) in got.2.iter().zip(&wanted.2) {
        assert_eq!(got, wanted, "{format}");
    }
}

/// Every accepted session and event, field by field.
#[test]
fn every_format_of_the_trial_says_the_same() {
    let Some(trial) = trial() else { return };
    let sessions = |format: &str| -> (u64, u64, Vec<Session>) {
        judged(&trial.join("adsl").with_extension(format), Table::Sessions, |header, mapping, catalogue, batch| {
            SessionJudge::new(header, mapping, catalogue).unwrap().judge(batch)
        })
    };
    let events = |format: &str| -> (u64, u64, Vec<Event>) {
        judged(&trial.join("adae").with_extension(format), Table::Events, |header, mapping, catalogue, batch| {
            EventJudge::new(header, mapping, catalogue).unwrap().judge(batch)
        })
    };
    let (wanted_sessions, wanted_events) = (sessions("csv"), events("csv"));
    assert_eq!((wanted_sessions.2.len(), wanted_events.0, wanted_events.1), (254, 476, 715));
    for format in &FORMATS[1..] {
        same(format, &sessions(format), &wanted_sessions);
        same(format, &events(format), &wanted_events);
        println!("{format}: 254 sessions and 476 events as in the CSV, field by field");
    }
}

/// Every field of every row, mapped or not: 49 columns of 254 subjects and 55 of 1191 events.
#[test]
fn every_field_of_the_trial_is_the_same_text() {
    let Some(trial) = trial() else { return };
    let table = |name: &str, format: &str| -> Vec<Vec<String>> {
        let options = mapping().read_options(Table::Sessions);
        let path = trial.join(name).with_extension(format);
        let mut reader = ingest::open(&path, FileId(0), &options).unwrap();
        let mut rows = vec![reader.header().to_vec()];
        while let Some(batch) = reader.next_batch().unwrap() {
            rows.extend(batch.records().map(|record| record.fields().map(|field| field.trim().to_owned()).collect()));
        }
        rows
    };
    for name in ["adsl", "adae"] {
        let wanted = table(name, "csv");
        for format in &FORMATS[1..] {
            let got = table(name, format);
            assert_eq!(got.len(), wanted.len(), "{name}.{format}");
            for (line, (got, wanted)) in got.iter().zip(&wanted).enumerate() {
                assert_eq!(got, wanted, "{name}.{format}, row {line}");
            }
        }
    }
}
