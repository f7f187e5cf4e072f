//! The one body type of all answers: ours are whole, those of inner services may stream.

use std::any::Any;
use std::fmt;
use std::mem::take;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use pin_project_lite::pin_project;

use super::body::Body;
use crate::error::BoxError;

/// The body of a response of a gate, a layer or a receiver: whole bytes, or the inner service's body in a box.
///
/// An inner service may answer with any body of [`Bytes`]. Nothing is boxed twice, however many gates stand in each other,
/// and empty bodies not at all.
#[derive(Default)]
pub struct ResponseBody(Content);

enum Content {
    Whole(Bytes),
    Foreign(Pin<Box<dyn HttpBody<Data = Bytes, Error = BoxError> + Send>>),
}

impl Default for Content {
    fn default() -> Self {
        Self::Whole(Bytes::new())
    }
}

impl ResponseBody {
    /// Takes any body, in a box where it is not whole.
    #[must_use]
    pub fn new<B>(body: B) -> Self
    where
        B: HttpBody<Data = Bytes> + Send + 'static,
        B::Error: Into<BoxError>,
    {
        let mut body = Some(body);
        if let Some(ours) = (&mut body as &mut dyn Any).downcast_mut::<Option<Self>>() {
            return take(ours).unwrap_or_default();
        }
        if let Some(whole) = (&mut body as &mut dyn Any).downcast_mut::<Option<Body>>() {
            return take(whole).unwrap_or_default().into_bytes().into();
        }
        match body {
            Some(body) if !body.is_end_stream() => Self(Content::Foreign(Box::pin(Foreign { body }))),
            _ => Self::default(),
        }
    }

    /// The bytes, unless it is an inner service's body that is still to be read.
    #[must_use]
    pub fn whole(&self) -> Option<&Bytes> {
        match &self.0 {
            Content::Whole(bytes) => Some(bytes),
            Content::Foreign(_) => None,
        }
    }
}

impl From<Bytes> for ResponseBody {
    fn from(bytes: Bytes) -> Self {
        Self(Content::Whole(bytes))
    }
}

impl HttpBody for ResponseBody {
    type Data = Bytes;
    type Error = BoxError;

    fn poll_frame(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, BoxError>>> {
        match &mut self.0 {
            Content::Foreign(body) => body.as_mut().poll_frame(cx),
            Content::Whole(bytes) if bytes.is_empty() => Poll::Ready(None),
            Content::Whole(bytes) => Poll::Ready(Some(Ok(Frame::data(take(bytes))))),
        }
    }

    fn is_end_stream(&self) -> bool {
        match &self.0 {
            Content::Whole(bytes) => bytes.is_empty(),
            Content::Foreign(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match &self.0 {
            Content::Whole(bytes) => SizeHint::with_exact(bytes.len() as u64),
            Content::Foreign(body) => body.size_hint(),
        }
    }
}

impl fmt::Debug for ResponseBody {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ResponseBody").field("length", &self.size_hint().exact()).finish_non_exhaustive()
    }
}

pin_project! {
    /// Somebody else's body, with its error in a box.
    struct Foreign<B> {
        #[pin]
        body: B,
    }
}

impl<B> HttpBody for Foreign<B>
where
    B: HttpBody<Data = Bytes>,
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

#[cfg(test)]
mod tests {
    use std::convert::Infallible;
    use std::future::poll_fn;
    use std::io;

    use http_body_util::{BodyExt as _, Empty, Full, StreamBody};

    use super::*;

    fn stream(frames: Vec<Result<&'static str, io::Error>>) -> impl HttpBody<Data = Bytes, Error = io::Error> + Send {
        let frames = frames.into_iter().map(|frame| frame.map(|text| Frame::data(Bytes::from(text))));
        StreamBody::new(futures_util::stream::iter(frames))
    }

    #[test]
    fn what_is_whole_stays_whole_however_often_it_is_wrapped() {
        let bytes = Bytes::from_static(b"whole");
        let body = ResponseBody::new(ResponseBody::new(Body::from(bytes.clone())));
        assert_eq!(body.whole().map(|whole| whole.as_ptr()), Some(bytes.as_ptr()));
        for empty in
            [ResponseBody::new(Empty::<Bytes>::new()), ResponseBody::new(String::new()), ResponseBody::default()]
        {
            assert_eq!(empty.whole(), Some(&Bytes::new()));
        }
    }

    #[test]
    fn a_strangers_body_is_boxed_once() {
        let address = |body: &ResponseBody| match &body.0 {
            Content::Foreign(foreign) => std::ptr::from_ref(&**foreign).cast::<()>(),
            Content::Whole(_) => std::ptr::null(),
        };
        let body = ResponseBody::new(Full::new(Bytes::from_static(b"text")));
        assert_eq!((body.whole(), body.size_hint().exact(), body.is_end_stream()), (None, Some(4), false));
        let before = address(&body);
        assert!(!before.is_null());
        assert_eq!(address(&ResponseBody::new(body)), before);
    }

    #[tokio::test]
    async fn frames_and_trailers_pass_and_so_does_an_error() {
        let trailers = http::HeaderMap::from_iter([(http::header::ETAG, http::HeaderValue::from_static("x"))]);
        let body = stream(vec![Ok("a"), Ok("b")]).with_trailers(std::future::ready(Some(Ok(trailers.clone()))));
        let collected = ResponseBody::new(body).collect().await.unwrap();
        assert_eq!(collected.trailers(), Some(&trailers));
        assert_eq!(collected.to_bytes(), "ab");

        let mut broken = ResponseBody::new(stream(vec![Ok("a"), Err(io::ErrorKind::BrokenPipe.into())]));
        let mut next = async || poll_fn(|cx| Pin::new(&mut broken).poll_frame(cx)).await.unwrap();
        assert!(next().await.is_ok());
        assert!(next().await.unwrap_err().downcast_ref::<io::Error>().is_some());
    }

    #[tokio::test]
    async fn our_own_is_one_frame_and_then_none() {
        let never = |error: Infallible| match error {};
        let body = ResponseBody::new(http_body_util::combinators::BoxBody::new(String::from("x").map_err(never)));
        for mut body in [body, ResponseBody::from(Bytes::from_static(b"x"))] {
            assert_eq!(body.frame().await.unwrap().unwrap().into_data().unwrap(), "x");
            assert!(body.frame().await.is_none() && body.is_end_stream());
        }
    }
}
