#!/usr/bin/env bash
# A store of simulated sessions: decoding its columns, our count of them, a whole `run`, and the same counts by DuckDB,
# Polars and pandas, in turn.
# Needs a release build, GNU time, and a Python with duckdb, polars, pandas, pyarrow and scipy.
# Usage: benches/counts.sh [SESSIONS] [RUNS] [PYTHON]
set -euo pipefail
cd "$(dirname "$0")/.."
sessions=${1:-1000000}
runs=${2:-3}
python=${3:-python3}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=target/release/stipple
[ -x "$program" ] || cargo build --locked --release
export STIPPLE_KEY=0707070707070707070707070707070707070707070707070707070707070707

"$program" simulate --sessions "$sessions" --seed 1 --out "$work/log" --quiet
"$program" ingest --quiet --store "$work/store" "$work"/log/sessions*.csv --events "$work"/log/events*.csv
rm -rf "$work/log"
cat > "$work/rates.toml" <<'TOML'
version = 1
id = "rates"
[[analysis]]
id = "rates"
kind = "side_effect_rates"
outcomes = ["all"]
[[analysis]]
id = "by_clinic"
kind = "side_effect_rates"
outcomes = ["all"]
by = ["clinic_id"]
[[analysis]]
id = "by_modality"
kind = "side_effect_rates"
outcomes = ["all"]
by = ["modality"]
[[analysis]]
id = "severity"
kind = "severity"
outcomes = ["all"]
[[analysis]]
id = "rf_against_pen"
kind = "contrast"
outcomes = ["pih", "swelling"]
between = "modality"
exposed = "rf"
reference = "pen"
TOML

for threads in 1 2; do RAYON_NUM_THREADS=$threads cargo bench --quiet --bench scan -- "$work/store" "$runs"; done

once() { # name, then the command
  local name=$1; shift
  /usr/bin/time -f '%e %M' -a -o "$work/$name.times" "$@" > /dev/null 2>> "$work/talk" || { tail "$work/talk"; exit 1; }
}
for _ in $(seq "$runs"); do
  once run "$program" run --quiet "$work/rates.toml" --store "$work/store" --out "$work/report"
  for rival in duckdb polars pandas; do once "$rival" "$python" benches/counts_rivals.py "$rival" "$work/store/sessions"; done
done
for name in run duckdb polars pandas; do
  sort -n "$work/$name.times" | awk -v name="$name" '
    { seconds[NR] = $1; if ($2 > peak) peak = $2 }
    END { printf "%-20s %8.2f s (%.2f–%.2f)  peak %d MiB\n", name, seconds[int((NR + 1) / 2)], seconds[1], seconds[NR], peak / 1024 }'
done
"$program" run --quiet "$work/rates.toml" --store "$work/store" --out "$work/report" > /dev/null
"$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['run'])" "$work/report/manifest.json"
