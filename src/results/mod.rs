//! Numbers as rows: the result row, the release gate, and the results file. Nothing reaches a picture or a page
//! except through [`release`].

pub mod format;
pub mod release;
pub mod row;
pub mod write;

pub use release::{Policy, Profile, Released, release};
pub use row::{ResultRow, Statistic};
