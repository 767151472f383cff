//! Judges the sample under the proposed mapping, as `stipple check` would, and tells what would be accepted.

use super::{InitError, Named};
use crate::domain::{Catalogue, FileId, Table};
use crate::ingest::{self, RawBatch, Records};
use crate::pipeline::load::LoadError;
use crate::validate::propose::{Proposal, SAMPLE_RECORDS};
use crate::validate::{AssessmentJudge, EventJudge, HeaderError, Judged, Mapping, Rejection, SessionJudge};
use std::collections::BTreeMap;

/// What a check of one file's sample says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Trial {
    /// The file.
    pub file: String,
    /// Rows judged.
    pub read: u64,
    /// Rows that would be accepted.
    pub accepted: u64,
    /// Whether it holds only once the missing columns are filled in.
    pub with_stand_ins: bool,
    /// Rules by which rows would be refused: rule, column, how many; the most frequent first.
    pub refused: Vec<(&'static str, String, u64)>,
}

pub(super) fn run(files: &[Named<'_>], proposal: &Proposal) -> Result<Vec<Trial>, InitError> {
    let as_written = Mapping::from_toml(&proposal.text, super::MAPPING_FILE)?;
    let filled = Mapping::from_toml(&proposal.trial, super::MAPPING_FILE)?;
    let mut trials = Vec::new();
    for (named, summary) in files.iter().zip(&proposal.files) {
        let with_stand_ins = !summary.missing.is_empty();
        let mapping = if with_stand_ins { &filled } else { &as_written };
        trials.push(Trial { with_stand_ins, ..judged(named, mapping)? });
    }
    Ok(trials)
}

fn judged(named: &Named<'_>, mapping: &Mapping) -> Result<Trial, InitError> {
    let (path, table) = (named.path, named.table);
    let mut catalogue = Catalogue::built_in();
    mapping.extend(&mut catalogue);
    let unreadable = |source| LoadError::Ingest { file: path.to_owned(), source };
    let wrong_header = |source: HeaderError| LoadError::Header { file: path.to_owned(), source };
    let mut records = named.at.open(FileId(0), &mapping.read_options(table)).map_err(unreadable)?;
    let header = records.header().to_vec();
    let mut tally = Tally { trial: Trial { file: path.to_owned(), ..Trial::default() }, rules: BTreeMap::new() };
    let done = match table {
        Table::Sessions => {
            let judge = SessionJudge::new(&header, mapping, &catalogue).map_err(wrong_header)?;
            tally.walk(records.as_mut(), |batch| judge.judge(batch))
        }
        Table::Events => {
            let judge = EventJudge::new(&header, mapping, &catalogue).map_err(wrong_header)?;
            tally.walk(records.as_mut(), |batch| judge.judge(batch))
        }
        Table::Assessments => {
            let judge = AssessmentJudge::new(&header, mapping, &catalogue).map_err(wrong_header)?;
            tally.walk(records.as_mut(), |batch| judge.judge(batch))
        }
    };
    done.map_err(unreadable)?;
    Ok(tally.finish())
}

struct Tally {
    trial: Trial,
    rules: BTreeMap<(&'static str, String), u64>,
}

impl Tally {
    fn walk<T>(
        &mut self,
        records: &mut dyn Records,
        judge: impl Fn(&RawBatch) -> Judged<T>,
    ) -> Result<(), ingest::IngestError> {
        while let Some(batch) = records.next_batch()? {
            let judged = judge(&batch);
            self.trial.read += judged.read;
            self.trial.accepted += judged.accepted.len() as u64;
            judged.rejected.into_iter().for_each(|rejection| self.add(rejection));
            if self.trial.read >= SAMPLE_RECORDS {
                break;
            }
        }
        Ok(())
    }

    fn add(&mut self, rejection: Rejection) {
        *self.rules.entry((rejection.rule, rejection.column.unwrap_or_default())).or_default() += 1;
    }

    fn finish(mut self) -> Trial {
        let refused = self.rules.into_iter().map(|((rule, column), count)| (rule, column, count));
        self.trial.refused = refused.collect();
        self.trial.refused.sort_by_key(|(.., count)| std::cmp::Reverse(*count));
        self.trial
    }
}
