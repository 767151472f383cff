//! Calendar days, as whole days since 1970-01-01.

use chrono::{Datelike, Days, NaiveDate};

/// A calendar day without time or zone, kept as days since 1970-01-01 (what Arrow calls Date32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

impl Day {
    /// The day of a year, month (1–12) and day of month; `None` where the calendar has no such day.
    ///
    /// ```
    /// use stipple::domain::Day;
    /// assert_eq!(Day::from_ymd(1970, 1, 2), Some(Day(1)));
    /// assert_eq!(Day::from_ymd(2026, 2, 29), None);
    /// ```
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Day> {
        let date = NaiveDate::from_ymd_opt(year, month, day)?;
        i32::try_from((date - NaiveDate::default()).num_days()).ok().map(Day)
    }

    /// Reads `2026-03-02` and nothing else.
    #[must_use]
    pub fn from_iso(text: &str) -> Option<Day> {
        let bytes = text.as_bytes();
        if bytes.len() != 10 || bytes[4] != b'-' || bytes[7] != b'-' {
            return None;
        }
        let number = |part: &[u8]| {
            part.iter().try_fold(0u32, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
        };
        let year = i32::try_from(number(&bytes[..4])?).ok()?;
        Day::from_ymd(year, number(&bytes[5..7])?, number(&bytes[8..])?)
    }

    fn date(self) -> NaiveDate {
        let epoch = NaiveDate::default();
        let days = u64::from(self.0.unsigned_abs());
        let moved =
            if self.0 >= 0 { epoch.checked_add_days(Days::new(days)) } else { epoch.checked_sub_days(Days::new(days)) };
        moved.unwrap_or(epoch)
    }

    /// Year of the day.
    #[must_use]
    pub fn year(self) -> i32 {
        self.date().year()
    }

    /// `2026-03`.
    #[must_use]
    pub fn month_text(self) -> String {
        let date = self.date();
        format!("{:04}-{:02}", date.year(), date.month())
    }

    /// The day `days` later (earlier when negative).
    #[must_use]
    pub fn plus(self, days: i32) -> Day {
        Day(self.0.saturating_add(days))
    }

    /// Whole days from `earlier` to this day.
    #[must_use]
    pub fn since(self, earlier: Day) -> i32 {
        self.0.saturating_sub(earlier.0)
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}
