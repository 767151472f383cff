//! What came in, as counts for the analyses and as lists for people.

use super::listing::Listing;
use super::load::Loaded;
use super::tally::{InputTally, Role, Superseded, Totals};
use crate::analysis::{Intake, IntakeCount};
use crate::domain::Place;
use std::io;

/// What the count tells of the sessions that came in.
#[derive(Debug, Clone, Copy, Default)]
pub struct Counted {
    /// Sessions, before the data cut and after it.
    pub sessions: u64,
    /// Those after it.
    pub after_cut: u64,
    /// Side effects that began or were reported after it.
    pub events_after_cut: u64,
    /// Sessions with a side effect that has no code.
    pub uncoded: u64,
}

/// The counts, in the order of the walk.
#[must_use]
pub fn of(loaded: &Loaded, counted: &Counted) -> Intake {
    let totals = Totals::of(loaded.inputs.iter());
    let accepted = |role: Role| Totals::of(loaded.inputs.iter().filter(|input| input.role == role)).accepted;
    let logs = Totals::of(loaded.inputs.iter().filter(|input| input.role == Role::Log));
    let total = [
        ("log_read_rows", logs.read),
        ("log_accepted_rows", logs.accepted),
        ("log_rejected_rows", logs.rejected),
        ("log_superseded_rows", logs.superseded),
        ("read_rows", totals.read),
        ("accepted_rows", totals.accepted),
        ("rejected_rows", totals.rejected),
        ("superseded_rows", totals.superseded),
        ("filtered_rows", totals.filtered),
        ("sessions", counted.sessions),
        ("events", accepted(Role::Events)),
        ("assessments", accepted(Role::Assessments)),
        ("after_data_cut", counted.after_cut),
        ("events_after_data_cut", counted.events_after_cut),
        ("unattributed_events", loaded.links.unattributed),
        ("overlapping_events", loaded.links.overlapping),
        ("uncoded_terms", counted.uncoded),
    ];
    let mut counts: Vec<IntakeCount> = total.into_iter().map(|(term, count)| overall(term.to_owned(), count)).collect();
    // A store counts the rows that say word for word what it knows: every export would list all those before it.
    let listed = loaded.superseded.len() as u64;
    if totals.superseded > listed {
        counts.push(overall("repeated_rows_not_listed".to_owned(), totals.superseded - listed));
    }
    counts.extend(loaded.links.waiting.map(|waiting| overall("waiting_events".to_owned(), waiting)));
    counts.extend(by_rule("rejected", &loaded.rejections));
    counts.extend(by_rule("warned", &loaded.warnings));
    counts.extend(loaded.inputs.iter().flat_map(of_file));
    Intake { counts }
}

fn overall(term: String, count: u64) -> IntakeCount {
    IntakeCount { file: None, term, count }
}

fn by_rule(kind: &str, listing: &Listing) -> Vec<IntakeCount> {
    listing.rules().iter().map(|(rule, tally)| overall(format!("{kind}:{rule}"), tally.count)).collect()
}

fn of_file(input: &InputTally) -> Vec<IntakeCount> {
    let counts = [
        ("read_rows", input.read),
        ("accepted_rows", input.accepted),
        ("rejected_rows", input.rejected),
        ("superseded_rows", input.superseded),
    ];
    counts
        .into_iter()
        .map(|(term, count)| IntakeCount { file: Some(input.name.clone()), term: term.to_owned(), count })
        .collect()
}

fn place_fields(inputs: &[InputTally], place: Place) -> [String; 3] {
    let file = inputs.get(place.file.0 as usize).map(|input| input.name.clone()).unwrap_or_default();
    [file, place.line.to_string(), place.record.to_string()]
}

fn finished(writer: csv::Writer<Vec<u8>>) -> io::Result<Vec<u8>> {
    writer.into_inner().map_err(|error| error.into_error())
}

/// `superseded.csv`: every row that another one stands for.
///
/// # Errors
/// Never for a buffer in memory; the writer's error is handed on.
pub fn superseded_csv(inputs: &[InputTally], superseded: &[Superseded]) -> io::Result<Vec<u8>> {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(["file", "line", "record", "why", "by_file", "by_line", "by_record"])?;
    for row in superseded {
        let [file, line, record] = place_fields(inputs, row.place);
        let [by_file, by_line, by_record] = place_fields(inputs, row.by);
        let why = if row.identical { "repeated" } else { "replaced_by_later" };
        writer.write_record([&file, &line, &record, why, &by_file, &by_line, &by_record])?;
    }
    finished(writer)
}
