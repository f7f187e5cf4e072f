#!/usr/bin/env bash
# Fuzzes every target for some seconds each, from the seeds that are checked in. Needs a nightly toolchain and g++.
#   scripts/fuzz.sh [SECONDS]     default: 20
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${1:-20}

cargo fuzz --version >/dev/null 2>&1 || cargo install --locked --quiet cargo-fuzz
for target in $(cargo +nightly fuzz list); do
    mkdir -p "fuzz/corpus/$target"
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" "fuzz/seeds/$target" -- \
        -max_total_time="$seconds" -max_len=65536 -rss_limit_mb=2048 -timeout=10 -print_final_stats=1 2>&1 |
        grep -aE '^(stat::number_of_executed_units|stat::peak_rss_mb|==|SUMMARY|thread|.*panicked|Error)' ||
        { echo "scripts/fuzz.sh: $target failed" >&2; exit 1; }
done
