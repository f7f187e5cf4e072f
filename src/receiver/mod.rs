//! The paved path: [`Receiver`] fixes the order of the layers once, since the order is where safety lies.
//!
//! Source address, Basic credentials, method and content type are judged by the head; then the body is read within
//! bounds, opened, decoded, deduplicated per event and handed to a handler or to an inner service. A dedupe layer in
//! front of verification would let a stranger poison keys; here it cannot stand there.

#[cfg(feature = "axum")]
mod axum;
mod front;
mod identity;

use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use crate::clock::{Clock, SystemClock};
use crate::delivery::{Drain, Handler, HandlerService};
use crate::error::ConfigError;
use crate::gate::{BodyBudget, BodyGate, BodyLimits, HeadGate};
use crate::idempotency::{DedupeStore, Idempotency, IdempotencyLayer, Settings, WithoutDedupe};
use crate::layers::{BasicAuthLayer, SourceIpLayer};
use crate::provider::Provider;

pub use front::{ReceiverBody, ReceiverHead};

/// Receives one provider's deliveries, in the right order and nothing forgotten.
///
/// Without `.dedupe(..)` it does not become a service:
///
/// ```compile_fail,E0277
/// # use tower_webhook::{provider::aella::{self, Aella}, secret::Secret, Received, Receiver};
/// # fn build() -> Result<(), tower_webhook::ConfigError> {
/// let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// let service = Receiver::new("aella-ng", aella).handle(|event: Received<aella::Event>| async move {});
/// # Ok(()) }
/// ```
#[derive(Debug)]
#[must_use = "a receiver does nothing until `handle` or `layer` makes a service of it"]
pub struct Receiver<P, D = NoDedupe> {
    name: Arc<str>,
    provider: Arc<P>,
    store: Arc<D>,
    front: ReceiverHead,
    limits: BodyLimits,
    budget: Option<BodyBudget>,
    clock: Shared<dyn Clock>,
    skip_verification: bool,
    settings: Settings,
    drain: Drain,
}

impl<P, D> Clone for Receiver<P, D> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            provider: Arc::clone(&self.provider),
            store: Arc::clone(&self.store),
            front: self.front.clone(),
            limits: self.limits,
            budget: self.budget.clone(),
            clock: self.clock.clone(),
            skip_verification: self.skip_verification,
            settings: self.settings.clone(),
            drain: self.drain.clone(),
        }
    }
}

/// The state of a [`Receiver`] that has no dedupe store yet. It is no store.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct NoDedupe;

impl<P: Provider> Receiver<P> {
    /// A receiver of this provider's deliveries, with the limits of its profile.
    ///
    /// The name keeps its idempotency keys apart from those of every other receiver on the same store, and stands in logs
    /// and metrics. It must not be empty, or everything is answered 500.
    ///
    /// # Security
    ///
    /// Two receivers of one name and provider on one store share their effects: what the one has handled, the other answers
    /// as a repeat. Give one name to replicas of one receiver, and to nothing else: two accounts of one provider, each with
    /// its own secret, could otherwise claim each other's keys.
    pub fn new(name: impl Into<Arc<str>>, provider: P) -> Self {
        let (name, profile) = (name.into(), provider.profile());
        Self {
            front: ReceiverHead::new(Arc::clone(&name), profile),
            name,
            limits: BodyLimits { max_bytes: profile.max_body, ..BodyLimits::default() },
            budget: None,
            settings: Settings::new(profile.retention()),
            provider: Arc::new(provider),
            store: Arc::new(NoDedupe),
            clock: Shared(Arc::new(SystemClock)),
            skip_verification: false,
            drain: Drain::new(),
        }
    }

    /// Keeps idempotency keys in this store. Clones of one store share its keys, each receiver under its own name.
    pub fn dedupe<D: DedupeStore>(self, store: D) -> Receiver<P, D> {
        self.with_store(store)
    }

    /// Runs the handler for every delivery, repeats too.
    ///
    /// # Security
    ///
    /// Every sender repeats itself, after a lost answer for instance. A handler that moves money must recognise a
    /// repeat by itself; [`Received::fence`](crate::Received::fence) is `None`.
    pub fn dangerous_without_dedupe(self) -> Receiver<P, WithoutDedupe> {
        self.with_store(WithoutDedupe)
    }

    fn with_store<D>(self, store: D) -> Receiver<P, D> {
        Receiver {
            name: self.name,
            store: Arc::new(store),
            provider: self.provider,
            front: self.front,
            limits: self.limits,
            budget: self.budget,
            clock: self.clock,
            skip_verification: self.skip_verification,
            settings: self.settings,
            drain: self.drain,
        }
    }
}

impl<P: Provider, D> Receiver<P, D> {
    /// Demands Basic credentials, before the body is read. Default: none.
    pub fn basic_auth(mut self, layer: &BasicAuthLayer) -> Self {
        self.front.basic = Some(layer.clone());
        self
    }

    /// Takes deliveries from these addresses alone. Default: from any.
    pub fn sources(mut self, layer: &SourceIpLayer) -> Self {
        self.front.sources = Some(layer.clone());
        self
    }

    /// The longest body, in bytes. Default: the profile's.
    pub fn max_body(mut self, bytes: usize) -> Self {
        self.limits.max_bytes = bytes;
        self
    }

    /// The time for the whole body. Default: 10 seconds.
    pub fn body_deadline(mut self, deadline: Duration) -> Self {
        self.limits.deadline = deadline;
        self
    }

    /// Counts the bytes of bodies in this budget, together with the other receivers that have it; beyond it the answer is
    /// 503. Default: one for this receiver alone, of twice its longest body and 256 MiB at least.
    pub fn body_budget(mut self, budget: &BodyBudget) -> Self {
        self.budget = Some(budget.clone());
        self
    }

    /// The wall clock that keys' validity and signed times are judged by. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Shared(Arc::new(clock));
        self
    }

    /// How events are told apart, claimed and remembered. Default: [`Settings::new`] with the profile's retention.
    ///
    /// # Errors
    ///
    /// [`Retention`](crate::ConfigErrorKind::Retention) when the retention is shorter than the sender may repeat itself.
    pub fn settings(mut self, change: impl FnOnce(Settings) -> Settings) -> Result<Self, ConfigError> {
        self.settings = change(self.settings);
        self.provider.profile().check_retention(self.settings.terms.retention)?;
        Ok(self)
    }

    /// Takes bodies as they come, with no proof of their sender and no decryption.
    ///
    /// # Security
    ///
    /// Anybody who can reach the address can then say that money moved. For tests, and behind a proxy that verifies.
    pub fn dangerous_skip_verification(mut self) -> Self {
        self.skip_verification = true;
        self
    }

    /// A handle that drains every service made of this receiver.
    #[must_use]
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }

    /// A service that answers the provider and calls this handler once per event. The handler returns `()`, an
    /// [`Outcome`](crate::Outcome), or a `Result` of one of them; an error is answered 500 and the event is tried again. A sender that
    /// hangs up does not cancel the handler. Slower than its sender waits, it goes on, and the sender's retry gets its 2xx;
    /// at its [limit](Settings::handler_limit), 5 minutes unless it was set, it is dropped.
    ///
    /// # Blocking
    ///
    /// A handler must not block its thread: hand blocking work to `tokio::task::spawn_blocking` and await it. Its lease is
    /// renewed between two polls of its future. One that blocks for longer than the lease, 30 seconds unless it was set,
    /// loses it, and a repeat of the event runs beside it, in this process or another; `lease_lost().is_lost()` is true by
    /// then, for one that asks. Nor does the limit reach a future that does not return, nor a [drain](Drain) end before it.
    #[must_use]
    pub fn handle<F>(self, handler: F) -> ReceiverService<P, D, HandlerService<P::Event, F>>
    where
        F: Handler<P::Event>,
        D: DedupeStore,
    {
        let handler = HandlerService::new(handler, Arc::clone(&self.name));
        let layer = self.layer();
        ReceiverLayer { dedupe: layer.dedupe.without_delivery(), ..layer }.layer(handler)
    }

    /// A layer for routes you already have: the inner service sees one request per event, with the event's JSON as its
    /// body, and [`Received`](crate::Received) and [`Delivery`](crate::Delivery) in the extensions.
    #[must_use]
    pub fn layer(self) -> ReceiverLayer<P, D>
    where
        D: DedupeStore,
    {
        let budget = self.budget.unwrap_or_else(|| BodyBudget::for_bodies_of(self.limits.max_bytes));
        let open = ReceiverBody {
            receiver: Arc::clone(&self.name),
            provider: Arc::clone(&self.provider),
            clock: self.clock.0,
            limits: self.limits,
            skip_verification: self.skip_verification,
        };
        let dedupe = IdempotencyLayer::assemble(self.name, self.provider, self.store, self.settings, self.drain);
        ReceiverLayer { front: Arc::new(self.front), open: Arc::new(open), budget, dedupe }
    }
}

/// The service of a [`Receiver`] around an inner service.
pub type ReceiverService<P, D, S> = HeadGate<ReceiverHead, BodyGate<ReceiverBody<P>, Idempotency<P, D, S>>>;

/// A [`Receiver`] as a layer.
#[derive(Debug)]
pub struct ReceiverLayer<P, D> {
    front: Arc<ReceiverHead>,
    open: Arc<ReceiverBody<P>>,
    budget: BodyBudget,
    dedupe: IdempotencyLayer<P, D>,
}

impl<P, D> Clone for ReceiverLayer<P, D> {
    fn clone(&self) -> Self {
        Self {
            front: Arc::clone(&self.front),
            open: Arc::clone(&self.open),
            budget: self.budget.clone(),
            dedupe: self.dedupe.clone(),
        }
    }
}

impl<P: Provider, D: DedupeStore, S> Layer<S> for ReceiverLayer<P, D> {
    type Service = ReceiverService<P, D, S>;

    fn layer(&self, inner: S) -> Self::Service {
        let dedupe = self.dedupe.layer(inner);
        let body = BodyGate::new(Arc::clone(&self.open), dedupe).budget(&self.budget);
        HeadGate::new(Arc::clone(&self.front), body)
    }
}

/// A shared value that prints nothing.
struct Shared<T: ?Sized>(Arc<T>);

impl<T: ?Sized> Clone for Shared<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T: ?Sized> std::fmt::Debug for Shared<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("..")
    }
}
