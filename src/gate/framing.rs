//! How a body says where it ends. What two readers may understand in two ways is refused (RFC 9112, section 6.1).

use http::HeaderMap;
use http::header::TRANSFER_ENCODING;

use crate::error::{Rejection, RejectionKind};

/// Takes no transfer coding but one `chunked`: a server takes the last of several for all, and a proxy in front may not. What
/// hyper sees to by itself is not looked at: a length beside it does not count, and nothing follows such a request.
pub(super) fn unambiguous(headers: &HeaderMap) -> Result<(), Rejection> {
    let Some(coding) = headers.get(TRANSFER_ENCODING) else { return Ok(()) };
    let is_chunked = coding.as_bytes().trim_ascii().eq_ignore_ascii_case(b"chunked");
    if is_chunked && headers.get_all(TRANSFER_ENCODING).iter().nth(1).is_none() {
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
        for (codings, passes) in [
            (&[][..], true),
            (&["chunked"], true),
            (&[" Chunked\t"], true),
            (&["chunked", "chunked"], false),
            (&["chunked, chunked"], false),
            (&["gzip, chunked"], false),
            (&["gzip"], false),
            (&["identity"], false),
            (&[""], false),
        ] {
            let mut headers = HeaderMap::new();
            for coding in codings {
                headers.append(TRANSFER_ENCODING, HeaderValue::from_static(coding));
            }
            assert_eq!(unambiguous(&headers).is_ok(), passes, "{codings:?}");
        }
    }
}
