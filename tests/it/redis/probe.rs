//! What the start probe says of real servers.

use std::time::Duration;

use tower_webhook::idempotency::redis::{Severity, Topic};
use tower_webhook::idempotency::{RedisStore, StoreErrorKind};

use super::server::Server;

/// What is not fine.
async fn faults(store: &RedisStore) -> Vec<(Topic, Severity)> {
    let report = store.probe().await.unwrap();
    assert_eq!(report.findings().len(), 6, "{report}");
    let bad = report.findings().iter().filter(|finding| finding.severity > Severity::Fine);
    bad.map(|finding| (finding.topic, finding.severity)).collect()
}

/// These, and that the version is old where it is.
fn aged(server: &Server, faults: &[(Topic, Severity)]) -> Vec<(Topic, Severity)> {
    let age = (!server.finishes_when_full()).then_some((Topic::Server, Severity::Warning));
    age.into_iter().chain(faults.iter().copied()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_good_server_passes_strictly() {
    let server = Server::start(&["--appendonly", "yes", "--maxmemory", "100mb", "--maxmemory-policy", "noeviction"]);
    let report = RedisStore::connect(&server.url()).await.unwrap().probe().await.unwrap();
    let (printed, is_old) = (report.to_string(), !server.finishes_when_full());
    let fine = printed.lines().filter(|line| line.starts_with("fine ")).count();
    assert_eq!((fine, report.strict().is_err()), (6 - usize::from(is_old), is_old), "{printed}");
    assert_eq!(server.command(&["DBSIZE"]), "1", "the key of the probe");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_evicts_is_refused_and_one_without_a_log_is_warned_of() {
    let server = Server::start(&["--appendonly", "yes", "--maxmemory", "100mb"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for policy in ["volatile-ttl", "volatile-lru", "allkeys-lru"] {
        server.command(&["CONFIG", "SET", "maxmemory-policy", policy]);
        assert_eq!(faults(&store).await, aged(&server, &[(Topic::Eviction, Severity::Refusal)]), "{policy}");
        let refused = store.probe().await.unwrap().lenient().unwrap_err();
        assert!(refused.to_string().contains(policy), "{refused}");
    }
    server.command(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    server.command(&["CONFIG", "SET", "appendonly", "no"]);
    assert_eq!(faults(&store).await, aged(&server, &[(Topic::Log, Severity::Warning)]));
    assert!(store.probe().await.unwrap().lenient().is_ok());
    assert!(store.probe().await.unwrap().strict().is_err());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn replicas_are_held_against_how_many_are_waited_for() {
    let primary = Server::start(&["--appendonly", "yes", "--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let waiting = |replicas| {
        RedisStore::at(&primary.url())
            .deadline(Duration::from_secs(5))
            .wait(replicas, Duration::from_millis(1500))
            .build()
            .unwrap()
    };
    assert_eq!(faults(&waiting(1)).await, aged(&primary, &[]));
    let too_many = [(Topic::Replicas, Severity::Refusal), (Topic::Claim, Severity::Refusal)];
    assert_eq!(faults(&waiting(2)).await, aged(&primary, &too_many));
    let unaware = RedisStore::connect(&primary.url()).await.unwrap();
    assert_eq!(faults(&unaware).await, aged(&primary, &[(Topic::Replicas, Severity::Warning)]));

    let at_replica = RedisStore::connect(&replica.url()).await.unwrap();
    let found = faults(&at_replica).await;
    for fault in [(Topic::Role, Severity::Refusal), (Topic::Claim, Severity::Refusal)] {
        assert!(found.contains(&fault), "{found:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_node_of_a_cluster_a_full_server_and_no_server_are_told() {
    let server = Server::start(&["--cluster-enabled", "yes", "--appendonly", "yes"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert!(faults(&store).await.contains(&(Topic::Server, Severity::Refusal)));

    let mut server = Server::start(&["--appendonly", "yes"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    assert_eq!(faults(&store).await, aged(&server, &[(Topic::Claim, Severity::Refusal)]));
    server.kill();
    assert_eq!(store.probe().await.unwrap_err(), StoreErrorKind::Unavailable.into());
}
