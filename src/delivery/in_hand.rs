//! A delivery in hand: it is polled where it is awaited, and goes on in a task of its own when nobody awaits it any more.

use std::any::Any;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::runtime::Handle;

/// It ended in a panic. Of its payload, which may hold anything, nothing is kept.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Panicked {
    /// A payload whose drop panics too ends here, and not whoever drops it: the rest of such a one is left undropped.
    pub(crate) fn with(payload: Box<dyn Any + Send>) -> Self {
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        Self
    }
}

/// A future that is driven to its end even when it is dropped. A panic of its is an answer.
pub(crate) struct InHand<T: 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    /// Where it goes on: the runtime that it was begun in, since it may be dropped outside.
    runtime: Option<Handle>,
}

impl<T> InHand<T> {
    pub(crate) fn new(work: impl Future<Output = T> + Send + 'static) -> Self {
        Self { work: Some(Box::pin(work)), runtime: Handle::try_current().ok() }
    }
}

impl<T> Future for InHand<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let ended = match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(cx))) {
            Ok(Poll::Pending) => return Poll::Pending,
            Ok(Poll::Ready(answer)) => Ok(answer),
            Err(payload) => Err(Panicked::with(payload)),
        };
        self.work = None;
        Poll::Ready(ended)
    }
}

impl<T> Drop for InHand<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Without a runtime it cannot go on: its claim comes free when the lease ends, as after a crash.
        if let Some(runtime) = self.runtime.take().or_else(|| Handle::try_current().ok()) {
            runtime.spawn(async move { drop(work.await) });
        }
    }
}
