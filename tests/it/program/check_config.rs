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
        "endpoint[1].retention: \"soon\" is not one number with its unit; ",
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

const AELLA: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n";
const KEYS: &str = "keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";
const UNSET: &str = "keys = [{ id = \"k\", env = \"NOPE\" }]\n";

fn custom(rest: &str) -> String {
    format!("[[endpoint]]\npath = \"/x\"\nprovider = \"custom\"\nkey = {{ header = \"x-id\" }}\n{rest}\n")
}

fn signed(key: &str) -> String {
    custom(&format!("keys = [{{ id = \"k\", {key} }}]\nscheme = {{ mac = \"hmac-sha256\", header = \"x-mac\" }}"))
}

/// Checks a file with these variables, and returns what stands behind its name in each fault.
fn faults_with(config: &str, environment: &[(&str, &str)]) -> Vec<String> {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    folder.write("empty", "\n");
    let program = Program::new(["check-config".into(), "--config".into(), file.into_os_string()]);
    let done = environment.iter().fold(program, |program, (name, value)| program.env(name, value)).run();
    assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{config}: {done:?}");
    let fault = |line: &str| line.split_once("receiver.toml: ").map_or(line, |(_, fault)| fault).to_owned();
    done.stderr.lines().map(fault).collect()
}

/// A file has these faults and no others.
fn check_faults(config: &str, expected: &[&str]) {
    let told = faults_with(config, &[]);
    assert_eq!(told.len(), expected.len(), "{config}: {told:#?}");
    for start in expected {
        assert!(told.iter().any(|line| line.starts_with(start)), "{config}: {start:?} is not in {told:#?}");
    }
}

fn check_ok(config: &str) {
    let done = check(config);
    assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["ok".to_owned()][..]), "{config}: {done:?}");
}

#[test]
fn no_fault_hides_another() {
    let no_key = "endpoint[0].keys[0].env: NOPE is not set; ";
    let short = "endpoint[0].keys[0].value: the secret has 5 bytes, at least 16 are needed; ";
    let header = "scheme = { mac = \"hmac-sha256\", header = \"x y\" }";
    let six = (0..6).map(|at| format!("{{ id = \"{at}\", env = \"NOPE\" }}")).collect::<Vec<_>>().join(", ");
    let six_faults: Vec<String> = (0..6).map(|at| format!("endpoint[0].keys[{at}].env: ")).collect();
    let six_faults: Vec<&str> =
        ["endpoint[0].keys: more than 5 keys; "].into_iter().chain(six_faults.iter().map(String::as_str)).collect();
    for (config, faults) in [
        (custom(UNSET), &["endpoint[0].scheme: is missing; ", no_key][..]),
        (custom(&format!("scheme = 7\n{UNSET}")), &["endpoint[0].scheme: integer is not taken here; ", no_key]),
        (
            custom(&format!("odd = 1\nurl = 7\n{UNSET}")),
            &["endpoint[0].scheme: ", "endpoint[0].odd: ", "endpoint[0].url: ", no_key],
        ),
        (
            custom(&format!("{header}\nkeys = [{{ id = \"k\", value = \"short\" }}]")),
            &["endpoint[0].scheme.header: \"x y\" is not a header name; ", short],
        ),
        (
            custom("scheme = { token = true }\nkeys = [{ id = \"k\", value = \"short\" }]"),
            &["endpoint[0].scheme.header: is missing; ", short],
        ),
        (
            custom(&format!("{header}\n{UNSET}")).replace("key = {", "key = { odd = 1, "),
            &["endpoint[0].scheme.header: ", "endpoint[0].key.odd: ", no_key],
        ),
        (AELLA.replace("aella\"\n", "aela\"\n") + UNSET, &["endpoint[0].provider: \"aela\" is not known; ", no_key]),
        (format!("[[endpoint]]\npath = \"/a\"\n{UNSET}"), &["endpoint[0].provider: is missing; ", no_key]),
        (
            format!("{AELLA}{KEYS}candidate = {{ provider = \"aela\", {} }}\n", UNSET.trim()),
            &["endpoint[0].candidate.provider: \"aela\" is not known; ", "endpoint[0].candidate.keys[0].env: NOPE"],
        ),
        (
            format!(
                "{AELLA}keys = [{{ id = \"k\", env = \"NOPE\" }}, {{ id = \"k\", value = \"ae_sk_test_example\" }}]\n"
            ),
            &[no_key, "endpoint[0].keys[1].id: \"k\" stands twice; "],
        ),
        (format!("{AELLA}keys = [{six}]\n"), &six_faults),
        (
            format!(
                "{AELLA}keys = [{{ id = \"a\", env = \"NOPE\" }}, {{ id = \"b\", value = \"short\", dangerous_short = true }}]\n"
            ),
            &[
                "endpoint[0].keys[0].env: ",
                "endpoint[0].keys[1].dangerous_short: ",
                "endpoint[0].keys[1].value: the secret has 5 bytes",
            ],
        ),
        (
            format!("{AELLA}{KEYS}basic_auth = [{{ username = \"a:b\", password = {{ env = \"NOPE\" }} }}]\n"),
            &["endpoint[0].basic_auth[0].username: ", "endpoint[0].basic_auth[0].password.env: "],
        ),
        (
            format!("{AELLA}{KEYS}retention = \"1d\"\nforward_to = \"nowhere\"\n"),
            &["endpoint[0].retention: a retention of ", "endpoint[0].forward_to: "],
        ),
        (
            signed("value = \"ae_sk_test_example\"").replace("header = \"x-id\"", "jsn = \"/x\""),
            &["endpoint[0].key.json: one place is to be named; ", "endpoint[0].key.jsn: is not known here; "],
        ),
    ] {
        check_faults(&config, faults);
    }
    check_ok(&signed("value = \"ae_sk_test_example\""));
    check_ok(&format!(
        "{AELLA}keys = [{{ id = \"a\", value = \"ae_sk_test_example\" }}, {{ id = \"b\", value = \"ae_sk_test_example\" }}]\n"
    ));
}

/// As long as its sender may come again; the fifth on top of that nobody has to give.
#[test]
fn keys_are_kept_for_as_long_as_their_sender_may_come_again() {
    let (bank, key) = ("sim-bc-notification-key-32-chars", "000102030405060708090a0b0c0d0e0f".repeat(2));
    for (provider, key, days, is_enough) in [
        ("opp", &*key, 30, true),
        ("opp", &*key, 29, false),
        ("banking_circle", bank, 35, true),
        ("banking_circle", bank, 33, false),
        ("aella", "ae_sk_test_example", 6, true),
        ("aella", "ae_sk_test_example", 5, false),
    ] {
        let file = format!(
            "[[endpoint]]\npath = \"/x\"\nprovider = \"{provider}\"\nkeys = [{{ id = \"k\", value = \"{key}\" }}]\n\
             [inbox]\nkind = \"sqlite\"\npath = \"i\"\nretention = {{ keys = \"{days}d\", bodies = \"1d\" }}\n"
        );
        if is_enough {
            check_ok(&file);
        } else {
            let told = faults_with(&file, &[]);
            assert_eq!(told.len(), 1, "{file}: {told:?}");
            assert!(told[0].starts_with("inbox.retention.keys: /x: a retention of "), "{told:?}");
        }
    }
}

#[test]
fn a_fault_is_at_the_key_that_stands_in_the_file() {
    let bank = "[[endpoint]]\npath = \"/bank\"\nprovider = \"banking_circle\"\n\
        keys = [{ id = \"k\", value = \"sim-bc-notification-key-32-chars\" }]\n";
    let inbox = |keys: &str| {
        format!("{bank}[inbox]\nkind = \"sqlite\"\npath = \"i\"\nretention = {{ {keys}bodies = \"7d\" }}\n")
    };
    let dedupe = |keys: &str| format!("{bank}[dedupe]\nretention = \"{keys}\"\n");
    let user = |pair: &str| format!("{AELLA}{KEYS}basic_auth = [{{ {pair} }}]\n");
    let empty = |source: &str| format!("{AELLA}keys = [{{ id = \"k\", {source} }}]\n");
    let needs = "/bank: a retention of 604800 s is shorter than the ";
    for (config, fault) in [
        (inbox("keys = \"7d\", "), format!("inbox.retention.keys: {needs}")),
        (dedupe("7d"), format!("dedupe.retention: {needs}")),
        (
            format!("{bank}retention = \"7d\"\n"),
            "endpoint[0].retention: a retention of 604800 s is shorter than the ".to_owned(),
        ),
        (
            user("username = \"a:b\", password = \"correct horse\""),
            "endpoint[0].basic_auth[0].username: credentials: the user name holds a colon; ".to_owned(),
        ),
        (
            user("username = \"\", password = \"correct horse\""),
            "endpoint[0].basic_auth[0].username: credentials: the user name is empty; ".to_owned(),
        ),
        (
            user("username = \"a\", password = \"tab\\tinside\""),
            "endpoint[0].basic_auth[0].password: credentials: a control character in ".to_owned(),
        ),
        (
            user("username = \"a\\t\", password = \"correct horse\""),
            "endpoint[0].basic_auth[0].username: credentials: a control character in ".to_owned(),
        ),
        (
            user("username = \"a\", password = { env = \"EMPTY\" }"),
            "endpoint[0].basic_auth[0].password.env: the secret is empty; ".to_owned(),
        ),
        (empty("value = \"\""), "endpoint[0].keys[0].value: the secret is empty; ".to_owned()),
        (empty("env = \"EMPTY\""), "endpoint[0].keys[0].env: the secret is empty; ".to_owned()),
        (empty("file = \"empty\""), "endpoint[0].keys[0].file: the secret is empty; ".to_owned()),
        (empty("env = \"SHORT\""), "endpoint[0].keys[0].env: the secret has 5 bytes, ".to_owned()),
    ] {
        let told = faults_with(&config, &[("EMPTY", ""), ("SHORT", "short")]);
        assert_eq!(told.len(), 1, "{config}: {told:#?}");
        assert!(told[0].starts_with(&fault), "{config}: {told:#?}");
        if fault.contains("retention") {
            assert!(told[0].contains("; take \"") && told[0].contains("d\" or longer"), "{told:#?}");
        }
    }
    let told = faults_with(&inbox(""), &[("TOWER_WEBHOOK_INBOX_RETENTION_KEYS", "8d")]);
    assert!(told[0].contains("(environment): TOWER_WEBHOOK_INBOX_RETENTION_KEYS: /bank: "), "{told:#?}");
    for sound in [inbox("keys = \"60d\", "), dedupe("60d"), inbox(""), user("username = \"a\", password = \"b:c\"")] {
        check_ok(&sound);
    }
}

#[test]
fn no_advice_is_a_fault_itself() {
    let short = "keys = [{ id = \"k\", value = \"short\" }]\n";
    let advice = |config: &str| {
        let told = faults_with(config, &[]);
        assert_eq!(told.len(), 1, "{config}: {told:#?}");
        told[0].contains("dangerous_short")
    };
    assert!(!advice(&format!("{AELLA}{short}")));
    assert!(!advice(&format!("{AELLA}{KEYS}candidate = {{ provider = \"aella\", {} }}\n", short.trim())));
    assert!(advice(&signed("value = \"short\"")));
    let token = custom(&format!("{short}scheme = {{ token = true, header = \"x-token\" }}"));
    assert!(advice(&token));
    check_ok(&signed("value = \"short\", dangerous_short = true"));
    check_ok(&token.replace("\"short\"", "\"short\", dangerous_short = true"));
}

#[test]
fn what_would_never_come_to_effect_is_refused() {
    let forward = |lines: &str| format!("{AELLA}{KEYS}{lines}\n");
    let bank = |headers: &str| {
        format!("{AELLA}{KEYS}headers = {{ {headers} }}\n")
            .replace("\"aella\"", "\"banking_circle\"")
            .replace("ae_sk_test_example", "sim-bc-notification-key-32-chars")
    };
    for (config, fault) in [
        (
            format!("{AELLA}{KEYS}").replace("/aella", "/a#b"),
            "path: is not a path; begin it with \"/\", without a query or a fragment",
        ),
        (format!("{AELLA}{KEYS}").replace("/aella", "/a?b"), "path: is not a path; "),
        (
            forward("forward_to = \"http://u:canary@127.0.0.1:1/\""),
            "forward_to: holds a user name or a password, which would not be sent; ",
        ),
        (
            forward("forward_to = \"http://u@127.0.0.1:1/\""),
            "forward_to: holds a user name or a password, which would not be sent; ",
        ),
        (forward("forward_to = \"http://127.0.0.1:0/\""), "forward_to: has the port 0, where nobody listens; "),
        (forward("forward_ca = \"ca.pem\""), "forward_ca: has no effect without forward_to; "),
        (forward("").replace("\"k\"", "\"\""), "keys[0].id: is empty; "),
        (bank("nonce = \"x-a\", tag = \"x-a\""), "headers.tag: \"x-a\" stands twice; "),
        (bank("checksum = \"Nonce\""), "headers.checksum: \"nonce\" stands twice; "),
        (bank("version = \"x-a\", checksum = \"X-A\""), "headers.version: \"x-a\" stands twice; "),
    ] {
        check_faults(&config, &[&format!("endpoint[0].{fault}")]);
        assert!(!faults_with(&config, &[]).concat().contains("canary"), "{config}");
    }
    for sound in [
        forward("").replace("/aella", "/a%23b"),
        forward("forward_to = \"http://127.0.0.1:1/a@b\""),
        forward("forward_to = \"http://127.0.0.1/\""),
        bank("nonce = \"x-a\", tag = \"x-b\""),
        bank("nonce = \"tag\", tag = \"nonce\""),
    ] {
        check_ok(&sound);
    }
}

#[test]
fn what_is_of_the_right_kind_is_quoted_and_what_would_be_right_is_told() {
    let file = |line: &str| format!("{line}\n{AELLA}{KEYS}");
    let endpoint = |line: &str| format!("{AELLA}{line}\n");
    for (config, faults) in [
        (
            file("body_deadline = \"1h30m\""),
            &["body_deadline: \"1h30m\" is not one number with its unit; write a time such as"][..],
        ),
        (file("body_deadline = \"\""), &["body_deadline: \"\" is not one number with its unit; "]),
        (file("body_deadline = 7"), &["body_deadline: integer is not taken here; write a time such as"]),
        (file("body_budget = -1"), &["body_budget: -1 is not a number of bytes; "]),
        (file("max_body = \"1 big\""), &["max_body: \"1 big\" is not a number of bytes; "]),
        (file("max_body = true"), &["max_body: boolean is not taken here; "]),
        (
            endpoint(&format!("{KEYS}trusted_proxies = -1")),
            &["endpoint[0].trusted_proxies: -1 is not 0 or more; write a whole number, 0 or more"],
        ),
        (endpoint("keys = [\"x\"]"), &["endpoint[0].keys[0]: string is not taken here; write a table: { … }"]),
        (
            endpoint("keys = [{ id = \"k\", value = \"ae_sk_test_example\" }, 7]"),
            &["endpoint[0].keys[1]: integer is not taken here; write a table: { … }"],
        ),
        (endpoint("keys = \"x\""), &["endpoint[0].keys: string is not taken here; write a list of tables"]),
        (
            endpoint(&format!("{KEYS}sources = [\"10.0.0.0/8\", 7]")),
            &["endpoint[0].sources[1]: integer is not taken here; write a text in quotes"],
        ),
        (
            endpoint(&format!("{KEYS}basic_auth = [{{ username = \"u\", password = 5 }}]")),
            &[
                "endpoint[0].basic_auth[0].password: integer is not taken here; write password = \"…\", or { env = \"…\" }",
            ],
        ),
    ] {
        check_faults(&config, faults);
    }
    let told = faults_with(&file(""), &[("TOWER_WEBHOOK_BODY_DEADLINE", "can\"ary")]);
    assert!(told.iter().any(|line| line.contains("TOWER_WEBHOOK_BODY_DEADLINE: ")), "{told:#?}");
    assert!(!told.concat().contains("ary"), "{told:#?}");
    for line in ["body_deadline = \"90m\"", "body_budget = \"20MiB\"", "max_body = 4096"] {
        check_ok(&file(line));
    }
}
