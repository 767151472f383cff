//! The keys of a mapping file: one table that the reader, the reference and the messages share.

/// A key of a mapping file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// The table it stands in; empty = the top of the file.
    pub table: &'static str,
    /// Its name; `<…>` stands for a name of the site's own.
    pub name: &'static str,
    /// What it does.
    pub about: &'static str,
}

const fn key(table: &'static str, name: &'static str, about: &'static str) -> Key {
    Key { table, name, about }
}

/// Every key. `[events]` and `[assessments]` may hold their own `read`, `columns`, `values` and `rows`.
pub const KEYS: &[Key] = &[
    key("", "version", "1"),
    key("", "read", "how files are written"),
    key("", "columns", "canonical column = their header"),
    key("", "values", "values by column: their value = code"),
    key("", "side_effects", "their term = code, or a new side effect"),
    key("", "rows", "which rows are read"),
    key("", "events", "the same for the events file"),
    key("", "assessments", "the same for the assessments file"),
    key("", "scales", "outcome scales of the site's own"),
    key("", "store", "how rows go into a store"),
    key("", "redcap", "the files are exports of a REDCap project"),
    key(
        "read",
        "delimiter",
        "one character or \"tab\"; found by itself when left out. Not handed on to events and assessments",
    ),
    key("read", "encoding", "utf-8 (default), latin-1, windows-1252"),
    key("read", "decimal", "\".\" (default) or \",\""),
    key("read", "header_row", "line of the header, from 1. Not handed on to events and assessments"),
    key(
        "read",
        "format",
        "delimited, json, fhir, xpt, workbook, parquet or arrow; found by the first bytes and the extension when left out",
    ),
    key(
        "read",
        "sheet",
        "sheet of a workbook (default: the first that holds something), dataset of an XPT file, list of a JSON file that holds several; \
         without meaning for text, so that one mapping serves both",
    ),
    key(
        "read",
        "query",
        "SQL query whose rows are read, where the log is a database. Not handed on to events and assessments",
    ),
    key("read", "null", "texts that mean «missing»; default \"\", NA, N/A, NULL, -, ."),
    key("read", "date_order", "dmy, mdy or ymd; without it 03/04/2026 is refused"),
    key("columns", "<column>", "\"their header\", or a table:"),
    key("columns.<column>", "from", "their header, or a list of headers to join"),
    key("columns.<column>", "join", "what stands between joined values; default one space"),
    key("columns.<column>", "unit", "unit of values that name none: um, cm, j, s, weeks, …"),
    key("columns.<column>", "const", "the same value in every row"),
    key("values", "<column>", "\"their value\" = \"code\"; \"\" = missing"),
    key("side_effects", "<term or code>", "\"code\" (or \"none\"), or a table:"),
    key("side_effects.<code>", "label", "name for people; needed for a new code"),
    key("side_effects.<code>", "short", "short name for charts"),
    key("side_effects.<code>", "synonyms", "other words for it"),
    key(
        "side_effects.<code>",
        "window_days",
        "days after the session within which its absence can be believed; needed for a new code",
    ),
    key("side_effects.<code>", "grades", "highest grade; default 5"),
    key("side_effects.<code>", "group", "expected, pigment, complication or site (default)"),
    key("rows", "keep", "{ \"their header\" = [\"value\", …] }: only rows that match all of them are read"),
    key("rows", "drop", "{ \"their header\" = [\"value\", …] }: rows that match any of them are left out"),
    key("events", "read", "as above; what is left out is taken from above"),
    key("events", "columns", "as above, for the events file"),
    key("events", "values", "as above; joined to the values above"),
    key("events", "rows", "as above, for the events file"),
    key("assessments", "read", "as above; what is left out is taken from above"),
    key("assessments", "columns", "as above, for the assessments file"),
    key("assessments", "values", "as above; joined to the values above"),
    key("assessments", "rows", "as above, for the assessments file"),
    key(
        "store",
        "source",
        "name of the source system: ids of sessions and patients are unique within it; default \"default\"",
    ),
    key(
        "store",
        "follow_up",
        "forward (default): an amended session keeps the later follow-up; as_sent: the newer row says when it was",
    ),
    key(
        "redcap",
        "dictionary",
        "the project's data dictionary (CSV), relative to the mapping file: translates codes, finds columns by label",
    ),
    key("redcap", "sessions", "instrument whose rows are sessions"),
    key("redcap", "events", "instrument whose rows are side effects"),
    key("redcap", "assessments", "instrument whose rows are scores"),
    key(
        "redcap",
        "record_id",
        "field that names the record, which is the patient; default: the first of the dictionary",
    ),
    key("scales.<id>", "lowest", "lowest score"),
    key("scales.<id>", "highest", "highest score"),
    key("scales.<id>", "direction", "higher_better or lower_better"),
];

/// Names of the keys of a table.
pub(super) fn names(table: &str) -> impl Iterator<Item = &'static str> + use<'_> {
    KEYS.iter().filter(move |key| key.table == table).map(|key| key.name)
}
