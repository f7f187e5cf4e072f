//! What is compared: routers that take the same bytes.

use std::hint::black_box;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::error_handling::HandleErrorLayer;
use axum::extract::State;
use axum::routing::post;
use axum::{Json, Router};
use axum_standardwebhooks::{SharedWebhook, StandardWebhook};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, StatusCode};
use http_body_util::Full;
use standardwebhooks::Webhook;
use tower::ServiceBuilder;
use tower_github_webhook::ValidateGitHubWebhookLayer;
use tower_webhook::encoding::Encoding;
use tower_webhook::error::BoxError;
use tower_webhook::layers::{BasicAuthLayer, Credentials, VerifyLayer};
use tower_webhook::provider::aella;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed, Template, TimeUnit, Tolerance};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{self, KEY};
use crate::envelope::Envelope;

pub(crate) struct Variant {
    pub(crate) name: &'static str,
    pub(crate) what: &'static str,
    pub(crate) app: Router,
    pub(crate) address: SocketAddr,
    /// Whether it looks at a signature. It must refuse a wrong one, or its figure is worth nothing.
    pub(crate) verifies: bool,
}

/// The columns of ratios, by name of the variant: what a handler costs that checks nothing.
pub(crate) const REFERENCES: [(&str, &str); 4] =
    [("bare", "of bare"), ("json", "of Json<T>"), ("from-slice", "of from_slice"), ("from-str", "of from_str")];

pub(crate) fn all() -> Result<Vec<Variant>, BoxError> {
    let github = webhook_verify::Provider::GitHub;
    let standard = webhook_verify::Provider::StandardWebhooks;
    let in_base64 = format!("whsec_{}", Encoding::Base64.encode(KEY.as_bytes()));
    Ok(vec![
        reference("bare", "axum, `Bytes`", post(async |body: Bytes| drop(black_box(body)))),
        reference("json", "axum, `Json<T>`", post(json)),
        reference("from-slice", "axum, `from_slice`", post(from_slice)),
        reference("from-str", "axum, UTF-8 check and `from_str`", post(from_str)),
        verifier("verify", "ours: `VerifyLayer`, HMAC in hex", ours_hex()?),
        verifier("verify-std", "ours: `VerifyLayer`, Standard Webhooks", ours_standard()?),
        verifier("full", "ours: Basic, HMAC, claim, typed event", full()?),
        verifier("webhook-verify", "its `VerifyLayer`, GitHub", webhook_verify_layer(github, KEY)),
        verifier(
            "webhook-verify-std",
            "its `VerifyLayer`, Standard Webhooks",
            webhook_verify_layer(standard, &in_base64),
        ),
        verifier("tower-github-webhook", "its layer, GitHub", tower_github_webhook()),
        verifier("standardwebhooks", "`Webhook::verify` in the handler", in_handler()?),
        verifier("axum-standardwebhooks", "its extractor of `Bytes`", extractor(post(extracted))?),
        verifier("axum-standardwebhooks+json", "its extractor of `Json<T>`", extractor(post(extracted_json))?),
    ])
}

fn variant(name: &'static str, what: &'static str, app: Router) -> Variant {
    Variant { name, what, app, address: (Ipv4Addr::LOCALHOST, 0).into(), verifies: false }
}

fn reference(name: &'static str, what: &'static str, handler: axum::routing::MethodRouter) -> Variant {
    variant(name, what, Router::new().route("/", handler))
}

fn verifier(name: &'static str, what: &'static str, app: Router) -> Variant {
    Variant { verifies: true, ..variant(name, what, app) }
}

async fn json(Json(event): Json<Envelope>) {
    drop(black_box(event));
}

async fn from_slice(body: Bytes) -> Result<(), StatusCode> {
    let event: Envelope = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    drop(black_box(event));
    Ok(())
}

async fn from_str(body: Bytes) -> Result<(), StatusCode> {
    let text = std::str::from_utf8(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let event: Envelope = serde_json::from_str(text).map_err(|_| StatusCode::BAD_REQUEST)?;
    drop(black_box(event));
    Ok(())
}

fn bytes() -> Router {
    Router::new().route("/", post(async |body: Bytes| drop(black_box(body))))
}

fn ours_hex() -> Result<Router, BoxError> {
    let header = HeaderName::from_static("x-aella-signature");
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, Signed::new(header, Encoding::Hex), Secret::utf8(KEY)?)?;
    Ok(bytes().layer(VerifyLayer::new(scheme)))
}

fn ours_standard() -> Result<Router, BoxError> {
    let (header, time) = (HeaderName::from_static("webhook-signature"), HeaderName::from_static("webhook-timestamp"));
    let template = Template::parse("{header:webhook-id}.{header:webhook-timestamp}.{body}")?;
    let signed = Signed::new(header, Encoding::Base64).prefix("v1,").list(" ").template(template).split_strictly();
    let signed = signed.timestamp(Tolerance::header(time, TimeUnit::Seconds));
    Ok(bytes().layer(VerifyLayer::new(Hmac::new(MacAlgorithm::HmacSha256, signed, Secret::utf8(KEY)?)?)))
}

fn full() -> Result<Router, BoxError> {
    let password = Secret::utf8(deliveries::PASSWORD)?;
    let basic = BasicAuthLayer::new([Credentials::new(deliveries::USERNAME, password)?])?;
    let receiver = Receiver::new("aella", deliveries::aella()?).basic_auth(&basic).dedupe(MemoryStore::new(1_000_000));
    Ok(Router::new().route_service("/", receiver.handle(async |event: Received<aella::Event>| drop(black_box(event)))))
}

/// Its errors are boxed, and axum wants them made into answers.
fn webhook_verify_layer(provider: webhook_verify::Provider, key: &str) -> Router {
    let layer = webhook_verify::tower::VerifyLayer::<Full<Bytes>>::new(provider, webhook_verify::Secret::new(key));
    let on_error = HandleErrorLayer::new(async |_: BoxError| StatusCode::INTERNAL_SERVER_ERROR);
    bytes().layer(ServiceBuilder::new().layer(on_error).layer(layer))
}

fn tower_github_webhook() -> Router {
    bytes().layer(ValidateGitHubWebhookLayer::new(KEY))
}

fn webhook() -> Result<Webhook, BoxError> {
    Ok(Webhook::from_bytes(KEY.into())?)
}

async fn verified(State(webhook): State<Arc<Webhook>>, headers: HeaderMap, body: Bytes) -> Result<(), StatusCode> {
    webhook.verify(&body, &headers).map_err(|_| StatusCode::UNAUTHORIZED)?;
    drop(black_box(body));
    Ok(())
}

fn in_handler() -> Result<Router, BoxError> {
    Ok(Router::new().route("/", post(verified)).with_state(Arc::new(webhook()?)))
}

async fn extracted(StandardWebhook(body): StandardWebhook<Bytes>) {
    drop(black_box(body));
}

async fn extracted_json(StandardWebhook(Json(event)): StandardWebhook<Json<Envelope>>) {
    drop(black_box(event));
}

fn extractor(handler: axum::routing::MethodRouter<SharedWebhook>) -> Result<Router, BoxError> {
    Ok(Router::new().route("/", handler).with_state(SharedWebhook::new(webhook()?)))
}
