//! `reconcile`: a report against what a listener has stored, in a file and in Postgres, and reports that are no report.

use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use serde_json::{Value, json};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::{InboxStore as _, LanePolicy, LeaseToken, NewEvent, Sealed, SqliteInbox};
use tower_webhook::secret::Secret;

use super::child::{Done, Folder, Listener, Program};
use super::kept::{self, ask, wait_for};
use super::kept_in_postgres;
use super::upstream::{Upstream, aella};

const OK: &str = "200 OK\r\ncontent-length: 0";
const DEAD: &str = "422 X\r\ntower-webhook-dead: no such account\r\ncontent-length: 0";
const BY_ID: [&str; 2] = ["--member", "/data/id"];

fn reconcile(config: &str, report: impl Into<Vec<u8>>, arguments: &[&str]) -> Done {
    let own = ["reconcile", "--config", config, "--report", "-", "--reference", "ref"];
    Program::new(own.into_iter().chain(arguments.iter().copied())).stdin(report).run()
}

/// Those of the lines whose first name it is.
fn of<'a>(lines: &'a [Value], name: &str) -> Vec<&'a Value> {
    lines.iter().filter(|line| line.get("rows").is_none()).filter_map(|line| line.get(name)).collect()
}

fn counts(lines: &[Value]) -> [u64; 5] {
    let summary = lines.last().unwrap();
    ["rows", "matched", "missing", "unexpected", "unsettled"].map(|name| summary[name].as_u64().unwrap())
}

/// Stores t1 (done), t2 (dead) and t3 (done) by real deliveries, and compares beside the listener.
fn compared_beside(listener: &Listener, upstream: &Upstream) {
    for (id, answer, state, count) in [("t1", OK, "done", 1), ("t2", DEAD, "dead", 1), ("t3", OK, "done", 2)] {
        upstream.answers.send(answer).unwrap();
        assert_eq!(aella(id).send(listener.address()).status, 200);
        wait_for(listener, state, count);
    }
    let config = listener.config().to_str().unwrap();
    let done = reconcile(config, "ref,amount\nt1,1\nt2,2\nt9,3\n", &BY_ID);
    let lines = done.json();
    assert_eq!((done.code, counts(&lines)), (Some(1), [3, 2, 1, 1, 1]), "{done:?}");
    let id = ask(listener, &["list", "--key", "transfer.completed|t3"])["id"].clone();
    let t3 = json!({"unexpected": "t3", "id": id, "key": "transfer.completed|t3", "event": "transfer.completed",
                    "state": "done"});
    let id = ask(listener, &["list", "--state", "dead"])["id"].clone();
    let t2 = json!({"unsettled": "t2", "id": id, "state": "dead"});
    let t9 = json!({"missing": "t9", "row": 3});
    assert_eq!(lines[..3], [t2, t3, t9], "{done:?}");

    // What is alike has no difference, by either reference.
    upstream.answers.send(OK).unwrap();
    ask(listener, &["replay", "--state", "dead"]);
    wait_for(listener, "done", 3);
    let by_key = "ref\n\"transfer.completed|t1\"\ntransfer.completed|t2\ntransfer.completed|t3\n";
    for (report, arguments) in [(by_key, &[][..]), (r#"[{"ref":"t1"},{"ref":"t2"},{"ref":"t3"}]"#, &BY_ID)] {
        let done = reconcile(config, report, arguments);
        assert_eq!((done.code, counts(&done.json())), (Some(0), [3, 3, 0, 0, 0]), "{done:?}");
    }
    assert_eq!(ask(listener, &["list", "--key", "transfer.completed|t1"])["attempts"], 1, "to look changes nothing");
}

#[test]
fn a_report_is_compared_beside_the_listener_of_a_file() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener = Listener::start(&kept::forwarding(&folder, &upstream, ""));
    compared_beside(&listener, &upstream);
}

#[test]
fn a_report_is_compared_beside_the_listener_of_a_server() {
    let upstream = Upstream::start();
    let listener = Listener::start(&kept_in_postgres::forwarding_here(&upstream));
    compared_beside(&listener, &upstream);
}

/// A file with an inbox, whose secret nobody has.
const CONFIG: &str = "[[endpoint]]\npath = \"/a\"\nname = \"one\"\nprovider = \"aella\"\nkeys = [{ id = \"k\", env = \"NOT_SET\" }]\n\
    [[endpoint]]\npath = \"/b\"\nprovider = \"aella\"\nquiet_payloads = true\nkeys = [{ id = \"k\", env = \"NOT_SET\" }]\n\
    [inbox]\nkind = \"sqlite\"\npath = \"inbox.db\"\n";

fn event(key: u32, receiver: &str, payload: &str) -> NewEvent {
    let mut hash = [0; 32];
    hash[..4].copy_from_slice(&key.to_be_bytes());
    let until = Timestamp::now() + Duration::from_secs(3600);
    let print = Fingerprint::of(payload.as_bytes());
    let mut event = NewEvent::new(KeyHash::from_bytes(hash), print, payload.to_owned(), until);
    event.readable_key = format!("key|{key}");
    event.receiver = receiver.to_owned();
    event.provider = "aella".to_owned();
    event.event = if receiver == "one" { "transfer.completed" } else { "mandate.created" }.to_owned();
    event
}

fn of_id(key: u32, receiver: &str) -> NewEvent {
    event(key, receiver, &format!(r#"{{"data":{{"id":"r{key}"}}}}"#))
}

struct Stand {
    folder: Folder,
    runtime: tokio::runtime::Runtime,
    inbox: SqliteInbox,
}

impl Stand {
    fn new() -> Self {
        let (folder, runtime) = (Folder::new(), tokio::runtime::Runtime::new().unwrap());
        folder.write("receiver.toml", CONFIG);
        let path: PathBuf = folder.path().join("inbox.db");
        let inbox = runtime.block_on(SqliteInbox::open(path)).unwrap();
        Self { folder, runtime, inbox }
    }

    /// With these, accepted at that time and done, but for those of this key, which are dead.
    fn with(events: Vec<NewEvent>, at: Timestamp, dead: &str) -> Self {
        let stand = Self::new();
        stand.add(events, at, dead);
        stand
    }

    fn add(&self, events: Vec<NewEvent>, at: Timestamp, dead: &str) {
        self.runtime.block_on(async {
            let count = events.len();
            self.inbox.accept(events, at).await.unwrap();
            let lease = Duration::from_secs(30);
            let held = self.inbox.lease(LeaseToken([7; 16]), count, lease, at).await.unwrap();
            assert_eq!(held.len(), count);
            for held in held {
                let _ = match held.event.readable_key == dead {
                    true => self.inbox.bury(&held, "no", LanePolicy::default(), at).await.unwrap(),
                    false => self.inbox.complete(&held, at).await.unwrap(),
                };
            }
        });
    }

    fn run(&self, report: impl Into<Vec<u8>>, arguments: &[&str]) -> Done {
        reconcile(self.folder.path().join("receiver.toml").to_str().unwrap(), report, arguments)
    }

    /// Its summary, beside the code.
    fn summary(&self, report: impl Into<Vec<u8>>, arguments: &[&str]) -> (Option<i32>, Value) {
        let done = self.run(report, arguments);
        (done.code, done.json().pop().unwrap_or_else(|| panic!("{done:?}")))
    }
}

#[test]
fn a_report_says_the_same_however_it_is_written() {
    let stand = Stand::with(vec![of_id(1, "one"), of_id(2, "one")], Timestamp::now(), "key|2");
    for report in [
        "ref,text\nr1,a\nr3,b\n\n,c\nr1,d",
        "\u{feff}text,ref\r\n\"a, \"\"b\"\"\r\nc\",r1\r\nd,\"r3\"\r\ne,\r\nf,r1\r\n",
        "text;ref\n\"1,5;\";r1\n2;r3\n3;\n4;r1\n",
        "\ntext\tref\na\tr1\n\tr3\n\t\n\tr1\n",
        "{\"ref\":\"r1\"}\n\n{\"ref\":\"r3\"}\r\n{\"ref\":null}\n{\"a\":{},\"ref\":\"r1\"}",
        "\u{feff} \n[{\"ref\":\"r1\"},{\"ref\":\"r3\"},\n{},{\"ref\":\"r1\"}] \n",
    ] {
        let done = stand.run(report, &BY_ID);
        let lines = done.json();
        assert_eq!((done.code, counts(&lines)), (Some(1), [4, 1, 1, 1, 0]), "{report:?}: {done:?}");
        assert_eq!((&lines[2]["empty"], &lines[2]["repeated"]), (&json!(1), &json!(1)), "{report:?}: {done:?}");
        assert_eq!((of(&lines, "missing"), of(&lines, "unexpected")), (vec![&json!("r3")], vec![&json!("r2")]));
        assert!(done.stderr.contains("not compared: rows of the report without a reference: 1"), "{done:?}");
    }
    // A number is its text, and a place may be a pointer.
    let report = stand.folder.write("report", "{\"a/b\":{\"ref\":17}}\n");
    let config = stand.folder.path().join("receiver.toml");
    let own = ["reconcile", "--config", config.to_str().unwrap(), "--report", report.to_str().unwrap()];
    let done = Program::new(own.into_iter().chain(["--reference", "/a~1b/ref", "--format", "lines"])).run();
    assert_eq!(of(&done.json(), "missing"), [&json!("17")], "{done:?}");
}

#[test]
fn a_report_that_is_none_is_told_with_its_line_and_nothing_it_says() {
    let stand = Stand::new();
    let long = format!("ref\n{}\n", "x".repeat(1024 * 1024));
    let long_quote = format!("ref\n\"{}", "x\n".repeat(600 * 1024));
    let long_row = format!("{{\"ref\":\"{}\"}}", "x".repeat(1024 * 1024));
    let many = format!("ref\n{}", (0..=1_000_000).map(|row| format!("{row}\n")).collect::<String>());
    for (report, format, words) in [
        ("", "", "it is empty"),
        (" \n", "", "it is empty"),
        ("other,canary\n1,2\n", "", "line 1: the header has no column ref"),
        ("ref,ref\n1,2\n", "", "line 1: the header has the column ref twice"),
        ("ref,b\n1,2\ncanary\n", "", "line 3: 1 fields, and the header has 2"),
        ("ref\na\n\"canary\n", "", "line 3: a quote is not closed"),
        ("ref,b\n\"canary\"x,\n", "", "line 2: something stands behind the quote"),
        ("ref,b\nca\"nary\",\n", "", "line 2: a quote stands inside a field"),
        ("ref,b\ra,canary\r", "", "line 1: a line ends with a carriage return alone"),
        ("ref\rcanary\r", "", "line 1: a line ends with a carriage return alone"),
        ("ref,b\na,canary\rc,d\n", "", "line 2: a line ends with a carriage return alone"),
        ("{\"ref\":\"a\"}\n{\"ref\":canary}\n", "", "line 2: a row is no JSON"),
        ("{\"ref\":\"a\",\"ref\":\"canary\"}\n", "", "line 1: a row is no JSON"),
        ("{\n\"ref\":\"canary\"}\n", "", "line 1: a row is no JSON"),
        ("[{\"ref\":\"a\"},\n{\"ref\":canary}]", "", "line 2: expected"),
        ("\n\n[{\"ref\":\"a\",\"ref\":\"canary\"}]", "", "line 3: a row is no JSON"),
        ("[{\"ref\":\"a\"}", "", "line 1: EOF"),
        ("[{\"ref\":\"a\"}]canary", "", "line 1: trailing"),
        ("\"canary\"", "json", "it begins with no ["),
        ("ref\na\n", "lines", "line 1: a row is no JSON"),
        ("{\"canary\":1}\n", "", "--reference: no row of the report has ref"),
        ("ref,b\n,canary\n", "", "--reference: no row of the report has ref"),
        (&long, "", "line 2: a row is longer than 1 MiB"),
        (&long_quote, "", "a row is longer than 1 MiB"),
        (&long_row, "", "line 1: a row is longer than 1 MiB"),
        (&format!("[{long_row}]"), "", "a row is longer than 1 MiB"),
        (&format!("ref\n{}\n", "x".repeat(257)), "", "line 2: the reference is longer than 256 bytes"),
        (&many, "", "line 1000002: there are more than 1000000 references"),
    ] {
        let format: Vec<&str> = if format.is_empty() { Vec::new() } else { vec!["--format", format] };
        let done = stand.run(report, &format);
        let shown: String = report.chars().take(60).collect();
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{shown}: {done:?}");
        assert!(done.stderr.contains(words), "{shown}: {done:?}");
        assert!(!done.stderr.contains("canary") && done.stderr.lines().count() == 1, "{shown}: {done:?}");
    }
    for bytes in
        [&b"\xff\xfer\0e\0f\0"[..], b"ref\n\xff\n", b"\xef\xbbref\na\n", b"[{\"ref\":\"\xff\"}]", b"{\"ref\":\"\xff\"}"]
    {
        let done = stand.run(bytes, &[]);
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{bytes:?}: {done:?}");
    }
    // The twin: as much as may be.
    let fits = format!("ref,b\n{},\"{}\"\n", "x".repeat(256), "y".repeat(1024 * 1024 - 260));
    assert_eq!(stand.run(fits, &[]).code, Some(1));
}

#[test]
fn arguments_that_fit_nothing_are_2() {
    let stand = Stand::new();
    for (wrong, words) in [
        (&["--endpoint", "/none"][..], "--endpoint: /none is no endpoint's path"),
        (&["--member", "data"], "--member"),
        (&["--since", "yesterday"], "--since"),
        (&["--until", "tomorrow"], "--until"),
        (&["--format", "xml"], "--format"),
    ] {
        let done = stand.run("ref\na\n", wrong);
        assert_eq!((done.code, done.stdout.len()), (Some(2), 0), "{done:?}");
        assert!(done.stderr.contains(words), "{done:?}");
    }
    let config = stand.folder.path().join("receiver.toml");
    let config = config.to_str().unwrap();
    let none = Program::new(["reconcile", "--config", config, "--report", "none.csv", "--reference", "ref"]).run();
    assert_eq!(none.code, Some(2), "{none:?}");
    assert!(none.stderr.contains("--report: none.csv: "), "{none:?}");
    stand.folder.write("receiver.toml", CONFIG.replace("inbox.db", "elsewhere.db"));
    let away = stand.run("ref\na\n", &[]);
    assert_eq!((away.code, away.stdout.len()), (Some(1), 0), "{away:?}");
}

#[test]
fn whose_body_is_gone_or_sealed_makes_nothing_missing() {
    let now = Timestamp::now();
    let stand = Stand::with(vec![of_id(1, "one"), event(2, "one", "{}")], now, "");
    assert_eq!(stand.summary("ref\nr1\nr3\n", &BY_ID).1["missing"], 1, "who has no reference there answers for none");
    stand.runtime.block_on(stand.inbox.erase("key|1", now)).unwrap();
    let done = stand.run("ref\nr1\nr3\n", &BY_ID);
    let lines = done.json();
    assert_eq!((done.code, counts(&lines)), (Some(1), [2, 0, 0, 0, 0]), "{done:?}");
    assert_eq!(of(&lines, "undecided"), [&json!("r1"), &json!("r3")], "{done:?}");
    let summary = lines.last().unwrap();
    let names = ["undecided", "gone", "unreadable", "without"];
    assert_eq!(names.map(|name| summary[name].as_u64().unwrap()), [2, 1, 0, 1], "{done:?}");
    assert!(done.stderr.contains("a body that is gone: 1"), "{done:?}");
    // Keys outlive bodies.
    assert_eq!(stand.summary("ref\nkey|1\nkey|2\n", &[]).0, Some(0));

    let sealing = Stand::new();
    let key = Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f").unwrap();
    let sealed = Sealed::new(sealing.inbox.clone(), key).unwrap();
    sealing.runtime.block_on(sealed.accept(vec![of_id(1, "one")], now)).unwrap();
    let (code, summary) = sealing.summary("ref\nr1\n", &BY_ID);
    assert_eq!((code, &summary["undecided"], &summary["unreadable"]), (Some(1), &json!(1), &json!(1)), "{summary}");
    let (code, summary) = sealing.summary("ref\nkey|1\n", &[]);
    assert_eq!((code, &summary["matched"], &summary["unsettled"]), (Some(1), &json!(1), &json!(1)), "{summary}");
}

#[test]
fn filters_say_which_events_answer_for_the_report() {
    let now = Timestamp::now();
    let old = now - Duration::from_secs(10 * 24 * 3600);
    let stand = Stand::with(vec![of_id(1, "one")], old, "");
    stand.add(vec![of_id(2, "one"), of_id(3, "/b")], now, "");
    let unexpected = |report: &str, arguments: &[&str]| {
        let done = stand.run(report, &[&BY_ID, arguments].concat());
        assert!(
            done.stderr.contains("the inbox keeps what events say for 168 h") != arguments.contains(&"9h"),
            "{done:?}"
        );
        let lines = done.json();
        of(&lines, "unexpected").into_iter().cloned().collect::<Vec<_>>()
    };
    // Of a quiet endpoint no reference is printed that only an event has.
    assert_eq!(unexpected("ref\nx\n", &[]), [json!("r1"), json!("r2"), Value::Null]);
    assert_eq!(unexpected("ref\nr3\n", &["--since", "9h"]), [json!("r2")]);
    assert_eq!(unexpected("ref\nx\n", &["--endpoint", "/a"]), [json!("r1"), json!("r2")]);
    assert_eq!(unexpected("ref\nx\n", &["--endpoint", "/b"]), [Value::Null]);
    assert_eq!(unexpected("ref\nx\n", &["--event", "mandate.created"]), [Value::Null]);
    assert_eq!(unexpected("ref\nx\n", &["--until", "9d"]), [json!("r1")]);
    // Who came later than that answers for its row all the same, and who came earlier than --since does not.
    let (_, summary) = stand.summary("ref\nr1\nr2\n", &[&BY_ID[..], &["--until", "9d"]].concat());
    assert_eq!((&summary["matched"], &summary["unexpected"]), (&json!(2), &json!(0)), "{summary}");
    let (_, summary) = stand.summary("ref\nr1\nr2\nr3\n", &[&BY_ID[..], &["--since", "9d"]].concat());
    assert_eq!((&summary["matched"], &summary["missing"]), (&json!(2), &json!(1)), "{summary}");
}

#[test]
fn more_events_than_a_page_are_all_compared() {
    let events = (1..=2100).map(|key| of_id(key, "one")).collect();
    let stand = Stand::with(events, Timestamp::now(), "key|2100");
    let report: String = (1..=2100).map(|key| format!("r{key}\n")).collect();
    let done = stand.run(format!("ref\n{report}"), &BY_ID);
    assert_eq!((done.code, counts(&done.json())), (Some(1), [2100, 2100, 0, 0, 1]), "{done:?}");
}
