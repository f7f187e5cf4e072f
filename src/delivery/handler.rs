//! A closure as the inner service: one typed event in, an [`Outcome`] out.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http::{Request, Response};
use pin_project_lite::pin_project;
use tower_service::Service;

use super::received::Received;
use crate::error::{BoxError, Rejection, RejectionKind};
use crate::gate::{Body, reject};

/// What became of an event in the handler's hands.
#[derive(Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// It is done, for good: the sender gets a 2xx, now and for every repeat.
    Done,
    /// It is not done; the sender is asked to come again after this time. Answered 503.
    Retry(Duration),
    /// It failed; the sender comes again by its own schedule. Answered 500, and the error goes to the log.
    Failed(BoxError),
}

impl Outcome {
    fn answer(self) -> Result<(), Rejection> {
        match self {
            Self::Done => Ok(()),
            Self::Retry(after) => {
                let rejection = Rejection::new(RejectionKind::HandlerRetry, "the handler asked for a later try");
                Err(rejection.retry_in(after))
            }
            Self::Failed(error) => {
                Err(Rejection::new(RejectionKind::HandlerFailed, "the handler failed").caused_by(error))
            }
        }
    }
}

/// What a handler may return: `()`, an [`Outcome`], or a `Result` of one of them with any error.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not an outcome",
    note = "a handler yields `()`, an `Outcome`, or a `Result` of one of them with any error"
)]
pub trait IntoOutcome {
    /// As an outcome.
    fn into_outcome(self) -> Outcome;
}

impl IntoOutcome for Outcome {
    fn into_outcome(self) -> Outcome {
        self
    }
}

impl IntoOutcome for () {
    fn into_outcome(self) -> Outcome {
        Outcome::Done
    }
}

impl<T: IntoOutcome, E: Into<BoxError>> IntoOutcome for Result<T, E> {
    fn into_outcome(self) -> Outcome {
        self.map_or_else(|error| Outcome::Failed(error.into()), T::into_outcome)
    }
}

/// A function from a received event to an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of `{E}`",
    note = "a handler is `Fn(Received<{E}>) -> impl Future` that is `Clone + Send + Sync + 'static`",
    note = "its future is `Send` and yields `()`, an `Outcome`, or a `Result` of one of them"
)]
pub trait Handler<E>: Clone + Send + Sync + 'static {
    /// The handler's future.
    type Future: Future<Output = Self::Output> + Send + 'static;
    /// What it yields.
    type Output: IntoOutcome;

    /// Handles one event.
    fn handle(&self, event: Received<E>) -> Self::Future;
}

impl<E, F, Fut> Handler<E> for F
where
    F: Fn(Received<E>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcome,
{
    type Future = Fut;
    type Output = Fut::Output;

    fn handle(&self, event: Received<E>) -> Fut {
        self(event)
    }
}

/// A handler as a service: takes the event out of the extensions, answers by its outcome.
pub struct HandlerService<E, F> {
    handler: F,
    /// The receiver's name, for what is refused.
    receiver: Arc<str>,
    event: PhantomData<fn(E)>,
}

impl<E, F> HandlerService<E, F> {
    pub(crate) fn new(handler: F, receiver: Arc<str>) -> Self {
        Self { handler, receiver, event: PhantomData }
    }
}

impl<E, F: Clone> Clone for HandlerService<E, F> {
    fn clone(&self) -> Self {
        Self::new(self.handler.clone(), Arc::clone(&self.receiver))
    }
}

impl<E, F> fmt::Debug for HandlerService<E, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HandlerService").finish_non_exhaustive()
    }
}

impl<E, F> Service<Request<Body>> for HandlerService<E, F>
where
    E: Clone + Send + Sync + 'static,
    F: Handler<E>,
{
    type Response = Response<Body>;
    type Error = std::convert::Infallible;
    type Future = HandlerFuture<F::Future>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, mut request: Request<Body>) -> Self::Future {
        let event = request.extensions_mut().remove::<Received<E>>();
        let running = event.map(|event| self.handler.handle(event));
        HandlerFuture { running, receiver: Arc::clone(&self.receiver) }
    }
}

pin_project! {
    /// A handler at work.
    #[must_use = "futures do nothing unless polled"]
    #[derive(Debug)]
    pub struct HandlerFuture<F> {
        #[pin]
        running: Option<F>,
        receiver: Arc<str>,
    }
}

impl<F> Future for HandlerFuture<F>
where
    F: Future,
    F::Output: IntoOutcome,
{
    type Output = Result<Response<Body>, std::convert::Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let answered = match this.running.as_pin_mut() {
            Some(running) => ready!(running.poll(cx)).into_outcome().answer(),
            None => Err(Rejection::new(RejectionKind::Misassembled, "no event for the handler")),
        };
        let refused = |rejection: Rejection| reject(rejection.received_by(Arc::clone(this.receiver)));
        Poll::Ready(Ok(answered.map_or_else(refused, |()| Response::new(Body::default()))))
    }
}
