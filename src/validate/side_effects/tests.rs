use super::*;
use crate::domain::FileId;
use crate::ingest::{RawBatch, Records};
use crate::validate::cells::{From, Nulls};
use crate::validate::masking::Masker;
use std::sync::Arc;

fn read(text: &str, order: Option<DateOrder>) -> Result<Asked, &'static str> {
    let terms = Terms::new(&Catalogue::built_in(), &[("keine".to_owned(), "none".to_owned())]);
    let cell = Cell {
        column: "side_effects",
        from: From::Const(text.to_owned()),
        nulls: Arc::new(Nulls::default()),
        values: None,
    };
    let source = crate::ingest::Source { path: "log.csv".into(), file: FileId(0), bytes: Box::new(&b"a\n1\n"[..]) };
    let mut reader = crate::ingest::Reader::new(source, &crate::ingest::ReadOptions::default()).unwrap();
    let batch: RawBatch = reader.next_batch().unwrap().unwrap();
    let masker = Masker::default();
    let row = Row { record: batch.records().next().unwrap(), masker: &masker };
    EffectsCell { cell, order }.read(&row, &terms).map_err(|complaint| complaint.rule)
}

/// `code(verbatim):grade:onset/end` of each.
#[track_caller]
fn check(text: &str, expected: &str) {
    let catalogue = Catalogue::built_in();
    let Ok(Asked::Yes(effects)) = read(text, Some(DateOrder::Dmy)) else { panic!("{text} was not read") };
    let told = effects.iter().map(|effect| {
        let end = match effect.resolution {
            Resolution::NotStated => String::new(),
            Resolution::Ongoing => "/ongoing".to_owned(),
            Resolution::On(day) => format!("/{day}"),
        };
        format!(
            "{}({}):{}:{}{end}",
            catalogue.get(effect.effect).code,
            effect.verbatim.as_deref().unwrap_or(""),
            effect.grade.map_or(String::new(), |grade| grade.number().to_string()),
            effect.onset.map_or(String::new(), |day| day.to_string()),
        )
    });
    assert_eq!(told.collect::<Vec<_>>().join(";"), expected, "{text}");
}

#[test]
fn the_compact_form_is_read_in_full() {
    check(
        "erythema:1:2026-03-02/2026-03-04;pih:2:2026-03-30/",
        "erythema():1:2026-03-02/2026-03-04;pih():2:2026-03-30/ongoing",
    );
    check("redness", "erythema()::");
    check("Edema : mild ; ecchymosis::2026-03-02", "swelling():1:;bruising()::2026-03-02");
    check("pih:2:/", "pih():2:/ongoing");
    check("redness, itching", "erythema()::;itching()::");
    check("erythema:1;erythema:3", "erythema():1:;erythema():3:");
}

#[test]
fn dates_may_hold_slashes_themselves() {
    check("erythema:1:02/03/2026/04/03/2026", "erythema():1:2026-03-02/2026-03-04");
    check("erythema:1:02/03/2026/", "erythema():1:2026-03-02/ongoing");
    check("erythema:1:2026/03/02/2026/03/04", "erythema():1:2026-03-02/2026-03-04");
    assert_eq!(read("erythema:1:02/03/2026/04/03/2026", None), Err(rules::DATE_ORDER_UNKNOWN));
}

#[test]
fn an_unknown_term_is_kept_in_its_own_words() {
    check("glowing ears:2:2026-03-02", "uncoded(glowing ears):2:2026-03-02");
    check("note: see chart", "uncoded(note: see chart)::");
    check("warm, tingling", "uncoded(warm, tingling)::");
}

#[test]
fn none_is_an_answer_and_nothing_is_not() {
    assert_eq!(read("", None), Ok(Asked::No));
    assert_eq!(read("N/A", None), Ok(Asked::No));
    assert_eq!(read(";", None), Ok(Asked::No));
    for text in ["none", "None", "no", "nil", "keine", "KEINE;"] {
        assert_eq!(read(text, None), Ok(Asked::Yes(Vec::new())), "{text}");
    }
    assert_eq!(read("none;erythema", None), Err(rules::NONE_AND_SOME));
    assert_eq!(read("none:1", None), Err(rules::NONE_AND_SOME));
}

#[test]
fn details_that_cannot_be_are_refused() {
    assert_eq!(read("erythema:9", None), Err(rules::NOT_A_GRADE));
    assert_eq!(read("pih:3", None), Err(rules::GRADE_NOT_ALLOWED));
    assert_eq!(read("pih:2:soon", None), Err(rules::NOT_A_DATE));
    assert_eq!(read("pih:2:2026-03-05/2026-03-04", None), Err(rules::RESOLVED_BEFORE_ONSET));
}
