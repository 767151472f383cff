//! Which column a header names: by its canonical name, by what clinics write, by likeness.

use super::lexicon::{Lexicon, key};
use crate::domain::{Column, Kind, Table};
use crate::validate::number::{Unit, find_unit, units};
use crate::validate::spelling::fold_header;

/// How well a header names a column, the best last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    /// It holds a known word among others.
    Contains,
    /// It is spelled almost like a known word.
    Alike,
    /// It is a known word.
    Known,
    /// It is the canonical name.
    Canonical,
}

/// A header, taken apart.
pub(super) struct Name {
    /// In full.
    folded: String,
    key: String,
    /// Without what stands behind it: units, scale ends, «yes/no».
    base: String,
    /// What stands behind it.
    behind: Vec<String>,
}

const BEHIND: &[&str] =
    &["in", "en", "i", "vi", "yes", "no", "ja", "nein", "oui", "non", "si", "y", "n", "j", "o", "pro", "per"];
/// Units that no column has, without regard to spelling.
const FOREIGN: &[&str] = &[
    "ft", "feet", "foot", "m", "km", "dm", "nm", "pt", "kj", "uj", "µj", "w", "watt", "kw", "hz", "h", "hr", "hours",
    "min", "minutes", "ns", "g", "gauge", "mil", "mils", "thou",
];
/// Units of all columns, by the columns' own unit.
const OWN_UNITS: &[&str] = &["mm", "mJ", "ms", "degrees", "days", "years", "needles", "passes", "0–10", "points"];

impl Name {
    pub(super) fn new(header: &str) -> Name {
        let folded = fold_header(header);
        let mut tokens: Vec<&str> = folded.split(' ').collect();
        let mut behind = Vec::new();
        while let Some(last) = tokens.last().filter(|last| tokens.len() > 1 && stands_behind(last)) {
            behind.push((*last).to_owned());
            tokens.pop();
        }
        Name { key: key(&folded), base: key(&tokens.join(" ")), folded, behind }
    }

    /// The unit that the header names, of those that the column has.
    pub(super) fn unit(&self, column: &Column) -> Option<&'static Unit> {
        let units = units(own_unit(column));
        self.behind.iter().find_map(|token| find_unit(units, if *token == "µm" { "um" } else { token }))
    }

    pub(super) fn level(&self, column: &Column, lexicon: &Lexicon) -> Option<Level> {
        let names = |key: &str| lexicon.columns(key).iter().any(|name| name == column.name);
        if self.folded == fold_header(column.name) {
            return Some(Level::Canonical);
        }
        if names(&self.key) || names(&self.base) {
            return Some(Level::Known);
        }
        if self.is_known(lexicon) {
            // Another column's word: likeness would only confuse.
            return None;
        }
        let own = lexicon.keys(column.name);
        let alike = |word: &str| {
            word.len() >= 5
                && strsim::jaro_winkler(&self.base, word) >= 0.93
                && self.base.len().abs_diff(word.len()) <= 2
        };
        let tokens: Vec<&str> = self.key.split(' ').collect();
        let contains = |word: &str| word.len() >= 4 && word.split(' ').all(|token| tokens.contains(&token));
        if own.iter().any(|word| alike(word)) {
            return Some(Level::Alike);
        }
        own.iter().any(|word| contains(word)).then_some(Level::Contains)
    }

    /// Whether the header is a known word for some column.
    pub(super) fn is_known(&self, lexicon: &Lexicon) -> bool {
        !lexicon.columns(&self.key).is_empty() || !lexicon.columns(&self.base).is_empty()
    }

    /// Letters of the known word: a longer one says more.
    pub(super) fn length(&self) -> usize {
        self.base.len()
    }
}

/// What stands in brackets in the header of a numeric column and is a unit or a scale, but none that the column has:
/// `0-100` of a pain that goes to 10, `ft` of a depth.
pub(super) fn foreign_unit<'h>(header: &'h str, column: &Column) -> Option<&'h str> {
    let (lowest, highest) = match column.kind {
        Kind::Number { lowest, highest, .. } => (lowest, highest),
        Kind::Integer { lowest, highest, .. } => (f64::from(lowest), f64::from(highest)),
        _ => return None,
    };
    let own = units(own_unit(column));
    let is_foreign = |text: &&str| match ends(text) {
        Some((low, high)) => low < lowest || high > highest,
        None if find_unit(own, text).is_some() => false,
        None => {
            let of_others = OWN_UNITS.iter().any(|other| find_unit(units(other), text).is_some());
            of_others || FOREIGN.contains(&fold_header(text).as_str())
        }
    };
    let inside = header.split(['(', '[']).skip(1).filter_map(|part| part.split([')', ']']).next());
    inside.map(str::trim).find(is_foreign)
}

/// The ends of a scale: `0-100`, `1 – 5`.
fn ends(text: &str) -> Option<(f64, f64)> {
    let (low, high) = text.split_once(['-', '–'])?;
    Some((low.trim().parse().ok()?, high.trim().parse().ok()?))
}

fn stands_behind(token: &str) -> bool {
    let is_unit = OWN_UNITS.iter().any(|own| find_unit(units(own), token).is_some());
    is_unit || BEHIND.contains(&token) || token.bytes().all(|byte| byte.is_ascii_digit())
}

/// The unit of a column's numbers.
pub(super) fn own_unit(column: &Column) -> &'static str {
    match column.kind {
        Kind::Number { unit, .. } | Kind::Integer { unit, .. } => unit,
        _ => "",
    }
}

/// Whether a header names the patient identifier.
pub(super) fn is_patient(header: &str, lexicon: &Lexicon) -> bool {
    let name = Name::new(header);
    let patient = |column: &&Column| matches!(column.kind, Kind::Patient);
    let column = Table::Sessions.columns().iter().find(patient);
    column.and_then(|column| name.level(column, lexicon)).is_some_and(|level| level >= Level::Known)
}

/// How many of a table's columns the header names for certain.
pub(super) fn recognised(header: &[String], table: Table, lexicon: &Lexicon) -> usize {
    let names = header.iter().filter(|name| !name.is_empty()).map(|name| Name::new(name));
    let known = |name: &Name| {
        let mut columns = table.columns().iter();
        columns.any(|column| name.level(column, lexicon).is_some_and(|level| level >= Level::Known))
    };
    names.filter(known).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(header: &str, column: &str, expected: Option<Level>) {
        let all = [Table::Sessions, Table::Events, Table::Assessments];
        let column = all.iter().flat_map(|table| table.columns()).find(|known| known.name == column).unwrap();
        assert_eq!(Name::new(header).level(column, &Lexicon::built_in()), expected, "{header} as {}", column.name);
    }

    #[test]
    fn headers_of_five_languages_are_known() {
        for (header, column) in [
            ("Pt ID", "patient_id"),
            ("Patientennummer", "patient_id"),
            ("N° de dossier", "patient_id"),
            ("Nº paciente", "patient_id"),
            ("Behandlungsdatum", "session_date"),
            ("Date de la séance", "session_date"),
            ("Fecha del tratamiento", "session_date"),
            ("Data del trattamento", "session_date"),
            ("Eindringtiefe", "needle_depth_mm"),
            ("Needle depth [µm]", "needle_depth_mm"),
            ("Profondeur de l'aiguille (mm)", "needle_depth_mm"),
            ("Profundidad de la aguja en mm", "needle_depth_mm"),
            ("Profondità dell'ago", "needle_depth_mm"),
            ("Fototyp", "fitzpatrick"),
            ("Fitzpatrick (I-VI)", "fitzpatrick"),
            ("Schmerz (0-10)", "pain_vas"),
            ("Effets secondaires", "side_effects"),
        ] {
            check(header, column, Some(Level::Known));
        }
    }

    #[test]
    fn likeness_is_told_from_knowledge() {
        check("Fitzpatrik", "fitzpatrick", Some(Level::Alike));
        check("session_id", "session_id", Some(Level::Canonical));
        check("Session ID", "session_id", Some(Level::Canonical));
        check("Alter der Narbe", "age_years", Some(Level::Contains));
        check("Invoice", "session_id", None);
    }

    #[test]
    fn a_unit_behind_a_header_is_found() {
        let column = Table::Sessions.columns().iter().find(|column| column.name == "needle_depth_mm").unwrap();
        let unit = |header: &str| Name::new(header).unit(column).map(|unit| unit.names[0]);
        assert_eq!(unit("Nadeltiefe (µm)"), Some("um"));
        assert_eq!(unit("Depth in mm"), Some("mm"));
        assert_eq!(unit("Depth"), None);
        assert_eq!(unit("needle depth (in)"), Some("in"));
        assert_eq!(unit("Needle depth in inches"), Some("in"));
    }

    #[test]
    fn a_unit_that_the_column_does_not_have_is_seen() {
        let column = |name: &str| Table::Sessions.columns().iter().find(|column| column.name == name).unwrap();
        let (depth, pain) = (column("needle_depth_mm"), column("pain_vas"));
        for (header, column, foreign) in [
            ("Depth (ft)", depth, Some("ft")),
            ("Depth [ms]", depth, Some("ms")),
            ("Depth (µm)", depth, None),
            ("Depth (in)", depth, None),
            ("Depth (max)", depth, None),
            ("Depth (0.25-3.5)", depth, None),
            ("Pain (0-100)", pain, Some("0-100")),
            ("Pain (0–10)", pain, None),
            ("Pain (VAS)", pain, None),
            ("Notes (0-100)", column("indication"), None),
        ] {
            assert_eq!(foreign_unit(header, column), foreign, "{header}");
        }
    }
}
