//! A store in memory: bounded, and never forgetful of a live key.

mod looks;
mod record;
mod row;
mod shard;
mod slab;

use std::fmt;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use self::record::{Moment, Record};
use self::shard::Shard;
use super::{Claim, DedupeStore, Held, LostReason, StoreError, StoreErrorKind, StoredResponse, Terms, Token};
use crate::clock::{Entropy, NoEntropy};
use crate::delivery::{Fingerprint, KeyHash};

/// Parts of the store, each under a lock of its own: more than most machines have threads to wait for
/// each other, and few enough to look at all of them.
const SHARDS: usize = 64;
/// How many expired records a claim clears away at most, in each shard that it looks at. More than one, so that a store that is
/// used never falls behind; few, so that no claim waits for a sweep.
const SWEPT_BY_A_CLAIM: usize = 8;

/// Keys in this process's memory, at most `capacity` of them. A clone is the same store.
///
/// What it promises: one process, and lost at its exit. After a restart, a sender's repeat of an event that was
/// handled before it is handled again; where that matters, use a store that outlives the process.
///
/// The bound counts keys over the whole store. A live key is never evicted: a new one that finds no room, not even after
/// expired ones were cleared away, is refused with [`StoreErrorKind::Full`], while known keys are still answered.
///
/// An event that is done takes 55 to 62 bytes, and one that is only claimed 32 more. A response that is not an empty 200
/// takes some 170 and its body, at most [`StoredResponse::MAX_BODY`]. So few bytes hold all of the event's fingerprint,
/// and of its key and its token enough:
///
/// - Keys are told apart by their last 16 bytes. That two of ten million hashes agree there has a chance of 1 in 10²⁴, and
///   shows as another payload, such as [`Claim::Mismatch`], where the events differ in what identifies them. Whoever makes
///   keys by other means than [`Namespace::key`](crate::delivery::Namespace::key) must let them differ there.
/// - A claim is held by a whole token. Once the event is done, 48 bits of it tell whether a late
///   [`complete`](DedupeStore::complete) comes from the one who did it. The answer depends on that, and nothing else.
///
/// ```
/// use std::time::Duration;
///
/// use tower_webhook::delivery::{Fingerprint, KeyHash};
/// use tower_webhook::idempotency::{Claim, DedupeStore, MemoryStore, StoreErrorKind, Terms, Token};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() {
/// let store = MemoryStore::new(1);
/// let (token, event) = (Token::from_bytes([1; 16]), Fingerprint::of(b"event"));
/// let terms = Terms::new(Duration::from_secs(7 * 24 * 60 * 60));
///
/// let first = store.claim(&KeyHash::from_bytes([1; 32]), &token, &event, &terms).await;
/// assert_eq!(first, Ok(Claim::Acquired { fence: 1, other_payload: false }));
///
/// let second = store.claim(&KeyHash::from_bytes([2; 32]), &token, &event, &terms).await;
/// assert_eq!(second, Err(StoreErrorKind::Full.into()));
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
    /// A store with room for that many keys. With no room at all, every claim is refused with [`StoreErrorKind::Full`].
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
    /// makes room sooner. The room is used again for other keys, and not given back before the store is dropped.
    pub fn sweep(&self) {
        for shard in &self.0.shards {
            self.clear(shard, usize::MAX);
        }
    }

    /// Clears so many expired keys away, where there are as many. The lock is given up now and then.
    fn clear(&self, shard: &Mutex<Shard>, most: usize) {
        let mut swept = 0;
        while swept < most {
            let mut shard = lock(shard);
            let now = self.now();
            swept += self.sweep_shard(&mut shard, now, most - swept);
            if !shard.is_due(now) {
                return;
            }
        }
    }

    fn sweep_shard(&self, shard: &mut Shard, now: Moment, most: usize) -> usize {
        let swept = shard.sweep(now, most);
        self.give_back(swept);
        swept
    }

    /// `None`: there is no room.
    fn try_claim(&self, key: &KeyHash, token: &Token, fingerprint: &Fingerprint, terms: &Terms) -> Option<Claim> {
        let mut shard = lock(self.shard(key));
        let now = self.now();
        if let Some(row) = shard.find(key) {
            if let Some(claim) = shard.change(row, now, |record| record.claim(token, fingerprint, terms, now)) {
                return Some(claim);
            }
            shard.remove(row);
            self.give_back(1);
        }
        self.sweep_shard(&mut shard, now, SWEPT_BY_A_CLAIM);
        if !self.take_room() {
            return None;
        }
        if shard.insert(key, Record::claimed(*token, *fingerprint, terms, now)).is_none() {
            self.give_back(1);
            return None;
        }
        Some(Claim::Acquired { fence: 1, other_payload: false })
    }

    fn now(&self) -> Moment {
        Moment::after_start(self.0.start.elapsed())
    }

    fn take_room(&self) -> bool {
        let more = |used: usize| (used < self.0.capacity).then_some(used + 1);
        self.0.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, more).is_ok()
    }

    fn give_back(&self, rooms: usize) {
        if rooms > 0 {
            self.0.used.fetch_sub(rooms, Ordering::Relaxed);
        }
    }

    /// Looks for room in every shard, one lock at a time. Where there is none, another thread may have made some.
    fn make_room(&self) {
        for shard in &self.0.shards {
            self.clear(shard, SWEPT_BY_A_CLAIM);
        }
    }

    fn held(&self, key: &KeyHash, change: impl FnOnce(&mut Record, Moment) -> Held) -> Held {
        let mut shard = lock(self.shard(key));
        let now = self.now();
        let held = shard.find(key).and_then(|row| shard.change(row, now, |record| change(record, now)));
        held.unwrap_or(Held::Lost(LostReason::Gone))
    }

    fn shard(&self, key: &KeyHash) -> &Mutex<Shard> {
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

    fn forgets_at_exit(&self) -> bool {
        true
    }

    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        if let Some(claim) = self.try_claim(key, token, fingerprint, terms) {
            return Ok(claim);
        }
        self.make_room();
        self.try_claim(key, token, fingerprint, terms).ok_or(StoreErrorKind::Full.into())
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        Ok(self.held(key, |record, now| record.renew(token, lease, now)))
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let response = detached(response);
        Ok(self.held(key, |record, now| record.complete(token, &response, retention, now)))
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        Ok(self.held(key, |record, now| record.release(token, delay, now)))
    }
}

/// With a body of its own: a slice, even an empty one, would keep the whole buffer alive that it was cut from.
fn detached(response: &StoredResponse) -> StoredResponse {
    if *response == StoredResponse::default() {
        return response.clone();
    }
    let body = Bytes::copy_from_slice(response.body());
    StoredResponse::new(response.status(), response.content_type().cloned(), body)
}

/// A panic while the lock was held leaves a shard as good as before: nothing in there calls foreign code.
fn lock(shard: &Mutex<Shard>) -> MutexGuard<'_, Shard> {
    shard.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
#[allow(dead_code, reason = "where loom compiles this file once more, the test beside it is not")]
impl MemoryStore {
    /// How many places for rows and for states there are where a key belongs, free ones among them.
    pub(super) fn places(&self, key: &KeyHash) -> [usize; 2] {
        lock(self.shard(key)).places()
    }

    /// How many of them are taken, and how many rows are in the index.
    pub(super) fn taken(&self, key: &KeyHash) -> [usize; 3] {
        lock(self.shard(key)).taken()
    }
}
