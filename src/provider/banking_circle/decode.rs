//! From a message to its notifications, each with its own key and its own piece of the JSON.

use std::fmt;

use bytes::Bytes;
use jiff::Timestamp;
use serde::de::{DeserializeOwned, IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::value::RawValue;

use super::MOST_EVENTS;
use super::event::{Detail, Event, Unpublished};
use crate::error::{Rejection, RejectionKind};
use crate::json;
use crate::provider::shape::{Object, text};
use crate::provider::{Decoded, EventKey};

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
        while kept.len() <= MOST_EVENTS {
            match list.next_element()? {
                Some(notification) => kept.push(notification),
                None => return Ok(Notifications(kept)),
            }
        }
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Notifications(kept))
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Notification<'a> {
    #[serde(default, deserialize_with = "text")]
    event_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    subscription_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    subscription_event_id: Option<String>,
    #[serde(default, deserialize_with = "text")]
    notification_type: Option<String>,
    timestamp: Option<Timestamp>,
    #[serde(borrow)]
    payment: Option<&'a RawValue>,
    #[serde(borrow)]
    payload: Option<&'a RawValue>,
}

pub(super) fn decode(plaintext: &Bytes) -> Result<Vec<Decoded<Event>>, Rejection> {
    let Object(batch) = json::parse::<Object<Batch<'_>>>(plaintext)?;
    let Notifications(list) = batch.notifications;
    if list.len() > MOST_EVENTS {
        let detail = format!("more than {MOST_EVENTS} notifications in one message");
        return Err(Rejection::new(RejectionKind::TooManyEvents, detail));
    }
    list.into_iter().enumerate().map(|(at, raw)| one(at, raw, plaintext)).collect()
}

fn one(at: usize, raw: &RawValue, plaintext: &Bytes) -> Result<Decoded<Event>, Rejection> {
    let Object(notification) = json::parse_checked::<Object<Notification<'_>>>(raw.get())?;
    let event_id = notification
        .event_id
        .filter(|id| !id.trim().is_empty())
        .ok_or_else(|| Rejection::new(RejectionKind::KeyMissing, format!("notification {at} has no eventId")))?;
    // Both are borrowed from the plaintext, so this cannot miss.
    let slice = |json: &RawValue| plaintext.slice_ref(json.get().as_bytes());
    let content = notification.payment.or(notification.payload);
    let notification_type = name(notification.notification_type.unwrap_or_default());
    let detail = match detail(&notification_type, content)? {
        Known::Typed(detail) => detail,
        Known::Unpublished(detail) => detail(Unpublished { raw: slice(content.unwrap_or(raw)) }),
        Known::Not => Detail::Unknown { raw: slice(raw) },
    };
    let event = Event {
        event_id,
        subscription_id: notification.subscription_id,
        subscription_event_id: notification.subscription_event_id,
        notification_type,
        timestamp: notification.timestamp,
        detail,
    };
    let key = EventKey::of(&[&event.event_id]);
    let identity = slice(content.unwrap_or(raw));
    let occurred_at = event.timestamp;
    Ok(Decoded::new(event, key, slice(raw)).identified_by(identity).occurred_at(occurred_at))
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
fn name(sent: String) -> String {
    let number = sent.parse::<usize>().ok().and_then(|number| number.checked_sub(1));
    number.and_then(|number| NAMES.get(number)).map_or(sent, |name| (*name).to_owned())
}

enum Known {
    Typed(Detail),
    Unpublished(fn(Unpublished) -> Detail),
    Not,
}

fn detail(name: &str, content: Option<&RawValue>) -> Result<Known, Rejection> {
    Ok(Known::Typed(match name {
        "IncomingPaymentProcessed" => Detail::IncomingPaymentProcessed(typed(content)?),
        "OutgoingPaymentRejected" => Detail::OutgoingPaymentRejected(typed(content)?),
        "OutgoingPaymentProcessed" => Detail::OutgoingPaymentProcessed(typed(content)?),
        "MissingFunding" => Detail::MissingFunding(typed(content)?),
        "Reversed" => Detail::Reversed(typed(content)?),
        "OutgoingPaymentBooked" => Detail::OutgoingPaymentBooked(typed(content)?),
        "PaymentRouting" => Detail::PaymentRouting(typed(content)?),
        "IncomingPaymentBooked" => Detail::IncomingPaymentBooked(typed(content)?),
        "OutgoingDirectDebitPendingProcessing" => Detail::OutgoingDirectDebitPendingProcessing(typed(content)?),
        "CaseEvents" | "CasesEvents" => Detail::CaseEvents(typed(content)?),
        "PaymentStatus" => Detail::PaymentStatus(typed(content)?),
        "AccountHolderVerification" => return Ok(Known::Unpublished(Detail::AccountHolderVerification)),
        "AgencyBankingWhitelistResult" => return Ok(Known::Unpublished(Detail::AgencyBankingWhitelistResult)),
        "MandateStatus" => return Ok(Known::Unpublished(Detail::MandateStatus)),
        _ => return Ok(Known::Not),
    }))
}

fn typed<T: DeserializeOwned>(content: Option<&RawValue>) -> Result<T, Rejection> {
    let content = content.ok_or_else(|| {
        Rejection::new(
            RejectionKind::PayloadMalformed,
            "a notification of a known type has neither payment nor payload",
        )
    })?;
    json::parse_checked::<Object<T>>(content.get()).map(|Object(detail)| detail)
}
