//! What stands in a file: its header, and the values of each column with how often and where. Values of columns that
//! identify a person are not kept, only recognised again.

use super::fit::date_reads;
use super::lexicon::Lexicon;
use crate::domain::Table;
use crate::ingest::{Fault, RawBatch, RawRecord, TextEncoding};
use crate::validate::spelling::{FixedHasher, fold};
use std::collections::{HashMap, HashSet};
use std::hash::BuildHasher;

/// Records that are looked at.
pub const SAMPLE_RECORDS: u64 = 10_000;
/// Values longer than this are somebody's own words: counted, not kept.
const LONGEST_VALUE: usize = 300;
/// Bytes of values that are kept of one file.
const MOST_BYTES: usize = 64 << 20;
/// As many patients as must share a value before it is thought not to identify one.
const ENOUGH_PATIENTS: usize = 3;

/// One value of a column.
#[derive(Debug, Clone)]
pub(super) struct Value {
    pub(super) text: String,
    pub(super) count: u64,
    /// Line on which it stands first.
    pub(super) line: u64,
    /// Some of the patients, hashed.
    patients: Vec<u64>,
}

/// The values of a column, in the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Values {
    pub(super) list: Vec<Value>,
    index: HashMap<String, usize, FixedHasher>,
    /// How many fields held more than a value should.
    pub(super) long: u64,
}

/// How the file was opened, and why so.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    /// The separator found in the header line, in a delimited text.
    pub delimiter: Option<char>,
    /// The line of the header, where titles stand above it.
    pub header_row: Option<u64>,
    /// The encoding that had to be chosen, and the first line that is not UTF-8.
    pub encoding: Option<(TextEncoding, u64)>,
}

/// What stands in one file.
pub struct Survey {
    /// What kind of file it is.
    pub table: Table,
    /// Its name, for comments.
    pub file: String,
    /// How it was opened.
    pub opening: Opening,
    pub(super) header: Vec<String>,
    pub(super) columns: Vec<Values>,
    pub(super) records: u64,
    /// Words of values that identify a person, hashed.
    secrets: HashSet<u64, FixedHasher>,
    identifying: Vec<usize>,
    patient: Option<usize>,
    bytes: usize,
    first_bad_encoding: Option<u64>,
}

impl Survey {
    /// A survey that has seen the header.
    #[must_use]
    pub fn new(table: Table, file: &str, header: &[String]) -> Survey {
        let lexicon = Lexicon::built_in();
        let is_patient = |at: &usize| super::headers::is_patient(&header[*at], &lexicon);
        let identifying = (0..header.len()).filter(|at| lexicon.identifies(&header[*at]) || is_patient(at)).collect();
        Survey {
            table,
            file: file.to_owned(),
            opening: Opening::default(),
            header: header.to_vec(),
            columns: header.iter().map(|_| Values::default()).collect(),
            records: 0,
            secrets: HashSet::default(),
            identifying,
            patient: (0..header.len()).find(is_patient),
            bytes: 0,
            first_bad_encoding: None,
        }
    }

    /// Looks at a batch.
    pub fn add(&mut self, batch: &RawBatch) {
        for record in batch.records() {
            if self.is_full() {
                return;
            }
            self.records += 1;
            if let (Some(Fault::BadEncoding { .. }), None) = (record.fault, self.first_bad_encoding) {
                self.first_bad_encoding = Some(record.place.line);
            }
            if record.fault.is_none() {
                self.look_at(&record);
            }
        }
    }

    /// Whether enough was seen.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.records >= SAMPLE_RECORDS || self.bytes >= MOST_BYTES
    }

    /// Records seen, faulty ones too.
    #[must_use]
    pub fn records(&self) -> u64 {
        self.records
    }

    /// The first line whose bytes the encoding does not have.
    #[must_use]
    pub fn first_bad_encoding(&self) -> Option<u64> {
        self.first_bad_encoding
    }

    /// How many of the canonical columns a header names.
    #[must_use]
    pub fn recognised(header: &[String], table: Table) -> usize {
        super::headers::recognised(header, table, &Lexicon::built_in())
    }

    /// Whether the line that should hold the column names holds data: a number or a date stands among its fields, and
    /// hardly a known name.
    #[must_use]
    pub fn header_looks_like_data(&self) -> bool {
        let is_glued = self.header.iter().any(|name| date_reads(name));
        is_glued || self.header.iter().any(|name| is_data(name)) && Survey::recognised(&self.header, self.table) < 3
    }

    fn look_at(&mut self, record: &RawRecord<'_>) {
        let hash = |text: &str| FixedHasher::default().hash_one(text);
        let patient = self.patient.map(|at| hash(record.field(at).trim()));
        for (at, text) in record.fields().enumerate().take(self.columns.len()) {
            let text = text.trim();
            if self.identifying.contains(&at) {
                self.remember(text);
            } else if !text.is_empty() {
                self.bytes += self.columns[at].add(text, record.place.line, patient);
            }
        }
    }

    fn remember(&mut self, secret: &str) {
        let hash = |text: &str| FixedHasher::default().hash_one(text);
        let folded = fold(secret);
        self.secrets.insert(hash(&folded));
        let words = folded.split(|letter: char| !letter.is_alphanumeric()).filter(|word| word.chars().count() >= 3);
        self.secrets.extend(words.map(hash));
    }

    /// The header at `at` as it may be shown: nothing that could be a person's data.
    pub(super) fn shown_header(&self, at: usize) -> Option<&str> {
        let name = self.header[at].as_str();
        (!name.is_empty() && !is_data(name) && !name.contains('@')).then_some(name)
    }

    /// Columns that identify a person, beside the patient identifier.
    pub(super) fn identifying(&self) -> impl Iterator<Item = usize> {
        self.identifying.iter().copied()
    }

    /// Whether a value that nothing knows may stand in a file for people: a short text without digits that holds no
    /// word of anybody's name, and, where the column may hold free text, that several patients share.
    pub(super) fn may_show(&self, value: &Value, is_coded: bool) -> bool {
        let text = value.text.as_str();
        let short = text.chars().count() <= 40 && text.split_whitespace().count() <= 4;
        let plain = text.chars().all(|letter| !letter.is_ascii_digit() && letter != '@' && !letter.is_control());
        let hash = |text: &str| FixedHasher::default().hash_one(text);
        let folded = fold(text);
        let mut words = folded.split(|letter: char| !letter.is_alphanumeric());
        let secret = self.secrets.contains(&hash(&folded)) || words.any(|word| self.secrets.contains(&hash(word)));
        let shared = match self.patient {
            Some(_) => value.patients.len() >= ENOUGH_PATIENTS,
            None => value.count >= 10,
        };
        short && plain && !secret && (is_coded || shared)
    }
}

impl Values {
    /// Adds a value; answers how many bytes are newly kept.
    fn add(&mut self, text: &str, line: u64, patient: Option<u64>) -> usize {
        if text.len() > LONGEST_VALUE {
            self.long += 1;
            return 0;
        }
        let (at, new) = match self.index.get(text) {
            Some(at) => (*at, 0),
            None => {
                self.index.insert(text.to_owned(), self.list.len());
                self.list.push(Value { text: text.to_owned(), count: 0, line, patients: Vec::new() });
                (self.list.len() - 1, 2 * text.len() + 96)
            }
        };
        let value = &mut self.list[at];
        value.count += 1;
        if let Some(patient) = patient {
            value.shared_by(patient);
        }
        new
    }
}

impl Value {
    /// The same value as a part of a list.
    pub(super) fn part(&self, text: &str) -> Value {
        Value { text: text.to_owned(), ..self.clone() }
    }

    /// Adds the occurrences of the same text elsewhere.
    pub(super) fn join(&mut self, other: &Value) {
        self.count += other.count;
        self.line = self.line.min(other.line);
        other.patients.iter().for_each(|patient| self.shared_by(*patient));
    }

    fn shared_by(&mut self, patient: u64) {
        if self.patients.len() < ENOUGH_PATIENTS && !self.patients.contains(&patient) {
            self.patients.push(patient);
        }
    }
}

fn is_data(name: &str) -> bool {
    name.parse::<f64>().is_ok() || date_reads(name)
}
