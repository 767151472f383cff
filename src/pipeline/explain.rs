//! `run --explain`: what a run would read, count and keep, before it does.

use super::count::{self, RECORDS_SHARE};
use super::produce::ProduceError;
use super::settle::{Pipeline, StoreAt};
use crate::analysis::Analysis;
use crate::cube::{CubeKey, PatternKey, Plan, PlanError};
use crate::domain::amount;
use crate::store::lake::{Store, StoreError, StoredSessions};
use crate::store::{Blocks, Want};
use serde::Serialize;

/// What a run would do.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Explanation {
    /// Where the sessions come from.
    pub source: String,
    /// Number of sessions, where it is known beforehand.
    pub sessions: Option<u64>,
    /// Bytes of the store's sessions that are read, and all of them.
    pub bytes: Option<(u64, u64)>,
    /// How the states of the side effects come about.
    pub states: String,
    /// Columns that the pass over the sessions reads.
    pub columns: Vec<String>,
    /// Conditions that it answers.
    pub conditions: Vec<String>,
    /// Bytes kept of every session for the pass over the patients.
    pub bytes_a_session: usize,
    /// Bytes of memory for them; more goes to temporary files.
    pub memory: usize,
    /// Cubes that the pass over the patients fills.
    pub cubes: Vec<CubeLine>,
    /// Covariate patterns that the pass over the patients gathers, for models.
    pub patterns: Vec<PatternsLine>,
}

/// A cube.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct CubeLine {
    /// Divided by.
    pub by: Vec<String>,
    /// Conditions.
    pub conditions: Vec<String>,
    /// Cells, missing values among them, where that is known beforehand.
    pub cells: Option<u64>,
    /// Numbers that it adds up.
    pub measures: Vec<String>,
    /// The finer cube that it is rolled up from, by what that is divided by.
    pub rolled_up_from: Option<Vec<String>>,
    /// Analyses that it serves.
    pub analyses: Vec<String>,
}

/// Covariate patterns.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PatternsLine {
    /// What makes them up.
    pub of: Vec<String>,
    /// Conditions.
    pub conditions: Vec<String>,
    /// Analyses that they serve.
    pub analyses: Vec<String>,
}

/// What a run of the pipeline would do.
///
/// # Errors
/// When the store cannot be opened or sessions cannot be divided as asked.
pub fn explain(pipeline: &Pipeline) -> Result<Explanation, ProduceError> {
    let plan = count::plan(pipeline);
    let want = plan.want()?;
    let (source, sessions, bytes, states) = match &pipeline.store {
        Some(at) => store(pipeline, at, &want)?,
        None => {
            let files: usize = pipeline.sources.iter().map(|source| source.logs.len()).sum();
            let states = "settled in memory, against the data cut".to_owned();
            (format!("{files} session logs, read whole and validated"), None, None, states)
        }
    };
    Ok(Explanation {
        source,
        sessions,
        bytes,
        states,
        columns: count::columns(&want).into_iter().collect(),
        conditions: want.filters.iter().map(|filter| filter.text().to_owned()).collect(),
        bytes_a_session: plan.bytes_a_session(pipeline.catalogue.ids().count())?,
        memory: pipeline.memory / RECORDS_SHARE,
        cubes: cubes(&plan, &pipeline.analyses),
        patterns: patterns(&plan, &pipeline.analyses),
    })
}

/// Source, sessions, bytes, and how states come about.
type OfStore = (String, Option<u64>, Option<(u64, u64)>, String);

fn store(pipeline: &Pipeline, at: &StoreAt, want: &Want) -> Result<OfStore, ProduceError> {
    let refused = |source: StoreError| super::load::LoadError::Store { source };
    let opened = Store::open(&at.home).map_err(refused)?;
    let data_cut = pipeline.data_cut.or(at.batch.newest_day.map(crate::domain::Day)).unwrap_or_default();
    let stored = StoredSessions::settled(&opened, &at.batch, (&pipeline.catalogue, data_cut)).map_err(refused)?;
    let source = format!("store {}, version {}", at.home.shown().display(), at.batch.version);
    let bytes = stored.as_ref().map(|stored| stored.bytes(want)).transpose().map_err(PlanError::from)?;
    let states = match &stored {
        Some(stored) => {
            let (files, (outside, sessions)) = (stored.parts(), stored.outside(want).map_err(PlanError::from)?);
            let mut text = format!(
                "as settled when the rows were written; {files} files, nothing but what is wanted of them is read"
            );
            if outside > 0 {
                text.push_str(&format!(
                    "; {outside} of them ({sessions} sessions) hold only days that no analysis counts: read for their \
                     number and groups alone"
                ));
            }
            text
        }
        None => format!(
            "settled anew in memory: something in the store is younger than the data cut {data_cut}, or side effects \
             were added"
        ),
    };
    Ok((source, Some(at.batch.counts.sessions), bytes, states))
}

fn cubes(plan: &Plan, analyses: &[Analysis]) -> Vec<CubeLine> {
    let columns = |key: &CubeKey| key.dimensions.iter().map(|dimension| dimension.column.clone()).collect();
    let line = |(key, base): (&CubeKey, Option<&CubeKey>)| {
        let sizes = key.dimensions.iter().map(|dimension| Some(dimension.known_values()? as u64 + 1));
        let serves = |analysis: &&Analysis| (analysis.kind.needs)(analysis).cubes.contains(key);
        CubeLine {
            by: columns(key),
            conditions: key.wheres.clone(),
            cells: sizes.product(),
            measures: key.measures.clone(),
            rolled_up_from: base.map(columns),
            analyses: analyses.iter().filter(serves).map(|analysis| analysis.id.clone()).collect(),
        }
    };
    plan.keys().iter().zip(plan.bases()).map(line).collect()
}

fn patterns(plan: &Plan, analyses: &[Analysis]) -> Vec<PatternsLine> {
    let line = |key: &PatternKey| {
        let serves = |analysis: &&Analysis| (analysis.kind.needs)(analysis).patterns.contains(key);
        PatternsLine {
            of: key.facets.iter().map(|facet| facet.name().to_owned()).collect(),
            conditions: key.wheres.clone(),
            analyses: analyses.iter().filter(serves).map(|analysis| analysis.id.clone()).collect(),
        }
    };
    plan.patterns().iter().map(line).collect()
}

impl Explanation {
    /// For a person.
    #[must_use]
    pub fn text(&self) -> String {
        let list = |names: &[String], none: &str| if names.is_empty() { none.to_owned() } else { names.join(", ") };
        let mut lines = vec![match self.sessions {
            Some(sessions) => format!("{}: {}", self.source, amount::of(sessions, "session")),
            None => self.source.clone(),
        }];
        lines.push(format!("states: {}", self.states));
        lines.push("pass 1, over the sessions, each once, on all cores:".to_owned());
        lines.push(format!("  columns     {}", list(&self.columns, "none but the states")));
        if let Some((read, all)) = self.bytes {
            lines.push(format!("  reads       {} MB of {} MB on disk", megabytes(read), megabytes(all)));
        }
        lines.push(format!("  conditions  {}", list(&self.conditions, "none")));
        lines.push(format!("  keeps       {}", self.kept()));
        lines.push(format!("pass 2, over the patients, on all cores: {} cubes", self.cubes.len()));
        for cube in &self.cubes {
            let cells = match cube.cells {
                Some(cells) => amount::of(cells, "cell"),
                None => "cells as values are met".to_owned(),
            };
            let mut line = format!("  {} ({cells})", list(&cube.by, "all"));
            if !cube.conditions.is_empty() {
                line.push_str(&format!(" where {}", cube.conditions.join(" and ")));
            }
            if !cube.measures.is_empty() {
                line.push_str(&format!(", sums of {}", cube.measures.join(", ")));
            }
            if let Some(finer) = &cube.rolled_up_from {
                line.push_str(&format!(", rolled up from {}", finer.join(", ")));
            }
            line.push_str(&format!(": {}", list(&cube.analyses, "the run itself")));
            lines.push(line);
        }
        for patterns in &self.patterns {
            let mut line = format!("  patterns of {}", patterns.of.join(", "));
            if !patterns.conditions.is_empty() {
                line.push_str(&format!(" where {}", patterns.conditions.join(" and ")));
            }
            line.push_str(&format!(
                ", for models, whose errors visit every patient, 4 bytes a session: {}",
                patterns.analyses.join(", ")
            ));
            lines.push(line);
        }
        lines.join("\n")
    }

    fn kept(&self) -> String {
        let bytes = self.bytes_a_session;
        let Some(sessions) = self.sessions else { return format!("{bytes} bytes a session") };
        let all = sessions * bytes as u64;
        let fits = if all > self.memory as u64 { "the rest goes to temporary files" } else { "it fits" };
        format!(
            "{bytes} bytes a session, {} MB of {} MB allowed: {fits}",
            megabytes(all),
            megabytes(self.memory as u64)
        )
    }
}

fn megabytes(bytes: u64) -> u64 {
    bytes.div_ceil(1_000_000)
}
