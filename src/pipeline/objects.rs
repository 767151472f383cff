//! What an address in an object store stands for: one object, the logs below a prefix, or what fits a pattern.

use super::files::{Found, HIDDEN, InputFile, Location, NO_LOG, Skipped, Unfound, is_hidden_name, skipped_words};
use crate::bucket::{self, Access, Address, BucketError, Object};
use crate::ingest;
use std::path::Path;

/// The inputs that an address names.
pub(super) fn expand(named: &str, access: &Access) -> Result<Found, Unfound> {
    let unfound =
        |error: BucketError| Unfound { reason: format!("{error}; {}", error.remedy()), failed: !error.is_wrong_use() };
    let found = bucket::Found::at(&Address::parse(named).map_err(unfound)?, access).map_err(unfound)?;
    match found {
        bucket::Found::One(object) => Ok(Found { files: vec![file(object)], skipped: Vec::new() }),
        bucket::Found::Pattern(objects) if objects.is_empty() => Err(format!("no object fits {named}").into()),
        bucket::Found::Pattern(objects) => {
            Ok(Found { files: objects.into_iter().map(file).collect(), skipped: Vec::new() })
        }
        bucket::Found::Folder(objects) => Ok(folder(named, objects)?),
    }
}

/// As of a folder: every log, but for hidden ones.
fn folder(named: &str, objects: Vec<(Object, String)>) -> Result<Found, String> {
    let mut found = Found::default();
    for (object, behind) in objects {
        let skipped = |why| Skipped { name: object.name().to_owned(), why };
        if behind.split('/').any(is_hidden_name) {
            found.skipped.push(skipped(HIDDEN));
        } else if ingest::is_known(Path::new(&behind)) {
            found.files.push(file(object));
        } else {
            found.skipped.push(skipped(NO_LOG));
        }
    }
    if found.files.is_empty() {
        return Err(format!("the folder {named} holds no log{}", skipped_words(&found.skipped)));
    }
    found.skipped.sort();
    Ok(found)
}

fn file(object: Object) -> InputFile {
    InputFile { name: object.name().to_owned(), at: Location::Object(Box::new(object)) }
}
