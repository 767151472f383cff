//! Arrow IPC: files (also called Feather, version 2) and streams. Which of the two it is, the first bytes tell.

use super::record_batches::{self, Batches};
use super::seekable::Seekable;
use super::{IngestError, ReadOptions, Records, Source};
use arrow::ipc::reader::{FileReader, StreamReader};

pub(super) const EXTENSIONS: &[&str] = &["arrow", "feather", "ipc", "arrows"];
const WHAT: &str = "an Arrow file";
const MAGIC: &[u8] = b"ARROW1";
const MAGIC_FEATHER_1: &[u8] = b"FEA1";
/// A stream's messages begin with this, and a stream ends with it and a length of nothing.
const CONTINUED: &[u8] = &[0xFF; 4];
const END_OF_STREAM: &[u8] = &[0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0, 0];

pub(super) fn open(source: Source, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let file_id = source.file;
    let input = Seekable::new(source, EXTENSIONS)?;
    let broken = |detail: &str| {
        let detail = detail.to_owned();
        Err(IngestError::Broken { path: input.path.clone(), format: WHAT, detail })
    };
    let (first, last) = input.ends(8)?;
    let is_file = first.starts_with(MAGIC);
    if first.is_empty() {
        return Err(IngestError::Empty { path: input.path });
    }
    if first.starts_with(MAGIC_FEATHER_1) {
        let remedy = "write it again as Feather version 2 (Arrow IPC) or Parquet";
        return Err(IngestError::NotRead { path: input.path, what: "a Feather file of version 1", remedy });
    }
    if is_file && (!last.ends_with(MAGIC) || input.bytes < 16) {
        return broken("it ends before its footer");
    }
    if !is_file && !first.starts_with(CONTINUED) {
        return Err(IngestError::OtherFormat { path: input.path, expected: WHAT });
    }
    // A stream that was cut between two messages reads like a whole one; only its end mark tells.
    if !is_file && last != END_OF_STREAM {
        return broken("the stream ends without its end mark");
    }
    let file = input.reader()?;
    let decode = move || -> Result<Batches, String> {
        if is_file {
            FileReader::try_new_buffered(file, None).map(|reader| Box::new(reader) as Batches)
        } else {
            StreamReader::try_new_buffered(file, None).map(|reader| Box::new(reader) as Batches)
        }
        .map_err(|error| error.to_string())
    };
    record_batches::start(input, WHAT, (file_id, options.decimal_comma), decode)
}
