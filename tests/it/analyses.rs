//! Analyses on small logs whose answers are known by hand, above all where there is little or nothing to count.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use stipple::pipeline::{PipelineError, Unwatched, produce, settle};

type Row = BTreeMap<String, String>;

const HEADER: &str = "session_id,patient_id,clinic_id,session_date,setting,modality,body_area,indication,fitzpatrick,\
                      needle_depth_mm,last_follow_up_date,side_effects";

/// A session of a patient: type, depth, kind of device, what was found.
struct Session<'a> {
    patient: usize,
    fitzpatrick: &'a str,
    depth: &'a str,
    modality: &'a str,
    found: &'a str,
}

fn rows(sessions: &[Session<'_>], analysis: &str) -> Vec<Row> {
    let mut log = format!("{HEADER}\n");
    for (at, session) in sessions.iter().enumerate() {
        let Session { patient, fitzpatrick, depth, modality, found } = session;
        writeln!(
            log,
            "s{at},p{patient},north,2026-01-05,professional,{modality},face,scars,{fitzpatrick},{depth},2026-12-31,{found}"
        )
        .unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.csv"), log).unwrap();
    let text = format!("version = 1\nid = \"p\"\n[source]\nlogs = [\"log.csv\"]\n[[analysis]]\nid = \"a\"\n{analysis}");
    fs::write(folder.path().join("p.toml"), text).unwrap();
    let product = produce(&settle(&folder.path().join("p.toml")).unwrap(), &Unwatched).unwrap();
    let results = product.files.iter().find(|file| file.path == "results.csv").unwrap();
    let mut reader = csv::Reader::from_reader(results.bytes.as_slice());
    let header = reader.headers().unwrap().clone();
    reader
        .records()
        .map(|row| header.iter().map(str::to_owned).zip(row.unwrap().iter().map(str::to_owned)).collect::<Row>())
        .filter(|row| row["analysis"] == "a")
        .collect()
}

fn find<'a>(rows: &'a [Row], row_id: &str) -> &'a Row {
    rows.iter().find(|row| row["row_id"] == row_id).unwrap_or_else(|| panic!("no row {row_id}"))
}

fn number(row: &Row, column: &str) -> f64 {
    row[column].parse().unwrap_or_else(|_| panic!("{column} of {row:?}"))
}

const TREND: &str = "kind = \"trend\"\noutcomes = [\"pih\"]\nover = \"fitzpatrick\"\nadjust = [\"needle_depth_mm\"]\nreference = \"III\"\n";

#[test]
fn a_trend_without_any_event_claims_nothing() {
    let types = ["II", "III", "IV"];
    let sessions: Vec<Session<'_>> = (0..120)
        .map(|at| Session {
            patient: at / 2,
            fitzpatrick: types[at / 40],
            depth: ["0.5", "1.0", "1.5"][at % 3],
            modality: "pen",
            found: "none",
        })
        .collect();
    let rows = rows(&sessions, TREND);
    for row in &rows {
        let claims = ["odds_ratio", "p_value", "trend_z", "fitted_rate"].contains(&row["statistic"].as_str());
        assert!(!claims || row["value"].is_empty(), "{row:?}");
        assert!(!claims || row["warning"].contains("not_estimable"), "{row:?}");
    }
    assert_eq!(find(&rows, "a/pih//rate")["denominator"], "120");
    // Nobody recorded passes: no row, and so no empty panel.
    let means: Vec<&str> =
        rows.iter().filter(|row| row["statistic"] == "mean").map(|row| row["term"].as_str()).collect();
    assert_eq!(means, ["needle_depth_mm"; 3]);
}

/// Type V without event among 60, III with 6 of 60: Fisher's two-sided p for the table is 0.027, and no model may claim
/// much more certainty than that, whatever the residuals of the empty level look like.
#[test]
fn a_level_without_events_is_not_made_significant_by_its_silence() {
    let sessions: Vec<Session<'_>> = (0..120)
        .map(|at| Session {
            patient: at,
            fitzpatrick: if at < 60 { "III" } else { "V" },
            depth: ["0.5", "1.0", "1.5"][at % 3],
            modality: "pen",
            found: if at < 6 { "pih" } else { "none" },
        })
        .collect();
    let rows = rows(&sessions, TREND);
    for model in ["crude_levels", "adjusted_levels"] {
        let row = find(&rows, &format!("a/pih//odds_ratio/fitzpatrick=V:{model}"));
        assert!(number(row, "low") < number(row, "value") && number(row, "value") < 1.0, "{row:?}");
        let p = number(find(&rows, &format!("a/pih//p_value/fitzpatrick=V:{model}")), "value");
        assert!((0.005..0.2).contains(&p), "{model}: {p}");
    }
}

#[test]
fn a_column_that_repeats_another_is_left_out_and_named() {
    let sessions: Vec<Session<'_>> = (0..200)
        .map(|at| Session {
            patient: at,
            fitzpatrick: ["II", "III", "IV", "V"][at % 4],
            depth: "1.0",
            modality: "pen",
            found: if at % 5 == 0 { "pih" } else { "none" },
        })
        .collect();
    let rows = rows(&sessions, TREND);
    let row = find(&rows, "a/pih//odds_ratio/fitzpatrick:adjusted");
    assert!(!row["value"].is_empty());
    assert!(row["warning"].contains("needle_depth_mm left out"), "{row:?}");
}

#[test]
fn a_side_effect_without_grade_is_not_called_mild() {
    let sessions: Vec<Session<'_>> = (0..10)
        .map(|at| Session {
            patient: at,
            fitzpatrick: "II",
            depth: "1.0",
            modality: "pen",
            found: match at {
                0 => "infection:3",
                1 => "infection:1",
                2..=5 => "infection",
                _ => "none",
            },
        })
        .collect();
    let rows = rows(&sessions, "kind = \"severity\"\noutcomes = [\"infection\"]\n");
    // One of six: grade 3 over grade 3, grade 1 and the four without infection; the four without grade are not assessed.
    let rate = find(&rows, "a/infection//rate/grade >= 3");
    assert_eq!((rate["numerator"].as_str(), rate["denominator"].as_str()), ("1", "6"));
    assert_eq!(find(&rows, "a/infection//not_assessed/grade >= 3")["value"], "4");
    assert_eq!(find(&rows, "a/infection//count/grade not stated")["value"], "4");
}

const CONTRAST: &str = "kind = \"contrast\"\noutcomes = [\"pih\", \"infection\", \"burn\"]\nbetween = \"modality\"\nexposed = \"rf\"\nreference = \"pen\"\n";

/// Twenty patients of ten sessions each whose sessions are all alike: 5 of 10 rf patients and 1 of 10 pen patients have
/// PIH in every session. The sessions say 50/100 against 10/100; the patients, 5/10 against 1/10, are what is known.
#[test]
fn sessions_of_one_patient_do_not_make_a_family_of_tests() {
    let sessions: Vec<Session<'_>> = (0..200)
        .map(|at| {
            let patient = at / 10;
            let found = if patient < 5 || patient == 10 { "pih" } else { "none" };
            Session {
                patient,
                fitzpatrick: "II",
                depth: "1.0",
                modality: if patient < 10 { "rf" } else { "pen" },
                found,
            }
        })
        .collect();
    let rows = rows(&sessions, CONTRAST);
    let group = "modality=rf";
    let independent = number(find(&rows, &format!("a/pih/{group}/p_value/fisher_mid_p")), "value");
    let clustered = number(find(&rows, &format!("a/pih/{group}/p_value/chi_square_rao_scott")), "value");
    assert!(independent < 1e-6 && clustered > 0.03, "{independent} {clustered}");
    let family: Vec<&Row> = rows.iter().filter(|row| row["statistic"] == "p_adjusted").collect();
    assert_eq!(family.len(), 1, "side effects that nobody had are no tests");
    assert_eq!(family[0]["value"], find(&rows, &format!("a/pih/{group}/p_value/chi_square_rao_scott"))["value"]);
    assert!(family[0]["warning"].contains("family of 1"));
}

#[test]
fn patients_in_both_groups_are_told() {
    let sessions: Vec<Session<'_>> = (0..80)
        .map(|at| Session {
            patient: at / 2,
            fitzpatrick: "II",
            depth: "1.0",
            modality: if at % 2 == 0 { "rf" } else { "pen" },
            found: if at % 7 == 0 { "pih" } else { "none" },
        })
        .collect();
    let rows = rows(&sessions, &format!("{CONTRAST}counted = \"patients\"\n"));
    let row = find(&rows, "a/pih/modality=rf/p_value/fisher_mid_p");
    assert!(row["warning"].contains("40 patients are in both groups"), "{row:?}");
}

/// Forty sessions each of II and IV, of them one in four with PIH, and as many of III as `of_three` gives.
fn without_three<'a>(of_three: impl Iterator<Item = Session<'a>>) -> Vec<Session<'a>> {
    let of = |fitzpatrick: &'static str, from: usize| {
        (0..40).map(move |at| Session {
            patient: from + at,
            fitzpatrick,
            depth: "1.0",
            modality: "pen",
            found: if at % 4 == 0 { "pih" } else { "none" },
        })
    };
    of("II", 0).chain(of("IV", 100)).chain(of_three).collect()
}

#[test]
fn levels_are_not_compared_with_another_one_than_the_row_names() {
    // III was treated, but nobody asked about PIH; then: asked, but without a depth.
    for (depth, found, models) in
        [("1.0", "", &["crude_levels", "adjusted_levels"][..]), ("", "none", &["adjusted_levels"])]
    {
        let three = (0..10).map(|at| Session { patient: 200 + at, fitzpatrick: "III", depth, modality: "pen", found });
        let rows = rows(&without_three(three), TREND);
        for model in models {
            let of_model = |row: &&Row| row["statistic"] == "odds_ratio" && row["term"].ends_with(&format!(":{model}"));
            let told: Vec<&Row> = rows.iter().filter(of_model).collect();
            assert_eq!(told.len(), 1, "{told:?}");
            let warning = &told[0]["warning"];
            assert!(warning.starts_with("not_estimable: no session of the model has fitzpatrick III"), "{warning}");
            assert!(told[0]["value"].is_empty());
        }
    }
}

#[test]
fn one_patient_gives_no_interval_whatever_the_likelihood() {
    let sessions: Vec<Session<'_>> = (0..40)
        .map(|at| Session {
            patient: 1,
            fitzpatrick: ["II", "IV"][at % 2],
            depth: "1.0",
            modality: "pen",
            found: if at % 8 == 1 { "pih" } else { "none" },
        })
        .collect();
    let rows = rows(&sessions, TREND);
    for statistic in ["odds_ratio", "p_value"] {
        let row = find(&rows, &format!("a/pih//{statistic}/fitzpatrick:crude"));
        assert!(row["warning"].contains("Firth") && row["warning"].contains("not_estimable"), "{row:?}");
        assert_eq!((row["low"].as_str(), row["high"].as_str()), ("", ""));
    }
    assert_eq!(find(&rows, "a/pih//p_value/fitzpatrick:crude")["value"], "");
}

#[test]
fn few_patients_are_told_with_few_events_too() {
    let sessions: Vec<Session<'_>> = (0..60)
        .map(|at| Session {
            patient: at / 4,
            fitzpatrick: ["II", "IV"][at / 4 % 2],
            depth: "1.0",
            modality: "pen",
            found: if at % 10 == 0 { "pih" } else { "none" },
        })
        .collect();
    let row = &rows(&sessions, TREND);
    let row = find(row, "a/pih//odds_ratio/fitzpatrick:crude");
    assert!(row["warning"].contains("Firth") && row["warning"].contains("few_clusters: 15"), "{row:?}");
}

#[test]
fn a_column_that_no_session_has_or_all_have_alike_is_named() {
    let three = || {
        (0..10).map(|at| Session {
            patient: 200 + at,
            fitzpatrick: "III",
            depth: "1.0",
            modality: "pen",
            found: "none",
        })
    };
    let warning = |sessions: &[Session<'_>], adjust: &str| {
        let rows = rows(sessions, &TREND.replace("needle_depth_mm", adjust));
        rows.iter().find(|row| row["term"] == "fitzpatrick:adjusted").unwrap()["warning"].clone()
    };
    let sessions = without_three(three());
    assert!(warning(&sessions, "needle_depth_mm").contains("needle_depth_mm left out: all sessions have the same"));
    assert!(warning(&sessions, "modality").contains("modality left out: all sessions have the same"));
    assert!(warning(&sessions, "passes").contains("no session has passes"));
}

#[test]
fn a_level_that_the_model_has_no_session_of_is_told_and_so_is_a_model_of_one_level() {
    // III was treated, but nobody asked about PIH: against II it cannot be judged, and IV can.
    let three =
        (0..10).map(|at| Session { patient: 200 + at, fitzpatrick: "III", depth: "1.0", modality: "pen", found: "" });
    let against_two = TREND.replace("\"III\"", "\"II\"");
    let all = rows(&without_three(three), &against_two);
    assert!(!find(&all, "a/pih//odds_ratio/fitzpatrick=IV:crude_levels")["value"].is_empty());
    let row = find(&all, "a/pih//odds_ratio/fitzpatrick=III:crude_levels");
    assert_eq!(row["warning"], "not_estimable: no session of the model has fitzpatrick III");
    assert_eq!((row["value"].as_str(), row["comparator"].as_str()), ("", "II"));
    // Everybody has II.
    let only_two: Vec<Session<'_>> = without_three(std::iter::empty()).into_iter().take(40).collect();
    let all = rows(&only_two, &against_two);
    let row = find(&all, "a/pih//odds_ratio/fitzpatrick:crude_levels");
    assert_eq!(row["warning"], "not_estimable: every session of the model has fitzpatrick II");
}

#[test]
fn a_contrast_with_a_clinic_that_is_not_there_says_which() {
    let sessions = without_three(std::iter::empty());
    let analysis = "kind = \"contrast\"\noutcomes = [\"pih\"]\nbetween = \"clinic_id\"\nexposed = \"south\"\nreference = \"north\"\n";
    let row = &rows(&sessions, analysis);
    let row = find(row, "a/pih/clinic_id=south/risk_difference");
    assert_eq!(row["warning"], "not_estimable: no session has clinic_id south");
}

#[test]
fn what_a_model_or_a_contrast_cannot_mean_is_refused_before_anything_is_read() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("log.csv"), format!("{HEADER}\n")).unwrap();
    let settled = |analysis: &str| {
        let path = folder.path().join("p.toml");
        let head = "version = 1\nid = \"p\"\n[source]\nlogs = [\"log.csv\"]\n[[analysis]]\nid = \"a\"\n";
        fs::write(&path, format!("{head}{analysis}")).unwrap();
        settle(&path)
    };
    let contrast = |exposed: &str| {
        format!(
            "kind = \"contrast\"\noutcomes = [\"all\"]\nbetween = \"modality\"\nexposed = \"{exposed}\"\nreference = \"pen\"\n"
        )
    };
    let over = |column: &str| TREND.replace("\"fitzpatrick\"", column).replace("reference = \"III\"\n", "");
    let cases = [
        (TREND.replace("needle_depth_mm", "fitzpatrick"), "adjust: `fitzpatrick` is the column that is followed"),
        (TREND.replace("needle_depth_mm", "fitzpatrick_number"), "adjust: `fitzpatrick_number` is the column that is"),
        (TREND.replace("needle_depth_mm", "session_date"), "adjust: `session_date` would add a term for every day"),
        (TREND.replace("needle_depth_mm", "depth"), "did you mean `needle_depth_mm`?"),
        (over("\"clinic_id\""), "over: `clinic_id` has no order"),
        (over("\"modality\""), "over: `modality` has no order"),
        (over("\"session_date\""), "over: `session_date` has no order"),
        (over("\"clinic\""), "did you mean `clinic_id`?"),
        (contrast("pen"), "exposed: is the reference too"),
        (contrast("laser"), "exposed: `laser` is not known"),
    ];
    for (analysis, expected) in cases {
        let error = settled(&analysis).unwrap_err();
        let told = match &error {
            PipelineError::Wrong { hint, .. } => format!("{error} {hint}"),
            _ => error.to_string(),
        };
        assert!(told.contains(expected), "{told}");
    }
    let bands = "{ needle_depth_mm = [0.5, 1.0] }";
    let codes = ["monk", "ita_class", "skin_thickness", "fitzpatrick_number", "skin_sensitivity", "active_acne"];
    let names = ["passes", "session_month", "course_session", "follow_up_days"].into_iter().chain(codes);
    for column in names.map(|name| format!("\"{name}\"")).chain([bands.to_owned()]) {
        settled(&over(&column).replace("adjust = [\"needle_depth_mm\"]\n", "")).unwrap();
    }
}
