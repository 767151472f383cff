//! `[read]`: how files are written.

use super::ReadSettings;
use super::document::{Located, Node};
use crate::ingest::{FORMATS, TextEncoding};
use crate::validate::dates::DateOrder;
use crate::validate::number::Decimal;

pub(super) fn settings(node: Node<'_>) -> Result<ReadSettings, Located> {
    let mut read = ReadSettings::default();
    for entry in node.known_entries("read")? {
        match entry.key {
            "delimiter" => read.delimiter = Some(delimiter(entry)?),
            "encoding" => {
                let known = format!("one of {}", TextEncoding::NAMES.join(", "));
                let encoding = TextEncoding::from_name(&entry.text(&known)?);
                read.encoding = Some(encoding.ok_or_else(|| entry.wrong(&known))?);
            }
            "decimal" => {
                read.decimal = Some(match entry.text("\".\" or \",\"")?.as_str() {
                    "." => Decimal::Point,
                    "," => Decimal::Comma,
                    _ => return Err(entry.wrong("\".\" or \",\"")),
                });
            }
            "header_row" => {
                let row: u64 = entry.number("a line number, from 1")?;
                read.header_row = Some((row > 0).then_some(row).ok_or_else(|| entry.wrong("a line number, from 1"))?);
            }
            "null" => read.null = Some(entry.texts("a list of texts")?),
            "date_order" => {
                let known = format!("one of {}", DateOrder::NAMES.join(", "));
                let order = DateOrder::from_name(&entry.text(&known)?);
                read.date_order = Some(order.ok_or_else(|| entry.wrong(&known))?);
            }
            "format" => {
                let ids = || FORMATS.iter().map(|format| format.id);
                let known = format!("one of {}", ids().collect::<Vec<_>>().join(", "));
                let named = entry.text(&known)?;
                read.format = Some(ids().find(|id| *id == named).ok_or_else(|| entry.wrong(&known))?);
            }
            "sheet" => read.sheet = Some(entry.text("the name of a sheet")?),
            "query" => read.query = Some(entry.text("an SQL query")?),
            _ => {}
        }
    }
    Ok(read)
}

fn delimiter(entry: Node<'_>) -> Result<u8, Located> {
    let expected = "one character that is neither letter, digit, quotation mark nor line end, or \"tab\"";
    match entry.text(expected)?.as_str() {
        "tab" | "\\t" | "\t" => Ok(b'\t'),
        text => match text.as_bytes() {
            [byte] if byte.is_ascii_punctuation() && *byte != b'"' => Ok(*byte),
            _ => Err(entry.wrong(expected)),
        },
    }
}

impl ReadSettings {
    /// Takes the habits of a clinic from another file's settings. Separator and header line belong to one file.
    pub(super) fn inherit(&mut self, from: &ReadSettings) {
        self.encoding = self.encoding.or(from.encoding);
        self.decimal = self.decimal.or(from.decimal);
        self.date_order = self.date_order.or(from.date_order);
        self.null = self.null.take().or_else(|| from.null.clone());
    }
}
