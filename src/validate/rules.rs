//! Every rule by which a row is refused or remarked on: one table, from which the messages' last words, `stipple
//! schema` and the tests are made.

/// What a rule is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Family {
    /// The row as a line of a file.
    Reading,
    /// Values that must be there.
    Presence,
    /// Coded values.
    Coding,
    /// Numbers and units.
    Numbers,
    /// Dates.
    Dates,
    /// Values that contradict each other.
    Consistency,
    /// Values that are possible and unlikely.
    Plausibility,
    /// Rows of one file and rows of another.
    Linking,
}

/// What becomes of the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// It is refused.
    Refused,
    /// It is kept, and remarked on.
    Warned,
}

/// A rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rule {
    /// Id, as it stands in `rejects.csv`.
    pub id: &'static str,
    /// What it is about.
    pub family: Family,
    /// What becomes of the row.
    pub severity: Severity,
    /// What is wrong.
    pub about: &'static str,
    /// What to do.
    pub remedy: &'static str,
}

macro_rules! rules {
    ($($name:ident $id:literal $family:ident $severity:ident $about:literal => $remedy:literal;)+) => {
        $(#[doc = $about] pub const $name: &str = $id;)+

        /// Every rule, by family.
        pub const RULES: &[Rule] = &[$(Rule {
            id: $name, family: Family::$family, severity: Severity::$severity, about: $about, remedy: $remedy,
        }),+];
    };
}

rules! {
    TOO_FEW_FIELDS "too_few_fields" Reading Refused "fewer fields than the header" => "mend the row, or export the file again";
    TOO_MANY_FIELDS "too_many_fields" Reading Refused "more fields than the header" => "quote the field that holds the separator";
    STRAY_QUOTE "stray_quote" Reading Refused "a quotation mark that does not enclose a field" => "double the mark inside a quoted field, or take it out";
    UNCLOSED_QUOTE "unclosed_quote" Reading Refused "a quotation mark that is never closed" => "close the mark, or take it out";
    RECORD_TOO_LARGE "record_too_large" Reading Refused "a line longer than 1 MiB" => "look for a missing line end, or a document inside a field";
    BAD_ENCODING "bad_encoding" Reading Refused "bytes that are not UTF-8" => "set [read] encoding = \"windows-1252\" in the mapping file, or save the file as UTF-8";
    NUL_BYTE "nul_byte" Reading Refused "a NUL byte" => "export the file again";
    TRUNCATED_LAST_LINE "truncated_last_line" Reading Refused "the file ends in the middle of its last line" => "export or copy the file again";
    NOT_JSON "not_json" Reading Refused "something else than a JSON record" => "mend the record, or export the file again";
    REPEATED_KEY "repeated_key" Reading Refused "a key that stands twice in one record" => "keep the right one of the two";
    NESTED_VALUE "nested_value" Reading Refused "a list of objects where one value is needed" => "export it as a file of its own (side effects as an events file), or as a list of texts";
    VALUE_WITHOUT_HEADER "value_without_header" Reading Refused "a value right of the header's last column" => "give its column a name in the header row, or clear the cell; look whether the row's cells were moved";
    ERROR_CELL "error_cell" Reading Refused "a spreadsheet's error, such as #N/A, instead of a value" => "mend the formula; if the error means «missing», add it to [read] null in the mapping file";
    FORMULA_WITHOUT_RESULT "formula_without_result" Reading Refused "a formula whose result was not saved" => "open the workbook in a spreadsheet program, and save it";
    VALUE_WITHOUT_TEXT "value_without_text" Reading Refused "a value that is no text, number, truth value or date" => "export the column as one of these";
    EMPTY_ROW "empty_row" Reading Refused "every field is empty" => "delete the row";
    REPEATED_HEADER "repeated_header" Reading Refused "the header stands here again" => "delete the line";
    MISSING_REQUIRED "missing_required" Presence Refused "a value that every row needs is missing" => "fill it in, or give a constant in [columns]";
    NO_SESSION_OR_PATIENT "no_session_or_patient" Presence Refused "an event names neither a session nor a patient with an onset date" => "give session_id, or patient_id and onset_date";
    TEXT_TOO_LONG "text_too_long" Presence Refused "a text far longer than its column should hold" => "look for shifted columns";
    UNKNOWN_CODE "unknown_code" Coding Refused "a value outside the column's list" => "add it to [values.<column>] in the mapping file";
    NONE_AND_SOME "none_and_some" Coding Refused "«none» stands beside something" => "take one of them out";
    UNKNOWN_SKIN_TONE "unknown_skin_tone" Coding Refused "not a skin type or tone" => "add it to [values.<column>] in the mapping file";
    NOT_A_GRADE "not_a_grade" Coding Refused "not a grade" => "use 1…5, or mild, moderate, severe, life-threatening, death";
    GRADE_NOT_ALLOWED "grade_not_allowed" Coding Refused "a grade that the side effect does not have" => "check the grade; the vocabulary lists the highest of each term";
    UNKNOWN_SCALE "unknown_scale" Coding Refused "a scale that is not known" => "declare it in [scales.<id>] in the mapping file";
    NOT_AN_EVENT "not_an_event" Coding Refused "the row says that there was no side effect" => "leave it out; write «none» in the session log's side_effects instead";
    NOT_A_NUMBER "not_a_number" Numbers Refused "not a number" => "give one number, with or without its unit";
    NOT_A_WHOLE_NUMBER "not_a_whole_number" Numbers Refused "a fraction where a whole number is needed" => "check the value";
    AMBIGUOUS_NUMBER "ambiguous_number" Numbers Refused "a comma or point that could be read in two ways" => "set [read] decimal in the mapping file";
    UNKNOWN_UNIT "unknown_unit" Numbers Refused "a unit that the column does not have" => "use a unit of the column";
    RANGE_GIVEN "range_given" Numbers Refused "a range where one value is needed" => "decide for one value, or map it in [values.<column>]";
    OUT_OF_RANGE "out_of_range" Numbers Refused "outside the limits of the column" => "check the value and its unit";
    NOT_A_DATE "not_a_date" Dates Refused "not a day of the calendar" => "write dates as 2026-03-02";
    DATE_ORDER_UNKNOWN "date_order_unknown" Dates Refused "day and month could be the other way round" => "set [read] date_order in the mapping file";
    TWO_DIGIT_YEAR "two_digit_year" Dates Refused "a year of two digits" => "write all four digits";
    IMPLAUSIBLE_DATE "implausible_date" Dates Refused "a date before 1990 or after 2100" => "check the year";
    EVENT_BEFORE_SESSION "event_before_session" Consistency Refused "a side effect began before its session" => "check both dates";
    RESOLVED_BEFORE_ONSET "resolved_before_onset" Consistency Refused "a side effect was gone before it began" => "check both dates";
    FOLLOW_UP_BEFORE_SESSION "follow_up_before_session" Consistency Refused "the last follow-up is before the session" => "check both dates";
    IMPLAUSIBLE_DEPTH "implausible_depth" Plausibility Warned "a pen or roller deeper than 3.5 mm" => "check the depth and its unit";
    DEEP_FOR_HOME "deep_for_home" Plausibility Warned "home use deeper than 1 mm" => "check the depth and the setting";
    RF_SETTING_WITHOUT_RF "rf_setting_without_rf" Plausibility Warned "radiofrequency energy or pulse on another device" => "check the modality";
    RF_EFFECT_WITHOUT_RF "rf_effect_without_rf" Plausibility Warned "a side effect of radiofrequency on another device" => "check the modality";
    LATE_ONSET "late_onset" Plausibility Warned "a side effect began after its window" => "check the onset and the session that it belongs to";
    UNCODED_TERM "uncoded_term" Plausibility Warned "a side effect that nobody has coded" => "map it in [side_effects] of the mapping file";
    UNKNOWN_SESSION "unknown_session" Linking Refused "an event names a session that is not there" => "give the log that holds the session";
    EVENT_OF_OTHER_PATIENT "event_of_other_patient" Linking Refused "an event names a session and a patient who was not treated in it" => "correct one of the two";
    UNATTRIBUTED_EVENT "unattributed_event" Linking Warned "no session of the patient fits the event" => "name the session";
    SEVERAL_SESSIONS_FIT "several_sessions_fit" Linking Warned "several sessions of the patient fit the event; the latest was taken" => "name the session";
    WAITING_EVENT "waiting_event" Linking Warned "an event for which no session has come yet: it waits in the store" => "ingest the log that holds the session";
    FOLLOW_UP_KEPT "follow_up_kept" Linking Warned "an amended session with an earlier follow-up than is known: the later one was kept" => "if the later one was wrong, set [store] follow_up = \"as_sent\" in the mapping file";
    PATIENT_CHANGED "patient_changed" Linking Warned "a later row with the same session_id is of another patient: it took the place of the earlier one" => "if two sites number their sessions alike, give each a source of its own: --source, [store] source in the mapping, or a [[source]] of the pipeline";
    REPEATED_ROW "repeated_row" Linking Warned "the same row again: counted once" => "nothing";
    REPLACED_ROW "replaced_row" Linking Warned "a later row has the same session_id: this one is superseded" => "nothing";
}

/// Stands for a rule of another version of the program, found in a store.
pub const UNKNOWN_TO_THIS_VERSION: &str = "unknown_to_this_version";

/// The rule of an id.
#[must_use]
pub fn rule(id: &str) -> Option<&'static Rule> {
    RULES.iter().find(|rule| rule.id == id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_unique_and_every_rule_says_what_to_do() {
        let mut ids: Vec<&str> = RULES.iter().map(|rule| rule.id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), RULES.len());
        assert!(RULES.iter().all(|rule| !rule.about.is_empty() && !rule.remedy.is_empty()));
    }
}
