//! What the compiler says to those who trip: each case in `tests/diagnostics/` fails with the lines that it begins with,
//! in one error, and compiles once it is mended.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// The library and its dependencies, as far as they are checked. Cargo has them from an earlier step, or makes them.
struct Library {
    folder: PathBuf,
    externs: Vec<String>,
}

impl Library {
    fn check() -> Self {
        let cargo = std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned());
        let mut command = Command::new(cargo);
        command.args(["check", "--lib", "--offline", "--quiet", "--message-format=json", "--manifest-path"]);
        let output = command.arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml")).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let artifacts: Vec<(String, PathBuf)> =
            String::from_utf8(output.stdout).unwrap().lines().filter_map(artifact).collect();
        let wanted = artifacts.iter().filter(|(name, _)| ["tower_webhook", "http", "bytes"].contains(&name.as_str()));
        let externs: Vec<_> = wanted.map(|(name, path)| format!("{name}={}", path.display())).collect();
        assert_eq!(externs.len(), 3, "{externs:?}");
        Self { folder: artifacts.last().unwrap().1.parent().unwrap().to_owned(), externs }
    }

    /// What the compiler says to a case, when it fails.
    fn compile(&self, case: &Path, is_mended: bool) -> Option<String> {
        let mut command = Command::new("rustc");
        command.args(["--edition=2024", "--crate-type=lib", "--emit=metadata", "-o", "-", "--check-cfg=cfg(mended)"]);
        command.arg(case).arg("-L").arg(format!("dependency={}", self.folder.display()));
        for known in &self.externs {
            command.args(["--extern", known]);
        }
        if is_mended {
            command.args(["--cfg", "mended"]);
        }
        let output = command.output().unwrap();
        (!output.status.success()).then(|| String::from_utf8(output.stderr).unwrap())
    }
}

fn artifact(line: &str) -> Option<(String, PathBuf)> {
    let message: Value = serde_json::from_str(line).ok()?;
    let files = message["filenames"].as_array()?.iter().filter_map(Value::as_str);
    let metadata = files.map(PathBuf::from).find(|file| file.extension().is_some_and(|end| end == "rmeta"))?;
    Some((message["target"]["name"].as_str()?.replace('-', "_"), metadata))
}

#[test]
fn each_mistake_is_named_and_what_to_do_about_it() {
    let library = Library::check();
    let mut cases: Vec<_> =
        fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diagnostics")).unwrap().collect();
    cases.sort_by_key(|case| case.as_ref().unwrap().path());
    assert!(cases.len() > 5);
    let mut faults = Vec::new();
    for case in cases {
        let case = case.unwrap().path();
        let text = fs::read_to_string(&case).unwrap();
        let lines: Vec<_> = text.lines().map_while(|line| line.strip_prefix("//~ ")).collect();
        assert!(!lines.is_empty(), "{case:?} expects nothing");
        let Some(said) = library.compile(&case, false) else {
            faults.push(format!("{case:?} compiles"));
            continue;
        };
        let errors = said.lines().filter(|line| line.starts_with("error[")).count();
        let is_right = errors == 1 && said.contains("error[E0277]") && lines.iter().all(|line| said.contains(line));
        if !is_right {
            faults.push(format!("{case:?} says\n{said}"));
        }
        faults.extend(library.compile(&case, true).map(|said| format!("{case:?}, mended, says\n{said}")));
    }
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}
