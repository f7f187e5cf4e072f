//! A store that dies between a handler's end and the mark: the sender gets its 2xx soon, and the mark is made later.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::time::{Instant, sleep, timeout};
use tower::{Service, ServiceExt as _};
use tower_webhook::delivery::{Drain, Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, LostReason, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
};
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Received, Receiver, RejectionKind};

use crate::deliveries::{TRANSFER, aella, bank, now, read, sealed};
use crate::support::{Log, kind};

/// A store that takes no completion while it is away, and knows everything else.
#[derive(Clone)]
struct Dying {
    store: MemoryStore,
    away: Arc<AtomicBool>,
    empty: Arc<AtomicBool>,
}

impl Dying {
    fn new() -> Self {
        Self { store: MemoryStore::new(10), away: Arc::new(AtomicBool::new(true)), empty: Arc::default() }
    }

    fn comes_back(&self) {
        self.away.store(false, Ordering::SeqCst);
    }
}

impl DedupeStore for Dying {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        print: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        self.store.claim(key, token, print, terms).await
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        self.store.renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        r: &StoredResponse,
        keep: Duration,
    ) -> Result<Held, StoreError> {
        if self.away.load(Ordering::SeqCst) {
            return Err(StoreErrorKind::Unavailable.into());
        }
        if self.empty.load(Ordering::SeqCst) {
            return Ok(Held::Lost(LostReason::Gone));
        }
        self.store.complete(key, token, r, keep).await
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        self.store.release(key, token, delay).await
    }
}

struct Stand {
    store: Dying,
    runs: Arc<AtomicUsize>,
    drain: Drain,
}

impl Stand {
    fn new() -> (
        Self,
        impl Service<
            http::Request<http_body_util::Full<bytes::Bytes>>,
            Response = http::Response<tower_webhook::gate::ResponseBody>,
            Error = std::convert::Infallible,
        > + Clone,
    ) {
        let (store, runs) = (Dying::new(), Arc::new(AtomicUsize::new(0)));
        let (drain, counted) = (Drain::new(), runs.clone());
        let receiver = Receiver::new("aella", aella()).clock(now()).drain(&drain);
        let service = receiver.dedupe(store.clone()).handle(move |_: Received<aella::Event>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async {}
        });
        (Self { store, runs, drain }, service)
    }

    fn runs(&self) -> usize {
        self.runs.load(Ordering::SeqCst)
    }
}

#[tokio::test(start_paused = true)]
async fn the_2xx_of_a_finished_event_is_not_held_back_by_a_store_that_died() {
    let (stand, service) = Stand::new();
    let start = Instant::now();
    let first = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(read(first).await, (200, false, String::new()));
    assert!(start.elapsed() <= Duration::from_secs(2), "held back for {:?}", start.elapsed());

    // While it is marked in the background, a repeat is told what is so, and runs nothing.
    let meanwhile = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!((meanwhile.status().as_u16(), kind(&meanwhile)), (503, Some(RejectionKind::InFlight)));

    stand.store.comes_back();
    sleep(Duration::from_secs(2)).await;
    let repeat = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(read(repeat).await, (200, true, String::new()));
    assert_eq!(stand.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_drain_waits_for_a_mark_that_is_being_made() {
    let (stand, service) = Stand::new();
    assert_eq!(service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    stand.drain.begin();
    assert!(stand.drain.finished().now_or_never().is_none(), "the mark is still missing");
    stand.store.comes_back();
    timeout(Duration::from_secs(2), stand.drain.finished()).await.expect("the mark is made");
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_cannot_be_made_ends_with_the_lease_and_is_logged() {
    let log = Log::capture();
    let (stand, service) = Stand::new();
    let start = Instant::now();
    assert_eq!(service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    assert!(!log.text().contains("completion unknown"), "too early: {}", log.text());
    stand.drain.begin();
    stand.drain.finished().await;
    let seconds = start.elapsed().as_secs_f64();
    assert!((27.0..=30.0).contains(&seconds), "{seconds} s");
    let text = log.text();
    assert!(text.contains("completion unknown") && text.contains("receiver=\"aella\""), "{text}");
    assert_eq!(stand.runs(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_mark_that_comes_too_late_is_logged() {
    let log = Log::capture();
    let (stand, service) = Stand::new();
    assert_eq!(service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    assert!(!log.text().contains("taken by another"), "too early: {}", log.text());
    stand.store.empty.store(true, Ordering::SeqCst);
    stand.store.comes_back();
    stand.drain.begin();
    stand.drain.finished().await;
    let text = log.text();
    assert!(text.contains("taken by another meanwhile receiver=\"aella\""), "{text}");
    assert!(!text.contains("completion unknown"), "{text}");
}

/// Claims nothing and says nothing, and counts how often it was asked.
struct Silent(Arc<AtomicUsize>);

impl DedupeStore for Silent {
    async fn claim(&self, _: &KeyHash, _: &Token, _: &Fingerprint, _: &Terms) -> Result<Claim, StoreError> {
        self.0.fetch_add(1, Ordering::SeqCst);
        std::future::pending().await
    }

    async fn renew(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Unavailable.into())
    }

    async fn complete(&self, _: &KeyHash, _: &Token, _: &StoredResponse, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Unavailable.into())
    }

    async fn release(&self, _: &KeyHash, _: &Token, _: Duration) -> Result<Held, StoreError> {
        Err(StoreErrorKind::Unavailable.into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_batch_does_not_wait_for_a_dead_store_once_for_each_event() {
    let asked = Arc::new(AtomicUsize::new(0));
    let one = r#"{"eventId":"e-N","notificationType":"IncomingPaymentProcessed","payment":{"paymentId":"p"}}"#;
    let all: Vec<_> = (0..100).map(|number| one.replace('N', &number.to_string())).collect();
    let batch = format!(r#"{{"notifications":[{}]}}"#, all.join(","));
    let receiver = Receiver::new("bank", bank()).clock(now()).dedupe(Silent(Arc::clone(&asked)));
    let service = receiver.handle(|_: Received<_>| async { unreachable!("nothing is claimed") as () });
    let start = Instant::now();
    let response = service.oneshot(sealed(&bank(), batch)).await.unwrap();
    assert_eq!((response.status().as_u16(), kind(&response)), (503, Some(RejectionKind::StoreUnavailable)));
    assert!(response.headers().contains_key("retry-after"));
    assert_eq!((start.elapsed().as_secs(), asked.load(Ordering::SeqCst)), (2, 1));
}
