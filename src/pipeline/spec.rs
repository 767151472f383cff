//! The pipeline file as written. Unknown keys are refused with the nearest known one.

use crate::ingest::without_passwords;
use crate::store::lake::StoreError;
use serde::de::value::{MapAccessDeserializer, SeqAccessDeserializer};
use serde::de::{MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use thiserror::Error;

/// Why a pipeline cannot be used.
#[derive(Debug, Error)]
pub enum PipelineError {
    /// The file cannot be read.
    #[error("cannot read the {what} {path}: {source}")]
    Unreadable {
        /// Pipeline or mapping file.
        what: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is not TOML, or has a key or a value that a pipeline does not have.
    #[error("{path}, line {line}: {message}")]
    Malformed {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// A value does not make sense.
    #[error("{path}, {key}: {message}")]
    Wrong {
        /// The file.
        path: PathBuf,
        /// Where, such as `analysis "rates", by`.
        key: String,
        /// What is wrong.
        message: String,
        /// What to do.
        hint: String,
    },
    /// What it names cannot be reached.
    #[error("{path}, {key}: {message}")]
    Failed {
        /// The file.
        path: PathBuf,
        /// Where, such as `source, logs`.
        key: String,
        /// What failed.
        message: String,
    },
    /// The store cannot be read.
    #[error("{source}")]
    Store {
        /// Why.
        source: StoreError,
        /// What to do.
        hint: String,
    },
    /// A mapping file cannot be used.
    #[error("{message}")]
    Mapping {
        /// What is wrong, with its place.
        message: String,
        /// What to do.
        hint: String,
    },
}

impl PipelineError {
    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> &str {
        match self {
            PipelineError::Unreadable { .. } => "check the path, and that it is a text file in TOML",
            PipelineError::Failed { .. } => "try again, or look at the network and the permissions",
            PipelineError::Malformed { hint, .. }
            | PipelineError::Wrong { hint, .. }
            | PipelineError::Store { hint, .. }
            | PipelineError::Mapping { hint, .. } => hint,
        }
    }
}

/// A pipeline file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// Version of the pipeline language: 1.
    pub version: u32,
    /// Names the report's folder.
    pub id: String,
    /// Title for people.
    #[serde(default)]
    pub title: Option<String>,
    /// The question that the report answers.
    #[serde(default)]
    pub question: Option<String>,
    /// Nothing after this day is used.
    #[serde(default)]
    pub data_cut: Option<DateSpec>,
    /// Where the data is: one table, or an array of tables, each with a mapping of its own.
    #[serde(default, deserialize_with = "one_or_many")]
    pub source: Vec<SourceSpec>,
    /// Which sessions, counted how.
    #[serde(default)]
    pub cohort: CohortSpec,
    /// Gates.
    #[serde(default)]
    pub quality: QualitySpec,
    /// Small-number policy.
    #[serde(default)]
    pub release: ReleaseSpec,
    /// The analyses.
    #[serde(default)]
    pub analysis: Vec<AnalysisSpec>,
}

/// A TOML date, or a text `2026-06-30`.
#[derive(Debug, Clone, Deserialize)]
#[serde(untagged)]
pub enum DateSpec {
    /// `2026-06-30`
    Date(toml::value::Datetime),
    /// `"2026-06-30"`
    Text(String),
}

/// One source of data.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourceSpec {
    /// Session logs: paths or patterns.
    #[serde(default)]
    pub logs: Vec<String>,
    /// A store, in place of files.
    #[serde(default)]
    pub store: Option<String>,
    /// Events files: paths or patterns.
    #[serde(default)]
    pub events: Vec<String>,
    /// Assessments files: paths or patterns.
    #[serde(default)]
    pub assessments: Vec<String>,
    /// Mapping file.
    #[serde(default)]
    pub mapping: Option<String>,
}

/// `[cohort]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CohortSpec {
    /// SQL expression over the columns of a session.
    #[serde(rename = "where", default)]
    pub where_: Option<String>,
    /// `assessed` or `all_sessions`.
    #[serde(default)]
    pub denominator: Option<String>,
    /// `sessions` or `patients`.
    #[serde(default)]
    pub counted: Option<String>,
}

/// `[quality]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct QualitySpec {
    /// Largest share of rows that may be rejected.
    #[serde(default)]
    pub max_rejected: Option<f64>,
    /// Smallest share of sessions that must be assessed.
    #[serde(default)]
    pub min_assessed: Option<f64>,
}

/// `[release]`.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReleaseSpec {
    /// Small-number profile.
    #[serde(default)]
    pub profile: Option<String>,
}

/// `[[analysis]]`.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(missing_docs, reason = "each key is described in `pipeline::reference::ANALYSIS_KEYS`")]
pub struct AnalysisSpec {
    pub id: String,
    pub kind: String,
    pub title: Option<String>,
    pub outcomes: Option<Vec<String>>,
    pub by: Option<Vec<BySpec>>,
    pub over: Option<BySpec>,
    pub reference: Option<String>,
    pub adjust: Option<Vec<String>>,
    pub between: Option<BySpec>,
    pub exposed: Option<String>,
    #[serde(rename = "where")]
    pub where_: Option<String>,
    pub denominator: Option<String>,
    pub counted: Option<String>,
    pub interval: Option<String>,
    pub level: Option<f64>,
    pub multiplicity: Option<String>,
}

impl AnalysisSpec {
    /// Keys that are set beside the ones that every kind takes.
    #[must_use]
    pub fn own_keys(&self) -> Vec<&'static str> {
        let set = [
            ("outcomes", self.outcomes.is_some()),
            ("by", self.by.is_some()),
            ("over", self.over.is_some()),
            ("reference", self.reference.is_some()),
            ("adjust", self.adjust.is_some()),
            ("between", self.between.is_some()),
            ("exposed", self.exposed.is_some()),
            ("multiplicity", self.multiplicity.is_some()),
        ];
        set.into_iter().filter(|(_, set)| *set).map(|(key, _)| key).collect()
    }
}

/// A column, or bands of a numeric one: `"modality"` or `{ needle_depth_mm = [0.5, 1.0] }`.
#[derive(Debug, Clone, PartialEq)]
pub struct BySpec {
    /// The column.
    pub column: String,
    /// Band edges; empty = by value.
    pub edges: Vec<f64>,
}

impl<'de> Deserialize<'de> for BySpec {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct ByVisitor;
        impl<'de> Visitor<'de> for ByVisitor {
            type Value = BySpec;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a column such as \"modality\", or bands such as { needle_depth_mm = [0.5, 1.0] }")
            }

            fn visit_str<E: serde::de::Error>(self, column: &str) -> Result<BySpec, E> {
                Ok(BySpec { column: column.to_owned(), edges: Vec::new() })
            }

            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<BySpec, A::Error> {
                let bands = BTreeMap::<String, Vec<f64>>::deserialize(MapAccessDeserializer::new(map))?;
                let mut bands = bands.into_iter();
                match (bands.next(), bands.next()) {
                    (Some((column, edges)), None) if !edges.is_empty() => Ok(BySpec { column, edges }),
                    _ => Err(serde::de::Error::custom("bands name one column and at least one edge")),
                }
            }
        }
        deserializer.deserialize_any(ByVisitor)
    }
}

fn one_or_many<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SourceSpec>, D::Error> {
    struct Sources;
    impl<'de> Visitor<'de> for Sources {
        type Value = Vec<SourceSpec>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a table [source] or an array of tables [[source]]")
        }

        fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
            SourceSpec::deserialize(MapAccessDeserializer::new(map)).map(|source| vec![source])
        }

        fn visit_seq<A: SeqAccess<'de>>(self, sequence: A) -> Result<Self::Value, A::Error> {
            Vec::deserialize(SeqAccessDeserializer::new(sequence))
        }
    }
    deserializer.deserialize_any(Sources)
}

impl Spec {
    /// Reads the text of a pipeline file.
    ///
    /// # Errors
    /// When it is not TOML, or a key or value does not belong there; with the line and the nearest known key.
    pub fn parse(path: &Path, text: &str) -> Result<Spec, PipelineError> {
        toml::from_str(text).map_err(|error| malformed(path, text, &error))
    }
}

fn malformed(path: &Path, text: &str, error: &toml::de::Error) -> PipelineError {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.as_bytes()[..at].iter().filter(|byte| **byte == b'\n').count() + 1;
    let message = without_passwords(error.message().lines().next().unwrap_or_default());
    PipelineError::Malformed { path: path.to_owned(), line, hint: hint(&message), message }
}

/// «unknown field `x`, expected one of `a`, `b`» → the nearest of them.
fn hint(message: &str) -> String {
    let quoted: Vec<&str> = message.split('`').skip(1).step_by(2).collect();
    match quoted.split_first() {
        Some((unknown, known)) if message.starts_with("unknown field") => match nearest(unknown, known) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("known keys: {}", known.join(", ")),
        },
        _ => "`stipple schema pipeline` prints every key with its values".to_owned(),
    }
}

/// The known word nearest to one that is not known, where one is near.
#[must_use]
pub fn nearest<'a>(unknown: &str, known: &[&'a str]) -> Option<&'a str> {
    let distance = |word: &str| strsim::damerau_levenshtein(&unknown.to_lowercase(), word);
    let near = known.iter().copied().min_by_key(|word| distance(word))?;
    // `clinic` for `clinic_id`, `depth` for `needle_depth_mm`.
    let part_of = || known.iter().copied().find(|word| word.split('_').any(|part| part == unknown.to_lowercase()));
    if distance(near) <= 2.max(unknown.len() / 3) { Some(near) } else { part_of() }
}
