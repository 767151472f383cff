//! Charts drawn from fabricated rows: no text leaves the picture or overlaps another, every number is its row's.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fmt::Write as _;
use stipple::chart::font::{Weight, width};
use stipple::chart::{CHARTS, Chart, ChartRequest, draw};
use stipple::domain::Catalogue;
use stipple::results::{Policy, Profile, Released, ResultRow, Statistic, format, release};

const NAMES: [&str; 7] = [
    "A",
    "Harbour Dermatology and Laser Centre of the Northern Islands, Building 4",
    "皮膚科クリニック東京中央レーザーセンター",
    "Praxis Dr. Müller-Lüdenscheidt & Partner <Hautärzte> \"Süd\"",
    "عيادة الجلدية المركزية",
    "north_eastern_regional_university_hospital_outpatient_department_of_dermatology",
    "WWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWWW\u{1}\u{e000}0\u{e001}",
];

/// A text of a picture as the viewer sees it.
#[derive(Debug, Clone)]
struct Shown {
    text: String,
    class: String,
    row_id: Option<String>,
    whole: Option<String>,
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
}

fn number(node: roxmltree::Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).and_then(|value| value.parse().ok()).unwrap_or_else(|| panic!("{name} of {node:?}"))
}

/// Every text with its box, in tenths of a unit. A capital is 0.73 em high, a descender 0.21 em deep.
fn shown(document: &roxmltree::Document<'_>) -> Vec<Shown> {
    let texts = document.descendants().filter(|node| node.has_tag_name("text"));
    texts
        .map(|node| {
            let text = node.children().find(roxmltree::Node::is_text).and_then(|text| text.text()).unwrap_or_default();
            let (x, y, size) = (number(node, "x"), number(node, "y"), number(node, "font-size"));
            let weight = if node.attribute("font-weight") == Some("bold") { Weight::Bold } else { Weight::Regular };
            let wide = width(text, size, weight);
            if let Some(held) = node.attribute("textLength") {
                assert!((held.parse::<f64>().unwrap() - wide).abs() <= 1.0, "{text}: {held} {wide}");
            }
            let before = match node.attribute("text-anchor") {
                Some("end") => wide,
                Some("middle") => wide / 2.0,
                _ => 0.0,
            };
            let (start, end) = (-before, wide - before);
            let (left, right, top, bottom) = match node.attribute("transform") {
                Some(turn) => {
                    assert!(turn.starts_with("rotate(270"), "{turn}");
                    (x - 0.73 * size, x + 0.21 * size, y - end, y - start)
                }
                None => (x + start, x + end, y - 0.73 * size, y + 0.21 * size),
            };
            let whole = node.children().find(|child| child.has_tag_name("title")).and_then(|title| title.text());
            Shown {
                text: text.to_owned(),
                class: node.attribute("class").unwrap_or_default().to_owned(),
                row_id: node.attribute("data-row").map(str::to_owned),
                whole: whole.map(str::to_owned),
                left,
                right,
                top,
                bottom,
            }
        })
        .collect()
}

fn check_boxes(texts: &[Shown], (wide, high): (f64, f64), what: &str) {
    for (at, one) in texts.iter().enumerate() {
        let inside = one.left >= 0.0 && one.right <= wide && one.top >= 0.0 && one.bottom <= high;
        assert!(inside, "{what}: leaves the picture {wide}×{high}: {one:?}");
        for other in &texts[at + 1..] {
            let apart = one.right <= other.left + 1.0
                || other.right <= one.left + 1.0
                || one.bottom <= other.top + 1.0
                || other.bottom <= one.top + 1.0;
            assert!(apart, "{what}: {one:?} overlaps {other:?}");
        }
    }
}

/// What may be written of a row.
fn readings(row: &ResultRow) -> Vec<String> {
    let mut readings = vec![format::value(row), format::value_and_interval(row)];
    readings.extend(format::n_of_row(row));
    readings.extend([row.numerator, row.denominator].into_iter().flatten().map(format::count));
    readings.extend(row.value.map(format::percent_number));
    readings.extend(format::n_of_row(row).map(|counts| format!("{counts} ({})", format::value(row))));
    readings
}

fn check_numbers(texts: &[Shown], released: &Released, what: &str) {
    for text in texts {
        match (text.class.as_str(), &text.row_id) {
            ("number", Some(row_id)) => {
                // The fabricated ids hold a control character, which XML cannot carry.
                let row = released.rows().iter().find(|row| row.row_id().replace('\u{1}', "?") == *row_id);
                let row = row.unwrap_or_else(|| panic!("{what}: no row {row_id}"));
                assert!(readings(row).contains(&text.text), "{what}: {text:?} is not of {row:?}");
            }
            ("name" | "tick", None) => {}
            _ => panic!("{what}: {text:?}"),
        }
        let cut = text.class == "name" && text.text.contains('…');
        assert!(!cut || text.whole.is_some(), "{what}: the whole name is lost: {text:?}");
    }
}

fn check_svg(svg: &str, chart: &Chart, released: &Released, units: f64) -> Vec<Shown> {
    let document = roxmltree::Document::parse(svg).unwrap_or_else(|error| panic!("{}: {error}", chart.id));
    let root = document.root_element();
    let view: Vec<f64> = root.attribute("viewBox").unwrap().split(' ').map(|part| part.parse().unwrap()).collect();
    assert!((view[2] - units * 10.0).abs() < 1e-9);
    assert_eq!(root.attribute("role"), Some("img"));
    for id in root.attribute("aria-labelledby").unwrap().split(' ') {
        let named = document.descendants().find(|node| node.attribute("id") == Some(id)).and_then(|node| node.text());
        assert!(named.is_some_and(|text| !text.trim().is_empty()), "{id}");
    }
    assert!(!svg.contains("#010203") && !svg.contains(['\u{e000}', '\u{e001}']) || svg.contains("WWW"), "{}", chart.id);
    let texts = shown(&document);
    check_boxes(&texts, (view[2], view[3]), &chart.id);
    check_numbers(&texts, released, &chart.id);
    texts
}

/// Draws the rows, checks both layouts of every chart, and returns the charts.
fn check(kind: &str, rows: Vec<ResultRow>) -> Vec<Chart> {
    let released = release(rows, Policy { profile: Profile::None });
    let catalogue = Catalogue::built_in();
    let request = ChartRequest { analysis: "a", title: "Rates & <trends>", catalogue: &catalogue };
    let charts = draw(&released, kind, &request).unwrap();
    assert_eq!(charts, draw(&released, kind, &request).unwrap(), "the same rows give the same bytes");
    for chart in &charts {
        assert!(!chart.alt.is_empty() && !chart.caption.is_empty() && !chart.title.is_empty());
        let wide = check_svg(&chart.svg, chart, &released, 720.0);
        let narrow = check_svg(&chart.svg_narrow, chart, &released, 360.0);
        let rows = |texts: &[Shown]| {
            let mut rows: Vec<String> = texts.iter().filter_map(|text| text.row_id.clone()).collect();
            rows.sort();
            rows.dedup();
            rows
        };
        assert_eq!(rows(&wide), rows(&narrow), "{}: both layouts show the same rows", chart.id);
    }
    charts
}

/// Rows that a set of charts shows.
fn drawn_rows(charts: &[Chart]) -> Vec<String> {
    let rows = charts.iter().flat_map(|chart| {
        let document = roxmltree::Document::parse(&chart.svg).unwrap();
        shown(&document).into_iter().filter_map(|text| text.row_id).collect::<Vec<_>>()
    });
    let mut rows: Vec<String> = rows.collect();
    rows.sort();
    rows.dedup();
    rows
}

fn pairs(group: &[(&str, &str)]) -> Vec<(String, String)> {
    group.iter().map(|(column, value)| ((*column).to_owned(), (*value).to_owned())).collect()
}

/// A rate with a made-up interval, and the number not assessed beside it.
fn rate(kind: &'static str, outcome: &str, group: &[(&str, &str)], (n, all): (f64, f64)) -> [ResultRow; 2] {
    let value = (all > 0.0).then(|| n / all);
    let template = ResultRow {
        outcome: outcome.to_owned(),
        group: pairs(group),
        counted: "sessions",
        ..ResultRow::empty("a", kind, Statistic::Rate)
    };
    [
        ResultRow {
            value,
            low: value.map(|value| (value - 0.03).max(0.0)),
            high: value.map(|value| (value + 0.04).min(1.0)),
            level: Some(0.95),
            unit: "proportion",
            numerator: Some(n),
            denominator: Some(all),
            ..template.clone()
        },
        ResultRow {
            statistic: Statistic::NotAssessed,
            value: Some(1_234_567.0),
            numerator: Some(1_234_567.0),
            denominator: Some(9_234_567.0),
            unit: "count",
            ..template
        },
    ]
}

fn codes() -> Vec<String> {
    let catalogue = Catalogue::built_in();
    catalogue.ids().map(|id| catalogue.get(id).code.clone()).collect()
}

/// `count` clinics with long and foreign names and rates from 0 to 100 %.
fn clinics(count: u32) -> Vec<ResultRow> {
    let clinic = |at: u32| {
        let name = format!("{} {at}", NAMES[at as usize % NAMES.len()]);
        let all = f64::from(at % 5) * 1_250_000.0 + 3.0;
        let n = (all * f64::from(at % 11) / 10.0).floor();
        let counts = if at == 7 { (0.0, 0.0) } else { (n, all) };
        rate("side_effect_rates", "hypertrophic_or_keloid_scar", &[("clinic_id", &name)], counts)
    };
    (0..count).flat_map(clinic).collect()
}

#[test]
fn rates_fit_from_one_category_to_many_and_none_is_dropped() {
    for count in (1..=62).chain([121, 130]) {
        let charts = check("side_effect_rates", clinics(count));
        assert_eq!(charts.len(), usize::try_from(count.div_ceil(60)).unwrap(), "{count}");
        assert_eq!(drawn_rows(&charts).len(), 2 * usize::try_from(count).unwrap(), "{count}");
    }
}

#[test]
fn rates_without_groups_are_sorted_and_zeros_are_kept() {
    let rates = |share: fn(usize) -> f64| -> Vec<ResultRow> {
        let rows = codes().into_iter().enumerate();
        rows.flat_map(|(at, code)| rate("side_effect_rates", &code, &[], ((2385.0 * share(at)).round(), 2385.0)))
            .collect()
    };
    for share in
        [|_| 0.0, |_| 1.0, |at: usize| if at > 4 { 0.0 } else { 0.2 * (at as f64 + 1.0) }, |at| 0.003 * at as f64]
    {
        let charts = check("side_effect_rates", rates(share));
        assert_eq!(charts.len(), 1);
        assert_eq!(charts[0].id, "a");
        assert_eq!(drawn_rows(&charts).len(), 2 * codes().len());
        let document = roxmltree::Document::parse(&charts[0].svg).unwrap();
        let mut lines: Vec<(f64, f64)> = Vec::new();
        for text in shown(&document) {
            if let Some((n, _)) = text.text.split_once('/').filter(|_| text.class == "number") {
                lines.push((text.top, n.replace(',', "").parse().unwrap()));
            }
        }
        lines.sort_by(|one, other| one.0.total_cmp(&other.0));
        assert!(lines.windows(2).all(|pair| pair[0].1 >= pair[1].1), "{lines:?}");
    }
}

#[test]
fn blocks_and_three_columns_fit() {
    let mut rows = Vec::new();
    let mut deep = Vec::new();
    for code in codes() {
        for modality in ["roller", "pen", "rf", ResultRow::MISSING] {
            rows.extend(rate("side_effect_rates", &code, &[("modality", modality)], (44.0, 613.0)));
            let group = [("modality", modality), ("clinic_id", NAMES[1]), ("indication", "acne_scars")];
            deep.extend(rate("side_effect_rates", &code, &group, (44.0, 613.0)));
        }
    }
    let total = rows.len();
    assert_eq!(drawn_rows(&check("side_effect_rates", rows)).len(), total);
    assert_eq!(drawn_rows(&check("side_effect_rates", deep)).len(), total);
}

#[test]
fn heatmaps_fit_and_an_empty_cell_shows_no_number() {
    for (down, across) in [(1, 1), (7, 5), (3, 14), (14, 3), (10, 12)] {
        let mut rows = Vec::new();
        for first in 0..down {
            for second in 0..across {
                let (tone, band) = (format!("{} {first}", NAMES[first % 7]), format!("{}.5–{}.0", second, second + 1));
                let counts = if first + second == 1 { (0.0, 0.0) } else { ((first * second) as f64, 1238.0) };
                rows.extend(rate(
                    "side_effect_rates",
                    "pih",
                    &[("clinic_id", &tone), ("needle_depth_mm", &band)],
                    counts,
                ));
            }
        }
        let empty = rows.iter().filter(|row| row.statistic == Statistic::Rate && row.value.is_none()).count();
        let charts = check("side_effect_rates", rows);
        assert_eq!(charts.len(), 1);
        assert_eq!(drawn_rows(&charts).len(), down * across - empty);
    }
}

fn trend(levels: &[String]) -> Vec<ResultRow> {
    let mut rows = Vec::new();
    for (at, level) in levels.iter().enumerate() {
        let group = [("fitzpatrick", level.as_str())];
        let all = 1021.0 - 7.0 * at as f64;
        let [observed, _] = rate("trend", "pih", &group, ((all * 0.01 * at as f64).round(), all));
        let fitted =
            ResultRow { statistic: Statistic::FittedRate, numerator: None, denominator: None, ..observed.clone() };
        rows.push(observed);
        if level != ResultRow::MISSING {
            rows.push(fitted);
        }
        for (term, value) in [("needle_depth_mm", 1.8), ("passes", 4.0)] {
            rows.push(ResultRow {
                group: pairs(&group),
                term: term.to_owned(),
                value: Some(value - 0.01 * at as f64),
                low: Some(value - 0.1),
                high: Some(value + 0.1),
                level: Some(0.95),
                ..ResultRow::empty("a", "trend", Statistic::Mean)
            });
        }
    }
    for (statistic, term, value) in [
        (Statistic::TrendZ, "cochran_armitage_rao_scott", 5.2),
        (Statistic::PValue, "cochran_armitage_rao_scott", 1e-7),
        (Statistic::OddsRatio, "fitzpatrick:crude", 1.52),
        (Statistic::OddsRatio, "fitzpatrick:adjusted", 1.71),
        (Statistic::OddsRatio, "needle_depth_mm:adjusted", 1.6),
    ] {
        rows.push(ResultRow {
            outcome: "pih".to_owned(),
            term: term.to_owned(),
            value: Some(value),
            unit: "ratio",
            method: "cochran_armitage",
            ..ResultRow::empty("a", "trend", statistic)
        });
    }
    rows
}

#[test]
fn trends_fit_from_one_level_to_sixty() {
    for count in [1, 2, 3, 6, 7, 10, 11, 15, 20, 25, 33, 45, 60] {
        for named in [false, true] {
            let name = |at: usize| if named { format!("{} {at}", NAMES[at % 7]) } else { (at + 1).to_string() };
            let mut levels: Vec<String> = (0..count).map(name).collect();
            levels.push(ResultRow::MISSING.to_owned());
            let charts = check("trend", trend(&levels));
            assert_eq!(charts.iter().map(|chart| chart.id.as_str()).collect::<Vec<_>>(), ["a", "a_context"]);
            let drawn = drawn_rows(&charts[..1]);
            assert!(drawn.iter().any(|row| row.ends_with("odds_ratio/fitzpatrick:adjusted")));
            assert!(!drawn.iter().any(|row| row.ends_with("needle_depth_mm:adjusted")));
        }
    }
}

#[test]
fn several_outcomes_of_a_trend_are_several_charts() {
    let mut rows = trend(&["I".to_owned(), "II".to_owned()]);
    rows.extend(rate("trend", "infection", &[("fitzpatrick", "I")], (0.0, 12.0)));
    let charts = check("trend", rows);
    let ids: Vec<&str> = charts.iter().map(|chart| chart.id.as_str()).collect();
    assert_eq!(ids, ["a_pih", "a_infection", "a_context"]);
}

#[test]
fn severity_bars_fit() {
    for count in [1, 28, 60, 61] {
        let mut rows = Vec::new();
        for at in 0..count {
            let all = if at == 2 { 0.0 } else { 4_234_567.0 };
            for (term, share) in
                [("grade 1", 0.6), ("grade 2", 0.2), ("grade 3", 0.1), ("grade 5", 0.0), ("grade not stated", 0.1)]
            {
                rows.push(ResultRow {
                    outcome: "pih".to_owned(),
                    group: pairs(&[("clinic_id", &format!("{} {at}", NAMES[at % 7]))]),
                    term: term.to_owned(),
                    value: Some(all * share),
                    denominator: Some(all),
                    unit: "count",
                    ..ResultRow::empty("a", "severity", Statistic::Count)
                });
            }
        }
        let total = rows.len();
        assert_eq!(drawn_rows(&check("severity", rows)).len(), total);
    }
}

#[test]
fn contrasts_fit_with_infinite_ends_and_not_estimable_ones() {
    let estimates = [
        (Some(1.2), Some(0.8), Some(1.9)),
        (Some(0.0), Some(0.0), Some(f64::INFINITY)),
        (None, None, None),
        (None, Some(0.0), Some(f64::INFINITY)),
        (Some(f64::INFINITY), Some(2.0), Some(f64::INFINITY)),
        (Some(1e6), Some(1e-6), Some(1e9)),
    ];
    let mut rows = Vec::new();
    for statistic in [Statistic::RiskDifference, Statistic::RiskRatio, Statistic::OddsRatio] {
        for (at, (value, low, high)) in estimates.into_iter().enumerate() {
            let scale = |end: f64| {
                if statistic == Statistic::RiskDifference { (end / 10.0 - 0.1).clamp(-1.0, 1.0) } else { end }
            };
            rows.push(ResultRow {
                outcome: codes()[at].clone(),
                group: pairs(&[("device_model", NAMES[1])]),
                value: value.map(scale),
                low: low.map(scale),
                high: high.map(scale),
                level: Some(0.95),
                unit: if statistic == Statistic::RiskDifference { "proportion" } else { "ratio" },
                comparator: format!("device_model={}", NAMES[3]),
                ..ResultRow::empty("a", "contrast", statistic)
            });
        }
    }
    let total = rows.len();
    let charts = check("contrast", rows);
    assert_eq!(drawn_rows(&charts).len(), total);
    assert!(charts[0].svg.contains(">NE<"));
}

fn quality(clinics: usize, effects: usize) -> Vec<ResultRow> {
    let mut rows = Vec::new();
    let terms = [
        "log_read_rows",
        "log_accepted_rows",
        "log_rejected_rows",
        "log_superseded_rows",
        "after_data_cut",
        "outside_cohort",
        "analysed_sessions",
    ];
    for term in terms {
        rows.push(ResultRow {
            term: term.to_owned(),
            value: Some(103_120_000.0),
            unit: "count",
            ..ResultRow::empty("a", "data_quality", Statistic::Count)
        });
    }
    for (at, code) in codes().iter().take(effects).enumerate() {
        let groups = (0..clinics).map(|clinic| pairs(&[("clinic_id", &format!("{} {clinic}", NAMES[clinic % 7]))]));
        for (group, clinic) in std::iter::once(Vec::new()).chain(groups).zip(0_usize..) {
            rows.push(ResultRow {
                outcome: code.clone(),
                group,
                value: (clinic + at != 3).then(|| ((clinic * 7 + at * 3) % 101) as f64 / 100.0),
                numerator: Some(2_385_000.0),
                denominator: Some(102_900_000.0),
                unit: "proportion",
                ..ResultRow::empty("a", "data_quality", Statistic::AssessedShare)
            });
        }
    }
    rows
}

#[test]
fn data_quality_fits_from_one_clinic_to_sixty() {
    for (clinics, effects, pictures) in
        [(0, 1, 1), (1, 1, 2), (1, 28, 2), (3, 28, 2), (12, 2, 2), (28, 28, 2), (60, 28, 2), (61, 3, 3)]
    {
        let charts = check("data_quality", quality(clinics, effects));
        assert_eq!(charts.len(), pictures, "{clinics} clinics");
        assert_eq!(charts[0].id, "a_flow");
    }
}

#[test]
fn nothing_to_draw_is_no_chart() {
    for chart in CHARTS {
        assert!(check(chart.kind, Vec::new()).is_empty());
    }
    assert!(check("literature", clinics(3)).is_empty());
}

#[test]
fn the_alt_text_says_the_main_numbers() {
    let mut rows: Vec<ResultRow> = rate("side_effect_rates", "pih", &[], (211.0, 2385.0)).into();
    rows[0].low = Some(0.0774);
    rows[0].high = Some(0.1006);
    let charts = check("side_effect_rates", rows);
    let mut expected = String::new();
    write!(expected, "Dot-and-whisker chart of 1 rate. PIH 8.8\u{a0}% (7.7–10.1), 211/2,385.").unwrap();
    assert_eq!(charts[0].alt, expected);
}
