//! The child: this test binary once more, as a receiver that its environment describes.

use std::env;
use std::io::{Read as _, Write as _};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tower_webhook::idempotency::DedupeStore;
use tower_webhook::provider::aella;
use tower_webhook::{MemoryStore, Outcome, Received, Receiver};

use super::ledger::Ledger;
use super::scene::{How, LATE, LEASE};
use crate::deliveries::aella;

/// The name of the test that is the child.
pub(super) const NAME: &str = "crash::child::receiver";

#[test]
#[ignore = "the other tests run it in a process of its own"]
fn receiver() {
    let Ok(listen) = env::var("LISTEN") else { return };
    end_with_stdin();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(run(listen.parse().unwrap()));
}

/// The process that holds our stdin is gone.
fn end_with_stdin() {
    std::thread::spawn(|| {
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        std::process::exit(0);
    });
}

async fn run(listen: SocketAddr) {
    let ledger = Arc::new(Ledger::at(env::var_os("LEDGER").unwrap()));
    let how = How::named(&env::var("HOW").unwrap());
    let url = env::var("REDIS").ok();
    match url {
        None => serve(listen, MemoryStore::new(1000), ledger, how).await,
        #[cfg(feature = "redis")]
        Some(url) => {
            let store = tower_webhook::idempotency::RedisStore::connect(&url).await.unwrap();
            serve(listen, store, ledger, how).await;
        }
        #[cfg(not(feature = "redis"))]
        Some(url) => panic!("{url}: built without redis"),
    }
}

async fn serve(listen: SocketAddr, store: impl DedupeStore, ledger: Arc<Ledger>, how: How) {
    let service = Receiver::new("crash", aella())
        .settings(|settings| settings.lease(LEASE).in_flight_wait(Duration::from_millis(50)))
        .unwrap()
        .dedupe(store)
        .handle_with(ledger, move |ledger, event| handle(ledger, event, how));
    let listener = TcpListener::bind(listen).await.unwrap();
    // Behind a line's end of its own: the harness of tests has begun one.
    println!("\n{{\"listening\":\"{}\"}}", listener.local_addr().unwrap());
    std::io::stdout().flush().unwrap();
    axum::serve(listener, Router::new().route_service("/hook", service)).await.unwrap();
}

async fn handle(ledger: Arc<Ledger>, event: Received<aella::Event>, how: How) -> Outcome {
    let (key, fence) = (event.delivery().key().to_string(), event.fence().unwrap().get());
    ledger.call(&key, fence);
    match how {
        How::ByKey => ledger.effect_once(&key, fence),
        How::Blindly => ledger.effect(&key, fence),
        How::DyingAtFirst if fence == 1 => std::process::abort(),
        How::DyingAtFirst => ledger.effect_once(&key, fence),
        How::Later => {
            tokio::spawn(async move {
                tokio::time::sleep(LATE).await;
                ledger.effect(&key, fence);
            });
        }
    }
    Outcome::Done
}
