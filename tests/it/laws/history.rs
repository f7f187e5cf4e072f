//! What callers of a store asked for and were told, and when.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{Claim, DedupeStore, Held, StoreError, StoredResponse, Terms, Token};

use super::model::{Answer, Call};
use super::stand::{claimed, held, number};

/// One call. Without an answer it may have taken effect at any time since, or never.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) call: Call,
    pub(crate) asked: Duration,
    pub(crate) told: Option<(Duration, Answer)>,
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.asked)?;
        match &self.told {
            Some((at, answer)) => write!(f, " to {at:?}: {:?} -> {answer:?}", self.call),
            None => write!(f, " on: {:?} -> unknown", self.call),
        }
    }
}

/// All calls, key by key. A clone is the same history.
#[derive(Clone, Debug)]
pub(crate) struct History {
    start: Instant,
    events: Arc<Mutex<Vec<(KeyHash, Event)>>>,
}

impl History {
    pub(crate) fn since(start: Instant) -> Self {
        Self { start, events: Arc::default() }
    }

    /// Joins histories that were kept apart, so that callers did not wait for each other's notes.
    pub(crate) fn joined(parts: impl IntoIterator<Item = Self>) -> Self {
        let mut parts = parts.into_iter();
        let whole = parts.next().expect("a part");
        for part in parts {
            assert_eq!(part.start, whole.start, "parts of one history count time alike");
            whole.events.lock().unwrap().append(&mut part.events.lock().unwrap());
        }
        whole
    }

    /// Notes a call that is about to be made; `tell` takes the number.
    pub(crate) fn ask(&self, key: KeyHash, call: Call) -> usize {
        let mut events = self.events.lock().unwrap();
        events.push((key, Event { call, asked: self.start.elapsed(), told: None }));
        events.len() - 1
    }

    /// Notes the answer. An error leaves open what happened.
    pub(crate) fn tell(&self, number: usize, answer: Result<Answer, StoreError>) {
        let at = self.start.elapsed();
        self.events.lock().unwrap()[number].1.told = answer.ok().map(|answer| (at, answer));
    }

    /// Notes a call that is over. For histories that are written down by hand.
    pub(crate) fn record(&self, key: KeyHash, event: Event) {
        self.events.lock().unwrap().push((key, event));
    }

    pub(crate) fn by_key(&self) -> BTreeMap<KeyHash, Vec<Event>> {
        let mut keys = BTreeMap::<KeyHash, Vec<Event>>::new();
        for (key, event) in &*self.events.lock().unwrap() {
            keys.entry(*key).or_default().push(event.clone());
        }
        keys
    }
}

/// A store whose every call is noted, also when its caller gives it up.
#[derive(Debug)]
pub(crate) struct Recorded<S> {
    pub(crate) store: S,
    pub(crate) history: History,
}

impl<S: DedupeStore> DedupeStore for Recorded<S> {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        event: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let (lease, retention, most) = (terms.lease, terms.retention, terms.max_attempts.map(u32::from));
        let (who, what) = (of(token), u128::from_be_bytes(*event.as_bytes()));
        let noted = self.history.ask(*key, Call::Claim { token: who, event: what, lease, retention, most });
        let answer = self.store.claim(key, token, event, terms).await;
        self.history.tell(noted, claimed(&answer));
        answer
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        let noted = self.history.ask(*key, Call::Renew { token: of(token), lease });
        let answer = self.store.renew(key, token, lease).await;
        self.history.tell(noted, held(answer.clone()));
        answer
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let (token_of, answer) = (of(token), number(response));
        let noted = self.history.ask(*key, Call::Complete { token: token_of, answer, retention });
        let answer = self.store.complete(key, token, response, retention).await;
        self.history.tell(noted, held(answer.clone()));
        answer
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        let noted = self.history.ask(*key, Call::Release { token: of(token), delay });
        let answer = self.store.release(key, token, delay).await;
        self.history.tell(noted, held(answer.clone()));
        answer
    }
}

fn of(token: &Token) -> u128 {
    u128::from_be_bytes(*token.as_bytes())
}
