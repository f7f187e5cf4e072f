//! What the providers say: fixtures, rendered templates, made-up events, and the events inside each message.

use bytes::Bytes;
use http::HeaderValue;
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use tower_webhook::provider::{Identity, Message};
use tower_webhook::sender::template::{Escape, Values, render};

use crate::client::BoxError;
use crate::common::Who;

macro_rules! fixture {
    ($path:literal) => {
        include_str!(concat!("../../tests/fixtures/", $path))
    };
}

pub(crate) const TRANSFER: &str = fixture!("aella/transfer.completed.json");
pub(crate) const INWARDS: &str = fixture!("aella/inwards.completed.json");
pub(crate) const DEBIT: &str = fixture!("aella/mandate.debit.successful.json");
pub(crate) const PAYMENT: &str = fixture!("opp/payment.json");
pub(crate) const ACTIVATION: &str = fixture!("opp/activation-test.json");
pub(crate) const INCOMING: &str = fixture!("banking-circle/incoming-payment-processed.json");
pub(crate) const OUTGOING: &str = fixture!("banking-circle/outgoing-payment-booked.json");
pub(crate) const BATCH: &str = fixture!("banking-circle/batch.json");
const LOAN_TEMPLATE: &str = fixture!("mambu/loan-disbursed.template.json");
const LOAN_VALUES: &str = fixture!("mambu/values.json");
const VECTORS: &str = fixture!("vectors.json");

/// The loan template of the fixtures. Without this placeholder's value, to see what is left of it.
pub(crate) fn loan(key: &str, without: Option<&str>) -> Result<Message, BoxError> {
    #[derive(Deserialize)]
    struct Template {
        content_type: String,
        body: String,
    }
    let template: Template = serde_json::from_str(LOAN_TEMPLATE)?;
    let mut values: Values = serde_json::from_str(LOAN_VALUES)?;
    without.and_then(|name| values.remove(name));
    let content_type = HeaderValue::try_from(template.content_type)?;
    let body = render(&template.body, &values, Escape::Json);
    Ok(Message::new(body).content_type(content_type).idempotency_key(key))
}

/// The same values in a template of another type.
pub(crate) fn rendered(
    key: &str,
    content_type: &'static str,
    template: &str,
    escape: Escape,
) -> Result<Message, BoxError> {
    let body = render(template, &serde_json::from_str(LOAN_VALUES)?, escape);
    Ok(Message::new(body).content_type(HeaderValue::from_static(content_type)).idempotency_key(key))
}

/// An event that was never sent before, when its id was not.
pub(crate) fn fresh(who: Who, id: &str) -> Message {
    match who {
        Who::Mambu => Message::new(r#"{"event":"LOAN_REPAYMENT","amount":12.50,"currency":"EUR"}"#).idempotency_key(id),
        Who::Aella => transfer(id, "10000"),
        Who::Opp => payment(id, "000.000.000", "92.00", "2026-11-21 16:46:07+0000"),
        Who::Bank => booking(id, "1250.35"),
    }
}

/// The same event as [`fresh`] makes, about another amount.
pub(crate) fn with_other_amount(who: Who, id: &str) -> Message {
    match who {
        Who::Mambu => Message::new(r#"{"event":"LOAN_REPAYMENT","amount":99.50,"currency":"EUR"}"#).idempotency_key(id),
        Who::Aella => transfer(id, "99999"),
        Who::Opp => payment(id, "000.000.000", "99.00", "2026-11-21 16:46:07+0000"),
        Who::Bank => booking(id, "9250.35"),
    }
}

fn transfer(id: &str, amount: &str) -> Message {
    Message::new(format!(
        r#"{{"event":"transfer.completed","timestamp":"2026-11-21T14:00:00Z","data":{{"id":"{id}","status":"Success","amount":{amount},"currency":"NGN"}}}}"#
    ))
}

pub(crate) fn payment(id: &str, code: &str, amount: &str, time: &str) -> Message {
    Message::new(format!(
        r#"{{"type":"PAYMENT","payload":{{"id":"{id}","paymentType":"DB","amount":"{amount}","currency":"EUR","result":{{"code":"{code}"}},"timestamp":"{time}"}}}}"#
    ))
}

fn booking(id: &str, amount: &str) -> Message {
    Message::new(format!(
        r#"{{"notifications":[{{"eventId":"{id}","notificationType":"IncomingPaymentBooked","timestamp":"2026-11-21T14:53:52Z","payment":{{"paymentId":"4b0a","amount":{amount},"currency":"EUR"}}}}]}}"#
    ))
}

/// Aella's transfer with a narration that makes the body exactly this long.
pub(crate) fn long_transfer(id: &str, length: usize) -> Message {
    let body = |filling: usize| {
        let narration = "x".repeat(filling);
        format!(r#"{{"event":"transfer.completed","data":{{"id":"{id}","amount":1,"narration":"{narration}"}}}}"#)
    };
    Message::new(body(length.saturating_sub(body(0).len())))
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
