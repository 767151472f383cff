//! The page: one file, no network, readable with scripts off, printable.

use super::answer::{self, Telling};
use super::section;
use super::table::Table;
use crate::chart::Chart;
use crate::domain::Catalogue;
use crate::results::Released;
use maud::{DOCTYPE, Markup, PreEscaped, html};

/// A method that the report used, for its readers.
#[derive(Debug, Clone, PartialEq)]
pub struct MethodNote {
    /// Id, as in the `method` column.
    pub id: String,
    /// Name.
    pub title: String,
    /// What it estimates.
    pub estimates: String,
    /// The formula.
    pub formula: String,
    /// Where it was published.
    pub source: String,
}

/// One analysis with its pictures and tables.
#[derive(Debug, Clone)]
pub struct Section {
    /// Id of the analysis.
    pub id: String,
    /// Title.
    pub title: String,
    /// Its kind.
    pub kind: &'static str,
    /// Who is in it and what is counted, in a line.
    pub population: String,
    /// Why it has neither picture nor table, where it has none.
    pub nothing: Option<String>,
    /// Pictures.
    pub charts: Vec<Chart>,
    /// Tables.
    pub tables: Vec<Table>,
}

/// A line of the footer: what it is, and its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fact {
    /// What it is.
    pub name: &'static str,
    /// Its text.
    pub text: String,
}

/// Everything that a page shows.
#[derive(Debug, Clone)]
pub struct Page<'a> {
    /// Title.
    pub title: &'a str,
    /// The question that it answers.
    pub question: &'a str,
    /// The rows.
    pub released: &'a Released,
    /// Names of the side effects.
    pub catalogue: &'a Catalogue,
    /// The analyses, in order.
    pub sections: Vec<Section>,
    /// The methods used.
    pub methods: Vec<MethodNote>,
    /// Where it comes from.
    pub provenance: Vec<Fact>,
    /// What a reader must know before the answer, such as many rejected rows.
    pub cautions: Vec<String>,
}

const STYLE: &str = include_str!("style.css");

/// The page as HTML.
#[must_use]
pub fn render(page: &Page<'_>) -> String {
    let body = html! {
        header {
            h1 { (page.title) }
            @if !page.question.is_empty() { p .question { (page.question) } }
            p .population { (page.sections.first().map(|section| section.population.as_str()).unwrap_or_default()) }
        }
        main {
            (answer_section(page))
            (contents(page))
            @for section in &page.sections { (analysis(section)) }
            (methods(page))
        }
        (footer(page))
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta name="generator" content=(concat!("stipple ", env!("CARGO_PKG_VERSION")));
                title { (page.title) }
                style { (PreEscaped(STYLE)) }
            }
            body { (body) }
        }
    };
    let mut text = page.into_string();
    text.push('\n');
    text
}

fn answer_section(page: &Page<'_>) -> Markup {
    let mut telling = Telling::new(page.catalogue);
    let told: Vec<(&str, Vec<Markup>)> = page
        .sections
        .iter()
        .map(|section| {
            let mut sentences = answer::sentences(page.released, section.kind, (&section.id, &mut telling));
            sentences.extend(section.nothing.iter().map(|nothing| html! { (nothing) }));
            (section.title.as_str(), sentences)
        })
        .filter(|(_, sentences)| !sentences.is_empty())
        .collect();
    html! {
        section #answer {
            h2 { "The answer" }
            @for caution in &page.cautions { p .caution role="note" { strong { "Take care: " } (caution) } }
            @if told.is_empty() {
                @for section in &page.sections { @if let Some(intake) = answer::intake(page.released, &section.id) { p { (intake) } } }
                p { "The tables and pictures below hold the answer." }
            }
            @for (title, sentences) in &told {
                @if told.len() > 1 { h3 { (title) } }
                @for sentence in sentences { p { (sentence) } }
            }
        }
    }
}

fn contents(page: &Page<'_>) -> Markup {
    html! {
        nav aria-label="Contents" {
            ul {
                @for section in &page.sections { li { a href={ "#" (section.id) } { (section.title) } } }
                li { a href="#methods" { "Methods" } }
                li { a href="results.csv" { "All numbers (CSV)" } }
                li { a href="report.xlsx" { "Tables (Excel)" } }
                li { a href="rejects.csv" { "Rejected rows" } }
            }
        }
    }
}

fn analysis(part: &Section) -> Markup {
    html! {
        section id=(part.id) {
            h2 { (part.title) }
            p .population { (part.population) }
            @if let Some(nothing) = &part.nothing { p { (nothing) } }
            @for chart in &part.charts { (section::figure(chart)) }
            @for table in &part.tables { (section::table(table)) }
        }
    }
}

fn methods(page: &Page<'_>) -> Markup {
    html! {
        section #methods {
            h2 { "Methods" }
            p {
                "A side effect is " em { "present" } " when it is listed for the session, " em { "confirmed absent" }
                " when the patient was asked and followed up to the end of its window, else " em { "not assessed" }
                ". Rates are taken over present and confirmed absent unless the line under a title says otherwise. \
                 The windows are assumed: no published source gives them."
            }
            dl {
                @for method in &page.methods {
                    dt { (method.title) " " code { (method.id) } }
                    dd { (method.estimates) " " span .formula { (method.formula) } " " cite { (method.source) } }
                }
            }
        }
    }
}

fn footer(page: &Page<'_>) -> Markup {
    html! {
        footer {
            h2 { "Where this comes from" }
            dl { @for fact in &page.provenance { dt { (fact.name) } dd { (fact.text) } } }
            p .note { "Made to support the judgement of qualified people, not to replace it." }
        }
    }
}
