//! The server dies, stops, forgets its scripts or its data, or becomes somebody's replica.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tower_webhook::delivery::Fingerprint;
use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, LostReason, RedisStore, StoreErrorKind, Terms, Token};

use super::server::Server;
use super::{FIRST, LEASE, answer, claim, complete, is_away, key, waits};

/// Case 7: which of the claims that were acknowledged before and while the server was killed are known after it.
async fn killed_while_claiming(options: &[&str]) -> (BTreeSet<u32>, BTreeSet<u32>) {
    let mut server = Server::start(options);
    let store = RedisStore::at(&server.url()).deadline(Duration::from_millis(300)).connect().await.unwrap();
    let (tell, mut known) = watch::channel(0);
    let claiming = async {
        let mut acknowledged = BTreeSet::new();
        for number in 0.. {
            match claim(&store, number, 1).await {
                FIRST => {
                    acknowledged.insert(number);
                    let _ = tell.send(acknowledged.len());
                }
                Err(error) => {
                    assert!(is_away(&error), "{error}");
                    return acknowledged;
                }
                Ok(other) => panic!("{other:?}"),
            }
        }
        unreachable!()
    };
    let (acknowledged, mut server) = tokio::join!(claiming, async {
        // Some while later, and however slow the machine is.
        tokio::time::sleep(Duration::from_millis(300)).await;
        known.wait_for(|claims| *claims > 100).await.unwrap();
        tokio::task::spawn_blocking(move || {
            server.kill();
            server
        })
        .await
        .unwrap()
    });
    for _ in 0..3 {
        let away = claim(&store, 1_000_000, 1).await.unwrap_err();
        assert_eq!(away, StoreErrorKind::Unavailable.into(), "the server is away");
    }
    server.restart();
    let back = Instant::now();
    while claim(&store, 2_000_000, 1).await.is_err() {}
    assert!(back.elapsed() < Duration::from_secs(2), "recovery takes {:?}", back.elapsed());

    let mut known = BTreeSet::new();
    for number in &acknowledged {
        if waits(&claim(&store, *number, 2).await) {
            known.insert(*number);
        }
    }
    (acknowledged, known)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_acknowledged_claim_is_lost_when_a_server_with_a_log_is_killed() {
    let (acknowledged, known) = killed_while_claiming(&["--appendonly", "yes", "--appendfsync", "always"]).await;
    assert!(acknowledged.len() > 100, "only {} claims", acknowledged.len());
    assert_eq!(acknowledged, known);
}

/// While a flush of each second is slow, as on a busy disk, later writes wait for it in the server's memory.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_log_that_is_flushed_each_second_loses_no_claim_but_the_last_ones() {
    let (acknowledged, known) = killed_while_claiming(&["--appendonly", "yes", "--appendfsync", "everysec"]).await;
    assert!(acknowledged.len() > 100, "only {} claims", acknowledged.len());
    let first: BTreeSet<_> = acknowledged.into_iter().take(known.len()).collect();
    assert!(known.len() > 1 && known == first, "{} known", known.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_a_server_without_a_log_forgets_every_claim() {
    let (acknowledged, known) = killed_while_claiming(&[]).await;
    assert!(acknowledged.len() > 100, "only {} claims", acknowledged.len());
    assert_eq!(known.len(), 0);
}

/// Case 8.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stopped_server_is_a_timeout_and_the_same_token_still_claims() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);

    server.freeze();
    let start = Instant::now();
    let during = claim(&store, 1, 1).await;
    let took = start.elapsed();
    assert_eq!(during, Err(StoreErrorKind::Timeout.into()));
    assert!((1900..2500).contains(&took.as_millis()), "the deadline of 2 s: {took:?}");
    server.thaw();

    assert_eq!(claim(&store, 1, 1).await, FIRST, "the same token, although late copies of its claim have run");
    let another = claim(&store, 1, 2).await;
    assert!(waits(&another), "control: another token is told to wait, {another:?}");
    assert_eq!(complete(&store, 1, 1).await, Ok(Held::Ok));
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
}

/// Case 11.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_scripts_is_told_them_again() {
    let mut server = Server::start(&["--appendonly", "yes"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for number in 0..50 {
        server.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(claim(&store, number, 1).await, FIRST, "claim {number}");
        server.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(store.renew(&key(number), &super::token(1), LEASE).await, Ok(Held::Ok), "renewal {number}");
        server.command(&["SCRIPT", "FLUSH"]);
        assert_eq!(complete(&store, number, 1).await, Ok(Held::Ok), "completion {number}");
    }
    server.kill();
    server.restart();
    assert_eq!(claim(&store, 50, 1).await, FIRST, "after a restart, which no caller sees");

    let hash = server.command(&["SCRIPT", "LOAD", "return 1"]);
    assert_eq!(server.command(&["EVALSHA", &hash, "0"]), "1");
    server.command(&["SCRIPT", "FLUSH"]);
    let without = server.command(&["EVALSHA", &hash, "0"]);
    assert!(without.starts_with("-NOSCRIPT"), "control: who sends the hash alone is told {without}");
}

/// Case 12.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_forgets_its_data_makes_a_held_claim_gone() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for number in 0..4 {
        assert_eq!(claim(&store, number, 1).await, FIRST);
    }
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok), "control: what is not forgotten is held");
    server.command(&["FLUSHALL"]);

    let gone = Ok(Held::Lost(LostReason::Gone));
    let token = super::token(1);
    assert_eq!(complete(&store, 1, 1).await, gone);
    assert_eq!(store.renew(&key(2), &token, LEASE).await, gone);
    assert_eq!(store.release(&key(3), &token, LEASE).await, gone);
    assert_eq!(claim(&store, 1, 2).await, FIRST, "and the fence begins again");
}

/// Case 14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_becomes_a_replica_grants_nothing() {
    let (server, other) = (Server::start(&[]), Server::start(&[]));
    let store = RedisStore::at(&server.url()).deadline(Duration::from_millis(400)).connect().await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);

    server.command(&["REPLICAOF", "127.0.0.1", &other.port().to_string()]);
    for number in 1..4 {
        let told = claim(&store, number, 1).await;
        assert_eq!(told, Err(StoreErrorKind::Unavailable.into()), "claim {number} of a replica");
    }
    server.command(&["REPLICAOF", "NO", "ONE"]);
    assert_eq!(claim(&store, 1, 1).await, FIRST, "control: of a master again");
}

/// Case 14.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cluster_that_is_down_grants_nothing() {
    let server = Server::start(&["--cluster-enabled", "yes"]);
    let store = RedisStore::at(&server.url()).deadline(Duration::from_millis(400)).connect().await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, Err(StoreErrorKind::Unavailable.into()));

    server.take_slots(0..16384);
    server.until("the cluster is up", |server| server.says(&["CLUSTER", "INFO"], "cluster_state:ok"));
    assert_eq!(claim(&store, 0, 1).await, FIRST, "control: of a cluster that is up");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_of_somebody_else_is_corrupt_and_stays() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    let at = super::key_text("whd1:", &key(0));
    let own = server.command(&["EVAL", "return redis.sha1hex(redis.call('GET', KEYS[1]))", "1", &at]);

    const HEAD: &str = "0123456789abcdef0123456789abcdef";
    let strangers =
        ["", "x", "P", &format!("P{HEAD}1"), &format!("Q{HEAD}1;1"), &format!("P{HEAD}1;x"), &format!("X{HEAD};")];
    for strange in strangers {
        server.command(&["SET", &at, strange]);
        assert_eq!(claim(&store, 0, 1).await, Err(StoreErrorKind::Corrupt.into()), "{strange:?}");
        assert_eq!(complete(&store, 0, 1).await, Err(StoreErrorKind::Corrupt.into()), "{strange:?}");
        assert_eq!(server.command(&["GET", &at]), strange);
    }
    server.command(&["DEL", &at]);
    server.command(&["LPUSH", &at, "x"]);
    assert_eq!(claim(&store, 0, 1).await, Err(StoreErrorKind::Corrupt.into()), "a list");
    server.command(&["DEL", &at]);
    assert!(matches!(claim(&store, 0, 1).await, Ok(Claim::Acquired { .. })), "control");
    assert_eq!(own.len(), 40);

    assert!(waits(&claim(&store, 0, 2).await), "control: held by another");
    server.command(&["PERSIST", &at]);
    assert_eq!(claim(&store, 0, 2).await, Err(StoreErrorKind::Corrupt.into()), "held without an end");
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok), "its holder may finish it");
}

/// Nor any of the letters that scripts and patterns give a meaning.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_zero_byte_ends_nothing() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for (number, byte) in [0, b';', b'%', b'\n', b'}', 0xFF].into_iter().enumerate() {
        let (at, event) = (key(u32::try_from(number).unwrap()), Fingerprint::of(&[byte]));
        let [first, second] = [[byte; 16], [b'2'; 16]].map(Token::from_bytes);
        let terms = Terms::new(LEASE).lease(Duration::ZERO);
        for fence in 1..4 {
            let claimed = store.claim(&at, &first, &event, &terms).await;
            assert_eq!(claimed, Ok(Claim::Acquired { fence, other_payload: false }), "{byte}");
            assert_eq!(store.release(&at, &first, Duration::ZERO).await, Ok(Held::Ok), "{byte}");
        }
        assert_eq!(
            store.claim(&at, &second, &event, &terms).await,
            Ok(Claim::Acquired { fence: 4, other_payload: false }),
            "{byte}"
        );
        assert_eq!(store.renew(&at, &second, LEASE).await, Ok(Held::Ok), "{byte}");
        assert_eq!(store.complete(&at, &second, &answer(0), LEASE).await, Ok(Held::Ok), "{byte}");
        let done = store.claim(&at, &first, &event, &terms).await;
        assert_eq!(done, Ok(Claim::Done { fence: 4, response: answer(0) }), "{byte}");
    }
}

/// ACL: a user with no more rights than the store needs, and one without.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_user_of_few_rights_is_enough_and_one_of_none_is_told() {
    let server = Server::start(&[]);
    let rights = ["+evalsha", "+eval", "+get", "+set", "+pttl", "~whd1:*"];
    server.command(&[&["ACL", "SETUSER", "hook", "on", ">pass:w@rd"][..], &rights].concat());
    server.command(&["ACL", "SETUSER", "none", "on", ">pass"]);
    let url = |user: &str| format!("redis://{user}@127.0.0.1:{}", server.port());

    let store = RedisStore::connect(&url("hook:pass%3Aw%40rd")).await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    assert_eq!(store.renew(&key(0), &super::token(1), LEASE).await, Ok(Held::Ok));
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));

    let refused = RedisStore::connect(&url("none:pass")).await.unwrap();
    let denied = claim(&refused, 0, 1).await.unwrap_err();
    assert!(matches!(denied.kind(), StoreErrorKind::Misconfigured(_)), "{denied}");
    let wrong = RedisStore::connect(&url("hook:canary")).await.unwrap_err();
    assert!(!format!("{wrong} {wrong:?}").contains("canary"), "{wrong}");
}
