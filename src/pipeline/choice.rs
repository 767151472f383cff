//! What is chosen beside the pipeline file: a store, and which version of it.

use crate::bucket::Access;
use crate::domain::Day;
use crate::store::lake::{Batch, Home};
use std::path::Path;

/// A version of a store.
#[derive(Debug, Clone, PartialEq)]
pub struct StoreAt {
    /// Where it lies.
    pub home: Home,
    /// The version.
    pub batch: Batch,
}

/// Which version of a store is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AsOf {
    /// This one.
    Version(u64),
    /// The one that stood at the end of this day (UTC).
    Day(Day),
}

impl AsOf {
    /// Reads `17` or `2026-03-31`.
    #[must_use]
    pub fn parse(text: &str) -> Option<AsOf> {
        text.parse().ok().map(AsOf::Version).or_else(|| Day::from_iso(text).map(AsOf::Day))
    }
}

/// What the command line says of the data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choice<'a> {
    /// A store in place of the pipeline's `[source]`.
    pub store: Option<&'a Path>,
    /// The version; `None` = the newest.
    pub as_of: Option<AsOf>,
    /// What object stores are reached by; `None` = nothing is known.
    pub access: Option<&'a Access>,
}
