use super::*;
use crate::domain::Place;
use proptest::prelude::*;

fn reader(bytes: &[u8], options: &ReadOptions) -> Result<Reader, IngestError> {
    let source =
        Source { path: PathBuf::from("log.csv"), file: FileId(7), bytes: Box::new(io::Cursor::new(bytes.to_vec())) };
    Reader::new(source, options)
}

fn batches(reader: &mut Reader) -> Vec<RawBatch> {
    std::iter::from_fn(|| reader.next_batch().unwrap()).collect()
}

/// `line:fields joined by |` or `line:fault` of each record.
fn read(bytes: &[u8], options: &ReadOptions) -> (Vec<String>, Tally) {
    let mut reader = reader(bytes, options).unwrap();
    let all = batches(&mut reader);
    let told = all.iter().flat_map(RawBatch::records).map(|record| match record.fault {
        Some(fault) => format!("{}:{fault:?}", record.place.line),
        None => format!("{}:{}", record.place.line, record.fields().collect::<Vec<_>>().join("|")),
    });
    (told.collect(), reader.tally())
}

#[track_caller]
fn check(text: &str, expected: &[&str]) -> Tally {
    let (records, tally) = read(text.as_bytes(), &ReadOptions::default());
    assert_eq!(records, expected);
    let newlines = text.matches('\n').count() as u64;
    assert_eq!(tally.lines(), newlines + u64::from(!text.ends_with('\n')));
    assert_eq!(tally.records, expected.len() as u64);
    tally
}

#[test]
fn lines_are_counted_as_an_editor_does() {
    let tally = check("a,b\r\n\r\n1,2\r\n\"x\r\ny\",4\r\n   \n5,6", &["3:1|2", "4:x\r\ny|4", "7:5|6"]);
    assert_eq!((tally.header_lines, tally.blank_lines, tally.record_lines), (1, 2, 4));
}

#[test]
fn a_place_has_file_line_and_record() {
    let mut reader = reader(b"a,b\n\n1,2\n", &ReadOptions::default()).unwrap();
    let batch = reader.next_batch().unwrap().unwrap();
    let place = batch.records().next().unwrap().place;
    assert_eq!(place, Place { file: FileId(7), line: 3, record: 1 });
    assert_eq!(reader.next_batch().unwrap(), None);
}

#[test]
fn ragged_rows_are_faults_of_their_own() {
    check(
        "a,b,c\n1,2\n1,2,3,4\n1,2,3\n",
        &["2:TooFewFields { expected: 3, found: 2 }", "3:TooManyFields { expected: 3, found: 4 }", "4:1|2|3"],
    );
}

#[test]
fn a_file_cut_off_in_its_last_line_is_told_from_a_short_row() {
    check("a,b,c\n1,2,3\n1,2", &["2:1|2|3", "3:TruncatedLastLine"]);
    check("a,b,c\n1,2,3\n1,\"2", &["2:1|2|3", "3:TruncatedLastLine"]);
    check("a,b,c\n1,2,3", &["2:1|2|3"]);
}

#[test]
fn a_stray_quote_costs_one_row() {
    let mut text = String::from("a,b,c,d,e,f\n1,\"2,3,4,5,6\n");
    text.push_str(&"1,2,3,4,5,6\n".repeat(3));
    check(&text, &["2:UnclosedQuote", "3:1|2|3|4|5|6", "4:1|2|3|4|5|6", "5:1|2|3|4|5|6"]);
    // A second stray mark closes the first: the row between them shows that something is wrong.
    text.push_str("1,2\",3,4,5,6\n1,2,3,4,5,6\n");
    let tail = ["3:1|2|3|4|5|6", "4:1|2|3|4|5|6", "5:1|2|3|4|5|6", "6:1|2\"|3|4|5|6", "7:1|2|3|4|5|6"];
    check(&text, &[&["2:StrayQuote"], &tail[..]].concat());
    check("a,b\n1,\"x\" y\n3,4\n", &["2:StrayQuote", "3:3|4"]);
}

#[test]
fn a_runaway_quote_is_given_up_after_a_mebibyte() {
    let mut text = String::from("a,b,c,d,e,f\n1,\"2,3,4,5,6\n");
    let rows = 2 * LARGEST_RECORD_BYTES / 12;
    text.push_str(&"1,2,3,4,5,6\n".repeat(rows));
    let (records, _) = read(text.as_bytes(), &ReadOptions::default());
    assert_eq!(records[0], "2:StrayQuote");
    assert_eq!(records.len(), rows + 1);
    assert!(records[1..].iter().all(|record| record.ends_with(":1|2|3|4|5|6")));
}

#[test]
fn a_line_beyond_the_cap_is_refused_and_its_neighbours_are_kept() {
    let long = "x".repeat(3 * LARGEST_RECORD_BYTES);
    check(&format!("a,b\n1,2\n{long},3\n4,5\n"), &["2:1|2", "3:TooLarge", "4:4|5"]);
    check(&format!("a,b\n1,2\n\"{long}\",3\n4,5\n"), &["2:1|2", "3:TooLarge", "4:4|5"]);
}

#[test]
fn a_file_of_stray_quotes_takes_linear_work() {
    // Each line opens a quoted field and, inside one, closes it and opens another: every restart could run on.
    let text = format!("a,b\n{}", "a\"b,\"c\n".repeat(200_000));
    let mut reader = reader(text.as_bytes(), &ReadOptions::default()).unwrap();
    let records: usize = batches(&mut reader).iter().map(RawBatch::len).sum();
    assert_eq!(records, 200_000);
    let allowed = FREE_RESCAN_BYTES + 5 * text.len() as u64 + 2 * LARGEST_RECORD_BYTES as u64;
    assert!(reader.rescanned_bytes <= allowed, "{} > {allowed}", reader.rescanned_bytes);
}

#[test]
fn ten_thousand_columns_are_read() {
    let header: Vec<String> = (0..10_000).map(|at| format!("column_{at}")).collect();
    let row: Vec<String> = (0..10_000).map(|at| at.to_string()).collect();
    let text = format!("{}\n{}\n", header.join(","), row.join(","));
    let mut reader = reader(text.as_bytes(), &ReadOptions::default()).unwrap();
    assert_eq!(reader.header().len(), 10_000);
    let batch = reader.next_batch().unwrap().unwrap();
    assert_eq!(batch.records().next().unwrap().field(9_999), "9999");
}

#[test]
fn bytes_outside_the_encoding_are_marked_and_never_guessed() {
    let latin = b"name,area\nM\xFCller,face\nMeier,\"K\xF6rper, ganz\"\n";
    let (records, _) = read(latin, &ReadOptions::default());
    assert_eq!(records, ["2:BadEncoding { column: 0 }", "3:BadEncoding { column: 1 }"]);
    let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..ReadOptions::default() };
    assert_eq!(read(latin, &options).0, ["2:Müller|face", "3:Meier|Körper, ganz"]);
    let header = reader(b"gr\xF6\xDFe,b\n1,2\n", &ReadOptions::default()).map(|_| ()).unwrap_err();
    assert!(matches!(header, IngestError::HeaderUnreadable { fault: Fault::BadEncoding { column: 0 }, .. }));
    assert!(header.remedy().contains("windows-1252"));
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_header_and_settles_the_encoding() {
    let options = ReadOptions { encoding: Some(TextEncoding::Windows1252), ..ReadOptions::default() };
    let mut reader = reader("\u{feff}größe,b\nü,2\n".as_bytes(), &options).unwrap();
    assert_eq!(reader.header(), ["größe", "b"]);
    assert_eq!(reader.next_batch().unwrap().unwrap().records().next().unwrap().field(0), "ü");
}

#[test]
fn titles_above_the_header_are_skipped_when_told() {
    let text = b"Clinic North\n\na;b\n1;2\n";
    let options = ReadOptions { header_row: Some(3), ..ReadOptions::default() };
    let (records, tally) = read(text, &options);
    assert_eq!(records, ["4:1|2"]);
    assert_eq!((tally.above_header_lines, tally.header_lines), (2, 1));
    for row in [2, 9] {
        let options = ReadOptions { header_row: Some(row), ..ReadOptions::default() };
        assert!(matches!(reader(text, &options).map(|_| ()), Err(IngestError::HeaderMissing { .. })));
    }
    let (records, tally) = read(b"sep=|\na|b,c\n1|2\n", &ReadOptions::default());
    assert_eq!((records[0].as_str(), tally.lines()), ("3:1|2", 3));
}

#[test]
fn other_line_ends_and_nul_bytes_are_met() {
    assert_eq!(read(b"a,b\r1,2\r3,4\r", &ReadOptions::default()).0, ["2:1|2", "3:3|4"]);
    assert_eq!(read(b"a,b\n1\rx,2\n", &ReadOptions::default()).0, ["2:1\rx|2"]);
    let mut text = b"a,b\n".to_vec();
    text.extend(b"1,2\n".repeat(50));
    text.extend(b"1\0,2\n");
    assert_eq!(read(&text, &ReadOptions::default()).0.last().unwrap(), "52:NulByte");
}

#[test]
fn files_that_hold_no_table_are_refused_with_a_remedy() {
    let refusal = |bytes: &[u8]| reader(bytes, &ReadOptions::default()).map(|_| ()).unwrap_err();
    assert!(matches!(refusal(b""), IngestError::Empty { .. }));
    assert!(matches!(refusal(b"\n \r\n\n"), IngestError::Empty { .. }));
    assert!(matches!(refusal(b"PK\x03\x04abc"), IngestError::Binary { .. }));
    assert!(matches!(refusal(b"\xFF\xFEa\0,\0b\0"), IngestError::Utf16 { .. }));
    assert!(matches!(refusal(b"a,\"b\n1,2\n"), IngestError::HeaderUnreadable { .. }));
    let long = vec![b'x'; 2 * LARGEST_RECORD_BYTES];
    assert!(matches!(refusal(&long), IngestError::HeaderUnreadable { fault: Fault::TooLarge, .. }));
    assert!(!refusal(b"").remedy().is_empty());
}

#[test]
fn a_header_alone_has_no_record() {
    let tally = check("a,b\n", &[]);
    assert_eq!(tally.lines(), 1);
}

/// Splits with csv-core, the judge.
fn judge(text: &[u8]) -> Vec<Vec<String>> {
    let mut core = csv_core::ReaderBuilder::new().terminator(csv_core::Terminator::Any(b'\n')).build();
    let (mut output, mut ends, mut rows) = (vec![0; 4096], vec![0; 256], Vec::new());
    let (mut from, mut written, mut closed) = (0, 0, 0);
    loop {
        let (state, input, out, end) = core.read_record(&text[from..], &mut output[written..], &mut ends[closed..]);
        (from, written, closed) = (from + input, written + out, closed + end);
        match state {
            csv_core::ReadRecordResult::Record => {
                let starts = std::iter::once(0).chain(ends.iter().copied());
                let fields =
                    starts.zip(&ends[..closed]).map(|(a, b)| String::from_utf8_lossy(&output[a..*b]).into_owned());
                rows.push(fields.collect());
                (written, closed) = (0, 0);
            }
            csv_core::ReadRecordResult::InputEmpty => {}
            _ => return rows,
        }
    }
}

proptest! {
    #[test]
    fn well_formed_records_are_split_as_csv_core_splits_them(
        rows in proptest::collection::vec(proptest::collection::vec("[a-z\", ;\\t\r\n]{0,6}", 3), 1..12),
    ) {
        let quote = |field: &String| format!("\"{}\"", field.replace('"', "\"\""));
        let mut text = String::from("x,y,z\n");
        for row in &rows {
            text.push_str(&row.iter().map(quote).collect::<Vec<_>>().join(","));
            text.push('\n');
        }
        let mut reader = reader(text.as_bytes(), &ReadOptions::default()).unwrap();
        let ours: Vec<Vec<String>> = batches(&mut reader)
            .iter()
            .flat_map(|batch| batch.records().map(|record| record.fields().map(str::to_owned).collect()).collect::<Vec<_>>())
            .collect();
        prop_assert_eq!(&ours, &rows);
        prop_assert_eq!(&judge(text.as_bytes())[1..], &rows[..]);
    }

    #[test]
    fn any_bytes_are_read_to_the_end_and_every_line_is_counted(bytes in proptest::collection::vec(
        proptest::sample::select(b"ab1,;\"\n\n\r \t\0\xFF\xC3\xBC".to_vec()), 0..200)
    ) {
        if let Ok(mut reader) = reader(&bytes, &ReadOptions::default()) {
            let records: usize = batches(&mut reader).iter().map(RawBatch::len).sum();
            let tally = reader.tally();
            prop_assert_eq!(records as u64, tally.records);
            let ends = bytes.iter().filter(|byte| **byte == reader.terminator).count() as u64;
            let open = u64::from(bytes.last() != Some(&reader.terminator));
            prop_assert_eq!(tally.lines(), ends + open);
        }
    }
}
