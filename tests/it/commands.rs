//! The program as its user meets it: the binary itself, in a folder of its own.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

pub(crate) fn stipple(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_stipple"))
        .args(arguments)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap()
}

const HEADER: &str = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,last_follow_up_date,side_effects";

fn log(folder: &Path, rows: &[&str]) -> PathBuf {
    let file = folder.join("log.csv");
    fs::write(&file, format!("{HEADER}\n{}\n", rows.join("\n"))).unwrap();
    file
}

fn pipeline(folder: &Path, more: &str) -> PathBuf {
    let file = folder.join("p.toml");
    let text = format!("version = 1\nid = \"p\"\n[source]\nlogs = [\"log.csv\"]\n{more}\n");
    fs::write(&file, text).unwrap();
    file
}

const RATES: &str = "[[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\n";

const GOOD: &[&str] = &[
    "s1,p1,north,2026-01-05,professional,pen,face,acne_scars,2026-06-01,none",
    "s2,p1,north,2026-02-05,professional,pen,face,acne_scars,2026-06-01,pih:1:2026-02-20/",
    "s3,p2,north,2026-01-07,professional,rf,face,acne_scars,2026-01-20,none",
    "s4,p3,south,2026-01-09,professional,rf,face,acne_scars,2026-06-01,none",
];

fn results(folder: &Path) -> Vec<Vec<String>> {
    let mut reader = csv::Reader::from_path(folder.join("results.csv")).unwrap();
    reader.records().map(|row| row.unwrap().iter().map(str::to_owned).collect()).collect()
}

#[test]
fn a_run_counts_what_can_be_counted_by_hand() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    pipeline(folder.path(), RATES);
    let output = stipple(folder.path(), &["run", "p.toml"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let out = folder.path().join("reports/p");
    // s1 and s4 confirmed absent, s2 present, s3 followed up too short: 1 of 3, 1 not assessed.
    let rows = results(&out);
    let rate = rows.iter().find(|row| row[0] == "rates/pih//rate").unwrap();
    assert_eq!((rate[13].as_str(), rate[14].as_str()), ("1", "3"));
    assert_eq!(rate[7], (1.0_f64 / 3.0).to_string());
    let not_assessed = rows.iter().find(|row| row[0] == "rates/pih//not_assessed").unwrap();
    assert_eq!(not_assessed[7], "1");
    for file in ["index.html", "results.parquet", "report.xlsx", "rejects.csv", "manifest.json", "tables/rates.csv"] {
        assert!(out.join(file).exists(), "{file}");
    }
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).unwrap()).unwrap();
    assert_eq!((manifest["read_rows"].as_u64(), manifest["accepted_rows"].as_u64()), (Some(4), Some(4)));
    assert!(text(&output.stdout).contains("index.html"));
}

#[test]
fn two_runs_give_the_same_bytes_but_for_the_run_section() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    pipeline(folder.path(), RATES);
    for (out, threads) in [("a", "1"), ("b", "2")] {
        let output = stipple(folder.path(), &["run", "p.toml", "--out", out, "--threads", threads]);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    }
    let files = files(&folder.path().join("a"));
    assert!(files.len() > 8);
    for file in files {
        let read = |out: &str| fs::read(folder.path().join(out).join(&file)).unwrap();
        if file == Path::new("manifest.json") {
            let manifest = |out: &str| {
                let mut manifest: serde_json::Value = serde_json::from_slice(&read(out)).unwrap();
                manifest.as_object_mut().unwrap().remove("run").unwrap();
                manifest
            };
            assert_eq!(manifest("a"), manifest("b"));
        } else {
            assert!(read("a") == read("b"), "{} differs", file.display());
        }
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    fn walk(folder: &Path, base: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, found);
            } else {
                found.push(path.strip_prefix(base).unwrap().to_owned());
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

#[test]
fn every_row_is_accounted_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut rows = GOOD.to_vec();
    rows.extend([
        // Repeated, replaced, ragged, bad date, unknown code, event before its session.
        GOOD[0],
        "s4,p3,south,2026-01-09,professional,rf,face,acne_scars,2026-06-01,erythema",
        "s5,p9,north,2026-01-09",
        "s6,p9,north,someday,professional,pen,face,acne_scars,2026-06-01,none",
        "s7,p9,north,2026-01-09,professional,hammer,face,acne_scars,2026-06-01,none",
        "s8,p9,north,2026-01-09,professional,pen,face,acne_scars,2026-06-01,pih:1:2025-12-01",
    ]);
    log(folder.path(), &rows);
    pipeline(folder.path(), RATES);
    let output = stipple(folder.path(), &["run", "p.toml"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let out = folder.path().join("reports/p");
    let manifest: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(out.join("manifest.json")).unwrap()).unwrap();
    let count = |name: &str| manifest[name].as_u64().unwrap();
    assert_eq!(
        (count("read_rows"), count("accepted_rows"), count("rejected_rows"), count("superseded_rows")),
        (10, 4, 4, 2)
    );
    let rejects = fs::read_to_string(out.join("rejects.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 1 + 4);
    assert!(!rejects.contains("p9"), "a patient identifier stands in rejects.csv");
    assert!(rejects.lines().nth(1).unwrap().starts_with("log.csv,8,7,"));
    // s4 was replaced by a row with erythema: 1 of 1 assessed for erythema among p3's sessions.
    let check = stipple(folder.path(), &["check", "p.toml", "--json"]);
    let json: serde_json::Value = serde_json::from_slice(&check.stdout).unwrap();
    assert_eq!(json["rejected_rows"].as_u64(), Some(4));
    assert_eq!(json["sessions"].as_u64(), Some(4));
}

#[test]
fn events_join_are_refused_or_are_listed() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    let events = "session_id,patient_id,side_effect,onset_date\n\
                  s1,,pih,2026-02-01\n\
                  nowhere,,pih,2026-02-01\n\
                  s1,,pih,2025-02-01\n\
                  ,p3,infection,2026-01-20\n\
                  ,p3,infection,2026-05-20\n\
                  s4,p1,infection,2026-01-20\n";
    fs::write(folder.path().join("events.csv"), events).unwrap();
    let analysis = "events = [\"events.csv\"]\n[[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\", \"infection\"]";
    pipeline(folder.path(), analysis);
    let output = stipple(folder.path(), &["run", "p.toml"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let rows = results(&folder.path().join("reports/p"));
    let count = |id: &str, column: usize| rows.iter().find(|row| row[0] == id).unwrap()[column].clone();
    assert_eq!(count("rates/pih//rate", 13), "2");
    assert_eq!(count("rates/infection//rate", 13), "1");
    assert_eq!(count("data_quality///count/rejected_rows", 7), "3");
    assert_eq!(count("data_quality///count/rejected:event_of_other_patient", 7), "1");
    assert_eq!(count("data_quality///count/unattributed_events", 7), "1");
}

#[test]
fn wrong_use_is_told_with_the_nearest_right_one() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    let cases = [
        ("[quality]\nmax_rejectd = 0.1", "max_rejected"),
        ("[[analysis]]\nid = \"a\"\nkind = \"side_effect_rate\"\noutcomes = [\"pih\"]", "side_effect_rates"),
        ("[[analysis]]\nid = \"a\"\nkind = \"side_effect_rates\"\noutcomes = [\"phi\"]", "pih"),
        (
            "[[analysis]]\nid = \"a\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\nby = [\"modalty\"]",
            "modality",
        ),
        (
            "[[analysis]]\nid = \"a\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\nby = [\"needle_depth_mm\"]",
            "bands",
        ),
        (
            "[[analysis]]\nid = \"a\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\ninterval = \"wilsn\"",
            "wilson",
        ),
        ("[[analysis]]\nid = \"../a\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]", "cannot name a file"),
        ("[cohort]\nwhere = \"modalit = 'rf'\"", "modality"),
        ("[cohort]\nwhere = \"modality\"", "not yes or no"),
        ("[cohort]\nwhere = \"modality = \"", "not an SQL expression"),
        ("[release]\nprofile = \"lt6\"", "none"),
    ];
    for (more, expected) in cases {
        pipeline(folder.path(), more);
        let output = stipple(folder.path(), &["run", "p.toml"]);
        let message = text(&output.stderr);
        assert_eq!(code(&output), 2, "{more}: {message}");
        assert!(message.contains(expected), "{more}: {message}");
        assert!(!folder.path().join("reports").exists());
    }
    for arguments in [&["run", "nowhere.toml"][..], &["check", "nowhere.csv"], &["run"], &["dance"]] {
        assert_eq!(code(&stipple(folder.path(), arguments)), 2, "{arguments:?}");
    }
}

#[test]
fn unusable_data_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let files: [(&str, Vec<u8>); 5] = [
        ("empty", Vec::new()),
        ("header only", format!("{HEADER}\n").into_bytes()),
        ("binary", b"PK\x03\x04\x00\x00\x00\x00rest".to_vec()),
        ("other columns", b"a,b\n1,2\n".to_vec()),
        ("nothing good", format!("{HEADER}\ns1,p1\n").into_bytes()),
    ];
    pipeline(folder.path(), RATES);
    for (name, bytes) in files {
        fs::write(folder.path().join("log.csv"), bytes).unwrap();
        for arguments in [&["run", "p.toml"][..], &["check", "log.csv"]] {
            let output = stipple(folder.path(), arguments);
            assert_eq!(code(&output), 3, "{name} {arguments:?}: {}", text(&output.stderr));
            assert!(text(&output.stderr).contains("error:"), "{name}");
        }
    }
}

#[test]
fn a_gate_that_is_not_met_leaves_the_earlier_report() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    pipeline(folder.path(), RATES);
    assert_eq!(code(&stipple(folder.path(), &["run", "p.toml"])), 0);
    let earlier = fs::read(folder.path().join("reports/p/results.csv")).unwrap();
    for gate in ["[quality]\nmin_assessed = 0.9\n", "[quality]\nmax_rejected = 0.1\n"] {
        let mut rows = GOOD.to_vec();
        rows.push("s9,p9,north,someday,professional,pen,face,acne_scars,,");
        log(folder.path(), &rows);
        pipeline(folder.path(), &format!("{gate}{RATES}"));
        let output = stipple(folder.path(), &["run", "p.toml"]);
        assert_eq!(code(&output), 3, "{}", text(&output.stderr));
        assert_eq!(fs::read(folder.path().join("reports/p/results.csv")).unwrap(), earlier);
    }
    assert!(
        !fs::read_dir(folder.path().join("reports"))
            .unwrap()
            .any(|entry| { entry.unwrap().file_name().to_string_lossy().starts_with('.') })
    );
}

#[test]
fn a_folder_that_is_no_report_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    pipeline(folder.path(), RATES);
    fs::create_dir(folder.path().join("mine")).unwrap();
    fs::write(folder.path().join("mine/letter.txt"), "dear").unwrap();
    let output = stipple(folder.path(), &["run", "p.toml", "--out", "mine"]);
    assert_eq!(code(&output), 2);
    assert_eq!(fs::read_to_string(folder.path().join("mine/letter.txt")).unwrap(), "dear");
}

#[test]
fn the_report_that_is_kept_is_what_a_run_gives() {
    let folder = tempfile::tempdir().unwrap();
    let pipeline = root().join("pipelines/pih_by_skin_tone.toml");
    let output = stipple(folder.path(), &["run", pipeline.to_str().unwrap()]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let (made, kept) = (folder.path().join("reports/pih_by_skin_tone"), root().join("reports/pih_by_skin_tone"));
    for file in files(&made).into_iter().filter(|file| file != Path::new("manifest.json")) {
        let kept = fs::read(kept.join(&file)).unwrap_or_else(|_| panic!("{} is not kept", file.display()));
        assert!(fs::read(made.join(&file)).unwrap() == kept, "{} differs: `just generate`", file.display());
    }
}

#[test]
fn a_run_can_be_explained_before_it_is_made() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    let trend = "[[analysis]]\nid = \"tone\"\nkind = \"trend\"\noutcomes = [\"pih\"]\nover = \"fitzpatrick\"\n\
                 adjust = [\"passes\"]\nwhere = \"modality = 'pen'\"\n";
    pipeline(folder.path(), &format!("{RATES}by = [\"clinic_id\"]\n{trend}"));
    let output = stipple(folder.path(), &["run", "p.toml", "--explain"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let told = text(&output.stdout);
    for expected in [
        "1 session logs, read whole and validated",
        "conditions  modality = 'pen'",
        "clinic_id (cells as values are met): rates, data_quality",
        "fitzpatrick (7 cells) where modality = 'pen', sums of needle_depth_mm, passes: tone",
        "patterns of fitzpatrick, passes where modality = 'pen', for models, whose errors visit every patient, 4 bytes a session: tone",
    ] {
        assert!(told.contains(expected), "{expected}\n{told}");
    }
    assert!(!folder.path().join("reports").exists(), "nothing is written");
    // The same of a store, for programs, and from the newest day on; a cut before it settles the states anew.
    let ingest = stipple(folder.path(), &["ingest", "--quiet", "--store", "s", "log.csv"]);
    assert_eq!(code(&ingest), 0, "{}", text(&ingest.stderr));
    let explained = |arguments: &[&str]| -> serde_json::Value {
        let output = stipple(folder.path(), arguments);
        serde_json::from_slice(&output.stdout).unwrap_or_else(|_| panic!("{}", text(&output.stderr)))
    };
    fs::write(folder.path().join("s.toml"), format!("version = 1\nid = \"p\"\n{RATES}")).unwrap();
    let told = explained(&["run", "s.toml", "--store", "s", "--explain", "--json"]);
    assert_eq!(told["sessions"], 4);
    assert!(told["states"].as_str().unwrap().starts_with("as settled when the rows were written"), "{told}");
    let (read, all) = (told["bytes"][0].as_u64().unwrap(), told["bytes"][1].as_u64().unwrap());
    assert!(0 < read && read < all, "{told}");
    // Days that no analysis counts are passed over, and less is read.
    let later = format!("version = 1\nid = \"p\"\n[cohort]\nwhere = \"session_date > '2100-01-01'\"\n{RATES}");
    fs::write(folder.path().join("s.toml"), later).unwrap();
    let told = explained(&["run", "s.toml", "--store", "s", "--explain", "--json"]);
    assert!(told["states"].as_str().unwrap().contains("(4 sessions) hold only days that no analysis counts"), "{told}");
    assert!(told["bytes"][0].as_u64().unwrap() < read, "{told}");
    fs::write(folder.path().join("s.toml"), format!("version = 1\nid = \"p\"\ndata_cut = 2026-03-01\n{RATES}"))
        .unwrap();
    let told = explained(&["run", "s.toml", "--store", "s", "--explain", "--json"]);
    assert!(told["states"].as_str().unwrap().starts_with("settled anew in memory"), "{told}");
}

#[test]
fn a_damaged_store_is_not_the_pipelines_fault() {
    let folder = tempfile::tempdir().unwrap();
    let made = stipple(folder.path(), &["simulate", "--quiet", "--sessions", "400", "--seed", "1", "--out", "log"]);
    assert_eq!(code(&made), 0, "{}", text(&made.stderr));
    let ingest = stipple(folder.path(), &["ingest", "--quiet", "--store", "s", "log/sessions.csv"]);
    assert_eq!(code(&ingest), 0, "{}", text(&ingest.stderr));
    fs::write(folder.path().join("s.toml"), format!("version = 1\nid = \"p\"\n{RATES}")).unwrap();
    let run = || {
        let output = stipple(folder.path(), &["run", "s.toml", "--store", "s"]);
        (code(&output), text(&output.stderr))
    };
    assert_eq!(run().0, 0);
    let kept = fs::read(folder.path().join("reports/p/results.csv")).unwrap();
    // A data file that is cut off.
    let data = files(&folder.path().join("s/sessions"))
        .into_iter()
        .find(|file| file.extension().is_some_and(|e| e == "parquet"));
    let data = folder.path().join("s/sessions").join(data.unwrap());
    let bytes = fs::read(&data).unwrap();
    fs::write(&data, &bytes[..bytes.len() / 2]).unwrap();
    let (status, said) = run();
    assert!(status == 1 && said.contains("sessions") && said.contains("stipple store verify"), "{status} {said}");
    assert!(!said.contains("change the pipeline"), "{said}");
    assert!(fs::read(folder.path().join("reports/p/results.csv")).unwrap() == kept, "the earlier report stays");
}

#[test]
fn the_answer_says_which_groups_its_range_leaves_aside() {
    let folder = tempfile::tempdir().unwrap();
    let row = |at: usize, clinic: &str, effects: &str| {
        format!("s{at},p{at},{clinic},2026-01-05,professional,pen,face,acne_scars,2026-06-01,{effects}")
    };
    let clinics = [("north", 40), ("south", 40), ("west", 2)];
    let mut rows = Vec::new();
    for (clinic, sessions) in clinics {
        for at in 0..sessions {
            let with = clinic == "west" || at < if clinic == "north" { 4 } else { 8 };
            rows.push(row(rows.len(), clinic, if with { "pih" } else { "none" }));
        }
    }
    log(folder.path(), &rows.iter().map(String::as_str).collect::<Vec<_>>());
    pipeline(folder.path(), &format!("{RATES}by = [\"clinic_id\"]\n"));
    assert_eq!(code(&stipple(folder.path(), &["run", "p.toml"])), 0);
    let page = fs::read_to_string(folder.path().join("reports/p/index.html")).unwrap();
    let told = regex::Regex::new("<[^>]*>").unwrap().replace_all(&page, "").replace('\u{a0}', " ");
    assert!(told.contains("PIH ranges from 10.0 %"), "{told}");
    assert!(told.contains("(clinic south), 1 group of fewer than 30 left aside."), "{told}");
}

#[test]
fn a_run_says_where_time_and_memory_went() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    pipeline(folder.path(), RATES);
    assert_eq!(code(&stipple(folder.path(), &["run", "p.toml"])), 0);
    let manifest = fs::read(folder.path().join("reports/p/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    for stage in ["read", "scan", "patients", "compute", "draw"] {
        assert!(manifest["run"]["seconds"][stage].is_f64(), "{stage}");
        assert!(manifest["run"]["peak_memory_bytes"][stage].as_u64().is_none_or(|bytes| bytes > 1 << 20), "{stage}");
    }
}

#[test]
fn the_sample_data_is_what_the_simulator_makes() {
    let folder = tempfile::tempdir().unwrap();
    let output = stipple(folder.path(), &["simulate", "--sample-data", "--out", "made"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let made = folder.path().join("made");
    let all = files(&made);
    assert!(all.len() > 6);
    for file in all {
        let kept = fs::read(root().join("sample_data").join(&file)).unwrap();
        assert!(fs::read(made.join(&file)).unwrap() == kept, "{}: `just generate`", file.display());
    }
}

#[test]
fn every_command_has_help_with_an_example_or_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    for command in ["run", "check", "init", "simulate", "methods", "vocabulary", "schema", "completions"] {
        let output = stipple(folder.path(), &[command, "--help"]);
        assert_eq!(code(&output), 0);
        assert!(text(&output.stdout).contains("Example"), "{command}");
    }
    let answers: [(&[&str], &str); 7] = [
        (&["methods"], "wilson_rao_scott"),
        (&["methods", "wilson"], "Newcombe"),
        (&["vocabulary"], "post-inflammatory hyperpigmentation"),
        (&["schema", "pipeline"], "data_cut"),
        (&["schema", "mapping"], "date_order"),
        (&["schema", "results"], "row_id"),
        (&["completions", "bash"], "stipple"),
    ];
    for (arguments, expected) in answers {
        let output = stipple(folder.path(), arguments);
        assert_eq!(code(&output), 0, "{arguments:?}");
        assert!(text(&output.stdout).contains(expected), "{arguments:?}");
        if arguments[0] != "completions" {
            let json = stipple(folder.path(), &[arguments, &["--json"]].concat());
            assert!(serde_json::from_slice::<serde_json::Value>(&json.stdout).is_ok(), "{arguments:?}");
        }
    }
    assert_eq!(code(&stipple(folder.path(), &["methods", "wilsn"])), 2);
}

#[test]
fn no_identifier_of_any_patient_is_shown() {
    let folder = tempfile::tempdir().unwrap();
    // A field is missing before the patient, one is doubled, and a patient of another row stands in a coded column.
    let rows = [
        "S1,PATX1,C1,2026-01-10,professional,pen,face,scars,2026-06-01,none",
        "PATX2,C1,2026-01-10,professional,pen,face,scars,2026-06-01,none,",
        "X,S3,PATX3,C1,2026-01-10,professional,pen,face,scars,2026-06-01",
        "S4,PATX4,C1,2026-01-10,PATX1,pen,face,scars,2026-06-01,none",
        "S5,PATX5,PATX5,2026-13-10,professional,pen,face,scars,2026-06-01,none",
    ];
    log(folder.path(), &rows);
    let output = stipple(folder.path(), &["check", "log.csv", "--rejects", "rejects.csv"]);
    let rejects = fs::read_to_string(folder.path().join("rejects.csv")).unwrap();
    assert_eq!(rejects.lines().count(), 5);
    for shown in [text(&output.stdout), text(&output.stderr), rejects] {
        assert!(!shown.contains("PATX"), "{shown}");
    }
    // A file without header: nothing of its first line is taken for headers.
    fs::write(folder.path().join("log.csv"), "S1,Patient Jane Doe,clinic,2026-01-01\n").unwrap();
    let output = stipple(folder.path(), &["check", "log.csv"]);
    assert_eq!(code(&output), 3);
    assert!(!text(&output.stderr).contains("Jane"), "{}", text(&output.stderr));
}

#[test]
fn a_file_in_two_sources_is_not_counted_twice() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    let file = "version = 1\nid = \"p\"\n[[source]]\nlogs = [\"log.csv\"]\n[[source]]\nlogs = [\"log.csv\"]\n";
    fs::write(folder.path().join("p.toml"), format!("{file}{RATES}")).unwrap();
    let output = stipple(folder.path(), &["run", "p.toml"]);
    assert_eq!(code(&output), 3);
    assert!(text(&output.stderr).contains("twice"));
}

#[test]
fn dates_are_compared_as_dates() {
    let folder = tempfile::tempdir().unwrap();
    log(folder.path(), GOOD);
    for expression in [
        "session_date >= '2026-01-08'",
        "session_date >= DATE '2026-01-08'",
        "session_date BETWEEN '2026-01-08' AND '2026-12-31'",
    ] {
        pipeline(folder.path(), &format!("[cohort]\nwhere = \"{expression}\"\n{RATES}"));
        let output = stipple(folder.path(), &["run", "p.toml", "--quiet"]);
        assert_eq!(code(&output), 0, "{expression}: {}", text(&output.stderr));
        assert_eq!(text(&output.stderr), "", "{expression}");
        // s2 and s4.
        let rows = results(&folder.path().join("reports/p"));
        assert_eq!(rows.iter().find(|row| row[0] == "rates/pih//rate").unwrap()[14], "2", "{expression}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_a_failure() {
    let full = fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = Command::new(env!("CARGO_BIN_EXE_stipple")).arg("vocabulary").stdout(full).output().unwrap().status;
    assert_eq!(status.code(), Some(1));
}
