use super::*;
use std::io::Cursor;

/// A transport file made by hand, card by card, from SAS's description of the format (TS-140).
struct Made(Vec<u8>);

impl Made {
    fn library() -> Made {
        let mut made = Made(Vec::new());
        made.head("LIBRARY", "000000000000000000000000000000");
        made.card(b"SAS     SAS     SASLIB  9.4     Linux");
        made.card(b"02MAR26:10:00:00");
        made
    }

    fn card(&mut self, text: &[u8]) {
        assert!(text.len() <= CARD);
        self.0.extend_from_slice(text);
        self.0.resize(self.0.len().next_multiple_of(CARD), b' ');
    }

    fn head(&mut self, what: &str, digits: &str) {
        self.card(format!("HEADER RECORD*******{what:<8}HEADER RECORD!!!!!!!{digits}").as_bytes());
    }

    /// A dataset; variables as name, type (1 = number), length, format.
    fn member(&mut self, name: &str, variables: &[(&str, u16, u16, &str)], rows: &[&[u8]]) {
        self.head("MEMBER", "000000000000000001600000000140");
        self.head("DSCRPTR", "000000000000000000000000000000");
        self.card(format!("SAS     {name:<8}SASDATA 9.4     Linux").as_bytes());
        self.card(b"02MAR26:10:00:00");
        self.head("NAMESTR", &format!("000000{:04}00000000000000000000", variables.len()));
        let mut start = 0u32;
        for (name, kind, length, format) in variables {
            let mut description = vec![0; 140];
            description[0..2].copy_from_slice(&kind.to_be_bytes());
            description[4..6].copy_from_slice(&length.to_be_bytes());
            description[8..16].copy_from_slice(format!("{name:<8}").as_bytes());
            description[56..64].copy_from_slice(format!("{format:<8}").as_bytes());
            description[84..88].copy_from_slice(&start.to_be_bytes());
            start += u32::from(*length);
            self.0.extend_from_slice(&description);
        }
        self.0.resize(self.0.len().next_multiple_of(CARD), b' ');
        self.head("OBS", "000000000000000000000000000000");
        rows.iter().for_each(|row| self.0.extend_from_slice(row));
        self.0.resize(self.0.len().next_multiple_of(CARD), b' ');
    }
}

fn read_with(bytes: &[u8], options: &ReadOptions) -> Result<Vec<String>, IngestError> {
    let source = Source { path: "log.xpt".into(), file: FileId(0), bytes: Box::new(Cursor::new(bytes.to_vec())) };
    let mut reader = Reader::new(source, options)?;
    let mut told = vec![reader.header().join("|")];
    while let Some(batch) = reader.next_batch()? {
        told.extend(batch.records().map(|record| match record.fault {
            Some(fault) => format!("{}:{fault:?}", record.place.record),
            None => format!("{}:{}", record.place.record, record.fields().collect::<Vec<_>>().join("|")),
        }));
    }
    Ok(told)
}

fn read(bytes: &[u8]) -> Result<Vec<String>, IngestError> {
    read_with(bytes, &ReadOptions::default())
}

fn refused(bytes: &[u8]) -> String {
    let error = read(bytes).unwrap_err();
    assert!(!error.remedy().is_empty());
    error.to_string()
}

const VARIABLES: &[(&str, u16, u16, &str)] = &[("ID", 2, 4, ""), ("DAY", 1, 8, "DATE"), ("N", 1, 3, "")];

/// ID, day 24167 (2026-03-02), 1 in three bytes.
fn row(id: &str) -> Vec<u8> {
    [format!("{id:<4}").as_bytes(), &[0x44, 0x5E, 0x67, 0, 0, 0, 0, 0], &[0x41, 0x10, 0]].concat()
}

fn log() -> Vec<u8> {
    let mut made = Made::library();
    let missing = [b"s3  ".as_slice(), b".\0\0\0\0\0\0\0", b"Z\0\0"].concat();
    made.member("LOG", VARIABLES, &[&row("s1"), &row("s2"), &missing]);
    made.0
}

#[test]
fn rows_are_read_and_padding_is_not() {
    assert_eq!(read(&log()).unwrap(), ["ID|DAY|N", "1:s1|2026-03-02|1", "2:s2|2026-03-02|1", "3:s3||"]);
    for count in 0..40 {
        let mut made = Made::library();
        let rows = vec![row("x"); count];
        made.member("LOG", VARIABLES, &rows.iter().map(Vec::as_slice).collect::<Vec<_>>());
        assert_eq!(read(&made.0).unwrap().len(), count + 1);
    }
}

#[test]
fn blank_rows_within_a_dataset_are_rows() {
    let mut made = Made::library();
    let blank = [b' '; 30].as_slice();
    made.member(
        "LOG",
        &[("T", 2, 30, "")],
        &[b"a                             ", blank, blank, b"b                             "],
    );
    assert_eq!(read(&made.0).unwrap(), ["T", "1:a", "2:", "3:", "4:b"]);
}

#[test]
fn a_cut_is_told_wherever_it_can_be_seen() {
    let whole = log();
    let first_row = whole.len() - CARD;
    for length in 1..whole.len() {
        let told = read(&whole[..length]);
        // A file that ends with its descriptions is an empty dataset.
        assert!(told.is_err() || length == first_row, "{length}: {told:?}");
    }
    let mut made = Made::library();
    made.member("LOG", VARIABLES, &vec![row("x"); 50].iter().map(Vec::as_slice).collect::<Vec<_>>());
    assert!(refused(&made.0[..made.0.len() - 2 * CARD]).contains("cut off: it ends within a row"));
    // 48 rows of 15 bytes fill whole cards: the format has nothing that tells such a cut from a smaller dataset.
    assert_eq!(read(&made.0[..made.0.len() - CARD]).unwrap().len(), 49);
    assert!(refused(&made.0[..made.0.len() - 3]).contains("cut off: its length"));
}

#[test]
fn several_datasets_need_a_word_of_the_mapping() {
    let mut made = Made::library();
    made.member("DM", &[("X", 2, 1, "")], &[b"q"]);
    made.member("LOG", VARIABLES, &[&row("s1")]);
    made.member("AE", &[("Y", 2, 1, "")], &[b"z"]);
    assert!(refused(&made.0).contains("several tables: DM, LOG"));
    let named = |name: &str| ReadOptions { sheet: Some(name.to_owned()), ..ReadOptions::default() };
    assert_eq!(read_with(&made.0, &named("log")).unwrap(), ["ID|DAY|N", "1:s1|2026-03-02|1"]);
    assert_eq!(read_with(&made.0, &named("AE")).unwrap(), ["Y", "1:z"]);
    let error = read_with(&made.0, &named("LB")).unwrap_err();
    assert!(error.to_string().contains("no table «LB» in the file; it holds DM, LOG, AE"), "{error}");
}

#[test]
fn other_files_are_named() {
    assert!(refused(b"").contains("the file is empty"));
    assert!(refused(b"a,b\n1,2\n").contains("not a SAS transport file"));
    assert!(refused(&b"a,b\n1,2\n".repeat(100)).contains("not a SAS transport file"));
    let mut v8 = Made(Vec::new());
    v8.head("LIBV8", "000000000000000000000000000000");
    assert!(refused(&v8.0).contains("version 8, which is not read"));
    assert!(
        refused(b"**COMPRESSED** **COMPRESSED** **COMPRESSED** **COMPRESSED** **COMPRESSED********").contains("CPORT")
    );
    assert!(refused(&Made::library().0).contains("no dataset"));
    let mut broken = log();
    broken[8 * CARD + 1] = 9;
    assert!(refused(&broken).contains("whose head can be read"));
}

#[test]
fn text_is_utf_8_or_what_the_mapping_says() {
    let mut made = Made::library();
    made.member("LOG", &[("T", 2, 7, "")], &[b"Z\xFCrich ", "Zürich".as_bytes(), b"a\0b    "]);
    assert_eq!(read(&made.0).unwrap(), ["T", "1:BadEncoding { column: 0 }", "2:Zürich", "3:NulByte"]);
    let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..ReadOptions::default() };
    assert_eq!(read_with(&made.0, &options).unwrap()[1..3], ["1:Zürich", "2:Zürich"]);
}
