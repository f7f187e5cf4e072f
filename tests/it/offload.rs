//! Large bodies are opened and decoded off the runtime's threads.

use std::convert::Infallible;
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use http_body_util::Full;
use tower::{Layer as _, ServiceExt as _, service_fn};
use tower_webhook::clock::Timestamp;
use tower_webhook::gate::{Body, BodyLimits};
use tower_webhook::layers::VerifyLayer;
use tower_webhook::provider::custom::Event;
use tower_webhook::provider::standard_webhooks::{StandardWebhooks, secret};
use tower_webhook::provider::{Events, Message, Profile, Provider};
use tower_webhook::scheme::{Opened, Scheme, SealError, Sealing};
use tower_webhook::{MemoryStore, Received, Receiver, Rejection, RejectionKind};

use crate::deliveries::{counting, now};
use crate::support::text;

const LARGE: usize = 20 * 1024 * 1024;
const PATIENCE: Duration = Duration::from_secs(20);

/// Work on a large body waits here until somebody else has been answered. `false`: nobody was, in all the time there is.
#[derive(Clone)]
struct Until(Arc<Mutex<mpsc::Receiver<()>>>);

impl Until {
    fn new() -> (mpsc::Sender<()>, Self) {
        let (answered, waiting) = mpsc::channel();
        (answered, Self(Arc::new(Mutex::new(waiting))))
    }

    fn wait(&self, length: usize) -> Result<(), Rejection> {
        if length < LARGE || self.0.lock().unwrap().recv_timeout(PATIENCE).is_ok() {
            return Ok(());
        }
        Err(Rejection::new(RejectionKind::BodyTimeout, "nobody else was answered meanwhile"))
    }
}

struct Slow(Until);

impl Scheme for Slow {
    fn name(&self) -> &'static str {
        "slow"
    }

    fn open(&self, _: &HeaderMap, body: Bytes, _: Timestamp) -> Result<Opened, Rejection> {
        assert_ne!(body.last(), Some(&b'!'), "a panic");
        self.0.wait(body.len()).map(|()| Opened::new(body, None))
    }

    fn seal(&self, plaintext: Bytes, _: &mut HeaderMap, _: &Sealing<'_>) -> Result<Bytes, SealError> {
        Ok(plaintext)
    }
}

fn verify(until: Until) -> VerifyLayer {
    VerifyLayer::new(Slow(until)).limits(BodyLimits::default().max_bytes(2 * LARGE))
}

fn request(body: impl Into<Bytes>) -> Request<Full<Bytes>> {
    Request::new(Full::new(body.into()))
}

#[tokio::test]
async fn while_a_large_body_is_opened_a_small_request_is_answered() {
    let (answered, until) = Until::new();
    let inner = service_fn(async |request: Request<Body>| {
        let length = request.headers()["content-length"].to_str().unwrap().to_owned();
        Ok::<_, Infallible>(Response::new(length))
    });
    let service = verify(until).layer(inner);
    let large = tokio::spawn(service.clone().oneshot(request(vec![b'x'; LARGE])));
    tokio::task::yield_now().await;
    let small = service.oneshot(request("small")).await.unwrap();
    assert_eq!((small.status().as_u16(), text(small).await), (200, "5".to_owned()));
    assert!(!large.is_finished());
    answered.send(()).unwrap();
    let large = large.await.unwrap().unwrap();
    assert_eq!((large.status().as_u16(), text(large).await), (200, LARGE.to_string()));
}

#[tokio::test]
async fn a_panic_amid_a_large_body_is_a_500_and_nothing_is_handled() {
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    let service = verify(Until::new().1).layer(inner);
    for (last, status) in [(b'!', 500), (b'.', 200)] {
        let mut body = vec![b'x'; 1024 * 1024];
        body.push(last);
        assert_eq!(service.clone().oneshot(request(body)).await.unwrap().status(), status);
    }
}

#[test]
fn a_runtime_that_stops_amid_a_large_body_stops_without_a_panic() {
    let (answered, until) = Until::new();
    let inner = service_fn(async |_: Request<Body>| Ok::<_, Infallible>(Response::new(Body::default())));
    let service = verify(until).layer(inner);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        // Among them some that find no lane, since the first hold all of them.
        for _ in 0..20 {
            tokio::spawn(service.clone().oneshot(request(vec![b'x'; LARGE])));
        }
        tokio::task::yield_now().await;
    });
    drop(answered);
    drop(runtime);
}

/// Standard Webhooks, with a decoder that waits.
struct SlowToDecode(StandardWebhooks, Until);

impl Provider for SlowToDecode {
    type Event = Event;

    fn profile(&self) -> &Profile {
        self.0.profile()
    }

    fn scheme(&self) -> &dyn Scheme {
        self.0.scheme()
    }

    fn decode(&self, headers: &HeaderMap, plaintext: Bytes) -> Result<Events<Event>, Rejection> {
        self.1.wait(plaintext.len())?;
        self.0.decode(headers, plaintext)
    }
}

#[tokio::test]
async fn while_a_large_body_is_decoded_a_small_delivery_is_answered() {
    let (answered, until) = Until::new();
    let webhooks = || StandardWebhooks::new(secret("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD").unwrap()).unwrap();
    let receiver = Receiver::new("slow", SlowToDecode(webhooks(), until)).clock(now()).max_body(2 * LARGE);
    let service = receiver.dedupe(MemoryStore::new(10)).handle(async |_: Received<Event>| ());
    let send = |body: Vec<u8>| {
        let sealed = webhooks().seal(Message::new(body), &Sealing::new(now(), &counting)).unwrap();
        service.clone().oneshot(sealed.map(Full::new))
    };
    let large = tokio::spawn(send(vec![b'x'; LARGE]));
    // Its proof is another thread's work, for as long as that takes.
    tokio::time::sleep(Duration::from_millis(1)).await;
    assert_eq!(send(b"small".to_vec()).await.unwrap().status(), 200);
    assert!(!large.is_finished());
    answered.send(()).unwrap();
    assert_eq!(large.await.unwrap().unwrap().status(), 200);
}
