//! Rows of an events file.

use super::cells::{Cell, CodeCell, DateCell, GradeCell, Row, TextCell, need};
use super::duplicates::{Fingerprint, Values};
use super::frame::Frame;
use super::header::{HeaderError, Ignored};
use super::mapping::Mapping;
use super::outcome::{Complaint, Judged, Problem};
use super::plan::Plan;
use super::rules;
use super::side_effects::{Term, Terms, is_ongoing, verbatim};
use crate::domain::codes::{BodyArea, YesNo};
use crate::domain::{Catalogue, Day, Event, Link, ReportedEffect, Resolution, Table};
use crate::ingest::RawBatch;

/// Judges the rows of one events file; may be shared between threads.
pub struct EventJudge {
    frame: Frame,
    ignored: Vec<Ignored>,
    cells: Cells,
    terms: Terms,
}

struct Cells {
    session_id: TextCell,
    patient_id: TextCell,
    body_area: CodeCell<BodyArea>,
    side_effect: Cell,
    grade: GradeCell,
    onset_date: DateCell,
    resolved_date: DateCell,
    serious: CodeCell<YesNo>,
    verbatim: TextCell,
    imdrf_code: TextCell,
    reported_date: DateCell,
}

impl EventJudge {
    /// Settles the columns of a header. `catalogue` holds the site's side effects too ([`Mapping::extend`]).
    ///
    /// # Errors
    /// When columns are missing or two headers fit one column.
    pub fn new(header: &[String], mapping: &Mapping, catalogue: &Catalogue) -> Result<EventJudge, HeaderError> {
        let mut plan = Plan::new(header, mapping, Table::Events);
        let cells = Cells::plan(&mut plan);
        if plan.is_absent("session_id") && plan.is_absent("patient_id") {
            plan.lacks("session_id");
        }
        let (frame, ignored) = plan.finish()?;
        Ok(EventJudge { frame, ignored, cells, terms: Terms::new(catalogue, &mapping.terms) })
    }

    /// Headers that nothing maps.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Judges a batch.
    #[must_use]
    pub fn judge(&self, batch: &RawBatch) -> Judged<Event> {
        let fingerprint = |event: &Event, values: &mut Values| Fingerprint::of_event(event, &self.terms, values);
        self.frame.judge(batch, |row, remarks| self.event(row, remarks), fingerprint)
    }

    fn event(&self, row: &Row<'_>, remarks: &mut Vec<Complaint>) -> Result<Event, Complaint> {
        let cells = &self.cells;
        let onset = cells.onset_date.read(row)?;
        let link = cells.link(row, onset)?;
        let reported = self.effect(row)?;
        let effect =
            ReportedEffect { grade: cells.grade.read(row)?, onset, resolution: cells.resolution(row)?, ..reported };
        self.terms.check(&effect).map_err(|problem| {
            let column = if problem.rule == rules::GRADE_NOT_ALLOWED { "grade" } else { "resolved_date" };
            Complaint::bare(problem.rule, column, problem.hint)
        })?;
        if effect.effect == Catalogue::UNCODED {
            let hint = "not a known side effect; kept as uncoded. Map it in [side_effects] of the mapping file";
            let term = effect.verbatim.as_deref().unwrap_or(Catalogue::UNCODED_CODE);
            remarks.push(Problem::new(rules::UNCODED_TERM, hint).of("side_effect", term));
        }
        let words = cells.verbatim.read(row)?.map(|words| row.redact(&words));
        Ok(Event {
            link,
            effect: effect.effect,
            grade: effect.grade,
            onset,
            resolution: effect.resolution,
            serious: cells.serious.read(row)?.map(|answer| answer == YesNo::Yes),
            verbatim: effect.verbatim.or(words),
            imdrf_code: cells.imdrf_code.read(row)?,
            reported: cells.reported_date.read(row)?,
        })
    }

    fn effect(&self, row: &Row<'_>) -> Result<ReportedEffect, Complaint> {
        let cell = &self.cells.side_effect;
        let term = need(cell.get(row)?, cell.column)?;
        let (effect, verbatim) = match self.terms.find(&term) {
            Some(Term::Effect(effect)) => (effect, None),
            None => (Catalogue::UNCODED, Some(verbatim(row, &term))),
            Some(Term::None) => {
                let hint = "an events file lists what happened; leave the row out, and write «none» in the session log";
                return Err(Problem::new(rules::NOT_AN_EVENT, hint).of(cell.column, &term));
            }
        };
        Ok(ReportedEffect { effect, verbatim, grade: None, onset: None, resolution: Resolution::NotStated })
    }
}

impl Cells {
    fn plan(plan: &mut Plan<'_>) -> Cells {
        Cells {
            session_id: plan.text("session_id"),
            patient_id: plan.text("patient_id"),
            body_area: plan.code("body_area", BodyArea::ALL),
            side_effect: plan.cell("side_effect"),
            grade: plan.grade("grade"),
            onset_date: plan.date("onset_date"),
            resolved_date: plan.date("resolved_date"),
            serious: plan.code("serious", YesNo::ALL),
            verbatim: plan.verbatim("verbatim"),
            imdrf_code: plan.text("imdrf_code"),
            reported_date: plan.date("reported_date"),
        }
    }

    /// The session, else the patient; without a session the onset decides, so it must be there.
    fn link(&self, row: &Row<'_>, onset: Option<Day>) -> Result<Link, Complaint> {
        let body_area = self.body_area.read(row)?;
        let patient_id = self.patient_id.read(row)?;
        if let Some(session_id) = self.session_id.read(row)? {
            return Ok(Link::Session { session_id, patient_id });
        }
        match (patient_id, onset) {
            (Some(patient_id), Some(_)) => Ok(Link::Patient { patient_id, body_area }),
            (patient_id, _) => {
                let column = if patient_id.is_some() { "onset_date" } else { "session_id" };
                let hint = "give session_id, or patient_id and onset_date";
                Err(Complaint::bare(rules::NO_SESSION_OR_PATIENT, column, hint))
            }
        }
    }

    fn resolution(&self, row: &Row<'_>) -> Result<Resolution, Complaint> {
        let ongoing = self.resolved_date.cell.get(row)?.is_some_and(|text| is_ongoing(&text));
        if ongoing {
            return Ok(Resolution::Ongoing);
        }
        Ok(self.resolved_date.read(row)?.map_or(Resolution::NotStated, Resolution::On))
    }
}
