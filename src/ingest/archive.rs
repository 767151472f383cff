//! Files packed as gzip or zstd, unpacked as they are read. A packed file that is damaged is never read in part: what
//! stood behind the damage is unknown.

use crate::bucket::BucketError;
use flate2::read::MultiGzDecoder;
use std::fmt;
use std::io::{self, ErrorKind, Read};

/// How a file is packed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Archive {
    Gzip,
    Zstd,
}

/// Endings of packed files; what stands before them names the format.
pub(super) const EXTENSIONS: &[&str] = &["gz", "gzip", "zst", "zstd"];

/// Damage of a packed file, carried through the readers inside an [`io::Error`].
#[derive(Debug)]
pub(super) struct Damage {
    /// `gzip` or `zstd`.
    pub(super) archive: &'static str,
    /// Whether the file ends too early; otherwise it holds something else than it should.
    pub(super) cut: bool,
    said: String,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.said)
    }
}

impl std::error::Error for Damage {}

impl Archive {
    /// What the first bytes of a file tell.
    pub(super) fn of(first: &[u8]) -> Option<Archive> {
        match first {
            [0x1F, 0x8B, ..] => Some(Archive::Gzip),
            // A zstd frame, or the skippable frame with which parallel writers begin.
            [0x28, 0xB5, 0x2F, 0xFD, ..] | [0x50..=0x5F, 0x2A, 0x4D, 0x18, ..] => Some(Archive::Zstd),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Archive::Gzip => "gzip",
            Archive::Zstd => "zstd",
        }
    }

    /// The bytes inside, through all members or frames of the file.
    pub(super) fn unpack(self, packed: impl Read + Send + 'static) -> io::Result<Box<dyn Read + Send>> {
        let inside: Box<dyn Read + Send> = match self {
            Archive::Gzip => Box::new(MultiGzDecoder::new(packed)),
            Archive::Zstd => Box::new(zstd::stream::read::Decoder::new(packed)?),
        };
        Ok(Box::new(Unpacking { inside, archive: self }))
    }
}

/// Tells damage of the archive from a disk or an object store that cannot be read.
struct Unpacking {
    inside: Box<dyn Read + Send>,
    archive: Archive,
}

impl Read for Unpacking {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.inside.read(buffer).map_err(|error| {
            let sent = error.get_ref().is_some_and(|inner| inner.is::<BucketError>());
            if sent || error.raw_os_error().is_some() || error.kind() == ErrorKind::Interrupted {
                return error;
            }
            let cut = error.kind() == ErrorKind::UnexpectedEof;
            io::Error::new(error.kind(), Damage { archive: self.archive.name(), cut, said: error.to_string() })
        })
    }
}

/// The damage that an error of a reader carries.
pub(super) fn damage(error: &io::Error) -> Option<&Damage> {
    error.get_ref().and_then(|inner| inner.downcast_ref::<Damage>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::Compression;
    use flate2::write::GzEncoder;
    use std::io::{Cursor, Write};

    const TEXT: &[u8] = b"session_id,patient_id\ns1,p1\ns2,p2\n";

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let archive = Archive::of(bytes).expect("an archive");
        let mut text = Vec::new();
        archive.unpack(Cursor::new(bytes.to_vec()))?.read_to_end(&mut text)?;
        Ok(text)
    }

    #[test]
    fn all_members_and_frames_are_read() {
        assert_eq!(unpacked(&gzip(TEXT)).unwrap(), TEXT);
        assert_eq!(unpacked(&[gzip(TEXT), gzip(b"s3,p3\n")].concat()).unwrap(), [TEXT, b"s3,p3\n"].concat());
        let frame = |bytes: &[u8]| zstd::encode_all(bytes, 3).unwrap();
        let skippable = [&[0x50, 0x2A, 0x4D, 0x18, 2, 0, 0, 0, 9, 9][..], &frame(TEXT), &frame(b"s3,p3\n")].concat();
        assert_eq!(unpacked(&skippable).unwrap(), [TEXT, b"s3,p3\n"].concat());
    }

    #[test]
    fn a_cut_at_any_place_is_told() {
        for whole in [gzip(TEXT), zstd::encode_all(TEXT, 3).unwrap()] {
            for length in 4..whole.len() {
                let error = unpacked(&whole[..length]).expect_err("a part is no archive");
                assert!(damage(&error).unwrap().cut, "{length} of {}: {error}", whole.len());
            }
        }
    }

    #[test]
    fn a_changed_byte_is_told() {
        let whole = gzip(&TEXT.repeat(50));
        for at in 10..whole.len() {
            let mut broken = whole.clone();
            broken[at] ^= 0x55;
            let error = unpacked(&broken).expect_err("the checksum does not fit");
            assert!(damage(&error).is_some());
        }
        assert!(unpacked(&[&gzip(TEXT)[..], b"and something behind it"].concat()).is_err());
    }
}
