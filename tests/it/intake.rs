//! From the bytes of a log to accepted, refused and remarked rows: one folder for each rule, told in its name.
#![expect(clippy::unwrap_used, clippy::print_stderr, reason = "a test stops at once, and says what it leaves out")]

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use stipple::domain::{Asked, Assessment, Catalogue, Event, FileId, Link, Resolution, Session};
use stipple::ingest::{self, RawBatch, Reader, Records};
use stipple::validate::{
    AssessmentJudge, Duplicates, EventJudge, Ignored, Judged, Mapping, RULES, Seen, SessionJudge, Table, rules,
};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn batches(reader: &mut dyn Records) -> Vec<RawBatch> {
    std::iter::from_fn(|| reader.next_batch().unwrap()).collect()
}

/// A judged file, as the lines of an `expected.txt`.
fn tell<T>(judged: &[Judged<T>], ignored: &[Ignored], value: impl Fn(&T, &str) -> String, asked: &str) -> String {
    let sum = |count: fn(&Judged<T>) -> u64| judged.iter().map(count).sum::<u64>();
    let (accepted, rejected) = (sum(|j| j.accepted.len() as u64), sum(|j| j.rejected.len() as u64));
    let (read, filtered) = (sum(|j| j.read), sum(|j| j.filtered));
    assert_eq!(read, accepted + rejected);
    let mut told = format!("read {read} accepted {accepted} rejected {rejected} filtered {filtered}\n");
    let column = |column: &Option<String>| column.clone().unwrap_or_else(|| "-".to_owned());
    let mut hints = Vec::new();
    for batch in judged {
        for r in &batch.rejected {
            let (line, record) = (r.place.line, r.place.record);
            writeln!(told, "rejected line {line} record {record} column {} rule {}", column(&r.column), r.rule)
                .unwrap();
            hints.push(format!("hint line {line}: {}", r.hint));
            hints.push(format!("text line {line}: {}", r.text));
        }
        for w in &batch.warnings {
            let (line, record) = (w.place.line, w.place.record);
            writeln!(told, "warned line {line} record {record} column {} rule {}", column(&w.column), w.rule).unwrap();
            hints.push(format!("hint line {line}: {}", w.hint));
        }
    }
    for ignored in ignored {
        writeln!(told, "ignored {}", ignored.header).unwrap();
    }
    for wanted in asked.lines() {
        if let Some(name) = wanted.strip_prefix("value line ") {
            let mut words = name.split(' ');
            let (line, name): (u64, &str) = (words.next().unwrap().parse().unwrap(), words.next().unwrap());
            let row = judged.iter().flat_map(|batch| &batch.accepted).find(|row| row.place.line == line).unwrap();
            writeln!(told, "value line {line} {name} {}", value(&row.value, name)).unwrap();
        } else if wanted.starts_with("hint") || wanted.starts_with("text") {
            let found = hints.iter().find(|hint| *hint == wanted);
            writeln!(told, "{}", found.map_or_else(|| format!("no such hint: {hints:#?}"), Clone::clone)).unwrap();
        } else if let Some(secret) = wanted.strip_prefix("absent ") {
            assert!(!hints.iter().any(|hint| hint.contains(secret)), "{secret} is shown: {hints:#?}");
            writeln!(told, "{wanted}").unwrap();
        }
    }
    told
}

fn session_value(session: &Session, column: &str) -> String {
    let catalogue = catalogue_of_cases();
    let number = |value: Option<f64>| value.map_or("-".to_owned(), |value| value.to_string());
    match column {
        "session_id" => session.session_id.to_string(),
        "patient_id" => session.patient_id.to_string(),
        "clinic_id" => session.clinic_id.to_string(),
        "session_date" => session.session_date.to_string(),
        "modality" => session.modality.code().to_owned(),
        "needle_depth_mm" => number(session.needle_depth_mm),
        "rf_energy_mj" => number(session.rf_energy_mj),
        "pain_vas" => number(session.pain_vas),
        "fitzpatrick" => session.fitzpatrick.map_or("-", |skin| skin.numeral()).to_owned(),
        "sterile_single_use" => session.sterile_single_use.map_or("-", |answer| answer.code()).to_owned(),
        "conditions" => {
            session.conditions.map_or("-".to_owned(), |set| set.text(stipple::domain::codes::Condition::CODES))
        }
        "side_effects" => match &session.side_effects {
            Asked::No => "-".to_owned(),
            Asked::Yes(effects) if effects.is_empty() => "none".to_owned(),
            Asked::Yes(effects) => {
                let told = effects.iter().map(|effect| {
                    let mut text = catalogue.get(effect.effect).code.clone();
                    text += &effect.verbatim.as_ref().map(|term| format!("({term})")).unwrap_or_default();
                    text += &effect.grade.map(|grade| format!(":{}", grade.number())).unwrap_or_default();
                    text += &effect.onset.map(|onset| format!(":{onset}")).unwrap_or_default();
                    text + &end(effect.resolution)
                });
                told.collect::<Vec<_>>().join(";")
            }
        },
        other => panic!("{other} is not told by this test"),
    }
}

fn end(resolution: Resolution) -> String {
    match resolution {
        Resolution::NotStated => String::new(),
        Resolution::Ongoing => "/ongoing".to_owned(),
        Resolution::On(day) => format!("/{day}"),
    }
}

fn event_value(event: &Event, column: &str) -> String {
    let dash = || "-".to_owned();
    match (column, &event.link) {
        ("session_id", Link::Session { session_id, .. }) => session_id.to_string(),
        ("patient_id", Link::Patient { patient_id, .. }) => patient_id.to_string(),
        ("body_area", Link::Patient { body_area, .. }) => body_area.map_or(dash(), |area| area.code().to_owned()),
        ("side_effect", _) => Catalogue::built_in().get(event.effect).code.clone(),
        ("grade", _) => event.grade.map_or(dash(), |grade| grade.number().to_string()),
        ("resolved_date", _) => end(event.resolution).trim_start_matches('/').to_owned(),
        ("verbatim", _) => event.verbatim.clone().unwrap_or_else(dash),
        ("serious", _) => event.serious.map_or(dash(), |serious| serious.to_string()),
        _ => dash(),
    }
}

/// The built-in catalogue and the one term that a case adds.
fn catalogue_of_cases() -> Catalogue {
    let text = "[side_effects]\npetechiae = { label = \"Petechiae\", window_days = 14, grades = 3, synonyms = [\"pin spots\"] }";
    let mut catalogue = Catalogue::built_in();
    Mapping::from_toml(text, "site.toml").unwrap().extend(&mut catalogue);
    catalogue
}

fn run(folder: &Path, expected: &str) -> String {
    let mapping = match std::fs::read_to_string(folder.join("mapping.toml")) {
        Err(_) => Mapping::default(),
        Ok(text) => match Mapping::from_toml(&text, "mapping.toml") {
            Ok(mapping) => mapping,
            Err(error) => return format!("mapping error line {}: {}\n", error.line.unwrap_or(0), error.problem),
        },
    };
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    let tables = [("sessions", Table::Sessions), ("events", Table::Events), ("assessments", Table::Assessments)];
    let (path, table) = tables.iter().find_map(|(name, table)| Some((log(folder, name)?, *table))).unwrap();
    let mut reader = match ingest::open(&path, FileId(0), &mapping.read_options(table)) {
        Ok(reader) => reader,
        Err(error) => return first_part(expected, "file error", &error.to_string()),
    };
    let header = reader.header().to_vec();
    let batches = batches(reader.as_mut());
    let told = match table {
        Table::Sessions => SessionJudge::new(&header, &mapping, &catalogue).map(|judge| {
            let judged: Vec<_> = batches.iter().map(|batch| judge.judge(batch)).collect();
            tell(&judged, judge.ignored(), session_value, expected)
        }),
        Table::Events => EventJudge::new(&header, &mapping, &catalogue).map(|judge| {
            let judged: Vec<_> = batches.iter().map(|batch| judge.judge(batch)).collect();
            tell(&judged, judge.ignored(), event_value, expected)
        }),
        Table::Assessments => AssessmentJudge::new(&header, &mapping, &catalogue).map(|judge| {
            let judged: Vec<_> = batches.iter().map(|batch| judge.judge(batch)).collect();
            tell(&judged, judge.ignored(), |assessment: &Assessment, _| assessment.scale.clone(), expected)
        }),
    };
    let tally = reader.tally();
    match told {
        Err(error) => first_part(expected, "header error", &error.to_string()),
        Ok(told) if expected.contains("\nlines ") => {
            let (header, blank, records) = (tally.header_lines, tally.blank_lines, tally.record_lines);
            format!("{told}lines header {header} blank {blank} records {records}\n")
        }
        Ok(told) => told,
    }
}

/// The file of a name in a folder, whatever its format.
fn log(folder: &Path, name: &str) -> Option<PathBuf> {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files.into_iter().find(|path| path.file_stem().is_some_and(|stem| stem == name))
}

/// The expected text where the message holds it, else the message.
fn first_part(expected: &str, kind: &str, message: &str) -> String {
    let wanted = expected.trim_end().strip_prefix(kind).unwrap_or("?").trim_start();
    if message.contains(wanted) { expected.to_owned() } else { format!("{kind} {message}\n") }
}

fn folders() -> Vec<PathBuf> {
    let mut folders: Vec<PathBuf> = std::fs::read_dir(root().join("tests/cases/intake"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn sorted(text: &str) -> BTreeSet<&str> {
    text.lines().collect()
}

#[test]
fn every_case_comes_out_as_expected() {
    let mut failures = String::new();
    for folder in folders() {
        let expected = std::fs::read_to_string(folder.join("expected.txt")).unwrap();
        let told = run(&folder, &expected);
        if sorted(&told) != sorted(&expected) {
            writeln!(failures, "{}\n--- expected\n{expected}--- got\n{told}", folder.display()).unwrap();
        }
    }
    assert!(failures.is_empty(), "{failures}");
}

#[test]
fn every_rule_has_a_case_that_shows_it() {
    // Rules that need several files, or a file too large to keep, are shown elsewhere.
    let elsewhere = [rules::RECORD_TOO_LARGE];
    for rule in RULES.iter().filter(|rule| rule.family != stipple::validate::Family::Linking) {
        if elsewhere.contains(&rule.id) {
            continue;
        }
        let expected = root().join("tests/cases/intake").join(rule.id).join("expected.txt");
        let text = std::fs::read_to_string(&expected).unwrap_or_default();
        assert!(text.contains(&format!("rule {}", rule.id)), "no case for {}", rule.id);
    }
}

#[test]
fn a_field_of_many_megabytes_is_one_refused_row() {
    let header = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication\n";
    let row = "s,p,c,2026-03-02,professional,pen,face,acne_scars\n";
    let text = format!("{header}{row}s,p,{},2026\n{row}", "x".repeat(20 << 20));
    let source = ingest::Source {
        path: "log.csv".into(),
        file: FileId(0),
        bytes: Box::new(std::io::Cursor::new(text.into_bytes())),
    };
    let mut reader = Reader::new(source, &ingest::ReadOptions::default()).unwrap();
    let judge = SessionJudge::new(reader.header(), &Mapping::default(), &Catalogue::built_in()).unwrap();
    let judged: Vec<_> = batches(&mut reader).iter().map(|batch| judge.judge(batch)).collect();
    let rejected: Vec<_> = judged.iter().flat_map(|batch| &batch.rejected).collect();
    assert_eq!(rejected.len(), 1);
    assert_eq!((rejected[0].rule, rejected[0].place.line), (rules::RECORD_TOO_LARGE, 3));
    assert!(rejected[0].text.len() < 100);
    assert_eq!(judged.iter().map(|batch| batch.accepted.len()).sum::<usize>(), 2);
}

#[test]
fn an_identical_row_is_a_repeat_and_a_changed_one_replaces() {
    let header = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,passes\n";
    let row = |passes: &str| format!("s1,p,c,2026-03-02,professional,pen,face,acne_scars,{passes}\n");
    let text = format!("{header}{}{}{}{}", row("3"), row("3.0"), row("4"), row("4").replace("s1", "s2"));
    let source = ingest::Source {
        path: "log.csv".into(),
        file: FileId(4),
        bytes: Box::new(std::io::Cursor::new(text.into_bytes())),
    };
    let mut reader = Reader::new(source, &ingest::ReadOptions::default()).unwrap();
    let judge = SessionJudge::new(reader.header(), &Mapping::default(), &Catalogue::built_in()).unwrap();
    let mut ledger = Duplicates::new();
    let judged: Vec<_> = batches(&mut reader).iter().map(|batch| judge.judge(batch)).collect();
    let seen: Vec<Seen> = judged.iter().flat_map(|batch| &batch.accepted).map(|row| ledger.see(row)).collect();
    let first = judged[0].accepted[0].place;
    let expected =
        [Seen::New, Seen::Repeats { earlier: first }, Seen::Replaces { earlier: first, earlier_index: 0 }, Seen::New];
    assert_eq!(seen, expected);
}

/// Subjects with a treatment-emergent dermatologic event, by arm: counted by the trial's own analysis data.
#[test]
fn the_cdisc_pilot_gives_its_published_subjects_with_dermatologic_events() {
    let data = root().join("../shared/data/cdisc_pilot");
    if !data.join("adsl.csv").exists() {
        eprintln!("skipped: the CDISC pilot data are not beside this repository");
        return;
    }
    let text = std::fs::read_to_string(root().join("pipelines/cdisc_pilot.mapping.toml")).unwrap();
    let mapping = Mapping::from_toml(&text, "cdisc_pilot.mapping.toml").unwrap();
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    let read = |name: &str, table| ingest::open(&data.join(name), FileId(0), &mapping.read_options(table)).unwrap();

    let mut log = read("adsl.csv", Table::Sessions);
    let judge = SessionJudge::new(log.header(), &mapping, &catalogue).unwrap();
    let sessions: Vec<_> = batches(log.as_mut()).iter().map(|batch| judge.judge(batch)).collect();
    assert!(sessions.iter().all(|batch| batch.rejected.is_empty()), "{:#?}", sessions[0].rejected.first());

    let mut events = read("adae.csv", Table::Events);
    let judge = EventJudge::new(events.header(), &mapping, &catalogue).unwrap();
    let judged: Vec<_> = batches(events.as_mut()).iter().map(|batch| judge.judge(batch)).collect();
    assert!(judged.iter().all(|batch| batch.rejected.is_empty()), "{:#?}", judged[0].rejected.first());
    assert_eq!(
        judged.iter().map(|batch| (batch.read, batch.filtered)).fold((0, 0), |a, b| (a.0 + b.0, a.1 + b.1)),
        (476, 715)
    );
    let affected: BTreeSet<&str> = judged
        .iter()
        .flat_map(|batch| &batch.accepted)
        .map(|event| match &event.value.link {
            Link::Session { session_id, .. } => session_id.as_str(),
            Link::Patient { patient_id, .. } => patient_id.as_str(),
        })
        .collect();

    let by_arm = |arm: &str| {
        let of_arm = || {
            let all = sessions.iter().flat_map(|batch| &batch.accepted);
            all.filter(|session| session.value.device_model.as_deref() == Some(arm))
        };
        (of_arm().filter(|session| affected.contains(session.value.session_id.as_str())).count(), of_arm().count())
    };
    assert_eq!(by_arm("Placebo"), (29, 86));
    assert_eq!(by_arm("Xanomeline High Dose"), (61, 84));
    assert_eq!(by_arm("Xanomeline Low Dose"), (62, 84));
}
