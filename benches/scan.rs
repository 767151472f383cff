//! Counting from a store beside merely decoding the same columns, in turn. `benches/counts.sh` makes the store:
//! `cargo bench --bench scan -- STORE [RUNS]`; threads as in `RAYON_NUM_THREADS`.
#![allow(missing_docs, clippy::unwrap_used, clippy::print_stdout, clippy::disallowed_methods, reason = "a benchmark")]

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder};
use rayon::prelude::*;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;
use stipple::cube::{CubeKey, Dimension, Plan};
use stipple::domain::{Catalogue, Day};
use stipple::store::lake::{Store, StoredSessions, TableName};

const COLUMNS: [&str; 4] = ["clinic_id", "modality", "fitzpatrick", "device_model"];

fn plan() -> Plan {
    let mut plan = Plan::default();
    for columns in [&[][..], &["clinic_id"], &["modality"], &["device_model"], &["fitzpatrick", "modality"]] {
        let dimensions = columns.iter().map(|column| Dimension::column(column)).collect();
        plan.need(CubeKey { wheres: Vec::new(), dimensions, measures: Vec::new() });
    }
    plan
}

/// Reads the columns of a file and drops them: codes as codes, as the count does.
fn decode(path: &Path, wanted: &[String]) -> u64 {
    use arrow::datatypes::{DataType, Field, Schema};
    let file = File::open(path).unwrap();
    let found = ArrowReaderMetadata::load(&file, ArrowReaderOptions::new()).unwrap();
    let coded = DataType::Dictionary(Box::new(DataType::Int32), Box::new(DataType::Utf8));
    let field = |field: &Arc<Field>| match field.name().as_str() {
        "patient_id" => field.as_ref().clone().with_data_type(DataType::Utf8View),
        "source" | "clinic_id" | "device_model" => field.as_ref().clone().with_data_type(coded.clone()),
        _ => field.as_ref().clone(),
    };
    let fields: Vec<Field> = found.schema().fields().iter().map(field).collect();
    let options = ArrowReaderOptions::new()
        .with_schema(Arc::new(Schema::new_with_metadata(fields, found.schema().metadata().clone())));
    let builder = ParquetRecordBatchReaderBuilder::try_new_with_options(file, options).unwrap();
    let mask = ProjectionMask::columns(builder.parquet_schema(), wanted.iter().map(String::as_str));
    let reader = builder.with_projection(mask).with_batch_size(1 << 15).build().unwrap();
    reader.map(|batch| batch.unwrap().num_rows() as u64).sum()
}

fn seconds<T>(work: impl FnOnce() -> T) -> (f64, T) {
    let from = Instant::now();
    let done = work();
    (from.elapsed().as_secs_f64(), done)
}

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let Some(root) = arguments.first().map(Path::new) else {
        println!("name a store: cargo bench --bench scan -- STORE [RUNS]");
        return;
    };
    let runs: usize = arguments.get(1).map_or(5, |runs| runs.parse().unwrap());
    let catalogue = Catalogue::built_in();
    let store = Store::open(&root.to_path_buf()).unwrap();
    let cut = Day(store.latest().newest_day.unwrap());
    let files = store.files(TableName::Sessions, store.latest()).unwrap();
    let mut wanted: Vec<String> =
        COLUMNS.iter().chain(&["source", "patient_id", "asked"]).map(|name| (*name).to_owned()).collect();
    wanted.extend(catalogue.ids().map(|id| format!("{}_present", catalogue.get(id).code)));
    let mut times: [Vec<f64>; 3] = Default::default();
    let mut sessions = 0;
    for _ in 0..runs {
        let (decoding, rows) = seconds(|| {
            files.par_iter().map(|file| decode(&root.join("sessions").join(&file.path), &wanted)).sum::<u64>()
        });
        let stored = StoredSessions::settled(&store, store.latest(), (&catalogue, cut)).unwrap().unwrap();
        let plan = plan();
        let (scanning, scanned) = seconds(|| plan.scan(&stored, 1 << 29).unwrap());
        let (counting, cubes) = seconds(|| scanned.by_patient().unwrap());
        sessions = rows;
        let everything = CubeKey { wheres: Vec::new(), dimensions: Vec::new(), measures: Vec::new() };
        assert_eq!(cubes.get(&everything).unwrap().sessions(), rows);
        times.iter_mut().zip([decoding, scanning, counting]).for_each(|(times, one)| times.push(one));
    }
    let median = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    };
    let [decoding, scanning, counting] = times.each_mut().map(median);
    println!("{sessions} sessions, {} threads, median of {runs}", rayon::current_num_threads());
    println!("decode only          {decoding:8.3} s");
    println!("pass over sessions   {scanning:8.3} s  {:.2} of decoding", scanning / decoding);
    println!("pass over patients   {counting:8.3} s");
    println!("both                 {:8.3} s  {:.2} of decoding", scanning + counting, (scanning + counting) / decoding);
}
