//! `stipple init`: a pipeline and a mapping to start from, made of a log's own headers and values, and what a check of
//! the sample says about them.

mod sample;
mod starter;
mod trial;

pub use crate::validate::propose::FileSummary;
pub use trial::Trial;

use super::files::{self, Location, Unfound};
use super::load::LoadError;
use crate::bucket::{Access, is_address};
use crate::domain::Table;
use crate::validate::MappingError;
use crate::validate::propose::propose;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why there is nothing to start from.
#[derive(Debug, Error)]
pub enum InitError {
    /// A file of the log cannot be read.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// An address gives no log, or many.
    #[error(transparent)]
    Address(#[from] Unfound),
    /// The line that should hold the column names holds data.
    #[error("{file}: the line that should hold the column names seems to hold data")]
    NoHeader {
        /// The file.
        file: String,
    },
    /// A file that would be written is there.
    #[error("{path} is there already, and is left as it is", path = path.display())]
    Exists {
        /// The file.
        path: PathBuf,
    },
    /// A file cannot be written.
    #[error("cannot write {path}: {source}", path = path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The proposal is no mapping: a defect of this program.
    #[error("the proposed mapping cannot be read: {0}")]
    Defect(#[from] MappingError),
}

/// The files from which a mapping is proposed, as they were typed.
#[derive(Debug, Clone, Copy)]
pub struct Inputs<'a> {
    /// The session log.
    pub log: &'a str,
    /// An events file beside it.
    pub events: Option<&'a str>,
    /// An assessments file beside it.
    pub assessments: Option<&'a str>,
    /// What object stores are reached by.
    pub access: &'a Access,
}

/// A file as it was typed, and where it is.
struct Named<'a> {
    path: &'a str,
    at: Location,
    table: Table,
}

impl<'a> Named<'a> {
    fn new(path: &'a str, table: Table, access: &Access) -> Result<Named<'a>, InitError> {
        if !is_address(path) {
            return Ok(Named { path, at: Location::File(path.into()), table });
        }
        let found = files::expand(Path::new(""), path, access)?;
        match <[files::InputFile; 1]>::try_from(found.files) {
            Ok([file]) => Ok(Named { path, at: file.at, table }),
            Err(files) => {
                let example = files.first().map(|file| file.name.as_str()).unwrap_or_default();
                let reason = format!("{path} holds {} logs; name one of them, such as {example}", files.len());
                Err(InitError::Address(reason.into()))
            }
        }
    }
}

/// Two files to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// Text of the pipeline.
    pub pipeline: String,
    /// Text of the mapping.
    pub mapping: String,
}

/// What was found in the files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// What is proposed, file by file.
    pub files: Vec<FileSummary>,
    /// What a check of each file's sample says.
    pub trials: Vec<Trial>,
}

/// Name of the pipeline file.
pub const PIPELINE_FILE: &str = "pipeline.toml";
/// Name of the mapping file.
pub const MAPPING_FILE: &str = "mapping.toml";

/// A canonical example.
#[must_use]
pub fn example() -> Start {
    Start { pipeline: starter::EXAMPLE_PIPELINE.to_owned(), mapping: starter::EXAMPLE_MAPPING.to_owned() }
}

/// Reads the headers and a sample of each file, and proposes.
///
/// # Errors
/// When a file cannot be read or has no header.
pub fn from_files(folder: &Path, inputs: Inputs<'_>) -> Result<(Start, Found), InitError> {
    let mut named = vec![Named::new(inputs.log, Table::Sessions, inputs.access)?];
    for (path, table) in [(inputs.events, Table::Events), (inputs.assessments, Table::Assessments)] {
        if let Some(path) = path {
            named.push(Named::new(path, table, inputs.access)?);
        }
    }
    let log = sample::survey(&named[0])?;
    let others = named[1..].iter().map(sample::survey).collect::<Result<Vec<_>, _>>()?;
    let proposal = propose(&log, &others);
    let trials = trial::run(&named, &proposal)?;
    let pipeline = starter::pipeline(folder, inputs, &proposal.fed);
    Ok((Start { pipeline, mapping: proposal.text }, Found { files: proposal.files, trials }))
}

/// Refuses when a file that would be written is there.
///
/// # Errors
/// When it is.
pub fn check_new(folder: &Path) -> Result<(), InitError> {
    for path in [folder.join(PIPELINE_FILE), folder.join(MAPPING_FILE)] {
        if path.symlink_metadata().is_ok() {
            return Err(InitError::Exists { path });
        }
    }
    Ok(())
}

/// Writes both files into a folder, which is made; never over a file that is there.
///
/// # Errors
/// When a file is there already or cannot be written.
pub fn write(folder: &Path, start: &Start) -> Result<(), InitError> {
    check_new(folder)?;
    std::fs::create_dir_all(folder).map_err(|source| InitError::Write { path: folder.to_owned(), source })?;
    for (name, text) in [(MAPPING_FILE, &start.mapping), (PIPELINE_FILE, &start.pipeline)] {
        let path = folder.join(name);
        let written = OpenOptions::new().write(true).create_new(true).open(&path);
        written.and_then(|mut file| file.write_all(text.as_bytes())).map_err(|source| match source.kind() {
            ErrorKind::AlreadyExists => InitError::Exists { path: path.clone() },
            _ => InitError::Write { path: path.clone(), source },
        })?;
    }
    Ok(())
}
