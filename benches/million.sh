#!/usr/bin/env bash
# One million simulated sessions through `check` and `run`: seconds, rows/s, MB/s and peak memory, median of five.
# Needs a release build and GNU time. Usage: benches/million.sh [SESSIONS] [RUNS]
set -euo pipefail
sessions=${1:-1000000}
runs=${2:-5}
source "$(dirname "$0")/common.sh"

"$program" simulate --sessions "$sessions" --seed 1 --out "$work/log" --quiet
bytes=$(cat "$work"/log/sessions*.csv "$work/log/events.csv" | wc -c)
cat > "$work/bench.toml" <<TOML
version = 1
id = "bench"
[source]
logs = ["log/sessions*.csv"]
events = ["log/events.csv"]
[[analysis]]
id = "rates"
kind = "side_effect_rates"
outcomes = ["all"]
[[analysis]]
id = "by_modality"
kind = "side_effect_rates"
outcomes = ["all"]
by = ["modality"]
[[analysis]]
id = "pih_tone"
kind = "trend"
outcomes = ["pih"]
over = "fitzpatrick"
adjust = ["needle_depth_mm", "passes", "modality", "clinic_id"]
TOML

measure() { # name, then the command
  for _ in $(seq "$runs"); do once "$@"; done
  tell "$1" "$sessions" "$bytes"
}

printf '%s sessions, %s MB of CSV\n' "$sessions" "$((bytes / 1000000))"
measure check_1_thread "$program" check "$work/bench.toml" --quiet --threads 1
measure check "$program" check "$work/bench.toml" --quiet
measure run_1_thread "$program" run "$work/bench.toml" --quiet --threads 1 --out "$work/report"
measure run "$program" run "$work/bench.toml" --quiet --out "$work/report"
