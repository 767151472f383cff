//! The answer in sentences, made from the rows: one function a kind, one line in [`ANSWERS`].

mod contrast;
mod severity;

use super::layout::{Rows, column_label, label, value_label};
use crate::domain::Catalogue;
use crate::domain::catalogue::Group;
use crate::results::release::ReleasedRow;
use crate::results::{Released, Statistic, format};
use maud::{Markup, html};

/// A sentence.
pub type Sentence = Markup;

type Answer = fn(&Rows<'_>, &mut Telling<'_>) -> Vec<Sentence>;

/// What the sentences so far have told, so that nothing is told twice.
#[derive(Debug)]
pub struct Telling<'a> {
    catalogue: &'a Catalogue,
    told: Vec<(String, Option<f64>, Option<f64>)>,
}

impl<'a> Telling<'a> {
    /// Nothing is told yet.
    #[must_use]
    pub fn new(catalogue: &'a Catalogue) -> Telling<'a> {
        Telling { catalogue, told: Vec::new() }
    }

    /// Whether these counts of this side effect are new; from now on they are told.
    fn is_new(&mut self, row: &ReleasedRow) -> bool {
        let counts = (row.outcome.clone(), row.numerator, row.denominator);
        let new = !self.told.contains(&counts);
        if new {
            self.told.push(counts);
        }
        new
    }
}

/// Kind and its sentences.
const ANSWERS: &[(&str, Answer)] = &[
    ("trend", trend),
    ("side_effect_rates", rates),
    ("severity", severity::severity),
    ("contrast", contrast::contrast),
];

/// The sentences of an analysis; none where its kind has none.
#[must_use]
pub fn sentences(released: &Released, kind: &str, (analysis, telling): (&str, &mut Telling<'_>)) -> Vec<Sentence> {
    let rows = Rows::of(released, analysis);
    ANSWERS.iter().filter(|(known, _)| *known == kind).flat_map(|(_, answer)| answer(&rows, telling)).collect()
}

/// What came in: the answer of a report that asks about nothing else.
#[must_use]
pub fn intake(released: &Released, analysis: &str) -> Option<Sentence> {
    let rows = Rows::of(released, analysis);
    let told = |term: &str| {
        let row = rows.find(Statistic::Count, "", &[], term)?;
        Some(number(row, &format::value(row)))
    };
    let (read, accepted) = (told("read_rows")?, told("accepted_rows")?);
    let (rejected, superseded) = (told("rejected_rows")?, told("superseded_rows")?);
    Some(html! {
        "Rows read: " (read) ". Accepted: " (accepted) ". Rejected: " (rejected)
        ". Repeated, or replaced by a later row: " (superseded) "."
    })
}

/// A number in an element that carries its row.
fn number(row: &ReleasedRow, text: &str) -> Markup {
    html! { data value=(row.value.map(crate::results::write::full_precision).unwrap_or_default()) data-row=(row.row_id()) { (text) } }
}

/// «clinic north, modality RF»
fn group_text(group: &[(String, String)]) -> String {
    let parts = group.iter().map(|(column, value)| format!("{} {}", column_label(column), value_label(value)));
    parts.collect::<Vec<_>>().join(", ")
}

/// «PIH was found in 211 of 2,385 assessed sessions, 8.8 % (7.7–10.1).»
fn found(rows: &Rows<'_>, row: &ReleasedRow, catalogue: &Catalogue) -> Sentence {
    let events = format::count(row.numerator.unwrap_or(0.0));
    let n = format::count(row.denominator.unwrap_or(0.0));
    let not_assessed = rows.beside(row, Statistic::NotAssessed).filter(|row| row.value.is_some_and(|n| n > 0.0));
    let level = row.level.map(format::level).unwrap_or_default();
    if row.value.is_none() {
        return html! {
            "Nothing can be said of " strong { (label(catalogue, &row.outcome)) } ": of the "
            @match not_assessed { Some(missing) => (number(missing, &format::value(missing))), None => "" }
            " " (row.counted) " none was assessed for it."
        };
    }
    html! {
        strong { (label(catalogue, &row.outcome)) }
        " was found in " (number(row, &events)) " of " (number(row, &n)) " assessed " (row.counted) ", "
        (number(row, &format::value(row)))
        @if let Some(interval) = format::interval(row) { " (" (level) " interval " (number(row, &interval)) ")" }
        "."
        @if let Some(missing) = not_assessed {
            " A further " (number(missing, &format::value(missing))) " were not assessed for it and are not counted as free of it."
        }
    }
}

fn trend(rows: &Rows<'_>, telling: &mut Telling<'_>) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    for outcome in rows.outcomes() {
        if let Some(row) = rows.find(Statistic::Rate, outcome, &[], "").filter(|row| telling.is_new(row)) {
            sentences.push(found(rows, row, telling.catalogue));
        }
        sentences.extend(test_sentence(rows, outcome, telling.catalogue));
        sentences.extend(model_sentences(rows, outcome));
        sentences.extend(confounding_sentence(rows, outcome));
    }
    sentences
}

/// The test that stands for the trend: clustered where sessions are counted, else exact where counts are small.
fn test_sentence(rows: &Rows<'_>, outcome: &str, catalogue: &Catalogue) -> Option<Sentence> {
    let p = |method: &str| rows.find(Statistic::PValue, outcome, &[], method);
    let row = p("cochran_armitage_clustered")
        .filter(|row| row.value.is_some())
        .or_else(|| p("cochran_armitage_exact"))
        .or_else(|| p("cochran_armitage"))?;
    let over = level_column(rows)?;
    let p_value = format::p_phrase(row.value?);
    let z = rows.find(Statistic::TrendZ, outcome, &[], &row.term).and_then(|row| row.value).unwrap_or(0.0);
    let verdict = match row.value {
        Some(p) if p < 0.05 && z > 0.0 => "rises with",
        Some(p) if p < 0.05 => "falls with",
        _ => "shows no clear trend over",
    };
    let name = within_sentence(&label(catalogue, outcome));
    Some(html! { "The rate of " (name) " " (verdict) " " (over) " (test for trend, " (number(row, &p_value)) ")." })
}

fn level_column(rows: &Rows<'_>) -> Option<String> {
    let row = rows.statistic(Statistic::Rate).find(|row| !row.group.is_empty())?;
    row.group.first().map(|(column, _)| column_label(column))
}

fn model_sentences(rows: &Rows<'_>, outcome: &str) -> Vec<Sentence> {
    let over = rows.statistic(Statistic::Rate).find(|row| !row.group.is_empty()).and_then(|row| row.group.first());
    let Some((column, _)) = over else { return Vec::new() };
    let crude = rows.find(Statistic::OddsRatio, outcome, &[], &format!("{column}:crude"));
    if crude.is_some_and(|row| row.value.is_none()) {
        return vec![html! { "How the odds change with each step up cannot be estimated; the table says why." }];
    }
    let find = |model: &str| {
        let row = rows.find(Statistic::OddsRatio, outcome, &[], &format!("{column}:{model}"))?;
        Some((row, row.value?))
    };
    let mut sentences = Vec::new();
    if let Some((row, _)) = find("crude") {
        sentences.push(html! {
            "Without allowing for anything else, the odds change by a factor of "
            (number(row, &format::value_and_interval(row))) " for each step up."
        });
    }
    if let Some((row, value)) = find("adjusted") {
        let also: Vec<String> = adjusted_for(rows, outcome, column);
        let verdict = match (row.low, row.high) {
            (Some(low), _) if low > 1.0 => "rise by",
            (_, Some(high)) if high < 1.0 => "fall: they change by",
            _ if value >= 1.0 => "may rise or fall: they change by",
            _ => "may fall or rise: they change by",
        };
        sentences.push(html! {
            "Allowing for " (and(&also)) ", the odds " (verdict) " a factor of "
            strong { (number(row, &format::value_and_interval(row))) } " for each step up."
            @if row.warning.contains("fragile:") {
                " So few events carry so many terms that this interval may be too narrow: take it as a hint."
            }
        });
    }
    sentences
}

/// Columns of the adjusted model, each once.
fn adjusted_for(rows: &Rows<'_>, outcome: &str, column: &str) -> Vec<String> {
    let mut columns: Vec<String> = Vec::new();
    for row in rows.statistic(Statistic::OddsRatio).filter(|row| row.outcome == outcome) {
        let Some((term, "adjusted")) = row.term.rsplit_once(':') else { continue };
        let name = term.split_once('=').map_or(term, |(column, _)| column);
        let name = column_label(name);
        if name != column_label(column) && !columns.contains(&name) {
            columns.push(name);
        }
    }
    columns
}

fn and(words: &[String]) -> String {
    match words.split_last() {
        None => "nothing else".to_owned(),
        Some((only, [])) => only.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
    }
}

/// «Mean needle depth was 1.62 mm in I and 1.18 mm in VI: …»
fn confounding_sentence(rows: &Rows<'_>, outcome: &str) -> Option<Sentence> {
    if rows.outcomes().first() != Some(&outcome) {
        return None;
    }
    let known = |row: &&ReleasedRow| {
        row.term == "needle_depth_mm"
            && row.value.is_some()
            && row.denominator.is_none_or(|n| n >= ENOUGH)
            && row.group.first().is_some_and(|(_, value)| value != crate::results::ResultRow::MISSING)
    };
    let depths: Vec<&ReleasedRow> = rows.statistic(Statistic::Mean).filter(known).collect();
    let (first, last) = (depths.first()?, depths.last()?);
    let level = |row: &ReleasedRow| group_text(&row.group);
    // One level has nothing to be compared with, and the depth of depth bands is no news.
    if depths.len() < 2 || first.group.first().is_some_and(|(column, _)| column == "needle_depth_mm") {
        return None;
    }
    let differ = (first.value? - last.value?).abs() >= 0.1;
    let is_adjusted =
        |row: &&ReleasedRow| row.outcome == outcome && row.term.ends_with(":adjusted") && row.value.is_some();
    let adjusted = rows.statistic(Statistic::OddsRatio).any(|row| is_adjusted(&row));
    Some(html! {
        "Mean needle depth was " (number(first, &format::value(first))) " mm at " (level(first)) " and "
        (number(last, &format::value(last))) " mm at " (level(last))
        @if differ && adjusted { ": the groups were treated differently, so the crude and the adjusted answer are to be read together." }
        @else if differ { ": the groups were treated differently, and nothing here allows for that." }
        @else { "." }
    })
}

/// Of more side effects than this, the most frequent are named first.
const MANY: usize = 10;

/// The most frequent side effects and the complications.
fn rates(rows: &Rows<'_>, telling: &mut Telling<'_>) -> Vec<Sentence> {
    let catalogue = telling.catalogue;
    let mut overall: Vec<&ReleasedRow> =
        rows.statistic(Statistic::Rate).filter(|row| row.group.is_empty() && row.value.is_some()).collect();
    overall.sort_by(|a, b| b.value.partial_cmp(&a.value).unwrap_or(std::cmp::Ordering::Equal));
    let mut sentences = Vec::new();
    if overall.is_empty() {
        return grouped_rates(rows, catalogue);
    }
    let group_of = |row: &ReleasedRow| catalogue.find(&row.outcome).map(|id| catalogue.get(id).group);
    let frequent: Vec<&ReleasedRow> = overall.iter().filter(|row| row.numerator > Some(0.0)).take(3).copied().collect();
    if overall.len() > MANY && !frequent.is_empty() {
        sentences.push(html! {
            "Most often found: "
            @for (at, row) in frequent.iter().enumerate() {
                @if at > 0 { ", " }
                (label(catalogue, &row.outcome)) " " (number(row, &format::value_and_interval(row)))
            }
            "."
        });
    }
    let complications: Vec<&ReleasedRow> = overall
        .iter()
        .filter(|row| matches!(group_of(row), Some(Group::Complication | Group::Pigment | Group::Site)))
        .filter(|row| row.numerator > Some(0.0))
        .take(3)
        .copied()
        .collect();
    for row in complications {
        if telling.is_new(row) {
            sentences.push(found(rows, row, catalogue));
        }
    }
    let never: Vec<String> = overall
        .iter()
        .filter(|row| row.numerator == Some(0.0))
        .map(|row| within_sentence(&label(catalogue, &row.outcome)))
        .collect();
    let widest = overall
        .iter()
        .filter(|row| row.numerator == Some(0.0) && row.high.is_some())
        .max_by(|a, b| a.high.partial_cmp(&b.high).unwrap_or(std::cmp::Ordering::Equal));
    if let (Some(row), false) = (widest, never.is_empty()) {
        let high = row.high.map(format::percent).unwrap_or_default();
        sentences.push(html! {
            "Never found: " (and(&never)) ". That is not zero risk: the upper limits reach "
            (number(row, &high)) " (" (within_sentence(&label(catalogue, &row.outcome))) ")."
        });
    }
    sentences
}

/// A name within a sentence: without its capital, unless it is an abbreviation such as PIH.
fn within_sentence(name: &str) -> String {
    let mut letters = name.chars();
    match (letters.next(), letters.next()) {
        (Some(first), second) if !second.is_some_and(char::is_uppercase) => {
            first.to_lowercase().chain(name.chars().skip(1)).collect()
        }
        _ => name.to_owned(),
    }
}

/// A group with fewer counted is no example of a high or a low rate.
const ENOUGH: f64 = 30.0;

/// Of so many side effects the groups are told; the others have their table.
const RANGES: usize = 3;

/// Where rates are divided, the highest and the lowest group of the first side effects.
fn grouped_rates(rows: &Rows<'_>, catalogue: &Catalogue) -> Vec<Sentence> {
    let mut sentences = Vec::new();
    let outcomes = rows.outcomes();
    for outcome in outcomes.iter().take(RANGES).copied() {
        let of_group = |row: &&ReleasedRow| row.outcome == outcome && row.value.is_some();
        let known = |row: &&ReleasedRow| of_group(row) && row.denominator >= Some(ENOUGH);
        let small = rows.statistic(Statistic::Rate).filter(|row| of_group(row) && !known(row)).count();
        let by_value =
            |a: &&ReleasedRow, b: &&ReleasedRow| a.value.partial_cmp(&b.value).unwrap_or(std::cmp::Ordering::Equal);
        let highest = rows.statistic(Statistic::Rate).filter(known).max_by(by_value);
        let lowest = rows.statistic(Statistic::Rate).filter(known).min_by(by_value);
        if let (Some(highest), Some(lowest)) = (highest, lowest)
            && highest.value > lowest.value
        {
            let group = |row: &ReleasedRow| group_text(&row.group);
            sentences.push(html! {
                strong { (label(catalogue, outcome)) } " ranges from "
                (number(lowest, &format::value_and_interval(lowest))) " (" (group(lowest)) ") to "
                (number(highest, &format::value_and_interval(highest))) " (" (group(highest)) ")"
                @if small > 0 {
                    ", " (small) @if small == 1 { " group" } @else { " groups" } " of fewer than " (ENOUGH) " left aside"
                }
                "."
            });
        }
    }
    sentences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_abbreviation_keeps_its_capitals_within_a_sentence() {
        let names = ["PIH", "Fat loss", "Nerve injury", "A", ""];
        assert_eq!(names.map(within_sentence), ["PIH", "fat loss", "nerve injury", "a", ""]);
    }
}
