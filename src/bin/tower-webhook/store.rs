//! The dedupe store that the configuration names: probed at the start, and no claim before the names on it are ours.

use std::sync::Arc;
use std::time::Duration;

use tower_webhook::clock::{Entropy, NoEntropy};
use tower_webhook::config::Config;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::redis::Severity;
use tower_webhook::idempotency::{
    AnyStore, Claim, DedupeStore, Held, RedisStore, StoreError, StoredResponse, Terms, Token,
};

use crate::lines;
use crate::names::{Names, NotEnrolled};

/// The store, and whose the names on it are, where others use it too.
#[derive(Clone)]
pub(crate) struct OwnStore {
    store: AnyStore,
    names: Option<Arc<Names>>,
}

impl OwnStore {
    /// Opens the store, tells on stderr what a Redis server may promise, and tells that server whose the names are.
    pub(crate) async fn open(config: &Config) -> std::io::Result<Self> {
        let (store, strict) = (config.dedupe.store.clone(), config.dedupe.strict);
        let AnyStore::Redis(redis) = &store else { return Ok(Self { store, names: None }) };
        probe(redis, strict).await.map_err(std::io::Error::other)?;
        let names = Names::new(redis.clone(), config);
        enroll(&names, strict).await?;
        Ok(Self { store, names: Some(Arc::new(names)) })
    }
}

impl OwnStore {
    /// The same store, for the endpoints of another reading of the file.
    pub(crate) async fn renamed(&self, config: &Config) -> std::io::Result<Self> {
        let store = self.store.clone();
        let AnyStore::Redis(redis) = &store else { return Ok(Self { store, names: None }) };
        let names = Names::new(redis.clone(), config);
        enroll(&names, config.dedupe.strict).await?;
        Ok(Self { store, names: Some(Arc::new(names)) })
    }
}

/// A server that cannot be reached is asked again before the first claim; strictly, it is not waited for.
async fn enroll(names: &Names, strict: bool) -> std::io::Result<()> {
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
        Err(unfit) => {
            let worst = unfit.report().worst();
            let all = unfit.report().findings().iter().filter(|finding| finding.severity == worst);
            let said: Vec<&str> = all.map(|finding| finding.sentence.as_str()).collect();
            Err(format!("dedupe: the Redis server is not fit: {}", said.join("; ")))
        }
    }
}

impl DedupeStore for OwnStore {
    fn token(&self, entropy: &dyn Entropy) -> Result<Token, NoEntropy> {
        self.store.token(entropy)
    }

    fn forgets_at_exit(&self) -> bool {
        self.store.forgets_at_exit()
    }

    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        print: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        if let Some(names) = &self.names {
            names.are_ours().await?;
        }
        self.store.claim(key, token, print, terms).await
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
