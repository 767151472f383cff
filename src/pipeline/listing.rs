//! A list of rows that rules spoke of, held on disk once it is long: a log of which every row is refused must not fill
//! the memory.

use crate::domain::Place;
use std::collections::BTreeMap;
use std::io::{self, Read, Seek};
use tempfile::SpooledTempFile;

/// A list up to this many bytes stays in memory.
const IN_MEMORY_BYTES: usize = 32 << 20;
/// How many examples of each rule are kept.
const EXAMPLES: usize = 3;

/// One row that a rule spoke of.
#[derive(Debug, Clone, Copy)]
pub struct Listed<'a> {
    /// Where it is.
    pub place: Place,
    /// Canonical name of the column; `None` = the row as a whole.
    pub column: Option<&'a str>,
    /// Id of the rule.
    pub rule: &'static str,
    /// What is wrong and what to do.
    pub hint: &'a str,
    /// The row's own text, identifiers masked; `None` in lists without texts.
    pub text: Option<&'a str>,
}

/// One row as an example of its rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Example {
    /// Name of the file.
    pub file: String,
    /// Where in it.
    pub place: Place,
    /// Which column; empty = the row as a whole.
    pub column: String,
    /// What is wrong and what to do.
    pub hint: String,
}

/// How often a rule spoke, and the first rows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RuleTally {
    /// How often.
    pub count: u64,
    /// The first rows.
    pub examples: Vec<Example>,
}

impl RuleTally {
    /// Counts a row; the first ones are kept as examples.
    pub fn note(&mut self, example: impl FnOnce() -> Example) {
        self.count += 1;
        if self.examples.len() < EXAMPLES {
            self.examples.push(example());
        }
    }
}

/// Rows that rules spoke of, in the order in which they came.
#[derive(Debug)]
pub struct Listing {
    writer: csv::Writer<SpooledTempFile>,
    rules: BTreeMap<&'static str, RuleTally>,
    by_file: Vec<u64>,
    with_texts: bool,
}

impl Listing {
    /// An empty list, with or without the rows' own texts.
    ///
    /// # Errors
    /// When the header cannot be written.
    pub fn new(with_texts: bool) -> io::Result<Listing> {
        let mut writer = csv::Writer::from_writer(SpooledTempFile::new(IN_MEMORY_BYTES));
        let columns = ["file", "line", "record", "column", "rule", "hint", "text"];
        writer.write_record(&columns[..if with_texts { 7 } else { 6 }])?;
        Ok(Listing { writer, rules: BTreeMap::new(), by_file: Vec::new(), with_texts })
    }

    /// Adds a row of the file called `file`.
    ///
    /// # Errors
    /// When the disk that holds a long list is full.
    pub fn add(&mut self, file: &str, row: &Listed<'_>) -> io::Result<()> {
        let (line, record) = (row.place.line.to_string(), row.place.record.to_string());
        let column = row.column.unwrap_or_default();
        let text = self.with_texts.then_some(row.text.unwrap_or_default());
        self.writer.write_record([file, &line, &record, column, row.rule, row.hint].into_iter().chain(text))?;
        self.rules.entry(row.rule).or_default().note(|| Example {
            file: file.to_owned(),
            place: row.place,
            column: column.to_owned(),
            hint: row.hint.to_owned(),
        });
        let number = row.place.file.0 as usize;
        if self.by_file.len() <= number {
            self.by_file.resize(number + 1, 0);
        }
        self.by_file[number] += 1;
        Ok(())
    }

    /// By rule.
    #[must_use]
    pub fn rules(&self) -> &BTreeMap<&'static str, RuleTally> {
        &self.rules
    }

    /// Rows of a file.
    #[must_use]
    pub fn of_file(&self, number: usize) -> u64 {
        self.by_file.get(number).copied().unwrap_or(0)
    }

    /// The list as CSV.
    ///
    /// # Errors
    /// When the disk that holds a long list cannot be read back.
    pub fn csv(self) -> io::Result<Vec<u8>> {
        let mut spool = self.writer.into_inner().map_err(|error| error.into_error())?;
        spool.rewind()?;
        let mut bytes = Vec::new();
        spool.read_to_end(&mut bytes)?;
        Ok(bytes)
    }
}
