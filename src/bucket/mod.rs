//! Object stores by address: `s3://bucket/prefix`, `gs://…`, `az://…`. What an address says, the connection to its
//! bucket, and the few things that are done there: list, read, write, write if absent, remove.
//!
//! Knows neither logs nor the tables of a store. Reads no environment: [`Access`] comes in from the door. Names no
//! credential: what a server says is cut down to its code, and an address that holds a secret is refused unquoted.

mod address;
mod connect;
mod error;
mod object;
mod operations;

pub use address::{Address, is_address};
pub use error::BucketError;
pub use object::{Found, Object};
pub use operations::{Bucket, Entry};

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Variables of the environment that settle how object stores are reached begin with one of these.
pub const VARIABLES: [&str; 3] = ["AWS_", "AZURE_", "GOOGLE_"];

/// How object stores are reached: variables such as `AWS_ACCESS_KEY_ID`, and the connections that are open.
#[derive(Clone, Default)]
pub struct Access {
    options: Arc<BTreeMap<String, String>>,
    open: Arc<Mutex<BTreeMap<String, Bucket>>>,
}

impl fmt::Debug for Access {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Access({} variables)", self.options.len())
    }
}

impl Access {
    /// From variables; those that say nothing of object stores are passed over.
    #[must_use]
    pub fn new(variables: impl IntoIterator<Item = (String, String)>) -> Access {
        let ours = |name: &String| VARIABLES.iter().any(|begin| name.starts_with(begin));
        let options = variables.into_iter().filter(|(name, value)| ours(name) && !value.is_empty()).collect();
        Access { options: Arc::new(options), open: Arc::default() }
    }

    /// The connection to the bucket of an address: one for each bucket, however often it is asked for.
    ///
    /// # Errors
    /// When this build has no object stores, or the variables cannot be used.
    pub fn bucket(&self, address: &Address) -> Result<Bucket, BucketError> {
        let mut open = self.open.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bucket) = open.get(address.root()) {
            return Ok(bucket.clone());
        }
        let bucket = Bucket::connect(address, &self.options)?;
        open.insert(address.root().to_owned(), bucket.clone());
        Ok(bucket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_access_holds_is_never_shown() {
        let pairs = [("AWS_SECRET_ACCESS_KEY", "s3cret"), ("AWS_REGION", ""), ("HOME", "/root")];
        let access = Access::new(pairs.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!(format!("{access:?}"), "Access(1 variables)");
    }

    #[cfg(not(feature = "object-stores"))]
    #[test]
    fn without_the_feature_an_address_is_refused_with_the_build_that_has_it() {
        let address = Address::parse("s3://b/logs").unwrap();
        let error = Access::default().bucket(&address).unwrap_err();
        assert!(error.to_string().contains("s3://b"), "{error}");
        assert!(error.remedy().contains("--features object-stores"), "{}", error.remedy());
    }
}
