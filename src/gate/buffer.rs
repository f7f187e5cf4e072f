//! The shell for a check that needs the whole body.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::header::CONTENT_ENCODING;
use http::{HeaderMap, Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::collect::Collect;
use super::{Body, BodyCheck, refusal};
use crate::error::{BoxError, Rejection, RejectionKind};

/// Reads the whole body within the limits of a [`BodyCheck`], asks it, and calls the inner service with a
/// [`Body`] that is all there.
///
/// Refused are a body over the limit (413, at once; what the sender is still writing is read on and thrown away for a
/// while, so that it gets to see the answer), one that is not complete within its deadline (408), one that breaks off,
/// and any content encoding but `identity` (415; a sender that says `UTF-8` there means no encoding). Trailers are ignored.
///
/// It needs a tokio runtime with its timer. A request body that is not `Unpin` has to be boxed in front.
///
/// # Example
///
/// ```
/// use std::{convert::Infallible, sync::Arc};
///
/// use bytes::Bytes;
/// use http::{Request, Response, StatusCode, request::Parts};
/// use tower::{ServiceExt, service_fn};
/// use tower_webhook::Rejection;
/// use tower_webhook::gate::{Body, BodyCheck, BodyGate, BodyLimits};
///
/// struct Short;
///
/// impl BodyCheck for Short {
///     fn limits(&self) -> BodyLimits {
///         BodyLimits::default().max_bytes(5)
///     }
///
///     fn check(&self, _: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
///         Ok(body)
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Infallible> {
/// let echo = service_fn(|request: Request<Body>| async { Ok::<_, Infallible>(Response::new(request.into_body())) });
/// let service = BodyGate::new(Arc::new(Short), echo);
///
/// let short = service.clone().oneshot(Request::new("12345".to_owned())).await?;
/// assert_eq!(short.into_body().into_bytes(), "12345");
///
/// let long = service.oneshot(Request::new("123456".to_owned())).await?;
/// assert_eq!(long.status(), StatusCode::PAYLOAD_TOO_LARGE);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct BodyGate<C, S> {
    check: Arc<C>,
    inner: S,
}

impl<C, S> BodyGate<C, S> {
    /// Puts a check in front of a service.
    #[must_use]
    pub fn new(check: Arc<C>, inner: S) -> Self {
        Self { check, inner }
    }
}

impl<C, S: Clone> Clone for BodyGate<C, S> {
    fn clone(&self) -> Self {
        Self { check: Arc::clone(&self.check), inner: self.inner.clone() }
    }
}

impl<C, S, B, R> Service<Request<B>> for BodyGate<C, S>
where
    C: BodyCheck,
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    B: http_body::Body + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    R: Default,
{
    type Response = S::Response;
    type Error = S::Error;
    type Future = BodyFuture<C, S, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        // The clone is not ready, so it stays here, and the service that was polled goes along.
        // https://docs.rs/tower/0.5/tower/trait.Service.html#be-careful-when-cloning-inner-services
        let clone = self.inner.clone();
        let inner = mem::replace(&mut self.inner, clone);

        let (head, body) = request.into_parts();
        let state = match plain(&head.headers) {
            Ok(()) => {
                let body = Collect::new(&head.headers, body, self.check.limits());
                let head = Request::from_parts(head, ());
                State::Reading { body, head, check: Arc::clone(&self.check), inner }
            }
            Err(rejection) => State::Refused { rejection },
        };
        BodyFuture { state }
    }
}

/// Nothing is ever decompressed. `UTF-8` is no content coding, but one payment platform sends it, and means none.
fn plain(headers: &HeaderMap) -> Result<(), Rejection> {
    let none = |value: &[u8]| value.eq_ignore_ascii_case(b"identity") || value.eq_ignore_ascii_case(b"utf-8");
    if headers.get_all(CONTENT_ENCODING).iter().all(|value| none(value.as_bytes().trim_ascii())) {
        return Ok(());
    }
    Err(Rejection::new(RejectionKind::ContentEncodingUnsupported, "the body has a content encoding"))
}

pin_project! {
    /// The answer of a [`BodyGate`].
    pub struct BodyFuture<C, S, B>
    where
        S: Service<Request<Body>>,
    {
        #[pin]
        state: State<C, S, B>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<C, S, B>
    where
        S: Service<Request<Body>>,
    {
        Refused { rejection: Rejection },
        Reading { #[pin] body: Collect<B>, head: Request<()>, check: Arc<C>, inner: S },
        Passed { #[pin] answer: S::Future },
    }
}

impl<C, S, B, R> Future for BodyFuture<C, S, B>
where
    C: BodyCheck,
    S: Service<Request<Body>, Response = Response<R>>,
    B: http_body::Body + Send + Unpin + 'static,
    B::Error: Into<BoxError>,
    R: Default,
{
    type Output = Result<S::Response, S::Error>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut state = self.project().state;
        loop {
            let next = match state.as_mut().project() {
                StateProjection::Refused { rejection } => return Poll::Ready(Ok(refusal(rejection.clone()))),
                StateProjection::Passed { answer } => return answer.poll(cx),
                StateProjection::Reading { body, head, check, inner } => {
                    let read = ready!(body.poll(cx));
                    match read.and_then(|bytes| open(&**check, mem::take(head), bytes)) {
                        Ok(request) => State::Passed { answer: inner.call(request) },
                        Err(rejection) => State::Refused { rejection },
                    }
                }
            };
            state.set(next);
        }
    }
}

fn open(check: &impl BodyCheck, head: Request<()>, body: Bytes) -> Result<Request<Body>, Rejection> {
    let (mut head, ()) = head.into_parts();
    let body = check.check(&mut head, body)?;
    Ok(Request::from_parts(head, Body::from(body)))
}

impl<C, S, B> fmt::Debug for BodyFuture<C, S, B>
where
    S: Service<Request<Body>>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BodyFuture").finish_non_exhaustive()
    }
}
