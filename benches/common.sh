# What every benchmark here begins with; sourced, not run. Needs GNU time.
cd "$(dirname "${BASH_SOURCE[0]}")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
program=target/release/stipple
[ -x "$program" ] || cargo build --locked --release
export STIPPLE_KEY=0707070707070707070707070707070707070707070707070707070707070707

# Runs a command once and keeps its seconds, user and system seconds, and peak memory in KiB: once NAME COMMAND...
once() {
  local name=$1; shift
  /usr/bin/time -f '%e %U %S %M' -a -o "$work/$name.times" "$@" > /dev/null 2>> "$work/talk" || { tail "$work/talk"; exit 1; }
}

# Says the median, the fastest and the slowest: tell NAME [ROWS [BYTES]].
tell() {
  sort -n "$work/$1.times" | awk -v name="$1" -v rows="${2:-0}" -v bytes="${3:-0}" '
    { seconds[NR] = $1; cpu[NR] = $2 + $3; if ($4 > peak) peak = $4 }
    END {
      at = int((NR + 1) / 2); median = seconds[at] > 0 ? seconds[at] : 0.005
      printf "%-20s %8.2f s (%.2f–%.2f)  processor %7.1f s  peak %5d MiB", name, median, seconds[1], seconds[NR], cpu[at], peak / 1024
      if (rows > 0) printf "  %9.0f rows/s", rows / median
      if (bytes > 0) printf "  %6.1f MB/s", bytes / median / 1e6
      print ""
    }'
}
