#!/usr/bin/env bash
# Simulated sessions into a store, beside DuckDB and Polars reading and typing the same file into Parquet, in turn:
# seconds, rows/s, MB/s, peak memory; then a daily batch of 5,000 rows into the large store, and opening it.
# Needs a release build, GNU time, and a Python with duckdb and polars (python3 -m pip install duckdb polars).
# Usage: benches/ingest.sh [SESSIONS] [RUNS] [PYTHON]
set -euo pipefail
sessions=${1:-10000000}
runs=${2:-3}
python=${3:-python3}
source "$(dirname "$0")/common.sh"

"$program" simulate --sessions "$sessions" --seed 1 --out "$work/log" --quiet
log=$(echo "$work"/log/sessions*.csv)
bytes=$(cat $log | wc -c)
printf '%s sessions, %s MB of CSV\n' "$sessions" "$((bytes / 1000000))"

for _ in $(seq "$runs"); do
  rm -rf "$work/store"
  once ingest "$program" ingest --quiet --store "$work/store" $log
  rm -rf "$work/store_1"
  once ingest_1_thread "$program" ingest --quiet --threads 1 --store "$work/store_1" $log
  rm -rf "$work/store_1"
  once duckdb "$python" benches/ingest_rivals.py duckdb "$work/duck.parquet" $log
  once polars "$python" benches/ingest_rivals.py polars "$work/polars.parquet" $log
done
for name in ingest ingest_1_thread duckdb polars; do tell "$name" "$sessions" "$bytes"; done
du -sm "$work/store" "$work/duck.parquet" "$work/polars.parquet" | awk '{ print $1 " MB  " $2 }' | sed "s#$work/##"

# A day: 4,500 new sessions and 500 that amend, all of the newest 90 days.
"$python" benches/ingest_rivals.py amend "$work/amend.csv" $log
for run in $(seq "$runs"); do
  { head -n 1 "$work/amend.csv"; for part in 1 2 3 4 5 6 7 8 9; do tail -n +2 "$work/amend.csv" | sed "s/^/new-$run-$part-/"; done; } > "$work/new.csv"
  cp -r "$work/store" "$work/store_day"
  once daily_batch "$program" ingest --quiet --store "$work/store_day" "$work/new.csv" "$work/amend.csv"
  rm -rf "$work/store_day"
done
tell daily_batch 5000
for _ in $(seq "$runs"); do once open "$program" store history "$work/store"; done
tell open 1
