//! What a column's own values mean: the words that are known, and those that only a person can translate.

use super::assign::{Choice, Trust};
use super::fit::{Meaning, Reader, meanings};
use super::lexicon::Lexicon;
use super::survey::{Survey, Value};
use crate::domain::{Column, Kind, SCALES};
use crate::validate::spelling::fold;

/// Unknown values that are listed, at most.
const MOST_LISTED: usize = 40;

/// A value of theirs and the code that it seems to mean.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) theirs: String,
    pub(super) code: String,
    pub(super) unsure: Option<&'static str>,
}

/// The values of a coded column.
#[derive(Debug, Default)]
pub(super) struct Coded {
    pub(super) entries: Vec<Entry>,
    /// Values that nobody knows, with how often they were seen; the most frequent first.
    pub(super) unknown: Vec<(String, u64)>,
    /// How many more there are that may not be shown, or are too many.
    pub(super) hidden: usize,
}

impl Coded {
    /// Whether there is anything to write.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty() && self.unknown.is_empty() && self.hidden == 0
    }

    /// Takes up what another column says about the same words.
    pub(super) fn join(&mut self, other: Coded) {
        for entry in other.entries {
            if !self.entries.iter().any(|known| fold(&known.theirs) == fold(&entry.theirs)) {
                self.entries.push(entry);
            }
        }
        for (text, count) in other.unknown {
            match self.unknown.iter_mut().find(|(known, _)| fold(known) == fold(&text)) {
                Some((_, sum)) => *sum += count,
                None => self.unknown.push((text, count)),
            }
        }
        self.hidden += other.hidden;
    }
}

/// Whether the values of a column are codes of some kind.
pub(super) fn is_coded(column: &Column) -> bool {
    match column.kind {
        Kind::Code(..) | Kind::CodeList(..) | Kind::Fitzpatrick | Kind::Monk | Kind::Grade | Kind::Scale => true,
        Kind::Date => column.name == "resolved_date",
        _ => false,
    }
}

/// Whether the values of a column are side-effect terms.
pub(super) fn holds_terms(column: &Column) -> bool {
    matches!(column.kind, Kind::SideEffects | Kind::SideEffect)
}

pub(super) fn coded(survey: &Survey, choice: &Choice, lexicon: &Lexicon) -> Coded {
    let reader = Reader::new(choice.column, lexicon);
    let mut coded = Coded::default();
    let mut unknown: Vec<Value> = Vec::new();
    let items = meanings(&reader, &survey.columns[choice.at], lexicon);
    let shared_letters = choice.column.name == "sex" && is_hombre_and_mujer(&items);
    for (value, meaning) in items {
        match meaning {
            Meaning::Read if shared_letters && fold(&value.text) == "m" => coded.entries.push(Entry {
                theirs: value.text,
                code: "female".to_owned(),
                unsure: Some("beside H it seems to be «mujer»; without this line it is read as male"),
            }),
            Meaning::Read => {}
            Meaning::Word(code) => {
                let letter = value.text.chars().count() == 1;
                let unsure = letter.then_some("one letter");
                coded.entries.push(Entry { theirs: value.text, code, unsure });
            }
            Meaning::Unknown if matches!(choice.column.kind, Kind::Date) => {}
            Meaning::Unknown => unknown.push(value),
        }
    }
    let is_code_column = choice.trust != Trust::Suggested && is_coded(choice.column);
    let (shown, hidden): (Vec<Value>, Vec<Value>) =
        unknown.into_iter().partition(|value| survey.may_show(value, is_code_column));
    coded.hidden = hidden.len() + shown.len().saturating_sub(MOST_LISTED);
    coded.unknown = shown.into_iter().map(|value| (value.text, value.count)).collect();
    coded.unknown.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    coded.unknown.truncate(MOST_LISTED);
    coded
}

/// In Spanish M is a woman: H stands beside it, and no F.
fn is_hombre_and_mujer(items: &[(Value, Meaning)]) -> bool {
    let has = |letter: &str| items.iter().any(|(value, _)| fold(&value.text) == letter);
    has("h") && has("m") && !has("f") && !has("w")
}

/// The codes to choose from.
pub(super) fn codes(column: &Column) -> String {
    match column.kind {
        Kind::Code(codes, _) => codes.join(", "),
        Kind::CodeList(codes, _) => format!("none, {}", codes.join(", ")),
        Kind::Fitzpatrick => "I, II, III, IV, V, VI".to_owned(),
        Kind::Monk => "1 … 10".to_owned(),
        Kind::Grade => "1 … 5".to_owned(),
        Kind::Scale => SCALES.iter().map(|(id, ..)| *id).collect::<Vec<_>>().join(", "),
        _ => "the codes that `stipple vocabulary` lists, or none".to_owned(),
    }
}
