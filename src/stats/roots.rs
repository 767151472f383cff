//! Where a monotone function crosses zero.

/// The point between `low` and `high` where `above` turns from true to false, to the last bit that an `f64` holds.
///
/// Bisection is slow and never wrong: an end that does not exist comes out as the end of the range, not as a failure.
pub(super) fn turning_point(low: f64, high: f64, above: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (low, high);
    for _ in 0..200 {
        let middle = low + (high - low) / 2.0;
        if middle <= low || middle >= high {
            break;
        }
        if above(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    low + (high - low) / 2.0
}

#[cfg(test)]
mod tests {
    use super::turning_point;

    #[test]
    fn finds_the_root_of_two() {
        assert!((turning_point(0.0, 2.0, |x| x * x < 2.0) - 2.0_f64.sqrt()).abs() < 1e-15);
    }

    #[test]
    fn without_a_turn_gives_the_end_of_the_range() {
        assert!((turning_point(-1.0, 1.0, |_| true) - 1.0).abs() < 1e-15);
        assert!((turning_point(-1.0, 1.0, |_| false) + 1.0).abs() < 1e-15);
    }
}
