//! The answer of a statistic: a number, its interval, what it was made of, and why it may be absent.

use super::distributions::normal_quantile;

/// Level of a two-sided interval, such as 0.95.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd)]
pub struct Level(f64);

impl Level {
    /// 95 %.
    pub const P95: Level = Level(0.95);

    /// A level between 0 and 1, both excluded.
    #[must_use]
    pub fn new(level: f64) -> Option<Level> {
        (level > 0.0 && level < 1.0).then_some(Level(level))
    }

    /// The level itself.
    #[must_use]
    pub fn value(self) -> f64 {
        self.0
    }

    /// 1 − level.
    #[must_use]
    pub fn alpha(self) -> f64 {
        1.0 - self.0
    }

    /// Φ⁻¹(1 − α/2).
    #[must_use]
    pub fn z(self) -> f64 {
        normal_quantile(1.0 - self.alpha() / 2.0)
    }
}

/// The two ends of an interval.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Interval {
    /// Lower end; may be −∞.
    pub low: f64,
    /// Upper end; may be +∞.
    pub high: f64,
}

/// A number with its interval. A value or an end that is `None` is not estimable, and `warning` says why.
#[derive(Debug, Clone, PartialEq)]
pub struct Estimate {
    /// The number.
    pub value: Option<f64>,
    /// Lower end of the interval; may be infinite.
    pub low: Option<f64>,
    /// Upper end of the interval; may be infinite.
    pub high: Option<f64>,
    /// Level of the interval.
    pub level: f64,
    /// Id of the method, as [`super::methods`] lists it.
    pub method: &'static str,
    /// What the value was made of, above the line.
    pub numerator: Option<f64>,
    /// What the value was made of, below the line.
    pub denominator: Option<f64>,
    /// Why the value is missing (`not_estimable: …`) or fragile.
    pub warning: Option<String>,
}

impl Estimate {
    /// An estimate that does not exist, with the reason.
    #[must_use]
    pub fn not_estimable(method: &'static str, level: Level, reason: &str) -> Estimate {
        Estimate {
            value: None,
            low: None,
            high: None,
            level: level.value(),
            method,
            numerator: None,
            denominator: None,
            warning: Some(format!("not_estimable: {reason}")),
        }
    }
}

/// The answer of a test: its statistic, where it has one, and the two-sided p-value.
#[derive(Debug, Clone, PartialEq)]
pub struct Test {
    /// The statistic (its sign kept, where it has one).
    pub statistic: Option<f64>,
    /// Two-sided p-value.
    pub p_value: Option<f64>,
    /// Id of the method, as [`super::methods`] lists it.
    pub method: &'static str,
    /// Why the p-value is missing (`not_estimable: …`) or fragile.
    pub warning: Option<String>,
}

impl Test {
    /// A test that cannot be done, with the reason.
    #[must_use]
    pub fn not_estimable(method: &'static str, reason: &str) -> Test {
        Test { statistic: None, p_value: None, method, warning: Some(format!("not_estimable: {reason}")) }
    }
}
