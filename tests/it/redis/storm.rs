//! Several receivers at one real server that is hurt meanwhile: what they are told is one history of each key, judged as a
//! whole.
//!
//! Each run makes its own chances; `LAWS_SEED` gives it those of another, as far as threads and servers allow.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::time::{Instant, sleep};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{Claim, DedupeStore, Held, RedisStore, StoreError, StoredResponse, Terms, Token};

use super::is_away;
use crate::laws::history::{History, Recorded};
use crate::laws::linear::{Grants, Violation, check};
use crate::laws::model::Answer;
use crate::laws::stand::key;
use crate::laws::worker::{Dice, Worker};

const WORKERS: u8 = 32;
const KEYS_AT_ONCE: u64 = 8;
/// Six calls each at most. The checker takes 128 a key, but while a server is away most of them are unknown, and of many of
/// those the orders are too many to judge.
const DELIVERIES: u64 = 8;
/// Leases and pauses are 4 to 64 ms.
const UNIT: Duration = Duration::from_micros(200);
/// Shorter than a server is away.
pub(super) const DEADLINE: Duration = Duration::from_millis(120);
/// The server counts in whole milliseconds, so each of two times may be off by one. The store's pauses between tries double
/// from 10 ms on: five tries go into twice the deadline.
const GRANTS: Grants = Grants { slack: Duration::from_millis(2), resends: 4 };

fn seed() -> u64 {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().subsec_nanos().into();
    std::env::var("LAWS_SEED").map_or_else(|_| now(), |seed| seed.parse().expect("LAWS_SEED is a number"))
}

/// The number of a delivery's key.
pub(super) fn of(delivery: u64) -> u64 {
    delivery / (KEYS_AT_ONCE * DELIVERIES) * KEYS_AT_ONCE + delivery % KEYS_AT_ONCE
}

/// How long a key is remembered: some so shortly that they are forgotten in time.
fn retention(number: u64) -> Duration {
    Duration::from_millis(if number % KEYS_AT_ONCE == 3 { 150 } else { 600_000 })
}

/// What receivers were told.
pub(super) struct Storm<T> {
    pub(super) history: History,
    /// What the harm has come to.
    pub(super) harm: T,
}

/// Receivers deliver until the harm is done and a moment longer; then each key is looked at once more. The harm is told
/// how many deliveries there were.
pub(super) async fn raise<S, T, F>(stores: Vec<S>, harm: F) -> Storm<T>
where
    S: DedupeStore,
    T: Send + 'static,
    F: FnOnce(Dice, &AtomicU64) -> T + Send + 'static,
{
    let (seed, start) = (seed(), Instant::now());
    println!("LAWS_SEED={seed}");
    let (count, over) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let recorded = |store| Arc::new(Recorded { store, history: History::since(start) });
    let stores: Vec<_> = stores.into_iter().map(recorded).collect();
    let worker = |number: u8| {
        let store = Arc::clone(&stores[usize::from(number) % stores.len()]);
        Worker::new(number, store, seed, UNIT, |time| Box::pin(sleep(time)))
    };
    let workers: Vec<_> = (0..WORKERS)
        .map(|number| {
            let (mut worker, count, over) = (worker(number), Arc::clone(&count), Arc::clone(&over));
            tokio::spawn(async move {
                while !over.load(Ordering::Relaxed) {
                    let number = of(count.fetch_add(1, Ordering::Relaxed));
                    worker.deliver(&key(number), retention(number)).await;
                }
            })
        })
        .collect();
    let counted = Arc::clone(&count);
    let harm = tokio::task::spawn_blocking(move || harm(Dice(seed.wrapping_add(1000)), &counted)).await.unwrap();
    sleep(Duration::from_millis(100)).await;
    over.store(true, Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let mut last = worker(WORKERS);
    let groups = count.load(Ordering::Relaxed).div_ceil(KEYS_AT_ONCE * DELIVERIES);
    for number in 0..groups * KEYS_AT_ONCE {
        last.look(&key(number), retention(number)).await;
    }
    let parts = stores.iter().map(|store| store.history.clone()).collect::<Vec<_>>();
    Storm { history: History::joined(parts), harm }
}

impl<T> Storm<T> {
    pub(super) fn check(&self) -> Result<(), Violation> {
        check(&self.history, GRANTS)
    }

    /// That it can have happened, and that so much of each kind did.
    pub(super) fn can_have_happened(&self, least: &[(&str, usize)]) {
        let mut seen = BTreeMap::<&str, usize>::new();
        for event in self.history.by_key().into_values().flatten() {
            let answer = event.told.map(|(_, answer)| answer);
            *seen.entry(answer.as_ref().map_or("unknown", Answer::kind)).or_default() += 1;
            *seen.entry("later fence").or_default() += usize::from(matches!(answer, Some(Answer::Acquired(2..))));
        }
        println!("{seen:?}");
        let usual = [("acquired", 30), ("later fence", 10), ("done", 5), ("in flight", 10), ("held", 10)];
        for (kind, times) in usual.iter().chain(least) {
            assert!(seen.get(kind).is_some_and(|seen| seen >= times), "fewer than {times} {kind}: {seen:?}");
        }
        if let Err(violation) = self.check() {
            panic!("{violation}");
        }
    }

    pub(super) fn cannot_have_happened(&self) {
        let violation = self.check().expect_err("the control passes");
        println!("{violation}");
    }
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Flaw {
    /// A claim that brought no answer is made again by another token.
    NewToken,
    /// A claim that brought no answer is taken for granted.
    SilenceIsYes,
}

/// A control: a receiver's store that does not keep to the rules for calls that brought no answer.
pub(super) struct Flawed {
    pub(super) store: RedisStore,
    pub(super) flaw: Flaw,
    /// How often there was none.
    pub(super) times: Arc<AtomicU32>,
}

impl DedupeStore for Flawed {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        event: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mut token = *token;
        loop {
            let claim = self.store.claim(key, &token, event, terms).await;
            if !claim.as_ref().is_err_and(is_away) {
                return claim;
            }
            self.times.fetch_add(1, Ordering::Relaxed);
            match self.flaw {
                Flaw::SilenceIsYes => return Ok(Claim::Acquired { fence: 1, other_payload: false }),
                Flaw::NewToken => token = Token::from_bytes(token.as_bytes().map(|byte| byte.wrapping_add(1))),
            }
        }
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        self.store.renew(key, token, lease).await
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        self.store.complete(key, token, response, retention).await
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        self.store.release(key, token, delay).await
    }
}
