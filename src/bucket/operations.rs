//! What is done in a bucket. Each call waits for its answer; large objects go in parts, so that each request is small.

use super::connect::connect;
use super::{Address, BucketError};
use bytes::Bytes;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{GetOptions, GetRange, ObjectMeta, ObjectStore, ObjectStoreExt, PutMode, PutOptions, PutPayload};
use std::collections::BTreeMap;
use std::fmt;
use std::ops::Range;
use std::sync::Arc;

/// Bytes of a request.
pub(super) const PART_BYTES: u64 = 8 << 20;
/// Parts that are on their way at once.
const AT_ONCE: usize = 4;

/// An object, as a list tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its key.
    pub key: String,
    /// Its size.
    pub bytes: u64,
    /// When it was written: milliseconds since 1970, UTC, by the server's clock.
    pub modified_ms: i64,
    /// Tells what it holds from what it held before.
    pub(super) e_tag: Option<String>,
}

impl From<ObjectMeta> for Entry {
    fn from(meta: ObjectMeta) -> Entry {
        Entry {
            key: meta.location.to_string(),
            bytes: meta.size,
            modified_ms: meta.last_modified.timestamp_millis(),
            e_tag: meta.e_tag,
        }
    }
}

/// A bucket, and the connection to it.
#[derive(Clone)]
pub struct Bucket {
    /// Scheme and bucket, for messages.
    root: Arc<str>,
    store: Arc<dyn ObjectStore>,
    runtime: Arc<tokio::runtime::Runtime>,
}

impl fmt::Debug for Bucket {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.root)
    }
}

impl Bucket {
    pub(super) fn connect(address: &Address, options: &BTreeMap<String, String>) -> Result<Bucket, BucketError> {
        let store = connect(address, options)?;
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
        let runtime = runtime.map_err(|error| BucketError::Unreachable {
            name: address.root().to_owned(),
            reason: format!("no threads can be started: {error}"),
        })?;
        Ok(Bucket { root: address.root().into(), store, runtime: Arc::new(runtime) })
    }

    /// The address of a key.
    #[must_use]
    pub fn name(&self, key: &str) -> String {
        format!("{}/{key}", self.root)
    }

    /// Scheme and bucket.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// The connection itself, for a library that brings its own calls.
    #[must_use]
    pub fn store(&self) -> Arc<dyn ObjectStore> {
        Arc::clone(&self.store)
    }

    /// What runs the calls; a connection must be used within it.
    #[must_use]
    pub fn runtime(&self) -> Arc<tokio::runtime::Runtime> {
        Arc::clone(&self.runtime)
    }

    /// What an error of the library means, at a key of this bucket.
    #[must_use]
    pub fn error(&self, key: &str, error: &object_store::Error) -> BucketError {
        match BucketError::of(&self.name(key), error) {
            BucketError::NoBucket { .. } => BucketError::NoBucket { name: self.root.to_string() },
            other => other,
        }
    }

    fn path(&self, key: &str) -> Result<Path, BucketError> {
        Path::parse(key).map_err(|_| BucketError::Malformed)
    }

    /// An object; `None` where the bucket has none of this key.
    ///
    /// # Errors
    /// When the bucket is not there or the server refuses.
    pub fn look(&self, key: &str) -> Result<Option<Entry>, BucketError> {
        let path = self.path(key)?;
        match self.runtime.block_on(self.store.head(&path)) {
            Ok(meta) => Ok(Some(meta.into())),
            // The answer to this request has no body: what is behind it is told by another one.
            Err(object_store::Error::NotFound { .. }) => self.first(key).map(|()| None),
            Err(error) => Err(self.explained(key, &error)),
        }
    }

    /// The reason that listing gives, where there is one: it comes with a code.
    fn explained(&self, key: &str, error: &object_store::Error) -> BucketError {
        use object_store::Error::{NotFound, PermissionDenied, Unauthenticated};
        match error {
            NotFound { .. } | PermissionDenied { .. } | Unauthenticated { .. } => {
                self.first(key).err().unwrap_or_else(|| self.error(key, error))
            }
            _ => self.error(key, error),
        }
    }

    fn first(&self, key: &str) -> Result<(), BucketError> {
        let path = self.path(key)?;
        let first = self.runtime.block_on(async { self.store.list(Some(&path)).next().await });
        first.transpose().map(|_| ()).map_err(|error| self.error(key, &error))
    }

    /// Everything below a prefix, which ends where a `/` stands; in the order of the keys.
    ///
    /// # Errors
    /// When the bucket is not there or the server refuses.
    pub fn list(&self, prefix: &str) -> Result<Vec<Entry>, BucketError> {
        let path = self.path(prefix)?;
        let listed = self.runtime.block_on(self.store.list(Some(&path)).try_collect::<Vec<ObjectMeta>>());
        let mut entries: Vec<Entry> =
            listed.map_err(|error| self.error(prefix, &error))?.into_iter().map(Entry::from).collect();
        entries.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(entries)
    }

    /// The names that stand directly below a prefix.
    ///
    /// # Errors
    /// When the bucket is not there or the server refuses.
    pub fn names(&self, prefix: &str) -> Result<Vec<String>, BucketError> {
        let path = self.path(prefix)?;
        let listed = self.runtime.block_on(self.store.list_with_delimiter(Some(&path)));
        let listed = listed.map_err(|error| self.error(prefix, &error))?;
        let folders = listed.common_prefixes.into_iter();
        let all = folders.chain(listed.objects.into_iter().map(|meta| meta.location));
        let mut names: Vec<String> = all.filter_map(|path| path.filename().map(str::to_owned)).collect();
        names.sort();
        Ok(names)
    }

    /// A whole object.
    ///
    /// # Errors
    /// When it is not there or the server refuses.
    pub fn get(&self, key: &str) -> Result<Bytes, BucketError> {
        let path = self.path(key)?;
        let got = self.runtime.block_on(async {
            let size = self.store.head(&path).await?.size;
            let parts = parts(0..size).map(|part| self.store.get_range(&path, part));
            let parts: Vec<Bytes> = futures::stream::iter(parts).buffered(AT_ONCE).try_collect().await?;
            Ok(joined(parts))
        });
        got.map_err(|error| self.explained(key, &error))
    }

    /// Parts of an object.
    ///
    /// # Errors
    /// When it is not there, is shorter, or the server refuses.
    pub fn get_ranges(&self, key: &str, ranges: &[Range<u64>]) -> Result<Vec<Bytes>, BucketError> {
        let path = self.path(key)?;
        let got = self.runtime.block_on(async {
            let whole = |range: Range<u64>| {
                let parts: Vec<_> = parts(range).map(|part| self.store.get_range(&path, part)).collect();
                async { futures::future::try_join_all(parts).await.map(joined) }
            };
            let ranges = ranges.iter().cloned().map(whole);
            futures::stream::iter(ranges).buffered(AT_ONCE).try_collect().await
        });
        got.map_err(|error| self.explained(key, &error))
    }

    /// A part of an object, as long as it holds what it held when it was looked at.
    pub(super) fn part_of(
        &self,
        entry: &Entry,
        range: Range<u64>,
    ) -> tokio::task::JoinHandle<Result<Bytes, BucketError>> {
        let (bucket, key, if_match) = (self.clone(), entry.key.clone(), entry.e_tag.clone());
        self.runtime.spawn(async move {
            let path = bucket.path(&key)?;
            let options = GetOptions { range: Some(GetRange::Bounded(range)), if_match, ..GetOptions::default() };
            let got = async { bucket.store.get_opts(&path, options).await?.bytes().await };
            got.await.map_err(|error| bucket.error(&key, &error))
        })
    }

    pub(super) fn wait<T>(&self, task: tokio::task::JoinHandle<T>) -> Option<T> {
        self.runtime.block_on(task).ok()
    }

    /// Writes an object whole, in place of what may be there.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn put(&self, key: &str, content: Bytes) -> Result<(), BucketError> {
        let path = self.path(key)?;
        let put = self.runtime.block_on(async {
            if content.len() as u64 <= PART_BYTES {
                return self.store.put(&path, content.into()).await.map(|_| ());
            }
            self.put_in_parts(&path, &content).await
        });
        put.map_err(|error| self.error(key, &error))
    }

    /// It is there once the last part is, and not before.
    async fn put_in_parts(&self, path: &Path, content: &Bytes) -> Result<(), object_store::Error> {
        let mut upload = self.store.put_multipart(path).await?;
        let parts: Vec<_> =
            parts(0..content.len() as u64).map(|part| upload.put_part(content.slice(within(&part)).into())).collect();
        let sent: Result<(), object_store::Error> =
            futures::stream::iter(parts).buffer_unordered(AT_ONCE).try_collect().await;
        match sent {
            Ok(()) => upload.complete().await.map(|_| ()),
            Err(error) => {
                let _ = upload.abort().await;
                Err(error)
            }
        }
    }

    /// Writes an object where there is none; whether it did.
    ///
    /// # Errors
    /// When the server refuses, or has no such request.
    pub fn put_if_absent(&self, key: &str, content: Bytes) -> Result<bool, BucketError> {
        let path = self.path(key)?;
        let options = PutOptions { mode: PutMode::Create, ..PutOptions::default() };
        match self.runtime.block_on(self.store.put_opts(&path, PutPayload::from(content), options)) {
            Ok(_) => Ok(true),
            Err(object_store::Error::AlreadyExists { .. } | object_store::Error::Precondition { .. }) => Ok(false),
            Err(error) => Err(self.error(key, &error)),
        }
    }

    /// Removes an object; none is there afterwards, whether or not one was.
    ///
    /// # Errors
    /// When the server refuses.
    pub fn remove(&self, key: &str) -> Result<(), BucketError> {
        let path = self.path(key)?;
        match self.runtime.block_on(self.store.delete(&path)) {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(self.error(key, &error)),
        }
    }
}

fn parts(range: Range<u64>) -> impl Iterator<Item = Range<u64>> {
    let end = range.end;
    let step = usize::try_from(PART_BYTES).unwrap_or(usize::MAX);
    range.step_by(step).map(move |from| from..end.min(from + PART_BYTES))
}

/// Of bytes that are in memory: their number fits.
fn within(part: &Range<u64>) -> Range<usize> {
    let at = |place: u64| usize::try_from(place).unwrap_or(usize::MAX);
    at(part.start)..at(part.end)
}

fn joined(parts: Vec<Bytes>) -> Bytes {
    match <[Bytes; 1]>::try_from(parts) {
        Ok([only]) => only,
        Err(parts) => Bytes::from(parts.concat()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bucket in memory.
    pub(super) fn bucket() -> Bucket {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Bucket {
            root: "s3://b".into(),
            store: Arc::new(object_store::memory::InMemory::new()),
            runtime: Arc::new(runtime),
        }
    }

    #[test]
    fn what_is_put_is_there_and_what_is_removed_is_not() {
        let bucket = bucket();
        let content = Bytes::from(vec![7; usize::try_from(2 * PART_BYTES).unwrap() + 5]);
        bucket.put("a/large", content.clone()).unwrap();
        bucket.put("a/b/small", Bytes::from_static(b"12345")).unwrap();
        assert_eq!(bucket.get("a/large").unwrap(), content);
        assert_eq!(bucket.get_ranges("a/b/small", &[1..3, 4..5]).unwrap(), [&b"23"[..], b"5"]);
        assert!(!bucket.put_if_absent("a/b/small", Bytes::new()).unwrap());
        assert!(bucket.put_if_absent("a/new", Bytes::new()).unwrap());
        let keys: Vec<String> = bucket.list("a").unwrap().into_iter().map(|entry| entry.key).collect();
        assert_eq!(keys, ["a/b/small", "a/large", "a/new"]);
        assert_eq!(bucket.names("a").unwrap(), ["b", "large", "new"]);
        bucket.remove("a/new").unwrap();
        bucket.remove("a/new").unwrap();
        assert_eq!(bucket.look("a/new").unwrap(), None);
        assert_eq!(bucket.get("a/new"), Err(BucketError::NoObject { name: "s3://b/a/new".to_owned() }));
    }
}
