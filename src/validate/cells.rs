//! Cells by kind: where the text of a column comes from, and how it is read.

use super::dates::{self, DateOrder};
use super::masking::Masker;
use super::number::{self, Writing};
use super::outcome::{Complaint, Problem};
use super::rules;
use super::skin_tone;
use super::spelling::{Words, nearest};
use crate::domain::codes::CodeSet;
use crate::domain::{Day, Fitzpatrick, Grade, Monk, Text};
use crate::ingest::{NO_TEXT, NOT_CALCULATED, RawRecord, is_cell_error};
use std::borrow::Cow;
use std::sync::Arc;

/// A record under judgement.
#[derive(Clone, Copy)]
pub(super) struct Row<'a> {
    pub(super) record: RawRecord<'a>,
    pub(super) masker: &'a Masker,
}

impl Row<'_> {
    /// Text that may be kept: without the row's patient identifiers.
    pub(super) fn redact(&self, text: &str) -> String {
        self.masker.redact(&self.record, text)
    }
}

/// Where the text of a column comes from.
#[derive(Debug, Clone)]
pub(super) enum From {
    Absent,
    Field(usize),
    Const(String),
    Join(Vec<usize>, String),
}

/// Texts that mean «missing».
#[derive(Debug)]
pub(super) struct Nulls {
    texts: Vec<String>,
    longest: usize,
    /// First bytes of the texts, in both cases: most values begin otherwise.
    first: [bool; 256],
}

impl Nulls {
    pub(super) fn new(texts: Vec<String>) -> Nulls {
        let longest = texts.iter().map(String::len).max().unwrap_or(0);
        let mut first = [false; 256];
        for byte in texts.iter().filter_map(|text| text.bytes().next()) {
            first[usize::from(byte.to_ascii_lowercase())] = true;
            first[usize::from(byte.to_ascii_uppercase())] = true;
        }
        Nulls { texts, longest, first }
    }

    #[inline]
    fn has(&self, text: &str) -> bool {
        let Some(first) = text.bytes().next() else { return true };
        self.first[usize::from(first)]
            && text.len() <= self.longest
            && self.texts.iter().any(|null| null.eq_ignore_ascii_case(text))
    }
}

/// Texts that mean «missing» where the mapping names none, beside the empty one.
pub(super) const DEFAULT_NULLS: &[&str] = &["NA", "N/A", "NULL", "-", "."];

impl Default for Nulls {
    fn default() -> Nulls {
        Nulls::new(DEFAULT_NULLS.iter().copied().map(str::to_owned).collect())
    }
}

/// The text of a column, with the values that the mapping translates.
#[derive(Debug, Clone)]
pub(super) struct Cell {
    pub(super) column: &'static str,
    pub(super) from: From,
    pub(super) nulls: Arc<Nulls>,
    pub(super) values: Option<Words<String>>,
}

impl Cell {
    /// The text without surrounding space; `None` = missing.
    #[inline]
    pub(super) fn get<'a>(&'a self, row: &Row<'a>) -> Result<Option<Cow<'a, str>>, Complaint> {
        match self.plain(row) {
            Some(text) => {
                text.map_or(Ok(()), |text| self.readable(text))?;
                Ok(text.map(Cow::Borrowed))
            }
            None => Ok(self.translated(row)?.map(|(text, _)| text)),
        }
    }

    /// The short way, for what most columns are: one field whose values no mapping translates. The outer `None` = this is
    /// no such column.
    #[inline]
    fn plain<'a>(&self, row: &Row<'a>) -> Option<Option<&'a str>> {
        let (From::Field(index), None) = (&self.from, &self.values) else { return None };
        let text = trimmed(row.record.field(*index));
        Some((!self.nulls.has(text)).then_some(text))
    }

    /// The text, and whether it is the mapping's word for what stands there.
    pub(super) fn translated<'a>(&'a self, row: &Row<'a>) -> Result<Option<(Cow<'a, str>, bool)>, Complaint> {
        let text = match &self.from {
            From::Absent => return Ok(None),
            From::Field(index) => Cow::Borrowed(trimmed(row.record.field(*index))),
            From::Const(text) => Cow::Borrowed(text.trim()),
            From::Join(indices, between) => {
                let parts = indices.iter().map(|index| row.record.field(*index).trim());
                let parts: Vec<&str> = parts.filter(|part| !self.nulls.has(part)).collect();
                parts.iter().try_for_each(|part| self.readable(part))?;
                Cow::Owned(parts.join(between))
            }
        };
        if let Some(meaning) = self.values.as_ref().and_then(|values| values.get(&text)) {
            return Ok((!meaning.is_empty()).then_some((Cow::Borrowed(meaning.as_str()), true)));
        }
        if self.nulls.has(&text) {
            return Ok(None);
        }
        self.readable(&text)?;
        Ok(Some((text, false)))
    }

    /// Refuses a text that only stands where a value could not be read or made.
    fn readable(&self, text: &str) -> Result<(), Complaint> {
        if !text.starts_with(['#', 'E']) {
            return Ok(());
        }
        let (rule, what) = match text {
            NOT_CALCULATED => (rules::FORMULA_WITHOUT_RESULT, "the result of the formula was not saved"),
            NO_TEXT => (rules::VALUE_WITHOUT_TEXT, "the value is no text, number, truth value or date"),
            error if is_cell_error(error) => (rules::ERROR_CELL, error),
            _ => return Ok(()),
        };
        let remedy = rules::rule(rule).map_or("", |rule| rule.remedy);
        Err(Complaint::bare(rule, self.column, format!("{what}; {remedy}")))
    }

    /// The mapping's word for one item of a list, unless the whole list was translated already.
    pub(super) fn item<'a>(&'a self, item: &'a str, translated: bool) -> &'a str {
        let values = self.values.as_ref().filter(|_| !translated);
        values.and_then(|values| values.get(item)).map_or(item, String::as_str)
    }

    /// Reads the text when there is one.
    fn parse<T>(&self, row: &Row<'_>, parse: impl Fn(&str) -> Result<T, Problem>) -> Result<Option<T>, Complaint> {
        let Some(text) = self.get(row)? else { return Ok(None) };
        parse(&text).map(Some).map_err(|problem| problem.of(self.column, &text))
    }
}

/// The text without surrounding space; most have none, which the ends tell.
fn trimmed(text: &str) -> &str {
    let plain = |byte: Option<&u8>| byte.is_none_or(|byte| (b'!'..=b'~').contains(byte));
    let bytes = text.as_bytes();
    if plain(bytes.first()) && plain(bytes.last()) { text } else { text.trim() }
}

/// Whether a text holds control characters. They are bytes below the space, the byte 0x7F, or begin with 0xC2: where
/// none of these stands, no letter need be looked at.
fn has_controls(text: &str) -> bool {
    let may = text.bytes().fold(false, |may, byte| may | (byte < b' ') | (byte == 0x7F) | (byte == 0xC2));
    may && text.chars().any(char::is_control)
}

/// A value that every row needs.
pub(super) fn need<T>(value: Option<T>, column: &'static str) -> Result<T, Complaint> {
    value.ok_or_else(|| {
        Complaint::bare(
            rules::MISSING_REQUIRED,
            column,
            "every row needs it; fill it in, or give a constant in [columns]",
        )
    })
}

/// Free text.
pub(super) struct TextCell {
    pub(super) cell: Cell,
    pub(super) longest: usize,
}

impl TextCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Text>, Complaint> {
        let Some(text) = self.cell.get(row)? else { return Ok(None) };
        if text.len() > self.longest && text.chars().count() > self.longest {
            let hint = format!("longer than {} letters; look for shifted columns", self.longest);
            return Err(Problem::new(rules::TEXT_TOO_LONG, hint).of(self.cell.column, &text));
        }
        if has_controls(&text) {
            return Ok(Some(text.split_whitespace().collect::<Vec<_>>().join(" ").into()));
        }
        Ok(Some(Text::from(text)))
    }
}

/// One of a list of codes.
pub(super) struct CodeCell<T> {
    pub(super) cell: Cell,
    pub(super) words: Words<T>,
    pub(super) codes: &'static [&'static str],
}

impl<T: Copy> CodeCell<T> {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<T>, Complaint> {
        self.cell.parse(row, |text| {
            self.words.get(text).copied().ok_or_else(|| unknown_code(text, self.cell.column, self.codes))
        })
    }
}

fn unknown_code(text: &str, column: &str, codes: &[&str]) -> Problem {
    let like = match nearest(text, codes.iter().copied()) {
        Some(nearest) => format!("the nearest is {nearest}"),
        None => format!("known: {}", codes.join(", ")),
    };
    Problem::new(
        rules::UNKNOWN_CODE,
        format!("not a code of the column; {like}. Add it to [values.{column}] in the mapping file"),
    )
}

/// What an item of a list says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Item {
    /// Asked, and there was none.
    None,
    /// The code at this index.
    Code(usize),
}

/// Several codes of a list.
pub(super) struct ListCell {
    pub(super) cell: Cell,
    pub(super) words: Words<Item>,
    pub(super) codes: &'static [&'static str],
}

impl ListCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<CodeSet>, Complaint> {
        let Some((text, translated)) = self.cell.translated(row)? else { return Ok(None) };
        let (mut set, mut none) = (CodeSet::default(), false);
        for item in items(&text) {
            let item = self.cell.item(trimmed(item), translated);
            match self.words.get(item) {
                _ if item.is_empty() => {}
                Some(Item::Code(index)) => set = set.with(*index),
                Some(Item::None) => none = true,
                None => return Err(unknown_code(item, self.cell.column, self.codes).of(self.cell.column, item)),
            }
        }
        match (none, set == CodeSet::default()) {
            (true, false) => Err(none_and_some().of(self.cell.column, &text)),
            (false, true) => Ok(None),
            _ => Ok(Some(set)),
        }
    }
}

/// The items of a list.
fn items(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr3_iter(b';', b'|', b',', text.as_bytes()).chain(std::iter::once(text.len()));
    let mut from = 0;
    ends.map(move |end| &text[std::mem::replace(&mut from, end + 1)..end])
}

/// Words that say «asked, and there was none».
pub(super) const NONE_WORDS: &[&str] = &["none", "no", "nil"];

pub(super) fn none_and_some() -> Problem {
    Problem::new(rules::NONE_AND_SOME, "«none» stands beside something; take one of them out")
}

/// A number within limits.
pub(super) struct NumberCell {
    pub(super) cell: Cell,
    pub(super) lowest: f64,
    pub(super) highest: f64,
    pub(super) unit: &'static str,
    pub(super) writing: Writing,
}

impl NumberCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<f64>, Complaint> {
        self.cell.parse(row, |text| self.number(text))
    }

    fn number(&self, text: &str) -> Result<f64, Problem> {
        let value = number::number(text, &self.writing)?;
        if (self.lowest..=self.highest).contains(&value) { Ok(value) } else { Err(self.out_of_range(value)) }
    }

    fn out_of_range(&self, value: f64) -> Problem {
        let limits = format!("outside {}…{} {}", self.lowest, self.highest, self.unit);
        let fits = |unit: &&number::Unit| (self.lowest..=self.highest).contains(&unit.convert(value));
        let hint = match self.writing.units.iter().skip(1).find(fits) {
            Some(unit) if value > self.highest => {
                format!(
                    "{}; if it is in {}, set unit = \"{}\" for it in [columns]",
                    limits.trim_end(),
                    unit.names[0],
                    unit.names[0]
                )
            }
            _ => limits.trim_end().to_owned(),
        };
        Problem::new(rules::OUT_OF_RANGE, hint)
    }
}

/// A whole number within limits.
pub(super) struct WholeCell {
    pub(super) number: NumberCell,
}

impl WholeCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<u32>, Complaint> {
        self.number.cell.parse(row, |text| {
            let value = self.number.number(text)?;
            if value.fract() > 0.0 {
                return Err(Problem::new(rules::NOT_A_WHOLE_NUMBER, "a fraction; the column holds whole numbers"));
            }
            #[expect(clippy::cast_possible_truncation, reason = "whole, and within limits that are u32 themselves")]
            Ok(value as u32)
        })
    }
}

/// A day.
pub(super) struct DateCell {
    pub(super) cell: Cell,
    pub(super) order: Option<DateOrder>,
}

impl DateCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Day>, Complaint> {
        self.cell.parse(row, |text| dates::date(text, self.order))
    }
}

/// A Fitzpatrick type.
pub(super) struct FitzpatrickCell(pub(super) Cell);

impl FitzpatrickCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Fitzpatrick>, Complaint> {
        self.0.parse(row, skin_tone::fitzpatrick)
    }
}

/// A Monk tone.
pub(super) struct MonkCell(pub(super) Cell);

impl MonkCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Monk>, Complaint> {
        self.0.parse(row, skin_tone::monk)
    }
}

/// A severity grade.
pub(super) struct GradeCell(pub(super) Cell);

impl GradeCell {
    pub(super) fn read(&self, row: &Row<'_>) -> Result<Option<Grade>, Complaint> {
        self.0.parse(row, skin_tone::grade)
    }
}
