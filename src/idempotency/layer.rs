//! [`IdempotencyLayer`]: one inner request per event, and each event at most once per idempotency key.

use std::sync::{Arc, Once};

use tower_layer::Layer;

use super::lease::Claims;
use super::service::{Engine, Idempotency};
use super::settings::Settings;
use super::store::DedupeStore;
use crate::delivery::{Admission, Drain, Namespace, Requests};
use crate::error::ConfigError;
use crate::gate::{Exit, Responder};
use crate::observe::{Fact, Observer, Reporter};
use crate::provider::Provider;

/// Decodes a verified body into events, claims each, and calls the inner service once for each that is new.
///
/// It demands [`Verified`](crate::gate::Verified) and [`gate::Body`](crate::gate::Body), so it stands behind a
/// [`VerifyLayer`](crate::layers::VerifyLayer); without that it answers 500. The inner service finds
/// [`Received`](crate::Received) and [`Delivery`](crate::Delivery) in the extensions and the event's JSON in the body.
/// A 2xx of the inner service completes the event and is remembered; any other answer frees the key and is passed on.
///
/// ```
/// use axum::{Json, Router, routing::post};
/// use http::HeaderName;
/// use tower::ServiceBuilder;
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::idempotency::{IdempotencyLayer, MemoryStore};
/// use tower_webhook::layers::VerifyLayer;
/// use tower_webhook::provider::aella::Aella;
/// use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
/// use tower_webhook::secret::Secret;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let secret = Secret::utf8("ae_sk_test_example")?;
/// let signed = Signed::new(HeaderName::from_static("x-aella-signature"), Encoding::Hex);
/// let verify = VerifyLayer::new(Hmac::new(MacAlgorithm::HmacSha512, signed, secret.clone())?);
/// let dedupe = IdempotencyLayer::new("aella-ng", Aella::new(secret)?, MemoryStore::new(1_000_000));
/// // The first is the outermost: verification stands in front.
/// let stack = ServiceBuilder::new().layer(verify).layer(dedupe);
/// let handler = post(async |Json(event): Json<serde_json::Value>| println!("{}", event["event"]));
/// let app: Router = Router::new().route("/aella", handler.layer(stack));
///
/// # use tower::ServiceExt;
/// let body = r#"{"event":"transfer.completed","data":{"id":"7b"}}"#;
/// # use tower_webhook::{clock::{Clock, OsEntropy, SystemClock}, provider::{Message, Provider}, scheme::Sealing};
/// # let aella = Aella::new(Secret::utf8("ae_sk_test_example")?)?;
/// # let sealing = Sealing::new(SystemClock.now().unwrap(), &OsEntropy);
/// # let mut request = aella.seal(Message::new(body).content_type("application/json".parse()?), &sealing)?;
/// # *request.uri_mut() = "/aella".parse()?;
/// # let request = request.map(axum::body::Body::from);
/// assert_eq!(app.clone().oneshot(request).await?.status(), 200);
/// let unsigned = http::Request::post("/aella").body(axum::body::Body::from(body))?;
/// assert_eq!(app.oneshot(unsigned).await?.status(), 401);
/// # Ok(()) }
/// ```
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
    provider: Arc<P>,
    store: Arc<D>,
    settings: Settings,
    exit: Exit,
    drain: Drain,
    /// Whether its store was warned of. Clones warn once.
    warned: Arc<Once>,
}

impl<P, D> Clone for IdempotencyLayer<P, D> {
    fn clone(&self) -> Self {
        Self {
            provider: Arc::clone(&self.provider),
            store: Arc::clone(&self.store),
            settings: self.settings.clone(),
            exit: self.exit.clone(),
            drain: self.drain.clone(),
            warned: Arc::clone(&self.warned),
        }
    }
}

impl<P: Provider, D: DedupeStore> IdempotencyLayer<P, D> {
    /// A layer for this provider's events, with keys in this store under this receiver's name, as
    /// [`Receiver::new`](crate::Receiver::new) has it.
    #[must_use]
    pub fn new(name: impl Into<Arc<str>>, provider: P, store: D) -> Self {
        let profile = provider.profile();
        let settings = Settings::new(profile.retention());
        let exit = Exit {
            reporter: Reporter::new(name.into(), profile.name),
            responder: None,
            answer_within: profile.answer_within,
        };
        Self::assemble(Arc::new(provider), Arc::new(store), settings, exit, Drain::new())
    }

    pub(crate) fn assemble(provider: Arc<P>, store: Arc<D>, settings: Settings, exit: Exit, drain: Drain) -> Self {
        Self { provider, store, settings, exit, drain, warned: Arc::new(Once::new()) }
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

    /// Drains this layer's services too by this drain. Default: nobody drains them.
    #[must_use]
    pub fn drain(mut self, drain: &Drain) -> Self {
        self.drain = drain.clone();
        self
    }

    /// Reports to this observer too. Default: to the [log](crate::observe::Log) alone.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.exit.reporter = self.exit.reporter.observer(observer);
        self
    }

    /// Shapes the answers to rejected deliveries. Default: a status and nothing more.
    #[must_use]
    pub fn responder(mut self, responder: impl Responder) -> Self {
        self.exit.responder = Some(Arc::new(responder));
        self
    }

    /// The service around whoever takes the events.
    pub(crate) fn around<I>(&self, inner: I) -> Idempotency<P, D, I> {
        let provider = self.provider.profile().name;
        if self.store.forgets_at_exit() {
            self.warned.call_once(|| self.exit.reporter.report(Fact::ForgetsAtExit, None));
        }
        let settings = self.settings.clone();
        let engine = Engine {
            namespace: Namespace::new(&settings.tenant, provider, self.exit.reporter.receiver()),
            batch_concurrency: settings.batch_concurrency,
            claims: Claims::new(Arc::clone(&self.store), settings, self.drain.clone()),
            admission: Admission::new(Arc::clone(&self.provider), Arc::new(self.exit.clone()), self.drain.clone()),
        };
        Idempotency::new(Arc::new(engine), inner)
    }
}

impl<P: Provider, D: DedupeStore, S> Layer<S> for IdempotencyLayer<P, D> {
    type Service = Idempotency<P, D, Requests<S>>;

    fn layer(&self, inner: S) -> Self::Service {
        self.around(Requests(inner))
    }
}
