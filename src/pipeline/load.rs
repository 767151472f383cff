//! Files → sessions, events and assessments, with a tally of every row: `read = accepted + rejected + superseded`.

use super::Observer;
use super::files::InputFile;
use super::link::{self, Ledger, Links};
use super::settle::Source;
use super::tally::{InputTally, Role, Superseded};
use crate::domain::{Asked, Assessment, Catalogue, Day, Event, FileId, Place, Session};
use crate::ingest::{self, IngestError, RawBatch, ReadOptions, Reader};
use crate::store::{SessionTable, SessionsBuilder};
use crate::validate::{
    AssessmentJudge, Duplicates, EventJudge, HeaderError, Judged, Mapping, Rejection, Seen, SessionJudge, Sourced,
    Table, Warning,
};
use rayon::prelude::*;
use thiserror::Error;

/// Why files cannot be used.
#[derive(Debug, Error)]
pub enum LoadError {
    /// A file cannot be read as a table of records.
    #[error("{file}: {source}")]
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
    /// There is no such file.
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
            LoadError::Ingest { source: IngestError::Io { .. }, .. } => Cause::Unreadable,
            LoadError::Ingest { .. } | LoadError::Header { .. } => Cause::Unusable,
            LoadError::Unbalanced { .. } => Cause::Defect,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            LoadError::Ingest { source, .. } => source.remedy(),
            LoadError::Header { source, .. } => source.remedy(),
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
    /// Scores.
    pub assessments: Vec<Sourced<Assessment>>,
    /// One tally a file, in the order of reading.
    pub inputs: Vec<InputTally>,
    /// Refused rows, in the order of file and line.
    pub rejections: Vec<Rejection>,
    /// Superseded rows, in the order of file and line.
    pub superseded: Vec<Superseded>,
    /// Warnings, in the order of file and line.
    pub warnings: Vec<Warning>,
    /// How events found their sessions.
    pub links: Links,
    /// The newest date in the data.
    pub newest: Option<Day>,
}

/// Reads every file of every source.
///
/// # Errors
/// When a file cannot be read or lacks columns; a bad row is no error.
pub fn load(sources: &[Source], catalogue: &Catalogue, observer: &dyn Observer) -> Result<Loaded, LoadError> {
    let mut loading = Loading::new(catalogue, observer, sources);
    let mut events: Vec<(usize, Vec<Sourced<Event>>)> = Vec::new();
    let mut ledgers: Vec<Ledger> = Vec::new();
    let mut assessments = Vec::new();
    for (number, source) in sources.iter().enumerate() {
        ledgers.push(loading.logs(number, source)?);
        events.push((number, loading.events(source)?));
        assessments.extend(loading.assessments(source)?);
    }
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
                link::Joined::Listed(warning) => warnings.push(warning),
                link::Joined::Refused(rejection) => rejections.push(rejection),
            }
        }
    }
    newest = newest.max(assessments.iter().map(|assessment| assessment.value.assessment_date).max());
    let links = joining.links;
    settle_tallies(&mut inputs, &rejections, &superseded)?;
    rejections.sort_by_key(|rejection| rejection.place);
    superseded.sort_by_key(|row| row.place);
    warnings.sort_by_key(|warning| warning.place);
    Ok(Loaded { table, assessments, inputs, rejections, superseded, warnings, links, newest })
}

/// Accepted rows were counted when they were judged; linking and duplicates have moved some of them since.
fn settle_tallies(
    inputs: &mut [InputTally],
    rejections: &[Rejection],
    superseded: &[Superseded],
) -> Result<(), LoadError> {
    let mut judged_rejected = vec![0; inputs.len()];
    for rejection in rejections {
        judged_rejected[rejection.place.file.0 as usize] += 1;
    }
    for row in superseded {
        inputs[row.place.file.0 as usize].superseded += 1;
    }
    for (input, rejected) in inputs.iter_mut().zip(judged_rejected) {
        // `accepted` holds what the judge let pass; a later refusal or a duplicate takes rows from it.
        let refused_later = rejected - input.rejected;
        input.rejected = rejected;
        input.accepted = input.accepted.saturating_sub(refused_later + input.superseded);
        input.settle()?;
    }
    Ok(())
}

/// What the reading of files adds to.
struct Loading<'a> {
    catalogue: &'a Catalogue,
    observer: &'a dyn Observer,
    total_bytes: u64,
    read_bytes: u64,
    builder: SessionsBuilder,
    inputs: Vec<InputTally>,
    rejections: Vec<Rejection>,
    superseded: Vec<Superseded>,
    warnings: Vec<Warning>,
    newest: Option<Day>,
}

/// Batches judged at once: enough for every thread, few enough to hold.
const BATCHES: usize = 8;

impl<'a> Loading<'a> {
    fn new(catalogue: &'a Catalogue, observer: &'a dyn Observer, sources: &[Source]) -> Loading<'a> {
        let files =
            sources.iter().flat_map(|source| source.logs.iter().chain(&source.events).chain(&source.assessments));
        let size = |file: &InputFile| std::fs::metadata(&file.path).map_or(0, |data| data.len());
        Loading {
            catalogue,
            observer,
            total_bytes: files.map(size).sum(),
            read_bytes: 0,
            builder: SessionsBuilder::new(),
            inputs: Vec::new(),
            rejections: Vec::new(),
            superseded: Vec::new(),
            warnings: Vec::new(),
            newest: None,
        }
    }

    fn logs(&mut self, number: usize, source: &Source) -> Result<Ledger, LoadError> {
        let mut ledger = Ledger { sessions: Duplicates::default(), first_row: self.builder.len() };
        for file in &source.logs {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| SessionJudge::new(header, mapping, catalogue);
            self.file(file, Role::Log, (source, make, SessionJudge::judge), |loading, session| {
                loading.session(number, &mut ledger, &session);
            })?;
        }
        Ok(ledger)
    }

    fn session(&mut self, number: usize, ledger: &mut Ledger, session: &Sourced<Session>) {
        let value = &session.value;
        match ledger.sessions.see(session) {
            Seen::Repeats { earlier } => {
                self.superseded.push(Superseded { place: session.place, by: earlier, identical: true });
                return;
            }
            Seen::Replaces { earlier, earlier_index } => {
                self.builder.supersede(ledger.first_row + earlier_index as usize);
                self.superseded.push(Superseded { place: earlier, by: session.place, identical: false });
            }
            Seen::New => {}
        }
        self.newest = self.newest.max(Some(value.session_date)).max(value.last_follow_up_date);
        if let Asked::Yes(effects) = &value.side_effects {
            self.newest = self.newest.max(effects.iter().filter_map(|effect| effect.onset).max());
        }
        self.builder.push(number, session.place, value);
    }

    fn events(&mut self, source: &Source) -> Result<Vec<Sourced<Event>>, LoadError> {
        let mut events = Vec::new();
        let mut ledger = Duplicates::default();
        for file in &source.events {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| EventJudge::new(header, mapping, catalogue);
            self.file(file, Role::Events, (source, make, EventJudge::judge), |loading, event| {
                match ledger.see(&event) {
                    Seen::Repeats { earlier } => loading.repeated(event.place, earlier),
                    Seen::New | Seen::Replaces { .. } => events.push(event),
                }
            })?;
        }
        Ok(events)
    }

    fn assessments(&mut self, source: &Source) -> Result<Vec<Sourced<Assessment>>, LoadError> {
        let mut assessments = Vec::new();
        let mut ledger = Duplicates::default();
        for file in &source.assessments {
            let catalogue = self.catalogue;
            let make = |header: &[String], mapping: &Mapping| AssessmentJudge::new(header, mapping, catalogue);
            self.file(file, Role::Assessments, (source, make, AssessmentJudge::judge), |loading, assessment| {
                match ledger.see(&assessment) {
                    Seen::Repeats { earlier } => loading.repeated(assessment.place, earlier),
                    Seen::New | Seen::Replaces { .. } => assessments.push(assessment),
                }
            })?;
        }
        Ok(assessments)
    }

    fn repeated(&mut self, place: Place, earlier: Place) {
        self.superseded.push(Superseded { place, by: earlier, identical: true });
    }

    /// Reads one file: batches are judged in parallel, what they hold is taken in order.
    fn file<J: Sync, T: Send>(
        &mut self,
        file: &InputFile,
        role: Role,
        (source, make, judge): (
            &Source,
            impl FnOnce(&[String], &Mapping) -> Result<J, HeaderError>,
            impl Fn(&J, &RawBatch) -> Judged<T> + Sync,
        ),
        mut take: impl FnMut(&mut Self, Sourced<T>),
    ) -> Result<(), LoadError> {
        let id = FileId(u32::try_from(self.inputs.len()).unwrap_or(u32::MAX));
        let name = || file.name.clone();
        let options = read_options(&source.mapping, role);
        let mut reader =
            ingest::open(&file.path, id, &options).map_err(|source| LoadError::Ingest { file: name(), source })?;
        let judges =
            make(reader.header(), &source.mapping).map_err(|source| LoadError::Header { file: name(), source })?;
        self.inputs.push(InputTally::new(name(), role));
        loop {
            let batches = next_batches(&mut reader).map_err(|source| LoadError::Ingest { file: name(), source })?;
            if batches.is_empty() {
                break;
            }
            let judged: Vec<Judged<T>> = batches.par_iter().map(|batch| judge(&judges, batch)).collect();
            for judged in judged {
                let input = &mut self.inputs[id.0 as usize];
                input.read += judged.read;
                input.filtered += judged.filtered;
                input.accepted += judged.accepted.len() as u64;
                input.rejected += judged.rejected.len() as u64;
                self.rejections.extend(judged.rejected);
                self.warnings.extend(judged.warnings);
                for value in judged.accepted {
                    take(self, value);
                }
            }
            self.observer.bytes(self.read_bytes + reader.tally().bytes, self.total_bytes);
        }
        let tally = reader.tally();
        self.read_bytes += tally.bytes;
        let input = &mut self.inputs[id.0 as usize];
        input.bytes = tally.bytes;
        input.blake3 = reader.content_hash().unwrap_or_default();
        Ok(())
    }
}

fn next_batches(reader: &mut Reader) -> Result<Vec<RawBatch>, IngestError> {
    let mut batches = Vec::with_capacity(BATCHES);
    while batches.len() < BATCHES {
        match reader.next_batch()? {
            Some(batch) => batches.push(batch),
            None => break,
        }
    }
    Ok(batches)
}

fn read_options(mapping: &Mapping, role: Role) -> ReadOptions {
    mapping.read_options(match role {
        Role::Log => Table::Sessions,
        Role::Events => Table::Events,
        Role::Assessments => Table::Assessments,
    })
}
