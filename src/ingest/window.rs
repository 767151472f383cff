//! A bounded window over the bytes of a file.

use std::io::{ErrorKind, Read};

const CHUNK_BYTES: usize = 256 << 10;

/// The bytes read and not yet consumed.
pub(super) struct Window {
    source: Box<dyn Read + Send>,
    buffer: Vec<u8>,
    start: usize,
    end: usize,
    /// Bytes read so far.
    pub(super) bytes_read: u64,
    /// Whether the end of the file was reached.
    pub(super) at_end: bool,
}

/// The next physical line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Line {
    /// Its length with the line end.
    Whole(usize),
    /// The rest of the file, without a line end.
    Last(usize),
    /// It is longer than the cap.
    TooLong,
    /// There is none.
    None,
}

impl Window {
    pub(super) fn new(source: Box<dyn Read + Send>) -> Window {
        Window { source, buffer: Vec::new(), start: 0, end: 0, bytes_read: 0, at_end: false }
    }

    /// What has been read and not consumed.
    pub(super) fn bytes(&self) -> &[u8] {
        &self.buffer[self.start..self.end]
    }

    /// Forgets the first `count` bytes.
    pub(super) fn consume(&mut self, count: usize) {
        self.start = (self.start + count).min(self.end);
    }

    /// Reads a chunk more; `false` at the end of the file.
    pub(super) fn fill(&mut self) -> std::io::Result<bool> {
        if self.at_end {
            return Ok(false);
        }
        if self.buffer.len() < self.end + CHUNK_BYTES {
            self.buffer.copy_within(self.start..self.end, 0);
            self.end -= self.start;
            self.start = 0;
            self.buffer.resize(self.buffer.len().max(self.end + CHUNK_BYTES), 0);
        }
        let got = loop {
            match self.source.read(&mut self.buffer[self.end..]) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                other => break other?,
            }
        };
        self.end += got;
        self.bytes_read += got as u64;
        self.at_end = got == 0;
        Ok(got > 0)
    }

    /// Reads until `count` bytes are there or the file ends.
    pub(super) fn fill_to(&mut self, count: usize) -> std::io::Result<()> {
        while self.bytes().len() < count && self.fill()? {}
        Ok(())
    }

    /// Finds the end of the next physical line, reading as far as `cap`.
    pub(super) fn line(&mut self, terminator: u8, cap: usize) -> std::io::Result<Line> {
        let mut scanned = 0;
        loop {
            let bytes = self.bytes();
            if let Some(at) = memchr::memchr(terminator, &bytes[scanned..]) {
                let length = scanned + at + 1;
                return Ok(if length > cap { Line::TooLong } else { Line::Whole(length) });
            }
            scanned = bytes.len();
            if scanned > cap {
                return Ok(Line::TooLong);
            }
            if !self.fill()? {
                return Ok(if scanned == 0 { Line::None } else { Line::Last(scanned) });
            }
        }
    }

    /// Forgets everything up to and with the next line end, without keeping it; whether there was a line end.
    pub(super) fn skip_line(&mut self, terminator: u8) -> std::io::Result<bool> {
        loop {
            if let Some(at) = memchr::memchr(terminator, self.bytes()) {
                self.consume(at + 1);
                return Ok(true);
            }
            self.consume(self.bytes().len());
            if !self.fill()? {
                return Ok(false);
            }
        }
    }
}
