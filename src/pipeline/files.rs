//! Paths and patterns of a source into a list of files, in order.

use std::path::{Path, PathBuf};

/// A file to read: its path, and how it is called in messages and in the manifest (relative to the pipeline file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is.
    pub path: PathBuf,
    /// How it is called: the same on every machine.
    pub name: String,
}

/// The files of a path or pattern, sorted by name; `Err` = the reason why there is none.
///
/// # Errors
/// When the pattern is malformed or fits nothing.
pub fn expand(base: &Path, pattern: &str) -> Result<Vec<InputFile>, String> {
    let joined = base.join(pattern);
    if !pattern.contains(['*', '?', '[']) || joined.exists() {
        if !joined.exists() {
            return Err(format!("there is no file {}", joined.display()));
        }
        if joined.is_dir() {
            return Err(format!("{} is a folder; name its files, such as \"{pattern}/*.csv\"", joined.display()));
        }
        return Ok(vec![InputFile { path: joined, name: portable(pattern) }]);
    }
    let found = glob::glob(&joined.to_string_lossy()).map_err(|error| format!("`{pattern}` is no pattern: {error}"))?;
    let mut files: Vec<InputFile> = found
        .filter_map(Result::ok)
        .filter(|path| path.is_file())
        .map(|path| InputFile { name: name_within(base, &path), path })
        .collect();
    files.sort_by(|a, b| a.name.cmp(&b.name));
    if files.is_empty() {
        return Err(format!("no file fits {}", joined.display()));
    }
    Ok(files)
}

/// The pattern's own folder is kept, so that the name does not depend on where the pipeline lies.
fn name_within(base: &Path, path: &Path) -> String {
    let name = path.strip_prefix(base).unwrap_or(path);
    portable(&name.to_string_lossy())
}

fn portable(name: &str) -> String {
    name.replace('\\', "/")
}
