//! Bodies that are nearly the one that was sealed.

use bytes::Bytes;
use http::Request;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use super::bits::flip;
use crate::scheme::{ProofRole, Scheme};

/// The delivery with a changed body. `None`: the body is not covered, or cannot be changed so.
pub(super) fn changed(
    delivery: &Request<Bytes>,
    scheme: &dyn Scheme,
    change: impl FnOnce(&[u8]) -> Option<Vec<u8>>,
) -> Option<Request<Bytes>> {
    if !scheme.covers_body() {
        return None;
    }
    let body = change(delivery.body())?;
    Some(delivery.clone().map(|_| body.into()))
}

/// With one bit flipped.
pub(super) fn bit(body: &[u8]) -> Option<Vec<u8>> {
    let mut body = body.to_vec();
    flip(&mut body).then_some(body)
}

/// Without its last byte, and the white space behind it: a line end may stand behind a ciphertext in text.
pub(super) fn truncated(body: &[u8]) -> Option<Vec<u8>> {
    body.trim_ascii_end().split_last().map(|(_, rest)| rest.to_vec())
}

/// The same JSON with one space more. `None` for what is none, and where the body is no text of the sender's: of an envelope
/// only the ciphertext is proved.
pub(super) fn rewritten(scheme: &dyn Scheme, body: &[u8]) -> Option<Vec<u8>> {
    scheme.proofs().with_role(ProofRole::Signature)?;
    serde_json::from_slice::<IgnoredAny>(body).ok()?;
    let opened = body.iter().position(|byte| b"{[".contains(byte))?;
    // Behind a bracket, and not inside of a text that is all of the JSON.
    let (front, back) = body.split_at_checked(opened + 1).filter(|_| body.trim_ascii_start().first() != Some(&b'"'))?;
    Some([front, b" ", back].concat())
}

/// The envelope with each of its texts changed. `None`: it is none.
pub(super) fn envelope(scheme: &dyn Scheme, body: &[u8], change: impl Fn(&str) -> Value) -> Option<Vec<u8>> {
    let mut members = members(scheme, body)?;
    for value in members.values_mut() {
        if let Some(text) = value.as_str() {
            *value = change(text);
        }
    }
    serde_json::to_vec(&members).ok()
}

/// The envelope with each of its members twice.
pub(super) fn doubled(scheme: &dyn Scheme, body: &[u8]) -> Option<Vec<u8>> {
    members(scheme, body)?;
    twice(body)
}

/// A JSON object with each of its members twice. `None`: it has none.
pub(in crate::sender) fn twice(object: &[u8]) -> Option<Vec<u8>> {
    serde_json::from_slice::<Map<String, Value>>(object).ok().filter(|members| !members.is_empty())?;
    let inside = object.trim_ascii().strip_prefix(b"{")?.strip_suffix(b"}")?;
    Some([b"{", inside, b",", inside, b"}"].concat())
}

fn members(scheme: &dyn Scheme, body: &[u8]) -> Option<Map<String, Value>> {
    if scheme.proofs().with_role(ProofRole::Signature).is_some() {
        return None;
    }
    serde_json::from_slice(body).ok().filter(|members: &Map<_, _>| !members.is_empty())
}
