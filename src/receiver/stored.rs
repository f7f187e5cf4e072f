//! A receiver in front of a durable inbox.

use std::convert::Infallible;
use std::fmt;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::{Request, Response};
use tower_service::Service;

use super::Receiver;
use super::checks::ReceiverCheck;
use crate::clock::Clock;
use crate::delivery::{Admission, Drain, Namespace};
use crate::error::BoxError;
use crate::gate::{BodyBudget, BodyFuture, BodyGate, Exit, ResponseBody};
use crate::inbox::{Accepted, Accepting, AcceptingEngine, Entries, InboxStore, NewEvent};
use crate::provider::Provider;

impl<P: Provider, D> Receiver<P, D> {
    /// A service that answers the provider once the events of a delivery are in this inbox, for a
    /// [`Worker`](crate::inbox::Worker) to handle. The inbox dedupes by itself; a store that was set is not used.
    ///
    /// All events of a delivery are stored in one transaction, or none is. What the inbox cannot store is answered 503. A key
    /// that is known with another payload is kept apart, for people, and acknowledged.
    ///
    /// Keys are remembered for [`Settings::retention`](crate::idempotency::Settings::retention).
    #[must_use]
    #[cfg_attr(docsrs, doc(cfg(any(feature = "postgres", feature = "sqlite"))))]
    pub fn inbox<S: InboxStore + Clone>(self, inbox: &S) -> InboxService<P, S> {
        let this = self.without_requests();
        let provider = this.provider.profile().name;
        let entries = Entries {
            namespace: Namespace::new(&this.settings.tenant, provider, this.exit.reporter.receiver()),
            retention: this.settings.terms.retention,
            lane: None,
            told: None,
        };
        let (check, exit, budget) = this.front();
        let (provider, drain, clock) = (this.provider, this.drain, this.clock.0);
        InboxService::assemble(Parts { check, exit, budget, provider, drain, clock, entries, store: inbox.clone() })
    }
}

/// The service of a [`Receiver`] in front of an inbox: [`Receiver::inbox`] makes it.
pub struct InboxService<P: Provider, S> {
    parts: Parts<P, S>,
    gate: BodyGate<ReceiverCheck<P>, Accepting<P, S>>,
}

struct Parts<P: Provider, S> {
    check: Arc<ReceiverCheck<P>>,
    exit: Arc<Exit>,
    budget: BodyBudget,
    provider: Arc<P>,
    drain: Drain,
    clock: Arc<dyn Clock>,
    entries: Entries<P::Event>,
    store: S,
}

impl<P: Provider, S: Clone> Clone for Parts<P, S> {
    fn clone(&self) -> Self {
        Self {
            check: Arc::clone(&self.check),
            exit: Arc::clone(&self.exit),
            budget: self.budget.clone(),
            provider: Arc::clone(&self.provider),
            drain: self.drain.clone(),
            clock: Arc::clone(&self.clock),
            entries: self.entries.clone(),
            store: self.store.clone(),
        }
    }
}

impl<P: Provider, S: InboxStore + Clone> InboxService<P, S> {
    fn assemble(parts: Parts<P, S>) -> Self {
        let Parts { check, exit, budget, provider, drain, clock, entries, store } = parts.clone();
        let admission = Admission::new(provider, Arc::clone(&exit), drain);
        let accepting = Accepting::new(AcceptingEngine { admission, store, clock, entries });
        let gate = BodyGate::new(check, accepting).budget(&budget).exit(&exit);
        Self { parts, gate }
    }

    /// Which lane an event is in, such as its account. Events of one lane are handled one after the other, in the order in
    /// which they were stored, also of several receivers that name one alike. Default: none, and an event waits for nobody.
    #[must_use]
    pub fn lane(mut self, lane: impl Fn(&P::Event) -> Option<String> + Send + Sync + 'static) -> Self {
        self.parts.entries.lane = Some(Arc::new(lane));
        Self::assemble(self.parts)
    }

    /// Tells of each event what became of it, once that is on disk and before the sender is answered. It must not block.
    #[must_use]
    pub fn on_accepted(mut self, told: impl Fn(&NewEvent, Accepted) + Send + Sync + 'static) -> Self {
        self.parts.entries.told = Some(Arc::new(told));
        Self::assemble(self.parts)
    }
}

impl<P: Provider, S: Clone> Clone for InboxService<P, S> {
    fn clone(&self) -> Self {
        Self { parts: self.parts.clone(), gate: self.gate.clone() }
    }
}

impl<P: Provider, S> fmt::Debug for InboxService<P, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("InboxService").field("check", &self.parts.check).finish_non_exhaustive()
    }
}

impl<P, S, B> Service<Request<B>> for InboxService<P, S>
where
    P: Provider,
    S: InboxStore,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<BoxError>,
{
    type Response = Response<ResponseBody>;
    type Error = Infallible;
    type Future = BodyFuture<ReceiverCheck<P>, Accepting<P, S>, B>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Service::<Request<B>>::poll_ready(&mut self.gate, cx)
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.gate.call(request)
    }
}
