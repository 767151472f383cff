//! Covariate patterns: the different combinations of values that sessions have, and for every patient which of them its
//! sessions have. All that a regression needs of the sessions, in four bytes each.
//!
//! A session is of a kind: its pattern, and its states of the side effects that are asked about. Kinds are numbered in
//! an order that follows from the values alone, and the sessions of a patient stand in the order of their kinds, so that
//! sums over them are the same on any number of threads.

use super::dimension::Dimension;
use super::fields::{Field, Fields};
use super::plan::CubeKey;
use super::records::{Records, Width};
use super::tally::{MEASURE_SCALE, NO_MEASURE};
use crate::domain::EffectId;
use crate::store::states::bit;
use crate::store::{Domain, SessionTable, State, StateSet};
use rayon::prelude::*;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;

/// One of the values that make up a pattern.
#[derive(Debug, Clone, PartialEq)]
pub enum Facet {
    /// The value, or the band, of a column.
    Level(Dimension),
    /// The number in a column.
    Number(String),
}

impl Facet {
    /// A column as it is: numbers as numbers, everything else by its values. `None` = sessions have no such column.
    #[must_use]
    pub fn column(name: &str) -> Option<Facet> {
        let empty = SessionTable::default();
        if empty.numbers(name).is_some() {
            return Some(Facet::Number(name.to_owned()));
        }
        empty.column(name).map(|_| Facet::Level(Dimension::column(name)))
    }

    /// Name of the column.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Facet::Level(dimension) => &dimension.column,
            Facet::Number(name) => name,
        }
    }
}

/// Which sessions, told apart by what.
#[derive(Debug, Clone, PartialEq)]
pub struct PatternKey {
    /// Which sessions: every expression must hold.
    pub wheres: Vec<String>,
    /// What makes up a pattern.
    pub facets: Vec<Facet>,
    /// Side effects that are asked about; `None` = all.
    pub effects: Option<Vec<EffectId>>,
}

impl PatternKey {
    /// The cube that needs the same of every session.
    pub(super) fn as_cube(&self) -> CubeKey {
        let mut cube = CubeKey { wheres: self.wheres.clone(), dimensions: Vec::new(), measures: Vec::new() };
        for facet in &self.facets {
            match facet {
                Facet::Level(dimension) => cube.dimensions.push(dimension.clone()),
                Facet::Number(name) => cube.measures.push(name.clone()),
            }
        }
        cube
    }
}

/// What sessions are to a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionKind {
    /// Their pattern.
    pub pattern: usize,
    /// How many sessions are of the kind.
    pub sessions: u64,
    states: StateSet,
}

impl SessionKind {
    /// Their state of a side effect.
    #[must_use]
    pub fn state(&self, effect: EffectId) -> State {
        match bit(effect) {
            bit if self.states.present() & bit != 0 => State::Present,
            bit if self.states.absent() & bit != 0 => State::ConfirmedAbsent,
            _ => State::NotAssessed,
        }
    }
}

/// Stands for a missing value: no measure and no place is as small.
const MISSING: i64 = NO_MEASURE;
/// Marks the first session of a patient.
const FIRST: u32 = 1 << 31;

/// The patterns of some sessions, and the sessions of every patient.
#[derive(Debug, Clone)]
pub struct Patterns {
    pub(super) key: PatternKey,
    texts: Vec<Vec<String>>,
    len: usize,
    /// Pattern after pattern: places of levels, and numbers in millionths.
    values: Vec<i64>,
    kinds: Vec<SessionKind>,
    /// Some patients each: the kinds of their sessions.
    parts: Vec<Vec<u32>>,
}

impl Patterns {
    /// Number of patterns.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no session was met.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn value(&self, pattern: usize, facet: usize) -> Option<i64> {
        Some(self.values[pattern * self.key.facets.len() + facet]).filter(|value| *value != MISSING)
    }

    /// Whether a pattern has a value of a facet.
    #[must_use]
    pub fn is_known(&self, pattern: usize, facet: usize) -> bool {
        self.value(pattern, facet).is_some()
    }

    /// Place of a pattern's level among the texts of the facet.
    #[must_use]
    pub fn level(&self, pattern: usize, facet: usize) -> Option<usize> {
        self.value(pattern, facet).and_then(|place| usize::try_from(place).ok())
    }

    /// Number of a pattern.
    #[must_use]
    pub fn number(&self, pattern: usize, facet: usize) -> Option<f64> {
        #[expect(clippy::cast_precision_loss, reason = "values are within the limits of their columns")]
        self.value(pattern, facet).map(|fixed| fixed as f64 / MEASURE_SCALE)
    }

    /// Levels of a facet, in order; none of a number.
    #[must_use]
    pub fn texts(&self, facet: usize) -> &[String] {
        &self.texts[facet]
    }

    /// The kinds of sessions.
    #[must_use]
    pub fn kinds(&self) -> &[SessionKind] {
        &self.kinds
    }

    /// Number of parts that the patients are divided into.
    #[must_use]
    pub fn parts(&self) -> usize {
        self.parts.len()
    }

    /// The patients of a part: of each the kinds of its sessions, by their number.
    pub fn patients(&self, part: usize) -> impl Iterator<Item = impl Iterator<Item = usize>> {
        let patients = self.parts[part].chunk_by(|_, next| next & FIRST == 0);
        patients.map(|sessions| sessions.iter().map(|kind| (kind & !FIRST) as usize))
    }
}

/// How patterns are read off the packed codes of a session.
#[derive(Debug)]
pub(super) struct Reading {
    key: PatternKey,
    conditions: Vec<Field>,
    facets: Vec<Source>,
    effects: u128,
    texts: Vec<Vec<String>>,
}

#[derive(Debug)]
enum Source {
    /// A field and, by its value, the place of the level.
    Level(Field, Vec<i64>),
    /// A measure, by its place.
    Number(usize),
}

impl Reading {
    /// Of a key, once the values of its columns are known.
    pub(super) fn of(key: &PatternKey, fields: &Fields, domains: &[Domain]) -> Reading {
        let (mut facets, mut texts) = (Vec::new(), Vec::new());
        for facet in &key.facets {
            match facet {
                Facet::Level(dimension) => {
                    let Some((at, field)) = fields.dimension(dimension) else { continue };
                    let (of_level, places) = fields.texts(at, &domains[at]);
                    // The field's value 0 stands for missing.
                    let places = std::iter::once(MISSING).chain(places.into_iter().map(i64::from)).collect();
                    facets.push(Source::Level(field, places));
                    texts.push(of_level);
                }
                Facet::Number(name) => {
                    facets.extend(fields.measure(name).map(Source::Number));
                    texts.push(Vec::new());
                }
            }
        }
        let all = u128::MAX;
        Reading {
            key: key.clone(),
            conditions: key.wheres.iter().filter_map(|text| fields.condition(text)).collect(),
            facets,
            effects: key.effects.as_ref().map_or(all, |effects| effects.iter().fold(0, |all, id| all | bit(*id))),
            texts,
        }
    }

    /// The values of a session that counts.
    fn values<'r>(
        &'r self,
        records: &'r Records,
        (row, width): (u32, Width),
    ) -> Option<impl Iterator<Item = i64> + 'r> {
        let words = records.words(row, width);
        let value = move |source: &Source| match source {
            Source::Level(field, places) => places[field.of(words)],
            Source::Number(measure) => records.measures[row as usize * width.measures + measure],
        };
        let counts = self.conditions.iter().all(|condition| condition.of(words) != 0);
        counts.then(|| self.facets.iter().map(value))
    }
}

/// A kind of session: the values of its pattern, then its states.
type Kind = Box<[i64]>;

/// Words of the states at the end of a kind.
const STATES: usize = 4;

fn words(states: &StateSet, effects: u128) -> [i64; STATES] {
    #[expect(clippy::cast_possible_truncation, clippy::cast_possible_wrap, reason = "bits, half of them at a time")]
    let halves = |set: u128| [set as u64 as i64, (set >> u64::BITS) as u64 as i64];
    let ([low, high], [absent_low, absent_high]) =
        (halves(states.present() & effects), halves(states.absent() & effects));
    [low, high, absent_low, absent_high]
}

fn states(words: &[i64]) -> StateSet {
    #[expect(clippy::cast_sign_loss, reason = "bits, half of them at a time")]
    let set = |at: usize| u128::from(words[at] as u64) | u128::from(words[at + 1] as u64) << u64::BITS;
    StateSet::new(set(0), set(2))
}

/// Kinds as one thread meets them, numbered in the order in which it does.
#[derive(Debug, Default)]
pub(super) struct Gathering {
    kinds: HashMap<Kind, u32, FxBuildHasher>,
    parts: Vec<(usize, Vec<u32>)>,
    kind: Vec<i64>,
}

impl Gathering {
    /// The patients of a part come next, with so many sessions.
    pub(super) fn begin(&mut self, part: usize, sessions: usize) {
        self.parts.push((part, Vec::with_capacity(sessions)));
    }

    /// Takes the sessions of a patient that count.
    pub(super) fn take(&mut self, reading: &Reading, records: &Records, (patient, width): (&[(u64, u32)], Width)) {
        let mut first = FIRST;
        for (_, row) in patient {
            let Some(values) = reading.values(records, (*row, width)) else { continue };
            self.kind.clear();
            self.kind.extend(values);
            self.kind.extend(words(&records.states(*row, width), reading.effects));
            let number = self.number();
            self.parts.last_mut().into_iter().for_each(|(_, sessions)| sessions.push(number | first));
            first = 0;
        }
    }

    fn number(&mut self) -> u32 {
        if let Some(number) = self.kinds.get(self.kind.as_slice()) {
            return *number;
        }
        let next = u32::try_from(self.kinds.len()).unwrap_or(u32::MAX);
        self.kinds.insert(self.kind.as_slice().into(), next);
        next
    }
}

/// Puts what the threads have met into one order.
pub(super) fn settle(reading: Reading, gathered: Vec<Gathering>) -> Patterns {
    let (mut of_threads, mut parts) = (Vec::new(), Vec::new());
    for (thread, gathering) in gathered.into_iter().enumerate() {
        of_threads.push(gathering.kinds);
        parts.extend(gathering.parts.into_iter().map(|(part, sessions)| (part, thread, sessions)));
    }
    let mut met: Vec<(&Kind, usize, u32)> = Vec::new();
    for (thread, kinds) in of_threads.iter().enumerate() {
        met.extend(kinds.iter().map(|(kind, own)| (kind, thread, *own)));
    }
    met.par_sort_unstable();
    let mut numbers: Vec<Vec<u32>> = of_threads.iter().map(|kinds| vec![0; kinds.len()]).collect();
    let mut kinds: Vec<&Kind> = Vec::with_capacity(met.len());
    for same in met.chunk_by(|a, b| a.0 == b.0) {
        let number = u32::try_from(kinds.len()).unwrap_or(u32::MAX);
        same.iter().for_each(|(_, thread, own)| numbers[*thread][*own as usize] = number);
        kinds.push(same[0].0);
    }
    parts.sort_unstable_by_key(|(part, ..)| *part);
    let renumbered = |(_, thread, mut sessions): (usize, usize, Vec<u32>)| {
        renumber(&mut sessions, &numbers[thread]);
        sessions.shrink_to_fit();
        sessions
    };
    let mut patterns = Patterns {
        texts: reading.texts,
        len: 0,
        values: Vec::new(),
        kinds: Vec::with_capacity(kinds.len()),
        parts: parts.into_par_iter().map(renumbered).collect(),
        key: reading.key,
    };
    // Kinds of one pattern stand together.
    for of_pattern in kinds.chunk_by(|a, b| a[..a.len() - STATES] == b[..b.len() - STATES]) {
        let kind = |kind: &&Kind| SessionKind {
            pattern: patterns.len,
            sessions: 0,
            states: states(&kind[kind.len() - STATES..]),
        };
        patterns.kinds.extend(of_pattern.iter().map(kind));
        patterns.values.extend_from_slice(&of_pattern[0][..of_pattern[0].len() - STATES]);
        patterns.len += 1;
    }
    for kind in patterns.parts.iter().flatten() {
        patterns.kinds[(kind & !FIRST) as usize].sessions += 1;
    }
    patterns
}

/// Gives the sessions their new numbers, those of a patient in order.
fn renumber(sessions: &mut [u32], numbers: &[u32]) {
    for patient in sessions.chunk_by_mut(|_, next| next & FIRST == 0) {
        patient.iter_mut().for_each(|kind| *kind = numbers[(*kind & !FIRST) as usize]);
        patient.sort_unstable();
        patient[0] |= FIRST;
    }
}
