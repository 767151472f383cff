//! `[read]`: what the values show about decimal marks, dates and missing values. What no value decides is left out,
//! and said.

use super::assign::{Choice, Trust};
use super::lexicon::Lexicon;
use super::survey::{Survey, Value};
use crate::domain::Kind;
use crate::validate::cells::DEFAULT_NULLS;

/// How often something was seen, and where first.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) count: u64,
    /// The text and its line.
    pub(super) first: Option<(String, u64)>,
}

impl Seen {
    fn add(&mut self, text: &str, value: &Value) {
        self.count += value.count;
        let earlier = self.first.as_ref().is_some_and(|(_, line)| *line <= value.line);
        if !earlier {
            self.first = Some((text.to_owned(), value.line));
        }
    }

    /// «31/12/2025» on line 17.
    pub(super) fn told(&self) -> String {
        self.first.as_ref().map(|(text, line)| format!("«{text}» on line {line}")).unwrap_or_default()
    }
}

/// What is seen of two ways of writing, and of writings that could be either.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Evidence {
    pub(super) one: Seen,
    pub(super) other: Seen,
    pub(super) either: Seen,
}

/// Decimal marks: `one` = commas, `other` = points, `either` = a comma before three digits.
pub(super) fn decimal(survey: &Survey, choices: &[Choice]) -> Evidence {
    let mut marks = Evidence::default();
    let numeric = |choice: &&Choice| matches!(choice.column.kind, Kind::Number { .. } | Kind::Integer { .. });
    for choice in choices.iter().filter(|choice| choice.trust != Trust::Suggested).filter(numeric) {
        for value in &survey.columns[choice.at].list {
            let text = number_text(&value.text);
            match decimal_mark(text) {
                Some((b',', true)) => marks.one.add(text, value),
                Some((b'.', _)) => marks.other.add(text, value),
                Some(_) => marks.either.add(text, value),
                None => {}
            }
        }
    }
    marks
}

/// The number at the start of a value.
fn number_text(text: &str) -> &str {
    let end = text.find(|letter: char| !letter.is_ascii_digit() && !".,+-".contains(letter)).unwrap_or(text.len());
    &text[..end]
}

/// The last mark of a number, and whether it can only be a decimal mark.
fn decimal_mark(text: &str) -> Option<(u8, bool)> {
    let at = text.rfind([',', '.'])?;
    let (whole, fraction) = (&text[..at], &text[at + 1..]);
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    let plain = whole.trim_start_matches(['-', '+']);
    if !digits(fraction) || !digits(&plain.replace(['.', ','], "")) {
        return None;
    }
    let grouped = fraction.len() == 3 && !plain.starts_with('0') && !plain.contains(['.', ',']);
    Some((text.as_bytes()[at], !grouped))
}

/// Orders of dates: `one` = the day first, `other` = the month first, `either` = both could be.
pub(super) fn dates(survey: &Survey, choices: &[Choice]) -> Evidence {
    let mut orders = Evidence::default();
    let dated = |choice: &&Choice| matches!(choice.column.kind, Kind::Date | Kind::SideEffects);
    for choice in choices.iter().filter(|choice| choice.trust != Trust::Suggested).filter(dated) {
        for value in &survey.columns[choice.at].list {
            for (first, second, text) in numeric_dates(&value.text) {
                match (first > 12, second > 12) {
                    (true, false) => orders.one.add(text, value),
                    (false, true) => orders.other.add(text, value),
                    (false, false) => orders.either.add(text, value),
                    (true, true) => {}
                }
            }
        }
    }
    orders
}

/// Dates such as 03/04/2026 in a text: the first two numbers, and the date as it stands. Years come last; a date that
/// starts with its year says nothing about an order.
fn numeric_dates(text: &str) -> Vec<(u32, u32, &str)> {
    let mut runs: Vec<(usize, usize)> = Vec::new();
    for (at, _) in text.bytes().enumerate().filter(|(_, byte)| byte.is_ascii_digit()) {
        match runs.last_mut() {
            Some((_, end)) if *end == at => *end = at + 1,
            _ => runs.push((at, at + 1)),
        }
    }
    let length = |at: usize| runs[at].1 - runs[at].0;
    let mut found = Vec::new();
    let mut at = 0;
    while at + 2 < runs.len() {
        let triple = (length(at), length(at + 1), length(at + 2));
        let date = &text[runs[at].0..runs[at + 2].1];
        let number = |at: usize| text[runs[at].0..runs[at].1].parse::<u32>().ok();
        match triple {
            (4, 1..=2, 1..=2) => at += 3,
            (1..=2, 1..=2, 4) if date.len() <= 14 && !date.contains(':') => {
                if let (Some(first), Some(second)) = (number(at), number(at + 1)) {
                    found.push((first, second, date));
                }
                at += 3;
            }
            _ => at += 1,
        }
    }
    found
}

/// Texts that mean «missing» and are not known as such, with how often they were seen.
pub(super) fn nulls(survey: &Survey, choices: &[Choice], lexicon: &Lexicon) -> Vec<(String, u64)> {
    let mut found: Vec<(String, u64)> = Vec::new();
    for choice in choices.iter().filter(|choice| choice.trust != Trust::Suggested) {
        let null = |value: &&Value| {
            let known = DEFAULT_NULLS.iter().any(|known| known.eq_ignore_ascii_case(&value.text));
            lexicon.is_null(&value.text) && !known
        };
        for value in survey.columns[choice.at].list.iter().filter(null) {
            match found.iter_mut().find(|(text, _)| text.eq_ignore_ascii_case(&value.text)) {
                Some((_, count)) => *count += value.count,
                None => found.push((value.text.clone(), value.count)),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimal_marks_are_told_from_groups_of_thousands() {
        assert_eq!(decimal_mark("1,5"), Some((b',', true)));
        assert_eq!(decimal_mark("1,500"), Some((b',', false)));
        assert_eq!(decimal_mark("0,500"), Some((b',', true)));
        assert_eq!(decimal_mark("1.234,5"), Some((b',', true)));
        assert_eq!(decimal_mark("1.5"), Some((b'.', true)));
        assert_eq!(decimal_mark("12"), None);
        assert_eq!(decimal_mark("-"), None);
        assert_eq!(number_text("1,5 mm"), "1,5");
    }

    #[test]
    fn dates_are_found_wherever_they_stand() {
        let found = |text| numeric_dates(text).into_iter().map(|(a, b, _)| (a, b)).collect::<Vec<_>>();
        assert_eq!(found("31/12/2025"), [(31, 12)]);
        assert_eq!(found("12/31/2025 10:30"), [(12, 31)]);
        assert_eq!(found("2026-03-02"), []);
        assert_eq!(found("erythema:1:05.01.2024/07.01.2024"), [(5, 1), (7, 1)]);
        assert_eq!(found("erythema:1:2024-01-05/2024-01-07;pih:2:2024-01-05/"), []);
        assert_eq!(found("pih:2:31/12/2025/"), [(31, 12)]);
    }
}
