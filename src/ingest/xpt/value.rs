//! Values of a SAS transport file: numbers as IBM mainframes kept them, missing values, and dates by their format.

use crate::domain::Day;

/// 1 January 1960, from which SAS counts.
const SAS_EPOCH: Day = Day(-3653);
const SECONDS_A_DAY: f64 = 86_400.0;
/// Days beyond which no date is written (year 20 000); such a number is no date, whatever its format.
const FARTHEST_DAY: f64 = 6_589_000.0;

/// What a number means, by the format of its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Number,
    /// Days since 1960.
    Day,
    /// Seconds since 1960.
    Moment,
    /// Seconds since midnight.
    Time,
}

/// Formats that show a day, a moment or a time; width and decimals stand elsewhere.
const FORMATS: &[(Meaning, &[&str])] = &[
    (
        Meaning::Day,
        &[
            "DATE", "DDMMYY", "MMDDYY", "YYMMDD", "E8601DA", "B8601DA", "IS8601DA", "JULIAN", "WEEKDATE", "WEEKDATX",
            "WORDDATE", "WORDDATX", "NLDATE", "NLDATEL", "NLDATEM", "NLDATES", "EURDFDE", "EURDFDD", "EURDFWDX",
            "MONYY", "YYMON", "MMYY", "YYMM",
        ],
    ),
    (
        Meaning::Moment,
        &[
            "DATETIME", "DATEAMPM", "E8601DT", "B8601DT", "IS8601DT", "E8601DZ", "B8601DZ", "E8601DN", "B8601DN",
            "IS8601DN", "MDYAMPM", "DTDATE", "DTMONYY", "DTWKDATX", "NLDATM", "EURDFDT",
        ],
    ),
    (Meaning::Time, &["TIME", "TIMEAMPM", "HHMM", "TOD", "E8601TM", "B8601TM", "IS8601TM"]),
];

impl Meaning {
    /// The meaning of a format's name. `DDMMYY`, `MMDDYY` and `YYMMDD` may carry a letter for their separator.
    pub(super) fn of(format: &str) -> Meaning {
        let name = format.trim().to_ascii_uppercase();
        let bare = ["DDMMYY", "MMDDYY", "YYMMDD", "MMYY", "YYMM"]
            .into_iter()
            .find(|stem| name.strip_prefix(stem).is_some_and(|rest| ["B", "C", "D", "N", "P", "S"].contains(&rest)));
        let name = bare.unwrap_or(&name);
        let found = FORMATS.iter().find(|(_, names)| names.contains(&name));
        found.map_or(Meaning::Number, |(meaning, _)| *meaning)
    }

    /// The number as the text of a field: shortest decimals that give the same number, or ISO 8601.
    pub(super) fn text(self, value: f64, decimal_comma: bool) -> String {
        let written = match self {
            Meaning::Number => None,
            Meaning::Day => day(value),
            Meaning::Moment => moment(value),
            Meaning::Time => time(value),
        };
        let number = || {
            let text = if value == 0.0 { "0".to_owned() } else { value.to_string() };
            if decimal_comma { text.replace('.', ",") } else { text }
        };
        written.unwrap_or_else(number)
    }
}

/// A number of two to eight bytes; `None` = missing (`.`, `._`, `.A` … `.Z`).
pub(super) fn number(bytes: &[u8]) -> Option<f64> {
    let (first, rest) = bytes.split_first()?;
    let empty = rest.iter().all(|byte| *byte == 0);
    if empty && matches!(first, b'.' | b'_' | b'A'..=b'Z') {
        return None;
    }
    // Sign, a power of 16 from −64 on, and a fraction of up to 56 bits; what was cut off is zero.
    let mut fraction = [0; 8];
    fraction[1..=rest.len().min(7)].copy_from_slice(&rest[..rest.len().min(7)]);
    #[expect(clippy::cast_precision_loss, reason = "a double written as IBM's has 53 bits of the 56")]
    let fraction = u64::from_be_bytes(fraction) as f64;
    let power = 4 * (i32::from(first & 0x7F) - 64) - 56;
    let size = fraction * 2f64.powi(power);
    Some(if first & 0x80 == 0 { size } else { -size })
}

fn day(value: f64) -> Option<String> {
    let days = value.floor();
    #[expect(clippy::cast_possible_truncation, reason = "whole, and within the limit")]
    (days.abs() < FARTHEST_DAY).then(|| SAS_EPOCH.plus(days as i32).to_string())
}

fn moment(value: f64) -> Option<String> {
    let days = (value / SECONDS_A_DAY).floor();
    let time = time(value - days * SECONDS_A_DAY)?;
    Some(format!("{}T{time}", day(days)?))
}

fn time(value: f64) -> Option<String> {
    if !(0.0..1e9).contains(&value) {
        return None;
    }
    // A millionth of a second is more than SAS keeps.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the limits above")]
    let millionths = (value * 1e6).round() as u64;
    let (seconds, rest) = (millionths / 1_000_000, millionths % 1_000_000);
    let whole = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    Some(if rest == 0 { whole } else { format!("{whole}.{rest:06}").trim_end_matches('0').to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Bytes as SAS's own documentation of the format (TS-140) gives them, or as worked by hand.
    #[test]
    fn numbers_are_those_of_the_format() {
        for (bytes, expected) in [
            ([0x41, 0x10, 0, 0, 0, 0, 0, 0], 1.0),
            ([0xC1, 0x10, 0, 0, 0, 0, 0, 0], -1.0),
            ([0x42, 0x64, 0, 0, 0, 0, 0, 0], 100.0),
            ([0x40, 0x80, 0, 0, 0, 0, 0, 0], 0.5),
            ([0xC2, 0x76, 0xA0, 0, 0, 0, 0, 0], -118.625),
            ([0x40, 0x19, 0x99, 0x99, 0x99, 0x99, 0x99, 0x9A], 0.1),
            ([0, 0, 0, 0, 0, 0, 0, 0], 0.0),
        ] {
            assert_eq!(number(&bytes).map(f64::to_bits), Some(f64::to_bits(expected)), "{expected}");
        }
    }

    #[test]
    fn missing_values_are_no_numbers() {
        for first in [b'.', b'_', b'A', b'M', b'Z'] {
            assert_eq!(number(&[first, 0, 0, 0, 0, 0, 0, 0]), None);
            assert_eq!(number(&[first, 0, 0]), None);
        }
        assert!(number(&[b'A', 0x10, 0, 0, 0, 0, 0, 0]).is_some());
        assert!(number(&[b'a', 0, 0]).is_some());
    }

    #[test]
    fn a_number_of_fewer_bytes_is_read_as_if_the_rest_were_zero() {
        assert_eq!(number(&[0x41, 0x10]), Some(1.0));
        assert_eq!(number(&[0x43, 0x7D, 0x00]), Some(2000.0));
    }

    #[test]
    fn formats_say_what_a_number_means() {
        let text = |format, value| Meaning::of(format).text(value, false);
        for format in ["DATE", "date", "MMDDYY", "DDMMYYP", "YYMMDDN", "E8601DA", "MMDDYYS"] {
            assert_eq!(text(format, 24167.0), "2026-03-02", "{format}");
        }
        assert_eq!(text("DATE", 0.0), "1960-01-01");
        assert_eq!(text("DATE", -1.0), "1959-12-31");
        assert_eq!(text("DATETIME", 24167.0 * 86400.0 + 37800.0), "2026-03-02T10:30:00");
        assert_eq!(text("E8601DT", -0.5), "1959-12-31T23:59:59.5");
        assert_eq!(text("TIME", 37800.0), "10:30:00");
        assert_eq!(text("BEST", 24167.0), "24167");
        assert_eq!(text("", 1.5), "1.5");
        assert_eq!(text("SEXF", -0.0), "0");
        assert_eq!(text("DATE", 1e12), "1000000000000");
        assert_eq!(Meaning::Number.text(0.125, true), "0,125");
        assert_eq!(Meaning::Number.text(0.1, false), "0.1");
        assert_eq!(Meaning::Number.text(1e-7, false), "0.0000001");
    }
}
