//! Why a file cannot be read as a table.

use std::path::PathBuf;

/// Why a file cannot be read at all. A bad row is never one of these.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// There is no such file.
    #[error("{path}: there is no such file", path = path.display())]
    NotFound {
        /// The file.
        path: PathBuf,
    },
    /// The operating system refused.
    #[error("{path}: cannot be read", path = path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What it said.
        source: std::io::Error,
    },
    /// No byte, or nothing but blank lines.
    #[error("{path}: the file is empty", path = path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// Not text.
    #[error("{path}: this is {looks_like}, not delimited text", path = path.display())]
    Binary {
        /// The file.
        path: PathBuf,
        /// What its first bytes look like.
        looks_like: &'static str,
    },
    /// UTF-16 text.
    #[error("{path}: the text is encoded as UTF-16", path = path.display())]
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// The line that should hold the header is blank or behind the end.
    #[error("{path}: line {line} holds no header", path = path.display())]
    HeaderMissing {
        /// The file.
        path: PathBuf,
        /// Where it was looked for.
        line: u64,
    },
    /// The header's fields cannot be told apart.
    #[error("{path}: the header on line {line} cannot be read: {fault}", path = path.display())]
    HeaderUnreadable {
        /// The file.
        path: PathBuf,
        /// Where it stands.
        line: u64,
        /// What is wrong with it.
        fault: super::Fault,
    },
    /// A REDCap export without the instrument that the mapping names.
    #[error("{path}: the export holds nothing of the instrument «{instrument}»", path = path.display())]
    NoInstrument {
        /// The file.
        path: PathBuf,
        /// The instrument.
        instrument: String,
        /// Those that it holds.
        known: Vec<String>,
    },
    /// Not a data dictionary.
    #[error("{path}: this is no REDCap data dictionary: {problem}", path = path.display())]
    Dictionary {
        /// The file.
        path: PathBuf,
        /// Why.
        problem: String,
    },
    /// FHIR resources in a Bundle, or over several lines.
    #[error("{path}: the FHIR resources do not stand one on each line", path = path.display())]
    NotOneALine {
        /// The file.
        path: PathBuf,
    },
    /// A database gives no rows, or not all.
    #[error("{name}: {problem}")]
    Database {
        /// The database, without its password.
        name: String,
        /// Why.
        problem: super::DatabaseProblem,
    },
}

impl IngestError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            IngestError::NoInstrument { known, .. } if known.is_empty() => {
                "export with the «complete?» columns, or name the data dictionary: [redcap] dictionary in the mapping file"
                    .to_owned()
            }
            IngestError::NoInstrument { known, .. } => {
                format!("name it in [redcap] of the mapping file as the export does; it holds {}", known.join(", "))
            }
            IngestError::NotOneALine { .. } => {
                "export as NDJSON, or take a Bundle apart with: jq -c '.entry[].resource' bundle.json > resources.ndjson"
                    .to_owned()
            }
            IngestError::Dictionary { .. } => {
                "download it under «Data Dictionary» in the project, as CSV with all its columns".to_owned()
            }
            IngestError::Database { problem, .. } => problem.remedy().to_owned(),
            IngestError::NotFound { .. } => {
                "check the path; in a pipeline it is relative to the pipeline file".to_owned()
            }
            IngestError::Io { .. } => "check that the file may be read and is whole".to_owned(),
            IngestError::Empty { .. } => "export the log again, or leave the file out".to_owned(),
            IngestError::Binary { .. } => "export the table as CSV (UTF-8) and give that file".to_owned(),
            IngestError::Utf16 { .. } => "save the file as «CSV UTF-8»".to_owned(),
            IngestError::HeaderMissing { .. } => {
                "set [read] header_row in the mapping file to the line that holds the column names".to_owned()
            }
            IngestError::HeaderUnreadable { fault: super::Fault::BadEncoding { .. }, .. } => {
                "set [read] encoding = \"windows-1252\" in the mapping file, or save the file as UTF-8".to_owned()
            }
            IngestError::HeaderUnreadable { .. } => {
                "mend the header line; [read] header_row tells which line it is when titles stand above it".to_owned()
            }
        }
    }
}
