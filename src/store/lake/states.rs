//! The columns of a session that follow from its row and its events: bands, and for each side effect its state, worst
//! grade, first day, and days to its end.

use super::columns::{self, BANDS, SCALE};
use super::compact;
use super::encoding::Piece;
use super::events::EventRow;
use super::lookup::KeyMap;
use super::standing::keys_in_order;
use crate::domain::{Catalogue, Day, EffectId, Resolution};
use crate::store::build::Occurrence;
use arrow::array::{
    Array, ArrayRef, AsArray, BooleanArray, BooleanBufferBuilder, Date32Array, DictionaryArray, Int32Array,
    RecordBatch, StringArray, UInt8Array, new_null_array,
};
use arrow::buffer::{BooleanBuffer, MutableBuffer, NullBuffer};
use arrow::datatypes::{DataType, Date32Type, Decimal32Type, Decimal128Type, Int32Type};
use arrow::error::ArrowError;
use std::collections::HashMap;
use std::sync::Arc;

/// Row of each session that events speak of.
type RowOfKey = HashMap<u128, u32>;

/// The columns of a session's row that its states follow from.
pub(super) const FROM: [&str; 8] = [
    "session_date",
    "needle_depth_mm",
    "age_years",
    "last_follow_up_date",
    "asked",
    "side_effects",
    "session_key_high",
    "session_key_low",
];

/// The columns of [`super::columns::session_states`] for rows and the events that belong to them, one after another.
pub(super) struct States<'c> {
    catalogue: &'c Catalogue,
    sessions: Sessions,
    bands: Vec<ArrayRef>,
    /// Of each side effect, in the order of the rows.
    occurrences: Vec<Vec<Occurrence>>,
}

impl<'c> States<'c> {
    /// Of rows that have the columns [`FROM`].
    pub(super) fn of<'e>(
        rows: &RecordBatch,
        events: impl Iterator<Item = &'e EventRow>,
        catalogue: &'c Catalogue,
    ) -> Result<States<'c>, ArrowError> {
        let mut occurrences = in_rows(rows, catalogue)?;
        let events: Vec<&EventRow> = events.filter(|event| event.joined.is_some()).collect();
        if !events.is_empty() {
            let of_key = rows_of(&events, rows)?;
            let occurrence = |event: &&EventRow| Some(event.occurrence(*of_key.get(&event.joined?.0)?));
            occurrences.extend(events.iter().filter_map(occurrence));
        }
        let mut by_effect = vec![Vec::new(); catalogue.ids().count()];
        for occurrence in occurrences {
            by_effect[occurrence.effect.index()].push(occurrence);
        }
        by_effect.iter_mut().for_each(|of_effect| of_effect.sort_by_key(|occurrence| occurrence.session));
        let bands = BANDS.iter().map(|(_, of, edges)| band(rows, of, edges)).collect::<Result<_, _>>()?;
        Ok(States { catalogue, sessions: Sessions::of(rows)?, bands, occurrences: by_effect })
    }

    /// The columns in their order.
    pub(super) fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        let bands = self.bands.iter().map(|band| Piece::new(1, || Ok(vec![band.clone()])));
        let effects = columns::with_states(self.catalogue).into_iter();
        bands.chain(effects.map(move |id| Piece::new(5, move || Ok(self.effect(id).to_vec()))))
    }

    fn effect(&self, id: EffectId) -> [ArrayRef; 5] {
        self.sessions.effect(self.catalogue.get(id).window_days, &self.occurrences[id.index()])
    }
}

/// The rows of the sessions that events belong to: few of many, so the events are looked up, not the rows.
fn rows_of(events: &[&EventRow], rows: &RecordBatch) -> Result<RowOfKey, ArrowError> {
    let mut keys: Vec<(u128, ())> = events.iter().filter_map(|event| Some((event.joined?.0, ()))).collect();
    keys.sort_unstable();
    keys.dedup();
    let wanted = KeyMap::new(keys);
    let keys = keys_in_order(rows).map_err(|error| ArrowError::SchemaError(error.to_string()))?;
    Ok(keys.into_iter().map(|key| key.0).zip(0..).filter(|(key, _)| wanted.get(*key).is_some()).collect())
}

/// Side effects that stand in the sessions' own rows.
pub(super) fn in_rows(rows: &RecordBatch, catalogue: &Catalogue) -> Result<Vec<Occurrence>, ArrowError> {
    let lists = rows.column_by_name("side_effects").and_then(|column| column.as_string_opt::<i32>());
    let lists = lists.ok_or_else(|| ArrowError::SchemaError("side_effects is no text".to_owned()))?;
    let codes = compact::Codes::of(catalogue);
    let mut occurrences = Vec::with_capacity(rows.num_rows());
    for (session, text) in (0u32..).zip(lists.iter()) {
        let written = text.into_iter().flat_map(|text| compact::read(text, &codes));
        occurrences.extend(written.map(|effect| Occurrence {
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

/// What decides whether a side effect is confirmed absent, and how long one lasts.
struct Sessions {
    days: Date32Array,
    follow_ups: Date32Array,
    /// Days for which a session was followed up, where somebody asked; [`NOT_FOLLOWED`] for others.
    followed: Vec<i32>,
    /// A column of numbers in which nothing stands.
    nothing: [ArrayRef; 2],
}

/// Shorter than every window.
const NOT_FOLLOWED: i32 = i32::MIN;

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
        let (days, follow_ups) = (days("session_date")?, days("last_follow_up_date")?);
        let followed = |row: usize| match asked.value(row) && follow_ups.is_valid(row) {
            true => follow_ups.value(row) - days.value(row),
            false => NOT_FOLLOWED,
        };
        let followed = (0..rows.num_rows()).map(followed).collect();
        let nothing = [DataType::Int32, DataType::Boolean].map(|of| new_null_array(&of, rows.num_rows()));
        Ok(Sessions { days, follow_ups, followed, nothing })
    }

    /// State, worst grade, onset, days and whether it ended, for one side effect; `occurrences` are in the order of
    /// their sessions.
    fn effect(&self, window_days: u32, occurrences: &[Occurrence]) -> [ArrayRef; 5] {
        let window = i32::try_from(window_days).unwrap_or(i32::MAX);
        let absent = BooleanBuffer::collect_bool(self.followed.len(), |row| self.followed[row] >= window);
        let [numbers, flags] = &self.nothing;
        if occurrences.is_empty() {
            let present = BooleanArray::new(BooleanBuffer::new_unset(absent.len()), Some(NullBuffer::new(absent)));
            return [Arc::new(present), numbers.clone(), numbers.clone(), numbers.clone(), flags.clone()];
        }
        let rows = absent.len();
        let mut stated = BooleanBufferBuilder::new_from_buffer(MutableBuffer::from(absent.values().to_vec()), rows);
        let mut present = unset(rows);
        let [mut grades, mut onsets, mut lengths] = std::array::from_fn(|_| Sparse::new(rows));
        let (mut ended, mut end_known) = (unset(rows), unset(rows));
        for of_session in occurrences.chunk_by(|one, other| one.session == other.session) {
            let row = of_session[0].session as usize;
            let course = Course::of(of_session);
            stated.set_bit(row, true);
            present.set_bit(row, true);
            grades.set(row, course.worst.map(i32::from));
            onsets.set(row, course.onset.map(|onset| onset.0 - self.days.value(row)));
            let (days, has_ended) = course.length(self.follow_up(row));
            lengths.set(row, days);
            end_known.set_bit(row, has_ended.is_some());
            ended.set_bit(row, has_ended == Some(true));
        }
        let flag = |set: &mut BooleanBufferBuilder, known: &mut BooleanBufferBuilder| -> ArrayRef {
            Arc::new(BooleanArray::new(set.finish(), Some(NullBuffer::new(known.finish()))))
        };
        let resolved = flag(&mut ended, &mut end_known);
        [flag(&mut present, &mut stated), grades.finish(), onsets.finish(), lengths.finish(), resolved]
    }

    fn follow_up(&self, row: usize) -> Option<Day> {
        self.follow_ups.is_valid(row).then(|| Day(self.follow_ups.value(row)))
    }
}

fn unset(rows: usize) -> BooleanBufferBuilder {
    BooleanBufferBuilder::new_from_buffer(MutableBuffer::from_len_zeroed(rows.div_ceil(8)), rows)
}

/// A column of numbers of which few stand.
struct Sparse {
    values: Vec<i32>,
    known: BooleanBufferBuilder,
}

impl Sparse {
    fn new(rows: usize) -> Sparse {
        Sparse { values: vec![0; rows], known: unset(rows) }
    }

    fn set(&mut self, row: usize, value: Option<i32>) {
        self.values[row] = value.unwrap_or(0);
        self.known.set_bit(row, value.is_some());
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(Int32Array::new(self.values.into(), Some(NullBuffer::new(self.known.finish()))))
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

/// The band of each value: `<a`, `a–<b`, `>=z`; as a dictionary, since there are few.
fn band(rows: &RecordBatch, of: &str, edges: &[f64]) -> Result<ArrayRef, ArrowError> {
    let at = |value: f64| u8::try_from(edges.partition_point(|edge| *edge <= value)).unwrap_or(u8::MAX);
    #[expect(clippy::cast_precision_loss, reason = "millionths of a depth are far below 2^53")]
    let of_wide = |millionths: i128| at(millionths as f64 / SCALE);
    let of_measure = |millionths: i32| at(f64::from(millionths) / SCALE);
    let column = rows.column_by_name(of).ok_or_else(|| ArrowError::SchemaError(format!("no column {of}")))?;
    let bands: UInt8Array = match column.data_type() {
        DataType::Decimal32(..) => column.as_primitive::<Decimal32Type>().unary(of_measure),
        DataType::Decimal128(..) => column.as_primitive::<Decimal128Type>().unary(of_wide),
        DataType::Int32 => column.as_primitive::<Int32Type>().unary(|whole| at(f64::from(whole))),
        other => return Err(ArrowError::SchemaError(format!("{of} has no bands: it is {other}"))),
    };
    Ok(Arc::new(DictionaryArray::try_new(bands, Arc::new(StringArray::from(band_labels(edges))))?))
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
