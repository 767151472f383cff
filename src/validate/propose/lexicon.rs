//! The word tables of `words.toml`: what clinics write for our columns and codes, in five languages.

use crate::domain::codes::YesNo;
use crate::domain::{Column, Kind, Table};
use crate::validate::cells::DEFAULT_NULLS;
use crate::validate::spelling::{FixedHasher, Words, fold_header};
use serde::Deserialize;
use std::collections::{BTreeMap, HashMap, HashSet};

type Lists = BTreeMap<String, Vec<String>>;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    identifying: Vec<String>,
    null: Vec<String>,
    ongoing: Vec<String>,
    headers: Lists,
    values: BTreeMap<String, Lists>,
    side_effects: Lists,
}

/// The words, ready to be looked up.
pub(super) struct Lexicon {
    /// Canonical columns by the key of a header.
    headers: HashMap<String, Vec<String>, FixedHasher>,
    /// Keys of headers by the column that they name.
    keys: BTreeMap<String, Vec<String>>,
    identifying: HashSet<String, FixedHasher>,
    nulls: HashSet<String, FixedHasher>,
    ongoing: Words<String>,
    values: BTreeMap<String, Words<String>>,
    side_effects: Words<String>,
}

/// Words that carry no meaning in a header.
const FILLERS: &[&str] = &[
    "a", "al", "am", "an", "d", "das", "de", "degli", "del", "dell", "della", "delle", "der", "des", "di", "die", "du",
    "el", "en", "in", "l", "la", "las", "le", "les", "los", "of", "the", "und", "and",
];
/// Ways to write «number», of which `no` stands for all.
const NUMBER_WORDS: &[&str] = &["nr", "n", "num", "number", "nummer", "numero", "nº", "no"];

/// The form in which headers are looked up: as [`fold_header`], without fillers and in the order of the alphabet, so
/// that «date of treatment» and «Treatment date» are the same.
pub(super) fn key(header: &str) -> String {
    let folded = fold_header(header);
    let mut tokens: Vec<&str> = folded.split(' ').filter(|token| !FILLERS.contains(token)).collect();
    tokens.iter_mut().filter(|token| NUMBER_WORDS.contains(*token)).for_each(|token| *token = "no");
    tokens.sort_unstable();
    tokens.dedup();
    tokens.join(" ")
}

impl Lexicon {
    /// The compiled-in words. Their text is checked by a test; were it broken, nothing would be proposed.
    pub(super) fn built_in() -> Lexicon {
        let file: Option<File> = toml::from_str(include_str!("words.toml")).ok();
        let mut lexicon = Lexicon {
            headers: HashMap::default(),
            keys: BTreeMap::new(),
            identifying: HashSet::default(),
            nulls: DEFAULT_NULLS.iter().map(|null| null.to_lowercase()).collect(),
            ongoing: Words::new(),
            values: BTreeMap::new(),
            side_effects: Words::new(),
        };
        if let Some(file) = file {
            lexicon.fill(file);
        }
        for column in [Table::Sessions, Table::Events, Table::Assessments].iter().flat_map(|table| table.columns()) {
            lexicon.add_header(column.name, column.name);
        }
        lexicon
    }

    fn fill(&mut self, file: File) {
        for (column, headers) in file.headers {
            headers.iter().for_each(|header| self.add_header(header, &column));
        }
        self.identifying.extend(file.identifying.iter().map(|header| key(header)));
        self.nulls.extend(file.null.iter().map(|null| null.to_lowercase()));
        file.ongoing.iter().for_each(|word| self.ongoing.insert(word, "ongoing".to_owned()));
        for (group, codes) in file.values {
            let words = self.values.entry(group).or_default();
            insert_all(words, codes);
        }
        insert_all(&mut self.side_effects, file.side_effects);
    }

    fn add_header(&mut self, header: &str, column: &str) {
        let key = key(header);
        let columns = self.headers.entry(key.clone()).or_default();
        if !columns.iter().any(|known| known == column) {
            columns.push(column.to_owned());
            self.keys.entry(column.to_owned()).or_default().push(key);
        }
    }

    /// Names of the columns that a header, by its key, may hold.
    pub(super) fn columns(&self, key: &str) -> &[String] {
        self.headers.get(key).map_or(&[], Vec::as_slice)
    }

    /// Keys of the headers that name a column.
    pub(super) fn keys(&self, column: &str) -> &[String] {
        self.keys.get(column).map_or(&[], Vec::as_slice)
    }

    /// Whether a column of this header identifies a person.
    pub(super) fn identifies(&self, header: &str) -> bool {
        self.identifying.contains(&key(header))
    }

    /// Whether a text says that nothing is known.
    pub(super) fn is_null(&self, text: &str) -> bool {
        text.is_empty() || self.nulls.contains(&text.to_lowercase())
    }

    /// The words for the values of a column, by code.
    pub(super) fn values(&self, column: &Column) -> Option<&Words<String>> {
        match column.kind {
            Kind::SideEffects | Kind::SideEffect => Some(&self.side_effects),
            Kind::Date if column.name == "resolved_date" => Some(&self.ongoing),
            _ => self.values.get(group(column)),
        }
    }
}

/// The word group of a column: all yes-or-no columns share one.
fn group(column: &Column) -> &'static str {
    match column.kind {
        Kind::Code(codes, _) if codes == YesNo::CODES => "yes_no",
        _ => column.name,
    }
}

fn insert_all(words: &mut Words<String>, codes: Lists) {
    for (code, spelled) in codes {
        for word in spelled {
            words.insert(&word, code.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Catalogue, SCALES};
    use crate::validate::spelling::fold;

    fn file() -> File {
        toml::from_str(include_str!("words.toml")).unwrap()
    }

    fn columns() -> Vec<&'static Column> {
        [Table::Sessions, Table::Events, Table::Assessments].iter().flat_map(|table| table.columns()).collect()
    }

    #[test]
    fn every_header_is_one_of_an_existing_column() {
        for column in file().headers.keys() {
            assert!(columns().iter().any(|known| known.name == column), "{column}");
        }
    }

    #[test]
    fn every_column_has_headers() {
        for column in columns() {
            assert!(file().headers.contains_key(column.name), "{}", column.name);
        }
    }

    #[test]
    fn every_code_exists() {
        for (group_name, codes) in file().values {
            let column = columns().into_iter().find(|column| group(column) == group_name).unwrap();
            for code in codes.keys() {
                let known = match column.kind {
                    Kind::Code(codes, _) => codes.contains(&code.as_str()),
                    Kind::CodeList(codes, _) => code == "none" || codes.contains(&code.as_str()),
                    Kind::Scale => SCALES.iter().any(|(id, ..)| id == code),
                    _ => false,
                };
                assert!(known, "{group_name}.{code}");
            }
        }
        let catalogue = Catalogue::built_in();
        for code in file().side_effects.keys() {
            assert!(code == "none" || catalogue.find(code).is_some(), "{code}");
        }
    }

    #[test]
    fn no_word_stands_for_two_codes() {
        let file = file();
        for (group, codes) in file.values.iter().chain([(&"side_effects".to_owned(), &file.side_effects)]) {
            let mut seen: BTreeMap<String, &str> = BTreeMap::new();
            for (code, words) in codes {
                for word in words {
                    let earlier = seen.insert(fold(word), code);
                    assert!(earlier.is_none_or(|earlier| earlier == code), "{group}: {word}: {earlier:?} and {code}");
                }
            }
        }
    }

    /// A word of the tables must not contradict what the validator reads without any mapping.
    #[test]
    fn no_word_contradicts_the_built_in_ones() {
        for column in columns() {
            let (Kind::Code(_, synonyms) | Kind::CodeList(_, synonyms)) = column.kind else { continue };
            let Some(codes) = file().values.remove(group(column)) else { continue };
            for (code, words) in codes {
                for word in words {
                    let built_in = synonyms.iter().find(|(known, _)| fold(known) == fold(&word));
                    assert!(built_in.is_none_or(|(_, meaning)| *meaning == code), "{}: {word}", column.name);
                }
            }
        }
    }

    #[test]
    fn the_order_of_words_in_a_header_does_not_matter() {
        assert_eq!(key("Date of treatment"), key("Treatment date"));
        assert_eq!(key("Patient Nr."), key("No. patient"));
        assert_ne!(key("Skin type"), key("Skin tone"));
    }
}
