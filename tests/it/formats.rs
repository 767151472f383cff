//! The same log in every format: whatever lies in `tests/cases/formats` gives the same accepted sessions and the same
//! refused rows. The files were written by other programs (see the README.txt beside them).

use std::fs;
use std::path::{Path, PathBuf};
use stipple::domain::{Asked, Catalogue, FileId, Session};
use stipple::ingest;
use stipple::validate::{Judged, Mapping, SessionJudge, Table, rules};

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/formats")
}

/// Every `sessions.*`, in order; `sessions.csv` is the one that can be read by eye.
fn files() -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| {
            let name = path.file_name().unwrap().to_string_lossy();
            name.starts_with("sessions.") && !name.ends_with(".mapping.toml")
        })
        .collect();
    files.sort();
    files
}

/// The mapping of the file's own (`sessions.xpt.mapping.toml`), or none.
fn mapping(file: &Path) -> Mapping {
    let name = format!("{}.mapping.toml", file.file_name().unwrap().to_string_lossy());
    let text = fs::read_to_string(folder().join(&name)).unwrap_or_default();
    Mapping::from_toml(&text, &name).unwrap()
}

fn judged(file: &Path) -> Judged<Session> {
    let mapping = mapping(file);
    let options = mapping.read_options(Table::Sessions);
    let mut reader = ingest::open(file, FileId(0), &options).unwrap_or_else(|error| panic!("{error}"));
    let judge = SessionJudge::new(reader.header(), &mapping, &Catalogue::built_in())
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let batch = reader.next_batch().unwrap().unwrap();
    assert_eq!(reader.next_batch().unwrap(), None, "{}", file.display());
    let bytes = fs::read(file).unwrap();
    assert_eq!(reader.tally().bytes, bytes.len() as u64, "{}", file.display());
    assert_eq!(reader.tally().records, 10, "{}", file.display());
    assert_eq!(reader.content_hash().unwrap(), blake3::hash(&bytes).to_hex().to_string(), "{}", file.display());
    judge.judge(&batch)
}

#[test]
fn every_format_gives_the_same_sessions_and_the_same_refusals() {
    let wanted: Vec<Session> =
        judged(&folder().join("sessions.csv")).accepted.into_iter().map(|session| session.value).collect();
    let files = files();
    for file in &files {
        let name = file.display();
        let judged = judged(file);
        let refused: Vec<(u64, &str, &str)> = judged
            .rejected
            .iter()
            .map(|row| (row.place.record, row.rule, row.column.as_deref().unwrap_or_default()))
            .collect();
        let expected = [(7, rules::UNKNOWN_CODE, "modality"), (9, rules::OUT_OF_RANGE, "needle_depth_mm")];
        assert_eq!(refused, expected, "{name}");
        assert_eq!(judged.warnings.len(), 0, "{name}: {:?}", judged.warnings);
        let records: Vec<u64> = judged.accepted.iter().map(|session| session.place.record).collect();
        assert_eq!(records, [1, 2, 3, 4, 5, 6, 8, 10], "{name}");
        for (session, wanted) in judged.accepted.iter().zip(&wanted) {
            assert_eq!(&session.value, wanted, "{name}");
        }
        println!("{name}: 8 sessions accepted, 2 rows refused, as in sessions.csv");
    }
    assert!(files.len() >= 3, "{files:?}");
}

#[test]
fn a_file_with_a_signature_is_read_as_what_it_is_and_not_as_it_is_called() {
    let elsewhere = tempfile::tempdir().unwrap();
    let wanted = judged(&folder().join("sessions.csv")).accepted.len();
    for (file, called) in
        [("parquet", "a.xlsx"), ("xlsx", "a.parquet"), ("ods", "a.json"), ("arrow", "a.csv"), ("parquet", "a.txt")]
    {
        let copy = elsewhere.path().join(called);
        fs::copy(folder().join(format!("sessions.{file}")), &copy).unwrap();
        assert_eq!(judged(&copy).accepted.len(), wanted, "{file} as {called}");
    }
}

/// The readable file against values read by eye, so that all formats are not wrong together.
#[test]
fn the_readable_file_says_what_stands_in_it() {
    let sessions = judged(&folder().join("sessions.csv")).accepted;
    let of = |id: &str| &sessions.iter().find(|session| session.value.session_id == id).unwrap().value;
    let first = of("s01");
    assert_eq!((first.patient_id.as_str(), first.clinic_id.as_str()), ("0042", "Zürich"));
    assert_eq!(first.session_date.to_string(), "2026-03-02");
    assert_eq!((first.needle_depth_mm, first.rf_energy_mj, first.age_years), (Some(1.5), None, Some(31)));
    assert_eq!(first.fitzpatrick.unwrap().numeral(), "III");
    assert_eq!(first.device_model.as_deref(), Some("Dermapen, 4"));
    assert!(matches!(&first.side_effects, Asked::Yes(effects) if effects.len() == 2));
    assert_eq!((of("s02").device_model.as_deref(), of("s02").needle_depth_mm), (Some("two lines"), Some(0.1)));
    assert!(matches!(&of("s02").side_effects, Asked::Yes(effects) if effects.is_empty()));
    assert_eq!(of("s03").practitioner_id.as_deref(), Some("Ana \"Nené\" Ruiz"));
    assert_eq!(of("s03").side_effects, Asked::No);
    assert_eq!(of("s04").ita_degrees, Some(41.123_456_789_012));
    assert_eq!(of("s10").device_model.as_deref(), Some("ünï-çødé 😀"));
    assert_eq!((of("s10").age_years, of("s10").pain_vas), (Some(0), None));
}
