//! What all judges share: the walk over a batch, the row filter, and the words of a refusal.

use super::cells::Row;
use super::duplicates::{Fingerprint, Values};
use super::masking::Masker;
use super::outcome::{Complaint, Judged, Rejection, Sourced, Warning};
use super::rules;
use super::spelling::fold;
use crate::domain::Kind;
use crate::ingest::{Fault, RawBatch, RawRecord};
use std::collections::BTreeMap;

/// The settled view of one header.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) masker: Masker,
    pub(super) header: Vec<String>,
    /// Their header of each column that is called otherwise.
    pub(super) labels: BTreeMap<&'static str, String>,
    /// Canonical column of each field, for faults of single fields.
    pub(super) columns: Vec<Option<&'static str>>,
    /// A row must match all of these: field, and folded values.
    pub(super) keep: Vec<(usize, Vec<String>)>,
    /// A row must match none of these.
    pub(super) drop: Vec<(usize, Vec<String>)>,
}

impl Frame {
    /// Judges a batch: `read` gives the value of a row, or why not, and remarks.
    pub(super) fn judge<T>(
        &self,
        batch: &RawBatch,
        read: impl Fn(&Row<'_>, &mut Vec<Complaint>) -> Result<T, Complaint>,
        fingerprint: impl Fn(&T, &mut Values) -> Fingerprint,
    ) -> Judged<T> {
        let mut judged = Judged::empty();
        let (mut remarks, mut values) = (Vec::new(), Values::default());
        judged.accepted.reserve(batch.len());
        for record in batch.records() {
            if record.fault.is_none() && !self.keeps(&record) {
                judged.filtered += 1;
                continue;
            }
            judged.read += 1;
            let row = Row { record, masker: &self.masker };
            let verdict = match (record.fault, self.nested(&record)) {
                (Some(fault), _) => Err(self.fault(fault)),
                (None, Some(complaint)) => Err(complaint),
                (None, None) => read(&row, &mut remarks),
            };
            match verdict {
                Ok(value) => {
                    let fingerprint = fingerprint(&value, &mut values);
                    judged.accepted.push(Sourced { place: record.place, value, fingerprint });
                    judged.warnings.extend(remarks.drain(..).map(|remark| self.warning(&record, remark)));
                }
                Err(complaint) => {
                    remarks.clear();
                    judged.rejected.push(self.rejection(&record, complaint));
                }
            }
        }
        judged
    }

    fn keeps(&self, record: &RawRecord<'_>) -> bool {
        let matches = |(field, values): &(usize, Vec<String>)| values.contains(&fold(record.field(*field)));
        self.keep.iter().all(matches) && !self.drop.iter().any(matches)
    }

    fn fault(&self, fault: Fault) -> Complaint {
        let rule = match fault {
            Fault::TooFewFields { .. } => rules::TOO_FEW_FIELDS,
            Fault::TooManyFields { .. } => rules::TOO_MANY_FIELDS,
            Fault::StrayQuote => rules::STRAY_QUOTE,
            Fault::UnclosedQuote => rules::UNCLOSED_QUOTE,
            Fault::TooLarge => rules::RECORD_TOO_LARGE,
            Fault::BadEncoding { .. } => rules::BAD_ENCODING,
            Fault::NulByte => rules::NUL_BYTE,
            Fault::TruncatedLastLine => rules::TRUNCATED_LAST_LINE,
            Fault::NotJson(_) => rules::NOT_JSON,
            Fault::RepeatedKey { .. } => rules::REPEATED_KEY,
            Fault::ValueWithoutHeader { .. } => rules::VALUE_WITHOUT_HEADER,
        };
        let column = fault.column().and_then(|column| self.columns.get(column).copied().flatten());
        let remedy = rules::rule(rule).map_or("", |rule| rule.remedy);
        Complaint { rule, column, value: None, hint: format!("{fault}; {remedy}") }
    }

    /// A list of objects in a field that a column is read from; elsewhere it harms nobody.
    fn nested(&self, record: &RawRecord<'_>) -> Option<Complaint> {
        let column = record.nested().iter().find_map(|at| self.columns.get(*at).copied().flatten())?;
        let remedy = rules::rule(rules::NESTED_VALUE).map_or("", |rule| rule.remedy);
        let hint = format!("a list of objects or lists, which is no value of a column; {remedy}");
        Some(Complaint { rule: rules::NESTED_VALUE, column: Some(column), value: None, hint })
    }

    fn rejection(&self, record: &RawRecord<'_>, complaint: Complaint) -> Rejection {
        let complaint = self.about_the_whole_row(record).unwrap_or(complaint);
        Rejection {
            place: record.place,
            column: complaint.column.map(str::to_owned),
            rule: complaint.rule,
            hint: self.words(record, &complaint),
            text: self.masker.row_text(record),
        }
    }

    /// A row that is empty, or the header again, has no column at fault.
    fn about_the_whole_row(&self, record: &RawRecord<'_>) -> Option<Complaint> {
        let whole = |rule, hint: &str| Complaint { rule, column: None, value: None, hint: hint.to_owned() };
        if record.is_empty() {
            return None;
        }
        if record.fields().all(|field| field.trim().is_empty()) {
            return Some(whole(rules::EMPTY_ROW, "every field is empty; delete the row"));
        }
        let again = record.len() == self.header.len() && record.fields().zip(&self.header).all(|(a, b)| a.trim() == b);
        again.then(|| whole(rules::REPEATED_HEADER, "the header stands here again; delete the line"))
    }

    fn warning(&self, record: &RawRecord<'_>, remark: Complaint) -> Warning {
        Warning {
            place: record.place,
            column: remark.column.map(str::to_owned),
            rule: remark.rule,
            hint: self.words(record, &remark),
        }
    }

    /// What a column of this file holds.
    fn kind(&self, column: Option<&'static str>) -> Option<Kind> {
        self.masker.kinds.get(self.field(column)?).copied().flatten()
    }

    /// The first field that a column is read from.
    fn field(&self, column: Option<&'static str>) -> Option<usize> {
        self.columns.iter().position(|known| known.is_some() && *known == column)
    }

    /// The cell at fault, or the row, where line and column do not tell it: «cell G17 of sheet «Sessions»: ».
    fn address(&self, record: &RawRecord<'_>, complaint: &Complaint) -> String {
        let field = self.field(complaint.column).or_else(|| record.fault.and_then(Fault::column));
        let places = record.places();
        let Some(address) = places.address(record.place.line, field) else { return String::new() };
        // A clinic may keep a sheet for each patient.
        let sheet = places.sheet().map(|sheet| format!(" of sheet «{}»", self.masker.redact(record, sheet)));
        format!("{address}{}: ", sheet.unwrap_or_default())
    }

    fn words(&self, record: &RawRecord<'_>, complaint: &Complaint) -> String {
        let value = complaint
            .value
            .as_deref()
            .map(|value| self.masker.quote(record, self.kind(complaint.column), value) + ": ")
            .unwrap_or_default();
        let label = complaint.column.and_then(|column| self.labels.get(column));
        let label = label.map(|header| format!(" (their header: {header})")).unwrap_or_default();
        format!("{}{value}{}{label}", self.address(record, complaint), complaint.hint)
    }
}
