#!/usr/bin/env bash
# Passes all tests, with all features. Needs Rust and redis-server, which it installs where it is root and has apt.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v cargo >/dev/null; then
    echo "scripts/test.sh: cargo is missing: install Rust from https://rustup.rs or your distribution" >&2
    exit 1
fi

# The tests start their own servers. The service that the package brings is not needed.
install_redis() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return 1
    local install=(apt-get install --yes --quiet --no-install-recommends redis-server)
    DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null 2>&1 && return
    apt-get update --quiet >/dev/null && DEBIAN_FRONTEND=noninteractive "${install[@]}" >/dev/null
}

missing() {
    ! command -v redis-server >/dev/null
}

if missing && { ! install_redis || missing; }; then
    echo "scripts/test.sh: redis-server is missing: install it, or run this as root with apt" >&2
    exit 1
fi

cargo test --locked --all-features --quiet -- --quiet
