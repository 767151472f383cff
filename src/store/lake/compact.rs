//! The side effects of a session's own row as one text, and back, without loss.

use crate::domain::{Catalogue, Day, Grade, ReportedEffect, Resolution};

/// Begins an uncoded term; what a term's own letters could be mistaken for is escaped.
const UNCODED: &str = "uncoded=";

/// `code[:grade[:onset[/resolved]]];…`, or `none`, into `text`, which is empty.
pub(super) fn write(effects: &[ReportedEffect], catalogue: &Catalogue, text: &mut String) {
    if effects.is_empty() {
        text.push_str("none");
    }
    for (at, effect) in effects.iter().enumerate() {
        if at > 0 {
            text.push(';');
        }
        match &effect.verbatim {
            Some(term) if effect.effect == Catalogue::UNCODED => {
                text.push_str(UNCODED);
                escape(term, text);
            }
            _ => text.push_str(&catalogue.get(effect.effect).code),
        }
        let resolved = match effect.resolution {
            Resolution::NotStated => None,
            Resolution::Ongoing => Some(String::new()),
            Resolution::On(day) => Some(day.to_string()),
        };
        let dated = effect.onset.is_some() || resolved.is_some();
        if effect.grade.is_some() || dated {
            text.push(':');
            text.push_str(&effect.grade.map(|grade| grade.number().to_string()).unwrap_or_default());
        }
        if dated {
            text.push(':');
            text.push_str(&effect.onset.map(|day| day.to_string()).unwrap_or_default());
        }
        if let Some(resolved) = resolved {
            text.push('/');
            text.push_str(&resolved);
        }
    }
}

/// What [`write`] wrote. A code that the catalogue does not have is uncoded, with the code as its term.
pub(super) fn read(text: &str, catalogue: &Catalogue) -> Vec<ReportedEffect> {
    if text == "none" {
        return Vec::new();
    }
    text.split(';').map(|entry| one(entry, catalogue)).collect()
}

fn one(entry: &str, catalogue: &Catalogue) -> ReportedEffect {
    let mut parts = entry.splitn(3, ':');
    let term = parts.next().unwrap_or_default();
    let grade = parts.next().and_then(|grade| grade.parse().ok()).and_then(Grade::new);
    let dated = parts.next().unwrap_or_default();
    let (onset, resolved) = match dated.split_once('/') {
        None => (Day::from_iso(dated), Resolution::NotStated),
        Some((onset, "")) => (Day::from_iso(onset), Resolution::Ongoing),
        Some((onset, day)) => (Day::from_iso(onset), Day::from_iso(day).map_or(Resolution::NotStated, Resolution::On)),
    };
    let (effect, verbatim) = match (term.strip_prefix(UNCODED), catalogue.find(term)) {
        (Some(term), _) => (Catalogue::UNCODED, Some(unescape(term))),
        (None, Some(effect)) => (effect, None),
        (None, None) => (Catalogue::UNCODED, Some(term.to_owned())),
    };
    ReportedEffect { effect, verbatim, grade, onset, resolution: resolved }
}

fn escape(term: &str, into: &mut String) {
    for letter in term.chars() {
        match letter {
            ';' => into.push_str("%3B"),
            ':' => into.push_str("%3A"),
            '%' => into.push_str("%25"),
            other => into.push(other),
        }
    }
}

fn unescape(term: &str) -> String {
    term.replace("%3B", ";").replace("%3A", ":").replace("%25", "%")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(effects: &[ReportedEffect], catalogue: &Catalogue) -> String {
        let mut text = String::new();
        write(effects, catalogue, &mut text);
        text
    }

    #[test]
    fn it_reads_as_people_write_it() {
        let catalogue = Catalogue::built_in();
        let text = "erythema:1:2026-03-02/2026-03-04;pih:2:2026-03-30/;swelling;pain:3;pain::/2026-03-04";
        let effects = read(text, &catalogue);
        assert_eq!(written(&effects, &catalogue), text);
        assert_eq!(effects[1].resolution, Resolution::Ongoing);
        assert_eq!(effects[4].grade, None);
        assert_eq!(written(&[], &catalogue), "none");
    }

    proptest! {
        #[test]
        fn nothing_is_lost(
            parts in prop::collection::vec((0u16..28, "[a-z;:%/ü ]{1,12}", 0u8..6, prop::option::of(0i32..20_000), 0u8..3), 1..5),
        ) {
            let catalogue = Catalogue::built_in();
            let effects: Vec<ReportedEffect> = parts.into_iter().map(|(effect, term, grade, onset, end)| {
                let effect = crate::domain::EffectId(effect);
                ReportedEffect {
                    effect,
                    verbatim: (effect == Catalogue::UNCODED).then_some(term),
                    grade: Grade::new(grade),
                    onset: onset.map(Day),
                    resolution: [Resolution::NotStated, Resolution::Ongoing, Resolution::On(Day(20_100))][usize::from(end)],
                }
            }).collect();
            prop_assert_eq!(read(&written(&effects, &catalogue), &catalogue), effects);
        }
    }
}
