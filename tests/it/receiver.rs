//! The paved path, end to end in one process: what the sender is told and how often the handler runs.

use std::convert::Infallible;
use std::future::pending;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::routing::post;
use bytes::Bytes;
use http::{Request, Response};
use http_body_util::Full;
use tokio::sync::{Notify, Semaphore};
use tower::{Layer, Service, ServiceExt, service_fn};
use tower_webhook::delivery::Drain;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::gate::Body;
use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, IdempotencyLayer, Repeats, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
    UnprotectedRuns,
};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::banking_circle;
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::secret::Secret;
use tower_webhook::{ConfigErrorKind, Delivery, MemoryStore, Outcome, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{BATCH, TRANSFER, aella, bank, now, read, sealed};
use crate::support::{Log, Scripted, Step, kind};

/// What a handler saw: names and fences, in order.
#[derive(Clone, Default)]
struct Seen(Arc<Mutex<Vec<(String, u64)>>>);

impl Seen {
    fn note<E>(&self, event: &Received<E>) {
        let fence = event.fence().map_or(0, std::num::NonZeroU64::get);
        self.0.lock().unwrap().push((event.delivery().key().to_string(), fence));
    }

    fn count(&self) -> usize {
        self.0.lock().unwrap().len()
    }

    fn fences(&self) -> Vec<u64> {
        self.0.lock().unwrap().iter().map(|(_, fence)| *fence).collect()
    }
}

fn transfer() -> Request<Full<Bytes>> {
    sealed(&aella(), TRANSFER)
}

fn receiver() -> Receiver<Aella> {
    Receiver::new("aella", aella()).clock(now())
}

#[tokio::test(start_paused = true)]
async fn an_event_is_handled_once_and_its_repeat_is_told_so() {
    let (seen, store) = (Seen::default(), MemoryStore::new(10));
    let noted = seen.clone();
    let service = receiver().dedupe(store.clone()).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async {}
    });
    assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (200, false, String::new()));
    assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (200, true, String::new()));
    assert_eq!(seen.0.lock().unwrap()[..], [("transfer.completed|7b129bdd-b3c1-4a33-b80e-76cee553466f".into(), 1)]);
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn one_bit_off_is_refused_and_touches_no_store() {
    let (seen, store) = (Seen::default(), MemoryStore::new(10));
    let noted = seen.clone();
    let service = receiver().dedupe(store.clone()).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async {}
    });
    let mut body = TRANSFER.as_bytes().to_vec();
    body[100] ^= 1;
    let forged = transfer().map(|_| Full::new(Bytes::from(body)));
    let response = service.oneshot(forged).await.unwrap();
    assert_eq!(kind(&response), Some(RejectionKind::SignatureMismatch));
    assert_eq!(read(response).await, (401, false, String::new()));
    assert_eq!((seen.count(), store.len()), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn after_a_partial_failure_the_retry_runs_only_what_failed() {
    let seen = Seen::default();
    let noted = seen.clone();
    let failures = Arc::new(AtomicUsize::new(1));
    let service = Receiver::new("bank", bank()).clock(now()).dedupe(MemoryStore::new(100)).handle(
        move |event: Received<banking_circle::Event>| {
            noted.note(&event);
            let is_third = event.delivery().key().as_str().ends_with("000000000013");
            let fails =
                is_third && failures.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok();
            async move { if fails { Err("the ledger is down") } else { Ok(()) } }
        },
    );
    let first = service.clone().oneshot(sealed(&bank(), BATCH)).await.unwrap();
    assert_eq!(kind(&first), Some(RejectionKind::HandlerFailed));
    assert_eq!(first.status(), 500);
    assert_eq!(seen.count(), 12);

    let retry = service.clone().oneshot(sealed(&bank(), BATCH)).await.unwrap();
    assert_eq!(retry.extensions().get::<Repeats>().unwrap().keys().len(), 11);
    assert_eq!(read(retry).await, (200, false, String::new()));
    assert_eq!(seen.count(), 13, "only the third ran again");
    let (key, fence) = seen.0.lock().unwrap()[12].clone();
    assert!(key.ends_with("000000000013") && fence == 2, "{key} {fence}");

    let again = service.oneshot(sealed(&bank(), BATCH)).await.unwrap();
    assert_eq!(again.extensions().get::<Repeats>().unwrap().keys().len(), 12);
    assert_eq!(read(again).await, (200, true, String::new()));
    assert_eq!(seen.count(), 13);
}

#[tokio::test(start_paused = true)]
async fn of_several_failures_the_sender_is_told_one_that_brings_it_back() {
    let store = MemoryStore::new(100);
    let make = |fails: bool| {
        Receiver::new("bank", bank()).clock(now()).dedupe(store.clone()).handle(
            move |event: Received<banking_circle::Event>| {
                let fails = fails && event.delivery().key().as_str().ends_with("12");
                async move { if fails { Outcome::Retry(Duration::from_secs(7)) } else { Outcome::Done } }
            },
        )
    };
    let one = |id: &str, reference: &str| {
        format!(
            r#"{{"eventId":"{id}","notificationType":"IncomingPaymentBooked","timestamp":"2024-07-26T14:53:52Z",
                "payment":{{"paymentId":"p","transactionReference":"{reference}"}}}}"#
        )
    };
    let batch = |events: &[String]| sealed(&bank(), format!(r#"{{"notifications":[{}]}}"#, events.join(",")));

    assert_eq!(make(false).oneshot(batch(&[one("11", "a")])).await.unwrap().status(), 200);
    let mixed = make(true).oneshot(batch(&[one("11", "b"), one("12", "a"), one("13", "a")])).await.unwrap();
    assert_eq!(mixed.status(), 503, "the 422 of the first must not hide the 503 of the second");
    assert_eq!(mixed.headers()["retry-after"], "7");
    tokio::time::advance(Duration::from_secs(8)).await;
    let mismatch = make(false).oneshot(batch(&[one("11", "b"), one("12", "a"), one("13", "a")])).await.unwrap();
    assert_eq!(kind(&mismatch), Some(RejectionKind::PayloadMismatch));
    assert_eq!(mismatch.status(), 422);
}

#[tokio::test(start_paused = true)]
async fn a_sender_that_hangs_up_cancels_nothing() {
    let (begun, go, seen) = (Arc::new(Notify::new()), Arc::new(Notify::new()), Seen::default());
    let drain = Drain::new();
    let receiver = receiver().drain(&drain);
    let (begin, wait, noted) = (begun.clone(), go.clone(), seen.clone());
    let service = receiver.dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        let (begin, wait, noted) = (begin.clone(), wait.clone(), noted.clone());
        async move {
            begin.notify_one();
            wait.notified().await;
            noted.note(&event);
        }
    });
    let request = service.clone().oneshot(transfer());
    tokio::select! {
        _ = request => panic!("answered too early"),
        () = begun.notified() => {}
    }
    assert_eq!(seen.count(), 0);
    drain.begin();
    go.notify_one();
    drain.finished().await;
    assert_eq!(seen.count(), 1, "the handler went on to its end");
}

#[tokio::test(start_paused = true)]
async fn a_drain_takes_nothing_new_and_what_it_finished_is_remembered() {
    let store = MemoryStore::new(10);
    let drain = Drain::new();
    let first = receiver().drain(&drain);
    let service = first.dedupe(store.clone()).handle(|_: Received<aella::Event>| async {});
    assert_eq!(service.clone().oneshot(transfer()).await.unwrap().status(), 200);
    drain.begin();
    drain.finished().await;
    let late = service.oneshot(transfer()).await.unwrap();
    assert_eq!((late.status().as_u16(), kind(&late)), (503, Some(RejectionKind::Draining)));
    assert!(late.headers().contains_key("retry-after"));
    let next = receiver().dedupe(store).handle(|_: Received<aella::Event>| async {});
    assert!(read(next.oneshot(transfer()).await.unwrap()).await.1);
}

#[tokio::test(start_paused = true)]
async fn a_panic_is_a_failure_and_the_retry_gets_a_larger_fence() {
    let seen = Seen::default();
    let noted = seen.clone();
    let service = receiver().dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        let first = noted.count() == 1;
        async move { assert!(!first, "a panic on purpose") }
    });
    let response = service.clone().oneshot(transfer()).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (500, Some(RejectionKind::HandlerFailed)));
    tokio::time::advance(Duration::from_secs(30)).await;
    assert_eq!(service.oneshot(transfer()).await.unwrap().status(), 200);
    assert_eq!(seen.fences(), [1, 2]);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_asks_for_a_later_try_gets_it_then_and_not_before() {
    let seen = Seen::default();
    let noted = seen.clone();
    let service = receiver()
        .settings(|settings| settings.in_flight_wait(Duration::ZERO))
        .unwrap()
        .dedupe(MemoryStore::new(10))
        .handle(move |event: Received<aella::Event>| {
            noted.note(&event);
            let outcome = if noted.count() == 1 { Outcome::Retry(Duration::from_secs(20)) } else { Outcome::Done };
            async move { outcome }
        });
    let asked = service.clone().oneshot(transfer()).await.unwrap();
    assert_eq!((asked.status().as_u16(), kind(&asked)), (503, Some(RejectionKind::HandlerRetry)));
    assert_eq!(asked.headers()["retry-after"], "20");
    tokio::time::advance(Duration::from_secs(10)).await;
    let early = service.clone().oneshot(transfer()).await.unwrap();
    assert_eq!((early.status().as_u16(), kind(&early)), (503, Some(RejectionKind::Resting)));
    assert_eq!(early.headers()["retry-after"], "10");
    tokio::time::advance(Duration::from_secs(10)).await;
    assert_eq!(service.oneshot(transfer()).await.unwrap().status(), 200);
    assert_eq!(seen.count(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_copies_at_once_run_the_handler_once_and_all_settle() {
    let seen = Seen::default();
    let noted = seen.clone();
    let service = receiver().dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async { tokio::task::yield_now().await }
    });
    let copies: Vec<_> = (0..100)
        .map(|_| {
            let service = service.clone();
            tokio::spawn(async move {
                for _ in 0..100 {
                    let response = service.clone().oneshot(transfer()).await.unwrap();
                    match response.status().as_u16() {
                        200 => return read(response).await.1,
                        503 => assert_eq!(kind(&response), Some(RejectionKind::InFlight)),
                        other => panic!("answered {other}"),
                    }
                    tokio::task::yield_now().await;
                }
                panic!("did not settle");
            })
        })
        .collect();
    let mut replayed = 0;
    for copy in copies {
        replayed += usize::from(copy.await.unwrap());
    }
    assert_eq!((seen.count(), replayed), (1, 99));
}

/// A store that always fails in one way.
struct Broken(StoreErrorKind);

impl DedupeStore for Broken {
    async fn claim(&self, _: &KeyHash, _: &Token, _: &Fingerprint, _: &Terms) -> Result<Claim, StoreError> {
        Err(self.0.into())
    }
    async fn renew(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(self.0.into())
    }
    async fn complete(&self, _: &KeyHash, _: &Token, _: &StoredResponse, _: Duration) -> Result<Held, StoreError> {
        Err(self.0.into())
    }
    async fn release(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(self.0.into())
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_store_a_receiver_runs_nothing() {
    for error in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout, StoreErrorKind::Full, StoreErrorKind::Corrupt] {
        let seen = Seen::default();
        let noted = seen.clone();
        let service = receiver().dedupe(Broken(error)).handle(move |event: Received<aella::Event>| {
            noted.note(&event);
            async {}
        });
        let response = service.oneshot(transfer()).await.unwrap();
        assert_eq!(
            (response.status().as_u16(), kind(&response)),
            (503, Some(RejectionKind::StoreUnavailable)),
            "{error}"
        );
        let after: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
        assert!((5..=30).contains(&after), "{error}: {after}");
        assert_eq!(seen.count(), 0, "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn without_its_store_a_route_that_says_so_runs_on_counted_and_without_a_fence() {
    for error in [StoreErrorKind::Unavailable, StoreErrorKind::Timeout, StoreErrorKind::Full] {
        let (seen, runs) = (Seen::default(), UnprotectedRuns::default());
        let noted = seen.clone();
        let receiver = receiver().settings(|settings| settings.dangerous_run_unprotected(&runs)).unwrap();
        let service = receiver.dedupe(Broken(error)).handle(move |event: Received<aella::Event>| {
            noted.note(&event);
            let count = noted.count();
            async move { assert!(count != 2, "a panic on purpose") }
        });
        for status in [200, 500, 200] {
            assert_eq!(service.clone().oneshot(transfer()).await.unwrap().status(), status, "{error}");
        }
        assert_eq!((seen.fences(), runs.count()), (vec![0, 0, 0], 3), "{error}");
    }

    // While the store answers, the same settings protect and count nothing.
    let (seen, runs) = (Seen::default(), UnprotectedRuns::default());
    let noted = seen.clone();
    let receiver = receiver().settings(|settings| settings.dangerous_run_unprotected(&runs)).unwrap();
    let service = receiver.dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async {}
    });
    for replayed in [false, true] {
        assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (200, replayed, String::new()));
    }
    assert_eq!((seen.fences(), runs.count()), (vec![1], 0));
}

#[tokio::test(start_paused = true)]
async fn a_receiver_that_says_so_runs_every_repeat_without_a_fence() {
    let seen = Seen::default();
    let noted = seen.clone();
    let service = receiver().dangerous_without_dedupe().handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async {}
    });
    for _ in 0..2 {
        assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (200, false, String::new()));
    }
    assert_eq!(seen.fences(), [0, 0]);
}

#[tokio::test(start_paused = true)]
async fn an_unproved_provider_without_credentials_in_front_takes_nothing() {
    let request = || {
        Request::post("/").header("x-notifications-idempotency-key", "k1").body(Full::new(Bytes::from("{}"))).unwrap()
    };
    let service = Receiver::new("mambu", Mambu::new()).dedupe(MemoryStore::new(10)).handle(|_: Received<_>| async {});
    let response = service.oneshot(request()).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (500, Some(RejectionKind::Misassembled)));

    let open = Receiver::new("mambu", Mambu::new()).dangerous_skip_verification().dedupe(MemoryStore::new(10));
    let response = open.handle(|event: Received<mambu::Event>| async move {
        assert_eq!(event.delivery().verified().scheme(), "unverified");
    });
    assert_eq!(response.oneshot(request()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn methods_and_content_types_that_the_provider_does_not_use_are_refused_by_the_head() {
    let service =
        Receiver::new("bank", bank()).clock(now()).dedupe(MemoryStore::new(100)).handle(|_: Received<_>| async {});
    let send = |change: fn(&mut Request<Full<Bytes>>)| {
        let mut request = sealed(&bank(), BATCH);
        change(&mut request);
        let service = service.clone();
        async move { service.oneshot(request).await.unwrap() }
    };
    let get = send(|request| *request.method_mut() = http::Method::GET).await;
    assert_eq!((get.status().as_u16(), get.headers()["allow"].to_str().unwrap()), (405, "POST"));
    let text = send(|request| {
        request.headers_mut().insert("content-type", "text/html".parse().unwrap());
    });
    assert_eq!(text.await.status(), 415);
    let cased = send(|request| {
        request.headers_mut().insert("content-type", "Application/Octet-Stream; x=y".parse().unwrap());
    });
    assert_eq!(cased.await.status(), 200);
    let missing = send(|request| {
        request.headers_mut().remove("content-type");
    });
    assert_eq!(missing.await.status(), 200);
}

#[test]
fn a_retention_shorter_than_the_sender_repeats_itself_is_refused() {
    let short = receiver().settings(|settings| settings.retention(Duration::from_secs(60)));
    assert!(matches!(short.unwrap_err().kind(), ConfigErrorKind::Retention { given: 60, .. }));
    let long = receiver().settings(|settings| settings.retention(Duration::from_secs(100 * 24 * 3600)));
    assert!(long.is_ok());
}

#[tokio::test(start_paused = true)]
async fn one_store_tells_receivers_and_tenants_apart_by_their_names() {
    let store = MemoryStore::new(10);
    for (tenant, name, replayed) in
        [("", "a", false), ("", "a", true), ("", "b", false), ("t", "a", false), ("t", "a", true), ("", "b", true)]
    {
        let receiver = Receiver::new(name, aella()).clock(now()).settings(|settings| settings.tenant(tenant)).unwrap();
        let service = receiver.dedupe(store.clone()).handle(|_: Received<aella::Event>| async {});
        let answer = read(service.oneshot(transfer()).await.unwrap()).await;
        assert_eq!(answer, (200, replayed, String::new()), "{tenant:?} {name:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn behind_the_layer_an_axum_handler_takes_the_event_its_delivery_and_its_json() {
    let take = |delivery: Delivery, event: Received<aella::Event>, body: Bytes| async move {
        assert_eq!((delivery.provider(), delivery.verified().key_id()), ("aella", Some("default")));
        assert_eq!(&body, delivery.raw());
        assert!(matches!(event.event(), aella::Event::TransferCompleted { .. }));
        ([("content-type", "text/x-note")], "noted")
    };
    let app = Router::new().route("/aella", post(take)).layer(receiver().dedupe(MemoryStore::new(10)).layer());
    for replayed in [false, true] {
        let mut request = transfer();
        *request.uri_mut() = "/aella".parse().unwrap();
        let response = app.clone().oneshot(request).await.unwrap();
        assert_eq!(response.headers()["content-type"], "text/x-note");
        assert_eq!(read(response).await, (200, replayed, "noted".into()));
    }
}

#[tokio::test(start_paused = true)]
async fn an_extractor_without_its_layer_is_a_loud_500() {
    let take = |_: Received<aella::Event>| async {};
    let app: Router = Router::new().route("/", post(take));
    let response = app.oneshot(transfer().map(|body| body)).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (500, Some(RejectionKind::Misassembled)));
}

#[tokio::test(start_paused = true)]
async fn a_dedupe_layer_without_verification_in_front_runs_nothing() {
    let inner = service_fn(|_: Request<Body>| async { panic!("reached") as Result<Response<Body>, Infallible> });
    let service = IdempotencyLayer::new("aella", aella(), MemoryStore::new(10)).layer(inner);
    let bare = Request::post("/").body(Body::from(Bytes::from_static(TRANSFER.as_bytes()))).unwrap();
    let response = service.oneshot(bare).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (500, Some(RejectionKind::Misassembled)));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_no_success_is_passed_on_and_frees_the_key() {
    for status in [301, 404, 409, 429, 500, 502] {
        let calls = Arc::new(AtomicUsize::new(0));
        let counted = calls.clone();
        let inner = service_fn(move |_: Request<Body>| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            let status = if first { status } else { 204 };
            async move { Ok::<_, Infallible>(Response::builder().status(status).body(Body::default()).unwrap()) }
        });
        let service = receiver().dedupe(MemoryStore::new(10)).layer().layer(inner);
        assert_eq!(service.clone().oneshot(transfer()).await.unwrap().status(), status);
        assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (204, false, String::new()));
        assert_eq!(read(service.oneshot(transfer()).await.unwrap()).await, (204, true, String::new()));
        assert_eq!(calls.load(Ordering::SeqCst), 2, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_inner_error_passes_through_and_frees_the_key() {
    let calls = Arc::new(AtomicUsize::new(0));
    let counted = calls.clone();
    let inner = service_fn(move |_: Request<Body>| {
        let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move { if first { Err("broken") } else { Ok(Response::new(Body::default())) } }
    });
    let service = receiver().dedupe(MemoryStore::new(10)).layer().layer(inner);
    assert_eq!(service.clone().oneshot(transfer()).await.unwrap_err(), "broken");
    assert_eq!(service.oneshot(transfer()).await.unwrap().status(), 200);
}

#[tokio::test(start_paused = true)]
async fn a_long_answer_is_passed_on_whole_and_repeated_without_its_body() {
    let long = "x".repeat(StoredResponse::MAX_BODY + 1);
    let answer = long.clone();
    let inner = service_fn(move |_: Request<Body>| {
        let answer = Bytes::from(answer.clone());
        async move { Ok::<_, Infallible>(Response::new(Body::from(answer))) }
    });
    let service = receiver().dedupe(MemoryStore::new(10)).layer().layer(inner);
    assert_eq!(read(service.clone().oneshot(transfer()).await.unwrap()).await, (200, false, long));
    assert_eq!(read(service.oneshot(transfer()).await.unwrap()).await, (200, true, String::new()));
}

/// Ready for one call at a time, as a concurrency limit is.
#[derive(Clone)]
struct OneAtATime {
    permits: Arc<Semaphore>,
    held: Option<Arc<tokio::sync::OwnedSemaphorePermit>>,
    calls: Arc<AtomicUsize>,
}

impl Service<Request<Body>> for OneAtATime {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut std::task::Context<'_>) -> std::task::Poll<Result<(), Infallible>> {
        if self.held.is_none() {
            let permit = self.permits.clone().try_acquire_owned().expect("nobody else holds the permit");
            self.held = Some(Arc::new(permit));
        }
        std::task::Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let _permit = self.held.take().expect("the service that was polled is called");
        self.calls.fetch_add(1, Ordering::SeqCst);
        std::future::ready(Ok(Response::new(Body::default())))
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_holds_one_readiness_at_a_time() {
    let inner = OneAtATime { permits: Arc::new(Semaphore::new(1)), held: None, calls: Arc::default() };
    let service = Receiver::new("bank", bank()).clock(now()).dedupe(MemoryStore::new(100)).layer().layer(inner.clone());
    assert_eq!(service.clone().oneshot(sealed(&bank(), BATCH)).await.unwrap().status(), 200);
    assert_eq!(inner.calls.load(Ordering::SeqCst), 12);
}

#[tokio::test(start_paused = true)]
async fn events_of_a_batch_run_side_by_side_when_asked_to() {
    let running = Arc::new((AtomicUsize::new(0), AtomicUsize::new(0)));
    let watch = running.clone();
    let service = Receiver::new("bank", bank())
        .clock(now())
        .settings(|settings| settings.batch_concurrency(5))
        .unwrap()
        .dedupe(MemoryStore::new(100))
        .handle(move |_: Received<banking_circle::Event>| {
            let watch = watch.clone();
            async move {
                let now = watch.0.fetch_add(1, Ordering::SeqCst) + 1;
                watch.1.fetch_max(now, Ordering::SeqCst);
                tokio::time::sleep(Duration::from_secs(1)).await;
                watch.0.fetch_sub(1, Ordering::SeqCst);
            }
        });
    assert_eq!(service.oneshot(sealed(&bank(), BATCH)).await.unwrap().status(), 200);
    assert_eq!(running.1.load(Ordering::SeqCst), 5);
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_outlives_its_lease_by_far_keeps_it_and_runs_once() {
    let seen = Seen::default();
    let noted = seen.clone();
    let service = receiver().dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        noted.note(&event);
        async move {
            tokio::select! {
                () = tokio::time::sleep(Duration::from_secs(300)) => {}
                () = async { event.lease_lost().wait().await } => panic!("lost"),
            }
        }
    });
    let first = tokio::spawn(service.clone().oneshot(transfer()));
    tokio::time::sleep(Duration::from_secs(200)).await;
    let second = service.clone().oneshot(transfer()).await.unwrap();
    assert_eq!(kind(&second), Some(RejectionKind::InFlight));
    assert_eq!(first.await.unwrap().unwrap().status(), 200);
    assert_eq!(seen.count(), 1);
}

#[tokio::test(start_paused = true)]
async fn an_empty_batch_of_a_proved_sender_is_acknowledged() {
    let service =
        Receiver::new("bank", bank()).clock(now()).dedupe(MemoryStore::new(1)).handle(|_: Received<_>| async {
            pending::<()>().await;
        });
    let response = service.oneshot(sealed(&bank(), r#"{"notifications":[]}"#)).await.unwrap();
    assert_eq!(read(response).await, (200, false, String::new()));
}

#[test]
fn nothing_of_a_receiver_prints_its_secrets() {
    let provider = Aella::new(Secret::utf8("canary-canary-canary").unwrap()).unwrap();
    let receiver = Receiver::new("shop", provider).dedupe(MemoryStore::new(1));
    let printed = format!("{receiver:?} {:?}", receiver.clone().layer());
    assert!(!printed.contains("canary"), "{printed}");
}

#[tokio::test(start_paused = true)]
async fn a_body_that_never_comes_whole_leaves_no_claim_behind() {
    let whole = Bytes::from_static(TRANSFER.as_bytes());
    let half = || Step::Data(whole.slice(..300));
    let drip: Vec<_> = whole
        .chunks(1)
        .flat_map(|byte| [Step::Data(whole.slice_ref(byte)), Step::Wait(Duration::from_secs(1))])
        .collect();
    for (status, steps) in [
        (400, vec![half(), Step::Fail]),
        (408, vec![half(), Step::Wait(Duration::from_secs(3600))]),
        (408, drip),
        (413, vec![Step::Data(whole.clone()), Step::Data(Bytes::from(vec![b' '; 1024 * 1024]))]),
    ] {
        let (seen, store) = (Seen::default(), MemoryStore::new(10));
        let noted = seen.clone();
        let service = receiver().dedupe(store.clone()).handle(move |event: Received<aella::Event>| {
            noted.note(&event);
            async {}
        });
        let broken = transfer().map(|_| Scripted::new(steps));
        assert_eq!(service.clone().oneshot(broken).await.unwrap().status(), status);
        assert_eq!((seen.count(), store.len()), (0, 0), "{status}");
        assert_eq!(read(service.oneshot(transfer()).await.unwrap()).await, (200, false, String::new()), "{status}");
        assert_eq!(seen.count(), 1, "{status}");
    }
}

#[tokio::test(start_paused = true)]
async fn no_log_shows_a_secret_or_a_payload() {
    let log = Log::capture();
    let secret = "canary-secret-canary";
    let provider = || Aella::new(Secret::utf8(secret).unwrap()).unwrap();
    let service = Receiver::new("custom", provider()).clock(now()).dedupe(MemoryStore::new(10)).handle(
        |event: Received<aella::Event>| async move {
            match event.delivery().key().as_str() {
                "transfer.completed|fails" => Err("the ledger is down"),
                "transfer.completed|panics" => panic!("on purpose"),
                _ => Ok(()),
            }
        },
    );
    let body = |id: &str, amount: &str| {
        format!(
            r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z",
                "data":{{"id":"{id}","senderName":"canary Jane","receiverAccountNumber":"canary0480","amount":{amount}}}}}"#
        )
    };
    let mut statuses = Vec::new();
    for (body, tampered) in [
        (body("works", "1"), false),
        (body("works", "1"), false),
        (body("works", "2"), false),
        (body("forged", "1"), true),
        (body("fails", "1"), false),
        (body("panics", "1"), false),
        (body("typed", r#""canary""#), false),
        (body("twice", r#"1,"amount":1"#), false),
        (body("broken", "canary"), false),
    ] {
        let mut request = sealed(&provider(), body);
        if tampered {
            request.headers_mut().insert("x-aella-signature", "ca".repeat(64).parse().unwrap());
        }
        statuses.push(service.clone().oneshot(request).await.unwrap().status().as_u16());
    }
    assert_eq!(statuses, [200, 200, 422, 401, 500, 500, 400, 400, 400]);
    let text = log.text();
    for told in ["signature_mismatch", "payload_mismatch", "handler_failed", "payload_malformed", "the ledger is down"]
    {
        assert!(text.contains(told), "{told} is not in {text}");
    }
    for hidden in ["canary", "Jane", "0480"] {
        assert!(!text.contains(hidden), "{hidden} is in {text}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_refusal_names_its_receiver_and_so_does_its_log_line() {
    let log = Log::capture();
    let service = Receiver::new("aella-ng", aella()).clock(now()).dedupe(MemoryStore::new(10)).handle(
        |event: Received<aella::Event>| async move {
            match event.delivery().key().as_str() {
                "transfer.completed|fails" => Outcome::Failed("the ledger is down".into()),
                "transfer.completed|later" => Outcome::Retry(Duration::from_secs(1)),
                _ => panic!("on purpose"),
            }
        },
    );
    let body = |id: &str| {
        format!(
            r#"{{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{{"id":"{id}","amount":1}}}}"#
        )
    };
    let forged = transfer().map(|_| Full::new(Bytes::from_static(b"{}")));
    let mut get = transfer();
    *get.method_mut() = http::Method::GET;
    let sealed = |text: String| sealed(&aella(), text);
    let requests =
        [get, forged, sealed("{}".into()), sealed(body("fails")), sealed(body("later")), sealed(body("panics"))];
    let kinds = ["method_not_allowed", "signature_mismatch", "payload_malformed", "handler_failed", "handler_retry"];
    for (request, expected) in requests.into_iter().zip(kinds.into_iter().chain(["handler_failed"])) {
        let response = service.clone().oneshot(request).await.unwrap();
        let rejection = response.extensions().get::<Rejection>().unwrap();
        assert_eq!((rejection.kind().as_str(), rejection.receiver()), (expected, Some("aella-ng")));
        let line = log.text().lines().last().unwrap().to_owned();
        assert!(line.contains("receiver=\"aella-ng\"") && line.contains(expected), "{line}");
    }
    assert_eq!(Rejection::new(RejectionKind::InFlight, "").receiver(), None);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_forgets_is_warned_of_once_for_each_receiver() {
    let log = Log::capture();
    let told =
        |name: &str| log.text().matches(&format!("repeats after that is handled again receiver=\"{name}\"")).count();
    let inner = || service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    let layer = Receiver::new("a", aella()).dedupe(MemoryStore::new(1)).layer();
    assert_eq!(told("a"), 0);
    drop((layer.clone().layer(inner()), layer.layer(inner()), layer.clone().layer(inner())));
    assert_eq!((told("a"), told("b")), (1, 0));
    drop(IdempotencyLayer::new("b", aella(), MemoryStore::new(1)).layer(inner()));
    drop(Receiver::new("c", aella()).dedupe(Broken(StoreErrorKind::Full)).layer().layer(inner()));
    drop(Receiver::new("d", aella()).dangerous_without_dedupe().layer().layer(inner()));
    assert_eq!((told("a"), told("b"), told("c"), told("d")), (1, 1, 0, 0));
}
