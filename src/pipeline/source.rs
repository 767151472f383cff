//! A source of data: what its names stand for, and how it is read.

use super::files::{self, InputFile, Skipped, Unfound};
use crate::bucket::Access;
use crate::validate::Mapping;
use std::path::Path;

/// A source of data, with its files found and its mapping read.
#[derive(Debug, Clone)]
pub struct Source {
    /// Session logs.
    pub logs: Vec<InputFile>,
    /// Events files.
    pub events: Vec<InputFile>,
    /// Assessments files.
    pub assessments: Vec<InputFile>,
    /// What the folders that it names hold besides.
    pub skipped: Vec<Skipped>,
    /// How to read them.
    pub mapping: Mapping,
}

/// Names of a source: session logs, events files and assessments files, each a path, folder, pattern or address.
#[derive(Debug, Clone, Copy)]
pub struct Named<'a> {
    /// Session logs.
    pub logs: &'a [String],
    /// Events files.
    pub events: &'a [String],
    /// Assessments files.
    pub assessments: &'a [String],
}

impl Source {
    /// Finds the inputs that `named` stands for, relative to `base`; each once, in the order in which they are named.
    ///
    /// # Errors
    /// The kind of file, and the reason why nothing is there.
    pub fn find(base: &Path, named: Named<'_>, mapping: Mapping) -> Result<Source, (&'static str, Unfound)> {
        Source::find_with(base, named, (mapping, &Access::default()))
    }

    /// As [`Source::find`], with what object stores are reached by.
    ///
    /// # Errors
    /// As [`Source::find`].
    pub fn find_with(
        base: &Path,
        named: Named<'_>,
        (mapping, access): (Mapping, &Access),
    ) -> Result<Source, (&'static str, Unfound)> {
        let mut skipped = Vec::new();
        let mut expand = |key: &'static str, names: &[String]| -> Result<Vec<InputFile>, (&'static str, Unfound)> {
            let mut inputs: Vec<InputFile> = Vec::new();
            for name in names {
                let found = files::expand(base, name, access).map_err(|unfound| (key, unfound))?;
                inputs.extend(found.files.into_iter().filter(|file| !inputs.contains(file)).collect::<Vec<_>>());
                skipped.extend(found.skipped);
            }
            Ok(inputs)
        };
        let logs = expand("logs", named.logs)?;
        let events = expand("events", named.events)?;
        let assessments = expand("assessments", named.assessments)?;
        skipped.sort();
        skipped.dedup();
        Ok(Source { logs, events, assessments, skipped, mapping })
    }

    /// Gives databases the password that their addresses leave out.
    pub fn give_password(&mut self, password: &str) {
        let inputs = self.logs.iter_mut().chain(&mut self.events).chain(&mut self.assessments);
        inputs.for_each(|input| input.at.give_password(password));
    }
}
