//! Side-effect terms and the compact list `code[:grade[:onset[/resolved]]];…`.

use super::cells::{Cell, NONE_WORDS, Row, none_and_some};
use super::dates::{self, DateOrder};
use super::duplicates::EffectCodes;
use super::outcome::{Complaint, Problem};
use super::rules;
use super::skin_tone;
use super::spelling::{Words, fold};
use crate::domain::catalogue::Scope;
use crate::domain::{Asked, Catalogue, Day, EffectId, Grade, ReportedEffect, Resolution};

/// Longest verbatim term that is kept, in letters.
const LONGEST_TERM: usize = 200;

/// What a term stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Term {
    None,
    Effect(EffectId),
}

/// The terms of a run, with what the rules need to know of each side effect.
pub(super) struct Terms {
    words: Words<Term>,
    effects: Vec<Effect>,
}

struct Effect {
    code: String,
    grades: u8,
    window_days: i32,
    rf_only: bool,
}

impl Terms {
    /// The catalogue's codes, labels and synonyms; the site's own terms win.
    pub(super) fn new(catalogue: &Catalogue, own: &[(String, String)]) -> Terms {
        let mut words = Words::new();
        NONE_WORDS.iter().for_each(|word| words.insert(word, Term::None));
        for id in catalogue.ids() {
            let effect = catalogue.get(id);
            let spelled = [&effect.label, &effect.code].into_iter().chain(&effect.short).chain(&effect.synonyms);
            spelled.for_each(|word| words.insert(word, Term::Effect(id)));
        }
        for (term, code) in own {
            let meaning = if code == "none" { Some(Term::None) } else { catalogue.find(code).map(Term::Effect) };
            meaning.into_iter().for_each(|meaning| words.insert(term, meaning));
        }
        let effects = catalogue.ids().map(|id| {
            let effect = catalogue.get(id);
            Effect {
                code: effect.code.clone(),
                grades: effect.grades,
                window_days: i32::try_from(effect.window_days).unwrap_or(i32::MAX),
                rf_only: effect.scope == Scope::Rf,
            }
        });
        Terms { words, effects: effects.collect() }
    }

    pub(super) fn find(&self, term: &str) -> Option<Term> {
        self.words.get(term).copied()
    }

    pub(super) fn window_days(&self, id: EffectId) -> i32 {
        self.effects.get(id.index()).map_or(i32::MAX, |effect| effect.window_days)
    }

    pub(super) fn rf_only(&self, id: EffectId) -> bool {
        self.effects.get(id.index()).is_some_and(|effect| effect.rf_only)
    }

    /// Refuses a grade that the side effect does not have, and an end before the beginning.
    pub(super) fn check(&self, effect: &ReportedEffect) -> Result<(), Problem> {
        let highest = self.effects.get(effect.effect.index()).map_or(5, |effect| effect.grades);
        if effect.grade.is_some_and(|grade| grade.number() > highest) {
            let code = self.code(effect.effect);
            return Err(Problem::new(rules::GRADE_NOT_ALLOWED, format!("the highest grade of {code} is {highest}")));
        }
        match (effect.onset, effect.resolution) {
            (Some(onset), Resolution::On(resolved)) if resolved < onset => {
                Err(Problem::new(rules::RESOLVED_BEFORE_ONSET, "gone before it began; check both dates"))
            }
            _ => Ok(()),
        }
    }
}

impl EffectCodes for Terms {
    fn code(&self, id: EffectId) -> &str {
        self.effects.get(id.index()).map_or("", |effect| &effect.code)
    }
}

/// Words of an end date that mean «still there».
pub(super) fn is_ongoing(text: &str) -> bool {
    // A date, as a rule: no such word begins with a digit.
    let begins_with_digit = text.bytes().next().is_some_and(|byte| byte.is_ascii_digit());
    !begins_with_digit
        && ["ongoing", "continuing", "persisting", "not resolved", "not recovered"].contains(&fold(text).as_str())
}

/// A term that nobody has coded, as it is kept.
pub(super) fn verbatim(row: &Row<'_>, term: &str) -> String {
    let line = term.split_whitespace().collect::<Vec<_>>().join(" ");
    row.redact(&line).chars().take(LONGEST_TERM).collect()
}

/// The compact list of a session's row.
pub(super) struct EffectsCell {
    pub(super) cell: Cell,
    pub(super) order: Option<DateOrder>,
}

impl EffectsCell {
    pub(super) fn read(&self, row: &Row<'_>, terms: &Terms) -> Result<Asked, Complaint> {
        let Some((text, translated)) = self.cell.translated(row)? else { return Ok(Asked::No) };
        let column = self.cell.column;
        let (mut effects, mut none) = (Vec::new(), false);
        for item in entries(&text).flat_map(|entry| parts(entry, terms)) {
            let item = self.cell.item(item, translated);
            match self.item(item, row, terms).map_err(|problem| problem.of(column, item))? {
                Some(effect) => effects.push(effect),
                None => none |= !item.is_empty(),
            }
        }
        match (none, effects.is_empty()) {
            (true, false) => Err(none_and_some().of(column, &text)),
            (false, true) => Ok(Asked::No),
            _ => Ok(Asked::Yes(effects)),
        }
    }

    /// One entry; `None` = it says that there was none, or nothing.
    fn item(&self, item: &str, row: &Row<'_>, terms: &Terms) -> Result<Option<ReportedEffect>, Problem> {
        let (term, rest) = item.split_once(':').unwrap_or((item, ""));
        let (term, rest) = (term.trim(), rest.trim());
        let known = match terms.find(term) {
            _ if item.is_empty() => return Ok(None),
            Some(Term::None) if rest.is_empty() => return Ok(None),
            Some(Term::None) => return Err(none_and_some()),
            Some(Term::Effect(id)) => Some(id),
            None => None,
        };
        let effect = match (known, self.details(rest)) {
            (Some(effect), Ok(details)) => ReportedEffect { effect, verbatim: None, ..details },
            (Some(_), Err(problem)) => return Err(problem),
            (None, Ok(details)) => ReportedEffect { verbatim: Some(verbatim(row, term)), ..details },
            // What follows is no grade and no date, so the colon belongs to somebody's own words.
            (None, Err(_)) => ReportedEffect { verbatim: Some(verbatim(row, item)), ..NOTHING_MORE },
        };
        terms.check(&effect)?;
        Ok(Some(effect))
    }

    /// `grade[:onset[/resolved]]`.
    fn details(&self, text: &str) -> Result<ReportedEffect, Problem> {
        if text.is_empty() {
            return Ok(NOTHING_MORE);
        }
        let (grade, dates) = text.split_once(':').unwrap_or((text, ""));
        let grade = grade.trim();
        let grade: Option<Grade> = if grade.is_empty() { None } else { Some(skin_tone::grade(grade)?) };
        let (onset, resolution) = self.period(dates.trim())?;
        Ok(ReportedEffect { grade, onset, resolution, ..NOTHING_MORE })
    }

    /// `onset[/resolved]`; a slash with nothing behind it means *still there*. Dates may hold slashes themselves.
    fn period(&self, text: &str) -> Result<(Option<Day>, Resolution), Problem> {
        if text.is_empty() {
            return Ok((None, Resolution::NotStated));
        }
        if let Some(usual) = usual_period(text, self.order) {
            return Ok(usual);
        }
        let whole = match dates::date(text, self.order) {
            Ok(day) => return Ok((Some(day), Resolution::NotStated)),
            Err(problem) => problem,
        };
        let mut halves = text.match_indices('/').filter_map(|(at, _)| self.halves(&text[..at], &text[at + 1..]));
        halves.next().ok_or_else(|| self.why_no_period(text, whole))
    }

    /// What is wrong with the dates: of all ways to split them, the one that says most.
    fn why_no_period(&self, text: &str, whole: Problem) -> Problem {
        let halves = text.match_indices('/').flat_map(|(at, _)| [&text[..at], &text[at + 1..]]);
        let problems = halves.filter_map(|half| dates::date(half.trim(), self.order).err());
        problems.into_iter().find(|problem| problem.rule != rules::NOT_A_DATE).unwrap_or(whole)
    }

    fn halves(&self, onset: &str, resolved: &str) -> Option<(Option<Day>, Resolution)> {
        let (onset, resolved) = (onset.trim(), resolved.trim());
        let onset = if onset.is_empty() { None } else { Some(dates::date(onset, self.order).ok()?) };
        if resolved.is_empty() || is_ongoing(resolved) {
            return Some((onset, Resolution::Ongoing));
        }
        dates::date(resolved, self.order).ok().map(|day| (onset, Resolution::On(day)))
    }
}

/// The short way, for what most entries hold: `2026-03-02/2026-03-04` or `2026-03-02/`.
fn usual_period(text: &str, order: Option<DateOrder>) -> Option<(Option<Day>, Resolution)> {
    let (onset, resolved) = text.split_at_checked(10)?;
    let onset = dates::usual(onset, order)?;
    match resolved.strip_prefix('/')? {
        "" => Some((Some(onset), Resolution::Ongoing)),
        resolved => Some((Some(onset), Resolution::On(dates::usual(resolved, order)?))),
    }
}

const NOTHING_MORE: ReportedEffect = ReportedEffect {
    effect: Catalogue::UNCODED,
    verbatim: None,
    grade: None,
    onset: None,
    resolution: Resolution::NotStated,
};

/// The entries of a compact list.
fn entries(text: &str) -> impl Iterator<Item = &str> {
    let ends = memchr::memchr2_iter(b';', b'|', text.as_bytes()).chain(std::iter::once(text.len()));
    let mut from = 0;
    ends.map(move |end| &text[std::mem::replace(&mut from, end + 1)..end])
}

/// Splits at commas where every part is a known term; otherwise the comma belongs to somebody's own words.
fn parts<'t>(entry: &'t str, terms: &Terms) -> impl Iterator<Item = &'t str> + use<'t> {
    let known = |part: &str| terms.find(part.split(':').next().unwrap_or(part).trim()).is_some();
    let apart = entry.contains(',') && entry.split(',').all(known);
    let (whole, parts) = if apart { (None, Some(entry.split(','))) } else { (Some(entry), None) };
    whole.into_iter().chain(parts.into_iter().flatten()).map(str::trim)
}

#[cfg(test)]
mod tests;
