//! [`IdempotencyLayer`]: one inner request per event, and each event as often as the money moved.

use std::sync::{Arc, Once};

use tower_layer::Layer;

use super::lease::Claims;
use super::service::{Engine, Idempotency};
use super::settings::Settings;
use super::store::DedupeStore;
use crate::delivery::Drain;
use crate::delivery::Namespace;
use crate::error::ConfigError;
use crate::observe::log;
use crate::provider::Provider;

/// Decodes a verified body into events, claims each, and calls the inner service once for each that is new.
///
/// It demands [`Verified`](crate::gate::Verified) and [`gate::Body`](crate::gate::Body), so it stands behind a
/// [`VerifyLayer`](crate::layers::VerifyLayer); without that it answers 500. The inner service finds
/// [`Received`](crate::Received) and [`Delivery`](crate::Delivery) in the extensions and the event's JSON in the body.
/// A 2xx of the inner service completes the event and is remembered; any other answer frees the key and is passed on.
///
/// A sender that hangs up cancels nothing. As long as somebody awaits the answer, a delivery runs in the task that does,
/// which for most servers is the connection's; dropped, it goes on in a task of its own. It needs a tokio runtime.
///
/// # Blocking
///
/// The inner service must not block its thread: hand blocking work to `tokio::task::spawn_blocking` and await it. The lease is
/// renewed between two polls of the inner service's future, in the same task. One that blocks for longer than the lease, 30
/// seconds unless it was set, loses it, and a repeat of the event runs beside it, in this process or another;
/// [`LeaseLost::is_lost`](crate::delivery::LeaseLost::is_lost) is true by then, for one that asks. Nor does the
/// [limit](Settings::handler_limit) reach a future that does not return, nor a [drain](Drain::finished) end before it.
#[derive(Debug)]
pub struct IdempotencyLayer<P, D> {
    name: Arc<str>,
    provider: Arc<P>,
    store: Arc<D>,
    settings: Settings,
    drain: Drain,
    leaves_delivery: bool,
    /// Whether its store was warned of. Clones warn once.
    warned: Arc<Once>,
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
            warned: Arc::clone(&self.warned),
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
        Self { name, provider, store, settings, drain, leaves_delivery: true, warned: Arc::new(Once::new()) }
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
    /// [`Retention`](crate::ConfigErrorKind::Retention) when the retention is shorter than the sender may repeat itself.
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
        let provider = self.provider.profile().name;
        if self.store.forgets_at_exit() {
            self.warned.call_once(|| log::forgets_at_exit(&self.name, provider));
        }
        let settings = self.settings.clone();
        let namespace = Namespace::new(&settings.tenant, provider, &self.name);
        let engine = Engine {
            receiver: Arc::clone(&self.name),
            provider: Arc::clone(&self.provider),
            namespace,
            batch_concurrency: settings.batch_concurrency,
            claims: Claims::new(Arc::clone(&self.store), settings, Arc::clone(&self.name), self.drain.clone()),
            drain: self.drain.clone(),
            leaves_delivery: self.leaves_delivery,
        };
        Idempotency::new(Arc::new(engine), inner)
    }
}
