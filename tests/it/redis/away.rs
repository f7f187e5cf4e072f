//! Servers that answer, and say that they cannot: case 14.

use std::time::{Duration, Instant};

use tower_webhook::idempotency::{Held, RedisStore, StoreError, StoreErrorKind};

use super::server::{PATIENCE, Server};
use super::{FIRST, claim, complete, is_away, waits};

async fn impatient(server: &Server) -> RedisStore {
    RedisStore::at(&server.url()).deadline(Duration::from_millis(300)).connect().await.unwrap()
}

const UNAVAILABLE: StoreError = StoreError::new(StoreErrorKind::Unavailable);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_loads_its_data_grants_nothing_and_then_knows_what_it_granted() {
    let mut server = Server::start(&[]);
    let store = impatient(&server).await;
    for number in 0..500 {
        assert_eq!(claim(&store, number, 1).await, FIRST);
    }
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    assert_eq!(server.command(&["SAVE"]), "OK");
    // Before version 7 a server with so little data says nothing at all until it has loaded it.
    let says_so = server.finishes_when_full();
    let often: &[&str] = if says_so { &["--loading-process-events-interval-bytes", "1024"] } else { &[] };
    let is_right = |error| if says_so { error == UNAVAILABLE } else { is_away(&error) };
    server.kill();
    server.begin_restart(&[&["--key-load-delay", "4000"], often].concat());
    if says_so {
        server.until("it loads", |server| server.says(&["PING"], "LOADING"));
    }
    for number in [0, 1, 1_000] {
        let told = claim(&store, number, 2).await;
        assert!(told.clone().is_err_and(is_right), "claim {number}: {told:?}");
    }
    assert!(complete(&store, 1, 1).await.is_err_and(is_right));
    assert!(!says_so || server.says(&["PING"], "LOADING"), "it still loads: the refusals were for that");

    let end = Instant::now() + PATIENCE;
    while claim(&store, 1_001, 1).await.is_err() {
        assert!(Instant::now() < end, "it never ends to load");
    }
    assert!(waits(&claim(&store, 499, 2).await), "control: held before");
    assert_eq!(complete(&store, 1, 1).await, Ok(Held::Ok));
    let late = claim(&store, 1_000, 2).await;
    assert_eq!(late, FIRST, "never granted to another while it loaded");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_replica_that_lost_its_master_says_nothing_of_what_it_knew() {
    let mut master = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&master);
    replica.command(&["CONFIG", "SET", "replica-serve-stale-data", "no"]);
    let store = impatient(&master).await;
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    master.kill();
    replica.until("its master is down", |replica| replica.says(&["GET", "x"], "MASTERDOWN"));

    let store = impatient(&replica).await;
    for number in 0..2 {
        assert_eq!(claim(&store, number, 2).await, Err(UNAVAILABLE), "claim {number}");
        assert_eq!(complete(&store, number, 1).await, Err(UNAVAILABLE), "completion {number}");
    }
    replica.command(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(claim(&store, 1, 2).await, FIRST, "control: a master now");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_lacks_its_replicas_grants_nothing_and_still_knows_what_is_done() {
    let server = Server::start(&[]);
    let store = impatient(&server).await;
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    assert_eq!(claim(&store, 1, 1).await, FIRST);
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "1"]);

    assert_eq!(claim(&store, 2, 1).await, Err(UNAVAILABLE));
    // Before version 7 it is not refused what a script writes.
    let finished = if server.finishes_when_full() { Err(UNAVAILABLE) } else { Ok(Held::Ok) };
    assert_eq!(complete(&store, 1, 1).await, finished);
    assert!(claim(&store, 0, 2).await.is_ok_and(|claim| super::is_done(&claim)));
    assert_eq!(waits(&claim(&store, 1, 2).await), finished.is_err());
    server.command(&["CONFIG", "SET", "min-replicas-to-write", "0"]);
    assert_eq!(claim(&store, 2, 1).await, FIRST, "control");
}
