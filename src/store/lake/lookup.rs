//! Sets of keys that millions of rows are held against.

/// Bits of the first look for each key of a set.
const BITS_A_KEY: usize = 32;

/// A sorted list of keys with what belongs to each; most keys that are not in it are told by one bit.
#[derive(Debug, Clone)]
pub(super) struct KeyMap<T> {
    entries: Vec<(u128, T)>,
    bits: Vec<u64>,
    mask: usize,
}

impl<T: Copy> KeyMap<T> {
    /// Of keys in any order, each once.
    pub(super) fn new(mut entries: Vec<(u128, T)>) -> KeyMap<T> {
        entries.sort_unstable_by_key(|(key, _)| *key);
        let size = (entries.len() * BITS_A_KEY).next_power_of_two().clamp(64, 1 << 31);
        let mut map = KeyMap { bits: vec![0; size / 64], mask: size - 1, entries };
        for at in 0..map.entries.len() {
            let bit = map.bit(map.entries[at].0);
            map.bits[bit / 64] |= 1 << (bit % 64);
        }
        map
    }

    fn bit(&self, key: u128) -> usize {
        // Keys are hashes: any of their bits will do.
        let low = (key & u128::from(u64::MAX)) as usize;
        low & self.mask
    }

    /// What belongs to a key.
    pub(super) fn get(&self, key: u128) -> Option<T> {
        let bit = self.bit(key);
        if self.bits[bit / 64] >> (bit % 64) & 1 == 0 {
            return None;
        }
        let at = self.entries.binary_search_by_key(&key, |(known, _)| *known).ok()?;
        Some(self.entries[at].1)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

    proptest! {
        #[test]
        fn it_answers_as_a_map_does(entries in prop::collection::btree_map(0u128..500, 0u32..9, 0..60), asked in 0u128..600) {
            let map = KeyMap::new(entries.iter().map(|(key, value)| (*key, *value)).collect());
            let known: BTreeMap<u128, u32> = entries;
            prop_assert_eq!(map.get(asked), known.get(&asked).copied());
        }
    }
}
