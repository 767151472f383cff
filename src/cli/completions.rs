//! `stipple completions`.

use super::arguments::{Arguments, Completions};
use super::failure::Failure;
use clap::CommandFactory;

pub(super) fn completions(command: &Completions) -> Result<(), Failure> {
    clap_complete::generate(command.shell, &mut Arguments::command(), "stipple", &mut std::io::stdout().lock());
    Ok(())
}
