//! The answer of a contrast: which differences stand out.

use super::{MANY, Sentence, Telling, group_text, number};
use crate::domain::Catalogue;
use crate::report::layout::{Rows, label, value_label};
use crate::results::release::ReleasedRow;
use crate::results::{Statistic, format};
use maud::html;

/// A difference is told where its interval leaves out zero and its test holds among all that were made.
const STANDS: f64 = 0.05;

/// Every difference, or of many those that stand out.
pub(super) fn contrast(rows: &Rows<'_>, telling: &mut Telling<'_>) -> Vec<Sentence> {
    let differences: Vec<Difference<'_>> =
        rows.statistic(Statistic::RiskDifference).filter_map(|row| Difference::of(rows, row)).collect();
    if differences.is_empty() {
        let reason = |row: &ReleasedRow| row.warning.strip_prefix("not_estimable: ").map(str::to_owned);
        let mut reasons: Vec<String> = rows.statistic(Statistic::RiskDifference).filter_map(reason).collect();
        reasons.dedup();
        return match reasons.as_slice() {
            [] => Vec::new(),
            [only] => vec![html! { "Nothing could be compared: " (only) "." }],
            _ => vec![html! { "Nothing could be compared; the table says why." }],
        };
    }
    let many = differences.len() > MANY;
    let told: Vec<&Difference<'_>> = differences.iter().filter(|one| !many || one.stands()).collect();
    let mut sentences: Vec<Sentence> = told.iter().map(|one| one.sentence(rows, telling.catalogue)).collect();
    let others = differences.len() - told.len();
    if others > 0 {
        let which = if told.is_empty() { "None of the " } else { "None of the other " };
        sentences.push(html! {
            (which) (format::whole(others as u64)) " comparisons shows a clear difference once the number of comparisons is allowed for."
        });
    }
    sentences
}

/// A risk difference that could be estimated, with its interval and the adjusted p-value of its test.
struct Difference<'a> {
    row: &'a ReleasedRow,
    low: f64,
    high: f64,
    adjusted: Option<&'a ReleasedRow>,
}

impl<'a> Difference<'a> {
    fn of(rows: &Rows<'a>, row: &'a ReleasedRow) -> Option<Difference<'a>> {
        row.value?;
        let same = |other: &&ReleasedRow| other.outcome == row.outcome && other.group == row.group;
        let adjusted = rows.statistic(Statistic::PAdjusted).filter(|other| other.value.is_some()).find(same);
        Some(Difference { row, low: row.low?, high: row.high?, adjusted })
    }

    fn differs(&self) -> bool {
        self.low > 0.0 || self.high < 0.0
    }

    /// Whether the difference is still clear among all that were looked at.
    fn holds(&self) -> bool {
        self.adjusted.is_none_or(|p| p.value < Some(STANDS))
    }

    fn stands(&self) -> bool {
        self.differs() && self.holds()
    }

    fn sentence(&self, rows: &Rows<'_>, catalogue: &Catalogue) -> Sentence {
        let Difference { row, low, high, adjusted } = self;
        let ratio = rows.beside(row, Statistic::RiskRatio).filter(|ratio| ratio.value.is_some());
        let verdict = match (*low > 0.0, *high < 0.0) {
            (true, _) => "more often",
            (_, true) => "less often",
            _ => "not clearly more or less often",
        };
        let (group, strata) = row
            .group
            .split_last()
            .map_or((String::new(), &[][..]), |((_, value), strata)| (value_label(value), strata));
        let against = row.comparator.split_once('=').map(|(_, value)| value_label(value)).unwrap_or_default();
        html! {
            @if !strata.is_empty() { "At " (group_text(strata)) ", " }
            strong { (label(catalogue, &row.outcome)) } " was found " (verdict) " in " (group) " than in " (against)
            ": difference " (number(row, &format::value_and_interval(row))) " percentage points"
            @if let Some(ratio) = ratio { ", risk ratio " (number(ratio, &format::value_and_interval(ratio))) }
            @if let (true, false, Some(p)) = (self.differs(), self.holds(), adjusted) {
                ". This may be chance: so many comparisons were made that it does not hold among them ("
                (number(p, &format::p_phrase(p.value.unwrap_or(1.0)))) " after adjustment)"
            }
            "."
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::sentences;
    use super::*;
    use crate::results::{Policy, Profile, ResultRow, release};
    use maud::Markup;

    /// A difference of `value` ± 1 percentage point at a clinic, with its adjusted p-value.
    fn difference(clinic: &str, value: f64, adjusted: f64) -> [ResultRow; 2] {
        let row = |statistic, value| ResultRow {
            outcome: "pih".to_owned(),
            group: vec![("clinic_id".to_owned(), clinic.to_owned()), ("modality".to_owned(), "rf".to_owned())],
            comparator: "modality=pen".to_owned(),
            unit: "proportion",
            value: Some(value),
            ..ResultRow::empty("a", "contrast", statistic)
        };
        let ends = |row: ResultRow| ResultRow { low: Some(value - 0.01), high: Some(value + 0.01), ..row };
        [ends(row(Statistic::RiskDifference, value)), row(Statistic::PAdjusted, adjusted)]
    }

    fn told(rows: Vec<ResultRow>) -> Vec<String> {
        let (released, catalogue) = (release(rows, Policy { profile: Profile::None }), Catalogue::built_in());
        let sentences = sentences(&released, "contrast", ("a", &mut Telling::new(&catalogue)));
        sentences.into_iter().map(Markup::into_string).collect()
    }

    #[test]
    fn a_difference_that_does_not_hold_among_many_is_not_told_as_if_it_did() {
        let told_of = |adjusted| told(difference("north", 0.035, adjusted).to_vec()).remove(0);
        assert!(told_of(0.01).contains("was found more often in"), "{}", told_of(0.01));
        assert!(!told_of(0.01).contains("may be chance"));
        assert!(told_of(0.81).contains("This may be chance"), "{}", told_of(0.81));
        assert!(told_of(0.01).contains("north"), "which clinic?");
    }

    #[test]
    fn of_many_comparisons_those_that_stand_out_are_told() {
        let clinics = (0..20).map(|at| format!("c{at}"));
        let rows: Vec<ResultRow> = clinics
            .enumerate()
            .flat_map(
                |(at, clinic)| if at == 7 { difference(&clinic, 0.09, 0.001) } else { difference(&clinic, 0.0, 0.9) },
            )
            .collect();
        let told = told(rows);
        assert_eq!(told.len(), 2);
        assert!(told[0].contains("c7") && told[1].starts_with("None of the other 19 comparisons"), "{told:?}");
    }
}
