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

/// Watches the work: a bar on a terminal, and the time of each stage.
pub(super) struct Watch {
    started: Instant,
    stages: Mutex<Vec<(&'static str, Instant)>>,
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
        for (at, (name, from)) in stages.iter().enumerate() {
            let to = stages.get(at + 1).map_or(now, |(_, next)| *next);
            seconds.insert((*name).to_owned(), json!((to - *from).as_secs_f64()));
        }
        seconds.insert("total".to_owned(), json!(self.seconds()));
        Value::Object(seconds)
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
            stages.push((name, Instant::now()));
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
