//! Logs and stores in a bucket, against a local S3 server: the same as on a disk.

use crate::commands::{code, text};
use crate::interruptions::{assert_complete, moment, write_logs};
use crate::s3_server::{Server, secured, server};
use crate::store_commands::tomorrow;
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use stipple::store::lake::{Author, Home, Store, TableName, housekeeping, verify};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn sample(name: &str) -> String {
    root().join("sample_data").join(name).display().to_string()
}

fn home(server: &Server, prefix: &str) -> Home {
    Home::at(Path::new(&format!("s3://clinic/{prefix}")), &server.access()).unwrap()
}

#[track_caller]
fn json(server: &Server, folder: &Path, arguments: &[&str]) -> Value {
    let output = server.stipple(folder, &[arguments, &["--json", "--quiet"]].concat());
    assert_eq!(code(&output), 0, "{arguments:?}: {}", text(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The same log as text, packed, as a workbook, as JSON and as Parquet.
fn logs(folder: &Path) -> Vec<PathBuf> {
    let text = fs::read(sample("harbour/harbour_2024.csv")).unwrap();
    let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    std::io::Write::write_all(&mut packed, &text).unwrap();
    let mut paths = Vec::new();
    let mut put = |name: &str, bytes: &[u8]| {
        fs::write(folder.join(name), bytes).unwrap();
        paths.push(folder.join(name));
    };
    put("log.csv", &text);
    put("log.csv.gz", &packed.finish().unwrap());
    put("log.csv.zst", &zstd::encode_all(&text[..], 3).unwrap());
    let row = |n: u32| {
        serde_json::json!({ "session_id": format!("S{n}"), "patient_id": format!("P{n}"), "clinic_id": "north",
            "session_date": if n == 3 { "soon" } else { "2026-01-05" }, "setting": "professional", "modality": "pen",
            "body_area": "face", "indication": "acne_scars" })
    };
    let rows: Vec<Value> = (0..9).map(row).collect();
    put("list.json", serde_json::to_string(&rows).unwrap().as_bytes());
    let lines: Vec<String> = rows.iter().map(Value::to_string).collect();
    put("lines.ndjson", lines.join("\n").as_bytes());
    for case in ["workbooks", "arrow"] {
        let found = fs::read_dir(root().join("tests/cases").join(case)).unwrap().map(|entry| entry.unwrap().path());
        let mut known: Vec<PathBuf> = found
            .filter(|path| path.is_file() && stipple::ingest::is_known(path) && !path.ends_with("README.txt"))
            .collect();
        known.sort();
        paths.extend(known.into_iter().take(3));
    }
    paths
}

#[test]
fn a_log_gives_the_same_sessions_and_refusals_wherever_it_lies() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mapping = sample("harbour.mapping.toml");
    for path in logs(folder.path()) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        server.upload(&path, &format!("same/{name}"));
        let told = |log: &str, rejects: &str| {
            let mut arguments = vec!["check", log, "--json", "--rejects", rejects];
            if name.starts_with("log.csv") {
                arguments.extend(["--mapping", &mapping]);
            }
            let _ = fs::remove_file(folder.path().join(rejects));
            let output = server.stipple(folder.path(), &arguments);
            // What is said differs in the name of the log, and where the server is.
            let clean = |bytes: &[u8]| text(bytes).replace(log, "LOG");
            let rejects = fs::read(folder.path().join(rejects)).unwrap_or_default();
            (code(&output), clean(&output.stdout), clean(&output.stderr), clean(&rejects))
        };
        let local = told(&path.display().to_string(), "local.csv");
        let remote = told(&format!("s3://clinic/same/{name}"), "remote.csv");
        assert_eq!(local, remote, "{name}");
        if !path.starts_with(root()) {
            assert_eq!(local.0, 0, "{name}: {}", local.2);
        }
    }
}

#[test]
fn a_folder_and_a_pattern_of_a_bucket_are_its_logs_in_order() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    for key in ["f/b.csv", "f/a.csv", "f/2026/c.csv", "f/.hidden.csv", "f/notes.pdf", "f2/d.csv"] {
        let row = format!("{}-1,P1,north,2026-01-05,professional,pen,face,acne_scars,,none\n", key.replace('/', "_"));
        server.bucket().put(key, format!("{}{row}", crate::store::HEADER).into()).unwrap();
    }
    let names = |log: &str| -> Vec<String> {
        let told = json(server, folder.path(), &["check", log]);
        let inputs = told["inputs"].as_array().unwrap().iter();
        inputs.map(|input| input["path"].as_str().unwrap().to_owned()).collect()
    };
    let all = ["s3://clinic/f/2026/c.csv", "s3://clinic/f/a.csv", "s3://clinic/f/b.csv"];
    for log in ["s3://clinic/f/", "s3://clinic/f", "s3://clinic/f/**/*.csv"] {
        assert_eq!(names(log), all, "{log}");
    }
    assert_eq!(names("s3://clinic/f/*.csv"), all[1..]);
    assert_eq!(names("s3a://clinic/f/?.csv"), ["s3a://clinic/f/a.csv", "s3a://clinic/f/b.csv"]);
    let told = json(server, folder.path(), &["check", "s3://clinic/f/"]);
    assert_eq!(told["skipped_files"].as_array().unwrap().len(), 2);
}

#[test]
fn a_log_of_many_parts_is_read_whole_and_an_object_that_changes_is_told() {
    let Some(server) = server() else { return };
    let line = b"S1,P1,north,2026-01-05,professional,pen,face,acne_scars,,none\n";
    let content: Vec<u8> = [crate::store::HEADER.as_bytes(), &line.repeat(300_000)].concat();
    assert!(content.len() > 17 << 20);
    server.bucket().put("large/log.csv", content.clone().into()).unwrap();
    let address = stipple::bucket::Address::parse("s3://clinic/large/log.csv").unwrap();
    let stipple::bucket::Found::One(object) = stipple::bucket::Found::at(&address, &server.access()).unwrap() else {
        panic!("one object");
    };
    assert_eq!(object.bytes(), content.len() as u64);
    let mut read = Vec::new();
    std::io::Read::read_to_end(&mut object.reader(), &mut read).unwrap();
    assert!(read == content);
    let mut reader = object.reader();
    std::io::Read::read_exact(&mut reader, &mut [0; 100]).unwrap();
    server.bucket().put("large/log.csv", content[..content.len() - 1].to_vec().into()).unwrap();
    let error = std::io::Read::read_to_end(&mut reader, &mut Vec::new()).unwrap_err();
    assert!(error.to_string().contains("s3://clinic/large/log.csv changed while it was read"), "{error}");
}

const PIPELINE: &str = "version = 1\nid = \"p\"\n[source]\nlogs = [LOGS]\nevents = [EVENTS]\nmapping = \"MAPPING\"\n\
                        [[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\noutcomes = [\"all\"]\n\
                        by = [\"modality\"]\n";

#[test]
fn a_pipeline_on_a_bucket_gives_the_numbers_of_the_files() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for year in [2024, 2025] {
        let name = format!("harbour_{year}.csv");
        server.upload(Path::new(&sample(&format!("harbour/{name}"))), &format!("run/logs/{name}"));
    }
    server.upload(Path::new(&sample("harbour_events.csv")), "run/events.csv");
    let local = [2024, 2025].map(|year| format!("\"{}\"", sample(&format!("harbour/harbour_{year}.csv"))));
    let events = format!("\"{}\"", sample("harbour_events.csv"));
    let pipelines = [
        ("local", local.join(", "), events),
        ("remote", "\"s3://clinic/run/logs/\"".to_owned(), "\"s3://clinic/run/events.csv\"".to_owned()),
    ];
    for (name, logs, events) in &pipelines {
        let pipeline = PIPELINE.replace("LOGS", logs).replace("EVENTS", events);
        fs::write(at.join(format!("{name}.toml")), pipeline.replace("MAPPING", &sample("harbour.mapping.toml")))
            .unwrap();
        let output = server.stipple(at, &["run", &format!("{name}.toml"), "--out", name, "--quiet"]);
        assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    }
    let read = |run: &str, file: &str| fs::read(at.join(run).join(file)).unwrap();
    // Rows that are named by their file differ in the name alone.
    let numbers = |run: &str| -> Vec<String> {
        let results = text(&read(run, "results.csv"));
        results.lines().filter(|line| line.starts_with("rates/")).map(str::to_owned).collect()
    };
    assert!(numbers("local") == numbers("remote") && numbers("local").len() > 50);
    let manifest: Value = serde_json::from_slice(&read("remote", "manifest.json")).unwrap();
    let input = &manifest["inputs"][0];
    assert_eq!(input["path"].as_str(), Some("s3://clinic/run/logs/harbour_2024.csv"));
    let bytes = fs::read(sample("harbour/harbour_2024.csv")).unwrap();
    assert_eq!(input["blake3"].as_str().map(str::to_owned), Some(blake3::hash(&bytes).to_hex().to_string()));
    assert_eq!(input["bytes"].as_u64(), Some(bytes.len() as u64));
    for file in ["index.html", "manifest.json", "rejects.csv"] {
        let told = text(&read("remote", file));
        assert!(!told.contains(&server.secret) && !told.contains(&server.key_id), "{file}");
    }
}

#[test]
fn init_proposes_from_a_log_in_a_bucket() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    server.upload(Path::new(&sample("nordlicht/nordlicht_2024.csv")), "init/log.csv");
    let output = server.stipple(folder.path(), &["init", "trial", "--from", "s3://clinic/init/log.csv"]);
    assert_eq!(code(&output), 0, "{}", text(&output.stderr));
    let pipeline = fs::read_to_string(folder.path().join("trial/pipeline.toml")).unwrap();
    assert!(pipeline.contains("logs = [\"s3://clinic/init/log.csv\"]"), "{pipeline}");
    let checked = server.stipple(folder.path(), &["check", "trial/pipeline.toml"]);
    assert!(text(&checked.stdout).contains("rows read"), "{}", text(&checked.stderr));
}

#[test]
fn a_store_in_a_bucket_gives_what_a_folder_gives() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let mapping = sample("harbour.mapping.toml");
    let pipeline = "version = 1\nid = \"p\"\n[[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\n\
                    outcomes = [\"all\"]\nby = [\"modality\"]\n";
    fs::write(at.join("p.toml"), pipeline).unwrap();
    let stores = ["warehouse", "s3://clinic/stores/warehouse"];
    for (out, store) in ["local", "remote"].into_iter().zip(stores) {
        let (first, second) = (sample("harbour/harbour_2024.csv"), sample("harbour/harbour_2025.csv"));
        let (events, scores) = (sample("harbour_events.csv"), sample("harbour_scores.csv"));
        json(server, at, &["ingest", "--store", store, "--mapping", &mapping, &first]);
        let more = ["ingest", "--store", store, "--mapping", &mapping, &second, "--events", &events];
        let told = json(server, at, &[&more[..], &["--assessments", &scores]].concat());
        assert_eq!(told["version"].as_u64(), Some(3));
        let again = json(server, at, &["ingest", "--store", store, "--mapping", &mapping, &first, &second]);
        assert!(again["version"].is_null() && again["already_there"].as_array().unwrap().len() == 2, "{again}");
        for (run, as_of) in [("now", None), ("then", Some("2"))] {
            let out = format!("{out}_{run}");
            let mut arguments = vec!["run", "p.toml", "--store", store, "--out", &out, "--quiet"];
            arguments.extend(as_of.iter().flat_map(|version| ["--as-of", version]));
            let output = server.stipple(at, &arguments);
            assert_eq!(code(&output), 0, "{}", text(&output.stderr));
        }
        let verified = json(server, at, &["store", "verify", store]);
        assert_eq!(verified["problems"].as_array().map(Vec::len), Some(0), "{verified}");
        assert_eq!(verified["left_over"].as_array().map(Vec::len), Some(0), "{verified}");
    }
    for run in ["now", "then"] {
        for file in ["results.csv", "rejects.csv", "superseded.csv", "index.html"] {
            let read = |out: &str| fs::read(at.join(format!("{out}_{run}")).join(file)).unwrap();
            assert!(read("local") == read("remote"), "{file} of {run}");
        }
    }
    // The very same data files.
    let (local, remote) = (Store::open(&at.join("warehouse")).unwrap(), Store::open(home(server, "stores/warehouse")));
    let remote = remote.unwrap();
    for table in TableName::ALL {
        let files = |store: &Store| store.files(table, store.latest()).unwrap();
        assert_eq!(files(&local), files(&remote), "{table:?}");
    }
    let history = json(server, at, &["store", "history", stores[1]]);
    assert_eq!(history["versions"].as_array().map(Vec::len), Some(3));
}

#[test]
fn a_store_in_a_bucket_is_kept_in_order() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    let store = "s3://clinic/order/warehouse";
    let files = write_logs(at, 3, 60);
    fs::write(at.join("my.key"), format!("{}\n", "07".repeat(32))).unwrap();
    for (log, events) in &files {
        let (log, events) = (log.display().to_string(), events.display().to_string());
        json(server, at, &["ingest", "--store", store, &log, "--events", &events]);
    }
    let compacted = json(server, at, &["store", "compact", store]);
    assert!(compacted["files"].as_u64() < compacted["files_before"].as_u64(), "{compacted}");
    let session = server.stipple(at, &["store", "history", store, "--session", "S41"]);
    assert!(text(&session.stdout).contains("stands"), "{}", text(&session.stderr));
    // What was written just now may be another writer's: a vacuum leaves it for a day.
    let vacuumed = json(server, at, &["store", "vacuum", store, "--before", &tomorrow()]);
    assert_eq!(vacuumed["files"].as_u64(), Some(0));
    assert!(vacuumed["young_files_kept"].as_u64() > Some(0));
    let mut opened = Store::open(home(server, "order/warehouse")).unwrap();
    let later = Author { by: "a test".to_owned(), at_ms: opened.latest().at_ms + 2 * housekeeping::HORIZON_MS };
    let lock = Store::lock(opened.home()).unwrap();
    let oldest = opened.latest().version;
    let removed = housekeeping::vacuum(&mut opened, (oldest, false), &later, &lock).unwrap();
    assert!(removed.files.len() as u64 == vacuumed["young_files_kept"].as_u64().unwrap() && removed.young == 0);
    assert_eq!((opened.latest().counts.sessions, opened.latest().counts.events), (180, 90));
    let rotated = server.stipple(at, &["store", "rotate-key", store, "--key", "my.key"]);
    assert_eq!(code(&rotated), 0, "{}", text(&rotated.stderr));
    assert_eq!(fs::read_to_string(at.join("my.key")).unwrap().lines().filter(|line| !line.starts_with('#')).count(), 2);
    let log = files[2].0.display().to_string();
    let again = json(server, at, &["ingest", "--store", store, &log, "--key", "my.key"]);
    assert!(again["version"].is_null(), "{again}");
    let other = server.stipple(at, &["ingest", "--store", store, &log]);
    assert_eq!(code(&other), 2);
    assert!(text(&other.stderr).contains("not the key with which"), "{}", text(&other.stderr));
    let verified = json(server, at, &["store", "verify", store]);
    assert_eq!(verified["problems"].as_array().map(Vec::len), Some(0), "{verified}");
}

fn ingest(server: &Server, store: &str, (log, events): &(PathBuf, PathBuf)) -> Child {
    let (log, events) = (log.display().to_string(), events.display().to_string());
    let arguments = ["ingest", "--quiet", "--threads", "1", "--store", store, &log, "--events", &events];
    let mut command = server.command(root(), &arguments);
    command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
}

#[track_caller]
fn finished(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", text(&output.stderr));
}

#[test]
fn of_several_writers_of_a_bucket_each_row_is_there_once() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = write_logs(folder.path(), 3, 60);
    // All make the store at once, and each log comes from two processes.
    let children: Vec<Child> =
        files.iter().chain(&files).map(|file| ingest(server, "s3://clinic/writers", file)).collect();
    children.into_iter().for_each(finished);
    let opened = Store::open(home(server, "writers")).unwrap();
    let found = verify::verify(&opened, &opened.latest().catalogue()).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    let counts = opened.latest().counts;
    assert_eq!((counts.sessions, counts.events), (180, 90));
    assert_eq!(opened.latest().version, 4);
}

#[test]
fn a_writer_that_was_overtaken_and_one_that_finishes_another_s_batch_agree() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = write_logs(folder.path(), 2, 40);
    files.iter().for_each(|file| finished(ingest(server, "s3://clinic/race", file)));
    let home = home(server, "race");
    let author = |by: &str| Author { by: by.to_owned(), at_ms: 1_800_000_000_000 };
    let (mut one, mut two) = (Store::open(&home).unwrap(), Store::open(&home).unwrap());
    let lock = Store::lock(&home).unwrap();
    let done = housekeeping::compact(&mut one, &author("one"), &lock).unwrap();
    assert!(done.files_now < done.files_before);
    let batch = two.next(stipple::store::lake::BatchKind::Compact, &author("two"));
    let error = two.commit(batch, &[], &lock).unwrap_err();
    assert!(matches!(error, stipple::store::lake::StoreError::Overtaken { .. }), "{error}");
    // What the loser has left is in nobody's way, and a vacuum takes it.
    let rows =
        || server.bucket().list("race/batches").unwrap().into_iter().filter(|e| e.key.contains("/batch-")).count();
    assert_eq!(rows() as u64, one.latest().version + 1);
    let later = Author { at_ms: author("one").at_ms + 2 * housekeeping::HORIZON_MS, ..author("one") };
    let oldest = one.latest().version;
    housekeeping::vacuum(&mut one, (oldest, false), &later, &lock).unwrap();
    assert_eq!(rows() as u64, one.latest().version);
    // Both finish what is finished already.
    for _ in 0..2 {
        Store::open(&home).unwrap().finish(&lock).unwrap();
    }
    let opened = Store::open(&home).unwrap();
    assert_eq!(verify::verify(&opened, &opened.latest().catalogue()).unwrap().problems, Vec::<String>::new());
}

#[test]
fn a_batch_that_its_writer_left_unfinished_is_finished_by_several_at_once() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let files = write_logs(folder.path(), 2, 40);
    finished(ingest(server, "s3://clinic/unfinished", &files[0]));
    let bucket = server.bucket();
    let logs = |bucket: &stipple::bucket::Bucket| -> Vec<String> {
        let all = bucket.list("unfinished").unwrap().into_iter().map(|entry| entry.key);
        all.filter(|key| key.contains("_delta_log") && !key.contains("/batches/")).collect()
    };
    let before = logs(&bucket);
    finished(ingest(server, "s3://clinic/unfinished", &files[1]));
    // As if its writer had ended right after the one step: the tables' own logs are a version behind.
    let after = logs(&bucket);
    let new: Vec<&String> = after.iter().filter(|key| !before.contains(key)).collect();
    assert!(new.len() >= 3, "{new:?}");
    new.iter().for_each(|key| bucket.remove(key).unwrap());
    let home = home(server, "unfinished");
    assert_complete(&home, 2, 40);
    let lock = Store::lock(&home).unwrap();
    std::thread::scope(|scope| {
        let finish = || Store::open(&home).unwrap().finish(&lock).unwrap();
        let both = [scope.spawn(finish), scope.spawn(finish), scope.spawn(finish)];
        both.into_iter().for_each(|thread| thread.join().unwrap());
    });
    assert_eq!(logs(&bucket), after);
    assert_complete(&home, 2, 40);
}

#[test]
fn a_kill_at_any_moment_loses_nothing_in_a_bucket() {
    let Some(server) = server() else { return };
    let folder = tempfile::tempdir().unwrap();
    let (logs, rows) = (3, 120);
    let files = write_logs(folder.path(), logs, rows);
    let mut killed = 0;
    for n in 0..9 {
        let mut child = ingest(server, "s3://clinic/kills", &files[n % logs]);
        std::thread::sleep(moment(n, 3_000_000));
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        let _ = child.wait();
    }
    assert!(killed > 1, "only {killed} were killed in their work");
    files.iter().for_each(|file| finished(ingest(server, "s3://clinic/kills", file)));
    let opened = Store::open(home(server, "kills")).unwrap();
    let found = verify::verify(&opened, &opened.latest().catalogue()).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    let counts = opened.latest().counts;
    assert_eq!((counts.sessions, counts.events, counts.pending), ((logs * rows) as u64, (logs * 30) as u64, 0));
}

/// Arguments, variables on top, exit code, and parts of what is said.
type Wrong<'a> = (&'a [&'a str], &'a [(&'a str, &'a str)], i32, &'a [&'a str]);

#[track_caller]
fn assert_told(server: &Server, cases: &[Wrong<'_>]) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.csv"), crate::store::HEADER).unwrap();
    for (arguments, variables, expected, parts) in cases {
        let mut command = server.command(folder.path(), arguments);
        command.envs(variables.iter().copied());
        let output = server.told(command);
        let said = text(&output.stderr);
        assert_eq!(code(&output), *expected, "{arguments:?}: {said}");
        for part in *parts {
            assert!(said.contains(part), "{arguments:?}: no `{part}` in {said}");
        }
        assert!(said.contains("hint: ") && !said.contains("<?xml") && !said.contains("object_store"), "{said}");
    }
}

#[test]
fn what_goes_wrong_in_a_bucket_is_told_with_what_to_do() {
    let Some(server) = server() else { return };
    server.bucket().put("wrong/notes.pdf", b"x"[..].to_vec().into()).unwrap();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let nobody = format!("http://127.0.0.1:{free}");
    let nobody: &[(&str, &str)] = &[("AWS_ENDPOINT_URL", &nobody)];
    assert_told(
        server,
        &[
            (&["check", "s3://nowhere/log.csv"], &[], 2, &["there is no bucket s3://nowhere", "AWS_ENDPOINT_URL"]),
            (&["check", "s3://clinic/no/log.csv"], &[], 2, &["there is no object s3://clinic/no/log.csv"]),
            (&["check", "s3://clinic/no/*.csv"], &[], 2, &["no object fits s3://clinic/no/*.csv"]),
            (&["check", "s3://clinic/wrong/"], &[], 2, &["holds no log", "notes.pdf (not a known kind of file)"]),
            (&["check", "s3://key:wr0ng@clinic/log.csv"], &[], 2, &["holds a key or a password", "AWS_ACCESS_KEY_ID"]),
            (&["check", "s3://clinic/x.csv"], nobody, 1, &["cannot be reached", "Connection refused", "network"]),
            (
                &["ingest", "--store", "s3://nowhere/w", "log.csv"],
                &[],
                2,
                &["there is no bucket s3://nowhere", "AWS_REGION"],
            ),
            (&["ingest", "--store", "s3://clinic/w", "log.csv"], nobody, 1, &["cannot be reached"]),
            (&["ingest", "--store", "s3://clinic/a b", "log.csv"], &[], 2, &["cannot hold a store"]),
            (&["ingest", "--store", "ftp://clinic/w", "log.csv"], &[], 2, &["no folder and no object store"]),
            (&["ingest", "--store", "s3://clinic/wrong", "log.csv"], &[], 2, &["holds `notes.pdf`"]),
            (&["store", "history", "s3://clinic/no"], &[], 2, &["s3://clinic/no holds no store"]),
        ],
    );
    // A store in a bucket needs a key that is told.
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.csv"), crate::store::HEADER).unwrap();
    let mut command = server.command(folder.path(), &["ingest", "--store", "s3://clinic/keyless", "log.csv"]);
    command.env_remove("STIPPLE_KEY");
    let output = server.told(command);
    let said = text(&output.stderr);
    assert_eq!(code(&output), 2, "{said}");
    assert!(said.contains("no key is told") && said.contains("--key FILE"), "{said}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_wrong_key_is_told_and_never_shown() {
    let Some(server) = secured() else { return };
    server.bucket().put("log.csv", crate::store::HEADER.into()).unwrap();
    let secret: &[(&str, &str)] = &[("AWS_SECRET_ACCESS_KEY", "wr0ng")];
    let key: &[(&str, &str)] = &[("AWS_ACCESS_KEY_ID", "AKIAWRONG")];
    let hint = "AWS_SECRET_ACCESS_KEY";
    assert_told(
        server,
        &[
            (&["check", "s3://clinic/log.csv"], secret, 1, &["does not accept the key (SignatureDoesNotMatch)", hint]),
            (&["check", "s3://clinic/log.csv"], key, 1, &["does not accept the key (InvalidAccessKeyId)", hint]),
            (&["ingest", "--store", "s3://clinic/w", "log.csv"], secret, 1, &["does not accept the key", hint]),
            (&["store", "verify", "s3://clinic/w"], key, 1, &["does not accept the key", hint]),
            (&["check", "s3://clinic/log.csv"], &[], 3, &["no session was accepted"]),
        ],
    );
}
