//! The body of requests inside: bytes that are all there.

use std::convert::Infallible;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};

use super::evidence::{Authenticated, Verified};
use crate::observe::Traced;

/// A body of bytes that are all there: what inner services get after a [`BodyGate`](super::BodyGate).
#[derive(Clone, Default)]
pub struct Body {
    bytes: Bytes,
    /// From a receiver's gate to what stands behind it in the same receiver.
    evidence: Option<Verified>,
    traced: Traced,
}

impl Body {
    /// The bytes, without a copy.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        self.bytes
    }

    pub(crate) fn proved(bytes: Bytes, evidence: Verified) -> Self {
        Self { bytes, evidence: Some(evidence), traced: Traced::default() }
    }

    /// The same delivery with these bytes.
    #[cfg(feature = "gzip")]
    pub(super) fn with(self, bytes: Bytes) -> Self {
        Self { bytes, ..self }
    }

    pub(super) fn traced_by(&mut self, traced: &Traced) {
        self.traced = traced.clone();
    }

    pub(crate) fn traced(&self) -> &Traced {
        &self.traced
    }

    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    pub(crate) fn evidence(&self) -> Option<&Verified> {
        self.evidence.as_ref()
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    pub(crate) fn into_parts(self) -> (Bytes, Option<Verified>, Traced) {
        (self.bytes, self.evidence, self.traced)
    }
}

/// Its length: what it says is not for a log.
impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").field("length", &self.bytes.len()).finish_non_exhaustive()
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self { bytes, evidence: None, traced: Traced::default() }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

/// Headers of a body as it came over the wire, with its digests (RFC 9530, RFC 3230, RFC 1864).
const OF_THE_OLD_BODY: [HeaderName; 6] = [
    CONTENT_ENCODING,
    TRANSFER_ENCODING,
    HeaderName::from_static("content-digest"),
    HeaderName::from_static("repr-digest"),
    HeaderName::from_static("digest"),
    HeaderName::from_static("content-md5"),
];

/// Takes out of a head what is nobody's business further in: the proof, the credentials that were checked, and what is
/// said of the body as it came.
pub(crate) fn leave_outside(head: &mut Parts, proof: &[HeaderName]) {
    // One walk costs less than to look for each, and mostly there is none.
    if head.headers.keys().any(|name| OF_THE_OLD_BODY.contains(name)) {
        for name in &OF_THE_OLD_BODY {
            head.headers.remove(name);
        }
    }
    for name in proof {
        head.headers.remove(name);
    }
    if head.extensions.get::<Authenticated>().is_some() {
        head.headers.remove(AUTHORIZATION);
    }
}

/// Makes a head state this length, once. Most do already, and keep their header as it came.
pub(crate) fn tell_length(headers: &mut HeaderMap, length: usize) {
    let mut told = headers.get_all(CONTENT_LENGTH).iter();
    let is_told = told.next().is_some_and(|value| says(value, length)) && told.next().is_none();
    if !is_told {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(length));
    }
}

fn says(value: &HeaderValue, length: usize) -> bool {
    let digits = value.as_bytes();
    let number = std::str::from_utf8(digits).ok().and_then(|digits| digits.parse().ok());
    number == Some(length) && digits.iter().all(u8::is_ascii_digit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_head_tells_the_length_once_and_in_digits() {
        for (before, length, after) in [
            (&[][..], 5, "5"),
            (&["5"], 5, "5"),
            (&["05"], 5, "05"),
            (&["+5"], 5, "5"),
            (&["5 "], 5, "5"),
            (&["6"], 5, "5"),
            (&[""], 0, "0"),
            (&["5", "5"], 5, "5"),
            (&["5", "7"], 5, "5"),
            (&["99999999999999999999999"], 5, "5"),
        ] {
            let mut headers = HeaderMap::new();
            for value in before {
                headers.append(CONTENT_LENGTH, HeaderValue::from_static(value));
            }
            tell_length(&mut headers, length);
            let told: Vec<_> = headers.get_all(CONTENT_LENGTH).iter().collect();
            assert_eq!(told, [after], "{before:?}");
        }
    }
}
