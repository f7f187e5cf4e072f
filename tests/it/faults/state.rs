//! What is forgotten when a process ends.

use bytes::Bytes;
use http::Request;
use http_body_util::Full;
use tower::ServiceExt as _;
use tower_webhook::clock::Timestamp;
use tower_webhook::delivery::{Fingerprint, KeyHash};
use tower_webhook::inbox::{Accepted, InboxStore as _, NewEvent, SqliteInbox};
use tower_webhook::{MemoryStore, Received, Receiver};

use super::{Kept, must};
use crate::deliveries::{TRANSFER, aella, now, sealed};

/// `accepts` starts a process, gives it the same event, and says whether it was new.
async fn a_replay_is_known_after_a_restart(accepts: impl AsyncFn() -> bool) -> Kept {
    must(accepts().await, "the first is not taken")?;
    must(!accepts().await, "the same is new again after a restart")?;
    must(!accepts().await, "and once more")
}

#[tokio::test]
async fn a_replay_after_a_restart_is_still_a_replay() {
    let folder = std::env::temp_dir().join(format!("tower-webhook-faults-{}", std::process::id()));
    std::fs::create_dir(&folder).unwrap();
    let file = folder.join("inbox");
    let kept = a_replay_is_known_after_a_restart(async || {
        let inbox = SqliteInbox::open(&file).await.unwrap();
        let until = Timestamp::from_second(2_000_000_000).unwrap();
        let event = NewEvent::new(KeyHash::from_bytes([7; 32]), Fingerprint::from_bytes([7; 16]), "{}", until);
        matches!(inbox.accept(vec![event], now()).await.unwrap()[..], [Accepted::Stored(_)])
    });
    assert_eq!(kept.await, Ok(()));
    std::fs::remove_dir_all(&folder).unwrap();

    // What lives in a process's memory ends with it, as its documentation says.
    let forgotten = a_replay_is_known_after_a_restart(async || {
        let receiver = Receiver::new("aella", aella()).clock(now()).dedupe(MemoryStore::new(10));
        let request: Request<Full<Bytes>> = sealed(&aella(), TRANSFER);
        let answer = receiver.handle(|_: Received<tower_webhook::provider::aella::Event>| async {}).oneshot(request);
        !answer.await.unwrap().headers().contains_key("idempotent-replayed")
    });
    assert_eq!(forgotten.await, Err("the same is new again after a restart".into()));
}
