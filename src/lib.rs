//! Tower middleware that receives payment and banking webhooks.
#![cfg_attr(docsrs, feature(doc_cfg))]

pub mod clock;
pub mod encoding;
pub mod error;
pub mod event;
pub mod gate;
pub mod idempotency;
pub mod json;
pub mod layers;
pub mod provider;
pub mod receiver;
pub mod scheme;
pub mod secret;
#[cfg(feature = "testing")]
pub mod testing;
mod trace;

pub use error::{ConfigError, Rejection, RejectionKind};
pub use idempotency::{Delivery, MemoryStore, Received};
pub use receiver::{Outcome, Receiver};
