//! What the laws are written in: calls that say what they expect, and panic when it is not so.

use std::fmt;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderValue, StatusCode};
use tokio::task::JoinSet;

use super::law::Law;
use super::subject::Subject;
use crate::delivery::{Fingerprint, KeyHash, until};
use crate::idempotency::{Claim, DedupeStore, Held, RecordState, StoreError, StoredResponse, Terms, Token};

/// One store, one key, and how it is claimed.
pub(super) struct Probe<'a, B: Subject> {
    law: Law,
    pub(super) subject: &'a B,
    pub(super) store: Arc<B::Store>,
    pub(super) key: KeyHash,
    pub(super) fingerprint: Fingerprint,
    pub(super) terms: Terms,
}

/// A call that needs the claim.
#[derive(Clone, Copy, Debug)]
pub(super) enum Call {
    Renew(Duration),
    /// With [`answer`] of this number.
    Complete(u8),
    Release(Duration),
}

impl<'a, B: Subject> Probe<'a, B> {
    pub(super) fn new(law: Law, subject: &'a B, store: B::Store) -> Self {
        let terms = Terms::new(subject.tick() * 20).lease(subject.tick() * 4);
        let fingerprint = Fingerprint::of(b"the event");
        Self { law, subject, store: Arc::new(store), key: key(0), fingerprint, terms }
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let store = Arc::clone(&self.store);
        let mut other = Self { store, ..*self };
        change(&mut other);
        other
    }

    pub(super) fn on_key(&self, number: u64) -> Self {
        self.with(|other| other.key = key(number))
    }

    pub(super) fn on_store(&self, store: B::Store) -> Self {
        self.with(|other| other.store = Arc::new(store))
    }

    pub(super) fn as_another_event(&self) -> Self {
        self.with(|other| other.fingerprint = Fingerprint::of(b"another event"))
    }

    pub(super) fn on_terms(&self, terms: Terms) -> Self {
        self.with(|other| other.terms = terms)
    }

    pub(super) fn ticks(&self, ticks: u32) -> Duration {
        self.subject.tick() * ticks
    }

    pub(super) async fn pass(&self, ticks: u32) {
        self.subject.pass(self.ticks(ticks)).await;
    }

    #[allow(clippy::panic, reason = "this is a test: a broken law is a panic")]
    fn broken(&self, case: &str, got: &dyn fmt::Debug) -> ! {
        panic!("{} is broken: {case}, but got {got:?}", self.law)
    }

    pub(super) fn expect(&self, holds: bool, case: &str, got: &dyn fmt::Debug) {
        if !holds {
            self.broken(case, got);
        }
    }

    fn answered<T>(&self, answer: Result<T, StoreError>, case: &str) -> T {
        answer.unwrap_or_else(|error| self.broken(&format!("{case}: the store answers"), &error))
    }

    pub(super) async fn try_claim(&self, token: Token) -> Result<Claim, StoreError> {
        self.store.claim(&self.key, &token, &self.fingerprint, &self.terms).await
    }

    pub(super) async fn claim(&self, token: Token, case: &str) -> Claim {
        self.answered(self.try_claim(token).await, case)
    }

    pub(super) async fn acquires(&self, token: Token, case: &str) -> u64 {
        match self.claim(token, case).await {
            Claim::Acquired { fence, other_payload: false } => fence,
            other => self.broken(&format!("{case}: Acquired, with the payload that is known"), &other),
        }
    }

    pub(super) async fn acquires_with_another_payload(&self, token: Token, case: &str) -> u64 {
        match self.claim(token, case).await {
            Claim::Acquired { fence, other_payload: true } => fence,
            other => self.broken(&format!("{case}: Acquired, with another payload"), &other),
        }
    }

    pub(super) async fn waits(&self, token: Token, case: &str) -> Duration {
        match self.claim(token, case).await {
            Claim::InFlight { retry_in } => retry_in,
            other => self.broken(&format!("{case}: InFlight"), &other),
        }
    }

    /// A store need not tell a key that rests from one that is held.
    pub(super) async fn rests(&self, token: Token, case: &str) -> Duration {
        match self.claim(token, case).await {
            Claim::InFlight { retry_in } | Claim::Resting { retry_in } => retry_in,
            other => self.broken(&format!("{case}: Resting, or InFlight"), &other),
        }
    }

    pub(super) async fn replays(&self, token: Token, number: u8, case: &str) -> u64 {
        match self.claim(token, case).await {
            Claim::Done { fence, response } if response == answer(number) => fence,
            other => self.broken(&format!("{case}: Done with answer {number}"), &other),
        }
    }

    pub(super) async fn mismatches(&self, token: Token, case: &str) {
        let claim = self.claim(token, case).await;
        let expected = Claim::Mismatch { state: RecordState::Done };
        self.expect(claim == expected, &format!("{case}: Mismatch, Done"), &claim);
    }

    pub(super) async fn is_poisoned(&self, token: Token, attempts: u64, case: &str) {
        let claim = self.claim(token, case).await;
        self.expect(claim == Claim::Poison { attempts }, &format!("{case}: Poison after {attempts}"), &claim);
    }

    pub(super) async fn call(&self, token: Token, call: Call, case: &str) -> Held {
        let answer = run(&*self.store, self.key, token, call, self.terms.retention).await;
        self.answered(answer, case)
    }

    pub(super) async fn holds(&self, token: Token, call: Call, case: &str) {
        let held = self.call(token, call, case).await;
        self.expect(held == Held::Ok, &format!("{case}: {call:?} is Ok"), &held);
    }

    pub(super) async fn loses(&self, token: Token, call: Call, case: &str) {
        let held = self.call(token, call, case).await;
        self.expect(matches!(held, Held::Lost(_)), &format!("{case}: {call:?} is Lost"), &held);
    }

    /// No call with this token finds a claim.
    pub(super) async fn has_nothing(&self, token: Token, case: &str) {
        for call in [Call::Renew(self.ticks(100)), Call::Complete(9), Call::Release(Duration::ZERO)] {
            self.loses(token, call, case).await;
        }
    }

    /// All claim at once, each in a task of its own.
    pub(super) async fn race(&self, tokens: impl Iterator<Item = Token>, case: &str) -> Vec<Claim> {
        let mut tasks = JoinSet::new();
        for token in tokens {
            let (store, key, fingerprint, terms) = (Arc::clone(&self.store), self.key, self.fingerprint, self.terms);
            tasks.spawn(async move { store.claim(&key, &token, &fingerprint, &terms).await });
        }
        tasks.join_all().await.into_iter().map(|answer| self.answered(answer, case)).collect()
    }

    /// All call at once, each in a task of its own.
    pub(super) async fn race_calls(
        &self,
        calls: impl Iterator<Item = (Token, Call)>,
        case: &str,
    ) -> Vec<(Token, Held)> {
        let mut tasks = JoinSet::new();
        for (token, call) in calls {
            let (store, key, retention) = (Arc::clone(&self.store), self.key, self.terms.retention);
            tasks.spawn(async move { (token, run(&*store, key, token, call, retention).await) });
        }
        let answers = tasks.join_all().await;
        answers.into_iter().map(|(token, answer)| (token, self.answered(answer, case))).collect()
    }
}

pub(super) async fn run<S: DedupeStore>(
    store: &S,
    key: KeyHash,
    token: Token,
    call: Call,
    retention: Duration,
) -> Result<Held, StoreError> {
    match call {
        Call::Renew(lease) => store.renew(&key, &token, lease).await,
        Call::Complete(number) => store.complete(&key, &token, &answer(number), retention).await,
        Call::Release(delay) => store.release(&key, &token, delay).await,
    }
}

/// Begins a call and drops it after some waits: its caller never learns what became of it.
pub(super) async fn give_up_on<F: Future>(call: F, waits: u32) {
    let patience = async {
        for _ in 0..waits {
            tokio::task::yield_now().await;
        }
    };
    until(pin!(call), pin!(patience)).await;
}

pub(super) fn token(number: u8) -> Token {
    Token::from_bytes([number; 16])
}

fn key(number: u64) -> KeyHash {
    let mut bytes = [0xA5; 32];
    for (to, from) in bytes.iter_mut().rev().zip(number.to_le_bytes()) {
        *to = from;
    }
    KeyHash::from_bytes(bytes)
}

fn answer(number: u8) -> StoredResponse {
    let body = Bytes::copy_from_slice(&[b'#', number]);
    StoredResponse::new(StatusCode::ACCEPTED, Some(HeaderValue::from_static("application/json")), body)
}
