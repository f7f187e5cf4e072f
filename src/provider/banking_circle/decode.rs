//! From a message to its notifications, each with its own key and its own piece of the JSON.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::event::{Detail, Event, Unpublished, Unreadable};
use super::model::STRICT;
use super::policy::{MAX_EVENTS, UnreadablePolicy};
use crate::error::{Rejection, RejectionKind};
use crate::event::Text;
use crate::json::{self, Absent};
use crate::provider::shape::{Object, text};
use crate::provider::{self, Decoded, EventKey, Events, Identity};

#[derive(Deserialize)]
struct Batch<'a> {
    #[serde(borrow)]
    notifications: Notifications<'a>,
}

/// The notifications, and no more of them than one beyond the limit.
struct Notifications<'a>(Vec<&'a RawValue>);

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

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Notification<'a> {
    #[serde(deserialize_with = "text")]
    event_id: Option<Text>,
    #[serde(deserialize_with = "text")]
    subscription_id: Option<Text>,
    #[serde(deserialize_with = "text")]
    subscription_event_id: Option<Text>,
    #[serde(deserialize_with = "text")]
    notification_type: Option<Text>,
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    payment: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

pub(super) fn decode(plaintext: &Bytes, policy: UnreadablePolicy) -> Result<Events<Event>, Rejection> {
    let Object(batch) = json::parse::<Object<Batch<'_>>>(plaintext)?;
    let Notifications(list) = batch.notifications;
    if list.len() > MAX_EVENTS {
        let detail = format!("more than {MAX_EVENTS} notifications in one message");
        return Err(Rejection::new(RejectionKind::TooManyEvents, detail));
    }
    let (mut events, mut absent) = (Events::default(), Absent::default());
    for (position, raw) in list.into_iter().enumerate() {
        match (one(raw, plaintext, &mut absent), policy) {
            (Ok(event), _) => events.push(event),
            (Err(why), UnreadablePolicy::Refuse) => {
                let raw = slice(raw, plaintext);
                events.push_unreadable(provider::Unreadable::new(position, why, raw));
            }
            (Err(why), UnreadablePolicy::HandOver) => events.push(handed_over(raw, &why, plaintext)),
        }
    }
    Ok(events.absent_members(absent.into_names()))
}

fn one(raw: &RawValue, plaintext: &Bytes, absent: &mut Absent) -> Result<Decoded<Event>, Rejection> {
    let Object(notification) = json::parse_leniently::<Object<Notification<'_>>>(raw.get(), STRICT, absent)?;
    if notification.id().is_none() {
        return Err(Rejection::new(RejectionKind::KeyMissing, "it has no eventId"));
    }
    let content = notification.content();
    let name = notification.name();
    let detail = match detail(&name, content, absent)? {
        Known::Typed(detail) => detail,
        Known::Unpublished(detail) => detail(Unpublished::new(slice(content.unwrap_or(raw), plaintext))),
        Known::Not => Detail::Unknown { raw: slice(raw, plaintext) },
    };
    Ok(notification.decoded(detail, raw, plaintext))
}

/// An event for what cannot be read, of as much as can be.
fn handed_over(raw: &RawValue, why: &Rejection, plaintext: &Bytes) -> Decoded<Event> {
    let head = json::parse_leniently::<Object<Notification<'_>>>(raw.get(), &[], &mut Absent::default());
    let Object(notification) = head.unwrap_or_default();
    let detail = Unreadable::new(slice(raw, plaintext), why.detail());
    notification.decoded(Detail::Unreadable(detail), raw, plaintext)
}

impl<'a> Notification<'a> {
    fn id(&self) -> Option<&str> {
        self.event_id.as_deref().filter(|id| !id.trim().is_empty())
    }

    fn content(&self) -> Option<&'a RawValue> {
        self.payment.or(self.payload)
    }

    fn name(&self) -> Text {
        name(self.notification_type.clone().unwrap_or_default())
    }

    /// The identity is that of the detail, so that one event through two entries of a subscription is one event. It stands
    /// for a missing id too, which only what is handed over may lack.
    fn decoded(self, detail: Detail, raw: &RawValue, plaintext: &Bytes) -> Decoded<Event> {
        let identity = Identity::of_checked(self.content().unwrap_or(raw).get());
        let key = match self.id() {
            Some(id) => EventKey::of(&[id]),
            None => EventKey::of(&["unreadable", &identity.to_string()]),
        };
        let (notification_type, timestamp) = (self.name(), self.timestamp);
        let event = Event {
            event_id: self.event_id.unwrap_or_default(),
            subscription_id: self.subscription_id,
            subscription_event_id: self.subscription_event_id,
            notification_type,
            timestamp,
            detail,
        };
        Decoded::identified(event, key, slice(raw, plaintext), identity).occurred_at(timestamp)
    }
}

/// The piece of the message that this is. It is borrowed from there, so that this cannot miss.
fn slice(raw: &RawValue, plaintext: &Bytes) -> Bytes {
    plaintext.slice_ref(raw.get().as_bytes())
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

enum Known {
    Typed(Detail),
    Unpublished(fn(Unpublished) -> Detail),
    Not,
}

fn detail(name: &str, content: Option<&RawValue>, absent: &mut Absent) -> Result<Known, Rejection> {
    Ok(Known::Typed(match name {
        "IncomingPaymentProcessed" => Detail::IncomingPaymentProcessed(typed(content, absent)?),
        "OutgoingPaymentRejected" => Detail::OutgoingPaymentRejected(typed(content, absent)?),
        "OutgoingPaymentProcessed" => Detail::OutgoingPaymentProcessed(typed(content, absent)?),
        "MissingFunding" => Detail::MissingFunding(typed(content, absent)?),
        "Reversed" => Detail::Reversed(typed(content, absent)?),
        "OutgoingPaymentBooked" => Detail::OutgoingPaymentBooked(typed(content, absent)?),
        "PaymentRouting" => Detail::PaymentRouting(typed(content, absent)?),
        "IncomingPaymentBooked" => Detail::IncomingPaymentBooked(typed(content, absent)?),
        "OutgoingDirectDebitPendingProcessing" => Detail::OutgoingDirectDebitPendingProcessing(typed(content, absent)?),
        "CaseEvents" | "CasesEvents" => Detail::CaseEvents(typed(content, absent)?),
        "PaymentStatus" => Detail::PaymentStatus(typed(content, absent)?),
        "AccountHolderVerification" => return Ok(Known::Unpublished(Detail::AccountHolderVerification)),
        "AgencyBankingWhitelistResult" => return Ok(Known::Unpublished(Detail::AgencyBankingWhitelistResult)),
        "MandateStatus" => return Ok(Known::Unpublished(Detail::MandateStatus)),
        _ => return Ok(Known::Not),
    }))
}

fn typed<T: DeserializeOwned>(content: Option<&RawValue>, absent: &mut Absent) -> Result<T, Rejection> {
    let content = content.ok_or_else(|| {
        Rejection::new(
            RejectionKind::PayloadMalformed,
            "a notification of a known type has neither payment nor payload",
        )
    })?;
    json::parse_leniently::<Object<T>>(content.get(), STRICT, absent).map(|Object(detail)| detail)
}
