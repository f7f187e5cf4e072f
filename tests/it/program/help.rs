//! Help texts: no line is broken twice, whatever the width of the terminal.

use super::child::Program;

const COMMANDS: [&[&str]; 7] =
    [&[], &["listen"], &["check-config"], &["healthcheck"], &["explain"], &["send"], &["reconcile"]];

/// No text gets wider than this.
const WIDEST: usize = 100;

fn help(command: &[&str], width: usize) -> Vec<String> {
    let program = Program::new(command.iter().copied().chain(["--help"])).env("COLUMNS", &width.to_string());
    let done = program.run();
    assert_eq!(done.code, Some(0), "{done:?}");
    done.stdout
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// Lines that are too long, and lines that end early though the next one goes on with their sentence.
fn badly_broken(lines: &[String], width: usize) -> Vec<String> {
    let width = width.min(WIDEST);
    let length = |line: &str| line.chars().count();
    let mut bad: Vec<String> = lines.iter().filter(|line| length(line) > width).cloned().collect();
    for pair in lines.windows(2) {
        let (line, next) = (pair[0].as_str(), pair[1].trim_start());
        // What a line says stands behind the name of an option, where there is one.
        let text = line.rfind("  ").filter(|at| line.trim_start().starts_with('-') && *at > indent(line));
        let starts_at = text.map_or(indent(line), |at| at + 2);
        let goes_on = !next.is_empty() && !line.trim().is_empty() && starts_at == indent(&pair[1]);
        let is_command = |text: &str| text.trim_start().starts_with("tower-webhook ") || text.ends_with('\\');
        if !goes_on || is_command(line) || is_command(next) || next.starts_with('-') || line.ends_with(':') {
            continue;
        }
        // The commands' own list.
        if next.contains("  ") {
            continue;
        }
        let word = next.split(' ').next().unwrap();
        if length(line) + 1 + length(word) <= width {
            bad.push(line.to_owned());
        }
    }
    bad
}

#[test]
fn lines_are_as_long_as_they_may_be_and_no_longer() {
    for command in COMMANDS {
        for width in [80, 200] {
            assert_eq!(badly_broken(&help(command, width), width), Vec::<String>::new(), "{command:?} at {width}");
        }
    }
}

#[test]
fn a_line_that_is_broken_twice_is_seen() {
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let once =
        "A text that is broken where a terminal of eighty columns has no more room for a\nword, and nowhere else.";
    assert!(badly_broken(&lines(once), 80).is_empty());
    let twice =
        "A text that is broken where a terminal of eighty columns has no more room for a\nword,\nand once more.";
    assert_eq!(badly_broken(&lines(twice), 80), ["word,"]);
    assert_eq!(badly_broken(&[format!("  {}", "x".repeat(79))], 80).len(), 1);
    let option = "  --a  Says what\n       is meant";
    assert_eq!(badly_broken(&lines(option), 80), ["  --a  Says what"]);
}
