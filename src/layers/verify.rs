//! Verification and decryption in one step: what goes on inward is known to be the sender's.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::request::Parts;
use tower_layer::Layer;

use crate::clock::{Clock, SystemClock, Timestamp};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Authenticated, BodyBudget, BodyCheck, BodyGate, BodyLimits, Verified, leave_outside, tell_length};
use crate::scheme::Scheme;

/// Opens the body of every request with a [`Scheme`], replaces it by the plaintext, and puts [`Verified`] into the
/// request's extensions.
///
/// The inner service takes a `Request<tower_webhook::gate::Body>`. The headers of the proof and of the body as it came
/// (encodings, digests) stay outside, so that nothing further in can be keyed by them; the content type is as it was sent. A
/// proof header that is missing, repeated or unreadable is refused before a byte of the body is read. A scheme that does not prove the sender needs a
/// [`BasicAuthLayer`](super::BasicAuthLayer) in front, else everything is answered with 500.
///
/// # Example
///
/// ```
/// use std::convert::Infallible;
///
/// use http::{Request, Response, StatusCode};
/// use tower::{ServiceBuilder, ServiceExt, service_fn};
/// use tower_webhook::gate::{Body, Verified};
/// use tower_webhook::layers::VerifyLayer;
/// # use tower_webhook::{Rejection, RejectionKind, clock::Timestamp};
/// # use tower_webhook::scheme::{Opened, Scheme, SealError, Sealing};
/// # struct Token(&'static str);
/// # impl Scheme for Token {
/// #     fn name(&self) -> &'static str { "token" }
/// #     fn open(&self, headers: &http::HeaderMap, body: bytes::Bytes, _: Timestamp) -> Result<Opened, Rejection> {
/// #         match headers.get("x-token").is_some_and(|value| value == self.0) {
/// #             true => Ok(Opened::new(body, None)),
/// #             false => Err(Rejection::new(RejectionKind::SignatureMismatch, "another token")),
/// #         }
/// #     }
/// #     fn seal(&self, text: bytes::Bytes, _: &mut http::HeaderMap, _: &Sealing<'_>) -> Result<bytes::Bytes, SealError> {
/// #         Ok(text)
/// #     }
/// # }
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let scheme = Token("ours");
/// let service = ServiceBuilder::new().layer(VerifyLayer::new(scheme)).service(service_fn(
///     |request: Request<Body>| async move {
///         assert_eq!(request.extensions().get::<Verified>().unwrap().scheme(), "token");
///         Ok::<_, Infallible>(Response::new(request.into_body()))
///     },
/// ));
///
/// let right = Request::post("/").header("x-token", "ours").body("{}".to_owned())?;
/// assert_eq!(service.clone().oneshot(right).await?.into_body().whole().unwrap(), "{}");
///
/// let wrong = Request::post("/").header("x-token", "Ours").body("{}".to_owned())?;
/// assert_eq!(service.oneshot(wrong).await?.status(), StatusCode::UNAUTHORIZED);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct VerifyLayer(Verify);

impl VerifyLayer {
    /// Opens every body with this scheme.
    #[must_use]
    pub fn new(scheme: impl Scheme) -> Self {
        let limits = BodyLimits::default();
        let budget = BodyBudget::for_bodies_of(limits.max_bytes);
        Self(Verify { scheme: Arc::new(scheme), clock: Arc::new(SystemClock), limits, budget, shared: None })
    }

    /// The clock that validity and signed times are compared with. Default: [`SystemClock`].
    #[must_use]
    pub fn clock(mut self, clock: impl Clock) -> Self {
        self.0.clock = Arc::new(clock);
        self
    }

    /// How much body is read, and for how long. Default: [`BodyLimits::default`].
    #[must_use]
    pub fn limits(mut self, limits: BodyLimits) -> Self {
        self.0.limits = limits;
        self.0.budget = BodyBudget::for_bodies_of(limits.max_bytes);
        self
    }

    /// Counts the bytes of bodies in this budget, together with whoever else has it. Default: one for this layer alone,
    /// [`BodyBudget::for_bodies_of`] its limit.
    #[must_use]
    pub fn body_budget(mut self, budget: &BodyBudget) -> Self {
        self.0.shared = Some(budget.clone());
        self
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = BodyGate<Verify, S>;

    fn layer(&self, inner: S) -> Self::Service {
        let budget = self.0.shared.as_ref().unwrap_or(&self.0.budget);
        BodyGate::new(Arc::new(self.0.clone()), inner).budget(budget)
    }
}

/// The check of [`VerifyLayer`].
#[derive(Clone)]
pub struct Verify {
    scheme: Arc<dyn Scheme>,
    clock: Arc<dyn Clock>,
    limits: BodyLimits,
    budget: BodyBudget,
    shared: Option<BodyBudget>,
}

impl BodyCheck for Verify {
    fn limits(&self) -> BodyLimits {
        self.limits
    }

    fn check_head(&self, head: &Parts) -> Result<(), Rejection> {
        check_head(&*self.scheme, &*self.clock, head)
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
        let plaintext = open(&*self.scheme, &*self.clock, head, body)?;
        leave_outside(head, self.scheme.proof_headers());
        Ok(plaintext)
    }
}

impl fmt::Debug for Verify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Verify")
            .field("scheme", &self.scheme.name())
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// What a scheme can say before the body is there.
pub(crate) fn check_head(scheme: &dyn Scheme, clock: &dyn Clock, head: &Parts) -> Result<(), Rejection> {
    let now = now(clock)?;
    credentials(scheme, head)?;
    scheme.check_head(&head.headers, now)
}

/// Opens a body, leaves [`Verified`] in the head, and makes the head tell the length of the plaintext.
pub(crate) fn open(scheme: &dyn Scheme, clock: &dyn Clock, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
    let now = now(clock)?;
    let username = credentials(scheme, head)?.map(Authenticated::shared_username);
    let opened = scheme.open(&head.headers, body, now)?;
    head.extensions.insert(match username {
        None => Verified::new(scheme.name(), opened.key_id, now),
        Some(username) => Verified::new("basic-auth", Some(username), now),
    });
    tell_length(&mut head.headers, opened.plaintext.len());
    Ok(opened.plaintext)
}

fn now(clock: &dyn Clock) -> Result<Timestamp, Rejection> {
    clock.now().ok_or_else(|| misassembled("the clock failed"))
}

/// The credentials that prove the sender, where the scheme does not.
fn credentials<'a>(scheme: &dyn Scheme, head: &'a Parts) -> Result<Option<&'a Authenticated>, Rejection> {
    match (scheme.proves_sender(), head.extensions.get()) {
        (true, _) => Ok(None),
        (false, Some(authenticated)) => Ok(Some(authenticated)),
        (false, None) => Err(misassembled("the scheme proves no sender and no credentials were checked")),
    }
}

fn misassembled(detail: &'static str) -> Rejection {
    Rejection::new(RejectionKind::Misassembled, detail)
}
