//! How well the values of a column fit what a canonical column holds.

use super::headers::own_unit;
use super::lexicon::Lexicon;
use super::survey::{Value, Values};
use crate::domain::{Catalogue, Column, Kind, SCALES};
use crate::validate::cells::NONE_WORDS;
use crate::validate::dates::{self, DateOrder};
use crate::validate::number::{self, Decimal, Unit, Writing, units};
use crate::validate::side_effects::is_ongoing;
use crate::validate::skin_tone;
use crate::validate::spelling::{Words, fold};
use std::collections::HashMap;

/// Most different values of a column of codes: with more it holds somebody's own words.
pub(super) const MOST_CODES: usize = 60;

/// What a value means to a coded column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Meaning {
    /// The validator reads it without a mapping.
    Read,
    /// It is a known word for this code.
    Word(String),
    /// Nobody knows.
    Unknown,
}

/// How many of the fields of a column can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Fit {
    pub(super) read: u64,
    pub(super) of: u64,
    /// Different values that can be read.
    pub(super) distinct_read: usize,
    /// Different values.
    pub(super) distinct: usize,
}

impl Fit {
    /// The share that can be read; `None` where nothing stands.
    #[expect(clippy::cast_precision_loss, reason = "counts of a sample")]
    pub(super) fn share(self) -> Option<f64> {
        (self.of > 0).then(|| self.read as f64 / self.of as f64)
    }
}

/// What the values of a canonical column may be.
pub(super) struct Reader<'l> {
    pub(super) column: &'static Column,
    lexicon: &'l Lexicon,
    built_in: Words<()>,
}

impl<'l> Reader<'l> {
    pub(super) fn new(column: &'static Column, lexicon: &'l Lexicon) -> Reader<'l> {
        let mut built_in = Words::new();
        match column.kind {
            Kind::Code(codes, synonyms) | Kind::CodeList(codes, synonyms) => {
                let words = codes.iter().copied().chain(synonyms.iter().map(|(word, _)| *word));
                words.for_each(|word| built_in.insert(word, ()));
                if matches!(column.kind, Kind::CodeList(..)) {
                    NONE_WORDS.iter().for_each(|word| built_in.insert(word, ()));
                }
            }
            Kind::SideEffects | Kind::SideEffect => effect_words(&mut built_in),
            Kind::Scale => SCALES.iter().for_each(|(id, ..)| built_in.insert(id, ())),
            _ => {}
        }
        Reader { column, lexicon, built_in }
    }

    /// Whether the values can tell anything about the column.
    pub(super) fn judges(&self) -> bool {
        !matches!(self.column.kind, Kind::Text | Kind::Patient)
    }

    pub(super) fn fit(&self, values: &Values) -> Fit {
        let mut fit = Fit { of: values.long, ..Fit::default() };
        for value in values.list.iter().filter(|value| !self.lexicon.is_null(&value.text)) {
            let reads = self.reads(&value.text);
            fit.of += value.count;
            fit.distinct += 1;
            if reads {
                fit.read += value.count;
                fit.distinct_read += 1;
            }
        }
        fit
    }

    fn reads(&self, text: &str) -> bool {
        match self.column.kind {
            Kind::Text | Kind::Patient => true,
            Kind::Number { lowest, highest, .. } => number_fits(text, self.column, (lowest, highest)),
            Kind::Integer { lowest, highest, .. } => {
                number_fits(text, self.column, (f64::from(lowest), f64::from(highest)))
            }
            _ => self.items(text).iter().all(|item| self.meaning(item) != Meaning::Unknown),
        }
    }

    /// The parts of a value that are coded on their own: of a list its items, of a compact entry its term.
    pub(super) fn items<'t>(&self, text: &'t str) -> Vec<&'t str> {
        match self.column.kind {
            Kind::CodeList(..) => parts(text, &[';', '|', ',']),
            Kind::SideEffects => {
                let entries = parts(text, &[';', '|']).into_iter();
                let terms = entries.map(|entry| entry.split(':').next().unwrap_or(entry).trim());
                terms.flat_map(|term| if self.knows(term) { vec![term] } else { parts(term, &[',']) }).collect()
            }
            _ => vec![text],
        }
    }

    fn knows(&self, term: &str) -> bool {
        self.meaning(term) != Meaning::Unknown
    }

    /// What one item means.
    pub(super) fn meaning(&self, item: &str) -> Meaning {
        let read = match self.column.kind {
            Kind::Date => date_reads(item) || is_ongoing(item) && self.column.name == "resolved_date",
            Kind::Fitzpatrick => skin_tone::fitzpatrick(item).is_ok(),
            Kind::Monk => skin_tone::monk(item).is_ok(),
            Kind::Grade => skin_tone::grade(item).is_ok(),
            _ => self.built_in.get(item).is_some(),
        };
        if read {
            return Meaning::Read;
        }
        self.word(item).map_or(Meaning::Unknown, Meaning::Word)
    }

    /// The code of a known word; of two words with a slash between them when both say the same.
    fn word(&self, item: &str) -> Option<String> {
        let words = self.lexicon.values(self.column)?;
        let item = &item.replace('’', "'");
        if let Some(code) = words.get(item) {
            return Some(code.clone());
        }
        let mut codes = item.split('/').map(|part| words.get(part.trim()));
        let first = codes.next().flatten().filter(|_| item.contains('/'))?;
        codes.all(|code| code == Some(first)).then(|| first.clone())
    }
}

fn effect_words(words: &mut Words<()>) {
    let catalogue = Catalogue::built_in();
    NONE_WORDS.iter().for_each(|word| words.insert(word, ()));
    for effect in catalogue.ids().map(|id| catalogue.get(id)) {
        let spelled = [&effect.code, &effect.label].into_iter().chain(&effect.short).chain(&effect.synonyms);
        spelled.for_each(|word| words.insert(word, ()));
    }
}

fn parts<'t>(text: &'t str, at: &[char]) -> Vec<&'t str> {
    text.split(at).map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// Whether a text is a date in some order.
pub(super) fn date_reads(text: &str) -> bool {
    let readable = |order| dates::date(text, Some(order)).is_ok();
    readable(DateOrder::Dmy) || readable(DateOrder::Mdy)
}

/// A number as it stands, with the decimal mark that makes sense of it.
pub(super) fn number_of(text: &str, column: &Column, unit: Option<&'static Unit>) -> Option<f64> {
    let read = |decimal| number::number(text, &Writing { decimal, units: units(own_unit(column)), unit }).ok();
    read(Decimal::Point).or_else(|| read(Decimal::Comma))
}

/// Whether a number lies within the limits in the column's own unit or in another that it has.
fn number_fits(text: &str, column: &Column, (lowest, highest): (f64, f64)) -> bool {
    let within = |value: f64| (lowest..=highest).contains(&value);
    let others = units(own_unit(column)).iter().map(Some);
    std::iter::once(None).chain(others).filter_map(|unit| number_of(text, column, unit)).any(within)
}

/// The different items of a column with what they mean, in the order in which they came. Items that differ only in
/// spelling are one.
pub(super) fn meanings(reader: &Reader<'_>, values: &Values, lexicon: &Lexicon) -> Vec<(Value, Meaning)> {
    let mut found: Vec<(Value, Meaning)> = Vec::new();
    let mut index: HashMap<String, usize> = HashMap::new();
    for value in values.list.iter().filter(|value| !lexicon.is_null(&value.text)) {
        for item in reader.items(&value.text).into_iter().filter(|item| !lexicon.is_null(item)) {
            match index.get(&fold(item)) {
                Some(at) => found[*at].0.join(value),
                None => {
                    index.insert(fold(item), found.len());
                    found.push((value.part(item), reader.meaning(item)));
                }
            }
        }
    }
    found
}
