//! What a source names (files, folders, patterns, addresses) into a list of inputs, in order.

use super::objects;
use crate::bucket::{Access, Object, is_address};
use crate::domain::FileId;
use crate::ingest::{self, Database, IngestError, ReadOptions, Records, is_url};
use std::io;
use std::path::{Path, PathBuf};

/// Something to read: where it is, and how it is called in messages and in the manifest (relative to the pipeline
/// file).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputFile {
    /// Where it is.
    pub at: Location,
    /// How it is called: the same on every machine, and without a password.
    pub name: String,
}

/// Where an input is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// A file.
    File(PathBuf),
    /// An object of an object store.
    Object(Box<Object>),
    /// A query's result in a database.
    Database(Box<Database>),
}

impl Location {
    /// Opens it and reads up to and with its header.
    ///
    /// # Errors
    /// When it cannot be read as a table.
    pub fn open(&self, file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
        match self {
            Location::File(path) => ingest::open(path, file, options),
            Location::Object(object) => ingest::open_object(object, file, options),
            Location::Database(database) => ingest::open_database(database, file, options),
        }
    }

    /// Its size in bytes, as far as it is known beforehand.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        match self {
            Location::File(path) => std::fs::metadata(path).map_or(0, |data| data.len()),
            Location::Object(object) => object.bytes(),
            Location::Database(_) => 0,
        }
    }

    /// BLAKE3 of its bytes, read for this alone; `None` where that cannot be told beforehand.
    pub(super) fn content_hash(&self) -> io::Result<Option<String>> {
        let mut hasher = blake3::Hasher::new();
        match self {
            Location::File(path) => hasher.update_reader(std::fs::File::open(path)?)?,
            Location::Object(object) => hasher.update_reader(object.reader())?,
            Location::Database(_) => return Ok(None),
        };
        Ok(Some(hasher.finalize().to_hex().to_string()))
    }

    /// Whether it gives the same bytes once more; a pipe does not.
    pub(super) fn is_repeatable(&self) -> bool {
        match self {
            Location::File(path) => path.is_file(),
            Location::Object(_) | Location::Database(_) => true,
        }
    }

    /// Gives a database the password that its address leaves out.
    pub(super) fn give_password(&mut self, password: &str) {
        if let Location::Database(database) = self {
            database.give_password(password);
        }
    }
}

/// What a folder or a pattern gives.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Found {
    /// What is read, sorted by name.
    pub files: Vec<InputFile>,
    /// What is not, sorted by name, with the reason.
    pub skipped: Vec<Skipped>,
}

/// Something in a folder that is not read.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Skipped {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: &'static str,
}

pub(super) const HIDDEN: &str = "hidden";
pub(super) const NO_LOG: &str = "not a known kind of file";
const LINKED: &str = "a link to a folder";
const FOLDER: &str = "a folder; a pattern with ** goes into folders";

/// Why a name gives no input.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Unfound {
    /// Why.
    pub reason: String,
    /// Whether something failed (a network, a disk), rather than that there is nothing of the name.
    pub failed: bool,
}

impl From<String> for Unfound {
    fn from(reason: String) -> Unfound {
        Unfound { reason, failed: false }
    }
}

/// The inputs that a path, a folder, a pattern or an address names.
///
/// A folder gives every file in it and below it of which the extension is known, but for hidden ones.
///
/// # Errors
/// When there is no such thing, when a folder cannot be listed, or when nothing fits a pattern.
pub fn expand(base: &Path, named: &str, access: &Access) -> Result<Found, Unfound> {
    if is_address(named) {
        return objects::expand(named, access);
    }
    if is_url(named) {
        return Ok(Found { files: vec![database(named)?], skipped: Vec::new() });
    }
    let joined = base.join(named);
    if joined.is_file() {
        return Ok(Found { files: vec![file(joined, portable(named))], skipped: Vec::new() });
    }
    let mut found = Found::default();
    if joined.is_dir() {
        walk(base, &joined, &mut found)?;
        if found.files.is_empty() {
            let what = format!("the folder {} holds no log{}", joined.display(), skipped_words(&found.skipped));
            return Err(what.into());
        }
    } else if named.contains(['*', '?', '[']) && !joined.exists() {
        matching(base, named, &mut found)?;
        if found.files.is_empty() {
            return Err(format!("no file fits {}{}", joined.display(), skipped_words(&found.skipped)).into());
        }
    } else if joined.exists() {
        // A pipe or a device: read once, as it is.
        found.files.push(file(joined, portable(named)));
    } else {
        return Err(format!("there is no file {}", joined.display()).into());
    }
    found.files.sort_by(|a, b| a.name.cmp(&b.name));
    found.skipped.sort();
    Ok(found)
}

fn file(path: PathBuf, name: String) -> InputFile {
    InputFile { at: Location::File(path), name }
}

fn database(url: &str) -> Result<InputFile, String> {
    let database = Database::parse(url).map_err(|error| format!("{error}; {}", error.remedy()))?;
    Ok(InputFile { name: database.name().to_owned(), at: Location::Database(Box::new(database)) })
}

fn not_listed(what: &str, error: &io::Error) -> Unfound {
    Unfound { reason: format!("{what} cannot be listed: {error}"), failed: true }
}

/// Everything in a folder and below it.
fn walk(base: &Path, folder: &Path, found: &mut Found) -> Result<(), Unfound> {
    let cannot = |error: io::Error| not_listed(&format!("the folder {}", folder.display()), &error);
    for entry in std::fs::read_dir(folder).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        let path = entry.path();
        let skipped = |why| Skipped { name: name_within(base, &path), why };
        let linked = entry.file_type().map_err(cannot)?.is_symlink();
        if is_hidden(&path) {
            found.skipped.push(skipped(HIDDEN));
        } else if path.is_dir() && linked {
            // A link may lead back to a folder above it.
            found.skipped.push(skipped(LINKED));
        } else if path.is_dir() {
            walk(base, &path, found)?;
        } else if ingest::is_known(&path) {
            found.files.push(file(path.clone(), name_within(base, &path)));
        } else {
            found.skipped.push(skipped(NO_LOG));
        }
    }
    Ok(())
}

/// Everything that fits a pattern, whatever its extension: who writes `*.log` means it.
fn matching(base: &Path, pattern: &str, found: &mut Found) -> Result<(), Unfound> {
    // Brackets in the name of the pipeline's own folder are no pattern.
    let base_text = glob::Pattern::escape(&base.to_string_lossy());
    let whole = Path::new(&base_text).join(pattern);
    let options = glob::MatchOptions { require_literal_leading_dot: true, ..glob::MatchOptions::default() };
    let paths = glob::glob_with(&whole.to_string_lossy(), options);
    for path in paths.map_err(|error| format!("`{pattern}` is no pattern: {error}"))? {
        let path = path.map_err(|error| not_listed(&error.path().display().to_string(), error.error()))?;
        let name = name_within(base, &path);
        if path.is_dir() {
            found.skipped.push(Skipped { name, why: FOLDER });
        } else if is_hidden(&path) && !pattern.rsplit('/').next().is_some_and(is_hidden_name) {
            found.skipped.push(Skipped { name, why: HIDDEN });
        } else {
            found.files.push(file(path, name));
        }
    }
    if pattern.contains("**") {
        found.skipped.retain(|skipped| skipped.why != FOLDER);
    }
    Ok(())
}

fn is_hidden(path: &Path) -> bool {
    path.file_name().is_some_and(|name| is_hidden_name(&name.to_string_lossy()))
}

/// A name that a folder does not show, or that Excel gives a file while somebody has a workbook open.
pub(super) fn is_hidden_name(name: &str) -> bool {
    name.starts_with('.') || name.starts_with("~$")
}

/// What was skipped, as the end of a sentence; at most five names.
pub(super) fn skipped_words(skipped: &[Skipped]) -> String {
    const SHOWN: usize = 5;
    let names: Vec<String> =
        skipped.iter().take(SHOWN).map(|skipped| format!("{} ({})", skipped.name, skipped.why)).collect();
    match skipped.len() {
        0 => String::new(),
        count if count > SHOWN => format!("; skipped: {} and {} more", names.join(", "), count - SHOWN),
        _ => format!("; skipped: {}", names.join(", ")),
    }
}

/// The named folder is kept, so that the name does not depend on where the pipeline lies.
fn name_within(base: &Path, path: &Path) -> String {
    let name = path.strip_prefix(base).unwrap_or(path);
    portable(&name.to_string_lossy())
}

fn portable(name: &str) -> String {
    name.replace('\\', "/")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    fn found_at(base: &Path, named: &str) -> Result<Found, String> {
        expand(base, named, &Access::default()).map_err(|unfound| unfound.reason)
    }

    fn names(found: &Found) -> Vec<&str> {
        found.files.iter().map(|file| file.name.as_str()).collect()
    }

    /// A folder with logs at two depths, and all that is no log.
    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for path in
            ["logs/b.csv", "logs/a.TSV", "logs/2026/c.csv.gz", "logs/notes.pdf", "logs/.d.csv", "logs/2026/e.log"]
        {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, "x").unwrap();
        }
        folder
    }

    #[test]
    fn a_folder_is_its_logs_in_order_and_what_is_skipped_is_told() {
        let folder = folder();
        for named in ["logs", "logs/"] {
            let found = found_at(folder.path(), named).unwrap();
            assert_eq!(names(&found), ["logs/2026/c.csv.gz", "logs/a.TSV", "logs/b.csv"]);
            let skipped: Vec<(&str, &str)> = found.skipped.iter().map(|s| (s.name.as_str(), s.why)).collect();
            assert_eq!(skipped, [("logs/.d.csv", HIDDEN), ("logs/2026/e.log", NO_LOG), ("logs/notes.pdf", NO_LOG)]);
        }
    }

    #[test]
    fn a_pattern_takes_what_it_says_at_any_depth() {
        let folder = folder();
        assert_eq!(names(&found_at(folder.path(), "logs/*").unwrap()), ["logs/a.TSV", "logs/b.csv", "logs/notes.pdf"]);
        assert_eq!(found_at(folder.path(), "logs/*").unwrap().skipped[0].why, FOLDER);
        assert_eq!(names(&found_at(folder.path(), "logs/**/*.csv*").unwrap()), ["logs/2026/c.csv.gz", "logs/b.csv"]);
        assert_eq!(names(&found_at(folder.path(), "**/e.*").unwrap()), ["logs/2026/e.log"]);
        assert!(found_at(folder.path(), "logs/*.xlsx").unwrap_err().contains("no file fits"));
        assert!(found_at(folder.path(), "logs/***").unwrap_err().contains("is no pattern"));
    }

    #[test]
    fn brackets_in_a_folders_name_are_no_pattern() {
        let folder = tempfile::tempdir().unwrap();
        let base = folder.path().join("clinic [north]");
        fs::create_dir(&base).unwrap();
        fs::write(base.join("a.csv"), "x").unwrap();
        fs::write(base.join("log[1].csv"), "x").unwrap();
        assert_eq!(names(&found_at(&base, "*.csv").unwrap()), ["a.csv", "log[1].csv"]);
        assert_eq!(names(&found_at(&base, "log[1].csv").unwrap()), ["log[1].csv"]);
    }

    #[test]
    fn a_folder_without_logs_and_a_file_that_is_not_there_are_told() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("empty")).unwrap();
        fs::write(folder.path().join("empty/letter.docx"), "x").unwrap();
        let error = found_at(folder.path(), "empty").unwrap_err();
        assert!(error.contains("holds no log") && error.contains("letter.docx (not a known kind of file)"), "{error}");
        assert!(found_at(folder.path(), "nowhere.csv").unwrap_err().contains("there is no file"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_that_leads_back_does_not_go_round() {
        let folder = folder();
        std::os::unix::fs::symlink(folder.path().join("logs"), folder.path().join("logs/again")).unwrap();
        let found = found_at(folder.path(), "logs").unwrap();
        assert_eq!(found.files.len(), 3);
        assert!(found.skipped.iter().any(|skipped| skipped.why == LINKED));
    }

    #[test]
    fn an_address_is_no_path_and_its_password_is_never_named() {
        let found = found_at(Path::new("/nowhere"), "postgresql://ana:s3cret@db.example:5433/clinic").unwrap();
        assert_eq!(names(&found), ["postgresql://ana:***@db.example:5433/clinic"]);
        let error = found_at(Path::new("/nowhere"), "s3://key:s3cret@bucket/logs").unwrap_err();
        assert!(error.contains("AWS_ACCESS_KEY_ID") && !error.contains("s3cret"), "{error}");
    }
}
