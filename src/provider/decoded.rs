//! One event, with what tells it from others.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;

use super::event_key::EventKey;
use crate::json::Identity;

/// One event, decoded and keyed.
#[derive(Clone)]
#[non_exhaustive]
pub struct Decoded<E> {
    /// The provider's typed event.
    pub event: E,
    /// What tells this event from every other of the same endpoint.
    pub key: EventKey,
    /// When it happened, by the provider's word.
    pub occurred_at: Option<Timestamp>,
    /// The event as it was sent, every member kept. A slice of the plaintext, not a copy.
    pub raw: Bytes,
    /// What must be equal for two deliveries with one key to be the same event. Most providers: that of `raw`.
    pub identity: Identity,
}

/// What tells it from others: what it says is not for a log.
impl<E> fmt::Debug for Decoded<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Decoded")
            .field("key", &self.key)
            .field("occurred_at", &self.occurred_at)
            .field("length", &self.raw.len())
            .finish_non_exhaustive()
    }
}

impl<E> Decoded<E> {
    /// An event whose identity is what it says as a whole: [`Identity::of_json`] of its bytes.
    #[must_use]
    pub fn new(event: E, key: EventKey, raw: Bytes) -> Self {
        let identity = Identity::of_json(&raw);
        Self::identified(event, key, raw, identity)
    }

    /// An event that is told from others with the same key by this identity alone.
    #[must_use]
    pub fn identified(event: E, key: EventKey, raw: Bytes, identity: Identity) -> Self {
        Self { event, key, occurred_at: None, raw, identity }
    }

    /// The same event, with the time at which it happened.
    #[must_use]
    pub fn occurred_at(mut self, time: Option<Timestamp>) -> Self {
        self.occurred_at = time;
        self
    }

    /// The same event as another type, such as one for several providers.
    #[must_use]
    pub fn map<T>(self, change: impl FnOnce(E) -> T) -> Decoded<T> {
        Decoded {
            event: change(self.event),
            key: self.key,
            occurred_at: self.occurred_at,
            raw: self.raw,
            identity: self.identity,
        }
    }
}
