//! From a message to its notifications, each with its own key and its own piece of the JSON.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};

use super::event::{Detail, Event, Unpublished, Unreadable};
use super::model::{Booking, Case, Payment, STRICT};
use super::policy::{MAX_EVENTS, UnreadablePolicy};
use super::status::PaymentStatus;
use crate::error::{Rejection, RejectionKind};
use crate::event::Text;
use crate::json::{self, Absent, Identified, Piece, Tried, Try};
use crate::provider::shape::{Object, text};
use crate::provider::time::time;
use crate::provider::{self, Decoded, EventKey, Events, Identity};

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    notifications: Notifications<'a>,
}

/// The notifications, and no more of them than one beyond the limit.
struct Notifications<'a>(Vec<Tried<'a, Read>>);

impl<'de: 'a, 'a> Deserialize<'de> for Notifications<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(NotificationsVisitor)
    }
}

struct NotificationsVisitor;

impl<'de> Visitor<'de> for NotificationsVisitor {
    type Value = Notifications<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an array of notifications")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut kept = Vec::new();
        while kept.len() <= MAX_EVENTS {
            match list.next_element()? {
                Some(notification) => kept.push(notification),
                None => return Ok(Notifications(kept)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Notifications(kept))
    }
}

/// A notification whose detail is read as this type.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a, T> {
    #[serde(default, deserialize_with = "text")]
    event_id: Option<Text>,
    #[serde(default, deserialize_with = "text")]
    subscription_id: Option<Text>,
    #[serde(default, deserialize_with = "text")]
    subscription_event_id: Option<Text>,
    #[serde(default, deserialize_with = "text")]
    notification_type: Option<Text>,
    #[serde(default, deserialize_with = "time")]
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    payment: Option<Identified<'a, T>>,
    #[serde(borrow)]
    payload: Option<Identified<'a, T>>,
}

pub(super) fn decode(plaintext: &Bytes, policy: UnreadablePolicy) -> Result<Events<Event>, Rejection> {
    let Object(batch) = json::parse::<Object<Batch<'_>>>(plaintext)?;
    let Notifications(list) = batch.notifications;
    if list.len() > MAX_EVENTS {
        let detail = format!("more than {MAX_EVENTS} notifications in one message");
        return Err(Rejection::new(RejectionKind::TooManyEvents, detail));
    }
    let (mut events, mut absent) = (Events::default(), Absent::default());
    for (position, Tried { text: piece, value: read }) in list.into_iter().enumerate() {
        let read = read.map_or_else(|| in_pieces(piece, plaintext, &mut absent), Ok);
        match (read, policy) {
            (Ok(read), _) => events.push(read.decoded(piece, plaintext)),
            (Err(why), UnreadablePolicy::Refuse) => {
                events.push_unreadable(provider::Unreadable::new(position, why, slice(piece, plaintext)));
            }
            (Err(why), UnreadablePolicy::HandOver) => events.push(handed_over(piece, &why, plaintext)),
        }
    }
    Ok(events.absent_members(absent.into_names()))
}

/// A notification that has been read.
struct Read {
    event: Event,
    identity: Identity,
}

/// Everything in one pass, which takes that the type stands in front and all members are as their types say.
impl<'de> Try<'de> for Read {
    fn read<A: SeqAccess<'de>>(ahead: &'de str, mut notification: A) -> Result<Option<Self>, A::Error> {
        match json::peek(ahead, "notificationType").map_or(Kind::Unknown, |sent| kind(&name(sent.into()))) {
            Kind::Payment(detail) => typed(notification, detail),
            Kind::Booking(detail) => typed(notification, detail),
            Kind::Case(detail) => typed(notification, detail),
            Kind::Status(detail) => typed(notification, detail),
            Kind::Unpublished(_) | Kind::Unknown => notification.next_element::<IgnoredAny>().map(|_| None),
        }
    }
}

fn typed<'de, T: Deserialize<'de>, A: SeqAccess<'de>>(
    mut notification: A,
    detail: fn(T) -> Detail,
) -> Result<Option<Read>, A::Error> {
    let read = notification.next_element::<Object<Notification<'_, Object<T>>>>()?;
    Ok(read.filter(|Object(notification)| notification.has_id()).and_then(|Object(mut notification)| {
        let Identified { value: Object(content), identity, .. } = notification.content()?;
        Some(Read { event: notification.event(detail(content)), identity })
    }))
}

/// The notification leniently, and then its detail.
fn in_pieces(piece: &str, plaintext: &Bytes, absent: &mut Absent) -> Result<Read, Rejection> {
    let Object(mut notification) = json::parse_leniently::<Object<Notification<'_, Piece<'_>>>>(piece, STRICT, absent)?;
    if !notification.has_id() {
        return Err(Rejection::new(RejectionKind::KeyMissing, "it has no eventId"));
    }
    let content = notification.content();
    let text = content.as_ref().map(|content| content.text);
    let detail = match kind(&notification.name()) {
        Kind::Payment(detail) => detail(members(text, absent)?),
        Kind::Booking(detail) => detail(members(text, absent)?),
        Kind::Case(detail) => detail(members(text, absent)?),
        Kind::Status(detail) => detail(members(text, absent)?),
        Kind::Unpublished(detail) => detail(Unpublished::new(slice(text.unwrap_or(piece), plaintext))),
        Kind::Unknown => Detail::Unknown { raw: slice(piece, plaintext) },
    };
    Ok(Read { event: notification.event(detail), identity: identity(content, piece) })
}

/// An event for what cannot be read, of as much as can be.
fn handed_over(piece: &str, why: &Rejection, plaintext: &Bytes) -> Decoded<Event> {
    let detail = Detail::Unreadable(Unreadable::new(slice(piece, plaintext), why.detail()));
    let head = json::parse_leniently::<Object<Notification<'_, Piece<'_>>>>(piece, &[], &mut Absent::default());
    let read = match head {
        Ok(Object(mut notification)) => {
            let identity = identity(notification.content(), piece);
            Read { event: notification.event(detail), identity }
        }
        Err(_) => Read { event: Event::new("", detail), identity: Identity::of_checked(piece) },
    };
    read.decoded(piece, plaintext)
}

/// The identity is that of the detail, so that one event through two entries of a subscription is one event.
fn identity(content: Option<Identified<'_, Piece<'_>>>, piece: &str) -> Identity {
    content.map_or_else(|| Identity::of_checked(piece), |content| content.identity)
}

impl<'a, T> Notification<'a, T> {
    fn has_id(&self) -> bool {
        self.event_id.as_deref().is_some_and(|id| !id.trim().is_empty())
    }

    fn content(&mut self) -> Option<Identified<'a, T>> {
        self.payment.take().or_else(|| self.payload.take())
    }

    fn name(&self) -> Text {
        name(self.notification_type.clone().unwrap_or_default())
    }

    fn event(self, detail: Detail) -> Event {
        Event {
            event_id: self.event_id.unwrap_or_default(),
            subscription_id: self.subscription_id,
            subscription_event_id: self.subscription_event_id,
            notification_type: name(self.notification_type.unwrap_or_default()),
            timestamp: self.timestamp,
            detail,
        }
    }
}

impl Read {
    /// The identity stands for a missing id, which only what is handed over may lack.
    fn decoded(self, piece: &str, plaintext: &Bytes) -> Decoded<Event> {
        let Self { event, identity } = self;
        let key = match event.event_id.trim() {
            "" => EventKey::of(&["unreadable", &identity.to_string()]),
            _ => EventKey::of(&[&event.event_id]),
        };
        let timestamp = event.timestamp;
        Decoded::identified(event, key, slice(piece, plaintext), identity).occurred_at(timestamp)
    }
}

/// The piece of the message that this is. It is borrowed from there, so that this cannot miss.
fn slice(piece: &str, plaintext: &Bytes) -> Bytes {
    plaintext.slice_ref(piece.as_bytes())
}

/// The types in the order of their numbers in the subscription API, from 1.
const NAMES: [&str; 14] = [
    "IncomingPaymentProcessed",
    "OutgoingPaymentRejected",
    "OutgoingPaymentProcessed",
    "MissingFunding",
    "Reversed",
    "OutgoingPaymentBooked",
    "PaymentRouting",
    "IncomingPaymentBooked",
    "AccountHolderVerification",
    "OutgoingDirectDebitPendingProcessing",
    "CaseEvents",
    "AgencyBankingWhitelistResult",
    "PaymentStatus",
    "MandateStatus",
];

/// The name, where the type was sent as the number that subscriptions know it by.
fn name(sent: Text) -> Text {
    let number = sent.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.and_then(|number| NAMES.get(number)).map_or(sent, |name| (*name).into())
}

/// What a notification of a type holds.
enum Kind {
    Payment(fn(Box<Payment>) -> Detail),
    Booking(fn(Box<Booking>) -> Detail),
    Case(fn(Case) -> Detail),
    Status(fn(Box<PaymentStatus>) -> Detail),
    Unpublished(fn(Unpublished) -> Detail),
    Unknown,
}

fn kind(name: &str) -> Kind {
    match name {
        "IncomingPaymentProcessed" => Kind::Payment(Detail::IncomingPaymentProcessed),
        "OutgoingPaymentRejected" => Kind::Payment(Detail::OutgoingPaymentRejected),
        "OutgoingPaymentProcessed" => Kind::Payment(Detail::OutgoingPaymentProcessed),
        "MissingFunding" => Kind::Payment(Detail::MissingFunding),
        "Reversed" => Kind::Payment(Detail::Reversed),
        "PaymentRouting" => Kind::Payment(Detail::PaymentRouting),
        "OutgoingDirectDebitPendingProcessing" => Kind::Payment(Detail::OutgoingDirectDebitPendingProcessing),
        "OutgoingPaymentBooked" => Kind::Booking(Detail::OutgoingPaymentBooked),
        "IncomingPaymentBooked" => Kind::Booking(Detail::IncomingPaymentBooked),
        "CaseEvents" | "CasesEvents" => Kind::Case(Detail::CaseEvents),
        "PaymentStatus" => Kind::Status(Detail::PaymentStatus),
        "AccountHolderVerification" => Kind::Unpublished(Detail::AccountHolderVerification),
        "AgencyBankingWhitelistResult" => Kind::Unpublished(Detail::AgencyBankingWhitelistResult),
        "MandateStatus" => Kind::Unpublished(Detail::MandateStatus),
        _ => Kind::Unknown,
    }
}

fn members<T: DeserializeOwned>(content: Option<&str>, absent: &mut Absent) -> Result<T, Rejection> {
    let content = content.ok_or_else(|| {
        Rejection::new(
            RejectionKind::PayloadMalformed,
            "a notification of a known type has neither payment nor payload",
        )
    })?;
    json::parse_leniently::<Object<T>>(content, STRICT, absent).map(|Object(detail)| detail)
}
