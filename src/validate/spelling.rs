//! What counts as the same word, and which known word is nearest.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, DefaultHasher, Hasher};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// The form in which values are compared: lower case, without accents, `_` `-` and space alike, no space around.
///
/// `Größe` and `GROSSE`, `acne_scars` and ` Acne-Scars ` are each the same; both code points of µ read as u.
pub(super) fn fold(text: &str) -> String {
    let mut folded = String::with_capacity(text.len());
    let mut gap = false;
    for letter in text.nfd().filter(|letter| !is_combining_mark(*letter)).flat_map(char::to_lowercase) {
        let plain = match letter {
            'ß' => "ss",
            'æ' => "ae",
            'œ' => "oe",
            'ø' => "o",
            'µ' | 'μ' => "u",
            '_' | '-' | '–' | '—' | '‐' | '‑' | '−' => " ",
            '\u{200b}' | '\u{feff}' => "",
            _ => {
                push(&mut folded, letter, &mut gap);
                continue;
            }
        };
        plain.chars().for_each(|letter| push(&mut folded, letter, &mut gap));
    }
    folded
}

fn push(folded: &mut String, letter: char, gap: &mut bool) {
    if letter.is_whitespace() {
        *gap = !folded.is_empty();
        return;
    }
    if std::mem::take(gap) {
        folded.push(' ');
    }
    folded.push(letter);
}

/// The form in which headers are compared: as [`fold`], and any punctuation is space (`Needle depth (mm)`).
pub(super) fn fold_header(text: &str) -> String {
    let spaced: String = fold(text).chars().map(|letter| if letter.is_alphanumeric() { letter } else { ' ' }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The candidate most like `text`, when one is like it.
pub(super) fn nearest<'a>(text: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    const ALIKE: f64 = 0.75;
    let text = fold(text);
    // Jaro–Winkler likes a common beginning; swapped letters in a short word are a matter of edits.
    let like = |known: &str| {
        let edits = 1.0 - strsim::normalized_damerau_levenshtein(&text, known);
        strsim::jaro_winkler(&text, known).max(1.0 - edits / 2.0)
    };
    let scored = candidates.map(|candidate| (like(&fold(candidate)), candidate));
    scored.filter(|(score, _)| *score > ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, candidate)| candidate)
}

/// Hashes with fixed keys: the same on every run.
pub(super) type FixedHasher = BuildHasherDefault<DefaultHasher>;

/// FNV-1a: the quickest for the short words that are looked up in every field. The words are the mapping's own, so
/// nobody can choose them to collide.
#[derive(Debug, Clone, Copy)]
struct WordHasher(u64);

impl Default for WordHasher {
    fn default() -> WordHasher {
        WordHasher(0xCBF2_9CE4_8422_2325)
    }
}

impl Hasher for WordHasher {
    fn write(&mut self, bytes: &[u8]) {
        self.0 = bytes.iter().fold(self.0, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3));
    }

    fn finish(&self) -> u64 {
        self.0
    }
}

/// How many words can be found at the first glance.
const GLANCES: usize = 64;

/// Known words and what they stand for. A word is looked up as it stands first: folding is for the others.
#[derive(Debug, Clone)]
pub(super) struct Words<T> {
    known: HashMap<String, T, BuildHasherDefault<WordHasher>>,
    /// Some of the known words by their length and ends: nearly every field is one of a few words.
    glances: Vec<Option<(String, T)>>,
}

impl<T> Default for Words<T> {
    fn default() -> Words<T> {
        let glances = std::iter::repeat_with(|| None).take(GLANCES);
        Words { known: HashMap::default(), glances: glances.collect() }
    }
}

impl<T: Clone> Words<T> {
    pub(super) fn new() -> Words<T> {
        Words::default()
    }

    /// Adds a word; one that is known already takes the new meaning.
    pub(super) fn insert(&mut self, word: &str, meaning: T) {
        let folded = fold(word);
        if !folded.is_empty() {
            self.insert_exactly(&folded, meaning.clone());
        }
        self.insert_exactly(word.trim(), meaning);
    }

    fn insert_exactly(&mut self, word: &str, meaning: T) {
        let glance = &mut self.glances[glance(word)];
        if glance.as_ref().is_none_or(|(known, _)| known == word) {
            *glance = Some((word.to_owned(), meaning.clone()));
        }
        self.known.insert(word.to_owned(), meaning);
    }

    /// What a word stands for; `word` has no space around it.
    #[inline]
    pub(super) fn get(&self, word: &str) -> Option<&T> {
        match &self.glances[glance(word)] {
            Some((known, meaning)) if known == word => Some(meaning),
            _ => self.find(word),
        }
    }

    fn find(&self, word: &str) -> Option<&T> {
        self.known.get(word).or_else(|| self.known.get(&fold(word)))
    }
}

fn glance(word: &str) -> usize {
    let bytes = word.as_bytes();
    let end = |byte: Option<&u8>| usize::from(byte.copied().unwrap_or(0));
    (bytes.len() * 7 + end(bytes.first()) * 5 + end(bytes.last())) % GLANCES
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn case_accents_and_gaps_do_not_matter() {
        assert_eq!(fold("  Größe_der--Fläche "), "grosse der flache");
        assert_eq!(fold("Crème BRÛLÉE"), "creme brulee");
        assert_eq!(fold("µm"), fold("μm"));
        assert_eq!(fold_header("Needle depth (mm)"), fold_header("needle_depth_mm"));
        assert_ne!(fold_header("Needle depth (µm)"), fold_header("needle_depth_mm"));
    }

    #[test]
    fn the_nearest_word_must_be_like_it() {
        assert_eq!(nearest("rollr", ["pen", "roller"].into_iter()), Some("roller"));
        assert_eq!(nearest("xyz", ["pen", "roller"].into_iter()), None);
    }

    #[test]
    fn a_word_that_folds_to_nothing_is_only_itself() {
        let mut words = Words::new();
        words.insert("-", 1);
        assert_eq!(words.get("-"), Some(&1));
        assert_eq!(words.get(""), None);
    }

    #[test]
    fn the_latest_meaning_of_a_word_holds_in_every_spelling() {
        let mut words = Words::new();
        for (number, word) in
            ["pen", "Roller", "Acné", "pan", "Pen", "roller", "run", "rim", "ROLLER"].iter().enumerate()
        {
            words.insert(word, number);
        }
        let meanings =
            ["pen", "Pen", "PEN", "roller", "Roller", "ROLLER", "rOLLER", "acne", "Acné", "pan", "rim", "run"];
        let expected = [4, 4, 4, 8, 1, 8, 8, 2, 2, 3, 7, 6];
        assert_eq!(meanings.map(|word| words.get(word).copied()), expected.map(Some));
    }
}
