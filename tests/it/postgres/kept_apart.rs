//! What came with another payload under a known key: kept apart for as long as its own key is, and no longer.

use tower_webhook::delivery::Fingerprint;
use tower_webhook::inbox::{Accepted, EventId, Filter, InboxStore as _, NewEvent, PostgresInbox, StoredState};

use super::server::Server;
use super::{at, event, lease, opened, schema};

fn says(payload: &'static str, until: i64) -> NewEvent {
    let mut event = event(1, None);
    (event.fingerprint, event.payload) = (Fingerprint::of(payload.as_bytes()), payload.into());
    event.key_until = at(until);
    event
}

async fn accept(inbox: &PostgresInbox, event: NewEvent, second: i64) -> Accepted {
    inbox.accept(vec![event], at(second)).await.unwrap().remove(0)
}

/// The first is done, and another was kept apart.
async fn filled(inbox: &PostgresInbox) -> (EventId, EventId) {
    let Accepted::Stored(first) = accept(inbox, says("a", 100), 0).await else { panic!("it is stored") };
    let held = lease(inbox, 1, 1, 1).await.remove(0);
    let _ = inbox.complete(&held, at(1)).await.unwrap();
    let Accepted::Quarantined(other) = accept(inbox, says("b", 200), 2).await else { panic!("it is kept apart") };
    (first, other)
}

async fn quarantined(inbox: &PostgresInbox) -> u64 {
    inbox.stats(at(3)).await.unwrap().quarantined
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_goes_when_the_time_of_its_key_is_over() {
    let inbox = opened(Server::shared().await, &schema()).await;
    let (first, other) = filled(&inbox).await;
    assert_eq!(inbox.purge(at(-1), at(99)).await.unwrap(), (0, 0), "control: nothing is over yet");
    assert_eq!(inbox.purge(at(-1), at(100)).await.unwrap(), (1, 1));
    assert!(inbox.show(first).await.unwrap().is_none() && inbox.show(other).await.unwrap().is_some());
    // The key is new again for whatever comes with it first.
    assert!(matches!(accept(&inbox, says("c", 300), 101).await, Accepted::Stored(_)));
    assert_eq!(accept(&inbox, says("b", 300), 101).await, Accepted::Quarantined(other));
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (1, 1));
    assert!(inbox.show(other).await.unwrap().is_none());
    assert_eq!(quarantined(&inbox).await, 0);
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (0, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_is_for_nobody_any_more_when_it_was_erased() {
    let inbox = opened(Server::shared().await, &schema()).await;
    let (_, other) = filled(&inbox).await;
    assert_eq!(quarantined(&inbox).await, 1);
    assert_eq!(inbox.erase("key-1", at(3)).await.unwrap(), 2);
    assert_eq!(quarantined(&inbox).await, 0);
    let shown = inbox.show(other).await.unwrap().unwrap();
    assert_eq!((shown.stored.state, shown.payload), (StoredState::Done, None));
    // A repeat brings nothing back.
    assert_eq!(accept(&inbox, says("b", 300), 4).await, Accepted::Quarantined(other));
    assert_eq!(inbox.replay(&Filter::default(), 9, false, "ann", at(5)).await.unwrap().replayed, 0);
    assert_eq!(inbox.purge(at(-1), at(200)).await.unwrap(), (0, 2));
}
