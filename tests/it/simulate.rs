//! Simulated logs: the same bytes for the same seed, and the truth that they say they have.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use stipple::domain::codes::Sex;
use stipple::domain::{Day, Session};
use stipple::simulate::{
    Course, Courses, Model, Outputs, Plan, Summary, Truth, Verdict, base_risk_for, reference, scores, sessions,
    simulate, simulate_into, write_sample_data,
};

struct Written {
    sessions: String,
    second: String,
    events: String,
    assessments: String,
    truth: String,
    summary: Summary,
}

fn written(plan: &Plan) -> Written {
    let mut outputs: Outputs<Vec<u8>> = Outputs {
        sessions: Vec::new(),
        second: Vec::new(),
        events: Vec::new(),
        assessments: Vec::new(),
        truth: Vec::new(),
    };
    let summary = simulate(plan, &mut outputs).expect("vectors take everything");
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    Written {
        sessions: text(outputs.sessions),
        second: text(outputs.second),
        events: text(outputs.events),
        assessments: text(outputs.assessments),
        truth: text(outputs.truth),
        summary,
    }
}

fn messy(sessions: u64, seed: u64) -> Plan {
    Plan { messy: true, ..Plan::new(sessions, seed) }
}

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut reader = csv::Reader::from_reader(text.as_bytes());
    let headers = reader.headers().expect("a header").clone();
    let named =
        |record: csv::StringRecord| headers.iter().zip(&record).map(|(h, v)| (h.to_owned(), v.to_owned())).collect();
    reader.records().map(|record| named(record.expect("a record"))).collect()
}

fn courses(plan: &Plan) -> Vec<Course> {
    let model = Model::new(plan);
    Courses::new(&model).collect()
}

fn share(part: usize, whole: usize) -> f64 {
    f64::from(u32::try_from(part).expect("small")) / f64::from(u32::try_from(whole).expect("small"))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_others() {
    for plan in [Plan::new(700, 5), messy(700, 5)] {
        let (one, two) = (written(&plan), written(&plan));
        assert_eq!((&one.sessions, &one.second), (&two.sessions, &two.second));
        assert_eq!((&one.events, &one.assessments, &one.truth), (&two.events, &two.assessments, &two.truth));
        assert_ne!(one.sessions, written(&Plan { seed: 6, ..plan }).sessions);
    }
}

#[test]
fn a_longer_log_begins_with_the_shorter_one() {
    let (short, long) = (written(&Plan::new(300, 8)).sessions, written(&Plan::new(900, 8)).sessions);
    assert!(long.starts_with(&short));
}

#[test]
fn the_files_of_a_directory_are_those_of_the_writers() {
    let directory = tempfile::tempdir().expect("a directory");
    simulate_into(&messy(200, 3), directory.path()).expect("written");
    simulate_into(&Plan::new(200, 3), directory.path()).expect("written");
    let read = |name: &str| std::fs::read_to_string(directory.path().join(name)).expect(name);
    let expected = written(&Plan::new(200, 3));
    assert_eq!(read("sessions.csv"), expected.sessions);
    assert_eq!(
        (read("events.csv"), read("assessments.csv"), read("truth.json")),
        (expected.events, expected.assessments, expected.truth)
    );
    assert!(!directory.path().join("sessions_2.csv").exists(), "of the earlier, messy log");
}

#[test]
fn the_sample_data_are_what_the_program_writes() {
    let directory = tempfile::tempdir().expect("a directory");
    write_sample_data(directory.path()).expect("written");
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data");
    let mut total = 0;
    for (name, bytes) in files(directory.path()) {
        total += bytes.len();
        assert!(std::fs::read(kept.join(&name)).ok() == Some(bytes), "{name} differs: write the sample data again");
    }
    assert!(total < 1_500_000, "{total}");
}

fn files(directory: &Path) -> Vec<(String, Vec<u8>)> {
    let mut found = Vec::new();
    for below in ["", "harbour", "nordlicht"] {
        for entry in std::fs::read_dir(directory.join(below)).expect("a directory") {
            let path = entry.expect("an entry").path();
            if path.is_file() {
                let name = path.strip_prefix(directory).expect("inside").display().to_string();
                found.push((name, std::fs::read(&path).expect("a file")));
            }
        }
    }
    assert!(found.len() >= 14, "{}", found.len());
    found
}

/// Observed sum, expected sum, and variance of their difference with patients as the independent units.
fn observed_and_expected(
    courses: &[Course],
    pih: usize,
    counted: impl Fn(&stipple::simulate::Treatment) -> bool,
) -> [f64; 3] {
    let mut sums = [0.0; 3];
    for course in courses {
        let mut difference = 0.0;
        for treatment in course.treatments.iter().filter(|treatment| counted(treatment)) {
            let occurred = f64::from(u8::from(treatment.had(pih)));
            sums[0] += occurred;
            sums[1] += treatment.pih_risk;
            difference += occurred - treatment.pih_risk;
        }
        sums[2] += difference * difference;
    }
    sums
}

fn index_of(truth: &Truth, code: &str) -> usize {
    truth.side_effects.iter().position(|effect| effect.code == code).expect(code)
}

#[test]
fn the_risks_of_400_000_sessions_are_those_of_the_truth() {
    let plan = Plan::new(400_000, 20);
    let model = Model::new(&plan);
    let truth = reference(&model, 40_000);
    let courses = courses(&plan);
    let pih = index_of(&plan.truth, "pih");
    for (number, of_type) in (1u8..).zip(&truth.by_fitzpatrick) {
        let mine = |treatment: &stipple::simulate::Treatment| treatment.fitzpatrick == number;
        let n = courses.iter().flat_map(|course| &course.treatments).filter(|treatment| mine(treatment)).count();
        let n = f64::from(u32::try_from(n).expect("small"));
        let [observed, expected, variance] = observed_and_expected(&courses, pih, mine);
        // Against the very sessions of the log, and against the risk that truth.json gives for their type. Where the
        // patients themselves are drawn, their risks vary too: hence the reference's own error, for both samples.
        let error = variance.sqrt() / n;
        assert!((observed - expected).abs() / n < 4.0 * error, "{}: {observed} and {expected}", of_type.fitzpatrick);
        let error = error.hypot(2.0 * of_type.session_risk_standard_error);
        let rate = observed / n;
        assert!((rate - of_type.session_risk).abs() < 4.0 * error, "{}: {rate} and {of_type:?}", of_type.fitzpatrick);
    }
    // The factors too: sun (odds × 3), picking (× 2), and both ends of the depth.
    let groups: [fn(&stipple::simulate::Treatment) -> bool; 5] =
        [|t| t.aftercare[0], |t| !t.aftercare[0], |t| t.aftercare[1], |t| t.depth_um > 2_000, |t| t.depth_um < 1_000];
    for counted in groups {
        let [observed, expected, variance] = observed_and_expected(&courses, pih, counted);
        assert!((observed - expected).abs() < 4.0 * variance.sqrt(), "{observed} and {expected}");
    }
}

#[test]
fn sessions_of_one_patient_are_as_alike_as_the_truth_says() {
    let plan = Plan::plain(150_000, 4);
    let pih = index_of(&plan.truth, "pih");
    let same = plan.truth.patient_copy_probability.powi(2);
    let (mut both, mut expected, mut independent) = (0.0, 0.0, 0.0);
    for course in courses(&plan) {
        for (at, one) in course.treatments.iter().enumerate() {
            for two in &course.treatments[at + 1..] {
                let product = one.pih_risk * two.pih_risk;
                both += f64::from(u8::from(one.had(pih) && two.had(pih)));
                expected += same * one.pih_risk.min(two.pih_risk) + (1.0 - same) * product;
                independent += product;
            }
        }
    }
    assert!((both / expected - 1.0).abs() < 0.12, "{both} and {expected}");
    assert!(both > 3.0 * independent, "{both} and {independent}");
}

#[test]
fn the_odds_ratios_of_the_plain_truth_are_found_in_the_sessions() {
    // Every type at the same depth and passes: the odds against type III are the planted odds ratios.
    let plan = Plan::plain(1, 1);
    let pih = plan.truth.side_effect("pih").expect("PIH");
    let model = Model::new(&Plan::plain(60_000, 2)).clinics().len();
    assert_eq!(model, 12);
    let mut risk = BTreeMap::new();
    for treatment in courses(&Plan::plain(60_000, 2)).iter().flat_map(|course| &course.treatments) {
        if treatment.depth_um == 1_500 && treatment.passes == 3 {
            risk.insert(treatment.fitzpatrick, treatment.pih_risk);
        }
    }
    let odds = |number: u8| risk[&number] / (1.0 - risk[&number]);
    assert!((risk[&3] - pih.base_risk).abs() < 1e-12);
    for (number, odds_ratio) in [(1, 0.3), (2, 0.6), (4, 2.5), (5, 4.0), (6, 4.5)] {
        assert!((odds(number) / odds(3) - odds_ratio).abs() < 1e-9, "type {number}");
    }
}

#[test]
fn the_base_risk_makes_a_tenth_of_the_patients_of_types_iv_and_v() {
    let plan = Plan::new(1, 1);
    let found = reference(&Model::new(&plan), 20_000);
    assert!((0.095..0.105).contains(&found.patient_risk_iv_v), "{found:?}");
    let base = plan.truth.side_effect("pih").expect("PIH").base_risk;
    let again = base_risk_for(&plan, found.patient_risk_iv_v, 2_000);
    assert!((again / base - 1.0).abs() < 0.15, "{again} and {base}");
}

#[test]
fn the_published_figures_hold() {
    let plan = Plan::new(40_000, 12);
    let courses = courses(&plan);
    let patients = courses.len();
    let women = courses.iter().filter(|course| course.patient.sex == Sex::Female).count();
    assert!((share(women, patients) - 0.70).abs() < 0.02);
    let mut counts: Vec<u32> =
        courses.iter().map(|course| course.treatments.last().map_or(0, |last| last.course_session)).collect();
    counts.sort_unstable();
    assert_eq!(counts[patients / 2], 3);
    let lost = courses.iter().filter(|course| {
        course.treatments.last().is_some_and(|last| {
            // Seen within 90 days of the last session, or not at all; clinics that do not ask are left out.
            ![1, 5].contains(&last.clinic) && last.last_follow_up.is_none_or(|day| day.since(last.date) < 90)
        })
    });
    let usual = courses.iter().filter(|course| ![1, 5].contains(&course.patient.clinic)).count();
    let lost = share(lost.count(), usual);
    assert!((0.10..0.20).contains(&lost), "{lost}");
    let effect = |code: &str, counted: &dyn Fn(&stipple::simulate::Treatment) -> bool| {
        let at = index_of(&plan.truth, code);
        let all: Vec<_> = courses.iter().flat_map(|course| &course.treatments).filter(|t| counted(t)).collect();
        share(all.iter().filter(|treatment| treatment.had(at)).count(), all.len())
    };
    assert!((effect("erythema", &|_| true) - 0.99).abs() < 0.005);
    let rf = stipple::domain::codes::Modality::Rf;
    let swollen = |rf_only: bool| effect("swelling", &|t| (t.modality == rf) == rf_only && !t.sensitive_skin);
    assert!((swollen(false) - 0.20).abs() < 0.02 && (swollen(true) - 0.30).abs() < 0.03);
    assert!(effect("infection", &|_| true) < 0.01);
}

#[test]
fn patients_get_better_and_are_satisfied_as_published() {
    let plan = Plan::new(40_000, 13);
    let model = Model::new(&plan);
    let (mut better, mut gais, mut satisfied, mut asked) = (0, 0, 0, 0);
    for course in Courses::new(&model) {
        let sessions = course.treatments.last().map_or(0, |last| last.course_session);
        for score in scores(&model, &course) {
            if score.scale == "gais" && (3..=4).contains(&sessions) && !course.patient.home {
                gais += 1;
                better += usize::from(score.score <= 3);
            }
            if score.scale == "satisfaction" {
                asked += 1;
                satisfied += usize::from(score.score >= 4);
            }
        }
    }
    assert!((0.73..0.92).contains(&share(better, gais)), "{}", share(better, gais));
    assert!((share(satisfied, asked) - 0.83).abs() < 0.025, "{}", share(satisfied, asked));
}

#[test]
fn darker_skin_is_treated_more_shallowly() {
    let summary = written(&Plan::new(30_000, 2)).summary;
    let depths: Vec<f64> = summary.tally.pih_by_true_fitzpatrick.iter().map(|of_type| of_type.mean_depth_mm).collect();
    assert!(depths.windows(2).all(|pair| pair[0] > pair[1] + 0.03), "{depths:?}");
    assert!(depths[0] - depths[5] > 0.4, "{depths:?}");
}

#[test]
fn what_never_occurs_never_does() {
    let plan = Plan::new(60_000, 1);
    let summary = written(&plan).summary;
    for code in ["granuloma", "nerve_injury", "fat_loss"] {
        let count = &summary.tally.side_effects[index_of(&plan.truth, code)];
        assert_eq!((count.truly_occurred, count.in_the_log.present), (0, 0), "{code}");
        assert!(count.in_the_log.confirmed_absent > 0, "{code}");
    }
}

#[test]
fn one_clinic_rises_one_lot_is_bad_and_one_clinic_asks_less() {
    let plan = Plan::new(200_000, 6);
    let all: Vec<_> = courses(&plan).into_iter().flat_map(|course| course.treatments).collect();
    let rate = |code: &str, counted: &dyn Fn(&stipple::simulate::Treatment) -> bool| {
        let at = index_of(&plan.truth, code);
        let counted: Vec<_> = all.iter().filter(|t| counted(t)).collect();
        share(counted.iter().filter(|t| t.had(at)).count(), counted.len())
    };
    let from = plan.truth.rising_clinic.from;
    let before = rate("pih", &|t| t.clinic == 0 && t.date < from);
    let after = rate("pih", &|t| t.clinic == 0 && t.date >= from);
    assert!(after > 1.8 * before, "{before} and {after}");
    let elsewhere =
        [rate("pih", &|t| t.clinic != 0 && t.date < from), rate("pih", &|t| t.clinic != 0 && t.date >= from)];
    assert!((elsewhere[0] / elsewhere[1] - 1.0).abs() < 0.2, "{elsewhere:?}");
    let [bad, good] = [rate("infection", &|t| t.bad_lot), rate("infection", &|t| !t.bad_lot)];
    assert!(bad > 4.0 * good, "{bad} and {good}");
    let bad_days = all.iter().filter(|t| t.bad_lot).map(|t| t.date);
    assert_eq!(bad_days.clone().min().map(|day| day >= plan.truth.bad_lot.used[0]), Some(true));
    let asked = |clinic: usize| {
        let there: Vec<_> = all.iter().filter(|t| t.clinic == clinic).collect();
        share(there.iter().filter(|t| t.asked).count(), there.len())
    };
    assert!(asked(1) < 0.5 && asked(2) > 0.8);
}

/// Counts PIH from the text of the files alone, by the rules as they are written down: a second way to the tally.
fn pih_from_text(sessions: &str, events: &str) -> [u64; 3] {
    let sessions = rows(sessions);
    let day = |text: &str| Day::from_iso(text);
    let mut present: BTreeSet<String> = BTreeSet::new();
    for event in rows(events).iter().filter(|event| event["side_effect"] == "pih") {
        if !event["session_id"].is_empty() {
            present.insert(event["session_id"].clone());
            continue;
        }
        let onset = day(&event["onset_date"]).expect("an onset");
        let fits = |session: &&BTreeMap<String, String>| {
            let date = day(&session["session_date"]).expect("a date");
            let same = session["patient_id"] == event["patient_id"] && session["body_area"] == event["body_area"];
            same && date <= onset && onset.since(date) <= 90
        };
        let latest = sessions.iter().filter(fits).max_by_key(|session| session["session_date"].clone());
        present.insert(latest.expect("a session that fits")["session_id"].clone());
    }
    let mut states = [0; 3];
    for session in &sessions {
        let list = &session["side_effects"];
        let listed = list.split(';').any(|one| one == "pih" || one.starts_with("pih:"));
        let followed = day(&session["last_follow_up_date"])
            .is_some_and(|last| last.since(day(&session["session_date"]).expect("a date")) >= 90);
        let state = match (listed || present.contains(&session["session_id"]), !list.is_empty() && followed) {
            (true, _) => 0,
            (false, true) => 1,
            (false, false) => 2,
        };
        states[state] += 1;
    }
    states
}

#[test]
fn the_tally_is_what_the_files_say() {
    let plan = Plan::new(6_000, 31);
    let log = written(&plan);
    let tally = log.summary.tally.side_effects[index_of(&plan.truth, "pih")].in_the_log;
    let counted = pih_from_text(&log.sessions, &log.events);
    assert_eq!(counted, [tally.present, tally.confirmed_absent, tally.not_assessed]);
    assert!(rows(&log.events).iter().any(|event| event["session_id"].is_empty()), "some name the patient only");
    assert_eq!(rows(&log.assessments).len() as u64, log.summary.assessment_rows);
    assert_eq!(rows(&log.events).len() as u64, log.summary.event_rows);
}

#[test]
fn planted_faults_are_in_the_files_as_often_as_they_are_counted() {
    let plan = messy(30_000, 17);
    let log = written(&plan);
    let planted = &log.summary.planted;
    for (name, count) in &planted.counts {
        assert!(*count > 0, "{name}");
    }
    assert!(log.second.starts_with('\u{feff}') && !log.sessions.contains('\r'));
    let first: Vec<&str> = log.sessions.lines().skip(1).collect();
    let second: Vec<&str> = log.second.split("\r\n").skip(1).collect();
    assert_eq!((first.len() + second.len()) as u64, log.summary.session_rows);
    assert!(!log.second.ends_with('\n'), "the last line breaks off");
    let all: Vec<&str> = first.into_iter().chain(second).collect();
    // Rows whose first field was seen before are repeats (the same line) or amendments (another line).
    let mut seen: BTreeMap<&str, &str> = BTreeMap::new();
    let (mut repeats, mut amendments) = (0, 0);
    for line in &all {
        match seen.insert(line.split(',').next().expect("a field"), line) {
            Some(earlier) if earlier == *line => repeats += 1,
            Some(_) => amendments += 1,
            None => {}
        }
    }
    assert_eq!((repeats, amendments), (planted.count("duplicate_identical"), planted.count("amended")));
    let with = |text: &str| all.iter().filter(|line| line.contains(text)).count() as u64;
    assert_eq!(with("see paper file"), planted.count("too_many_fields"));
    assert_eq!(with("Fitz ") - with("Fitz I") - with("Fitz V"), planted.count("fitzpatrick_range"));
    assert_eq!(with(",laser,") + with(",peel,") + with(",???,"), planted.count("unknown_code"));
    assert_eq!(with("mm,") + with("µm,") + with("um,"), planted.count("depth_with_unit"));
    let events = rows(&log.events);
    let stray = events.iter().filter(|event| event["session_id"].starts_with("S9")).count() as u64;
    assert_eq!(stray, planted.count("event_without_session"));
    let accepted = log.summary.tally.sessions;
    let [refused, superseded] = [Verdict::Refused, Verdict::Superseded].map(|verdict| planted.of(verdict));
    assert_eq!(log.summary.session_rows, accepted + refused + superseded);
}

#[test]
fn a_session_in_memory_says_what_its_row_says() {
    let plan = Plan::new(1_500, 23);
    let model = Model::new(&plan);
    let log = rows(&written(&plan).sessions);
    for (one, row) in sessions(&model).zip(&log) {
        let Session { session_id, patient_id, clinic_id, .. } = &one.session;
        assert_eq!(
            (session_id.as_str(), patient_id.as_str(), clinic_id.as_str()),
            (row["session_id"].as_str(), row["patient_id"].as_str(), row["clinic_id"].as_str())
        );
        assert_eq!(one.session.session_date.to_string(), row["session_date"]);
        let text = |value: Option<String>| value.unwrap_or_default();
        assert_eq!(text(one.session.needle_depth_mm.map(|depth| depth.to_string())), row["needle_depth_mm"]);
        assert_eq!(text(one.session.last_follow_up_date.map(|day| day.to_string())), row["last_follow_up_date"]);
        assert_eq!(text(one.session.fitzpatrick.map(|tone| tone.numeral().to_owned())), row["fitzpatrick"]);
        assert_eq!(
            text(one.session.practitioner_experience_years.map(|years| years.to_string())),
            row["practitioner_experience_years"]
        );
        assert_eq!(one.session.picking.is_some(), !row["picking"].is_empty());
        let listed = match &one.session.side_effects {
            stipple::domain::Asked::No => 0,
            stipple::domain::Asked::Yes(list) => list.len().max(1),
        };
        assert_eq!(listed, row["side_effects"].split(';').filter(|part| !part.is_empty()).count());
    }
}

#[test]
fn the_plain_truth_leaves_nothing_out() {
    let plan = Plan::plain(3_000, 9);
    for one in sessions(&Model::new(&plan)) {
        let followed = one.session.last_follow_up_date.expect("followed").since(one.session.session_date);
        assert!(followed >= 90 && one.session.fitzpatrick.is_some() && one.session.needle_depth_mm.is_some());
        let pih = index_of(&plan.truth, "pih");
        assert_eq!(one.truth.had(pih), one.truth.listed().any(|listed| listed.effect == pih));
    }
}

#[test]
fn tiny_logs_are_written_too() {
    for sessions in [0, 1, 2] {
        let log = written(&messy(sessions, 1));
        assert_eq!(log.sessions.lines().next().map(|line| line.split(',').count()), Some(44));
        assert!(serde_json::from_str::<serde_json::Value>(&log.truth).is_ok());
    }
}

/// Reading the files back: what is refused, and what stands in the sessions that are left.
mod read_back {
    use super::{Path, Plan, Verdict, messy, sessions, simulate_into};
    use std::collections::BTreeMap;
    use stipple::domain::{Asked, Catalogue, FileId, Session, Text};
    use stipple::ingest;
    use stipple::simulate::Model;
    use stipple::validate::{AssessmentJudge, Duplicates, EventJudge, Judged, Mapping, Seen, SessionJudge, Table};

    struct Read {
        read: u64,
        refused: BTreeMap<&'static str, u64>,
        superseded: u64,
        uncoded: u64,
        sessions: BTreeMap<Text, Session>,
    }

    fn judged<T>(
        path: &Path,
        mapping: &Mapping,
        table: Table,
        judge: impl Fn(&[String], &ingest::RawBatch) -> Judged<T>,
    ) -> Vec<Judged<T>> {
        let mut reader = ingest::open(path, FileId(0), &mapping.read_options(table)).expect("opened");
        let header = reader.header().to_vec();
        std::iter::from_fn(|| reader.next_batch().expect("read")).map(|batch| judge(&header, &batch)).collect()
    }

    fn read(paths: &[std::path::PathBuf], mapping: &Mapping) -> Read {
        let mut catalogue = Catalogue::built_in();
        mapping.extend(&mut catalogue);
        let mut duplicates = Duplicates::new();
        let mut all = Read { read: 0, refused: BTreeMap::new(), superseded: 0, uncoded: 0, sessions: BTreeMap::new() };
        for path in paths {
            let judge = |header: &[String], batch: &ingest::RawBatch| {
                SessionJudge::new(header, mapping, &catalogue).expect("the header").judge(batch)
            };
            for batch in judged(path, mapping, Table::Sessions, judge) {
                all.read += batch.read;
                for refused in &batch.rejected {
                    *all.refused.entry(refused.rule).or_default() += 1;
                }
                all.uncoded += batch.warnings.iter().filter(|warning| warning.rule == "uncoded_term").count() as u64;
                for row in batch.accepted {
                    all.superseded += u64::from(!matches!(duplicates.see(&row), Seen::New));
                    all.sessions.insert(row.value.session_id.clone(), row.value);
                }
            }
        }
        all
    }

    #[test]
    fn a_clean_log_comes_back_as_it_was() {
        let directory = tempfile::tempdir().expect("a directory");
        let plan = Plan::new(3_000, 41);
        simulate_into(&plan, directory.path()).expect("written");
        let mapping = Mapping::default();
        let found = read(&[directory.path().join("sessions.csv")], &mapping);
        assert_eq!((found.read, found.refused.len(), found.superseded), (3_000, 0, 0), "{:?}", found.refused);
        for one in sessions(&Model::new(&plan)) {
            assert_eq!(found.sessions.get(&one.session.session_id), Some(&one.session));
        }
        let catalogue = Catalogue::built_in();
        let events = judged(&directory.path().join("events.csv"), &mapping, Table::Events, |header, batch| {
            EventJudge::new(header, &mapping, &catalogue).expect("the header").judge(batch)
        });
        let late = sessions(&Model::new(&plan)).flat_map(|one| one.late_events).collect::<Vec<_>>();
        let read: Vec<_> = events.into_iter().flat_map(|batch| batch.accepted).map(|row| row.value).collect();
        assert_eq!(read, late);
        let scores =
            judged(&directory.path().join("assessments.csv"), &mapping, Table::Assessments, |header, batch| {
                AssessmentJudge::new(header, &mapping, &catalogue).expect("the header").judge(batch)
            });
        assert!(scores.iter().all(|batch| batch.rejected.is_empty()));
    }

    #[test]
    fn a_messy_log_is_refused_where_it_must_be_and_nowhere_else() {
        let directory = tempfile::tempdir().expect("a directory");
        let plan = messy(20_000, 43);
        let summary = simulate_into(&plan, directory.path()).expect("written");
        let paths = ["sessions.csv", "sessions_2.csv"].map(|name| directory.path().join(name));
        let found = read(&paths, &Mapping::default());
        assert_eq!(found.read, summary.session_rows);
        assert_eq!(found.refused.values().sum::<u64>(), summary.planted.of(Verdict::Refused), "{:?}", found.refused);
        assert_eq!(found.superseded, summary.planted.of(Verdict::Superseded));
        assert_eq!(found.uncoded, summary.planted.count("unknown_term"));
        for rule in ["stray_quote", "too_few_fields", "too_many_fields", "unknown_code", "truncated_last_line"] {
            assert_eq!(found.refused.get(rule), Some(&summary.planted.count(rule)), "{rule}: {:?}", found.refused);
        }
        // What was spelt in other ways, amended or repeated reads as the session that was meant.
        for one in sessions(&Model::new(&plan)) {
            let Some(session) = found.sessions.get(&one.session.session_id) else { continue };
            let uncoded = |session: &Session| match &session.side_effects {
                Asked::Yes(list) => list.iter().any(|effect| effect.verbatim.is_some()),
                Asked::No => false,
            };
            assert!(uncoded(session) || *session == one.session, "{session:#?}\n{:#?}", one.session);
        }
    }

    #[test]
    fn the_sample_data_are_refused_where_they_must_be_and_nowhere_else() {
        let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample_data");
        for name in ["harbour", "nordlicht"] {
            let text = |file: String| std::fs::read_to_string(sample.join(&file)).expect("kept");
            let mapping = Mapping::from_toml(&text(format!("{name}.mapping.toml")), name).expect("a mapping");
            let truth: serde_json::Value = serde_json::from_str(&text(format!("{name}.truth.json"))).expect("JSON");
            let paths = [2024, 2025, 2026].map(|year| sample.join(format!("{name}/{name}_{year}.csv")));
            let found = read(&paths, &mapping);
            let rows = |key: &str| truth["rows"][key].as_u64().expect(key);
            assert_eq!(found.read, rows("session_rows"), "{name}");
            let refused = found.refused.values().sum::<u64>();
            assert_eq!(refused, rows("session_rows_to_be_refused"), "{name}: {:?}", found.refused);
            assert_eq!(found.superseded, rows("session_rows_to_be_superseded"), "{name}");
            let catalogue = {
                let mut catalogue = Catalogue::built_in();
                mapping.extend(&mut catalogue);
                catalogue
            };
            let events =
                judged(&sample.join(format!("{name}_events.csv")), &mapping, Table::Events, |header, batch| {
                    EventJudge::new(header, &mapping, &catalogue).expect("the header").judge(batch)
                });
            assert!(events.iter().all(|batch| batch.rejected.is_empty() && batch.warnings.is_empty()), "{name}");
            assert_eq!(events.iter().map(|batch| batch.read).sum::<u64>(), rows("event_rows"));
            let scores =
                judged(&sample.join(format!("{name}_scores.csv")), &mapping, Table::Assessments, |header, batch| {
                    AssessmentJudge::new(header, &mapping, &catalogue).expect("the header").judge(batch)
                });
            assert!(scores.iter().all(|batch| batch.rejected.is_empty()), "{name}");
            assert_eq!(scores.iter().map(|batch| batch.read).sum::<u64>(), rows("assessment_rows"));
        }
    }
}
