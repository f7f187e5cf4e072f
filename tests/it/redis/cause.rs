//! Why a store could not answer goes to the log, and no secret goes with it.

use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

use http::Response;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tower::ServiceExt as _;
use tower_webhook::idempotency::{DedupeStore, RedisStore, StoreError, StoreErrorKind, UnprotectedRuns};
use tower_webhook::provider::aella;
use tower_webhook::{Received, Receiver, Rejection};

use super::claim;
use super::server::Server;
use crate::deliveries::{TRANSFER, aella, now, read, sealed};
use crate::support::Log;

/// As the operating system says it.
const REFUSED: &str = "onnection refused";

/// Where nobody listens.
async fn away() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    format!("redis://hook:canary@{}", listener.local_addr().unwrap())
}

fn receiver() -> Receiver<aella::Aella> {
    Receiver::new("shop", aella()).clock(now())
}

/// The error, and what caused it, and so on.
fn chain(error: &(dyn Error + 'static)) -> Vec<String> {
    std::iter::successors(Some(error), |error| (*error).source()).map(ToString::to_string).collect()
}

fn rejection<B>(response: &Response<B>) -> Rejection {
    response.extensions().get::<Rejection>().unwrap().clone()
}

#[tokio::test]
async fn a_delivery_that_could_not_be_claimed_says_why_to_the_log_and_not_to_the_sender() {
    let log = Log::capture();
    // With the deadline that a store has by default: a receiver must not give up before its store has said why.
    let store = RedisStore::at(&away().await).build().unwrap();
    let service = receiver().dedupe(store).handle(|_: Received<aella::Event>| async {});
    let response = service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap();

    let rejection = rejection(&response);
    let chain = chain(&rejection);
    assert_eq!(chain[1], "the store cannot be reached", "{chain:?}");
    assert!(chain.len() == 3 && chain[2].contains(REFUSED), "{chain:?}");
    let error: &StoreError = rejection.source().unwrap().downcast_ref().unwrap();
    assert_eq!(error.kind(), StoreErrorKind::Unavailable);

    let text = log.text();
    let line = text.lines().find(|line| line.contains("store_unavailable")).expect("a line");
    assert!(line.contains("the store cannot be reached: ") && line.contains(REFUSED), "{line}");
    let answer = format!("{:?}", response.headers()) + &read(response).await.2;
    assert!(!answer.contains(REFUSED), "{answer}");
    assert!(!format!("{text} {rejection:?} {chain:?}").contains("canary"), "{text}");
}

#[tokio::test]
async fn an_event_that_runs_unprotected_says_why() {
    let log = Log::capture();
    let store = RedisStore::at(&away().await).deadline(Duration::from_millis(100)).build().unwrap();
    let runs = UnprotectedRuns::default();
    let receiver = receiver().settings(|settings| settings.dangerous_run_unprotected(&runs)).unwrap();
    let service = receiver.dedupe(store).handle(|_: Received<aella::Event>| async {});
    assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("without protection")).expect("a line");
    assert!(line.contains(REFUSED), "{line}");
}

#[tokio::test]
async fn an_event_whose_store_dies_before_it_is_marked_says_why() {
    let log = Log::capture();
    let server = Server::start(&[]);
    let store = RedisStore::at(&server.url()).deadline(Duration::from_millis(100)).connect().await.unwrap();
    let server = Arc::new(std::sync::Mutex::new(server));
    let with_times = |settings: tower_webhook::idempotency::Settings| {
        settings.lease(Duration::from_millis(300)).mark_within(Duration::from_secs(20))
    };
    let service = receiver().settings(with_times).unwrap().dedupe(store).handle(move |_: Received<aella::Event>| {
        server.lock().unwrap().kill();
        async {}
    });
    assert_eq!(service.oneshot(sealed(&aella(), TRANSFER)).await.unwrap().status(), 200);
    let text = log.text();
    let line = text.lines().find(|line| line.contains("completion unknown")).expect("a line");
    assert!(line.contains(REFUSED), "{line}");
}

/// Says to every command that it does not know it, and repeats what it was sent.
async fn parrot() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((mut peer, _)) = listener.accept().await {
            tokio::spawn(async move {
                let mut request = vec![0; 4096];
                while let Ok(length @ 1..) = peer.read(&mut request).await {
                    let text = String::from_utf8_lossy(&request[..length]);
                    for command in text.split('*').skip(1) {
                        let words: Vec<_> = command.split("\r\n").skip(2).step_by(2).collect();
                        let answer = format!(
                            "-ERR unknown command '{}', with args beginning with: '{}'\r\n",
                            words[0],
                            words[1..].join("' '")
                        );
                        peer.write_all(answer.as_bytes()).await.unwrap();
                    }
                }
            });
        }
    });
    format!("redis://hook:canary@{address}")
}

#[tokio::test]
async fn a_server_that_repeats_the_password_is_not_quoted() {
    let url = parrot().await;
    for (protocol, said) in [("resp3", "unknown command 'HELLO'"), ("resp2", "authentication failed")] {
        let url = format!("{url}?protocol={protocol}");
        let store = RedisStore::at(&url).deadline(Duration::from_millis(200)).build().unwrap();
        let error = claim(&store, 1, 1).await.unwrap_err();
        let setup = RedisStore::connect(&url).await.unwrap_err();
        let probed = store.probe().await.map_err(|error| format!("{error:#} {error:?}"));
        let all = format!("{error:#} {error:?} {:?} {setup} {setup:?} {probed:?}", chain(&error));
        assert!(all.contains(said), "{protocol}: {all}");
        assert!(!all.contains("canary"), "{protocol}: {all}");
    }
}

/// Every operation, for a store whose type does not matter.
#[tokio::test]
async fn each_operation_has_its_cause() {
    use super::{LEASE, RETENTION, answer, key, token};
    let store = RedisStore::at(&away().await).deadline(Duration::from_millis(50)).build().unwrap();
    for error in [
        claim(&store, 1, 1).await.unwrap_err(),
        store.renew(&key(1), &token(1), LEASE).await.unwrap_err(),
        store.complete(&key(1), &token(1), &answer(1), RETENTION).await.unwrap_err(),
        store.release(&key(1), &token(1), LEASE).await.unwrap_err(),
    ] {
        assert!(format!("{error:#}").contains(REFUSED), "{error:#}");
    }
}
