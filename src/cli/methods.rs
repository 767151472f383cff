//! `stipple methods`.

use super::answer;
use super::arguments::{Common, Methods};
use super::failure::{Failure, WRONG_USE};
use crate::pipeline::reference;
use crate::pipeline::spec::nearest;
use serde_json::json;

pub(super) fn methods(command: &Methods, common: &Common) -> Result<(), Failure> {
    let chosen: Vec<_> =
        reference::methods().filter(|method| command.id.as_ref().is_none_or(|id| method.id == id)).collect();
    let kinds = reference::kinds().iter().filter(|kind| command.id.as_ref().is_none_or(|id| kind.name == id));
    let kinds: Vec<_> = kinds.collect();
    if let (Some(id), true, true) = (&command.id, chosen.is_empty(), kinds.is_empty()) {
        let known: Vec<&str> = reference::methods()
            .map(|method| method.id)
            .chain(reference::kinds().iter().map(|kind| kind.name))
            .collect();
        let hint = nearest(id, &known)
            .map_or_else(|| "`stipple methods` lists them all".to_owned(), |near| format!("did you mean `{near}`?"));
        return Err(Failure::new(WRONG_USE, format!("there is no method or kind `{id}`"), hint));
    }
    if common.json {
        let methods: Vec<_> = chosen
            .iter()
            .map(|method| {
                json!({
                    "id": method.id, "title": method.title, "estimates": method.estimates, "formula": method.formula,
                    "source": method.source, "edges": method.edges, "not_for": method.not_for,
                })
            })
            .collect();
        let kinds: Vec<_> = kinds.iter().map(|kind| json!({ "kind": kind.name, "about": kind.about })).collect();
        return answer(&json!({ "kinds": kinds, "methods": methods }).to_string());
    }
    let mut text = String::new();
    if !kinds.is_empty() {
        text.push_str("Analysis kinds\n");
        for kind in &kinds {
            text.push_str(&format!("  {:<20} {}\n", kind.name, kind.about));
        }
        text.push('\n');
    }
    if command.id.is_none() {
        text.push_str("Methods (`stipple methods ID` for one in full)\n");
        for method in &chosen {
            text.push_str(&format!("  {:<32} {}\n", method.id, method.title));
        }
    } else {
        for method in &chosen {
            text.push_str(&format!(
                "{}: {}\n\nWhat it tells   {}\nFormula         {}\nSource          {}\nAt the edges    {}\nNot for         {}\n",
                method.id, method.title, method.estimates, method.formula, method.source, method.edges, method.not_for
            ));
        }
    }
    answer(&text)
}
