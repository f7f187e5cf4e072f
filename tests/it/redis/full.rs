//! A full server: case 13.

use std::time::Duration;

use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, RedisStore, StoreErrorKind};

use super::server::Server;
use super::{FIRST, LEASE, answer, claim, complete, key, token, waits};

/// Before version 7 it finishes nothing either, and says so.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_server_takes_nothing_new_and_finishes_what_it_has() {
    let server = Server::start(&["--maxmemory-policy", "noeviction"]);
    let finishes = server.finishes_when_full();
    let finished = if finishes { Ok(Held::Ok) } else { Err(StoreErrorKind::Full.into()) };
    let store = RedisStore::connect(&server.url()).await.unwrap();
    for number in 0..4 {
        assert_eq!(claim(&store, number, 1).await, FIRST);
    }
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    server.command(&["CONFIG", "SET", "maxmemory", "1"]);
    server.command(&["SCRIPT", "FLUSH"]);

    for _ in 0..2 {
        assert_eq!(claim(&store, 9, 1).await, Err(StoreErrorKind::Full.into()), "a new key");
        assert_eq!(claim(&store, 0, 2).await, Ok(Claim::Done { fence: 1, response: answer(0) }), "a done key");
        assert!(waits(&claim(&store, 1, 2).await), "a held key");
        assert_eq!(store.renew(&key(1), &token(1), LEASE).await, finished, "a renewal");
    }
    assert_eq!(complete(&store, 2, 1).await, finished, "a completion");
    assert_eq!(store.release(&key(3), &token(1), Duration::ZERO).await, finished, "a release");
    let done = claim(&store, 2, 2).await;
    assert_eq!(
        done == Ok(Claim::Done { fence: 1, response: answer(2) }),
        finishes,
        "what was done meanwhile: {done:?}"
    );
    assert_eq!(waits(&done), !finishes, "and what was not: {done:?}");

    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    assert_eq!(claim(&store, 9, 1).await, FIRST, "control: with room again");
    if !finishes {
        assert_eq!(complete(&store, 2, 1).await, Ok(Held::Ok), "a completion with room again");
        assert_eq!(store.release(&key(3), &token(1), Duration::ZERO).await, Ok(Held::Ok), "a release with room again");
    }
    assert_eq!(claim(&store, 3, 2).await, Ok(Claim::Acquired { fence: 2, other_payload: false }));
}

/// What the page on sizes says. How much of it is the allocator's depends on the machine.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_takes_no_more_than_is_said() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    let usage = || {
        let at = super::key_text("whd1:", &key(0));
        server.command(&["MEMORY", "USAGE", &at]).parse::<u32>().unwrap()
    };
    let held = usage();
    assert!((100..=180).contains(&held), "held: {held}");
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
    let done = usage();
    assert!((100..=180).contains(&done), "done: {done}");
}

/// How many of as many claims as that a server of 2 MB knows afterwards, and how many it refused.
async fn crowded(policy: &str, claims: u32) -> (u32, u32) {
    let server = Server::start(&["--maxmemory", "2mb", "--maxmemory-policy", policy]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (mut forgotten, mut refused) = (0, 0);
    let mut acknowledged = Vec::new();
    for number in 0..claims {
        match claim(&store, number, 1).await {
            FIRST => acknowledged.push(number),
            Err(error) if error.kind() == StoreErrorKind::Full => refused += 1,
            other => panic!("claim {number}: {other:?}"),
        }
    }
    server.command(&["CONFIG", "SET", "maxmemory", "0"]);
    for number in acknowledged {
        forgotten += u32::from(!waits(&claim(&store, number, 2).await));
    }
    (forgotten, refused)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_server_that_evicts_nothing_forgets_nothing() {
    let claims = 8_000;
    let (strict, evicting) = tokio::join!(crowded("noeviction", claims), crowded("volatile-ttl", claims));
    assert!(strict.0 == 0 && strict.1 > 0, "noeviction: (forgotten, refused) {strict:?}");
    assert!(evicting.0 > 0 && evicting.1 == 0, "control, volatile-ttl: {evicting:?}");
}
