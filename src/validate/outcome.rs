//! What judging gives: accepted values with their places, refused rows, remarks.

use super::duplicates::Fingerprint;
use crate::domain::Place;

/// A value and where it came from.
#[derive(Debug, Clone, PartialEq)]
pub struct Sourced<T> {
    /// Its place.
    pub place: Place,
    /// The value.
    pub value: T,
    /// What makes it the same as another: see [`super::Duplicates`].
    pub fingerprint: Fingerprint,
}

/// A refused row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Its place.
    pub place: Place,
    /// Canonical name of the column at fault; `None` = the row as a whole.
    pub column: Option<String>,
    /// Id of the rule.
    pub rule: &'static str,
    /// What is wrong and what to do; never holds a patient identifier.
    pub hint: String,
    /// The row's own text: patient identifiers masked, columns that nothing maps left out.
    pub text: String,
}

/// A remark on an accepted row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Its place.
    pub place: Place,
    /// Canonical name of the column.
    pub column: Option<String>,
    /// Id of the rule.
    pub rule: &'static str,
    /// What is odd; never holds a patient identifier.
    pub hint: String,
}

/// A batch, judged. `read = accepted + rejected`, always; rows that the mapping leaves out are not part of `read`.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged<T> {
    /// Accepted rows, in the order of the file.
    pub accepted: Vec<Sourced<T>>,
    /// Refused rows, in the order of the file.
    pub rejected: Vec<Rejection>,
    /// Remarks on accepted rows, in the order of the file.
    pub warnings: Vec<Warning>,
    /// Rows judged.
    pub read: u64,
    /// Rows that `[rows]` of the mapping leaves out.
    pub filtered: u64,
}

impl<T> Judged<T> {
    pub(super) fn empty() -> Judged<T> {
        Judged { accepted: Vec::new(), rejected: Vec::new(), warnings: Vec::new(), read: 0, filtered: 0 }
    }
}

/// Why a value cannot be taken: the rule, and what to say beyond the value itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Problem {
    pub(super) rule: &'static str,
    pub(super) hint: String,
}

impl Problem {
    pub(super) fn new(rule: &'static str, hint: impl Into<String>) -> Problem {
        Problem { rule, hint: hint.into() }
    }

    /// The problem of `value` in `column`.
    pub(super) fn of(self, column: &'static str, value: &str) -> Complaint {
        Complaint { rule: self.rule, column: Some(column), value: Some(value.to_owned()), hint: self.hint }
    }
}

/// A problem with its column and value; only [`super::frame::Frame`] turns it into words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Complaint {
    pub(super) rule: &'static str,
    pub(super) column: Option<&'static str>,
    pub(super) value: Option<String>,
    pub(super) hint: String,
}

impl Complaint {
    /// A complaint that quotes no value.
    pub(super) fn bare(rule: &'static str, column: &'static str, hint: impl Into<String>) -> Complaint {
        Complaint { rule, column: Some(column), value: None, hint: hint.into() }
    }
}
