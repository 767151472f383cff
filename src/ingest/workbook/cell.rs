//! The value of a cell → text.

use crate::ingest::unread::is_cell_error;
use calamine::{CellErrorType, Data, ExcelDateTime};
use chrono::Timelike;

/// A filled cell of a row.
pub(super) struct Cell {
    /// Column, from 0.
    pub(super) column: usize,
    /// What stands in it.
    pub(super) text: String,
    /// Whether it holds words, as a header does, rather than a number, a date, a truth value or an error.
    pub(super) is_words: bool,
}

impl Cell {
    /// The cell, unless it is empty or holds nothing but space.
    pub(super) fn filled(column: usize, value: Data) -> Option<Cell> {
        let is_text = matches!(value, Data::String(_));
        let text = text(value);
        let is_words = is_text && !is_cell_error(text.trim());
        (!text.trim().is_empty()).then_some(Cell { column, text, is_words })
    }
}

fn text(value: Data) -> String {
    match value {
        Data::Empty => String::new(),
        Data::String(text) => text,
        Data::Int(number) => number.to_string(),
        Data::Float(number) => number_text(number),
        Data::Bool(truth) => truth.to_string(),
        Data::DateTime(moment) if moment.is_duration() => hours(moment.as_f64()),
        Data::DateTime(moment) => moment_text(&moment),
        Data::DateTimeIso(text) => text.trim_end_matches('Z').trim_end_matches("T00:00:00").to_owned(),
        Data::DurationIso(text) => clock(&text).unwrap_or(text),
        Data::Error(CellErrorType::GettingData) => "#GETTING_DATA".to_owned(),
        Data::Error(error) => error.to_string(),
    }
}

/// The shortest text that reads back as the same number, without an exponent; a negative zero is a zero.
fn number_text(number: f64) -> String {
    if number == 0.0 { "0".to_owned() } else { number.to_string() }
}

/// Days that a spreadsheet can show: up to the year 9999.
const DAYS: std::ops::Range<f64> = 0.0..2_958_466.0;

/// A date, a date with its time, or a time alone.
fn moment_text(moment: &ExcelDateTime) -> String {
    let days = moment.as_f64();
    let Some(read) = moment.as_datetime().filter(|_| DAYS.contains(&days)) else { return number_text(days) };
    if days > 0.0 && days < 1.0 {
        read.time().format("%H:%M:%S%.f").to_string()
    } else if read.num_seconds_from_midnight() == 0 && read.nanosecond() == 0 {
        read.date().to_string()
    } else {
        read.format("%Y-%m-%dT%H:%M:%S%.f").to_string()
    }
}

/// A span of days as hours, minutes and seconds: `30:15:00`.
fn hours(days: f64) -> String {
    const DAY_SECONDS: f64 = 86_400.0;
    let seconds = (days * DAY_SECONDS).round();
    let sign = if seconds < 0.0 { "-" } else { "" };
    let (hours, rest) = (seconds.abs() / 3600.0, seconds.abs() % 3600.0);
    format!("{sign}{:02}:{:02}:{:02}", hours.floor(), (rest / 60.0).floor(), rest % 60.0)
}

/// `PT10H30M00S` as `10:30:00`.
fn clock(text: &str) -> Option<String> {
    let (hours, rest) = text.strip_prefix("PT")?.split_once('H')?;
    let (minutes, rest) = rest.split_once('M')?;
    Some(format!("{hours:0>2}:{minutes:0>2}:{:0>2}", rest.strip_suffix('S')?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use calamine::ExcelDateTimeType;

    fn date(days: f64, is_1904: bool) -> String {
        text(Data::DateTime(ExcelDateTime::new(days, ExcelDateTimeType::DateTime, is_1904)))
    }

    #[test]
    fn numbers_lose_no_digit_and_gain_no_exponent() {
        assert_eq!(text(Data::Float(3.0)), "3");
        assert_eq!(text(Data::Float(1.4999999999999998)), "1.4999999999999998");
        assert_eq!(text(Data::Float(0.1)), "0.1");
        assert_eq!(text(Data::Float(1e-7)), "0.0000001");
        assert_eq!(text(Data::Float(1e21)), "1000000000000000000000");
        assert_eq!(text(Data::Float(-0.0)), "0");
    }

    #[test]
    fn dates_of_both_epochs_are_days_of_the_calendar() {
        assert_eq!(date(46083.0, false), "2026-03-02");
        assert_eq!(date(46083.0 - 1462.0, true), "2026-03-02");
        assert_eq!(date(46083.4375, false), "2026-03-02T10:30:00");
        assert_eq!(date(45943.541, false), "2025-10-13T12:59:02.400");
        // Half a millisecond before midnight belongs to the next day.
        assert_eq!(date(46_082.999_999_999, false), "2026-03-02");
        assert_eq!(date(0.4375, false), "10:30:00");
        assert_eq!(date(-1.0, false), "-1");
        assert_eq!(date(3e6, false), "3000000");
    }

    #[test]
    fn spans_and_times_are_clock_times() {
        assert_eq!(hours(1.260_416_666_666_666_7), "30:15:00");
        assert_eq!(clock("PT9H05M00S").as_deref(), Some("09:05:00"));
        assert_eq!(text(Data::DateTimeIso("2026-03-02T00:00:00".to_owned())), "2026-03-02");
        assert_eq!(text(Data::DateTimeIso("2026-03-02T10:30:00".to_owned())), "2026-03-02T10:30:00");
    }
}
