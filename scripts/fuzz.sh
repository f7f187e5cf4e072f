#!/usr/bin/env bash
# Fuzzes every target for some seconds each, from the seeds that are checked in. Needs a nightly toolchain and g++.
#   scripts/fuzz.sh [SECONDS] [TARGET...]     default: 20, all
# Says of each target how many inputs it has seen. What it finds lies in `fuzz/artifacts`, and becomes a test.
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}
[ $# -eq 0 ] || shift

cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz
# What is C comes from elsewhere: SQLite alone would take minutes with a sanitizer.
export CFLAGS="-O1 -g0 -fno-sanitize=all"
cargo +nightly fuzz build
[ $# -gt 0 ] || mapfile -t all < <(cargo +nightly fuzz list)
for target in "${@:-${all[@]}}"; do
    mkdir -p "fuzz/corpus/$target"
    log=$(cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 2>&1) || {
        tail -n 60 <<<"$log" >&2
        echo "scripts/fuzz.sh: $target failed" >&2
        exit 1
    }
    awk -v target="$target" '/^stat::number_of_executed_units/ { units = $2 } /^stat::peak_rss_mb/ { rss = $2 }
        END { print target ": " units " inputs, " rss " MiB" }' <<<"$log"
done
