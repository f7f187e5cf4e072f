//! The dedupe store that the configuration names, as one type.

use std::sync::Arc;
use std::time::Duration;

use tower_webhook::MemoryStore;
use tower_webhook::clock::{Entropy, NoEntropy};
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::redis::Severity;
use tower_webhook::idempotency::{Claim, DedupeStore, Held, RedisStore, StoreError, StoredResponse, Terms, Token};

use crate::config::{Endpoint, Keys};
use crate::lines;
use crate::names::{Enrolled, NotEnrolled};

/// Memory or Redis.
#[derive(Clone)]
pub(crate) enum AnyStore {
    Memory(MemoryStore),
    Redis(Arc<Enrolled>),
}

impl AnyStore {
    /// Opens the store, tells on stderr what a Redis server may promise, and tells that server whose the names are.
    pub(crate) async fn open(keys: Keys, endpoints: &[Endpoint], tenant: &str) -> std::io::Result<Self> {
        match keys {
            Keys::Memory { capacity } => Ok(Self::Memory(MemoryStore::new(capacity))),
            Keys::Redis { store, strict } => {
                probe(&store, strict).await.map_err(std::io::Error::other)?;
                let names = Enrolled::new(*store, endpoints, tenant);
                enroll(&names, strict).await?;
                Ok(Self::Redis(Arc::new(names)))
            }
        }
    }
}

/// A server that cannot be reached is asked again before the first claim; strictly, it is not waited for.
async fn enroll(names: &Enrolled, strict: bool) -> std::io::Result<()> {
    let failed = |error| format!("dedupe: it is not known whose the names on the Redis server are: {error:#}");
    match names.enroll().await {
        Ok(()) => {}
        Err(NotEnrolled::Taken(taken)) => return Err(std::io::Error::other(taken)),
        Err(NotEnrolled::Store(error)) if strict => return Err(std::io::Error::other(failed(error))),
        Err(NotEnrolled::Store(error)) => lines::say(format_args!("warning: {}", failed(error))),
    }
    Ok(())
}

/// A server that cannot be reached may come back, and until then deliveries are answered 503; strictly, it may not.
async fn probe(store: &RedisStore, strict: bool) -> Result<(), String> {
    let report = match store.probe().await {
        Ok(report) => report,
        Err(error) if strict => return Err(format!("dedupe: the Redis server cannot be probed: {error:#}")),
        Err(error) => {
            lines::say(format_args!("warning: dedupe: the Redis server cannot be probed: {error:#}"));
            return Ok(());
        }
    };
    for finding in report.findings() {
        let severity = finding.severity;
        let word = if severity == Severity::Fine { "" } else { "warning: " };
        lines::say(format_args!("{word}dedupe: {}", finding.sentence));
    }
    let judged = if strict { report.strict() } else { report.lenient() };
    match judged {
        Ok(_) => Ok(()),
        Err(unfit) => Err(format!("dedupe: the Redis server is not fit: {:?}", unfit.report().worst())),
    }
}

impl DedupeStore for AnyStore {
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        match self {
            Self::Memory(store) => store.token(entropy),
            Self::Redis(names) => names.store().token(entropy),
        }
    }

    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        print: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        match self {
            Self::Memory(store) => store.claim(key, token, print, terms).await,
            Self::Redis(names) => names.for_claims().await?.claim(key, token, print, terms).await,
        }
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        match self {
            Self::Memory(store) => store.renew(key, token, lease).await,
            Self::Redis(names) => names.store().renew(key, token, lease).await,
        }
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        match self {
            Self::Memory(store) => store.complete(key, token, response, retention).await,
            Self::Redis(names) => names.store().complete(key, token, response, retention).await,
        }
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        match self {
            Self::Memory(store) => store.release(key, token, delay).await,
            Self::Redis(names) => names.store().release(key, token, delay).await,
        }
    }
}
