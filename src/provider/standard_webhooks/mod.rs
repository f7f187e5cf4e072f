//! Standard Webhooks, the common scheme of many senders; Svix sends the same under other header names.
//!
//! Id, time and body are signed together, so that a delivery is fresh, whole and told from every other. It may carry
//! several signatures, since its sender may be changing keys: one that fits is enough. Items of another version are
//! passed over, never trusted.
//!
//! | Fact | Value | How sure |
//! |---|---|---|
//! | Headers | `webhook-id`, `webhook-timestamp` (Unix seconds), `webhook-signature` (a list with spaces between) | [specification] |
//! | Under Svix | `svix-id`, `svix-timestamp`, `svix-signature`; either spelling is taken, and both only where they say the same: [`Spelling`] | <https://docs.svix.com/receiving/verifying-payloads/how-manual> |
//! | Signed | `{id}.{timestamp}.{body}`; an id with a `.` is refused here, as the specification asks of senders | [specification] |
//! | `v1` | HMAC-SHA256, Base64; the key is Base64 behind `whsec_`, 24 to 64 bytes; 16 are enough here | [specification] |
//! | `v1a` | Ed25519, Base64; keys are Base64 behind `whpk_` and `whsk_`; feature `asymmetric` | [specification] |
//! | Tolerance | "some allowable tolerance"; 5 minutes both ways in the reference libraries | [specification] |
//! | Key | `webhook-id`, the same on every try | [specification] |
//! | Body | recommended: JSON with `type`, `timestamp` and `data`; neither is asked for here. What is JSON must be strict: no name twice | [specification]; the second is ours |
//! | Method, type | POST; any type | [specification] |
//! | Acknowledgement | any 2xx; 410 switches the endpoint off | [specification] |
//! | Time to answer | 15 to 30 s recommended; the shorter is taken | [specification] |
//! | Retries | 5 s, 5 and 30 min, 2, 5, 10, 14, 20 and 24 h: an example, of 75.6 h in all | [specification] |
//! | Resend by hand | recommended, without a limit; 7 days are kept for it | assumed |
//!
//! [specification]: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
//!
//! ```
//! use http::HeaderMap;
//! use tower_webhook::RejectionKind;
//! use tower_webhook::clock::Timestamp;
//! use tower_webhook::provider::Provider as _;
//! use tower_webhook::provider::standard_webhooks::{StandardWebhooks, secret};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let webhooks = StandardWebhooks::new(secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?)?;
//! let mut headers = HeaderMap::new();
//! headers.insert("webhook-id", "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk".parse()?);
//! headers.insert("webhook-timestamp", "1649367553".parse()?);
//! headers.insert("webhook-signature", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=".parse()?);
//! let body = r#"{"email":"test@example.com","username":"test_user"}"#;
//!
//! let then = Timestamp::from_second(1649367553)?;
//! let opened = webhooks.scheme().open(&headers, body.into(), then)?;
//! let events = webhooks.decode(&headers, opened.plaintext)?;
//! assert_eq!(events[0].key.as_str(), "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk");
//!
//! let later = Timestamp::from_second(1649367553 + 301)?;
//! let refused = webhooks.scheme().open(&headers, body.into(), later).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::TimestampOutside);
//! # Ok(())
//! # }
//! ```

mod either;
mod keys;
mod spelling;
mod wire;

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};
use serde::Deserialize;

pub use self::keys::secret;
#[cfg(feature = "asymmetric")]
pub use self::keys::{public_key, secret_key};
pub use self::spelling::Spelling;
use self::wire::{Age, Proof};
pub use super::custom::Event;
use super::shape::{Object, text_if_any};
use super::{Decoded, EventKey, Events, Identity, Lookup, Message, Profile, Provider, Retries};
use crate::encoding::Encoding;
use crate::error::{ConfigError, Rejection, RejectionKind};
use crate::event::Text;
use crate::json;
use crate::scheme::{Scheme, SealError, Sealing};
use crate::secret::KeyRing;
#[cfg(feature = "asymmetric")]
use crate::secret::Secret;

/// A sender by the Standard Webhooks specification. The [module docs](self) show it open a delivery.
///
/// ```
/// use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks, secret};
/// use tower_webhook::{MemoryStore, Received, Receiver};
///
/// let shop = StandardWebhooks::new(secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD")?)?;
/// let service = Receiver::new("shop", shop)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<standard_webhooks::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct StandardWebhooks {
    proof: Proof,
    spelling: Spelling,
    age: Age,
    profile: Profile,
    /// What signs beside the newest key, while keys are changed.
    also: Option<Proof>,
}

impl StandardWebhooks {
    /// Signatures `v1` by shared secrets: see [`secret`].
    ///
    /// # Errors
    ///
    /// [`ShortSecret`](crate::ConfigErrorKind::ShortSecret) under 16 bytes.
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let (spelling, age) = (Spelling::default(), Age::default());
        let proof = Proof::shared(keys.into(), spelling, age)?;
        Ok(Self { proof, spelling, age, profile: profile(), also: None })
    }

    /// Signatures `v1a` by these public keys: see [`public_key`].
    ///
    /// # Errors
    ///
    /// As [`Ed25519::new`](crate::scheme::Ed25519::new).
    #[cfg(feature = "asymmetric")]
    #[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
    pub fn asymmetric(public_keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let (spelling, age) = (Spelling::default(), Age::default());
        let proof = Proof::public(public_keys.into(), spelling, age)?;
        Ok(Self { proof, spelling, age, profile: profile(), also: None })
    }

    /// The private key with which a sender signs `v1a`: see [`secret_key`]. Default: none, and nothing can be sealed.
    ///
    /// # Errors
    ///
    /// [`Scheme`](crate::ConfigErrorKind::Scheme) where the signatures are `v1`; else as
    /// [`Ed25519::signing_key`](crate::scheme::Ed25519::signing_key).
    #[cfg(feature = "asymmetric")]
    #[cfg_attr(docsrs, doc(cfg(feature = "asymmetric")))]
    pub fn signing_key(mut self, private_key: Secret) -> Result<Self, ConfigError> {
        self.proof = self.proof.signing_key(private_key, self.spelling, self.age)?;
        Ok(self)
    }

    /// Seals with the signature of another's keys behind its own, as a sender does for as long as it changes keys, or changes
    /// from `v1` to `v1a`. Default: one signature, by the newest valid key. What is received is proved by the own keys alone.
    ///
    /// # Errors
    ///
    /// As [`StandardWebhooks::new`].
    pub fn also_signed_by(mut self, other: Self) -> Result<Self, ConfigError> {
        self.also = Some(other.proof.rebuilt(self.spelling, self.age)?);
        Ok(self)
    }

    /// How the headers are called. Default: [`Spelling::Either`].
    ///
    /// # Errors
    ///
    /// As [`StandardWebhooks::new`].
    pub fn spelling(self, spelling: Spelling) -> Result<Self, ConfigError> {
        let age = self.age;
        self.rebuilt(spelling, age)
    }

    /// How old a delivery may be, and how far its sender's clock may be ahead. Default: 5 minutes both.
    ///
    /// # Errors
    ///
    /// [`OutOfRange`](crate::ConfigErrorKind::OutOfRange) over [`Tolerance::MAX`](crate::scheme::Tolerance::MAX).
    pub fn tolerance(self, past: Duration, future: Duration) -> Result<Self, ConfigError> {
        let spelling = self.spelling;
        self.rebuilt(spelling, Age::Within { past, future })
    }

    /// Takes deliveries of any age.
    ///
    /// # Errors
    ///
    /// As [`StandardWebhooks::new`].
    ///
    /// # Security
    ///
    /// Whoever has seen one delivery can send it again for ever, and once its id is forgotten it is handled again.
    pub fn dangerous_without_tolerance(self) -> Result<Self, ConfigError> {
        let spelling = self.spelling;
        self.rebuilt(spelling, Age::Any)
    }

    /// Changes limits and timing. Default: as the table of this module says, and 1 MiB of body.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    fn rebuilt(self, spelling: Spelling, age: Age) -> Result<Self, ConfigError> {
        let proof = self.proof.rebuilt(spelling, age)?;
        let also = self.also.map(|also| also.rebuilt(spelling, age)).transpose()?;
        Ok(Self { proof, spelling, age, profile: self.profile, also })
    }
}

pub(crate) fn profile() -> Profile {
    const MINUTE: u64 = 60;
    const HOUR: u64 = 60 * MINUTE;
    let steps = [5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR];
    Profile::new("standard_webhooks")
        .answer_within(Duration::from_secs(15))
        .retries(Retries::steps(steps.map(Duration::from_secs)))
        .resend_window(Duration::from_hours(7 * 24))
}

/// What the specification recommends for a body.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Head {
    #[serde(rename = "type", deserialize_with = "text_if_any")]
    name: Option<Text>,
    #[serde(deserialize_with = "text_if_any")]
    timestamp: Option<Text>,
}

impl Provider for StandardWebhooks {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn scheme(&self) -> &dyn Scheme {
        self.proof.scheme()
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        let name = &self.spelling.found(headers).id;
        let id = Lookup::Header(name.clone()).find(headers, &[]).ok_or_else(|| {
            Rejection::new(RejectionKind::KeyMissing, format!("header {name} is missing, blank or repeated"))
        })?;
        let text = json::strict_if_json(&plaintext)?;
        let head = text.and_then(|text| json::parse_checked::<Object<Head>>(text).ok());
        let Object(head) = head.unwrap_or_default();
        let occurred_at = head.timestamp.and_then(|time| time.parse().ok());
        let event = Event::read(head.name.filter(|name| !name.is_empty()), headers, &plaintext);
        let identity = text.map_or_else(|| Identity::of_bytes(&plaintext), Identity::of_checked);
        let decoded = Decoded::identified(event, EventKey::of(&[&id]), plaintext, identity);
        Ok(decoded.occurred_at(occurred_at).into())
    }

    fn decode_one(&self, name: &str, raw: Bytes) -> Result<Event, Rejection> {
        Ok(Event::stored(name, raw))
    }

    /// As JSON, with the message's idempotency key as its id, or a new one.
    fn seal(&self, mut message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        message.content_type.get_or_insert(HeaderValue::from_static("application/json"));
        let id = match message.idempotency_key.take() {
            Some(id) => id,
            None => {
                let mut random = [0; 16];
                with.entropy.fill(&mut random)?;
                format!("msg_{}", Encoding::Hex.encode(&random))
            }
        };
        message.headers.insert(&self.spelling.sealed().id, HeaderValue::from_str(&id).map_err(|_| SealError::Header)?);
        let again = self.also.as_ref().map(|also| (also.scheme(), message.clone()));
        let mut request = super::seal(self.scheme(), &self.profile, message, with)?;
        if let Some((scheme, message)) = again {
            let other = super::seal(scheme, &self.profile, message, with)?;
            let name = &self.spelling.sealed().signature;
            let both =
                [&request, &other].map(|sealed| sealed.headers().get(name).map_or(&[][..], HeaderValue::as_bytes));
            let both = HeaderValue::from_bytes(&both.join(&b' ')).map_err(|_| SealError::Header)?;
            request.headers_mut().insert(name, both);
        }
        Ok(request)
    }
}
