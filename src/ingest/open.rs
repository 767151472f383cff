//! From a path to the records of a file: counted, hashed, unpacked, and read by the format that fits.

use super::archive::{self, Archive};
use super::meter::Meter;
use super::{
    FORMATS, Format, IngestError, LeftOut, RawBatch, ReadOptions, Records, Source, Tally, fhir, redcap, sniff,
};
use crate::bucket::{BucketError, Object};
use crate::domain::FileId;
use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read};
use std::path::Path;

/// First bytes that are looked at to recognise archive and format.
const FIRST_BYTES: u64 = 512;

/// Bytes from wherever.
pub(super) type Bytes = Box<dyn Read + Send>;

/// Opens a file and reads up to and with its header. An archive is recognised by its first bytes whatever its name;
/// a format by its extension, and where that says only «text» or nothing, by the first bytes.
///
/// # Errors
/// When the file cannot be read, is empty, is of no known format, or has no header.
pub fn open(path: &Path, file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    begin((path, Box::new(file_at(path)?)), file, options)
}

/// Opens an object of an object store as [`open`] opens a file: its bytes are read as they come, and copied to a
/// temporary file by those formats alone that read from more than one place.
///
/// # Errors
/// As [`open`], and when the object store does not give it.
pub fn open_object(object: &Object, file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    begin((Path::new(object.name()), Box::new(object.reader())), file, options)
}

fn begin((path, raw): (&Path, Bytes), file: FileId, options: &ReadOptions) -> Result<Box<dyn Records>, IngestError> {
    let io = |source| told(path, IngestError::Io { path: path.to_owned(), source });
    let (meter, metered) = Meter::new(raw);
    let (first, bytes) = peeked(unpacked(metered).map_err(io)?).map_err(io)?;
    let mut source = Source { path: path.to_owned(), file, bytes };
    let format = choose(&mut source, &first, options).map_err(io)?;
    let opened = match options.redcap {
        Some(_) => redcap::open(source, options, format.open),
        None => (format.open)(source, options),
    };
    let records = opened.map_err(|error| told(path, error))?;
    Ok(Box::new(Opened { path: path.into(), meter, records, at_end: false }))
}

/// The bytes of a file once more, unpacked, for a format that reads it twice.
///
/// # Errors
/// When the file cannot be read, or is a pipe that gives its bytes only once.
pub(super) fn again(path: &Path) -> Result<Bytes, IngestError> {
    let file = file_at(path)?;
    let io = |source| told(path, IngestError::Io { path: path.to_owned(), source });
    if !file.metadata().map_err(io)?.is_file() {
        return Err(IngestError::Unrepeatable { path: path.to_owned() });
    }
    unpacked(file).map_err(io)
}

fn file_at(path: &Path) -> Result<File, IngestError> {
    File::open(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => IngestError::NotFound { path: path.to_owned() },
        _ => IngestError::Io { path: path.to_owned(), source },
    })
}

fn unpacked(raw: impl Read + Send + 'static) -> io::Result<Bytes> {
    let (first, bytes) = peeked(Box::new(raw))?;
    match Archive::of(&first) {
        Some(archive) => archive.unpack(bytes),
        None => Ok(bytes),
    }
}

/// The first bytes, and all bytes.
fn peeked(mut bytes: Bytes) -> io::Result<(Vec<u8>, Bytes)> {
    let mut first = Vec::new();
    bytes.by_ref().take(FIRST_BYTES).read_to_end(&mut first)?;
    Ok((first.clone(), Box::new(Cursor::new(first).chain(bytes))))
}

/// The format that the mapping names, else that of the first bytes, else that of the extension.
fn choose(source: &mut Source, first: &[u8], options: &ReadOptions) -> io::Result<&'static Format> {
    let named = |id: &str| FORMATS.iter().find(|format| format.id == id);
    if let Some(format) = options.format.and_then(named) {
        return Ok(format);
    }
    let fhir = if fhir::begins(source)? { named("fhir") } else { None };
    Ok(fhir.unwrap_or_else(|| format_of(&source.path, first)))
}

/// Whether the extension is that of a format, packed or not.
#[must_use]
pub fn is_known(path: &Path) -> bool {
    FORMATS.iter().any(|format| format.extensions.contains(&extension(path).as_str()))
}

fn format_of(path: &Path, first: &[u8]) -> &'static Format {
    let of_id = |id: &str| FORMATS.iter().find(|format| format.id == id);
    let by_extension = FORMATS.iter().find(|format| format.extensions.contains(&extension(path).as_str()));
    // A signature is surer than a name that somebody has given.
    if let Some(format) = sniff::signed(first).and_then(of_id) {
        return format;
    }
    match by_extension {
        Some(format) if format.id != FORMATS[0].id => format,
        _ => sniff::format(first).and_then(of_id).unwrap_or(&FORMATS[0]),
    }
}

/// The extension in lower case, without that of an archive: `csv` of `log.CSV.gz`.
fn extension(path: &Path) -> String {
    let lower = |path: &Path| path.extension().map(|extension| extension.to_string_lossy().to_lowercase());
    let outer = lower(path).unwrap_or_default();
    let inner = path.file_stem().and_then(|stem| lower(Path::new(stem)));
    if archive::EXTENSIONS.contains(&outer.as_str()) { inner.unwrap_or_default() } else { outer }
}

/// What an error of a reader means, where it comes from a damaged archive or from an object store.
fn told(path: &Path, error: IngestError) -> IngestError {
    let IngestError::Io { source, .. } = &error else { return error };
    if let Some(problem) = source.get_ref().and_then(|inner| inner.downcast_ref::<BucketError>()) {
        return IngestError::Bucket(problem.clone());
    }
    let damage = archive::damage(source);
    match damage {
        Some(damage) if damage.cut => IngestError::ArchiveCut { path: path.to_owned(), archive: damage.archive },
        Some(damage) => {
            IngestError::ArchiveDamaged { path: path.to_owned(), archive: damage.archive, said: damage.to_string() }
        }
        None => error,
    }
}

/// The records of a file on disk, with what the meter knows of it.
struct Opened {
    path: Box<Path>,
    meter: Meter,
    records: Box<dyn Records>,
    at_end: bool,
}

impl Records for Opened {
    fn header(&self) -> &[String] {
        self.records.header()
    }

    fn next_batch(&mut self) -> Result<Option<RawBatch>, IngestError> {
        let batch = self.records.next_batch().map_err(|error| told(&self.path, error))?;
        // A format that has opened the file by itself has hashed it too.
        if batch.is_none() && !self.at_end && self.records.content_hash().is_none() {
            let io = |source| told(&self.path, IngestError::Io { path: self.path.to_path_buf(), source });
            self.meter.read_rest().map_err(io)?;
            self.at_end = true;
        }
        Ok(batch)
    }

    fn tally(&self) -> Tally {
        let tally = self.records.tally();
        Tally { bytes: if tally.bytes > 0 { tally.bytes } else { self.meter.bytes() }, ..tally }
    }

    fn separator(&self) -> Option<char> {
        self.records.separator()
    }

    fn left_out(&self) -> Vec<LeftOut> {
        self.records.left_out()
    }

    fn content_hash(&self) -> Option<String> {
        self.records.content_hash().or_else(|| self.at_end.then(|| self.meter.hash()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::path::PathBuf;

    fn opened(name: &str, bytes: &[u8]) -> Result<Box<dyn Records>, IngestError> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        open(&path, FileId(0), &ReadOptions::default())
    }

    fn records(name: &str, bytes: &[u8]) -> Result<u64, IngestError> {
        let mut reader = opened(name, bytes)?;
        while reader.next_batch()?.is_some() {}
        Ok(reader.tally().records)
    }

    fn gzip(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    #[test]
    fn a_file_that_is_not_there_is_named() {
        let error = open(Path::new("no/such/log.csv"), FileId(0), &ReadOptions::default()).map(|_| ()).unwrap_err();
        assert!(matches!(error, IngestError::NotFound { .. }));
        assert!(error.to_string().contains("log.csv"));
    }

    #[test]
    fn the_extension_within_that_of_an_archive_names_the_format() {
        for (name, expected) in
            [("log.csv.gz", "csv"), ("LOG.NDJSON.ZST", "ndjson"), ("log.gz", ""), ("log", ""), ("a.b.tsv", "tsv")]
        {
            assert_eq!(extension(&PathBuf::from(name)), expected, "{name}");
        }
    }

    #[test]
    fn hash_and_size_are_those_of_the_file_on_disk() {
        let packed = gzip(&b"a,b\n1,2\n".repeat(100_000));
        let mut reader = opened("log.csv", &packed).unwrap();
        assert_eq!(reader.content_hash(), None);
        while reader.next_batch().unwrap().is_some() {}
        assert_eq!(reader.tally().bytes, packed.len() as u64);
        assert_eq!(reader.content_hash().unwrap(), blake3::hash(&packed).to_hex().to_string());
    }

    #[test]
    fn an_archive_that_is_cut_off_gives_an_error_and_never_fewer_rows() {
        let text = b"a,b\n1,2\n".repeat(100_000);
        for packed in [gzip(&text), zstd::encode_all(&text[..], 3).unwrap()] {
            assert_eq!(records("log.csv.gz", &packed).unwrap(), 199_999);
            let error = records("log.csv.gz", &packed[..packed.len() - 3]).unwrap_err();
            assert!(matches!(error, IngestError::ArchiveCut { .. }), "{error}");
            assert!(error.to_string().contains("log.csv.gz"));
            let mut broken = packed.clone();
            let middle = packed.len() / 2;
            broken[middle..middle + 20].fill(0xAA);
            let error = records("log.csv.gz", &broken).unwrap_err();
            assert!(matches!(error, IngestError::ArchiveDamaged { .. } | IngestError::ArchiveCut { .. }), "{error}");
        }
    }

    #[test]
    fn an_archive_in_an_archive_and_one_of_many_files_are_named() {
        let twice = gzip(&gzip(b"a,b\n1,2\n"));
        assert!(records("log.csv.gz", &twice).unwrap_err().to_string().contains("a gzip archive"));
        let mut tar = vec![0; 2048];
        tar[..7].copy_from_slice(b"log.csv");
        tar[257..262].copy_from_slice(b"ustar");
        assert!(records("log.tar.gz", &gzip(&tar)).unwrap_err().to_string().contains("a tar archive"));
    }
}
