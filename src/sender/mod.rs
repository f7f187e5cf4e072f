//! The provider's side: what is delivered, when it is tried again, and what a receiver that keeps failing has to expect.
//!
//! A [`Webhook`] is one target of a provider's. It seals messages as the provider does, keeps each as a [`Notification`] with its
//! history, tries it by the provider's [`DeliveryProfile`], and switches itself off as the provider would. Time is tokio's: under
//! a paused clock a ladder of thirty days takes no time, and the same code runs in real time.
//! [`Subscriptions`] lead an event to the webhooks that asked for it, and [`Batches`] put several into one message.
//!
//! ```
//! use std::time::Duration;
//!
//! use http::StatusCode;
//! use tower_webhook::provider::{Message, opp::Opp};
//! use tower_webhook::secret::Secret;
//! use tower_webhook::sender::{Answer, DeliveryProfile, NoAnswer, Status, Webhook};
//!
//! # #[tokio::main(flavor = "current_thread", start_paused = true)]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let opp = Opp::new(Secret::hex("000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f")?)?;
//! let always_down = |_: http::Request<bytes::Bytes>| async {
//!     Ok::<_, NoAnswer>(Answer::of(StatusCode::SERVICE_UNAVAILABLE))
//! };
//! let webhook = Webhook::new("http://127.0.0.1:8080/opp".parse()?, opp, DeliveryProfile::opp(), always_down);
//! webhook.send(Message::new(r#"{"type":"PAYMENT","payload":{"id":"8a82"}}"#))?;
//! webhook.settled().await;
//!
//! // After five days of hourly tries the platform switches the webhook off, and deletes what waited for it.
//! let five_days = Duration::from_secs(5 * 24 * 3600);
//! assert!(matches!(webhook.status(), Status::SwitchedOff { after } if after == five_days));
//! # Ok(()) }
//! ```

mod activation;
mod answer_text;
mod batch;
mod board;
mod chance;
mod conduct;
mod connection;
pub mod events;
pub mod forge;
mod http2_text;
pub(crate) mod judge;
mod ladder;
mod ledger;
mod malformed;
mod notification;
mod profile;
mod request_text;
mod resend;
pub mod storm;
mod subscription;
mod tally;
mod tcp;
pub mod template;
mod transport;
mod webhook;

pub use batch::Batches;
pub use board::Status;
pub use chance::Chance;
pub use conduct::{Break, Conduct, Cut, Lie};
pub use ledger::{Broken, Call, Handling, Ledger, Tally};
pub use malformed::Malformed;
pub use notification::{Attempt, Came, Id, Notification, State};
pub use profile::{DeliveryProfile, Jitter, LongFailure, Payload, Pending, Resend, RetryAfter};
pub use subscription::{Inlet, Interest, Routed, Subscriptions};
pub use tcp::{NotAnswered, NotLoopback, Tcp};
pub use transport::{Answer, InProcess, NoAnswer, Transport};
pub use webhook::{NotSent, Webhook, new_key};
