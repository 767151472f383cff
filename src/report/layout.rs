//! Rows of an analysis into tables: one function a kind, one line in [`LAYOUTS`].

use super::table::{Cell, Table};
use crate::domain::Catalogue;
use crate::domain::catalogue::Scope;
use crate::results::release::ReleasedRow;
use crate::results::{Released, ResultRow, Statistic};
use std::collections::BTreeMap;

/// What a layout needs.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// Id of the analysis.
    pub analysis: &'a str,
    /// Its title.
    pub title: &'a str,
    /// Names of the side effects.
    pub catalogue: &'a Catalogue,
}

/// Makes the tables of an analysis.
pub type Layout = fn(&Rows<'_>, &Request<'_>) -> Vec<Table>;

/// Kind and layout.
pub const LAYOUTS: &[(&str, Layout)] = &[
    ("side_effect_rates", rates),
    ("severity", severity),
    ("trend", trend),
    ("contrast", contrast),
    ("data_quality", data_quality),
];

/// The tables of an analysis.
#[must_use]
pub fn tables(released: &Released, kind: &str, request: &Request<'_>) -> Vec<Table> {
    let rows = Rows::of(released, request.analysis);
    LAYOUTS
        .iter()
        .filter(|(known, _)| *known == kind)
        .flat_map(|(_, layout)| layout(&rows, request))
        .filter(|table| !table.rows.is_empty())
        .map(Table::without_empty_columns)
        .collect()
}

type Group = [(String, String)];
type Address<'a> = (Statistic, &'a str, &'a Group, &'a str);

/// The rows of one analysis, found by statistic, outcome, group and term.
pub struct Rows<'a> {
    rows: Vec<&'a ReleasedRow>,
    by_address: BTreeMap<Address<'a>, &'a ReleasedRow>,
}

impl<'a> Rows<'a> {
    /// The rows of an analysis.
    #[must_use]
    pub fn of(released: &'a Released, analysis: &'a str) -> Rows<'a> {
        let rows: Vec<&ReleasedRow> = released.of(analysis).collect();
        let address = |row: &&'a ReleasedRow| {
            let row: &'a ReleasedRow = row;
            ((row.statistic, row.outcome.as_str(), row.group.as_slice(), row.term.as_str()), row)
        };
        let by_address = rows.iter().map(address).collect();
        Rows { rows, by_address }
    }

    /// Every row, in order.
    pub fn iter(&self) -> impl Iterator<Item = &'a ReleasedRow> {
        self.rows.iter().copied()
    }

    /// Rows of a statistic, in order.
    pub fn statistic(&self, statistic: Statistic) -> impl Iterator<Item = &'a ReleasedRow> {
        self.iter().filter(move |row| row.statistic == statistic)
    }

    /// The row of a statistic for an outcome, a group and a term.
    #[must_use]
    pub fn find(&self, statistic: Statistic, outcome: &str, group: &Group, term: &str) -> Option<&'a ReleasedRow> {
        self.by_address.get(&(statistic, outcome, group, term)).copied()
    }

    /// The row that stands beside another one, with another statistic.
    #[must_use]
    pub fn beside(&self, row: &ResultRow, statistic: Statistic) -> Option<&'a ReleasedRow> {
        self.find(statistic, &row.outcome, &row.group, &row.term)
    }

    /// Outcomes in the order of their first rows.
    #[must_use]
    pub fn outcomes(&self) -> Vec<&'a str> {
        let mut outcomes = Vec::new();
        for row in &self.rows {
            if !row.outcome.is_empty() && !outcomes.contains(&row.outcome.as_str()) {
                outcomes.push(row.outcome.as_str());
            }
        }
        outcomes
    }
}

/// Name of a side effect for people.
#[must_use]
pub fn label(catalogue: &Catalogue, code: &str) -> String {
    catalogue.find(code).map_or_else(|| code.to_owned(), |id| catalogue.get(id).short_label().to_owned())
}

/// `needle_depth_mm` → `needle depth (mm)`.
#[must_use]
pub fn column_label(column: &str) -> String {
    for (suffix, unit) in [("_mm", "mm"), ("_mj", "mJ"), ("_ms", "ms"), ("_days", "days"), ("_years", "years")] {
        if let Some(stem) = column.strip_suffix(suffix) {
            return format!("{} ({unit})", stem.replace('_', " "));
        }
    }
    match column {
        "fitzpatrick" => "Fitzpatrick type".to_owned(),
        "monk" => "Monk tone".to_owned(),
        "clinic_id" => "clinic".to_owned(),
        "practitioner_id" => "practitioner".to_owned(),
        "rf" => "RF".to_owned(),
        other => other.replace('_', " "),
    }
}

/// A group value for people.
#[must_use]
pub fn value_label(value: &str) -> String {
    match value {
        ResultRow::MISSING => "missing".to_owned(),
        "rf" => "RF".to_owned(),
        other => other.strip_prefix(">=").map_or_else(|| other.to_owned(), |rest| format!("≥{rest}")),
    }
}

fn group_columns(rows: &Rows<'_>, statistic: Statistic) -> Vec<String> {
    let group = rows.statistic(statistic).map(|row| &row.group).find(|group| !group.is_empty());
    group.map(|group| group.iter().map(|(column, _)| column.clone()).collect()).unwrap_or_default()
}

fn group_cells(row: &ResultRow) -> impl Iterator<Item = Cell> {
    row.group.iter().map(|(_, value)| Cell::text(value_label(value)))
}

fn headers<'a>(groups: &'a [String], others: &[&'a str]) -> Vec<String> {
    groups.iter().map(|column| column_label(column)).chain(others.iter().map(|other| (*other).to_owned())).collect()
}

fn rates(rows: &Rows<'_>, request: &Request<'_>) -> Vec<Table> {
    let groups = group_columns(rows, Statistic::Rate);
    let mut table = Table::new(request.analysis, request.title, &["Side effect"]);
    table.columns.extend(headers(&groups, &["n/N", "Rate (interval)", "Not assessed", "Design effect"]));
    table.stub = 1 + groups.len();
    for row in rows.statistic(Statistic::Rate) {
        let mut cells = vec![Cell::text(label(request.catalogue, &row.outcome))];
        cells.extend(group_cells(row));
        cells.extend([
            Cell::n_of(Some(row)),
            Cell::estimate(Some(row)),
            Cell::value(rows.beside(row, Statistic::NotAssessed)),
            Cell::value(rows.beside(row, Statistic::DesignEffect)),
        ]);
        table.rows.push(cells);
    }
    table.footnotes.extend(rf_footnote(rows, request.catalogue, &groups));
    vec![table]
}

/// Side effects that only radiofrequency devices cause are counted over every device, which makes them look rare.
fn rf_footnote(rows: &Rows<'_>, catalogue: &Catalogue, groups: &[String]) -> Option<String> {
    let rf_only = |code: &&str| catalogue.find(code).is_some_and(|id| catalogue.get(id).scope == Scope::Rf);
    let names: Vec<String> =
        rows.outcomes().iter().filter(|code| rf_only(code)).map(|code| label(catalogue, code)).collect();
    let divided = groups.iter().any(|column| column == "modality");
    (!names.is_empty() && !divided).then(|| {
        format!(
            "Only radiofrequency devices cause these: {}. Here they are counted over the sessions of every device; \
             divide by modality for their rate with radiofrequency.",
            names.join(", ")
        )
    })
}

fn severity(rows: &Rows<'_>, request: &Request<'_>) -> Vec<Table> {
    const GRADES: &[&str] = &["grade 1", "grade 2", "grade 3", "grade 4", "grade 5", "grade not stated"];
    let groups = group_columns(rows, Statistic::Count);
    let mut table = Table::new(request.analysis, request.title, &["Side effect"]);
    table.columns.extend(headers(&groups, GRADES));
    table.columns.push("Grade 3 or worse (interval)".to_owned());
    table.stub = 1 + groups.len();
    for row in rows.statistic(Statistic::Rate) {
        let counts: Vec<_> =
            GRADES.iter().map(|grade| rows.find(Statistic::Count, &row.outcome, &row.group, grade)).collect();
        if counts.iter().flatten().all(|count| count.value.is_none_or(|value| value < 0.5)) {
            continue;
        }
        let mut cells = vec![Cell::text(label(request.catalogue, &row.outcome))];
        cells.extend(group_cells(row));
        cells.extend(counts.into_iter().map(Cell::value));
        cells.push(Cell::estimate(Some(row)));
        table.rows.push(cells);
    }
    table.footnotes.push(
        "Side effects that were never present have no line. A side effect without a grade is not assessed for severity."
            .to_owned(),
    );
    vec![table]
}

fn trend(rows: &Rows<'_>, request: &Request<'_>) -> Vec<Table> {
    vec![trend_levels(rows, request), trend_tests(rows, request), trend_models(rows, request)]
}

fn trend_levels(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let groups = group_columns(rows, Statistic::Rate);
    let mut table = Table::new(request.analysis, &format!("{}: by level", request.title), &["Side effect"]);
    table.columns.extend(headers(
        &groups,
        &["n/N", "Rate (interval)", "Fitted rate", "Not assessed", "Mean depth, mm", "Mean passes"],
    ));
    table.stub = 1 + groups.len();
    for row in rows.statistic(Statistic::Rate) {
        let mut cells = vec![Cell::text(label(request.catalogue, &row.outcome))];
        if row.group.is_empty() {
            cells.extend(groups.iter().map(|_| Cell::text("all")));
        }
        cells.extend(group_cells(row));
        cells.extend([
            Cell::n_of(Some(row)),
            Cell::estimate(Some(row)),
            Cell::value(rows.beside(row, Statistic::FittedRate)),
            Cell::value(rows.beside(row, Statistic::NotAssessed)),
            Cell::value(rows.find(Statistic::Mean, "", &row.group, "needle_depth_mm")),
            Cell::value(rows.find(Statistic::Mean, "", &row.group, "passes")),
        ]);
        table.rows.push(cells);
    }
    if rows.statistic(Statistic::FittedRate).any(|row| row.value.is_some()) {
        table.footnotes.push("Fitted rate: logistic model with the level's score alone.".to_owned());
    }
    table
}

fn trend_tests(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let id = format!("{}_tests", request.analysis);
    let title = format!("{}: trend tests", request.title);
    let mut table = Table::new(&id, &title, &["Side effect", "Test", "z", "p", "Scores and remarks"]);
    table.stub = 2;
    for row in rows.statistic(Statistic::PValue).filter(|row| row.method.starts_with("cochran_armitage")) {
        let mut p_value = Cell::value(Some(row));
        p_value.note = None;
        let mut z = Cell::value(rows.beside(row, Statistic::TrendZ));
        z.note = None;
        table.rows.push(vec![
            Cell::text(label(request.catalogue, &row.outcome)),
            Cell::text(test_label(row.method)),
            z,
            p_value,
            Cell::text(prose(&row.warning)),
        ]);
    }
    table
}

/// A row's remarks for people.
fn prose(warning: &str) -> String {
    warning.replace(">=", "≥")
}

fn test_label(method: &str) -> &str {
    match method {
        "cochran_armitage_clustered" => "Score test, clustered by patient",
        "cochran_armitage_rao_scott" => "Cochran–Armitage, each level divided by its design effect (Rao–Scott)",
        "cochran_armitage" => "Cochran–Armitage",
        "cochran_armitage_exact" => "Cochran–Armitage, exact (mid-p)",
        "fisher_mid_p" => "Fisher, mid-p",
        "fisher_exact" => "Fisher, exact",
        "chi_square" => "χ²",
        other => other,
    }
}

/// `fitzpatrick:adjusted` → model and term in words.
#[must_use]
pub fn model_and_term(row: &ResultRow) -> (String, String) {
    let (term, model) = row.term.rsplit_once(':').unwrap_or((&row.term, ""));
    let model = match model {
        "crude" | "crude_levels" => "crude",
        "crude_complete" => "crude, same sessions as adjusted",
        "adjusted" | "adjusted_levels" => "adjusted",
        other => other,
    };
    let term = match term.split_once('=') {
        Some((column, value)) => {
            let against = value_label(&row.comparator);
            format!("{}: {} against {against}", column_label(column), value_label(value))
        }
        None => per_unit(term),
    };
    (model.to_owned(), term)
}

/// A numeric term, with what one step of it is.
fn per_unit(column: &str) -> String {
    match column {
        "needle_depth_mm" => "needle depth, for each mm".to_owned(),
        "passes" => "passes, for each further one".to_owned(),
        "age_years" | "practitioner_experience_years" => format!("{}, for each year", column_label(column)),
        other => format!("{}, for each step up", column_label(other)),
    }
}

fn trend_models(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let id = format!("{}_models", request.analysis);
    let title = format!("{}: odds ratios", request.title);
    let columns = ["Side effect", "Model", "Term", "Odds ratio (interval)", "p", "Sessions", "Remarks"];
    let mut table = Table::new(&id, &title, &columns);
    table.stub = 3;
    for row in rows.statistic(Statistic::OddsRatio) {
        let (model, term) = model_and_term(row);
        let mut estimate = Cell::estimate(Some(row));
        estimate.note = None;
        let mut p_value = Cell::value(rows.beside(row, Statistic::PValue));
        p_value.note = None;
        table.rows.push(vec![
            Cell::text(label(request.catalogue, &row.outcome)),
            Cell::text(model),
            Cell::text(term),
            estimate,
            p_value,
            Cell::n_of(Some(row)),
            Cell::text(prose(&row.warning)),
        ]);
    }
    table.footnotes.push(
        "Odds ratios from logistic regression with errors clustered by patient; columns with words are compared \
         with the level named."
            .to_owned(),
    );
    table
}

fn contrast(rows: &Rows<'_>, request: &Request<'_>) -> Vec<Table> {
    let columns = [
        "Side effect",
        "Group",
        "Against",
        "n/N",
        "n/N against",
        "Risk difference, points",
        "Risk ratio",
        "Odds ratio",
        "Number needed to harm",
        "p",
        "p adjusted",
    ];
    let mut table = Table::new(request.analysis, request.title, &columns);
    table.stub = 3;
    for row in rows.statistic(Statistic::RiskDifference) {
        let mut reference = row.group.clone();
        if let (Some(last), Some((_, value))) = (reference.last_mut(), row.comparator.split_once('=')) {
            value.clone_into(&mut last.1);
        }
        let group: Vec<String> = row.group.iter().map(|(_, value)| value_label(value)).collect();
        let p = |statistic| {
            let clustered = rows.find(statistic, &row.outcome, &row.group, "chi_square_rao_scott");
            clustered.or_else(|| rows.find(statistic, &row.outcome, &row.group, "fisher_mid_p"))
        };
        table.rows.push(vec![
            Cell::text(label(request.catalogue, &row.outcome)),
            Cell::text(group.join(", ")),
            Cell::text(value_label(row.comparator.split_once('=').map_or("", |(_, value)| value))),
            Cell::n_of(rows.find(Statistic::Rate, &row.outcome, &row.group, "")),
            Cell::n_of(rows.find(Statistic::Rate, &row.outcome, &reference, "")),
            Cell::estimate(Some(row)),
            Cell::estimate(rows.beside(row, Statistic::RiskRatio)),
            Cell::estimate(rows.beside(row, Statistic::OddsRatio)),
            Cell::estimate(rows.beside(row, Statistic::NumberNeededToHarm)),
            Cell::value(p(Statistic::PValue)),
            Cell::value(p(Statistic::PAdjusted)),
        ]);
    }
    vec![table]
}

fn data_quality(rows: &Rows<'_>, request: &Request<'_>) -> Vec<Table> {
    vec![
        intake(rows, request),
        files(rows, request),
        refusals(rows, request),
        assessed(rows, request),
        missing(rows, request),
    ]
}

fn intake(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let mut table = Table::new(request.analysis, "What came in", &["What", "How many"]);
    for row in rows.statistic(Statistic::Count).filter(|row| row.group.is_empty() && !row.term.contains(':')) {
        table.rows.push(vec![Cell::text(intake_label(&row.term)), Cell::value(Some(row))]);
    }
    table.footnotes.push("Rows read = accepted + rejected + superseded, in every run.".to_owned());
    table
}

fn intake_label(term: &str) -> String {
    match term {
        "log_read_rows" => "Rows read from session logs",
        "log_accepted_rows" => "– accepted",
        "log_rejected_rows" => "– rejected",
        "log_superseded_rows" => "– repeated or replaced by a later one",
        "read_rows" => "Rows read, all files",
        "accepted_rows" => "– accepted",
        "rejected_rows" => "– rejected (see rejects.csv)",
        "superseded_rows" => "– repeated or replaced by a later one (see superseded.csv)",
        "filtered_rows" => "Rows left out by the mapping's row filter, not counted as read",
        "sessions" => "Sessions accepted",
        "events" => "Events accepted",
        "assessments" => "Assessments accepted",
        "after_data_cut" => "Sessions after the data cut, left out",
        "events_after_data_cut" => "Side effects after the data cut, left out",
        "unattributed_events" => "Events that no session of the patient fits",
        "repeated_rows_not_listed" => "Rows word for word as one before, counted above and not listed",
        "waiting_events" => "Events whose session has not come yet",
        "overlapping_events" => "Events that several sessions fit: the latest was taken",
        "uncoded_terms" => "Side effects with a term that is not coded",
        "outside_cohort" => "Sessions outside the cohort",
        "analysed_sessions" => "Sessions analysed",
        other => return other.replace('_', " "),
    }
    .to_owned()
}

fn files(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    const TERMS: &[&str] = &["read_rows", "accepted_rows", "rejected_rows", "superseded_rows"];
    let columns = ["File", "Read", "Accepted", "Rejected", "Superseded"];
    let mut table = Table::new(&format!("{}_files", request.analysis), "File by file", &columns);
    for row in rows.statistic(Statistic::Count).filter(|row| row.term == TERMS[0] && !row.group.is_empty()) {
        let mut cells: Vec<Cell> = row.group.iter().map(|(_, file)| Cell::text(file.clone())).collect();
        cells.extend(TERMS.iter().map(|term| Cell::value(rows.find(Statistic::Count, "", &row.group, term))));
        table.rows.push(cells);
    }
    table
}

fn refusals(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let id = format!("{}_rules", request.analysis);
    let mut table = Table::new(&id, "Rows refused and warnings, by rule", &["Rule", "What happened", "Rows"]);
    table.stub = 2;
    for row in rows.statistic(Statistic::Count) {
        let Some((kind, rule)) = row.term.split_once(':') else { continue };
        let what = if kind == "rejected" { "refused" } else { "warning; counted all the same" };
        table.rows.push(vec![Cell::text(rule.replace('_', " ")), Cell::text(what), Cell::value(Some(row))]);
    }
    table
}

/// Share assessed of the side effects with the longest windows or any event: clinics as lines.
fn assessed(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let id = format!("{}_assessed", request.analysis);
    let mut table = Table::new(&id, "Share of sessions assessed, by clinic", &["Clinic"]);
    let outcomes = rows.outcomes();
    table.columns.extend(outcomes.iter().map(|code| label(request.catalogue, code)));
    let mut groups: Vec<&Group> = Vec::new();
    for row in rows.statistic(Statistic::AssessedShare) {
        if !groups.contains(&row.group.as_slice()) {
            groups.push(&row.group);
        }
    }
    for group in groups {
        let clinic = group.first().map_or_else(|| "all clinics".to_owned(), |(_, value)| value_label(value));
        let mut cells = vec![Cell::text(clinic)];
        let share = |code: &&str| Cell::value(rows.find(Statistic::AssessedShare, code, group, ""));
        cells.extend(outcomes.iter().map(share));
        table.rows.push(cells);
    }
    table
}

fn missing(rows: &Rows<'_>, request: &Request<'_>) -> Table {
    let id = format!("{}_missing", request.analysis);
    let mut table = Table::new(&id, "Share of sessions in which a column is missing", &["Column", "All clinics"]);
    let mut clinics: Vec<&Group> = Vec::new();
    for row in rows.statistic(Statistic::MissingShare).filter(|row| !row.group.is_empty()) {
        if !clinics.contains(&row.group.as_slice()) {
            clinics.push(&row.group);
        }
    }
    table.columns.extend(clinics.iter().flat_map(|group| group.iter().map(|(_, value)| value.clone())));
    for row in rows.statistic(Statistic::MissingShare).filter(|row| row.group.is_empty()) {
        let mut cells = vec![Cell::text(column_label(&row.term)), Cell::value(Some(row))];
        let share = |group: &&Group| Cell::value(rows.find(Statistic::MissingShare, "", group, &row.term));
        cells.extend(clinics.iter().map(share));
        table.rows.push(cells);
    }
    table
}
