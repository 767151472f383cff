//! The bytes of a query's result. The connection lives in a thread of its own, a few chunks ahead of its reader.

use super::{Database, DatabaseProblem};
use postgres::error::{DbError, ErrorPosition, SqlState};
use std::io::{self, BufRead, Read};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread;

const CHUNK_BYTES: usize = 64 << 10;
/// Chunks that may wait: the server is held back by a slow reader.
const CHUNKS_AHEAD: usize = 4;
/// Words with which a query that only reads can begin.
const READING: [&str; 4] = ["select", "with", "values", "table"];
/// Settings under which a value is always written in the same way.
const SETTINGS: &str = "SET default_transaction_read_only = on; SET datestyle = 'ISO'; SET extra_float_digits = 3; \
                        SET intervalstyle = 'iso_8601'; SET bytea_output = 'hex'";

enum Message {
    Bytes(Vec<u8>),
    End,
    Failed(DatabaseProblem),
}

/// The query without its last semicolon, when it begins as one that reads.
///
/// Whether it is one statement, the server says: see [`copy`].
pub(super) fn checked(query: &str) -> Result<String, DatabaseProblem> {
    let query = query.trim_end_matches(|letter: char| letter.is_whitespace() || letter == ';');
    let word: String = behind_comments(query).chars().take_while(char::is_ascii_alphabetic).collect();
    if READING.contains(&word.to_ascii_lowercase().as_str()) {
        return Ok(query.to_owned());
    }
    Err(if query.trim().is_empty() { DatabaseProblem::NoQuery } else { DatabaseProblem::NotASelect })
}

/// The query from its first word or bracket on.
fn behind_comments(query: &str) -> &str {
    let mut rest = query;
    loop {
        rest = rest.trim_start_matches(|letter: char| letter.is_whitespace() || letter == '(');
        let (opening, closing) = if rest.starts_with("--") { ("--", "\n") } else { ("/*", "*/") };
        match rest.strip_prefix(opening) {
            Some(comment) => rest = comment.split_once(closing).map_or("", |(_, behind)| behind),
            None => return rest,
        }
    }
}

/// Starts the query; its failure comes out of the first read or a later one.
pub(super) fn start(database: Database, query: String) -> impl Read + Send + 'static {
    let (sender, receiver) = sync_channel(CHUNKS_AHEAD);
    thread::spawn(move || {
        let last = match copy(&database, &query, &sender) {
            Ok(()) => Message::End,
            Err(problem) => Message::Failed(problem),
        };
        // Nobody listens any more when the reader has given up; then there is nobody to tell.
        let _ = sender.send(last);
    });
    Chunks { receiver, chunk: Vec::new(), at: 0, ended: false }
}

/// Runs the query, read-only, and sends its result.
fn copy(database: &Database, query: &str, sender: &SyncSender<Message>) -> Result<(), DatabaseProblem> {
    let connector = database.secure.connector()?;
    let mut client = database.config.connect(connector).map_err(|error| connecting(&error))?;
    client.batch_execute(SETTINGS).map_err(|error| starting(&error, query))?;
    let transaction = client.build_transaction().read_only(true).start();
    let mut transaction = transaction.map_err(|error| starting(&error, query))?;
    // The server takes only one whole statement here, so nothing of it can leave the brackets below.
    transaction.prepare(query).map_err(|error| starting(&error, query))?;
    let statement = format!("COPY (\n{query}\n) TO STDOUT (FORMAT csv, HEADER, ENCODING 'UTF8')");
    let mut rows = transaction.copy_out(&statement).map_err(|error| starting(&error, ""))?;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    loop {
        let bytes = rows.fill_buf().map_err(|error| reading(&error))?;
        let count = bytes.len();
        chunk.extend_from_slice(bytes);
        rows.consume(count);
        if (count == 0 && !chunk.is_empty()) || chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES));
            if sender.send(Message::Bytes(full)).is_err() {
                return Ok(());
            }
        }
        if count == 0 {
            break;
        }
    }
    drop(rows);
    transaction.commit().map_err(|error| failed(&error))
}

fn connecting(error: &postgres::Error) -> DatabaseProblem {
    match error.as_db_error() {
        Some(error) if error.code().code().starts_with("57P") || *error.code() == SqlState::TOO_MANY_CONNECTIONS => {
            DatabaseProblem::NoConnection { reason: error.message().to_owned() }
        }
        Some(error) => DatabaseProblem::Denied { reason: error.message().to_owned() },
        None => {
            let reason = causes(error);
            // «password missing» is the library's own word, before anything is sent.
            if reason.contains("password missing") || reason.contains("authentication") {
                DatabaseProblem::Denied { reason }
            } else if reason.contains("UnknownIssuer") {
                let reason = "nobody who is trusted vouches for the server's certificate (UnknownIssuer)".to_owned();
                DatabaseProblem::Untrusted { reason }
            } else if reason.contains("TLS") {
                DatabaseProblem::Untrusted { reason }
            } else {
                DatabaseProblem::NoConnection { reason }
            }
        }
    }
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let inner_text = inner.to_string();
        if !text.contains(&inner_text) {
            text = format!("{text}: {inner_text}");
        }
        cause = inner.source();
    }
    text
}

fn starting(error: &postgres::Error, query: &str) -> DatabaseProblem {
    let Some(error) = error.as_db_error() else { return DatabaseProblem::Lost };
    let line = match error.position() {
        Some(ErrorPosition::Original(letter)) if !query.is_empty() => {
            Some(1 + query.chars().take(*letter as usize - 1).filter(|letter| *letter == '\n').count())
        }
        _ => None,
    };
    match *error.code() {
        SqlState::ADMIN_SHUTDOWN | SqlState::CRASH_SHUTDOWN => DatabaseProblem::Lost,
        _ => DatabaseProblem::Refused { reason: words(error), line },
    }
}

fn reading(error: &io::Error) -> DatabaseProblem {
    let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<postgres::Error>());
    inner.map_or(DatabaseProblem::Lost, failed)
}

fn failed(error: &postgres::Error) -> DatabaseProblem {
    match error.as_db_error() {
        Some(error) if !error.code().code().starts_with("57P0") => DatabaseProblem::Failed { reason: words(error) },
        _ => DatabaseProblem::Lost,
    }
}

/// What the server says, without the values of rows that it may quote: they can identify a patient. What it quotes of
/// the query's own names (classes 42 and 0A) stays.
fn words(error: &DbError) -> String {
    let class = error.code().code().get(..2).unwrap_or_default();
    if ["42", "0A", "25", "3D", "28"].contains(&class) {
        return error.message().to_owned();
    }
    let quoted = error.message().split('"').enumerate();
    quoted.map(|(at, part)| if at % 2 == 0 { part } else { "…" }).collect::<Vec<_>>().join("\"")
}

/// The chunks as one stream of bytes.
struct Chunks {
    receiver: Receiver<Message>,
    chunk: Vec<u8>,
    at: usize,
    ended: bool,
}

impl Read for Chunks {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            if self.ended {
                return Ok(0);
            }
            match self.receiver.recv() {
                Ok(Message::Bytes(bytes)) => (self.chunk, self.at) = (bytes, 0),
                Ok(Message::End) => self.ended = true,
                Ok(Message::Failed(problem)) => return Err(io::Error::other(problem)),
                // The thread is gone without a last word: not an end, a failure.
                Err(_) => return Err(io::Error::other(DatabaseProblem::Lost)),
            }
        }
        let count = buffer.len().min(self.chunk.len() - self.at);
        buffer[..count].copy_from_slice(&self.chunk[self.at..self.at + count]);
        self.at += count;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_query_that_begins_as_one_that_reads_is_sent() {
        for query in ["SELECT 1;", "\n -- all\n select 1 ; ;", "/* a */ WITH x AS (SELECT 1) TABLE x", "(VALUES (1))"] {
            assert!(checked(query).is_ok_and(|query| !query.ends_with(';')), "{query}");
        }
        for query in ["DELETE FROM sessions", "selected", "COPY x TO STDOUT", "-- SELECT 1", "EXPLAIN SELECT 1"] {
            assert_eq!(checked(query), Err(DatabaseProblem::NotASelect), "{query}");
        }
        assert_eq!(checked(" ;\n"), Err(DatabaseProblem::NoQuery));
    }
}
