//! What a batch lists: rows that were refused, and remarks on rows that were kept.

use super::super::listing::Example;
use super::super::load::{FOLLOW_UP_KEPT, PATIENT_CHANGED};
use super::{Rest, Taking};
use crate::domain::{FileId, Place};
use crate::store::lake::{RefusedEvent, Remark, SettledBatch, Status, StoreError};
use crate::validate::{Rejection, Warning, rules};

impl Taking<'_> {
    /// Counts what a batch gave, and lists what was refused or remarked on.
    pub(super) fn note(&mut self, number: i32, rest: Rest) -> Result<(), StoreError> {
        let Some(entry) = self.files.last_mut() else { return Ok(()) };
        entry.read += rest.read;
        self.rows += rest.read;
        self.progress.observer.rows(self.rows);
        entry.filtered += rest.filtered;
        entry.accepted += rest.accepted;
        entry.rejected += rest.rejected.len() as u64;
        let file = entry.name.clone();
        let remark = |place, column, (rule, hint): (&str, String), text| {
            let (file, rule) = (file.clone(), rule.to_owned());
            Remark { file_number: number, file, place, column, rule, hint, text }
        };
        for Rejection { place, column, rule, hint, text } in rest.rejected {
            self.reject(remark(place, column, (rule, hint), Some(text)))?;
        }
        for Warning { place, column, rule, hint } in rest.warnings {
            self.warn(remark(place, column, (rule, hint), None))?;
        }
        Ok(())
    }

    fn reject(&mut self, row: Remark) -> Result<(), StoreError> {
        self.refused.entry(row.rule.clone()).or_default().note(|| example(&row));
        self.rejects.add(row)
    }

    fn warn(&mut self, row: Remark) -> Result<(), StoreError> {
        self.warned.entry(row.rule.clone()).or_default().note(|| example(&row));
        self.warnings.add(row)
    }

    /// Lists what joining found.
    pub(super) fn tell(&mut self, settled: &SettledBatch<'_>) -> Result<(), StoreError> {
        for refused in settled.refused() {
            let row = self.refusal(refused);
            let at = self.at(row.file_number);
            self.files[at].rejected += 1;
            self.reject(row)?;
        }
        for event in settled.waiting() {
            let (rule, hint) = why_it_waits(event.status());
            self.remark(event.place(), (rule, None), hint.to_owned())?;
        }
        for event in settled.overlapping() {
            let hint = format!("{} sessions fit; the latest was taken", event.candidates());
            self.remark(event.place(), (rules::SEVERAL_SESSIONS_FIT, None), hint)?;
        }
        for (event, days) in settled.late() {
            let hint = format!("it began {days} days after the end of its window");
            self.remark(event.place(), (rules::LATE_ONSET, None), hint)?;
        }
        for spot in settled.moved_back() {
            let (rule, column) = (rules::FOLLOW_UP_KEPT, Some("last_follow_up_date"));
            self.remark(*spot, (rule, column), FOLLOW_UP_KEPT.to_owned())?;
        }
        for spot in settled.other_patients() {
            let (rule, column) = (rules::PATIENT_CHANGED, Some("patient_id"));
            self.remark(*spot, (rule, column), PATIENT_CHANGED.to_owned())?;
        }
        Ok(())
    }

    fn at(&self, file_number: i32) -> usize {
        self.files.iter().position(|file| file.number == file_number).unwrap_or(0)
    }

    fn remark(
        &mut self,
        (file_number, line, record): (i32, i64, i64),
        (rule, column): (&'static str, Option<&str>),
        hint: String,
    ) -> Result<(), StoreError> {
        let file = self.files[self.at(file_number)].name.clone();
        let column = column.map(str::to_owned);
        let rule = rule.to_owned();
        self.warn(Remark { file_number, file, place: place(line, record), column, rule, hint, text: None })
    }

    fn refusal(&self, refused: &RefusedEvent) -> Remark {
        let (file_number, line, record) = refused.event.place();
        let (column, rule, hint) = match refused.reason {
            Status::OtherPatient => (
                "patient_id",
                rules::EVENT_OF_OTHER_PATIENT,
                "the session that it names is of another patient; correct session_id or patient_id".to_owned(),
            ),
            _ => (
                "onset_date",
                rules::EVENT_BEFORE_SESSION,
                format!("it begins before its session of {}; correct one of the two dates", refused.session_day),
            ),
        };
        Remark {
            file_number,
            file: self.files[self.at(file_number)].name.clone(),
            place: place(line, record),
            column: Some(column.to_owned()),
            rule: rule.to_owned(),
            hint,
            text: Some(refused.event.summary(self.catalogue)),
        }
    }
}

/// The rule that speaks of an event without a session, and what to do.
pub(in crate::pipeline) fn why_it_waits(status: Status) -> (&'static str, &'static str) {
    match status {
        Status::UnknownSession => (rules::WAITING_EVENT, "no session with its id has come yet; it waits for it"),
        _ => (rules::UNATTRIBUTED_EVENT, "no session of the patient fits its onset and window; it waits for one"),
    }
}

fn example(row: &Remark) -> Example {
    let Remark { file, place, column, hint, .. } = row;
    Example { file: file.clone(), place: *place, column: column.clone().unwrap_or_default(), hint: hint.clone() }
}

fn place(line: i64, record: i64) -> Place {
    let number = |number: i64| u64::try_from(number).unwrap_or(0);
    Place { file: FileId(0), line: number(line), record: number(record) }
}
