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
    /// An object store does not give the object, or not all of it.
    #[error(transparent)]
    Bucket(#[from] crate::bucket::BucketError),
    /// A database gives no rows, or not all.
    #[error("{name}: {problem}")]
    Database {
        /// The database, without its password.
        name: String,
        /// Why.
        problem: super::DatabaseProblem,
    },
    /// An archive that ends too early.
    #[error("{path}: the {archive} archive is cut off", path = path.display())]
    ArchiveCut {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        archive: &'static str,
    },
    /// An archive that holds something else than it should.
    #[error("{path}: the {archive} archive is damaged ({said})", path = path.display())]
    ArchiveDamaged {
        /// The file.
        path: PathBuf,
        /// `gzip` or `zstd`.
        archive: &'static str,
        /// What the unpacker said.
        said: String,
    },
    /// Not valid JSON: behind the first mistake no record can be told from the next.
    #[error("{path}:{line}: this is not valid JSON: {what}", path = path.display())]
    Json {
        /// The file.
        path: PathBuf,
        /// Physical line of the mistake, from 1.
        line: u64,
        /// What is wrong.
        what: &'static str,
    },
    /// Nothing in the file is a record, so that its columns are not known.
    #[error("{path}: {what}", path = path.display())]
    NoRecords {
        /// The file.
        path: PathBuf,
        /// What is there instead.
        what: &'static str,
    },
    /// More columns than a table has.
    #[error("{path}: the records have more than {most} different keys", path = path.display())]
    TooManyColumns {
        /// The file.
        path: PathBuf,
        /// How many there may be.
        most: usize,
    },
    /// Several tables in one file, and nothing says which.
    #[error("{path}: the file holds several tables: {}", names.join(", "), path = path.display())]
    SeveralTables {
        /// The file.
        path: PathBuf,
        /// Their names.
        names: Vec<String>,
    },
    /// The table that the mapping names is not there.
    #[error("{path}: there is no table «{wanted}» in the file; it holds {}", names.join(", "), path = path.display())]
    NoSuchTable {
        /// The file.
        path: PathBuf,
        /// Its name in the mapping.
        wanted: String,
        /// Names of those that are there.
        names: Vec<String>,
    },
    /// The file says that it holds more or fewer records than are there.
    #[error("{path}: the file says that it holds {declared} records, and {found} are there", path = path.display())]
    Miscounted {
        /// The file.
        path: PathBuf,
        /// Records that its metadata promise.
        declared: u64,
        /// Records that were found.
        found: u64,
    },
    /// The file ends in the middle of its data.
    #[error("{path}: the file is cut off: {what}", path = path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// How that shows.
        what: &'static str,
    },
    /// A pipe or device, where the format has to be read twice.
    #[error("{path}: this is no file on a disk, and the format has to be read twice", path = path.display())]
    Unrepeatable {
        /// The file.
        path: PathBuf,
    },
    /// The file was written to between two readings.
    #[error("{path}: the file changed while it was read", path = path.display())]
    Changed {
        /// The file.
        path: PathBuf,
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
            IngestError::Bucket(problem) => problem.remedy().to_owned(),
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
            IngestError::ArchiveCut { .. } | IngestError::Cut { .. } => {
                "copy or export the file again; nothing was read from it, since rows at its end are missing".to_owned()
            }
            IngestError::ArchiveDamaged { .. } => {
                "copy or export the file again, or unpack it by hand; nothing was read from it, since its rows cannot \
                 be trusted"
                    .to_owned()
            }
            IngestError::Json { .. } => {
                "mend the line, or export the file again; where each line is a record of its own, call the file .ndjson"
                    .to_owned()
            }
            IngestError::NoRecords { .. } => {
                "give a list of objects, as [{…}, {…}] or {\"data\": [{…}, {…}]}, or one object a line (.ndjson); a \
                 file without any record can be left out"
                    .to_owned()
            }
            IngestError::TooManyColumns { .. } => {
                "give records whose keys are the names of columns; a value such as an identifier must not be a key"
                    .to_owned()
            }
            IngestError::SeveralTables { .. } | IngestError::NoSuchTable { .. } => {
                "name the one to read with [read] sheet in the mapping file, or save it as a file of its own".to_owned()
            }
            IngestError::Miscounted { .. } => {
                "export or copy the file again; nothing was read from it, since records may be missing".to_owned()
            }
            IngestError::Unrepeatable { .. } => "save it as a file, and give that".to_owned(),
            IngestError::Changed { .. } => "wait until the export has ended, and start again".to_owned(),
            IngestError::HeaderUnreadable { .. } => {
                "mend the header line; [read] header_row tells which line it is when titles stand above it".to_owned()
            }
        }
    }
}
