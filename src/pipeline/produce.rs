//! The work itself: load, settle states, count, compute, release, draw, lay out. Gives files in memory; nothing is on
//! disk until [`super::publish`].

use super::count;
use super::from_store;
use super::load::{self, LoadError, Loaded};
use super::manifest;
use super::reference;
use super::settle::{Gates, Pipeline};
use super::tally::{InputTally, Totals};
use super::{Observer, intake};
use crate::analysis::{Analysis, Counted, Denominator, Evidence, Intake, Outcomes};
use crate::chart::{self, Chart, ChartError, ChartRequest};
use crate::cube::PlanError;
use crate::domain::Day;
use crate::domain::amount::{of, whole};
use crate::report::{self, Fact, MethodNote, Page, Section, layout};
use crate::results::{Released, ResultRow, format, release, write};
use crate::store::{BlockError, SessionsBuilder};
use crate::validate::rules;
use rayon::prelude::*;
use std::collections::BTreeSet;
use thiserror::Error;

/// Why a report could not be made.
#[derive(Debug, Error)]
pub enum ProduceError {
    /// Files cannot be used.
    #[error(transparent)]
    Load(#[from] LoadError),
    /// There is nothing to analyse.
    #[error("no session can be analysed: {reason}")]
    NoSessions {
        /// Why.
        reason: String,
    },
    /// A quality gate of the pipeline was not met.
    #[error("the quality gate {gate} = {limit} was not met: {found}")]
    Gate {
        /// Key of the gate.
        gate: &'static str,
        /// Its limit.
        limit: f64,
        /// What was found.
        found: String,
    },
    /// Sessions cannot be divided as asked.
    #[error(transparent)]
    Plan(PlanError),
    /// A temporary file cannot be used.
    #[error("a temporary file cannot be used: {0}")]
    Temporary(std::io::Error),
    /// A picture could not be drawn.
    #[error(transparent)]
    Chart(#[from] ChartError),
    /// A file could not be made.
    #[error("cannot make {file}: {reason}")]
    File {
        /// The file.
        file: &'static str,
        /// Why.
        reason: String,
    },
}

impl From<PlanError> for ProduceError {
    /// A pipeline is to blame only for what it asks, not for a store that is damaged or a disk that is full.
    fn from(error: PlanError) -> ProduceError {
        match error {
            PlanError::Block(BlockError::Store(source)) => LoadError::Store { source }.into(),
            PlanError::Temporary(source) => ProduceError::Temporary(source),
            other => ProduceError::Plan(other),
        }
    }
}

/// A file of the report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputFile {
    /// Path within the report's folder, with `/`.
    pub path: String,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl OutputFile {
    fn new(path: &str, bytes: Vec<u8>) -> OutputFile {
        OutputFile { path: path.to_owned(), bytes }
    }
}

/// A finished report, not yet on disk.
#[derive(Debug, Clone)]
pub struct Product {
    /// Every file but the manifest.
    pub files: Vec<OutputFile>,
    /// The manifest without its `run` section.
    pub manifest: serde_json::Map<String, serde_json::Value>,
    /// Rows of every file.
    pub totals: Totals,
    /// Nothing after this day was used.
    pub data_cut: Day,
    /// Sessions analysed.
    pub analysed_sessions: u64,
    /// Number of result rows.
    pub result_rows: usize,
}

/// Makes the report of a pipeline.
///
/// # Errors
/// When files cannot be used, nothing is left to analyse, or a quality gate is not met.
pub fn produce(pipeline: &Pipeline, observer: &dyn Observer) -> Result<Product, ProduceError> {
    observer.stage("read");
    let mut loaded = match &pipeline.store {
        Some(store) => from_store::load(store)?,
        None => load::load(&pipeline.sources, (&pipeline.catalogue, SessionsBuilder::new()), observer)?,
    };
    let totals = Totals::of(loaded.inputs.iter());
    check_rejected(pipeline.gates, &totals)?;
    let data_cut = pipeline.data_cut.or(loaded.newest).unwrap_or_default();
    let counted = count::count(pipeline, &mut loaded, (data_cut, observer))?;
    let intake = intake::of(&loaded, &counted.figures);
    let evidence = Evidence { cubes: &counted.cubes, catalogue: &pipeline.catalogue, intake: &intake };
    let analysed_sessions = check_assessed(pipeline, &evidence)?;
    observer.stage("compute");
    let rows: Vec<Vec<ResultRow>> =
        pipeline.analyses.par_iter().map(|analysis| (analysis.kind.rows)(analysis, &evidence)).collect();
    let released = release(rows.into_iter().flatten().collect(), pipeline.policy);
    observer.stage("draw");
    let Loaded { inputs, rejections, superseded, warnings, .. } = loaded;
    let listed = |name| move |error: std::io::Error| ProduceError::File { file: name, reason: error.to_string() };
    let mut files = vec![
        OutputFile::new("rejects.csv", rejections.csv().map_err(listed("rejects.csv"))?),
        OutputFile::new("warnings.csv", warnings.csv().map_err(listed("warnings.csv"))?),
        OutputFile::new(
            "superseded.csv",
            intake::superseded_csv(&inputs, &superseded).map_err(listed("superseded.csv"))?,
        ),
    ];
    let made = Made { pipeline, inputs: &inputs, released: &released, data_cut, intake: &intake };
    files.extend(made.files(analysed_sessions)?);
    files.sort_by(|a, b| a.path.cmp(&b.path));
    let manifest = manifest::of(pipeline, &inputs, (data_cut, &files));
    Ok(Product { files, manifest, totals, data_cut, analysed_sessions, result_rows: released.rows().len() })
}

fn share(part: u64, whole: u64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "counts of rows are far below 2^53")]
    let share = if whole == 0 { 0.0 } else { part as f64 / whole as f64 };
    share
}

fn check_rejected(gates: Gates, totals: &Totals) -> Result<(), ProduceError> {
    let rejected = share(totals.rejected, totals.read);
    match gates.max_rejected {
        Some(limit) if rejected > limit => Err(ProduceError::Gate {
            gate: "max_rejected",
            limit,
            found: format!(
                "rejected {} of {} ({:.1} %)",
                whole(totals.rejected),
                of(totals.read, "row"),
                rejected * 100.0
            ),
        }),
        _ => Ok(()),
    }
}

/// Every side effect that an analysis names must be assessed often enough in the cohort; without any named, all
/// together. Gives the number of sessions in the cohort.
fn check_assessed(pipeline: &Pipeline, evidence: &Evidence<'_>) -> Result<u64, ProduceError> {
    let cohort = evidence.cubes.get(&pipeline.cohort()).and_then(|cube| cube.cells().next());
    let Some(cohort) = cohort else {
        let reason = format!("no session fits the cohort `{}`", pipeline.cohort_where.as_deref().unwrap_or_default());
        return Err(ProduceError::NoSessions { reason });
    };
    let analysed = cohort.sessions();
    let Some(limit) = pipeline.gates.min_assessed else { return Ok(analysed) };
    let mut named = BTreeSet::new();
    for analysis in &pipeline.analyses {
        if let Outcomes::These(effects) = &analysis.outcomes {
            named.extend(effects.iter().copied());
        }
    }
    let assessed = |effect| cohort.cell(effect).assessed.sessions;
    if named.is_empty() {
        let effects = evidence.effects(&Outcomes::All);
        let found = share(effects.iter().map(|effect| assessed(*effect)).sum(), analysed * effects.len() as u64);
        return gate(limit, found, "all side effects together").map(|()| analysed);
    }
    for effect in named {
        gate(limit, share(assessed(effect), analysed), &evidence.code(effect))?;
    }
    Ok(analysed)
}

fn gate(limit: f64, found: f64, what: &str) -> Result<(), ProduceError> {
    if found >= limit {
        return Ok(());
    }
    let found = format!("{:.1} % of the cohort's sessions were assessed for {what}", found * 100.0);
    Err(ProduceError::Gate { gate: "min_assessed", limit, found })
}

/// What the files are made of.
struct Made<'a> {
    pipeline: &'a Pipeline,
    inputs: &'a [InputTally],
    released: &'a Released,
    data_cut: Day,
    intake: &'a Intake,
}

impl Made<'_> {
    fn files(&self, analysed_sessions: u64) -> Result<Vec<OutputFile>, ProduceError> {
        let sections: Vec<Section> = self
            .pipeline
            .analyses
            .par_iter()
            .map(|analysis| self.section(analysis, analysed_sessions))
            .collect::<Result<_, _>>()?;
        let failed = |name| move |error: std::io::Error| ProduceError::File { file: name, reason: error.to_string() };
        let mut files = vec![
            OutputFile::new("results.csv", write::csv(self.released).map_err(failed("results.csv"))?),
            OutputFile::new("results.parquet", self.parquet()?),
        ];
        for section in &sections {
            for chart in &section.charts {
                files.push(OutputFile::new(&format!("charts/{}.svg", chart.id), chart.svg.clone().into_bytes()));
                files.push(OutputFile::new(
                    &format!("charts/{}_narrow.svg", chart.id),
                    chart.svg_narrow.clone().into_bytes(),
                ));
            }
            for table in &section.tables {
                files
                    .push(OutputFile::new(&format!("tables/{}.csv", table.id), table.csv().map_err(failed("tables"))?));
            }
        }
        let tables: Vec<_> = sections.iter().flat_map(|section| section.tables.iter().cloned()).collect();
        let workbook = report::workbook::workbook(&tables, self.data_cut)
            .map_err(|error| ProduceError::File { file: "report.xlsx", reason: error.to_string() })?;
        files.push(OutputFile::new("report.xlsx", workbook));
        let page = Page {
            title: &self.pipeline.title,
            question: &self.pipeline.question,
            released: self.released,
            catalogue: &self.pipeline.catalogue,
            sections,
            methods: self.methods(),
            provenance: self.provenance(),
            cautions: self.cautions(),
        };
        files.push(OutputFile::new("index.html", report::render(&page).into_bytes()));
        Ok(files)
    }

    fn parquet(&self) -> Result<Vec<u8>, ProduceError> {
        let failed = |error: parquet::errors::ParquetError| error.to_string();
        write::parquet(self.released)
            .map_err(|error| ProduceError::File { file: "results.parquet", reason: failed(error) })
    }

    fn section(&self, analysis: &Analysis, analysed_sessions: u64) -> Result<Section, ProduceError> {
        let catalogue = &self.pipeline.catalogue;
        let request = ChartRequest { analysis: &analysis.id, title: &analysis.title, catalogue };
        let charts: Vec<Chart> = chart::draw(self.released, analysis.kind.name, &request)?;
        let request = layout::Request { analysis: &analysis.id, title: &analysis.title, catalogue };
        let tables = layout::tables(self.released, analysis.kind.name, &request);
        let nothing = (charts.is_empty() && tables.is_empty()).then(|| self.nothing(analysis));
        Ok(Section {
            id: analysis.id.clone(),
            title: analysis.title.clone(),
            kind: analysis.kind.name,
            population: self.population(analysis, analysed_sessions),
            nothing,
            charts,
            tables,
        })
    }

    /// Why an analysis has nothing to show.
    fn nothing(&self, analysis: &Analysis) -> String {
        if self.released.of(&analysis.id).next().is_some() {
            return "None of the side effects asked about was present in these sessions.".to_owned();
        }
        format!("No session fits: {}.", analysis.wheres.join(" and "))
    }

    /// Who is in it, what is counted over what, and the data cut: the line under every title.
    fn population(&self, analysis: &Analysis, analysed_sessions: u64) -> String {
        let counted = match analysis.counting.counted {
            Counted::Sessions => "every session counted; intervals allow for repeated sessions of a patient",
            Counted::Patients => "every patient counted once",
        };
        let denominator = match analysis.counting.denominator {
            Denominator::Assessed => "over those assessed for the side effect",
            Denominator::AllSessions => "over all, assessed or not",
        };
        let who = if analysis.wheres.is_empty() {
            "All accepted sessions".to_owned()
        } else {
            format!("Sessions with {}", analysis.wheres.join(" and "))
        };
        let only = usize::from(self.pipeline.cohort_where.is_some()) < analysis.wheres.len();
        let size = if only { String::new() } else { format!(" ({})", format::whole(analysed_sessions)) };
        format!("{who}{size}, {counted}, {denominator}. Data cut {}.", self.data_cut)
    }

    /// The methods of the rows, in the order of the reference.
    fn methods(&self) -> Vec<MethodNote> {
        let used: BTreeSet<&str> = self.released.rows().iter().map(|row| row.method).collect();
        reference::methods()
            .filter(|method| used.contains(method.id))
            .map(|method| MethodNote {
                id: method.id.to_owned(),
                title: method.title.to_owned(),
                estimates: method.estimates.to_owned(),
                formula: method.formula.to_owned(),
                source: method.source.to_owned(),
            })
            .collect()
    }

    fn provenance(&self) -> Vec<Fact> {
        let fact = |name, text: String| Fact { name, text };
        vec![
            fact("Program", concat!("stipple ", env!("CARGO_PKG_VERSION")).to_owned()),
            fact("Pipeline", self.pipeline.id.clone()),
            fact("Pipeline, BLAKE3", blake3::hash(self.pipeline.text.as_bytes()).to_hex().to_string()),
            fact("Data cut", self.data_cut.to_string()),
            fact("Input files", self.inputs.len().to_string()),
            fact("Input, BLAKE3 of all files", manifest::input_hash(self.inputs)),
            fact("Release profile", self.released.policy().profile.name().to_owned()),
        ]
    }

    /// What a reader must know before the answer.
    fn cautions(&self) -> Vec<String> {
        let totals = Totals::of(self.inputs.iter());
        let rejected = share(totals.rejected, totals.read);
        let mut cautions = Vec::new();
        if rejected > 0.02 {
            cautions.push(format!(
                "{} of {} ({:.1} %) were rejected and are not in these numbers; rejects.csv says why.",
                whole(totals.rejected),
                of(totals.read, "row"),
                rejected * 100.0
            ));
        }
        let counted = |term: &str| self.intake.counts.iter().find(|count| count.term == term && count.count > 0);
        if let Some(count) = counted(&format!("warned:{}", rules::PATIENT_CHANGED)) {
            cautions.push(format!(
                "{} took the place of a session of another patient that has the same id: do two sites number their \
                 sessions alike? warnings.csv says where.",
                of(count.count, "row")
            ));
        }
        if let Some(count) = counted("unattributed_events") {
            let (events, are) = match count.count {
                1 => ("1 reported event fits".to_owned(), "is"),
                many => (format!("{} reported events fit", whole(many)), "are"),
            };
            cautions.push(format!("{events} no session and so {are} in no rate; warnings.csv says where."));
        }
        if let Some(count) = counted("waiting_events") {
            let (wait, are) = if count.count == 1 { ("waits", "is") } else { ("wait", "are") };
            cautions.push(format!(
                "{} {wait} for a session that has not come yet and so {are} in no rate; warnings.csv says where.",
                of(count.count, "reported event")
            ));
        }
        cautions
    }
}
