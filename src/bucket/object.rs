//! Objects to read: what an address names (one, a folder, a pattern), and the bytes of one, as a stream.

use super::operations::PART_BYTES;
use super::{Access, Address, Bucket, BucketError, Entry};
use bytes::{Buf, Bytes};
use std::io::{self, Read};
use tokio::task::JoinHandle;

/// An object that can be read.
#[derive(Debug, Clone)]
pub struct Object {
    bucket: Bucket,
    entry: Entry,
    name: String,
}

impl PartialEq for Object {
    fn eq(&self, other: &Object) -> bool {
        self.name == other.name
    }
}

impl Eq for Object {}

/// What an address names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// One object, by its key.
    One(Object),
    /// Everything below a prefix; each with its key behind it.
    Folder(Vec<(Object, String)>),
    /// Everything that fits a pattern.
    Pattern(Vec<Object>),
}

impl Found {
    /// Looks in the bucket: an object of this very key comes before a pattern, and that before a folder.
    ///
    /// # Errors
    /// When the bucket cannot be reached, a pattern is none, or nothing is there.
    pub fn at(address: &Address, access: &Access) -> Result<Found, BucketError> {
        let bucket = access.bucket(address)?;
        let key = address.key();
        let folder = key.strip_suffix('/').unwrap_or(key);
        if folder == key
            && !key.is_empty()
            && let Some(entry) = bucket.look(key)?
        {
            return Ok(Found::One(Object::new(&bucket, entry)));
        }
        if key.contains(['*', '?', '[']) {
            return matching(&bucket, key).map(Found::Pattern);
        }
        let below = bucket.list(folder)?;
        if below.is_empty() {
            return Err(BucketError::NoObject { name: bucket.name(key) });
        }
        let behind = |entry: &Entry| entry.key[folder.len()..].trim_start_matches('/').to_owned();
        Ok(Found::Folder(
            below
                .into_iter()
                .map(|entry| (behind(&entry), entry))
                .map(|(behind, entry)| (Object::new(&bucket, entry), behind))
                .collect(),
        ))
    }
}

/// What fits a pattern: as among files, `*` stops at a `/` and takes nothing hidden.
fn matching(bucket: &Bucket, pattern: &str) -> Result<Vec<Object>, BucketError> {
    let options =
        glob::MatchOptions { case_sensitive: true, require_literal_separator: true, require_literal_leading_dot: true };
    let compiled = glob::Pattern::new(pattern).map_err(|_| BucketError::Malformed)?;
    let literal = pattern.find(['*', '?', '[']).map_or(pattern, |at| &pattern[..at]);
    let folder = literal.rsplit_once('/').map_or("", |(folder, _)| folder);
    let fits = |entry: &Entry| compiled.matches_with(&entry.key, options);
    Ok(bucket.list(folder)?.into_iter().filter(fits).map(|entry| Object::new(bucket, entry)).collect())
}

impl Object {
    fn new(bucket: &Bucket, entry: Entry) -> Object {
        Object { name: bucket.name(&entry.key), bucket: bucket.clone(), entry }
    }

    /// Its address.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its size.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.entry.bytes
    }

    /// Its bytes, from the start. An object that changes meanwhile gives an error, never a mixture.
    #[must_use]
    pub fn reader(&self) -> impl Read + Send + 'static {
        Reader { object: self.clone(), at: 0, part: Bytes::new(), next: None }
    }
}

/// Reads part by part, and has the next one on its way meanwhile.
struct Reader {
    object: Object,
    /// Where the next part begins that nobody has asked for.
    at: u64,
    part: Bytes,
    next: Option<JoinHandle<Result<Bytes, BucketError>>>,
}

impl Reader {
    fn ask(&mut self) -> Option<JoinHandle<Result<Bytes, BucketError>>> {
        let end = self.object.bytes().min(self.at + PART_BYTES);
        if self.at >= end {
            return None;
        }
        let asked = self.object.bucket.part_of(&self.object.entry, self.at..end);
        self.at = end;
        Some(asked)
    }
}

impl Read for Reader {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.part.is_empty() {
            let Some(asked) = self.next.take().or_else(|| self.ask()) else { return Ok(0) };
            self.next = self.ask();
            let got = self.object.bucket.wait(asked);
            let given_up = || BucketError::Unreachable {
                name: self.object.name.clone(),
                reason: "its reading was given up".to_owned(),
            };
            let got = got.unwrap_or_else(|| Err(given_up()));
            self.part = got.map_err(io::Error::other)?;
        }
        let count = buffer.len().min(self.part.len());
        self.part.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
