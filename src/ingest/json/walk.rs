//! Walks one JSON value in memory, checking its grammar. Numbers keep the digits that stand in the text, and a key
//! that stands twice is seen twice: a parser into numbers and maps would lose both. serde_json judges it in the tests.

use std::borrow::Cow;

/// Deepest nesting that is followed.
const DEEPEST: usize = 64;

/// A mistake in the grammar, in words that quote nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mistake {
    /// The text ends within the value.
    Cut,
    /// Something else stands there than may.
    Wrong(&'static str),
}

impl Mistake {
    pub(super) fn words(self) -> &'static str {
        match self {
            Mistake::Cut => "it ends too early",
            Mistake::Wrong(what) => what,
        }
    }
}

/// A whole number without the `.0` that programs write behind it once its column has had gaps: an id stays the same id,
/// as it does from a Parquet file or a workbook.
fn whole(number: Cow<'_, str>) -> Cow<'_, str> {
    match number {
        Cow::Borrowed(text) => Cow::Borrowed(text.strip_suffix(".0").unwrap_or(text)),
        Cow::Owned(text) => Cow::Owned(text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)),
    }
}

/// What a member holds, as a field.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Leaf<'t> {
    /// `null`, `NaN`, or an empty list.
    Missing,
    /// A text, `true`, `false`, or a list of scalars, joined by `;`.
    Text(Cow<'t, str>),
    /// A number, with the digits that stand there.
    Number(Cow<'t, str>),
    /// A list that holds lists or objects, as it is written.
    Nested(&'t str),
}

/// Takes the members of an object: the path of keys, joined by `.`, and what stands there.
pub(super) type Sink<'s, 't> = dyn FnMut(&str, Leaf<'t>) + 's;

/// Takes a key or a path of keys, and passes the value behind it.
type Each<'s, 't> = dyn FnMut(&mut Walker<'t>, &str) -> Result<(), Mistake> + 's;

/// A place in a text.
pub(super) struct Walker<'t> {
    text: &'t str,
    at: usize,
    depth: usize,
}

impl<'t> Walker<'t> {
    pub(super) fn new(text: &'t str) -> Walker<'t> {
        Walker { text, at: 0, depth: 0 }
    }

    /// The members of the object that the text is, and nothing behind it.
    pub(super) fn object(mut self, sink: &mut Sink<'_, 't>) -> Result<(), Mistake> {
        self.members(&mut String::new(), &mut |walker, path| {
            let leaf = walker.leaf()?;
            sink(path, leaf);
            Ok(())
        })?;
        self.end()
    }

    /// The paths of the members of the object that the text is, and nothing behind it.
    pub(super) fn paths(mut self, take: &mut dyn FnMut(&str)) -> Result<(), Mistake> {
        self.members(&mut String::new(), &mut |walker, path| {
            walker.pass()?;
            take(path);
            Ok(())
        })?;
        self.end()
    }

    /// The items of the list that the text is, and nothing behind it.
    pub(super) fn list(mut self, take: &mut dyn FnMut(Leaf<'t>)) -> Result<(), Mistake> {
        self.items(&mut |walker| {
            let start = walker.at;
            let leaf = if walker.peek() == Some(b'{') {
                walker.pass()?;
                Leaf::Nested(&walker.text[start..walker.at])
            } else {
                walker.leaf()?
            };
            take(leaf);
            Ok(())
        })?;
        self.end()
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while matches!(bytes.get(self.at), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
        bytes.get(self.at).copied()
    }

    fn expect(&mut self, byte: u8, otherwise: &'static str) -> Result<(), Mistake> {
        match self.peek() {
            Some(found) if found == byte => {
                self.at += 1;
                Ok(())
            }
            Some(_) => Err(Mistake::Wrong(otherwise)),
            None => Err(Mistake::Cut),
        }
    }

    fn end(&mut self) -> Result<(), Mistake> {
        if self.peek().is_some() { Err(Mistake::Wrong("something stands behind its end")) } else { Ok(()) }
    }

    fn deeper(&mut self) -> Result<(), Mistake> {
        self.depth += 1;
        if self.depth > DEEPEST { Err(Mistake::Wrong("it is nested deeper than 64 levels")) } else { Ok(()) }
    }

    /// The members of an object and of the objects in it; `each` passes the value.
    fn members(&mut self, path: &mut String, each: &mut Each<'_, 't>) -> Result<(), Mistake> {
        self.keys(&mut |walker, key| {
            let (inner, object) = (walker.depth > 1, walker.peek() == Some(b'{'));
            if !inner && !object {
                return each(walker, key);
            }
            let length = path.len();
            if inner {
                path.push('.');
            }
            path.push_str(key);
            let passed = if object { walker.members(path, each) } else { each(walker, path) };
            path.truncate(length);
            passed
        })
    }

    /// The keys of an object; `each` passes the value.
    fn keys(&mut self, each: &mut Each<'_, 't>) -> Result<(), Mistake> {
        self.expect(b'{', "an object is expected")?;
        self.deeper()?;
        if self.peek() == Some(b'}') {
            self.at += 1;
        } else {
            loop {
                if self.peek().is_some_and(|byte| byte != b'"') {
                    return Err(Mistake::Wrong("a key in quotation marks is expected"));
                }
                let key = self.string()?;
                self.expect(b':', "a colon is expected behind a key")?;
                each(self, &key)?;
                if !self.goes_on(b'}', "a comma or } is expected behind a value")? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// The items of a list; `each` passes them.
    fn items(&mut self, each: &mut dyn FnMut(&mut Walker<'t>) -> Result<(), Mistake>) -> Result<(), Mistake> {
        self.expect(b'[', "a list is expected")?;
        self.deeper()?;
        if self.peek() == Some(b']') {
            self.at += 1;
        } else {
            loop {
                self.peek();
                each(self)?;
                if !self.goes_on(b']', "a comma or ] is expected behind a value")? {
                    break;
                }
            }
        }
        self.depth -= 1;
        Ok(())
    }

    /// Whether a comma follows rather than the closing bracket.
    fn goes_on(&mut self, closing: u8, otherwise: &'static str) -> Result<bool, Mistake> {
        let byte = self.peek().ok_or(Mistake::Cut)?;
        if byte != b',' && byte != closing {
            return Err(Mistake::Wrong(otherwise));
        }
        self.at += 1;
        Ok(byte == b',')
    }

    /// A value that is no object.
    fn leaf(&mut self) -> Result<Leaf<'t>, Mistake> {
        match self.peek() {
            Some(b'[') => self.joined(),
            Some(b'n') => self.word("null").map(|_| Leaf::Missing),
            // Python and JavaScript write a missing number so, though JSON has no such word.
            Some(b'N') => self.word("NaN").map(|_| Leaf::Missing),
            Some(b'-' | b'0'..=b'9') => self.scalar().map(|number| Leaf::Number(whole(number))),
            _ => self.scalar().map(Leaf::Text),
        }
    }

    /// A list of scalars, joined; what it leaves out is `null`.
    fn joined(&mut self) -> Result<Leaf<'t>, Mistake> {
        let start = self.at;
        let (mut joined, mut nested): (Option<Cow<'t, str>>, bool) = (None, false);
        self.items(&mut |walker| {
            match walker.peek() {
                Some(b'[' | b'{') => {
                    nested = true;
                    walker.pass()?;
                }
                Some(b'n') => walker.word("null").map(|_| ())?,
                Some(b'N') => walker.word("NaN").map(|_| ())?,
                _ => {
                    let item = walker.scalar()?;
                    joined = Some(match joined.take() {
                        None => item,
                        Some(before) => Cow::Owned(before.into_owned() + ";" + &item),
                    });
                }
            }
            Ok(())
        })?;
        Ok(match joined {
            _ if nested => Leaf::Nested(&self.text[start..self.at]),
            Some(text) => Leaf::Text(text),
            None => Leaf::Missing,
        })
    }

    /// Passes a value of any kind.
    fn pass(&mut self) -> Result<(), Mistake> {
        match self.peek() {
            Some(b'{') => self.keys(&mut |walker, _| walker.pass()),
            Some(b'[') => self.items(&mut |walker| walker.pass()),
            Some(b'n') => self.word("null").map(|_| ()),
            Some(b'N') => self.word("NaN").map(|_| ()),
            _ => self.scalar().map(|_| ()),
        }
    }

    fn scalar(&mut self) -> Result<Cow<'t, str>, Mistake> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b't') => self.word("true").map(Cow::Borrowed),
            Some(b'f') => self.word("false").map(Cow::Borrowed),
            Some(b'-' | b'0'..=b'9') => self.number().map(plain),
            Some(_) => Err(Mistake::Wrong("a value is expected")),
            None => Err(Mistake::Cut),
        }
    }

    fn word(&mut self, word: &'static str) -> Result<&'static str, Mistake> {
        let rest = &self.text.as_bytes()[self.at..];
        if rest.starts_with(word.as_bytes()) {
            self.at += word.len();
            return Ok(word);
        }
        let cut = word.as_bytes().starts_with(rest);
        Err(if cut { Mistake::Cut } else { Mistake::Wrong("a value is expected") })
    }

    fn number(&mut self) -> Result<&'t str, Mistake> {
        let start = self.at;
        self.at += usize::from(self.here() == Some(b'-'));
        if self.here() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.here() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if matches!(self.here(), Some(b'e' | b'E')) {
            self.at += 1;
            self.at += usize::from(matches!(self.here(), Some(b'+' | b'-')));
            self.digits()?;
        }
        Ok(&self.text[start..self.at])
    }

    fn here(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn digits(&mut self) -> Result<(), Mistake> {
        let start = self.at;
        while self.here().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        match self.here() {
            _ if self.at > start => Ok(()),
            Some(_) => Err(Mistake::Wrong("a number lacks digits")),
            None => Err(Mistake::Cut),
        }
    }

    /// A text; it is borrowed where nothing in it is escaped.
    fn string(&mut self) -> Result<Cow<'t, str>, Mistake> {
        self.expect(b'"', "a text is expected")?;
        let piece = self.plain_text()?;
        if self.text.as_bytes()[self.at - 1] == b'"' {
            return Ok(Cow::Borrowed(piece));
        }
        let mut text = piece.to_owned();
        loop {
            text.push(self.escaped()?);
            text.push_str(self.plain_text()?);
            if self.text.as_bytes()[self.at - 1] == b'"' {
                return Ok(Cow::Owned(text));
            }
        }
    }

    /// The text up to the next quotation mark or backslash, which is passed.
    fn plain_text(&mut self) -> Result<&'t str, Mistake> {
        let start = self.at;
        let rest = &self.text.as_bytes()[start..];
        let length = rest.iter().position(|byte| ENDS_TEXT[usize::from(*byte)]).ok_or(Mistake::Cut)?;
        if rest[length] < b' ' {
            return Err(Mistake::Wrong("a text holds a line end or a control character, or is not closed"));
        }
        self.at += length + 1;
        Ok(&self.text[start..start + length])
    }

    fn escaped(&mut self) -> Result<char, Mistake> {
        let byte = self.here().ok_or(Mistake::Cut)?;
        self.at += 1;
        Ok(match byte {
            b'"' | b'\\' | b'/' => char::from(byte),
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => return self.unicode(),
            _ => return Err(Mistake::Wrong("a backslash stands before something that it cannot escape")),
        })
    }

    fn unicode(&mut self) -> Result<char, Mistake> {
        let lone = Mistake::Wrong("half of a surrogate pair stands alone");
        let first = self.four_digits()?;
        let code = if (0xD800..0xDC00).contains(&first) {
            if self.at + 2 > self.text.len() {
                return Err(Mistake::Cut);
            }
            if !self.text.as_bytes()[self.at..].starts_with(b"\\u") {
                return Err(lone);
            }
            self.at += 2;
            let second = self.four_digits()?;
            if !(0xDC00..0xE000).contains(&second) {
                return Err(lone);
            }
            0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00)
        } else {
            first
        };
        char::from_u32(code).ok_or(lone)
    }

    fn four_digits(&mut self) -> Result<u32, Mistake> {
        let digits = self.text.as_bytes().get(self.at..self.at + 4).ok_or(Mistake::Cut)?;
        let hexadecimal = |sum: u32, byte: &u8| char::from(*byte).to_digit(16).map(|digit| sum * 16 + digit);
        let code = digits.iter().try_fold(0, hexadecimal);
        self.at += 4;
        code.ok_or(Mistake::Wrong("\\u lacks its four digits"))
    }
}

/// Bytes at which a text ends, or cannot go on as it stands.
const ENDS_TEXT: [bool; 256] = {
    let mut ends = [false; 256];
    let mut byte = 0;
    while byte < 0x20 {
        ends[byte] = true;
        byte += 1;
    }
    ends[b'"' as usize] = true;
    ends[b'\\' as usize] = true;
    ends
};

/// Largest power of ten that is written out.
const LARGEST_POWER: i64 = 400;

/// A number without its exponent, with the same digits: `1.5e3` is `1500`.
fn plain(number: &str) -> Cow<'_, str> {
    let Some((mantissa, power)) = number.split_once(['e', 'E']) else { return Cow::Borrowed(number) };
    let power = power.parse::<i64>().unwrap_or(i64::MAX);
    if power.abs() > LARGEST_POWER {
        return Cow::Borrowed(number);
    }
    let (sign, digits) = mantissa.strip_prefix('-').map_or(("", mantissa), |digits| ("-", digits));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let point = i64::try_from(whole.len()).unwrap_or(0) + power;
    let written = match usize::try_from(point) {
        Ok(point) if point >= all.len() => format!("{all}{}", "0".repeat(point - all.len())),
        Ok(point) if point > 0 => format!("{}.{}", &all[..point], &all[point..]),
        _ => format!("0.{}{all}", "0".repeat(usize::try_from(-point).unwrap_or(0))),
    };
    let whole_digits = written.find('.').unwrap_or(written.len());
    let zeros = written.bytes().take(whole_digits.saturating_sub(1)).take_while(|byte| *byte == b'0').count();
    Cow::Owned(format!("{sign}{}", &written[zeros..]))
}

#[cfg(test)]
mod tests;
