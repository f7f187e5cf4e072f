//! The schemes against published and self-made vectors, each with its tampered twins.
#![cfg(test)]

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use proptest::prelude::{ProptestConfig, Strategy, any};
use proptest::sample::Index;
use serde_json::Value;
use tower_webhook::clock::{NoEntropy, OsEntropy, Timestamp};
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{Opened, Scheme, SealError, Sealing};
use tower_webhook::secret::{Key, KeyRing, Secret};
use tower_webhook::{Rejection, RejectionKind};

use crate::support::flips;

mod aes_gcm;
#[cfg(feature = "asymmetric")]
mod ed25519;
mod head;
mod hmac;
#[cfg(feature = "asymmetric")]
mod signature;
mod template;
mod token;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// Thirty-two bytes that must never be printed.
const CANARY: &str = "canary-canary-canary-canary-cana";

fn vector(set: &str) -> Value {
    let all: Value = serde_json::from_str(include_str!("../fixtures/vectors.json")).unwrap();
    all[set][0].clone()
}

fn text<'a>(vector: &'a Value, name: &str) -> &'a str {
    vector[name].as_str().unwrap_or_else(|| panic!("{name} is missing"))
}

fn name(name: &'static str) -> HeaderName {
    HeaderName::from_static(name)
}

/// Headers in this order; a name may stand more than once.
fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
    let mut headers = HeaderMap::new();
    for (name, value) in pairs {
        headers.append(*name, HeaderValue::from_bytes(value.as_bytes()).unwrap());
    }
    headers
}

type Outcome = Result<Opened, Rejection>;

fn open(scheme: &dyn Scheme, pairs: &[(&'static str, &str)], body: &[u8]) -> Result<Opened, Rejection> {
    scheme.open(&headers(pairs), body.to_vec().into(), NOW)
}

fn seal(scheme: &dyn Scheme, plaintext: impl Into<Bytes>) -> (HeaderMap, Bytes) {
    let mut headers = HeaderMap::new();
    let body = scheme.seal(plaintext.into(), &mut headers, &Sealing::new(NOW, &OsEntropy)).unwrap();
    (headers, body)
}

fn kind(result: Result<Opened, Rejection>) -> Option<RejectionKind> {
    result.err().map(|refused| refused.kind())
}

/// Every cryptographic cause has this one answer: kind, status and detail.
#[track_caller]
fn assert_mismatch(case: &str, result: Result<Opened, Rejection>) {
    let refused = result.expect_err(case);
    assert_eq!(
        (refused.kind(), refused.status(), refused.detail()),
        (RejectionKind::SignatureMismatch, StatusCode::UNAUTHORIZED, "no valid key fits this delivery"),
        "{case}"
    );
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

/// An old key that ends at 02:00 and a new one that begins at 01:00.
fn rotation(old: &Secret, new: &Secret) -> KeyRing {
    KeyRing::new([
        Key::new("new", new.clone()).not_before(at("2026-01-01T01:00:00Z")),
        Key::new("old", old.clone()).not_after(at("2026-01-01T02:00:00Z")),
    ])
    .unwrap()
}

/// Which key opens what `old` and `new` have sealed, before, within and after the change.
fn assert_rotates(old: &dyn Scheme, new: &dyn Scheme, both: &dyn Scheme) {
    let table = [
        ("2026-01-01T00:59:59Z", Some("old"), None),
        ("2026-01-01T01:00:00Z", Some("old"), Some("new")),
        ("2026-01-01T02:00:00Z", Some("old"), Some("new")),
        ("2026-01-01T02:00:01Z", None, Some("new")),
    ];
    for (time, by_old, by_new) in table {
        for (sealed_by, sealer, expected) in [("old", old, by_old), ("new", new, by_new)] {
            let (headers, body) = seal(sealer, "{}");
            let opened = both.open(&headers, body, at(time));
            let case = format!("sealed by {sealed_by} at {time}");
            match expected {
                Some(id) => assert_eq!(opened.unwrap().key_id.as_deref(), Some(id), "{case}"),
                None => assert_mismatch(&case, opened),
            }
        }
    }
}

/// A ring without a key that is valid now: nothing fits, and nothing can be sealed.
fn expired(secret: &Secret) -> KeyRing {
    KeyRing::new([Key::new("gone", secret.clone()).not_after(Timestamp::MIN)]).unwrap()
}

fn seal_error(scheme: &dyn Scheme, plaintext: &'static [u8]) -> Option<SealError> {
    scheme.seal(plaintext.into(), &mut HeaderMap::new(), &Sealing::new(NOW, &OsEntropy)).err()
}

fn no_entropy(_: &mut [u8]) -> Result<(), NoEntropy> {
    Err(NoEntropy)
}

/// Neither as text, nor in hexadecimal, Base64 or decimal.
#[track_caller]
fn assert_no_canary(printed: &str) {
    for part in ["canary", "63616e617279", "63616E617279", "Y2FuYXJ5", "99, 97, 110"] {
        assert!(!printed.contains(part), "{part} in {printed}");
    }
}

/// One byte of a sealed delivery changed: which header or the body, which byte, which bits. `None` when HTTP cannot carry
/// it, or when it is no change: bit 0x20 is the case of a hexadecimal digit.
fn changed(sealed: &(HeaderMap, Bytes), encoding: Encoding, change: (Index, Index, u8)) -> Option<(HeaderMap, Bytes)> {
    let ((mut headers, body), (place, byte, bits)) = (sealed.clone(), change);
    let mut body = Vec::from(body);
    let names: Vec<_> = headers.keys().cloned().collect();
    let name = names.get(place.index(names.len() + 1));
    let mut value = name.map(|name| headers[name].as_bytes().to_vec());
    let bytes = value.as_mut().unwrap_or(&mut body);
    if bytes.is_empty() || (encoding == Encoding::Hex && bits == 0x20) {
        return None;
    }
    let at = byte.index(bytes.len());
    bytes[at] ^= bits;
    if let (Some(name), Some(value)) = (name, value) {
        headers.insert(name, HeaderValue::from_bytes(&value).ok()?);
    }
    Some((headers, body.into()))
}

/// What a change needs: which header or the body, which byte, which bits.
fn change() -> impl Strategy<Value = (Index, Index, u8)> {
    (any::<Index>(), any::<Index>(), 1..=u8::MAX)
}

fn cases() -> ProptestConfig {
    ProptestConfig::with_cases(256)
}
