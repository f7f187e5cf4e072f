//! Events that nobody sent, for tests of handlers.

use std::num::NonZeroU64;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, Uri};
use jiff::Timestamp;

use super::lease_lost::LeaseLost;
use super::received::{Delivery, Head, Inner, Origin, Received, SignsHeaders};
use crate::gate::Verified;
use crate::observe::Reporter;
use crate::provider::EventKey;

/// What a handler's test makes up of a delivery. See [`Received::for_test`].
#[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
#[derive(Clone, Debug)]
pub struct ForTest {
    /// The receiver's name. Default: `test`.
    pub receiver: String,
    /// The provider's name. Default: `test`.
    pub provider: &'static str,
    /// The id of the key that proved it. Default: none.
    pub key_id: Option<String>,
    /// The idempotency key. Default: `test`.
    pub key: EventKey,
    /// When it happened. Default: not known.
    pub occurred_at: Option<Timestamp>,
    /// The event as it was sent. Default: `{}`.
    pub raw: Bytes,
    /// The fencing token. Default: 1.
    pub fence: Option<NonZeroU64>,
    /// Whether the lease is lost. Default: no.
    pub is_lease_lost: bool,
    /// Where it was sent. Default: `/`.
    pub uri: Uri,
    /// The headers, all of them signed. Default: none.
    pub headers: HeaderMap,
}

impl Default for ForTest {
    fn default() -> Self {
        Self {
            receiver: "test".to_owned(),
            provider: "test",
            key_id: None,
            key: EventKey::of(&["test"]),
            occurred_at: None,
            raw: Bytes::from_static(b"{}"),
            fence: Some(NonZeroU64::MIN),
            is_lease_lost: false,
            uri: Uri::from_static("/"),
            headers: HeaderMap::new(),
        }
    }
}

struct AllSigned;

impl SignsHeaders for AllSigned {
    fn signs(&self, _: &HeaderName) -> bool {
        true
    }

    fn proves(&self, _: &HeaderName) -> bool {
        false
    }
}

impl<E> Received<E> {
    /// An event that nobody sent, to test a handler with. It was proved by the scheme `test`.
    ///
    /// ```
    /// use tower_webhook::Received;
    /// use tower_webhook::delivery::ForTest;
    /// use tower_webhook::provider::EventKey;
    ///
    /// let event = Received::for_test("an event", ForTest { key: EventKey::of(&["7b"]), ..ForTest::default() });
    /// assert_eq!(event.delivery().key().as_str(), "7b");
    /// assert_eq!(*event, "an event");
    /// ```
    #[cfg_attr(docsrs, doc(cfg(feature = "testing")))]
    #[must_use]
    pub fn for_test(event: E, made_up: ForTest) -> Self {
        let lost = LeaseLost::unclaimed();
        if made_up.is_lease_lost {
            lost.report();
        }
        let head = Head {
            origin: Origin::of::<E>(Reporter::new(made_up.receiver.into(), made_up.provider), Arc::new(AllSigned)),
            verified: Verified::new("test", made_up.key_id.map(Into::into), Timestamp::UNIX_EPOCH),
            uri: made_up.uri,
            headers: made_up.headers,
        };
        let delivery = Delivery::new(Inner {
            key: made_up.key,
            occurred_at: made_up.occurred_at,
            raw: made_up.raw,
            fence: made_up.fence,
            attempt: made_up.fence,
            lost,
            head: Arc::new(head),
        });
        Self::new(event, delivery)
    }
}
