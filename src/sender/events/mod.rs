//! Events as providers send them, for tests: each with what a real one holds, and whatever a test wants otherwise.
//!
//! One module per provider. A builder begins with the provider's published sample (the tables of
//! [`provider`](crate::provider)'s modules say how sure each shape is), and gives a [`Message`](crate::provider::Message): the
//! plaintext, and the idempotency key where the provider sends one beside it. The provider seals it.
//!
//! - Texts are sent as they are set, whatever they say, since a sender may send rubbish. An amount is written digit for digit,
//!   as a JSON number or string as the provider does it. One that is no number is written as a string, so that the body is
//!   JSON in any case; the receiver refuses such an event.
//! - A setter changes its member wherever it stands in the event, and adds it where it does not. `set` and `without` reach every
//!   other member by its JSON pointer.
//! - A builder's ids are always the same, those of the sample. `number` makes all of them of a number, which is the way to many
//!   events: number 7 is the same event on every machine and in every run.
//! - [`Written`] says in which bytes the same JSON is sent.
//!
//! ```
//! use http::HeaderMap;
//! use tower_webhook::provider::{Provider as _, aella};
//! use tower_webhook::secret::Secret;
//! use tower_webhook::sender::events::{self, Written};
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let aella = aella::Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//! let message = events::aella::transfer().number(7).amount("2500.00").written(Written::Escaped).message();
//!
//! let event = aella.decode(&HeaderMap::new(), message.body)?.only().unwrap();
//! assert_eq!(event.key.as_str(), "transfer.completed|00000001-0000-4000-8000-000000000007");
//! assert!(matches!(event.event, aella::Event::TransferCompleted(paid) if paid.amount.unwrap().to_string() == "2500.00"));
//!
//! let rubbish = events::aella::transfer().amount("a lot").message();
//! assert!(aella.decode(&HeaderMap::new(), rubbish.body).is_err());
//! # Ok(())
//! # }
//! ```

pub mod aella;
pub mod banking_circle;
mod body;
mod json;
pub mod mambu;
pub mod opp;
pub mod sibs;
pub mod standard_webhooks;
mod written;

pub use json::Json;
pub use written::Written;
