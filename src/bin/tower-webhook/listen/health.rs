//! Whether deliveries can be taken: what `/ready` says.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::Mutex;
use tokio::time::{Instant, timeout};
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{Claim, DedupeStore as _, StoreError, StoreErrorKind, Terms, Token};
use tower_webhook::inbox::{AnyInbox, InboxError, InboxErrorKind};

use super::opening::Intake;
use super::serving::Serving;
use crate::store::OwnStore;

/// An answer holds for so long, whoever asks and however often.
const FRESH: Duration = Duration::from_secs(1);
/// What takes longer promises nothing.
const PATIENCE: Duration = Duration::from_secs(2);
/// A claim that nobody releases is over soon.
const CLAIM: Duration = Duration::from_secs(5);

/// Asks the store or the inbox, one at a time.
pub(super) struct Health {
    serving: Arc<Serving>,
    drains: AtomicBool,
    last: Mutex<Option<(Instant, Answer)>>,
}

/// `Err`: why not, in words that anybody may read.
type Answer = Result<(), String>;

impl Health {
    pub(super) fn of(serving: Arc<Serving>) -> Self {
        Self { serving, drains: AtomicBool::new(false), last: Mutex::default() }
    }

    pub(super) fn intake(&self) -> &Intake {
        &self.serving.ground.intake
    }

    /// From now on it is not ready.
    pub(super) fn drain(&self) {
        self.drains.store(true, Ordering::Release);
    }

    pub(super) async fn ready(&self) -> Answer {
        self.takes_any()?;
        let answer = self.asked().await;
        // A drain may have begun meanwhile.
        self.takes_any().and(answer)
    }

    fn takes_any(&self) -> Answer {
        if self.drains.load(Ordering::Acquire) {
            return Err("draining".to_owned());
        }
        if self.serving.handles_nothing() { Err("stdout is gone".to_owned()) } else { Ok(()) }
    }

    /// Who comes while another asks hears the same.
    async fn asked(&self) -> Answer {
        let mut last = self.last.lock().await;
        if let Some((at, answer)) = &*last
            && at.elapsed() < FRESH
        {
            return answer.clone();
        }
        let late = |_| Err("the store does not answer in time".to_owned());
        let answer = timeout(PATIENCE, ask(self.intake())).await.unwrap_or_else(late);
        *last = Some((Instant::now(), answer.clone()));
        answer
    }
}

/// Kinds alone: what caused them is for stderr. Boxed, since a store's future is deep.
fn ask(intake: &Intake) -> Pin<Box<dyn Future<Output = Answer> + Send + '_>> {
    let of_store = |error: StoreError| format!("dedupe: {}", StoreError::new(error.kind()));
    let of_inbox = |error: InboxError| format!("inbox: {}", InboxError::new(error.kind()));
    match intake {
        Intake::Claimed(store) => Box::pin(async move { claim(store).await.map_err(of_store) }),
        Intake::Kept(inbox) => Box::pin(async move { check(inbox).await.map_err(of_inbox) }),
    }
}

/// A claim on a key that no event has, given back at once.
async fn claim(store: &OwnStore) -> Result<(), StoreError> {
    let random =
        || Token::new(&OsEntropy).map_err(|error| StoreError::new(StoreErrorKind::Unavailable).caused_by(error));
    let (token, half) = (random()?, random()?);
    let mut bytes = [0; 32];
    for (byte, random) in bytes.iter_mut().zip(half.as_bytes()) {
        *byte = *random;
    }
    let (key, terms) = (KeyHash::from_bytes(bytes), Terms::new(CLAIM).lease(CLAIM));
    match store.claim(&key, &token, &Fingerprint::from_bytes([0; 16]), &terms).await? {
        Claim::Acquired { .. } => store.release(&key, &token, Duration::ZERO).await.map(drop),
        _ => Err(StoreError::new(StoreErrorKind::Unavailable)),
    }
}

async fn check(inbox: &AnyInbox) -> Result<(), InboxError> {
    // Without the time nothing is stored.
    SystemClock.now().ok_or_else(|| InboxError::new(InboxErrorKind::Unavailable))?;
    inbox.check().await
}
