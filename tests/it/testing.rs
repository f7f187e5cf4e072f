//! What users test their apps with: deliveries in the provider's way, and whatever the app answers.

use std::convert::Infallible;

use axum::Router;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::Full;
use tower::service_fn;
use tower_webhook::clock::{NoEntropy, Timestamp};
use tower_webhook::gate::{Body, PeerAddr};
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer};
use tower_webhook::provider::Lookup;
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks};
use tower_webhook::secret::Secret;
use tower_webhook::testing::{TestSender, deliver};
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{BATCH, TRANSFER, aella, bank, now};

fn credentials(password: &str) -> Credentials {
    Credentials::new("mambu", Secret::utf8(password).unwrap()).unwrap()
}

fn mambu() -> Mambu {
    Mambu::new().event_at(Lookup::json("/event").unwrap())
}

/// Two providers in one axum app.
fn app() -> Router {
    let transfers = Receiver::new("aella", aella()).dedupe(MemoryStore::new(10));
    let basic = BasicAuthLayer::new([credentials("correct horse")]).unwrap();
    let bookings = Receiver::new("mambu", mambu()).basic_auth(&basic).dedupe(MemoryStore::new(10));
    Router::new()
        .route_service("/aella", transfers.handle(|_: Received<aella::Event>| async {}))
        .route_service("/mambu", bookings.handle(|_: Received<mambu::Event>| async {}))
}

#[tokio::test]
async fn a_delivery_is_taken_with_the_right_key_and_refused_with_another() {
    let (app, other) = (app(), Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap());
    for (provider, path, status, replayed) in [
        (&aella(), "/aella", 200, false),
        (&aella(), "/aella?again=1", 200, true),
        (&other, "/aella", 401, false),
        (&aella(), "/elsewhere", 404, false),
    ] {
        let response = deliver(&app, provider, path, TRANSFER).await.unwrap();
        let is_repeat = response.headers().contains_key("idempotent-replayed");
        assert_eq!((response.status().as_u16(), is_repeat), (status, replayed), "{path}");
    }
}

#[tokio::test]
async fn basic_credentials_are_sent_where_they_are_given() {
    let (app, mambu) = (app(), mambu());
    let body = r#"{"event":"LOAN_CREATED","id":"1"}"#;
    let with = |password: &str| TestSender::new(&mambu).idempotency_key("1").basic_auth(&credentials(password));
    for (sender, status) in [
        (with("correct horse"), 200),
        (with("battery staple"), 401),
        (TestSender::new(&mambu).idempotency_key("1"), 401),
    ] {
        assert!(!format!("{sender:?}").contains("Basic"), "{sender:?}");
        let response = sender.deliver(&app, "/mambu", body).await.unwrap();
        assert_eq!(response.status(), status, "{:?}", response.body());
    }
}

#[tokio::test]
async fn a_receiver_is_an_app_and_its_answer_is_collected() {
    let service = Receiver::new("bank", bank()).dedupe(MemoryStore::new(2000));
    let service = service.handle(|_: Received<tower_webhook::provider::banking_circle::Event>| async {});
    assert_eq!(deliver(&service, &bank(), "/", BATCH).await.unwrap().status(), 200);

    let echo = service_fn(|request: Request<Body>| async move {
        let path = request.uri().path().to_owned();
        let parts = [path, request.headers()["x-more"].to_str().unwrap().to_owned()];
        Ok::<_, Infallible>(Response::new(Full::new(Bytes::from(parts.join(" ")))))
    });
    let aella = aella();
    let sender = TestSender::new(&aella).header(HeaderName::from_static("x-more"), HeaderValue::from_static("1"));
    assert_eq!(sender.deliver(&echo, "/there?x=1", TRANSFER).await.unwrap().into_body(), "/there 1");
}

#[tokio::test]
async fn clock_and_extensions_are_the_senders() {
    let provider = || StandardWebhooks::new(Secret::utf8("a secret of at least 24 bytes").unwrap()).unwrap();
    let from: SourceIpLayer = SourceIpLayer::new(["192.0.2.0/24"]).unwrap();
    let receiver = Receiver::new("sw", provider()).clock(now()).sources(&from).dedupe(MemoryStore::new(10));
    let service = receiver.handle(|_: Received<standard_webhooks::Event>| async {});
    let late: Timestamp = "2026-11-21T13:00:00Z".parse().unwrap();
    for (time, peer, status) in
        [(now(), "192.0.2.1:1", 200), (late, "192.0.2.1:1", 401), (now(), "198.51.100.1:1", 403)]
    {
        let provider = provider();
        let sender = TestSender::new(&provider).clock(time).extension(PeerAddr(peer.parse().unwrap()));
        let response = sender.deliver(&service, "/", r#"{"type":"a.b","data":{}}"#).await.unwrap();
        assert_eq!(response.status(), status, "{time} {peer}");
    }
}

#[tokio::test]
async fn what_cannot_be_sent_is_an_error_and_no_panic() {
    let (app, aella, bank) = (app(), aella(), bank());
    let (none, slash) = ("the path is no URI: ", "the path does not begin with a slash");
    for (path, why) in [("", none), ("no path", none), ("/\n", none), ("aella", slash), ("*", slash)] {
        let error = deliver(&app, &aella, path, TRANSFER).await.unwrap_err();
        assert!(error.to_string().starts_with(why), "{path:?}: {error}");
    }
    let stopped = TestSender::new(&aella).clock(|| None).deliver(&app, "/aella", TRANSFER).await;
    assert_eq!(stopped.unwrap_err().to_string(), "the clock failed");
    let sender = TestSender::new(&bank).entropy(|_: &mut [u8]| Err(NoEntropy));
    let error = sender.deliver(&app, "/bank", BATCH).await.unwrap_err();
    assert!(error.to_string().starts_with("the body cannot be sealed: "), "{error}");
    let broken = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>("out of order") });
    assert_eq!(deliver(&broken, &aella, "/", TRANSFER).await.unwrap_err().to_string(), "the app failed: out of order");
}
