//! Standard Webhooks: an event of any name, in the body that the
//! [specification](https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md) recommends.
//!
//! ```
//! use serde_json::json;
//! use tower_webhook::sender::events::standard_webhooks;
//!
//! let message = standard_webhooks::event("invoice.paid").id("msg_1").data(json!({"id": "inv_7b"})).message();
//! assert_eq!(message.idempotency_key.as_deref(), Some("msg_1"));
//! assert_eq!(message.body, r#"{"type":"invoice.paid","timestamp":"2026-11-21T14:00:00Z","data":{"id":"inv_7b"}}"#);
//! ```

use super::body::{Shape, builder, sample, setters};
use super::json::Json;

const EVENT: &str = r#"{"type":"","timestamp":"2026-11-21T14:00:00Z","data":{"id":"inv_7b129bdd"}}"#;

builder! {
    /// An event.
    Event
}

setters! {
    Event {
        /// The event's name.
        event: text at "/type",
        /// When it happened. The time that is signed is that of sealing.
        timestamp: text at "/timestamp",
        /// `data.amount`: a JSON string.
        amount: text at "/data/amount",
        /// `data.currency`.
        currency: text at "/data/currency",
    }
}

impl Event {
    /// The id of the message, which is its key: it stands in a header and not in the body.
    pub fn id(mut self, id: impl Into<String>) -> Self {
        self.0.key = Some(id.into());
        self
    }

    /// What the event says.
    pub fn data(self, data: impl Into<Json>) -> Self {
        self.set("/data", data)
    }

    /// With an id of the message, and a `data.id` where there is one, made of this number, on every machine the same, and of no
    /// other number. Ids that are set later stay as they are set.
    pub fn number(mut self, number: u64) -> Self {
        self.0.number(number, &[("/data/id", Shape::After("inv_"))]);
        self.id(Shape::After("msg_").of(0, number))
    }
}

/// An event of this name, by the id `msg_27UH4WbU6Z5A5EzD8u03UvzRbpk`. Its data is an id alone.
pub fn event(name: impl Into<String>) -> Event {
    Event(sample!(EVENT)).event(name).id("msg_27UH4WbU6Z5A5EzD8u03UvzRbpk")
}
