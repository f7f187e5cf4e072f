//! `listen` with an inbox in Postgres, from outside: alone, killed, beside another, and with a server that goes away.

use std::collections::BTreeMap;
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::admin::metrics;
use super::child::{Folder, Listener, Program};
use super::kept::{Told, ask, listen, other_payload, wait_for};
use super::storm;
use super::upstream::{Upstream, aella};
use crate::postgres::schema;
use crate::postgres::server::Server;
use crate::support::free_address;

const OK: &str = "200 OK\r\ncontent-length: 0";
const DEAD: &str = "422 X\r\ntower-webhook-dead: no such account\r\ncontent-length: 0";
const PATIENCE: Duration = Duration::from_secs(60);

/// `[inbox]` in a schema of its own. Who may not see the password looks for `hunter2`.
fn section(server: &Server, more: &str) -> String {
    let url = server.url().replace("tester@", "tester:hunter2@");
    let schema = schema();
    format!(
        "[inbox]\nkind = \"postgres\"\nurl = \"{url}?sslmode=prefer\"\nschema = \"{schema}\"\nlease = \"1s\"\n{more}\n"
    )
}

/// Aella's endpoint in front of this inbox.
fn config(inbox: &str, endpoint: &str) -> String {
    format!(
        "listen = \"127.0.0.1:0\"\n[[endpoint]]\npath = \"/aella\"\nname = \"aella-ng\"\nprovider = \"aella\"\n\
         keys = [{{ id = \"2026-11\", value = \"ae_sk_test_example\" }}]\n{endpoint}\n{inbox}"
    )
}

fn forwarding(inbox: &str, upstream: &Upstream) -> String {
    config(inbox, &format!("forward_to = \"http://{}/hooks\"", upstream.address))
}

/// In front of a new inbox of the server that all share.
pub(super) fn forwarding_here(upstream: &Upstream) -> String {
    forwarding(&section(Server::shared_here(), ""), upstream)
}

#[test]
fn an_event_is_stored_handed_over_and_told_of_by_the_lines_of_the_contract() {
    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&section(Server::shared_here(), ""), &upstream));
    let answer = aella("t1").send(listener.address());
    assert_eq!((answer.status, answer.header("idempotent-replayed")), (200, None), "before anybody handles it");
    let stored = listener.json();
    let id = stored["id"].clone();
    let line = json!({
        "verdict": "stored", "endpoint": "/aella", "receiver": "aella-ng", "provider": "aella", "id": id,
        "key": "transfer.completed|t1", "event": "transfer.completed"
    });
    assert_eq!(stored, line);
    let (attempt, fence) = Told::of(&upstream).turn();
    assert_eq!(attempt, 1);
    upstream.answers.send(OK).unwrap();
    let accepted = listener.json();
    let of = |name: &str| accepted[name].clone();
    assert_eq!([of("verdict"), of("id"), of("attempt"), of("fence")], [json!("accepted"), id, json!(1), json!(fence)]);
    assert_eq!((&accepted["typed"]["kind"], &accepted["payload"]["data"]["id"]), (&json!("transfer"), &json!("t1")));

    let repeat = aella("t1").send(listener.address());
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")));
    assert_eq!(listener.json()["verdict"], "duplicate");
    assert_eq!(other_payload("t1").send(listener.address()).status, 200);
    assert_eq!(listener.json()["verdict"], "quarantined");
    let mut forged = aella("t2");
    forged.body[10] ^= 1;
    assert_eq!(forged.send(listener.address()).status, 401);
    assert_eq!(listener.json()["verdict"], "refused");
    let done = listener.stop();
    assert_eq!((done.code, done.stdout.len(), done.stderr.as_str()), (Some(0), 0, ""), "{done:?}");
}

#[test]
fn who_is_killed_hands_over_again_after_the_lease_and_loses_nothing() {
    let inbox = section(Server::shared_here(), "");
    let (mut upstream, mut last) = (Upstream::start(), (0, 0));
    for life in 1..=3 {
        let listener = Listener::start(&forwarding(&inbox, &upstream));
        // It is known from the first life on, and handed over in each.
        assert_eq!(aella("t1").send(listener.address()).status, 200);
        assert_eq!(listener.json()["verdict"], if life == 1 { "stored" } else { "duplicate" });
        let turn = Told::of(&upstream).turn();
        assert!(turn.0 == life && turn.1 > last.1, "{turn:?} after {last:?}");
        last = turn;
        if life == 3 {
            upstream.answers.send(OK).unwrap();
            let accepted = listener.json();
            assert_eq!((&accepted["verdict"], &accepted["attempt"]), (&json!("accepted"), &json!(3)), "{accepted}");
            wait_for(&listener, "done", 1);
        } else {
            listener.running().signal("KILL");
            assert_eq!(listener.into_running().wait().code, None);
            upstream = Upstream::start();
        }
    }
}

/// The lines of a listener by their key, until so many were handled by it or nobody says anything any more.
fn handled(listeners: &[Listener], count: usize) -> BTreeMap<String, Vec<usize>> {
    let mut by_key: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let begin = Instant::now();
    while by_key.values().map(Vec::len).sum::<usize>() < count && begin.elapsed() < PATIENCE {
        for (at, listener) in listeners.iter().enumerate() {
            while let Some(line) = listener.running().line_within(Duration::from_millis(20)) {
                let line: Value = serde_json::from_str(&line).unwrap();
                if line["verdict"] == "accepted" {
                    by_key.entry(line["key"].as_str().unwrap().to_owned()).or_default().push(at);
                }
            }
        }
    }
    by_key
}

#[test]
fn two_listeners_on_one_inbox_share_its_events_and_know_each_others_keys() {
    let config = config(&section(Server::shared_here(), ""), "");
    let listeners = [Listener::start(&config), Listener::start(&config)];
    for number in 0..40 {
        let (one, other) = (&listeners[number % 2], &listeners[(number + 1) % 2]);
        let delivery = aella(&format!("t{number}"));
        assert_eq!(delivery.send(one.address()).header("idempotent-replayed"), None);
        let repeat = delivery.send(other.address());
        assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")), "{number}");
    }
    let by_key = handled(&listeners, 40);
    assert_eq!(by_key.len(), 40, "{by_key:?}");
    assert!(by_key.values().all(|by| by.len() == 1), "each by one: {by_key:?}");
    // One of them is enough.
    let [one, other] = listeners;
    wait_for(&other, "done", 40);
    assert_eq!(one.stop().code, Some(0));
    assert_eq!(aella("last").send(other.address()).status, 200);
    wait_for(&other, "done", 41);
    assert_eq!(other.stop().code, Some(0));
}

#[test]
fn the_inbox_is_looked_after_beside_its_listener() {
    let upstream = Upstream::start();
    let listener = Listener::start(&forwarding(&section(Server::shared_here(), ""), &upstream));
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    let first = Told::of(&upstream).turn();
    upstream.answers.send(DEAD).unwrap();
    while listener.json()["verdict"] != "dead" {}
    let stats = ask(&listener, &["stats"]);
    assert_eq!((&stats["dead"], &stats["done"], &stats["ready"]), (&json!(1), &json!(0), &json!(0)), "{stats}");
    let row = ask(&listener, &["list", "--state", "dead"]);
    assert_eq!((&row["key"], &row["reason"]), (&json!("transfer.completed|t1"), &json!("no such account")), "{row}");
    assert_eq!(ask(&listener, &["list", "--state", "ready"]), Value::Null);
    let id = row["id"].as_str().unwrap();
    let shown = ask(&listener, &["show", id]);
    assert_eq!((&shown["state"], &shown["payload"]["data"]["id"]), (&json!("dead"), &json!("t1")), "{shown}");
    assert_eq!(ask(&listener, &["replay", "--dry-run"]), json!({"matches": 1, "replayed": 0}));
    assert_eq!(ask(&listener, &["replay"]), json!({"matches": 1, "replayed": 1}));
    let again = Told::of(&upstream).turn();
    assert!(again.0 == 1 && again.1 > first.1, "{again:?} after {first:?}");
    upstream.answers.send(OK).unwrap();
    wait_for(&listener, "done", 1);
    assert_eq!(ask(&listener, &["erase", "--key", "transfer.completed|t1"])["erased"], 1);
    assert!(ask(&listener, &["show", id]).get("payload").is_none());
    let none = Program::new(["inbox", "show", "999", "--config", listener.config().to_str().unwrap()]).run();
    assert_eq!((none.code, none.stdout.len()), (Some(1), 0), "{none:?}");
}

#[test]
fn a_secret_address_comes_from_the_environment_or_a_file_and_is_never_said() {
    let folder = Folder::new();
    let inbox = section(Server::shared_here(), "");
    let url = inbox.lines().find_map(|line| line.strip_prefix("url = ")).unwrap();
    let bare = url.trim_matches('"');
    let file = folder.write("url", format!("{bare}\n"));
    std::fs::set_permissions(&file, Permissions::from_mode(0o600)).unwrap();
    for source in ["{ env = \"INBOX_URL\" }".to_owned(), format!("{{ file = \"{}\" }}", file.display())] {
        let listener = Listener::start_with(&config(&inbox.replace(url, &source), ""), &[("INBOX_URL", bare)]);
        assert_eq!(aella("t1").send(listener.address()).status, 200);
        let done = listener.stop();
        assert!(done.code == Some(0) && !done.said().contains("hunter2"), "{done:?}");
    }
    let unset = listen(&config(&inbox.replace(url, "{ env = \"INBOX_URL\" }"), ""));
    assert_eq!((unset.code, unset.stderr.lines().count()), (Some(2), 1), "{unset:?}");
    assert!(unset.stderr.contains("inbox.url.env: INBOX_URL is not set; "), "{unset:?}");
}

#[test]
fn a_server_that_is_away_is_said_at_the_start_and_answered_503_until_it_is_back() {
    let mut server = Server::start();
    let config = config(&section(&server, "deadline = \"2s\""), "");
    let listener = Listener::start(&config);
    assert_eq!(aella("t1").send(listener.address()).status, 200);
    wait_for(&listener, "done", 1);
    server.kill();

    let begin = Instant::now();
    let second = listen(&config);
    assert_eq!((second.code, second.stdout.len(), second.stderr.lines().count()), (Some(1), 0, 1), "{second:?}");
    assert!(second.stderr.contains("inbox: postgres: the inbox is not available: "), "{second:?}");
    assert!(!second.said().contains("hunter2") && begin.elapsed() < Duration::from_secs(20), "{second:?}");

    let away = aella("t2").send(listener.address());
    assert_eq!((away.status, away.header("retry-after").is_some()), (503, true), "{away:?}");
    server.restart();
    let begin = Instant::now();
    while aella("t2").send(listener.address()).status != 200 {
        assert!(begin.elapsed() < PATIENCE, "{}", listener.running().stderr_so_far());
        sleep(Duration::from_millis(100));
    }
    wait_for(&listener, "done", 2);
    let repeat = aella("t1").send(listener.address());
    assert_eq!((repeat.status, repeat.header("idempotent-replayed")), (200, Some("true")));
    let done = listener.stop();
    assert!(done.code == Some(0) && !done.said().contains("hunter2"), "{done:?}");
}

#[test]
fn a_lease_that_was_lost_in_hand_is_counted_once_and_said() {
    let (inbox, first, second) = (section(Server::shared_here(), ""), Upstream::start(), Upstream::start());
    let listen = |upstream| Listener::start(&format!("admin = \"127.0.0.1:0\"\n{}", forwarding(&inbox, upstream)));
    let (one, other) = (listen(&first), listen(&second));
    other.running().signal("STOP");
    assert_eq!(aella("t1").send(one.address()).status, 200);
    let id = one.json()["id"].as_str().unwrap().to_owned();
    let before = Told::of(&first).turn();
    one.running().signal("STOP");
    other.running().signal("CONT");
    let after = Told::of(&second).turn();
    assert!(after.1 > before.1, "{after:?} after {before:?}");
    second.answers.send(OK).unwrap();
    assert_eq!(other.json()["verdict"], "accepted");
    first.answers.send(OK).unwrap();
    one.running().signal("CONT");
    let said = format!("warning: inbox: event {id}: its lease was lost while it was handled");
    while !one.running().stderr_line().contains(&said) {}
    for (listener, losses) in [(&one, 1), (&other, 0)] {
        let counted = format!("webhook_lease_lost_total{{receiver=\"aella-ng\"}} {losses}\n");
        let numbers = metrics(listener.admin());
        assert!(numbers.contains(&counted), "{counted}: {numbers}");
    }
}

#[test]
fn a_storm_on_a_listener_that_is_killed_loses_nothing() {
    let (upstream, at) = (free_address(), free_address());
    // Long enough for a busy machine: what is done twice because its lease ran out nobody excuses.
    let inbox = section(Server::shared_here(), "").replace("\"1s\"", "\"10s\"");
    let config = storm::aella(upstream).replace("127.0.0.1:0", &at.to_string()) + &inbox;
    let killer = std::thread::spawn({
        let config = config.clone();
        move || {
            for _ in 0..2 {
                let listener = Listener::start(&config);
                sleep(Duration::from_millis(1500));
                drop(listener);
            }
            Listener::start(&config)
        }
    });
    let done = storm::storm(&config, &format!("http://{at}"), upstream, &["--events", "600", "--time", "1000x"]);
    let report = storm::report(&done);
    assert_eq!((done.code, &report["lost"], &report["handled_twice"]), (Some(0), &json!(0), &json!(0)), "{done:?}");
    drop(killer.join());
}
