//! What the README links to is in the package, and there.

use std::path::Path;

const README: &str = include_str!("../../README.md");
const MANIFEST: &str = include_str!("../../Cargo.toml");

/// The targets of Markdown links that lead to a file beside the text.
fn relative(text: &str) -> impl Iterator<Item = &str> {
    let targets = text.split("](").skip(1).filter_map(|rest| rest.split([')', ' ']).next());
    let files = targets.filter(|target| !target.contains("://") && !target.starts_with('#'));
    files.filter_map(|target| target.split('#').next())
}

/// The entries of a manifest's `include`: files, folders, and names that end in `*`.
fn included(manifest: &str) -> Vec<&str> {
    let list = manifest.split("\ninclude = [").nth(1).and_then(|rest| rest.split(']').next());
    list.expect("the manifest has an include list").split('"').skip(1).step_by(2).collect()
}

fn is_packaged(file: &str, include: &[&str]) -> bool {
    include.iter().filter_map(|entry| entry.strip_prefix('/')).any(|entry| match entry.strip_suffix('*') {
        Some(start) => file.starts_with(start),
        None => file == entry || file.strip_prefix(entry).is_some_and(|rest| rest.starts_with('/')),
    })
}

fn unpackaged<'a>(text: &'a str, include: &[&str]) -> Vec<&'a str> {
    relative(text).filter(|file| !is_packaged(file, include)).collect()
}

#[test]
fn all_that_the_readme_links_to_is_packaged() {
    let include = included(MANIFEST);
    assert!(relative(README).count() >= 4, "the links were not found");
    assert_eq!(unpackaged(README, &include), [""; 0]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    for file in relative(README) {
        assert!(root.join(file).is_file(), "{file} is not there");
    }
}

#[test]
fn a_link_to_what_is_not_packaged_is_found() {
    let include = included("[package]\ninclude = [\n    \"/docs/a.md\",\n    \"/src\",\n    \"/LICENSE-*\",\n]\n");
    assert_eq!(include, ["/docs/a.md", "/src", "/LICENSE-*"]);
    let good = "[a](docs/a.md#part), [b](src/lib.rs), [c](LICENSE-MIT), [d](#here), [e](https://example.com/x.md)";
    assert_eq!(unpackaged(good, &include), [""; 0]);
    let bad = "[a](CONTRIBUTING.md) [b](docs/x.md \"title\"), [c](srcs/a.rs), [d](docs/a.md.old)";
    assert_eq!(unpackaged(bad, &include), ["CONTRIBUTING.md", "docs/x.md", "srcs/a.rs", "docs/a.md.old"]);
    assert_eq!(unpackaged("[a](deny.toml)", &included(MANIFEST)), ["deny.toml"]);
}
