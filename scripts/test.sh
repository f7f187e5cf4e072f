#!/usr/bin/env bash
# Passes all tests, with all features. Needs Rust, a C compiler, curl, openssl, python3, redis-server, nginx,
# nats-server, promtool, systemd-analyze and PostgreSQL; what Debian has of these is installed. The tests start their own servers, on free ports, and end them.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() {
    echo "scripts/test.sh: $1" >&2
    exit 1
}

# need COMMAND PACKAGE: installs the package where the command is missing, or says in one line what to do.
need() {
    command -v "$1" >/dev/null && return
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || fail "$1 is missing: install $2"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2"; } >/dev/null 2>&1 ||
        fail "$1 is missing, and apt-get could not install $2"
}

command -v cargo >/dev/null || fail "cargo is missing: install Rust from https://rustup.rs or your distribution"
need cc gcc
need curl curl
need openssl openssl
need python3 python3
need redis-server redis-server
ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || need initdb postgresql
need nats-server nats-server
need promtool prometheus
need systemd-analyze systemd
command -v nginx >/dev/null || [ -x /usr/sbin/nginx ] || need nginx nginx-light

# Many of the tests wait, for servers and for time.
export RUST_TEST_THREADS="${RUST_TEST_THREADS:-$(($(nproc) * 2))}"
cargo test --locked --all-features --quiet
