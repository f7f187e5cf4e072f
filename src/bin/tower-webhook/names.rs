//! Whose the endpoints' names on a Redis server are: asked at the start, and before the first claim where the server was
//! away by then.

use std::fmt;
use std::sync::Once;

use tokio::sync::OnceCell;
use tower_webhook::config::Config;
use tower_webhook::idempotency::redis::EnrollError;
use tower_webhook::idempotency::{ReceiverIdentity, RedisStore, StoreError, StoreErrorKind};

use crate::lines;

pub(crate) struct Names {
    store: RedisStore,
    receivers: Vec<(String, ReceiverIdentity)>,
    enrolled: OnceCell<()>,
    /// Whether it was said that a name is another's.
    told: Once,
}

/// Names that are another's, a line for each endpoint.
#[derive(Debug)]
pub(crate) struct NamesTaken(Vec<String>);

/// Why endpoints are not enrolled.
pub(crate) enum NotEnrolled {
    Taken(NamesTaken),
    Store(StoreError),
}

impl Names {
    pub(crate) fn new(store: RedisStore, config: &Config) -> Self {
        let identity = |endpoint: &tower_webhook::config::Endpoint| endpoint.identity(&config.tenant);
        let receivers = config.endpoints.iter().map(|endpoint| (endpoint.path().to_owned(), identity(endpoint)));
        Self { store, receivers: receivers.collect(), enrolled: OnceCell::new(), told: Once::new() }
    }

    /// Says whose all names are, unless that was said.
    pub(crate) async fn enroll(&self) -> Result<(), NotEnrolled> {
        self.enrolled.get_or_try_init(|| self.try_enroll()).await.copied()
    }

    async fn try_enroll(&self) -> Result<(), NotEnrolled> {
        let mut taken = Vec::new();
        for (path, receiver) in &self.receivers {
            note(path, self.store.may_enroll(receiver).await, &mut taken)?;
        }
        let may_all = taken.is_empty();
        // A start that is refused leaves no name behind.
        for (path, receiver) in self.receivers.iter().filter(|_| may_all) {
            note(path, self.store.enroll(receiver).await, &mut taken)?;
        }
        if taken.is_empty() { Ok(()) } else { Err(NotEnrolled::Taken(NamesTaken(taken))) }
    }

    /// Before a claim. A name that is another's is not used until the program is started anew.
    pub(crate) async fn are_ours(&self) -> Result<(), StoreError> {
        match self.enroll().await {
            Ok(()) => Ok(()),
            Err(NotEnrolled::Store(error)) => Err(error),
            Err(NotEnrolled::Taken(taken)) => {
                self.told.call_once(|| lines::say(&taken));
                Err(StoreErrorKind::Misconfigured("a name on it is another receiver's: start anew").into())
            }
        }
    }
}

fn note(path: &str, said: Result<(), EnrollError>, taken: &mut Vec<String>) -> Result<(), NotEnrolled> {
    match said {
        Ok(()) => {}
        Err(EnrollError::Store(error)) => return Err(NotEnrolled::Store(error)),
        Err(error) => taken.push(format!("dedupe: endpoint {path:?}: {error}")),
    }
    Ok(())
}

impl fmt::Display for NamesTaken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join("\ntower-webhook: "))
    }
}

impl std::error::Error for NamesTaken {}
