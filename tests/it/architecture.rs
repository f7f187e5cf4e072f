//! The house keeps its shape: arrows between rooms point one way, and no file grows past its stop.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Room by room, the rooms it may use. Nothing else, so no cycle.
const ARROWS: &[(&str, &[&str])] = &[
    ("error", &[]),
    ("clock", &[]),
    ("encoding", &[]),
    ("secret", &["encoding", "error"]),
    ("json", &["error"]),
    ("observe", &["error"]),
    ("event", &[]),
    ("scheme", &["clock", "encoding", "error", "secret"]),
    ("provider", &["clock", "encoding", "error", "event", "json", "scheme", "secret"]),
    ("gate", &["error", "observe"]),
    ("layers", &["clock", "encoding", "error", "gate", "scheme", "secret"]),
    ("delivery", &["error", "event", "gate", "observe", "provider"]),
    ("idempotency", &["clock", "delivery", "error", "event", "gate", "observe", "provider", "secret"]),
    ("receiver", &["clock", "delivery", "error", "gate", "idempotency", "layers", "provider", "scheme"]),
    ("testing", &["clock", "delivery", "error", "gate", "idempotency", "layers", "provider", "scheme"]),
];

/// Who alone may name an outside crate: files, and folders that end in `/`.
const KNOWN_BY: &[(&str, &[&str])] = &[
    ("tracing", &["src/observe/"]),
    ("axum_core", &["src/receiver/axum.rs"]),
    ("redis", &["src/idempotency/store/redis/"]),
    ("rustls", &["src/idempotency/store/redis/address.rs"]),
];

const MAX_LINES: usize = 300;

struct Source {
    path: String,
    room: String,
    /// Up to the file's tests, without comments and empty lines.
    code: Vec<String>,
}

fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    walk(&root.join("src"), &mut |path| {
        let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
        if !name.ends_with("tests.rs") {
            found.push(source(name, &fs::read_to_string(path).unwrap()));
        }
    });
    assert!(found.len() > 30, "only {} files: is this the right folder?", found.len());
    found
}

fn walk(folder: &Path, see: &mut impl FnMut(&PathBuf)) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, see);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            see(&path);
        }
    }
}

fn source(path: String, text: &str) -> Source {
    let room = path.trim_start_matches("src/").split(['/', '.']).next().unwrap().to_owned();
    let code = text
        .lines()
        .take_while(|line| line.trim() != "#[cfg(test)]")
        .filter(|line| !line.trim().is_empty() && !line.trim().starts_with("//"))
        .map(str::to_owned)
        .collect();
    Source { path, room, code }
}

/// The rooms that a source names by `crate::room`, in `use` lines (also in braces) and in paths.
fn used_rooms(source: &Source) -> BTreeSet<String> {
    let text = source.code.join("\n");
    let mut used = BTreeSet::new();
    for piece in text.split("crate::").skip(1) {
        let names: Vec<&str> = match piece.strip_prefix('{') {
            Some(list) => list.split('}').next().unwrap().split(',').collect(),
            None => vec![piece],
        };
        for name in names {
            let end = name.trim().find(|letter: char| !letter.is_alphanumeric() && letter != '_');
            used.insert(name.trim()[..end.unwrap_or(name.trim().len())].to_owned());
        }
    }
    used
}

fn forbidden_arrows(sources: &[Source]) -> Vec<String> {
    let mut faults = Vec::new();
    // The program is a crate of its own, which sees what is public and nothing else.
    for source in sources.iter().filter(|source| !["lib", "bin"].contains(&source.room.as_str())) {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == source.room) else {
            faults.push(format!("{}: a room without arrows", source.path));
            continue;
        };
        for used in used_rooms(source) {
            if used != source.room && !allowed.contains(&used.as_str()) {
                faults.push(format!("{}: {} may not use {used}", source.path, source.room));
            }
        }
    }
    faults
}

fn strangers(sources: &[Source]) -> Vec<String> {
    let names = |source: &Source, outside: &str| {
        source.code.iter().any(|line| {
            let path = format!("{outside}::");
            line.contains(&format!("use {outside}")) || {
                let ours = ["self::", "store::"].map(|room| line.matches(&format!("{room}{path}")).count());
                line.matches(&path).count() > ours.iter().sum()
            }
        })
    };
    let mut faults = Vec::new();
    for (outside, known_by) in KNOWN_BY {
        // The program sees the library's own rooms of these names, and no crate of theirs.
        for source in sources.iter().filter(|source| source.room != "bin") {
            let known =
                known_by.iter().any(|by| source.path == *by || by.ends_with('/') && source.path.starts_with(by));
            if names(source, outside) && !known {
                faults.push(format!("{} names {outside}", source.path));
            }
        }
    }
    faults
}

fn too_long(sources: &[Source]) -> Vec<String> {
    let long = sources.iter().filter(|source| source.code.len() > MAX_LINES);
    long.map(|source| format!("{}: {} lines of code", source.path, source.code.len())).collect()
}

#[test]
fn arrows_point_one_way() {
    assert_eq!(forbidden_arrows(&sources()), Vec::<String>::new());
}

#[test]
fn outside_crates_are_named_where_they_belong() {
    assert_eq!(strangers(&sources()), Vec::<String>::new());
}

#[test]
fn no_file_grows_past_its_stop() {
    assert_eq!(too_long(&sources()), Vec::<String>::new());
}

#[test]
fn the_table_of_arrows_has_no_cycle() {
    let mut done: BTreeSet<&str> = BTreeSet::new();
    while let Some((room, _)) =
        ARROWS.iter().find(|(room, uses)| !done.contains(room) && uses.iter().all(|used| done.contains(used)))
    {
        done.insert(room);
    }
    assert_eq!(done.len(), ARROWS.len(), "on a cycle or unknown: all but {done:?}");
}

#[test]
fn each_of_these_checks_can_fail() {
    let bad = |path: &str, text: &str| vec![source(path.to_owned(), text)];
    let arrow = forbidden_arrows(&bad("src/scheme/x.rs", "use crate::{error::Rejection, gate::Body};"));
    assert_eq!(arrow, ["src/scheme/x.rs: scheme may not use gate"]);
    let path = forbidden_arrows(&bad("src/error.rs", "fn f() { crate::observe::log::refused() }"));
    assert_eq!(path, ["src/error.rs: error may not use observe"]);
    assert_eq!(forbidden_arrows(&bad("src/cellar.rs", "")), ["src/cellar.rs: a room without arrows"]);
    assert_eq!(strangers(&bad("src/gate/mod.rs", "tracing::warn!();")), ["src/gate/mod.rs names tracing"]);
    assert_eq!(strangers(&bad("src/idempotency/lease.rs", "redis::cmd(x);")), ["src/idempotency/lease.rs names redis"]);
    assert!(strangers(&bad("src/idempotency/store/redis/lines.rs", "redis::cmd(x);")).is_empty());
    assert!(strangers(&bad("src/idempotency/mod.rs", "pub use self::redis::RedisStore;")).is_empty());
    assert_eq!(too_long(&bad("src/x.rs", &"let x = 1;\n".repeat(301))), ["src/x.rs: 301 lines of code"]);
    assert!(too_long(&bad("src/x.rs", &"let x = 1;\n// why\n\n".repeat(300))).is_empty());
    let test_only = forbidden_arrows(&bad("src/error.rs", "#[cfg(test)]\nmod tests { use crate::gate; }"));
    assert!(test_only.is_empty());
}
