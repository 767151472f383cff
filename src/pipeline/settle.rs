//! A pipeline as written → checked, complete and immutable.

use super::spec::{AnalysisSpec, BySpec, DateSpec, PipelineError, Spec, nearest};
use crate::analysis::{self, Analysis, Counted, Counting, Denominator, IntervalMethod, KINDS, Multiplicity, Outcomes};
use crate::bucket::{Access, is_address};
use crate::cube::{CubeKey, Dimension, Facet};
use crate::domain::{Catalogue, Day, EffectId};
use crate::ingest::{Dictionary, without_passwords};
use crate::results::{Policy, Profile};
use crate::stats::Level;
use crate::store::lake::{Home, Store, StoreError};
use crate::store::{Filter, SessionTable, Settled};
use crate::validate::Mapping;
use std::path::{Path, PathBuf};

pub use super::choice::{AsOf, Choice, StoreAt};
pub use super::source::{Named, Source};

/// Gates on the quality of the data.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Gates {
    /// Largest share of rows that may be rejected.
    pub max_rejected: Option<f64>,
    /// Smallest share of sessions that must be assessed.
    pub min_assessed: Option<f64>,
}

/// A pipeline, settled.
#[derive(Debug, Clone)]
pub struct Pipeline {
    /// Names the report's folder.
    pub id: String,
    /// Title for people.
    pub title: String,
    /// The question that the report answers.
    pub question: String,
    /// Nothing after this day is used; `None` = the newest date in the data.
    pub data_cut: Option<Day>,
    /// Where the data is.
    pub sources: Vec<Source>,
    /// A version of a store, in place of files.
    pub store: Option<StoreAt>,
    /// The cohort's `where`, for the report.
    pub cohort_where: Option<String>,
    /// Bytes of memory that may be used, about.
    pub memory: usize,
    /// Gates.
    pub gates: Gates,
    /// Release policy.
    pub policy: Policy,
    /// The side effects, with what the mappings add.
    pub catalogue: Catalogue,
    /// The analyses, `data_quality` always among them.
    pub analyses: Vec<Analysis>,
    /// The pipeline's text, without passwords.
    pub text: String,
}

/// Bytes of memory that are used, about, where nobody says otherwise.
const DEFAULT_MEMORY: usize = 1 << 30;

impl Pipeline {
    /// The cube of the cohort's sessions, undivided.
    #[must_use]
    pub fn cohort(&self) -> CubeKey {
        CubeKey { wheres: self.cohort_where.iter().cloned().collect(), dimensions: Vec::new(), measures: Vec::new() }
    }
}

/// Reads, checks and completes a pipeline file.
///
/// # Errors
/// When the file, a mapping of it or anything in them cannot be used.
pub fn settle(path: &Path) -> Result<Pipeline, PipelineError> {
    settle_with(path, Choice::default())
}

/// Reads, checks and completes a pipeline file whose data may be chosen elsewhere.
///
/// # Errors
/// As [`settle`], and when the store cannot be read.
pub fn settle_with(path: &Path, choice: Choice<'_>) -> Result<Pipeline, PipelineError> {
    let text = std::fs::read_to_string(path).map_err(|source| PipelineError::Unreadable {
        what: "pipeline",
        path: path.to_owned(),
        source,
    })?;
    let spec = Spec::parse(path, &text)?;
    let settling = Settling { path, base: path.parent().unwrap_or(Path::new(".")).to_owned(), spec: &spec, choice };
    settling.pipeline(&text)
}

/// Reads a mapping file.
///
/// # Errors
/// When it cannot be read or is malformed.
pub fn mapping(path: &Path) -> Result<Mapping, PipelineError> {
    let text = std::fs::read_to_string(path).map_err(|source| PipelineError::Unreadable {
        what: "mapping file",
        path: path.to_owned(),
        source,
    })?;
    let mut mapping =
        Mapping::from_toml(&text, &path.display().to_string()).map_err(|error| PipelineError::Mapping {
            message: error.to_string(),
            hint: "`stipple schema mapping` prints every key with its values".to_owned(),
        })?;
    if let Some(named) = mapping.dictionary_file() {
        let file = path.parent().unwrap_or(Path::new("")).join(named);
        mapping.use_dictionary(dictionary(&file)?);
    }
    Ok(mapping)
}

fn dictionary(path: &Path) -> Result<Dictionary, PipelineError> {
    let bytes = std::fs::read(path).map_err(|source| PipelineError::Unreadable {
        what: "data dictionary",
        path: path.to_owned(),
        source,
    })?;
    Dictionary::parse(path, &String::from_utf8_lossy(&bytes))
        .map_err(|error| PipelineError::Mapping { message: error.to_string(), hint: error.remedy() })
}

struct Settling<'a> {
    path: &'a Path,
    base: PathBuf,
    spec: &'a Spec,
    choice: Choice<'a>,
}

impl Settling<'_> {
    fn wrong(&self, key: &str, message: impl Into<String>, hint: impl Into<String>) -> PipelineError {
        PipelineError::Wrong {
            path: self.path.to_owned(),
            key: key.to_owned(),
            message: message.into(),
            hint: hint.into(),
        }
    }

    fn pipeline(&self, text: &str) -> Result<Pipeline, PipelineError> {
        let spec = self.spec;
        if spec.version != 1 {
            let message = format!("version {} of the pipeline language is not known", spec.version);
            return Err(self.wrong("version", message, "this program reads version 1"));
        }
        self.check_id("id", &spec.id)?;
        let store = self.store()?;
        let sources = if self.choice.store.is_some() { Vec::new() } else { self.sources()? };
        let mut catalogue = store.as_ref().map_or_else(Catalogue::built_in, |store| store.batch.catalogue());
        for source in &sources {
            source.mapping.extend(&mut catalogue);
        }
        if catalogue.len() > Settled::MOST_EFFECTS {
            let message = format!("the mappings add up to {} side effects", catalogue.len());
            return Err(self.wrong("source", message, format!("{} at most", Settled::MOST_EFFECTS)));
        }
        let cohort_where = spec.cohort.where_.clone();
        self.check_where("cohort, where", cohort_where.as_deref())?;
        Ok(Pipeline {
            id: spec.id.clone(),
            title: spec.title.clone().unwrap_or_else(|| spec.id.clone()),
            question: spec.question.clone().unwrap_or_default(),
            data_cut: self.data_cut()?,
            analyses: self.analyses(&catalogue)?,
            sources,
            store,
            cohort_where,
            gates: self.gates()?,
            memory: DEFAULT_MEMORY,
            policy: self.policy()?,
            catalogue,
            text: without_passwords(text),
        })
    }

    /// Ids name files: letters, digits, `_` and `-` only.
    fn check_id(&self, key: &str, id: &str) -> Result<(), PipelineError> {
        let fits = !id.is_empty() && id.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        if fits {
            return Ok(());
        }
        Err(self.wrong(key, format!("`{id}` cannot name a file"), "use letters, digits, `_` and `-`"))
    }

    fn data_cut(&self) -> Result<Option<Day>, PipelineError> {
        let text = match &self.spec.data_cut {
            None => return Ok(None),
            Some(DateSpec::Date(date)) => date.to_string(),
            Some(DateSpec::Text(text)) => text.clone(),
        };
        let wrong = || self.wrong("data_cut", format!("`{text}` is not a day"), "write it as 2026-06-30");
        Day::from_iso(&text).map(Some).ok_or_else(wrong)
    }

    fn gates(&self) -> Result<Gates, PipelineError> {
        let quality = &self.spec.quality;
        for (key, share) in [("max_rejected", quality.max_rejected), ("min_assessed", quality.min_assessed)] {
            if share.is_some_and(|share| !(0.0..=1.0).contains(&share)) {
                return Err(self.wrong(&format!("quality, {key}"), "is a share from 0 to 1", "0.02 is 2 %"));
            }
        }
        Ok(Gates { max_rejected: quality.max_rejected, min_assessed: quality.min_assessed })
    }

    fn policy(&self) -> Result<Policy, PipelineError> {
        let name = self.spec.release.profile.as_deref().unwrap_or("none");
        let profile = Profile::from_name(name).ok_or_else(|| {
            let known = Profile::NAMES.join(", ");
            self.wrong("release, profile", format!("there is no profile `{name}`"), format!("known: {known}"))
        })?;
        Ok(Policy { profile })
    }

    /// The version of the store that is read, if one is.
    fn store(&self) -> Result<Option<StoreAt>, PipelineError> {
        let named = self.spec.source.iter().find_map(|source| source.store.as_ref());
        let root = match (self.choice.store, named) {
            (Some(root), _) => root.to_owned(),
            (None, Some(named)) => {
                let files = |source: &super::spec::SourceSpec| {
                    !source.logs.is_empty() || !source.events.is_empty() || !source.assessments.is_empty()
                };
                if self.spec.source.len() > 1 || self.spec.source.iter().any(files) {
                    let message = "a store stands beside files; it holds everything that was ingested";
                    return Err(self.wrong("source, store", message, "ingest the files too, or name files only"));
                }
                if is_address(named) { PathBuf::from(named) } else { self.base.join(named) }
            }
            (None, None) if self.choice.as_of.is_some() => {
                let message = "--as-of needs a store, but the pipeline reads files";
                return Err(self.wrong("source", message, "name the store with --store, or with [source] store"));
            }
            (None, None) => return Ok(None),
        };
        let refused = |source: StoreError| PipelineError::Store { hint: source.remedy(), source };
        let home = Home::at(&root, &self.access()).map_err(refused)?;
        let store = Store::open(&home).map_err(refused)?;
        let batch = match self.choice.as_of {
            None => Ok(store.latest().clone()),
            Some(AsOf::Version(version)) => store.at(version),
            Some(AsOf::Day(day)) => store.on(day),
        };
        Ok(Some(StoreAt { home, batch: batch.map_err(refused)? }))
    }

    fn access(&self) -> Access {
        self.choice.access.cloned().unwrap_or_default()
    }

    fn sources(&self) -> Result<Vec<Source>, PipelineError> {
        let mut sources = Vec::new();
        for spec in &self.spec.source {
            let mapping = match &spec.mapping {
                Some(file) => mapping(&self.base.join(file))?,
                None => Mapping::default(),
            };
            let named = Named { logs: &spec.logs, events: &spec.events, assessments: &spec.assessments };
            let source =
                Source::find_with(&self.base, named, (mapping, &self.access())).map_err(|(key, unfound)| {
                    let key = format!("source, {key}");
                    if unfound.failed {
                        return PipelineError::Failed { path: self.path.to_owned(), key, message: unfound.reason };
                    }
                    self.wrong(&key, unfound.reason, "paths are relative to the pipeline file")
                })?;
            sources.push(source);
        }
        let reads_store = self.spec.source.iter().any(|source| source.store.is_some());
        if !reads_store && sources.iter().all(|source| source.logs.is_empty()) {
            return Err(self.wrong("source, logs", "no session log is named", "logs = [\"my_sessions.csv\"]"));
        }
        Ok(sources)
    }

    fn check_where(&self, key: &str, text: Option<&str>) -> Result<(), PipelineError> {
        let Some(text) = text else { return Ok(()) };
        match Filter::parse(text) {
            Ok(_) => Ok(()),
            Err(error) => {
                let known = known_columns();
                let hint = match &error {
                    crate::store::FilterError::UnknownColumn { column, .. } => near_column(column, &known),
                    _ => "such as \"setting = 'professional' AND fitzpatrick IS NOT NULL\"".to_owned(),
                };
                Err(self.wrong(key, error.to_string(), hint))
            }
        }
    }

    fn analyses(&self, catalogue: &Catalogue) -> Result<Vec<Analysis>, PipelineError> {
        let mut analyses: Vec<Analysis> = Vec::new();
        for spec in &self.spec.analysis {
            let analysis = OneAnalysis { settling: self, spec, catalogue }.settle()?;
            if analyses.iter().any(|known| known.id == analysis.id) {
                let message = format!("the id `{}` is used twice", spec.id);
                return Err(self.wrong("analysis, id", message, "ids name rows and files: each once"));
            }
            analyses.push(analysis);
        }
        if !analyses.iter().any(|analysis| analysis.kind.name == "data_quality") {
            let spec: AnalysisSpec = AnalysisSpec::data_quality(&analyses);
            analyses.push(OneAnalysis { settling: self, spec: &spec, catalogue }.settle()?);
        }
        Ok(analyses)
    }
}

impl AnalysisSpec {
    /// The analysis that every report has.
    fn data_quality(others: &[Analysis]) -> AnalysisSpec {
        let taken = others.iter().any(|analysis| analysis.id == "data_quality");
        AnalysisSpec {
            id: if taken { "data_quality_of_the_run" } else { "data_quality" }.to_owned(),
            kind: "data_quality".to_owned(),
            title: None,
            outcomes: None,
            by: None,
            over: None,
            reference: None,
            adjust: None,
            between: None,
            exposed: None,
            where_: None,
            denominator: None,
            counted: None,
            interval: None,
            level: None,
            multiplicity: None,
        }
    }
}

struct OneAnalysis<'a> {
    settling: &'a Settling<'a>,
    spec: &'a AnalysisSpec,
    catalogue: &'a Catalogue,
}

impl OneAnalysis<'_> {
    fn wrong(&self, key: &str, message: impl Into<String>, hint: impl Into<String>) -> PipelineError {
        self.settling.wrong(&format!("analysis \"{}\", {key}", self.spec.id), message, hint)
    }

    fn settle(&self) -> Result<Analysis, PipelineError> {
        let spec = self.spec;
        self.settling.check_id("analysis, id", &spec.id)?;
        let kind = analysis::kind(&spec.kind).ok_or_else(|| {
            let known: Vec<&str> = KINDS.iter().map(|kind| kind.name).collect();
            let near = nearest(&spec.kind, &known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
            let message = format!("there is no kind `{}`", spec.kind);
            self.wrong("kind", message, format!("{near}known kinds: {}", known.join(", ")))
        })?;
        for key in spec.own_keys() {
            if !kind.keys.contains(&key) {
                let message = format!("`{}` does not take this key", kind.name);
                return Err(self.wrong(key, message, format!("it takes {}", kind.keys.join(", "))));
            }
        }
        for key in kind.required {
            if !spec.own_keys().contains(key) {
                return Err(self.wrong(key, "is missing", format!("`{}` cannot do without it", kind.name)));
            }
        }
        self.settling.check_where(&format!("analysis \"{}\", where", spec.id), spec.where_.as_deref())?;
        let cohort = self.settling.spec.cohort.where_.iter();
        Ok(Analysis {
            id: spec.id.clone(),
            title: spec.title.clone().unwrap_or_else(|| spec.id.replace('_', " ")),
            kind,
            outcomes: self.outcomes()?,
            by: spec.by.iter().flatten().map(|by| self.dimension("by", by)).collect::<Result<_, _>>()?,
            over: spec.over.as_ref().map(|over| self.followed(over)).transpose()?,
            reference: self.level("reference", spec.reference.as_ref())?,
            adjust: spec.adjust.iter().flatten().map(|name| self.adjust(name)).collect::<Result<_, _>>()?,
            between: spec.between.as_ref().map(|between| self.dimension("between", between)).transpose()?,
            exposed: self.exposed()?,
            counting: self.counting()?,
            wheres: cohort.chain(&spec.where_).cloned().collect(),
            multiplicity: self.multiplicity()?,
        })
    }

    fn outcomes(&self) -> Result<Outcomes, PipelineError> {
        let codes = match &self.spec.outcomes {
            None => return Ok(Outcomes::All),
            Some(codes) if codes.iter().any(|code| code == "all") => return Ok(Outcomes::All),
            Some(codes) => codes,
        };
        if codes.is_empty() {
            return Err(self.wrong("outcomes", "names no side effect", "such as [\"pih\"] or [\"all\"]"));
        }
        let known: Vec<&str> = self.catalogue.ids().map(|id| self.catalogue.get(id).code.as_str()).collect();
        let find = |code: &String| -> Result<EffectId, PipelineError> {
            self.catalogue.find(code).ok_or_else(|| {
                let hint = match nearest(code, &known) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => "`stipple vocabulary` lists the codes".to_owned(),
                };
                self.wrong("outcomes", format!("there is no side effect `{code}`"), hint)
            })
        };
        codes.iter().map(find).collect::<Result<_, _>>().map(Outcomes::These)
    }

    fn dimension(&self, key: &str, by: &BySpec) -> Result<Dimension, PipelineError> {
        let dimension = Dimension { column: by.column.clone(), edges: by.edges.clone() };
        match dimension.labels(&SessionTable::default()) {
            Ok(_) => Ok(dimension),
            Err(error) => Err(self.wrong(key, error.to_string(), near_column(&by.column, &known_columns()))),
        }
    }

    /// The column that a trend follows has an order of its own: a rising or falling line over clinics says nothing.
    fn followed(&self, over: &BySpec) -> Result<Dimension, PipelineError> {
        let dimension = self.dimension("over", over)?;
        if dimension.is_ordered() {
            return Ok(dimension);
        }
        let hint = "follow a skin type, months, a whole number, or a number with bands; to compare groups use the kind `contrast`, \
                    or `side_effect_rates` with `by`";
        Err(self.wrong("over", format!("`{}` has no order that a trend could follow", over.column), hint))
    }

    /// A level of a coded column or of bands is checked before any data is read.
    fn level(&self, key: &str, level: Option<&String>) -> Result<Option<String>, PipelineError> {
        let (Some(level), Some(of)) = (level, self.spec.over.as_ref().or(self.spec.between.as_ref())) else {
            return Ok(level.cloned());
        };
        let texts = self.dimension(key, of)?.labels(&SessionTable::default()).map(|labels| labels.texts);
        let known = texts.unwrap_or_default();
        if known.is_empty() || known.contains(level) {
            return Ok(Some(level.clone()));
        }
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        Err(self.unknown(key, level, &known))
    }

    fn exposed(&self) -> Result<Option<String>, PipelineError> {
        let exposed = self.level("exposed", self.spec.exposed.as_ref())?;
        if exposed.is_some() && exposed == self.spec.reference {
            let message = "is the reference too: a group cannot be compared with itself";
            return Err(self.wrong("exposed", message, "name two different values of the column `between`"));
        }
        Ok(exposed)
    }

    fn adjust(&self, name: &str) -> Result<String, PipelineError> {
        if self.spec.over.as_ref().is_some_and(|over| Dimension::are_one_column(&over.column, name)) {
            let message = format!("`{name}` is the column that is followed (over)");
            return Err(self.wrong(
                "adjust",
                message,
                "name other columns; a model cannot allow for what it asks about",
            ));
        }
        match Facet::column(name) {
            Some(Facet::Level(dimension)) if dimension.is_days() => {
                let message = format!("`{name}` would add a term for every day");
                Err(self.wrong("adjust", message, "name columns with numbers or codes"))
            }
            Some(_) => Ok(name.to_owned()),
            None => {
                let message = format!("a session has no column `{name}`");
                Err(self.wrong("adjust", message, near_column(name, &known_columns())))
            }
        }
    }

    fn counting(&self) -> Result<Counting, PipelineError> {
        let cohort = &self.settling.spec.cohort;
        let denominator = self.spec.denominator.as_ref().or(cohort.denominator.as_ref());
        let denominator = match denominator.map_or("assessed", String::as_str) {
            "assessed" => Denominator::Assessed,
            "all_sessions" => Denominator::AllSessions,
            other => return Err(self.unknown("denominator", other, &["assessed", "all_sessions"])),
        };
        let counted = match self.spec.counted.as_ref().or(cohort.counted.as_ref()).map_or("sessions", String::as_str) {
            "sessions" => Counted::Sessions,
            "patients" => Counted::Patients,
            other => return Err(self.unknown("counted", other, &["sessions", "patients"])),
        };
        let interval = self.spec.interval.as_deref().unwrap_or("wilson_rao_scott");
        let interval = IntervalMethod::from_id(interval)
            .ok_or_else(|| self.unknown("interval", interval, &IntervalMethod::ids()))?;
        let level = self.spec.level.unwrap_or(0.95);
        let level = Level::new(level)
            .ok_or_else(|| self.wrong("level", format!("{level} is not between 0 and 1"), "0.95 is 95 %"))?;
        Ok(Counting { denominator, counted, interval, level })
    }

    fn multiplicity(&self) -> Result<Multiplicity, PipelineError> {
        match self.spec.multiplicity.as_deref().unwrap_or("benjamini_hochberg") {
            "benjamini_hochberg" => Ok(Multiplicity::BenjaminiHochberg),
            "holm" => Ok(Multiplicity::Holm),
            other => Err(self.unknown("multiplicity", other, &["benjamini_hochberg", "holm"])),
        }
    }

    fn unknown(&self, key: &str, value: &str, known: &[&str]) -> PipelineError {
        let near = nearest(value, known).map(|near| format!("did you mean `{near}`? ")).unwrap_or_default();
        self.wrong(key, format!("`{value}` is not known"), format!("{near}known: {}", known.join(", ")))
    }
}

fn known_columns() -> Vec<String> {
    SessionTable::default().column_names().map(str::to_owned).collect()
}

fn near_column(unknown: &str, known: &[String]) -> String {
    let known: Vec<&str> = known.iter().map(String::as_str).collect();
    match nearest(unknown, &known) {
        Some(near) if near != unknown => format!("did you mean `{near}`?"),
        _ => "`stipple schema pipeline` lists the columns".to_owned(),
    }
}
