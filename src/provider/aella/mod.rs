//! Aella: transfers, inward payments and mandates, as signed JSON.
//!
//! One delivery is one event: `{"event": .., "timestamp": .., "data": {..}}`. The MAC proves sender and body, and no
//! time is signed, so that a recorded delivery is told from a new one by its key alone: the event's name and
//! `data.id`, or `data.transaction.id` for a debit. An event of an unknown name is handed over as it came.
//!
//! | Fact | Value | How sure |
//! |---|---|---|
//! | Signature | HMAC-SHA512 of the raw body, key the API secret key of the environment as UTF-8 | second hand: one public integration. The docs say "decrypt and validate" and name no algorithm |
//! | Header | `x-aella-signature`, lower-case hexadecimal, no prefix | second hand, the same |
//! | Encryption | none: after the check that integration reads the body as it is | inferred |
//! | Events | eight names, [`Event`] | <https://docs.aella.app/webhooks> |
//! | `inwards.failed` | a ninth | second hand |
//! | Payloads | samples of three events; the others are taken to have the same shape | <https://docs.aella.app/webhooks>; inferred |
//! | Key | `data.id`, text or number | second hand; `data.transaction.id` and the mandate's id are inferred |
//! | Key of an unknown event without an id | the [`Identity`](super::Identity) of its whole body, timestamp and all | assumed: a retry with a fresh timestamp is handled twice, since swallowing a second event that says the same would be worse |
//! | Key of an unknown event with an id | name and id: what says something else under them is refused, or kept apart by an inbox | assumed |
//! | Types of members | as the samples have them. Another than that is absent, with a warning, except for amounts, currencies, statuses and response codes, and ids of keys: then the event is refused | assumed |
//! | Amounts | naira, major units | second hand |
//! | Method, type | POST; no content type is documented, so that any is taken | inferred |
//! | Acknowledgement | any 2xx, "fast" | <https://docs.aella.app/webhooks> |
//! | Time to answer | not published | |
//! | Retries | "on failure"; number and spacing are not published | <https://docs.aella.app/webhooks> |
//! | Horizon | 5 days: longer than the 3 days that are common where a schedule is published, since a key kept too long costs memory and one forgotten too soon costs a second payout | assumed |
//! | Resend by hand | not published; 1 day is kept for it | assumed |
//!
//! What is second hand is a default that can be replaced: [`Aella::signature_header`], [`Aella::algorithm`],
//! [`Aella::change_profile`].
//!
//! ```
//! use bytes::Bytes;
//! use tower_webhook::RejectionKind;
//! use tower_webhook::clock::{OsEntropy, Timestamp};
//! use tower_webhook::event::Project as _;
//! use tower_webhook::provider::aella::{Aella, Event};
//! use tower_webhook::provider::{Message, Provider as _};
//! use tower_webhook::scheme::Sealing;
//! use tower_webhook::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//! let now: Timestamp = "2026-11-21T12:00:00Z".parse()?;
//! let body = r#"{"event":"transfer.failed","timestamp":"2026-11-21T12:00:00Z","data":{"id":"7b12","amount":10000}}"#;
//! let sent = aella.seal(Message::new(body), &Sealing::new(now, &OsEntropy))?;
//!
//! let opened = aella.scheme().open(sent.headers(), sent.body().clone(), now)?;
//! let events = aella.decode(sent.headers(), opened.plaintext)?;
//! assert_eq!(events[0].key.as_str(), "transfer.failed|7b12");
//! assert!(matches!(&events[0].event, Event::TransferFailed(transfer) if transfer.amount.unwrap().to_string() == "10000"));
//!
//! let forged = Bytes::from(body.replace("failed", "completed"));
//! let refused = aella.scheme().open(sent.headers(), forged, now).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
//! # Ok(())
//! # }
//! ```

mod events;
mod model;
mod project;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

pub use events::Event;
pub use model::{
    BankAccount, ConfirmationStatus, DebitStatus, Environment, Mandate, MandateDebit, MandateStatus, Source,
    Transaction, Transfer, TransferStatus,
};

use super::{Events, Message, Profile, Provider, Retries};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection};
use crate::scheme::{Hmac, MacAlgorithm, Scheme, SealError, Sealing, Signed};
use crate::secret::KeyRing;

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Aella, as a receiver sees it and as a sender plays it.
///
/// ```
/// use tower_webhook::provider::aella::{self, Aella};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let service = Receiver::new("aella", aella)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<aella::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Aella {
    keys: KeyRing,
    header: HeaderName,
    algorithm: MacAlgorithm,
    scheme: Hmac,
    profile: Profile,
}

impl Aella {
    /// Aella with the API secret key of one environment: sandbox and live have one each, and a URL each.
    ///
    /// # Errors
    ///
    /// [`ShortSecret`](crate::ConfigErrorKind::ShortSecret) under 16 bytes.
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let header = HeaderName::from_static("x-aella-signature");
        Self::build(keys.into(), header, MacAlgorithm::HmacSha512, profile())
    }

    /// The header of the signature. Default: `x-aella-signature`.
    ///
    /// # Errors
    ///
    /// As [`Aella::new`].
    pub fn signature_header(self, header: HeaderName) -> Result<Self, ConfigError> {
        Self::build(self.keys, header, self.algorithm, self.profile)
    }

    /// The MAC of the signature. Default: HMAC-SHA512.
    ///
    /// # Errors
    ///
    /// As [`Aella::new`].
    pub fn algorithm(self, algorithm: MacAlgorithm) -> Result<Self, ConfigError> {
        Self::build(self.keys, self.header, algorithm, self.profile)
    }

    /// Changes limits and timing. Default: as the table of this module says, and 1 MiB of body.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    fn build(
        keys: KeyRing,
        header: HeaderName,
        algorithm: MacAlgorithm,
        profile: Profile,
    ) -> Result<Self, ConfigError> {
        let scheme = Hmac::new(algorithm, Signed::new(header.clone(), Encoding::Hex), keys.clone())?;
        Ok(Self { keys, header, algorithm, scheme, profile })
    }
}

pub(crate) fn profile() -> Profile {
    Profile::new("aella").retries(Retries::unpublished(5 * DAY)).resend_window(DAY)
}

impl Provider for Aella {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("application/json"))
    }

    fn scheme(&self) -> &dyn Scheme {
        &self.scheme
    }

    fn decode(&self, _: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        events::decode(plaintext)
    }

    /// As JSON, which the body is, whether or not Aella says so.
    fn seal(&self, mut message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        message.content_type.get_or_insert(HeaderValue::from_static("application/json"));
        super::seal(&self.scheme, &self.profile, message, with)
    }
}
