//! `candidate`: keys that are tried beside those that decide, said on stderr where they differ, and never decisive.

use super::child::{Folder, Listener, Program};
use super::wire::{Raw, hex, hmac512};

const TODAY: &str = "ae_sk_test_today_canary";
const TOMORROW: &str = "ae_sk_test_tomorrow_canary";
const STRANGER: &str = "ae_sk_test_of_nobody_canary";

fn config(candidate: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"today\", value = \"{TODAY}\" }}]\n{candidate}\n"
    )
}

fn beside(secret: &str) -> String {
    config(&format!(
        "[endpoint.candidate]\nprovider = \"aella\"\nkeys = [{{ id = \"tomorrow\", value = \"{secret}\" }}]"
    ))
}

/// The status of a transfer that is sealed so.
fn send(listener: &Listener, id: &str, secret: &str) -> u16 {
    let body = format!(r#"{{"event":"transfer.completed","data":{{"id":"{id}","amount":1}}}}"#);
    let signature = hex(&hmac512(secret.as_bytes(), &[body.as_bytes()]));
    Raw::new("/aella", &[("x-aella-signature", signature)], body).send(listener.address()).status
}

#[test]
fn a_candidate_of_the_file_decides_nothing_and_is_said_where_it_differs() {
    const FITS: &str = "warning: /aella: the candidate fits a delivery that was refused, by its key tomorrow";
    const REFUSES: &str = "warning: /aella: the candidate would refuse a delivery that is proved: signature_mismatch";
    for (config, fits, refuses) in
        [(config(""), 0, 0), (beside(TODAY), 0, 0), (beside(TOMORROW), 1, 1), (beside("another_of_nobody"), 0, 1)]
    {
        let listener = Listener::start(&config);
        let said = [TODAY, TOMORROW, STRANGER].map(|secret| send(&listener, "7b", secret));
        assert_eq!(said, [200, 401, 401], "as without a candidate: {config}");
        let done = listener.stop();
        let count = |words: &str| done.stderr.matches(words).count();
        assert_eq!((count(FITS), count(REFUSES)), (fits, refuses), "{config}: {}", done.stderr);
        assert_eq!(done.stderr.matches("the candidate").count(), fits + refuses, "{}", done.stderr);
        assert!(!done.said().contains("canary"), "{}", done.said());
    }
}

#[test]
fn a_candidate_comes_and_goes_while_the_program_runs() {
    let listener = Listener::start(&config(""));
    assert!(listener.reload(&beside(TOMORROW)));
    assert_eq!([TOMORROW, TODAY].map(|secret| send(&listener, "7b", secret)), [401, 200]);
    assert!(listener.reload(&config("")));
    assert_eq!([TOMORROW, TODAY].map(|secret| send(&listener, "7c", secret)), [401, 200]);
    let done = listener.stop();
    assert_eq!(done.stderr.matches("the candidate").count(), 2, "{}", done.stderr);
}

#[test]
fn what_is_wrong_with_a_candidate_is_a_fault_and_an_old_key_a_warning() {
    let check = |candidate: &str| {
        let folder = Folder::new();
        let path = folder.write("receiver.toml", config(candidate));
        Program::new(["check-config".into(), "--config".into(), path.into_os_string()]).run()
    };
    for (candidate, fault) in [
        ("candidate = 1", "endpoint[0].candidate: integer is not taken here; "),
        ("candidate = {}", "endpoint[0].candidate.provider: is missing; "),
        ("candidate = { provider = \"nobody\" }", "endpoint[0].candidate.provider: \"nobody\" is not known; "),
        ("candidate = { provider = \"aella\" }", "endpoint[0].candidate.keys: is missing; "),
        ("candidate = { provider = \"mambu\" }", "endpoint[0].candidate.provider: proves no sender without keys"),
        (
            "candidate = { provider = \"aella\", keys = [{ id = \"k\", value = \"short\" }] }",
            "endpoint[0].candidate.keys[0].value: ",
        ),
        (
            "candidate = { provider = \"opp\", keys = [{ id = \"k\", value = \"canary\" }] }",
            "endpoint[0].candidate.keys[0].value: the value is not hexadecimal; ",
        ),
    ] {
        let done = check(candidate);
        assert_eq!((done.code, done.stderr.lines().count()), (Some(2), 1), "{candidate}: {}", done.stderr);
        assert!(done.stderr.contains(&format!("/receiver.toml: {fault}")), "{candidate}: {}", done.stderr);
        assert!(!done.said().contains("canary"), "{}", done.said());
    }
    let old = "candidate = { provider = \"aella\", keys = [{ id = \"k\", value = \"ae_sk_test_example\", not_after = 2020-01-01T00:00:00Z }] }";
    let done = check(old);
    assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["ok".to_owned()][..]), "{done:?}");
    assert!(done.stderr.contains("/aella: the candidate's key k is over since 2020-01-01T00:00:00Z"), "{done:?}");
}
