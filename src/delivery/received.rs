//! What a handler gets: the typed event, and what is known of its delivery.

use std::fmt;
use std::num::NonZeroU64;
use std::ops::Deref;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{AUTHORIZATION, COOKIE, PROXY_AUTHORIZATION};
use http::{HeaderMap, HeaderName, HeaderValue, Uri};
use jiff::Timestamp;

use super::lease_lost::LeaseLost;
use crate::event;
use crate::gate::Verified;
use crate::observe::Reporter;
use crate::provider::{EventKey, Provider};

/// A verified event in a handler's hands. Derefs to the provider's typed event.
#[derive(Clone)]
pub struct Received<E> {
    event: E,
    delivery: Delivery,
}

impl<E> Received<E> {
    pub(crate) fn new(event: E, delivery: Delivery) -> Self {
        Self { event, delivery }
    }

    /// The typed event.
    pub fn event(&self) -> &E {
        &self.event
    }

    /// The typed event, by value.
    pub fn into_event(self) -> E {
        self.event
    }

    /// What is known of its delivery.
    pub fn delivery(&self) -> &Delivery {
        &self.delivery
    }

    /// Reports when the lease on this event is lost: somebody else may be handling it now. Never, while it holds.
    pub fn lease_lost(&self) -> LeaseLost {
        self.delivery.lease_lost()
    }

    /// Grows with every claim of this event. `None` when nothing was claimed.
    ///
    /// It keeps a late writer from overwriting a newer one; it does not make an effect once, since a repeat after a crash
    /// comes with a higher fence. The key does that, unique where the effect is written: see
    /// [the SQL for both](crate::idempotency#effects-exactly-once-the-key-and-the-fence).
    pub fn fence(&self) -> Option<NonZeroU64> {
        self.delivery.fence()
    }
}

impl<E: event::Project> Received<E> {
    /// The event in the shared vocabulary.
    pub fn shared(&self) -> event::Event {
        self.event.project()
    }
}

impl<E> Deref for Received<E> {
    type Target = E;

    fn deref(&self) -> &E {
        &self.event
    }
}

/// What is known of one event's delivery, whatever its type.
#[derive(Clone)]
pub struct Delivery(Arc<Inner>);

pub(crate) struct Inner {
    pub(crate) key: EventKey,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) raw: Bytes,
    pub(crate) fence: Option<NonZeroU64>,
    pub(crate) attempt: Option<NonZeroU64>,
    pub(crate) lost: LeaseLost,
    pub(crate) head: Arc<Head>,
}

/// What all events of a delivery have in common: what is kept of the request that brought them, and who took it.
pub(crate) struct Head {
    pub(crate) origin: Arc<Origin>,
    pub(crate) verified: Verified,
    pub(crate) uri: Uri,
    pub(crate) headers: HeaderMap,
}

/// Who takes deliveries, and what they bring: the same for all of one receiver.
pub(crate) struct Origin {
    pub(crate) reporter: Reporter,
    /// The type of the events, for who asks for another.
    event_type: &'static str,
    signs: Arc<dyn SignsHeaders>,
}

impl Head {
    /// Whether this header holds a proof, which is nobody's business further in.
    pub(crate) fn proves(&self, name: &HeaderName) -> bool {
        self.origin.signs.proves(name)
    }
}

impl Origin {
    pub(crate) fn of<E>(reporter: Reporter, signs: Arc<dyn SignsHeaders>) -> Arc<Self> {
        Arc::new(Self { reporter, event_type: std::any::type_name::<E>(), signs })
    }
}

/// What a provider signs of a head, and what in it proves.
pub(crate) trait SignsHeaders: Send + Sync {
    fn signs(&self, name: &HeaderName) -> bool;
    fn proves(&self, name: &HeaderName) -> bool;
}

impl<P: Provider> SignsHeaders for P {
    fn signs(&self, name: &HeaderName) -> bool {
        self.scheme().covers_header(name)
    }

    fn proves(&self, name: &HeaderName) -> bool {
        self.scheme().proof_headers().contains(name)
    }
}

/// Headers that no handler has a use for, and that may be secrets.
const SECRETS: [HeaderName; 3] = [AUTHORIZATION, PROXY_AUTHORIZATION, COOKIE];

impl Delivery {
    pub(crate) fn new(inner: Inner) -> Self {
        Self(Arc::new(inner))
    }

    /// The name of the receiver that took it.
    #[must_use]
    pub fn receiver(&self) -> &str {
        self.0.head.origin.reporter.receiver()
    }

    /// The provider's name.
    #[must_use]
    pub fn provider(&self) -> &'static str {
        self.0.head.origin.reporter.provider()
    }

    /// How the sender was proved.
    #[must_use]
    pub fn verified(&self) -> &Verified {
        &self.0.head.verified
    }

    /// The event's readable idempotency key. It may hold identifiers of a payment.
    #[must_use]
    pub fn key(&self) -> &EventKey {
        &self.0.key
    }

    /// When it happened, by the provider's word.
    #[must_use]
    pub fn occurred_at(&self) -> Option<Timestamp> {
        self.0.occurred_at
    }

    /// The event as it was sent, decrypted, every member kept.
    #[must_use]
    pub fn raw(&self) -> &Bytes {
        &self.0.raw
    }

    /// Where the request was sent, as the receiver saw it: a router in front may have taken a part of the path away. Nothing
    /// proves it.
    #[must_use]
    pub fn uri(&self) -> &Uri {
        &self.0.head.uri
    }

    /// A header that the sender's proof covers, such as an id that is signed. `None` for every other.
    #[must_use]
    pub fn signed_header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        self.header(name).filter(|_| self.0.head.origin.signs.signs(name))
    }

    /// A header of the request, the first of its name. None of those that hold a proof, credentials or cookies.
    ///
    /// # Security
    ///
    /// Whoever has seen one delivery can send it again with other headers, as long as they are not signed: decide nothing by
    /// them that [`signed_header`](Self::signed_header) does not return too.
    #[must_use]
    pub fn header(&self, name: &HeaderName) -> Option<&HeaderValue> {
        let is_secret = SECRETS.contains(name) || self.0.head.proves(name);
        self.0.head.headers.get(name).filter(|_| !is_secret)
    }

    /// Which try of the event this is, counted from 1, as far as its store counts: an inbox's attempts, or else the
    /// [fencing token](Self::fence) of a store that adds one for each claim, as those of this crate do. `None` when nothing
    /// was claimed.
    #[must_use]
    pub fn attempt(&self) -> Option<NonZeroU64> {
        self.0.attempt
    }

    /// The name of the type of the event that came with it, as [`std::any::type_name`] has it.
    #[must_use]
    pub fn event_type(&self) -> &'static str {
        self.0.head.origin.event_type
    }

    /// As [`Received::fence`].
    #[must_use]
    pub fn fence(&self) -> Option<NonZeroU64> {
        self.0.fence
    }

    /// As [`Received::lease_lost`].
    #[must_use]
    pub fn lease_lost(&self) -> LeaseLost {
        self.0.lost.clone()
    }
}

/// Without the event: what it says is not for a log.
impl<E> fmt::Debug for Received<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("delivery", &self.delivery).finish_non_exhaustive()
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("receiver", &self.receiver())
            .field("provider", &self.provider())
            .field("verified", self.verified())
            .field("fence", &self.0.fence)
            .finish_non_exhaustive()
    }
}
