//! One look for every chart: the colours of Okabe and Ito, each with a shape of its own; text and axes in the colour
//! of the page; shades of one blue that stay apart in grey. Skin tone never gets the colour of skin.

/// The two widths every chart is laid out for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Width {
    /// Screens and paper.
    Wide,
    /// Phones.
    Narrow,
}

impl Width {
    /// Width in units; one unit is about one pixel.
    pub(super) fn units(self) -> f64 {
        match self {
            Width::Wide => 720.0,
            Width::Narrow => 360.0,
        }
    }

    /// Name used in ids.
    pub(super) fn name(self) -> &'static str {
        match self {
            Width::Wide => "wide",
            Width::Narrow => "narrow",
        }
    }
}

/// Size of names and headings.
pub(super) const LABEL: f64 = 13.0;
/// Size of numbers, ticks and notes.
pub(super) const SMALL: f64 = 12.0;
/// Distance of the baselines of two lines of text.
pub(super) const LINE: f64 = 16.0;
/// Free space around every chart.
pub(super) const EDGE: f64 = 4.0;
/// Strength of what is said aside.
pub(super) const MUTED: f64 = 0.72;
/// Strength of grid lines.
pub(super) const GRID: f64 = 0.16;

/// A colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rgb(pub(super) u8, pub(super) u8, pub(super) u8);

/// What was observed (round marks).
pub(super) const OBSERVED: Rgb = Rgb(0x00, 0x72, 0xB2);
/// What a model says (lines and diamonds).
pub(super) const FITTED: Rgb = Rgb(0xD5, 0x5E, 0x00);

/// What something is painted with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paint {
    /// The colour of the page's text, whatever it is.
    Ink,
    /// A fixed colour.
    Colour(Rgb),
}

/// Shade for a share of 0 to 1: light to dark blue, even in luminance, so that it reads in grey.
pub(super) fn shade(share: f64) -> Rgb {
    const STOPS: [(f64, f64, f64); 5] =
        [(240.0, 246.0, 252.0), (189.0, 215.0, 238.0), (116.0, 169.0, 214.0), (43.0, 113.0, 172.0), (8.0, 48.0, 97.0)];
    let place = share.clamp(0.0, 1.0) * 4.0;
    let below = STOPS.iter().enumerate().rev().find(|(at, _)| f64::from(small(*at)) <= place).map_or(0, |(at, _)| at);
    let above = (below + 1).min(4);
    let part = place - f64::from(small(below));
    let mix = |from: f64, to: f64| byte(from + (to - from) * part);
    let (from, to) = (STOPS[below], STOPS[above]);
    Rgb(mix(from.0, to.0), mix(from.1, to.1), mix(from.2, to.2))
}

fn small(at: usize) -> u8 {
    u8::try_from(at).unwrap_or(u8::MAX)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "rounded and held within 0 to 255")]
fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// Black or white, whichever stands out more; one of them always has a contrast of at least 4.5.
pub(super) fn text_on(ground: Rgb) -> Rgb {
    let (black, white) = (Rgb(0, 0, 0), Rgb(255, 255, 255));
    if contrast(ground, black) >= contrast(ground, white) { black } else { white }
}

/// Contrast ratio as WCAG 2 defines it, 1 to 21.
pub(super) fn contrast(one: Rgb, other: Rgb) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// Relative luminance, 0 to 1.
pub(super) fn luminance(Rgb(red, green, blue): Rgb) -> f64 {
    let linear = |part: u8| {
        let part = f64::from(part) / 255.0;
        if part <= 0.040_45 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * linear(red) + 0.7152 * linear(green) + 0.0722 * linear(blue)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contrast_is_that_of_wcag() {
        // Published examples: black on white 21, #777777 on white 4.48.
        assert!((contrast(Rgb(0, 0, 0), Rgb(255, 255, 255)) - 21.0).abs() < 1e-9);
        assert!((contrast(Rgb(0x77, 0x77, 0x77), Rgb(255, 255, 255)) - 4.48).abs() < 0.005);
    }

    #[test]
    fn shades_darken_steadily_and_carry_readable_text() {
        let shades: Vec<Rgb> = (0..=100_u8).map(|step| shade(f64::from(step) / 100.0)).collect();
        assert!(shades.windows(2).all(|pair| luminance(pair[0]) > luminance(pair[1])));
        assert!(shades.iter().all(|ground| contrast(*ground, text_on(*ground)) >= 4.5));
        assert_eq!(shade(0.0), Rgb(240, 246, 252));
        assert_eq!(shade(1.0), Rgb(8, 48, 97));
    }

    #[test]
    fn marks_stand_out_on_white_and_on_black() {
        for colour in [OBSERVED, FITTED] {
            assert!(contrast(colour, Rgb(255, 255, 255)) >= 3.0);
            assert!(contrast(colour, Rgb(0x16, 0x18, 0x1c)) >= 3.0);
        }
    }
}
