//! Sessions as Arrow columns: one row a session, every canonical column readable by name, and for each session and
//! side effect one of three states.
//!
//! Knows no input format and no statistic. Events are joined to their sessions here ([`attribution`]), states are
//! settled here ([`states`]), and a `where` expression is answered here ([`filter`]).

pub mod attribution;
pub mod block;
pub mod build;
pub mod coded;
pub mod filter;
pub mod lake;
pub mod states;
pub mod table;

pub use attribution::{Attribution, PatientSessions};
pub use block::{Block, BlockError, Blocks, Held, InMemory, StateSet, Want};
pub use build::{Occurrence, SessionsBuilder};
pub use coded::{Coded, Domain, Values};
pub use filter::{Filter, FilterError};
pub use lake::Keys;
pub use states::{Settled, State};
pub use table::{Labels, SessionTable};
