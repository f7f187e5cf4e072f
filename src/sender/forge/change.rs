//! A delivery with one header changed.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

pub(super) fn without(delivery: &Request<Bytes>, name: &HeaderName) -> Request<Bytes> {
    let mut forged = delivery.clone();
    forged.headers_mut().remove(name);
    forged
}

pub(super) fn replaced(delivery: &Request<Bytes>, name: &HeaderName, value: HeaderValue) -> Request<Bytes> {
    let mut forged = delivery.clone();
    forged.headers_mut().insert(name, value);
    forged
}

/// Another value, as sensitive as this one. `None`: these bytes are none.
pub(super) fn like(value: &HeaderValue, bytes: &[u8]) -> Option<HeaderValue> {
    let mut other = HeaderValue::from_bytes(bytes).ok()?;
    other.set_sensitive(value.is_sensitive());
    Some(other)
}
