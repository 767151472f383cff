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
    /// The bytes are not what the format says they should be.
    #[error("{path}: this is {format} that is damaged or cut off: {detail}", path = path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// What it is: «a Parquet file».
        format: &'static str,
        /// What its reader says.
        detail: String,
    },
    /// A password is needed to read it.
    #[error("{path}: the file is encrypted", path = path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
    },
    /// The name or the beginning promises another format than the bytes hold.
    #[error("{path}: this is not {expected}", path = path.display())]
    OtherFormat {
        /// The file.
        path: PathBuf,
        /// What it should be.
        expected: &'static str,
    },
    /// A kind or version of a format that is not read.
    #[error("{path}: this is {what}, which is not read", path = path.display())]
    NotRead {
        /// The file.
        path: PathBuf,
        /// What it is.
        what: &'static str,
        /// What to do.
        remedy: &'static str,
    },
    /// A small file that unpacks to more than any log has.
    #[error("{path}: {part} unpacks to more than {limit}", path = path.display())]
    UnpacksTooLarge {
        /// The file.
        path: PathBuf,
        /// Which part of it.
        part: String,
        /// What is read at most.
        limit: String,
    },
    /// A workbook has no sheet of that name.
    #[error("{path}: there is no sheet «{sheet}»", path = path.display())]
    SheetMissing {
        /// The file.
        path: PathBuf,
        /// The sheet that the mapping names.
        sheet: String,
        /// The sheets that there are.
        sheets: Vec<String>,
    },
    /// A sheet without a row that surely is the header.
    #[error("{path}: it is not certain that row {row} of sheet «{sheet}» holds the column names: {why}",
        path = path.display())]
    HeaderUnsure {
        /// The file.
        path: PathBuf,
        /// The sheet.
        sheet: String,
        /// The row that comes nearest.
        row: u64,
        /// What speaks against it.
        why: &'static str,
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
}

impl IngestError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            IngestError::NotFound { .. } => {
                "check the path; in a pipeline it is relative to the pipeline file".to_owned()
            }
            IngestError::Io { .. } => "check that the file may be read and is whole".to_owned(),
            IngestError::Empty { .. } => "export the log again, or leave the file out".to_owned(),
            IngestError::Binary { .. } => "export the table as CSV (UTF-8) and give that file".to_owned(),
            IngestError::Broken { .. } => "export or copy the file again".to_owned(),
            IngestError::Encrypted { .. } => "save it again without a password".to_owned(),
            IngestError::OtherFormat { .. } => {
                "give the file the ending of what it is (.csv, .ndjson, …), or export it again".to_owned()
            }
            IngestError::NotRead { remedy, .. } => (*remedy).to_owned(),
            IngestError::UnpacksTooLarge { .. } => {
                "check where the file comes from; a log as large as this can be given as CSV or Parquet".to_owned()
            }
            IngestError::SheetMissing { sheets, .. } => {
                format!("set [read] sheet in the mapping file to one of: {}", sheets.join(", "))
            }
            IngestError::HeaderUnsure { .. } => {
                "set [read] header_row in the mapping file to the row that holds the column names (from 1, as the \
                 sheet counts them); [read] sheet picks another sheet"
                    .to_owned()
            }
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
