//! Outcome scores by scale, from an assessments file.

use super::codes::Side;
use super::day::Day;
use super::session::Text;

/// One score of one patient on one day.
#[derive(Debug, Clone, PartialEq)]
pub struct Assessment {
    /// The patient, as in the log.
    pub patient_id: Text,
    /// The session it follows, when given.
    pub session_id: Option<Text>,
    /// Side of the body, when given.
    pub side: Option<Side>,
    /// Day of the assessment.
    pub assessment_date: Day,
    /// Id of the scale.
    pub scale: String,
    /// The score, within the ends of the scale.
    pub score: f64,
    /// Who scored.
    pub rater: Option<Text>,
}
