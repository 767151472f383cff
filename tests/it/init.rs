//! `stipple init`: a mapping proposed from a log, judged against mappings written by hand and logs made by hand.

use crate::commands::{code, stipple, text};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use stipple::domain::{Asked, Catalogue, FileId, Session};
use stipple::ingest;
use stipple::validate::{Mapping, SessionJudge, Table};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs `init` on a file; answers what it said and the mapping.
fn proposed(folder: &Path, arguments: &[&str]) -> (String, String) {
    let output = stipple(folder, &[&["init", "start"], arguments].concat());
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    (text(&output.stdout), fs::read_to_string(folder.join("start/mapping.toml")).unwrap())
}

/// `+` a line of the mapping begins so, `-` stands neither there nor in the answer, `=` stands in the answer.
#[test]
fn logs_made_by_hand() {
    let mut cases = 0;
    for case in fs::read_dir(root().join("tests/cases/init")).unwrap() {
        let case = case.unwrap().path();
        let folder = tempfile::tempdir().unwrap();
        fs::copy(case.join("log.csv"), folder.path().join("log.csv")).unwrap();
        let (answer, mapping) = proposed(folder.path(), &["--from", "log.csv"]);
        for line in fs::read_to_string(case.join("expected.txt")).unwrap().lines() {
            let (sign, expected) = line.split_at(2);
            let holds = match sign {
                "+ " => mapping.lines().any(|line| line.starts_with(expected)),
                "- " => !mapping.contains(expected) && !answer.contains(expected),
                "= " => answer.contains(expected),
                _ => panic!("{line}"),
            };
            assert!(holds, "{}: {line}\n{mapping}\n{answer}", case.display());
        }
        // The pipeline beside it is valid: at most the data are refused.
        let output = stipple(folder.path(), &["check", "log.csv", "--mapping", "start/mapping.toml"]);
        assert_ne!(code(&output), 2, "{}", text(&output.stderr));
        cases += 1;
    }
    assert!(cases >= 5);
}

fn columns(mapping: &str) -> BTreeMap<String, toml::Value> {
    let mapping: toml::Table = toml::from_str(mapping).unwrap();
    mapping["columns"].as_table().unwrap().clone().into_iter().collect()
}

#[test]
fn the_german_sample_is_mapped_as_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    let by_hand = fs::read_to_string(root().join("sample_data/nordlicht.mapping.toml")).unwrap();
    for year in ["2024", "2025", "2026"] {
        let log = root().join(format!("sample_data/nordlicht/nordlicht_{year}.csv"));
        let target = folder.path().join(year);
        fs::create_dir(&target).unwrap();
        let (answer, mapping) = proposed(&target, &["--from", &log.to_string_lossy()]);
        assert!(answer.contains("unsure      0"), "{answer}");
        assert_eq!(columns(&mapping), columns(&by_hand), "{year}");
        let (ours, theirs) = (accepted(&log, &mapping), accepted(&log, &by_hand));
        assert!(theirs.len() > 50);
        assert_eq!(ours, theirs, "{year}");
    }
}

/// The accepted sessions, with their side effects as codes. What only the site knows (`grid_marks`) is uncoded in a
/// proposal, and told so.
fn accepted(log: &Path, mapping: &str) -> Vec<(Session, Vec<String>)> {
    let mapping = Mapping::from_toml(mapping, "mapping.toml").unwrap();
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    let mut reader = ingest::open(log, FileId(0), &mapping.read_options(Table::Sessions)).unwrap();
    let judge = SessionJudge::new(reader.header(), &mapping, &catalogue).unwrap();
    let mut sessions = Vec::new();
    while let Some(batch) = reader.next_batch().unwrap() {
        sessions.extend(judge.judge(&batch).accepted.into_iter().map(|row| row.value));
    }
    let codes = |session: &Session| match &session.side_effects {
        Asked::No => vec!["-".to_owned()],
        Asked::Yes(effects) => {
            let code = |effect: &stipple::domain::ReportedEffect| {
                let code = catalogue.get(effect.effect).code.replace("grid_marks", Catalogue::UNCODED_CODE);
                format!("{code}:{:?}:{:?}:{:?}", effect.grade, effect.onset, effect.resolution)
            };
            effects.iter().map(code).collect()
        }
    };
    let parted = sessions.into_iter().map(|session| {
        let codes = codes(&session);
        (Session { side_effects: Asked::No, ..session }, codes)
    });
    parted.collect()
}

#[test]
fn events_and_scores_are_mapped_with_the_log() {
    let folder = tempfile::tempdir().unwrap();
    let sample = |name: &str| root().join("sample_data").join(name).to_string_lossy().into_owned();
    let (log, events, scores) =
        (sample("nordlicht/nordlicht_2024.csv"), sample("nordlicht_events.csv"), sample("nordlicht_scores.csv"));
    let arguments = ["--from", &log, "--events", &events, "--assessments", &scores];
    let (_, mapping) = proposed(folder.path(), &arguments);
    let by_hand: toml::Table =
        toml::from_str(&fs::read_to_string(root().join("sample_data/nordlicht.mapping.toml")).unwrap()).unwrap();
    let ours: toml::Table = toml::from_str(&mapping).unwrap();
    for table in ["events", "assessments"] {
        assert_eq!(ours[table]["columns"], by_hand[table]["columns"], "{table}");
    }
    assert_eq!(ours["events"]["values"]["resolved_date"], by_hand["events"]["values"]["resolved_date"]);
    // The pipeline beside it makes a report at once.
    let output = stipple(folder.path(), &["run", "start/pipeline.toml", "--out", "report", "--quiet"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    assert!(folder.path().join("report/index.html").exists());
    let json = stipple(folder.path(), &[&["init", "again", "--json"], &arguments[..]].concat());
    let told: serde_json::Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(told["files"].as_array().unwrap().len(), 3);
    assert_eq!(told["files"][0]["sure"].as_array().unwrap().len(), 40);
}

#[test]
fn without_a_log_there_is_an_example_and_nothing_is_overwritten() {
    let folder = tempfile::tempdir().unwrap();
    let output = stipple(folder.path(), &["init", "a/b"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    fs::copy(root().join("sample_data/harbour/harbour_2026.csv"), folder.path().join("a/b/sessions.csv")).unwrap();
    let output = stipple(folder.path(), &["run", "a/b/pipeline.toml", "--quiet"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    for only in ["pipeline.toml", "mapping.toml"] {
        let target = folder.path().join(only.replace('.', "_"));
        fs::create_dir(&target).unwrap();
        fs::write(target.join(only), "mine").unwrap();
        let output = stipple(folder.path(), &["init", &target.to_string_lossy()]);
        assert_eq!(code(&output), 2);
        assert!(text(&output.stderr).contains("is there already"), "{}", text(&output.stderr));
        assert_eq!(fs::read_to_string(target.join(only)).unwrap(), "mine");
        assert_eq!(fs::read_dir(&target).unwrap().count(), 1, "nothing else is written");
    }
    assert_eq!(code(&stipple(folder.path(), &["init", "c", "--events", "e.csv"])), 2);
}

/// A unit or a scale that a column does not have makes every number wrong: such a line stays a comment.
#[test]
fn units_of_other_columns_and_longer_scales_are_not_taken() {
    let folder = tempfile::tempdir().unwrap();
    let header = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication";
    let rows = "1,P1,c,2026-01-31,professional,pen,face,acne_scars,0.06,7\n";
    let write = |depth: &str, pain: &str| {
        let text = format!("{header},{depth},{pain}\n{rows}{}", rows.replace("1,P1", "2,P2"));
        fs::write(folder.path().join("log.csv"), text).unwrap();
        let _ = fs::remove_dir_all(folder.path().join("start"));
        proposed(folder.path(), &["--from", "log.csv"]).1
    };
    let mapping = write("needle depth (in)", "Pain (0-100)");
    assert!(mapping.contains("\nneedle_depth_mm = { from = \"needle depth (in)\", unit = \"in\" }"), "{mapping}");
    assert!(mapping.contains("\n# pain_vas = \"Pain (0-100)\"") && mapping.contains("«0-100»"), "{mapping}");
    let mapping = write("needle depth (ft)", "Pain (0-10)");
    assert!(mapping.contains("\n# needle_depth_mm") && mapping.contains("\npain_vas = \"Pain (0-10)\""), "{mapping}");
}

#[test]
fn files_from_which_nothing_can_be_proposed() {
    let folder = tempfile::tempdir().unwrap();
    let binary: Vec<u8> = (0..=255).cycle().take(5000).collect();
    let files: [(&str, &[u8]); 3] = [
        ("empty.csv", b""),
        ("data.csv", b"V1,Jane Doe,2026-01-05\nV2,John Doe,2026-01-06\n"),
        ("binary.csv", &binary),
    ];
    for (name, bytes) in files {
        fs::write(folder.path().join(name), bytes).unwrap();
        let output = stipple(folder.path(), &["init", "start", "--from", name]);
        assert_eq!(code(&output), 3, "{name}: {}", text(&output.stderr));
        assert!(text(&output.stderr).contains("hint"), "{name}");
        assert!(!text(&output.stderr).contains("Jane"));
        assert!(!folder.path().join("start").exists(), "{name}");
    }
    for missing in ["nowhere.csv", "."] {
        assert_eq!(code(&stipple(folder.path(), &["init", "start", "--from", missing])), 2, "{missing}");
    }
    // A header alone, one of them unlike any other: what is proposed is valid.
    fs::write(folder.path().join("header.csv"), "\"a \"\"b\"\"\",\"x\ny\",[z],Pt ID,Visit,Depth [µm]\n").unwrap();
    let (answer, mapping) = proposed(folder.path(), &["--from", "header.csv"]);
    assert!(mapping.contains("patient_id = \"Pt ID\""), "{mapping}");
    assert!(answer.contains("0 of 0 rows"), "{answer}");
}
