//! The side effects of a session's own row as one text, and back, without loss.

use crate::domain::{Catalogue, Day, EffectId, Grade, ReportedEffect, Resolution};
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;

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
        let resolved = effect.resolution != Resolution::NotStated;
        let dated = effect.onset.is_some() || resolved;
        if effect.grade.is_some() || dated {
            text.push(':');
            text.extend(effect.grade.map(|grade| char::from(b'0' + grade.number())));
        }
        if dated {
            text.push(':');
            effect.onset.iter().for_each(|day| day.write_iso(text));
        }
        if resolved {
            text.push('/');
        }
        if let Resolution::On(day) = effect.resolution {
            day.write_iso(text);
        }
    }
}

/// The side effects that a catalogue knows, by their codes.
pub(super) struct Codes<'c>(HashMap<&'c str, EffectId, FxBuildHasher>);

impl<'c> Codes<'c> {
    pub(super) fn of(catalogue: &'c Catalogue) -> Codes<'c> {
        let mut codes = HashMap::default();
        for id in catalogue.ids() {
            codes.entry(catalogue.get(id).code.as_str()).or_insert(id);
        }
        Codes(codes)
    }

    /// The first side effect with a code.
    fn find(&self, code: &str) -> Option<EffectId> {
        self.0.get(code).copied()
    }
}

/// A side effect as [`write`] wrote it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Written<'t> {
    /// What it is called, as it was written.
    term: &'t str,
    /// A code that the catalogue does not have is uncoded.
    pub(super) effect: EffectId,
    pub(super) grade: Option<Grade>,
    pub(super) onset: Option<Day>,
    pub(super) resolution: Resolution,
}

/// What [`write`] wrote, one after another.
pub(super) fn read<'t>(text: &'t str, codes: &Codes<'_>) -> impl Iterator<Item = Written<'t>> {
    let entries = if text == "none" { "" } else { text };
    entries.split(';').filter(|entry| !entry.is_empty()).map(|entry| one(entry, codes))
}

fn one<'t>(entry: &'t str, codes: &Codes<'_>) -> Written<'t> {
    let (term, rest) = cut(entry, b':').unwrap_or((entry, ""));
    let (grade, dated) = cut(rest, b':').unwrap_or((rest, ""));
    let grade = grade.parse().ok().and_then(Grade::new);
    let (onset, resolution) = match cut(dated, b'/') {
        None => (Day::from_iso(dated), Resolution::NotStated),
        Some((onset, "")) => (Day::from_iso(onset), Resolution::Ongoing),
        Some((onset, day)) => (Day::from_iso(onset), Day::from_iso(day).map_or(Resolution::NotStated, Resolution::On)),
    };
    let effect = if term.starts_with(UNCODED) { None } else { codes.find(term) };
    Written { term, effect: effect.unwrap_or(Catalogue::UNCODED), grade, onset, resolution }
}

/// What stands before and behind the first `mark`: of a text of a few letters, faster than a search in large ones.
fn cut(text: &str, mark: u8) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == mark)?;
    Some((&text[..at], &text[at + 1..]))
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// The effects again, with their terms.
    fn again(text: &str, catalogue: &Catalogue) -> Vec<ReportedEffect> {
        let codes = Codes::of(catalogue);
        let whole = |written: Written<'_>| {
            let Written { term, effect, grade, onset, resolution } = written;
            let uncoded = (effect == Catalogue::UNCODED).then(|| term.strip_prefix(UNCODED).unwrap_or(term));
            let verbatim = uncoded.map(|term| term.replace("%3B", ";").replace("%3A", ":").replace("%25", "%"));
            ReportedEffect { effect, verbatim, grade, onset, resolution }
        };
        read(text, &codes).map(whole).collect()
    }

    fn written(effects: &[ReportedEffect], catalogue: &Catalogue) -> String {
        let mut text = String::new();
        write(effects, catalogue, &mut text);
        text
    }

    #[test]
    fn it_reads_as_people_write_it() {
        let catalogue = Catalogue::built_in();
        let text = "erythema:1:2026-03-02/2026-03-04;pih:2:2026-03-30/;swelling;pain:3;pain::/2026-03-04";
        let effects = again(text, &catalogue);
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
            prop_assert_eq!(again(&written(&effects, &catalogue), &catalogue), effects);
        }
    }
}
