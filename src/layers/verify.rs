//! Verification and decryption in one step: what goes on inward is known to be the sender's.

use std::fmt;
use std::sync::Arc;

use bytes::Bytes;
use http::header::{CONTENT_ENCODING, TRANSFER_ENCODING};
use http::request::Parts;
use tower_layer::Layer;

use crate::clock::{Clock, SystemClock};
use crate::error::{Rejection, RejectionKind};
use crate::gate::{Authenticated, BodyCheck, BodyGate, BodyLimits, Verified, tell_length};
use crate::scheme::Scheme;

/// Opens the body of every request with a [`Scheme`], replaces it by the plaintext, and puts [`Verified`] into the
/// request's extensions.
///
/// The inner service takes a `Request<tower_webhook::gate::Body>`. A scheme that does not prove the sender needs a
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
/// assert_eq!(service.clone().oneshot(right).await?.into_body().into_bytes(), "{}");
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
        Self(Verify { scheme: Arc::new(scheme), clock: Arc::new(SystemClock), limits: BodyLimits::default() })
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
        self
    }
}

impl<S> Layer<S> for VerifyLayer {
    type Service = BodyGate<Verify, S>;

    fn layer(&self, inner: S) -> Self::Service {
        BodyGate::new(Arc::new(self.0.clone()), inner)
    }
}

/// The check of [`VerifyLayer`].
#[derive(Clone)]
pub struct Verify {
    scheme: Arc<dyn Scheme>,
    clock: Arc<dyn Clock>,
    limits: BodyLimits,
}

impl BodyCheck for Verify {
    fn limits(&self) -> BodyLimits {
        self.limits
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
        open(&*self.scheme, &*self.clock, head, body)
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

/// Opens a body, leaves [`Verified`] in the head, and makes the head tell the truth about the plaintext.
pub(crate) fn open(scheme: &dyn Scheme, clock: &dyn Clock, head: &mut Parts, body: Bytes) -> Result<Bytes, Rejection> {
    let Some(now) = clock.now() else { return Err(misassembled("the clock failed")) };
    let credentials = match (scheme.proves_sender(), head.extensions.get::<Authenticated>()) {
        (true, _) => None,
        (false, Some(authenticated)) => Some(authenticated.shared_username()),
        (false, None) => return Err(misassembled("the scheme proves no sender and no credentials were checked")),
    };
    let opened = scheme.open(&head.headers, body, now)?;
    head.extensions.insert(match credentials {
        None => Verified::new(scheme.name(), opened.key_id, now),
        Some(username) => Verified::new("basic-auth", Some(username), now),
    });
    for name in [CONTENT_ENCODING, TRANSFER_ENCODING] {
        head.headers.remove(name);
    }
    tell_length(&mut head.headers, opened.plaintext.len());
    Ok(opened.plaintext)
}

fn misassembled(detail: &'static str) -> Rejection {
    Rejection::new(RejectionKind::Misassembled, detail)
}
