//! One notification that cannot be read stops no other, and what is only second hand is read leniently.

use std::sync::{Arc, Mutex};

use serde_json::{Value, json};
use tower::ServiceExt as _;
use tower_webhook::event::Project as _;
use tower_webhook::provider::banking_circle::{BankingCircle, Event};
use tower_webhook::{MemoryStore, Received, Receiver, Rejection};

use crate::deliveries::{bank, now, read, sealed};
use crate::support::Log;

type Seen = Arc<Mutex<Vec<(String, Value)>>>;

/// A notification of a payment with one member changed.
fn notification(id: &str, pointer: &str, value: Value) -> Value {
    let mut members = json!({
        "eventId": id,
        "notificationType": "IncomingPaymentProcessed",
        "timestamp": "2026-11-21T12:00:00Z",
        "payment": {"paymentId": "p", "status": "Processed", "isTraceable": true, "processedTimestamp": "t",
            "creditorInformation": {"accountId": "a", "creditAmount": {"currency": "EUR", "amount": "92.00"}}},
    });
    *members.pointer_mut(pointer).unwrap_or_else(|| panic!("{pointer}")) = value;
    members
}

fn good(id: &str) -> Value {
    notification(id, "/payment/paymentId", json!("p"))
}

fn message(notifications: &[Value]) -> String {
    json!({"notifications": notifications}).to_string()
}

/// Statuses, and what the handler saw: keys, and events in the shared vocabulary.
async fn deliver(bank: BankingCircle, bodies: &[String]) -> (Vec<(u16, bool)>, Vec<(String, Value)>) {
    let seen = Seen::default();
    let noted = Arc::clone(&seen);
    let receiver = Receiver::new("bank", bank).clock(now()).dedupe(MemoryStore::new(5000));
    let service = receiver.handle(move |event: Received<Event>| {
        let shared = serde_json::to_value(event.event().project()).unwrap();
        noted.lock().unwrap().push((event.delivery().key().to_string(), shared));
        async {}
    });
    let mut told = Vec::new();
    for body in bodies {
        let response = service.clone().oneshot(sealed(&self::bank(), body.clone())).await.unwrap();
        if response.status() == 400 {
            let no = response.extensions().get::<Rejection>().unwrap();
            assert!(!["abc", "secret"].iter().any(|value| no.to_string().contains(value)), "{no}");
        }
        let (status, replayed, _) = read(response).await;
        told.push((status, replayed));
    }
    let seen = seen.lock().unwrap().clone();
    (told, seen)
}

fn keys(seen: &[(String, Value)]) -> Vec<&str> {
    seen.iter().map(|(key, _)| key.as_str()).collect()
}

const AMOUNT: &str = "/payment/creditorInformation/creditAmount/amount";

#[tokio::test(start_paused = true)]
async fn the_readable_events_of_a_batch_run_and_the_rest_is_answered_400() {
    let bad = notification("bad", AMOUNT, json!("abc"));
    let body = message(&[good("a"), bad.clone(), good("b")]);
    let (told, seen) = deliver(bank(), &[body.clone(), body]).await;
    assert_eq!((told, keys(&seen)), (vec![(400, false), (400, false)], vec!["a", "b"]));
    // Mended at the bank, it is handled, and it alone.
    let mended = message(&[good("a"), good("bad"), good("b")]);
    let (told, seen) = deliver(bank(), &[message(&[good("a"), bad, good("b")]), mended]).await;
    assert_eq!((told, keys(&seen)), (vec![(400, false), (200, false)], vec!["a", "b", "bad"]));
}

#[tokio::test(start_paused = true)]
async fn one_readable_event_beside_an_unreadable_one_is_still_400() {
    for beside in [
        json!(7),
        json!(["e"]),
        json!(null),
        json!({}),
        json!({"eventId": {}}),
        notification("bad", AMOUNT, json!("abc")),
        notification("bad", "/payment", json!("secret")),
    ] {
        let (told, seen) = deliver(bank(), &[message(&[beside.clone(), good("a")])]).await;
        assert_eq!((told, keys(&seen)), (vec![(400, false)], vec!["a"]), "{beside}");
        let (told, seen) =
            deliver(bank(), &[message(std::slice::from_ref(&beside)), message(&[beside.clone(), beside])]).await;
        assert_eq!((told, seen.len()), (vec![(400, false); 2], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn a_message_of_two_meanings_runs_nothing() {
    for body in [
        message(&[good("a"), good("b")]).replacen("\"status\"", "\"status\":\"Rejected\",\"status\"", 1),
        message(&[good("a"), good("b")]).replace("]}", "]"),
    ] {
        let (told, seen) = deliver(bank(), &[body]).await;
        assert_eq!((told, seen.len()), (vec![(400, false)], 0));
    }
}

#[tokio::test(start_paused = true)]
async fn amounts_currencies_statuses_and_keys_are_read_strictly() {
    for (pointer, value) in [
        (AMOUNT, json!("abc")),
        (AMOUNT, json!(true)),
        ("/payment/creditorInformation/creditAmount/currency", json!(978)),
        ("/payment/creditorInformation/creditAmount", json!("92.00")),
        ("/payment/creditorInformation", json!([])),
        ("/payment/status", json!(3)),
        ("/payment/paymentId", json!({})),
        ("/payment/paymentId", json!(null)),
        ("/eventId", json!([])),
        ("/eventId", json!(" ")),
    ] {
        let (told, seen) = deliver(bank(), &[message(&[notification("e", pointer, value.clone())])]).await;
        assert_eq!((told, seen.len()), (vec![(400, false)], 0), "{pointer} {value}");
    }
}

/// What the log has, but for what it says of every receiver over a memory store.
fn of_members(log: &Log) -> String {
    let text = log.text();
    let others = |line: &&str| line.starts_with("DEBUG") || line.contains("the dedupe store forgets");
    text.split_inclusive('\n').filter(|line| !others(line)).collect()
}

#[tokio::test(start_paused = true)]
async fn what_is_second_hand_is_absent_when_it_cannot_be_read_and_the_log_names_it_once() {
    let lenient = [
        ("/payment/isTraceable", json!("secret")),
        ("/payment/processedTimestamp", json!({"secret": 1})),
        ("/payment/creditorInformation/accountId", json!(["secret"])),
        ("/timestamp", json!("2026-11-21T12:00:00")),
        ("/timestamp", json!("secret")),
        ("/notificationType", json!({"secret": 1})),
    ];
    for (pointer, value) in &lenient {
        let log = Log::capture();
        let (told, seen) = deliver(bank(), &[message(&[notification("e", pointer, value.clone())])]).await;
        assert_eq!((told, keys(&seen)), (vec![(200, false)], vec!["e"]), "{pointer} {value}");
        let text = of_members(&log);
        let member = pointer.rsplit('/').next().unwrap();
        assert!(text.lines().count() == 1 && text.starts_with("WARN") && text.contains(member), "{text}");
        assert!(!text.contains("secret") && !text.contains("2026"), "{text}");
    }
    let all: Vec<_> = lenient
        .iter()
        .enumerate()
        .map(|(at, (pointer, value))| notification(&at.to_string(), pointer, value.clone()))
        .collect();
    let log = Log::capture();
    let (told, seen) = deliver(bank(), &[message(&all)]).await;
    assert_eq!((told, seen.len(), of_members(&log).lines().count()), (vec![(200, false)], 6, 1));
    drop(log);
    // Whatever is as it should be, or a number for an id, is no word in the log.
    let log = Log::capture();
    let (told, seen) =
        deliver(bank(), &[message(&[good("a"), notification("b", "/payment/paymentId", json!(7))])]).await;
    assert_eq!((told, of_members(&log).as_str()), (vec![(200, false)], ""));
    assert_eq!((&seen[0].1["id"], &seen[1].1["id"]), (&json!("p"), &json!("7")));
}
