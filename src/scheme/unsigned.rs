//! The scheme of senders that prove nothing.

use bytes::Bytes;
use http::HeaderMap;
use jiff::Timestamp;

use super::{Opened, Scheme, SealError, Sealing};
use crate::error::Rejection;

/// No proof at all, for a provider that signs nothing, such as Mambu: the body passes, and
/// [`proves_sender`](Scheme::proves_sender) is false.
///
/// # Security
///
/// It takes every body from everybody. Credentials have to be checked in front; a receiver without them refuses
/// everything.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Unsigned;

impl Scheme for Unsigned {
    fn name(&self) -> &'static str {
        "unsigned"
    }

    fn proves_sender(&self) -> bool {
        false
    }

    fn open(&self, _: &HeaderMap, body: Bytes, _: Timestamp) -> Result<Opened, Rejection> {
        Ok(Opened::new(body, None))
    }

    fn seal(&self, plaintext: Bytes, _: &mut HeaderMap, _: &Sealing<'_>) -> Result<Bytes, SealError> {
        Ok(plaintext)
    }
}
