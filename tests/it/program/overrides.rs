//! Variables of the environment that go before the file: each key of the reference that is no list has one.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;

use tower_webhook::config::{self, Overrides};

use super::certificates::Authority;
use super::child::{Done, Folder, Listener, Program};
use super::reference::{PAGE, rows};
use super::upstream::aella;

const AELLA: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
    keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

/// Headings of the reference, what their variables begin with, and a file that has the table.
const TABLES: [(&str, &str, &str); 11] = [
    ("The file", "", ""),
    ("`tls`", "TLS_", "[tls]\ncertificate = \"c\"\nkey = \"k\"\n"),
    ("`[dedupe]`", "DEDUPE_", "[dedupe]\nkind = \"memory\"\n"),
    ("`[dedupe]` with `kind = \"redis\"`", "DEDUPE_", "[dedupe]\nkind = \"redis\"\nurl = \"redis://a\"\n"),
    ("`wait`", "DEDUPE_WAIT_", "[dedupe]\nkind = \"redis\"\nurl = \"redis://a\"\n"),
    ("`[inbox]`", "INBOX_", "[inbox]\nkind = \"sqlite\"\npath = \"i\"\n"),
    ("`[inbox]` with `kind = \"sqlite\"`", "INBOX_", "[inbox]\nkind = \"sqlite\"\npath = \"i\"\n"),
    ("`[inbox]` with `kind = \"postgres\"`", "INBOX_", "[inbox]\nkind = \"postgres\"\nurl = \"postgres://a@b/c\"\n"),
    ("`retry`", "INBOX_RETRY_", "[inbox]\nkind = \"sqlite\"\npath = \"i\"\n"),
    ("`retention`", "INBOX_RETENTION_", "[inbox]\nkind = \"sqlite\"\npath = \"i\"\n"),
    ("`quota`", "INBOX_QUOTA_", "[inbox]\nkind = \"sqlite\"\npath = \"i\"\n"),
];

/// Another value than the file's of this type, and whether any text is one. `None`: a variable cannot say it.
fn example(kind: &str) -> Option<(&str, bool)> {
    match kind {
        "address" => Some(("127.0.0.1:7", false)),
        "size" => Some(("1234KiB", false)),
        "time" | "time, at least 1 s" => Some(("77s", false)),
        "boolean" => Some(("true", false)),
        "number" => Some(("77", false)),
        "text" | "path" => Some(("another", true)),
        "a [secret](#secrets)" | "text, or a [secret](#secrets)" => Some(("another", true)),
        words if words.starts_with('"') => words.split('"').nth(1).map(|word| (word, false)),
        "table" | "list of tables" => None,
        table if table.starts_with("[table]") => None,
        other => panic!("{other}: how is it written in a variable?"),
    }
}

/// What is read of this file with these variables; secrets shown.
fn read(file: &Path, variables: &[(&str, &str)]) -> Result<String, String> {
    let variables = variables.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
    let spec = config::read_with(file, &Overrides::new(variables)).map_err(|faults| faults.to_string())?;
    let shown = |source: &config::SecretSource| match source {
        config::SecretSource::Value(text) => text.expose().to_owned(),
        other => format!("{other:?}"),
    };
    let mut secrets = Vec::new();
    secrets.extend(spec.tls.iter().map(|tls| shown(&tls.key)));
    if let config::StoreSpec::Redis(redis) = &spec.dedupe.store {
        secrets.push(shown(&redis.url));
    }
    if let Some(config::InboxStoreSpec::Postgres(postgres)) = spec.inbox.as_ref().map(|inbox| &inbox.store) {
        secrets.push(shown(&postgres.url));
    }
    Ok(format!("{spec:?} {secrets:?}"))
}

/// The keys of a heading with their types.
fn keys(heading: &str) -> Vec<(String, String)> {
    let keys = rows(PAGE).into_iter().filter(|row| row.heading == heading).map(|row| (row.key, row.kind)).collect();
    assert_ne!(keys, [], "{heading}");
    keys
}

#[test]
fn each_key_that_is_no_list_has_a_variable_and_what_it_may_not_be_is_a_fault_without_its_value() {
    let folder = Folder::new();
    let mut names = Vec::new();
    for (heading, start, table) in TABLES {
        for (key, kind) in keys(heading) {
            let name = format!("TOWER_WEBHOOK_{start}{}", key.to_ascii_uppercase());
            let Some((value, takes_any)) = example(&kind) else {
                let whole =
                    read(&folder.write("receiver.toml", format!("{table}{AELLA}")), &[(&name, "1")]).unwrap_err();
                assert!(whole.starts_with(&format!("(environment): {name}: names no key")), "{whole}");
                continue;
            };
            // With a word that is none the file alone is at fault.
            let table =
                if key == "kind" { table.replacen(&format!("\"{value}\""), "\"odd\"", 1) } else { table.to_owned() };
            let file = folder.write("receiver.toml", format!("{table}{AELLA}"));
            let taken = read(&file, &[(&name, value)]);
            assert!(taken.is_ok(), "{name}: {taken:?}");
            assert_ne!(taken, read(&file, &[]), "{name} is as if it were not there");
            let wrong = read(&file, &[(&name, "canary")]);
            match takes_any {
                true => assert!(wrong.is_ok(), "{name}: {wrong:?}"),
                false => {
                    let wrong = wrong.unwrap_err();
                    assert!(wrong.starts_with(&format!("(environment): {name}: ")), "{name}: {wrong}");
                    assert!(!wrong.contains("canary"), "{name}: {wrong}");
                }
            }
            names.push(name);
        }
    }
    assert!(names.len() > 30, "{names:?}");
    let different: BTreeSet<&String> = names.iter().collect();
    assert_eq!(different.len(), names.len(), "two keys have one variable: {names:?}");
}

#[test]
fn what_names_no_key_is_refused_by_its_name_alone() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", AELLA);
    for name in [
        "TOWER_WEBHOOK_LISTN",
        "TOWER_WEBHOOK_",
        "TOWER_WEBHOOK_PORT",
        "TOWER_WEBHOOK_ENDPOINT",
        "TOWER_WEBHOOK_ENDPOINT_PATH",
        "TOWER_WEBHOOK_ENDPOINT[0]_PATH",
        // There is no such key of an inbox in a file, and there is none without an inbox.
        "TOWER_WEBHOOK_DEDUPE_URL",
        "TOWER_WEBHOOK_DEDUPE",
    ] {
        let wrong = read(&file, &[(name, "canary")]).unwrap_err();
        assert!(wrong.starts_with(&format!("(environment): {name}: names no key that is read; ")), "{wrong}");
        assert!(!wrong.contains("canary"), "{wrong}");
    }
    let one = folder.write("one.toml", AELLA.replace("[[endpoint]]", "[endpoint]"));
    assert!(read(&one, &[("TOWER_WEBHOOK_ENDPOINT_NAME", "n")]).unwrap_err().contains("names no key"));
    assert!(read(&file, &[("TOWER_WEBHOOK_SERVICE_HOST", "10.0.0.1")]).is_ok(), "Kubernetes' own");
}

#[test]
fn variables_alone_make_a_table_and_are_all_of_a_secret() {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", AELLA);
    let inbox = [("TOWER_WEBHOOK_INBOX_KIND", "sqlite"), ("TOWER_WEBHOOK_INBOX_PATH", "i.db")];
    assert!(read(&file, &inbox).unwrap().contains("i.db"));
    let half = read(&file, &inbox[..1]).unwrap_err();
    assert!(half.contains("inbox.path: is missing"), "{half}");

    let tls = folder.write("tls.toml", format!("tls = {{ certificate = \"c\", key = {{ env = \"OLD\" }} }}\n{AELLA}"));
    assert!(read(&tls, &[]).unwrap().contains("OLD"), "the control");
    let taken = read(&tls, &[("TOWER_WEBHOOK_TLS_KEY_FILE", "new.pem")]).unwrap();
    assert!(taken.contains("new.pem") && !taken.contains("OLD"), "{taken}");
    let both = [("TOWER_WEBHOOK_TLS_KEY_FILE", "new.pem"), ("TOWER_WEBHOOK_TLS_KEY", "canary")];
    let both = read(&tls, &both).unwrap_err();
    assert!(both.contains("TOWER_WEBHOOK_TLS_KEY: names no key that is read") && !both.contains("canary"), "{both}");
}

/// A command on this file with these variables.
fn run(command: &str, config: &str, variables: &[(&str, &str)]) -> Done {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    let program = Program::new([command.into(), "--config".into(), file.into_os_string()]);
    variables.iter().fold(program, |program, (name, value)| program.env(name, value)).run()
}

#[test]
fn check_config_names_what_goes_before_the_file_and_a_fault_of_building_names_it_too() {
    let done = run("check-config", AELLA, &[("TOWER_WEBHOOK_TENANT", "canary"), ("TOWER_WEBHOOK_DRAIN", "5s")]);
    assert_eq!((done.code, done.stdout.as_slice()), (Some(0), &["ok".to_owned()][..]), "{done:?}");
    for name in ["TOWER_WEBHOOK_TENANT", "TOWER_WEBHOOK_DRAIN"] {
        assert!(done.stderr.contains(&format!("{name} of the environment goes before the file")), "{done:?}");
    }
    assert!(!done.said().contains("canary"), "{done:?}");

    let certificate = [("TOWER_WEBHOOK_TLS_CERTIFICATE", "canary.pem"), ("TOWER_WEBHOOK_TLS_KEY", "k")];
    for (variables, name) in
        [(&[("TOWER_WEBHOOK_DEDUPE_LEASE", "1ms")][..], "TOWER_WEBHOOK_DEDUPE_LEASE"), (&certificate, certificate[0].0)]
    {
        for command in ["check-config", "listen"] {
            let done = run(command, AELLA, variables);
            assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{command}: {done:?}");
            assert!(done.stderr.contains(&format!("tower-webhook: (environment): {name}: ")), "{command}: {done:?}");
            assert!(!done.said().contains("canary"), "{command}: {done:?}");
        }
    }
}

#[test]
fn every_command_that_reads_the_file_reads_the_variables_too() {
    for arguments in [
        &["listen"][..],
        &["check-config"],
        &["healthcheck"],
        &["inbox", "stats"],
        &["reconcile", "--report", "-", "--reference", "id"],
        &["explain", "--endpoint", "/aella"],
        &["send", "aella/transfer.completed", "--to", "http://127.0.0.1:1/aella"],
        &["storm", "--to", "http://127.0.0.1:1", "--upstream", "127.0.0.1:0", "--seed", "1", "--events", "1"],
    ] {
        let folder = Folder::new();
        let file = folder.write("receiver.toml", AELLA);
        let all = arguments.iter().copied().chain(["--config", file.to_str().unwrap()]);
        let done = Program::new(all).env("TOWER_WEBHOOK_LISTN", "canary").run();
        assert_eq!(done.code, Some(2), "{arguments:?}: {done:?}");
        assert!(done.stderr.contains("(environment): TOWER_WEBHOOK_LISTN: names no key"), "{arguments:?}: {done:?}");
    }
}

#[test]
fn another_file_while_it_runs_comes_after_the_variables_too() {
    let plain = format!("listen = \"127.0.0.1:0\"\n{AELLA}");
    let small = [("TOWER_WEBHOOK_MAX_BODY", "8")];
    let listener = Listener::start_with(&plain, &small);
    assert_eq!(aella("1").send(listener.address()).status, 413);
    assert!(listener.reload(&format!("max_body = \"1MiB\"\n{plain}")));
    assert_eq!(aella("1").send(listener.address()).status, 413, "the file came before the variable");
    assert_eq!(listener.stop().code, Some(0));
    let without = Listener::start(&plain);
    assert_eq!(aella("1").send(without.address()).status, 200, "the control");
}

/// Every place of a secret, with `SECRET` for its source.
const SECRETS: [(&str, &str, &str); 5] = [
    (
        "keys",
        "ae_sk_test_example",
        "[[endpoint]]\npath = \"/a\"\nprovider = \"aella\"\nkeys = [{ id = \"k\", SECRET }]\n",
    ),
    (
        "basic_auth",
        "password",
        "[[endpoint]]\npath = \"/m\"\nprovider = \"mambu\"\nbasic_auth = [{ username = \"u\", password = { SECRET } }]\n",
    ),
    ("dedupe", "redis://127.0.0.1:1", "[dedupe]\nkind = \"redis\"\nurl = { SECRET }\nAELLA"),
    ("inbox", "postgres://a@127.0.0.1:1/c", "[inbox]\nkind = \"postgres\"\nurl = { SECRET }\nAELLA"),
    ("tls", "", "tls = { certificate = \"CERTIFICATE\", key = { SECRET } }\nAELLA"),
];

#[test]
fn every_secret_comes_from_a_variable_or_a_file_and_from_nowhere_if_there_is_none() {
    let folder = Folder::new();
    let (certificate, key) = Authority::new(&folder, "root").signs("server", "server");
    let (certificate, key) = (certificate.display().to_string(), std::fs::read_to_string(key).unwrap());
    for (place, secret, config) in SECRETS {
        let secret = if place == "tls" { key.as_str() } else { secret };
        folder.write("secret", secret);
        for (source, is_there) in [
            ("env = \"THE_SECRET\"", true),
            ("file = \"secret\"", true),
            ("env = \"NOT_THE_SECRET\"", false),
            ("file = \"no-secret\"", false),
        ] {
            let config = config.replace("SECRET", source).replace("AELLA", AELLA).replace("CERTIFICATE", &certificate);
            let file = folder.write("receiver.toml", config);
            let done = Program::new(["check-config".into(), "--config".into(), file.into_os_string()])
                .env("THE_SECRET", secret)
                .run();
            let code = if is_there { 0 } else { 2 };
            assert_eq!(done.code, Some(code), "{place} {source}: {done:?}");
        }
    }
}
