//! Who looks on while events are handled: for tests, compiled in with the feature `testing` alone.

use std::fmt;
use std::future::Future;
use std::sync::Arc;

use super::inner::Handled;
use super::received::Delivery;

/// How a call ended, for whom it concerns: whether the event is done. Dropped, the call was broken off.
pub(crate) type Ended = Box<dyn FnOnce(bool) + Send>;

/// Is told of each call of a handler. It rides in a request's extensions, from the test that sends it to whoever calls handlers.
#[derive(Clone)]
pub(crate) struct Witness(Arc<dyn Fn(&Delivery) -> Ended + Send + Sync>);

impl Witness {
    pub(crate) fn new(called: impl Fn(&Delivery) -> Ended + Send + Sync + 'static) -> Self {
        Self(Arc::new(called))
    }

    pub(crate) fn called(&self, delivery: &Delivery) -> Ended {
        (self.0)(delivery)
    }
}

impl fmt::Debug for Witness {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Witness")
    }
}

/// The work, and how it ended for whom it concerns.
pub(crate) async fn watched<A>(ended: Option<Ended>, work: impl Future<Output = Handled<A>>) -> Handled<A> {
    let handled = work.await;
    if let Some(ended) = ended {
        ended(matches!(handled, Handled::Done { .. }));
    }
    handled
}
