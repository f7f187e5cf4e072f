//! How a request gets to its target: over a connection, or straight into a service of this process.

use std::error::Error;
use std::fmt;
use std::future::{Future, poll_fn, ready};

use bytes::Bytes;
use http::{HeaderMap, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use tower_service::Service;

use crate::error::BoxError;

/// How requests get to their target. Any async function of a request is one.
pub trait Transport: Send + Sync + 'static {
    /// Sends one request, and returns what was answered. How long it may take is the caller's business: it is dropped then.
    ///
    /// # Errors
    ///
    /// [`NoAnswer`] when no whole answer came.
    fn exchange(&self, request: Request<Bytes>) -> impl Future<Output = Result<Answer, NoAnswer>> + Send;

    /// Whether somebody takes connections there. Default: `None`, nobody can tell without a request.
    fn is_there(&self) -> impl Future<Output = Option<bool>> + Send {
        ready(None)
    }
}

impl<F, Fut> Transport for F
where
    F: Fn(Request<Bytes>) -> Fut + Send + Sync + 'static,
    Fut: Future<Output = Result<Answer, NoAnswer>> + Send,
{
    fn exchange(&self, request: Request<Bytes>) -> impl Future<Output = Result<Answer, NoAnswer>> + Send {
        self(request)
    }
}

/// What was answered.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The whole body.
    pub body: Bytes,
}

impl Answer {
    /// An answer of this status and nothing else.
    #[must_use]
    pub fn of(status: StatusCode) -> Self {
        Self { status, headers: HeaderMap::new(), body: Bytes::new() }
    }
}

/// Why there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum NoAnswer {
    /// Nobody took the connection.
    Unreachable,
    /// The connection ended before the answer was whole.
    Broken,
    /// It was not there in time.
    TimedOut,
}

impl fmt::Display for NoAnswer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "nobody took the connection",
            Self::Broken => "no whole answer came",
            Self::TimedOut => "no answer came in time",
        })
    }
}

impl Error for NoAnswer {}

/// What was answered, or why nothing was.
pub(super) fn in_words(said: Result<StatusCode, NoAnswer>) -> String {
    said.map_or_else(|none| none.to_string(), |status| format!("answered {}", status.as_u16()))
}

/// Straight into a service of this process, such as an axum `Router` or a receiver with its handler: no sockets, so that a paused
/// clock goes on.
#[derive(Clone)]
pub struct InProcess<S>(S);

impl<S> InProcess<S> {
    /// Into this service, which is cloned for each request.
    #[must_use]
    pub fn new(service: S) -> Self {
        Self(service)
    }
}

impl<S> fmt::Debug for InProcess<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InProcess").finish_non_exhaustive()
    }
}

impl<S, R> Transport for InProcess<S>
where
    S: Service<Request<Full<Bytes>>, Response = http::Response<R>> + Clone + Send + Sync + 'static,
    S::Future: Send,
    R: http_body::Body + Send,
    R::Data: Send,
    R::Error: Into<BoxError>,
{
    async fn exchange(&self, request: Request<Bytes>) -> Result<Answer, NoAnswer> {
        let mut service = self.0.clone();
        poll_fn(|cx| service.poll_ready(cx)).await.map_err(|_| NoAnswer::Unreachable)?;
        let response = service.call(request.map(Full::new)).await.map_err(|_| NoAnswer::Broken)?;
        let (head, body) = response.into_parts();
        let body = body.collect().await.map_err(|_| NoAnswer::Broken)?.to_bytes();
        Ok(Answer { status: head.status, headers: head.headers, body })
    }
}
