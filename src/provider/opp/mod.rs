//! The Open Payment Platform (ACI, Peach Payments, HyperPay and others): AES-256-GCM in hexadecimal, one notification a request.
//!
//! Opening proves who sent a notification and hides it. It proves no time: the platform signs none, so an old delivery
//! is as good as a new one, and only the key inside the plaintext tells them apart. Do not run it without dedupe.
//!
//! | fact | as the platform has it | how sure |
//! |---|---|---|
//! | cipher | AES-256-GCM, no additional data; key of 64 hexadecimal digits | published with a vector, recomputed |
//! | headers | `X-Initialization-Vector` (12 bytes) and `X-Authentication-Tag` (16 bytes), hexadecimal | published ([PPRO](https://docs.latam.ppro.com), [Peach](https://support.peachpayments.com/support/solutions/articles/47001189554-webhooks-for-all-integrations)) |
//! | body | hexadecimal text, or `{"encryptedBody":"…"}` where the webhook's wrapper is JSON | [published](https://hyperpay.docs.oppwa.com/node/129); the name `encryptedBody` second hand |
//! | content type | `text/plain`, or `application/json` when wrapped | second hand; either is taken with either |
//! | inside | `type`, `action`, `payload`; new members and types may come | [published](https://hyperpay.docs.oppwa.com/node/127) |
//! | delivered | any 2xx (PPRO, ACI) or 200 (Peach, AllSecure): the answer is 200 | published, in conflict |
//! | answer within | 30 s | second hand (ACI) |
//! | retries | 1, 2, 4, 8, 15, 30 min, 1 h; then hourly to 5 days, or daily to 30 days | second hand, in conflict: [`RetrySchedule`] |
//! | after that | the whole webhook is switched off and what waits is deleted, even if one notification alone kept failing: so may one that is refused here, such as an amount that cannot be read | second hand |
//! | copies | to every active URL up the entity tree: lead all of them to one receiver, with all their keys in one [`KeyRing`], since a key is remembered per receiver | [published](https://hyperpay.docs.oppwa.com/node/129) |
//! | order | none | second hand |
//! | resend by hand | not found, so none is counted on | |
//!
//! # Keys
//!
//! A payment is notified again whenever it changes, with the same id, and a registration may change twice in a second. So
//! the key is type, action, `payload.id`, `result.code` and `timestamp` as they were sent, and behind them the
//! [`Identity`](super::Identity) of all that the notification says. A pending result does not swallow the success that
//! follows, two changes in one second are two events, and a retry is the same as the first try, also when it was
//! serialised anew. Where there is no id the platform's `ndc` stands for it; whatever else is missing is left out.
//!
//! Since all that is said is part of the key, the same key with another payload cannot happen: a notification that differs
//! in any member is another event. Should a platform change something between two tries, such as a build number, both
//! are handled; none is known to do so.
//!
//! # Strict and lenient
//!
//! Samples are published and no schema. So a member that cannot be read as its type is absent, with a warning, and stays in
//! the raw JSON: a time without an offset, for one. Amounts, currencies, `result` and its code, `paymentType` (which
//! tells a debit from a refund), `id` and `ndc` are read strictly: a notification is refused when one of them cannot be
//! read.
//!
//! # Example
//!
//! ```
//! use bytes::Bytes;
//! use http::{HeaderMap, HeaderValue};
//! use tower_webhook::clock::Timestamp;
//! use tower_webhook::provider::{Provider, opp::Opp};
//! use tower_webhook::{RejectionKind, secret::Secret};
//!
//! // The platform's published example.
//! let opp = Opp::new(Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f")?)?;
//! let mut headers = HeaderMap::new();
//! headers.insert("X-Initialization-Vector", HeaderValue::from_static("000000000000000000000000"));
//! headers.insert("X-Authentication-Tag", HeaderValue::from_static("CE573FB7A41AB78E743180DC83FF09BD"));
//! let open = |body| opp.scheme().open(&headers, Bytes::from_static(body), Timestamp::UNIX_EPOCH);
//!
//! let opened = open(b"0A3471C72D9BE49A8520F79C66BBD9A12FF9")?;
//! assert_eq!(opened.plaintext, r#"{"type":"PAYMENT"}"#);
//! assert_eq!(opp.decode(&headers, opened.plaintext)?.len(), 1);
//!
//! let refused = open(b"0A3471C72D9BE49A8520F79C66BBD9A12FF8").unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod decode;
mod event;
mod model;
mod result;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request};

pub use event::Event;
pub use model::{Action, Authentication, Card, Outcome, Payment, Registration, Risk, RiskScore, Schedule, Test};
pub use result::{ResultCode, ResultGroup};

use super::{Acknowledgement, Delivered, Events, Message, Profile, Provider, Retries};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection};
use crate::scheme::{AesGcm, BodyForm, CipherHeaders, Scheme, SealError, Sealing};
use crate::secret::KeyRing;

const TEXT: &str = "text/plain";
const JSON: &str = "application/json";

/// The Open Payment Platform, as a receiver sees it and as a sender plays it.
///
/// ```
/// use tower_webhook::provider::opp::{self, Opp};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let key = Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f")?;
/// let opp = Opp::new(key)?;
/// let service = Receiver::new("opp", opp)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<opp::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Opp {
    keys: KeyRing,
    scheme: AesGcm,
    wrapper: Wrapper,
    profile: Profile,
}

impl Opp {
    /// A receiver of notifications under these keys, each of 32 bytes: `Secret::hex` of the 64 digits shown by the
    /// platform.
    ///
    /// # Errors
    ///
    /// [`KeyLength`](crate::ConfigErrorKind::KeyLength).
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let keys = keys.into();
        let scheme = scheme(keys.clone(), Wrapper::None)?;
        Ok(Self { keys, scheme, wrapper: Wrapper::None, profile: profile() })
    }

    /// How the sending side wraps the ciphertext. Receiving takes both. Default: [`Wrapper::None`].
    ///
    /// # Errors
    ///
    /// As [`Opp::new`].
    pub fn sealed_as(mut self, wrapper: Wrapper) -> Result<Self, ConfigError> {
        self.scheme = scheme(self.keys.clone(), wrapper)?;
        self.wrapper = wrapper;
        Ok(self)
    }

    /// Which of the two published retry schedules holds, where somebody knows. Default: [`RetrySchedule::ThirtyDays`] for what has
    /// to be remembered, and [`RetrySchedule::FiveDays`] for [`Profile::switched_off_after`].
    ///
    /// # Security
    ///
    /// Retention follows from the schedule. Under [`RetrySchedule::FiveDays`] a payment that comes back after a week
    /// is taken for a new one.
    #[must_use]
    pub fn retry_schedule(mut self, schedule: RetrySchedule) -> Self {
        self.profile.retries = schedule.retries();
        self.profile.switched_off_after = Some(self.profile.retries.horizon());
        self
    }

    /// Changes limits and timing. Default: as the table of this module says.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }
}

/// How the ciphertext is wrapped: the webhook's setting of the same name.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum Wrapper {
    /// Hexadecimal text alone, as `text/plain`.
    #[default]
    None,
    /// `{"encryptedBody":"…"}`, as `application/json`.
    Json,
}

/// The two retry schedules that are published. Both begin with 1, 2, 4, 8, 15 and 30 minutes and 1 hour.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub enum RetrySchedule {
    /// Then hourly until 5 days after the first try; then the webhook is switched off and its queue deleted.
    FiveDays,
    /// Then daily until 30 days after the first try: ACI's and HyperPay's text of 2026, second hand. The default,
    /// since remembering a key for too long costs memory, and for too short a second payment.
    #[default]
    ThirtyDays,
}

impl RetrySchedule {
    pub(crate) fn retries(self) -> Retries {
        let steps = Retries::steps([1, 2, 4, 8, 15, 30, 60].map(Duration::from_mins));
        match self {
            Self::FiveDays => steps.then_every(Duration::from_hours(1), Duration::from_hours(5 * 24)),
            Self::ThirtyDays => steps.then_every(Duration::from_hours(24), Duration::from_hours(30 * 24)),
        }
    }
}

fn scheme(keys: KeyRing, wrapper: Wrapper) -> Result<AesGcm, ConfigError> {
    let name = "encryptedBody".into();
    let body = match wrapper {
        Wrapper::None => BodyForm::TextOrWrapped(Encoding::Hex, name),
        Wrapper::Json => BodyForm::WrappedOrText(Encoding::Hex, name),
    };
    AesGcm::in_headers(keys, cipher_headers(), Encoding::Hex, body)
}

/// Those of the platform, and of a gateway that follows it.
pub(super) fn cipher_headers() -> CipherHeaders {
    CipherHeaders {
        iv: HeaderName::from_static("x-initialization-vector"),
        tag: HeaderName::from_static("x-authentication-tag"),
    }
}

pub(crate) fn profile() -> Profile {
    Profile::new("opp")
        .content_types([TEXT, JSON])
        .answer_within(Duration::from_secs(30))
        .retries(RetrySchedule::default().retries())
        // The stricter of the two: what passes here passes everywhere.
        .delivered(Delivered::OkOnly)
        .resend_window(Duration::ZERO)
        .switched_off_after(RetrySchedule::FiveDays.retries().horizon())
}

impl Provider for Opp {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static(JSON))
    }

    fn scheme(&self) -> &dyn Scheme {
        &self.scheme
    }

    fn decode(&self, _headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        decode::decode(plaintext)
    }

    /// An empty 200, whatever the handler answered: some of the platforms take no other 2xx.
    fn acknowledge(&self, _: &Events<Event>) -> Option<Acknowledgement> {
        Some(Acknowledgement::default())
    }

    fn seal(&self, mut message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        if self.wrapper == Wrapper::Json && message.content_type.is_none() {
            message.content_type = Some(HeaderValue::from_static(JSON));
        }
        super::seal(&self.scheme, &self.profile, message, with)
    }
}
