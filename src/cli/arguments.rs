//! What a user types.

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
    /// Say nothing but errors
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
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Read, validate, count, compute, draw, write the report
    Run(Run),
    /// What would be accepted and rejected, and why; writes nothing but --rejects FILE
    Check(Check),
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
}

#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  stipple check pipelines/pih_by_skin_tone.toml\n  stipple check january.csv february.csv --mapping clinic.mapping.toml --rejects rejects.csv"
)]
pub(super) struct Check {
    /// A pipeline file, or session logs
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
    /// How many sessions
    #[arg(long, value_name = "N", required_unless_present = "sample_data")]
    pub(super) sessions: Option<u64>,
    /// The same seed gives the same bytes
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
