//! How a file is to be read.

use super::redcap::RedcapOptions;
use crate::domain::Table;
use encoding_rs::WINDOWS_1252;
use std::borrow::Cow;

/// Encoding of a text file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextEncoding {
    /// UTF-8, with or without a byte-order mark.
    Utf8,
    /// Windows-1252; what is labelled Latin-1 is read by it too, as browsers do.
    Windows1252,
}

impl TextEncoding {
    /// Names that a mapping file may use.
    pub const NAMES: &'static [&'static str] = &["utf-8", "latin-1", "windows-1252"];

    /// The encoding of a name, without regard to case.
    ///
    /// ```
    /// use stipple::ingest::TextEncoding;
    /// assert_eq!(TextEncoding::from_name("Latin-1"), Some(TextEncoding::Windows1252));
    /// assert_eq!(TextEncoding::from_name("klingon"), None);
    /// ```
    #[must_use]
    pub fn from_name(name: &str) -> Option<TextEncoding> {
        match name.to_ascii_lowercase().as_str() {
            "utf-8" | "utf8" => Some(TextEncoding::Utf8),
            "latin-1" | "latin1" | "iso-8859-1" | "windows-1252" | "cp1252" => Some(TextEncoding::Windows1252),
            _ => None,
        }
    }

    /// The text of a format that is UTF-8 by itself: where bytes are not, this encoding is tried. `true` = they are
    /// bytes of neither.
    pub(super) fn utf8_or_own(self, bytes: &[u8]) -> (Cow<'_, str>, bool) {
        match (str::from_utf8(bytes), self) {
            (Ok(text), _) => (Cow::Borrowed(text), false),
            (Err(_), TextEncoding::Windows1252) => (WINDOWS_1252.decode_without_bom_handling(bytes).0, false),
            (Err(_), TextEncoding::Utf8) => (String::from_utf8_lossy(bytes), true),
        }
    }
}

/// What a mapping file says about reading; `None` = find out.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ReadOptions {
    /// Which kind of file it is: a format that holds several kinds of records gives those of this one.
    pub table: Table,
    /// Separator of fields; `None` = the most frequent of `,` `;` tab `|` in the header line.
    pub delimiter: Option<u8>,
    /// Encoding; `None` = UTF-8. A file that is not UTF-8 is never guessed at: its rows carry a fault. A byte-order
    /// mark settles the matter, whatever stands here.
    pub encoding: Option<TextEncoding>,
    /// Whether the validator reads `1,5`: formats that hold numbers as numbers give them with this mark, so that it
    /// understands them.
    pub decimal_comma: bool,
    /// Physical line of the header, from 1; `None` = the first line that is not blank.
    pub header_row: Option<u64>,
    /// Id of the format; `None` = by the first bytes and the extension.
    pub format: Option<&'static str>,
    /// Sheet of a workbook (`None` = the first), or which table is meant where a file of another format holds several.
    pub sheet: Option<String>,
    /// SQL query whose rows are read, where the log is a database.
    pub query: Option<String>,
    /// How an export of REDCap is taken apart; `None` = it is none.
    pub redcap: Option<RedcapOptions>,
}
