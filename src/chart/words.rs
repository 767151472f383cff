//! Names as people read them, and sentences made from rows.

use super::ChartRequest;
use crate::domain::{COLUMNS, Kind};
use crate::results::release::ReleasedRow;
use crate::results::{ResultRow, Statistic, format};

/// The chart's name of a side effect: its short label, or the code itself.
pub(super) fn outcome(code: &str, request: &ChartRequest<'_>) -> String {
    let known = request.catalogue.find(code).map(|id| request.catalogue.get(id).short_label());
    known.map_or_else(|| capital(&code.replace('_', " ")), str::to_owned)
}

/// Place of a side effect in the catalogue; unknown codes come last.
pub(super) fn order(code: &str, request: &ChartRequest<'_>) -> usize {
    request.catalogue.find(code).map_or(usize::MAX, |id| id.index())
}

/// A column as a heading: `needle depth (mm)`.
pub(super) fn column(name: &str) -> String {
    match name {
        "fitzpatrick" => return "Fitzpatrick type".to_owned(),
        "monk" => return "Monk skin tone".to_owned(),
        "ita_degrees" => return "ITA (degrees)".to_owned(),
        "ita_class" => return "ITA class".to_owned(),
        "clinic_id" => return "clinic".to_owned(),
        "practitioner_id" => return "practitioner".to_owned(),
        _ => {}
    }
    for (end, unit) in [("_mm", "mm"), ("_mj", "mJ"), ("_ms", "ms"), ("_years", "years"), ("_days", "days")] {
        if let Some(stem) = name.strip_suffix(end) {
            return format!("{} ({unit})", stem.replace('_', " ").replace("rf ", "RF "));
        }
    }
    name.replace('_', " ")
}

/// The value of a group column as a name. Codes lose their underscores; free text stays as it is written.
pub(super) fn group_value(name: &str, value: &str) -> String {
    if value == ResultRow::MISSING {
        return "Not recorded".to_owned();
    }
    let coded = COLUMNS.iter().any(|known| known.name == name && matches!(known.kind, Kind::Code(..)));
    match (name, value) {
        ("modality", "rf") => "RF".to_owned(),
        _ if coded => capital(&value.replace('_', " ")),
        _ => value.strip_prefix(">=").map_or_else(|| value.to_owned(), |edge| format!("≥{edge}")),
    }
}

/// The values of a row's groups, joined; `All` for everybody.
pub(super) fn group(row: &ResultRow) -> String {
    let values: Vec<String> = row.group.iter().map(|(column, value)| group_value(column, value)).collect();
    if values.is_empty() { "All".to_owned() } else { values.join(" · ") }
}

/// Whether a value of the row's group is missing.
pub(super) fn is_missing(row: &ResultRow) -> bool {
    row.group.iter().any(|(_, value)| value == ResultRow::MISSING)
}

/// A test's method id as a name: `Cochran–Armitage, Rao–Scott`.
pub(super) fn test(method: &str) -> String {
    let named = method.replace("cochran_armitage", "Cochran–Armitage").replace("_rao_scott", ", Rao–Scott");
    named.replace("_exact", ", exact").replace('_', " ")
}

/// First letter in upper case.
pub(super) fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// What the rates are shares of: `assessed sessions`, or `sessions` where nobody is left out.
pub(super) fn population(rates: &[&ReleasedRow], beside: bool) -> String {
    let counted = rates.first().map_or("", |row| row.counted);
    let counted = if counted.is_empty() { "sessions" } else { counted };
    if beside { format!("assessed {counted}") } else { counted.to_owned() }
}

/// Level of the rows' intervals: `95 %`.
pub(super) fn level(rows: &[&ReleasedRow]) -> String {
    rows.iter().find_map(|row| row.level).map_or_else(String::new, format::level)
}

/// `95 % interval`, or `interval` when no row says its level.
pub(super) fn interval(rows: &[&ReleasedRow]) -> String {
    format!("{} interval", level(rows)).trim().to_owned()
}

/// One row as part of a sentence: `PIH 8.8 % (7.7–10.1), 211/2,385`.
pub(super) fn spoken(name: &str, row: &ReleasedRow) -> String {
    let counts = format::n_of_row(row).map_or_else(String::new, |counts| format!(", {counts}"));
    let estimate = if row.value.is_none() { "not estimable".to_owned() } else { format::value_and_interval(row) };
    format!("{name} {estimate}{counts}")
}

/// The rows of the analysis with this statistic.
pub(super) fn rows<'a>(all: &[&'a ReleasedRow], statistic: Statistic) -> Vec<&'a ReleasedRow> {
    all.iter().copied().filter(|row| row.statistic == statistic).collect()
}

/// The row of the same outcome and group with another statistic and no term.
pub(super) fn beside<'a>(all: &[&'a ReleasedRow], row: &ReleasedRow, statistic: Statistic) -> Option<&'a ReleasedRow> {
    let same = |other: &&&ReleasedRow| {
        other.statistic == statistic
            && other.outcome == row.outcome
            && other.group == row.group
            && other.term == row.term
    };
    all.iter().find(same).copied()
}

/// Different values in the order of their first appearance.
pub(super) fn distinct<T: PartialEq>(values: impl Iterator<Item = T>) -> Vec<T> {
    let mut seen: Vec<T> = Vec::new();
    for value in values {
        if !seen.contains(&value) {
            seen.push(value);
        }
    }
    seen
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tests_carry_the_names_of_their_authors() {
        assert_eq!(test("cochran_armitage_rao_scott"), "Cochran–Armitage, Rao–Scott");
        assert_eq!(test("cochran_armitage_exact_mid_p"), "Cochran–Armitage, exact mid p");
    }

    #[test]
    fn columns_and_values_read_as_words() {
        assert_eq!(column("needle_depth_mm"), "needle depth (mm)");
        assert_eq!(column("rf_energy_mj"), "RF energy (mJ)");
        assert_eq!(column("fitzpatrick"), "Fitzpatrick type");
        assert_eq!(group_value("indication", "acne_scars"), "Acne scars");
        assert_eq!(group_value("clinic_id", "north_east"), "north_east");
        assert_eq!(group_value("fitzpatrick", "(missing)"), "Not recorded");
    }
}
