//! Raw records → sessions, events and assessments, or refusals with their reasons. Judges, never opens a file.
//!
//! Bad data is a value: every judge answers with what it accepted and what it refused, and
//! `read = accepted + rejected`. No message holds a patient identifier.

mod assessment;
mod cells;
mod dates;
mod duplicates;
mod event;
mod frame;
mod header;
mod mapping;
mod masking;
mod number;
mod outcome;
mod plan;
pub mod propose;
pub mod rules;
mod session;
mod side_effects;
mod skin_tone;
mod spelling;

pub use crate::domain::Table;
pub use assessment::AssessmentJudge;
pub use dates::DateOrder;
pub use duplicates::{Duplicates, Fingerprint, Seen};
pub use event::EventJudge;
pub use header::{HeaderError, Ignored, MissingColumn};
pub use mapping::{KEYS, Key, Mapping, MappingError, MappingProblem, StoreSettings};
pub use number::Decimal;
pub use outcome::{Judged, Rejection, Sourced, Warning};
pub use rules::{Family, RULES, Rule, Severity};
pub use session::SessionJudge;
