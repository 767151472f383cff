//! What is wrong with the rows of real logs, one entry each: how often it is planted, and what a reader must make of it.

use super::draws::Draws;
use super::field;
use super::treatment::Treatment;
use serde::Serialize;

/// What a reader must make of a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// The row cannot be used.
    Refused,
    /// One of two rows of the session is set aside.
    Superseded,
    /// The row is good: a person would understand it.
    Accepted,
    /// The row is good, and a term in it is unknown to the catalogue.
    AcceptedWithUncodedTerm,
    /// An event that belongs nowhere or lies outside of what is looked at.
    EventSetAside,
}

/// A row whose fields are already quoted where they must be.
pub(super) type Fields = Vec<Vec<u8>>;

/// An ill of a session's row.
pub(super) struct Ill {
    pub(super) name: &'static str,
    pub(super) verdict: Verdict,
    /// Share of rows.
    pub(super) rate: f64,
    /// Spoils the row; `false` where it cannot (the value is missing).
    pub(super) spoil: fn(&mut Fields, &Treatment, &mut Draws) -> bool,
}

/// The ills of one row. Repeats and amendments need two rows and are planted apart.
#[rustfmt::skip]
pub(super) const ILLS: &[Ill] = &[
    Ill { name: "too_many_fields", verdict: Verdict::Refused, rate: 0.0010, spoil: too_many_fields },
    Ill { name: "too_few_fields", verdict: Verdict::Refused, rate: 0.0010, spoil: too_few_fields },
    Ill { name: "stray_quote", verdict: Verdict::Refused, rate: 0.0005, spoil: stray_quote },
    Ill { name: "bad_date", verdict: Verdict::Refused, rate: 0.0010, spoil: bad_date },
    Ill { name: "impossible_number", verdict: Verdict::Refused, rate: 0.0015, spoil: impossible_number },
    Ill { name: "not_a_number", verdict: Verdict::Refused, rate: 0.0005, spoil: not_a_number },
    Ill { name: "unknown_code", verdict: Verdict::Refused, rate: 0.0010, spoil: unknown_code },
    Ill { name: "missing_required", verdict: Verdict::Refused, rate: 0.0010, spoil: missing_required },
    Ill { name: "decimal_comma", verdict: Verdict::Refused, rate: 0.0010, spoil: decimal_comma },
    Ill { name: "fitzpatrick_range", verdict: Verdict::Refused, rate: 0.0010, spoil: fitzpatrick_range },
    Ill { name: "fitzpatrick_spelling", verdict: Verdict::Accepted, rate: 0.010, spoil: fitzpatrick_spelling },
    Ill { name: "depth_with_unit", verdict: Verdict::Accepted, rate: 0.010, spoil: depth_with_unit },
    Ill { name: "yes_no_spelling", verdict: Verdict::Accepted, rate: 0.010, spoil: yes_no_spelling },
    Ill { name: "case_and_space", verdict: Verdict::Accepted, rate: 0.010, spoil: case_and_space },
    Ill { name: "side_effect_synonym", verdict: Verdict::Accepted, rate: 0.010, spoil: side_effect_synonym },
    Ill { name: "unknown_term", verdict: Verdict::AcceptedWithUncodedTerm, rate: 0.004, spoil: unknown_term },
];

fn set(fields: &mut Fields, column: usize, text: &str) -> bool {
    fields[column] = text.as_bytes().to_vec();
    true
}

fn set_one_of(fields: &mut Fields, column: usize, texts: &[&str], draws: &mut Draws) -> bool {
    draws.one_of(texts).is_some_and(|text| set(fields, column, text))
}

fn too_many_fields(fields: &mut Fields, _: &Treatment, _: &mut Draws) -> bool {
    fields.push(b"see paper file".to_vec());
    true
}

fn too_few_fields(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    let cut = draws.between(1, 9) as usize;
    fields.truncate(fields.len() - cut);
    true
}

/// A mark that closes too early; one that never closes would take other rows with it.
fn stray_quote(fields: &mut Fields, _: &Treatment, _: &mut Draws) -> bool {
    let clinic = String::from_utf8_lossy(&fields[field::CLINIC_ID]).into_owned();
    set(fields, field::CLINIC_ID, &format!("\"{clinic}\" main house"))
}

fn bad_date(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    set_one_of(fields, field::SESSION_DATE, &["2025-02-30", "2025-13-04", "last tuesday", "0000-00-00"], draws)
}

fn impossible_number(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    const IMPOSSIBLE: [(usize, &str); 5] = [
        (field::NEEDLE_DEPTH_MM, "15"),
        (field::NEEDLE_DEPTH_MM, "-1.5"),
        (field::PASSES, "400"),
        (field::AGE_YEARS, "240"),
        (field::PAIN_VAS, "14"),
    ];
    draws.one_of(&IMPOSSIBLE).is_some_and(|(column, text)| set(fields, *column, text))
}

fn not_a_number(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    set_one_of(fields, field::NEEDLE_DEPTH_MM, &["deep", "1.5.0", "see note"], draws)
}

fn unknown_code(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    set_one_of(fields, field::MODALITY, &["laser", "peel", "???"], draws)
}

fn missing_required(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    const REQUIRED: [usize; 3] = [field::CLINIC_ID, field::SESSION_DATE, field::MODALITY];
    draws.one_of(&REQUIRED).is_some_and(|column| set(fields, *column, ""))
}

fn fitzpatrick_spelling(fields: &mut Fields, treatment: &Treatment, draws: &mut Draws) -> bool {
    let numeral = String::from_utf8_lossy(&fields[field::FITZPATRICK]).into_owned();
    let number = treatment.fitzpatrick;
    let spelling = match draws.below(5) {
        0 => format!("type {number}"),
        1 => number.to_string(),
        2 => format!("Fitz {numeral}"),
        3 => numeral.to_lowercase(),
        _ => format!("Type {numeral}"),
    };
    !numeral.is_empty() && set(fields, field::FITZPATRICK, &spelling)
}

fn depth_with_unit(fields: &mut Fields, treatment: &Treatment, draws: &mut Draws) -> bool {
    let text = String::from_utf8_lossy(&fields[field::NEEDLE_DEPTH_MM]).into_owned();
    let spelling = match draws.below(3) {
        0 => format!("{text} mm"),
        1 => format!("{} µm", treatment.depth_um),
        _ => format!("{}um", treatment.depth_um),
    };
    !text.is_empty() && set(fields, field::NEEDLE_DEPTH_MM, &spelling)
}

/// In a log with decimal points a comma could be a group mark as well: nobody has said which.
fn decimal_comma(fields: &mut Fields, _: &Treatment, _: &mut Draws) -> bool {
    let text = String::from_utf8_lossy(&fields[field::NEEDLE_DEPTH_MM]).into_owned();
    text.contains('.') && set(fields, field::NEEDLE_DEPTH_MM, &format!("\"{}\"", text.replace('.', ",")))
}

fn yes_no_spelling(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    let spellings = match fields[field::STERILE_SINGLE_USE].as_slice() {
        b"yes" => ["Y", "TRUE", "1", "Yes"],
        b"no" => ["N", "FALSE", "0", "No"],
        _ => return false,
    };
    set_one_of(fields, field::STERILE_SINGLE_USE, &spellings, draws)
}

fn case_and_space(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    let text = String::from_utf8_lossy(&fields[field::MODALITY]).into_owned();
    let spelling = match draws.below(3) {
        0 => text.to_uppercase(),
        1 => format!(" {text} "),
        _ => format!("{}{} ", text[..1].to_uppercase(), &text[1..]),
    };
    set(fields, field::MODALITY, &spelling)
}

fn side_effect_synonym(fields: &mut Fields, _: &Treatment, _: &mut Draws) -> bool {
    let text = String::from_utf8_lossy(&fields[field::SIDE_EFFECTS]).into_owned();
    let spelled = text.replace("pih", "dark spots").replace("erythema", "Redness").replace("swelling", "oedema");
    spelled != text && set(fields, field::SIDE_EFFECTS, &spelled)
}

fn unknown_term(fields: &mut Fields, _: &Treatment, draws: &mut Draws) -> bool {
    const TERMS: [&str; 4] = ["tight feeling", "glow", "grid pattern", "warm skin"];
    let text = String::from_utf8_lossy(&fields[field::SIDE_EFFECTS]).into_owned();
    let term = draws.one_of(&TERMS).copied().unwrap_or("glow");
    let spelled = if text == "none" { term.to_owned() } else { format!("{text};{term}") };
    !text.is_empty() && set(fields, field::SIDE_EFFECTS, &spelled)
}

fn fitzpatrick_range(fields: &mut Fields, treatment: &Treatment, _: &mut Draws) -> bool {
    let low = treatment.fitzpatrick.min(5);
    let there = !fields[field::FITZPATRICK].is_empty();
    there && set(fields, field::FITZPATRICK, &format!("Fitz {low}-{}", low + 1))
}
