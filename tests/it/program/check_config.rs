//! `check-config`: all faults of a file, or "ok".

use super::child::{Done, Folder, Program};

const GOOD: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
    keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

fn check(config: &str) -> Done {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    Program::new(["check-config".into(), "--config".into(), file.into_os_string()]).run()
}

#[test]
fn a_file_without_faults_is_ok_and_its_warnings_are_no_data() {
    let done = check(GOOD);
    assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_str()), (Some(0), &["ok".to_owned()][..], ""));
    let done = check(&format!("listen = \"0.0.0.0:0\"\n{GOOD}"));
    assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["ok".to_owned()][..]));
    assert!(done.stderr.starts_with("tower-webhook: warning: dedupe: the memory store forgets at exit"), "{done:?}");
    for (more, warns) in [("", true), ("forward_to = \"http://127.0.0.1:1\"\n", false)] {
        let done = check(&format!("quiet_payloads = true\n{GOOD}{more}"));
        assert_eq!(done.code, Some(0), "{done:?}");
        assert_eq!(done.stderr.contains("what its events say goes nowhere"), warns, "{more}: {done:?}");
    }
}

#[test]
fn all_faults_are_named_those_of_reading_and_those_of_building() {
    let other = "[[endpoint]]\npath = \"opp\"\nprovider = \"opp\"\nname = \"\"\nkeys = [{ id = \"k\", value = \"canary\" }]\n\
        forward_to = \"http://example.com\"\nretention = \"soon\"\n";
    let unread = "[[endpoint]]\npath = \"/x\"\nprovider = \"nobody\"\nbasic_auth = [{ username = \"u\", password = \"\" }]\n\
        keys = [{ id = \"k\", encoding = \"latin1\" }]\nsources = [\"home\"]\n";
    let old = GOOD.replace("/aella", "/old").replace("\" }]", "\", not_after = \"2020-01-01T00:00:00Z\" }]");
    let done = check(&format!("colour = 1\ndrain = 5\n{GOOD}{other}{unread}{old}"));
    assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
    for fault in [
        "colour: is not known here; ",
        "drain: integer is not taken here; ",
        "endpoint[1].path: is not a path; ",
        "endpoint[1].name: is not a name; ",
        "endpoint[1].keys[0].value: the value is not hexadecimal; ",
        "endpoint[1].forward_to: is not this machine",
        "endpoint[1].retention: string is not taken here; ",
        "endpoint[2].provider: \"nobody\" is not known; ",
        "endpoint[2].basic_auth[0].password: ",
        "endpoint[2].keys[0].encoding: is not known; ",
        "endpoint[2].keys[0].value: a secret comes from one place; ",
        "endpoint[2].sources: ",
        "endpoint[3].keys: all are over; ",
    ] {
        assert!(done.stderr.contains(&format!("/receiver.toml: {fault}")), "{fault} is not in {}", done.stderr);
    }
    assert_eq!(done.stderr.lines().count(), 13, "each is said once: {}", done.stderr);
    assert!(!done.stderr.contains("canary"), "{done:?}");
}

#[test]
fn what_could_not_be_read_is_no_fault_of_building_too() {
    for (line, fault) in [
        ("keys = 7", "endpoint[0].keys: integer is not taken here"),
        ("keys = [{ value = \"ae_sk_test_example\" }]", "endpoint[0].keys[0].id: is missing"),
        ("keys = [{ id = \"k\", value = 7 }]", "endpoint[0].keys[0].value: "),
        (
            "keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\nbasic_auth = [{ password = \"p\" }]",
            "endpoint[0].basic_auth[0].username: is missing",
        ),
    ] {
        let done = check(&format!("[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n{line}\n"));
        assert_eq!(done.code, Some(2), "{done:?}");
        assert!(
            done.stderr.lines().all(|told| told.contains(&format!("/receiver.toml: {fault}"))),
            "{line}: {}",
            done.stderr
        );
    }
    let done = check("[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n");
    assert!(done.stderr.contains("endpoint[0].keys: is missing; "), "{done:?}");
}

#[test]
fn a_file_that_is_not_there_or_no_toml_is_a_fault() {
    let done = Program::new(["check-config", "--config", "/nowhere/at/all.toml"]).run();
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.starts_with("tower-webhook: /nowhere/at/all.toml: (file): cannot be read: "), "{done:?}");
    let done = check("listen = \"127.0.0.1:0\"\nlisten = 1\n");
    assert_eq!(done.code, Some(2), "{done:?}");
    assert!(done.stderr.contains("/receiver.toml: line 2: "), "{done:?}");
}
