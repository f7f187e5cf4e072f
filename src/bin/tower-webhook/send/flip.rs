//! One bit of a delivery flipped.

use http::HeaderValue;

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
