//! A query's result, by `COPY (query) TO STDOUT` into the reader of delimited text: the same rules as for a file.
//!
//! The session may read only, and the query is prepared by itself first: only what is one whole statement is ever put
//! between the brackets of `COPY`. A query that fails in its middle is an error, never fewer rows.

mod address;
mod fetch;
mod secure;

pub use address::{AddressError, Database, is_url, without_passwords};

use super::delimited::{Reader, Tally};
use super::error::IngestError;
use super::meter::Meter;
use super::options::{ReadOptions, TextEncoding};
use super::{RawBatch, Records, Source};
use crate::domain::FileId;
use std::path::PathBuf;

/// Why a database gives no rows, or not all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DatabaseProblem {
    /// The mapping holds no query.
    #[error("there is no query that says which rows are read")]
    NoQuery,
    /// The query does something else than read.
    #[error("the query is not one SELECT, WITH, VALUES or TABLE statement")]
    NotASelect,
    /// Nobody answers at the address.
    #[error("no connection: {reason}")]
    NoConnection {
        /// What the operating system says.
        reason: String,
    },
    /// No connection that is encrypted as the address asks.
    #[error("no encrypted connection: {reason}")]
    Untrusted {
        /// What is wrong.
        reason: String,
    },
    /// The certificates that the address names cannot be read.
    #[error("{reason}")]
    NoCertificates {
        /// Which, and why.
        reason: String,
    },
    /// The server refuses the user.
    #[error("the server refuses the user: {reason}")]
    Denied {
        /// What the server says.
        reason: String,
    },
    /// The server refuses the query before it runs.
    #[error("the query is refused{}: {reason}", line.map(|line| format!(" at its line {line}")).unwrap_or_default())]
    Refused {
        /// What the server says.
        reason: String,
        /// Line of the query.
        line: Option<usize>,
    },
    /// The query failed while its rows were read.
    #[error("the query failed before its end, so its rows are not used: {reason}")]
    Failed {
        /// What the server says.
        reason: String,
    },
    /// The connection broke.
    #[error("the connection ended before the last row, so its rows are not used")]
    Lost,
}

impl DatabaseProblem {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            DatabaseProblem::NoQuery => {
                "set query = \"SELECT …\" under [read] in the mapping file (under [events.read] or [assessments.read] \
                 for those)"
            }
            DatabaseProblem::NotASelect => "write one query that only reads; what else must happen belongs in a view",
            DatabaseProblem::NoConnection { .. } => {
                "check host and port, and that the server runs and lets this machine in"
            }
            DatabaseProblem::Untrusted { .. } => {
                "name the certificate of who vouches for the server with sslrootcert=FILE in the address \
                 (sslrootcert=system: those that this machine trusts); sslmode=require encrypts without asking who \
                 answers, sslmode=disable does not encrypt"
            }
            DatabaseProblem::NoCertificates { .. } => "name a file in PEM with sslrootcert=FILE in the address",
            DatabaseProblem::Denied { .. } => {
                "check user, database and password; the password is taken from the address, else from PGPASSWORD"
            }
            DatabaseProblem::Refused { .. } => {
                "check [read] query in the mapping file, and that the user may read the tables that it names"
            }
            DatabaseProblem::Failed { .. } => "correct the query in the mapping file, or the rows at which it fails",
            DatabaseProblem::Lost => "run it again; if it happens again, ask who runs the server",
        }
    }

    /// Whether the mapping is to blame rather than the server.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        matches!(
            self,
            DatabaseProblem::NoQuery
                | DatabaseProblem::NotASelect
                | DatabaseProblem::Refused { .. }
                | DatabaseProblem::NoCertificates { .. }
        )
    }
}

/// Starts the query of `options` and reads up to and with the names of its columns.
///
/// # Errors
/// When there is no query, no connection, or the server refuses.
pub fn open_database(
    database: &Database,
    file: FileId,
    options: &ReadOptions,
) -> Result<Box<dyn Records>, IngestError> {
    let problem = |problem| IngestError::Database { name: database.name().to_owned(), problem };
    let query = options.query.as_deref().ok_or_else(|| problem(DatabaseProblem::NoQuery))?;
    let query = fetch::checked(query).map_err(problem)?;
    let (meter, metered) = Meter::new(Box::new(fetch::start(database.clone(), query)));
    let source = Source { path: PathBuf::from(database.name()), file, bytes: Box::new(metered) };
    let layout = ReadOptions {
        table: options.table,
        delimiter: Some(b','),
        encoding: Some(TextEncoding::Utf8),
        ..ReadOptions::default()
    };
    let reader = Reader::new(source, &layout).map_err(|error| told(error, database.name()))?;
    Ok(Box::new(Rows { reader: reader.trusting_quotes(), meter, at_end: false, name: database.name().to_owned() }))
}

/// The rows of a query.
struct Rows {
    reader: Reader,
    meter: Meter,
    at_end: bool,
    name: String,
}

impl Records for Rows {
    fn header(&self) -> &[String] {
        self.reader.header()
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let batch = self.reader.next_batch().map_err(|error| told(error, &self.name))?;
        self.at_end |= batch.is_none();
        // A result has rows, not lines.
        Ok(batch.map(RawBatch::with_lines_of_records))
    }

    fn tally(&self) -> Tally {
        Tally { bytes: self.meter.bytes(), ..self.reader.tally() }
    }

    fn content_hash(&self) -> Option<String> {
        self.at_end.then(|| self.meter.hash())
    }
}

/// The server's reason in place of a failed read.
fn told(error: IngestError, name: &str) -> IngestError {
    let IngestError::Io { source, .. } = &error else { return error };
    match source.get_ref().and_then(|inner| inner.downcast_ref::<DatabaseProblem>()) {
        Some(problem) => IngestError::Database { name: name.to_owned(), problem: problem.clone() },
        None => error,
    }
}
