use super::resource::Resource;
use super::*;
use serde_json::json;

#[track_caller]
fn column(value: &Value, table: Table, name: &str, expected: &str) {
    assert_eq!(Resource::new(value, table).column(name), expected);
}

#[test]
fn a_reference_is_the_id_at_its_end_and_only_of_the_wanted_type() {
    for (reference, expected) in [
        ("Patient/123", "123"),
        ("https://ehr.example/fhir/Patient/123", "123"),
        ("Patient/123/_history/4", "123"),
        ("urn:uuid:0d6f", "0d6f"),
        ("Group/123", ""),
        ("Device/123", ""),
        ("#p", ""),
        ("", ""),
    ] {
        let value = json!({ "subject": { "reference": reference } });
        column(&value, Table::Sessions, "patient_id", expected);
    }
    let logical = json!({ "subject": { "identifier": { "value": "K7" }, "display": "Ana Example" } });
    column(&logical, Table::Sessions, "patient_id", "K7");
}

#[test]
fn an_event_of_two_procedures_names_no_session() {
    let instance = |id: &str| json!({ "instance": { "reference": id } });
    let of = |list: Vec<Value>| json!({ "suspectEntity": list });
    column(&of(vec![instance("Procedure/a"), instance("Device/b")]), Table::Events, "session_id", "a");
    column(&of(vec![instance("Procedure/a"), instance("Procedure/a")]), Table::Events, "session_id", "a");
    column(&of(vec![instance("Procedure/a"), instance("Procedure/b")]), Table::Events, "session_id", "");
}

#[test]
fn a_concept_is_our_own_code_else_its_display_its_text_its_code() {
    let event = |concept: Value| json!({ "event": concept });
    let coding = |code: &str, display: &str| json!({ "code": code, "display": display });
    let own = event(json!({ "coding": [coding("10015150", "Erythema NOS"), coding("erythema", "")], "text": "red" }));
    column(&own, Table::Events, "side_effect", "erythema");
    column(
        &event(json!({ "coding": [coding("10015150", "Redness")], "text": "red" })),
        Table::Events,
        "side_effect",
        "Redness",
    );
    column(&event(json!({ "coding": [{ "code": "10015150" }], "text": "red" })), Table::Events, "side_effect", "red");
    column(&event(json!({ "coding": [{ "code": "10015150" }] })), Table::Events, "side_effect", "10015150");
}

#[test]
fn numbers_keep_their_digits_and_have_no_exponent() {
    let depth = |value: Value| json!({ "extension": [{ "url": "x/needle-depth-mm", "valueDecimal": value }] });
    for (number, expected) in [("1.5", "1.5"), ("0.1", "0.1"), ("1e-3", "0.001"), ("3", "3"), ("1e2", "100")] {
        let value = depth(serde_json::from_str(number).unwrap());
        let told = Resource::new(&value, Table::Sessions).column("needle_depth_mm");
        assert!(told == expected || told == format!("{expected}.0"), "{told}");
    }
    let less = json!({ "valueQuantity": { "value": 5, "comparator": "<" } });
    column(&less, Table::Assessments, "score", "<5");
}

#[test]
fn only_a_bundle_is_one() {
    assert!(is_bundle(br#"{ "resourceType" : "Bundle", "entry": []}"#));
    assert!(!is_bundle(br#"{"resourceType":"Procedure","note":"Bundle"}"#));
}
