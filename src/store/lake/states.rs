//! The columns of a session that follow from its row and its events: bands, and for each side effect its state, worst
//! grade, first day, and days to its end.

use super::columns::{BANDS, SCALE};
use super::compact;
use super::events::EventRow;
use super::standing::keys_in_order;
use crate::domain::{Catalogue, Day, Resolution};
use crate::store::build::Occurrence;
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, BooleanBuilder, Int32Builder, RecordBatch, StringArray};
use arrow::datatypes::{Date32Type, Decimal128Type, Int32Type};
use arrow::error::ArrowError;
use std::collections::HashMap;
use std::sync::Arc;

/// Row of each session of a batch.
type RowOfKey = HashMap<u128, u32>;

/// The columns of [`super::columns::session_states`] for rows and the events that belong to them.
pub(super) fn columns<'e>(
    rows: &RecordBatch,
    events: impl Iterator<Item = &'e EventRow>,
    catalogue: &Catalogue,
) -> Result<Vec<ArrayRef>, ArrowError> {
    let mut occurrences = in_rows(rows, catalogue)?;
    let mut events = events.peekable();
    if events.peek().is_some() {
        let keys = keys_in_order(rows).map_err(|error| ArrowError::SchemaError(error.to_string()))?;
        let of_key: RowOfKey = keys.into_iter().map(|key| key.0).zip(0..).collect();
        occurrences.extend(events.filter_map(|event| Some(event.occurrence(*of_key.get(&event.joined?.0)?))));
    }
    occurrences.sort_unstable_by_key(|occurrence| (occurrence.effect, occurrence.session));
    let built_in = Catalogue::built_in();
    let sessions = Sessions::of(rows)?;
    let mut arrays: Vec<ArrayRef> = BANDS.iter().map(|(_, of, edges)| band(rows, of, edges)).collect();
    for id in built_in.ids() {
        let code = &built_in.get(id).code;
        let Some(id) = catalogue.find(code) else { continue };
        let from = occurrences.partition_point(|occurrence| occurrence.effect < id);
        let to = occurrences.partition_point(|occurrence| occurrence.effect <= id);
        arrays.extend(sessions.effect(catalogue.get(id).window_days, &occurrences[from..to]));
    }
    Ok(arrays)
}

/// Side effects that stand in the sessions' own rows.
pub(super) fn in_rows(rows: &RecordBatch, catalogue: &Catalogue) -> Result<Vec<Occurrence>, ArrowError> {
    let lists = rows.column_by_name("side_effects").and_then(|column| column.as_string_opt::<i32>());
    let lists = lists.ok_or_else(|| ArrowError::SchemaError("side_effects is no text".to_owned()))?;
    let mut occurrences = Vec::new();
    for (session, text) in (0u32..).zip(lists.iter()) {
        let effects = text.map(|text| compact::read(text, catalogue)).unwrap_or_default();
        occurrences.extend(effects.into_iter().map(|effect| Occurrence {
            session,
            effect: effect.effect,
            grade: effect.grade,
            onset: effect.onset,
            reported: None,
            resolution: effect.resolution,
        }));
    }
    Ok(occurrences)
}

/// What decides whether a side effect is confirmed absent.
struct Sessions {
    asked: BooleanArray,
    days: arrow::array::Date32Array,
    follow_ups: arrow::array::Date32Array,
}

/// The side effect of one session, from all that was said of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Course {
    worst: Option<u8>,
    onset: Option<Day>,
    last_end: Option<Day>,
    ongoing: bool,
    unstated: bool,
}

impl Sessions {
    fn of(rows: &RecordBatch) -> Result<Sessions, ArrowError> {
        let missing = || ArrowError::SchemaError("a session lacks its days".to_owned());
        let days = |name: &str| {
            let column = rows.column_by_name(name).and_then(|column| column.as_primitive_opt::<Date32Type>());
            column.cloned().ok_or_else(missing)
        };
        let asked = rows.column_by_name("asked").and_then(|column| column.as_boolean_opt()).ok_or_else(missing)?;
        Ok(Sessions { asked: asked.clone(), days: days("session_date")?, follow_ups: days("last_follow_up_date")? })
    }

    /// State, worst grade, onset, days and whether it ended, for one side effect; `occurrences` are in the order of
    /// their sessions.
    fn effect(&self, window_days: u32, occurrences: &[Occurrence]) -> [ArrayRef; 5] {
        let rows = self.asked.len();
        let window = i32::try_from(window_days).unwrap_or(i32::MAX);
        let mut present = BooleanBuilder::with_capacity(rows);
        let mut grades = Int32Builder::new();
        let mut onsets = Int32Builder::new();
        let mut lengths = Int32Builder::new();
        let mut resolved = BooleanBuilder::with_capacity(rows);
        let mut rest = occurrences;
        for (row, session) in (0u32..).take(rows).enumerate() {
            let here = rest.iter().take_while(|occurrence| occurrence.session == session).count();
            let (of_session, after) = rest.split_at(here);
            rest = after;
            if of_session.is_empty() {
                present.append_option(self.is_confirmed_absent(row, window).then_some(false));
                grades.append_null();
                onsets.append_null();
                lengths.append_null();
                resolved.append_null();
                continue;
            }
            let course = Course::of(of_session);
            present.append_value(true);
            grades.append_option(course.worst.map(i32::from));
            onsets.append_option(course.onset.map(|onset| onset.0 - self.days.value(row)));
            let (days, ended) = course.length(self.follow_up(row));
            lengths.append_option(days);
            resolved.append_option(ended);
        }
        [
            Arc::new(present.finish()),
            Arc::new(grades.finish()),
            Arc::new(onsets.finish()),
            Arc::new(lengths.finish()),
            Arc::new(resolved.finish()),
        ]
    }

    fn follow_up(&self, row: usize) -> Option<Day> {
        self.follow_ups.is_valid(row).then(|| Day(self.follow_ups.value(row)))
    }

    fn is_confirmed_absent(&self, row: usize, window: i32) -> bool {
        let followed = self.follow_up(row).map(|day| day.0 - self.days.value(row));
        self.asked.value(row) && followed.is_some_and(|days| days >= window)
    }
}

impl Course {
    fn of(occurrences: &[Occurrence]) -> Course {
        occurrences.iter().fold(Course::default(), |course, occurrence| {
            let end = match occurrence.resolution {
                Resolution::On(day) => Some(day),
                _ => None,
            };
            Course {
                worst: course.worst.max(occurrence.grade.map(|grade| grade.number())),
                onset: course.onset.into_iter().chain(occurrence.onset).min(),
                last_end: course.last_end.max(end),
                ongoing: course.ongoing || occurrence.resolution == Resolution::Ongoing,
                unstated: course.unstated || occurrence.resolution == Resolution::NotStated,
            }
        })
    }

    /// Days from the onset to the end, or to the last follow-up where it was still there; and which of the two.
    fn length(self, follow_up: Option<Day>) -> (Option<i32>, Option<bool>) {
        let since = |end: Day| self.onset.map(|onset| end.since(onset).max(0));
        match (self.ongoing, self.unstated, self.last_end) {
            (true, ..) => (follow_up.and_then(since), Some(false)),
            (false, true, _) | (false, false, None) => (None, None),
            (false, false, Some(end)) => (since(end), Some(true)),
        }
    }
}

/// The band of each value: `<a`, `a–<b`, `>=z`.
fn band(rows: &RecordBatch, of: &str, edges: &[f64]) -> ArrayRef {
    let labels = band_labels(edges);
    let label = |value: Option<f64>| value.map(|value| labels[edges.partition_point(|edge| *edge <= value)].as_str());
    let column = rows.column_by_name(of);
    let bands: StringArray = match column.and_then(|column| column.as_primitive_opt::<Decimal128Type>()) {
        #[expect(clippy::cast_precision_loss, reason = "millionths of a depth are far below 2^53")]
        Some(values) => values.iter().map(|value| label(value.map(|value| value as f64 / SCALE))).collect(),
        None => match column.and_then(|column| column.as_primitive_opt::<Int32Type>()) {
            Some(values) => values.iter().map(|value| label(value.map(f64::from))).collect(),
            None => std::iter::repeat_n(None::<&str>, rows.num_rows()).collect(),
        },
    };
    Arc::new(bands)
}

fn band_labels(edges: &[f64]) -> Vec<String> {
    let mut labels = Vec::new();
    for at in 0..=edges.len() {
        labels.push(match (at.checked_sub(1).map(|below| edges[below]), edges.get(at)) {
            (None, Some(to)) => format!("<{to}"),
            (Some(from), Some(to)) => format!("{from}–<{to}"),
            (Some(from), None) => format!(">={from}"),
            (None, None) => String::new(),
        });
    }
    labels
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{EffectId, Grade};

    fn occurrence(onset: Option<i32>, resolution: Resolution, grade: u8) -> Occurrence {
        let (effect, reported) = (EffectId(1), None);
        Occurrence { session: 0, effect, grade: Grade::new(grade), onset: onset.map(Day), reported, resolution }
    }

    #[test]
    fn a_course_goes_from_the_first_onset_to_the_last_end() {
        let two = [occurrence(Some(12), Resolution::On(Day(20)), 1), occurrence(Some(10), Resolution::On(Day(15)), 2)];
        let course = Course::of(&two);
        assert_eq!((course.worst, course.onset), (Some(2), Some(Day(10))));
        assert_eq!(course.length(Some(Day(90))), (Some(10), Some(true)));
        let ongoing = Course::of(&[two[0], occurrence(Some(30), Resolution::Ongoing, 0)]);
        assert_eq!(ongoing.length(Some(Day(90))), (Some(78), Some(false)));
        assert_eq!(ongoing.length(None), (None, Some(false)));
        let unstated = Course::of(&[two[0], occurrence(None, Resolution::NotStated, 0)]);
        assert_eq!(unstated.length(Some(Day(90))), (None, None));
    }

    #[test]
    fn bands_hold_their_lower_edge() {
        assert_eq!(band_labels(&[0.5, 1.0]), ["<0.5", "0.5–<1", ">=1"]);
    }
}
