//! A pipeline file into a report: TOML → [`spec`] → checked and complete [`Pipeline`] → [`load`] → [`produce`] →
//! [`stage`]. Alone knows the order of work.

pub mod check;
mod choice;
mod count;
pub mod diff;
pub mod explain;
pub mod files;
mod from_store;
pub mod init;
pub mod intake;
pub mod link;
pub mod listing;
pub mod load;
pub mod manifest;
mod objects;
pub mod produce;
pub mod publish;
mod reading;
pub mod reference;
pub mod settle;
pub mod source;
pub mod spec;
pub mod take_in;
pub mod tally;

pub use explain::{Explanation, explain};
pub use load::{LoadError, Loaded};
pub use produce::{ProduceError, Product, produce};
pub use publish::{PublishError, Staged, stage};
pub use settle::{Pipeline, Source, settle};
pub use spec::{PipelineError, Spec};

/// Is told where the work stands. The pipeline knows no clock and no terminal; who watches may have both.
pub trait Observer: Sync {
    /// A stage of the work begins.
    fn stage(&self, name: &'static str);
    /// So many bytes of so many have been read.
    fn bytes(&self, read: u64, total: u64);
    /// So many rows have been read, of all files.
    fn rows(&self, _read: u64) {}
}

/// An observer that does nothing.
#[derive(Debug, Clone, Copy)]
pub struct Unwatched;

impl Observer for Unwatched {
    fn stage(&self, _: &'static str) {}
    fn bytes(&self, _: u64, _: u64) {}
}
