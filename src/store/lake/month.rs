//! Calendar months: what the tables are divided by.

use crate::domain::Day;

/// A calendar month, as months since the year 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Month(i32);

/// Partition of the events that wait for their session.
pub(super) const PENDING: &str = "pending";

impl Month {
    /// The month of a day.
    pub(super) fn of(day: Day) -> Month {
        let text = day.month_text();
        Month::parse(&text).unwrap_or(Month(0))
    }

    /// Reads `2026-03`.
    pub(super) fn parse(text: &str) -> Option<Month> {
        let (year, month) = text.split_once('-')?;
        let (year, month): (i32, i32) = (year.parse().ok()?, month.parse().ok()?);
        (1..=12).contains(&month).then_some(Month(year * 12 + month - 1))
    }

    /// Its first day.
    pub(super) fn first_day(self) -> Day {
        let month = u32::try_from(self.0.rem_euclid(12) + 1).unwrap_or(1);
        Day::from_ymd(self.0.div_euclid(12), month, 1).unwrap_or_default()
    }

    /// The first day of the month after it.
    pub(super) fn end(self) -> Day {
        Month(self.0 + 1).first_day()
    }
}

impl std::fmt::Display for Month {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:04}-{:02}", self.0.div_euclid(12), self.0.rem_euclid(12) + 1)
    }
}

/// Finds the month of many days quickly: neighbours mostly share theirs.
#[derive(Debug, Default)]
pub(super) struct Months(Option<(Day, Day, Month)>);

impl Months {
    pub(super) fn of(&mut self, day: Day) -> Month {
        match self.0 {
            Some((from, to, month)) if from <= day && day < to => month,
            _ => {
                let month = Month::of(day);
                self.0 = Some((month.first_day(), month.end(), month));
                month
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn months_are_told_from_days_and_back() {
        let mut months = Months::default();
        for day in (-800..40_000).step_by(7).map(Day) {
            let month = Month::of(day);
            assert_eq!(months.of(day), month);
            assert_eq!(month.to_string(), day.month_text());
            assert_eq!(Month::parse(&month.to_string()), Some(month));
            assert!(month.first_day() <= day && day < month.end());
        }
        assert_eq!(Month::parse("pending"), None);
        assert_eq!(Month::parse("2026-13"), None);
    }
}
