//! [`Typed`]: a handler of one provider's typed events, and [`Routes`] to several.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};

use super::handler::{Handed, InboxHandler, IntoVerdict, Verdict};
use crate::delivery::{Kept, Received};
use crate::gate::offload;
use crate::provider::{EventKey, Provider};

/// Decodes stored events with their provider, and hands each over as [`Received`].
///
/// Key, name and tenant are those that were stored. Of the request `content-type`, `traceparent` and `tracestate` were kept, and
/// nothing else: no other header, and no address;
/// [`Verified::at`](crate::gate::Verified::at) is when the event was leased. An event that cannot be decoded any more is a
/// dead letter.
pub struct Typed<P, F> {
    provider: Arc<P>,
    handler: F,
}

impl<P: Provider, F> Typed<P, F> {
    /// This handler of this provider's events. The provider decodes alone; its keys prove nothing here.
    #[must_use]
    pub fn new(provider: P, handler: F) -> Self {
        Self { provider: Arc::new(provider), handler }
    }
}

impl<P, F> fmt::Debug for Typed<P, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Typed").finish_non_exhaustive()
    }
}

impl<P, F, Fut> InboxHandler for Typed<P, F>
where
    P: Provider,
    F: Fn(Received<P::Event>) -> Fut + Send + Sync + 'static,
    Fut: Future + Send,
    Fut::Output: IntoVerdict,
{
    async fn handle(&self, handed: Handed) -> Verdict {
        match decoded(&self.provider, handed).await {
            Ok(received) => (self.handler)(received).await.into_verdict(),
            Err(verdict) => verdict,
        }
    }
}

pub(super) async fn decoded<P: Provider>(provider: &Arc<P>, handed: Handed) -> Result<Received<P::Event>, Verdict> {
    let Handed { event, fence, attempt, leased_at, lease_lost, .. } = handed;
    let (there, raw, name) = (Arc::clone(provider), event.payload.clone(), event.event);
    let decode = move || there.decode_one(&name, raw);
    let decoded =
        offload(event.payload.len(), decode).await.map_err(|rejection| Verdict::retry(rejection.to_string()))?;
    let typed = decoded.map_err(|why| Verdict::dead(format!("the stored event cannot be decoded: {why}")))?;
    let kept = Kept {
        receiver: event.receiver.into(),
        key: EventKey::stored(&event.readable_key),
        key_id: event.key_id.map(Into::into),
        tenant: event.tenant.map(Into::into),
        headers: headers(&event.headers),
        occurred_at: event.occurred_at,
        raw: event.payload,
        fence,
        attempt,
        at: leased_at,
        lost: lease_lost,
    };
    Ok(kept.received(typed, provider))
}

/// What is no header was none when it was stored.
fn headers(kept: &[(String, String)]) -> HeaderMap {
    let header = |(name, value): &(String, String)| {
        Some((HeaderName::try_from(name.as_str()).ok()?, HeaderValue::try_from(value.as_str()).ok()?))
    };
    kept.iter().filter_map(header).collect()
}

type Handling<'a> = Pin<Box<dyn Future<Output = Verdict> + Send + 'a>>;

/// A handler without its type.
trait Erased: Send + Sync {
    fn handle(&self, event: Handed) -> Handling<'_>;
}

impl<H: InboxHandler> Erased for H {
    fn handle(&self, event: Handed) -> Handling<'_> {
        Box::pin(InboxHandler::handle(self, event))
    }
}

/// A handler for each receiver whose events are in one inbox. An event of another receiver is parked, since it may be
/// that of a newer version: [replay](super::InboxStore::replay) it there.
///
/// ```
/// use tower_webhook::Received;
/// use tower_webhook::inbox::{Routes, Typed};
/// use tower_webhook::provider::{aella::{self, Aella}, mambu::{self, Mambu}};
/// use tower_webhook::secret::Secret;
///
/// # fn main() -> Result<(), tower_webhook::ConfigError> {
/// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let routes = Routes::new()
///     .receiver("aella-ng", Typed::new(aella, |event: Received<aella::Event>| async move {}))
///     .receiver("mambu-core", Typed::new(Mambu::new(), |event: Received<mambu::Event>| async move {}));
/// # Ok(()) }
/// ```
#[derive(Default)]
pub struct Routes(HashMap<String, Box<dyn Erased>>);

impl Routes {
    /// To nobody.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// And to this handler what the receiver of this name has stored. The last of a name counts.
    #[must_use]
    pub fn receiver(mut self, name: impl Into<String>, handler: impl InboxHandler) -> Self {
        self.0.insert(name.into(), Box::new(handler));
        self
    }
}

impl InboxHandler for Routes {
    async fn handle(&self, event: Handed) -> Verdict {
        match self.0.get(&event.event.receiver) {
            Some(handler) => handler.handle(event).await,
            None => Verdict::park(format!("nobody handles what {:?} has received", event.event.receiver)),
        }
    }
}

impl fmt::Debug for Routes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}
