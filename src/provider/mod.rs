//! One module per provider: what it sends, how it is keyed, acknowledged and retried.
//!
//! A [`Provider`] joins a [`Scheme`] with a decoder: the opened bytes become one or more [`Decoded`] events, each with
//! the idempotency key that the provider's own words give it. Header names, schedules and encodings on which sources
//! differ are data in the [`Profile`], with the source beside them.

mod acknowledgement;
pub mod aella;
mod any;
pub mod banking_circle;
pub mod custom;
mod decoded;
mod event_key;
mod events;
mod lookup;
pub mod mambu;
mod message;
pub mod opp;
mod profile;
mod retries;
mod shape;
pub mod sibs;
pub mod standard_webhooks;
mod time;

use std::fmt;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Request};

use crate::error::Rejection;
use crate::event;
use crate::scheme::{Scheme, SealError, Sealing};

pub use crate::json::Identity;
pub use acknowledgement::Acknowledgement;
pub use any::{AnyEvent, AnyProvider};
pub use decoded::Decoded;
pub use event_key::EventKey;
pub use events::{Events, Unreadable};
pub use lookup::Lookup;
pub use message::{Message, seal};
pub use profile::{Delivered, Profile};
pub use retries::Retries;

/// A sender of webhooks, in both directions: what opens its deliveries also seals them.
///
/// ```
/// use bytes::Bytes;
/// use http::{HeaderMap, HeaderName};
/// use serde::Deserialize;
/// use serde_json::value::RawValue;
/// use tower_webhook::clock::{OsEntropy, Timestamp};
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::event::{self, Amount, Direction, Transfer, TransferStatus};
/// use tower_webhook::provider::{Decoded, EventKey, Events, Message, Profile, Provider, Unreadable};
/// use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Sealing, Signed};
/// use tower_webhook::secret::Secret;
/// use tower_webhook::{Rejection, RejectionKind, json};
///
/// #[derive(Clone, Debug)]
/// enum Event {
///     Paid { id: String, amount: Amount },
///     Unknown { name: String },
/// }
///
/// impl event::Project for Event {
///     fn project(&self) -> event::Event {
///         match self {
///             Self::Paid { id, amount } => {
///                 let mut transfer = Transfer::new(id, Direction::Incoming, TransferStatus::Completed);
///                 transfer.amount = Some(amount.of(Some("EUR")));
///                 event::Event::Transfer(transfer)
///             }
///             Self::Unknown { name } => event::Event::Unknown(event::Unknown::new(name)),
///         }
///     }
///
///     fn name(&self) -> &str {
///         match self {
///             Self::Paid { .. } => "paid",
///             Self::Unknown { name } => name,
///         }
///     }
/// }
///
/// struct Acme {
///     scheme: Hmac,
///     profile: Profile,
/// }
///
/// #[derive(Deserialize)]
/// struct Head {
///     id: String,
///     r#type: String,
/// }
///
/// #[derive(Deserialize)]
/// struct Paid {
///     amount: Amount,
/// }
///
/// fn read(raw: &RawValue) -> Result<(Event, EventKey), Rejection> {
///     let Head { id, r#type: name } = json::parse(raw.get().as_bytes())?;
///     let key = EventKey::of(&[&id]);
///     let event = match name.as_str() {
///         "paid" => Event::Paid { id, amount: json::parse::<Paid>(raw.get().as_bytes())?.amount },
///         _ => Event::Unknown { name },
///     };
///     Ok((event, key))
/// }
///
/// impl Provider for Acme {
///     type Event = Event;
///
///     fn profile(&self) -> &Profile {
///         &self.profile
///     }
///
///     fn scheme(&self) -> &dyn Scheme {
///         &self.scheme
///     }
///
///     /// A batch: one event that cannot be read stops no other.
///     fn decode(&self, _: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
///         let mut events = Events::default();
///         for (position, raw) in json::parse::<Vec<&RawValue>>(&plaintext)?.into_iter().enumerate() {
///             let slice = plaintext.slice_ref(raw.get().as_bytes());
///             match read(raw) {
///                 Ok((event, key)) => events.push(Decoded::new(event, key, slice)),
///                 Err(why) => events.push_unreadable(Unreadable::new(position, why, slice)),
///             }
///         }
///         Ok(events)
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signed = Signed::new(HeaderName::from_static("acme-signature"), Encoding::Hex);
/// let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("correct horse battery staple")?)?;
/// let acme = Acme { scheme, profile: Profile::new("acme").max_events(100) };
///
/// let now = Timestamp::UNIX_EPOCH;
/// let batch = r#"[{"id":"e-1","type":"paid","amount":"12.50"},{"id":"e-2","type":"lost"},{"id":"e-3","type":"paid"}]"#;
/// let sent = acme.seal(Message::new(batch), &Sealing::new(now, &OsEntropy))?;
/// let opened = acme.scheme().open(sent.headers(), sent.body().clone(), now)?;
/// let events = acme.decode(sent.headers(), opened.plaintext)?;
/// assert!(matches!(&events[0].event, Event::Paid { id, amount } if id == "e-1" && amount.to_string() == "12.50"));
/// assert!(matches!(&events[1].event, Event::Unknown { name } if name == "lost"));
/// assert_eq!(events.unreadable()[0].position, 2);
///
/// let refused = acme.scheme().open(sent.headers(), "[]".into(), now).unwrap_err();
/// assert_eq!(refused.kind(), RejectionKind::SignatureMismatch);
/// # Ok(())
/// # }
/// ```
///
/// `examples/custom_provider.rs` is the same behind a receiver.
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
    ///
    /// # In tests
    ///
    /// It proves nothing, and so it is the way to an event by hand, for the test of a handler. [`Events::only`] is the one
    /// of a delivery:
    ///
    /// ```
    /// use tower_webhook::provider::{Provider as _, aella};
    /// use tower_webhook::secret::Secret;
    ///
    /// let aella = aella::Aella::new(Secret::utf8("never used in a test")?)?;
    /// let body = r#"{"event":"transfer.failed","data":{"id":"7b12","amount":10000}}"#;
    /// let event = aella.decode(&http::HeaderMap::new(), body.into())?.only().unwrap().event;
    /// assert!(matches!(event, aella::Event::TransferFailed(transfer) if transfer.id == "7b12"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Self::Event>, Rejection>;

    /// One event, alone, as an inbox has kept it: its name as it was then, and [`Decoded::raw`]. The headers of its delivery
    /// are gone. Default: what [`decode`](Self::decode) finds in it without headers, for providers of one event a delivery.
    /// Who puts several into one, or cannot decode without headers, must say how.
    ///
    /// # Errors
    ///
    /// As [`decode`](Self::decode).
    fn decode_one(&self, name: &str, raw: Bytes) -> Result<Self::Event, Rejection> {
        let _ = name;
        self.decode(&HeaderMap::new(), raw)?.one()
    }

    /// What an event is as bytes, for services behind a receiver as a layer. `None`: what the delivery says, since its body
    /// is the event. Default: `None`.
    fn event_content_type(&self) -> Option<HeaderValue> {
        None
    }

    /// What the provider must read when all of these events, which [`decode`](Self::decode) found in one delivery, are
    /// done. `None`: it reads the status alone, so the handler's own 2xx is passed on, or an empty 200 for several events.
    /// Default: `None`.
    fn acknowledge(&self, events: &Events<Self::Event>) -> Option<Acknowledgement> {
        let _ = events;
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
