//! Copies of one event at once through two receivers on one inbox, an inbox at its high mark, and an event that always panics:
//! cases 22, 23 and 28.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use http::header::RETRY_AFTER;
use tokio::time::{Instant, sleep};
use tower::ServiceExt as _;
use tower_webhook::inbox::{Backoff, Handed, Quota, SqliteInbox, StoredState, Verdict, Worker};
use tower_webhook::provider::aella::Aella;
use tower_webhook::receiver::InboxService;
use tower_webhook::testing::TokioClock;
use tower_webhook::{Receiver, RejectionKind};

use super::Inbox;
use crate::deliveries::{TRANSFER, aella, now, read, sealed};

fn event(id: usize) -> String {
    format!(r#"{{"event":"transfer.completed","data":{{"id":"x-{id}","status":"Success","amount":10000}}}}"#)
}

fn service(name: &str, inbox: &Inbox, clock: TokioClock) -> InboxService<Aella, Inbox> {
    Receiver::new(name, aella()).clock(clock).inbox(inbox)
}

/// How often a handler was called when a hundred copies came to these receivers in turn, and how many were told to be repeats.
async fn hundred(names: [&str; 2]) -> (usize, usize) {
    let (inbox, clock) = (Inbox::open().await, TokioClock::starting_at(now()));
    let services = names.map(|name| service(name, &inbox, clock));
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let handler = move |_: Handed| {
        seen.fetch_add(1, Ordering::SeqCst);
        async {}
    };
    let worker = Worker::new(inbox.clone(), handler).clock(clock).start();
    let copies = (0..100).map(|copy| {
        let service = services[copy % 2].clone();
        async move { read(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap()).await }
    });
    let answers = join_all(copies).await;
    assert!(answers.iter().all(|answer| answer.0 == 200), "{answers:?}");
    sleep(Duration::from_secs(2)).await;
    worker.stop().await;
    (calls.load(Ordering::SeqCst), answers.iter().filter(|answer| answer.1).count())
}

#[tokio::test(start_paused = true)]
async fn a_hundred_copies_at_once_through_two_receivers_are_one_event() {
    assert_eq!(hundred(["aella", "aella"]).await, (1, 99));
    // The control: receivers of two names share no keys.
    assert_eq!(hundred(["one", "two"]).await, (2, 98));
}

#[tokio::test(start_paused = true)]
async fn an_event_that_always_panics_is_a_dead_letter_and_the_others_are_handled() {
    let (inbox, clock) = (Inbox::open().await, TokioClock::starting_at(now()));
    for id in 0..20 {
        let response = service("aella", &inbox, clock).oneshot(sealed(&aella(), event(id))).await.unwrap();
        assert_eq!(response.status(), 200);
    }
    let calls = Arc::new(AtomicUsize::new(0));
    let seen = Arc::clone(&calls);
    let handler = move |handed: Handed| {
        let is_poison = handed.event.readable_key.ends_with("x-0");
        seen.fetch_add(usize::from(is_poison), Ordering::SeqCst);
        async move { if is_poison { std::panic::resume_unwind(Box::new("poison")) } else { Verdict::Done } }
    };
    let backoff = Backoff::default().attempts(4);
    let worker = Worker::new(inbox.clone(), handler).clock(clock).retry(backoff).start();
    sleep(Duration::from_secs(120)).await;
    worker.stop().await;
    let all = inbox.all().await;
    assert_eq!(
        (all[0].state, all[0].attempts, calls.load(Ordering::SeqCst)),
        (StoredState::Dead, 4, 4),
        "{:?}",
        all[0]
    );
    assert!(all.len() == 20 && all[1..].iter().all(|stored| stored.state == StoredState::Done), "{all:?}");
}

/// How many events were in an inbox of this quota at most while ten virtual minutes of senders came to it, how many were turned
/// away, and how many there were in the end, all of them handled.
async fn ten_minutes(rows: u64) -> (usize, usize, usize) {
    let mut quota = Quota::default();
    (quota.rows, quota.free_disk) = (rows, 0);
    let inbox = Inbox::open_as(SqliteInbox::setup().quota(quota)).await;
    let clock = TokioClock::starting_at(now());
    let service = service("aella", &inbox, clock);
    let began = Instant::now();
    // Nobody handles anything for ten minutes.
    let (mut waiting, mut most, mut turned_away) = ((0..100).collect::<Vec<_>>(), 0, 0);
    let mut worker = None;
    while !waiting.is_empty() {
        let mut left = Vec::new();
        for id in waiting {
            let response = service.clone().oneshot(sealed(&aella(), event(id))).await.unwrap();
            if response.status() == 503 {
                assert_eq!(response.headers()[RETRY_AFTER], "60");
                let rejection = response.extensions().get::<tower_webhook::Rejection>().unwrap();
                assert_eq!(rejection.kind(), RejectionKind::StoreUnavailable);
                turned_away += 1;
                left.push(id);
            } else {
                assert_eq!(response.status(), 200);
            }
        }
        waiting = left;
        let open = inbox.all().await.iter().filter(|stored| stored.state != StoredState::Done).count();
        most = most.max(open);
        sleep(Duration::from_secs(60)).await;
        if began.elapsed() >= Duration::from_secs(600) && worker.is_none() {
            let handler = |_: Handed| async {};
            worker = Some(Worker::new(inbox.clone(), handler).clock(clock).start());
        }
        assert!(began.elapsed() < Duration::from_secs(3600), "it does not drain: {waiting:?}");
    }
    let handler = |_: Handed| async {};
    let worker = worker.unwrap_or_else(|| Worker::new(inbox.clone(), handler).clock(clock).start());
    sleep(Duration::from_secs(5)).await;
    worker.stop().await;
    let done = inbox.all().await.iter().filter(|stored| stored.state == StoredState::Done).count();
    (most, turned_away, done)
}

#[tokio::test(start_paused = true)]
async fn at_its_high_mark_it_asks_to_come_again_grows_no_more_and_drains() {
    let (most, turned_away, done) = ten_minutes(40).await;
    assert_eq!((most, done), (40, 100));
    assert!(turned_away >= 600, "{turned_away}");
    // The control: below it nobody is turned away, and it grows.
    assert_eq!(ten_minutes(1000).await, (100, 0, 100));
}
