//! `listen` with an inbox, from outside: its lines, what the service behind it is told, and what its answer brings about.

use std::time::{Duration, Instant};

use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::Builder;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::{Ended, InboxStore as _, LeaseToken, NewEvent, SqliteInbox};

use super::child::{Done, Folder, Listener, Program};
use super::upstream::{TRACE, Upstream, aella};
use super::wire::{Raw, hex, hmac512};

const OK: &str = "200 OK\r\ncontent-length: 0";
const BROKEN: &str = "500 X\r\ncontent-length: 0";
/// Long before any lease ends.
const SOON: Duration = Duration::from_secs(10);

/// Aella's endpoint in front of the inbox of this folder, with this in it and this below.
pub(crate) fn config(folder: &Folder, endpoint: &str, inbox: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nname = \"aella-ng\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"2026-11\", value = \"ae_sk_test_example\" }}]\n{endpoint}\n\
         [inbox]\nkind = \"sqlite\"\npath = \"{}\"\n{inbox}\n",
        folder.path().join("inbox.db").display()
    )
}

pub(super) fn forwarding(folder: &Folder, upstream: &Upstream, inbox: &str) -> String {
    config(folder, &format!("forward_to = \"http://{}/hooks\"", upstream.address), inbox)
}

/// The same key as that of [`aella`], and another payload.
pub(super) fn other_payload(id: &str) -> Raw {
    let body =
        format!(r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}","a":1}}}}"#);
    Raw::new("/aella", &[("x-aella-signature", hex(&hmac512(b"ae_sk_test_example", &[body.as_bytes()])))], body)
}

/// What a request to the service said in its headers, in lower case.
pub(super) struct Told(String);

impl Told {
    pub(super) fn of(upstream: &Upstream) -> Self {
        Self(upstream.seen.recv_timeout(Duration::from_secs(60)).unwrap().to_ascii_lowercase())
    }

    fn get(&self, name: &str) -> Option<&str> {
        self.0.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")))
    }

    /// Attempt and fence.
    pub(super) fn turn(&self) -> (u64, u64) {
        let number = |name| self.get(name).unwrap_or_else(|| panic!("no {name}: {}", self.0)).parse().unwrap();
        (number("tower-webhook-attempt"), number("tower-webhook-fence"))
    }
}

fn names(line: &Value) -> Vec<&str> {
    let mut names: Vec<&str> = line.as_object().unwrap().keys().map(String::as_str).collect();
    names.sort_unstable();
    names
}

pub(super) fn ask(listener: &Listener, arguments: &[&str]) -> Value {
    let own = ["inbox", arguments[0], "--config", listener.config().to_str().unwrap()];
    let done = Program::new(own.into_iter().chain(arguments[1..].iter().copied())).run();
    assert_eq!((done.code, done.stderr.as_str()), (Some(0), ""), "{done:?}");
    done.json().pop().unwrap_or(Value::Null)
}

/// Until it is so, by `inbox stats`.
pub(super) fn wait_for(listener: &Listener, state: &str, count: u64) {
    let start = Instant::now();
    while ask(listener, &["stats"])[state] != count {
        assert!(start.elapsed() < Duration::from_secs(30), "{}", ask(listener, &["stats"]));
    }
}

#[test]
fn an_event_is_stored_answered_handed_over_and_told_of_and_a_repeat_is_not() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener = Listener::start(&forwarding(&folder, &upstream, ""));
    let answer = aella("t1").send(listener.address());
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, None), "before anybody handles it");
    let stored = listener.json();
    let id = stored["id"].as_str().unwrap().to_owned();
    let line = json!({
        "verdict": "stored", "endpoint": "/aella", "receiver": "aella-ng", "provider": "aella", "id": id,
        "key": "transfer.completed|t1", "event": "transfer.completed"
    });
    assert_eq!(stored, line);

    let told = Told::of(&upstream);
    for (name, value) in [
        ("tower-webhook-receiver", Some("aella-ng")),
        ("tower-webhook-provider", Some("aella")),
        ("tower-webhook-event", Some("transfer.completed")),
        ("tower-webhook-key", Some("transfer.completed|t1")),
        ("tower-webhook-attempt", Some("1")),
        ("tower-webhook-fence", Some("1")),
        ("content-type", Some("application/json")),
        ("traceparent", Some(TRACE)),
        ("x-request-id", None),
        ("x-aella-signature", None),
        ("cookie", None),
    ] {
        assert_eq!(told.get(name), value, "{name}: {}", told.0);
    }
    assert!(told.0.starts_with("post /hooks http/1.1") && told.0.contains(r#""data":{"id":"t1"}"#), "{}", told.0);
    assert!(listener.running().line_within(Duration::from_millis(300)).is_none(), "it is not handled yet");
    upstream.answers.send(OK).unwrap();
    let accepted = listener.json();
    assert_eq!(
        names(&accepted),
        [
            "attempt",
            "attempt_replayed",
            "endpoint",
            "event",
            "fence",
            "id",
            "key",
            "key_id",
            "occurred_at",
            "payload",
            "provider",
            "receiver",
            "typed",
            "verdict"
        ]
    );
    let of = |name: &str| accepted[name].clone();
    assert_eq!(
        (of("verdict"), of("id"), of("attempt"), of("fence")),
        (json!("accepted"), json!(id), json!(1), json!(1))
    );
    assert_eq!((of("key_id"), of("occurred_at")), (json!("2026-11"), json!("2024-12-06T14:00:00Z")));
    assert_eq!((of("attempt_replayed"), of("endpoint")), (json!(false), json!("/aella")));
    assert_eq!((&accepted["typed"]["kind"], &accepted["payload"]["data"]["id"]), (&json!("transfer"), &json!("t1")));

    let repeat = aella("t1").send(listener.address());
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")));
    let line = json!({
        "verdict": "duplicate", "endpoint": "/aella", "receiver": "aella-ng", "key": "transfer.completed|t1"
    });
    assert_eq!(listener.json(), line);
    assert_eq!(other_payload("t1").send(listener.address()).status, 200, "it is acknowledged, and kept apart");
    let apart = listener.json();
    assert_eq!(apart, json!({"verdict": "quarantined", "id": apart["id"], "key": "transfer.completed|t1"}));
    assert_ne!(apart["id"], json!(id));
    let mut forged = aella("t2");
    forged.body[10] ^= 1;
    assert_eq!(forged.send(listener.address()).status, 401);
    assert_eq!(listener.json()["verdict"], "refused");
    assert!(upstream.seen.recv_timeout(Duration::from_millis(300)).is_err(), "nothing of these is handed over");
    let done = listener.stop();
    assert_eq!((done.code, done.stdout.len(), done.stderr.as_str()), (Some(0), 0, ""), "{done:?}");
}

#[test]
fn the_answer_of_the_service_says_whether_and_when_it_comes_again() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let retry = "retry = { base = \"20ms\", cap = \"40ms\", attempts = 3 }";
    let listener = Listener::start(&forwarding(&folder, &upstream, retry));
    let dead = "422 X\r\ntower-webhook-dead: no such account\r\ncontent-length: 0";
    let busy = "503 X\r\nretry-after: 1\r\ncontent-length: 0";
    let dead_5xx = "500 X\r\ntower-webhook-dead: no such account\r\ncontent-length: 0";
    for (id, answers, last) in [
        ("done", &[BROKEN, OK][..], "accepted"),
        ("dead", &[dead], "dead"),
        ("busy", &[busy, OK], "accepted"),
        ("not dead", &[dead_5xx, "410 X\r\ncontent-length: 0", "302 X\r\ncontent-length: 0"], "dead"),
    ] {
        assert_eq!(aella(id).send(listener.address()).status, 200);
        let stored = listener.json();
        assert_eq!(stored["verdict"], "stored");
        let (mut fence, mut began, mut rest) = (0, Instant::now(), Duration::ZERO);
        for (at, answer) in answers.iter().enumerate() {
            let told = Told::of(&upstream);
            assert!(began.elapsed() >= rest, "{id}: it came after {:?} and not {rest:?}", began.elapsed());
            let turn = told.turn();
            assert_eq!(turn.0, at as u64 + 1, "{id}");
            assert!(turn.1 > fence, "{id}: {} after {fence}", turn.1);
            fence = turn.1;
            upstream.answers.send(answer).unwrap();
            began = Instant::now();
            let line = listener.json();
            assert_eq!((&line["id"], &line["key"]), (&stored["id"], &json!(format!("transfer.completed|{id}"))));
            if at + 1 < answers.len() {
                assert_eq!(names(&line), ["attempt", "id", "in_ms", "key", "reason", "verdict"], "{line}");
                assert_eq!((&line["verdict"], &line["attempt"]), (&json!("retry"), &json!(at + 1)), "{line}");
                let status = answer.split(' ').next().unwrap();
                assert_eq!(line["reason"], format!("the upstream answered {status}"), "{line}");
                let in_ms = line["in_ms"].as_u64().unwrap();
                assert!(if id == "busy" { in_ms == 1000 } else { in_ms <= 40 }, "{line}");
                rest = Duration::from_millis(if id == "busy" { 950 } else { 0 });
            } else {
                assert_eq!(line["verdict"], last, "{line}");
                match id {
                    "dead" => {
                        assert_eq!(names(&line), ["attempts", "id", "key", "reason", "verdict"], "{line}");
                        assert_eq!((&line["attempts"], &line["reason"]), (&json!(1), &json!("no such account")));
                    }
                    "not dead" => assert_eq!(
                        (&line["attempts"], &line["reason"]),
                        (&json!(3), &json!("the upstream answered 302"))
                    ),
                    _ => assert_eq!((&line["attempt"], &line["attempt_replayed"]), (&json!(2), &json!(true)), "{line}"),
                }
            }
        }
    }
    let stats = ask(&listener, &["stats"]);
    assert_eq!((&stats["done"], &stats["dead"], &stats["ready"]), (&json!(2), &json!(2), &json!(0)), "{stats}");
}

#[test]
fn what_is_dead_is_replayed_purged_and_erased_beside_the_running_listener() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let inbox = "retry = { attempts = 1 }\nretention = { bodies = \"1ms\" }";
    let listener = Listener::start(&forwarding(&folder, &upstream, inbox));
    let mut fences = Vec::new();
    let mut hand = |answer, verdict: &str| {
        fences.push(Told::of(&upstream).turn());
        upstream.answers.send(answer).unwrap();
        while listener.json()["verdict"] != verdict {}
    };
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    hand(BROKEN, "dead");
    assert_eq!(aella("t2").send(listener.address()).status, 200);
    hand(OK, "accepted");
    wait_for(&listener, "done", 1);

    assert_eq!(ask(&listener, &["list", "--state", "dead"])["reason"], "the upstream answered 500");
    assert_eq!(ask(&listener, &["replay", "--dry-run"]), json!({"matches": 1, "replayed": 0}));
    assert_eq!(ask(&listener, &["replay", "--key", "transfer.completed|t2"]), json!({"matches": 0, "replayed": 0}));
    assert_eq!(ask(&listener, &["replay", "--reason", "the upstream"]), json!({"matches": 1, "replayed": 1}));
    hand(OK, "accepted");
    // What is done comes again only where its state or its number is named.
    assert_eq!(ask(&listener, &["replay"]), json!({"matches": 0, "replayed": 0}));
    assert_eq!(ask(&listener, &["replay", "--id", "2"]), json!({"matches": 1, "replayed": 1}));
    hand(OK, "accepted");
    wait_for(&listener, "done", 2);
    assert_eq!(ask(&listener, &["replay", "--state", "done", "--max", "1"]), json!({"matches": 2, "replayed": 1}));
    hand(OK, "accepted");
    assert!(fences.iter().all(|(attempt, _)| *attempt == 1), "{fences:?}");
    assert!(fences.is_sorted_by(|one, next| one.1 < next.1), "{fences:?}");

    wait_for(&listener, "done", 2);
    assert_eq!(ask(&listener, &["erase", "--key", "transfer.completed|t1"])["erased"], 1);
    let erased = ask(&listener, &["show", "1"]);
    assert!(erased.get("payload").is_none(), "{erased}");
    let kept = ask(&listener, &["show", "2"]);
    assert_eq!(kept["payload"]["data"]["id"], "t2", "{kept}");
    assert_eq!(ask(&listener, &["purge"])["bodies"], 1);
    assert!(ask(&listener, &["show", "2"]).get("payload").is_none());
    for id in ["t1", "t2"] {
        let repeat = aella(id).send(listener.address());
        assert_eq!((repeat.status, listener.json()["verdict"].clone()), (200, json!("duplicate")), "the key is known");
    }
}

#[test]
fn without_a_service_it_is_printed_and_quiet_payloads_stay_so() {
    for (endpoint, is_quiet) in [("", false), ("quiet_payloads = true", true)] {
        let folder = Folder::new();
        let listener = Listener::start(&config(&folder, endpoint, ""));
        assert_eq!(aella("t1").send(listener.address()).status, 200);
        let lines = [listener.json(), listener.json()];
        let accepted = lines.iter().find(|line| line["verdict"] == "accepted").unwrap();
        assert_eq!((&accepted["attempt"], &accepted["fence"]), (&json!(1), &json!(1)), "{accepted}");
        assert_eq!(accepted.get("payload").is_none(), is_quiet, "{accepted}");
        assert_eq!(accepted.get("typed").is_none(), is_quiet, "{accepted}");
        wait_for(&listener, "done", 1);
        let done = listener.stop();
        assert_eq!((done.code, done.stdout.len()), (Some(0), 0), "{done:?}");
    }
}

#[test]
fn beyond_its_quota_it_takes_what_it_knows_and_nothing_new() {
    let (folder, upstream) = (Folder::new(), Upstream::start());
    let listener = Listener::start(&forwarding(&folder, &upstream, "quota = { rows = 1 }"));
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    drop(Told::of(&upstream));
    let full = aella("t2").send(listener.address());
    assert_eq!((full.status, full.header("retry-after").is_some()), (503, true), "{full:?}");
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    let lines = [listener.json(), listener.json(), listener.json()];
    let verdicts: Vec<_> = lines.iter().map(|line| line["verdict"].clone()).collect();
    assert_eq!(verdicts, ["stored", "refused", "duplicate"]);
    assert_eq!((&lines[1]["status"], &lines[1]["kind"]), (&json!(503), &json!("store_unavailable")), "{}", lines[1]);
    upstream.answers.send(OK).unwrap();
    wait_for(&listener, "done", 1);
    assert_eq!(aella("t2").send(listener.address()).status, 200);
}

pub(super) fn listen(config: &str) -> Done {
    let folder = Folder::new();
    let file = folder.write("receiver.toml", config);
    Program::new(["listen".into(), "--config".into(), file.into_os_string()]).run()
}

#[test]
fn a_file_that_is_another_s_or_cannot_be_an_inbox_is_said_in_one_line() {
    let folder = Folder::new();
    let first = Listener::start(&config(&folder, "", ""));
    let second = listen(&config(&folder, "", ""));
    assert_eq!((second.code, second.stdout.len(), second.stderr.lines().count()), (Some(1), 0, 1), "{second:?}");
    assert!(second.stderr.contains("inbox.db: ") && second.stderr.contains("somebody else owns it"), "{second:?}");
    assert_eq!(aella("t1").send(first.address()).status, 200, "and the first goes on");
    assert_eq!(first.stop().code, Some(0));
    let third = Listener::start(&config(&folder, "", ""));
    assert_eq!(third.stop().code, Some(0));

    let away = Folder::new();
    away.write(
        "inbox.db",
        "this is a text, and no database of anybody, though it is long enough to be looked at: ".repeat(20),
    );
    let nowhere = config(&away, "", "").replace("/inbox.db", "/no/such/folder/inbox.db");
    let in_a_file = config(&away, "", "").replace("/inbox.db", "/inbox.db/inbox.db");
    let a_folder = config(&away, "", "").replace("/inbox.db\"", "\"");
    for (config, said) in [
        (config(&away, "", ""), "cannot be used"),
        (nowhere, "No such file or directory"),
        (in_a_file, "Not a directory"),
        (a_folder, "Is a directory"),
    ] {
        let start = Instant::now();
        let done = listen(&config);
        assert_eq!((done.code, done.stdout.len(), done.stderr.lines().count()), (Some(1), 0, 1), "{done:?}");
        assert!(done.stderr.contains(said), "{said}: {done:?}");
        assert!(start.elapsed() < SOON);
    }
}

#[test]
fn a_stdout_that_nobody_reads_holds_no_answer_and_uses_up_no_attempt() {
    const EVENTS: usize = 300;
    let folder = Folder::new();
    let listener =
        Listener::start_unread(&config(&folder, "", "retry = { base = \"1ms\", cap = \"1ms\", attempts = 2 }"));
    for at in 0..EVENTS {
        assert_eq!(aella(&format!("t{at}")).send(listener.address()).status, 200, "{at}");
    }
    let stats = ask(&listener, &["stats"]);
    assert!(stats["ready"].as_u64().unwrap() > 0 && stats["running"].as_u64().unwrap() > 0, "it stands: {stats}");
    let mut accepted = Vec::new();
    while accepted.len() < EVENTS {
        let line = listener.json();
        match line["verdict"].as_str().unwrap() {
            "accepted" => accepted.push(line["id"].as_str().unwrap().to_owned()),
            other => assert_eq!(other, "stored", "{line}"),
        }
    }
    accepted.sort_unstable();
    accepted.dedup();
    assert_eq!(accepted.len(), EVENTS, "each once");
    wait_for(&listener, "done", EVENTS as u64);
}

/// One ended forty days ago, and one eight: a worker's own time, a week, counts for nothing beside the file's.
#[test]
fn bodies_go_when_the_time_of_the_file_is_over_and_not_before() {
    const DAY: Duration = Duration::from_hours(24);
    let (folder, now) = (Folder::new(), Timestamp::now());
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let inbox = SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap();
        for (key, days) in [(1, 40), (2, 8)] {
            let (key, then) = (KeyHash::from_bytes([key; 32]), now - days * DAY);
            let event = NewEvent::new(key, Fingerprint::of(b"x"), "a payload", now + 30 * DAY);
            inbox.accept(vec![event], then).await.unwrap();
            let held = inbox.lease(LeaseToken([7; 16]), 1, DAY, then).await.unwrap();
            assert_eq!(inbox.complete(&held[0], then).await.unwrap(), Ended::Done);
        }
    });
    let inbox = "retention = { keys = \"60d\", bodies = \"30d\" }";
    let listener = Listener::start(&config(&folder, "", inbox));
    let has_body = |id| ask(&listener, &["show", id]).get("payload").is_some();
    let start = Instant::now();
    while has_body("1") {
        assert!(start.elapsed() < SOON, "the older one stays");
        std::thread::yield_now();
    }
    assert!(has_body("2"), "the newer one went before its time");
}

/// One that an endpoint of another file has stored waits for people, and one of this file's is handled.
#[test]
fn an_event_that_no_endpoint_of_the_file_has_stored_is_parked_and_those_of_the_file_are_not() {
    let (folder, now) = (Folder::new(), Timestamp::now());
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let inbox = SqliteInbox::open(folder.path().join("inbox.db")).await.unwrap();
        let key = KeyHash::from_bytes([1; 32]);
        let mut event = NewEvent::new(key, Fingerprint::of(b"x"), "{}", now + Duration::from_hours(24));
        (event.receiver, event.readable_key) = ("another".to_owned(), "one|1".to_owned());
        inbox.accept(vec![event], now).await.unwrap();
    });
    let listener = Listener::start(&config(&folder, "", ""));
    let parked = listener.json();
    let reason = "no endpoint of the file has the name \"another\"";
    assert_eq!(parked, json!({ "verdict": "parked", "id": "1", "key": "one|1", "attempt": 1, "reason": reason }));
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    wait_for(&listener, "done", 1);
    let stats = ask(&listener, &["stats"]);
    assert_eq!((&stats["parked"], &stats["ready"], &stats["dead"]), (&json!(1), &json!(0), &json!(0)), "{stats}");
}
