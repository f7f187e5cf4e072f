//! What services behind a receiver as a layer see of a delivery: the event, typed as what it is, and nothing of its proof.

use std::convert::Infallible;

use axum::routing::post;
use axum::{Json, Router};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_webhook::encoding::Encoding;
use tower_webhook::event::Project;
use tower_webhook::gate::Body;
use tower_webhook::layers::{BasicAuthLayer, Credentials, VerifyLayer};
use tower_webhook::provider::mambu::{self, Mambu};
use tower_webhook::provider::opp::{Opp, Wrapper};
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::{Message, Provider};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Scheme as _, Sealing, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use crate::deliveries::{BATCH, aella, bank, counting, now, sealed};
use crate::support::text;

const KEY: &str = "000102030405060708090a0b0c0d0e0f000102030405060708090a0b0c0d0e0f";
const PAYMENT: &str = include_str!("../fixtures/sibs/payment.json");
const OPP_PAYMENT: &str = include_str!("../fixtures/opp/payment.json");

/// Headers of the body as it came over the wire.
const OLD: [&str; 5] = ["content-encoding", "content-digest", "repr-digest", "digest", "content-md5"];

/// Through the layer to axum's `Json`, with everything that a sender or a proxy may say of the old body.
async fn through_json<P: Provider>(provider: P, mut request: Request<Full<Bytes>>) -> (u16, String) {
    let proof = provider.scheme().proof_headers().to_vec();
    assert!(proof.iter().any(|name| request.headers().contains_key(name)), "the proof is in headers");
    for name in OLD {
        request.headers_mut().insert(name, "utf-8".parse().unwrap());
    }
    let handler = async move |event: Received<P::Event>, headers: HeaderMap, Json(json): Json<Value>| {
        for name in OLD.iter().map(|name| HeaderName::from_static(name)).chain(proof) {
            assert!(!headers.contains_key(&name), "{name}");
        }
        assert_eq!(headers["content-type"], "application/json");
        assert_eq!(headers["x-kept"], "1");
        format!("{} {}", event.event().name(), json.is_object())
    };
    request.headers_mut().insert("x-kept", "1".parse().unwrap());
    let layer = Receiver::new("inside", provider).clock(now()).dedupe(MemoryStore::new(2000)).layer();
    let app = Router::new().route("/", post(handler)).layer(layer);
    *request.uri_mut() = "/".parse().unwrap();
    let response = app.oneshot(request).await.unwrap();
    let status = response.status().as_u16();
    (status, String::from_utf8(response.into_body().collect().await.unwrap().to_bytes().to_vec()).unwrap())
}

#[tokio::test]
async fn an_event_of_json_is_json_for_axum_whatever_the_delivery_was() {
    let (status, _) = through_json(bank(), sealed(&bank(), BATCH)).await;
    assert_eq!(status, 200, "Banking Circle, octets outside");

    let key = || Secret::hex(KEY).unwrap();
    let sibs = || Sibs::new(key()).unwrap();
    let sent = sealed(&sibs(), PAYMENT);
    assert_eq!(sent.headers()["content-type"], "text/plain");
    let (status, answer) = through_json(sibs(), sent).await;
    assert_eq!((status, answer.contains("statusCode")), (200, true), "SIBS, text outside: {answer}");

    for (wrapper, outside) in [(Wrapper::None, "text/plain"), (Wrapper::Json, "application/json")] {
        let opp = || Opp::new(key()).unwrap().sealed_as(wrapper).unwrap();
        let sent = sealed(&opp(), OPP_PAYMENT);
        assert_eq!(sent.headers()["content-type"], outside);
        assert_eq!(through_json(opp(), sent).await.0, 200, "OPP, {outside} outside");
    }

    // Aella says what it sends, and may say nothing.
    let mut silent = sealed(&aella(), crate::deliveries::TRANSFER);
    silent.headers_mut().remove("content-type");
    assert_eq!(through_json(aella(), silent).await, (200, "transfer.completed true".into()));
}

#[tokio::test]
async fn an_event_of_any_type_keeps_the_type_of_its_delivery() {
    let token = HeaderName::from_static("x-token");
    let mambu = || Mambu::static_header(token.clone(), Secret::utf8("sim-mambu-static-token").unwrap()).unwrap();
    for (content_type, is_json) in [("application/xml", 415), ("application/json", 200)] {
        let message = Message::new(r#"{"a":1}"#).idempotency_key("m-1").content_type(content_type.parse().unwrap());
        let mut sent = mambu().seal(message, &Sealing::new(now(), &counting)).unwrap().map(Full::new);
        *sent.uri_mut() = "/".parse().unwrap();
        let seen = async |_: Received<mambu::Event>, headers: HeaderMap| {
            assert!(!headers.contains_key("x-token"));
            headers["content-type"].to_str().unwrap().to_owned()
        };
        let layer = || Receiver::new("mambu", mambu()).clock(now()).dedupe(MemoryStore::new(10)).layer();
        let clone = || Request::from_parts(sent.clone().into_parts().0, sent.body().clone());
        let app = Router::new().route("/", post(seen)).layer(layer());
        let response = app.oneshot(clone()).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), content_type);

        let app = Router::new().route("/", post(async |Json(_): Json<Value>| ())).layer(layer());
        assert_eq!(app.oneshot(clone()).await.unwrap().status(), is_json, "{content_type}");
    }
}

#[tokio::test]
async fn behind_a_verify_layer_the_proof_is_gone_and_the_type_is_as_it_was_sent() {
    let key = || Secret::utf8("correct horse battery staple").unwrap();
    let header = HeaderName::from_static("x-signature");
    let scheme = || Hmac::new(MacAlgorithm::HmacSha256, Signed::new(header.clone(), Encoding::Hex), key()).unwrap();
    let mut headers = HeaderMap::new();
    let body = scheme().seal("{}".into(), &mut headers, &Sealing::new(now(), &counting)).unwrap();
    for name in OLD.iter().chain(&["content-type", "authorization", "x-event"]) {
        headers.insert(*name, "utf-8".parse().unwrap());
    }
    headers.insert("authorization", "Basic YWVsbGE6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==".parse().unwrap());
    let inner = service_fn(async |request: Request<Body>| {
        let mut names: Vec<_> = request.headers().keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        Ok::<_, Infallible>(Response::new(names.join(" ")))
    });
    let basic = BasicAuthLayer::new([Credentials::new("aella", key()).unwrap()]).unwrap();
    let verify = VerifyLayer::new(scheme()).clock(now());
    let mut request = Request::new(Full::new(body));
    *request.headers_mut() = headers;

    let alone = verify.layer(inner).oneshot(request.clone()).await.unwrap();
    assert_eq!(
        text(alone).await,
        "authorization content-length content-type x-event",
        "credentials that nobody has checked"
    );
    let stacked = basic.layer(verify.layer(inner)).oneshot(request).await.unwrap();
    assert_eq!(text(stacked).await, "content-length content-type x-event");
}
