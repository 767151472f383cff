//! How a chain of clinics writes its logs: one table of functions for each way.

use super::canonical;
use super::course::Course;
use super::field;
use super::german;
use super::ills::{self, Ill};
use super::model::Model;
use super::row::Row;
use super::scores::Score;
use super::treatment::{Occurred, Treatment};

/// A way to write a log.
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) session_header: fn(&mut Row),
    pub(super) session_row: fn(&Model<'_>, &Treatment, &mut Row),
    pub(super) event_header: fn(&mut Row),
    pub(super) event_row: fn(&Model<'_>, &Treatment, &Occurred, &mut Row),
    pub(super) score_header: fn(&mut Row),
    pub(super) score_row: fn(&Model<'_>, &Course, &Score, &mut Row),
    /// From UTF-8 to the bytes of the file.
    pub(super) encode: fn(Vec<u8>) -> Vec<u8>,
    /// What can be wrong with a row.
    pub(super) ills: &'static [Ill],
    /// The column that an amendment changes, and two values for it.
    pub(super) amended: fn() -> (usize, [&'static str; 2]),
}

/// The canonical columns, as UTF-8.
pub(super) const CANONICAL: Dialect = Dialect {
    delimiter: b',',
    session_header: canonical::session_header,
    session_row: canonical::session_row,
    event_header: canonical::event_header,
    event_row: canonical::event_row,
    score_header: canonical::score_header,
    score_row: canonical::score_row,
    encode: |bytes| bytes,
    ills: ills::ILLS,
    amended: || (field::PAIN_VAS, ["3.5", "6"]),
};

/// German headers and words, semicolons, decimal commas, days such as 02.03.2026, depths in µm; Windows-1252.
pub(super) const GERMAN: Dialect = Dialect {
    delimiter: b';',
    session_header: german::session_header,
    session_row: german::session_row,
    event_header: german::event_header,
    event_row: german::event_row,
    score_header: german::score_header,
    score_row: german::score_row,
    encode: german::windows_1252,
    ills: german::ILLS,
    amended: || (german::position("pain_vas"), ["3,5", "6"]),
};
