//! The texts of all days of a log, made once: a log of millions of rows writes the same thousand days over and over.

use crate::domain::Day;

/// The days from a first to a last one as `2026-03-02`.
#[derive(Debug, Clone)]
pub(super) struct Calendar {
    first: Day,
    texts: Vec<[u8; 10]>,
}

impl Calendar {
    /// The days from `first` to `last`.
    pub(super) fn new(first: Day, last: Day) -> Calendar {
        let days = 0..=last.since(first).max(0);
        Calendar { first, texts: days.map(|after| iso(first.plus(after))).collect() }
    }

    /// ISO text of a day; of the nearest day in the calendar when it lies outside.
    pub(super) fn iso(&self, day: Day) -> &[u8; 10] {
        let at = usize::try_from(day.since(self.first)).unwrap_or(0).min(self.texts.len() - 1);
        &self.texts[at]
    }

    /// `02.03.2026`.
    pub(super) fn dotted(&self, day: Day) -> [u8; 10] {
        let [y0, y1, y2, y3, _, m0, m1, _, d0, d1] = *self.iso(day);
        [d0, d1, b'.', m0, m1, b'.', y0, y1, y2, y3]
    }

    /// Last two digits of the year, and the quarter (1–4).
    pub(super) fn quarter(&self, day: Day) -> ([u8; 2], u8) {
        let text = self.iso(day);
        let month = (text[5] - b'0') * 10 + (text[6] - b'0');
        ([text[2], text[3]], (month - 1) / 3 + 1)
    }
}

fn iso(day: Day) -> [u8; 10] {
    let mut text = *b"0000-00-00";
    for (to, from) in text.iter_mut().zip(day.to_string().bytes()) {
        *to = from;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_as_they_should() {
        let calendar = Calendar::new(Day(19_723), Day(20_634));
        let day = Day::from_ymd(2025, 6, 30).expect("a day");
        assert_eq!(calendar.iso(day), b"2025-06-30");
        assert_eq!(&calendar.dotted(day), b"30.06.2025");
        assert_eq!(calendar.quarter(day), (*b"25", 2));
        assert_eq!(calendar.quarter(day.plus(1)), (*b"25", 3));
        assert_eq!(calendar.iso(Day(19_000)), b"2024-01-01");
    }
}
