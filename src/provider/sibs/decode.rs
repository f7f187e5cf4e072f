//! From the opened JSON to the typed event and its key.

use bytes::Bytes;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};

use super::event::Event;
use super::model::Payment;
use crate::encoding::Encoding;
use crate::error::{Rejection, RejectionKind};
use crate::json;
use crate::provider::shape::{Object, text_if_any};
use crate::provider::{Decoded, EventKey};

/// The transaction of a connection test.
const TEST: &str = "WebhookTest";

pub(super) fn decode(plaintext: &Bytes) -> Result<Decoded<Event>, Rejection> {
    let Object(payment) = json::parse::<Object<Payment>>(plaintext)?;
    let key = key(&payment, plaintext)?;
    let occurred_at = payment.transaction_date_time;
    let event = match payment.transaction_id.as_deref() {
        Some(TEST) => Event::Test(Box::new(payment)),
        _ => Event::Payment(Box::new(payment)),
    };
    Ok(Decoded::new(event, key, plaintext.clone()).occurred_at(occurred_at))
}

fn key(payment: &Payment, plaintext: &[u8]) -> Result<EventKey, Rejection> {
    match (filled(&payment.notification_id), filled(&payment.transaction_id)) {
        (Some(id), _) => Ok(EventKey::of(&[id])),
        (None, Some(transaction)) => {
            Ok(EventKey::of(&["transaction", transaction, &Encoding::Hex.encode(&Sha256::digest(plaintext))]))
        }
        _ => Err(Rejection::new(RejectionKind::KeyMissing, "neither notificationID nor transactionID")),
    }
}

fn filled(text: &Option<String>) -> Option<&str> {
    text.as_deref().filter(|text| !text.trim().is_empty())
}

#[derive(Deserialize)]
struct Id {
    #[serde(rename = "notificationID", default, deserialize_with = "text_if_any")]
    id: Option<String>,
}

pub(super) fn notification_id(plaintext: &[u8]) -> Option<String> {
    json::parse::<Object<Id>>(plaintext).ok().and_then(|Object(read)| read.id)
}
