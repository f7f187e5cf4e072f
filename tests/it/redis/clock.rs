//! Time is the server's: case 21. A server's clock cannot be set in a test, so the key is moved against it instead,
//! which is the same to scripts that know the time only by what a key has left.

use std::time::Duration;

use tower_webhook::delivery::Fingerprint;
use tower_webhook::idempotency::{Claim, DedupeStore as _, Held, LostReason, RecordState, RedisStore, Terms};

use super::server::Server;
use super::{FIRST, LEASE, claim, complete, key, key_text, token, waits};

const HOURS: i64 = 60 * 60 * 1000;

/// Moves a key against the clock, as if that had leapt by so many milliseconds.
fn leap(server: &Server, number: u32, by: i64) {
    let at = key_text("whd1:", &key(number));
    let left: i64 = server.command(&["PTTL", &at]).parse().unwrap();
    assert_eq!(server.command(&["PEXPIRE", &at, &(left - by).to_string()]), "1");
}

async fn long_claim(store: &RedisStore, number: u32, by: u8) -> Claim {
    let fingerprint = Fingerprint::of(&number.to_be_bytes());
    let terms = Terms::new(Duration::from_secs(35 * 24 * 3600)).lease(LEASE);
    store.claim(&key(number), &token(by), &fingerprint, &terms).await.unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_leap_of_the_servers_clock_ends_a_lease_but_never_mixes_two_claims() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();

    assert_eq!(long_claim(&store, 0, 1).await, Claim::Acquired { fence: 1, other_payload: false });
    leap(&server, 0, 2 * HOURS);
    assert_eq!(
        long_claim(&store, 0, 2).await,
        Claim::Acquired { fence: 2, other_payload: false },
        "two hours later the lease has ended"
    );
    assert_eq!(
        complete(&store, 0, 1).await,
        Ok(Held::Lost(LostReason::Taken(RecordState::Pending))),
        "the first is told"
    );
    assert_eq!(complete(&store, 0, 2).await, Ok(Held::Ok));
    assert!(matches!(long_claim(&store, 0, 3).await, Claim::Done { fence: 2, .. }));

    assert_eq!(long_claim(&store, 1, 1).await, Claim::Acquired { fence: 1, other_payload: false });
    leap(&server, 1, -2 * HOURS);
    assert!(waits(&claim(&store, 1, 2).await), "two hours back: the lease is longer, and never granted twice");
    assert_eq!(complete(&store, 1, 1).await, Ok(Held::Ok));

    assert_eq!(long_claim(&store, 2, 1).await, Claim::Acquired { fence: 1, other_payload: false });
    leap(&server, 2, 36 * 24 * HOURS);
    assert_eq!(
        long_claim(&store, 2, 2).await,
        Claim::Acquired { fence: 1, other_payload: false },
        "36 days later it runs by contract"
    );
}

/// A record's ends are times, not spans that would begin again when the server does.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_restart_moves_no_end() {
    const END: &str = "local time = redis.call('TIME')
        return string.format('%.0f', time[1] * 1000 + math.floor(time[2] / 1000) + redis.call('PTTL', KEYS[1]))";
    let mut server = Server::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let end = |server: &Server, number| {
        server.command(&["EVAL", END, "1", &key_text("whd1:", &key(number))]).parse::<i64>().unwrap()
    };
    for number in 0..4 {
        assert_eq!(claim(&store, number, 1).await, FIRST);
    }
    let token = token(1);
    assert_eq!(complete(&store, 1, 1).await, Ok(Held::Ok));
    assert_eq!(store.renew(&key(2), &token, 2 * super::RETENTION).await, Ok(Held::Ok));
    assert_eq!(store.release(&key(3), &token, LEASE).await, Ok(Held::Ok));
    let ends = [0, 1, 2, 3].map(|number| end(&server, number));
    let left = retry_in(&store, 0).await;

    server.kill();
    std::thread::sleep(Duration::from_millis(300));
    server.restart();
    for (number, before) in (0..).zip(ends) {
        let moved = end(&server, number) - before;
        assert!(moved.abs() <= 2, "{number}: its end moved by {moved} ms");
    }
    let passed = left.checked_sub(retry_in(&store, 0).await);
    assert!(passed.is_some_and(|passed| passed.as_millis() >= 300), "of the lease, only {passed:?} passed");
}

/// How long another must wait for a key.
async fn retry_in(store: &RedisStore, number: u32) -> Duration {
    match claim(store, number, 2).await {
        Ok(Claim::InFlight { retry_in }) => retry_in,
        other => panic!("{other:?}"),
    }
}

/// The page's own scripts did not: a record ends no earlier than its lease or delay, though its retention is shorter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_outlives_its_renewed_lease_and_its_delay() {
    let server = Server::start(&[]);
    let store = RedisStore::connect(&server.url()).await.unwrap();
    let short = Terms::new(Duration::from_millis(50)).lease(Duration::from_millis(50));
    let left = |number| server.command(&["PTTL", &key_text("whd1:", &key(number))]).parse::<i64>().unwrap();
    for number in 0..2 {
        let fingerprint = Fingerprint::of(&u32::to_be_bytes(number));
        let mut held = Ok(Held::Lost(LostReason::Gone));
        // The key may end before it is renewed, when the machine is slow.
        while held != Ok(Held::Ok) {
            store.claim(&key(number), &token(1), &fingerprint, &short).await.unwrap();
            held = match number {
                0 => store.renew(&key(number), &token(1), LEASE).await,
                _ => store.release(&key(number), &token(1), LEASE).await,
            };
        }
        assert!((59_000..=60_000).contains(&left(number)), "{number}: {}", left(number));
        let told = claim(&store, number, 2).await;
        let fits = if number == 0 { waits(&told) } else { matches!(told, Ok(Claim::Resting { .. })) };
        assert!(fits, "{number}: {told:?}");
    }
    assert_eq!(claim(&store, 2, 1).await, FIRST);
    assert_eq!(store.renew(&key(2), &token(1), Duration::from_millis(1)).await, Ok(Held::Ok));
    assert!(left(2) > 3_500_000, "control: a longer retention is not cut short, {}", left(2));
}
