//! Dates as people write them. The order of day and month is never guessed.

use super::outcome::Problem;
use super::rules;
use crate::domain::Day;

/// Order of the numbers in dates such as 03/04/2026.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DateOrder {
    /// Day, month, year.
    Dmy,
    /// Month, day, year.
    Mdy,
    /// Year, month, day.
    Ymd,
}

impl DateOrder {
    /// Names that a mapping file may use.
    pub const NAMES: &'static [&'static str] = &["dmy", "mdy", "ymd"];

    /// The order of a name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<DateOrder> {
        match name {
            "dmy" => Some(DateOrder::Dmy),
            "mdy" => Some(DateOrder::Mdy),
            "ymd" => Some(DateOrder::Ymd),
            _ => None,
        }
    }
}

/// First letters of the months, English and German, lower case.
const MONTHS: [&[&str]; 12] = [
    &["jan"],
    &["feb"],
    &["mar", "mär", "maer", "mrz"],
    &["apr"],
    &["may", "mai"],
    &["jun"],
    &["jul"],
    &["aug"],
    &["sep"],
    &["oct", "okt"],
    &["nov"],
    &["dec", "dez"],
];

/// First and last day that are plausible: of 1990 and of 2100.
const PLAUSIBLE: std::ops::RangeInclusive<Day> = Day(7305)..=Day(47846);

/// The short way, for what most fields hold: a plausible day written as `2026-03-02`, or as `02.03.2026` where the order
/// is known.
pub(super) fn usual(text: &str, order: Option<DateOrder>) -> Option<Day> {
    let day = Day::from_iso(text).or_else(|| year_last(text, order?))?;
    PLAUSIBLE.contains(&day).then_some(day)
}

/// A day of ten letters whose year stands last, with the same separator twice.
fn year_last(text: &str, order: DateOrder) -> Option<Day> {
    let [a, b, separator, c, d, again, year @ ..] = text.as_bytes() else { return None };
    if separator != again || !b".-/".contains(separator) || year.len() != 4 {
        return None;
    }
    let number = |digits: &[u8]| {
        digits.iter().try_fold(0, |sum, byte| byte.is_ascii_digit().then(|| sum * 10 + u32::from(byte - b'0')))
    };
    let (first, second, year) = (number(&[*a, *b])?, number(&[*c, *d])?, i32::try_from(number(year)?).ok()?);
    match order {
        DateOrder::Dmy => Day::from_ymd(year, second, first),
        DateOrder::Mdy => Day::from_ymd(year, first, second),
        DateOrder::Ymd => None,
    }
}

/// Reads a day; a time behind it is left out.
pub(super) fn date(text: &str, order: Option<DateOrder>) -> Result<Day, Problem> {
    if let Some(day) = usual(text, order) {
        return Ok(day);
    }
    let day = match Day::from_iso(text) {
        Some(day) => day,
        None => written(without_time(text), order)?,
    };
    if PLAUSIBLE.contains(&day) {
        return Ok(day);
    }
    Err(Problem::new(rules::IMPLAUSIBLE_DATE, "the year is not within 1990–2100; check it"))
}

/// Cuts `T10:00` or ` 10:00:00 PM` off.
fn without_time(text: &str) -> &str {
    let Some(colon) = text.find(':') else { return text };
    let hours = text[..colon].trim_end_matches(|letter: char| letter.is_ascii_digit());
    match hours.strip_suffix(['T', 't', ' ']) {
        Some(date) if hours.len() < colon => date.trim_end(),
        _ => text,
    }
}

fn not_a_date(hint: &str) -> Problem {
    Problem::new(rules::NOT_A_DATE, hint)
}

fn written(text: &str, order: Option<DateOrder>) -> Result<Day, Problem> {
    let between = |letter: char| "-/,".contains(letter);
    if text.starts_with(between)
        || text.ends_with(between)
        || !text.chars().all(|letter| letter.is_alphanumeric() || " .-/,".contains(letter))
    {
        return Err(not_a_date("write dates as 2026-03-02"));
    }
    let parts = parts(text);
    match parts.as_slice() {
        [only] if only.len() == 8 && digits(only) => calendar(&only[..4], &only[4..6], &only[6..]),
        [only] if only.len() == 5 && digits(only) => {
            Err(not_a_date("this looks like a spreadsheet's day number; export the column as a date"))
        }
        [_, _] => Err(not_a_date("the day, the month or the year is missing")),
        [a, b, c] if digits(a) && digits(b) && digits(c) => numeric([a, b, c], order),
        [a, b, c] => named(a, b, c),
        _ => Err(not_a_date("write dates as 2026-03-02")),
    }
}

/// Runs of digits and runs of letters; `3rd` is 3.
fn parts(text: &str) -> Vec<&str> {
    let mut parts: Vec<&str> = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let kind = |letter: char| (letter.is_ascii_digit(), letter.is_alphabetic());
        let end = rest.find(|letter| kind(letter) != kind(first)).unwrap_or(rest.len());
        let (part, behind) = rest.split_at(end);
        if first.is_alphanumeric() && !["st", "nd", "rd", "th"].contains(&part) {
            parts.push(part);
        }
        rest = behind;
    }
    parts
}

fn digits(part: &str) -> bool {
    part.bytes().all(|byte| byte.is_ascii_digit())
}

fn numeric([a, b, c]: [&str; 3], order: Option<DateOrder>) -> Result<Day, Problem> {
    if a.len() == 4 {
        return calendar(a, b, c);
    }
    if c.len() == 2 && a.len() <= 2 {
        return Err(two_digits());
    }
    if c.len() != 4 {
        return Err(not_a_date("write dates as 2026-03-02"));
    }
    match order {
        Some(DateOrder::Dmy) => calendar(c, b, a),
        Some(DateOrder::Mdy) => calendar(c, a, b),
        Some(DateOrder::Ymd) => Err(not_a_date("the year stands last, but [read] date_order is \"ymd\"")),
        None => Err(Problem::new(rules::DATE_ORDER_UNKNOWN, evidence(a, b))),
    }
}

/// What the numbers themselves tell about their order.
fn evidence(first: &str, second: &str) -> &'static str {
    let over_12 = |part: &str| part.parse::<u32>().is_ok_and(|number| number > 12);
    match (over_12(first), over_12(second)) {
        (true, false) => {
            "the first number is over 12, so the order seems to be day, month: set [read] date_order = \"dmy\""
        }
        (false, true) => {
            "the second number is over 12, so the order seems to be month, day: set [read] date_order = \"mdy\""
        }
        _ => "day and month could be the other way round: set [read] date_order = \"dmy\" or \"mdy\"",
    }
}

fn two_digits() -> Problem {
    Problem::new(rules::TWO_DIGIT_YEAR, "write all four digits of the year")
}

/// A date whose month is a word: `3 Mar 2026`, `Mar 3, 2026`, `2026-Mar-03`.
fn named(a: &str, b: &str, c: &str) -> Result<Day, Problem> {
    let (year, month, day) = match (digits(a), digits(b), digits(c)) {
        (false, true, true) => (c, a, b),
        (true, false, true) if a.len() == 4 => (a, b, c),
        (true, false, true) => (c, b, a),
        _ => return Err(not_a_date("write dates as 2026-03-02")),
    };
    let word = month.to_lowercase();
    let found = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)));
    match found {
        None => Err(not_a_date("the month is not known; write dates as 2026-03-02")),
        Some(_) if year.len() != 4 => Err(two_digits()),
        Some(at) => calendar(year, &(at + 1).to_string(), day),
    }
}

fn calendar(year: &str, month: &str, day: &str) -> Result<Day, Problem> {
    let parsed = (year.parse().ok(), month.parse::<u32>().ok(), day.parse::<u32>().ok());
    let (Some(year), Some(month), Some(day)) = parsed else {
        return Err(not_a_date("write dates as 2026-03-02"));
    };
    if month > 12 && day <= 12 {
        return Err(not_a_date("the month is over 12; is [read] date_order right?"));
    }
    Day::from_ymd(year, month, day).ok_or_else(|| not_a_date("the calendar has no such day"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, order: Option<DateOrder>, expected: Result<&str, &str>) {
        let got = date(text, order).map(|day| day.to_string()).map_err(|problem| problem.rule);
        assert_eq!(got.as_deref().map_err(|rule| *rule), expected, "{text}");
    }

    #[test]
    fn certain_dates_need_no_order() {
        for text in [
            "2026-03-02",
            "2026-03-02T10:00",
            "2026-03-02 10:00:00",
            "2026-03-02T10:00:00Z",
            "2026/03/02",
            "2026.3.2",
            "20260302",
            "2 Mar 2026",
            "2-Mar-2026",
            "Mar 2, 2026",
            "02MAR2026",
            "2. März 2026",
            "2nd March 2026",
        ] {
            check(text, None, Ok("2026-03-02"));
        }
    }

    #[test]
    fn the_order_of_day_and_month_is_told_and_never_guessed() {
        for text in ["03/04/2026", "3.4.2026", "3-4-2026", "03/04/2026 9:05 AM"] {
            check(text, Some(DateOrder::Dmy), Ok("2026-04-03"));
            check(text, Some(DateOrder::Mdy), Ok("2026-03-04"));
            check(text, None, Err(rules::DATE_ORDER_UNKNOWN));
        }
        check("25/04/2026", None, Err(rules::DATE_ORDER_UNKNOWN));
        assert!(evidence("25", "04").contains("dmy"));
        assert!(evidence("04", "25").contains("mdy"));
        check("25/04/2026", Some(DateOrder::Mdy), Err(rules::NOT_A_DATE));
    }

    #[test]
    fn the_plausible_days_are_whole_years() {
        assert_eq!(Some(*PLAUSIBLE.start()), Day::from_ymd(1990, 1, 1));
        assert_eq!(Some(*PLAUSIBLE.end()), Day::from_ymd(2100, 12, 31));
    }

    /// Judged by the long way, over every pair of numbers and every separator.
    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let mut read = 0;
        for (first, second, separator) in
            (0..=40).flat_map(|a| (0..=40).flat_map(move |b| [".", "-", "/", " ", ":"].map(|mark| (a, b, mark))))
        {
            for order in [DateOrder::Dmy, DateOrder::Mdy, DateOrder::Ymd].map(Some).into_iter().chain([None]) {
                let text = format!("{first:02}{separator}{second:02}{separator}2024");
                if let Some(day) = usual(&text, order) {
                    assert_eq!(written(&text, order).ok(), Some(day), "{text}");
                    read += 1;
                }
            }
        }
        assert_eq!(read, 366 * 3 * 2);
        assert_eq!(usual("05.01/2024", Some(DateOrder::Dmy)), None);
        assert_eq!(usual("05.01.1924", Some(DateOrder::Dmy)), None);
    }

    #[test]
    fn other_texts_are_refused() {
        check("2026-02-30", None, Err(rules::NOT_A_DATE));
        check("2026-03", None, Err(rules::NOT_A_DATE));
        check("46083", None, Err(rules::NOT_A_DATE));
        check("03/04/26", Some(DateOrder::Dmy), Err(rules::TWO_DIGIT_YEAR));
        check("3 Mar 26", None, Err(rules::TWO_DIGIT_YEAR));
        check("1926-03-02", None, Err(rules::IMPLAUSIBLE_DATE));
        check("20260-03-02", None, Err(rules::NOT_A_DATE));
        check("2026-03-02/", None, Err(rules::NOT_A_DATE));
        check("tomorrow", None, Err(rules::NOT_A_DATE));
        check("", None, Err(rules::NOT_A_DATE));
        check("2 Foo 2026", None, Err(rules::NOT_A_DATE));
    }
}
