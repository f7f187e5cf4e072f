//! Recorded histories of a real server under faults: each can have happened, and each control's cannot.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::thread::sleep as stay;
use std::time::{Duration, Instant};

use tower_webhook::idempotency::redis::RedisSetup;
use tower_webhook::idempotency::{DedupeStore, RedisStore};

use super::key_text;
use super::proxy::{Plan, Proxy, Way};
use super::server::{PATIENCE, Server};
use super::storm::{DEADLINE, Flaw, Flawed, Storm, of, raise};
use super::topology::{cluster, cluster_url, move_slot};
use crate::laws::stand::key;
use crate::laws::worker::Dice;

/// A receiver for each of the addresses.
fn stores<'a>(urls: impl IntoIterator<Item = &'a str>, setup: fn(RedisSetup) -> RedisSetup) -> Vec<RedisStore> {
    urls.into_iter().map(|url| setup(RedisStore::at(url).deadline(DEADLINE)).build().unwrap()).collect()
}

fn receivers(url: &str) -> Vec<RedisStore> {
    stores([url; 3], |setup| setup)
}

fn millis(dice: &mut Dice, from: u64, to: u64) -> Duration {
    Duration::from_millis(from + dice.below(to - from))
}

/// Lets so many deliveries begin.
fn calm(deliveries: &AtomicU64, many: u64) {
    let (end, patience) = (deliveries.load(Ordering::Relaxed) + many, Instant::now() + PATIENCE);
    while deliveries.load(Ordering::Relaxed) < end {
        assert!(Instant::now() < patience, "the receivers have stopped");
        stay(Duration::from_millis(1));
    }
}

/// A proxy for each receiver; for a time, their connections are cut at any byte, and now and then none gets through.
async fn cut<S: DedupeStore>(receiver: impl Fn(RedisStore) -> S) -> Storm<usize> {
    let server = Server::start(&[]);
    let proxies = [Proxy::to(server.port()).await, Proxy::to(server.port()).await];
    let urls = proxies.each_ref().map(Proxy::url);
    let stores = stores(urls.iter().map(String::as_str), |setup| setup);
    let proxies = Arc::new(proxies);
    let of_harm = Arc::clone(&proxies);
    let harm = move |mut dice: Dice, _: &AtomicU64| {
        let (patience, mut cuts, mut all) = (Instant::now() + PATIENCE, 0, 0);
        while cuts < 80 && Instant::now() < patience {
            let proxy = &of_harm[usize::from(dice.below(2) == 0)];
            let way = if dice.below(2) == 0 { Way::Request } else { Way::Reply };
            if all < cuts / 10 {
                all += 1;
                proxy.plan(Plan::CutAll(way));
                stay(2 * DEADLINE);
            } else {
                proxy.plan(Plan::CutOnce(way, usize::try_from(dice.below(300)).unwrap()));
                let patience = Instant::now() + Duration::from_millis(20);
                while !proxy.is_done() && Instant::now() < patience {
                    stay(Duration::from_millis(1));
                }
                cuts += usize::from(proxy.is_done());
            }
            proxy.plan(Plan::Pass);
        }
        cuts
    };
    raise(stores.into_iter().map(receiver).collect(), harm).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn connections_that_are_cut_at_any_byte_again_and_again() {
    let storm = cut(|store| store).await;
    assert_eq!(storm.harm, 80, "cuts");
    storm.can_have_happened(&[("unknown", 10), ("taken", 1)]);
}

/// A server that is killed and started again, five times.
async fn killed(options: &[&str]) -> Storm<Server> {
    let mut server = Server::start(options);
    let receivers = receivers(&server.url());
    let harm = move |mut dice: Dice, deliveries: &AtomicU64| {
        for _ in 0..5 {
            calm(deliveries, 40 + dice.below(160));
            server.kill();
            stay(millis(&mut dice, 50, 300));
            server.restart();
        }
        server
    };
    raise(receivers, harm).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_with_a_log_that_is_killed_again_and_again() {
    killed(&["--appendonly", "yes", "--appendfsync", "always"])
        .await
        .can_have_happened(&[("unknown", 10), ("taken", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_server_without_a_log_that_is_killed() {
    killed(&[]).await.cannot_have_happened();
}

/// A server that stops for longer than the deadline, four times.
async fn frozen<S: DedupeStore>(receiver: impl Fn(RedisStore) -> S) -> Storm<Server> {
    let server = Server::start(&[]);
    let receivers = receivers(&server.url()).into_iter().map(receiver).collect();
    let harm = move |mut dice: Dice, deliveries: &AtomicU64| {
        for _ in 0..4 {
            calm(deliveries, 100 + dice.below(100));
            server.freeze();
            stay(millis(&mut dice, 300, 700));
            server.thaw();
        }
        server
    };
    raise(receivers, harm).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_stops_again_and_again_and_runs_late_what_it_was_sent() {
    frozen(|store| store).await.can_have_happened(&[("unknown", 10), ("taken", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_scripts_and_its_clients_again_and_again() {
    let server = Server::start(&[]);
    let receivers = receivers(&server.url());
    let harm = move |mut dice: Dice, _: &AtomicU64| {
        let mut clients = 0;
        for _ in 0..150 {
            assert_eq!(server.command(&["SCRIPT", "FLUSH"]), "OK");
            stay(millis(&mut dice, 0, 10));
            clients += server.command(&["CLIENT", "KILL", "TYPE", "normal"]).parse::<u32>().unwrap();
            stay(millis(&mut dice, 0, 10));
        }
        (server, clients)
    };
    let storm = raise(receivers, harm).await;
    assert!(storm.harm.1 > 100, "only {} connections killed", storm.harm.1);
    storm.can_have_happened(&[("taken", 1)]);
}

/// With time enough for a replica.
fn waiting(setup: RedisSetup) -> RedisSetup {
    setup.deadline(2 * DEADLINE).wait(1, DEADLINE / 2)
}

/// The sentinel promotes the replica, and then gets another.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_after_its_replica_was_waited_for() {
    let mut primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let replica = Server::replica_of(&primary);
    let sentinel = Server::sentinel_of("payments", &primary, &replica);
    let url = format!("redis-sentinel://127.0.0.1:{}/payments", sentinel.port());
    let receivers = stores([url.as_str(); 3], waiting);
    let harm = move |_: Dice, deliveries: &AtomicU64| {
        calm(deliveries, 200);
        primary.kill();
        replica.until("the replica is promoted", |replica| replica.says(&["ROLE"], "master"));
        let next = Server::replica_of(&replica);
        calm(deliveries, 200);
        [replica, next, sentinel]
    };
    let storm = raise(receivers, harm).await;
    storm.can_have_happened(&[("unknown", 10)]);
}

/// A replica that heard nothing for a while takes over.
async fn failed_over(setup: fn(RedisSetup) -> RedisSetup) -> Storm<[Server; 2]> {
    let mut primary = Server::start(&["--repl-diskless-sync-delay", "0"]);
    let (door, link) = (Proxy::to(primary.port()).await, Proxy::to(primary.port()).await);
    let replica = Server::replica_through(link.port(), &primary);
    let url = door.url();
    let receivers = stores([url.as_str(); 3], setup);
    let harm = move |_: Dice, deliveries: &AtomicU64| {
        calm(deliveries, 200);
        link.plan(Plan::CutAll(Way::Reply));
        stay(Duration::from_millis(300));
        primary.kill();
        replica.command(&["REPLICAOF", "NO", "ONE"]);
        let next = Server::replica_of(&replica);
        door.lead_to(replica.port());
        calm(deliveries, 200);
        ([replica, next], door)
    };
    let storm = raise(receivers, harm).await;
    Storm { history: storm.history, harm: storm.harm.0 }
}

/// What was told is kept, be it written for that answer or found.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_master_that_dies_when_its_replica_is_behind() {
    let storm = failed_over(waiting).await;
    storm.can_have_happened(&[("unknown", 10)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_master_that_dies_when_nobody_waited_for_its_replica() {
    let storm = failed_over(|setup| setup).await;
    storm.cannot_have_happened();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn slots_that_move_away_from_under_their_keys() {
    let nodes = cluster();
    let url = cluster_url(&nodes);
    let receivers = stores([url.as_str(); 2], |setup| setup.deadline(Duration::from_secs(1)));
    let harm = move |mut dice: Dice, deliveries: &AtomicU64| {
        let mut moved = 0;
        for _ in 0..20 {
            let key = key(of(deliveries.load(Ordering::Relaxed)));
            moved += u32::from(move_slot(&nodes, &key_text("whd1:", &key)));
            stay(millis(&mut dice, 0, 50));
        }
        (nodes, moved)
    };
    let storm = raise(receivers, harm).await;
    assert!(storm.harm.1 >= 10, "only {} keys moved", storm.harm.1);
    storm.can_have_happened(&[("taken", 1)]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_receiver_that_makes_a_lost_claim_again_with_another_token() {
    let times = Arc::new(AtomicU32::new(0));
    let storm = cut(|store| Flawed { store, flaw: Flaw::NewToken, times: Arc::clone(&times) }).await;
    assert!(times.load(Ordering::Relaxed) > 10, "{times:?} lost claims");
    storm.cannot_have_happened();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_receiver_that_takes_silence_for_a_claim() {
    let times = Arc::new(AtomicU32::new(0));
    let storm = frozen(|store| Flawed { store, flaw: Flaw::SilenceIsYes, times: Arc::clone(&times) }).await;
    assert!(times.load(Ordering::Relaxed) > 10, "{times:?} lost claims");
    storm.cannot_have_happened();
}
