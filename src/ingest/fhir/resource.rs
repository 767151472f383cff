//! One resource as the columns of a row. Which element feeds which column stands here and nowhere else.
//!
//! An extension whose url ends in a column's name wins over the element of the standard.

use super::TYPE;
use crate::domain::columns::Kind;
use crate::domain::scales::SCALES;
use crate::domain::{Catalogue, Table};
use serde_json::Value;
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// The code of a procedure: no column of a session, but rows may be kept and dropped by it.
const PROCEDURE_CODE: &str = "procedure_code";
/// Longest url of an extension that is told.
const LONGEST_URL: usize = 120;

/// The resource type that is a row of a table.
fn type_of(table: Table) -> &'static str {
    match table {
        Table::Sessions => "Procedure",
        Table::Events => "AdverseEvent",
        Table::Assessments => "Observation",
    }
}

/// The columns of a table, and what else rows can be kept by.
pub(super) fn header(table: Table) -> Vec<String> {
    let more = (table == Table::Sessions).then_some(PROCEDURE_CODE);
    table.columns().iter().map(|column| column.name).chain(more).map(str::to_owned).collect()
}

/// What a resource is that is not given: of another type, or of something that did not happen.
pub(super) fn why_left_out(value: &Value, table: Table) -> Option<String> {
    let wanted = type_of(table);
    let of = text(&value[TYPE]);
    if of != wanted {
        let is_name = !of.is_empty() && of.len() < 40 && of.chars().all(|letter| letter.is_ascii_alphabetic());
        return Some(if is_name {
            format!("{of} resources")
        } else {
            "lines that name no type of resource".to_owned()
        });
    }
    if value.get("modifierExtension").is_some() {
        // It may turn the meaning of the whole around; the standard forbids to read on.
        return Some(format!("{wanted} resources with a modifier extension"));
    }
    let (element, undone): (&str, &[&str]) = match table {
        Table::Sessions => ("status", &["preparation", "not-done", "entered-in-error"]),
        Table::Events => ("actuality", &["potential"]),
        Table::Assessments => ("status", &["registered", "cancelled", "entered-in-error"]),
    };
    let state = text(&value[element]);
    undone.contains(&state).then(|| format!("{wanted} resources with {element} {state}"))
}

/// A resource under its columns.
pub(super) struct Resource<'v> {
    value: &'v Value,
    table: Table,
    extensions: BTreeMap<&'static str, String>,
    /// Urls of extensions that name no column.
    pub(super) unread: Vec<String>,
}

impl<'v> Resource<'v> {
    pub(super) fn new(value: &'v Value, table: Table) -> Resource<'v> {
        let mut resource = Resource { value, table, extensions: BTreeMap::new(), unread: Vec::new() };
        for extension in items(&value["extension"]) {
            let url = text(&extension["url"]);
            let name = column_of(url);
            let column = table.columns().iter().find(|column| column.name == name);
            match (column, resource.extension(extension, column.map(|column| column.kind))) {
                (Some(column), Some(told)) => {
                    let list = resource.extensions.entry(column.name).or_default();
                    if !list.is_empty() {
                        list.push(';');
                    }
                    list.push_str(&told);
                }
                _ => resource.unread.push(url.chars().take(LONGEST_URL).collect()),
            }
        }
        resource
    }

    /// The text of a column; empty = missing.
    pub(super) fn column(&self, name: &str) -> String {
        if let Some(told) = self.extensions.get(name) {
            return told.clone();
        }
        match self.table {
            Table::Sessions => self.session(name),
            Table::Events => self.event(name),
            Table::Assessments => self.assessment(name),
        }
    }

    /// A session from a Procedure.
    fn session(&self, name: &str) -> String {
        let value = self.value;
        match name {
            "session_id" => self.id(),
            "patient_id" => self.reference(&value["subject"], &["Patient"]),
            "clinic_id" => {
                or(self.reference(&value["location"], &["Location"]), || text(&value["location"]["display"]))
            }
            "practitioner_id" => self.reference(&value["performer"][0]["actor"], &["Practitioner", "PractitionerRole"]),
            "practitioner_credential" => self.concept(&value["performer"][0]["function"], name),
            "session_date" => date(value, "performed"),
            "modality" => match self.concepts(&value["usedCode"], name) {
                none if none.is_empty() => self.concept(&value["code"], name),
                used => used,
            },
            "device_model" => self.device_model(),
            "device_lot" => text(&self.device()["lotNumber"]).to_owned(),
            "body_area" => self.concepts(&value["bodySite"], name),
            "indication" => self.concepts(&value["reasonCode"], name),
            "side_effects" => self.concepts(&value["complication"], name),
            PROCEDURE_CODE => self.concept(&value["code"], name),
            _ => String::new(),
        }
    }

    /// A side effect from an AdverseEvent.
    fn event(&self, name: &str) -> String {
        let value = self.value;
        match name {
            "session_id" => self.one_procedure(items(&value["suspectEntity"]).map(|suspect| &suspect["instance"])),
            "patient_id" => self.reference(&value["subject"], &["Patient"]),
            "side_effect" => self.concept(&value["event"], name),
            "verbatim" => text(&value["event"]["text"]).to_owned(),
            "grade" => self.concept(&value["severity"], name),
            "onset_date" => or(date(value, "date"), || text(&value["detected"])),
            "resolved_date" => match self.concept(&value["outcome"], name).to_lowercase().as_str() {
                "ongoing" | "recovering" => "ongoing".to_owned(),
                _ => String::new(),
            },
            "serious" => match self.concept(&value["seriousness"], name).to_lowercase().as_str() {
                "serious" => "yes".to_owned(),
                "non-serious" | "nonserious" | "not serious" => "no".to_owned(),
                other => other.to_owned(),
            },
            "imdrf_code" => {
                let is_imdrf = |coding: &&Value| text(&coding["system"]).to_lowercase().contains("imdrf");
                let coding = items(&value["event"]["coding"]).find(is_imdrf);
                coding.map_or_else(String::new, |coding| text(&coding["code"]).to_owned())
            }
            "reported_date" => text(&value["recordedDate"]).to_owned(),
            _ => String::new(),
        }
    }

    /// A score from an Observation.
    fn assessment(&self, name: &str) -> String {
        let value = self.value;
        match name {
            "session_id" => self.one_procedure(items(&value["partOf"])),
            "patient_id" => self.reference(&value["subject"], &["Patient"]),
            "assessment_date" => or(date(value, "effective"), || text(&value["effectiveInstant"])),
            "scale" => self.concept(&value["code"], name),
            "score" => self.score(),
            "rater" => self.rater(),
            _ => String::new(),
        }
    }

    fn id(&self) -> String {
        or(text(&self.value["id"]).to_owned(), || text(&self.value["identifier"][0]["value"]))
    }

    fn score(&self) -> String {
        let value = self.value;
        let quantity = &value["valueQuantity"];
        let comparator = text(&quantity["comparator"]);
        let told = [&quantity["value"], &value["valueInteger"], &value["valueString"]].map(plain);
        let told = told.into_iter().find(|told| !told.is_empty());
        told.map_or_else(|| self.concept(&value["valueCodeableConcept"], "score"), |told| format!("{comparator}{told}"))
    }

    /// Who scored; a patient is not named.
    fn rater(&self) -> String {
        let performer = &self.value["performer"][0];
        let is_patient = type_and_id(performer).is_some_and(|(of, _)| of == "Patient" || of == "RelatedPerson");
        if is_patient {
            return "patient".to_owned();
        }
        self.reference(performer, &["Practitioner", "PractitionerRole", "Organization", "CareTeam"])
    }

    /// The Procedure that references name, where they name one.
    fn one_procedure(&self, references: impl Iterator<Item = &'v Value>) -> String {
        let mut named: Vec<String> = references
            .filter(|reference| type_and_id(reference).is_some_and(|(of, _)| of == "Procedure"))
            .map(|reference| self.reference(reference, &["Procedure"]))
            .collect();
        named.sort();
        named.dedup();
        if named.len() == 1 { named.remove(0) } else { String::new() }
    }

    /// The device, where the resource holds it itself.
    fn device(&self) -> &'v Value {
        let used = items(&self.value["usedReference"]);
        let manipulated = items(&self.value["focalDevice"]).map(|device| &device["manipulated"]);
        used.chain(manipulated).filter_map(|reference| self.contained(reference)).next().unwrap_or(&Value::Null)
    }

    fn device_model(&self) -> String {
        let device = self.device();
        let value = self.value;
        let names = [
            &device["deviceName"][0]["name"],
            &device["modelNumber"],
            &value["usedReference"][0]["display"],
            &value["focalDevice"][0]["manipulated"]["display"],
        ];
        names.into_iter().map(text).find(|name| !name.is_empty()).unwrap_or_default().to_owned()
    }

    fn contained(&self, reference: &Value) -> Option<&'v Value> {
        let id = text(&reference["reference"]).strip_prefix('#')?;
        items(&self.value["contained"]).find(|resource| text(&resource["id"]) == id)
    }

    /// The id that a reference ends in, when it is of a wanted type; a contained resource is called by its identifier,
    /// since its id means nothing outside.
    fn reference(&self, reference: &Value, wanted: &[&str]) -> String {
        if text(&reference["reference"]).starts_with('#') {
            let inner = self.contained(reference).unwrap_or(&Value::Null);
            let fits = wanted.contains(&text(&inner[TYPE]));
            return if fits { text(&inner["identifier"][0]["value"]).to_owned() } else { String::new() };
        }
        match type_and_id(reference) {
            Some((of, id)) if of.is_empty() || wanted.contains(&of) => id.to_owned(),
            Some(_) => String::new(),
            None => text(&reference["identifier"]["value"]).to_owned(),
        }
    }

    /// Several concepts as a list.
    fn concepts(&self, list: &Value, column: &str) -> String {
        let told: Vec<String> = items(list).map(|concept| self.concept(concept, column)).collect();
        told.join(";")
    }

    /// What a concept says: a coding that is the column's own code, else the first display, the text, the first code.
    fn concept(&self, concept: &Value, column: &str) -> String {
        let kind = self.table.columns().iter().find(|known| known.name == column).map(|known| known.kind);
        told(concept, kind).replace([';', ':'], ",")
    }

    /// The value of an extension, whatever its type.
    fn extension(&self, extension: &Value, kind: Option<Kind>) -> Option<String> {
        let (name, value) = extension.as_object()?.iter().find(|(name, _)| name.starts_with("value"))?;
        let told = match name.as_str() {
            "valueCodeableConcept" => told(value, kind),
            "valueCoding" => told(&serde_json::json!({ "coding": [value] }), kind),
            "valueQuantity" => {
                let unit = [&value["unit"], &value["code"]].map(text).into_iter().find(|unit| !unit.is_empty());
                let number = format!("{}{}", text(&value["comparator"]), plain(&value["value"]));
                unit.map(|unit| format!("{number} {unit}")).unwrap_or(number)
            }
            "valueReference" => type_and_id(value).map(|(_, id)| id.to_owned()).unwrap_or_default(),
            "valuePeriod" => text(&value["start"]).to_owned(),
            _ => plain(value),
        };
        (!told.is_empty()).then_some(told)
    }
}

/// `…/needle-depth-mm`, `…#needleDepthMm` → `needle_depth_mm`.
fn column_of(url: &str) -> String {
    let end = url.rsplit(['/', '#', ':']).next().unwrap_or_default();
    let mut name = String::new();
    for letter in end.chars() {
        if letter.is_ascii_uppercase() && !name.is_empty() && !name.ends_with('_') {
            name.push('_');
        }
        name.push(if letter == '-' { '_' } else { letter.to_ascii_lowercase() });
    }
    name
}

fn told(concept: &Value, kind: Option<Kind>) -> String {
    let codings = || items(&concept["coding"]);
    let words = codings().flat_map(|coding| [text(&coding["code"]), text(&coding["display"])]);
    let own = words.chain([text(&concept["text"])]).find(|word| kind.is_some_and(|kind| is_known(kind, word)));
    let display = || codings().map(|coding| text(&coding["display"])).find(|display| !display.is_empty());
    let code = || codings().map(|coding| text(&coding["code"])).find(|code| !code.is_empty());
    let written = || Some(text(&concept["text"])).filter(|text| !text.is_empty());
    own.or_else(display).or_else(written).or_else(code).unwrap_or_default().to_owned()
}

/// Whether a word is a code of our own for what a column holds.
fn is_known(kind: Kind, word: &str) -> bool {
    match kind {
        Kind::Code(codes, _) | Kind::CodeList(codes, _) => codes.contains(&word),
        Kind::Scale => SCALES.iter().any(|(id, ..)| *id == word),
        Kind::SideEffect | Kind::SideEffects => {
            static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(Catalogue::built_in);
            word == "none" || CATALOGUE.find(word).is_some()
        }
        Kind::Grade => ["mild", "moderate", "severe"].contains(&word),
        _ => false,
    }
}

/// Type and id of a literal reference: `Patient/123`, `https://…/Patient/123/_history/2`, `urn:uuid:…`.
fn type_and_id(reference: &Value) -> Option<(&str, &str)> {
    let literal = text(&reference["reference"]);
    let of = text(&reference["type"]);
    let literal = literal.split("/_history/").next().filter(|literal| !literal.is_empty())?;
    if let Some(id) = literal.strip_prefix("urn:uuid:").or_else(|| literal.strip_prefix("urn:oid:")) {
        return Some((of, id));
    }
    let mut parts = literal.rsplit('/');
    let id = parts.next()?;
    Some((parts.next().unwrap_or(of), id))
}

/// A date under `name`, as an element or as a choice: `performedDateTime`, `performedPeriod.start`, `performedString`.
fn date(value: &Value, name: &str) -> String {
    let choices = [
        &value[name],
        &value[format!("{name}DateTime")],
        &value[format!("{name}Period")]["start"],
        &value[format!("{name}String")],
    ];
    choices.into_iter().map(text).find(|text| !text.is_empty()).unwrap_or_default().to_owned()
}

fn or<'t>(first: String, second: impl FnOnce() -> &'t str) -> String {
    if first.is_empty() { second().to_owned() } else { first }
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn items(value: &Value) -> std::slice::Iter<'_, Value> {
    value.as_array().map(Vec::as_slice).unwrap_or_default().iter()
}

/// A plain value as text; numbers without an exponent.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Bool(truth) => truth.to_string(),
        Value::Number(number) => match number.as_f64() {
            Some(float) if number.to_string().contains(['e', 'E']) => float.to_string(),
            _ => number.to_string(),
        },
        _ => String::new(),
    }
}
