//! Whose the events are, of those that are looked at.

use tower_webhook::inbox::{InboxStore as _, LanePolicy, NewEvent, PostgresInbox};

use super::server::Server;
use super::{at, event, lease, opened, schema};

fn of(receiver: &str, number: u64) -> NewEvent {
    let mut event = event(number, None);
    event.receiver = receiver.to_owned();
    event
}

async fn told(inbox: &PostgresInbox, most: usize) -> Vec<(String, u64, f64, u64)> {
    let all = inbox.stats_by_receiver(most, at(30)).await.unwrap();
    all.into_iter().map(|one| (one.receiver, one.ready, one.oldest_age, one.dead)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_waits_and_what_is_dead_is_told_by_receiver_and_no_more_is_looked_at_than_asked_for() {
    let inbox = opened(Server::shared().await, &schema()).await;
    assert_eq!(told(&inbox, 10).await, []);
    inbox.accept(vec![of("a", 1), of("a", 2)], at(0)).await.unwrap();
    for held in lease(&inbox, 1, 2, 0).await {
        let _ = inbox.bury(&held, "why", LanePolicy::SkipAndFlag, at(0)).await.unwrap();
    }
    inbox.accept(vec![of("a", 3)], at(5)).await.unwrap();
    assert_eq!(lease(&inbox, 1, 1, 5).await.len(), 1);
    inbox.accept(vec![of("b", 4)], at(10)).await.unwrap();
    inbox.accept(vec![of("b", 5)], at(20)).await.unwrap();
    // Held, it waits no longer.
    assert_eq!(told(&inbox, 10).await, [("a".into(), 0, 0.0, 2), ("b".into(), 2, 20.0, 0)]);
    assert_eq!(told(&inbox, 1).await, [("a".into(), 0, 0.0, 1), ("b".into(), 1, 20.0, 0)]);
}
