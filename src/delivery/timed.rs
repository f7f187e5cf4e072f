//! How long a handler has an event, where anybody wants to know.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;
use tokio::time::Instant;

use crate::observe::{Fact, Scope};

pin_project! {
    /// A handler's work. Whoever drops it has said why.
    pub(crate) struct Timed<'a, F> {
        #[pin]
        work: F,
        begun: Option<Instant>,
        scope: &'a Scope<'a>,
    }
}

impl<'a, F> Timed<'a, F> {
    /// Begun at this time, or now.
    pub(crate) fn new(work: F, scope: &'a Scope<'a>, at: Option<Instant>) -> Self {
        let begun = scope.reporter.is_heard().then(|| at.unwrap_or_else(Instant::now));
        Self { work, begun, scope }
    }
}

impl<F: Future> Future for Timed<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        let ended = ready!(this.work.poll(cx));
        if let Some(begun) = this.begun.take() {
            this.scope.report(Fact::HandlerEnded { after: begun.elapsed() });
        }
        Poll::Ready(ended)
    }
}
