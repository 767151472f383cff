//! Columns as small numbers, and what the numbers of many parts of the data have in common.

use crate::domain::Day;
use rustc_hash::FxBuildHasher;
use std::collections::HashMap;

/// A column as codes, one a session, and the value of each code.
#[derive(Debug, Clone, PartialEq)]
pub struct Coded {
    /// Code of each session, or [`Coded::MISSING`].
    pub codes: Vec<u32>,
    /// The values.
    pub values: Values,
}

/// Values of a coded column.
#[derive(Debug, Clone, PartialEq)]
pub enum Values {
    /// A closed list in its own order; all of it belongs to every table.
    List(Vec<String>),
    /// Texts, each once, in any order.
    Texts(Vec<String>),
    /// Whole numbers, each once.
    Wholes(Vec<i32>),
    /// Days since 1970, each once.
    Days(Vec<i32>),
}

impl Coded {
    /// Code of a missing value.
    pub const MISSING: u32 = u32::MAX;

    pub(super) fn of_integers(column: Vec<Option<i32>>, values: fn(Vec<i32>) -> Values) -> Coded {
        let mut known: Vec<i32> = column.iter().flatten().copied().collect();
        known.sort_unstable();
        known.dedup();
        // Days and small numbers lie close together: a table of places is quicker than a search.
        let first = known.first().copied().unwrap_or_default();
        let span = known.last().map_or(0, |last| i64::from(*last) - i64::from(first) + 1);
        let codes = if span <= 1 << 20 {
            let mut places = vec![Coded::MISSING; usize::try_from(span).unwrap_or(0)];
            let at = |value: i32| usize::try_from(i64::from(value) - i64::from(first)).unwrap_or(0);
            (0u32..).zip(&known).for_each(|(code, value)| places[at(*value)] = code);
            column.iter().map(|value| value.map_or(Coded::MISSING, |value| places[at(value)])).collect()
        } else {
            let code = |value: i32| known.binary_search(&value).ok().and_then(|at| u32::try_from(at).ok());
            column.iter().map(|value| value.and_then(code).unwrap_or(Coded::MISSING)).collect()
        };
        Coded { codes, values: values(known) }
    }
}

/// A value as it is told from others and put in order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Value {
    Text(String),
    Whole(i32),
    Day(i32),
}

impl Value {
    fn text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Whole(number) => number.to_string(),
            Value::Day(days) => Day(*days).to_string(),
        }
    }
}

/// The values of a column over all parts of the data: each gets a number when it is first met, and its place when all
/// are known.
#[derive(Debug, Clone, Default)]
pub struct Domain {
    list: Option<Vec<String>>,
    numbers: HashMap<Value, u32, FxBuildHasher>,
}

impl Domain {
    /// Takes in the values of a part that occur in `codes`, and gives the number of each over all parts.
    pub fn take(&mut self, values: &Values, codes: &[u32]) -> Vec<u32> {
        let count = match values {
            Values::List(list) => {
                self.list.get_or_insert_with(|| list.clone());
                return (0u32..).take(list.len()).collect();
            }
            Values::Texts(texts) => texts.len(),
            Values::Wholes(numbers) | Values::Days(numbers) => numbers.len(),
        };
        let mut occurs = vec![false; count];
        codes.iter().filter(|code| **code != Coded::MISSING).for_each(|code| occurs[*code as usize] = true);
        let mut number = |value: Value| {
            let next = u32::try_from(self.numbers.len()).unwrap_or(Coded::MISSING);
            *self.numbers.entry(value).or_insert(next)
        };
        (0..count)
            .map(|at| match (occurs[at], values) {
                (false, _) | (_, Values::List(_)) => Coded::MISSING,
                (true, Values::Texts(texts)) => number(Value::Text(texts[at].clone())),
                (true, Values::Wholes(numbers)) => number(Value::Whole(numbers[at])),
                (true, Values::Days(days)) => number(Value::Day(days[at])),
            })
            .collect()
    }

    /// Number of values so far.
    #[must_use]
    pub fn len(&self) -> usize {
        self.list.as_ref().map_or(self.numbers.len(), Vec::len)
    }

    /// Whether no value was met.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The texts in order, and for each number its place among them.
    #[must_use]
    pub fn in_order(&self) -> (Vec<String>, Vec<u32>) {
        if let Some(list) = &self.list {
            return (list.clone(), (0u32..).take(list.len()).collect());
        }
        let mut values: Vec<(&Value, u32)> = Vec::with_capacity(self.numbers.len());
        #[expect(clippy::iter_over_hash_type, reason = "sorted below")]
        for (value, number) in &self.numbers {
            values.push((value, *number));
        }
        values.sort_unstable();
        let mut places = vec![0; values.len()];
        (0u32..).zip(&values).for_each(|(place, (_, number))| places[*number as usize] = place);
        (values.into_iter().map(|(value, _)| value.text()).collect(), places)
    }
}
