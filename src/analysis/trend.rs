//! `trend`: does a side effect rise with an ordered column, such as skin tone? Rates by level, trend tests, crude and
//! adjusted odds ratios with errors clustered by patient, and beside them the mean depth and passes of each level, so
//! that confounding is seen.

use super::counting::{Counted, cluster_sums};
use super::rates::{as_number, rate_rows};
use super::regression::{Design, Predictor, Role};
use super::{Analysis, Evidence, Kind, Needs, Outcomes, group_of};
use crate::cube::plan::CellView;
use crate::cube::{Cube, Dimension, Facet, MeasureSums, PatternKey, Patterns};
use crate::domain::{EffectId, amount};
use crate::results::{ResultRow, Statistic};
use crate::stats::logistic::{self, Covariance, Fit, FitProblem, Likelihood};
use crate::stats::trend::{self, ClusteredLevel, TrendLevel};
use crate::stats::{Estimate, Level, Test, firth, mean};

/// The kind.
pub const KIND: Kind = Kind {
    name: "trend",
    about: "Does a side effect rise with an ordered column such as skin tone? Rates by level, trend tests, crude and adjusted odds ratios.",
    keys: &["outcomes", "over", "adjust", "reference"],
    required: &["outcomes", "over"],
    needs,
    rows,
};

/// Means of these are shown beside every level: what confounds skin tone.
const CONTEXT: &[&str] = &["needle_depth_mm", "passes"];
/// With fewer events for each model term, Firth's likelihood is used.
const FEW_EVENTS_PER_TERM: f64 = 10.0;
/// With no more events for each model term the penalised likelihood has several tops, and in three of a hundred small
/// logs an end of its interval lay on the way to a lower one.
const FRAGILE_EVENTS_PER_TERM: f64 = 1.0;
/// Begins the warning of such a model.
const FRAGILE: &str = "fragile: so few events for so many terms that";
/// With a smaller expected count, the exact test stands beside the asymptotic one.
const SMALL_EXPECTED: f64 = 5.0;

fn over(analysis: &Analysis) -> Option<&Dimension> {
    analysis.over.as_ref()
}

fn needs(analysis: &Analysis) -> Needs {
    let by_level = over(analysis).map(|over| analysis.cube(vec![over.clone()], CONTEXT));
    Needs {
        cubes: by_level.into_iter().chain([analysis.cube(Vec::new(), &[])]).collect(),
        patterns: over(analysis).map(|over| patterns(analysis, over)).into_iter().collect(),
        ..Needs::default()
    }
}

/// The patterns of the models: the column that is followed, then those that are allowed for.
fn patterns(analysis: &Analysis, over: &Dimension) -> PatternKey {
    let allowed_for = analysis.adjust.iter().filter_map(|name| Facet::column(name));
    PatternKey {
        wheres: analysis.wheres.clone(),
        facets: std::iter::once(Facet::Level(over.clone())).chain(allowed_for).collect(),
        effects: match &analysis.outcomes {
            Outcomes::All => None,
            Outcomes::These(effects) => Some(effects.clone()),
        },
    }
}

fn rows(analysis: &Analysis, evidence: &Evidence<'_>) -> Vec<ResultRow> {
    let Some(over) = over(analysis) else { return Vec::new() };
    let Some(cube) = evidence.cubes.get(&analysis.cube(vec![over.clone()], CONTEXT)) else { return Vec::new() };
    let key = patterns(analysis, over);
    let Some(patterns) = evidence.cubes.patterns(&key) else { return Vec::new() };
    let mut rows = context_rows(analysis, cube);
    for effect in evidence.effects(&analysis.outcomes) {
        let trend = Trend { analysis, evidence, over, cube, patterns, facets: &key.facets, effect };
        rows.extend(trend.overall_rows());
        rows.extend(trend.level_rows());
        rows.extend(trend.test_rows());
        rows.extend(trend.crude_rows());
        rows.extend(trend.adjusted_rows());
    }
    rows
}

fn context_rows(analysis: &Analysis, cube: &Cube) -> Vec<ResultRow> {
    let mut rows = Vec::new();
    for (at, name) in CONTEXT.iter().enumerate() {
        // A column that no session has would be an empty panel; `data_quality` tells that it is missing.
        if cube.cells().all(|cell| cell.measure(at).sessions == 0) {
            continue;
        }
        for cell in cube.cells() {
            let estimate = mean::estimate(&measure_sums(&cell.measure(at)), analysis.counting.level);
            let row = ResultRow {
                group: group_of(&cell.group()),
                term: (*name).to_owned(),
                unit: if *name == "needle_depth_mm" { "mm" } else { "passes" },
                counted: "sessions",
                ..analysis.row(Statistic::Mean)
            };
            rows.push(row.with_estimate(&estimate));
        }
    }
    rows
}

fn measure_sums(sums: &MeasureSums) -> mean::MeasureSums {
    mean::MeasureSums {
        clusters: sums.patients,
        n: sums.sessions,
        total: sums.total,
        n_n: sums.sessions_squared,
        total_total: sums.total_squared,
        n_total: sums.sessions_times_total,
    }
}

/// Score of a level: its number where the column holds numbers, else its place (I…VI = 1…6).
fn score(place: usize, text: Option<&str>) -> f64 {
    text.and_then(|text| text.parse().ok()).unwrap_or_else(|| as_number(place as u64 + 1))
}

struct Trend<'a> {
    analysis: &'a Analysis,
    evidence: &'a Evidence<'a>,
    over: &'a Dimension,
    cube: &'a Cube,
    patterns: &'a Patterns,
    facets: &'a [Facet],
    effect: EffectId,
}

impl Trend<'_> {
    fn template(&self, statistic: Statistic) -> ResultRow {
        ResultRow {
            outcome: self.evidence.code(self.effect),
            counted: self.analysis.counting.counted.text(),
            ..self.analysis.row(statistic)
        }
    }

    /// The rate over every level, the missing one included.
    fn overall_rows(&self) -> Vec<ResultRow> {
        let everybody = self.evidence.cubes.get(&self.analysis.cube(Vec::new(), &[]));
        let cell = everybody.and_then(|cube| cube.cells().next());
        cell.map(|cell| rate_rows(self.analysis, &self.template(Statistic::Rate), &cell.cell(self.effect)))
            .unwrap_or_default()
    }

    fn level_rows(&self) -> Vec<ResultRow> {
        let rows = self.cube.cells().flat_map(|cell| {
            let template = ResultRow { group: group_of(&cell.group()), ..self.template(Statistic::Rate) };
            rate_rows(self.analysis, &template, &cell.cell(self.effect))
        });
        rows.collect()
    }

    /// Levels that are not missing, with their scores.
    fn levels(&self) -> impl Iterator<Item = (f64, CellView<'_>)> {
        self.cube.cells().filter_map(|cell| {
            let place = cell.level()?;
            let text = cell.group().first().and_then(|(_, text)| *text);
            Some((score(place, text), cell))
        })
    }

    /// What a reader of a trend test must know: the scores, and what was left out.
    fn test_note(&self) -> String {
        let scores: Vec<String> = self
            .levels()
            .map(|(score, cell)| {
                let text = cell.group().first().and_then(|(_, text)| *text).unwrap_or_default().to_owned();
                format!("{text}={score}")
            })
            .collect();
        let mut note = format!("scores {}", scores.join(" "));
        let missing: Option<u64> = self
            .cube
            .cells()
            .find(|cell| cell.level().is_none())
            .map(|cell| self.analysis.counting.rate(&cell.cell(self.effect)).n);
        if let Some(missing) = missing.filter(|missing| *missing > 0) {
            let counted = self.analysis.counting.counted.text();
            note.push_str(&format!(
                "; {} {counted} with {} missing left out",
                amount::whole(missing),
                self.over.column
            ));
        }
        note
    }

    fn test_rows(&self) -> Vec<ResultRow> {
        let counting = &self.analysis.counting;
        let levels: Vec<TrendLevel> = self
            .levels()
            .map(|(score, cell)| {
                let rate = counting.rate(&cell.cell(self.effect));
                TrendLevel { score, events: rate.events, n: rate.n }
            })
            .collect();
        let shared = self.cube.patients_in_several();
        let mut tests = Vec::new();
        if counting.counted == Counted::Sessions {
            let clustered: Vec<ClusteredLevel> = self
                .levels()
                .map(|(score, cell)| ClusteredLevel {
                    score,
                    sums: cluster_sums(counting.sums(&cell.cell(self.effect))),
                })
                .collect();
            tests.push(trend::cochran_armitage_clustered(&clustered));
            tests.push(trend::cochran_armitage_rao_scott(&clustered).0);
        }
        tests.push(trend::cochran_armitage(&levels));
        if trend::smallest_expected(&levels) < SMALL_EXPECTED {
            tests.push(trend::cochran_armitage_exact_test(&levels));
        }
        let mut rows = Vec::new();
        for test in tests {
            let mut notes = vec![self.test_note()];
            let clustered = ["cochran_armitage_clustered", "cochran_armitage_rao_scott"].contains(&test.method);
            if counting.counted == Counted::Sessions && !clustered {
                notes.push("takes repeated sessions of a patient as independent".to_owned());
            }
            if shared > 0 {
                let patients = amount::are(shared, "patient");
                notes.push(format!("{patients} in more than one level, which are taken as independent"));
            }
            notes.extend(test.warning.clone());
            let row = ResultRow {
                term: test.method.to_owned(),
                method: test.method,
                numerator: Some(as_number(levels.iter().map(|level| level.events).sum())),
                denominator: Some(as_number(levels.iter().map(|level| level.n).sum())),
                warning: notes.into_iter().rev().collect::<Vec<_>>().join("; "),
                ..self.template(Statistic::PValue)
            };
            // The statistic of the exact test is a sum of scores, no z.
            if test.statistic.is_some() && test.method != "cochran_armitage_exact" {
                rows.push(ResultRow { statistic: Statistic::TrendZ, value: test.statistic, unit: "z", ..row.clone() });
            }
            rows.push(ResultRow { value: test.p_value, unit: "probability", ..row });
        }
        rows
    }

    /// The column that is followed, as a model takes it.
    fn followed(&self, role: Role) -> Predictor {
        Predictor { name: self.over.column.clone(), facet: 0, role }
    }

    /// By the scores of its levels.
    fn by_score(&self) -> Predictor {
        let texts = self.patterns.texts(0).iter().enumerate();
        self.followed(Role::Scores(texts.map(|(at, text)| score(at, Some(text))).collect()))
    }

    /// What the adjusted models allow for.
    fn allowed_for(&self) -> Vec<Predictor> {
        let role = |facet: &Facet| match facet {
            Facet::Number(_) => Role::Number,
            Facet::Level(_) => Role::Levels(None),
        };
        let facets = self.facets.iter().enumerate().skip(1);
        facets.map(|(at, facet)| Predictor { name: facet.name().to_owned(), facet: at, role: role(facet) }).collect()
    }

    fn crude_rows(&self) -> Vec<ResultRow> {
        let model = self.model("crude", &[self.by_score()], &[]);
        let mut rows = model.rows;
        // The risks of a fit with Firth's penalty are pulled towards one half: they are no rates to draw.
        if let Some(fit) = model.fit.filter(|fit| fit.likelihood == Likelihood::Plain) {
            let level = self.analysis.counting.level;
            rows.extend(self.levels().map(|(score, cell)| {
                let fitted = fit.predict(&[1.0, score], Covariance::Cr1, level);
                let row = ResultRow {
                    group: group_of(&cell.group()),
                    unit: "proportion",
                    counted: "sessions",
                    ..self.template(Statistic::FittedRate)
                };
                ResultRow { numerator: None, denominator: None, ..row.with_estimate(&fitted) }
            }));
        }
        rows.extend(self.level_model("crude_levels", &[]));
        rows
    }

    fn adjusted_rows(&self) -> Vec<ResultRow> {
        if self.analysis.adjust.is_empty() {
            return Vec::new();
        }
        let allowed_for = self.allowed_for();
        // On the sessions of the adjusted model, so that what differs is the model and not the sessions.
        let mut rows = self.model("crude_complete", &[self.by_score()], &allowed_for).rows;
        let predictors: Vec<Predictor> = std::iter::once(self.by_score()).chain(allowed_for.clone()).collect();
        rows.extend(self.model("adjusted", &predictors, &[]).rows);
        rows.extend(self.level_model("adjusted_levels", &allowed_for));
        rows
    }

    /// The levels against the reference level, allowing for `adjust`: only the rows of the levels themselves.
    fn level_model(&self, name: &str, adjust: &[Predictor]) -> Vec<ResultRow> {
        let Some(reference) = &self.analysis.reference else { return Vec::new() };
        let Some(at) = self.patterns.texts(0).iter().position(|text| text == reference) else {
            return vec![self.not_estimable(name, &format!("no session has {} {reference}", self.over.column))];
        };
        let levels = self.followed(Role::Levels(Some(at)));
        let predictors: Vec<Predictor> = std::iter::once(levels).chain(adjust.iter().cloned()).collect();
        let own = |row: &ResultRow| row.term.starts_with(&self.over.column);
        let mut rows: Vec<ResultRow> = self.model(name, &predictors, &[]).rows.into_iter().filter(own).collect();
        if rows.iter().any(|row| row.term == format!("{}:{name}", self.over.column)) {
            return rows;
        }
        if rows.is_empty() {
            let reason = format!("every session of the model has {} {reference}", self.over.column);
            return vec![self.not_estimable(name, &reason)];
        }
        // A level with sessions of which none is in the model must not vanish from the list.
        let others = self.levels().filter_map(|(_, cell)| cell.group().first().and_then(|(_, text)| *text));
        for text in others.filter(|text| text != reference) {
            let term = format!("{}={text}:{name}", self.over.column);
            if !rows.iter().any(|row| row.term == term) {
                let reason = format!("no session of the model has {} {text}", self.over.column);
                let comparator = reference.clone();
                rows.push(ResultRow { term, comparator, ..self.not_estimable(name, &reason) });
            }
        }
        rows
    }

    /// The row of a model that cannot be fitted.
    fn not_estimable(&self, name: &str, reason: &str) -> ResultRow {
        let term = format!("{}:{name}", self.over.column);
        let row = self.template(Statistic::OddsRatio);
        ResultRow { term, warning: format!("not_estimable: {reason}"), unit: "ratio", counted: "sessions", ..row }
    }

    /// Fits one model and makes a row for each of its terms. `name` tells models apart in row ids; sessions that lack
    /// a value of `complete` are left out although the model does not use it.
    fn model(&self, name: &str, predictors: &[Predictor], complete: &[Predictor]) -> Model {
        let mut design = Design::of(self.analysis, self.patterns, (self.effect, predictors, complete));
        let mut notes = std::mem::take(&mut design.notes);
        if design.incomplete > 0 {
            notes.push(format!("{} with a missing value left out", amount::of(design.incomplete, "session")));
        }
        if let Some(lacking) = &design.lacking {
            // Without it the levels would be compared with another one, under its name.
            let reason = join(&format!("no session of the model has {lacking}"), &notes.join("; "));
            return Model { rows: vec![self.not_estimable(name, &reason)], fit: None };
        }
        let fitted = loop {
            match fit(&design) {
                // A column that repeats others says nothing: it goes, as long as it is not the one followed.
                Err(FitProblem::Collinear { term }) if term > 1 => {
                    let constant = design.is_constant(term - 1);
                    let gone = design.without(term - 1);
                    let why = if constant { "all sessions have the same" } else { "it repeats the terms before it" };
                    notes.push(format!("{gone} left out: {why}"));
                }
                fitted => break fitted,
            }
        };
        let template = ResultRow {
            numerator: Some(design.events()),
            denominator: Some(design.sessions()),
            counted: "sessions",
            unit: "ratio",
            ..self.template(Statistic::OddsRatio)
        };
        match fitted {
            Ok((fit, note)) => {
                notes.extend(note);
                let rows = self.term_rows(name, &template, (&fit, &design, &notes.join("; ")));
                Model { rows, fit: Some(fit) }
            }
            Err(problem) => {
                let term = format!("{}:{name}", self.over.column);
                let problem = design.named(&problem);
                let warning = join(&format!("not_estimable: {problem}"), &notes.join("; "));
                Model { rows: vec![ResultRow { term, warning, method: "logistic_ml", ..template }], fit: None }
            }
        }
    }

    fn term_rows(
        &self,
        name: &str,
        template: &ResultRow,
        (fit, design, note): (&Fit, &Design<'_>, &str),
    ) -> Vec<ResultRow> {
        let mut rows = Vec::new();
        for (at, term) in design.terms.iter().enumerate() {
            let followed = term.name.split('=').next() == Some(self.over.column.as_str());
            let (estimate, test) = term_estimate(fit, design, (at + 1, followed, self.analysis.counting.level));
            let row = ResultRow {
                term: format!("{}:{name}", term.name),
                comparator: term.comparator.clone(),
                ..template.clone()
            };
            let mut odds_ratio = row.clone().with_estimate(&estimate);
            (odds_ratio.numerator, odds_ratio.denominator) = (template.numerator, template.denominator);
            odds_ratio.warning = join(note, &odds_ratio.warning);
            let p_value = ResultRow {
                statistic: Statistic::PValue,
                value: test.p_value,
                unit: "probability",
                method: test.method,
                warning: join(note, test.warning.as_deref().unwrap_or_default()),
                ..row
            };
            rows.extend([odds_ratio, p_value]);
        }
        rows
    }
}

/// Maximum likelihood, or Firth's where events are few or separated; with what a reader must know of the choice.
fn fit(design: &Design<'_>) -> Result<(Fit, Option<String>), FitProblem> {
    let observations = design.observations();
    let all = design.sessions();
    if all > 0.0 && design.events() <= 0.0 {
        return Err(FitProblem::NoEvents);
    }
    if all > 0.0 && design.events() >= all {
        return Err(FitProblem::OnlyEvents);
    }
    if design.events_per_term() < FEW_EVENTS_PER_TERM {
        let few = design.events_per_term();
        let mut note = format!("{few:.1} events a model term: Firth's likelihood was used");
        if few <= FRAGILE_EVENTS_PER_TERM {
            note = format!("{FRAGILE} the interval may be too narrow; allow for less; {note}");
        }
        return firth::fit(&observations).map(|fit| (fit, Some(note)));
    }
    match logistic::fit(&observations) {
        Err(FitProblem::Separated { terms }) => {
            let note = format!("{} separated: Firth's likelihood was used", design.names(&terms));
            firth::fit(&observations).map(|fit| (fit, Some(note)))
        }
        fitted => fitted.map(|fit| (fit, None)),
    }
}

/// A term's odds ratio and test: clustered by patient (CR1) with maximum likelihood. With Firth's likelihood events
/// are few, and a clustered error collapses where a level has none: the interval is then the wider one, at each end, of
/// the clustered and the profile interval (of the followed column; for what it is adjusted for, the model's own).
fn term_estimate(fit: &Fit, design: &Design<'_>, (term, followed, level): (usize, bool, Level)) -> (Estimate, Test) {
    let (clustered, test) = (fit.odds_ratio(term, Covariance::Cr1, level), fit.p_value(term, Covariance::Cr1));
    if fit.likelihood == Likelihood::Plain {
        return (clustered, test);
    }
    let (own, own_test) = if followed {
        let profile = firth::profile(&design.observations(), fit, term, level);
        (profile.odds_ratio, profile.test)
    } else {
        (fit.odds_ratio(term, Covariance::Model, level), fit.p_value(term, Covariance::Model))
    };
    // One patient shows nothing of how much patients differ, and the likelihood takes its sessions as independent.
    if fit.clusters < 2 {
        return (clustered, test);
    }
    let note = match clustered.low {
        Some(_) => "interval and p: the wider of the likelihood's and the clustered one",
        None => "interval and p: the likelihood's, which takes repeated sessions of a patient as independent",
    };
    let few = clustered.warning.as_deref().filter(|warning| warning.starts_with("few_clusters")).unwrap_or_default();
    let wider = |one: Option<f64>, other: Option<f64>, pick: fn(f64, f64) -> f64| match (one, other) {
        (Some(one), Some(other)) => Some(pick(one, other)),
        (one, other) => one.or(other),
    };
    let estimate = Estimate {
        low: wider(own.low, clustered.low, f64::min),
        high: wider(own.high, clustered.high, f64::max),
        warning: Some(join(&join(note, few), own.warning.as_deref().unwrap_or_default())),
        ..own
    };
    let test = Test { p_value: wider(own_test.p_value, test.p_value, f64::max), ..own_test };
    (estimate, test)
}

/// The rows of a model and, where it could be fitted, the model.
struct Model {
    rows: Vec<ResultRow>,
    fit: Option<Fit>,
}

fn join(note: &str, warning: &str) -> String {
    let parts: Vec<&str> = [note, warning].into_iter().filter(|part| !part.is_empty()).collect();
    parts.join("; ")
}
