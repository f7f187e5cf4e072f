//! Any sender whose deliveries a scheme can prove, by configuration alone: no code of its own.
//!
//! One delivery is one event, handed over as it came. The scheme says what is signed ([`Signed`](crate::scheme::Signed));
//! two lookups say what tells events apart and what they are called. A sender like this publishes less than is needed,
//! so that what is assumed stands here:
//!
//! | Fact | Value | How sure |
//! |---|---|---|
//! | Method, type | POST; any | assumed; [`Custom::change_profile`] |
//! | Key | whatever the lookups of [`Custom::new`] find, all of them, joined; a JSON string that reads like a number or a truth value keeps its quotes, so that `1` and `"1"` are two | configured |
//! | Body | any bytes. Where a lookup reads JSON, a body that is JSON must be strict: no name twice | assumed |
//! | Acknowledgement | any 2xx | assumed |
//! | Retries | not published: a horizon of 5 days, longer than the 3 days that are common, and 1 day for resends by hand | assumed |
//!
//! ```
//! use http::{HeaderMap, HeaderName};
//! use tower_webhook::RejectionKind;
//! use tower_webhook::clock::Timestamp;
//! use tower_webhook::encoding::Encoding;
//! use tower_webhook::provider::custom::Custom;
//! use tower_webhook::provider::{Lookup, Provider as _};
//! use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
//! use tower_webhook::secret::Secret;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signed = Signed::new(HeaderName::from_static("x-hub-signature-256"), Encoding::Hex).prefix("sha256=");
//! let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("It's a Secret to Everybody")?)?;
//! let hub = Custom::new(scheme, [Lookup::header("x-github-delivery")?])?.event_from(Lookup::header("x-github-event")?);
//!
//! // Everybody who has seen one delivery can change both under its signature.
//! assert_eq!(hub.unsigned_lookups().len(), 2);
//!
//! let mut headers = HeaderMap::new();
//! headers.insert("x-github-delivery", "72d3162e".parse()?);
//! headers.insert("x-github-event", "ping".parse()?);
//! let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
//! headers.insert("x-hub-signature-256", signature.parse()?);
//!
//! let opened = hub.scheme().open(&headers, "Hello, World!".into(), Timestamp::UNIX_EPOCH)?;
//! let events = hub.decode(&headers, opened.plaintext)?;
//! assert_eq!((events[0].key.as_str(), events[0].event.name.as_deref()), ("72d3162e", Some("ping")));
//!
//! let refused = hub.scheme().open(&headers, "Hello, World?".into(), Timestamp::UNIX_EPOCH).unwrap_err();
//! assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
//! # Ok(())
//! # }
//! ```

use std::fmt;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Request};
use serde::Deserialize;

use super::{Decoded, EventKey, Events, Lookup, Message, Profile, Provider, Retries};
use crate::error::{ConfigError, ConfigErrorKind, Rejection, RejectionKind};
use crate::event::{self, Notification, Text};
use crate::json;
use crate::scheme::{Scheme, SealError, Sealing};

const DAY: Duration = Duration::from_hours(24);

/// A sender by configuration. The [module docs](self) show it open a delivery.
///
/// ```
/// use http::HeaderName;
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::provider::Lookup;
/// use tower_webhook::provider::custom::{self, Custom};
/// use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
///
/// let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex);
/// let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("correct horse battery staple")?)?;
/// let shop = Custom::new(scheme, [Lookup::json("/id")?])?.event_from(Lookup::json("/type")?);
/// let service = Receiver::new("shop", shop)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(|event: Received<custom::Event>| async move { println!("{:?}", event.event()) });
/// # Ok::<(), tower_webhook::ConfigError>(())
/// ```
pub struct Custom {
    scheme: Box<dyn Scheme>,
    key: Vec<Lookup>,
    event: Option<Lookup>,
    profile: Profile,
}

impl Custom {
    /// Deliveries that this scheme proves, told apart by what stands in these places, all of them together.
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::NoEventKey`] without a place, or when every place says the same of every delivery.
    ///
    /// # Security
    ///
    /// Name places that together are never the same for two facts. What the scheme does not cover can be changed by
    /// everybody who has seen one delivery, and handled again: see [`Custom::unsigned_lookups`].
    pub fn new(scheme: impl Scheme, key: impl IntoIterator<Item = Lookup>) -> Result<Self, ConfigError> {
        let key: Vec<Lookup> = key.into_iter().collect();
        if key.iter().all(|place| matches!(place, Lookup::Fixed(_))) {
            return Err(ConfigError::new(ConfigErrorKind::NoEventKey));
        }
        Ok(Self { scheme: Box::new(scheme), key, event: None, profile: profile() })
    }

    /// Where a delivery says what it is about. Default: nowhere.
    #[must_use]
    pub fn event_from(mut self, place: Lookup) -> Self {
        self.event = Some(place);
        self
    }

    /// Changes limits, methods, types and timing. Default: as the table of this module says, and 1 MiB of body.
    #[must_use]
    pub fn change_profile(mut self, change: impl FnOnce(&mut Profile)) -> Self {
        change(&mut self.profile);
        self
    }

    /// What the key or the event's name is made of although the scheme does not prove it.
    #[must_use]
    pub fn unsigned_lookups(&self) -> Vec<UnsignedLookup<'_>> {
        let covered = |place: &Lookup| match place {
            Lookup::Json(_) => self.scheme.covers_body(),
            Lookup::Header(name) => self.scheme.covers_header(name),
            Lookup::Fixed(_) => true,
        };
        let key = self.key.iter().map(|place| (Purpose::Key, place));
        let event = self.event.iter().map(|place| (Purpose::Event, place));
        let all = key.chain(event).filter(|(_, place)| !covered(place));
        all.map(|(purpose, place)| UnsignedLookup { purpose, place }).collect()
    }

    fn reads_json(&self) -> bool {
        self.key.iter().chain(&self.event).any(|place| matches!(place, Lookup::Json(_)))
    }

    fn key(&self, headers: &HeaderMap, body: &[u8]) -> Result<EventKey, Rejection> {
        let parts = self.key.iter().map(|place| {
            place.find_distinct(headers, body).ok_or_else(|| {
                let detail = match place {
                    Lookup::Header(name) => format!("header {name} is missing, blank or repeated"),
                    Lookup::Json(pointer) => format!("nothing at {pointer} of the body"),
                    Lookup::Fixed(_) => "a fixed text is blank".to_owned(),
                };
                Rejection::new(RejectionKind::KeyMissing, detail)
            })
        });
        let parts: Vec<String> = parts.collect::<Result<_, _>>()?;
        Ok(EventKey::of(&parts.iter().map(String::as_str).collect::<Vec<_>>()))
    }
}

/// A place that is looked at although it is not proved.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct UnsignedLookup<'a> {
    /// What is made of it.
    pub purpose: Purpose,
    /// The place.
    pub place: &'a Lookup,
}

/// What a lookup is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Purpose {
    /// It tells events apart.
    Key,
    /// It names the event.
    Event,
}

impl fmt::Display for UnsignedLookup<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let purpose = match self.purpose {
            Purpose::Key => "the event key",
            Purpose::Event => "the event name",
        };
        match self.place {
            Lookup::Header(name) => write!(f, "{purpose} comes from an unsigned header: {name}"),
            Lookup::Json(pointer) => write!(f, "{purpose} comes from an unsigned body: {pointer}"),
            Lookup::Fixed(_) => write!(f, "{purpose} is fixed"),
        }
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("scheme", &self.scheme.name())
            .field("key", &self.key)
            .field("event", &self.event)
            .field("profile", &self.profile)
            .finish()
    }
}

fn profile() -> Profile {
    Profile::new("custom").retries(Retries::unpublished(5 * DAY)).resend_window(DAY)
}

impl Provider for Custom {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn scheme(&self) -> &dyn Scheme {
        &*self.scheme
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        if self.reads_json() {
            json::strict_if_json(&plaintext)?;
        }
        let key = self.key(headers, &plaintext)?;
        let name = self.event.as_ref().and_then(|place| place.find(headers, &plaintext)).map(Text::from);
        Ok(Decoded::new(Event::read(name, headers, &plaintext), key, plaintext).into())
    }

    fn decode_one(&self, name: &str, raw: Bytes) -> Result<Event, Rejection> {
        Ok(Event::stored(name, raw))
    }

    /// With the message's idempotency key, if it has one, in the first header that the key is read from.
    fn seal(&self, mut message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        let header = self.key.iter().find_map(|place| match place {
            Lookup::Header(name) => Some(name),
            _ => None,
        });
        if let (Some(name), Some(key)) = (header, message.idempotency_key.take()) {
            message.headers.insert(name, HeaderValue::from_str(&key).map_err(|_| SealError::Header)?);
        }
        super::seal(&*self.scheme, &self.profile, message, with)
    }
}

/// The name of what has none.
const NAMELESS: &str = "notification";

/// A delivery as it came. Its body may be anything.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// What it is about, where [`Custom::event_from`] finds it.
    pub name: Option<Text>,
    /// What the sender says the body is, in lower case and without parameters. Nothing has checked that it is so.
    pub content_type: Option<Text>,
    /// The body, byte for byte.
    pub body: Bytes,
}

impl Event {
    /// A delivery with this body, by hand for tests; its name and type are set one by one.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { name: None, content_type: None, body: body.into() }
    }

    /// As it was stored: by the name that was found then. What the sender says the body is, is not known any more.
    pub(super) fn stored(name: &str, body: Bytes) -> Self {
        Self { name: (name != NAMELESS).then(|| name.into()), ..Self::new(body) }
    }

    pub(super) fn read(name: Option<Text>, headers: &HeaderMap, body: &Bytes) -> Self {
        Self { name, content_type: content_type(headers), body: body.clone() }
    }

    /// The body as strict JSON: UTF-8, and no name twice in one object.
    ///
    /// # Errors
    ///
    /// [`PayloadMalformed`](RejectionKind::PayloadMalformed) when it is not that, or is not a `T`.
    pub fn json<'a, T: Deserialize<'a>>(&'a self) -> Result<T, Rejection> {
        json::parse(&self.body)
    }
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        event::Event::Notification(Notification { name: self.name.clone(), content_type: self.content_type.clone() })
    }

    /// `notification`, where nothing tells the event's own name.
    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(NAMELESS)
    }
}

fn content_type(headers: &HeaderMap) -> Option<Text> {
    let value = headers.get(CONTENT_TYPE)?.to_str().ok()?;
    let essence = value.split(';').next()?.trim().to_ascii_lowercase();
    (!essence.is_empty()).then(|| essence.into())
}
