//! Three states, attribution, data cut and cubes: by hand, and the fast scan against the slow counter and Polars.

use crate::by_hand::{day, followed, session, skin, table};
use polars::prelude::{DataFrame, IntoLazy, NamedFrom, Series, col, len};
use proptest::prelude::*;
use stipple::cube::{Cell, CubeKey, Dimension, Plan, slow};
use stipple::domain::codes::Modality;
use stipple::domain::{Catalogue, Event, FileId, Link, Place, Resolution, Session};
use stipple::store::attribution::{self, Attribution, Onset, PatientSessions};
use stipple::store::{InMemory, Occurrence, SessionTable, SessionsBuilder, Settled, State};

fn pih() -> stipple::domain::EffectId {
    Catalogue::built_in().find("pih").unwrap()
}

fn states(sessions: &[Session], cut: i32) -> Vec<State> {
    let (table, _) = table(sessions).cut(day(cut));
    let settled = Settled::of(&table, &Catalogue::built_in(), day(cut));
    (0..table.len()).map(|row| settled.state(row, pih())).collect()
}

#[test]
fn a_state_follows_from_asking_follow_up_and_window() {
    use State::{ConfirmedAbsent, NotAssessed, Present};
    let unasked = session(1, "a", 0);
    let mut unasked_but_seen = session(2, "a", 0);
    unasked_but_seen.last_follow_up_date = Some(day(200));
    let mut asked_without_date = followed(session(3, "a", 0), 0, &["pih"]);
    asked_without_date.last_follow_up_date = None;
    // PIH has a window of 90 days.
    let cases = [
        (unasked, NotAssessed),
        (unasked_but_seen, NotAssessed),
        (asked_without_date, Present),
        (followed(session(4, "a", 0), 89, &[]), NotAssessed),
        (followed(session(5, "a", 0), 90, &[]), ConfirmedAbsent),
        (followed(session(6, "a", 0), 3, &["pih"]), Present),
        (followed(session(7, "a", 0), 365, &["erythema"]), ConfirmedAbsent),
    ];
    for (session, expected) in cases {
        assert_eq!(states(std::slice::from_ref(&session), 1000), [expected], "{}", session.session_id);
    }
}

#[test]
fn a_data_cut_moves_follow_up_back_and_leaves_out_what_is_later() {
    let before = followed(session(1, "a", 0), 365, &[]);
    let after = followed(session(2, "a", 50), 365, &[]);
    assert_eq!(states(&[before.clone(), after.clone()], 40), [State::NotAssessed]);
    assert_eq!(states(std::slice::from_ref(&before), 90), [State::ConfirmedAbsent]);
    let (kept, left_out) = table(&[before, after]).cut(day(40));
    assert_eq!((kept.len(), left_out), (1, 1));
    // An event that began after the cut is not known at the cut.
    let mut late = followed(session(3, "a", 0), 365, &["pih"]);
    if let stipple::domain::Asked::Yes(effects) = &mut late.side_effects {
        effects[0].onset = Some(day(60));
    }
    assert_eq!(states(std::slice::from_ref(&late), 59), [State::NotAssessed]);
    assert_eq!(states(std::slice::from_ref(&late), 60), [State::Present]);
}

#[test]
fn an_event_without_session_belongs_to_the_latest_session_whose_window_holds_it() {
    let sessions: Vec<Session> = [0, 30, 60].iter().enumerate().map(|(at, start)| session(at, "a", *start)).collect();
    let table = table(&sessions);
    let patients = PatientSessions::of(&table);
    let number = table.patient_numbers()["0/a"];
    let at = |onset: i32, window_days: i32| {
        patients.attribute(&table, number, &Onset { onset: day(onset), window_days, body_area: None })
    };
    assert_eq!(at(-1, 90), Attribution::Unattributed);
    assert_eq!(at(0, 90), Attribution::Session(0));
    assert_eq!(at(70, 14), Attribution::Session(2));
    assert_eq!(at(70, 90), Attribution::LatestOf { session: 2, candidates: 3 });
    assert_eq!(at(45, 10), Attribution::Unattributed);
    assert_eq!(at(45, 15), Attribution::Session(1));
}

#[test]
fn an_event_before_its_session_is_told() {
    let table = table(&[session(1, "a", 10)]);
    let event = |onset: i32| Event {
        link: Link::Session { session_id: "s1".into(), patient_id: None },
        effect: pih(),
        grade: None,
        onset: Some(day(onset)),
        resolution: Resolution::NotStated,
        serious: None,
        verbatim: None,
        imdrf_code: None,
        reported: None,
    };
    assert_eq!(
        attribution::by_session(&table, Some(0), &event(9)),
        Attribution::BeforeSession { session_day: day(10) }
    );
    assert_eq!(attribution::by_session(&table, Some(0), &event(10)), Attribution::Session(0));
    assert_eq!(attribution::by_session(&table, None, &event(10)), Attribution::UnknownSession);
}

#[test]
fn a_superseded_session_and_its_side_effects_are_gone() {
    let mut builder = SessionsBuilder::new();
    let place = |line| Place { file: FileId(0), line, record: line - 1 };
    builder.push(0, place(2), &followed(session(1, "a", 0), 100, &["pih"]));
    builder.push(0, place(3), &followed(session(1, "a", 0), 100, &[]));
    builder.supersede(0);
    let (table, rows) = builder.finish();
    assert_eq!(rows, [None, Some(0)]);
    let settled = Settled::of(&table, &Catalogue::built_in(), day(1000));
    assert_eq!(settled.state(0, pih()), State::ConfirmedAbsent);
    assert_eq!(table.places()[0].line, 3);
}

#[test]
fn a_patient_counts_once_whatever_the_sessions() {
    // a: absent, present, present; b: absent, absent; c: not assessed; d: present once.
    let sessions = [
        followed(session(1, "a", 0), 120, &[]),
        followed(session(2, "a", 10), 120, &["pih"]),
        followed(session(3, "a", 20), 120, &["pih"]),
        followed(session(4, "b", 0), 120, &[]),
        followed(session(5, "b", 10), 120, &[]),
        followed(session(6, "c", 0), 5, &[]),
        followed(session(7, "d", 0), 5, &["pih"]),
    ];
    let table = table(&sessions);
    let settled = Settled::of(&table, &Catalogue::built_in(), day(1000));
    let cell = slow::count(&table, &settled, pih(), &|_| true);
    assert_eq!((cell.assessed.events, cell.assessed.sessions, cell.all.sessions), (3, 6, 7));
    assert_eq!((cell.assessed.patients_with_event, cell.patients_absent, cell.patients_not_assessed()), (2, 1, 1));
    // Σn² = 3² + 2² + 1², Σx² = 2² + 0 + 1², Σnx = 3·2 + 1·1.
    assert_eq!(cell.assessed.sessions_squared, 14);
    assert_eq!(cell.assessed.events_squared, 5);
    assert_eq!(cell.assessed.sessions_times_events, 7);
}

/// Random sessions: few patients, so that they repeat; missing values; every state.
fn any_sessions() -> impl Strategy<Value = Vec<Session>> {
    let one = (
        0..12u8,
        0..400i32,
        proptest::option::of(1..=6u8),
        proptest::option::of((100..3000i32).prop_map(|um| f64::from(um) / 1000.0)),
        0..200i32,
        0..6u8,
    );
    proptest::collection::vec(one, 0..120).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(at, (patient, start, fitzpatrick, depth, follow_up, what))| {
                let mut made = skin(session(at, &format!("p{patient}"), start), fitzpatrick, depth);
                made.modality = if what % 2 == 0 { Modality::Rf } else { Modality::Pen };
                match what {
                    0 | 1 => made,
                    2 => followed(made, follow_up, &["pih"]),
                    3 => followed(made, follow_up, &["pih", "erythema"]),
                    _ => followed(made, follow_up, &[]),
                }
            })
            .collect()
    })
}

fn keys() -> Vec<CubeKey> {
    let bands = Dimension { column: "needle_depth_mm".to_owned(), edges: vec![0.5, 1.0, 2.0] };
    let key = |wheres: &[&str], dimensions: Vec<Dimension>| CubeKey {
        wheres: wheres.iter().map(|text| (*text).to_owned()).collect(),
        dimensions,
        measures: vec!["needle_depth_mm".to_owned()],
    };
    vec![
        key(&[], Vec::new()),
        key(&[], vec![Dimension::column("fitzpatrick")]),
        key(&["modality = 'rf'"], vec![Dimension::column("fitzpatrick"), bands]),
        key(&["fitzpatrick IS NOT NULL", "needle_depth_mm < 2"], vec![Dimension::column("session_month")]),
    ]
}

fn fits(table: &SessionTable, key: &CubeKey) -> Vec<bool> {
    let mut fits = vec![true; table.len()];
    for text in &key.wheres {
        let rows = stipple::store::Filter::parse(text).unwrap().rows(table).unwrap();
        fits.iter_mut().zip(rows).for_each(|(fits, row)| *fits &= row);
    }
    fits
}

/// The same counts; the one sum that is not a whole number may be added up in another order.
pub(crate) fn alike(fast: &Cell, slow: &Cell) {
    let rest = |cell: &Cell| {
        let mut rest = *cell;
        rest.assessed.events_squared_over_sessions = 0.0;
        rest.all.events_squared_over_sessions = 0.0;
        rest
    };
    assert_eq!(rest(fast), rest(slow));
    for (fast, slow) in [(fast.assessed, slow.assessed), (fast.all, slow.all)] {
        assert!((fast.events_squared_over_sessions - slow.events_squared_over_sessions).abs() < 1e-9);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    #[test]
    fn the_scan_counts_as_the_slow_counter_does(sessions in any_sessions()) {
        let (table, _) = table(&sessions).cut(day(300));
        let catalogue = Catalogue::built_in();
        let settled = Settled::of(&table, &catalogue, day(300));
        let mut plan = Plan::default();
        keys().into_iter().for_each(|key| plan.need(key));
        let cubes = plan.fill(&InMemory::new(&table, &settled), 1 << 20).unwrap();
        for key in keys() {
            let fits = fits(&table, &key);
            let labels: Vec<_> = key.dimensions.iter().map(|dimension| dimension.labels(&table).unwrap()).collect();
            let mut sessions = 0;
            for view in cubes.get(&key).unwrap().all_cells() {
                let group = view.group();
                let in_cell = |row: usize| fits[row] && labels.iter().zip(&group).all(|(labels, (_, text))| {
                    labels.codes[row].map(|code| labels.texts[code as usize].as_str()) == *text
                });
                sessions += view.sessions();
                prop_assert_eq!(view.sessions(), (0..table.len()).filter(|row| in_cell(*row)).count() as u64);
                for effect in [pih(), catalogue.find("erythema").unwrap()] {
                    let slow = slow::count(&table, &settled, effect, &in_cell);
                    alike(&view.cell(effect), &slow);
                }
                let depths = table.numbers("needle_depth_mm").unwrap();
                let total: f64 = (0..table.len()).filter(|row| in_cell(*row)).filter_map(|row| depths[row]).sum();
                prop_assert!((view.measure(0).total - total).abs() < 1e-9);
            }
            prop_assert_eq!(sessions, fits.iter().filter(|fits| **fits).count() as u64);
        }
    }

    #[test]
    fn the_scan_counts_as_polars_in_memory_does(sessions in any_sessions()) {
        let table = table(&sessions);
        let catalogue = Catalogue::built_in();
        let settled = Settled::of(&table, &catalogue, day(1000));
        let key = CubeKey { wheres: Vec::new(), dimensions: vec![Dimension::column("fitzpatrick")], measures: Vec::new() };
        let mut plan = Plan::default();
        plan.need(key.clone());
        let cubes = plan.fill(&InMemory::new(&table, &settled), 1 << 20).unwrap();
        let labels = table.labels("fitzpatrick").unwrap();
        let level: Vec<u32> = labels.codes.iter().map(|code| code.unwrap_or(99)).collect();
        let is = |wanted: State| (0..table.len()).map(|row| settled.state(row, pih()) == wanted).collect::<Vec<bool>>();
        let frame = DataFrame::new(table.len(), vec![
            Series::new("level".into(), level).into(),
            Series::new("present".into(), is(State::Present)).into(),
            Series::new("absent".into(), is(State::ConfirmedAbsent)).into(),
        ]).unwrap();
        let counted = frame.lazy()
            .group_by([col("level")])
            .agg([len().alias("sessions"), col("present").sum(), col("absent").sum()])
            .collect()
            .unwrap();
        let column = |name: &str| -> Vec<u32> {
            counted.column(name).unwrap().cast(&polars::prelude::DataType::UInt32).unwrap().u32().unwrap()
                .into_no_null_iter().collect()
        };
        let (levels, all, present, absent) = (column("level"), column("sessions"), column("present"), column("absent"));
        let cube = cubes.get(&key).unwrap();
        prop_assert_eq!(cube.cells().count(), levels.len());
        for view in cube.cells() {
            let wanted = view.level().map_or(99, |level| u32::try_from(level).unwrap());
            let at = levels.iter().position(|level| *level == wanted).unwrap();
            let cell = view.cell(pih());
            prop_assert_eq!(cell.all.sessions, u64::from(all[at]));
            prop_assert_eq!(cell.assessed.events, u64::from(present[at]));
            prop_assert_eq!(cell.assessed.sessions, u64::from(present[at] + absent[at]));
        }
    }
}

#[test]
fn many_patients_in_parts_count_as_in_one() {
    // More sessions than one part takes, patients not in order.
    let (with, without) = (followed(session(0, "p", 0), 100, &["pih"]), followed(session(0, "p", 0), 100, &[]));
    let sessions: Vec<Session> = (0..50_000)
        .map(|at| {
            let made = Session {
                session_id: format!("s{at}").into(),
                patient_id: format!("p{}", at * 7919 % 17_000).into(),
                ..if at % 11 == 0 { with.clone() } else { without.clone() }
            };
            skin(made, u8::try_from(1 + at % 6).ok(), Some(1.0))
        })
        .collect();
    let table = table(&sessions);
    let catalogue = Catalogue::built_in();
    let settled = Settled::of(&table, &catalogue, day(1000));
    let key = CubeKey { wheres: Vec::new(), dimensions: vec![Dimension::column("fitzpatrick")], measures: Vec::new() };
    let mut plan = Plan::default();
    plan.need(key.clone());
    let cubes = plan.fill(&InMemory::new(&table, &settled), 1 << 20).unwrap();
    let labels = table.labels("fitzpatrick").unwrap();
    for (level, view) in cubes.get(&key).unwrap().cells().enumerate() {
        let slow =
            slow::count(&table, &settled, pih(), &|row| labels.codes[row] == Some(u32::try_from(level).unwrap()));
        let fast = view.cell(pih());
        assert_eq!(fast.assessed.sessions_squared, slow.assessed.sessions_squared);
        assert_eq!(fast.assessed.patients, slow.assessed.patients);
        assert_eq!(fast.patients_absent, slow.patients_absent);
        let ratio = fast.assessed.events_squared_over_sessions / slow.assessed.events_squared_over_sessions;
        assert!((ratio - 1.0).abs() < 1e-12);
    }
}

#[test]
fn events_join_as_occurrences() {
    let mut table = table(&[followed(session(1, "a", 0), 5, &[])]);
    table.occurrences.push(Occurrence {
        session: 0,
        effect: pih(),
        grade: None,
        onset: Some(day(30)),
        reported: Some(day(50)),
        resolution: Resolution::NotStated,
    });
    let at = |cut: i32| Settled::of(&table, &Catalogue::built_in(), day(cut)).state(0, pih());
    assert_eq!(at(49), State::NotAssessed);
    assert_eq!(at(50), State::Present);
}
