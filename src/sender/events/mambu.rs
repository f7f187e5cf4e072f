//! Mambu: a notification of a template, as its author would have designed it, in JSON, XML or plain text, with its idempotency
//! key. The templates here are made up, by the placeholders that public ones use; [`of`] takes any other.
//!
//! ```
//! use tower_webhook::sender::events::mambu;
//!
//! let message = mambu::json("LOAN_DISBURSEMENT").id("6f1c").amount("2500.00").message();
//! assert_eq!(message.idempotency_key.as_deref(), Some("6f1c"));
//! assert!(message.body.starts_with(br#"{"event":"LOAN_DISBURSEMENT","amount":2500.00,"#));
//! ```

use http::HeaderValue;

use super::body::Shape;
use super::json::Json;
use super::written::Written;
use crate::provider::Message;
use crate::sender::template::{Escape, Values, render};

const JSON: &str = r#"{"event":"EVENT","amount":{LOAN_AMOUNT},"currency":"{ACCOUNT_CURRENCY_CODE}","accountId":"{ACCOUNT_ID}","clientName":"{CLIENT_NAME}","transactionId":"{TRANSACTION_ID}","encodedKey":"{ENCODED_KEY}"}"#;

const XML: &str = r#"<?xml version="1.0" encoding="UTF-8"?><notification event="EVENT"><amount currency="{ACCOUNT_CURRENCY_CODE}">{LOAN_AMOUNT}</amount><account>{ACCOUNT_ID}</account><client>{CLIENT_NAME}</client><transaction>{TRANSACTION_ID}</transaction></notification>"#;

const TEXT: &str = "EVENT {TRANSACTION_ID}: {LOAN_AMOUNT} {ACCOUNT_CURRENCY_CODE}, {ACCOUNT_ID}, {CLIENT_NAME}";

const VALUES: [(&str, &str); 6] = [
    ("ACCOUNT_CURRENCY_CODE", "EUR"),
    ("ACCOUNT_ID", "LA-10042"),
    ("CLIENT_NAME", "Zoë \"Zed\" O'Hara"),
    ("ENCODED_KEY", "8a8587a45f1c2d3e015f1c2d3e4f0001"),
    ("LOAN_AMOUNT", "2500.00"),
    ("TRANSACTION_ID", "T-1"),
];

/// A notification.
#[derive(Clone, Debug)]
#[must_use]
pub struct Event {
    template: String,
    content_type: HeaderValue,
    values: Values,
    key: String,
    written: Written,
}

impl Event {
    /// The idempotency key, which stands in a header.
    pub fn id(mut self, key: impl Into<String>) -> Self {
        self.key = key.into();
        self
    }

    /// The value of a placeholder. One that is rubbish is rendered as Mambu renders it, so that an amount that is no number, or
    /// an empty one, makes a body that is no JSON.
    pub fn value(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.values.insert(name.into(), value.into());
        self
    }

    /// `{LOAN_AMOUNT}`.
    pub fn amount(self, amount: impl Into<String>) -> Self {
        self.value("LOAN_AMOUNT", amount)
    }

    /// `{ACCOUNT_CURRENCY_CODE}`.
    pub fn currency(self, currency: impl Into<String>) -> Self {
        self.value("ACCOUNT_CURRENCY_CODE", currency)
    }

    /// `{ACCOUNT_ID}`.
    pub fn account(self, account: impl Into<String>) -> Self {
        self.value("ACCOUNT_ID", account)
    }

    /// `{TRANSACTION_ID}`.
    pub fn transaction_id(self, id: impl Into<String>) -> Self {
        self.value("TRANSACTION_ID", id)
    }

    /// With a key and ids made of this number, on every machine the same, and of no other number. What is set later stays as it is
    /// set.
    pub fn number(self, number: u64) -> Self {
        let numbered = self.id(Shape::Uuid.of(1, number)).value("ENCODED_KEY", Shape::Hex.of(2, number));
        numbered.account(Shape::After("LA-").of(3, number)).transaction_id(Shape::After("T-").of(4, number))
    }

    /// How the JSON is written. Default: [`Written::Compact`], by which the body stands as the template has it, as do all bodies
    /// that are no JSON.
    pub fn written(mut self, how: Written) -> Self {
        self.written = how;
        self
    }

    /// The message, with its content type and its idempotency key.
    #[must_use]
    pub fn message(self) -> Message {
        let escape = Escape::of(self.content_type.to_str().unwrap_or_default());
        let body = render(&self.template, &self.values, escape);
        let body = match body.parse::<Json>() {
            Ok(json) if self.written != Written::Compact && escape == Escape::Json => self.written.write(json),
            _ => body,
        };
        Message::new(body).content_type(self.content_type).idempotency_key(self.key)
    }
}

impl From<Event> for Message {
    fn from(event: Event) -> Self {
        event.message()
    }
}

/// A notification of a template of your own, with the values of the others here: [`Event::value`] sets further ones.
pub fn of(template: impl Into<String>, content_type: HeaderValue) -> Event {
    Event {
        template: template.into(),
        content_type,
        values: VALUES.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        key: "0d5e3f3a-6c1d-4c7e-9a58-1f6f6d1c2b01".to_owned(),
        written: Written::default(),
    }
}

/// A loan's event of this name in JSON: 2500.00 EUR, by the key `0d5e3f3a-6c1d-4c7e-9a58-1f6f6d1c2b01`. Templates write their
/// event's name themselves, since no placeholder has it.
pub fn json(event: &str) -> Event {
    of(JSON.replace("EVENT", event), HeaderValue::from_static("application/json"))
}

/// The same in XML.
pub fn xml(event: &str) -> Event {
    of(XML.replace("EVENT", event), HeaderValue::from_static("application/xml"))
}

/// The same in plain text.
pub fn text(event: &str) -> Event {
    of(TEXT.replace("EVENT", event), HeaderValue::from_static("text/plain"))
}
