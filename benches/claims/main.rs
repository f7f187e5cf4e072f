//! What a claim costs: claims a second and bytes a key, of the stores in Redis and in memory.
//!
//! It starts a Redis server of its own, on one core where there are two; everything else runs on the other. In each
//! round every variant gets the same number of new keys, in rotated order; ratios are taken round by round. References:
//! `redis-benchmark` without pipelining, with as many connections as the store has tasks; a plain `SET NX PX` by the
//! same client library; and in memory a bare map of 64 shards, which knows 16 bytes of a key and an expiry.
//!
//! ```sh
//! cargo bench --features redis --bench claims                 # the tables, in some two minutes
//! cargo bench --features redis --bench claims -- --redis      # one of them; the other is --memory
//! cargo bench --features redis --bench claims -- --smoke      # does every variant run?
//! ```
//!
//! Without the `--bench` that `cargo bench` passes it only smokes. It needs Linux, `redis-server` and `redis-benchmark`.

mod in_memory;
mod in_redis;
mod rates;
mod server;

use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::error::BoxError;
use tower_webhook::idempotency::Token;

use sha2::{Digest as _, Sha256};

/// How much is measured.
#[derive(Clone, Copy)]
struct Plan {
    rounds: usize,
    /// Claims a second are taken over this part of the numbers that the tables name.
    part: u64,
}

fn main() -> Result<(), BoxError> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    if let [flag, case, keys] = args.as_slice()
        && flag == "--in-memory"
    {
        return in_memory::measure(case, keys.parse()?);
    }
    let has = |flag: &str| args.iter().any(|arg| arg == flag);
    let plan = match has("--bench") && !has("--smoke") {
        true => Plan { rounds: 9, part: 1 },
        false => Plan { rounds: 1, part: 100 },
    };
    if !has("--redis") {
        in_memory::print(plan)?;
    }
    if !has("--memory") {
        in_redis::print(plan)?;
    }
    Ok(())
}

/// The key of an event, as a receiver makes it: a hash.
fn key(number: u64) -> KeyHash {
    KeyHash::from_bytes(Sha256::digest(number.to_le_bytes()).into())
}

fn token(number: u64) -> Token {
    let mut bytes = [0x5A; 16];
    let (low, _) = bytes.split_at_mut(8);
    low.copy_from_slice(&number.to_le_bytes());
    Token::from_bytes(bytes)
}

fn event() -> Fingerprint {
    Fingerprint::of(b"an event")
}
