//! What the providers say: built events, and the events inside each message.

use bytes::Bytes;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tower_webhook::error::BoxError;
use tower_webhook::provider::{Identity, Message};
use tower_webhook::sender::events::{aella, banking_circle, mambu, opp};

use crate::common::Who;

const VECTORS: &str = include_str!("../../tests/fixtures/vectors.json");

/// An event that was never sent before, when its id was not.
pub(crate) fn fresh(who: Who, id: &str) -> Message {
    event(who, id, "92.00")
}

/// The same event as [`fresh`] makes, about another amount.
pub(crate) fn with_other_amount(who: Who, id: &str) -> Message {
    event(who, id, "99.00")
}

fn event(who: Who, id: &str, amount: &str) -> Message {
    match who {
        // A name that needs no quoting in a shell.
        Who::Mambu => mambu::json("LOAN_REPAYMENT").id(id).amount(amount).value("CLIENT_NAME", "Zoë Zed").message(),
        Who::Aella => aella::transfer().id(id).amount(amount).message(),
        Who::Opp => opp::payment().id(id).amount(amount).message(),
        Who::Bank => banking_circle::incoming_payment_booked().id(id).amount(amount).message(),
    }
}

/// Aella's transfer with a narration that makes the body exactly this long.
pub(crate) fn long_transfer(id: &str, length: usize) -> Message {
    let transfer = |filling: usize| aella::transfer().id(id).narration("x".repeat(filling)).message();
    transfer(length.saturating_sub(transfer(0).body.len()))
}

/// A member of the first test vector of this provider.
pub(crate) fn vector(provider: &str, member: &str) -> Result<String, BoxError> {
    let vectors: Value = serde_json::from_str(VECTORS)?;
    let found = vectors.pointer(&format!("/{provider}/0/{member}")).and_then(Value::as_str);
    Ok(found.ok_or_else(|| format!("no {provider} {member} in the vectors"))?.to_owned())
}

/// An event as the sender knows it, told by the sender's own reading of the provider's documents.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) who: Who,
    pub(crate) key: String,
    pub(crate) raw: Bytes,
}

/// The events inside a message.
pub(crate) fn events(who: Who, message: &Message) -> Result<Vec<Sent>, BoxError> {
    let sent = |key: String| vec![Sent { who, key, raw: message.body.clone() }];
    Ok(match who {
        Who::Mambu => sent(message.idempotency_key.clone().ok_or("a Mambu message without a key")?),
        Who::Aella => sent(aella_key(&message.body)?),
        Who::Opp => sent(opp_key(&message.body)?),
        Who::Bank => notifications(&message.body)?,
    })
}

fn at(body: &Value, pointer: &str) -> String {
    body.pointer(pointer).and_then(Value::as_str).unwrap_or_default().to_owned()
}

fn aella_key(body: &[u8]) -> Result<String, BoxError> {
    let body: Value = serde_json::from_slice(body)?;
    Ok(format!("{}|{}{}", at(&body, "/event"), at(&body, "/data/id"), at(&body, "/data/transaction/id")))
}

fn opp_key(body: &[u8]) -> Result<String, BoxError> {
    // What it says, since a registration may change twice in a second.
    let identity = Identity::of_json(body);
    let body: Value = serde_json::from_slice(body)?;
    let kind = format!("{}|{}", at(&body, "/type"), at(&body, "/action"));
    let parts = ["/payload/id", "/payload/result/code", "/payload/timestamp"].map(|pointer| at(&body, pointer));
    Ok(if parts.iter().any(String::is_empty) {
        format!("{kind}|{identity}")
    } else {
        format!("{kind}|{}|{identity}", parts.join("|"))
    })
}

fn notifications(body: &[u8]) -> Result<Vec<Sent>, BoxError> {
    #[derive(Deserialize)]
    struct Batch<'a> {
        #[serde(borrow)]
        notifications: Vec<&'a RawValue>,
    }
    #[derive(Deserialize)]
    struct Notification {
        #[serde(rename = "eventId")]
        event_id: String,
    }
    let batch: Batch<'_> = serde_json::from_slice(body)?;
    let events = batch.notifications.into_iter().map(|raw| {
        let Notification { event_id } = serde_json::from_str(raw.get())?;
        Ok(Sent { who: Who::Bank, key: event_id, raw: Bytes::copy_from_slice(raw.get().as_bytes()) })
    });
    events.collect()
}
