//! No lock file has a version below the floor that is known for its crate.
#![cfg(all(test, feature = "config"))]

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

#[derive(Deserialize)]
struct Floors {
    date: String,
    floors: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn floors() -> Floors {
    toml::from_str(&fs::read_to_string(root().join("tests/fixtures/floors.toml")).unwrap()).unwrap()
}

/// Major, minor, patch. A version that is only announced comes before the one that it announces.
fn order(version: &str) -> ([u64; 3], bool) {
    let version = version.split('+').next().unwrap();
    let (plain, announced) = version.split_once('-').map_or((version, false), |(plain, _)| (plain, true));
    let numbers: Vec<u64> = plain.split('.').map(|number| number.parse().unwrap()).collect();
    (numbers.try_into().unwrap(), !announced)
}

fn below(floors: &Floors, lock: &str) -> Vec<String> {
    let Lock { package } = toml::from_str(lock).unwrap();
    let low = |package: &&Package| {
        floors.floors.get(&package.name).is_some_and(|floor| order(&package.version) < order(floor))
    };
    package.iter().filter(low).map(|package| format!("{} {}", package.name, package.version)).collect()
}

/// All that are checked in: what is built lies beside no manifest of ours.
fn locks(folder: &Path, depth: usize, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        let name = entry.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if entry.is_dir() && depth > 0 && !name.starts_with('.') && name != "target" {
            locks(&entry, depth - 1, found);
        } else if name == "Cargo.lock" {
            found.push(entry);
        }
    }
}

#[test]
fn no_crate_is_locked_below_its_floor() {
    let floors = floors();
    assert!(order(&floors.date.replace('-', ".")) >= ([2026, 1, 1], true), "the list is old: {}", floors.date);
    let mut found = Vec::new();
    locks(root(), 2, &mut found);
    assert!(found.len() >= 4, "{found:?}");
    for lock in found {
        assert_eq!(below(&floors, &fs::read_to_string(&lock).unwrap()), Vec::<String>::new(), "{}", lock.display());
    }
}

#[test]
fn a_crate_below_its_floor_is_found_and_one_at_it_is_not() {
    let lock = |name: &str, version: &str| format!("[[package]]\nname = {name:?}\nversion = {version:?}\n");
    for (name, floor) in &floors().floors {
        assert_eq!(below(&floors(), &lock(name, floor)), Vec::<String>::new());
        assert_eq!(below(&floors(), &lock(name, "0.0.9")), [format!("{name} 0.0.9")]);
        let announced = format!("{floor}-rc.1");
        assert_eq!(below(&floors(), &lock(name, &announced)), [format!("{name} {announced}")]);
    }
    let two = lock("rustls", "0.23.46") + &lock("rustls", "0.23.45");
    assert_eq!(below(&floors(), &two), ["rustls 0.23.45"], "one of two");
    assert_eq!(below(&floors(), &lock("rustls", "0.9.46")), ["rustls 0.9.46"], "numbers, not letters");
    assert!(below(&floors(), &lock("h2", "0.4.16+build")).is_empty());
    assert!(below(&floors(), &lock("rustls-other", "0.1.0")).is_empty());
}
