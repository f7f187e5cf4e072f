//! Writes the conformance vectors: for every provider and scheme, raw HTTP requests that a receiver must take, and such that it
//! must refuse.
//!
//! `cargo run --example vectors --features config` writes them into `vectors/`; `-- FOLDER` writes into another folder, and
//! `-- --check` writes nothing and fails where the folder holds anything else.

mod suite;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use suite::{BoxError, Files};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let mut folder = PathBuf::from("vectors");
    let mut checks = false;
    for argument in std::env::args_os().skip(1) {
        match argument.to_str() {
            Some("--check") => checks = true,
            Some(unknown) if unknown.starts_with('-') => return Err(format!("{unknown} is no option").into()),
            _ => folder = argument.into(),
        }
    }
    let files = suite::files().await?;
    if !checks {
        write(&folder, &files)?;
    }
    let wrong = differences(&folder, &files)?;
    for line in &wrong {
        eprintln!("{line}");
    }
    if !wrong.is_empty() {
        return Err(format!("{} of {} files are not as they are made", wrong.len(), files.len()).into());
    }
    println!("{}: {} files, {} bytes", folder.display(), files.len(), files.values().map(Vec::len).sum::<usize>());
    Ok(())
}

fn write(folder: &Path, files: &Files) -> Result<(), BoxError> {
    for (name, bytes) in files {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap_or(folder))?;
        fs::write(path, bytes)?;
    }
    Ok(())
}

/// Files that are missing or other than they are made, and requests that nobody makes any more.
fn differences(folder: &Path, files: &Files) -> Result<Vec<String>, BoxError> {
    let mut wrong: Vec<String> = files
        .iter()
        .filter_map(|(name, bytes)| match fs::read(folder.join(name)) {
            Ok(found) if found == *bytes => None,
            Ok(_) => Some(format!("{name}: is another")),
            Err(error) => Some(format!("{name}: {error}")),
        })
        .collect();
    let mut found = BTreeSet::new();
    requests(folder, folder, &mut found)?;
    let unknown = found.into_iter().filter(|name| !files.contains_key(name));
    wrong.extend(unknown.map(|name| format!("{name}: is not made any more; remove it")));
    Ok(wrong)
}

/// The names of all raw requests in a folder, with `/` between their parts.
fn requests(root: &Path, folder: &Path, found: &mut BTreeSet<String>) -> Result<(), BoxError> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            requests(root, &path, found)?;
        } else if path.extension().is_some_and(|extension| extension == "http") {
            let parts = path.strip_prefix(root)?.iter().map(|part| part.to_string_lossy());
            found.insert(parts.collect::<Vec<_>>().join("/"));
        }
    }
    Ok(())
}
