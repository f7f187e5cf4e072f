//! A store in memory: bounded, and never forgetful of a live key.

use std::cmp::Reverse;
use std::collections::binary_heap::PeekMut;
use std::collections::{BinaryHeap, HashMap};
use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::key::{Fingerprint, Key};
use super::record::{Moment, Record};
use super::store::{Claim, DedupeStore, Held, LostWhy, StoreError, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};

const SHARDS: usize = 64;
/// How many expired records a claim clears away at most, in each shard that it looks at.
const SWEPT_BY_A_CLAIM: usize = 8;
/// How many expired records are cleared away while one lock is held.
const SWEPT_AT_ONCE: usize = 256;

/// Keys in this process's memory, at most `capacity` of them. A clone is the same store.
///
/// What it promises: one process, and lost at its exit. After a restart, a sender's repeat of an event that was
/// handled before it is handled again; where that matters, use a store that outlives the process.
///
/// The bound counts keys over the whole store. A key takes some 250 bytes. Its response, where that is not an empty 200,
/// takes some 100 and its body, at most [`StoredResponse::MAX_BODY`]. A live key is never evicted: a new one that finds no
/// room, not even after expired ones were cleared away, is refused with [`StoreError::Full`], while known keys are still
/// answered.
///
/// ```
/// # use std::time::Duration;
/// # use tower_webhook::idempotency::{Claim, DedupeStore, Fingerprint, Key, MemoryStore, StoreError, Terms, Token};
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = MemoryStore::new(1);
/// let (token, event) = (Token::from_bytes([1; 16]), Fingerprint::of(b"event"));
/// let terms = Terms::new(Duration::from_secs(7 * 24 * 60 * 60));
///
/// let first = store.claim(&Key::from_bytes([1; 32]), &token, &event, &terms).await;
/// assert_eq!(first, Ok(Claim::Acquired { fence: 1 }));
///
/// let second = store.claim(&Key::from_bytes([2; 32]), &token, &event, &terms).await;
/// assert_eq!(second, Err(StoreError::Full));
/// # }
/// ```
#[derive(Clone)]
pub struct MemoryStore(Arc<Inner>);

struct Inner {
    shards: [Mutex<Shard>; SHARDS],
    capacity: usize,
    used: AtomicUsize,
    /// The number of the next token.
    token: AtomicU64,
    start: Instant,
}

impl MemoryStore {
    /// A store with room for that many keys. With no room at all, every claim is refused with [`StoreError::Full`].
    ///
    /// # Security
    ///
    /// Choose more than all events that arrive within the retention: a full store refuses new events until old
    /// ones expire.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        let shards = std::array::from_fn(|_| Mutex::default());
        let (used, token, start) = (AtomicUsize::new(0), AtomicU64::new(0), Instant::now());
        Self(Arc::new(Inner { shards, capacity, used, token, start }))
    }

    /// How many keys are held, expired ones that were not cleared away yet among them.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.used.load(Ordering::Relaxed)
    }

    /// Whether no key is held.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Clears all expired keys away. Claims clear away a few each; a background job that calls this once a minute
    /// gives memory back sooner.
    pub fn sweep(&self) {
        for shard in &self.0.shards {
            while self.sweep_shard(&mut lock(shard), SWEPT_AT_ONCE) == SWEPT_AT_ONCE {}
        }
    }

    fn sweep_shard(&self, shard: &mut Shard, most: usize) -> usize {
        let swept = shard.sweep(self.now(), most);
        self.0.used.fetch_sub(swept, Ordering::Relaxed);
        swept
    }

    fn try_claim(
        &self,
        key: &Key,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mut shard = lock(self.shard(key));
        let now = self.now();
        if let Some(claim) = shard.change(key, now, |record| record.claim(token, fingerprint, terms, now)) {
            return Ok(claim);
        }
        if shard.remove(key) {
            self.0.used.fetch_sub(1, Ordering::Relaxed);
        }
        self.sweep_shard(&mut shard, SWEPT_BY_A_CLAIM);
        if !self.take_room() {
            return Err(StoreError::Full);
        }
        let record = Record::claimed(*token, *fingerprint, terms, now);
        let fence = record.fence();
        shard.insert(*key, record);
        Ok(Claim::Acquired { fence })
    }

    fn now(&self) -> Moment {
        Moment::after_start(self.0.start.elapsed())
    }

    fn take_room(&self) -> bool {
        let more = |used: usize| (used < self.0.capacity).then_some(used + 1);
        self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    /// Looks for room in every shard, one lock at a time. Where there is none, another thread may have made some.
    fn make_room(&self) {
        for shard in &self.0.shards {
            self.sweep_shard(&mut lock(shard), SWEPT_BY_A_CLAIM);
        }
    }

    fn held(&self, key: &Key, change: impl FnOnce(&mut Record, Moment) -> Held) -> Held {
        let mut shard = lock(self.shard(key));
        let now = self.now();
        shard.change(key, now, |record| change(record, now)).unwrap_or(Held::Lost(LostWhy::Gone))
    }

    fn shard(&self, key: &Key) -> &Mutex<Shard> {
        let at = usize::from(key.as_bytes()[31]) % SHARDS;
        self.0.shards.get(at).unwrap_or(&self.0.shards[0])
    }
}

impl fmt::Debug for MemoryStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemoryStore").field("len", &self.len()).field("capacity", &self.0.capacity).finish()
    }
}

impl DedupeStore for MemoryStore {
    /// Counted: a copy of this process has a copy of this store.
    fn token(&self, _: &dyn Entropy) -> Result<Token, NoEntropy> {
        let number = self.0.token.fetch_add(1, Ordering::Relaxed);
        Ok(Token::from_bytes(u128::from(number).to_be_bytes()))
    }

    async fn claim(
        &self,
        key: &Key,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        match self.try_claim(key, token, fingerprint, terms) {
            Err(StoreError::Full) => {
                self.make_room();
                self.try_claim(key, token, fingerprint, terms)
            }
            answer => answer,
        }
    }

    async fn renew(&self, key: &Key, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        Ok(self.held(key, |record, now| record.renew(token, lease, now)))
    }

    async fn complete(
        &self,
        key: &Key,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        // A slice would keep the whole buffer alive that it was cut from.
        let body = Bytes::copy_from_slice(response.body());
        let response = StoredResponse::new(response.status(), response.content_type().cloned(), body);
        Ok(self.held(key, |record, now| record.complete(token, &response, retention, now)))
    }

    async fn release(&self, key: &Key, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        Ok(self.held(key, |record, now| record.release(token, delay, now)))
    }
}

/// Records, and an index that has for each a time to look at it, no later than its end. Most ends move on once, when the
/// event is done; that is found out by looking.
#[derive(Default)]
struct Shard {
    records: HashMap<Key, Record>,
    looks: BinaryHeap<Reverse<(Moment, Key)>>,
}

impl Shard {
    /// Changes a live record.
    fn change<T>(&mut self, key: &Key, now: Moment, change: impl FnOnce(&mut Record) -> T) -> Option<T> {
        let record = self.records.get_mut(key).filter(|record| !record.is_expired(now))?;
        let before = record.expires();
        let answer = change(record);
        if record.expires() < before {
            self.looks.push(Reverse((record.expires(), *key)));
        }
        Some(answer)
    }

    fn insert(&mut self, key: Key, record: Record) {
        self.looks.push(Reverse((record.expires(), key)));
        self.records.insert(key, record);
    }

    fn remove(&mut self, key: &Key) -> bool {
        self.records.remove(key).is_some()
    }

    fn sweep(&mut self, now: Moment, most: usize) -> usize {
        let mut swept = 0;
        while swept < most
            && let Some(mut next) = self.looks.peek_mut()
            && let Reverse((look, key)) = *next
            && look <= now
        {
            match self.records.get(&key) {
                Some(record) if !record.is_expired(now) => *next = Reverse((record.expires(), key)),
                gone => {
                    swept += usize::from(gone.is_some());
                    self.records.remove(&key);
                    PeekMut::pop(next);
                }
            }
        }
        swept
    }
}

/// A panic while the lock was held leaves a shard as good as before: nothing in there calls foreign code.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(dead_code, reason = "where loom compiles this file once more, the test beside it is not")]
impl MemoryStore {
    /// How many entries the index of this key's shard has.
    pub(super) fn index_len(&self, key: &Key) -> usize {
        lock(self.shard(key)).looks.len()
    }
}
