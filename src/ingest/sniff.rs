//! What the first bytes of a file tell: whether it is text, how lines end, what separates fields.

/// What a file is, by its first bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    Text,
    Utf16,
    Other(&'static str),
}

const SIGNATURES: &[(&[u8], &str)] = &[
    (b"PK\x03\x04", "an Excel workbook (or another zip archive)"),
    (b"\xD0\xCF\x11\xE0", "an old Excel workbook (.xls)"),
    (b"%PDF", "a PDF"),
    (b"\x1F\x8B", "a gzip archive"),
    (b"BZh", "a bzip2 archive"),
    (b"\xFD7zXZ", "an xz archive"),
    (b"\x28\xB5\x2F\xFD", "a zstd archive"),
    (b"7z\xBC\xAF", "a 7z archive"),
    (b"SQLite format 3\0", "an SQLite database"),
    (b"PAR1", "a Parquet file"),
    (b"ARROW1", "an Arrow file"),
    (b"HEADER RECORD*******", "a SAS transport file (XPT)"),
    (b"\x89PNG", "a picture (PNG)"),
    (b"\xFF\xD8\xFF", "a picture (JPEG)"),
    (b"{\\rtf", "a rich-text document"),
    (b"{\"", "JSON"),
    (b"{\n", "JSON"),
    (b"{\r\n", "JSON"),
    (b"[{", "JSON"),
    (b"[\n", "JSON"),
    (b"<?xml", "XML"),
    (b"<!DOCTYPE", "a web page (HTML)"),
    (b"<html", "a web page (HTML)"),
];

/// Files that tell their format by their first bytes, whatever they are called.
const FORMATS: &[(&[u8], &str)] = &[
    (b"HEADER RECORD*******", "xpt"),
    (b"**COMPRESSED** **COMPRESSED**", "xpt"),
    (b"PK\x03\x04", "workbook"),
    (b"\xD0\xCF\x11\xE0", "workbook"),
    (b"PAR1", "parquet"),
    (b"ARROW1", "arrow"),
];

/// The id of the format whose signature a file begins with.
pub(super) fn signed(first: &[u8]) -> Option<&'static str> {
    FORMATS.iter().find(|(signature, _)| first.starts_with(signature)).map(|(_, id)| *id)
}

/// The id of the format that the first bytes show without doubt.
pub(super) fn format(first: &[u8]) -> Option<&'static str> {
    if let Some(id) = signed(first) {
        return Some(id);
    }
    let text = first.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(first);
    let mut letters = text.iter().filter(|byte| !byte.is_ascii_whitespace());
    match (letters.next(), letters.next()) {
        (Some(b'{'), Some(b'"' | b'}')) | (Some(b'['), Some(b'{' | b']' | b'[')) => Some("json"),
        _ => None,
    }
}

/// Looks at the first bytes (some thousand suffice).
pub(super) fn look(bytes: &[u8]) -> Look {
    if let Some((_, what)) = SIGNATURES.iter().find(|(signature, _)| bytes.starts_with(signature)) {
        return Look::Other(what);
    }
    if bytes.get(257..262) == Some(b"ustar") {
        return Look::Other("a tar archive");
    }
    if bytes.starts_with(b"\xFF\xFE") || bytes.starts_with(b"\xFE\xFF") {
        return Look::Utf16;
    }
    let nul = |parity: usize| bytes.iter().skip(parity).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (nul(0), nul(1));
    let half = bytes.len() / 2;
    if half >= 8 && (even.max(odd) > half * 3 / 4) && even.min(odd) * 20 < half {
        return Look::Utf16;
    }
    let control = bytes.iter().filter(|byte| **byte < b' ' && !b"\t\r\n\x0C\x1B".contains(byte)).count();
    // One NUL in a text is a fault of its row; one byte in fifty is no text.
    if control > 3 && control * 50 > bytes.len() { Look::Other("a binary file") } else { Look::Text }
}

/// What ends a line: a line feed, or a lone carriage return where the text has nothing else.
pub(super) fn terminator(bytes: &[u8]) -> u8 {
    let has = |byte| memchr::memchr(byte, bytes).is_some();
    if !has(b'\n') && has(b'\r') { b'\r' } else { b'\n' }
}

/// The most frequent separator outside quotation marks in the header line; a comma where there is none.
pub(super) fn delimiter(header: &[u8]) -> u8 {
    let mut quoted = false;
    let mut counts = [(b',', 0usize), (b';', 0), (b'\t', 0), (b'|', 0)];
    for byte in header {
        quoted ^= *byte == b'"';
        if let (false, Some((_, count))) = (quoted, counts.iter_mut().find(|(separator, _)| separator == byte)) {
            *count += 1;
        }
    }
    let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
    counts.iter().find(|(_, count)| *count == most).map_or(b',', |(separator, _)| *separator)
}

/// The separator that a spreadsheet's first line `sep=;` names.
pub(super) fn separator_line(line: &[u8]) -> Option<u8> {
    match line {
        [s, e, p, b'=', separator] if [*s, *e, *p].eq_ignore_ascii_case(b"sep") => Some(*separator),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_that_are_no_text_are_recognised() {
        assert_eq!(look(b"PK\x03\x04....."), Look::Other("an Excel workbook (or another zip archive)"));
        assert_eq!(look(b"a\0b\0c\0d\0e\0f\0g\0h\0i\0j\0"), Look::Utf16);
        assert_eq!(look(&[1, 2, 3, 200, 0, 0, 4, 250, 1, 7]), Look::Other("a binary file"));
        let mut text = b"session_id,patient_id\n".repeat(20);
        text[30] = 0;
        assert_eq!(look(&text), Look::Text);
        assert_eq!(look("Größe;Tiefe\n".as_bytes()), Look::Text);
    }

    #[test]
    fn formats_are_told_by_their_first_bytes() {
        assert_eq!(format(b"HEADER RECORD*******LIBRARY HEADER"), Some("xpt"));
        assert_eq!(format(b"\xEF\xBB\xBF [\r\n  {\"a\""), Some("json"));
        assert_eq!(format(b"{ \"a\": 1}"), Some("json"));
        assert_eq!(format(b"{id},b\n"), None);
        assert_eq!(format(b"[Log of clinic 4]\na,b\n"), None);
        assert_eq!(format(b""), None);
    }

    #[test]
    fn the_separator_is_the_most_frequent_outside_quotes() {
        assert_eq!(delimiter(b"a;b;c,d"), b';');
        assert_eq!(delimiter(b"\"a;b;c\",d"), b',');
        assert_eq!(delimiter(b"a\tb"), b'\t');
        assert_eq!(delimiter(b"only"), b',');
        assert_eq!(separator_line(b"sep=;"), Some(b';'));
    }
}
