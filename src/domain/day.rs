//! Calendar days, as whole days since 1970-01-01.

use chrono::{Datelike, Days, NaiveDate};

/// A calendar day without time or zone, kept as days since 1970-01-01 (what Arrow calls Date32).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Day(pub i32);

/// Years that there are days of: far more than any log holds, and no more than can be told again.
const YEARS: std::ops::RangeInclusive<i32> = -262_000..=262_000;

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
        if !YEARS.contains(&year) || day == 0 || day > days_of_month(year, month)? {
            return None;
        }
        // Years begin in March here, so that the leap day is the last of its year; 400 of them have 146,097 days.
        let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = i32::try_from((153 * month + 2) / 5 + day - 1).ok()?;
        Some(Day(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
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

    /// Writes `2026-03-02` to the end of a text: what `Display` writes, several times as fast.
    pub fn write_iso(self, into: &mut String) {
        match self.digits() {
            Some(digits) => into.push_str(str::from_utf8(&digits).unwrap_or_default()),
            None => into.push_str(&self.to_string()),
        }
    }

    /// Its ten letters, for the years 0 to 9999.
    fn digits(self) -> Option<[u8; 10]> {
        // The way back from the days of `from_ymd`: eras of 400 years that begin in March.
        let days = self.0.checked_add(719_468)?;
        let (era, of_era) = (days.div_euclid(146_097), days.rem_euclid(146_097));
        let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        let year = era * 400 + year_of_era + i32::from(month <= 2);
        let year = u16::try_from(year).ok().filter(|year| *year <= 9_999)?;
        let two = |number: u16| {
            [b'0' + u8::try_from(number / 10).unwrap_or(0), b'0' + u8::try_from(number % 10).unwrap_or(0)]
        };
        let ([a, b], [c, d]) = (two(year / 100), two(year % 100));
        let ([e, f], [g, h]) = (two(u16::try_from(month).ok()?), two(u16::try_from(day).ok()?));
        Some([a, b, c, d, b'-', e, f, b'-', g, h])
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

/// Days of a month; `None` where there is no such month.
fn days_of_month(year: i32, month: u32) -> Option<u32> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    match month {
        1 | 3 | 5 | 7 | 8 | 10 | 12 => Some(31),
        4 | 6 | 9 | 11 => Some(30),
        2 => Some(if leap { 29 } else { 28 }),
        _ => None,
    }
}

impl std::fmt::Display for Day {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let date = self.date();
        write!(f, "{:04}-{:02}-{:02}", date.year(), date.month(), date.day())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Judged by another implementation of the calendar, over every day of 800 years and every day that there is not.
    #[test]
    fn days_are_those_of_the_calendar() {
        let mut found = 0;
        for year in 1700..2500 {
            for month in 0..=13 {
                for day in 0..=32 {
                    let expected = NaiveDate::from_ymd_opt(year, month, day)
                        .map(|date| Day(i32::try_from((date - NaiveDate::default()).num_days()).unwrap()));
                    assert_eq!(Day::from_ymd(year, month, day), expected, "{year}-{month}-{day}");
                    if let Some(day) = expected {
                        let mut text = String::new();
                        day.write_iso(&mut text);
                        assert_eq!(text, day.to_string());
                    }
                    found += u32::from(expected.is_some());
                }
            }
        }
        assert_eq!(found, 292_194);
        for far in [i32::MIN, -800_000, -719_529, -719_528, 2_932_896, 2_932_897, i32::MAX].map(Day) {
            let mut text = String::new();
            far.write_iso(&mut text);
            assert_eq!(text, far.to_string());
        }
        assert_eq!(Day::from_ymd(i32::MAX, 1, 1), None);
        assert_eq!(Day::from_ymd(0, 3, 1).map(|day| day.to_string()), Some("0000-03-01".to_owned()));
    }
}
