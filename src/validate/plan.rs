//! From a header and a mapping to the cells of each column, resolved once for a file.

use super::cells::{
    Cell, CodeCell, DateCell, FitzpatrickCell, From, GradeCell, Item, ListCell, MonkCell, NONE_WORDS, Nulls,
    NumberCell, TextCell, WholeCell,
};
use super::dates::{self, DateOrder};
use super::frame::Frame;
use super::header::{HeaderError, Ignored, MissingColumn};
use super::mapping::{ColumnSource, Mapping, TableMapping};
use super::number::{Unit, Writing, units};
use super::side_effects::EffectsCell;
use super::spelling::{FixedHasher, Words, fold, fold_header, nearest};
use crate::domain::{Column, Kind, Table};
use std::collections::HashMap;
use std::sync::Arc;

/// Longest identifier or name, in letters.
const LONGEST_TEXT: usize = 1000;
/// Longest text in somebody's own words, in letters.
const LONGEST_VERBATIM: usize = 10_000;
/// Headers shown in a message, and headers for which a likeness is looked for.
const SHOWN_HEADERS: usize = 50;

/// Builds the cells of one kind of file.
pub(super) struct Plan<'m> {
    table: Table,
    mapping: &'m TableMapping,
    header: &'m [String],
    /// Fields by the folded header.
    fields: HashMap<String, Vec<usize>, FixedHasher>,
    nulls: Arc<Nulls>,
    frame: Frame,
    missing: Vec<MissingColumn>,
    ambiguous: Option<HeaderError>,
    absent: Vec<&'static str>,
}

impl<'m> Plan<'m> {
    pub(super) fn new(header: &'m [String], mapping: &'m Mapping, table: Table) -> Plan<'m> {
        let mapping = mapping.table(table);
        let mut fields: HashMap<String, Vec<usize>, FixedHasher> = HashMap::default();
        for (at, name) in header.iter().enumerate() {
            fields.entry(fold_header(name)).or_default().push(at);
        }
        let mut frame = Frame { header: header.to_vec(), columns: vec![None; header.len()], ..Frame::default() };
        frame.masker.kinds = vec![None; header.len()];
        Plan {
            table,
            mapping,
            header,
            fields,
            nulls: Arc::new(mapping.read.null.clone().map_or_else(Nulls::default, Nulls::new)),
            frame,
            missing: Vec::new(),
            ambiguous: None,
            absent: Vec::new(),
        }
    }

    /// The view of the header, and the headers that nothing maps.
    pub(super) fn finish(mut self) -> Result<(Frame, Vec<Ignored>), HeaderError> {
        if let Some(error) = self.ambiguous {
            return Err(error);
        }
        if !self.missing.is_empty() {
            let headers = shown(self.header);
            let mut missing = self.missing;
            if headers.is_empty() {
                // The line seems to hold data: nothing of it is shown, not as a likeness either.
                missing.iter_mut().for_each(|column| column.nearest = None);
            }
            return Err(HeaderError::MissingColumns { file: self.table.label(), missing, headers });
        }
        self.frame.keep = self.conditions(&self.mapping.rows.keep)?;
        self.frame.drop = self.conditions(&self.mapping.rows.drop)?;
        let ignored = self.ignored();
        // Such a line is not to be shown, and a row is lost in it.
        if let Some(data) = ignored.iter().find(|ignored| is_date(&ignored.header)) {
            let field = self.header.iter().position(|header| *header == data.header).map_or(0, |at| at + 1);
            return Err(HeaderError::HoldsData { file: self.table.label(), field });
        }
        Ok((self.frame, ignored))
    }

    /// Says that a file needs one of two columns; call when both are absent.
    pub(super) fn lacks(&mut self, column: &'static str) {
        let nearest = nearest(column, self.header.iter().map(String::as_str)).map(str::to_owned);
        self.missing.push(MissingColumn { column, header: None, nearest });
    }

    /// Whether nothing feeds a column.
    pub(super) fn is_absent(&self, column: &str) -> bool {
        self.absent.contains(&column)
    }

    fn conditions(&self, rows: &[(String, Vec<String>)]) -> Result<Vec<(usize, Vec<String>)>, HeaderError> {
        let condition = |(header, values): &(String, Vec<String>)| {
            let field = self.field(header).first().copied().ok_or_else(|| HeaderError::UnknownFilterHeader {
                header: header.clone(),
                nearest: nearest(header, self.header.iter().map(String::as_str)).map(str::to_owned),
            })?;
            Ok((field, values.iter().map(|value| fold(value)).collect()))
        };
        rows.iter().map(condition).collect()
    }

    fn ignored(&self) -> Vec<Ignored> {
        let filtered = |at: &usize| self.frame.keep.iter().chain(&self.frame.drop).any(|(field, _)| field == at);
        let unread: Vec<usize> = (0..self.header.len())
            .filter(|at| self.frame.masker.kinds[*at].is_none() && !filtered(at) && !self.header[*at].is_empty())
            .collect();
        let few = unread.len() <= SHOWN_HEADERS;
        let like = |header: &str| nearest(header, self.absent.iter().copied()).map(str::to_owned);
        let ignored = unread.into_iter().map(|at| Ignored {
            header: self.header[at].clone(),
            nearest: if few { like(&self.header[at]) } else { None },
        });
        ignored.collect()
    }

    /// Fields whose header is `name`: as it stands, else without regard to spelling.
    fn field(&self, name: &str) -> Vec<usize> {
        let folded = self.fields.get(&fold_header(name)).map_or(&[][..], Vec::as_slice);
        let exact: Vec<usize> = folded.iter().copied().filter(|at| self.header[*at] == name.trim()).collect();
        if exact.is_empty() { folded.to_vec() } else { exact }
    }

    /// The one field of a header, marked as read by `column`.
    fn take(&mut self, column: &'static Column, name: &str) -> Option<usize> {
        let fields = self.field(name);
        if let [first, second, ..] = fields.as_slice() {
            self.ambiguous = Some(HeaderError::Ambiguous {
                column: column.name.to_owned(),
                first: format!("«{}» in field {}", self.header[*first], first + 1),
                second: format!("«{}» in field {}", self.header[*second], second + 1),
            });
        }
        let at = *fields.first()?;
        self.frame.masker.kinds[at] = Some(column.kind);
        if column.required && matches!(column.kind, Kind::Date) {
            self.frame.masker.day = Some(at);
        }
        self.frame.columns[at] = Some(column.name);
        if matches!(column.kind, Kind::Patient) {
            self.frame.masker.patient.push(at);
        }
        if self.header[at] != column.name {
            self.frame.labels.insert(column.name, self.header[at].clone());
        }
        Some(at)
    }

    /// Where a column comes from, and the unit of values that name none.
    fn source(&mut self, column: &'static Column) -> (From, Option<&'static Unit>) {
        match self.mapping.columns.get(column.name) {
            Some(ColumnSource::Const(text)) => (From::Const(text.clone()), None),
            Some(ColumnSource::Header(header, unit)) => match self.take(column, header) {
                Some(at) => (From::Field(at), *unit),
                None => (self.own_name_or(column, Some(header)), None),
            },
            Some(ColumnSource::Join(headers, between)) => {
                let fields: Option<Vec<usize>> = headers.iter().map(|header| self.take(column, header)).collect();
                match fields {
                    Some(fields) => (From::Join(fields, between.clone()), None),
                    None => (self.own_name_or(column, Some(&headers.join("» and «"))), None),
                }
            }
            None => match self.mapping.fallback.get(column.name) {
                Some((header, unit)) if self.field(column.name).is_empty() && !self.field(header).is_empty() => {
                    (self.take(column, header).map_or(From::Absent, From::Field), *unit)
                }
                _ => (self.own_name_or(column, None), None),
            },
        }
    }

    /// The field under the canonical name. A header that the mapping names and nobody has is missed, even where the
    /// column may be empty: it would be lost without a word.
    fn own_name_or(&mut self, column: &'static Column, mapped: Option<&str>) -> From {
        if let Some(at) = self.take(column, column.name) {
            return From::Field(at);
        }
        self.absent.push(column.name);
        if column.required || mapped.is_some() {
            let wanted = mapped.unwrap_or(column.name);
            let nearest = nearest(wanted, self.header.iter().map(String::as_str)).map(str::to_owned);
            self.missing.push(MissingColumn { column: column.name, header: mapped.map(str::to_owned), nearest });
        }
        From::Absent
    }

    fn values(&self, column: &str) -> Option<Words<String>> {
        let pairs = self.mapping.values.get(column)?;
        let mut words = Words::new();
        pairs.iter().for_each(|(theirs, meaning)| words.insert(theirs, meaning.clone()));
        Some(words)
    }

    fn column(&self, name: &str) -> &'static Column {
        let columns = self.table.columns();
        columns.iter().find(|column| column.name == name).unwrap_or(&columns[0])
    }

    fn united(&mut self, name: &str) -> (Cell, &'static Column, Option<&'static Unit>) {
        let column = self.column(name);
        let (from, unit) = self.source(column);
        let values = self.values(column.name);
        (Cell { column: column.name, from, nulls: Arc::clone(&self.nulls), values }, column, unit)
    }

    pub(super) fn cell(&mut self, name: &str) -> Cell {
        self.united(name).0
    }

    pub(super) fn text(&mut self, name: &str) -> TextCell {
        TextCell { cell: self.cell(name), longest: LONGEST_TEXT }
    }

    pub(super) fn verbatim(&mut self, name: &str) -> TextCell {
        TextCell { cell: self.cell(name), longest: LONGEST_VERBATIM }
    }

    /// A coded column; `all` are the values of its codes, in their order.
    pub(super) fn code<T: Copy>(&mut self, name: &str, all: &'static [T]) -> CodeCell<T> {
        let (cell, column, _) = self.united(name);
        let (codes, synonyms) = lists(column);
        let mut words = Words::new();
        for (code, value) in codes.iter().zip(all) {
            words.insert(code, *value);
            let others = synonyms.iter().filter(|(_, of)| of == code);
            others.for_each(|(word, _)| words.insert(word, *value));
        }
        CodeCell { cell, words, codes }
    }

    pub(super) fn list(&mut self, name: &str) -> ListCell {
        let (cell, column, _) = self.united(name);
        let (codes, synonyms) = lists(column);
        let mut words = Words::new();
        NONE_WORDS.iter().for_each(|word| words.insert(word, Item::None));
        for (at, code) in codes.iter().enumerate() {
            words.insert(code, Item::Code(at));
            let others = synonyms.iter().filter(|(_, of)| of == code);
            others.for_each(|(word, _)| words.insert(word, Item::Code(at)));
        }
        ListCell { cell, words, codes }
    }

    pub(super) fn number(&mut self, name: &str) -> NumberCell {
        let (cell, column, own_unit) = self.united(name);
        let (unit, lowest, highest) = match column.kind {
            Kind::Number { unit, lowest, highest } => (unit, lowest, highest),
            Kind::Integer { unit, lowest, highest } => (unit, f64::from(lowest), f64::from(highest)),
            _ => ("", f64::NEG_INFINITY, f64::INFINITY),
        };
        let decimal = self.mapping.read.decimal.unwrap_or_default();
        NumberCell { cell, lowest, highest, unit, writing: Writing { decimal, units: units(unit), unit: own_unit } }
    }

    pub(super) fn whole(&mut self, name: &str) -> WholeCell {
        WholeCell { number: self.number(name) }
    }

    pub(super) fn date(&mut self, name: &str) -> DateCell {
        DateCell { cell: self.cell(name), order: self.mapping.read.date_order }
    }

    pub(super) fn fitzpatrick(&mut self, name: &str) -> FitzpatrickCell {
        FitzpatrickCell(self.cell(name))
    }

    pub(super) fn monk(&mut self, name: &str) -> MonkCell {
        MonkCell(self.cell(name))
    }

    pub(super) fn grade(&mut self, name: &str) -> GradeCell {
        GradeCell(self.cell(name))
    }

    pub(super) fn effects(&mut self, name: &str) -> EffectsCell {
        EffectsCell { cell: self.cell(name), order: self.mapping.read.date_order }
    }
}

/// The first headers; none where one of them is a number or a date: then the line holds a patient's data, which must
/// not be shown.
fn shown(header: &[String]) -> Vec<String> {
    let is_data = |name: &String| name.parse::<f64>().is_ok() || is_date(name);
    let shown = if header.iter().any(is_data) { &[][..] } else { header };
    shown.iter().take(SHOWN_HEADERS).cloned().collect()
}

fn is_date(name: &str) -> bool {
    [DateOrder::Dmy, DateOrder::Mdy].into_iter().any(|order| dates::date(name, Some(order)).is_ok())
}

/// Codes of a column, and what people write for them.
type Lists = (&'static [&'static str], &'static [(&'static str, &'static str)]);

fn lists(column: &Column) -> Lists {
    match column.kind {
        Kind::Code(codes, synonyms) | Kind::CodeList(codes, synonyms) => (codes, synonyms),
        _ => (&[], &[]),
    }
}
