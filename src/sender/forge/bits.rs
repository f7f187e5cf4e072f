//! Single bits of a delivery.

use bytes::Bytes;
use http::{HeaderValue, Request};

use super::change::{like, replaced};
use crate::encoding::Encoding;
use crate::scheme::{ProofRole, Scheme};

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
    if flip(&mut bytes) { like(value, &bytes) } else { None }
}

/// The delivery as often as it has bits that are proved, each time with another one flipped: those of the body, where it is
/// covered, and those of each header that proves or is signed.
///
/// Left out is what no header can hold, and the case of hexadecimal digits, which says nothing: a scheme may take both.
pub fn every_bit<'a>(
    delivery: &'a Request<Bytes>,
    scheme: &'a dyn Scheme,
) -> impl Iterator<Item = Request<Bytes>> + use<'a> {
    let body: &[u8] = if scheme.covers_body() { delivery.body() } else { &[] };
    // What is signed is signed to the bit; a ciphertext may be written in digits.
    let may_be_hex = scheme.proofs().with_role(ProofRole::Signature).is_none();
    let bodies = flips(body, may_be_hex).map(|body| delivery.clone().map(|_| body.into()));
    let headers = scheme.proofs().headers().iter();
    let named = headers.flat_map(|header| header.names().map(move |name| (header, name)));
    let headers = named.filter_map(|(header, name)| Some((header, name, delivery.headers().get(name)?)));
    let headers = headers.flat_map(move |(header, name, value)| {
        let flipped = flips(value.as_bytes(), header.encoding == Some(Encoding::Hex));
        flipped.filter_map(move |bytes| Some(replaced(delivery, name, like(value, &bytes)?)))
    });
    bodies.chain(headers)
}

fn flips(bytes: &[u8], may_be_hex: bool) -> impl Iterator<Item = Vec<u8>> {
    let bits = (0..bytes.len()).flat_map(|at| (0..8).map(move |bit| (at, 1_u8 << bit)));
    bits.filter_map(move |(at, bit)| {
        let mut flipped = bytes.to_vec();
        let byte = flipped.get_mut(at)?;
        let is_case = bit == 0x20 && byte.is_ascii_alphabetic() && byte.is_ascii_hexdigit();
        *byte ^= bit;
        (!(may_be_hex && is_case)).then_some(flipped)
    })
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

    #[test]
    fn each_bit_is_flipped_once_but_the_case_of_digits() {
        let all: std::collections::HashSet<_> = flips(b"a0g", false).collect();
        assert_eq!(all.len(), 24);
        assert!(all.contains(b"A0g".as_slice()) && all.contains(b"a0G".as_slice()));
        let digits: std::collections::HashSet<_> = flips(b"a0g", true).collect();
        assert_eq!(all.difference(&digits).collect::<Vec<_>>(), [b"A0g"]);
    }
}
