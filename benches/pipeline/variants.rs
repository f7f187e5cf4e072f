//! What is compared: routers that take the same bytes and do more or less with them.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};

use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderName};
use serde::Deserialize;
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::layers::{BasicAuthLayer, Credentials, VerifyLayer};
use tower_webhook::provider::aella::{self, Aella, Transfer};
use tower_webhook::provider::{Decoded, EventKey, Events, Identity, Profile, Provider, opp};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection};

use crate::client::Expected;
use crate::deliveries;

/// A way to serve, and what it is compared with.
pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) app: Router,
    pub(crate) address: SocketAddr,
    pub(crate) traffic: Traffic,
    /// The most that it may cost against a bare handler of the same traffic.
    pub(crate) reach_of_bare: Option<&'static str>,
    /// The most that it may cost against the `json` variant.
    pub(crate) reach_of_json: Option<&'static str>,
}

#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Traffic {
    /// New transfers, signed.
    Aella,
    /// One transfer again and again.
    Repeat,
    /// New payments, encrypted.
    Opp,
}

impl Variant {
    fn new(name: &'static str, what: &'static str, traffic: Traffic, app: Router) -> Self {
        let address = (Ipv4Addr::LOCALHOST, 0).into();
        Self { name, what, app, address, traffic, reach_of_bare: None, reach_of_json: None }
    }

    fn reach(mut self, of_bare: &'static str) -> Self {
        self.reach_of_bare = Some(of_bare);
        self
    }

    pub(crate) fn expected(&self) -> Expected {
        match self.traffic {
            Traffic::Aella | Traffic::Opp => Expected::Fresh,
            Traffic::Repeat => Expected::Replayed,
        }
    }

    /// The name of the bare handler with the same traffic.
    pub(crate) fn bare(&self) -> &'static str {
        if self.traffic == Traffic::Opp { "bare-opp" } else { "bare" }
    }

    /// The name of the handler that parses the same traffic with no security, where there is one.
    pub(crate) fn json(&self) -> &'static str {
        if self.traffic == Traffic::Opp { "" } else { "json" }
    }
}

pub(crate) fn all() -> Result<Vec<Variant>, BoxError> {
    use Traffic::{Aella, Opp, Repeat};
    let bare = || Router::new().route("/", post(async |body: Bytes| drop(black_box(body))));
    let full = Variant::new("full", "Basic, HMAC, claim, typed event", Aella, full()?);
    Ok(vec![
        Variant::new("bare", "axum, `Bytes`", Aella, bare()),
        Variant::new("json", "axum, `Json<T>`", Aella, json()),
        Variant::new("from-str", "axum, UTF-8 check and `from_str`", Aella, from_str()),
        Variant::new("verify", "`VerifyLayer` before axum, `Bytes`", Aella, verify()?).reach("1.15"),
        Variant::new("no-parse", "Basic, HMAC, claim", Aella, no_parse()?).reach("1.20"),
        Variant::new("no-dedupe", "Basic, HMAC, typed event", Aella, no_dedupe()?),
        Variant { reach_of_json: Some("1.00"), ..full.reach("1.33") },
        Variant::new("replay", "the same, one event again", Repeat, self::full()?),
        Variant::new("bare-opp", "axum, `Bytes`", Opp, bare()),
        Variant::new("opp", "hex, AES-GCM, claim, typed event", Opp, opp()?).reach("1.35"),
    ])
}

/// The typed event that the stack hands over, by serde's derive.
#[derive(Debug, Deserialize)]
#[expect(dead_code, reason = "what counts is that they are read")]
struct Envelope {
    event: String,
    timestamp: Option<Timestamp>,
    data: Transfer,
}

fn json() -> Router {
    Router::new().route("/", post(async |Json(event): Json<Envelope>| drop(black_box(event))))
}

fn from_str() -> Router {
    let parse = async |body: Bytes| {
        let text = std::str::from_utf8(&body).map_err(|_| http::StatusCode::BAD_REQUEST)?;
        let event: Envelope = serde_json::from_str(text).map_err(|_| http::StatusCode::BAD_REQUEST)?;
        drop(black_box(event));
        Ok::<_, http::StatusCode>(())
    };
    Router::new().route("/", post(parse))
}

fn verify() -> Result<Router, BoxError> {
    let header = HeaderName::from_static("x-aella-signature");
    let scheme =
        Hmac::new(MacAlgorithm::HmacSha256, Signed::new(header, Encoding::Hex), Secret::utf8(deliveries::KEY)?)?;
    let read = post(async |body: Bytes| drop(black_box(body)));
    Ok(Router::new().route("/", read).layer(VerifyLayer::new(scheme)))
}

fn basic() -> Result<BasicAuthLayer, BoxError> {
    let password = Secret::utf8(deliveries::PASSWORD)?;
    Ok(BasicAuthLayer::new([Credentials::new(deliveries::USERNAME, password)?])?)
}

/// Room for every event of a run.
fn store() -> MemoryStore {
    MemoryStore::new(1_000_000)
}

fn no_parse() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", Opaque(deliveries::aella()?)).basic_auth(&basic()?).dedupe(store());
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<opp::Event>| drop(black_box(event)))))
}

fn no_dedupe() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).dangerous_without_dedupe();
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}

fn full() -> Result<Router, BoxError> {
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic()?).dedupe(store());
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}

fn opp() -> Result<Router, BoxError> {
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

    fn decode(&self, headers: &HeaderMap, plaintext: &Bytes) -> Result<Events<Self::Event>, Rejection> {
        let signature = headers.get("x-aella-signature").and_then(|value| value.to_str().ok()).unwrap_or_default();
        let event = opp::Event::Unknown { name: Default::default(), raw: plaintext.clone() };
        let identity = Identity::of_bytes(plaintext);
        Ok(Decoded::identified(event, EventKey::of(&[signature]), plaintext.clone(), identity).into())
    }
}
