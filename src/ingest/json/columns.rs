//! The columns of records that are objects: the union of their keys, in the order of their first appearance.

use super::super::batch::{Fault, RawBatch};
use super::walk::{Leaf, Mistake, Walker};
use std::collections::BTreeMap;

/// Keys of a table, at most.
pub(super) const MOST_COLUMNS: usize = 10_000;
/// Letters of all keys together, at most.
const MOST_BYTES: usize = 4 << 20;

/// What the columns cannot take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refused {
    /// The record is no JSON object.
    Mistake(Mistake),
    /// It has a key that the first reading of the file has not seen.
    UnknownKey,
}

/// The columns, and room for the fields of one record.
#[derive(Default)]
pub(super) struct Columns {
    names: Vec<String>,
    name_bytes: usize,
    by_name: BTreeMap<String, usize>,
    text: String,
    /// For each column, its field in `text`.
    fields: Vec<Option<(usize, usize)>>,
    nested: Vec<usize>,
    decimal_comma: bool,
}

impl Columns {
    /// No columns yet; `decimal_comma` = numbers are given as `1,5`.
    pub(super) fn new(decimal_comma: bool) -> Columns {
        Columns { decimal_comma, ..Columns::default() }
    }

    /// The keys, without surrounding space.
    pub(super) fn header(&self) -> Vec<String> {
        self.names.iter().map(|name| name.trim().to_owned()).collect()
    }

    /// Whether there are more keys than a table has: values are keys, and memory would not suffice.
    pub(super) fn are_too_many(&self) -> bool {
        self.names.len() > MOST_COLUMNS || self.name_bytes > MOST_BYTES
    }

    /// Learns the keys of a record.
    pub(super) fn learn(&mut self, record: &str) -> Result<(), Mistake> {
        let mut expected = 0;
        let mut found: Vec<String> = Vec::new();
        Walker::new(record).paths(&mut |path| {
            match self.find(path, expected) {
                Some(at) => expected = at + 1,
                None => found.push(path.to_owned()),
            };
        })?;
        for name in found {
            if !self.by_name.contains_key(&name) {
                self.name_bytes += name.len();
                self.by_name.insert(name.clone(), self.names.len());
                self.names.push(name);
            }
        }
        Ok(())
    }

    /// The column of a key; records mostly have the same keys in the same order, so `expected` is tried first.
    fn find(&self, name: &str, expected: usize) -> Option<usize> {
        if self.names.get(expected).is_some_and(|next| next == name) {
            return Some(expected);
        }
        self.by_name.get(name).copied()
    }

    /// Adds the fields of a record to a batch in which it has begun.
    pub(super) fn append(&mut self, record: &str, batch: &mut RawBatch) -> Result<(), Refused> {
        self.text.clear();
        self.nested.clear();
        self.fields.clear();
        self.fields.resize(self.names.len(), None);
        let (mut text, mut fields) = (std::mem::take(&mut self.text), std::mem::take(&mut self.fields));
        let (mut nested, mut repeated, mut unknown) = (std::mem::take(&mut self.nested), None, false);
        let mut expected = 0;
        let walked = Walker::new(record).object(&mut |path, leaf| {
            let Some(at) = self.find(path, expected) else {
                unknown = true;
                return;
            };
            expected = at + 1;
            if fields[at].is_some() {
                repeated = repeated.or(Some(at));
            }
            let from = text.len();
            match leaf {
                Leaf::Missing => {}
                Leaf::Text(value) => text.push_str(&value),
                Leaf::Number(value) if self.decimal_comma => text.push_str(&value.replace('.', ",")),
                Leaf::Number(value) => text.push_str(&value),
                Leaf::Nested(value) => {
                    text.push_str(value);
                    nested.push(at);
                }
            }
            fields[at] = Some((from, text.len()));
        });
        if walked.is_ok() && !unknown {
            fields.iter().for_each(|field| batch.push_field(field.map_or("", |(from, to)| &text[from..to])));
            nested.iter().for_each(|at| batch.set_nested(*at));
            mark(batch, &text, repeated);
        }
        (self.text, self.fields, self.nested) = (text, fields, nested);
        match walked {
            Err(mistake) => Err(Refused::Mistake(mistake)),
            Ok(()) if unknown => Err(Refused::UnknownKey),
            Ok(()) => Ok(()),
        }
    }
}

/// Marks what is wrong with a record whose fields are known.
fn mark(batch: &mut RawBatch, text: &str, repeated: Option<usize>) {
    if memchr::memchr(0, text.as_bytes()).is_some() {
        batch.set_fault(Fault::NulByte);
    }
    if let Some(column) = repeated {
        batch.set_fault(Fault::RepeatedKey { column });
    }
}
