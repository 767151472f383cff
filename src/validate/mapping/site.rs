//! `[side_effects]` and `[scales]`: what a site adds to the vocabulary.

use super::document::{Located, Node};
use super::error::MappingProblem;
use crate::domain::{Catalogue, Direction, Group, Scale, SideEffect};
use crate::validate::spelling::{fold, nearest};

/// Most side effects of a run, the built-in ones included: states are kept as one bit each.
const MOST_SIDE_EFFECTS: usize = 128;

/// A side effect of the site's own, or other settings for a built-in one.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct SiteEffect {
    code: String,
    label: Option<String>,
    short: Option<String>,
    synonyms: Vec<String>,
    window_days: Option<u32>,
    grades: Option<u8>,
    group: Option<Group>,
}

impl SiteEffect {
    /// The side effect as the catalogue is to hold it: what is left out stays as it was.
    pub(super) fn settled(&self, catalogue: &Catalogue) -> SideEffect {
        let known = catalogue.find(&self.code).map(|id| catalogue.get(id).clone());
        let mut effect = known.unwrap_or_else(|| SideEffect {
            code: self.code.clone(),
            label: self.code.replace('_', " "),
            short: None,
            synonyms: Vec::new(),
            window_days: 0,
            grades: 5,
            group: Group::Site,
            scope: crate::domain::catalogue::Scope::Any,
        });
        if let Some(label) = &self.label {
            effect.label.clone_from(label);
            effect.short = None;
        }
        effect.short = self.short.clone().or(effect.short);
        // The same mapping comes with every ingest.
        let synonyms = self.synonyms.iter().map(|word| word.to_lowercase());
        let new: Vec<String> = synonyms.filter(|word| !effect.synonyms.contains(word)).collect();
        effect.synonyms.extend(new);
        effect.window_days = self.window_days.unwrap_or(effect.window_days);
        effect.grades = self.grades.unwrap_or(effect.grades);
        effect.group = self.group.unwrap_or(effect.group);
        effect
    }
}

/// New side effects, and terms that stand for known ones.
type SideEffects = (Vec<SiteEffect>, Vec<(String, String)>);

pub(super) fn side_effects(node: Node<'_>) -> Result<SideEffects, Located> {
    let entries = node.entries()?;
    let mut catalogue = Catalogue::built_in();
    let mut effects = Vec::new();
    for entry in entries.iter().filter(|entry| entry.is_table()) {
        let effect = effect(*entry, catalogue.find(entry.key).is_some())?;
        catalogue.add(effect.settled(&catalogue));
        effects.push(effect);
    }
    if catalogue.len() > MOST_SIDE_EFFECTS {
        let problem = MappingProblem::TooManySideEffects { count: catalogue.len(), most: MOST_SIDE_EFFECTS };
        return Err(node.fault(problem));
    }
    let mut terms = Vec::new();
    for entry in entries.iter().filter(|entry| !entry.is_table()) {
        let code = entry.text("a code, or a table with label and window_days")?;
        if code != "none" && catalogue.find(&code).is_none() {
            let codes = catalogue.ids().map(|id| catalogue.get(id).code.as_str());
            let nearest = nearest(&code, codes).map(str::to_owned);
            let column = "side_effects".to_owned();
            return Err(entry.fault(MappingProblem::UnknownCode { value: code, column, nearest }));
        }
        terms.push((entry.key.to_owned(), code));
    }
    Ok((effects, terms))
}

fn effect(node: Node<'_>, known: bool) -> Result<SiteEffect, Located> {
    let usual = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit() || letter == '_';
    if node.key.is_empty() || !node.key.chars().all(usual) || ["none", "uncoded"].contains(&node.key) {
        return Err(node.wrong("a code of small letters, digits and _, other than none and uncoded"));
    }
    let mut effect = SiteEffect { code: node.key.to_owned(), ..SiteEffect::default() };
    for entry in node.known_entries("side_effects.<code>")? {
        match entry.key {
            "label" => effect.label = Some(entry.text("a text")?),
            "short" => effect.short = Some(entry.text("a text")?),
            "synonyms" => effect.synonyms = entry.texts("a list of texts")?,
            "window_days" => effect.window_days = Some(entry.number("a whole number of days")?),
            "grades" => {
                let grades: u8 = entry.number("1…5")?;
                effect.grades = Some((1..=5).contains(&grades).then_some(grades).ok_or_else(|| entry.wrong("1…5"))?);
            }
            _ => effect.group = Some(group(entry)?),
        }
    }
    if !known && (effect.label.is_none() || effect.window_days.is_none()) {
        return Err(node.wrong("a table with label and window_days: the code is new"));
    }
    Ok(effect)
}

fn group(entry: Node<'_>) -> Result<Group, Located> {
    let expected = "expected, pigment, complication or site";
    match fold(&entry.text(expected)?).as_str() {
        "expected" => Ok(Group::Expected),
        "pigment" => Ok(Group::Pigment),
        "complication" => Ok(Group::Complication),
        "site" => Ok(Group::Site),
        _ => Err(entry.wrong(expected)),
    }
}

pub(super) fn scales(node: Node<'_>) -> Result<Vec<Scale>, Located> {
    let mut scales = Vec::new();
    for scale in node.entries()? {
        let (mut lowest, mut highest, mut direction) = (None, None, None);
        for entry in scale.known_entries("scales.<id>")? {
            match entry.key {
                "lowest" => lowest = Some(entry.number::<f64>("a number")?),
                "highest" => highest = Some(entry.number::<f64>("a number")?),
                _ => {
                    direction = Some(match entry.text("higher_better or lower_better")?.as_str() {
                        "higher_better" => Direction::HigherBetter,
                        "lower_better" => Direction::LowerBetter,
                        _ => return Err(entry.wrong("higher_better or lower_better")),
                    });
                }
            }
        }
        match (lowest, highest, direction) {
            (Some(lowest), Some(highest), Some(direction)) if lowest < highest => {
                scales.push(Scale { id: scale.key.to_owned(), lowest, highest, direction });
            }
            _ => return Err(scale.wrong("a table with lowest, a higher highest, and direction")),
        }
    }
    Ok(scales)
}
