//! The memory store against a model of the state machine, on many threads, and at its bounds.

#![allow(clippy::unwrap_used, reason = "a test: a panic is a failure")]

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::StatusCode;
use proptest::prelude::*;
use tokio::sync::Barrier;
use tower_webhook::clock::NoEntropy;
use tower_webhook::idempotency::{
    Claim, DedupeStore as _, Fingerprint, Held, Key, LostWhy, MemoryStore, StateTag, StoreError, StoredResponse, Terms,
    Token,
};

const CAPACITY: usize = 3;
const RETENTION: u64 = 100;

#[derive(Clone, Debug)]
enum Step {
    Claim { key: u8, token: u8, event: u8, lease: u64, most: Option<u32> },
    Renew { key: u8, token: u8, lease: u64 },
    Complete { key: u8, token: u8, answer: u8 },
    Release { key: u8, token: u8, delay: u64 },
    Pass(u64),
    Sweep,
}

#[derive(Debug, PartialEq)]
enum Answer {
    Claim(Result<Claim, StoreError>),
    Held(Held),
    Nothing,
}

/// The state machine, told apart from the store in every way: whole milliseconds, one flat record, no index.
#[derive(Default)]
struct Model {
    now: u64,
    rows: BTreeMap<u8, Row>,
}

struct Row {
    event: u8,
    fence: u64,
    holder: Option<u8>,
    free_at: u64,
    gone_at: u64,
    done: Option<u8>,
    poisoned: bool,
}

impl Row {
    fn tag(&self) -> StateTag {
        match self {
            Self { done: Some(_), .. } => StateTag::Done,
            Self { poisoned: true, .. } => StateTag::Poison,
            _ => StateTag::Pending,
        }
    }
}

impl Model {
    fn step(&mut self, step: &Step) -> Answer {
        let now = self.now;
        self.rows.retain(|_, row| now < row.gone_at);
        match *step {
            Step::Claim { key, token, event, lease, most } => Answer::Claim(self.claim(key, token, event, lease, most)),
            Step::Renew { key, token, lease } => self.held(key, token, |row| {
                row.free_at = now + lease;
                row.gone_at = row.gone_at.max(now + lease);
            }),
            Step::Complete { key, token, answer } => {
                let again = self.rows.get(&key).is_some_and(|row| row.done.is_some() && row.holder == Some(token));
                if again {
                    return Answer::Held(Held::Ok);
                }
                self.held(key, token, |row| {
                    row.done = Some(answer);
                    row.gone_at = now + RETENTION;
                })
            }
            Step::Release { key, token, delay } => self.held(key, token, |row| {
                row.holder = None;
                row.free_at = now + delay;
                row.gone_at = row.gone_at.max(now + delay);
            }),
            Step::Pass(time) => {
                self.now += time;
                Answer::Nothing
            }
            Step::Sweep => Answer::Nothing,
        }
    }

    fn claim(&mut self, key: u8, token: u8, event: u8, lease: u64, most: Option<u32>) -> Result<Claim, StoreError> {
        let (now, full) = (self.now, self.rows.len() == CAPACITY);
        let fence = match self.rows.get_mut(&key) {
            None if full => return Err(StoreError::Full),
            None => 1,
            Some(row) if row.event != event => return Ok(Claim::Mismatch { state: row.tag() }),
            Some(Row { done: Some(number), fence, .. }) => {
                return Ok(Claim::Done { fence: *fence, response: answer(*number) });
            }
            Some(Row { poisoned: true, fence, .. }) => return Ok(Claim::Poison { attempts: *fence }),
            Some(row) if row.holder == Some(token) => row.fence,
            Some(row) if now < row.free_at => {
                return Ok(Claim::InFlight { retry_in: Duration::from_millis(row.free_at - now) });
            }
            Some(row) if most.is_some_and(|most| row.fence >= u64::from(most)) => {
                (row.poisoned, row.holder) = (true, None);
                return Ok(Claim::Poison { attempts: row.fence });
            }
            Some(row) => row.fence + 1,
        };
        let gone_at = now + lease.max(RETENTION);
        let row = Row { event, fence, holder: Some(token), free_at: now + lease, gone_at, done: None, poisoned: false };
        self.rows.insert(key, row);
        Ok(Claim::Acquired { fence })
    }

    fn held(&mut self, key: u8, token: u8, change: impl FnOnce(&mut Row)) -> Answer {
        Answer::Held(match self.rows.get_mut(&key) {
            None => Held::Lost(LostWhy::Gone),
            Some(row) if row.tag() == StateTag::Pending && row.holder == Some(token) => {
                change(row);
                Held::Ok
            }
            Some(row) => Held::Lost(LostWhy::Taken(row.tag())),
        })
    }
}

async fn really(store: &MemoryStore, step: &Step) -> Answer {
    match *step {
        Step::Claim { key, token, event, lease, most } => {
            let terms = Terms::new(millis(RETENTION)).lease(millis(lease));
            let terms = most.and_then(NonZeroU32::new).map_or(terms, |most| terms.max_attempts(most));
            Answer::Claim(store.claim(&wide(key), &who(token), &Fingerprint::of(&[event]), &terms).await)
        }
        Step::Renew { key, token, lease } => {
            Answer::Held(store.renew(&wide(key), &who(token), millis(lease)).await.unwrap())
        }
        Step::Complete { key, token, answer: number } => {
            let (key, token) = (wide(key), who(token));
            Answer::Held(store.complete(&key, &token, &answer(number), millis(RETENTION)).await.unwrap())
        }
        Step::Release { key, token, delay } => {
            Answer::Held(store.release(&wide(key), &who(token), millis(delay)).await.unwrap())
        }
        Step::Pass(time) => {
            tokio::time::advance(millis(time)).await;
            Answer::Nothing
        }
        Step::Sweep => {
            store.sweep();
            Answer::Nothing
        }
    }
}

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn wide(key: u8) -> Key {
    Key::from_bytes([key; 32])
}

fn who(token: u8) -> Token {
    Token::from_bytes([token; 16])
}

fn answer(number: u8) -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::copy_from_slice(&[number]))
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let key = || 0..5_u8;
    let token = || 0..3_u8;
    let event = prop_oneof![9 => Just(0), 1 => Just(1_u8)];
    // A lease may be longer than the retention.
    let lease = || prop_oneof![0..40_u64, Just(150)];
    let most = prop_oneof![3 => Just(None), 1 => (1..4_u32).prop_map(Some)];
    let step = prop_oneof![
        6 => (key(), token(), event, lease(), most)
            .prop_map(|(key, token, event, lease, most)| Step::Claim { key, token, event, lease, most }),
        2 => (key(), token(), lease()).prop_map(|(key, token, lease)| Step::Renew { key, token, lease }),
        2 => (key(), token(), 0..3_u8).prop_map(|(key, token, answer)| Step::Complete { key, token, answer }),
        2 => (key(), token(), lease()).prop_map(|(key, token, delay)| Step::Release { key, token, delay }),
        3 => (0..50_u64).prop_map(Step::Pass),
        1 => Just(Step::Sweep),
    ];
    prop::collection::vec(step, 40)
}

#[test]
fn two_thousand_random_sequences_go_as_the_model_says() {
    let mut seen = BTreeMap::<&str, u32>::new();
    let config = ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let seen_now = std::cell::RefCell::new(&mut seen);
    let result = runner.run(&steps(), |steps| {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let (store, mut model) = (MemoryStore::new(CAPACITY), Model::default());
            for (at, step) in steps.iter().enumerate() {
                let (got, want) = (really(&store, step).await, model.step(step));
                *seen_now.borrow_mut().entry(kind(&want)).or_default() += 1;
                prop_assert_eq!(got, want, "at step {}, {:?}", at, step);
                prop_assert!(store.len() <= CAPACITY);
            }
            tokio::time::advance(millis(1000)).await;
            store.sweep();
            prop_assert!(store.is_empty(), "{} keys are never cleared away", store.len());
            Ok(())
        })
    });
    result.unwrap();
    assert!(seen.len() == 9 && seen.values().all(|times| *times > 100), "a kind of answer is hardly tested: {seen:?}");
}

fn kind(answer: &Answer) -> &'static str {
    match answer {
        Answer::Claim(Ok(Claim::Acquired { .. })) => "acquired",
        Answer::Claim(Ok(Claim::InFlight { .. })) => "in flight",
        Answer::Claim(Ok(Claim::Done { .. })) => "done",
        Answer::Claim(Ok(Claim::Mismatch { .. })) => "mismatch",
        Answer::Claim(Ok(Claim::Poison { .. })) => "poison",
        Answer::Claim(_) => "full",
        Answer::Held(Held::Ok) => "held",
        Answer::Held(_) => "lost",
        Answer::Nothing => "nothing",
    }
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
                    matches!(claim, Ok(Claim::Acquired { fence: 1 }))
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
    let key = Key::from_bytes(name.repeat(16).try_into().unwrap());
    let terms = Terms::new(Duration::from_secs(60));
    let claim = store.claim(&key, &who(1), &Fingerprint::of(b"e"), &terms).now_or_never();
    matches!(claim.unwrap(), Ok(Claim::Acquired { .. }))
}

#[tokio::test(start_paused = true)]
async fn a_store_without_room_refuses_every_claim() {
    let store = MemoryStore::new(0);
    let claim = store.claim(&wide(1), &who(1), &Fingerprint::of(b"e"), &Terms::new(millis(1))).await;
    assert_eq!(claim, Err(StoreError::Full));
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
        let key = Key::from_bytes([key, 3].repeat(16).try_into().unwrap());
        assert_eq!(store.complete(&key, &who(1), &answer(1), retention).await, Ok(Held::Ok));
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
