//! A delivery in hand: it is polled where it is awaited, and goes on in a task of its own when nobody awaits it any more.

use std::any::Any;
use std::future::{Future, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};

use tokio::runtime::Handle;

use super::drain::Entered;
use crate::observe::Traced;

/// It ended in a panic. Of its payload, which may hold anything, nothing is kept.
#[derive(Debug)]
pub(crate) struct Panicked;

impl Panicked {
    /// A payload whose drop panics too ends here, and not whoever drops it: the rest of such a one is left undropped.
    fn with(payload: Box<dyn Any + Send>) -> Self {
        if let Err(second) = catch_unwind(AssertUnwindSafe(|| drop(payload))) {
            std::mem::forget(second);
        }
        Self
    }
}

/// What the work yields. A panic of its is an answer.
pub(crate) async fn caught<F: Future>(work: F) -> Result<F::Output, Panicked> {
    caught_in_place(pin!(work)).await
}

/// The same of work that stays where it is.
pub(crate) fn caught_in_place<T>(
    mut work: Pin<&mut impl Future<Output = T>>,
) -> impl Future<Output = Result<T, Panicked>> + Unpin {
    poll_fn(move |cx| poll_caught(work.as_mut(), cx))
}

fn poll_caught<T, F>(work: Pin<&mut F>, cx: &mut Context<'_>) -> Poll<Result<T, Panicked>>
where
    F: Future<Output = T> + ?Sized,
{
    match catch_unwind(AssertUnwindSafe(|| work.poll(cx))) {
        Ok(polled) => polled.map(Ok),
        Err(payload) => Poll::Ready(Err(Panicked::with(payload))),
    }
}

/// A future that is driven to its end even when it is dropped. A panic of its is an answer.
pub(crate) struct InHand<T: 'static> {
    work: Option<Pin<Box<dyn Future<Output = T> + Send>>>,
    /// Until the work is done or dropped.
    entered: Option<Entered>,
    /// Where it goes on: the runtime that it was begun in, since it may be dropped outside.
    runtime: Option<Handle>,
    /// What it goes on in.
    traced: Traced,
}

impl<T> InHand<T> {
    /// The work is built where it stays: if it were built before, all its room would be copied.
    pub(crate) fn new<F>(entered: Entered, traced: Traced, work: impl FnOnce() -> F) -> Self
    where
        F: Future<Output = T> + Send + 'static,
    {
        let work = Box::write(Box::new_uninit(), work());
        Self { work: Some(Box::into_pin(work)), entered: Some(entered), runtime: Handle::try_current().ok(), traced }
    }
}

impl<T> Future for InHand<T> {
    type Output = Result<T, Panicked>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Some(work) = &mut self.work else { return Poll::Pending };
        let ended = poll_caught(work.as_mut(), cx);
        if ended.is_ready() {
            (self.work, self.entered, self.traced) = (None, None, Traced::default());
        }
        ended
    }
}

impl<T> Drop for InHand<T> {
    fn drop(&mut self) {
        let Some(work) = self.work.take() else { return };
        // Without a runtime it cannot go on: its claim comes free when the lease ends, as after a crash.
        if let Some(runtime) = self.runtime.take().or_else(|| Handle::try_current().ok()) {
            let (entered, traced) = (self.entered.take(), std::mem::take(&mut self.traced));
            runtime.spawn(async move {
                let _entered = entered;
                drop(traced.around(work).await);
            });
        }
    }
}
