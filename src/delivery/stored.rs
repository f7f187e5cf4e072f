//! An event that was kept for a while between its sender and its handler.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Uri};
use jiff::Timestamp;

use super::lease_lost::LeaseLost;
use super::received::{Delivery, Head, Inner, Origin, Received};
use crate::gate::Verified;
use crate::observe::Reporter;
use crate::provider::{EventKey, Provider};

/// What was kept of an event's delivery, and who holds it now.
pub(crate) struct Kept {
    pub(crate) receiver: Arc<str>,
    pub(crate) key: EventKey,
    pub(crate) key_id: Option<Arc<str>>,
    pub(crate) tenant: Option<Arc<str>>,
    pub(crate) headers: HeaderMap,
    pub(crate) occurred_at: Option<Timestamp>,
    pub(crate) raw: Bytes,
    pub(crate) fence: u64,
    pub(crate) attempt: u32,
    pub(crate) at: Timestamp,
    pub(crate) lost: LeaseLost,
}

impl Kept {
    /// In its handler's hands. Of the request nothing was kept but these headers.
    pub(crate) fn received<P: Provider>(self, event: P::Event, provider: &Arc<P>) -> Received<P::Event> {
        let verified = Verified::new(provider.scheme().name(), self.key_id, self.at);
        let head = Head {
            origin: Origin::of::<P::Event>(
                Reporter::new(self.receiver, provider.profile().name),
                Arc::clone(provider) as _,
            ),
            verified: match self.tenant {
                Some(tenant) => verified.of_tenant(tenant),
                None => verified,
            },
            uri: Uri::default(),
            headers: self.headers,
        };
        let delivery = Delivery::new(Inner {
            key: self.key,
            occurred_at: self.occurred_at,
            raw: self.raw,
            fence: NonZeroU64::new(self.fence),
            attempt: NonZeroU64::new(self.attempt.into()),
            lost: self.lost,
            head: Arc::new(head),
        });
        Received::new(event, delivery)
    }
}
