//! [`IdempotencyLayer`]: one inner request per event, and each event as often as the money moved.

use std::num::NonZeroU32;
use std::sync::Arc;
use std::time::Duration;

use tower_layer::Layer;

use super::drain::Drain;
use super::key::Namespace;
use super::lease::Claims;
use super::service::{Engine, Idempotency};
use super::store::{DedupeStore, Terms};
use super::unprotected::UnprotectedRuns;
use crate::clock::{Entropy, OsEntropy};
use crate::error::ConfigError;
use crate::provider::Provider;

/// Decodes a verified body into events, claims each, and calls the inner service once for each that is new.
///
/// It demands [`Verified`](crate::gate::Verified) and [`gate::Body`](crate::gate::Body), so it stands behind a
/// [`VerifyLayer`](crate::layers::VerifyLayer); without that it answers 500. The inner service finds
/// [`Received`](super::Received) and [`Delivery`](super::Delivery) in the extensions and the event's JSON in the body.
/// A 2xx of the inner service completes the event and is remembered; any other answer frees the key and is passed on.
///
/// A sender that hangs up cancels nothing. As long as somebody awaits the answer, a delivery runs in the task that does,
/// which for most servers is the connection's; dropped, it goes on in a task of its own. An inner service that blocks its
/// thread holds up that task, so hand blocking work to `tokio::task::spawn_blocking`. It needs a tokio runtime.
#[derive(Debug)]
pub struct IdempotencyLayer<P, D> {
    name: Arc<str>,
    provider: Arc<P>,
    store: Arc<D>,
    settings: Settings,
    drain: Drain,
    leaves_delivery: bool,
}

impl<P, D> Clone for IdempotencyLayer<P, D> {
    fn clone(&self) -> Self {
        Self {
            name: Arc::clone(&self.name),
            provider: Arc::clone(&self.provider),
            store: Arc::clone(&self.store),
            settings: self.settings.clone(),
            drain: self.drain.clone(),
            leaves_delivery: self.leaves_delivery,
        }
    }
}

impl<P: Provider, D: DedupeStore> IdempotencyLayer<P, D> {
    /// A layer for this provider's events, with keys in this store under this receiver's name, as
    /// [`Receiver::new`](crate::Receiver::new) has it.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, provider: P, store: D) -> Self {
        let settings = Settings::new(provider.profile().retention());
        Self::assemble(name.into(), Arc::new(provider), Arc::new(store), settings, Drain::new())
    }

    pub(crate) fn assemble(name: Arc<str>, provider: Arc<P>, store: Arc<D>, settings: Settings, drain: Drain) -> Self {
        Self { name, provider, store, settings, drain, leaves_delivery: true }
    }

    /// For an inner service that takes `Received`, which has the delivery in it, and nothing else.
    pub(crate) fn without_delivery(mut self) -> Self {
        self.leaves_delivery = false;
        self
    }

    /// With other settings. Default: [`Settings::new`] with the profile's retention.
    ///
    /// # Errors
    ///
    /// [`ConfigError::Retention`] when the retention is shorter than the sender may repeat itself.
    pub fn settings(mut self, settings: Settings) -> Result<Self, ConfigError> {
        self.provider.profile().check_retention(settings.terms.retention)?;
        self.settings = settings;
        Ok(self)
    }

    /// A handle that drains this layer's services.
    #[must_use]
    pub fn drain(&self) -> Drain {
        self.drain.clone()
    }
}

impl<P: Provider, D: DedupeStore, S> Layer<S> for IdempotencyLayer<P, D> {
    type Service = Idempotency<P, D, S>;

    fn layer(&self, inner: S) -> Self::Service {
        let settings = &self.settings;
        let claims = Claims::new(Arc::clone(&self.store), settings.terms, Arc::clone(&settings.entropy))
            .in_flight_wait(settings.in_flight_wait)
            .unprotected(settings.unprotected.clone());
        let namespace = Namespace::new(&settings.tenant, self.provider.profile().name, &self.name);
        let engine = Engine {
            receiver: Arc::clone(&self.name),
            provider: Arc::clone(&self.provider),
            claims,
            namespace,
            batch_concurrency: settings.batch_concurrency,
            drain: self.drain.clone(),
            leaves_delivery: self.leaves_delivery,
        };
        Idempotency::new(Arc::new(engine), inner)
    }
}

/// How events are told apart, claimed and remembered.
#[derive(Clone)]
pub struct Settings {
    pub(crate) terms: Terms,
    pub(crate) tenant: String,
    in_flight_wait: Duration,
    batch_concurrency: usize,
    entropy: Arc<dyn Entropy>,
    unprotected: Option<UnprotectedRuns>,
}

impl Settings {
    /// Settings with this retention and the defaults of each method.
    #[must_use]
    pub fn new(retention: Duration) -> Self {
        Self {
            terms: Terms::new(retention),
            tenant: String::new(),
            in_flight_wait: Duration::from_millis(500),
            batch_concurrency: 1,
            entropy: Arc::new(OsEntropy),
            unprotected: None,
        }
    }

    /// Keys of different tenants or applications never meet, whatever their receivers are called. Default: empty.
    #[must_use]
    pub fn tenant(mut self, tenant: impl Into<String>) -> Self {
        self.tenant = tenant.into();
        self
    }

    /// How long a completed event is remembered. Checked against the provider's schedule when it is put to use.
    #[must_use]
    pub fn retention(mut self, retention: Duration) -> Self {
        self.terms.retention = retention;
        self
    }

    /// How long a claim holds without renewal; a crash frees the key after this. Default: 30 seconds.
    #[must_use]
    pub fn lease(mut self, lease: Duration) -> Self {
        self.terms.lease = lease;
        self
    }

    /// Poison an event after this many tries. Default: never, since the sender's own schedule ends.
    #[must_use]
    pub fn max_attempts(mut self, most: NonZeroU32) -> Self {
        self.terms.max_attempts = Some(most);
        self
    }

    /// How long a repeat waits for the first copy to finish before it is told to come again. Default: 500 ms.
    #[must_use]
    pub fn in_flight_wait(mut self, wait: Duration) -> Self {
        self.in_flight_wait = wait;
        self
    }

    /// How many events of one delivery run at a time; they are begun in their order. At least 1. Default: 1.
    #[must_use]
    pub fn batch_concurrency(mut self, most: usize) -> Self {
        self.batch_concurrency = most.max(1);
        self
    }

    /// Runs events without a claim while the store is down or full, and counts them. Default: such a delivery is answered
    /// 503, and the sender comes again.
    ///
    /// # Security
    ///
    /// A repeat is then handled again, as often as it comes. For handlers that recognise a repeat by themselves, and see
    /// by [`Received::fence`](super::Received::fence) that there is none.
    #[must_use]
    pub fn dangerous_run_unprotected(mut self, runs: &UnprotectedRuns) -> Self {
        self.unprotected = Some(runs.clone());
        self
    }

    /// Where claim tokens come from, for a store that needs random ones. Default: the operating system.
    #[must_use]
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }
}

impl std::fmt::Debug for Settings {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Settings")
            .field("terms", &self.terms)
            .field("tenant", &self.tenant)
            .field("in_flight_wait", &self.in_flight_wait)
            .field("batch_concurrency", &self.batch_concurrency)
            .finish_non_exhaustive()
    }
}
