use super::*;
use std::io::Cursor;

fn rows(text: &str, redcap: RedcapOptions) -> (Vec<String>, Vec<(u64, String)>) {
    let options = ReadOptions { redcap: Some(redcap), ..ReadOptions::default() };
    let source =
        Source { path: "x.csv".into(), file: FileId(0), bytes: Box::new(Cursor::new(text.as_bytes().to_vec())) };
    let beneath: Open = |source, options| Ok(Box::new(super::super::Reader::new(source, options)?));
    let mut records = open(source, &options, beneath).unwrap();
    let mut rows = Vec::new();
    while let Some(batch) = records.next_batch().unwrap() {
        let told = |row: RawRecord<'_>| (row.place.line, row.fields().collect::<Vec<_>>().join("|"));
        rows.extend(batch.records().map(told));
    }
    (records.header().to_vec(), rows)
}

fn options(instrument: &str, tables: &[&str]) -> RedcapOptions {
    RedcapOptions {
        instrument: instrument.to_owned(),
        tables: tables.iter().map(|table| (*table).to_owned()).collect(),
        makes_session_id: true,
        ..RedcapOptions::default()
    }
}

/// As exports are: two instruments that repeat in an event, one that does not, two visits.
const EXPORT: &str = "\
record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,born,demographics_complete,room,visit_complete,lab,laboratory_complete\n\
1,visit_1_arm_1,,,2001,2,11,2,,\n\
1,visit_1_arm_1,laboratory,1,,,,,RBC,3\n\
1,visit_1_arm_1,laboratory,2,,,,,\"W,BC\",2\n\
1,visit_2_arm_1,,,,,12,2,,\n\
1,visit_2_arm_1,laboratory,1,,,,,RBC,3\n";

#[test]
fn a_repeating_row_has_what_its_own_event_says_and_else_what_the_record_says() {
    let (header, rows) = rows(EXPORT, options("laboratory", &["laboratory"]));
    let expected = "record_id,redcap_event_name,redcap_repeat_instrument,redcap_repeat_instance,born,room,lab,laboratory_complete,session_id";
    // The status of another instrument is no field of the row.
    assert_eq!(header, expected.split(',').collect::<Vec<_>>());
    let told: Vec<(u64, &str)> = rows.iter().map(|(line, row)| (*line, row.as_str())).collect();
    assert_eq!(
        told,
        [
            (3, "1|visit_1_arm_1|laboratory|1|2001|11|RBC|3|1-visit_1_arm_1-1"),
            (4, "1|visit_1_arm_1|laboratory|2|2001|11|W,BC|2|1-visit_1_arm_1-2"),
            (6, "1|visit_2_arm_1|laboratory|1|2001|12|RBC|3|1-visit_2_arm_1-1"),
        ]
    );
}

#[test]
fn an_instrument_that_does_not_repeat_gives_the_rows_in_which_it_is_filled() {
    let (_, rows) = rows(EXPORT, options("visit", &["visit"]));
    let told: Vec<&str> = rows.iter().map(|(_, row)| row.as_str()).collect();
    assert_eq!(told, ["1|visit_1_arm_1|||2001|11|2|1-visit_1_arm_1", "1|visit_2_arm_1|||2001|12|2|1-visit_2_arm_1"]);
}

#[test]
fn an_export_larger_than_a_batch_is_joined_from_end_to_end() {
    let mut text =
        "record_id,redcap_repeat_instrument,redcap_repeat_instance,skin,base_complete,day,tx_complete\n".to_owned();
    for record in 0..6000 {
        text += &format!("{record},tx,1,,,d{record},2\n");
    }
    for record in 0..6000 {
        text += &format!("{record},,,skin{record},2,,\n");
    }
    let (_, rows) = rows(&text, options("tx", &["tx"]));
    assert_eq!(rows.len(), 6000);
    for (at, (line, row)) in rows.iter().enumerate() {
        assert_eq!((*line, row.as_str()), (at as u64 + 2, format!("{at}|tx|1|skin{at}|d{at}|2|{at}-1").as_str()));
    }
}
