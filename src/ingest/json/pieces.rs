//! The records of a JSON file one after the other, wherever they stand: a line each, or in one list.

use super::super::LARGEST_RECORD_BYTES;
use super::super::window::Line;
use super::stream::{Extent, Fail, Stream};

/// Where the records stand.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// One on each line; so many lines come before the first.
    Lines(u64),
    /// The file is one list.
    Root,
    /// The list under this key of the object that the file is.
    Member(String),
}

/// A record: its bytes stand at the front of the window until they are consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Piece {
    Text {
        line: u64,
        length: usize,
        /// Whether it is the last line, and has no line end.
        unended: bool,
    },
    /// It was longer than allowed, and is consumed.
    TooLong { line: u64 },
}

/// Goes through the records of a stream.
pub(super) struct Pieces {
    stream: Stream,
    place: Place,
    first: bool,
    done: bool,
    /// Lines that hold nothing.
    pub(super) blank_lines: u64,
}

impl Pieces {
    /// Goes to where the records begin.
    pub(super) fn enter(mut stream: Stream, place: Place) -> Result<Pieces, Fail> {
        let mut done = false;
        match &place {
            Place::Root => stream.expect(b'[', "a list is expected")?,
            Place::Member(name) => done = !enter_member(&mut stream, name)?,
            Place::Lines(before) => {
                for _ in 0..*before {
                    stream.peek()?;
                    stream.window.skip_line(b'\n')?;
                    stream.line += 1;
                }
            }
        }
        Ok(Pieces { stream, place, first: true, done, blank_lines: 0 })
    }

    /// The next record.
    pub(super) fn next(&mut self) -> Result<Option<Piece>, Fail> {
        match self.place {
            _ if self.done => Ok(None),
            Place::Lines(_) => self.next_line(),
            Place::Root | Place::Member(_) => self.next_item(),
        }
    }

    /// Whether the records are items of one list.
    pub(super) fn is_list(&self) -> bool {
        !matches!(self.place, Place::Lines(_))
    }

    /// The first bytes of what has not been consumed.
    pub(super) fn bytes(&self, length: usize) -> &[u8] {
        &self.stream.window.bytes()[..length]
    }

    pub(super) fn consume(&mut self, length: usize) {
        self.stream.consume(length);
    }

    fn next_line(&mut self) -> Result<Option<Piece>, Fail> {
        loop {
            let line = self.stream.line;
            let (length, unended) = match self.stream.window.line(b'\n', LARGEST_RECORD_BYTES)? {
                Line::None => return Ok(None),
                Line::TooLong => {
                    self.stream.window.skip_line(b'\n')?;
                    self.stream.line += 1;
                    return Ok(Some(Piece::TooLong { line }));
                }
                Line::Whole(length) => (length, false),
                Line::Last(length) => (length, true),
            };
            if !self.bytes(length).trim_ascii().is_empty() {
                return Ok(Some(Piece::Text { line, length, unended }));
            }
            self.blank_lines += 1;
            self.consume(length);
        }
    }

    fn next_item(&mut self) -> Result<Option<Piece>, Fail> {
        let first = std::mem::replace(&mut self.first, false);
        if !self.stream.item(first)? {
            self.done = true;
            self.leave()?;
            return Ok(None);
        }
        self.stream.peek()?;
        let line = self.stream.line;
        Ok(Some(match self.stream.value(LARGEST_RECORD_BYTES)? {
            Extent::Whole(length) => Piece::Text { line, length, unended: false },
            Extent::TooLong => Piece::TooLong { line },
        }))
    }

    /// Goes on behind the list, where only the end may follow.
    fn leave(&mut self) -> Result<(), Fail> {
        if matches!(self.place, Place::Member(_)) {
            while self.stream.key(false)?.is_some() {
                self.stream.value(0)?.consume(&mut self.stream);
            }
        }
        end(&mut self.stream)
    }
}

impl Extent {
    /// Passes the value by.
    pub(super) fn consume(self, stream: &mut Stream) {
        if let Extent::Whole(length) = self {
            stream.consume(length);
        }
    }
}

/// Nothing may follow.
pub(super) fn end(stream: &mut Stream) -> Result<(), Fail> {
    match stream.peek()? {
        None => Ok(()),
        Some(_) => Err(Fail::Json(stream.line, "something stands behind its end")),
    }
}

/// Goes into the list under a key; `false` where there is none.
fn enter_member(stream: &mut Stream, name: &str) -> Result<bool, Fail> {
    stream.expect(b'{', "an object is expected")?;
    let mut first = true;
    while let Some(key) = stream.key(first)? {
        first = false;
        if key == name && stream.peek()? == Some(b'[') {
            stream.consume(1);
            return Ok(true);
        }
        stream.value(0)?.consume(stream);
    }
    end(stream)?;
    Ok(false)
}
