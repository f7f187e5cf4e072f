//! The one body type of this crate.

use std::any::Any;
use std::fmt;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{AUTHORIZATION, CONTENT_ENCODING, CONTENT_LENGTH, TRANSFER_ENCODING};
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue};
use http_body::{Frame, SizeHint};

use pin_project_lite::pin_project;

use super::evidence::Authenticated;
use crate::error::BoxError;

/// A body: what inner services get after a [`BodyGate`](super::BodyGate), all there, and what everything of this crate
/// answers with. The body of an inner service's answer is handed on as it is.
#[derive(Default)]
pub struct Body(Kind);

enum Kind {
    Whole(Bytes),
    Other(Pin<Box<dyn http_body::Body<Data = Bytes, Error = BoxError> + Send>>),
}

impl Default for Kind {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl Body {
    /// A body of somebody else's, to be streamed. One of this type is taken as it is.
    pub fn new<B>(body: B) -> Self
    where
        B: http_body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        if let Some(same) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>().and_then(Option::take) {
            return same;
        }
        body.map(|body| Self(Kind::Other(Box::pin(Other { body })))).unwrap_or_default()
    }

    /// The bytes, without a copy. Nothing, when they are not all there: no body that this crate hands on inwards is like
    /// that.
    #[must_use]
    pub fn into_bytes(self) -> Bytes {
        match self.0 {
            Kind::Whole(bytes) => bytes,
            Kind::Other(_) => Bytes::new(),
        }
    }
}

impl From<Bytes> for Body {
    fn from(bytes: Bytes) -> Self {
        Self(Kind::Whole(bytes))
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Body").finish_non_exhaustive()
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Kind::Whole(bytes) => {
                let bytes = std::mem::take(bytes);
                Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
            }
            Kind::Other(body) => body.as_mut().poll_frame(cx),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Kind::Whole(bytes) => bytes.is_empty(),
            Kind::Other(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Kind::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Kind::Other(body) => body.size_hint(),
        }
    }
}

pin_project! {
    struct Other<B> {
        #[pin]
        body: B,
    }
}

impl<B> http_body::Body for Other<B>
where
    B: http_body::Body<Data = Bytes>,
    B::Error: Into<BoxError>,
{
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        self.project().body.poll_frame(cx).map_err(Into::into)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
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
    for name in OF_THE_OLD_BODY.iter().chain(proof) {
        head.headers.remove(name);
    }
    if head.extensions.get::<Authenticated>().is_some() {
        head.headers.remove(AUTHORIZATION);
    }
}

/// Makes a head tell this length, once. Most do already, and keep their header as it came.
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
