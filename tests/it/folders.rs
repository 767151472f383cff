//! Folders and patterns in place of files, as their user meets them.

use std::fs;
use std::path::Path;
use std::process::Command;

const HEADER: &str = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication";

fn log(path: &Path, session: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, format!("{HEADER}\n{session},p1,north,2026-01-05,professional,pen,face,acne_scars\n")).unwrap();
}

/// Three logs at two depths, a hidden one, and a letter.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    log(&folder.path().join("logs/b.csv"), "s1");
    log(&folder.path().join("logs/a.tsv"), "s2");
    log(&folder.path().join("logs/2026/c.csv"), "s3");
    log(&folder.path().join("logs/.old.csv"), "s4");
    fs::write(folder.path().join("logs/letter.docx"), "dear").unwrap();
    // Excel writes it for as long as somebody has the workbook open.
    fs::write(folder.path().join("logs/~$a.xlsx"), "Admin").unwrap();
    folder
}

fn stipple(folder: &Path, arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stipple"));
    let output = command.args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code().unwrap(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn check_takes_a_folder_or_a_pattern_and_tells_what_it_skips() {
    let folder = folder();
    for named in ["logs", "logs/", "./logs"] {
        let (code, out, err) = stipple(folder.path(), &["check", named]);
        assert_eq!(code, 0, "{err}");
        assert!(out.contains("3 rows read = 3 accepted + 0 rejected + 0 superseded"), "{out}");
        assert!(out.contains(".old.csv (hidden)") && out.contains("letter.docx (not a known kind of file)"), "{out}");
    }
    let (_, out, _) = stipple(folder.path(), &["check", "logs/**/*.csv"]);
    assert!(out.contains("2 rows read = 2 accepted") && out.contains("logs/2026/c.csv"), "{out}");
    // The same file by two names is read once.
    let (_, out, _) = stipple(folder.path(), &["check", "logs", "logs/b.csv"]);
    assert!(out.contains("3 rows read = 3 accepted"), "{out}");
    let (_, out, _) = stipple(folder.path(), &["check", "--json", "logs"]);
    let told: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(told["skipped_files"].as_array().unwrap().len(), 3);
    let (_, out, _) = stipple(folder.path(), &["check", "logs/*a*"]);
    assert!(out.contains("~$a.xlsx (hidden)"), "{out}");
    for (named, expected) in
        [("nowhere", "there is no file"), ("logs/*.xlsx", "no file fits"), ("ftp://x/y", "`ftp://`")]
    {
        let (code, _, err) = stipple(folder.path(), &["check", named]);
        assert!(code == 2 && err.contains(expected) && err.contains("hint:"), "{named}: {err}");
    }
}

#[test]
fn a_pipeline_takes_a_folder_and_its_manifest_names_each_file() {
    let folder = folder();
    let text = "version = 1\nid = \"p\"\n[source]\nlogs = [\"../logs\"]\n[[analysis]]\nid = \"rates\"\nkind = \
                \"side_effect_rates\"\noutcomes = [\"pih\"]\ndenominator = \"all_sessions\"\n";
    fs::create_dir(folder.path().join("pipelines")).unwrap();
    fs::write(folder.path().join("pipelines/p.toml"), text).unwrap();
    let (code, _, err) = stipple(folder.path(), &["run", "pipelines/p.toml", "--out", "out"]);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("skipped: ../logs/letter.docx"), "{err}");
    let manifest = fs::read_to_string(folder.path().join("out/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
    let names: Vec<&str> =
        manifest["inputs"].as_array().unwrap().iter().map(|input| input["path"].as_str().unwrap()).collect();
    assert_eq!(names, ["../logs/2026/c.csv", "../logs/a.tsv", "../logs/b.csv"]);
    assert_eq!(manifest["skipped_files"][0]["path"].as_str(), Some("../logs/.old.csv"));
}

#[test]
fn a_mistake_beside_an_address_does_not_show_its_password() {
    let folder = tempfile::tempdir().unwrap();
    for logs in
        ["\"postgresql://ana:g3heim@db/x\"", "[\"mysql://ana:g3heim@db/x\"]", "[\"postgresql://ana:g3heim@db:x/x\"]"]
    {
        fs::write(folder.path().join("p.toml"), format!("version = 1\nid = \"p\"\n[source]\nlogs = {logs}\n")).unwrap();
        let (code, out, err) = stipple(folder.path(), &["run", "p.toml"]);
        assert_eq!(code, 2, "{err}");
        assert!(!format!("{out}{err}").contains("g3heim"), "{err}");
    }
}
