use super::*;
use crate::ingest::open;

fn opened(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    open(&path, FileId(3), options)
}

/// The header, then `line/record:fields joined by |` or `line/record:fault`.
fn told(name: &str, bytes: &[u8], options: &ReadOptions) -> Result<Vec<String>, IngestError> {
    let mut reader = opened(name, bytes, options)?;
    let mut told = vec![reader.header().join("|")];
    while let Some(batch) = reader.next_batch()? {
        told.extend(batch.records().map(|record| {
            let text = match record.fault {
                Some(fault) => format!("{fault:?}"),
                None => record.fields().collect::<Vec<_>>().join("|"),
            };
            format!("{}/{}:{text}", record.place.line, record.place.record)
        }));
    }
    Ok(told)
}

fn read(name: &str, text: &str) -> Result<Vec<String>, IngestError> {
    told(name, text.as_bytes(), &ReadOptions::default())
}

#[track_caller]
fn check(name: &str, text: &str, expected: &[&str]) {
    assert_eq!(read(name, text).unwrap(), expected, "{text}");
}

#[track_caller]
fn refused(name: &str, text: &str, words: &str) {
    let error = read(name, text).unwrap_err();
    assert!(error.to_string().contains(words), "{error}");
    assert!(!error.remedy().is_empty());
}

#[test]
fn the_header_is_every_key_of_the_file() {
    let text = "{\"a\":1,\"b\":\"x\"}\n{\"b\":\"y\"}\n{\"c\":{\"d\":true},\"a\":null}\n";
    check("log.ndjson", text, &["a|b|c.d", "1/1:1|x|", "2/2:|y|", "3/3:||true"]);
    check("log.jsonl", text, &["a|b|c.d", "1/1:1|x|", "2/2:|y|", "3/3:||true"]);
}

#[test]
fn a_key_that_comes_up_only_at_the_end_of_a_long_file_is_a_column_too() {
    let mut text = "{\"a\":1}\n".repeat(20_000);
    text.push_str("{\"a\":2,\"late\":\"x\"}\n");
    let told = read("log.ndjson", &text).unwrap();
    assert_eq!((told[0].as_str(), told.len()), ("a|late", 20_002));
    assert_eq!((told[1].as_str(), told[20_001].as_str()), ("1/1:1|", "20001/20001:2|x"));
}

#[test]
fn a_broken_line_costs_one_record() {
    let text =
        "\n{\"a\":1}\r\n\r\nnot json\n[1]\n{\"a\":\"x\n{\"a\":2,\"a\":3}\n{\"a\":4} x\n{\"a\":\"\\u0000\"}\n{\"a\":5}";
    let expected = [
        "a",
        "2/1:1",
        "4/2:NotJson(\"an object is expected\")",
        "5/3:NotJson(\"an object is expected\")",
        "6/4:NotJson(\"a text holds a line end or a control character, or is not closed\")",
        "7/5:RepeatedKey { column: 0 }",
        "8/6:NotJson(\"something stands behind its end\")",
        "9/7:NulByte",
        "10/8:5",
    ];
    check("log.ndjson", text, &expected);
}

#[test]
fn a_line_cut_off_at_the_end_is_told_from_a_broken_one() {
    check("log.ndjson", "{\"a\":1}\n{\"a\":2", &["a", "1/1:1", "2/2:TruncatedLastLine"]);
    check("log.ndjson", "{\"a\":1}\n{\"a\":\"x", &["a", "1/1:1", "2/2:TruncatedLastLine"]);
    check("log.ndjson", "{\"a\":1}\n{\"a\":2}", &["a", "1/1:1", "2/2:2"]);
}

#[test]
fn a_list_gives_the_lines_on_which_its_records_begin() {
    let text = "\u{feff}[\n  {\"a\": 1},\n  {\n    \"a\": 2\n  }, {\"a\": 3},\n  7\n]\n";
    check("log.json", text, &["a", "2/1:1", "3/2:2", "5/3:3", "6/4:NotJson(\"an object is expected\")"]);
}

#[test]
fn a_list_that_is_cut_off_or_broken_is_refused_as_a_whole() {
    let whole = "[{\"a\":1},\n{\"a\":\"x\"}]";
    for length in 2..whole.len() {
        assert!(read("log.json", &whole[..length]).is_err(), "{}", &whole[..length]);
    }
    refused("log.json", "[{\"a\":1},\n{\"a\":\"x\"y\"}]", "log.json:2: this is not valid JSON");
    refused("log.json", "[{\"a\":1},\n{\"a\":01}]", "log.json:2: this is not valid JSON");
    refused("log.json", "[{\"a\":1}]\n[{\"a\":1}]", "log.json:2: this is not valid JSON: something stands behind");
}

#[test]
fn a_wrapper_around_one_list_is_opened_and_around_several_asks_which() {
    let one = r#"{"count":2,"links":["x"],"data":[{"a":1},{"a":2}],"next":null}"#;
    check("log.json", one, &["a", "1/1:1", "1/2:2"]);
    let two = r#"{"sessions":[{"a":1}],"errors":[{"b":1}]}"#;
    refused("log.json", two, "several tables: sessions, errors");
    let options = ReadOptions { sheet: Some("sessions".to_owned()), ..ReadOptions::default() };
    assert_eq!(told("log.json", two.as_bytes(), &options).unwrap(), ["a", "1/1:1"]);
    refused("log.json", r#"{"data":[]}"#, "the list of records is empty");
    refused("log.json", r#"{"session_id":"s1"}"#, "without a list of records");
    refused("log.json", &one.replace('}', ""), "not valid JSON");
    refused("log.json", &format!("{one}}}"), "something stands behind its end");
}

#[test]
fn lines_are_recognised_in_a_file_called_json() {
    check("log.json", "{\"a\":1}\n\n{\"a\":2}\n", &["a", "1/1:1", "3/2:2"]);
    check("log.txt", "{\"a\":1}\n{\"a\":2}\n", &["a", "1/1:1", "2/2:2"]);
    check("log.ndjson", "{\"a\":1}\n", &["a", "1/1:1"]);
    check("log.ndjson", "[{\"a\":1}]", &["a", "1/1:1"]);
}

#[test]
fn what_is_no_json_is_named() {
    refused("log.json", "", "the file is empty");
    refused("log.json", " \n", "the file is empty");
    refused("log.json", "a,b\n1,2\n", "not JSON");
    refused("log.json", "PK\u{3}\u{4}…", "a zip archive");
    refused("log.json", "[]", "the list of records is empty");
    refused("log.ndjson", "{\"a\n{\"a\n", "none of its records is a JSON object");
    let utf16: Vec<u8> = "[{\"a\":1}]".encode_utf16().flat_map(u16::to_le_bytes).collect();
    let error = told("log.json", &utf16, &ReadOptions::default()).unwrap_err();
    assert!(matches!(error, IngestError::Utf16 { .. }));
}

#[test]
fn an_identifier_as_a_key_does_not_exhaust_memory() {
    let text: String = (0..MOST_COLUMNS + 2).map(|at| format!("{{\"p{at}\":1}}\n")).collect();
    refused("log.ndjson", &text, "more than 10000 different keys");
}

#[test]
fn nested_lists_are_marked() {
    let mut reader =
        opened("log.ndjson", b"{\"a\":1,\"e\":[{\"c\":1}]}\n{\"a\":2,\"e\":[\"x\",\"y\"]}", &ReadOptions::default())
            .unwrap();
    let batch = reader.next_batch().unwrap().unwrap();
    let nested: Vec<&[usize]> = batch.records().map(|record| record.nested()).collect();
    assert_eq!(nested, [&[1][..], &[]]);
    assert_eq!(batch.records().last().unwrap().field(1), "x;y");
}

#[test]
fn bytes_that_are_not_utf_8_are_a_fault_unless_the_mapping_names_their_encoding() {
    let text = b"{\"a\":1,\"b\":\"Z\xFCrich\"}\n{\"a\":2,\"b\":\"Z\xC3\xBCrich\"}\n";
    let default = told("log.ndjson", text, &ReadOptions::default()).unwrap();
    assert_eq!(default, ["a|b", "1/1:BadEncoding { column: 1 }", "2/2:2|Zürich"]);
    let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..ReadOptions::default() };
    assert_eq!(told("log.ndjson", text, &options).unwrap(), ["a|b", "1/1:1|Zürich", "2/2:2|Zürich"]);
}

#[test]
fn numbers_are_given_with_the_mark_that_the_mapping_expects() {
    let options = ReadOptions { decimal_comma: true, ..ReadOptions::default() };
    let text = b"{\"a\":1.5,\"b\":\"1.5\"}";
    assert_eq!(told("log.ndjson", text, &options).unwrap(), ["a|b", "1/1:1,5|1.5"]);
}

const METADATA: &str = r#"{"datasetJSONVersion":"1.1.0","itemGroupOID":"IG.X","records":2,"name":"X","label":"X",
"columns":[{"itemOID":"a","name":"A","dataType":"string"},{"itemOID":"b","name":"B","dataType":"integer"}]"#;

#[test]
fn dataset_json_gives_its_columns_and_rows() {
    let whole = format!("{METADATA},\"rows\":[[\"x\",1],\n[null,2.50]]}}");
    check("ds.json", &whole, &["A|B", "2/1:x|1", "3/2:|2.50"]);
    let moved = whole.replace("{\"datasetJSON", "{\"rows\":[[\"x\",1],[\"y\",2]],\"datasetJSON");
    assert_eq!(read("ds.json", &moved).unwrap_err().to_string().rsplit(": ").next(), Some("rows, rows"));
    let lines = format!("{}}}\n[\"x\",1]\n[\"y\",2]\n", METADATA.replace('\n', ""));
    for name in ["ds.ndjson", "ds.json"] {
        check(name, &lines, &["A|B", "2/1:x|1", "3/2:y|2"]);
    }
}

#[test]
fn rows_of_dataset_json_that_do_not_fit_are_refused_one_by_one() {
    let lines = format!("{}}}\n[\"x\"]\n[\"y\",2,3]\n", METADATA.replace('\n', ""));
    let expected = ["A|B", "2/1:TooFewFields { expected: 2, found: 1 }", "3/2:TooManyFields { expected: 2, found: 3 }"];
    check("ds.ndjson", &lines, &expected);
    let cut = format!("{}}}\n[\"x\",1]\n[\"y\"", METADATA.replace('\n', ""));
    check("ds.ndjson", &cut, &["A|B", "2/1:x|1", "3/2:TruncatedLastLine"]);
}

#[test]
fn dataset_json_that_lacks_rows_it_promises_is_refused_as_a_whole() {
    let cut = format!("{}}}\n[\"x\",1]\n", METADATA.replace('\n', ""));
    refused("ds.ndjson", &cut, "says that it holds 2 records, and 1 are there");
    refused("ds.json", &format!("{METADATA},\"rows\":[[\"x\",1]]}}"), "2 records, and 1 are there");
    refused("ds.json", &format!("{METADATA}}}"), "2 records, and 0 are there");
    let none = METADATA.replace(":2,", ":0,");
    check("ds.json", &format!("{none},\"rows\":[]}}"), &["A|B"]);
    let old = METADATA.replace("1.1.0", "1.0.0") + ",\"rows\":[[\"x\",1],[\"y\",2]]}";
    refused("ds.json", &old, "another version than 1.1");
}

#[test]
fn a_record_of_megabytes_costs_itself_only() {
    let text = format!("[{{\"a\":\"{}\"}},\n{{\"a\":1}}]", "x".repeat(3 << 20));
    check("log.json", &text, &["a", "1/1:TooLarge", "2/2:1"]);
    let text = format!("{{\"a\":\"{}\"}}\n{{\"a\":1}}\n", "x".repeat(3 << 20));
    check("log.ndjson", &text, &["a", "1/1:TooLarge", "2/2:1"]);
}
