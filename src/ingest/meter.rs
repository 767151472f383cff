//! Counts and hashes the bytes of a file as they lie on disk, whatever is done with them afterwards.

use std::io::{self, ErrorKind, Read};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

const CHUNK_BYTES: usize = 64 << 10;

/// What has been seen of a file.
pub(super) struct Meter(Arc<Mutex<Raw>>);

/// The file's bytes, seen by the meter as they pass.
pub(super) struct Metered(Arc<Mutex<Raw>>);

struct Raw {
    source: Box<dyn Read + Send>,
    hasher: blake3::Hasher,
    bytes: u64,
}

impl Raw {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let got = self.source.read(buffer)?;
        self.hasher.update(&buffer[..got]);
        self.bytes += got as u64;
        Ok(got)
    }
}

impl Meter {
    /// A meter, and the bytes that it sees.
    pub(super) fn new(source: Box<dyn Read + Send>) -> (Meter, Metered) {
        let raw = Arc::new(Mutex::new(Raw { source, hasher: blake3::Hasher::new(), bytes: 0 }));
        (Meter(Arc::clone(&raw)), Metered(raw))
    }

    /// Bytes of the file read so far.
    pub(super) fn bytes(&self) -> u64 {
        locked(&self.0).bytes
    }

    /// Reads what a format has left over (padding, a second dataset), so that the hash is that of the whole file.
    pub(super) fn read_rest(&self) -> io::Result<()> {
        let mut buffer = vec![0; CHUNK_BYTES];
        loop {
            match locked(&self.0).read(&mut buffer) {
                Ok(0) => return Ok(()),
                Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
                _ => {}
            }
        }
    }

    /// BLAKE3 of the bytes read so far, in hexadecimal.
    pub(super) fn hash(&self) -> String {
        locked(&self.0).hasher.finalize().to_hex().to_string()
    }
}

impl Read for Metered {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        locked(&self.0).read(buffer)
    }
}

fn locked(raw: &Mutex<Raw>) -> MutexGuard<'_, Raw> {
    raw.lock().unwrap_or_else(PoisonError::into_inner)
}
