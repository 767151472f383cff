//! What a header can lack.

/// A column that the header does not have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingColumn {
    /// Its canonical name.
    pub column: &'static str,
    /// The header under which the mapping file looks for it.
    pub header: Option<String>,
    /// The most similar header.
    pub nearest: Option<String>,
}

/// A header that nothing maps: its column is not read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ignored {
    /// The header.
    pub header: String,
    /// A canonical column like it that nothing feeds.
    pub nearest: Option<String>,
}

/// Why a file cannot be judged under its header.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// Columns that every row needs, or that the mapping names, are not there.
    #[error("the header of this {file} lacks {}", list(missing))]
    MissingColumns {
        /// Which kind of file.
        file: &'static str,
        /// The columns.
        missing: Vec<MissingColumn>,
        /// The headers that are there (the first fifty); empty where the line seems to hold a patient's data.
        headers: Vec<String>,
    },
    /// Two headers fit one column.
    #[error("two headers fit {column}: {first} and {second}")]
    Ambiguous {
        /// The column.
        column: String,
        /// The first header.
        first: String,
        /// The second header.
        second: String,
    },
    /// A header that nothing maps is a date: a row of data stands in the line of the column names.
    #[error(
        "the header of this {file} has a date where a column's name should stand (field {field}): a row of data seems to have run into it"
    )]
    HoldsData {
        /// Which kind of file.
        file: &'static str,
        /// The field, from 1.
        field: usize,
    },
    /// `[rows]` names a header that is not there.
    #[error("[rows] names «{header}», which the header does not have")]
    UnknownFilterHeader {
        /// The header named.
        header: String,
        /// The most similar header.
        nearest: Option<String>,
    },
}

impl HeaderError {
    /// What to do next.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            HeaderError::MissingColumns { headers, .. } if headers.is_empty() => {
                "the line that should hold the column names seems to hold data: add a header line, or set [read] \
                 header_row in the mapping file"
                    .to_owned()
            }
            HeaderError::MissingColumns { headers, .. } => format!(
                "name the clinic's own headers in [columns] of a mapping file (or a constant); if titles stand above \
                 the header, set [read] header_row. The file has: {}",
                headers.join(", ")
            ),
            HeaderError::HoldsData { .. } => {
                "put the column names on a line of their own (its end is missing, or is another than that of the rows), or \
                 give that column a name"
                    .to_owned()
            }
            HeaderError::Ambiguous { .. } => "rename one of them, or name the right one in [columns]".to_owned(),
            HeaderError::UnknownFilterHeader { nearest: Some(nearest), .. } => format!("did you mean «{nearest}»?"),
            HeaderError::UnknownFilterHeader { .. } => "check [rows] in the mapping file".to_owned(),
        }
    }
}

fn list(missing: &[MissingColumn]) -> String {
    let names = missing.iter().map(|column| {
        let header = column.header.as_ref().map(|header| format!(" (mapped from «{header}»)")).unwrap_or_default();
        let nearest = column.nearest.as_ref().map(|nearest| format!(" (is it «{nearest}»?)")).unwrap_or_default();
        format!("{}{header}{nearest}", column.column)
    });
    names.collect::<Vec<_>>().join(", ")
}
