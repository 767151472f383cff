//! The connection to a bucket. The one file that differs between builds with and without object stores.

use super::BucketError;
use super::address::Address;
#[cfg(feature = "object-stores")]
use super::address::Kind;
use object_store::ObjectStore;
use std::collections::BTreeMap;
use std::sync::Arc;
#[cfg(feature = "object-stores")]
use std::time::Duration;

#[cfg(not(feature = "object-stores"))]
pub(super) fn connect(
    address: &Address,
    _options: &BTreeMap<String, String>,
) -> Result<Arc<dyn ObjectStore>, BucketError> {
    Err(BucketError::NotInThisBuild { name: address.root().to_owned() })
}

#[cfg(feature = "object-stores")]
pub(super) fn connect(
    address: &Address,
    options: &BTreeMap<String, String>,
) -> Result<Arc<dyn ObjectStore>, BucketError> {
    use object_store::aws::AmazonS3Builder;
    use object_store::azure::MicrosoftAzureBuilder;
    use object_store::gcp::GoogleCloudStorageBuilder;
    /// Each builder has the same functions, and no trait for them.
    macro_rules! build {
        ($builder:ty) => {{
            let mut builder = <$builder>::new()
                .with_url(format!("{}/", address.root()))
                .with_retry(retries())
                .with_client_options(client());
            for (name, value) in options {
                // Variables that the library does not know are somebody else's.
                if let Ok(key) = name.to_ascii_lowercase().parse() {
                    builder = builder.with_config(key, value);
                }
            }
            builder.build().map(|store| Arc::new(store) as Arc<dyn ObjectStore>)
        }};
    }
    let built = match address.kind {
        Kind::S3 => build!(AmazonS3Builder),
        Kind::Google => build!(GoogleCloudStorageBuilder),
        Kind::Azure => build!(MicrosoftAzureBuilder),
    };
    built.map_err(|error| BucketError::settings(address.root(), &error))
}

/// A server that is away for a moment is waited for; one that is not there is told within a minute or so.
#[cfg(feature = "object-stores")]
fn retries() -> object_store::RetryConfig {
    object_store::RetryConfig {
        backoff: object_store::BackoffConfig {
            init_backoff: Duration::from_millis(100),
            max_backoff: Duration::from_secs(3),
            base: 2.0,
        },
        max_retries: 4,
        retry_timeout: Duration::from_secs(45),
    }
}

/// Requests are small (`operations` reads and writes in parts), so that each is done within the time or not at all.
#[cfg(feature = "object-stores")]
fn client() -> object_store::ClientOptions {
    object_store::ClientOptions::new()
        .with_connect_timeout(Duration::from_secs(5))
        .with_timeout(Duration::from_secs(30))
        .with_user_agent(object_store::HeaderValue::from_static(concat!("stipple/", env!("CARGO_PKG_VERSION"))))
}
