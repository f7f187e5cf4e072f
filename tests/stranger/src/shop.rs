//! A provider that the crate does not know: signed JSON, several events in a delivery, events of unknown names.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use serde::Deserialize;
use serde_json::value::RawValue;
use tower_webhook::encoding::Encoding;
use tower_webhook::event::{self, Amount, Direction, Project, TransferStatus};
use tower_webhook::provider::{Decoded, EventKey, Events, Profile, Provider, Unreadable};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Signed, Template, TimeUnit, Tolerance};
use tower_webhook::secret::KeyRing;
use tower_webhook::{ConfigError, Outcome, Received, Rejection, RejectionKind};

use crate::{Entry, Ledger};

#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    Paid(Payment),
    Refunded(Payment),
    /// As it came.
    Unknown {
        name: String,
        raw: Bytes,
    },
}

#[derive(Clone, Debug, Deserialize, PartialEq)]
pub struct Payment {
    pub id: String,
    pub amount: String,
    pub currency: String,
}

impl Payment {
    fn project(&self, direction: Direction) -> event::Event {
        let mut transfer = event::Transfer::new(&self.id, direction, TransferStatus::Completed);
        transfer.amount = Amount::parse(&self.amount).ok().map(|amount| amount.of(Some(&self.currency)));
        event::Event::Transfer(transfer)
    }
}

impl Project for Event {
    fn project(&self) -> event::Event {
        match self {
            Self::Paid(payment) => payment.project(Direction::Incoming),
            Self::Refunded(payment) => payment.project(Direction::Outgoing),
            Self::Unknown { name, .. } => event::Event::Unknown(event::Unknown::new(name)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::Paid(_) => "paid",
            Self::Refunded(_) => "refunded",
            Self::Unknown { name, .. } => name,
        }
    }
}

#[derive(Debug)]
pub struct Shop {
    scheme: Hmac,
    profile: Profile,
}

impl Shop {
    pub fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let signed = Signed::new(HeaderName::from_static("shop-signature"), Encoding::Hex)
            .params(",", "v1")
            .template(Template::parse("{param:t}.{body}")?)
            .timestamp(Tolerance::param("t", TimeUnit::Seconds));
        let mut profile = Profile::new("shop");
        profile.content_types = vec!["application/json"];
        profile.max_events = 50;
        Ok(Self { scheme: Hmac::new(MacAlgorithm::HmacSha256, signed, keys)?, profile })
    }
}

impl Provider for Shop {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn scheme(&self) -> &dyn Scheme {
        &self.scheme
    }

    fn event_content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("application/json"))
    }

    fn decode(&self, _: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        #[derive(Deserialize)]
        struct Batch<'a> {
            #[serde(borrow)]
            events: Vec<&'a RawValue>,
        }
        let batch: Batch = serde_json::from_slice(&plaintext).map_err(malformed)?;
        let mut events = Events::default();
        for (position, raw) in batch.events.into_iter().enumerate() {
            let raw = plaintext.slice_ref(raw.get().as_bytes());
            match decode_one(&raw) {
                Ok(event) => events.push(event),
                Err(why) => events.push_unreadable(Unreadable::new(position, why, raw)),
            }
        }
        Ok(events)
    }
}

fn decode_one(raw: &Bytes) -> Result<Decoded<Event>, Rejection> {
    #[derive(Deserialize)]
    struct Head {
        id: String,
        name: String,
    }
    let Head { id, name } = serde_json::from_slice(raw).map_err(malformed)?;
    let key = EventKey::of(&[&name, &id]);
    let payment = || serde_json::from_slice(raw).map_err(malformed);
    let event = match name.as_str() {
        "paid" => Event::Paid(payment()?),
        "refunded" => Event::Refunded(payment()?),
        _ => Event::Unknown { name, raw: raw.clone() },
    };
    Ok(Decoded::new(event, key, raw.clone()))
}

fn malformed(fault: serde_json::Error) -> Rejection {
    Rejection::new(RejectionKind::PayloadMalformed, "not what the shop sends").caused_by(fault)
}

/// One transaction for all new events of a delivery.
pub async fn on_shop(ledger: Ledger, events: Vec<Received<Event>>) -> Vec<Outcome> {
    let write = |event: &Received<Event>| ledger.write(Entry::of(event.delivery(), event.name()));
    events.iter().map(|event| write(event).map_or_else(Outcome::failed, |()| Outcome::Done)).collect()
}
