//! Splits a record that holds quotation marks into fields, byte by byte. Lines without one take a shorter way.

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    FieldStart,
    Unquoted,
    Quoted,
    /// Behind a quotation mark inside a quoted field: its end, or the first of a doubled mark.
    Mark,
    /// Behind a quoted field, where only space may follow.
    Closed,
}

/// Splits one record; fed with the bytes from the record's start, again with more of them when it asks.
pub(super) struct Splitter {
    delimiter: u8,
    terminator: u8,
    at: At,
    walked: usize,
    field_start: usize,
    /// The fields' bytes, unquoted.
    pub(super) text: Vec<u8>,
    /// End of each field in `text`.
    pub(super) ends: Vec<usize>,
    /// Ends of the physical lines inside quoted fields, from the record's start.
    pub(super) line_ends: Vec<usize>,
    /// Text stood before an opening or behind a closing quotation mark.
    pub(super) stray: bool,
}

impl Splitter {
    pub(super) fn new(delimiter: u8, terminator: u8) -> Splitter {
        Splitter {
            delimiter,
            terminator,
            at: At::FieldStart,
            walked: 0,
            field_start: 0,
            text: Vec::new(),
            ends: Vec::new(),
            line_ends: Vec::new(),
            stray: false,
        }
    }

    /// Ready for the next record.
    pub(super) fn reset(&mut self) {
        self.at = At::FieldStart;
        self.walked = 0;
        self.field_start = 0;
        self.text.clear();
        self.ends.clear();
        self.line_ends.clear();
        self.stray = false;
    }

    /// Walks on; the record's length when its line end was found. Stops early at a stray mark.
    pub(super) fn walk(&mut self, bytes: &[u8]) -> Option<usize> {
        while let Some(byte) = bytes.get(self.walked) {
            self.walked += 1;
            if self.step(*byte) || self.stray {
                return Some(self.walked);
            }
        }
        None
    }

    /// The end of the file came: whether a quotation mark is still open. Otherwise the last field is closed.
    pub(super) fn finish(&mut self) -> bool {
        if self.at == At::Quoted {
            return true;
        }
        self.end_record();
        false
    }

    fn step(&mut self, byte: u8) -> bool {
        match self.at {
            At::Quoted if byte == b'"' => self.at = At::Mark,
            At::Quoted => {
                self.text.push(byte);
                if byte == self.terminator {
                    self.line_ends.push(self.walked);
                }
            }
            At::Mark if byte == b'"' => {
                self.text.push(byte);
                self.at = At::Quoted;
            }
            At::FieldStart if byte == b'"' => self.at = At::Quoted,
            _ if byte == self.delimiter => self.end_field(),
            _ if byte == self.terminator => {
                self.end_record();
                return true;
            }
            At::Mark | At::Closed => {
                self.stray |= !byte.is_ascii_whitespace();
                self.at = At::Closed;
            }
            At::FieldStart | At::Unquoted => {
                // A mark inside plain text (5" needle) is text; one behind nothing but space was meant to open.
                self.stray |= byte == b'"' && self.text[self.field_start..].trim_ascii().is_empty();
                self.text.push(byte);
                self.at = At::Unquoted;
            }
        }
        false
    }

    fn end_field(&mut self) {
        self.ends.push(self.text.len());
        self.field_start = self.text.len();
        self.at = At::FieldStart;
    }

    fn end_record(&mut self) {
        if self.at == At::Unquoted && self.text.last() == Some(&b'\r') {
            self.text.pop();
        }
        self.end_field();
    }

    /// The fields' bytes.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(from, to)| &self.text[from..*to])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: &[&str]) {
        let mut splitter = Splitter::new(b',', b'\n');
        let length = splitter.walk(record.as_bytes());
        assert_eq!(length, Some(record.len()));
        assert!(!splitter.stray);
        let fields: Vec<&[u8]> = splitter.fields().collect();
        assert_eq!(fields, expected.iter().map(|field| field.as_bytes()).collect::<Vec<_>>(), "{record}");
    }

    #[test]
    fn quoted_fields_lose_their_marks_and_nothing_else() {
        check("a,\"b, c\",d\n", &["a", "b, c", "d"]);
        check("\"say \"\"hi\"\"\",x\r\n", &["say \"hi\"", "x"]);
        check("\"two\nlines\",\"\" ,y\n", &["two\nlines", "", "y"]);
        check("5\" tip,x\n", &["5\" tip", "x"]);
        check("a,\"b\"\r\n", &["a", "b"]);
    }

    #[test]
    fn text_beside_a_quoted_field_is_stray() {
        for record in ["a,\"b\"c,d\n", "a, \"b, c\",d\n", "x,\"Dr \"Bob\" Miller\",y\n"] {
            let mut splitter = Splitter::new(b',', b'\n');
            splitter.walk(record.as_bytes());
            assert!(splitter.stray, "{record}");
        }
    }

    #[test]
    fn it_goes_on_where_it_stopped() {
        let record = "a,\"b\nc\",d\n";
        let mut splitter = Splitter::new(b',', b'\n');
        for cut in 0..record.len() {
            assert_eq!(splitter.walk(&record.as_bytes()[..cut]), None);
        }
        assert_eq!(splitter.walk(record.as_bytes()), Some(record.len()));
        assert_eq!(splitter.line_ends, [5]);
        assert_eq!(splitter.fields().count(), 3);
    }
}
