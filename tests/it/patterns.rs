//! Covariate patterns and the sessions of every patient by pattern, against a plain look at every session.

use crate::by_hand::{day, followed, session, skin, table};
use crate::fused::Harbour;
use proptest::prelude::*;
use std::collections::BTreeMap;
use stipple::cube::{Cubes, Dimension, Facet, PatternKey, Patterns, Plan};
use stipple::domain::{Catalogue, EffectId, Session};
use stipple::store::{Blocks, Filter, InMemory, SessionTable, Settled};

const MEMORY: usize = 1 << 30;

fn key(wheres: &[&str], columns: &[&str], effects: Option<&[&str]>) -> PatternKey {
    let catalogue = Catalogue::built_in();
    let bands = Dimension { column: "needle_depth_mm".to_owned(), edges: vec![0.5, 1.0, 2.0] };
    PatternKey {
        wheres: wheres.iter().map(|text| (*text).to_owned()).collect(),
        facets: columns
            .iter()
            .map(|name| if *name == "bands" { Facet::Level(bands.clone()) } else { Facet::column(name).unwrap() })
            .collect(),
        effects: effects.map(|codes| codes.iter().map(|code| catalogue.find(code).unwrap()).collect()),
    }
}

fn keys() -> Vec<PatternKey> {
    vec![
        key(&[], &["fitzpatrick"], Some(&["pih"])),
        key(&[], &["fitzpatrick", "needle_depth_mm", "passes", "clinic_id"], Some(&["pih", "erythema"])),
        key(&["needle_depth_mm < 2", "modality = 'rf'"], &["bands", "session_month"], None),
        key(&["clinic_id = 'nobody'"], &["passes"], None),
    ]
}

fn gathered(blocks: &dyn Blocks, memory: usize) -> Cubes {
    let mut plan = Plan::default();
    keys().into_iter().for_each(|key| plan.need_patterns(key));
    plan.fill(blocks, memory).unwrap()
}

fn effects(key: &PatternKey, catalogue: &Catalogue) -> Vec<EffectId> {
    key.effects.clone().unwrap_or_else(|| catalogue.ids().collect())
}

/// Of every patient what its sessions are, all in order.
fn told(patterns: &Patterns, key: &PatternKey, catalogue: &Catalogue) -> Vec<Vec<String>> {
    let value = |pattern: usize, (at, facet): (usize, &Facet)| match facet {
        Facet::Level(_) => format!("{:?}", patterns.level(pattern, at).map(|level| &patterns.texts(at)[level])),
        Facet::Number(_) => format!("{:?}", patterns.number(pattern, at)),
    };
    let kinds: Vec<String> = patterns
        .kinds()
        .iter()
        .map(|kind| {
            let values: Vec<String> = key.facets.iter().enumerate().map(|facet| value(kind.pattern, facet)).collect();
            let states: Vec<_> = effects(key, catalogue).into_iter().map(|effect| kind.state(effect)).collect();
            format!("{values:?} {states:?}")
        })
        .collect();
    let mut sessions = vec![0; kinds.len()];
    let mut told: Vec<Vec<String>> = Vec::new();
    for patient in (0..patterns.parts()).flat_map(|part| patterns.patients(part)) {
        let mut of_patient: Vec<String> = Vec::new();
        for kind in patient {
            sessions[kind] += 1;
            of_patient.push(kinds[kind].clone());
        }
        of_patient.sort_unstable();
        told.push(of_patient);
    }
    assert_eq!(sessions, patterns.kinds().iter().map(|kind| kind.sessions).collect::<Vec<u64>>());
    told.sort_unstable();
    told
}

/// The same from the sessions, one by one.
fn slowly((table, settled): (&SessionTable, &Settled), key: &PatternKey, catalogue: &Catalogue) -> Vec<Vec<String>> {
    let mut fits = vec![true; table.len()];
    for text in &key.wheres {
        let rows = Filter::parse(text).unwrap().rows(table).unwrap();
        fits.iter_mut().zip(rows).for_each(|(fits, row)| *fits &= row);
    }
    let columns: Vec<Vec<String>> = key
        .facets
        .iter()
        .map(|facet| match facet {
            Facet::Level(dimension) => {
                let labels = dimension.labels(table).unwrap();
                let text = |code: &Option<u32>| format!("{:?}", code.map(|code| &labels.texts[code as usize]));
                labels.codes.iter().map(text).collect()
            }
            Facet::Number(name) => table.numbers(name).unwrap().iter().map(|number| format!("{number:?}")).collect(),
        })
        .collect();
    let mut by_patient: BTreeMap<u32, Vec<String>> = BTreeMap::new();
    for row in (0..table.len()).filter(|row| fits[*row]) {
        let values: Vec<&String> = columns.iter().map(|column| &column[row]).collect();
        let states: Vec<_> = effects(key, catalogue).into_iter().map(|effect| settled.state(row, effect)).collect();
        by_patient.entry(table.patients()[row]).or_default().push(format!("{values:?} {states:?}"));
    }
    let mut told: Vec<Vec<String>> = by_patient.into_values().collect();
    told.iter_mut().for_each(|patient| patient.sort_unstable());
    told.sort_unstable();
    told
}

fn check(cubes: &Cubes, sessions: (&SessionTable, &Settled), catalogue: &Catalogue) {
    for key in keys() {
        let patterns = cubes.patterns(&key).unwrap();
        let (found, expected) = (told(patterns, &key, catalogue), slowly(sessions, &key, catalogue));
        assert!(found == expected, "{key:?}: {} and {} patients", found.len(), expected.len());
        assert_eq!(patterns.is_empty(), expected.is_empty());
    }
}

fn any_sessions() -> impl Strategy<Value = Vec<Session>> {
    let one = (0..9u8, 0..300i32, prop::option::of(1..=6u8), prop::option::of(100..2500u16), 0..200i32, 0..5u8);
    prop::collection::vec(one, 0..90).prop_map(|rows| {
        rows.into_iter()
            .enumerate()
            .map(|(at, (patient, start, tone, depth, follow_up, what))| {
                let depth = depth.map(|um| f64::from(um / 50) / 20.0);
                let made = skin(session(at, &format!("p{patient}"), start), tone, depth);
                match what {
                    0 => made,
                    1 => followed(made, follow_up, &["pih"]),
                    2 => followed(made, follow_up, &["erythema", "pih"]),
                    _ => followed(made, follow_up, &[]),
                }
            })
            .collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(80))]

    #[test]
    fn every_patient_has_the_sessions_that_a_plain_look_finds(sessions in any_sessions()) {
        let (table, catalogue) = (table(&sessions), Catalogue::built_in());
        let settled = Settled::of(&table, &catalogue, day(1000));
        check(&gathered(&InMemory::new(&table, &settled), MEMORY), (&table, &settled), &catalogue);
    }
}

#[test]
fn patterns_of_a_store_and_of_temporary_files_are_those_of_the_sessions_in_memory() {
    let harbour = Harbour::stored();
    let (store, catalogue) = (harbour.warehouse.open(), &harbour.catalogue);
    let stored = harbour.blocks(&store);
    let (table, settled) = harbour.in_memory(&store);
    let sessions = (&table, &settled);
    let (of_store, of_files) = (gathered(&stored, MEMORY), gathered(&stored, 1));
    assert!(of_files.spilled_bytes() > 0);
    check(&of_store, sessions, catalogue);
    check(&of_files, sessions, catalogue);
    check(&gathered(&InMemory::new(&table, &settled), MEMORY), sessions, catalogue);
    for key in keys() {
        let order = |cubes: &Cubes| format!("{:?}", cubes.patterns(&key).unwrap());
        assert!(order(&of_store) == order(&of_files), "the order depends on the memory");
    }
}

#[test]
fn the_order_is_the_same_on_any_number_of_threads() {
    let sessions: Vec<Session> = (0..60_000)
        .map(|at: usize| {
            let made = session(at, &format!("p{}", at * 7919 % 17_000), 0);
            let made =
                skin(made, u8::try_from(1 + at % 6).ok(), Some(f64::from(u16::try_from(at % 40).unwrap()) / 16.0));
            followed(made, 100, if at.is_multiple_of(11) { &["pih"] } else { &[] })
        })
        .collect();
    let (table, catalogue) = (table(&sessions), Catalogue::built_in());
    let settled = Settled::of(&table, &catalogue, day(1000));
    let on = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| gathered(&InMemory::new(&table, &settled), MEMORY))
    };
    let one = on(1);
    check(&one, (&table, &settled), &catalogue);
    assert!(one.patterns(&keys()[0]).unwrap().parts() > 1, "one part is no test of the order");
    for threads in [2, 3, 7] {
        let several = on(threads);
        for key in keys() {
            let order = |cubes: &Cubes| format!("{:?}", cubes.patterns(&key).unwrap());
            assert!(order(&one) == order(&several), "{threads} threads");
        }
    }
}
