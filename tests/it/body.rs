//! Bodies: of every length and speed, whole, broken and endless, by hand and over real sockets.

use std::convert::Infallible;
use std::future::Future;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http::request::Parts;
use http::{Request, Response};
use http_body::SizeHint;
use tokio::io::AsyncWriteExt;
use tokio::time::Instant;
use tokio_test::{assert_pending, assert_ready_ok, task};
use tower::{Service, ServiceExt, service_fn};
use tower_webhook::gate::{Body, BodyCheck, BodyGate, BodyLimits, ResponseBody};
use tower_webhook::{Rejection, RejectionKind};

use crate::support::{Scripted, Step, answer, connect, exchange};

const LIMIT: usize = 1000;

struct Limited(BodyLimits);

impl BodyCheck for Limited {
    fn limits(&self) -> BodyLimits {
        self.0
    }

    fn check(&self, _: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        Ok(body.into())
    }
}

/// Answers with the body, behind a gate that takes [`LIMIT`] bytes in ten seconds.
fn echo() -> BodyGate<
    Limited,
    impl Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send,
> {
    let echo = service_fn(async |request: Request<Body>| Ok::<_, Infallible>(Response::new(request.into_body())));
    BodyGate::new(Arc::new(Limited(BodyLimits::default().max_bytes(LIMIT))), echo)
}

fn data(text: &'static str) -> Step {
    Step::Data(Bytes::from_static(text.as_bytes()))
}

fn seconds(seconds: u64) -> Step {
    Step::Wait(Duration::from_secs(seconds))
}

fn bytes(length: usize) -> Step {
    Step::Data(Bytes::from(vec![b'x'; length]))
}

async fn send(body: Scripted) -> Response<ResponseBody> {
    echo().oneshot(Request::post("/").body(body).unwrap()).await.unwrap()
}

fn kind(response: &Response<ResponseBody>) -> Option<RejectionKind> {
    response.extensions().get::<Rejection>().map(Rejection::kind)
}

#[tokio::test(start_paused = true)]
async fn a_body_arrives_whole_however_it_is_cut() {
    for (steps, whole) in [
        (vec![], ""),
        (vec![data("one")], "one"),
        (vec![data("one"), data(""), data("two")], "onetwo"),
        (vec![seconds(3), data("one"), seconds(3), data("two"), seconds(3)], "onetwo"),
        (vec![data("one"), Step::Trailers], "one"),
    ] {
        let response = send(Scripted::new(steps.clone())).await;
        assert_eq!(kind(&response), None, "{steps:?}");
        assert_eq!(response.body().whole().unwrap(), whole, "{steps:?}");
    }
}

#[tokio::test]
async fn one_byte_over_the_limit_is_too_large() {
    for (steps, refused) in [
        (vec![bytes(LIMIT)], None),
        (vec![bytes(LIMIT + 1)], Some(RejectionKind::BodyTooLarge)),
        (vec![bytes(LIMIT - 1), bytes(1)], None),
        (vec![bytes(LIMIT - 1), bytes(1), bytes(0)], None),
        (vec![bytes(LIMIT), bytes(1)], Some(RejectionKind::BodyTooLarge)),
        (vec![bytes(1); LIMIT], None),
        (vec![bytes(1); LIMIT + 1], Some(RejectionKind::BodyTooLarge)),
    ] {
        let response = send(Scripted::new(steps.clone())).await;
        assert_eq!(kind(&response), refused, "{} frames", steps.len());
        assert_eq!(response.headers().get("connection").is_some(), refused.is_some(), "{} frames", steps.len());
    }
}

#[test]
fn a_declared_length_over_the_limit_is_refused_before_reading() {
    let huge = u64::MAX.to_string();
    for (header, hint, refused) in [
        (None, SizeHint::with_exact(1000), false),
        (None, SizeHint::with_exact(1001), true),
        (None, SizeHint::with_exact(u64::MAX), true),
        (Some("1000"), SizeHint::default(), false),
        (Some("1001"), SizeHint::default(), true),
        (Some(huge.as_str()), SizeHint::default(), true),
        (Some("not a length"), SizeHint::default(), false),
    ] {
        let body = Scripted::new([data("body")]).hint(hint);
        let asked = Arc::clone(&body.asked);
        let mut request = Request::post("/").body(body).unwrap();
        if let Some(length) = header {
            request.headers_mut().insert("content-length", length.parse().unwrap());
        }
        // There is no runtime here, so that nothing is read on behind our back either.
        let response = assert_ready_ok!(task::spawn(echo().oneshot(request)).poll());
        assert_eq!(kind(&response), refused.then_some(RejectionKind::BodyTooLarge), "{header:?} {hint:?}");
        assert_eq!(*asked.lock().unwrap() == 0, refused, "{header:?} {hint:?}");
    }
}

#[test]
fn a_body_that_is_there_needs_no_timer_and_no_runtime() {
    let request = Request::new(Scripted::new([data("one"), data("two")]));
    let response = assert_ready_ok!(task::spawn(echo().oneshot(request)).poll());
    assert_eq!(response.body().whole().unwrap(), "onetwo");
}

#[tokio::test(start_paused = true)]
async fn a_body_at_one_byte_a_second_is_refused_at_its_deadline() {
    for (length, status) in [(9, 200), (60, 408)] {
        let start = Instant::now();
        let steps = std::iter::repeat_n([seconds(1), data("x")], length).flatten();
        let response = send(Scripted::new(steps)).await;
        assert_eq!(response.status(), status, "{length} bytes");
        assert_eq!(response.headers().get("connection").is_some(), status == 408, "{length} bytes");
        assert_eq!(start.elapsed().as_secs(), length.min(10) as u64, "{length} bytes");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_before_the_last_byte_is_refused() {
    for (stall, refused) in [(9, None), (11, Some(RejectionKind::BodyTimeout))] {
        let response = send(Scripted::new([bytes(LIMIT - 1), seconds(stall), bytes(1)])).await;
        assert_eq!(kind(&response), refused, "{stall} s");
    }
}

#[tokio::test(start_paused = true)]
async fn endless_empty_frames_end_at_the_deadline() {
    let pause = Step::Wait(Duration::from_millis(1));
    for frame in [data(""), Step::Trailers] {
        let start = Instant::now();
        let steps = std::iter::repeat_n(frame.clone(), 100).chain([pause.clone()]);
        let response = send(Scripted::new(steps).endless()).await;
        assert_eq!(kind(&response), Some(RejectionKind::BodyTimeout), "{frame:?}");
        assert_eq!(start.elapsed().as_secs(), 10, "{frame:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn frames_that_never_pause_do_not_hold_the_thread() {
    let body = Scripted::new([data("")]).endless();
    let asked = Arc::clone(&body.asked);
    let mut answer = task::spawn(echo().oneshot(Request::new(body)));
    assert_pending!(answer.poll());
    assert!(answer.is_woken());
    assert!(*asked.lock().unwrap() <= 100, "{} frames in one turn", asked.lock().unwrap());
    tokio::time::advance(Duration::from_millis(9_900)).await;
    assert_pending!(answer.poll());
    tokio::time::advance(Duration::from_millis(200)).await;
    assert_eq!(kind(&assert_ready_ok!(answer.poll())), Some(RejectionKind::BodyTimeout));
}

/// Uses up the budget of its task in every turn, so that no timer of tokio gets to speak.
struct Greedy;

impl http_body::Body for Greedy {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, Infallible>>> {
        loop {
            ready!(pin!(tokio::task::coop::consume_budget()).poll(cx));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_uses_up_the_budget_of_its_task_ends_at_the_deadline() {
    let reading = tokio::spawn(echo().oneshot(Request::new(Greedy)));
    for (seconds, refused) in [(0, false), (9, false), (2, true)] {
        tokio::time::advance(Duration::from_secs(seconds)).await;
        for _ in 0..100 {
            tokio::task::yield_now().await;
        }
        assert_eq!(reading.is_finished(), refused);
    }
    assert_eq!(kind(&reading.await.unwrap().unwrap()), Some(RejectionKind::BodyTimeout));
}

#[tokio::test]
async fn a_body_that_breaks_off_is_refused_with_its_cause() {
    let response = send(Scripted::new([data("half"), Step::Fail])).await;
    assert_eq!(kind(&response), Some(RejectionKind::BodyAborted));
    let rejection = response.extensions().get::<Rejection>().unwrap();
    assert!(std::error::Error::source(rejection).unwrap().to_string().contains("reset"));
}

#[test]
fn only_bodies_without_a_content_encoding_pass() {
    for (values, passes) in [
        (&[][..], true),
        (&["identity"], true),
        (&["Identity"], true),
        (&["UTF-8"], true),
        (&["utf-8"], true),
        (&[" utf-8 "], true),
        (&["identity", "UTF-8"], true),
        (&["gzip"], false),
        (&["identity", "gzip"], false),
        (&["gzip", "identity"], false),
        (&["identity, gzip"], false),
        (&["utf8"], false),
        (&["br"], false),
        (&["deflate"], false),
        (&["x"], false),
        (&[""], false),
    ] {
        let body = Scripted::new([data("body")]);
        let asked = Arc::clone(&body.asked);
        let mut request = Request::new(body);
        for value in values {
            request.headers_mut().append("content-encoding", value.parse().unwrap());
        }
        // Without a runtime nothing is read on behind our back.
        let response = assert_ready_ok!(task::spawn(echo().oneshot(request)).poll());
        assert_eq!(response.status(), if passes { 200 } else { 415 }, "{values:?}");
        assert_eq!(*asked.lock().unwrap() > 0, passes, "{values:?}");
    }
}

#[tokio::test]
async fn a_refused_body_is_read_on_and_then_dropped() {
    let body = Scripted::new([bytes(LIMIT), bytes(1), bytes(7), bytes(7)]);
    let asked = Arc::clone(&body.asked);
    assert_eq!(send(body).await.status(), 413);
    while Arc::strong_count(&asked) > 1 {
        tokio::task::yield_now().await;
    }
    assert_eq!(*asked.lock().unwrap(), 5, "all frames and the end");
}

#[tokio::test(start_paused = true)]
async fn reading_on_ends_with_time() {
    let body = Scripted::new([bytes(LIMIT + 1), seconds(1)]).endless();
    let asked = Arc::clone(&body.asked);
    let start = Instant::now();
    assert_eq!(send(body).await.status(), 413);
    assert_eq!(start.elapsed(), Duration::ZERO, "the answer does not wait");
    while Arc::strong_count(&asked) > 1 {
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert_eq!(start.elapsed().as_secs(), 10);
}

#[tokio::test]
async fn chunked_bodies_work_over_a_socket() {
    for (chunks, status) in [
        ("5\r\nhello\r\n6;ext=1\r\n world\r\n0\r\n\r\n", "200"),
        ("5\r\nhello\r\n0\r\ntrailer: ignored\r\n\r\n", "200"),
        ("3E9\r\n", "413"),
    ] {
        let head = "POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ntransfer-encoding: chunked\r\n\r\n";
        let rest = if status == "413" { "x".repeat(1001) + "\r\n0\r\n\r\n" } else { String::new() };
        let (client, _) = connect(echo()).await;
        let answer = exchange(client, format!("{head}{chunks}{rest}").as_bytes()).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{chunks:?}: {answer}");
        assert_eq!(answer.contains("hello"), status == "200", "{chunks:?}: {answer}");
    }
}

#[tokio::test]
async fn the_limit_is_exact_over_a_socket() {
    for (length, status) in [(LIMIT, 200), (LIMIT + 1, 413)] {
        let (client, _) = connect(echo()).await;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n");
        let answer = exchange(client, (head + &"x".repeat(length)).as_bytes()).await.unwrap();
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{length}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{answer}");
        assert_eq!(answer.split("\r\n\r\n").nth(1).unwrap().len(), if status == 200 { length } else { 0 });
    }
}

#[tokio::test]
async fn a_length_of_ten_to_the_eighteen_is_refused_at_once() {
    for expect in ["", "expect: 100-continue\r\n"] {
        let (mut client, _) = connect(echo()).await;
        let head = format!("POST / HTTP/1.1\r\nhost: x\r\n{expect}content-length: 1000000000000000000\r\n\r\n");
        client.write_all(head.as_bytes()).await.unwrap();
        client.shutdown().await.unwrap();
        let answer = answer(&mut client).await.unwrap();
        assert!(answer.starts_with("HTTP/1.1 413"), "{expect:?}: {answer}");
    }
}

#[tokio::test]
async fn a_declared_length_reserves_nothing() {
    // A receiver that believed the length would ask for more memory than there is, and abort.
    let limits = BodyLimits::default().max_bytes(usize::MAX / 2);
    let echo = service_fn(async |request: Request<Body>| Ok::<_, Infallible>(Response::new(request.into_body())));
    let gate = BodyGate::new(Arc::new(Limited(limits)), echo);
    let body = Scripted::new([data("one"), data("two")]).hint(SizeHint::with_exact(1 << 60));
    assert_eq!(gate.oneshot(Request::new(body)).await.unwrap().body().whole().unwrap(), "onetwo");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sender_that_writes_eight_mebibytes_before_it_reads_gets_a_clean_answer() {
    let eight = "x".repeat(8 << 20);
    for head in [
        format!("content-length: {}\r\n\r\n", eight.len()),
        format!("transfer-encoding: chunked\r\n\r\n{:x}\r\n", eight.len()),
    ] {
        let end = if head.contains("chunked") { "\r\n0\r\n\r\n" } else { "" };
        let (client, _) = connect(echo()).await;
        let request = format!("POST / HTTP/1.1\r\nhost: x\r\n{head}{eight}{end}");
        let answer = exchange(client, request.as_bytes()).await.expect("a clean answer and no reset");
        assert!(answer.starts_with("HTTP/1.1 413") && answer.contains("connection: close"), "{answer}");
    }
}

#[tokio::test]
async fn a_reset_inside_the_body_never_reaches_the_handler() {
    for (sent, handled) in [("hel", 0), ("hello", 1)] {
        let calls = Arc::new(AtomicUsize::new(0));
        let seen = Arc::new(Mutex::new(None));
        let (counted, noted) = (Arc::clone(&calls), Arc::clone(&seen));
        let inner = service_fn(move |_: Request<Body>| {
            counted.fetch_add(1, Ordering::Relaxed);
            std::future::ready(Ok::<_, Infallible>(Response::new(Body::default())))
        });
        let gate = BodyGate::new(Arc::new(Limited(BodyLimits::default())), inner);
        let service = tower::util::MapResponse::new(gate, move |response| {
            *noted.lock().unwrap() = Some(kind(&response));
            response
        });
        let (mut client, serving) = connect(service).await;
        client
            .write_all(format!("POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 5\r\n\r\n{sent}").as_bytes())
            .await
            .unwrap();
        while handled == 1 && seen.lock().unwrap().is_none() {
            tokio::task::yield_now().await;
        }
        client.set_zero_linger().unwrap();
        drop(client);
        serving.await.unwrap();
        assert_eq!(calls.load(Ordering::Relaxed), handled, "{sent}");
        // hyper may drop the request with its connection; when the gate still sees the break, it calls it by its name.
        let refused = seen.lock().unwrap().flatten();
        assert!(refused.is_none_or(|kind| kind == RejectionKind::BodyAborted), "{sent}: {refused:?}");
    }
}
