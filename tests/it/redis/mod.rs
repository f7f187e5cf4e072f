//! The Redis store against real servers. They count time by themselves, so these tests run in real time: they poll with a
//! deadline, and sleep only where a lease or a retention must really pass, or a server must really be away.

mod away;
mod broken;
mod cause;
mod clock;
mod contract;
mod crash;
mod enroll;
mod failover;
mod faults;
#[cfg(feature = "cli")]
mod fleet;
mod full;
mod histories;
mod laws;
mod other_payload;
mod probe;
mod proxy;
#[cfg(feature = "cli")]
mod ready;
mod server;
mod silent;
#[cfg(feature = "cli")]
mod sleeper;
mod storm;
#[cfg(feature = "redis-tls")]
mod tls;
mod topology;

use std::any::Any;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use bytes::Bytes;
use http::StatusCode;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::idempotency::{
    Claim, DedupeStore as _, Held, RedisStore, StoreError, StoreErrorKind, StoredResponse, Terms, Token,
};

const LEASE: Duration = Duration::from_secs(60);
const RETENTION: Duration = Duration::from_secs(3600);

/// Where a store with this prefix keeps this key.
fn key_text(prefix: &str, key: &KeyHash) -> String {
    format!("{prefix}{{{}}}", URL_SAFE_NO_PAD.encode(key.as_bytes()))
}

/// What a panic said.
fn text(panic: &(dyn Any + Send)) -> &str {
    panic.downcast_ref::<String>().map_or_else(|| panic.downcast_ref::<&str>().unwrap_or(&""), String::as_str)
}

fn key(number: u32) -> KeyHash {
    let mut bytes = [0x5A; 32];
    bytes[..4].copy_from_slice(&number.to_be_bytes());
    KeyHash::from_bytes(bytes)
}

fn token(number: u8) -> Token {
    Token::from_bytes([number; 16])
}

fn answer(number: u32) -> StoredResponse {
    StoredResponse::new(StatusCode::OK, None, Bytes::from(format!("answer {number}")))
}

async fn claim(store: &RedisStore, number: u32, by: u8) -> Result<Claim, StoreError> {
    let fingerprint = Fingerprint::of(&number.to_be_bytes());
    store.claim(&key(number), &token(by), &fingerprint, &Terms::new(RETENTION).lease(LEASE)).await
}

async fn complete(store: &RedisStore, number: u32, by: u8) -> Result<Held, StoreError> {
    store.complete(&key(number), &token(by), &answer(number), RETENTION).await
}

const FIRST: Result<Claim, StoreError> = Ok(Claim::Acquired { fence: 1, other_payload: false });

/// The answer to another's claim of a key that is held.
fn waits(claim: &Result<Claim, StoreError>) -> bool {
    matches!(claim, Ok(Claim::InFlight { .. }))
}

fn is_done(claim: &Claim) -> bool {
    matches!(claim, Claim::Done { .. })
}

/// The answer of a store whose server is away.
fn is_away(error: &StoreError) -> bool {
    matches!(error.kind(), StoreErrorKind::Unavailable | StoreErrorKind::Timeout)
}
