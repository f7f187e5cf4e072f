//! What a head would be refused for whatever its body: with the same answer whether the body is there or still to come.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{Request, Response};
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::sync::Notify;
use tokio::time::timeout;
use tower::{Service as _, ServiceExt as _, service_fn};
use tower_webhook::clock::OsEntropy;
use tower_webhook::gate::{Body, BodyBudget, BodyCheck, BodyGate, BodyLimits, Compression};
use tower_webhook::provider::mambu::Mambu;
use tower_webhook::provider::opp::Opp;
use tower_webhook::provider::sibs::Sibs;
use tower_webhook::provider::standard_webhooks::{StandardWebhooks, secret};
use tower_webhook::provider::{AnyProvider, Message, Provider as _};
use tower_webhook::scheme::Sealing;
use tower_webhook::secret::Secret;
use tower_webhook::{Rejection, RejectionKind};

use crate::deliveries::{aella, bank, now};
use crate::support::{Scripted, Step, answer, connect, kind};

const LONG: usize = 300 * 1024;

/// Refuses by the head what has no `x-pass`. A check of a body that was not refused so before is told.
#[derive(Default)]
struct Ahead {
    compression: Compression,
    most: usize,
    checked: AtomicBool,
    asked: Notify,
}

impl BodyCheck for Ahead {
    fn limits(&self) -> BodyLimits {
        BodyLimits::default().max_bytes(self.most)
    }

    fn compression(&self) -> Compression {
        self.compression
    }

    fn check_ahead(&self, head: &Parts) -> Result<(), Rejection> {
        self.asked.notify_one();
        match head.headers.contains_key("x-pass") {
            true => Ok(()),
            false => Err(Rejection::new(RejectionKind::SignatureMissing, "no x-pass")),
        }
    }

    fn check(&self, head: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
        self.checked.store(true, Ordering::Relaxed);
        self.check_ahead(head).map(|()| body.into())
    }
}

fn ahead(most: usize) -> Ahead {
    Ahead { most, ..Ahead::default() }
}

async fn nothing(_: Request<Body>) -> Result<Response<Body>, Infallible> {
    Ok(Response::new(Body::default()))
}

fn bytes(length: usize) -> Step {
    Step::Data(Bytes::from(vec![b'x'; length]))
}

fn for_ever() -> Step {
    Step::Wait(Duration::from_hours(1))
}

/// However the body comes, the head is refused for itself, in its first moment, and nothing of the body stays in memory.
#[tokio::test(start_paused = true)]
async fn a_head_without_proof_has_the_same_answer_however_its_body_comes() {
    let exact = SizeHint::with_exact;
    for (what, steps, hint, checked) in [
        ("none", vec![], exact(0), true),
        ("short and there", vec![bytes(10)], exact(10), true),
        ("long and there", vec![bytes(LONG)], exact(LONG as u64), false),
        ("long and there, its length not said", vec![bytes(LONG), bytes(1)], SizeHint::default(), false),
        ("said to be too long", vec![for_ever()], exact(2 * LONG as u64), false),
        ("too long", vec![bytes(2 * LONG)], SizeHint::default(), false),
        ("no room", vec![bytes(LONG / 2), bytes(LONG)], SizeHint::default(), false),
        ("broken off", vec![bytes(10), Step::Fail], SizeHint::default(), false),
    ] {
        let (check, budget) = (Arc::new(ahead(LONG + 1)), BodyBudget::new(LONG));
        let gate = BodyGate::new(Arc::clone(&check), service_fn(nothing)).budget(&budget);
        let request = Request::post("/").body(Scripted::new(steps).hint(hint)).unwrap();
        let refused = gate.oneshot(request).await.unwrap();
        assert_eq!(kind(&refused), Some(RejectionKind::SignatureMissing), "{what}");
        assert_eq!(check.checked.load(Ordering::Relaxed), checked, "{what}");
        assert_eq!(budget.in_flight(), 0, "{what}");
    }
}

/// One second is what a short rest has; the time for a body is ten.
#[tokio::test(start_paused = true)]
async fn nobody_waits_for_the_body_of_a_head_without_proof() {
    for (version, seconds) in [(http::Version::HTTP_11, 1), (http::Version::HTTP_2, 0)] {
        for steps in [vec![for_ever()], vec![bytes(10), for_ever()], vec![bytes(LONG / 2), for_ever()]] {
            let gate = BodyGate::new(Arc::new(ahead(LONG)), service_fn(nothing));
            let begun = tokio::time::Instant::now();
            let request = Request::post("/").version(version).body(Scripted::new(steps)).unwrap();
            let refused = gate.oneshot(request).await.unwrap();
            assert_eq!(kind(&refused), Some(RejectionKind::SignatureMissing));
            assert_eq!(begun.elapsed().as_secs(), seconds, "{version:?}");
        }
    }
}

/// Frames, and then an end behind which nobody may ask.
struct Once(Option<VecDeque<Bytes>>);

impl http_body::Body for Once {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let next = self.0.as_mut().expect("asked behind its end").pop_front();
        if next.is_none() {
            self.0 = None;
        }
        Poll::Ready(next.map(|data| Ok(Frame::data(data))))
    }
}

#[tokio::test]
async fn a_body_that_was_read_to_its_end_is_not_asked_again() {
    for length in [10, LONG] {
        let body = Once(Some([Bytes::from(vec![b'x'; length])].into()));
        let gate = BodyGate::new(Arc::new(ahead(LONG)), service_fn(nothing));
        let refused = gate.oneshot(Request::new(body)).await.unwrap();
        assert_eq!(kind(&refused), Some(RejectionKind::SignatureMissing), "{length}");
        assert!(!refused.headers().contains_key("connection"), "{length}");
    }
}

/// Neither a body that is no gzip nor a bomb tells a stranger more than that the proof is missing.
#[cfg(feature = "gzip")]
#[tokio::test]
async fn nothing_is_decompressed_for_a_head_without_proof() {
    for compression in [Compression::SignedPlain, Compression::SignedAsSent] {
        for (pass, refused) in [(false, RejectionKind::SignatureMissing), (true, RejectionKind::BodyMalformed)] {
            let gate = BodyGate::new(Arc::new(Ahead { compression, ..ahead(LONG) }), service_fn(nothing));
            let mut request = Request::post("/").header("content-encoding", "gzip").body("no gzip".to_owned()).unwrap();
            if pass {
                request.headers_mut().insert("x-pass", "".parse().unwrap());
            }
            assert_eq!(kind(&gate.oneshot(request).await.unwrap()), Some(refused), "{compression:?}");
        }
    }
}

/// A permit of the inner service, say, is free as soon as it is sure that nobody calls it; what came with the head too.
#[tokio::test(start_paused = true)]
async fn a_refused_request_keeps_neither_the_inner_service_nor_its_head() {
    #[derive(Clone)]
    struct Held(#[allow(dead_code, reason = "it is counted")] Arc<()>);
    struct ByHead;
    impl BodyCheck for ByHead {
        fn limits(&self) -> BodyLimits {
            BodyLimits::default()
        }
        fn check_head(&self, _: &Parts) -> Result<(), Rejection> {
            Err(Rejection::new(RejectionKind::SignatureMissing, "no x-pass"))
        }
        fn check(&self, _: &mut Parts, body: Bytes) -> Result<Body, Rejection> {
            Ok(body.into())
        }
    }
    fn inner(
        held: &Arc<()>,
    ) -> impl tower::Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + use<>
    {
        let held = Held(Arc::clone(held));
        service_fn(move |request| {
            let _ = &held;
            nothing(request)
        })
    }
    let request = |held: &Arc<()>| {
        Request::post("/").extension(Held(Arc::clone(held))).body(Scripted::new([bytes(10), for_ever()])).unwrap()
    };

    let (service, head) = (Arc::new(()), Arc::new(()));
    let mut gate = BodyGate::new(Arc::new(ByHead), inner(&service));
    let refused = gate.call(request(&head));
    assert_eq!((Arc::strong_count(&service), Arc::strong_count(&head)), (2, 1), "the gate's own alone");

    drop((gate, refused));

    let mut gate = BodyGate::new(Arc::new(ahead(LONG)), inner(&service));
    let mut refused = Box::pin(gate.call(request(&head)));
    assert!((&mut refused).now_or_never().is_none(), "the rest is read first");
    assert_eq!(Arc::strong_count(&head), 1);
    drop(gate);
    assert_eq!(Arc::strong_count(&service), 1);
}

/// Over a socket: no leave to write, and what is left of a body is no request.
#[tokio::test]
async fn on_a_connection_a_rest_is_read_on_and_who_asks_first_gets_no_leave() {
    let check = Arc::new(ahead(LONG));
    let serve = || BodyGate::new(Arc::clone(&check), service_fn(nothing));
    let head = |more: &str| format!("POST / HTTP/1.1\r\nhost: x\r\n{more}\r\n\r\n");

    let mut client = connect(serve()).await.0;
    let smuggled = head("x-pass: 1\r\ncontent-length: 0");
    client.write_all(head(&format!("content-length: {}", smuggled.len())).as_bytes()).await.unwrap();
    timeout(Duration::from_secs(5), check.asked.notified())
        .await
        .expect("the head is looked at while its body is to come");
    client.write_all(smuggled.as_bytes()).await.unwrap();
    client.write_all(head("x-pass: 1\r\ncontent-length: 0\r\nconnection: close").as_bytes()).await.unwrap();
    let answers = answer(&mut client).await.unwrap();
    let statuses: Vec<_> = answers.lines().filter(|line| line.starts_with("HTTP/1.1")).collect();
    assert_eq!(statuses, ["HTTP/1.1 401 Unauthorized", "HTTP/1.1 200 OK"], "{answers}");

    for (pass, first) in [("", "HTTP/1.1 401"), ("x-pass: 1\r\n", "HTTP/1.1 100")] {
        let mut client = connect(serve()).await.0;
        let asks = head(&format!("{pass}expect: 100-continue\r\nconnection: close\r\ncontent-length: 4"));
        client.write_all(asks.as_bytes()).await.unwrap();
        let mut begun = [0; 12];
        client.read_exact(&mut begun).await.unwrap();
        assert_eq!(begun.as_slice(), first.as_bytes(), "{pass}");
    }
}

/// Of every provider: what the head is refused for, the body is refused for too, and it is never taken.
#[test]
fn what_a_providers_head_is_refused_for_its_open_refuses_in_the_same_words() {
    let key = || Secret::bytes([7; 32]).unwrap();
    let token = "x-token".parse().unwrap();
    for provider in [
        AnyProvider::new(aella()),
        AnyProvider::new(bank()),
        AnyProvider::new(Opp::new(key()).unwrap()),
        AnyProvider::new(Sibs::new(key()).unwrap()),
        AnyProvider::new(StandardWebhooks::new(secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()).unwrap()),
        AnyProvider::new(Mambu::static_header(token, Secret::utf8("a static token, and long").unwrap()).unwrap()),
    ] {
        let (name, scheme) = (provider.profile().name, provider.scheme());
        let sealed = provider.seal(Message::new("{}"), &Sealing::new(now(), &OsEntropy)).unwrap();
        let (head, body) = sealed.into_parts();
        assert!(scheme.open(&head.headers, body.clone(), now()).is_ok(), "{name}");
        let mut refused = 0;
        for header in scheme.proofs().headers().iter().map(|header| &header.name) {
            for values in [&[][..], &[""], &["no proof"], &["00"], &["AAAA"], &["same", "same"]] {
                let mut headers = head.headers.clone();
                headers.remove(header);
                for value in values {
                    headers.append(header, value.parse().unwrap());
                }
                let kind = |no: Rejection| no.kind();
                let by_head = scheme.check_head(&headers).map_err(kind).err();
                let opened = scheme.open(&headers, body.clone(), now()).map_err(kind).err();
                assert!(by_head.is_none() || by_head == opened, "{name} {header} {values:?}: {by_head:?} {opened:?}");
                refused += usize::from(by_head.is_some());
            }
        }
        assert!(refused >= 3, "{name}: {refused}");
    }
}
