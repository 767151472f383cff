//! The count straight from a store's files and from parts on disk, cell for cell against the count of the same sessions
//! in memory, and both against the slow counter.

use crate::by_hand::{followed, graded, session, skin, table};
use crate::store::{Warehouse, harbour};
use proptest::prelude::*;
use std::collections::BTreeSet;
use stipple::cube::{CubeKey, Cubes, Dimension, FilledKey, Plan, slow};
use stipple::domain::{COLUMNS, Catalogue, Day, Session};
use stipple::store::lake::{Snapshot, Store, StoredSessions};
use stipple::store::{Blocks, InMemory, SessionTable, Settled};

/// Plenty of memory.
const MEMORY: usize = 1 << 30;

/// The sample sessions in a store.
pub(crate) struct Harbour {
    pub(crate) warehouse: Warehouse,
    pub(crate) catalogue: Catalogue,
    cut: Day,
}

impl Harbour {
    pub(crate) fn stored() -> Harbour {
        let warehouse = Warehouse::new();
        warehouse.take(&harbour()).unwrap();
        let store = warehouse.open();
        let (catalogue, cut) = (store.latest().catalogue(), Day(store.latest().newest_day.unwrap()));
        Harbour { warehouse, catalogue, cut }
    }

    /// As they are counted from their files.
    pub(crate) fn blocks<'s>(&self, store: &'s Store) -> StoredSessions<'s> {
        StoredSessions::settled(store, store.latest(), (&self.catalogue, self.cut)).unwrap().unwrap()
    }

    /// As a run that settles them anew has them.
    pub(crate) fn in_memory(&self, store: &Store) -> (SessionTable, Settled) {
        let table = Snapshot::read(store, store.latest(), (&self.catalogue, None)).unwrap().table;
        let settled = Settled::of(&table, &self.catalogue, self.cut);
        (table, settled)
    }
}

fn cube(wheres: &[&str], dimensions: Vec<Dimension>) -> CubeKey {
    CubeKey {
        wheres: wheres.iter().map(|text| (*text).to_owned()).collect(),
        dimensions,
        measures: vec!["needle_depth_mm".to_owned(), "passes".to_owned()],
    }
}

fn bands(column: &str, edges: &[f64]) -> Dimension {
    Dimension { column: column.to_owned(), edges: edges.to_vec() }
}

/// Every kind of dimension and condition, more than one word of them.
fn keys() -> Vec<CubeKey> {
    let column = Dimension::column;
    vec![
        cube(&[], vec![]),
        cube(&[], vec![column("fitzpatrick"), column("modality")]),
        cube(&[], vec![column("clinic_id")]),
        cube(&[], vec![column("device_lot")]),
        cube(&["modality = 'rf' OR needle_depth_mm > 1.2"], vec![column("device_model")]),
        cube(&["session_date >= '2025-09-01'"], vec![column("session_month"), column("passes")]),
        cube(&["fitzpatrick_number >= 4", "active_acne = 'yes'"], vec![bands("needle_depth_mm", &[0.5, 1.0, 1.5])]),
        cube(&[], vec![bands("age_years", &[30.0, 50.0]), column("ita_class"), column("body_area")]),
        cube(&["follow_up_days > 100"], vec![column("session_date")]),
        cube(&["clinic_id = 'nobody'"], vec![column("sex")]),
    ]
}

fn filled() -> FilledKey {
    FilledKey {
        wheres: vec!["modality = 'pen'".to_owned()],
        by: Dimension::column("clinic_id"),
        columns: COLUMNS.iter().filter(|column| !column.required).map(|column| column.name.to_owned()).collect(),
    }
}

fn plan() -> Plan {
    let mut plan = Plan::default();
    keys().into_iter().for_each(|key| plan.need(key));
    plan.need_filled(filled());
    plan.need_grades();
    plan
}

fn counted(blocks: &dyn Blocks, memory: usize) -> Cubes {
    plan().fill(blocks, memory).unwrap()
}

/// Everything that the cubes tell, as text.
fn told(cubes: &Cubes, catalogue: &Catalogue) -> Vec<String> {
    let mut told = Vec::new();
    for key in keys() {
        let cube = cubes.get(&key).unwrap();
        told.push(format!("{key:?}: {} sessions, {} shared", cube.sessions(), cube.patients_in_several()));
        for view in cube.cells() {
            let measures = [view.measure(0), view.measure(1)];
            told.push(format!("{:?} {:?} {} {measures:?}", view.group(), view.level(), view.sessions()));
            for effect in catalogue.ids() {
                let (cell, severe) = (view.cell(effect), view.severe_cell(effect));
                let grades = (view.sessions_by_grade(effect), view.patients_by_grade(effect));
                told.push(format!("{effect:?} {cell:?} {severe:?} {grades:?}"));
            }
        }
    }
    told.push(format!("{} of {} sessions", cubes.all_uncoded(), cubes.all_sessions()));
    let filled = cubes.filled(&filled()).unwrap();
    told.push(format!("{:?} {:?} {:?}", filled.texts, filled.sessions, filled.lacking));
    told
}

fn assert_same(found: &[String], expected: &[String]) {
    assert_eq!(found.len(), expected.len());
    found.iter().zip(expected).for_each(|(found, expected)| assert_eq!(found, expected));
}

#[test]
fn a_count_from_files_on_disk_is_the_count_of_the_sessions_in_memory() {
    let harbour = Harbour::stored();
    let (store, catalogue) = (harbour.warehouse.open(), &harbour.catalogue);
    let stored = harbour.blocks(&store);
    assert!(stored.parts() > 3, "one file is no test of several dictionaries");
    let (table, settled) = harbour.in_memory(&store);
    let expected = told(&counted(&InMemory::new(&table, &settled), MEMORY), catalogue);
    assert!(expected.len() > 5000, "{} lines", expected.len());
    assert_same(&told(&counted(&stored, MEMORY), catalogue), &expected);
    // With next to no memory everything goes through temporary files.
    let little = counted(&stored, 1);
    assert!(little.spilled_bytes() > 0);
    assert_same(&told(&little, catalogue), &expected);
    let tightness = catalogue.find("tightness").unwrap();
    let everything = little.get(&keys()[0]).unwrap().cells().next().unwrap();
    assert!(everything.cell(tightness).assessed.events > 0, "no side effect of the site's own is tried");
    // The same sessions with only the columns that are wanted.
    let wanted: BTreeSet<String> =
        ["fitzpatrick", "session_month", "ita_class", "active_acne"].map(str::to_owned).into();
    let narrow = Snapshot::read(&store, store.latest(), (catalogue, Some(&wanted))).unwrap().table;
    assert!(narrow.column("clinic_id").is_none());
    for name in wanted.iter().map(String::as_str).chain(["follow_up_days"]) {
        assert_eq!(narrow.column(name), table.column(name), "{name}");
    }
}

/// A plan that counts only sessions of some days, and the number of files and sessions that it need not read in full.
fn of_days(stored: &StoredSessions<'_>, wheres: &[&str]) -> (Plan, (usize, u64)) {
    let mut plan = Plan::default();
    for dimensions in [vec![], vec![Dimension::column("device_lot")], vec![Dimension::column("session_month")]] {
        plan.need(cube(wheres, dimensions));
    }
    let wheres: Vec<String> = wheres.iter().map(|text| (*text).to_owned()).collect();
    plan.need_filled(FilledKey { wheres, ..filled() });
    let outside = stored.outside(&plan.want().unwrap()).unwrap();
    (plan, outside)
}

#[test]
fn files_of_other_days_are_passed_over_and_the_counts_stay_the_same() {
    let harbour = Harbour::stored();
    let (store, catalogue) = (harbour.warehouse.open(), &harbour.catalogue);
    let stored = harbour.blocks(&store);
    let (table, settled) = harbour.in_memory(&store);
    for (wheres, some_outside) in [
        (&["session_date >= '2026-01-15' AND modality = 'rf'"][..], true),
        (&["session_month = '2025-07'", "passes > 1"], true),
        (&["session_date < '2020-01-01'"], true),
        (&["modality = 'rf'"], false),
        (&["session_date >= '2026-01-15' OR modality = 'rf'"], false),
    ] {
        let (plan, (files, sessions)) = of_days(&stored, wheres);
        assert_eq!((files > 0, sessions > 0), (some_outside, some_outside), "{wheres:?}");
        let (found, expected) =
            (plan.fill(&stored, MEMORY).unwrap(), plan.fill(&InMemory::new(&table, &settled), MEMORY).unwrap());
        assert_eq!(found.all_sessions(), table.len() as u64);
        assert_eq!(found.all_uncoded(), settled.sessions_with(Catalogue::UNCODED).count() as u64);
        for key in plan.keys() {
            let (found, expected) = (found.get(key).unwrap(), expected.get(key).unwrap());
            assert_eq!(found.levels(), expected.levels(), "{wheres:?}");
            let cells = |cube: &stipple::cube::Cube| -> Vec<String> {
                cube.cells().map(|view| format!("{:?} {:?}", view.group(), view.cell(Catalogue::UNCODED))).collect()
            };
            assert_eq!(cells(found), cells(expected), "{wheres:?}");
            let pih = catalogue.find("pih").unwrap();
            let of_pih = |cube: &stipple::cube::Cube| cube.cells().map(|view| view.cell(pih)).collect::<Vec<_>>();
            assert_eq!(of_pih(found), of_pih(expected));
        }
        let key = FilledKey { wheres: wheres.iter().map(|text| (*text).to_owned()).collect(), ..self::filled() };
        let (found, expected) = (found.filled(&key).unwrap(), expected.filled(&key).unwrap());
        let counted = |filled: &stipple::cube::Filled| -> Vec<(String, u64, Vec<u64>)> {
            let of = |at: usize| filled.lacking.iter().map(|lacking| lacking[at]).collect();
            let all = filled.texts.iter().enumerate().map(|(at, text)| (text.clone(), filled.sessions[at], of(at)));
            all.filter(|(_, sessions, _)| *sessions > 0).collect()
        };
        assert_eq!(counted(found), counted(expected), "{wheres:?}");
    }
}

#[test]
fn states_on_disk_count_only_where_a_run_would_settle_the_same() {
    let warehouse = Warehouse::new();
    warehouse.take(&harbour()).unwrap();
    let store = warehouse.open();
    let newest = Day(store.latest().newest_day.unwrap());
    let usable = |catalogue: &Catalogue, cut: Day| {
        StoredSessions::settled(&store, store.latest(), (catalogue, cut)).unwrap().is_some()
    };
    assert!(usable(&Catalogue::built_in(), newest));
    assert!(!usable(&Catalogue::built_in(), newest.plus(-1)));
    let mut wider = Catalogue::built_in();
    let mut pih = wider.get(wider.find("pih").unwrap()).clone();
    pih.window_days += 1;
    wider.add(pih);
    assert!(!usable(&wider, newest));
}

/// Lots of so many names, some sessions without one.
fn lots(names: usize) -> SessionTable {
    let (with, without) = (followed(session(0, "p", 0), 100, &["pih"]), followed(session(0, "p", 0), 100, &[]));
    let sessions: Vec<Session> = (0..names + names / 3)
        .map(|at| Session {
            session_id: format!("s{at}").into(),
            patient_id: format!("p{}", at % 997).into(),
            device_lot: (at % 11 != 0).then(|| format!("lot {}", at % names).into()),
            ..if at % 7 == 0 { with.clone() } else { without.clone() }
        })
        .collect();
    table(&sessions)
}

#[test]
fn dictionaries_of_any_size_count_alike() {
    let catalogue = Catalogue::built_in();
    let pih = catalogue.find("pih").unwrap();
    let key = CubeKey { wheres: vec![], dimensions: vec![Dimension::column("device_lot")], measures: vec![] };
    for names in [1, 255, 256, 70_000] {
        let table = lots(names);
        let settled = Settled::of(&table, &catalogue, crate::by_hand::day(1000));
        let mut plan = Plan::default();
        plan.need(key.clone());
        let cubes = plan.fill(&InMemory::new(&table, &settled), MEMORY).unwrap();
        let cube = cubes.get(&key).unwrap();
        assert_eq!(cube.sessions(), table.len() as u64);
        let labels = table.labels("device_lot").unwrap();
        assert_eq!(cube.levels(), labels.texts);
        let cells: Vec<_> = cube.cells().collect();
        // The first, one in the middle, and the missing one.
        for view in [cells[0], cells[cells.len() / 2], cells[cells.len() - 1]] {
            let code = view.level().map(|level| u32::try_from(level).unwrap());
            let slow = slow::count(&table, &settled, pih, &|row| labels.codes[row] == code);
            crate::counting::alike(&view.cell(pih), &slow);
        }
    }
}

/// Sessions of few patients, with grades, long courses and effects that come in company.
fn any_sessions() -> impl Strategy<Value = Vec<Session>> {
    let effects = prop::collection::vec((0usize..4, 0u8..6), 0..4);
    let one = (0u8..5, 0i32..300, prop::option::of(1u8..=6), 0i32..200, prop::option::of(effects));
    prop::collection::vec(one, 0..80).prop_map(|rows| {
        let codes = ["pih", "erythema", "swelling", "infection"];
        rows.into_iter()
            .enumerate()
            .map(|(at, (patient, start, tone, follow_up, effects))| {
                let depth = f64::from(follow_up) / 100.0;
                let made = skin(session(at, &format!("p{patient}"), start), tone, Some(depth));
                let Some(effects) = effects else { return made };
                let effects: Vec<(&str, u8)> = effects.into_iter().map(|(at, grade)| (codes[at], grade)).collect();
                graded(made, follow_up, &effects)
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_side_effect_of_every_cell_is_as_the_slow_counter_has_it(sessions in any_sessions()) {
        let table = table(&sessions);
        let catalogue = Catalogue::built_in();
        let settled = Settled::of(&table, &catalogue, crate::by_hand::day(1000));
        let key = cube(&[], vec![Dimension::column("fitzpatrick")]);
        let cubes = counted(&InMemory::new(&table, &settled), 1);
        let mut plan = Plan::default();
        plan.need(key.clone());
        plan.need_grades();
        let own = plan.fill(&InMemory::new(&table, &settled), 1).unwrap();
        prop_assert_eq!(cubes.get(&cube(&[], vec![])).unwrap().sessions(), table.len() as u64);
        let labels = table.labels("fitzpatrick").unwrap();
        for view in own.get(&key).unwrap().cells() {
            let level = view.level().map(|level| u32::try_from(level).unwrap());
            let in_cell = |row: usize| labels.codes[row] == level;
            for effect in catalogue.ids() {
                crate::counting::alike(&view.cell(effect), &slow::count(&table, &settled, effect, &in_cell));
                let mut by_grade = [0u64; 6];
                for row in settled.sessions_with(effect).filter(|row| in_cell(*row as usize)) {
                    by_grade[usize::from(settled.worst_grade(row, effect).unwrap_or(0))] += 1;
                }
                prop_assert_eq!(view.sessions_by_grade(effect), by_grade);
                let patients: u64 = view.patients_by_grade(effect).iter().sum();
                prop_assert_eq!(patients, view.cell(effect).assessed.patients_with_event);
            }
        }
    }
}

#[test]
fn no_sessions_give_empty_cubes() {
    let table = table(&[]);
    let settled = Settled::of(&table, &Catalogue::built_in(), Day(0));
    let cubes = counted(&InMemory::new(&table, &settled), MEMORY);
    for key in keys() {
        assert_eq!(cubes.get(&key).unwrap().cells().count(), 0);
    }
}
