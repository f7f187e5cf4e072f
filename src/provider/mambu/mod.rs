//! Mambu: notifications whose body the receiver's own side designs, as JSON, XML or text.
//!
//! Nothing is signed. Basic auth in front proves the sender, or a secret in a static header of the template
//! ([`Mambu::static_header`]); without either a receiver refuses everything. One delivery is one notification, keyed
//! by `x-notifications-idempotency-key` or by members of the body. A body that does not parse is no rejection.
//!
//! | Fact | Value | How sure |
//! |---|---|---|
//! | Authentication | none, or Basic; static headers as the template has them, without placeholders | [notifications], [practices] |
//! | Signature, timestamp | none | by absence |
//! | Methods | POST, PUT, PATCH, by template | [notifications] |
//! | Types | JSON, XML, plain text, by template; `text/xml` is our addition | [template] |
//! | Idempotency header | on every request (2023), or "when this feature is enabled" (now): [`KeyPolicy`] | [notifications]; the two conflict |
//! | Its value | not published, so that up to 255 bytes of visible ASCII are taken | assumed |
//! | On a retry, on a resend by hand | the same value; a new one | second hand |
//! | Payload of either | the bytes of the first send | <https://docs.mambu.com/docs/webhooks-overview/> |
//! | Same event under one key | what a JSON body says, however it is written; the bytes of any other | ours |
//! | Event's name | only where the template says it: [`Mambu::event_at`] | inferred |
//! | Placeholder without value | an empty text; a number without quotes then breaks the JSON | <https://docs.mambu.com/docs/notifications-placeholders/> |
//! | Acknowledgement | any 2xx; a 3xx is a failure | [practices] |
//! | Time to answer | on purpose not published | <https://docs.mambu.com/docs/webhooks-circuit-breaker/> |
//! | Retries | five attempts (2023), or "according to platform policy" (now): [`RetryPolicy`] | [notifications]; the two conflict |
//! | Resend by hand | any time, as long as the message is kept; 7 days are kept for it: who looks at failures at all does so within a week | assumed |
//! | Sender's addresses | a list for each region, which we have not seen | |
//!
//! [notifications]: https://docs.mambu.com/docs/notifications-channels-webhooks-webhook-notifications/
//! [practices]: https://docs.mambu.com/docs/webhooks-best-practices/
//! [template]: https://docs.mambu.com/api/api-v1/schemas/schemas/messagetemplateapiv-1/
//!
//! ```
//! use bytes::Bytes;
//! use http::HeaderMap;
//! use tower_webhook::RejectionKind;
//! use tower_webhook::json::Pointer;
//! use tower_webhook::provider::mambu::{EventName, Mambu};
//! use tower_webhook::provider::{Lookup, Provider as _};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let mambu = Mambu::new()
//!     .event_at(Lookup::json("/event")?)
//!     .key_from_body([Pointer::new("/event")?, Pointer::new("/transactionId")?]);
//! let body = Bytes::from(r#"{"event":"LOAN_DISBURSEMENT","transactionId":"T-1"}"#);
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("x-notifications-idempotency-key", "6f1c".parse()?);
//! let events = mambu.decode(&headers, body.clone())?;
//! assert_eq!(events[0].event.name, Some(EventName::LoanDisbursement));
//! assert_eq!(events[0].key.as_str(), "body|LOAN_DISBURSEMENT|T-1");
//!
//! let refused = mambu.decode(&HeaderMap::new(), body).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::KeyMissing);
//! # Ok(())
//! # }
//! ```

mod events;
mod keys;
mod model;
mod retry;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request};

pub use events::EventName;
pub use keys::KeyPolicy;
pub use model::{ContentType, Event};
pub use retry::RetryPolicy;

use self::keys::Keys;
use super::{Decoded, Events, Lookup, Message, Profile, Provider};
use crate::error::{ConfigError, Rejection};
use crate::json::Pointer;
use crate::scheme::{Scheme, SealError, Sealing, StaticToken, Unsigned};
use crate::secret::KeyRing;

/// Mambu, as a receiver sees it and as a sender plays it.
///
/// ```
/// use tower_webhook::layers::{BasicAuthLayer, Credentials};
/// use tower_webhook::provider::Lookup;
/// use tower_webhook::provider::mambu::{self, Mambu};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let mambu = Mambu::new().event_at(Lookup::json("/event")?);
/// let password = Secret::utf8("correct horse battery staple")?;
/// let basic = BasicAuthLayer::new([Credentials::new("mambu", password)?])?;
/// let service = Receiver::new("mambu", mambu).basic_auth(&basic)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<mambu::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
#[derive(Debug)]
pub struct Mambu {
    proof: Proof,
    event_at: Option<Lookup>,
    keys: Keys,
    profile: Profile,
}

#[derive(Debug)]
enum Proof {
    InFront(Unsigned),
    Header(StaticToken),
}

impl Mambu {
    /// Mambu with Basic auth, which the receiver checks in front of the body. Nothing here does.
    #[must_use]
    pub fn new() -> Self {
        Self::proved_by(Proof::InFront(Unsigned))
    }

    /// Mambu with a secret in a static header of the template, such as `x-api-key`. Basic auth may stand in front too.
    ///
    /// # Errors
    ///
    /// As [`StaticToken::new`].
    ///
    /// # Security
    ///
    /// The secret proves that the peer knows it and nothing about the body, as Basic auth does.
    pub fn static_header(header: HeaderName, keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        StaticToken::new(header, keys).map(|token| Self::proved_by(Proof::Header(token)))
    }

    fn proved_by(proof: Proof) -> Self {
        Self { proof, event_at: None, keys: Keys::default(), profile: profile() }
    }

    /// Where the template says what the notification is about. Default: nowhere.
    #[must_use]
    pub fn event_at(mut self, place: Lookup) -> Self {
        self.event_at = Some(place);
        self
    }

    /// What becomes of a delivery without the idempotency header. Default: [`KeyPolicy::Require`].
    #[must_use]
    pub fn key_policy(mut self, policy: KeyPolicy) -> Self {
        self.keys.policy = policy;
        self
    }

    /// Makes the key of these members of a JSON body, in place of the header's value: a resend by hand brings the same
    /// body under a new value, and would be handled again. Default: no members.
    ///
    /// All of them must be there and not blank. Otherwise, as when the JSON is broken, the header's value is the key, and
    /// a resend by hand of that one is handled again. The header is asked for in any case, as [`KeyPolicy`] has it.
    ///
    /// # Security
    ///
    /// Name members that together are never the same for two facts, such as the event and the transaction's id. An
    /// account's id alone would let only its first notification through.
    #[must_use]
    pub fn key_from_body(mut self, members: impl IntoIterator<Item = Pointer>) -> Self {
        self.keys.in_body = members.into_iter().map(Lookup::Json).collect();
        self
    }

    /// How often Mambu tries. Default: [`RetryPolicy::PlatformPolicy`].
    #[must_use]
    pub fn retry_policy(mut self, policy: RetryPolicy) -> Self {
        self.profile.retries = policy.retries();
        self
    }

    /// Changes limits and timing. Default: as the table of this module says, and 1 MiB of body.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }
}

impl Default for Mambu {
    fn default() -> Self {
        Self::new()
    }
}

pub(crate) fn profile() -> Profile {
    Profile::new("mambu")
        .methods([Method::POST, Method::PUT, Method::PATCH])
        .content_types(["application/json", "application/xml", "text/xml", "text/plain"])
        .retries(RetryPolicy::default().retries())
        .resend_window(retry::RESEND_WINDOW)
}

impl Provider for Mambu {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn scheme(&self) -> &dyn Scheme {
        match &self.proof {
            Proof::InFront(unsigned) => unsigned,
            Proof::Header(token) => token,
        }
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        let key = self.keys.key(headers, &plaintext)?;
        let name = self.event_at.as_ref().and_then(|place| place.find(headers, &plaintext));
        Ok(Decoded::new(Event::read(name, headers, &plaintext), key, plaintext).into())
    }

    /// By the name that was found then. What the body claims to be is not known any more.
    fn decode_one(&self, name: &str, raw: Bytes) -> Result<Event, Rejection> {
        Ok(Event::read(Some(name.to_owned()).filter(|name| name != model::NAMELESS), &HeaderMap::new(), &raw))
    }

    /// A POST with the message's idempotency key, if it has one, in Mambu's header. Credentials for Basic auth are not
    /// added: like the address they belong to the subscription, and so does another method.
    fn seal(&self, mut message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        let key = message.idempotency_key.take();
        let mut request = super::seal(self.scheme(), &self.profile, message, with)?;
        if let Some(key) = key {
            let value = HeaderValue::from_str(&key).map_err(|_| SealError::Header)?;
            request.headers_mut().insert(keys::HEADER, value);
        }
        Ok(request)
    }
}
