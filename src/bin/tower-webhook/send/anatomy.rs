//! Which headers of a delivery prove what: found by sealing twice and looking at what has changed, so that it holds for
//! every provider.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request};
use tower_webhook::clock::{NoEntropy, Timestamp};
use tower_webhook::provider::{AnyProvider, Message, Provider as _};
use tower_webhook::scheme::{SealError, Sealing};

/// Longer ago than any tolerance reaches.
pub(crate) const STALE: Duration = Duration::from_hours(31 * 24);

/// A provider's headers, by what they do.
pub(crate) struct Anatomy {
    /// The signature, the tag, or the secret itself.
    pub(crate) signature: Option<HeaderName>,
    /// Another header that is proved: an IV, an id, a time.
    pub(crate) proved: Option<HeaderName>,
    /// Whether the time of sealing can be seen.
    pub(crate) is_timed: bool,
}

impl Anatomy {
    /// Looks at how this message is sealed. Nothing of it is ever sent, so that its nonces need not be random.
    pub(crate) fn of(provider: &AnyProvider, message: &Message, now: Timestamp) -> Result<Self, SealError> {
        let mut longer = message.clone();
        longer.body = Bytes::from([&message.body, " ".as_bytes()].concat());
        let seal = |message: &Message, now: Timestamp, nonce: u8| {
            let entropy = move |out: &mut [u8]| {
                out.fill(nonce);
                Ok::<_, NoEntropy>(())
            };
            provider.seal(message.clone(), &Sealing::new(now, &entropy))
        };
        let plain = seal(message, now, 0)?;
        let by_body = changed(&plain, &seal(&longer, now, 0)?);
        let by_nonce = changed(&plain, &seal(message, now, 1)?);
        let old = seal(message, now - STALE, 0)?;

        let both = by_body.iter().find(|name| by_nonce.contains(name));
        let signature = both.or(by_body.first()).or_else(|| sensitive(&plain)).cloned();
        let is_proved = |name: &&HeaderName| {
            let by_nonce = by_nonce.contains(name) && !by_body.contains(name);
            by_nonce || provider.scheme().covers_header(name)
        };
        let proved = plain.headers().keys().filter(|name| Some(*name) != signature.as_ref()).find(is_proved).cloned();
        let is_timed = !changed(&plain, &old).is_empty() || plain.body() != old.body();
        Ok(Self { signature, proved, is_timed })
    }
}

fn changed(one: &Request<Bytes>, other: &Request<Bytes>) -> Vec<HeaderName> {
    let names = one.headers().keys();
    names.filter(|name| one.headers().get(*name) != other.headers().get(*name)).cloned().collect()
}

fn sensitive(request: &Request<Bytes>) -> Option<&HeaderName> {
    request.headers().iter().find(|(_, value)| value.is_sensitive()).map(|(name, _)| name)
}

/// Flips the lowest bit of one byte near the middle. Text stays text of the same kind: hexadecimal, Base64, JSON.
pub(crate) fn flip(bytes: &mut [u8]) -> bool {
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

/// The same for a header value, which stays as sensitive as it was.
pub(crate) fn flip_header(value: &HeaderValue) -> Option<HeaderValue> {
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
