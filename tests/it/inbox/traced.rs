//! An attempt as a span of its own, which names the trace of its delivery.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use http::HeaderValue;
use tokio::time::sleep;
use tower::ServiceExt as _;
use tower_webhook::Receiver;
use tower_webhook::inbox::{Backoff, Handed, Verdict, Worker};
use tower_webhook::testing::TokioClock;

use super::Inbox;
use crate::deliveries::{TRANSFER, aella, now, sealed};
use crate::subscriber::Spans;

const TRACE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
const LINKED: &str = "linked_trace_id=0af7651916cd43dd8448eb211c80319c linked_span_id=b7ad6b7169203331 key=";

/// What the spans of a delivery with this `traceparent` and of its two attempts say, and where the handler was.
async fn told(traceparent: &str) -> (Vec<String>, Vec<String>, Vec<(String, String)>) {
    let (spans, inbox) = (Spans::capture(), Inbox::open().await);
    let mut request = sealed(&aella(), TRANSFER);
    for (name, value) in [("traceparent", traceparent), ("tracestate", "canary=1")] {
        request.headers_mut().insert(name, HeaderValue::from_str(value).unwrap());
    }
    let service = Receiver::new("aella", aella()).clock(now()).inbox(&inbox);
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    let seen = Arc::new(Mutex::new((Vec::new(), Vec::new())));
    let noted = Arc::clone(&seen);
    let handler = move |handed: Handed| {
        let (places, headers) = &mut *noted.lock().unwrap();
        places.push(Spans::here());
        *headers = handed.event.headers;
        let verdict = if handed.attempt == 1 { Verdict::retry("canary") } else { Verdict::Done };
        async move { verdict }
    };
    // Whatever this thread does stands in it, the worker's tasks too.
    let outer = tracing::info_span!(target: "tower_webhook_test", "start").entered();
    let backoff = Backoff::default().base(Duration::from_millis(10));
    let worker = Worker::new(inbox.clone(), handler).clock(TokioClock::starting_at(now())).retry(backoff);
    let running = worker.start();
    sleep(Duration::from_secs(5)).await;
    running.stop().await;
    drop(outer);
    assert_eq!(spans.open(), 0, "{:?}", spans.texts());
    let (places, mut headers) = std::mem::take(&mut *seen.lock().unwrap());
    headers.retain(|(name, _)| name != "content-type");
    (spans.texts(), places, headers)
}

#[tokio::test(start_paused = true)]
async fn each_attempt_is_a_root_that_names_the_trace_of_its_delivery() {
    let (spans, places, headers) = told(TRACE).await;
    let [delivery, _, first, second] = &spans[..] else { panic!("{spans:#?}") };
    assert!(delivery.starts_with(r#"delivery receiver="aella" provider="aella" trace_id=0af7"#), "{delivery}");
    assert!(delivery.ends_with(r#" outcome="stored""#) && delivery.contains(" key="), "{delivery}");
    for (attempt, span, outcome) in [(1, first, r#"outcome="retry""#), (2, second, r#"outcome="accepted""#)] {
        assert!(span.starts_with(&format!(r#"attempt receiver="aella" provider="aella" {LINKED}"#)), "{span}");
        assert!(span.ends_with(&format!(" attempt={attempt} {outcome}")), "{span}");
        assert!(span.starts_with(&places[attempt - 1]) && places[attempt - 1].contains(LINKED), "{places:?}");
    }
    assert!(!spans.join(" ").contains("canary"), "{spans:#?}");
    assert_eq!(headers, [("traceparent", TRACE), ("tracestate", "canary=1")].map(|(a, b)| (a.into(), b.into())));
}

#[tokio::test(start_paused = true)]
async fn a_trace_that_cannot_be_read_is_neither_named_nor_kept() {
    let none = "0".repeat(32);
    for malformed in ["canary", &TRACE.replace("00-", "ff-"), &TRACE.replace("0af7651916cd43dd8448eb211c80319c", &none)]
    {
        let (spans, places, headers) = told(malformed).await;
        assert_eq!((spans.len(), places.len()), (4, 2), "{spans:#?}");
        assert!(!spans.join(" ").contains("_id=") && !spans.join(" ").contains("canary"), "{spans:#?}");
        assert_eq!(headers, [], "{malformed}");
    }
}
