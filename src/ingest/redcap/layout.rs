//! Which column of an export is what: fields and their instruments, check boxes, and REDCap's own columns.

use super::RedcapOptions;
use super::dictionary::{Dictionary, Field};
use crate::ingest::RawRecord;
use std::borrow::Cow;

/// Stands between the name of a set of check boxes and the code of one of them.
const BOX: &str = "___";
/// Ends the name of the column that says whether an instrument is filled in.
const STATUS: &str = "_complete";
/// REDCap's own columns: in an export of raw data, and in one of labels.
const OWN: [(&str, &str); 5] = [
    ("redcap_event_name", "Event Name"),
    ("redcap_repeat_instrument", "Repeat Instrument"),
    ("redcap_repeat_instance", "Repeat Instance"),
    ("redcap_data_access_group", "Data Access Group"),
    ("redcap_survey_identifier", "Survey Identifier"),
];

/// A column of what is handed on: a field of the export, or a set of its check boxes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Column {
    pub(super) name: String,
    /// The instrument that it stands on; `None` = REDCap's own, or the record's name.
    pub(super) instrument: Option<String>,
    pub(super) is_status: bool,
    content: Content,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Content {
    /// A field, with the label of each code.
    Field(usize, Vec<(String, String)>),
    /// Check boxes: field, and the word for it.
    Boxes(Vec<(usize, String)>),
}

/// The header of an export, understood.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Layout {
    pub(super) columns: Vec<Column>,
    event: Option<usize>,
    repeat: Option<usize>,
    instance: Option<usize>,
    /// The record's name is in this field.
    record: usize,
    /// Check boxes of which the dictionary has no choice.
    pub(super) unknown_boxes: Vec<String>,
    /// Every field that says something about the kind of export: check boxes and statuses.
    telling: Vec<usize>,
}

/// The form in which names of instruments are compared: their names are made of their labels in this way.
pub(super) fn fold(name: &str) -> String {
    let letters = name.trim().chars().map(|letter| if letter.is_alphanumeric() { letter } else { '_' });
    let folded: String = letters.flat_map(char::to_lowercase).collect();
    folded.split('_').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("_")
}

impl Layout {
    pub(super) fn new(header: &[String], options: &RedcapOptions) -> Layout {
        let dictionary = options.dictionary.as_deref();
        let names = names(header, dictionary);
        let find = |name: &str| names.iter().position(|known| known == name);
        let record = options.record_id.as_deref().and_then(find).unwrap_or(0);
        let mut layout = Layout {
            columns: Vec::new(),
            event: find(OWN[0].0),
            repeat: find(OWN[1].0),
            instance: find(OWN[2].0),
            record,
            unknown_boxes: Vec::new(),
            telling: Vec::new(),
        };
        let instruments = instruments(&names, dictionary, record);
        for (at, name) in names.iter().enumerate() {
            layout.add(at, name, instruments[at].clone(), dictionary);
        }
        layout
    }

    fn add(&mut self, at: usize, name: &str, instrument: Option<String>, dictionary: Option<&Dictionary>) {
        let field = |name: &str| dictionary.and_then(|dictionary| dictionary.field(name));
        let boxed =
            name.split_once(BOX).filter(|(of, _)| field(name).is_none() && field(of).is_none_or(|f| f.is_checkbox));
        let Some((of, code)) = boxed else {
            let is_status =
                status_of(name).is_some_and(|of| instrument.as_deref() == Some(&of)) && field(name).is_none();
            if is_status {
                self.telling.push(at);
            }
            let choices = field(name).map(|field| field.choices.clone()).unwrap_or_default();
            let content = Content::Field(at, choices);
            self.columns.push(Column { name: name.to_owned(), instrument, is_status, content });
            return;
        };
        self.telling.push(at);
        let word = field(of).and_then(|field| field.choice(code)).unwrap_or_else(|| {
            if dictionary.is_some() {
                self.unknown_boxes.push(name.to_owned());
            }
            code
        });
        // A semicolon would part one word into two.
        let word = word.replace([';', '|'], ",");
        match self.columns.iter_mut().find(|column| column.name == of) {
            Some(Column { content: Content::Boxes(boxes), .. }) => boxes.push((at, word)),
            _ => {
                let content = Content::Boxes(vec![(at, word)]);
                self.columns.push(Column { name: of.to_owned(), instrument, is_status: false, content });
            }
        }
    }

    /// The instruments of which there are fields.
    pub(super) fn instruments(&self) -> Vec<String> {
        let mut known: Vec<String> = self.columns.iter().filter_map(|column| column.instrument.clone()).collect();
        known.sort();
        known.dedup();
        known
    }

    pub(super) fn record<'r>(&self, row: &RawRecord<'r>) -> &'r str {
        row.field(self.record).trim()
    }

    pub(super) fn event<'r>(&self, row: &RawRecord<'r>) -> &'r str {
        self.event.map_or("", |at| row.field(at).trim())
    }

    /// The repeating instrument that the row belongs to; empty = it is the record's (or the event's) own row.
    pub(super) fn repeat<'r>(&self, row: &RawRecord<'r>) -> &'r str {
        self.repeat.map_or("", |at| row.field(at).trim())
    }

    pub(super) fn instance<'r>(&self, row: &RawRecord<'r>) -> &'r str {
        self.instance.map_or("", |at| row.field(at).trim())
    }

    /// Whether the row says that labels were exported rather than codes.
    pub(super) fn tells_labels(&self, row: &RawRecord<'_>) -> bool {
        let words = ["checked", "unchecked", "incomplete", "unverified", "complete"];
        self.telling.iter().any(|at| words.iter().any(|word| row.field(*at).trim().eq_ignore_ascii_case(word)))
    }

    /// Column of the export's field, for a fault of one field.
    pub(super) fn column_of(&self, field: usize) -> Option<&Column> {
        self.columns.iter().find(|column| match &column.content {
            Content::Field(at, _) => *at == field,
            Content::Boxes(boxes) => boxes.iter().any(|(at, _)| *at == field),
        })
    }
}

impl Column {
    /// Whether it may be carried from the record's own row to others.
    pub(super) fn is_carried(&self, tables: &[String]) -> bool {
        !self.is_status && self.instrument.as_ref().is_some_and(|instrument| !tables.contains(instrument))
    }

    /// What stands there: codes as they are, check boxes as a list of words. No box ticked = nothing.
    pub(super) fn raw<'r>(&self, row: &RawRecord<'r>) -> Cow<'r, str> {
        let boxes = match &self.content {
            Content::Field(at, _) => return Cow::Borrowed(row.field(*at)),
            Content::Boxes(boxes) => boxes,
        };
        let mut ticked = String::new();
        for (at, word) in boxes {
            let text = row.field(*at).trim();
            let shown = match text.to_ascii_lowercase().as_str() {
                "" | "0" | "unchecked" => continue,
                "1" | "checked" => word.as_str(),
                // Another text: the choice's own label, or something that the rules must see.
                _ => text,
            };
            if !ticked.is_empty() {
                ticked.push(';');
            }
            ticked.push_str(shown);
        }
        Cow::Owned(ticked)
    }

    /// The label of a code.
    pub(super) fn translated<'t>(&'t self, raw: &'t str) -> &'t str {
        match &self.content {
            Content::Field(_, choices) => {
                let code = raw.trim();
                choices.iter().find(|(known, _)| known == code).map_or(raw, |(_, label)| label)
            }
            Content::Boxes(_) => raw,
        }
    }
}

/// The instrument that a status column is of.
fn status_of(name: &str) -> Option<String> {
    name.strip_suffix(STATUS).filter(|of| !of.is_empty()).map(fold)
}

/// Each header as the name that an export of raw data gives it.
fn names(header: &[String], dictionary: Option<&Dictionary>) -> Vec<String> {
    let mut instrument = None;
    let mut name = |header: &String| {
        if let Some((name, _)) = OWN.iter().find(|(_, label)| label == header) {
            return (*name).to_owned();
        }
        let Some(dictionary) = dictionary else { return header.clone() };
        // The status of an instrument stands behind its fields.
        if let (Some(of), "Complete?") = (instrument, header.as_str()) {
            return format!("{of}{STATUS}");
        }
        let boxed = box_name(header, dictionary);
        let of_box = boxed.as_deref().unwrap_or(header).split(BOX).next().and_then(|name| dictionary.field(name));
        let field = dictionary.field(header).or(of_box).or_else(|| dictionary.labelled(header));
        instrument = field.map(|field| field.instrument.as_str()).or(instrument);
        match field {
            Some(_) if boxed.is_some() => boxed.unwrap_or_default(),
            Some(field) if of_box.is_none() => field.name.clone(),
            _ => header.clone(),
        }
    };
    header.iter().map(&mut name).collect()
}

/// `Conditions (choice=Eczema)` → `conditions___2`.
fn box_name(header: &str, dictionary: &Dictionary) -> Option<String> {
    let (label, choice) = header.strip_suffix(')')?.rsplit_once(" (choice=")?;
    let field: &Field = dictionary.labelled(label)?;
    let code = field.choices.iter().find(|(_, label)| label == choice).map(|(code, _)| code.as_str())?;
    Some(format!("{}{BOX}{code}", field.name))
}

/// The instrument of each column: the dictionary's, else that of the next status column, as exports are ordered.
fn instruments(names: &[String], dictionary: Option<&Dictionary>, record: usize) -> Vec<Option<String>> {
    let own = |at: usize| at == record || OWN.iter().any(|(name, _)| *name == names[at]);
    let field = |name: &str| dictionary.and_then(|dictionary| dictionary.field(name));
    let mut found: Vec<Option<String>> = vec![None; names.len()];
    let mut next = None;
    for at in (0..names.len()).rev().filter(|at| !own(*at)) {
        let name = &names[at];
        let of = field(name).or_else(|| field(name.split(BOX).next().unwrap_or_default()));
        if of.is_none() {
            next = status_of(name).or(next);
        }
        found[at] = of.map(|field| fold(&field.instrument)).or_else(|| next.clone());
    }
    found
}
