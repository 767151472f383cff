//! How many of what, as people read it.

/// A count with commas between thousands: `2,385`.
///
/// ```
/// assert_eq!(stipple::domain::amount::whole(1_234_567), "1,234,567");
/// ```
#[must_use]
pub fn whole(number: u64) -> String {
    commas(&number.to_string())
}

/// A count and its noun, which is given in the singular: `1 row`, `2,385 rows`.
///
/// ```
/// use stipple::domain::amount::of;
/// assert_eq!([of(0, "row"), of(1, "row"), of(2_385, "row")], ["0 rows", "1 row", "2,385 rows"]);
/// ```
#[must_use]
pub fn of(number: u64, noun: &str) -> String {
    format!("{} {noun}{}", whole(number), if number == 1 { "" } else { "s" })
}

/// Digits with commas between thousands.
#[must_use]
pub fn commas(digits: &str) -> String {
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A count, its noun and its verb: `1 row is`, `2,385 rows are`.
#[must_use]
pub fn are(number: u64, noun: &str) -> String {
    format!("{} {}", of(number, noun), if number == 1 { "is" } else { "are" })
}
