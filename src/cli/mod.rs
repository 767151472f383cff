//! The commands: one file each. The only room that prints, and that reads clock, environment and arguments. Turns
//! every kind of failure into words, a hint and an exit code.

#![expect(clippy::print_stderr, reason = "this is the room that prints")]
#![expect(clippy::disallowed_methods, reason = "this is the room that reads the clock and the environment")]

mod arguments;
mod check;
mod completions;
mod diff;
mod failure;
mod ingest;
mod init;
mod key;
mod methods;
mod processor;
mod run;
mod schema;
mod simulate;
mod store;
mod vocabulary;
mod watch;

use crate::bucket::Access;
use crate::domain::Day;
use crate::pipeline::Pipeline;
use crate::pipeline::settle::{Choice, settle_with};
use arguments::{Arguments, Command};
use clap::Parser;
use comfy_table::{ContentArrangement, Table, presets};
use std::path::Path;
use std::process::ExitCode;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Reads the arguments, does what they say and gives the exit code.
#[must_use]
pub fn main() -> ExitCode {
    if let Some(words) = processor::unfit() {
        eprintln!("{words}");
        return ExitCode::from(failure::FAILED);
    }
    let arguments = match Arguments::try_parse() {
        Ok(arguments) => arguments,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { failure::WRONG_USE } else { 0 });
        }
    };
    let common = &arguments.common;
    if let Some(threads) = common.threads {
        let built = rayon::ThreadPoolBuilder::new().num_threads(threads.get()).build_global();
        if let Err(error) = built {
            eprintln!("error: cannot start {threads} threads: {error}");
            return ExitCode::from(failure::FAILED);
        }
    }
    let done = match arguments.command {
        Command::Run(command) => run::run(&command, common),
        Command::Check(command) => check::check(&command, common),
        Command::Ingest(command) => ingest::ingest(&command, common),
        Command::Store(command) => store::store(&command, common),
        Command::Diff(command) => diff::diff_runs(&command, common),
        Command::Init(command) => init::init(&command, common),
        Command::Simulate(command) => simulate::simulate(&command, common),
        Command::Methods(command) => methods::methods(&command, common),
        Command::Vocabulary => vocabulary::vocabulary(common),
        Command::Schema(command) => schema::schema(&command, common),
        Command::Completions(command) => completions::completions(&command),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            failure.tell();
            ExitCode::from(failure.exit_code)
        }
    }
}

/// The clock.
fn since_1970() -> Duration {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default()
}

/// The day, in UTC. Somewhere it is tomorrow already.
fn today() -> Day {
    i32::try_from(since_1970().as_secs() / 86_400).map_or(Day(i32::MAX - 1), Day)
}

/// On Ctrl-C nothing of a store needs undoing: a batch is in it whole or not at all.
fn tell_of_interrupts() {
    let handler = ctrlc::set_handler(|| {
        eprintln!("interrupted; the store is as it was, or holds the batch whole: `stipple store history` tells");
        std::process::exit(run::INTERRUPTED);
    });
    if let Err(error) = handler {
        failure::Failure::new(failure::FAILED, format!("cannot watch for Ctrl-C: {error}"), "").tell();
    }
}

/// A day that has not come yet is a slip of the pen, and it decides who counts as followed up long enough. Only the
/// clock can tell, so it is told here and stands in no report.
fn tell_of_the_future(newest: Option<Day>) {
    if let Some(newest) = newest.filter(|newest| *newest > today().plus(1)) {
        eprintln!(
            "take care: the newest day in the data, {newest}, has not come yet, and it is the data cut where the pipeline \
             names none; correct the row, or set data_cut"
        );
    }
}

/// The password of databases whose address holds none: where PostgreSQL's own programs look for it too.
fn database_password() -> Option<String> {
    std::env::var("PGPASSWORD").ok().filter(|password| !password.is_empty())
}

/// What object stores are reached by: the variables that their own programs read too.
fn access() -> Access {
    let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
        Some((name.into_string().ok()?, value.into_string().ok()?))
    };
    Access::new(std::env::vars_os().filter_map(text))
}

/// A settled pipeline whose databases have their passwords.
fn settled(path: &Path, choice: Choice<'_>) -> Result<Pipeline, failure::Failure> {
    let mut pipeline = settle_with(path, Choice { access: Some(&access()), ..choice })?;
    if let Some(password) = database_password() {
        pipeline.sources.iter_mut().for_each(|source| source.give_password(&password));
    }
    Ok(pipeline)
}

/// A table without lines, as wide as the terminal at most.
fn plain_table(header: &[&str]) -> Table {
    let mut table = Table::new();
    *table.style_mut() = presets::NOTHING;
    table.set_content_arrangement(ContentArrangement::Dynamic);
    table.set_header(header.to_vec());
    table
}

/// Prints an answer. A reader that closed the pipe has seen enough; a full disk is a failure.
fn answer(text: &str) -> Result<(), failure::Failure> {
    use std::io::{ErrorKind, Write};
    let mut out = std::io::stdout().lock();
    let end: &[u8] = if text.ends_with('\n') { b"" } else { b"\n" };
    let written = out.write_all(text.as_bytes()).and_then(|()| out.write_all(end)).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(failure::Failure::new(failure::FAILED, format!("cannot write the answer: {error}"), "check the disk"))
        }
        _ => Ok(()),
    }
}
