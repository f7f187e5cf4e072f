//! Keys through a whole receiver: what must not meet does not, and what is one event runs once.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::json::Pointer;
use tower_webhook::provider::custom::Custom;
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks};
use tower_webhook::provider::{Lookup, Message, Provider};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{aella, counting, now, read};
use crate::rewritten::custom;

/// The status of each body, and the keys that were handled.
async fn handled<P: Provider>(new: impl Fn() -> P, bodies: &[&str]) -> (Vec<u16>, Vec<String>) {
    let seen = Arc::new(Mutex::new(Vec::new()));
    let noted = Arc::clone(&seen);
    let receiver = Receiver::new("here", new()).clock(now()).dedupe(MemoryStore::new(100));
    let service = receiver.handle(move |event: Received<P::Event>| {
        noted.lock().unwrap().push(event.delivery().key().to_string());
        async {}
    });
    let mut told = Vec::new();
    for body in bodies {
        let key = format!("key-{}", told.len());
        let message = Message::new((*body).to_owned()).idempotency_key(key);
        let request: Request<Bytes> = new().seal(message, &Sealing::new(now(), &counting)).unwrap();
        told.push(read(service.clone().oneshot(request.map(Full::new)).await.unwrap()).await.0);
    }
    let seen = seen.lock().unwrap().clone();
    (told, seen)
}

fn mambu() -> Mambu {
    let token = Secret::utf8("a secret that is long enough").unwrap();
    let mambu = Mambu::static_header("x-api-key".parse().unwrap(), token).unwrap();
    mambu.key_from_body([Pointer::new("/id").unwrap()])
}

fn by_id() -> Custom {
    custom(Lookup::json("/id").unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_number_and_its_text_are_two_keys_and_a_plain_text_is_itself() {
    let bodies = [
        r#"{"id":1}"#,
        r#"{"id":"1"}"#,
        r#"{"id":"\"1\""}"#,
        r#"{"id":true}"#,
        r#"{"id":"true"}"#,
        r#"{"id":"a1"}"#,
        r#"{"id":"\u0061\u0031"}"#,
    ];
    let expected = ["1", "\"1\"", "\"\\\\\"1\\\\\"\"", "true", "\"true\"", "a1"];
    let (told, keys) = handled(by_id, &bodies).await;
    assert_eq!((told, keys), (vec![200; 7], expected.map(str::to_owned).to_vec()));
    let (told, keys) = handled(mambu, &bodies).await;
    assert_eq!((told, keys), (vec![200; 7], expected.map(|key| format!("body|{key}")).to_vec()));
}

#[tokio::test(start_paused = true)]
async fn a_body_of_two_meanings_is_refused_where_json_is_read() {
    let webhooks =
        || StandardWebhooks::new(standard_webhooks::secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()).unwrap();
    let named = || custom(Lookup::header("x-id").unwrap()).event_from(Lookup::json("/type").unwrap());
    let unread = || custom(Lookup::header("x-id").unwrap());
    let twice = [r#"{"type":"a","type":"b"}"#, r#"{"type":"a","x":[{"y":1,"\u0079":2}]}"#];
    let fair = [r#"{"type":"a"}"#, "no JSON", "", r#"{"type":"a","type":"b""#, "[1, 2]"];
    assert_eq!(handled(webhooks, &twice).await, (vec![400; 2], vec![]));
    assert_eq!(handled(named, &twice).await, (vec![400; 2], vec![]));
    assert_eq!(handled(webhooks, &fair).await.0, [200; 5]);
    assert_eq!(handled(named, &fair).await.0, [200; 5]);
    assert_eq!(handled(unread, &twice).await.0, [200; 2]);
}

#[tokio::test(start_paused = true)]
async fn an_unknown_event_with_a_numeric_id_and_a_fresh_timestamp_runs_once() {
    let event = |data: &str, second: u8| {
        format!(r#"{{"event":"wallet.closed","timestamp":"2026-11-21T12:00:0{second}Z","data":{data}}}"#)
    };
    let [first, retry, other] = [event(r#"{"id":7}"#, 0), event(r#"{ "id" : 7 }"#, 1), event(r#"{"id":8}"#, 1)];
    let (told, keys) = handled(aella, &[&first, &retry, &other]).await;
    assert_eq!((told, keys), (vec![200; 3], vec!["wallet.closed|7".to_owned(), "wallet.closed|8".to_owned()]));
    // Nothing but the time tells these two apart.
    let (told, keys) = handled(aella, &[&event("{}", 0), &event("{}", 1)]).await;
    assert_eq!((told, keys.len()), (vec![200; 2], 2));
}
