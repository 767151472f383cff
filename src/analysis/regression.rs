//! Design matrices from covariate patterns: what a model is fitted to.

use super::Analysis;
use super::counting::Denominator;
use super::rates::as_number;
use crate::cube::Patterns;
use crate::cube::patterns::SessionKind;
use crate::domain::{EffectId, amount};
use crate::stats::logistic::clusters::{Clusters, Member};
use crate::stats::logistic::{FitProblem, Observations};
use crate::store::State;

/// A column of the design, with its name and, for a level of a coded column, the level that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    /// `needle_depth_mm`, or `modality=rf`.
    pub(super) name: String,
    /// The reference level of a coded column.
    pub(super) comparator: String,
}

/// A model's data: complete sessions only, and how many were left out for a missing value. A row is a pattern.
#[derive(Debug)]
pub(super) struct Design<'a> {
    /// Terms after the intercept.
    pub(super) terms: Vec<Term>,
    cells: Vec<f64>,
    events: Vec<f64>,
    trials: Vec<f64>,
    patients: Patients<'a>,
    /// Sessions in the denominator that lack a value.
    pub(super) incomplete: u64,
    /// What a reader must know of the columns: those that no session has, or all have alike.
    pub(super) notes: Vec<String>,
    /// A reference level that was asked for and that no session used has.
    pub(super) lacking: Option<String>,
}

/// The patients of a design.
#[derive(Debug)]
struct Patients<'a> {
    patterns: &'a Patterns,
    /// For each kind of session, the row and the event that it is to the model; nothing where it has no part in it.
    of_kind: Vec<Option<Member>>,
}

impl Clusters for Patients<'_> {
    fn fit(&self, rows: usize) -> bool {
        self.of_kind.iter().flatten().all(|member| (member.row as usize) < rows)
    }

    fn parts(&self) -> usize {
        self.patterns.parts()
    }

    fn visit(&self, part: usize, _observations: &Observations<'_>, take: &mut dyn FnMut(&[Member])) {
        let mut members = Vec::new();
        for kinds in self.patterns.patients(part) {
            members.clear();
            members.extend(kinds.filter_map(|kind| self.of_kind[kind]));
            if !members.is_empty() {
                take(&members);
            }
        }
    }
}

/// How a facet of the patterns enters a model.
#[derive(Debug, Clone)]
pub(super) enum Role {
    /// As the number that it is.
    Number,
    /// As the score of its level.
    Scores(Vec<f64>),
    /// As one term for each level but the reference: this one, or else the one with most sessions.
    Levels(Option<usize>),
}

/// A predictor of a model.
#[derive(Debug, Clone)]
pub(super) struct Predictor {
    /// Name of its column.
    pub(super) name: String,
    /// Its place among the facets of the patterns.
    pub(super) facet: usize,
    /// How it enters.
    pub(super) role: Role,
}

impl Predictor {
    /// How many sessions each level has; `sessions` is how many each pattern has.
    fn sessions_by_level(&self, patterns: &Patterns, sessions: &[u64]) -> Vec<u64> {
        let mut counts = vec![0u64; patterns.texts(self.facet).len()];
        if matches!(self.role, Role::Levels(_)) {
            for (pattern, sessions) in sessions.iter().enumerate() {
                if let Some(level) = patterns.level(pattern, self.facet) {
                    counts[level] += sessions;
                }
            }
        }
        counts
    }

    /// The terms that this predictor adds, with the level of each; `counts` are the sessions of each level.
    fn terms(&self, patterns: &Patterns, counts: &[u64]) -> Vec<(Term, Option<usize>)> {
        let Role::Levels(reference) = self.role else {
            return vec![(Term { name: self.name.clone(), comparator: String::new() }, None)];
        };
        let texts = patterns.texts(self.facet);
        let reference = reference.or_else(|| (0..texts.len()).rev().max_by_key(|level| counts[*level]));
        let comparator = reference.and_then(|level| texts.get(level)).cloned().unwrap_or_default();
        let term = |(level, text): (usize, &String)| {
            (Term { name: format!("{}={text}", self.name), comparator: comparator.clone() }, Some(level))
        };
        let met = |(level, _): &(usize, &String)| counts[*level] > 0 && Some(*level) != reference;
        texts.iter().enumerate().filter(met).map(term).collect()
    }

    /// Value of a term for a pattern that has one.
    fn value(&self, patterns: &Patterns, (pattern, of_term): (usize, Option<usize>)) -> f64 {
        let level = || patterns.level(pattern, self.facet);
        match &self.role {
            Role::Number => patterns.number(pattern, self.facet).unwrap_or_default(),
            Role::Scores(scores) => level().map_or(0.0, |level| scores[level]),
            Role::Levels(_) => f64::from(u8::from(level() == of_term)),
        }
    }
}

/// Which patterns are rows of a design.
const NO_ROW: u32 = u32::MAX;

impl<'a> Design<'a> {
    /// The design of a side effect on predictors, over the sessions of the patterns that lack neither a predictor nor a
    /// value of `complete`.
    pub(super) fn of(
        analysis: &Analysis,
        patterns: &'a Patterns,
        (effect, predictors, complete): (EffectId, &[Predictor], &[Predictor]),
    ) -> Design<'a> {
        let all = analysis.counting.denominator == Denominator::AllSessions;
        let counts = |state: State| all || state != State::NotAssessed;
        let used = complete;
        let complete =
            |pattern: usize| predictors.iter().chain(used).all(|predictor| patterns.is_known(pattern, predictor.facet));
        let (mut sessions, mut events, mut incomplete) = (vec![0u64; patterns.len()], vec![0u64; patterns.len()], 0);
        for kind in patterns.kinds().iter().filter(|kind| counts(kind.state(effect))) {
            if complete(kind.pattern) {
                sessions[kind.pattern] += kind.sessions;
                events[kind.pattern] += if kind.state(effect) == State::Present { kind.sessions } else { 0 };
            } else {
                incomplete += kind.sessions;
            }
        }
        let (mut columns, mut notes, mut lacking) = (Vec::new(), Vec::new(), None);
        for predictor in predictors {
            let levels = predictor.sessions_by_level(patterns, &sessions);
            if let Role::Levels(Some(reference)) = predictor.role
                && levels[reference] == 0
            {
                lacking = Some(format!("{} {}", predictor.name, patterns.texts(predictor.facet)[reference]));
            }
            let terms = predictor.terms(patterns, &levels);
            if terms.is_empty() && sessions.iter().any(|sessions| *sessions > 0) {
                notes.push(format!("{} left out: all sessions have the same", predictor.name));
            }
            columns.extend(terms.into_iter().map(|(term, level)| (predictor, term, level)));
        }
        let has = |predictor: &Predictor| {
            let counted = patterns.kinds().iter().filter(|kind| counts(kind.state(effect)));
            counted.into_iter().any(|kind| patterns.is_known(kind.pattern, predictor.facet))
        };
        if incomplete > 0 {
            let without = predictors.iter().chain(used).filter(|predictor| !has(predictor));
            notes.extend(without.map(|predictor| format!("no session has {}", predictor.name)));
        }
        let (mut cells, mut row_of, mut rows) = (Vec::new(), vec![NO_ROW; patterns.len()], 0u32);
        for pattern in (0..patterns.len()).filter(|pattern| sessions[*pattern] > 0) {
            cells.push(1.0);
            cells.extend(columns.iter().map(|(predictor, _, level)| predictor.value(patterns, (pattern, *level))));
            row_of[pattern] = rows;
            rows += 1;
        }
        let member = |kind: &SessionKind| {
            let (row, state) = (row_of[kind.pattern], kind.state(effect));
            let events = f64::from(u8::from(state == State::Present));
            (row != NO_ROW && counts(state)).then_some(Member { row, events, trials: 1.0 })
        };
        let of_rows = |counts: &[u64]| {
            let rows = counts.iter().zip(&sessions).filter(|(_, sessions)| **sessions > 0);
            rows.map(|(count, _)| as_number(*count)).collect()
        };
        Design {
            terms: columns.iter().map(|(_, term, _)| term.clone()).collect(),
            cells,
            events: of_rows(&events),
            trials: of_rows(&sessions),
            patients: Patients { patterns, of_kind: patterns.kinds().iter().map(member).collect() },
            incomplete,
            notes,
            lacking,
        }
    }

    /// Whether all rows have the same in a term (0 = the first after the intercept).
    pub(super) fn is_constant(&self, term: usize) -> bool {
        let mut values = self.cells.iter().skip(term + 1).step_by(self.terms.len() + 1).map(|value| value.to_bits());
        let first = values.next();
        values.all(|value| Some(value) == first)
    }

    /// Takes a term out (0 = the first after the intercept) and gives its name.
    pub(super) fn without(&mut self, term: usize) -> String {
        let width = self.terms.len() + 1;
        let gone = self.terms.remove(term).name;
        let mut at = 0;
        self.cells.retain(|_| {
            at += 1;
            (at - 1) % width != term + 1
        });
        gone
    }

    /// Names of terms by their place in the model, 0 = the intercept.
    pub(super) fn names(&self, terms: &[usize]) -> String {
        let name = |at: &usize| match at {
            0 => "the intercept",
            at => self.terms.get(at - 1).map_or("a term", |term| term.name.as_str()),
        };
        terms.iter().map(name).collect::<Vec<_>>().join(", ")
    }

    /// A problem in the names of the terms rather than in their places.
    pub(super) fn named(&self, problem: &FitProblem) -> String {
        match problem {
            FitProblem::Collinear { term } => {
                format!("{} says nothing that the terms before it do not say already", self.names(&[*term]))
            }
            FitProblem::Separated { terms } => format!("{} separated", self.names(terms)),
            FitProblem::TooFewRows { trials, terms } => {
                format!("{} are too few for {terms} terms", amount::of(*trials as u64, "session"))
            }
            FitProblem::OnlyEvents => "every session has the side effect".to_owned(),
            FitProblem::NoEvents => "no session has the side effect".to_owned(),
            other => other.to_string(),
        }
    }

    /// As the statistics room takes it.
    pub(super) fn observations(&self) -> Observations<'_> {
        Observations {
            design: &self.cells,
            terms: self.terms.len() + 1,
            events: &self.events,
            trials: &self.trials,
            clusters: &self.patients,
        }
    }

    /// Sessions used.
    pub(super) fn sessions(&self) -> f64 {
        // An empty sum of floats is −0.
        self.trials.iter().sum::<f64>() + 0.0
    }

    /// Sessions used in which the side effect was present.
    pub(super) fn events(&self) -> f64 {
        self.events.iter().sum::<f64>() + 0.0
    }

    /// Events (or non-events, where they are fewer) for each term after the intercept.
    pub(super) fn events_per_term(&self) -> f64 {
        let fewer = self.events().min(self.sessions() - self.events());
        fewer / as_number(self.terms.len().max(1) as u64)
    }
}
