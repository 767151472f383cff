//! Rows of assessments files as the store keeps them.

use super::columns::{self, TableName};
use super::rows::{Origin, coded, fixed, long, measures, without};
use crate::domain::codes::Side;
use crate::domain::{Assessment, Day, Place, Text};
use arrow::array::{ArrayRef, Date32Array, Int32Array, Int64Array, RecordBatch, StringArray, UInt8Array};
use arrow::error::ArrowError;
use std::hash::Hasher;
use std::sync::Arc;
use xxhash_rust::xxh3::Xxh3Default;

/// A score, pseudonymised.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreRow {
    pub(super) source: Arc<str>,
    pub(super) patient_id: String,
    pub(super) session_id: Option<String>,
    pub(super) side: Option<Side>,
    pub(super) date: Day,
    pub(super) scale: String,
    pub(super) score: f64,
    pub(super) rater: Option<String>,
    store_version: i64,
    pub(super) file_number: i32,
    line: i64,
    record: i64,
    pub(super) row_hash: i64,
}

impl ScoreRow {
    /// The row of an assessment.
    #[must_use]
    pub fn of(origin: Origin<'_>, source: &Arc<str>, (place, value): (Place, &Assessment)) -> ScoreRow {
        let Assessment { patient_id, session_id, side, assessment_date, scale, score, rater } = value;
        let pseudonym = origin.keys.pseudonym(origin.source, patient_id);
        let hide = |text: &Text| without(text, patient_id, &pseudonym).into_owned();
        let mut hasher = Xxh3Default::new();
        hasher.write_i32(assessment_date.0);
        hasher.write_u8(side.map_or(u8::MAX, |side| side as u8));
        hasher.write_u64(score.to_bits());
        for text in [Some(scale.as_str()), rater.as_deref()] {
            hasher.write(text.map(str::as_bytes).unwrap_or_default());
            hasher.write_u8(if text.is_some() { 0xff } else { 0xfe });
        }
        let session = session_id.as_ref().map(|session| origin.keys.session(origin.source, session).0);
        hasher.write_u128(session.unwrap_or(0));
        ScoreRow {
            source: source.clone(),
            session_id: session_id.as_ref().map(hide),
            side: *side,
            date: *assessment_date,
            scale: scale.clone(),
            score: *score,
            rater: rater.as_ref().map(hide),
            store_version: long(origin.store_version),
            file_number: origin.file_number,
            line: long(place.line),
            record: long(place.record),
            row_hash: hasher.finish().cast_signed(),
            patient_id: pseudonym,
        }
    }

    /// The same for two rows that say the same.
    pub(super) fn identity(&self) -> u128 {
        identity(&self.source, &self.patient_id, self.row_hash)
    }
}

/// What makes two scores the same.
pub(super) fn identity(source: &str, patient_id: &str, row_hash: i64) -> u128 {
    let mut hasher = Xxh3Default::new();
    hasher.write(source.as_bytes());
    hasher.write_u8(0xff);
    hasher.write(patient_id.as_bytes());
    hasher.write_i64(row_hash);
    hasher.digest128()
}

/// Rows → columns.
pub(super) fn write(scores: &[ScoreRow]) -> Result<RecordBatch, ArrowError> {
    let text = |read: fn(&ScoreRow) -> Option<&str>| -> ArrayRef {
        Arc::new(scores.iter().map(read).collect::<StringArray>())
    };
    let long =
        |read: fn(&ScoreRow) -> i64| -> ArrayRef { Arc::new(Int64Array::from_iter_values(scores.iter().map(read))) };
    let side: UInt8Array = scores.iter().map(|row| row.side.map(|side| side as u8)).collect();
    let arrays: Vec<ArrayRef> = vec![
        text(|row| Some(&row.source)),
        text(|row| Some(&row.patient_id)),
        text(|row| row.session_id.as_deref()),
        Arc::new(coded(side, Side::CODES)?),
        Arc::new(Date32Array::from_iter_values(scores.iter().map(|row| row.date.0))),
        text(|row| Some(&row.scale)),
        Arc::new(measures(scores.iter().map(|row| fixed(row.score)), 18)?),
        text(|row| row.rater.as_deref()),
        long(|row| row.store_version),
        Arc::new(Int32Array::from_iter_values(scores.iter().map(|row| row.file_number))),
        long(|row| row.line),
        long(|row| row.record),
        long(|row| row.row_hash),
    ];
    RecordBatch::try_new(columns::schema(&TableName::Assessments.columns()), arrays)
}
