//! Random draws that are the same on every machine and in every release: `ChaCha8`, one stream for each patient, and
//! everything beyond its bits computed here (libraries change how they turn bits into numbers).

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// The draws of one stream.
#[derive(Debug, Clone)]
pub(super) struct Draws(ChaCha8Rng);

/// A seed, ready to give one stream after another.
#[derive(Debug, Clone)]
pub(super) struct Streams(ChaCha8Rng);

impl Streams {
    /// The streams of a seed.
    pub(super) fn of(seed: u64) -> Streams {
        Streams(ChaCha8Rng::seed_from_u64(seed))
    }

    /// The stream with this number, from its beginning.
    pub(super) fn stream(&self, number: u64) -> Draws {
        let mut generator = self.0.clone();
        generator.set_stream(number);
        Draws(generator)
    }
}

impl Draws {
    /// A number from 0 (possible) to 1 (impossible), on a grid of 2⁻⁵³.
    pub(super) fn uniform(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / 9_007_199_254_740_992.0)
    }

    /// 32 random bits.
    pub(super) fn bits(&mut self) -> u32 {
        self.0.next_u32()
    }

    /// True with this probability (to 2⁻³²).
    pub(super) fn chance(&mut self, probability: f64) -> bool {
        f64::from(self.bits()) < probability * 4_294_967_296.0
    }

    /// A whole number below `count`, all equally likely; 0 when `count` is 0.
    pub(super) fn below(&mut self, count: u32) -> u32 {
        let product = u64::from(self.bits()) * u64::from(count);
        u32::try_from(product >> 32).unwrap_or(0)
    }

    /// A whole number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high.saturating_sub(low) + 1)
    }

    /// One of a list; nothing from an empty list.
    pub(super) fn one_of<'a, T>(&mut self, list: &'a [T]) -> Option<&'a T> {
        list.get(self.index_below(list.len()))
    }

    /// An index below `count`.
    pub(super) fn index_below(&mut self, count: usize) -> usize {
        self.below(u32::try_from(count).unwrap_or(u32::MAX)) as usize
    }

    /// An index, each as likely as its weight says; the last when the weights run out.
    pub(super) fn weighted(&mut self, weights: &[f64]) -> usize {
        let total: f64 = weights.iter().sum();
        let mut left = self.uniform() * total;
        for (at, weight) in weights.iter().enumerate() {
            left -= weight;
            if left < 0.0 {
                return at;
            }
        }
        weights.len().saturating_sub(1)
    }

    /// A normal deviate with this mean and standard deviation.
    pub(super) fn normal(&mut self, mean: f64, sd: f64) -> f64 {
        mean + sd * normal_quantile(self.uniform())
    }
}

/// Rounds to a whole number within limits.
#[expect(clippy::cast_possible_truncation, reason = "clamped to the limits first")]
pub(super) fn whole_between(value: f64, low: u32, high: u32) -> u32 {
    value.round().clamp(f64::from(low), f64::from(high)) as u32
}

/// Inverse of the normal distribution by Acklam's rational approximation (relative error under 1.2e-9): in the middle
/// 95 % it needs arithmetic only, so that no mathematics library can change a drawn value.
fn normal_quantile(probability: f64) -> f64 {
    const A: [f64; 6] = [
        -39.696_830_286_653_76,
        220.946_098_424_520_5,
        -275.928_510_446_968_7,
        138.357_751_867_269,
        -30.664_798_066_147_16,
        2.506_628_277_459_239,
    ];
    const B: [f64; 6] = [
        -54.476_098_798_224_06,
        161.585_836_858_040_9,
        -155.698_979_859_886_6,
        66.801_311_887_719_72,
        -13.280_681_552_885_72,
        1.0,
    ];
    const C: [f64; 6] = [
        -0.007_784_894_002_430_293,
        -0.322_396_458_041_136_5,
        -2.400_758_277_161_838,
        -2.549_732_539_343_734,
        4.374_664_141_464_968,
        2.938_163_982_698_783,
    ];
    const D: [f64; 5] =
        [0.007_784_695_709_041_462, 0.322_467_129_070_039_8, 2.445_134_137_142_996, 3.754_408_661_907_416, 1.0];
    let polynomial = |coefficients: &[f64], at: f64| coefficients.iter().fold(0.0, |sum, c| sum * at + c);
    let tail = |p: f64| {
        let q = (-2.0 * p.max(1e-300).ln()).sqrt();
        polynomial(&C, q) / polynomial(&D, q)
    };
    if probability < 0.024_25 {
        tail(probability)
    } else if probability > 0.975_75 {
        -tail(1.0 - probability)
    } else {
        let q = probability - 0.5;
        q * polynomial(&A, q * q) / polynomial(&B, q * q)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Worked out apart from this crate: the seed spread by PCG-32, then one block of ChaCha with 8 rounds.
    const FIRST: [u32; 4] = [856_313_205, 1_997_177_052, 823_471_168, 3_193_712_289];

    #[test]
    fn the_first_draws_are_those_of_the_published_cipher() {
        let mut draws = Streams::of(1).stream(7);
        let first: Vec<u32> = (0..4).map(|_| draws.bits()).collect();
        assert_eq!(first, FIRST);
    }

    #[test]
    fn streams_of_one_seed_differ_and_repeat() {
        let streams = Streams::of(3);
        let (mut a, mut b, mut again) = (streams.stream(1), streams.stream(2), streams.stream(1));
        let first: Vec<u32> = (0..8).map(|_| a.bits()).collect();
        assert_ne!(first, (0..8).map(|_| b.bits()).collect::<Vec<_>>());
        assert_eq!(first, (0..8).map(|_| again.bits()).collect::<Vec<_>>());
    }

    #[test]
    fn the_normal_quantile_agrees_with_tables() {
        for (p, z) in [(0.5, 0.0), (0.975, 1.959_963_985), (0.001, -3.090_232_306), (0.99, 2.326_347_874)] {
            assert!((normal_quantile(p) - z).abs() < 1e-7, "{p}");
        }
    }

    #[test]
    fn weights_are_respected() {
        let mut draws = Streams::of(5).stream(0);
        let mut counts = [0u32; 3];
        for _ in 0..30_000 {
            counts[draws.weighted(&[1.0, 2.0, 7.0])] += 1;
        }
        // Expected 3,000, 6,000 and 21,000; standard deviations under 80.
        assert!((2_700..3_300).contains(&counts[0]) && (20_600..21_400).contains(&counts[2]), "{counts:?}");
    }
}
