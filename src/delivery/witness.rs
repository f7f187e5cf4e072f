//! Who looks on while events are handled: for tests, compiled in with the feature `testing` alone.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::inner::Handled;
use super::key::KeyHash;
use super::received::Delivery;

/// How a call ended, for whom it concerns: whether the event is done. Dropped, the call was broken off.
pub(crate) type Ended = Box<dyn FnOnce(bool) + Send>;

/// Is told of an event that is about to be stored: its key, and how it reads.
type Storing = Arc<dyn Fn(&KeyHash, &str) + Send + Sync>;

/// Is told of each call of a handler. It rides in a request's extensions, from the test that sends it to whoever calls handlers.
#[derive(Clone)]
pub(crate) struct Witness {
    called: Arc<dyn Fn(&Delivery) -> Ended + Send + Sync>,
    storing: Storing,
}

impl Witness {
    pub(crate) fn new(called: impl Fn(&Delivery) -> Ended + Send + Sync + 'static) -> Self {
        Self { called: Arc::new(called), storing: Arc::new(|_, _| {}) }
    }

    /// And is told of each event that is about to be stored, to be handled later: its key, and how it reads.
    pub(crate) fn and_of_stored(self, storing: impl Fn(&KeyHash, &str) + Send + Sync + 'static) -> Self {
        Self { storing: Arc::new(storing), ..self }
    }

    pub(crate) fn called(&self, delivery: &Delivery) -> Ended {
        (self.called)(delivery)
    }

    #[cfg_attr(not(any(feature = "postgres", feature = "sqlite")), allow(dead_code, reason = "nothing is stored"))]
    pub(crate) fn storing(&self, key: &KeyHash, readable: &str) {
        (self.storing)(key, readable);
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

pin_project! {
    /// The work, and how it ended for whom it concerns.
    pub(crate) struct Watched<F> {
        #[pin]
        work: F,
        ended: Option<Ended>,
    }
}

impl<F> Watched<F> {
    pub(crate) fn new(work: F, ended: Option<Ended>) -> Self {
        Self { work, ended }
    }
}

impl<A, F: Future<Output = Handled<A>>> Future for Watched<F> {
    type Output = Handled<A>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Handled<A>> {
        let this = self.project();
        let handled = ready!(this.work.poll(cx));
        if let Some(ended) = this.ended.take() {
            ended(matches!(handled, Handled::Done { .. }));
        }
        Poll::Ready(handled)
    }
}
