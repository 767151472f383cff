#!/usr/bin/env bash
# A store of simulated sessions: decoding its columns, our count of them, a whole `run`, and the same counts by DuckDB,
# Polars and pandas, in turn.
# Needs a release build, GNU time, and a Python with duckdb, polars, pandas, pyarrow and scipy.
# Usage: benches/counts.sh [SESSIONS] [RUNS] [PYTHON]
set -euo pipefail
sessions=${1:-1000000}
runs=${2:-3}
python=${3:-python3}
source "$(dirname "$0")/common.sh"

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

for _ in $(seq "$runs"); do
  once run "$program" run --quiet "$work/rates.toml" --store "$work/store" --out "$work/report"
  for rival in duckdb polars pandas; do once "$rival" "$python" benches/counts_rivals.py "$rival" "$work/store/sessions"; done
done
for name in run duckdb polars pandas; do tell "$name" "$sessions"; done
"$program" run --quiet "$work/rates.toml" --store "$work/store" --out "$work/report" > /dev/null
"$python" -c "import json, sys; print(json.load(open(sys.argv[1]))['run'])" "$work/report/manifest.json"
