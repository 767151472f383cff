//! Reads a binary file on a thread of its own, which hands its batches over one by one.
//!
//! The libraries that decode these files lend out parts of themselves while they read, and some of them stop the
//! thread at a damaged byte; on a thread of its own that is a clear error rather than the end of the program. A
//! batch or two are waiting at any time, never more: memory stays bounded.

use super::seekable::Seekable;
use super::{IngestError, LeftOut, RawBatch, Records, Tally};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// Batches that may wait to be taken.
const WAITING: usize = 2;

enum Message {
    Head(Head),
    Batch(RawBatch, Tally),
    End(Tally),
    Failed(IngestError),
}

/// What is known before the first record.
#[derive(Default)]
pub(super) struct Head {
    pub(super) header: Vec<String>,
    /// Sheets that hold something and are not read.
    pub(super) unread_sheets: Vec<String>,
}

/// Why the reading stops early.
pub(super) enum Stop {
    /// Nobody wants the rest.
    Unwanted,
    /// The file cannot be read on.
    Failed(IngestError),
}

impl From<IngestError> for Stop {
    fn from(error: IngestError) -> Stop {
        Stop::Failed(error)
    }
}

/// Where the reading thread puts what it has read: the head first, then batches.
pub(super) struct Feed(SyncSender<Message>);

impl Feed {
    pub(super) fn head(&self, head: Head) -> Result<(), Stop> {
        self.0.send(Message::Head(head)).map_err(|_| Stop::Unwanted)
    }

    pub(super) fn batch(&self, batch: RawBatch, tally: Tally) -> Result<(), Stop> {
        self.0.send(Message::Batch(batch, tally)).map_err(|_| Stop::Unwanted)
    }
}

/// The records that a thread reads.
pub(super) struct Fed {
    input: Seekable,
    format: &'static str,
    head: Head,
    receiver: Receiver<Message>,
    thread: Option<JoinHandle<()>>,
    tally: Tally,
}

impl Fed {
    /// Starts `read` on a thread and waits for the head. `format` is how a message calls the file: «a Parquet file».
    pub(super) fn start(
        input: Seekable,
        format: &'static str,
        read: impl FnOnce(&Feed) -> Result<Tally, Stop> + Send + 'static,
    ) -> Result<Fed, IngestError> {
        let (sender, receiver) = sync_channel(WAITING);
        let work = move || {
            let feed = Feed(sender);
            let last = match read(&feed) {
                Ok(tally) => Message::End(tally),
                Err(Stop::Failed(error)) => Message::Failed(error),
                Err(Stop::Unwanted) => return,
            };
            // Nobody waits any more when the reader was dropped: then the last word is lost on purpose.
            drop(feed.0.send(last));
        };
        let thread = std::thread::Builder::new().name("reader".to_owned()).spawn(work);
        let thread = thread.map_err(|source| IngestError::Io { path: input.path.clone(), source })?;
        let (head, tally) = (Head::default(), Tally::default());
        let mut fed = Fed { input, format, head, receiver, thread: Some(thread), tally };
        match fed.receive()? {
            Message::Head(head) => fed.head = head,
            Message::Batch(..) | Message::End(_) | Message::Failed(_) => return Err(fed.broken()),
        }
        Ok(fed)
    }

    fn receive(&mut self) -> Result<Message, IngestError> {
        match self.receiver.recv() {
            Ok(Message::Failed(error)) => Err(error),
            Ok(message) => Ok(message),
            Err(_) => Err(self.broken()),
        }
    }

    fn broken(&self) -> IngestError {
        let detail = "its parts contradict each other".to_owned();
        IngestError::Broken { path: self.input.path.clone(), format: self.format, detail }
    }

    fn end(&mut self, tally: Tally) -> Result<(), IngestError> {
        if let Some(thread) = self.thread.take() {
            thread.join().map_err(|_| self.broken())?;
        }
        self.input.hash_file()?;
        self.tally = Tally { bytes: self.input.file_bytes(), ..tally };
        Ok(())
    }
}

impl Records for Fed {
    fn header(&self) -> &[String] {
        &self.head.header
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        if self.thread.is_none() {
            return Ok(None);
        }
        match self.receive()? {
            Message::Batch(batch, tally) => {
                self.tally = tally;
                Ok(Some(batch))
            }
            Message::End(tally) => self.end(tally).map(|()| None),
            Message::Head(_) | Message::Failed(_) => Err(self.broken()),
        }
    }

    fn tally(&self) -> Tally {
        self.tally
    }

    fn content_hash(&self) -> Option<String> {
        self.input.hash().filter(|_| self.thread.is_none()).map(|hash| hash.to_hex().to_string())
    }

    fn left_out(&self) -> Vec<LeftOut> {
        let sheets = self.head.unread_sheets.iter();
        sheets.map(|sheet| LeftOut { what: format!("sheet «{sheet}», which is not read"), records: 0 }).collect()
    }
}
