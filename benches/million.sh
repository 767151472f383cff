#!/usr/bin/env bash
# One million simulated sessions through `check` and `run`: seconds, rows/s, MB/s and peak memory, median of five.
# Needs a release build and GNU time. Usage: benches/million.sh [SESSIONS] [RUNS]
set -euo pipefail
cd "$(dirname "$0")/.."
sessions=${1:-1000000}
runs=${2:-5}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=target/release/stipple
[ -x "$program" ] || cargo build --locked --release

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
  local name=$1; shift
  for _ in $(seq "$runs"); do
    /usr/bin/time -f '%e %M' -a -o "$work/$name" "$@" > /dev/null 2>> "$work/talk" || { cat "$work/talk"; exit 1; }
  done
  sort -n "$work/$name" | awk -v name="$name" -v rows="$sessions" -v bytes="$bytes" '
    { seconds[NR] = $1; if ($2 > peak) peak = $2 }
    END {
      median = seconds[int((NR + 1) / 2)]
      printf "%-18s %6.2f s (%.2f–%.2f)  %8.0f rows/s  %6.1f MB/s  peak %d MiB\n",
        name, median, seconds[1], seconds[NR], rows / median, bytes / median / 1e6, peak / 1024
    }'
}

printf '%s sessions, %s MB of CSV\n' "$sessions" "$((bytes / 1000000))"
measure check_1_thread "$program" check "$work/bench.toml" --quiet --threads 1
measure check "$program" check "$work/bench.toml" --quiet
measure run_1_thread "$program" run "$work/bench.toml" --quiet --threads 1 --out "$work/report"
measure run "$program" run "$work/bench.toml" --quiet --out "$work/report"
