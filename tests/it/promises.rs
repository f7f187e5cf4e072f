//! Every test that `SECURITY.md` names is one.
#![cfg(test)]

use std::fs;
use std::path::Path;

const SECTION: &str = "## What is promised, and what holds it";

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// What stands in the last column of the section's tables, promise by promise.
fn named(text: &str) -> Vec<(String, Vec<String>)> {
    let section = text.split_once(SECTION).map_or("", |(_, after)| after).split("\n## ").next().unwrap_or_default();
    let rows = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| promise"));
    let row = |line: &str| {
        let cells: Vec<&str> = line.trim_matches('|').split(" | ").collect();
        let names = cells.last().unwrap_or(&"").split('`').skip(1).step_by(2).map(str::to_owned);
        (cells[0].trim().to_owned(), names.collect())
    };
    rows.map(row).collect()
}

/// The names of all tests in a file: functions with an attribute that says so right above, or in a macro that gives them one.
fn tests(text: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_test = false;
    for line in text.lines().map(str::trim) {
        let name = line.trim_start_matches("async ").strip_prefix("fn ").and_then(|rest| rest.split('(').next());
        match name {
            Some(name) if is_test => names.push(name.to_owned()),
            _ => {}
        }
        let attribute = line.starts_with("#[");
        is_test =
            if attribute { is_test || line.starts_with("#[test]") || line.starts_with("#[tokio::test") } else { false };
    }
    names.extend(text.split("for_each_engine!(").skip(1).flat_map(for_each_engine));
    names
}

/// What stands in the brackets of that macro.
fn for_each_engine(after: &str) -> Vec<String> {
    let inside = after.split(");").next().unwrap_or_default();
    inside.split(',').map(|name| name.trim().to_owned()).filter(|name| !name.is_empty()).collect()
}

fn walk(folder: &Path, see: &mut impl FnMut(&Path)) {
    for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
        if path.is_dir() { walk(&path, see) } else { see(&path) }
    }
}

/// What the section names and nobody has.
fn missing(text: &str) -> Vec<String> {
    let mut known = Vec::new();
    for folder in ["src", "tests"] {
        walk(&root().join(folder), &mut |path| {
            if path.extension().is_some_and(|end| end == "rs") {
                known.extend(tests(&fs::read_to_string(path).unwrap()));
            }
        });
    }
    let mut missing = Vec::new();
    for (promise, names) in named(text) {
        if names.is_empty() {
            missing.push(format!("nothing holds: {promise}"));
        }
        let is_there = |name: &String| match name.contains('/') {
            true => root().join(name).exists(),
            false => known.contains(name),
        };
        missing.extend(names.into_iter().filter(|name| !is_there(name)));
    }
    missing
}

#[test]
fn every_test_that_the_security_policy_names_exists() {
    let text = fs::read_to_string(root().join("SECURITY.md")).unwrap();
    assert!(named(&text).len() > 25, "{:?}", named(&text));
    assert_eq!(missing(&text), Vec::<String>::new());
}

#[test]
fn a_promise_without_a_test_is_found() {
    let with = |row: &str| {
        missing(&format!("{SECTION}\n\n| promise | held by |\n|---|---|\n{row}\n\n## Other\n\n| a | `b` |\n"))
    };
    assert!(with("| it holds | `a_promise_without_a_test_is_found` |").is_empty());
    assert!(with("| it holds | `fuzz/fuzz_targets/json.rs` |").is_empty());
    assert_eq!(with("| it holds | `no_such_test`, `a_promise_without_a_test_is_found` |"), ["no_such_test"]);
    assert_eq!(with("| it holds | `fuzz/fuzz_targets/none.rs` |"), ["fuzz/fuzz_targets/none.rs"]);
    assert_eq!(with("| it holds | our care |"), ["nothing holds: it holds"]);
    assert_eq!(with("| a helper is no test | `walk` |"), ["walk"]);
    assert!(with("| it holds | `killed_at_random_under_load_it_loses_nothing` |").is_empty(), "a macro's is one");
}
