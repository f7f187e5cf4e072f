//! Deliveries and attempts as spans: what they say, who runs inside, and what a stranger cannot make them say.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, Request};
use http_body_util::Full;
use serde_json::json;
use tokio::sync::Notify;
use tower::ServiceExt as _;
use tower_webhook::delivery::Drain;
use tower_webhook::provider::banking_circle;
use tower_webhook::{MemoryStore, Outcome, Received, Receiver};

use crate::deliveries::{TRANSFER, aella, bank, now, sealed};
use crate::subscriber::Spans;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const IDS: &str = "trace_id=0af7651916cd43dd8448eb211c80319c parent_span_id=b7ad6b7169203331";

/// Where each handler was.
type Seen = Arc<Mutex<Vec<String>>>;

fn delivery(headers: &[(&'static str, &str)]) -> Request<Full<Bytes>> {
    let mut request = sealed(&aella(), TRANSFER);
    for (name, value) in headers {
        request.headers_mut().append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    request
}

fn forged() -> Request<Full<Bytes>> {
    let mut request = delivery(&[("traceparent", TRACE)]);
    request.headers_mut().insert("x-aella-signature", HeaderValue::from_str(&"ca".repeat(64)).unwrap());
    request
}

/// The value of a field, which stands once.
fn field(span: &str, name: &str) -> Option<String> {
    let mut values = span.split(' ').filter_map(|part| part.strip_prefix(name)?.strip_prefix('='));
    let value = values.next().map(|value| value.trim_matches('"').to_owned());
    assert_eq!(values.next(), None, "{name} stands twice: {span}");
    value
}

#[tokio::test(start_paused = true)]
async fn a_delivery_is_one_span_and_its_handler_runs_inside() {
    let (spans, seen) = (Spans::capture(), Seen::default());
    let noted = Arc::clone(&seen);
    let store = MemoryStore::new(10);
    let handler = move |_: Received<_>| {
        noted.lock().unwrap().push(Spans::here());
        let first = noted.lock().unwrap().len() == 1;
        async move { if first { Outcome::failed("canary") } else { Outcome::Done } }
    };
    let service = Receiver::new("aella-ng", aella()).clock(now()).dedupe(store).handle(handler);
    let traced = || delivery(&[("traceparent", TRACE)]);
    for (request, status) in [(traced(), 500), (traced(), 200), (traced(), 200), (forged(), 401)] {
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    }
    let texts = spans.texts();
    assert_eq!((texts.len(), spans.open()), (4, 0), "{texts:#?}");
    let seen = seen.lock().unwrap();
    let begun = format!(r#"delivery receiver="aella-ng" provider="aella" {IDS} events=1 key="#);
    for (at, attempt, outcome, reason) in [
        (0, Some("1"), "failed", Some("handler_failed")),
        (1, Some("2"), "accepted", None),
        (2, None, "replayed", None),
        (3, None, "refused", Some("signature_mismatch")),
    ] {
        let text: &str = &texts[at];
        let told = (field(text, "attempt"), field(text, "outcome").unwrap(), field(text, "reason"));
        let expected = (attempt.map(str::to_owned), outcome.to_owned(), reason.map(str::to_owned));
        assert_eq!(told, expected, "{text}");
        if let Some(seen) = seen.get(at) {
            assert!(seen.starts_with(&begun) && text.starts_with(seen), "{seen}");
            assert_eq!(field(seen, "attempt"), attempt.map(str::to_owned), "{seen}");
            assert_eq!(field(seen, "key").map(|key| key.len()), Some(8), "{seen}");
        }
        assert!(!text.contains("canary") && !text.contains("7b129bdd"), "{text}");
    }
    assert_eq!(seen.len(), 2);
}

#[tokio::test(start_paused = true)]
async fn nobody_who_sends_can_write_into_a_field() {
    let canary = "canary-canary-canary";
    let almost = TRACE.replace("b7ad6b7169203331", "b7ad6b716920333g");
    for (headers, ids) in [
        (vec![("traceparent", TRACE), ("tracestate", canary), ("x-request-id", canary)], true),
        (vec![], false),
        (vec![("traceparent", canary)], false),
        (vec![("traceparent", &format!("{TRACE}{canary}"))], false),
        (vec![("traceparent", TRACE), ("traceparent", canary)], false),
        (vec![("traceparent", TRACE), ("traceparent", TRACE)], false),
        (vec![("traceparent", &almost)], false),
        (vec![("traceparent", &TRACE.to_uppercase())], false),
        (vec![("traceparent", "00-00000000000000000000000000000000-b7ad6b7169203331-01")], false),
        (vec![("traceparent", &"a".repeat(8000)), ("user-agent", canary)], false),
        (vec![("traceparent", "\u{e9}\u{e9}")], false),
    ] {
        let spans = Spans::capture();
        let service = Receiver::new("aella-ng", aella())
            .clock(now())
            .dedupe(MemoryStore::new(10))
            .handle(async |_: Received<_>| {});
        let request = delivery(&headers);
        assert_eq!(
            service.clone().oneshot(request).await.unwrap().status(),
            200,
            "a trace refuses nobody: {headers:?}"
        );
        let mut unsigned = delivery(&headers);
        unsigned.headers_mut().remove("x-aella-signature");
        assert_ne!(service.oneshot(unsigned).await.unwrap().status(), 200);
        let texts = spans.texts();
        assert_eq!(texts.len(), 2, "{texts:?}");
        for text in texts {
            assert_eq!(text.contains(IDS), ids, "{headers:?}: {text}");
            assert_eq!(text.contains("_id="), ids, "{headers:?}: {text}");
            assert!(!text.contains("canary") && !text.contains("aaaa") && text.is_ascii(), "{text}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_delivery_stands_in_the_span_that_is_there() {
    let spans = Spans::capture();
    let service =
        Receiver::new("aella-ng", aella()).clock(now()).dedupe(MemoryStore::new(10)).handle(async |_: Received<_>| {});
    let outer = tracing::info_span!(target: "tower_webhook_test", "server");
    let answer = tracing::Instrument::instrument(service.oneshot(delivery(&[])), outer).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert!(spans.texts()[1].starts_with("server > delivery receiver="), "{:?}", spans.texts());
}

#[tokio::test(start_paused = true)]
async fn after_a_hang_up_it_goes_on_inside_and_its_end_is_told() {
    let (spans, seen, go, drain) = (Spans::capture(), Seen::default(), Arc::new(Notify::new()), Drain::new());
    let (noted, goes) = (Arc::clone(&seen), Arc::clone(&go));
    let handler = move |_: Received<_>| {
        let (noted, goes) = (Arc::clone(&noted), Arc::clone(&goes));
        async move {
            goes.notified().await;
            noted.lock().unwrap().push(Spans::here());
        }
    };
    let service =
        Receiver::new("aella-ng", aella()).clock(now()).drain(&drain).dedupe(MemoryStore::new(10)).handle(handler);
    let answer = tokio::time::timeout(Duration::from_secs(1), service.oneshot(delivery(&[]))).await;
    assert!(answer.is_err(), "the sender hung up");
    assert_eq!((seen.lock().unwrap().len(), spans.open()), (0, 1));
    go.notify_one();
    drain.begin();
    drain.finished().await;
    tokio::task::yield_now().await;
    let seen = seen.lock().unwrap();
    assert!(seen[0].starts_with("delivery receiver="), "{seen:?}");
    assert_eq!((field(&spans.texts()[0], "outcome").as_deref(), spans.open()), (Some("accepted"), 0));
}

/// Opened and decoded on other threads.
#[tokio::test]
async fn a_long_delivery_is_one_too() {
    let (spans, seen) = (Spans::capture(), Seen::default());
    let noted = Arc::clone(&seen);
    let long = TRANSFER.replacen('{', &format!(r#"{{"more":"{}","#, "x".repeat(300 * 1024)), 1);
    let handler = move |_: Received<_>| {
        noted.lock().unwrap().push(Spans::here());
        async {}
    };
    let service = Receiver::new("aella-ng", aella()).clock(now()).dedupe(MemoryStore::new(10)).handle(handler);
    assert_eq!(service.oneshot(sealed(&aella(), long)).await.unwrap().status(), 200);
    let (texts, seen) = (spans.texts(), seen.lock().unwrap());
    assert_eq!((texts.len(), spans.open()), (1, 0), "{texts:?}");
    assert_eq!(field(&seen[0], "attempt").as_deref(), Some("1"), "{seen:?}");
    assert_eq!(field(&texts[0], "outcome").as_deref(), Some("accepted"), "{texts:?}");
}

#[tokio::test(start_paused = true)]
async fn of_several_events_the_worst_is_told_and_no_key() {
    let spans = Spans::capture();
    let notification = |id: &str| json!({"eventId": id, "notificationType": "AccountOpened", "account": {}});
    let notifications = ["a", "bad", "c"].map(notification);
    let message = json!({ "notifications": notifications }).to_string();
    let handler = async |event: Received<banking_circle::Event>| match event.delivery().key().as_str() {
        "bad" => Outcome::failed("no"),
        _ => Outcome::Done,
    };
    let service = Receiver::new("bank", bank()).clock(now()).dedupe(MemoryStore::new(10)).handle(handler);
    for status in [500, 500] {
        let request = sealed(&bank(), message.clone());
        assert_eq!(service.clone().oneshot(request).await.unwrap().status(), status);
    }
    for text in spans.texts() {
        let told = ["events", "outcome", "reason", "key", "attempt"].map(|name| field(&text, name));
        let expected = [Some("3"), Some("failed"), Some("handler_failed"), None, None];
        assert_eq!(told, expected.map(|value| value.map(str::to_owned)), "{text}");
    }
}
