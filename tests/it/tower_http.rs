//! Layers of others stand outside of ours and inside.

use std::convert::Infallible;
use std::error::Error;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use axum::Router;
use axum::routing::post;
use bytes::{Buf, Bytes};
use http::{HeaderName, Request, Response, StatusCode};
use http_body::Frame;
use http_body_util::{Full, StreamBody};
use pin_project_lite::pin_project;
use tower::{Layer as _, ServiceBuilder, ServiceExt as _, service_fn};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::trace::TraceLayer;
use tower_webhook::encoding::Encoding;
use tower_webhook::gate::{Body, PeerAddr};
use tower_webhook::idempotency::IdempotencyLayer;
use tower_webhook::layers::{BasicAuthLayer, Credentials, SourceIpLayer, VerifyLayer};
use tower_webhook::provider::aella;
use tower_webhook::scheme::{Hmac, MacAlgorithm, Signed};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{TRANSFER, aella, now, read, sealed};

const PASSWORD: &str = "correct horse battery staple";

fn receiver() -> Receiver<aella::Aella> {
    Receiver::new("aella", aella()).clock(now())
}

fn kind<B>(response: &Response<B>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

/// A sealed delivery in frames of 100 bytes, which says nothing of its length.
fn streamed() -> Request<impl http_body::Body<Data = Bytes, Error = Infallible> + Send + 'static> {
    let (mut head, _) = sealed(&aella(), TRANSFER).into_parts();
    head.headers.remove("content-length");
    let frames: Vec<_> = TRANSFER.as_bytes().chunks(100).map(|chunk| Ok(Frame::data(Bytes::from(chunk)))).collect();
    Request::from_parts(head, StreamBody::new(futures_util::stream::iter(frames)))
}

#[tokio::test]
async fn a_body_that_an_outer_limit_cuts_is_too_large() {
    for (limit, expected) in [(TRANSFER.len(), None), (TRANSFER.len() - 1, Some(RejectionKind::BodyTooLarge))] {
        let service = receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ());
        let service = ServiceBuilder::new().layer(RequestBodyLimitLayer::new(limit)).service(service);
        let response = service.oneshot(streamed()).await.unwrap();
        assert_eq!(kind(&response), expected, "{limit}");
        assert_eq!(response.status(), if expected.is_some() { 413 } else { 200 }, "{limit}");
        assert_eq!(response.headers().get("connection").is_some(), expected.is_some(), "what is left is unread");
    }
}

#[tokio::test]
async fn the_limit_counts_however_deep_its_error_lies_and_no_other_error_does() {
    let cut = || http_body_util::Limited::new(Full::new(Bytes::from_static(b"{}")), 1);
    let wrapped = axum::body::Body::new(axum::body::Body::new(cut()));
    let broken = StreamBody::new(futures_util::stream::iter([Err::<Frame<Bytes>, _>("length limit exceeded")]));
    let broken = axum::body::Body::new(http_body_util::Limited::new(broken, 100));
    for (body, expected) in [(wrapped, RejectionKind::BodyTooLarge), (broken, RejectionKind::BodyAborted)] {
        let (head, _) = sealed(&aella(), TRANSFER).into_parts();
        let service = receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ());
        let response = service.oneshot(Request::from_parts(head, body)).await.unwrap();
        assert_eq!(kind(&response), Some(expected));
        let source = response.extensions().get::<Rejection>().unwrap().source().unwrap().to_string();
        assert_eq!(source, "length limit exceeded");
    }
}

pin_project! {
    /// Neither `Unpin` nor of `Bytes`.
    struct Odd<B> {
        #[pin]
        body: B,
        #[pin]
        stays: PhantomPinned,
    }
}

impl<B: http_body::Body<Data = Bytes>> http_body::Body for Odd<B> {
    type Data = bytes::buf::Chain<Bytes, Bytes>;
    type Error = B::Error;

    fn poll_frame(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Frame<Self::Data>, Self::Error>>> {
        let halves = |data: Bytes| data.slice(..data.len() / 2).chain(data.slice(data.len() / 2..));
        self.project().body.poll_frame(cx).map_ok(|frame| frame.map_data(halves))
    }
}

#[tokio::test]
async fn any_body_may_come_from_outside() {
    let odd = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .map_request(|request: Request<_>| request.map(|body| Odd { body, stays: PhantomPinned }))
        .service(receiver().dedupe(MemoryStore::new(10)).handle(async |_: Received<aella::Event>| ()));
    assert_eq!(odd.clone().oneshot(streamed()).await.unwrap().status(), StatusCode::OK);
    let mut forged = streamed();
    forged.headers_mut().insert("x-aella-signature", "00".parse().unwrap());
    assert!(odd.oneshot(forged).await.unwrap().status().is_client_error());
}

#[tokio::test]
async fn each_layer_takes_a_service_with_another_body_inside() {
    let runs = Arc::new(AtomicUsize::new(0));
    let counted = runs.clone();
    let header = HeaderName::from_static("x-aella-signature");
    let key = Secret::utf8("ae_sk_test_example").unwrap();
    let scheme = Hmac::new(MacAlgorithm::HmacSha512, Signed::new(header, Encoding::Hex), key).unwrap();
    let service = ServiceBuilder::new()
        .layer(TraceLayer::new_for_http())
        .layer(SourceIpLayer::new(["192.0.2.0/24"]).unwrap())
        .layer(TraceLayer::new_for_http())
        .layer(BasicAuthLayer::new([Credentials::new("aella", Secret::utf8(PASSWORD).unwrap()).unwrap()]).unwrap())
        .layer(TraceLayer::new_for_http())
        .layer(VerifyLayer::new(scheme).clock(now()))
        .layer(TraceLayer::new_for_http())
        .layer(IdempotencyLayer::new("aella", aella(), MemoryStore::new(10)))
        .layer(TraceLayer::new_for_http())
        .service(service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::SeqCst);
            async { Ok::<_, Infallible>(Response::new(Full::new(Bytes::from_static(b"taken")))) }
        }));
    let delivery = |peer: &str| {
        let mut request = sealed(&aella(), TRANSFER);
        request.extensions_mut().insert(PeerAddr(peer.parse().unwrap()));
        let basic = "Basic YWVsbGE6Y29ycmVjdCBob3JzZSBiYXR0ZXJ5IHN0YXBsZQ==";
        request.headers_mut().insert("authorization", basic.parse().unwrap());
        request
    };
    for (peer, expected) in [
        ("198.51.100.9:443", (403, false, "")),
        ("192.0.2.9:443", (200, false, "taken")),
        ("192.0.2.9:443", (200, true, "taken")),
    ] {
        let (status, replayed, text) = read(service.clone().oneshot(delivery(peer)).await.unwrap()).await;
        assert_eq!((status, replayed, text.as_str()), expected, "{peer}");
    }
    assert_eq!(runs.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_router_stands_inside_a_receivers_layer() {
    let layer = receiver().dedupe(MemoryStore::new(10)).layer();
    let route = |answer: &'static str| Router::new().route("/", post(async move || answer));
    let inner = ServiceBuilder::new().layer(TraceLayer::new_for_http()).service(route("taken"));
    let service = layer.layer(inner);
    for expected in [(200, false, "taken"), (200, true, "taken")] {
        let (status, replayed, text) = read(service.clone().oneshot(sealed(&aella(), TRANSFER)).await.unwrap()).await;
        assert_eq!((status, replayed, text.as_str()), expected);
    }
    let app = Router::new().route_service("/", service).layer(RequestBodyLimitLayer::new(10));
    assert_eq!(app.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), StatusCode::PAYLOAD_TOO_LARGE);
}
