//! What handlers that write in the inbox's own database share, whatever it is: an event is read as they want it, and how its
//! transaction came out is a verdict.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use jiff::Timestamp;

use super::handler::{Handed, Verdict};
use super::store::{Ended, EventId, InboxError, LeaseToken};
use super::typed::decoded;
use crate::delivery::Received;
use crate::provider::Provider;

/// Whose lease it is that a transaction ends.
pub(super) type Lease = (EventId, LeaseToken, u64);

type Reading<E> = Pin<Box<dyn Future<Output = Result<E, Verdict>> + Send>>;

/// From a stored event to what an effect is handed.
pub(super) struct Read<E>(Arc<dyn Fn(Handed) -> Reading<E> + Send + Sync>);

impl Read<Handed> {
    /// As it was stored.
    pub(super) fn whole() -> Self {
        Self(Arc::new(|handed| Box::pin(async move { Ok(handed) })))
    }
}

impl<E: Send + 'static> Read<Received<E>> {
    /// As an event of this provider.
    pub(super) fn of<P: Provider<Event = E>>(provider: P) -> Self {
        let provider = Arc::new(provider);
        Self(Arc::new(move |handed| {
            let provider = Arc::clone(&provider);
            Box::pin(async move { decoded(&provider, handed).await })
        }))
    }
}

impl<E> Read<E> {
    /// What becomes of the event when this has been done with it.
    pub(super) async fn ended<T>(&self, handed: Handed, commit: impl FnOnce(Lease, Timestamp, E) -> T) -> Verdict
    where
        T: Future<Output = Result<Result<Ended, Verdict>, InboxError>>,
    {
        let (lease, clock) = ((handed.id, handed.token, handed.fence), handed.clock.clone());
        let event = match (self.0)(handed).await {
            Ok(event) => event,
            Err(verdict) => return verdict,
        };
        let Some(now) = clock.0.now() else { return Verdict::retry("the clock failed") };
        match commit(lease, now, event).await {
            Ok(Ok(ended)) => Verdict::Ended(ended),
            Ok(Err(verdict)) => verdict,
            // Where it was committed all the same, the retry finds the lease ended, and changes nothing.
            Err(error) => Verdict::retry(error.to_string()),
        }
    }
}

/// Nothing but what is done is committed.
pub(super) fn if_done(verdict: Verdict) -> Result<(), Verdict> {
    match verdict {
        Verdict::Done => Ok(()),
        verdict => Err(verdict),
    }
}
