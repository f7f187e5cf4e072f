//! What both gates promise, whatever they check.

use std::convert::Infallible;
use std::future::Future;
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response, StatusCode};
use http_body_util::BodyExt as _;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_test::{assert_pending, assert_ready, assert_ready_err, assert_ready_ok, task};
use tower::{Service, ServiceExt, service_fn};
use tower_test::mock;
use tower_webhook::gate::{Body, BodyCheck, BodyGate, BodyLimits, HeadCheck, HeadGate, ResponseBody};
use tower_webhook::{Rejection, RejectionKind};

use crate::support::{Log, Untouchable, answer, connect, exchange};

/// Passes what has the header `x-pass`.
struct Pass;

impl HeadCheck for Pass {
    fn check(&self, head: &mut Parts) -> Result<(), Rejection> {
        match head.headers.contains_key("x-pass") {
            true => Ok(()),
            false => Err(Rejection::new(RejectionKind::CredentialsWrong, "no x-pass")),
        }
    }
}

impl BodyCheck for Pass {
    fn limits(&self) -> BodyLimits {
        BodyLimits::default()
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        HeadCheck::check(self, head).map(|()| body.into())
    }
}

fn good() -> Request<Body> {
    Request::post("/").header("x-pass", "").body(Bytes::from("body").into()).unwrap()
}

fn bad() -> Request<Body> {
    Request::post("/").body(Bytes::from("body").into()).unwrap()
}

type Mock = mock::Mock<Request<Body>, Response<Body>>;

fn head_gate(inner: Mock) -> HeadGate<Pass, Mock> {
    HeadGate::new(Arc::new(Pass), inner)
}

fn body_gate(inner: Mock) -> BodyGate<Pass, Mock> {
    BodyGate::new(Arc::new(Pass), inner)
}

/// The mock panics when it is called without having been polled ready, so that a call of the clone would not pass.
fn calls_the_service_that_was_polled<G>(gate: fn(Mock) -> G)
where
    G: Service<Request<Body>, Response = Response<ResponseBody>, Error: std::fmt::Debug> + Clone,
{
    let (mut service, mut inner) = mock::spawn_with(gate);
    inner.allow(0);
    assert_pending!(service.poll_ready::<Request<Body>>());
    inner.allow(1);
    assert_ready_ok!(service.poll_ready::<Request<Body>>());
    let mut answer = task::spawn(service.call(good()));
    assert_pending!(answer.poll());
    let (_, respond) = assert_ready!(task::spawn(()).enter(|_, _| inner.poll_request())).unwrap();
    assert_pending!(service.poll_ready::<Request<Body>>(), "the readiness was used up");
    respond.send_response(Response::new(Body::default()));
    assert_eq!(assert_ready_ok!(answer.poll()).status(), StatusCode::OK);
}

#[test]
fn both_gates_call_the_service_that_was_polled() {
    calls_the_service_that_was_polled(head_gate);
    calls_the_service_that_was_polled(body_gate);
}

/// Answers 500 when it is called without having been polled ready, which a clone of it is not.
#[derive(Default)]
struct Strict {
    ready: bool,
}

impl Clone for Strict {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl Service<Request<Body>> for Strict {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = std::future::Ready<Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.ready = true;
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _: Request<Body>) -> Self::Future {
        let mut response = Response::new(Body::default());
        if !std::mem::take(&mut self.ready) {
            *response.status_mut() = StatusCode::INTERNAL_SERVER_ERROR;
        }
        std::future::ready(Ok(response))
    }
}

fn readiness_stays_with_the_original<G>(gate: G)
where
    G: Service<Request<Body>, Response = Response<ResponseBody>, Error = Infallible> + Clone,
{
    let mut service = mock::Spawn::new(gate);
    assert_ready_ok!(service.poll_ready::<Request<Body>>());
    let mut clone = service.get_ref().clone();
    let status = |answer: G::Future| assert_ready_ok!(task::spawn(answer).poll()).status();
    assert_eq!(status(clone.call(good())), 500);
    assert_eq!(status(service.call(good())), 200);
    assert_eq!(status(service.call(good())), 500, "the readiness was used up");
}

#[test]
fn a_clone_carries_no_readiness_and_takes_none_away() {
    readiness_stays_with_the_original(HeadGate::new(Arc::new(Pass), Strict::default()));
    readiness_stays_with_the_original(BodyGate::new(Arc::new(Pass), Strict::default()));
}

fn refused_requests_stay_outside<G>(gate: fn(Mock) -> G)
where
    G: Service<Request<Body>, Response = Response<ResponseBody>, Error: std::fmt::Debug> + Clone,
{
    let (mut service, mut inner) = mock::spawn_with(gate);
    inner.allow(2);
    for (request, status, called) in [(bad(), 401, false), (good(), 200, true)] {
        assert_ready_ok!(service.poll_ready::<Request<Body>>());
        let mut answer = task::spawn(service.call(request));
        let polled = answer.poll();
        let arrived = task::spawn(()).enter(|_, _| inner.poll_request());
        assert_eq!(arrived.is_ready(), called, "{status}");
        let response = match arrived {
            Poll::Ready(request) => {
                request.unwrap().1.send_response(Response::new(Body::default()));
                assert_ready_ok!(answer.poll())
            }
            Poll::Pending => assert_ready_ok!(polled),
        };
        assert_eq!(response.status(), status);
    }
}

#[test]
fn a_refused_request_never_reaches_the_inner_service() {
    refused_requests_stay_outside(head_gate);
    refused_requests_stay_outside(body_gate);
}

#[test]
fn a_head_refusal_leaves_the_body_alone() {
    let inner = service_fn(|_: Request<Untouchable>| async { Ok::<_, Infallible>(Response::new(String::new())) });
    let mut gate = HeadGate::new(Arc::new(Pass), inner);
    let response = assert_ready_ok!(task::spawn(gate.call(Request::new(Untouchable))).poll());
    assert_eq!(response.status(), StatusCode::UNAUTHORIZED);
}

#[test]
fn the_error_type_of_the_inner_service_passes_through() {
    #[derive(Debug, PartialEq)]
    struct Own(u8);
    fn own<S: Service<Request<Body>, Response = Response<ResponseBody>, Error = Own> + ServiceExt<Request<Body>>>(
        gate: S,
    ) {
        assert_eq!(assert_ready_err!(task::spawn(gate.oneshot(good())).poll()), Own(7));
    }
    fn infallible<S: Service<Request<Body>, Error = Infallible>>(_: S) {}

    let fails = service_fn(|_: Request<Body>| async { Err::<Response<Body>, _>(Own(7)) });
    own(HeadGate::new(Arc::new(Pass), fails));
    own(BodyGate::new(Arc::new(Pass), fails));

    let works = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    infallible(HeadGate::new(Arc::new(Pass), works));
    infallible(BodyGate::new(Arc::new(Pass), works));
}

#[test]
fn a_refusal_rides_in_the_extensions_and_is_logged_once_and_with_its_cause() {
    let log = Log::capture();
    let inner = service_fn(|_: Request<Body>| async { Ok::<_, Infallible>(Response::new(Body::default())) });
    let gate = HeadGate::new(Arc::new(Pass), inner);
    let response = assert_ready_ok!(task::spawn(gate.oneshot(bad())).poll());
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert_eq!((rejection.kind(), rejection.detail()), (RejectionKind::CredentialsWrong, "no x-pass"));
    assert!(response.body().whole().unwrap().is_empty());
    assert_eq!(log.text().lines().count(), 1, "{}", log.text());
    assert!(log.text().contains("no x-pass") && log.text().starts_with("WARN"), "{}", log.text());
}

#[test]
fn futures_and_services_can_cross_threads() {
    fn sendable<S: Service<Request<Body>, Future: Future + Send> + Send + Sync + Clone>(_: S) {}
    let inner = tower::util::BoxCloneSyncService::new(service_fn(|_: Request<Body>| async {
        Ok::<_, Infallible>(Response::new(Body::default()))
    }));
    sendable(HeadGate::new(Arc::new(Pass), inner.clone()));
    sendable(BodyGate::new(Arc::new(Pass), inner));
}

/// A server that refuses by the head whatever has no `x-pass`, and echoes the rest.
async fn picky() -> TcpStream {
    let echo = service_fn(async |request: Request<hyper::body::Incoming>| {
        let length = request.into_body().collect().await.unwrap().to_bytes().len();
        Ok::<_, Infallible>(Response::new(length.to_string()))
    });
    connect(HeadGate::new(Arc::new(Pass), echo)).await.0
}

fn wire(headers: &str, body: &str) -> Vec<u8> {
    format!("POST / HTTP/1.1\r\nhost: x\r\n{headers}\r\n{body}").into_bytes()
}

/// One answer, as far as its head, and whether the server closes behind it.
async fn one_answer(client: &mut TcpStream) -> String {
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        answer.push(client.read_u8().await.expect("an answer"));
    }
    String::from_utf8(answer).unwrap()
}

#[tokio::test]
async fn a_connection_outlives_a_refusal_whose_body_is_short() {
    let mut client = picky().await;
    for body in ["", "short", &"x".repeat(60_000)] {
        for head in [format!("content-length: {}\r\n", body.len()), "transfer-encoding: chunked\r\n".to_owned()] {
            let chunk = if body.is_empty() { String::new() } else { format!("{:x}\r\n{body}\r\n", body.len()) };
            let body = if head.starts_with('t') { chunk + "0\r\n\r\n" } else { body.to_owned() };
            client.write_all(&wire(&head, &body)).await.unwrap();
            let answer = one_answer(&mut client).await;
            assert!(answer.starts_with("HTTP/1.1 401") && !answer.contains("connection"), "{answer}");
        }
    }
    client.write_all(&wire("x-pass: 1\r\nconnection: close\r\ncontent-length: 4\r\n", "good")).await.unwrap();
    let good = answer(&mut client).await.unwrap();
    assert!(good.starts_with("HTTP/1.1 200") && good.ends_with("\r\n\r\n4"), "{good}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_of_a_long_body_says_that_nothing_can_follow_and_reaches_who_writes_all_of_it_first() {
    let long = "x".repeat(8 << 20);
    for head in [
        format!("content-length: {}\r\n\r\n", long.len()),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", long.len()),
    ] {
        let end = if head.contains("chunked") { "\r\n0\r\n\r\n" } else { "" };
        let request = format!("POST / HTTP/1.1\r\nhost: x\r\n{head}{long}{end}");
        let answer = exchange(picky().await, request.as_bytes()).await.expect("a clean answer and no reset");
        assert!(answer.starts_with("HTTP/1.1 401") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_stalls_amid_a_short_body_is_answered_all_the_same() {
    let mut client = picky().await;
    client.write_all(&wire("content-length: 10\r\n", "short")).await.unwrap();
    let refused = one_answer(&mut client).await;
    assert!(refused.starts_with("HTTP/1.1 401") && refused.contains("connection: close"), "{refused}");
}

#[tokio::test]
async fn who_asks_first_is_refused_without_leave_to_write() {
    for (pass, first) in [("", "HTTP/1.1 401"), ("x-pass: 1\r\n", "HTTP/1.1 100")] {
        let mut client = picky().await;
        client.write_all(&wire(&format!("{pass}expect: 100-continue\r\ncontent-length: 4\r\n"), "")).await.unwrap();
        let answer = one_answer(&mut client).await;
        assert!(answer.starts_with(first), "{pass}: {answer}");
        assert_eq!(answer.contains("connection: close"), pass.is_empty(), "{answer}");
    }
}
