//! One delivery to an app in this process, as its provider sends it.

use std::error::Error as StdError;
use std::fmt;
use std::future::poll_fn;
use std::sync::Arc;

use bytes::Bytes;
use http::header::AUTHORIZATION;
use http::{Extensions, HeaderName, HeaderValue, Request, Response, Uri};
use http_body_util::BodyExt as _;
use tower_service::Service;

use crate::clock::{Clock, Entropy, OsEntropy, SystemClock};
use crate::error::BoxError;
use crate::gate::Body;
use crate::layers::Credentials;
use crate::provider::{Message, Provider};
use crate::scheme::Sealing;

/// Delivers this body to an app at this path, sealed as the provider seals it: by the machine's clock and random bytes.
///
/// The app is any tower service, such as an axum `Router` or a receiver with its handler; it is cloned for the call.
/// [`TestSender`] takes what else a delivery may need.
///
/// ```
/// use tower_webhook::provider::aella::{self, Aella};
/// use tower_webhook::{MemoryStore, Received, Receiver, secret::Secret, testing};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let provider = |secret: &str| Aella::new(Secret::utf8(secret)?);
/// let receiver = Receiver::new("aella-ng", provider("ae_sk_test_example")?)
///     .dedupe(MemoryStore::new(1000))
///     .handle(|event: Received<aella::Event>| async {});
/// let app = axum::Router::new().route_service("/aella", receiver);
///
/// let body = r#"{"event":"transfer.completed","timestamp":"2024-12-06T14:00:00Z","data":{"id":"7b","status":"Success","amount":10000}}"#;
/// let response = testing::deliver(&app, &provider("ae_sk_test_example")?, "/aella", body).await?;
/// assert_eq!(response.status(), 200);
///
/// let forged = testing::deliver(&app, &provider("ae_sk_test_another")?, "/aella", body).await?;
/// assert_eq!(forged.status(), 401);
/// # Ok(()) }
/// ```
///
/// # Errors
///
/// As [`TestSender::deliver`].
pub async fn deliver<S, R>(
    app: &S,
    provider: &impl Provider,
    path: &str,
    body: impl Into<Bytes>,
) -> Result<Response<Bytes>, DeliverError>
where
    S: Service<Request<Body>, Response = Response<R>> + Clone,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    TestSender::new(provider).deliver(app, path, body).await
}

/// A provider's side in a test: seals bodies and delivers them to an app in this process.
///
/// ```
/// # use tower_webhook::{ConfigError, layers::Credentials, provider::Provider, secret::Secret, testing::TestSender};
/// # async fn run(app: axum::Router, mambu: impl Provider) -> Result<(), Box<dyn std::error::Error>> {
/// let credentials = Credentials::new("mambu", Secret::utf8("correct horse")?)?;
/// let sender = TestSender::new(&mambu).basic_auth(&credentials).idempotency_key("1");
/// assert_eq!(sender.deliver(&app, "/mambu", "{}").await?.status(), 200);
/// # Ok(()) }
/// ```
#[must_use]
pub struct TestSender<'a, P> {
    provider: &'a P,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    authorization: Option<HeaderValue>,
    idempotency_key: Option<String>,
    headers: Vec<(HeaderName, HeaderValue)>,
    extensions: Extensions,
}

impl<'a, P: Provider> TestSender<'a, P> {
    /// The sender of this provider's deliveries.
    pub fn new(provider: &'a P) -> Self {
        Self {
            provider,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(OsEntropy),
            authorization: None,
            idempotency_key: None,
            headers: Vec::new(),
            extensions: Extensions::new(),
        }
    }

    /// With Basic credentials. Default: none.
    pub fn basic_auth(mut self, credentials: &Credentials) -> Self {
        self.authorization = Some(credentials.header());
        self
    }

    /// With this idempotency key, for providers that send one in a header, as Mambu does. Default: none.
    pub fn idempotency_key(mut self, key: impl Into<String>) -> Self {
        self.idempotency_key = Some(key.into());
        self
    }

    /// With a further header, which is there before the delivery is sealed. Default: none.
    pub fn header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// With an extension of the request, such as the [`PeerAddr`](crate::gate::PeerAddr) that a server would have put there.
    /// Default: none.
    pub fn extension<T: Clone + Send + Sync + 'static>(mut self, value: T) -> Self {
        self.extensions.insert(value);
        self
    }

    /// Whose time the deliveries are sealed at. Default: the machine's.
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// Where nonces come from. Default: the operating system.
    pub fn entropy(mut self, entropy: impl Entropy) -> Self {
        self.entropy = Arc::new(entropy);
        self
    }

    /// The request alone, to be changed, or given to a service that takes another body.
    ///
    /// # Errors
    ///
    /// [`DeliverError`] for a path that is no URI, for a body that cannot be sealed, and when the clock fails.
    pub fn request(&self, path: &str, body: impl Into<Bytes>) -> Result<Request<Bytes>, DeliverError> {
        let uri: Uri = path.parse().map_err(DeliverError::because("the path is no URI"))?;
        if !uri.path().starts_with('/') {
            return Err(DeliverError::new("the path does not begin with a slash"));
        }
        let now = self.clock.now().ok_or(DeliverError::new("the clock failed"))?;
        let sealed = self.provider.seal(self.message(body.into()), &Sealing::new(now, &*self.entropy));
        let mut request = sealed.map_err(DeliverError::because("the body cannot be sealed"))?;
        *request.uri_mut() = uri;
        *request.extensions_mut() = self.extensions.clone();
        if let Some(authorization) = &self.authorization {
            request.headers_mut().insert(AUTHORIZATION, authorization.clone());
        }
        Ok(request)
    }

    fn message(&self, body: Bytes) -> Message {
        let mut message = Message::new(body);
        message.idempotency_key.clone_from(&self.idempotency_key);
        self.headers.iter().cloned().fold(message, |message, (name, value)| message.header(name, value))
    }

    /// Delivers this body to an app at this path, and collects the answer. Whatever the app answers is no error.
    ///
    /// # Errors
    ///
    /// As [`request`](Self::request), and when the app fails or its answer breaks off.
    pub async fn deliver<S, R>(
        &self,
        app: &S,
        path: &str,
        body: impl Into<Bytes>,
    ) -> Result<Response<Bytes>, DeliverError>
    where
        S: Service<Request<Body>, Response = Response<R>> + Clone,
        S::Error: Into<BoxError>,
        R: http_body::Body,
        R::Error: Into<BoxError>,
    {
        answer(app.clone(), self.request(path, body)?).await
    }
}

/// Calls an app, and collects its answer.
pub(super) async fn answer<S, R>(mut app: S, request: Request<Bytes>) -> Result<Response<Bytes>, DeliverError>
where
    S: Service<Request<Body>, Response = Response<R>>,
    S::Error: Into<BoxError>,
    R: http_body::Body,
    R::Error: Into<BoxError>,
{
    poll_fn(|cx| app.poll_ready(cx)).await.map_err(DeliverError::because("the app is not ready"))?;
    let response = app.call(request.map(Body::from)).await.map_err(DeliverError::because("the app failed"))?;
    let (head, body) = response.into_parts();
    let body = body.collect().await.map_err(DeliverError::because("the answer broke off"))?;
    Ok(Response::from_parts(head, body.to_bytes()))
}

impl<P> fmt::Debug for TestSender<'_, P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestSender").field("authorization", &self.authorization).finish_non_exhaustive()
    }
}

/// Why a delivery brought no answer.
#[derive(Debug)]
pub struct DeliverError {
    what: &'static str,
    source: Option<BoxError>,
}

impl DeliverError {
    fn new(what: &'static str) -> Self {
        Self { what, source: None }
    }

    fn because<E: Into<BoxError>>(what: &'static str) -> impl FnOnce(E) -> Self {
        move |source| Self { what, source: Some(source.into()) }
    }
}

impl fmt::Display for DeliverError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.source {
            Some(source) => write!(f, "{}: {source}", self.what),
            None => f.write_str(self.what),
        }
    }
}

impl StdError for DeliverError {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().and_then(StdError::source)
    }
}
