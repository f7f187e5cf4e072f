//! The durable inbox from outside: its part of the configuration, and the subcommands that look after it.

use super::child::{Done, Folder, Program};

const AELLA: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\n\
    keys = [{ id = \"k\", value = \"ae_sk_test_example\" }]\n";

fn check(config: &str) -> Done {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    Program::new(["check-config".into(), "--config".into(), file.into_os_string()]).run()
}

/// The faults of a file with this `[inbox]`.
fn faults(inbox: &str) -> Vec<String> {
    let done = check(&format!("{AELLA}[inbox]\n{inbox}\n"));
    assert_eq!(done.code, Some(2), "{done:?}");
    let fault = |line: &str| line.split_once("receiver.toml: ").map(|(_, fault)| fault.to_owned());
    done.stderr.lines().filter_map(fault).collect()
}

#[test]
fn what_is_wrong_with_an_inbox_is_said_and_what_would_be_right() {
    const SQLITE: &str = "kind = \"sqlite\"\npath = \"inbox.db\"\n";
    for (more, fault) in [
        ("lease = \"999ms\"", "inbox.lease: is shorter than a second; "),
        ("lease = \"0s\"", "inbox.lease: is nothing"),
        ("retry = { attempts = 0 }", "inbox.retry.attempts: is nothing"),
        ("retry = { base = \"2s\", cap = \"1s\" }", "inbox.retry.cap: is shorter than base; "),
        ("retry = { base = \"0s\" }", "inbox.retry.base: is nothing"),
        ("retention = { keys = \"8d\", bodies = \"9d\" }", "inbox.retention.keys: is shorter than bodies; "),
        ("quota = { rows = 0 }", "inbox.quota.rows: is nothing"),
        ("quota = { bytes = \"1TiB\" }", "inbox.quota.bytes: string is not taken here; "),
        ("colour = 1", "inbox.colour: is not known here; "),
        ("url = \"postgres://\"", "inbox.url: is not known here; "),
    ] {
        let told = faults(&format!("{SQLITE}{more}"));
        assert_eq!(told.len(), 1, "{more}: {told:?}");
        assert!(told[0].starts_with(fault), "{more}: {told:?}");
    }
    for (whole, fault) in [
        ("kind = \"postgres\"\nurl = \"postgres://\"\npath = \"x\"", "inbox.kind: \"postgres\" is not built yet; "),
        ("kind = \"mysql\"\npath = \"x\"", "inbox.kind: \"mysql\" is not known; "),
        ("path = \"x\"", "inbox.kind: is missing; "),
        ("kind = \"sqlite\"", "inbox.path: is missing; "),
        ("kind = \"sqlite\"\npath = \"\"", "inbox.path: is empty; "),
    ] {
        let told = faults(whole);
        assert_eq!(told.len(), 1, "{whole}: {told:?}");
        assert!(told[0].starts_with(fault), "{whole}: {told:?}");
    }
    // As long as its sender may come again, as with a store.
    let told = faults(&format!("{SQLITE}retention = {{ keys = \"1d\", bodies = \"1d\" }}"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("endpoint[0].retention: "), "{told:?}");
    let unprotected = AELLA.to_owned() + "dangerous_run_unprotected = true\n[inbox]\n" + SQLITE;
    let done = check(&unprotected);
    assert!(done.stderr.contains("endpoint[0].dangerous_run_unprotected: means nothing with an [inbox]"), "{done:?}");
}

#[test]
fn a_file_with_an_inbox_is_read_and_refused_while_nothing_serves_it() {
    let sound = "[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\nlease = \"1s\"\n\
        retry = { base = \"1s\", cap = \"1s\", attempts = 1 }\nretention = { keys = \"35d\", bodies = \"7d\" }\n\
        quota = { rows = 1, bytes = \"20GiB\", free_disk = \"512MiB\" }\n";
    let done = check(&format!("listen = \"0.0.0.0:0\"\n{AELLA}{sound}"));
    assert_eq!((done.code, done.stderr.lines().count()), (Some(2), 1), "{done:?}");
    assert!(done.stderr.contains("receiver.toml: inbox: is not served yet; "), "{done:?}");
    assert_eq!(check(AELLA).code, Some(0));
}
