//! Verification and decryption in one step: what goes on inward is known to be the sender's.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use tower_layer::Layer;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{
    Authenticated, Body, BodyBudget, BodyCheck, BodyGate, BodyLimits, Compression, Verified, leave_outside, tell_length,
};
use crate::scheme::Scheme;

/// Opens the body of every request with a [`Scheme`], replaces it by the plaintext, and puts [`Verified`] into the
/// request's extensions.
///
/// The inner service takes a `Request<tower_webhook::gate::Body>`. The headers of the proof and of the body as it came
/// (encodings, digests) stay outside, so that nothing further in can be keyed by them; the content type is as it was sent. A
/// proof header that is missing, repeated or unreadable is refused before the body is waited for.
///
/// # Order
///
/// Innermost of the layers here, right in front of an [`IdempotencyLayer`](crate::idempotency::IdempotencyLayer) or of
/// your service. A scheme that does not prove the sender needs a [`BasicAuthLayer`](super::BasicAuthLayer) in front, else
/// everything is answered with 500. Signatures are over exact bytes: what decompresses or rewrites bodies stands inside or
/// nowhere, and a dedupe layer in front would let a stranger take keys. A limit of bodies outside is taken (413), but
/// [`limits`](Self::limits) are those that count.
///
/// # Example
///
/// ```
/// use std::convert::Infallible;
///
/// use http::{HeaderName, Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_webhook::encoding::Encoding;
/// use tower_webhook::gate::{Body, Verified};
/// use tower_webhook::layers::VerifyLayer;
/// use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
/// use tower_webhook::secret::Secret;
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex);
/// let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("correct horse battery staple")?)?;
/// let service = ServiceBuilder::new().layer(VerifyLayer::new(scheme)).service(service_fn(
///     |request: Request<Body>| async move {
///         assert_eq!(request.extensions().get::<Verified>().unwrap().scheme(), "hmac-sha256");
///         Ok::<_, Infallible>(Response::new(request.into_body()))
///     },
/// ));
///
/// let signature = "ea0a7029e49045b7f35eb49cfd742be15bbc7cb767208ecfe1fab26bda5cdbe8";
/// let delivery = |body: &str| Request::post("/").header("x-signature", signature).body(body.to_owned());
///
/// let genuine = service.clone().oneshot(delivery("{}")?).await?;
/// assert_eq!(genuine.into_body().whole().unwrap(), "{}");
/// assert_eq!(service.oneshot(delivery("{ }")?).await?.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct VerifyLayer {
    scheme: Arc<dyn Scheme>,
    clock: Arc<dyn Clock>,
    limits: BodyLimits,
    compression: Compression,
    budget: Budget,
}

/// Its own follows the limits, one that was given does not.
#[derive(Clone)]
enum Budget {
    Own(BodyBudget),
    Given(BodyBudget),
}

impl VerifyLayer {
    /// Opens every body with this scheme.
    #[must_use]
    pub fn new(scheme: impl Scheme) -> Self {
        let limits = BodyLimits::default();
        let budget = Budget::Own(BodyBudget::for_bodies_of(limits.max_bytes));
        Self {
            scheme: Arc::new(scheme),
            clock: Arc::new(SystemClock),
            limits,
            compression: Compression::default(),
            budget,
        }
    }

    /// The clock that validity and signed times are compared with. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    /// How much body is read, and for how long. Default: [`BodyLimits::default`].
    #[must_use]
    pub fn limits(mut self, limits: BodyLimits) -> Self {
        self.limits = limits;
        if let Budget::Own(own) = &mut self.budget {
            *own = BodyBudget::for_bodies_of(limits.max_bytes);
        }
        self
    }

    /// What becomes of compressed bodies. Default: [`Compression::Refuse`].
    ///
    /// # Security
    ///
    /// See [`Compression`].
    #[must_use]
    pub fn compression(mut self, compression: Compression) -> Self {
        self.compression = compression;
        self
    }

    /// Counts the bytes of bodies in this budget, together with whoever else has it. Default: one for this layer alone,
    /// [`BodyBudget::for_bodies_of`] its limit.
    #[must_use]
    pub fn body_budget(mut self, budget: &BodyBudget) -> Self {
        self.budget = Budget::Given(budget.clone());
        self
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = BodyGate<VerifyLayer, S>;

    fn layer(&self, inner: S) -> Self::Service {
        let (Budget::Own(budget) | Budget::Given(budget)) = &self.budget;
        BodyGate::new(Arc::new(self.clone()), inner).budget(budget)
    }
}

impl BodyCheck for VerifyLayer {
    fn limits(&self) -> BodyLimits {
        self.limits
    }

    fn compression(&self) -> Compression {
        self.compression
    }

    fn check_ahead(&self, head: &Parts) -> Result<(), Rejection> {
        check_head(&*self.scheme, head)
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        let (plaintext, verified) = open(&*self.scheme, &*self.clock, head, body)?;
        head.extensions.insert(verified);
        leave_outside(head, self.scheme.proof_headers());
        tell_length(&mut head.headers, plaintext.len());
        Ok(plaintext.into())
    }
}

impl fmt::Debug for VerifyLayer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("VerifyLayer")
            .field("scheme", &self.scheme.name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a scheme can say before the body is there.
pub(crate) fn check_head(scheme: &dyn Scheme, head: &Parts) -> Result<(), Rejection> {
    credentials(scheme, head)?;
    scheme.check_head(&head.headers)
}

/// Opens a body, and says how it was proved.
pub(crate) fn open(
    scheme: &dyn Scheme,
    clock: &dyn Clock,
    head: &Parts,
    body: Bytes,
) -> Result<(Bytes, Verified), Rejection> {
    let now = now(clock)?;
    let username = credentials(scheme, head)?.map(Authenticated::shared_username);
    let opened = scheme.open(&head.headers, body, now)?;
    let verified = match username {
        None => Verified::new(scheme.name(), opened.key_id, now),
        Some(username) => Verified::new("basic-auth", Some(username), now),
    };
    Ok((opened.plaintext, verified))
}

fn now(clock: &dyn Clock) -> Result<Timestamp, Rejection> {
    clock.now().ok_or_else(|| misassembled("the clock failed"))
}

/// The credentials that prove the sender, where the scheme does not.
fn credentials<'a>(scheme: &dyn Scheme, head: &'a Parts) -> Result<Option<&'a Authenticated>, Rejection> {
    if scheme.proves_sender() {
        return Ok(None);
    }
    let authenticated = head.extensions.get();
    authenticated.map(Some).ok_or_else(|| misassembled("the scheme proves no sender and no credentials were checked"))
}

fn misassembled(detail: &'static str) -> Rejection {
    Rejection::new(RejectionKind::Misassembled, detail)
}
