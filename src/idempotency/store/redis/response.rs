//! The remembered answer, as bytes: a version, the status, the content type behind its length, the body.

use bytes::Bytes;
use http::{HeaderValue, StatusCode};

use super::super::StoredResponse;

const VERSION: u8 = 1;

/// A content type that is too long for its length is left out, as a body over the most is.
pub(super) fn encode(response: &StoredResponse) -> Vec<u8> {
    let kind = response.content_type().map(HeaderValue::as_bytes).unwrap_or_default();
    let (kind, length) = u16::try_from(kind.len()).map_or((&[][..], 0), |length| (kind, length));
    let mut bytes = Vec::with_capacity(kind.len().saturating_add(response.body().len()).saturating_add(5));
    bytes.push(VERSION);
    bytes.extend_from_slice(&response.status().as_u16().to_be_bytes());
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(kind);
    bytes.extend_from_slice(response.body());
    bytes
}

/// `None` for anything that [`encode`] does not write.
pub(super) fn decode(bytes: &[u8]) -> Option<StoredResponse> {
    let ([VERSION, status @ ..], rest) = bytes.split_first_chunk::<3>()? else { return None };
    let (length, rest) = rest.split_first_chunk::<2>()?;
    let (kind, body) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
    let status = StatusCode::from_u16(u16::from_be_bytes(*status)).ok()?;
    let kind = if kind.is_empty() { None } else { Some(HeaderValue::from_bytes(kind).ok()?) };
    (body.len() <= StoredResponse::MAX_BODY).then(|| StoredResponse::new(status, kind, Bytes::copy_from_slice(body)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn response(status: u16, kind: Option<&'static str>, body: &[u8]) -> StoredResponse {
        let kind = kind.map(HeaderValue::from_static);
        StoredResponse::new(StatusCode::from_u16(status).unwrap(), kind, Bytes::copy_from_slice(body))
    }

    #[test]
    fn what_is_encoded_is_decoded() {
        for case in [
            response(200, None, b""),
            response(204, Some("application/json"), b""),
            response(599, Some("text/plain"), b"\0\xFF;"),
            response(200, None, &[7; StoredResponse::MAX_BODY]),
        ] {
            assert_eq!(decode(&encode(&case)), Some(case));
        }
    }

    #[test]
    fn every_cut_and_every_stranger_is_refused() {
        let whole = encode(&response(200, Some("text/plain"), b""));
        for cut in 0..whole.len() {
            assert_eq!(decode(&whole[..cut]), None, "cut at {cut}");
        }
        let long = [&whole[..], &[0; StoredResponse::MAX_BODY + 1]].concat();
        for (case, bytes) in [
            ("another version", &[2, 0, 200, 0, 0][..]),
            ("no status", &[1, 0, 99, 0, 0]),
            ("a control character in the type", &[1, 0, 200, 0, 1, 7]),
            ("a body over the most", &long),
        ] {
            assert_eq!(decode(bytes), None, "{case}");
        }
    }
}
