//! Numbers as people write them: with a unit, with a decimal comma, with groups of thousands.

use super::outcome::Problem;
use super::rules;

/// Which mark separates whole from fraction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Decimal {
    /// `1.5`
    #[default]
    Point,
    /// `1,5`
    Comma,
}

/// A way to write a unit, and what one of it is in the column's own unit: `times / over`, so that 700 µm is 0.7 mm.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Unit {
    pub(super) names: &'static [&'static str],
    times: f64,
    over: f64,
}

impl Unit {
    pub(super) fn convert(&self, value: f64) -> f64 {
        value * self.times / self.over
    }
}

const fn unit(names: &'static [&'static str], times: f64, over: f64) -> Unit {
    Unit { names, times, over }
}

/// Units by the unit of the column, which stands first. Names in lower case, µ as u.
const UNITS: &[(&str, &[Unit])] = &[
    (
        "mm",
        &[
            unit(&["mm", "millimeter", "millimeters", "millimetre", "millimetres"], 1.0, 1.0),
            unit(&["um", "micron", "microns", "micrometer", "micrometers", "micrometre", "mikrometer"], 1.0, 1000.0),
            unit(&["cm"], 10.0, 1.0),
            unit(&["in", "inch", "inches", "\"", "″", "zoll"], 254.0, 10.0),
        ],
    ),
    ("mJ", &[unit(&["mj", "millijoule", "millijoules"], 1.0, 1.0), unit(&["j", "joule", "joules"], 1000.0, 1.0)]),
    (
        "ms",
        &[
            unit(&["ms", "msec", "milliseconds"], 1.0, 1.0),
            unit(&["s", "sec", "second", "seconds"], 1000.0, 1.0),
            unit(&["us"], 1.0, 1000.0),
        ],
    ),
    ("degrees", &[unit(&["degrees", "degree", "deg", "°"], 1.0, 1.0)]),
    (
        "days",
        &[
            unit(&["days", "day", "d", "tag", "tage", "tagen"], 1.0, 1.0),
            unit(&["weeks", "week", "wk", "wks", "w", "woche", "wochen"], 7.0, 1.0),
        ],
    ),
    (
        "years",
        &[
            unit(&["years", "year", "yrs", "yr", "y", "jahre", "jahr", "j"], 1.0, 1.0),
            unit(&["months", "month", "mo", "monate", "monat"], 1.0, 12.0),
        ],
    ),
    ("needles", &[unit(&["needles", "needle", "pins", "pin", "tips"], 1.0, 1.0)]),
    ("passes", &[unit(&["passes", "pass", "x"], 1.0, 1.0)]),
    ("0–10", &[unit(&["/10", "of10", "outof10"], 1.0, 1.0)]),
    ("points", &[unit(&["points", "point", "pts"], 1.0, 1.0)]),
];

/// Ways to write the units of a column whose own unit is `of`.
pub(super) fn units(of: &str) -> &'static [Unit] {
    UNITS.iter().find(|(own, _)| *own == of).map_or(&[], |(_, units)| units)
}

/// The unit of a name, among those of a column.
pub(super) fn find_unit(units: &'static [Unit], name: &str) -> Option<&'static Unit> {
    let name = unit_name(name);
    units.iter().find(|unit| unit.names.contains(&name.as_str()))
}

fn unit_name(text: &str) -> String {
    let letters = text.chars().filter(|letter| !letter.is_whitespace()).flat_map(char::to_lowercase);
    let name: String = letters.map(|letter| if letter == 'µ' || letter == 'μ' { 'u' } else { letter }).collect();
    name.strip_suffix('.').unwrap_or(&name).to_owned()
}

/// How the numbers of a column are written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writing {
    pub(super) decimal: Decimal,
    pub(super) units: &'static [Unit],
    /// Unit of values that name none.
    pub(super) unit: Option<&'static Unit>,
}

/// Reads a number into the column's own unit.
pub(super) fn number(text: &str, writing: &Writing) -> Result<f64, Problem> {
    if let Some(value) = plain(text, writing.decimal) {
        return Ok(writing.unit.map_or(value, |unit| unit.convert(value)));
    }
    let text = text.replace(['−', '–'], "-");
    let (digits, rest) = split(&text);
    if digits.is_empty() || digits == "-" || digits == "+" {
        return Err(Problem::new(rules::NOT_A_NUMBER, "give one number, with or without its unit"));
    }
    let rest = rest.trim();
    let named = find_unit(writing.units, rest);
    if named.is_none() && is_range(rest) {
        return Err(Problem::new(rules::RANGE_GIVEN, "a range; decide for one value, or map it in [values]"));
    }
    let value = normalised(digits, writing.decimal)?;
    match (rest.is_empty(), named) {
        (true, _) => Ok(writing.unit.map_or(value, |unit| unit.convert(value))),
        (false, Some(unit)) => Ok(unit.convert(value)),
        (false, None) => Err(unknown_unit(writing)),
    }
}

fn unknown_unit(writing: &Writing) -> Problem {
    let known: Vec<&str> = writing.units.iter().filter_map(|unit| unit.names.first().copied()).collect();
    if known.is_empty() {
        return Problem::new(rules::NOT_A_NUMBER, "give one number without a unit");
    }
    Problem::new(rules::UNKNOWN_UNIT, format!("the unit is not one of {}", known.join(", ")))
}

/// The short way, for what most fields hold: digits and perhaps one decimal mark. Up to 2⁵³ and 10²² both parts are exact as
/// floating-point numbers, so that one division rounds as reading the decimal text does.
fn plain(text: &str, decimal: Decimal) -> Option<f64> {
    const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
    let bytes = text.as_bytes();
    let (negative, unsigned) = match bytes {
        [b'-', rest @ ..] => (true, rest),
        _ => (false, bytes),
    };
    if unsigned.is_empty() || unsigned.len() > 15 || !unsigned[0].is_ascii_digit() {
        return None;
    }
    let mark = if decimal == Decimal::Point { b'.' } else { b',' };
    let (mut digits, mut behind, mut marked) = (0u64, 0usize, false);
    for byte in unsigned {
        match byte {
            b'0'..=b'9' => {
                digits = digits * 10 + u64::from(byte - b'0');
                behind += usize::from(marked);
            }
            byte if *byte == mark && !marked => marked = true,
            _ => return None,
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "15 digits at most: exact")]
    let value = digits as f64 / POWERS[behind];
    Some(if negative { -value } else { value })
}

/// Splits the number from what follows it.
fn split(text: &str) -> (&str, &str) {
    let bytes = text.as_bytes();
    let mut at = usize::from(matches!(bytes.first(), Some(b'-' | b'+')));
    while bytes.get(at).is_some_and(|byte| byte.is_ascii_digit() || matches!(byte, b'.' | b',')) {
        at += 1;
    }
    if at > 0 && bytes[at - 1].is_ascii_digit() && matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'-' | b'+')));
        let power = bytes[at + 1 + sign..].iter().take_while(|byte| byte.is_ascii_digit()).count();
        at += if power > 0 { 1 + sign + power } else { 0 };
    }
    text.split_at(at)
}

/// Whether what follows a number makes it a range: `-2.0`, `to 2`, `/2`.
fn is_range(rest: &str) -> bool {
    let begins = rest.starts_with(['-', '/', '~']) || ["to", "bis", "or"].iter().any(|word| rest.starts_with(word));
    let digit = |letter: char| letter.is_ascii_digit();
    begins && rest.contains(digit) || rest.find('-').is_some_and(|at| at > 0 && rest[at..].contains(digit))
}

fn normalised(digits: &str, decimal: Decimal) -> Result<f64, Problem> {
    let (point, group) = match decimal {
        Decimal::Point => ('.', ','),
        Decimal::Comma => (',', '.'),
    };
    let ambiguous = || {
        let (mark, other) = if decimal == Decimal::Point { ("comma", ",") } else { ("point", ".") };
        let hint = format!(
            "a {mark} could be a decimal mark or a group of thousands; set [read] decimal = \"{other}\" if it is the decimal mark"
        );
        Problem::new(rules::AMBIGUOUS_NUMBER, hint)
    };
    let text = match (digits.contains(group), digits.contains(point)) {
        (false, _) => digits.replace(point, "."),
        (true, true) if grouped(digits, point, group) => digits.replace(group, "").replace(point, "."),
        _ => return Err(ambiguous()),
    };
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value),
        _ => Err(Problem::new(rules::NOT_A_NUMBER, "give one number, with or without its unit")),
    }
}

/// Whether the groups before the decimal mark are groups of three: `1.234,5`.
fn grouped(digits: &str, point: char, group: char) -> bool {
    let Some((whole, fraction)) = digits.split_once(point) else { return false };
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let first = groups.next().map_or(0, str::len);
    (1..=3).contains(&first) && groups.all(|group| group.len() == 3) && !fraction.contains([point, group])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, of: &str, decimal: Decimal) -> Result<f64, &'static str> {
        number(text, &Writing { decimal, units: units(of), unit: None }).map_err(|problem| problem.rule)
    }

    #[track_caller]
    fn check(text: &str, of: &str, expected: Result<f64, &'static str>) {
        assert_eq!(read(text, of, Decimal::Point), expected, "{text}");
    }

    #[test]
    fn numbers_are_read_with_their_units() {
        check("1.5", "mm", Ok(1.5));
        check("1.5 mm", "mm", Ok(1.5));
        check("1500 µm", "mm", Ok(1.5));
        check("1500μm", "mm", Ok(1.5));
        check("700 um", "mm", Ok(0.7));
        check("250 Micron", "mm", Ok(0.25));
        check("0.15 cm", "mm", Ok(1.5));
        check("2 weeks", "days", Ok(14.0));
        check("0.05 J", "mJ", Ok(50.0));
        check("7/10", "0–10", Ok(7.0));
        check("3x", "passes", Ok(3.0));
        check("−12.5°", "degrees", Ok(-12.5));
        check("1.5e-1", "mm", Ok(0.15));
    }

    /// Judged by the standard library's reading of the same text.
    #[test]
    fn the_short_way_reads_what_the_long_way_reads() {
        let mut state = 1u64;
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let whole = state >> 33 >> (state & 31);
            let text = match state >> 20 & 3 {
                0 => format!("{whole}"),
                1 => format!("{whole}.{}", state & 0xFF_FFFF),
                2 => format!("-0.{:06}", state & 0xFFFF),
                _ => format!("{whole}."),
            };
            let bits = |value: Option<f64>| value.map(f64::to_bits);
            if let Some(value) = plain(&text, Decimal::Point) {
                assert_eq!(bits(Some(value)), bits(text.parse().ok()), "{text}");
                assert_eq!(bits(Some(value)), bits(plain(&text.replace('.', ","), Decimal::Comma)), "{text}");
            }
        }
        for text in ["", "-", ".", "1.2.3", "-.5", "1e5", "+1", "1234567890123456"] {
            assert_eq!(plain(text, Decimal::Point), None, "{text}");
        }
        assert_eq!(plain("1.5", Decimal::Comma), None);
    }

    #[test]
    fn what_is_no_single_number_is_refused() {
        check("1,5", "mm", Err(rules::AMBIGUOUS_NUMBER));
        check("1,500", "mm", Err(rules::AMBIGUOUS_NUMBER));
        check("1.5-2.0", "mm", Err(rules::RANGE_GIVEN));
        check("1 – 2 mm", "mm", Err(rules::RANGE_GIVEN));
        check("1 mm - 2 mm", "mm", Err(rules::RANGE_GIVEN));
        check("deep", "mm", Err(rules::NOT_A_NUMBER));
        check("<5", "mm", Err(rules::NOT_A_NUMBER));
        check("NaN", "mm", Err(rules::NOT_A_NUMBER));
        check("inf", "mm", Err(rules::NOT_A_NUMBER));
        check("1e999", "mm", Err(rules::NOT_A_NUMBER));
        check("1.2.3", "mm", Err(rules::NOT_A_NUMBER));
        check("3 ft", "mm", Err(rules::UNKNOWN_UNIT));
        check("1,234.5", "mJ", Ok(1234.5));
    }

    #[test]
    fn with_a_decimal_comma_a_point_is_no_decimal_mark() {
        assert_eq!(read("1,5 mm", "mm", Decimal::Comma), Ok(1.5));
        assert_eq!(read("1.234,5", "mJ", Decimal::Comma), Ok(1234.5));
        assert_eq!(read("15", "mm", Decimal::Comma), Ok(15.0));
        assert_eq!(read("1.5", "mm", Decimal::Comma), Err(rules::AMBIGUOUS_NUMBER));
    }

    #[test]
    fn a_unit_in_the_value_wins_over_the_columns() {
        let units = units("mm");
        let writing = Writing { decimal: Decimal::Point, units, unit: find_unit(units, "um") };
        assert_eq!(number("1500", &writing), Ok(1.5));
        assert_eq!(number("1.5 mm", &writing), Ok(1.5));
    }
}
