//! A provider of one's own: signed batches, an enum of its events, one of them unknown and one that cannot be read.
//!
//! `cargo run --example custom_provider` sends a good and a forged delivery through a receiver, asserts what comes of
//! them, and ends.

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Request, StatusCode};
use http_body_util::Full;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tower::ServiceExt as _;
use tower_webhook::clock::{Clock as _, OsEntropy, SystemClock};
use tower_webhook::encoding::Encoding;
use tower_webhook::event::{self, Amount, Direction, Transfer, TransferStatus};
use tower_webhook::provider::{Decoded, EventKey, Events, Message, Profile, Provider, Unreadable};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Sealing, Signed};
use tower_webhook::secret::{KeyRing, Secret};
use tower_webhook::{ConfigError, MemoryStore, Received, Receiver, Rejection, RejectionKind, json};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The events of Acme, which sends up to 100 of them at once.
#[derive(Clone, Debug)]
enum Event {
    InvoicePaid { id: String, amount: Amount },
    Unknown { name: String },
}

impl event::Project for Event {
    fn project(&self) -> event::Event {
        match self {
            Self::InvoicePaid { id, amount } => {
                let mut transfer = Transfer::new(id, Direction::Incoming, TransferStatus::Completed);
                transfer.amount = Some(amount.of(Some("EUR")));
                event::Event::Transfer(transfer)
            }
            Self::Unknown { name } => event::Event::Unknown(event::Unknown::new(name)),
        }
    }

    fn name(&self) -> &str {
        match self {
            Self::InvoicePaid { .. } => "invoice.paid",
            Self::Unknown { name } => name,
        }
    }
}

struct Acme {
    scheme: Hmac,
    profile: Profile,
}

impl Acme {
    fn new(keys: impl Into<KeyRing>) -> Result<Self, ConfigError> {
        let signed = Signed::new(HeaderName::from_static("acme-signature"), Encoding::Hex).prefix("sha256=");
        let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, keys)?;
        Ok(Self { scheme, profile: Profile::new("acme").content_types(["application/json"]).max_events(100) })
    }
}

/// `{"events": [..]}`. Each event stays the text that it is until it is looked at.
#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    events: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct Head {
    id: String,
    #[serde(rename = "type")]
    name: String,
}

#[derive(Deserialize)]
struct Invoice {
    amount: Amount,
}

impl Provider for Acme {
    type Event = Event;

    fn profile(&self) -> &Profile {
        &self.profile
    }

    fn scheme(&self) -> &dyn Scheme {
        &self.scheme
    }

    /// Behind a layer each event is a request of its own, with this type.
    fn event_content_type(&self) -> Option<HeaderValue> {
        Some(HeaderValue::from_static("application/json"))
    }

    fn decode(&self, _: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        let batch: Batch<'_> = json::parse(&plaintext)?;
        let mut events = Events::default();
        for (position, raw) in batch.events.into_iter().enumerate() {
            let slice = plaintext.slice_ref(raw.get().as_bytes());
            match read(raw) {
                Ok((event, key)) => events.push(Decoded::new(event, key, slice)),
                Err(why) => events.push_unreadable(Unreadable::new(position, why, slice)),
            }
        }
        Ok(events)
    }
}

/// An unknown type is an event like any other. A type that is known has to be readable: a guess would cost money.
fn read(raw: &RawValue) -> Result<(Event, EventKey), Rejection> {
    let Head { id, name } = json::parse(raw.get().as_bytes())?;
    if id.trim().is_empty() {
        return Err(Rejection::new(RejectionKind::KeyMissing, "the event has no id"));
    }
    let key = EventKey::of(&[&id]);
    let event = match name.as_str() {
        "invoice.paid" => {
            let Invoice { amount } = json::parse(raw.get().as_bytes())?;
            Event::InvoicePaid { id, amount }
        }
        _ => Event::Unknown { name },
    };
    Ok((event, key))
}

fn request(sender: &Acme, body: &'static str) -> Result<Request<Full<Bytes>>, BoxError> {
    let now = SystemClock.now().ok_or("the clock failed")?;
    Ok(sender.seal(Message::new(body), &Sealing::new(now, &OsEntropy))?.map(Full::new))
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), BoxError> {
    let (seen, mut handled) = mpsc::unbounded_channel();
    let acme = Acme::new(Secret::utf8("correct horse battery staple")?)?;
    let receiver =
        Receiver::new("acme", acme).dedupe(MemoryStore::new(1_000)).handle(move |received: Received<Event>| {
            let seen = seen.clone();
            async move {
                let line = match received.event() {
                    Event::InvoicePaid { id, amount } => format!("invoice {id} is paid: {amount}"),
                    Event::Unknown { name } => format!("nothing is known of {name}"),
                };
                println!("{}: {line}", received.delivery().key());
                let _ = seen.send(line);
            }
        });

    let good = Acme::new(Secret::utf8("correct horse battery staple")?)?;
    let batch =
        r#"{"events":[{"id":"e-1","type":"invoice.paid","amount":"12.50"},{"id":"e-2","type":"invoice.lost"}]}"#;
    let answer = receiver.clone().oneshot(request(&good, batch)?).await?;
    assert_eq!(answer.status(), StatusCode::OK);
    assert_eq!(handled.try_recv()?, "invoice e-1 is paid: 12.50");
    assert_eq!(handled.try_recv()?, "nothing is known of invoice.lost");

    // One event again, one that cannot be read, which stops no other, and one that is new.
    let batch = r#"{"events":[{"id":"e-1","type":"invoice.paid","amount":"12.50"},{"id":"e-3","type":"invoice.paid","amount":"much"},{"id":"e-4","type":"invoice.paid","amount":"7"}]}"#;
    let answer = receiver.clone().oneshot(request(&good, batch)?).await?;
    println!("answered {}, since e-3 cannot be read", answer.status());
    assert_eq!(answer.status(), StatusCode::BAD_REQUEST);
    assert_eq!(handled.try_recv()?, "invoice e-4 is paid: 7");
    assert!(handled.try_recv().is_err(), "e-1 was handled before");

    let stranger = Acme::new(Secret::utf8("wrong horse battery staple")?)?;
    let answer = receiver.oneshot(request(&stranger, r#"{"events":[]}"#)?).await?;
    println!("a stranger is answered {}", answer.status());
    assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
    Ok(())
}
