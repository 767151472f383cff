//! A file that is read from more than one place: formats whose table of contents stands at the end.

use super::{IngestError, Source};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::PathBuf;

const CHUNK_BYTES: usize = 256 << 10;

/// An input that can be read from any place.
pub(super) struct Seekable {
    pub(super) path: PathBuf,
    pub(super) bytes: u64,
    file: File,
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
            return Ok(Seekable { bytes: file.metadata()?.len(), path, file, hash: None });
        }
        let mut file = tempfile::tempfile()?;
        let (hash, bytes) = copy_hashed(&mut bytes, &mut file)?;
        file.rewind()?;
        Ok(Seekable { path, bytes, file, hash: Some(hash) })
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

    /// Hashes the file, unless it was hashed when it was copied; call when nobody reads it any more.
    pub(super) fn hashed(&mut self) -> Result<blake3::Hash, IngestError> {
        if let Some(hash) = self.hash {
            return Ok(hash);
        }
        let (hash, _) = copy_hashed(&mut self.reader()?, &mut io::sink()).map_err(|error| self.io(error))?;
        self.hash = Some(hash);
        Ok(hash)
    }

    pub(super) fn hash(&self) -> Option<blake3::Hash> {
        self.hash
    }

    fn io(&self, source: io::Error) -> IngestError {
        IngestError::Io { path: self.path.clone(), source }
    }
}

fn copy_hashed(from: &mut impl Read, to: &mut impl Write) -> io::Result<(blake3::Hash, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK_BYTES];
    let mut bytes = 0;
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return Ok((hasher.finalize(), bytes)),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                to.write_all(&buffer[..count])?;
                bytes += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}
