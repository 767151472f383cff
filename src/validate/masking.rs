//! Keeps patient identifiers out of every message.

use super::spelling::fold;
use crate::ingest::RawRecord;

/// Stands for a patient identifier.
pub(super) const MASKED: &str = "[masked]";
const UNMAPPED: &str = "[unmapped]";
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
    /// For each field, whether a column is read from it.
    pub(super) mapped: Vec<bool>,
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
    pub(super) fn quote(&self, record: &RawRecord<'_>, value: &str) -> String {
        format!("«{}»", one_line(&self.redact(record, value), LONGEST_QUOTE))
    }

    /// The row's own text, as it may be shown.
    pub(super) fn row_text(&self, record: &RawRecord<'_>) -> String {
        if record.is_empty() {
            return WITHHELD.to_owned();
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
            } else if self.mapped.get(at) == Some(&true) {
                text.push_str(&csv_field(&one_line(&self.redact(record, field), LONGEST_FIELD)));
            } else {
                text.push_str(UNMAPPED);
            }
        }
        text
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
