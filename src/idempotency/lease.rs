//! stub
use super::{Fingerprint, Key, StoredResponse, Terms, store::DedupeStore};
use crate::clock::Entropy;
use crate::error::Rejection;
use std::future::Future;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;
use tokio_util::sync::CancellationToken;
pub(crate) struct Claims<S> {
    store: Arc<S>,
    terms: Terms,
    entropy: Arc<dyn Entropy>,
    in_flight_wait: Duration,
}
pub(crate) struct Grant {
    pub(crate) fence: Option<NonZeroU64>,
    pub(crate) lost: CancellationToken,
}
pub(crate) enum Work<T> {
    Done { answer: T, remember: StoredResponse },
    NotDone { answer: T, delay: Duration },
}
pub(crate) enum Settled<T> {
    Ran(T),
    Replayed(StoredResponse),
    Refused(Rejection),
}
impl<S: DedupeStore> Claims<S> {
    pub(crate) fn new(store: Arc<S>, terms: Terms, entropy: Arc<dyn Entropy>, in_flight_wait: Duration) -> Self {
        Self { store, terms, entropy, in_flight_wait }
    }
    pub(crate) async fn run<T: Send, F, Fut>(&self, key: &Key, fingerprint: &Fingerprint, work: F) -> Settled<T>
    where
        F: FnOnce(Grant) -> Fut + Send,
        Fut: Future<Output = Work<T>> + Send,
    {
        match work(Grant { fence: None, lost: CancellationToken::new() }).await {
            Work::Done { answer, .. } | Work::NotDone { answer, .. } => Settled::Ran(answer),
        }
    }
}
/// stub
#[derive(Debug)]
pub struct Unclaimed;
impl DedupeStore for Unclaimed {
    async fn claim(
        &self,
        _: &Key,
        _: &super::Token,
        _: &Fingerprint,
        _: &Terms,
    ) -> Result<super::Claim, super::StoreError> {
        Err(super::StoreError::Full)
    }
    async fn renew(&self, _: &Key, _: &super::Token, _: Duration) -> Result<super::Held, super::StoreError> {
        Err(super::StoreError::Full)
    }
    async fn complete(
        &self,
        _: &Key,
        _: &super::Token,
        _: &StoredResponse,
        _: Duration,
    ) -> Result<super::Held, super::StoreError> {
        Err(super::StoreError::Full)
    }
    async fn release(&self, _: &Key, _: &super::Token, _: Duration) -> Result<super::Held, super::StoreError> {
        Err(super::StoreError::Full)
    }
}
