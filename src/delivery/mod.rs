//! A delivery on its way inwards, whoever deduplicates it: what a handler gets and returns, and how a stop waits for it.
//!
//! [`Received`] goes to a [`Handler`], or all of a delivery's to a [`BatchHandler`], and an [`Outcome`] comes back. A tower
//! service behind a layer gets a request per event instead, with [`Received`] and [`Delivery`] in its extensions.

mod admission;
mod batch;
mod done;
mod drain;
#[cfg(feature = "testing")]
mod for_test;
mod handler;
mod in_hand;
mod inner;
mod key;
mod lease_lost;
mod outcome;
mod received;
mod service;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod stored;
mod timed;
mod waiting;
#[cfg(feature = "testing")]
mod witness;

pub(crate) use admission::{Admission, Admitted, Common};
pub use batch::{BatchHandler, IntoOutcomes, Together};
pub use done::REPLAYED;
pub(crate) use done::{acknowledge, mark_replayed, prove, respond};
pub(crate) use drain::Entered;
pub use drain::{Drain, StillInHand};
#[cfg(feature = "testing")]
pub use for_test::ForTest;
pub use handler::{Each, Handler, StateHandler, WithState};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use in_hand::caught;
pub(crate) use in_hand::{InHand, caught_in_place};
pub use inner::{Answer, Handled, Inner, Job};
pub use key::{Fingerprint, KeyHash, Namespace};
pub use lease_lost::LeaseLost;
pub use outcome::{IntoOutcome, Outcome};
pub use received::{Delivery, Received};
pub use service::Requests;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub(crate) use stored::Kept;
pub(crate) use timed::Timed;
pub(crate) use waiting::{all, at_once, until};
#[cfg(feature = "testing")]
pub(crate) use witness::{Ended, Witness};
