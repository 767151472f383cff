//! `ingest`, `store` and `run --store` as their user meets them.

use crate::commands::{code, stipple, text};
use crate::store::HEADER;
use serde_json::Value;
use std::fs;
use std::path::Path;
use stipple::domain::Day;

fn log(folder: &Path, name: &str, effects: &str) {
    let row = format!("S1,P-4711,north,2026-01-05,professional,pen,face,acne_scars,2026-05-05,{effects}\n");
    fs::write(folder.join(name), format!("{HEADER}{row}")).unwrap();
}

/// In UTC, as `--before` takes it: all that was written up to now is before it.
pub(crate) fn tomorrow() -> String {
    #[expect(clippy::disallowed_methods, reason = "the program under test reads the clock too")]
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    Day(i32::try_from(since.as_secs() / 86_400).unwrap() + 1).to_string()
}

const PIPELINE: &str = "version = 1\nid = \"p\"\n[source]\nstore = \"warehouse\"\n[[analysis]]\nid = \"rates\"\n\
                        kind = \"side_effect_rates\"\noutcomes = [\"pih\"]\n";

#[test]
fn a_store_from_its_first_day_to_an_auditor_s_question() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    log(at, "monday.csv", "pih:1");
    log(at, "tuesday.csv", "none");
    fs::write(at.join("p.toml"), PIPELINE).unwrap();
    let first = stipple(at, &["ingest", "--store", "warehouse", "monday.csv"]);
    assert_eq!(code(&first), 0, "{}", text(&first.stderr));
    assert!(text(&first.stderr).contains("warehouse.key"));
    assert!(text(&first.stdout).contains("1 sessions (1 new, 0 amended)"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let key = fs::metadata(at.join("warehouse.key")).unwrap();
        assert_eq!(key.permissions().mode() & 0o777, 0o600);
    }
    assert_eq!(code(&stipple(at, &["run", "p.toml", "--out", "then", "--quiet"])), 0);
    let again = stipple(at, &["ingest", "--store", "warehouse", "monday.csv"]);
    assert!(text(&again.stdout).contains("is in the store already"), "{}", text(&again.stdout));
    let amended = stipple(at, &["ingest", "--store", "warehouse", "tuesday.csv", "--json"]);
    let told: Value = serde_json::from_slice(&amended.stdout).unwrap();
    assert_eq!((told["version"].as_u64(), told["amended_sessions"].as_u64()), (Some(3), Some(1)));
    assert_eq!(code(&stipple(at, &["run", "p.toml", "--out", "now", "--quiet"])), 0);
    assert_eq!(code(&stipple(at, &["run", "p.toml", "--out", "again", "--as-of", "2", "--quiet"])), 0);
    let read = |run: &str, file: &str| fs::read(at.join(run).join(file)).unwrap();
    for file in ["index.html", "results.csv", "results.parquet", "report.xlsx", "rejects.csv", "superseded.csv"] {
        assert_eq!(read("then", file), read("again", file), "{file}");
    }
    assert_ne!(read("then", "results.csv"), read("now", "results.csv"));
    assert!(text(&read("now", "superseded.csv")).contains("monday.csv,2,1,replaced_by_later,tuesday.csv,2,1"));
    let changes = stipple(at, &["diff", "then", "now"]);
    let said = text(&changes.stdout).replace('\u{a0}', " ");
    assert!(said.contains("rates/pih//rate") && said.contains("−100.0 points"), "{said}");
    assert!(said.contains("store version"), "{said}");
    let json: Value = serde_json::from_slice(&stipple(at, &["diff", "then", "now", "--json"]).stdout).unwrap();
    let rate = json["changed"].as_array().unwrap().iter().find(|row| row["row_id"] == "rates/pih//rate").unwrap();
    assert_eq!((&rate["columns"]["value"]["a"], &rate["columns"]["value"]["b"]), (&"1".into(), &"0".into()));
    assert_eq!(rate["difference"].as_f64(), Some(-1.0));
    assert_eq!(json["runs"]["store version"]["b"], "3");
    let same: Value = serde_json::from_slice(&stipple(at, &["diff", "then", "again", "--json"]).stdout).unwrap();
    assert_eq!(
        (same["same"].as_u64(), same["results_a"].as_u64()),
        (same["results_b"].as_u64(), same["same"].as_u64())
    );
    let history = stipple(at, &["store", "history", "warehouse", "--session", "S1"]);
    assert!(text(&history.stdout).contains("stands"), "{}", text(&history.stdout));
    let json = stipple(at, &["store", "history", "warehouse", "--json"]);
    let told: Value = serde_json::from_slice(&json.stdout).unwrap();
    assert_eq!(told["versions"].as_array().map(Vec::len), Some(3));
    for command in [&["store", "verify", "warehouse"][..], &["store", "compact", "warehouse"]] {
        assert_eq!(code(&stipple(at, command)), 0, "{command:?}");
    }
    let rotated = stipple(at, &["store", "rotate-key", "warehouse"]);
    assert_eq!(code(&rotated), 0, "{}", text(&rotated.stderr));
    let unchanged = stipple(at, &["ingest", "--store", "warehouse", "tuesday.csv"]);
    assert!(text(&unchanged.stdout).contains("nothing new"), "{}", text(&unchanged.stdout));
    let nothing = stipple(at, &["store", "vacuum", "warehouse", "--before", "2001-01-01"]);
    assert_eq!(code(&nothing), 0, "{}", text(&nothing.stderr));
    assert!(text(&nothing.stdout).contains("the oldest version that can be read is 1"), "{}", text(&nothing.stdout));
    let kept = stipple(at, &["store", "vacuum", "warehouse"]);
    assert!(text(&kept.stdout).contains("the oldest version that can be read is 1"), "{}", text(&kept.stdout));
    let day = ["store", "vacuum", "warehouse", "--before", &tomorrow()];
    assert_eq!(code(&stipple(at, &day)), 0);
    let gone = stipple(at, &["run", "p.toml", "--as-of", "2"]);
    assert_eq!(code(&gone), 2);
    assert!(text(&gone.stderr).contains("was vacuumed"), "{}", text(&gone.stderr));
    assert_eq!(code(&stipple(at, &["run", "p.toml", "--out", "after", "--quiet"])), 0);
    assert_eq!(read("after", "tables/rates.csv"), read("now", "tables/rates.csv"));
}

#[test]
fn mistakes_are_told_with_what_to_do_next() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    log(at, "monday.csv", "none");
    fs::write(at.join("p.toml"), PIPELINE).unwrap();
    let told = |arguments: &[&str], expected_code: i32, words: &str| {
        let output = stipple(at, arguments);
        let said = text(&output.stderr);
        assert_eq!(code(&output), expected_code, "{arguments:?}: {said}");
        assert!(said.contains(words) && said.contains("hint:"), "{arguments:?}: {said}");
    };
    told(&["run", "p.toml"], 2, "holds no store");
    told(&["store", "history", "nowhere"], 2, "holds no store");
    told(&["store", "verify", "nowhere"], 2, "holds no store");
    told(&["store", "compact", "nowhere"], 2, "holds no store");
    told(&["ingest", "--store", "ftp://host/warehouse", "monday.csv"], 2, "is an address");
    #[cfg(not(feature = "object-stores"))]
    told(&["ingest", "--store", "s3://bucket/warehouse", "monday.csv"], 2, "--features object-stores");
    told(&["ingest", "--store", "warehouse", "missing.csv"], 2, "missing.csv");
    assert!(!at.join("warehouse").exists() && !at.join("ftp:").exists());
    assert_eq!(code(&stipple(at, &["ingest", "--store", "warehouse"])), 2);
    fs::write(at.join("bad.key"), "1234").unwrap();
    told(&["ingest", "--store", "warehouse", "monday.csv", "--key", "bad.key"], 2, "64 hexadecimal digits");
    assert_eq!(code(&stipple(at, &["ingest", "--store", "warehouse", "monday.csv", "--quiet"])), 0);
    fs::write(at.join("other.key"), "07".repeat(32)).unwrap();
    told(&["ingest", "--store", "warehouse", "monday.csv", "--key", "other.key"], 2, "not the key");
    fs::rename(at.join("warehouse.key"), at.join("kept.key")).unwrap();
    told(&["ingest", "--store", "warehouse", "monday.csv"], 2, "the key of warehouse is not there");
    told(&["run", "p.toml", "--as-of", "99"], 2, "has no version 99");
    told(&["run", "p.toml", "--as-of", "1999-01-01"], 2, "there was nothing");
    told(&["run", "p.toml", "--as-of", "yesterday"], 2, "neither a version nor a day");
    told(&["check", "p.toml"], 2, "reads the store");
    told(&["store", "vacuum", "warehouse", "--before", "soon"], 2, "is not a day");
    told(&["store", "vacuum", "warehouse", "--before", "2999-01-01"], 2, "has not come yet");
    told(&["diff", "nowhere", "nowhere"], 2, "holds no run");
    assert_eq!(code(&stipple(at, &["diff", "a", "b", "--tolerance", "2"])), 2);
    fs::create_dir(at.join("run")).unwrap();
    fs::write(at.join("run/results.csv"), "row_id,value\n1,2\n").unwrap();
    told(&["diff", "run", "run"], 3, "column `statistic` is missing");
    fs::create_dir(at.join("letters")).unwrap();
    fs::write(at.join("letters/one.txt"), "x").unwrap();
    told(&["ingest", "--store", "letters", "--key", "kept.key", "monday.csv"], 2, "one.txt");
    assert_eq!(fs::read_dir(at.join("letters")).unwrap().count(), 1, "nothing is left there");
    fs::remove_file(at.join("warehouse/batches/_delta_log/00000000000000000001.json")).unwrap();
    for command in [&["store", "history", "warehouse"][..], &["run", "p.toml"]] {
        told(command, 3, "00000000000000000001.json of its log is missing");
    }
    fs::write(at.join("file"), "x").unwrap();
    told(&["ingest", "--store", "file", "--key", "kept.key", "monday.csv"], 1, "file");
}

#[test]
fn a_batch_of_which_every_row_is_refused_is_no_success() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    log(at, "good.csv", "none");
    let bad = fs::read_to_string(at.join("good.csv")).unwrap().replace("professional", "somewhere");
    fs::write(at.join("bad.csv"), bad).unwrap();
    let refused = stipple(at, &["ingest", "--store", "w", "bad.csv"]);
    assert_eq!(code(&refused), 3, "{}", text(&refused.stdout));
    assert!(text(&refused.stderr).contains("every row was refused"), "{}", text(&refused.stderr));
    assert!(text(&refused.stderr).contains("stipple check"));
    assert_eq!(code(&stipple(at, &["ingest", "--store", "w", "good.csv"])), 0);
}
