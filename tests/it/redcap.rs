//! Exports of REDCap projects: the rows of one instrument with what the record's own row says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use stipple::domain::{Asked, Catalogue, FileId, Link, Session};
use stipple::ingest::{self, LeftOut};
use stipple::pipeline::settle::mapping;
use stipple::validate::{AssessmentJudge, EventJudge, Judged, Mapping, SessionJudge, Table};

fn cases() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/redcap")
}

struct Read<T> {
    judged: Vec<Judged<T>>,
    left_out: Vec<LeftOut>,
    ignored: Vec<String>,
    records: u64,
}

impl<T> Read<T> {
    fn values(&self) -> Vec<&T> {
        self.judged.iter().flat_map(|batch| &batch.accepted).map(|row| &row.value).collect()
    }

    fn refused(&self) -> Vec<(u64, &str)> {
        let refused = self.judged.iter().flat_map(|batch| &batch.rejected);
        refused.map(|row| (row.place.line, row.rule)).collect()
    }

    fn told(&self) -> Vec<String> {
        self.left_out.iter().map(|left| format!("{} {}", left.records, left.what)).collect()
    }
}

macro_rules! read {
    ($judge:ident, $table:expr, $path:expr, $mapping:expr) => {{
        let (path, mapping): (&Path, &Mapping) = ($path, $mapping);
        let mut reader = ingest::open(path, FileId(0), &mapping.read_options($table)).unwrap();
        let catalogue = Catalogue::built_in();
        let judge = $judge::new(reader.header(), mapping, &catalogue).unwrap();
        let mut judged = Vec::new();
        while let Some(batch) = reader.next_batch().unwrap() {
            judged.push(judge.judge(&batch));
        }
        let ignored = judge.ignored().iter().map(|ignored| ignored.header.clone()).collect();
        Read { judged, left_out: reader.left_out(), ignored, records: reader.tally().records }
    }};
}

fn project() -> Mapping {
    mapping(&cases().join("mapping.toml")).unwrap()
}

fn effects(session: &Session) -> String {
    let catalogue = Catalogue::built_in();
    match &session.side_effects {
        Asked::No => "nobody asked".to_owned(),
        Asked::Yes(effects) => {
            effects.iter().map(|effect| catalogue.get(effect.effect).code.clone()).collect::<Vec<_>>().join(";")
        }
    }
}

#[test]
fn raw_data_and_labels_give_the_same_sessions_events_and_scores() {
    for file in ["raw.csv", "labels.csv"] {
        let (path, mapping) = (cases().join(file), project());
        let sessions = read!(SessionJudge, Table::Sessions, &path, &mapping);
        assert_eq!(sessions.refused(), [], "{file}");
        let told: Vec<String> = sessions
            .values()
            .iter()
            .map(|s| {
                let skin = s.fitzpatrick.map_or("-", |skin| skin.numeral());
                let conditions = s.conditions.map(|set| set.text(stipple::domain::codes::Condition::CODES));
                let conditions = conditions.unwrap_or_default();
                let (sex, sterile) = (s.sex.unwrap().code(), s.sterile_single_use.unwrap().code());
                let (device, area, depth) = (s.modality.code(), s.body_area.code(), s.needle_depth_mm.unwrap());
                let day = s.session_date;
                format!(
                    "{} {day} {device} {depth} {area} {sterile} {sex} {skin} {conditions} {}",
                    s.session_id,
                    effects(s)
                )
            })
            .collect();
        let expected = [
            "P-001-1 2026-01-05 pen 1.5 face yes female III active_acne;rosacea erythema;swelling",
            "P-001-2 2026-02-05 rf 2 neck no female III active_acne;rosacea ",
            "P-002-1 2026-01-07 roller 0.5 face yes male V none nobody asked",
        ];
        assert_eq!(told, expected, "{file}");
        let filtered: u64 = sessions.left_out.iter().map(|left| left.records).sum();
        assert_eq!(sessions.records, 3 + filtered, "no row goes without a word");

        let events = read!(EventJudge, Table::Events, &path, &mapping);
        let [event] = events.values()[..] else { panic!("{file}: {:?}", events.refused()) };
        let link = Link::Session { session_id: "P-001-2".into(), patient_id: Some("P-001".to_owned().into()) };
        assert_eq!((&event.link, event.grade.unwrap().number()), (&link, 2));
        assert_eq!(Catalogue::built_in().get(event.effect).code, "pih");

        let scores = read!(AssessmentJudge, Table::Assessments, &path, &mapping);
        let told: Vec<(&str, &str, f64)> =
            scores.values().iter().map(|s| (s.patient_id.as_str(), s.scale.as_str(), s.score)).collect();
        assert_eq!(told, [("P-001", "gais", 2.0), ("P-002", "dlqi", 11.0)], "{file}");
    }
}

#[test]
fn rows_of_other_instruments_are_counted_by_instrument() {
    let sessions = read!(SessionJudge, Table::Sessions, &cases().join("raw.csv"), &project());
    let expected = [
        "1 rows of the instrument adverse_event",
        "2 rows of the instrument score",
        "2 rows that hold nothing of the instrument treatment",
    ];
    assert_eq!(sessions.told(), expected);
    // What nobody reads is REDCap's own.
    assert_eq!(sessions.ignored, ["redcap_repeat_instrument", "redcap_repeat_instance", "treatment_complete"]);
}

#[test]
fn what_goes_wrong_in_an_export_is_told_row_by_row() {
    let sessions = read!(SessionJudge, Table::Sessions, &cases().join("ills.csv"), &project());
    // An empty instance, a code that the dictionary lacks, no record, a row that is cut; the check box that the
    // dictionary lacks is no condition.
    let refused = [
        (3, "unknown_code"),
        (10, "missing_required"),
        (13, "unknown_code"),
        (15, "missing_required"),
        (16, "too_few_fields"),
    ];
    assert_eq!(sessions.refused(), refused);
    let told: Vec<(String, String)> = sessions
        .values()
        .iter()
        .map(|s| (s.session_id.to_string(), s.fitzpatrick.map_or("-", |skin| skin.numeral()).to_owned()))
        .collect();
    let told: Vec<(&str, &str)> = told.iter().map(|(id, skin)| (id.as_str(), skin.as_str())).collect();
    // The record's own row stands behind its treatments; P-003 has none; those of P-004 contradict each other.
    let expected = [
        ("P-001-1", "III"),
        ("P-003-1", "-"),
        ("P-001-2", "III"),
        ("P-001-2", "III"),
        ("P-001-2", "III"),
        ("P-004-2", "-"),
    ];
    assert_eq!(told, expected);
    let remarks = sessions.told();
    for remark in [
        "1 rows of an instrument of which the export has no field",
        "4 rows that hold nothing of the instrument treatment",
        "0 the check box cond___9 has no choice in the dictionary: its code is kept",
        "0 skin differs between the rows of a record (1 of them), so it was not carried over",
        "0 records without a row of their own, from which nothing could be carried over: 1",
    ] {
        assert!(remarks.iter().any(|told| told == remark), "{remark}: {remarks:#?}");
    }
    assert!(!format!("{remarks:?}").contains("P-00"));
    let filtered: u64 = sessions.left_out.iter().map(|left| left.records).sum();
    assert_eq!(sessions.records, 11 + filtered);
}

#[test]
fn in_a_longitudinal_project_each_visit_is_a_session() {
    let sessions = read!(SessionJudge, Table::Sessions, &cases().join("longitudinal.csv"), &project());
    let told: Vec<String> = sessions
        .values()
        .iter()
        .map(|s| format!("{} {} {}", s.session_id, s.fitzpatrick.unwrap().numeral(), effects(s)))
        .collect();
    assert_eq!(told, ["P-001-visit_1_arm_1 III erythema", "P-001-visit_2_arm_1 III "]);
    assert_eq!(sessions.told(), ["2 rows that hold nothing of the instrument treatment"]);
}

fn check(folder: &Path, mapping: &str, export: &str, more: &[&str]) -> Output {
    fs::write(folder.join("m.toml"), mapping).unwrap();
    fs::copy(cases().join("dictionary.csv"), folder.join("dictionary.csv")).unwrap();
    fs::write(folder.join("export.csv"), export).unwrap();
    let program = env!("CARGO_BIN_EXE_stipple");
    Command::new(program)
        .args(["check", "export.csv", "--mapping", "m.toml"])
        .args(more)
        .current_dir(folder)
        .env("NO_COLOR", "1")
        .output()
        .unwrap()
}

fn said(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn the_same_export_serves_as_log_events_and_assessments() {
    let folder = tempfile::tempdir().unwrap();
    let text = |name: &str| fs::read_to_string(cases().join(name)).unwrap();
    let more = ["--events", "export.csv", "--assessments", "export.csv"];
    let output = check(folder.path(), &text("mapping.toml"), &text("raw.csv"), &more);
    let said = said(&output);
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(said.contains("6 rows read = 6 accepted + 0 rejected + 0 superseded"), "{said}");
    assert!(said.contains("Left out of export.csv (log)") && said.contains("2 rows of the instrument score"), "{said}");
    let ingest = ["ingest", "--store", "w", "export.csv", "--mapping", "m.toml", "--quiet"];
    let output = Command::new(env!("CARGO_BIN_EXE_stipple")).args(ingest).current_dir(folder.path()).output().unwrap();
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(told.contains("Left out of export.csv (log)") && told.contains("2 rows of the instrument score"), "{told}");
    // A repeated instance: once the same, once changed.
    let output = check(folder.path(), &text("mapping.toml"), &text("ills.csv"), &[]);
    let said = self::said(&output);
    assert!(said.contains("11 rows read = 4 accepted + 5 rejected + 2 superseded"), "{said}");
    assert!(!said.contains("P-00"), "{said}");
}

#[test]
fn the_mapping_wins_over_the_dictionary() {
    let folder = tempfile::tempdir().unwrap();
    let raw = fs::read_to_string(cases().join("raw.csv")).unwrap();
    // A value named by its code or by its label, and a column that the label would find elsewhere.
    for value in ["\"3\" = \"stamp\"", "\"Radiofrequency\" = \"stamp\""] {
        let text = format!(
            "version = 1\n[redcap]\ndictionary = \"dictionary.csv\"\nsessions = \"Treatment\"\n[columns]\nmodality = \
             \"device\"\nsetting = {{ const = \"professional\" }}\nneedle_depth_mm = {{ const = 0.25 }}\n[values.modality]\n{value}\n"
        );
        fs::write(folder.path().join("m.toml"), text).unwrap();
        fs::copy(cases().join("dictionary.csv"), folder.path().join("dictionary.csv")).unwrap();
        fs::write(folder.path().join("export.csv"), &raw).unwrap();
        let mapping = mapping(&folder.path().join("m.toml")).unwrap();
        let sessions = read!(SessionJudge, Table::Sessions, &folder.path().join("export.csv"), &mapping);
        let told: Vec<(&str, Option<f64>)> =
            sessions.values().iter().map(|s| (s.modality.code(), s.needle_depth_mm)).collect();
        assert_eq!(told, [("pen", Some(0.25)), ("stamp", Some(0.25)), ("roller", Some(0.25))], "{value}");
    }
}

#[test]
fn without_a_dictionary_instruments_are_told_by_their_status_columns() {
    let folder = tempfile::tempdir().unwrap();
    let raw = fs::read_to_string(cases().join("raw.csv")).unwrap();
    let columns = "session_date = \"tx_date\"\nclinic_id = \"clinic\"\nmodality = \"device\"\nbody_area = \"area\"\n\
                   indication = \"why\"\nfitzpatrick = \"skin\"\nconditions = \"cond\"\nsetting = { const = \"professional\" }";
    let values = "[values]\nmodality = { 1 = \"pen\", 2 = \"roller\", 3 = \"rf\" }\nbody_area = { 1 = \"face\", 2 = \"neck\" }\n\
                  indication = { 1 = \"acne_scars\", 2 = \"laxity\" }\n\
                  conditions = { 0 = \"none\", 1 = \"active_acne\", 2 = \"eczema\", \"_1\" = \"rosacea\" }";
    let text = format!(
        "version = 1\n[redcap]\nsessions = \"treatment\"\nrecord_id = \"record_id\"\n[columns]\n{columns}\n{values}\n"
    );
    fs::write(folder.path().join("m.toml"), text).unwrap();
    fs::write(folder.path().join("export.csv"), raw).unwrap();
    let mapping = mapping(&folder.path().join("m.toml")).unwrap();
    let sessions = read!(SessionJudge, Table::Sessions, &folder.path().join("export.csv"), &mapping);
    assert_eq!(sessions.refused(), []);
    let told: Vec<(&str, &str)> =
        sessions.values().iter().map(|s| (s.session_id.as_str(), s.fitzpatrick.unwrap().numeral())).collect();
    assert_eq!(told, [("P-001-1", "III"), ("P-001-2", "III"), ("P-002-1", "V")]);
}

#[test]
fn wrong_use_is_told_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let raw = fs::read_to_string(cases().join("raw.csv")).unwrap();
    let dictionary = "version = 1\n[redcap]\ndictionary = \"dictionary.csv\"\n";
    let cases = [
        (format!("{dictionary}sessions = \"treatments\"\n"), 3, "it holds adverse_event, enrolment, score, treatment"),
        (dictionary.to_owned(), 2, "names an instrument"),
        (format!("{dictionary}session = \"treatment\"\n"), 2, "did you mean «sessions»?"),
        (
            "version = 1\n[redcap]\nsessions = \"treatment\"\ndictionary = \"gone.csv\"\n".to_owned(),
            2,
            "data dictionary",
        ),
        (
            "version = 1\n[redcap]\nsessions = \"treatment\"\ndictionary = \"export.csv\"\n".to_owned(),
            2,
            "no REDCap data dictionary",
        ),
    ];
    for (mapping, code, expected) in cases {
        let output = check(folder.path(), &mapping, &raw, &[]);
        assert_eq!(output.status.code(), Some(code), "{mapping}: {}", said(&output));
        assert!(said(&output).contains(expected), "{mapping}: {}", said(&output));
    }
    let good = format!(
        "{dictionary}sessions = \"treatment\"\n[columns]\nmodality = \"device\"\nsetting = {{ const = \"home\" }}\n"
    );
    let header = raw.lines().next().unwrap();
    for (export, expected) in [
        ("", "the file is empty"),
        (&format!("{header}\n")[..], "no session was accepted (0 rows read)"),
        ("a,b\n1,2\n", "holds nothing of the instrument"),
    ] {
        let output = check(folder.path(), &good, export, &[]);
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    // Cut off in the middle of its last line.
    let lines = raw.lines().take(3).collect::<Vec<_>>().join("\n");
    let output = check(folder.path(), &good, &lines[..lines.len() - 20], &[]);
    assert!(said(&output).contains("truncated_last_line"), "{}", said(&output));
}
