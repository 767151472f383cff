//! Keeps patient identifiers out of every message.
//!
//! The row's own identifier is masked wherever it stands. But a row whose fields have moved holds an identifier in
//! another column, perhaps that of another patient: where the required date does not look like a date, nothing of the
//! row is shown; and a value that looks like an identifier is shown only in the columns where identifiers of sessions,
//! clinics and devices belong.

use super::spelling::fold;
use crate::domain::Kind;
use crate::ingest::RawRecord;

/// Stands for a patient identifier.
pub(super) const MASKED: &str = "[masked]";
const UNMAPPED: &str = "[unmapped]";
const SHIFTED: &str = "[withheld: the fields of the row seem to have moved]";
const WITHHELD: &str = "[withheld: the fields could not be told apart]";
/// Longest value quoted in a hint, in letters.
const LONGEST_QUOTE: usize = 40;
const LONGEST_FIELD: usize = 200;
const LONGEST_ROW: usize = 4000;
/// Identifiers of this length and more are masked inside longer words too.
const TELLING_LENGTH: usize = 3;

/// Which fields of a row identify the patient, and which may be shown.
#[derive(Debug, Clone, Default)]
pub(super) struct Masker {
    /// Fields that make up the patient identifier.
    pub(super) patient: Vec<usize>,
    /// For each field, what the column that is read from it holds; `None` = no column is.
    pub(super) kinds: Vec<Option<Kind>>,
    /// The field of the date that every row of this file has.
    pub(super) day: Option<usize>,
}

impl Masker {
    /// Text without any of the row's patient identifiers.
    pub(super) fn redact(&self, record: &RawRecord<'_>, text: &str) -> String {
        let mut shown = text.to_owned();
        for field in &self.patient {
            let secret = record.field(*field).trim();
            if !secret.is_empty() {
                shown = without(&shown, secret);
            }
        }
        shown
    }

    /// A value as it may stand in a hint: redacted, short, on one line.
    pub(super) fn quote(&self, record: &RawRecord<'_>, kind: Option<Kind>, value: &str) -> String {
        if self.has_moved(record) || kind.is_some_and(|kind| looks_like_identifier(kind, value)) {
            return "a value that is not shown, since it could be an identifier".to_owned();
        }
        format!("«{}»", one_line(&self.redact(record, value), LONGEST_QUOTE))
    }

    /// Whether the required date holds something that is no date at all, as when a field is missing before it.
    fn has_moved(&self, record: &RawRecord<'_>) -> bool {
        let text = self.day.map_or("", |day| record.field(day)).trim();
        let digits = text.chars().filter(char::is_ascii_digit).count();
        !text.is_empty() && (digits < 4 || text.chars().count() > LONGEST_DATE || !is_date_like(text))
    }

    /// The row's own text, as it may be shown.
    pub(super) fn row_text(&self, record: &RawRecord<'_>) -> String {
        if record.is_empty() {
            return WITHHELD.to_owned();
        }
        if self.has_moved(record) {
            return SHIFTED.to_owned();
        }
        let mut text = String::new();
        for (at, field) in record.fields().enumerate() {
            if at > 0 {
                text.push(',');
            }
            if text.len() > LONGEST_ROW {
                text.push('…');
                break;
            }
            if self.patient.contains(&at) {
                text.push_str(MASKED);
            } else {
                match self.kinds.get(at).copied().flatten() {
                    None => text.push_str(UNMAPPED),
                    Some(kind) if looks_like_identifier(kind, field) => text.push_str(MASKED),
                    Some(_) => text.push_str(&csv_field(&one_line(&self.redact(record, field), LONGEST_FIELD))),
                }
            }
        }
        text
    }
}

/// A date with its time is not longer.
const LONGEST_DATE: usize = 30;

/// Digits with separators between them, perhaps a month's name and a time: `2026-03-02T10:00`, `3 Mar 2026`.
fn is_date_like(text: &str) -> bool {
    let allowed = |letter: char| letter.is_ascii_digit() || "-./: ,".contains(letter) || letter.is_alphabetic();
    let words = text.split(|letter: char| !letter.is_alphabetic()).filter(|word| !word.is_empty());
    let all_digits = text.chars().all(|letter| letter.is_ascii_digit());
    let parts = text.split(|letter: char| !letter.is_alphanumeric()).filter(|part| !part.is_empty()).count();
    text.chars().all(allowed)
        && words.count() <= 2
        && (parts >= 2 || all_digits)
        && text.starts_with(|letter: char| letter.is_ascii_digit())
}

/// Whether a value looks like an identifier in a column where none belongs: a word of letters and digits, or a long
/// number. Numbers may carry units, skin types a word in front.
fn looks_like_identifier(kind: Kind, value: &str) -> bool {
    let digits = value.chars().filter(char::is_ascii_digit).count();
    let letters = value.chars().filter(|letter| letter.is_alphabetic()).count();
    match kind {
        Kind::Text | Kind::Patient | Kind::Date | Kind::SideEffects | Kind::SideEffect => false,
        Kind::Number { .. } | Kind::Integer { .. } | Kind::Grade | Kind::Monk => {
            let leads =
                value.trim_start().starts_with(|letter: char| letter.is_ascii_digit() || "-+.,<>~".contains(letter));
            digits > 6 || (letters > 0 && digits > 0 && (!leads || letters > 8))
        }
        Kind::Fitzpatrick => digits > 3,
        Kind::Code(..) | Kind::CodeList(..) | Kind::Scale => digits > 0,
    }
}

/// Replaces `secret` wherever it stands in `text`, in whatever spelling.
fn without(text: &str, secret: &str) -> String {
    let (lower, wanted) = (text.to_ascii_lowercase(), secret.to_ascii_lowercase());
    let anywhere = secret.chars().count() >= TELLING_LENGTH;
    let mut shown = String::new();
    let mut from = 0;
    for (at, found) in lower.match_indices(&wanted) {
        let end = at + found.len();
        if anywhere || (!ends_word(&lower[..at]) && !starts_word(&lower[end..])) {
            shown.push_str(&text[from..at]);
            shown.push_str(MASKED);
            from = end;
        }
    }
    shown.push_str(&text[from..]);
    let (folded, wanted) = (fold(&shown), fold(secret));
    let still_there = !wanted.is_empty() && (folded == wanted || (anywhere && folded.contains(&wanted)));
    if still_there && wanted != fold(MASKED) { MASKED.to_owned() } else { shown }
}

fn ends_word(text: &str) -> bool {
    text.chars().next_back().is_some_and(char::is_alphanumeric)
}

fn starts_word(text: &str) -> bool {
    text.chars().next().is_some_and(char::is_alphanumeric)
}

fn one_line(text: &str, longest: usize) -> String {
    let mut line: String =
        text.chars().take(longest).map(|letter| if letter.is_control() { ' ' } else { letter }).collect();
    if text.chars().nth(longest).is_some() {
        line.push('…');
    }
    line
}

fn csv_field(field: &str) -> String {
    if field.contains([',', '"']) { format!("\"{}\"", field.replace('"', "\"\"")) } else { field.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_identifier_is_masked_in_any_spelling() {
        assert_eq!(without("seen P-0042 twice", "p-0042"), "seen [masked] twice");
        assert_eq!(without("P0042-2026", "P0042"), "[masked]-2026");
        assert_eq!(without("Frau Müller", "MÜLLER"), MASKED);
        assert_eq!(without("p 0042", "P-0042"), MASKED);
        assert_eq!(without("depth", "P-0042"), "depth");
    }

    #[test]
    fn a_short_identifier_is_masked_as_a_word_only() {
        assert_eq!(without("7 passes of 17", "7"), "[masked] passes of 17");
    }
}
