//! The store on disk: Delta Lake tables that other programs read as they are, and a list of batches that makes each
//! batch visible whole or not at all.
//!
//! [`ledger`] says how a batch becomes a version; [`upsert`] what a batch does to the rows that are there,
//! [`writing`] what is written of it.

mod asked;
mod columns;
mod coming;
mod compact;
mod data_file;
mod delta;
mod encoding;
mod entries;
mod error;
mod events;
mod gather;
pub mod history;
mod home;
pub mod housekeeping;
mod in_place;
mod incoming;
mod keys;
mod ledger;
mod lookup;
mod month;
mod pieces;
mod placing;
mod remarks;
mod rows;
mod scan;
mod scores;
mod site_effects;
mod snapshot;
mod standing;
mod states;
mod store;
mod superseded;
mod upsert;
pub mod verify;
mod writing;

pub use columns::{SCHEMA_VERSION, TableName};
pub use data_file::DataFile;
pub use delta::Change;
pub use error::StoreError;
pub use events::{EventRow, Status, Waiting};
pub use home::{Home, WriteLock};
pub use incoming::Incoming;
pub use keys::{Keys, SessionKey};
pub use ledger::{Batch, BatchKind, Counts, IngestedFile};
pub use placing::RefusedEvent;
pub use remarks::{Remark, Remarks};
pub use rows::{Identity, Origin, Rows};
pub use scan::StoredSessions;
pub use scores::ScoreRow;
pub use snapshot::{PENDING_PARTITION, Snapshot};
pub use store::{Author, Store, day_of};
pub use superseded::Replaced;
pub use upsert::{Rules, Settled as SettledBatch, Spot};
