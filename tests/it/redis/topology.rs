//! Sentinel and Cluster: the store follows a master that moves, and a slot that does.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tower_webhook::idempotency::redis::Severity;
use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, RedisStore, StoreErrorKind};

use super::server::{PATIENCE, Server};
use super::{FIRST, answer, claim, complete, is_away, key, key_text, token, waits};

/// Case 9, with the whole machinery: the sentinel promotes the replica, and the store asks it where to go.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_follows_the_master_that_a_sentinel_names() {
    let mut primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let sentinel = Server::sentinel_of("payments", &primary, &replica);
    let url = format!("redis-sentinel://127.0.0.1:{}/payments", sentinel.port());
    let waiting = RedisStore::at(&url)
        .deadline(Duration::from_secs(5))
        .wait(1, Duration::from_millis(1500))
        .connect()
        .await
        .unwrap();
    let store = RedisStore::connect(&url).await.unwrap();
    for number in 0..50 {
        assert_eq!(claim(&waiting, number, 1).await, FIRST);
    }
    assert!(waits(&claim(&store, 0, 2).await));

    primary.kill();
    let (start, mut away) = (Instant::now(), 0);
    while let Err(error) = claim(&store, 1_000, 1).await {
        assert!(is_away(&error), "{error}");
        assert!(start.elapsed() < PATIENCE, "the failover never ends");
        away += 1;
    }
    assert!(replica.says(&["ROLE"], "master"), "away {away} times");
    for number in 0..50 {
        assert!(waits(&claim(&store, number, 2).await), "claim {number} is lost");
        assert_eq!(complete(&store, number, 1).await, Ok(Held::Ok), "completion {number}");
    }
    assert_eq!(claim(&waiting, 51, 1).await, Err(StoreErrorKind::Unavailable.into()), "no replica is left to wait for");

    let stranger = format!("redis-sentinel://127.0.0.1:{}/other", sentinel.port());
    assert!(RedisStore::connect(&stranger).await.is_err(), "control: a name that the sentinel does not know");
}

/// Three masters that know each other.
pub(super) fn cluster() -> [Server; 3] {
    let nodes: [Server; 3] =
        std::array::from_fn(|_| Server::start(&["--cluster-enabled", "yes", "--appendonly", "yes"]));
    for (node, slots) in nodes.iter().zip([0..5461, 5461..10923, 10923..16384]) {
        node.take_slots(slots);
    }
    for node in &nodes[1..] {
        let meet = ["CLUSTER", "MEET", "127.0.0.1", &node.port().to_string()];
        assert_eq!(nodes[0].command(&meet), "OK");
    }
    for node in &nodes {
        node.until("the cluster is up", |node| {
            node.says(&["CLUSTER", "INFO"], "cluster_state:ok") && node.says(&["CLUSTER", "INFO"], "cluster_size:3")
        });
    }
    nodes
}

pub(super) fn cluster_url(nodes: &[Server; 3]) -> String {
    format!("redis-cluster://{}", nodes.each_ref().map(|node| format!("127.0.0.1:{}", node.port())).join(","))
}

/// Moves the key's slot to the next node: first new keys, then this one, then the slot's name. Whether it was there.
pub(super) fn move_slot(nodes: &[Server; 3], at: &str) -> bool {
    let slot = nodes[0].command(&["CLUSTER", "KEYSLOT", at]);
    let ids = nodes.each_ref().map(|node| node.command(&["CLUSTER", "MYID"]));
    let from = nodes.iter().position(|node| !node.command(&["GET", at]).starts_with("-MOVED")).unwrap();
    let to = (from + 1) % 3;
    // The load goes on beside, in each state of the move.
    let pause = || std::thread::sleep(Duration::from_millis(5));

    assert_eq!(nodes[to].command(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &ids[from]]), "OK");
    assert_eq!(nodes[from].command(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &ids[to]]), "OK");
    pause();
    let port = nodes[to].port().to_string();
    let moved = nodes[from].command(&["MIGRATE", "127.0.0.1", &port, at, "0", "5000"]);
    assert!(["OK", "NOKEY"].contains(&moved.as_str()), "{moved}");
    pause();
    for node in [to, from, 3 - to - from] {
        assert_eq!(nodes[node].command(&["CLUSTER", "SETSLOT", &slot, "NODE", &ids[to]]), "OK");
    }
    // A next move before all know of this one would leave two nodes that each name the other.
    let epoch = |node: &Server| {
        let known = node.command(&["CLUSTER", "NODES"]);
        let line = known.lines().find(|line| line.starts_with(&ids[to])).map(str::to_owned);
        line.and_then(|line| line.split(' ').nth(6).map(str::to_owned))
    };
    for node in nodes {
        node.until("all nodes know of the move", |node| epoch(node) == epoch(&nodes[to]));
    }
    moved == "OK"
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_store_follows_a_slot_that_moves_under_load() {
    let nodes = Arc::new(cluster());
    let store = RedisStore::connect(&cluster_url(&nodes)).await.unwrap();
    let keys = 0..24;
    for number in keys.clone() {
        assert_eq!(claim(&store, number, 1).await, FIRST, "claim {number}");
    }
    let held = nodes.each_ref().map(|node| node.command(&["DBSIZE"]));
    assert!(held.iter().all(|size| size != "0"), "every node has some: {held:?}");

    let one = RedisStore::at(&nodes[0].url()).deadline(Duration::from_millis(300)).connect().await.unwrap();
    let mut followed = Vec::new();
    for number in keys.clone() {
        followed.push(claim(&one, number, 1).await);
    }
    assert!(
        followed.contains(&Err(StoreErrorKind::Unavailable.into())),
        "control: who does not follow finds some keys only"
    );

    let moving = tokio::task::spawn_blocking({
        let nodes = Arc::clone(&nodes);
        move || (0..10).for_each(|number| assert!(move_slot(&nodes, &key_text("whd1:", &key(number))), "{number}"))
    });
    let mut rounds = 0;
    while !moving.is_finished() {
        let number = rounds % 12;
        assert_eq!(claim(&store, number, 1).await, FIRST, "{number}, the holder again");
        let another = claim(&store, number, 2).await;
        assert!(waits(&another), "{number}, another: {another:?}");
        assert_eq!(store.renew(&key(number), &token(1), super::LEASE).await, Ok(Held::Ok), "{number}");
        rounds += 1;
    }
    moving.await.unwrap();
    assert!(rounds >= 24, "only {rounds} rounds beside the moves");
    for number in keys {
        assert_eq!(complete(&store, number, 1).await, Ok(Held::Ok));
        assert_eq!(claim(&store, number, 2).await, Ok(Claim::Done { fence: 1, response: answer(number) }));
    }
    let report = store.probe().await.unwrap();
    assert_eq!(report.findings().len(), 16, "{report}");
    let worst = if nodes[0].finishes_when_full() { Severity::Fine } else { Severity::Warning };
    assert_eq!(report.worst(), worst, "{report}");
}

/// A master of the cluster dies: its keys are refused, the others' go on.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_master_refuses_its_own_keys() {
    let mut nodes = cluster();
    for node in &nodes {
        node.command(&["CONFIG", "SET", "cluster-require-full-coverage", "no"]);
    }
    let store = RedisStore::at(&cluster_url(&nodes)).deadline(Duration::from_secs(1)).connect().await.unwrap();
    for number in 0..12 {
        assert_eq!(claim(&store, number, 1).await, FIRST);
    }
    let on_last: Vec<bool> = (0..12)
        .map(|number| !nodes[2].command(&["GET", &key_text("whd1:", &key(number))]).starts_with("-MOVED"))
        .collect();
    nodes[2].kill();
    for (number, dead) in (0..12).zip(on_last.iter().copied()) {
        let again = claim(&store, number, 1).await;
        if dead {
            assert!(again.as_ref().is_err_and(is_away), "{number}: {again:?}");
        } else {
            assert_eq!(again, FIRST, "{number}");
        }
    }
    assert!(on_last.contains(&true) && on_last.contains(&false));
    nodes[2].restart();
    let start = Instant::now();
    loop {
        let mut known = true;
        for number in 0..12 {
            known &= claim(&store, number, 1).await == FIRST;
        }
        if known {
            return;
        }
        assert!(start.elapsed() < PATIENCE, "the node's keys never come back");
    }
}

#[test]
fn addresses_that_cannot_be_used_are_refused_without_their_secrets() {
    for (url, part) in [
        ("", "not a URL"),
        ("127.0.0.1:6379", "not a URL"),
        ("http://h:canary@a", "redis://"),
        ("redis-other://h:canary@a", "redis://"),
        ("redis://h:canary@a,b", "several hosts"),
        ("redis-sentinel://h:canary@a,b", "master's name"),
        ("redis://h:canary@a:port", "cannot be used"),
        ("redis-cluster://h:canary@a:port", "cannot be used"),
    ] {
        let error = RedisStore::at(url).build().unwrap_err();
        let said = format!("{error} {error:?}");
        assert!(error.to_string().contains(part), "{url}: {said}");
        assert!(!said.contains("canary"), "{url}: {said}");
    }
    let at = || RedisStore::at("redis://h:canary@a");
    for (case, setup) in [
        ("a brace", at().prefix("{x}")),
        ("a long prefix", at().prefix("x".repeat(65))),
        ("no deadline", at().deadline(Duration::ZERO)),
        ("no replica", at().wait(0, Duration::from_millis(100))),
        ("no time", at().wait(1, Duration::ZERO)),
        ("too much time", at().wait(1, Duration::from_secs(1))),
        ("no connection", at().connections(0)),
        ("a cluster", RedisStore::at("redis-cluster://a").wait(1, Duration::from_millis(100))),
    ] {
        assert!(setup.build().is_err(), "{case}");
    }
    for url in [
        "redis://a",
        "redis://u:p@[::1]:7/3",
        "redis-cluster://a,b:7,c",
        "redis-sentinel://u:p@a,[::1]/m/2",
        "valkey://a",
    ] {
        let store = RedisStore::at(url).build().unwrap();
        assert!(!format!("{store:?}").contains("p@"), "{url}");
    }
    assert!(!format!("{:?}", at()).contains("canary"));
}
