//! Finds out where in a JSON file the records stand, and what they are.

use super::super::window::Line;
use super::super::{IngestError, LARGEST_RECORD_BYTES, ReadOptions};
use super::dataset::{Metadata, NEEDED};
use super::failed;
use super::pieces::{self, Place};
use super::stream::{Extent, Fail, Stream};
use super::walk::Walker;
use std::path::Path;

/// What a JSON file holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Shape {
    /// Where the records stand.
    pub(super) place: Place,
    /// Columns of Dataset-JSON, whose records are rows of values; `None` = the records are objects.
    pub(super) metadata: Option<Metadata>,
}

/// What the items of a list are, by the first of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Items {
    Objects,
    None,
    Other,
}

/// The shape of a file, whose bytes are used up by the search.
pub(super) fn shape(path: &Path, options: &ReadOptions, mut stream: Stream) -> Result<Shape, IngestError> {
    let fail = |fail| failed(path, fail);
    match stream.peek().map_err(fail)? {
        None => Err(IngestError::Empty { path: path.to_owned() }),
        Some(b'[') => Ok(Shape { place: Place::Root, metadata: None }),
        Some(b'{') => {
            let line = first_line(&mut stream).map_err(fail)?;
            if let Some(line) = line.filter(|line| line.is_of_many || is_lines_by_name(path)) {
                let metadata = Metadata::of(&line.text, path)?;
                return Ok(Shape { place: Place::Lines(u64::from(metadata.is_some())), metadata });
            }
            if is_lines_by_name(path) {
                return Ok(Shape { place: Place::Lines(0), metadata: None });
            }
            of_object(path, options, &mut stream)
        }
        Some(_) => Err(IngestError::OtherFormat { path: path.to_owned(), expected: "JSON, which begins with { or [" }),
    }
}

/// Whether the name promises one record a line.
fn is_lines_by_name(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy().to_lowercase()).unwrap_or_default();
    name.split('.').skip(1).any(|part| part == "ndjson" || part == "jsonl")
}

/// A first line that is a whole object, and whether something follows it.
struct FirstLine {
    text: String,
    is_of_many: bool,
}

fn first_line(stream: &mut Stream) -> Result<Option<FirstLine>, Fail> {
    let (Line::Whole(length) | Line::Last(length)) = stream.window.line(b'\n', LARGEST_RECORD_BYTES)? else {
        return Ok(None);
    };
    let text = String::from_utf8_lossy(&stream.window.bytes()[..length]).into_owned();
    if Walker::new(&text).paths(&mut |_| {}).is_err() {
        return Ok(None);
    }
    let mut seen = length;
    loop {
        let bytes = stream.window.bytes();
        let is_of_many = !bytes[seen..].trim_ascii().is_empty();
        seen = bytes.len();
        // Space without end is no reason to keep it all.
        if is_of_many || seen > 2 * LARGEST_RECORD_BYTES || !stream.window.fill()? {
            return Ok(Some(FirstLine { text, is_of_many }));
        }
    }
}

/// The shape of a file that is one object: Dataset-JSON, or a wrapper around one list of records.
fn of_object(path: &Path, options: &ReadOptions, stream: &mut Stream) -> Result<Shape, IngestError> {
    let (needed, lists) = members(stream).map_err(|fail| failed(path, fail))?;
    if let Some(metadata) = Metadata::of(&needed, path)? {
        return match lists.iter().filter(|(name, _)| name == "rows").count() {
            0 | 1 => Ok(Shape { place: Place::Member("rows".to_owned()), metadata: Some(metadata) }),
            _ => Err(IngestError::SeveralTables { path: path.to_owned(), names: vec!["rows".to_owned(); 2] }),
        };
    }
    let names: Vec<String> =
        lists.iter().filter(|(_, items)| *items == Items::Objects).map(|(name, _)| name.clone()).collect();
    let member = |name: &String| Ok(Shape { place: Place::Member(name.clone()), metadata: None });
    let wanted = options.sheet.as_ref();
    match names.as_slice() {
        [only] => member(only),
        [] => Err(IngestError::NoRecords { path: path.to_owned(), what: nothing_in(&lists) }),
        several => match several.iter().filter(|name| Some(*name) == wanted).collect::<Vec<_>>().as_slice() {
            [one] => member(one),
            [] if wanted.is_some() => {
                let wanted = wanted.cloned().unwrap_or_default();
                Err(IngestError::NoSuchTable { path: path.to_owned(), wanted, names })
            }
            _ => Err(IngestError::SeveralTables { path: path.to_owned(), names }),
        },
    }
}

fn nothing_in(lists: &[(String, Items)]) -> &'static str {
    if lists.iter().any(|(_, items)| *items == Items::None) {
        "the list of records is empty, so that its columns are not known"
    } else {
        "the file is one JSON object without a list of records"
    }
}

/// Text of the members that Dataset-JSON needs, as an object of their own, and every other list.
fn members(stream: &mut Stream) -> Result<(String, Vec<(String, Items)>), Fail> {
    let (mut needed, mut lists) = (Vec::new(), Vec::new());
    stream.expect(b'{', "an object is expected")?;
    let mut first = true;
    while let Some(key) = stream.key(first)? {
        first = false;
        if NEEDED.contains(&key.as_str()) {
            if let Extent::Whole(length) = stream.value(LARGEST_RECORD_BYTES)? {
                needed.push(format!("\"{key}\":{}", String::from_utf8_lossy(&stream.window.bytes()[..length])));
                stream.consume(length);
            }
        } else if stream.peek()? == Some(b'[') {
            lists.push((key, items(stream)?));
        } else {
            stream.value(0)?.consume(stream);
        }
    }
    pieces::end(stream)?;
    Ok((format!("{{{}}}", needed.join(",")), lists))
}

/// Passes a list by, and tells what it holds.
fn items(stream: &mut Stream) -> Result<Items, Fail> {
    stream.expect(b'[', "a list is expected")?;
    let mut items = Items::None;
    while stream.item(items == Items::None)? {
        if items == Items::None {
            items = if stream.peek()? == Some(b'{') { Items::Objects } else { Items::Other };
        }
        stream.value(0)?.consume(stream);
    }
    Ok(items)
}
