//! A store under kills, full disks and several writers: afterwards every accepted row is there exactly once.
//!
//! Short by default; `STIPPLE_KILLS=400` makes the long form.

#![expect(
    clippy::disallowed_methods,
    reason = "the moments of kills are chosen by a clock, their number by the environment"
)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;
use stipple::store::lake::{Home, Store, TableName, verify};

const HEADER: &str = crate::store::HEADER;

/// Logs with so many sessions each, over a year; every log amends some sessions of the one before it and has events
/// for them.
pub(crate) fn write_logs(folder: &Path, logs: usize, rows: usize) -> Vec<(PathBuf, PathBuf)> {
    let session = |n: usize, effects: &str| {
        let (month, day) = (1 + n % 12, 1 + n % 28);
        format!(
            "S{n},P{},north,2025-{month:02}-{day:02},professional,pen,face,acne_scars,2026-06-01,{effects}\n",
            n / 3
        )
    };
    (0..logs)
        .map(|log| {
            let first = log * rows;
            let amended: String = (first.saturating_sub(20)..first).map(|n| session(n, "pih:1")).collect();
            let new: String = (first..first + rows).map(|n| session(n, "none")).collect();
            let events: String = (first..first + 30).map(|n| format!("S{n},bruising,1,2025-12-30\n")).collect();
            let paths = (folder.join(format!("log_{log}.csv")), folder.join(format!("events_{log}.csv")));
            fs::write(&paths.0, format!("{HEADER}{amended}{new}")).unwrap();
            fs::write(&paths.1, format!("session_id,side_effect,grade,onset_date\n{events}")).unwrap();
            paths
        })
        .collect()
}

fn ingest(store: &Path, (log, events): &(PathBuf, PathBuf)) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stipple"));
    command
        .args(["ingest", "--quiet", "--threads", "1", "--store"])
        .arg(store)
        .arg(log)
        .arg("--events")
        .arg(events)
        .env("STIPPLE_KEY", "07".repeat(32))
        .env_remove("RUST_BACKTRACE")
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

fn finished(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Every session once, every event once, and every state as it follows from them.
pub(crate) fn assert_complete(store: impl Into<Home>, logs: usize, rows: usize) {
    let store = Store::open(store).unwrap();
    let found = verify::verify(&store, &store.latest().catalogue()).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    let counts = store.latest().counts;
    assert_eq!((counts.sessions, counts.events, counts.pending), ((logs * rows) as u64, (logs * 30) as u64, 0));
    let amended: u64 = store.batches().unwrap().iter().map(|batch| batch.counts.amended_sessions).sum();
    assert_eq!(amended, ((logs - 1) * 20) as u64);
    let superseded = store.files(TableName::Superseded, store.latest()).unwrap();
    assert_eq!(superseded.iter().map(|file| file.rows).sum::<u64>(), amended);
}

fn kills() -> usize {
    std::env::var("STIPPLE_KILLS").ok().and_then(|text| text.parse().ok()).unwrap_or(24)
}

/// A deterministic stand-in for chance: the moments of the kills.
pub(crate) fn moment(n: usize, up_to_us: u64) -> Duration {
    let hashed = blake3::hash(&n.to_le_bytes());
    let number = u64::from_le_bytes(std::array::from_fn(|at| hashed.as_bytes()[at]));
    Duration::from_micros(number % up_to_us)
}

#[test]
fn a_kill_at_any_moment_loses_nothing_and_doubles_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("warehouse");
    let (logs, rows) = (4, 400);
    let files = write_logs(folder.path(), logs, rows);
    let started = std::time::Instant::now();
    finished(ingest(&store, &files[0]).spawn().unwrap());
    let whole = u64::try_from(started.elapsed().as_micros()).unwrap().max(1000);
    fs::remove_dir_all(&store).unwrap();
    let mut killed = 0;
    for n in 0..kills() {
        let mut child = ingest(&store, &files[n % logs]).spawn().unwrap();
        std::thread::sleep(moment(n, whole));
        killed += usize::from(child.try_wait().unwrap().is_none());
        let _ = child.kill();
        let _ = child.wait();
        // What is there can be read, whatever happened.
        if Store::exists(&store)
            && let Ok(opened) = Store::open(&store)
        {
            let at = opened.latest();
            for table in TableName::ALL {
                for file in opened.files(table, at).unwrap() {
                    opened.read(table, &file, None).unwrap();
                }
            }
        }
    }
    assert!(killed > kills() / 3, "only {killed} were killed in their work");
    // The amendments of a log need the log before it: in order, each once more.
    for file in &files {
        finished(ingest(&store, file).spawn().unwrap());
    }
    let opened = Store::open(&store).unwrap();
    let found = verify::verify(&opened, &opened.latest().catalogue()).unwrap();
    assert_eq!(found.problems, Vec::<String>::new());
    let counts = opened.latest().counts;
    assert_eq!((counts.sessions, counts.events, counts.pending), ((logs * rows) as u64, (logs * 30) as u64, 0));
}

#[test]
fn several_writers_at_once_wait_for_each_other() {
    for writers in [2, 4] {
        let folder = tempfile::tempdir().unwrap();
        let store = folder.path().join("warehouse");
        let files = write_logs(folder.path(), writers, 200);
        // Each log by two processes at once: the second finds that it is there.
        let children: Vec<Child> =
            files.iter().chain(&files).map(|file| ingest(&store, file).spawn().unwrap()).collect();
        children.into_iter().for_each(finished);
        let opened = Store::open(&store).unwrap();
        let found = verify::verify(&opened, &opened.latest().catalogue()).unwrap();
        assert_eq!(found.problems, Vec::<String>::new());
        let counts = opened.latest().counts;
        assert_eq!((counts.sessions, counts.events), ((writers * 200) as u64, (writers * 30) as u64));
        assert_eq!(opened.latest().version, 1 + writers as u64);
    }
}

#[test]
fn one_after_the_other_amends_what_was_there() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("warehouse");
    let files = write_logs(folder.path(), 3, 100);
    files.iter().for_each(|file| finished(ingest(&store, file).spawn().unwrap()));
    assert_complete(&store, 3, 100);
}

/// Runs a command inside a mount namespace of its own, where `prepare` may mount what it likes; `None` where the
/// machine does not allow that.
#[cfg(target_os = "linux")]
fn in_namespace(prepare: &str, command: &str) -> Option<std::process::Output> {
    let try_out = Command::new("unshare").args(["-m", "sh", "-c", "mount -t tmpfs -o size=64k none /mnt"]).output();
    if !try_out.is_ok_and(|output| output.status.success()) {
        println!("skipped: this machine does not let a test mount a file system (unshare -m)");
        return None;
    }
    Some(Command::new("unshare").args(["-m", "sh", "-c", &format!("{prepare} && {command}")]).output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_disk_is_told_and_the_store_is_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let (full, copy) = (folder.path().join("full"), folder.path().join("copy"));
    fs::create_dir_all(&full).unwrap();
    let files = write_logs(folder.path(), 2, 3000);
    let program = env!("CARGO_BIN_EXE_stipple");
    let line = |at: usize| {
        format!(
            "{program} ingest --quiet --store {0}/w {1} --events {2}",
            full.display(),
            files[at].0.display(),
            files[at].1.display()
        )
    };
    // The first log fits; then the disk is filled but for some pages, the second fails; then there is room again.
    let script = format!(
        "export STIPPLE_KEY={key}; {one} >/dev/null || exit 10; \
         dd if=/dev/zero of={full}/filler bs=64k >/dev/null 2>&1; \
         {two} >/dev/null 2>{copy}.err; code=$?; test $code = 1 || exit 11; \
         {program} store verify --json {full}/w | grep -qF '\"left_over\":[]' || exit 12; \
         rm {full}/filler; {two} >/dev/null || exit 13; cp -r {full}/w {copy}",
        key = "07".repeat(32),
        one = line(0),
        two = line(1),
        full = full.display(),
        copy = copy.display(),
    );
    let mount = format!("mount -t tmpfs -o size=12m none {}", full.display());
    let Some(output) = in_namespace(&mount, &script) else { return };
    assert!(output.status.success(), "{:?} {}", output.status, String::from_utf8_lossy(&output.stderr));
    let said = fs::read_to_string(format!("{}.err", copy.display())).unwrap();
    assert!(said.contains("error: cannot") && said.contains("hint:"), "{said}");
    assert_complete(&copy, 2, 3000);
}

#[cfg(target_os = "linux")]
#[test]
fn a_read_only_folder_can_be_read_and_is_not_written_to() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("warehouse");
    let files = write_logs(folder.path(), 2, 50);
    finished(ingest(&store, &files[0]).spawn().unwrap());
    let program = env!("CARGO_BIN_EXE_stipple");
    let script = format!(
        "export STIPPLE_KEY={key}; {program} store verify {store} || exit 10; {program} store history {store} || exit 11; \
         {program} ingest --store {store} {log}; test $? = 1 || exit 12",
        key = "07".repeat(32),
        store = store.display(),
        log = files[1].0.display(),
    );
    let mount = format!("mount --bind {0} {0} && mount -o remount,ro,bind {0}", store.display());
    let Some(output) = in_namespace(&mount, &script) else { return };
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{:?} {said}", output.status);
    assert!(said.contains("cannot lock"), "{said}");
}
