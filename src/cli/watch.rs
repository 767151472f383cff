//! Progress on a terminal, and how long each stage took.

use super::arguments::Common;
use crate::pipeline::Observer;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::{Map, Value, json};
use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Work shorter than this shows no bar.
const PATIENCE: Duration = Duration::from_secs(1);

/// When a stage began, and how much memory had been in use until then.
struct Stage {
    name: &'static str,
    began: Instant,
    peak_before: Option<u64>,
}

/// Most memory that the process has had so far, where the system tells it.
fn peak_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    let kibibytes: u64 = line.split_whitespace().nth(1)?.parse().ok()?;
    Some(kibibytes * 1024)
}

/// Watches the work: a bar on a terminal, and the time of each stage.
pub(super) struct Watch {
    started: Instant,
    stages: Mutex<Vec<Stage>>,
    bar: ProgressBar,
    shown: bool,
    verbose: bool,
}

impl Watch {
    pub(super) fn new(common: &Common) -> Watch {
        let shown = !common.quiet && std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(Some(0), ProgressDrawTarget::hidden());
        let style = "{msg:>8} {wide_bar} {bytes}/{total_bytes}, {bytes_per_sec}, {eta} left";
        if let Ok(style) = ProgressStyle::with_template(style) {
            bar.set_style(style);
        }
        Watch { started: Instant::now(), stages: Mutex::new(Vec::new()), bar, shown, verbose: common.verbose }
    }

    /// Seconds of each stage, in order, and of all.
    pub(super) fn timings(&self) -> Value {
        let Ok(stages) = self.stages.lock() else { return Value::Null };
        let now = Instant::now();
        let mut seconds = Map::new();
        for (at, stage) in stages.iter().enumerate() {
            let to = stages.get(at + 1).map_or(now, |next| next.began);
            seconds.insert(stage.name.to_owned(), json!((to - stage.began).as_secs_f64()));
        }
        seconds.insert("total".to_owned(), json!(self.seconds()));
        Value::Object(seconds)
    }

    /// Most memory in use by the end of each stage, in bytes; nothing where the system does not tell it.
    pub(super) fn peaks(&self) -> Value {
        let Ok(stages) = self.stages.lock() else { return Value::Null };
        let mut peaks = Map::new();
        for (at, stage) in stages.iter().enumerate() {
            let peak = stages.get(at + 1).map_or_else(peak_memory, |next| next.peak_before);
            peaks.insert(stage.name.to_owned(), json!(peak));
        }
        Value::Object(peaks)
    }

    /// Seconds since the start.
    pub(super) fn seconds(&self) -> f64 {
        self.started.elapsed().as_secs_f64()
    }

    /// Takes the bar away.
    pub(super) fn done(&self) {
        self.bar.finish_and_clear();
    }
}

impl Observer for Watch {
    fn stage(&self, name: &'static str) {
        self.bar.set_message(name);
        if self.verbose {
            eprintln!("{:8.3} s  {name}", self.seconds());
        }
        if let Ok(mut stages) = self.stages.lock() {
            stages.push(Stage { name, began: Instant::now(), peak_before: peak_memory() });
        }
    }

    fn rows(&self, read: u64) {
        let seconds = self.seconds();
        if self.shown && seconds > PATIENCE.as_secs_f64() {
            #[expect(clippy::cast_precision_loss, reason = "a speed for a person")]
            let speed = read as f64 / seconds;
            self.bar.set_message(format!("{read} rows, {speed:.0} rows/s"));
        }
    }

    fn bytes(&self, read: u64, total: u64) {
        self.bar.set_length(total);
        self.bar.set_position(read);
        if self.shown && self.bar.is_hidden() && self.started.elapsed() > PATIENCE {
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
    }
}
