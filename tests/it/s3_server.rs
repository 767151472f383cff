//! A local S3 server for the tests: moto, in a process of its own that ends with this one. Skipped, with the reason
//! printed, where no Python with it is found; an error where `STIPPLE_S3_PYTHON` names one that does not work.

#![expect(clippy::disallowed_methods, reason = "which Python has the server is told by the environment")]

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::sync::{Mutex, OnceLock};
use std::time::Duration;
use stipple::bucket::{Access, Address, Bucket};

/// One request after the other: the server looks for an object and puts one in two steps, which another request must
/// not come between (a real one sees to that by itself).
const SERVER: &str = r#"
import os, sys, threading
port, secured = int(sys.argv[1]), sys.argv[2] == "secured"
if secured:
    os.environ["INITIAL_NO_AUTH_ACTION_COUNT"] = "0"
from moto.backends import get_backend
from moto.server import DomainDispatcherApplication, MotoRequestHandler, create_backend_app
from werkzeug.serving import make_server
account = "123456789012"
key_id, secret = "AKIAOPENOPENOPENOPEN", "0pen0pen0pen0pen"
if secured:
    iam = get_backend("iam")[account]["global"]
    iam.create_user(region_name="us-east-1", user_name="reader")
    policy = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}'
    iam.put_user_policy("reader", "all", policy)
    key = iam.create_access_key("reader")
    key_id, secret = key.access_key_id, key.secret_access_key
get_backend("s3")[account]["aws"].create_bucket("clinic", "us-east-1")
application = DomainDispatcherApplication(create_backend_app)
server = make_server("127.0.0.1", port, application, threaded=False, request_handler=MotoRequestHandler)
print(key_id, secret, flush=True)
# The pipe to the test closes when it ends, however it ends.
threading.Thread(target=lambda: (sys.stdin.read(), os._exit(0)), daemon=True).start()
server.serve_forever()
"#;

/// A server, and the key that it takes.
pub(crate) struct Server {
    pub(crate) url: String,
    pub(crate) key_id: String,
    pub(crate) secret: String,
}

/// The Python that has moto, and whether it was named.
fn python() -> (String, bool) {
    match std::env::var("STIPPLE_S3_PYTHON") {
        Ok(path) if !path.is_empty() => (path, true),
        _ => ("python3".to_owned(), false),
    }
}

fn start(kind: &str) -> Option<Server> {
    let (python, named) = python();
    // An older moto is found on some machines, and has other names in it.
    let imports: Vec<&str> = SERVER.lines().filter(|line| line.starts_with("from ")).collect();
    let has_moto = Command::new(&python).args(["-c", &imports.join("\n")]).stderr(Stdio::null()).status();
    if !has_moto.is_ok_and(|status| status.success()) {
        assert!(!named, "STIPPLE_S3_PYTHON names {python}, which has no moto[server]");
        return None;
    }
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let mut command = Command::new(&python);
    command.args(["-W", "ignore", "-c", SERVER, &port.to_string(), kind]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
    #[expect(clippy::zombie_processes, reason = "it ends with this process, whose end closes its pipe")]
    let mut child = command.spawn().unwrap();
    let mut line = String::new();
    BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
    // Kept open until this process ends.
    static PIPES: Mutex<Vec<std::process::ChildStdin>> = Mutex::new(Vec::new());
    PIPES.lock().unwrap().push(child.stdin.take().unwrap());
    let (key_id, secret) = line.trim().split_once(' ').unwrap_or_else(|| panic!("the server said {line:?}"));
    for _ in 0..200 {
        if std::net::TcpStream::connect(("127.0.0.1", port)).is_ok() {
            let url = format!("http://127.0.0.1:{port}");
            return Some(Server { url, key_id: key_id.to_owned(), secret: secret.to_owned() });
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the server does not answer");
}

fn shared(at: &'static OnceLock<Option<Server>>, kind: &str) -> Option<&'static Server> {
    let server = at.get_or_init(|| start(kind));
    if server.is_none() {
        println!("skipped: no python3 with moto[server]; STIPPLE_S3_PYTHON names another one");
    }
    server.as_ref()
}

/// The server of most tests, which takes any key; each test has a prefix of its own.
pub(crate) fn server() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    shared(&SERVER, "open")
}

/// A server that takes its own key only.
pub(crate) fn secured() -> Option<&'static Server> {
    static SERVER: OnceLock<Option<Server>> = OnceLock::new();
    shared(&SERVER, "secured")
}

impl Server {
    fn variables(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.url),
            ("AWS_ALLOW_HTTP", "true"),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", &self.key_id),
            ("AWS_SECRET_ACCESS_KEY", &self.secret),
        ]
    }

    /// What the library reaches it by.
    pub(crate) fn access(&self) -> Access {
        Access::new(self.variables().map(|(name, value)| (name.to_owned(), value.to_owned())))
    }

    pub(crate) fn bucket(&self) -> Bucket {
        self.access().bucket(&Address::parse("s3://clinic").unwrap()).unwrap()
    }

    /// Copies a file into the bucket.
    pub(crate) fn upload(&self, file: &Path, key: &str) {
        self.bucket().put(key, std::fs::read(file).unwrap().into()).unwrap();
    }

    /// The program, with this server and the test's key for pseudonyms in its environment.
    pub(crate) fn command(&self, folder: &Path, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stipple"));
        command.args(arguments).current_dir(folder).env("NO_COLOR", "1").env("NO_PROXY", "127.0.0.1");
        command.envs(self.variables()).env("STIPPLE_KEY", "07".repeat(32)).env_remove("RUST_BACKTRACE");
        command
    }

    /// Runs it; nothing that it says may hold a key.
    #[track_caller]
    pub(crate) fn stipple(&self, folder: &Path, arguments: &[&str]) -> Output {
        self.told(self.command(folder, arguments))
    }

    /// Runs a command of it.
    #[track_caller]
    pub(crate) fn told(&self, mut command: Command) -> Output {
        let output = command.output().unwrap();
        let told = [&output.stdout[..], &output.stderr].concat();
        let told = String::from_utf8_lossy(&told).into_owned();
        for secret in [&self.key_id, &self.secret, "AKIAWRONG", "wr0ng"] {
            assert!(!told.contains(secret), "{told}");
        }
        output
    }
}
