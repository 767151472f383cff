//! Do the intervals hold the truth as often as they say? Two hundred simulated logs of 50,000 sessions each, with a
//! truth that is known exactly, through the same path as a run: sessions, states, cubes, rows.

use rayon::prelude::*;
use stipple::analysis::{
    Analysis, Counted, Counting, Denominator, Evidence, Intake, IntervalMethod, Multiplicity, Outcomes,
};
use stipple::cube::{Dimension, Plan as CubePlan};
use stipple::domain::{Catalogue, FileId, Link, Place};
use stipple::results::{ResultRow, Statistic};
use stipple::simulate::{Model, Plan, reference, sessions};
use stipple::stats::Level;
use stipple::stats::clustered::ClusteredMethod;
use stipple::stats::proportion::wilson;
use stipple::store::{InMemory, Occurrence, SessionTable, SessionsBuilder, Settled};

const LOGS: u64 = 200;
const SESSIONS: u64 = 50_000;

/// A 95 % interval that is right holds the truth in 190 of 200 logs; fewer than 179 or more than 199 has a chance
/// under one in a thousand (binomial distribution with n = 200, p = 0.95: 0.0006 and 0.00004).
const PLAUSIBLE: std::ops::RangeInclusive<usize> = 179..=199;

fn analysis(catalogue: &Catalogue) -> Analysis {
    Analysis {
        id: "pih".to_owned(),
        title: String::new(),
        kind: stipple::analysis::kind("trend").unwrap(),
        outcomes: Outcomes::These(vec![catalogue.find("pih").unwrap()]),
        by: Vec::new(),
        over: Some(Dimension::column("fitzpatrick")),
        reference: Some("III".to_owned()),
        adjust: vec!["needle_depth_mm".to_owned(), "passes".to_owned()],
        between: None,
        exposed: None,
        counting: Counting {
            denominator: Denominator::Assessed,
            counted: Counted::Sessions,
            interval: IntervalMethod::Clustered(ClusteredMethod::WilsonRaoScott),
            level: Level::P95,
        },
        wheres: Vec::new(),
        multiplicity: Multiplicity::BenjaminiHochberg,
    }
}

fn table(model: &Model<'_>) -> SessionTable {
    let mut builder = SessionsBuilder::new();
    let mut late = Vec::new();
    for simulated in sessions(model) {
        let session = builder.push(0, Place { file: FileId(0), line: 0, record: 0 }, &simulated.session);
        late.extend(simulated.late_events.into_iter().map(|event| {
            assert!(matches!(event.link, Link::Session { .. } | Link::Patient { .. }));
            Occurrence {
                session,
                effect: event.effect,
                grade: event.grade,
                onset: event.onset,
                reported: event.reported,
                resolution: event.resolution,
            }
        }));
    }
    let (mut table, _) = builder.finish();
    table.occurrences.extend(late);
    table
}

fn rows(plan: &Plan) -> Vec<ResultRow> {
    let model = Model::new(plan);
    let (table, left_out) = table(&model).cut(plan.data_cut);
    assert_eq!((table.len() as u64, left_out), (plan.sessions, 0));
    let catalogue = Catalogue::built_in();
    let settled = Settled::of(&table, &catalogue, plan.data_cut);
    let analysis = analysis(&catalogue);
    let mut cubes = CubePlan::default();
    (analysis.kind.needs)(&analysis).plan(&mut cubes);
    let cubes = cubes.fill(&InMemory::new(&table, &settled), 1 << 30).unwrap();
    let intake = Intake::default();
    let evidence = Evidence { cubes: &cubes, catalogue: &catalogue, intake: &intake };
    (analysis.kind.rows)(&analysis, &evidence)
}

fn holds(row: &ResultRow, truth: f64) -> bool {
    row.low.unwrap() <= truth && truth <= row.high.unwrap()
}

fn holds_as_if_independent(row: &ResultRow, truth: f64) -> bool {
    let interval = wilson(row.numerator.unwrap(), row.denominator.unwrap(), Level::P95);
    interval.low <= truth && truth <= interval.high
}

#[test]
fn intervals_hold_the_truth_as_often_as_they_say() {
    let plan = Plan::plain(SESSIONS, 0);
    let truth = reference(&Model::new(&plan), 200_000);
    let risk_of = |level: usize| truth.by_fitzpatrick[level].session_risk;
    // Odds ratios of the plain truth against type III: IV 2.5, VI 4.5, whatever the depth and the passes.
    let odds_ratios = [("fitzpatrick=IV:adjusted_levels", 2.5), ("fitzpatrick=VI:adjusted_levels", 4.5)];
    let held: Vec<[bool; 6]> = (1..=LOGS)
        .into_par_iter()
        .map(|seed| {
            let rows = rows(&Plan::plain(SESSIONS, seed));
            let rate = |level: &str| {
                let wanted = |row: &&ResultRow| {
                    row.statistic == Statistic::Rate && row.group_value("fitzpatrick") == Some(level)
                };
                rows.iter().find(wanted).unwrap()
            };
            let ratio =
                |term: &str| rows.iter().find(|row| row.statistic == Statistic::OddsRatio && row.term == term).unwrap();
            [
                holds(rate("II"), risk_of(1)),
                holds(rate("III"), risk_of(2)),
                holds(rate("V"), risk_of(4)),
                holds(ratio(odds_ratios[0].0), odds_ratios[0].1),
                holds(ratio(odds_ratios[1].0), odds_ratios[1].1),
                holds_as_if_independent(rate("III"), risk_of(2)),
            ]
        })
        .collect();
    let counts: Vec<usize> = (0..6).map(|what| held.iter().filter(|held| held[what]).count()).collect();
    println!("held in {counts:?} of {LOGS} logs: rates at II, III, V; odds ratios of IV, VI; III without clustering");
    let (with, without) = counts.split_at(5);
    assert!(with.iter().all(|count| PLAUSIBLE.contains(count)), "{counts:?} of {LOGS}");
    // The correction is needed: an interval that takes repeated sessions as independent holds the truth less often.
    assert!(without[0] < counts[1], "{counts:?} of {LOGS}");
}
