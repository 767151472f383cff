//! Two runs side by side: what their manifests say otherwise, and what their results do.

use crate::results::diff::{self, DiffError, Difference, ResultsFile};
use serde_json::Value;
use std::fs;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why two runs cannot be compared.
#[derive(Debug, Error)]
pub enum RunDiffError {
    /// No run is there.
    #[error("{} holds no run: results.csv is not there", folder.display())]
    NoRun {
        /// The folder.
        folder: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not what it should be.
    #[error("{}: {source}", path.display())]
    Results {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: DiffError,
    },
    /// The manifest is no JSON.
    #[error("{} is no manifest: {source}", path.display())]
    Manifest {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        source: serde_json::Error,
    },
}

/// Something about the runs themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aspect {
    /// What.
    pub name: &'static str,
    /// In the first run; empty = it does not say.
    pub before: String,
    /// In the second run.
    pub after: String,
}

/// What differs between two runs.
#[derive(Debug, Clone, PartialEq)]
pub struct RunDiff {
    /// What the manifests say otherwise.
    pub aspects: Vec<Aspect>,
    /// Results of the first and of the second run.
    pub results: [usize; 2],
    /// What the results say otherwise.
    pub difference: Difference,
}

/// What a manifest says that may explain a difference, and where it stands.
const ASPECTS: [(&str, &str); 10] = [
    ("program version", "/version"),
    ("pipeline", "/pipeline/id"),
    ("pipeline text (BLAKE3)", "/pipeline/blake3"),
    ("data cut", "/data_cut"),
    ("store version", "/store_version"),
    ("release profile", "/release_profile"),
    ("input (BLAKE3)", "/input_blake3"),
    ("rows read", "/read_rows"),
    ("rows rejected", "/rejected_rows"),
    ("rows superseded", "/superseded_rows"),
];

/// Compares the runs that two folders hold.
///
/// # Errors
/// When one of them holds no run, or its files cannot be read.
pub fn diff(before: &Path, after: &Path, tolerance: f64) -> Result<RunDiff, RunDiffError> {
    let (one, other) = (results(before)?, results(after)?);
    let manifests = [manifest(before)?, manifest(after)?];
    let said = |run: usize, at: &str| match manifests[run].pointer(at) {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    let aspects = ASPECTS.iter().map(|(name, at)| Aspect { name, before: said(0, at), after: said(1, at) });
    Ok(RunDiff {
        aspects: aspects.filter(|aspect| aspect.before != aspect.after).collect(),
        results: [one.len(), other.len()],
        difference: diff::diff(&one, &other, tolerance),
    })
}

fn results(folder: &Path) -> Result<ResultsFile, RunDiffError> {
    let path = folder.join("results.csv");
    if !path.is_file() {
        return Err(RunDiffError::NoRun { folder: folder.to_owned() });
    }
    let bytes = fs::read(&path).map_err(|source| RunDiffError::Io { path: path.clone(), source })?;
    ResultsFile::read(&bytes).map_err(|source| RunDiffError::Results { path, source })
}

/// A run whose manifest was taken away can still be compared.
fn manifest(folder: &Path) -> Result<Value, RunDiffError> {
    let path = folder.join("manifest.json");
    match fs::read(&path) {
        Ok(bytes) => serde_json::from_slice(&bytes).map_err(|source| RunDiffError::Manifest { path, source }),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(Value::Null),
        Err(source) => Err(RunDiffError::Io { path, source }),
    }
}
