//! Micro-benchmarks: the two passes of a count over sessions in memory, and fits on many rows.
#![allow(missing_docs, clippy::unwrap_used, reason = "a benchmark")]

use criterion::{BatchSize, Criterion, Throughput, criterion_group, criterion_main};
use std::hint::black_box;
use stipple::cube::{CubeKey, Dimension, Plan as CubePlan};
use stipple::domain::{Catalogue, FileId, Place};
use stipple::simulate::{Model, Plan, sessions};
use stipple::stats::logistic::{Observations, fit};
use stipple::stats::proportion::wilson;
use stipple::stats::{Level, firth};
use stipple::store::{InMemory, SessionTable, SessionsBuilder, Settled};

const SESSIONS: u64 = 200_000;

fn table() -> SessionTable {
    let plan = Plan::plain(SESSIONS, 1);
    let model = Model::new(&plan);
    let mut builder = SessionsBuilder::new();
    for (at, simulated) in (1u64..).zip(sessions(&model)) {
        builder.push(0, Place { file: FileId(0), line: at + 1, record: at }, &simulated.session);
    }
    builder.finish().0
}

fn plan() -> CubePlan {
    let mut plan = CubePlan::default();
    for columns in [&[][..], &["clinic_id"], &["modality"], &["fitzpatrick", "modality"]] {
        let dimensions = columns.iter().map(|column| Dimension::column(column)).collect();
        plan.need(CubeKey { wheres: Vec::new(), dimensions, measures: Vec::new() });
    }
    plan
}

fn counts(criterion: &mut Criterion) {
    let (table, catalogue) = (table(), Catalogue::built_in());
    let settled = Settled::of(&table, &catalogue, stipple::domain::Day(i32::MAX / 2));
    let (blocks, plan) = (InMemory::new(&table, &settled), plan());
    let mut group = criterion.benchmark_group("count");
    group.throughput(Throughput::Elements(SESSIONS)).sample_size(20);
    group.bench_function("pass over the sessions", |bench| bench.iter(|| plan.scan(&blocks, 1 << 30).unwrap()));
    group.bench_function("pass over the patients", |bench| {
        let scanned = || plan.scan(&blocks, 1 << 30).unwrap();
        bench.iter_batched(scanned, |scanned| scanned.by_patient().unwrap(), BatchSize::LargeInput);
    });
    group.finish();
}

fn statistics(criterion: &mut Criterion) {
    let rows = 100_000u32;
    let of = |row: u32, by: u32| f64::from(row / by % 6);
    let design: Vec<f64> = (0..rows).flat_map(|row| [1.0, of(row, 1), of(row, 6)]).collect();
    let events: Vec<f64> = (0..rows).map(|row| f64::from(u8::from(row * 7919 % 97 < 3 + row % 6))).collect();
    let trials = vec![1.0; rows as usize];
    let clusters: Vec<u32> = (0..rows).map(|row| row / 4).collect();
    let all = Observations { design: &design, terms: 3, events: &events, trials: &trials, clusters: &clusters };
    criterion.bench_function("logistic fit, 100,000 rows, 36 different", |bench| {
        bench.iter(|| fit(black_box(&all)).unwrap());
    });
    criterion.bench_function("firth profile, 100,000 rows, 36 different", |bench| {
        let fitted = firth::fit(&all).unwrap();
        bench.iter(|| firth::profile(black_box(&all), &fitted, 1, Level::P95));
    });
    criterion.bench_function("wilson", |bench| bench.iter(|| wilson(black_box(17.0), black_box(1234.0), Level::P95)));
}

criterion_group!(benches, counts, statistics);
criterion_main!(benches);
