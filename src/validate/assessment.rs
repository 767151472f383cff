//! Rows of an assessments file.

use super::cells::{Cell, CodeCell, DateCell, NumberCell, Row, TextCell, need};
use super::duplicates::Fingerprint;
use super::frame::Frame;
use super::header::{HeaderError, Ignored};
use super::mapping::Mapping;
use super::outcome::{Complaint, Judged, Problem};
use super::plan::Plan;
use super::rules;
use super::spelling::{fold, nearest};
use crate::domain::codes::Side;
use crate::domain::{Assessment, Catalogue, Scale, Table};
use crate::ingest::RawBatch;

/// Judges the rows of one assessments file; may be shared between threads.
pub struct AssessmentJudge {
    frame: Frame,
    ignored: Vec<Ignored>,
    cells: Cells,
    scales: Vec<Scale>,
}

struct Cells {
    patient_id: TextCell,
    session_id: TextCell,
    side: CodeCell<Side>,
    assessment_date: DateCell,
    scale: Cell,
    score: NumberCell,
    rater: TextCell,
}

impl AssessmentJudge {
    /// Settles the columns of a header. The catalogue is taken as the other judges take it; scores name no side effect.
    ///
    /// # Errors
    /// When columns are missing or two headers fit one column.
    pub fn new(header: &[String], mapping: &Mapping, _catalogue: &Catalogue) -> Result<AssessmentJudge, HeaderError> {
        let mut plan = Plan::new(header, mapping, Table::Assessments);
        let cells = Cells {
            patient_id: plan.text("patient_id"),
            session_id: plan.text("session_id"),
            side: plan.code("side", Side::ALL),
            assessment_date: plan.date("assessment_date"),
            scale: plan.cell("scale"),
            score: plan.number("score"),
            rater: plan.text("rater"),
        };
        let (frame, ignored) = plan.finish()?;
        Ok(AssessmentJudge { frame, ignored, cells, scales: mapping.scales() })
    }

    /// Headers that nothing maps.
    #[must_use]
    pub fn ignored(&self) -> &[Ignored] {
        &self.ignored
    }

    /// Judges a batch.
    #[must_use]
    pub fn judge(&self, batch: &RawBatch) -> Judged<Assessment> {
        self.frame.judge(batch, |row, _| self.assessment(row), Fingerprint::of_assessment)
    }

    fn assessment(&self, row: &Row<'_>) -> Result<Assessment, Complaint> {
        let cells = &self.cells;
        let patient_id = need(cells.patient_id.read(row)?, "patient_id")?;
        let session_id = cells.session_id.read(row)?;
        let side = cells.side.read(row)?;
        let assessment_date = need(cells.assessment_date.read(row)?, "assessment_date")?;
        let scale = self.scale(row)?;
        let score = need(cells.score.read(row)?, "score")?;
        if !(scale.lowest..=scale.highest).contains(&score) {
            let hint = format!("outside {}…{}, the ends of {}", scale.lowest, scale.highest, scale.id);
            return Err(Problem::new(rules::OUT_OF_RANGE, hint).of("score", &score.to_string()));
        }
        let rater = cells.rater.read(row)?;
        Ok(Assessment { patient_id, session_id, side, assessment_date, scale: scale.id.clone(), score, rater })
    }

    fn scale(&self, row: &Row<'_>) -> Result<&Scale, Complaint> {
        let text = need(self.cells.scale.get(row)?, "scale")?;
        let known = self.scales.iter().find(|scale| scale.id == text);
        known.or_else(|| self.scales.iter().find(|scale| fold(&scale.id) == fold(&text))).ok_or_else(|| {
            let ids = self.scales.iter().map(|scale| scale.id.as_str());
            let like = nearest(&text, ids).map(|nearest| format!("; the nearest is {nearest}")).unwrap_or_default();
            let hint = format!("not a known scale{like}. Declare it in [scales.<id>] of the mapping file");
            Problem::new(rules::UNKNOWN_SCALE, hint).of("scale", &text)
        })
    }
}
