//! One room per provider: what it sends, how it is keyed, acknowledged and retried.
//!
//! A [`Provider`] joins a [`Scheme`] with a decoder: the opened bytes become one or more [`Decoded`] events, each with
//! the idempotency key that the provider's own words give it. Header names, schedules and encodings that sources tell
//! differently are data in the [`Profile`], with the source beside them.

pub mod aella;
mod any;
pub mod banking_circle;
pub mod custom;
mod events;
mod lookup;
pub mod mambu;
pub mod opp;
mod shape;
pub mod sibs;
pub mod standard_webhooks;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode};
use jiff::Timestamp;

use crate::error::{ConfigError, ConfigErrorKind, Rejection};
use crate::event;
use crate::scheme::{Scheme, SealError, Sealing};

pub use crate::json::Identity;
pub use any::{AnyEvent, AnyProvider};
pub use events::{Events, Unreadable};
pub use lookup::Lookup;

const DAY: Duration = Duration::from_hours(24);

/// A sender of webhooks, in both directions: the same room opens and seals.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a provider",
    note = "providers stand in `tower_webhook::provider`: `Custom` reads any sender that a scheme can prove"
)]
pub trait Provider: Send + Sync + 'static {
    /// The provider's exact events.
    type Event: event::Project + Clone + fmt::Debug + Send + Sync + 'static;

    /// How the provider behaves: limits, timing, acknowledgement.
    fn profile(&self) -> &Profile;

    /// How its deliveries are proved.
    fn scheme(&self) -> &dyn Scheme;

    /// The events inside an opened body, in the order in which they stand, and beside them those that cannot be read.
    ///
    /// # Errors
    ///
    /// [`PayloadMalformed`](crate::RejectionKind::PayloadMalformed) when the body as a whole is not what the provider
    /// sends, or its only event cannot be read; [`KeyMissing`](crate::RejectionKind::KeyMissing) when its only event has
    /// nothing to tell it from others. An unknown event type or member is never an error.
    fn decode(&self, headers: &HeaderMap, plaintext: &Bytes) -> Result<Events<Self::Event>, Rejection>;

    /// What an event is as bytes, for services behind a receiver as a layer. `None`: what the delivery says, since its body
    /// is the event. Default: `None`.
    fn event_content_type(&self) -> Option<HeaderValue> {
        None
    }

    /// What the provider must read when all events of a delivery are done. `None`: it reads the status alone, so the
    /// handler's own 2xx is passed on, or an empty 200 for several events. Default: `None`.
    fn acknowledge(&self, plaintext: &Bytes) -> Option<Acknowledgement> {
        let _ = plaintext;
        None
    }

    /// The provider's side: a request that carries this message, to be given its address by the sender.
    ///
    /// # Errors
    ///
    /// [`SealError`] as the scheme has it.
    fn seal(&self, message: Message, with: &Sealing<'_>) -> Result<Request<Bytes>, SealError> {
        seal(self.scheme(), self.profile(), message, with)
    }
}

/// Seals with the scheme and the profile's content type, as most providers do.
pub(crate) fn seal(
    scheme: &dyn Scheme,
    profile: &Profile,
    message: Message,
    with: &Sealing<'_>,
) -> Result<Request<Bytes>, SealError> {
    seal_with(scheme, profile, message, HeaderMap::new(), with)
}

/// The same, on top of headers that the scheme may have to sign.
pub(crate) fn seal_with(
    scheme: &dyn Scheme,
    profile: &Profile,
    message: Message,
    headers: HeaderMap,
    with: &Sealing<'_>,
) -> Result<Request<Bytes>, SealError> {
    let mut request = Request::new(Bytes::new());
    *request.headers_mut() = message.headers;
    request.headers_mut().extend(headers);
    *request.method_mut() = profile.methods.first().cloned().unwrap_or(Method::POST);
    let content_type =
        message.content_type.or_else(|| profile.content_types.first().copied().map(HeaderValue::from_static));
    if let Some(content_type) = content_type {
        request.headers_mut().insert(CONTENT_TYPE, content_type);
    }
    *request.body_mut() = scheme.seal(message.body, request.headers_mut(), with)?;
    Ok(request)
}

/// One event, decoded and keyed.
#[derive(Clone, Debug)]
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

/// The readable idempotency key of an event, before it is hashed for a store. It may hold identifiers of a payment.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct EventKey(Arc<str>);

impl EventKey {
    /// The key of these parts, joined by `|`. A part that itself holds `|` or `\` is escaped, so that no two lists of
    /// parts make the same key.
    #[must_use]
    pub fn of(parts: &[&str]) -> Self {
        let mut text = String::with_capacity(parts.iter().map(|part| part.len() + 1).sum());
        for (at, part) in parts.iter().enumerate() {
            if at > 0 {
                text.push('|');
            }
            if part.contains(['|', '\\']) {
                text.push_str(&part.replace('\\', "\\\\").replace('|', "\\|"));
            } else {
                text.push_str(part);
            }
        }
        Self(text.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for EventKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a provider is sent when its delivery is done.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Acknowledgement {
    /// A 2xx.
    pub status: StatusCode,
    /// The type of the body, where there is one.
    pub content_type: Option<HeaderValue>,
    /// Mostly empty.
    pub body: Bytes,
}

impl Default for Acknowledgement {
    fn default() -> Self {
        Self { status: StatusCode::OK, content_type: None, body: Bytes::new() }
    }
}

/// A message to be sealed and sent.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Message {
    /// The plaintext body.
    pub body: Bytes,
    /// The content type, where it is not the profile's first.
    pub content_type: Option<HeaderValue>,
    /// The idempotency key, for providers that send one in a header.
    pub idempotency_key: Option<String>,
    /// Further headers. A scheme that signs one of them finds it here.
    pub headers: HeaderMap,
}

impl Message {
    /// A message with this body.
    #[must_use]
    pub fn new(body: impl Into<Bytes>) -> Self {
        Self { body: body.into(), content_type: None, idempotency_key: None, headers: HeaderMap::new() }
    }

    /// With another content type than the profile's first.
    #[must_use]
    pub fn content_type(mut self, value: HeaderValue) -> Self {
        self.content_type = Some(value);
        self
    }

    /// With a further header, before it is sealed.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.append(name, value);
        self
    }

    /// With an idempotency key.
    #[must_use]
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }
}

/// How a provider behaves. Every number is a default with a source in its room's docs, and can be replaced.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Profile {
    /// The name in logs, keys and configuration.
    pub name: &'static str,
    /// The methods it uses; others are 405.
    pub methods: Vec<Method>,
    /// The content types it uses, without parameters; others are 415. Empty: any, since none is documented.
    pub content_types: Vec<&'static str>,
    /// The longest body taken, in bytes.
    pub max_body: usize,
    /// The most events in one delivery.
    pub max_events: usize,
    /// How long it waits for an answer before it counts the delivery as failed.
    pub answer_within: Option<Duration>,
    /// When it tries again.
    pub retries: Retries,
    /// Which answers it takes as delivered.
    pub delivered: Delivered,
    /// How long after its last own try somebody may resend by hand.
    pub resend_window: Duration,
}

impl Profile {
    /// A profile for a sender that publishes nothing, to be changed where it does: POST, any content type, 1 MiB of body, one
    /// event, any 2xx, retries for 5 days, and 1 day for resends by hand.
    #[must_use]
    pub fn new(name: &'static str) -> Self {
        Self {
            name,
            methods: vec![Method::POST],
            content_types: Vec::new(),
            max_body: 1024 * 1024,
            max_events: 1,
            answer_within: None,
            retries: Retries::unpublished(5 * DAY),
            delivered: Delivered::AnySuccess,
            resend_window: DAY,
        }
    }

    /// How long a key must be remembered: all retries and resends, and a fifth on top.
    #[must_use]
    pub fn retention(&self) -> Duration {
        let span = self.retries.horizon().saturating_add(self.resend_window);
        span.saturating_add(span / 5)
    }

    /// Checks a retention against [`Profile::retention`].
    ///
    /// # Errors
    ///
    /// [`ConfigErrorKind::Retention`] when it is shorter.
    pub fn check_retention(&self, given: Duration) -> Result<Duration, ConfigError> {
        let least = self.retention();
        if given < least {
            return Err(ConfigError::new(ConfigErrorKind::Retention {
                least: least.as_secs(),
                given: given.as_secs(),
            }));
        }
        Ok(given)
    }
}

/// Which answers a provider takes as delivered.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Delivered {
    /// Any 2xx.
    AnySuccess,
    /// 200 alone.
    OkOnly,
}

/// A sender's schedule: the waits between tries, and then a steady rhythm to a horizon.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Retries {
    /// The wait before each further try.
    pub steps: Vec<Duration>,
    /// After the steps: again and again with this wait, until the horizon.
    pub then_every: Option<Duration>,
    /// The last moment of an automatic try, counted from the first. `None`: the sum of the steps.
    pub until: Option<Duration>,
}

impl Retries {
    /// These waits, and then no more.
    #[must_use]
    pub fn steps(steps: impl Into<Vec<Duration>>) -> Self {
        Self { steps: steps.into(), then_every: None, until: None }
    }

    /// A schedule that the provider does not publish, taken to end after this time.
    #[must_use]
    pub fn unpublished(until: Duration) -> Self {
        Self { steps: Vec::new(), then_every: None, until: Some(until) }
    }

    /// After the steps, again with this wait until the horizon.
    #[must_use]
    pub fn then_every(mut self, wait: Duration, until: Duration) -> Self {
        self.then_every = Some(wait);
        self.until = Some(until);
        self
    }

    /// The time from the first try to the last.
    #[must_use]
    pub fn horizon(&self) -> Duration {
        self.until.unwrap_or_else(|| self.steps.iter().sum())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_lists_of_parts_make_one_key() {
        let lists: [&[&str]; 6] = [&["a", "b"], &["a|b"], &["a\\", "b"], &["a\\|b"], &["a", "", "b"], &["ab"]];
        let keys: std::collections::HashSet<_> = lists.iter().map(|parts| EventKey::of(parts)).collect();
        assert_eq!(keys.len(), lists.len());
        assert_eq!(EventKey::of(&["transfer.completed", "7b"]).as_str(), "transfer.completed|7b");
    }
}
