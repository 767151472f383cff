//! Outcome scales. Scores of different scales are never compared.

/// Which end of a scale is the good one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A higher score is better.
    HigherBetter,
    /// A lower score is better.
    LowerBetter,
}

/// An outcome scale: its id, its ends and its direction.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// Id as it stands in an assessments file.
    pub id: String,
    /// Lowest score that exists.
    pub lowest: f64,
    /// Highest score that exists.
    pub highest: f64,
    /// Which end is good.
    pub direction: Direction,
}

/// The built-in scales: id, lowest, highest, direction.
pub const SCALES: &[(&str, f64, f64, Direction)] = &[
    ("gais", 1.0, 5.0, Direction::LowerBetter),
    ("goodman_baron", 1.0, 4.0, Direction::LowerBetter),
    ("posas_patient", 6.0, 60.0, Direction::LowerBetter),
    ("posas_observer", 6.0, 60.0, Direction::LowerBetter),
    ("masi", 0.0, 48.0, Direction::LowerBetter),
    ("mmasi", 0.0, 24.0, Direction::LowerBetter),
    ("dlqi", 0.0, 30.0, Direction::LowerBetter),
    ("vas_pain", 0.0, 10.0, Direction::LowerBetter),
    ("wrinkle_severity", 1.0, 5.0, Direction::LowerBetter),
    ("satisfaction", 1.0, 5.0, Direction::HigherBetter),
];
