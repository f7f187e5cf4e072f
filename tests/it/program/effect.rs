//! Settings of a file that would have no effect: each is a fault, and none where it has one.

use super::child::Listener;
use super::faults::faults;

const KEYS: &str = "keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
const INBOX: &str = "[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\n";

fn aella(more: &str) -> String {
    format!("[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n{KEYS}{more}\n")
}

fn forwarding(to: &str, more: &str) -> String {
    aella(&format!("forward_to = \"{to}\"\n{more}"))
}

/// A signature over this template, read as these say.
fn signed(template: &str, scheme: &str, more: &str) -> String {
    format!(
        "[[endpoint]]\npath = \"/x\"\nprovider = \"custom\"\n{KEYS}key = {{ header = \"x-id\" }}\n\
         scheme = {{ mac = \"hmac-sha256\", header = \"x-mac\", signed = \"{template}\"{scheme} }}\n{more}\n"
    )
}

fn twins(first: &str, second: &str) -> String {
    let one = |path: &str, more: &str| aella(&format!("name = \"twin\"\n{more}")).replace("/aella", path);
    format!("{}{}{INBOX}", one("/a", first), one("/b", second))
}

const HERE: &str = "http://127.0.0.1:1/";
const FAR: &str = "http://192.0.2.1/";
const DANGER: &str = "dangerous_forward_in_clear = true";
const FORWARD: &str = "forward_to = \"http://127.0.0.1:1/\"\n";

#[test]
fn what_has_no_effect_is_a_fault_and_beside_what_it_needs_is_none() {
    let timed = "{header:x-time}.{body}";
    for (idle, key, counts) in [
        (aella("forward_timeout = \"1s\""), "forward_timeout", forwarding(HERE, "forward_timeout = \"1s\"")),
        (aella("pass_gone = true"), "pass_gone", forwarding(HERE, "pass_gone = true")),
        (aella(DANGER), "dangerous_forward_in_clear", forwarding(FAR, DANGER)),
        (format!("{}{INBOX}", forwarding(HERE, "pass_gone = true")), "pass_gone", forwarding(HERE, "pass_gone = true")),
        (format!("{}{INBOX}", aella("on_mismatch = \"refuse\"")), "on_mismatch", aella("on_mismatch = \"refuse\"")),
        (aella("trusted_proxies = 1"), "trusted_proxies", aella("trusted_proxies = 0")),
        (twins(FORWARD, &format!("{FORWARD}forward_timeout = \"1s\"")), "forward_to", twins(FORWARD, FORWARD)),
        (twins("", "quiet_payloads = true"), "quiet_payloads", twins("quiet_payloads = true", "quiet_payloads = true")),
        (
            signed("{body}", "", "url = \"https://a.example/\""),
            "url",
            signed("{url}{body}", "", "url = \"https://a.example/\""),
        ),
        (
            signed("{body}", "", "dangerous_unsigned_body = true"),
            "dangerous_unsigned_body",
            signed("{header:x-id}", "", "dangerous_unsigned_body = true"),
        ),
        (
            signed("{body}", ", split_strictly = true", ""),
            "scheme.split_strictly",
            signed("{header:x-id}.{body}", ", split_strictly = true", ""),
        ),
        (
            signed("{body}", ", signature_param = \"v1\"", ""),
            "scheme.signature_param",
            signed("{body}", ", params = \",\", signature_param = \"v1\"", ""),
        ),
        (
            signed(timed, "", "timestamp = { dangerous_without_tolerance = true, past = \"1m\" }"),
            "timestamp.past",
            signed(timed, "", "timestamp = { dangerous_without_tolerance = true }"),
        ),
        (
            signed("{body}", "", "").replace("mac = \"hmac-sha256\"", "signature = \"ed25519\"").replace(
                "value = \"ae_sk_test_example\"",
                "value = \"3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c\", encoding = \"hex\", \
                 dangerous_short = true",
            ),
            "keys[0].dangerous_short",
            signed("{body}", "", "").replace("\" }]", "\", dangerous_short = true }]"),
        ),
    ] {
        let told = faults(&idle);
        let last = if idle.contains("/b") { 1 } else { 0 };
        assert_eq!(told.len(), 1, "{idle}: {told:#?}");
        assert!(told[0].starts_with(&format!("endpoint[{last}].{key}: ")), "{idle}: {told:#?}");
        let done = Listener::start(&counts).stop();
        assert_eq!(done.code, Some(0), "{counts}: {done:?}");
    }
}

#[test]
fn twins_are_as_quiet_as_each_other_whichever_of_them_says_so() {
    for (all, second, is_sound) in [("true", "true", true), ("false", "false", true), ("true", "false", false)] {
        let file = format!("quiet_payloads = {all}\n{}", twins("", &format!("quiet_payloads = {second}")));
        if is_sound {
            assert_eq!(Listener::start(&file).stop().code, Some(0), "{file}");
        } else {
            assert!(faults(&file)[0].starts_with("endpoint[1].quiet_payloads: "), "{file}");
        }
    }
}

#[test]
fn a_dedupe_beside_an_inbox_is_said_to_count_for_nothing_unless_it_says_nothing() {
    for (dedupe, warns) in [("", false), ("capacity = 1000000", false), ("lease = \"9s\"", true)] {
        let done = Listener::start(&format!("{}{INBOX}[dedupe]\n{dedupe}\n", aella(""))).stop();
        assert_eq!(done.stderr.contains("dedupe: is not used beside an [inbox]"), warns, "{dedupe}: {done:?}");
    }
}

#[test]
fn a_port_that_there_is_not_is_no_other_port() {
    for port in ["65536", "99999", ""] {
        let told = faults(&forwarding(&format!("http://127.0.0.1:{port}/"), ""));
        assert_eq!(told.len(), 1, "{port}: {told:#?}");
        assert!(told[0].starts_with("endpoint[0].forward_to: has a port that there is not; "), "{told:?}");
    }
    assert_eq!(Listener::start(&forwarding("http://127.0.0.1:65535/", "")).stop().code, Some(0));
}
