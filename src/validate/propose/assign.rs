//! Which header feeds which column: the best pairs first, each header and each column once.

use super::fit::{Fit, MOST_CODES, Reader};
use super::headers::{Level, Name};
use super::lexicon::Lexicon;
use super::survey::Survey;
use crate::domain::{Column, Kind};
use crate::validate::spelling::fold_header;

/// How a column is proposed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Trust {
    /// The header says so and the values agree.
    Sure,
    /// Written, and marked as unsure.
    Unsure,
    /// Written as a comment only: a person decides.
    Suggested,
}

/// A column and the header that is proposed for it.
#[derive(Debug)]
pub(super) struct Choice {
    pub(super) column: &'static Column,
    /// Index of the header.
    pub(super) at: usize,
    pub(super) trust: Trust,
    /// Whether the header is the canonical name, so that nothing need be written.
    pub(super) canonical: bool,
    /// Whether another column has the same header, so that neither can be named.
    pub(super) doubled: bool,
    /// Why.
    pub(super) why: Vec<String>,
}

struct Pair {
    column: usize,
    at: usize,
    /// `None` = by the values alone.
    level: Option<Level>,
    fit: Option<Fit>,
    score: f64,
}

/// The choices, in the order of the columns.
pub(super) fn choices(survey: &Survey, lexicon: &Lexicon) -> Vec<Choice> {
    let pairs = pairs(survey, lexicon);
    let mut taken: Vec<usize> = Vec::new();
    let mut chosen: Vec<&Pair> = Vec::new();
    for pair in pairs.iter().filter(|pair| pair.level.is_some()) {
        if !taken.contains(&pair.at) && !chosen.iter().any(|other| other.column == pair.column) {
            taken.push(pair.at);
            chosen.push(pair);
        }
    }
    for pair in pairs.iter().filter(|pair| pair.level.is_none()) {
        let free = !taken.contains(&pair.at) && !chosen.iter().any(|other| other.column == pair.column);
        let rivals = pairs.iter().filter(|other| {
            let same = (other.column == pair.column) != (other.at == pair.at);
            other.level.is_none() && same && !taken.contains(&other.at)
        });
        if free && rivals.count() == 0 {
            chosen.push(pair);
        }
    }
    chosen.sort_by_key(|pair| pair.column);
    let rival = |pair: &Pair| {
        let better_than = |other: &&Pair| {
            other.column == pair.column
                && other.at != pair.at
                && other.level == pair.level
                && !taken.contains(&other.at)
        };
        pairs.iter().filter(|_| pair.level == Some(Level::Known)).find(better_than).map(|other| other.at)
    };
    let meant = |pair: &Pair| {
        let free = |column: usize| !chosen.iter().any(|other| other.column == column);
        let close = |other: &&Pair| {
            other.at == pair.at && other.level == pair.level && free(other.column) && pair.score - other.score < 4.0
        };
        pairs.iter().filter(|_| pair.level == Some(Level::Known)).find(close)
    };
    let columns = survey.table.columns();
    let made = chosen.iter().map(|pair| {
        let mut choice = choice(survey, pair, rival(pair));
        if let Some(other) = meant(pair) {
            choice.why.push(format!("it could mean {} too", columns[other.column].name));
            choice.trust = choice.trust.min_with(Trust::Unsure);
        }
        choice
    });
    made.collect()
}

/// Every header with every column that it may be, the best first.
fn pairs(survey: &Survey, lexicon: &Lexicon) -> Vec<Pair> {
    let columns = survey.table.columns();
    let personal: Vec<usize> = survey.identifying().collect();
    let shown = (0..survey.header.len()).filter(|at| survey.shown_header(*at).is_some());
    let names: Vec<(usize, Name)> = shown.map(|at| (at, Name::new(&survey.header[at]))).collect();
    let mut pairs = Vec::new();
    for (number, column) in columns.iter().enumerate() {
        let reader = Reader::new(column, lexicon);
        let may = |at: &usize| !personal.contains(at) || matches!(column.kind, Kind::Patient);
        for (at, name) in names.iter().filter(|(at, _)| may(at)) {
            let level = name.level(column, lexicon);
            if level.is_none() && (name.is_known(lexicon) || !may_tell(column, survey.columns[*at].list.len())) {
                continue;
            }
            let fit = reader.judges().then(|| reader.fit(&survey.columns[*at]));
            if level.is_some() || fit.is_some_and(|fit| tells(column, fit)) {
                let score = score(level, fit, name.length()) + uniqueness(survey, column, *at);
                pairs.push(Pair { column: number, at: *at, level, fit, score });
            }
        }
    }
    pairs.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.at.cmp(&b.at)).then(a.column.cmp(&b.column)));
    pairs
}

fn score(level: Option<Level>, fit: Option<Fit>, length: usize) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "letters of a header")]
    let longer = length.min(30) as f64 / 10.0;
    let base = match level {
        Some(Level::Canonical) => 200.0,
        Some(Level::Known) => 80.0 + longer,
        Some(Level::Alike) => 45.0,
        Some(Level::Contains) => 40.0,
        None => 20.0,
    };
    base + match fit.and_then(Fit::share) {
        Some(share) if share >= 0.5 => 15.0 * share,
        Some(share) => 30.0 * (share - 1.0),
        None => 0.0,
    }
}

/// An identifier of sessions is new in every row; the number of a session within its course comes again.
fn uniqueness(survey: &Survey, column: &Column, at: usize) -> f64 {
    match (column.name, repeats(survey, at)) {
        (_, (_, 0)) => 0.0,
        ("session_id", (repeats, fields)) => {
            if repeats * 20 <= fields {
                16.0
            } else {
                -10.0
            }
        }
        ("course_session", (0, 20..)) => -20.0,
        _ => 0.0,
    }
}

/// How many fields of a column repeat an earlier one, and how many fields there are.
fn repeats(survey: &Survey, at: usize) -> (u64, u64) {
    let values = &survey.columns[at].list;
    let fields: u64 = values.iter().map(|value| value.count).sum();
    (fields - values.len() as u64, fields)
}

/// Whether values alone can point to the column, and are not too many for that.
fn may_tell(column: &Column, distinct: usize) -> bool {
    match column.kind {
        Kind::Code(codes, _) => codes.len() > 2 && distinct <= MOST_CODES,
        Kind::CodeList(..) | Kind::SideEffect | Kind::Scale | Kind::Fitzpatrick => distinct <= MOST_CODES,
        Kind::SideEffects => true,
        Kind::Date => column.required,
        _ => false,
    }
}

/// Whether the values alone point to the column: several of its words and hardly anything else.
fn tells(column: &Column, fit: Fit) -> bool {
    let share = fit.share().unwrap_or(0.0);
    match column.kind {
        Kind::Fitzpatrick => share >= 0.95 && fit.distinct_read >= 3,
        Kind::Date => share >= 0.95 && fit.distinct_read >= 2,
        _ => share >= 0.9 && fit.distinct_read >= 2,
    }
}

fn choice(survey: &Survey, pair: &Pair, rival: Option<usize>) -> Choice {
    let column = &survey.table.columns()[pair.column];
    let mut why = vec![
        match pair.level {
            Some(Level::Canonical | Level::Known) => "the header says so",
            Some(Level::Alike) => "the header is spelled almost so",
            Some(Level::Contains) => "the header holds a word for it",
            None => "by its values alone",
        }
        .to_owned(),
    ];
    let share = pair.fit.and_then(Fit::share);
    why.extend(values_say(column, pair.fit));
    let mut trust = trust(column, pair, share);
    if let Some(rival) = rival.and_then(|at| survey.shown_header(at)) {
        why.push(format!("«{rival}» would fit too"));
        trust = trust.min_with(Trust::Unsure);
    }
    let name = &survey.header[pair.at];
    let same = survey.header.iter().filter(|other| fold_header(other) == fold_header(name)).count();
    if same > 1 {
        why.push(format!("{same} columns have this header; rename all but one"));
        trust = Trust::Suggested;
    }
    let repeated = repeated(survey, column, pair.at);
    if let Some(text) = repeated {
        why.push(text);
        trust = trust.min_with(Trust::Unsure);
    }
    let canonical = pair.level == Some(Level::Canonical);
    Choice { column, at: pair.at, trust, canonical, doubled: same > 1, why }
}

fn trust(column: &Column, pair: &Pair, share: Option<f64>) -> Trust {
    let agrees = share.is_none_or(|share| share >= 0.8);
    let contradicts = share.is_some_and(|share| share < 0.5);
    let few = pair.fit.is_some_and(|fit| fit.distinct <= MOST_CODES);
    let coded = matches!(column.kind, Kind::Code(..) | Kind::CodeList(..) | Kind::Scale);
    match pair.level {
        Some(Level::Canonical) if agrees => Trust::Sure,
        // The validator reads it by its name, whatever is written here.
        Some(Level::Canonical) => Trust::Unsure,
        Some(Level::Known) if agrees => Trust::Sure,
        Some(Level::Known) if !contradicts => Trust::Unsure,
        // Its words may only be unknown yet.
        Some(Level::Known) if coded && few => Trust::Unsure,
        Some(Level::Known) if matches!(column.kind, Kind::SideEffects | Kind::SideEffect) => Trust::Unsure,
        Some(Level::Alike) if agrees => Trust::Unsure,
        Some(Level::Contains) if coded && share.is_some_and(|share| share >= 0.8) => Trust::Unsure,
        _ => Trust::Suggested,
    }
}

/// Headers whose word fits a column that nothing feeds, and which feed another.
pub(super) fn could_tell<'s>(survey: &'s Survey, column: &Column, lexicon: &Lexicon) -> Vec<&'s str> {
    let known = |at: &usize| Name::new(&survey.header[*at]).level(column, lexicon) == Some(Level::Known);
    (0..survey.header.len()).filter(known).filter_map(|at| survey.shown_header(at)).collect()
}

impl Trust {
    fn min_with(self, other: Trust) -> Trust {
        if self == Trust::Suggested { self } else { other }
    }
}

/// What the values say for or against, in words.
fn values_say(column: &Column, fit: Option<Fit>) -> Option<String> {
    let fit = fit?;
    let Some(share) = fit.share() else { return Some("no value in the sample".to_owned()) };
    let what = match column.kind {
        Kind::Date => "readable dates",
        Kind::Number { .. } | Kind::Integer { .. } => "numbers within its limits",
        Kind::Fitzpatrick | Kind::Monk => "known skin types",
        Kind::Grade => "known grades",
        Kind::SideEffects | Kind::SideEffect => "known side effects",
        _ => "known words",
    };
    if share >= 1.0 {
        return Some(format!("every value ({}) is among {what}", fit.of));
    }
    Some(format!("{} of {} values are among {what}", fit.read, fit.of))
}

/// A session identifier that repeats would let later rows replace earlier ones.
fn repeated(survey: &Survey, column: &Column, at: usize) -> Option<String> {
    if column.name != "session_id" || survey.table != crate::domain::Table::Sessions {
        return None;
    }
    let values = &survey.columns[at].list;
    let fields: u64 = values.iter().map(|value| value.count).sum();
    let repeats = fields - values.len() as u64;
    (repeats * 20 > fields)
        .then(|| format!("{repeats} of {fields} rows repeat an earlier value, and a later row replaces an earlier one"))
}
