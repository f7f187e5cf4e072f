//! What only the inside of the memory store shows.

use std::time::Duration;

use bytes::Bytes;

use super::key::{Fingerprint, Key};
use super::memory::MemoryStore;
use super::store::{Claim, DedupeStore as _, StoredResponse, Terms, Token};

#[tokio::test(start_paused = true)]
async fn what_is_left_over_in_the_index_goes_away() {
    let (store, key, event) = (MemoryStore::new(1), Key::from_bytes([1; 32]), Fingerprint::of(b"event"));
    let terms = Terms::new(Duration::from_secs(10)).lease(Duration::from_secs(35));
    for round in 0..100 {
        // The end moves from 35 seconds to 10, and the entry of the 35 stays behind.
        let token = Token::from_bytes([round; 16]);
        assert!(matches!(store.claim(&key, &token, &event, &terms).await, Ok(Claim::Acquired { fence: 1 })));
        store
            .complete(&key, &token, &StoredResponse::new(http::StatusCode::OK, None, Bytes::new()), terms.retention)
            .await
            .unwrap();
        tokio::time::advance(terms.retention).await;
    }
    assert!(store.index_len(&key) <= 5, "{} entries", store.index_len(&key));
}
