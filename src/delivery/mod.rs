//! A delivery on its way inwards, whoever deduplicates it: what a handler gets, what it answers, and how a stop is waited for.

mod drain;
mod handler;
mod in_hand;
mod key;
mod lease_lost;
mod received;

pub use drain::{Drain, StillInHand};
pub use handler::{Handler, HandlerService, IntoOutcome, Outcome};
pub(crate) use in_hand::{InHand, Panicked};
pub use key::{Fingerprint, KeyHash, Namespace};
pub use lease_lost::LeaseLost;
pub(crate) use received::Inner;
pub use received::{Delivery, Received};
