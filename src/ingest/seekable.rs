//! A file that is read from more than one place: formats whose table of contents stands at the end.

use super::{IngestError, Source};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom};
use std::path::PathBuf;

const CHUNK_BYTES: usize = 256 << 10;

/// An input that can be read from any place.
pub(super) struct Seekable {
    pub(super) path: PathBuf,
    /// How many can be read.
    pub(super) bytes: u64,
    file: File,
    /// Whether these are the bytes that the path names, rather than unpacked ones.
    is_own: bool,
    hash: Option<blake3::Hash>,
}

impl Seekable {
    /// The file itself where the path names it by one of the format's `extensions`; otherwise (unpacked, or from a
    /// pipe) its bytes are first put into a temporary file.
    pub(super) fn new(source: Source, extensions: &[&str]) -> Result<Seekable, IngestError> {
        let path = source.path.clone();
        Seekable::with(source, extensions).map_err(|source| IngestError::Io { path, source })
    }

    fn with(source: Source, extensions: &[&str]) -> io::Result<Seekable> {
        let Source { path, mut bytes, .. } = source;
        let extension = path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
        let own = extension.is_some_and(|extension| extensions.contains(&extension.as_str())) && path.is_file();
        if own {
            let file = File::open(&path)?;
            return Ok(Seekable { bytes: file.metadata()?.len(), path, file, is_own: true, hash: None });
        }
        let mut file = tempfile::tempfile()?;
        let bytes = io::copy(&mut bytes, &mut file)?;
        Ok(Seekable { path, bytes, file, is_own: false, hash: None })
    }

    /// The file from its start, to be read by one reader at a time.
    pub(super) fn reader(&self) -> Result<File, IngestError> {
        let from_start = |mut file: File| file.rewind().map(|()| file);
        self.file.try_clone().and_then(from_start).map_err(|error| self.io(error))
    }

    /// The first and the last `count` bytes; fewer where the file is shorter.
    pub(super) fn ends(&self, count: usize) -> Result<(Vec<u8>, Vec<u8>), IngestError> {
        let mut file = self.reader()?;
        let mut read = |from: u64| -> io::Result<Vec<u8>> {
            let mut found = Vec::new();
            file.seek(SeekFrom::Start(from))?;
            (&mut file).take(count as u64).read_to_end(&mut found)?;
            Ok(found)
        };
        let ends = read(0).and_then(|first| Ok((first, read(self.bytes.saturating_sub(count as u64))?)));
        ends.map_err(|error| self.io(error))
    }

    /// Size of the file that the path names; 0 where its bytes were unpacked by somebody else, who knows it.
    pub(super) fn file_bytes(&self) -> u64 {
        if self.is_own { self.bytes } else { 0 }
    }

    /// Hashes the file that the path names; call when nobody reads it any more.
    pub(super) fn hash_file(&mut self) -> Result<(), IngestError> {
        if self.is_own && self.hash.is_none() {
            let mut hasher = blake3::Hasher::new();
            let hashed = self.reader().and_then(|mut file| {
                io::copy(&mut BufReader::with_capacity(CHUNK_BYTES, &mut file), &mut hasher)
                    .map_err(|error| self.io(error))
            });
            hashed?;
            self.hash = Some(hasher.finalize());
        }
        Ok(())
    }

    pub(super) fn hash(&self) -> Option<blake3::Hash> {
        self.hash
    }

    fn io(&self, source: io::Error) -> IngestError {
        IngestError::Io { path: self.path.clone(), source }
    }
}
