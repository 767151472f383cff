//! The normal, beta, binomial, chi-square and Student distributions, accurate in both tails.
//!
//! Every upper tail is computed as such and never as one minus the lower tail, so that a p-value of 1e-40 is 1e-40 and
//! not 0. Counts of a million keep ten significant digits and more: the binomial kernel is Loader's saddle-point form
//! (2000), which never subtracts two large log-gammas.

use std::f64::consts::{PI, SQRT_2};

use statrs::function::erf::erfc_inv;

/// Φ(x): the chance that a standard normal is at most `x`.
///
/// ```
/// # use stipple::stats::distributions::normal_cdf;
/// assert!((normal_cdf(0.0) - 0.5).abs() < 1e-13);
/// ```
#[must_use]
pub fn normal_cdf(x: f64) -> f64 {
    normal_sf(-x)
}

/// 1 − Φ(x), without cancellation: a two-sided p-value is `2.0 * normal_sf(z.abs())`.
#[must_use]
pub fn normal_sf(x: f64) -> f64 {
    // ½ Q(½, x²/2); the error function of `statrs` 0.19 is off by 1e-10 around x = 0.7.
    let tail = 0.5 * upper_gamma(0.5, x * x / 2.0);
    if x >= 0.0 { tail } else { 1.0 - tail }
}

/// Φ⁻¹(p); −∞ at 0 and +∞ at 1.
///
/// ```
/// # use stipple::stats::distributions::normal_quantile;
/// assert!((normal_quantile(0.975) - 1.959963984540054).abs() < 1e-12);
/// ```
#[must_use]
pub fn normal_quantile(p: f64) -> f64 {
    if p <= 0.0 {
        return f64::NEG_INFINITY;
    }
    if p >= 1.0 {
        return f64::INFINITY;
    }
    let lower_half = p.min(1.0 - p);
    let start = -SQRT_2 * erfc_inv(2.0 * lower_half);
    // One Newton step on ln Φ takes the last digits out of the rational approximation.
    let tail = normal_cdf(start);
    let density = (-start * start / 2.0).exp() / (2.0 * PI).sqrt();
    let step = if density > 0.0 { tail / density * (tail / lower_half).ln() } else { 0.0 };
    let quantile = start - step;
    if p < 0.5 { quantile } else { -quantile }
}

/// The chance that a chi-square variable with `df` degrees of freedom exceeds `x`.
///
/// ```
/// # use stipple::stats::distributions::chi_square_sf;
/// // With two degrees of freedom it is exp(−x/2).
/// assert!((chi_square_sf(4.0, 2.0) - (-2.0_f64).exp()).abs() < 1e-13);
/// ```
#[must_use]
pub fn chi_square_sf(x: f64, df: f64) -> f64 {
    upper_gamma(df / 2.0, x / 2.0)
}

/// Q(a, x), the upper regularised incomplete gamma function.
fn upper_gamma(a: f64, x: f64) -> f64 {
    if x <= 0.0 {
        return 1.0;
    }
    if x.is_infinite() {
        return 0.0;
    }
    // x^a e^(−x) / Γ(a + 1), as the Poisson kernel.
    let kernel = (-stirling_error(a) - deviance_part(a, x)).exp() / (2.0 * PI * a).sqrt();
    if x < a + 1.0 {
        return 1.0 - kernel * lower_gamma_series(a, x);
    }
    kernel * a * upper_gamma_fraction(a, x)
}

/// Σ x^k / ((a + 1)…(a + k)), from k = 0.
fn lower_gamma_series(a: f64, x: f64) -> f64 {
    let (mut term, mut sum, mut shifted) = (1.0, 1.0, a);
    for _ in 0..MOST_STEPS {
        shifted += 1.0;
        term *= x / shifted;
        sum += term;
        if term < sum * 1e-17 {
            break;
        }
    }
    sum
}

/// Legendre's continued fraction of Γ(a, x)·e^x·x^(−a), by Lentz's method.
fn upper_gamma_fraction(a: f64, x: f64) -> f64 {
    let mut b = x + 1.0 - a;
    let mut c = 1.0 / TINY;
    let mut d = 1.0 / away_from_zero(b);
    let mut fraction = d;
    for step in 1..MOST_STEPS {
        let i = f64::from(step);
        let an = -i * (i - a);
        b += 2.0;
        d = 1.0 / away_from_zero(an * d + b);
        c = away_from_zero(b + an / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() < 1e-16 {
            break;
        }
    }
    fraction
}

/// The chance that Student's t with `df` degrees of freedom exceeds `t`.
///
/// ```
/// # use stipple::stats::distributions::student_t_sf;
/// // With one degree of freedom it is ½ − atan(t)/π.
/// assert!((student_t_sf(1.0, 1.0) - 0.25).abs() < 1e-13);
/// ```
#[must_use]
pub fn student_t_sf(t: f64, df: f64) -> f64 {
    if t.is_infinite() {
        return if t > 0.0 { 0.0 } else { 1.0 };
    }
    if df > NORMAL_FROM_DF {
        return normal_sf(t);
    }
    let square = t * t;
    let split = Split { x: df / (df + square), y: square / (df + square) };
    let tail = 0.5 * incomplete_beta(split, df / 2.0, 0.5);
    if t >= 0.0 { tail } else { 1.0 - tail }
}

/// The `p` quantile of Student's t with `df` degrees of freedom.
///
/// ```
/// # use stipple::stats::distributions::student_t_quantile;
/// // With one degree of freedom it is tan(π(p − ½)).
/// assert!((student_t_quantile(0.75, 1.0) - 1.0).abs() < 1e-12);
/// ```
#[must_use]
pub fn student_t_quantile(p: f64, df: f64) -> f64 {
    if p <= 0.0 || p >= 1.0 || df > NORMAL_FROM_DF {
        return normal_quantile(p);
    }
    let outside = 2.0 * p.min(1.0 - p);
    let t = if outside >= 1.0 { 0.0 } else { (df * (-beta_quantile_logit(outside, df / 2.0, 0.5)).exp()).sqrt() };
    if p < 0.5 { -t } else { t }
}

/// I_x(a, b): the chance that a beta variable is at most `x`.
///
/// ```
/// # use stipple::stats::distributions::beta_cdf;
/// assert!((beta_cdf(0.3, 1.0, 1.0) - 0.3).abs() < 1e-13);
/// ```
#[must_use]
pub fn beta_cdf(x: f64, a: f64, b: f64) -> f64 {
    incomplete_beta(Split { x, y: 1.0 - x }, a, b)
}

/// The chance that a beta variable exceeds `x`, without cancellation.
#[must_use]
pub fn beta_sf(x: f64, a: f64, b: f64) -> f64 {
    incomplete_beta(Split { x: 1.0 - x, y: x }, b, a)
}

/// The `p` quantile of the beta distribution.
///
/// ```
/// # use stipple::stats::distributions::beta_quantile;
/// // Of Beta(1, 10) it is 1 − (1 − p)^(1/10).
/// assert!((beta_quantile(0.5, 1.0, 10.0) - (1.0 - 0.5_f64.powf(0.1))).abs() < 1e-14);
/// ```
#[must_use]
pub fn beta_quantile(p: f64, a: f64, b: f64) -> f64 {
    if p <= 0.0 {
        return 0.0;
    }
    if p >= 1.0 {
        return 1.0;
    }
    Split::at(beta_quantile_logit(p, a, b)).x
}

/// The point that a beta variable exceeds with chance `q`; keeps its digits for a tiny `q` and for a tiny answer.
#[must_use]
pub fn beta_upper_quantile(q: f64, a: f64, b: f64) -> f64 {
    if q <= 0.0 {
        return 1.0;
    }
    if q >= 1.0 {
        return 0.0;
    }
    Split::at(beta_quantile_logit(q, b, a)).y
}

/// ln C(n, k); −∞ when `k > n`.
///
/// ```
/// # use stipple::stats::distributions::ln_choose;
/// assert!((ln_choose(5, 2) - 10.0_f64.ln()).abs() < 1e-14);
/// ```
#[must_use]
pub fn ln_choose(n: u64, k: u64) -> f64 {
    if k > n {
        return f64::NEG_INFINITY;
    }
    if k == 0 || k == n {
        return 0.0;
    }
    let k = k.min(n - k) as f64;
    let n = n as f64;
    let rest = n - k;
    stirling_error(n) - stirling_error(k) - stirling_error(rest)
        + 0.5 * (n / (2.0 * PI * k * rest)).ln()
        + k * (n / k).ln()
        - rest * (-k / n).ln_1p()
}

/// The chance of exactly `k` events in `n` trials.
///
/// ```
/// # use stipple::stats::distributions::binomial_pmf;
/// assert!((binomial_pmf(1, 2, 0.5) - 0.5).abs() < 1e-13);
/// ```
#[must_use]
pub fn binomial_pmf(k: u64, n: u64, p: f64) -> f64 {
    if k > n {
        return 0.0;
    }
    if p <= 0.0 {
        return if k == 0 { 1.0 } else { 0.0 };
    }
    if p >= 1.0 {
        return if k == n { 1.0 } else { 0.0 };
    }
    binomial_kernel(k as f64, (n - k) as f64, p)
}

/// ln of the binomial chance with `k` events and `rest` others, for 0 < p < 1; both counts may be fractional.
pub(super) fn ln_binomial_kernel(k: f64, rest: f64, p: f64) -> f64 {
    let n = k + rest;
    if k <= 0.0 {
        return n * (-p).ln_1p();
    }
    if rest <= 0.0 {
        return n * p.ln();
    }
    stirling_error(n)
        - stirling_error(k)
        - stirling_error(rest)
        - deviance_part(k, n * p)
        - deviance_part(rest, n * (1.0 - p))
        + 0.5 * (n / (2.0 * PI * k * rest)).ln()
}

fn binomial_kernel(k: f64, rest: f64, p: f64) -> f64 {
    ln_binomial_kernel(k, rest, p).exp()
}

/// The chance of at most `k` events in `n` trials.
///
/// ```
/// # use stipple::stats::distributions::binomial_cdf;
/// assert!((binomial_cdf(1, 2, 0.5) - 0.75).abs() < 1e-13);
/// ```
#[must_use]
pub fn binomial_cdf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 1.0;
    }
    beta_sf(p, k as f64 + 1.0, (n - k) as f64)
}

/// The chance of more than `k` events in `n` trials.
#[must_use]
pub fn binomial_sf(k: u64, n: u64, p: f64) -> f64 {
    if k >= n {
        return 0.0;
    }
    beta_cdf(p, k as f64 + 1.0, (n - k) as f64)
}

/// Beyond this many degrees of freedom t and the normal agree to the last digit.
const NORMAL_FROM_DF: f64 = 1e15;

/// Continued fractions need about √n steps; this is enough for counts of 10¹².
const MOST_STEPS: i32 = 3_000_000;

const TINY: f64 = 1e-300;

fn away_from_zero(x: f64) -> f64 {
    if x.abs() < TINY { TINY } else { x }
}

/// A point of the unit interval and what is left of it, both with all their digits.
#[derive(Clone, Copy)]
pub(super) struct Split {
    pub(super) x: f64,
    pub(super) y: f64,
}

impl Split {
    /// The point whose logit is `u`.
    pub(super) fn at(u: f64) -> Split {
        Split { x: 1.0 / (1.0 + (-u).exp()), y: 1.0 / (1.0 + u.exp()) }
    }
}

/// δ(z) = ln Γ(z) − (z − ½) ln z + z − ½ ln 2π, the error of Stirling's formula.
fn stirling_error(z: f64) -> f64 {
    if z >= SERIES_FROM {
        return stirling_series(z);
    }
    // Γ(z) = Γ(z + k) / (z (z + 1) … (z + k − 1)), with z + k large enough for the series.
    let (mut shifted, mut product) = (z, 1.0);
    while shifted < SERIES_FROM {
        product *= shifted;
        shifted += 1.0;
    }
    stirling_series(shifted) + (shifted - 0.5) * shifted.ln() - (shifted - z) - product.ln() - (z - 0.5) * z.ln()
}

const SERIES_FROM: f64 = 16.0;

fn stirling_series(z: f64) -> f64 {
    let s = 1.0 / (z * z);
    let tail = 1.0 / 1680.0 - s * (1.0 / 1188.0 - s * 691.0 / 360_360.0);
    (1.0 / 12.0 - s * (1.0 / 360.0 - s * (1.0 / 1260.0 - s * tail))) / z
}

/// x ln(x/m) + m − x without cancellation when `x` is near `m` (Loader's D₀).
fn deviance_part(x: f64, m: f64) -> f64 {
    let gap = x - m;
    if gap.abs() >= 0.1 * (x + m) {
        return x * (x / m).ln() + m - x;
    }
    let v = gap / (x + m);
    let mut term = 2.0 * x * v;
    let mut sum = gap * v;
    for odd in (3..2000).step_by(2) {
        term *= v * v;
        let next = sum + term / f64::from(odd);
        if (next - sum).abs() <= f64::EPSILON * 0.25 * sum.abs() {
            break;
        }
        sum = next;
    }
    sum
}

/// x^a y^b / B(a, b): the density of the logit of a beta variable.
pub(super) fn beta_kernel(split: Split, a: f64, b: f64) -> f64 {
    let n = a + b;
    let ln = stirling_error(n)
        - stirling_error(a)
        - stirling_error(b)
        - deviance_part(a, n * split.x)
        - deviance_part(b, n * split.y);
    ln.exp() * (a * b / (2.0 * PI * n)).sqrt()
}

/// I_x(a, b) with both `x` and `1 − x` given.
pub(super) fn incomplete_beta(split: Split, a: f64, b: f64) -> f64 {
    if split.x <= 0.0 {
        return 0.0;
    }
    if split.y <= 0.0 {
        return 1.0;
    }
    if split.x < (a + 1.0) / (a + b + 2.0) {
        return beta_kernel(split, a, b) * beta_fraction(split.x, a, b) / a;
    }
    let turned = Split { x: split.y, y: split.x };
    1.0 - beta_kernel(turned, b, a) * beta_fraction(turned.x, b, a) / b
}

/// The continued fraction of the incomplete beta function (Abramowitz & Stegun 26.5.8), by Lentz's method.
fn beta_fraction(x: f64, a: f64, b: f64) -> f64 {
    let both = a + b;
    let mut c = 1.0;
    let mut d = 1.0 / away_from_zero(1.0 - both * x / (a + 1.0));
    let mut fraction = d;
    for step in 1..MOST_STEPS {
        let m = f64::from(step);
        let even = m * (b - m) * x / ((a - 1.0 + 2.0 * m) * (a + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + even * d);
        c = away_from_zero(1.0 + even / c);
        fraction *= d * c;
        let odd = -(a + m) * (both + m) * x / ((a + 2.0 * m) * (a + 1.0 + 2.0 * m));
        d = 1.0 / away_from_zero(1.0 + odd * d);
        c = away_from_zero(1.0 + odd / c);
        let change = d * c;
        fraction *= change;
        if (change - 1.0).abs() < 3e-16 {
            break;
        }
    }
    fraction
}

/// A lower tail as a function of the logit, and its slope.
#[derive(Clone, Copy)]
pub(super) struct Tail {
    pub(super) chance: f64,
    pub(super) slope: f64,
}

/// The logit at which a rising tail reaches `target`: Newton's method on ln(tail), kept inside a bracket.
pub(super) fn logit_where(target: f64, start: f64, tail: impl Fn(f64) -> Tail) -> f64 {
    let (mut low, mut high) = (-700.0, 700.0);
    let mut u: f64 = start.clamp(low, high);
    for _ in 0..300 {
        let at = tail(u);
        if at.chance < target {
            low = u;
        } else {
            high = u;
        }
        let newton = u - (at.chance / target).ln() * at.chance / at.slope;
        let inside = newton.is_finite() && newton > low && newton < high;
        let next = if inside { newton } else { f64::midpoint(low, high) };
        let moved = (next - u).abs();
        u = next;
        if moved <= 1e-15 * (1.0 + u.abs()) {
            break;
        }
    }
    u
}

/// logit of the `p` quantile of the beta distribution, 0 < p < 1; the smaller tail is the one solved for.
fn beta_quantile_logit(p: f64, a: f64, b: f64) -> f64 {
    if p > 0.5 {
        return -beta_lower_logit(1.0 - p, b, a);
    }
    beta_lower_logit(p, a, b)
}

fn beta_lower_logit(p: f64, a: f64, b: f64) -> f64 {
    logit_where(p, (a / b).ln(), |u| {
        let split = Split::at(u);
        Tail { chance: incomplete_beta(split, a, b), slope: beta_kernel(split, a, b) }
    })
}

#[cfg(test)]
mod tests;
