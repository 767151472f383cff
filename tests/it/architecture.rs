//! Which room may import which: the table of ARCHITECTURE.md, read against the `crate::` paths of the code.

use regex::Regex;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// Room and the rooms that it may import, as in ARCHITECTURE.md.
fn allowed() -> BTreeMap<String, Vec<String>> {
    let text = fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let row = Regex::new(r"(?m)^\| ([a-z, ]+) \| ([^|]+) \|$").unwrap();
    let word = Regex::new("[a-z]+").unwrap();
    let mut table: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in row.captures_iter(&text) {
        let rooms = line[1].split(", ").map(|room| room.trim().to_owned());
        let imports: Vec<String> = word.find_iter(line[2].trim()).map(|word| word.as_str().to_owned()).collect();
        for room in rooms {
            table.insert(room, imports.clone());
        }
    }
    let every: Vec<String> = rooms().into_iter().filter(|room| room != "cli").collect();
    table.insert("pipeline".to_owned(), every);
    table
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn rooms() -> Vec<String> {
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let module = Regex::new(r"(?m)^pub mod (\w+);").unwrap();
    module.captures_iter(&lib).map(|found| found[1].to_owned()).collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

#[test]
fn every_room_imports_only_what_it_may() {
    let allowed = allowed();
    let mut trespasses = Vec::new();
    let mut imports = 0;
    for room in rooms() {
        let may = allowed.get(&room).unwrap_or_else(|| panic!("ARCHITECTURE.md has no line for the room `{room}`"));
        let mut files = Vec::new();
        sources(&root().join("src").join(&room), &mut files);
        assert!(!files.is_empty(), "the room `{room}` is empty");
        for file in files {
            for imported in imported_rooms(&fs::read_to_string(&file).unwrap()) {
                imports += 1;
                if imported != room && !may.contains(&imported) {
                    trespasses.push(format!("{} imports {imported}", file.display()));
                }
            }
        }
    }
    assert!(imports > 20, "the test reads imports");
    assert!(trespasses.is_empty(), "{trespasses:#?}");
}

/// Rooms named after `crate::` anywhere but in comments: in `use` lines, in braces, and in paths.
fn imported_rooms(text: &str) -> Vec<String> {
    let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
    let single = Regex::new(r"\bcrate::(\w+)").unwrap();
    let braces = Regex::new(r"\bcrate::\{([^;]*)\};").unwrap();
    let mut found: Vec<String> = single.captures_iter(&code).map(|path| path[1].to_owned()).collect();
    let first = Regex::new(r"(?:^|,)\s*(\w+)").unwrap();
    for list in braces.captures_iter(&code) {
        found.extend(first.captures_iter(&list[1]).map(|path| path[1].to_owned()));
    }
    found
}

#[test]
fn the_reader_of_imports_sees_every_form() {
    let text =
        "use crate::domain::Day;\n// crate::report\nlet x = crate::stats::mean::f();\nuse crate::{store, chart::X};";
    assert_eq!(imported_rooms(text), ["domain", "stats", "store", "chart"]);
}

#[test]
fn only_the_door_prints_and_reads_clock_and_environment() {
    let forbidden =
        Regex::new(r"\b(e?println!|e?print!|SystemTime|Instant::now|std::env::|env::var|thread_rng|rand::rng)")
            .unwrap();
    let mut found = Vec::new();
    for room in rooms().iter().filter(|room| *room != "cli") {
        let mut files = Vec::new();
        sources(&root().join("src").join(room), &mut files);
        for file in files {
            let text = fs::read_to_string(&file).unwrap();
            let code = text.split("#[cfg(test)]").next().unwrap_or_default();
            for line in code.lines().filter(|line| !line.trim_start().starts_with("//")) {
                if forbidden.is_match(line) {
                    found.push(format!("{}: {}", file.display(), line.trim()));
                }
            }
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn no_room_is_a_drawer() {
    let mut files = Vec::new();
    sources(&root().join("src"), &mut files);
    let drawers = ["utils", "util", "common", "helpers", "helper", "types", "prelude", "misc"];
    for file in files {
        let stem = file.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(!drawers.contains(&stem.as_str()), "{}", file.display());
    }
}

/// Delta Lake's crates use Arrow 59: a second Arrow in the tree could not exchange a batch with the first.
#[test]
fn there_is_one_arrow_in_the_tree() {
    let lock = fs::read_to_string(root().join("Cargo.lock")).unwrap();
    for package in ["arrow", "arrow-array", "parquet"] {
        let found = Regex::new(&format!("name = \"{package}\"\nversion = \"([0-9]+)\\.")).unwrap();
        let majors: Vec<&str> = found.captures_iter(&lock).map(|found| found.get(1).unwrap().as_str()).collect();
        assert_eq!(majors, ["59"], "{package}");
    }
}
