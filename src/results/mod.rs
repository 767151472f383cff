//! Numbers as rows: the result row, the release gate, the results file, and the diff of two of them. Nothing reaches a picture or a page
//! except through [`release`].

pub mod diff;
pub mod format;
pub mod release;
pub mod row;
pub mod write;

pub use release::{Policy, Profile, Released, release};
pub use row::{ResultRow, Statistic};
