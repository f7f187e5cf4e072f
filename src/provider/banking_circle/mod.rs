//! Banking Circle: AES-256-GCM over UTF-16LE, up to a thousand notifications in one request.
//!
//! Opening proves who sent a message and hides it. It proves no time: the bank signs none, so an old message is as good
//! as a new one, and only the `eventId` of each notification tells a repeat. Do not run it without dedupe.
//!
//! | fact | as the bank has it | how sure |
//! |---|---|---|
//! | cipher | AES-256-GCM over the whole body, no additional data; 32-byte key, one for each subscription | [published](https://docs.bankingcircleconnect.com/v2/docs/receiving-webhooks); additional data second hand |
//! | key as bytes | the UTF-8 of the 32 characters (Java sample), or Base64 (.NET sample) | published, in conflict: `Secret::utf8` or `Secret::base64` |
//! | headers | `Nonce` (12 bytes), `AuthenticationTag` (16), `Checksum` (32), all Base64; `SubscriptionVersion` | lengths [published](https://docs.bankingcircleconnect.com/docs/webhooks-troubleshooting), names second hand: [`HeaderNames`] |
//! | body | the ciphertext as bytes, `application/octet-stream`, to 50 MB | published |
//! | plaintext | JSON in UTF-16LE | published |
//! | checksum | SHA-256 over the text in UTF-8; checked where it stands, since the tag is the proof | published |
//! | inside | `notifications`, 1 to 1000; order of members may change, members may be added | second hand, as are all names and types of members |
//! | delivered | any 2xx within 10 s | published; the time second hand |
//! | retries | 15 s, 30 s, 1, 10, 30 min, 1, 2, 6, 12, 24, 48 h, then the subscription is switched off | second hand; ten or eleven: [`RetryCount`] |
//! | after that | what waits is kept, and sent when the subscription is switched on again | second hand, with no bound: 30 days are assumed |
//! | order, repeats | a booking may come before its payment; repeats happen | [published](https://docs.bankingcircleconnect.com/docs/webhooks) |
//! | addresses | [`networks`] | second hand |
//!
//! # Keys
//!
//! The key is the `eventId` alone. What must be equal under one key is the notification's detail (`payment` or
//! `payload`) as its [`Identity`](super::Identity) has it, so that the same event through two entries of a subscription is
//! one event, and so is a retry in which the members stand in another order. A message without any notification is
//! acknowledged, since nothing is lost with it.
//!
//! A retry to whose detail the bank has added a member says something else under a key that is known. While nobody has
//! completed it, it runs, with an alarm; behind an event that is done it is refused with its message, until the subscription
//! is switched off. [`Mismatch::AcknowledgeUnhandled`](crate::idempotency::Mismatch::AcknowledgeUnhandled) takes such a message, with
//! an error in the log for each.
//!
//! # What cannot be read
//!
//! The schema is second hand. So a member that cannot be read as its type is absent, with a warning that names it, and
//! stays in the raw JSON: a time without an offset is no time, since a guessed one would be a wrong fact. An id may be a
//! number. Amounts, currencies, statuses, `classification` and `return` (which way money goes), `eventId` and `paymentId`
//! are read strictly. A notification in which one of them cannot be read, or that is no object, is unreadable:
//! [`UnreadablePolicy`] says what becomes of it, and the other notifications of its message are handled in any case. JSON
//! that is broken or has a name twice, wherever in the message, refuses the whole.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use tower_webhook::clock::{OsEntropy, Timestamp};
//! use tower_webhook::provider::{Message, Provider, banking_circle::BankingCircle};
//! use tower_webhook::scheme::Sealing;
//! use tower_webhook::{RejectionKind, secret::Secret};
//!
//! let bank = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars")?)?;
//! let now = Timestamp::UNIX_EPOCH;
//!
//! let text = r#"{"notifications":[{"eventId":"e-1","notificationType":"CaseEvents","payment":{"status":"OPEN"}}]}"#;
//! let request = bank.seal(Message::new(text), &Sealing::new(now, &OsEntropy))?;
//! let opened = bank.scheme().open(request.headers(), request.body().clone(), now)?;
//! let events = bank.decode(request.headers(), opened.plaintext)?;
//! assert_eq!(events[0].key.as_str(), "e-1");
//!
//! let stranger = BankingCircle::new(Secret::utf8("another-key-that-has-32-letters!")?)?;
//! let refused = stranger.scheme().open(request.headers(), request.body().clone(), now).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod event;
mod model;
pub mod networks;
mod policy;
mod status;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

pub use event::{Detail, Event, Unpublished, Unreadable};
pub use model::{
    Account, AccountEntry, Booking, Case, Classification, CurrencyAmount, Payment, ProxyAccount, Remittance, Status,
    Transfer,
};
pub use policy::UnreadablePolicy;
pub use status::{Agent, PaymentStatus, StatusAccount, StatusReason, TransactionReference, TransactionStatus};

use policy::MAX_EVENTS;

use super::{Events, Message, Profile, Provider, Retries};
use crate::encoding::{Encoding, TextEncoding};
use crate::error::{ConfigError, Rejection};
use crate::scheme::{AesGcm, BodyForm, CipherHeaders, Scheme, SealError, Sealing};
use crate::secret::KeyRing;

/// Banking Circle, as a receiver sees it and as a sender plays it.
///
/// ```
/// use tower_webhook::provider::banking_circle::{self, BankingCircle};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let bank = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars")?)?;
/// let service = Receiver::new("bank", bank)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<banking_circle::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct BankingCircle {
    keys: KeyRing,
    scheme: AesGcm,
    version: HeaderName,
    unreadable: UnreadablePolicy,
    profile: Profile,
}

impl BankingCircle {
    /// A receiver of messages under these keys, each of 32 bytes. `Secret::utf8` of the subscription's 32 characters is
    /// the reading that fits its description; `Secret::base64` is for a subscription made after the .NET sample.
    ///
    /// # Errors
    ///
    /// [`KeyLength`](crate::ConfigErrorKind::KeyLength).
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into();
        let names = HeaderNames::default();
        let scheme = scheme(keys.clone(), &names)?;
        Ok(Self { scheme, keys, version: names.version, unreadable: UnreadablePolicy::default(), profile: profile() })
    }

    /// Other header names, for the case that the published spelling is not the one on the wire. Default:
    /// [`HeaderNames::default`].
    ///
    /// # Errors
    ///
    /// As [`BankingCircle::new`].
    pub fn headers(mut self, names: HeaderNames) -> Result<Self, ConfigError> {
        self.scheme = scheme(self.keys.clone(), &names)?;
        self.version = names.version;
        Ok(self)
    }

    /// What becomes of a notification that cannot be read. Default: [`UnreadablePolicy::Refuse`].
    #[must_use]
    pub fn unreadable_policy(mut self, policy: UnreadablePolicy) -> Self {
        self.unreadable = policy;
        self
    }

    /// How often a failed message is sent again, where somebody knows. Default: [`RetryCount::Eleven`] for what has to be remembered,
    /// and [`RetryCount::Ten`] for [`Profile::switched_off_after`].
    #[must_use]
    pub fn retry_count(mut self, count: RetryCount) -> Self {
        self.profile.retries = count.retries();
        self.profile.switched_off_after = Some(self.profile.retries.horizon());
        self
    }

    /// Changes limits and timing. Default: as the table of this module says.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    /// How long after its last own try the bank may send what waited, because the subscription was switched on again.
    /// Default: 30 days.
    ///
    /// # Security
    ///
    /// Retention follows from it. A subscription that was off for longer may bring an event that is taken for a new one.
    #[must_use]
    pub fn resend_window(mut self, window: Duration) -> Self {
        self.profile.resend_window = window;
        self
    }
}

/// The names of the bank's headers.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct HeaderNames {
    /// Where the 12-byte nonce stands.
    pub nonce: HeaderName,
    /// Where the 16-byte tag stands.
    pub tag: HeaderName,
    /// Where the checksum stands.
    pub checksum: HeaderName,
    /// Where the subscription's version stands. It is sent, and not looked at.
    pub version: HeaderName,
}

/// `Nonce`, `AuthenticationTag`, `Checksum`, `SubscriptionVersion`.
impl Default for HeaderNames {
    fn default() -> Self {
        Self {
            nonce: HeaderName::from_static("nonce"),
            tag: HeaderName::from_static("authenticationtag"),
            checksum: HeaderName::from_static("checksum"),
            version: HeaderName::from_static("subscriptionversion"),
        }
    }
}

/// How many retries there are: the troubleshooting page says ten, the retry guide lists eleven waits.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RetryCount {
    /// The last after 24 h.
    Ten,
    /// The last after another 48 h. The default, since it asks for the longer retention.
    #[default]
    Eleven,
}

impl RetryCount {
    fn retries(self) -> Retries {
        let last = match self {
            Self::Ten => None,
            Self::Eleven => Some(48 * 3600),
        };
        let waits = [15, 30, 60, 600, 1800, 3600, 7200, 6 * 3600, 12 * 3600, 24 * 3600];
        Retries::steps(waits.into_iter().chain(last).map(Duration::from_secs).collect::<Vec<_>>())
    }
}

fn scheme(keys: KeyRing, names: &HeaderNames) -> Result<AesGcm, ConfigError> {
    let headers = CipherHeaders { iv: names.nonce.clone(), tag: names.tag.clone() };
    let scheme = AesGcm::in_headers(keys, headers, Encoding::Base64, BodyForm::Raw)?;
    Ok(scheme.text(TextEncoding::Utf16Le).checksum(names.checksum.clone()))
}

pub(crate) fn profile() -> Profile {
    Profile::new("banking_circle")
        .content_types(["application/octet-stream"])
        .max_body(50 * 1024 * 1024)
        .max_events(MAX_EVENTS)
        .answer_within(Duration::from_secs(10))
        .retries(RetryCount::default().retries())
        .resend_window(Duration::from_hours(30 * 24))
        .switched_off_after(RetryCount::Ten.retries().horizon())
}

impl Provider for BankingCircle {
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

    fn decode(&self, _headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        decode::decode(&plaintext, self.unreadable)
    }

    /// A notification outside of its message.
    fn decode_one(&self, _name: &str, raw: Bytes) -> Result<Event, Rejection> {
        let message = [b"{\"notifications\":[", &raw[..], b"]}"].concat();
        decode::decode(&message.into(), self.unreadable)?.one()
    }

    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        let mut request = super::seal(&self.scheme, &self.profile, message, with)?;
        request.headers_mut().insert(&self.version, HeaderValue::from_static("1"));
        Ok(request)
    }
}
