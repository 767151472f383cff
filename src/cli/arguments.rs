//! What a user types.

use crate::results::diff::TOLERANCE;
use clap::{Args, Parser, Subcommand, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Side-effect rates and outcome trends from microneedling session logs.
#[derive(Debug, Parser)]
#[command(
    name = "stipple",
    version,
    after_help = "Examples:\n  stipple run pipelines/pih_by_skin_tone.toml\n  stipple check my_sessions.csv --mapping my.mapping.toml\n  stipple simulate --sessions 10000 --seed 1 --out trial\n\nExit codes: 0 done, 1 failed, 2 wrong use, 3 the data cannot be used or a quality gate was not met."
)]
pub(super) struct Arguments {
    #[command(flatten)]
    pub(super) common: Common,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Debug, Args)]
pub(super) struct Common {
    /// Say nothing on stderr but errors; answers stand on stdout
    #[arg(long, short, global = true)]
    pub(super) quiet: bool,
    /// Say more
    #[arg(long, short, global = true, conflicts_with = "quiet")]
    pub(super) verbose: bool,
    /// Answer in JSON, for programs
    #[arg(long, global = true)]
    pub(super) json: bool,
    /// Threads to use (default: one a core)
    #[arg(long, global = true, value_name = "N")]
    pub(super) threads: Option<NonZeroUsize>,
    /// Memory to use, about, such as 512M or 4G; what does not fit goes to temporary files
    #[arg(long, global = true, value_name = "SIZE", default_value = "1G", value_parser = memory)]
    pub(super) memory: usize,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read, validate, count, compute, draw, write the report
    Run(Run),
    /// What would be accepted and rejected, and why; writes nothing but --rejects FILE
    Check(Check),
    /// Session logs, events and scores into a store
    Ingest(Ingest),
    /// What is in a store and how it came there; checks and housekeeping
    #[command(subcommand)]
    Store(StoreCommand),
    /// Which results changed between two runs, appeared or went, and by how much
    Diff(Diff),
    /// A pipeline and a mapping to start from
    Init(Init),
    /// Session logs with a known truth (truth.json beside them)
    Simulate(Simulate),
    /// The statistical methods: formula, source, what happens at the edges
    #[command(after_help = "Examples:\n  stipple methods\n  stipple methods wilson_rao_scott")]
    Methods(Methods),
    /// The side effects, their codes, synonyms, windows and grades
    #[command(after_help = "Example:\n  stipple vocabulary --json")]
    Vocabulary,
    /// The keys and columns of a file
    #[command(after_help = "Examples:\n  stipple schema pipeline\n  stipple schema mapping\n  stipple schema results")]
    Schema(Schema),
    /// Shell completions
    #[command(after_help = "Example:\n  stipple completions bash > ~/.local/share/bash-completion/completions/stipple")]
    Completions(Completions),
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple run pipelines/pih_by_skin_tone.toml\n  stipple run my.toml --out reports/may"
)]
pub(super) struct Run {
    /// The pipeline file
    #[arg(value_name = "PIPELINE.toml")]
    pub(super) pipeline: PathBuf,
    /// Folder of the report (default: reports/<pipeline id>)
    #[arg(long, value_name = "DIR")]
    pub(super) out: Option<PathBuf>,
    /// Read this store instead of the pipeline's [source]
    #[arg(long, value_name = "STORE")]
    pub(super) store: Option<PathBuf>,
    /// The store as it was in this version, or at the end of this day (UTC)
    #[arg(long, value_name = "VERSION | DATE")]
    pub(super) as_of: Option<String>,
    /// Where counting happens
    #[arg(long, value_name = "local", default_value = "local")]
    pub(super) engine: Engine,
    /// Say what would be read, counted and kept, and stop
    #[arg(long)]
    pub(super) explain: bool,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple diff reports/march reports/april\n  stipple run my.toml --as-of 2026-03-31 --out march && stipple diff march reports/my --all"
)]
pub(super) struct Diff {
    /// Folder of the first run
    #[arg(value_name = "RUN_A")]
    pub(super) run_a: PathBuf,
    /// Folder of the second run
    #[arg(value_name = "RUN_B")]
    pub(super) run_b: PathBuf,
    /// List every row, not only the first of each kind
    #[arg(long)]
    pub(super) all: bool,
    /// Numbers that differ by no more than this part of themselves are the same; 0 = to the last digit
    #[arg(long, value_name = "PART", default_value_t = TOLERANCE, value_parser = part)]
    pub(super) tolerance: f64,
}

/// A number from 0 to less than 1.
fn part(text: &str) -> Result<f64, String> {
    let part = text.parse().ok().filter(|part| (0.0..1.0).contains(part));
    part.ok_or_else(|| "a number from 0 to less than 1, such as 1e-9".to_owned())
}

/// Where counting happens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Engine {
    /// In this process.
    Local,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple ingest --store warehouse january.csv\n  stipple ingest --store warehouse --mapping clinic.mapping.toml exports/*.csv --events events.csv\n  stipple ingest --store warehouse --events late_reports.csv\n\nThe same file twice changes nothing. A file is in the store whole or not at all."
)]
pub(super) struct Ingest {
    /// Folder or address (s3://…) of the store; made where there is none
    #[arg(long, value_name = "STORE")]
    pub(super) store: PathBuf,
    /// Session logs
    #[arg(value_name = "LOG", required_unless_present_any = ["events", "assessments"])]
    pub(super) logs: Vec<String>,
    /// Mapping file
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// Events files; they may come long after their sessions
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) events: Vec<String>,
    /// Assessments files
    #[arg(long, value_name = "FILE", num_args = 1..)]
    pub(super) assessments: Vec<String>,
    /// Name of the source system: ids are unique within it (default: the mapping's, or `default`)
    #[arg(long, value_name = "NAME")]
    pub(super) source: Option<String>,
    /// Read files that are in the store already once more: their rows are then the newest
    #[arg(long)]
    pub(super) again: bool,
    /// File with the key of the pseudonyms (default: $STIPPLE_KEY, or STORE.key beside a store in a folder)
    #[arg(long, value_name = "FILE")]
    pub(super) key: Option<PathBuf>,
    /// Who ingests, for the history (default: user and machine)
    #[arg(long, value_name = "NAME")]
    pub(super) by: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(super) enum StoreCommand {
    /// Every version: when, who, which files, rows in, rejected, superseded, pending
    #[command(
        after_help = "Examples:\n  stipple store history warehouse\n  stipple store history warehouse --session S-1042 --json"
    )]
    History {
        /// The store
        store: PathBuf,
        /// The versions of this session
        #[arg(long, value_name = "SESSION_ID")]
        session: Option<String>,
    },
    /// Checksums, row counts against the log, orphans; exit code 3 when something is wrong
    #[command(after_help = "Example:\n  stipple store verify warehouse")]
    Verify {
        /// The store
        store: PathBuf,
    },
    /// Joins small files: the same rows, faster to read
    #[command(after_help = "Example:\n  stipple store compact warehouse")]
    Compact {
        /// The store
        store: PathBuf,
    },
    /// Removes files that only versions before a day need; those versions are then gone
    #[command(after_help = "Example:\n  stipple store vacuum warehouse --before 2026-01-01")]
    Vacuum {
        /// The store
        store: PathBuf,
        /// Versions that ended before this day are given up; the one that stood on it is kept. Without it every
        /// version stays, and only files that none needs are removed
        #[arg(long, value_name = "DATE")]
        before: Option<String>,
        /// Say what would be removed, and remove nothing
        #[arg(long)]
        dry_run: bool,
    },
    /// Renews every pseudonym with a new key, without any patient's id
    #[command(after_help = "Example:\n  stipple store rotate-key warehouse")]
    RotateKey {
        /// The store
        store: PathBuf,
        /// File with the key; the new one is added to it
        #[arg(long, value_name = "FILE")]
        key: Option<PathBuf>,
    },
    /// Brings a store that an older program has written up to date
    #[command(after_help = "Example:\n  stipple store upgrade warehouse")]
    Upgrade {
        /// The store
        store: PathBuf,
    },
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple check pipelines/pih_by_skin_tone.toml\n  stipple check january.csv february.csv --mapping clinic.mapping.toml --rejects rejects.csv\n  stipple check logs/ --mapping clinic.mapping.toml\n  PGPASSWORD=… stipple check postgresql://reader@db.example/clinic --mapping clinic.mapping.toml"
)]
pub(super) struct Check {
    /// A pipeline file, or session logs: files, folders, patterns, addresses (postgresql://, s3://, gs://, az://)
    #[arg(value_name = "PIPELINE.toml | LOG", required = true)]
    pub(super) inputs: Vec<String>,
    /// Mapping file for the logs
    #[arg(long, value_name = "FILE")]
    pub(super) mapping: Option<PathBuf>,
    /// Events files beside the logs
    #[arg(long, value_name = "FILE")]
    pub(super) events: Vec<String>,
    /// Assessments files beside the logs
    #[arg(long, value_name = "FILE")]
    pub(super) assessments: Vec<String>,
    /// Write the refused rows here
    #[arg(long, value_name = "FILE")]
    pub(super) rejects: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple init my_clinic\n  stipple init my_clinic --from january.csv --events events.csv"
)]
pub(super) struct Init {
    /// Folder for pipeline.toml and mapping.toml; it is made, and no file in it is overwritten
    #[arg(value_name = "DIR")]
    pub(super) dir: PathBuf,
    /// A session log: the mapping is proposed from its headers and values
    #[arg(long, value_name = "LOG")]
    pub(super) from: Option<String>,
    /// An events file beside the log
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(super) events: Option<String>,
    /// An assessments file beside the log
    #[arg(long, value_name = "FILE", requires = "from")]
    pub(super) assessments: Option<String>,
}

#[derive(Debug, Args)]
#[command(after_help = "Example:\n  stipple simulate --sessions 100000 --seed 7 --out trial --messy")]
pub(super) struct Simulate {
    /// How many sessions (needed, unless --sample-data is given)
    #[arg(long, value_name = "N", required_unless_present = "sample_data")]
    pub(super) sessions: Option<u64>,
    /// The same seed gives the same bytes (needed, unless --sample-data is given)
    #[arg(long, value_name = "S", required_unless_present = "sample_data")]
    pub(super) seed: Option<u64>,
    /// Folder for sessions.csv, events.csv, assessments.csv and truth.json
    #[arg(long, value_name = "DIR")]
    pub(super) out: PathBuf,
    /// With the faults that real logs have
    #[arg(long)]
    pub(super) messy: bool,
    /// Write the two sample clinics instead (what `sample_data/` holds)
    #[arg(long, conflicts_with_all = ["sessions", "seed", "messy"])]
    pub(super) sample_data: bool,
}

#[derive(Debug, Args)]
pub(super) struct Methods {
    /// Only this method
    pub(super) id: Option<String>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub(super) enum SchemaOf {
    /// Keys of a pipeline file, analysis kinds, columns
    Pipeline,
    /// Keys of a mapping file, canonical columns
    Mapping,
    /// Columns and statistics of results.csv
    Results,
}

#[derive(Debug, Args)]
pub(super) struct Schema {
    /// Which file
    pub(super) of: SchemaOf,
}

#[derive(Debug, Args)]
pub(super) struct Completions {
    /// Which shell
    pub(super) shell: clap_complete::Shell,
}

/// `512M`, `4G`, `2GiB` as bytes.
fn memory(text: &str) -> Result<usize, String> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let unit = text[digits.len()..].to_ascii_lowercase();
    let factor: usize = match unit.trim_end_matches("ib").trim_end_matches('b') {
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        "t" => 1 << 40,
        _ => return Err("write it as 512M or 4G".to_owned()),
    };
    let number: usize = digits.parse().map_err(|_| "write it as 512M or 4G".to_owned())?;
    let bytes = number.checked_mul(factor).ok_or("that is more than there is")?;
    if bytes < 64 << 20 { Err("64M is the least that the work can be done with".to_owned()) } else { Ok(bytes) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;

    #[test]
    fn the_commands_are_well_formed() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn sizes_are_read_as_people_write_them() {
        assert_eq!(memory("512M"), Ok(512 << 20));
        assert_eq!(memory("4G"), Ok(4 << 30));
        assert_eq!(memory("2GiB"), Ok(2 << 30));
        assert_eq!(memory("2gb"), Ok(2 << 30));
        assert!(memory("512").is_err());
        assert!(memory("1k").is_err());
        assert!(memory("many G").is_err());
    }
}
