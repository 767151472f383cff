//! What can be wrong with a mapping file.

/// A mistake in a mapping file, with its line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}{place}: {problem}", place = line.map(|line| format!(":{line}")).unwrap_or_default())]
pub struct MappingError {
    /// Name of the file.
    pub file: String,
    /// Line of the mistake.
    pub line: Option<u64>,
    /// The mistake.
    pub problem: MappingProblem,
}

/// A mistake in a mapping file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MappingProblem {
    /// Not TOML.
    #[error("{message}")]
    Syntax {
        /// What the TOML reader says.
        message: String,
    },
    /// A version that this program does not know.
    #[error("version {found} is not known; this program reads version 1")]
    Version {
        /// The version given.
        found: String,
    },
    /// A key that does not exist.
    #[error("«{key}» is not known in {table}{}", did_you_mean(nearest.as_deref()))]
    UnknownKey {
        /// The key.
        key: String,
        /// Where it stands.
        table: String,
        /// The most similar key.
        nearest: Option<String>,
    },
    /// A column that does not exist.
    #[error("«{column}» is not a canonical column of {file}{}", did_you_mean(nearest.as_deref()))]
    UnknownColumn {
        /// The column.
        column: String,
        /// Of which kind of file.
        file: &'static str,
        /// The most similar column.
        nearest: Option<String>,
    },
    /// A value of the wrong kind.
    #[error("«{key}» must be {expected}")]
    WrongValue {
        /// The key.
        key: String,
        /// What it should be.
        expected: String,
    },
    /// A unit that the column does not have.
    #[error("«{unit}» is not a unit of {column}; known: {known}")]
    UnknownUnit {
        /// The unit.
        unit: String,
        /// The column.
        column: &'static str,
        /// Units of the column.
        known: String,
    },
    /// A code that the column does not have.
    #[error("«{value}» is not a code of {column}{}", did_you_mean(nearest.as_deref()))]
    UnknownCode {
        /// The code.
        value: String,
        /// The column.
        column: String,
        /// The most similar code.
        nearest: Option<String>,
    },
    /// More side effects than a run can hold.
    #[error("{count} side effects with the built-in ones; a run holds at most {most}")]
    TooManySideEffects {
        /// How many there would be.
        count: usize,
        /// How many there may be.
        most: usize,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|nearest| format!("; did you mean «{nearest}»?")).unwrap_or_default()
}
