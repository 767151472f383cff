//! Records as they stand in a file: flat text and the places of its fields.

use super::places::Places;
use crate::domain::{FileId, Place};

/// Why the fields of a record cannot be trusted; recognised when reading, judged elsewhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Fewer fields than the header.
    #[error("{found} fields where the header has {expected}")]
    TooFewFields {
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
    /// More fields than the header.
    #[error("{found} fields where the header has {expected}")]
    TooManyFields {
        /// Fields of the header.
        expected: usize,
        /// Fields of the row.
        found: usize,
    },
    /// A quotation mark inside a field, or one that swallows the following lines.
    #[error("a stray quotation mark")]
    StrayQuote,
    /// A quotation mark that is still open at the end of the file.
    #[error("a quotation mark that is never closed")]
    UnclosedQuote,
    /// Longer than [`super::LARGEST_RECORD_BYTES`].
    #[error("a line longer than 1 MiB")]
    TooLarge,
    /// Bytes that the encoding does not have.
    #[error("bytes that are not UTF-8 in field {}", column + 1)]
    BadEncoding {
        /// Index of the first such field.
        column: usize,
    },
    /// A NUL byte.
    #[error("a NUL byte")]
    NulByte,
    /// The last line ends in its middle, without a line end.
    #[error("the file ends in the middle of this line")]
    TruncatedLastLine,
    /// Where a JSON object (or a row of values) should stand, there is something else.
    #[error("this is no JSON record: {0}")]
    NotJson(&'static str),
    /// A key of a JSON object that stands there twice.
    #[error("the key of field {} stands there twice", column + 1)]
    RepeatedKey {
        /// Index of the first such field.
        column: usize,
    },
    /// A cell right of the header's last column.
    #[error("a value stands where the header has no column")]
    ValueWithoutHeader {
        /// Index of the first such field.
        column: usize,
    },
}

/// Records of a batch, at most.
pub(super) const BATCH_RECORDS: usize = 512;
/// Text of a batch, about.
pub(super) const BATCH_BYTES: usize = 256 << 10;
/// Fields of a batch, about: wide tables whose fields are mostly empty have little text.
const BATCH_FIELDS: usize = 1 << 19;

impl Fault {
    /// Whether the fields can be told apart in spite of the fault.
    #[must_use]
    pub fn keeps_fields(self) -> bool {
        matches!(
            self,
            Fault::BadEncoding { .. } | Fault::NulByte | Fault::RepeatedKey { .. } | Fault::ValueWithoutHeader { .. }
        )
    }

    /// Index of the field at fault, where it is one.
    #[must_use]
    pub fn column(self) -> Option<usize> {
        match self {
            Fault::BadEncoding { column } | Fault::RepeatedKey { column } | Fault::ValueWithoutHeader { column } => {
                Some(column)
            }
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Head {
    line: u64,
    record: u64,
    first_field: usize,
    first_nested: usize,
    fault: Option<Fault>,
}

/// Some records of one file, owned, so that batches can be judged in parallel.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RawBatch {
    file: FileId,
    places: Places,
    text: String,
    fields: Vec<(u32, u32)>,
    /// Fields, of those of their record, that hold lists of lists or objects.
    nested: Vec<usize>,
    heads: Vec<Head>,
}

impl RawBatch {
    /// An empty batch of a file.
    #[must_use]
    pub fn new(file: FileId) -> RawBatch {
        RawBatch { file, ..RawBatch::default() }
    }

    /// The same batch, of a file whose places are told otherwise than by lines.
    pub(super) fn placed(self, places: Places) -> RawBatch {
        RawBatch { places, ..self }
    }

    /// An empty batch with room, so that it need not grow while it is filled.
    pub(super) fn with_room(file: FileId, text_bytes: usize, fields: usize) -> RawBatch {
        let (text, fields) = (String::with_capacity(text_bytes), Vec::with_capacity(fields));
        RawBatch { file, text, fields, ..RawBatch::default() }
    }

    /// Number of records.
    #[must_use]
    pub fn len(&self) -> usize {
        self.heads.len()
    }

    /// Whether there is no record.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.heads.is_empty()
    }

    /// Bytes of text held.
    #[must_use]
    pub fn text_bytes(&self) -> usize {
        self.text.len()
    }

    /// Whether the next record belongs into another batch.
    pub(super) fn is_full(&self) -> bool {
        self.len() >= BATCH_RECORDS || self.text_bytes() >= BATCH_BYTES || self.fields.len() >= BATCH_FIELDS
    }

    /// The records, in the order of the file.
    pub fn records(&self) -> impl ExactSizeIterator<Item = RawRecord<'_>> {
        (0..self.heads.len()).map(|at| self.record(at))
    }

    fn record(&self, at: usize) -> RawRecord<'_> {
        let (head, next) = (&self.heads[at], self.heads.get(at + 1));
        let fields_end = next.map_or(self.fields.len(), |next| next.first_field);
        let nested_end = next.map_or(self.nested.len(), |next| next.first_nested);
        RawRecord {
            place: Place { file: self.file, line: head.line, record: head.record },
            fault: head.fault,
            places: &self.places,
            text: &self.text,
            fields: &self.fields[head.first_field..fields_end],
            nested: &self.nested[head.first_nested..nested_end],
        }
    }

    /// The record begun last.
    pub(super) fn last_record(&self) -> Option<RawRecord<'_>> {
        self.heads.len().checked_sub(1).map(|at| self.record(at))
    }

    /// The same records, each on the line of its number: for what has rows and no lines.
    pub(super) fn with_lines_of_records(mut self) -> RawBatch {
        self.heads.iter_mut().for_each(|head| head.line = head.record);
        self
    }

    /// Starts a record; its fields are added next.
    pub(super) fn begin(&mut self, line: u64, record: u64) {
        let (first_field, first_nested) = (self.fields.len(), self.nested.len());
        self.heads.push(Head { line, record, first_field, first_nested, fault: None });
    }

    /// Marks the record begun last; its fields are dropped when they cannot be told apart.
    pub(super) fn set_fault(&mut self, fault: Fault) {
        if let Some(head) = self.heads.last_mut() {
            head.fault = Some(fault);
            if !fault.keeps_fields() {
                self.fields.truncate(head.first_field);
                self.nested.truncate(head.first_nested);
            }
        }
    }

    /// Adds a line whose fields are separated by `delimiter`.
    pub(super) fn push_line(&mut self, line: &str, delimiter: u8) {
        let base = self.text.len();
        self.text.push_str(line);
        let mut from = base;
        for_each_separator(line.as_bytes(), delimiter, |at| {
            self.fields.push((offset(from), offset(base + at)));
            from = base + at + 1;
        });
        self.fields.push((offset(from), offset(base + line.len())));
    }

    /// Adds one field.
    pub(super) fn push_field(&mut self, field: &str) {
        let from = self.text.len();
        self.text.push_str(field);
        self.fields.push((offset(from), offset(self.text.len())));
    }

    /// Marks a field of the record begun last: it holds a list of lists or objects, as it is written.
    pub(super) fn set_nested(&mut self, column: usize) {
        self.nested.push(column);
    }

    /// Number of fields of the record begun last.
    pub(super) fn last_fields(&self) -> usize {
        self.heads.last().map_or(0, |head| self.fields.len() - head.first_field)
    }
}

/// Tells where a byte stands, eight bytes at a time: fields are short, so that a search for each would cost more than
/// one walk over all.
fn for_each_separator(bytes: &[u8], separator: u8, mut found: impl FnMut(usize)) {
    const LOW: u64 = 0x7F7F_7F7F_7F7F_7F7F;
    let wanted = u64::from_ne_bytes([separator; 8]);
    let (words, rest) = bytes.as_chunks::<8>();
    for (number, word) in words.iter().enumerate() {
        let differs = u64::from_le_bytes(*word) ^ wanted;
        // The highest bit of every byte that is zero: nothing carries over from a byte to the next.
        let mut equal = !(((differs & LOW) + LOW) | differs | LOW);
        while equal != 0 {
            found(number * 8 + equal.trailing_zeros() as usize / 8);
            equal &= equal - 1;
        }
    }
    let before = bytes.len() - rest.len();
    rest.iter().enumerate().filter(|(_, byte)| **byte == separator).for_each(|(at, _)| found(before + at));
}

/// A batch holds at most about two records' worth of the cap: far below 4 GiB.
fn offset(at: usize) -> u32 {
    u32::try_from(at).unwrap_or(u32::MAX)
}

/// One record of a batch.
#[derive(Debug, Clone, Copy)]
pub struct RawRecord<'a> {
    /// Where it starts.
    pub place: Place,
    /// Why its fields cannot be trusted.
    pub fault: Option<Fault>,
    places: &'a Places,
    text: &'a str,
    fields: &'a [(u32, u32)],
    nested: &'a [usize],
}

impl<'a> RawRecord<'a> {
    /// The field at `index`, as it stands; empty where the record has no such field.
    #[must_use]
    #[inline]
    pub fn field(&self, index: usize) -> &'a str {
        let Some((from, to)) = self.fields.get(index) else { return "" };
        self.text.get(*from as usize..*to as usize).unwrap_or("")
    }

    /// Indices of the fields that hold lists of lists or objects, which are no value of a column.
    #[must_use]
    pub fn nested(&self) -> &'a [usize] {
        self.nested
    }

    /// How the places of its file are told.
    #[must_use]
    pub fn places(&self) -> &'a Places {
        self.places
    }

    /// Number of fields; 0 where they cannot be told apart.
    #[must_use]
    pub fn len(&self) -> usize {
        self.fields.len()
    }

    /// Whether it has no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.fields.is_empty()
    }

    /// The fields, in order.
    pub fn fields(&self) -> impl ExactSizeIterator<Item = &'a str> + use<'a> {
        let text = self.text;
        self.fields.iter().map(move |(from, to)| text.get(*from as usize..*to as usize).unwrap_or(""))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Judged by a search of the `memchr` package.
        #[test]
        fn separators_are_found_where_they_stand(bytes in prop::collection::vec(prop::sample::select(vec![b',', b'-', b'+', 0xAC, 0, 0x80, b'a']), 0..80)) {
            let mut found = Vec::new();
            for_each_separator(&bytes, b',', |at| found.push(at));
            prop_assert_eq!(found, memchr::memchr_iter(b',', &bytes).collect::<Vec<_>>());
        }
    }
}
