//! A key that comes back with another payload: refused once the event is done, and run, with an alarm, while nobody has
//! done it.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::gate::ResponseBody;
use tower_webhook::idempotency::DedupeStore;
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{TRANSFER, aella, now, read, sealed};
use crate::support::Log;

const ALARM: &str = "ERROR message=the key was known with another payload that nobody completed; the event runs";

/// The transfer, over this amount.
fn transfer_of(amount: &str) -> Request<Full<Bytes>> {
    let body = TRANSFER.replace("\"amount\": 10000,", &format!("\"amount\": {amount},"));
    assert!(body.contains(amount));
    sealed(&aella(), body)
}

fn kind(response: &Response<ResponseBody>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

/// A handler that fails once; then other payloads under the same key.
pub(crate) async fn a_failed_event_runs_with_another_payload<D: DedupeStore>(store: D) {
    let log = Log::capture();
    let runs = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&runs);
    let service =
        Receiver::new("aella", aella()).clock(now()).dedupe(store).handle(move |_: Received<aella::Event>| {
            let run = count.fetch_add(1, Ordering::SeqCst);
            async move { if run == 0 { Err("the ledger is down") } else { Ok(()) } }
        });
    let deliver = async |amount| service.clone().oneshot(transfer_of(amount)).await.unwrap();

    assert_eq!(read(deliver("10000").await).await.0, 500);
    assert!(!log.text().contains(ALARM), "{}", log.text());
    assert_eq!(read(deliver("20000").await).await, (200, false, String::new()), "another payload, never handled");
    assert_eq!(log.text().matches(ALARM).count(), 1, "{}", log.text());
    assert!(log.text().contains("attempt=2"), "{}", log.text());
    assert!(!log.text().contains("20000"), "no payload is logged: {}", log.text());

    assert_eq!(read(deliver("20000").await).await, (200, true, String::new()), "control: the same payload");
    for other in ["10000", "30000"] {
        let refused = deliver(other).await;
        assert_eq!(kind(&refused), Some(RejectionKind::PayloadMismatch));
        assert_eq!(read(refused).await.0, 422, "control: another payload of an event that is done");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    assert_eq!(log.text().matches(ALARM).count(), 1, "{}", log.text());
}

#[tokio::test(start_paused = true)]
async fn in_memory() {
    a_failed_event_runs_with_another_payload(MemoryStore::new(10)).await;
}

#[tokio::test(start_paused = true)]
async fn the_same_payload_rings_no_alarm() {
    let log = Log::capture();
    let failing = Receiver::new("aella", aella())
        .clock(now())
        .dedupe(MemoryStore::new(10))
        .handle(|_: Received<aella::Event>| async { Err::<(), _>("the ledger is down") });
    for _ in 0..3 {
        assert_eq!(read(failing.clone().oneshot(transfer_of("10000")).await.unwrap()).await.0, 500);
    }
    assert!(!log.text().contains(ALARM), "{}", log.text());
}
