//! Events as a receiver makes them, each with a key of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use sha2::{Digest as _, Sha256};
use tower_webhook::clock::Timestamp;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::NewEvent;

/// No two clones give the same.
#[derive(Clone, Default)]
pub(crate) struct Keys(Arc<AtomicU64>);

impl Keys {
    pub(crate) fn event(&self) -> NewEvent {
        let hash = hash(self.0.fetch_add(1, Ordering::Relaxed));
        let month = Duration::from_secs(35 * 24 * 3600);
        let body = Bytes::from_static(&[b'x'; 1024]);
        let mut event =
            NewEvent::new(KeyHash::from_bytes(hash), Fingerprint::of(&hash), body, Timestamp::now() + month);
        event.readable_key = format!("transfer.completed:{:x}", u128::from_le_bytes(first(&hash)));
        event.receiver = "bench".to_owned();
        event.provider = "aella".to_owned();
        event.event = "transfer.completed".to_owned();
        event.occurred_at = Some(Timestamp::now());
        event.key_id = Some("default".to_owned());
        event
    }
}

pub(crate) fn hash(number: u64) -> [u8; 32] {
    Sha256::digest(number.to_le_bytes()).into()
}

pub(crate) fn first(hash: &[u8; 32]) -> [u8; 16] {
    hash.first_chunk().copied().unwrap_or_default()
}
