//! How a body says where it ends. What two readers may understand in two ways is refused (RFC 9112, section 6.1).

use http::HeaderMap;
use http::header::{CONTENT_LENGTH, TRANSFER_ENCODING};

use crate::error::{Rejection, RejectionKind};

/// Takes no transfer coding but one `chunked`, and none beside a length: a proxy in front that reads the other of them sees
/// another end of the body, and takes the rest for a request.
///
/// Most requests have no transfer coding, and pay for one look.
pub(super) fn unambiguous(headers: &HeaderMap) -> Result<(), Rejection> {
    let mut codings = headers.get_all(TRANSFER_ENCODING).iter();
    let Some(coding) = codings.next() else { return Ok(()) };
    let is_chunked = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if is_chunked && codings.next().is_none() && !headers.contains_key(CONTENT_LENGTH) {
        return Ok(());
    }
    Err(Rejection::new(RejectionKind::HeaderMalformed, "the end of the body can be read in two ways"))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;

    use super::*;

    #[test]
    fn one_chunked_passes_and_nothing_beside_it() {
        for (codings, length, passes) in [
            (&[][..], None, true),
            (&[], Some("5"), true),
            (&["chunked"], None, true),
            (&[" Chunked\t"], None, true),
            (&["chunked"], Some("5"), false),
            (&["chunked"], Some("0"), false),
            (&["chunked", "chunked"], None, false),
            (&["chunked, chunked"], None, false),
            (&["gzip, chunked"], None, false),
            (&["gzip"], None, false),
            (&["identity"], None, false),
            (&[""], None, false),
        ] {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(coding));
            }
            headers.extend(length.map(|length| (CONTENT_LENGTH, HeaderValue::from_static(length))));
            assert_eq!(unambiguous(&headers).is_ok(), passes, "{codings:?} {length:?}");
        }
    }
}
