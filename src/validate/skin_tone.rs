//! Skin types, skin tones and grades: a small number behind some usual words.

use super::outcome::Problem;
use super::rules;
use super::spelling::fold;
use crate::domain::{Fitzpatrick, Grade, Monk};

const ROMAN: [&str; 6] = ["i", "ii", "iii", "iv", "v", "vi"];
const TYPE_WORDS: &[&str] = &[
    "type",
    "typ",
    "fitz",
    "fitzpatrick",
    "skin",
    "haut",
    "hauttyp",
    "skintype",
    "fst",
    "phototype",
    "phototyp",
    "pt",
    "fp",
];
const TONE_WORDS: &[&str] = &["monk", "mst", "skin", "tone", "scale"];
const GRADE_WORDS: &[&str] = &["grade", "grad", "g", "gr", "ctcae"];
const RANGE_WORDS: &[&str] = &["to", "bis", "or", "and", "und", "oder"];

/// What stood in a field: one number, several, or something else.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    One(u8),
    Several,
    Other,
}

/// Finds the number behind the usual `words`, in digits or (when `roman`) in numerals.
fn find(text: &str, words: &[&str], roman: bool) -> Found {
    // The short way, for what most fields hold.
    if let [digit @ b'0'..=b'9'] = text.as_bytes() {
        return Found::One(digit - b'0');
    }
    let spaced = fold(text).replace(['/', '(', ')', ':', ',', '#'], " ");
    let mut found: Option<u8> = None;
    for token in spaced.split_whitespace() {
        let (word, digits) = token.split_at(token.find(|letter: char| letter.is_ascii_digit()).unwrap_or(token.len()));
        if RANGE_WORDS.contains(&token) || (words.contains(&word) && digits.is_empty()) {
            continue;
        }
        let numeral = ROMAN.iter().zip(1u8..).find(|(numeral, _)| roman && **numeral == token).map(|(_, value)| value);
        let whole = digits.strip_suffix(".0").unwrap_or(digits);
        let counted = if word.is_empty() || words.contains(&word) { whole.parse().ok() } else { None };
        match (numeral.or(counted), found) {
            (None, _) => return Found::Other,
            (Some(value), Some(earlier)) if value != earlier => return Found::Several,
            (value, _) => found = value,
        }
    }
    found.map_or(Found::Other, Found::One)
}

/// Reads a Fitzpatrick type: `III`, `3`, `type 3`, `Fitz III`.
pub(super) fn fitzpatrick(text: &str) -> Result<Fitzpatrick, Problem> {
    let usual = Fitzpatrick::NUMERALS.iter().zip(1u8..).find(|(numeral, _)| **numeral == text);
    let found = usual.map_or_else(|| find(text, TYPE_WORDS, true), |(_, number)| Found::One(number));
    match found {
        Found::One(number) => Fitzpatrick::new(number).ok_or_else(|| outside("I…VI")),
        Found::Several => Err(range()),
        Found::Other => {
            Err(Problem::new(rules::UNKNOWN_SKIN_TONE, "write I…VI or 1…6, or map it in [values.fitzpatrick]"))
        }
    }
}

/// Reads a Monk tone: `5`, `MST 5`, `Monk 05`.
pub(super) fn monk(text: &str) -> Result<Monk, Problem> {
    match find(text, TONE_WORDS, false) {
        Found::One(number) => Monk::new(number).ok_or_else(|| outside("1…10")),
        Found::Several => Err(range()),
        Found::Other => Err(Problem::new(rules::UNKNOWN_SKIN_TONE, "write 1…10, or map it in [values.monk]")),
    }
}

/// Reads a grade: `2`, `grade 2`, `moderate`.
pub(super) fn grade(text: &str) -> Result<Grade, Problem> {
    let number = match find(text, GRADE_WORDS, false) {
        Found::Other => in_words(text),
        number => number,
    };
    let hint = "use 1…5, or mild, moderate, severe, life-threatening, death";
    match number {
        Found::One(number) => Grade::new(number).ok_or_else(|| Problem::new(rules::NOT_A_GRADE, hint)),
        Found::Several => Err(range()),
        Found::Other => Err(Problem::new(rules::NOT_A_GRADE, hint)),
    }
}

fn in_words(text: &str) -> Found {
    match fold(text).as_str() {
        "mild" => Found::One(1),
        "moderate" => Found::One(2),
        "severe" => Found::One(3),
        "life threatening" | "lifethreatening" => Found::One(4),
        "death" | "fatal" => Found::One(5),
        _ => Found::Other,
    }
}

fn outside(limits: &str) -> Problem {
    Problem::new(rules::OUT_OF_RANGE, format!("outside {limits}"))
}

fn range() -> Problem {
    Problem::new(rules::RANGE_GIVEN, "a range; decide for one value, or map it in [values]")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn skin_types_are_read_in_every_spelling() {
        for text in
            ["III", "3", "iii", "type 3", "Type III", "Fitz 3", "skin type III", "Hauttyp 3", "Typ3", "3.0", "III (3)"]
        {
            assert_eq!(fitzpatrick(text).map(Fitzpatrick::number), Ok(3), "{text}");
        }
        assert_eq!(fitzpatrick("skin type IV").map(Fitzpatrick::number), Ok(4));
    }

    #[test]
    fn a_range_of_skin_types_is_refused_and_not_halved() {
        let rule = |text| fitzpatrick(text).map_err(|problem| problem.rule);
        for text in ["Fitz 3-4", "III-IV", "III/IV", "3 to 4", "II–III", "3 4"] {
            assert_eq!(rule(text), Err(rules::RANGE_GIVEN), "{text}");
        }
        assert_eq!(rule("7"), Err(rules::OUT_OF_RANGE));
        assert_eq!(rule("0"), Err(rules::OUT_OF_RANGE));
        for text in ["dark", "3.5", "IIII", "type", "-"] {
            assert_eq!(rule(text), Err(rules::UNKNOWN_SKIN_TONE), "{text}");
        }
    }

    #[test]
    fn tones_and_grades_are_read() {
        assert_eq!(monk("MST 05").map(Monk::number), Ok(5));
        assert_eq!(monk("11").map_err(|problem| problem.rule), Err(rules::OUT_OF_RANGE));
        assert_eq!(monk("V").map_err(|problem| problem.rule), Err(rules::UNKNOWN_SKIN_TONE));
        for (text, number) in [("2", 2), ("Grade 2", 2), ("G3", 3), ("Mild", 1), ("life-threatening", 4), ("FATAL", 5)]
        {
            assert_eq!(grade(text).map(Grade::number), Ok(number), "{text}");
        }
        assert_eq!(grade("0").map_err(|problem| problem.rule), Err(rules::NOT_A_GRADE));
        assert_eq!(grade("II").map_err(|problem| problem.rule), Err(rules::NOT_A_GRADE));
    }
}
