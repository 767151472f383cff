//! Steps through a JSON text of any size, one value in memory at a time.

use super::super::window::Window;
use std::io;

/// Why a text cannot be stepped through further.
#[derive(Debug)]
pub(super) enum Fail {
    Io(io::Error),
    /// What is wrong, and on which line.
    Json(u64, &'static str),
}

impl From<io::Error> for Fail {
    fn from(error: io::Error) -> Fail {
        Fail::Io(error)
    }
}

/// A value: its bytes stand at the front of the window, until they are consumed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Extent {
    Whole(usize),
    /// It was longer than allowed, and is consumed.
    TooLong,
}

/// The bytes of the text and the line that they have reached.
pub(super) struct Stream {
    pub(super) window: Window,
    /// Physical line of the first byte that is not consumed, from 1.
    pub(super) line: u64,
}

/// Where the walk over the bytes of a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum At {
    Outside,
    Text,
    Escape,
    /// Behind a text, where only a separator or a bracket may follow.
    Behind,
}

/// Finds the end of one value, fed with its bytes piece by piece.
struct Bounds {
    at: At,
    depth: usize,
    begun: bool,
}

impl Bounds {
    /// Whether the value ends: before this byte (`Some(false)`), with it (`Some(true)`), or later (`None`).
    fn step(&mut self, byte: u8) -> Result<Option<bool>, &'static str> {
        let scalar = self.begun && self.depth == 0;
        match (self.at, byte) {
            (At::Escape, _) => self.at = At::Text,
            (At::Text, b'\\') => self.at = At::Escape,
            (At::Text, b'"') if self.depth == 0 => return Ok(Some(true)),
            (At::Text, b'"') => self.at = At::Behind,
            (At::Text, b'\n') => return Err("a quotation mark is not closed on its line"),
            (At::Text, _) => {}
            (_, b',' | b':' | b'}' | b']') if !self.begun => return Err("a value is expected"),
            (_, b',' | b'}' | b']' | b' ' | b'\t' | b'\r' | b'\n') if scalar => return Ok(Some(false)),
            (_, b' ' | b'\t' | b'\r' | b'\n') => {}
            (_, b'}' | b']') => {
                self.at = At::Outside;
                self.depth = self.depth.saturating_sub(1);
                return Ok((self.depth == 0).then_some(true));
            }
            (At::Behind, b',' | b':') => self.at = At::Outside,
            (At::Behind, _) => return Err("a quotation mark stands inside a text"),
            (At::Outside, b'"') => self.at = At::Text,
            (At::Outside, b'{' | b'[') => self.depth += 1,
            (At::Outside, _) => {}
        }
        self.begun = true;
        Ok(None)
    }
}

impl Stream {
    pub(super) fn new(window: Window) -> Stream {
        Stream { window, line: 1 }
    }

    /// Forgets the first `count` bytes, counting their lines.
    pub(super) fn consume(&mut self, count: usize) {
        let bytes = self.window.bytes();
        self.line += memchr::memchr_iter(b'\n', &bytes[..count.min(bytes.len())]).count() as u64;
        self.window.consume(count);
    }

    /// The next byte that is no space; what stands before it is consumed.
    pub(super) fn peek(&mut self) -> Result<Option<u8>, Fail> {
        loop {
            let bytes = self.window.bytes();
            let spaces = bytes.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count();
            let found = bytes.get(spaces).copied();
            self.consume(spaces);
            if found.is_some() || !self.window.fill()? {
                return Ok(found);
            }
        }
    }

    /// Consumes a byte that must come next.
    pub(super) fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), Fail> {
        match self.peek()? {
            Some(found) if found == byte => {
                self.consume(1);
                Ok(())
            }
            Some(_) => Err(Fail::Json(self.line, otherwise)),
            None => Err(self.cut()),
        }
    }

    /// The next value, which must not be longer than `longest`.
    pub(super) fn value(&mut self, longest: usize) -> Result<Extent, Fail> {
        self.peek()?;
        let mut bounds = Bounds { at: At::Outside, depth: 0, begun: false };
        let (mut seen, mut dropped) = (0, false);
        loop {
            let bytes = self.window.bytes();
            let mut ends = None;
            while ends.is_none() && seen < bytes.len() {
                let step = bounds.step(bytes[seen]);
                let line = || self.line + memchr::memchr_iter(b'\n', &bytes[..seen]).count() as u64;
                ends = step.map_err(|what| Fail::Json(line(), what))?;
                seen += usize::from(ends != Some(false));
            }
            if ends.is_some() {
                return Ok(self.extent(seen, dropped || seen > longest));
            }
            if seen > longest {
                self.consume(seen);
                (seen, dropped) = (0, true);
            }
            if !self.window.fill()? {
                let scalar = bounds.begun && bounds.depth == 0 && bounds.at == At::Outside;
                return if scalar { Ok(self.extent(seen, dropped)) } else { Err(self.cut()) };
            }
        }
    }

    fn extent(&mut self, length: usize, too_long: bool) -> Extent {
        if too_long {
            self.consume(length);
            return Extent::TooLong;
        }
        Extent::Whole(length)
    }

    /// The next key of an object with its colon, as it is written in its quotation marks; `None` at the object's end.
    pub(super) fn key(&mut self, first: bool) -> Result<Option<String>, Fail> {
        if self.peek()? == Some(b'}') {
            self.consume(1);
            return Ok(None);
        }
        if !first {
            self.expect(b',', "a comma or } is expected")?;
        }
        if self.peek()?.is_some_and(|byte| byte != b'"') {
            return Err(Fail::Json(self.line, "a key in quotation marks is expected"));
        }
        let Extent::Whole(length) = self.value(LONGEST_KEY)? else {
            return Err(Fail::Json(self.line, "a key is longer than 64 KiB"));
        };
        let key = String::from_utf8_lossy(&self.window.bytes()[1..length - 1]).into_owned();
        self.consume(length);
        self.expect(b':', "a colon is expected behind a key")?;
        Ok(Some(key))
    }

    /// Goes to the next item of a list that was entered; `false` behind its end.
    pub(super) fn item(&mut self, first: bool) -> Result<bool, Fail> {
        match self.peek()? {
            Some(b']') => {
                self.consume(1);
                Ok(false)
            }
            Some(b',') if !first => {
                self.consume(1);
                match self.peek()? {
                    Some(b']') => Err(Fail::Json(self.line, "nothing stands behind the last comma")),
                    Some(_) => Ok(true),
                    None => Err(self.cut()),
                }
            }
            Some(_) if first => Ok(true),
            Some(_) => Err(Fail::Json(self.line, "a comma or ] is expected between records")),
            None => Err(self.cut()),
        }
    }

    /// The text ends where it should go on.
    pub(super) fn cut(&self) -> Fail {
        Fail::Json(self.line, "the file ends before what begins here is closed; it is cut off")
    }
}

const LONGEST_KEY: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    /// Gives one byte at a time, so that every boundary falls between two reads.
    struct Drops(Vec<u8>, usize);

    impl Read for Drops {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let Some(byte) = self.0.get(self.1) else { return Ok(0) };
            buffer[0] = *byte;
            self.1 += 1;
            Ok(1)
        }
    }

    fn items(text: &str, longest: usize) -> Result<Vec<String>, (u64, &'static str)> {
        let mut stream = Stream::new(Window::new(Box::new(Drops(text.as_bytes().to_vec(), 0))));
        let mut found = Vec::new();
        let mut walk = || -> Result<(), Fail> {
            stream.expect(b'[', "a list")?;
            let mut first = true;
            while stream.item(first)? {
                first = false;
                stream.peek()?;
                let line = stream.line;
                match stream.value(longest)? {
                    Extent::TooLong => found.push(format!("{line}:too long")),
                    Extent::Whole(length) => {
                        found.push(format!("{line}:{}", String::from_utf8_lossy(&stream.window.bytes()[..length])));
                        stream.consume(length);
                    }
                }
            }
            Ok(())
        };
        match walk() {
            Ok(()) => Ok(found),
            Err(Fail::Json(line, what)) => Err((line, what)),
            Err(Fail::Io(error)) => panic!("{error}"),
        }
    }

    #[test]
    fn items_are_found_whole_with_their_lines() {
        let text = "[\n {\"a\": \"}],\\\"\"},\n\n 12.5 , \"x\",[1,[2]],\nnull]";
        let expected = ["2:{\"a\": \"}],\\\"\"}", "4:12.5", "4:\"x\"", "4:[1,[2]]", "5:null"];
        assert_eq!(items(text, 1000).unwrap(), expected);
        assert_eq!(items("[]", 10).unwrap(), [""; 0]);
    }

    #[test]
    fn a_value_that_is_too_long_is_passed_by() {
        let text = format!("[{{\"a\":\"{}\"}},\n{{\"b\":1}}]", "x".repeat(5000));
        assert_eq!(items(&text, 100).unwrap(), ["1:too long", "2:{\"b\":1}"]);
    }

    #[test]
    fn a_list_that_is_cut_off_or_broken_is_never_taken_for_a_shorter_one() {
        let whole = "[{\"a\":\"x\"},\n{\"a\":[1,\"y\"]}]";
        for length in 0..whole.len() {
            assert!(items(&whole[..length], 100).unwrap_err().1.contains("cut off"), "{}", &whole[..length]);
        }
        for (text, line) in [
            ("[{\"a\":\"x\"y\"},{\"a\":1}]", 1),
            ("[{\"a\":1}\n{\"a\":2}]", 2),
            ("[{\"a\":1},\n]", 2),
            ("[{\"a\":\"x\n\"},{\"a\":1}]", 1),
            ("[,1]", 1),
        ] {
            assert_eq!(items(text, 100).unwrap_err().0, line, "{text}");
        }
    }
}
