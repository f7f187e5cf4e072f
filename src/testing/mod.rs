//! What this crate brings for tests: a [`Harness`] that sends to an app as providers do and complains of each promise that was
//! broken; [single deliveries](deliver()); the [contract suite](contract) that every dedupe store must pass; and receivers that
//! [`crash`] at named points.
//!
//! ```
//! use tower_webhook::testing::events::aella;
//! use tower_webhook::testing::{Harness, forge};
//! # use tower_webhook::provider::aella::{Aella, Event};
//! # use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
//! # fn provider(secret: &str) -> Aella { Aella::new(Secret::utf8(secret).unwrap()).unwrap() }
//! # fn app() -> axum::Router {
//! #     let receiver = Receiver::new("aella-ng", provider("ae_sk_test_example")).dedupe(MemoryStore::new(1000));
//! #     axum::Router::new().route_service("/aella", receiver.handle(|_: Received<Event>| async {}))
//! # }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() {
//! let harness = Harness::start(app()).provider("/aella", provider("ae_sk_test_example"));
//!
//! let paid = aella::transfer().amount("2500.00");
//! harness.send("/aella", paid.clone()).await.accepted().handled_once();
//! harness.send("/aella", paid.clone()).await.replayed();
//! harness.forge("/aella", paid.number(2), forge::flipped_bit()).await.refused(401);
//! harness.forge("/aella", aella::inwards(), forge::wrong_key(provider("ae_sk_test_another"))).await.refused(401);
//! harness.forge_all("/aella", aella::debit_failed()).await.accepted().handled_once();
//! // Dropped, it panics where an event was handled twice or lost, was answered early, or something forged was taken.
//! # }
//! ```

mod clock;
pub mod contract;
pub mod crash;
mod deliver;
pub mod harness;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod still;

pub use crate::sender::events;
pub use clock::TokioClock;
pub use deliver::{DeliverError, TestSender, deliver};
pub use harness::{Harness, Sent, forge};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
#[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
pub use still::StillInbox;
