//! FHIR R4 resources, one on each line (NDJSON, as bulk exports are): Procedure → session, AdverseEvent → event,
//! Observation → assessment.
//!
//! A documented subset: which element feeds which column stands in `resource`. What no element of the standard holds
//! comes from extensions whose url ends in the name of a canonical column. Whatever is not read is counted and told.

mod resource;

use super::batch::{Fault, RawBatch};
use super::delimited::Tally;
use super::error::IngestError;
use super::options::ReadOptions;
use super::sniff::{self, Look};
use super::window::{Line, Window};
use super::{LARGEST_RECORD_BYTES, LeftOut, Records, Source};
use crate::domain::{FileId, Table};
use resource::Resource;
use serde_json::Value;
use std::collections::BTreeMap;
use std::io::{self, Cursor, Read};
use std::path::PathBuf;

/// Bytes at the beginning of a file in which a resource names its type.
const TELLING_BYTES: u64 = 8 << 10;
const BOM: &[u8] = b"\xEF\xBB\xBF";
const TYPE: &str = "resourceType";

/// Whether the file begins as FHIR does, whatever its extension; the bytes stay whole.
pub(super) fn begins(source: &mut Source) -> io::Result<bool> {
    let mut head = Vec::new();
    let mut rest = std::mem::replace(&mut source.bytes, Box::new(io::empty()));
    rest.by_ref().take(TELLING_BYTES).read_to_end(&mut head)?;
    let text = head.strip_prefix(BOM).unwrap_or(&head).trim_ascii_start();
    let found = text.first().is_some_and(|first| b"{[".contains(first))
        && memchr::memmem::find(text, b"\"resourceType\"").is_some();
    source.bytes = Box::new(Cursor::new(head).chain(rest));
    Ok(found)
}

/// Whether the first type that a line names is Bundle: its resources stand inside it.
fn is_bundle(line: &[u8]) -> bool {
    let name = b"\"resourceType\"";
    let behind = memchr::memmem::find(line, name).map_or(&b""[..], |at| &line[at + name.len()..]);
    let value = behind.trim_ascii_start().strip_prefix(b":").unwrap_or_default();
    value.trim_ascii_start().starts_with(b"\"Bundle\"")
}

/// The resources of one type.
pub(super) struct Resources {
    path: PathBuf,
    file: FileId,
    window: Window,
    table: Table,
    header: Vec<String>,
    tally: Tally,
    /// Resources that are not given, by what they are.
    left_out: BTreeMap<String, u64>,
    /// Extensions that no column is named after.
    unread: BTreeMap<String, u64>,
}

impl Resources {
    /// Looks at the first line; the header is that of the wanted kind of file.
    ///
    /// # Errors
    /// When the bytes cannot be read, are no text, or hold resources otherwise than one on each line.
    pub(super) fn new(source: Source, options: &ReadOptions) -> Result<Resources, IngestError> {
        let mut resources = Resources {
            path: source.path,
            file: source.file,
            window: Window::new(source.bytes),
            table: options.table,
            header: resource::header(options.table),
            tally: Tally::default(),
            left_out: BTreeMap::new(),
            unread: BTreeMap::new(),
        };
        let path = resources.path.clone();
        resources.look().map_err(|source| IngestError::Io { path, source })?;
        resources.refuse()?;
        Ok(resources)
    }

    fn look(&mut self) -> io::Result<()> {
        self.window.fill_to(64 << 10)?;
        if self.window.bytes().starts_with(BOM) {
            self.window.consume(BOM.len());
        }
        Ok(())
    }

    fn refuse(&self) -> Result<(), IngestError> {
        let path = || self.path.clone();
        let head = self.window.bytes();
        let text = head.trim_ascii_start();
        match sniff::look(&text[..text.len().min(8 << 10)]) {
            Look::Utf16 => return Err(IngestError::Utf16 { path: path() }),
            Look::Other(looks_like) if looks_like != "JSON" => {
                return Err(IngestError::Binary { path: path(), looks_like });
            }
            _ if text.is_empty() => return Err(IngestError::Empty { path: path() }),
            _ => {}
        }
        let first = text.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii_end();
        if is_bundle(first) || first == b"{" || first.starts_with(b"[") {
            return Err(IngestError::NotOneALine { path: path() });
        }
        Ok(())
    }

    /// Adds the next resource that is wanted; `false` at the end of the file.
    fn append(&mut self, batch: &mut RawBatch) -> io::Result<bool> {
        loop {
            let (length, ended) = match self.window.line(b'\n', LARGEST_RECORD_BYTES)? {
                Line::None => return Ok(false),
                Line::TooLong => {
                    self.faulty(batch, Fault::TooLarge);
                    self.window.skip_line(b'\n')?;
                    return Ok(true);
                }
                Line::Whole(length) => (length, true),
                Line::Last(length) => (length, false),
            };
            let line = &self.window.bytes()[..length];
            if line.trim_ascii().is_empty() {
                self.tally.blank_lines += 1;
                self.window.consume(length);
                continue;
            }
            let parsed = serde_json::from_slice::<Value>(line);
            self.window.consume(length);
            match parsed {
                Ok(value @ Value::Object(_)) if self.is_given(&value) => {
                    self.begin(batch);
                    self.add(batch, &value);
                    return Ok(true);
                }
                Ok(Value::Object(_)) => {
                    self.tally.records += 1;
                    self.tally.record_lines += 1;
                }
                Ok(_) => {
                    self.faulty(batch, Fault::NotJson("an object is expected"));
                    return Ok(true);
                }
                Err(_) => {
                    let broken = Fault::NotJson("a whole object is expected on each line");
                    self.faulty(batch, if ended { broken } else { Fault::TruncatedLastLine });
                    return Ok(true);
                }
            }
        }
    }

    fn begin(&mut self, batch: &mut RawBatch) {
        batch.begin(self.tally.lines() + 1, self.tally.records + 1);
        self.tally.records += 1;
        self.tally.record_lines += 1;
    }

    fn faulty(&mut self, batch: &mut RawBatch, fault: Fault) {
        self.begin(batch);
        batch.set_fault(fault);
    }

    /// Whether a resource is of the wanted type and happened; else it is counted by what it is.
    fn is_given(&mut self, value: &Value) -> bool {
        let why = resource::why_left_out(value, self.table);
        let given = why.is_none();
        if let Some(why) = why {
            *self.left_out.entry(why).or_default() += 1;
        }
        given
    }

    fn add(&mut self, batch: &mut RawBatch, value: &Value) {
        let resource = Resource::new(value, self.table);
        for column in &self.header {
            batch.push_field(&resource.column(column));
        }
        for url in resource.unread {
            *self.unread.entry(url).or_default() += 1;
        }
    }
}

impl Records for Resources {
    fn header(&self) -> &[String] {
        &self.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let mut batch = RawBatch::new(self.file);
        while !batch.is_full() {
            let more = self.append(&mut batch);
            if !more.map_err(|source| IngestError::Io { path: self.path.clone(), source })? {
                break;
            }
        }
        Ok((!batch.is_empty()).then_some(batch))
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let resources = self.left_out.iter().map(|(what, records)| LeftOut { what: what.clone(), records: *records });
        let unread = self.unread.iter().map(|(url, count)| LeftOut {
            what: format!("the extension {url} names no column; not read in {count} resources"),
            records: 0,
        });
        resources.chain(unread).collect()
    }
}

#[cfg(test)]
mod tests;
