#!/usr/bin/env bash
# Passes all tests, with all features. Needs Rust and nothing else: no test needs a server of its own so far.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
    echo "scripts/test.sh: cargo is missing: install Rust from https://rustup.rs or your distribution" >&2
    exit 1
fi

cargo test --locked --all-features --quiet -- --quiet
