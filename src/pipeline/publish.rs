//! A finished report onto the disk: written beside, then renamed, so that a run that fails leaves the earlier report
//! as it was.

use super::produce::Product;
use serde_json::Value;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;
use thiserror::Error;

/// Why a report could not be put in place.
#[derive(Debug, Error)]
pub enum PublishError {
    /// The folder holds something that is no report.
    #[error("{folder} holds `{entry}`, which no report has; nothing was written")]
    ForeignFolder {
        /// The folder.
        folder: PathBuf,
        /// The first such entry.
        entry: String,
    },
    /// The path is a file.
    #[error("{folder} is a file, not a folder; nothing was written")]
    NotAFolder {
        /// The path.
        folder: PathBuf,
    },
    /// The disk refused.
    #[error("cannot write {path}: {source}")]
    Io {
        /// What could not be written.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// What a report's folder may hold.
const ENTRIES: &[&str] = &[
    "index.html",
    "results.csv",
    "results.parquet",
    "tables",
    "charts",
    "report.xlsx",
    "rejects.csv",
    "superseded.csv",
    "warnings.csv",
    "manifest.json",
];

/// A report that is written beside its place, and goes away unless it is put there.
#[derive(Debug)]
pub struct Staged {
    beside: TempDir,
    folder: PathBuf,
}

/// Writes a report beside `folder`. `run` becomes the manifest's `run` section.
///
/// # Errors
/// When the folder is not a report's, or the disk refuses. The earlier report is then as it was.
pub fn stage(product: &Product, folder: &Path, run: Value) -> Result<Staged, PublishError> {
    check_folder(folder)?;
    let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let io = |source| PublishError::Io { path: parent.to_owned(), source };
    fs::create_dir_all(parent).map_err(io)?;
    let beside = tempfile::Builder::new().prefix(".stipple-").tempdir_in(parent).map_err(io)?;
    let staged = Staged { beside, folder: folder.to_owned() };
    for file in &product.files {
        write(&staged.new_folder().join(&file.path), &file.bytes)?;
    }
    let mut manifest = product.manifest.clone();
    manifest.insert("run".to_owned(), run);
    let mut text = serde_json::to_string_pretty(&manifest).unwrap_or_default();
    text.push('\n');
    write(&staged.new_folder().join("manifest.json"), text.as_bytes())?;
    Ok(staged)
}

impl Staged {
    /// The folder that an interrupt must remove.
    #[must_use]
    pub fn folder(&self) -> &Path {
        self.beside.path()
    }

    fn new_folder(&self) -> PathBuf {
        self.beside.path().join("new")
    }

    /// Puts the report in place of the earlier one.
    ///
    /// # Errors
    /// When the disk refuses; the earlier report is then back in its place.
    pub fn put_in_place(self) -> Result<(), PublishError> {
        let io = |source| PublishError::Io { path: self.folder.clone(), source };
        let old = self.beside.path().join("old");
        if self.folder.exists() {
            fs::rename(&self.folder, &old).map_err(io)?;
        }
        if let Err(source) = fs::rename(self.new_folder(), &self.folder) {
            if old.exists() {
                fs::rename(&old, &self.folder).map_err(io)?;
            }
            return Err(io(source));
        }
        Ok(())
    }
}

fn write(path: &Path, bytes: &[u8]) -> Result<(), PublishError> {
    let io = |source| PublishError::Io { path: path.to_owned(), source };
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent).map_err(io)?;
    }
    fs::write(path, bytes).map_err(io)
}

/// A report replaces only a report: a folder with anything else in it is left alone.
///
/// # Errors
/// When the path is a file, or a folder that holds what no report has.
pub fn check_folder(folder: &Path) -> Result<(), PublishError> {
    if !folder.exists() {
        return Ok(());
    }
    if !folder.is_dir() {
        return Err(PublishError::NotAFolder { folder: folder.to_owned() });
    }
    let entries = fs::read_dir(folder).map_err(|source| PublishError::Io { path: folder.to_owned(), source })?;
    let mut names: Vec<String> =
        entries.filter_map(Result::ok).map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    match names.into_iter().find(|name| !ENTRIES.contains(&name.as_str())) {
        Some(entry) => Err(PublishError::ForeignFolder { folder: folder.to_owned(), entry }),
        None => Ok(()),
    }
}
