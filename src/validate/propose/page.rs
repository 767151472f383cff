//! The text of a proposed mapping: lines of TOML with their reasons behind them.

use std::fmt::Write;

/// A TOML file that is being written.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) text: String,
}

impl Page {
    /// `[table]`, after a blank line.
    pub(super) fn table(&mut self, name: &str) {
        self.add(&format!("\n[{name}]"), "");
    }

    /// A line that counts, and why.
    pub(super) fn line(&mut self, code: &str, why: &str) {
        self.add(code, why);
    }

    /// A line that only a person makes count.
    pub(super) fn proposal(&mut self, code: &str, why: &str) {
        self.add(&format!("# {code}"), why);
    }

    /// A remark.
    pub(super) fn remark(&mut self, text: &str) {
        self.add(&format!("# {}", one_line(text)), "");
    }

    fn add(&mut self, code: &str, why: &str) {
        // Writing into a text cannot fail.
        let _ = if why.is_empty() {
            writeln!(self.text, "{code}")
        } else {
            writeln!(self.text, "{code}  # {}", one_line(why))
        };
    }
}

/// A text as a TOML string.
pub(super) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\t' => quoted.push_str("\\t"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A comment must not run into the next line.
pub(super) fn one_line(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { ' ' } else { letter }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_survives_as_a_toml_string() {
        for text in ["Größe", "a \"b\" \\ c", "two\nlines\tand\r\u{7}\u{7f}", "", "#", "=[]"] {
            let table: toml::Table = toml::from_str(&format!("x = {}", quoted(text))).unwrap();
            assert_eq!(table["x"].as_str(), Some(text));
        }
    }

    #[test]
    fn a_comment_stays_on_its_line() {
        let mut page = Page::default();
        page.line("x = 1", "a\nb = 2");
        assert_eq!(page.text, "x = 1  # a b = 2\n");
    }
}
