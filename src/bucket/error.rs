//! Why an object store does not do what it is asked. What it said is never passed on whole: it may quote keys.

use std::error::Error as _;
use thiserror::Error;

/// Why an object store does not do what it is asked.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum BucketError {
    /// The program was built without object stores.
    #[error("{name} is in an object store, which this build of stipple cannot reach")]
    NotInThisBuild {
        /// Scheme and bucket.
        name: String,
    },
    /// An address that cannot be understood.
    #[error("the address of the object store cannot be understood")]
    Malformed,
    /// A key or password within an address.
    #[error("the address of the object store holds a key or a password")]
    Secret,
    /// The variables cannot be used.
    #[error("{name} cannot be reached as the environment says: {reason}")]
    Settings {
        /// Scheme and bucket.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// No such bucket.
    #[error("there is no bucket {name}")]
    NoBucket {
        /// Scheme and bucket.
        name: String,
    },
    /// No such object.
    #[error("there is no object {name}")]
    NoObject {
        /// Its address.
        name: String,
    },
    /// The key is wrong, or there is none.
    #[error("{name}: the object store does not accept the key ({said})")]
    WrongKey {
        /// The address.
        name: String,
        /// The server's code.
        said: String,
    },
    /// The key is good for something else.
    #[error("{name}: the object store denies access ({said})")]
    Denied {
        /// The address.
        name: String,
        /// The server's code.
        said: String,
    },
    /// Nobody answers.
    #[error("{name} cannot be reached: {reason}")]
    Unreachable {
        /// The address.
        name: String,
        /// What the system says.
        reason: String,
    },
    /// An object is another than a moment ago.
    #[error("{name} changed while it was read")]
    Changed {
        /// Its address.
        name: String,
    },
    /// Anything else.
    #[error("{name}: the object store refuses ({said})")]
    Refused {
        /// The address.
        name: String,
        /// The server's code.
        said: String,
    },
}

/// Codes by which servers tell that a key is unknown, wrong or too old.
const WRONG_KEY: [&str; 9] = [
    "InvalidAccessKeyId",
    "SignatureDoesNotMatch",
    "AuthFailure",
    "InvalidToken",
    "ExpiredToken",
    "InvalidClientTokenId",
    "AuthenticationFailed",
    "InvalidAuthenticationInfo",
    "NoAuthenticationInformation",
];
const NO_BUCKET: [&str; 2] = ["NoSuchBucket", "ContainerNotFound"];

impl BucketError {
    /// What the library says of an address, as one of ours.
    pub(super) fn of(name: &str, error: &object_store::Error) -> BucketError {
        let name = name.to_owned();
        let code = code(error);
        let said = code.clone().unwrap_or_else(|| cause(error));
        match (error, code.as_deref()) {
            (_, Some(code)) if WRONG_KEY.contains(&code) => BucketError::WrongKey { name, said },
            (_, Some(code)) if NO_BUCKET.contains(&code) => BucketError::NoBucket { name },
            (object_store::Error::Unauthenticated { .. }, _) => BucketError::WrongKey { name, said },
            (object_store::Error::PermissionDenied { .. }, _) => BucketError::Denied { name, said },
            (object_store::Error::NotFound { .. }, _) => BucketError::NoObject { name },
            (object_store::Error::Precondition { .. }, _) => BucketError::Changed { name },
            (_, Some(_)) => BucketError::Refused { name, said },
            // So answers who is asked for a key where none is set, too.
            (_, None) if said.starts_with("401") || said.starts_with("403") => BucketError::WrongKey { name, said },
            (object_store::Error::Generic { .. }, None) if has_status(error) => BucketError::Refused { name, said },
            _ => BucketError::Unreachable { name, reason: said },
        }
    }

    #[cfg(feature = "object-stores")]
    pub(super) fn settings(name: &str, error: &object_store::Error) -> BucketError {
        BucketError::Settings { name: name.to_owned(), reason: cause(error) }
    }

    /// Whether what was asked for is wrong, rather than the network or the server.
    #[must_use]
    pub fn is_wrong_use(&self) -> bool {
        match self {
            BucketError::NotInThisBuild { .. }
            | BucketError::Malformed
            | BucketError::Secret
            | BucketError::Settings { .. }
            | BucketError::NoBucket { .. }
            | BucketError::NoObject { .. } => true,
            BucketError::WrongKey { .. }
            | BucketError::Denied { .. }
            | BucketError::Unreachable { .. }
            | BucketError::Changed { .. }
            | BucketError::Refused { .. } => false,
        }
    }

    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> &'static str {
        match self {
            BucketError::NotInThisBuild { .. } => {
                "build it with them: cargo build --release --features object-stores; or copy the files to a folder"
            }
            BucketError::Malformed => "write it as s3://bucket/folder/log.csv, gs://bucket/… or az://container/…",
            BucketError::Secret => {
                "leave it out, and put it into the environment: AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, \
                 AZURE_STORAGE_ACCOUNT_NAME and AZURE_STORAGE_ACCOUNT_KEY or AZURE_STORAGE_SAS_KEY, or \
                 GOOGLE_APPLICATION_CREDENTIALS"
            }
            BucketError::Settings { .. } => "check the variables AWS_…, AZURE_… or GOOGLE_… (README, «Object stores»)",
            BucketError::NoBucket { .. } => {
                "check its name, and that AWS_ENDPOINT_URL and AWS_REGION (or the account of AZURE_…) are the bucket's"
            }
            BucketError::NoObject { .. } => "check its name, letter for letter",
            BucketError::WrongKey { .. } => {
                "set or check AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN, the AZURE_STORAGE_… variables, or \
                 GOOGLE_APPLICATION_CREDENTIALS"
            }
            BucketError::Denied { .. } => {
                "ask whoever owns the bucket: reading needs to list and get, a store needs to put and delete too"
            }
            BucketError::Unreachable { .. } => {
                "check the network, and where the server is said to be (AWS_ENDPOINT_URL, with AWS_ALLOW_HTTP=true for \
                 http://; the account of AZURE_…); with no key in the environment the machine's own cloud is asked for \
                 one, if it is in a cloud"
            }
            BucketError::Changed { .. } => "wait until it is written, and give the command again",
            BucketError::Refused { .. } => {
                "give the command again; if it stays, tell the code to whoever runs the server"
            }
        }
    }
}

/// The chain of causes, from the outermost.
fn chain<'a>(
    error: &'a (dyn std::error::Error + 'static),
) -> impl Iterator<Item = &'a (dyn std::error::Error + 'static)> {
    std::iter::successors(Some(error), |error: &&'a (dyn std::error::Error + 'static)| (*error).source())
}

/// `<Code>NoSuchBucket</Code>` of a server's answer, else its status: «403 Forbidden».
fn code(error: &object_store::Error) -> Option<String> {
    let said = chain(error).map(ToString::to_string).find(|said| said.contains("<Code>"))?;
    let code = said.split("<Code>").nth(1)?.split("</Code>").next()?;
    (code.len() < 60 && code.chars().all(|letter| letter.is_ascii_alphanumeric() || ".-_".contains(letter)))
        .then(|| code.to_owned())
}

fn status(error: &object_store::Error) -> Option<String> {
    const BEFORE: &str = "status code: ";
    let said = chain(error).map(ToString::to_string).find(|said| said.contains(BEFORE))?;
    let status = said.split(BEFORE).nth(1)?.split(':').next()?.trim();
    (status.len() < 60).then(|| status.to_owned())
}

fn has_status(error: &object_store::Error) -> bool {
    status(error).is_some()
}

/// The innermost cause, which is the system's or the library's own and quotes no answer.
fn cause(error: &object_store::Error) -> String {
    if let Some(status) = status(error) {
        return status;
    }
    let innermost = chain(error).last().map(ToString::to_string).unwrap_or_default();
    match innermost.lines().next() {
        Some(line) if !line.is_empty() && !line.contains("://") && !line.contains('<') => line.to_owned(),
        _ => error
            .source()
            .map_or_else(|| "no reason was given".to_owned(), |_| "it gives no readable reason".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn generic(said: &str) -> object_store::Error {
        object_store::Error::Generic { store: "S3", source: said.into() }
    }

    #[test]
    fn of_an_answer_only_its_code_is_told() {
        let answer = "Server returned non-2xx status code: 403 Forbidden: <?xml version=\"1.0\"?><Error><Code>\
                      InvalidAccessKeyId</Code><AWSAccessKeyId>AKIAGEHEIM</AWSAccessKeyId></Error>";
        let error = BucketError::of("s3://b/x", &generic(answer));
        assert_eq!(error, BucketError::WrongKey { name: "s3://b/x".to_owned(), said: "InvalidAccessKeyId".to_owned() });
        let error = BucketError::of("s3://b/x", &generic("Server returned non-2xx status code: 503 Slow: AKIAGEHEIM"));
        assert_eq!(error, BucketError::Refused { name: "s3://b/x".to_owned(), said: "503 Slow".to_owned() });
        let error = BucketError::of("s3://b/x", &generic("GET https://b/x?sig=GEHEIM failed"));
        assert!(matches!(&error, BucketError::Unreachable { reason, .. } if !reason.contains("GEHEIM")), "{error:?}");
    }

    #[test]
    fn what_the_system_says_is_told() {
        let refused = std::io::Error::other("Connection refused (os error 111)");
        let error = object_store::Error::Generic { store: "S3", source: Box::new(refused) };
        assert!(BucketError::of("s3://b", &error).to_string().contains("Connection refused"));
    }
}
