//! The inbox in Postgres against a real server. Leases go by times that tests pass, so nothing waits for them; what waits polls
//! with a deadline.

mod away;
mod clock;
mod contract;
mod damage;
mod full;
mod grouped;
mod in_transaction;
mod kept_apart;
mod opening;
mod plans;
mod receivers;
mod replaying;
mod sealed;
pub(crate) mod server;
mod sharing;
mod stalling;
mod strict;
mod suspects;
#[cfg(feature = "postgres-tls")]
mod tls;
mod version_1;
mod versions;
mod woken;

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use tower_webhook::clock::Timestamp;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::{InboxStore as _, LeaseToken, Leased, NewEvent, PostgresInbox};

use server::Server;

const LEASE: Duration = Duration::from_secs(30);

/// A name that no other test has.
pub(crate) fn schema() -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("test_{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

async fn opened(server: &Server, schema: &str) -> PostgresInbox {
    PostgresInbox::setup().schema(schema).pool(4).connect(&server.url()).await.unwrap()
}

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_900_000_000 + second).unwrap()
}

fn event(number: u64, lane: Option<&str>) -> NewEvent {
    let mut key = [0x5A; 32];
    key[..8].copy_from_slice(&number.to_be_bytes());
    let payload = format!("event {number}");
    let mut event =
        NewEvent::new(KeyHash::from_bytes(key), Fingerprint::of(payload.as_bytes()), payload, at(1_000_000));
    event.readable_key = format!("key-{number}");
    event.lane = lane.map(str::to_owned);
    event
}

async fn lease(inbox: &PostgresInbox, token: u8, most: usize, second: i64) -> Vec<Leased> {
    inbox.lease(LeaseToken([token; 16]), most, LEASE, at(second)).await.unwrap()
}
