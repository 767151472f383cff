//! The incoming rows of a month: all of few, and of many only those that are wanted at a time.

use super::columns::{NUMBER, TableName};
use super::data_file::damaged;
use super::error::StoreError;
use super::gather::{self, ORDERED_BY, Place};
use super::incoming::Taken;
use crate::domain::Day;
use arrow::array::{RecordBatch, UInt32Array};
use arrow::compute::take_record_batch;
use arrow::error::ArrowError;
use std::collections::HashMap;

/// The incoming rows of a month.
pub(super) struct Coming<'a> {
    taken: Option<Taken>,
    /// All of them, where they may all be held.
    few: Option<Vec<RecordBatch>>,
    /// Follow-up days that stay as they were, by the number of the row.
    kept_follow_ups: &'a HashMap<u32, Day>,
}

impl<'a> Coming<'a> {
    /// The rows of `taken`; no more than `at_most` are held at once.
    pub(super) fn of(
        taken: Option<Taken>,
        at_most: usize,
        kept_follow_ups: &'a HashMap<u32, Day>,
    ) -> Result<Coming<'a>, StoreError> {
        let mut coming = Coming { taken, few: None, kept_follow_ups };
        if coming.taken.as_ref().is_none_or(|taken| taken.len() <= at_most) {
            let rows = coming.taken.iter().map(|taken| taken.rows(None)).collect::<Result<Vec<_>, _>>()?;
            let rows = rows.into_iter().flatten().map(|rows| coming.patched(rows?)).collect::<Result<_, _>>()?;
            coming.few = Some(rows);
        }
        Ok(coming)
    }

    /// At least what numbers the rows and puts them in order.
    pub(super) fn index(&self) -> Result<Vec<RecordBatch>, StoreError> {
        let (None, Some(taken)) = (&self.few, &self.taken) else { return Ok(self.few.clone().unwrap_or_default()) };
        let wanted: Vec<&str> = ORDERED_BY.into_iter().chain([NUMBER]).collect();
        taken.rows(Some(&wanted))?.collect()
    }

    /// Rows among which are those of `places`, and where each of these lies in them.
    pub(super) fn at(&self, places: &[Place]) -> Result<(Vec<RecordBatch>, Vec<Place>), StoreError> {
        let (None, Some(taken)) = (&self.few, &self.taken) else {
            return Ok((self.few.clone().unwrap_or_default(), places.to_vec()));
        };
        if places.is_empty() {
            return Ok((Vec::new(), Vec::new()));
        }
        let mut wanted: HashMap<usize, Vec<u32>> = HashMap::new();
        for (part, row) in places {
            wanted.entry(*part).or_default().push(u32::try_from(*row).unwrap_or(u32::MAX));
        }
        wanted.values_mut().for_each(|rows| rows.sort_unstable());
        let mut chosen = Vec::new();
        for (part, rows) in taken.rows(None)?.enumerate() {
            let rows = rows?;
            let of_part = wanted.get(&part).map_or(&[][..], Vec::as_slice);
            let few = take_record_batch(&rows, &UInt32Array::from(of_part.to_vec())).map_err(|e| broken(&e))?;
            chosen.push(self.patched(few)?);
        }
        let lies = |(part, row): &Place| {
            let at = wanted[part].binary_search_by_key(row, |row| *row as usize);
            (*part, at.unwrap_or_default())
        };
        Ok((chosen, places.iter().map(lies).collect()))
    }

    fn patched(&self, rows: RecordBatch) -> Result<RecordBatch, StoreError> {
        if self.kept_follow_ups.is_empty() {
            return Ok(rows);
        }
        gather::with_follow_ups(&rows, self.kept_follow_ups).map_err(|error| broken(&error))
    }
}

fn broken(error: &ArrowError) -> StoreError {
    damaged(TableName::Sessions, error)
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::{ArrayRef, AsArray, StringArray};
    use arrow::datatypes::UInt32Type;
    use proptest::prelude::*;
    use std::sync::Arc;

    fn part(numbers: std::ops::Range<u32>) -> RecordBatch {
        let texts = Arc::new(StringArray::from_iter_values(numbers.clone().map(|number| number.to_string())));
        let numbers = Arc::new(UInt32Array::from_iter_values(numbers));
        RecordBatch::try_from_iter([(NUMBER, numbers as ArrayRef), ("session_id", texts)]).unwrap()
    }

    proptest! {
        #[test]
        fn rows_are_found_at_their_places_whether_all_or_some_of_them_are_held(
            lengths in prop::collection::vec(0u32..9, 1..6),
            chosen in prop::collection::vec(any::<bool>(), 54),
            at_most in 0usize..60,
        ) {
            let mut begins = vec![0];
            begins.extend(lengths.iter().scan(0, |sum, length| { *sum += length; Some(*sum) }));
            let parts: Vec<RecordBatch> = begins.windows(2).map(|pair| part(pair[0]..pair[1])).collect();
            let all = parts.iter().enumerate().flat_map(|(at, part)| (0..part.num_rows()).map(move |row| (at, row)));
            let mut places: Vec<Place> = all.zip(&chosen).filter(|(_, chosen)| **chosen).map(|(place, _)| place).collect();
            places.reverse();
            let none = HashMap::new();
            let coming = Coming::of(Some(Taken::in_memory(parts)), at_most, &none).unwrap();
            let (rows, lies) = coming.at(&places).unwrap();
            prop_assert_eq!(lies.len(), places.len());
            for ((part, row), (now, at)) in places.iter().zip(&lies) {
                let number = begins[*part] + u32::try_from(*row).unwrap();
                let found = &rows[*now];
                prop_assert_eq!(found.column(0).as_primitive::<UInt32Type>().value(*at), number);
                prop_assert_eq!(found.column(1).as_string::<i32>().value(*at), number.to_string());
            }
            if at_most < begins.last().copied().unwrap() as usize {
                prop_assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), places.len());
            }
        }
    }
}
