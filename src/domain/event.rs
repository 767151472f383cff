//! Side effects as reported: in a session's own row, or in an events file that may arrive weeks later.

use super::catalogue::EffectId;
use super::day::Day;
use super::session::Text;

/// Severity grade 1 mild … 5 death (CTCAE convention).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grade(u8);

impl Grade {
    /// Grade `number` of 1…5.
    #[must_use]
    pub fn new(number: u8) -> Option<Grade> {
        (1..=5).contains(&number).then_some(Grade(number))
    }

    /// 1…5.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// How a side effect ended, as far as is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Resolution {
    /// Nothing was said about its end.
    NotStated,
    /// Still there at the last follow-up.
    Ongoing,
    /// Gone on this day.
    On(Day),
}

/// What an event says about where it belongs.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Link {
    /// It names its session.
    Session {
        /// The session, as in the log.
        session_id: Text,
        /// The patient, where the event names one too: it must be the session's.
        patient_id: Option<Text>,
    },
    /// It names a patient, and perhaps a body area (as a code); the session is found by onset and window.
    Patient {
        /// The patient, as in the log.
        patient_id: Text,
        /// Treated area, when given.
        body_area: Option<super::codes::BodyArea>,
    },
}

/// One row of an events file.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Which session or patient it belongs to.
    pub link: Link,
    /// The side effect; `Catalogue::UNCODED` for a term nobody has coded.
    pub effect: EffectId,
    /// Severity, when given.
    pub grade: Option<Grade>,
    /// First day, when given.
    pub onset: Option<Day>,
    /// How it ended.
    pub resolution: Resolution,
    /// Serious in the regulatory sense, when stated.
    pub serious: Option<bool>,
    /// The reporter's own words (for an uncoded term, the term itself).
    pub verbatim: Option<String>,
    /// IMDRF annex code, when given.
    pub imdrf_code: Option<Text>,
    /// Day of the report, when given.
    pub reported: Option<Day>,
}
