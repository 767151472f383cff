//! The report of the sample data, against the truth that was planted in it and against its own rows.

use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use stipple::pipeline::{Product, Unwatched, produce, settle};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn product(pipeline: &str) -> Product {
    produce(&settle(&root().join(pipeline)).unwrap(), &Unwatched).unwrap()
}

fn file(product: &Product, path: &str) -> String {
    let file = product.files.iter().find(|file| file.path == path).unwrap();
    String::from_utf8(file.bytes.clone()).unwrap()
}

type Row = BTreeMap<String, String>;

fn results(product: &Product) -> Vec<Row> {
    let text = file(product, "results.csv");
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let header = reader.headers().unwrap().clone();
    let pairs =
        |row: csv::StringRecord| header.iter().map(str::to_owned).zip(row.iter().map(str::to_owned)).collect::<Row>();
    reader.records().map(|row| pairs(row.unwrap())).collect()
}

/// The simulator counts what the rules of the three states make of each log; a run must find these very numbers.
#[test]
fn a_run_finds_what_was_planted() {
    for chain in ["harbour", "nordlicht"] {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("p.toml");
        let sample = root().join("sample_data");
        let text = format!(
            "version = 1\nid = \"p\"\ndata_cut = 2026-06-30\n[source]\nlogs = [\"{s}/{chain}/*.csv\"]\n\
             events = [\"{s}/{chain}_events.csv\"]\nmapping = \"{s}/{chain}.mapping.toml\"\n\
             [[analysis]]\nid = \"r\"\nkind = \"side_effect_rates\"\noutcomes = [\"all\"]\n\
             [[analysis]]\nid = \"t\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\nby = [\"fitzpatrick\"]\n",
            s = sample.display()
        );
        fs::write(&file, text).unwrap();
        let product = produce(&settle(&file).unwrap(), &Unwatched).unwrap();
        let rows = results(&product);
        let truth: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(sample.join(format!("{chain}.truth.json"))).unwrap()).unwrap();
        let log = &truth["in_this_log"];
        assert_eq!(product.analysed_sessions, log["sessions"].as_u64().unwrap());
        let find = |id: String, column: &str| -> u64 {
            let row = rows.iter().find(|row| row["row_id"] == id).unwrap_or_else(|| panic!("no row {id}"));
            row[column].parse().unwrap()
        };
        let effects = log["side_effects"].as_array().unwrap();
        assert!(effects.len() > 20);
        for effect in effects {
            let code = effect["code"].as_str().unwrap();
            let states = &effect["in_the_log"];
            let count = |name: &str| states[name].as_u64().unwrap();
            assert_eq!(find(format!("r/{code}//rate"), "numerator"), count("present"), "{chain} {code}");
            let assessed = count("present") + count("confirmed_absent");
            assert_eq!(find(format!("r/{code}//rate"), "denominator"), assessed, "{chain} {code}");
            assert_eq!(find(format!("r/{code}//not_assessed"), "value"), count("not_assessed"), "{chain} {code}");
        }
    }
}

#[test]
fn every_number_on_the_page_is_a_row_of_the_results() {
    let carried = Regex::new("data-row=\"([^\"]*)\"").unwrap();
    let datum = Regex::new("<data value=\"([^\"]*)\" data-row=\"([^\"]*)\">").unwrap();
    for pipeline in ["pipelines/pih_by_skin_tone.toml", "pipelines/complication_rates.toml"] {
        let product = product(pipeline);
        let page = file(&product, "index.html");
        let rows = results(&product);
        let known: BTreeMap<&str, &Row> = rows.iter().map(|row| (row["row_id"].as_str(), row)).collect();
        assert_eq!(known.len(), rows.len(), "row ids are unique");
        let unescape = |text: &str| text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let mut count = 0;
        for found in carried.captures_iter(&page) {
            count += 1;
            assert!(known.contains_key(unescape(&found[1]).as_str()), "{}", &found[1]);
        }
        assert!(count > 500, "{count}");
        // A number in a sentence is its row's number.
        for found in datum.captures_iter(&page) {
            assert_eq!(known[unescape(&found[2]).as_str()]["value"], found[1]);
        }
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere() {
    let page = file(&product("pipelines/complication_rates.toml"), "index.html");
    for forbidden in ["<script", "<link", "<img", "@import", "url(http", "src=\"http", "href=\"http"] {
        assert!(!page.contains(forbidden), "{forbidden}");
    }
    assert!(page.contains("<svg") && page.contains("lang=\"en\"") && page.contains("prefers-color-scheme: dark"));
    let ids = Regex::new(" id=\"([^\"]*)\"").unwrap();
    let mut seen: Vec<&str> = ids.captures_iter(&page).map(|found| found.get(1).unwrap().as_str()).collect();
    let all = seen.len();
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen.len(), all, "an id stands twice");
}

#[test]
fn every_method_of_a_row_is_described() {
    for pipeline in ["pipelines/pih_by_skin_tone.toml", "pipelines/complication_rates.toml"] {
        for row in results(&product(pipeline)) {
            let method = row["method"].as_str();
            assert!(method.is_empty() || stipple::stats::methods::find(method).is_some(), "{method}");
        }
    }
}

#[test]
fn a_hostile_name_is_a_text_everywhere() {
    let folder = tempfile::tempdir().unwrap();
    let header = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,last_follow_up_date,side_effects";
    let name = "=HYPERLINK(\"\"x\"\")<script>alert(1)</script>";
    let rows: String = (1..=40)
        .map(|at| {
            let side_effects = if at % 5 == 0 { "pih" } else { "none" };
            format!("s{at},p{at},\"{name}\",2026-01-05,professional,pen,face,acne_scars,2026-06-01,{side_effects}\n")
        })
        .collect();
    fs::write(folder.path().join("log.csv"), format!("{header}\n{rows}")).unwrap();
    let text = "version = 1\nid = \"p\"\n[source]\nlogs = [\"log.csv\"]\n[[analysis]]\nid = \"r\"\nkind = \"side_effect_rates\"\noutcomes = [\"pih\"]\nby = [\"clinic_id\"]\n";
    fs::write(folder.path().join("p.toml"), text).unwrap();
    let product = produce(&settle(&folder.path().join("p.toml")).unwrap(), &Unwatched).unwrap();
    assert!(!file(&product, "index.html").contains("<script"));
    for line in file(&product, "tables/r.csv").lines() {
        assert!(!line.split(',').any(|cell| cell.trim_matches('"').starts_with('=')), "{line}");
    }
}

#[test]
fn a_gate_cannot_be_walked_around() {
    // Charts and pages take `&Released`; its only constructor is `release`.
    let text = fs::read_to_string(root().join("src/results/release.rs")).unwrap();
    assert_eq!(text.matches("-> Released").count(), 1);
    assert!(!text.contains("pub rows: Vec<ReleasedRow>"));
}
