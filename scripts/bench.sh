#!/usr/bin/env bash
# Runs every bench, and writes docs/performance.md, its plot, and the figures in the README. Needs Linux, Rust, python3,
# redis-server, redis-benchmark and Postgres; a quiet machine, for some ten minutes.
#   scripts/bench.sh                           all, with peers
#   scripts/bench.sh --smoke [--without-peers] everything small; does every variant answer as it must? Writes no page
#   scripts/bench.sh --report                  the page anew, from the raw output of the last run
#   scripts/bench.sh --check                   does the README say what the page says?
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
mode=run raw=$target/bench peers=yes
for option in "$@"; do
    case $option in
        --smoke) mode=smoke raw=$target/bench-smoke ;;
        --without-peers) peers=no ;;
        --report | --check) exec python3 -B scripts/bench_report.py "$option" "$raw" ;;
        *) echo "scripts/bench.sh: $option is unknown" >&2 && exit 2 ;;
    esac
done

# one NAME COMMAND...: runs it and keeps what it prints. A bench that fails takes nothing from the others, and is named.
failed=()
one() {
    local name=$1
    shift
    echo "== $name" >&2
    "$@" >"$raw/$name.txt" && return
    failed+=("$name")
    printf '\nnot measured: the rest, since the bench `%s` failed\n' "$name" >>"$raw/$name.txt"
}

# What a registry does not give is named on the page.
peers() {
    local manifest=benches/peers/Cargo.toml
    if [ "$peers" = no ]; then
        echo "not measured: left out" >"$raw/peers.txt"
    elif ! cargo fetch --locked --quiet --manifest-path "$manifest" 2>"$raw/fetch.log"; then
        echo "not measured: $(grep -m1 -v '^ *$' "$raw/fetch.log")" | tee "$raw/peers.txt" >&2
    else
        one peers cargo run --release --locked --quiet --manifest-path "$manifest" --target-dir "$target" -- "$@"
    fi
}

rm -rf "$raw"
mkdir -p "$raw"
options=() how=(--features metrics,postgres,redis,sqlite)
# What is small is fast enough without optimisation, and the tests have built all that it needs.
[ "$mode" = run ] || { options=(--smoke) && how=(--profile dev --all-features); }
mapfile -t benches < <(sed -n '/^\[\[bench\]\]/{n;s/^name = "\(.*\)"/\1/p}' Cargo.toml)
# All at once, so that nothing is built while something is measured.
cargo bench --locked --quiet "${how[@]}" --no-run "${benches[@]/#/--bench=}"
for name in "${benches[@]}"; do
    one "$name" cargo bench --locked --quiet "${how[@]}" --bench "$name" -- "${options[@]}"
done
peers "${options[@]}"
python3 -B scripts/bench_report.py "${options[0]:---report}" "$raw"
[ ${#failed[@]} = 0 ] || { echo "scripts/bench.sh: failed: ${failed[*]}" >&2 && exit 1; }
