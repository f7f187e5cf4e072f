//! `deploy/Containerfile`: what its image is and does. That it is built is for whoever has a builder; `scripts/container.py` runs
//! what it would hold.

use std::collections::BTreeSet;

use super::child::Program;

const MANIFEST: &str = include_str!("../../../Cargo.toml");
const DOCS: &str = include_str!("../../../docs/run.md");
const SCRIPT: &str = include_str!("../../../scripts/container.py");
const FILE: &str = include_str!("../../../deploy/Containerfile");
const IGNORED: &str = include_str!("../../../.dockerignore");

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

/// Of what cargo needs to build, and what is not copied to where it is built; and a compiler that is another than the manifest's.
fn unfit(file: &str) -> Vec<String> {
    let all = instructions(file);
    let of =
        |name: &str| all.iter().filter(|(other, _)| other == name).map(|(_, words)| words.as_str()).collect::<Vec<_>>();
    let mut wrong = Vec::new();
    let version =
        MANIFEST.lines().find_map(|line| line.strip_prefix("rust-version = \"")).unwrap().trim_end_matches('"');
    if !of("FROM")[0].starts_with(&format!("docker.io/library/rust:{version}-")) {
        wrong.push(format!("it is not built by Rust {version}"));
    }
    let copied: Vec<&str> = of("COPY").iter().flat_map(|words| words.split(' ').rev().skip(1)).collect();
    let targets =
        MANIFEST.lines().filter_map(|line| line.strip_prefix("path = \"")).map(|path| path.split('/').next().unwrap());
    let needed = targets.chain(["Cargo.toml", "Cargo.lock", "src", "examples", "README.md"]);
    let lacks = needed.filter(|needed| !copied.contains(needed)).collect::<BTreeSet<_>>();
    wrong.extend(lacks.iter().map(|lack| format!("{lack} is not there to build")));
    let [user, group] = of("USER")[0].split(':').collect::<Vec<_>>()[..] else { return vec!["no user".to_owned()] };
    if !of("RUN").iter().any(|words| words.contains(&format!("chown {user}:{group} /image{}", of("WORKDIR")[1]))) {
        wrong.push("the folder of its state is another's".to_owned());
    }
    for (what, text) in [("docs/run.md", DOCS.to_owned()), ("scripts/container.py", SCRIPT.replace("USER = ", "user "))]
    {
        if !text.contains(&format!("user {user}")) {
            wrong.push(format!("{what} speaks of another user"));
        }
    }
    wrong
}

#[test]
fn it_is_built_of_all_that_cargo_needs_by_the_compiler_that_is_tested_for_the_user_that_is_said() {
    assert_eq!(unfit(FILE), Vec::<String>::new());
    for (right, other, told) in [
        ("rust:1.", "rust:2.", &["it is not built by Rust"][..]),
        ("COPY benches benches\n", "", &["benches is not there to build"]),
        ("Cargo.lock ", "", &["Cargo.lock is not there to build"]),
        ("chown 65532:65532", "chown 0:0", &["the folder of its state is another's"]),
        ("65532:65532", "7:7", &["docs/run.md speaks of another user", "scripts/container.py speaks of another user"]),
    ] {
        let file = FILE.replace(right, other);
        assert_ne!(file, FILE, "{right}");
        let wrong = unfit(&file);
        assert!(
            wrong.len() == told.len() && wrong.iter().zip(told).all(|(wrong, told)| wrong.starts_with(told)),
            "{wrong:?}"
        );
    }
}

/// What keeps a builder that is called as these texts say from an image that is whole.
fn left_out(file: &str, ignored: &str, texts: &[&str]) -> Vec<String> {
    let all = instructions(file);
    let copied = all.iter().filter(|(name, words)| name == "COPY" && !words.starts_with("--from"));
    let copied = copied.flat_map(|(_, words)| words.split(' ').rev().skip(1));
    let hidden = copied.filter(|copied| !ignored.lines().any(|line| line.strip_prefix('!') == Some(copied)));
    let mut wrong: Vec<_> = hidden.map(|hidden| format!("{hidden} is ignored")).collect();
    let calls = texts.iter().flat_map(|text| text.lines()).filter(|line| line.contains("podman build"));
    let in_oci = calls.filter(|call| !call.contains(" --format docker "));
    wrong.extend(in_oci.map(|call| format!("no health is asked: {}", call.trim_start_matches(['#', ' ']))));
    wrong
}

#[test]
fn a_builder_sees_what_is_copied_and_keeps_the_health_check() {
    let texts = [FILE, DOCS];
    assert!(texts.iter().all(|text| text.contains("podman build")), "nobody says how it is built");
    assert!(IGNORED.lines().any(|line| line == "*"), "builds are sent to the builder");
    assert_eq!(left_out(FILE, IGNORED, &texts), Vec::<String>::new());
    assert_eq!(left_out(FILE, &IGNORED.replace("!src\n", ""), &texts), ["src is ignored"]);
    let in_oci = DOCS.replace(" --format docker", "");
    let told = "no health is asked: podman build -f deploy/Containerfile -t tower-webhook .";
    assert_eq!(left_out(FILE, IGNORED, &[FILE, &in_oci]), [told]);
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
