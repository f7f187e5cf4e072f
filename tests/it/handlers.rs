//! What a handler gets beside its event, and what becomes of what it returns.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::extract::Request as AxumRequest;
use axum::routing::post;
use bytes::Bytes;
use http::{HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt as _, Full};
use tower::ServiceExt as _;
use tower_webhook::delivery::Drain;
use tower_webhook::gate::{Body, Responder, ResponseBody, Verified};
use tower_webhook::observe::{About, Fact, Observer};
use tower_webhook::provider::aella::{self, Aella};
use tower_webhook::provider::banking_circle;
use tower_webhook::provider::standard_webhooks::{self, StandardWebhooks};
use tower_webhook::secret::Secret;
use tower_webhook::{Delivery, MemoryStore, Outcome, Received, Receiver, Rejection};

use crate::deliveries::{TRANSFER, aella, now, read, sealed};
use crate::support::Log;

fn receiver() -> Receiver<Aella> {
    Receiver::new("aella-ng", aella()).clock(now())
}

type Seen = Arc<Mutex<Vec<String>>>;

#[tokio::test(start_paused = true)]
async fn a_state_is_cloned_for_each_event() {
    let seen = Seen::default();
    let service = receiver().dedupe(MemoryStore::new(10)).handle_with(
        seen.clone(),
        async |seen: Seen, event: Received<aella::Event>| {
            seen.lock().unwrap().push(event.delivery().key().to_string());
        },
    );
    assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    assert_eq!(seen.lock().unwrap().len(), 1);
}

#[tokio::test(start_paused = true)]
async fn a_handler_sees_safe_headers_and_which_of_them_are_signed() {
    let scheme = || StandardWebhooks::new(Secret::base64("C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()).unwrap();
    let seen = Seen::default();
    let service = Receiver::new("sw", scheme()).clock(now()).dedupe(MemoryStore::new(10)).handle_with(
        seen.clone(),
        async |seen: Seen, event: Received<standard_webhooks::Event>| {
            let delivery: &Delivery = event.delivery();
            let shown = |name: &'static str| {
                let name = HeaderName::from_static(name);
                let text = |value: Option<&HeaderValue>| value.map(|value| value.to_str().unwrap().to_owned());
                (text(delivery.header(&name)), text(delivery.signed_header(&name)))
            };
            let all = ["webhook-id", "x-trace", "webhook-signature", "authorization", "cookie"].map(shown);
            seen.lock().unwrap().push(format!("{} {all:?} {:?}", delivery.uri(), delivery.attempt()));
        },
    );
    let mut request = sealed(&scheme(), r#"{"type":"a","data":{}}"#);
    let id = request.headers()["webhook-id"].to_str().unwrap().to_owned();
    *request.uri_mut() = "/in?a=1".parse().unwrap();
    for (name, value) in [("x-trace", "t"), ("authorization", "Basic abc"), ("cookie", "c=1")] {
        request.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    let expected = format!(
        "/in?a=1 [(Some({id:?}), Some({id:?})), (Some(\"t\"), None), (None, None), (None, None), (None, None)] Some(1)"
    );
    assert_eq!(*seen.lock().unwrap(), [expected]);
}

#[tokio::test(start_paused = true)]
async fn an_event_is_extracted_as_often_as_it_is_asked_for() {
    let log = Log::capture();
    let twice = async |first: Received<aella::Event>, second: Received<aella::Event>, delivery: Delivery| {
        assert_eq!(first.delivery().key(), second.delivery().key());
        assert_eq!(first.delivery().key(), delivery.key());
    };
    let app = axum::Router::new().route("/", post(twice).layer(receiver().dedupe(MemoryStore::new(10)).layer()));
    assert_eq!(app.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);

    let wrong = async |_: Received<banking_circle::Event>| {};
    let app = axum::Router::new().route("/", post(wrong).layer(receiver().dedupe(MemoryStore::new(10)).layer()));
    assert_eq!(app.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 500);
    let text = log.text();
    let lines: Vec<_> = text.lines().filter(|line| line.starts_with("ERROR")).collect();
    assert!(lines.len() == 1 && lines[0].contains("banking_circle") && lines[0].contains("aella::"), "{text}");

    let app = axum::Router::new().route("/", post(wrong));
    let bare = app.oneshot(Request::post("/").body(Full::from("{}")).unwrap()).await.unwrap();
    assert_eq!(bare.status(), 500);
    assert_eq!(log.text().lines().filter(|line| line.starts_with("ERROR")).count(), 2);
}

#[tokio::test(start_paused = true)]
async fn what_was_proved_rides_on_the_answer() {
    let service = receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| Err::<(), _>("no"));
    let response = service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(response.status(), 500);
    assert_eq!(response.extensions().get::<Verified>().unwrap().key_id(), Some("default"));
    let stranger = Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap();
    let response = service.oneshot(sealed(&stranger, TRANSFER)).await.unwrap();
    assert!(response.extensions().get::<Verified>().is_none());
}

#[tokio::test(start_paused = true)]
async fn what_stood_in_the_requests_extensions_is_on_no_answer() {
    let service = receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ());
    for _ in ["first", "repeat"] {
        let mut request = sealed(&aella(), TRANSFER);
        request.extensions_mut().insert("of the request");
        let response = service.clone().oneshot(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert!(response.extensions().get::<Verified>().is_some());
        assert_eq!(response.extensions().get::<&'static str>(), None);
    }
}

#[derive(Clone)]
struct Shape(u16);

impl Responder for Shape {
    fn respond(&self, rejection: &Rejection, answer: Response<ResponseBody>) -> Response<ResponseBody> {
        let mut answer = answer.map(|_| ResponseBody::from(Bytes::from_static(b"{\"error\":\"refused\"}")));
        answer.headers_mut().insert("x-kind", HeaderValue::from_static(rejection.kind().as_str()));
        *answer.status_mut() = http::StatusCode::from_u16(self.0).unwrap();
        answer
    }
}

#[tokio::test(start_paused = true)]
async fn a_responder_shapes_every_rejection_and_makes_no_success_of_any() {
    for (given, expected) in [(418, [418, 418, 418]), (204, [401, 413, 500])] {
        let service = receiver().max_body(2000).responder(Shape(given)).dedupe(MemoryStore::new(10));
        let service = service.handle(async |_: Received<aella::Event>| Outcome::failed("no"));
        let stranger = Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap();
        let requests =
            [sealed(&stranger, TRANSFER), sealed(&aella(), " ".repeat(3000) + TRANSFER), sealed(&aella(), TRANSFER)];
        for (request, status) in requests.into_iter().zip(expected) {
            let response = service.clone().oneshot(request).await.unwrap();
            let kind = response.extensions().get::<Rejection>().unwrap().kind().as_str();
            assert_eq!(response.headers()["x-kind"], kind, "{given}");
            assert_eq!(read(response).await, (status, false, "{\"error\":\"refused\"}".to_owned()), "{given}");
        }
    }
}

#[derive(Clone, Default)]
struct Facts(Arc<Mutex<Vec<String>>>);

impl Observer for Facts {
    fn observe(&self, fact: &Fact<'_>, about: &About<'_>) {
        let fact = match fact {
            Fact::Rejected(rejection) => format!("rejected {}", rejection.kind()),
            Fact::Failed(rejection) => format!("failed {}", rejection.kind()),
            Fact::HandlerEnded { .. } => "ended".to_owned(),
            Fact::Answered { .. } => "answered".to_owned(),
            other => format!("{other:?}").to_lowercase(),
        };
        let (receiver, provider) = (about.receiver, about.provider);
        assert_eq!((receiver, provider), ("aella-ng", "aella"));
        assert_eq!(about.key.is_some(), about.attempt.is_some() || fact.contains("replayed"), "{fact}");
        let attempt = about.attempt.map_or(0, std::num::NonZero::get);
        self.0.lock().unwrap().push(format!("{fact} {} {attempt}", about.key_id.unwrap_or("-")));
    }
}

impl Facts {
    fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.0.lock().unwrap())
    }
}

#[tokio::test(start_paused = true)]
async fn an_observer_gets_each_fact_once() {
    let (facts, more, drain) = (Facts::default(), Facts::default(), Drain::new());
    let receiver = receiver().observer(facts.clone()).observer(more.clone()).max_body(2000).drain(&drain);
    let service = receiver.dedupe(MemoryStore::new(10)).handle(async |event: Received<aella::Event>| {
        match event.delivery().attempt().unwrap().get() {
            1 => Outcome::Retry(Duration::ZERO),
            _ => Outcome::Done,
        }
    });
    assert_eq!(facts.take(), ["forgetsatexit - 0"]);
    let stranger = Aella::new(Secret::utf8("ae_sk_test_another").unwrap()).unwrap();
    let proved = ["keyused { scheme: \"hmac-sha512\" } default 0", "accepted { events: 1 } default 0"];
    let known = |last: &[&str]| proved.iter().chain(last).map(|&fact| fact.to_owned()).collect::<Vec<_>>();
    let cases = [
        ("a stranger", sealed(&stranger, TRANSFER), vec!["rejected signature_mismatch - 0".to_owned()]),
        ("too long", sealed(&aella(), " ".repeat(3000)), vec!["rejected body_too_large - 0".to_owned()]),
        (
            "no JSON",
            sealed(&aella(), "{"),
            vec![proved[0].to_owned(), "rejected payload_malformed default 0".to_owned()],
        ),
        ("first try", sealed(&aella(), TRANSFER), known(&["ended default 0", "failed handler_retry default 1"])),
        ("second try", sealed(&aella(), TRANSFER), known(&["ended default 0", "handled default 2"])),
        ("third try", sealed(&aella(), TRANSFER), known(&["replayed default 0"])),
    ];
    for (case, request, expected) in cases {
        service.clone().oneshot(request).await.unwrap();
        let answered = ["answered - 0".to_owned()];
        assert_eq!(facts.take(), [expected, answered.to_vec()].concat(), "{case}");
    }
    drain.begin();
    service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap();
    assert_eq!(facts.take(), [proved[0], "rejected draining default 0", "answered - 0"]);
    assert_eq!(more.take().len(), 25, "each observer gets all of them");
}

#[tokio::test(start_paused = true)]
async fn one_drain_serves_several_receivers_and_layers() {
    let drain = Drain::new();
    let store = MemoryStore::new(10);
    let first = receiver().drain(&drain).dedupe(store.clone()).handle(async |_: Received<aella::Event>| {});
    let inner = tower::service_fn(async |request: AxumRequest<Body>| {
        let bytes = request.into_body().collect().await.unwrap().to_bytes();
        Ok::<_, std::convert::Infallible>(Response::new(Full::new(bytes)))
    });
    let second = tower::Layer::layer(&receiver().drain(&drain).dedupe(store).layer(), inner);
    let echoed = read(second.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap()).await;
    assert_eq!((echoed.0, echoed.2.as_str()), (200, TRANSFER));
    drain.begin();
    for (name, status) in [
        ("first", first.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status()),
        ("second", second.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status()),
    ] {
        assert_eq!(status, 503, "{name}");
    }
    drain.finished().await;
}
