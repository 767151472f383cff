//! Numbers as people read them: the one place where a row's number becomes text, so that picture, page and table
//! never disagree. Rounds half away from zero; computes nothing.

use super::row::{ResultRow, Statistic};
use crate::domain::amount::commas;
pub use crate::domain::amount::whole;

/// Stands where a number could not be estimated; the row's `warning` says why.
pub const NOT_ESTIMABLE: &str = "NE";

/// Keeps a number and its unit on one line.
const NO_BREAK: char = '\u{a0}';

/// A number with `decimals` decimals, half away from zero; `−` is a true minus sign, infinity is `∞`.
///
/// A number that is within one part in 10¹² of a tie counts as a tie, so that 28.25 % of 113/400, which no binary
/// fraction holds exactly, rounds to 28.3.
///
/// ```
/// use stipple::results::format::fixed;
/// assert_eq!(fixed(2.5, 0), "3");
/// assert_eq!(fixed(-1.25, 1), "−1.3");
/// ```
#[must_use]
pub fn fixed(number: f64, decimals: usize) -> String {
    if number.is_nan() {
        return NOT_ESTIMABLE.to_owned();
    }
    if number.is_infinite() {
        return if number > 0.0 { "∞".to_owned() } else { "−∞".to_owned() };
    }
    let shift = 10_f64.powi(i32::try_from(decimals).unwrap_or(0));
    let scaled = number.abs() * shift;
    let whole = scaled.floor();
    let up = scaled - whole >= 0.5 - (scaled * 1e-12).min(1e-6);
    let steps = if up { whole + 1.0 } else { whole };
    let text = format!("{:.decimals$}", steps / shift);
    if number < 0.0 && steps > 0.0 { format!("−{text}") } else { text }
}

/// A whole number with commas between thousands: `2,385`.
#[must_use]
pub fn count(number: f64) -> String {
    let digits = fixed(number, 0);
    let (sign, digits) = digits.strip_prefix('−').map_or(("", digits.as_str()), |rest| ("−", rest));
    if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return format!("{sign}{digits}");
    }
    format!("{sign}{}", commas(digits))
}

/// `211/2,385`.
#[must_use]
pub fn n_of(numerator: f64, denominator: f64) -> String {
    format!("{}/{}", count(numerator), count(denominator))
}

/// A proportion as percent with one decimal and no sign: `8.8`.
#[must_use]
pub fn percent_number(proportion: f64) -> String {
    fixed(proportion * 100.0, 1)
}

/// A proportion as percent with one decimal: `8.8 %`. What is more than nothing never reads 0.0, and what is less
/// than everything never reads 100.0: `<0.1 %`, `>99.9 %`.
#[must_use]
pub fn percent(proportion: f64) -> String {
    format!("{}{NO_BREAK}%", percent_bounded(proportion))
}

fn percent_bounded(proportion: f64) -> String {
    let text = percent_number(proportion);
    match text.as_str() {
        "0.0" if proportion > 0.0 => "<0.1".to_owned(),
        "100.0" if proportion < 1.0 => ">99.9".to_owned(),
        _ => text,
    }
}

/// A difference of proportions in percentage points, with its sign: `+1.2`.
#[must_use]
pub fn points(difference: f64) -> String {
    let text = fixed(difference * 100.0, 1);
    if difference > 0.0 { format!("+{text}") } else { text }
}

/// A p-value to three decimals, `<0.001` under that.
#[must_use]
pub fn p_value(p: f64) -> String {
    if p < 0.001 { "<0.001".to_owned() } else { fixed(p, 3) }
}

/// A p-value with its name: `p = 0.012`, `p < 0.001`.
#[must_use]
pub fn p_phrase(p: f64) -> String {
    let text = p_value(p);
    text.strip_prefix('<')
        .map_or_else(|| format!("p{NO_BREAK}={NO_BREAK}{text}"), |limit| format!("p{NO_BREAK}<{NO_BREAK}{limit}"))
}

/// A ratio with two decimals; more than nothing never reads 0.00.
#[must_use]
pub fn ratio(value: f64) -> String {
    let text = fixed(value, 2);
    if text == "0.00" && value > 0.0 { "<0.01".to_owned() } else { text }
}

/// Days: whole ones plain, others with one decimal; `1 day`, `3.5 days`.
#[must_use]
pub fn days(value: f64) -> String {
    let whole = fixed(value, 1);
    let number = whole.strip_suffix(".0").unwrap_or(&whole);
    let word = if number == "1" { "day" } else { "days" };
    format!("{number}{NO_BREAK}{word}")
}

/// Two ends as one text: `7.7–10.1`; ` to ` between them where a minus or plus sign would make the dash unclear.
#[must_use]
pub fn ends(low: &str, high: &str) -> String {
    let signed = [low, high].iter().any(|end| end.starts_with(['−', '+']));
    if signed { format!("{low} to {high}") } else { format!("{low}–{high}") }
}

/// One number in the unit of its row, without the name of the unit.
#[must_use]
pub fn in_unit(number: f64, row: &ResultRow) -> String {
    match (row.statistic, row.unit) {
        (Statistic::RiskDifference, _) => points(number),
        (Statistic::PValue | Statistic::PAdjusted, _) => p_value(number),
        (_, "proportion") => percent_number(number),
        (_, "count") => count(number),
        (_, "days") => days(number),
        (_, "ratio") => ratio(number),
        (Statistic::NumberNeededToHarm, _) => fixed(number, 1),
        _ => fixed(number, 2),
    }
}

/// The row's value with its unit where that is a sign: `8.8 %`, `1.52`, `2,385`; `NE` without a value.
#[must_use]
pub fn value(row: &ResultRow) -> String {
    let Some(number) = row.value else { return NOT_ESTIMABLE.to_owned() };
    match row.unit {
        "proportion" if row.statistic != Statistic::RiskDifference => percent(number),
        _ => in_unit(number, row),
    }
}

/// The row's interval without brackets: `7.7–10.1`; `None` when the row has none. The upper end of a proportion that is
/// more than nothing never reads 0.0, nor the lower end of one that is less than everything 100.0: `0.0–<0.1`.
#[must_use]
pub fn interval(row: &ResultRow) -> Option<String> {
    let (low, high) = (row.low?, row.high?);
    let end = |number: f64, beyond: f64| match row.unit {
        "proportion"
            if row.statistic != Statistic::RiskDifference && percent_number(number) == percent_number(beyond) =>
        {
            percent_bounded(number)
        }
        _ => in_unit(number, row),
    };
    Some(ends(&end(low, 1.0), &end(high, 0.0)))
}

/// Value and interval: `8.8 % (7.7–10.1)`; the value alone without an interval; `NE` without a value.
#[must_use]
pub fn value_and_interval(row: &ResultRow) -> String {
    match (row.value, interval(row)) {
        (Some(_), Some(interval)) => format!("{} ({interval})", value(row)),
        (None, Some(interval)) => format!("{NOT_ESTIMABLE} ({interval})"),
        _ => value(row),
    }
}

/// `n/N` of the row; `None` when it was not made of two counts.
#[must_use]
pub fn n_of_row(row: &ResultRow) -> Option<String> {
    Some(n_of(row.numerator?, row.denominator?))
}

/// Level of an interval: `95 %`.
#[must_use]
pub fn level(level: f64) -> String {
    let text = fixed(level * 100.0, 1);
    format!("{}{NO_BREAK}%", text.strip_suffix(".0").unwrap_or(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(value: Option<f64>, low: Option<f64>, high: Option<f64>) -> ResultRow {
        ResultRow {
            value,
            low,
            high,
            unit: "proportion",
            ..ResultRow::empty("rates", "side_effect_rates", Statistic::Rate)
        }
    }

    #[test]
    fn rounds_half_away_from_zero() {
        for (number, decimals, text) in [
            (0.5, 0, "1"),
            (-0.5, 0, "−1"),
            (2.5, 0, "3"),
            (0.05, 1, "0.1"),
            (1.005, 2, "1.01"),
            (-0.04, 1, "0.0"),
            (0.0, 1, "0.0"),
            (99.949_999, 1, "99.9"),
            (1e15, 0, "1000000000000000"),
            (f64::INFINITY, 2, "∞"),
            (f64::NEG_INFINITY, 2, "−∞"),
            (f64::NAN, 2, "NE"),
        ] {
            assert_eq!(fixed(number, decimals), text, "{number}");
        }
        // 113/400 = 28.25 % and 1/16 = 6.25 %, by hand.
        assert_eq!(percent_number(113.0 / 400.0), "28.3");
        assert_eq!(percent_number(1.0 / 16.0), "6.3");
    }

    #[test]
    fn counts_have_commas() {
        for (number, text) in
            [(0.0, "0"), (999.0, "999"), (2385.0, "2,385"), (1_000_000.0, "1,000,000"), (-12_345.0, "−12,345")]
        {
            assert_eq!(count(number), text);
        }
        assert_eq!(n_of(211.0, 2385.0), "211/2,385");
    }

    #[test]
    fn percent_never_hides_an_event_or_invents_certainty() {
        assert_eq!(percent(211.0 / 2385.0), "8.8\u{a0}%");
        assert_eq!(percent(0.0), "0.0\u{a0}%");
        assert_eq!(percent(0.0001), "<0.1\u{a0}%");
        assert_eq!(percent(0.9999), ">99.9\u{a0}%");
        assert_eq!(percent(1.0), "100.0\u{a0}%");
        assert_eq!(level(0.95), "95\u{a0}%");
        assert_eq!(level(0.998), "99.8\u{a0}%");
    }

    #[test]
    fn the_far_end_of_an_interval_is_never_rounded_to_certainty() {
        let of = |low: f64, high: f64| interval(&rate(Some(low), Some(low), Some(high))).unwrap();
        assert_eq!(of(0.0, 0.000_01), "0.0–<0.1");
        assert_eq!(of(0.000_1, 0.012), "0.0–1.2");
        assert_eq!(of(0.999_9, 1.0), ">99.9–100.0");
        assert_eq!(of(0.0, 0.0), "0.0–0.0");
        assert_eq!(of(0.077, 0.101), "7.7–10.1");
    }

    #[test]
    fn p_values_ratios_and_days() {
        assert_eq!(p_value(0.000_999), "<0.001");
        assert_eq!(p_value(0.0125), "0.013");
        assert_eq!(p_value(1.0), "1.000");
        assert_eq!(p_phrase(0.0), "p\u{a0}<\u{a0}0.001");
        assert_eq!(p_phrase(0.04), "p\u{a0}=\u{a0}0.040");
        assert_eq!(ratio(1.523), "1.52");
        assert_eq!(ratio(0.001), "<0.01");
        assert_eq!(ratio(0.0), "0.00");
        assert_eq!(days(1.0), "1\u{a0}day");
        assert_eq!(days(3.5), "3.5\u{a0}days");
        assert_eq!(days(0.0), "0\u{a0}days");
    }

    #[test]
    fn a_row_reads_as_value_and_interval() {
        let row = rate(Some(0.0885), Some(0.0774), Some(0.1006));
        assert_eq!(value_and_interval(&row), "8.9\u{a0}% (7.7–10.1)");
        assert_eq!(value_and_interval(&rate(None, None, None)), "NE");
        assert_eq!(value_and_interval(&rate(Some(0.5), None, None)), "50.0\u{a0}%");
        let ratio = ResultRow {
            value: Some(2.0),
            low: Some(0.5),
            high: Some(f64::INFINITY),
            unit: "ratio",
            ..ResultRow::empty("c", "contrast", Statistic::OddsRatio)
        };
        assert_eq!(value_and_interval(&ratio), "2.00 (0.50–∞)");
        let difference = ResultRow {
            value: Some(0.012),
            low: Some(-0.0304),
            high: Some(0.05),
            unit: "proportion",
            ..ResultRow::empty("c", "contrast", Statistic::RiskDifference)
        };
        assert_eq!(value_and_interval(&difference), "+1.2 (−3.0 to +5.0)");
    }
}
