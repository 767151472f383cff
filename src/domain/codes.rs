//! The coded fields of a session: closed lists of codes, each with the words people write for it.

/// Declares a closed list of codes: an enum, its code texts in order, and the synonyms that people write.
macro_rules! codes {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $code:literal $([$($synonym:literal),*])?),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u8)]
        pub enum $name { $($(#[$variant_doc])* #[doc = concat!("`", $code, "`")] $variant),+ }

        impl $name {
            /// Every value, in the order of the catalogue.
            pub const ALL: &'static [$name] = &[$($name::$variant),+];
            /// Code text of every value, in the same order.
            pub const CODES: &'static [&'static str] = &[$($code),+];
            /// `(what people write, code)`, lower case, beside the codes themselves.
            pub const SYNONYMS: &'static [(&'static str, &'static str)] = &[$($($(($synonym, $code)),*,)?)+];

            /// The canonical code text.
            #[must_use]
            pub const fn code(self) -> &'static str {
                Self::CODES[self as usize]
            }

            /// The value whose code is exactly `code`.
            #[must_use]
            pub fn from_code(code: &str) -> Option<Self> {
                Self::CODES.iter().position(|known| *known == code).map(|at| Self::ALL[at])
            }
        }
    };
}

codes! {
    /// Where the treatment was done.
    Setting { Professional = "professional" ["clinic", "in-office", "office", "in office"], Home = "home" ["at home", "at-home", "self"] }
}
codes! {
    /// Kind of device.
    Modality {
        Roller = "roller" ["dermaroller", "derma roller"],
        Pen = "pen" ["dermapen", "derma pen", "micropen"],
        Stamp = "stamp" ["dermastamp"],
        Rf = "rf" ["radiofrequency", "rf microneedling", "microneedling rf", "fractional rf", "mnrf"],
        Other = "other",
    }
}
codes! {
    /// Treated area.
    BodyArea {
        Face = "face" ["full face", "facial"], Forehead = "forehead", Periorbital = "periorbital" ["eyes", "around eyes"],
        Cheeks = "cheeks" ["cheek"], Perioral = "perioral" ["mouth", "around mouth"], Neck = "neck",
        Chest = "chest" ["decolletage"], Hands = "hands" ["hand"], Arms = "arms" ["arm"], Abdomen = "abdomen" ["belly"],
        Thighs = "thighs" ["thigh"], Back = "back", Scalp = "scalp", Other = "other",
    }
}
codes! {
    /// Side of the body; two sides of one patient on one day make a split-face pair.
    Side { Left = "left" ["l"], Right = "right" ["r"], Both = "both" ["bilateral", "b"] }
}
codes! {
    /// Why the treatment was done.
    Indication {
        AcneScars = "acne_scars" ["acne scar", "acne scarring"], Scars = "scars" ["scar"], Wrinkles = "wrinkles" ["rhytides"],
        FineLines = "fine_lines", Pores = "pores" ["enlarged pores"], Texture = "texture",
        Pigmentation = "pigmentation" ["melasma"], StretchMarks = "stretch_marks" ["striae"], Alopecia = "alopecia" ["hair loss"],
        Acne = "acne", Rosacea = "rosacea", Laxity = "laxity" ["skin laxity"], Rejuvenation = "rejuvenation" ["anti-aging", "anti-ageing"],
        Other = "other",
    }
}
codes! {
    /// Sex as recorded.
    Sex { Female = "female" ["f", "w", "woman"], Male = "male" ["m", "man"], Other = "other" ["diverse", "x"] }
}
codes! {
    /// Who held the device.
    Credential {
        Dermatologist = "dermatologist" ["derm"], Physician = "physician" ["doctor", "md"], Nurse = "nurse" ["rn", "registered nurse"],
        Aesthetician = "aesthetician" ["esthetician", "cosmetologist"], Myself = "self", Other = "other",
    }
}
codes! {
    /// Skin thickness as judged at the session.
    SkinThickness { Thin = "thin", Normal = "normal" ["medium"], Thick = "thick" }
}
codes! {
    /// Yes or no; a missing answer is neither.
    YesNo { No = "no" ["n", "false", "0", "f"], Yes = "yes" ["y", "true", "1", "t"] }
}
codes! {
    /// Conditions of the patient at the session.
    Condition {
        ActiveAcne = "active_acne", Eczema = "eczema" ["atopic dermatitis"], Rosacea = "rosacea",
        InflammatorySkinDisease = "inflammatory_skin_disease", SkinInfection = "skin_infection",
        KeloidHistory = "keloid_history" ["keloids", "keloid"], HypertrophicScarHistory = "hypertrophic_scar_history",
        BleedingDisorder = "bleeding_disorder", Pregnant = "pregnant" ["pregnancy"], Nursing = "nursing" ["breastfeeding"],
        RecentIsotretinoin = "recent_isotretinoin" ["isotretinoin"],
    }
}
codes! {
    /// Numbing agent used.
    NumbingAgent { None = "none" ["no"], Lidocaine = "lidocaine" ["emla"], Other = "other" }
}
codes! {
    /// What was put on the skin.
    Topical {
        Tretinoin = "tretinoin", VitaminC = "vitamin_c" ["vit c"], HyaluronicAcid = "hyaluronic_acid" ["ha"],
        Prp = "prp" ["platelet-rich plasma"], TranexamicAcid = "tranexamic_acid" ["txa"], Other = "other",
    }
}

/// A set of conditions or topicals: one bit for each code, in catalogue order. The empty set means *asked, none*;
/// not asked is `None` around it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct CodeSet(pub u16);

impl CodeSet {
    /// The set with the code at `index` added.
    #[must_use]
    pub fn with(self, index: usize) -> CodeSet {
        CodeSet(self.0 | (1 << index))
    }

    /// Whether the code at `index` is in the set.
    #[must_use]
    pub fn has(self, index: usize) -> bool {
        self.0 >> index & 1 == 1
    }

    /// `a;b`, or `none` for the empty set.
    #[must_use]
    pub fn text(self, codes: &[&str]) -> String {
        let chosen: Vec<&str> =
            codes.iter().enumerate().filter(|(at, _)| self.has(*at)).map(|(_, code)| *code).collect();
        if chosen.is_empty() { "none".to_owned() } else { chosen.join(";") }
    }
}
