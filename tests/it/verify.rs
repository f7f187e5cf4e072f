//! The verify layer, and all three layers stacked in axum and in plain hyper.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::routing::post;
use bytes::Bytes;
use futures_util::FutureExt as _;
use http::{HeaderMap, HeaderName, Request, Response};
use http_body::Frame;
use http_body_util::StreamBody;
use tokio::io::AsyncWriteExt;
use tokio::net::{TcpListener, TcpStream};
use tower::layer::util::{Identity, Stack};
use tower::{Layer, Service, ServiceBuilder, ServiceExt, service_fn};
use tower_webhook::clock::Timestamp;
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::{Authenticated, Body, BodyLimits, PeerAddr, ResponseBody, Verified};
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer, VerifyLayer};
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{Rejection, RejectionKind};

use crate::support::{Log, Scripted, Step, TestScheme, answer, connect};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn verify(proves: bool) -> VerifyLayer {
    VerifyLayer::new(TestScheme { proves }).clock(NOW)
}

fn basic() -> BasicAuthLayer {
    BasicAuthLayer::new([Credentials::new("Aladdin", Secret::utf8("open sesame").unwrap()).unwrap()]).unwrap()
}

fn request(token: &str) -> Request<String> {
    Request::post("/").header("x-token", token).body("body".to_owned()).unwrap()
}

/// The head that the inner service saw rides out in the response's extensions.
#[derive(Clone)]
struct Seen(HeaderMap, Option<Verified>);

async fn through<L>(layer: L, request: Request<String>) -> Response<ResponseBody>
where
    L: Layer<tower::util::BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>>,
    L::Service: Service<Request<String>, Response = Response<ResponseBody>, Error = Infallible>,
{
    let inner = service_fn(async |request: Request<Body>| {
        let (head, body) = request.into_parts();
        let mut response = Response::new(body);
        response.extensions_mut().insert(Seen(head.headers, head.extensions.get().cloned()));
        Ok(response)
    });
    layer.layer(tower::util::BoxCloneSyncService::new(inner)).oneshot(request).await.unwrap()
}

fn kind(response: &Response<ResponseBody>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

#[tokio::test]
async fn a_proved_delivery_goes_on_as_plaintext_with_evidence() {
    let response = through(verify(true), request("ok")).await;
    let Seen(_, verified) = response.extensions().get::<Seen>().unwrap();
    let verified = verified.as_ref().unwrap();
    assert_eq!((verified.scheme(), verified.key_id(), verified.at()), ("test", Some("key-1"), NOW));
    assert_eq!(response.body().whole().unwrap(), "BODY");
}

#[tokio::test]
async fn an_unproved_delivery_goes_nowhere() {
    for token in ["", "o", "oK", "okk"] {
        let response = through(verify(true), request(token)).await;
        assert_eq!(kind(&response), Some(RejectionKind::SignatureMismatch), "{token:?}");
        assert_eq!(response.status(), 401);
        assert!(response.headers().is_empty() && response.extensions().get::<Seen>().is_none());
        assert!(response.body().whole().unwrap().is_empty());
    }
}

#[tokio::test]
async fn the_head_tells_the_truth_about_the_plaintext() {
    let mut request = request("ok");
    for (name, value) in [("content-length", "4"), ("content-encoding", "UTF-8"), ("transfer-encoding", "chunked")] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = through(verify(true), request).await;
    let Seen(headers, _) = response.extensions().get::<Seen>().unwrap();
    assert_eq!(headers["content-length"], "4");
    assert!(!headers.contains_key("content-encoding") && !headers.contains_key("transfer-encoding"));
    assert_eq!(headers["x-token"], "ok");
}

#[tokio::test]
async fn a_scheme_without_proof_needs_credentials_in_front() {
    let log = Log::capture();
    let response = through(verify(false), request("ok")).await;
    assert_eq!(kind(&response), Some(RejectionKind::Misassembled));
    assert_eq!(response.status(), 500);
    assert!(log.text().starts_with("ERROR"), "{}", log.text());

    let stack = || ServiceBuilder::new().layer(basic()).layer(verify(false)).into_inner();
    let mut known = request("ok");
    known.headers_mut().insert("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".parse().unwrap());
    let response = through(stack(), known).await;
    let Seen(_, verified) = response.extensions().get::<Seen>().unwrap();
    let verified = verified.as_ref().unwrap();
    assert_eq!((verified.scheme(), verified.key_id()), ("basic-auth", Some("Aladdin")));

    let mut wrong_token = request("no");
    wrong_token.headers_mut().insert("authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==".parse().unwrap());
    assert_eq!(kind(&through(stack(), wrong_token).await), Some(RejectionKind::SignatureMismatch));
    assert_eq!(kind(&through(stack(), request("ok")).await), Some(RejectionKind::CredentialsMissing));
}

#[tokio::test]
async fn without_a_clock_nothing_is_accepted() {
    for (clock, refused) in [(None, Some(RejectionKind::Misassembled)), (Some(NOW), None)] {
        let layer = VerifyLayer::new(TestScheme { proves: true }).clock(move || clock);
        assert_eq!(kind(&through(layer, request("ok")).await), refused, "{clock:?}");
    }
}

#[tokio::test]
async fn the_limits_are_those_of_the_layer() {
    for (max, refused) in [(3, Some(RejectionKind::BodyTooLarge)), (4, None)] {
        let limits = BodyLimits::default().max_bytes(max).deadline(Duration::from_secs(1));
        assert_eq!(kind(&through(verify(true).limits(limits), request("ok")).await), refused, "{max}");
    }
}

#[tokio::test]
async fn no_refusal_logs_payload_or_token() {
    const CANARY: &str = "canary-77";
    let log = Log::capture();
    let limits = BodyLimits::default().max_bytes(100);
    for (layer, body) in [
        (verify(true), CANARY.to_owned()),
        (verify(false), CANARY.to_owned()),
        (verify(true).limits(limits), CANARY.repeat(100)),
    ] {
        let request = Request::post("/").header("x-token", CANARY).body(body).unwrap();
        let response = through(layer, request).await;
        let shown = format!("{:?}", response.extensions().get::<Rejection>().unwrap());
        assert!(!shown.contains(CANARY), "{shown}");
    }
    assert_eq!(log.text().lines().count(), 3);
    assert!(!log.text().contains(CANARY), "{}", log.text());
}

/// Values of the proof's header, and what they are refused for whatever the body.
fn proof_headers() -> [(Vec<String>, Option<RejectionKind>); 5] {
    let digits = "00".repeat(32);
    [
        (vec![], Some(RejectionKind::SignatureMissing)),
        (vec![" ".to_owned()], Some(RejectionKind::SignatureMissing)),
        (vec![digits.clone(), digits.clone()], Some(RejectionKind::HeaderRepeated)),
        (vec!["no digits".to_owned()], Some(RejectionKind::HeaderMalformed)),
        (vec![digits], None),
    ]
}

/// What a body with these headers is refused for.
async fn refused_for<B>(values: &[String], expect: &[&str], body: B) -> Option<RejectionKind>
where
    B: http_body::Body<Data = Bytes, Error = io::Error> + Send + 'static,
{
    let header = HeaderName::from_static("x-signature");
    let key = Secret::utf8("correct horse battery staple").unwrap();
    let scheme = Hmac::new(MacAlgorithm::HmacSha256, Signed::new(header, Encoding::Hex), key).unwrap();
    let mut request = Request::post("/").body(body).unwrap();
    for (name, value) in
        values.iter().map(|value| ("x-signature", &**value)).chain(expect.iter().map(|value| ("expect", *value)))
    {
        request.headers_mut().append(name, value.parse().unwrap());
    }
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    kind(&VerifyLayer::new(scheme).clock(NOW).layer(inner).oneshot(request).await.unwrap())
}

#[tokio::test(start_paused = true)]
async fn a_proof_header_that_is_no_proof_is_refused_before_the_body_is_waited_for() {
    for (values, refused) in proof_headers() {
        let to_come = StreamBody::new(futures_util::stream::pending::<io::Result<Frame<Bytes>>>());
        let kind = refused_for(&values, &[], to_come).await;
        assert_eq!(kind, refused.or(Some(RejectionKind::BodyTimeout)), "{values:?}");
    }
}

#[test]
fn a_body_that_is_held_back_is_asked_for_by_no_proof_header_that_is_no_proof() {
    for (values, refused) in proof_headers() {
        for expect in [&[][..], &["100-continue"]] {
            let body = Scripted::new([Step::Data("forged".into())]);
            let asked = Arc::clone(&body.asked);
            // Without a runtime nothing is read on behind our back.
            let kind = refused_for(&values, expect, body).now_or_never().unwrap();
            assert_eq!(kind, refused.or(Some(RejectionKind::SignatureMismatch)), "{values:?}");
            assert_eq!(*asked.lock().unwrap() == 0, refused.is_some() && !expect.is_empty(), "{values:?} {expect:?}");
        }
    }
}

type Three = Stack<VerifyLayer, Stack<BasicAuthLayer, Stack<SourceIpLayer, Identity>>>;

/// All three, as a user writes them; the type shows that no body parameter is in sight.
fn three(source: SourceIpLayer) -> ServiceBuilder<Three> {
    ServiceBuilder::new().layer(source).layer(basic()).layer(verify(true))
}

fn wire(authorization: &str, token: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: {authorization}\r\nx-token: {token}\r\n\
         transfer-encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
}

const GOOD: &str = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==";
const WRONG: &str = "Basic QWxhZGRpbjpvcGVuIHNlc2FtZA==";

#[tokio::test]
async fn axum_takes_each_layer_and_the_stack() {
    let local = SourceIpLayer::new(["127.0.0.1"])
        .unwrap()
        .peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.ip()));
    let elsewhere = SourceIpLayer::new(["192.0.2.1"])
        .unwrap()
        .peer(|extensions| extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.ip()));
    let routes = || Router::new().route("/", post(|body: Bytes| async move { body }));
    for (name, router, authorization, token, expected) in [
        ("source", routes().layer(local.clone()), "", "", "200"),
        ("source", routes().layer(elsewhere.clone()), "", "", "403"),
        ("basic", routes().layer(basic()), GOOD, "", "200"),
        ("basic", routes().layer(basic()), WRONG, "", "401"),
        ("verify", routes().layer(verify(true)), "", "ok", "200"),
        ("verify", routes().layer(verify(true)), "", "no", "401"),
        ("stack", routes().layer(three(local.clone())), GOOD, "ok", "200"),
        ("stack", routes().layer(three(local.clone())), GOOD, "no", "401"),
        ("stack", routes().layer(three(local)), WRONG, "ok", "401"),
        ("stack", routes().layer(three(elsewhere)), GOOD, "ok", "403"),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut client = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let service = router.into_make_service_with_connect_info::<SocketAddr>();
        let serving = tokio::spawn(async move { axum::serve(listener, service).await });
        client.write_all(wire(authorization, token).as_bytes()).await.unwrap();
        let text = answer(&mut client).await.unwrap();
        serving.abort();
        assert!(text.starts_with(&format!("HTTP/1.1 {expected}")), "{name}: {text}");
        let body = if token == "ok" { "HELLO" } else { "hello" };
        assert_eq!(text.ends_with(body), expected == "200", "{name}: {text}");
    }
}

#[tokio::test]
async fn plain_hyper_takes_the_stack() {
    for (peer, authorization, token, expected) in [
        ("192.0.2.1:1", GOOD, "ok", "200"),
        ("192.0.2.2:1", GOOD, "ok", "403"),
        ("192.0.2.1:1", WRONG, "ok", "401"),
        ("192.0.2.1:1", GOOD, "no", "401"),
    ] {
        let handler = service_fn(async |request: Request<Body>| {
            assert_eq!(request.extensions().get::<Authenticated>().unwrap().username(), "Aladdin");
            assert_eq!(request.extensions().get::<Verified>().unwrap().scheme(), "test");
            Ok::<_, Infallible>(Response::new(request.into_body()))
        });
        let stack = three(SourceIpLayer::new(["192.0.2.1"]).unwrap()).service(handler);
        let peer = PeerAddr(peer.parse().unwrap());
        let service = service_fn(move |mut request: Request<hyper::body::Incoming>| {
            request.extensions_mut().insert(peer);
            stack.clone().oneshot(request)
        });
        let (mut client, _) = connect(service).await;
        client.write_all(wire(authorization, token).as_bytes()).await.unwrap();
        let text = answer(&mut client).await.unwrap();
        assert!(text.starts_with(&format!("HTTP/1.1 {expected}")), "{text}");
        assert_eq!(text.ends_with("\r\n\r\nHELLO"), expected == "200", "{text}");
    }
}
