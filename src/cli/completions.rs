//! `stipple completions`.

use super::answer;
use super::arguments::{Arguments, Completions};
use super::failure::Failure;
use clap::CommandFactory;

pub(super) fn completions(command: &Completions) -> Result<(), Failure> {
    let mut script = Vec::new();
    clap_complete::generate(command.shell, &mut Arguments::command(), "stipple", &mut script);
    answer(&String::from_utf8_lossy(&script))
}
