//! A delivery that nobody awaits any more: it goes on to its end, wherever and however early it was dropped.

use std::convert::Infallible;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use futures_util::FutureExt as _;
use http::{HeaderName, Request, Response};
use tokio::runtime::Runtime;
use tokio::sync::Semaphore;
use tower::{Layer as _, Service as _, ServiceExt as _, service_fn};
use tower_webhook::delivery::{Drain, Fingerprint, KeyHash};
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::Body;
use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, IdempotencyLayer, ResponseFuture, StoreError, StoredResponse, Terms, Token,
};
use tower_webhook::layers::VerifyLayer;
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::aella::Event;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{TRANSFER, aella, now, sealed};

type Answer = ResponseFuture<Infallible>;

/// A handler that counts its calls and its ends, and waits between them until it is let go.
#[derive(Clone)]
struct Handler {
    begun: Arc<AtomicUsize>,
    ended: Arc<AtomicUsize>,
    go: Arc<Semaphore>,
}

impl Handler {
    fn new() -> Self {
        Self { begun: Arc::default(), ended: Arc::default(), go: Arc::new(Semaphore::new(0)) }
    }

    fn counts(&self) -> (usize, usize) {
        (self.begun.load(Ordering::SeqCst), self.ended.load(Ordering::SeqCst))
    }
}

/// The answer of a verified delivery, which nobody has polled yet.
fn call<D: DedupeStore>(store: D, handler: &Handler) -> (Answer, Drain) {
    let Handler { begun, ended, go } = handler.clone();
    let inner = service_fn(move |_: Request<Body>| {
        let (begun, ended, go) = (begun.clone(), ended.clone(), go.clone());
        async move {
            begun.fetch_add(1, Ordering::SeqCst);
            let _permit = go.acquire().await;
            ended.fetch_add(1, Ordering::SeqCst);
            Ok::<_, Infallible>(Response::new(Body::default()))
        }
    });
    let (drain, slot) = (Drain::new(), Arc::new(Mutex::new(None)));
    let layer = IdempotencyLayer::new("aella", aella(), store).drain(&drain);
    let (dedupe, filled) = (layer.layer(inner), slot.clone());
    let catch = service_fn(move |request: Request<Body>| {
        *filled.lock().unwrap() = Some(dedupe.clone().call(request));
        async { Ok::<_, Infallible>(Response::new(Body::default())) }
    });
    let header = HeaderName::from_static("x-aella-signature");
    let key = Secret::utf8("ae_sk_test_example").unwrap();
    let scheme = Hmac::new(MacAlgorithm::HmacSha512, Signed::new(header, Encoding::Hex), key).unwrap();
    let service = VerifyLayer::new(scheme).clock(now()).layer(catch);
    service.oneshot(sealed(&aella(), TRANSFER)).now_or_never().unwrap().unwrap();
    let answer = slot.lock().unwrap().take().unwrap();
    (answer, drain)
}

/// Lets the handler go, and waits until nothing is in hand.
async fn finish(handler: &Handler, drain: &Drain) {
    handler.go.add_permits(1);
    drain.begin();
    tokio::time::timeout(Duration::from_secs(20), drain.finished()).await.expect("it does not go on");
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_never_polled_is_handled_and_remembered() {
    let (store, handler) = (MemoryStore::new(10), Handler::new());
    let (answer, drain) = call(store.clone(), &handler);
    drop(answer);
    assert_eq!(handler.counts(), (0, 0));
    finish(&handler, &drain).await;
    assert_eq!(handler.counts(), (1, 1));

    let (repeat, _) = call(store, &handler);
    assert_eq!(repeat.await.unwrap().headers()["idempotent-replayed"], "true");
    assert_eq!(handler.counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn a_delivery_that_was_begun_goes_on_where_it_was() {
    let handler = Handler::new();
    let (mut answer, drain) = call(MemoryStore::new(10), &handler);
    assert!((&mut answer).now_or_never().is_none());
    assert_eq!(handler.counts(), (1, 0));
    drop(answer);
    // Longer than a lease, which somebody renews meanwhile.
    tokio::time::sleep(Duration::from_secs(100)).await;
    finish(&handler, &drain).await;
    assert_eq!(handler.counts(), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_was_given_leaves_nothing_behind() {
    let handler = Handler::new();
    handler.go.add_permits(1);
    let (mut answer, drain) = call(MemoryStore::new(10), &handler);
    assert_eq!((&mut answer).await.unwrap().status(), 200);
    drain.begin();
    drain.finished().now_or_never().expect("nothing is in hand, though the future is still there");
    assert!((&mut answer).now_or_never().is_none(), "it answers once");
    drop(answer);
    tokio::task::yield_now().await;
    assert_eq!(handler.counts(), (1, 1));
}

#[test]
fn a_delivery_that_is_dropped_on_a_foreign_thread_goes_on_in_its_runtime() {
    let (runtime, handler) = (Runtime::new().unwrap(), Handler::new());
    let (answer, drain) = runtime.block_on(async { call(MemoryStore::new(10), &handler) });
    thread::spawn(move || drop(answer)).join().expect("no panic");
    runtime.block_on(finish(&handler, &drain));
    assert_eq!(handler.counts(), (1, 1));
}

#[test]
fn without_a_runtime_a_dropped_delivery_ends_and_panics_nowhere() {
    let handler = Handler::new();
    let (answer, drain) = call(MemoryStore::new(10), &handler);
    drop(answer);
    drain.begin();
    drain.finished().now_or_never().expect("it is in nobody's hands");
    assert_eq!(handler.counts(), (0, 0));
}

#[test]
fn a_runtime_that_ends_takes_its_deliveries_along_and_panics_nowhere() {
    for (case, mut builder) in [
        ("one thread", tokio::runtime::Builder::new_current_thread()),
        ("several threads", tokio::runtime::Builder::new_multi_thread()),
    ] {
        let (runtime, handler) = (builder.enable_all().build().unwrap(), Handler::new());
        let (first, second) = runtime.block_on(async {
            let (awaited, first) = call(MemoryStore::new(10), &handler);
            // The runtime drops it at its end, half way.
            tokio::spawn(awaited);
            while handler.counts() == (0, 0) {
                tokio::task::yield_now().await;
            }
            (first, call(MemoryStore::new(10), &handler))
        });
        drop(runtime);
        let (unpolled, second) = second;
        drop(unpolled);
        for drain in [first, second] {
            drain.begin();
            drain.finished().now_or_never().unwrap_or_else(|| panic!("{case}: still in hand"));
        }
        assert_eq!(handler.counts(), (1, 0), "{case}");
    }
}

/// A store that panics.
struct Mine;

impl DedupeStore for Mine {
    async fn claim(&self, _: &KeyHash, _: &Token, _: &Fingerprint, _: &Terms) -> Result<Claim, StoreError> {
        panic!("the detail may hold a payload")
    }
    async fn renew(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        unreachable!()
    }
    async fn complete(&self, _: &KeyHash, _: &Token, _: &StoredResponse, _: Duration) -> Result<Held, StoreError> {
        unreachable!()
    }
    async fn release(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        unreachable!()
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_of_the_store_is_an_answer_and_not_the_connections_end() {
    let handler = Handler::new();
    let (answer, drain) = call(Mine, &handler);
    let response = answer.await.unwrap();
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!((response.status().as_u16(), rejection.kind()), (500, RejectionKind::HandlerFailed));
    assert!(!rejection.detail().contains("payload"), "{}", rejection.detail());
    drain.begin();
    drain.finished().now_or_never().expect("nothing is in hand");

    let (dropped, drain) = call(Mine, &handler);
    drop(dropped);
    finish(&handler, &drain).await;
    assert_eq!(handler.counts(), (0, 0));
}

/// Begins to drain as soon as a delivery was let in, and looks whether that is over.
#[derive(Clone, Default)]
pub(crate) struct Stopped {
    pub(crate) drain: Drain,
    looks: Arc<(AtomicUsize, AtomicUsize)>,
}

impl Stopped {
    /// How often it looked, and how often it was over.
    pub(crate) fn looks(&self) -> (usize, usize) {
        (self.looks.0.load(Ordering::SeqCst), self.looks.1.load(Ordering::SeqCst))
    }
}

impl Observer for Stopped {
    fn observe(&self, fact: &Fact<'_>, _: &About<'_>) {
        if let Fact::Accepted { .. } = fact {
            self.drain.begin();
            self.looks.0.fetch_add(1, Ordering::SeqCst);
            let is_over = self.drain.finished().now_or_never().is_some();
            self.looks.1.fetch_add(usize::from(is_over), Ordering::SeqCst);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_is_not_over_before_what_was_let_in_is() {
    let stopped = Stopped::default();
    let receiver = Receiver::new("aella", aella()).clock(now()).dedupe(MemoryStore::new(10));
    let service = receiver.drain(&stopped.drain).observer(stopped.clone()).handle(|_: Received<Event>| async {});
    let answer = service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!((answer.status().as_u16(), stopped.looks()), (200, (1, 0)));
    stopped.drain.finished().now_or_never().expect("nothing is in hand any more");
}
