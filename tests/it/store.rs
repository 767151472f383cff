//! The store: what goes in comes out, once, whatever the order, the amendments and the interruptions.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use stipple::domain::{Catalogue, Day, Place};
use stipple::pipeline::listing::RuleTally;
use stipple::pipeline::load::load;
use stipple::pipeline::settle::{AsOf, Choice, Named, settle_with};
use stipple::pipeline::take_in::{TakeIn, TakeInError, TakenIn, take_in};
use stipple::pipeline::{Product, Source, Unwatched, produce};
use stipple::store::SessionsBuilder;
use stipple::store::lake::{
    Author, BatchKind, Home, Keys, Store, StoreError, TableName, history, housekeeping, verify,
};
use stipple::validate::Mapping;

pub(crate) const HEADER: &str = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,\
                                 last_follow_up_date,side_effects\n";

/// A folder with a store, and what is put into it day by day.
pub(crate) struct Warehouse {
    folder: tempfile::TempDir,
    pub(crate) keys: Keys,
    day: i64,
    mapping: Mapping,
    /// Bytes that an ingest may use, about.
    memory: usize,
    /// Whether files that are in the store are read once more.
    again: bool,
}

impl Warehouse {
    pub(crate) fn new() -> Warehouse {
        Warehouse {
            folder: tempfile::tempdir().unwrap(),
            keys: Keys::new([7; 32]),
            day: i64::from(Day::from_ymd(2026, 3, 1).unwrap().0),
            mapping: Mapping::default(),
            memory: 64 << 20,
            again: false,
        }
    }

    pub(crate) fn root(&self) -> PathBuf {
        self.folder.path().join("warehouse")
    }

    fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    /// Ingests logs and events on the next day.
    pub(crate) fn ingest(&mut self, logs: &[&str], events: &[&str]) -> TakenIn {
        self.try_ingest(logs, events).unwrap()
    }

    fn try_ingest(&mut self, logs: &[&str], events: &[&str]) -> Result<TakenIn, TakeInError> {
        self.day += 1;
        let write = |kind: &str, texts: &[&str]| -> Vec<String> {
            texts
                .iter()
                .enumerate()
                .map(|(at, text)| self.file(&format!("{kind}_{}_{at}.csv", self.day), text))
                .collect()
        };
        let (logs, events) = (write("log", logs), write("events", events));
        let named = Named { logs: &logs, events: &events, assessments: &[] };
        self.take(&Source::find(Path::new(""), named, self.mapping.clone()).unwrap())
    }

    pub(crate) fn take(&self, source: &Source) -> Result<TakenIn, TakeInError> {
        let author = self.author();
        let request = TakeIn {
            store: &Home::from(&self.root()),
            source,
            source_name: None,
            mapping_hash: "",
            keys: &self.keys,
            again: self.again,
            memory: self.memory,
            author: &author,
        };
        take_in(&request, &Unwatched)
    }

    fn author(&self) -> Author {
        Author { by: "a test".to_owned(), at_ms: self.day * 86_400_000 + 3_600_000 }
    }

    pub(crate) fn open(&self) -> Store {
        Store::open(&self.root()).unwrap()
    }

    /// What is there, one line a session: id, follow-up, and the state of two side effects.
    fn sessions(&self) -> Vec<String> {
        let columns = ["session_id", "session_date", "last_follow_up_date", "erythema_present", "pih_present"];
        self.rows(TableName::Sessions, &columns)
    }

    /// What some columns of a table say, a text for each row, in the order of the texts.
    fn rows(&self, table: TableName, columns: &[&str]) -> Vec<String> {
        let store = self.open();
        assert_whole(&store);
        let mut told = Vec::new();
        for file in store.files(table, store.latest()).unwrap() {
            let rows = store.read(table, &file, None).unwrap();
            for row in 0..rows.num_rows() {
                let text = |name: &str| {
                    let column = rows.column_by_name(name).unwrap();
                    let text = arrow::util::display::array_value_to_string(column, row).unwrap();
                    if text.is_empty() { "-".to_owned() } else { text }
                };
                told.push(columns.iter().map(|column| text(column)).collect::<Vec<_>>().join(" "));
            }
        }
        told.sort();
        told
    }

    /// The report of a pipeline on the store.
    fn report(&self, as_of: Option<AsOf>) -> Product {
        let pipeline = self.file("pipeline.toml", PIPELINE);
        let root = self.root();
        let choice = Choice { store: Some(&root), as_of, ..Choice::default() };
        produce(&settle_with(Path::new(&pipeline), choice).unwrap(), &Unwatched).unwrap()
    }
}

const PIPELINE: &str = r#"
version = 1
id = "of_the_store"
[[analysis]]
id = "rates"
kind = "side_effect_rates"
outcomes = ["all"]
by = ["modality"]
"#;

fn assert_whole(store: &Store) {
    let found = verify::verify(store, &store.latest().catalogue()).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
}

fn row(session: &str, patient: &str, day: &str, follow_up: &str, effects: &str) -> String {
    format!("{session},{patient},north,{day},professional,pen,face,acne_scars,{follow_up},{effects}\n")
}

fn log(rows: &[String]) -> String {
    format!("{HEADER}{}", rows.concat())
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The rows of a report that do not speak of files and batches.
fn numbers(product: &Product) -> Vec<String> {
    let results = product.files.iter().find(|file| file.path == "results.csv").unwrap();
    let text = String::from_utf8(results.bytes.clone()).unwrap();
    text.lines().filter(|line| !line.starts_with("data_quality")).map(str::to_owned).collect()
}

pub(crate) fn harbour() -> Source {
    let sample = root().join("sample_data");
    let named = |name: &str| sample.join(name).display().to_string();
    let mapping = fs::read_to_string(sample.join("harbour.mapping.toml")).unwrap();
    let (logs, events, scores) =
        ([named("harbour/*.csv")], [named("harbour_events.csv")], [named("harbour_scores.csv")]);
    let named = Named { logs: &logs, events: &events, assessments: &scores };
    Source::find(Path::new(""), named, Mapping::from_toml(&mapping, "harbour").unwrap()).unwrap()
}

fn pipeline_on_harbour(folder: &Path) -> PathBuf {
    let sample = root().join("sample_data");
    let text = format!(
        "version = 1\nid = \"files\"\n[source]\nlogs = [\"{0}/harbour/*.csv\"]\nevents = [\"{0}/harbour_events.csv\"]\n\
         mapping = \"{0}/harbour.mapping.toml\"\n[[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\n\
         outcomes = [\"all\"]\nby = [\"modality\", {{ needle_depth_mm = [0.5, 1.0, 1.5] }}]\n[[analysis]]\nid = \"tone\"\nkind = \"trend\"\n\
         outcomes = [\"pih\"]\nover = \"fitzpatrick\"\nadjust = [\"needle_depth_mm\", \"passes\", \"clinic_id\"]\n",
        sample.display()
    );
    let path = folder.join("files.toml");
    fs::write(&path, text).unwrap();
    path
}

#[test]
fn the_store_gives_the_same_numbers_as_the_files() {
    let warehouse = Warehouse::new();
    warehouse.take(&harbour()).unwrap();
    assert_whole(&warehouse.open());
    let pipeline = pipeline_on_harbour(warehouse.folder.path());
    let files = produce(&settle_with(&pipeline, Choice::default()).unwrap(), &Unwatched).unwrap();
    let store_root = warehouse.root();
    let choice = Choice { store: Some(&store_root), ..Choice::default() };
    let store = produce(&settle_with(&pipeline, choice).unwrap(), &Unwatched).unwrap();
    let (files, store) = (numbers(&files), numbers(&store));
    assert_eq!(files.len(), store.len());
    for (one, other) in files.iter().zip(&store) {
        assert_same_numbers(one, other);
    }
}

/// Sums over patients may come in another order: the last digit of a number may differ, nothing else.
fn assert_same_numbers(one: &str, other: &str) {
    for (a, b) in one.split(',').zip(other.split(',')) {
        match (a.parse::<f64>(), b.parse::<f64>()) {
            (Ok(x), Ok(y)) => assert!((x - y).abs() <= 1e-9 * x.abs().max(1e-9), "{one}\n{other}"),
            _ => assert_eq!(a, b, "{one}\n{other}"),
        }
    }
}

#[test]
fn the_same_file_twice_changes_nothing() {
    let mut warehouse = Warehouse::new();
    let text = log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")]);
    assert_eq!(warehouse.ingest(&[&text], &[]).version, Some(2));
    let again = warehouse.ingest(&[&text], &[]);
    assert_eq!((again.version, again.known.len()), (None, 1));
    assert_eq!((again.counts.sessions, again.counts.new_sessions, again.counts.amended_sessions), (1, 0, 0));
    assert_eq!(warehouse.open().latest().version, 2);
    // The same rows in another file: read, counted as superseded, and nothing is written anew.
    let other = format!("{text}\n");
    let taken = warehouse.ingest(&[&other], &[]);
    assert_eq!((taken.files[0].read, taken.files[0].accepted, taken.files[0].superseded), (1, 0, 1));
    assert!(warehouse.open().latest().changes.is_empty());
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false false"]);
}

/// A correction that is taken back is a file with the bytes of an earlier one.
#[test]
fn a_file_that_is_read_again_is_the_newest() {
    let mut warehouse = Warehouse::new();
    let [first, second] = ["pih:1", "none"].map(|effects| log(&[row("S1", "P1", "2026-01-05", "2026-05-05", effects)]));
    warehouse.ingest(&[&first], &[]);
    warehouse.ingest(&[&second], &[]);
    assert_eq!(warehouse.ingest(&[&first], &[]).version, None);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false false"]);
    warehouse.again = true;
    let taken = warehouse.ingest(&[&first], &[]);
    assert_eq!((taken.version, taken.counts.amended_sessions, taken.known.len()), (Some(4), 1, 0));
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true"]);
    // From now on it is known from there.
    warehouse.again = false;
    assert_eq!(warehouse.ingest(&[&first], &[]).known[0].1, 4);
}

#[test]
fn the_newer_row_wins_and_the_older_stays_reachable() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-01-20", "erythema:1")])], &[]);
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-02-05", "2026-05-20", "pih:1")])], &[]);
    // An earlier follow-up than is known does not take away what was seen.
    let taken = warehouse.ingest(&[&log(&[row("S1", "P1", "2026-02-05", "2026-02-06", "pih:2")])], &[]);
    assert_eq!(tally(&taken.warnings, "follow_up_kept"), 1);
    assert_eq!((taken.counts.sessions, taken.counts.amended_sessions), (1, 1));
    assert_eq!(warehouse.sessions(), ["S1 2026-02-05 2026-05-20 false true"]);
    let store = warehouse.open();
    let versions = history::of_session(&store, "S1").unwrap();
    let told: Vec<(u64, &str, Option<u64>)> =
        versions.iter().map(|v| (v.store_version, v.month.as_str(), v.replaced_in)).collect();
    assert_eq!(told, [(2, "2026-01", Some(3)), (3, "2026-02", Some(4)), (4, "2026-02", None)]);
    let before = store.at(2).unwrap();
    assert_eq!(store.files(TableName::Sessions, &before).unwrap()[0].partition.as_deref(), Some("2026-01"));
}

/// Every value of every session of a version, by session.
fn values(store: &Store, version: u64) -> Vec<(String, BTreeMap<String, String>)> {
    let mut told = Vec::new();
    for file in store.files(TableName::Sessions, &store.at(version).unwrap()).unwrap() {
        let rows = store.read(TableName::Sessions, &file, None).unwrap();
        let value = |name: &str, row: usize| {
            arrow::util::display::array_value_to_string(rows.column_by_name(name).unwrap(), row).unwrap()
        };
        let schema = rows.schema();
        for row in 0..rows.num_rows() {
            let of_row = schema.fields().iter().map(|field| (field.name().clone(), value(field.name(), row)));
            told.push((value("session_id", row), of_row.collect()));
        }
    }
    told
}

/// Columns of a session that say something else in another version.
fn differing(before: &BTreeMap<String, String>, after: &BTreeMap<String, String>) -> Vec<String> {
    before.iter().filter(|(name, value)| after[*name] != **value).map(|(name, _)| name.clone()).collect()
}

#[test]
fn an_amended_session_keeps_its_place_and_the_others_stay_as_they_were() {
    let mut warehouse = Warehouse::new();
    let first: Vec<String> = (1..=9)
        .map(|n| row(&format!("S{n}"), &format!("P{}", n % 4), &format!("2026-01-0{n}"), "2026-05-20", "none"))
        .collect();
    warehouse.ingest(&[&log(&first)], &[]);
    // Two rows change, no session comes; the one after that is told a side effect by an event alone.
    let amended =
        |n: usize| row(&format!("S{n}"), &format!("P{}", n % 4), &format!("2026-01-0{n}"), "2026-06-01", "pih:2");
    warehouse.ingest(&[&log(&[amended(3), amended(8)])], &[]);
    warehouse.ingest(&[], &[&format!("{EVENTS}S5,P1,erythema,1,2026-01-06,\n")]);
    let store = warehouse.open();
    assert_whole(&store);
    let [before, between, after] = [2, 3, 4].map(|version| values(&store, version));
    let ids = |values: &[(String, BTreeMap<String, String>)]| -> Vec<String> {
        values.iter().map(|(id, _)| id.clone()).collect()
    };
    assert_eq!(ids(&before), ids(&between));
    assert_eq!(ids(&before), ids(&after));
    for (at, (id, was)) in before.iter().enumerate() {
        let (then, now) = (&between[at].1, &after[at].1);
        match id.as_str() {
            "S3" | "S8" => {
                let place = ["file_number", "line", "record", "store_version"];
                let mut own = differing(was, then);
                own.retain(|name| !place.contains(&name.as_str()));
                assert_eq!(own, ["last_follow_up_date", "pih_grade", "pih_present", "row_hash", "side_effects"]);
                assert_ne!(was["store_version"], then["store_version"]);
                assert_eq!((then["pih_present"].as_str(), then["pih_grade"].as_str()), ("true", "2"));
                assert!(differing(then, now).is_empty());
            }
            "S5" => {
                assert!(differing(was, then).is_empty());
                assert_eq!(now["erythema_present"], "true");
                assert!(differing(then, now).iter().all(|name| name.starts_with("erythema_")));
            }
            _ => assert_eq!((was, then), (then, now), "{id}"),
        }
    }
    // A new day is a new place: the file is written anew, and nothing is lost.
    warehouse.ingest(&[&log(&[row("S2", "P2", "2026-01-31", "2026-06-01", "none")])], &[]);
    let sessions = warehouse.sessions();
    assert_eq!(sessions.len(), 9);
    assert!(sessions.contains(&"S2 2026-01-31 2026-06-01 false false".to_owned()), "{sessions:?}");
}

#[test]
fn a_mapping_may_say_that_follow_ups_are_as_sent() {
    let mut warehouse = Warehouse::new();
    warehouse.mapping = Mapping::from_toml("version = 1\n[store]\nfollow_up = \"as_sent\"\n", "m").unwrap();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-20", "none")])], &[]);
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-01-06", "none")])], &[]);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-01-06 - -"]);
}

#[test]
fn a_follow_up_only_moves_forward_in_files_as_it_does_in_a_store() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("log.csv");
    let of = |day: &str, effects: &str| row("S1", "P1", "2026-01-05", day, effects);
    let three = [of("2026-05-20", "none"), of("2026-01-20", "erythema:1"), of("2026-02-20", "pain:1")];
    std::fs::write(&path, log(&three)).unwrap();
    let follow_ups = |mapping: Mapping| {
        let logs = [path.to_string_lossy().into_owned()];
        let source =
            Source::find(folder.path(), Named { logs: &logs, events: &[], assessments: &[] }, mapping).unwrap();
        let catalogue = Catalogue::built_in();
        let loaded = load(&[source], (&catalogue, SessionsBuilder::new()), &Unwatched).unwrap();
        assert_eq!(loaded.table.len(), 1);
        (loaded.table.follow_up(0).unwrap().to_string(), loaded.warnings.of_file(0))
    };
    assert_eq!(follow_ups(Mapping::default()), ("2026-05-20".to_owned(), 2));
    let as_sent = Mapping::from_toml("version = 1\n[store]\nfollow_up = \"as_sent\"\n", "m").unwrap();
    assert_eq!(follow_ups(as_sent), ("2026-02-20".to_owned(), 0));
}

#[test]
fn rows_of_one_batch_are_settled_before_they_meet_the_store() {
    let mut warehouse = Warehouse::new();
    let first = row("S1", "P1", "2026-01-05", "2026-05-05", "none");
    let other = row("S1", "P1", "2026-01-05", "2026-05-05", "pih:1");
    let taken = warehouse.ingest(&[&log(&[first.clone(), other.clone(), other.clone()])], &[]);
    assert_eq!((taken.files[0].accepted, taken.files[0].superseded), (1, 2));
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true"]);
    // Said otherwise and taken back within one batch: as it was, and nothing is written.
    let taken = warehouse.ingest(&[&log(&[first, other])], &[]);
    assert_eq!((taken.files[0].accepted, taken.files[0].superseded), (0, 2));
    let changed: Vec<_> = warehouse.open().latest().changes.keys().cloned().collect();
    assert_eq!(changed, ["superseded"]);
}

/// What a later row of the same batch says otherwise stands nowhere else: it is listed, and told by the history.
#[test]
fn a_row_replaced_within_its_batch_is_listed() {
    let mut warehouse = Warehouse::new();
    let of = |effects: &str| row("S1", "P1", "2026-01-05", "2026-05-05", effects);
    let moved = row("S1", "P1", "2026-02-05", "2026-05-05", "pih:1");
    warehouse.ingest(&[&log(&[of("none"), of("none"), of("pih:2")]), &log(&[moved.clone(), moved])], &[]);
    let listed =
        |product: &Product| file(product, "superseded.csv").lines().skip(1).map(str::to_owned).collect::<Vec<String>>();
    let product = warehouse.report(None);
    let rows = listed(&product);
    assert_eq!(rows.len(), 3, "{rows:#?}");
    for (row, (place, by)) in rows.iter().zip([(",2,1,", ",2,1"), (",3,2,", ",2,1"), (",4,3,", ",2,1")]) {
        assert!(row.contains(place) && row.ends_with(by), "{row}");
    }
    assert_eq!(count(&product, "superseded_rows").as_deref(), Some("4"));
    assert_eq!(count(&product, "repeated_rows_not_listed").as_deref(), Some("1"));
    // Later, another row: the one that stood has one accepted row less, those before stay as they were.
    warehouse.ingest(&[&log(&[of("erythema:1")])], &[]);
    let product = warehouse.report(None);
    assert_eq!(listed(&product).len(), 4);
    let tallies = ["read_rows", "accepted_rows", "rejected_rows", "superseded_rows"].map(|what| count(&product, what));
    assert_eq!(tallies.map(Option::unwrap), ["6", "1", "0", "5"]);
    let store = warehouse.open();
    let versions = history::of_session(&store, "S1").unwrap();
    let told: Vec<_> = versions.iter().map(|it| (it.store_version, it.month.as_str(), it.replaced_in)).collect();
    let within = (2, "2026-01", Some(2));
    assert_eq!(told, [within, within, within, (2, "2026-02", Some(3)), (3, "2026-01", None)]);
}

const EVENTS: &str = "session_id,patient_id,side_effect,grade,onset_date,reported_date\n";

fn tally(rules: &BTreeMap<String, RuleTally>, rule: &str) -> u64 {
    rules.get(rule).map_or(0, |tally| tally.count)
}

/// A count of the data quality, as `results.csv` has it.
fn count(product: &Product, what: &str) -> Option<String> {
    let results = file(product, "results.csv");
    let row = results.lines().find(|line| line.starts_with(&format!("data_quality///count/{what},")));
    row.and_then(|row| row.split(',').nth(7)).map(str::to_owned)
}

fn file(product: &Product, path: &str) -> String {
    let file = product.files.iter().find(|file| file.path == path).unwrap();
    String::from_utf8(file.bytes.clone()).unwrap()
}

/// An ingest lists what waits on that day; a report lists what waits at its version.
#[test]
fn what_has_joined_since_is_no_longer_listed_as_waiting() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    let events = format!("{EVENTS}S2,,pih,2,2026-02-20,\n,P1,pih,2,2025-02-20,\n,P3,pih,1,2026-02-20,\n");
    let taken = warehouse.ingest(&[], &[&events]);
    let example = &taken.warnings["waiting_event"].examples[0];
    assert_eq!((example.place.line, example.file.ends_with("_0.csv")), (2, true));
    assert!(example.hint.contains("no session with its id has come yet"));
    let version = taken.version.unwrap();
    let before = warehouse.report(None);
    let listed = |product: &Product, rule: &str| file(product, "warnings.csv").matches(rule).count();
    assert_eq!((listed(&before, "waiting_event"), listed(&before, "unattributed_event")), (1, 2));
    assert_eq!(
        (count(&before, "waiting_events"), count(&before, "unattributed_events")),
        (Some("1".into()), Some("2".into()))
    );
    assert!(file(&before, "index.html").contains("1 reported event waits for a session"));
    let sessions =
        [row("S2", "P2", "2026-02-10", "2026-02-11", "none"), row("S3", "P3", "2026-02-10", "2026-02-11", "none")];
    warehouse.ingest(&[&log(&sessions)], &[]);
    let after = warehouse.report(None);
    assert_eq!((listed(&after, "waiting_event"), listed(&after, "unattributed_event")), (0, 1));
    assert_eq!(
        (count(&after, "waiting_events"), count(&after, "unattributed_events")),
        (Some("0".into()), Some("1".into()))
    );
    assert!(!file(&after, "index.html").contains("waits for a session"));
    assert!(warehouse.report(Some(AsOf::Version(version))).files == before.files, "the report of that day");
}

#[test]
fn a_late_event_changes_its_session_and_one_without_a_session_waits() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    let taken = warehouse.ingest(&[], &[&format!("{EVENTS}S1,,pih,1,2026-02-01,2026-03-01\nS2,,pih,2,2026-02-20,\n")]);
    assert_eq!((taken.counts.events, taken.counts.pending), (2, 1));
    assert_eq!(tally(&taken.warnings, "waiting_event"), 1);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true"]);
    let taken = warehouse.ingest(&[&log(&[row("S2", "P2", "2026-02-10", "2026-02-11", "none")])], &[]);
    assert_eq!((taken.counts.pending, taken.counts.joined_late), (0, 1));
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true", "S2 2026-02-10 2026-02-11 - true"]);
    // The same events again, in another file: none twice.
    let taken = warehouse.ingest(&[], &[&format!("{EVENTS}S1,,pih,1,2026-02-01,2026-03-01\n\n")]);
    assert_eq!((taken.files[0].superseded, taken.counts.events), (1, 2));
    // An event before its session, or of another patient, is refused as in a run.
    let taken = warehouse.ingest(&[], &[&format!("{EVENTS}S1,,pih,1,2026-01-01,\nS1,P9,pih,1,2026-02-01,\n")]);
    assert_eq!(tally(&taken.refusals, "event_before_session"), 1);
    assert_eq!(tally(&taken.refusals, "event_of_other_patient"), 1);
    assert_eq!((taken.files[0].read, taken.files[0].accepted, taken.files[0].rejected), (2, 0, 2));
}

#[test]
fn an_event_of_a_patient_moves_to_a_session_that_fits_it_better() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    let taken = warehouse.ingest(&[], &[&format!("{EVENTS},P1,pih,1,2026-02-20,\n,P7,pih,1,2026-02-20,\n")]);
    assert_eq!((taken.counts.pending, tally(&taken.warnings, "unattributed_event")), (1, 1));
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true"]);
    warehouse.ingest(&[&log(&[row("S2", "P1", "2026-02-10", "2026-05-15", "none")])], &[]);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false false", "S2 2026-02-10 2026-05-15 false true"]);
    // The session is moved behind the onset: the event goes back to the earlier one.
    warehouse.ingest(&[&log(&[row("S2", "P1", "2026-03-10", "2026-05-15", "none")])], &[]);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true", "S2 2026-03-10 2026-05-15 false -"]);
}

/// The same rows and events in any order and in any number of batches give the same store.
#[test]
fn the_order_of_files_does_not_matter() {
    let rows: Vec<String> = (0..40)
        .map(|n| {
            let (month, day) = (1 + n % 4, 1 + n % 27);
            let effects = if n % 3 == 0 { "erythema:1;swelling:2" } else { "none" };
            row(&format!("S{n}"), &format!("P{}", n % 11), &format!("2026-{month:02}-{day:02}"), "2026-06-20", effects)
        })
        .collect();
    let events: Vec<String> = (0..30)
        .map(|n| match n % 3 {
            0 => format!("S{n},,pih,1,2026-05-0{},\n", 1 + n % 9),
            1 => format!(",P{},pih,2,2026-0{}-28,\n", n % 11, 2 + n % 4),
            _ => format!("S{},P{},bruising,1,,2026-05-01\n", n, n % 11),
        })
        .collect();
    let mut at_once = Warehouse::new();
    at_once.ingest(&[&log(&rows)], &[&format!("{EVENTS}{}", events.concat())]);
    let events_of = |warehouse: &Warehouse| {
        let columns = ["session_id", "patient_id", "onset_date", "status", "candidates", "joined_key_high"];
        warehouse.rows(TableName::Events, &columns)
    };
    let (expected, expected_events) = (at_once.sessions(), events_of(&at_once));
    for (step, seed) in [(3usize, 7usize), (13, 11)] {
        let mut piecewise = Warehouse::new();
        let order = |count: usize| -> Vec<usize> { (0..count).map(|at| at * seed % count).collect() };
        let (rows_order, events_order) = (order(rows.len()), order(events.len()));
        for part in 0..rows.len().div_ceil(step) {
            let logs: Vec<String> =
                rows_order.iter().skip(part * step).take(step).map(|at| rows[*at].clone()).collect();
            let some: String = events_order.iter().skip(part * step).take(step).map(|at| events[*at].clone()).collect();
            let events = format!("{EVENTS}{some}");
            let events: Vec<&str> = if some.is_empty() { Vec::new() } else { vec![&events] };
            // Events first: those of sessions that have not come yet wait.
            if !events.is_empty() {
                piecewise.ingest(&[], &events);
            }
            piecewise.ingest(&[&log(&logs)], &[]);
        }
        assert_eq!(piecewise.sessions(), expected, "in parts of {step}");
        assert_eq!(events_of(&piecewise), expected_events, "in parts of {step}");
    }
}

#[test]
fn a_report_as_of_a_day_is_byte_for_byte_that_of_the_day() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "pih:1")])], &[]);
    let then = warehouse.report(None);
    let day = Day(i32::try_from(warehouse.day).unwrap());
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    warehouse.ingest(&[&log(&[row("S2", "P2", "2026-01-06", "2026-05-05", "none")])], &[]);
    let store = warehouse.open();
    assert_ne!(warehouse.report(None).files, then.files);
    for as_of in [AsOf::Version(2), AsOf::Day(day)] {
        let again = warehouse.report(Some(as_of));
        assert_eq!(again.files, then.files);
        assert_eq!(again.manifest, then.manifest);
    }
    assert!(matches!(store.at(9), Err(StoreError::NoVersion { .. })));
    assert!(matches!(store.on(day.plus(-9)), Err(StoreError::NothingYet { .. })));
}

#[test]
fn joining_files_changes_no_row_and_a_vacuum_gives_up_what_was_before() {
    let mut warehouse = Warehouse::new();
    for n in 0..5 {
        let rows: Vec<String> =
            (0..4).map(|m| row(&format!("S{n}{m}"), &format!("P{m}"), "2026-01-05", "2026-05-05", "pih:1")).collect();
        warehouse.ingest(&[&log(&rows)], &[&format!("{EVENTS}S{n}0,,bruising,1,2026-01-06,\n")]);
    }
    let (sessions, report, early) =
        (warehouse.sessions(), numbers(&warehouse.report(None)), warehouse.report(Some(AsOf::Version(3))));
    let mut store = warehouse.open();
    let lock = Store::lock(&warehouse.root()).unwrap();
    warehouse.day += 1;
    let done = housekeeping::compact(&mut store, &warehouse.author(), &lock).unwrap();
    assert_eq!((store.latest().version, done.files_now), (7, 2));
    assert_eq!(housekeeping::compact(&mut store, &warehouse.author(), &lock).unwrap().files_now, 2);
    assert_eq!(store.latest().version, 7);
    assert_eq!(warehouse.sessions(), sessions);
    assert_eq!(numbers(&warehouse.report(None)), report);
    assert_eq!(warehouse.report(Some(AsOf::Version(3))).files, early.files);
    let told = housekeeping::vacuum(&mut store, (7, true), &warehouse.author(), &lock).unwrap();
    assert!(!told.files.is_empty());
    assert_eq!(warehouse.report(Some(AsOf::Version(3))).files, early.files);
    let removed = housekeeping::vacuum(&mut store, (7, false), &warehouse.author(), &lock).unwrap();
    assert_eq!(removed.files, told.files);
    assert!(matches!(store.at(3), Err(StoreError::Vacuumed { oldest: 7, .. })));
    drop(lock);
    assert_eq!(warehouse.sessions(), sessions);
    warehouse.ingest(&[&log(&[row("S9", "P9", "2026-01-05", "2026-05-05", "none")])], &[]);
    assert_eq!(warehouse.sessions().len(), 21);
}

/// Every byte of a store, and every text in its tables.
fn everything(root: &Path) -> Vec<(String, String)> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.display().to_string();
            found.push((name.clone(), String::from_utf8_lossy(&fs::read(&path).unwrap()).into_owned()));
            if name.ends_with(".parquet") {
                let file = fs::File::open(&path).unwrap();
                let reader = parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder::try_new(file).unwrap();
                for batch in reader.build().unwrap() {
                    let batch = batch.unwrap();
                    let values = |column: &arrow::array::ArrayRef| {
                        let value = |row| arrow::util::display::array_value_to_string(column, row).unwrap();
                        (0..batch.num_rows()).map(value).collect::<Vec<_>>().join(" ")
                    };
                    found.extend(batch.columns().iter().map(|column| (name.clone(), values(column))));
                }
            }
        }
    }
    found
}

#[test]
fn a_patients_id_is_in_no_file_and_a_new_key_renews_every_pseudonym() {
    let mut warehouse = Warehouse::new();
    let secret = "Mustermann-1974";
    let rows = [
        row("S1", secret, "2026-01-05", "2026-05-05", "none"),
        row(&format!("{secret}/2"), secret, "2026-02-05", "2026-05-05", "none"),
        row("S3", secret, "not a day", "2026-05-05", "none"),
        row("S1", secret, "2026-01-05", "2026-05-06", "none"),
    ];
    let events = "session_id,patient_id,side_effect,onset_date,verbatim\n";
    let named = format!("{secret}/2,{secret},bruising,2026-02-06,\n");
    let events = format!("{events},{secret},pih,2026-02-20,told by {secret}\n,{secret},pih,,\n{named}");
    warehouse.ingest(&[&log(&rows)], &[&events]);
    warehouse.ingest(&[&log(&[row("S1", secret, "2026-01-05", "2026-05-09", "pih:1")])], &[]);
    let hidden = |warehouse: &Warehouse| {
        for (name, text) in everything(&warehouse.root()) {
            assert!(!text.contains(secret), "{name} tells who the patient is: {text}");
            assert!(!text.contains("Mustermann"), "{name}");
        }
    };
    hidden(&warehouse);
    let (old, sessions) = (warehouse.keys.clone(), warehouse.sessions().len());
    let pseudonym = old.pseudonym("default", secret);
    let new = old.rotated([9; 32]);
    let mut store = warehouse.open();
    let lock = Store::lock(&warehouse.root()).unwrap();
    let catalogue = store.latest().catalogue();
    housekeeping::rotate(&mut store, (&new, &catalogue), &warehouse.author(), &lock).unwrap();
    let version = store.latest().version;
    housekeeping::vacuum(&mut store, (version, false), &warehouse.author(), &lock).unwrap();
    drop(lock);
    hidden(&warehouse);
    for (name, text) in everything(&warehouse.root()) {
        let of_history = name.contains("/batches/") || name.contains("_delta_log");
        assert!(of_history || !text.contains(&pseudonym), "{name} holds the old pseudonym");
    }
    // The old key is refused; with the new one the same row is known again.
    let same = log(&[row("S1", secret, "2026-01-05", "2026-05-09", "pih:1"), row("S9", secret, "2026-01-09", "", "")]);
    assert!(matches!(warehouse.try_ingest(&[&same], &[]), Err(TakeInError::Store(StoreError::OtherKey { .. }))));
    warehouse.keys = new;
    let taken = warehouse.ingest(&[&same], &[]);
    assert_eq!((taken.files[0].accepted, taken.files[0].superseded), (1, 1));
    assert_eq!(warehouse.sessions().len(), sessions + 1);
}

#[test]
fn sources_keep_their_ids_apart() {
    let mut warehouse = Warehouse::new();
    let text = log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")]);
    warehouse.ingest(&[&text], &[]);
    warehouse.mapping = Mapping::from_toml("version = 1\n[store]\nsource = \"south\"\n", "m").unwrap();
    let taken = warehouse.ingest(&[&text], &[]);
    assert_eq!((taken.version, taken.counts.sessions), (Some(3), 2));
    assert_eq!(warehouse.sessions().len(), 2);
}

#[test]
fn a_site_s_own_side_effects_stay_known_to_the_store() {
    let mut warehouse = Warehouse::new();
    let site = "version = 1\n[side_effects]\nglow = { label = \"Glow\", window_days = 3, grades = 2 }\n";
    warehouse.mapping = Mapping::from_toml(site, "m").unwrap();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "glow:1;odd thing:2")])], &[]);
    warehouse.mapping = Mapping::default();
    warehouse.ingest(&[&log(&[row("S2", "P2", "2026-01-05", "2026-05-05", "none")])], &[]);
    let results = numbers(&warehouse.report(None));
    let rate = |effect: &str| {
        let id = format!("rates/{effect}/modality=pen/rate,");
        let line = results.iter().find(|line| line.starts_with(&id)).unwrap_or_else(|| panic!("no {id}")).clone();
        let cells: Vec<&str> = line.split(',').collect();
        (cells[13].to_owned(), cells[14].to_owned())
    };
    assert_eq!(rate("glow"), ("1".to_owned(), "2".to_owned()));
    assert_eq!(rate("uncoded"), ("1".to_owned(), "2".to_owned()));
}

const GLOW: &str = "version = 1\n[side_effects]\nglow = { label = \"Glow\", window_days = 3, grades = 2 }\n\
                    return_to_activity = { label = \"Back late\", window_days = 3 }\n";

/// Id of every session with the state and the worst grade of a site's own side effect; `?` where there is no column.
fn glow(store: &Store) -> Vec<String> {
    let mut told = Vec::new();
    for file in store.files(TableName::Sessions, store.latest()).unwrap() {
        let rows = store.read(TableName::Sessions, &file, None).unwrap();
        for row in 0..rows.num_rows() {
            let text = |name: &str| match rows.column_by_name(name) {
                Some(column) => arrow::util::display::array_value_to_string(column, row).unwrap(),
                None => "?".to_owned(),
            };
            told.push(["session_id", "glow_present", "glow_grade"].map(text).join(" "));
        }
    }
    told.sort();
    told
}

/// Whether the log that other programs read tells them of a column.
fn is_described(warehouse: &Warehouse, column: &str) -> bool {
    let log = fs::read_dir(warehouse.root().join("sessions/_delta_log")).unwrap();
    log.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok()).any(|entry| entry.contains(column))
}

#[test]
fn a_side_effect_that_a_site_adds_has_columns_in_every_session() {
    let mut warehouse = Warehouse::new();
    let (long, short) =
        (row("S1", "P1", "2026-01-05", "2026-05-05", "none"), row("S2", "P2", "2026-02-05", "2026-02-06", "none"));
    warehouse.ingest(&[&log(&[long, short])], &[]);
    let before = numbers(&warehouse.report(None));
    assert!(!is_described(&warehouse, "glow_present"));
    warehouse.mapping = Mapping::from_toml(GLOW, "m").unwrap();
    let taken =
        warehouse.ingest(&[&log(&[row("S3", "P3", "2026-03-05", "2026-05-05", "glow:1;return_to_activity")])], &[]);
    assert_eq!((taken.counts.new_sessions, taken.counts.amended_sessions, taken.counts.sessions), (1, 0, 3));
    // Followed up for long enough: absent; not: nobody knows.
    assert_eq!(glow(&warehouse.open()), ["S1 false ", "S2  ", "S3 true 1"]);
    assert!(is_described(&warehouse, "glow_present"));
    // Its columns would be called as a column of the log.
    assert!(!is_described(&warehouse, "return_to_activity_present"));
    // A late event changes what one row says, whether or not the mapping is named again.
    warehouse.mapping = Mapping::default();
    warehouse.ingest(&[], &[&format!("{EVENTS}S1,,glow,2,2026-01-06,\n")]);
    assert_eq!(glow(&warehouse.open()), ["S1 true 2", "S2  ", "S3 true 1"]);
    warehouse.ingest(&[&log(&[row("S4", "P4", "2026-03-06", "2026-05-05", "none")])], &[]);
    let all = ["S1 true 2", "S2  ", "S3 true 1", "S4 false "];
    assert_eq!(glow(&warehouse.open()), all);
    assert_whole(&warehouse.open());
    let mut store = warehouse.open();
    let lock = Store::lock(&warehouse.root()).unwrap();
    housekeeping::compact(&mut store, &warehouse.author(), &lock).unwrap();
    let (keys, catalogue) = (warehouse.keys.rotated([9; 32]), store.latest().catalogue());
    housekeeping::rotate(&mut store, (&keys, &catalogue), &warehouse.author(), &lock).unwrap();
    assert_eq!(glow(&store), all);
    assert_whole(&store);
    assert!(!housekeeping::upgrade(&mut store, &warehouse.author(), (64 << 20, &lock)).unwrap(), "nothing lacks");
    assert_eq!(numbers(&warehouse.report(Some(AsOf::Version(2)))), before);
}

/// The same mapping comes with every file: nothing is written anew for it. A window that changes is another matter, and
/// a month in which nothing follows from it is written as it was.
#[test]
fn only_a_side_effect_that_is_new_or_changed_writes_sessions_anew() {
    let mut warehouse = Warehouse::new();
    let map = |window: u32| {
        let site = format!(
            "version = 1\n[side_effects]\nglow = {{ label = \"Glow\", window_days = {window}, synonyms = [\"shine\"] }}\n"
        );
        Mapping::from_toml(&site, "m").unwrap()
    };
    let session = |id: &str, day: &str, follow_up: &str| log(&[row(id, &format!("P{id}"), day, follow_up, "none")]);
    warehouse.mapping = map(3);
    warehouse.ingest(&[&session("S1", "2026-01-05", "2026-05-05"), &session("S2", "2026-02-05", "2026-02-10")], &[]);
    let removed = |warehouse: &Warehouse| warehouse.open().latest().change(TableName::Sessions).unwrap().remove.len();
    warehouse.ingest(&[&session("S3", "2026-03-05", "2026-05-05")], &[]);
    assert_eq!((removed(&warehouse), warehouse.open().latest().effects[0].synonyms.len()), (0, 1));
    warehouse.mapping = map(30);
    warehouse.ingest(&[&session("S4", "2026-04-05", "2026-05-20")], &[]);
    // Of January and March the file is the same, of February it is not.
    assert_eq!(removed(&warehouse), 1);
    assert_eq!(glow(&warehouse.open()), ["S1 false ", "S2  ", "S3 false ", "S4 false "]);
    assert_whole(&warehouse.open());
    let rates = |warehouse: &Warehouse| {
        let numbers = numbers(&warehouse.report(None));
        numbers.into_iter().filter(|line| line.starts_with("rates/glow/")).collect::<Vec<_>>()
    };
    assert!(rates(&warehouse)[0].contains(",0,3,"), "{:?}", rates(&warehouse));
    // A built-in one.
    warehouse.mapping = Mapping::from_toml("version = 1\n[side_effects]\npih = { window_days = 2 }\n", "m").unwrap();
    warehouse.ingest(&[&session("S5", "2026-04-06", "2026-05-20")], &[]);
    assert_whole(&warehouse.open());
    let pih = warehouse.sessions();
    assert!(pih.iter().all(|line| line.ends_with("false")), "{pih:?}");
}

#[test]
fn a_store_that_lacks_columns_is_upgraded_by_a_command() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    // As a program has left it that knew of the side effect and gave it no columns.
    let mut catalogue = Catalogue::built_in();
    Mapping::from_toml(GLOW, "m").unwrap().extend(&mut catalogue);
    let (mut store, lock) = (warehouse.open(), Store::lock(&warehouse.root()).unwrap());
    let mut batch = store.next(BatchKind::Compact, &warehouse.author());
    batch.effects = catalogue.of_sites();
    store.commit(batch, &[], &lock).unwrap();
    assert_eq!(glow(&store), ["S1 ? ?"]);
    assert_whole(&store);
    let before = numbers(&warehouse.report(None));
    assert!(housekeeping::upgrade(&mut store, &warehouse.author(), (64 << 20, &lock)).unwrap());
    assert_eq!(
        (glow(&store), store.latest().version, store.latest().counts.sessions),
        (vec!["S1 false ".to_owned()], 4, 1)
    );
    assert_whole(&store);
    assert_eq!(numbers(&warehouse.report(None)), before);
    assert!(!housekeeping::upgrade(&mut store, &warehouse.author(), (64 << 20, &lock)).unwrap());
}

#[test]
fn damage_is_told() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    let store = warehouse.open();
    let file = &store.files(TableName::Sessions, store.latest()).unwrap()[0];
    let path = warehouse.root().join("sessions").join(&file.path);
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let found = verify::verify(&store, &store.latest().catalogue()).unwrap();
    assert_eq!(found.problems.len(), 1, "{found:?}");
    fs::remove_file(&path).unwrap();
    assert_eq!(verify::verify(&store, &store.latest().catalogue()).unwrap().problems.len(), 1);
}

#[test]
fn a_store_of_a_newer_program_is_refused() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "none")])], &[]);
    let entry = warehouse.root().join("batches/_delta_log/00000000000000000000.json");
    let text = fs::read_to_string(&entry).unwrap();
    let newer = text.replace("\"stipple.schemaVersion\":\"1\"", "\"stipple.schemaVersion\":\"99\"");
    assert_ne!(newer, text);
    fs::write(&entry, newer).unwrap();
    assert!(matches!(Store::open(&warehouse.root()), Err(StoreError::Newer { found: 99, .. })));
}

#[test]
fn a_folder_with_something_else_in_it_is_left_alone() {
    let mut warehouse = Warehouse::new();
    fs::create_dir_all(warehouse.root()).unwrap();
    fs::write(warehouse.root().join("thesis.docx"), "years of work").unwrap();
    let refused = warehouse.try_ingest(&[&log(&[row("S1", "P1", "2026-01-05", "", "")])], &[]);
    assert!(matches!(refused, Err(TakeInError::Store(StoreError::ForeignFolder { .. }))));
}

/// An event that adds nothing to what its session says leaves the file of the session as it is.
#[test]
fn an_event_that_says_what_its_session_says_is_kept_and_changes_no_session() {
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-05", "pih:1:2026-01-20")])], &[]);
    let before = warehouse.sessions();
    let files = |warehouse: &Warehouse| {
        let store = warehouse.open();
        store.files(TableName::Sessions, store.latest()).unwrap()
    };
    let written = files(&warehouse);
    for event in ["S1,,pih,1,2026-01-20,\n", "S1,,pih,1,2026-02-02,\n", ",P1,pih,1,2026-01-25,\n"] {
        let taken = warehouse.ingest(&[], &[&format!("{EVENTS}{event}")]);
        assert!(taken.version.is_some() && taken.refusals.is_empty(), "{event}");
        assert_eq!(warehouse.sessions(), before, "{event}");
        assert_eq!(files(&warehouse), written, "{event}");
    }
    // The event of the patient moves to a session that fits it better, and the one before says the same as without it.
    warehouse.ingest(&[&log(&[row("S2", "P1", "2026-01-22", "2026-05-15", "none")])], &[]);
    assert_eq!(warehouse.sessions(), ["S1 2026-01-05 2026-05-05 false true", "S2 2026-01-22 2026-05-15 false true"]);
    let store = warehouse.open();
    assert_eq!((store.latest().counts.events, store.latest().counts.pending), (3, 0));
    assert!(verify::verify(&store, &store.latest().catalogue()).unwrap().problems.is_empty());
}

/// What does not fit into memory goes to temporary files; what comes out is the same: new, repeated, amended and moved
/// sessions, follow-ups that went back, ids of other patients, events of all of them.
#[test]
fn little_memory_gives_the_same_store() {
    let many = |from: usize, effects: &str| -> Vec<String> {
        let row = |n: usize| {
            let day = format!("2026-{:02}-11", 1 + n % 12);
            row(&format!("S{n}"), &format!("P{}", n / 3), &day, "2027-05-01", effects)
        };
        (from..from + 600).map(row).collect()
    };
    let first = log(&many(0, "none"));
    let mut again = many(400, "erythema:1");
    again.extend(many(0, "none").into_iter().take(100));
    again.push(row("S7", "P2", "2026-08-11", "2026-12-01", "pih:1"));
    again.push(row("S9", "P4000", "2026-10-11", "2027-05-01", "none"));
    again.push(row("S11", "P3", "2026-11-11", "2027-05-01", "none"));
    let early = format!(
        "{EVENTS}S3,P1,pih,1,2026-05-20,\n,P150,pih,2,2026-12-20,\nS990,,pih,1,2027-01-05,\n,P9000,pih,1,2026-05-01,\n"
    );
    let late = format!("{EVENTS}S450,,bruising,2,2026-08-01,\n,P5,pih,1,2026-06-01,\nS4,P9,pih,1,2026-06-01,\n");
    let [plenty, little] = [64 << 20, 1 << 15].map(|memory| {
        let mut warehouse = Warehouse { memory, ..Warehouse::new() };
        let mut taken = vec![warehouse.ingest(&[&first], &[&early])];
        taken.push(warehouse.ingest(&[&log(&again)], &[&late]));
        taken.push(warehouse.ingest(&[&log(&many(900, "none"))], &[]));
        let store = warehouse.open();
        let files = |table: TableName| -> Vec<String> {
            store.files(table, store.latest()).unwrap().into_iter().map(|file| file.path).collect()
        };
        let places = |tallies: BTreeMap<String, RuleTally>| -> BTreeMap<String, (u64, Vec<Place>)> {
            let place = |tally: RuleTally| (tally.count, tally.examples.into_iter().map(|one| one.place).collect());
            tallies.into_iter().map(|(rule, tally)| (rule, place(tally))).collect()
        };
        let told = |taken: TakenIn| (taken.counts, places(taken.warnings), places(taken.refusals));
        let told: Vec<_> = taken.into_iter().map(told).collect();
        assert!(verify::verify(&store, &store.latest().catalogue()).unwrap().problems.is_empty());
        (told, [TableName::Sessions, TableName::Events, TableName::Superseded].map(files))
    });
    let [(counts, warnings, _), (changed, warned, refused), _] = &plenty.0[..] else { panic!("three batches") };
    let count =
        |tallies: &BTreeMap<String, (u64, Vec<Place>)>, rule: &str| tallies.get(rule).map_or(0, |(count, _)| *count);
    assert_eq!((counts.new_sessions, changed.new_sessions, changed.amended_sessions), (600, 400, 203));
    assert_eq!((counts.pending, count(warnings, "waiting_event"), changed.joined_late), (3, 1, 1));
    assert_eq!((count(warned, "follow_up_kept"), count(warned, "patient_changed")), (1, 1));
    assert_eq!(count(refused, "event_of_other_patient"), 1);
    assert_eq!(plenty, little);
}

#[test]
fn an_address_is_no_store_and_nothing_is_made_there() {
    let place = Path::new("s3://bucket/warehouse");
    assert!(matches!(Store::open(place), Err(StoreError::NotAFolder { .. })));
    assert!(matches!(Store::lock(place), Err(StoreError::NotAFolder { .. })));
    assert!(!Path::new("s3:").exists());
}

#[test]
fn a_session_that_takes_the_place_of_another_patients_is_told() {
    let one = row("S1", "P1", "2026-01-05", "2026-05-20", "none");
    let other = row("S1", "P2", "2026-02-05", "2026-06-20", "none");
    let same = row("S1", "P1", "2026-01-05", "2026-05-21", "none");
    let told = |rules: &BTreeMap<String, RuleTally>| tally(rules, "patient_changed");
    // In one batch, over two batches, and where only the day changes.
    let mut warehouse = Warehouse::new();
    assert_eq!(told(&warehouse.ingest(&[&log(&[one.clone(), other.clone()])], &[]).warnings), 1);
    let mut warehouse = Warehouse::new();
    assert_eq!(told(&warehouse.ingest(&[&log(std::slice::from_ref(&one))], &[]).warnings), 0);
    assert_eq!(told(&warehouse.ingest(&[&log(std::slice::from_ref(&same))], &[]).warnings), 0);
    assert_eq!(told(&warehouse.ingest(&[&log(std::slice::from_ref(&other))], &[]).warnings), 1);
    let page = file(&warehouse.report(None), "index.html");
    assert!(page.contains("took the place of a session of another patient"), "no caution");
    // And of files.
    let folder = tempfile::tempdir().unwrap();
    let warnings = |rows: &[String]| {
        fs::write(folder.path().join("log.csv"), log(rows)).unwrap();
        let logs = ["log.csv".to_owned()];
        let named = Named { logs: &logs, events: &[], assessments: &[] };
        let source = Source::find(folder.path(), named, Mapping::default()).unwrap();
        let loaded = load(&[source], (&Catalogue::built_in(), SessionsBuilder::new()), &Unwatched).unwrap();
        loaded.warnings.of_file(0)
    };
    assert_eq!((warnings(&[one.clone(), other]), warnings(&[one, same])), (1, 0));
}

#[cfg(unix)]
#[test]
fn files_of_a_store_are_as_open_as_any_other() {
    use std::os::unix::fs::PermissionsExt;
    let mut warehouse = Warehouse::new();
    warehouse.ingest(&[&log(&[row("S1", "P1", "2026-01-05", "2026-05-20", "none")])], &[]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let own = warehouse.file("own", "");
    let store = warehouse.open();
    for file in store.files(TableName::Sessions, store.latest()).unwrap() {
        assert_eq!(mode(&warehouse.root().join("sessions").join(&file.path)), mode(Path::new(&own)));
    }
}
