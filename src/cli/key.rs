//! The key of the pseudonyms: from a file, from the environment, or made anew beside a new store.

use super::failure::{FAILED, Failure, WRONG_USE};
use crate::store::lake::{Home, Keys, Store};
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Environment variable that may hold the key's lines.
const VARIABLE: &str = "STIPPLE_KEY";

/// The keys, and the file that they came from (`None` = the environment).
pub(super) struct Found {
    pub(super) keys: Keys,
    pub(super) file: Option<PathBuf>,
}

/// The key for a store, made anew where the store is new and no key is told.
pub(super) fn find(store: &Home, told: Option<&Path>, quiet: bool) -> Result<Found, Failure> {
    if let Some(file) = told {
        finish_rotation(store, file)?;
        return read(file);
    }
    if let Ok(text) = std::env::var(VARIABLE) {
        let keys = Keys::parse(&text)
            .map_err(|error| Failure::new(WRONG_USE, format!("${VARIABLE}: {error}"), error.remedy()))?;
        return Ok(Found { keys, file: None });
    }
    let Some(folder) = store.folder() else {
        let message =
            format!("no key is told for {}, and none can lie beside a store in a bucket", store.shown().display());
        let hint = format!(
            "give one with --key FILE or ${VARIABLE}: 64 hexadecimal digits, such as `openssl rand -hex 32` draws; keep it \
             apart from the store"
        );
        return Err(Failure::new(WRONG_USE, message, hint));
    };
    let file = beside(folder);
    finish_rotation(store, &file)?;
    if file.exists() {
        return read(&file);
    }
    if Store::exists(store) {
        let message = format!("the key of {} is not there: {}", folder.display(), file.display());
        let hint = format!("give it with --key FILE or ${VARIABLE}; without it nobody can tell which patient is which");
        return Err(Failure::new(WRONG_USE, message, hint));
    }
    let keys = Keys::new(random()?);
    if let Err(failure) = write_new(&file, &keys) {
        // Another process that makes the same store may have been faster.
        return if file.exists() { read(&file) } else { Err(failure) };
    }
    if !quiet {
        eprintln!(
            "warning: a new key for the pseudonyms of patients was made: {}\n   hint: keep a copy of it apart from the \
             store; whoever has both can test whether a patient is in it, and without it nothing more can be ingested",
            file.display()
        );
    }
    Ok(Found { keys, file: Some(file) })
}

/// `warehouse` → `warehouse.key` beside it: never inside the store, which may be copied and shared.
fn beside(store: &Path) -> PathBuf {
    let mut name = store.file_name().map(std::ffi::OsStr::to_owned).unwrap_or_else(|| "store".into());
    name.push(".key");
    store.with_file_name(name)
}

fn read(file: &Path) -> Result<Found, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        Failure::new(
            WRONG_USE,
            format!("cannot read the key {}: {error}", file.display()),
            "check the path and who may read it",
        )
    })?;
    let keys = Keys::parse(&text)
        .map_err(|error| Failure::new(WRONG_USE, format!("{}: {error}", file.display()), error.remedy()))?;
    Ok(Found { keys, file: Some(file.to_owned()) })
}

/// Writes keys into a file that only its owner may read; a file that is there is never overwritten.
pub(super) fn write_new(file: &Path, keys: &Keys) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        Failure::new(
            FAILED,
            format!("cannot write the key {}: {error}", file.display()),
            "name another place with --key",
        )
    };
    if let Some(folder) = file.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).map_err(failed)?;
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut opened = options.open(file).map_err(failed)?;
    let text =
        format!("# Key of the pseudonyms of patients. Keep it safe, and apart from the store.\n{}", keys.lines());
    opened.write_all(text.as_bytes()).and_then(|()| opened.sync_all()).map_err(failed)
}

/// Where keys wait beside a file until they take its place.
fn waiting(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push(".new");
    PathBuf::from(name)
}

/// A rotation that was interrupted has left the new keys beside the file: they take its place where the store needs
/// them already, and go where it does not.
fn finish_rotation(store: &Home, file: &Path) -> Result<(), Failure> {
    let beside = waiting(file);
    if !beside.exists() || !Store::exists(store) {
        return Ok(());
    }
    let needed = Store::open(store)?.latest().key_check.clone();
    if read(&beside)?.keys.check() == needed {
        return replace(&beside, file);
    }
    fs::remove_file(&beside).map_err(|error| {
        Failure::new(
            FAILED,
            format!("cannot remove {}: {error}", beside.display()),
            "remove it by hand: the store does not need it",
        )
    })
}

/// Keeps keys beside a file until they take its place.
pub(super) fn keep_beside(file: &Path, keys: &Keys) -> Result<PathBuf, Failure> {
    let beside = waiting(file);
    write_new(&beside, keys)?;
    Ok(beside)
}

/// Puts keys that waited beside a file in its place.
pub(super) fn replace(beside: &Path, file: &Path) -> Result<(), Failure> {
    fs::rename(beside, file).map_err(|error| {
        let message = format!("cannot rename {} to {}: {error}", beside.display(), file.display());
        Failure::new(FAILED, message, "rename it by hand: it holds the key that the store needs now")
    })
}

/// Random bytes of the system.
pub(super) fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|error| {
        Failure::new(FAILED, format!("the system gives no random numbers: {error}"), "give a key with --key")
    })?;
    Ok(bytes)
}
