//! The recommended way to assemble: [`Receiver`] fixes the order of the layers once, since the order is where safety lies.
//!
//! Source address, Basic credentials, method and content type are judged by the head; then the body is read within
//! bounds, opened, decoded, deduplicated per event and handed to a handler or to an inner service. A dedupe layer in
//! front of verification would let a stranger poison keys; here it cannot stand there.

#[cfg(feature = "axum")]
mod axum;
mod candidate;
mod checks;
mod head;
mod identity;
mod layer;
#[cfg(any(feature = "postgres", feature = "sqlite"))]
mod stored;
mod tenants;

use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};
use crate::delivery::{BatchHandler, Drain, Each, Handler, StateHandler, Together, WithState};
use crate::error::ConfigError;
use crate::gate::{BodyBudget, BodyLimits, Compression, Exit, Responder};
use crate::idempotency::{DedupeStore, IdempotencyLayer, Settings, WithoutDedupe};
use crate::layers::{BasicAuthLayer, RateLimitLayer, SourceIpLayer};
use crate::observe::{Observer, Reporter};
use crate::provider::Provider;

use candidate::Candidate;
pub use checks::ReceiverCheck;
use head::ReceiverHead;
pub use layer::{HandlerService, ReceiverLayer, ReceiverService};
#[cfg(any(feature = "postgres", feature = "sqlite"))]
pub use stored::InboxService;
pub use tenants::{KeySource, Tenants};

/// Receives one provider's deliveries, in the right order and nothing forgotten.
///
/// ```
/// use tower_webhook::layers::{BasicAuthLayer, Credentials};
/// use tower_webhook::provider::{Lookup, mambu::{self, Mambu}};
/// use tower_webhook::{MemoryStore, Outcome, Received, Receiver, secret::Secret};
///
/// async fn on_mambu(event: Received<mambu::Event>) -> Outcome {
///     println!("{}: {} bytes", event.delivery().key(), event.delivery().raw().len());
///     Outcome::Done
/// }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let basic = BasicAuthLayer::new([Credentials::new("mambu", Secret::utf8("correct horse battery staple")?)?])?;
/// let mambu = Receiver::new("mambu-core", Mambu::new().event_at(Lookup::json("/event")?))
///     .basic_auth(&basic)
///     .max_body(64 * 1024)
///     .dedupe(MemoryStore::new(1_000_000))
///     .handle(on_mambu);
///
/// # use tower::ServiceExt;
/// let request = http::Request::post("/").header("x-notifications-idempotency-key", "6f1c");
/// let body = r#"{"event":"deposit"}"#.to_owned();
/// assert_eq!(mambu.clone().oneshot(request.body(body.clone())?).await?.status(), 401);
///
/// let request = http::Request::post("/").header("x-notifications-idempotency-key", "6f1c");
/// let request = request.header("authorization", "Basic bWFtYnU6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==");
/// assert_eq!(mambu.oneshot(request.body(body)?).await?.status(), 200);
/// # Ok(()) }
/// ```
///
/// # Order
///
/// In whatever order its methods are called, a delivery passes: source address, rate, Basic credentials, method and content
/// type; proof headers; the body, within its limits; verification and decryption; decoding; claims, one per event; the
/// handler. Layers of others stand around it where they judge requests (tracing, limits, timeouts), and inside, behind
/// [`layer`](Self::layer), where they are about events. What changes a body must not stand outside: bytes are signed.
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
    provider: Arc<P>,
    store: Arc<D>,
    exit: Exit,
    head: ReceiverHead,
    limits: BodyLimits,
    compression: Compression,
    budget: Option<BodyBudget>,
    clock: Shared<dyn Clock>,
    skip_verification: bool,
    tenants: Option<Tenants<P>>,
    candidate: Option<Candidate>,
    settings: Settings,
    drain: Drain,
}

impl<P, D> Clone for Receiver<P, D> {
    fn clone(&self) -> Self {
        Self {
            provider: Arc::clone(&self.provider),
            store: Arc::clone(&self.store),
            exit: self.exit.clone(),
            head: self.head.clone(),
            limits: self.limits,
            compression: self.compression,
            budget: self.budget.clone(),
            clock: self.clock.clone(),
            skip_verification: self.skip_verification,
            tenants: self.tenants.clone(),
            candidate: self.candidate.clone(),
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
        let profile = provider.profile();
        Self {
            exit: Exit {
                reporter: Reporter::new(name.into(), profile.name),
                responder: None,
                answer_within: profile.answer_within,
            },
            head: ReceiverHead::new(profile),
            limits: BodyLimits { max_bytes: profile.max_body, ..BodyLimits::default() },
            compression: Compression::default(),
            budget: None,
            settings: Settings::new(profile.retention()),
            provider: Arc::new(provider),
            store: Arc::new(NoDedupe),
            clock: Shared(Arc::new(SystemClock)),
            skip_verification: false,
            tenants: None,
            candidate: None,
            drain: Drain::new(),
        }
    }

    /// Keeps idempotency keys in this store, per event, behind verification: in front of it a stranger could take up keys.
    /// Clones of one store share its keys, each receiver under its own name.
    pub fn dedupe<D: DedupeStore>(self, store: D) -> Receiver<P, D> {
        self.store(store)
    }

    /// Runs the handler for every delivery, repeats too.
    ///
    /// # Security
    ///
    /// Every sender repeats itself, after a lost answer for instance. A handler that moves money must recognise a
    /// repeat by itself; [`Received::fence`](crate::Received::fence) is `None`.
    pub fn dangerous_without_dedupe(self) -> Receiver<P, WithoutDedupe> {
        self.store(WithoutDedupe)
    }

    fn store<D>(self, store: D) -> Receiver<P, D> {
        Receiver {
            store: Arc::new(store),
            provider: self.provider,
            exit: self.exit,
            head: self.head,
            limits: self.limits,
            compression: self.compression,
            budget: self.budget,
            clock: self.clock,
            skip_verification: self.skip_verification,
            tenants: self.tenants,
            candidate: self.candidate,
            settings: self.settings,
            drain: self.drain,
        }
    }
}

impl<P: Provider, D> Receiver<P, D> {
    /// Demands Basic credentials, after the source address and before the body is read. Default: none. A provider whose
    /// scheme proves no sender, such as Mambu, must have them, or everything is answered 500.
    pub fn basic_auth(mut self, layer: &BasicAuthLayer) -> Self {
        self.head.basic = Some(layer.clone());
        self
    }

    /// Takes deliveries from these addresses alone, judged before all else. Default: from any. Behind a proxy the address is
    /// the proxy's: see [`SourceIpLayer::trusted_proxies`].
    pub fn sources(mut self, layer: &SourceIpLayer) -> Self {
        self.head.sources = Some(layer.clone());
        self
    }

    /// Takes so many deliveries from each network, judged behind the source address and before the credentials. Beyond that
    /// the answer is 503. Default: any number. Receivers that have one layer count together.
    ///
    /// # Security
    ///
    /// See [`RateLimitLayer`]: the burst must be what the provider sends after an outage.
    pub fn rate_limit(mut self, layer: &RateLimitLayer) -> Self {
        self.head.rate = Some(layer.clone());
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

    /// What becomes of compressed bodies. Default: [`Compression::Refuse`].
    ///
    /// # Security
    ///
    /// See [`Compression`].
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
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

    /// Tries another provider's keys and scheme on every delivery too, and reports what they find: before the day on which a
    /// sender changes them, or before verification is switched on. It decides nothing: a delivery passes or is refused as if
    /// it were not there. Default: none.
    ///
    /// Of a proved delivery an observer hears [`CandidateFits`](crate::observe::Fact::CandidateFits) or
    /// [`CandidateRefuses`](crate::observe::Fact::CandidateRefuses), of a refused one only that the candidate fits; the log
    /// warns where the two differ. A scheme that decrypts fits when it opens the body to the same bytes. What is refused by
    /// its head, such as one without the present signature, is not tried.
    ///
    /// ```
    /// use tower_webhook::provider::aella::{self, Aella};
    /// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
    ///
    /// # fn build() -> Result<(), tower_webhook::ConfigError> {
    /// let now = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
    /// let tomorrow = Aella::new(Secret::utf8("ae_sk_test_another")?)?;
    /// let service = Receiver::new("aella-ng", now)
    ///     .candidate(tomorrow)
    ///     .dedupe(MemoryStore::new(1_000_000))
    ///     .handle(|event: Received<aella::Event>| async move {});
    /// # Ok(()) }
    /// # build().unwrap();
    /// ```
    ///
    /// # Security
    ///
    /// The keys of a candidate open nothing. Where none of today's prove anything, since the receiver was made with
    /// [`dangerous_skip_verification`](Self::dangerous_skip_verification), everything passes however often the candidate
    /// refuses: anybody can then say that money moved. Every delivery costs the work of both.
    pub fn candidate(mut self, provider: impl Provider) -> Self {
        self.candidate = Some(Candidate::new(provider));
        self
    }

    /// Looks up whose keys prove a delivery, by what its head claims. The provider that the receiver was made with decodes,
    /// and its own keys prove nothing then. Each tenant's events have idempotency keys of their own. Default: the provider's
    /// keys prove every delivery.
    pub fn tenants(mut self, tenants: &Tenants<P>) -> Self {
        self.tenants = Some(tenants.clone());
        self
    }

    /// Drains every service made of this receiver, by a drain that may serve others too. Default: nobody drains them.
    pub fn drain(mut self, drain: &Drain) -> Self {
        self.drain = drain.clone();
        self
    }

    /// Reports what becomes of deliveries and events to this observer too, each fact once. Default: to the
    /// [log](crate::observe::Log) alone.
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.exit.reporter = self.exit.reporter.observer(observer);
        self
    }

    /// Shapes the answers to rejected deliveries. Default: a status and nothing more.
    ///
    /// # Security
    ///
    /// See [`Responder`].
    pub fn responder(mut self, responder: impl Responder) -> Self {
        self.exit.responder = Some(Arc::new(responder));
        self
    }

    /// A service that answers the provider and calls this handler once per event. The handler returns `()`, an
    /// [`Outcome`](crate::Outcome), or a `Result` of one of them; an error is answered 500 and the event is tried again. A
    /// sender that hangs up does not cancel the handler. Slower than its sender waits, it goes on, and the sender's retry gets
    /// its 2xx; at its [limit](Settings::handler_limit), 5 minutes unless it was set, it is dropped.
    ///
    /// # Blocking
    ///
    /// A handler must not block its thread: hand blocking work to `tokio::task::spawn_blocking` and await it. Its lease is
    /// renewed between two polls of its future. One that blocks for longer than the lease, 30 seconds unless it was set,
    /// loses it, and a repeat of the event runs beside it, in this process or another; `lease_lost().is_lost()` is true by
    /// then, for one that asks. Nor does the limit reach a future that does not return, nor a [drain](Drain) end before it.
    #[must_use]
    pub fn handle<F>(self, handler: F) -> HandlerService<P, D, Each<F>>
    where
        D: DedupeStore,
        F: Handler<P::Event>,
    {
        self.without_requests().assemble().around(Each(handler))
    }

    /// The same for a handler that takes a state first, such as a pool of connections; each event gets a clone of it.
    ///
    /// ```
    /// # use tower_webhook::{MemoryStore, Outcome, Received, Receiver, provider::aella::{self, Aella}, secret::Secret};
    /// #[derive(Clone)]
    /// struct Ledger;
    ///
    /// async fn credit(ledger: Ledger, event: Received<aella::Event>) -> Result<(), std::io::Error> {
    ///     println!("{} by {:?}", event.delivery().key(), event.delivery().verified().key_id());
    ///     Ok(())
    /// }
    ///
    /// # fn build() -> Result<(), tower_webhook::ConfigError> {
    /// # let provider = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
    /// let store = MemoryStore::new(1_000_000);
    /// let service = Receiver::new("aella-ng", provider).dedupe(store).handle_with(Ledger, credit);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn handle_with<S, F>(self, state: S, handler: F) -> HandlerService<P, D, Each<WithState<S, F>>>
    where
        D: DedupeStore,
        S: Clone + Send + Sync + 'static,
        F: StateHandler<S, P::Event>,
    {
        self.handle(WithState::new(state, handler))
    }

    /// A service that calls this handler once per delivery, with all of its events that are neither done nor in somebody
    /// else's hands, in their order, so that they can be written in one transaction. The handler returns an
    /// [`Outcome`](crate::Outcome) for each, or `()`, or a `Result` of one of them; an error counts for all.
    ///
    /// Each event has a claim of its own, and its own fencing token. All are claimed before the handler is called, however
    /// [`batch_concurrency`](Settings::batch_concurrency) is set.
    ///
    /// ```
    /// # use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret};
    /// # use tower_webhook::provider::banking_circle::{self, BankingCircle};
    /// async fn book(bookings: Vec<Received<banking_circle::Event>>) -> Result<(), std::io::Error> {
    ///     // one transaction for up to 1000 notifications
    ///     Ok(())
    /// }
    ///
    /// # fn build() -> Result<(), tower_webhook::ConfigError> {
    /// # let bank = BankingCircle::new(Secret::utf8("sim-bc-notification-key-32-chars")?)?;
    /// let service = Receiver::new("bank", bank).dedupe(MemoryStore::new(1_000_000)).handle_batch(book);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn handle_batch<F>(self, handler: F) -> HandlerService<P, D, Together<P::Event, F>>
    where
        D: DedupeStore,
        F: BatchHandler<P::Event>,
    {
        self.without_requests().assemble().around(Together::new(handler))
    }

    /// The same for a handler that takes a state first; each delivery gets a clone of it.
    #[must_use]
    pub fn handle_batch_with<S, F>(
        self,
        state: S,
        handler: F,
    ) -> HandlerService<P, D, Together<P::Event, WithState<S, F>>>
    where
        D: DedupeStore,
        WithState<S, F>: BatchHandler<P::Event>,
    {
        self.handle_batch(WithState::new(state, handler))
    }

    /// A layer for routes you already have: the inner service sees one request per event, with the event's JSON as its
    /// body, and [`Received`](crate::Received) and [`Delivery`](crate::Delivery) in the extensions.
    #[must_use]
    pub fn layer(self) -> ReceiverLayer<P, D>
    where
        D: DedupeStore,
    {
        self.assemble()
    }

    /// Around a handler, which sees no request: evidence that nobody else looks for is not left there.
    fn without_requests(mut self) -> Self {
        self.head.leaves_evidence =
            self.tenants.is_some() || self.candidate.is_some() || !self.provider.scheme().proves_sender();
        self
    }

    fn assemble(self) -> ReceiverLayer<P, D>
    where
        D: DedupeStore,
    {
        let (check, exit, budget) = self.front();
        let dedupe = IdempotencyLayer::assemble(self.provider, self.store, self.settings, self.exit, self.drain);
        ReceiverLayer { check, exit, budget, dedupe }
    }

    /// What stands in front of whoever takes the events.
    fn front(&self) -> (Arc<ReceiverCheck<P>>, Arc<Exit>, BodyBudget) {
        let budget = self.budget.clone().unwrap_or_else(|| BodyBudget::for_bodies_of(self.limits.max_bytes));
        let exit = Arc::new(self.exit.clone());
        let check = ReceiverCheck {
            head: self.head.clone(),
            provider: Arc::clone(&self.provider),
            clock: Arc::clone(&self.clock.0),
            exit: Arc::clone(&exit),
            limits: self.limits,
            compression: self.compression,
            skip_verification: self.skip_verification,
            tenants: self.tenants.clone(),
            candidate: self.candidate.clone(),
        };
        (Arc::new(check), exit, budget)
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
