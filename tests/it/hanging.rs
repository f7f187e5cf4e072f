//! Handlers that hang, block their thread or die: each comes to an end, and none holds its key for ever.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::Notify;
use tokio::time::{Instant, advance, sleep, timeout};
use tower::ServiceExt as _;
use tower_webhook::delivery::Drain;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::{MemoryStore, Outcome, Received, Receiver, RejectionKind};

use crate::deliveries::{TRANSFER, aella, now, read, sealed};
use crate::support::{Log, kind};

const LIMIT: Duration = Duration::from_secs(5 * 60);

fn receiver() -> Receiver<Aella> {
    Receiver::new("aella-ng", aella()).clock(now())
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_hangs_is_dropped_at_its_limit_and_the_retry_runs() {
    let log = Log::capture();
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let drain = Drain::new();
    let receiver = receiver().drain(&drain);
    let service = receiver.dedupe(MemoryStore::new(10)).handle(move |_: Received<aella::Event>| {
        let hangs = counted.fetch_add(1, Ordering::SeqCst) == 0;
        async move {
            if hangs {
                pending().await
            }
        }
    });
    let start = Instant::now();
    let hung = timeout(LIMIT * 2, service.clone().oneshot(sealed(&aella(), TRANSFER))).await.expect("an end").unwrap();
    assert_eq!(hung.status(), 503);
    assert_eq!(kind(&hung).unwrap().as_str(), "handler_timed_out");
    assert!(start.elapsed() <= LIMIT + Duration::from_secs(1), "{:?}", start.elapsed());
    let text = log.text();
    assert!(text.contains("ERROR message=handler at its limit") && !text.contains("7b129bdd"), "{text}");
    assert_eq!(text.matches("handler still at work receiver=\"aella-ng\"").count(), 1, "{text}");

    sleep(Duration::from_secs(30)).await;
    let retry = service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(read(retry).await, (200, false, String::new()));
    assert_eq!(runs.load(Ordering::SeqCst), 2);
    drain.begin();
    drain.finished().await;
}

#[tokio::test(start_paused = true)]
async fn no_drain_waits_for_a_handler_that_hangs() {
    let drain = Drain::new();
    let receiver = receiver().drain(&drain);
    let service = receiver.dedupe(MemoryStore::new(10)).handle(|_: Received<aella::Event>| pending::<()>());
    // Awaited for a moment, and then hung up on.
    let answer = timeout(Duration::from_secs(1), service.oneshot(sealed(&aella(), TRANSFER))).await;
    assert!(answer.is_err());
    drain.begin();
    timeout(LIMIT * 2, drain.finished()).await.expect("the drain ends");
}

#[tokio::test(start_paused = true)]
async fn a_handler_is_told_of_its_limit_before_it_is_dropped() {
    let told = Arc::new(AtomicUsize::new(0));
    let count = told.clone();
    let service = receiver().dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| {
        let told = count.clone();
        async move {
            event.lease_lost().wait().await;
            told.fetch_add(1, Ordering::SeqCst);
            pending::<()>().await;
        }
    });
    let answer = timeout(LIMIT * 2, service.oneshot(sealed(&aella(), TRANSFER))).await.expect("an end").unwrap();
    assert_eq!((answer.status().as_u16(), told.load(Ordering::SeqCst)), (503, 1));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_is_slower_than_its_sender_goes_on_and_the_retry_gets_its_2xx() {
    let service = receiver()
        .dedupe(MemoryStore::new(10))
        .handle(|_: Received<aella::Event>| sleep(LIMIT - Duration::from_secs(1)));
    let hung_up = timeout(Duration::from_secs(10), service.clone().oneshot(sealed(&aella(), TRANSFER))).await;
    assert!(hung_up.is_err());
    sleep(LIMIT).await;
    assert_eq!(read(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap()).await, (200, true, String::new()));
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_blocks_its_thread_past_the_lease_sees_that_it_is_lost() {
    for (blocked, lost) in [(29, false), (30, true), (31, true)] {
        let service = receiver().dedupe(MemoryStore::new(10)).handle(move |event: Received<aella::Event>| async move {
            // The clock goes on, and nothing else is polled: no renewal is sent.
            assert!(advance(Duration::from_secs(blocked)).now_or_never().is_none());
            assert_eq!(event.lease_lost().is_lost(), lost, "after {blocked} s");
        });
        assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200, "after {blocked} s");
    }
}

/// A panic payload that panics once more when it is dropped.
struct Bomb;

impl Drop for Bomb {
    fn drop(&mut self) {
        panic!("a panic in a panic's payload");
    }
}

#[tokio::test(start_paused = true)]
async fn a_panic_whose_payload_panics_does_not_hold_the_key() {
    for later in [false, true] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let service = receiver().dedupe(MemoryStore::new(10)).handle(move |_: Received<aella::Event>| {
            let first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move {
                if later {
                    sleep(Duration::from_millis(1)).await;
                }
                if first {
                    std::panic::panic_any(Bomb);
                }
            }
        });
        let panicked = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
        assert_eq!((panicked.status().as_u16(), kind(&panicked).unwrap().as_str()), (500, "handler_failed"));
        sleep(Duration::from_secs(2)).await;
        assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200, "later: {later}");
        assert_eq!(runs.load(Ordering::SeqCst), 2);
    }
}

#[tokio::test(start_paused = true)]
async fn a_try_that_comes_too_early_is_told_so_and_does_not_wait() {
    let asks: fn() -> Outcome = || Outcome::Retry(Duration::from_secs(20));
    let panics: fn() -> Outcome = || panic!("a panic on purpose");
    for (case, first, after) in [("a retry", asks, "20"), ("a panic", panics, "1")] {
        let runs = Arc::new(AtomicUsize::new(0));
        let counted = runs.clone();
        let service = receiver().dedupe(MemoryStore::new(10)).handle(move |_: Received<aella::Event>| {
            let is_first = counted.fetch_add(1, Ordering::SeqCst) == 0;
            async move { if is_first { first() } else { Outcome::Done } }
        });
        assert!(service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status().is_server_error());
        let start = Instant::now();
        let early = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
        assert_eq!((early.status().as_u16(), kind(&early).unwrap().as_str()), (503, "resting"), "{case}");
        assert_eq!(early.headers()["retry-after"], after, "{case}");
        assert_eq!(start.elapsed(), Duration::ZERO, "{case}: it waited");
        sleep(Duration::from_secs(20)).await;
        assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200, "{case}");
        assert_eq!(runs.load(Ordering::SeqCst), 2, "{case}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_drain_within_a_time_counts_what_is_left_and_lets_it_go_on() {
    let (drain, go) = (Drain::new(), Arc::new(Notify::new()));
    let (receiver, wait) = (receiver().drain(&drain), go.clone());
    let store = MemoryStore::new(10);
    let service = receiver.dedupe(store.clone()).handle(move |event: Received<aella::Event>| {
        let wait = wait.clone();
        async move {
            wait.notified().await;
            assert!(!event.lease_lost().is_lost());
        }
    });
    let slow = tokio::spawn(service.clone().oneshot(sealed(&aella(), TRANSFER)));
    sleep(Duration::from_millis(1)).await;
    assert!(!drain.has_begun());
    let start = Instant::now();
    let left = drain.finish_within(Duration::from_secs(7)).await.unwrap_err();
    assert_eq!((left.count(), left.to_string(), start.elapsed().as_secs()), (1, "1 still in hand".into(), 7));
    assert!(drain.has_begun());
    let late = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(kind(&late), Some(RejectionKind::Draining));

    // Longer than a lease, which is still renewed.
    sleep(Duration::from_secs(100)).await;
    go.notify_one();
    assert_eq!(drain.finish_within(Duration::from_secs(7)).await, Ok(()));
    assert_eq!(slow.await.unwrap().unwrap().status(), 200);
    assert_eq!(drain.finish_within(Duration::ZERO).await, Ok(()), "with nothing in hand, no time is enough");
}
