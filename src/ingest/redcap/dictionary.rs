//! The data dictionary of a REDCap project: its instruments, fields, labels and choices.

use super::super::error::IngestError;
use std::path::Path;

/// A data dictionary.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dictionary {
    fields: Vec<Field>,
}

/// A field of a dictionary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// Its name, as in an export of raw data.
    pub name: String,
    /// The instrument (form) that it stands on.
    pub instrument: String,
    /// Its label for people, without markup.
    pub label: String,
    /// Whether it is a set of check boxes.
    pub is_checkbox: bool,
    /// `(code, label)` of each choice.
    pub choices: Vec<(String, String)>,
}

impl Dictionary {
    /// Reads the text of a dictionary, as a project or the interface for programs exports it.
    ///
    /// # Errors
    /// When it lacks one of the columns that say what a field is, or is no CSV.
    pub fn parse(path: &Path, text: &str) -> Result<Dictionary, IngestError> {
        let wrong = |problem: String| IngestError::Dictionary { path: path.to_owned(), problem };
        let text = text.trim_start_matches('\u{feff}');
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| wrong(error.to_string()))?.clone();
        let find = |names: [&str; 2]| -> Result<usize, IngestError> {
            let like = |column: &str| names.iter().any(|name| column.trim().eq_ignore_ascii_case(name));
            header.iter().position(like).ok_or_else(|| wrong(format!("the column «{}» is missing", names[0])))
        };
        let name = find(["Variable / Field Name", "field_name"])?;
        let instrument = find(["Form Name", "form_name"])?;
        let kind = find(["Field Type", "field_type"])?;
        let label = find(["Field Label", "field_label"])?;
        let choices = find(["Choices, Calculations, OR Slider Labels", "select_choices_or_calculations"])?;
        let mut fields = Vec::new();
        for row in reader.records() {
            let row = row.map_err(|error| wrong(error.to_string()))?;
            let text = |at: usize| row.get(at).unwrap_or_default().trim();
            if text(name).is_empty() {
                continue;
            }
            fields.push(Field {
                name: text(name).to_owned(),
                instrument: text(instrument).to_owned(),
                label: plain(text(label)),
                is_checkbox: text(kind) == "checkbox",
                choices: choices_of(text(kind), text(choices)),
            });
        }
        if fields.is_empty() { Err(wrong("it holds no field".to_owned())) } else { Ok(Dictionary { fields }) }
    }

    /// The fields, in the order of the project.
    #[must_use]
    pub fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// The field of a name.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|field| field.name == name)
    }

    /// The only field of a label.
    pub(super) fn labelled(&self, label: &str) -> Option<&Field> {
        let mut fields = self.fields.iter().filter(|field| field.label == label);
        fields.next().filter(|_| fields.next().is_none())
    }
}

impl Field {
    /// The label of a code; a check box writes codes with other letters in its header.
    pub(super) fn choice(&self, code: &str) -> Option<&str> {
        let wanted = box_code(code);
        let same = |(known, _): &&(String, String)| known == code || box_code(known) == wanted;
        self.choices.iter().find(same).map(|(_, label)| label.as_str())
    }
}

/// A code as it stands behind `___`: small letters, and `_` for whatever is neither letter nor digit.
fn box_code(code: &str) -> String {
    code.chars().map(|letter| if letter.is_alphanumeric() { letter.to_ascii_lowercase() } else { '_' }).collect()
}

fn choices_of(kind: &str, text: &str) -> Vec<(String, String)> {
    let pair = |code: &str, label: &str| (code.to_owned(), label.to_owned());
    match kind {
        "yesno" => vec![pair("1", "Yes"), pair("0", "No")],
        "truefalse" => vec![pair("1", "True"), pair("0", "False")],
        "radio" | "dropdown" | "checkbox" => {
            let choices = text.split('|').filter_map(|choice| choice.split_once(','));
            choices.map(|(code, label)| (code.trim().to_owned(), plain(label.trim()))).collect()
        }
        _ => Vec::new(),
    }
}

/// A label without markup, on one line.
fn plain(label: &str) -> String {
    let mut text = String::new();
    let mut rest = label;
    while let Some((before, behind)) = rest.split_once('<') {
        text.push_str(before);
        match behind.split_once('>') {
            Some((tag, after)) if tag.starts_with(|letter: char| letter.is_ascii_alphabetic() || letter == '/') => {
                text.push(' ');
                rest = after;
            }
            _ => {
                text.push('<');
                rest = behind;
            }
        }
    }
    text.push_str(rest);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices_are_read_as_the_project_writes_them() {
        let text = "\"Variable / Field Name\",\"Form Name\",\"Section Header\",\"Field Type\",\"Field Label\",\"Choices, Calculations, OR Slider Labels\"\n\
                    record_id,base,,text,Record ID,\n\
                    skin,base,,radio,\"<b>Skin</b> type, <3\",\"1, I, very light | 2,II|-1, not asked\"\n\
                    ok,base,,yesno,OK?,\nbmi,base,,calc,BMI,\"[a]/[b] | 1, 2\"\n";
        let dictionary = Dictionary::parse(Path::new("d.csv"), text).unwrap();
        let skin = dictionary.field("skin").unwrap();
        assert_eq!(
            (skin.label.as_str(), skin.choice("1"), skin.choice("2")),
            ("Skin type, <3", Some("I, very light"), Some("II"))
        );
        assert_eq!((skin.choice("_1"), skin.choice("9")), (Some("not asked"), None));
        assert_eq!(dictionary.field("ok").unwrap().choice("0"), Some("No"));
        assert!(dictionary.field("bmi").unwrap().choices.is_empty());
        assert_eq!(skin.instrument, "base");
    }

    #[test]
    fn what_is_no_dictionary_is_told() {
        let error = Dictionary::parse(Path::new("d.csv"), "a,b\n1,2\n").unwrap_err();
        assert!(error.to_string().contains("«Variable / Field Name» is missing"), "{error}");
    }
}
