//! `deploy/Containerfile`: what its image is and does. That it is built is for whoever has a builder; `scripts/container.py` runs
//! what it would hold.

use super::child::Program;

const FILE: &str = include_str!("../../../deploy/Containerfile");

/// Each instruction with its words, in lines of its own.
fn instructions(file: &str) -> Vec<(String, String)> {
    let lines: Vec<&str> = file.lines().filter(|line| !line.starts_with('#')).collect();
    let joined = lines.join("\n").replace("\\\n", " ");
    let pair = |line: &str| line.split_once(' ').map(|(name, words)| (name.to_owned(), words.trim().to_owned()));
    joined.lines().filter_map(pair).collect()
}

/// What is wrong with the image that a file makes.
fn wrong(file: &str) -> Vec<String> {
    let all = instructions(file);
    let stage = all.iter().rposition(|(name, _)| name == "FROM").map(|at| &all[at..]).unwrap_or_default();
    let of = |name: &str| stage.iter().rev().find(|(other, _)| other == name).map_or("", |(_, words)| words.as_str());
    let exec = |words: &str| serde_json::from_str::<Vec<String>>(words).unwrap_or_default();
    let is_ours = |words: &str, command: &str| {
        let words = exec(words);
        let own = words.iter().position(|word| word == command);
        own.is_some() && words.iter().any(|word| word == "--config")
    };
    let mut wrong = Vec::new();
    let mut check = |is_right: bool, what: &str| {
        if !is_right {
            wrong.push(what.to_owned());
        }
    };
    check(of("FROM") == "scratch", "something is in the image beside the program");
    check(stage.iter().all(|(name, _)| name != "RUN"), "something runs in the image");
    let ids: Vec<Option<u32>> = of("USER").split(':').map(|id| id.parse().ok()).collect();
    check(
        ids.len() == 2 && ids.iter().all(|id| id.is_some_and(|id| id > 0)),
        "its user is not a number without rights",
    );
    check(exec(of("ENTRYPOINT")) == ["/tower-webhook"], "a shell or another program is its first");
    check(is_ours(of("CMD"), "listen"), "it does not listen");
    let health = of("HEALTHCHECK").split_once("CMD ").map_or("", |(_, words)| words);
    check(exec(health).first().is_some_and(|word| word == "/tower-webhook"), "its health is asked by a shell");
    check(is_ours(health, "healthcheck"), "its health is not asked");
    check(of("STOPSIGNAL") == "SIGTERM", "it is not drained");
    wrong
}

#[test]
fn the_image_holds_the_program_alone_without_rights_and_says_how_it_is() {
    assert_eq!(wrong(FILE), Vec::<String>::new());
    for (right, other, told) in [
        ("FROM scratch", "FROM debian", "something is in the image beside the program"),
        ("USER 65532:65532", "", "its user is not a number without rights"),
        ("USER 65532:65532", "USER 0:0", "its user is not a number without rights"),
        ("USER 65532:65532", "USER nobody", "its user is not a number without rights"),
        ("ENTRYPOINT [\"/tower-webhook\"]", "ENTRYPOINT /tower-webhook", "a shell or another program is its first"),
        ("STOPSIGNAL SIGTERM", "STOPSIGNAL SIGKILL", "it is not drained"),
        ("\"healthcheck\"", "\"explain\"", "its health is not asked"),
        ("FROM scratch", "FROM scratch\nRUN id", "something runs in the image"),
    ] {
        let file = FILE.replace(right, other);
        assert_ne!(file, FILE, "{right}");
        assert_eq!(wrong(&file), [told], "{right}: {other}");
    }
}

#[test]
fn what_the_image_calls_is_what_the_program_takes() {
    for (command, flags) in [("listen", &["--config", "--log"][..]), ("healthcheck", &["--config"])] {
        let help = Program::new([command, "--help"]).run();
        assert_eq!(help.code, Some(0), "{help:?}");
        for flag in flags {
            assert!(FILE.contains(flag) && help.said().contains(flag), "{command} {flag}");
        }
    }
    assert!(FILE.contains("target-feature=+crt-static"), "nothing is in the image to link with");
}
