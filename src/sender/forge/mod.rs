//! Deliveries that must not be taken, made of ones that must.
//!
//! A [`Forgery`] changes a delivery that was sealed. Two need no help: a delivery by the wrong key, or by another tenant's, is
//! sealed by a provider with that key; one that is replayed is a clone of itself, and is no forgery, but an event that must not be
//! handled twice. [`stale`], [`early`] and [`spliced`] are of another time, or of two deliveries.
//!
//! What looks like a forgery and is none: hexadecimal in upper case, which schemes take as well as lower case; white space around
//! a ciphertext in text; and a header that no scheme covers. No scheme here has additional data (AAD) that could be changed.

mod bits;
pub(super) mod body;
mod change;
mod credentials;
mod empty_key;
mod forgery;
mod proof;
mod time;

pub use bits::{every_bit, flip, flip_header};
pub use forgery::{Forgery, forge};
pub use time::{early, spliced, stale};

pub(crate) use credentials::{with_wrong_password, without_credentials};
pub(crate) use time::{just_early, just_stale};
