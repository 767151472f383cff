//! Proposes a mapping from what stands in a clinic's own files: headers and values in, the text of a mapping file with
//! the evidence of every line out. Opens no file. What it is unsure of is marked so, or stays a comment; no patient
//! identifier and nobody's own words are written.

mod assign;
mod coded;
mod draft;
mod fit;
mod headers;
mod lexicon;
mod page;
mod settings;
mod survey;
mod units;

pub use draft::FileSummary;
pub use survey::{Opening, SAMPLE_RECORDS, Survey};

use coded::Coded;
use draft::Draft;
use lexicon::Lexicon;
use page::Page;

/// A proposed mapping.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The text of the mapping file.
    pub text: String,
    /// The same with stand-ins for what only a person can fill in, so that the rest can be judged.
    pub trial: String,
    /// What was proposed, file by file.
    pub files: Vec<FileSummary>,
    /// Canonical columns of the session log that something feeds.
    pub fed: Vec<&'static str>,
}

/// Proposes a mapping. The session log comes first; an events and an assessments file may follow.
#[must_use]
pub fn propose(log: &Survey, others: &[Survey]) -> Proposal {
    let lexicon = Lexicon::built_in();
    let drafts: Vec<Draft<'_>> =
        std::iter::once(log).chain(others).map(|survey| Draft::new(survey, &lexicon)).collect();
    let (text, files) = written(&drafts, &lexicon, false);
    let (trial, _) = written(&drafts, &lexicon, true);
    let columns = log.table.columns().iter().map(|column| column.name);
    let fed = columns.filter(|name| drafts[0].feeds(name)).collect();
    Proposal { text, trial, files, fed }
}

fn written(drafts: &[Draft<'_>], lexicon: &Lexicon, trial: bool) -> (String, Vec<FileSummary>) {
    let mut page = Page::default();
    let [log, others @ ..] = drafts else { return (String::new(), Vec::new()) };
    let names: Vec<String> =
        drafts.iter().map(|draft| format!("{} ({} records)", draft.survey.file, draft.survey.records)).collect();
    page.remark(&format!("Proposed by `stipple init` from {}.", names.join(", ")));
    page.remark("Read every line that says TODO or unsure; `stipple schema mapping` explains the keys.");
    page.line("version = 1", "");
    let mut files = vec![file(&mut page, (log, log), lexicon, trial)];
    let unknown = terms(&mut page, drafts, lexicon);
    files[0].unknown_values += unknown;
    files.extend(others.iter().map(|draft| file(&mut page, (draft, log), lexicon, trial)));
    (page.text, files)
}

fn file(page: &mut Page, (draft, first): (&Draft<'_>, &Draft<'_>), lexicon: &Lexicon, trial: bool) -> FileSummary {
    let open = draft.read(page, first, lexicon);
    let mut summary = draft.columns(page, lexicon, trial);
    summary.open = open;
    draft.values(page, lexicon, &mut summary);
    summary
}

/// `[side_effects]`: the terms of all files; answers how many are not known.
fn terms(page: &mut Page, drafts: &[Draft<'_>], lexicon: &Lexicon) -> usize {
    let mut all = Coded::default();
    let mut column = None;
    for (coded, of) in drafts.iter().filter_map(|draft| draft.terms(lexicon)) {
        all.join(coded);
        column = column.or(Some(of));
    }
    let Some(column) = column.filter(|_| !all.is_empty()) else { return 0 };
    page.table("side_effects");
    page.remark("their term = code; a term that is not listed is kept and counted as uncoded");
    draft::entries(page, &all, column);
    all.unknown.len() + all.hidden
}
