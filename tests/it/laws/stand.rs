//! How a store comes under the laws: where it runs, and the model's calls as calls of the store.

use std::fmt::Debug;
use std::time::Duration;

use bytes::Bytes;
use http::StatusCode;
use tokio::runtime::{Builder, Runtime};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    Claim, DedupeStore, Held, MemoryStore, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
};
use tower_webhook::testing::contract::Subject;

use super::model::{Answer, Call, Span};

/// A store under these tests. One that counts time by itself overrides [`runtime`](Stand::runtime) with a clock that
/// runs, and [`PAUSED`](Stand::PAUSED); its answers are judged by when they were asked for and came.
pub(crate) trait Stand: Subject + Clone + Debug + Default + 'static {
    /// The room of [`bounded`](Subject::bounded) stores. `None`: there are none.
    const ROOM: Option<usize> = None;
    /// Whether time stands still but for `pass`. Then the time of every call is exact.
    const PAUSED: bool = true;
    /// How far off the store's own clock may be, by rounding.
    const SLACK: Duration = Duration::ZERO;
    /// How many keys are asked for at once when its state machine is found out.
    const AT_ONCE: usize = 200;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().start_paused(true).build().expect("a runtime")
    }

    /// Clears away what has expired.
    fn tidy(_: &Self::Store) {}

    /// What must hold after each step.
    fn inspect(_: &Self::Store) {}

    /// What must hold when everything has expired.
    fn inspect_at_rest(_: &Self::Store) {}
}

/// The event that most calls are about.
pub(crate) const EVENT: u128 = 1;

#[derive(Clone, Debug, Default)]
pub(crate) struct Memory;

impl Subject for Memory {
    type Store = MemoryStore;

    async fn store(&self) -> MemoryStore {
        MemoryStore::new(1_000_000)
    }

    async fn bounded(&self, keys: usize) -> Option<MemoryStore> {
        Some(MemoryStore::new(keys))
    }
}

impl Stand for Memory {
    const ROOM: Option<usize> = Some(3);

    fn tidy(store: &MemoryStore) {
        store.sweep();
    }

    fn inspect(store: &MemoryStore) {
        assert!(store.len() <= 3, "{} keys where 3 have room", store.len());
    }

    fn inspect_at_rest(store: &MemoryStore) {
        store.sweep();
        assert!(store.is_empty(), "{} keys are never cleared away", store.len());
    }
}

/// The same in real time.
#[derive(Clone, Debug, Default)]
pub(crate) struct Unpaused;

impl Subject for Unpaused {
    type Store = MemoryStore;

    async fn store(&self) -> MemoryStore {
        Memory.store().await
    }

    async fn bounded(&self, keys: usize) -> Option<MemoryStore> {
        Memory.bounded(keys).await
    }

    fn tick(&self) -> Duration {
        Duration::from_micros(100)
    }
}

impl Stand for Unpaused {
    const ROOM: Option<usize> = Memory::ROOM;
    const PAUSED: bool = false;

    fn runtime() -> Runtime {
        Builder::new_current_thread().enable_all().build().expect("a runtime")
    }
}

/// Asks the store. An error other than "full" leaves open what happened.
pub(crate) async fn ask<S: DedupeStore>(store: &S, key: &KeyHash, call: &Call) -> Result<Answer, StoreError> {
    match *call {
        Call::Claim { token: who, event, lease, retention, most } => {
            let terms = Terms::new(retention).lease(lease);
            let terms = most.and_then(|most| most.try_into().ok()).map_or(terms, |most| terms.max_attempts(most));
            claimed(&store.claim(key, &token(who), &Fingerprint::of(&event.to_be_bytes()), &terms).await)
        }
        Call::Renew { token: who, lease } => held(store.renew(key, &token(who), lease).await),
        Call::Complete { token: who, answer, retention } => {
            held(store.complete(key, &token(who), &response(answer), retention).await)
        }
        Call::Release { token: who, delay } => held(store.release(key, &token(who), delay).await),
    }
}

pub(crate) fn claimed(claim: &Result<Claim, StoreError>) -> Result<Answer, StoreError> {
    Ok(match claim {
        Ok(Claim::Acquired { fence, other_payload: false }) => Answer::Acquired(*fence),
        Ok(Claim::Acquired { fence, other_payload: true }) => Answer::AcquiredOther(*fence),
        // The model does not tell a key that rests from one that is held.
        Ok(Claim::InFlight { retry_in } | Claim::Resting { retry_in }) => Answer::InFlight(Span::exactly(*retry_in)),
        Ok(Claim::Done { fence, response }) => Answer::Done(*fence, number(response)),
        Ok(Claim::Mismatch { state }) => Answer::Mismatch(*state),
        Ok(Claim::Poison { attempts }) => Answer::Poison(*attempts),
        Ok(other) => panic!("an answer that the model does not know: {other:?}"),
        Err(error) if error.kind() == StoreErrorKind::Full => Answer::Full,
        Err(error) => return Err(error.clone()),
    })
}

pub(crate) fn held(held: Result<Held, StoreError>) -> Result<Answer, StoreError> {
    Ok(match held? {
        Held::Ok => Answer::Held,
        Held::Lost(why) => Answer::Lost(why),
        other => panic!("an answer that the model does not know: {other:?}"),
    })
}

pub(crate) fn key(number: u64) -> KeyHash {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes[24..].copy_from_slice(&number.to_be_bytes());
    KeyHash::from_bytes(bytes)
}

fn token(number: u128) -> Token {
    Token::from_bytes(number.to_be_bytes())
}

pub(crate) fn response(number: u64) -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::copy_from_slice(&number.to_be_bytes()))
}

/// The number of a [`response`]; of any other, some number of its own.
pub(crate) fn number(of: &StoredResponse) -> u64 {
    let body = <[u8; 8]>::try_from(&of.body()[..]).map(u64::from_be_bytes);
    body.ok().filter(|number| *of == response(*number)).unwrap_or_else(|| {
        let seen = format!("{of:?}");
        seen.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
    })
}
