//! Connections that are cut at any byte: cases 15 and 16.

use std::time::Duration;

use tower_webhook::idempotency::{Claim, Held, RecordState, RedisStore, StoreErrorKind};

use super::proxy::{Plan, Proxy, Way};
use super::server::Server;
use super::{FIRST, answer, claim, complete, waits};

/// A key that is done, with an answer of its own.
const DONE: u32 = 900_001;

async fn through(proxy: &Proxy) -> RedisStore {
    RedisStore::at(&proxy.url()).deadline(Duration::from_secs(5)).connect().await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_whose_reply_is_lost_is_claimed_by_its_retry() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let store = through(&proxy).await;
    for number in 0..20 {
        proxy.plan(Plan::CutOnce(Way::Reply, 0));
        assert_eq!(claim(&store, number, 1).await, FIRST);
        assert!(proxy.is_done(), "no reply was lost");
        let another = claim(&store, number, 2).await;
        assert!(waits(&another), "control: a retry by another token, {another:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_claim_that_was_reported_as_failed_is_claimed_by_its_own_token_only() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let store = RedisStore::at(&proxy.url()).deadline(Duration::from_millis(200)).connect().await.unwrap();
    assert_eq!(claim(&store, 1, 1).await, FIRST, "and now the server knows the script");
    proxy.plan(Plan::CutAll(Way::Reply));
    let told = claim(&store, 0, 1).await;
    assert!(told.as_ref().is_err_and(super::is_away), "{told:?}");
    proxy.plan(Plan::Pass);
    let another = claim(&store, 0, 2).await;
    assert!(waits(&another), "control: it did happen, {another:?}");
    assert_eq!(claim(&store, 0, 1).await, FIRST);
    assert_eq!(complete(&store, 0, 1).await, Ok(Held::Ok));
}

/// Three calls at once, of which each must get its own answer, whatever becomes of the connection.
async fn three_at_once(store: &RedisStore, number: u32, case: &str) {
    let other_print = async {
        use tower_webhook::delivery::Fingerprint;
        use tower_webhook::idempotency::{DedupeStore as _, Terms};
        let terms = Terms::new(super::RETENTION);
        store.claim(&super::key(DONE), &super::token(3), &Fingerprint::of(b"other"), &terms).await
    };
    let (new, done, mismatch) = tokio::join!(claim(store, number, 1), claim(store, DONE, 2), other_print);
    assert_eq!(new, FIRST, "{case}: the new key");
    assert_eq!(done, Ok(Claim::Done { fence: 1, response: answer(DONE) }), "{case}: the done key");
    assert_eq!(mismatch, Ok(Claim::Mismatch { state: RecordState::Done }), "{case}: the other event");
    let another = claim(store, number, 2).await;
    assert!(waits(&another), "{case}: {another:?}");
    assert_eq!(complete(store, number, 1).await, Ok(Held::Ok), "{case}");
}

async fn cut_everywhere(server: &Server, way: Way, first: u32) -> usize {
    let proxy = Proxy::to(server.port()).await;
    let store = through(&proxy).await;
    proxy.plan(Plan::Pass);
    three_at_once(&store, first, "not cut").await;
    let (requests, replies) = proxy.counted();
    let bytes = if way == Way::Request { requests } else { replies };
    for (number, after) in (first + 1..).zip(0..bytes) {
        proxy.plan(Plan::CutOnce(way, after));
        three_at_once(&store, number, &format!("{way:?} cut after {after} bytes")).await;
        proxy.plan(Plan::Pass);
    }
    bytes
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_cut_at_any_byte_gives_each_caller_its_own_answer() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&store, DONE, 1).await, FIRST);
    assert_eq!(complete(&store, DONE, 1).await, Ok(Held::Ok));
    let (requests, replies) =
        tokio::join!(cut_everywhere(&server, Way::Request, 0), cut_everywhere(&server, Way::Reply, 100_000));
    assert!(requests > 500 && replies > 100, "{requests} bytes of requests, {replies} of replies");
}

/// A reply too many shifts every later one to the wrong caller, unless replies say what they answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_reply_too_many_reaches_no_caller() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let store = through(&proxy).await;
    assert_eq!(claim(&store, DONE, 1).await, FIRST);
    assert_eq!(complete(&store, DONE, 1).await, Ok(Held::Ok));
    let strays: [&'static [u8]; 7] = [
        b"+OK\r\n",
        b"$-1\r\n",
        b"+OK\r\n+OK\r\n",
        b"+OK\r\n$-1\r\n",
        b":1\r\n",
        b"*3\r\n$7\r\n1234567\r\n$1\r\nA\r\n:1\r\n",
        b"*2\r\n$7\r\n1234567\r\n$1\r\nH\r\n",
    ];
    for (number, stray) in (0..).zip(strays) {
        proxy.plan(Plan::SayFirst(stray));
        three_at_once(&store, 1_000 + number, &format!("after {stray:?}")).await;
        assert!(proxy.is_done(), "nothing was said");
        assert_eq!(claim(&store, number, 1).await, FIRST);
        proxy.plan(Plan::SayFirst(stray));
        let another = claim(&store, number, 2).await;
        assert!(waits(&another), "after {stray:?}: {another:?}");
        assert!(proxy.is_done(), "nothing was said");
    }

    let client = ::redis::Client::open(proxy.url()).unwrap();
    let mut plain = client.get_multiplexed_async_connection().await.unwrap();
    proxy.plan(Plan::SayFirst(b"$5\r\nstray\r\n"));
    let mut echoes = ::redis::pipe();
    echoes.cmd("ECHO").arg("first").cmd("ECHO").arg("second");
    let (first, second): (String, String) = echoes.query_async(&mut plain).await.unwrap();
    assert_eq!((first.as_str(), second.as_str()), ("stray", "first"), "control: a client that trusts order is shifted");
}

/// A caller that leaves takes its late answer with it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_late_answer_of_a_caller_that_left_reaches_no_other() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    assert_eq!(claim(&store, DONE, 1).await, FIRST);
    assert_eq!(complete(&store, DONE, 1).await, Ok(Held::Ok));
    for number in 0..200 {
        let left = tokio::time::timeout(Duration::from_micros(u64::from(number)), claim(&store, number, 1)).await;
        let done = claim(&store, DONE, 2).await;
        assert_eq!(done, Ok(Claim::Done { fence: 1, response: answer(DONE) }), "after {number} and {left:?}");
        assert_eq!(claim(&store, number, 1).await, FIRST, "{number}, again");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_was_there_is_unavailable() {
    let server = Server::start(&[]);
    let proxy = Proxy::to(server.port()).await;
    let url = proxy.url();
    drop((server, proxy));
    let store = RedisStore::at(&url).deadline(Duration::from_millis(200)).build().unwrap();
    assert_eq!(claim(&store, 0, 1).await, Err(StoreErrorKind::Unavailable.into()));
    assert!(RedisStore::at(&url).deadline(Duration::from_millis(200)).connect().await.is_err());
}
