//! [`Handler`]: a function from one event to its [`Outcome`](super::Outcome).

use std::convert::Infallible;
use std::fmt;
use std::future::Future;

use super::inner::{Answer, Handled, Inner, Job};
use super::outcome::IntoOutcome;
use super::received::Received;

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

/// A handler with a state of its own, which each event gets a clone of.
#[derive(Clone)]
pub struct WithState<S, F> {
    state: S,
    handler: F,
}

impl<S, F> WithState<S, F> {
    pub(crate) fn new(state: S, handler: F) -> Self {
        Self { state, handler }
    }

    pub(super) fn call<T>(&self, call: impl FnOnce(S, &F) -> T) -> T
    where
        S: Clone,
    {
        call(self.state.clone(), &self.handler)
    }
}

impl<S, F> fmt::Debug for WithState<S, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WithState").finish_non_exhaustive()
    }
}

/// A function from a state and a received event to an outcome.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler of `{E}` with the state `{S}`",
    note = "such a handler is `Fn({S}, Received<{E}>) -> impl Future` that is `Clone + Send + Sync + 'static`",
    note = "its future is `Send` and yields `()`, an `Outcome`, or a `Result` of one of them"
)]
pub trait StateHandler<S, E>: Clone + Send + Sync + 'static {
    /// The handler's future.
    type Future: Future<Output = Self::Output> + Send + 'static;
    /// What it yields.
    type Output: IntoOutcome;

    /// Handles one event.
    fn handle(&self, state: S, event: Received<E>) -> Self::Future;
}

impl<S, E, F, Fut> StateHandler<S, E> for F
where
    F: Fn(S, Received<E>) -> Fut + Clone + Send + Sync + 'static,
    Fut: Future + Send + 'static,
    Fut::Output: IntoOutcome,
{
    type Future = Fut;
    type Output = Fut::Output;

    fn handle(&self, state: S, event: Received<E>) -> Fut {
        self(state, event)
    }
}

impl<S, E, F> Handler<E> for WithState<S, F>
where
    S: Clone + Send + Sync + 'static,
    F: StateHandler<S, E>,
{
    type Future = F::Future;
    type Output = F::Output;

    fn handle(&self, event: Received<E>) -> F::Future {
        self.call(|state, handler| handler.handle(state, event))
    }
}

/// One event at a time, by a [`Handler`].
#[derive(Clone)]
pub struct Each<F>(pub(crate) F);

impl<F> fmt::Debug for Each<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Each").finish_non_exhaustive()
    }
}

impl<E, F> Inner<E> for Each<F>
where
    E: Send + Sync + 'static,
    F: Handler<E>,
{
    const TAKES_REQUESTS: bool = false;
    const TAKES_BATCHES: bool = false;

    type Error = Infallible;

    fn seats(self, events: usize) -> impl Iterator<Item = Self> + Send {
        std::iter::repeat_n(self, events)
    }

    /// Begun at once: the event goes straight into the handler's future, and not through another.
    fn handle(self, job: Job<E>) -> impl Future<Output = Handled<Answer<Infallible>>> + Send {
        let Job { received, acknowledgement, .. } = job;
        let handling = self.0.handle(received);
        async move { Handled::by(handling.await.into_outcome(), acknowledgement) }
    }
}
