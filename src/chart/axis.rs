//! Scales with honest ticks: a value's place between two edges. Logarithms and square roots are taken here and drawn
//! on an even axis, so that narrow ranges keep their ticks and zeros their place.

use super::font::{self, Weight};
use super::theme::SMALL;
use crate::results::format;

/// How values are spread along the axis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Spread {
    Even,
    SquareRoot,
    Log,
}

/// A tick: its value and its text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tick {
    pub(super) value: f64,
    pub(super) text: String,
}

/// A range of values, its spread, and the ticks it may carry, the weightiest first.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Axis {
    spread: Spread,
    low: f64,
    high: f64,
    ticks: Vec<Tick>,
}

/// Proportions at which an axis may end.
const TOPS: [f64; 17] =
    [0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.08, 0.1, 0.15, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1.0];
/// Ticks of a square-root axis, the weightiest first.
const ROOTS: [f64; 14] = [0.0, 1.0, 0.1, 0.5, 0.01, 0.25, 0.05, 0.75, 0.02, 0.2, 0.001, 0.4, 0.6, 0.9];
/// Ratios are drawn no further out than this; beyond it stands an arrow.
const FARTHEST: f64 = 100.0;

impl Axis {
    /// Proportions from 0 to the highest of `values`; a square-root axis when they lie so far apart that an even one
    /// would crowd the small ones.
    pub(super) fn proportions(middles: &[f64], highest: f64) -> Axis {
        let top = TOPS.into_iter().find(|top| *top >= highest - 1e-12).unwrap_or(1.0);
        let crowded = middles.iter().filter(|middle| **middle < 0.1 * top).count();
        if top >= 0.3 && crowded >= 2 && middles.iter().any(|middle| *middle > 0.3 * top) {
            let mut ticks: Vec<Tick> =
                ROOTS.iter().filter(|tick| **tick <= top).map(|tick| percent_tick(*tick)).collect();
            ticks.insert(1, percent_tick(top));
            return Axis { spread: Spread::SquareRoot, low: 0.0, high: top, ticks };
        }
        let ticks = evenly(0.0, top, even_part(top), percent_tick);
        Axis { spread: Spread::Even, low: 0.0, high: top, ticks }
    }

    /// Differences of proportions around 0, in percentage points.
    pub(super) fn differences(values: &[f64]) -> Axis {
        let (low, high) = ends(values, 0.01);
        let step = step((high - low) / 4.0);
        let (low, high) = ((low / step).floor() * step, (high / step).ceil() * step);
        let text = |value: f64| Tick { value, text: trimmed(&format::points(value)) };
        Axis { spread: Spread::Even, low, high, ticks: evenly(low, high, step, text) }
    }

    /// Ratios around 1, on a logarithmic axis that holds the finite ones.
    pub(super) fn ratios(values: &[f64]) -> Axis {
        let finite = values.iter().copied().filter(|value| *value > 0.0 && value.is_finite());
        let reach = finite.map(|value| value.ln().abs()).fold(2.0_f64.ln(), f64::max).min(FARTHEST.ln()) * 1.1;
        let known: [f64; 15] = [1.0, 0.1, 10.0, 0.01, 100.0, 0.5, 2.0, 0.2, 5.0, 0.25, 4.0, 0.05, 20.0, 0.02, 50.0];
        let wide = reach > 5.0_f64.ln();
        let picked = known.into_iter().filter(|tick| tick.ln().abs() <= reach + 1e-9);
        let picked = picked.filter(|tick| !wide || !((0.22..0.3).contains(tick) || (3.0..4.5).contains(tick)));
        let ticks = picked.map(|value| Tick { value, text: trimmed(&format::fixed(value, 2)) }).collect();
        Axis { spread: Spread::Log, low: (-reach).exp(), high: reach.exp(), ticks }
    }

    /// Plain numbers between the lowest and the highest of `values`, with some room around them.
    pub(super) fn numbers(values: &[f64]) -> Axis {
        let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let (lowest, highest) = if lowest <= highest { (lowest, highest) } else { (0.0, 1.0) };
        let room = ((highest - lowest) * 0.1).max(highest.abs() * 0.02).max(1e-3);
        let step = step((highest - lowest + 2.0 * room) / 3.0);
        let (mut low, high) = (((lowest - room) / step).floor() * step, ((highest + room) / step).ceil() * step);
        if lowest >= 0.0 {
            low = low.max(0.0);
        }
        let decimals = if step >= 1.0 {
            0
        } else if step >= 0.1 {
            1
        } else {
            2
        };
        let text = |value: f64| Tick { value, text: format::fixed(value, decimals) };
        Axis { spread: Spread::Even, low, high, ticks: evenly(low, high, step, text) }
    }

    /// Whether small values are spread out.
    pub(super) fn is_square_root(&self) -> bool {
        self.spread == Spread::SquareRoot
    }

    /// Place of a value between 0 and 1; outside the axis it is held to its end.
    pub(super) fn share(&self, value: f64) -> f64 {
        let bend = |value: f64| match self.spread {
            Spread::Even => value,
            Spread::SquareRoot => value.max(0.0).sqrt(),
            Spread::Log => value.max(f64::MIN_POSITIVE).ln(),
        };
        let (low, high) = (bend(self.low), bend(self.high));
        ((bend(value.clamp(self.low, self.high)) - low) / (high - low)).clamp(0.0, 1.0)
    }

    /// Whether the value lies beyond the upper end.
    pub(super) fn above(&self, value: f64) -> bool {
        value > self.high * (1.0 + 1e-9)
    }

    /// Whether the value lies beyond the lower end.
    pub(super) fn below(&self, value: f64) -> bool {
        value < self.low - self.low.abs() * 1e-9
    }

    /// The ticks whose texts keep clear of each other along `length` units, in order.
    pub(super) fn ticks_across(&self, length: f64) -> Vec<&Tick> {
        let half = |tick: &Tick| font::width(&tick.text, SMALL, Weight::Regular) / 2.0;
        self.chosen(|one, other| {
            (self.share(one.value) - self.share(other.value)).abs() * length >= half(one) + half(other) + 7.0
        })
    }

    /// The ticks that keep clear of each other up along `length` units, in order.
    pub(super) fn ticks_up(&self, length: f64) -> Vec<&Tick> {
        self.chosen(|one, other| (self.share(one.value) - self.share(other.value)).abs() * length >= SMALL + 4.0)
    }

    fn chosen(&self, clear: impl Fn(&Tick, &Tick) -> bool) -> Vec<&Tick> {
        let mut chosen: Vec<&Tick> = Vec::new();
        for tick in &self.ticks {
            if chosen.iter().all(|other| clear(tick, other)) {
                chosen.push(tick);
            }
        }
        chosen.sort_by(|one, other| one.value.total_cmp(&other.value));
        chosen
    }
}

fn percent_tick(value: f64) -> Tick {
    let decimals = if value < 0.001 - 1e-12 { 2 } else { 1 };
    Tick { value, text: format!("{}\u{a0}%", trimmed(&format::fixed(value * 100.0, decimals))) }
}

/// Without zeros behind the decimal point.
fn trimmed(text: &str) -> String {
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text.to_owned() }
}

/// The finite ends of `values` with 0 between them, at least `least` apart from 0 on one side.
fn ends(values: &[f64], least: f64) -> (f64, f64) {
    let finite = || values.iter().copied().filter(|value| value.is_finite());
    let (low, high) = (finite().fold(0.0, f64::min), finite().fold(0.0, f64::max));
    if high - low < least { (low - least, high + least) } else { (low, high) }
}

/// The smallest of 1, 2, 5 times a power of ten that is not under `least`.
fn step(least: f64) -> f64 {
    let power = 10_f64.powf(least.log10().floor());
    [1.0, 2.0, 5.0, 10.0]
        .into_iter()
        .map(|times| times * power)
        .find(|step| *step >= least * (1.0 - 1e-9))
        .unwrap_or(least)
}

/// A round part of which the whole is made three to six times.
fn even_part(whole: f64) -> f64 {
    let round = |part: &f64| {
        let digits = part / 10_f64.powf((part.log10() + 1e-9).floor());
        [1.0, 2.0, 2.5, 5.0].iter().any(|known| (digits - known).abs() < 1e-6)
    };
    [5.0, 4.0, 3.0, 6.0].into_iter().map(|parts| whole / parts).find(round).unwrap_or(whole / 2.0)
}

/// Ticks from `low` to `high`: the two ends first, then the rest.
fn evenly(low: f64, high: f64, step: f64, tick: impl Fn(f64) -> Tick) -> Vec<Tick> {
    let first = (low / step).ceil();
    let mut values: Vec<f64> = Vec::new();
    let mut at = first * step;
    while at <= high + step * 1e-6 && values.len() < 50 {
        values.push(if at.abs() < step * 1e-6 { 0.0 } else { at });
        at = (first + f64::from(u32::try_from(values.len()).unwrap_or(u32::MAX))) * step;
    }
    if values.len() > 2 {
        let last = values.remove(values.len() - 1);
        values.insert(1, last);
    }
    values.into_iter().map(tick).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(ticks: &[&Tick]) -> Vec<String> {
        ticks.iter().map(|tick| tick.text.replace('\u{a0}', "")).collect()
    }

    #[test]
    fn close_rates_get_an_even_axis_and_far_ones_a_square_root() {
        let even = Axis::proportions(&[0.02, 0.08, 0.11], 0.14);
        assert!(!even.is_square_root());
        assert_eq!(texts(&even.ticks_across(300.0)), ["0%", "5%", "10%", "15%"]);
        let root = Axis::proportions(&[0.001, 0.02, 0.2, 0.99], 1.0);
        assert!(root.is_square_root());
        assert_eq!(texts(&root.ticks_across(400.0)), ["0%", "1%", "5%", "10%", "25%", "50%", "75%", "100%"]);
        assert!((root.share(0.25) - 0.5).abs() < 1e-12);
    }

    #[test]
    fn nothing_but_zeros_still_has_an_axis() {
        let axis = Axis::proportions(&[0.0], 0.0);
        assert!(axis.share(0.0).abs() < 1e-12);
        assert!(axis.ticks_across(200.0).len() >= 2);
        assert!(Axis::differences(&[]).ticks_across(200.0).len() >= 2);
        assert!(Axis::numbers(&[]).ticks_up(200.0).len() >= 2);
    }

    #[test]
    fn ratios_are_even_in_their_logarithm_and_hold_infinite_ends() {
        let axis = Axis::ratios(&[0.5, 8.0, f64::INFINITY, 0.0]);
        assert!((axis.share(1.0) - 0.5).abs() < 1e-12);
        assert!(axis.above(f64::INFINITY) && axis.below(0.0) && !axis.above(8.0));
        assert!(texts(&axis.ticks_across(200.0)).contains(&"1".to_owned()));
        assert!(Axis::ratios(&[]).ticks_across(200.0).len() >= 3);
    }
}
