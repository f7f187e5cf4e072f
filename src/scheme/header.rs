//! Reading a header that must stand exactly once.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::error::{Rejection, RejectionKind};

/// The one value of this header, without the optional white space around it.
///
/// Missing and blank are the same reject; so are two values, equal or not: which of them was signed is anybody's guess.
pub(crate) fn sole<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Rejection> {
    exact(headers, name).map(<[u8]>::trim_ascii)
}

/// The same with every byte, as it was signed.
pub(super) fn exact<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Result<&'a [u8], Rejection> {
    if stands_twice(headers, name) {
        return Err(Rejection::new(RejectionKind::HeaderRepeated, format!("{name} stands more than once")));
    }
    let value = headers.get(name).map(HeaderValue::as_bytes).unwrap_or_default();
    if value.trim_ascii().is_empty() {
        return Err(Rejection::new(RejectionKind::SignatureMissing, format!("{name} is missing or blank")));
    }
    Ok(value)
}

/// Whether there are several values of this header. Mostly no name stands twice, and none needs a look.
pub(crate) fn stands_twice(headers: &HeaderMap, name: &HeaderName) -> bool {
    headers.len() > headers.keys_len() && headers.get_all(name).iter().nth(1).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: HeaderName = HeaderName::from_static("x-signature");

    fn read(values: &[&'static str]) -> Result<String, RejectionKind> {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(NAME, HeaderValue::from_static(value));
        }
        sole(&headers, &NAME).map(|value| String::from_utf8(value.to_vec()).unwrap()).map_err(|no| no.kind())
    }

    #[test]
    fn a_header_counts_when_it_stands_once_and_is_not_blank() {
        assert_eq!(read(&[" ab\t"]), Ok("ab".into()));
        assert_eq!(read(&[]), Err(RejectionKind::SignatureMissing));
        assert_eq!(read(&[" "]), Err(RejectionKind::SignatureMissing));
        assert_eq!(read(&["a", "b"]), Err(RejectionKind::HeaderRepeated));
        assert_eq!(read(&["a", "a"]), Err(RejectionKind::HeaderRepeated));
        assert_eq!(read(&["", "a"]), Err(RejectionKind::HeaderRepeated));
    }
}
