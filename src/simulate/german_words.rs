//! The words that the simulated German clinics use, by code.

/// `(code, what they write)`.
pub(super) type Words = &'static [(&'static str, &'static str)];

/// By canonical column.
#[rustfmt::skip]
pub(super) const VALUES: &[(&str, Words)] = &[
    ("setting", &[("professional", "Praxis"), ("home", "zu Hause")]),
    ("modality", &[("pen", "Stift"), ("roller", "Rolle"), ("stamp", "Stempel"), ("rf", "Radiofrequenz")]),
    ("practitioner_credential", &[("dermatologist", "Hautärztin/Hautarzt"), ("physician", "Ärztin/Arzt"), ("nurse", "Pflegekraft"), ("aesthetician", "Kosmetik"), ("self", "selbst")]),
    ("body_area", &[("face", "Gesicht"), ("forehead", "Stirn"), ("periorbital", "Augenpartie"), ("cheeks", "Wangen"), ("perioral", "Mundpartie"), ("neck", "Hals"), ("chest", "Dekolleté"), ("arms", "Arme"), ("abdomen", "Bauch"), ("thighs", "Oberschenkel"), ("back", "Rücken"), ("scalp", "Kopfhaut")]),
    ("side", &[("left", "links"), ("right", "rechts"), ("both", "beidseits")]),
    ("indication", &[("acne_scars", "Aknenarben"), ("scars", "Narben"), ("wrinkles", "Falten"), ("fine_lines", "Fältchen"), ("pores", "Poren"), ("pigmentation", "Pigmentflecken"), ("stretch_marks", "Dehnungsstreifen"), ("alopecia", "Haarausfall"), ("laxity", "Erschlaffung"), ("rejuvenation", "Hautverjüngung")]),
    ("sex", &[("female", "weiblich"), ("male", "männlich")]),
    ("skin_thickness", &[("thin", "dünn"), ("normal", "normal"), ("thick", "dick")]),
    ("numbing_agent", &[("none", "keine"), ("lidocaine", "Lidocain"), ("other", "andere")]),
    ("conditions", &[("active_acne", "aktive Akne"), ("eczema", "Ekzem"), ("rosacea", "Rosazea"), ("inflammatory_skin_disease", "entzündliche Hauterkrankung"), ("skin_infection", "Hautinfektion"), ("keloid_history", "Keloide"), ("hypertrophic_scar_history", "hypertrophe Narben"), ("bleeding_disorder", "Gerinnungsstörung"), ("pregnant", "schwanger"), ("nursing", "stillend"), ("recent_isotretinoin", "Isotretinoin"), ("none", "keine")]),
    ("topicals", &[("tretinoin", "Tretinoin"), ("vitamin_c", "Vitamin C"), ("hyaluronic_acid", "Hyaluron"), ("prp", "Eigenplasma"), ("tranexamic_acid", "Tranexamsäure"), ("other", "andere"), ("none", "keine")]),
];

/// Side effects. Some have a second word, used by one practitioner in two.
#[rustfmt::skip]
pub(super) const SIDE_EFFECTS: &[(&str, &str, &str)] = &[
    ("erythema", "Rötung", "Rötung"),
    ("swelling", "Schwellung", "Ödem"),
    ("bruising", "Bluterguss", "Hämatom"),
    ("pain", "Schmerz", "Schmerz"),
    ("bleeding", "Punktblutung", "Blutung"),
    ("dryness", "Trockenheit", "trockene Haut"),
    ("flaking", "Schuppung", "Abschuppung"),
    ("crusting", "Krusten", "Krusten"),
    ("burning", "Brennen", "Brennen"),
    ("itching", "Juckreiz", "Juckreiz"),
    ("irritation", "Reizung", "Reizung"),
    ("pih", "dunkle Flecken", "Hyperpigmentierung"),
    ("hypopigmentation", "helle Flecken", "Hypopigmentierung"),
    ("infection", "Infektion", "Infektion"),
    ("herpes_reactivation", "Herpes", "Lippenbläschen"),
    ("allergic_reaction", "Allergie", "Kontaktallergie"),
    ("acne_flare", "Akneschub", "Akneschub"),
    ("milia", "Milien", "Grießkörner"),
    ("condition_worsening", "Verschlechterung", "Verschlechterung"),
    ("prolonged_inflammation", "anhaltende Entzündung", "anhaltende Rötung"),
    ("scarring", "Narbenbildung", "Narbenbildung"),
    ("hypertrophic_or_keloid_scar", "Keloid", "Wulstnarbe"),
    ("granuloma", "Granulom", "Granulom"),
    ("injury", "Verletzung", "Verletzung"),
    ("burn", "Verbrennung", "Verbrennung"),
    ("fat_loss", "Fettverlust", "Fettverlust"),
    ("nerve_injury", "Nervenschaden", "Nervenschaden"),
];

/// The word for a code of a column; the code itself where there is none.
pub(super) fn word(column: &str, code: &'static str) -> &'static str {
    let words = VALUES.iter().find(|(name, _)| *name == column).map_or(&[][..], |(_, words)| *words);
    words.iter().find(|(known, _)| *known == code).map_or(code, |(_, word)| *word)
}

/// The word for a side effect; every second practitioner uses the second one.
pub(super) fn side_effect(code: &'static str, second: bool) -> &'static str {
    let found = SIDE_EFFECTS.iter().find(|(known, ..)| *known == code);
    found.map_or(code, |(_, first, other)| if second { other } else { first })
}
