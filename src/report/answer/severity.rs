//! The answer of a severity analysis: what was severe.

use super::{Sentence, Telling, group_text, number};
use crate::report::layout::{Rows, label};
use crate::results::release::ReleasedRow;
use crate::results::{Statistic, format};
use maud::html;
use std::cmp::Ordering;

/// So many of the highest rates are told.
const TOLD: usize = 3;

/// The highest rates of grade 3 or worse; without any, how high they may still be.
pub(super) fn severity(rows: &Rows<'_>, telling: &mut Telling<'_>) -> Vec<Sentence> {
    let name = |row: &ReleasedRow| {
        let name = label(telling.catalogue, &row.outcome);
        if row.group.is_empty() { name } else { format!("{name}, {}", group_text(&row.group)) }
    };
    let known: Vec<&ReleasedRow> = rows.statistic(Statistic::Rate).filter(|row| row.value.is_some()).collect();
    let mut severe: Vec<&ReleasedRow> = known.iter().filter(|row| row.numerator > Some(0.0)).copied().collect();
    severe.sort_by(|one, other| other.value.partial_cmp(&one.value).unwrap_or(Ordering::Equal));
    let others = severe.len().saturating_sub(TOLD);
    if !severe.is_empty() {
        return vec![html! {
            "Grade 3 or worse: "
            @for (at, row) in severe.iter().take(TOLD).enumerate() {
                @if at > 0 { "; " }
                strong { (name(row)) } " " (number(row, &format::value_and_interval(row)))
            }
            @if others > 0 { "; " (format::whole(others as u64)) " more in the table" }
            "."
        }];
    }
    let widest = known.iter().max_by(|one, other| one.high.partial_cmp(&other.high).unwrap_or(Ordering::Equal));
    let Some((row, high)) = widest.and_then(|row| Some((row, row.high?))) else { return Vec::new() };
    vec![html! {
        "Nothing of grade 3 or worse was found. That is not zero risk: the upper limits reach "
        (number(row, &format::percent(high))) " (" (name(row)) ")."
    }]
}

#[cfg(test)]
mod tests {
    use super::super::{Telling, sentences};
    use crate::domain::Catalogue;
    use crate::results::{Policy, Profile, ResultRow, Statistic, release};

    fn told(severe: &[(&str, f64)]) -> String {
        let row = |(code, events): &(&str, f64)| ResultRow {
            outcome: (*code).to_owned(),
            unit: "proportion",
            value: Some(events / 100.0),
            low: Some(0.0),
            high: Some(events / 100.0 + 0.037),
            numerator: Some(*events),
            denominator: Some(100.0),
            ..ResultRow::empty("a", "severity", Statistic::Rate)
        };
        let released = release(severe.iter().map(row).collect(), Policy { profile: Profile::None });
        let catalogue = Catalogue::built_in();
        let told = sentences(&released, "severity", ("a", &mut Telling::new(&catalogue)));
        told.into_iter().map(maud::Markup::into_string).collect()
    }

    #[test]
    fn the_highest_rates_are_told_and_none_is_not_zero_risk() {
        let some = told(&[("pih", 1.0), ("infection", 5.0), ("erythema", 0.0), ("bruising", 2.0), ("burn", 3.0)]);
        let (first, second) = (some.find("Infection"), some.find("Burn"));
        assert!(first.is_some() && first < second && some.contains("1 more in the table"), "{some}");
        assert!(!some.contains("Erythema"), "{some}");
        let none = told(&[("pih", 0.0)]);
        assert!(none.contains("not zero risk") && none.contains("3.7"), "{none}");
        assert_eq!(told(&[]), "");
    }
}
