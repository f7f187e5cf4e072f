//! What only the inside of the memory store shows.

use std::time::Duration;

use bytes::Bytes;

use super::memory::MemoryStore;
use super::{Claim, DedupeStore as _, Held, StoredResponse, Terms, Token};
use crate::delivery::{Fingerprint, KeyHash};

#[tokio::test(start_paused = true)]
async fn a_key_that_comes_and_goes_leaves_nothing_over() {
    let (store, key, event) = (MemoryStore::new(1), KeyHash::from_bytes([1; 32]), Fingerprint::of(b"event"));
    let terms = Terms::new(Duration::from_secs(10)).lease(Duration::from_secs(35));
    for round in 0..100 {
        // The end moves from 35 seconds to 10. Of every other, the state is kept apart.
        let body = if round % 2 == 0 { Bytes::new() } else { Bytes::from_static(b"ok") };
        let token = Token::from_bytes([round; 16]);
        assert!(matches!(
            store.claim(&key, &token, &event, &terms).await,
            Ok(Claim::Acquired { fence: 1, other_payload: false })
        ));
        store
            .complete(&key, &token, &StoredResponse::new(http::StatusCode::OK, None, body), terms.retention)
            .await
            .unwrap();
        tokio::time::advance(terms.retention).await;
    }
    assert_eq!(store.places(&key), [64, 64], "of rows and of states");
    assert_eq!(store.taken(&key), [1, 1, 1], "by rows and by states, and in the index");
    store.sweep();
    assert_eq!(store.taken(&key), [0, 0, 0], "by rows and by states, and in the index");
}

#[tokio::test(start_paused = true)]
async fn what_is_done_with_an_empty_answer_takes_a_row_alone() {
    let (store, event) = (MemoryStore::new(10), Fingerprint::of(b"event"));
    let terms = Terms::new(Duration::from_secs(10));
    for (number, body, taken) in [(1, &b""[..], [1, 0, 1]), (2, b"ok", [2, 1, 2]), (3, b"", [3, 1, 3])] {
        let (key, token) = (
            KeyHash::from_bytes([[number; 31].as_slice(), &[0]].concat().try_into().unwrap()),
            Token::from_bytes([number; 16]),
        );
        store.claim(&key, &token, &event, &terms).await.unwrap();
        let response = StoredResponse::new(http::StatusCode::OK, None, Bytes::from_static(body));
        assert_eq!(store.complete(&key, &token, &response, terms.retention).await, Ok(Held::Ok));
        assert_eq!(store.taken(&key), taken, "after key {number}");
    }
}
