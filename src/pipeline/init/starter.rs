//! The text of a pipeline to start from, and the canonical examples.

use super::{Inputs, MAPPING_FILE};
use crate::bucket::is_address;
use std::path::{Component, Path, PathBuf};

/// A pipeline over files in the canonical columns.
pub(super) const EXAMPLE_PIPELINE: &str = include_str!("example_pipeline.toml");
/// Every part of a mapping file, as comments.
pub(super) const EXAMPLE_MAPPING: &str = include_str!("example_mapping.toml");

const HEAD: &str = "\
# A pipeline to start from. `stipple check pipeline.toml` says what is accepted, `stipple run pipeline.toml` writes the
# report, `stipple schema pipeline` explains every key.
version = 1
id = \"first_report\"
title = \"First report\"
question = \"How often does each side effect happen?\"
# data_cut = 2026-06-30  # nothing after this day is used; without it, the newest date in the data

[source]  # paths are relative to this file
";

const RATES: &str = "
[quality]
max_rejected = 0.10  # no report when more rows than that are refused

[[analysis]]
id = \"rates\"
title = \"Every side effect\"
kind = \"side_effect_rates\"
outcomes = [\"all\"]
";

/// An analysis that is proposed when the log has a column.
const MORE: &[(&str, &str)] = &[
    (
        "modality",
        "
[[analysis]]
id = \"rates_by_modality\"
title = \"Every side effect, by kind of device\"
kind = \"side_effect_rates\"
outcomes = [\"all\"]
by = [\"modality\"]
",
    ),
    (
        "side_effects",
        "
[[analysis]]
id = \"severity\"
title = \"How severe\"
kind = \"severity\"
outcomes = [\"all\"]
",
    ),
    (
        "fitzpatrick",
        "
[[analysis]]
id = \"pih_by_skin_type\"
title = \"PIH by skin type\"
kind = \"trend\"
outcomes = [\"pih\"]
over = \"fitzpatrick\"
# adjust = [\"modality\", \"needle_depth_mm\", \"passes\"]  # what the adjusted model allows for
",
    ),
];

const QUALITY: &str = "
[[analysis]]
id = \"data_quality\"
title = \"Data quality\"
kind = \"data_quality\"
";

/// A pipeline for these files; `fed` = the columns that they have.
pub(super) fn pipeline(folder: &Path, inputs: Inputs<'_>, fed: &[&str]) -> String {
    let mut text = HEAD.to_owned();
    let list = |path: &str| format!("[{}]", toml::Value::from(relative(folder, path)));
    text.push_str(&format!("logs = {}\n", list(inputs.log)));
    let more = [("events", inputs.events), ("assessments", inputs.assessments)];
    for (key, path) in more.into_iter().filter_map(|(key, path)| path.map(|path| (key, path))) {
        text.push_str(&format!("{key} = {}\n", list(path)));
    }
    text.push_str(&format!("mapping = \"{MAPPING_FILE}\"\n"));
    text.push_str(RATES);
    let wanted = MORE.iter().filter(|(column, _)| fed.contains(column));
    wanted.for_each(|(_, analysis)| text.push_str(analysis));
    text.push_str(QUALITY);
    text
}

/// The path as it is seen from the folder; absolute where the two have nothing in common.
fn relative(folder: &Path, path: &str) -> String {
    if is_address(path) {
        return path.to_owned();
    }
    let path = Path::new(path);
    if path.is_absolute() {
        return portable(path);
    }
    match (whole(folder), whole(path)) {
        (Some(folder), Some(file)) => portable(&between(&folder, &file)),
        _ => portable(path),
    }
}

/// The absolute path, of a folder too that is not there yet.
fn whole(path: &Path) -> Option<PathBuf> {
    let missing: Vec<&Path> = path.ancestors().take_while(|part| part.canonicalize().is_err()).collect();
    let there = path.ancestors().find(|part| part.canonicalize().is_ok() && !part.as_os_str().is_empty());
    let base = there.unwrap_or(Path::new(".")).canonicalize().ok()?;
    let names = missing.iter().rev().filter_map(|part| part.file_name());
    Some(names.fold(base, |whole, name| whole.join(name)))
}

fn between(folder: &Path, file: &Path) -> PathBuf {
    let (from, to): (Vec<Component<'_>>, Vec<Component<'_>>) =
        (folder.components().collect(), file.components().collect());
    let shared = from.iter().zip(&to).take_while(|(a, b)| a == b).count();
    if shared == 0 {
        return file.to_owned();
    }
    let up = from[shared..].iter().map(|_| Component::ParentDir);
    up.chain(to[shared..].iter().copied()).collect()
}

fn portable(path: &Path) -> String {
    path.to_string_lossy().replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::settle;
    use crate::validate::Mapping;

    #[test]
    fn a_path_is_told_as_it_is_seen_from_the_folder() {
        let seen =
            |folder: &str, file: &str| between(Path::new(folder), Path::new(file)).to_string_lossy().into_owned();
        assert_eq!(seen("/a/b", "/a/b/log.csv"), "log.csv");
        assert_eq!(seen("/a/b/c", "/a/x/log.csv"), "../../x/log.csv");
        assert_eq!(seen("/a", "/a/logs/log.csv"), "logs/log.csv");
    }

    /// The commented lines of the example are code: a `#` with nothing behind it.
    #[test]
    fn the_examples_are_valid_with_and_without_their_comments() {
        Mapping::from_toml(EXAMPLE_MAPPING, "mapping.toml").unwrap();
        let uncommented: Vec<&str> = EXAMPLE_MAPPING
            .lines()
            .map(|line| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line))
            .collect();
        Mapping::from_toml(&uncommented.join("\n"), "mapping.toml").unwrap();
    }

    #[test]
    fn the_pipelines_are_accepted() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("sessions.csv"), "session_id\n").unwrap();
        std::fs::write(folder.path().join(MAPPING_FILE), EXAMPLE_MAPPING).unwrap();
        let log = folder.path().join("sessions.csv");
        let access = crate::bucket::Access::default();
        let inputs = Inputs { log: &log.to_string_lossy(), events: None, assessments: None, access: &access };
        let all = ["modality", "side_effects", "fitzpatrick"];
        for text in
            [EXAMPLE_PIPELINE.to_owned(), pipeline(folder.path(), inputs, &all), pipeline(folder.path(), inputs, &[])]
        {
            let file = folder.path().join("pipeline.toml");
            std::fs::write(&file, text).unwrap();
            settle(&file).unwrap();
        }
    }
}
