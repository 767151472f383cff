//! A row of a delimited file, made without allocating once it has grown.

use std::io::{self, Write};

/// The fields of one row, one after another.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Row {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    line: Vec<u8>,
}

impl Row {
    /// Forgets the fields.
    pub(super) fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }

    /// Appends to the field that is being made.
    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    /// Appends a whole number to the field that is being made.
    pub(super) fn push_whole(&mut self, number: u64, width: usize) {
        let mut digits = [b'0'; 20];
        let mut left = number;
        let mut first = digits.len();
        while left > 0 || digits.len() - first < width.clamp(1, 20) {
            first -= 1;
            digits[first] = b"0123456789"[(left % 10) as usize & 15];
            left /= 10;
        }
        self.push(&digits[first..]);
    }

    /// Ends the field.
    pub(super) fn end(&mut self) {
        self.ends.push(self.bytes.len());
    }

    /// A field of text.
    pub(super) fn text(&mut self, text: &str) {
        self.push(text.as_bytes());
        self.end();
    }

    /// A field of text, or an empty one.
    pub(super) fn text_if(&mut self, text: Option<&str>) {
        self.text(text.unwrap_or(""));
    }

    /// A day, or an empty field.
    pub(super) fn day_if(&mut self, day: Option<&[u8; 10]>) {
        self.push(day.map_or(&[][..], |day| &day[..]));
        self.end();
    }

    /// A whole number, or an empty field.
    pub(super) fn whole_if(&mut self, number: Option<u32>) {
        if let Some(number) = number {
            self.push_whole(u64::from(number), 1);
        }
        self.end();
    }

    /// A number given in `1/10^places`, with this decimal mark and without zeros at its end; or an empty field.
    pub(super) fn decimal_if(&mut self, scaled: Option<i32>, places: u32, mark: u8) {
        if let Some(scaled) = scaled {
            self.push_decimal(scaled, places, mark);
        }
        self.end();
    }

    /// Appends a number given in `1/10^places` to the field that is being made.
    pub(super) fn push_decimal(&mut self, scaled: i32, places: u32, mark: u8) {
        if scaled < 0 {
            self.push(b"-");
        }
        let unit = 10u32.pow(places);
        let (whole, mut rest) = (scaled.unsigned_abs() / unit, scaled.unsigned_abs() % unit);
        self.push_whole(u64::from(whole), 1);
        let mut width = places as usize;
        while rest > 0 && rest % 10 == 0 {
            rest /= 10;
            width -= 1;
        }
        if rest > 0 {
            self.push(&[mark]);
            self.push_whole(u64::from(rest), width);
        }
    }

    /// The fields, in order.
    pub(super) fn fields(&self) -> impl Iterator<Item = &[u8]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, end)| &self.bytes[start..*end])
    }

    /// Writes the row, quoting where it must.
    pub(super) fn write(&mut self, delimiter: u8, line_end: &[u8], out: &mut impl Write) -> io::Result<()> {
        let mut line = std::mem::take(&mut self.line);
        line.clear();
        let plain = !self.bytes.iter().any(|byte| needs_quotes(*byte, delimiter));
        for (at, field) in self.fields().enumerate() {
            if at > 0 {
                line.push(delimiter);
            }
            if plain {
                line.extend_from_slice(field);
            } else {
                push_field(field, delimiter, &mut line);
            }
        }
        line.extend_from_slice(line_end);
        self.line = line;
        out.write_all(&self.line)
    }
}

fn needs_quotes(byte: u8, delimiter: u8) -> bool {
    byte == delimiter || matches!(byte, b'"' | b'\n' | b'\r')
}

/// Appends a field, in quotes where it holds the delimiter, a quote or a line end.
pub(super) fn push_field(field: &[u8], delimiter: u8, line: &mut Vec<u8>) {
    if !field.iter().any(|byte| needs_quotes(*byte, delimiter)) {
        line.extend_from_slice(field);
        return;
    }
    line.push(b'"');
    for byte in field {
        line.push(*byte);
        if *byte == b'"' {
            line.push(b'"');
        }
    }
    line.push(b'"');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(make: impl Fn(&mut Row)) -> String {
        let mut row = Row::default();
        make(&mut row);
        let mut out = Vec::new();
        row.write(b',', b"\n", &mut out).expect("a vector takes everything");
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn numbers() {
        let decimals = written(|row| {
            for scaled in [1_500, 50, 0, -1_205, 2_000, 1_001] {
                row.decimal_if(Some(scaled), 3, b'.');
            }
            row.decimal_if(None, 3, b'.');
            row.whole_if(Some(10));
        });
        assert_eq!(decimals, "1.5,0.05,0,-1.205,2,1.001,,10\n");
    }

    #[test]
    fn quotes_where_it_must() {
        let texts = written(|row| {
            row.text("plain");
            row.text("a,b");
            row.text("say \"x\"");
        });
        assert_eq!(texts, "plain,\"a,b\",\"say \"\"x\"\"\"\n");
    }
}
