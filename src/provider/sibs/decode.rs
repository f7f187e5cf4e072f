//! From the opened JSON to the typed event and its key.

use bytes::Bytes;

use super::event::Event;
use super::model::{Payment, STRICT};
use crate::error::{Rejection, RejectionKind};
use crate::event::Text;
use crate::json::{self, Absent, Identified};
use crate::provider::shape::Object;
use crate::provider::{Decoded, EventKey, Events, Identity};

/// The transaction of a connection test.
const TEST: &str = "WebhookTest";

pub(super) fn decode(plaintext: Bytes) -> Result<Events<Event>, Rejection> {
    let text = json::text(&plaintext)?;
    let mut absent = Absent::default();
    let (payment, identity) = match json::parse_if_typed::<Identified<'_, Object<Payment>>>(text)? {
        Some(Identified { value: Object(payment), identity, .. }) => (payment, identity),
        None => (json::second_look::<Object<_>>(text, STRICT, &mut absent)?.0, Identity::of_checked(text)),
    };
    let key = key(&payment, identity)?;
    let occurred_at = payment.transaction_date_time;
    let event = match payment.transaction_id.as_deref() {
        Some(TEST) => Event::Test(Box::new(payment)),
        _ => Event::Payment(Box::new(payment)),
    };
    let decoded = Decoded::identified(event, key, plaintext, identity).occurred_at(occurred_at);
    Ok(Events::from(decoded).absent_members(absent.into_names()))
}

fn key(payment: &Payment, identity: Identity) -> Result<EventKey, Rejection> {
    match (filled(&payment.notification_id), filled(&payment.transaction_id)) {
        (Some(id), _) => Ok(EventKey::of(&[id])),
        (None, Some(transaction)) => Ok(EventKey::of(&["transaction", transaction, &identity.to_string()])),
        _ => Err(Rejection::new(RejectionKind::KeyMissing, "neither notificationID nor transactionID")),
    }
}

fn filled(text: &Option<Text>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}
