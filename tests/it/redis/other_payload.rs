//! Another payload under a known key, through a receiver, and what two versions of this crate make of one another's records.

use ::redis::Value;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, RecordState, RedisStore, Terms};

use super::server::Server;
use super::{LEASE, RETENTION, answer, key, key_text, token};

#[tokio::test]
async fn through_a_receiver() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    crate::other_payload::a_failed_event_runs_with_another_payload(store).await;
}

fn event(name: &str) -> Fingerprint {
    Fingerprint::of(name.as_bytes())
}

/// A fingerprint as it stands in a record.
fn mark(key: &KeyHash, event: &Fingerprint) -> Vec<u8> {
    event.as_bytes().iter().zip(key.as_bytes()).map(|(byte, of_key)| byte ^ of_key).collect()
}

/// As the version before wrote them: the state, the holder, the event, and a fence of 7 without a zero before it.
fn record(state: char, key: &KeyHash, event: &Fingerprint, rest: &[u8]) -> Vec<u8> {
    [state.to_string().as_bytes(), token(1).as_bytes(), &mark(key, event), b"7;", rest].concat()
}

async fn claim(store: &RedisStore, number: u32, by: u8, event: &Fingerprint) -> Claim {
    store.claim(&key(number), &token(by), event, &Terms::new(RETENTION).lease(LEASE)).await.unwrap()
}

#[tokio::test]
async fn the_records_of_the_version_before_are_read() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (first, other) = (event("first"), event("other"));
    let acquired = |other_payload| Claim::Acquired { fence: 8, other_payload };
    let write = |number, state, rest: &[u8]| {
        let (at, record) = (key_text("whd1:", &key(number)), record(state, &key(number), &first, rest));
        server.command::<&[u8]>(&[b"SET", at.as_bytes(), &record, b"PX", b"3600000"]);
    };
    // All of its life is left, so a lease that ends then has ended, and one that ends with it runs.
    let (free, held) = (&b"36ee80"[..], &b"0"[..]);
    for (number, by) in [(0, &first), (1, &other)] {
        write(number, 'F', free);
        assert_eq!(claim(&store, number, 2, by).await, acquired(number == 1), "released");
        write(number + 2, 'P', free);
        assert_eq!(claim(&store, number + 2, 2, by).await, acquired(number == 1), "after its lease");
        write(number + 4, 'P', held);
        let waits = claim(&store, number + 4, 2, by).await;
        assert!(matches!(waits, Claim::InFlight { .. }), "held: {waits:?}");
        write(number + 6, 'X', b"");
        assert_eq!(claim(&store, number + 6, 2, by).await, Claim::Poison { attempts: 7 });
    }
    let done = [&[1, 0, 200, 0, 0], &answer(9).body()[..]].concat();
    write(9, 'D', &done);
    assert_eq!(claim(&store, 9, 2, &first).await, Claim::Done { fence: 7, response: answer(9) });
    assert_eq!(claim(&store, 9, 2, &other).await, Claim::Mismatch { state: RecordState::Done });
}

/// The claim of the version before.
const BEFORE: &str = include_str!("../../fixtures/redis/claim.lua");

/// What the version before is told of this key.
fn claim_before(server: &Server, number: u32, by: u8, event: &Fingerprint) -> Vec<Value> {
    let client = ::redis::Client::open(server.url()).unwrap();
    let mut script = ::redis::cmd("EVAL");
    script.arg(BEFORE).arg(1).arg(key_text("whd1:", &key(number))).arg("call");
    script.arg(token(by).as_bytes()).arg("").arg(mark(&key(number), event)).arg(60_000).arg(3_600_000).arg(0);
    script.query(&mut client.get_connection().unwrap()).unwrap()
}

fn says(letter: &str, more: Value) -> Vec<Value> {
    let text = |text: &str| Value::BulkString(text.as_bytes().to_vec());
    vec![text("call"), text(letter), more]
}

/// Two versions on one server, as while the one replaces the other.
#[tokio::test]
async fn the_version_before_reads_the_record_of_two_payloads() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let (first, other) = (event("first"), event("other"));
    assert_eq!(claim_before(&server, 1, 1, &first), says("A", Value::Int(1)));
    assert_eq!(store.release(&key(1), &token(1), std::time::Duration::ZERO).await, Ok(Held::Ok));
    assert_eq!(claim(&store, 1, 2, &other).await, Claim::Acquired { fence: 2, other_payload: true });
    assert_eq!(claim(&store, 1, 2, &other).await, Claim::Acquired { fence: 2, other_payload: true }, "repeated");

    let waits = claim_before(&server, 1, 3, &other);
    assert_eq!(waits[1], says("W", Value::Nil)[1], "{waits:?}");
    let refused = says("M", Value::BulkString(b"P".to_vec()));
    assert_eq!(claim_before(&server, 1, 3, &first), refused, "as it always did, and nothing is changed");
    assert_eq!(store.release(&key(1), &token(2), std::time::Duration::ZERO).await, Ok(Held::Ok));
    assert_eq!(claim_before(&server, 1, 3, &other), says("A", Value::Int(3)), "the fence goes on");
    assert_eq!(store.complete(&key(1), &token(3), &answer(1), RETENTION).await, Ok(Held::Ok));
    assert_eq!(claim(&store, 1, 4, &other).await, Claim::Done { fence: 3, response: answer(1) });
    assert_eq!(claim(&store, 1, 4, &first).await, Claim::Mismatch { state: RecordState::Done });
}
