//! A failure at the door: what happened, what to do next, and the exit code.

use crate::pipeline::diff::RunDiffError;
use crate::pipeline::files::Unfound;
use crate::pipeline::init::InitError;
use crate::pipeline::load::{Cause, LoadError};
use crate::pipeline::take_in::TakeInError;
use crate::pipeline::{PipelineError, ProduceError, PublishError};
use crate::store::lake::StoreError;

/// I/O or internal.
pub(super) const FAILED: u8 = 1;
/// Arguments, pipeline or mapping.
pub(super) const WRONG_USE: u8 = 2;
/// The data cannot be used, or a quality gate was not met.
pub(super) const UNUSABLE_DATA: u8 = 3;

/// What went wrong, for a person.
#[derive(Debug)]
pub(super) struct Failure {
    /// What happened, and where.
    pub(super) message: String,
    /// What to do next.
    pub(super) hint: String,
    /// The program's exit code.
    pub(super) exit_code: u8,
}

impl Failure {
    pub(super) fn new(exit_code: u8, message: impl Into<String>, hint: impl Into<String>) -> Failure {
        Failure { message: message.into(), hint: hint.into(), exit_code }
    }

    /// Says it on stderr.
    pub(super) fn tell(&self) {
        eprintln!("error: {}", self.message);
        if !self.hint.is_empty() {
            eprintln!(" hint: {}", self.hint);
        }
    }
}

impl From<PipelineError> for Failure {
    fn from(error: PipelineError) -> Failure {
        match error {
            PipelineError::Store { source, .. } => source.into(),
            PipelineError::Failed { .. } => Failure::new(FAILED, error.to_string(), error.hint()),
            _ => Failure::new(WRONG_USE, error.to_string(), error.hint()),
        }
    }
}

impl From<Unfound> for Failure {
    fn from(unfound: Unfound) -> Failure {
        if unfound.failed {
            return Failure::new(FAILED, unfound.reason, "try again, or look at the network and the permissions");
        }
        Failure::new(WRONG_USE, unfound.reason, "name logs, folders, patterns or addresses")
    }
}

impl From<LoadError> for Failure {
    fn from(error: LoadError) -> Failure {
        let exit_code = match error.cause() {
            Cause::Missing => WRONG_USE,
            Cause::Unreadable | Cause::Defect => FAILED,
            Cause::Unusable => UNUSABLE_DATA,
        };
        Failure::new(exit_code, error.to_string(), error.remedy())
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        let exit_code = match error {
            StoreError::Bucket(ref problem) if problem.is_wrong_use() => WRONG_USE,
            StoreError::NoStore { .. }
            | StoreError::NotAFolder { .. }
            | StoreError::OddPrefix { .. }
            | StoreError::NoConditionalPut { .. }
            | StoreError::ForeignFolder { .. }
            | StoreError::OtherKey { .. }
            | StoreError::BadKey { .. }
            | StoreError::NoVersion { .. }
            | StoreError::NothingYet { .. }
            | StoreError::Vacuumed { .. }
            | StoreError::Newer { .. }
            | StoreError::Older { .. } => WRONG_USE,
            StoreError::Damaged { .. } => UNUSABLE_DATA,
            _ => FAILED,
        };
        Failure::new(exit_code, error.to_string(), error.remedy())
    }
}

impl From<TakeInError> for Failure {
    fn from(error: TakeInError) -> Failure {
        match error {
            TakeInError::Load(error) => error.into(),
            TakeInError::Store(error) => error.into(),
            TakeInError::Changed { .. } => {
                Failure::new(FAILED, error.to_string(), "wait until it is written, and give the command again")
            }
        }
    }
}

impl From<InitError> for Failure {
    fn from(error: InitError) -> Failure {
        let message = error.to_string();
        match error {
            InitError::Load(error) => error.into(),
            InitError::Address(unfound) => Failure { hint: String::new(), ..unfound.into() },
            InitError::NoHeader { .. } => {
                Failure::new(UNUSABLE_DATA, message, "add a line with the column names, and start again")
            }
            InitError::Exists { .. } => {
                Failure::new(WRONG_USE, message, "name another folder, or take the file away; nothing was written")
            }
            InitError::Write { .. } => Failure::new(FAILED, message, "check the path, the space and the permissions"),
            InitError::Defect(_) => {
                Failure::new(FAILED, message, "this is a defect of stipple; please report the headers of the file")
            }
        }
    }
}

impl From<ProduceError> for Failure {
    fn from(error: ProduceError) -> Failure {
        let message = error.to_string();
        match error {
            ProduceError::Load(error) => error.into(),
            ProduceError::NoSessions { .. } => Failure::new(UNUSABLE_DATA, message, "no report was written"),
            ProduceError::Gate { .. } => Failure::new(
                UNUSABLE_DATA,
                message,
                "no report was written; `stipple check PIPELINE --rejects FILE` lists the rows",
            ),
            ProduceError::Temporary(_) => {
                Failure::new(FAILED, message, "free space in the folder for temporary files, or name another in TMPDIR")
            }
            ProduceError::Plan(_) => Failure::new(WRONG_USE, message, "change the pipeline"),
            ProduceError::Chart(_) | ProduceError::File { .. } => Failure::new(FAILED, message, ""),
        }
    }
}

impl From<RunDiffError> for Failure {
    fn from(error: RunDiffError) -> Failure {
        let message = error.to_string();
        match error {
            RunDiffError::NoRun { .. } => {
                Failure::new(WRONG_USE, message, "name two folders that `stipple run` has written")
            }
            RunDiffError::Io { .. } => Failure::new(FAILED, message, "check the path and the permissions"),
            RunDiffError::Results { .. } | RunDiffError::Manifest { .. } => {
                Failure::new(UNUSABLE_DATA, message, "make the report again with `stipple run`")
            }
        }
    }
}

impl From<PublishError> for Failure {
    fn from(error: PublishError) -> Failure {
        let message = error.to_string();
        match error {
            PublishError::ForeignFolder { .. } | PublishError::NotAFolder { .. } => {
                Failure::new(WRONG_USE, message, "name a new or empty folder with --out")
            }
            PublishError::Io { .. } => Failure::new(
                FAILED,
                message,
                "the earlier report, if there was one, is as it was; check space and permissions",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lack_of_temporary_space_is_a_failure_and_not_wrong_use() {
        let failure = Failure::from(ProduceError::Temporary(std::io::Error::other("No space left on device")));
        assert_eq!(failure.exit_code, FAILED);
    }
}
