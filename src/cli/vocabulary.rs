//! `stipple vocabulary`.

use super::answer;
use super::arguments::Common;
use super::failure::Failure;
use crate::domain::catalogue::Scope;
use crate::domain::{Catalogue, SCALES};
use serde_json::json;

pub(super) fn vocabulary(common: &Common) -> Result<(), Failure> {
    let catalogue = Catalogue::built_in();
    let effects = || catalogue.ids().map(|id| catalogue.get(id));
    if common.json {
        let effects: Vec<_> = effects()
            .map(|effect| {
                json!({
                    "code": effect.code, "label": effect.label, "synonyms": effect.synonyms,
                    "window_days": effect.window_days, "grades": effect.grades, "group": effect.group.label(),
                    "rf_only": effect.scope == Scope::Rf,
                })
            })
            .collect();
        let scales: Vec<_> = SCALES
            .iter()
            .map(|(id, lowest, highest, _)| json!({ "id": id, "lowest": lowest, "highest": highest }))
            .collect();
        return answer(&json!({ "side_effects": effects, "scales": scales }).to_string());
    }
    let mut text = String::from(
        "Side effects. Window: days after the session within which absence can be believed (assumed).\n\n",
    );
    text.push_str(&format!("{:<28}{:>6} {:>7}  {:<18}{}\n", "code", "window", "grades", "group", "synonyms"));
    for effect in effects() {
        let rf = if effect.scope == Scope::Rf { ", RF only" } else { "" };
        text.push_str(&format!(
            "{:<28}{:>6} {:>7}  {:<18}{}\n",
            effect.code,
            effect.window_days,
            format!("1–{}", effect.grades),
            format!("{}{rf}", effect.group.label()),
            effect.synonyms.join(", ")
        ));
    }
    text.push_str("\nScales: ");
    let scales: Vec<String> =
        SCALES.iter().map(|(id, lowest, highest, _)| format!("{id} {lowest}–{highest}")).collect();
    text.push_str(&scales.join(", "));
    answer(&text)
}
