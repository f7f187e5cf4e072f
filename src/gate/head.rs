//! The shell for a check that needs the head of a request alone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::HeadCheck;
use super::reject::{Exit, Rejected};
use super::response_body::ResponseBody;
use super::rest::Rest;
use crate::error::BoxError;

/// Asks a [`HeadCheck`] before the inner service is called. Of a refused request's body nothing is kept; it is read and
/// thrown away as [`answer_early`](super::answer_early) does.
///
/// # Example
///
/// ```
/// use std::{convert::Infallible, sync::Arc};
///
/// use http::{Method, Request, Response, StatusCode, request::Parts};
/// use tower::{ServiceExt, service_fn};
/// use tower_webhook::gate::{HeadCheck, HeadGate};
/// use tower_webhook::{Rejection, RejectionKind};
///
/// struct OnlyPost;
///
/// impl HeadCheck for OnlyPost {
///     fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
///         match head.method {
///             Method::POST => Ok(()),
///             _ => Err(Rejection::new(RejectionKind::MethodNotAllowed, "not a POST")),
///         }
///     }
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Infallible> {
/// let handler = service_fn(|_: Request<String>| async { Ok::<_, Infallible>(Response::new(String::new())) });
/// let service = HeadGate::new(Arc::new(OnlyPost), handler);
///
/// let post = Request::post("/").body(String::new()).unwrap();
/// assert_eq!(service.clone().oneshot(post).await?.status(), StatusCode::OK);
///
/// let get = Request::get("/").body(String::new()).unwrap();
/// assert_eq!(service.oneshot(get).await?.status(), StatusCode::METHOD_NOT_ALLOWED);
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HeadGate<C, S> {
    check: Arc<C>,
    inner: S,
}

impl<C: HeadCheck, S> HeadGate<C, S> {
    /// Puts a check in front of a service.
    #[must_use]
    pub fn new(check: Arc<C>, inner: S) -> Self {
        Self { check, inner }
    }
}

impl<C, S: Clone> Clone for HeadGate<C, S> {
    fn clone(&self) -> Self {
        Self { check: Arc::clone(&self.check), inner: self.inner.clone() }
    }
}

impl<C, S, B, R> Service<Request<B>> for HeadGate<C, S>
where
    C: HeadCheck,
    S: Service<Request<B>, Response = Response<R>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
    B: http_body::Body + Send + 'static,
{
    type Response = Response<ResponseBody>;
    type Error = S::Error;
    type Future = HeadFuture<S::Future>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        let (mut head, body) = request.into_parts();
        let state = match self.check.check(&mut head) {
            Ok(()) => State::Passed { answer: self.inner.call(Request::from_parts(head, body)) },
            Err(rejection) => State::Rejected { rejected: Rejected { rejection, rest: Rest::of(&head, body) } },
        };
        HeadFuture { state }
    }
}

pin_project! {
    /// The answer of a [`HeadGate`].
    pub struct HeadFuture<F> {
        #[pin]
        state: State<F>,
    }
}

pin_project! {
    #[project = StateProjection]
    enum State<F> {
        Rejected { rejected: Rejected },
        Passed { #[pin] answer: F },
    }
}

impl<F, R, E> Future for HeadFuture<F>
where
    F: Future<Output = Result<Response<R>, E>>,
    R: http_body::Body<Data = Bytes> + Send + 'static,
    R::Error: Into<BoxError>,
{
    type Output = Result<Response<ResponseBody>, E>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.project().state.project() {
            StateProjection::Rejected { rejected } => rejected.poll(&Exit::alone(), cx).map(Ok),
            StateProjection::Passed { answer } => answer.poll(cx).map_ok(|response| response.map(ResponseBody::new)),
        }
    }
}

impl<F> fmt::Debug for HeadFuture<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HeadFuture").finish_non_exhaustive()
    }
}
