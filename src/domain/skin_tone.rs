//! Skin tone: Fitzpatrick type, Monk tone and ITA are different things and are reported as recorded.

/// Fitzpatrick type I…VI: the sun reaction of the skin, not its colour. Held as 1…6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fitzpatrick(u8);

impl Fitzpatrick {
    /// Roman numerals I…VI, in order.
    pub const NUMERALS: &'static [&'static str] = &["I", "II", "III", "IV", "V", "VI"];

    /// Type `number` of 1…6.
    #[must_use]
    pub fn new(number: u8) -> Option<Fitzpatrick> {
        (1..=6).contains(&number).then_some(Fitzpatrick(number))
    }

    /// 1…6.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// `I` … `VI`.
    #[must_use]
    pub fn numeral(self) -> &'static str {
        Self::NUMERALS[usize::from(self.0 - 1)]
    }
}

/// Monk Skin Tone 1…10, light to dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Monk(u8);

impl Monk {
    /// Tones as text, `1` … `10`.
    pub const TONES: &'static [&'static str] = &["1", "2", "3", "4", "5", "6", "7", "8", "9", "10"];

    /// Tone `number` of 1…10.
    #[must_use]
    pub fn new(number: u8) -> Option<Monk> {
        (1..=10).contains(&number).then_some(Monk(number))
    }

    /// 1…10.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }
}

/// Classes of the individual typology angle (ITA), light to dark.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum ItaClass {
    /// over 55°
    VeryLight,
    /// over 41° to 55°
    Light,
    /// over 28° to 41°
    Intermediate,
    /// over 10° to 28°
    Tan,
    /// −30° to 10°
    Brown,
    /// under −30°
    Dark,
}

impl ItaClass {
    /// Names of the classes, light to dark.
    pub const CODES: &'static [&'static str] = &["very_light", "light", "intermediate", "tan", "brown", "dark"];

    /// The class of an angle in degrees.
    ///
    /// ```
    /// use stipple::domain::ItaClass;
    /// assert_eq!(ItaClass::of(55.1), ItaClass::VeryLight);
    /// assert_eq!(ItaClass::of(-30.0), ItaClass::Brown);
    /// ```
    #[must_use]
    pub fn of(ita_degrees: f64) -> ItaClass {
        match ita_degrees {
            a if a > 55.0 => ItaClass::VeryLight,
            a if a > 41.0 => ItaClass::Light,
            a if a > 28.0 => ItaClass::Intermediate,
            a if a > 10.0 => ItaClass::Tan,
            a if a >= -30.0 => ItaClass::Brown,
            _ => ItaClass::Dark,
        }
    }
}
