//! What an address says: the kind of object store, the bucket, and the key or prefix in it.

use super::error::BucketError;

/// Schemes and the kind of object store behind them.
const SCHEMES: [(&str, Kind); 6] = [
    ("s3", Kind::S3),
    ("s3a", Kind::S3),
    ("gs", Kind::Google),
    ("az", Kind::Azure),
    ("abfs", Kind::Azure),
    ("abfss", Kind::Azure),
];

/// A kind of object store.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    S3,
    Google,
    Azure,
}

/// An address in an object store, without any credential.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    pub(super) kind: Kind,
    root: String,
    key: String,
}

/// Whether a text is the address of an object store.
///
/// ```
/// use stipple::bucket::is_address;
/// assert!(is_address("s3://clinic/logs/"));
/// assert!(!is_address("postgresql://db/clinic") && !is_address("logs/a.csv"));
/// ```
#[must_use]
pub fn is_address(text: &str) -> bool {
    text.split_once("://").is_some_and(|(scheme, _)| kind(scheme).is_some())
}

fn kind(scheme: &str) -> Option<Kind> {
    SCHEMES.iter().find(|(known, _)| *known == scheme).map(|(_, kind)| *kind)
}

impl Address {
    /// Reads an address.
    ///
    /// # Errors
    /// When it names no bucket, or holds a credential: that error quotes nothing of it.
    ///
    /// ```
    /// use stipple::bucket::Address;
    /// let address = Address::parse("s3://clinic/logs/january.csv").unwrap();
    /// assert_eq!((address.root(), address.key()), ("s3://clinic", "logs/january.csv"));
    /// ```
    pub fn parse(text: &str) -> Result<Address, BucketError> {
        let (scheme, rest) = text.split_once("://").ok_or(BucketError::Malformed)?;
        let kind = kind(scheme).ok_or(BucketError::Malformed)?;
        let (bucket, key) = rest.split_once('/').unwrap_or((rest, ""));
        // `az://container@account` is how Azure names an account; a `:` there is a password.
        let secret = bucket.contains(':') || (bucket.contains('@') && kind != Kind::Azure);
        if secret || has_token(rest) {
            return Err(BucketError::Secret);
        }
        let odd = |letter: char| letter.is_whitespace() || letter.is_control() || "?#*[]%\\".contains(letter);
        if bucket.is_empty() || bucket.contains(odd) {
            return Err(BucketError::Malformed);
        }
        Ok(Address { kind, root: format!("{scheme}://{bucket}"), key: key.to_owned() })
    }

    /// Scheme and bucket: `s3://clinic`.
    #[must_use]
    pub fn root(&self) -> &str {
        &self.root
    }

    /// What stands behind the bucket, as it was written.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }
}

/// Whether an address ends in parameters, as those with a shared-access signature do.
fn has_token(rest: &str) -> bool {
    rest.split_once('?').is_some_and(|(_, parameters)| parameters.contains('='))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_bucket_and_a_key() {
        for (text, root, key) in [
            ("s3://b", "s3://b", ""),
            ("s3a://b/", "s3a://b", ""),
            ("gs://b/logs/", "gs://b", "logs/"),
            ("az://c@account/x/y.csv", "az://c@account", "x/y.csv"),
            ("abfss://c@a.dfs.core.windows.net/x", "abfss://c@a.dfs.core.windows.net", "x"),
            ("s3://b/logs/*.cs?", "s3://b", "logs/*.cs?"),
        ] {
            let address = Address::parse(text).unwrap();
            assert_eq!((address.root(), address.key()), (root, key), "{text}");
        }
    }

    #[test]
    fn an_address_with_a_secret_is_refused_and_not_quoted() {
        for text in ["s3://key:geheim@b/logs", "s3://geheim@b/logs", "az://c/x.csv?sv=2&sig=geheim"] {
            let error = Address::parse(text).unwrap_err();
            assert!(matches!(error, BucketError::Secret));
            assert!(!format!("{error} {error:?} {}", error.remedy()).contains("geheim"));
        }
        for text in ["s3:///x", "s3://", "ftp://b/x", "b/x", "s3://b c/x"] {
            assert!(matches!(Address::parse(text), Err(BucketError::Malformed)), "{text}");
        }
    }
}
