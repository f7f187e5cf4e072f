//! The durable inbox from outside: its part of the configuration, and the subcommands that look after it.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::{InboxStore as _, LanePolicy, LeaseToken, NewEvent, SqliteInbox};

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
        ("quota = { bytes = \"1TiB\" }", "inbox.quota.bytes: \"1TiB\" is not a number of bytes; "),
        ("colour = 1", "inbox.colour: is not known here; "),
        ("url = \"postgres://\"", "inbox.url: is not known here; "),
    ] {
        let told = faults(&format!("{SQLITE}{more}"));
        assert_eq!(told.len(), 1, "{more}: {told:?}");
        assert!(told[0].starts_with(fault), "{more}: {told:?}");
    }
    for (whole, fault) in [
        ("kind = \"postgres\"\npath = \"x\"", "inbox.url: is missing; "),
        ("kind = \"postgres\"\nurl = 1", "inbox.url: integer is not taken here; "),
        ("kind = \"postgres\"\nurl = \"postgres://\"", "inbox.url: the address names no server; "),
        ("kind = \"postgres\"\nurl = \"mysql://canary@a/b\"", "inbox.url: the address is no postgres:// URL; "),
        (
            "kind = \"postgres\"\nurl = \"postgres://canary@a/b?sslmode=none\"",
            "inbox.url: the address has an invalid value for option `sslmode`; ",
        ),
        ("kind = \"postgres\"\nurl = { env = \"NOT_SET\" }", "inbox.url.env: NOT_SET is not set; "),
        ("kind = \"postgres\"\nurl = { file = \"none\" }", "inbox.url.file: "),
        ("kind = \"postgres\"\nurl = \"postgres://a/b\"\nschema = \"A-b\"", "inbox.schema: a schema's name is "),
        ("kind = \"postgres\"\nurl = \"postgres://a/b\"\ndeadline = \"0s\"", "inbox.deadline: is nothing"),
        ("kind = \"postgres\"\nurl = \"postgres://a/b\"\nroot_certificate = \"none.pem\"", "inbox.root_certificate: "),
        (
            "kind = \"postgres\"\nurl = \"postgres://a/b\"\nroot_certificate = \"receiver.toml\"",
            "inbox.root_certificate: the root is no certificate; ",
        ),
        ("kind = \"sqlite\"\npath = \"x\"\nschema = \"a\"", "inbox.schema: is not known here; "),
        ("kind = \"mysql\"\npath = \"x\"", "inbox.kind: \"mysql\" is not known; "),
        ("path = \"x\"", "inbox.kind: is missing; "),
        ("kind = \"sqlite\"", "inbox.path: is missing; "),
        ("kind = \"sqlite\"\npath = \"\"", "inbox.path: is empty; "),
    ] {
        let told = faults(whole);
        assert_eq!(told.len(), 1, "{whole}: {told:?}");
        assert!(told[0].starts_with(fault) && !told[0].contains("canary"), "{whole}: {told:?}");
    }
    // As long as its sender may come again, as with a store.
    let told = faults(&format!("{SQLITE}retention = {{ keys = \"1d\", bodies = \"1d\" }}"));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("inbox.retention.keys: /"), "{told:?}");
    let unprotected = AELLA.to_owned() + "dangerous_run_unprotected = true\n[inbox]\n" + SQLITE;
    let done = check(&unprotected);
    assert!(done.stderr.contains("endpoint[0].dangerous_run_unprotected: means nothing with an [inbox]"), "{done:?}");
}

#[test]
fn a_file_with_an_inbox_and_no_fault_is_ok_whatever_forgets_elsewhere() {
    let sound = "[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\nlease = \"1s\"\n\
        retry = { base = \"1s\", cap = \"1s\", attempts = 1 }\nretention = { keys = \"35d\", bodies = \"7d\" }\n\
        quota = { rows = 1, bytes = \"20GiB\", free_disk = \"512MiB\" }\n";
    let done = check(&format!("listen = \"0.0.0.0:0\"\n{AELLA}{sound}"));
    assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_str()), (Some(0), &["ok".to_owned()][..], ""));
    // Only what would be missed is said.
    let redis = "kind = \"redis\"\nurl = \"redis://127.0.0.1:1\"\n";
    for (dedupe, words) in [("kind = \"memory\"\n", ""), (redis, "dedupe: is not used beside an [inbox]")] {
        let both = check(&format!("{AELLA}{sound}[dedupe]\n{dedupe}"));
        assert_eq!(both.code, Some(0), "{both:?}");
        assert!(
            both.stderr.contains(words) && both.stderr.lines().count() == usize::from(!words.is_empty()),
            "{both:?}"
        );
    }
    let url = "url = \"postgres://webhooks:canary@db.internal:5433/payments?sslmode=require\"\n";
    let more = "path = \"inbox.db\"\nschema = \"payments_2\"\ndeadline = \"2s\"\nlease = \"1s\"\n";
    let done = check(&format!("listen = \"0.0.0.0:0\"\n{AELLA}[inbox]\nkind = \"postgres\"\n{url}{more}"));
    assert_eq!((done.code, done.stdout.as_slice(), done.stderr.as_str()), (Some(0), &["ok".to_owned()][..], ""));
}

#[test]
fn endpoints_of_one_name_hand_over_to_one_service() {
    let endpoint = |path: &str, port: u16| {
        let to = format!("name = \"one\"\nforward_to = \"http://127.0.0.1:{port}/\"\n");
        AELLA.replace("/aella", path) + &to
    };
    let inbox = "[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\n";
    for (port, inbox, code) in [(3001, inbox, 2), (3000, inbox, 0), (3001, "", 0)] {
        let done = check(&(endpoint("/a", 3000) + &endpoint("/b", port) + inbox));
        assert_eq!(done.code, Some(code), "{done:?}");
        let is_said = done.stderr.contains("endpoint[1].forward_to: is not that of the others of its name; ");
        assert_eq!(is_said, code == 2, "{done:?}");
    }
}

/// A file with an inbox, whose secret nobody has.
const KEPT: &str = "[[endpoint]]\npath = \"/aella\"\nprovider = \"aella\"\nkeys = [{ id = \"k\", env = \"NOT_SET\" }]\n\
    [[endpoint]]\npath = \"/quiet\"\nname = \"quiet one\"\nprovider = \"aella\"\nquiet_payloads = true\n\
    keys = [{ id = \"k\", env = \"NOT_SET\" }]\n[inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\n";

fn event(key: u8, receiver: &str, payload: &str, now: Timestamp) -> NewEvent {
    let until = now + Duration::from_secs(3600);
    let print = Fingerprint::of(payload.as_bytes());
    let mut event = NewEvent::new(KeyHash::from_bytes([key; 32]), print, payload.to_owned(), until);
    event.readable_key = format!("key|{key}");
    event.receiver = receiver.to_owned();
    event.provider = "aella".to_owned();
    event.event = if key == 3 { "mandate.created" } else { "transfer.completed" }.to_owned();
    event
}

/// Events 1 (done), 2 (dead, of a reason that gives orders), 3 (waiting), and 4, which came with the key of 1.
async fn filled(path: PathBuf) -> SqliteInbox {
    let (inbox, now) = (SqliteInbox::open(path).await.unwrap(), Timestamp::now());
    let first = vec![event(1, "/aella", r#"{"a":1.00}"#, now), event(2, "quiet one", "canary", now)];
    inbox.accept(first, now).await.unwrap();
    let held = inbox.lease(LeaseToken([7; 16]), 10, Duration::from_secs(30), now).await.unwrap();
    assert_eq!(held.len(), 2);
    let _ = inbox.complete(&held[0], now).await.unwrap();
    let _ = inbox.bury(&held[1], "answered 422\u{9b}2J\u{1b}[2J\u{202e}", LanePolicy::default(), now).await.unwrap();
    let more = vec![event(3, "/aella", "three", now), event(1, "/aella", "another", now)];
    inbox.accept(more, now).await.unwrap();
    inbox
}

struct Stand {
    folder: Folder,
    runtime: tokio::runtime::Runtime,
    owner: Option<SqliteInbox>,
}

impl Stand {
    fn new() -> Self {
        let (folder, runtime) = (Folder::new(), tokio::runtime::Runtime::new().unwrap());
        folder.write("receiver.toml", KEPT);
        let owner = runtime.block_on(filled(folder.path().join("inbox.db")));
        Self { folder, runtime, owner: Some(owner) }
    }

    fn run(&self, arguments: &[&str]) -> Done {
        let config = self.folder.path().join("receiver.toml");
        let own = ["inbox", arguments[0], "--config", config.to_str().unwrap()];
        let done = Program::new(own.into_iter().chain(arguments[1..].iter().copied())).run();
        assert!(!done.said().chars().any(|letter| letter.is_control() && letter != '\n'), "{done:?}");
        assert!(!done.said().contains('\u{202e}'), "{done:?}");
        done
    }

    /// What it prints when all is well.
    fn ask(&self, arguments: &[&str]) -> Vec<Value> {
        let done = self.run(arguments);
        assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{arguments:?}: {done:?}");
        done.json()
    }

    fn ids(&self, filters: &[&str]) -> Vec<String> {
        let rows = self.ask(&[&["list"], filters].concat());
        rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()).collect()
    }
}

#[test]
fn stats_and_lists_are_told_beside_the_owner_and_without_one() {
    let mut stand = Stand::new();
    for _ in 0..2 {
        let stats = stand.ask(&["stats"]).remove(0);
        assert!(stats["oldest_age_s"].as_f64().unwrap() < 60.0, "{stats}");
        let counts = ["ready", "running", "done", "dead", "parked", "quarantined"].map(|name| stats[name].clone());
        assert_eq!(counts, [1, 0, 1, 1, 0, 1].map(|count| json!(count)), "{stats}");
        assert_eq!(stats.as_object().unwrap().len(), 7, "{stats}");
        for (filters, ids) in [
            (&[][..], &["1", "2", "3", "4"][..]),
            (&["--state", "quarantined"], &["4"]),
            (&["--key", "key|1"], &["1", "4"]),
            (&["--event", "mandate.created"], &["3"]),
            (&["--event", "mandate.created", "--state", "dead"], &[]),
            (&["--limit", "5"], &["1", "2", "3", "4"]),
            (&["--since", "1h"], &["1", "2", "3", "4"]),
            (&["--since", "2999-01-01T00:00:00Z"], &[]),
        ] {
            assert_eq!(stand.ids(filters), ids, "{filters:?}");
        }
        let first = stand.run(&["list", "--limit", "2"]);
        let ids: Vec<_> = first.json().iter().map(|row| row["id"].clone()).collect();
        assert_eq!((first.code, ids), (Some(0), vec![json!("1"), json!("2")]), "{first:?}");
        assert!(first.stderr.contains("there may be more"), "{first:?}");
        let dead = stand.ask(&["list", "--state", "dead"]).remove(0);
        let reason = "answered 422\u{9b}2J\u{1b}[2J\u{202e}";
        let row = json!({
            "id": "2", "key": "key|2", "provider": "aella", "event": "transfer.completed", "state": "dead",
            "attempts": 1, "fence": dead["fence"], "due_at": null, "reason": reason
        });
        assert_eq!(dead, row);
        assert!(dead["fence"].as_u64().unwrap() > 0, "{dead}");
        stand.owner = None;
    }
}

#[test]
fn one_event_is_shown_with_its_history_and_what_it_waits_for() {
    let stand = Stand::new();
    let done = stand.run(&["show", "1"]);
    assert!(done.stdout[0].contains(r#""payload":{"a":1.00}"#), "every digit stays: {done:?}");
    let shown = &done.json()[0];
    assert_eq!((&shown["receiver"], &shown["state"]), (&json!("/aella"), &json!("done")), "{shown}");
    let what: Vec<&str> =
        shown["history"].as_array().unwrap().iter().map(|step| step["what"].as_str().unwrap()).collect();
    assert_eq!((what.first(), what.last()), (Some(&"accepted"), Some(&"done")), "{shown}");
    let quiet = stand.ask(&["show", "2"]).remove(0);
    assert!(quiet.get("payload").is_none() && !quiet.to_string().contains("canary"), "{quiet}");
    for (id, state, words) in [
        ("1", "done", "it is done"),
        ("2", "dead", "replay it"),
        ("3", "ready", "it is due"),
        ("4", "quarantined", "another payload"),
    ] {
        let why = stand.ask(&["why", id]).remove(0);
        assert_eq!((&why["id"], &why["state"]), (&json!(id), &json!(state)), "{why}");
        assert!(why["why"].as_str().unwrap().contains(words), "{why}");
    }
    for command in ["show", "why"] {
        let done = stand.run(&[command, "99"]);
        assert_eq!((done.code, done.stdout.len()), (Some(1), 0), "{done:?}");
        assert!(done.stderr.contains("there is no event 99"), "{done:?}");
    }
}

#[test]
fn the_dead_are_replayed_when_it_is_said_and_only_counted_in_a_dry_run() {
    let stand = Stand::new();
    assert_eq!(stand.ask(&["replay", "--dry-run"]), [json!({"matches": 1, "replayed": 0})]);
    assert_eq!(stand.ask(&["replay", "--max", "0"]), [json!({"matches": 1, "replayed": 0})]);
    for (state, told) in [("quarantined", true), ("ready", true), ("parked", false)] {
        let done = stand.run(&["replay", "--state", state]);
        assert_eq!((done.code, done.json()), (Some(0), vec![json!({"matches": 0, "replayed": 0})]), "{done:?}");
        let words = format!("--state: what is {state} is not handed over again; write done, dead or parked");
        assert_eq!(done.stderr.ends_with(&words), told, "{done:?}");
    }
    assert_eq!(stand.ids(&["--state", "dead"]), ["2"]);
    assert_eq!(stand.ask(&["replay", "--by", "the night shift"]), [json!({"matches": 1, "replayed": 1})]);
    assert_eq!(stand.ask(&["replay"]), [json!({"matches": 0, "replayed": 0})]);
    assert_eq!(stand.ids(&["--state", "ready"]), ["2", "3"]);
    let shown = stand.ask(&["show", "2"]).remove(0);
    assert_eq!(shown["replayed_by"], "the night shift", "{shown}");
    let fence = shown["fence"].as_u64().unwrap();
    let owner = stand.owner.as_ref().unwrap();
    let token = LeaseToken([8; 16]);
    let held = stand.runtime.block_on(owner.lease(token, 10, Duration::from_secs(30), Timestamp::now())).unwrap();
    let again = held.iter().find(|held| held.id.0 == 2).expect("its owner gets what a visitor has replayed");
    assert!(again.fence > fence, "{again:?}");
}

#[test]
fn what_events_said_goes_by_erase_at_once_and_by_purge_in_time() {
    let stand = Stand::new();
    assert_eq!(stand.ask(&["purge"]), [json!({"matches": 0, "purged": 0, "bodies": 0, "keys": 0})]);
    assert_eq!(stand.ask(&["erase", "--key", "key|9"]), [json!({"matches": 0, "erased": 0})]);
    let counted = stand.ask(&["erase", "--key", "key|3", "--dry-run"]);
    assert_eq!(counted, [json!({"matches": 1, "erased": 0})]);
    assert_eq!(stand.ask(&["erase", "--key", "key|9", "--dry-run"]), [json!({"matches": 0, "erased": 0})]);
    let capped = stand.run(&["erase", "--key", "key|3", "--max", "0"]);
    assert_eq!((capped.code, capped.json()), (Some(1), counted), "{capped:?}");
    assert!(capped.stderr.contains("it would be 1, and --max allows 0: nothing was dropped"), "{capped:?}");
    assert!(stand.ask(&["show", "3"])[0].to_string().contains("three"));
    assert_eq!(stand.ask(&["erase", "--key", "key|3", "--max", "1"]), [json!({"matches": 1, "erased": 1})]);
    assert!(stand.ask(&["show", "3"])[0].get("payload").is_none());
    assert_eq!(stand.ask(&["erase", "--key", "key|3", "--dry-run"]), [json!({"matches": 0, "erased": 0})]);
    let hurried = KEPT.to_owned() + "retention = { bodies = \"1ms\" }\n";
    stand.folder.write("receiver.toml", hurried);
    let counted = [json!({"matches": 1, "purged": 0, "bodies": 1, "keys": 0})];
    assert_eq!(stand.ask(&["purge", "--dry-run"]), counted);
    let capped = stand.run(&["purge", "--max", "0"]);
    assert_eq!((capped.code, capped.json()), (Some(1), counted.to_vec()), "{capped:?}");
    assert!(capped.stderr.contains("it would be 1, and --max allows 0: nothing was dropped"), "{capped:?}");
    assert!(stand.ask(&["show", "1"])[0].get("payload").is_some());
    assert_eq!(stand.ask(&["purge", "--max", "1"]), [json!({"matches": 1, "purged": 1, "bodies": 1, "keys": 0})]);
    assert_eq!(stand.ask(&["purge", "--dry-run"]), [json!({"matches": 0, "purged": 0, "bodies": 0, "keys": 0})]);
    assert!(stand.ask(&["show", "1"])[0].get("payload").is_none());
    // What retention leaves of an event goes too, and what was kept apart under the same key.
    let key = stand.ask(&["show", "1"])[0]["key"].as_str().unwrap().to_owned();
    assert_eq!(stand.ask(&["erase", "--key", &key, "--dry-run"]), [json!({"matches": 2, "erased": 0})]);
    assert_eq!(stand.ask(&["erase", "--key", &key]), [json!({"matches": 2, "erased": 2})]);
}

#[test]
fn wrong_arguments_are_2_and_an_inbox_that_is_not_there_is_1() {
    let stand = Stand::new();
    for wrong in [
        &["list", "--state", "gone"][..],
        &["list", "--since", "yesterday"],
        &["list", "--limit", "many"],
        &["show", "one"],
        &["show"],
        &["erase"],
        &["nothing"],
    ] {
        let done = stand.run(wrong);
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
    }
    let unsaid = Program::new(["inbox", "stats"]).run();
    assert_eq!(unsaid.code, Some(2), "{unsaid:?}");
    assert!(unsaid.stderr.contains("--config: is missing"), "{unsaid:?}");
    stand.folder.write("receiver.toml", AELLA);
    let none = stand.run(&["stats"]);
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("receiver.toml: inbox: is missing; "), "{none:?}");
    stand.folder.write("receiver.toml", KEPT.replace("inbox.db", "elsewhere.db"));
    let away = stand.run(&["stats"]);
    assert_eq!((away.code, away.stdout.len()), (Some(1), 0), "{away:?}");
    assert!(!stand.folder.path().join("elsewhere.db").exists(), "to look makes no file");
}
