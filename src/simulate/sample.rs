//! The sample data: the logs of two chains of clinics that do not exist, one in the canonical columns, one in German.

use super::course::Course;
use super::dialect::{CANONICAL, Dialect, GERMAN};
use super::messy::Mess;
use super::model::Model;
use super::plan::{Clinics, Plan};
use super::row::Row;
use super::scores::scores;
use super::tally::Tally;
use super::treatment::Treatment;
use super::write::Summary;
use super::{Courses, truth_file};
use std::collections::BTreeMap;
use std::io;
use std::path::Path;

/// Mapping of the chain that writes in the canonical columns.
pub(super) const HARBOUR_MAPPING: &str = include_str!("harbour.mapping.toml");
/// Mapping of the chain that writes in German.
pub(super) const NORDLICHT_MAPPING: &str = include_str!("nordlicht.mapping.toml");

/// Base risk of PIH in the sample: higher than in published series, so that about 9 % of the sessions have it and a
/// few thousand sessions show something.
const SAMPLE_PIH_BASE_RISK: f64 = 0.026;

/// Writes the sample data into a directory: for each chain a directory of session logs, one a year, and beside it the
/// events, the scores, the mapping and the truth.
///
/// # Errors
/// When a file cannot be written.
pub fn write_sample_data(directory: &Path) -> io::Result<()> {
    write_log(&harbour(), ("harbour", &CANONICAL), directory)?;
    write_log(&nordlicht(), ("nordlicht", &GERMAN), directory)?;
    std::fs::write(directory.join("harbour.mapping.toml"), HARBOUR_MAPPING)?;
    std::fs::write(directory.join("nordlicht.mapping.toml"), NORDLICHT_MAPPING)
}

/// Writes a log as German clinics would: `<name>/<name>_<year>.csv`, `<name>_events.csv`, `<name>_scores.csv` and
/// `<name>.truth.json`, to be read with the mapping of the sample data's German chain. It is sorted by day, so all of
/// it is held in memory.
///
/// # Errors
/// When a file cannot be written.
pub fn write_foreign(plan: &Plan, name: &str, directory: &Path) -> io::Result<()> {
    write_log(plan, (name, &GERMAN), directory)
}

fn harbour() -> Plan {
    let mut plan = sample(2_000, 20_260_630);
    plan.clinics = Clinics::named(
        "HARBOUR",
        &[
            ("EAST", "North Coast"),
            ("WEST", "North Coast"),
            ("QUAY", "Midlands"),
            ("OLD-TOWN", "South Coast"),
            ("LIGHTHOUSE", "South Coast"),
        ],
    )
    .with_prefix("HB-");
    plan
}

fn nordlicht() -> Plan {
    let mut plan = sample(1_000, 4_711);
    plan.clinics = Clinics::named(
        "Nordlicht",
        &[
            ("Kiel", "Schleswig-Holstein"),
            ("Lübeck", "Schleswig-Holstein"),
            ("Rostock", "Mecklenburg-Vorpommern"),
            ("Bremen", "Bremen"),
        ],
    )
    .with_prefix("NL-");
    plan
}

fn sample(sessions: u64, seed: u64) -> Plan {
    let mut plan = Plan::new(sessions, seed);
    plan.messy = true;
    plan.truth.follow_up.spontaneous_clinic = None;
    if let Some(pih) = plan.truth.side_effect_mut("pih") {
        pih.base_risk = SAMPLE_PIH_BASE_RISK;
    }
    plan
}

/// Files by their path below the directory.
type Files = BTreeMap<String, Vec<u8>>;

fn write_log(plan: &Plan, (name, dialect): (&str, &Dialect), directory: &Path) -> io::Result<()> {
    let model = Model::new(plan);
    let mut courses: Vec<Course> = Courses::new(&model).collect();
    number_by_day(&mut courses);
    let mut files = Files::new();
    let (tally, planted, event_rows) = logs(&model, (name, dialect), &courses, &mut files)?;
    let assessment_rows = score_file(&model, (name, dialect), &courses, &mut files)?;
    let summary = Summary {
        session_rows: plan.sessions + planted.of(super::Verdict::Superseded),
        event_rows: event_rows + planted.of(super::Verdict::EventSetAside),
        assessment_rows,
        tally,
        planted,
    };
    for (path, bytes) in files {
        let path = directory.join(path);
        path.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(path, (dialect.encode)(bytes))?;
    }
    let mut truth = Vec::new();
    truth_file::write(&model, &summary, &mut truth)?;
    std::fs::write(directory.join(format!("{name}.truth.json")), truth)
}

/// Gives the sessions their numbers in the order of their days, as a clinic's own system would.
fn number_by_day(courses: &mut [Course]) {
    let mut order: Vec<(crate::domain::Day, u64)> = Vec::new();
    for course in courses.iter() {
        order.extend(course.treatments.iter().map(|treatment| (treatment.date, treatment.session)));
    }
    order.sort_unstable();
    let new: BTreeMap<u64, u64> = order.iter().zip(1u64..).map(|((_, old), new)| (*old, new)).collect();
    for treatment in courses.iter_mut().flat_map(|course| &mut course.treatments) {
        treatment.session = new.get(&treatment.session).copied().unwrap_or(treatment.session);
    }
}

fn logs(
    model: &Model<'_>,
    (name, dialect): (&str, &Dialect),
    courses: &[Course],
    files: &mut Files,
) -> io::Result<(Tally, super::Planted, u64)> {
    let mut treatments: Vec<&Treatment> = courses.iter().flat_map(|course| &course.treatments).collect();
    treatments.sort_by_key(|treatment| treatment.session);
    let mut mess = Mess::new(model, dialect);
    let mut tally = Tally::new(model);
    let mut row = Row::default();
    let mut events = Vec::new();
    let mut event_rows = 0;
    (dialect.event_header)(&mut row);
    row.write(dialect.delimiter, b"\n", &mut events)?;
    let mut years = treatments.chunk_by(|a, b| a.date.year() == b.date.year()).peekable();
    while let Some(year) = years.next() {
        let number = year.first().map_or(0, |first| first.date.year());
        let mut log = Vec::new();
        (dialect.session_header)(&mut row);
        // The second year of the canonical chain was exported from a spreadsheet.
        let from_spreadsheet = number % 2 == 1 && dialect.delimiter == b',';
        mess.begin_file(&mut row, from_spreadsheet, &mut log)?;
        mess.may_keep_back = years.peek().is_some();
        for treatment in year {
            (dialect.session_row)(model, treatment, &mut row);
            if mess.session(&mut row, treatment, &mut log)? {
                tally.count(model, treatment);
                event_rows += write_events(model, (dialect, &mut mess), treatment, &mut events)?;
            }
        }
        mess.end_file(&mut log)?;
        files.insert(format!("{name}/{name}_{number}.csv"), log);
    }
    files.insert(format!("{name}_events.csv"), events);
    Ok((tally, mess.planted, event_rows))
}

fn write_events(
    model: &Model<'_>,
    (dialect, mess): (&Dialect, &mut Mess),
    treatment: &Treatment,
    out: &mut Vec<u8>,
) -> io::Result<u64> {
    let mut row = Row::default();
    let mut rows = 0;
    for occurred in treatment.late() {
        (dialect.event_row)(model, treatment, occurred, &mut row);
        row.write(dialect.delimiter, b"\n", out)?;
        rows += 1;
    }
    mess.stray_events(model, treatment, out)?;
    Ok(rows)
}

fn score_file(
    model: &Model<'_>,
    (name, dialect): (&str, &Dialect),
    courses: &[Course],
    files: &mut Files,
) -> io::Result<u64> {
    let mut row = Row::default();
    let mut out = Vec::new();
    let mut rows = 0;
    (dialect.score_header)(&mut row);
    row.write(dialect.delimiter, b"\n", &mut out)?;
    for course in courses {
        for score in scores(model, course) {
            (dialect.score_row)(model, course, &score, &mut row);
            row.write(dialect.delimiter, b"\n", &mut out)?;
            rows += 1;
        }
    }
    files.insert(format!("{name}_scores.csv"), out);
    Ok(rows)
}
