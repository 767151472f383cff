//! FHIR resources as logs, events and assessments.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stipple::domain::{Asked, Catalogue, FileId, Link, Resolution};
use stipple::ingest::{self, Records};
use stipple::validate::{AssessmentJudge, EventJudge, Judged, Mapping, SessionJudge, Table};

fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/fhir").join(name)
}

fn open(path: &Path, table: Table) -> Box<dyn Records> {
    ingest::open(path, FileId(0), &Mapping::default().read_options(table)).unwrap()
}

macro_rules! judged {
    ($judge:ident, $reader:expr) => {{
        let judge = $judge::new($reader.header(), &Mapping::default(), &Catalogue::built_in()).unwrap();
        let mut judged = Vec::new();
        while let Some(batch) = $reader.next_batch().unwrap() {
            judged.push(judge.judge(&batch));
        }
        judged
    }};
}

fn values<T>(judged: &[Judged<T>]) -> Vec<&T> {
    judged.iter().flat_map(|batch| &batch.accepted).map(|row| &row.value).collect()
}

fn refused<T>(judged: &[Judged<T>]) -> Vec<(u64, &str)> {
    judged.iter().flat_map(|batch| &batch.rejected).map(|row| (row.place.line, row.rule)).collect()
}

fn left_out(reader: &dyn Records) -> Vec<String> {
    reader.left_out().iter().map(|left| format!("{} {}", left.records, left.what)).collect()
}

#[test]
fn a_procedure_is_a_session() {
    let mut reader = open(&case("mixed.ndjson"), Table::Sessions);
    let judged = judged!(SessionJudge, reader);
    assert_eq!(refused(&judged), []);
    let sessions = values(&judged);
    let [first, second] = sessions[..] else { panic!("{sessions:#?}") };
    assert_eq!(
        (first.session_id.as_str(), first.patient_id.as_str(), first.clinic_id.as_str()),
        ("s1", "P-0001", "north")
    );
    assert_eq!(first.session_date.to_string(), "2026-03-02");
    let codes = (first.modality.code(), first.body_area.code(), first.indication.code(), first.setting.code());
    assert_eq!(codes, ("pen", "face", "acne_scars", "professional"));
    assert_eq!((first.needle_depth_mm, first.passes, first.pain_vas), (Some(1.5), Some(3), Some(0.5)));
    assert_eq!((first.device_model.as_deref(), first.device_lot.as_deref()), (Some("SkinPen X"), Some("L-17")));
    assert_eq!(
        (first.practitioner_id.as_deref(), first.practitioner_credential.unwrap().code()),
        (Some("n7"), "nurse")
    );
    assert_eq!((first.fitzpatrick.unwrap().numeral(), first.sterile_single_use.unwrap().code()), ("IV", "yes"));
    let conditions = first.conditions.unwrap().text(stipple::domain::codes::Condition::CODES);
    assert_eq!(conditions, "active_acne;eczema");
    assert_eq!(first.side_effects, Asked::Yes(Vec::new()));
    assert_eq!(
        (second.patient_id.as_str(), second.clinic_id.as_str(), second.modality.code()),
        ("P-0002", "south", "rf")
    );
    let Asked::Yes(effects) = &second.side_effects else { panic!("{second:#?}") };
    let catalogue = Catalogue::built_in();
    let codes: Vec<&str> = effects.iter().map(|effect| catalogue.get(effect.effect).code.as_str()).collect();
    assert_eq!(codes, ["erythema", "swelling"]);
    let expected = [
        "3 AdverseEvent resources",
        "3 Observation resources",
        "1 Patient resources",
        "1 Procedure resources with status not-done",
        "0 the extension https://example.org/fhir/StructureDefinition/room names no column; not read in 1 resources",
    ];
    assert_eq!(left_out(reader.as_ref()), expected);
    assert_eq!(reader.tally().records, 10);
}

#[test]
fn an_adverse_event_is_a_side_effect_of_the_procedure_that_it_names() {
    let mut reader = open(&case("mixed.ndjson"), Table::Events);
    let judged = judged!(EventJudge, reader);
    assert_eq!(refused(&judged), []);
    let events = values(&judged);
    let [first, second] = events[..] else { panic!("{events:#?}") };
    let catalogue = Catalogue::built_in();
    let link = Link::Session { session_id: "s1".into(), patient_id: Some("P-0001".to_owned().into()) };
    assert_eq!((&first.link, catalogue.get(first.effect).code.as_str()), (&link, "pih"));
    assert_eq!((first.grade.unwrap().number(), first.serious, first.resolution), (2, Some(false), Resolution::Ongoing));
    assert_eq!(first.verbatim.as_deref(), Some("brown spots"));
    let days = (first.onset.unwrap().to_string(), first.reported.unwrap().to_string());
    assert_eq!(days, ("2026-03-30".to_owned(), "2026-04-02".to_owned()));
    assert_eq!(second.link, Link::Patient { patient_id: "P-0002".into(), body_area: None });
    assert_eq!((catalogue.get(second.effect).code.as_str(), second.serious), ("infection", Some(true)));
    assert!(matches!(second.resolution, Resolution::On(day) if day.to_string() == "2026-03-20"));
    assert!(left_out(reader.as_ref()).contains(&"1 AdverseEvent resources with actuality potential".to_owned()));
}

#[test]
fn an_observation_is_a_score_and_a_patient_who_scores_is_not_named() {
    let mut reader = open(&case("mixed.ndjson"), Table::Assessments);
    let judged = judged!(AssessmentJudge, reader);
    assert_eq!(refused(&judged), []);
    let told: Vec<(&str, f64, Option<&str>, Option<&str>)> = values(&judged)
        .iter()
        .map(|score| (score.scale.as_str(), score.score, score.session_id.as_deref(), score.rater.as_deref()))
        .collect();
    assert_eq!(told, [("gais", 2.0, Some("s1"), Some("n7")), ("dlqi", 11.5, None, Some("patient"))]);
    assert!(left_out(reader.as_ref()).contains(&"1 Observation resources with status entered-in-error".to_owned()));
}

#[test]
fn what_goes_wrong_is_told_line_by_line() {
    let mut reader = open(&case("ills.ndjson"), Table::Sessions);
    let judged = judged!(SessionJudge, reader);
    let expected = [
        (2, "not_json"),
        (4, "missing_required"),
        (5, "missing_required"),
        (6, "not_a_date"),
        (8, "missing_required"),
        (10, "unknown_code"),
        (13, "not_json"),
        (14, "not_json"),
        (15, "truncated_last_line"),
    ];
    assert_eq!(refused(&judged), expected);
    let patients: Vec<&str> = values(&judged).iter().map(|session| session.patient_id.as_str()).collect();
    assert_eq!(patients, ["P-0001", "P-0006"]);
    let expected = [
        "1 Procedure resources with a modifier extension",
        "1 Spaceship resources",
        "1 lines that name no type of resource",
    ];
    assert_eq!(left_out(reader.as_ref()), expected);
    let tally = reader.tally();
    assert_eq!((tally.records, tally.blank_lines, tally.lines()), (14, 1, 15));
    let bytes = fs::read(case("ills.ndjson")).unwrap();
    assert_eq!(reader.content_hash().unwrap(), blake3::hash(&bytes).to_hex().to_string());
}

fn check(folder: &Path, arguments: &[&str]) -> (i32, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stipple"));
    let output: Output =
        command.arg("check").args(arguments).current_dir(folder).env("NO_COLOR", "1").output().unwrap();
    let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    (output.status.code().unwrap(), said)
}

#[test]
fn one_file_serves_as_log_events_and_assessments_whatever_it_is_called() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["mixed.ndjson", "mixed.fhir.ndjson", "mixed.json", "mixed.csv", "mixed"] {
        fs::copy(case("mixed.ndjson"), folder.path().join(name)).unwrap();
        let (code, said) = check(folder.path(), &[name, "--events", name, "--assessments", name]);
        assert_eq!(code, 0, "{said}");
        assert!(said.contains("6 rows read = 6 accepted + 0 rejected + 0 superseded"), "{said}");
        assert!(said.contains("24 more rows were left out") && said.contains("1 Patient resources"), "{said}");
        assert!(!said.contains("P-000"), "{said}");
    }
}

#[test]
fn the_mapping_translates_and_keeps_rows_of_resources_too() {
    let folder = tempfile::tempdir().unwrap();
    fs::copy(case("mixed.ndjson"), folder.path().join("x.ndjson")).unwrap();
    let text = "version = 1\n[read]\nformat = \"fhir\"\n[rows]\nkeep = { procedure_code = [\"Microneedling\"] }\n\
                [columns]\nclinic_id = { const = \"ours\" }\n[values.modality]\npen = \"stamp\"\n";
    fs::write(folder.path().join("m.toml"), text).unwrap();
    let (code, said) = check(folder.path(), &["x.ndjson", "--mapping", "m.toml"]);
    assert_eq!(code, 0, "{said}");
    assert!(said.contains("1 rows read = 1 accepted"), "{said}");
    assert!(said.contains("1 by the mapping's row filter"), "{said}");
    fs::write(folder.path().join("m.toml"), "version = 1\n[read]\nformat = \"hl7\"\n").unwrap();
    let (code, said) = check(folder.path(), &["x.ndjson", "--mapping", "m.toml"]);
    assert!(code == 2 && said.contains("must be one of delimited") && said.contains("fhir"), "{said}");
}

#[test]
fn what_is_not_one_resource_a_line_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let line = fs::read_to_string(case("mixed.ndjson")).unwrap().lines().nth(1).unwrap().to_owned();
    let value: serde_json::Value = serde_json::from_str(&line).unwrap();
    let bundle = format!("{{\"resourceType\": \"Bundle\", \"entry\": [{{\"resource\": {line}}}]}}");
    let cases = [
        (serde_json::to_string_pretty(&value).unwrap(), 3, "jq -c"),
        (bundle, 3, "jq -c"),
        (format!("[{line}]"), 3, "jq -c"),
        (String::new(), 3, "empty"),
        ("{\"resourceType\":\"Patient\"}\n".to_owned(), 3, "no session was accepted (0 rows read)"),
        (format!("\u{feff}{line}\r\n{line}"), 0, "2 rows read = 1 accepted + 0 rejected + 1 superseded"),
    ];
    for (text, code, expected) in cases {
        fs::write(folder.path().join("x.ndjson"), &text).unwrap();
        let (got, said) = check(folder.path(), &["x.ndjson"]);
        assert_eq!(got, code, "{text}: {said}");
        assert!(said.contains(expected), "{text}: {said}");
    }
}
