//! Pseudonyms: keyed BLAKE3 of a patient's id. The keys are never in the store.

use super::error::StoreError;

/// Bytes of a key.
const KEY_BYTES: usize = 32;

/// The key of the pseudonyms and those that were before it: a pseudonym is the hash by the first key, hashed again by
/// each later one, so that a new key needs no patient's id.
#[derive(Clone, PartialEq, Eq)]
pub struct Keys(Vec<[u8; KEY_BYTES]>);

impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Keys({} of them)", self.0.len())
    }
}

/// What stands for a session over all batches: 128 bits of a keyed hash of its source and id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SessionKey(pub u128);

impl SessionKey {
    pub(super) fn halves(self) -> (i64, i64) {
        let bytes = self.0.to_be_bytes();
        let half = |at: usize| i64::from_be_bytes(std::array::from_fn(|byte| bytes[at + byte]));
        (half(0), half(8))
    }

    pub(super) fn of_halves(high: i64, low: i64) -> SessionKey {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&high.to_be_bytes());
        bytes[8..].copy_from_slice(&low.to_be_bytes());
        SessionKey(u128::from_be_bytes(bytes))
    }
}

impl Keys {
    /// One key, of random bytes that the caller has drawn.
    #[must_use]
    pub fn new(bytes: [u8; KEY_BYTES]) -> Keys {
        Keys(vec![bytes])
    }

    /// Reads a key file: one key of 64 hexadecimal digits a line, oldest first; `#` begins a remark.
    ///
    /// # Errors
    /// When there is none, or a line is something else.
    pub fn parse(text: &str) -> Result<Keys, StoreError> {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
        let keys: Vec<[u8; KEY_BYTES]> = lines
            .map(key)
            .collect::<Option<_>>()
            .ok_or(StoreError::BadKey { reason: "a line is not 64 hexadecimal digits" })?;
        if keys.is_empty() {
            return Err(StoreError::BadKey { reason: "it holds no key" });
        }
        Ok(Keys(keys))
    }

    /// The key file's lines.
    #[must_use]
    pub fn lines(&self) -> String {
        let hex = |key: &[u8; KEY_BYTES]| key.iter().map(|byte| format!("{byte:02x}")).collect::<String>() + "\n";
        self.0.iter().map(hex).collect()
    }

    /// These keys and a new one.
    #[must_use]
    pub fn rotated(&self, bytes: [u8; KEY_BYTES]) -> Keys {
        let mut keys = self.0.clone();
        keys.push(bytes);
        Keys(keys)
    }

    /// Tells these keys from others without telling anything of them.
    #[must_use]
    pub fn check(&self) -> String {
        let all: Vec<u8> = self.0.iter().flatten().copied().collect();
        blake3::derive_key("stipple 2026 check of the keys", &all)[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }

    /// Pseudonym of a patient of a source: 24 hexadecimal digits.
    ///
    /// ```
    /// use stipple::store::Keys;
    /// let keys = Keys::new([7; 32]);
    /// assert_eq!(keys.pseudonym("north", "P-1").len(), 24);
    /// assert_eq!(keys.pseudonym("north", "P-1"), keys.pseudonym("north", "P-1"));
    /// assert_ne!(keys.pseudonym("north", "P-1"), keys.pseudonym("south", "P-1"));
    /// ```
    #[must_use]
    pub fn pseudonym(&self, source: &str, patient_id: &str) -> String {
        let first = shorten(&hash(&self.0[0], &["patient", source, patient_id]));
        self.0[1..].iter().fold(first, |pseudonym, key| again(key, &pseudonym))
    }

    /// Key of a session of a source.
    #[must_use]
    pub fn session(&self, source: &str, session_id: &str) -> SessionKey {
        let first = narrow(&hash(&self.0[0], &["session", source, session_id]));
        self.0[1..].iter().fold(first, |known, key| session_again(key, known))
    }

    /// What the newest key makes of a pseudonym of the keys before it.
    #[must_use]
    pub fn renewed(&self, pseudonym: &str) -> String {
        self.0.last().map_or_else(|| pseudonym.to_owned(), |key| again(key, pseudonym))
    }

    /// What the newest key makes of a session's key of the keys before it.
    #[must_use]
    pub fn renewed_session(&self, session: SessionKey) -> SessionKey {
        self.0.last().map_or(session, |key| session_again(key, session))
    }
}

fn key(line: &str) -> Option<[u8; KEY_BYTES]> {
    let bytes = line.as_bytes();
    if bytes.len() != 2 * KEY_BYTES || !line.is_ascii() {
        return None;
    }
    let mut key = [0; KEY_BYTES];
    for (byte, digits) in key.iter_mut().zip(bytes.chunks(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(key)
}

fn hash(key: &[u8; KEY_BYTES], parts: &[&str]) -> blake3::Hash {
    // One text after another in one piece: for short ones that is several times as fast as in steps.
    let mut text: Vec<u8> = Vec::with_capacity(parts.iter().map(|part| part.len() + 8).sum());
    for part in parts {
        text.extend_from_slice(&(part.len() as u64).to_le_bytes());
        text.extend_from_slice(part.as_bytes());
    }
    blake3::keyed_hash(key, &text)
}

fn shorten(hash: &blake3::Hash) -> String {
    hash.to_hex()[..24].to_owned()
}

fn narrow(hash: &blake3::Hash) -> SessionKey {
    SessionKey(u128::from_be_bytes(std::array::from_fn(|at| hash.as_bytes()[at])))
}

fn again(key: &[u8; KEY_BYTES], pseudonym: &str) -> String {
    shorten(&hash(key, &["patient again", pseudonym]))
}

fn session_again(key: &[u8; KEY_BYTES], session: SessionKey) -> SessionKey {
    narrow(&hash(key, &["session again", &format!("{:032x}", session.0)]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_file_is_read_back_and_nothing_else_is_taken_for_one() {
        let keys = Keys::new([1; 32]).rotated([2; 32]);
        assert_eq!(Keys::parse(&format!("# keep safe\n{}", keys.lines())).unwrap(), keys);
        assert!(Keys::parse("").is_err());
        assert!(Keys::parse("12345").is_err());
        assert!(Keys::parse(&"g".repeat(64)).is_err());
        assert_ne!(Keys::new([1; 32]).check(), keys.check());
    }

    #[test]
    fn a_new_key_renews_pseudonyms_without_the_patients_ids() {
        let old = Keys::new([1; 32]);
        let new = old.rotated([2; 32]);
        assert_eq!(new.pseudonym("s", "P1"), new.renewed(&old.pseudonym("s", "P1")));
        assert_eq!(new.session("s", "S1"), new.renewed_session(old.session("s", "S1")));
        assert_ne!(new.pseudonym("s", "P1"), old.pseudonym("s", "P1"));
    }

    #[test]
    fn a_session_key_is_two_halves() {
        let key = Keys::new([3; 32]).session("s", "S1");
        let (high, low) = key.halves();
        assert_eq!(SessionKey::of_halves(high, low), key);
    }
}
