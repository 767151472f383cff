//! Measures text with the embedded font, so that nothing overlaps or is cut: Liberation Sans, whose widths are those
//! of Arial and Helvetica, the fonts most screens will use in its place.

use ab_glyph::{Font, FontRef};
use std::sync::LazyLock;

/// How heavy the letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Plain text.
    Regular,
    /// Headings.
    Bold,
}

/// Font families in the order in which a viewer should try them; all have the same widths but the last.
pub const STACK: &str = "'Liberation Sans', Arial, Helvetica, sans-serif";

/// Width of a letter that the font lacks, in units of the font size: as wide as the widest scripts are.
const UNKNOWN_EM: f64 = 1.1;

static REGULAR: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| face(include_bytes!("fonts/LiberationSans-Regular.ttf")));
static BOLD: LazyLock<Option<FontRef<'static>>> =
    LazyLock::new(|| face(include_bytes!("fonts/LiberationSans-Bold.ttf")));

/// Without a face every letter counts as unknown, that is, as wide: a test holds that the files read.
fn face(bytes: &'static [u8]) -> Option<FontRef<'static>> {
    FontRef::try_from_slice(bytes).ok()
}

/// How wide a text is, in units of the font size, and whether the font knows all its letters.
fn ems(text: &str, weight: Weight) -> (f64, bool) {
    let face = match weight {
        Weight::Regular => REGULAR.as_ref(),
        Weight::Bold => BOLD.as_ref(),
    };
    let Some(face) = face else { return (UNKNOWN_EM * many(text), false) };
    let per_em = f64::from(face.units_per_em().unwrap_or(2048.0));
    let (mut units, mut known, mut before) = (0.0, true, None);
    for letter in text.chars() {
        let glyph = face.glyph_id(letter);
        if glyph.0 == 0 {
            units += UNKNOWN_EM * per_em;
            known = false;
            before = None;
            continue;
        }
        units += f64::from(face.h_advance_unscaled(glyph));
        units += before.map_or(0.0, |before| f64::from(face.kern_unscaled(before, glyph)));
        before = Some(glyph);
    }
    (units / per_em, known)
}

fn many(text: &str) -> f64 {
    f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX))
}

/// Width of a text at a font size, in the units of the size.
#[must_use]
pub fn width(text: &str, size: f64, weight: Weight) -> f64 {
    ems(text, weight).0 * size
}

/// Whether the embedded font has every letter of the text, so that its width is exact.
#[must_use]
pub fn knows(text: &str, weight: Weight) -> bool {
    ems(text, weight).1
}

/// The text, or as much of its beginning and its end as fits, with `…` between them: names that begin alike often
/// differ at their end.
#[must_use]
pub(super) fn fit(text: &str, size: f64, weight: Weight, room: f64) -> String {
    if width(text, size, weight) <= room {
        return text.to_owned();
    }
    let letters: Vec<char> = text.chars().collect();
    let cut = |keep: usize| {
        let tail = keep * 2 / 5;
        let part = |letters: &[char]| letters.iter().collect::<String>();
        format!("{}…{}", part(&letters[..keep - tail]).trim_end(), part(&letters[letters.len() - tail..]).trim_start())
    };
    let keep = (1..letters.len()).rev().find(|keep| width(&cut(*keep), size, weight) <= room).unwrap_or(0);
    cut(keep)
}

/// Whether a text was cut.
#[must_use]
pub(super) fn is_cut(text: &str) -> bool {
    text.contains('…')
}

/// The text in at most `most` lines, broken at spaces and behind `_`, `-` and `/`, within a word only where it is
/// wider than a line; the last line is cut with `…` where it must be.
#[must_use]
pub(super) fn wrap(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    wrapped(text, (size, Weight::Regular), room, most)
}

/// The same for bold text.
#[must_use]
pub(super) fn wrap_bold(text: &str, size: f64, room: f64, most: usize) -> Vec<String> {
    wrapped(text, (size, Weight::Bold), room, most)
}

fn wrapped(text: &str, (size, weight): (f64, Weight), room: f64, most: usize) -> Vec<String> {
    let fits = |text: &str| width(text.trim_end(), size, weight) <= room;
    let mut lines: Vec<String> = Vec::new();
    let mut line = String::new();
    for piece in pieces(text, &fits) {
        let longer = format!("{line}{piece}");
        if line.is_empty() || fits(&longer) || lines.len() + 1 == most {
            line = longer;
        } else {
            lines.push(line);
            line = piece;
        }
    }
    lines.push(line);
    lines.iter().map(|line| fit(line.trim_end(), size, weight, room)).collect()
}

/// Words, and the parts of words that are wider than a line.
fn pieces(text: &str, fits: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut pieces = Vec::new();
    for word in text.split_inclusive([' ', '_', '-', '/']) {
        let mut piece = String::new();
        for letter in word.chars() {
            piece.push(letter);
            if !fits(&piece) && piece.chars().count() > 1 {
                piece.pop();
                pieces.push(std::mem::replace(&mut piece, letter.to_string()));
            }
        }
        pieces.push(piece);
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_embedded_faces_read_and_are_arial_wide() {
        // Arial's advance widths, from its metrics file: digit 1139, W 1933, i 455 of 2048 units.
        assert!((width("0", 2048.0, Weight::Regular) - 1139.0).abs() < 1e-6);
        assert!((width("W", 2048.0, Weight::Regular) - 1933.0).abs() < 1e-6);
        assert!((width("i", 2048.0, Weight::Regular) - 455.0).abs() < 1e-6);
        assert!((width("0", 2048.0, Weight::Bold) - 1139.0).abs() < 1e-6);
        assert!(knows("Größe µm ≥ – − ∞ Ελληνικά Кириллица", Weight::Regular));
    }

    #[test]
    fn unknown_letters_count_as_wide() {
        assert!(!knows("皮膚科", Weight::Regular));
        assert!(width("皮膚科", 10.0, Weight::Regular) >= 30.0);
    }

    #[test]
    fn fitted_and_wrapped_text_is_within_its_room() {
        let name = "Harbour Dermatology and Laser Centre of the Northern Islands, Building 4";
        assert!(width(&fit(name, 12.0, Weight::Regular, 90.0), 12.0, Weight::Regular) <= 90.0);
        let lines = wrap(name, 12.0, 150.0, 2);
        assert_eq!(lines.len(), 2);
        assert!(lines.iter().all(|line| width(line, 12.0, Weight::Regular) <= 150.0), "{lines:?}");
        assert!(is_cut(&lines[1]) && lines[1].ends_with("ng 4"), "{lines:?}");
        assert_eq!(wrap("abcdefghij", 10.0, 30.0, 5).concat(), "abcdefghij");
        assert_eq!(wrap("Erythema", 12.0, 150.0, 2), ["Erythema"]);
        assert_eq!(fit("abc", 12.0, Weight::Regular, 0.0), "…");
    }
}
