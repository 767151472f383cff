//! `stipple ingest`: files through the same judges as a run, into the store.

mod remarking;

pub(super) use remarking::why_it_waits;

use super::Observer;
use super::files::InputFile;
use super::listing::RuleTally;
use super::load::LoadError;
use super::reading::{self, FileRead, Progress, Reading};
use super::settle::Source;
use super::tally::Role;
use crate::domain::{Asked, Catalogue, Day, FileId, Place, Session};
use crate::ingest::RawBatch;
use crate::store::lake::housekeeping;
use crate::store::lake::{
    Author, Batch, BatchKind, Counts, EventRow, Home, Incoming, IngestedFile, Keys, Origin, Remarks, Rows, Rules,
    ScoreRow, SettledBatch, Store, StoreError, TableName, WriteLock,
};
use crate::validate::{AssessmentJudge, EventJudge, Judged, Mapping, Rejection, SessionJudge, Warning, rules};
use std::collections::BTreeMap;
use std::sync::Arc;
use thiserror::Error;

/// Raised with every change that makes the same file mean something else: then it is read again.
const PARSER_VERSION: u32 = 1;
/// How often the work is done again when another writer was faster.
const ATTEMPTS: usize = 12;
/// Name of a source system that has none.
const DEFAULT_SOURCE: &str = "default";

/// Why files could not be taken in.
#[derive(Debug, Error)]
pub enum TakeInError {
    /// A file cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file is not what it was a moment ago.
    #[error("{file} changed while it was read; nothing was taken in")]
    Changed {
        /// The file.
        file: String,
    },
}

/// What is to be taken in, and by whom.
pub struct TakeIn<'a> {
    /// Where the store lies.
    pub store: &'a Home,
    /// The files and how to read them.
    pub source: &'a Source,
    /// Name of the source system; `None` = the mapping's, or `default`.
    pub source_name: Option<&'a str>,
    /// BLAKE3 of the mapping's text.
    pub mapping_hash: &'a str,
    /// The keys of the pseudonyms.
    pub keys: &'a Keys,
    /// Whether files that are in the store already are read once more: their rows are then the newest.
    pub again: bool,
    /// Bytes of memory that may be used, about.
    pub memory: usize,
    /// Who, and when.
    pub author: &'a Author,
}

/// What was taken in.
#[derive(Debug, Clone, PartialEq)]
pub struct TakenIn {
    /// Version of the store that holds it; `None` = there was nothing new.
    pub version: Option<u64>,
    /// The files that were read.
    pub files: Vec<IngestedFile>,
    /// Files that were in the store already, and since which version.
    pub known: Vec<(String, u64)>,
    /// Counts.
    pub counts: Counts,
    /// Warnings by rule.
    pub warnings: BTreeMap<String, RuleTally>,
    /// Refusals by rule.
    pub refusals: BTreeMap<String, RuleTally>,
    /// The newest day in the store.
    pub newest_day: Option<Day>,
}

impl TakenIn {
    /// Whether events came and not one of them found its session: a sign that they name their sessions otherwise.
    #[must_use]
    pub fn every_event_waits(&self) -> bool {
        let waiting = [rules::WAITING_EVENT, rules::UNATTRIBUTED_EVENT].map(|rule| self.warnings.get(rule));
        let events = self.files.iter().filter(|file| file.role == "events");
        let accepted: u64 = events.map(|file| file.accepted).sum();
        accepted > 0 && accepted == waiting.into_iter().flatten().map(|tally| tally.count).sum::<u64>()
    }
}

/// Takes files into a store, which is made where there is none. Where another writer of a bucket was faster, the work
/// is done again from the start, on what he has left.
///
/// # Errors
/// When a file cannot be read or the store refuses: then nothing has changed.
pub fn take_in(request: &TakeIn<'_>, observer: &dyn Observer) -> Result<TakenIn, TakeInError> {
    let source = request.source;
    let mut files = source.logs.iter().chain(&source.events).chain(&source.assessments);
    let attempts = if files.all(|file| file.at.is_repeatable()) { ATTEMPTS } else { 1 };
    for _ in 1..attempts {
        match attempt(request, observer) {
            Err(TakeInError::Store(StoreError::Overtaken { .. })) => {}
            done => return done,
        }
    }
    attempt(request, observer)
}

fn attempt(request: &TakeIn<'_>, observer: &dyn Observer) -> Result<TakenIn, TakeInError> {
    let lock = Store::lock(request.store)?;
    let done = under_lock(request, &lock, observer);
    if let Err(TakeInError::Store(_) | TakeInError::Load(LoadError::Store { .. })) = &done {
        // Files that were written for nothing may fill the disk. Which these are the store itself tells: what was
        // committed is not among them. Where even that fails, the first error is the one to tell.
        let _ = Store::open(request.store).and_then(|store| housekeeping::tidy(&store, &lock));
    }
    done
}

fn under_lock(request: &TakeIn<'_>, lock: &WriteLock, observer: &dyn Observer) -> Result<TakenIn, TakeInError> {
    let mut store = open_or_create(request)?;
    store.finish(lock)?;
    let mut catalogue = store.latest().catalogue();
    request.source.mapping.extend(&mut catalogue);
    let mut taking = Taking::new(request, &store, &catalogue, observer)?;
    taking.all_files()?;
    if taking.files.is_empty() {
        let known = taking.known;
        let counts = Counts { new_sessions: 0, amended_sessions: 0, joined_late: 0, ..store.latest().counts };
        return Ok(TakenIn {
            version: None,
            files: Vec::new(),
            known,
            counts,
            warnings: BTreeMap::new(),
            refusals: BTreeMap::new(),
            newest_day: store.latest().newest_day.map(Day),
        });
    }
    observer.stage("store");
    let (batch, app_ids, taken) = taking.finish(&store)?;
    store.commit(batch, &app_ids, lock)?;
    Ok(TakenIn { version: Some(store.latest().version), counts: store.latest().counts, ..taken })
}

fn open_or_create(request: &TakeIn<'_>) -> Result<Store, StoreError> {
    let check = request.keys.check();
    match Store::open(request.store) {
        Ok(store) if store.latest().key_check == check => Ok(store),
        Ok(store) => Err(StoreError::OtherKey { folder: store.shown() }),
        Err(StoreError::NoStore { .. }) => Store::create(request.store, &check, request.author),
        Err(error) => Err(error),
    }
}

/// What a batch of a session log gives, made beside others at the same time.
struct SessionRows {
    rows: Rows,
    rest: Rest,
    newest: Option<Day>,
}

/// What is not accepted, and the counts.
struct Rest {
    read: u64,
    filtered: u64,
    accepted: u64,
    rejected: Vec<Rejection>,
    warnings: Vec<Warning>,
}

impl Rest {
    fn of<T>(few: Vec<Judged<T>>) -> Rest {
        let mut rest = Rest { read: 0, filtered: 0, accepted: 0, rejected: Vec::new(), warnings: Vec::new() };
        for Judged { accepted, rejected, warnings, read, filtered } in few {
            rest.read += read;
            rest.filtered += filtered;
            rest.accepted += accepted.len() as u64;
            rest.rejected.extend(rejected);
            rest.warnings.extend(warnings);
        }
        rest
    }
}

/// The work on one batch of files.
struct Taking<'a> {
    request: &'a TakeIn<'a>,
    catalogue: &'a Catalogue,
    source: Arc<str>,
    version: u64,
    /// Files of earlier batches by size, role and source: only one of the same can be the same file.
    earlier: &'a Store,
    progress: Progress<'a>,
    incoming: Incoming,
    files: Vec<IngestedFile>,
    app_ids: Vec<String>,
    known: Vec<(String, u64)>,
    rejects: Remarks,
    warnings: Remarks,
    warned: BTreeMap<String, RuleTally>,
    refused: BTreeMap<String, RuleTally>,
    newest: Option<Day>,
    /// Rows read so far.
    rows: u64,
}

impl<'a> Taking<'a> {
    fn new(
        request: &'a TakeIn<'a>,
        store: &'a Store,
        catalogue: &'a Catalogue,
        observer: &'a dyn Observer,
    ) -> Result<Taking<'a>, TakeInError> {
        observer.stage("read");
        let source = request.source;
        let files = source.logs.iter().chain(&source.events).chain(&source.assessments);
        let name = request.source_name.or(source.mapping.store().source.as_deref()).unwrap_or(DEFAULT_SOURCE);
        let version = store.latest().version + 1;
        Ok(Taking {
            request,
            catalogue,
            source: Arc::from(name),
            version,
            earlier: store,
            progress: Progress { observer, total_bytes: files.map(|file| file.at.bytes()).sum(), read_bytes: 0 },
            incoming: Incoming::new(request.memory),
            files: Vec::new(),
            app_ids: Vec::new(),
            known: Vec::new(),
            rejects: Remarks::new(request.store, TableName::Rejects, version),
            warnings: Remarks::new(request.store, TableName::Warnings, version),
            warned: BTreeMap::new(),
            refused: BTreeMap::new(),
            newest: None,
            rows: 0,
        })
    }

    fn all_files(&mut self) -> Result<(), TakeInError> {
        let source = self.request.source;
        for file in &source.logs {
            self.file(file, Role::Log)?;
        }
        for file in &source.events {
            self.file(file, Role::Events)?;
        }
        source.assessments.iter().try_for_each(|file| self.file(file, Role::Assessments))
    }

    /// Takes in one file, unless it is there already.
    fn file(&mut self, file: &InputFile, role: Role) -> Result<(), TakeInError> {
        let before = self.content(file)?;
        if let Some(hash) = &before
            && let Some(version) = self.is_known(hash, role)?
        {
            self.known.push((file.name.clone(), version));
            return Ok(());
        }
        let number = self.earlier.latest().file_count + i32::try_from(self.files.len()).unwrap_or(i32::MAX);
        self.files.push(IngestedFile {
            number,
            name: file.name.clone(),
            role: role.name().to_owned(),
            source: self.source.to_string(),
            bytes: 0,
            blake3: String::new(),
            mapping: self.request.mapping_hash.to_owned(),
            read: 0,
            filtered: 0,
            accepted: 0,
            rejected: 0,
            superseded: 0,
            ignored: Vec::new(),
            left_out: Vec::new(),
        });
        let read = match role {
            Role::Log => self.log(file, number)?,
            Role::Events => self.events(file, number)?,
            Role::Assessments => self.assessments(file, number)?,
        };
        if before.is_some_and(|before| before != read.blake3) {
            return Err(TakeInError::Changed { file: file.name.clone() });
        }
        let app_id = self.app_id(&read.blake3, role);
        self.app_ids.push(app_id);
        if let Some(entry) = self.files.last_mut() {
            (entry.bytes, entry.blake3, entry.ignored) = (read.bytes, read.blake3, read.ignored);
            entry.filtered += read.left_out.iter().map(|left_out| left_out.records).sum::<u64>();
            entry.left_out = read.left_out.into_iter().map(|left_out| (left_out.what, left_out.records)).collect();
        }
        Ok(())
    }

    /// Hash of a file's bytes, read beforehand: the same file twice must cost nothing.
    fn content(&self, file: &InputFile) -> Result<Option<String>, TakeInError> {
        if (self.earlier.latest().file_count == 0 || self.request.again) && self.files.is_empty() {
            return Ok(None);
        }
        // What cannot be read is told, with its remedy, by the reader itself.
        Ok(file.at.content_hash().unwrap_or_default())
    }

    /// The file with this content, role, source and mapping, as the store's log remembers it.
    fn app_id(&self, content: &str, role: Role) -> String {
        let parts = [content, role.name(), &self.source, self.request.mapping_hash];
        let mut hasher = blake3::Hasher::new();
        parts.iter().for_each(|part| {
            hasher.update(part.as_bytes()).update(b"\0");
        });
        hasher.update(&PARSER_VERSION.to_le_bytes());
        format!("stipple-{}", &hasher.finalize().to_hex()[..32])
    }

    fn is_known(&self, content: &str, role: Role) -> Result<Option<u64>, StoreError> {
        let app_id = self.app_id(content, role);
        if self.app_ids.contains(&app_id) {
            return Ok(Some(self.version));
        }
        if self.request.again {
            return Ok(None);
        }
        Ok(self.earlier.recorded(&app_id)?.and_then(|version| u64::try_from(version).ok()))
    }

    fn origin(&self, file_number: i32) -> Origin<'a> {
        Origin {
            store_version: self.version,
            file_number,
            source: self
                .request
                .source_name
                .or(self.request.source.mapping.store().source.as_deref())
                .unwrap_or(DEFAULT_SOURCE),
            keys: self.request.keys,
            catalogue: self.catalogue,
        }
    }

    fn log(&mut self, file: &InputFile, number: i32) -> Result<FileRead, LoadError> {
        let (catalogue, origin) = (self.catalogue, self.origin(number));
        let make = |header: &[String], mapping: &Mapping| SessionJudge::new(header, mapping, catalogue);
        let work = |judge: &SessionJudge, few: &[RawBatch]| {
            session_rows(few.iter().map(|batch| judge.judge(batch)).collect(), origin)
        };
        let reading = Reading { role: Role::Log, make, ignored: SessionJudge::ignored, work };
        self.read(file, reading, |taking, made: SessionRows| {
            taking.incoming.add(made.rows)?;
            taking.newest = taking.newest.max(made.newest);
            taking.note(number, made.rest)
        })
    }

    fn events(&mut self, file: &InputFile, number: i32) -> Result<FileRead, LoadError> {
        let (catalogue, origin, source) = (self.catalogue, self.origin(number), self.source.clone());
        let make = |header: &[String], mapping: &Mapping| EventJudge::new(header, mapping, catalogue);
        let work = |judge: &EventJudge, few: &[RawBatch]| {
            let judged: Vec<_> = few.iter().map(|batch| judge.judge(batch)).collect();
            let accepted = judged.iter().flat_map(|judged| &judged.accepted);
            let row = |event: &crate::validate::Sourced<crate::domain::Event>| {
                (
                    EventRow::of(origin, &source, (event.place, &event.value)),
                    event.value.onset.max(event.value.reported),
                )
            };
            let (rows, days): (Vec<EventRow>, Vec<Option<Day>>) = accepted.map(row).unzip();
            (rows, days.into_iter().flatten().max(), Rest::of(judged))
        };
        let reading = Reading { role: Role::Events, make, ignored: EventJudge::ignored, work };
        self.read(file, reading, |taking, (rows, newest, rest): (Vec<EventRow>, Option<Day>, Rest)| {
            taking.incoming.events.extend(rows);
            taking.newest = taking.newest.max(newest);
            taking.note(number, rest)
        })
    }

    fn assessments(&mut self, file: &InputFile, number: i32) -> Result<FileRead, LoadError> {
        let (catalogue, origin, source) = (self.catalogue, self.origin(number), self.source.clone());
        let make = |header: &[String], mapping: &Mapping| AssessmentJudge::new(header, mapping, catalogue);
        let work = |judge: &AssessmentJudge, few: &[RawBatch]| {
            let judged: Vec<_> = few.iter().map(|batch| judge.judge(batch)).collect();
            let accepted = judged.iter().flat_map(|judged| &judged.accepted);
            let row = |score: &crate::validate::Sourced<crate::domain::Assessment>| {
                (ScoreRow::of(origin, &source, (score.place, &score.value)), score.value.assessment_date)
            };
            let (rows, days): (Vec<ScoreRow>, Vec<Day>) = accepted.map(row).unzip();
            (rows, days.into_iter().max(), Rest::of(judged))
        };
        let reading = Reading { role: Role::Assessments, make, ignored: AssessmentJudge::ignored, work };
        self.read(file, reading, |taking, (rows, newest, rest): (Vec<ScoreRow>, Option<Day>, Rest)| {
            taking.incoming.scores.extend(rows);
            taking.newest = taking.newest.max(newest);
            taking.note(number, rest)
        })
    }

    fn read<J, T, M, W>(
        &mut self,
        file: &InputFile,
        reading: Reading<J, M, W>,
        mut take: impl FnMut(&mut Self, T) -> Result<(), StoreError> + Send,
    ) -> Result<FileRead, LoadError>
    where
        J: Sync,
        T: Send,
        M: FnOnce(&[String], &Mapping) -> Result<J, crate::validate::HeaderError>,
        W: Fn(&J, &[RawBatch]) -> T + Sync,
    {
        let id = FileId(u32::try_from(self.files.len() - 1).unwrap_or(0));
        let mut progress = Progress { ..self.progress };
        let read = reading::read((file, id), &self.request.source.mapping, reading, &mut progress, |made| {
            take(self, made).map_err(|source| LoadError::Store { source })
        })?;
        self.progress.read_bytes = progress.read_bytes;
        Ok(read)
    }

    /// Settles the batch against the store, and writes its files.
    fn finish(mut self, store: &Store) -> Result<(Batch, Vec<String>, TakenIn), TakeInError> {
        let forward = !self.request.source.mapping.store().follow_up_as_sent;
        let incoming = std::mem::replace(&mut self.incoming, Incoming::new(0));
        let rules = Rules { follow_up_forward: forward };
        let settled = SettledBatch::of(store, self.catalogue, (&self.source, incoming), rules)?;
        self.tell(&settled)?;
        self.balance(&settled)?;
        let mut batch = store.next(BatchKind::Ingest, self.request.author);
        settled.write(&mut batch)?;
        let Taking { files, app_ids, known, rejects, warnings, warned, refused, newest, .. } = self;
        rejects.finish(&mut batch)?;
        warnings.finish(&mut batch)?;
        batch.file_count += i32::try_from(files.len()).unwrap_or(i32::MAX);
        batch.files = files.clone();
        batch.newest_day = batch.newest_day.max(newest.map(|day| day.0));
        batch.warnings = warned.iter().map(|(rule, tally)| (rule.clone(), tally.count)).collect();
        batch.effects = self.catalogue.of_sites();
        let taken = TakenIn {
            version: None,
            files,
            known,
            counts: batch.counts,
            warnings: warned,
            refusals: refused,
            newest_day: batch.newest_day.map(Day),
        };
        Ok((batch, app_ids, taken))
    }

    /// `accepted` holds what the judges let pass; repeats and later refusals are taken from it.
    fn balance(&mut self, settled: &SettledBatch<'_>) -> Result<(), LoadError> {
        let superseded = settled.superseded_by_file();
        for file in &mut self.files {
            file.superseded = superseded.get(&file.number).copied().unwrap_or(0);
            let taken = file.rejected + file.superseded;
            let IngestedFile { read, accepted, rejected, superseded, .. } = *file;
            let passed = accepted;
            file.accepted = read.saturating_sub(taken);
            if file.accepted > passed || taken > read {
                let file = file.name.clone();
                return Err(LoadError::Unbalanced { file, read, accepted, rejected, superseded });
            }
        }
        Ok(())
    }
}

fn session_rows(judged: Vec<Judged<Session>>, origin: Origin<'_>) -> SessionRows {
    let accepted = judged.iter().flat_map(|judged| &judged.accepted);
    let sessions: Vec<(Place, &Session)> = accepted.map(|session| (session.place, &session.value)).collect();
    let newest = sessions.iter().filter_map(|(_, session)| newest_of(session)).max();
    SessionRows { rows: Rows::of(origin, &sessions), rest: Rest::of(judged), newest }
}

fn newest_of(session: &Session) -> Option<Day> {
    let onset = match &session.side_effects {
        Asked::Yes(effects) => effects.iter().filter_map(|effect| effect.onset).max(),
        Asked::No => None,
    };
    Some(session.session_date).max(session.last_follow_up_date).max(onset)
}
