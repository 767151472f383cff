//! Cubes that follow from finer ones. A patient whose sessions are all in one cell of the finer cube has them all in one
//! cell of the coarser, as a patient of the same kind; only who is in several cells of the finer cube is counted anew, as
//! such a patient may be one in the coarser where it was two.

use super::plan::CubeKey;

/// What a cube is rolled up from.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct RollUp {
    /// The finer cube, by its place.
    pub(super) base: usize,
    /// For each of its cells the one here.
    pub(super) cells: Vec<u32>,
}

/// For each cube the place of the finer one that it is rolled up from: one that divides the same sessions by all that
/// this one does and more, sums the same measures, and is itself not rolled up. Of several the one that divides by the
/// least, so that few patients are in several of its cells.
pub(super) fn bases(keys: &[CubeKey]) -> Vec<Option<usize>> {
    let finer = |coarse: &CubeKey, fine: &CubeKey| {
        fine.dimensions.len() > coarse.dimensions.len()
            && coarse.dimensions.iter().all(|dimension| fine.dimensions.contains(dimension))
            && coarse.wheres == fine.wheres
            && coarse.measures == fine.measures
    };
    let finest = |key: &CubeKey| !keys.iter().any(|other| finer(key, other));
    let base = |key: &CubeKey| {
        let candidates = keys.iter().enumerate().filter(|(_, other)| finer(key, other) && finest(other));
        candidates.min_by_key(|(at, other)| (other.dimensions.len(), *at)).map(|(at, _)| at)
    };
    keys.iter().map(base).collect()
}

/// For each cell of the finer cube the cell of the coarser. `sizes` are the numbers of values of the finer cube's
/// dimensions, `kept` the places of the coarser's dimensions among them, in the coarser's order.
pub(super) fn cells(sizes: &[usize], kept: &[usize]) -> Vec<u32> {
    let mut codes = vec![0; sizes.len()];
    let all: usize = sizes.iter().product();
    let cell = |mut rest: usize| {
        for (code, size) in codes.iter_mut().zip(sizes).rev() {
            *code = rest % size;
            rest /= size;
        }
        let cell = kept.iter().fold(0, |cell, at| cell * sizes[*at] + codes[*at]);
        u32::try_from(cell).unwrap_or(u32::MAX)
    };
    (0..all).map(cell).collect()
}

#[cfg(test)]
mod tests {
    use super::super::dimension::Dimension;
    use super::*;

    fn key(wheres: &[&str], columns: &[&str], measures: &[&str]) -> CubeKey {
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let dimensions = columns.iter().map(|column| Dimension::column(column)).collect();
        CubeKey { wheres: texts(wheres), dimensions, measures: texts(measures) }
    }

    #[test]
    fn a_cube_comes_from_the_finer_one_that_divides_by_the_least() {
        let keys = [
            key(&[], &[], &[]),
            key(&[], &["a", "b"], &[]),
            key(&[], &["c"], &[]),
            key(&[], &["b"], &[]),
            key(&["x"], &["b"], &[]),
            key(&["x"], &["b", "c"], &["m"]),
            key(&[], &["c", "b", "a"], &[]),
        ];
        let from_the_finest = Some(6);
        let expected = [from_the_finest, from_the_finest, from_the_finest, from_the_finest, None, None, None];
        assert_eq!(bases(&keys), expected);
        assert_eq!(bases(&keys[..4]), [Some(2), None, None, Some(1)]);
    }

    #[test]
    fn bands_of_the_same_column_are_different_dimensions() {
        let mut coarse = key(&[], &["a"], &[]);
        coarse.dimensions[0].edges = vec![1.0];
        assert_eq!(bases(&[coarse, key(&[], &["a", "b"], &[])]), [None, None]);
    }

    #[test]
    fn cells_of_the_finer_cube_find_their_place() {
        // Two by three values; the coarser divides by the second, by the first, by both the other way round, by none.
        assert_eq!(cells(&[2, 3], &[1]), [0, 1, 2, 0, 1, 2]);
        assert_eq!(cells(&[2, 3], &[0]), [0, 0, 0, 1, 1, 1]);
        assert_eq!(cells(&[2, 3], &[1, 0]), [0, 2, 4, 1, 3, 5]);
        assert_eq!(cells(&[2, 3], &[]), [0; 6]);
    }
}
