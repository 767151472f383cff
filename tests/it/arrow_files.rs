//! Parquet and Arrow files, written by pyarrow (see the README.txt beside them).

use std::fs;
use std::path::{Path, PathBuf};
use stipple::domain::FileId;
use stipple::ingest::{self, IngestError, NO_TEXT, RawBatch, ReadOptions, Records};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/arrow").join(name)
}

fn opened(path: &Path) -> Result<Box<dyn Records>, IngestError> {
    ingest::open(path, FileId(0), &ReadOptions::default())
}

fn batches(path: &Path) -> (Vec<String>, Vec<RawBatch>) {
    let mut reader = opened(path).unwrap_or_else(|error| panic!("{error}"));
    let batches = std::iter::from_fn(|| reader.next_batch().unwrap()).collect();
    (reader.header().to_vec(), batches)
}

/// Column and its three values, as pyarrow was told them.
const KINDS: &[(&str, [&str; 3])] = &[
    ("bool", ["true", "false", ""]),
    ("int8", ["-128", "127", ""]),
    ("uint64", ["18446744073709551615", "0", ""]),
    ("int64", ["-9223372036854775808", "9007199254740993", ""]),
    ("float32", ["0.1", "16777216", ""]),
    ("float64", ["0.1", "", ""]),
    ("float64b", ["1.4999999999999998", "0", "0.0000001"]),
    ("float64c", ["3", "1000000000000000000000", "inf"]),
    ("decimal", ["1.50", "-12345678901234567890.12", ""]),
    ("string", ["Zürich 😀", "", ""]),
    ("large_string", ["a", "b;c", ""]),
    ("dictionary", ["pen", "rf", ""]),
    ("binary", ["text", NO_TEXT, ""]),
    ("uuid", ["00010203-0405-0607-0809-0a0b0c0d0e0f", "00000000-0000-0000-0000-000000000000", ""]),
    ("fixed", ["abc", "def", ""]),
    ("date32", ["2026-03-02", "1969-12-31", ""]),
    ("timestamp_s", ["2026-03-02T10:30:00", "2026-03-02", ""]),
    ("timestamp_ns", ["2026-03-02T10:30:00.250", "", ""]),
    ("new_york", ["2026-03-02T23:30:00-05:00", "", ""]),
    ("utc", ["2026-03-03T04:30:00+00:00", "", ""]),
    ("time", ["10:30:00", "", ""]),
    ("duration", ["3 days", "30:15:00", ""]),
    ("list", ["a;b", "", ""]),
    ("list_of_numbers", ["1.5;2", "", ""]),
    ("skin.type", ["III", "", ""]),
    ("skin.tone.monk", ["5", "", ""]),
    ("map", [NO_TEXT, NO_TEXT, ""]),
    ("null", ["", "", ""]),
];

/// Kinds that only Arrow files have.
const MORE_KINDS: &[(&str, [&str; 3])] = &[
    ("date64", ["2026-03-02", "", ""]),
    ("string_view", ["a text that is longer than twelve bytes", "b", ""]),
    ("decimal256", ["0.5", "", ""]),
];

fn check_kinds(name: &str, kinds: &[(&str, [&str; 3])]) {
    let (header, batches) = batches(&file(name));
    assert_eq!(header, kinds.iter().map(|(column, _)| *column).collect::<Vec<_>>(), "{name}");
    let records: Vec<_> = batches.iter().flat_map(RawBatch::records).collect();
    assert_eq!(records.len(), 3, "{name}");
    for (at, (column, expected)) in kinds.iter().enumerate() {
        let found: Vec<&str> = records.iter().map(|record| record.field(at)).collect();
        assert_eq!(found, expected, "{column} of {name}");
    }
    let places: Vec<(u64, u64)> = records.iter().map(|record| (record.place.line, record.place.record)).collect();
    assert_eq!(places, [(1, 1), (2, 2), (3, 3)], "{name}");
    assert_eq!(records[1].places().address(2, Some(1)).as_deref(), Some("row 2"));
}

#[test]
fn every_kind_of_column_gives_its_text() {
    check_kinds("kinds.parquet", KINDS);
    let all = [KINDS, MORE_KINDS].concat();
    check_kinds("kinds.arrow", &all);
    check_kinds("kinds.arrows", &all);
}

#[test]
fn a_cut_or_damaged_file_is_refused_and_never_read_in_part() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["kinds.parquet", "kinds.arrow", "kinds.arrows"] {
        let whole = fs::read(file(name)).unwrap();
        let path = folder.path().join(name);
        for length in (0..whole.len()).step_by(113) {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(opened(&path).is_err(), "{name} cut to {length} bytes was read");
        }
        for at in (0..whole.len()).step_by(37) {
            let mut bytes = whole.clone();
            bytes[at] ^= 0xFF;
            fs::write(&path, &bytes).unwrap();
            // Any answer will do but a crash.
            if let Ok(mut reader) = opened(&path) {
                while let Ok(Some(_)) = reader.next_batch() {}
            }
        }
    }
}

#[test]
fn a_file_of_another_kind_says_what_it_is() {
    let error = opened(&file("version_1.feather")).map(|_| ()).unwrap_err();
    assert!(error.to_string().contains("Feather file of version 1"), "{error}");
    assert!(error.remedy().contains("version 2"));
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("a.parquet", &b"session_id,depth\ns1,2\n"[..]), ("a.arrow", b"session_id,depth\ns1,2\n")] {
        fs::write(folder.path().join(name), bytes).unwrap();
        let error = opened(&folder.path().join(name)).map(|_| ()).unwrap_err();
        assert!(matches!(error, IngestError::OtherFormat { .. }), "{error}");
    }
    for name in ["a.parquet", "a.arrow"] {
        fs::write(folder.path().join(name), b"").unwrap();
        let error = opened(&folder.path().join(name)).map(|_| ()).unwrap_err();
        assert!(matches!(error, IngestError::Empty { .. }), "{error}");
    }
}

/// Bytes that somebody has unpacked: the size and the hash are those of the packed file, which only they know.
#[test]
fn bytes_that_are_not_the_file_itself_are_read_as_well() {
    let bytes = fs::read(file("kinds.parquet")).unwrap();
    let format = ingest::FORMATS.iter().find(|format| format.id == "parquet").unwrap();
    let source = ingest::Source {
        path: "kinds.parquet.gz".into(),
        file: FileId(0),
        bytes: Box::new(std::io::Cursor::new(bytes)),
    };
    let mut reader = (format.open)(source, &ReadOptions::default()).unwrap();
    assert_eq!(reader.next_batch().unwrap().unwrap().len(), 3);
    assert_eq!((reader.next_batch().unwrap(), reader.content_hash(), reader.tally().bytes), (None, None, 0));
}
