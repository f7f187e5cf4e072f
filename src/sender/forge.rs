//! Deliveries that must not be taken, made of ones that must.

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};

use crate::scheme::{ProofHeader, ProofRole, Scheme};

/// How a delivery is forged.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
#[non_exhaustive]
pub enum Forgery {
    /// One bit of the body is another.
    BodyBit,
    /// One bit of the header that proves is another.
    ProofBit,
    /// The header that proves is missing.
    NoProof,
    /// It is there, and blank.
    BlankProof,
    /// It stands twice.
    TwoProofs,
    /// It is its own first half.
    HalfProof,
}

impl Forgery {
    /// All of them.
    pub const ALL: &'static [Self] =
        &[Self::BodyBit, Self::ProofBit, Self::NoProof, Self::BlankProof, Self::TwoProofs, Self::HalfProof];
}

/// The delivery, forged. `None` where its scheme leaves nothing to forge so: no header of an envelope proves, and a token proves
/// no body.
#[must_use]
pub fn forge(delivery: &Request<Bytes>, scheme: &dyn Scheme, how: Forgery) -> Option<Request<Bytes>> {
    let mut forged = delivery.clone();
    if how == Forgery::BodyBit {
        let mut body = delivery.body().to_vec();
        if !scheme.covers_body() || !flip(&mut body) {
            return None;
        }
        *forged.body_mut() = body.into();
        return Some(forged);
    }
    let (name, value) = proof(delivery, scheme)?;
    let headers = forged.headers_mut();
    match how {
        Forgery::NoProof => drop(headers.remove(name)),
        Forgery::TwoProofs => drop(headers.append(name, value.clone())),
        Forgery::BlankProof => drop(headers.insert(name, HeaderValue::from_static(" "))),
        Forgery::HalfProof => {
            let half = value.as_bytes().get(..value.len() / 2)?;
            headers.insert(name, HeaderValue::from_bytes(half).ok()?);
        }
        Forgery::ProofBit | Forgery::BodyBit => drop(headers.insert(name, flip_header(value)?)),
    }
    Some(forged)
}

/// The header that proves: a signature, a tag or a token. A nonce or a checksum beside it proves nothing by itself.
fn proof<'a>(delivery: &'a Request<Bytes>, scheme: &'a dyn Scheme) -> Option<(&'a HeaderName, &'a HeaderValue)> {
    let proofs = [ProofRole::Signature, ProofRole::Tag, ProofRole::Token].into_iter();
    let proofs = proofs.filter_map(|role| scheme.proofs().with_role(role));
    proofs.flat_map(ProofHeader::names).find_map(|name| Some((name, delivery.headers().get(name)?)))
}

/// Flips the lowest bit of one byte near the middle, if there is one. Text stays text of the same kind: hexadecimal, Base64, JSON.
pub fn flip(bytes: &mut [u8]) -> bool {
    let middle = bytes.len() / 2;
    let is_text = std::str::from_utf8(bytes).is_ok();
    let order = (middle..bytes.len()).chain(0..middle);
    let at = order.clone().find(|at| bytes.get(*at).copied().is_some_and(stays)).or(order.clone().next());
    match at.filter(|_| !bytes.is_empty()).and_then(|at| bytes.get_mut(if is_text { at } else { middle })) {
        Some(byte) => {
            *byte ^= 1;
            true
        }
        None => false,
    }
}

/// Whether the byte is a hexadecimal digit with and without its lowest bit.
fn stays(byte: u8) -> bool {
    byte.is_ascii_hexdigit() && (byte ^ 1).is_ascii_hexdigit()
}

/// The same for a header value, which stays as sensitive as it was. `None`: it is empty.
#[must_use]
pub fn flip_header(value: &HeaderValue) -> Option<HeaderValue> {
    let mut bytes = value.as_bytes().to_vec();
    if !flip(&mut bytes) {
        return None;
    }
    let mut flipped = HeaderValue::from_bytes(&bytes).ok()?;
    flipped.set_sensitive(value.is_sensitive());
    Some(flipped)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exactly_one_bit_is_flipped_and_text_stays_readable() {
        for text in ["sha256=0b", "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW", "{\"amount\":100}", "zz", "a"] {
            let mut bytes = text.as_bytes().to_vec();
            assert!(flip(&mut bytes), "{text}");
            let bits: u32 = text.bytes().zip(&bytes).map(|(old, new)| (old ^ new).count_ones()).sum();
            assert_eq!(bits, 1, "{text}");
        }
        let mut binary = [0xff, 0xfe, 0xfd];
        assert!(flip(&mut binary));
        assert_eq!(binary, [0xff, 0xff, 0xfd]);
        assert!(!flip(&mut []));
        assert_eq!(flip_header(&HeaderValue::from_static("d6c34")).unwrap(), "d6b34");
    }
}
