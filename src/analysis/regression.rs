//! Design matrices from sessions: what a model is fitted to.

use super::counting::Denominator;
use super::{Analysis, Evidence};
use crate::domain::EffectId;
use crate::stats::logistic::{FitProblem, Observations};
use crate::store::{SessionTable, State};

/// A column of the design, with its name and, for a level of a coded column, the level that it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Term {
    /// `needle_depth_mm`, or `modality=rf`.
    pub(super) name: String,
    /// The reference level of a coded column.
    pub(super) comparator: String,
}

/// A model's data: complete sessions only, and how many were left out for a missing value.
#[derive(Debug, Clone, Default)]
pub(super) struct Design {
    /// Terms after the intercept.
    pub(super) terms: Vec<Term>,
    cells: Vec<f64>,
    events: Vec<f64>,
    trials: Vec<f64>,
    clusters: Vec<u32>,
    /// Sessions in the denominator that lack a value.
    pub(super) incomplete: u64,
}

/// A predictor, by session.
#[derive(Debug, Clone)]
pub(super) enum Predictor {
    /// Enters as it is.
    Number { name: String, values: Vec<Option<f64>> },
    /// Enters as one term for each level but the reference.
    Levels { name: String, codes: Vec<Option<u32>>, texts: Vec<String>, reference: Option<u32> },
}

impl Predictor {
    /// A column of the table: numbers as they are, everything else by its levels.
    pub(super) fn column(table: &SessionTable, name: &str) -> Option<Predictor> {
        if let Some(values) = table.numbers(name) {
            return Some(Predictor::Number { name: name.to_owned(), values });
        }
        let labels = table.labels(name)?;
        Some(Predictor::Levels { name: name.to_owned(), codes: labels.codes, texts: labels.texts, reference: None })
    }

    fn is_known(&self, row: usize) -> bool {
        match self {
            Predictor::Number { values, .. } => values[row].is_some(),
            Predictor::Levels { codes, .. } => codes[row].is_some(),
        }
    }

    /// The terms that this predictor adds, over the sessions used, with the level of each.
    fn terms(&self, rows: &[usize]) -> Vec<(Term, Option<u32>)> {
        match self {
            Predictor::Number { name, .. } => vec![(Term { name: name.clone(), comparator: String::new() }, None)],
            Predictor::Levels { name, codes, texts, reference } => {
                let mut counts = vec![0u64; texts.len()];
                for code in rows.iter().filter_map(|row| codes[*row]) {
                    counts[code as usize] += 1;
                }
                let most = (0..texts.len()).rev().max_by_key(|at| counts[*at]);
                let reference = reference.map(|code| code as usize).or(most);
                let comparator = reference.and_then(|at| texts.get(at)).cloned().unwrap_or_default();
                (0u32..)
                    .zip(texts)
                    .filter(|(code, _)| counts[*code as usize] > 0 && Some(*code as usize) != reference)
                    .map(|(code, text)| {
                        (Term { name: format!("{name}={text}"), comparator: comparator.clone() }, Some(code))
                    })
                    .collect()
            }
        }
    }

    fn value(&self, row: usize, level: Option<u32>) -> f64 {
        match (self, level) {
            (Predictor::Number { values, .. }, _) => values[row].unwrap_or(0.0),
            (Predictor::Levels { codes, .. }, Some(level)) => f64::from(u8::from(codes[row] == Some(level))),
            (Predictor::Levels { .. }, None) => 0.0,
        }
    }
}

impl Design {
    /// The design of a side effect on predictors, over the analysis' sessions that lack neither a predictor nor a value
    /// of `complete`.
    pub(super) fn of(
        analysis: &Analysis,
        evidence: &Evidence<'_>,
        (effect, predictors, complete): (EffectId, &[Predictor], &[Predictor]),
    ) -> Design {
        let Some(sessions) = evidence.sessions else { return Design::default() };
        let fits = sessions.fits(&analysis.wheres);
        let counts = |row: &usize| {
            let assessed = sessions.settled.state(*row, effect) != State::NotAssessed;
            fits[*row] && (assessed || analysis.counting.denominator == Denominator::AllSessions)
        };
        let denominator: Vec<usize> = (0..sessions.table.len()).filter(counts).collect();
        let complete = |row: &usize| predictors.iter().chain(complete).all(|predictor| predictor.is_known(*row));
        let rows: Vec<usize> = denominator.iter().copied().filter(complete).collect();
        let columns: Vec<(&Predictor, Term, Option<u32>)> = predictors
            .iter()
            .flat_map(|predictor| predictor.terms(&rows).into_iter().map(move |(term, level)| (predictor, term, level)))
            .collect();
        let mut design = Design {
            terms: columns.iter().map(|(_, term, _)| term.clone()).collect(),
            cells: Vec::with_capacity(rows.len() * (columns.len() + 1)),
            events: Vec::with_capacity(rows.len()),
            trials: vec![1.0; rows.len()],
            clusters: Vec::with_capacity(rows.len()),
            incomplete: (denominator.len() - rows.len()) as u64,
        };
        let mut cluster_of =
            vec![u32::MAX; sessions.table.patients().iter().max().map_or(0, |last| *last as usize + 1)];
        let mut clusters = 0;
        for row in rows {
            design.cells.push(1.0);
            design.cells.extend(columns.iter().map(|(predictor, _, level)| predictor.value(row, *level)));
            design.events.push(f64::from(u8::from(sessions.settled.state(row, effect) == State::Present)));
            let cluster = &mut cluster_of[sessions.table.patients()[row] as usize];
            if *cluster == u32::MAX {
                *cluster = clusters;
                clusters += 1;
            }
            design.clusters.push(*cluster);
        }
        design
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
            clusters: &self.clusters,
        }
    }

    /// Sessions used.
    pub(super) fn sessions(&self) -> u64 {
        self.events.len() as u64
    }

    /// Sessions used in which the side effect was present.
    pub(super) fn events(&self) -> f64 {
        // An empty sum of floats is −0.
        self.events.iter().sum::<f64>() + 0.0
    }

    /// Events (or non-events, where they are fewer) for each term after the intercept.
    pub(super) fn events_per_term(&self) -> f64 {
        let all = super::rates::as_number(self.sessions());
        let fewer = self.events().min(all - self.events());
        fewer / super::rates::as_number(self.terms.len().max(1) as u64)
    }
}
