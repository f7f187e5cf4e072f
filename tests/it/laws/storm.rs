//! Threads that fight over keys, with requests lost, run late, and replies lost; then the history is judged.

use std::collections::BTreeMap;
use std::sync::{Arc, Barrier, Mutex};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::{BoxFuture, ready};
use tokio::time::Instant;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, MemoryStore, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
};

use super::broken::{Broken, Flaw};
use super::history::{History, Recorded};
use super::linear::{Grants, check};
use super::stand::key;
use super::worker::{Dice, Worker};

const THREADS: u8 = 4;
const KEYS_AT_ONCE: u64 = 4;
const TRIES: u64 = 8;
const RETENTION: Duration = Duration::from_secs(600);
const MICROSECOND: Duration = Duration::from_micros(1);

type Late<S> = Box<dyn FnOnce(&S) + Send>;

/// A store behind a bad network: one call in seven is lost, loses its answer, or runs late.
struct Faulty<S> {
    store: Arc<S>,
    dice: Mutex<Dice>,
    late: Mutex<Vec<Late<S>>>,
}

impl<S: DedupeStore> Faulty<S> {
    fn call<T>(&self, run: impl FnOnce(&S) -> Option<Result<T, StoreError>> + Send + 'static) -> Result<T, StoreError> {
        let (fault, late) = {
            let mut dice = self.dice.lock().unwrap();
            (dice.below(21), dice.below(2) == 0)
        };
        let waiting = if late { self.late.lock().unwrap().pop() } else { None };
        if let Some(waiting) = waiting {
            waiting(&self.store);
        }
        match fault {
            0 => {}
            1 => drop(run(&self.store)),
            2 => self.late.lock().unwrap().push(Box::new(|store| drop(run(store)))),
            _ => return run(&self.store).expect("this store answers at once"),
        }
        Err(StoreErrorKind::Timeout.into())
    }
}

impl<S: DedupeStore> DedupeStore for Faulty<S> {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        event: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let (key, token, event, terms) = (*key, *token, *event, *terms);
        self.call(move |store| store.claim(&key, &token, &event, &terms).now_or_never())
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        let (key, token) = (*key, *token);
        self.call(move |store| store.renew(&key, &token, lease).now_or_never())
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (key, token, response) = (*key, *token, response.clone());
        self.call(move |store| store.complete(&key, &token, &response, retention).now_or_never())
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        let (key, token) = (*key, *token);
        self.call(move |store| store.release(&key, &token, delay).now_or_never())
    }
}

fn pass(time: Duration) -> BoxFuture<'static, ()> {
    let until = Instant::now() + time;
    while Instant::now() < until {
        std::thread::yield_now();
    }
    Box::pin(ready(()))
}

/// A storm over so many groups of keys.
fn raise<S: DedupeStore>(store: S, groups: u64, seed: u64) -> History {
    let (store, start) = (Arc::new(store), Instant::now());
    let together = Barrier::new(THREADS.into());
    std::thread::scope(|scope| {
        let run = |number| {
            let dice = |part| Dice(seed + part + u64::from(number));
            let (mut keys, dice, late) = (dice(200), Mutex::new(dice(100)), Mutex::default());
            let faulty = Faulty { store: Arc::clone(&store), dice, late };
            let store = Arc::new(Recorded { store: faulty, history: History::since(start) });
            let mut worker = Worker::new(number, store, seed, MICROSECOND, pass);
            let together = &together;
            scope.spawn(move || {
                for group in 0..groups {
                    together.wait();
                    for _ in 0..TRIES {
                        let key = key(group * KEYS_AT_ONCE + keys.below(KEYS_AT_ONCE));
                        worker.deliver(&key, RETENTION).now_or_never().expect("this store answers at once");
                    }
                }
                worker.history()
            })
        };
        let threads: Vec<_> = (0..THREADS).map(run).collect();
        History::joined(threads.into_iter().map(|thread| thread.join().unwrap()))
    })
}

#[test]
fn the_memory_store_among_threads_did_what_can_happen() {
    let history = raise(MemoryStore::new(1_000_000), 1000, 1);
    let mut seen = BTreeMap::<&str, u32>::new();
    for event in history.by_key().into_values().flatten() {
        *seen.entry(event.told.map_or("unknown", |(_, answer)| answer.kind())).or_default() += 1;
    }
    // All but "full", and "gone" comes only of late calls.
    assert!(seen.len() >= 9 && seen.values().filter(|times| **times > 50).count() >= 9, "hardly tested: {seen:?}");
    if let Err(violation) = check(&history, Grants::default()) {
        panic!("{violation}");
    }
}

#[test]
fn each_flaw_shows_in_a_storm() {
    let cases: [&'static [Flaw]; 14] = [
        &[Flaw::CompleteUpserts],
        &[Flaw::ReleaseDeletes],
        &[Flaw::OwnReleaseDeletes],
        &[Flaw::LeaseIsIgnored],
        &[Flaw::FenceStands],
        &[Flaw::RepeatCounts],
        &[Flaw::DoneIsForgotten],
        &[Flaw::LeaseIsLonger],
        &[Flaw::ReadsThenWrites],
        &[Flaw::OtherIsRefused],
        &[Flaw::OtherIsUnsaid],
        &[Flaw::OtherIsForgotten],
        &[Flaw::OtherTakesTheLease],
        &[Flaw::OtherLeavesNoTrace],
    ];
    for flaws in cases {
        let history = raise(Broken::new(flaws, None), 300, 7);
        assert!(check(&history, Grants::default()).is_err(), "{flaws:?} was not noticed");
    }
}

#[test]
fn the_model_itself_stands_every_storm() {
    if let Err(violation) = check(&raise(Broken::new(&[], None), 300, 7), Grants::default()) {
        panic!("{violation}");
    }
}
