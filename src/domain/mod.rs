//! Our words: the session and its columns, side effects, skin tone, scales, days, and where a row came from.
//!
//! Knows no file format, no statistic and no picture. Imports nothing of ours.

pub mod amount;
pub mod assessment;
pub mod catalogue;
pub mod codes;
pub mod columns;
pub mod day;
pub mod event;
pub mod place;
pub mod scales;
pub mod session;
pub mod skin_tone;

pub use assessment::Assessment;
pub use catalogue::{Catalogue, EffectId, Group, SideEffect};
pub use columns::{COLUMNS, Column, Kind, Table};
pub use day::Day;
pub use event::{Event, Grade, Link, Resolution};
pub use place::{FileId, Place};
pub use scales::{Direction, SCALES, Scale};
pub use session::{Asked, ReportedEffect, Session, Text};
pub use skin_tone::{Fitzpatrick, ItaClass, Monk};
