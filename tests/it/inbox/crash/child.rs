//! The child: this test binary once more, as a receiver with an inbox and a worker.

use std::convert::Infallible;
use std::env;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use http::{Request, Response};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tower::util::BoxCloneSyncService;
use tower::{ServiceExt as _, service_fn};
use tower_webhook::Receiver;
use tower_webhook::delivery::Drain;
use tower_webhook::inbox::{Backoff, Handed, Running, Verdict, Worker};

use super::place::Place;
use super::scene::{HANGING, How, LATE};
use crate::crash::ledger::Ledger;
use crate::deliveries::aella;

/// The name of the test that is the child.
pub(super) const NAME: &str = "inbox::crash::child::receiver";
/// So often an event is tried.
pub(super) const ATTEMPTS: u32 = 3;
/// So many are in hand together with a poisonous one, that among them.
pub(super) const TOGETHER: usize = 10;

#[test]
#[ignore = "the other tests run it in a process of its own"]
fn receiver() {
    let Ok(listen) = env::var("LISTEN") else { return };
    std::thread::spawn(|| {
        // The process that holds our stdin is gone.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(listen.parse().unwrap()));
    std::process::exit(0);
}

async fn run(listen: SocketAddr) {
    let ledger = Arc::new(Ledger::at(env::var_os("LEDGER").unwrap()));
    let how = How::named(&env::var("HOW").unwrap());
    let (inbox, lease) = Place::told().await;
    let drain = Drain::new();
    let receiver = Receiver::new("crash", aella()).drain(&drain).inbox(&inbox);
    let receiver = service_fn(move |request: Request<Body>| {
        let receiver = receiver.clone();
        async move { receiver.oneshot(request).await.map(|response| response.map(Body::new)) }
    });
    let service = match how {
        How::AnsweringFirst => {
            let app = BoxCloneSyncService::new(receiver);
            BoxCloneSyncService::new(service_fn(move |request| answer_first(app.clone(), request)))
        }
        _ => BoxCloneSyncService::new(receiver),
    };
    let handler = move |handed| handle(Arc::clone(&ledger), handed, how);
    let backoff = Backoff::default().cap(Duration::from_millis(100)).attempts(ATTEMPTS.max(how.attempts()));
    let worker = Worker::new(inbox, handler).lease(lease).retry(backoff).start();

    let listener = TcpListener::bind(listen).await.unwrap();
    // Behind a line's end of its own: the harness of tests has begun one.
    println!("\n{{\"listening\":\"{}\"}}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    let app = Router::new().route_service("/hook", service);
    axum::serve(listener, app).with_graceful_shutdown(told_to_stop(drain.clone(), worker, how)).await.unwrap();
}

/// What has begun is stored, what is in hand is handled, and what comes new is asked to come again.
async fn told_to_stop(drain: Drain, worker: Running, how: How) {
    signal(SignalKind::terminate()).unwrap().recv().await;
    drain.begin();
    worker.stop_within(if how == How::Hanging { LATE } else { Duration::from_secs(5) }).await;
    let _ = drain.finish_within(Duration::from_secs(5)).await;
}

type App = BoxCloneSyncService<Request<Body>, Response<Body>, Infallible>;

/// Wrongly: nobody has stored it when it is answered.
async fn answer_first(app: App, request: Request<Body>) -> Result<Response<Body>, Infallible> {
    tokio::spawn(async move {
        tokio::time::sleep(LATE).await;
        app.oneshot(request).await
    });
    Ok(Response::new(Body::empty()))
}

/// How many are in hand beside the poisonous one.
static IN_HAND: AtomicUsize = AtomicUsize::new(0);

async fn all_in_hand() {
    while IN_HAND.load(Ordering::SeqCst) + 1 < TOGETHER {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

async fn handle(ledger: Arc<Ledger>, handed: Handed, how: How) -> Verdict {
    let (key, fence) = (handed.event.readable_key, handed.fence);
    ledger.call(&key, fence);
    match how {
        How::Hanging if fence <= HANGING => std::future::pending().await,
        How::DyingBefore if handed.attempt == 1 => std::process::abort(),
        How::Poisoned if key.ends_with("-0") => {
            if handed.attempt == 1 {
                all_in_hand().await;
            }
            std::process::abort()
        }
        // None has ended when the process dies for the first time.
        How::Poisoned if handed.attempt == 1 => {
            IN_HAND.fetch_add(1, Ordering::SeqCst);
            std::future::pending().await
        }
        How::Blindly | How::DyingBehindBlindly => ledger.effect(&key, fence),
        How::CompletingFirst => {
            tokio::spawn(async move {
                // When its process has long died.
                tokio::time::sleep(Duration::from_secs(3600)).await;
                ledger.effect_once(&key, fence);
            });
        }
        _ => ledger.effect_once(&key, fence),
    }
    match how {
        How::DyingBehind | How::DyingBehindBlindly if handed.attempt == 1 => std::process::abort(),
        _ => Verdict::Done,
    }
}
