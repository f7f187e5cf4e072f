//! The memory store on many threads, and at its bounds. Its state machine is under [`laws`](crate::laws).

#![allow(clippy::unwrap_used, reason = "a test: a panic is a failure")]

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::StatusCode;
use tokio::sync::Barrier;
use tokio::time::Instant;
use tower_webhook::clock::NoEntropy;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    Claim, DedupeStore as _, Held, MemoryStore, StoreErrorKind, StoredResponse, Terms, Token,
};

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn wide(key: u8) -> KeyHash {
    KeyHash::from_bytes([key; 32])
}

fn who(token: u8) -> Token {
    Token::from_bytes([token; 16])
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_a_hundred_tasks_on_many_threads_one_gets_the_key() {
    let store = MemoryStore::new(50);
    for round in 0..50_u8 {
        let start = Arc::new(Barrier::new(100));
        let tasks: tokio::task::JoinSet<bool> = (0..100_u8)
            .map(|number| {
                let (store, start) = (store.clone(), Arc::clone(&start));
                async move {
                    start.wait().await;
                    let terms = Terms::new(Duration::from_secs(3600));
                    let claim = store.claim(&wide(round), &who(number), &Fingerprint::of(b"e"), &terms).await;
                    matches!(claim, Ok(Claim::Acquired { fence: 1, other_payload: false }))
                }
            })
            .collect();
        let winners = tasks.join_all().await.into_iter().filter(|won| *won).count();
        assert_eq!(winners, 1, "round {round}");
    }
    assert_eq!(store.len(), 50);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn threads_together_never_pass_the_bound() {
    let store = MemoryStore::new(100);
    let start = Arc::new(Barrier::new(8));
    let tasks: tokio::task::JoinSet<usize> = (0..8_u8)
        .map(|thread| {
            let (store, start) = (store.clone(), Arc::clone(&start));
            async move {
                start.wait().await;
                (0..100_u8).filter(|number| claims(&store, [thread, *number])).count()
            }
        })
        .collect();
    let granted: usize = tasks.join_all().await.into_iter().sum();
    assert_eq!((granted, store.len()), (100, 100));
}

fn claims(store: &MemoryStore, name: [u8; 2]) -> bool {
    let key = KeyHash::from_bytes(name.repeat(16).try_into().unwrap());
    let terms = Terms::new(Duration::from_secs(60));
    let claim = store.claim(&key, &who(1), &Fingerprint::of(b"e"), &terms).now_or_never();
    matches!(claim.unwrap(), Ok(Claim::Acquired { .. }))
}

#[tokio::test(start_paused = true)]
async fn a_store_without_room_refuses_every_claim() {
    let store = MemoryStore::new(0);
    let claim = store.claim(&wide(1), &who(1), &Fingerprint::of(b"e"), &Terms::new(millis(1))).await;
    assert_eq!(claim, Err(StoreErrorKind::Full.into()));
    assert!(store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_full_store_finds_room_in_every_shard() {
    let store = MemoryStore::new(1000);
    let names = |from: u8| (0..1000_u16).map(move |number| [from + number.to_be_bytes()[0], number.to_be_bytes()[1]]);
    assert!(names(0).all(|name| claims(&store, name)));
    assert!(!claims(&store, [255, 0]), "the store is full");
    tokio::time::advance(Duration::from_secs(60)).await;
    assert_eq!(names(100).filter(|name| claims(&store, *name)).count(), 1000);
    assert_eq!(store.len(), 1000);
}

/// Each of a thousand keys ends at a time of its own: later than it was claimed for, or earlier.
#[tokio::test(start_paused = true)]
async fn a_full_store_finds_the_one_key_that_has_expired_at_once_and_not_before() {
    let (store, start, count) = (MemoryStore::new(1000), Instant::now(), 1000_u64);
    let key = |number: u64| KeyHash::from_bytes([number.to_be_bytes(); 4].concat().try_into().unwrap());
    let event = Fingerprint::of(b"e");
    let new = |number| store.claim(&key(number), &who(1), &event, &Terms::new(Duration::MAX)).now_or_never().unwrap();
    for number in 0..count {
        // The claims' ends are in an order, and those of the completions are in no order.
        let (first, then) = (millis(2000 + number), millis(1000 + number * 617 % count * 3));
        let terms = Terms::new(first).lease(millis(1));
        store.claim(&key(number), &who(1), &event, &terms).await.unwrap();
        let response = StoredResponse::new(StatusCode::OK, None, Bytes::new());
        assert_eq!(store.complete(&key(number), &who(1), &response, then).await, Ok(Held::Ok));
    }
    for turn in 0..count {
        let end = start + millis(1000 + turn * 3);
        tokio::time::advance(end - Duration::from_nanos(1) - Instant::now()).await;
        assert_eq!(new(count + turn), Err(StoreErrorKind::Full.into()), "just before end {turn}");
        tokio::time::advance(Duration::from_nanos(1)).await;
        assert_eq!(new(count + turn), Ok(Claim::Acquired { fence: 1, other_payload: false }), "at end {turn}");
        assert_eq!(new(2 * count), Err(StoreErrorKind::Full.into()), "after end {turn}");
    }
    assert!(matches!(new(count), Ok(Claim::Acquired { fence: 1, other_payload: false })), "the holder again");
}

#[tokio::test(start_paused = true)]
async fn a_full_store_and_a_sweep_look_past_any_number_of_keys_that_were_completed_later() {
    let (store, event, seconds) = (MemoryStore::new(1000), Fingerprint::of(b"e"), Duration::from_secs);
    let terms = Terms::new(seconds(60));
    let key =
        |number: u16| KeyHash::from_bytes([number.to_be_bytes().repeat(15), vec![7; 2]].concat().try_into().unwrap());
    let new = |number| store.claim(&key(number), &who(1), &event, &terms).now_or_never().unwrap();
    assert!((0..1000).all(|number| new(number).is_ok()));
    tokio::time::advance(seconds(10)).await;
    for number in 0..999 {
        let response = StoredResponse::new(StatusCode::OK, None, Bytes::new());
        assert_eq!(store.complete(&key(number), &who(1), &response, terms.retention).await, Ok(Held::Ok));
    }
    tokio::time::advance(seconds(50)).await;
    assert_eq!(
        [new(1000), new(1001)],
        [Ok(Claim::Acquired { fence: 1, other_payload: false }), Err(StoreErrorKind::Full.into())]
    );
    tokio::time::advance(seconds(10)).await;
    store.sweep();
    assert_eq!(store.len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_claim_clears_away_eight_expired_keys_of_its_shard() {
    let (store, shard) = (MemoryStore::new(100), 7);
    assert!((0..10).all(|number| claims(&store, [number, shard])));
    tokio::time::advance(Duration::from_secs(60)).await;
    for (number, left) in [(20, 10 - 8 + 1), (21, 2), (22, 3)] {
        assert!(claims(&store, [number, shard]));
        assert_eq!(store.len(), left, "after claim {number}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_sweep_takes_what_is_expired_and_leaves_what_lives() {
    let store = MemoryStore::new(100_000);
    for number in 0..3000_u16 {
        claims(&store, number.to_be_bytes());
    }
    tokio::time::advance(Duration::from_secs(30)).await;
    claims(&store, [255, 1]);
    tokio::time::advance(Duration::from_secs(30)).await;
    store.sweep();
    assert_eq!(store.len(), 1);
    assert!(!store.is_empty());
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_completed_later_is_kept_longer_and_then_cleared_away() {
    let store = MemoryStore::new(100);
    let (retention, seconds) = (Duration::from_secs(60), Duration::from_secs);
    for key in 0..50 {
        claims(&store, [key, 3]);
    }
    tokio::time::advance(seconds(10)).await;
    for key in 0..50_u8 {
        // Of every other, the retention is so much shorter that it ends before the claim's would have.
        let retention = if key % 2 == 0 { retention } else { seconds(5) };
        let key = KeyHash::from_bytes([key, 3].repeat(16).try_into().unwrap());
        assert_eq!(
            store.complete(&key, &who(1), &StoredResponse::new(StatusCode::OK, None, Bytes::new()), retention).await,
            Ok(Held::Ok)
        );
    }
    for (passed, left) in [(4, 50), (1, 25), (45, 25), (9, 25), (1, 0)] {
        tokio::time::advance(seconds(passed)).await;
        store.sweep();
        assert_eq!(store.len(), left, "after another {passed} s");
    }
}

#[tokio::test]
async fn no_token_is_given_out_twice_by_a_store_and_its_clones() {
    let store = MemoryStore::new(1);
    let stores = [store.clone(), store];
    let nothing = |_: &mut [u8]| Err(NoEntropy);
    let tokens: BTreeSet<[u8; 16]> =
        stores.iter().cycle().take(1000).map(|store| *store.token(&nothing).unwrap().as_bytes()).collect();
    assert_eq!(tokens.len(), 1000);
}

#[tokio::test(start_paused = true)]
async fn a_stored_body_does_not_hold_its_buffer() {
    let store = MemoryStore::new(1);
    let (key, token, event) = (wide(1), who(1), Fingerprint::of(b"e"));
    let terms = Terms::new(Duration::from_secs(60));
    store.claim(&key, &token, &event, &terms).await.unwrap();

    let mebibyte = Bytes::from(vec![7; 1 << 20]);
    let response = StoredResponse::new(StatusCode::OK, None, mebibyte.slice(..10));
    store.complete(&key, &token, &response, terms.retention).await.unwrap();
    drop(response);
    assert!(mebibyte.is_unique(), "the store keeps a mebibyte for ten bytes");
    assert!(format!("{store:?}").contains("capacity: 1"));
}

#[tokio::test(start_paused = true)]
async fn a_key_that_was_released_rests_and_one_that_is_held_does_not() {
    let (store, terms) = (MemoryStore::new(10), Terms::new(millis(60_000)));
    let claim = async |token| store.claim(&wide(1), &who(token), &Fingerprint::of(b"e"), &terms).await.unwrap();
    assert_eq!(claim(1).await, Claim::Acquired { fence: 1, other_payload: false });
    assert_eq!(claim(2).await, Claim::InFlight { retry_in: terms.lease });
    store.release(&wide(1), &who(1), millis(500)).await.unwrap();
    assert_eq!(claim(2).await, Claim::Resting { retry_in: millis(500) });
    tokio::time::advance(millis(500)).await;
    assert_eq!(claim(2).await, Claim::Acquired { fence: 2, other_payload: false });
    assert!(store.forgets_at_exit());
}

/// Nothing of a buffer may stay that an answer's body was cut from, be it all of its bytes or none.
#[tokio::test(start_paused = true)]
async fn an_answer_keeps_no_buffer_alive_that_its_body_was_cut_from() {
    struct Buffer(Vec<u8>, #[allow(dead_code, reason = "it is counted")] Arc<()>);
    impl AsRef<[u8]> for Buffer {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    for (status, left) in [(StatusCode::OK, 2), (StatusCode::ACCEPTED, 2), (StatusCode::ACCEPTED, 0)] {
        let (store, alive) = (MemoryStore::new(10), Arc::new(()));
        let mut body = Bytes::from_owner(Buffer(vec![b'x'; 100_000], Arc::clone(&alive)));
        bytes::Buf::advance(&mut body, 100_000 - left);
        store.claim(&wide(1), &who(1), &Fingerprint::of(b"e"), &Terms::new(millis(1000))).await.unwrap();
        let response = StoredResponse::new(status, None, body);
        assert_eq!(store.complete(&wide(1), &who(1), &response, millis(1000)).await, Ok(Held::Ok));
        drop(response);
        assert_eq!(Arc::strong_count(&alive), 1, "{status} {left}");
    }
}
