//! Which room may use which, and who may name an outside crate.

use super::house::{House, Target};
use super::source::Source;

/// Room by room, the rooms it may use. Nothing else, so no circle.
pub(super) const LIBRARY: &[(&str, &[&str])] = &[
    ("mask", &[]),
    ("error", &["mask"]),
    ("clock", &[]),
    ("fail_point", &[]),
    ("encoding", &[]),
    ("secret", &["encoding", "error"]),
    ("json", &["error"]),
    ("observe", &["clock", "error", "mask"]),
    ("event", &["json"]),
    ("scheme", &["clock", "encoding", "error", "secret"]),
    ("provider", &["clock", "encoding", "error", "event", "json", "scheme", "secret"]),
    ("gate", &["error", "fail_point", "observe"]),
    ("layers", &["clock", "encoding", "error", "gate", "scheme", "secret"]),
    ("delivery", &["error", "event", "gate", "observe", "provider"]),
    ("idempotency", &["clock", "delivery", "error", "event", "fail_point", "gate", "observe", "provider", "secret"]),
    ("inbox", &["clock", "delivery", "error", "event", "fail_point", "gate", "mask", "observe", "provider", "secret"]),
    (
        "receiver",
        &[
            "clock",
            "delivery",
            "error",
            "gate",
            "idempotency",
            "inbox",
            "layers",
            "observe",
            "provider",
            "scheme",
            "secret",
        ],
    ),
    (
        "config",
        &[
            "clock",
            "delivery",
            "encoding",
            "error",
            "gate",
            "idempotency",
            "inbox",
            "json",
            "layers",
            "provider",
            "receiver",
            "scheme",
            "secret",
        ],
    ),
    ("sender", &["clock", "encoding", "error", "json", "provider", "scheme", "secret"]),
    (
        "testing",
        &[
            "clock",
            "delivery",
            "error",
            "fail_point",
            "gate",
            "idempotency",
            "inbox",
            "layers",
            "provider",
            "scheme",
            "sender",
        ],
    ),
];

/// The same for the files and folders of the program, among themselves. What is public of the library they may all use.
pub(super) const PROGRAM: &[(&str, &[&str])] = &[
    ("plain", &[]),
    ("outlet", &[]),
    ("lines", &["plain"]),
    ("names", &["lines"]),
    ("reading", &["lines"]),
    ("store", &["lines", "names"]),
    ("completions", &["lines"]),
    ("explain", &["lines", "plain"]),
    ("healthcheck", &["lines", "reading"]),
    ("inbox", &["lines", "reading"]),
    ("listen", &["lines", "names", "outlet", "reading", "store", "way"]),
    ("reconcile", &["inbox", "lines"]),
    ("send", &["lines", "reading", "way"]),
    ("storm", &["lines", "reading", "send"]),
    ("used", &[]),
    ("way", &["used"]),
];

/// Uses of another room by the tests inside a file: the file, and the room.
const BY_TESTS: &[(&str, &str)] = &[];

/// Who alone may name an outside crate: files, and folders that end in `/`.
const KNOWN_BY: &[(&str, &[&str])] = &[
    ("tracing", &["src/observe/"]),
    ("metrics", &["src/bin/tower-webhook/listen/exposition.rs", "src/observe/"]),
    ("opentelemetry", &["src/observe/metrics/"]),
    ("opentelemetry_sdk", &["src/observe/metrics/tests/"]),
    ("axum_core", &["src/receiver/axum.rs"]),
    ("flate2", &["src/gate/compressed.rs"]),
    ("redis", &["src/idempotency/store/redis/"]),
    ("rusqlite", &["src/inbox/store/sqlite/"]),
    ("tokio_postgres", &["src/inbox/store/postgres/"]),
    ("deadpool_postgres", &["src/inbox/store/postgres/"]),
    ("rustls", &["src/config/build/", "src/idempotency/store/redis/address.rs", "src/inbox/store/postgres/tls.rs"]),
    ("rustls_native_certs", &["src/config/build/tls.rs", "src/inbox/store/postgres/tls.rs"]),
    ("rustix", &["src/bin/tower-webhook/listen/notify.rs", "src/inbox/store/sqlite/"]),
    ("tokio_rustls", &["src/bin/tower-webhook/listen/tls.rs"]),
    ("hyper_rustls", &["src/bin/tower-webhook/way.rs"]),
    ("tokio_postgres_rustls", &["src/inbox/store/postgres/tls.rs"]),
    ("httparse", &["src/sender/answer_text.rs"]),
    ("arrayvec", &["src/event/text.rs", "src/provider/event_key.rs"]),
    ("clap", &["src/bin/"]),
];

pub(super) fn forbidden(house: &House) -> Vec<String> {
    house.sources.iter().flat_map(|source| forbidden_in(house, source)).collect()
}

fn forbidden_in(house: &House, source: &Source) -> Vec<String> {
    let [root, room, ..] = &source.module[..] else { return vec![] };
    let table = if root == "lib" { LIBRARY } else { PROGRAM };
    let Some((_, allowed)) = table.iter().find(|(name, _)| name == room) else {
        return vec![format!("{}: a room without arrows", source.path)];
    };
    let mut faults = Vec::new();
    for target in house.used_by(source) {
        let Target::Module(target) = target else { continue };
        let fault = match &target[..] {
            [there, used, ..] if there == root => {
                let may = used == room
                    || allowed.contains(&used.as_str())
                    || BY_TESTS.contains(&(source.path.as_str(), used.as_str()));
                (!may).then(|| format!("{}: {room} may not use {used}", source.path))
            }
            [there] if there == root => Some(format!("{}: {room} uses what the crate's root defines", source.path)),
            _ => None,
        };
        faults.extend(fault);
    }
    faults.dedup();
    faults
}

pub(super) fn strangers(house: &House) -> Vec<String> {
    let mut faults = Vec::new();
    for source in &house.sources {
        for target in house.used_by(source) {
            let Target::Outside(name) = target else { continue };
            let known = KNOWN_BY.iter().find(|(outside, _)| *outside == name).map(|(_, known_by)| known_by);
            let fits = |by: &&str| source.path == *by || by.ends_with('/') && source.path.starts_with(by);
            if known.is_some_and(|known_by| !known_by.iter().any(fits)) {
                faults.push(format!("{} names {name}", source.path));
            }
        }
    }
    faults
}
