//! From what was found to the text of a mapping, and to a summary of it.

use super::assign::{Choice, Trust, choices, could_tell};
use super::coded::{self, Coded};
use super::headers::{foreign_unit, own_unit};
use super::lexicon::Lexicon;
use super::page::{Page, one_line, quoted};
use super::settings::{self, Evidence};
use super::survey::Survey;
use super::units;
use crate::domain::{Column, Kind, Table};
use crate::ingest::TextEncoding;
use crate::validate::cells::DEFAULT_NULLS;

/// What was proposed for one file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FileSummary {
    /// Its name.
    pub file: String,
    /// What kind of file it is.
    pub table: Table,
    /// Records looked at.
    pub records: u64,
    /// Columns of which the header and the values agree.
    pub sure: Vec<&'static str>,
    /// Columns that a person should look at, and why.
    pub unsure: Vec<(&'static str, String)>,
    /// Columns that every row needs and for which only a person can say what holds.
    pub missing: Vec<&'static str>,
    /// Headers that nothing uses.
    pub unused: Vec<String>,
    /// Headers of columns that identify a person and that nothing uses.
    pub identifying: Vec<String>,
    /// What else only a person can say.
    pub open: Vec<String>,
    /// Values whose code is not known.
    pub unknown_values: usize,
}

/// A file with what was found in it.
pub(super) struct Draft<'s> {
    pub(super) survey: &'s Survey,
    choices: Vec<Choice>,
    decimal: Evidence,
    dates: Evidence,
}

impl<'s> Draft<'s> {
    pub(super) fn new(survey: &'s Survey, lexicon: &Lexicon) -> Draft<'s> {
        let mut choices = choices(survey, lexicon);
        for choice in &mut choices {
            if let Some(unit) = foreign_unit(&survey.header[choice.at], choice.column) {
                let own = own_unit(choice.column);
                choice
                    .why
                    .push(format!("the header says «{unit}», and the column holds {own}; change the numbers first"));
                choice.trust = Trust::Suggested;
            }
        }
        let (decimal, dates) = (settings::decimal(survey, &choices), settings::dates(survey, &choices));
        Draft { survey, choices, decimal, dates }
    }

    fn prefix(&self) -> &'static str {
        match self.survey.table {
            Table::Sessions => "",
            Table::Events => "events.",
            Table::Assessments => "assessments.",
        }
    }

    /// `[read]`; `first` is the session log, whose settings hold for the other files unless these say otherwise.
    pub(super) fn read(&self, page: &mut Page, first: &Draft<'_>, lexicon: &Lexicon) -> Vec<String> {
        let mut lines = Page::default();
        let opening = &self.survey.opening;
        if let Some(delimiter) = opening.delimiter.filter(|delimiter| *delimiter != ',') {
            let name = if delimiter == '\t' { "tab".to_owned() } else { delimiter.to_string() };
            lines.line(&format!("delimiter = {}", quoted(&name)), "found in the header line");
        }
        if let Some(row) = opening.header_row {
            lines.line(&format!("header_row = {row}"), "titles stand above it");
        }
        self.encoding(&mut lines, first);
        let is_first = self.survey.table == Table::Sessions;
        let mut open = Vec::new();
        if is_first || differs(&self.decimal, &first.decimal) {
            open.extend(self.decimal_line(&mut lines));
        }
        if is_first || differs(&self.dates, &first.dates) {
            open.extend(self.dates_line(&mut lines));
        }
        if is_first {
            self.nulls(&mut lines, lexicon);
        }
        if !lines.text.is_empty() {
            page.table(&format!("{}read", self.prefix()));
            page.text.push_str(&lines.text);
        }
        open
    }

    fn encoding(&self, lines: &mut Page, first: &Draft<'_>) {
        match (self.survey.opening.encoding, first.survey.opening.encoding) {
            (Some((TextEncoding::Windows1252, line)), _) => {
                let why = format!("line {line} is not UTF-8, and Windows-1252 reads it");
                lines.line("encoding = \"windows-1252\"", &why);
            }
            // What the log needs would be taken over.
            (_, Some(_)) => lines.line("encoding = \"utf-8\"", "unlike the session log"),
            _ => {}
        }
    }

    fn decimal_line(&self, lines: &mut Page) -> Option<String> {
        let Evidence { one: commas, other: points, either } = &self.decimal;
        if commas.count > 0 && points.count == 0 {
            let why = format!("{}: a decimal comma in {} values, a point in none", commas.told(), commas.count);
            lines.line("decimal = \",\"", &why);
            return None;
        }
        let why = if commas.count > 0 {
            format!(
                "decimal commas and points are mixed: {} ({} times) and {} ({} times)",
                commas.told(),
                commas.count,
                points.told(),
                points.count
            )
        } else if either.count > 0 && points.count == 0 {
            format!(
                "{} could be a decimal comma or thousands, and no value decides ({} such)",
                either.told(),
                either.count
            )
        } else {
            return None;
        };
        lines.proposal("decimal = \",\"", &format!("TODO: {why}"));
        Some(why)
    }

    fn dates_line(&self, lines: &mut Page) -> Option<String> {
        let Evidence { one: day_first, other: month_first, either } = &self.dates;
        let settled = |seen: &settings::Seen, word: &str| {
            format!("{}, so {word} first; {} dates show it and none the contrary", seen.told(), seen.count)
        };
        let why = match (day_first.count, month_first.count, either.count) {
            (0, 0, 0) => return None,
            (1.., 0, _) => {
                lines.line("date_order = \"dmy\"", &settled(day_first, "day"));
                return None;
            }
            (0, 1.., _) => {
                lines.line("date_order = \"mdy\"", &settled(month_first, "month"));
                return None;
            }
            (0, 0, _) => format!(
                "day or month first? {} and {} such dates fit both ways; say \"dmy\" or \"mdy\"",
                either.told(),
                either.count
            ),
            (day, month, _) => format!(
                "dates contradict each other: {} puts the day first ({day}×), {} the month ({month}×)",
                day_first.told(),
                month_first.told()
            ),
        };
        lines.proposal("date_order = \"dmy\"", &format!("TODO: {why}"));
        Some(why)
    }

    fn nulls(&self, lines: &mut Page, lexicon: &Lexicon) {
        let nulls = settings::nulls(self.survey, &self.choices, lexicon);
        if nulls.is_empty() {
            return;
        }
        let usual = std::iter::once("").chain(DEFAULT_NULLS.iter().copied()).map(quoted);
        let all: Vec<String> = usual.chain(nulls.iter().map(|(text, _)| quoted(text))).collect();
        let seen: Vec<String> = nulls.iter().map(|(text, count)| format!("«{text}» {}", seen_times(*count))).collect();
        lines.line(&format!("null = [{}]", all.join(", ")), &format!("the usual ones, and here {}", seen.join(", ")));
    }

    /// `[columns]`. With `trial` what only a person can fill in holds a stand-in, so that the rest can be judged.
    pub(super) fn columns(&self, page: &mut Page, lexicon: &Lexicon, trial: bool) -> FileSummary {
        let survey = self.survey;
        let mut summary = FileSummary {
            file: survey.file.clone(),
            table: survey.table,
            records: survey.records,
            ..FileSummary::default()
        };
        page.table(&format!("{}columns", self.prefix()));
        let mut canonical = Vec::new();
        for choice in &self.choices {
            if self.choice(page, choice, &mut summary, trial) {
                canonical.push(choice.column.name);
            }
        }
        if !canonical.is_empty() {
            page.remark(&format!("called as here, so that nothing need be said: {}", canonical.join(", ")));
        }
        self.missing(page, &mut summary, (lexicon, trial));
        let fed = |column: &&Column| self.choices.iter().any(|choice| choice.column.name == column.name);
        let rest: Vec<&str> = survey
            .table
            .columns()
            .iter()
            .filter(|column| !fed(column) && !column.required)
            .map(|column| column.name)
            .collect();
        if !rest.is_empty() {
            page.remark(&format!("may stay empty, and nothing fits: {}", rest.join(", ")));
        }
        self.unused(page, &mut summary);
        summary
    }

    /// Writes a choice; `true` = it needs no line.
    fn choice(&self, page: &mut Page, choice: &Choice, summary: &mut FileSummary, trial: bool) -> bool {
        let name = choice.column.name;
        let unit = match choice.column.kind {
            Kind::Number { .. } | Kind::Integer { .. } => units::unit(self.survey, choice),
            _ => units::UnitChoice::default(),
        };
        let mut why = choice.why.clone();
        why.extend(unit.why.clone());
        let why = why.join("; ");
        let trust = if choice.trust == Trust::Sure && unit.unsure { Trust::Unsure } else { choice.trust };
        let from = quoted(&self.survey.header[choice.at]);
        let code = match unit.unit {
            Some(unit) => format!("{name} = {{ from = {from}, unit = {} }}", quoted(unit)),
            None => format!("{name} = {from}"),
        };
        match trust {
            Trust::Sure => summary.sure.push(name),
            Trust::Suggested if choice.column.required => summary.missing.push(name),
            Trust::Unsure | Trust::Suggested => summary.unsure.push((name, why.clone())),
        }
        match trust {
            Trust::Sure if choice.canonical && unit.unit.is_none() => return true,
            Trust::Sure => page.line(&code, &why),
            Trust::Unsure => page.line(&code, &format!("unsure: {why}")),
            Trust::Suggested if trial && choice.column.required && choice.doubled => {
                page.line(&stand_in_line(choice.column), "");
            }
            Trust::Suggested if trial && choice.column.required => page.line(&code, ""),
            Trust::Suggested if choice.column.required => {
                page.proposal(&code, &format!("TODO: every row needs it, and this is unsure: {why}"));
            }
            Trust::Suggested => page.proposal(&code, &format!("unsure: {why}; take the first # away if it is right")),
        }
        false
    }

    fn missing(&self, page: &mut Page, summary: &mut FileSummary, (lexicon, trial): (&Lexicon, bool)) {
        let fed = |name: &str| self.choices.iter().any(|choice| choice.column.name == name);
        let links = self.survey.table == Table::Events && !fed("session_id") && !fed("patient_id");
        let needed = |column: &&Column| column.required || (links && column.name == "session_id");
        for column in self.survey.table.columns().iter().filter(needed).filter(|column| !fed(column.name)) {
            summary.missing.push(column.name);
            if trial {
                page.line(&stand_in_line(column), "");
            } else if matches!(column.name, "session_id" | "patient_id") {
                let why = "TODO: nothing fits; name the column that tells one from another";
                page.proposal(&format!("{} = \"…\"", column.name), why);
            } else {
                let tells = could_tell(self.survey, column, lexicon);
                let tells = match tells.as_slice() {
                    [] => String::new(),
                    tells => format!("; perhaps «{}» tells, with [values.{}]", tells.join("», «"), column.name),
                };
                let why =
                    format!("TODO: nothing fits; name a header, or what holds for every row ({}){tells}", column.about);
                page.proposal(&format!("{} = {{ const = \"…\" }}", column.name), &why);
            }
        }
    }

    fn unused(&self, page: &mut Page, summary: &mut FileSummary) {
        let survey = self.survey;
        let used = |at: &usize| self.choices.iter().any(|choice| choice.at == *at);
        let free = (0..survey.header.len()).filter(|at| !used(at));
        for (at, name) in free.filter_map(|at| survey.shown_header(at).map(|name| (at, one_line(name)))) {
            let personal = survey.identifying().any(|personal| personal == at);
            if personal { summary.identifying.push(name) } else { summary.unused.push(name) }
        }
        if !summary.unused.is_empty() {
            page.remark(&format!("not used: {}", summary.unused.join(", ")));
        }
        if !summary.identifying.is_empty() {
            let names = summary.identifying.join(", ");
            page.remark(&format!("not used, since they identify people; better leave them out of the file: {names}"));
        }
    }

    /// `[values.…]` of every coded column.
    pub(super) fn values(&self, page: &mut Page, lexicon: &Lexicon, summary: &mut FileSummary) {
        let coded_columns = self.choices.iter().filter(|choice| coded::is_coded(choice.column));
        for choice in coded_columns.filter(|choice| choice.trust != Trust::Suggested) {
            let coded = coded::coded(self.survey, choice, lexicon);
            if coded.is_empty() {
                continue;
            }
            page.table(&format!("{}values.{}", self.prefix(), choice.column.name));
            summary.unknown_values += coded.unknown.len() + coded.hidden;
            entries(page, &coded, choice.column);
        }
    }

    /// The side-effect terms of the file.
    pub(super) fn terms(&self, lexicon: &Lexicon) -> Option<(Coded, &'static Column)> {
        let choice = self.choices.iter().find(|choice| coded::holds_terms(choice.column))?;
        (choice.trust != Trust::Suggested).then(|| (coded::coded(self.survey, choice, lexicon), choice.column))
    }

    /// Whether something active feeds a column.
    pub(super) fn feeds(&self, name: &str) -> bool {
        self.choices.iter().any(|choice| choice.column.name == name && choice.trust != Trust::Suggested)
    }
}

/// Writes the entries of a `[values.…]` table, or of `[side_effects]`.
pub(super) fn entries(page: &mut Page, coded: &Coded, column: &Column) {
    for entry in &coded.entries {
        let why = entry.unsure.map(|why| format!("unsure: {why}")).unwrap_or_default();
        page.line(&format!("{} = {}", quoted(&entry.theirs), quoted(&entry.code)), &why);
    }
    if !coded.unknown.is_empty() {
        page.remark(&format!("TODO: choose among {}; \"\" = missing", coded::codes(column)));
    }
    for (text, count) in &coded.unknown {
        page.proposal(&format!("{} = \"\"", quoted(text)), &seen_times(*count));
    }
    if coded.hidden > 0 {
        page.remark(&format!(
            "not known either, and not shown, since it could be somebody's own words: {} more",
            coded.hidden
        ));
    }
}

/// `seen 3 times`
fn seen_times(count: u64) -> String {
    if count == 1 { "seen once".to_owned() } else { format!("seen {count} times") }
}

/// Whether a file shows something else than the session log does.
fn differs(own: &Evidence, first: &Evidence) -> bool {
    let verdict = |evidence: &Evidence| (evidence.one.count > 0, evidence.other.count > 0);
    let nothing = verdict(own) == (false, false);
    !nothing && verdict(own) != verdict(first)
}

fn stand_in_line(column: &Column) -> String {
    format!("{} = {{ const = {} }}", column.name, quoted(stand_in(column)))
}

/// A value that the column can hold, for the trial alone.
fn stand_in(column: &Column) -> &'static str {
    match column.kind {
        Kind::Code(codes, _) => codes.first().copied().unwrap_or_default(),
        Kind::Date => "2000-01-01",
        Kind::Scale => "gais",
        Kind::SideEffect | Kind::SideEffects => "erythema",
        Kind::Number { .. } | Kind::Integer { .. } => "1",
        _ => "stand-in",
    }
}
