//! Crash mode: a receiver in a process of its own, which dies at a named point of a delivery's way, is started again on its
//! port, and gets the sender's next try.
//!
//! The points are compiled into a receiver with the feature `testing` alone. A process is armed by its environment
//! ([`VARIABLE`]`=claimed:3` dies when the third event is claimed), which [`Crashing`] sets; a thread is armed by [`arm_here`], for
//! tests that run no child. A process dies as by a signal: nothing is unwound, flushed or answered.
//!
//! This test sends an event to a receiver that dies once, at every point in turn. The sender is [`Webhook`](crate::sender::Webhook)
//! over [`Tcp`](crate::sender::Tcp), with any ladder: it needs a try behind the end of the receiver's lease, 30 seconds unless a test
//! sets less.
//! Time is real here: a paused clock does not wait for another process.
//!
//! ```no_run
//! use std::process::Command;
//!
//! use tower_webhook::provider::{Message, aella::Aella};
//! use tower_webhook::secret::Secret;
//! use tower_webhook::sender::{DeliveryProfile, State, Tcp, Webhook};
//! use tower_webhook::testing::crash::{Crashing, Point};
//!
//! # fn effects() -> usize { 1 }
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! for &point in Point::HANDLED_FIRST {
//!     // It says where it listens by a line `{"listening":"127.0.0.1:8080"}`, as `tower-webhook listen` does.
//!     let receiver = Crashing::new(|listen| {
//!         let mut command = Command::new("target/debug/my-receiver");
//!         command.env("LISTEN", listen.to_string());
//!         command
//!     });
//!     let receiver = receiver.crashes([point.nth(1)]).start().await?;
//!
//!     let target: http::Uri = format!("http://{}/aella", receiver.address()).parse()?;
//!     let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
//!     let webhook = Webhook::new(target, aella, DeliveryProfile::patient(), Tcp::new(receiver.address())?);
//!     webhook.send(Message::new(r#"{"event":"transfer.completed","data":{"id":"7b"}}"#))?;
//!     webhook.settled().await;
//!
//!     assert_eq!(receiver.deaths().len(), 1, "it has died at {point:?}");
//!     assert_eq!(webhook.history()[0].state, State::Sent);
//!     assert_eq!(effects(), 1);
//! }
//! # Ok(()) }
//! ```
//!
//! Assert that the receiver has died: one that was built without the feature never does.
//!
//! # What may be expected
//!
//! With a store that outlives the process, an event is never lost, and its handler runs once; twice, when the process died at
//! [`Point::Handled`]. Where the effect is made once by the event's key, there is one. With a store in memory the handler runs again
//! behind every point from [`Point::Handled`] on. [`idempotency`](crate::idempotency) says why no lease can do better.
//!
//! A receiver with an [inbox](crate::inbox) dies at the points of [`Point::STORED_FIRST`]; behind each of them the same may be
//! expected.
//!
//! # Security
//!
//! A program for production is never built with the feature `testing`: whoever can set a variable of its environment could end
//! it. The feature `cli` does not bring it.

mod child;
mod crashing;
mod handles;
mod keeper;
mod not_up;

pub use crate::fail_point::{ArmedHere, Crash, NoCrash, Point, VARIABLE, arm_here};
pub use child::Child;
pub use crashing::Crashing;
pub use handles::Death;
pub use not_up::NotUp;
