//! The store itself.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use super::super::{Claim, DedupeStore, Held, StoreError, StoreErrorKind, StoredResponse, Terms, Token};
use super::client::Client;
use super::reply::Reply;
use super::script::Op;
use super::{record, response};
use crate::delivery::{Fingerprint, KeyHash};

/// A dedupe store in Redis or Valkey. See the [module](super) for what it promises, and with which settings.
///
/// A clone is the same store on the same connection, so one serves any number of receivers; their names keep their keys
/// apart.
///
/// ```no_run
/// use tower_webhook::idempotency::RedisStore;
/// use tower_webhook::provider::aella::{self, Aella};
/// use tower_webhook::provider::mambu::{self, Mambu};
/// use tower_webhook::{Received, Receiver};
///
/// # async fn build(aella: Aella, mambu: Mambu) -> Result<axum::Router, Box<dyn std::error::Error>> {
/// let store = RedisStore::connect("redis://127.0.0.1:6379").await?;
/// store.probe().await?.lenient()?;
///
/// let transfers = Receiver::new("aella-ng", aella).dedupe(store.clone());
/// let bookings = Receiver::new("mambu", mambu).dedupe(store);
/// let app = axum::Router::new()
///     .route_service("/aella", transfers.handle(|_: Received<aella::Event>| async {}))
///     .route_service("/mambu", bookings.handle(|_: Received<mambu::Event>| async {}));
/// # Ok(app) }
/// ```
#[derive(Clone)]
pub struct RedisStore {
    pub(super) client: Arc<Client>,
}

impl RedisStore {
    pub(super) fn new(client: Client) -> Self {
        Self { client: Arc::new(client) }
    }
}

fn held(reply: Reply) -> Result<Held, StoreError> {
    if let Reply::Held(held) = reply { Ok(held) } else { Err(StoreErrorKind::Corrupt.into()) }
}

impl DedupeStore for RedisStore {
    async fn claim(
        &self,
        key: &KeyHash,
        token: &Token,
        fingerprint: &Fingerprint,
        terms: &Terms,
    ) -> Result<Claim, StoreError> {
        let mark = &record::mark(key, fingerprint);
        match self.client.call(key, token, Op::Claim { mark, terms }).await? {
            Reply::Claim(claim) => Ok(claim),
            _ => Err(StoreErrorKind::Corrupt.into()),
        }
    }

    async fn renew(&self, key: &KeyHash, token: &Token, lease: Duration) -> Result<Held, StoreError> {
        held(self.client.call(key, token, Op::Renew { lease }).await?)
    }

    async fn complete(
        &self,
        key: &KeyHash,
        token: &Token,
        response: &StoredResponse,
        retention: Duration,
    ) -> Result<Held, StoreError> {
        let response = &response::encode(response);
        held(self.client.call(key, token, Op::Complete { response, retention }).await?)
    }

    async fn release(&self, key: &KeyHash, token: &Token, delay: Duration) -> Result<Held, StoreError> {
        held(self.client.call(key, token, Op::Release { delay }).await?)
    }
}

/// The address is not printed, since it may hold a password.
impl fmt::Debug for RedisStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisStore")
            .field("prefix", &self.client.prefix)
            .field("deadline", &self.client.deadline)
            .field("wait", &self.client.wait)
            .finish_non_exhaustive()
    }
}
