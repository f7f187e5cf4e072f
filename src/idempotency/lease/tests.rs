//! A store that follows a script, and what is asked of it.

mod claiming;
mod holding;
mod settling;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock};

use bytes::Bytes;
use http::StatusCode;

use super::super::store::memory::MemoryStore;
use super::super::store::{Held, LostReason, Terms};
use super::super::without_dedupe::WithoutDedupe;
use super::hold::PANIC_DELAY;
use super::settle::ASKING_LEASE;
use super::*;
use crate::clock::{Entropy, NoEntropy};
use crate::observe::Reporter;
use crate::provider::Acknowledgement;

const LEASE: Duration = Duration::from_secs(30);
const RETENTION: Duration = Duration::from_secs(7 * 24 * 60 * 60);
const LOST: Held = Held::Lost(LostReason::Taken(RecordState::Pending));
const DOWN: StoreError = StoreError::new(StoreErrorKind::Unavailable);

/// What was asked of the store, when (in milliseconds since the first call), and with which token.
#[derive(Clone, Debug, PartialEq)]
struct Asked {
    at: u128,
    what: &'static str,
    token: u8,
    time: Duration,
}

enum Says<T> {
    /// At once.
    Now(T),
    /// After this time.
    Late(Duration, T),
    Never,
}

/// Answers by script, and as a sound store would when the script is at its end. Writes down what it was asked.
struct Scripted {
    first: OnceLock<Instant>,
    asked: Mutex<Vec<Asked>>,
    claims: Mutex<VecDeque<Says<Result<Claim, StoreError>>>>,
    renewals: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
    completions: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
    releases: Mutex<VecDeque<Says<Result<Held, StoreError>>>>,
}

impl Scripted {
    fn new() -> Self {
        Self {
            first: OnceLock::new(),
            asked: Mutex::default(),
            claims: Mutex::default(),
            renewals: Mutex::default(),
            completions: Mutex::default(),
            releases: Mutex::default(),
        }
    }

    fn claims(self, says: impl IntoIterator<Item = Says<Result<Claim, StoreError>>>) -> Self {
        self.claims.lock().unwrap().extend(says);
        self
    }

    fn renewals(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.renewals.lock().unwrap().extend(says);
        self
    }

    fn completions(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.completions.lock().unwrap().extend(says);
        self
    }

    fn releases(self, says: impl IntoIterator<Item = Says<Result<Held, StoreError>>>) -> Self {
        self.releases.lock().unwrap().extend(says);
        self
    }

    async fn say<T>(
        &self,
        asked: (&'static str, &Token, Duration),
        script: &Mutex<VecDeque<Says<Result<T, StoreError>>>>,
        otherwise: T,
    ) -> Result<T, StoreError> {
        let (what, token, time) = asked;
        let at = self.elapsed().as_millis();
        self.asked.lock().unwrap().push(Asked { at, what, token: token.as_bytes()[0], time });
        let says = script.lock().unwrap().pop_front();
        match says {
            None => Ok(otherwise),
            Some(Says::Now(answer)) => answer,
            Some(Says::Late(time, answer)) => {
                sleep(time).await;
                answer
            }
            Some(Says::Never) => std::future::pending().await,
        }
    }

    /// Since the first call.
    fn elapsed(&self) -> Duration {
        self.first.get_or_init(Instant::now).elapsed()
    }

    fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }

    /// What was asked, and when, without tokens and times.
    fn order(&self) -> Vec<(u128, &'static str)> {
        self.asked().into_iter().map(|asked| (asked.at, asked.what)).collect()
    }
}

impl DedupeStore for Scripted {
    async fn claim(&self, _: &KeyHash, token: &Token, _: &Fingerprint, terms: &Terms) -> Result<Claim, StoreError> {
        self.say(("claim", token, terms.lease), &self.claims, Claim::Acquired { fence: 7, other_payload: false }).await
    }

    async fn renew(&self, _: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        self.say(("renew", token, lease), &self.renewals, Held::Ok).await
    }

    async fn complete(
        &self,
        _: &KeyHash,
        token: &Token,
        r: &StoredResponse,
        keep: Duration,
    ) -> Result<Held, StoreError> {
        assert_eq!(*r, answer(1));
        self.say(("complete", token, keep), &self.completions, Held::Ok).await
    }

    async fn release(&self, _: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        self.say(("release", token, delay), &self.releases, Held::Ok).await
    }
}

/// The first token is all ones, the next all twos.
fn counting() -> impl Entropy {
    let count = AtomicU32::new(0);
    move |out: &mut [u8]| {
        out.fill(u8::try_from(count.fetch_add(1, Ordering::Relaxed) + 1).unwrap());
        Ok(())
    }
}

fn claims<S: DedupeStore>(store: &Arc<S>) -> Claims<S> {
    claims_with(store, |settings| settings)
}

fn claims_with<S: DedupeStore>(store: &Arc<S>, change: impl FnOnce(Settings) -> Settings) -> Claims<S> {
    let settings = change(Settings::new(RETENTION).entropy(counting()));
    Claims::new(Arc::clone(store), settings, Drain::new())
}

fn remember(number: u8) -> Option<Box<Acknowledgement>> {
    let body = Bytes::copy_from_slice(&[number]);
    Some(Box::new(Acknowledgement { status: StatusCode::OK, content_type: None, body }))
}

fn reporter() -> Reporter {
    Reporter::new("test".into(), "test")
}

fn answer(number: u8) -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::copy_from_slice(&[number]))
}

fn done() -> Handled<&'static str> {
    Handled::Done { answer: "ran", remember: remember(1) }
}

async fn run_for<S: DedupeStore>(claims: &Claims<S>, seconds: u64) -> Settled<&'static str> {
    run(claims, |_| async move {
        sleep(Duration::from_secs(seconds)).await;
        done()
    })
    .await
}

async fn run<S, F, Fut>(claims: &Claims<S>, work: F) -> Settled<&'static str>
where
    S: DedupeStore,
    F: FnOnce(Grant) -> Fut,
    Fut: Future<Output = Handled<&'static str>>,
{
    let scope = Scope { reporter: &reporter(), key_id: None, proved_at: None, traced: None };
    claims.run(&KeyHash::from_bytes([5; 32]), &Fingerprint::of(b"event"), &scope, work).await
}

async fn never_runs(_: Grant) -> Handled<&'static str> {
    panic!("the work must not run")
}

#[track_caller]
fn assert_refused(settled: Settled<&'static str>, kind: RejectionKind, case: &str) -> Option<u64> {
    let Settled::Refused(rejection) = settled else { panic!("{case}: {settled:?}") };
    assert_eq!(rejection.kind(), kind, "{case}");
    rejection.retry_after().map(|after| after.as_secs())
}
