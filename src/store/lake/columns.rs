//! The tables on disk: their columns, types and partitions. One list that writing, reading, the log of each table
//! and the check of a store all use.

use crate::domain::codes::{BodyArea, CodeSet, Condition, Side, Topical};
use crate::domain::{COLUMNS, Catalogue, EffectId, Kind};
use crate::store::build::{CANONICAL, Reading};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::collections::BTreeSet;
use std::sync::Arc;

/// Version of these tables. A change of columns that an older program cannot read raises it.
pub const SCHEMA_VERSION: u32 = 1;

/// Digits behind the point of every measure: fixed-point, so that sums are exact and the same everywhere.
pub(super) const DECIMALS: i8 = 6;
/// What a measure is multiplied by.
pub(super) const SCALE: f64 = 1e6;
/// Digits that 32 bits hold; Parquet keeps such a measure in 32 bits too.
const INT32_DIGITS: u8 = 9;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Holds {
    /// Text of many values: compressed.
    Text,
    /// Text of few values: a dictionary.
    Label,
    /// One of a closed list of codes: a dictionary.
    Code(&'static [&'static str]),
    /// Yes, no or unknown.
    Flag,
    /// A measure with six decimals and so many digits in all.
    Measure(u8),
    /// A whole number.
    Whole,
    /// A large whole number.
    Long,
    /// A day.
    Date,
}

/// A column on disk.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DiskColumn {
    pub(super) name: String,
    pub(super) holds: Holds,
    pub(super) required: bool,
}

impl DiskColumn {
    pub(super) fn new(name: &str, holds: Holds) -> DiskColumn {
        DiskColumn { name: name.to_owned(), holds, required: false }
    }

    fn required(name: &str, holds: Holds) -> DiskColumn {
        DiskColumn { name: name.to_owned(), holds, required: true }
    }

    fn field(&self) -> Field {
        Field::new(&self.name, self.holds.arrow(), !self.required)
    }
}

impl Holds {
    pub(super) fn arrow(self) -> DataType {
        match self {
            Holds::Text | Holds::Label => DataType::Utf8,
            Holds::Code(_) => DataType::Dictionary(Box::new(DataType::UInt8), Box::new(DataType::Utf8)),
            Holds::Flag => DataType::Boolean,
            Holds::Measure(digits) => DataType::Decimal128(digits, DECIMALS),
            Holds::Whole => DataType::Int32,
            Holds::Long => DataType::Int64,
            Holds::Date => DataType::Date32,
        }
    }

    /// The column's type while its rows are on their way to a file: the narrowest, since every row is moved.
    pub(super) fn on_the_way(self) -> DataType {
        match self {
            Holds::Code(_) | Holds::Flag => DataType::UInt8,
            Holds::Measure(digits) if digits <= INT32_DIGITS => DataType::Int32,
            Holds::Measure(_) => DataType::Int64,
            other => other.arrow(),
        }
    }
}

/// A table of the store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum TableName {
    /// One row a session, as it stands, with the states of its side effects.
    Sessions,
    /// Rows of events files.
    Events,
    /// Rows of assessments files.
    Assessments,
    /// Refused rows.
    Rejects,
    /// Remarks on accepted rows.
    Warnings,
    /// Rows that a later batch replaced.
    Superseded,
}

impl TableName {
    /// Every table beside the list of batches, in the order in which they are brought up to date: what a reader
    /// counts with comes last.
    pub const ALL: [TableName; 6] = [
        TableName::Rejects,
        TableName::Warnings,
        TableName::Superseded,
        TableName::Assessments,
        TableName::Events,
        TableName::Sessions,
    ];

    /// Name of its folder.
    #[must_use]
    pub fn folder(self) -> &'static str {
        match self {
            TableName::Sessions => "sessions",
            TableName::Events => "events",
            TableName::Assessments => "assessments",
            TableName::Rejects => "rejects",
            TableName::Warnings => "warnings",
            TableName::Superseded => "superseded",
        }
    }

    /// The column by which it is divided into folders, if it is.
    pub(super) fn partition(self) -> Option<&'static str> {
        match self {
            TableName::Sessions | TableName::Events => Some("session_month"),
            TableName::Assessments => Some("assessment_month"),
            TableName::Rejects | TableName::Warnings | TableName::Superseded => None,
        }
    }

    pub(super) fn columns(self) -> Vec<DiskColumn> {
        match self {
            TableName::Sessions => sessions(&Catalogue::built_in()),
            TableName::Events => events(),
            TableName::Assessments => assessments(),
            TableName::Rejects => remarks(true),
            TableName::Warnings => remarks(false),
            TableName::Superseded => superseded(),
        }
    }
}

/// Columns that are the same for all sessions of a batch.
pub(super) const SAME_IN_BATCH: [&str; 2] = ["source", "store_version"];
/// Name of the column that numbers the rows of a batch, while they are on their way.
pub(super) const NUMBER: &str = "number_in_batch";

/// The schema of a batch's sessions on their way: those of [`session_rows`] but for [`SAME_IN_BATCH`], and the number
/// of each row.
pub(super) fn on_the_way() -> SchemaRef {
    let field = |column: &DiskColumn| Field::new(&column.name, column.holds.on_the_way(), !column.required);
    let columns = session_rows();
    let own = columns.iter().filter(|column| !SAME_IN_BATCH.contains(&column.name.as_str())).map(field);
    Arc::new(Schema::new(own.chain([Field::new(NUMBER, DataType::UInt32, false)]).collect::<Vec<_>>()))
}

/// The Arrow schema of columns.
pub(super) fn schema(columns: &[DiskColumn]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(DiskColumn::field).collect::<Vec<_>>()))
}

/// Band edges of the columns that are kept as bands too: for programs that group in SQL.
pub(super) const BANDS: &[(&str, &str, &[f64])] = &[
    ("needle_depth_band", "needle_depth_mm", &[0.25, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5]),
    ("age_band", "age_years", &[18.0, 30.0, 40.0, 50.0, 60.0, 70.0]),
];

/// Where a row came from, and in which version of the store.
fn provenance() -> Vec<DiskColumn> {
    [("store_version", Holds::Long), ("file_number", Holds::Whole), ("line", Holds::Long), ("record", Holds::Long)]
        .map(|(name, holds)| DiskColumn::required(name, holds))
        .to_vec()
}

/// Columns of a session as they come in: all but the states.
pub(super) fn session_rows() -> Vec<DiskColumn> {
    let mut columns = vec![
        DiskColumn::required("source", Holds::Label),
        DiskColumn::required("session_id", Holds::Text),
        DiskColumn::required("patient_id", Holds::Text),
    ];
    for (name, reading) in CANONICAL {
        let holds = match reading {
            Reading::Text(_) => Holds::Label,
            Reading::Code(codes, _) => Holds::Code(codes),
            Reading::Number(_) => Holds::Measure(digits(name)),
            Reading::Integer(_) => Holds::Whole,
            Reading::Date(_) => Holds::Date,
        };
        columns.push(DiskColumn { name: (*name).to_owned(), holds, required: is_required(name) });
    }
    columns.push(DiskColumn::new("conditions", Holds::Label));
    columns.push(DiskColumn::new("topicals", Holds::Label));
    columns.push(DiskColumn::required("asked", Holds::Flag));
    columns.push(DiskColumn::new("side_effects", Holds::Text));
    columns.extend(provenance());
    for name in ["session_key_high", "session_key_low", "row_hash"] {
        columns.push(DiskColumn::required(name, Holds::Long));
    }
    columns
}

fn is_required(name: &str) -> bool {
    COLUMNS.iter().any(|column| column.name == name && column.required)
}

/// Digits that hold the column's largest value with six decimals.
pub(super) fn digits(name: &str) -> u8 {
    let largest = COLUMNS.iter().find(|column| column.name == name).map(|column| column.kind);
    match largest {
        Some(Kind::Number { highest, .. }) if highest < 1000.0 => 9,
        _ => 12,
    }
}

/// Columns that are made from a session's row and its events: bands, and five for each of [`with_states`].
pub(super) fn session_states(catalogue: &Catalogue) -> Vec<DiskColumn> {
    let mut columns = bands();
    columns.extend(with_states(catalogue).into_iter().flat_map(|id| states_of(&catalogue.get(id).code)));
    columns
}

fn bands() -> Vec<DiskColumn> {
    BANDS.iter().map(|(name, ..)| DiskColumn::new(name, Holds::Label)).collect()
}

/// What is known of one side effect.
fn states_of(code: &str) -> [DiskColumn; 5] {
    [
        ("present", Holds::Flag),
        ("grade", Holds::Whole),
        ("onset_days", Holds::Whole),
        ("days", Holds::Whole),
        ("resolved", Holds::Flag),
    ]
    .map(|(what, holds)| DiskColumn::new(&format!("{code}_{what}"), holds))
}

/// The side effects that have columns of their own: the built-in ones, then those that sites have added. One of a site
/// whose columns would be called as another column (`return_to_activity`, `pih_onset`) has none; its states are settled
/// from the rows.
pub(super) fn with_states(catalogue: &Catalogue) -> Vec<EffectId> {
    let mut taken: BTreeSet<String> = session_rows().into_iter().chain(bands()).map(|column| column.name).collect();
    let mut effects = Vec::new();
    for id in catalogue.ids() {
        let names = states_of(&catalogue.get(id).code).map(|column| column.name);
        if names.iter().all(|name| !taken.contains(name)) {
            taken.extend(names);
            effects.push(id);
        }
    }
    effects
}

/// The columns of the table of sessions, with the states of every side effect of a catalogue.
pub(super) fn sessions(catalogue: &Catalogue) -> Vec<DiskColumn> {
    let mut columns = session_rows();
    columns.extend(session_states(catalogue));
    columns
}

/// The columns of a file: those of its table, and in a file of sessions the states of side effects that sites have added.
pub(super) fn of_file(table: TableName, found: &Schema) -> Vec<DiskColumn> {
    let mut columns = table.columns();
    if table == TableName::Sessions {
        let known: BTreeSet<String> = columns.iter().map(|column| column.name.clone()).collect();
        let added = found.fields().iter().filter(|field| !known.contains(field.name()));
        columns.extend(added.filter_map(|field| {
            let holds = match field.data_type() {
                DataType::Boolean => Holds::Flag,
                DataType::Int32 => Holds::Whole,
                _ => return None,
            };
            Some(DiskColumn::new(field.name(), holds))
        }));
    }
    columns
}

fn events() -> Vec<DiskColumn> {
    let mut columns = vec![
        DiskColumn::required("source", Holds::Label),
        DiskColumn::new("session_id", Holds::Text),
        DiskColumn::new("patient_id", Holds::Text),
        DiskColumn::new("body_area", Holds::Code(BodyArea::CODES)),
        DiskColumn::required("side_effect", Holds::Label),
        DiskColumn::new("grade", Holds::Whole),
        DiskColumn::new("onset_date", Holds::Date),
        DiskColumn::new("resolved_date", Holds::Date),
        DiskColumn::new("ongoing", Holds::Flag),
        DiskColumn::new("serious", Holds::Flag),
        DiskColumn::new("verbatim", Holds::Text),
        DiskColumn::new("imdrf_code", Holds::Label),
        DiskColumn::new("reported_date", Holds::Date),
        DiskColumn::required("status", Holds::Code(super::events::Status::CODES)),
        DiskColumn::required("candidates", Holds::Whole),
    ];
    columns.extend(provenance());
    for name in ["named_key_high", "named_key_low", "joined_key_high", "joined_key_low"] {
        columns.push(DiskColumn::new(name, Holds::Long));
    }
    columns.push(DiskColumn::required("row_hash", Holds::Long));
    columns
}

fn assessments() -> Vec<DiskColumn> {
    let mut columns = vec![
        DiskColumn::required("source", Holds::Label),
        DiskColumn::required("patient_id", Holds::Text),
        DiskColumn::new("session_id", Holds::Text),
        DiskColumn::new("side", Holds::Code(Side::CODES)),
        DiskColumn::required("assessment_date", Holds::Date),
        DiskColumn::required("scale", Holds::Label),
        DiskColumn::required("score", Holds::Measure(18)),
        DiskColumn::new("rater", Holds::Text),
    ];
    columns.extend(provenance());
    columns.push(DiskColumn::required("row_hash", Holds::Long));
    columns
}

fn remarks(with_text: bool) -> Vec<DiskColumn> {
    let mut columns = provenance();
    columns.push(DiskColumn::required("file", Holds::Label));
    columns.push(DiskColumn::new("column", Holds::Label));
    columns.push(DiskColumn::required("rule", Holds::Label));
    columns.push(DiskColumn::required("hint", Holds::Text));
    if with_text {
        columns.push(DiskColumn::new("text", Holds::Text));
    }
    columns
}

fn superseded() -> Vec<DiskColumn> {
    let mut columns = vec![
        DiskColumn::required("source", Holds::Label),
        DiskColumn::required("session_id", Holds::Text),
        DiskColumn::required("session_month", Holds::Label),
    ];
    columns.extend(provenance());
    for name in ["by_version", "by_line", "by_record"] {
        columns.push(DiskColumn::required(name, Holds::Long));
    }
    columns.push(DiskColumn::required("by_file_number", Holds::Whole));
    for name in ["session_key_high", "session_key_low"] {
        columns.push(DiskColumn::required(name, Holds::Long));
    }
    columns
}

/// A set of codes from its text `a;b` or `none`.
pub(super) fn code_set(text: &str, codes: &[&str]) -> CodeSet {
    let known = text.split(';').filter_map(|code| codes.iter().position(|known| *known == code));
    known.fold(CodeSet::default(), CodeSet::with)
}

/// The lists of codes that are kept as one text each.
pub(super) const LISTS: [(&str, &[&str]); 2] = [("conditions", Condition::CODES), ("topicals", Topical::CODES)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_canonical_column_of_a_session_is_on_disk_once() {
        let columns = TableName::Sessions.columns();
        let names: BTreeSet<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        assert_eq!(names.len(), columns.len());
        for column in COLUMNS {
            assert!(names.contains(column.name), "{} is not kept", column.name);
        }
    }

    #[test]
    fn measures_have_room_for_their_largest_value() {
        for column in COLUMNS {
            if let Kind::Number { highest, .. } = column.kind {
                let room = 10f64.powi(i32::from(digits(column.name)) - i32::from(DECIMALS));
                assert!(highest < room, "{}", column.name);
            }
        }
    }
}
