//! The applications that are compared: routers that take the same bytes and do more or less with them.

use std::hint::black_box;

use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::layers::{BasicAuthLayer, Credentials, VerifyLayer};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::{Decoded, EventKey, Events, Identity, Profile, Provider, opp};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection};

use crate::deliveries;
use crate::envelope::Envelope;

pub(crate) fn bare() -> Router {
    Router::new().route("/", post(async |body: Bytes| drop(black_box(body))))
}

pub(crate) fn json() -> Router {
    Router::new().route("/", post(async |Json(event): Json<Envelope>| drop(black_box(event))))
}

pub(crate) fn from_str() -> Router {
    let parse = async |body: Bytes| {
        let text = std::str::from_utf8(&body).map_err(|_| http::StatusCode::BAD_REQUEST)?;
        let event: Envelope = serde_json::from_str(text).map_err(|_| http::StatusCode::BAD_REQUEST)?;
        drop(black_box(event));
        Ok::<_, http::StatusCode>(())
    };
    Router::new().route("/", post(parse))
}

pub(crate) fn verify() -> Result<Router, BoxError> {
    let header = HeaderName::from_static("x-aella-signature");
    let scheme =
        Hmac::new(MacAlgorithm::HmacSha256, Signed::new(header, Encoding::Hex), Secret::utf8(deliveries::KEY)?)?;
    let read = post(async |body: Bytes| drop(black_box(body)));
    Ok(Router::new().route("/", read).layer(VerifyLayer::new(scheme)))
}

pub(crate) fn basic() -> Result<BasicAuthLayer, BoxError> {
    let password = Secret::utf8(deliveries::PASSWORD)?;
    Ok(BasicAuthLayer::new([Credentials::new(deliveries::USERNAME, password)?])?)
}

/// Room for every event of a run.
fn store() -> MemoryStore {
    MemoryStore::new(1_000_000)
}

pub(crate) fn no_parse() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", Opaque(deliveries::aella()?)).basic_auth(&basic()?).dedupe(store());
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<opp::Event>| drop(black_box(event)))))
}

pub(crate) fn no_dedupe() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).dangerous_without_dedupe();
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}

pub(crate) fn full() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).dedupe(store());
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}

/// The full stack, and numbers for Prometheus as the program has them.
#[cfg(feature = "metrics")]
pub(crate) fn metrics() -> Result<Router, BoxError> {
    let metrics = tower_webhook::observe::Metrics::on(crate::exposition::Exposition::default());
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).observer(metrics);
    let handler = async |event: Received<aella::Event>| drop(black_box(event));
    Ok(Router::new().route_service("/", receiver.dedupe(store()).handle(handler)))
}

pub(crate) fn opp() -> Result<Router, BoxError> {
    let receiver = Receiver::new("opp", deliveries::opp()?).dedupe(store());
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<opp::Event>| drop(black_box(event)))))
}

/// Aella's proof with nothing parsed: the signature is the key.
#[derive(Debug)]
struct Opaque(Aella);

impl Provider for Opaque {
    type Event = opp::Event;

    fn profile(&self) -> &Profile {
        self.0.profile()
    }

    fn scheme(&self) -> &dyn Scheme {
        self.0.scheme()
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Self::Event>, Rejection> {
        let signature = headers.get("x-aella-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let event = opp::Event::Unknown { name: Default::default(), raw: plaintext.clone() };
        let identity = Identity::of_bytes(&plaintext);
        Ok(Decoded::identified(event, EventKey::of(&[signature]), plaintext, identity).into())
    }
}
