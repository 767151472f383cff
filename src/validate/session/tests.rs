use super::*;
use crate::domain::{COLUMNS, FileId};
use crate::ingest::{ReadOptions, Reader, Records, Source};
use proptest::prelude::*;
use std::io::Cursor;

fn judge(text: Vec<u8>) -> Option<Vec<Judged<Session>>> {
    let source = Source { path: "log.csv".into(), file: FileId(0), bytes: Box::new(Cursor::new(text)) };
    let mut reader = Reader::new(source, &ReadOptions::default()).ok()?;
    let judge = SessionJudge::new(reader.header(), &Mapping::default(), &Catalogue::built_in()).ok()?;
    let batches = std::iter::from_fn(|| reader.next_batch().unwrap());
    Some(batches.map(|batch| judge.judge(&batch)).collect())
}

/// A value that each column accepts.
fn good(column: &str) -> &'static str {
    match column {
        "session_date" | "last_follow_up_date" => "2026-03-02",
        "setting" => "professional",
        "modality" => "rf",
        "body_area" => "face",
        "indication" => "acne",
        "session_id" | "patient_id" | "clinic_id" => "x1y2z3",
        _ => "",
    }
}

#[test]
fn every_canonical_column_is_read() {
    let long = "?".repeat(1001);
    for bad in COLUMNS {
        let header: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
        let row: Vec<&str> =
            header.iter().map(|name| if *name == bad.name { long.as_str() } else { good(name) }).collect();
        let judged = judge(format!("{}\n{}\n", header.join(","), row.join(",")).into_bytes()).unwrap();
        if bad.name == "side_effects" {
            assert_eq!(judged[0].warnings[0].rule, rules::UNCODED_TERM);
            continue;
        }
        assert_eq!(judged[0].rejected.len(), 1, "{} is not read", bad.name);
        assert_eq!(judged[0].rejected[0].column.as_deref(), Some(bad.name));
    }
}

#[test]
fn a_line_of_data_in_the_place_of_the_header_is_not_shown() {
    let header = |line: &str| line.split(',').map(str::to_owned).collect::<Vec<_>>();
    let refusal = |line: &str| {
        let judge = SessionJudge::new(&header(line), &Mapping::default(), &Catalogue::built_in());
        let error = judge.map(|_| ()).unwrap_err();
        format!("{error} {}", error.remedy())
    };
    let message = refusal("s1,Erika Muster,north,2026-03-02,professional,pen,face,acne");
    assert!(!message.contains("Erika") && message.contains("seems to hold data"), "{message}");
    assert!(refusal("Sitzung,Patientin,Ort").contains("Sitzung, Patientin, Ort"));
    // Every column that is needed is there, and the first row of data as well.
    let names = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,side_effects";
    let message = refusal(&format!("{names}s1,Erika Muster,north,2026-03-02,professional,pen,face,acne,none"));
    assert!(!message.contains("Erika") && message.contains("field 12"), "{message}");
}

#[test]
fn judges_are_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<SessionJudge>();
    shared::<super::super::EventJudge>();
    shared::<super::super::AssessmentJudge>();
    shared::<RawBatch>();
}

proptest! {
    #[test]
    fn any_bytes_are_judged_and_every_row_is_counted(
        noise in proptest::collection::vec(any::<u8>(), 0..120),
        pieces in proptest::collection::vec(proptest::sample::select(vec![
            "s1", "p", "c", "2026-03-02", "professional", "pen", "face", "acne", ",", ",", ",", ",", "\n", "\"", "\r\n",
            "III", "1,5", "none;pih", "pih:9:2026-01-01/", "erythema:1:2026-03-02/2026-03-04", "µ", "\u{0}", "-", "é",
        ]), 0..120),
    ) {
        let header = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,fitzpatrick,side_effects\n";
        for tail in [noise, pieces.concat().into_bytes()] {
            let text = [header.as_bytes(), &tail].concat();
            for batch in judge(text).unwrap_or_default() {
                prop_assert_eq!(batch.read, (batch.accepted.len() + batch.rejected.len()) as u64);
                prop_assert_eq!(batch.filtered, 0);
            }
        }
    }

    #[test]
    fn any_mapping_text_is_settled_or_refused(text in "[a-z\\[\\]{}=\". _\n0-9]{0,80}") {
        let _ = Mapping::from_toml(&text, "m.toml");
    }

}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn any_text_in_any_column_is_judged(text in "[ -~äµ–;:/,]{0,24}") {
        for column in COLUMNS {
            let header: Vec<&str> = COLUMNS.iter().map(|column| column.name).collect();
            let quoted = format!("\"{}\"", text.replace('"', "\"\""));
            let row: Vec<&str> = header.iter().map(|name| if *name == column.name { quoted.as_str() } else { good(name) }).collect();
            let judged = judge(format!("{}\n{}\n", header.join(","), row.join(",")).into_bytes()).unwrap();
            prop_assert_eq!(judged[0].read, 1);
            prop_assert_eq!(judged[0].accepted.len() + judged[0].rejected.len(), 1);
        }
    }
}
