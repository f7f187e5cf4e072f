//! A check that is there and never reached, and what is believed beside what was proved.

use std::convert::Infallible;
use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use bytes::Bytes;
use http::{HeaderName, Request, Response};
use http_body_util::Full;
use tower::util::BoxCloneService;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_webhook::gate::{Body, ResponseBody};
use tower_webhook::idempotency::IdempotencyLayer;
use tower_webhook::provider::Lookup;
use tower_webhook::provider::custom::{self, Custom};
use tower_webhook::secret::Secret;
use tower_webhook::{MemoryStore, Received, Receiver};

use super::{BODY, KEY, Kept, good, must, scheme};

type App = BoxCloneService<Request<Full<Bytes>>, Response<ResponseBody>, Infallible>;

#[derive(Clone, Default)]
struct Calls(Arc<AtomicUsize>);

impl Calls {
    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn provider() -> Custom {
    Custom::new(scheme(Secret::utf8(KEY).unwrap()), [Lookup::json("/id").unwrap()]).unwrap()
}

fn request(signature: &str, body: &[u8]) -> Request<Full<Bytes>> {
    let request = Request::post("/").header("x-signature", signature);
    request.body(Full::new(Bytes::copy_from_slice(body))).unwrap()
}

type Inner = BoxCloneService<Request<Body>, Response<ResponseBody>, Infallible>;

fn handler(calls: &Calls) -> Inner {
    let calls = calls.clone();
    let inner = service_fn(move |_: Request<Body>| {
        calls.0.fetch_add(1, Ordering::SeqCst);
        async { Ok(Response::new(ResponseBody::default())) }
    });
    inner.boxed_clone()
}

async fn no_handler_runs_unproved(app: App, calls: &Calls) -> Kept {
    for signature in ["sha256=00", "sha256=", "none", &good().replace('a', "b")] {
        let answer = app.clone().oneshot(request(signature, BODY)).await.unwrap();
        must(!answer.status().is_success(), format!("{signature} is answered {}", answer.status()))?;
        must(calls.count() == 0, format!("{signature} is handled"))?;
    }
    Ok(())
}

#[tokio::test]
async fn a_check_that_is_configured_is_reached_or_nothing_runs() {
    let calls = Calls::default();
    let receiver = Receiver::new("a", provider()).dedupe(MemoryStore::new(10)).layer().layer(handler(&calls));
    assert_eq!(no_handler_runs_unproved(receiver.clone().boxed_clone(), &calls).await, Ok(()));
    assert!(receiver.oneshot(request(&good(), BODY)).await.unwrap().status().is_success());
    assert_eq!(calls.count(), 1, "the control");

    // The layer of the proof was forgotten: the one behind it does not go on without.
    let calls = Calls::default();
    let half = IdempotencyLayer::new("a", provider(), MemoryStore::new(10)).layer(handler(&calls));
    let half = service_fn(move |request: Request<Full<Bytes>>| {
        half.clone().oneshot(request.map(|_| Body::from(Bytes::from_static(BODY))))
    });
    assert_eq!(no_handler_runs_unproved(half.boxed_clone(), &calls).await, Ok(()));

    // Whoever hands on first and asks later has handled it.
    let calls = Calls::default();
    let (inner, checked) = (handler(&calls), Receiver::new("a", provider()).dedupe(MemoryStore::new(10)).layer());
    let later = service_fn(move |request: Request<Full<Bytes>>| {
        let (inner, check) = (inner.clone(), checked.layer(handler(&Calls::default())).oneshot(request));
        async move {
            let answer = inner.oneshot(Request::new(Body::default())).await;
            // Nobody waits for this one.
            drop(check);
            answer
        }
    });
    assert_eq!(no_handler_runs_unproved(later.boxed_clone(), &calls).await, Err("sha256=00 is answered 200 OK".into()));
}

#[tokio::test]
async fn a_check_that_nobody_waits_for_runs_no_handler() {
    let calls = Calls::default();
    let receiver = Receiver::new("a", provider()).dedupe(MemoryStore::new(10)).layer().layer(handler(&calls));
    drop(receiver.clone().oneshot(request(&good(), BODY)));
    assert_eq!(calls.count(), 0);
    receiver.oneshot(request(&good(), BODY)).await.unwrap();
    assert_eq!(calls.count(), 1, "the control");
}

/// A header that nobody has signed is not believed under the name of one that is.
#[tokio::test]
async fn metadata_that_is_not_signed_is_told_apart_from_what_is() {
    let seen = Arc::new(std::sync::Mutex::new(None));
    let noted = Arc::clone(&seen);
    let service =
        Receiver::new("a", provider()).dedupe(MemoryStore::new(10)).handle(move |event: Received<custom::Event>| {
            let (name, delivery) = (HeaderName::from_static("x-event"), event.delivery());
            let read = |value: Option<&http::HeaderValue>| value.map(|value| value.to_str().unwrap().to_owned());
            *noted.lock().unwrap() = Some([read(delivery.signed_header(&name)), read(delivery.header(&name))]);
            async {}
        });
    let mut request = request(&good(), BODY);
    request.headers_mut().insert("x-event", "refunded".parse().unwrap());
    assert_eq!(service.oneshot(request).await.unwrap().status(), 200);
    // The second is what whoever reads plain headers would have believed.
    assert_eq!(seen.lock().unwrap().take(), Some([None, Some("refunded".to_owned())]));
    let unsigned = provider().event_from(Lookup::header("x-event").unwrap());
    assert_eq!(unsigned.unsigned_lookups().len(), 1);
}

/// A URL in a payload is text.
#[tokio::test]
async fn an_address_in_a_payload_is_never_called() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let address = listener.local_addr().unwrap();
    let body = format!(
        r#"{{"id":"7","SubscribeURL":"http://{address}/","callback":"http://{address}/x","jku":"http://{address}/k"}}"#
    );
    let signature = format!("sha256={}", super::sha256(KEY.as_bytes(), body.as_bytes()));
    let calls = Calls::default();
    let receiver = Receiver::new("a", provider()).dedupe(MemoryStore::new(10)).layer().layer(handler(&calls));
    assert_eq!(receiver.oneshot(request(&signature, body.as_bytes())).await.unwrap().status(), 200);
    assert_eq!(calls.count(), 1);
    assert_eq!(listener.accept().unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
    // Who does call is seen.
    drop(tokio::net::TcpStream::connect(address).await.unwrap());
    assert!(listener.accept().is_ok());
}
