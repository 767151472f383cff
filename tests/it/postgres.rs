//! Logs in a PostgreSQL database: a real server, started for the test and thrown away after it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::OnceLock;

const PASSWORD: &str = "g3heim@:/x";
/// The password as it stands within an address.
const ENCODED: &str = "g3heim%40%3A%2Fx";

/// A server of its own in a folder of its own; stopped when dropped.
struct Server {
    folder: tempfile::TempDir,
    programs: PathBuf,
    port: u16,
}

/// The newest PostgreSQL on the machine.
fn programs() -> Option<PathBuf> {
    let mut found: Vec<PathBuf> = fs::read_dir("/usr/lib/postgresql")
        .ok()?
        .filter_map(|entry| entry.ok().map(|entry| entry.path().join("bin")))
        .filter(|path| path.join("initdb").exists())
        .collect();
    found.sort();
    found.pop()
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.starts_with(b"0\n"))
}

impl Server {
    fn start() -> Option<Server> {
        Server::start_with("")
    }

    fn start_with(more: &str) -> Option<Server> {
        let programs = programs()?;
        let folder = tempfile::tempdir().unwrap();
        if is_root() {
            // The server refuses to run as root.
            let given = Command::new("chown").arg("postgres").arg(folder.path()).status();
            if !given.is_ok_and(|status| status.success()) {
                return None;
            }
        }
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let server = Server { folder, programs, port };
        let secret = server.folder.path().join("secret");
        fs::write(&secret, PASSWORD).unwrap();
        let data = server.folder.path().join("data");
        let data = data.to_str().unwrap();
        let secret = format!("--pwfile={}", secret.display());
        let made = server.run("initdb", &["-D", data, "-U", "owner", "-A", "scram-sha-256", &secret, "-E", "UTF8"]);
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        let settings = format!(
            "-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={} -c fsync=off {more}",
            server.folder.path().display()
        );
        let log = server.folder.path().join("log");
        let started = server.run("pg_ctl", &["-D", data, "-w", "-l", log.to_str().unwrap(), "-o", &settings, "start"]);
        assert!(started.status.success(), "{}", fs::read_to_string(log).unwrap_or_default());
        Some(server)
    }

    /// Runs one of PostgreSQL's programs, as another user where we are root.
    fn run(&self, program: &str, arguments: &[&str]) -> Output {
        let program = self.programs.join(program);
        let mut command = if is_root() {
            let mut command = Command::new("setpriv");
            command.args(["--reuid=postgres", "--regid=postgres", "--clear-groups"]).arg(program);
            command
        } else {
            Command::new(program)
        };
        command.args(arguments).current_dir(self.folder.path()).env("PGPASSWORD", PASSWORD);
        // A server that outlives pg_ctl would keep a pipe of ours open.
        command.stdin(Stdio::null());
        let told = self.folder.path().join("told");
        let file = fs::File::create(&told).unwrap();
        let status = command.stdout(file.try_clone().unwrap()).stderr(file).status().unwrap();
        Output { status, stdout: Vec::new(), stderr: fs::read(told).unwrap() }
    }

    fn sql(&self, sql: &str) -> String {
        let port = self.port.to_string();
        let arguments =
            ["-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", "-h", "127.0.0.1", "-p", &port, "-U", "owner", "-d"];
        let output = self.run("psql", &[&arguments[..], &["postgres", "-c", sql]].concat());
        let told = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{told}");
        told
    }

    fn url(&self) -> String {
        format!("postgresql://owner@127.0.0.1:{}/postgres", self.port)
    }

    fn url_with_password(&self) -> String {
        format!("postgresql://owner:{ENCODED}@127.0.0.1:{}/postgres", self.port)
    }

    fn stop(&self, how: &str) {
        let data = self.folder.path().join("data");
        self.run("pg_ctl", &["-D", data.to_str().unwrap(), "-m", how, "stop"]);
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop("immediate");
    }
}

const TABLES: &str = r#"
create table visits (id text, patient text, day date, at timestamptz, device text, depth numeric, sterile boolean,
                     pain double precision, note text);
insert into visits values
  ('s1', 'P-0001', '2026-01-05', '2026-01-05 10:00+00', 'pen', 1.50, true, 0.1, E'two\nlines, "quoted"'),
  ('s2', 'P-0001', '2026-02-05', '2026-02-05 10:00+00', 'roller', 0.50, false, 3, ''),
  ('s3', 'P-0002', '2026-01-07', null, 'rf', null, null, null, null),
  ('s4', 'P-0003', null, null, 'pen', 1.5, true, 2.5, E'a,b,c,d,e,f,g,h,i\na,b,c,d,e,f,g,h,i\n');
create table reactions (visit text, term text, began date);
insert into reactions values ('s1', 'erythema', '2026-01-06'), ('s9', 'pih', '2026-02-06');
create role reader login password 'other';
"#;

/// The server of all tests that only read; `None` where there is no PostgreSQL.
fn shared() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    let server = SERVER.get_or_init(|| {
        let server = Server::start()?;
        server.sql(TABLES);
        // Statics are not dropped: the server ends with this process.
        watch_over(&server);
        Some(server)
    });
    if server.is_none() {
        println!("skipped: no PostgreSQL under /usr/lib/postgresql that this user can start");
    }
    server.as_ref()
}

/// Stops the server and removes its folder once this process is gone.
fn watch_over(server: &Server) {
    let pid = fs::read_to_string(server.folder.path().join("data/postmaster.pid")).unwrap();
    let script = format!(
        "while kill -0 {} 2>/dev/null; do sleep 1; done; kill -INT {}; sleep 2; rm -rf '{}'",
        std::process::id(),
        pid.lines().next().unwrap(),
        server.folder.path().display()
    );
    let mut command = Command::new("sh");
    command.arg("-c").arg(script).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    #[expect(clippy::zombie_processes, reason = "it outlives this process: that is what it is for")]
    command.spawn().unwrap();
}

const QUERY: &str = "select id as session_id, patient as patient_id, 'north' as clinic_id, day as session_date, \
                     'professional' as setting, device as modality, 'face' as body_area, 'acne_scars' as indication, \
                     depth as needle_depth_mm, sterile as sterile_single_use, pain as pain_vas, note from visits";

fn mapping(folder: &Path, query: &str, more: &str) {
    fs::write(folder.join("m.toml"), format!("version = 1\n[read]\nquery = '''{query}'''\n{more}")).unwrap();
}

fn stipple(folder: &Path, arguments: &[&str], password: Option<&str>) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_stipple"));
    command.args(arguments).current_dir(folder).env("NO_COLOR", "1").env_remove("PGPASSWORD");
    command.envs(password.map(|password| ("PGPASSWORD", password)));
    command.output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Checks a query; exit code, and everything that was said, in which no password may stand.
#[track_caller]
fn check(url: &str, query: &str, password: Option<&str>) -> (i32, String) {
    let folder = tempfile::tempdir().unwrap();
    mapping(folder.path(), query, "");
    let output = stipple(folder.path(), &["check", url, "--mapping", "m.toml", "--rejects", "r.csv"], password);
    let rejects = fs::read_to_string(folder.path().join("r.csv")).unwrap_or_default();
    let told = format!("{}{}{rejects}", text(&output.stdout), text(&output.stderr));
    for secret in [PASSWORD, ENCODED, "wr0ng", "P-000"] {
        assert!(!told.contains(secret), "{told}");
    }
    (output.status.code().unwrap(), told)
}

#[test]
fn the_rows_of_a_query_are_judged_like_those_of_a_file() {
    let Some(server) = shared() else { return };
    let (code, told) = check(&server.url(), QUERY, Some(PASSWORD));
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("4 rows read = 3 accepted + 1 rejected + 0 superseded"), "{told}");
    // The fourth row of the result, though the note of the first has two lines.
    let place = format!("postgresql://owner@127.0.0.1:{}/postgres:4 session_date", server.port);
    assert!(told.contains(&place), "{told}");
    assert!(told.contains("missing_required"));
}

#[test]
fn values_come_out_as_they_are_in_the_database() {
    use stipple::domain::FileId;
    use stipple::ingest::{Database, ReadOptions, open_database};
    let Some(server) = shared() else { return };
    let database = Database::parse(&server.url_with_password()).unwrap();
    let query = "select 0.1::float8 + 0.2::float8, 1e-3::numeric, 12345678901234567890.123456789::numeric, \
                 date '2026-03-02', timestamp '2026-03-02 10:30', true, null, '', 'é\"x', E'a\\nb' order by 1";
    let options = ReadOptions { query: Some(query.to_owned()), ..ReadOptions::default() };
    let mut reader = open_database(&database, FileId(3), &options).unwrap();
    let batch = reader.next_batch().unwrap().unwrap();
    let row = batch.records().next().unwrap();
    let fields: Vec<&str> = row.fields().collect();
    let expected = [
        "0.30000000000000004",
        "0.001",
        "12345678901234567890.123456789",
        "2026-03-02",
        "2026-03-02 10:30:00",
        "t",
        "",
        "",
        "é\"x",
        "a\nb",
    ];
    assert_eq!(fields, expected);
    assert_eq!((row.place.line, row.place.record), (1, 1));
    assert!(reader.next_batch().unwrap().is_none());
    assert_eq!(reader.content_hash().unwrap().len(), 64);
}

#[test]
fn a_pipeline_reads_sessions_and_events_by_their_own_queries() {
    let Some(server) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let events = "[events.read]\nquery = \"select visit as session_id, term as side_effect, began as onset_date from reactions\"";
    mapping(folder.path(), QUERY, events);
    let url = server.url_with_password();
    let pipeline = format!(
        "version = 1\nid = \"p\"\n[source]\nlogs = [\"{url}\"]\nevents = [\"{url}\"]\nmapping = \"m.toml\"\n\
         [[analysis]]\nid = \"rates\"\nkind = \"side_effect_rates\"\noutcomes = [\"erythema\"]\ndenominator = \"all_sessions\"\n"
    );
    fs::write(folder.path().join("p.toml"), pipeline).unwrap();
    let mut hashes = Vec::new();
    for out in ["a", "b"] {
        let output = stipple(folder.path(), &["run", "p.toml", "--out", out], None);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
        let manifest = fs::read_to_string(folder.path().join(out).join("manifest.json")).unwrap();
        for secret in [PASSWORD, ENCODED] {
            assert!(!manifest.contains(secret), "{manifest}");
            let report = fs::read_to_string(folder.path().join(out).join("index.html")).unwrap();
            assert!(!report.contains(secret));
        }
        let manifest: serde_json::Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!((manifest["read_rows"].as_u64(), manifest["accepted_rows"].as_u64()), (Some(6), Some(4)));
        let name = format!("postgresql://owner:***@127.0.0.1:{}/postgres", server.port);
        assert_eq!(manifest["inputs"][0]["path"].as_str(), Some(name.as_str()));
        hashes.push(manifest["inputs"][0]["blake3"].as_str().unwrap().to_owned());
        let results = fs::read_to_string(folder.path().join(out).join("results.csv")).unwrap();
        let rate = results.lines().find(|line| line.starts_with("rates/erythema//rate,")).unwrap();
        assert!(rate.contains(",1,3,"), "{rate}");
    }
    assert!(hashes[0] == hashes[1] && hashes[0].len() == 64);
}

/// Address, query, password, and what is expected: exit code, and parts of the message.
type Wrong = (String, &'static str, Option<&'static str>, i32, &'static [&'static str]);

#[test]
fn what_goes_wrong_is_told_with_what_to_do() {
    let Some(server) = shared() else { return };
    let port = server.port;
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let cases: Vec<Wrong> = vec![
        (server.url(), QUERY, Some("wr0ng"), 1, &["password authentication failed", "PGPASSWORD"]),
        (server.url(), QUERY, None, 1, &["refuses the user", "PGPASSWORD"]),
        (format!("postgresql://owner:wr0ng@127.0.0.1:{port}/postgres"), QUERY, Some(PASSWORD), 1, &["owner:***@"]),
        (
            format!("postgresql://owner@127.0.0.1:{port}/nowhere"),
            QUERY,
            Some(PASSWORD),
            1,
            &["\"nowhere\" does not exist"],
        ),
        (
            format!("postgresql://owner@127.0.0.1:{free}/postgres"),
            QUERY,
            Some(PASSWORD),
            1,
            &["no connection", "check host"],
        ),
        (
            server.url(),
            "select *\nfrom visit",
            Some(PASSWORD),
            2,
            &["\"visit\" does not exist", "line 2", "[read] query"],
        ),
        (server.url(), "delete from visits", Some(PASSWORD), 2, &["not one SELECT"]),
        (server.url(), "select 1; delete from visits", Some(PASSWORD), 2, &["refused"]),
        (server.url(), "select 1) to program 'touch /tmp/stipple_was_here' --", Some(PASSWORD), 2, &["refused"]),
        (
            server.url(),
            "with gone as (delete from visits returning *) select * from gone",
            Some(PASSWORD),
            2,
            &["refused"],
        ),
        (server.url(), "select 1 /* ", Some(PASSWORD), 2, &["refused"]),
        (
            format!("{}?sslmode=require", server.url()),
            QUERY,
            Some(PASSWORD),
            1,
            &["no encrypted connection", "server does not support TLS", "sslmode=disable"],
        ),
        (format!("{}?sslmode=sometimes", server.url()), QUERY, Some(PASSWORD), 2, &["sslmode", "verify-full"]),
        (format!("mysql://owner:wr0ng@127.0.0.1:{port}/x"), QUERY, None, 2, &["`mysql://` addresses cannot be read"]),
    ];
    for (url, query, password, code, expected) in cases {
        let (got, told) = check(&url, query, password);
        assert_eq!(got, code, "{query}: {told}");
        for part in expected {
            assert!(told.contains(part), "{query}: {told}");
        }
        assert!(told.contains("hint: "), "{told}");
    }
    assert!(!Path::new("/tmp/stipple_was_here").exists());
    assert_eq!(server.sql("select count(*) from visits").trim(), "4");
}

#[test]
fn a_table_that_the_user_may_not_read_is_told() {
    let Some(server) = shared() else { return };
    let url = format!("postgresql://reader@127.0.0.1:{}/postgres", server.port);
    let (code, told) = check(&url, QUERY, Some("other"));
    assert_eq!(code, 2);
    assert!(told.contains("permission denied for table visits") && told.contains("may read the tables"), "{told}");
}

#[test]
fn a_mapping_without_a_query_is_told() {
    let Some(server) = shared() else { return };
    let folder = tempfile::tempdir().unwrap();
    let output = stipple(folder.path(), &["check", &server.url()], Some(PASSWORD));
    assert_eq!(output.status.code(), Some(2));
    let told = text(&output.stderr);
    assert!(told.contains("no query") && told.contains("[read]"), "{told}");
}

#[test]
fn a_query_that_fails_in_its_middle_gives_an_error_and_not_fewer_rows() {
    let Some(server) = shared() else { return };
    let row = "select 's' || n as session_id, 'p' as patient_id, 'north' as clinic_id, date '2026-01-05' as session_date, \
               'professional' as setting, 'pen' as modality, 'face' as body_area, 'acne_scars' as indication";
    let (code, told) =
        check(&server.url(), &format!("{row}, 1 / (50000 - n) from generate_series(1, 60000) n"), Some(PASSWORD));
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("division by zero") && told.contains("its rows are not used"), "{told}");
    // What the server quotes of a row is not shown: it may be a patient's identifier.
    let (code, told) = check(
        &server.url(),
        &format!("{row}, case when n = 50000 then ('P-000' || n)::date end from generate_series(1, 60000) n"),
        Some(PASSWORD),
    );
    assert_eq!(code, 1, "{told}");
    assert!(told.contains("invalid input syntax for type date: \"…\""), "{told}");
    let (code, told) = check(&server.url(), &format!("{row} from generate_series(1, 60000) n"), Some(PASSWORD));
    assert_eq!(code, 0, "{told}");
    assert!(told.contains("60000 rows read = 60000 accepted"), "{told}");
}

#[test]
fn no_row_at_all_is_told() {
    let Some(server) = shared() else { return };
    let (code, told) = check(&server.url(), &format!("{QUERY} where false"), Some(PASSWORD));
    assert_eq!(code, 3, "{told}");
    assert!(told.contains("no session was accepted (0 rows read)"), "{told}");
}

#[test]
fn a_server_that_dies_in_the_middle_gives_an_error() {
    let Some(server) = Server::start() else {
        println!("skipped: no PostgreSQL under /usr/lib/postgresql that this user can start");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let row = "select 's' || n as session_id, 'p' as patient_id, 'north' as clinic_id, date '2026-01-05' as session_date, \
               'professional' as setting, 'pen' as modality, 'face' as body_area, 'acne_scars' as indication, pg_sleep(0.001) \
               from generate_series(1, 1000000) n";
    mapping(folder.path(), row, "");
    let child = Command::new(env!("CARGO_BIN_EXE_stipple"))
        .args(["check", &server.url(), "--mapping", "m.toml"])
        .current_dir(folder.path())
        .env("PGPASSWORD", PASSWORD)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    while !server.sql("select count(*) from pg_stat_activity where application_name = 'stipple'").starts_with('1') {
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    server.stop("immediate");
    let output = child.wait_with_output().unwrap();
    let told = text(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains("the connection ended before the last row") && told.contains("hint: run it again"), "{told}");
}

/// A certificate authority, a server that it vouches for under the name `localhost`, and one that vouches for itself.
const CERTIFICATES: &str = "set -e
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=authority -days 3650
openssl req -newkey rsa:2048 -nodes -keyout server.key -out server.csr -subj /CN=db
printf 'subjectAltName=DNS:localhost' > names
openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out server.crt -days 3650 -extfile names
openssl req -x509 -newkey rsa:2048 -nodes -keyout own.key -out own.crt -subj /CN=own -days 3650 \
  -addext subjectAltName=IP:127.0.0.1
chmod 600 *.key
if [ $(id -u) = 0 ]; then chown postgres *.key *.crt; chmod 755 .; fi";

/// Whether the connection is encrypted, as the server sees it; or what is said in place of rows.
fn encrypted(url: &str) -> Result<bool, String> {
    use stipple::domain::FileId;
    use stipple::ingest::{Database, ReadOptions, open_database};
    let mut database = Database::parse(url).map_err(|error| error.to_string())?;
    database.give_password(PASSWORD);
    let query = "select ssl from pg_stat_ssl where pid = pg_backend_pid()";
    let options = ReadOptions { query: Some(query.to_owned()), ..ReadOptions::default() };
    let mut reader = open_database(&database, FileId(0), &options).map_err(|error| error.to_string())?;
    let batch = reader.next_batch().map_err(|error| error.to_string())?.unwrap();
    let row = batch.records().next().unwrap();
    Ok(row.fields().next() == Some("t"))
}

#[test]
fn a_connection_is_encrypted_and_the_server_judged_as_the_address_asks() {
    let folder = tempfile::tempdir().unwrap();
    let made = Command::new("sh").arg("-c").arg(CERTIFICATES).current_dir(folder.path()).output();
    if !made.is_ok_and(|made| made.status.success()) {
        println!("skipped: openssl cannot make certificates here");
        return;
    }
    let file = |name: &str| folder.path().join(name).display().to_string();
    let with = |name: &str| {
        let (key, certificate) = (file(&format!("{name}.key")), file(&format!("{name}.crt")));
        Server::start_with(&format!("-c ssl=on -c ssl_key_file={key} -c ssl_cert_file={certificate}"))
    };
    let (Some(server), Some(own)) = (with("server"), with("own")) else {
        println!("skipped: no PostgreSQL under /usr/lib/postgresql that this user can start");
        return;
    };
    let at = |server: &Server, host: &str, parameters: &str| {
        encrypted(&format!("postgresql://owner@{host}:{}/postgres{parameters}", server.port))
    };
    let trusting = |mode: &str, roots: &str| format!("?sslmode={mode}&sslrootcert={}", file(roots));
    assert_eq!(at(&server, "127.0.0.1", ""), Ok(true));
    assert_eq!(at(&server, "127.0.0.1", "?sslmode=disable"), Ok(false));
    assert_eq!(at(&server, "127.0.0.1", "?sslmode=require&application_name=x"), Ok(true));
    assert_eq!(at(&server, "localhost", &trusting("verify-full", "ca.pem")), Ok(true));
    assert_eq!(at(&server, "127.0.0.1", &trusting("verify-ca", "ca.pem")), Ok(true));
    assert_eq!(at(&own, "127.0.0.1", &trusting("verify-full", "own.crt")), Ok(true));
    assert_eq!(at(&own, "localhost", &trusting("require", "own.crt")), Ok(true));
    for (server, host, parameters, reason) in [
        (&server, "127.0.0.1", trusting("verify-full", "ca.pem"), "not valid for name"),
        (&own, "localhost", trusting("verify-full", "own.crt"), "not valid for name"),
        (&server, "localhost", trusting("verify-full", "own.crt"), "UnknownIssuer"),
        (&server, "localhost", trusting("require", "own.crt"), "UnknownIssuer"),
        (&own, "127.0.0.1", trusting("verify-ca", "ca.pem"), "UnknownIssuer"),
        (&server, "localhost", "?sslmode=verify-full&sslrootcert=system".to_owned(), "UnknownIssuer"),
        (&server, "localhost", trusting("verify-ca", "nowhere.pem"), "nowhere.pem cannot be used"),
        (&server, "localhost", trusting("verify-ca", "ca.key"), "holds none in PEM"),
    ] {
        let told = at(server, host, &parameters).unwrap_err();
        assert!(told.contains(reason), "{parameters}: {told}");
    }
}
