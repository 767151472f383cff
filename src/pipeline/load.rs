//! Files → sessions, events and assessments, with a tally of every row: `read = accepted + rejected + superseded`.

use super::Observer;
use super::files::InputFile;
use super::link::{self, Ledger, Links};
use super::listing::{Listed, Listing};
use super::reading::{self, Progress, Reading};
use super::settle::Source;
use super::tally::{InputTally, Role, Superseded};
use crate::domain::{Asked, Catalogue, Day, Event, FileId, Place, Session};
use crate::ingest::{IngestError, RawBatch};
use crate::store::lake::StoreError;
use crate::store::{SessionTable, SessionsBuilder};
use crate::validate::{
    AssessmentJudge, Duplicates, EventJudge, HeaderError, Judged, Mapping, Rejection, Seen, SessionJudge, Sourced,
    Warning, rules,
};
use std::io;
use thiserror::Error;

/// What is said of a session whose newer row has an earlier follow-up.
pub(super) const FOLLOW_UP_KEPT: &str =
    "an earlier version of the session was followed up for longer; that day was kept";

/// What is said of a session whose newer row names another patient.
pub(super) const PATIENT_CHANGED: &str = "an earlier row with this session_id was of another patient; this one took its place. If two sites number their \
     sessions alike, read each as a source of its own";

/// Why files cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file cannot be read as a table of records.
    #[error("{source}")]
    Ingest {
        /// The file.
        file: String,
        /// Why.
        source: IngestError,
    },
    /// A file lacks columns.
    #[error("{file}: {source}")]
    Header {
        /// The file.
        file: String,
        /// Which.
        source: HeaderError,
    },
    /// One file is in two sources: its sessions would count twice.
    #[error("{one} and {other} are the same file, in two sources: every session would count twice")]
    Twice {
        /// One of them.
        one: String,
        /// The other.
        other: String,
    },
    /// The list of refused rows outgrew the disk.
    #[error("cannot keep the list of refused rows: {source}")]
    Listing {
        /// Why.
        #[from]
        source: std::io::Error,
    },
    /// The store refused.
    #[error(transparent)]
    Store {
        /// Why.
        source: StoreError,
    },
    /// More rows came out than went in, or fewer: a defect of this program.
    #[error("{file}: {read} rows were read, but {accepted} accepted + {rejected} rejected + {superseded} superseded")]
    Unbalanced {
        /// The file.
        file: String,
        /// Rows read.
        read: u64,
        /// Rows accepted.
        accepted: u64,
        /// Rows rejected.
        rejected: u64,
        /// Rows superseded.
        superseded: u64,
    },
}

/// What is behind a [`LoadError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// What was named is not there: a file, or a query's tables.
    Missing,
    /// The file cannot be read.
    Unreadable,
    /// What is in the file cannot be used.
    Unusable,
    /// A defect of this program.
    Defect,
}

impl LoadError {
    /// What is behind it.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            LoadError::Ingest { source: IngestError::NotFound { .. }, .. } => Cause::Missing,
            LoadError::Ingest { source: IngestError::Database { problem, .. }, .. } => {
                if problem.is_wrong_use() {
                    Cause::Missing
                } else {
                    Cause::Unreadable
                }
            }
            LoadError::Ingest { source: IngestError::Bucket(problem), .. } => {
                if problem.is_wrong_use() {
                    Cause::Missing
                } else {
                    Cause::Unreadable
                }
            }
            LoadError::Ingest { source: IngestError::Io { .. }, .. }
            | LoadError::Listing { .. }
            | LoadError::Store { .. } => Cause::Unreadable,
            LoadError::Ingest { .. } | LoadError::Header { .. } | LoadError::Twice { .. } => Cause::Unusable,
            LoadError::Unbalanced { .. } => Cause::Defect,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            LoadError::Ingest { source, .. } => source.remedy(),
            LoadError::Header { source, .. } => source.remedy(),
            LoadError::Twice { .. } => "take it out of one [[source]]".to_owned(),
            LoadError::Store { source } => source.remedy(),
            LoadError::Listing { .. } => "free some space where temporary files go".to_owned(),
            LoadError::Unbalanced { .. } => {
                "this is a defect of stipple; please report the shape of the file".to_owned()
            }
        }
    }
}

/// Everything that came in.
pub struct Loaded {
    /// The sessions that stand, with their side effects.
    pub table: SessionTable,
    /// One tally a file, in the order of reading.
    pub inputs: Vec<InputTally>,
    /// Refused rows, in the order of reading; events that no session fits come last.
    pub rejections: Listing,
    /// Superseded rows, in the order of file and line.
    pub superseded: Vec<Superseded>,
    /// Warnings, in the order of reading.
    pub warnings: Listing,
    /// How events found their sessions.
    pub links: Links,
    /// The newest date in the data.
    pub newest: Option<Day>,
}

/// Reads every file of every source; sessions go into `builder`.
///
/// # Errors
/// When a file cannot be read or lacks columns; a bad row is no error.
pub fn load(
    sources: &[Source],
    (catalogue, builder): (&Catalogue, SessionsBuilder),
    observer: &dyn Observer,
) -> Result<Loaded, LoadError> {
    let mut loading = Loading::new((catalogue, builder), observer, sources)?;
    let mut events: Vec<(usize, Vec<Sourced<Event>>)> = Vec::new();
    let mut ledgers: Vec<Ledger> = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        loading.source = number;
        ledgers.push(loading.logs(number, source)?);
        events.push((number, loading.events(source)?));
        loading.assessments(source)?;
    }
    check_twice(&loading.inputs)?;
    observer.stage("link");
    let Loading { builder, mut inputs, mut rejections, mut superseded, mut warnings, mut newest, .. } = loading;
    let (mut table, rows) = builder.finish();
    let mut joining =
        link::Joining { catalogue, ledgers: &ledgers, rows: &rows, patients: None, links: Links::default() };
    for (number, events) in events {
        for event in events {
            newest = newest.max(event.value.onset).max(event.value.reported);
            match joining.join(&mut table, number, &event) {
                link::Joined::Kept => {}
                link::Joined::Listed(warning) => add_warning(&mut warnings, &inputs, &warning)?,
                link::Joined::Refused(rejection) => add_rejection(&mut rejections, &inputs, &rejection)?,
            }
        }
    }
    let links = joining.links;
    settle_tallies(&mut inputs, &rejections, &superseded)?;
    superseded.sort_by_key(|row| row.place);
    Ok(Loaded { table, inputs, rejections, superseded, warnings, links, newest })
}

/// Within a source repeated rows are superseded; over sources they would not be seen.
fn check_twice(inputs: &[InputTally]) -> Result<(), LoadError> {
    for (at, one) in inputs.iter().enumerate().filter(|(_, input)| input.read > 0) {
        let same = |other: &&InputTally| other.blake3 == one.blake3 && other.source != one.source;
        if let Some(other) = inputs[at + 1..].iter().find(same) {
            return Err(LoadError::Twice { one: one.name.clone(), other: other.name.clone() });
        }
    }
    Ok(())
}

/// Accepted rows were counted when they were judged; linking and duplicates have moved some of them since.
fn settle_tallies(inputs: &mut [InputTally], rejections: &Listing, superseded: &[Superseded]) -> Result<(), LoadError> {
    for row in superseded {
        inputs[row.place.file.0 as usize].superseded += 1;
    }
    for (number, input) in inputs.iter_mut().enumerate() {
        let rejected = rejections.of_file(number);
        // `accepted` holds what the judge let pass; a later refusal or a duplicate takes rows from it.
        let refused_later = rejected - input.rejected;
        input.rejected = rejected;
        input.accepted = input.accepted.saturating_sub(refused_later + input.superseded);
        if !input.is_balanced() {
            return Err(LoadError::Unbalanced {
                file: input.name.clone(),
                read: input.read,
                accepted: input.accepted,
                rejected: input.rejected,
                superseded: input.superseded,
            });
        }
    }
    Ok(())
}

/// A judge's work on a few batches.
fn each<J, T>(judge: fn(&J, &RawBatch) -> Judged<T>) -> impl Fn(&J, &[RawBatch]) -> Vec<Judged<T>> + Sync {
    move |judging, few| few.iter().map(|batch| judge(judging, batch)).collect()
}

/// The follow-up that stays: the known one, where it goes further than that of the newer row.
fn further(newer: &Session, known: Option<Day>) -> Option<Day> {
    let fits = |day: &Day| newer.last_follow_up_date.is_none_or(|own| own < *day) && *day >= newer.session_date;
    known.filter(fits)
}

fn remark(place: Place, column: &str, (rule, hint): (&'static str, &str)) -> Warning {
    Warning { place, column: Some(column.to_owned()), rule, hint: hint.to_owned() }
}

fn name_of(inputs: &[InputTally], place: Place) -> &str {
    inputs.get(place.file.0 as usize).map_or("", |input| input.name.as_str())
}

fn add_rejection(listing: &mut Listing, inputs: &[InputTally], row: &Rejection) -> io::Result<()> {
    let Rejection { place, column, rule, hint, text } = row;
    let listed = Listed { place: *place, column: column.as_deref(), rule, hint, text: Some(text) };
    listing.add(name_of(inputs, *place), &listed)
}

fn add_warning(listing: &mut Listing, inputs: &[InputTally], row: &Warning) -> io::Result<()> {
    let Warning { place, column, rule, hint } = row;
    let listed = Listed { place: *place, column: column.as_deref(), rule, hint, text: None };
    listing.add(name_of(inputs, *place), &listed)
}

/// What the reading of files adds to.
struct Loading<'a> {
    catalogue: &'a Catalogue,
    observer: &'a dyn Observer,
    total_bytes: u64,
    read_bytes: u64,
    /// Number of the source that is being read.
    source: usize,
    builder: SessionsBuilder,
    inputs: Vec<InputTally>,
    rejections: Listing,
    superseded: Vec<Superseded>,
    warnings: Listing,
    newest: Option<Day>,
}

impl<'a> Loading<'a> {
    fn new(
        (catalogue, builder): (&'a Catalogue, SessionsBuilder),
        observer: &'a dyn Observer,
        sources: &[Source],
    ) -> io::Result<Loading<'a>> {
        let files =
            sources.iter().flat_map(|source| source.logs.iter().chain(&source.events).chain(&source.assessments));
        Ok(Loading {
            catalogue,
            observer,
            total_bytes: files.map(|file| file.at.bytes()).sum(),
            read_bytes: 0,
            source: 0,
            builder,
            inputs: Vec::new(),
            rejections: Listing::new(true)?,
            superseded: Vec::new(),
            warnings: Listing::new(false)?,
            newest: None,
        })
    }

    fn logs(&mut self, number: usize, source: &Source) -> Result<Ledger, LoadError> {
        let mut ledger = Ledger { sessions: Duplicates::default(), first_row: self.builder.len() };
        for file in &source.logs {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| SessionJudge::new(header, mapping, catalogue);
            let reading =
                Reading { role: Role::Log, make, ignored: SessionJudge::ignored, work: each(SessionJudge::judge) };
            let forward = !source.mapping.store().follow_up_as_sent;
            self.file((file, source), reading, |loading, session| {
                loading.session((number, forward), &mut ledger, session)
            })?;
        }
        Ok(ledger)
    }

    /// A session takes the place of an earlier one with its id. With `forward` its follow-up only moves forward, as in
    /// a store ([`crate::store::lake::Rules`]).
    fn session(
        &mut self,
        (number, forward): (usize, bool),
        ledger: &mut Ledger,
        mut session: Sourced<Session>,
    ) -> io::Result<()> {
        let mut replaced = None;
        match ledger.sessions.see(&session) {
            Seen::Repeats { earlier } => {
                self.superseded.push(Superseded { place: session.place, by: earlier, identical: true });
                return Ok(());
            }
            Seen::Replaces { earlier, earlier_index } => {
                let row = ledger.first_row + earlier_index as usize;
                if forward && let Some(day) = further(&session.value, self.builder.follow_up(row)) {
                    session.value.last_follow_up_date = Some(day);
                    let kept = (rules::FOLLOW_UP_KEPT, FOLLOW_UP_KEPT);
                    let warning = remark(session.place, "last_follow_up_date", kept);
                    add_warning(&mut self.warnings, &self.inputs, &warning)?;
                }
                self.builder.supersede(row);
                replaced = Some(row);
                self.superseded.push(Superseded { place: earlier, by: session.place, identical: false });
            }
            Seen::New => {}
        }
        let value = &session.value;
        self.newest = self.newest.max(Some(value.session_date)).max(value.last_follow_up_date);
        if let Asked::Yes(effects) = &value.side_effects {
            self.newest = self.newest.max(effects.iter().filter_map(|effect| effect.onset).max());
        }
        let row = self.builder.push(number, session.place, value) as usize;
        if replaced.is_some_and(|earlier| !self.builder.same_patient(earlier, row)) {
            let warning = remark(session.place, "patient_id", (rules::PATIENT_CHANGED, PATIENT_CHANGED));
            add_warning(&mut self.warnings, &self.inputs, &warning)?;
        }
        Ok(())
    }

    fn events(&mut self, source: &Source) -> Result<Vec<Sourced<Event>>, LoadError> {
        let mut events = Vec::new();
        let mut ledger = Duplicates::default();
        for file in &source.events {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| EventJudge::new(header, mapping, catalogue);
            let reading =
                Reading { role: Role::Events, make, ignored: EventJudge::ignored, work: each(EventJudge::judge) };
            self.file((file, source), reading, |loading, event| match ledger.see(&event) {
                Seen::Repeats { earlier } => loading.repeated(event.place, earlier),
                Seen::New | Seen::Replaces { .. } => {
                    events.push(event);
                    Ok(())
                }
            })?;
        }
        Ok(events)
    }

    /// Scores are judged and counted; no analysis reads them yet.
    fn assessments(&mut self, source: &Source) -> Result<(), LoadError> {
        let mut ledger = Duplicates::default();
        for file in &source.assessments {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| AssessmentJudge::new(header, mapping, catalogue);
            let (ignored, work) = (AssessmentJudge::ignored, each(AssessmentJudge::judge));
            let reading = Reading { role: Role::Assessments, make, ignored, work };
            self.file((file, source), reading, |loading, assessment| match ledger.see(&assessment) {
                Seen::Repeats { earlier } => loading.repeated(assessment.place, earlier),
                Seen::New | Seen::Replaces { .. } => {
                    loading.newest = loading.newest.max(Some(assessment.value.assessment_date));
                    Ok(())
                }
            })?;
        }
        Ok(())
    }

    fn repeated(&mut self, place: Place, earlier: Place) -> io::Result<()> {
        self.superseded.push(Superseded { place, by: earlier, identical: true });
        Ok(())
    }

    /// Reads one file: what its judge accepts is taken in the order of the file.
    fn file<J, T, M, G>(
        &mut self,
        (file, source): (&InputFile, &Source),
        reading: Reading<J, M, G>,
        mut take: impl FnMut(&mut Self, Sourced<T>) -> io::Result<()> + Send,
    ) -> Result<(), LoadError>
    where
        J: Sync,
        T: Send,
        M: FnOnce(&[String], &Mapping) -> Result<J, HeaderError>,
        G: Fn(&J, &[RawBatch]) -> Vec<Judged<T>> + Sync,
    {
        let number = self.inputs.len();
        let id = FileId(u32::try_from(number).unwrap_or(u32::MAX));
        self.inputs.push(InputTally::new(file.name.clone(), reading.role, self.source));
        let mut progress =
            Progress { observer: self.observer, total_bytes: self.total_bytes, read_bytes: self.read_bytes };
        let read = reading::read((file, id), &source.mapping, reading, &mut progress, |few: Vec<Judged<T>>| {
            few.into_iter().try_for_each(|judged| self.judged(number, judged, &mut take))
        })?;
        self.read_bytes += read.bytes;
        let input = &mut self.inputs[number];
        input.filtered += read.left_out.iter().map(|left_out| left_out.records).sum::<u64>();
        (input.bytes, input.blake3, input.ignored) = (read.bytes, read.blake3, read.ignored);
        input.left_out = read.left_out;
        Ok(())
    }

    /// Counts and lists what a batch of file `number` gave, and takes what is accepted.
    fn judged<T>(
        &mut self,
        number: usize,
        judged: Judged<T>,
        mut take: impl FnMut(&mut Self, Sourced<T>) -> io::Result<()>,
    ) -> Result<(), LoadError> {
        let input = &mut self.inputs[number];
        input.read += judged.read;
        input.filtered += judged.filtered;
        input.accepted += judged.accepted.len() as u64;
        input.rejected += judged.rejected.len() as u64;
        for rejection in &judged.rejected {
            add_rejection(&mut self.rejections, &self.inputs, rejection)?;
        }
        for warning in &judged.warnings {
            add_warning(&mut self.warnings, &self.inputs, warning)?;
        }
        Ok(judged.accepted.into_iter().try_for_each(|value| take(self, value))?)
    }
}
