//! The single layers: configuration and one check each, on the shell of [`gate`](crate::gate).
//!
//! They stack by hand in a `ServiceBuilder`, outermost first: [`SourceIpLayer`], [`RateLimitLayer`], [`BasicAuthLayer`],
//! [`VerifyLayer`], then an [`IdempotencyLayer`](crate::idempotency::IdempotencyLayer); each says under "Order" what must stand outside of it and
//! inside. [`Receiver`](crate::Receiver) has them in this order already. Who sends is judged before a byte of the body is
//! read, and what a head proves before anything is waited for. A rejection is an answer, so that no layer changes the error
//! type of the service inside, and none of them asks for a `HandleErrorLayer` in axum. Layers of others, such as tower-http's,
//! may stand outside and inside.
//!
//! A `ServiceBuilder` puts the first layer outermost; `Router::layer` puts the last one there.
//!
//! ```
//! use std::convert::Infallible;
//!
//! use http::{HeaderName, Request, Response};
//! use tower::{ServiceBuilder, ServiceExt, service_fn};
//! use tower_webhook::encoding::Encoding;
//! use tower_webhook::gate::{Body, PeerAddr};
//! use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer, VerifyLayer};
//! use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
//! use tower_webhook::secret::Secret;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let signed = Signed::new(HeaderName::from_static("x-signature"), Encoding::Hex);
//! let scheme = Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8("correct horse battery staple")?)?;
//! let service = ServiceBuilder::new()
//!     .layer(SourceIpLayer::new(["192.0.2.0/24"])?)
//!     .layer(BasicAuthLayer::new([Credentials::new("Aladdin", Secret::utf8("open sesame")?)?])?)
//!     .layer(VerifyLayer::new(scheme))
//!     .service(service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(String::new())) }));
//!
//! let ours = ("192.0.2.9:443", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", "{}");
//! for ((peer, credentials, body), status) in [
//!     (ours, 200),
//!     (("198.51.100.9:443", ours.1, ours.2), 403),
//!     ((ours.0, "Basic QWxhZGRpbg==", ours.2), 401),
//!     ((ours.0, ours.1, "{ }"), 401),
//! ] {
//!     let delivery = Request::post("/")
//!         .extension(PeerAddr(peer.parse()?))
//!         .header("authorization", credentials)
//!         .header("x-signature", "ea0a7029e49045b7f35eb49cfd742be15bbc7cb767208ecfe1fab26bda5cdbe8")
//!         .body(body.to_owned())?;
//!     assert_eq!(service.clone().oneshot(delivery).await?.status(), status);
//! }
//! # Ok(())
//! # }
//! ```

mod basic_auth;
mod peer;
mod rate_limit;
mod source_ip;
mod verify;

pub use basic_auth::{BasicAuthLayer, Credentials};
pub use rate_limit::RateLimitLayer;
pub use source_ip::SourceIpLayer;
pub use verify::VerifyLayer;
pub(crate) use verify::{check_head, open};
