//! Classes of faults that receivers of webhooks have really had, as promises. Each is put to what this crate has and then to
//! somebody who has that fault, and must tell the two apart.
#![cfg(test)]

use bytes::Bytes;
use hmac::{Hmac, KeyInit as _, Mac as _};
use http::{HeaderMap, HeaderName, HeaderValue};
use sha1::Sha1;
use sha2::Sha256;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::scheme::{self, MacAlgorithm, Scheme as _, Signed};
use tower_webhook::secret::{KeyRing, Secret};

mod addresses;
mod assembly;
mod secrets;
mod signatures;
#[cfg(feature = "sqlite")]
mod state;

const SIGNATURE: HeaderName = HeaderName::from_static("x-signature");
const KEY: &str = "an example of a signing key";
const BODY: &[u8] = b"{\"id\": \"7\", \"amount\": 100.50}";

/// Whoever says of headers and a body whether the sender wrote them.
type Judge<'a> = &'a dyn Fn(&HeaderMap, &[u8]) -> bool;
/// What a promise came to; if it was broken, how.
type Kept = Result<(), String>;

fn must(held: bool, what: impl Into<String>) -> Kept {
    if held { Ok(()) } else { Err(what.into()) }
}

fn sha256(key: &[u8], body: &[u8]) -> String {
    let mac = Hmac::<Sha256>::new_from_slice(key).unwrap().chain_update(body).finalize();
    Encoding::Hex.encode(&mac.into_bytes())
}

fn sha1(key: &[u8], body: &[u8]) -> String {
    let mac = Hmac::<Sha1>::new_from_slice(key).unwrap().chain_update(body).finalize();
    Encoding::Hex.encode(&mac.into_bytes())
}

fn signed(signature: &str) -> HeaderMap {
    HeaderMap::from_iter([(SIGNATURE, HeaderValue::from_str(signature).unwrap())])
}

fn good() -> String {
    format!("sha256={}", sha256(KEY.as_bytes(), BODY))
}

fn scheme(keys: impl Into<KeyRing>) -> scheme::Hmac {
    let signed = Signed::new(SIGNATURE, Encoding::Hex).prefix("sha256=");
    scheme::Hmac::new(MacAlgorithm::HmacSha256, signed, keys).unwrap()
}

/// What this crate makes of one signature over the body.
fn ours(headers: &HeaderMap, body: &[u8]) -> bool {
    let scheme = scheme(Secret::utf8(KEY).unwrap());
    scheme.open(headers, Bytes::copy_from_slice(body), Timestamp::UNIX_EPOCH).is_ok()
}

/// What the header says, as text.
fn text(headers: &HeaderMap) -> &str {
    headers.get(SIGNATURE).map_or("", |value| value.to_str().unwrap())
}
